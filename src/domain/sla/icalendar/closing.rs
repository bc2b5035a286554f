//! What events close, date by date, and the exceptions that say so.

use std::collections::BTreeMap;

use jiff::civil::Date;
use jiff::tz::TimeZone;
use jiff::{Timestamp, ToSpan};

use super::event::{End, Event};
use super::moment::{Moment, zone};
use super::{Budget, Horizon, IcalendarFault};
use crate::domain::sla::calendar::{
    CalendarException, CivilDate, DESCRIPTION_BYTES_MAX, DayWindow, MINUTES_PER_DAY, MinuteOfDay,
    WeeklyWindow,
};
use crate::domain::time::{MICROS_PER_DAY, MICROS_PER_MINUTE};

/// Minutes of a day, `[from, to)`.
type Minutes = (u16, u16);

/// What is closed on one date.
#[derive(Debug)]
struct Closing {
    /// The stretches that are closed.
    cuts: Vec<Minutes>,
    /// What the first event is called that closes some of it.
    name: String,
    /// Where that event begins.
    line: usize,
}

/// What is closed on which dates.
#[derive(Debug)]
pub(super) struct Closings {
    home: TimeZone,
    first: Date,
    last: Date,
    dates: BTreeMap<Date, Closing>,
}

impl Closings {
    /// Nothing yet; times of day are read on the clock of `time_zone`.
    pub(super) fn new(time_zone: &str, horizon: Horizon) -> Self {
        let first = Date::new(horizon.first_year, 1, 1).unwrap_or(Date::MIN);
        let last = Date::new(horizon.last_year, 12, 31).unwrap_or(Date::MAX);
        Self {
            home: zone(time_zone),
            first,
            last,
            dates: BTreeMap::new(),
        }
    }

    /// The calendar's own zone.
    pub(super) const fn home(&self) -> &TimeZone {
        &self.home
    }

    /// Closes what an event covers that begins at `start`.
    pub(super) fn close(
        &mut self,
        event: &Event,
        start: &Moment,
        budget: &mut Budget,
    ) -> Result<(), IcalendarFault> {
        if start.time.is_none() {
            let days = whole_days(event)?;
            let Ok(last) = start.date.checked_add((days - 1).days()) else {
                return Ok(());
            };
            return self.cover(event, (start.date, 0), (last, MINUTES_PER_DAY), budget);
        }
        let from = start.instant(&self.home);
        let to = from.saturating_add(self.lasting(event));
        if to <= from {
            return Ok(());
        }
        // Begun minutes are closed whole.
        let to = to.saturating_add(MICROS_PER_MINUTE - 1);
        let (Some(from), Some(to)) = (self.shown(from), self.shown(to)) else {
            return Ok(());
        };
        self.cover(event, from, to, budget)
    }

    /// What the calendar's wall clock shows at an instant: the date, and minutes after midnight.
    fn shown(&self, instant: i64) -> Option<(Date, u16)> {
        let instant = Timestamp::from_microsecond(instant).ok()?;
        let shown = self.home.to_datetime(instant);
        let minutes = i16::from(shown.hour()) * 60 + i16::from(shown.minute());
        Some((shown.date(), u16::try_from(minutes).ok()?))
    }

    /// How long an event with times of day lasts, in microseconds.
    fn lasting(&self, event: &Event) -> i64 {
        match &event.end {
            End::Before(_, end) => end.instant(&self.home) - event.start.instant(&self.home),
            End::After(_, length) => *length,
            End::Unsaid => 0,
        }
    }

    fn cover(
        &mut self,
        event: &Event,
        (first, from): (Date, u16),
        (last, to): (Date, u16),
        budget: &mut Budget,
    ) -> Result<(), IcalendarFault> {
        let mut date = first.max(self.first);
        while date <= last.min(self.last) {
            budget.take(event.line)?;
            let from = if date == first { from } else { 0 };
            let to = if date == last { to } else { MINUTES_PER_DAY };
            if from < to {
                let closing = self.dates.entry(date).or_insert_with(|| Closing {
                    cuts: Vec::new(),
                    name: shortened(&event.summary),
                    line: event.line,
                });
                if !closing.cuts.contains(&(0, MINUTES_PER_DAY)) {
                    closing.cuts.push((from, to));
                }
            }
            let Ok(next) = date.tomorrow() else { break };
            date = next;
        }
        Ok(())
    }

