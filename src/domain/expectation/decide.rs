//! Decisions on an expectation.

use super::judgement::{Owed, judge};
use super::links::{Links, linked};
use super::matter::Matter;
use super::{
    CriterionReason, Expectation, ExpectationCreated, ExpectationEvent, ExpectationExpired,
    ExpectationMissed, ExpectationState, FiveW, WorkShown, clock,
};
use crate::domain::command::Decision;
use crate::domain::commitment::Commitment;
use crate::domain::firm::refuse_taken;
use crate::domain::identity::{ExternalReference, FirmId, PartyId, is_chosen_identifier};
use crate::domain::outsiders::{Client, already_exists};
use crate::domain::partnership::{Partnership, Party, as_present_party, require_active};
use crate::domain::record::{Event, Kind};
use crate::domain::refusal::{Reason, Refusal, Violations};
use crate::domain::text::require_reference;
use crate::domain::time::Timestamp;
use crate::domain::world::{Stop, View};

/// What can be asked of an expectation.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ExpectationCommand {
    /// Begins a draft; the caller's party is the requester.
    Create {
        /// An identifier that the caller chose; otherwise one is made.
        id: Option<String>,
        /// A line for lists.
        title: Option<Commitment>,
        /// The answers so far.
        five_w: FiveW,
        /// The party that has to keep it: another one, or the caller's own.
        obligor: PartyId,
        /// Identifier of the client concerned.
        client: Option<String>,
        /// Identifier of the agreement to judge it by.
        agreement: Option<String>,
        /// Its id in the firm's own software.
        reference: Option<ExternalReference>,
    },
    /// Begins a draft that came of a ticket or of an item of a notice.
    CreateLinked {
        /// The draft: [`Self::Create`].
        create: Box<Self>,
        /// What it came of.
        links: Links,
    },
    /// Changes a draft; for its author.
    Update {
        /// Which expectation.
        id: String,
        /// The line for lists from now on.
        title: Option<Commitment>,
        /// The answers from now on, whole.
        five_w: FiveW,
    },
    /// Offers a draft; for its author. Where no other firm has joined, it is asserted.
    Offer {
        /// Which expectation.
        id: String,
        /// What to say to it.
        message: Option<Commitment>,
        /// Whether the caller knows that the deadline may be impossible.
        acknowledges_impossible: bool,
    },
    /// Answers another party's offer, or a dispute, with an offer of the caller's own.
    Counter {
        /// Which expectation.
        id: String,
        /// Number of the last offer that the caller saw, if that matters to it.
        offer_number: Option<u32>,
        /// The new offer, whole.
        five_w: FiveW,
        /// What to say to it.
        message: Option<Commitment>,
        /// Whether the caller knows that the deadline may be impossible.
        acknowledges_impossible: bool,
    },
    /// Agrees to another party's offer.
    Agree {
        /// Which expectation.
        id: String,
        /// Number of the offer that the caller saw; it must be the last one.
        offer_number: u32,
        /// Whether the caller knows that the deadline may be impossible.
        acknowledges_impossible: bool,
    },
    /// Turns another party's offer down.
    Decline {
        /// Which expectation.
        id: String,
        /// Why.
        reason: Option<Commitment>,
    },
    /// Denies what another party asserted; denying it again changes nothing.
    Contest {
        /// Which expectation.
        id: String,
        /// Why; must be given.
        reason: Option<Commitment>,
    },
    /// Takes the caller's own offer, or draft, back.
    Withdraw {
        /// Which expectation.
        id: String,
        /// Why.
        reason: Option<Commitment>,
    },
    /// Says that the work is done; for the obligor.
    Fulfil {
        /// Which expectation.
        id: String,
        /// What to say to it.
        message: Option<Commitment>,
        /// What shows it.
        shown: WorkShown,
    },
    /// Takes the work as done, also if it was disputed; for any party but the one that did it.
    AcceptFulfilment {
        /// Which expectation.
        id: String,
        /// What is found for every agreed criterion, all of which are met.
        shown: WorkShown,
        /// Whether the caller speaks for its client.
        on_behalf_of_client: bool,
        /// What to say to it.
        message: Option<Commitment>,
    },
    /// Says that the work is not done; for any party but the one that says it is.
    DisputeFulfilment {
        /// Which expectation.
        id: String,
        /// What is missing, as a whole; must be given unless a criterion's is.
        reason: Option<Commitment>,
        /// Why single criteria are not met.
        criteria: Vec<CriterionReason>,
    },
}

