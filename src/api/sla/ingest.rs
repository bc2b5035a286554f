//! `BatchIngestEvents`: each event is a command of its own, so that none hurts another.

use std::collections::{HashMap, HashSet};

use tonic::{Request, Response};

use super::check::{checked, whole};
use super::ticket_event::{ingest_event, refused, taken};
use super::{SlaService, parse_parent};
use crate::api::caller::Caller;
use crate::api::convert::reference;
use crate::api::expectation::parse::Intake;
use crate::api::faults::Faults;
use crate::api::listing::name_in;
use crate::api::status::ApiError;
use crate::api::{Api, ORIGIN_BYTES_MAX, REQUEST_ID_BYTES_MAX, deadline};
use crate::domain::command::{Action, Command};
use crate::domain::commitment::{Opening, Readers};
use crate::domain::firm::Permission;
use crate::domain::identity::{ExternalReference, ScopeId};
use crate::domain::record::Kind;
use crate::domain::refusal::{Reason, Refusal, Violations};
use crate::domain::sla::ticket::TicketCommand;
use crate::domain::text::{require_reference, require_token};
use crate::domain::time::Timestamp;
use crate::ledger::Receipt;
use crate::ledger::queue::Urgency;
use crate::proto::v1;

/// Most events of one batch.
pub(super) const EVENTS_MAX: usize = 1_000;
/// Most records of one firm's own id that are looked through.
pub(super) const REFERENCES_READ_MAX: usize = 1_000;

/// `BatchIngestEvents`.
pub(super) async fn batch_ingest(
    service: &SlaService,
    request: &Request<v1::BatchIngestEventsRequest>,
) -> Result<Response<v1::BatchIngestEventsResponse>, ApiError> {
    let api = service.api.as_ref();
    let caller = api.caller(request, Permission::Tickets).await?;
    let deadline = deadline(request, api.now());
    let message = request.get_ref();
    let partnership = check_batch(message)?;
    let scope = api.member(&caller, &partnership).await?.scope();
    let answers = ingest_each(api, &caller, &scope, message, deadline).await?;
    let tickets = tickets_of_refused(api, &caller, &scope, message, &answers).await;
    let events = message.events.iter().zip(answers).enumerate();
    let results = events.map(|(index, (event, answer))| {
        let refusal = match answer {
            Ok(Some(receipt)) => return taken(&receipt),
            Ok(None) => Refusal::new(Reason::Internal, "an answer was lost"),
            Err(refusal) => refusal,
        };
        let reference = own_reference(&caller, event);
        let ticket = reference.and_then(|reference| tickets.get(&reference).cloned());
        v1::IngestResult {
            ticket: ticket.unwrap_or_default(),
            ..refused(index, event, refusal)
        }
    });
    let results = results.collect();
    Ok(Response::new(v1::BatchIngestEventsResponse { results }))
}

/// What became of one event; no receipt while that is not known.
pub(in crate::api) type Answer = Result<Option<Receipt>, Refusal>;

/// Submits the events of a batch, each for itself; what became of each, in their order.
///
/// # Errors
/// If the batch fails as a whole.
pub(in crate::api) async fn ingest_each(
    api: &Api,
    caller: &Caller,
    scope: &ScopeId,
    message: &v1::BatchIngestEventsRequest,
    deadline: Timestamp,
) -> Result<Vec<Answer>, ApiError> {
    let mut answers: Vec<Answer> = Vec::with_capacity(message.events.len());
    let mut commands = Vec::with_capacity(message.events.len());
    for event in &message.events {
        let command = command(api, caller, scope, message, event);
        answers.push(command.map(|command| commands.push(command)).map(|()| None));
    }
    let urgency = if message.backfill {
        Urgency::Background
    } else {
        Urgency::Interactive
    };
    let outcomes = api
        .ledger
        .submit_all(commands, Some(deadline), urgency)
        .await;
    let submitted = answers.iter_mut().filter(|answer| answer.is_ok());
    for (answer, outcome) in submitted.zip(outcomes) {
        *answer = outcome.map(Some).map_err(|failure| failure.0);
    }
    refuse_if_ended(&answers)?;
    Ok(answers)
}

/// What concerns the whole call; returns the partnership. Events are idempotent by their own ids,
/// so nothing more is made of the request id.
fn check_batch(message: &v1::BatchIngestEventsRequest) -> Result<String, Refusal> {
    let mut faults = Faults::default();
    let partnership = faults.take(parse_parent(&message.parent).map(Some));
    let sensible = (1..=EVENTS_MAX).contains(&message.events.len());
    faults.require(sensible, "events", &format!("1 to {EVENTS_MAX} events"));
    for (field, text, bytes_max) in [
        ("request_id", &message.request_id, REQUEST_ID_BYTES_MAX),
        ("origin", &message.origin, ORIGIN_BYTES_MAX),
    ] {
        if !text.is_empty() {
            faults.take(checked(|violations| {
                require_token(violations, field, text, bytes_max);
            }));
        }
    }
    whole(faults, partnership)
}

