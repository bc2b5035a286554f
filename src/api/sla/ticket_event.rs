//! One event of a batch: what the caller sent, and what it is told.

use std::collections::BTreeSet;

use prost::Message;
use tonic_types::pb;

use super::check::{checked, whole};
use super::ticket::SHAPE;
use super::words::{long, priority, to_ticket_state, unknown};
use super::{AGREEMENT_SHAPE, parse_neighbour};
use crate::api::convert::{reference, timestamp, to_timestamp};
use crate::api::faults::Faults;
use crate::api::listing::name_in;
use crate::api::required;
use crate::api::status::status;
use crate::domain::identity::FirmId;
use crate::domain::refusal::{Reason, Refusal};
use crate::domain::sla::clock::{Mark, MergeTarget};
use crate::domain::sla::ticket::lateness::LateEvent;
use crate::domain::sla::ticket::{AWAITING, EVENT_ID_BYTES_MAX, IngestEvent, PARKED, REJECTED};
use crate::domain::text::{require_free_text, require_reference, require_token};
use crate::ledger::Receipt;
use crate::proto::v1;

/// Longest title of a ticket, in bytes.
pub(super) const TITLE_BYTES_MAX: usize = 200;
/// Most activities of one event: each of them once.
const ACTIVITIES_MAX: usize = 5;

/// What the caller sent, with its title left to be sealed.
///
/// # Errors
/// [`Reason::InvalidField`] with every fault; the paths begin within the event.
pub(super) fn ingest_event(
    sent: &v1::TicketEvent,
    firm: &FirmId,
    partnership: &str,
    backfill: bool,
) -> Result<IngestEvent, Refusal> {
    let mut faults = Faults::default();
    faults.take(checked(|violations| {
        require_token(violations, "event_id", &sent.event_id, EVENT_ID_BYTES_MAX);
    }));
    let ticket = faults.take(
        sent.ticket
            .as_ref()
            .ok_or_else(|| required("ticket"))
            .map(Some),
    );
    let reference = ticket.map(|ticket| reference(firm, ticket));
    if let Some(reference) = &reference {
        faults.take(checked(|violations| {
            require_reference(violations, "ticket", reference);
        }));
    }
    let occurred_at = sent.occur_time.ok_or_else(|| required("occur_time"));
    let occurred_at = faults.take(
        occurred_at
            .and_then(|at| timestamp("occur_time", at))
            .map(Some),
    );
    let opened_at = sent
        .open_time
        .and_then(|at| faults.take(timestamp("open_time", at).map(Some)));
    let priority = sent
        .priority
        .and_then(|number| faults.take(priority("priority", number).map(Some)));
    let reported_at = sent
        .report_time
        .and_then(|at| faults.take(timestamp("report_time", at).map(Some)));
    let agreement = if sent.agreement.is_empty() {
        None
    } else {
        faults.take(
            parse_neighbour("agreement", &sent.agreement, AGREEMENT_SHAPE, partnership).map(Some),
        )
    };
    let marks = marks(sent, &mut faults);
    let merged_into = merge_target(sent, firm, partnership, &mut faults);
    faults.take(checked(|violations| {
        require_free_text(violations, "title", &sent.title, TITLE_BYTES_MAX);
    }));
    let event = reference
        .zip(occurred_at)
        .map(|(reference, occurred_at)| IngestEvent {
            event_id: sent.event_id.clone(),
            reference,
            occurred_at,
            source_sequence: sent.source_sequence,
            opened_at,
            priority,
            source_priority: sent.source_priority.clone(),
            status: sent.status.clone(),
            marks,
            merged_into,
            person: sent.person_id.clone(),
            reported_at,
            agreement,
            title: None,
            five_w: None,
            backfill,
        });
    whole(faults, event)
}

/// Into which ticket the sender says that this one was merged.
fn merge_target(
    sent: &v1::TicketEvent,
    firm: &FirmId,
    partnership: &str,
    faults: &mut Faults,
) -> Option<MergeTarget> {
    use v1::merge_target::Target;
    let sent = sent.merged_into.as_ref()?;
    let missing = || required("merged_into.target");
    let target = sent.target.as_ref().ok_or_else(missing);
    match faults.take(target.map(Some))? {
        Target::Reference(sent) => {
            let reference = reference(firm, sent);
            faults.take(checked(|violations| {
                require_reference(violations, "merged_into.reference", &reference);
            }));
            Some(MergeTarget {
                reference: Some(reference),
                ticket: None,
            })
        }
        Target::Ticket(name) => {
            let id = parse_neighbour("merged_into.ticket", name, SHAPE, partnership);
            let ticket = faults.take(id.map(Some));
            Some(MergeTarget {
                reference: None,
                ticket,
            })
        }
    }
}

