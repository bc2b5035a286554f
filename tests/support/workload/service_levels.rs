//! Calendars, status maps, agreements, and what happens to tickets.

use std::collections::{BTreeMap, BTreeSet};

use entente::domain::command::Action;
use entente::domain::expectation::{ImpactScope, Severity};
use entente::domain::identity::{FirmId, PartyId};
use entente::domain::record::Kind;
use entente::domain::sla::agreement::{
    AgreementCommand, AgreementContent, AgreementType, PriorityMatrixEntry,
};
use entente::domain::sla::calendar::{
    CalendarSpecification, MinuteOfDay, Weekday, WeeklyWindow, pinned_zone,
};
use entente::domain::sla::clock::{
    EscalationLevel, EscalationType, LevelAt, Mark, Priority, ReopenRule, RetargetRule,
    ServiceLevelTarget, TargetReopenRule, TargetType, TicketState,
};
use entente::domain::sla::in_force::PinnedTerms;
use entente::domain::sla::link::{LinkCommand, LinkedPair, TicketName};
use entente::domain::sla::settings::{
    AdoptedContent, AdoptedFrom, CalendarAdoption, PriorityMap, SettingsCommand, StatusMap, Word,
    WordKind,
};
use entente::domain::sla::ticket::amendment::{AmendmentContent, DateAmendment, Exclusion};
use entente::domain::sla::ticket::lateness::LateAnswer;
use entente::domain::sla::ticket::{AmendmentAnswer, AmendmentVerb, IngestEvent, TicketCommand};
use entente::domain::time::{Span, Timestamp};
use rand::SeedableRng;
use rand_chacha::ChaCha8Rng;
use sha2::{Digest, Sha256};

use super::partnerships::reference;
use super::{CALENDARS, Draw, Hint, START, agreement_id, calendar_id, client_id};

/// Statuses of every firm's software, and what they may be said to mean.
const STATUSES: [(&str, TicketState); 6] = [
    ("New", TicketState::New),
    ("Working", TicketState::InProgress),
    ("Waiting Client", TicketState::WaitingOnClient),
    ("Waiting Partner", TicketState::WaitingOnPartner),
    ("Done", TicketState::Resolved),
    ("Archived", TicketState::Closed),
];
/// Priorities of every firm's software, and what they may be said to mean.
const PRIORITIES: [(&str, u8); 3] = [("Urgent", 1), ("3 - Moderate", 3), ("P5", 5)];
/// Tickets of each firm in each partnership.
const TICKETS: u16 = 6;

/// Links of few tickets, so that some are linked twice.
pub(super) fn ticket_link(draw: &mut Draw, hint: &Hint) -> Action {
    if !hint.text.is_empty() && draw.chance(30) {
        let id = hint.text.clone();
        return Action::TicketLink(LinkCommand::Delete { id });
    }
    let mut ticket = || TicketName {
        partnership: format!("partnership-{}", draw.number(0..2)),
        ticket: format!("ticket-{}", draw.number(0..TICKETS)),
    };
    Action::TicketLink(LinkCommand::Create(LinkedPair {
        upstream: ticket(),
        downstream: ticket(),
    }))
}

pub(super) fn calendar(draw: &mut Draw, number: u8, hint: &Hint) -> Action {
    let id = calendar_id(number);
    let display_name = format!("Hours {number}");
    let specification = specification(draw);
    let create = (hint.revision == 0) != draw.chance(10);
    Action::Settings(if create {
        SettingsCommand::CreateCalendar {
            id: Some(id),
            display_name,
            specification,
        }
    } else {
        SettingsCommand::ReviseCalendar {
            id,
            display_name,
            specification,
        }
    })
}

/// A revision of a firm's own calendar, under an id of its own or one that is taken by hand.
pub(super) fn adoption(draw: &mut Draw, firm: &str) -> Action {
    let specification = specification(draw);
    // The data that a zone had when the revision was written need not be what it has now.
    let zone = *draw.one_of(&["Europe/Paris", "Asia/Tokyo"]);
    let (zone_name, tzif) = pinned_zone(zone).expect("a zone");
    let id = if draw.chance(85) {
        format!("adopted-by-{firm}")
    } else {
        calendar_id(0)
    };
    let source = if draw.chance(95) { firm } else { "cargo" };
    Action::Settings(SettingsCommand::AdoptCalendar(CalendarAdoption {
        id,
        display_name: "Adopted".to_owned(),
        content: AdoptedContent::Windows {
            specification,
            zone_name: zone_name.to_owned(),
            tzif: tzif.into(),
        },
        from: AdoptedFrom {
            firm: FirmId::parse(source).expect("recipes name firms"),
            id: calendar_id(draw.number(0..CALENDARS)),
            revision: draw.number(1..4),
        },
    }))
}

