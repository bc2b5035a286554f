//! What changed in the check-up between two instants.

use std::cmp::Reverse;

use crate::domain::checkup::measure::{Measure, Unit};
use crate::domain::identity::PartyId;

/// Most changes that are told.
pub const CHANGES_MAX: usize = 3;

/// What a figure came to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Reading {
    /// In the unit of the measure.
    pub level: i64,
    /// How bad that is; `None` for what is only shown.
    pub intensity: Option<u8>,
    /// The same in words.
    pub text: String,
}

/// A figure at two instants.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Compared {
    /// Whose.
    pub party: PartyId,
    /// What is measured.
    pub measure: Measure,
    /// In which currency, for an index; otherwise empty.
    pub currency: String,
    /// What it was; `None` without data.
    pub before: Option<Reading>,
    /// What it is; `None` without data.
    pub after: Option<Reading>,
}

impl Compared {
    /// How much it changed: by intensity, and then by a part of what it was, in basis points; `None` if
    /// it did not.
    fn size(&self) -> Option<(u8, u128)> {
        let judged = |reading: &Option<Reading>| {
            let reading = reading.as_ref();
            reading.and_then(|reading| reading.intensity).unwrap_or(0)
        };
        let steps = judged(&self.before).abs_diff(judged(&self.after));
        let level = |reading: &Option<Reading>| reading.as_ref().map(|reading| reading.level);
        match (level(&self.before), level(&self.after)) {
            (None, None) => None,
            (Some(before), Some(after)) if before == after => None,
            // That days go by is no news.
            (Some(_), Some(_)) if self.measure.unit() == Unit::Age && steps == 0 => None,
            (Some(before), Some(after)) => {
                let difference = u128::from(before.abs_diff(after)) * 10_000;
                let whole = u128::from(before.unsigned_abs().max(after.unsigned_abs()).max(1));
                Some((steps, difference / whole))
            }
            // Something is known for the first time, or no more.
            _ => Some((steps, 0)),
        }
    }

    /// Whether it became worse: more is worse.
    #[must_use]
    pub fn is_worse(&self) -> bool {
        let levels = self.before.as_ref().zip(self.after.as_ref());
        levels.is_some_and(|(before, after)| after.level > before.level)
    }
}

/// The figures that changed most: by intensity first, then by how much, then what became worse before
/// what became better; at most `CHANGES_MAX`.
#[must_use]
pub fn most_changed(compared: Vec<Compared>) -> Vec<Compared> {
    let sized = compared.into_iter();
    let mut sized: Vec<_> = sized
        .filter_map(|figure| figure.size().map(|size| (size, figure)))
        .collect();
    // Stable: among equals the order of the report counts.
    sized.sort_by_key(|(size, figure)| Reverse((*size, figure.is_worse())));
    let sized = sized.into_iter().take(CHANGES_MAX);
    sized.map(|(_, figure)| figure).collect()
}
