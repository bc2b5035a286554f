//! Activities: invitations, and what came of them.

use tonic::{Request, Response};

use super::parse::{parties, party, to_by, to_parties};
use super::{Answer, mutation};
use crate::api::convert::{etag, known_enum, parse_name, to_timestamp};
use crate::api::expectation::parse::{Intake, stated};
use crate::api::listing::{self, Shown, Viewer, Wanted, name_in};
use crate::api::{Api, Envelope, Found, required};
use crate::domain::commitment::Commitment;
use crate::domain::firm::Permission;
use crate::domain::identity::PartyId;
use crate::domain::interaction::InteractionCommand;
use crate::domain::interaction::activity::{
    Activity, ActivityAnswer, ActivityCommand, ActivityDraft, ActivityKind, ActivityPurpose,
    ActivityState, HeldDraft,
};
use crate::domain::refusal::Refusal;
use crate::domain::time::Timestamp;
use crate::proto::v1;

/// Shape of an activity's name.
const SHAPE: &str = "partnerships/*/activities/*";

pub(super) async fn create(
    api: &Api,
    request: &Request<v1::CreateActivityRequest>,
) -> Answer<v1::Activity> {
    const FIELD: &str = "activity";
    let caller = api.caller(request, Permission::Quotes).await?;
    let asked = request.get_ref();
    let [partnership] = parse_name("parent", &asked.parent, "partnerships/*")?;
    let given = asked.activity.as_ref().ok_or_else(|| required(FIELD))?;
    let mut intake = Intake::new(api);
    let kind = kind("activity.kind", given.kind);
    let kind = intake.faults.take(kind.map(Some));
    let purpose = purpose("activity.purpose", given.purpose);
    let purpose = intake.faults.take(purpose.map(Some));
    let is_titled = !given.title.is_empty();
    let rule = "must not be empty";
    intake.faults.require(is_titled, "activity.title", rule);
    let title = intake.line("activity.title", &given.title);
    let planned_at = intake.instant("activity.planned_time", given.planned_time);
    let held_at = intake.instant("activity.held_time", given.held_time);
    let is_held = given.held_time.is_some();
    let rule = "must be given with held_time, and only then";
    let fits = given.present_parties.is_empty() != is_held;
    let field = "activity.present_parties";
    intake.faults.require(fits, field, rule);
    let openings = intake.finish()?;
    let (Some(kind), Some(purpose), Some(title)) = (kind, purpose, title) else {
        return Err(required(FIELD).into());
    };
    let held = held_at.map(|held_at| HeldDraft {
        held_at,
        present: parties(&given.present_parties),
        note: None,
    });
    let command = ActivityCommand::Create(ActivityDraft {
        inviter: party(&given.inviting_party),
        invited: parties(&given.invited_parties),
        kind,
        purpose,
        title,
        planned_at,
        held,
    });
    let envelope = Envelope::new(&asked.request_id, &asked.origin, "");
    let command = InteractionCommand::Activity(command);
    let mutation = mutation(&partnership, envelope, command, openings);
    listing::change::<Activity, _>(api, &caller, "CreateActivity", request, mutation).await
}

pub(super) async fn accept(
    api: &Api,
    request: &Request<v1::AcceptActivityRequest>,
) -> Answer<v1::Activity> {
    let caller = api.caller(request, Permission::Quotes).await?;
    let asked = request.get_ref();
    let [partnership, id] = parse_name("name", &asked.name, SHAPE)?;
    let command = ActivityCommand::Answer {
        id,
        invited: party(&asked.invited_party),
        accepts: true,
        reason: None,
    };
    let envelope = Envelope::new(&asked.request_id, &asked.origin, &asked.etag);
    let command = InteractionCommand::Activity(command);
    let mutation = mutation(&partnership, envelope, command, Vec::new());
    listing::change::<Activity, _>(api, &caller, "AcceptActivity", request, mutation).await
}

pub(super) async fn decline(
    api: &Api,
    request: &Request<v1::DeclineActivityRequest>,
) -> Answer<v1::Activity> {
    let caller = api.caller(request, Permission::Quotes).await?;
    let asked = request.get_ref();
    let [partnership, id] = parse_name("name", &asked.name, SHAPE)?;
    let mut intake = Intake::new(api);
    let reason = intake.text("reason", &asked.reason);
    let openings = intake.finish()?;
    let command = ActivityCommand::Answer {
        id,
        invited: party(&asked.invited_party),
        accepts: false,
        reason,
    };
    let envelope = Envelope::new(&asked.request_id, &asked.origin, &asked.etag);
    let command = InteractionCommand::Activity(command);
    let mutation = mutation(&partnership, envelope, command, openings);
    listing::change::<Activity, _>(api, &caller, "DeclineActivity", request, mutation).await
}

