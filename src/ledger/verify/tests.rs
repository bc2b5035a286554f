//! Exports are made here from events alone, tampered with, and verified.

mod openings;
mod signed;

use super::lines::{
    CheckpointLine, EntryLine, HeaderLine, Line, OpeningLine, OpeningsLine, RecordLine, ZoneLine,
};
use super::replay::Replay;
use super::*;
use crate::domain::commitment::{Commitment, Opening, Readers};
use crate::domain::firm::FirmCreated;
use crate::domain::identity::{FirmId, PartyId};
use crate::domain::journal::{ChainFault, Entry, Head};
use crate::domain::partnership::{
    Invitation, PartnerInvited, PartnershipCreated, PartnershipEnded, PartnershipEvent, Party, Role,
};
use crate::domain::record::Event;
use crate::domain::sla::calendar::CalendarSpecification;
use crate::domain::sla::settings::{CalendarRevision, CalendarRevisionEvent, Zone, ZoneEvent};
use crate::domain::time::{Span, Timestamp};
use crate::ledger::checkpoint::CheckpointSigner;

const TZIF: &[u8] = b"bytes of a zone";

fn signer() -> CheckpointSigner {
    CheckpointSigner::new("operator", &[3; 32])
}

fn evidence() -> Evidence {
    Evidence {
        verifier_key: Some(signer().verifier_key()),
        firm_keys: Vec::new(),
        checkpoints: Vec::new(),
    }
}

fn zone_digest() -> String {
    use sha2::{Digest, Sha256};
    data_encoding::HEXLOWER.encode(&Sha256::digest(TZIF))
}

fn reason() -> Opening {
    Opening::seal("reason", "moved away", [9; 16], Readers::EveryParty)
}

fn events(reason: Option<Commitment>) -> Vec<Event> {
    let party = |number, firm| Party {
        id: PartyId::numbered(number),
        firm,
        display_name: format!("Firm {number}"),
        role: Role::Peer,
        joined_at: None,
        left: None,
    };
    let parties = vec![party(1, FirmId::parse("acme")), party(2, None)];
    let created = PartnershipCreated {
        display_name: "Acme and Beta".to_owned(),
        parties,
    };
    let expires_at = Timestamp::EARLIEST.saturating_add(Span::from_hours(24));
    let invited = PartnerInvited {
        invitation: Invitation {
            party: PartyId::numbered(2),
            firm: None,
            digest: "0".repeat(64),
            expires_at,
        },
    };
    let pinned = Zone {
        time_zone: "Europe/Paris".to_owned(),
        tzif_bytes: 15,
    };
    let revision = CalendarRevision {
        specification: CalendarSpecification {
            time_zone: "Europe/Paris".to_owned(),
            weekly_windows: Vec::new(),
            exceptions: Vec::new(),
        },
        zone_digest: zone_digest(),
    };
    vec![
        Event::new("p", PartnershipEvent::Created(created)),
        Event::new("p", PartnershipEvent::Invited(invited)),
        Event::new(zone_digest(), ZoneEvent::Pinned(pinned)),
        Event::new("office@1", CalendarRevisionEvent::Created(revision)),
        Event::new(
            "p",
            PartnershipEvent::Ended(PartnershipEnded { reason, from: None }),
        ),
    ]
}

fn entries(scope: &ScopeId, events: &[Event]) -> Vec<Entry> {
    let mut head = Head::new(scope.clone());
    let mut entries = Vec::new();
    for event in events {
        let mut entry = Entry {
            scope: scope.clone(),
            sequence: head.sequence + 1,
            recorded_at: Timestamp::EARLIEST
                .saturating_add(Span::from_seconds(head.sequence.cast_signed())),
            firm: "acme".to_owned(),
            actor: "key".to_owned(),
            origin: String::new(),
            kind: event.body.kind().as_str().to_owned(),
            id: event.id.clone(),
            event_type: event.body.event_type().to_owned(),
            event_version: event.body.event_version(),
            payload: event.body.payload().unwrap(),
            previous_hash: head.hash,
            hash: head.hash,
            previous_sequence: None,
        };
        entry.hash = entry.computed_hash();
        head.advance(&entry);
        entries.push(entry);
    }
    entries
}

