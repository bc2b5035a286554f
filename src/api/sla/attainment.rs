//! `GetAttainment`: how often each party kept its targets.

use tonic::{Request, Response};

use super::pinned::pins_of;
use super::words::{long, to_target_type};
use super::{SlaService, all_of, parse_as_of, parse_partnership};
use crate::api::convert::to_timestamp;
use crate::api::deadline;
use crate::api::status::ApiError;
use crate::domain::firm::Permission;
use crate::domain::identity::ScopeId;
use crate::domain::record::{Kind, Record};
use crate::domain::refusal::{Reason, Refusal};
use crate::domain::sla::attainment::{Attainment, AttainmentRow};
use crate::domain::sla::ticket::Ticket;
use crate::domain::time::Timestamp;
use crate::ledger::rows;
use crate::proto::v1;
use crate::store::{RecordRow, StoreError};

/// Most tickets of a partnership that are counted.
pub(super) const ATTAINMENT_TICKETS_MAX: usize = 200_000;
/// How many tickets are read at a time.
const TICKETS_AT_A_TIME: usize = 2_000;

/// `GetAttainment`.
pub(super) async fn get(
    service: &SlaService,
    request: &Request<v1::GetAttainmentRequest>,
) -> Result<Response<v1::Attainment>, ApiError> {
    let api = service.api.as_ref();
    let caller = api.caller(request, Permission::Read).await?;
    let deadline = deadline(request, api.now());
    let message = request.get_ref();
    let partnership = parse_partnership("name", &message.name)?;
    let as_of = parse_as_of(message.as_of_time)?.unwrap_or_else(|| api.now());
    let member = api.member(&caller, &partnership).await?;
    let attainment = count_all(service, &member.scope(), as_of, deadline).await?;
    let rows = attainment.rows().iter().map(to_row).collect();
    Ok(Response::new(v1::Attainment {
        rows,
        as_of_time: Some(to_timestamp(as_of)),
    }))
}

/// Counts the clocks of all tickets. Reading and counting take turns, so that no more than one
/// page of tickets is in memory; a place in the pool bounds how many counts go on at a time.
async fn count_all(
    service: &SlaService,
    scope: &ScopeId,
    as_of: Timestamp,
    deadline: Timestamp,
) -> Result<Attainment, ApiError> {
    let api = service.api.as_ref();
    let place = service.counting.enter().await?;
    let mut attainment = Attainment::new();
    let mut query = all_of(scope, Kind::Ticket, "", TICKETS_AT_A_TIME);
    let mut read = 0;
    loop {
        if api.now() > deadline {
            return Err(Refusal::new(
                Reason::DeadlineExceeded,
                "the deadline passed while counting",
            )
            .into());
        }
        let rows = api.ledger.store().list_records(&query).await?;
        read += rows.len();
        if read > ATTAINMENT_TICKETS_MAX {
            return Err(too_many().into());
        }
        let last = rows
            .last()
            .filter(|_| rows.len() == TICKETS_AT_A_TIME)
            .map(|row| row.key.id.clone());
        let tickets = place.run(move || tickets_of(&rows)).await??;
        let agreements = service
            .agreements
            .of_tickets(api, scope, tickets.iter())
            .await?;
        let mut counted = attainment;
        attainment = place
            .run(move || {
                for ticket in &tickets {
                    let pinned = pins_of(ticket).filter_map(|pin| agreements.get(&pin));
                    for pinned in pinned {
                        counted.accumulate(
                            pinned.content().obligor.as_str(),
                            &pinned.clocks(ticket, as_of),
                        );
                    }
                }
                counted
            })
            .await?;
        let Some(last) = last else {
            return Ok(attainment);
        };
        query.after_id = last;
    }
}

fn tickets_of(rows: &[RecordRow]) -> Result<Vec<Ticket>, StoreError> {
    let mut tickets = Vec::with_capacity(rows.len());
    for row in rows {
        if let Record::Ticket(ticket) = rows::decode_row(row)?.record {
            tickets.push(*ticket);
        }
    }
    Ok(tickets)
}

fn too_many() -> Refusal {
    Refusal::new(
        Reason::ResultTooLarge,
        format!("more than {ATTAINMENT_TICKETS_MAX} tickets"),
    )
    .with("limit", "attainment_tickets")
    .with("maximum", ATTAINMENT_TICKETS_MAX)
}

fn to_row(row: &AttainmentRow) -> v1::AttainmentRow {
    v1::AttainmentRow {
        obligor: row.obligor.clone(),
        r#type: to_target_type(row.target_type).into(),
        priority: row.priority.get().into(),
        met_count: long(row.met),
        breached_count: long(row.breached),
        running_count: long(row.running),
    }
}

#[cfg(test)]
mod tests {
    use super::super::clock::tests::{after, pinned, ticket};
    use super::*;

    #[test]
    fn rows_name_obligor_type_and_priority() {
        let mut attainment = Attainment::new();
        let pinned = pinned();
        attainment.accumulate(
            pinned.content().obligor.as_str(),
            &pinned.clocks(&ticket(), after(45)),
        );
        let rows: Vec<v1::AttainmentRow> = attainment.rows().iter().map(to_row).collect();
        let expected = v1::AttainmentRow {
            obligor: "party-2".into(),
            r#type: v1::TargetType::Resolution.into(),
            priority: 1,
            met_count: 0,
            breached_count: 0,
            running_count: 1,
        };
        assert_eq!(rows, [expected]);
    }
}
