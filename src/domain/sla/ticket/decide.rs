//! Decisions on tickets.

use std::collections::BTreeSet;

use super::amend::{AmendmentAnswer, Who, answer_amendment, propose};
use super::amendment::AmendmentContent;
use super::expect::{Asked, ask};
use super::intake::{again, take_in};
use super::lateness::{LateAnswer, answer_late};
use super::link::{link, refuse_after_merge};
use super::{EVENT_ID_BYTES_MAX, PERSON_BYTES_MAX, Ticket, TicketEvent, TicketOpened};
use crate::domain::aggregate::{Aggregate, Recorded};
use crate::domain::command::Decision;
use crate::domain::commitment::Commitment;
use crate::domain::expectation::FiveW;
use crate::domain::identity::{ExternalReference, FirmId};
use crate::domain::partnership::ending::require_workable;
use crate::domain::partnership::{Partnership, Party, as_present_party, require_active};
use crate::domain::record::{Event, Kind};
use crate::domain::refusal::{Reason, Refusal, Violations};
use crate::domain::sla::agreement::{Agreement, AgreementContent, AgreementType};
use crate::domain::sla::clock::{Mark, MergeTarget, Priority};
use crate::domain::sla::in_force::PinnedTerms;
use crate::domain::sla::settings::{SOURCE_PRIORITY_BYTES_MAX, STATUS_BYTES_MAX};
use crate::domain::text::{require_reference, require_token};
use crate::domain::time::Timestamp;
use crate::domain::world::{Stop, View, for_each};

/// What a firm's software says happened to a ticket.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct IngestEvent {
    /// The event's id there; the same event sent again is applied once.
    pub event_id: String,
    /// The ticket's id there.
    pub reference: ExternalReference,
    /// When it happened.
    pub occurred_at: Timestamp,
    /// Orders events of one instant.
    pub source_sequence: i64,
    /// When the ticket was opened, if the event says so.
    pub opened_at: Option<Timestamp>,
    /// The priority from then on.
    pub priority: Option<Priority>,
    /// The priority from then on, as the software spells it; not with [`Self::priority`].
    pub source_priority: Option<String>,
    /// The status from then on, as the software spells it.
    pub status: Option<String>,
    /// What was done with the ticket.
    pub marks: BTreeSet<Mark>,
    /// Opaque id of the person whom the client met.
    pub person: Option<String>,
    /// When the client first spoke.
    pub reported_at: Option<Timestamp>,
    /// The ticket into which this one was merged, by an id of the sender's software or by its own.
    pub merged_into: Option<MergeTarget>,
    /// The agreement that a new ticket shall run under.
    pub agreement: Option<String>,
    /// The ticket's title, where the event opens it: a commitment.
    pub title: Option<Commitment>,
    /// The five W, where they were asked with the ticket: they make an expectation.
    pub five_w: Option<Box<FiveW>>,
    /// Whether it is imported history.
    pub backfill: bool,
}

/// What can be asked of tickets.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum TicketCommand {
    /// Takes in an event; the first one of a ticket makes the ticket known.
    Ingest(Box<IngestEvent>),
    /// Makes a ticket known by a further id of the caller's.
    Link {
        /// Which ticket.
        ticket: String,
        /// The id in the caller's software.
        reference: ExternalReference,
    },
    /// Proposes to agree something about a ticket; alone in its partnership, a firm asserts it.
    ProposeAmendment {
        /// Which ticket.
        ticket: String,
        /// What. Of an agreement the revision in force counts, whatever this says.
        content: AmendmentContent,
    },
    /// Approves, declines or takes back what was proposed.
    AnswerAmendment(AmendmentAnswer),
    /// Confirms a late event of another firm, or does not.
    AnswerLate(LateAnswer),
}

/// Decides a command on tickets.
///
/// # Errors
/// A refusal, or what has to be loaded first.
pub fn decide(command: &TicketCommand, firm: &FirmId, view: &View<'_>) -> Result<Decision, Stop> {
    match command {
        TicketCommand::Ingest(event) => ingest(event, firm, view),
        TicketCommand::Link { ticket, reference } => {
            at_work(ticket, firm, view)?;
            link(ticket, reference, view)
        }
        TicketCommand::ProposeAmendment { ticket, content } => {
            let (partnership, party) = at_work(ticket, firm, view)?;
            propose(ticket, content, &Who::new(firm, party, partnership), view)
        }
        TicketCommand::AnswerAmendment(answer) => {
            let (partnership, party) = at_work(&answer.ticket, firm, view)?;
            answer_amendment(answer, &Who::new(firm, party, partnership), view)
        }
        TicketCommand::AnswerLate(answer) => {
            let (partnership, party) = at_work(&answer.ticket, firm, view)?;
            answer_late(answer, party, firm, partnership, view)
        }
    }
}

