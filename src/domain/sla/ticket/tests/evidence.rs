//! What later evidence does: levels that are taken back, events that come late, and all of it in any
//! order.

use std::sync::Arc;

use proptest::prelude::*;

use super::super::amendment::{AmendmentContent, AmendmentState, DateAmendment, Exclusion};
use super::super::lateness::{favours, is_late};
use super::super::revision::WITHDRAWN_MAX;
use super::*;
use crate::domain::sla::clock::ClockRules;
use crate::domain::sla::compiled::CompiledCalendar;
use crate::domain::sla::in_force::{Assignment, PinnedAgreement, terms_in_force};

/// Levels, each with the instant at which it was reached.
type Levels = Vec<(LevelAt, Timestamp)>;

impl Desk {
    fn with_words() -> Self {
        let mut desk = Self::new();
        desk.map_statuses(&MEANINGS);
        desk.map_priority();
        desk
    }

    fn propose(&mut self, content: AmendmentContent) -> Vec<&'static str> {
        let id = self.seen.iter().find(|key| key.kind == Kind::Ticket);
        let ticket = id.unwrap().id.clone();
        let command = TicketCommand::ProposeAmendment { ticket, content };
        self.run(Action::Ticket(command)).unwrap()
    }

    /// The levels of the only ticket that stand, and those that its clocks have.
    fn levels(&self) -> (Levels, Levels) {
        let ticket = self.tickets()[0];
        let standing = ticket.levels().map(|reached| (reached.level, reached.at));
        let mut standing: Vec<_> = standing.collect();
        let terms = terms_in_force(ticket, &self.view()).unwrap();
        let clocks = terms[0].clocks(ticket, self.now).clocks;
        let crossings = clocks.iter().flat_map(|clock| &clock.crossings);
        let crossed = crossings.map(|crossing| (crossing.level, crossing.at));
        let mut crossed: Vec<_> = crossed.collect();
        standing.sort_unstable();
        crossed.sort_unstable();
        (standing, crossed)
    }
}

fn exclusion(from: i64, to: i64) -> AmendmentContent {
    AmendmentContent::Exclusion(Exclusion {
        from: after(from),
        to: after(to),
        class: None,
        reason: None,
    })
}

fn agreed_date(minutes: i64) -> AmendmentContent {
    AmendmentContent::AgreedDate(DateAmendment {
        target_type: TargetType::Resolution,
        due_at: Some(after(minutes)),
    })
}

/// An event at a minute that says one of the known statuses, and a priority if it is the first.
fn said(number: usize, minute: i64, status: &str) -> IngestEvent {
    let priority = (number == 0).then_some("Urgent");
    IngestEvent {
        event_id: format!("e{number}"),
        ..event(0, minute, Some(status), priority)
    }
}

#[test]
fn a_level_is_taken_back_dated_anew_and_raised_again() {
    let mut desk = Desk::with_words();
    desk.ingest(said(0, 0, "Working")).unwrap();
    desk.now = after(65);
    let sweep = ["ticket.threshold_reached", "ticket.breached"];
    assert_eq!(desk.sweep(), sweep);
    // Told late: ten minutes of waiting.
    let revised = "ticket.verdict_revised";
    assert_eq!(
        desk.ingest(said(1, 20, "Client")).unwrap(),
        ["ticket.event_recorded", revised, revised]
    );
    assert_eq!(
        desk.ingest(said(2, 30, "Working")).unwrap(),
        ["ticket.event_recorded"]
    );
    assert_eq!(desk.sweep(), ["ticket.threshold_reached"]);
    let (standing, crossed) = desk.levels();
    assert_eq!(standing, [(LevelAt::Share(5_000), after(40))]);
    assert_eq!(standing, crossed);
    // A stretch that both agree not to count moves what is left of it, and says to when.
    assert_eq!(
        desk.propose(exclusion(35, 40)),
        ["ticket.amendment_proposed", revised]
    );
    assert_eq!(desk.levels().0, [(LevelAt::Share(5_000), after(45))]);
    desk.now = after(75);
    assert_eq!(desk.sweep(), [""; 0], "the whole target is not passed yet");
    desk.now = after(76);
    assert_eq!(desk.sweep(), ["ticket.breached"]);
    let ticket = desk.tickets()[0].clone();
    let known = ticket.clone().as_known_at(Some(after(64)));
    assert_eq!(known.levels().count(), 0);
    let believed = ticket.as_known_at(Some(after(65)));
    assert_eq!(
        believed.amendments.len(),
        1,
        "recorded at that very instant"
    );
    assert_eq!(believed.levels().count(), 1);
}