impl ExpectationCommand {
    /// Which expectation it is about; empty for a new one whose identifier is not chosen.
    fn id(&self) -> &str {
        match self {
            Self::Create { id, .. } => id.as_deref().unwrap_or_default(),
            Self::CreateLinked { create, .. } => create.id(),
            Self::Update { id, .. }
            | Self::Offer { id, .. }
            | Self::Counter { id, .. }
            | Self::Agree { id, .. }
            | Self::Decline { id, .. }
            | Self::Contest { id, .. }
            | Self::Withdraw { id, .. }
            | Self::Fulfil { id, .. }
            | Self::AcceptFulfilment { id, .. }
            | Self::DisputeFulfilment { id, .. } => id,
        }
    }
}

/// Decides a command on an expectation.
///
/// # Errors
/// A refusal, or what has to be loaded first.
pub fn decide(
    command: &ExpectationCommand,
    firm: &FirmId,
    view: &View<'_>,
) -> Result<Decision, Stop> {
    // Whether the partnership is over is asked for each record: some outlive it.
    let (partnership, party) = as_present_party(firm, view)?;
    if let ExpectationCommand::CreateLinked { create, links } = command {
        let decision = decide_as(create, partnership, party, view)?;
        return linked(decision, links, firm, partnership, view);
    }
    decide_as(command, partnership, party, view)
}

/// As [`decide`], for a party of the partnership: a firm, or a guest in its place.
///
/// # Errors
/// A refusal, or what has to be loaded first.
pub fn decide_as<'world>(
    command: &'world ExpectationCommand,
    partnership: &'world Partnership,
    party: &'world Party,
    view: &View<'world>,
) -> Result<Decision, Stop> {
    use ExpectationCommand as Command;
    if let ExpectationCommand::Create {
        id,
        title,
        five_w,
        obligor,
        client,
        agreement,
        reference,
    } = command
    {
        let draft = ExpectationCreated {
            title: title.clone(),
            requester: party.id.clone(),
            obligor: obligor.clone(),
            client: client.clone(),
            agreement: agreement.clone(),
            five_w: five_w.clone(),
            judgement: judge(five_w, None, view.now),
        };
        return create(id.as_deref(), draft, reference.as_ref(), partnership, view);
    }
    let matter = Matter::find(command.id(), partnership, party, view)?;
    let decided = match command {
        Command::Create { .. } | Command::CreateLinked { .. } => {
            return Err(Refusal::new(Reason::Internal, "decided above").into());
        }
        Command::Update { title, five_w, .. } => matter.update(title.as_ref(), five_w),
        Command::Offer {
            message,
            acknowledges_impossible,
            ..
        } => matter.offer(message.as_ref(), *acknowledges_impossible),
        Command::Counter {
            offer_number,
            five_w,
            message,
            acknowledges_impossible,
            ..
        } => matter.counter(
            *offer_number,
            five_w,
            message.as_ref(),
            *acknowledges_impossible,
        ),
        Command::Agree {
            offer_number,
            acknowledges_impossible,
            ..
        } => matter.agree(*offer_number, *acknowledges_impossible),
        Command::Decline { reason, .. } => matter.decline(reason.as_ref()),
        Command::Contest { reason, .. } => matter.contest(reason.as_ref()),
        Command::Withdraw { reason, .. } => matter.withdraw(reason.as_ref()),
        Command::Fulfil { message, shown, .. } => matter.fulfil(message.as_ref(), shown),
        Command::AcceptFulfilment {
            shown,
            on_behalf_of_client,
            message,
            ..
        } => matter.accept_fulfilment(shown, *on_behalf_of_client, message.as_ref()),
        Command::DisputeFulfilment {
            reason, criteria, ..
        } => matter.dispute_fulfilment(reason.as_ref(), criteria),
    };
    decided.map_err(|stop| matter.say_where_it_stands(stop))
}

