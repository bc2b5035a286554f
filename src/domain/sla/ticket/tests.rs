//! Events that wait for words, and what the sweeper makes of them: every command goes through
//! `decide`, and every event through the world's `apply`.

mod evidence;

use std::collections::{BTreeMap, BTreeSet};

use super::*;
use crate::domain::command::{Action, Command, decide};
use crate::domain::identity::{PartyId, ScopeId};
use crate::domain::partnership::{PartnershipCommand, PartnershipOpening, Role};
use crate::domain::record::{Kind, Record, RecordKey};
use crate::domain::refusal::{Reason, Refusal};
use crate::domain::sla::agreement::{Agreement, AgreementCommand, AgreementContent, AgreementType};
use crate::domain::sla::calendar::{CalendarSpecification, MinuteOfDay, Weekday, WeeklyWindow};
use crate::domain::sla::clock::{RetargetRule, ServiceLevelTarget, evaluate};
use crate::domain::sla::settings::{
    PriorityMap, SettingsCommand, StatusMap, UnmappedWord, WAITING_MAX, Word, WordKind,
};
use crate::domain::world::{Need, Stop, View, World};

fn firm() -> FirmId {
    FirmId::parse("north").unwrap()
}

fn after(minutes: i64) -> Timestamp {
    let start = Timestamp::EARLIEST.saturating_add(Span::from_hours(48));
    start.saturating_add(Span::from_minutes(minutes))
}

/// A firm alone in its partnership, with an agreement over a calendar that never closes.
struct Desk {
    world: World,
    scope: ScopeId,
    now: Timestamp,
    sequence: u64,
    seen: BTreeSet<RecordKey>,
}

impl Desk {
    fn new() -> Self {
        let mut desk = Self {
            world: World::default(),
            scope: ScopeId::partnership("p"),
            now: after(0),
            sequence: 0,
            seen: BTreeSet::new(),
        };
        let opening = PartnershipOpening {
            display_name: "Alone".into(),
            firm_display_name: "North".into(),
            role: Role::Prime,
            partner_display_name: "South".into(),
            partner_role: Role::Sub,
            external_reference: None,
        };
        desk.run(Action::Partnership(PartnershipCommand::Create(opening)))
            .unwrap();
        let midnight = |minutes| MinuteOfDay::from_minutes(minutes).unwrap();
        let windows = Weekday::ALL.iter().map(|day| WeeklyWindow {
            day: *day,
            start: midnight(0),
            end: midnight(24 * 60),
        });
        desk.settings(SettingsCommand::CreateCalendar {
            id: Some("always".into()),
            display_name: "Always".into(),
            specification: CalendarSpecification {
                time_zone: "UTC".into(),
                weekly_windows: windows.collect(),
                exceptions: Vec::new(),
            },
        });
        let target = |number| ServiceLevelTarget {
            target_type: TargetType::Resolution,
            priority: Priority::new(number).unwrap(),
            duration: Span::from_hours(number.into()),
        };
        let content = AgreementContent {
            display_name: "Desk".into(),
            agreement_type: AgreementType::Sla,
            obligor: PartyId::numbered(2),
            beneficiary: PartyId::numbered(1),
            client: None,
            targets: vec![target(1), target(2)],
            calendar: "always".into(),
            calendar_revision: 0,
            response_by_state: false,
            pausing_states: vec![TicketState::WaitingOnClient],
            thresholds_bps: vec![5_000, 10_000],
            retarget_rule: RetargetRule::default(),
            reopen_rules: Vec::new(),
            escalation_levels: Vec::new(),
            priority_matrix: Vec::new(),
        };
        let id = Some("desk".into());
        desk.run(Action::Agreement(AgreementCommand::Create {
            id,
            content,
            calendar: None,
        }))
        .unwrap();
        desk
    }

