//! Who bears the concessions of a partnership: over all of its quotes, and against what each sells.
//!
//! The burden index of a party is its part of everything conceded, divided by its part of everything
//! sold, in basis points: 10,000 is parity, 20,000 bears twice as much as it sells. Only concessions
//! that every party approved count, those of quotes that were won apart from the others, and amounts of
//! different currencies are never added. Everything is counted in whole minor units.
//!
//! Where shares are sealed, whoever looks knows its own and the sum of all: with two owners that is the
//! other's, with more it is what the others bear together.

mod parity;
mod sealed;
#[cfg(test)]
mod tests;

use std::collections::{BTreeMap, BTreeSet};

use super::allocation::{AllocationError, Part, allocate};
use super::money::Currency;
use super::quote::portion::{PassThrough, Portion};
use super::quote::{Basis, ConcessionRevision, ConcessionSplit, JointQuote, Line, QuoteState};
use crate::domain::commitment::Commitment;
use crate::domain::identity::PartyId;
use crate::domain::time::Timestamp;

pub use parity::{Parity, ParityError, ParityShare};

/// The index of a party that bears as much as it sells, in basis points.
pub const PARITY_BPS: i64 = 10_000;
/// Sums up to this can be compared exactly in 128 bits.
pub const SUM_MAX: i64 = i64::MAX / 2;

/// Which quotes count.
#[derive(Clone, Copy, Debug, Default)]
pub struct Window {
    /// Approved at this instant or later; `None` from the beginning.
    pub from: Option<Timestamp>,
    /// Approved before this instant; `None` up to now.
    pub to: Option<Timestamp>,
}

impl Window {
    fn contains(&self, at: Timestamp) -> bool {
        self.from.is_none_or(|from| from <= at) && self.to.is_none_or(|to| at < to)
    }
}

/// Quotes that are counted together.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Group {
    /// Their currency, with its exponent.
    pub currency: Currency,
    /// Whether the client bought.
    pub is_won: bool,
}

/// What one party sold and bore. Amounts are in minor units, over all periods.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Burden {
    /// The prices of what it sold, before any concession. What is passed on at cost is left out, since
    /// it can bear nothing.
    pub base: i128,
    /// What it bore, less what was taken back; negative if surcharges outweigh.
    pub absorbed: i128,
    /// How many of the concessions it proposed.
    pub proposed: u64,
    /// How many of its portions ended at their floors, over all quotes; where shares are sealed, only
    /// those of whoever looks.
    pub at_floor: u64,
    /// How many of the quotes it had a portion in.
    pub quotes: u64,
}

impl Burden {
    fn take(&mut self, other: &Self) {
        self.base += other.base;
        self.absorbed += other.absorbed;
        self.proposed += other.proposed;
        self.at_floor += other.at_floor;
        self.quotes += other.quotes;
    }
}

/// The burdens of one group of quotes.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Burdens {
    /// Those of each party.
    pub parties: BTreeMap<PartyId, Burden>,
    /// How many quotes were counted.
    pub quotes: u64,
    /// What whoever looks bore beside others in quotes of which no single other's share is known.
    pub together: Together,
    /// How many more could not be counted, since a share in them is sealed.
    pub sealed: u64,
}

/// What one party sold and bore, and all others together.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Together {
    /// In how many quotes.
    pub quotes: u64,
    /// The party.
    pub own: Burden,
    /// The others.
    pub others: Burden,
}

impl Together {
    /// The party's burden index against the others together; `None` where nothing was conceded on the
    /// whole, or it sold nothing.
    ///
    /// # Errors
    /// [`AllocationError::AmountOutOfRange`] if what was sold or borne is beyond [`SUM_MAX`].
    pub fn index_bps(&self) -> Result<Option<i64>, AllocationError> {
        let base = fits(self.own.base + self.others.base)?;
        let absorbed = fits(self.own.absorbed + self.others.absorbed)?;
        let own = (fits(self.own.absorbed)?, fits(self.own.base)?);
        Ok(index_bps((own.0, absorbed), (own.1, base)))
    }
}

/// Who looks, and what it may read.
#[derive(Clone, Copy)]
pub struct Looking<'viewer> {
    /// The party.
    pub party: &'viewer PartyId,
    /// Finds what was sealed, as far as the party may read it.
    pub read: &'viewer dyn Fn(&Commitment) -> Option<String>,
}

impl std::fmt::Debug for Looking<'_> {
    /// The party alone.
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter
            .debug_struct("Looking")
            .field("party", self.party)
            .finish_non_exhaustive()
    }
}

/// All burdens of a partnership, by group.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Tally(pub BTreeMap<Group, Burdens>);

