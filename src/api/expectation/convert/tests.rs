//! Tests of expectations as the contract shows them.

use super::*;
use crate::api::Member;
use crate::domain::aggregate::{Aggregate, Recorded};
use crate::domain::evidence::Evidence;
use crate::domain::expectation::judgement::judge;
use crate::domain::expectation::{
    CriterionEvidence, CriterionReason, ExpectationAgreed, ExpectationCreated, ExpectationEvent,
    FulfilmentAccepted, FulfilmentDisputed, FulfilmentMade, OfferMade, StatementMade, WorkShown,
};
use crate::domain::identity::FirmId;
use crate::domain::identity::PartyId;
use crate::domain::partnership::{Partnership, PartnershipCreated, PartnershipEvent, Party, Role};
use crate::domain::pricing::money::{Currency, Money};
use crate::domain::time::{Span, Timestamp};

const NOW: Timestamp = Timestamp::EARLIEST;

fn recorded(firm: &str) -> Recorded {
    Recorded {
        sequence: 1,
        at: NOW,
        firm: FirmId::parse(firm),
        actor: "key".to_owned(),
    }
}

/// Two firms, seen by the first.
fn member() -> Member {
    let parties = [(1, "acme"), (2, "beta")].map(|(number, firm)| Party {
        id: PartyId::numbered(number),
        firm: FirmId::parse(firm),
        display_name: firm.to_owned(),
        role: Role::Peer,
        joined_at: None,
        left: None,
    });
    let party = parties[0].clone();
    let created = PartnershipEvent::Created(PartnershipCreated {
        display_name: "both".to_owned(),
        parties: parties.to_vec(),
    });
    let partnership = Partnership::apply(None, &created, &recorded("acme")).unwrap();
    Member {
        partnership: found("p1", partnership),
        party,
    }
}

fn found<T>(id: &str, state: T) -> Found<T> {
    Found {
        id: id.to_owned(),
        state,
        revision: 3,
        created_at: NOW,
        updated_at: NOW.saturating_add(Span::from_seconds(1)),
    }
}

fn commitment(text: &str) -> Commitment {
    Commitment::of("test", text, &[1; 16])
}

fn answers() -> FiveW {
    FiveW {
        who: Who {
            scope: Some(ImpactScope::Site),
            people_count: Some(12),
            description: Some(commitment("who")),
        },
        what: What {
            severity: Some(Severity::Degraded),
            cost_per_hour: Currency::from_code("EUR")
                .ok()
                .map(|euro| Money::from_minor(euro, 12_050)),
            description: Some(commitment("what")),
        },
        when: When {
            deadline: Some(NOW.saturating_add(Span::from_hours(2))),
            reason: Some(commitment("when")),
            update_interval: Some(Span::from_hours(4)),
        },
        r#where: Where {
            place: Some(Place::OnSite),
            site: Some(commitment("where")),
        },
        how: How {
            criteria: vec![commitment("how 1"), commitment("how 2")],
        },
    }
}

fn draft() -> Expectation {
    let created = ExpectationEvent::Created(ExpectationCreated {
        title: Some(commitment("title")),
        requester: PartyId::numbered(1),
        obligor: PartyId::numbered(2),
        client: Some("c1".to_owned()),
        agreement: Some("desk".to_owned()),
        five_w: answers(),
        judgement: judge(&answers(), None, NOW),
    });
    Expectation::apply(None, &created, &recorded("acme")).unwrap()
}

fn after(expectation: Expectation, firm: &str, event: &ExpectationEvent) -> Expectation {
    Expectation::apply(Some(expectation), event, &recorded(firm)).unwrap()
}

fn offered() -> Expectation {
    let offer = OfferMade {
        number: 1,
        party: PartyId::numbered(1),
        five_w: answers(),
        message: Some(commitment("offer")),
        expires_at: Some(NOW.saturating_add(Span::from_hours(1))),
        judgement: judge(&answers(), None, NOW),
        acknowledges_impossible: true,
    };
    after(draft(), "acme", &ExpectationEvent::Offered(offer))
}

fn shown(state: Expectation, now: Timestamp) -> v1::Expectation {
    let member = member();
    Expectation::shown(&found("e1", state), &Viewer::new(&member, now))
}

