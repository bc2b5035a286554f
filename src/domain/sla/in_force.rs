//! Which terms a ticket's clocks run under, from when on.
//!
//! A ticket names an agreement and the revision in force when it was opened. Both may change while
//! it is open: the ticket may be moved to another agreement, and a [`Repin`] brings a later revision
//! of the same one to tickets that are open already. Nothing of that is written into tickets, so a
//! repin is honoured by the next read however many tickets it is about.

use std::sync::Arc;

use serde::{Deserialize, Serialize};

use super::agreement::{Agreement, AgreementContent, AgreementRevision, Repin};
use super::chain::Handed;
use super::clock::{
    Case, ChargedParty, ClockRules, Side, TargetType, Terms, TicketEvaluation, evaluate_case,
};
use super::compiled::CompiledCalendar;
use super::credit::courts;
use super::explain::{ClockExplanation, ExplainError, explain_case};
use super::ticket::Ticket;
use crate::domain::time::Timestamp;
use crate::domain::world::{Stop, View, for_each};

/// One revision of one agreement.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct PinnedTerms {
    /// The agreement.
    pub agreement: String,
    /// Which revision of it.
    pub revision: u32,
}

/// Terms under which a ticket was put.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Assignment {
    /// From when on; those that it was opened under count from the beginning, whatever this says.
    pub from: Timestamp,
    /// What put it under them: shown where an event would be.
    pub event_id: String,
    /// Which.
    pub terms: PinnedTerms,
}

impl Assignment {
    /// Terms that a ticket was opened under.
    #[must_use]
    pub const fn at_opening(terms: PinnedTerms) -> Self {
        Self {
            from: Timestamp::EARLIEST,
            event_id: String::new(),
            terms,
        }
    }
}

/// What repins make of a ticket's assignments: one revision after the other, ascending by when.
///
/// # Errors
/// What `repins_of` says of an agreement.
pub fn course<E>(
    assignments: &[Assignment],
    repins_of: impl Fn(&str) -> Result<Vec<Repin>, E>,
) -> Result<Vec<Assignment>, E> {
    let mut course: Vec<Assignment> = Vec::new();
    for (index, assignment) in assignments.iter().enumerate() {
        let until = assignments.get(index + 1).map(|next| next.from);
        let mut current = assignment.clone();
        let mut repins = repins_of(&current.terms.agreement)?;
        repins.sort_by_key(|repin| (repin.from, repin.revision));
        for repin in repins {
            let is_news = repin.revision > current.terms.revision;
            if !is_news || until.is_some_and(|until| repin.from >= until) {
                continue;
            }
            if repin.from > current.from {
                course.push(current.clone());
                current.from = repin.from;
                current.event_id =
                    AgreementRevision::id_of(&current.terms.agreement, repin.revision);
            }
            current.terms.revision = repin.revision;
        }
        course.push(current);
    }
    Ok(course)
}

/// A revision of an agreement, ready for use.
#[derive(Debug)]
pub struct PinnedAgreement {
    /// Which.
    pub terms: PinnedTerms,
    /// What it says.
    pub content: AgreementContent,
    rules: ClockRules,
    calendar: Arc<CompiledCalendar>,
}

impl PinnedAgreement {
    /// Puts together what a revision says and the calendar that it pins.
    #[must_use]
    pub fn new(
        terms: PinnedTerms,
        content: AgreementContent,
        calendar: Arc<CompiledCalendar>,
    ) -> Self {
        Self {
            terms,
            rules: content.rules(),
            content,
            calendar,
        }
    }

    /// What its clocks run by.
    #[must_use]
    pub const fn rules(&self) -> &ClockRules {
        &self.rules
    }

    /// In whose hours.
    #[must_use]
    pub fn calendar(&self) -> &CompiledCalendar {
        &self.calendar
    }
}

