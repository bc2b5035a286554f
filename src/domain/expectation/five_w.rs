//! The five questions that an expectation answers: who, what, when, where and how.
//!
//! Answers may be missing at intake; [`FiveW::unanswered`] tells which. What people write in their
//! own words stands here as commitments only.

use serde::{Deserialize, Serialize};

use crate::domain::commitment::Commitment;
use crate::domain::pricing::money::Money;
use crate::domain::refusal::Violations;
use crate::domain::time::{Span, Timestamp};

/// Most criteria of one expectation.
pub const CRITERIA_MAX: usize = 20;
/// The shortest update interval: five minutes.
pub const UPDATE_INTERVAL_MIN: Span = Span::from_minutes(5);
/// The longest update interval: a year of 366 days, around the clock.
pub const UPDATE_INTERVAL_MAX: Span = Span::from_hours(366 * 24);
/// Most people that one expectation may count.
pub const PEOPLE_MAX: u32 = 1_000_000;

/// How many are affected.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ImpactScope {
    /// One person.
    OnePerson,
    /// A team or department.
    Team,
    /// Everyone at one site.
    Site,
    /// Everyone at the client.
    Everyone,
}

impl ImpactScope {
    /// Every scope, the narrowest first.
    pub const ALL: [Self; 4] = [Self::OnePerson, Self::Team, Self::Site, Self::Everyone];
}

/// How hard they are affected.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Severity {
    /// Work has stopped.
    Stopped,
    /// Work goes on, but worse.
    Degraded,
}

impl Severity {
    /// Every severity, the worst first.
    pub const ALL: [Self; 2] = [Self::Stopped, Self::Degraded];
}

/// Where the work has to be done.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Place {
    /// It can be done from afar.
    Remote,
    /// Somebody has to be there.
    OnSite,
}

/// Who is affected.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Who {
    /// How many, roughly; `None` leaves the question open.
    pub scope: Option<ImpactScope>,
    /// How many people, 1 to [`PEOPLE_MAX`]; `None` if nobody counted.
    pub people_count: Option<u32>,
    /// In words: a commitment.
    pub description: Option<Commitment>,
}

/// What it does to them.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct What {
    /// How hard it hits; `None` leaves the question open.
    pub severity: Option<Severity>,
    /// What an hour of it costs the client, never negative; `None` if unknown.
    pub cost_per_hour: Option<Money>,
    /// In words: a commitment.
    pub description: Option<Commitment>,
}

/// When it is needed.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct When {
    /// The last instant at which it is still in time; `None` leaves the question open.
    pub deadline: Option<Timestamp>,
    /// Why then: a commitment.
    pub reason: Option<Commitment>,
    /// Within how much of the obligor's open time it tells how it stands, again and again, at least
    /// [`UPDATE_INTERVAL_MIN`] and at most [`UPDATE_INTERVAL_MAX`]; `None` if nobody asks for it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub update_interval: Option<Span>,
}

/// Where the work has to be done.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Where {
    /// From afar or there; `None` leaves the question open.
    pub place: Option<Place>,
    /// Which site: a commitment.
    pub site: Option<Commitment>,
}

/// How everybody will know that it is done.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct How {
    /// What can be checked, one commitment each, at most [`CRITERIA_MAX`]; none leaves the
    /// question open.
    pub criteria: Vec<Commitment>,
}

/// One of the five questions.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Question {
    /// Who is affected?
    Who,
    /// What does it do to them, and what does it cost?
    What,
    /// When must it be done, and why then?
    When,
    /// Where has the work to be done?
    Where,
    /// How will everybody know that it is done?
    How,
}

/// The answers to the five questions. The default answers none.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct FiveW {
    /// Who is affected.
    pub who: Who,
    /// What it does to them.
    pub what: What,
    /// When it is needed.
    pub when: When,
    /// Where the work has to be done.
    pub r#where: Where,
    /// How everybody will know that it is done.
    pub how: How,
}

impl FiveW {
    /// The questions left open, in the order who, what, when, where, how. Words alone answer
    /// nothing: it takes the part that can be compared, such as the scope or the deadline.
    #[must_use]
    pub fn unanswered(&self) -> Vec<Question> {
        let answers = [
            (Question::Who, self.who.scope.is_some()),
            (Question::What, self.what.severity.is_some()),
            (Question::When, self.when.deadline.is_some()),
            (Question::Where, self.r#where.place.is_some()),
            (Question::How, !self.how.criteria.is_empty()),
        ];
        answers
            .into_iter()
            .filter(|(_, answered)| !answered)
            .map(|(question, _)| question)
            .collect()
    }

    /// Notes every fault that even a draft may not have; `field` is the answers' path.
    pub fn check(&self, violations: &mut Violations, field: &str) {
        let countable = self
            .who
            .people_count
            .is_none_or(|count| (1..=PEOPLE_MAX).contains(&count));
        if !countable {
            violations.add(
                format!("{field}.who.people_count"),
                format!("between 1 and {PEOPLE_MAX}"),
            );
        }
        if self.what.cost_per_hour.is_some_and(|cost| cost.minor < 0) {
            violations.add(
                format!("{field}.what.cost_per_hour"),
                "must not be negative",
            );
        }
        if self
            .when
            .deadline
            .is_some_and(|deadline| !deadline.is_storable())
        {
            violations.add(
                format!("{field}.when.deadline"),
                "between the years 2000 and 2099",
            );
        }
        let sensible = UPDATE_INTERVAL_MIN..=UPDATE_INTERVAL_MAX;
        let interval = self.when.update_interval;
        if interval.is_some_and(|interval| !sensible.contains(&interval)) {
            violations.add(
                format!("{field}.when.update_interval"),
                "between 5 minutes and 366 days",
            );
        }
        if self.how.criteria.len() > CRITERIA_MAX {
            violations.add(
                format!("{field}.how.criteria"),
                format!("no more than {CRITERIA_MAX}"),
            );
        }
    }

    /// As [`Self::check`], for answers that are offered at `now`: nobody can keep a deadline that
    /// has come already.
    pub fn check_offered(&self, violations: &mut Violations, field: &str, now: Timestamp) {
        self.check(violations, field);
        if self
            .when
            .deadline
            .is_some_and(|deadline| deadline.is_storable() && deadline <= now)
        {
            violations.add(format!("{field}.when.deadline"), "must be in the future");
        }
    }
}
