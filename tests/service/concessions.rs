//! Concessions divided in every way: by every basis, within floors, apart for what recurs.

use entente::proto::google::r#type::Money;
use entente::proto::v1::{
    self, AllocationBasis, ConcessionState, DivisionMethod, DivisionPhase, RecurrencePeriod,
    ShortfallPolicy,
};

use super::calls::{faulty, ok, refuses};
use super::house::{Firm, House};
use super::setting::{NORTH, Pair, SOUTH, cents, euros, portion};

/// A proposal on a quote, by price.
pub fn conceding(quote: &v1::JointQuote, cents: i64) -> v1::ProposeConcessionRequest {
    v1::ProposeConcessionRequest {
        name: quote.name.clone(),
        concession: Some(euros(cents)),
        basis: AllocationBasis::Price.into(),
        ..Default::default()
    }
}

/// Fixed shares of both firms.
pub fn fixed(request: v1::ProposeConcessionRequest, bps: i32) -> v1::ProposeConcessionRequest {
    let share = |(party, share_bps): (&str, i32)| v1::PartyShare {
        party_id: party.to_owned(),
        share_bps,
    };
    v1::ProposeConcessionRequest {
        basis: AllocationBasis::FixedBps.into(),
        weights: [(NORTH, bps), (SOUTH, 10_000 - bps)].map(share).to_vec(),
        ..request
    }
}

/// Proposes, and returns the revision.
pub async fn propose(firm: &Firm, request: v1::ProposeConcessionRequest) -> v1::ConcessionRevision {
    let quote = ok(firm.connection.pricing().propose_concession(request)).await;
    quote.revisions.last().expect("a revision").clone()
}

/// Approves the last revision.
pub async fn approve(firm: &Firm, quote: &v1::JointQuote, hash: &str) -> v1::JointQuote {
    let request = v1::ApproveConcessionRequest {
        name: quote.name.clone(),
        hash: hash.to_owned(),
        ..Default::default()
    };
    ok(firm.connection.pricing().approve_concession(request)).await
}

pub async fn create(firm: &Firm, pair: &Pair, portions: Vec<v1::Portion>) -> v1::JointQuote {
    let mut request = pair.quote_request(&[]);
    request.joint_quote.as_mut().unwrap().portions = portions;
    ok(firm.connection.pricing().create_joint_quote(request)).await
}

pub async fn add(firm: &Firm, quote: &v1::JointQuote, portion: v1::Portion) -> v1::JointQuote {
    let request = v1::AddPortionRequest {
        name: quote.name.clone(),
        portion: Some(portion),
        ..Default::default()
    };
    ok(firm.connection.pricing().add_portion(request)).await
}

pub fn shares(revision: &v1::ConcessionRevision) -> Vec<(&str, i64)> {
    let cadences = revision.cadences.iter();
    cadences
        .flat_map(|cadence| &cadence.shares)
        .map(|share| (share.portion_id.as_str(), cents(share.share.as_ref())))
        .collect()
}

/// On every line and in total: the price before, less the share, is the price after.
pub fn assert_adds_up(revision: &v1::ConcessionRevision) {
    for cadence in &revision.cadences {
        let sum = |amount: fn(&v1::AllocationShare) -> &Option<Money>| -> i64 {
            let shares = cadence.shares.iter();
            shares.map(|share| cents(amount(share).as_ref())).sum()
        };
        for share in &cadence.shares {
            let before = cents(share.price_before.as_ref());
            let after = cents(share.price_after.as_ref());
            assert_eq!(before - cents(share.share.as_ref()), after, "{share:?}");
        }
        let conceded = cents(cadence.concession.as_ref());
        let vendors = cents(cadence.vendor_money.as_ref());
        assert_eq!(sum(|share| &share.share), conceded - vendors);
        let before = cents(cadence.price_before.as_ref());
        assert_eq!(sum(|share| &share.price_before), before);
        assert_eq!(before - conceded, cents(cadence.price_after.as_ref()));
    }
}

