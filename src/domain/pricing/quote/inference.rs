//! How near others come to what a party's portions cost, tried with the division itself.
//!
//! An observer knows its own lines. Every cost of the subject that leaves these as they are is one that
//! it cannot tell from the true one. So costs are tried, below the true one and above it, whatever limits
//! are met and however it is rounded: between the two ends that are found lies what the observer cannot
//! rule out. Both ends have been tried, and all else is taken as known to the observer, so what is found
//! is never more privacy than there is. Where nothing can be said, that is said.

use super::JointQuote;
use super::blind::{Costs, has_derived_floor};
use super::clauses::refuse_broken;
use super::portion::{Cadence, Portion};
use super::split::{CadenceSplit, ConcessionSplit, Line};
use crate::domain::identity::PartyId;
use crate::domain::partnership::Partnership;
use crate::domain::partnership::clauses::PricingClauses;

/// Most divisions that are tried to answer one question. What is not found by then is not known.
const TRIALS_MAX: u32 = 5_000;

/// Who comes near to what a party's portions cost.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Observer {
    /// A party that keeps what it knows to itself.
    Party(PartyId),
    /// All but the subject, putting together what they know.
    AllOthers,
}

/// How near an observer comes to what a party's portions cost.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Bound {
    /// Who comes near.
    pub observer: Observer,
    /// Of the portions that are due then.
    pub cadence: Cadence,
    /// By this division alone it knows the sum, of the subject's or of all others', to within so many
    /// minor units at best: half of the width of what it cannot tell apart, rounded down by [`coarse`].
    /// `None` if that is not known, so that it may be 0.
    pub within: Option<u64>,
}

/// A width rounded down to 1, 2 or 5 times a power of ten, so that it tells how near somebody comes and
/// next to nothing of how that was worked out.
#[must_use]
pub fn coarse(width: u64) -> u64 {
    let (mut found, mut power) = (0, Some(1_u64));
    while let Some(unit) = power {
        let steps = [1, 2, 5].into_iter();
        for step in steps.filter_map(|step| unit.checked_mul(step)) {
            if step <= width {
                found = step;
            }
        }
        power = unit.checked_mul(10);
    }
    found
}

/// How near each of these observers comes to what `subject`'s portions cost, by a split with open lines:
/// for nobody but the subject to know. Exact widths would tell the subject what the observer's portions
/// cost, so they are made coarse. Without the costs that it was divided by no width is known.
///
/// `quote` has the portions that the split divides, and no others.
#[must_use]
pub fn bounds(
    split: &ConcessionSplit,
    quote: &JointQuote,
    partnership: &Partnership,
    costs: Option<&Costs>,
    (subject, observers): (&PartyId, &[Observer]),
) -> Vec<Bound> {
    let mut trial = costs.and_then(|costs| Trial::new(split, quote, partnership, costs));
    let mut found = Vec::new();
    for (index, cadence) in split.cadences.iter().enumerate() {
        let Some(floored) = told_of(split, cadence, quote, subject) else {
            continue;
        };
        for observer in observers {
            let trial = trial.as_mut().filter(|_| !floored);
            let within = trial.and_then(|trial| trial.within(index, subject, observer));
            found.push(Bound {
                observer: observer.clone(),
                cadence: cadence.cadence,
                within: within.map(coarse),
            });
        }
    }
    found
}

/// Whether a cadence tells of the subject's costs, and if so, whether by a floor that follows from them:
/// whoever asks often enough how much can be conceded finds it, whatever one division tells.
fn told_of(
    split: &ConcessionSplit,
    cadence: &CadenceSplit,
    quote: &JointQuote,
    subject: &PartyId,
) -> Option<bool> {
    let own = bearing(quote, cadence.cadence, subject);
    if own.iter().any(|portion| has_derived_floor(portion)) {
        return Some(true);
    }
    let is_weighed = split.proposal.basis.is_of_costs() && cadence.borne() != 0;
    (is_weighed && !own.is_empty()).then_some(false)
}

/// The portions of a party that could bear something in a cadence.
fn bearing<'quote>(
    quote: &'quote JointQuote,
    cadence: Cadence,
    party: &PartyId,
) -> Vec<&'quote Portion> {
    let own = quote.of(cadence);
    own.filter(|portion| portion.owner == *party && !portion.is_at_cost())
        .collect()
}

/// A division that is tried again with other costs.
struct Trial<'split> {
    /// As it was.
    split: &'split ConcessionSplit,
    /// As it is tried.
    tried: ConcessionSplit,
    quote: &'split JointQuote,
    /// The clauses that it had to keep.
    clauses: Option<&'split PricingClauses>,
    costs: Costs,
    trials_left: u32,
}

