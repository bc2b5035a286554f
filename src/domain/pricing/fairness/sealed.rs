//! What those bore together whose shares whoever looks may not know: the sum of all less what is known.

use std::collections::BTreeSet;

use super::Looking;
use crate::domain::identity::PartyId;
use crate::domain::pricing::quote::portion::Portion;
use crate::domain::pricing::quote::{CadenceSplit, ConcessionSplit, JointQuote, Line};

/// Portions whose shares are not known.
pub(super) struct Rest<'quote>(Vec<&'quote Portion>);

/// Each portion that a split divides, with its line.
pub(super) fn divided<'quote>(
    quote: &'quote JointQuote,
    split: &'quote ConcessionSplit,
) -> impl Iterator<Item = (&'quote Portion, &'quote Line)> {
    split.lines().filter_map(|line| {
        let mut portions = quote.portions.iter();
        let portion = portions.find(|portion| portion.id == line.portion_id)?;
        Some((portion, line))
    })
}

/// What is not known of a split; `None` if all of it is.
pub(super) fn rest<'quote>(
    quote: &'quote JointQuote,
    split: &'quote ConcessionSplit,
) -> Option<Rest<'quote>> {
    let sealed = divided(quote, split).filter(|(_, line)| line.open().is_none());
    let sealed: Vec<&Portion> = sealed.map(|(portion, _)| portion).collect();
    (!sealed.is_empty()).then_some(Rest(sealed))
}

impl Rest<'_> {
    /// Whose portions they are.
    pub fn owners(&self) -> BTreeSet<&PartyId> {
        self.0.iter().map(|portion| &portion.owner).collect()
    }

    fn has(&self, id: &str) -> bool {
        self.0.iter().any(|portion| portion.id == id)
    }

    /// What they bore together over their terms, less what was taken back. `None` if whoever looks bore
    /// nothing itself, or if it does not follow: where terms differ, the sum of each time is not enough.
    pub fn absorbed(
        &self,
        quote: &JointQuote,
        split: &ConcessionSplit,
        looking: Looking<'_>,
    ) -> Option<i128> {
        let mut own = split.lines().filter(|line| line.owner == *looking.party);
        own.next()?;
        let mut sum = 0_i128;
        for cadence in &split.cadences {
            sum += self.borne(cadence)?;
        }
        for reversal in &quote.sale.reversals {
            for cadence in &reversal.reversed.cadences {
                sum -= i128::from(cadence.amount);
                for line in &cadence.lines {
                    if !self.has(&line.portion_id) {
                        sum += i128::from(line.amount.known(looking.read)?);
                    }
                }
            }
        }
        Some(sum)
    }

    /// What they bore together of one cadence, over their term.
    fn borne(&self, cadence: &CadenceSplit) -> Option<i128> {
        let mut sum = i128::from(cadence.borne());
        let mut terms = BTreeSet::new();
        for line in &cadence.lines {
            if let Some(open) = line.open() {
                sum -= i128::from(open.share);
                continue;
            }
            let portions = self.0.iter();
            let of_line = portions.filter(|portion| portion.id == line.portion_id);
            terms.extend(of_line.map(|portion| portion.periods()));
        }
        match (terms.pop_first(), terms.is_empty()) {
            (None, _) => Some(0),
            (Some(periods), true) => Some(sum * i128::from(periods)),
            (Some(_), false) => None,
        }
    }
}
