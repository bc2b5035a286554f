//! `GetChainCharges`: who along a chain of tickets had the ball.

pub(super) mod credit;
mod graph;

use std::collections::BTreeMap;
use std::sync::Arc;

use tonic::{Request, Response};

use self::graph::{Graph, Hand};
use super::check::whole;
use super::clock::{Charges, to_clock, to_interval};
use super::explain::{Place, no_clock, too_many};
use super::links::to_name;
use super::ticket::{SHAPE, instant};
use super::words::target_type;
use super::{SlaService, parse_as_of};
use crate::api::convert::{parse_name, to_duration, to_timestamp};
use crate::api::faults::Faults;
use crate::api::page::Page;
use crate::api::status::ApiError;
use crate::domain::firm::Permission;
use crate::domain::identity::PartyId;
use crate::domain::refusal::Refusal;
use crate::domain::sla::chain::ChainInterval;
use crate::domain::sla::clock::{ChargedParty, ClockEvaluation, TargetType};
use crate::domain::sla::ticket::Ticket;
use crate::domain::time::{Span, Timestamp};
use crate::proto::v1;

/// `GetChainCharges`.
pub(super) async fn charges(
    service: &SlaService,
    request: &Request<v1::GetChainChargesRequest>,
) -> Result<Response<v1::ChainCharges>, ApiError> {
    let api = service.api.as_ref();
    let caller = api.caller(request, Permission::Read).await?;
    let message = request.get_ref();
    let asked = asked(message)?;
    let purpose = format!(
        "GetChainCharges:{}:{}:{}:{}:{:?}",
        caller.firm,
        message.name,
        message.r#type,
        message.cycle,
        asked.as_of.map(Timestamp::as_micros),
    );
    let page = Page::parse(api, &purpose, message.page_size, &message.page_token)?;
    let [partnership, id] = &asked.name;
    let (member, found) = api.get::<Ticket>(&caller, partnership, id).await?;
    let Place { as_of, first } = match page.place(Place::parse)? {
        Some(place) => place,
        None => Place {
            as_of: instant(asked.as_of, &found.state, api.now())?,
            first: 0,
        },
    };
    let graph = Graph::follow(service, &caller, &member, found).await?;
    let graph = Arc::new(graph);
    let place = service.explaining.enter().await?;
    let (shared, limit) = (Arc::clone(&graph), page.limit());
    let work = move || split(&shared, &asked, as_of, first, limit);
    let Split {
        clock,
        mut pieces,
        totals,
    } = place.run(work).await??;
    let shown = Shown::of(&graph, as_of);
    let next_page_token = page.cut(api, &mut pieces, |(index, _)| {
        let first = index + 1;
        Place { as_of, first }.to_string()
    });
    let root = &graph.nodes[0];
    Ok(Response::new(v1::ChainCharges {
        clock: Some(to_clock(
            &clock,
            &root.ticket,
            &root.terms,
            &shown.charges,
            as_of,
        )),
        intervals: pieces.iter().map(|(_, piece)| shown.piece(piece)).collect(),
        totals: totals
            .into_iter()
            .map(|(payer, charged)| v1::ChainTotal {
                party: Some(shown.party(&payer)),
                charged: Some(to_duration(charged)),
            })
            .collect(),
        next_page_token,
        as_of_time: Some(to_timestamp(as_of)),
    }))
}

/// What is asked.
struct Asked {
    name: [String; 2],
    target_type: TargetType,
    /// `None` for the latest.
    cycle: Option<u32>,
    as_of: Option<Timestamp>,
}