/// What one side owes a ticket, under one set of terms after the other.
#[derive(Clone, Debug)]
pub struct TermsInForce {
    /// Ascending; the first ones are from the beginning.
    steps: Vec<(Assignment, Arc<PinnedAgreement>)>,
    /// When the ticket was closed with its partnership, if that is not recorded yet.
    closed_at: Option<Timestamp>,
}

impl TermsInForce {
    /// Puts a course and its agreements together. `None` for an empty course.
    #[must_use]
    pub fn new(steps: Vec<(Assignment, Arc<PinnedAgreement>)>) -> Option<Self> {
        let closed_at = None;
        (!steps.is_empty()).then_some(Self { steps, closed_at })
    }

    /// The same, for a ticket that was closed at an instant, if it was.
    #[must_use]
    pub const fn until(mut self, closed_at: Option<Timestamp>) -> Self {
        self.closed_at = closed_at;
        self
    }

    /// The terms in force at an instant.
    #[must_use]
    pub fn at(&self, instant: Timestamp) -> &PinnedAgreement {
        let later = self.steps.iter().skip(1);
        let last = later.take_while(|(step, _)| step.from <= instant).count();
        &self.steps[last].1
    }

    /// Whether an agreement is among them at any time.
    #[must_use]
    pub fn is_about(&self, agreement: &str) -> bool {
        let mut steps = self.steps.iter();
        steps.any(|(_, pinned)| pinned.terms.agreement == agreement)
    }

    /// The ticket's clocks under them, as of an instant.
    #[must_use]
    pub fn clocks(&self, ticket: &Ticket, as_of: Timestamp) -> TicketEvaluation {
        self.with_case(ticket, |case| evaluate_case(case, as_of))
    }

    /// The life of one cycle of one of its clocks.
    ///
    /// # Errors
    /// If it has too many intervals.
    pub fn explain(
        &self,
        ticket: &Ticket,
        target_type: TargetType,
        cycle: u32,
        as_of: Timestamp,
    ) -> Result<ClockExplanation, ExplainError> {
        self.with_case(ticket, |case| {
            explain_case(case, target_type, Some(cycle), as_of)
        })
    }

    /// While which the ticket says that somebody else than the obligor is awaited.
    #[must_use]
    pub fn courts(&self, ticket: &Ticket, as_of: Timestamp) -> Vec<Handed<ChargedParty>> {
        self.with_case(ticket, |case| courts(case, as_of))
    }

