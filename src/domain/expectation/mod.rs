//! Expectations: what one party may count on from another. It is offered, countered, agreed, then
//! kept or missed.

mod decide;
mod events;
pub mod five_w;
pub mod intake;
pub mod judgement;
mod matter;
mod standing;
#[cfg(test)]
mod tests;

use serde::{Deserialize, Serialize};

use super::aggregate::{Aggregate, Recorded};
use super::commitment::Commitment;
use super::identity::{FirmId, PartyId};
use super::time::{Span, Timestamp};

pub use decide::{ExpectationCommand, decide, decide_as, tick};
pub use events::{
    ExpectationAgreed, ExpectationCreated, ExpectationEvent, ExpectationExpired, ExpectationMissed,
    ExpectationUpdated, FulfilmentAccepted, OfferMade, StatementMade,
};
pub use five_w::{FiveW, How, ImpactScope, Place, Question, Severity, What, When, Where, Who};
pub use intake::Missing;
pub use judgement::Judgement;
pub use standing::CitedConsent;

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

/// One party's proposal. It is never changed, whatever becomes of it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Offer {
    /// Counts the offers of the expectation from 1.
    pub number: u32,
    /// The party that made it.
    pub party: PartyId,
    /// The firm that the party was.
    pub firm: FirmId,
    /// What is offered.
    pub five_w: FiveW,
    /// What its maker said to it: a commitment.
    pub message: Option<Commitment>,
    /// When it was made.
    pub offered_at: Timestamp,
    /// From when on it can no longer be answered, this instant included. `None` for what was
    /// asserted without a deadline: it stands until someone joins who can answer it.
    pub expires_at: Option<Timestamp>,
    /// What was made of it when it was made.
    pub judgement: Judgement,
    /// Whether its maker knows that the deadline may be impossible.
    pub acknowledges_impossible: bool,
}

impl Offer {
    /// Whether it can no longer be answered at `now`.
    #[must_use]
    pub fn is_over(&self, now: Timestamp) -> bool {
        self.expires_at.is_some_and(|expires_at| expires_at <= now)
    }
}

/// Consent to an offer.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Agreed {
    /// Number of the offer, always the last one.
    pub offer_number: u32,
    /// The party that agreed to the other's offer.
    pub party: PartyId,
    /// The firm that the party was; `None` for a guest of a placeholder.
    pub firm: Option<FirmId>,
    /// The guest link by which it did, if it was one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub guest_link: Option<String>,
    /// When.
    pub at: Timestamp,
    /// The standing consent by which it did, if it was not asked.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub standing_consent: Option<CitedConsent>,
    /// Whether it knows that the deadline may be impossible.
    pub acknowledges_impossible: bool,
}

/// Something that a party said about an expectation.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Statement {
    /// The party.
    pub party: PartyId,
    /// The firm that the party was; `None` for a guest of a placeholder.
    pub firm: Option<FirmId>,
    /// The guest link by which it spoke, if it was one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub guest_link: Option<String>,
    /// Its message or reason: a commitment.
    pub text: Option<Commitment>,
    /// When.
    pub at: Timestamp,
}

impl Statement {
    /// The statement that an entry records; `None` if nobody made it.
    fn of(party: &PartyId, text: Option<&Commitment>, recorded: &Recorded) -> Option<Self> {
        recorded.by_somebody()?;
        Some(Self {
            party: party.clone(),
            firm: recorded.firm.clone(),
            guest_link: recorded.guest_link(),
            text: text.cloned(),
            at: recorded.at,
        })
    }
}

/// The other side's word that the work is done.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Acceptance {
    /// Who, when, and in which words.
    pub statement: Statement,
    /// Indexes of the agreed criteria found met, from 0, ascending: all of them.
    pub criteria_met: Vec<u32>,
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
    /// The answers of the draft, then of the last offer.
    pub five_w: FiveW,
    /// What was made of them when they last changed or were agreed.
    pub judgement: Judgement,
    /// Every offer made, oldest first, at most [`OFFERS_MAX`].
    pub offers: Vec<Offer>,
    /// Who agreed to the last offer.
    pub agreed: Option<Agreed>,
    /// The deadline, if it passed before the work was done; never removed.
    pub missed_at: Option<Timestamp>,
    /// The last time that the obligor said it was done.
    pub fulfilment: Option<Statement>,
    /// The other side's acceptance of the work.
    pub acceptance: Option<Acceptance>,
    /// The other side's last dispute of the work.
    pub dispute: Option<Statement>,
    /// Who declined, contested or withdrew it, and why.
    pub ending: Option<Statement>,
}

