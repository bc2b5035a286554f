//! What a party may do to an expectation that exists.

use super::decide::overdue;
use super::judgement::{Judgement, Owed, judge};
use super::standing::agreed_beforehand;
use super::{
    Expectation, ExpectationEvent, ExpectationState, ExpectationUpdated, FiveW, Offer, OfferMade,
    OfferOutcome, StatementMade,
};
use crate::domain::command::Decision;
use crate::domain::commitment::Commitment;
use crate::domain::partnership::ending::require_workable;
use crate::domain::partnership::{Partnership, Party};
use crate::domain::record::{Event, Kind, RecordKey};
use crate::domain::refusal::{Reason, Refusal, Violations};
use crate::domain::time::Timestamp;
use crate::domain::world::{Stop, View};

/// An expectation that exists, the party that asks something of it, and when.
pub(super) struct Matter<'world> {
    pub(super) id: &'world str,
    pub(super) expectation: &'world Expectation,
    /// How far it has come at `now`.
    pub(super) state: ExpectationState,
    pub(super) partnership: &'world Partnership,
    pub(super) party: &'world Party,
    pub(super) now: Timestamp,
    pub(super) view: View<'world>,
}

impl<'world> Matter<'world> {
    pub(super) fn find(
        id: &'world str,
        partnership: &'world Partnership,
        party: &'world Party,
        view: &View<'world>,
    ) -> Result<Self, Stop> {
        let found = view.find::<Expectation>(id)?;
        let carried = found.and_then(|found| found.carried.as_ref());
        require_workable(partnership, carried, view.now)?;
        let expectation = view.get::<Expectation>(id)?;
        let state = expectation.state_at(view.now);
        Ok(Self {
            id,
            expectation,
            state,
            partnership,
            party,
            now: view.now,
            view: *view,
        })
    }

    pub(super) fn unchanged(&self) -> Decision {
        Decision::about(Kind::Expectation, self.id)
    }

    /// The event, after what time has done that is not recorded yet: late work is late, and an offer
    /// that ran out is over, whether or not a sweep came by first.
    pub(super) fn accepted(&self, event: ExpectationEvent) -> Decision {
        let overdue = overdue(self.expectation, self.now);
        let events = overdue.into_iter().chain([event]);
        events.fold(self.unchanged(), |decision, event| {
            decision.event(Event::new(self.id, event))
        })
    }

    /// Adds to a refusal what has become of the expectation, so that whoever comes second in a race
    /// learns what happened.
    pub(super) fn say_where_it_stands(&self, stop: Stop) -> Stop {
        let Stop::Refused(mut refusal) = stop else {
            return stop;
        };
        let is_about_state = matches!(
            refusal.reason,
            Reason::InvalidState
                | Reason::NotYourOffer
                | Reason::OfferExpired
                | Reason::SameFirmMayNotAccept
        );
        if !is_about_state {
            return Stop::Refused(refusal);
        }
        if !refusal.metadata.iter().any(|(key, _)| *key == "state") {
            refusal = refusal.with("state", self.state.as_str());
        }
        let key = RecordKey::new(self.view.scope, Kind::Expectation, self.id);
        if let Some(found) = self.view.world.versioned(&key) {
            refusal = refusal.with("etag", format!("\"{}\"", found.revision));
        }
        if let Some(last) = self.expectation.offers.last() {
            let ran_out = last.is_over(self.now) && self.state != ExpectationState::Asserted;
            let outcome = match &last.end {
                Some(end) => end.outcome.as_str(),
                None if ran_out => OfferOutcome::Expired.as_str(),
                None => "open",
            };
            refusal = refusal
                .with("last_offer_number", last.number)
                .with("last_offer_outcome", outcome);
        }
        Stop::Refused(refusal)
    }

    pub(super) fn invalid_state(&self, action: &str) -> Refusal {
        Refusal::invalid_state(self.state.as_str(), action)
    }

    pub(super) fn require(&self, state: ExpectationState, action: &str) -> Result<(), Refusal> {
        if self.state == state {
            Ok(())
        } else {
            Err(self.invalid_state(action))
        }
    }

    /// It is a draft, and this party's.
    pub(super) fn require_own_draft(&self, action: &str) -> Result<(), Refusal> {
        self.require(ExpectationState::Draft, action)?;
        let author = &self.expectation.requester;
        if *author == self.party.id {
            return Ok(());
        }
        let message = format!("only its author, {author}, changes, offers or withdraws a draft");
        Err(Refusal::new(Reason::NotYourOffer, message)
            .with("state", self.state.as_str())
            .with("action", action)
            .with("requester", author))
    }

