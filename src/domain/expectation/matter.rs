//! What a party may do to an expectation that exists.

use std::collections::BTreeSet;

use super::decide::overdue;
use super::five_w::CRITERIA_MAX;
use super::judgement::{Judgement, Owed, judge};
use super::standing::agreed_beforehand;
use super::{
    Expectation, ExpectationAgreed, ExpectationEvent, ExpectationState, ExpectationUpdated, FiveW,
    FulfilmentAccepted, OFFERS_MAX, Offer, OfferMade, StatementMade,
};
use crate::domain::command::Decision;
use crate::domain::commitment::Commitment;
use crate::domain::partnership::{Partnership, Party};
use crate::domain::record::{Event, Kind};
use crate::domain::refusal::{Reason, Refusal, Violations};
use crate::domain::time::Timestamp;
use crate::domain::world::{Stop, View};

/// An expectation that exists, the party that asks something of it, and when.
pub(super) struct Matter<'world> {
    id: &'world str,
    expectation: &'world Expectation,
    /// How far it has come at `now`.
    state: ExpectationState,
    partnership: &'world Partnership,
    party: &'world Party,
    now: Timestamp,
    view: View<'world>,
}

impl<'world> Matter<'world> {
    pub(super) fn find(
        id: &'world str,
        partnership: &'world Partnership,
        party: &'world Party,
        view: &View<'world>,
    ) -> Result<Self, Stop> {
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

    fn unchanged(&self) -> Decision {
        Decision::about(Kind::Expectation, self.id)
    }

    fn accepted(&self, event: ExpectationEvent) -> Decision {
        self.unchanged().event(Event::new(self.id, event))
    }

    fn invalid_state(&self, action: &str) -> Refusal {
        Refusal::invalid_state(self.state.as_str(), action)
    }

    fn require(&self, state: ExpectationState, action: &str) -> Result<(), Refusal> {
        if self.state == state {
            Ok(())
        } else {
            Err(self.invalid_state(action))
        }
    }

    /// It is a draft, and this party's.
    fn require_own_draft(&self, action: &str) -> Result<(), Refusal> {
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
    fn judge(&self, five_w: &FiveW) -> Result<Judgement, Stop> {
        let owed = Owed {
            agreement: self.expectation.agreement.as_deref(),
            obligor: &self.expectation.obligor,
            client: self.expectation.client.as_deref(),
        };
        let basis = owed.basis(self.partnership, &self.view)?;
        Ok(judge(five_w, basis.as_ref(), self.now))
    }

    fn says(&self, text: Option<&Commitment>) -> StatementMade {
        StatementMade {
            party: self.party.id.clone(),
            text: text.cloned(),
        }
    }

    /// The offer that waits for an answer.
    fn open_offer(&self, action: &str) -> Result<&'world Offer, Refusal> {
        let last = self.expectation.offers.last();
        match last {
            // Recorded by a sweep or not: the answer is the same.
            Some(offer) if self.state == ExpectationState::Expired => Err(expired(offer)),
            Some(offer) if self.state.awaits_answer() => Ok(offer),
            _ => Err(self.invalid_state(action)),
        }
    }

    /// The offer that waits for an answer of this party's.
    fn answerable_offer(&self, action: &str) -> Result<&'world Offer, Refusal> {
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
        Ok(offer)
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
        let alone = self.partnership.firms().count() == 1;
        if alone {
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

    pub(super) fn counter(
        &self,
        five_w: &FiveW,
        message: Option<&Commitment>,
        acknowledges_impossible: bool,
    ) -> Result<Decision, Stop> {
        self.answerable_offer("CounterExpectation")?;
        let mut violations = Violations::default();
        five_w.check_offered(&mut violations, "five_w", self.now);
        violations.finish()?;
        let made = self.made(five_w, message, acknowledges_impossible)?;
        Ok(self.accepted(ExpectationEvent::Countered(made)))
    }

    /// An offer stands as long as the terms say, but not beyond its own deadline.
    fn expiry(&self, five_w: &FiveW) -> Timestamp {
        let expiry = self.now.saturating_add(self.partnership.offer_validity());
        five_w
            .when
            .deadline
            .map_or(expiry, |deadline| deadline.min(expiry))
    }

    /// The next offer in number.
    fn made(
        &self,
        five_w: &FiveW,
        message: Option<&Commitment>,
        acknowledges_impossible: bool,
    ) -> Result<OfferMade, Stop> {
        let earlier = self.expectation.offers.len();
        let limit = || Refusal::limit("offers", OFFERS_MAX);
        if earlier >= OFFERS_MAX {
            return Err(limit().into());
        }
        Ok(OfferMade {
            number: u32::try_from(earlier + 1).map_err(|_| limit())?,
            party: self.party.id.clone(),
            five_w: five_w.clone(),
            message: message.cloned(),
            expires_at: Some(self.expiry(five_w)),
            judgement: self.judge(five_w)?,
            acknowledges_impossible,
        })
    }

    pub(super) fn agree(
        &self,
        offer_number: u32,
        acknowledges_impossible: bool,
    ) -> Result<Decision, Stop> {
        let action = "AgreeExpectation";
        if self.awaits_own_endorsement() {
            return self.endorse(offer_number, acknowledges_impossible);
        }
        let last = self.open_offer(action)?.number;
        if last != offer_number {
            let message = format!("offer {offer_number} is not the last one, which is {last}");
            return Err(Refusal::new(Reason::InvalidState, message)
                .with("state", self.state.as_str())
                .with("action", action)
                .with("offer_number", last)
                .into());
        }
        let offer = self.answerable_offer(action)?;
        // Time has gone by since it was offered, and the agreement may have changed.
        let judgement = self.judge(&offer.five_w)?;
        self.require_acknowledged(offer, &judgement, acknowledges_impossible)?;
        let agreed = ExpectationAgreed {
            party: self.party.id.clone(),
            offer_number,
            standing_consent: None,
            judgement,
            acknowledges_impossible,
        };
        Ok(self.accepted(ExpectationEvent::Agreed(agreed)))
    }

    /// Whether a guest agreed for this party before the firm that it is now had joined.
    fn awaits_own_endorsement(&self) -> bool {
        let agreed = self.expectation.agreed.as_ref();
        self.expectation.awaits_endorsement()
            && self.party.firm.is_some()
            && agreed.is_some_and(|agreed| agreed.party == self.party.id)
    }

    /// Takes over what a guest agreed to.
    fn endorse(&self, offer_number: u32, acknowledges_impossible: bool) -> Result<Decision, Stop> {
        let offer = self.expectation.offers.last();
        let offer = offer.filter(|offer| offer.number == offer_number);
        let offer = offer.ok_or_else(|| self.invalid_state("AgreeExpectation"))?;
        let agreed = ExpectationAgreed {
            party: self.party.id.clone(),
            offer_number,
            standing_consent: None,
            judgement: self.judge(&offer.five_w)?,
            acknowledges_impossible,
        };
        Ok(self.accepted(ExpectationEvent::Agreed(agreed)))
    }

    /// What cannot be done may be asked for, but is agreed only if both say that they know.
    fn require_acknowledged(
        &self,
        offer: &Offer,
        judgement: &Judgement,
        acknowledges_impossible: bool,
    ) -> Result<(), Refusal> {
        let Some(impossible) = judgement.impossible() else {
            return Ok(());
        };
        let said = [
            (&offer.party, offer.acknowledges_impossible),
            (&self.party.id, acknowledges_impossible),
        ];
        let silent: Vec<&str> = said
            .into_iter()
            .filter(|(_, acknowledges)| !acknowledges)
            .map(|(party, _)| party.as_str())
            .collect();
        if silent.is_empty() {
            return Ok(());
        }
        let message = "the deadline cannot be met; to agree to it nevertheless, the party that \
                       offers it and the one that agrees to it must both acknowledge that";
        let mut refusal = Refusal::new(Reason::DeadlineImpossible, message)
            .with("offer_number", offer.number)
            .with("not_acknowledged_by", silent.join(","));
        if let Some(deadline) = offer.five_w.when.deadline {
            refusal = refusal.with("deadline", deadline);
        }
        if let Some(earliest) = impossible.earliest {
            refusal = refusal.with("earliest_feasible_time", earliest);
        }
        Err(match &judgement.terms {
            Some(terms) => refusal.with("agreement", &terms.agreement),
            None => refusal,
        })
    }

    pub(super) fn decline(&self, reason: Option<&Commitment>) -> Result<Decision, Stop> {
        self.answerable_offer("DeclineExpectation")?;
        Ok(self.accepted(ExpectationEvent::Declined(self.says(reason))))
    }

    /// As [`Self::decline`], for what was asserted, however old its deadline.
    pub(super) fn contest(&self, reason: Option<&Commitment>) -> Result<Decision, Stop> {
        let own = &self.party.id;
        let ending = self.expectation.ending.as_ref();
        let is_own = ending.is_some_and(|ending| ending.party == *own);
        if self.state == ExpectationState::Contested && is_own {
            return Ok(self.unchanged());
        }
        if !self.awaits_own_endorsement() {
            self.require(ExpectationState::Asserted, "AnswerAssertions")?;
        }
        if let Some(offer) = self.expectation.offers.last()
            && offer.party == *own
        {
            let why = "an assertion is not contested by the party that made it";
            return Err(not_yours(offer, why).into());
        }
        let mut violations = Violations::default();
        violations.require(reason.is_some(), "reason", "must say why");
        violations.finish()?;
        Ok(self.accepted(ExpectationEvent::Contested(self.says(reason))))
    }

    pub(super) fn withdraw(&self, reason: Option<&Commitment>) -> Result<Decision, Stop> {
        let action = "WithdrawExpectation";
        if self.state == ExpectationState::Draft {
            self.require_own_draft(action)?;
        } else {
            let offer = self.open_offer(action)?;
            if offer.party != self.party.id {
                let why = "an offer is taken back by the party that made it";
                return Err(not_yours(offer, why).into());
            }
        }
        Ok(self.accepted(ExpectationEvent::Withdrawn(self.says(reason))))
    }

    pub(super) fn fulfil(&self, message: Option<&Commitment>) -> Result<Decision, Stop> {
        let action = "FulfilExpectation";
        if !self.state.awaits_work() {
            return Err(self.invalid_state(action).into());
        }
        let obligor = &self.expectation.obligor;
        if *obligor != self.party.id {
            return Err(Refusal::new(
                Reason::InvalidState,
                format!("only {obligor} owes the work"),
            )
            .with("state", self.state.as_str())
            .with("action", action)
            .with("obligor", obligor)
            .into());
        }
        // Late work is late whether or not a sweep came by first.
        let decision = match overdue(self.expectation, self.now) {
            Some(missed) => self.accepted(missed),
            None => self.unchanged(),
        };
        let fulfilled = ExpectationEvent::Fulfilled(self.says(message));
        Ok(decision.event(Event::new(self.id, fulfilled)))
    }

    /// The work waits to be judged, and by this party.
    fn require_judge(&self, action: &str) -> Result<(), Refusal> {
        self.require(ExpectationState::Fulfilled, action)?;
        let doer = self
            .expectation
            .fulfilment
            .as_ref()
            .map(|fulfilment| &fulfilment.party);
        if doer != Some(&self.party.id) {
            return Ok(());
        }
        let message = "work is judged by another party than the one that did it";
        Err(Refusal::new(Reason::SameFirmMayNotAccept, message).with("party_id", &self.party.id))
    }

    pub(super) fn accept_fulfilment(
        &self,
        met: &[u32],
        message: Option<&Commitment>,
    ) -> Result<Decision, Stop> {
        self.require_judge("AcceptFulfilment")?;
        let accepted = FulfilmentAccepted {
            party: self.party.id.clone(),
            criteria_met: all_criteria(met, self.expectation.five_w.how.criteria.len())?,
            message: message.cloned(),
        };
        Ok(self.accepted(ExpectationEvent::Accepted(accepted)))
    }

    pub(super) fn dispute_fulfilment(&self, reason: Option<&Commitment>) -> Result<Decision, Stop> {
        self.require_judge("DisputeFulfilment")?;
        let mut violations = Violations::default();
        violations.require(reason.is_some(), "reason", "must say what is missing");
        violations.finish()?;
        Ok(self.accepted(ExpectationEvent::Disputed(self.says(reason))))
    }
}

/// The indexes in order, if they are those of all `count` criteria, each once.
fn all_criteria(met: &[u32], count: usize) -> Result<Vec<u32>, Refusal> {
    let field = "criteria_met";
    if met.len() > CRITERIA_MAX {
        let too_many = format!("no more than {CRITERIA_MAX}");
        return Err(Refusal::field(Reason::InvalidField, field, too_many));
    }
    let mut violations = Violations::default();
    let criteria = 0..u32::try_from(count).unwrap_or(u32::MAX);
    let mut found = BTreeSet::new();
    for (position, index) in met.iter().enumerate() {
        if !criteria.contains(index) {
            violations.add(
                format!("{field}[{position}]"),
                format!("there are {count} criteria, from 0"),
            );
        } else if !found.insert(*index) {
            violations.add(format!("{field}[{position}]"), "each criterion once");
        }
    }
    let open: Vec<_> = criteria
        .filter(|index| !found.contains(index))
        .map(|index| index.to_string())
        .collect();
    if !open.is_empty() {
        let open = open.join(", ");
        violations.add(
            field,
            format!("not met: {open}; dispute work that does not meet every criterion"),
        );
    }
    violations.finish()?;
    Ok(found.into_iter().collect())
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

fn not_yours(offer: &Offer, message: &str) -> Refusal {
    Refusal::new(Reason::NotYourOffer, message).with("offer_number", offer.number)
}
