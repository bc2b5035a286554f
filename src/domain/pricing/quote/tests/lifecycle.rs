//! How quotes and revisions come about, are answered, and run out.

use super::bench::{Bench, ONE, QUOTE_VALIDITY, TWO, bps, euro, portion, refusal_of};
use crate::domain::aggregate::Aggregate;
use crate::domain::identity::{ExternalReference, FirmId, PartyId};
use crate::domain::outsiders::Client;
use crate::domain::partnership::PartnershipState;
use crate::domain::partnership::terms::OFFER_VALIDITY_DEFAULT;
use crate::domain::pricing::quote::{Basis, NewPortion, QuoteCommand, QuoteState, RevisionState};
use crate::domain::record::{Kind, Record};
use crate::domain::refusal::Reason;
use crate::domain::time::Timestamp;

/// A quote over 20.00 EUR, half of it each party's.
fn quoted() -> Bench {
    let mut bench = Bench::active();
    bench.create(ONE, &[("a", 1_000)]);
    bench.add(TWO, portion("b", 1_000)).unwrap();
    bench
}

fn states(bench: &Bench) -> Vec<RevisionState> {
    bench
        .quote()
        .revisions
        .iter()
        .map(|revision| revision.state)
        .collect()
}

fn hash(bench: &Bench, number: u32) -> String {
    bench.quote().revision(number).unwrap().split.hash.clone()
}

#[test]
fn a_concession_counts_when_everyone_approved() {
    let mut bench = quoted();
    bench.propose(ONE, 100, Basis::Price).unwrap();
    assert_eq!(states(&bench), [RevisionState::Proposed]);
    assert!(
        bench.approve(ONE).unwrap().events.is_empty(),
        "proposing is approving"
    );
    bench.approve(TWO).unwrap();
    assert_eq!(states(&bench), [RevisionState::Approved]);
    assert!(
        bench.approve(TWO).unwrap().events.is_empty(),
        "approving again changes nothing"
    );
    let in_force = bench.quote().in_force().unwrap();
    assert_eq!(in_force.approvals.len(), 2);
    assert_eq!(
        (
            in_force.approvals[1].party.as_str(),
            in_force.approvals[1].actor.as_str()
        ),
        (TWO, "key")
    );

    bench.propose(TWO, 150, Basis::Price).unwrap();
    assert_eq!(
        states(&bench),
        [RevisionState::Approved, RevisionState::Proposed]
    );
    bench.approve(ONE).unwrap();
    assert_eq!(
        states(&bench),
        [RevisionState::Superseded, RevisionState::Approved]
    );
    assert_eq!(
        bench.quote().revisions[1].split.previous_hash,
        hash(&bench, 1)
    );
    bench.propose(ONE, 0, Basis::Price).unwrap();
    bench.approve(TWO).unwrap();
    assert_eq!(
        bench.quote().in_force().unwrap().split.cadences[0].price_after,
        2_000,
        "taken back"
    );
}

#[test]
fn p17_what_was_approved_is_frozen() {
    let mut bench = quoted();
    bench.propose(ONE, 100, Basis::Price).unwrap();
    bench.add(TWO, portion("c", 500)).unwrap();
    assert_eq!(
        states(&bench),
        [RevisionState::Superseded],
        "it no longer divides the whole"
    );
    let superseded = hash(&bench, 1);
    assert_eq!(
        refusal_of(bench.approve_hash(TWO, &superseded)).reason,
        Reason::InvalidState
    );
    bench.propose(ONE, 100, Basis::Price).unwrap();
    bench.approve(TWO).unwrap();
    let before = bench.quote().clone();
    let refusal = refusal_of(bench.add(ONE, portion("d", 1)));
    assert_eq!(refusal.reason, Reason::InvalidState);
    assert_eq!(
        refusal.metadata,
        [
            ("state", "approved".to_owned()),
            ("action", "AddPortion".to_owned())
        ]
    );
    bench.propose(ONE, 200, Basis::Price).unwrap();
    assert_eq!(
        bench.quote().revisions[1],
        before.revisions[1],
        "a proposal leaves it alone"
    );
    assert_eq!(
        refusal_of(bench.add(ONE, portion("d", 1))).reason,
        Reason::InvalidState
    );
}

