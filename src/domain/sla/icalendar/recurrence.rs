//! Recurrence rules, worked out on civil dates.

use std::collections::BTreeSet;

use jiff::civil::{Date, Weekday};
use jiff::{Span, ToSpan};

use super::line::Line;
use super::moment::Moment;
use super::{Budget, IcalendarFault};

/// Largest interval between the periods of a rule.
const INTERVAL_MAX: i32 = 1_000;

/// Which periods a rule goes through.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Frequency {
    Daily,
    Weekly,
    Monthly,
    Yearly,
}

/// A recurrence rule.
#[derive(Clone, Debug)]
pub(super) struct Rule {
    line: usize,
    frequency: Frequency,
    interval: i32,
    count: Option<u32>,
    until: Option<Moment>,
    week_start: Weekday,
    months: BTreeSet<i32>,
    month_days: BTreeSet<i32>,
    year_days: BTreeSet<i32>,
    /// Weekdays, each with which one of the month or year it is; 0 for every one.
    days: Vec<(i32, Weekday)>,
    positions: BTreeSet<i32>,
}

impl Rule {
    /// The rule that a line writes down.
    pub(super) fn of(line: &Line) -> Result<Self, IcalendarFault> {
        let mut rule = Self {
            line: line.number,
            frequency: Frequency::Yearly,
            interval: 1,
            count: None,
            until: None,
            week_start: Weekday::Monday,
            months: BTreeSet::new(),
            month_days: BTreeSet::new(),
            year_days: BTreeSet::new(),
            days: Vec::new(),
            positions: BTreeSet::new(),
        };
        let mut seen = BTreeSet::new();
        for part in line.value.trim_end_matches(';').split(';') {
            let (name, value) = part
                .split_once('=')
                .ok_or_else(|| line.fault("must be of the form FREQ=YEARLY;..."))?;
            if !seen.insert(name) {
                return Err(line.fault(format!("a second {name}")));
            }
            rule.take(line, name, value)?;
        }
        if !seen.contains("FREQ") {
            return Err(line.fault("FREQ is missing"));
        }
        if rule.count.is_some() && rule.until.is_some() {
            return Err(line.fault("only one of COUNT and UNTIL may be given"));
        }
        rule.check(line)?;
        Ok(rule)
    }

    fn take(&mut self, line: &Line, name: &str, value: &str) -> Result<(), IcalendarFault> {
        match name {
            "FREQ" => {
                self.frequency = match value {
                    "DAILY" => Frequency::Daily,
                    "WEEKLY" => Frequency::Weekly,
                    "MONTHLY" => Frequency::Monthly,
                    "YEARLY" => Frequency::Yearly,
                    _ => return Err(line.fault("FREQ must be DAILY, WEEKLY, MONTHLY or YEARLY")),
                }
            }
            "INTERVAL" => self.interval = number(line, name, value, 1, INTERVAL_MAX)?,
            "COUNT" => {
                let count = number(line, name, value, 1, i32::MAX)?;
                self.count = u32::try_from(count).ok();
            }
            "UNTIL" => self.until = Some(Moment::read(line, value)?),
            "WKST" => {
                self.week_start = weekday(value).ok_or_else(|| line.fault("WKST must be a day"))?;
            }
            "BYMONTH" => self.months = numbers(line, name, value, 1, 12)?,
            "BYMONTHDAY" => self.month_days = numbers(line, name, value, -31, 31)?,
            "BYYEARDAY" => self.year_days = numbers(line, name, value, -366, 366)?,
            "BYSETPOS" => self.positions = numbers(line, name, value, -366, 366)?,
            "BYDAY" => {
                self.days = value
                    .split(',')
                    .map(|day| {
                        ordinal_day(day).ok_or_else(|| line.fault("BYDAY must be like MO or -1FR"))
                    })
                    .collect::<Result<_, _>>()?;
            }
            _ => return Err(line.fault(format!("{name} is not supported"))),
        }
        Ok(())
    }

