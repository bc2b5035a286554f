//! A quote on one sheet: what every owner sells, what is conceded, and divisions of it side by side.
//!
//! Nothing of it is stored and nobody else is asked, so costs are plain numbers here. What is due once
//! and what recurs is never divided together: each cadence is divided by itself.

mod check;
#[cfg(test)]
mod tests;
mod undivided;

use std::collections::BTreeMap;

use super::division::{
    BPS_TOTAL, Division, DivisionError, Measure, Question, Rounding, ShortfallPolicy, Slice, divide,
};
use super::money::Currency;
use crate::domain::refusal::Reason;

pub use super::quote::Cadence;
pub use undivided::Undivided;

/// Most lines of a sheet.
pub const LINES_MAX: usize = super::allocation::PARTS_MAX;
/// Longest id of a line, and longest name of an owner, in bytes.
pub const NAME_MAX: usize = 100;
/// The largest markup or margin in basis points: ten times the amount that it is of.
pub const RATE_BPS_MAX: u32 = 100_000;

/// What one owner sells. Amounts are in minor units of the sheet's currency; those of what recurs are
/// for one period.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Line {
    /// What it is called; unique on the sheet.
    pub id: String,
    /// Who sells it.
    pub owner: String,
    /// When it is due.
    pub cadence: Cadence,
    /// Its price, not negative.
    pub price: i64,
    /// What it costs its owner, not negative; `None` if that is not told.
    pub cost: Option<i64>,
    /// The least price that its owner agrees to: 0 to the price.
    pub floor: Option<i64>,
    /// The least margin that its owner agrees to, in basis points of the cost: a floor as well.
    pub minimum_margin_bps: Option<u32>,
    /// Whether it is passed on at cost: it bears nothing.
    pub is_at_cost: bool,
    /// How much all markups on it may be together, in basis points of its price; `None` if nobody marks
    /// it up.
    pub markup_cap_bps: Option<u32>,
    /// The line of another owner that this one marks up.
    pub markup_on: Option<String>,
}

/// A quote and what is conceded on it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Sheet {
    /// The currency of every amount.
    pub currency: Currency,
    /// What is sold.
    pub lines: Vec<Line>,
    /// What is conceded on each cadence; negative for a surcharge.
    pub concessions: BTreeMap<Cadence, i64>,
}

/// One way to divide what is conceded.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Alternative {
    /// By what measure. Stated amounts may be of all cadences.
    pub measure: Measure,
    /// How single minor units are given out.
    pub rounding: Rounding,
    /// What becomes of what the floors leave over.
    pub shortfall: ShortfallPolicy,
}

/// What comes of an alternative on one cadence.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Answer {
    /// Which cadence.
    pub cadence: Cadence,
    /// The division over its lines.
    pub division: Division,
    /// Lines whose markups are beyond the cap on the prices after the concession, in the order of the
    /// sheet.
    pub over_cap: Vec<OverCap>,
}

/// A line that is marked up by more than its cap.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct OverCap {
    /// The line that is marked up.
    pub id: String,
    /// All markups on it, in minor units.
    pub markups: u64,
    /// The most that they may be, rounded down.
    pub most: u64,
}

/// A column of a sheet.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Column {
    /// [`Line::id`].
    Id,
    /// [`Line::owner`].
    Owner,
    /// [`Line::cadence`].
    Cadence,
    /// [`Line::price`].
    Price,
    /// [`Line::cost`].
    Cost,
    /// [`Line::floor`].
    Floor,
    /// [`Line::minimum_margin_bps`].
    MinimumMargin,
    /// [`Line::is_at_cost`].
    PassThrough,
    /// [`Line::markup_cap_bps`].
    MarkupCap,
    /// [`Line::markup_on`].
    MarkupOn,
}

/// Where a sheet is at fault.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Place {
    /// The lines as a whole.
    Lines,
    /// One line, counted from 0, in one column.
    Line(usize, Column),
    /// What is conceded, as a whole.
    Concessions,
    /// What is conceded on one cadence.
    Concession(Cadence),
}

/// What is wrong with a sheet.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Fault {
    /// Where.
    pub place: Place,
    /// Its typed reason.
    pub reason: Reason,
    /// What is wrong, for a person.
    pub description: String,
}

