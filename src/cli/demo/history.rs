//! Second act: a quarter of tickets, from the PSAs of both firms.

use prost_types::Timestamp;

use super::Progress;
use super::desk::{DESKS, Desk, HARBOUR, UNEXPLAINED_STATUS};
use super::quarter::{DAY_AFTER, LocalTime};
use super::setup::{Setting, owner};
use super::stage::{Actor, ORIGIN, Stage, call, instant, present};
use super::tale::{Chance, EXPLAINED_TITLE, Step, Tale, tales};
use crate::cli::CliError;
use crate::cli::client::describe;
use crate::proto::v1::{self, IngestOutcome, TargetType};
use tonic_types::RpcStatusExt;

/// Number of the first ticket of each desk, less one.
const NUMBERS_AFTER: usize = 1_000;
/// Events sent in one call.
const BATCH_EVENTS: usize = 250;
/// How many events in a hundred are sent twice in the same call.
const TWICE_PERCENT: i64 = 4;
/// How many intervals or statuses to ask for in one page.
const PAGE_SIZE: i32 = 500;

/// What became of all that was sent.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Sent {
    /// Tickets.
    pub tickets: usize,
    /// Calls.
    pub calls: usize,
    /// Events, each counted as often as it was sent.
    pub events: usize,
    /// Events that became part of a ticket.
    pub applied: usize,
    /// Events that were there already.
    pub already_applied: usize,
    /// Events that wait for a status map, each counted as often as it was sent.
    pub parked: usize,
}

/// The ticket that is explained.
#[derive(Clone, Debug)]
pub struct Explained {
    /// The number that its firm's PSA gave it.
    pub number: String,
    /// The ticket, as of the end of the quarter.
    pub ticket: v1::Ticket,
    /// Its resolution clock.
    pub clock: v1::Clock,
    /// The clock's life.
    pub intervals: Vec<v1::ClockInterval>,
    /// What its firm's PSA had reported, in order.
    pub events: Vec<v1::TicketEvent>,
}

/// What the second act leaves behind.
#[derive(Clone, Debug)]
pub struct Quarter {
    /// What was sent by each firm, in the order of [`DESKS`].
    pub sent: Vec<Sent>,
    /// The ticket that is explained.
    pub explained: Explained,
    /// How both firms kept their targets, as of the end of the quarter.
    pub attainment: v1::Attainment,
    /// Statuses that nobody explained.
    pub unmapped: Vec<v1::UnmappedWord>,
}

/// Plays the second act.
///
/// # Errors
/// If the server refuses something.
pub async fn play(
    stage: &Stage,
    setting: &Setting,
    time: &LocalTime,
    seed: u64,
    progress: &dyn Progress,
) -> Result<Quarter, CliError> {
    let name = &setting.partnership.name;
    let mut sent = Vec::new();
    let mut explained = None;
    for desk in DESKS {
        let actor = owner(stage, desk);
        let tales = tales(desk, time, seed)?;
        progress.step(&format!(
            "{} reports {} tickets",
            actor.display_name,
            tales.len()
        ));
        sent.push(report(actor, name, desk, &tales, &mut Chance::new(seed)).await?);
        if desk.system == HARBOUR.system {
            let index = tales.iter().position(|tale| tale.title == EXPLAINED_TITLE);
            explained = index.map(|index| {
                (
                    number(desk, index),
                    events(name, desk, index, &tales[index]),
                )
            });
        }
    }
    progress.step("asking for clocks, and for how the targets were kept");
    let end = instant(time.instant(DAY_AFTER, 0)?);
    let (number, events) = present(explained, "the ticket to explain")?;
    let request = v1::GetAttainmentRequest {
        name: name.clone(),
        as_of_time: Some(end),
        ..v1::GetAttainmentRequest::default()
    };
    let attainment = call(
        "count the targets",
        stage.harbour.sla().get_attainment(request),
    )
    .await?;
    let request = v1::ListUnmappedRequest {
        parent: name.clone(),
        page_size: PAGE_SIZE,
        ..Default::default()
    };
    let unmapped = call(
        "list the statuses",
        stage.nightdesk.sla().list_unmapped(request),
    )
    .await?;
    Ok(Quarter {
        sent,
        explained: explain(&stage.harbour, name, number, events, end).await?,
        attainment,
        unmapped: unmapped.unmapped_words,
    })
}

/// The number that a desk's PSA gives to its `index`-th ticket.
fn number(desk: &Desk, index: usize) -> String {
    format!("{}-{}", desk.prefix, NUMBERS_AFTER + index + 1)
}

fn ticket_reference(desk: &Desk, number: &str) -> v1::ExternalReference {
    v1::ExternalReference {
        system: desk.system.to_owned(),
        instance: String::new(),
        r#type: "ticket".to_owned(),
        id: number.to_owned(),
    }
}

