//! Splits of quotes that nobody stored.

use entente::domain::firm::Permission;
use entente::proto::google::r#type::Money;
use entente::proto::v1;
use tonic::Code;
use tonic_types::StatusExt;

use super::calls::{Refused, code, faulty, ok, refuses};
use super::house::House;
use super::setting::{cents, euros};

/// Not acceptable.
const BAD: &str = "INVALID_FIELD";

/// A slice at a price.
pub fn slice(id: &str, owner: &str, price: i64) -> v1::SplitSlice {
    v1::SplitSlice {
        slice_id: id.to_owned(),
        owner: owner.to_owned(),
        price: Some(euros(price)),
        ..v1::SplitSlice::default()
    }
}

/// A basis with everything else as by default.
pub fn by(basis: v1::SplitBasis) -> v1::SplitAlternative {
    v1::SplitAlternative {
        basis: basis.into(),
        ..v1::SplitAlternative::default()
    }
}

/// A one-time concession over slices.
pub fn of(
    slices: Vec<v1::SplitSlice>,
    concession: i64,
    alternatives: Vec<v1::SplitAlternative>,
) -> v1::ComputeSplitRequest {
    v1::ComputeSplitRequest {
        currency: "EUR".to_owned(),
        slices,
        concessions: vec![v1::SplitConcession {
            cadence: v1::Cadence::OneTime.into(),
            amount: Some(money(concession)),
        }],
        alternatives,
        ..v1::ComputeSplitRequest::default()
    }
}

/// Cents of either sign.
fn money(amount: i64) -> Money {
    Money {
        currency_code: "EUR".to_owned(),
        units: amount / 100,
        nanos: i32::try_from(amount % 100).unwrap() * 10_000_000,
    }
}

fn shares(result: &v1::SplitResult) -> Vec<i64> {
    let parts = result.divisions.iter().flat_map(|division| &division.parts);
    parts.map(|part| cents(part.share.as_ref())).collect()
}

fn costing(mut slice: v1::SplitSlice, cost: i64, floor: i64) -> v1::SplitSlice {
    slice.cost = Some(euros(cost));
    slice.floor_price = Some(euros(floor));
    slice
}

/// Three owners; the second and the third have little room before their floors.
fn three() -> Vec<v1::SplitSlice> {
    vec![
        costing(slice("a", "acme", 5_000_000), 4_000_000, 4_000_000),
        costing(slice("b", "bolt", 2_700_000), 2_500_000, 2_500_000),
        costing(slice("c", "cargo", 1_400_000), 1_000_000, 1_000_000),
    ]
}

fn fixed(shares: &[(&str, i32)]) -> v1::SplitAlternative {
    let share = |(owner, share_bps): &(&str, i32)| v1::OwnerShare {
        owner: (*owner).to_owned(),
        share_bps: *share_bps,
    };
    v1::SplitAlternative {
        shares: shares.iter().map(share).collect(),
        ..by(v1::SplitBasis::FixedBps)
    }
}

fn stated(amounts: &[(&str, i64)]) -> v1::SplitAlternative {
    let amount = |(id, amount): &(&str, i64)| v1::SliceAmount {
        slice_id: (*id).to_owned(),
        amount: Some(money(*amount)),
    };
    v1::SplitAlternative {
        amounts: amounts.iter().map(amount).collect(),
        ..by(v1::SplitBasis::Custom)
    }
}

