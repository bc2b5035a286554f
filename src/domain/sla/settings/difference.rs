//! How what a partnership adopted differs from a revision of its source.
//!
//! Pure functions of two contents. They are the same, as far as clocks and people can tell, exactly
//! when nothing is found: the order of weekly windows means nothing, that of exceptions does.

use std::collections::{BTreeMap, HashMap, HashSet, VecDeque};
use std::hash::Hash;

use crate::domain::sla::calendar::{CalendarException, WeeklyWindow};
use crate::domain::sla::combination::{CalendarCombination, Revision};

/// One way in which the later content differs from the earlier.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Change<T> {
    /// Only the later has it.
    Added(T),
    /// Only the earlier has it.
    Removed(T),
    /// The later has something else in its place.
    Changed {
        /// What the earlier has.
        before: T,
        /// What the later has.
        after: T,
    },
    /// Both have it, but it stands elsewhere in an order that matters.
    Moved(T),
}

impl<T> Change<T> {
    fn map<R>(self, wrap: impl Fn(T) -> R) -> Change<R> {
        match self {
            Self::Added(item) => Change::Added(wrap(item)),
            Self::Removed(item) => Change::Removed(wrap(item)),
            Self::Changed { before, after } => Change::Changed {
                before: wrap(before),
                after: wrap(after),
            },
            Self::Moved(item) => Change::Moved(wrap(item)),
        }
    }
}

/// Part of a calendar.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum CalendarPart {
    /// Its name for people.
    DisplayName(String),
    /// IANA name of its time zone.
    TimeZone(String),
    /// SHA-256 of the zone's data, hexadecimal.
    ZoneDigest(String),
    /// A weekly window.
    WeeklyWindow(WeeklyWindow),
    /// An exception.
    Exception(CalendarException),
    /// What it is made of instead of windows.
    Combination(CalendarCombination),
}

/// A calendar's name for people and a revision of it.
#[derive(Clone, Copy, Debug)]
pub struct CalendarContent<'calendar> {
    /// Its name for people.
    pub display_name: &'calendar str,
    /// The revision.
    pub revision: &'calendar Revision,
}

/// How two calendars differ: name, zone, windows from Monday on, exceptions in their order.
#[must_use]
pub fn calendars(
    before: CalendarContent<'_>,
    after: CalendarContent<'_>,
) -> Vec<Change<CalendarPart>> {
    let name = |content: CalendarContent<'_>| Some(content.display_name.to_owned());
    let mut changes = Vec::new();
    changes.extend(single(name(before), name(after), CalendarPart::DisplayName));
    let (before, after) = (Parts::of(before.revision), Parts::of(after.revision));
    changes.extend(single(
        before.time_zone,
        after.time_zone,
        CalendarPart::TimeZone,
    ));
    changes.extend(single(
        before.zone_digest,
        after.zone_digest,
        CalendarPart::ZoneDigest,
    ));
    let windows = weekly_windows(before.weekly_windows, after.weekly_windows);
    let windows = windows.into_iter();
    changes.extend(windows.map(|change| change.map(CalendarPart::WeeklyWindow)));
    let exceptions = exceptions(before.exceptions, after.exceptions).into_iter();
    changes.extend(exceptions.map(|change| change.map(CalendarPart::Exception)));
    changes.extend(single(
        before.combination,
        after.combination,
        CalendarPart::Combination,
    ));
    changes
}

/// What a revision is made of, whatever its form.
#[derive(Default)]
struct Parts<'calendar> {
    time_zone: Option<String>,
    zone_digest: Option<String>,
    weekly_windows: &'calendar [WeeklyWindow],
    exceptions: &'calendar [CalendarException],
    combination: Option<CalendarCombination>,
}

impl<'calendar> Parts<'calendar> {
    fn of(revision: &'calendar Revision) -> Self {
        match revision {
            Revision::Windows(windows) => Self {
                time_zone: Some(windows.specification.time_zone.clone()),
                zone_digest: Some(windows.zone_digest.clone()),
                weekly_windows: &windows.specification.weekly_windows,
                exceptions: &windows.specification.exceptions,
                combination: None,
            },
            Revision::Combination(combination) => Self {
                combination: Some(combination.clone()),
                ..Self::default()
            },
        }
    }
}

/// How the entries of two maps differ, in the order of their words.
#[must_use]
pub fn entries<M: Copy + PartialEq>(
    before: &BTreeMap<String, M>,
    after: &BTreeMap<String, M>,
) -> Vec<Change<(String, M)>> {
    let mut words: Vec<&String> = before.keys().chain(after.keys()).collect();
    words.sort();
    words.dedup();
    let of = |entries: &BTreeMap<String, M>, word: &String| {
        let meaning = entries.get(word).copied();
        meaning.map(|meaning| (word.clone(), meaning))
    };
    words
        .into_iter()
        .filter_map(|word| single(of(before, word), of(after, word), |entry| entry))
        .collect()
}