pub(super) async fn record_held(
    api: &Api,
    request: &Request<v1::RecordActivityHeldRequest>,
) -> Answer<v1::Activity> {
    let caller = api.caller(request, Permission::Quotes).await?;
    let asked = request.get_ref();
    let [partnership, id] = parse_name("name", &asked.name, SHAPE)?;
    let mut intake = Intake::new(api);
    let is_given = asked.held_time.is_some();
    intake.faults.require(is_given, "held_time", "is required");
    let held_at = intake.instant("held_time", asked.held_time);
    let note = intake.text("note", &asked.note);
    let openings = intake.finish()?;
    let held = HeldDraft {
        held_at: held_at.ok_or_else(|| required("held_time"))?,
        present: parties(&asked.present_parties),
        note,
    };
    let envelope = Envelope::new(&asked.request_id, &asked.origin, &asked.etag);
    let command = InteractionCommand::Activity(ActivityCommand::RecordHeld { id, held });
    let mutation = mutation(&partnership, envelope, command, openings);
    listing::change::<Activity, _>(api, &caller, "RecordActivityHeld", request, mutation).await
}

pub(super) async fn cancel(
    api: &Api,
    request: &Request<v1::CancelActivityRequest>,
) -> Answer<v1::Activity> {
    let caller = api.caller(request, Permission::Quotes).await?;
    let asked = request.get_ref();
    let [partnership, id] = parse_name("name", &asked.name, SHAPE)?;
    let mut intake = Intake::new(api);
    let reason = intake.text("reason", &asked.reason);
    let openings = intake.finish()?;
    let envelope = Envelope::new(&asked.request_id, &asked.origin, &asked.etag);
    let command = InteractionCommand::Activity(ActivityCommand::Cancel { id, reason });
    let mutation = mutation(&partnership, envelope, command, openings);
    listing::change::<Activity, _>(api, &caller, "CancelActivity", request, mutation).await
}

pub(super) async fn get(
    api: &Api,
    request: &Request<v1::GetActivityRequest>,
) -> Answer<v1::Activity> {
    let caller = api.caller(request, Permission::Read).await?;
    let [partnership, id] = parse_name("name", &request.get_ref().name, SHAPE)?;
    let (member, found) = api.get::<Activity>(&caller, &partnership, &id).await?;
    Ok(Response::new(listing::show(api, &member, found).await?))
}

pub(super) async fn list(
    api: &Api,
    request: &Request<v1::ListActivitiesRequest>,
) -> Answer<v1::ListActivitiesResponse> {
    let caller = api.caller(request, Permission::Read).await?;
    let asked = request.get_ref();
    let [partnership] = parse_name("parent", &asked.parent, "partnerships/*")?;
    let state = state("state", asked.state)?;
    let member = api.member(&caller, &partnership).await?;
    // What the end of the partnership closed is recorded as it was until a sweep has come by.
    let is_settled = |state: &ActivityState| {
        let is_closed = *state == ActivityState::Closed;
        !state.is_ahead() && !is_closed
    };
    let wanted = Wanted {
        purpose: &format!("ListActivities:{partnership}:{}", asked.state),
        page_size: asked.page_size,
        page_token: &asked.page_token,
        recorded_state: state.filter(is_settled).map(ActivityState::as_str),
    };
    let keep = |found: &Activity| state.is_none_or(|state| found.state == state);
    let (activities, next_page_token) = listing::list(api, &member, wanted, keep).await?;
    Ok(Response::new(v1::ListActivitiesResponse {
        activities,
        next_page_token,
    }))
}

fn kind(field: &str, value: i32) -> Result<ActivityKind, Refusal> {
    Ok(match known_enum(field, value)? {
        v1::ActivityKind::Review => ActivityKind::Review,
        v1::ActivityKind::Training => ActivityKind::Training,
        v1::ActivityKind::Webinar => ActivityKind::Webinar,
        v1::ActivityKind::Visit => ActivityKind::Visit,
        v1::ActivityKind::Roadmap => ActivityKind::Roadmap,
        v1::ActivityKind::Other | v1::ActivityKind::Unspecified => ActivityKind::Other,
    })
}

const fn to_kind(kind: ActivityKind) -> v1::ActivityKind {
    match kind {
        ActivityKind::Review => v1::ActivityKind::Review,
        ActivityKind::Training => v1::ActivityKind::Training,
        ActivityKind::Webinar => v1::ActivityKind::Webinar,
        ActivityKind::Visit => v1::ActivityKind::Visit,
        ActivityKind::Roadmap => v1::ActivityKind::Roadmap,
        ActivityKind::Other => v1::ActivityKind::Other,
    }
}