impl<'split> Trial<'split> {
    /// `None` if the terms whose clauses it kept are no longer known.
    fn new(
        split: &'split ConcessionSplit,
        quote: &'split JointQuote,
        partnership: &'split Partnership,
        costs: &Costs,
    ) -> Option<Self> {
        let terms = partnership.terms.as_ref();
        let revision = terms.map(|terms| terms.revision);
        if split.proposal.terms_revision != revision {
            return None;
        }
        Some(Self {
            split,
            tried: split.clone(),
            quote,
            clauses: terms.map(|terms| &terms.content.pricing_clauses),
            costs: costs.clone(),
            trials_left: TRIALS_MAX,
        })
    }

    /// Half of the width of what the observer cannot tell apart. `None` if it cannot be said.
    fn within(&mut self, index: usize, subject: &PartyId, observer: &Observer) -> Option<u64> {
        let cadence = self.split.cadences.get(index)?.cadence;
        let own = bearing(self.quote, cadence, subject);
        // One of them is enough, since what is not known of it is not known of the sum. What was stated
        // in another currency cannot have every amount in this one.
        let own = own.into_iter().filter(|it| it.cost_exchange.is_none());
        let portion = own.max_by_key(|portion| portion.price.minor)?;
        let cost = *self.costs.get(&portion.id)?;
        let (least, most) = thinkable(portion, cost);
        let seen = seen_by(observer, subject);
        if !self.fits(index, portion, cost, &seen)? {
            return None;
        }
        let below = farthest(cost - least, |away| {
            self.fits(index, portion, cost - away, &seen)
        });
        let above = farthest(most - cost, |away| {
            self.fits(index, portion, cost + away, &seen)
        });
        self.costs.insert(portion.id.clone(), cost);
        self.tried.clone_from(self.split);
        Some(below?.checked_add(above?)? / 2)
    }

    /// Whether all that is seen is the same if a portion costs that. `None` if too much was tried.
    fn fits(
        &mut self,
        index: usize,
        portion: &Portion,
        cost: u64,
        is_seen: &dyn Fn(&Line) -> bool,
    ) -> Option<bool> {
        self.trials_left = self.trials_left.checked_sub(1)?;
        self.costs.insert(portion.id.clone(), cost);
        let before = self.split.cadences.get(index)?;
        let portions: Vec<&Portion> = self.quote.of(before.cadence).collect();
        let proposal = &self.split.proposal;
        let again = CadenceSplit::divided(proposal, before.cadence, &portions, &self.costs);
        let Ok(again) = again else {
            return Some(false);
        };
        let lines = |split: &CadenceSplit| -> Vec<Line> {
            let lines = split.lines.iter().filter(|line| is_seen(line));
            lines.cloned().collect()
        };
        let is_same = lines(&again) == lines(before)
            && (again.shortfall, again.price_after) == (before.shortfall, before.price_after);
        *self.tried.cadences.get_mut(index)? = again;
        let kept = self
            .clauses
            .is_none_or(|clauses| refuse_broken(clauses, &self.tried, self.quote).is_ok());
        Some(is_same && kept)
    }
}

/// Which lines an observer of `subject` sees.
fn seen_by(observer: &Observer, subject: &PartyId) -> impl Fn(&Line) -> bool {
    move |line| match observer {
        Observer::Party(party) => line.owner == *party,
        Observer::AllOthers => line.owner != *subject,
    }
}

/// What others may think that a portion costs at least and at most: within the band that was revealed,
/// and no more than its price, unless it does.
fn thinkable(portion: &Portion, cost: u64) -> (u64, u64) {
    let price = u64::try_from(portion.price.minor).unwrap_or(0);
    let (least, most) = match portion.cost_band {
        Some(band) => (band.from, band.to.saturating_sub(1).min(price)),
        None => (0, price),
    };
    (least.min(cost), most.max(cost))
}

/// The farthest distance, up to `most`, that is found to fit, where 0 fits. Beyond what does not fit
/// nothing is looked for.
fn farthest(most: u64, mut fits: impl FnMut(u64) -> Option<bool>) -> Option<u64> {
    if most == 0 || fits(most)? {
        return Some(most);
    }
    let (mut within, mut beyond) = (0, most);
    let mut next = 1;
    while next < beyond {
        if fits(next)? {
            within = next;
            next = next.saturating_mul(2);
        } else {
            beyond = next;
        }
    }
    while beyond - within > 1 {
        let middle = u64::midpoint(within, beyond);
        if fits(middle)? {
            within = middle;
        } else {
            beyond = middle;
        }
    }
    Some(within)
}
