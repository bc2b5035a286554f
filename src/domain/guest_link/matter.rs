//! What a guest is asked, and what an answer to it does.

use serde::{Deserialize, Serialize};

use super::GuestAnswer;
use crate::domain::command::Decision;
use crate::domain::commitment::Commitment;
use crate::domain::expectation::{
    self, CriterionEvidence, Expectation, ExpectationCommand, WorkShown,
};
use crate::domain::identity::PartyId;
use crate::domain::partnership::{Approval, Partnership, Party, approve_terms_as};
use crate::domain::pricing::quote::{self, JointQuote, QuoteCommand};
use crate::domain::record::Kind;
use crate::domain::refusal::{Reason, Refusal};
use crate::domain::sla::agreement::{self, Agreement};
use crate::domain::time::Timestamp;
use crate::domain::world::{Stop, View};

/// The one thing that a guest is asked.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", deny_unknown_fields)]
pub enum GuestMatter {
    /// To agree to an offer, or to decline it.
    Offer {
        /// Of which expectation.
        expectation: String,
        /// Which of its offers.
        number: u32,
    },
    /// To accept work that is said to be done, or to dispute it.
    Fulfilment {
        /// Of which expectation.
        expectation: String,
        /// When it was said to be done; `None` in a request for the last time.
        said_at: Option<Timestamp>,
    },
    /// To approve terms.
    Terms {
        /// Their hash.
        hash: String,
    },
    /// To approve an agreement, or a revision of it.
    Agreement {
        /// Which agreement.
        id: String,
        /// The hash of what is approved.
        hash: String,
    },
    /// To approve a concession, or to reject it.
    Concession {
        /// Of which joint quote.
        quote: String,
        /// The revision's hash.
        hash: String,
    },
}

/// A guest's answer in full.
#[derive(Clone, Copy, Debug)]
pub(super) struct Said<'said> {
    pub answer: GuestAnswer,
    pub message: Option<&'said Commitment>,
    pub acknowledges_impossible: bool,
}

/// The party in whose place an answer is given, and what can be seen.
#[derive(Clone, Copy)]
pub(super) struct Seat<'world> {
    pub partnership: &'world Partnership,
    pub party: &'world Party,
    pub view: View<'world>,
}

impl GuestMatter {
    /// The matter with what a request leaves open.
    pub(super) fn pinned(&self, view: &View<'_>) -> Result<Self, Stop> {
        let Self::Fulfilment {
            expectation,
            said_at: None,
        } = self
        else {
            return Ok(self.clone());
        };
        let found = view.get::<Expectation>(expectation)?;
        Ok(Self::Fulfilment {
            expectation: expectation.clone(),
            said_at: said_at_of(found),
        })
    }

    /// What the answer does, decided as anybody's answer to it would be.
    pub(super) fn decide(&self, said: Said<'_>, seat: Seat<'_>) -> Result<Decision, Stop> {
        let Seat {
            partnership,
            party,
            view,
        } = seat;
        self.refuse_answered(seat)?;
        let message = said.message.cloned();
        let accepts = said.answer == GuestAnswer::Accept;
        match self {
            Self::Offer {
                expectation,
                number,
            } => {
                let id = expectation.clone();
                refuse_other_offer(&id, *number, &view)?;
                let command = if accepts {
                    ExpectationCommand::Agree {
                        id,
                        offer_number: *number,
                        acknowledges_impossible: said.acknowledges_impossible,
                    }
                } else {
                    ExpectationCommand::Decline {
                        id,
                        reason: message,
                    }
                };
                expectation::decide_as(&command, partnership, party, &view)
            }
            Self::Fulfilment {
                expectation,
                said_at,
            } => {
                let command = judgement(expectation, *said_at, accepts, message, &view)?;
                expectation::decide_as(&command, partnership, party, &view)
            }
            Self::Terms { hash } => {
                require_accepted(accepts)?;
                let about = Decision::about(Kind::Partnership, view.scope.id());
                approve_terms_as(hash, partnership, party, about, &view)
            }
            Self::Agreement { id, hash } => {
                require_accepted(accepts)?;
                agreement::approve(id, hash, partnership, party, &view)
            }
            Self::Concession { quote, hash } => {
                let (id, hash) = (quote.clone(), hash.clone());
                let command = if accepts {
                    QuoteCommand::ApproveConcession { id, hash }
                } else {
                    QuoteCommand::RejectConcession {
                        id,
                        hash,
                        reason: message,
                    }
                };
                quote::decide_as(&command, partnership, party, &view)
            }
        }
    }

