//! Joint quotes: whether they are won, what is passed on at cost, and who hears of a client's wish when.
//!
//! Only what every party may read is looked at: prices, caps, times. Costs and sealed shares are not.

#[cfg(test)]
mod tests;

use std::collections::{BTreeMap, BTreeSet};

use super::Context;
use crate::domain::checkup::observation::Source;
use crate::domain::checkup::{Measure, Observed, Sink};
use crate::domain::identity::PartyId;
use crate::domain::pricing::quote::portion::{PassThrough, Portion};
use crate::domain::pricing::quote::{JointQuote, QuoteState};
use crate::domain::time::Timestamp;

/// Basis points of a whole.
const WHOLE_BPS: u64 = 10_000;

/// Tells what became of a joint quote, and of what is in it once something was proposed or decided.
pub fn observe<'record>(
    quote: &'record JointQuote,
    source: Source<'record>,
    context: Context<'_>,
    sink: &mut impl Sink,
) {
    if let Some((at, is_won)) = outcome(quote, context.as_of) {
        let owners: BTreeSet<&PartyId> = quote.portions.iter().map(|own| &own.owner).collect();
        for owner in owners {
            source.case(sink, Measure::QuotesNotWon, (owner, at), !is_won);
        }
    }
    for revision in &quote.revisions {
        let Some(round) = revision.split.proposal.negotiation_round else {
            continue;
        };
        let took = Observed::Took(round.partner_told_at.since(round.client_asked_at));
        let place = (&revision.proposer, revision.proposed_at);
        source.tell(sink, Measure::TimeToTellPartner, place, took);
    }
    let proposed_at = quote.revisions.first().map(|first| first.proposed_at);
    let decided_at = outcome(quote, context.as_of).map(|(at, _)| at);
    if let Some(at) = proposed_at.or(decided_at) {
        observe_portions(quote, at, source, sink);
    }
}

/// When it was won, lost or ran out, and whether it was won.
fn outcome(quote: &JointQuote, as_of: Timestamp) -> Option<(Timestamp, bool)> {
    match quote.state_at(as_of) {
        QuoteState::Open => None,
        QuoteState::Won => Some((quote.sale.won.first()?.by.at, true)),
        QuoteState::Lost => Some((quote.sale.lost.as_ref()?.by.at, false)),
        QuoteState::Expired => Some((quote.expires_at, false)),
    }
}

/// Whether what belongs to another supplier is passed on at cost, and how far others use a markup's cap.
fn observe_portions<'record>(
    quote: &'record JointQuote,
    at: Timestamp,
    source: Source<'record>,
    sink: &mut impl Sink,
) {
    for portion in &quote.portions {
        let Some(pass_through) = portion.pass_through else {
            continue;
        };
        let is_marked_up = pass_through != PassThrough::AtCost;
        let place = (&portion.owner, at);
        source.case(sink, Measure::PassThroughMarkedUp, place, is_marked_up);
        if let PassThrough::MarkedUp { markup_cap_bps } = pass_through {
            for (owner, part) in used_bps(quote, portion, markup_cap_bps) {
                let whole = WHOLE_BPS;
                let observed = Observed::Part { part, whole };
                source.tell(sink, Measure::MarkupOfCap, (owner, at), observed);
            }
        }
    }
}

/// What each party that marks up a portion uses of the cap, in basis points of it, rounded down.
fn used_bps<'quote>(
    quote: &'quote JointQuote,
    base: &Portion,
    cap_bps: u32,
) -> BTreeMap<&'quote PartyId, u64> {
    let mut used: BTreeMap<&PartyId, u128> = BTreeMap::new();
    for portion in &quote.portions {
        if portion.markup_on.as_ref() == Some(&base.id) {
            let price = u128::try_from(portion.price.minor).unwrap_or_default();
            let sum = used.entry(&portion.owner).or_default();
            *sum = sum.saturating_add(price);
        }
    }
    // Basis points of basis points: prices have 63 bits, so this fits easily.
    let base = u128::try_from(base.price.minor).unwrap_or_default();
    let cap = base.saturating_mul(cap_bps.into());
    let whole = u128::from(WHOLE_BPS * WHOLE_BPS);
    let part = |sum: u128| sum.saturating_mul(whole).checked_div(cap);
    used.into_iter()
        .filter_map(|(owner, sum)| Some((owner, u64::try_from(part(sum)?).ok()?)))
        .collect()
}