    /// The exceptions for a calendar with these weekly windows, in order.
    pub(super) fn exceptions(
        &self,
        weekly: &[WeeklyWindow],
    ) -> Result<Vec<CalendarException>, IcalendarFault> {
        let mut exceptions: Vec<CalendarException> = Vec::new();
        let mut before: Option<Date> = None;
        for (date, closing) in &self.dates {
            let Some(windows) = left_open(*date, closing, weekly)? else {
                continue;
            };
            let Some(civil) = CivilDate::new(date.year(), date.month(), date.day()) else {
                continue;
            };
            let follows = before.is_some_and(|before| before.tomorrow().ok() == Some(*date));
            before = Some(*date);
            match exceptions.last_mut() {
                Some(last)
                    if follows
                        && windows.is_empty()
                        && last.windows.is_empty()
                        && last.description == closing.name =>
                {
                    last.last_date = civil;
                }
                _ => exceptions.push(CalendarException {
                    first_date: civil,
                    last_date: civil,
                    windows,
                    description: closing.name.clone(),
                }),
            }
        }
        Ok(exceptions)
    }
}

/// How many dates an event without times of day covers.
fn whole_days(event: &Event) -> Result<i64, IcalendarFault> {
    match &event.end {
        End::Unsaid => Ok(1),
        End::Before(_, end) => Ok(i64::from((end.date - event.start.date).get_days())),
        End::After(_, length) if *length > 0 && length % MICROS_PER_DAY == 0 => {
            Ok(length / MICROS_PER_DAY)
        }
        End::After(line, _) => Err(IcalendarFault::new(
            *line,
            "an event of whole dates lasts whole days",
        )),
    }
}

/// The windows that are left on a date; `None` where nothing differs from the ordinary week.
fn left_open(
    date: Date,
    closing: &Closing,
    weekly: &[WeeklyWindow],
) -> Result<Option<Vec<DayWindow>>, IcalendarFault> {
    if closing.cuts.contains(&(0, MINUTES_PER_DAY)) {
        return Ok(Some(Vec::new()));
    }
    let weekday = usize::try_from(date.weekday().to_monday_zero_offset()).unwrap_or_default();
    let mut open: Vec<Minutes> = Vec::new();
    for window in weekly {
        let over_midnight = window.end <= window.start && window.end != MinuteOfDay::MIDNIGHT;
        let nearby = [weekday, (weekday + 6) % 7].contains(&window.day.index());
        if over_midnight && nearby {
            let what = format!("closes a part of {date}, when windows go over midnight");
            return Err(IcalendarFault::new(closing.line, what));
        }
        if window.day.index() == weekday {
            let end = match window.end {
                MinuteOfDay::MIDNIGHT => MINUTES_PER_DAY,
                end => end.minutes(),
            };
            open.push((window.start.minutes(), end));
        }
    }
    let mut left = open.clone();
    for (from, to) in &closing.cuts {
        left = left
            .into_iter()
            .flat_map(|(start, end)| [(start, end.min(*from)), (start.max(*to), end)])
            .filter(|(start, end)| start < end)
            .collect();
    }
    left.sort_unstable();
    left.dedup();
    if left.len() == open.len() && left.iter().all(|window| open.contains(window)) {
        return Ok(None);
    }
    let window = |(start, end): (u16, u16)| {
        let (start, end) = (
            MinuteOfDay::from_minutes(start),
            MinuteOfDay::from_minutes(end),
        );
        start.zip(end).map(|(start, end)| DayWindow { start, end })
    };
    Ok(Some(left.into_iter().filter_map(window).collect()))
}

/// A name that fits into a description.
fn shortened(name: &str) -> String {
    let mut end = name.len().min(DESCRIPTION_BYTES_MAX);
    while !name.is_char_boundary(end) {
        end -= 1;
    }
    name[..end].to_owned()
}
