//! What the terms say of concessions: clauses, consents given beforehand, vendors' money, fractions.

use entente::proto::v1::{self, AllocationBasis, ConcessionState, StandingConsentKind};

use super::calls::{faulty, ok, refuses};
use super::concessions::{approve, conceding, fixed, propose};
use super::house::{HOUR, House, at};
use super::setting::{NORTH, Pair, SOUTH, cents, euros};

fn clauses() -> v1::PricingClauses {
    v1::PricingClauses {
        party_limits: vec![v1::PartyLimit {
            party_id: NORTH.to_owned(),
            least_bps: None,
            most_bps: Some(6_000),
        }],
        most_favoured_bps: Some(1_000),
        unrenewed_concession_bps: Some(400),
        ..Default::default()
    }
}

fn consent() -> v1::StandingConsent {
    v1::StandingConsent {
        consent_id: "small-discounts".to_owned(),
        kind: StandingConsentKind::Concession.into(),
        party_id: SOUTH.to_owned(),
        until_time: Some(at(300 * 24 * HOUR)),
        largest_concession_bps: Some(500),
        bases: vec![AllocationBasis::Price.into()],
        ..Default::default()
    }
}

fn terms(clauses: v1::PricingClauses, consents: Vec<v1::StandingConsent>) -> v1::Terms {
    v1::Terms {
        pricing_clauses: Some(clauses),
        standing_consents: consents,
        ..Default::default()
    }
}

/// Every clause that a proposal breaks is named, and terms show and compare their clauses.
pub async fn every_broken_clause_is_named(house: House) {
    let pair = Pair::active(&house).await;
    pair.terms(terms(clauses(), Vec::new())).await;
    let quote = pair.quote(&[("a", 10_000)], &[("b", 10_000)]).await;
    let mut norths = pair.north.connection.pricing();
    let request = fixed(conceding(&quote, 2_000), 7_000);
    let expected = [
        "terms.pricing_clauses.party_limits[party-1].most_bps",
        "terms.pricing_clauses.most_favoured_bps",
    ];
    let call = norths.propose_concession(request);
    let refused = faulty(&house, "CLAUSE_VIOLATED", &expected, call).await;
    assert_eq!(
        refused.metadata["clauses"],
        "party_limits,most_favoured_bps"
    );
    // Or it is divided within them, and says which one bounds whom.
    let request = v1::ProposeConcessionRequest {
        keep_limits: true,
        ..fixed(conceding(&quote, 1_500), 7_000)
    };
    let revision = propose(&pair.north, request).await;
    assert!(revision.limits_kept);
    let request = v1::ExplainAllocationRequest {
        name: quote.name.clone(),
        revision: 0,
    };
    let found = ok(norths.explain_allocation(request)).await;
    let first = |line: &v1::AllocationLine| {
        let share = line.share.as_ref().and_then(|share| share.share.as_ref());
        (cents(share), line.steps[0].party_limit())
    };
    let lines: Vec<_> = found.lines.iter().map(first).collect();
    let expected = [
        (900, v1::PartyLimitKind::PartyLimits),
        (600, v1::PartyLimitKind::Unspecified),
    ];
    assert_eq!(lines, expected);
    let revision = propose(&pair.north, fixed(conceding(&quote, 1_000), 6_000)).await;
    assert!(!revision.limits_kept);
    assert_eq!(revision.terms_revision, 1);
    pair.terms(terms(v1::PricingClauses::default(), vec![consent()]))
        .await;
    let shown = pair.shown_to(&pair.north).await.terms.unwrap();
    assert_eq!(shown.pricing_clauses, None);
    assert_eq!(shown.standing_consents, [consent()]);
    let request = v1::GetTermsDifferenceRequest {
        name: pair.name.clone(),
        from_revision: 1,
        to_revision: 2,
    };
    let mut partnerships = pair.south.connection.partnerships();
    let difference = ok(partnerships.get_terms_difference(request)).await;
    let changed = |path: &str, from: &str, to: &str| {
        let mut changes = difference.changes.iter();
        changes.any(|it| it.path == path && it.from == from && it.to == to)
    };
    assert!(changed(
        "pricing_clauses.party_limits[party-1].most_bps",
        "6000",
        ""
    ));
    assert!(changed(
        "standing_consents[small-discounts].largest_concession_bps",
        "",
        "500"
    ));
    at_fault(&house, &pair).await;
    house.stop().await;
}