/// P02, P08: the order of portions means nothing, and whoever bears nothing has a line too.
pub async fn p02_p08_order_means_nothing_and_zero_lines_stay(house: House) {
    let pair = Pair::active(&house).await;
    let own = [("a", 1), ("b", 1), ("c", 1), ("d", 0)];
    let mut shuffled = own;
    shuffled.reverse();
    let mut outcomes = Vec::new();
    for portions in [own, shuffled] {
        let quote = pair.quote(&portions, &[]).await;
        let revision = propose(&pair.north, conceding(&quote, 1)).await;
        let expected = [("a", 1), ("b", 0), ("c", 0), ("d", 0)];
        assert_eq!(shares(&revision), expected);
        let approved = approve(&pair.south, &quote, &revision.hash).await;
        let approved = &approved.revisions[0];
        assert_eq!(approved.state(), ConcessionState::Approved);
        outcomes.push(approved.cadences.clone());
    }
    assert_eq!(outcomes[0], outcomes[1]);
    house.stop().await;
}

/// P10: one unit on the wire; the exponent is the currency's, and another currency is refused.
pub async fn p10_every_currency_has_its_own_exponent(house: House) {
    let pair = Pair::active(&house).await;
    let mut pricing = pair.north.connection.pricing();
    for (code, units, nanos, finest) in [
        ("JPY", 1_001, 0, 1_000_000_000),
        ("ISK", 1_001, 0, 1_000_000_000),
        ("UGX", 1_001, 0, 1_000_000_000),
        ("HUF", 10, 10_000_000, 10_000_000),
        ("KPW", 10, 10_000_000, 10_000_000),
        ("KWD", 1, 1_000_000, 1_000_000),
        ("CLF", 0, 100_100_000, 100_000),
    ] {
        let price = Money {
            currency_code: code.to_owned(),
            units,
            nanos,
        };
        let mut request = pair.quote_request(&[("a", 1)]);
        let quote = request.joint_quote.as_mut().unwrap();
        code.clone_into(&mut quote.currency);
        quote.portions[0].price = Some(price.clone());
        let quote = ok(pricing.create_joint_quote(request)).await;
        assert_eq!(quote.portions[0].price, Some(price.clone()));
        let half = Money {
            units: 0,
            nanos: finest / 2,
            ..price.clone()
        };
        let whole = v1::ProposeConcessionRequest {
            concession: Some(price.clone()),
            ..conceding(&quote, 0)
        };
        let too_fine = v1::ProposeConcessionRequest {
            concession: Some(half),
            ..whole.clone()
        };
        let field = ["concession"];
        let call = pricing.propose_concession(too_fine);
        faulty(&house, "MONEY_TOO_FINE", &field, call).await;
        let call = pricing.propose_concession(conceding(&quote, 1));
        faulty(&house, "CURRENCY_MISMATCH", &field, call).await;
        let revision = propose(&pair.north, whole).await;
        let split = &revision.cadences[0];
        assert_eq!(split.shares[0].share, Some(price));
        let after = split.price_after.as_ref().unwrap();
        assert_eq!((after.units, after.nanos), (0, 0), "{code}");
    }
    house.stop().await;
}

