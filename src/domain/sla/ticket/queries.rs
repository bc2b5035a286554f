//! What can be asked of a ticket as it stands.

use super::amendment::Amendment;
use super::{Evaluated, FactParked, ThresholdReached, Ticket};
use crate::domain::aggregate::Aggregate;
use crate::domain::identity::FirmId;
use crate::domain::partnership::Partnership;
use crate::domain::sla::clock::FINISHED;
use crate::domain::sla::clock::{
    AgreedDate, ClockEvaluation, ExcludedStretch, LevelAt, Mark, RecordedIn, TicketFact,
    TicketState,
};
use crate::domain::sla::in_force::{Assignment, PinnedTerms, TermsInForce};
use crate::domain::time::Timestamp;

impl Ticket {
    /// When it was closed with its partnership, whether or not that is recorded yet.
    #[must_use]
    pub fn closed_with(&self, partnership: &Partnership, now: Timestamp) -> Option<Timestamp> {
        let is_open = self.carried.is_none() && Aggregate::state(self) != FINISHED;
        let ended_at = partnership.over_at(now).filter(|_| is_open);
        self.closed_at.or(ended_at)
    }

    /// When that event was parked, if it is.
    pub(super) fn first_recorded(&self, fact: &TicketFact) -> Option<Timestamp> {
        let parked = self.parked(&fact.event_id, fact.sender.as_ref())?;
        parked.fact.recorded.map(|recorded| recorded.at)
    }

    /// The parked event of that id and sender.
    pub(super) fn parked(&self, event_id: &str, sender: Option<&FirmId>) -> Option<&FactParked> {
        let mut parked = self.parked.iter();
        parked.find(|parked| parked.fact.is_event(event_id, sender))
    }

    /// Whether an event waits for the unmapped word of that id.
    pub(super) fn waits_for(&self, word: &str) -> bool {
        self.parked.iter().any(|parked| parked.waits_for(word))
    }

    /// The event of that id and sender, whether it counts or waits.
    pub(super) fn event(&self, event_id: &str, sender: Option<&FirmId>) -> Option<&TicketFact> {
        let parked = self.parked.iter().map(|parked| &parked.fact);
        let late = self.late.iter().map(|late| &late.fact);
        let mut events = self.facts.iter().chain(parked).chain(late);
        events.find(|fact| fact.is_event(event_id, sender))
    }

    /// How many events it has, those that do not count included.
    pub(super) fn event_count(&self) -> usize {
        let apart = self.late.iter().filter(|late| !late.is_counted());
        self.facts.len() + self.parked.len() + apart.count()
    }

    /// Its state once `fact` counts, too.
    pub(super) fn state_with(&self, fact: &TicketFact) -> TicketState {
        let facts = self.facts.iter().chain([fact]);
        let last = facts.filter(|fact| fact.state.is_some()).max();
        last.and_then(|fact| fact.state).unwrap_or(TicketState::New)
    }

    /// How events of this firm name their sender.
    pub(super) fn sender(&self, firm: &FirmId) -> Option<FirmId> {
        (*firm != self.reporter).then(|| firm.clone())
    }

    /// The firm that sent an event.
    #[must_use]
    pub fn firm_of<'ticket>(&'ticket self, fact: &'ticket TicketFact) -> &'ticket FirmId {
        fact.sender.as_ref().unwrap_or(&self.reporter)
    }

    /// The ticket as it was known at an instant: without what was recorded later. `None` for all.
    #[must_use]
    pub fn as_known_at(mut self, at: Option<Timestamp>) -> Self {
        if let Some(at) = at {
            let by_then =
                |recorded: Option<RecordedIn>| recorded.is_some_and(|recorded| recorded.at <= at);
            self.facts.retain(|fact| by_then(fact.recorded));
            self.parked.retain(|parked| by_then(parked.fact.recorded));
            self.late.retain_mut(|late| late.was_known_at(at));
            self.amendments
                .retain_mut(|amendment| amendment.was_known_at(at));
            self.reached.retain_mut(|level| level.was_known_at(at));
        }
        self
    }

    /// The event that merged it into another one: the first of them in order. It counts for that
    /// also while it waits for its words to be mapped.
    #[must_use]
    pub fn merged_by(&self) -> Option<&TicketFact> {
        let parked = self.parked.iter().map(|parked| &parked.fact);
        let events = self.facts.iter().chain(parked);
        events.filter(|fact| fact.says(Mark::Merged)).min()
    }

    /// Stretches that are not counted.
    #[must_use]
    pub fn excluded(&self) -> Vec<ExcludedStretch> {
        let stretches = self.amendments.iter().filter_map(Amendment::excluded);
        stretches.collect()
    }

    /// Deadlines agreed for its own agreement's clocks, ascending by when.
    #[must_use]
    pub fn agreed_dates(&self) -> Vec<AgreedDate> {
        let dates = self.amendments.iter().filter_map(Amendment::agreed_date);
        let mut dates: Vec<AgreedDate> = dates.collect();
        dates.sort_by_key(|date| date.from);
        dates
    }

    /// Under which terms it was put, one after the other: what is owed to it, and what is owed in
    /// return for it. The same terms again change nothing.
    #[must_use]
    pub fn assignments(&self) -> Vec<Vec<Assignment>> {
        let first = Assignment::at_opening(PinnedTerms {
            agreement: self.agreement.clone(),
            revision: self.agreement_revision,
        });
        let switches = self.amendments.iter().filter_map(Amendment::assignment);
        let mut switches: Vec<Assignment> = switches.collect();
        switches.sort_by_key(|assignment| assignment.from);
        let mut own = vec![first];
        own.extend(switches);
        own.dedup_by(|next, last| next.terms == last.terms);
        let in_return = self.in_return.clone().map(Assignment::at_opening);
        std::iter::once(own)
            .chain(in_return.map(|first| vec![first]))
            .collect()
    }

    pub(super) fn has_reached(
        &self,
        terms: &TermsInForce,
        clock: &ClockEvaluation,
        level: LevelAt,
    ) -> bool {
        self.levels().any(|reached| {
            reached.level == level
                && reached.cycle == clock.cycle
                && reached.target_type == clock.target_type
                && terms.is_about(&reached.agreement)
        })
    }

    /// The levels that were journalled and not taken back.
    pub fn levels(&self) -> impl Iterator<Item = &ThresholdReached> {
        let standing = self
            .reached
            .iter()
            .filter(|level| level.withdrawn_at.is_none());
        standing.map(|level| &level.reached)
    }

    /// The earliest level that is not journalled yet, crossed already or still to come.
    pub(super) fn next_look(&self, evaluations: &[Evaluated]) -> Option<Timestamp> {
        let crossings = evaluations.iter().flat_map(|evaluated| {
            evaluated.evaluation.clocks.iter().flat_map(|clock| {
                let all = clock.crossings.iter().chain(&clock.next_crossing);
                all.filter(|crossing| !self.has_reached(&evaluated.terms, clock, crossing.level))
            })
        });
        crossings.map(|crossing| crossing.at).min()
    }
}
