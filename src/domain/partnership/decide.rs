//! Decisions on a partnership.

use super::terms::{TermsApproved, TermsContent, TermsProposed};
use super::{
    Approval, INVITATION_VALIDITY_MAX, INVITATION_VALIDITY_MIN, Invitation, PartnerInvited,
    Partnership, PartnershipCreated, PartnershipEnded, PartnershipEvent, PartnershipOpening,
    PartnershipState, Party, PartyJoined, as_active_party, as_party,
};
use crate::domain::carry::{CarriedAction, CarryEvent, CarryRequested};
use crate::domain::command::Decision;
use crate::domain::commitment::Commitment;
use crate::domain::identity::{FirmId, PartyId};
use crate::domain::record::{Event, Kind};
use crate::domain::refusal::{Reason, Refusal, Violations};
use crate::domain::text::require_display_name;
use crate::domain::time::Span;
use crate::domain::world::{Stop, View};

/// What can be asked of a partnership.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum PartnershipCommand {
    /// Carried: the partnership's own scope begins.
    Create(PartnershipOpening),
    /// Invites a firm to take the placeholder's place; an earlier invitation stops working.
    Invite {
        /// SHA-256 of the code's secret, hexadecimal.
        digest: String,
        /// How long it is valid.
        validity: Span,
    },
    /// Takes the placeholder's place.
    Join {
        /// SHA-256 of the secret that was shown, hexadecimal.
        digest: String,
        /// The firm's name for people.
        display_name: String,
    },
    /// Proposes terms; an earlier proposal is replaced.
    ProposeTerms(TermsContent),
    /// Approves the proposed terms.
    ApproveTerms {
        /// The hash of what the caller saw.
        hash: String,
    },
    /// Ends the partnership; ending it again changes nothing.
    End {
        /// Why, as free text.
        reason: Option<Commitment>,
    },
}

/// Decides a command on a partnership.
///
/// # Errors
/// A refusal, or what has to be loaded first.
pub fn decide(
    command: &PartnershipCommand,
    firm: &FirmId,
    view: &View<'_>,
) -> Result<Decision, Stop> {
    let about = Decision::about(Kind::Partnership, view.scope.id());
    match command {
        PartnershipCommand::Create(opening) => create(opening, firm, about, view),
        PartnershipCommand::Invite { digest, validity } => {
            invite(digest, *validity, firm, about, view)
        }
        PartnershipCommand::Join {
            digest,
            display_name,
        } => join(digest, display_name, firm, about, view),
        PartnershipCommand::ProposeTerms(content) => propose_terms(content, firm, about, view),
        PartnershipCommand::ApproveTerms { hash } => approve_terms(hash, firm, about, view),
        PartnershipCommand::End { reason } => end(reason.as_ref(), firm, about, view),
    }
}

fn event(view: &View<'_>, event: PartnershipEvent) -> Event {
    Event::new(view.scope.id(), event)
}

fn create(
    opening: &PartnershipOpening,
    firm: &FirmId,
    about: Decision,
    view: &View<'_>,
) -> Result<Decision, Stop> {
    if view.find::<Partnership>(view.scope.id())?.is_some() {
        return Ok(about);
    }
    let parties = vec![
        Party {
            id: PartyId::numbered(1),
            firm: Some(firm.clone()),
            display_name: opening.firm_display_name.clone(),
            role: opening.role,
            joined_at: Some(view.now),
        },
        Party {
            id: PartyId::numbered(2),
            firm: None,
            display_name: opening.partner_display_name.clone(),
            role: opening.partner_role,
            joined_at: None,
        },
    ];
    let created = PartnershipCreated {
        display_name: opening.display_name.clone(),
        parties,
    };
    Ok(about.event(event(view, PartnershipEvent::Created(created))))
}

fn invite(
    digest: &str,
    validity: Span,
    firm: &FirmId,
    about: Decision,
    view: &View<'_>,
) -> Result<Decision, Stop> {
    let (partnership, _) = as_active_party(firm, view)?;
    if !partnership.has_placeholder() {
        return Err(Refusal::invalid_state(partnership.state.as_str(), "InvitePartner").into());
    }
    let mut violations = Violations::default();
    let valid = (INVITATION_VALIDITY_MIN..=INVITATION_VALIDITY_MAX).contains(&validity);
    violations.require(valid, "validity", "between 5 minutes and 90 days");
    violations.finish()?;
    let invitation = Invitation {
        digest: digest.to_owned(),
        expires_at: view.now.saturating_add(validity),
    };
    Ok(about.event(event(
        view,
        PartnershipEvent::Invited(PartnerInvited { invitation }),
    )))
}

