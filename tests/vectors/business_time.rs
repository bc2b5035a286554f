//! One line is one question to a calendar; this reads it, asks ours and compares.

use crate::Tally;
use entente::domain::sla::calendar::{
    CalendarException, CalendarSpecification, CivilDate, DayWindow, MinuteOfDay, Weekday,
    WeeklyWindow, pinned_zone,
};
use entente::domain::sla::compiled::{CompiledCalendar, RANGE_END, RANGE_START};
use entente::domain::time::{Span, Timestamp};
use serde::Deserialize;
use serde_json::Value;
use std::collections::{BTreeMap, BTreeSet};

const DAY_MINUTES: u16 = 24 * 60;

/// Minutes after a day's midnight; an end beyond 1440 is on the next day.
type Minutes = (u16, u16);

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Vector {
    id: String,
    op: Operation,
    tz: String,
    weekly: BTreeMap<String, Vec<(String, String)>>,
    holidays: Vec<String>,
    breaks: Vec<(String, String)>,
    #[serde(default)]
    shifts: BTreeMap<String, Vec<(String, String)>>,
    start: String,
    end: Option<String>,
    duration_s: Option<i64>,
    expected: Value,
    holiday_rule: Option<String>,
    #[serde(rename = "source")]
    _source: String,
    #[serde(rename = "tags")]
    _tags: Vec<String>,
    #[serde(rename = "note")]
    _note: String,
    #[serde(rename = "boundary")]
    _boundary: Option<String>,
}

#[derive(Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
enum Operation {
    Between,
    Add,
    Subtract,
    IsOpen,
    NextClose,
}

/// Why a vector was not run.
type LeftOut = String;

/// Runs every line of one file.
pub fn run_file(text: &str) -> Tally {
    let mut tally = Tally::default();
    for line in text.lines().filter(|line| !line.trim().is_empty()) {
        let vector: Vector = serde_json::from_str(line).unwrap_or_else(|error| {
            panic!("a vector cannot be read: {error}: {line}");
        });
        match run(&vector) {
            Ok(None) => tally.agreed += 1,
            Ok(Some(difference)) => tally.differed.push(format!("{}: {difference}", vector.id)),
            Err(reason) => *tally.left_out.entry(reason).or_default() += 1,
        }
    }
    tally
}

/// `None` when we agree, else what was expected and what we said.
fn run(vector: &Vector) -> Result<Option<String>, LeftOut> {
    if vector
        .holiday_rule
        .as_deref()
        .is_some_and(|rule| rule != "calendar_day")
    {
        return Err("its holidays close opening days, ours are civil dates".to_owned());
    }
    let start = instant(&vector.start)?;
    let specification = specification(vector)?;
    let violations = specification.validate();
    if !violations.is_empty() {
        return Err(format!("we refuse its calendar: {}", violations[0]));
    }
    let (_, tzif) = pinned_zone(&vector.tz).expect("validated");
    let calendar = CompiledCalendar::compile(&specification, tzif)
        .map_err(|refused| format!("we refuse its calendar: {refused}"))?;
    let length = Span::from_seconds(vector.duration_s.unwrap_or(0));
    if length < Span::ZERO {
        return Err("negative length".to_owned());
    }
    Ok(match vector.op {
        Operation::Add => compare(&calendar.add(start, length), &expected_instant(vector)?),
        Operation::Subtract => compare(
            &calendar.subtract(start, length),
            &expected_instant(vector)?,
        ),
        Operation::NextClose => compare(&calendar.next_close(start), &expected_instant(vector)?),
        Operation::IsOpen => compare(&Some(calendar.is_open(start)), &vector.expected.as_bool()),
        Operation::Between => {
            let end = instant(vector.end.as_deref().expect("an end"))?;
            let elapsed = calendar.elapsed(start, end);
            let negative = vector.expected.as_i64().is_some_and(|seconds| seconds < 0);
            if negative && end < start && elapsed == Span::ZERO {
                return Err("the end is before the start: negative there, zero here".to_owned());
            }
            compare(
                &Some(elapsed),
                &vector.expected.as_i64().map(Span::from_seconds),
            )
        }
    })
}