/// P01, P02, P08, P09 and P14: every basis side by side, each with its steps in figures and in words.
pub async fn p01_bases_side_by_side_explain_every_cent(house: House) {
    let firm = house.firm("alone").await;
    let mut splits = firm.connection.splits();
    let alternatives = vec![
        by(v1::SplitBasis::Cost),
        by(v1::SplitBasis::Margin),
        by(v1::SplitBasis::Price),
        by(v1::SplitBasis::CostBand),
        fixed(&[("acme", 8_000), ("bolt", 1_200), ("cargo", 800)]),
        stated(&[("a", 800_000), ("c", 100_000)]),
        v1::SplitAlternative {
            rounding: v1::RoundingRule::Ratchet.into(),
            ..by(v1::SplitBasis::Cost)
        },
    ];
    let answer = ok(splits.compute_split(of(three(), 900_000, alternatives.clone()))).await;
    assert_eq!((answer.engine_version, answer.currency_exponent), (1, 2));
    assert_eq!(answer.results.len(), alternatives.len());
    assert_eq!(shares(&answer.results[0]), [560_000, 200_000, 140_000]);
    assert_eq!(shares(&answer.results[1]), [562_500, 112_500, 225_000]);
    assert_eq!(shares(&answer.results[4]), [720_000, 108_000, 72_000]);
    assert_eq!(shares(&answer.results[5]), [800_000, 0, 100_000]);
    assert_eq!(shares(&answer.results[6]), shares(&answer.results[0]));
    for result in &answer.results {
        assert_eq!(result.error, None);
        assert_eq!(shares(result).iter().sum::<i64>(), 900_000);
        for part in &result.divisions[0].parts {
            let [before, after] = [&part.price_before, &part.price_after];
            let fell = cents(before.as_ref()) - cents(after.as_ref());
            assert_eq!(fell, cents(part.share.as_ref()));
            assert!(!part.steps.is_empty() && !part.explanation.is_empty());
        }
    }
    let part = &answer.results[0].divisions[0].parts[1];
    assert!(part.at_floor);
    assert_eq!(part.steps[0].method, i32::from(v1::DivisionMethod::Most));
    assert!(
        part.explanation.starts_with(
            "b: cost 25,000.00 of 75,000.00; of 9,000.00 EUR that is more than the 2,000.00 that it \
             bears at most (round 1)"
        ),
        "{}",
        part.explanation
    );
    // In another order, the same.
    let mut turned = three();
    turned.reverse();
    let again = ok(splits.compute_split(of(turned, 900_000, alternatives))).await;
    for (mut result, before) in again.results.into_iter().zip(answer.results) {
        result.divisions[0].parts.reverse();
        assert_eq!(result, before);
    }
    house.stop().await;
}

/// P19, P22, P23: what recurs is divided by itself; a surcharge raises prices; the rate turns a cost into
/// one of the split's currency, once.
pub async fn p19_p22_cadences_surcharges_and_rates(house: House) {
    let firm = house.firm("alone").await;
    let mut splits = firm.connection.splits();
    let mut monthly = slice("desk", "bolt", 1_000);
    monthly.cadence = v1::Cadence::Monthly.into();
    let mut dollars = slice("b", "bolt", 3_000);
    dollars.cost = Some(Money {
        currency_code: "USD".to_owned(),
        units: 10,
        nanos: 0,
    });
    "0.9213".clone_into(&mut dollars.cost_rate);
    let mut own = slice("a", "acme", 3_000);
    own.cost = Some(euros(1_000));
    let mut request = of(
        vec![own, monthly, dollars],
        -300,
        vec![by(v1::SplitBasis::Cost)],
    );
    request.currency_exponent = Some(2);
    let answer = ok(splits.compute_split(request.clone())).await;
    let division = &answer.results[0].divisions[0];
    let weights: Vec<i64> = division.parts.iter().map(|part| part.weight).collect();
    assert_eq!(weights, [1_000, 921]);
    assert_eq!(shares(&answer.results[0]), [-156, -144]);
    assert_eq!(cents(division.price_after.as_ref()), 6_300);
    request.concessions.push(v1::SplitConcession {
        cadence: v1::Cadence::Monthly.into(),
        amount: Some(euros(50)),
    });
    request.alternatives = vec![by(v1::SplitBasis::Price)];
    let answer = ok(splits.compute_split(request)).await;
    let divisions = &answer.results[0].divisions;
    let concessions: Vec<(i32, i64, usize)> = divisions
        .iter()
        .map(|division| {
            let concession = cents(division.concession.as_ref());
            (division.cadence, concession, division.parts.len())
        })
        .collect();
    let (once, monthly) = (v1::Cadence::OneTime.into(), v1::Cadence::Monthly.into());
    assert_eq!(concessions, [(once, -300, 2), (monthly, 50, 1)]);
    house.stop().await;
}

/// By price; what the floors leave over falls to an owner.
fn absorbing(owner: &str) -> v1::SplitAlternative {
    v1::SplitAlternative {
        shortfall_policy: v1::ShortfallPolicy::PrimeAbsorbs.into(),
        absorbing_owner: owner.to_owned(),
        ..by(v1::SplitBasis::Price)
    }
}

