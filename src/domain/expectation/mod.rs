//! Expectations: what one party may count on from another. It is offered, countered, agreed, then
//! kept or missed.

mod apply;
pub mod clock;
mod decide;
pub mod difference;
mod events;
pub mod five_w;
mod fulfilment;
pub mod intake;
pub mod judgement;
mod links;
mod matter;
mod negotiation;
mod offers;
mod sides;
mod standing;
#[cfg(test)]
mod tests;
mod work;

use crate::domain::partnership::ending::CarriedOn;
use serde::{Deserialize, Serialize};

use super::commitment::Commitment;
use super::identity::PartyId;
use super::time::Timestamp;

pub use crate::domain::partnership::standing::CitedConsent;
pub use decide::{ExpectationCommand, decide, decide_as, tick};
pub use events::{
    ExpectationAgreed, ExpectationCreated, ExpectationEvent, ExpectationExpired, ExpectationMissed,
    ExpectationUpdated, FulfilmentAccepted, FulfilmentDisputed, FulfilmentMade, MissRevised,
    OfferMade, StatementMade,
};
pub use five_w::{FiveW, How, ImpactScope, Place, Question, Severity, What, When, Where, Who};
pub use fulfilment::{
    Acceptance, CriterionEvidence, CriterionReason, Dispute, EVIDENCE_MAX, FULFILMENTS_MAX,
    Fulfilment, NOTE_BYTES_MAX, WorkShown,
};
pub use intake::Missing;
pub use judgement::Judgement;
pub use links::{AskedWithTicket, Links, NoticeItem, refuse_second};
pub use offers::{Agreed, Offer, OfferEnd, OfferOutcome, Statement};

/// Most offers of one expectation, counter-offers included.
pub const OFFERS_MAX: usize = 100;

/// How far an expectation has come.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ExpectationState {
    /// Being written. Every party may read it, for the journal is shared; only its author, the
    /// requester, may change it.
    Draft,
    /// Stated by one firm alone, in a partnership that the other has not joined.
    Asserted,
    /// Offered; the other firm is to answer.
    Offered,
    /// Answered with another offer, which the firm that did not make it is to answer.
    Countered,
    /// Both firms agreed on the last offer.
    Agreed,
    /// Agreed, and the deadline passed before the work was done. It may still be fulfilled.
    Missed,
    /// The obligor says that it is done.
    Fulfilled,
    /// The other side took the work as done.
    Accepted,
    /// The other side says that it is not done. It may be fulfilled again.
    Disputed,
    /// The offer was turned down.
    Declined,
    /// Its maker took the offer, or the draft, back.
    Withdrawn,
    /// The last offer ran out unanswered: silence is no consent.
    Expired,
    /// What one firm asserted alone, a firm that joined later denied.
    Contested,
    /// Closed with its partnership before it was accepted.
    Closed,
}

impl ExpectationState {
    /// The name used in lists and errors.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Draft => "draft",
            Self::Asserted => "asserted",
            Self::Offered => "offered",
            Self::Countered => "countered",
            Self::Agreed => "agreed",
            Self::Missed => "missed",
            Self::Fulfilled => "fulfilled",
            Self::Accepted => "accepted",
            Self::Disputed => "disputed",
            Self::Declined => "declined",
            Self::Withdrawn => "withdrawn",
            Self::Expired => "expired",
            Self::Contested => "contested",
            Self::Closed => "closed",
        }
    }

    /// Whether an offer waits for an answer.
    #[must_use]
    pub const fn awaits_answer(self) -> bool {
        matches!(self, Self::Asserted | Self::Offered | Self::Countered)
    }

    /// Whether the obligor still owes the work.
    #[must_use]
    pub const fn awaits_work(self) -> bool {
        matches!(self, Self::Agreed | Self::Missed | Self::Disputed)
    }
}

/// An expectation.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Expectation {
    /// A line for lists: a commitment.
    pub title: Option<Commitment>,
    /// How far it had come when it last changed; [`Self::state_at`] tells how far it is now.
    pub state: ExpectationState,
    /// The party that began it and asks for it.
    pub requester: PartyId,
    /// The party that has to keep it.
    pub obligor: PartyId,
    /// Identifier of the client concerned.
    pub client: Option<String>,
    /// Identifier of the agreement that it names to be judged by.
    pub agreement: Option<String>,
    /// The answers of the draft, then of the last offer; [`Self::answers_at`] tells which count.
    pub five_w: FiveW,
    /// What was made of them when they last changed or were agreed.
    pub judgement: Judgement,
    /// Every offer made, oldest first, at most [`OFFERS_MAX`].
    pub offers: Vec<Offer>,
    /// Every agreement, oldest first; the last one holds. Each is to an offer of its own.
    pub agreements: Vec<Agreed>,
    /// Every time that the obligor said it was done, oldest first, at most [`FULFILMENTS_MAX`].
    pub fulfilments: Vec<Fulfilment>,
    /// Who declined, contested or withdrew it, and why.
    pub ending: Option<Statement>,
    /// What it came of.
    #[serde(default, skip_serializing_if = "Links::is_empty")]
    pub links: Links,
    /// What becomes of it, if it outlives its partnership.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub carried: Option<CarriedOn>,
    /// When it was closed with its partnership, if it was.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub closed_at: Option<Timestamp>,
}

