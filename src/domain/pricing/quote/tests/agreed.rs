//! Clauses that concessions keep, and concessions agreed to beforehand.

use super::bench::{Bench, ONE, TWO, bps, euro, portion, refusal_of};
use super::{assert_genuine, shares};
use crate::domain::identity::PartyId;
use crate::domain::outsiders::{OutsideParty, OutsidePartyType};
use crate::domain::partnership::clauses::{PartyLimit, PricingClauses};
use crate::domain::partnership::standing::{
    ConcessionConsent, ConsentSubject, ConsentedBasis, StandingConsent,
};
use crate::domain::pricing::quote::funding::{VendorMoney, VendorMoneySource};
use crate::domain::pricing::quote::portion::PassThrough;
use crate::domain::pricing::quote::{Basis, NewPortion, RevisionState};
use crate::domain::record::{Kind, Record};
use crate::domain::refusal::{Reason, Refusal};
use crate::domain::time::{Span, Timestamp};

fn limit(party: &str, least_bps: Option<u32>, most_bps: Option<u32>) -> PartyLimit {
    PartyLimit {
        party: PartyId::from_text(party),
        least_bps,
        most_bps,
    }
}

/// A consent to concessions of which a party bears little.
pub fn consent(party: &str, largest_bps: u32, bases: &[ConsentedBasis]) -> StandingConsent {
    StandingConsent {
        id: "small-discounts".to_owned(),
        subject: ConsentSubject::Concession,
        party: PartyId::from_text(party),
        shortest_notice: Span::ZERO,
        largest_cost_per_hour: None,
        allows_on_site: false,
        until: Timestamp::LATEST,
        concession: Some(ConcessionConsent {
            largest_bps,
            bases: bases.to_vec(),
        }),
    }
}

/// 100.00 EUR of each party, under these terms.
fn under(clauses: PricingClauses, consents: Vec<StandingConsent>) -> Bench {
    let mut bench = Bench::active();
    bench.agree(&[], clauses, consents);
    bench.create(ONE, &[("a", 10_000)]);
    bench.add(TWO, portion("b", 10_000)).unwrap();
    bench
}

fn fields(refusal: &Refusal) -> Vec<&str> {
    let violations = refusal.violations.iter();
    violations.map(|it| it.field.as_str()).collect()
}

fn last_state(bench: &Bench) -> RevisionState {
    bench.quote().revisions.last().unwrap().state
}

#[test]
fn every_clause_that_is_broken_is_named() {
    let clauses = PricingClauses {
        party_limits: vec![limit(ONE, None, Some(6_000)), limit(TWO, Some(4_000), None)],
        most_favoured_bps: Some(500),
        ..PricingClauses::default()
    };
    let mut bench = under(clauses, Vec::new());
    let refusal = refusal_of(bench.propose(ONE, 1_000, bps(&[(ONE, 7_000), (TWO, 3_000)])));
    assert_eq!(refusal.reason, Reason::ClauseViolated);
    let expected = [
        "terms.pricing_clauses.party_limits[party-1].most_bps",
        "terms.pricing_clauses.most_favoured_bps",
        "terms.pricing_clauses.party_limits[party-2].least_bps",
    ];
    assert_eq!(fields(&refusal), expected);
    let names = ("clauses", "party_limits,most_favoured_bps".to_owned());
    assert_eq!(refusal.metadata, [names]);
    // Exactly as much is fine, and rounding breaks nothing.
    bench
        .propose(ONE, 833, bps(&[(ONE, 6_000), (TWO, 4_000)]))
        .unwrap();
    bench
        .propose(ONE, 999, bps(&[(ONE, 5_000), (TWO, 5_000)]))
        .unwrap();
    let split = &bench.quote().revisions[1].split;
    assert_eq!(split.proposal.terms_revision, Some(1));
    // A surcharge burdens nobody.
    bench
        .propose(ONE, -1_000, bps(&[(ONE, 7_000), (TWO, 3_000)]))
        .unwrap();
    assert_genuine(&bench);
}

#[test]
fn markups_stay_within_their_caps_after_a_concession() {
    let clauses = PricingClauses {
        markup_cap_bps: Some(1_000),
        ..PricingClauses::default()
    };
    let mut bench = under(clauses, Vec::new());
    let base = NewPortion {
        pass_through: Some(PassThrough::MarkedUp {
            markup_cap_bps: 2_000,
        }),
        ..portion("c", 10_000)
    };
    bench.add(ONE, base).unwrap();
    let markup = NewPortion {
        markup_on: Some("c".to_owned()),
        ..portion("d", 1_000)
    };
    bench.add(TWO, markup).unwrap();
    for concession in [1, 333, 7_777, 15_001] {
        bench.propose(ONE, concession, Basis::Price).unwrap();
    }
    // All on the base: its price falls, and the markup stays.
    let refusal = refusal_of(bench.propose(ONE, 1_000, bps(&[(ONE, 10_000)])));
    assert_eq!(refusal.reason, Reason::ClauseViolated);
    assert_eq!(fields(&refusal), ["terms.pricing_clauses.markup_cap_bps"]);
}