/// What the sender says was done.
fn marks(sent: &v1::TicketEvent, faults: &mut Faults) -> BTreeSet<Mark> {
    let mut marks = BTreeSet::new();
    if sent.response.unwrap_or_default() {
        marks.insert(Mark::Responded);
    }
    for (index, value) in sent.activities.iter().take(ACTIVITIES_MAX).enumerate() {
        let field = format!("activities[{index}]");
        let mark = match v1::TicketActivity::try_from(*value) {
            Ok(v1::TicketActivity::MessageReceived) => Ok(Mark::MessageReceived),
            Ok(v1::TicketActivity::UpdateGiven) => Ok(Mark::Updated),
            Ok(v1::TicketActivity::PlanGiven) => Ok(Mark::Planned),
            Ok(v1::TicketActivity::WorkaroundGiven) => Ok(Mark::WorkedAround),
            Ok(v1::TicketActivity::Merged) => Ok(Mark::Merged),
            Ok(v1::TicketActivity::Unspecified) | Err(_) => Err(unknown(&field)),
        };
        let Some(mark) = faults.take(mark.map(Some)) else {
            continue;
        };
        faults.require(marks.insert(mark), &field, "each activity once");
    }
    let few = sent.activities.len() <= ACTIVITIES_MAX;
    faults.require(few, "activities", "each activity once");
    marks
}

/// What the caller is told of an event that was taken.
pub(in crate::api) fn taken(receipt: &Receipt) -> v1::IngestResult {
    let outcome = match receipt.note.as_str() {
        PARKED => v1::IngestOutcome::Parked,
        AWAITING => v1::IngestOutcome::AwaitingCountersignature,
        REJECTED => v1::IngestOutcome::Rejected,
        _ if receipt.replayed => v1::IngestOutcome::AlreadyApplied,
        _ => v1::IngestOutcome::Applied,
    };
    v1::IngestResult {
        ticket: name_in(&receipt.scope, "tickets", &receipt.id),
        outcome: outcome.into(),
        error: None,
        sequence: long(receipt.sequence),
        hash: data_encoding::HEXLOWER.encode(&receipt.hash),
    }
}

/// What the caller is told of the event at `index`, which was refused.
pub(super) fn refused(index: usize, sent: &v1::TicketEvent, refusal: Refusal) -> v1::IngestResult {
    let refusal = within_event(index, sent, refusal);
    v1::IngestResult {
        outcome: v1::IngestOutcome::Refused.into(),
        error: Some(rpc_status(&refusal)),
        ..v1::IngestResult::default()
    }
}

/// Makes paths begin at the request, and names the event by the id that the caller knows.
fn within_event(index: usize, sent: &v1::TicketEvent, mut refusal: Refusal) -> Refusal {
    for violation in &mut refusal.violations {
        violation.field = format!("events[{index}].{}", violation.field);
    }
    if !refusal.violations.is_empty() {
        refusal.message = Refusal::fields(refusal.reason, refusal.violations.clone()).message;
    }
    if refusal.reason == Reason::EventIdReused {
        refusal.metadata = vec![("event_id", sent.event_id.clone())];
    }
    refusal
}

/// A late event as the contract shows it.
pub(super) fn to_late_event(late: &LateEvent) -> v1::LateEvent {
    let fact = &late.fact;
    let state = match &late.settled {
        None => v1::LateEventState::Awaiting,
        Some(settled) if settled.counts => v1::LateEventState::Countersigned,
        Some(_) => v1::LateEventState::Rejected,
    };
    let activities = fact.marks.iter().filter_map(|mark| to_activity(*mark));
    let settled = late.settled.as_ref();
    v1::LateEvent {
        event_id: fact.event_id.clone(),
        party_id: late.party.as_str().to_owned(),
        occur_time: Some(to_timestamp(fact.occurred_at)),
        receive_time: fact.recorded.map(|recorded| to_timestamp(recorded.at)),
        state: state.into(),
        open_time: fact.opened_at.map(to_timestamp),
        priority: fact.priority.map_or(0, |priority| priority.get().into()),
        status: fact.status.clone().unwrap_or_default(),
        ticket_state: fact.state.map_or(0, |state| to_ticket_state(state).into()),
        response: fact.says(Mark::Responded),
        activities: activities.map(Into::into).collect(),
        answer_time: settled.map(|settled| to_timestamp(settled.at)),
        answered_by: settled
            .map(|settled| settled.party.as_str().to_owned())
            .unwrap_or_default(),
        sequence: fact.recorded.map_or(0, |recorded| long(recorded.sequence)),
    }
}

/// What was done, as an activity; a response has a field of its own.
const fn to_activity(mark: Mark) -> Option<v1::TicketActivity> {
    match mark {
        Mark::Responded => None,
        Mark::MessageReceived => Some(v1::TicketActivity::MessageReceived),
        Mark::Updated => Some(v1::TicketActivity::UpdateGiven),
        Mark::Planned => Some(v1::TicketActivity::PlanGiven),
        Mark::WorkedAround => Some(v1::TicketActivity::WorkaroundGiven),
        Mark::Merged => Some(v1::TicketActivity::Merged),
    }
}

