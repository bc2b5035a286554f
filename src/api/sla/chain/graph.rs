//! The tickets of a chain, as far as the caller sees them.

use std::collections::HashMap;

use crate::api::caller::Caller;
use crate::api::sla::SlaService;
use crate::api::sla::links::downstream_of;
use crate::api::status::ApiError;
use crate::api::{Api, Found, Member};
use crate::domain::identity::{FirmId, PartyId};
use crate::domain::partnership::Partnership;
use crate::domain::refusal::{Reason, Refusal};
use crate::domain::sla::chain::{ChainInterval, Handed, disjoint, split};
use crate::domain::sla::clock::{ChargedParty, ClockState, TargetType};
use crate::domain::sla::explain::{ClockInterval, ExplainError};
use crate::domain::sla::in_force::TermsInForce;
use crate::domain::sla::link::TicketName;
use crate::domain::sla::ticket::Ticket;
use crate::domain::time::Timestamp;

/// How far down a chain is followed.
pub(super) const DEPTH_MAX: usize = 5;
/// Most tickets of a chain, the first one included.
pub(super) const TICKETS_MAX: usize = 100;

/// A ticket of the chain.
#[derive(Debug)]
pub(super) struct Node {
    pub(super) name: TicketName,
    pub(super) partnership: Found<Partnership>,
    pub(super) ticket: Ticket,
    /// What is owed to it.
    pub(super) terms: TermsInForce,
    /// The tickets further down that were opened because of it, in the order of their links.
    downstream: Vec<usize>,
}

/// Who further down had the ball, and what says so.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Hand {
    /// Which ticket of the graph.
    pub(super) node: usize,
    /// Its obligor then.
    pub(super) party: PartyId,
    /// The event that made its clock run.
    pub(super) event_id: String,
}

/// A ticket and those further down; each comes after those because of which it was opened.
#[derive(Debug)]
pub(super) struct Graph {
    firm: FirmId,
    pub(super) nodes: Vec<Node>,
}

impl Graph {
    /// A ticket of `member`'s partnership alone, whatever was opened because of it.
    ///
    /// # Errors
    /// If the store fails.
    pub(super) async fn of_one(
        service: &SlaService,
        caller: &Caller,
        member: &Member,
        found: Found<Ticket>,
    ) -> Result<Self, ApiError> {
        let name = TicketName {
            partnership: member.partnership.id.clone(),
            ticket: found.id,
        };
        let partnership = member.partnership.clone();
        let node = node(service, name, partnership, found.state).await?;
        Ok(Self {
            firm: caller.firm.clone(),
            nodes: vec![node],
        })
    }

    /// Follows the caller's links from a ticket of `member`'s partnership.
    ///
    /// # Errors
    /// [`Reason::ResultTooLarge`] beyond [`TICKETS_MAX`]; if the store fails.
    pub(super) async fn follow(
        service: &SlaService,
        caller: &Caller,
        member: &Member,
        found: Found<Ticket>,
    ) -> Result<Self, ApiError> {
        let api = service.api.as_ref();
        let name = TicketName {
            partnership: member.partnership.id.clone(),
            ticket: found.id,
        };
        let partnership = member.partnership.clone();
        let node = node(service, name.clone(), partnership, found.state).await?;
        let mut known = HashMap::from([(name, 0)]);
        let mut graph = Self {
            firm: caller.firm.clone(),
            nodes: vec![node],
        };
        let mut level = 0;
        for _ in 0..DEPTH_MAX {
            let frontier: Vec<TicketName> = graph.nodes[level..]
                .iter()
                .map(|node| node.name.clone())
                .collect();
            if frontier.is_empty() {
                break;
            }
            let links = downstream_of(api, &caller.firm, &frontier).await?;
            let next_level = graph.nodes.len();
            for (index, name) in (level..).zip(&frontier) {
                for below in links.get(name).into_iter().flatten() {
                    if !known.contains_key(below) {
                        let Some(node) = visible(service, caller, below).await? else {
                            continue;
                        };
                        if graph.nodes.len() >= TICKETS_MAX {
                            return Err(too_long().into());
                        }
                        known.insert(below.clone(), graph.nodes.len());
                        graph.nodes.push(node);
                    }
                    // A ticket of the same level or above would make a circle.
                    let below = known.get(below).filter(|below| **below >= next_level);
                    graph.nodes[index].downstream.extend(below);
                }
            }
            level = next_level;
        }
        Ok(graph)
    }

    /// Who has the ball below a node's ticket.
    fn below(&self, node: usize, handed: &[Vec<Handed<Hand>>]) -> Vec<Handed<Hand>> {
        let below = self.nodes[node].downstream.iter();
        disjoint(below.flat_map(|below| handed[*below].clone()).collect())
    }

