//! Money that is finer than its minor unit, in no currency or in another, too much or too little;
//! and quotes with too much in them.

use entente::proto::google::r#type::Money;
use entente::proto::v1;

use super::calls::{faulty, ok, refuses};
use super::house::{HOUR, House, at};
use super::setting::{Pair, euros, five_w, portion};

fn money(currency: &str, units: i64, nanos: i32) -> Money {
    Money {
        currency_code: currency.to_owned(),
        units,
        nanos,
    }
}

/// A quote in a currency, with one portion.
fn quote(pair: &Pair, currency: &str, price: Money) -> v1::CreateJointQuoteRequest {
    let mut request = pair.quote_request(&[("a", 100)]);
    let quote = request.joint_quote.as_mut().unwrap();
    currency.clone_into(&mut quote.currency);
    quote.portions[0].price = Some(price);
    request
}

/// Nothing is ever rounded, and an amount is in the currency of its quote.
pub async fn amounts_and_currencies(house: House) {
    let pair = Pair::active(&house).await;
    let mut pricing = pair.north.connection.pricing();
    let price = "joint_quote.portions[0].price";
    for (reason, currency, amount) in [
        ("MONEY_TOO_FINE", "JPY", money("JPY", 0, 500_000_000)),
        ("MONEY_TOO_FINE", "EUR", money("EUR", 0, 1_000_000)),
        ("MONEY_TOO_FINE", "KWD", money("KWD", 0, 100_000)),
        ("CURRENCY_MISMATCH", "EUR", money("USD", 1, 0)),
        ("CURRENCY_UNKNOWN", "EUR", money("XYZ", 1, 0)),
        ("CURRENCY_UNKNOWN", "EUR", money("eur", 1, 0)),
        ("CURRENCY_UNKNOWN", "EUR", money("", 1, 0)),
        ("OUT_OF_RANGE", "EUR", money("EUR", i64::MAX, 0)),
        ("INVALID_FIELD", "EUR", money("EUR", 1, -10_000_000)),
        ("INVALID_FIELD", "EUR", money("EUR", 0, 1_000_000_000)),
        ("INVALID_FIELD", "EUR", money("EUR", -1, 0)),
    ] {
        let request = quote(&pair, currency, amount);
        faulty(
            &house,
            reason,
            &[price],
            pricing.create_joint_quote(request),
        )
        .await;
    }
    currencies(&house, &pair).await;
    let created = pair.quote(&[("a", 100)], &[("b", 100)]).await;
    for (reason, concession) in [
        ("MONEY_TOO_FINE", money("EUR", 0, 1)),
        ("CURRENCY_MISMATCH", money("USD", 1, 0)),
        ("CONCESSION_TOO_LARGE", euros(201)),
        ("CONCESSION_TOO_LARGE", money("EUR", -3, 0)),
    ] {
        let request = v1::ProposeConcessionRequest {
            name: created.name.clone(),
            concession: Some(concession),
            basis: v1::AllocationBasis::Price.into(),
            ..Default::default()
        };
        refuses(&house, reason, pricing.propose_concession(request)).await;
    }
    let mut words = five_w(48);
    words.what.as_mut().unwrap().cost_per_hour = Some(money("JPY", 0, 500_000_000));
    let field = ["expectation.five_w.what.cost_per_hour"];
    let request = pair.draft_request(words);
    faulty(
        &house,
        "MONEY_TOO_FINE",
        &field,
        pair.north
            .connection
            .expectations()
            .create_expectation(request),
    )
    .await;
    weights(&house, &pair, &created).await;
    house.stop().await;
}