fn compare<T: PartialEq + std::fmt::Debug>(ours: &T, expected: &T) -> Option<String> {
    let differs = ours != expected;
    differs.then(|| format!("expected {expected:?}, we say {ours:?}"))
}

fn instant(text: &str) -> Result<Timestamp, LeftOut> {
    let read: jiff::Timestamp = text
        .parse()
        .unwrap_or_else(|error| panic!("{text}: {error}"));
    let instant = Timestamp::from_micros(read.as_microsecond());
    if (RANGE_START..RANGE_END).contains(&instant) {
        Ok(instant)
    } else {
        Err("an instant outside the supported range".to_owned())
    }
}

fn expected_instant(vector: &Vector) -> Result<Option<Timestamp>, LeftOut> {
    if vector.expected.is_null() {
        return Ok(None);
    }
    instant(vector.expected.as_str().expect("an instant")).map(Some)
}

/// The vector's calendar in our terms: shifts replace days, holidays close them, and breaks become
/// replacement windows.
fn specification(vector: &Vector) -> Result<CalendarSpecification, LeftOut> {
    let source = Source::new(vector)?;
    let days = [
        ("mon", Weekday::Monday),
        ("tue", Weekday::Tuesday),
        ("wed", Weekday::Wednesday),
        ("thu", Weekday::Thursday),
        ("fri", Weekday::Friday),
        ("sat", Weekday::Saturday),
        ("sun", Weekday::Sunday),
    ];
    let weekly_windows = days
        .iter()
        .flat_map(|(name, day)| {
            let windows = vector.weekly.get(*name).into_iter().flatten();
            windows.map(|window| (*day, minute(&window.0), minute(&window.1)))
        })
        .map(|(day, start, end)| WeeklyWindow { day, start, end })
        .collect();
    let windows_by_date = source.exceptions()?;
    let exceptions = windows_by_date
        .into_iter()
        .map(|(date, windows)| {
            let date = CivilDate::parse(&date.to_string()).expect("a date");
            let windows = windows.into_iter().map(day_window).collect();
            let description = String::new();
            CalendarException {
                first_date: date,
                last_date: date,
                windows,
                description,
            }
        })
        .collect();
    Ok(CalendarSpecification {
        time_zone: vector.tz.clone(),
        weekly_windows,
        exceptions,
    })
}

fn minute(text: &str) -> MinuteOfDay {
    MinuteOfDay::parse(text).expect("a time of day")
}

fn day_window((start, end): Minutes) -> DayWindow {
    let end = if end > DAY_MINUTES {
        end - DAY_MINUTES
    } else {
        end
    };
    let read = |minutes| MinuteOfDay::from_minutes(minutes).expect("a time of day");
    DayWindow {
        start: read(start),
        end: read(end),
    }
}

/// The vector's calendar, read but not yet in our terms.
struct Source {
    weekly: BTreeMap<usize, Vec<Minutes>>,
    holidays: BTreeSet<jiff::civil::Date>,
    shifts: BTreeMap<jiff::civil::Date, Vec<Minutes>>,
    breaks: Vec<(jiff::civil::DateTime, jiff::civil::DateTime)>,
}

impl Source {
    fn new(vector: &Vector) -> Result<Self, LeftOut> {
        let names = ["mon", "tue", "wed", "thu", "fri", "sat", "sun"];
        let weekly = vector.weekly.iter().map(|(name, windows)| {
            let day = names
                .iter()
                .position(|known| known == name)
                .expect("a weekday");
            (day, windows.iter().map(relative).collect())
        });
        let shifts = vector.shifts.iter();
        let breaks = vector
            .breaks
            .iter()
            .map(|(from, to)| (local(from), local(to)));
        let source = Self {
            weekly: weekly.collect(),
            holidays: vector
                .holidays
                .iter()
                .map(|text| text.parse().expect("a date"))
                .collect(),
            shifts: shifts
                .map(|(date, windows)| {
                    (
                        date.parse().expect("a date"),
                        windows.iter().map(relative).collect(),
                    )
                })
                .collect(),
            breaks: breaks.collect(),
        };
        let whole =
            |time: jiff::civil::DateTime| time.second() == 0 && time.subsec_nanosecond() == 0;
        if source
            .breaks
            .iter()
            .any(|(from, to)| !whole(*from) || !whole(*to))
        {
            return Err("a break does not begin and end on whole minutes".to_owned());
        }
        Ok(source)
    }