#[test]
fn a_draft_is_shown_as_it_was_written() {
    let shown = shown(draft(), NOW);
    assert_eq!(shown.name, "partnerships/p1/expectations/e1");
    assert_eq!(shown.client, "partnerships/p1/clients/c1");
    assert_eq!(
        (shown.requester.as_str(), shown.obligor.as_str()),
        ("party-1", "party-2")
    );
    assert_eq!(shown.state(), v1::ExpectationState::Draft);
    assert_eq!(shown.etag, "\"3\"");
    assert!(shown.unanswered.is_empty() && shown.offers.is_empty());
    let five_w = shown.five_w.unwrap();
    let who = five_w.who.unwrap();
    assert_eq!((who.scope(), who.people_count), (v1::ImpactScope::Site, 12));
    let what = five_w.what.unwrap();
    let cost = what.cost_per_hour.clone().unwrap();
    assert_eq!(what.severity(), v1::Severity::Degraded);
    assert_eq!((cost.units, cost.nanos), (120, 500_000_000));
    assert_eq!(five_w.r#where.unwrap().place(), v1::Place::OnSite);
    assert_eq!(five_w.how.unwrap().criteria.len(), 2);
    let deadline = five_w.when.unwrap().deadline.unwrap();
    assert_eq!(deadline.seconds, NOW.as_micros() / 1_000_000 + 7_200);
}

#[test]
fn what_nobody_answered_is_unset_and_listed() {
    let nothing = to_five_w(&FiveW::default(), &Texts::default());
    assert_eq!(nothing, v1::FiveW::default());
    let mut state = draft();
    state.five_w = FiveW::default();
    let open: Vec<_> = shown(state, NOW).unanswered().collect();
    let questions = [
        v1::Question::Who,
        v1::Question::What,
        v1::Question::When,
        v1::Question::Where,
        v1::Question::How,
    ];
    assert_eq!(open, questions);
}

#[test]
fn an_offer_that_ran_out_is_expired_before_anybody_records_it() {
    let offer = shown(offered(), NOW).offers.remove(0);
    assert_eq!((offer.number, offer.party_id.as_str()), (1, "party-1"));
    assert_eq!(offer.firm, "firms/acme");
    let over = NOW.saturating_add(Span::from_hours(1));
    assert_eq!(shown(offered(), NOW).state(), v1::ExpectationState::Offered);
    assert_eq!(
        shown(offered(), over).state(),
        v1::ExpectationState::Expired
    );
}

/// Done, disputed, done again and accepted, with words and evidence everywhere.
fn accepted() -> Expectation {
    let shown = |note| WorkShown {
        evidence: vec![Evidence::Ticket("t1".to_owned())],
        criteria: vec![CriterionEvidence {
            index: 0,
            evidence: Vec::new(),
            note: Some(commitment(note)),
        }],
    };
    let done = |text, note| {
        ExpectationEvent::Fulfilled(FulfilmentMade {
            party: PartyId::numbered(2),
            message: Some(commitment(text)),
            shown: shown(note),
        })
    };
    let agreed = ExpectationEvent::Agreed(ExpectationAgreed {
        party: PartyId::numbered(2),
        offer_number: 1,
        standing_consent: None,
        judgement: judge(&answers(), None, NOW),
        acknowledges_impossible: false,
    });
    let mut state = after(offered(), "beta", &agreed);
    state = after(state, "beta", &done("done", "first note"));
    let disputed = ExpectationEvent::Disputed(FulfilmentDisputed {
        party: PartyId::numbered(1),
        reason: Some(commitment("not done")),
        criteria: vec![CriterionReason {
            index: 1,
            reason: commitment("not logged"),
        }],
    });
    state = after(state, "acme", &disputed);
    state = after(state, "beta", &done("now done", "second note"));
    let accepted = FulfilmentAccepted {
        party: PartyId::numbered(1),
        shown: shown("third note"),
        on_behalf_of_client: true,
        message: Some(commitment("thanks")),
    };
    after(state, "acme", &ExpectationEvent::Accepted(accepted))
}

#[test]
fn every_text_is_loaded() {
    let state = accepted();
    let loaded = state.commitments();
    for text in [
        "title",
        "who",
        "what",
        "when",
        "where",
        "how 1",
        "how 2",
        "offer",
        "done",
        "first note",
        "not done",
        "not logged",
        "now done",
        "second note",
        "third note",
        "thanks",
    ] {
        assert!(loaded.contains(&commitment(text)), "{text}");
    }
    let shown = self::shown(state, NOW);
    let acceptance = shown.acceptance.unwrap();
    assert_eq!(acceptance.firm, "firms/acme");
    assert_eq!(acceptance.criteria_met[0].criterion, 0);
    assert!(acceptance.on_behalf_of_client);
    let ticket = "partnerships/p1/tickets/t1".to_owned();
    let cited = v1::evidence::Cited::Record(ticket);
    assert_eq!(acceptance.evidence[0].cited, Some(cited));
    assert_eq!(shown.fulfilment.unwrap().party_id, "party-2");
    assert_eq!(shown.dispute.unwrap().party_id, "party-1");
    let rounds: Vec<_> = shown.fulfilments.iter().map(|round| round.number).collect();
    assert_eq!(rounds, [1, 2]);
    assert!(shown.fulfilments[0].dispute.is_some() && shown.fulfilments[1].dispute.is_none());
}

#[test]
fn a_withdrawal_says_why() {
    let said = ExpectationEvent::Withdrawn(StatementMade {
        party: PartyId::numbered(1),
        text: Some(commitment("moot")),
    });
    let state = after(offered(), "acme", &said);
    assert!(state.commitments().contains(&commitment("moot")));
    let ending = shown(state, NOW).ending.unwrap();
    assert_eq!(
        (ending.party_id.as_str(), ending.firm.as_str()),
        ("party-1", "firms/acme")
    );
}
