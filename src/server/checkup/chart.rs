//! Small charts by quarter, as SVG paths.
//!
//! A quarter without data is an empty frame; one with 0 is a line on the ground. Nobody can take the
//! one for the other.

use std::fmt::Write as _;

/// Height of a chart, in its own units.
const HEIGHT: i64 = 24;
/// How far the highest bar reaches.
const BAR_MAX: i64 = 23;
/// The least that a bar reaches which is not 0.
const BAR_MIN: i64 = 3;
/// What 0 reaches.
const BAR_ZERO: i64 = 1;
/// From one quarter to the next.
const STEP: usize = 12;
/// Between two quarters.
const GAP: usize = 3;
/// From where a quarter begins to the middle of its bar; the bar's width is the style's.
const TO_MIDDLE: usize = 5;

/// The paths of one chart; those that draw nothing are empty.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Chart {
    /// The bars of all quarters but the last.
    pub earlier: String,
    /// The bar of the last one.
    pub latest: String,
    /// The frames of those without data.
    pub absent: String,
}

impl Chart {
    /// A chart of levels by quarter, in which a bar of `highest` has the full height.
    #[must_use]
    pub fn new(levels: &[Option<i64>], highest: i64) -> Self {
        let mut chart = Self::default();
        for (index, level) in levels.iter().enumerate() {
            let left = index * STEP;
            let is_last = index + 1 == levels.len();
            let written = match level {
                None => write!(chart.absent, "M{left}.5 23.5v-23h8v23z"),
                Some(level) => {
                    let bars = if is_last {
                        &mut chart.latest
                    } else {
                        &mut chart.earlier
                    };
                    let (middle, height) = (left + TO_MIDDLE, height(*level, highest));
                    write!(bars, "M{middle} {HEIGHT}v-{height}")
                }
            };
            // Writing into a text does not fail.
            debug_assert!(written.is_ok());
        }
        chart
    }
}

/// Width of a chart of so many quarters, in its own units.
#[must_use]
pub const fn width(quarters: usize) -> usize {
    (quarters * STEP).saturating_sub(GAP)
}

fn height(level: i64, highest: i64) -> i64 {
    if level <= 0 {
        return BAR_ZERO;
    }
    let scaled = i128::from(level) * i128::from(BAR_MAX);
    let scaled = scaled.checked_div(i128::from(highest)).unwrap_or(0);
    i64::try_from(scaled).map_or(BAR_MAX, |scaled| scaled.clamp(BAR_MIN, BAR_MAX))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_data_is_drawn_otherwise_than_zero() {
        let chart = Chart::new(&[None, Some(0), Some(50), Some(100)], 100);
        assert_eq!(chart.absent, "M0.5 23.5v-23h8v23z");
        assert_eq!(chart.earlier, "M17 24v-1M29 24v-11");
        assert_eq!(chart.latest, "M41 24v-23");
        assert_eq!(width(4), 45);
    }

    #[test]
    fn bars_stay_within_the_chart() {
        for (level, highest, expected) in [
            (1, i64::MAX, BAR_MIN),
            (i64::MAX, 1, BAR_MAX),
            (i64::MAX, i64::MAX, BAR_MAX),
            (5, 0, BAR_MIN),
            (-7, 10, BAR_ZERO),
        ] {
            assert_eq!(height(level, highest), expected, "{level} of {highest}");
        }
        assert_eq!(Chart::new(&[], 5), Chart::default());
        assert_eq!(width(0), 0);
    }
}
