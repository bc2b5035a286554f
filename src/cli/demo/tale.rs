//! What happened to the tickets: made up, but as it goes on service desks.
//!
//! Everything follows from the seed. A ticket comes in at a likely hour, is answered, worked on,
//! waits for others, is resolved, sometimes reopened, and closed. Most are in time; some are not.

use rand::{RngExt, SeedableRng};
use rand_chacha::ChaCha8Rng;

use super::desk::{Desk, HARBOUR, NIGHTDESK, UNEXPLAINED_STATUS};
use super::quarter::{DAY_AFTER, FIRST_DAY, HOUR_MINUTES, LocalTime, MINUTE, office_hours};
use crate::cli::CliError;
use jiff::civil::{Date, date};

/// What the ticket is called that the demo explains.
pub const EXPLAINED_TITLE: &str = "Scanners at the warehouse gate lose the network";
/// Tickets to which the unexplained status happens.
const UNEXPLAINED_TICKETS: usize = 3;
/// Days after which a resolved ticket is closed.
const DAYS_TO_CLOSE: i64 = 3;
/// How often a ticket has priority 1, 2, 3 or 4, as weights.
const PRIORITY_WEIGHTS: [u32; 4] = [5, 17, 50, 28];
/// How often a ticket waits not at all, once, twice or three times, as weights.
const WAIT_WEIGHTS: [u32; 4] = [42, 34, 17, 7];
/// How often the client, an outside party or the other firm is awaited, as weights.
const WAITS_FOR_WEIGHTS: [u32; 3] = [50, 22, 28];

/// Seeded chance.
#[derive(Debug)]
pub struct Chance(ChaCha8Rng);

impl Chance {
    /// The same seed gives the same course of things.
    #[must_use]
    pub fn new(seed: u64) -> Self {
        Self(ChaCha8Rng::seed_from_u64(seed))
    }

    /// A number from `low` up to and including `high`.
    pub fn between(&mut self, low: i64, high: i64) -> i64 {
        self.0.random_range(low..=high)
    }

    /// True in `percent` of a hundred cases.
    pub fn percent(&mut self, percent: i64) -> bool {
        self.between(1, 100) <= percent
    }

    /// An index into `weights`, as often as its weight says.
    pub fn weighted(&mut self, weights: &[u32]) -> usize {
        let total: u32 = weights.iter().sum();
        let mut drawn = self.0.random_range(0..total.max(1));
        for (index, weight) in weights.iter().enumerate() {
            if drawn < *weight {
                return index;
            }
            drawn -= weight;
        }
        0
    }

    /// One of `choices`, which are not empty.
    pub fn pick<'a, T>(&mut self, choices: &'a [T]) -> Option<&'a T> {
        choices.get(self.0.random_range(0..choices.len().max(1)))
    }

    /// Puts `items` in any order.
    pub fn shuffle<T>(&mut self, items: &mut [T]) {
        for last in (1..items.len()).rev() {
            let other = self.0.random_range(0..=last);
            items.swap(last, other);
        }
    }
}

/// One thing that happened to a ticket.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Step {
    /// When, in seconds since 1970.
    pub at: i64,
    /// The PSA's status from here on.
    pub status: Option<&'static str>,
    /// The priority from here on.
    pub priority: Option<i32>,
    /// Whether the client was given an answer that counts as a response.
    pub response: bool,
}

/// A ticket's story.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Tale {
    /// What the ticket is called.
    pub title: &'static str,
    /// What happened to it, in order; the first step opens it.
    pub steps: Vec<Step>,
}

/// All tickets of one desk in the quarter, in the order in which they were opened.
///
/// # Errors
/// If a time is out of range.
pub fn tales(desk: &'static Desk, time: &LocalTime, seed: u64) -> Result<Vec<Tale>, CliError> {
    // Each desk has a course of its own, so that a change to one leaves the other as it is.
    let mut chance = Chance::new(
        seed.wrapping_mul(2)
            .wrapping_add(u64::from(desk.office_hours_only)),
    );
    let mut tales = Vec::new();
    let mut day = FIRST_DAY;
    while day < DAY_AFTER {
        let (low, high) = if office_hours(day).is_some() {
            desk.per_working_day
        } else {
            desk.per_free_day
        };
        for _ in 0..chance.between(low, high) {
            let hour = i64::try_from(chance.weighted(&desk.arrival_weights))?;
            let opened = time.instant(day, hour * HOUR_MINUTES + chance.between(0, 59))?;
            tales.push(tale(desk, time, &mut chance, opened)?);
        }
        day = day.tomorrow()?;
    }
    if desk.system == HARBOUR.system {
        tales.push(explained(time)?);
    }
    let end = time.instant(DAY_AFTER, 0)?;
    for tale in &mut tales {
        tale.steps.retain(|step| step.at < end);
    }
    tales.sort_by_key(|tale| (tale.steps.first().map(|step| step.at), tale.title));
    if desk.system == NIGHTDESK.system {
        leave_unexplained(&mut tales, time.instant(date(2026, 3, 9), 0)?);
    }
    Ok(tales)
}

