//! A calendar made ready for arithmetic on instants.
//!
//! The supported range is cut into calendar years (UTC). A year is worked out when a question
//! first touches it and kept: its merged open intervals in order, each with the open time that
//! comes before it in that year. A question is then a binary search in one year or two, and a sum
//! over the years between them, of which there are about a hundred at most. A calendar that is
//! always open needs none of that.

mod combined;
mod rules;
mod year;

use super::calendar::{
    CalendarError, CalendarSpecification, CivilDate, days_before_year, pinned_zone,
};
use super::combination::{OPERANDS, Operator};
use crate::domain::time::{MICROS_PER_DAY, Span, Timestamp};
use combined::Combined;
use rules::Rules;
use std::sync::{Arc, OnceLock};
use year::Year;

/// First instant that calendars know, 1999-12-30T00:00:00Z: in every zone before the first
/// instant that a record may carry.
pub const RANGE_START: Timestamp = Timestamp::from_micros(days(1999, 12, 30) * MICROS_PER_DAY);
/// End of what calendars know, 2101-01-02T00:00:00Z, exclusive: a year after the last instant
/// that a record may carry, so that deadlines have room.
pub const RANGE_END: Timestamp = Timestamp::from_micros(days(2101, 1, 2) * MICROS_PER_DAY);

const FIRST_YEAR: i16 = 1999;
/// Calendar years that the supported range touches.
const YEARS: usize = 103;
/// Start of each year's part of the supported range, and the end of the last one, in microseconds.
const YEAR_BOUNDS: [i64; YEARS + 1] = year_bounds();

/// A calendar that answers questions about instants: how much open time lies between two, and
/// which instant lies a length of open time away from another.
///
/// Open intervals are half-open, `[open, close)`. Outside the supported range ([`RANGE_START`] to
/// [`RANGE_END`]) every calendar is closed. The first question about a year costs some
/// microseconds, later ones well under one. It may be shared between threads.
///
/// How wall-clock windows become instants: an edge that a change of the clocks skips moves later
/// by as much as was skipped; an edge that occurs twice is the first occurrence; a window emptied
/// in this way is dropped, and so are the windows of a date that the zone skips altogether.
#[derive(Clone, Debug)]
pub struct CompiledCalendar {
    openness: Openness,
}

#[derive(Clone, Debug)]
enum Openness {
    /// Open at every instant of the supported range.
    Always,
    Scheduled(Box<Schedule>),
}

#[derive(Clone, Debug)]
struct Schedule {
    source: Source,
    years: [OnceLock<Year>; YEARS],
}

/// Where the open intervals come from.
#[derive(Clone, Debug)]
enum Source {
    /// What a firm wrote down.
    Rules(Rules),
    /// Two other calendars.
    Combined(Combined),
}

impl CompiledCalendar {
    /// Compiles what a firm wrote down, with the zone's data as pinned (`TZif` bytes).
    ///
    /// # Errors
    /// The first violation that [`CalendarSpecification::validate`] would list, apart from the
    /// zone's name; [`CalendarError::ZoneDataUnreadable`]; [`CalendarError::NeverOpens`] if no
    /// instant of the supported range is open.
    pub fn compile(
        specification: &CalendarSpecification,
        tzif: &[u8],
    ) -> Result<Self, CalendarError> {
        if let Some(violation) = specification.structural_violations().into_iter().next() {
            return Err(violation);
        }
        let rules = Rules::new(specification, tzif)?;
        if rules.cover_every_week() {
            return Ok(Self::always_open());
        }
        Self::scheduled(Source::Rules(rules))
    }

    /// The calendar that is open whenever one of two is, or only while both are.
    ///
    /// # Errors
    /// [`CalendarError::NeverOpens`] if no instant of the supported range is open.
    pub fn combine(
        operator: Operator,
        calendars: [Arc<Self>; OPERANDS],
    ) -> Result<Self, CalendarError> {
        let is_always = |calendar: &Arc<Self>| matches!(calendar.openness, Openness::Always);
        let always = match operator {
            Operator::Union => calendars.iter().any(is_always),
            Operator::Intersection => calendars.iter().all(is_always),
        };
        if always {
            return Ok(Self::always_open());
        }
        Self::scheduled(Source::Combined(Combined {
            operator,
            calendars,
        }))
    }

    fn scheduled(source: Source) -> Result<Self, CalendarError> {
        let schedule = Schedule {
            source,
            years: [const { OnceLock::new() }; YEARS],
        };
        if (0..YEARS).all(|index| schedule.year(index).open() == 0) {
            return Err(CalendarError::NeverOpens);
        }
        Ok(Self {
            openness: Openness::Scheduled(Box::new(schedule)),
        })
    }