fn purpose(field: &str, value: i32) -> Result<ActivityPurpose, Refusal> {
    Ok(match known_enum(field, value)? {
        v1::ActivityPurpose::Growth => ActivityPurpose::Growth,
        v1::ActivityPurpose::Support | v1::ActivityPurpose::Unspecified => ActivityPurpose::Support,
    })
}

const fn to_purpose(purpose: ActivityPurpose) -> v1::ActivityPurpose {
    match purpose {
        ActivityPurpose::Growth => v1::ActivityPurpose::Growth,
        ActivityPurpose::Support => v1::ActivityPurpose::Support,
    }
}

/// A state that may be left out.
fn state(field: &str, value: i32) -> Result<Option<ActivityState>, Refusal> {
    let state = stated::<v1::ActivityState>(field, value)?;
    Ok(state.and_then(|state| match state {
        v1::ActivityState::Unspecified => None,
        v1::ActivityState::Invited => Some(ActivityState::Invited),
        v1::ActivityState::Accepted => Some(ActivityState::Accepted),
        v1::ActivityState::Declined => Some(ActivityState::Declined),
        v1::ActivityState::Held => Some(ActivityState::Held),
        v1::ActivityState::Cancelled => Some(ActivityState::Cancelled),
        v1::ActivityState::Closed => Some(ActivityState::Closed),
    }))
}

const fn to_state(state: ActivityState) -> v1::ActivityState {
    match state {
        ActivityState::Invited => v1::ActivityState::Invited,
        ActivityState::Accepted => v1::ActivityState::Accepted,
        ActivityState::Declined => v1::ActivityState::Declined,
        ActivityState::Held => v1::ActivityState::Held,
        ActivityState::Cancelled => v1::ActivityState::Cancelled,
        ActivityState::Closed => v1::ActivityState::Closed,
    }
}

impl Shown for Activity {
    type Message = v1::Activity;

    const REFERENCED: bool = false;

    fn commitments(&self) -> Vec<Commitment> {
        let reasons = self.answers.iter().map(|answer| answer.reason.clone());
        let note = self.held.as_ref().and_then(|held| held.note.clone());
        let title = Some(self.invitation.title.clone());
        let others = [title, note, self.cancel_reason.clone()].into_iter();
        reasons.chain(others).flatten().collect()
    }

    fn shown(found: &Found<Self>, viewer: &Viewer<'_>) -> v1::Activity {
        let activity = &found.state;
        let invitation = &activity.invitation;
        let held = activity.held.as_ref();
        let instant = |at: Option<Timestamp>| at.map(to_timestamp);
        let present = held.map_or::<&[PartyId], _>(&[], |held| &held.present);
        let answers = activity.answers.iter();
        v1::Activity {
            name: name_in(&viewer.member.scope(), "activities", &found.id),
            kind: to_kind(invitation.kind).into(),
            purpose: to_purpose(invitation.purpose).into(),
            title: viewer.texts.show(Some(&invitation.title)),
            inviting_party: invitation.inviter.to_string(),
            invited_parties: to_parties(&invitation.invited),
            planned_time: instant(Some(invitation.planned_at)),
            held_time: instant(held.map(|held| held.held_at)),
            present_parties: to_parties(present),
            state: to_state(activity.state).into(),
            answers: answers.map(|answer| to_answer(answer, viewer)).collect(),
            held_note: viewer.texts.show(held.and_then(|held| held.note.as_ref())),
            cancel_reason: viewer.texts.show(activity.cancel_reason.as_ref()),
            asserted: invitation.is_asserted,
            close_time: instant(activity.closed_at),
            create_time: Some(to_timestamp(found.created_at)),
            update_time: Some(to_timestamp(found.updated_at)),
            etag: etag(found.revision),
            redacted_fields: viewer.texts.redacted_fields(activity.commitments()),
        }
    }
}

fn to_answer(answer: &ActivityAnswer, viewer: &Viewer<'_>) -> v1::ActivityAnswer {
    let (party_id, firm) = to_by(&answer.by);
    v1::ActivityAnswer {
        invited_party: answer.invited.to_string(),
        accepted: answer.accepts,
        reason: viewer.texts.show(answer.reason.as_ref()),
        party_id,
        firm,
        answer_time: Some(to_timestamp(answer.by.at)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_value_comes_back() {
        for value in 1..=6 {
            let known = kind("k", value).unwrap();
            assert_eq!(i32::from(to_kind(known)), value);
            let known = state("s", value).unwrap().unwrap();
            assert_eq!(i32::from(to_state(known)), value);
        }
        for value in 1..=2 {
            let known = purpose("p", value).unwrap();
            assert_eq!(i32::from(to_purpose(known)), value);
        }
        assert!(kind("k", 0).is_err() && purpose("p", 3).is_err() && state("s", 7).is_err());
        assert_eq!(state("s", 0), Ok(None));
    }
}
