//! What portions say of themselves: quantities, markups, costs in other currencies, stakes.

use entente::proto::google::r#type::{Date, Money};
use entente::proto::v1::{self, AllocationBasis, PassThroughKind};

use super::calls::{faulty, ok, refuses};
use super::concessions::{conceding, monthly, propose};
use super::house::{Firm, House};
use super::setting::{Pair, cents, euros, portion};

fn quoting(pair: &Pair, portions: Vec<v1::Portion>) -> v1::CreateJointQuoteRequest {
    let mut request = pair.quote_request(&[]);
    request.joint_quote.as_mut().unwrap().portions = portions;
    request
}

fn dollars(units: i64) -> Money {
    Money {
        currency_code: "USD".to_owned(),
        units,
        nanos: 0,
    }
}

fn exchange(rate: &str) -> v1::CostExchange {
    v1::CostExchange {
        rate: rate.to_owned(),
        date: Some(Date {
            year: 2026,
            month: 3,
            day: 2,
        }),
        source: "ECB reference rate".to_owned(),
        currency: String::new(),
    }
}

fn marked_up(portion: v1::Portion, markup_cap_bps: i32) -> v1::Portion {
    v1::Portion {
        pass_through: Some(v1::PassThrough {
            kind: PassThroughKind::MarkedUp.into(),
            markup_cap_bps,
        }),
        ..portion
    }
}

fn at_cost(portion: v1::Portion) -> v1::Portion {
    v1::Portion {
        pass_through: Some(v1::PassThrough {
            kind: PassThroughKind::AtCost.into(),
            markup_cap_bps: 0,
        }),
        ..portion
    }
}

async fn read(firm: &Firm, quote: &v1::JointQuote) -> v1::JointQuote {
    let request = v1::GetJointQuoteRequest {
        name: quote.name.clone(),
    };
    ok(firm.connection.pricing().get_joint_quote(request)).await
}

/// Everything comes back as it was said, costs to their owner alone.
pub async fn everything_said_of_a_portion_comes_back(house: House) {
    let pair = Pair::active(&house).await;
    let seats = v1::Portion {
        price: None,
        quantity: 7,
        unit_price: Some(euros(1_250)),
        recurrence: Some(monthly(36)),
        floor_price: Some(euros(8_000)),
        minimum_margin_bps: Some(500),
        internal_cost: Some(dollars(80)),
        cost_exchange: Some(exchange("0.9213")),
        reveal_cost_band: true,
        stake: Some(v1::Stake {
            description: "the vendor's kickback".to_owned(),
            value: Some(v1::stake::Value::PriceBps(300)),
        }),
        ..portion("seats", 0)
    };
    let request = quoting(&pair, vec![seats]);
    let quote = ok(pair.north.connection.pricing().create_joint_quote(request)).await;
    let own = &quote.portions[0];
    assert_eq!(cents(own.price.as_ref()), 8_750);
    assert_eq!(cents(own.total_price.as_ref()), 8_750 * 36);
    assert_eq!(own.internal_cost, Some(dollars(80)));
    // 80.00 times 0.9213 is 73.704.
    assert_eq!(cents(own.converted_cost.as_ref()), 7_370);
    let band = own.cost_band.as_ref().unwrap();
    let (from, to) = (cents(band.from.as_ref()), cents(band.to.as_ref()));
    assert!(from <= 7_370 && 7_370 < to && to <= from * 11 / 10 + 1);
    let known = read(&pair.south, &quote).await;
    let expected = v1::Portion {
        internal_cost: None,
        converted_cost: None,
        ..own.clone()
    };
    assert_eq!(known.portions[0], expected);
    assert_eq!(
        known.portions[0].cost_exchange.as_ref().unwrap().currency,
        "USD"
    );
    let stake = known.portions[0].stake.as_ref().unwrap();
    assert_eq!(stake.description, "the vendor's kickback");
    by_band(&house, &pair).await;
    house.stop().await;
}

/// By the lower ends of bands that everybody sees.
async fn by_band(house: &House, pair: &Pair) {
    let banded = |id: &str, cost: i64| v1::Portion {
        internal_cost: Some(euros(cost)),
        reveal_cost_band: true,
        ..portion(id, 10_000)
    };
    let request = quoting(pair, vec![banded("a", 0), banded("b", 5_000)]);
    let quote = ok(pair.north.connection.pricing().create_joint_quote(request)).await;
    let request = v1::ProposeConcessionRequest {
        basis: AllocationBasis::CostBand.into(),
        ..conceding(&quote, 100)
    };
    let revision = propose(&pair.south, request.clone()).await;
    let shares = &revision.cadences[0].shares;
    assert_eq!(cents(shares[0].share.as_ref()), 0, "no cost, no part");
    assert_eq!(cents(shares[1].share.as_ref()), 100);
    let add = v1::AddPortionRequest {
        name: quote.name.clone(),
        portion: Some(portion("c", 100)),
        ..Default::default()
    };
    ok(pair.south.connection.pricing().add_portion(add)).await;
    let mut souths = pair.south.connection.pricing();
    let call = souths.propose_concession(request);
    let refused = refuses(house, "WEIGHTS_INVALID", call).await;
    assert_eq!(refused.metadata["portion_ids"], "c");
}

