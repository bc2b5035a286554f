//! Concessions to which a party agreed beforehand.

use serde::{Deserialize, Serialize};

use super::JointQuote;
use super::basis::Basis;
use super::clauses::figures;
use super::split::{CadenceSplit, ConcessionSplit};
use crate::domain::identity::PartyId;
use crate::domain::partnership::standing::{
    CitedConsent, ConcessionConsent, ConsentSubject, ConsentedBasis, StandingConsent,
};
use crate::domain::partnership::terms::Terms;
use crate::domain::partnership::{Approval, Partnership, Party};
use crate::domain::pricing::division::BPS_TOTAL;
use crate::domain::time::Timestamp;

/// An approval that a party gave beforehand.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct StandingApproval {
    /// The party.
    pub party: PartyId,
    /// By which consent.
    pub consent: CitedConsent,
}

/// The parties, apart from the proposer, that agreed beforehand to what `split` makes of them. Nobody
/// did where a floor is undercut, a price raised, or more conceded than the terms let go unasked.
pub(super) fn agreed_beforehand(
    partnership: &Partnership,
    proposer: &PartyId,
    split: &ConcessionSplit,
    quote: &JointQuote,
    now: Timestamp,
) -> Vec<StandingApproval> {
    let Some(terms) = &partnership.terms else {
        return Vec::new();
    };
    let largest = terms
        .content
        .pricing_clauses
        .unrenewed_concession_bps
        .unwrap_or(u32::MAX);
    let small = |cadence: &CadenceSplit| {
        (0..=scaled(cadence.price_before, largest)).contains(&whole(cadence.concession))
    };
    if split.undercuts_a_floor() || !split.cadences.iter().all(small) {
        return Vec::new();
    }
    let others = partnership.parties.iter();
    let others = others.filter(|party| party.is_present() && party.id != *proposer);
    others
        .filter_map(|party| approval(party, terms, split, quote, now))
        .collect()
}

fn approval(
    party: &Party,
    terms: &Terms,
    split: &ConcessionSplit,
    quote: &JointQuote,
    now: Timestamp,
) -> Option<StandingApproval> {
    let own = |approval: &&Approval| approval.party == party.id;
    let mut approvals = terms.approvals.iter().filter(own);
    let firm = approvals.find_map(|approval| approval.firm.clone())?;
    let mut consents = terms.content.standing_consents.iter();
    let consent = consents.find(|consent| {
        consent.party == party.id && now < consent.until && covers(consent, split, quote)
    })?;
    Some(StandingApproval {
        party: party.id.clone(),
        consent: CitedConsent {
            id: consent.id.clone(),
            terms_revision: terms.revision,
            firm,
        },
    })
}

fn covers(consent: &StandingConsent, split: &ConcessionSplit, quote: &JointQuote) -> bool {
    let (ConsentSubject::Concession, Some(bound)) = (consent.subject, &consent.concession) else {
        return false;
    };
    let Some(basis) = basis_of(&split.proposal.basis) else {
        return false;
    };
    let is_known = bound.bases.is_empty() || bound.bases.contains(&basis);
    let mut cadences = split.cadences.iter();
    is_known && cadences.all(|cadence| bears_little(&consent.party, bound, cadence, quote))
}

/// Whether what `party` bears of a cadence is told, and no more than it agreed to.
fn bears_little(
    party: &PartyId,
    bound: &ConcessionConsent,
    cadence: &CadenceSplit,
    quote: &JointQuote,
) -> bool {
    let figures = figures(cadence, quote);
    let own = figures
        .iter()
        .filter(|figure| figure.portion.owner == *party);
    let (mut share, mut price) = (0_i128, 0_i128);
    for figure in own {
        share += i128::from(figure.line.share);
        price += i128::from(figure.line.price_before);
    }
    let total = i128::from(BPS_TOTAL);
    figures.len() == cadence.lines.len() && share * total <= price * i128::from(bound.largest_bps)
}

/// `None` where what comes of it is sealed.
const fn basis_of(basis: &Basis) -> Option<ConsentedBasis> {
    match basis {
        Basis::FixedBps(_) => Some(ConsentedBasis::FixedBps),
        Basis::Price => Some(ConsentedBasis::Price),
        Basis::Custom(_) => Some(ConsentedBasis::Custom),
        Basis::CostBand => Some(ConsentedBasis::CostBand),
        Basis::Cost | Basis::Margin => None,
    }
}

/// An amount, to be compared with a part of another in basis points.
fn whole(amount: i64) -> i128 {
    i128::from(amount) * i128::from(BPS_TOTAL)
}

fn scaled(amount: i64, bps: u32) -> i128 {
    i128::from(amount) * i128::from(bps)
}

impl CadenceSplit {
    /// What the portions bear together: what is conceded, less what vendors pay.
    #[must_use]
    pub const fn borne(&self) -> i64 {
        // Vendors pay no more than what is conceded.
        self.concession.saturating_sub(self.vendor_money)
    }
}
