//! `BatchGetTickets`: several tickets in short, with their deadlines flat.

use std::collections::HashMap;

use tonic::{Request, Response};

use super::check::whole;
use super::clock::Charges;
use super::ticket::{SHAPE, own_references};
use super::words::{count, long, to_ticket_state};
use super::{SlaService, decode, parse_neighbour, parse_parent};
use crate::api::convert::{to_reference, to_timestamp};
use crate::api::faults::Faults;
use crate::api::listing::name_in;
use crate::api::status::ApiError;
use crate::api::{Found, Member};
use crate::domain::firm::Permission;
use crate::domain::identity::ExternalReference;
use crate::domain::record::{Kind, RecordKey};
use crate::domain::refusal::{Reason, Refusal};
use crate::domain::sla::clock::{ChargedParty, ClockEvaluation, TargetType, Verdict};
use crate::domain::sla::in_force::TermsInForce;
use crate::domain::sla::ticket::Ticket;
use crate::domain::time::Timestamp;
use crate::proto::v1;

/// Most tickets of one call.
pub(super) const TICKETS_MAX: usize = 500;

/// `BatchGetTickets`.
pub(super) async fn batch_get(
    service: &SlaService,
    request: &Request<v1::BatchGetTicketsRequest>,
) -> Result<Response<v1::BatchGetTicketsResponse>, ApiError> {
    let api = service.api.as_ref();
    let caller = api.caller(request, Permission::Read).await?;
    let (partnership, ids) = asked(request.get_ref())?;
    let member = api.member(&caller, &partnership).await?;
    let (scope, as_of) = (member.scope(), api.now());
    let mut keys: Vec<RecordKey> = ids
        .iter()
        .map(|id| RecordKey::new(&scope, Kind::Ticket, id.as_str()))
        .collect();
    keys.sort();
    keys.dedup();
    let mut found: HashMap<String, Found<Ticket>> = HashMap::new();
    for row in api.ledger.store().records(&keys).await? {
        found.insert(row.key.id.clone(), decode(&row)?);
    }
    let references = own_references(&caller.firm, api.ledger.store().references_of(&keys).await?);
    let states = found.values().map(|ticket| &ticket.state);
    let in_force = service
        .agreements
        .of_tickets(api, &member.partnership, states)
        .await?;
    let mut tickets = Vec::with_capacity(ids.len());
    for (index, id) in ids.iter().enumerate() {
        let ticket = found.get(id).ok_or_else(|| missing(index))?;
        let terms = in_force.of(&ticket.state, None)?;
        let own = references.get(id).map_or(&[][..], Vec::as_slice);
        tickets.push(summary(&member, ticket, &terms, own, as_of));
    }
    Ok(Response::new(v1::BatchGetTicketsResponse { tickets }))
}

fn asked(message: &v1::BatchGetTicketsRequest) -> Result<(String, Vec<String>), Refusal> {
    let mut faults = Faults::default();
    let parent = faults.take(parse_parent(&message.parent).map(Some));
    let sensible = (1..=TICKETS_MAX).contains(&message.names.len());
    faults.require(sensible, "names", &format!("1 to {TICKETS_MAX} names"));
    let mut ids = Vec::new();
    if let Some(parent) = &parent {
        for (index, name) in message.names.iter().take(TICKETS_MAX).enumerate() {
            let field = format!("names[{index}]");
            ids.extend(faults.take(parse_neighbour(&field, name, SHAPE, parent).map(Some)));
        }
    }
    let parent = whole(faults, parent)?;
    Ok((parent, ids))
}

fn missing(index: usize) -> Refusal {
    Refusal::field(
        Reason::NotFound,
        format!("names[{index}]"),
        "ticket not found",
    )
}

fn summary(
    member: &Member,
    ticket: &Found<Ticket>,
    terms: &[TermsInForce],
    references: &[ExternalReference],
    as_of: Timestamp,
) -> v1::TicketSummary {
    let partnership = &member.partnership;
    let mut shown = v1::TicketSummary {
        ticket: name_in(&member.scope(), "tickets", &ticket.id),
        external_references: references.iter().map(to_reference).collect(),
        ..v1::TicketSummary::default()
    };
    for (index, in_force) in terms.iter().enumerate() {
        let evaluation = in_force.clocks(&ticket.state, as_of);
        let charges = Charges::new(
            &partnership.id,
            &partnership.state,
            &in_force.at(as_of).content,
        );
        shown.breached_count += count(
            evaluation
                .clocks
                .iter()
                .filter(|clock| clock.verdict == Verdict::Breached)
                .count(),
        );
        // What is owed in return runs while the ball is over there: it says who is waited for.
        let running = evaluation
            .clocks
            .iter()
            .find(|clock| clock.charged_to == Some(ChargedParty::Obligor));
        let held = evaluation.clocks.iter().find_map(|clock| clock.charged_to);
        if index == 0 {
            shown.state = to_ticket_state(evaluation.state).into();
            shown.priority = evaluation
                .priority
                .map_or(0, |priority| priority.get().into());
            shown.waiting_on = held.map(|charged| charges.show(charged));
            add_deadlines(&mut shown, &evaluation.clocks);
        } else if running.is_some() {
            shown.waiting_on = Some(charges.show(ChargedParty::Obligor));
        }
    }
    shown
}

fn add_deadlines(shown: &mut v1::TicketSummary, clocks: &[ClockEvaluation]) {
    for clock in clocks.iter().filter(|clock| clock.stopped_at.is_none()) {
        let due = match clock.target_type {
            TargetType::FirstResponse | TargetType::NextResponse => &mut shown.respond_due_time,
            TargetType::ResolutionPlan => &mut shown.plan_due_time,
            TargetType::NextUpdate => &mut shown.update_due_time,
            TargetType::Workaround => &mut shown.workaround_due_time,
            TargetType::Resolution => &mut shown.resolve_due_time,
        };
        *due = clock.due_at.map(to_timestamp);
        shown.percent_used_bps = shown.percent_used_bps.max(long(clock.used_bps));
    }
}
