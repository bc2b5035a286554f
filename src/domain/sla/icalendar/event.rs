//! The events of a text, and when they begin.

use std::collections::{BTreeMap, HashSet};

use jiff::civil::Date;
use jiff::tz::TimeZone;

use super::line::{Line, lines};
use super::moment::{Moment, length};
use super::recurrence::Rule;
use super::{Budget, IcalendarFault};

/// Most components within one another.
const DEPTH_MAX: usize = 8;

/// One event.
#[derive(Clone, Debug)]
pub(super) struct Event {
    /// The line on which it begins.
    pub line: usize,
    /// What its recurrences have in common; may be empty.
    pub uid: String,
    /// What it is called.
    pub summary: String,
    /// Whether it does not take place.
    pub cancelled: bool,
    /// When it begins for the first time.
    pub start: Moment,
    /// How it ends.
    pub end: End,
    /// Which recurrence of the event with the same `uid` it stands for.
    pub recurrence_id: Option<Moment>,
    rule: Option<Rule>,
    more: Vec<Moment>,
    less: Vec<Moment>,
}

/// How an event ends.
#[derive(Clone, Debug)]
pub(super) enum End {
    /// Just before this, for its first occurrence; later ones last as long.
    Before(usize, Moment),
    /// So many microseconds after it begins; the line that says so.
    After(usize, i64),
    /// Nothing is said: a date lasts a day, and a time of day no time.
    Unsaid,
}

/// The events of a text.
pub(super) fn read(text: &str) -> Result<Vec<Event>, IcalendarFault> {
    let mut events = Vec::new();
    let mut open: Vec<(usize, String)> = Vec::new();
    let mut content: Vec<Line> = Vec::new();
    for line in lines(text)? {
        match line.name.as_str() {
            "BEGIN" => {
                let name = line.value.to_ascii_uppercase();
                if open.is_empty() && name != "VCALENDAR" || open.len() >= DEPTH_MAX {
                    return Err(line.fault("is not expected here"));
                }
                open.push((line.number, name));
            }
            "END" => {
                let name = line.value.to_ascii_uppercase();
                let (begun, _) = open
                    .pop()
                    .filter(|(_, begun)| *begun == name)
                    .ok_or_else(|| line.fault("ends what was not begun"))?;
                if name == "VEVENT" && open.len() == 1 {
                    events.push(event(begun, &std::mem::take(&mut content))?);
                }
            }
            _ if open.is_empty() => return Err(line.fault("stands outside of VCALENDAR")),
            // What an event holds itself, not what its alarms do.
            _ if open.len() == 2 && open[1].1 == "VEVENT" => content.push(line),
            _ => {}
        }
    }
    match open.last() {
        Some((line, name)) => Err(IcalendarFault::new(*line, format!("{name} has no end"))),
        None if text.trim().is_empty() => Err(IcalendarFault::new(1, "there is no calendar")),
        None => Ok(events),
    }
}

fn event(begun: usize, content: &[Line]) -> Result<Event, IcalendarFault> {
    let only = |name: &str| -> Result<Option<&Line>, IcalendarFault> {
        let mut found = content.iter().filter(|line| line.name == name);
        let first = found.next();
        match found.next() {
            Some(second) => Err(second.fault(format!("a second {name}"))),
            None => Ok(first),
        }
    };
    let start = only("DTSTART")?;
    let start = start.ok_or_else(|| IcalendarFault::new(begun, "the event has no DTSTART"))?;
    let end = match (only("DTEND")?, only("DURATION")?) {
        (Some(_), Some(line)) => return Err(line.fault("DTEND is given, too")),
        (Some(line), None) => End::Before(line.number, Moment::of(line)?),
        (None, Some(line)) => End::After(line.number, length(line)?),
        (None, None) => End::Unsaid,
    };
    let start_line = start;
    let start = Moment::of(start)?;
    if let End::Before(line, end) = &end {
        let same_kind = end.time.is_some() == start.time.is_some();
        if !same_kind || end.time.is_none() && end.date <= start.date {
            return Err(IcalendarFault::new(*line, "must be later than DTSTART"));
        }
    }
    let text = |name: &str| Ok(only(name)?.map(Line::text).unwrap_or_default());
    let status: String = text("STATUS")?;
    if let Some(line) = content.iter().find(|line| line.name == "EXRULE") {
        return Err(line.fault("is not supported"));
    }
    Ok(Event {
        line: start_line.number,
        uid: text("UID")?,
        summary: text("SUMMARY")?,
        cancelled: status.eq_ignore_ascii_case("CANCELLED"),
        start,
        end,
        recurrence_id: only("RECURRENCE-ID")?.map(Moment::of).transpose()?,
        rule: only("RRULE")?.map(Rule::of).transpose()?,
        more: moments(content, "RDATE")?,
        less: moments(content, "EXDATE")?,
    })
}

/// All values of all lines of a name.
fn moments(content: &[Line], name: &str) -> Result<Vec<Moment>, IcalendarFault> {
    let named = content.iter().filter(|line| line.name == name);
    let values = named.flat_map(|line| line.value.split(',').map(move |text| (line, text)));
    values
        .map(|(line, text)| Moment::read(line, text))
        .collect()
}

impl Event {
    /// When it begins, each time up to the end of `last_year`, without those that others replace.
    pub(super) fn starts(
        &self,
        replaced: &[Moment],
        last_year: i16,
        home: &TimeZone,
        budget: &mut Budget,
    ) -> Result<Vec<Moment>, IcalendarFault> {
        let mut starts = match &self.rule {
            None => vec![self.start.clone()],
            Some(rule) => rule.starts(&self.start, last_year, home, budget)?,
        };
        for more in &self.more {
            // A date among times of day keeps the event's time.
            starts.push(match more.time {
                None => self.start.on(more.date),
                Some(_) => more.clone(),
            });
        }
        let mut left_out: BTreeMap<Date, Vec<&Moment>> = BTreeMap::new();
        for other in self.less.iter().chain(replaced) {
            left_out.entry(other.date).or_default().push(other);
        }
        let mut known = HashSet::new();
        let mut kept = Vec::with_capacity(starts.len());
        for start in starts {
            // In another zone the same instant may have another date.
            let (from, to) = (start.date.yesterday(), start.date.tomorrow());
            let near = from.unwrap_or(Date::MIN)..=to.unwrap_or(Date::MAX);
            let mut is_left_out = false;
            for other in left_out.range(near).flat_map(|(_, others)| others) {
                budget.take(self.line)?;
                is_left_out |= other.means(&start, home);
            }
            let instant = start.instant(home);
            if !is_left_out && known.insert((start.time.is_some(), instant)) {
                kept.push(start);
            }
        }
        Ok(kept)
    }
}