#[test]
fn a_newer_proposal_replaces_the_open_one() {
    let mut bench = quoted();
    bench.propose(ONE, 100, Basis::Price).unwrap();
    let stale = hash(&bench, 1);
    bench.propose(TWO, 50, Basis::Price).unwrap();
    assert_eq!(
        states(&bench),
        [RevisionState::Superseded, RevisionState::Proposed]
    );
    let refusal = refusal_of(bench.approve_hash(TWO, &stale));
    assert_eq!(refusal.reason, Reason::StaleHash);
    assert_eq!(refusal.metadata, [("hash", hash(&bench, 2))]);
    assert_eq!(
        refusal_of(bench.reject(TWO, &stale)).reason,
        Reason::StaleHash
    );
    assert_eq!(
        refusal_of(bench.withdraw(ONE, "?")).reason,
        Reason::StaleHash
    );
}

#[test]
fn only_others_reject_and_only_the_proposer_withdraws() {
    let mut bench = quoted();
    assert_eq!(
        refusal_of(bench.approve_hash(TWO, "?")).reason,
        Reason::InvalidState
    );
    bench.propose(ONE, 100, Basis::Price).unwrap();
    let first = hash(&bench, 1);
    assert_eq!(
        refusal_of(bench.reject(ONE, &first)).reason,
        Reason::NotYourOffer
    );
    assert_eq!(
        refusal_of(bench.withdraw(TWO, &first)).reason,
        Reason::NotYourOffer
    );
    bench.reject(TWO, &first).unwrap();
    let rejection = bench.quote().revisions[0].rejection.clone().unwrap();
    assert_eq!(
        (rejection.party.as_str(), rejection.reason.is_some()),
        (TWO, true)
    );
    let refusal = refusal_of(bench.approve_hash(ONE, &first));
    assert_eq!(refusal.metadata[0], ("state", "rejected".to_owned()));
    assert_eq!(
        refusal_of(bench.approve_hash(TWO, "?")).metadata[0].1,
        "rejected"
    );
    bench.propose(ONE, 90, Basis::Price).unwrap();
    let second = hash(&bench, 2);
    bench.withdraw(ONE, &second).unwrap();
    assert_eq!(
        states(&bench),
        [RevisionState::Rejected, RevisionState::Withdrawn]
    );
    assert_eq!(
        refusal_of(bench.approve_hash(TWO, &second)).reason,
        Reason::InvalidState
    );
}

#[test]
fn silence_is_no_consent() {
    let mut bench = quoted();
    let quote_ends = bench.quote().expires_at;
    assert_eq!(bench.quote().due_at(), Some(quote_ends));
    bench.propose(ONE, 100, Basis::Price).unwrap();
    let ends = bench.now.saturating_add(OFFER_VALIDITY_DEFAULT);
    assert_eq!(bench.quote().due_at(), Some(ends));
    bench.now = Timestamp::from_micros(ends.as_micros() - 1);
    assert!(bench.tick().events.is_empty());
    bench.now = ends;
    let first = hash(&bench, 1);
    for refusal in [
        refusal_of(bench.approve_hash(TWO, &first)),
        refusal_of(bench.approve_hash(ONE, &first)),
        refusal_of(bench.reject(TWO, &first)),
        refusal_of(bench.withdraw(ONE, &first)),
    ] {
        assert_eq!(refusal.reason, Reason::OfferExpired);
    }
    assert_eq!(
        bench.quote().revisions[0].state_at(bench.now),
        RevisionState::Expired
    );
    // Whatever comes first records the end: a new proposal here, the tick below.
    bench.propose(TWO, 100, Basis::Price).unwrap();
    assert_eq!(
        states(&bench),
        [RevisionState::Expired, RevisionState::Proposed]
    );
    bench.now = bench.now.saturating_add(OFFER_VALIDITY_DEFAULT);
    bench.add(ONE, portion("c", 1)).unwrap();
    assert_eq!(states(&bench), [RevisionState::Expired; 2]);
    bench.propose(TWO, 100, Basis::Price).unwrap();
    bench.now = bench.now.saturating_add(OFFER_VALIDITY_DEFAULT);
    assert_eq!(bench.tick().events.len(), 1);
    assert!(bench.tick().events.is_empty());
    assert_eq!(bench.quote().due_at(), Some(quote_ends));
}