async fn at_fault(house: &House, pair: &Pair) {
    let wrong = v1::PricingClauses {
        markup_cap_bps: Some(-1),
        most_favoured_bps: Some(10_001),
        party_limits: vec![
            v1::PartyLimit {
                party_id: "party-9".to_owned(),
                least_bps: Some(6_000),
                most_bps: Some(5_000),
            },
            v1::PartyLimit {
                party_id: NORTH.to_owned(),
                least_bps: Some(5_000),
                most_bps: None,
            },
        ],
        ..Default::default()
    };
    let unbound = v1::StandingConsent {
        largest_concession_bps: None,
        ..consent()
    };
    let request = v1::ProposeTermsRequest {
        name: pair.name.clone(),
        terms: Some(terms(wrong, vec![unbound])),
        ..Default::default()
    };
    let mut partnerships = pair.south.connection.partnerships();
    let refused = refuses(house, "INVALID_FIELD", partnerships.propose_terms(request)).await;
    assert!(!refused.fields.is_empty(), "{refused:?}");
}

/// A small concession is in force at once, and says by which consent; a large one is not.
pub async fn small_concessions_are_approved_beforehand(house: House) {
    let pair = Pair::active(&house).await;
    pair.terms(terms(clauses(), vec![consent()])).await;
    let quote = pair.quote(&[("a", 10_000)], &[("b", 10_000)]).await;
    let revision = propose(&pair.north, conceding(&quote, 800)).await;
    assert_eq!(revision.state(), ConcessionState::Approved);
    let cited = &revision.approved_by_standing_consents[0];
    assert_eq!(
        (
            cited.consent_id.as_str(),
            cited.terms_revision,
            cited.party_id.as_str()
        ),
        ("small-discounts", 1, SOUTH)
    );
    let approval = &revision.approvals[1];
    assert_eq!(
        (approval.firm.as_str(), approval.api_key.as_str()),
        ("firms/south", "")
    );
    let larger = propose(&pair.north, conceding(&quote, 801)).await;
    assert_eq!(larger.state(), ConcessionState::Proposed);
    let theirs = propose(&pair.south, conceding(&quote, 100)).await;
    assert_eq!(theirs.state(), ConcessionState::Proposed);
    house.pass(300 * 24 * HOUR);
    house.stop().await;
}

/// A vendor that both know.
async fn vendor(pair: &Pair) -> v1::OutsideParty {
    let request = v1::CreateOutsidePartyRequest {
        parent: pair.name.clone(),
        outside_party_id: "vendor".to_owned(),
        outside_party: Some(v1::OutsideParty {
            display_name: "Vendor".to_owned(),
            kind: v1::OutsidePartyKind::Vendor.into(),
            ..Default::default()
        }),
        ..Default::default()
    };
    let mut norths = pair.north.connection.partnerships();
    ok(norths.create_outside_party(request)).await
}