/// The caller's party, if it may work on a ticket: after the end, on one that was carried on.
fn at_work<'world>(
    ticket: &str,
    firm: &FirmId,
    view: &View<'world>,
) -> Result<(&'world Partnership, &'world Party), Stop> {
    let (partnership, party) = as_present_party(firm, view)?;
    let carried = match view.find::<Ticket>(ticket)? {
        Some(ticket) => ticket.carried.as_ref(),
        None => None,
    };
    require_workable(partnership, carried, view.now)?;
    Ok((partnership, party))
}

fn ingest(event: &IngestEvent, firm: &FirmId, view: &View<'_>) -> Result<Decision, Stop> {
    let (partnership, party) = as_present_party(firm, view)?;
    check_event(event, partnership, view.now)?;
    let known = view.referenced(&event.reference)?;
    let id = known
        .iter()
        .find(|(kind, _)| *kind == Kind::Ticket)
        .map(|(_, id)| id.as_str());
    if let Some(id) = id {
        let ticket = view.get::<Ticket>(id)?;
        if let Some(earlier) = ticket.event(&event.event_id, ticket.sender(firm).as_ref()) {
            return again(id, ticket, earlier, event, partnership, view);
        }
        require_workable(partnership, ticket.carried.as_ref(), view.now)?;
        refuse_after_merge(ticket, Some(event.occurred_at), view)?;
        let decision = Decision::about(Kind::Ticket, id);
        let decision = take_in(id, ticket, event, partnership, decision, view)?;
        return with_answers(
            event,
            id,
            Some(ticket),
            decision,
            (firm, party),
            partnership,
            view,
        );
    }
    require_active(partnership, view.now)?;
    let id = view.new_id(0);
    let (agreement, content) = choose_agreement(event.agreement.as_deref(), partnership, view)?;
    let in_return = owed_in_return(content, partnership, view)?;
    let opened = TicketOpened {
        reporter: firm.clone(),
        reference: event.reference.clone(),
        agreement: agreement.agreement,
        agreement_revision: agreement.revision,
        in_return,
        title: event.title.clone(),
    };
    let opened = TicketEvent::Opened(opened);
    let recorded = Recorded {
        sequence: view.next_sequence,
        at: view.now,
        firm: Some(firm.clone()),
        actor: String::new(),
    };
    let ticket = Ticket::apply(None, &opened, &recorded)
        .ok_or_else(|| Refusal::new(Reason::Internal, "a ticket could not be opened"))?;
    let decision = Decision::about(Kind::Ticket, &id)
        .event(Event::new(&id, opened))
        .reference(event.reference.clone(), Kind::Ticket, &id);
    let decision = take_in(&id, &ticket, event, partnership, decision, view)?;
    with_answers(event, &id, None, decision, (firm, party), partnership, view)
}

/// With the expectation that the event's five W make, if it carries any.
fn with_answers(
    event: &IngestEvent,
    id: &str,
    before: Option<&Ticket>,
    decision: Decision,
    sender: (&FirmId, &Party),
    partnership: &Partnership,
    view: &View<'_>,
) -> Result<Decision, Stop> {
    let Some(five_w) = &event.five_w else {
        return Ok(decision);
    };
    let asked = Asked {
        five_w,
        at: event.occurred_at,
    };
    ask(&asked, id, before, decision, sender, partnership, view)
}

fn check_event(
    event: &IngestEvent,
    partnership: &Partnership,
    now: Timestamp,
) -> Result<(), Refusal> {
    let mut violations = Violations::default();
    require_token(
        &mut violations,
        "event_id",
        &event.event_id,
        EVENT_ID_BYTES_MAX,
    );
    require_reference(&mut violations, "ticket", &event.reference);
    check_words(event, &mut violations);
    let tolerance = partnership.future_tolerance();
    let reported = ("report_time", event.reported_at);
    let times = [
        ("occur_time", Some(event.occurred_at)),
        ("open_time", event.opened_at),
        reported,
    ];
    for (field, at) in times {
        let storable = at.is_none_or(Timestamp::is_storable);
        violations.require(storable, field, "between the years 2000 and 2099");
    }
    let last_report = event.occurred_at.saturating_add(tolerance);
    let is_before = event.reported_at.is_none_or(|at| at <= last_report);
    let late = "later than the event by more than the terms tolerate";
    violations.require(is_before, reported.0, late);
    violations.finish()?;
    let latest = now.saturating_add(tolerance);
    for (field, at) in times {
        if at.is_some_and(|at| at > latest) {
            return Err(Refusal::field(
                Reason::EventFromTheFuture,
                field,
                "later than the terms tolerate",
            )
            .with("latest", latest));
        }
    }
    Ok(())
}