#[test]
fn what_was_known_is_kept_while_there_is_room() {
    let mut desk = Desk::with_words();
    desk.ingest(said(0, 0, "Working")).unwrap();
    desk.now = after(1_000);
    desk.sweep();
    // Each event moves both levels by a minute.
    for minute in 1..=150 {
        let moved = IngestEvent {
            opened_at: Some(after(-minute)),
            ..event(0, -minute, None, Some("Urgent"))
        };
        let happened = desk.ingest(moved).unwrap();
        assert_eq!(happened.len(), 3, "both are revised");
    }
    let ticket = desk.tickets()[0];
    let withdrawn = ticket.reached.len() - ticket.levels().count();
    assert_eq!(withdrawn, WITHDRAWN_MAX);
    let (standing, crossed) = desk.levels();
    assert_eq!(standing, crossed);
}

#[test]
fn s03_a_pause_after_a_breach_changes_nothing() {
    let mut desk = Desk::with_words();
    desk.ingest(said(0, 0, "Working")).unwrap();
    desk.now = after(90);
    desk.sweep();
    let before = desk.levels();
    let paused = desk.ingest(said(1, 70, "Client")).unwrap();
    assert_eq!(paused, ["ticket.event_recorded"]);
    assert_eq!(desk.levels(), before);
    // Neither does a date that is agreed once it is too late.
    let agreed = desk.propose(agreed_date(500));
    assert_eq!(agreed, ["ticket.amendment_proposed"]);
    assert_eq!(desk.levels(), before);
    let state = desk.tickets()[0].amendments[0].state();
    assert_eq!(state, AmendmentState::Asserted);
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    /// Whatever comes when, and however often the sweeper looks in between: the same stands in the
    /// end, and it is what the clocks say.
    #[test]
    fn what_stands_does_not_depend_on_the_order_of_arrival(
        told in proptest::collection::vec((0..240_i64, 0..3_usize), 1..8),
        order in Just((0..10_usize).collect::<Vec<_>>()).prop_shuffle(),
        sweeps in proptest::collection::vec(any::<bool>(), 10),
    ) {
        let events: Vec<IngestEvent> = std::iter::once(said(0, 0, "Working"))
            .chain(told.iter().enumerate().map(|(index, (minute, status))| {
                said(index + 1, *minute, MEANINGS[*status].0)
            }))
            .collect();
        let mut outcomes = Vec::new();
        let in_order: Vec<usize> = (0..10).collect();
        for (order, sweeps) in [(&in_order, &vec![false; 10]), (&order, &sweeps)] {
            let mut desk = Desk::with_words();
            desk.now = after(300);
            // There has to be a ticket before anything is agreed about it.
            desk.ingest(said(0, 0, "Working")).unwrap();
            for (step, sweep) in order.iter().zip(sweeps) {
                if let Some(event) = events.get(*step) {
                    desk.ingest(event.clone()).unwrap();
                } else if *step == 8 {
                    desk.propose(exclusion(50, 90));
                } else if *step == 9 {
                    desk.propose(agreed_date(400));
                }
                if *sweep {
                    desk.sweep();
                }
            }
            desk.sweep_all();
            let (standing, crossed) = desk.levels();
            prop_assert_eq!(&standing, &crossed);
            outcomes.push((standing, desk.tickets()[0].state));
        }
        prop_assert_eq!(&outcomes[0], &outcomes[1]);
    }
}