fn single<T: PartialEq, R>(
    before: Option<T>,
    after: Option<T>,
    wrap: impl Fn(T) -> R,
) -> Option<Change<R>> {
    let change = match (before, after) {
        (None, None) => return None,
        (Some(before), Some(after)) if before == after => return None,
        (Some(before), Some(after)) => Change::Changed { before, after },
        (Some(before), None) => Change::Removed(before),
        (None, Some(after)) => Change::Added(after),
    };
    Some(change.map(wrap))
}

/// Windows that only one side has are set against each other day by day, in the order in which
/// they open.
fn weekly_windows(before: &[WeeklyWindow], after: &[WeeklyWindow]) -> Vec<Change<WeeklyWindow>> {
    let order = |window: &WeeklyWindow| (window.day.index(), window.start, window.end);
    let sorted = |windows: &[WeeklyWindow]| {
        let mut windows = windows.to_vec();
        windows.sort_by_key(order);
        windows
    };
    let (before, after) = (sorted(before), sorted(after));
    let matches = matches(&before, &after);
    let (removed, added) = unmatched(&before, &after, &matches);
    let mut changes = paired(removed, added, |window| window.day);
    changes.sort_by_key(|change| match change {
        Change::Added(window) | Change::Removed(window) | Change::Moved(window) => order(window),
        Change::Changed { after, .. } => order(after),
    });
    changes
}

/// Exceptions that only one side has are set against each other by their dates; of those that both
/// have, as few as possible have moved.
fn exceptions(
    before: &[CalendarException],
    after: &[CalendarException],
) -> Vec<Change<CalendarException>> {
    let matches = matches(before, after);
    let (removed, added) = unmatched(before, after, &matches);
    let mut changes = paired(removed, added, |exception| {
        (exception.first_date, exception.last_date)
    });
    let positions: Vec<usize> = matches.iter().map(|(_, after)| *after).collect();
    let stays = longest_ascent(&positions);
    for (index, (from, _)) in matches.iter().enumerate() {
        if !stays.contains(&index) {
            changes.push(Change::Moved(before[*from].clone()));
        }
    }
    changes
}

/// Which of `before` stand where in `after`: equal items in their order, each once; ascending by
/// their place in `before`.
fn matches<T: Eq + Hash>(before: &[T], after: &[T]) -> Vec<(usize, usize)> {
    let mut places: HashMap<&T, VecDeque<usize>> = HashMap::new();
    for (place, item) in after.iter().enumerate() {
        places.entry(item).or_default().push_back(place);
    }
    let found = before.iter().enumerate().filter_map(|(place, item)| {
        let after = places.get_mut(item)?.pop_front()?;
        Some((place, after))
    });
    found.collect()
}

/// What has no equal on the other side.
fn unmatched<T: Clone>(before: &[T], after: &[T], matches: &[(usize, usize)]) -> (Vec<T>, Vec<T>) {
    let mut kept = (vec![false; before.len()], vec![false; after.len()]);
    for (earlier, later) in matches {
        kept.0[*earlier] = true;
        kept.1[*later] = true;
    }
    let rest = |items: &[T], kept: &[bool]| {
        let rest = items.iter().zip(kept).filter(|(_, kept)| !**kept);
        rest.map(|(item, _)| item.clone()).collect()
    };
    (rest(before, &kept.0), rest(after, &kept.1))
}

/// Sets what was removed against what was added under the same key, in their order.
fn paired<T, K: Eq + Hash>(
    removed: Vec<T>,
    added: Vec<T>,
    key: impl Fn(&T) -> K,
) -> Vec<Change<T>> {
    let mut places: HashMap<K, VecDeque<usize>> = HashMap::new();
    for (place, item) in added.iter().enumerate() {
        places.entry(key(item)).or_default().push_back(place);
    }
    let mut added: Vec<Option<T>> = added.into_iter().map(Some).collect();
    let mut changes = Vec::new();
    for before in removed {
        let place = places.get_mut(&key(&before)).and_then(VecDeque::pop_front);
        let after = place.and_then(|place| added[place].take());
        changes.push(match after {
            Some(after) => Change::Changed { before, after },
            None => Change::Removed(before),
        });
    }
    changes.extend(added.into_iter().flatten().map(Change::Added));
    changes
}

/// The places of a longest ascending selection of different numbers.
fn longest_ascent(numbers: &[usize]) -> HashSet<usize> {
    // By length less one: the place of the smallest number with which such a selection ends.
    let mut ends: Vec<usize> = Vec::new();
    let mut previous: Vec<Option<usize>> = Vec::with_capacity(numbers.len());
    for (place, number) in numbers.iter().enumerate() {
        let length = ends.partition_point(|end| numbers[*end] < *number);
        previous.push(length.checked_sub(1).map(|shorter| ends[shorter]));
        match ends.get_mut(length) {
            Some(end) => *end = place,
            None => ends.push(place),
        }
    }
    let mut chosen = HashSet::new();
    let mut next = ends.last().copied();
    while let Some(place) = next {
        chosen.insert(place);
        next = previous[place];
    }
    chosen
}

#[cfg(test)]
mod tests;
