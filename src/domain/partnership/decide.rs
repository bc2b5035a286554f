//! Decisions on a partnership.

use super::ending::{self, EndAsked};
use super::parties::{self, PartyAnswer};
use super::revisions::{
    TermsRevision, TermsRevisionApproved, TermsRevisionEvent, TermsRevisionProposed,
};
use super::terms::{TermsApproved, TermsContent, TermsProposed};
use super::{
    Approval, Partnership, PartnershipCreated, PartnershipEvent, PartnershipOpening, Party, Role,
    as_active_party,
};
use crate::domain::command::Decision;
use crate::domain::commitment::Commitment;
use crate::domain::identity::{FirmId, PartyId};
use crate::domain::record::{Event, Kind};
use crate::domain::refusal::{Reason, Refusal};
use crate::domain::time::Span;
use crate::domain::world::{Stop, View};

/// What can be asked of a partnership.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum PartnershipCommand {
    /// Carried: the partnership's own scope begins.
    Create(PartnershipOpening),
    /// Proposes a further party; alone in its partnership, a firm has it at once.
    ProposeParty {
        /// Its name for people.
        display_name: String,
        /// What it is to the others.
        role: Role,
    },
    /// Answers to the proposal of a further party.
    AnswerParty {
        /// Which party is proposed.
        party: PartyId,
        /// What the caller says.
        answer: PartyAnswer,
    },
    /// Leaves a partnership in which two firms remain; leaving again changes nothing.
    Leave {
        /// Why, as free text.
        reason: Option<Commitment>,
    },
    /// Invites a firm to take a placeholder's place; an earlier invitation for it stops working.
    Invite {
        /// Which placeholder; `None` for the only one.
        party: Option<PartyId>,
        /// The only firm that may use the invitation; `None` for whoever has the code.
        invited: Option<FirmId>,
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
    End(EndAsked),
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
        PartnershipCommand::ProposeParty { display_name, role } => {
            parties::propose(display_name, *role, firm, about, view)
        }
        PartnershipCommand::AnswerParty { party, answer } => {
            parties::answer(party, *answer, firm, about, view)
        }
        PartnershipCommand::Leave { reason } => parties::leave(reason.as_ref(), firm, about, view),
        PartnershipCommand::Invite {
            party,
            invited,
            digest,
            validity,
        } => {
            let asked = parties::Asked {
                party: party.as_ref(),
                invited: invited.as_ref(),
                digest,
                validity: *validity,
            };
            parties::invite(&asked, firm, about, view)
        }
        PartnershipCommand::Join {
            digest,
            display_name,
        } => parties::join(digest, display_name, firm, about, view),
        PartnershipCommand::ProposeTerms(content) => propose_terms(content, firm, about, view),
        PartnershipCommand::ApproveTerms { hash } => approve_terms(hash, firm, about, view),
        PartnershipCommand::End(asked) => ending::end(asked, firm, about, view),
    }
}

pub(super) fn event(view: &View<'_>, event: PartnershipEvent) -> Event {
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
    let (own, other) = (PartyId::numbered(1), PartyId::numbered(2));
    let name = &opening.firm_display_name;
    let parties = vec![
        Party::joined(own, firm.clone(), name, opening.role, view.now),
        Party::placeholder(other, &opening.partner_display_name, opening.partner_role),
    ];
    let created = PartnershipCreated {
        display_name: opening.display_name.clone(),
        parties,
    };
    Ok(about.event(event(view, PartnershipEvent::Created(created))))
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
    let revision = partnership.terms_revisions + 1;
    let kept = TermsRevisionProposed {
        revision,
        proposed: proposed.clone(),
        is_in_force: partnership.is_alone(),
    };
    let id = TermsRevision::id_of(revision);
    if view.find::<TermsRevision>(&id)?.is_some() {
        return Err(Refusal::new(Reason::Internal, "a revision of terms is there already").into());
    }
    let kept = Event::new(id, TermsRevisionEvent::Proposed(kept));
    let proposed = PartnershipEvent::TermsProposed(proposed);
    Ok(about.event(kept).event(event(view, proposed)))
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
    // Whoever approved may say so again, once the last one that had not has left.
    let is_known = Approval::is_among(&proposed.approvals, &party.id);
    if is_known && !partnership.is_approved_by_all(&proposed.approvals) {
        return Ok(about);
    }
    let approved = TermsApproved {
        party: party.id.clone(),
        hash: hash.to_owned(),
    };
    let kept = TermsRevisionApproved {
        approved: approved.clone(),
        is_in_force: partnership.would_be_approved_by_all(&proposed.approvals, &party.id),
    };
    let id = TermsRevision::id_of(proposed.revision);
    view.get::<TermsRevision>(&id)?;
    let kept = Event::new(id, TermsRevisionEvent::Approved(kept));
    let approved = PartnershipEvent::TermsApproved(approved);
    Ok(about.event(kept).event(event(view, approved)))
}