    /// The intervals of the first ticket's clock, split by who further down had the ball.
    ///
    /// # Errors
    /// If there are too many intervals.
    pub(super) fn split(
        &self,
        intervals: Vec<ClockInterval>,
        target_type: TargetType,
        as_of: Timestamp,
    ) -> Result<Vec<ChainInterval<Hand>>, ExplainError> {
        let (Some(first), Some(last)) = (intervals.first(), intervals.last()) else {
            return Ok(Vec::new());
        };
        let window = (first.from, last.to);
        let mut handed: Vec<Vec<Handed<Hand>>> = vec![Vec::new(); self.nodes.len()];
        for index in (1..self.nodes.len()).rev() {
            let own = self.nodes[index].intervals(target_type, window, as_of)?;
            let below = self.below(index, &handed);
            let pieces = self.nodes[index].split(own, &below, |_| true)?;
            let passed = pieces.into_iter();
            handed[index] = passed.filter_map(|piece| self.hand(index, piece)).collect();
        }
        let root = &self.nodes[0];
        // Only the firm's own time was passed on, and what nobody in the partnership had.
        let obligor = &root.terms.at(as_of).content.obligor;
        let party = root.partnership.state.party(obligor);
        let owes = party.is_some_and(|party| party.firm.as_ref() == Some(&self.firm));
        root.split(
            intervals,
            &self.below(0, &handed),
            |charged| match charged {
                ChargedParty::Obligor => owes,
                ChargedParty::OutsideParty => true,
                ChargedParty::Beneficiary | ChargedParty::Client => false,
            },
        )
    }

    /// What a piece of a clock further down says of who had the ball: nothing unless its obligor did,
    /// or somebody further down still.
    fn hand(&self, index: usize, piece: ChainInterval<Hand>) -> Option<Handed<Hand>> {
        let ChainInterval { interval, handed } = piece;
        let node = &self.nodes[index];
        let party = &node.terms.at(interval.from).content.obligor;
        let own = || {
            let firm = node.partnership.state.party(party)?.firm.as_ref();
            let is_handed = interval.state == ClockState::Running && firm != Some(&self.firm);
            is_handed.then(|| Hand {
                node: index,
                party: party.clone(),
                event_id: interval.event_id.clone(),
            })
        };
        let whom = handed.or_else(own)?;
        Some(Handed {
            from: interval.from,
            to: interval.to,
            whom,
        })
    }
}

impl Node {
    /// The intervals of the clock of a type that touch a window, cycle after cycle. Where nothing of
    /// the type is promised, those of the resolution.
    fn intervals(
        &self,
        target_type: TargetType,
        (from, to): (Timestamp, Timestamp),
        as_of: Timestamp,
    ) -> Result<Vec<ClockInterval>, ExplainError> {
        let clocks = self.terms.clocks(&self.ticket, as_of).clocks;
        let is_promised = clocks.iter().any(|clock| clock.target_type == target_type);
        let looked_at = if is_promised {
            target_type
        } else {
            TargetType::Resolution
        };
        let mut intervals = Vec::new();
        for clock in clocks {
            let touches =
                clock.started_at < to && clock.stopped_at.is_none_or(|stopped| stopped > from);
            if clock.target_type == looked_at && touches {
                let explained = self
                    .terms
                    .explain(&self.ticket, looked_at, clock.cycle, as_of)?;
                intervals.extend(explained.intervals);
            }
        }
        Ok(intervals)
    }

    fn split(
        &self,
        intervals: Vec<ClockInterval>,
        handed: &[Handed<Hand>],
        passes_on: impl Fn(ChargedParty) -> bool,
    ) -> Result<Vec<ChainInterval<Hand>>, ExplainError> {
        split(intervals, handed, passes_on, |interval, from, to| {
            let calendar = self.terms.at(interval.from).calendar();
            calendar.elapsed(from, to)
        })
    }
}

/// A ticket of a partnership of the caller; `None` if the caller does not see it any more.
async fn visible(
    service: &SlaService,
    caller: &Caller,
    name: &TicketName,
) -> Result<Option<Node>, ApiError> {
    let api: &Api = &service.api;
    match api
        .get::<Ticket>(caller, &name.partnership, &name.ticket)
        .await
    {
        Ok((member, found)) => {
            let node = node(service, name.clone(), member.partnership, found.state);
            Ok(Some(node.await?))
        }
        Err(ApiError(refusal)) if refusal.reason == Reason::NotFound => Ok(None),
        Err(other) => Err(other),
    }
}

async fn node(
    service: &SlaService,
    name: TicketName,
    partnership: Found<Partnership>,
    ticket: Ticket,
) -> Result<Node, ApiError> {
    let in_force = service
        .agreements
        .of_tickets(&service.api, &partnership, std::iter::once(&ticket))
        .await?;
    let own = in_force.of(&ticket, None)?.into_iter().next();
    Ok(Node {
        name,
        terms: own.ok_or_else(|| Refusal::new(Reason::Internal, "a ticket without terms"))?,
        partnership,
        ticket,
        downstream: Vec::new(),
    })
}

fn too_long() -> Refusal {
    Refusal::new(
        Reason::ResultTooLarge,
        format!("more than {TICKETS_MAX} tickets in the chain"),
    )
    .with("limit", "chain_tickets")
    .with("maximum", TICKETS_MAX)
}