/// A wrong code, a used one and one for no partnership at all are answered alike.
fn join(
    digest: &str,
    display_name: &str,
    firm: &FirmId,
    about: Decision,
    view: &View<'_>,
) -> Result<Decision, Stop> {
    let invalid = || {
        Refusal::new(
            Reason::InvitationInvalid,
            "the code is wrong, used or expired",
        )
    };
    let partnership = view
        .find::<Partnership>(view.scope.id())?
        .ok_or_else(invalid)?;
    let invitation = partnership.invitation.as_ref().ok_or_else(invalid)?;
    if invitation.digest != digest || invitation.expires_at <= view.now {
        return Err(invalid().into());
    }
    if partnership.party_of(firm).is_some() {
        return Err(Refusal::new(
            Reason::AlreadyAParty,
            "the firm is a party of this partnership",
        )
        .into());
    }
    let mut violations = Violations::default();
    require_display_name(&mut violations, "display_name", display_name);
    violations.finish()?;
    let placeholder = partnership
        .parties
        .iter()
        .find(|party| party.firm.is_none())
        .ok_or_else(invalid)?;
    let joined = PartyJoined {
        party: placeholder.id.clone(),
        firm: firm.clone(),
        display_name: display_name.to_owned(),
    };
    let carry = CarryRequested {
        target: firm.scope(),
        action: CarriedAction::RecordMembership {
            firm: firm.clone(),
            partnership: view.scope.id().to_owned(),
            party: placeholder.id.clone(),
        },
    };
    Ok(about
        .event(event(view, PartnershipEvent::Joined(joined)))
        .event(Event::new(view.new_id(0), CarryEvent::Requested(carry))))
}

fn propose_terms(
    content: &TermsContent,
    firm: &FirmId,
    about: Decision,
    view: &View<'_>,
) -> Result<Decision, Stop> {
    let (partnership, party) = as_active_party(firm, view)?;
    content.check(partnership)?;
    let proposed = TermsProposed::new(party.id.clone(), content.clone());
    Ok(about.event(event(view, PartnershipEvent::TermsProposed(proposed))))
}

fn approve_terms(
    hash: &str,
    firm: &FirmId,
    about: Decision,
    view: &View<'_>,
) -> Result<Decision, Stop> {
    let (partnership, party) = as_active_party(firm, view)?;
    approve_terms_as(hash, partnership, party, about, view)
}

/// Approves terms as `party`: those that are proposed or, for the guest of a placeholder, those that
/// one firm put in force alone.
///
/// # Errors
/// A refusal, or what has to be loaded first.
pub fn approve_terms_as(
    hash: &str,
    partnership: &Partnership,
    party: &Party,
    about: Decision,
    view: &View<'_>,
) -> Result<Decision, Stop> {
    let asserted = partnership.terms.as_ref();
    let asserted = asserted.filter(|_| party.firm.is_none());
    let Some(proposed) = partnership.proposed_terms.as_ref().or(asserted) else {
        return Err(Refusal::invalid_state("no terms proposed", "ApproveTerms").into());
    };
    if proposed.hash != hash {
        return Err(
            Refusal::new(Reason::StaleHash, "other terms are proposed by now")
                .with("hash", &proposed.hash)
                .into(),
        );
    }
    if Approval::is_among(&proposed.approvals, &party.id) {
        return Ok(about);
    }
    let approved = TermsApproved {
        party: party.id.clone(),
        hash: hash.to_owned(),
    };
    Ok(about.event(event(view, PartnershipEvent::TermsApproved(approved))))
}

fn end(
    reason: Option<&Commitment>,
    firm: &FirmId,
    about: Decision,
    view: &View<'_>,
) -> Result<Decision, Stop> {
    let (partnership, _) = as_party(firm, view)?;
    if partnership.state == PartnershipState::Ended {
        return Ok(about);
    }
    let ended = PartnershipEnded {
        reason: reason.cloned(),
    };
    Ok(about.event(event(view, PartnershipEvent::Ended(ended))))
}
