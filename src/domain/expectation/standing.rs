//! Offers that the other party agreed to beforehand.

use super::{Expectation, ExpectationAgreed, FiveW, OfferMade, Place};
use crate::domain::identity::PartyId;
use crate::domain::partnership::standing::{CitedConsent, ConsentSubject, StandingConsent};
use crate::domain::partnership::{Approval, Partnership};
use crate::domain::time::Timestamp;

/// Who agreed beforehand to the offer of `five_w` that `offerer` makes at `now`, as the event that
/// records it; `None` if nobody did. It takes terms that the party approved, and an offer that
/// leaves no question open and can be kept.
pub(super) fn agreed_beforehand(
    expectation: &Expectation,
    partnership: &Partnership,
    offerer: &PartyId,
    made: &OfferMade,
    now: Timestamp,
) -> Option<ExpectationAgreed> {
    let obligor = &expectation.obligor;
    // To what cannot be kept, nobody agreed beforehand.
    let is_whole = expectation.five_w.unanswered().is_empty();
    if obligor == offerer || !is_whole || made.judgement.impossible().is_some() {
        return None;
    }
    let terms = partnership.terms.as_ref()?;
    let of_obligor = |approval: &&Approval| approval.party == *obligor;
    let mut approvals = terms.approvals.iter().filter(of_obligor);
    let firm = approvals.find_map(|approval| approval.firm.clone())?;
    let mut consents = terms.content.standing_consents.iter();
    let consent = consents.find(|consent| {
        consent.subject == ConsentSubject::Expectation
            && consent.party == *obligor
            && covers(consent, &expectation.five_w, now)
    })?;
    Some(ExpectationAgreed {
        party: obligor.clone(),
        offer_number: made.number,
        judgement: made.judgement.clone(),
        acknowledges_impossible: false,
        standing_consent: Some(CitedConsent {
            id: consent.id.clone(),
            terms_revision: terms.revision,
            firm,
        }),
    })
}

fn covers(consent: &StandingConsent, five_w: &FiveW, now: Timestamp) -> bool {
    let earliest = now.saturating_add(consent.shortest_notice);
    let in_time = five_w.when.deadline.is_some_and(|it| it >= earliest);
    let place = five_w.r#where.place;
    let reachable = place == Some(Place::Remote) || (consent.allows_on_site && place.is_some());
    // What nobody counted may cost anything, and other currencies are not compared.
    let affordable = consent.largest_cost_per_hour.is_none_or(|largest| {
        five_w
            .what
            .cost_per_hour
            .is_some_and(|cost| cost.currency == largest.currency && cost.minor <= largest.minor)
    });
    // Nor did anybody agree beforehand to report.
    let is_silent = five_w.when.update_interval.is_none();
    now < consent.until && in_time && reachable && affordable && is_silent
}