impl Expectation {
    /// How far it has come at `now`, whether or not a sweep has come by to record it.
    #[must_use]
    pub fn state_at(&self, now: Timestamp) -> ExpectationState {
        match self.state {
            ExpectationState::Offered | ExpectationState::Countered
                if self.offers.last().is_some_and(|offer| offer.is_over(now)) =>
            {
                self.without_the_offer(ExpectationState::Expired)
            }
            ExpectationState::Agreed if clock::is_missed(self, now) => ExpectationState::Missed,
            state => state,
        }
    }

    /// Where it stands once the last offer has come to nothing: what was agreed before, and then
    /// disputed, goes on being disputed.
    pub(in crate::domain::expectation) const fn without_the_offer(
        &self,
        ended: ExpectationState,
    ) -> ExpectationState {
        if self.agreements.is_empty() {
            ended
        } else {
            ExpectationState::Disputed
        }
    }

    /// Whether, being in `state`, what was agreed is still to be done: also while a revised offer waits
    /// for an answer after a dispute.
    #[must_use]
    pub fn stands_agreed(&self, state: ExpectationState) -> bool {
        self.agreed().is_some() && (state.awaits_work() || state.awaits_answer())
    }

    /// What holds: the last agreement.
    #[must_use]
    pub fn agreed(&self) -> Option<&Agreed> {
        self.agreements.last()
    }

    /// The last time that the obligor said it was done.
    #[must_use]
    pub fn fulfilment(&self) -> Option<&Fulfilment> {
        self.fulfilments.last()
    }

    /// The other side's acceptance of the work.
    #[must_use]
    pub fn acceptance(&self) -> Option<&Acceptance> {
        self.fulfilment()?.acceptance.as_ref()
    }

    /// The other side's last dispute of the work.
    #[must_use]
    pub fn dispute(&self) -> Option<&Dispute> {
        let mut latest_first = self.fulfilments.iter().rev();
        latest_first.find_map(|fulfilment| fulfilment.dispute.as_ref())
    }

    /// The offer of that number.
    #[must_use]
    pub fn offer(&self, number: u32) -> Option<&Offer> {
        let place = usize::try_from(number).ok()?.checked_sub(1)?;
        self.offers.get(place)
    }

    /// What was agreed: the offer to which the last agreement is.
    #[must_use]
    pub fn agreed_offer(&self) -> Option<&Offer> {
        self.offer(self.agreed()?.offer_number)
    }

    /// The answers that count at `now`: of the draft, of the offer that waits for an answer, or of
    /// what was agreed. What is made of them is told with them.
    #[must_use]
    pub fn answers_at(&self, now: Timestamp) -> (&FiveW, &Judgement) {
        let waits = self.state_at(now).awaits_answer();
        match (self.agreed(), self.agreed_offer()) {
            (Some(agreed), Some(offer)) if !waits => (&offer.five_w, &agreed.judgement),
            _ => (&self.five_w, &self.judgement),
        }
    }

    /// The first deadline that was recorded as missed, of whichever agreement.
    #[must_use]
    pub fn missed_at(&self) -> Option<Timestamp> {
        self.agreements.iter().find_map(|agreed| agreed.missed_at)
    }

    /// As [`Self::missed_at`], by `now`, whether or not a sweep has come by to record it.
    #[must_use]
    pub fn missed_as_of(&self, now: Timestamp) -> Option<Timestamp> {
        let now = self.closed_at.map_or(now, |closed_at| now.min(closed_at));
        let overdue = || self.deadline().filter(|_| clock::is_missed(self, now));
        self.missed_at().or_else(overdue)
    }

    /// Until when the work that was agreed is in time, that instant included.
    #[must_use]
    pub fn deadline(&self) -> Option<Timestamp> {
        self.agreed_offer()?.five_w.when.deadline
    }

    /// How many criteria were agreed.
    #[must_use]
    pub fn agreed_criteria(&self) -> usize {
        let agreed = self.agreed_offer();
        agreed.map_or(0, |offer| offer.five_w.how.criteria.len())
    }
}