    /// What may not stand together.
    fn check(&self, line: &Line) -> Result<(), IcalendarFault> {
        use Frequency::{Daily, Weekly, Yearly};
        let is_short = matches!(self.frequency, Daily | Weekly);
        if is_short && self.days.iter().any(|(ordinal, _)| *ordinal != 0) {
            return Err(line.fault("BYDAY may have numbers only with MONTHLY and YEARLY"));
        }
        if !self.year_days.is_empty() && self.frequency != Yearly {
            return Err(line.fault("BYYEARDAY needs YEARLY"));
        }
        if !self.month_days.is_empty() && self.frequency == Weekly {
            return Err(line.fault("BYMONTHDAY does not go with WEEKLY"));
        }
        Ok(())
    }

    /// When an event begins that begins at `start` first, up to the end of `last_year`.
    pub(super) fn starts(
        &self,
        start: &Moment,
        last_year: i16,
        home: &jiff::tz::TimeZone,
        budget: &mut Budget,
    ) -> Result<Vec<Moment>, IcalendarFault> {
        let mut starts = Vec::new();
        let mut left = self.count.unwrap_or(u32::MAX);
        let mut period = self.first_period(start.date);
        while let Some(first) = period.filter(|first| first.year() <= last_year) {
            for date in self.dates(first, start.date, budget)? {
                let next = start.on(date);
                if date < start.date {
                    continue;
                }
                if left == 0 || date.year() > last_year || self.is_over(&next, home) {
                    return Ok(starts);
                }
                left -= 1;
                starts.push(next);
            }
            period = self.step().and_then(|step| first.checked_add(step).ok());
        }
        Ok(starts)
    }

    fn is_over(&self, next: &Moment, home: &jiff::tz::TimeZone) -> bool {
        self.until
            .as_ref()
            .is_some_and(|until| match until.time.and(next.time) {
                None => next.date > until.date,
                Some(_) => next.instant(home) > until.instant(home),
            })
    }

    /// The first day of the period that holds `date`.
    fn first_period(&self, date: Date) -> Option<Date> {
        match self.frequency {
            Frequency::Daily => Some(date),
            Frequency::Weekly => {
                let into = self.week_start.until(date.weekday());
                date.checked_sub(i64::from(into).days()).ok()
            }
            Frequency::Monthly => Some(date.first_of_month()),
            Frequency::Yearly => Some(date.first_of_year()),
        }
    }

    fn step(&self) -> Option<Span> {
        match self.frequency {
            Frequency::Daily => Span::new().try_days(self.interval),
            Frequency::Weekly => Span::new().try_weeks(self.interval),
            Frequency::Monthly => Span::new().try_months(self.interval),
            Frequency::Yearly => Span::new().try_years(self.interval),
        }
        .ok()
    }

    /// The dates of the period that begins at `first`, in order.
    fn dates(
        &self,
        first: Date,
        start: Date,
        budget: &mut Budget,
    ) -> Result<Vec<Date>, IcalendarFault> {
        let mut found = Vec::new();
        for (mut date, days) in self.stretches(first, start) {
            for _ in 0..days {
                budget.take(self.line)?;
                if self.fits(date, start) {
                    found.push(date);
                }
                let Ok(next) = date.tomorrow() else { break };
                date = next;
            }
        }
        if self.positions.is_empty() {
            return Ok(found);
        }
        let count = i32::try_from(found.len()).unwrap_or(i32::MAX);
        let numbered = (1..).zip(found);
        Ok(numbered
            .filter(|(position, _)| {
                self.positions.contains(position)
                    || self.positions.contains(&(position - 1 - count))
            })
            .map(|(_, date)| date)
            .collect())
    }

    /// The stretches of a period in which a date may fit: first day and length.
    fn stretches(&self, first: Date, start: Date) -> Vec<(Date, i64)> {
        let month = |date: Date| (date, i64::from(date.days_in_month()));
        match self.frequency {
            Frequency::Daily => vec![(first, 1)],
            Frequency::Weekly => vec![(first, 7)],
            Frequency::Monthly => vec![month(first)],
            Frequency::Yearly => (1..=12)
                .filter(|number| self.in_month(*number, start))
                .filter_map(|number| Date::new(first.year(), number, 1).ok())
                .map(month)
                .collect(),
        }
    }