/// P11: shares that are stated are exactly the total, and the error says by how much they are not.
pub async fn p11_stated_shares_equal_the_total(house: House) {
    let pair = Pair::active(&house).await;
    let quote = pair.quote(&[("a", 1_000)], &[("b", 1_000)]).await;
    let stating = |first: i64, second: i64| v1::ProposeConcessionRequest {
        basis: AllocationBasis::Custom.into(),
        custom_shares: [("b", second), ("a", first)]
            .map(|(id, cents)| v1::CustomShare {
                portion_id: id.to_owned(),
                amount: Some(euros(cents)),
            })
            .to_vec(),
        ..conceding(&quote, 500)
    };
    let mut pricing = pair.north.connection.pricing();
    let call = pricing.propose_concession(stating(300, 199));
    let refused = faulty(&house, "WEIGHTS_INVALID", &["custom_shares"], call).await;
    for (key, value) in [
        ("sum", "4.99 EUR"),
        ("total", "5.00 EUR"),
        ("difference", "-0.01 EUR"),
        ("cadence", "one_time"),
    ] {
        assert_eq!(refused.metadata[key], value);
    }
    let revision = propose(&pair.north, stating(301, 199)).await;
    assert_eq!(shares(&revision), [("a", 301), ("b", 199)]);
    assert_eq!(revision.custom_shares[0].portion_id, "a");
    assert_eq!(
        steps_of(&pair.south, &quote, "a").await,
        [DivisionMethod::Stated]
    );
    house.stop().await;
}

/// How the steps of a portion's line came about.
async fn steps_of(firm: &Firm, quote: &v1::JointQuote, id: &str) -> Vec<DivisionMethod> {
    let lines = explain(firm, quote).await;
    let line = lines.into_iter().find(|line| {
        let share = line.share.as_ref();
        share.is_some_and(|share| share.portion_id == id)
    });
    let steps = line.expect("a line").steps;
    steps.iter().map(v1::DivisionStep::method).collect()
}

pub async fn explain(firm: &Firm, quote: &v1::JointQuote) -> Vec<v1::AllocationLine> {
    let request = v1::ExplainAllocationRequest {
        name: quote.name.clone(),
        revision: 0,
    };
    ok(firm.connection.pricing().explain_allocation(request))
        .await
        .lines
}

/// P14, P22: what is left is the price less the share; less than nothing conceded is a surcharge.
pub async fn p14_p22_a_surcharge_mirrors_a_concession(house: House) {
    let pair = Pair::active(&house).await;
    let quote = pair
        .quote(&[("a", 10_001), ("b", 333)], &[("c", 9_990)])
        .await;
    for basis in [None, Some(6_667)] {
        let mut both = Vec::new();
        for cents in [1_999, -1_999] {
            let request = conceding(&quote, cents);
            let request = basis.map_or(request.clone(), |bps| fixed(request, bps));
            let revision = propose(&pair.north, request).await;
            assert_adds_up(&revision);
            both.push(revision);
        }
        for (down, up) in shares(&both[0]).iter().zip(shares(&both[1])) {
            assert_eq!((down.0, down.1), (up.0, -up.1));
        }
        let after = both[1].total_price_after.as_ref();
        assert_eq!(cents(after), 20_324 + 1_999, "the client pays more");
    }
    let too_much = conceding(&quote, -20_325);
    let mut pricing = pair.north.connection.pricing();
    let call = pricing.propose_concession(too_much);
    refuses(&house, "CONCESSION_TOO_LARGE", call).await;
    house.stop().await;
}

/// P15: from one line to two hundred, the lines are the concession.
pub async fn p15_lines_add_up_to_200(house: House) {
    let pair = Pair::active(&house).await;
    for count in [1_usize, 2, 3, 7, 64, 199, 200] {
        let portion = |index: usize| {
            let price = i64::try_from(index * 37 % 501 + 500).unwrap();
            portion(&format!("p{index}"), price)
        };
        let quote = create(&pair.north, &pair, (0..count).map(portion).collect()).await;
        let total = cents(quote.total_price.as_ref());
        for cents in [1, total / 3 + 1, total] {
            let revision = propose(&pair.north, conceding(&quote, cents)).await;
            assert_eq!(shares(&revision).len(), count);
            assert_adds_up(&revision);
        }
    }
    house.stop().await;
}