    fn with_case<R>(&self, ticket: &Ticket, ask: impl FnOnce(&Case<'_>) -> R) -> R {
        let terms = self.steps.iter().map(|(step, pinned)| Terms {
            from: step.from,
            event_id: &step.event_id,
            rules: &pinned.rules,
            calendar: &pinned.calendar,
        });
        let terms: Vec<Terms<'_>> = terms.collect();
        let closed_at = self.closed_at.or(ticket.closed_at);
        case_until(closed_at, ticket, &terms, ask)
    }
}

/// Asks about a ticket under terms, with what firms agreed about it alone.
pub fn with_case_of<R>(
    ticket: &Ticket,
    terms: &[Terms<'_>],
    ask: impl FnOnce(&Case<'_>) -> R,
) -> R {
    case_until(ticket.closed_at, ticket, terms, ask)
}

fn case_until<R>(
    closed_at: Option<Timestamp>,
    ticket: &Ticket,
    terms: &[Terms<'_>],
    ask: impl FnOnce(&Case<'_>) -> R,
) -> R {
    // A date is agreed for what is owed to the ticket, not for what is owed in return.
    let in_return = |terms: &Terms<'_>| terms.rules.side == Side::WaitedFor;
    let agreed_dates = if terms.iter().any(in_return) {
        Vec::new()
    } else {
        ticket.agreed_dates()
    };
    ask(&Case {
        facts: &ticket.facts,
        terms,
        excluded: &ticket.excluded(),
        agreed_dates: &agreed_dates,
        closed_at,
    })
}

/// The terms in force for a ticket, those in return last.
///
/// # Errors
/// A refusal, or what has to be loaded first.
pub fn terms_in_force(ticket: &Ticket, view: &View<'_>) -> Result<Vec<TermsInForce>, Stop> {
    let found = for_each(ticket.assignments(), |assignments| {
        let course = for_each(&assignments, |assignment| {
            view.get::<Agreement>(&assignment.terms.agreement)
        })
        .and_then(|_| {
            course(&assignments, |agreement| {
                Ok::<_, Stop>(view.get::<Agreement>(agreement)?.repins.clone())
            })
        })?;
        let steps = for_each(course, |step| {
            let pinned = Arc::new(pinned(&step.terms, view)?);
            Ok((step, pinned))
        })?;
        Ok(TermsInForce::new(steps))
    })?;
    Ok(found.into_iter().flatten().collect())
}

fn pinned(terms: &PinnedTerms, view: &View<'_>) -> Result<PinnedAgreement, Stop> {
    let agreement = view.get::<Agreement>(&terms.agreement)?;
    let content = if agreement.revision == terms.revision {
        &agreement.content
    } else {
        let id = AgreementRevision::id_of(&terms.agreement, terms.revision);
        &view.get::<AgreementRevision>(&id)?.content
    };
    let calendar = view.calendar(&content.calendar, content.calendar_revision)?;
    Ok(PinnedAgreement::new(
        terms.clone(),
        content.clone(),
        calendar,
    ))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::time::Span;

    fn at(minutes: i64) -> Timestamp {
        Timestamp::EARLIEST.saturating_add(Span::from_minutes(minutes))
    }

    fn terms(agreement: &str, revision: u32) -> PinnedTerms {
        PinnedTerms {
            agreement: agreement.to_owned(),
            revision,
        }
    }

    fn repin(revision: u32, minutes: i64) -> Repin {
        Repin {
            revision,
            from: at(minutes),
            recorded_at: at(minutes),
        }
    }

    /// Agreement, revision and minute of each step.
    fn steps(assignments: &[Assignment], repins: &[Repin]) -> Vec<(String, u32, i64)> {
        let course = course(assignments, |agreement| {
            let repins = if agreement == "gold" { repins } else { &[] };
            Ok::<_, ()>(repins.to_vec())
        });
        let minutes =
            |step: &Assignment| step.from.since(Timestamp::EARLIEST).as_micros() / 60_000_000;
        let shown = |step: Assignment| {
            let minutes = minutes(&step);
            (step.terms.agreement, step.terms.revision, minutes)
        };
        course.unwrap().into_iter().map(shown).collect()
    }

    #[test]
    fn a_later_revision_counts_from_its_repin() {
        let opened = [Assignment::at_opening(terms("gold", 2))];
        let repins = [repin(2, 10), repin(4, 30), repin(3, 40)];
        let gold = |revision, minute| ("gold".to_owned(), revision, minute);
        assert_eq!(steps(&opened, &repins), [gold(2, 0), gold(4, 30)]);
        assert_eq!(steps(&opened, &[]), [gold(2, 0)]);
        let shuffled = [repin(3, 40), repin(4, 50)];
        assert_eq!(
            steps(&opened, &shuffled),
            [gold(2, 0), gold(3, 40), gold(4, 50)]
        );
    }

    #[test]
    fn a_repin_is_about_tickets_under_its_agreement_only() {
        let moved = [
            Assignment::at_opening(terms("gold", 1)),
            Assignment {
                from: at(20),
                event_id: "moved".into(),
                terms: terms("silver", 1),
            },
            Assignment {
                from: at(60),
                event_id: "back".into(),
                terms: terms("gold", 1),
            },
        ];
        let repins = [repin(2, 20), repin(3, 90)];
        let expected = [
            ("gold", 1, 0),
            ("silver", 1, 20),
            ("gold", 2, 60),
            ("gold", 3, 90),
        ];
        let expected =
            expected.map(|(agreement, revision, at)| (agreement.to_owned(), revision, at));
        assert_eq!(steps(&moved, &repins), expected);
    }
}