    fn view(&self) -> View<'_> {
        View {
            world: &self.world,
            scope: &self.scope,
            now: self.now,
            next_sequence: self.sequence + 1,
        }
    }

    /// Decides, loads what is missing (nothing is there), and applies what happened.
    fn run(&mut self, action: Action) -> Result<Vec<&'static str>, Refusal> {
        let by_service = matches!(action, Action::Tick { .. });
        let command = Command {
            scope: self.scope.clone(),
            firm: (!by_service).then(firm),
            actor: String::new(),
            origin: String::new(),
            request_id: String::new(),
            digest: [0; 32],
            expected_revision: None,
            action,
            openings: Vec::new(),
        };
        let decision = loop {
            let needs = match decide(&command, &self.view()) {
                Ok(decision) => break decision,
                Err(Stop::Refused(refusal)) => return Err(refusal),
                Err(Stop::Missing(need)) => need.each(),
            };
            for need in needs {
                match need {
                    Need::Record(key) => self.world.put_record(key, None),
                    Need::Reference(scope, reference) => {
                        self.world.put_reference(scope, reference, Vec::new());
                    }
                    Need::EntryHash(scope, sequence) => {
                        self.world.put_entry_hash(scope, sequence, [0; 32]);
                    }
                    other => panic!("{other:?} was written before it was needed"),
                }
            }
        };
        for (digest, tzif) in decision.zones {
            self.world.put_zone(self.scope.clone(), digest, tzif);
        }
        for (reference, kind, id) in decision.references {
            self.world.add_reference(&self.scope, &reference, kind, &id);
        }
        let mut types = Vec::new();
        for event in decision.events {
            self.sequence += 1;
            let recorded = Recorded {
                sequence: self.sequence,
                at: self.now,
                firm: command.firm.clone(),
                actor: String::new(),
            };
            self.world.apply(&self.scope, &event, &recorded).unwrap();
            let kind = event.body.kind();
            self.seen
                .insert(RecordKey::new(&self.scope, kind, event.id.as_str()));
            types.push(event.body.event_type());
        }
        Ok(types)
    }

    fn settings(&mut self, command: SettingsCommand) -> Vec<&'static str> {
        self.run(Action::Settings(command)).unwrap()
    }

    fn map_statuses(&mut self, entries: &[(&str, TicketState)]) {
        let entries = entries
            .iter()
            .map(|(word, state)| ((*word).to_owned(), *state));
        let map = StatusMap {
            firm: firm(),
            system: "psa".into(),
            instance: String::new(),
            entries: entries.collect(),
            adopted_from: None,
        };
        self.settings(SettingsCommand::UpdateStatusMap {
            id: "map".into(),
            allow_missing: true,
            map,
        });
    }

    fn map_priority(&mut self) {
        let map = PriorityMap {
            firm: firm(),
            system: "psa".into(),
            instance: String::new(),
            entries: BTreeMap::from([("Urgent".to_owned(), Priority::HIGHEST)]),
            adopted_from: None,
        };
        self.settings(SettingsCommand::UpdatePriorityMap {
            id: "map".into(),
            allow_missing: true,
            map,
        });
    }

    fn ingest(&mut self, event: IngestEvent) -> Result<Vec<&'static str>, Refusal> {
        self.run(Action::Ticket(TicketCommand::Ingest(Box::new(event))))
    }

    /// Records that are due, and what their ticks do.
    fn sweep(&mut self) -> Vec<&'static str> {
        let due = self.seen.iter().filter(|key| {
            let versioned = self.world.versioned(key);
            let due_at = versioned.and_then(|versioned| versioned.record.due_at());
            due_at.is_some_and(|due_at| due_at <= self.now)
        });
        let due: Vec<RecordKey> = due.cloned().collect();
        let mut types = Vec::new();
        for key in due {
            let tick = Action::Tick {
                kind: key.kind,
                id: key.id,
            };
            types.extend(self.run(tick).unwrap());
        }
        types
    }

    fn sweep_all(&mut self) -> usize {
        (0..100).take_while(|_| !self.sweep().is_empty()).count()
    }

    fn tickets(&self) -> Vec<&Ticket> {
        let tickets = self.seen.iter().filter(|key| key.kind == Kind::Ticket);
        let records = tickets.filter_map(|key| self.world.versioned(key));
        records
            .filter_map(|versioned| match &versioned.record {
                Record::Ticket(ticket) => Some(ticket.as_ref()),
                _ => None,
            })
            .collect()
    }

    /// The clocks of the only ticket, four hours on.
    fn clocks(&self) -> TicketEvaluation {
        let agreement = self.view().get::<Agreement>("desk").unwrap();
        let calendar = self.view().calendar("always", 1).unwrap();
        let rules = agreement.content.rules();
        evaluate(&self.tickets()[0].facts, &rules, &calendar, after(240))
    }
}