/// P16: all the room there is lands on the floor exactly, and beyond it a policy decides.
pub async fn p16_floors_and_what_they_leave_over(house: House) {
    let pair = Pair::active(&house).await;
    let floored = v1::Portion {
        floor_price: Some(euros(9_000)),
        ..portion("a", 10_000)
    };
    let quote = create(&pair.north, &pair, vec![floored]).await;
    let quote = add(&pair.south, &quote, portion("b", 10_000)).await;
    let revision = propose(&pair.south, conceding(&quote, 11_000)).await;
    assert_eq!(shares(&revision), [("a", 1_000), ("b", 10_000)]);
    let split = &revision.cadences[0];
    assert!(split.shares.iter().all(|share| share.at_floor));
    assert!(!revision.below_floor && cents(split.shortfall.as_ref()) == 0);
    assert_adds_up(&revision);
    let methods = steps_of(&pair.north, &quote, "a").await;
    assert_eq!(methods, [DivisionMethod::Most]);

    let mut pricing = pair.south.connection.pricing();
    let more = conceding(&quote, 11_500);
    let call = pricing.propose_concession(more.clone());
    let refused = refuses(&house, "CONCESSION_SHORTFALL", call).await;
    assert_eq!(refused.metadata["shortfall"], "5.00 EUR");
    let absorbed = v1::ProposeConcessionRequest {
        shortfall_policy: ShortfallPolicy::PrimeAbsorbs.into(),
        ..more.clone()
    };
    let revision = propose(&pair.south, absorbed).await;
    assert_eq!(revision.absorbing_party_id, NORTH);
    assert_eq!(shares(&revision), [("a", 1_500), ("b", 10_000)]);
    assert!(revision.below_floor);
    let lines = explain(&pair.north, &quote).await;
    let last = lines[0].steps.last().unwrap();
    assert_eq!(last.phase(), DivisionPhase::Absorbed);
    let consented = v1::ProposeConcessionRequest {
        shortfall_policy: ShortfallPolicy::BelowFloorWithConsent.into(),
        ..more
    };
    let revision = propose(&pair.south, consented).await;
    assert_eq!(revision.state(), ConcessionState::Proposed);
    let approved = approve(&pair.north, &quote, &revision.hash).await;
    let approved = approved.revisions.last().unwrap();
    assert_eq!(approved.state(), ConcessionState::Approved);
    house.stop().await;
}

/// P17: an edit without effect on money divides nothing anew, and what was approved is frozen.
pub async fn p17_edits_without_money_divide_nothing_anew(house: House) {
    let pair = Pair::active(&house).await;
    let quote = pair.quote(&[("a", 333), ("b", 333)], &[("c", 334)]).await;
    let revision = propose(&pair.north, conceding(&quote, 100)).await;
    let approved = approve(&pair.south, &quote, &revision.hash).await;
    let update = |display_name: &str, paths: &[&str]| v1::UpdateJointQuoteRequest {
        joint_quote: Some(v1::JointQuote {
            name: quote.name.clone(),
            display_name: display_name.to_owned(),
            ..Default::default()
        }),
        update_mask: Some(prost_types::FieldMask {
            paths: paths.iter().map(|path| (*path).to_owned()).collect(),
        }),
        ..Default::default()
    };
    let mut souths = pair.south.connection.pricing();
    let renamed = ok(souths.update_joint_quote(update("Renamed", &["display_name"]))).await;
    assert_eq!(renamed.display_name, "Renamed");
    assert_ne!(renamed.etag, approved.etag);
    assert_eq!(renamed.revisions, approved.revisions, "bit for bit");
    let mut later = update("Renamed", &["expire_time"]);
    let joint_quote = later.joint_quote.as_mut().unwrap();
    joint_quote.expire_time = Some(super::house::at(40 * 24 * super::house::HOUR));
    refuses(
        &house,
        "INVALID_STATE",
        souths.update_joint_quote(later.clone()),
    )
    .await;
    let mut stale = update("Again", &[]);
    stale.joint_quote.as_mut().unwrap().etag = approved.etag.clone();
    refuses(&house, "ETAG_MISMATCH", souths.update_joint_quote(stale)).await;
    let unknown = souths.update_joint_quote(update("x", &["portions"]));
    faulty(&house, "INVALID_FIELD", &["update_mask.paths[0]"], unknown).await;
    let fresh = pair.quote(&[("a", 333)], &[]).await;
    later.joint_quote.as_mut().unwrap().name = fresh.name;
    ok(souths.update_joint_quote(later)).await;
    house.stop().await;
}