/// A resolution in an hour, day and night, that party 2 owes.
fn evaluated(desk: &Desk, facts: &[TicketFact]) -> Vec<Evaluated> {
    let agreement = desk.view().get::<Agreement>("desk").unwrap();
    let content = agreement.content.clone();
    let rules: ClockRules = content.rules();
    let calendar = Arc::new(CompiledCalendar::always_open());
    let evaluation = evaluate(facts, &rules, &calendar, after(240));
    let terms = PinnedTerms {
        agreement: "desk".into(),
        revision: 1,
    };
    let pinned = Arc::new(PinnedAgreement::new(terms.clone(), content, calendar));
    let terms = TermsInForce::new(vec![(Assignment::at_opening(terms), pinned)]).unwrap();
    vec![Evaluated { terms, evaluation }]
}

fn fact(minute: i64, state: Option<TicketState>, priority: Option<u8>) -> TicketFact {
    TicketFact {
        occurred_at: after(minute),
        source_sequence: 0,
        event_id: format!("f{minute}"),
        opened_at: None,
        priority: priority.and_then(Priority::new),
        source_priority: None,
        status: None,
        state,
        marks: BTreeSet::new(),
        person: None,
        reported_at: None,
        merged_into: None,
        sender: None,
        recorded: None,
    }
}

#[test]
fn what_favours_whom() {
    use TicketState::{InProgress, Resolved, WaitingOnClient};
    let desk = Desk::new();
    let opened = || vec![fact(0, Some(InProgress), Some(1))];
    let with = |more: Vec<TicketFact>| [opened(), more].concat();
    let done = || fact(30, Some(Resolved), None);
    // The facts before and after, and whether the change favours who owes, and who is owed to.
    let cases = [
        (
            "it was done in time",
            opened(),
            with(vec![done()]),
            (true, false),
        ),
        (
            "it waited",
            opened(),
            with(vec![
                fact(10, Some(WaitingOnClient), None),
                fact(20, Some(InProgress), None),
            ]),
            (true, false),
        ),
        (
            "it was less urgent",
            opened(),
            with(vec![fact(10, None, Some(2))]),
            (true, false),
        ),
        (
            "it was reopened",
            with(vec![done()]),
            with(vec![done(), fact(40, Some(InProgress), None)]),
            (false, true),
        ),
        ("it was opened", Vec::new(), opened(), (false, true)),
        (
            "it was opened earlier",
            vec![fact(20, Some(InProgress), Some(1)), done()],
            with(vec![fact(20, Some(InProgress), None), done()]),
            (false, true),
        ),
        (
            "it was more urgent",
            vec![fact(0, Some(InProgress), Some(2))],
            vec![fact(0, Some(InProgress), Some(2)), fact(1, None, Some(1))],
            (false, true),
        ),
        (
            "nothing new",
            opened(),
            with(vec![fact(20, None, None)]),
            (false, false),
        ),
        (
            "both: it began later and was done later",
            with(vec![done()]),
            vec![
                fact(5, Some(InProgress), Some(1)),
                fact(33, Some(Resolved), None),
            ],
            (true, true),
        ),
    ];
    for (what, before, after, expected) in cases {
        let before = evaluated(&desk, &before);
        let after = evaluated(&desk, &after);
        let favoured = |number| favours(&PartyId::numbered(number), &before, &after);
        assert_eq!((favoured(2), favoured(1)), expected, "{what}");
        assert!(!favours(&PartyId::numbered(2), &after, &after), "{what}");
    }
}

#[test]
fn what_comes_late() {
    let hour = Some(Span::from_hours(1));
    let told = fact(0, None, None);
    let just_late = after(60).saturating_add(Span::from_micros(1));
    assert!(!is_late(&told, after(60), None, hour), "just in time");
    assert!(is_late(&told, just_late, None, hour));
    assert!(!is_late(&told, after(10_000), None, None), "no window");
    // What it says of the opening moves clocks just as well, if it is news.
    let opening = TicketFact {
        opened_at: Some(after(0)),
        ..fact(50, None, None)
    };
    assert!(!is_late(&opening, after(60), None, hour));
    assert!(is_late(&opening, just_late, None, hour));
    assert!(is_late(&opening, just_late, Some(after(1)), hour));
    assert!(!is_late(&opening, just_late, Some(after(0)), hour));
}
