//! What is adopted, and what stays as it was: commands go through `decide`, events through the
//! world's `apply`.

use std::collections::BTreeMap;
use std::sync::Arc;

use super::*;
use crate::domain::aggregate::Recorded;
use crate::domain::command::{Action, Command, decide};
use crate::domain::firm::FirmCommand;
use crate::domain::identity::ScopeId;
use crate::domain::partnership::{PartnershipCommand, PartnershipOpening, Role};
use crate::domain::record::RecordKey;
use crate::domain::refusal::Reason;
use crate::domain::sla::calendar::{MinuteOfDay, Weekday, WeeklyWindow, pinned_zone};
use crate::domain::sla::clock::TicketState;
use crate::domain::sla::combination::{CombinationCommand, Combined, Operand, Operator};
use crate::domain::time::Timestamp;
use crate::domain::world::{Need, Stop, World};

fn firm(id: &str) -> FirmId {
    FirmId::parse(id).unwrap()
}

/// A scope in which commands are decided.
struct Desk {
    world: World,
    scope: ScopeId,
    sequence: u64,
    zones: Vec<(String, Arc<[u8]>)>,
}

impl Desk {
    /// A partnership in which north is alone.
    fn partnership() -> Self {
        let mut desk = Self::new(ScopeId::partnership("p"));
        let opening = PartnershipOpening {
            display_name: "Alone".into(),
            firm_display_name: "North".into(),
            role: Role::Prime,
            partner_display_name: "South".into(),
            partner_role: Role::Sub,
            external_reference: None,
        };
        let create = PartnershipCommand::Create(opening);
        desk.run("north", Action::Partnership(create)).unwrap();
        desk
    }

    /// The scope of north.
    fn firm() -> Self {
        let mut desk = Self::new(firm("north").scope());
        let create = FirmCommand::Create {
            display_name: "North".into(),
        };
        desk.run("north", Action::Firm(create)).unwrap();
        desk
    }

    fn new(scope: ScopeId) -> Self {
        Self {
            world: World::default(),
            scope,
            sequence: 0,
            zones: Vec::new(),
        }
    }

    fn view(&self) -> View<'_> {
        View {
            world: &self.world,
            scope: &self.scope,
            now: Timestamp::EARLIEST,
            next_sequence: self.sequence + 1,
        }
    }

    /// Decides, loads what is missing (nothing is there), and applies what happened. Returns the
    /// types of the events.
    fn run(&mut self, by: &str, action: Action) -> Result<Vec<&'static str>, Refusal> {
        let command = Command {
            scope: self.scope.clone(),
            firm: Some(firm(by)),
            actor: String::new(),
            origin: String::new(),
            request_id: String::new(),
            digest: [0; 32],
            expected_revision: None,
            action,
            openings: Vec::new(),
        };
        let mut loads = 0;
        let decision = loop {
            let needs = match decide(&command, &self.view()) {
                Ok(decision) => break decision,
                Err(Stop::Refused(refusal)) => return Err(refusal),
                Err(Stop::Missing(need)) => need.each(),
            };
            loads += 1;
            assert!(loads < 20, "it asks for one thing after the other");
            for need in needs {
                match need {
                    Need::Record(key) => self.world.put_record(key, None),
                    Need::Reference(scope, reference) => {
                        self.world.put_reference(scope, reference, Vec::new());
                    }
                    other => panic!("{other:?} was written before it was needed"),
                }
            }
        };
        for (digest, tzif) in decision.zones {
            self.world
                .put_zone(self.scope.clone(), digest.clone(), Arc::clone(&tzif));
            self.zones.push((digest, tzif));
        }
        let mut types = Vec::new();
        for event in decision.events {
            self.sequence += 1;
            let recorded = Recorded {
                sequence: self.sequence,
                at: Timestamp::EARLIEST,
                firm: command.firm.clone(),
                actor: String::new(),
            };
            self.world.apply(&self.scope, &event, &recorded).unwrap();
            types.push(event.body.event_type());
        }
        Ok(types)
    }

    fn settings(&mut self, command: SettingsCommand) -> Result<Vec<&'static str>, Refusal> {
        self.run("north", Action::Settings(command))
    }

    fn calendar(&self, id: &str) -> &Calendar {
        self.view().get::<Calendar>(id).unwrap()
    }
}