    /// What was approved for the party already is not asked of anybody again.
    fn refuse_answered(&self, seat: Seat<'_>) -> Result<(), Stop> {
        let party = &seat.party.id;
        let answered = match self {
            Self::Offer { .. } | Self::Fulfilment { .. } => false,
            Self::Terms { hash } => {
                let partnership = seat.partnership;
                let terms = [&partnership.terms, &partnership.proposed_terms];
                let mut terms = terms.into_iter().flatten();
                terms.any(|terms| terms.hash == *hash && has_spoken(&terms.approvals, party))
            }
            Self::Agreement { id, hash } => {
                let found = seat.view.get::<Agreement>(id)?;
                let proposed = found.proposed.iter();
                let mut known = proposed
                    .map(|proposed| (&proposed.hash, &proposed.approvals))
                    .chain([(&found.hash, &found.approvals)]);
                known.any(|(known, approvals)| known == hash && has_spoken(approvals, party))
            }
            Self::Concession { quote, hash } => {
                let found = seat.view.get::<JointQuote>(quote)?;
                let mut revisions = found.revisions.iter();
                revisions.any(|it| it.split.hash == *hash && has_spoken(&it.approvals, party))
            }
        };
        if answered {
            return Err(Refusal::invalid_state("approved", "UseGuestLink").into());
        }
        Ok(())
    }
}

/// Whether `party` approved, be it as a firm or by a guest.
fn has_spoken(approvals: &[Approval], party: &PartyId) -> bool {
    approvals.iter().any(|approval| approval.party == *party)
}

/// A guest is asked about one offer, and answers no other.
fn refuse_other_offer(id: &str, number: u32, view: &View<'_>) -> Result<(), Stop> {
    let found = view.get::<Expectation>(id)?;
    let last = found.offers.last().map(|offer| offer.number);
    if last == Some(number) {
        return Ok(());
    }
    let message = format!("offer {number} is not the last one");
    Err(Refusal::new(Reason::InvalidState, message)
        .with("state", found.state_at(view.now).as_str())
        .with("action", "UseGuestLink")
        .with("offer_number", last.unwrap_or_default())
        .into())
}

/// Terms and agreements are approved, or left to the firms to talk about.
fn require_accepted(accepts: bool) -> Result<(), Refusal> {
    if accepts {
        return Ok(());
    }
    let rule = "can only be ACCEPT here: leave the link unused instead";
    Err(Refusal::field(Reason::InvalidField, "answer", rule))
}

/// What is asked of the expectation, if the work is the one that the guest was asked about. Who
/// accepts says that every criterion is met.
fn judgement(
    id: &str,
    said_at: Option<Timestamp>,
    accepts: bool,
    message: Option<Commitment>,
    view: &View<'_>,
) -> Result<ExpectationCommand, Stop> {
    let found = view.get::<Expectation>(id)?;
    if said_at_of(found) != said_at {
        let state = found.state_at(view.now);
        let message = "the work was said to be done once more since";
        return Err(Refusal::new(Reason::InvalidState, message)
            .with("state", state.as_str())
            .with("action", "UseGuestLink")
            .into());
    }
    let id = id.to_owned();
    if !accepts {
        if message.is_none() {
            let rule = "must say what is missing";
            return Err(Refusal::field(Reason::InvalidField, "message", rule).into());
        }
        return Ok(ExpectationCommand::DisputeFulfilment {
            id,
            reason: message,
            criteria: Vec::new(),
        });
    }
    let count = u32::try_from(found.agreed_criteria()).unwrap_or(u32::MAX);
    let met = |index| CriterionEvidence {
        index,
        evidence: Vec::new(),
        note: None,
    };
    Ok(ExpectationCommand::AcceptFulfilment {
        id,
        shown: WorkShown {
            evidence: Vec::new(),
            criteria: (0..count).map(met).collect(),
        },
        on_behalf_of_client: false,
        message,
    })
}

/// When the work was said to be done for the last time.
fn said_at_of(expectation: &Expectation) -> Option<Timestamp> {
    let fulfilment = expectation.fulfilment()?;
    Some(fulfilment.statement.at)
}