    /// What opens on a date, before breaks.
    fn opening(&self, date: jiff::civil::Date) -> Vec<Minutes> {
        if self.holidays.contains(&date) {
            return Vec::new();
        }
        let weekday = usize::try_from(date.weekday().to_monday_zero_offset()).expect("0 to 6");
        let ordinary = self.weekly.get(&weekday);
        self.shifts
            .get(&date)
            .or(ordinary)
            .cloned()
            .unwrap_or_default()
    }

    /// What the windows that open on a date put into the date after it.
    fn spill(&self, date: jiff::civil::Date) -> Vec<Minutes> {
        let over = self
            .opening(date)
            .into_iter()
            .filter(|(_, end)| *end > DAY_MINUTES);
        over.map(|(_, end)| (0, end - DAY_MINUTES)).collect()
    }

    /// The replacement windows of every date that differs from the ordinary week.
    ///
    /// A date with a break is written out from midnight to midnight, and so are its neighbours as
    /// far as a window runs over midnight between them.
    fn exceptions(&self) -> Result<BTreeMap<jiff::civil::Date, Vec<Minutes>>, LeftOut> {
        let mut broken = BTreeSet::new();
        for (from, to) in &self.breaks {
            let mut date = from.date();
            while date <= to.date() {
                broken.insert(date);
                date = date.tomorrow().expect("a date");
            }
            if broken.len() > 400 {
                return Err("a break of more than a year".to_owned());
            }
        }
        let mut written_out = broken.clone();
        for date in &broken {
            let (before, after) = (
                date.yesterday().expect("a date"),
                date.tomorrow().expect("a date"),
            );
            written_out.extend(Some(before).filter(|before| !self.spill(*before).is_empty()));
            written_out.extend(Some(after).filter(|_| !self.spill(*date).is_empty()));
        }
        let mut exceptions: BTreeMap<_, _> = self
            .shifts
            .iter()
            .map(|(date, windows)| (*date, windows.clone()))
            .collect();
        exceptions.extend(self.holidays.iter().map(|date| (*date, Vec::new())));
        for date in &written_out {
            exceptions.insert(*date, self.content(*date, &written_out));
        }
        Ok(exceptions)
    }

    /// What is open on a date that is written out, less its breaks.
    fn content(
        &self,
        date: jiff::civil::Date,
        written_out: &BTreeSet<jiff::civil::Date>,
    ) -> Vec<Minutes> {
        if self.holidays.contains(&date) {
            return Vec::new();
        }
        let mut windows = self.opening(date);
        if written_out.contains(&date.tomorrow().expect("a date")) {
            for window in &mut windows {
                window.1 = window.1.min(DAY_MINUTES);
            }
        }
        let before = date.yesterday().expect("a date");
        if written_out.contains(&before) {
            windows.extend(self.spill(before));
        }
        for (from, to) in &self.breaks {
            let (from, to) = (minutes_into(date, *from), minutes_into(date, *to));
            windows = windows
                .into_iter()
                .flat_map(|(start, end)| [(start, end.min(from)), (start.max(to), end)])
                .filter(|(start, end)| start < end)
                .collect();
        }
        windows
    }
}

/// Where a local time lies in a date: 0 before it, 1440 after it.
fn minutes_into(date: jiff::civil::Date, time: jiff::civil::DateTime) -> u16 {
    match time.date().cmp(&date) {
        std::cmp::Ordering::Less => 0,
        std::cmp::Ordering::Greater => DAY_MINUTES,
        std::cmp::Ordering::Equal => {
            u16::try_from(i32::from(time.hour()) * 60 + i32::from(time.minute())).expect("minutes")
        }
    }
}

fn relative((start, end): &(String, String)) -> Minutes {
    let (start, end) = (minute(start).minutes(), minute(end).minutes());
    (start, if end <= start { end + DAY_MINUTES } else { end })
}

fn local(text: &str) -> jiff::civil::DateTime {
    text.parse()
        .unwrap_or_else(|error| panic!("{text}: {error}"))
}
