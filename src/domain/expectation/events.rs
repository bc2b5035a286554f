//! What happens to an expectation, as the journal keeps it.

use serde::{Deserialize, Serialize};

use super::fulfilment::{CriterionReason, WorkShown};
use super::{CitedConsent, FiveW, Judgement, Links};
use crate::domain::aggregate::events;
use crate::domain::commitment::Commitment;
use crate::domain::identity::PartyId;
use crate::domain::partnership::ending::{CarriedOn, ClosedWithPartnership};
use crate::domain::time::Timestamp;

/// A draft was begun.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ExpectationCreated {
    /// A line for lists: a commitment.
    pub title: Option<Commitment>,
    /// The party that began it.
    pub requester: PartyId,
    /// The party that has to keep it.
    pub obligor: PartyId,
    /// Identifier of the client concerned.
    pub client: Option<String>,
    /// Identifier of the agreement that it names to be judged by.
    pub agreement: Option<String>,
    /// The answers so far.
    pub five_w: FiveW,
    /// What is made of them.
    pub judgement: Judgement,
}

/// A draft was changed.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ExpectationUpdated {
    /// The line for lists from now on.
    pub title: Option<Commitment>,
    /// The answers from now on.
    pub five_w: FiveW,
    /// What is made of them.
    pub judgement: Judgement,
}

/// A party made an offer.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct OfferMade {
    /// Counts the offers of the expectation from 1.
    pub number: u32,
    /// The party.
    pub party: PartyId,
    /// What it offers.
    pub five_w: FiveW,
    /// What it said to it: a commitment.
    pub message: Option<Commitment>,
    /// From when on it can no longer be answered.
    pub expires_at: Option<Timestamp>,
    /// What is made of it.
    pub judgement: Judgement,
    /// Whether its maker knows that the deadline may be impossible.
    pub acknowledges_impossible: bool,
}

/// A party agreed to the other's offer.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ExpectationAgreed {
    /// The party.
    pub party: PartyId,
    /// Number of the offer.
    pub offer_number: u32,
    /// The standing consent by which it did, if it was not asked.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub standing_consent: Option<CitedConsent>,
    /// What is made of it by now.
    pub judgement: Judgement,
    /// Whether the party knows that the deadline may be impossible.
    pub acknowledges_impossible: bool,
}

/// The last offer ran out unanswered.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ExpectationExpired {
    /// Number of the offer.
    pub offer_number: u32,
    /// When it ran out.
    pub expired_at: Timestamp,
}

/// The deadline passed before the work was done.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ExpectationMissed {
    /// The deadline.
    pub missed_at: Timestamp,
}

/// A party ended the negotiation.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct StatementMade {
    /// The party.
    pub party: PartyId,
    /// Its message or reason: a commitment.
    pub text: Option<Commitment>,
}

/// The obligor said that it is done.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct FulfilmentMade {
    /// The party.
    pub party: PartyId,
    /// What it said to it: a commitment.
    pub message: Option<Commitment>,
    /// What it shows.
    pub shown: WorkShown,
}

/// The other side took the work as done.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct FulfilmentAccepted {
    /// The party.
    pub party: PartyId,
    /// What it found, for every agreed criterion.
    pub shown: WorkShown,
    /// Whether it speaks for its client.
    pub on_behalf_of_client: bool,
    /// What it said to it: a commitment.
    pub message: Option<Commitment>,
}

/// The other side said that the work is not done.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct FulfilmentDisputed {
    /// The party.
    pub party: PartyId,
    /// Why, as a whole: a commitment.
    pub reason: Option<Commitment>,
    /// Why single criteria are not met, ascending by index.
    pub criteria: Vec<CriterionReason>,
}

/// Work that was disputed and is accepted after all was done in time: the miss that was recorded
/// meanwhile is none.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct MissRevised {
    /// The deadline that was recorded as missed.
    pub missed_at: Timestamp,
    /// When the work was done that is accepted.
    pub fulfilled_at: Timestamp,
}

events! {
    /// What happens to an expectation.
    ExpectationEvent {
        /// A draft was begun.
        Created(ExpectationCreated) = "expectation.created", 1;
        /// The draft was changed.
        Updated(ExpectationUpdated) = "expectation.updated", 1;
        /// The draft came of a ticket, or of an item of a notice.
        Linked(Links) = "expectation.linked", 1;
        /// The draft was stated by one firm alone.
        Asserted(OfferMade) = "expectation.asserted", 1;
        /// The draft was offered to the other firm.
        Offered(OfferMade) = "expectation.offered", 1;
        /// An offer was answered with another one.
        Countered(OfferMade) = "expectation.countered", 1;
        /// The last offer was agreed to.
        Agreed(ExpectationAgreed) = "expectation.agreed", 1;
        /// The last offer was turned down.
        Declined(StatementMade) = "expectation.declined", 1;
        /// What was asserted was denied.
        Contested(StatementMade) = "expectation.contested", 1;
        /// The last offer, or the draft, was taken back.
        Withdrawn(StatementMade) = "expectation.withdrawn", 1;
        /// The last offer ran out.
        Expired(ExpectationExpired) = "expectation.expired", 1;
        /// The deadline passed.
        Missed(ExpectationMissed) = "expectation.missed", 1;
        /// The obligor said that it is done.
        Fulfilled(FulfilmentMade) = "expectation.fulfilled", 1;
        /// The other side took the work as done.
        Accepted(FulfilmentAccepted) = "expectation.fulfilment_accepted", 1;
        /// Accepted work had been in time after all.
        MissRevised(MissRevised) = "expectation.miss_revised", 1;
        /// The other side said that it is not done.
        Disputed(FulfilmentDisputed) = "expectation.fulfilment_disputed", 1;
        /// It outlives its partnership.
        Carried(CarriedOn) = "expectation.carried", 1;
        /// It was closed with its partnership.
        Closed(ClosedWithPartnership) = "expectation.closed", 1;
    }
}