/// Puts a status that nobody explained into a few tickets that were opened after `since`.
fn leave_unexplained(tales: &mut [Tale], since: i64) {
    let mut left = UNEXPLAINED_TICKETS;
    for tale in tales {
        let [opened, before, after, ..] = tale.steps.as_slice() else {
            continue;
        };
        let at = before.at.midpoint(after.at) / MINUTE * MINUTE;
        if left == 0 || opened.at < since || at <= before.at {
            continue;
        }
        let step = Step {
            at,
            status: Some(UNEXPLAINED_STATUS),
            priority: None,
            response: false,
        };
        tale.steps.insert(2, step);
        left -= 1;
    }
}

/// A ticket on its way.
struct Life<'a> {
    desk: &'static Desk,
    time: &'a LocalTime,
    chance: &'a mut Chance,
    /// How far it has come, in seconds since 1970.
    at: i64,
    /// Its priority, counted from 0.
    priority: usize,
    steps: Vec<Step>,
}

fn tale(
    desk: &'static Desk,
    time: &LocalTime,
    chance: &mut Chance,
    opened: i64,
) -> Result<Tale, CliError> {
    let title = chance.pick(desk.titles).copied().unwrap_or_default();
    let priority = chance.weighted(&PRIORITY_WEIGHTS);
    let mut life = Life {
        desk,
        time,
        chance,
        at: opened,
        priority,
        steps: Vec::new(),
    };
    life.step(Some(desk.words.new), Some(priority), false);
    let responded_after = life.answer()?;
    life.solve(responded_after)?;
    if life.chance.percent(8) {
        life.reopen()?;
    }
    life.at += DAYS_TO_CLOSE * 24 * HOUR_MINUTES * MINUTE;
    life.step(Some(desk.words.closed), None, false);
    Ok(Tale {
        title,
        steps: life.steps,
    })
}

impl Life<'_> {
    fn step(&mut self, status: Option<&'static str>, priority: Option<usize>, response: bool) {
        let priority = priority.and_then(|index| i32::try_from(index + 1).ok());
        self.steps.push(Step {
            at: self.at,
            status,
            priority,
            response,
        });
    }

    /// Lets the desk work for so many minutes of its own hours.
    fn work(&mut self, minutes: i64) -> Result<(), CliError> {
        self.at = if self.desk.office_hours_only {
            self.time.office_after(self.at, minutes)?
        } else {
            self.at + minutes * MINUTE
        };
        Ok(())
    }

    /// The first answer; returns how many minutes of work it took.
    fn answer(&mut self) -> Result<i64, CliError> {
        let target = self.desk.response_minutes[self.priority];
        let late = self.chance.percent(7);
        let percent = if late {
            self.chance.between(110, 190)
        } else {
            self.chance.between(5, 88)
        };
        let minutes = (target * percent / 100).max(1);
        self.work(minutes)?;
        self.step(Some(self.desk.words.working), None, true);
        Ok(minutes)
    }

    /// Work until it is resolved, with waits in between.
    fn solve(&mut self, minutes_spent: i64) -> Result<(), CliError> {
        if self.chance.percent(8) {
            self.change_priority();
        }
        let target = self.desk.resolution_minutes[self.priority];
        let percent = match self.chance.weighted(&[78, 14, 8]) {
            0 => self.chance.between(12, 70),
            1 => self.chance.between(71, 99),
            _ => self.chance.between(103, 170),
        };
        let mut left = (target * percent / 100 - minutes_spent).max(5);
        for _ in 0..self.chance.weighted(&WAIT_WEIGHTS) {
            let piece = left * self.chance.between(15, 60) / 100;
            left -= piece;
            self.work(piece)?;
            self.wait()?;
        }
        self.work(left)?;
        self.step(Some(self.desk.words.resolved), None, false);
        Ok(())
    }

    /// One step up or down, seen while the ticket is looked at.
    fn change_priority(&mut self) {
        let last = self.desk.resolution_minutes.len() - 1;
        let up = self.priority == last || (self.priority > 0 && self.chance.percent(60));
        self.priority = if up {
            self.priority - 1
        } else {
            self.priority + 1
        };
        self.at += MINUTE;
        self.step(None, Some(self.priority), false);
    }

    /// Somebody else has to do something first.
    fn wait(&mut self) -> Result<(), CliError> {
        let words = &self.desk.words;
        let (status, minutes, around_the_clock) = match self.chance.weighted(&WAITS_FOR_WEIGHTS) {
            0 => (words.on_client, self.chance.between(20, 14 * 60), false),
            1 => (
                words.on_outside_party,
                self.chance.between(90, 25 * 60),
                false,
            ),
            // The other firm of Harbour IT is Nightdesk, which never closes.
            _ => (
                words.on_partner,
                self.chance.between(15, 7 * 60),
                self.desk.office_hours_only,
            ),
        };
        self.step(Some(status), None, false);
        self.at = if around_the_clock {
            self.at + minutes * MINUTE
        } else {
            self.time.office_after(self.at, minutes)?
        };
        self.step(Some(self.desk.words.working), None, false);
        Ok(())
    }

    /// The client comes back, because it was not solved after all.
    fn reopen(&mut self) -> Result<(), CliError> {
        let minutes = self.chance.between(40, 15 * 60);
        self.at = self.time.office_after(self.at, minutes)?;
        self.step(Some(self.desk.words.working), None, false);
        let target = self.desk.resolution_minutes[self.priority];
        let more = target * self.chance.between(6, 35) / 100;
        self.work(more.max(5))?;
        self.step(Some(self.desk.words.resolved), None, false);
        Ok(())
    }
}

