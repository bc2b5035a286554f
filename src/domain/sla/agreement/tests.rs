//! The refresh that follows a repin: nothing is passed over, and nothing is done for ever.

use super::*;
use crate::domain::identity::{FirmId, ScopeId};
use crate::domain::record::{Event, Kind, RecordKey};
use crate::domain::world::{View, World};

/// An agreement `desk`, as far as repins are concerned.
struct Desk {
    world: World,
    scope: ScopeId,
    now: Timestamp,
}

fn at(minutes: i64) -> Timestamp {
    Timestamp::EARLIEST.saturating_add(Span::from_minutes(minutes))
}

fn refresh(began_at: i64, repins: usize, up_to: &str) -> Refresh {
    Refresh {
        began_at: at(began_at),
        repins,
        up_to: up_to.to_owned(),
    }
}

impl Desk {
    fn new() -> Self {
        let scope = ScopeId::partnership("p");
        let mut world = World::default();
        world.put_record(RecordKey::new(&scope, Kind::Agreement, "desk"), None);
        let mut desk = Self {
            world,
            scope,
            now: at(0),
        };
        let content = AgreementContent {
            display_name: "Desk".into(),
            agreement_type: AgreementType::Sla,
            obligor: PartyId::numbered(2),
            beneficiary: PartyId::numbered(1),
            client: None,
            targets: Vec::new(),
            calendar: "always".into(),
            calendar_revision: 1,
            response_by_state: false,
            pausing_states: Vec::new(),
            thresholds_bps: Vec::new(),
            retarget_rule: RetargetRule::default(),
            reopen_rules: Vec::new(),
            escalation_levels: Vec::new(),
            priority_matrix: Vec::new(),
        };
        desk.apply(AgreementEvent::Proposed(AgreementProposed {
            proposer: PartyId::numbered(1),
            content,
            hash: String::new(),
            state: AgreementState::Asserted,
        }));
        desk
    }

    fn apply(&mut self, event: AgreementEvent) {
        let recorded = Recorded {
            sequence: 1,
            at: self.now,
            firm: FirmId::parse("north"),
            actor: String::new(),
        };
        let event = Event::new("desk", event);
        self.world.apply(&self.scope, &event, &recorded).unwrap();
    }

    fn repin(&mut self, revision: u32, from: i64) {
        let repin = Repin {
            revision,
            from: at(from),
            recorded_at: self.now,
        };
        self.apply(AgreementEvent::Repinned(repin));
    }

    /// Notes how far a refresh has come; whether that changed anything.
    fn note(&mut self, before: Option<&Refresh>, reached: &Refresh, is_done: bool) -> bool {
        let view = View {
            world: &self.world,
            scope: &self.scope,
            now: self.now,
            next_sequence: 2,
        };
        let decision = note_refresh("desk", before, reached, is_done, &view).unwrap();
        let events: Vec<AgreementEvent> = decision
            .events
            .into_iter()
            .filter_map(|event| match event.body {
                crate::domain::record::EventBody::Agreement(event) => Some(event),
                _ => None,
            })
            .collect();
        let changed = !events.is_empty();
        for event in events {
            self.apply(event);
        }
        changed
    }

    fn due_at(&self) -> Option<Timestamp> {
        let key = RecordKey::new(&self.scope, Kind::Agreement, "desk");
        self.world.versioned(&key).unwrap().record.due_at()
    }
}

#[test]
fn a_refresh_goes_on_where_another_sweeper_stopped() {
    let mut desk = Desk::new();
    desk.now = at(10);
    desk.repin(2, 10);
    assert_eq!(desk.due_at(), Some(at(10)));
    let first = refresh(11, 1, "m");
    desk.now = at(11);
    assert!(desk.note(None, &first, false));
    // Somebody else did the same portion, or comes late with an older one.
    assert!(!desk.note(None, &first, false));
    assert!(!desk.note(None, &refresh(11, 1, "z"), true));
    assert_eq!(desk.due_at(), Some(at(10)));
    assert!(desk.note(Some(&first), &refresh(11, 1, "z"), true));
    assert_eq!(desk.due_at(), None);
    assert!(!desk.note(None, &first, false), "nothing is due any more");
}

#[test]
fn a_repin_during_a_refresh_needs_another_one() {
    let mut desk = Desk::new();
    desk.now = at(10);
    desk.repin(2, 10);
    let first = refresh(11, 1, "m");
    desk.now = at(11);
    desk.note(None, &first, false);
    desk.repin(3, 11);
    desk.note(Some(&first), &refresh(11, 1, "z"), true);
    assert_eq!(desk.due_at(), Some(at(11)));
    desk.note(None, &refresh(11, 2, "z"), true);
    assert_eq!(desk.due_at(), None);
}

#[test]
fn a_repin_of_the_future_is_looked_after_when_it_counts() {
    let mut desk = Desk::new();
    desk.now = at(10);
    desk.repin(2, 60);
    assert_eq!(desk.due_at(), Some(at(60)));
    assert!(!desk.note(None, &refresh(11, 1, "z"), true));
    desk.repin(3, 30);
    assert_eq!(desk.due_at(), Some(at(30)));
    desk.now = at(31);
    desk.note(None, &refresh(31, 2, "z"), true);
    assert_eq!(desk.due_at(), Some(at(60)));
    desk.now = at(60);
    desk.note(None, &refresh(60, 2, "z"), true);
    assert_eq!(desk.due_at(), None);
}
