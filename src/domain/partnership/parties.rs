//! Decisions on who belongs to a partnership: proposing, inviting, joining, leaving.

use super::decide::event;
use super::{
    Approval, INVITATION_VALIDITY_MAX, INVITATION_VALIDITY_MIN, Invitation, PARTIES_MAX,
    PartnerInvited, Partnership, PartnershipEvent, Party, PartyAnswered, PartyJoined, PartyLeft,
    PartyProposed, Role, as_active_party, as_party, require_active,
};
use crate::domain::carry::{CarriedAction, CarryEvent, CarryRequested};
use crate::domain::command::Decision;
use crate::domain::commitment::Commitment;
use crate::domain::identity::{FirmId, PartyId};
use crate::domain::record::Event;
use crate::domain::refusal::{Reason, Refusal, Violations};
use crate::domain::text::require_display_name;
use crate::domain::time::Span;
use crate::domain::world::{Stop, View};

/// The fewest firms that a partnership goes on with when one leaves.
const FIRMS_LEFT_MIN: usize = 2;

/// What a firm says to the proposal of a further party.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum PartyAnswer {
    /// It approves.
    Approve,
    /// It turns the proposal down, or takes its own back.
    Decline,
}

/// An invitation as it is asked for.
pub(super) struct Asked<'command> {
    pub(super) party: Option<&'command PartyId>,
    pub(super) invited: Option<&'command FirmId>,
    pub(super) digest: &'command str,
    pub(super) validity: Span,
}

pub(super) fn propose(
    display_name: &str,
    role: Role,
    firm: &FirmId,
    about: Decision,
    view: &View<'_>,
) -> Result<Decision, Stop> {
    let (partnership, party) = as_active_party(firm, view)?;
    let mut violations = Violations::default();
    require_display_name(&mut violations, "display_name", display_name);
    violations.finish()?;
    if partnership.parties.len() + partnership.proposed_parties.len() >= PARTIES_MAX {
        return Err(Refusal::limit("parties", PARTIES_MAX).into());
    }
    let proposed = PartyProposed {
        proposer: party.id.clone(),
        id: PartyId::numbered(partnership.parties_numbered + 1),
        display_name: display_name.to_owned(),
        role,
    };
    Ok(about.event(event(view, PartnershipEvent::PartyProposed(proposed))))
}

pub(super) fn answer(
    proposed: &PartyId,
    answer: PartyAnswer,
    firm: &FirmId,
    about: Decision,
    view: &View<'_>,
) -> Result<Decision, Stop> {
    let (partnership, party) = as_active_party(firm, view)?;
    let mut waiting = partnership.proposed_parties.iter();
    let found = waiting.find(|waiting| waiting.id == *proposed);
    let Some(found) = found else {
        return match (partnership.party(proposed), answer) {
            (Some(_), PartyAnswer::Approve) => Ok(about),
            (Some(_), PartyAnswer::Decline) => {
                Err(Refusal::invalid_state("approved", "DeclineParty").into())
            }
            // Ids are not used again, so it was declined before.
            (None, PartyAnswer::Decline) if was_numbered(partnership, proposed) => Ok(about),
            (None, _) => Err(Refusal::not_found("party").into()),
        };
    };
    let answered = PartyAnswered {
        party: party.id.clone(),
        proposed: proposed.clone(),
    };
    let happened = match answer {
        PartyAnswer::Decline => PartnershipEvent::PartyDeclined(answered),
        // Whoever approved may say so again, once the last one that had not has left.
        PartyAnswer::Approve
            if Approval::is_among(&found.approvals, &party.id)
                && !partnership.is_approved_by_all(&found.approvals) =>
        {
            return Ok(about);
        }
        PartyAnswer::Approve => PartnershipEvent::PartyApproved(answered),
    };
    Ok(about.event(event(view, happened)))
}

fn was_numbered(partnership: &Partnership, id: &PartyId) -> bool {
    (1..=partnership.parties_numbered).any(|number| PartyId::numbered(number) == *id)
}