fn event(ticket: usize, minute: i64, status: Option<&str>, priority: Option<&str>) -> IngestEvent {
    IngestEvent {
        five_w: None,
        event_id: format!("e{minute}"),
        reference: ExternalReference {
            firm: firm(),
            system: "psa".into(),
            instance: String::new(),
            reference_type: "ticket".into(),
            id: format!("T{ticket}"),
        },
        occurred_at: after(minute),
        source_sequence: 0,
        opened_at: None,
        priority: None,
        source_priority: priority.map(str::to_owned),
        status: status.map(str::to_owned),
        marks: BTreeSet::new(),
        person: None,
        reported_at: None,
        merged_into: None,
        agreement: None,
        title: None,
        backfill: false,
    }
}

fn history() -> Vec<IngestEvent> {
    vec![
        event(0, 0, Some("Working"), Some("Urgent")),
        event(0, 10, Some("Client"), None),
        event(0, 30, Some("Working"), None),
        event(0, 40, Some("Solved"), Some("Urgent")),
    ]
}

const MEANINGS: [(&str, TicketState); 3] = [
    ("Working", TicketState::InProgress),
    ("Client", TicketState::WaitingOnClient),
    ("Solved", TicketState::Resolved),
];

fn unrecorded(facts: &[TicketFact]) -> Vec<TicketFact> {
    let unrecorded = facts.iter().map(|fact| TicketFact {
        recorded: None,
        ..fact.clone()
    });
    unrecorded.collect()
}

/// In whatever order maps, events and ticks come, the clocks are the same in the end.
#[test]
fn the_order_of_arrival_does_not_matter() {
    let mut expected = Desk::new();
    expected.now = after(60);
    expected.map_statuses(&MEANINGS);
    expected.map_priority();
    for event in history() {
        expected.ingest(event).unwrap();
    }
    // When the status map comes, when the priority map does, and how often the sweeper comes by.
    for order in 0..5 * 5 * 2 {
        let (statuses, priority, sweeps) = (order % 5, order / 5 % 5, order / 25 == 1);
        let mut desk = Desk::new();
        desk.now = after(60);
        for step in 0..=history().len() {
            if statuses == step {
                desk.map_statuses(&MEANINGS);
            }
            if priority == step {
                desk.map_priority();
            }
            if sweeps {
                desk.sweep();
            }
            if let Some(event) = history().into_iter().rev().nth(step) {
                desk.ingest(event).unwrap();
            }
        }
        desk.sweep_all();
        let ticket = desk.tickets()[0].clone();
        assert_eq!(ticket.parked, [], "order {order}");
        assert_eq!(
            unrecorded(&ticket.facts),
            unrecorded(&expected.tickets()[0].facts)
        );
        assert_eq!(desk.clocks(), expected.clocks(), "order {order}");
        assert_eq!(ticket.state, TicketState::Resolved);
        assert_eq!(desk.sweep(), [""; 0]);
        for event in history() {
            assert_eq!(desk.ingest(event).unwrap(), [""; 0], "sent again");
        }
    }
}

/// A word's record does not grow with the number of tickets that wait for it, and none is left.
#[test]
fn many_tickets_wait_in_lists() {
    let mut desk = Desk::new();
    let tickets = 2 * WAITING_MAX + 7;
    for ticket in 0..tickets {
        for minute in [0, 1] {
            desk.ingest(event(ticket, minute, Some("Working"), None))
                .unwrap();
        }
    }
    let word = Word {
        firm: firm(),
        system: "psa".into(),
        instance: String::new(),
        kind: WordKind::Status,
        text: "Working".into(),
    };
    let word = word.id();
    let unmapped = desk.view().get::<UnmappedWord>(&word).unwrap().clone();
    assert_eq!((unmapped.waiting.len(), unmapped.lists_filed), (7, 2));
    assert_eq!(unmapped.parked_events, 2 * tickets as u64);
    assert_eq!(desk.sweep(), [""; 0]);
    desk.map_statuses(&MEANINGS);
    let parked = |desk: &Desk| {
        let tickets = desk.tickets().into_iter();
        tickets.map(|ticket| ticket.parked.len()).sum::<usize>()
    };
    assert_eq!(parked(&desk), 2 * tickets);
    desk.sweep();
    assert_eq!(parked(&desk), 2 * 2 * WAITING_MAX, "the record's own first");
    desk.sweep();
    assert_eq!(parked(&desk), 0);
    assert_eq!(desk.sweep(), [""; 0]);
    let settled = desk.view().get::<UnmappedWord>(&word).unwrap().clone();
    assert_eq!((settled.parked_events, settled.due_at), (0, None));
}