fn asked(message: &v1::GetChainChargesRequest) -> Result<Asked, Refusal> {
    let mut faults = Faults::default();
    let name = faults.take(parse_name::<2>("name", &message.name, SHAPE).map(Some));
    let target_type = faults.take(target_type("type", message.r#type).map(Some));
    let as_of = faults.take(parse_as_of(message.as_of_time));
    let cycle = u32::try_from(message.cycle).ok();
    faults.require(cycle.is_some(), "cycle", "must not be negative");
    let (name, target_type) = whole(faults, name.zip(target_type))?;
    Ok(Asked {
        name,
        target_type,
        cycle: cycle.filter(|cycle| *cycle > 0),
        as_of,
    })
}

/// To whom time is charged: to whom the clock says, or to a party further down. Ordered as totals are
/// listed.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Payer {
    /// As the first ticket's clock has it.
    Own(ChargedParty),
    /// A party of the partnership of that id.
    Further(String, PartyId),
}

/// A clock, split.
struct Split {
    clock: ClockEvaluation,
    /// Those of the page and one more, each with its place.
    pieces: Vec<(usize, ChainInterval<Hand>)>,
    totals: BTreeMap<Payer, Span>,
}

fn split(
    graph: &Graph,
    asked: &Asked,
    as_of: Timestamp,
    first: usize,
    limit: usize,
) -> Result<Split, Refusal> {
    let root = &graph.nodes[0];
    let clocks = root.terms.clocks(&root.ticket, as_of).clocks.into_iter();
    let clock = clocks
        .filter(|clock| clock.target_type == asked.target_type)
        .rfind(|clock| asked.cycle.is_none_or(|cycle| clock.cycle == cycle))
        .ok_or_else(|| no_clock(asked.target_type))?;
    let pieces = root
        .terms
        .explain(&root.ticket, asked.target_type, clock.cycle, as_of)
        .and_then(|explained| graph.split(explained.intervals, asked.target_type, as_of))
        .map_err(|_| too_many())?;
    let mut totals: BTreeMap<Payer, Span> = BTreeMap::new();
    for piece in &pieces {
        if let Some(payer) = payer(graph, piece) {
            let total = totals.entry(payer).or_default();
            *total = total.saturating_add(piece.interval.charged);
        }
    }
    let numbered = pieces.into_iter().enumerate();
    Ok(Split {
        clock,
        pieces: numbered.skip(first).take(limit).collect(),
        totals,
    })
}

fn payer(graph: &Graph, piece: &ChainInterval<Hand>) -> Option<Payer> {
    let further = piece.handed.as_ref().map(|hand| {
        let partnership = graph.nodes[hand.node].name.partnership.clone();
        Payer::Further(partnership, hand.party.clone())
    });
    further.or(piece.interval.charged_to.map(Payer::Own))
}

/// How a chain is shown.
struct Shown<'graph> {
    graph: &'graph Graph,
    charges: Charges,
}

impl<'graph> Shown<'graph> {
    fn of(graph: &'graph Graph, as_of: Timestamp) -> Self {
        let root = &graph.nodes[0];
        let content = &root.terms.at(as_of).content;
        let charges = Charges::new(&root.partnership.id, &root.partnership.state, content);
        Self { graph, charges }
    }

    fn party(&self, payer: &Payer) -> v1::ChainParty {
        match payer {
            Payer::Own(charged) => {
                let own = self.charges.show(*charged);
                v1::ChainParty {
                    kind: own.kind,
                    partnership: format!("partnerships/{}", self.graph.nodes[0].name.partnership),
                    name: own.name,
                }
            }
            Payer::Further(partnership, party) => v1::ChainParty {
                kind: v1::ChargedPartyKind::Party.into(),
                partnership: format!("partnerships/{partnership}"),
                name: party.as_str().to_owned(),
            },
        }
    }

    fn piece(&self, piece: &ChainInterval<Hand>) -> v1::ChainInterval {
        let ticket = |hand: &Hand| to_name(&self.graph.nodes[hand.node].name);
        let hand = piece.handed.as_ref();
        v1::ChainInterval {
            interval: Some(to_interval(&piece.interval, &self.charges)),
            charged_to: payer(self.graph, piece).map(|payer| self.party(&payer)),
            downstream_ticket: hand.map(ticket).unwrap_or_default(),
            downstream_event_id: hand.map(|hand| hand.event_id.clone()).unwrap_or_default(),
        }
    }
}
