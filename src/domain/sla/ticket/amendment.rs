//! Amendments: what firms agree about one ticket, beside what its agreement says.

use serde::{Deserialize, Serialize};

use super::Ticket;
use crate::domain::aggregate::Recorded;
use crate::domain::commitment::Commitment;
use crate::domain::identity::PartyId;
use crate::domain::partnership::Approval;
use crate::domain::sla::clock::{AgreedDate, ExcludedStretch, TargetType};
use crate::domain::sla::in_force::{Assignment, PinnedTerms};
use crate::domain::time::{MICROS_PER_DAY, Span, Timestamp};

/// Most amendments of one ticket, whatever became of them.
pub const AMENDMENTS_MAX: usize = 100;
/// The longest stretch that can be excluded.
pub const EXCLUSION_MAX: Span = Span::from_micros(366 * MICROS_PER_DAY);

/// A deadline for a promise that the ticket's own agreement makes or not.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct DateAmendment {
    /// For which promise.
    pub target_type: TargetType,
    /// The deadline; `None` takes an agreed one back.
    pub due_at: Option<Timestamp>,
}

/// A stretch of time that is not to be counted, on any clock of the ticket.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Exclusion {
    /// First instant.
    pub from: Timestamp,
    /// First instant after it.
    pub to: Timestamp,
    /// The class of the partnership's terms that it is of, if it is of one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub class: Option<String>,
    /// Why: a commitment.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reason: Option<Commitment>,
}

/// What an amendment says.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum AmendmentContent {
    /// A deadline in place of a duration.
    AgreedDate(DateAmendment),
    /// Time that is not counted.
    Exclusion(Exclusion),
    /// The ticket runs under another agreement from then on.
    Agreement(PinnedTerms),
}

/// How far an amendment has come.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum AmendmentState {
    /// Waits for approval.
    Proposed,
    /// Approved by every firm, or covered by a class of the terms: it counts.
    Agreed,
    /// Written down by a firm that was alone: it counts.
    Asserted,
    /// Turned down.
    Declined,
    /// Taken back.
    Withdrawn,
}

impl AmendmentState {
    /// The name used in errors.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Proposed => "proposed",
            Self::Agreed => "agreed",
            Self::Asserted => "asserted",
            Self::Declined => "declined",
            Self::Withdrawn => "withdrawn",
        }
    }

    /// Whether it counts.
    #[must_use]
    pub const fn is_in_force(self) -> bool {
        matches!(self, Self::Agreed | Self::Asserted)
    }
}

/// How an amendment was turned down or taken back.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Settled {
    /// Declined or withdrawn.
    pub state: AmendmentState,
    /// By which party.
    pub party: PartyId,
    /// When.
    pub at: Timestamp,
    /// Why: a commitment.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reason: Option<Commitment>,
}

/// Something that takes both firms about one ticket.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Amendment {
    /// Its id within the ticket: its number, from 1.
    pub id: String,
    /// What it says.
    pub content: AmendmentContent,
    /// Who proposed it.
    pub proposer: PartyId,
    /// When.
    pub proposed_at: Timestamp,
    /// Who approved; the proposer is the first.
    pub approvals: Vec<Approval>,
    /// From when on it has counted.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub counts_from: Option<Timestamp>,
    /// When it was agreed, by every firm or by a class of the terms.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub agreed_at: Option<Timestamp>,
    /// Whether a class of the terms made it count, by its proposer's word alone.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub by_class: bool,
    /// How it ended, if it was declined or withdrawn.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub settled: Option<Settled>,
}

impl Amendment {
    /// How far it has come.
    #[must_use]
    pub fn state(&self) -> AmendmentState {
        if let Some(settled) = &self.settled {
            settled.state
        } else if self.agreed_at.is_some() {
            AmendmentState::Agreed
        } else if self.counts_from.is_some() {
            AmendmentState::Asserted
        } else {
            AmendmentState::Proposed
        }
    }

    /// Whether it counts by one firm's word, because the terms have a class for it.
    #[must_use]
    pub fn is_by_one_word(&self) -> bool {
        self.by_class && self.approvals.len() == 1 && self.state().is_in_force()
    }

    /// The commitments behind which its texts lie.
    pub fn commitments(&self) -> impl Iterator<Item = &Commitment> {
        let settled = self
            .settled
            .as_ref()
            .and_then(|settled| settled.reason.as_ref());
        let excluded = match &self.content {
            AmendmentContent::Exclusion(exclusion) => exclusion.reason.as_ref(),
            AmendmentContent::AgreedDate(_) | AmendmentContent::Agreement(_) => None,
        };
        excluded.into_iter().chain(settled)
    }

    /// Goes back to what was known at an instant. Returns whether anything was.
    pub(super) fn was_known_at(&mut self, at: Timestamp) -> bool {
        self.approvals.retain(|approval| approval.at <= at);
        self.counts_from = self.counts_from.filter(|from| *from <= at);
        self.agreed_at = self.agreed_at.filter(|agreed| *agreed <= at);
        self.settled = self.settled.take().filter(|settled| settled.at <= at);
        self.proposed_at <= at
    }