#[test]
fn a_quote_ends_with_its_open_revision() {
    let mut bench = quoted();
    bench.propose(ONE, 100, Basis::Price).unwrap();
    bench.approve(TWO).unwrap();
    let end = bench.quote().expires_at;
    bench.now = Timestamp::from_micros(end.as_micros() - 1);
    bench.propose(ONE, 200, Basis::Price).unwrap();
    let open = hash(&bench, 2);
    assert_eq!(
        bench.quote().revisions[1].expires_at,
        end,
        "never beyond the quote"
    );
    bench.now = end;
    assert_eq!(bench.quote().state_at(end), QuoteState::Expired);
    assert_eq!(
        refusal_of(bench.propose(ONE, 1, Basis::Price)).reason,
        Reason::InvalidState
    );
    assert_eq!(
        refusal_of(bench.add(ONE, portion("c", 1))).metadata[0].1,
        "expired"
    );
    assert_eq!(
        refusal_of(bench.approve_hash(TWO, &open)).reason,
        Reason::OfferExpired
    );
    assert_eq!(bench.tick().events.len(), 2);
    assert!(bench.tick().events.is_empty());
    assert_eq!(Aggregate::state(bench.quote()), "expired");
    assert_eq!(bench.quote().due_at(), None);
    assert_eq!(
        states(&bench),
        [RevisionState::Approved, RevisionState::Expired]
    );
}

#[test]
fn alone_a_firm_asserts_and_a_newcomer_answers() {
    let mut bench = Bench::solo();
    bench.create(ONE, &[("a", 1_000)]);
    bench.propose(ONE, 100, bps(&[(ONE, 10_000)])).unwrap();
    bench.propose(ONE, 120, Basis::Price).unwrap();
    assert_eq!(
        states(&bench),
        [RevisionState::Superseded, RevisionState::Asserted]
    );
    assert_eq!(
        bench.quote().revisions[1].expires_at,
        bench.quote().expires_at
    );
    assert!(bench.approve(ONE).unwrap().events.is_empty());
    bench.now = bench.now.saturating_add(OFFER_VALIDITY_DEFAULT);
    bench.join();
    bench.approve(TWO).unwrap();
    assert_eq!(states(&bench)[1], RevisionState::Approved);

    let mut contested = Bench::solo();
    contested.create(ONE, &[("a", 1_000)]);
    contested.propose(ONE, 100, Basis::Price).unwrap();
    contested.join();
    let asserted = hash(&contested, 1);
    contested.reject(TWO, &asserted).unwrap();
    assert_eq!(states(&contested), [RevisionState::Rejected]);
}

#[test]
fn two_firms_agree_on_their_own_portions_while_a_third_is_awaited() {
    let mut bench = Bench::solo();
    let mut third = bench.partnership.parties[1].clone();
    third.id = PartyId::numbered(3);
    bench.partnership.parties.push(third);
    bench.join();
    bench.create(ONE, &[("a", 1_000)]);
    bench.propose(ONE, 100, Basis::Price).unwrap();
    bench.approve(TWO).unwrap();
    assert_eq!(states(&bench), [RevisionState::Approved]);
}

