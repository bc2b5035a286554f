//! What holds whatever the firms do, in whatever order, at whatever time.

use proptest::prelude::*;

use super::super::clock::{DateVerdict, DatedAgreement};
use super::super::decide::overdue;
use super::*;
use crate::domain::sla::clock::tests::weekdays;

/// One thing that may happen.
#[derive(Clone, Debug)]
enum Step {
    /// A firm asks for something.
    Ask(&'static str, Box<ExpectationCommand>),
    /// A firm agrees to the offer so many before the last one.
    Agree(&'static str, usize),
    /// A firm accepts the work, all criteria but so many met.
    Accept(&'static str, usize),
    /// The sweeper comes by.
    Tick,
}

impl Step {
    fn happen(self, scene: &mut Scene) -> Vec<&'static str> {
        let expectation = scene.expectation();
        let (firm, command) = match self {
            Self::Tick => return scene.tick(),
            Self::Ask(firm, command) => (firm, *command),
            Self::Agree(firm, lag) => (firm, agree(index(expectation.offers.len(), lag))),
            Self::Accept(firm, short) => {
                let count = index(expectation.agreed_criteria(), short);
                (firm, accept(&(0..count).collect::<Vec<_>>()))
            }
        };
        scene.ask(firm, &command).unwrap_or_default()
    }
}

fn index(length: usize, less: usize) -> u32 {
    u32::try_from(length.saturating_sub(less)).expect("few")
}

fn any_answers() -> impl Strategy<Value = FiveW> {
    let deadlines = proptest::option::weighted(0.8, 1..20_i64);
    (deadlines, 0..3_usize).prop_map(|(days, criteria)| FiveW {
        when: When {
            deadline: days.map(|days| start().saturating_add(Span::from_hours(days * 24))),
            reason: None,
            update_interval: None,
        },
        how: How {
            criteria: vec![sealed("x"); criteria],
        },
        ..FiveW::default()
    })
}

/// A step, and the hours before it. What ends a history is rare, so that many go far.
fn any_step() -> impl Strategy<Value = (i64, Step)> {
    let commands = prop_oneof![
        2 => any_answers().prop_map(update),
        1 => Just(offer()),
        6 => any_answers().prop_map(counter),
        1 => Just(decline()),
        1 => Just(withdraw()),
        8 => Just(fulfil()),
        6 => Just(dispute()),
    ];
    let firms = || proptest::sample::select(vec![ASKS, OWES]);
    let mostly_none = || prop_oneof![4 => Just(0_usize), 1 => 1..3_usize];
    let steps = prop_oneof![
        8 => (firms(), commands).prop_map(|(firm, command)| Step::Ask(firm, Box::new(command))),
        3 => (firms(), mostly_none()).prop_map(|(firm, lag)| Step::Agree(firm, lag)),
        1 => (firms(), mostly_none()).prop_map(|(firm, short)| Step::Accept(firm, short)),
        1 => Just(Step::Tick),
    ];
    (prop_oneof![3 => 0..8_i64, 1 => 0..100_i64], steps)
}

/// What must hold between one state and the next, in whatever way it was reached.
fn check_successor(before: &Expectation, after: &Expectation, now: Timestamp) {
    check_history(before, after);
    let was_disputed = before.state_at(now) == ExpectationState::Disputed;
    let is_revised = was_disputed && after.state == ExpectationState::Accepted;
    let missed_at = before.missed_at();
    assert!(missed_at.is_none() || missed_at == after.missed_at() || is_revised);
    assert_eq!(
        after.missed_at(),
        after.missed_as_of(now),
        "what changed is up to date"
    );
    check_offers(after);
    check_clocks(after, now);
    if let (Some(acceptance), Some(fulfilment)) = (after.acceptance(), after.fulfilment()) {
        assert_ne!(acceptance.statement.firm, fulfilment.statement.firm);
        assert_eq!(acceptance.shown.criteria.len(), after.agreed_criteria());
    }
    // The sweeper comes exactly when there is something to record.
    assert!(
        overdue(after, now).is_empty(),
        "what happened is recorded first"
    );
    if let Some(due_at) = after.due_at() {
        assert!(due_at > now);
        let before = Timestamp::from_micros(due_at.as_micros() - 1);
        assert!(overdue(after, before).is_empty());
        assert!(!overdue(after, due_at).is_empty());
    } else {
        assert!(overdue(after, Timestamp::LATEST).is_empty());
    }
}

/// What was offered, agreed, done and disputed stays.
fn check_history(before: &Expectation, after: &Expectation) {
    let said = |expectation: &Expectation| {
        let offers = expectation.offers.iter();
        let offers = offers.map(|offer| Offer {
            end: None,
            ..offer.clone()
        });
        offers.collect::<Vec<_>>()
    };
    assert!(
        said(after).starts_with(&said(before)),
        "what was offered stays"
    );
    for (earlier, later) in before.offers.iter().zip(&after.offers) {
        assert!(
            earlier.end.is_none() || earlier.end == later.end,
            "an end is an end"
        );
    }
    let kept = before.agreements.iter().zip(&after.agreements);
    for (earlier, later) in kept {
        assert_eq!(
            (earlier.offer_number, earlier.at),
            (later.offer_number, later.at)
        );
    }
    assert!(after.agreements.len() >= before.agreements.len());
    for (earlier, later) in before.fulfilments.iter().zip(&after.fulfilments) {
        assert_eq!(
            (&earlier.statement, &earlier.shown),
            (&later.statement, &later.shown)
        );
        assert!(earlier.dispute.is_none() || earlier.dispute == later.dispute);
    }
    assert!(after.fulfilments.len() >= before.fulfilments.len());
}

/// Clocks say what is recorded, and their explanations add up to the microsecond.
fn check_clocks(after: &Expectation, now: Timestamp) {
    let office = weekdays(9, 17);
    for agreed in &after.agreements {
        let Some(dated) = DatedAgreement::find(after, Some(agreed.offer_number)) else {
            assert_eq!(agreed.missed_at, None);
            continue;
        };
        let found = dated.clock(&office, now).expect("it has begun");
        let is_missed = found.verdict == DateVerdict::Missed;
        assert_eq!(is_missed, agreed.missed_at.is_some());
        assert!(found.clock.consumed <= office.elapsed(agreed.at, now));
        let explained = dated.explain(&office, now).expect("few intervals");
        let consumed = explained.intervals.iter();
        let consumed = consumed.map(|interval| interval.consumed.as_micros());
        assert_eq!(consumed.sum::<i64>(), found.clock.consumed.as_micros());
        let first = explained.intervals.first();
        assert!(first.is_none_or(|first| first.from == agreed.at));
        for pair in explained.intervals.windows(2) {
            assert_eq!(pair[0].to, pair[1].from);
        }
    }
}

/// Offers are counted, stand one at a time, and are agreed to in time by the other side.
fn check_offers(after: &Expectation) {
    let open = after.offers.iter().filter(|offer| offer.end.is_none());
    assert_eq!(
        open.count(),
        usize::from(after.state.awaits_answer()),
        "one offer at a time"
    );
    let numbers: Vec<_> = after.offers.iter().map(|offer| offer.number).collect();
    assert_eq!(
        numbers,
        (1..=u32::try_from(after.offers.len()).expect("few")).collect::<Vec<_>>()
    );
    for offer in &after.offers {
        assert!(!offer.is_over(offer.offered_at), "an offer stands at first");
        assert!(
            offer
                .five_w
                .when
                .deadline
                .is_none_or(|deadline| deadline > offer.offered_at)
        );
    }
    for agreed in &after.agreements {
        let last = after.offer(agreed.offer_number).expect("an offer");
        assert_ne!(agreed.firm.as_ref(), Some(&last.firm), "it takes two");
        assert!(!last.is_over(agreed.at), "and in time");
    }
}

proptest! {
    #[test]
    fn any_history_keeps_the_rules(
        solo in any::<bool>(),
        first in any_answers(),
        steps in proptest::collection::vec(any_step(), 1..40),
    ) {
        let mut scene = if solo { Scene::alone() } else { Scene::shared() };
        scene.go(ASKS, &create(first)).go(ASKS, &offer());
        for (position, (hours, step)) in steps.into_iter().enumerate() {
            if solo && position == 5 {
                scene.join();
            }
            scene.wait(Span::from_hours(hours));
            let before = scene.expectation().clone();
            let seen = before.state_at(scene.now);
            let events = step.happen(&mut scene);
            let after = scene.expectation();
            if events.is_empty() {
                prop_assert_eq!(&before, after);
            } else {
                check_successor(&before, after, scene.now);
                let overdue = before.state_at(scene.now) != before.state;
                let is_past = after.missed_at().is_some() || !before.agreements.is_empty();
                prop_assert!(!overdue || after.state == seen || is_past);
            }
        }
        // The journal's bytes alone lead to the same state.
        let mut replayed = None;
        for (event, recorded) in &scene.journal {
            let body = &event.body;
            let payload = body.payload().expect("JSON");
            let (event_type, version) = (body.event_type(), body.event_version());
            let read = EventBody::decode(body.kind(), event_type, version, &payload)
                .expect("what was written is read");
            prop_assert_eq!(&read, body);
            replayed = Some(Record::apply(replayed, &read, recorded).expect("it fits"));
        }
        let record = replayed.expect("a record");
        let body = record.body().expect("JSON");
        let stored =
            Record::decode(record.kind(), record.body_version(), &body).expect("read back");
        prop_assert_eq!(&stored, &record);
        prop_assert_eq!(stored, Record::Expectation(Box::new(scene.expectation().clone())));
    }
}
