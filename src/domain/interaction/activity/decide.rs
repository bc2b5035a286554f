//! Decisions on activities.

use std::collections::BTreeSet;

use super::{
    Activity, ActivityAnswered, ActivityCancelled, ActivityEvent, ActivityHeld, ActivityInvited,
    ActivityKind, ActivityPurpose, ActivityState,
};
use crate::domain::command::Decision;
use crate::domain::commitment::Commitment;
use crate::domain::identity::{FirmId, PartyId};
use crate::domain::interaction::{not_yours, require_own, require_party, require_past};
use crate::domain::partnership::{PARTIES_MAX, Partnership, Party, as_active_party};
use crate::domain::record::{Event, Kind};
use crate::domain::refusal::{Refusal, Violations};
use crate::domain::time::Timestamp;
use crate::domain::world::{Stop, View};

/// That an activity took place, as it is recorded.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct HeldDraft {
    /// When; not in the future.
    pub held_at: Timestamp,
    /// The parties that were there, each once.
    pub present: Vec<PartyId>,
    /// What is worth noting.
    pub note: Option<Commitment>,
}

/// An activity as it is recorded first.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ActivityDraft {
    /// The party that invites; the caller's own if not stated.
    pub inviter: Option<PartyId>,
    /// The parties that are invited; all the others if none is named.
    pub invited: Vec<PartyId>,
    /// What sort of activity it is.
    pub kind: ActivityKind,
    /// What it is for.
    pub purpose: ActivityPurpose,
    /// Its title.
    pub title: Commitment,
    /// When it is to take place; may be left out for what took place.
    pub planned_at: Option<Timestamp>,
    /// That it took place, for what is over.
    pub held: Option<HeldDraft>,
}

/// What can be asked of activities.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ActivityCommand {
    /// Invites to one, or records one that took place.
    Create(ActivityDraft),
    /// Accepts or declines, for a party that is invited.
    Answer {
        /// Which activity.
        id: String,
        /// For which party; the caller's own if not stated.
        invited: Option<PartyId>,
        /// Whether it comes.
        accepts: bool,
        /// Why it does not.
        reason: Option<Commitment>,
    },
    /// Records that it took place.
    RecordHeld {
        /// Which activity.
        id: String,
        /// When, and who was there.
        held: HeldDraft,
    },
    /// Calls it off.
    Cancel {
        /// Which activity.
        id: String,
        /// Why.
        reason: Option<Commitment>,
    },
}

/// Decides a command on an activity.
///
/// # Errors
/// A refusal, or what has to be loaded first.
pub fn decide(command: &ActivityCommand, firm: &FirmId, view: &View<'_>) -> Result<Decision, Stop> {
    let (partnership, party) = as_active_party(firm, view)?;
    match command {
        ActivityCommand::Create(draft) => create(draft, &party.id, partnership, view),
        ActivityCommand::Answer {
            id,
            invited,
            accepts,
            reason,
        } => {
            let answered = ActivityAnswered {
                party: party.id.clone(),
                invited: invited.as_ref().unwrap_or(&party.id).clone(),
                accepts: *accepts,
                reason: reason.clone(),
            };
            answer(id, answered, partnership, view)
        }
        ActivityCommand::RecordHeld { id, held } => record_held(id, held, &party.id, view),
        ActivityCommand::Cancel { id, reason } => {
            let cancelled = ActivityCancelled {
                party: party.id.clone(),
                reason: reason.clone(),
            };
            cancel(id, cancelled, partnership, view)
        }
    }
}

fn create(
    draft: &ActivityDraft,
    party: &PartyId,
    partnership: &Partnership,
    view: &View<'_>,
) -> Result<Decision, Stop> {
    let host = draft.inviter.as_ref().unwrap_or(party);
    let is_other = |other: &&Party| other.id != *host && other.left.is_none();
    let others = partnership.parties.iter().filter(is_other);
    let invited = if draft.invited.is_empty() {
        others.map(|other| other.id.clone()).collect()
    } else {
        draft.invited.clone()
    };
    let mut violations = Violations::default();
    let field = "activity.inviting_party";
    require_own(&mut violations, field, host, partnership, party);
    require_invited(&mut violations, &invited, host, partnership);
    let planned_at = draft.planned_at;
    let planned_at = planned_at.or(draft.held.as_ref().map(|held| held.held_at));
    let rule = "must be given, between the years 2000 and 2099";
    let is_storable = planned_at.is_some_and(Timestamp::is_storable);
    violations.require(is_storable, "activity.planned_time", rule);
    if let Some(held) = &draft.held {
        require_past(
            &mut violations,
            "activity.held_time",
            held.held_at,
            view.now,
        );
        let concerned = |other: &PartyId| other == host || invited.contains(other);
        require_present(&mut violations, "activity.present_parties", held, concerned);
    }
    violations.finish()?;
    let invitation = ActivityInvited {
        party: party.clone(),
        inviter: host.clone(),
        invited,
        kind: draft.kind,
        purpose: draft.purpose,
        title: draft.title.clone(),
        planned_at: planned_at.unwrap_or(view.now),
        is_asserted: partnership.is_alone(),
    };
    let id = view.new_id(0);
    let decision = changed(&id, ActivityEvent::Invited(invitation));
    Ok(match &draft.held {
        Some(held) => decision.event(Event::new(&id, held_event(held, party))),
        None => decision,
    })
}