    /// Compiles a calendar that nobody stored, with the bundled data of its zone.
    ///
    /// # Errors
    /// Everything that [`CalendarSpecification::validate`] finds, else as [`Self::compile`].
    pub fn compile_with_bundled_zone(
        specification: &CalendarSpecification,
    ) -> Result<Self, Vec<CalendarError>> {
        let faults = specification.validate();
        match pinned_zone(&specification.time_zone) {
            Some((_, tzif)) if faults.is_empty() => {
                Self::compile(specification, tzif).map_err(|fault| vec![fault])
            }
            _ => Err(faults),
        }
    }

    /// The calendar that is open at every instant of the supported range.
    #[must_use]
    pub const fn always_open() -> Self {
        Self {
            openness: Openness::Always,
        }
    }

    /// Open time in `[from, to)`; zero when `to` is not later than `from`.
    #[must_use]
    pub fn elapsed(&self, from: Timestamp, to: Timestamp) -> Span {
        let (from, to) = (from.max(RANGE_START), to.min(RANGE_END));
        if to <= from {
            return Span::ZERO;
        }
        match &self.openness {
            Openness::Always => to.since(from),
            Openness::Scheduled(schedule) => {
                Span::from_micros(schedule.elapsed(from.as_micros(), to.as_micros()))
            }
        }
    }

    /// The earliest instant from `from` on with `length` of open time in between. A length used up
    /// exactly at closing time ends there, not at the next opening.
    ///
    /// A length of zero (or less) gives the first open instant from `from` on. `None` when the
    /// supported range does not hold so much open time.
    #[must_use]
    pub fn add(&self, from: Timestamp, length: Span) -> Option<Timestamp> {
        let from = from.max(RANGE_START);
        if from >= RANGE_END {
            return None;
        }
        match &self.openness {
            Openness::Always => {
                Some(from.saturating_add(length.max(Span::ZERO))).filter(|end| *end <= RANGE_END)
            }
            Openness::Scheduled(schedule) if length > Span::ZERO => schedule
                .add(from.as_micros(), length.as_micros())
                .map(Timestamp::from_micros),
            Openness::Scheduled(schedule) => schedule
                .first_open(from.as_micros())
                .map(Timestamp::from_micros),
        }
    }

    /// The latest instant up to `from` with `length` of open time in between. A length used up
    /// exactly at opening time ends there, not at the closing time before it.
    ///
    /// A length of zero (or less) mirrors [`Self::add`]: `from` itself if the calendar was open
    /// just before it, else the last closing time before it. `None` when the supported range does
    /// not hold so much open time.
    #[must_use]
    pub fn subtract(&self, from: Timestamp, length: Span) -> Option<Timestamp> {
        let from = from.min(RANGE_END);
        if from <= RANGE_START {
            return None;
        }
        match &self.openness {
            Openness::Always => {
                let start = from
                    .as_micros()
                    .saturating_sub(length.max(Span::ZERO).as_micros());
                Some(Timestamp::from_micros(start)).filter(|start| *start >= RANGE_START)
            }
            Openness::Scheduled(schedule) if length > Span::ZERO => schedule
                .subtract(from.as_micros(), length.as_micros())
                .map(Timestamp::from_micros),
            Openness::Scheduled(schedule) => schedule
                .last_open(from.as_micros())
                .map(Timestamp::from_micros),
        }
    }

    /// Whether the calendar is open at this instant; it is not at closing time itself.
    #[must_use]
    pub fn is_open(&self, at: Timestamp) -> bool {
        if !(RANGE_START..RANGE_END).contains(&at) {
            return false;
        }
        match &self.openness {
            Openness::Always => true,
            Openness::Scheduled(schedule) => schedule
                .year(year_index(at.as_micros()))
                .is_open(at.as_micros()),
        }
    }

    /// End of the merged open interval that holds `at`, else of the next one. `None` when the
    /// calendar never closes again, or never opens again, within the supported range.
    #[must_use]
    pub fn next_close(&self, at: Timestamp) -> Option<Timestamp> {
        let (_, close) = self.open_intervals(at, RANGE_END).next()?;
        Some(close).filter(|close| *close < RANGE_END)
    }

