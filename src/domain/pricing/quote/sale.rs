//! What became of a quote: won at a price, or lost; and what was taken back of its concession since.
//!
//! The price that the client pays in the end is what a party says, once and corrected once; every
//! word stays. A reversal never divides anew: it takes the recorded shares back in the proportions in
//! which they were borne, so partial reversals end at exactly zero. Where shares are sealed, so is what
//! is taken back of each.

mod decide;
#[cfg(test)]
mod tests;

use serde::{Deserialize, Serialize};

use super::sealed::Amount;
use super::{Cadence, JointQuote, QuoteState, RevisionState};
use crate::domain::aggregate::{By, Recorded};
use crate::domain::commitment::Commitment;
use crate::domain::identity::PartyId;
use crate::domain::refusal::Refusal;
use crate::domain::sla::calendar::CivilDate;

pub(in crate::domain::pricing) use decide::Seller;
pub use decide::{NewReversal, SaleCommand, billers, decide, sealed_openings};

/// How often one party says at which price a quote was won: once, and once more to correct it.
pub const WORDS_PER_PARTY_MAX: usize = 2;
/// Most reversals of one quote.
pub const REVERSALS_MAX: usize = 100;
/// Most lines in all reversals of one quote together.
pub const REVERSAL_LINES_MAX: usize = 4_000;

/// Why a sale came to nothing, or what decided it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum SaleReason {
    /// The price.
    Price,
    /// The time at which it could be had.
    Timing,
    /// Somebody else's offer.
    Competitor,
    /// The client decided nothing.
    NoDecision,
    /// The client has no money for it.
    NoBudget,
    /// The client does not need it.
    NoNeed,
    /// What was offered, or was not.
    Scope,
    /// How the client and the parties get on.
    Relationship,
    /// Something else.
    Other,
}

/// What the client pays each time that something is due. Amounts are in minor units of the quote's
/// currency.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct FinalPrice {
    /// When it is due.
    pub cadence: Cadence,
    /// What the client pays; not negative.
    pub price: i64,
    /// The sum of the prices that the parties agreed on.
    pub agreed: i64,
    /// What the client pays beyond what was agreed; negative if it pays less.
    pub difference_to_agreed: i64,
}

/// A party said that the quote was won, and at which price.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct QuoteWon {
    /// Which party.
    pub party: PartyId,
    /// What the client pays: one for each cadence of the quote, in order.
    pub prices: Vec<FinalPrice>,
    /// Number of the revision that waited and is answered no more.
    pub superseded: Option<u32>,
}

/// One party's word on the price at which the quote was won.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct WinStatement {
    /// What the client pays: one for each cadence of the quote, in order.
    pub prices: Vec<FinalPrice>,
    /// Who said so.
    pub by: By,
}

/// A party said that the quote was lost.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct QuoteLost {
    /// Which party.
    pub party: PartyId,
    /// What decided it.
    pub reason: SaleReason,
    /// In words: a commitment.
    pub words: Option<Commitment>,
    /// Number of the revision that waited and is answered no more.
    pub superseded: Option<u32>,
}

/// How a quote was lost.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct LossStatement {
    /// What decided it.
    pub reason: SaleReason,
    /// In words: a commitment.
    pub words: Option<Commitment>,
    /// Who said so.
    pub by: By,
}

/// What a portion no longer bears, over its whole term, in minor units; with the sign of what it
/// bore.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ReversedLine {
    /// The portion.
    pub portion_id: String,
    /// The party that it belongs to.
    pub owner: PartyId,
    /// How much.
    pub amount: Amount,
}

/// What is taken back of one cadence's concession.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ReversedCadence {
    /// Of which cadence.
    pub cadence: Cadence,
    /// How much, over the whole term; with the sign of the concession.
    pub amount: i64,
    /// One line for each portion of the cadence, those of 0 too, ordered by portion id. They add up
    /// to the amount.
    pub lines: Vec<ReversedLine>,
}

/// A part of the concession was taken back.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ConcessionReversed {
    /// Which party says so.
    pub party: PartyId,
    /// Counts the quote's reversals from 1.
    pub number: u32,
    /// Number of the revision whose shares are taken back.
    pub revision: u32,
    /// Its hash.
    pub hash: String,
    /// The party that bills the client.
    pub biller: PartyId,
    /// On which day the client is billed.
    pub date: CivilDate,
    /// Why: a commitment to free text.
    pub reason: Option<Commitment>,
    /// How much of which cadence, in order.
    pub cadences: Vec<ReversedCadence>,
}