/// A markup is a portion of its own, within the cap of what it marks up.
pub async fn markups_have_caps(house: House) {
    let pair = Pair::active(&house).await;
    let base = marked_up(portion("licences", 10_000), 1_500);
    let line = at_cost(portion("line", 2_000));
    let request = quoting(&pair, vec![base, line]);
    let quote = ok(pair.south.connection.pricing().create_joint_quote(request)).await;
    let mut norths = pair.north.connection.pricing();
    let adding = |id: &str, cents: i64, base: &str| v1::AddPortionRequest {
        name: quote.name.clone(),
        portion: Some(v1::Portion {
            markup_on: base.to_owned(),
            ..portion(id, cents)
        }),
        ..Default::default()
    };
    for base in ["line", "nothing"] {
        let call = norths.add_portion(adding("markup", 1, base));
        faulty(&house, "INVALID_FIELD", &["portion.markup_on"], call).await;
    }
    let call = norths.add_portion(adding("markup", 1_501, "licences"));
    let refused = faulty(&house, "MARKUP_CAP_EXCEEDED", &["portion.price"], call).await;
    assert_eq!(refused.metadata["markup_cap_bps"], "1500");
    ok(norths.add_portion(adding("markup", 1_500, "licences"))).await;
    let revision = propose(&pair.north, conceding(&quote, 1_000)).await;
    let borne: Vec<_> = revision.cadences[0]
        .shares
        .iter()
        .map(|share| (share.portion_id.as_str(), cents(share.share.as_ref())))
        .collect();
    assert_eq!(borne, [("licences", 870), ("line", 0), ("markup", 130)]);
    house.stop().await;
}

/// Portions with one fault each: its reason, its field, and the portion.
fn faulty_portions() -> Vec<(&'static str, &'static str, v1::Portion)> {
    let stating = |amount: Money, rate: Option<&str>| v1::Portion {
        internal_cost: Some(amount),
        cost_exchange: rate.map(exchange),
        ..portion("a", 100)
    };
    let floored = |floor: Money| v1::Portion {
        floor_price: Some(floor),
        ..portion("a", 100)
    };
    let too_fine = Money {
        nanos: 1,
        ..euros(1)
    };
    let huge = dollars(90_000_000_000_000_000);
    let several = v1::Portion {
        quantity: 2,
        unit_price: Some(euros(51)),
        ..portion("a", 100)
    };
    let not_its_price = at_cost(stating(euros(99), None));
    vec![
        ("INVALID_FIELD", "floor_price", floored(euros(101))),
        ("MONEY_TOO_FINE", "floor_price", floored(too_fine)),
        (
            "EXCHANGE_RATE_MISSING",
            "internal_cost",
            stating(dollars(1), None),
        ),
        (
            "INVALID_FIELD",
            "cost_exchange.rate",
            stating(dollars(1), Some("-1")),
        ),
        ("OUT_OF_RANGE", "internal_cost", stating(huge, Some("2"))),
        ("INVALID_FIELD", "internal_cost", not_its_price),
        ("INVALID_FIELD", "price", several),
    ]
}

/// Everything wrong with a portion is told at once, each with its path.
pub async fn portions_at_fault(house: House) {
    let pair = Pair::active(&house).await;
    let mut pricing = pair.north.connection.pricing();
    let field = |name: &str| format!("joint_quote.portions[0].{name}");
    let of = |portion: v1::Portion| quoting(&pair, vec![portion]);
    for (reason, name, portion) in faulty_portions() {
        let path = field(name);
        let call = pricing.create_joint_quote(of(portion));
        faulty(&house, reason, &[&path], call).await;
    }
    let wrong = v1::Portion {
        price: Some(euros(-1)),
        recurrence: Some(monthly(121)),
        minimum_margin_bps: Some(-1),
        reveal_cost_band: true,
        ..marked_up(portion("A", 0), -1)
    };
    let expected = [
        "reveal_cost_band",
        "minimum_margin_bps",
        "pass_through.markup_cap_bps",
        "portion_id",
    ];
    let expected = expected.map(field);
    let expected: Vec<&str> = expected.iter().map(String::as_str).collect();
    let call = pricing.create_joint_quote(of(wrong));
    faulty(&house, "INVALID_FIELD", &expected, call).await;
    house.stop().await;
}
