//! What recorded tickets say of a chain.

use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;

use super::Sides;
use crate::api::caller::Caller;
use crate::api::sla::links::downstream_of;
use crate::api::sla::pinned::InForce;
use crate::api::sla::{SlaService, decode};
use crate::api::status::ApiError;
use crate::domain::record::{Kind, RecordKey};
use crate::domain::refusal::Refusal;
use crate::domain::sla::clock::{Priority, TargetType, TicketEvaluation, Verdict};
use crate::domain::sla::link::TicketName;
use crate::domain::sla::simulation::opened_at;
use crate::domain::sla::ticket::Ticket;
use crate::domain::sla::underpin::{Gap, Promise, begins_at_opening, gap};
use crate::domain::time::{Span, Timestamp};

/// How many downstream tickets are read at a time.
const TICKETS_AT_A_TIME: usize = 500;

/// What tickets say of one type and priority.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Counts {
    pub(super) checked: u64,
    pub(super) would_break: u64,
    pub(super) linked: u64,
    pub(super) broken: u64,
}

/// A ticket whose promise upstream would have been broken.
#[derive(Clone, Debug)]
pub(super) struct Break {
    pub(super) ticket: String,
    pub(super) target_type: TargetType,
    pub(super) priority: Priority,
    pub(super) gap: Gap,
    /// Id of the ticket downstream.
    pub(super) downstream: Option<String>,
    pub(super) broken: bool,
}

/// What has been found so far.
#[derive(Debug, Default)]
pub(super) struct History {
    pub(super) tickets: u64,
    pub(super) counts: BTreeMap<(TargetType, Priority), Counts>,
    pub(super) breaks: Vec<Break>,
}

/// A ticket that was handed over.
#[derive(Debug)]
struct HandedOver {
    id: String,
    ticket: Ticket,
    opened_at: Timestamp,
}

/// Upstream tickets, and what they were handed over as.
#[derive(Debug)]
pub(super) struct Batch {
    tickets: Vec<(String, Ticket)>,
    upstream: InForce,
    /// By the id of the upstream ticket.
    handed_over: HashMap<String, HandedOver>,
    downstream: InForce,
}

impl Batch {
    /// Reads what belongs to upstream tickets.
    ///
    /// # Errors
    /// If the store fails.
    pub(super) async fn read(
        service: &SlaService,
        caller: &Caller,
        sides: &Sides,
        tickets: Vec<(String, Ticket)>,
    ) -> Result<Self, ApiError> {
        let api = service.api.as_ref();
        let upstream = service.agreements.of_tickets(
            api,
            &sides.upstream.member.partnership,
            tickets.iter().map(|(_, ticket)| ticket),
        );
        let upstream = upstream.await?;
        let partnership = &sides.upstream.member.partnership.id;
        let names: Vec<TicketName> = tickets
            .iter()
            .map(|(id, _)| TicketName {
                partnership: partnership.clone(),
                ticket: id.clone(),
            })
            .collect();
        let links = downstream_of(api, &caller.firm, &names).await?;
        let handed_over = handed_over(service, sides, &links).await?;
        let states = handed_over.values().map(|handed| &handed.ticket);
        let downstream = service
            .agreements
            .of_tickets(api, &sides.downstream.member.partnership, states)
            .await?;
        Ok(Self {
            tickets,
            upstream,
            handed_over,
            downstream,
        })
    }
}

/// For each upstream ticket the first one that was opened because of it under the downstream agreement.
async fn handed_over(
    service: &SlaService,
    sides: &Sides,
    links: &HashMap<TicketName, Vec<TicketName>>,
) -> Result<HashMap<String, HandedOver>, ApiError> {
    let side = &sides.downstream;
    let pairs = links.iter().flat_map(|(upstream, below)| {
        let below = below
            .iter()
            .filter(|name| name.partnership == side.member.partnership.id);
        below.map(|name| (name.ticket.as_str(), upstream.ticket.as_str()))
    });
    let pairs: Vec<(&str, &str)> = pairs.collect();
    let scope = side.member.scope();
    let mut first: HashMap<String, HandedOver> = HashMap::new();
    for some in pairs.chunks(TICKETS_AT_A_TIME) {
        let mut keys: Vec<RecordKey> = some
            .iter()
            .map(|(id, _)| RecordKey::new(&scope, Kind::Ticket, *id))
            .collect();
        keys.sort();
        keys.dedup();
        for row in service.api.ledger.store().records(&keys).await? {
            let found = decode::<Ticket>(&row)?;
            let ticket = found.state.as_known_at(Some(sides.known_at));
            let Some(opened_at) = opened_at(&ticket).filter(|_| side.is_of(&ticket)) else {
                continue;
            };
            for (_, upstream) in some.iter().filter(|(id, _)| *id == row.key.id) {
                let is_first = first
                    .get(*upstream)
                    .is_none_or(|known| opened_at < known.opened_at);
                if is_first {
                    let handed = HandedOver {
                        id: row.key.id.clone(),
                        ticket: ticket.clone(),
                        opened_at,
                    };
                    first.insert((*upstream).to_owned(), handed);
                }
            }
        }
    }
    Ok(first)
}

