//! `ComputeCreditSplit`: what each firm bears of a client's credit, by whose held time caused it.

use std::collections::BTreeMap;
use std::sync::Arc;

use tonic::{Request, Response};

use super::graph::{Graph, Hand, Node};
use super::{Payer, Shown};
use crate::api::convert::{money, parse_name, to_duration, to_money, to_timestamp};
use crate::api::faults::Faults;
use crate::api::page::Page;
use crate::api::required;
use crate::api::sla::check::whole;
use crate::api::sla::clock::{to_adjustment, to_clock, to_interval};
use crate::api::sla::explain::{Place, no_clock, too_many};
use crate::api::sla::links::to_name;
use crate::api::sla::ticket::{SHAPE, instant};
use crate::api::sla::words::target_type;
use crate::api::sla::{SlaService, parse_as_of};
use crate::api::status::ApiError;
use crate::domain::firm::Permission;
use crate::domain::pricing::allocation::Share;
use crate::domain::pricing::money::Money;
use crate::domain::refusal::{Reason, Refusal};
use crate::domain::sla::chain::ChainInterval;
use crate::domain::sla::clock::{ChargedParty, ClockEvaluation, TargetType};
use crate::domain::sla::credit::{
    CreditBasis, CreditSplit, HeldPiece, HeldTime, Holder, by_court, divide, held_time,
};
use crate::domain::sla::explain::ClockAdjustment;
use crate::domain::sla::ticket::Ticket;
use crate::domain::time::{Span, Timestamp};
use crate::proto::v1;

/// `ComputeCreditSplit`.
pub(in crate::api::sla) async fn compute(
    service: &SlaService,
    request: &Request<v1::ComputeCreditSplitRequest>,
) -> Result<Response<v1::CreditSplit>, ApiError> {
    let api = service.api.as_ref();
    let caller = api.caller(request, Permission::Read).await?;
    let message = request.get_ref();
    let asked = asked(message)?;
    let purpose = purpose(&caller.firm.to_string(), message, &asked);
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
    let graph = if asked.along_chain {
        Graph::follow(service, &caller, &member, found).await?
    } else {
        Graph::of_one(service, &caller, &member, found).await?
    };
    let graph = Arc::new(graph);
    let place = service.explaining.enter().await?;
    let (shared, credit) = (Arc::clone(&graph), asked.credit);
    let work = move || divided(&shared, &asked, as_of);
    let divided = place.run(work).await??;
    let shown = Shown::of(&graph, as_of);
    let mut pieces: Vec<(usize, HeldPiece<Hand>)> = divided
        .held
        .pieces
        .iter()
        .cloned()
        .enumerate()
        .skip(first)
        .take(page.limit())
        .collect();
    let next_page_token = page.cut(api, &mut pieces, |(index, _)| {
        let first = index + 1;
        Place { as_of, first }.to_string()
    });
    let root = &graph.nodes[0];
    let clock = to_clock(
        &divided.clock,
        &root.ticket,
        &root.terms,
        &shown.charges,
        as_of,
    );
    Ok(Response::new(v1::CreditSplit {
        clock: Some(clock),
        credit: Some(to_money(&credit)),
        basis: to_basis(divided.basis).into(),
        shares: divided.shares(&shown),
        outside: divided.outside(&shown),
        intervals: pieces
            .iter()
            .map(|(_, piece)| to_piece(piece, &shown))
            .collect(),
        adjustments: divided.adjustments.iter().map(to_adjustment).collect(),
        next_page_token,
        as_of_time: Some(to_timestamp(as_of)),
    }))
}

/// What is asked.
struct Asked {
    name: [String; 2],
    target_type: TargetType,
    credit: Money,
    /// `None` for the latest.
    cycle: Option<u32>,
    basis: CreditBasis,
    along_chain: bool,
    as_of: Option<Timestamp>,
}