impl Expectation {
    /// How far it has come at `now`, whether or not a sweep has come by to record it.
    #[must_use]
    pub fn state_at(&self, now: Timestamp) -> ExpectationState {
        match self.state {
            ExpectationState::Offered | ExpectationState::Countered
                if self.offers.last().is_some_and(|offer| offer.is_over(now)) =>
            {
                ExpectationState::Expired
            }
            // Work that is done at the deadline exactly is in time.
            ExpectationState::Agreed if self.deadline().is_some_and(|deadline| deadline < now) => {
                ExpectationState::Missed
            }
            state => state,
        }
    }

    /// The deadline that was missed by `now`, whether or not a sweep has come by to record it.
    #[must_use]
    pub fn missed_as_of(&self, now: Timestamp) -> Option<Timestamp> {
        let missed = self.state_at(now) == ExpectationState::Missed;
        self.missed_at
            .or_else(|| self.deadline().filter(|_| missed))
    }

    /// Whether a guest agreed in the place of a firm that had not joined, and nothing was done since:
    /// the firm may endorse it when it joins, or contest it.
    #[must_use]
    pub fn awaits_endorsement(&self) -> bool {
        let by_guest = |agreed: &Agreed| agreed.firm.is_none();
        matches!(
            self.state,
            ExpectationState::Agreed | ExpectationState::Missed
        ) && self.agreed.as_ref().is_some_and(by_guest)
    }

    /// Until when the work is in time, that instant included.
    #[must_use]
    pub fn deadline(&self) -> Option<Timestamp> {
        self.five_w.when.deadline
    }

    /// The questions that the draft or the last offer leaves open.
    #[must_use]
    pub fn unanswered(&self) -> Vec<Question> {
        self.five_w.unanswered()
    }

    /// What to ask next about the draft or the last offer.
    #[must_use]
    pub fn gaps(&self) -> Vec<Missing> {
        intake::gaps(&self.five_w)
    }
}

impl Aggregate for Expectation {
    type Event = ExpectationEvent;
    const BODY_VERSION: u32 = 1;

    fn apply(
        previous: Option<Self>,
        event: &ExpectationEvent,
        recorded: &Recorded,
    ) -> Option<Self> {
        match (previous, event) {
            (None, ExpectationEvent::Created(created)) => Some(Self::created(created)),
            (Some(expectation), event) => expectation.changed(event, recorded),
            (None, _) => None,
        }
    }

    fn state(&self) -> &'static str {
        self.state.as_str()
    }

    /// The first instant at which the last offer is over, or the deadline behind us.
    fn due_at(&self) -> Option<Timestamp> {
        match self.state {
            ExpectationState::Offered | ExpectationState::Countered => {
                self.offers.last()?.expires_at
            }
            ExpectationState::Agreed => self
                .deadline()
                .map(|deadline| deadline.saturating_add(Span::from_micros(1))),
            _ => None,
        }
    }
}

impl Expectation {
    fn created(created: &ExpectationCreated) -> Self {
        Self {
            title: created.title.clone(),
            state: ExpectationState::Draft,
            requester: created.requester.clone(),
            obligor: created.obligor.clone(),
            client: created.client.clone(),
            agreement: created.agreement.clone(),
            five_w: created.five_w.clone(),
            judgement: created.judgement.clone(),
            offers: Vec::new(),
            agreed: None,
            missed_at: None,
            fulfilment: None,
            acceptance: None,
            dispute: None,
            ending: None,
        }
    }

