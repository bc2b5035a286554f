//! Decisions on a joint quote.

use super::blind::{self, Blind, is_blind};
use super::clauses::refuse_broken;
use super::disclosure::{consent, withdraw_consent};
use super::evaluation::{evaluate, evaluation_hash, require_counted, require_fresh};
use super::fractions::{carried, refuse_stale};
use super::funding::VendorMoney;
use super::portions::{NewPortion, NewQuote, add_portion, create};
use super::proposal::{NewConcession, Proposal};
use super::signature::{approve_signed, sign};
use super::split::{ConcessionSplit, RevisionPlace};
use super::standing::agreed_beforehand;
use super::update::{QuoteChanges, update};
use super::{
    ALLOCATION_LINES_MAX, ConcessionApproved, ConcessionExpired, ConcessionProposed,
    ConcessionRejected, ConcessionRevision, ConcessionWithdrawn, JointQuote, JointQuoteEvent,
    Portion, QuoteExpired, QuoteState, REVISIONS_MAX, RevisionState,
};
use crate::domain::command::Decision;
use crate::domain::commitment::Commitment;
use crate::domain::identity::{ExternalReference, FirmId, PartyId};
use crate::domain::partnership::{Partnership, Party, as_active_party};
use crate::domain::pricing::money::Currency;
use crate::domain::record::{Event, Kind};
use crate::domain::refusal::{Reason, Refusal};
use crate::domain::signing::Signed;
use crate::domain::time::Timestamp;
use crate::domain::world::{Stop, View};

/// What can be asked of joint quotes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum QuoteCommand {
    /// Creates a quote with its first portions.
    Create {
        /// An identifier that the caller chose; otherwise one is made.
        id: Option<String>,
        /// Its name for people.
        display_name: String,
        /// The client, which must exist.
        client: Option<String>,
        /// The currency of every amount in it.
        currency: Currency,
        /// From when on it no longer stands; in the future.
        expires_at: Timestamp,
        /// The caller's own portions and those of placeholders, in any order; up to
        /// [`super::PORTIONS_MAX`].
        portions: Vec<NewPortion>,
        /// What vendors would pay of a concession.
        vendor_funds: Vec<VendorMoney>,
        /// Its id in the firm's own software.
        references: Option<ExternalReference>,
    },
    /// Changes what changes no money: no division is touched by it.
    Update {
        /// Which quote.
        id: String,
        /// What changes.
        changes: QuoteChanges,
    },
    /// Adds a portion, the caller's own or a placeholder's; an open proposal is superseded, because
    /// it does not divide the whole any more. Refused while a concession is in force.
    AddPortion {
        /// Which quote.
        id: String,
        /// The portion.
        portion: NewPortion,
    },
    /// Proposes a concession, divided at once and approved by its proposer; an open proposal is
    /// superseded.
    ProposeConcession {
        /// Which quote.
        id: String,
        /// What is proposed. No amount is larger than the sum of the prices that it is taken from,
        /// whatever its sign. Nothing at all only takes back what is in force.
        concession: NewConcession,
        /// What the API adds; nothing, unless it is divided by costs or cites an evaluation.
        extras: Extras,
    },
    /// Counts alternatives that are evaluated side by side; the API shows what comes of them.
    EvaluateConcession {
        /// Which quote.
        id: String,
        /// The alternatives: 1 to [`super::evaluation::ALTERNATIVES_MAX`].
        alternatives: Vec<NewConcession>,
    },
    /// Consents to what divisions by costs tell the other party; again changes nothing.
    ConsentToDisclosure {
        /// Which quote.
        id: String,
    },
    /// Takes that back, as long as it was not used.
    WithdrawDisclosureConsent {
        /// Which quote.
        id: String,
    },
    /// Approves the open revision; approving it again changes nothing.
    ApproveConcession {
        /// Which quote.
        id: String,
        /// The hash of what the caller saw.
        hash: String,
    },
    /// Approves the open revision and signs that.
    ApproveSigned {
        /// Which quote.
        id: String,
        /// The hash of what the caller saw.
        hash: String,
        /// The signature over [`super::signature::approval_message`].
        signed: Signed,
    },
    /// Adds a signature to an approval that was given before, of any revision; adding it again changes
    /// nothing.
    SignConcession {
        /// Which quote.
        id: String,
        /// The hash of what was approved.
        hash: String,
        /// The signature over [`super::signature::approval_message`].
        signed: Signed,
    },
    /// Turns the open revision down; not for its proposer.
    RejectConcession {
        /// Which quote.
        id: String,
        /// The hash of what the caller saw.
        hash: String,
        /// Why: a commitment to free text.
        reason: Option<Commitment>,
    },
    /// Takes the open revision back; only for its proposer.
    WithdrawConcession {
        /// Which quote.
        id: String,
        /// The hash of what the caller saw.
        hash: String,
    },
}