/// Time has passed: records that the last offer ran out, or that the deadline was missed. Each
/// happens once; at any other time nothing does. Neither waits for a partnership to be active.
///
/// # Errors
/// A refusal, or what has to be loaded first.
pub fn tick(id: &str, view: &View<'_>) -> Result<Decision, Stop> {
    let expectation = view.get::<Expectation>(id)?;
    // After the end of its partnership nothing more happens to what was not carried on.
    let over = match expectation.carried {
        Some(_) => None,
        None => view.find::<Partnership>(view.scope.id())?,
    };
    let over = over.and_then(|partnership| partnership.over_at(view.now));
    let mut decision = Decision::about(Kind::Expectation, id);
    for event in overdue(expectation, over.unwrap_or(view.now)) {
        decision = decision.event(Event::new(id, event));
    }
    Ok(decision)
}

/// What time has done to the expectation without its being recorded yet, in the order of time.
pub(super) fn overdue(expectation: &Expectation, now: Timestamp) -> Vec<ExpectationEvent> {
    let mut events: Vec<(Timestamp, ExpectationEvent)> = Vec::new();
    let is_missed = expectation.owes_work() && clock::is_missed(expectation, now);
    if let Some(missed_at) = expectation.deadline().filter(|_| is_missed) {
        let missed = ExpectationEvent::Missed(ExpectationMissed { missed_at });
        events.push((missed_at, missed));
    }
    let may_expire = matches!(
        expectation.state,
        ExpectationState::Offered | ExpectationState::Countered
    );
    let offer = expectation.offers.last().filter(|_| may_expire);
    if let Some(offer) = offer.filter(|offer| offer.is_over(now))
        && let Some(expired_at) = offer.expires_at
    {
        let expired = ExpectationEvent::Expired(ExpectationExpired {
            offer_number: offer.number,
            expired_at,
        });
        events.push((expired_at, expired));
    }
    events.sort_by_key(|(at, _)| *at);
    events.into_iter().map(|(_, event)| event).collect()
}

fn create(
    chosen_id: Option<&str>,
    mut draft: ExpectationCreated,
    reference: Option<&ExternalReference>,
    partnership: &Partnership,
    view: &View<'_>,
) -> Result<Decision, Stop> {
    require_active(partnership, view.now)?;
    let mut violations = Violations::default();
    if chosen_id.is_some_and(|id| !is_chosen_identifier(id)) {
        violations.add(
            "expectation_id",
            "1 to 63 of a-z, 0-9 and -, beginning with a letter",
        );
    }
    let known = partnership.party(&draft.obligor).is_some();
    violations.require(known, "expectation.obligor", "no such party");
    draft.five_w.check(&mut violations, "expectation.five_w");
    if let Some(reference) = reference {
        require_reference(
            &mut violations,
            "expectation.external_references[0]",
            reference,
        );
    }
    violations.finish()?;
    if let Some(client) = &draft.client {
        view.get::<Client>(client)?;
    }
    let owed = Owed {
        agreement: draft.agreement.as_deref(),
        obligor: &draft.obligor,
        client: draft.client.as_deref(),
    };
    owed.check_named(view)?;
    let basis = owed.basis(partnership, view)?;
    draft.judgement = judge(&draft.five_w, basis.as_ref(), view.now);
    let id = chosen_id.map_or_else(|| view.new_id(0), str::to_owned);
    if view.find::<Expectation>(&id)?.is_some() {
        return Err(already_exists(Kind::Expectation, &id).into());
    }
    let decision = Decision::about(Kind::Expectation, &id)
        .event(Event::new(&id, ExpectationEvent::Created(draft)));
    let Some(reference) = reference else {
        return Ok(decision);
    };
    refuse_taken(reference, view)?;
    Ok(decision.reference(reference.clone(), Kind::Expectation, &id))
}