    /// From when on it counts; `None` unless it does.
    fn in_force_from(&self) -> Option<Timestamp> {
        self.counts_from.filter(|_| self.state().is_in_force())
    }

    pub(super) fn excluded(&self) -> Option<ExcludedStretch> {
        self.in_force_from()?;
        match &self.content {
            AmendmentContent::Exclusion(exclusion) => Some(ExcludedStretch {
                id: event_id(&self.id),
                from: exclusion.from,
                to: exclusion.to,
            }),
            AmendmentContent::AgreedDate(_) | AmendmentContent::Agreement(_) => None,
        }
    }

    pub(super) fn agreed_date(&self) -> Option<AgreedDate> {
        let from = self.in_force_from()?;
        match &self.content {
            AmendmentContent::AgreedDate(date) => Some(AgreedDate {
                target_type: date.target_type,
                from,
                due_at: date.due_at,
            }),
            AmendmentContent::Exclusion(_) | AmendmentContent::Agreement(_) => None,
        }
    }

    pub(super) fn assignment(&self) -> Option<Assignment> {
        let from = self.in_force_from()?;
        match &self.content {
            AmendmentContent::Agreement(terms) => Some(Assignment {
                from,
                event_id: event_id(&self.id),
                terms: terms.clone(),
            }),
            AmendmentContent::Exclusion(_) | AmendmentContent::AgreedDate(_) => None,
        }
    }
}

/// What explanations name in place of an event.
fn event_id(amendment: &str) -> String {
    format!("amendment:{amendment}")
}

/// Something was proposed.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct AmendmentProposed {
    /// The amendment's id within the ticket.
    pub amendment: String,
    /// By which party; its approval is part of the proposal.
    pub proposer: PartyId,
    /// What it says.
    pub content: AmendmentContent,
    /// Proposed, or in force at once: agreed by a class of the terms, or asserted.
    pub state: AmendmentState,
    /// When the sweeper has to look at the ticket.
    pub due_at: Option<Timestamp>,
}

/// A party approved.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct AmendmentApproved {
    /// Which amendment.
    pub amendment: String,
    /// Which party.
    pub party: PartyId,
    /// How far the amendment has come.
    pub state: AmendmentState,
    /// When the sweeper has to look at the ticket.
    pub due_at: Option<Timestamp>,
}

/// A party turned it down, or took it back.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct AmendmentSettled {
    /// Which amendment.
    pub amendment: String,
    /// Which party.
    pub party: PartyId,
    /// Why: a commitment.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reason: Option<Commitment>,
    /// When the sweeper has to look at the ticket.
    pub due_at: Option<Timestamp>,
}

impl Ticket {
    /// The amendment of that id.
    #[must_use]
    pub fn amendment(&self, id: &str) -> Option<&Amendment> {
        self.amendments.iter().find(|amendment| amendment.id == id)
    }

    fn amendment_mut(&mut self, id: &str) -> Option<&mut Amendment> {
        let mut amendments = self.amendments.iter_mut();
        amendments.find(|amendment| amendment.id == id)
    }

    pub(super) fn propose(
        &mut self,
        change: &AmendmentProposed,
        recorded: &Recorded,
    ) -> Option<()> {
        let counts = change.state.is_in_force();
        let agreed = change.state == AmendmentState::Agreed;
        self.amendments.push(Amendment {
            id: change.amendment.clone(),
            content: change.content.clone(),
            proposer: change.proposer.clone(),
            proposed_at: recorded.at,
            approvals: vec![Approval::of(&change.proposer, recorded)?],
            counts_from: counts.then_some(recorded.at),
            agreed_at: agreed.then_some(recorded.at),
            by_class: agreed,
            settled: None,
        });
        self.due_at = change.due_at;
        Some(())
    }

    pub(super) fn approve(
        &mut self,
        change: &AmendmentApproved,
        recorded: &Recorded,
    ) -> Option<()> {
        let approval = Approval::of(&change.party, recorded)?;
        let amendment = self.amendment_mut(&change.amendment)?;
        approval.add_to(&mut amendment.approvals);
        if change.state.is_in_force() {
            // What was asserted goes on counting from where it began to.
            amendment.counts_from = amendment.counts_from.or(Some(recorded.at));
        }
        if change.state == AmendmentState::Agreed {
            amendment.agreed_at = amendment.agreed_at.or(Some(recorded.at));
        }
        self.due_at = change.due_at;
        Some(())
    }

    pub(super) fn settle(
        &mut self,
        change: &AmendmentSettled,
        state: AmendmentState,
        at: Timestamp,
    ) -> Option<()> {
        let amendment = self.amendment_mut(&change.amendment)?;
        amendment.settled = Some(Settled {
            state,
            party: change.party.clone(),
            at,
            reason: change.reason.clone(),
        });
        self.due_at = change.due_at;
        Some(())
    }
}
