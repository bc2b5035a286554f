//! Sends the rows as events, batch by batch, and counts what became of them.

use prost_types::Timestamp;
use tonic_types::{ErrorDetails, RpcStatusExt};

use super::rows::{RejectedRow, Row};
use super::setup::{ORIGIN, SYSTEM};
use super::{Fed, Place, Progress};
use crate::cli::CliError;
use crate::cli::client::{ATTEMPTS_MAX, Connection, describe, failed, reason_may_pass, retry};
use crate::proto::v1::{self, IngestOutcome};

/// Most events sent in one call.
pub const BATCH_EVENTS_MAX: usize = 500;
/// How long to wait before events are sent again that the server had no room for.
const PAUSE: std::time::Duration = std::time::Duration::from_millis(500);

/// Sends the rows, one batch after the other.
///
/// # Errors
/// If the server cannot be reached, or refuses a batch as a whole.
pub async fn feed(
    connection: &Connection,
    place: &Place,
    rows: &[Row],
    progress: &dyn Progress,
) -> Result<Fed, CliError> {
    let mut fed = Fed::default();
    for batch in rows.chunks(BATCH_EVENTS_MAX) {
        let mut waiting: Vec<&Row> = batch.iter().collect();
        for attempt in 1.. {
            let before = waiting.len();
            waiting = send(connection, place, &waiting, &mut fed, progress).await?;
            progress.advance(u64::try_from(before - waiting.len())?);
            if waiting.is_empty() {
                break;
            }
            if attempt == ATTEMPTS_MAX {
                return Err("the server has too much to do: import the file again later, it goes on from here".into());
            }
            tokio::time::sleep(PAUSE).await;
        }
    }
    Ok(fed)
}

/// Sends rows and counts what became of them; returns those that the server had no room for.
async fn send<'a>(
    connection: &Connection,
    place: &Place,
    rows: &[&'a Row],
    fed: &mut Fed,
    progress: &dyn Progress,
) -> Result<Vec<&'a Row>, CliError> {
    let request = v1::BatchIngestEventsRequest {
        parent: place.partnership.clone(),
        events: rows.iter().map(|row| event(row, place)).collect(),
        backfill: true,
        request_id: connection.request_id(),
        origin: ORIGIN.to_owned(),
    };
    let sla = connection.sla();
    let answer = retry(|| {
        let (mut sla, request) = (sla.clone(), request.clone());
        async move { sla.batch_ingest_events(request).await }
    });
    let answer = answer
        .await
        .map_err(|status| failed("send the events", &status))?;
    if answer.results.len() != rows.len() {
        return Err(format!("{} results for {} events", answer.results.len(), rows.len()).into());
    }
    let mut waiting = Vec::new();
    for (row, result) in rows.iter().copied().zip(&answer.results) {
        match result.outcome() {
            IngestOutcome::Applied => fed.applied += 1,
            // History never waits for a countersignature: what does came before, by another way.
            IngestOutcome::AlreadyApplied
            | IngestOutcome::AwaitingCountersignature
            | IngestOutcome::Rejected => fed.already_applied += 1,
            IngestOutcome::Parked => fed.parked += 1,
            IngestOutcome::Refused | IngestOutcome::Unspecified => {
                let (reason, refusal) = refusal(result);
                if reason_may_pass(&reason) || reason == "DEADLINE_EXCEEDED" {
                    waiting.push(row);
                } else {
                    fed.rejected += 1;
                    progress.reject(&RejectedRow {
                        line: row.line,
                        reason: refusal,
                    });
                }
                continue;
            }
        }
        if !fed.incidents.contains(&row.number) {
            fed.incidents.insert(row.number.clone());
        }
    }
    Ok(waiting)
}

/// The reason of a refusal, and what it says.
fn refusal(result: &v1::IngestResult) -> (String, String) {
    let Some(status) = &result.error else {
        return (
            String::new(),
            "the server did not say why it was refused".to_owned(),
        );
    };
    let details: ErrorDetails = status.get_error_details();
    let reason = details
        .error_info()
        .map(|info| info.reason.clone())
        .unwrap_or_default();
    (reason, describe(&status.message, &details))
}

fn event(row: &Row, place: &Place) -> v1::TicketEvent {
    let instant = |seconds: i64| Timestamp { seconds, nanos: 0 };
    v1::TicketEvent {
        event_id: row.event_id(),
        ticket: Some(v1::ExternalReference {
            system: SYSTEM.to_owned(),
            instance: place.instance.clone(),
            r#type: "incident".to_owned(),
            id: row.number.clone(),
        }),
        occur_time: Some(instant(row.updated_at)),
        source_sequence: row.mod_count,
        open_time: row.opened_at.map(instant),
        priority: row.priority,
        status: row.state.clone(),
        response: None,
        agreement: place.agreement.clone(),
        title: String::new(),
        ..Default::default()
    }
}