/// The lines of an export, in order, whatever is wrong with the events.
fn export_of(scope: &ScopeId, events: &[Event]) -> Vec<Line> {
    let mut replay = Replay::new(scope.clone());
    let mut report = Report::default();
    let entries = entries(scope, events);
    for entry in &entries {
        replay.entry(entry, &mut report);
    }
    let mut lines = vec![
        Line::Header(HeaderLine::of(&replay.head, OpeningsLine::Party)),
        Line::Checkpoint(CheckpointLine {
            note: signer().sign(&replay.head),
        }),
    ];
    lines.extend(
        entries
            .into_iter()
            .map(|entry| Line::Entry(EntryLine::of(entry).unwrap())),
    );
    lines.extend(
        replay
            .zone_digests()
            .iter()
            .map(|digest| Line::Zone(ZoneLine::of(digest, TZIF))),
    );
    let rows = replay
        .names()
        .into_iter()
        .map(|name| replay.row(&name).unwrap());
    lines.extend(rows.map(|row| Line::Record(RecordLine::of(row))));
    lines
}

/// Header, checkpoint, 5 entries, 1 zone, 3 records, 1 opening.
fn export() -> Vec<Line> {
    let reason = reason();
    let mut lines = export_of(
        &ScopeId::partnership("p"),
        &events(Some(reason.commitment.clone())),
    );
    lines.push(Line::Opening(OpeningLine::of(reason)));
    lines
}

fn text(lines: &[Line]) -> Vec<u8> {
    let mut text = Vec::new();
    for line in lines {
        serde_json::to_writer(&mut text, line).unwrap();
        text.push(b'\n');
    }
    text
}

fn verify(lines: &[Line], evidence: &Evidence) -> Report {
    verify_export(text(lines).as_slice(), evidence).unwrap()
}

fn causes(lines: &[Line]) -> Vec<Cause> {
    verify(lines, &evidence())
        .faults
        .into_iter()
        .map(|fault| fault.cause)
        .collect()
}

/// Changes the lines for which `change` finds something to change; there must be one.
fn changed(change: impl Fn(&mut Line) -> bool) -> Vec<Line> {
    let mut lines = export();
    let number = lines
        .iter_mut()
        .map(change)
        .filter(|changed| *changed)
        .count();
    assert_eq!(number, 1, "one line is tampered with");
    lines
}

fn without(gone: impl Fn(&Line) -> bool) -> Vec<Line> {
    let mut lines = export();
    let before = lines.len();
    lines.retain(|line| !gone(line));
    assert_eq!(lines.len(), before - 1, "one line is taken away");
    lines
}

fn is_entry(line: &Line, sequence: u64) -> bool {
    matches!(line, Line::Entry(entry) if entry.sequence == sequence)
}

fn is_record(line: &Line, kind: &str) -> bool {
    matches!(line, Line::Record(record) if record.kind == kind)
}

#[test]
fn what_was_not_touched_is_clean() {
    let report = verify(&export(), &evidence());
    assert!(report.is_clean(), "{report}");
    let expected = Counts {
        entries: 5,
        records: 3,
        zones: 1,
        openings: 1,
        erased: 0,
        sealed: 0,
        credentials: 0,
        checkpoints: 1,
        signatures: 0,
        divisions: 0,
        sales: 0,
    };
    assert_eq!(report.totals, expected);
    assert!(
        report.to_string().contains("partnerships/p: clean"),
        "{report}"
    );
}

#[test]
fn a_changed_payload_is_noticed() {
    let lines = changed(|line| match line {
        Line::Entry(entry) if entry.sequence == 1 => {
            entry.payload = entry.payload.replace("Acme", "Acne");
            true
        }
        _ => false,
    });
    let expected = [
        Cause::Chain(ChainFault::Altered { sequence: 1 }),
        Cause::RecordDiffers(vec!["body"]),
    ];
    assert_eq!(causes(&lines), expected);
}