/// Date, hour and minute of something, and the status and the priority from there on.
type Happening = (Date, i64, i64, Option<&'static str>, Option<i32>);

/// The ticket that the demo explains. It is the same whatever the seed: it waits on the client
/// over a closed day and a weekend, on the other firm and on an outside party; its priority rises;
/// it is reopened; and it is in time by five minutes.
fn explained(time: &LocalTime) -> Result<Tale, CliError> {
    let words = &HARBOUR.words;
    let (thursday, sunday, monday) = (date(2026, 2, 19), date(2026, 2, 22), date(2026, 2, 23));
    let (tuesday, wednesday) = (date(2026, 2, 24), date(2026, 2, 25));
    let course: [Happening; 13] = [
        (thursday, 16, 40, Some(words.new), Some(3)),
        (thursday, 17, 25, Some(words.working), None),
        (thursday, 17, 40, Some(words.on_client), None),
        (sunday, 19, 20, Some(words.working), None),
        (monday, 11, 30, None, Some(2)),
        (monday, 12, 10, Some(words.on_partner), None),
        (monday, 15, 40, Some(words.working), None),
        (monday, 16, 20, Some(words.on_outside_party), None),
        (monday, 17, 30, Some(words.working), None),
        (tuesday, 9, 10, Some(words.resolved), None),
        (wednesday, 9, 30, Some(words.working), None),
        (wednesday, 9, 55, Some(words.resolved), None),
        (date(2026, 2, 28), 9, 55, Some(words.closed), None),
    ];
    let mut steps = Vec::with_capacity(course.len());
    for (index, (day, hour, minute, status, priority)) in course.into_iter().enumerate() {
        let at = time.instant(day, hour * HOUR_MINUTES + minute)?;
        steps.push(Step {
            at,
            status,
            priority,
            response: index == 1,
        });
    }
    Ok(Tale {
        title: EXPLAINED_TITLE,
        steps,
    })
}

#[cfg(test)]
mod tests {
    use super::super::desk::DESKS;
    use super::*;

    #[test]
    fn the_same_seed_tells_the_same_tales_and_another_seed_others() {
        let time = LocalTime::new().unwrap();
        for desk in DESKS {
            let once = tales(desk, &time, 1).unwrap();
            assert_eq!(once, tales(desk, &time, 1).unwrap());
            assert_ne!(once, tales(desk, &time, 2).unwrap());
        }
    }

    #[test]
    fn tales_go_forward_begin_with_an_opening_and_stay_in_the_quarter() {
        let time = LocalTime::new().unwrap();
        let quarter = time.instant(FIRST_DAY, 0).unwrap()..time.instant(DAY_AFTER, 0).unwrap();
        for (desk, seed) in DESKS
            .into_iter()
            .flat_map(|desk| (0..20).map(move |seed| (desk, seed)))
        {
            let tales = tales(desk, &time, seed).unwrap();
            assert!((80..500).contains(&tales.len()), "{} tickets", tales.len());
            for tale in &tales {
                assert!(tale.steps[0].priority.is_some(), "{tale:?}");
                assert!(tale.steps.is_sorted_by_key(|step| step.at), "{tale:?}");
                assert!(
                    tale.steps.iter().all(|step| quarter.contains(&step.at)),
                    "{tale:?}"
                );
            }
            let parked = tales.iter().flat_map(|tale| &tale.steps);
            let parked = parked
                .filter(|step| step.status == Some(UNEXPLAINED_STATUS))
                .count();
            let expected = if desk.office_hours_only {
                0
            } else {
                UNEXPLAINED_TICKETS
            };
            assert_eq!(parked, expected);
        }
    }

    #[test]
    fn chance_keeps_to_its_bounds() {
        let mut chance = Chance::new(5);
        for _ in 0..1_000 {
            assert!((3..=5).contains(&chance.between(3, 5)));
            assert_eq!(chance.weighted(&[0, 7, 0]), 1);
        }
        let mut items: Vec<u32> = (0..100).collect();
        chance.shuffle(&mut items);
        assert!(!items.is_sorted());
        items.sort_unstable();
        assert!(items.into_iter().eq(0..100));
    }
}
