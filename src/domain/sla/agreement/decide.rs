//! Decisions on agreements: proposing, approving, revising, ending.

use super::check::check_content;
use super::revision::{
    AgreementRevised, AgreementRevision, AgreementRevisionEvent, RevisionApproved,
};
use super::{
    AGREEMENTS_IN_FORCE_MAX, Agreement, AgreementApproved, AgreementCommand, AgreementContent,
    AgreementContested, AgreementEnded, AgreementEvent, AgreementProposed, AgreementState,
    NewCalendar, ProposedRevision, REVISIONS_MAX, Repin, RevisionProposed, THRESHOLDS_BPS_DEFAULT,
};
use crate::domain::command::Decision;
use crate::domain::commitment::Commitment;
use crate::domain::content_hash;
use crate::domain::identity::FirmId;
use crate::domain::outsiders::{Client, already_exists};
use crate::domain::partnership::{
    AgreementNamed, Approval, Partnership, PartnershipEvent, Party, as_active_party,
};
use crate::domain::record::{Event, Kind};
use crate::domain::refusal::{Reason, Refusal, Violations};
use crate::domain::sla::compiled::CompiledCalendar;
use crate::domain::sla::settings::{Calendar, compile, create_calendar};
use crate::domain::time::Timestamp;
use crate::domain::world::{Stop, View};

/// Decides a command on agreements.
///
/// # Errors
/// A refusal, or what has to be loaded first.
pub fn decide(
    command: &AgreementCommand,
    firm: &FirmId,
    view: &View<'_>,
) -> Result<Decision, Stop> {
    let (partnership, party) = as_active_party(firm, view)?;
    match command {
        AgreementCommand::Create {
            id,
            content,
            calendar,
        } => {
            let id = id.as_deref();
            create(id, content, calendar.as_ref(), partnership, party, view)
        }
        AgreementCommand::Approve { id, hash } => approve(id, hash, partnership, party, view),
        AgreementCommand::Revise {
            id,
            content,
            repin_from,
        } => revise(id, content, *repin_from, partnership, party, view),
        AgreementCommand::End { id } => end(id, view),
        AgreementCommand::Contest { id, reason } => {
            contest(id, reason.as_ref(), partnership, party, view)
        }
    }
}

fn create(
    id: Option<&str>,
    content: &AgreementContent,
    calendar: Option<&NewCalendar>,
    partnership: &Partnership,
    party: &Party,
    view: &View<'_>,
) -> Result<Decision, Stop> {
    let id = id.map_or_else(|| view.new_id(0), str::to_owned);
    if view.find::<Agreement>(&id)?.is_some() {
        return Err(already_exists(Kind::Agreement, &id).into());
    }
    let (content, calendar) = with_calendar(content, calendar, partnership, view)?;
    if let Some(client) = &content.client {
        view.get::<Client>(client)?;
    }
    let alone = partnership.is_alone();
    if alone && partnership.agreements_in_force.len() >= AGREEMENTS_IN_FORCE_MAX {
        return Err(Refusal::limit("agreements_in_force", AGREEMENTS_IN_FORCE_MAX).into());
    }
    let state = if alone {
        AgreementState::Asserted
    } else {
        AgreementState::Proposed
    };
    let hash = content_hash("entente.agreement.v1", &content);
    let proposed = AgreementProposed {
        proposer: party.id.clone(),
        content,
        hash,
        state,
    };
    let (events, zones) = calendar.map_or_else(Default::default, |made| (made.events, made.zones));
    let decision = Decision {
        events,
        zones,
        ..Decision::about(Kind::Agreement, &id)
    };
    let decision = decision.event(Event::new(&id, AgreementEvent::Proposed(proposed)));
    Ok(if alone {
        decision.event(started(&id, view))
    } else {
        decision
    })
}

fn started(id: &str, view: &View<'_>) -> Event {
    let named = AgreementNamed {
        agreement: id.to_owned(),
    };
    Event::new(view.scope.id(), PartnershipEvent::AgreementStarted(named))
}

/// Content with its defaults filled in and its calendar pinned, if it is sound.
fn complete(
    content: &AgreementContent,
    partnership: &Partnership,
    view: &View<'_>,
) -> Result<AgreementContent, Stop> {
    let mut content = checked(content, partnership)?;
    pin_calendar(&mut content, view)?;
    Ok(content)
}