    /// The open intervals `[open, close)` in order, merged, and clipped to `[from, to)`. No two
    /// touch.
    pub fn open_intervals(
        &self,
        from: Timestamp,
        to: Timestamp,
    ) -> impl Iterator<Item = (Timestamp, Timestamp)> {
        let (from, to) = (from.max(RANGE_START), to.min(RANGE_END));
        let (always, schedule) = match &self.openness {
            Openness::Always => (Some((from, to)).filter(|_| from < to), None),
            Openness::Scheduled(schedule) => (None, Some(schedule)),
        };
        let scheduled = schedule.into_iter().flat_map(move |schedule| {
            let (from, to) = (from.as_micros(), to.as_micros());
            Merged {
                pieces: schedule.pieces(from, to),
                ahead: None,
            }
        });
        always.into_iter().chain(
            scheduled
                .map(|(open, close)| (Timestamp::from_micros(open), Timestamp::from_micros(close))),
        )
    }
}

/// All instants and lengths here are microseconds, and instants lie in the supported range.
impl Schedule {
    fn year(&self, index: usize) -> &Year {
        self.years[index].get_or_init(|| {
            let (start, end) = (YEAR_BOUNDS[index], YEAR_BOUNDS[index + 1]);
            Year::new(match &self.source {
                Source::Rules(rules) => rules.open_intervals(start, end),
                Source::Combined(combined) => combined.open_intervals(start, end),
            })
        })
    }

    fn elapsed(&self, from: i64, to: i64) -> i64 {
        let (first, last) = (year_index(from), year_index(to));
        let whole_years: i64 = (first..last).map(|index| self.year(index).open()).sum();
        whole_years + self.year(last).open_before(to) - self.year(first).open_before(from)
    }

    fn add(&self, from: i64, length: i64) -> Option<i64> {
        let first = year_index(from);
        let mut wanted = length.saturating_add(self.year(first).open_before(from));
        for index in first..YEARS {
            let year = self.year(index);
            if wanted <= year.open() {
                return year.earliest_with(wanted);
            }
            wanted -= year.open();
        }
        None
    }

    fn subtract(&self, from: i64, length: i64) -> Option<i64> {
        let mut index = year_index(from);
        let mut wanted = self.year(index).open_before(from).saturating_sub(length);
        while wanted < 0 {
            index = index.checked_sub(1)?;
            wanted = wanted.saturating_add(self.year(index).open());
        }
        self.year(index).latest_with(wanted)
    }

    fn first_open(&self, from: i64) -> Option<i64> {
        (year_index(from)..YEARS).find_map(|index| self.year(index).first_open(from))
    }

    fn last_open(&self, from: i64) -> Option<i64> {
        (0..=year_index(from))
            .rev()
            .find_map(|index| self.year(index).last_open(from))
    }

    /// Open intervals clipped to `[from, to)`; one that runs over New Year comes in two pieces.
    fn pieces(&self, from: i64, to: i64) -> impl Iterator<Item = (i64, i64)> {
        (year_index(from)..YEARS)
            .take_while(move |index| YEAR_BOUNDS[*index] < to)
            .flat_map(move |index| self.year(index).intervals_from(from))
            .map(move |(open, close)| (open.max(from), close.min(to)))
            .take_while(|(open, close)| open < close)
    }
}

/// Joins pieces that touch. They can do so only at New Year, so it looks ahead only there.
struct Merged<Pieces> {
    pieces: Pieces,
    ahead: Option<(i64, i64)>,
}

impl<Pieces: Iterator<Item = (i64, i64)>> Iterator for Merged<Pieces> {
    type Item = (i64, i64);

    fn next(&mut self) -> Option<Self::Item> {
        let (open, mut close) = self.ahead.take().or_else(|| self.pieces.next())?;
        while YEAR_BOUNDS.binary_search(&close).is_ok() {
            self.ahead = self.pieces.next();
            let Some(joined) = self.ahead.take_if(|next| next.0 == close) else {
                break;
            };
            close = joined.1;
        }
        Some((open, close))
    }
}

/// Which year's part of the supported range holds the instant; its end counts to the last year.
fn year_index(at: i64) -> usize {
    YEAR_BOUNDS[..YEARS]
        .partition_point(|start| *start <= at)
        .saturating_sub(1)
}

/// Days since the epoch of a date that exists; fails to compile for any other.
const fn days(year: i16, month: i8, day: i8) -> i64 {
    match CivilDate::new(year, month, day) {
        Some(date) => date.days_since_epoch(),
        None => panic!("no such date"),
    }
}

const fn year_bounds() -> [i64; YEARS + 1] {
    let mut bounds = [RANGE_START.as_micros(); YEARS + 1];
    let mut index = 1;
    let mut year = FIRST_YEAR;
    while index < YEARS {
        year += 1;
        bounds[index] = days_before_year(year) * MICROS_PER_DAY;
        index += 1;
    }
    bounds[YEARS] = RANGE_END.as_micros();
    bounds
}

#[cfg(test)]
mod tests;