#[test]
fn vendors_money_comes_first_where_the_terms_say_so() {
    let clauses = PricingClauses {
        vendor_money_first: true,
        ..PricingClauses::default()
    };
    let mut bench = Bench::active();
    bench.agree(&[], clauses, Vec::new());
    let vendor = OutsideParty {
        display_name: "Vendor".to_owned(),
        party_type: OutsidePartyType::Vendor,
    };
    bench.put(
        Kind::OutsideParty,
        "vendor",
        Record::OutsideParty(Box::new(vendor)),
    );
    bench.vendor_funds = vec![VendorMoney {
        source: VendorMoneySource::Rebate,
        vendor: "vendor".to_owned(),
        amount: euro(300),
    }];
    bench.create(ONE, &[("a", 10_000)]);
    let refusal = refusal_of(bench.propose(ONE, 1_000, Basis::Price));
    let names = ("clauses", "vendor_money_first".to_owned());
    assert_eq!(refusal.metadata, [names]);
    let mut asked = super::bench::conceding(euro(1_000), Basis::Price);
    asked.vendor_money = bench.vendor_funds.clone();
    bench.propose_all(ONE, asked.clone()).unwrap();
    let split = &bench.quote().revisions[0].split;
    assert_eq!(shares(split), [("a", 700)]);
    // Of a small concession, all that it takes.
    asked.concession = Some(euro(200));
    asked.vendor_money[0].amount = euro(200);
    bench.propose_all(ONE, asked).unwrap();
    assert_genuine(&bench);
}

#[test]
fn a_small_concession_is_approved_beforehand() {
    let consents = vec![consent(TWO, 500, &[ConsentedBasis::Price])];
    let clauses = PricingClauses {
        unrenewed_concession_bps: Some(400),
        ..PricingClauses::default()
    };
    let mut bench = under(clauses, consents);
    bench.propose(ONE, 800, Basis::Price).unwrap();
    let revision = &bench.quote().revisions[0];
    assert_eq!(revision.state, RevisionState::Approved);
    let given = &revision.agreed_beforehand[0];
    assert_eq!(
        (given.party.as_str(), given.consent.id.as_str()),
        (TWO, "small-discounts")
    );
    assert_eq!(given.consent.terms_revision, 1);
    let approval = &revision.approvals[1];
    assert_eq!(
        (approval.party.as_str(), approval.actor.as_str()),
        (TWO, "")
    );
    for (concession, basis, why) in [
        (801, Basis::Price, "larger than may go unasked"),
        (700, bps(&[(ONE, 5_000), (TWO, 5_000)]), "another measure"),
        (-1, Basis::Price, "a surcharge"),
    ] {
        bench.propose(ONE, concession, basis).unwrap();
        assert_eq!(last_state(&bench), RevisionState::Proposed, "{why}");
    }
    bench.propose(TWO, 700, Basis::Price).unwrap();
    assert_eq!(
        last_state(&bench),
        RevisionState::Proposed,
        "the other agreed to nothing"
    );
    bench.propose(ONE, 100, Basis::Price).unwrap();
    let states: Vec<_> = bench.quote().revisions.iter().map(|it| it.state).collect();
    assert_eq!(states.last(), Some(&RevisionState::Approved));
    let approved = states
        .iter()
        .filter(|state| **state == RevisionState::Approved);
    assert_eq!(approved.count(), 1, "it takes the place of the first");
}

#[test]
fn nobody_agrees_beforehand_to_more_or_below_a_floor() {
    let mut bench = under(PricingClauses::default(), vec![consent(TWO, 500, &[])]);
    bench.propose(ONE, 1_002, Basis::Price).unwrap();
    assert_eq!(last_state(&bench), RevisionState::Proposed, "more than 5 %");
    bench
        .propose(ONE, 1_000, bps(&[(ONE, 5_000), (TWO, 5_000)]))
        .unwrap();
    assert_eq!(
        last_state(&bench),
        RevisionState::Approved,
        "by any measure"
    );

    let mut bench = under(PricingClauses::default(), vec![consent(TWO, 10_000, &[])]);
    let floored = NewPortion {
        floor_price: Some(euro(9_900)),
        ..portion("c", 10_000)
    };
    bench.add(TWO, floored).unwrap();
    let mut asked = super::bench::conceding(euro(21_000), Basis::Price);
    asked.shortfall_policy =
        crate::domain::pricing::quote::proposal::ShortfallChoice::BelowFloorWithConsent;
    bench.propose_all(ONE, asked).unwrap();
    assert!(bench.quote().revisions[0].split.undercuts_a_floor());
    assert_eq!(last_state(&bench), RevisionState::Proposed);
    bench.approve(TWO).unwrap();
    assert_eq!(last_state(&bench), RevisionState::Approved, "asked, it may");
}