impl History {
    /// Takes in what some tickets say.
    ///
    /// # Errors
    /// If a ticket's terms are not there.
    pub(super) fn take(mut self, batch: &Batch, sides: &Arc<Sides>) -> Result<Self, Refusal> {
        for (id, ticket) in &batch.tickets {
            let opened = opened_at(ticket).filter(|at| *at <= sides.known_at);
            let Some(opened_at) = opened else { continue };
            self.tickets += 1;
            let handed = batch.handed_over.get(id);
            let case = Handover {
                sides,
                opened_at,
                priority: priority_at(ticket, opened_at),
                handed,
            };
            let worst = case.check(id, ticket, batch, &mut self.counts)?;
            self.breaks.extend(worst);
        }
        Ok(self)
    }
}

/// The priority of a ticket at its opening, or else the first that it was given.
fn priority_at(ticket: &Ticket, opened_at: Timestamp) -> Option<Priority> {
    let mut given = ticket
        .facts
        .iter()
        .filter_map(|fact| fact.priority.map(|priority| (fact.occurred_at, priority)));
    let first = given.next()?;
    let by_then = given.take_while(|(at, _)| *at <= opened_at).last();
    Some(by_then.unwrap_or(first).1)
}

/// One ticket that was handed over, or would have been.
struct Handover<'a> {
    sides: &'a Sides,
    opened_at: Timestamp,
    priority: Option<Priority>,
    handed: Option<&'a HandedOver>,
}

impl Handover<'_> {
    /// Counts what each type says, and returns the worst that would have been broken.
    fn check(
        &self,
        id: &str,
        ticket: &Ticket,
        batch: &Batch,
        counts: &mut BTreeMap<(TargetType, Priority), Counts>,
    ) -> Result<Option<Break>, Refusal> {
        let Some(priority) = self.priority else {
            return Ok(None);
        };
        let known_at = self.sides.known_at;
        let agreement = &self.sides.upstream.agreement;
        let terms = batch.upstream.of(ticket, Some(known_at))?;
        let Some(terms) = terms.iter().find(|terms| terms.is_about(agreement)) else {
            return Ok(None);
        };
        let promised = terms.at(self.opened_at);
        let clocks = match self.handed {
            Some(handed) => Some(self.clocks(&terms.clocks(ticket, known_at), handed, batch)?),
            None => None,
        };
        let mut worst: Option<Break> = None;
        for target_type in TargetType::ALL
            .into_iter()
            .filter(|one| begins_at_opening(*one))
        {
            let upstream = promised.rules().target(target_type, priority);
            let downstream = self.sides.downstream.target(target_type, priority);
            let Some((upstream, downstream)) = upstream.zip(downstream) else {
                continue;
            };
            let targets = [
                (upstream, promised.calendar()),
                (downstream, &self.sides.downstream.calendar),
            ];
            let count = counts.entry((target_type, priority)).or_default();
            let Some(gap) = self.gap(targets) else {
                continue;
            };
            let broken = clocks
                .as_ref()
                .is_some_and(|clocks| clocks.broke(target_type));
            count.checked += 1;
            count.would_break += u64::from(gap.breaks());
            count.linked += u64::from(self.handed.is_some());
            count.broken += u64::from(broken);
            let is_worse = worst
                .as_ref()
                .is_none_or(|worst| (gap.length(), broken) > (worst.gap.length(), worst.broken));
            if gap.breaks() && is_worse {
                worst = Some(Break {
                    ticket: id.to_owned(),
                    target_type,
                    priority,
                    gap,
                    downstream: self.handed.map(|handed| handed.id.clone()),
                    broken,
                });
            }
        }
        Ok(worst)
    }

    fn gap(
        &self,
        [upstream, downstream]: [(Span, &crate::domain::sla::compiled::CompiledCalendar); 2],
    ) -> Option<Gap> {
        let promise = |(target, calendar)| Promise { target, calendar };
        let handed_over_at = self
            .handed
            .map_or(self.opened_at, |handed| handed.opened_at);
        gap(
            self.opened_at,
            handed_over_at,
            promise(upstream),
            promise(downstream),
        )
    }

    fn clocks(
        &self,
        upstream: &TicketEvaluation,
        handed: &HandedOver,
        batch: &Batch,
    ) -> Result<BothClocks, Refusal> {
        let known_at = self.sides.known_at;
        let terms = batch.downstream.of(&handed.ticket, Some(known_at))?;
        let agreement = &self.sides.downstream.agreement;
        let terms = terms.iter().find(|terms| terms.is_about(agreement));
        let downstream = terms.map(|terms| terms.clocks(&handed.ticket, known_at));
        Ok(BothClocks {
            upstream: first_verdicts(upstream),
            downstream: downstream.as_ref().map(first_verdicts).unwrap_or_default(),
        })
    }
}

/// How the first cycles of both tickets' clocks came out.
struct BothClocks {
    upstream: BTreeMap<TargetType, Verdict>,
    downstream: BTreeMap<TargetType, Verdict>,
}

impl BothClocks {
    fn broke(&self, target_type: TargetType) -> bool {
        self.upstream.get(&target_type) == Some(&Verdict::Breached)
            && self.downstream.get(&target_type) == Some(&Verdict::Met)
    }
}

fn first_verdicts(evaluation: &TicketEvaluation) -> BTreeMap<TargetType, Verdict> {
    let firsts = evaluation.clocks.iter().filter(|clock| clock.cycle == 1);
    firsts
        .map(|clock| (clock.target_type, clock.verdict))
        .collect()
}