fn checked(
    content: &AgreementContent,
    partnership: &Partnership,
) -> Result<AgreementContent, Refusal> {
    let mut content = content.clone();
    if content.thresholds_bps.is_empty() {
        content.thresholds_bps = THRESHOLDS_BPS_DEFAULT.to_vec();
    }
    check_content(&content, partnership)?;
    Ok(content)
}

/// As [`complete`], and what makes the calendar if it came along and there is none of its id.
fn with_calendar(
    content: &AgreementContent,
    calendar: Option<&NewCalendar>,
    partnership: &Partnership,
    view: &View<'_>,
) -> Result<(AgreementContent, Option<Decision>), Stop> {
    let Some(new) = calendar else {
        return Ok((complete(content, partnership, view)?, None));
    };
    if view.find::<Calendar>(&content.calendar)?.is_some() {
        return Ok((complete(content, partnership, view)?, None));
    }
    let mut content = checked(content, partnership)?;
    content.calendar_revision = 1;
    let specification = &new.specification;
    let made = create_calendar(
        Some(&content.calendar),
        &new.display_name,
        specification,
        view,
    )?;
    require_feasible(&content, &compile(specification)?.calendar, view)?;
    Ok((content, Some(made)))
}

/// Pins the calendar's revision, if it can hold every target.
fn pin_calendar(content: &mut AgreementContent, view: &View<'_>) -> Result<(), Stop> {
    let missing = || Refusal::field(Reason::NotFound, "agreement.calendar", "no such calendar");
    let calendar = view
        .find::<Calendar>(&content.calendar)?
        .ok_or_else(missing)?;
    if content.calendar_revision == 0 {
        content.calendar_revision = calendar.latest_revision;
    }
    if content.calendar_revision > calendar.latest_revision {
        return Err(Refusal::field(
            Reason::NotFound,
            "agreement.calendar_revision",
            "no such revision",
        )
        .into());
    }
    check_feasible(content, view)
}

/// Refuses a target that the calendar cannot hold.
fn check_feasible(content: &AgreementContent, view: &View<'_>) -> Result<(), Stop> {
    let compiled = view.calendar(&content.calendar, content.calendar_revision)?;
    require_feasible(content, &compiled, view)
}

fn require_feasible(
    content: &AgreementContent,
    compiled: &CompiledCalendar,
    view: &View<'_>,
) -> Result<(), Stop> {
    for (index, target) in content.targets.iter().enumerate() {
        if compiled.add(view.now, target.duration).is_none() {
            let field = format!("agreement.targets[{index}].duration");
            return Err(Refusal::field(
                Reason::TargetUnreachable,
                field,
                "the calendar never has that much open time",
            )
            .into());
        }
    }
    Ok(())
}

/// Approves an agreement, or the revision of it that is proposed, as `party`.
///
/// # Errors
/// A refusal, or what has to be loaded first.
pub fn approve(
    id: &str,
    hash: &str,
    partnership: &Partnership,
    party: &Party,
    view: &View<'_>,
) -> Result<Decision, Stop> {
    let agreement = view.get::<Agreement>(id)?;
    let decision = Decision::about(Kind::Agreement, id);
    let proposed = agreement.proposed.as_ref();
    if let Some(proposed) = proposed.filter(|proposed| proposed.hash == hash) {
        return approve_revision(id, agreement, proposed, partnership, party, view);
    }
    if agreement.hash != hash {
        return Err(
            Refusal::new(Reason::StaleHash, "the agreement has another hash")
                .with("hash", &agreement.hash)
                .into(),
        );
    }
    let completes = partnership.would_be_approved_by_all(&agreement.approvals, &party.id);
    // Whoever approved may say so again, once the last one that had not has left.
    let is_known = Approval::is_among(&agreement.approvals, &party.id);
    if is_known && (!completes || agreement.state != AgreementState::Proposed) {
        return Ok(decision);
    }
    let is_over = matches!(
        agreement.state,
        AgreementState::Ended | AgreementState::Contested
    );
    if is_over {
        return Err(Refusal::invalid_state(agreement.state.as_str(), "ApproveAgreement").into());
    }
    let state = match agreement.state {
        state if !completes => state,
        _ if agreement.content.concern().is_asserted(partnership) => AgreementState::Asserted,
        _ => AgreementState::Active,
    };
    let starts = state.is_in_force() && !agreement.state.is_in_force();
    if starts && partnership.agreements_in_force.len() >= AGREEMENTS_IN_FORCE_MAX {
        return Err(Refusal::limit("agreements_in_force", AGREEMENTS_IN_FORCE_MAX).into());
    }
    let approved = AgreementApproved {
        party: party.id.clone(),
        state,
    };
    let decision = decision.event(Event::new(id, AgreementEvent::Approved(approved)));
    Ok(if starts {
        decision.event(started(id, view))
    } else {
        decision
    })
}