/// A party's burden against the others'.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Standing {
    /// The party.
    pub party: PartyId,
    /// What it sold and bore.
    pub burden: Burden,
    /// Its burden index in basis points, rounded half up; `None` where nothing was conceded on the
    /// whole, or it sold nothing.
    pub index_bps: Option<i64>,
    /// What it would have borne at parity less what it bore: more than zero if it bore too little.
    /// Together zero. `None` where nothing can be compared.
    pub to_parity: Option<i64>,
}

impl Tally {
    /// Counts a quote, if a concession on it is in force and was approved within the window; with a
    /// `basis`, only if it was divided by that.
    pub fn add(
        &mut self,
        quote: &JointQuote,
        window: &Window,
        basis: impl Fn(&Basis) -> bool,
        looking: Looking<'_>,
    ) {
        let Some(revision) = quote.in_force() else {
            return;
        };
        let approved_at = revision.approvals.iter().map(|approval| approval.at).max();
        let is_within = approved_at.is_some_and(|at| window.contains(at));
        if !is_within || !basis(&revision.split.proposal.basis) {
            return;
        }
        let group = Group {
            currency: quote.currency,
            is_won: quote.state == QuoteState::Won,
        };
        let burdens = self.0.entry(group).or_default();
        burdens.count(quote, revision, looking);
    }
}

impl Burdens {
    fn count(&mut self, quote: &JointQuote, revision: &ConcessionRevision, looking: Looking<'_>) {
        let opened = revision.split.opened(looking.read);
        let rest = sealed::rest(quote, &opened);
        let sum = match &rest {
            None => None,
            Some(rest) => match rest.absorbed(quote, &opened, looking) {
                None => {
                    self.sealed += 1;
                    return;
                }
                Some(_) if rest.owners().len() > 1 => {
                    self.together(quote, revision, &opened, rest, looking);
                    return;
                }
                absorbed => absorbed,
            },
        };
        self.quotes += 1;
        self.of(&revision.proposer).proposed += 1;
        let mut owners: BTreeSet<&PartyId> = BTreeSet::new();
        for (portion, line) in sealed::divided(quote, &opened) {
            owners.insert(&line.owner);
            bear(self.of(&line.owner), quote, portion, line, looking);
        }
        if let Some((rest, absorbed)) = rest.zip(sum) {
            for owner in rest.owners() {
                self.of(owner).absorbed += absorbed;
            }
        }
        for owner in owners {
            self.of(owner).quotes += 1;
        }
    }

    /// Counts a quote in which several others' shares are sealed: what they bore together.
    fn together(
        &mut self,
        quote: &JointQuote,
        revision: &ConcessionRevision,
        opened: &ConcessionSplit,
        rest: &sealed::Rest<'_>,
        looking: Looking<'_>,
    ) {
        let Together {
            quotes,
            own,
            others,
        } = &mut self.together;
        *quotes += 1;
        let is_own = |party: &PartyId| party == looking.party;
        for (portion, line) in sealed::divided(quote, opened) {
            let burden = if is_own(&line.owner) {
                &mut *own
            } else {
                &mut *others
            };
            bear(burden, quote, portion, line, looking);
        }
        others.absorbed += rest.absorbed(quote, opened, looking).unwrap_or_default();
        let proposer = if is_own(&revision.proposer) {
            &mut *own
        } else {
            &mut *others
        };
        proposer.proposed += 1;
        own.quotes += 1;
        others.quotes += 1;
    }

    fn of(&mut self, party: &PartyId) -> &mut Burden {
        if !self.parties.contains_key(party) {
            self.parties.insert(party.clone(), Burden::default());
        }
        self.parties.entry(party.clone()).or_default()
    }

    /// Adds the burdens of other quotes in the same currency.
    pub fn take(&mut self, others: &Self) {
        self.quotes += others.quotes;
        self.sealed += others.sealed;
        self.together.quotes += others.together.quotes;
        self.together.own.take(&others.together.own);
        self.together.others.take(&others.together.others);
        for (party, burden) in &others.parties {
            self.of(party).take(burden);
        }
    }

    /// What was sold and what was borne by all together.
    #[must_use]
    pub fn total(&self) -> Burden {
        let mut total = Burden::default();
        for burden in self.parties.values() {
            total.base += burden.base;
            total.absorbed += burden.absorbed;
            total.proposed += burden.proposed;
            total.at_floor += burden.at_floor;
        }
        total.quotes = self.quotes;
        total
    }