/// An error as a message: the same code, text and details that a failed call would carry.
pub(in crate::api) fn rpc_status(refusal: &Refusal) -> pb::Status {
    let shown = status(refusal);
    pb::Status::decode(shown.details()).unwrap_or_else(|_| pb::Status {
        code: shown.code().into(),
        message: shown.message().to_owned(),
        details: Vec::new(),
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::identity::ScopeId;
    use crate::domain::record::Kind;
    use tonic_types::RpcStatusExt;

    fn firm() -> FirmId {
        FirmId::parse("north").unwrap()
    }

    fn sent() -> v1::TicketEvent {
        v1::TicketEvent {
            event_id: "4711-1".into(),
            ticket: Some(v1::ExternalReference {
                system: "halopsa".into(),
                instance: String::new(),
                r#type: "ticket".into(),
                id: "4711".into(),
            }),
            occur_time: Some(prost_types::Timestamp {
                seconds: 1_767_225_600,
                nanos: 5_000,
            }),
            priority: Some(2),
            status: Some("New".into()),
            agreement: "partnerships/p/agreements/gold".into(),
            title: "Printer on fire".into(),
            ..v1::TicketEvent::default()
        }
    }

    fn receipt(note: &str, replayed: bool) -> Receipt {
        Receipt {
            scope: ScopeId::partnership("p"),
            sequence: 7,
            hash: [1; 32],
            kind: Kind::Ticket,
            id: "t1".into(),
            note: note.into(),
            replayed,
            carries: Vec::new(),
        }
    }

    #[test]
    fn an_event_is_read_whole() {
        let event = ingest_event(&sent(), &firm(), "p", true).unwrap();
        assert_eq!(event.reference.firm, firm());
        assert_eq!(event.occurred_at.as_micros(), 1_767_225_600_000_005);
        assert_eq!(event.priority.map(u8::from), Some(2));
        assert_eq!(event.agreement.as_deref(), Some("gold"));
        assert!(event.backfill && event.marks.is_empty() && event.title.is_none());
    }

    #[test]
    fn every_fault_is_listed_by_its_path() {
        let event = v1::TicketEvent {
            event_id: String::new(),
            ticket: Some(v1::ExternalReference::default()),
            occur_time: None,
            open_time: Some(prost_types::Timestamp {
                seconds: 0,
                nanos: 1,
            }),
            priority: Some(0),
            agreement: "partnerships/q/agreements/gold".into(),
            title: "x".repeat(TITLE_BYTES_MAX + 1),
            ..sent()
        };
        let refusal = ingest_event(&event, &firm(), "p", false).unwrap_err();
        let shown = refused(3, &event, refusal);
        assert_eq!(shown.outcome(), v1::IngestOutcome::Refused);
        let error = shown.error.unwrap();
        assert_eq!(error.code, i32::from(tonic::Code::InvalidArgument));
        assert!(
            error.message.starts_with("events[3].event_id: "),
            "{}",
            error.message
        );
        let details = error.get_error_details();
        assert_eq!(details.error_info().unwrap().reason, "INVALID_FIELD");
        let fields: Vec<&str> = details
            .bad_request()
            .unwrap()
            .field_violations
            .iter()
            .map(|violation| violation.field.as_str())
            .collect();
        let expected = [
            "events[3].event_id",
            "events[3].ticket.system",
            "events[3].ticket.type",
            "events[3].ticket.id",
            "events[3].occur_time",
            "events[3].open_time",
            "events[3].priority",
            "events[3].agreement",
            "events[3].title",
        ];
        assert_eq!(fields, expected);
    }

    #[test]
    fn outcomes_tell_parked_from_applied_even_when_sent_again() {
        for (note, replayed, outcome) in [
            ("", false, v1::IngestOutcome::Applied),
            ("", true, v1::IngestOutcome::AlreadyApplied),
            (PARKED, false, v1::IngestOutcome::Parked),
            (PARKED, true, v1::IngestOutcome::Parked),
            (AWAITING, false, v1::IngestOutcome::AwaitingCountersignature),
            (AWAITING, true, v1::IngestOutcome::AwaitingCountersignature),
            (REJECTED, true, v1::IngestOutcome::Rejected),
        ] {
            let result = taken(&receipt(note, replayed));
            assert_eq!(result.outcome(), outcome);
            assert_eq!(
                (result.ticket.as_str(), result.sequence),
                ("partnerships/p/tickets/t1", 7)
            );
            assert_eq!(result.hash, "01".repeat(32));
        }
    }

    #[test]
    fn a_reused_event_id_is_named_as_the_caller_knows_it() {
        let refusal = Refusal::new(Reason::EventIdReused, "used").with("id", "event:4711-1");
        let error = refused(0, &sent(), refusal).error.unwrap();
        let details = error.get_error_details();
        assert_eq!(
            details
                .error_info()
                .unwrap()
                .metadata
                .get("event_id")
                .map(String::as_str),
            Some("4711-1")
        );
    }
}