#[test]
fn with_three_parties_the_last_approval_decides() {
    let mut bench = Bench::solo();
    let mut third = bench.partnership.parties[1].clone();
    third.id = PartyId::numbered(3);
    bench.partnership.parties.push(third);
    bench.join();
    let theirs = NewPortion {
        owner: Some(PartyId::numbered(3)),
        ..portion("b", 1_000)
    };
    bench
        .create_with(ONE, &[portion("a", 1_000), theirs])
        .unwrap();
    bench.propose(ONE, 100, Basis::Price).unwrap();
    assert_eq!(
        states(&bench),
        [RevisionState::Proposed],
        "the second firm has to answer"
    );
    bench.approve(TWO).unwrap();
    assert_eq!(states(&bench), [RevisionState::Asserted]);
    assert_eq!(
        bench.quote().revisions[0].expires_at,
        bench.quote().expires_at
    );
    bench.partnership.parties[2].firm = FirmId::parse("party-3");
    bench.put_partnership();
    bench.approve("party-3").unwrap();
    assert_eq!(states(&bench), [RevisionState::Approved]);
}

#[test]
fn strangers_see_nothing_and_an_ended_partnership_changes_nothing() {
    let mut bench = quoted();
    let refusal = refusal_of(bench.propose("stranger", 1, Basis::Price));
    assert_eq!(
        (refusal.reason, refusal.metadata[0].1.as_str()),
        (Reason::NotFound, "partnership")
    );
    bench.propose(ONE, 1, Basis::Price).unwrap();
    bench.partnership.state = PartnershipState::Ended;
    bench.partnership.ended_at = Some(bench.now);
    bench.put_partnership();
    let open = hash(&bench, 1);
    for refusal in [
        refusal_of(bench.propose(ONE, 1, Basis::Price)),
        refusal_of(bench.add(ONE, portion("c", 1))),
        refusal_of(bench.approve(TWO)),
        refusal_of(bench.reject(TWO, &open)),
        refusal_of(bench.withdraw(ONE, &open)),
        refusal_of(bench.create_with(ONE, &[])),
    ] {
        assert_eq!(refusal.reason, Reason::PartnershipEnded);
    }
    bench.now = bench.quote().expires_at;
    assert_eq!(bench.tick().events.len(), 2, "time goes on");
}

#[test]
fn creating_checks_every_field() {
    let mut bench = Bench::active();
    let reference = |id: &str| ExternalReference {
        firm: FirmId::parse(ONE).unwrap(),
        system: "cpq".to_owned(),
        instance: String::new(),
        reference_type: "quote".to_owned(),
        id: id.to_owned(),
    };
    let bad = QuoteCommand::Create {
        id: Some("2nd".to_owned()),
        display_name: " ".to_owned(),
        client: None,
        currency: euro(0).currency,
        expires_at: bench.now,
        portions: vec![portion("B_", -1)],
        vendor_funds: Vec::new(),
        references: Some(reference("")),
    };
    let refusal = refusal_of(bench.command(ONE, &bad));
    assert_eq!(
        (refusal.reason, refusal.violations.len()),
        (Reason::InvalidField, 6)
    );
    let good = |client: Option<&str>, expires_at| QuoteCommand::Create {
        id: None,
        display_name: "New office".to_owned(),
        client: client.map(str::to_owned),
        currency: euro(0).currency,
        expires_at,
        portions: Vec::new(),
        vendor_funds: Vec::new(),
        references: Some(reference("q-1")),
    };
    let later = bench.now.saturating_add(QUOTE_VALIDITY);
    assert_eq!(
        refusal_of(bench.command(ONE, &good(None, Timestamp::LATEST)))
            .violations
            .len(),
        1
    );
    let refusal = refusal_of(bench.command(ONE, &good(Some("nobody"), later)));
    assert_eq!(
        (refusal.reason, refusal.metadata[0].1.as_str()),
        (Reason::NotFound, "client")
    );
    let client = Client {
        display_name: "Bakery".to_owned(),
    };
    bench.put(Kind::Client, "bakery", Record::Client(Box::new(client)));
    let decision = bench.command(TWO, &good(Some("bakery"), later)).unwrap();
    assert_eq!(decision.subject.0, Kind::JointQuote);
    assert_eq!(
        decision.references,
        [(
            reference("q-1"),
            Kind::JointQuote,
            decision.subject.1.clone()
        )]
    );
    bench.create(ONE, &[]);
    assert_eq!(
        refusal_of(bench.create_with(ONE, &[])).reason,
        Reason::AlreadyExists
    );
}
