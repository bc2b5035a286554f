//! The open intervals of one year, and searches among them. All in microseconds.

/// One merged open interval, `[open, close)`.
#[derive(Clone, Copy, Debug)]
struct Interval {
    open: i64,
    close: i64,
    /// Open time of the year before this interval.
    before: i64,
}

/// The merged open intervals of one year, in order.
#[derive(Clone, Debug)]
pub(super) struct Year {
    intervals: Box<[Interval]>,
    open: i64,
}

impl Year {
    /// Takes intervals that are in order, not empty, and do not touch.
    pub(super) fn new(intervals: Vec<(i64, i64)>) -> Self {
        let mut total = 0;
        let intervals = intervals
            .into_iter()
            .map(|(open, close)| {
                let before = total;
                total += close - open;
                Interval {
                    open,
                    close,
                    before,
                }
            })
            .collect();
        Self {
            intervals,
            open: total,
        }
    }

    /// Open time of the whole year.
    pub(super) fn open(&self) -> i64 {
        self.open
    }

    /// Open time of the year before this instant.
    pub(super) fn open_before(&self, at: i64) -> i64 {
        self.opened_before(at).map_or(0, |interval| {
            interval.before + at.min(interval.close) - interval.open
        })
    }

    /// Whether an interval holds the instant.
    pub(super) fn is_open(&self, at: i64) -> bool {
        let following = self
            .intervals
            .partition_point(|interval| interval.close <= at);
        self.intervals
            .get(following)
            .is_some_and(|interval| interval.open <= at)
    }

    /// The earliest instant with so much open time of the year before it, at least 1.
    pub(super) fn earliest_with(&self, open: i64) -> Option<i64> {
        let following = self
            .intervals
            .partition_point(|interval| interval.before < open);
        let interval = self.intervals.get(following.checked_sub(1)?)?;
        Some(interval.open + open - interval.before)
    }

    /// The latest instant that begins open time and has so much of it in the year before it, less
    /// than the whole.
    pub(super) fn latest_with(&self, open: i64) -> Option<i64> {
        let following = self
            .intervals
            .partition_point(|interval| interval.before <= open);
        let interval = self.intervals.get(following.checked_sub(1)?)?;
        Some(interval.open + open - interval.before)
    }

    /// The first open instant from `from` on.
    pub(super) fn first_open(&self, from: i64) -> Option<i64> {
        let following = self
            .intervals
            .partition_point(|interval| interval.close <= from);
        self.intervals
            .get(following)
            .map(|interval| interval.open.max(from))
    }

    /// The last instant up to `from` that ends open time.
    pub(super) fn last_open(&self, from: i64) -> Option<i64> {
        self.opened_before(from)
            .map(|interval| interval.close.min(from))
    }

    /// The intervals that end after `from`.
    pub(super) fn intervals_from(&self, from: i64) -> impl Iterator<Item = (i64, i64)> {
        let following = self
            .intervals
            .partition_point(|interval| interval.close <= from);
        self.intervals[following..]
            .iter()
            .map(|interval| (interval.open, interval.close))
    }

    /// The last interval that opened before the instant.
    fn opened_before(&self, at: i64) -> Option<&Interval> {
        let following = self
            .intervals
            .partition_point(|interval| interval.open < at);
        self.intervals.get(following.checked_sub(1)?)
    }
}
