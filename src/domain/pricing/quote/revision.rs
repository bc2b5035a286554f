//! Revisions of a concession: a division of it, who proposed it, and what became of it.

use serde::{Deserialize, Serialize};

use super::signature::ApprovalSignature;
use super::split::ConcessionSplit;
use super::standing::StandingApproval;
use super::{ConcessionApproved, ConcessionProposed, ConcessionRejected};
use crate::domain::aggregate::Recorded;
use crate::domain::commitment::Commitment;
use crate::domain::identity::PartyId;
use crate::domain::partnership::{Approval, Partnership, Party};
use crate::domain::time::Timestamp;

/// How far a revision has come. It counts only while it is approved.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum RevisionState {
    /// Some firm has not answered yet.
    Proposed,
    /// Every firm approved, but a placeholder stands for one that has not joined: it may still
    /// approve or reject when it does.
    Asserted,
    /// Every party approved: the revision is in force.
    Approved,
    /// A party turned it down.
    Rejected,
    /// Its proposer took it back.
    Withdrawn,
    /// Its time ran out. Silence is no consent.
    Expired,
    /// Another revision took its place, or a portion was added that it does not divide.
    Superseded,
}

impl RevisionState {
    /// The name used in lists and errors.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Proposed => "proposed",
            Self::Asserted => "asserted",
            Self::Approved => "approved",
            Self::Rejected => "rejected",
            Self::Withdrawn => "withdrawn",
            Self::Expired => "expired",
            Self::Superseded => "superseded",
        }
    }

    /// Whether an answer can still come.
    #[must_use]
    pub const fn is_open(self) -> bool {
        matches!(self, Self::Proposed | Self::Asserted)
    }

    /// How far the approvals of those for whom `approved` holds bring a revision over portions of
    /// these `owners`: with a portion of a party that no firm has joined as it is only asserted,
    /// and so is whatever one firm alone approves.
    #[must_use]
    pub fn after_approvals<'owner>(
        partnership: &Partnership,
        mut owners: impl Iterator<Item = &'owner PartyId>,
        approved: impl Fn(&PartyId) -> bool,
    ) -> Self {
        let is_placeholder =
            |owner: &PartyId| partnership.party(owner).is_some_and(Party::is_placeholder);
        if !partnership.firms().all(|firm| approved(&firm.id)) {
            Self::Proposed
        } else if partnership.is_alone() || owners.any(is_placeholder) {
            Self::Asserted
        } else {
            Self::Approved
        }
    }
}

/// How a revision was turned down.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Rejection {
    /// The party that turned it down.
    pub party: PartyId,
    /// When.
    pub at: Timestamp,
    /// By which credential or guest link.
    pub actor: String,
    /// Why: a commitment to free text.
    pub reason: Option<Commitment>,
}

impl Rejection {
    /// The rejection that an entry records; `None` if nobody made it.
    #[must_use]
    pub fn of(rejected: &ConcessionRejected, recorded: &Recorded) -> Option<Self> {
        recorded.by_somebody()?;
        Some(Self {
            party: rejected.party.clone(),
            at: recorded.at,
            actor: recorded.actor.clone(),
            reason: rejected.reason.clone(),
        })
    }
}

/// One proposal of what to concede in all.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ConcessionRevision {
    /// What is proposed, divided and hashed: what an approval is for.
    pub split: ConcessionSplit,
    /// The party that proposed it.
    pub proposer: PartyId,
    /// When it was proposed.
    pub proposed_at: Timestamp,
    /// From when on it can no longer be answered. An asserted one waits as long as the quote
    /// stands, because nobody is there yet who could answer it.
    pub expires_at: Timestamp,
    /// As last recorded; [`Self::state_at`] also knows what time did since.
    pub state: RevisionState,
    /// Who approved; the proposer is the first.
    pub approvals: Vec<Approval>,
    /// Which of these approvals were given beforehand, and by which standing consent.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub agreed_beforehand: Vec<StandingApproval>,
    /// How it was turned down, if it was.
    pub rejection: Option<Rejection>,
    /// The approvals that were signed, one signature each.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub signatures: Vec<ApprovalSignature>,
}

/// The proposer's approval, and those that were given beforehand.
fn approvals(proposed: &ConcessionProposed, recorded: &Recorded) -> Option<Vec<Approval>> {
    let mut approvals = vec![Approval::of(&proposed.proposer, recorded)?];
    approvals.extend(proposed.agreed_beforehand.iter().map(|given| Approval {
        party: given.party.clone(),
        // Whoever agreed beforehand is not the firm that acts now, and used no key for it.
        firm: Some(given.consent.firm.clone()),
        at: recorded.at,
        actor: String::new(),
    }));
    Some(approvals)
}

impl ConcessionRevision {
    /// The revision that an entry proposes; `None` if no firm made it.
    #[must_use]
    pub fn of(proposed: &ConcessionProposed, recorded: &Recorded) -> Option<Self> {
        Some(Self {
            split: proposed.split.clone(),
            proposer: proposed.proposer.clone(),
            proposed_at: recorded.at,
            expires_at: proposed.expires_at,
            state: proposed.state,
            approvals: approvals(proposed, recorded)?,
            agreed_beforehand: proposed.agreed_beforehand.clone(),
            rejection: None,
            signatures: Vec::new(),
        })
    }

    /// The state at `now`, whether or not its end was recorded yet.
    #[must_use]
    pub fn state_at(&self, now: Timestamp) -> RevisionState {
        let ran_out = self.state.is_open() && now >= self.expires_at;
        if ran_out {
            RevisionState::Expired
        } else {
            self.state
        }
    }

    /// Whether `party` approved exactly this revision.
    #[must_use]
    pub fn is_approved_by(&self, party: &PartyId) -> bool {
        Approval::is_among(&self.approvals, party)
    }

    /// The signature of a party's approval, if it signed.
    #[must_use]
    pub fn signature_of(&self, party: &PartyId) -> Option<&ApprovalSignature> {
        self.signatures.iter().find(|found| found.party == *party)
    }

    /// Notes an approval; `None` if no firm gave it, or gave it before.
    pub(super) fn approve(
        &mut self,
        approved: &ConcessionApproved,
        quote_ends: Timestamp,
        recorded: &Recorded,
    ) -> Option<()> {
        if self.is_approved_by(&approved.party) {
            return None;
        }
        self.approvals
            .push(Approval::of(&approved.party, recorded)?);
        self.state = approved.state;
        if self.state == RevisionState::Asserted {
            self.expires_at = quote_ends;
        }
        Some(())
    }
}