/// Words of the sender's own software are short, and a priority is said in one way.
fn check_words(event: &IngestEvent, violations: &mut Violations) {
    for (field, word, bytes_max) in [
        ("status", &event.status, STATUS_BYTES_MAX),
        (
            "source_priority",
            &event.source_priority,
            SOURCE_PRIORITY_BYTES_MAX,
        ),
        ("person_id", &event.person, PERSON_BYTES_MAX),
    ] {
        if let Some(word) = word {
            require_token(violations, field, word, bytes_max);
        }
    }
    if let Some(target) = &event.merged_into {
        if let Some(reference) = &target.reference {
            require_reference(violations, "merged_into.reference", reference);
        }
        let merged = event.marks.contains(&Mark::Merged);
        violations.require(merged, "merged_into", "only with the activity MERGED");
        let itself = target.reference.as_ref() == Some(&event.reference);
        violations.require(!itself, "merged_into.reference", "another ticket");
    }
    let once = event.priority.is_none() || event.source_priority.is_none();
    violations.require(once, "source_priority", "not together with a priority");
}

/// The agreement that a new ticket runs under: the one that is named, or the only one in force by
/// which somebody works on tickets.
fn choose_agreement<'world>(
    named: Option<&str>,
    partnership: &Partnership,
    view: &View<'world>,
) -> Result<(PinnedTerms, &'world AgreementContent), Stop> {
    let not_active = || {
        Refusal::field(
            Reason::AgreementNotActive,
            "agreement",
            "no such agreement in force",
        )
    };
    let chosen = if let Some(named) = named {
        let agreement = view.find::<Agreement>(named)?.ok_or_else(not_active)?;
        (named, agreement)
    } else {
        let in_force = agreements_in_force(partnership, view)?;
        let mut candidates = in_force
            .into_iter()
            .filter(|(_, agreement)| agreement.content.agreement_type != AgreementType::Reciprocal);
        let first = candidates.next().ok_or_else(not_active)?;
        let others: Vec<&str> = candidates.map(|(id, _)| id).collect();
        if !others.is_empty() {
            let described = "several agreements are in force: name one";
            return Err(
                Refusal::field(Reason::AgreementAmbiguous, "agreement", described)
                    .with("agreements", format!("{},{}", first.0, others.join(",")))
                    .into(),
            );
        }
        first
    };
    let (id, agreement) = chosen;
    if !agreement.state.is_in_force()
        || agreement.content.agreement_type == AgreementType::Reciprocal
    {
        return Err(not_active().into());
    }
    Ok((pinned(id, agreement), &agreement.content))
}

/// What the beneficiary owes the obligor for being waited for, if exactly one agreement says so.
fn owed_in_return(
    content: &AgreementContent,
    partnership: &Partnership,
    view: &View<'_>,
) -> Result<Option<PinnedTerms>, Stop> {
    let in_force = agreements_in_force(partnership, view)?;
    let mut in_return = in_force.into_iter().filter(|(_, agreement)| {
        let other = &agreement.content;
        other.agreement_type == AgreementType::Reciprocal
            && other.beneficiary == content.obligor
            && (other.client.is_none() || other.client == content.client)
    });
    let only = in_return.next().filter(|_| in_return.next().is_none());
    Ok(only.map(|(id, agreement)| pinned(id, agreement)))
}

/// All of them are loaded together: a partnership may have more than a command may ask for one by one.
fn agreements_in_force<'world, 'list>(
    partnership: &'list Partnership,
    view: &View<'world>,
) -> Result<Vec<(&'list str, &'world Agreement)>, Stop> {
    let found = for_each(&partnership.agreements_in_force, |id| {
        let agreement = view.find::<Agreement>(id)?;
        Ok(agreement.map(|agreement| (id.as_str(), agreement)))
    })?;
    Ok(found.into_iter().flatten().collect())
}

fn pinned(id: &str, agreement: &Agreement) -> PinnedTerms {
    PinnedTerms {
        agreement: id.to_owned(),
        revision: agreement.revision,
    }
}
