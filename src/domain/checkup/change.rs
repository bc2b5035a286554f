//! What would change a figure: how far it is from the next lower intensity, in numbers and in words.

use super::measure::{Measure, Thresholds, Unit};
use super::value::{Value, level_text};

/// What would bring a figure down by one intensity.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Change {
    /// The intensity that it would have then.
    pub to_intensity: u8,
    /// Below which level that is, in the unit of the measure.
    pub below: i64,
    /// So many cases fewer of the sort that is counted, all else equal; `None` where that is not how it
    /// changes.
    pub fewer: Option<u64>,
    /// Or so many more of the other sort; `None` where that is not how it changes.
    pub more: Option<u64>,
}

impl Change {
    /// What would bring a figure down; `None` for one at 0.
    #[must_use]
    pub fn of(value: Value, thresholds: &Thresholds, intensity: u8) -> Option<Self> {
        let to_intensity = intensity.checked_sub(1)?;
        let below = *thresholds.get(usize::from(to_intensity))?;
        let (fewer, more) = match value {
            Value::Share { part, whole } => shift(part, whole, below, 10_000),
            Value::Ratio { part, whole } => shift(part, whole, below, 100),
            Value::Count(count) => {
                let most = u64::try_from(below.saturating_sub(1)).unwrap_or(0);
                (Some(count.saturating_sub(most)), None)
            }
            Value::Duration { .. } | Value::Age { .. } | Value::Index { .. } => (None, None),
        };
        Some(Self {
            to_intensity,
            below,
            fewer,
            more,
        })
    }

    /// The change in plain English words, with its numbers.
    #[must_use]
    pub fn sentence(&self, measure: Measure) -> String {
        let unit = measure.unit();
        let below = level_text(unit, self.below);
        let to = self.to_intensity;
        let end = format!("below {below}, which is intensity {to}");
        match (unit, self.fewer, self.more) {
            (Unit::Share, Some(fewer), Some(more)) => format!(
                "With {fewer} fewer of them, or {more} more of the other sort, it is {end}."
            ),
            (Unit::Gaps, Some(fewer), _) => {
                format!("With something happening in {fewer} more of these periods, it is {end}.")
            }
            (Unit::Ratio, Some(fewer), _) => format!("With {fewer} fewer in all, it is {end}."),
            (Unit::Count, Some(fewer), _) => format!("With {fewer} fewer, it is {end}."),
            (Unit::Duration, ..) => format!("A median {end}."),
            (Unit::Age, ..) => {
                format!("The next one starts the count anew; it is to come {end}.")
            }
            (Unit::Index, ..) => format!(
                "If the others bear more of the next concessions, the index comes {end}; 1.00 is parity."
            ),
            _ => format!("It changes {end}."),
        }
    }
}

/// How many cases less of `part`, or more of the others, bring `part / whole` below a level.
fn shift(part: u64, whole: u64, below: i64, of_one: u128) -> (Option<u64>, Option<u64>) {
    let (part, whole) = (u128::from(part), u128::from(whole));
    let below = u128::try_from(below).unwrap_or(0);
    let most = (below * whole).saturating_sub(1) / of_one;
    let fewer = part.saturating_sub(most);
    let needed = (part * of_one).checked_div(below).map(|whole| whole + 1);
    let more = needed.map(|needed| needed.saturating_sub(whole));
    let small = |number: u128| u64::try_from(number).ok();
    (small(fewer), more.and_then(small))
}