    /// The state after `event`; each arm names the states that it may follow.
    fn changed(mut self, event: &ExpectationEvent, recorded: &Recorded) -> Option<Self> {
        use ExpectationState as State;
        let before = self.state;
        self.state = match event {
            ExpectationEvent::Updated(updated) if before == State::Draft => {
                self.title.clone_from(&updated.title);
                self.five_w.clone_from(&updated.five_w);
                self.judgement.clone_from(&updated.judgement);
                State::Draft
            }
            ExpectationEvent::Asserted(offer) if before == State::Draft => {
                self.add_offer(offer, recorded)?;
                State::Asserted
            }
            ExpectationEvent::Offered(offer) if before == State::Draft => {
                self.add_offer(offer, recorded)?;
                State::Offered
            }
            ExpectationEvent::Countered(offer) if before.awaits_answer() => {
                self.add_offer(offer, recorded)?;
                State::Countered
            }
            ExpectationEvent::Agreed(agreed)
                if before.awaits_answer() || self.awaits_endorsement() =>
            {
                self.agree(agreed, recorded)?
            }
            ExpectationEvent::Declined(said) if before.awaits_answer() => {
                self.ending = Some(Statement::of(&said.party, said.text.as_ref(), recorded)?);
                State::Declined
            }
            ExpectationEvent::Contested(said)
                if before == State::Asserted || self.awaits_endorsement() =>
            {
                self.ending = Some(Statement::of(&said.party, said.text.as_ref(), recorded)?);
                State::Contested
            }
            ExpectationEvent::Withdrawn(said)
                if before.awaits_answer() || before == State::Draft =>
            {
                self.ending = Some(Statement::of(&said.party, said.text.as_ref(), recorded)?);
                State::Withdrawn
            }
            ExpectationEvent::Expired(_) if matches!(before, State::Offered | State::Countered) => {
                State::Expired
            }
            ExpectationEvent::Missed(missed) if before == State::Agreed => {
                self.missed_at = Some(missed.missed_at);
                State::Missed
            }
            ExpectationEvent::Fulfilled(said) if before.awaits_work() => {
                self.fulfilment = Some(Statement::of(&said.party, said.text.as_ref(), recorded)?);
                State::Fulfilled
            }
            ExpectationEvent::Accepted(accepted) if before == State::Fulfilled => {
                let statement =
                    Statement::of(&accepted.party, accepted.message.as_ref(), recorded)?;
                let criteria_met = accepted.criteria_met.clone();
                self.acceptance = Some(Acceptance {
                    statement,
                    criteria_met,
                });
                State::Accepted
            }
            ExpectationEvent::Disputed(said) if before == State::Fulfilled => {
                self.dispute = Some(Statement::of(&said.party, said.text.as_ref(), recorded)?);
                State::Disputed
            }
            _ => return None,
        };
        Some(self)
    }

    fn add_offer(&mut self, made: &OfferMade, recorded: &Recorded) -> Option<()> {
        self.five_w = made.five_w.clone();
        self.judgement = made.judgement.clone();
        self.offers.push(Offer {
            number: made.number,
            party: made.party.clone(),
            firm: recorded.firm.clone()?,
            five_w: made.five_w.clone(),
            message: made.message.clone(),
            offered_at: recorded.at,
            expires_at: made.expires_at,
            judgement: made.judgement.clone(),
            acknowledges_impossible: made.acknowledges_impossible,
        });
        Some(())
    }

    /// How far it has come by the consent. What a firm endorses once it has joined stays as it is.
    fn agree(
        &mut self,
        agreed: &ExpectationAgreed,
        recorded: &Recorded,
    ) -> Option<ExpectationState> {
        let state = match self.state {
            ExpectationState::Missed => ExpectationState::Missed,
            _ => ExpectationState::Agreed,
        };
        recorded.by_somebody()?;
        self.agreed = Some(Agreed {
            offer_number: agreed.offer_number,
            party: agreed.party.clone(),
            // Whoever agreed beforehand is not the firm that acts now.
            firm: match &agreed.standing_consent {
                Some(cited) => Some(cited.firm.clone()),
                None => recorded.firm.clone(),
            },
            guest_link: recorded.guest_link(),
            at: recorded.at,
            standing_consent: agreed.standing_consent.clone(),
            acknowledges_impossible: agreed.acknowledges_impossible,
        });
        self.judgement = agreed.judgement.clone();
        Some(state)
    }
}