/// Alternatives that cannot be divided, why, and where.
fn bad_alternatives() -> Vec<(v1::SplitAlternative, &'static str, &'static str)> {
    let mut mixed = by(v1::SplitBasis::Price);
    mixed.shares = fixed(&[("acme", 1)]).shares;
    vec![
        (
            by(v1::SplitBasis::Cost),
            "WEIGHTS_INVALID",
            "slices[1].cost",
        ),
        (
            by(v1::SplitBasis::Price),
            "CONCESSION_SHORTFALL",
            "alternatives[1]",
        ),
        (
            fixed(&[("acme", 9_999)]),
            "WEIGHTS_INVALID",
            "alternatives[2].shares",
        ),
        (
            fixed(&[("crow", 10_000)]),
            "WEIGHTS_INVALID",
            "alternatives[3].shares",
        ),
        (
            stated(&[("a", 1_650_001)]),
            "WEIGHTS_INVALID",
            "alternatives[4].amounts",
        ),
        (
            stated(&[("x", 1_650_000)]),
            "WEIGHTS_INVALID",
            "alternatives[5].amounts",
        ),
        (mixed, BAD, "alternatives[6].shares"),
        (absorbing(""), BAD, "alternatives[7].absorbing_owner"),
        (
            by(v1::SplitBasis::Unspecified),
            BAD,
            "alternatives[8].basis",
        ),
    ]
}

/// P11: an alternative that cannot be divided says why, and hurts none of its neighbours.
pub async fn p11_alternatives_answer_for_themselves(house: House) {
    let firm = house.firm("alone").await;
    let mut splits = firm.connection.splits();
    let mut slices = three();
    slices[1].cost = None;
    let bad = bad_alternatives();
    let mut alternatives: Vec<_> = bad.iter().map(|(bad, _, _)| bad.clone()).collect();
    alternatives.push(absorbing("acme"));
    let answer = ok(splits.compute_split(of(slices, 1_650_000, alternatives))).await;
    let mut metadata = Vec::new();
    for (result, (_, reason, field)) in answer.results.iter().zip(&bad) {
        let refused = told(result);
        assert_eq!(
            (refused.reason.as_str(), refused.code),
            (*reason, code(reason))
        );
        assert_eq!(refused.fields, [*field], "{refused:?}");
        assert!(result.divisions.is_empty());
        metadata.push(refused.metadata);
    }
    assert_eq!(metadata[1]["shortfall"], "500.00 EUR");
    for (key, value) in [
        ("sum", "16500.01"),
        ("total", "16500.00"),
        ("difference", "0.01"),
        ("cadence", "one_time"),
    ] {
        assert_eq!(
            metadata[4][key].replace([',', ' '], "").replace("EUR", ""),
            value
        );
    }
    let last = &answer.results[bad.len()];
    assert_eq!(shares(last), [1_050_000, 200_000, 400_000]);
    assert_eq!(
        cents(last.divisions[0].parts[0].beyond_floor.as_ref()),
        50_000
    );
    house.stop().await;
}

/// The error of a result, taken apart.
fn told(result: &v1::SplitResult) -> Refused {
    let error = result.error.as_ref().expect("an error");
    let details = prost::Message::encode_to_vec(error);
    let status =
        tonic::Status::with_details(Code::from(error.code), &error.message, details.into());
    assert!(status.get_error_details().error_info().is_some());
    Refused::from(&status)
}

/// A reason, the fields at fault, and the request.
type Case = (&'static str, Vec<&'static str>, v1::ComputeSplitRequest);

/// A good request, changed.
fn with(change: impl Fn(&mut v1::ComputeSplitRequest)) -> v1::ComputeSplitRequest {
    let mut request = of(three(), 100, vec![by(v1::SplitBasis::Price)]);
    change(&mut request);
    request
}

/// A good request whose first slice is changed.
fn first(change: impl Fn(&mut v1::SplitSlice)) -> v1::ComputeSplitRequest {
    with(|asked| change(&mut asked.slices[0]))
}

fn units(code: &str, units: i64, nanos: i32) -> Money {
    Money {
        currency_code: code.to_owned(),
        units,
        nanos,
    }
}