fn specification(time_zone: &str) -> CalendarSpecification {
    let minute = |hour: u16| MinuteOfDay::from_minutes(hour * 60).unwrap();
    CalendarSpecification {
        time_zone: time_zone.to_owned(),
        weekly_windows: vec![WeeklyWindow {
            day: Weekday::Monday,
            start: minute(8),
            end: minute(17),
        }],
        exceptions: Vec::new(),
    }
}

fn from(of: &str, id: &str, revision: u64) -> AdoptedFrom {
    AdoptedFrom {
        firm: firm(of),
        id: id.to_owned(),
        revision,
    }
}

/// Paris by data that is not what the server has for Paris today.
fn adoption(from: AdoptedFrom) -> CalendarAdoption {
    let (_, tzif) = pinned_zone("Europe/Lisbon").unwrap();
    CalendarAdoption {
        id: "office".to_owned(),
        display_name: "Office".to_owned(),
        content: AdoptedContent::Windows {
            specification: specification("Europe/Paris"),
            zone_name: "Europe/Paris".to_owned(),
            tzif: tzif.into(),
        },
        from,
    }
}

fn revising(id: &str) -> SettingsCommand {
    SettingsCommand::ReviseCalendar {
        id: id.to_owned(),
        display_name: "By hand".to_owned(),
        specification: specification("UTC"),
    }
}

#[test]
fn an_adopted_revision_pins_the_zone_data_of_its_source() {
    let mut desk = Desk::partnership();
    let tzif: Arc<[u8]> = pinned_zone("Europe/Lisbon").unwrap().1.into();
    let adopted = SettingsCommand::AdoptCalendar(adoption(from("north", "office", 3)));
    let first = desk.settings(adopted.clone()).unwrap();
    let expected = [
        "zone.pinned",
        "calendar_revision.created",
        "calendar.revised",
    ];
    assert_eq!(first, expected);
    let zone_digest = digest(&tzif);
    assert_eq!(desk.zones, [(zone_digest.clone(), tzif)]);
    let revision = desk.view().get::<CalendarRevision>("office@1").unwrap();
    assert_eq!(revision.zone_digest, zone_digest);
    let zone = desk.view().get::<Zone>(&zone_digest).unwrap();
    assert_eq!(zone.time_zone, "Europe/Paris");
    let noted = desk.calendar("office").adopted_from.clone();
    assert_eq!(noted, Some(from("north", "office", 3)));

    assert_eq!(
        desk.settings(adopted),
        Ok(Vec::new()),
        "it is there already"
    );
    let next = adoption(from("north", "office", 4));
    let next = desk.settings(SettingsCommand::AdoptCalendar(next)).unwrap();
    assert_eq!(next, expected[1..], "the zone is there already");
    assert_eq!(desk.calendar("office").latest_revision, 2);
}

#[test]
fn hands_and_adoptions_do_not_mix() {
    let mut desk = Desk::partnership();
    let adopt = |from| SettingsCommand::AdoptCalendar(adoption(from));
    desk.settings(adopt(from("north", "office", 1))).unwrap();
    let operand = Operand {
        calendar: "office".to_owned(),
        revision: 1,
    };
    let combined = Action::Combination(CombinationCommand {
        calendar: Combined::Revised("office".to_owned()),
        display_name: "Both".to_owned(),
        operator: Operator::Union,
        operands: [operand.clone(), operand],
    });
    let refused = [
        desk.settings(revising("office")).unwrap_err(),
        desk.run("north", combined).unwrap_err(),
        desk.settings(adopt(from("north", "other", 1))).unwrap_err(),
    ];
    for refusal in refused {
        assert_eq!(refusal.reason, Reason::AdoptionConflict);
        let source = "firms/north/calendars/office".to_owned();
        assert_eq!(refusal.metadata, [("adopted_from", source)]);
    }
    let foreign = desk.settings(adopt(from("south", "office", 1)));
    assert_eq!(foreign.unwrap_err().reason, Reason::NotFound);
    desk.settings(SettingsCommand::CreateCalendar {
        id: Some("hands".to_owned()),
        display_name: "By hand".to_owned(),
        specification: specification("UTC"),
    })
    .unwrap();
    let mut over = adoption(from("north", "office", 1));
    over.id = "hands".to_owned();
    let over = desk.settings(SettingsCommand::AdoptCalendar(over));
    assert_eq!(over.unwrap_err().reason, Reason::AdoptionConflict);
}

