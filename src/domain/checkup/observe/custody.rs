//! What is held for others: whether it could be handed over, and whether it is; who gains by what; how
//! long the people stay who are to be turned to.

#[cfg(test)]
mod tests;

use super::Context;
use crate::domain::checkup::observation::Source;
use crate::domain::checkup::{Measure, Observed, Sink};
use crate::domain::contact::Contact;
use crate::domain::custody::exit_drill::{ExitDrill, TEST_GOOD_FOR};
use crate::domain::custody::item::{CustodyItem, CustodyState, Owner};
use crate::domain::custody::request::HandOverRequest;
use crate::domain::custody::stake::StakeDisclosure;
use crate::domain::pricing::quote::JointQuote;
use crate::domain::time::{Span, Timestamp};

/// Whoever goes sooner than this after being named leaves others to begin anew.
const STAYS_MIN: Span = Span::from_hours(365 * 24);

/// The last instant that counts: what stands then is a case of then.
fn last_instant(as_of: Timestamp) -> Timestamp {
    just_before(as_of)
}

const fn just_before(at: Timestamp) -> Timestamp {
    Timestamp::from_micros(at.as_micros().saturating_sub(1))
}

/// Tells whether something that is held for another was shown to be ready for handing over: by a test
/// that was passed within a year, the last one there was. And that an exit drill could have been run.
pub fn item<'record>(
    item: &'record CustodyItem,
    source: Source<'record>,
    context: Context<'_>,
    sink: &mut impl Sink,
) {
    if item.owner == Owner::Party(item.holder.clone()) {
        return;
    }
    if item.owner.client().is_some() {
        let place = (&item.holder, item.recorded.at);
        source.tell(sink, Measure::ExitDrillAge, place, Observed::DidNotHappen);
    }
    if item.state != CustodyState::Held {
        return;
    }
    let is_shown = item.last_test().is_some_and(|test| {
        test.said.is_passed && context.as_of.since(test.said.at) <= TEST_GOOD_FOR
    });
    let place = (&item.holder, last_instant(context.as_of));
    source.case(sink, Measure::ItemsUntested, place, !is_shown);
}

/// Tells whether what was asked for was withheld or came late, once that is certain or it came in time.
pub fn request<'record>(
    request: &'record HandOverRequest,
    source: Source<'record>,
    context: Context<'_>,
    sink: &mut impl Sink,
) {
    let withheld_at = request.withheld.as_ref().map(|withheld| withheld.by.at);
    let is_late = request.is_overdue_at(context.as_of);
    let late_at = is_late.then_some(request.asked.due_at);
    let failed_at = [withheld_at, late_at].into_iter().flatten().min();
    let released_at = request.released.as_ref().map(|released| released.by.at);
    let Some(at) = failed_at.or(released_at) else {
        return;
    };
    let place = (&request.asked.holder, at);
    source.case(sink, Measure::HandOversLate, place, failed_at.is_some());
}

/// Tells that a drill for a client's leaving was run: by one party, with what all of them hold.
pub fn drill<'record>(drill: &'record ExitDrill, source: Source<'record>, sink: &mut impl Sink) {
    let others = drill.run.holders.iter();
    let others = others.filter(|holder| **holder != drill.run.party);
    for party in std::iter::once(&drill.run.party).chain(others) {
        let place = (party, drill.by.at);
        source.tell(sink, Measure::ExitDrillAge, place, Observed::Happened);
    }
}

/// Tells that a party told of its gains.
pub fn stake<'record>(
    stake: &'record StakeDisclosure,
    source: Source<'record>,
    sink: &mut impl Sink,
) {
    let place = (&stake.told.holder, stake.by.at);
    source.tell(sink, Measure::StakesDisclosed, place, Observed::Happened);
}

/// The same of portions of a quote. A portion has no time of its own; what it tells is known at the
/// latest when the quote's time is over, or now.
pub fn portions<'record>(
    quote: &'record JointQuote,
    source: Source<'record>,
    context: Context<'_>,
    sink: &mut impl Sink,
) {
    let at = just_before(quote.expires_at.min(context.as_of));
    for portion in &quote.portions {
        if portion.stake.is_some() {
            let place = (&portion.owner, at);
            source.tell(sink, Measure::StakesDisclosed, place, Observed::Happened);
        }
    }
}

/// Tells whether somebody who was named to be turned to is still there, or went within a year.
pub fn contact<'record>(
    contact: &'record Contact,
    source: Source<'record>,
    context: Context<'_>,
    sink: &mut impl Sink,
) {
    let gone_at = contact.deleted_at;
    let went_soon = gone_at.is_some_and(|gone_at| gone_at.since(contact.named_at) < STAYS_MIN);
    let at = gone_at.unwrap_or_else(|| last_instant(context.as_of));
    source.case(sink, Measure::ContactsGone, (&contact.party, at), went_soon);
}
