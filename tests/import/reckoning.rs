//! Every clock of an export, reckoned a second time: from the written rules and nothing else, so
//! that a mistake in the domain's code cannot hide here too.
//!
//! The calendar is always open, so working time is plain time, and between two rows nothing
//! changes: a breach shows just before a row, just after it, or at the end.

use std::collections::BTreeMap;
use std::path::Path;

/// What is measured.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Target {
    FirstResponse,
    Resolution,
}

/// How a clock turned out.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Outcome {
    Met,
    Breached,
    Running,
}

/// One clock.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Judgement {
    pub number: String,
    pub target: Target,
    /// The last one while the clock was alive.
    pub priority: u8,
    pub outcome: Outcome,
    pub consumed_seconds: i64,
}

/// What an incident does, seen by its clocks.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Activity {
    Untouched,
    Worked,
    Waiting,
    Done,
}

/// One row. The fields are in the order in which rows count.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
struct Update {
    at: i64,
    count: i64,
    opened: i64,
    priority: u8,
    activity: Activity,
}

/// The seconds allowed, if anything is promised for the priority.
fn allowed(target: Target, priority: u8) -> Option<i64> {
    let minutes = match (target, priority) {
        (Target::FirstResponse, 1) => 15,
        (Target::FirstResponse, 2) => 60,
        (Target::FirstResponse, 3) | (Target::Resolution, 1) => 240,
        (Target::FirstResponse, 4) | (Target::Resolution, 2) => 480,
        (Target::Resolution, 3) => 3 * 24 * 60,
        (Target::Resolution, 4) => 5 * 24 * 60,
        _ => return None,
    };
    Some(minutes * 60)
}

/// Judges both clocks of every incident, as of an instant in seconds since 1970.
pub fn judge(file: &Path, as_of: i64) -> Vec<Judgement> {
    let mut judgements = Vec::new();
    for (number, mut updates) in read(file) {
        updates.sort();
        for target in [Target::FirstResponse, Target::Resolution] {
            judgements.push(run(&number, target, &updates, as_of));
        }
    }
    judgements
}

fn run(number: &str, target: Target, updates: &[Update], as_of: i64) -> Judgement {
    let opened = updates[0].opened;
    let mut clock = Stopwatch {
        target,
        priority: updates[0].priority,
        used: 0,
        stopped: false,
        late: false,
    };
    let mut since = opened;
    let mut activity = Activity::Untouched;
    for update in updates.iter().filter(|update| update.at <= as_of) {
        let now = update.at.max(opened);
        clock.pass(now - since, activity);
        clock.take(update);
        since = now;
        activity = update.activity;
    }
    clock.pass(as_of - since, activity);
    let outcome = match (clock.late, clock.stopped) {
        (true, _) => Outcome::Breached,
        (false, true) => Outcome::Met,
        (false, false) => Outcome::Running,
    };
    Judgement {
        number: number.to_owned(),
        target,
        priority: clock.priority,
        outcome,
        consumed_seconds: clock.used,
    }
}

struct Stopwatch {
    target: Target,
    priority: u8,
    used: i64,
    stopped: bool,
    late: bool,
}

impl Stopwatch {
    fn look(&mut self) {
        let late = !self.stopped
            && allowed(self.target, self.priority).is_some_and(|limit| self.used > limit);
        self.late |= late;
    }

    fn pass(&mut self, seconds: i64, activity: Activity) {
        if !self.stopped && activity != Activity::Waiting {
            self.used += seconds;
        }
        self.look();
    }

    /// Within a row the priority comes before the state.
    fn take(&mut self, update: &Update) {
        if !self.stopped {
            self.priority = update.priority;
            self.look();
        }
        match (self.target, update.activity) {
            (Target::FirstResponse, Activity::Untouched) => {}
            (Target::FirstResponse, _) | (Target::Resolution, Activity::Done) => {
                self.stopped = true;
            }
            (Target::Resolution, _) if self.stopped => {
                self.stopped = false;
                self.priority = update.priority;
                self.look();
            }
            (Target::Resolution, _) => {}
        }
    }
}

fn read(file: &Path) -> BTreeMap<String, Vec<Update>> {
    let mut reader = csv::Reader::from_path(file).expect("the file can be read");
    let mut incidents: BTreeMap<String, Vec<Update>> = BTreeMap::new();
    for row in reader.deserialize() {
        let row: BTreeMap<String, String> = row.expect("a row");
        let update = Update {
            at: seconds(&row["sys_updated_at"]),
            count: row["sys_mod_count"].parse().expect("a count"),
            opened: seconds(&row["opened_at"]),
            priority: row["priority"][..1].parse().expect("a priority"),
            activity: activity(&row["incident_state"]),
        };
        let updates = incidents.entry(row["number"].clone()).or_default();
        if !updates.contains(&update) {
            updates.push(update);
        }
    }
    incidents
}

fn activity(state: &str) -> Activity {
    match state {
        "New" => Activity::Untouched,
        "Active" | "Awaiting Problem" | "Awaiting Evidence" => Activity::Worked,
        "Awaiting User Info" | "Awaiting Vendor" => Activity::Waiting,
        "Resolved" | "Closed" => Activity::Done,
        unknown => panic!("the state {unknown:?}"),
    }
}

/// Seconds since 1970 of a UTC time like `29-02-2016 01:23`, by counting days.
fn seconds(text: &str) -> i64 {
    let parts: Vec<i64> = text
        .split(['-', ' ', ':'])
        .map(|part| part.parse().expect("a number"))
        .collect();
    let [day, month, year, hour, minute] = parts[..] else {
        panic!("{text:?} is no time")
    };
    let is_leap = |year: i64| year % 4 == 0 && (year % 100 != 0 || year % 400 == 0);
    let lengths = |year: i64| {
        [
            31,
            28 + i64::from(is_leap(year)),
            31,
            30,
            31,
            30,
            31,
            31,
            30,
            31,
            30,
            31,
        ]
    };
    let years: i64 = (1970..year)
        .map(|year| lengths(year).iter().sum::<i64>())
        .sum();
    let before = usize::try_from(month - 1).expect("a month");
    let months: i64 = lengths(year)[..before].iter().sum();
    ((years + months + day - 1) * 24 + hour) * 3_600 + minute * 60
}
