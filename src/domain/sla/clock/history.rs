//! All that moves a ticket's clocks, in the order in which it takes effect.

use super::facts::{ExcludedStretch, TicketFact, TicketState};
use super::rules::{AgreedDate, ClockRules, Priority, TargetType};
use crate::domain::sla::compiled::CompiledCalendar;
use crate::domain::time::Timestamp;

/// Rules and calendar from an instant on.
#[derive(Clone, Copy, Debug)]
pub struct Terms<'a> {
    /// From when on they are in force; the first ones are from the beginning, whatever this says.
    pub from: Timestamp,
    /// What put them in force: shown where an event would be.
    pub event_id: &'a str,
    /// What is promised.
    pub rules: &'a ClockRules,
    /// In whose hours.
    pub calendar: &'a CompiledCalendar,
}

/// Everything that a ticket's clocks follow from.
#[derive(Clone, Copy, Debug)]
pub struct Case<'a> {
    /// What happened, in any order.
    pub facts: &'a [TicketFact],
    /// The terms one after the other, ascending by when they came into force; at least one.
    pub terms: &'a [Terms<'a>],
    /// What both sides agreed not to count.
    pub excluded: &'a [ExcludedStretch],
    /// Deadlines that both sides agreed, ascending by when.
    pub agreed_dates: &'a [AgreedDate],
    /// When the ticket was closed before it was done, if it was: nothing counts after that.
    pub closed_at: Option<Timestamp>,
}

impl<'a> Case<'a> {
    /// Facts under terms, with nothing excluded and no date agreed.
    #[must_use]
    pub const fn under(facts: &'a [TicketFact], terms: &'a [Terms<'a>]) -> Self {
        Self {
            facts,
            terms,
            excluded: &[],
            agreed_dates: &[],
            closed_at: None,
        }
    }

    /// Whether anything of this type is promised at any time.
    #[must_use]
    pub fn promises(&self, target_type: TargetType) -> bool {
        let dated = |date: &AgreedDate| date.target_type == target_type;
        let promised = |terms: &Terms<'_>| terms.rules.promises(target_type);
        self.terms.iter().any(promised) || self.agreed_dates.iter().any(dated)
    }
}

/// Something that happens to a clock.
#[derive(Clone, Copy, Debug)]
pub(in crate::domain::sla) enum Step<'a> {
    /// An excluded stretch ends.
    ExclusionEnds(&'a ExcludedStretch),
    /// Other terms come into force: their position in the case.
    Terms(usize),
    /// A deadline is agreed, or taken back.
    Agreed(&'a AgreedDate),
    /// An event.
    Fact(&'a TicketFact),
    /// An excluded stretch begins.
    ExclusionBegins(&'a ExcludedStretch),
    /// The ticket is closed before it is done.
    Closed,
}

impl Step<'_> {
    /// Order of what happens at the same instant.
    const fn rank(&self) -> u8 {
        match self {
            Self::ExclusionEnds(_) => 0,
            Self::Terms(_) => 1,
            Self::Agreed(_) => 2,
            Self::Fact(_) => 3,
            Self::ExclusionBegins(_) => 4,
            Self::Closed => 5,
        }
    }
}

/// The steps in effect as of an instant, in order.
pub(in crate::domain::sla) struct History<'a> {
    /// When the ticket was opened.
    pub(in crate::domain::sla) opened_at: Timestamp,
    /// The event that told the opening.
    pub(in crate::domain::sla) opening_event: &'a str,
    /// Each step with the instant at which it takes effect, which never decreases.
    pub(in crate::domain::sla) steps: Vec<(Timestamp, Step<'a>)>,
    pub(in crate::domain::sla) terms: &'a [Terms<'a>],
    /// Which terms were in force at the opening.
    pub(in crate::domain::sla) first_terms: usize,
    pub(in crate::domain::sla) as_of: Timestamp,
}

impl<'a> History<'a> {
    /// Orders what a case tells, and leaves aside what takes effect after `as_of`.
    pub(in crate::domain::sla) fn new(case: &Case<'a>, as_of: Timestamp) -> Self {
        let mut facts: Vec<&TicketFact> = case.facts.iter().collect();
        facts.sort_unstable();
        let (opened_at, opening_event) = opening(&facts).unwrap_or((as_of, ""));
        let mut steps: Vec<(Timestamp, Step<'a>)> = facts
            .into_iter()
            .map(|fact| (fact.occurred_at.max(opened_at), Step::Fact(fact)))
            .collect();
        let later = |terms: &Terms<'_>| terms.from > opened_at;
        let first_terms = case
            .terms
            .iter()
            .skip(1)
            .take_while(|terms| !later(terms))
            .count();
        for (index, terms) in case.terms.iter().enumerate().skip(first_terms + 1) {
            steps.push((terms.from, Step::Terms(index)));
        }
        for date in case.agreed_dates {
            steps.push((date.from.max(opened_at), Step::Agreed(date)));
        }
        for stretch in case
            .excluded
            .iter()
            .filter(|stretch| stretch.to > opened_at)
        {
            steps.push((stretch.from.max(opened_at), Step::ExclusionBegins(stretch)));
            steps.push((stretch.to, Step::ExclusionEnds(stretch)));
        }
        if let Some(closed_at) = case.closed_at {
            steps.retain(|(at, _)| *at <= closed_at);
            steps.push((closed_at, Step::Closed));
        }
        // Stable: facts of one instant keep their own order.
        steps.sort_by_key(|(at, step)| (*at, step.rank()));
        steps.retain(|(at, _)| *at <= as_of);
        Self {
            opened_at,
            opening_event,
            steps,
            terms: case.terms,
            first_terms,
            as_of,
        }
    }

    fn facts_backwards(&self) -> impl Iterator<Item = &'a TicketFact> {
        self.steps.iter().rev().filter_map(|(_, step)| match step {
            Step::Fact(fact) => Some(*fact),
            _ => None,
        })
    }

    /// The ticket's state after the last fact.
    pub(in crate::domain::sla) fn state(&self) -> TicketState {
        let last = self.facts_backwards().find_map(|fact| fact.state);
        last.unwrap_or(TicketState::New)
    }

    /// The ticket's priority after the last fact.
    pub(in crate::domain::sla) fn priority(&self) -> Option<Priority> {
        self.facts_backwards().find_map(|fact| fact.priority)
    }
}

/// The first instant given as the opening, or else the first fact.
fn opening<'a>(ordered: &[&'a TicketFact]) -> Option<(Timestamp, &'a str)> {
    let told = ordered
        .iter()
        .find_map(|fact| Some((fact.opened_at?, fact.event_id.as_str())));
    told.or_else(|| {
        ordered
            .first()
            .map(|fact| (fact.occurred_at, fact.event_id.as_str()))
    })
}