/// A vendor pays first, on top of what the portions bear, and the round's times are told.
pub async fn vendors_money_comes_first(house: House) {
    let pair = Pair::active(&house).await;
    let with_funds = v1::PricingClauses {
        vendor_money_first: true,
        ..Default::default()
    };
    pair.terms(terms(with_funds, Vec::new())).await;
    let vendor = vendor(&pair).await;
    let money = |cents: i64| v1::VendorMoney {
        source: v1::VendorMoneySource::Mdf.into(),
        outside_party: vendor.name.clone(),
        amount: Some(euros(cents)),
    };
    let mut request = pair.quote_request(&[("a", 10_000)]);
    request.joint_quote.as_mut().unwrap().vendor_funds = vec![money(400)];
    let mut norths = pair.north.connection.pricing();
    let quote = ok(norths.create_joint_quote(request)).await;
    assert_eq!(quote.vendor_funds, [money(400)]);
    let plain = conceding(&quote, 1_000);
    let field = ["terms.pricing_clauses.vendor_money_first"];
    let call = norths.propose_concession(plain.clone());
    faulty(&house, "CLAUSE_VIOLATED", &field, call).await;
    house.pass(2 * HOUR);
    let round = v1::NegotiationRound {
        client_ask_time: Some(at(HOUR / 2)),
        partner_tell_time: Some(at(HOUR)),
    };
    let funded = v1::ProposeConcessionRequest {
        vendor_money: vec![money(400)],
        negotiation_round: Some(round),
        ..plain
    };
    let revision = propose(&pair.north, funded.clone()).await;
    let split = &revision.cadences[0];
    assert_eq!(cents(split.concession.as_ref()), 1_000);
    assert_eq!(cents(split.vendor_money.as_ref()), 400);
    assert_eq!(cents(split.shares[0].share.as_ref()), 600);
    assert_eq!(cents(split.price_after.as_ref()), 9_000);
    assert_eq!(
        (revision.vendor_money, revision.negotiation_round),
        (vec![money(400)], Some(round))
    );
    let backwards = v1::ProposeConcessionRequest {
        negotiation_round: Some(v1::NegotiationRound {
            client_ask_time: round.partner_tell_time,
            partner_tell_time: round.client_ask_time,
        }),
        ..funded.clone()
    };
    let call = norths.propose_concession(backwards);
    refuses(&house, "TIMES_OUT_OF_ORDER", call).await;
    let mut elsewhere = money(1);
    "partnerships/other/outsideParties/vendor".clone_into(&mut elsewhere.outside_party);
    let wrong = v1::ProposeConcessionRequest {
        vendor_money: vec![elsewhere],
        ..funded
    };
    let field = ["vendor_money[0].outside_party"];
    let call = norths.propose_concession(wrong);
    faulty(&house, "INVALID_FIELD", &field, call).await;
    house.stop().await;
}

/// P07: three cents by three quarters and a quarter, over and over: nobody gains.
pub async fn p07_fractions_are_carried(house: House) {
    let pair = Pair::active(&house).await;
    let carrying = v1::PricingClauses {
        carry_fractions: true,
        ..Default::default()
    };
    pair.terms(terms(carrying, Vec::new())).await;
    let mut borne = [0, 0];
    for _ in 0..8 {
        let quote = pair.quote(&[("a", 1_000)], &[("b", 1_000)]).await;
        let revision = propose(&pair.north, fixed(conceding(&quote, 3), 7_500)).await;
        let split = &revision.cadences[0];
        for (sum, share) in borne.iter_mut().zip(&split.shares) {
            *sum += cents(share.share.as_ref());
        }
        let fractions = &split.carried_fractions;
        let owed: i64 = fractions.iter().map(|it| it.after_billionths).sum();
        assert_eq!(owed, 0, "what one is owed the other owes");
        approve(&pair.south, &quote, &revision.hash).await;
    }
    assert_eq!(borne, [18, 6], "24 cents by three quarters and a quarter");
    stale(&house, &pair).await;
    house.stop().await;
}

/// Two proposals on the same fractions: the second one is out of date once the first is approved.
async fn stale(house: &House, pair: &Pair) {
    let first = pair.quote(&[("a", 1_000)], &[("b", 1_000)]).await;
    let second = pair.quote(&[("a", 1_000)], &[("b", 1_000)]).await;
    let one = propose(&pair.north, fixed(conceding(&first, 3), 7_500)).await;
    let other = propose(&pair.north, fixed(conceding(&second, 3), 7_500)).await;
    approve(&pair.south, &first, &one.hash).await;
    let late = v1::ApproveConcessionRequest {
        name: second.name.clone(),
        hash: other.hash,
        ..Default::default()
    };
    let mut souths = pair.south.connection.pricing();
    refuses(house, "STALE_FRACTIONS", souths.approve_concession(late)).await;
    let anew = propose(&pair.north, fixed(conceding(&second, 3), 7_500)).await;
    approve(&pair.south, &second, &anew.hash).await;
}