fn specification(draw: &mut Draw) -> CalendarSpecification {
    let time_zone = *draw.one_of(&[
        "Europe/Paris",
        "America/New_York",
        "UTC",
        "Asia/Kolkata",
        "Europe/Paris",
        "Mars/Olympus",
    ]);
    let start = draw.number(0..20) * 60;
    let end = draw.number(0..=24) * 60;
    let minute = |minutes| MinuteOfDay::from_minutes(minutes).expect("within a day");
    let days = if draw.chance(10) {
        0
    } else {
        draw.number(1..=7_usize)
    };
    let window = |day: &Weekday| WeeklyWindow {
        day: *day,
        start: minute(start),
        end: minute(end),
    };
    CalendarSpecification {
        time_zone: time_zone.to_owned(),
        weekly_windows: Weekday::ALL.iter().take(days).map(window).collect(),
        exceptions: Vec::new(),
    }
}

pub(super) fn status_map(draw: &mut Draw, firm: &str) -> Action {
    let mut entries = BTreeMap::new();
    for (status, state) in STATUSES {
        if draw.chance(70) {
            entries.insert(status.to_owned(), state);
        }
    }
    let map = StatusMap {
        firm: FirmId::parse(firm).expect("recipes name firms"),
        system: "psa".to_owned(),
        instance: String::new(),
        entries,
        adopted_from: None,
    };
    Action::Settings(SettingsCommand::UpdateStatusMap {
        id: format!("map-{firm}"),
        allow_missing: draw.chance(80),
        map,
    })
}

pub(super) fn priority_map(draw: &mut Draw, firm: &str) -> Action {
    let mut entries = BTreeMap::new();
    for (word, number) in PRIORITIES {
        if draw.chance(70) {
            let priority = Priority::new(number).expect("1 to 5");
            entries.insert(word.to_owned(), priority);
        }
    }
    let map = PriorityMap {
        firm: FirmId::parse(firm).expect("recipes name firms"),
        system: "psa".to_owned(),
        instance: String::new(),
        entries,
        adopted_from: None,
    };
    Action::Settings(SettingsCommand::UpdatePriorityMap {
        id: format!("map-{firm}"),
        allow_missing: draw.chance(80),
        map,
    })
}

/// Time is said to have passed for a word that may be unmapped.
pub(super) fn tick_word(draw: &mut Draw, firm: &str) -> Action {
    let (kind, text) = if draw.chance(60) {
        (WordKind::Status, draw.one_of(&STATUSES).0)
    } else {
        (WordKind::Priority, draw.one_of(&PRIORITIES).0)
    };
    let word = Word {
        firm: FirmId::parse(firm).expect("recipes name firms"),
        system: "psa".to_owned(),
        instance: String::new(),
        kind,
        text: text.to_owned(),
    };
    Action::Tick {
        kind: Kind::UnmappedWord,
        id: word.id(),
    }
}

pub(super) fn agreement(draw: &mut Draw, number: u8, hint: &Hint, at: Timestamp) -> Action {
    let id = agreement_id(number);
    let random = draw.number(0..100);
    let sensible = match hint.state.as_str() {
        "" => 0,
        "proposed" => 60,
        "asserted" => draw.number(55..95),
        _ => random,
    };
    Action::Agreement(match if draw.chance(75) { sensible } else { random } {
        0..40 => AgreementCommand::Create {
            id: Some(id),
            content: content(draw, number),
            calendar: None,
        },
        40..75 => AgreementCommand::Approve {
            id,
            hash: hint.text.clone(),
        },
        75..97 => AgreementCommand::Revise {
            id,
            content: content(draw, number),
            repin_from: draw.chance(60).then(|| {
                let minutes = draw.number(-600..2_000);
                at.saturating_add(Span::from_minutes(minutes))
            }),
        },
        _ => AgreementCommand::End { id },
    })
}

