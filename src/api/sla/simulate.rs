//! `SimulateAgreement`: what other terms would have made of recorded tickets.

mod draft;

use std::sync::Arc;

use prost::Message;
use tonic::{Request, Response};

use self::draft::Draft;
use super::pinned::InForce;
use super::walk::{Chosen, Walk};
use super::words::{long, to_target_type, to_verdict};
use super::{AGREEMENT_SHAPE, SlaService, parse_as_of, parse_instant};
use crate::api::convert::{parse_name, to_duration, to_timestamp};
use crate::api::deadline;
use crate::api::faults::Faults;
use crate::api::listing::name_in;
use crate::api::page::Page;
use crate::api::status::ApiError;
use crate::domain::content_hash;
use crate::domain::firm::Permission;
use crate::domain::refusal::Refusal;
use crate::domain::sla::clock::{ClockEvaluation, TargetType, TicketEvaluation};
use crate::domain::sla::simulation::{ClockDifference, Period, Simulation, VerdictCounts};
use crate::domain::sla::ticket::Ticket;
use crate::domain::time::Timestamp;
use crate::proto::v1;

/// `SimulateAgreement`.
pub(super) async fn simulate(
    service: &SlaService,
    request: &Request<v1::SimulateAgreementRequest>,
) -> Result<Response<v1::SimulateAgreementResponse>, ApiError> {
    let api = service.api.as_ref();
    let caller = api.caller(request, Permission::Read).await?;
    let deadline = deadline(request, api.now());
    let message = request.get_ref();
    let [partnership, id] = parse_name("name", &message.name, AGREEMENT_SHAPE)?;
    let mut faults = Faults::default();
    let as_of = faults.take(parse_as_of(message.as_of_time));
    let period = period(message.start_time, message.end_time, &mut faults);
    let (member, agreement) = api.get(&caller, &partnership, &id).await?;
    let draft = Draft::of(service, &member, &agreement, message, faults).await?;
    let purpose = format!("SimulateAgreement:{}:{}", caller.firm, digest(message));
    let page = Page::parse(api, &purpose, message.page_size, &message.page_token)?;
    let after = page.place(Position::parse)?;
    let now = after.as_ref().map_or(api.now(), |after| after.known_at);
    let as_of = as_of.unwrap_or(now);
    let chosen = Chosen {
        agreement: id,
        period,
        known_at: now,
    };
    let run = Run {
        simulation: Simulation::default(),
        listed: Vec::new(),
        limit: page.limit(),
        after,
        known_at: now,
        as_of,
        draft: Arc::new(draft),
    };
    let scope = member.scope();
    let place = service.counting.enter().await?;
    let first = run.after.as_ref().map(|after| after.ticket.clone());
    let mut walk = Walk::new(api, &place, &scope, chosen, first.as_deref(), deadline);
    let mut run = run;
    while let Some(tickets) = walk.next().await? {
        let states = tickets.iter().map(|(_, ticket)| ticket);
        let in_force = service
            .agreements
            .of_tickets(api, &member.partnership, states)
            .await?;
        run = place.run(move || run.judge(&tickets, &in_force)).await??;
        if run.is_full() {
            break;
        }
    }
    let name = |ticket: &str| name_in(&scope, "tickets", ticket);
    let next_page_token = page.cut(api, &mut run.listed, |(place, _)| place.to_string());
    let simulation = run.after.is_none().then_some(run.simulation);
    let simulation = simulation.unwrap_or_default();
    Ok(Response::new(v1::SimulateAgreementResponse {
        attainment: to_attainment(&simulation),
        ticket_count: long(simulation.tickets),
        changed_ticket_count: long(simulation.changed),
        differences: run
            .listed
            .iter()
            .map(|(place, difference)| to_difference(name(&place.ticket), difference))
            .collect(),
        next_page_token,
        as_of_time: Some(to_timestamp(as_of)),
    }))
}

/// The period of a request; of use only if no fault was noted.
pub(super) fn period(
    start: Option<prost_types::Timestamp>,
    end: Option<prost_types::Timestamp>,
    faults: &mut Faults,
) -> Period {
    let period = Period {
        from: faults.take(parse_instant("start_time", start)),
        to: faults.take(parse_instant("end_time", end)),
    };
    let in_order = period
        .from
        .is_none_or(|from| period.to.is_none_or(|to| from < to));
    faults.require(in_order, "end_time", "must be later than start_time");
    period
}

/// What binds a page token to the rest of the request.
fn digest(message: &v1::SimulateAgreementRequest) -> String {
    let rest = v1::SimulateAgreementRequest {
        page_size: 0,
        page_token: String::new(),
        ..message.clone()
    };
    content_hash("entente.simulate-agreement.v1", &rest.encode_to_vec())
}

/// What the agreement `id` made of a ticket, by the terms that it really ran under; `None` if they
/// were others.
fn as_it_was(
    id: &str,
    ticket: &Ticket,
    in_force: &InForce,
    [as_of, known_at]: [Timestamp; 2],
) -> Result<Option<TicketEvaluation>, Refusal> {
    let terms = in_force.of(ticket, Some(known_at))?;
    let terms = terms.iter().find(|terms| terms.is_about(id));
    Ok(terms.map(|terms| terms.clocks(ticket, as_of)))
}

/// What has been judged so far.
struct Run {
    simulation: Simulation,
    listed: Vec<(Position, ClockDifference)>,
    /// How many differences to list, one more than the page holds.
    limit: usize,
    /// The last one of the page before.
    after: Option<Position>,
    known_at: Timestamp,
    as_of: Timestamp,
    draft: Arc<Draft>,
}