    /// What is made of answers by now.
    pub(super) fn judge(&self, five_w: &FiveW) -> Result<Judgement, Stop> {
        let owed = Owed {
            agreement: self.expectation.agreement.as_deref(),
            obligor: &self.expectation.obligor,
            client: self.expectation.client.as_deref(),
        };
        let basis = owed.basis(self.partnership, &self.view)?;
        Ok(judge(five_w, basis.as_ref(), self.now))
    }

    pub(super) fn says(&self, text: Option<&Commitment>) -> StatementMade {
        StatementMade {
            party: self.party.id.clone(),
            text: text.cloned(),
        }
    }

    /// The offer that waits for an answer.
    pub(super) fn open_offer(&self, action: &str) -> Result<&'world Offer, Refusal> {
        let last = self.expectation.offers.last();
        let ran_out = |offer: &Offer| match &offer.end {
            Some(end) => end.outcome == OfferOutcome::Expired,
            None => offer.is_over(self.now),
        };
        match last {
            Some(offer) if self.state.awaits_answer() => Ok(offer),
            // Recorded by a sweep or not: the answer is the same.
            Some(offer) if ran_out(offer) => Err(expired(offer)),
            _ => Err(self.invalid_state(action)),
        }
    }

    /// The offer that waits for an answer of this party's.
    pub(super) fn answerable_offer(&self, action: &str) -> Result<&'world Offer, Refusal> {
        let offer = self.open_offer(action)?;
        if offer.is_over(self.now) {
            // What was asserted stays asserted, but nobody agrees to a deadline that is behind.
            return Err(expired(offer));
        }
        if offer.party == self.party.id {
            return Err(not_yours(
                offer,
                "an offer is not answered by the party that made it",
            ));
        }
        self.require_concerned(offer)?;
        Ok(offer)
    }

    /// It is between the one that asks and the one that owes. What a party promises by itself is
    /// for any other to answer, and then between these two.
    pub(super) fn require_concerned(&self, offer: &Offer) -> Result<(), Refusal> {
        if self.expectation.is_matter_of(&self.party.id) {
            return Ok(());
        }
        let why = "an offer is answered by the party that it was made to, not by a third one";
        Err(not_yours(offer, why))
    }

    pub(super) fn update(
        &self,
        title: Option<&Commitment>,
        five_w: &FiveW,
    ) -> Result<Decision, Stop> {
        self.require_own_draft("UpdateExpectation")?;
        let mut violations = Violations::default();
        five_w.check(&mut violations, "expectation.five_w");
        violations.finish()?;
        if self.expectation.title.as_ref() == title && self.expectation.five_w == *five_w {
            return Ok(self.unchanged());
        }
        let updated = ExpectationUpdated {
            title: title.cloned(),
            five_w: five_w.clone(),
            judgement: self.judge(five_w)?,
        };
        Ok(self.accepted(ExpectationEvent::Updated(updated)))
    }

    pub(super) fn offer(
        &self,
        message: Option<&Commitment>,
        acknowledges_impossible: bool,
    ) -> Result<Decision, Stop> {
        self.require_own_draft("OfferExpectation")?;
        let five_w = &self.expectation.five_w;
        let mut violations = Violations::default();
        five_w.check_offered(&mut violations, "expectation.five_w", self.now);
        violations.finish()?;
        let made = self.made(five_w, message, acknowledges_impossible)?;
        let obligor = self.partnership.party(&self.expectation.obligor);
        if self.partnership.is_alone() || obligor.is_some_and(Party::is_placeholder) {
            // Nobody is there to answer, so only the deadline ends it.
            return Ok(self.accepted(ExpectationEvent::Asserted(OfferMade {
                expires_at: five_w.when.deadline,
                ..made
            })));
        }
        let agreed = agreed_beforehand(
            self.expectation,
            self.partnership,
            &self.party.id,
            &made,
            self.now,
        );
        let decision = self.accepted(ExpectationEvent::Offered(made));
        Ok(match agreed {
            Some(agreed) => decision.event(Event::new(self.id, ExpectationEvent::Agreed(agreed))),
            None => decision,
        })
    }
}

fn expired(offer: &Offer) -> Refusal {
    let refusal = Refusal::new(
        Reason::OfferExpired,
        "the offer ran out: silence is no consent",
    )
    .with("offer_number", offer.number);
    match offer.expires_at {
        Some(expires_at) => refusal.with("expire_time", expires_at),
        None => refusal,
    }
}

pub(super) fn not_yours(offer: &Offer, message: &str) -> Refusal {
    Refusal::new(Reason::NotYourOffer, message).with("offer_number", offer.number)
}