#[test]
fn a_history_rewritten_as_a_whole_contradicts_the_checkpoint() {
    let original = export();
    let mut lines = export_of(&ScopeId::partnership("p"), &events(None));
    lines[1] = original[1].clone();
    assert_eq!(causes(&lines), [Cause::CheckpointContradicted(5)]);
    // A checkpoint that a firm kept earlier works the same way.
    let mut head = Head::new(ScopeId::partnership("p"));
    head.sequence = 5;
    head.hash = [7; 32];
    let mut kept = evidence();
    kept.checkpoints = vec![signer().sign(&head)];
    let report = verify(&export(), &kept);
    assert_eq!(report.faults[0].cause, Cause::CheckpointContradicted(5));
}

#[test]
fn a_dropped_entry_is_noticed() {
    let middle = causes(&without(|line| is_entry(line, 2)));
    assert_eq!(
        middle[0],
        Cause::Chain(ChainFault::Gap {
            expected: 2,
            found: 3
        })
    );
    let last = causes(&without(|line| is_entry(line, 5)));
    let expected = [
        Cause::RecordDiffers(vec![
            "revision",
            "sequence",
            "state",
            "due_at",
            "updated_at",
            "body",
        ]),
        Cause::HeadDiffers {
            expected: 5,
            found: 4,
        },
        Cause::CheckpointAhead {
            sequence: 5,
            last: 4,
        },
    ];
    assert_eq!(last, expected);
}

#[test]
fn a_changed_lost_or_added_record_is_noticed() {
    let record = |change: fn(&mut RecordLine)| {
        causes(&changed(|line| match line {
            Line::Record(record) if record.kind == "partnership" => {
                change(record);
                true
            }
            _ => false,
        }))
    };
    let differs = |column| vec![Cause::RecordDiffers(vec![column])];
    assert_eq!(
        record(|line| line.body["display_name"] = "Other".into()),
        differs("body")
    );
    assert_eq!(record(|line| line.revision += 1), differs("revision"));
    assert_eq!(
        record(|line| line.state = "active".to_owned()),
        differs("state")
    );
    assert_eq!(
        record(|line| line.due_at = Some(line.created_at)),
        differs("due_at")
    );
    assert_eq!(
        record(|line| line.created_at = line.updated_at),
        differs("created_at")
    );
    assert_eq!(
        record(|line| line.body_version = 2),
        differs("body_version")
    );
    assert_eq!(
        causes(&without(|line| is_record(line, "partnership"))),
        [Cause::RecordMissing]
    );
    let mut lines = export();
    let index = lines
        .iter()
        .position(|line| is_record(line, "zone"))
        .unwrap();
    lines.insert(index, lines[index].clone());
    assert_eq!(causes(&lines), [Cause::RecordUnfounded]);
    let Line::Record(added) = &mut lines[index] else {
        panic!("a record")
    };
    added.id = "f".repeat(64);
    assert_eq!(causes(&lines), [Cause::RecordUnfounded]);
}

#[test]
fn wrong_or_missing_zone_bytes_are_noticed() {
    let altered = changed(|line| match line {
        Line::Zone(zone) => {
            *zone = ZoneLine::of(&zone.digest, b"bytes of another zone");
            true
        }
        _ => false,
    });
    assert_eq!(causes(&altered), [Cause::ZoneAltered(zone_digest())]);
    let missing = without(|line| matches!(line, Line::Zone(_)));
    assert_eq!(causes(&missing), [Cause::ZoneMissing(zone_digest())]);
}

#[test]
fn a_false_opening_is_noticed() {
    let lines = changed(|line| match line {
        Line::Opening(opening) => {
            opening.value = "stayed".to_owned();
            true
        }
        _ => false,
    });
    assert_eq!(
        causes(&lines),
        [Cause::OpeningFalse(reason().commitment.as_str().to_owned())]
    );
}