/// What an agreement says. Its number mostly decides what a revision may not change.
fn content(draw: &mut Draw, number: u8) -> AgreementContent {
    let mut targets = Vec::new();
    for number in 1..=5 {
        for target_type in TargetType::ALL {
            let priority = Priority::new(number).expect("1 to 5");
            let duration = Span::from_minutes(draw.number(1..3_000));
            if draw.chance(20) {
                targets.push(ServiceLevelTarget {
                    target_type,
                    priority,
                    duration,
                });
            }
        }
    }
    let types = [
        AgreementType::Sla,
        AgreementType::Reciprocal,
        AgreementType::Ola,
        AgreementType::UnderpinningContract,
    ];
    let (agreement_type, obligor) = if draw.chance(80) {
        (
            types[usize::from(number) % types.len()],
            usize::from(number) % 2 + 1,
        )
    } else {
        (*draw.one_of(&types), draw.number(1..=2))
    };
    if agreement_type == AgreementType::Reciprocal {
        // Now and then something is owed in return that cannot be.
        targets.retain(|target| target.target_type.may_be_reciprocal() || draw.chance(2));
    }
    AgreementContent {
        display_name: "Service levels".to_owned(),
        agreement_type,
        obligor: PartyId::numbered(obligor),
        beneficiary: PartyId::numbered(if draw.chance(5) { obligor } else { 3 - obligor }),
        client: draw.chance(3).then(|| client_id(0)),
        targets,
        calendar: calendar_id(draw.number(0..CALENDARS)),
        calendar_revision: if draw.chance(20) {
            2
        } else {
            draw.number(0..2)
        },
        response_by_state: draw.chance(50),
        // Some targets are longer than some calendars are ever open.
        pausing_states: vec![TicketState::WaitingOnClient, TicketState::WaitingOnPartner],
        thresholds_bps: if draw.chance(50) {
            Vec::new()
        } else {
            vec![2_500, 10_000]
        },
        retarget_rule: *draw.one_of(&[
            RetargetRule::Retroactive,
            RetargetRule::FromChange,
            RetargetRule::ProRata,
        ]),
        reopen_rules: reopen_rules(draw),
        escalation_levels: escalation_levels(draw),
        priority_matrix: priority_matrix(draw),
    }
}

/// Now and then a pair is there twice, which is refused.
fn priority_matrix(draw: &mut Draw) -> Vec<PriorityMatrixEntry> {
    let entries = 0..draw.number(0..3);
    let entry = |_| PriorityMatrixEntry {
        scope: *draw.one_of(&ImpactScope::ALL),
        severity: *draw.one_of(&Severity::ALL),
        priority: Priority::new(draw.number(1..=5)).expect("1 to 5"),
    };
    entries.map(entry).collect()
}

fn reopen_rules(draw: &mut Draw) -> Vec<TargetReopenRule> {
    let rule = *draw.one_of(&[
        ReopenRule::Resume,
        ReopenRule::Restart,
        ReopenRule::NewCycle,
    ]);
    let target_type = *draw.one_of(&[TargetType::Resolution, TargetType::Workaround]);
    let rule = TargetReopenRule { target_type, rule };
    draw.chance(60).then_some(rule).into_iter().collect()
}

fn escalation_levels(draw: &mut Draw) -> Vec<EscalationLevel> {
    let at = if draw.chance(50) {
        LevelAt::Share(draw.number(1..=10_000))
    } else {
        LevelAt::BeforeDue(Span::from_minutes(draw.number(1..600)))
    };
    let level = EscalationLevel {
        name: "duty-manager".to_owned(),
        escalation_type: EscalationType::Hierarchical,
        at,
        target_types: Vec::new(),
    };
    draw.chance(50).then_some(level).into_iter().collect()
}

fn marks(draw: &mut Draw) -> BTreeSet<Mark> {
    let mut marks = BTreeSet::new();
    for (mark, percent) in [
        (Mark::Responded, 20),
        (Mark::MessageReceived, 15),
        (Mark::Updated, 10),
        (Mark::Planned, 5),
        (Mark::WorkedAround, 5),
        (Mark::Merged, 1),
    ] {
        if draw.chance(percent) {
            marks.insert(mark);
        }
    }
    marks
}