/// What the API adds to a proposal.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Extras {
    /// What a division by costs needs.
    pub blind: Blind,
    /// The evaluation that the proposer saw, if it cites one.
    pub evaluation_hash: Option<String>,
}

/// Who asks, and what can be seen.
#[derive(Clone, Copy)]
pub(super) struct Caller<'world> {
    /// The partnership of the scope.
    pub(super) partnership: &'world Partnership,
    /// The party that the caller is in it.
    pub(super) party: &'world PartyId,
    /// What the decision may look at.
    pub(super) view: View<'world>,
}

/// Decides a command on a joint quote.
///
/// # Errors
/// A refusal, or what has to be loaded first.
pub fn decide(command: &QuoteCommand, firm: &FirmId, view: &View<'_>) -> Result<Decision, Stop> {
    let (partnership, party) = as_active_party(firm, view)?;
    decide_as(command, partnership, party, view)
}

/// As [`decide`], for a party of the partnership: a firm, or a guest in its place.
///
/// # Errors
/// A refusal, or what has to be loaded first.
pub fn decide_as(
    command: &QuoteCommand,
    partnership: &Partnership,
    party: &Party,
    view: &View<'_>,
) -> Result<Decision, Stop> {
    let caller = Caller {
        partnership,
        party: &party.id,
        view: *view,
    };
    match command {
        QuoteCommand::Create {
            id,
            display_name,
            client,
            currency,
            expires_at,
            portions,
            vendor_funds,
            references,
        } => {
            let currency = *currency;
            let expires_at = *expires_at;
            let new = NewQuote {
                id,
                display_name,
                client,
                currency,
                expires_at,
                portions,
                vendor_funds,
                references,
            };
            create(&new, caller)
        }
        QuoteCommand::Update { id, changes } => update(id, changes, caller),
        QuoteCommand::AddPortion { id, portion } => add_portion(id, portion, caller),
        QuoteCommand::ProposeConcession {
            id,
            concession,
            extras,
        } => propose(id, concession, extras, caller),
        QuoteCommand::EvaluateConcession { id, alternatives } => evaluate(id, alternatives, caller),
        QuoteCommand::ConsentToDisclosure { id } => consent(id, caller),
        QuoteCommand::WithdrawDisclosureConsent { id } => withdraw_consent(id, caller),
        QuoteCommand::ApproveConcession { id, hash } => approve(id, hash, caller),
        QuoteCommand::ApproveSigned { id, hash, signed } => {
            approve_signed(id, hash, signed, caller)
        }
        QuoteCommand::SignConcession { id, hash, signed } => sign(id, hash, signed, caller),
        QuoteCommand::RejectConcession { id, hash, reason } => {
            reject(id, hash, reason.as_ref(), caller)
        }
        QuoteCommand::WithdrawConcession { id, hash } => withdraw(id, hash, caller),
    }
}

/// Decides what time alone did to a quote: its open revision or the quote itself expired.
///
/// # Errors
/// What has to be loaded first.
pub fn tick(id: &str, view: &View<'_>) -> Result<Decision, Stop> {
    let mut decision = Decision::about(Kind::JointQuote, id);
    let Some(quote) = view.find::<JointQuote>(id)? else {
        return Ok(decision);
    };
    decision
        .events
        .extend(expired_revision(id, quote, view.now));
    if quote.state == QuoteState::Open && quote.state_at(view.now) == QuoteState::Expired {
        decision = decision.event(Event::new(id, JointQuoteEvent::Expired(QuoteExpired {})));
    }
    Ok(decision)
}

/// The event that the open revision expired, if it did.
pub(super) fn expired_revision(id: &str, quote: &JointQuote, now: Timestamp) -> Option<Event> {
    let open = quote
        .open()
        .filter(|open| open.state_at(now) == RevisionState::Expired)?;
    let expired = ConcessionExpired {
        number: open.split.number,
        hash: open.split.hash.clone(),
    };
    Some(Event::new(id, JointQuoteEvent::ConcessionExpired(expired)))
}