/// What is wrong with the request as a whole.
fn requests_at_fault() -> Vec<Case> {
    let basis = || by(v1::SplitBasis::Price);
    let many = || vec![slice("a", "acme", 1); 201];
    let once_more = |asked: &mut v1::ComputeSplitRequest| {
        asked.concessions.push(asked.concessions[0].clone());
    };
    let yearly = v1::Cadence::Yearly;
    let (slices, alternatives) = (vec!["slices"], vec!["alternatives"]);
    let amount = vec!["concessions[0].amount"];
    let too_much = with(|asked| asked.concessions[0].amount = Some(euros(9_100_001)));
    vec![
        (
            "CURRENCY_UNKNOWN",
            vec!["currency"],
            with(|asked| "EURO".clone_into(&mut asked.currency)),
        ),
        (
            "CURRENCY_MISMATCH",
            vec!["currency_exponent"],
            with(|asked| asked.currency_exponent = Some(0)),
        ),
        (BAD, slices.clone(), with(|asked| asked.slices.clear())),
        (BAD, slices, with(|asked| asked.slices = many())),
        (
            BAD,
            alternatives.clone(),
            with(|asked| asked.alternatives.clear()),
        ),
        (
            BAD,
            alternatives,
            with(|asked| asked.alternatives = vec![basis(); 11]),
        ),
        (
            BAD,
            vec!["concessions"],
            with(|asked| asked.concessions.clear()),
        ),
        ("CONCESSION_TOO_LARGE", amount.clone(), too_much),
        (BAD, vec!["concessions[1].cadence"], with(once_more)),
        (
            BAD,
            amount,
            with(|asked| asked.concessions[0].cadence = yearly.into()),
        ),
    ]
}

/// What is wrong with its first slice.
fn slices_at_fault() -> Vec<Case> {
    let price = || vec!["slices[0].price"];
    let margin = || vec!["slices[0].minimum_margin_bps"];
    let both = vec!["slices[0].price", "slices[0].floor_price"];
    let rate = vec!["slices[0].cost_rate"];
    let floor = vec!["slices[0].floor_price"];
    let kind = vec!["slices[0].pass_through.kind"];
    let passing =
        |slice: &mut v1::SplitSlice| slice.pass_through = Some(v1::PassThrough::default());
    let fine = first(|slice| slice.price = Some(units("EUR", 1, 1)));
    let dollars = first(|slice| slice.price = Some(units("USD", 50_000, 0)));
    let without_rate = first(|slice| slice.cost = Some(units("USD", 1, 0)));
    let huge = first(|slice| slice.price = Some(units("EUR", i64::MAX / 100, 70_000_000)));
    let beyond = first(|slice| slice.price = Some(units("EUR", i64::MAX, 0)));
    let high = first(|slice| slice.floor_price = Some(euros(5_000_001)));
    vec![
        (BAD, price(), first(|slice| slice.price = None)),
        (BAD, both, first(|slice| slice.price = Some(money(-1)))),
        ("MONEY_TOO_FINE", price(), fine),
        ("CURRENCY_MISMATCH", price(), dollars),
        (
            "EXCHANGE_RATE_MISSING",
            vec!["slices[0].cost"],
            without_rate,
        ),
        (
            BAD,
            rate,
            first(|slice| "1".clone_into(&mut slice.cost_rate)),
        ),
        (BAD, floor, high),
        (
            BAD,
            margin(),
            first(|slice| slice.minimum_margin_bps = Some(-1)),
        ),
        (
            BAD,
            margin(),
            first(|slice| slice.minimum_margin_bps = Some(2_501)),
        ),
        (
            BAD,
            vec!["slices[0].cadence"],
            first(|slice| slice.cadence = 9),
        ),
        (BAD, kind, first(passing)),
        (
            BAD,
            vec!["slices[0].markup_on"],
            first(|slice| "b".clone_into(&mut slice.markup_on)),
        ),
        (
            BAD,
            vec!["slices[1].slice_id"],
            with(|asked| "a".clone_into(&mut asked.slices[1].slice_id)),
        ),
        ("OUT_OF_RANGE", vec!["slices"], huge),
        ("OUT_OF_RANGE", price(), beyond),
    ]
}

/// P10, P19 and P25: what all alternatives share is refused whole, with every field at fault.
pub async fn p10_p25_splits_at_fault(house: House) {
    let firm = house.firm("alone").await;
    let mut splits = firm.connection.splits();
    for (reason, fields, request) in requests_at_fault().into_iter().chain(slices_at_fault()) {
        faulty(&house, reason, &fields, splits.compute_split(request)).await;
    }
    let unable = house.firm_with("alone", &[Permission::Tickets]).await;
    let mut unables = unable.connection.splits();
    let good = with(|_| ());
    refuses(&house, "PERMISSION_MISSING", unables.compute_split(good)).await;
    house.stop().await;
}
