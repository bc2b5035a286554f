//! What a party may do about offers: answer them with others, agree, turn down, take back.

use super::judgement::Judgement;
use super::matter::{Matter, not_yours};
use super::{
    ExpectationAgreed, ExpectationEvent, ExpectationState, FiveW, OFFERS_MAX, Offer, OfferMade,
};
use crate::domain::command::Decision;
use crate::domain::commitment::Commitment;
use crate::domain::refusal::{Reason, Refusal, Violations};
use crate::domain::time::Timestamp;
use crate::domain::world::Stop;

impl Matter<'_> {
    pub(super) fn counter(
        &self,
        seen: Option<u32>,
        five_w: &FiveW,
        message: Option<&Commitment>,
        acknowledges_impossible: bool,
    ) -> Result<Decision, Stop> {
        let action = "CounterExpectation";
        // Either side may answer a dispute with a revised offer; any other is answered by one side.
        match self.expectation.offers.last() {
            Some(last) if self.state == ExpectationState::Disputed => {
                self.require_concerned(last)?;
            }
            _ => self.answerable_offer(action).map(|_| ())?,
        }
        if let (Some(seen), Some(last)) = (seen, self.expectation.offers.last()) {
            self.require_last(seen, last.number, action)?;
        }
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
    pub(super) fn made(
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

    /// What the caller saw is what stands.
    fn require_last(&self, seen: u32, last: u32, action: &str) -> Result<(), Refusal> {
        if seen == last {
            return Ok(());
        }
        let message = format!("offer {seen} is not the last one, which is {last}");
        let refusal = Refusal::new(Reason::InvalidState, message)
            .with("state", self.state.as_str())
            .with("action", action)
            .with("offer_number", last);
        let end = self
            .expectation
            .offer(seen)
            .and_then(|offer| offer.end.as_ref());
        Err(match end {
            Some(end) => refusal.with("offer_outcome", end.outcome.as_str()),
            None => refusal,
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
        self.require_last(offer_number, last, action)?;
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
        let agreed = self.expectation.agreed();
        self.expectation.awaits_endorsement()
            && self.party.firm.is_some()
            && agreed.is_some_and(|agreed| agreed.party == self.party.id)
    }

    /// Takes over what a guest agreed to.
    fn endorse(&self, offer_number: u32, acknowledges_impossible: bool) -> Result<Decision, Stop> {
        let offer = self.expectation.agreed_offer();
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
        if let Some(offer) = self.expectation.offers.last() {
            self.require_concerned(offer)?;
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
}