/// P23: tax never enters: prices and shares are before it, and nothing in the contract of quotes is
/// named after it.
pub async fn p23_tax_never_enters(house: House) {
    let pair = Pair::active(&house).await;
    let taxed = |id: &str, words: &str| v1::Portion {
        description: words.to_owned(),
        ..portion(id, 10_000)
    };
    let own = vec![
        taxed("a", "taxed at 19 %"),
        taxed("b", "taxed at 7 %"),
        taxed("c", "not taxed"),
    ];
    let quote = create(&pair.north, &pair, own).await;
    let revision = propose(&pair.north, conceding(&quote, 300)).await;
    assert_eq!(shares(&revision), [("a", 100), ("b", 100), ("c", 100)]);
    let pool = prost_reflect::DescriptorPool::decode(entente::proto::DESCRIPTOR).unwrap();
    for message in [
        "Portion",
        "JointQuote",
        "ConcessionRevision",
        "CadenceSplit",
    ] {
        let message = pool
            .get_message_by_name(&format!("entente.v1.{message}"))
            .unwrap();
        for field in message.fields() {
            let name = field.name().to_owned();
            let words: Vec<_> = name.split('_').collect();
            assert!(!words.contains(&"tax") && !words.contains(&"vat"), "{name}");
        }
    }
    house.stop().await;
}

/// P25: the largest amounts there are come back whole, or are refused.
pub async fn p25_the_largest_amounts_are_refused_not_wrapped(house: House) {
    let pair = Pair::active(&house).await;
    let most = Money {
        currency_code: "EUR".to_owned(),
        units: i64::MAX / 100,
        nanos: 70_000_000,
    };
    let huge = |id: &str| v1::Portion {
        price: Some(most.clone()),
        ..portion(id, 0)
    };
    let mut pricing = pair.north.connection.pricing();
    let mut both = pair.quote_request(&[]);
    both.joint_quote.as_mut().unwrap().portions = vec![huge("a"), huge("b")];
    refuses(&house, "OUT_OF_RANGE", pricing.create_joint_quote(both)).await;
    let mut recurring = pair.quote_request(&[]);
    recurring.joint_quote.as_mut().unwrap().portions = vec![v1::Portion {
        recurrence: monthly(2),
        ..huge("a")
    }];
    let call = pricing.create_joint_quote(recurring);
    refuses(&house, "OUT_OF_RANGE", call).await;
    let mut several = pair.quote_request(&[]);
    several.joint_quote.as_mut().unwrap().portions = vec![v1::Portion {
        price: None,
        unit_price: Some(most.clone()),
        quantity: 2,
        ..portion("a", 0)
    }];
    let field = ["joint_quote.portions[0].unit_price"];
    let call = pricing.create_joint_quote(several);
    faulty(&house, "OUT_OF_RANGE", &field, call).await;
    let quote = create(&pair.north, &pair, vec![huge("a")]).await;
    let all = v1::ProposeConcessionRequest {
        concession: Some(most.clone()),
        ..conceding(&quote, 0)
    };
    let revision = propose(&pair.north, all).await;
    assert_eq!(revision.cadences[0].shares[0].share, Some(most.clone()));
    let surcharge = v1::ProposeConcessionRequest {
        concession: Some(Money {
            units: -1,
            nanos: 0,
            ..most
        }),
        ..conceding(&quote, 0)
    };
    let call = pricing.propose_concession(surcharge);
    refuses(&house, "OUT_OF_RANGE", call).await;
    house.stop().await;
}

/// Due in every month.
pub fn monthly(periods: i32) -> Option<v1::Recurrence> {
    Some(v1::Recurrence {
        period: RecurrencePeriod::Month.into(),
        periods,
    })
}
