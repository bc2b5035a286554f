//! Decisions on amendments.

use super::Ticket;
use super::TicketEvent;
use super::amendment::{
    AMENDMENTS_MAX, Amendment, AmendmentApproved, AmendmentContent, AmendmentProposed,
    AmendmentSettled, AmendmentState, DateAmendment, EXCLUSION_MAX, Exclusion,
};
use super::link::refuse_after_merge;
use super::revision::{Cause, with_revisions};
use super::tick::evaluate_ticket;
use crate::domain::command::Decision;
use crate::domain::commitment::Commitment;
use crate::domain::identity::FirmId;
use crate::domain::partnership::{Approval, Partnership, Party};
use crate::domain::record::{Event, Kind};
use crate::domain::refusal::{Reason, Refusal, Violations};
use crate::domain::sla::agreement::{Agreement, AgreementType};
use crate::domain::sla::in_force::{PinnedTerms, terms_in_force};
use crate::domain::time::{Span, Timestamp};
use crate::domain::world::{Stop, View};

/// Who asks.
#[derive(Clone, Copy, Debug)]
pub(super) struct Who<'world> {
    firm: &'world FirmId,
    party: &'world Party,
    partnership: &'world Partnership,
}

impl<'world> Who<'world> {
    pub(super) const fn new(
        firm: &'world FirmId,
        party: &'world Party,
        partnership: &'world Partnership,
    ) -> Self {
        Self {
            firm,
            party,
            partnership,
        }
    }

    /// How far an amendment of `ticket` comes once this party approves too: what concerns a party
    /// that no firm has joined as is only asserted.
    fn state_after(
        &self,
        amendment: &Amendment,
        ticket: &Ticket,
        view: &View<'_>,
    ) -> Result<AmendmentState, Stop> {
        let (partnership, own) = (self.partnership, &self.party.id);
        if !partnership.would_be_approved_by_all(&amendment.approvals, own) {
            return Ok(amendment.state());
        }
        let agreement = view.get::<Agreement>(&ticket.agreement)?;
        Ok(if agreement.content.concern().is_asserted(partnership) {
            AmendmentState::Asserted
        } else {
            AmendmentState::Agreed
        })
    }
}

/// What a firm says to an amendment.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum AmendmentVerb {
    /// It approves.
    Approve,
    /// It turns another firm's proposal down.
    Decline(Option<Commitment>),
    /// It takes its own proposal back.
    Withdraw(Option<Commitment>),
}

/// Which amendment a firm answers to, and how.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AmendmentAnswer {
    /// The ticket.
    pub ticket: String,
    /// The amendment's id within the ticket.
    pub amendment: String,
    /// What the firm says.
    pub verb: AmendmentVerb,
}

/// Proposes to agree something; what needs nobody else counts at once.
pub(super) fn propose(
    id: &str,
    content: &AmendmentContent,
    who: &Who<'_>,
    view: &View<'_>,
) -> Result<Decision, Stop> {
    let ticket = view.get::<Ticket>(id)?;
    refuse_after_merge(ticket, None, view)?;
    let decision = Decision::about(Kind::Ticket, id);
    let content = match content {
        AmendmentContent::AgreedDate(date) => {
            check_date(date, ticket, view)?;
            content.clone()
        }
        AmendmentContent::Exclusion(exclusion) => {
            check_exclusion(exclusion, who.partnership)?;
            content.clone()
        }
        AmendmentContent::Agreement(terms) => {
            match another_agreement(&terms.agreement, ticket, view)? {
                Some(terms) => AmendmentContent::Agreement(terms),
                None => return Ok(decision),
            }
        }
    };
    if ticket.amendments.len() >= AMENDMENTS_MAX {
        return Err(Refusal::limit("amendments_per_ticket", AMENDMENTS_MAX).into());
    }
    let state = if who.partnership.is_alone() {
        AmendmentState::Asserted
    } else if is_covered(&content, ticket, who.partnership, view)? {
        AmendmentState::Agreed
    } else {
        AmendmentState::Proposed
    };
    let amendment = (ticket.amendments.len() + 1).to_string();
    let event = |due_at| {
        TicketEvent::AmendmentProposed(AmendmentProposed {
            amendment: amendment.clone(),
            proposer: who.party.id.clone(),
            content: content.clone(),
            state,
            due_at,
        })
    };
    let moves = state.is_in_force();
    decided(id, ticket, &amendment, moves, event, who, view)
}