/// The events of a ticket as its PSA reports them.
fn events(name: &str, desk: &Desk, index: usize, tale: &Tale) -> Vec<v1::TicketEvent> {
    let number = number(desk, index);
    let event = |(count, step): (i64, &Step)| v1::TicketEvent {
        event_id: format!("{number}/{count}"),
        ticket: Some(ticket_reference(desk, &number)),
        occur_time: Some(instant(step.at)),
        source_sequence: count,
        open_time: (count == 1).then(|| instant(step.at)),
        priority: step.priority,
        status: step.status.map(str::to_owned),
        response: step.response.then_some(true),
        agreement: format!("{name}/agreements/{}", desk.agreement),
        title: tale.title.to_owned(),
        ..Default::default()
    };
    (1..).zip(&tale.steps).map(event).collect()
}

/// Sends all events of a desk as history: batch by batch, each in a shuffled order and some of its
/// events twice; at last the first batch once more. None of that may change anything.
async fn report(
    actor: &Actor,
    name: &str,
    desk: &Desk,
    tales: &[Tale],
    chance: &mut Chance,
) -> Result<Sent, CliError> {
    let mut all: Vec<v1::TicketEvent> = tales
        .iter()
        .enumerate()
        .flat_map(|(index, tale)| events(name, desk, index, tale))
        .collect();
    all.sort_by_key(|event| event.occur_time.map(|at| at.seconds));
    let mut batches: Vec<Vec<v1::TicketEvent>> = Vec::new();
    for batch in all.chunks(BATCH_EVENTS) {
        let mut batch = batch.to_vec();
        for index in 0..batch.len() {
            let explained = batch[index].status.as_deref() != Some(UNEXPLAINED_STATUS);
            if explained && chance.percent(TWICE_PERCENT) {
                batch.push(batch[index].clone());
            }
        }
        chance.shuffle(&mut batch);
        batches.push(batch);
    }
    batches.extend(batches.first().cloned());
    let mut sent = Sent {
        tickets: tales.len(),
        ..Sent::default()
    };
    for batch in batches {
        send(actor, name, batch, &mut sent).await?;
    }
    Ok(sent)
}

async fn send(
    actor: &Actor,
    name: &str,
    events: Vec<v1::TicketEvent>,
    sent: &mut Sent,
) -> Result<(), CliError> {
    sent.calls += 1;
    sent.events += events.len();
    let request = v1::BatchIngestEventsRequest {
        parent: name.to_owned(),
        events,
        backfill: true,
        request_id: actor.request_id(),
        origin: ORIGIN.to_owned(),
    };
    let answer = call("send events", actor.sla().batch_ingest_events(request)).await?;
    for result in answer.results {
        match result.outcome() {
            IngestOutcome::Applied => sent.applied += 1,
            // History never waits for a countersignature: what does came before, by another way.
            IngestOutcome::AlreadyApplied
            | IngestOutcome::AwaitingCountersignature
            | IngestOutcome::Rejected => sent.already_applied += 1,
            IngestOutcome::Parked => sent.parked += 1,
            IngestOutcome::Refused | IngestOutcome::Unspecified => {
                let status = result.error.unwrap_or_default();
                let refusal = describe(&status.message, &status.get_error_details());
                return Err(format!("an event was refused: {refusal}").into());
            }
        }
    }
    Ok(())
}

/// Asks for the ticket by the PSA's own number, and for every interval of its resolution clock.
async fn explain(
    actor: &Actor,
    name: &str,
    number: String,
    events: Vec<v1::TicketEvent>,
    end: Timestamp,
) -> Result<Explained, CliError> {
    let mut sla = actor.sla();
    let reference = ticket_reference(&HARBOUR, &number);
    let request = v1::LookupTicketRequest {
        parent: name.to_owned(),
        reference: Some(reference),
    };
    let found = call("find the ticket", sla.lookup_ticket(request)).await?;
    let request = v1::GetTicketRequest {
        name: found.name.clone(),
        as_of_time: Some(end),
        ..v1::GetTicketRequest::default()
    };
    let ticket = call("read the ticket", sla.get_ticket(request)).await?;
    let mut intervals = Vec::new();
    let mut page_token = String::new();
    loop {
        let request = v1::ExplainClockRequest {
            name: found.name.clone(),
            r#type: TargetType::Resolution.into(),
            as_of_time: Some(end),
            page_size: PAGE_SIZE,
            page_token,
            ..v1::ExplainClockRequest::default()
        };
        let page = call("explain the clock", sla.explain_clock(request)).await?;
        intervals.extend(page.intervals);
        page_token = page.next_page_token;
        if page_token.is_empty() {
            let clock = present(page.clock, "the clock")?;
            return Ok(Explained {
                number,
                ticket,
                clock,
                intervals,
                events,
            });
        }
    }
}