/// An event of a firm's software. Whoever sends it, and however often, it says the same.
pub(super) fn event(draw: &mut Draw, event: u16, other: bool, scope: &str, firm: &str) -> Action {
    let seed = Sha256::digest(format!("{scope} {firm} {event} {other}"));
    draw.rng = ChaCha8Rng::from_seed(seed.into());
    let occurred_at = START.saturating_add(Span::from_minutes(draw.number(-24 * 60..36 * 60)));
    let said = draw.number(0..100);
    Action::Ticket(TicketCommand::Ingest(Box::new(IngestEvent {
        event_id: format!("event-{event}"),
        reference: reference(firm, "ticket", format!("T{}", event % TICKETS)),
        occurred_at,
        source_sequence: i64::from(event),
        opened_at: draw.chance(20).then_some(occurred_at),
        priority: (said < 40).then(|| Priority::new(draw.number(1..=5)).expect("1 to 5")),
        // Now and then in both ways, which is refused.
        source_priority: (37..70)
            .contains(&said)
            .then(|| draw.one_of(&PRIORITIES).0.to_owned()),
        status: draw.chance(70).then(|| draw.one_of(&STATUSES).0.to_owned()),
        marks: marks(draw),
        person: draw.chance(30).then(|| format!("person-{}", said % 7)),
        reported_at: draw
            .chance(30)
            .then(|| occurred_at.saturating_add(Span::from_minutes(draw.number(-60..10)))),
        merged_into: None,
        agreement: draw.chance(70).then(|| agreement_id(draw.number(0..2))),
        title: draw.maybe_text("ticket.title"),
        five_w: None,
        backfill: draw.chance(20),
    })))
}

/// What is agreed about a ticket, and what is answered.
pub(super) fn ticket(draw: &mut Draw, firm: &str, hint: &Hint, at: Timestamp) -> Action {
    let ticket = hint.text.clone();
    let awaited = !hint.state.is_empty();
    let sensible = if awaited { 0..100 } else { 0..75 };
    let choice = draw.mostly(sensible);
    let command = match choice {
        _ if hint.criteria == 0 && choice < 75 => TicketCommand::ProposeAmendment {
            ticket,
            content: amendment(draw, at),
        },
        0..30 => TicketCommand::ProposeAmendment {
            ticket,
            content: amendment(draw, at),
        },
        30..75 => {
            let number = draw.mostly(1..hint.criteria.saturating_add(2));
            let verb = match draw.number(0..10) {
                0..6 => AmendmentVerb::Approve,
                6..8 => AmendmentVerb::Decline(draw.maybe_text("reason")),
                _ => AmendmentVerb::Withdraw(draw.maybe_text("reason")),
            };
            TicketCommand::AnswerAmendment(AmendmentAnswer {
                ticket,
                amendment: number.to_string(),
                verb,
            })
        }
        75..95 => TicketCommand::AnswerLate(LateAnswer {
            ticket,
            event_id: hint.state.clone(),
            party: None,
            counts: draw.chance(70),
        }),
        _ => TicketCommand::Link {
            ticket,
            reference: reference(firm, "ticket", format!("T{}", draw.number(0..TICKETS))),
        },
    };
    Action::Ticket(command)
}

fn amendment(draw: &mut Draw, at: Timestamp) -> AmendmentContent {
    let before = at.saturating_add(Span::from_minutes(draw.number(-24 * 60..0)));
    match draw.number(0..3) {
        0 => AmendmentContent::AgreedDate(DateAmendment {
            target_type: *draw.one_of(&TargetType::ALL),
            due_at: draw.chance(80).then(|| draw.around(at)),
        }),
        1 => AmendmentContent::Exclusion(Exclusion {
            from: before,
            to: before.saturating_add(Span::from_minutes(draw.number(0..600))),
            class: draw.chance(40).then(|| "maintenance".to_owned()),
            reason: draw.maybe_text("amendment.exclusion.reason"),
        }),
        _ => AmendmentContent::Agreement(PinnedTerms {
            agreement: agreement_id(draw.number(0..2)),
            revision: 0,
        }),
    }
}
