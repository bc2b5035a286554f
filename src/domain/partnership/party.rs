//! Parties: the sides of a partnership, those who are to become one, and those who were one.

use serde::{Deserialize, Serialize};

use super::{Approval, Partnership};
use crate::domain::aggregate::Recorded;
use crate::domain::commitment::Commitment;
use crate::domain::identity::{FirmId, PartyId};
use crate::domain::time::{Span, Timestamp};

/// Most parties of one partnership, those who left and those who wait for approval included.
pub const PARTIES_MAX: usize = 16;
/// How long an invitation is valid where the caller does not say.
pub const INVITATION_VALIDITY_DEFAULT: Span = Span::from_hours(7 * 24);
/// The longest an invitation may be valid.
pub const INVITATION_VALIDITY_MAX: Span = Span::from_hours(90 * 24);
/// The shortest an invitation may be valid.
pub const INVITATION_VALIDITY_MIN: Span = Span::from_minutes(5);

/// What a party is to the others.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Role {
    /// Holds the contract with the client.
    Prime,
    /// Works for the prime.
    Sub,
    /// Stands beside the others.
    Peer,
}

/// One side of a partnership.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Party {
    /// Its identifier here, for ever the same.
    pub id: PartyId,
    /// The firm behind it, also once it left; `None` while it is a placeholder.
    pub firm: Option<FirmId>,
    /// Its name for people.
    pub display_name: String,
    /// What it is to the others.
    pub role: Role,
    /// When the firm joined.
    pub joined_at: Option<Timestamp>,
    /// When the firm left, if it did.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub left: Option<Departure>,
}

impl Party {
    /// A party that a firm is, since `joined_at`.
    #[must_use]
    pub fn joined(id: PartyId, firm: FirmId, name: &str, role: Role, joined_at: Timestamp) -> Self {
        Self {
            firm: Some(firm),
            joined_at: Some(joined_at),
            ..Self::placeholder(id, name, role)
        }
    }

    /// A party that no firm has joined as.
    #[must_use]
    pub fn placeholder(id: PartyId, name: &str, role: Role) -> Self {
        Self {
            id,
            firm: None,
            display_name: name.to_owned(),
            role,
            joined_at: None,
            left: None,
        }
    }

    /// Whether no firm has joined as it.
    #[must_use]
    pub const fn is_placeholder(&self) -> bool {
        self.firm.is_none()
    }

    /// Whether it is a firm that is there: it joined and has not left.
    #[must_use]
    pub const fn is_present(&self) -> bool {
        self.firm.is_some() && self.left.is_none()
    }
}

/// The end of a firm's time in a partnership that goes on without it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Departure {
    /// When.
    pub at: Timestamp,
    /// The entry that recorded it: the last one that the firm may read.
    pub sequence: u64,
    /// Why, as free text: a commitment.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reason: Option<Commitment>,
}

/// A further party that waits for the approval of the firms that are there.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ProposedParty {
    /// What its identifier will be; no other party ever gets it.
    pub id: PartyId,
    /// Its name for people.
    pub display_name: String,
    /// What it is to the others.
    pub role: Role,
    /// Who proposed it.
    pub proposer: PartyId,
    /// Who approved; the proposer is the first.
    pub approvals: Vec<Approval>,
}

/// An invitation that is out. The code itself is nowhere; its digest is.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Invitation {
    /// The placeholder whose place it is about.
    pub party: PartyId,
    /// The only firm that may use it; `None` for whoever has the code.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub firm: Option<FirmId>,
    /// SHA-256 of the code's secret, hexadecimal.
    pub digest: String,
    /// When it stops working.
    pub expires_at: Timestamp,
}

/// A firm was invited to take a placeholder's place.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct PartnerInvited {
    /// The invitation; an earlier one for the same placeholder stops working.
    pub invitation: Invitation,
}

/// A firm took a placeholder's place.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct PartyJoined {
    /// Which party it is from now on.
    pub party: PartyId,
    /// The firm.
    pub firm: FirmId,
    /// The firm's name for people.
    pub display_name: String,
}

/// A further party was proposed; the proposal carries its maker's approval.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct PartyProposed {
    /// By which party.
    pub proposer: PartyId,
    /// What its identifier will be.
    pub id: PartyId,
    /// Its name for people.
    pub display_name: String,
    /// What it is to the others.
    pub role: Role,
}

/// A party answered to the proposal of a further one.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct PartyAnswered {
    /// Which party.
    pub party: PartyId,
    /// Identifier of the party that was proposed.
    pub proposed: PartyId,
}