impl Run {
    /// The first page counts to the end; the others end when they are full.
    fn is_full(&self) -> bool {
        self.after.is_some() && self.listed.len() >= self.limit
    }

    fn judge(mut self, tickets: &[(String, Ticket)], in_force: &InForce) -> Result<Self, Refusal> {
        let draft = Arc::clone(&self.draft);
        let instants = [self.as_of, self.known_at];
        for (id, ticket) in tickets {
            let before = as_it_was(&draft.agreement, ticket, in_force, instants)?;
            let Some(before) = before.filter(|before| before.opened_at <= self.as_of) else {
                continue;
            };
            let after = draft.clocks(ticket, self.as_of);
            for difference in self.simulation.add(&before, &after) {
                let place = Position {
                    known_at: self.known_at,
                    ticket: id.clone(),
                    target_type: to_target_type(difference.target_type).into(),
                    cycle: difference.cycle,
                };
                self.list(place, difference);
            }
            if self.is_full() {
                break;
            }
        }
        Ok(self)
    }

    fn list(&mut self, place: Position, difference: ClockDifference) {
        let shown_before = self
            .after
            .as_ref()
            .is_some_and(|after| !place.is_after(after, difference.target_type));
        if !shown_before && self.listed.len() < self.limit {
            self.listed.push((place, difference));
        }
    }
}

/// Where a difference stands in the list, and what all pages know.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Position {
    /// The instant of the first page.
    known_at: Timestamp,
    ticket: String,
    target_type: i32,
    cycle: u32,
}

impl Position {
    /// Ids have no colons.
    fn parse(token: &str) -> Option<Self> {
        let parts: Vec<&str> = token.split(':').collect();
        let [known_at, ticket, target_type, cycle] = parts.as_slice() else {
            return None;
        };
        Some(Self {
            known_at: Timestamp::from_micros(known_at.parse().ok()?),
            ticket: (*ticket).to_owned(),
            target_type: target_type.parse().ok()?,
            cycle: cycle.parse().ok()?,
        })
    }

    /// Whether this one, of that type, comes after another.
    fn is_after(&self, other: &Self, target_type: TargetType) -> bool {
        let other_type = super::words::target_type("page_token", other.target_type);
        let Ok(other_type) = other_type else {
            return true;
        };
        (self.ticket.as_str(), target_type, self.cycle)
            > (other.ticket.as_str(), other_type, other.cycle)
    }
}

impl std::fmt::Display for Position {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let Self {
            known_at,
            ticket,
            target_type,
            cycle,
        } = self;
        let known_at = known_at.as_micros();
        write!(formatter, "{known_at}:{ticket}:{target_type}:{cycle}")
    }
}

fn to_attainment(simulation: &Simulation) -> Vec<v1::SimulatedAttainment> {
    let rows = simulation.rows.iter();
    rows.map(
        |((target_type, priority), [before, after])| v1::SimulatedAttainment {
            r#type: to_target_type(*target_type).into(),
            priority: priority.get().into(),
            before: Some(to_counts(before)),
            after: Some(to_counts(after)),
        },
    )
    .collect()
}

fn to_counts(counts: &VerdictCounts) -> v1::VerdictCounts {
    v1::VerdictCounts {
        met_count: long(counts.met),
        breached_count: long(counts.breached),
        running_count: long(counts.running),
        cancelled_count: long(counts.cancelled),
        attained_bps: counts
            .attained_bps()
            .map(|attained| i32::try_from(attained).unwrap_or(i32::MAX)),
    }
}

fn to_difference(ticket: String, difference: &ClockDifference) -> v1::ClockDifference {
    v1::ClockDifference {
        ticket,
        r#type: to_target_type(difference.target_type).into(),
        cycle: i32::try_from(difference.cycle).unwrap_or(i32::MAX),
        before: difference.before.as_ref().map(to_outcome),
        after: difference.after.as_ref().map(to_outcome),
    }
}

fn to_outcome(clock: &ClockEvaluation) -> v1::ClockOutcome {
    v1::ClockOutcome {
        verdict: to_verdict(clock.verdict).into(),
        priority: clock.priority.get().into(),
        target: Some(to_duration(clock.target)),
        consumed: Some(to_duration(clock.consumed)),
        due_time: clock.due_at.map(to_timestamp),
        breach_time: clock.breached_at.map(to_timestamp),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn positions_come_back_from_their_tokens() {
        let place = Position {
            known_at: Timestamp::from_micros(-7),
            ticket: "t".into(),
            target_type: 2,
            cycle: 3,
        };
        assert_eq!(Position::parse(&place.to_string()), Some(place));
        for bad in ["", "1:t:2", "x:t:2:3", "1:t:2:-3", "1:t:2:3:4"] {
            assert_eq!(Position::parse(bad), None, "{bad}");
        }
    }

    #[test]
    fn the_order_is_that_of_tickets_types_and_cycles() {
        let place = |ticket: &str, target_type: TargetType, cycle| {
            let position = Position {
                known_at: Timestamp::EARLIEST,
                ticket: ticket.into(),
                target_type: to_target_type(target_type).into(),
                cycle,
            };
            (position, target_type)
        };
        let ordered = [
            place("a", TargetType::NextUpdate, 1),
            place("a", TargetType::NextUpdate, 2),
            // The contract numbers this one lower.
            place("a", TargetType::Resolution, 1),
            place("b", TargetType::FirstResponse, 1),
        ];
        for (index, (position, target_type)) in ordered.iter().enumerate() {
            for (other_index, (other, _)) in ordered.iter().enumerate() {
                let is_after = position.is_after(other, *target_type);
                assert_eq!(is_after, index > other_index, "{position} {other}");
            }
        }
    }
}
