//! What a party may say about the work: that it is done, that it is accepted, that it is not done.

use super::decide::overdue;
use super::fulfilment::{CriterionReason, FULFILMENTS_MAX, WorkShown, check_indexes};
use super::matter::Matter;
use super::{
    ExpectationEvent, ExpectationMissed, ExpectationState, FulfilmentAccepted, FulfilmentDisputed,
    FulfilmentMade, MissRevised, clock,
};
use crate::domain::command::Decision;
use crate::domain::commitment::Commitment;
use crate::domain::evidence::require_existing;
use crate::domain::record::Event;
use crate::domain::refusal::{Reason, Refusal, Violations};
use crate::domain::world::Stop;

impl Matter<'_> {
    pub(super) fn fulfil(
        &self,
        message: Option<&Commitment>,
        shown: &WorkShown,
    ) -> Result<Decision, Stop> {
        let action = "FulfilExpectation";
        if !self.state.awaits_work() {
            return Err(self.invalid_state(action).into());
        }
        let obligor = &self.expectation.obligor;
        if *obligor != self.party.id {
            let refusal = Refusal::new(
                Reason::InvalidState,
                format!("only {obligor} owes the work"),
            );
            return Err(refusal
                .with("state", self.state.as_str())
                .with("action", action)
                .with("obligor", obligor)
                .into());
        }
        if self.expectation.fulfilments.len() >= FULFILMENTS_MAX {
            return Err(Refusal::limit("fulfilments", FULFILMENTS_MAX).into());
        }
        let mut violations = Violations::default();
        let count = self.expectation.agreed_criteria();
        let shown = shown.checked(count, "criteria", &mut violations);
        violations.finish()?;
        require_existing(shown.cited(), &self.view)?;
        let made = FulfilmentMade {
            party: self.party.id.clone(),
            message: message.cloned(),
            shown,
        };
        Ok(self.accepted(ExpectationEvent::Fulfilled(made)))
    }

    /// The work waits to be judged, or was disputed as far as `after_dispute` allows that, and this
    /// party is one to judge it.
    fn require_judge(&self, action: &str, after_dispute: bool) -> Result<(), Refusal> {
        let was_disputed = self.state == ExpectationState::Disputed;
        if !(after_dispute && was_disputed) {
            self.require(ExpectationState::Fulfilled, action)?;
        }
        let fulfilment = self.expectation.fulfilment();
        let doer = fulfilment.map(|fulfilment| &fulfilment.statement.party);
        // Where the one that asked has left, whoever remains says whether it is done.
        let requester = self.partnership.party(&self.expectation.requester);
        let is_concerned = self.expectation.is_matter_of(&self.party.id)
            || requester.is_some_and(|requester| !requester.is_present());
        if doer != Some(&self.party.id) && is_concerned {
            return Ok(());
        }
        let message = "work is judged by the party that asked for it, not by the one that did it";
        Err(Refusal::new(Reason::SameFirmMayNotAccept, message).with("party_id", &self.party.id))
    }

    pub(super) fn accept_fulfilment(
        &self,
        shown: &WorkShown,
        on_behalf_of_client: bool,
        message: Option<&Commitment>,
    ) -> Result<Decision, Stop> {
        const FIELD: &str = "criteria_met";
        self.require_judge("AcceptFulfilment", true)?;
        let mut violations = Violations::default();
        let count = self.expectation.agreed_criteria();
        let shown = shown.checked(count, FIELD, &mut violations);
        shown.require_every_criterion(count, FIELD, &mut violations);
        if on_behalf_of_client {
            let has_client = self.expectation.client.is_some();
            let why = "the expectation concerns no client";
            violations.require(has_client, "on_behalf_of_client", why);
            let why = "who accepts for a client shows by what: for the work as a whole, or for \
                       every criterion";
            violations.require(shown.is_evident(), "evidence", why);
        }
        violations.finish()?;
        require_existing(shown.cited(), &self.view)?;
        let accepted = FulfilmentAccepted {
            party: self.party.id.clone(),
            shown,
            on_behalf_of_client,
            message: message.cloned(),
        };
        let accepted = ExpectationEvent::Accepted(accepted);
        if !self.was_in_time_after_all() {
            return Ok(self.accepted(accepted));
        }
        let revised = self.revised_miss().map(ExpectationEvent::MissRevised);
        let overdue = overdue(self.expectation, self.now).into_iter();
        let overdue = overdue.filter(|event| !matches!(event, ExpectationEvent::Missed(_)));
        let events = overdue.chain([accepted]).chain(revised);
        Ok(events.fold(self.unchanged(), |decision, event| {
            decision.event(Event::new(self.id, event))
        }))
    }

    /// If a dispute is given up, the work was done when it was said to be: a deadline that passed
    /// only while it was disputed was not missed.
    fn was_in_time_after_all(&self) -> bool {
        self.state == ExpectationState::Disputed
            && clock::is_in_time_without_last_dispute(self.expectation)
    }

    /// What to say of a miss that was recorded meanwhile.
    fn revised_miss(&self) -> Option<MissRevised> {
        Some(MissRevised {
            missed_at: self.expectation.agreed()?.missed_at?,
            fulfilled_at: self.expectation.fulfilment()?.statement.at,
        })
    }

    pub(super) fn dispute_fulfilment(
        &self,
        reason: Option<&Commitment>,
        criteria: &[CriterionReason],
    ) -> Result<Decision, Stop> {
        self.require_judge("DisputeFulfilment", false)?;
        let mut violations = Violations::default();
        let is_reasoned = reason.is_some() || !criteria.is_empty();
        let why = "must say what is missing, as a whole or criterion by criterion";
        violations.require(is_reasoned, "reason", why);
        let indexes = criteria.iter().map(|criterion| criterion.index);
        let count = self.expectation.agreed_criteria();
        check_indexes(indexes, count, "criteria_not_met", &mut violations);
        violations.finish()?;
        let mut criteria = criteria.to_vec();
        criteria.sort_by_key(|criterion| criterion.index);
        let disputed = FulfilmentDisputed {
            party: self.party.id.clone(),
            reason: reason.cloned(),
            criteria,
        };
        let decision = self.accepted(ExpectationEvent::Disputed(disputed));
        // The clock had stopped, and goes on: after the deadline, that is too late at once.
        let deadline = self.expectation.deadline();
        let is_late = clock::is_missed_if_disputed(self.expectation, self.now);
        let was_late = self
            .expectation
            .agreed()
            .and_then(|agreed| agreed.missed_at);
        let missed = deadline.filter(|_| is_late && was_late.is_none());
        Ok(match missed {
            Some(missed_at) => {
                let missed = ExpectationEvent::Missed(ExpectationMissed { missed_at });
                decision.event(Event::new(self.id, missed))
            }
            None => decision,
        })
    }
}