/// Refuses to work on a quote whose time ran out.
pub(super) fn refuse_expired(
    quote: &JointQuote,
    action: &str,
    now: Timestamp,
) -> Result<(), Refusal> {
    match quote.state_at(now) {
        QuoteState::Open => Ok(()),
        over => Err(Refusal::invalid_state(over.as_str(), action)),
    }
}

fn propose(
    id: &str,
    asked: &NewConcession,
    extras: &Extras,
    caller: Caller<'_>,
) -> Result<Decision, Stop> {
    let Caller {
        partnership,
        party,
        view,
    } = caller;
    let quote = view.get::<JointQuote>(id)?;
    refuse_expired(quote, "ProposeConcession", view.now)?;
    let proposal = Proposal::resolved(asked, quote, partnership, &view)?;
    let place = RevisionPlace {
        scope: view.scope,
        quote: id,
        number: next_number(quote)?,
        previous_hash: quote.last_hash(),
    };
    let portions: Vec<&Portion> = quote.portions.iter().collect();
    let current =
        |proposal: &Proposal| evaluation_hash(view.scope, id, quote, proposal, partnership);
    require_fresh(extras.evaluation_hash.as_deref(), || current(&proposal))?;
    let is_sealed = is_blind(&proposal.basis, &quote.portions);
    let split = if is_sealed {
        blind::require_allowed(&proposal, quote)?;
        require_counted(quote, party, &current(&proposal))?;
        blind::decide(place, quote, proposal, &extras.blind, caller)?
    } else {
        ConcessionSplit::new(place, &portions, proposal)?
    };
    if quote.allocation_lines() + split.line_count() > ALLOCATION_LINES_MAX {
        return Err(Refusal::limit("allocation_lines_per_quote", ALLOCATION_LINES_MAX).into());
    }
    // What is sealed was held against the clauses before it was, and nobody agrees to it beforehand.
    let agreed_beforehand = if is_sealed {
        Vec::new()
    } else {
        if let Some(terms) = &partnership.terms {
            refuse_broken(&terms.content.pricing_clauses, &split, quote)?;
        }
        agreed_beforehand(partnership, party, &split, quote, view.now)
    };
    let state = {
        let owners = portions.iter().map(|portion| &portion.owner);
        let consented = |party: &PartyId| agreed_beforehand.iter().any(|it| it.party == *party);
        RevisionState::after_approvals(partnership, owners, |approver| {
            approver == party || consented(approver)
        })
    };
    // Where nobody is there yet who could answer, the proposal waits as long as the quote stands.
    let answer_by = match state {
        RevisionState::Proposed => view.now.saturating_add(partnership.offer_validity()),
        _ => quote.expires_at,
    };
    let replaced = quote
        .in_force()
        .filter(|_| state == RevisionState::Approved);
    let superseded = quote.open_at(view.now).into_iter().chain(replaced);
    let proposed = ConcessionProposed {
        proposer: party.clone(),
        expires_at: answer_by.min(quote.expires_at),
        state,
        superseded: superseded.map(|revision| revision.split.number).collect(),
        agreed_beforehand,
        split,
    };
    let mut decision = Decision::about(Kind::JointQuote, id);
    decision
        .events
        .extend(expired_revision(id, quote, view.now));
    if state == RevisionState::Approved {
        let fractions = carried(id, quote, &proposed.split, &view)?;
        decision.events.extend(fractions);
    }
    let event = JointQuoteEvent::ConcessionProposed(Box::new(proposed));
    Ok(decision.event(Event::new(id, event)))
}

fn next_number(quote: &JointQuote) -> Result<u32, Refusal> {
    let limit = || Refusal::limit("revisions_per_quote", REVISIONS_MAX);
    if quote.revisions.len() >= REVISIONS_MAX {
        return Err(limit());
    }
    u32::try_from(quote.revisions.len() + 1).map_err(|_| limit())
}

