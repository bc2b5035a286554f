//! One firm alone records what both sell, until the other joins and answers.

use super::bench::{Bench, ONE, TWO, bps, commitment, portion, refusal_of};
use super::{assert_genuine, shares};
use crate::domain::identity::PartyId;
use crate::domain::pricing::quote::{Basis, NewPortion, RevisionState};
use crate::domain::refusal::{Reason, Refusal};

/// A portion that is said to be of `party`.
fn owned(party: &str, id: &str, price: i64) -> NewPortion {
    NewPortion {
        owner: Some(PartyId::from_text(party)),
        ..portion(id, price)
    }
}

/// A concession of 99.99 EUR that one firm alone divides over both parties.
fn asserted() -> Bench {
    let mut bench = Bench::solo();
    let both = [owned(TWO, "wiring", 20_000), portion("cloud", 80_000)];
    bench.create_with(ONE, &both).unwrap();
    bench
        .propose(ONE, 9_999, bps(&[(ONE, 7_500), (TWO, 2_500)]))
        .unwrap();
    bench
}

fn state(bench: &Bench) -> RevisionState {
    bench.quote().revisions[0].state
}

fn fields(refusal: &Refusal) -> Vec<&str> {
    refusal
        .violations
        .iter()
        .map(|violation| violation.field.as_str())
        .collect()
}

#[test]
fn one_firm_alone_divides_over_both_parties() {
    let bench = asserted();
    let quote = bench.quote();
    let owners: Vec<_> = quote
        .portions
        .iter()
        .map(|portion| (portion.id.as_str(), portion.owner.as_str()))
        .collect();
    assert_eq!(owners, [("cloud", ONE), ("wiring", TWO)]);
    assert_eq!(state(&bench), RevisionState::Asserted);
    let split = &quote.revisions[0].split;
    assert_eq!(shares(split), [("cloud", 7_499), ("wiring", 2_500)]);
    assert!(quote.in_force().is_none(), "it counts for nobody yet");
    assert_genuine(&bench);
}

#[test]
fn the_firm_that_joins_approves_or_rejects_what_was_asserted() {
    let mut approved = asserted();
    approved.join();
    assert!(
        approved.approve(ONE).unwrap().events.is_empty(),
        "its proposer cannot answer for both"
    );
    approved.approve(TWO).unwrap();
    assert_eq!(state(&approved), RevisionState::Approved);
    assert_eq!(approved.quote().in_force().unwrap().approvals.len(), 2);

    let mut rejected = asserted();
    rejected.join();
    let hash = rejected.quote().last_hash().to_owned();
    assert_eq!(
        refusal_of(rejected.reject(ONE, &hash)).reason,
        Reason::NotYourOffer
    );
    rejected.reject(TWO, &hash).unwrap();
    assert_eq!(state(&rejected), RevisionState::Rejected);
    assert!(rejected.quote().in_force().is_none());
}

#[test]
fn the_firm_that_joins_may_rather_complete_the_quote() {
    let mut bench = asserted();
    bench.join();
    bench.add(TWO, portion("roof", 5_000)).unwrap();
    assert_eq!(state(&bench), RevisionState::Superseded);
    bench.propose(TWO, 9_999, Basis::Price).unwrap();
    bench.approve(ONE).unwrap();
    assert_eq!(bench.quote().in_force().unwrap().split.portion_count(), 3);
}

#[test]
fn placeholders_may_be_named_but_firms_speak_for_themselves() {
    let mut bench = Bench::solo();
    let unknown = [portion("a", 1), owned("party-9", "b", 1)];
    let refusal = refusal_of(bench.create_with(ONE, &unknown));
    assert_eq!(refusal.reason, Reason::InvalidField);
    assert_eq!(fields(&refusal), ["joint_quote.portions[1].party_id"]);
    let costs = |mut portion: NewPortion| {
        portion.internal_cost = Some(commitment("cost"));
        portion
    };
    let refusal = refusal_of(bench.create_with(ONE, &[costs(owned(TWO, "b", 1))]));
    assert_eq!(fields(&refusal), ["joint_quote.portions[0].internal_cost"]);
    let both = [costs(owned(ONE, "a", 1)), owned(TWO, "b", 1)];
    bench.create_with(ONE, &both).unwrap();
    bench.add(ONE, owned(TWO, "c", 1)).unwrap();

    bench.join();
    bench.add(TWO, owned(TWO, "d", 1)).unwrap();
    for (caller, other) in [(ONE, TWO), (TWO, ONE)] {
        let refusal = refusal_of(bench.add(caller, owned(other, "e", 1)));
        assert_eq!(refusal.reason, Reason::InvalidField);
        assert_eq!(fields(&refusal), ["portion.party_id"]);
    }
    let mut other = Bench::active();
    let refusal = refusal_of(other.create_with(ONE, &[owned(TWO, "a", -1)]));
    assert_eq!(
        fields(&refusal),
        [
            "joint_quote.portions[0].party_id",
            "joint_quote.portions[0].price"
        ],
        "every fault is listed"
    );
}
