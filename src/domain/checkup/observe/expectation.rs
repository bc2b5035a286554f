//! Expectations: whether agreed dates are kept, offers are answered and work is found to be done.

use super::{Context, URGENT_PRIORITY};
use crate::domain::checkup::observation::Source;
use crate::domain::checkup::{Measure, Sink};
use crate::domain::expectation::{Expectation, ExpectationState, Offer, OfferOutcome};
use crate::domain::identity::PartyId;
use crate::domain::partnership::Partnership;
use crate::domain::sla::clock::Priority;
use crate::domain::time::Timestamp;

/// Tells of the agreed date, of every offer and of every time that work was said to be done.
pub fn observe<'record>(
    expectation: &'record Expectation,
    source: Source<'record>,
    context: Context<'_>,
    sink: &mut impl Sink,
) {
    if let Some((at, is_missed)) = agreed_date(expectation, context.as_of) {
        let place = (&expectation.obligor, at);
        source.case(sink, Measure::AgreedDatesMissed, place, is_missed);
    }
    if let Some((at, is_urgent)) = urgency(expectation) {
        let place = (&expectation.requester, at);
        source.case(sink, Measure::UrgentRequests, place, is_urgent);
    }
    for fulfilment in &expectation.fulfilments {
        let dispute = fulfilment.dispute.as_ref();
        let acceptance = fulfilment.acceptance.as_ref();
        let statements = [
            dispute.map(|dispute| &dispute.statement),
            acceptance.map(|acceptance| &acceptance.statement),
        ];
        if let Some(statement) = statements.into_iter().flatten().next() {
            let place = (&expectation.obligor, statement.at);
            source.case(sink, Measure::WorkDisputed, place, dispute.is_some());
        }
    }
    for offer in &expectation.offers {
        let asked = asked(expectation, offer, context.partnership);
        let Some((party, (at, is_unanswered))) = asked.zip(answer(offer, context.as_of)) else {
            continue;
        };
        source.case(sink, Measure::OffersUnanswered, (party, at), is_unanswered);
    }
}

/// When it was first offered, and whether it was urgent by the agreed matrix then.
fn urgency(expectation: &Expectation) -> Option<(Timestamp, bool)> {
    let first = expectation.offers.first()?;
    let urgent = Priority::new(URGENT_PRIORITY)?;
    let priority = first.judgement.priority?;
    Some((first.offered_at, priority <= urgent))
}

/// When the agreed date was decided, and whether it was missed.
fn agreed_date(expectation: &Expectation, as_of: Timestamp) -> Option<(Timestamp, bool)> {
    expectation.deadline()?;
    if let Some(missed_at) = expectation.missed_as_of(as_of) {
        return Some((missed_at, true));
    }
    let is_accepted = expectation.state == ExpectationState::Accepted;
    let acceptance = expectation.acceptance().filter(|_| is_accepted)?;
    Some((acceptance.statement.at, false))
}

/// The party that an offer asks: of the two between whom it is, the one that did not make it. `None`
/// if no firm is there to answer.
fn asked<'record>(
    expectation: &'record Expectation,
    offer: &Offer,
    partnership: &Partnership,
) -> Option<&'record PartyId> {
    let (requester, obligor) = (&expectation.requester, &expectation.obligor);
    let asked = if offer.party == *requester {
        obligor
    } else {
        requester
    };
    let is_there = partnership
        .party(asked)
        .is_some_and(|party| party.firm.is_some());
    (*asked != offer.party && is_there).then_some(asked)
}

/// When an offer was answered or ran out, and whether it ran out. `None` while it stands, and if its
/// maker took it back.
fn answer(offer: &Offer, as_of: Timestamp) -> Option<(Timestamp, bool)> {
    let Some(end) = &offer.end else {
        let expires_at = offer.expires_at.filter(|_| offer.is_over(as_of))?;
        return Some((expires_at, true));
    };
    match end.outcome {
        OfferOutcome::Withdrawn => None,
        // What is recorded is when it was found out.
        OfferOutcome::Expired => Some((offer.expires_at.unwrap_or(end.at).min(end.at), true)),
        _ => Some((end.at, false)),
    }
}