    /// Whether the rule, or where it says nothing the first date, allows a month.
    fn in_month(&self, month: i8, start: Date) -> bool {
        if !self.months.is_empty() {
            return self.months.contains(&i32::from(month));
        }
        let names_days =
            !(self.month_days.is_empty() && self.year_days.is_empty() && self.days.is_empty());
        self.frequency != Frequency::Yearly || names_days || month == start.month()
    }

    fn fits(&self, date: Date, start: Date) -> bool {
        let from_end = |day: i32, length: i32| day - 1 - length;
        let (day, days) = (i32::from(date.day()), i32::from(date.days_in_month()));
        let (nth, all) = (
            i32::from(date.day_of_year()),
            i32::from(date.days_in_year()),
        );
        let listed = |set: &BTreeSet<i32>, day, length| {
            set.is_empty() || set.contains(&day) || set.contains(&from_end(day, length))
        };
        let named = self.days.is_empty() || self.days.iter().any(|day| self.is_day(*day, date));
        let unsaid =
            self.month_days.is_empty() && self.year_days.is_empty() && self.days.is_empty();
        let by_default = match self.frequency {
            _ if !unsaid => true,
            Frequency::Daily => true,
            Frequency::Weekly => date.weekday() == start.weekday(),
            Frequency::Monthly | Frequency::Yearly => date.day() == start.day(),
        };
        self.in_month(date.month(), start)
            && listed(&self.month_days, day, days)
            && listed(&self.year_days, nth, all)
            && named
            && by_default
    }

    /// Whether a date is a certain weekday, and the one of its month or year that is meant.
    fn is_day(&self, (ordinal, weekday): (i32, Weekday), date: Date) -> bool {
        if date.weekday() != weekday {
            return false;
        }
        let in_month = self.frequency == Frequency::Monthly || !self.months.is_empty();
        let (day, days) = if in_month {
            (i32::from(date.day()), i32::from(date.days_in_month()))
        } else {
            (
                i32::from(date.day_of_year()),
                i32::from(date.days_in_year()),
            )
        };
        match ordinal {
            0 => true,
            1.. => (day - 1) / 7 + 1 == ordinal,
            _ => (days - day) / 7 + 1 == -ordinal,
        }
    }
}

fn number(
    line: &Line,
    name: &str,
    value: &str,
    least: i32,
    most: i32,
) -> Result<i32, IcalendarFault> {
    let number = value.parse().ok();
    let number = number.filter(|number| (least..=most).contains(number) && *number != 0);
    number.ok_or_else(|| line.fault(format!("{name} must be {least} to {most}, and not 0")))
}

fn numbers(
    line: &Line,
    name: &str,
    value: &str,
    least: i32,
    most: i32,
) -> Result<BTreeSet<i32>, IcalendarFault> {
    let values = value.split(',');
    values
        .map(|value| number(line, name, value, least, most))
        .collect()
}

fn ordinal_day(text: &str) -> Option<(i32, Weekday)> {
    let at = text.len().checked_sub(2)?;
    let (ordinal, day) = text.split_at_checked(at)?;
    let ordinal = match ordinal {
        "" => 0,
        written => written
            .parse()
            .ok()
            .filter(|ordinal: &i32| *ordinal != 0 && (-53..=53).contains(ordinal))?,
    };
    Some((ordinal, weekday(day)?))
}

fn weekday(text: &str) -> Option<Weekday> {
    Some(match text {
        "MO" => Weekday::Monday,
        "TU" => Weekday::Tuesday,
        "WE" => Weekday::Wednesday,
        "TH" => Weekday::Thursday,
        "FR" => Weekday::Friday,
        "SA" => Weekday::Saturday,
        "SU" => Weekday::Sunday,
        _ => return None,
    })
}