/// The events of a change of an amendment, with what follows if it moves the ticket's clocks.
fn decided(
    id: &str,
    ticket: &Ticket,
    amendment: &str,
    moves: bool,
    event: impl Fn(Option<Timestamp>) -> TicketEvent,
    who: &Who<'_>,
    view: &View<'_>,
) -> Result<Decision, Stop> {
    let events = if moves {
        let cause = Cause::Amendment(amendment.to_owned());
        with_revisions(ticket, &cause, who.firm, event, view)?
    } else {
        vec![event(ticket.due_at)]
    };
    let decision = Decision::about(Kind::Ticket, id);
    Ok(events.into_iter().fold(decision, |decision, event| {
        decision.event(Event::new(id, event))
    }))
}

fn check_date(date: &DateAmendment, ticket: &Ticket, view: &View<'_>) -> Result<(), Stop> {
    let Some(due_at) = date.due_at else {
        return Ok(());
    };
    let mut violations = Violations::default();
    let field = "amendment.agreed_date.due_time";
    let storable = due_at.is_storable();
    violations.require(storable, field, "between the years 2000 and 2099");
    if storable && !ticket.facts.is_empty() {
        let evaluations = evaluate_ticket(ticket, view.now, view)?;
        let opened_at = evaluations
            .first()
            .map(|evaluated| evaluated.evaluation.opened_at);
        let fits = opened_at.is_none_or(|opened_at| due_at >= opened_at);
        violations.require(fits, field, "not before the ticket was opened");
    }
    Ok(violations.finish()?)
}

fn check_exclusion(exclusion: &Exclusion, partnership: &Partnership) -> Result<(), Refusal> {
    let mut violations = Violations::default();
    let mut storable = true;
    for (field, at) in [("start_time", exclusion.from), ("end_time", exclusion.to)] {
        let field = format!("amendment.exclusion.{field}");
        violations.require(at.is_storable(), &field, "between the years 2000 and 2099");
        storable &= at.is_storable();
    }
    if storable {
        let length = exclusion.to.since(exclusion.from);
        let sensible = length > Span::ZERO && length <= EXCLUSION_MAX;
        let rule = "later than the beginning by at most 366 days";
        violations.require(sensible, "amendment.exclusion.end_time", rule);
    }
    if let Some(class) = &exclusion.class {
        let known = partnership.exclusion_class(class).is_some();
        let field = "amendment.exclusion.class_id";
        violations.require(known, field, "no such class in the terms in force");
    }
    violations.finish()
}

/// Whether the terms let one firm alone say so: it is of a class that has room for it, and the firms
/// whose ticket it is approved those terms. Overlapping stretches count each for itself.
fn is_covered(
    content: &AmendmentContent,
    ticket: &Ticket,
    partnership: &Partnership,
    view: &View<'_>,
) -> Result<bool, Stop> {
    let AmendmentContent::Exclusion(exclusion) = content else {
        return Ok(false);
    };
    let class = exclusion.class.as_deref();
    let Some(class) = class.and_then(|class| partnership.exclusion_class(class)) else {
        return Ok(false);
    };
    let agreement = view.get::<Agreement>(&ticket.agreement)?;
    let concern = agreement.content.concern();
    if !partnership.is_bound(concern.obligor) || !partnership.is_bound(concern.beneficiary) {
        return Ok(false);
    }
    let lengths = ticket.amendments.iter().filter_map(|amendment| {
        let AmendmentContent::Exclusion(other) = &amendment.content else {
            return None;
        };
        let of_class =
            amendment.is_by_one_word() && other.class.as_deref() == Some(class.id.as_str());
        of_class.then(|| other.to.since(other.from))
    });
    let used = lengths.fold(Span::ZERO, Span::saturating_add);
    Ok(used.saturating_add(exclusion.to.since(exclusion.from)) <= class.longest)
}

/// The terms that the ticket would come under; `None` if it is under them already.
fn another_agreement(
    id: &str,
    ticket: &Ticket,
    view: &View<'_>,
) -> Result<Option<PinnedTerms>, Stop> {
    let field = "amendment.agreement";
    let not_active = || {
        Refusal::field(
            Reason::AgreementNotActive,
            field,
            "no such agreement in force",
        )
    };
    let agreement = view.find::<Agreement>(id)?.ok_or_else(not_active)?;
    let reciprocal = agreement.content.agreement_type == AgreementType::Reciprocal;
    if reciprocal || !agreement.state.is_in_force() {
        return Err(not_active().into());
    }
    let in_force = terms_in_force(ticket, view)?;
    let current = in_force.first().map(|terms| terms.at(view.now));
    if let Some(current) = current {
        if current.terms.agreement == id && current.terms.revision == agreement.revision {
            return Ok(None);
        }
        if current.content.obligor != agreement.content.obligor {
            let described = "another party owes by it than by the ticket's agreement";
            return Err(Refusal::field(Reason::InvalidField, field, described).into());
        }
    }
    Ok(Some(PinnedTerms {
        agreement: id.to_owned(),
        revision: agreement.revision,
    }))
}

