//! `GetAttainment`: how often each party kept its targets.

use std::sync::Arc;

use tonic::{Request, Response};

use super::check::whole;
use super::words::{long, priority, target_type, to_target_type};
use super::{SlaService, all_of, parse_as_of, parse_instant, parse_partnership};
use crate::api::convert::to_timestamp;
use crate::api::faults::Faults;
use crate::api::status::ApiError;
use crate::api::{Found, deadline};
use crate::domain::firm::Permission;
use crate::domain::identity::ScopeId;
use crate::domain::partnership::Partnership;
use crate::domain::record::{Kind, Record};
use crate::domain::refusal::{Reason, Refusal};
use crate::domain::sla::attainment::{Attainment, AttainmentRow, Selection};
use crate::domain::sla::clock::WHOLE_TARGET_BPS;
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
    let asked = asked(message, api.now())?;
    let member = api.member(&caller, &asked.partnership).await?;
    let as_of = asked.as_of;
    let objective_bps = asked.objective_bps;
    let attainment = count_all(service, &member.partnership, asked, deadline).await?;
    let rows = attainment.rows();
    let rows = rows.iter().map(|row| to_row(row, objective_bps)).collect();
    Ok(Response::new(v1::Attainment {
        rows,
        as_of_time: Some(to_timestamp(as_of)),
    }))
}

/// What is asked.
#[derive(Clone, Debug)]
struct Asked {
    partnership: String,
    as_of: Timestamp,
    /// Empty for every party.
    obligor: String,
    selection: Selection,
    /// `None` for no objective.
    objective_bps: Option<u32>,
}

fn asked(message: &v1::GetAttainmentRequest, now: Timestamp) -> Result<Asked, Refusal> {
    let mut faults = Faults::default();
    let partnership = faults.take(parse_partnership("name", &message.name).map(Some));
    let as_of = faults.take(parse_as_of(message.as_of_time).map(Some));
    let from = faults.take(parse_instant("start_time", message.start_time).map(Some));
    let to = faults.take(parse_instant("end_time", message.end_time).map(Some));
    let mut selection = Selection {
        from: from.flatten(),
        to: to.flatten(),
        ..Selection::default()
    };
    let in_order = selection
        .from
        .is_none_or(|from| selection.to.is_none_or(|to| from < to));
    faults.require(in_order, "end_time", "must be later than start_time");
    for (index, value) in message.types.iter().enumerate() {
        let field = format!("types[{index}]");
        if let Some(known) = faults.take(target_type(&field, *value).map(Some)) {
            faults.require(selection.types.insert(known), &field, "each type once");
        }
    }
    for (index, value) in message.priorities.iter().enumerate() {
        let field = format!("priorities[{index}]");
        if let Some(known) = faults.take(priority(&field, *value).map(Some)) {
            let new = selection.priorities.insert(known);
            faults.require(new, &field, "each priority once");
        }
    }
    let objective_bps = u32::try_from(message.objective_bps)
        .ok()
        .filter(|objective_bps| *objective_bps < WHOLE_TARGET_BPS);
    faults.require(
        objective_bps.is_some(),
        "objective_bps",
        "1 to 9,999, or 0 for none",
    );
    let (partnership, as_of) = whole(faults, partnership.zip(as_of))?;
    let end = selection.to.filter(|to| *to < now);
    Ok(Asked {
        partnership,
        as_of: as_of.or(end).unwrap_or(now),
        obligor: message.obligor.clone(),
        selection,
        objective_bps: objective_bps.filter(|objective_bps| *objective_bps > 0),
    })
}

/// Counts the clocks of all tickets. Reading and counting take turns, so that no more than one
/// page of tickets is in memory; a place in the pool bounds how many counts go on at a time.
async fn count_all(
    service: &SlaService,
    partnership: &Found<Partnership>,
    asked: Asked,
    deadline: Timestamp,
) -> Result<Attainment, ApiError> {
    let asked = Arc::new(asked);
    let scope = ScopeId::partnership(&partnership.id);
    let api = service.api.as_ref();
    let place = service.counting.enter().await?;
    let mut attainment = Attainment::new();
    let mut query = all_of(&scope, Kind::Ticket, "", TICKETS_AT_A_TIME);
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
        let in_force = service
            .agreements
            .of_tickets(api, partnership, tickets.iter())
            .await?;
        let mut counted = attainment;
        let asked = Arc::clone(&asked);
        attainment = place
            .run(move || {
                for ticket in &tickets {
                    for terms in in_force.of(ticket, None)? {
                        let obligor = terms.at(asked.as_of).content.obligor.as_str();
                        if asked.obligor.is_empty() || asked.obligor == obligor {
                            let clocks = terms.clocks(ticket, asked.as_of);
                            counted.accumulate(obligor, &clocks, &asked.selection);
                        }
                    }
                }
                Ok::<_, Refusal>(counted)
            })
            .await??;
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

fn to_row(row: &AttainmentRow, objective_bps: Option<u32>) -> v1::AttainmentRow {
    v1::AttainmentRow {
        obligor: row.obligor.clone(),
        r#type: to_target_type(row.target_type).into(),
        priority: row.priority.get().into(),
        met_count: long(row.met),
        breached_count: long(row.breached),
        running_count: long(row.running),
        attained_bps: row
            .attained_bps()
            .map(|attained| i32::try_from(attained).unwrap_or(i32::MAX)),
        budget_left_bps: objective_bps.and_then(|objective| row.budget_left_bps(objective)),
    }
}

#[cfg(test)]
mod tests {
    use super::super::clock::tests::{after, content, in_force, ticket};
    use super::*;

    #[test]
    fn rows_name_obligor_type_and_priority() {
        let mut attainment = Attainment::new();
        attainment.accumulate(
            content().obligor.as_str(),
            &in_force()[0].clocks(&ticket(), after(45)),
            &Selection::default(),
        );
        let rows = attainment.rows();
        let rows: Vec<_> = rows.iter().map(|row| to_row(row, Some(9_500))).collect();
        let expected = v1::AttainmentRow {
            obligor: "party-2".into(),
            r#type: v1::TargetType::Resolution.into(),
            priority: 1,
            met_count: 0,
            breached_count: 0,
            running_count: 1,
            ..v1::AttainmentRow::default()
        };
        assert_eq!(rows, [expected]);
    }
}
