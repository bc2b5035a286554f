//! Revisions of an agreement, and how they reach tickets that are open already.

use serde::{Deserialize, Serialize};

use super::{Agreement, AgreementContent, AgreementState};
use crate::domain::aggregate::{Aggregate, Recorded, events};
use crate::domain::content_hash;
use crate::domain::identity::PartyId;
use crate::domain::partnership::Approval;
use crate::domain::time::Timestamp;

/// Most revisions of one agreement.
pub const REVISIONS_MAX: u32 = 200;

/// What one revision of an agreement says; never changed. Its record's id is
/// `{agreement}@{revision}`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct AgreementRevision {
    /// What it says.
    pub content: AgreementContent,
    /// Hash of what was approved.
    pub hash: String,
}

impl AgreementRevision {
    /// The record id of a revision.
    #[must_use]
    pub fn id_of(agreement: &str, revision: u32) -> String {
        format!("{agreement}@{revision}")
    }
}

events! {
    /// What happens to a revision of an agreement.
    AgreementRevisionEvent {
        /// A later one took its place; this is what tickets go on under that keep it.
        Kept(AgreementRevision) = "agreement_revision.kept", 1;
    }
}

impl Aggregate for AgreementRevision {
    type Event = AgreementRevisionEvent;
    const BODY_VERSION: u32 = 1;

    fn apply(
        previous: Option<Self>,
        event: &AgreementRevisionEvent,
        _recorded: &Recorded,
    ) -> Option<Self> {
        let AgreementRevisionEvent::Kept(kept) = event;
        previous.is_none().then(|| kept.clone())
    }
}

/// A revision reaches tickets that are open already.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Repin {
    /// Which revision.
    pub revision: u32,
    /// From when on; never before it was recorded, so that it cannot reach into the past.
    pub from: Timestamp,
    /// When it was recorded.
    pub recorded_at: Timestamp,
}

/// A revision that waits for approval.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ProposedRevision {
    /// What the agreement shall say.
    pub content: AgreementContent,
    /// From when on it shall count for tickets that are open then; `None` for new ones only.
    pub repin_from: Option<Timestamp>,
    /// Hash of both: what a party approves.
    pub hash: String,
    /// Who approved; the proposer is the first.
    pub approvals: Vec<Approval>,
}

/// A revision was proposed; an earlier proposal is gone.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct RevisionProposed {
    /// By which party; its approval is part of the proposal.
    pub proposer: PartyId,
    /// What the agreement shall say.
    pub content: AgreementContent,
    /// From when on it shall count for tickets that are open then.
    pub repin_from: Option<Timestamp>,
    /// Hash of both.
    pub hash: String,
}

impl RevisionProposed {
    /// Puts a proposal together.
    #[must_use]
    pub fn new(
        proposer: PartyId,
        content: AgreementContent,
        repin_from: Option<Timestamp>,
    ) -> Self {
        #[derive(Serialize)]
        struct Hashed<'content> {
            content: &'content AgreementContent,
            repin_from: Option<Timestamp>,
        }
        let hashed = Hashed {
            content: &content,
            repin_from,
        };
        let hash = content_hash("entente.agreement_revision.v1", &hashed);
        Self {
            proposer,
            content,
            repin_from,
            hash,
        }
    }

    /// The proposal with its maker's approval.
    pub(super) fn revision(&self, approval: Approval) -> ProposedRevision {
        ProposedRevision {
            content: self.content.clone(),
            repin_from: self.repin_from,
            hash: self.hash.clone(),
            approvals: vec![approval],
        }
    }
}

/// A party approved the proposed revision.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct RevisionApproved {
    /// Which party.
    pub party: PartyId,
}

/// The proposed revision came into force for new tickets.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct AgreementRevised {
    /// Number of the revision.
    pub revision: u32,
    /// Where the agreement stands now.
    pub state: AgreementState,
}

impl Agreement {
    /// Puts the proposed revision in force.
    pub(super) fn revise(&mut self, revised: &AgreementRevised) -> Option<()> {
        let proposed = self.proposed.take()?;
        self.content = proposed.content;
        self.hash = proposed.hash;
        self.approvals = proposed.approvals;
        self.revision = revised.revision;
        self.state = revised.state;
        Some(())
    }
}