fn command(
    api: &Api,
    caller: &Caller,
    scope: &ScopeId,
    message: &v1::BatchIngestEventsRequest,
    sent: &v1::TicketEvent,
) -> Result<Command, Refusal> {
    let mut event = ingest_event(sent, &caller.firm, scope.id(), message.backfill)?;
    let mut openings = Vec::new();
    if !sent.title.is_empty() {
        let opening = Opening::seal("ticket.title", &sent.title, api.salt(), Readers::EveryParty);
        event.title = Some(opening.commitment.clone());
        openings.push(opening);
    }
    if let Some(given) = &sent.five_w {
        let mut intake = Intake::new(api);
        event.five_w = Some(Box::new(intake.five_w("five_w", given)));
        openings.extend(intake.finish().map_err(|error| error.0)?);
    }
    Ok(Command {
        scope: scope.clone(),
        firm: Some(caller.firm.clone()),
        actor: caller.actor.clone(),
        origin: message.origin.clone(),
        // The ticket itself recognises an event that it has already.
        request_id: String::new(),
        digest: [0; 32],
        expected_revision: None,
        action: Action::Ticket(TicketCommand::Ingest(Box::new(event))),
        openings,
    })
}

/// An ended partnership takes no event, and then the call as a whole fails. Where some were taken
/// (they had been sent before, or the end came in between), each event has its own answer.
fn refuse_if_ended(answers: &[Answer]) -> Result<(), Refusal> {
    let mut refusals = answers.iter().filter_map(|answer| answer.as_ref().err());
    let ended = refusals.find(|refusal| refusal.reason == Reason::PartnershipEnded);
    match ended {
        Some(refusal) if answers.iter().all(Result::is_err) => Err(refusal.clone()),
        _ => Ok(()),
    }
}

/// The names of tickets that are there although an event of theirs was refused. It is a help for
/// the caller: what was decided stands, so a store that fails here only leaves names out.
async fn tickets_of_refused(
    api: &Api,
    caller: &Caller,
    scope: &ScopeId,
    message: &v1::BatchIngestEventsRequest,
    answers: &[Answer],
) -> HashMap<ExternalReference, String> {
    let mut names = HashMap::new();
    let mut unknown = HashSet::new();
    for (event, answer) in message.events.iter().zip(answers) {
        let Some(reference) = own_reference(caller, event) else {
            continue;
        };
        match answer {
            Ok(Some(receipt)) => {
                names.insert(reference, name_in(scope, "tickets", &receipt.id));
            }
            _ => {
                unknown.insert(reference);
            }
        }
    }
    unknown.retain(|reference| !names.contains_key(reference));
    for reference in unknown {
        let Ok(rows) = api
            .ledger
            .store()
            .references_anywhere(&reference, REFERENCES_READ_MAX)
            .await
        else {
            break;
        };
        let here = rows
            .into_iter()
            .find(|row| row.scope == *scope && row.kind == Kind::Ticket);
        if let Some(row) = here {
            names.insert(reference, name_in(scope, "tickets", &row.id));
        }
    }
    names
}

/// The ticket's reference, if it is one that could be stored.
fn own_reference(caller: &Caller, event: &v1::TicketEvent) -> Option<ExternalReference> {
    let reference = reference(&caller.firm, event.ticket.as_ref()?);
    let mut violations = Violations::default();
    require_reference(&mut violations, "ticket", &reference);
    violations.finish().is_ok().then_some(reference)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn batch(events: usize) -> v1::BatchIngestEventsRequest {
        v1::BatchIngestEventsRequest {
            parent: "partnerships/p".into(),
            events: vec![v1::TicketEvent::default(); events],
            ..v1::BatchIngestEventsRequest::default()
        }
    }

    #[test]
    fn batches_at_the_limit_and_beyond() {
        assert_eq!(check_batch(&batch(1)), Ok("p".to_owned()));
        assert!(check_batch(&batch(EVENTS_MAX)).is_ok());
        for bad in [0, EVENTS_MAX + 1] {
            assert_eq!(
                check_batch(&batch(bad)).unwrap_err().violations[0].field,
                "events"
            );
        }
    }

    #[test]
    fn request_id_origin_and_parent_concern_the_whole_call() {
        let bad = v1::BatchIngestEventsRequest {
            parent: "partnerships/-".into(),
            request_id: "x".repeat(REQUEST_ID_BYTES_MAX + 1),
            origin: "a\nb".into(),
            ..batch(1)
        };
        let refusal = check_batch(&bad).unwrap_err();
        let fields: Vec<&str> = refusal
            .violations
            .iter()
            .map(|violation| violation.field.as_str())
            .collect();
        assert_eq!(fields, ["parent", "request_id", "origin"]);
    }

    #[test]
    fn an_ended_partnership_fails_the_call_unless_something_was_taken() {
        let ended = || Err(Refusal::new(Reason::PartnershipEnded, "over"));
        assert!(refuse_if_ended(&[ended(), ended()]).is_err());
        assert!(refuse_if_ended(&[Err(Refusal::new(Reason::QueueFull, ""))]).is_ok());
        let receipt = Receipt {
            scope: ScopeId::partnership("p"),
            sequence: 1,
            hash: [0; 32],
            kind: Kind::Ticket,
            id: "t".into(),
            note: String::new(),
            replayed: true,
            carries: Vec::new(),
        };
        assert!(refuse_if_ended(&[ended(), Ok(Some(receipt))]).is_ok());
    }
}