/// A reversal, and who recorded it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Reversal {
    /// What was taken back.
    pub reversed: ConcessionReversed,
    /// Who recorded it.
    pub by: By,
}

/// What became of a quote.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Sale {
    /// At which price it was won, oldest word first; the last one counts. At most
    /// [`WORDS_PER_PARTY_MAX`] of each party.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub won: Vec<WinStatement>,
    /// How it was lost, if it was.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub lost: Option<LossStatement>,
    /// What was taken back of its concession, oldest first; numbered from 1. At most
    /// [`REVERSALS_MAX`].
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub reversals: Vec<Reversal>,
}

impl Sale {
    /// What was taken back of a portion so far, with the sign of what it bore; `None` if some of it is
    /// sealed and `read` does not find it.
    #[must_use]
    pub fn reversed(
        &self,
        portion_id: &str,
        read: impl Fn(&Commitment) -> Option<String>,
    ) -> Option<i64> {
        // Together no more than what the portion bears, which fits.
        self.lines_of(portion_id).try_fold(0_i64, |sum, line| {
            Some(sum.saturating_add(line.amount.known(&read)?))
        })
    }

    /// What was taken back of a portion, oldest first.
    pub fn lines_of(&self, portion_id: &str) -> impl Iterator<Item = &ReversedLine> {
        let lines = self.every_line();
        lines.filter(move |line| line.portion_id == portion_id)
    }

    /// The commitments to what was taken back where shares are sealed.
    pub fn sealed_amounts(&self) -> impl Iterator<Item = &Commitment> {
        self.every_line().filter_map(|line| line.amount.sealed())
    }

    fn every_line(&self) -> impl Iterator<Item = &ReversedLine> {
        let reversals = self.reversals.iter();
        let cadences = reversals.flat_map(|reversal| &reversal.reversed.cadences);
        cadences.flat_map(|cadence| &cadence.lines)
    }

    /// Lines in all reversals so far, as [`REVERSAL_LINES_MAX`] counts them.
    #[must_use]
    pub fn lines(&self) -> usize {
        self.every_line().count()
    }
}

impl JointQuote {
    /// Refuses to work on a quote of which it is said what became of it.
    ///
    /// # Errors
    /// [`crate::domain::refusal::Reason::InvalidState`].
    pub(super) fn refuse_sold(&self, action: &str) -> Result<(), Refusal> {
        match self.state {
            QuoteState::Won | QuoteState::Lost => {
                Err(Refusal::invalid_state(self.state.as_str(), action))
            }
            QuoteState::Open | QuoteState::Expired => Ok(()),
        }
    }

    pub(super) fn win(&mut self, won: &QuoteWon, recorded: &Recorded) -> Option<()> {
        self.state = QuoteState::Won;
        self.sale.won.push(WinStatement {
            prices: won.prices.clone(),
            by: By::of(&won.party, recorded)?,
        });
        self.leave_unanswered(won.superseded)
    }

    pub(super) fn lose(&mut self, lost: &QuoteLost, recorded: &Recorded) -> Option<()> {
        self.state = QuoteState::Lost;
        self.sale.lost = Some(LossStatement {
            reason: lost.reason,
            words: lost.words.clone(),
            by: By::of(&lost.party, recorded)?,
        });
        self.leave_unanswered(lost.superseded)
    }

    pub(super) fn reverse(
        &mut self,
        reversed: &ConcessionReversed,
        recorded: &Recorded,
    ) -> Option<()> {
        let follows = self.sale.reversals.len() + 1 == usize::try_from(reversed.number).ok()?;
        self.sale.reversals.push(Reversal {
            reversed: reversed.clone(),
            by: By::of(&reversed.party, recorded)?,
        });
        follows.then_some(())
    }

    fn leave_unanswered(&mut self, number: Option<u32>) -> Option<()> {
        number.map_or(Some(()), |number| self.supersede(number))
    }

    /// The number of the revision that waits for an answer, and will get none.
    fn unanswered(&self) -> Option<u32> {
        let waiting = self.open()?;
        (waiting.state == RevisionState::Proposed).then_some(waiting.split.number)
    }
}