fn asked(message: &v1::ComputeCreditSplitRequest) -> Result<Asked, Refusal> {
    const CREDIT: &str = "credit";
    let mut faults = Faults::default();
    let name = faults.take(parse_name::<2>("name", &message.name, SHAPE).map(Some));
    let target_type = faults.take(target_type("type", message.r#type).map(Some));
    let credit = message.credit.as_ref().ok_or_else(|| required(CREDIT));
    let credit = credit.and_then(|credit| money(CREDIT, credit));
    let credit = faults.take(credit.map(Some));
    let is_more = credit.is_none_or(|credit| credit.minor > 0);
    faults.require(is_more, CREDIT, "must be more than zero");
    let basis = faults.take(basis(message.basis).map(Some));
    let as_of = faults.take(parse_as_of(message.as_of_time));
    let cycle = u32::try_from(message.cycle).ok();
    faults.require(cycle.is_some(), "cycle", "must not be negative");
    let ((name, target_type), (credit, basis)) =
        whole(faults, name.zip(target_type).zip(credit.zip(basis)))?;
    Ok(Asked {
        name,
        target_type,
        credit,
        cycle: cycle.filter(|cycle| *cycle > 0),
        basis,
        along_chain: message.along_chain,
        as_of,
    })
}

/// What page tokens are bound to.
fn purpose(firm: &str, message: &v1::ComputeCreditSplitRequest, asked: &Asked) -> String {
    format!(
        "ComputeCreditSplit:{firm}:{}:{}:{}:{}:{}:{:?}:{:?}",
        message.name,
        message.r#type,
        message.cycle,
        message.basis,
        message.along_chain,
        asked.credit,
        asked.as_of.map(Timestamp::as_micros),
    )
}

fn basis(value: i32) -> Result<CreditBasis, Refusal> {
    match v1::CreditBasis::try_from(value) {
        Ok(v1::CreditBasis::Unspecified | v1::CreditBasis::Consumed) => Ok(CreditBasis::Consumed),
        Ok(v1::CreditBasis::Overrun) => Ok(CreditBasis::Overrun),
        Ok(v1::CreditBasis::Held) => Ok(CreditBasis::Held),
        Err(_) => Err(Refusal::field(
            Reason::InvalidField,
            "basis",
            "is not a known value",
        )),
    }
}

const fn to_basis(basis: CreditBasis) -> v1::CreditBasis {
    match basis {
        CreditBasis::Consumed => v1::CreditBasis::Consumed,
        CreditBasis::Overrun => v1::CreditBasis::Overrun,
        CreditBasis::Held => v1::CreditBasis::Held,
    }
}

/// A credit, divided, and what it follows from.
struct Divided {
    clock: ClockEvaluation,
    basis: CreditBasis,
    held: HeldTime<Hand, Payer>,
    adjustments: Vec<ClockAdjustment>,
    split: CreditSplit,
}

fn divided(graph: &Graph, asked: &Asked, as_of: Timestamp) -> Result<Divided, Refusal> {
    let root = &graph.nodes[0];
    let clocks = root.terms.clocks(&root.ticket, as_of).clocks.into_iter();
    let clock = clocks
        .filter(|clock| clock.target_type == asked.target_type)
        .rfind(|clock| asked.cycle.is_none_or(|cycle| clock.cycle == cycle))
        .ok_or_else(|| no_clock(asked.target_type))?;
    let explained = root
        .terms
        .explain(&root.ticket, asked.target_type, clock.cycle, as_of)
        .map_err(|_| too_many())?;
    let pieces: Vec<ChainInterval<Hand>> = graph
        .split(explained.intervals, asked.target_type, as_of)
        .map_err(|_| too_many())?;
    let courts = root.terms.courts(&root.ticket, as_of);
    let pieces = by_court(pieces, &courts).map_err(|_| too_many())?;
    let key = |holder: &Holder<Hand>| payer(graph, holder);
    let open_time = |interval: &_, from, to| open_time(root, interval, from, to);
    let basis = (&clock, asked.basis);
    let held = held_time(pieces, &explained.adjustments, basis, key, open_time);
    let firms: Vec<(String, Span)> = firms(&held.totals)
        .map(|(payer, time)| (id_of(payer), *time))
        .collect();
    let split = divide(asked.credit, &firms, &clock)?;
    let is_adjusted = asked.basis == CreditBasis::Consumed && !clock.is_agreed_date;
    Ok(Divided {
        clock,
        basis: asked.basis,
        held,
        adjustments: if is_adjusted {
            explained.adjustments
        } else {
            Vec::new()
        },
        split,
    })
}

fn open_time(
    root: &Node,
    interval: &crate::domain::sla::explain::ClockInterval,
    from: Timestamp,
    to: Timestamp,
) -> Span {
    let calendar = root.terms.at(interval.from).calendar();
    calendar.elapsed(from, to)
}

fn payer(graph: &Graph, holder: &Holder<Hand>) -> Payer {
    match holder {
        Holder::Charged(charged) => Payer::Own(*charged),
        Holder::Further(hand) => {
            let partnership = graph.nodes[hand.node].name.partnership.clone();
            Payer::Further(partnership, hand.party.clone())
        }
    }
}

/// Whoever is a firm.
fn firms(totals: &BTreeMap<Payer, Span>) -> impl Iterator<Item = (&Payer, &Span)> {
    totals.iter().filter(|(payer, _)| is_firm(payer))
}

const fn is_firm(payer: &Payer) -> bool {
    match payer {
        Payer::Own(charged) => matches!(charged, ChargedParty::Obligor | ChargedParty::Beneficiary),
        Payer::Further(..) => true,
    }
}

/// What decides between equal remainders: the obligor first, then its partner, then those further down.
fn id_of(payer: &Payer) -> String {
    match payer {
        Payer::Own(ChargedParty::Obligor) => "1".to_owned(),
        Payer::Own(_) => "2".to_owned(),
        Payer::Further(partnership, party) => format!("3/{partnership}/{party}"),
    }
}

impl Divided {
    fn shares(&self, shown: &Shown<'_>) -> Vec<v1::CreditShare> {
        let CreditSplit {
            credit, allocation, ..
        } = &self.split;
        let to_share = |((payer, held), share): ((&Payer, &Span), &Share)| v1::CreditShare {
            party: Some(shown.party(payer)),
            held: Some(to_duration(*held)),
            amount: Some(to_money(&Money::from_minor(credit.currency, share.share))),
            explanation: allocation.sentence(share, credit.currency),
        };
        firms(&self.held.totals)
            .zip(&allocation.shares)
            .map(to_share)
            .collect()
    }

    fn outside(&self, shown: &Shown<'_>) -> Vec<v1::ChainTotal> {
        let totals = self.held.totals.iter();
        let outside = totals.filter(|(payer, _)| !is_firm(payer));
        outside
            .map(|(payer, held)| v1::ChainTotal {
                party: Some(shown.party(payer)),
                charged: Some(to_duration(*held)),
            })
            .collect()
    }
}

fn to_piece(piece: &HeldPiece<Hand>, shown: &Shown<'_>) -> v1::CreditInterval {
    let holder = piece.holder.as_ref();
    let hand = holder.and_then(|holder| match holder {
        Holder::Further(hand) => Some(hand),
        Holder::Charged(_) => None,
    });
    let ticket = |hand: &Hand| to_name(&shown.graph.nodes[hand.node].name);
    v1::CreditInterval {
        interval: Some(to_interval(&piece.interval, &shown.charges)),
        held_by: holder.map(|holder| shown.party(&payer(shown.graph, holder))),
        counted: Some(to_duration(piece.counted)),
        downstream_ticket: hand.map(ticket).unwrap_or_default(),
        downstream_event_id: hand.map(|hand| hand.event_id.clone()).unwrap_or_default(),
    }
}