/// A word that is used again while its lists are still worked through, by a ticket in one of them.
#[test]
fn a_word_comes_back_while_a_list_is_due() {
    let mut desk = Desk::new();
    for ticket in 0..=WAITING_MAX {
        desk.ingest(event(ticket, 0, Some("Working"), None))
            .unwrap();
    }
    desk.map_statuses(&MEANINGS);
    // The list is told, and due; nobody looked at it yet.
    desk.sweep();
    desk.map_statuses(&MEANINGS[1..]);
    desk.ingest(event(0, 1, Some("Working"), None)).unwrap();
    desk.map_statuses(&MEANINGS);
    assert_eq!(desk.sweep_all(), 1, "nothing stays due");
    let tickets = desk.tickets();
    assert!(tickets.iter().all(|ticket| ticket.parked.is_empty()));
    let counting: usize = tickets.iter().map(|ticket| ticket.facts.len()).sum();
    assert_eq!(counting, WAITING_MAX + 2);
}

/// A tick takes up no further ticket after so many events, and the next one goes on from there.
#[test]
fn a_tick_is_bounded() {
    let mut desk = Desk::new();
    desk.now = after(2_000);
    for ticket in 0..4 {
        for minute in 0..600 {
            desk.ingest(event(ticket, minute, Some("Working"), None))
                .unwrap();
        }
    }
    desk.map_statuses(&MEANINGS);
    let unparked = |types: &[&str]| {
        let unparked = types
            .iter()
            .filter(|name| **name == "ticket.event_unparked");
        unparked.count()
    };
    assert_eq!(unparked(&desk.sweep()), 1_200);
    assert_eq!(unparked(&desk.sweep()), 1_200);
    assert_eq!(desk.sweep(), [""; 0]);
}

/// A map that forgets a word before the sweeper came by, and then an event that uses it: everything
/// waits for the next map.
#[test]
fn a_word_that_is_forgotten_again() {
    let mut desk = Desk::new();
    desk.ingest(event(0, 0, Some("Working"), None)).unwrap();
    desk.map_statuses(&MEANINGS);
    desk.map_statuses(&MEANINGS[1..]);
    desk.ingest(event(0, 1, Some("Working"), None)).unwrap();
    assert_eq!(desk.sweep(), [""; 0]);
    assert_eq!(desk.tickets()[0].parked.len(), 2);
    desk.map_statuses(&MEANINGS);
    desk.sweep_all();
    assert_eq!(desk.tickets()[0].facts.len(), 2);
}

/// A ticket whose event counted because it was sent again, before the sweeper came by, is listed
/// once if it waits once more.
#[test]
fn a_ticket_waits_again_before_the_sweeper_came() {
    let mut desk = Desk::new();
    desk.ingest(event(0, 0, Some("Working"), None)).unwrap();
    desk.map_statuses(&MEANINGS);
    let again = desk.ingest(event(0, 0, Some("Working"), None)).unwrap();
    assert_eq!(again, ["ticket.event_unparked"]);
    desk.map_statuses(&MEANINGS[1..]);
    desk.ingest(event(0, 1, Some("Working"), None)).unwrap();
    desk.map_statuses(&MEANINGS);
    desk.sweep_all();
    let ticket = desk.tickets()[0];
    assert_eq!((ticket.facts.len(), ticket.parked.len()), (2, 0));
}

/// What is parked counts towards the most events of a ticket, so that it always finds room.
#[test]
fn parked_events_have_room_to_count() {
    let mut desk = Desk::new();
    desk.now = after(2_000);
    for minute in 0..i64::try_from(FACTS_MAX).unwrap() {
        let status = (minute % 2 == 0).then_some("Working");
        desk.ingest(event(0, minute, status, None)).unwrap();
    }
    let refusal = desk.ingest(event(0, 1_500, None, None)).unwrap_err();
    assert_eq!(refusal.reason, Reason::LimitReached);
    desk.map_statuses(&MEANINGS);
    desk.sweep_all();
    assert_eq!(desk.tickets()[0].facts.len(), FACTS_MAX);
}