    /// Every party against the others, in the order of their ids.
    ///
    /// # Errors
    /// [`AllocationError::AmountOutOfRange`] if what was sold or borne is beyond [`SUM_MAX`].
    pub fn standings(&self) -> Result<Vec<Standing>, AllocationError> {
        let total = self.total();
        let base = fits(total.base)?;
        let absorbed = fits(total.absorbed)?;
        let at_parity = self.at_parity(absorbed)?;
        let standing = |(index, (party, burden)): (usize, (&PartyId, &Burden))| {
            let own = fits(burden.absorbed)?;
            let at_parity = at_parity.as_ref().and_then(|shares| shares.get(index));
            Ok(Standing {
                party: party.clone(),
                burden: burden.clone(),
                index_bps: index_bps((own, absorbed), (fits(burden.base)?, base)),
                to_parity: at_parity.map(|share| share - own),
            })
        };
        self.parties.iter().enumerate().map(standing).collect()
    }

    /// What each party would have borne at parity, in their order.
    fn at_parity(&self, absorbed: i64) -> Result<Option<Vec<i64>>, AllocationError> {
        let mut parts = Vec::with_capacity(self.parties.len());
        for (party, burden) in &self.parties {
            parts.push(Part {
                id: party.to_string(),
                weight: fits(burden.base)?.unsigned_abs(),
            });
        }
        match allocate(absorbed, &parts) {
            Ok(split) => Ok(Some(split.shares.iter().map(|share| share.share).collect())),
            Err(AllocationError::NoWeight { .. } | AllocationError::NoParts) => Ok(None),
            Err(error) => Err(error),
        }
    }
}

/// What a portion sold, and what it bore as far as that is known.
fn bear(
    burden: &mut Burden,
    quote: &JointQuote,
    portion: &Portion,
    line: &Line,
    looking: Looking<'_>,
) {
    let periods = i128::from(portion.periods());
    let is_at_cost = portion.pass_through == Some(PassThrough::AtCost);
    if !is_at_cost {
        burden.base += i128::from(portion.price.minor) * periods;
    }
    if let Some(open) = line.open() {
        // What was taken back is over the whole term already; of a share that is known, so is that.
        let reversed = quote.sale.reversed(&line.portion_id, looking.read);
        burden.absorbed += i128::from(open.share) * periods - i128::from(reversed.unwrap_or(0));
        burden.at_floor += u64::from(open.is_at_floor && !is_at_cost);
    }
}

/// A sum that can be compared.
fn fits(sum: i128) -> Result<i64, AllocationError> {
    let found = i64::try_from(sum).unwrap_or(i64::MAX);
    if found.unsigned_abs() > SUM_MAX.unsigned_abs() {
        return Err(AllocationError::AmountOutOfRange { amount: found });
    }
    Ok(found)
}

/// `(absorbed / all absorbed) / (base / all bases)` in basis points, rounded half up; `None` where a
/// denominator is zero. No number is beyond [`SUM_MAX`].
#[must_use]
pub fn index_bps(
    (absorbed, all_absorbed): (i64, i64),
    (base, all_bases): (i64, i64),
) -> Option<i64> {
    const DIGITS: u32 = 4;
    let size = |number: i64| u128::from(number.unsigned_abs());
    // Products of two numbers of 62 bits leave room for another digit.
    let divisor = size(all_absorbed) * size(base);
    let dividend = size(absorbed) * size(all_bases);
    let mut quotient = dividend.checked_div(divisor)?;
    let mut rest = dividend % divisor;
    // 10,000 times that, digit by digit, since the product itself would not fit.
    for _ in 0..DIGITS {
        rest *= 10;
        quotient = quotient.checked_mul(10)?.checked_add(rest / divisor)?;
        rest %= divisor;
    }
    quotient += u128::from(rest * 2 >= divisor);
    let index = i64::try_from(quotient).ok()?;
    let is_negative = (absorbed < 0) != (all_absorbed < 0);
    Some(if is_negative { -index } else { index })
}

/// How evenly burdens lie, by Jain: the square of the sum of the indices, divided by their number and the
/// sum of their squares, in basis points, rounded down. 10,000 if all are equal, 10,000 / n if one of n
/// bears everything. `None` without any index, or with a negative one.
#[must_use]
pub fn jain_bps(standings: &[Standing]) -> Option<i64> {
    let indices: Vec<u128> = standings
        .iter()
        .filter_map(|standing| standing.index_bps)
        .map(|index| u128::try_from(index).ok())
        .collect::<Option<_>>()?;
    let mut sum = 0_u128;
    let mut squares = 0_u128;
    for index in &indices {
        sum = sum.checked_add(*index)?;
        squares = squares.checked_add(index.checked_mul(*index)?)?;
    }
    let count = u128::try_from(indices.len()).ok()?;
    let scaled = sum
        .checked_mul(sum)?
        .checked_mul(PARITY_BPS.unsigned_abs().into())?;
    let evenness = scaled.checked_div(squares.checked_mul(count)?)?;
    i64::try_from(evenness).ok()
}