impl Line {
    /// The least price that its owner agrees to: the larger one of what it declares and what its margin
    /// asks for. `None` if that does not fit, or if a margin is asked for without a cost.
    #[must_use]
    pub fn least_price(&self) -> Option<u64> {
        let declared = u64::try_from(self.floor.unwrap_or_default()).ok()?;
        let Some(bps) = self.minimum_margin_bps else {
            return Some(declared);
        };
        let cost = u64::try_from(self.cost?).ok()?;
        let total = u128::from(BPS_TOTAL);
        let asked = (u128::from(cost) * (total + u128::from(bps))).div_ceil(total);
        u64::try_from(asked).ok().map(|asked| asked.max(declared))
    }

    /// The line as a slice of its cadence. The sheet must have been checked.
    fn slice(&self) -> Slice {
        let minor = |amount: i64| u64::try_from(amount).unwrap_or_default();
        let price = minor(self.price);
        // What is passed on at cost costs its price.
        let stated = if self.is_at_cost {
            Some(self.price)
        } else {
            self.cost
        };
        Slice {
            id: self.id.clone(),
            owner: self.owner.clone(),
            price,
            cost: stated.map(minor),
            band: None,
            floor: self.least_price().unwrap_or(price),
            is_passed_through: self.is_at_cost,
        }
    }
}

impl Sheet {
    /// Everything that is wrong with it; nothing if it can be divided.
    #[must_use]
    pub fn faults(&self) -> Vec<Fault> {
        check::faults(self)
    }

    /// Divides what is conceded, cadence by cadence. The sheet must have no faults.
    ///
    /// # Errors
    /// The first cadence that cannot be divided in this way, and why.
    pub fn answer(&self, alternative: &Alternative) -> Result<Vec<Answer>, Undivided> {
        let of = |(cadence, concession): (&Cadence, &i64)| {
            let cadence = *cadence;
            self.one(cadence, *concession, alternative)
                .map_err(|error| Undivided { cadence, error })
        };
        self.concessions.iter().map(of).collect()
    }

    fn one(
        &self,
        cadence: Cadence,
        concession: i64,
        alternative: &Alternative,
    ) -> Result<Answer, DivisionError> {
        let lines = || self.lines.iter().filter(|line| line.cadence == cadence);
        let slices: Vec<Slice> = lines().map(Line::slice).collect();
        let mut question = Question::new(concession, alternative.measure.clone());
        if let Measure::Custom(stated) = &mut question.measure {
            // What is stated for other cadences is divided there; what is nowhere stays and is refused.
            let elsewhere = |id: &str| {
                let mut lines = self.lines.iter();
                lines.any(|line| line.id == id && line.cadence != cadence)
            };
            stated.retain(|id, _| !elsewhere(id));
        }
        question.rounding = alternative.rounding;
        question.shortfall = alternative.shortfall.clone();
        let division = divide(&slices, &question)?;
        let after = |id: &str| {
            let mut parts = division.parts.iter();
            parts
                .find(|part| part.id == id)
                .map_or(0, |part| part.price_after)
        };
        let over_cap = self.over_cap(cadence, after);
        Ok(Answer {
            cadence,
            division,
            over_cap,
        })
    }

    /// The lines of a cadence that are marked up by more than their caps at some prices.
    fn over_cap(&self, cadence: Cadence, price: impl Fn(&str) -> u64) -> Vec<OverCap> {
        let mut over = Vec::new();
        for line in self.lines.iter().filter(|line| line.cadence == cadence) {
            let Some(cap) = line.markup_cap_bps else {
                continue;
            };
            let on_it = |other: &&Line| other.markup_on.as_ref() == Some(&line.id);
            let markups: u128 = self
                .lines
                .iter()
                .filter(on_it)
                .map(|other| u128::from(price(&other.id)))
                .sum();
            let capped = u128::from(cap) * u128::from(price(&line.id));
            if markups * u128::from(BPS_TOTAL) > capped {
                let fits = |amount: u128| u64::try_from(amount).unwrap_or(u64::MAX);
                over.push(OverCap {
                    id: line.id.clone(),
                    markups: fits(markups),
                    most: fits(capped / u128::from(BPS_TOTAL)),
                });
            }
        }
        over
    }
}