/// The open revision, if it can still be answered and is the one that the caller saw.
fn answerable<'quote>(
    quote: &'quote JointQuote,
    hash: &str,
    action: &str,
    now: Timestamp,
) -> Result<&'quote ConcessionRevision, Refusal> {
    quote.refuse_sold(action)?;
    if let Some(open) = quote.open_at(now) {
        if open.split.hash == hash {
            return Ok(open);
        }
        return Err(
            Refusal::new(Reason::StaleHash, "another concession is proposed by now")
                .with("hash", &open.split.hash),
        );
    }
    let named = quote
        .revisions
        .iter()
        .find(|revision| revision.split.hash == hash);
    let Some(closed) = named.or(quote.revisions.last()) else {
        return Err(Refusal::invalid_state("no concession proposed", action));
    };
    match closed.state_at(now) {
        RevisionState::Expired if named.is_some() => {
            let expired_at = closed.expires_at;
            let message = format!("the proposal expired at {expired_at}");
            Err(Refusal::new(Reason::OfferExpired, message).with("expire_time", expired_at))
        }
        state => Err(Refusal::invalid_state(state.as_str(), action)),
    }
}

pub(super) fn approve(id: &str, hash: &str, caller: Caller<'_>) -> Result<Decision, Stop> {
    let Caller {
        partnership,
        party,
        view,
    } = caller;
    let about = Decision::about(Kind::JointQuote, id);
    let quote = view.get::<JointQuote>(id)?;
    let in_force = quote.in_force();
    let done =
        in_force.is_some_and(|known| known.split.hash == hash && known.is_approved_by(party));
    if done && quote.open_at(view.now).is_none() {
        return Ok(about);
    }
    let open = answerable(quote, hash, "ApproveConcession", view.now)?;
    refuse_stale(quote, &open.split, &view)?;
    let consents = |other: &PartyId| other == party || open.is_approved_by(other);
    let owners = open.split.lines().map(|line| &line.owner);
    let reached = RevisionState::after_approvals(partnership, owners, consents);
    // Whoever approved may say so again, once the last one that had not has left.
    let goes_on = open.state == RevisionState::Proposed && reached != open.state;
    if open.is_approved_by(party) && !goes_on {
        return Ok(about);
    }
    let state = match reached {
        // An asserted revision stays that until the last of several newcomers has approved.
        RevisionState::Proposed => open.state,
        further => further,
    };
    let replaced = in_force.filter(|_| state == RevisionState::Approved);
    let approved = ConcessionApproved {
        party: party.clone(),
        number: open.split.number,
        hash: hash.to_owned(),
        state,
        superseded: replaced.map(|revision| revision.split.number),
    };
    let mut decision = about;
    if state == RevisionState::Approved {
        let fractions = carried(id, quote, &open.split, &view)?;
        decision.events.extend(fractions);
    }
    let event = JointQuoteEvent::ConcessionApproved(approved);
    Ok(decision.event(Event::new(id, event)))
}

fn reject(
    id: &str,
    hash: &str,
    reason: Option<&Commitment>,
    caller: Caller<'_>,
) -> Result<Decision, Stop> {
    let quote = caller.view.get::<JointQuote>(id)?;
    let open = answerable(quote, hash, "RejectConcession", caller.view.now)?;
    if open.proposer == *caller.party {
        let message = "a proposal is for the other parties to reject; its proposer may withdraw it";
        return Err(Refusal::new(Reason::NotYourOffer, message).into());
    }
    let rejected = ConcessionRejected {
        party: caller.party.clone(),
        number: open.split.number,
        hash: hash.to_owned(),
        reason: reason.cloned(),
    };
    let event = Event::new(id, JointQuoteEvent::ConcessionRejected(rejected));
    Ok(Decision::about(Kind::JointQuote, id).event(event))
}

fn withdraw(id: &str, hash: &str, caller: Caller<'_>) -> Result<Decision, Stop> {
    let quote = caller.view.get::<JointQuote>(id)?;
    let open = answerable(quote, hash, "WithdrawConcession", caller.view.now)?;
    if open.proposer != *caller.party {
        let message = "only its proposer may withdraw a proposal";
        return Err(Refusal::new(Reason::NotYourOffer, message).into());
    }
    let withdrawn = ConcessionWithdrawn {
        party: caller.party.clone(),
        number: open.split.number,
        hash: hash.to_owned(),
    };
    let event = Event::new(id, JointQuoteEvent::ConcessionWithdrawn(withdrawn));
    Ok(Decision::about(Kind::JointQuote, id).event(event))
}