#[test]
fn checkpoints_count_only_with_the_right_key() {
    let other = CheckpointSigner::new("operator", &[4; 32]).verifier_key();
    let other = Evidence {
        verifier_key: Some(other),
        firm_keys: Vec::new(),
        checkpoints: Vec::new(),
    };
    let found: Vec<_> = verify(&export(), &other)
        .faults
        .into_iter()
        .map(|fault| fault.cause)
        .collect();
    assert_eq!(
        found,
        [
            Cause::CheckpointRefused(CheckpointFault::NotSigned),
            Cause::CheckpointMissing
        ]
    );
    let report = verify(&export(), &Evidence::default());
    assert!(
        report.is_clean() && report.checkpoints_unchecked == 1,
        "{report}"
    );
}

#[test]
fn kept_checkpoints_of_earlier_entries_hold() {
    let scope = ScopeId::partnership("p");
    let entries = entries(&scope, &events(Some(reason().commitment)));
    let mut head = Head::new(scope);
    head.advance(&entries[2]);
    let mut kept = evidence();
    kept.checkpoints = vec![signer().sign(&head)];
    assert!(verify(&export(), &kept).is_clean());
    kept.checkpoints = vec![signer().sign(&Head {
        scope: ScopeId::partnership("q"),
        ..head
    })];
    let report = verify(&export(), &kept);
    assert_eq!(
        report.faults[0].cause,
        Cause::CheckpointAhead {
            sequence: 3,
            last: 0
        }
    );
}

#[test]
fn several_scopes_follow_each_other() {
    let firm = Event::new(
        "acme",
        crate::domain::firm::FirmEvent::Created(FirmCreated {
            display_name: "Acme".to_owned(),
        }),
    );
    let mut lines = export_of(&FirmId::parse("acme").unwrap().scope(), &[firm]);
    lines.extend(export());
    let report = verify(&lines, &evidence());
    assert!(report.is_clean() && report.scopes_count == 2, "{report}");
    assert_eq!(report.totals.entries, 6);
}

#[test]
fn an_event_that_does_not_fit_is_reported_once() {
    let mut events = events(None);
    events[0] = Event::new("q", events[0].body.clone());
    let scope = ScopeId::partnership("p");
    let mut replay = Replay::new(scope.clone());
    let mut report = Report::default();
    for entry in entries(&scope, &events) {
        replay.entry(&entry, &mut report);
    }
    assert_eq!(report.faults_count, 1, "{report}");
    assert_eq!(report.faults[0].sequence, Some(2));
    assert!(matches!(report.faults[0].cause, Cause::EventUnusable(_)));
}

#[test]
fn what_is_no_export_is_refused() {
    let refused = |text: &[u8]| {
        matches!(
            verify_export(text, &evidence()),
            Err(VerifyError::Malformed { .. })
        )
    };
    assert!(refused(b""));
    assert!(refused(b"nonsense\n"));
    assert!(refused(br#"{"type":"checkpoint","note":"","more":1}"#));
    let mut lines = export();
    assert!(refused(&text(&lines[1..])), "no header");
    let last = lines.len() - 1;
    lines.swap(2, last);
    assert!(refused(&text(&lines)), "entries after openings");
    let mut lines = export();
    let Line::Entry(entry) = &mut lines[2] else {
        panic!("an entry")
    };
    entry.sequence = u64::MAX;
    assert!(refused(&text(&lines)), "a sequence that cannot be");
}

#[test]
fn reports_stay_short() {
    let mut report = Report::default();
    let scope = ScopeId::partnership("p");
    for sequence in 0..=FAULTS_SHOWN_MAX as u64 {
        report.fault(Fault::of_scope(&scope, Cause::RecordMissing).at(sequence));
    }
    assert_eq!(report.faults.len(), FAULTS_SHOWN_MAX);
    assert!(report.to_string().contains("and 1 more faults"), "{report}");
}