#[test]
fn a_firms_scope_is_the_firms_alone() {
    let mut desk = Desk::firm();
    let create = |id: &str| {
        Action::Settings(SettingsCommand::CreateCalendar {
            id: Some(id.to_owned()),
            display_name: "Office".to_owned(),
            specification: specification("UTC"),
        })
    };
    assert!(desk.run("north", create("office")).is_ok());
    let operand = Operand {
        calendar: "office".to_owned(),
        revision: 0,
    };
    let combined = Action::Combination(CombinationCommand {
        calendar: Combined::New(Some("both".to_owned())),
        display_name: "Both".to_owned(),
        operator: Operator::Union,
        operands: [operand.clone(), operand],
    });
    let actions = [
        create("second"),
        Action::Settings(revising("office")),
        combined.clone(),
        Action::Settings(SettingsCommand::UpdateStatusMap {
            id: "words".to_owned(),
            allow_missing: true,
            map: words("south", None),
        }),
    ];
    for action in actions {
        let refusal = desk.run("south", action).unwrap_err();
        assert_eq!(refusal, Refusal::not_found("firm"));
    }
    assert!(desk.run("north", combined).is_ok());
    // Nothing is adopted by a firm.
    let adopted = SettingsCommand::AdoptCalendar(adoption(from("north", "x", 1)));
    assert_eq!(desk.settings(adopted).unwrap_err().reason, Reason::NotFound);
    let adopted = SettingsCommand::UpdateStatusMap {
        id: "words".to_owned(),
        allow_missing: true,
        map: words("north", Some(from("north", "words", 1))),
    };
    assert_eq!(desk.settings(adopted).unwrap_err().reason, Reason::NotFound);
}

fn words(of: &str, adopted_from: Option<AdoptedFrom>) -> StatusMap {
    let entries = (0..STATUS_MAP_ENTRIES_MAX)
        .map(|number| (format!("word {number}"), TicketState::InProgress));
    StatusMap {
        firm: firm(of),
        system: "psa".to_owned(),
        instance: String::new(),
        entries: entries.collect::<BTreeMap<_, _>>(),
        adopted_from,
    }
}

#[test]
fn as_many_words_as_there_may_be_are_looked_up_together() {
    let mut desk = Desk::partnership();
    let update = |adopted_from| SettingsCommand::UpdateStatusMap {
        id: "words".to_owned(),
        allow_missing: true,
        map: words("north", adopted_from),
    };
    let adopted = update(Some(from("north", "words", 1)));
    let first = desk.settings(adopted.clone()).unwrap();
    assert_eq!(first, ["status_map.replaced", "reference.added"]);
    assert_eq!(desk.settings(adopted), Ok(Vec::new()));
    // The same words in a later revision: only where they come from has changed.
    let later = desk
        .settings(update(Some(from("north", "words", 2))))
        .unwrap();
    assert_eq!(later, ["status_map.replaced"]);
    let refusal = desk.settings(update(None)).unwrap_err();
    assert_eq!(refusal.reason, Reason::AdoptionConflict);
    let key = RecordKey::new(&desk.scope, Kind::StatusMap, "words");
    assert_eq!(desk.world.versioned(&key).unwrap().revision, 2);
}