/// A firm left, and the others go on.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct PartyLeft {
    /// Which party.
    pub party: PartyId,
    /// Why, as free text: a commitment.
    pub reason: Option<Commitment>,
}

/// Whose matter something between two parties is. They may be one and the same.
#[derive(Clone, Copy, Debug)]
pub struct Concern<'record> {
    /// Who owes.
    pub obligor: &'record PartyId,
    /// To whom.
    pub beneficiary: &'record PartyId,
}

impl Concern<'_> {
    /// Whether it is about a party that no firm has joined as, so that firms can only assert it.
    #[must_use]
    pub fn is_asserted(&self, partnership: &Partnership) -> bool {
        let is_placeholder = |id| partnership.party(id).is_some_and(Party::is_placeholder);
        is_placeholder(self.obligor) || is_placeholder(self.beneficiary)
    }

    /// Whether `party` may answer for all to what `sender` said alone: the other one of the two
    /// may. Where that is nobody who is there, any other firm may.
    #[must_use]
    pub fn is_answered_by(
        &self,
        party: &PartyId,
        sender: &PartyId,
        partnership: &Partnership,
    ) -> bool {
        let is_there = |id: &PartyId| partnership.party(id).is_some_and(Party::is_present);
        let mut concerned = [self.obligor, self.beneficiary]
            .into_iter()
            .filter(|id| *id != sender && is_there(id))
            .peekable();
        party != sender && (concerned.peek().is_none() || concerned.any(|id| id == party))
    }
}

impl Partnership {
    /// Notes an invitation.
    pub(super) fn invite(&mut self, invitation: &Invitation) {
        self.invitations
            .retain(|other| other.party != invitation.party);
        self.invitations.push(invitation.clone());
        self.settle_state();
    }

    pub(super) fn propose_party(
        &mut self,
        proposed: &PartyProposed,
        recorded: &Recorded,
    ) -> Option<()> {
        self.parties_numbered += 1;
        self.proposed_parties.push(ProposedParty {
            id: proposed.id.clone(),
            display_name: proposed.display_name.clone(),
            role: proposed.role,
            proposer: proposed.proposer.clone(),
            approvals: Vec::new(),
        });
        self.approve_party(&proposed.proposer, &proposed.id, recorded)
    }

    /// A proposed party becomes a placeholder once every firm that is there approved it.
    pub(super) fn approve_party(
        &mut self,
        party: &PartyId,
        proposed: &PartyId,
        recorded: &Recorded,
    ) -> Option<()> {
        let mut waiting = self.proposed_parties.iter();
        let index = waiting.position(|waiting| waiting.id == *proposed)?;
        let approvals = &mut self.proposed_parties[index].approvals;
        Approval::of(party, recorded)?.add_to(approvals);
        let approvals = self.proposed_parties[index].approvals.as_slice();
        if self.is_approved_by_all(approvals) {
            let accepted = self.proposed_parties.remove(index);
            let name = &accepted.display_name;
            let party = Party::placeholder(accepted.id, name, accepted.role);
            self.parties.push(party);
        }
        Some(())
    }

    pub(super) fn decline_party(&mut self, proposed: &PartyId) {
        self.proposed_parties
            .retain(|waiting| waiting.id != *proposed);
    }

    /// Terms that one firm asserted alone become a proposal when another firm joins. What several
    /// firms agreed goes on meanwhile; the newcomer finds it as a proposal, unless another waits.
    pub(super) fn join(&mut self, joined: &PartyJoined, at: Timestamp) -> Option<()> {
        let was_alone = self.firms().count() == 1;
        let mut parties = self.parties.iter_mut();
        let party = parties.find(|party| party.id == joined.party)?;
        party.firm = Some(joined.firm.clone());
        party.display_name.clone_from(&joined.display_name);
        party.joined_at = Some(at);
        self.invitations
            .retain(|invitation| invitation.party != joined.party);
        self.settle_state();
        if self.proposed_terms.is_none() {
            self.proposed_terms.clone_from(&self.terms);
        }
        if was_alone {
            self.terms = None;
        }
        Some(())
    }

    pub(super) fn leave(&mut self, left: &PartyLeft, recorded: &Recorded) -> Option<()> {
        let mut parties = self.parties.iter_mut();
        let party = parties.find(|party| party.id == left.party)?;
        party.left = Some(Departure {
            at: recorded.at,
            sequence: recorded.sequence,
            reason: left.reason.clone(),
        });
        // What the leaver alone proposed goes with it.
        self.proposed_parties
            .retain(|waiting| waiting.proposer != left.party);
        self.settle_state();
        Some(())
    }
}