/// Currencies that nobody pays in.
async fn currencies(house: &House, pair: &Pair) {
    let mut pricing = pair.north.connection.pricing();
    let price = "joint_quote.portions[0].price";
    for currency in ["XYZ", "XAU", "eur", "EURO", ""] {
        let mut request = quote(pair, currency, euros(100));
        request.joint_quote.as_mut().unwrap().portions.clear();
        faulty(
            house,
            "CURRENCY_UNKNOWN",
            &["joint_quote.currency"],
            pricing.create_joint_quote(request),
        )
        .await;
    }
    let mut unpriced = quote(pair, "EUR", euros(100));
    unpriced.joint_quote.as_mut().unwrap().portions[0].price = None;
    faulty(
        house,
        "INVALID_FIELD",
        &[price],
        pricing.create_joint_quote(unpriced),
    )
    .await;
    // The finest that there is, is taken.
    ok(pricing.create_joint_quote(quote(pair, "KWD", money("KWD", 0, 1_000_000)))).await;
    ok(pricing.create_joint_quote(quote(pair, "JPY", money("JPY", 1, 0)))).await;
}

async fn weights(house: &House, pair: &Pair, quote: &v1::JointQuote) {
    let share = |(party, share_bps): &(&str, i32)| v1::PartyShare {
        party_id: (*party).to_owned(),
        share_bps: *share_bps,
    };
    for shares in [
        &[("party-1", 6_000), ("party-2", 3_999)][..],
        &[("party-1", 10_001), ("party-2", -1)],
        &[("party-1", 5_000), ("party-1", 5_000)],
        &[("party-1", 5_000), ("party-9", 5_000)],
    ] {
        let request = v1::ProposeConcessionRequest {
            name: quote.name.clone(),
            concession: Some(euros(100)),
            basis: v1::AllocationBasis::FixedBps.into(),
            weights: shares.iter().map(share).collect(),
            ..Default::default()
        };
        let mut pricing = pair.north.connection.pricing();
        let answer = refuses(
            house,
            "WEIGHTS_INVALID",
            pricing.propose_concession(request),
        )
        .await;
        assert!(
            answer
                .fields
                .iter()
                .all(|field| field.starts_with("weights")),
            "{answer:?}"
        );
    }
}

/// 200 portions, no more; each once; and an expiry that lies ahead.
pub async fn too_many_portions(house: House) {
    let pair = Pair::active(&house).await;
    let mut pricing = pair.north.connection.pricing();
    let numbered = |count: usize| {
        (0..count)
            .map(|number| portion(&format!("p{number}"), 100))
            .collect()
    };
    let mut request = pair.quote_request(&[]);
    request.joint_quote.as_mut().unwrap().portions = numbered(201);
    let answer = refuses(
        &house,
        "LIMIT_REACHED",
        pricing.create_joint_quote(request.clone()),
    )
    .await;
    assert_eq!(
        answer.metadata.get("maximum").map(String::as_str),
        Some("200")
    );
    request.joint_quote.as_mut().unwrap().portions = numbered(200);
    let full = ok(pricing.create_joint_quote(request)).await;
    assert_eq!(full.portions.len(), 200);
    let one_more = v1::AddPortionRequest {
        name: full.name,
        portion: Some(portion("one-more", 100)),
        ..Default::default()
    };
    refuses(&house, "LIMIT_REACHED", pricing.add_portion(one_more)).await;
    let twice = pair.quote_request(&[("a", 100), ("a", 100)]);
    refuses(&house, "ALREADY_EXISTS", pricing.create_joint_quote(twice)).await;
    let expiry = "joint_quote.expire_time";
    let year_2100 = prost_types::Timestamp {
        seconds: 4_102_444_800,
        nanos: 0,
    };
    for expire_time in [
        None,
        Some(at(-HOUR)),
        Some(at(0)),
        Some(year_2100),
        Some(prost_types::Timestamp {
            nanos: 1,
            ..at(HOUR)
        }),
    ] {
        let mut request = pair.quote_request(&[]);
        request.joint_quote.as_mut().unwrap().expire_time = expire_time;
        faulty(
            &house,
            "INVALID_FIELD",
            &[expiry],
            pricing.create_joint_quote(request),
        )
        .await;
    }
    house.stop().await;
}