pub(super) fn invite(
    asked: &Asked<'_>,
    firm: &FirmId,
    about: Decision,
    view: &View<'_>,
) -> Result<Decision, Stop> {
    let (partnership, _) = as_active_party(firm, view)?;
    if !partnership.parties.iter().any(Party::is_placeholder) && asked.party.is_none() {
        let state = partnership.state.as_str();
        return Err(Refusal::invalid_state(state, "InvitePartner").into());
    }
    let mut violations = Violations::default();
    let valid = (INVITATION_VALIDITY_MIN..=INVITATION_VALIDITY_MAX).contains(&asked.validity);
    violations.require(valid, "validity", "between 5 minutes and 90 days");
    let placeholder = violations.take(placeholder(asked.party, partnership));
    violations.finish()?;
    let missing = || Refusal::new(Reason::Internal, "a violation was lost");
    let placeholder = placeholder.ok_or_else(missing)?;
    let invitation = Invitation {
        party: placeholder.id.clone(),
        firm: asked.invited.cloned(),
        digest: asked.digest.to_owned(),
        expires_at: view.now.saturating_add(asked.validity),
    };
    let invited = PartnerInvited { invitation };
    Ok(about.event(event(view, PartnershipEvent::Invited(invited))))
}

/// The placeholder that is named, or the only one.
fn placeholder<'world>(
    named: Option<&PartyId>,
    partnership: &'world Partnership,
) -> Result<&'world Party, Refusal> {
    let mut placeholders = partnership
        .parties
        .iter()
        .filter(|party| party.is_placeholder());
    let wrong = |why| Refusal::field(Reason::InvalidField, "party_id", why);
    if let Some(named) = named {
        let found = placeholders.find(|party| party.id == *named);
        let why = "must be a party that no firm has joined as";
        return found.ok_or_else(|| wrong(why));
    }
    match (placeholders.next(), placeholders.next()) {
        (Some(only), None) => Ok(only),
        _ => Err(wrong("must be given where there are several placeholders")),
    }
}

/// A wrong code, a used one and one for no partnership at all are answered alike.
pub(super) fn join(
    digest: &str,
    display_name: &str,
    firm: &FirmId,
    about: Decision,
    view: &View<'_>,
) -> Result<Decision, Stop> {
    let invalid = || {
        let message = "the code is wrong, used or expired";
        Refusal::new(Reason::InvitationInvalid, message)
    };
    let partnership = view
        .find::<Partnership>(view.scope.id())?
        .ok_or_else(invalid)?;
    let mut invitations = partnership.invitations.iter();
    let invitation = invitations
        .find(|invitation| invitation.digest == digest && invitation.expires_at > view.now)
        .ok_or_else(invalid)?;
    require_active(partnership, view.now)?;
    if partnership.party_of(firm).is_some_and(Party::is_present) {
        let message = "the firm is a party of this partnership";
        return Err(Refusal::new(Reason::AlreadyAParty, message).into());
    }
    // Who is meant is nobody else's business, so it is not told.
    if invitation
        .firm
        .as_ref()
        .is_some_and(|invited| invited != firm)
    {
        let message = "the invitation is for another firm";
        return Err(Refusal::new(Reason::InvitationForAnotherFirm, message).into());
    }
    let mut violations = Violations::default();
    require_display_name(&mut violations, "display_name", display_name);
    violations.finish()?;
    let joined = PartyJoined {
        party: invitation.party.clone(),
        firm: firm.clone(),
        display_name: display_name.to_owned(),
    };
    let carry = CarryRequested {
        target: firm.scope(),
        action: CarriedAction::RecordMembership {
            firm: firm.clone(),
            partnership: view.scope.id().to_owned(),
            party: invitation.party.clone(),
        },
    };
    Ok(about
        .event(event(view, PartnershipEvent::Joined(joined)))
        .event(Event::new(view.new_id(0), CarryEvent::Requested(carry))))
}

/// A firm goes, and two at least go on; where only one would be left, that is the end.
pub(super) fn leave(
    reason: Option<&Commitment>,
    firm: &FirmId,
    about: Decision,
    view: &View<'_>,
) -> Result<Decision, Stop> {
    let (partnership, party) = as_party(firm, view)?;
    if party.left.is_some() {
        return Ok(about);
    }
    require_active(partnership, view.now)?;
    if partnership.firms().count() <= FIRMS_LEFT_MIN {
        let message = "fewer than two firms would be left: end the partnership instead";
        return Err(Refusal::new(Reason::InvalidState, message)
            .with("state", partnership.state.as_str())
            .with("action", "LeavePartnership")
            .into());
    }
    let left = PartyLeft {
        party: party.id.clone(),
        reason: reason.cloned(),
    };
    Ok(about.event(event(view, PartnershipEvent::Left(left))))
}