fn end(id: &str, view: &View<'_>) -> Result<Decision, Stop> {
    let agreement = view.get::<Agreement>(id)?;
    let decision = Decision::about(Kind::Agreement, id);
    if agreement.state == AgreementState::Ended {
        return Ok(decision);
    }
    let decision = decision.event(Event::new(id, AgreementEvent::Ended(AgreementEnded {})));
    if !agreement.state.is_in_force() {
        return Ok(decision);
    }
    Ok(decision.event(no_longer_in_force(id, view)))
}

fn no_longer_in_force(id: &str, view: &View<'_>) -> Event {
    let named = AgreementNamed {
        agreement: id.to_owned(),
    };
    Event::new(view.scope.id(), PartnershipEvent::AgreementEnded(named))
}

/// What a party never approved and finds asserted when it joins, it may deny.
fn contest(
    id: &str,
    reason: Option<&Commitment>,
    partnership: &Partnership,
    party: &Party,
    view: &View<'_>,
) -> Result<Decision, Stop> {
    let action = "AnswerAssertions";
    let agreement = view.get::<Agreement>(id)?;
    let decision = Decision::about(Kind::Agreement, id);
    let contest = agreement.contest.as_ref();
    if contest.is_some_and(|contest| contest.party == party.id) {
        return Ok(decision);
    }
    let state = agreement.state.as_str();
    if agreement.state != AgreementState::Asserted {
        return Err(Refusal::invalid_state(state, action).into());
    }
    if Approval::is_among(&agreement.approvals, &party.id) {
        let message = "a party that approved an agreement does not contest it";
        return Err(Refusal::new(Reason::InvalidState, message)
            .with("state", state)
            .with("action", action)
            .into());
    }
    require_concerned(agreement, partnership, party)?;
    let missing = || Refusal::field(Reason::InvalidField, "reason", "must say why");
    let contested = AgreementContested {
        party: party.id.clone(),
        reason: reason.cloned().ok_or_else(missing)?,
    };
    let contested = Event::new(id, AgreementEvent::Contested(contested));
    let decision = decision.event(contested);
    Ok(decision.event(no_longer_in_force(id, view)))
}

/// What two parties owe each other is not for a third one to contest, while one of the two is there
/// who may.
fn require_concerned(
    agreement: &Agreement,
    partnership: &Partnership,
    party: &Party,
) -> Result<(), Refusal> {
    let concern = agreement.content.concern();
    let mut senders = agreement.approvals.iter();
    let is_answered =
        |approval: &Approval| concern.is_answered_by(&party.id, &approval.party, partnership);
    if senders.any(is_answered) {
        return Ok(());
    }
    let message = "an agreement is contested by those whom it is about";
    Err(Refusal::new(Reason::NotYourOffer, message)
        .with("obligor", concern.obligor)
        .with("beneficiary", concern.beneficiary))
}