/// Decides what a firm says to an amendment.
pub(super) fn answer_amendment(
    answer: &AmendmentAnswer,
    who: &Who<'_>,
    view: &View<'_>,
) -> Result<Decision, Stop> {
    let ticket = view.get::<Ticket>(&answer.ticket)?;
    let missing = || Refusal::not_found("amendment");
    let amendment = ticket.amendment(&answer.amendment).ok_or_else(missing)?;
    match &answer.verb {
        AmendmentVerb::Approve => approve(&answer.ticket, ticket, amendment, who, view),
        AmendmentVerb::Decline(reason) => {
            let ended = AmendmentState::Declined;
            settle(
                &answer.ticket,
                ticket,
                amendment,
                (ended, reason),
                who,
                view,
            )
        }
        AmendmentVerb::Withdraw(reason) => {
            let ended = AmendmentState::Withdrawn;
            settle(
                &answer.ticket,
                ticket,
                amendment,
                (ended, reason),
                who,
                view,
            )
        }
    }
}

fn approve(
    id: &str,
    ticket: &Ticket,
    amendment: &Amendment,
    who: &Who<'_>,
    view: &View<'_>,
) -> Result<Decision, Stop> {
    let state = amendment.state();
    if matches!(state, AmendmentState::Declined | AmendmentState::Withdrawn) {
        return Err(Refusal::invalid_state(state.as_str(), "ApproveAmendment").into());
    }
    let next = who.state_after(amendment, ticket, view)?;
    // Whoever approved may say so again, once the last one that had not has left.
    let is_known = Approval::is_among(&amendment.approvals, &who.party.id);
    if is_known && (state != AmendmentState::Proposed || next == state) {
        return Ok(Decision::about(Kind::Ticket, id));
    }
    refuse_after_merge(ticket, None, view)?;
    if next.is_in_force()
        && !state.is_in_force()
        && let AmendmentContent::Agreement(terms) = &amendment.content
    {
        let agreement = view.get::<Agreement>(&terms.agreement)?;
        if !agreement.state.is_in_force() {
            let described = "the agreement has ended";
            let refusal = Refusal::new(Reason::AgreementNotActive, described);
            return Err(refusal.with("agreement", &terms.agreement).into());
        }
    }
    let event = |due_at| {
        TicketEvent::AmendmentApproved(AmendmentApproved {
            amendment: amendment.id.clone(),
            party: who.party.id.clone(),
            state: next,
            due_at,
        })
    };
    let moves = next.is_in_force() && !state.is_in_force();
    decided(id, ticket, &amendment.id, moves, event, who, view)
}

/// Declines or withdraws. What was agreed by every firm stays; what one firm put in force alone can
/// be taken back by it, and what it asserted can be turned down by the others.
fn settle(
    id: &str,
    ticket: &Ticket,
    amendment: &Amendment,
    (ended, reason): (AmendmentState, &Option<Commitment>),
    who: &Who<'_>,
    view: &View<'_>,
) -> Result<Decision, Stop> {
    let withdraws = ended == AmendmentState::Withdrawn;
    let is_own = amendment.proposer == who.party.id;
    if withdraws != is_own {
        let described = if withdraws {
            "another firm proposed it: decline it"
        } else {
            "it is the firm's own proposal: withdraw it"
        };
        let refusal = Refusal::new(Reason::NotYourOffer, described);
        return Err(refusal.with("amendment_id", &amendment.id).into());
    }
    let state = amendment.state();
    if state == ended {
        return Ok(Decision::about(Kind::Ticket, id));
    }
    let possible = match state {
        AmendmentState::Proposed | AmendmentState::Asserted => true,
        AmendmentState::Agreed => withdraws && amendment.is_by_one_word(),
        AmendmentState::Declined | AmendmentState::Withdrawn => false,
    };
    if !possible {
        let action = if withdraws {
            "WithdrawAmendment"
        } else {
            "DeclineAmendment"
        };
        return Err(Refusal::invalid_state(state.as_str(), action).into());
    }
    refuse_after_merge(ticket, None, view)?;
    let event = |due_at| {
        let settled = AmendmentSettled {
            amendment: amendment.id.clone(),
            party: who.party.id.clone(),
            reason: reason.clone(),
            due_at,
        };
        if withdraws {
            TicketEvent::AmendmentWithdrawn(settled)
        } else {
            TicketEvent::AmendmentDeclined(settled)
        }
    };
    decided(
        id,
        ticket,
        &amendment.id,
        state.is_in_force(),
        event,
        who,
        view,
    )
}