fn require_invited(
    violations: &mut Violations,
    invited: &[PartyId],
    host: &PartyId,
    partnership: &Partnership,
) {
    const FIELD: &str = "activity.invited_parties";
    violations.require(!invited.is_empty(), FIELD, "there is nobody to invite");
    let most = format!("no more than {PARTIES_MAX}");
    violations.require(invited.len() <= PARTIES_MAX, FIELD, &most);
    let mut seen = BTreeSet::new();
    for (index, party) in invited.iter().take(PARTIES_MAX).enumerate() {
        let field = format!("{FIELD}[{index}]");
        let once = seen.insert(party) && party != host;
        let rule = "each party once, and not the one that invites";
        violations.require(once, &field, rule);
        require_party(violations, &field, party, partnership);
    }
}

fn require_present(
    violations: &mut Violations,
    field: &str,
    held: &HeldDraft,
    concerned: impl Fn(&PartyId) -> bool,
) {
    violations.require(!held.present.is_empty(), field, "somebody must be there");
    let most = format!("no more than {PARTIES_MAX}");
    violations.require(held.present.len() <= PARTIES_MAX, field, &most);
    let mut seen = BTreeSet::new();
    for (index, party) in held.present.iter().take(PARTIES_MAX).enumerate() {
        let fits = seen.insert(party) && concerned(party);
        let rule = "each party once, and only those that invited or are invited";
        violations.require(fits, &format!("{field}[{index}]"), rule);
    }
}

fn held_event(held: &HeldDraft, party: &PartyId) -> ActivityEvent {
    let mut present = held.present.clone();
    present.sort();
    ActivityEvent::Held(ActivityHeld {
        party: party.clone(),
        held_at: held.held_at,
        present,
        note: held.note.clone(),
    })
}

fn changed(id: &str, event: ActivityEvent) -> Decision {
    Decision::about(Kind::Activity, id).event(Event::new(id, event))
}

fn refuse_over(activity: &Activity, action: &str) -> Result<(), Refusal> {
    if activity.state.is_ahead() {
        return Ok(());
    }
    Err(Refusal::invalid_state(activity.state.as_str(), action))
}

fn answer(
    id: &str,
    answered: ActivityAnswered,
    partnership: &Partnership,
    view: &View<'_>,
) -> Result<Decision, Stop> {
    let activity = view.get::<Activity>(id)?;
    let mut violations = Violations::default();
    let (field, own) = ("invited_party", &answered.party);
    require_own(&mut violations, field, &answered.invited, partnership, own);
    violations.finish()?;
    if !activity.invitation.invited.contains(&answered.invited) {
        let message = "an invitation is answered by those who are invited";
        return Err(not_yours(&answered.party, message));
    }
    let action = if answered.accepts {
        "AcceptActivity"
    } else {
        "DeclineActivity"
    };
    refuse_over(activity, action)?;
    let mut answers = activity.answers.iter();
    let said = answers.find(|earlier| earlier.invited == answered.invited);
    if said.is_some_and(|said| said.accepts == answered.accepts) {
        return Ok(Decision::about(Kind::Activity, id));
    }
    Ok(changed(id, ActivityEvent::Answered(answered)))
}

fn record_held(
    id: &str,
    held: &HeldDraft,
    party: &PartyId,
    view: &View<'_>,
) -> Result<Decision, Stop> {
    let activity = view.get::<Activity>(id)?;
    if !activity.concerns(party) {
        let message = "an activity is a matter of those who invited or are invited";
        return Err(not_yours(party, message));
    }
    let said: BTreeSet<_> = held.present.iter().collect();
    let same = activity.held.as_ref().is_some_and(|known| {
        known.held_at == held.held_at && known.present.iter().collect::<BTreeSet<_>>() == said
    });
    if same {
        return Ok(Decision::about(Kind::Activity, id));
    }
    refuse_over(activity, "RecordActivityHeld")?;
    let mut violations = Violations::default();
    require_past(&mut violations, "held_time", held.held_at, view.now);
    let concerned = |other: &PartyId| activity.concerns(other);
    require_present(&mut violations, "present_parties", held, concerned);
    violations.finish()?;
    Ok(changed(id, held_event(held, party)))
}

fn cancel(
    id: &str,
    cancelled: ActivityCancelled,
    partnership: &Partnership,
    view: &View<'_>,
) -> Result<Decision, Stop> {
    let activity = view.get::<Activity>(id)?;
    let inviter = &activity.invitation.inviter;
    let is_nobody = partnership
        .party(inviter)
        .is_some_and(Party::is_placeholder);
    if *inviter != cancelled.party && !is_nobody {
        let message = "an activity is called off by the party that invited";
        return Err(not_yours(&cancelled.party, message));
    }
    if activity.state == ActivityState::Cancelled {
        return Ok(Decision::about(Kind::Activity, id));
    }
    refuse_over(activity, "CancelActivity")?;
    Ok(changed(id, ActivityEvent::Cancelled(cancelled)))
}
