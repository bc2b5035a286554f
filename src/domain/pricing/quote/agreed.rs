//! What the parties agreed on for a quote, cadence by cadence: the prices before and after the
//! concession that counts, and what each portion bears of it.

use super::{
    Cadence, CadenceSplit, ConcessionRevision, JointQuote, Line, Outcome, Portion, RevisionState,
};
use crate::domain::commitment::Commitment;
use crate::domain::identity::PartyId;

/// What one portion brings each time that it is due, and what it bears. Amounts are in minor units
/// of the quote's currency.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AgreedLine {
    /// The portion.
    pub portion_id: String,
    /// The party that it belongs to.
    pub owner: PartyId,
    /// How many times it is due.
    pub periods: u16,
    /// Its price before the concession.
    pub price_before: i64,
    /// What it bears; `None` if only its owner knows.
    pub share: Option<i64>,
    /// The commitment to what it bears, if only its owner knows.
    pub sealed: Option<Commitment>,
}

/// What is due at the same times.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AgreedCadence {
    /// When.
    pub cadence: Cadence,
    /// What is conceded together; negative for a surcharge.
    pub concession: i64,
    /// What of it vendors pay, so that no portion bears it.
    pub vendor_money: i64,
    /// Sum of its prices before the concession.
    pub price_before: i64,
    /// What the client pays after it: `price_before` less `concession`.
    pub price_after: i64,
    /// One line for each of its portions, ordered by portion id.
    pub lines: Vec<AgreedLine>,
}

impl AgreedCadence {
    /// What the portions bear together: the concession less what vendors pay.
    #[must_use]
    pub const fn borne(&self) -> i64 {
        // The shares add up to it, and fitted.
        self.concession.saturating_sub(self.vendor_money)
    }
}

impl JointQuote {
    /// The revision that counts: the one in force, or, where a party is not there to approve, the
    /// one that is asserted.
    #[must_use]
    pub fn counted(&self) -> Option<&ConcessionRevision> {
        let is_asserted = |open: &&ConcessionRevision| open.state == RevisionState::Asserted;
        self.in_force().or(self.open().filter(is_asserted))
    }

    /// What the parties agreed on, by cadence and in order; without a concession that counts, the
    /// prices as they are.
    #[must_use]
    pub fn agreed(&self) -> Vec<AgreedCadence> {
        let cadences = Cadence::ALL.into_iter();
        cadences
            .filter_map(|cadence| self.agreed_for(cadence))
            .collect()
    }

    fn agreed_for(&self, cadence: Cadence) -> Option<AgreedCadence> {
        let splits = self.counted().map(|revision| &revision.split.cadences);
        let mut splits = splits.into_iter().flatten();
        let split = splits.find(|split| split.cadence == cadence);
        let lines: Vec<AgreedLine> = self
            .of(cadence)
            .map(|portion| {
                let outcome = line_of(portion, split).map(|line| &line.outcome);
                let (share, sealed) = match outcome {
                    None => (Some(0), None),
                    Some(Outcome::Open(open)) => (Some(open.share), None),
                    Some(Outcome::Sealed(commitment)) => (None, Some(commitment.clone())),
                };
                AgreedLine {
                    portion_id: portion.id.clone(),
                    owner: portion.owner.clone(),
                    periods: portion.periods(),
                    price_before: portion.price.minor,
                    share,
                    sealed,
                }
            })
            .collect();
        if lines.is_empty() {
            return None;
        }
        // The sum of all prices fits, or they were no portions of a quote.
        let price_before = lines
            .iter()
            .fold(0_i64, |sum, line| sum.saturating_add(line.price_before));
        let concession = split.map_or(0, |split| split.concession);
        Some(AgreedCadence {
            cadence,
            concession,
            vendor_money: split.map_or(0, |split| split.vendor_money),
            price_before,
            price_after: split.map_or(price_before, |split| split.price_after),
            lines,
        })
    }
}

/// The line of a portion; none before anything was conceded.
fn line_of<'split>(portion: &Portion, split: Option<&'split CadenceSplit>) -> Option<&'split Line> {
    let mut lines = split?.lines.iter();
    lines.find(|line| line.portion_id == portion.id)
}