fn revise(
    id: &str,
    content: &AgreementContent,
    repin_from: Option<Timestamp>,
    partnership: &Partnership,
    party: &Party,
    view: &View<'_>,
) -> Result<Decision, Stop> {
    let agreement = view.get::<Agreement>(id)?;
    if !agreement.state.is_in_force() {
        return Err(Refusal::invalid_state(agreement.state.as_str(), "ReviseAgreement").into());
    }
    check_same_parties(&agreement.content, content)?;
    if let Some(from) = repin_from.filter(|from| !from.is_storable()) {
        return Err(Refusal::field(
            Reason::InvalidField,
            "repin_time",
            "between the years 2000 and 2099",
        )
        .with("repin_time", from)
        .into());
    }
    let content = complete(content, partnership, view)?;
    let proposed = RevisionProposed::new(party.id.clone(), content, repin_from);
    let decision = Decision::about(Kind::Agreement, id);
    let is_known = |hash: &str| hash == proposed.hash;
    if is_known(&agreement.hash)
        || agreement
            .proposed
            .as_ref()
            .is_some_and(|it| is_known(&it.hash))
    {
        return Ok(decision);
    }
    let alone = partnership.is_alone();
    let in_force = alone.then(|| put_in_force(id, agreement, &proposed.content, repin_from, view));
    let decision = decision.event(Event::new(id, AgreementEvent::RevisionProposed(proposed)));
    Ok(with_events(decision, in_force.transpose()?))
}

fn with_events(decision: Decision, events: Option<Vec<Event>>) -> Decision {
    let events = events.into_iter().flatten();
    events.fold(decision, Decision::event)
}

/// A revision changes what is owed, never who owes it to whom.
fn check_same_parties(before: &AgreementContent, after: &AgreementContent) -> Result<(), Refusal> {
    let mut violations = Violations::default();
    let same = [
        ("kind", before.agreement_type == after.agreement_type),
        ("obligor", before.obligor == after.obligor),
        ("beneficiary", before.beneficiary == after.beneficiary),
        ("client", before.client == after.client),
    ];
    for (field, same) in same {
        violations.require(same, &format!("agreement.{field}"), "cannot be revised");
    }
    violations.finish()
}

fn approve_revision(
    id: &str,
    agreement: &Agreement,
    proposed: &ProposedRevision,
    partnership: &Partnership,
    party: &Party,
    view: &View<'_>,
) -> Result<Decision, Stop> {
    let decision = Decision::about(Kind::Agreement, id);
    let completes = partnership.would_be_approved_by_all(&proposed.approvals, &party.id);
    if Approval::is_among(&proposed.approvals, &party.id) && !completes {
        return Ok(decision);
    }
    let in_force = completes
        .then(|| put_in_force(id, agreement, &proposed.content, proposed.repin_from, view));
    let approved = RevisionApproved {
        party: party.id.clone(),
    };
    let approved = AgreementEvent::RevisionApproved(approved);
    let decision = decision.event(Event::new(id, approved));
    Ok(with_events(decision, in_force.transpose()?))
}

/// What follows once a proposed revision is approved by all, or asserted by one alone. What was in
/// force before is kept for the tickets that go on under it.
fn put_in_force(
    id: &str,
    agreement: &Agreement,
    content: &AgreementContent,
    repin_from: Option<Timestamp>,
    view: &View<'_>,
) -> Result<Vec<Event>, Stop> {
    if agreement.revision >= REVISIONS_MAX {
        return Err(Refusal::limit("agreement_revisions", REVISIONS_MAX as usize).into());
    }
    // Between the proposal and its approval, time has passed: what was feasible may not be any more.
    check_feasible(content, view)?;
    let revision = agreement.revision + 1;
    let kept = AgreementRevision {
        content: agreement.content.clone(),
        hash: agreement.hash.clone(),
        approvals: agreement.approvals.clone(),
    };
    let kept_id = AgreementRevision::id_of(id, agreement.revision);
    let revised = AgreementRevised {
        revision,
        state: agreement.state,
    };
    let mut events = vec![
        Event::new(kept_id, AgreementRevisionEvent::Kept(kept)),
        Event::new(id, AgreementEvent::Revised(revised)),
    ];
    if let Some(from) = repin_from {
        let repin = Repin {
            revision,
            from: from.max(view.now),
            recorded_at: view.now,
        };
        events.push(Event::new(id, AgreementEvent::Repinned(repin)));
        let named = AgreementNamed {
            agreement: id.to_owned(),
        };
        let repinned = PartnershipEvent::AgreementRepinned(named);
        events.push(Event::new(view.scope.id(), repinned));
    }
    Ok(events)
}
