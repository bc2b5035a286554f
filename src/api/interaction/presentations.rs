//! Presentations to clients.

use tonic::{Request, Response};

use super::parse::{party, to_by, to_name};
use super::{Answer, mutation};
use crate::api::convert::{etag, known_enum, parse_name, to_timestamp};
use crate::api::expectation::parse::{Intake, client, neighbour};
use crate::api::listing::{self, Shown, Viewer, Wanted, name_in};
use crate::api::{Api, Envelope, Found, required};
use crate::domain::commitment::Commitment;
use crate::domain::firm::Permission;
use crate::domain::identity::{PartyId, ScopeId};
use crate::domain::interaction::InteractionCommand;
use crate::domain::interaction::presentation::{
    ClientPresentation, CountedPresence, OwnerPresence, Presence, PresentationAnswer,
    PresentationCommand, PresentationDraft, PresentationState,
};
use crate::domain::partnership::PARTIES_MAX;
use crate::domain::refusal::Refusal;
use crate::proto::v1;

/// Shape of a presentation's name.
const SHAPE: &str = "partnerships/*/clientPresentations/*";

pub(super) async fn create(
    api: &Api,
    request: &Request<v1::CreateClientPresentationRequest>,
) -> Answer<v1::ClientPresentation> {
    const METHOD: &str = "CreateClientPresentation";
    const FIELD: &str = "client_presentation";
    let caller = api.caller(request, Permission::Quotes).await?;
    let asked = request.get_ref();
    let [partnership] = parse_name("parent", &asked.parent, "partnerships/*")?;
    let given = asked.client_presentation.as_ref();
    let given = given.ok_or_else(|| required(FIELD))?;
    let scope = ScopeId::partnership(&partnership);
    let mut intake = Intake::new(api);
    let field = "client_presentation.present_time";
    let is_given = given.present_time.is_some();
    intake.faults.require(is_given, field, "is required");
    let presented_at = intake.instant(field, given.present_time);
    let (field, shape) = (
        "client_presentation.opportunity",
        "partnerships/*/opportunities/*",
    );
    let opportunity = neighbour(field, &scope, &given.opportunity, shape);
    let opportunity = intake.faults.take(opportunity);
    let (field, shape) = (
        "client_presentation.joint_quote",
        "partnerships/*/jointQuotes/*",
    );
    let quote = neighbour(field, &scope, &given.joint_quote, shape);
    let quote = intake.faults.take(quote);
    let client = client("client_presentation.client", &scope, &given.client);
    let client = intake.faults.take(client);
    let field = "client_presentation.portion_owners";
    let owners = owners(&mut intake, field, &given.portion_owners);
    let note = intake.text("client_presentation.note", &given.note);
    let openings = intake.finish()?;
    let draft = PresentationDraft {
        presenter: party(&given.presenter),
        presented_at: presented_at.ok_or_else(|| required(FIELD))?,
        opportunity,
        quote,
        client,
        owners,
        note,
    };
    let envelope = Envelope::new(&asked.request_id, &asked.origin, "");
    let command = InteractionCommand::Presentation(PresentationCommand::Record(draft));
    let mutation = mutation(&partnership, envelope, command, openings);
    listing::change::<ClientPresentation, _>(api, &caller, METHOD, request, mutation).await
}

fn owners(intake: &mut Intake<'_>, field: &str, given: &[v1::OwnerPresence]) -> Vec<OwnerPresence> {
    let mut owners = Vec::new();
    // One too many is enough for it to be noticed.
    for (index, owner) in given.iter().take(PARTIES_MAX + 1).enumerate() {
        let field = format!("{field}[{index}].presence");
        let presence = presence(&field, owner.presence);
        let presence = intake.faults.take(presence.map(Some));
        owners.extend(presence.map(|presence| OwnerPresence {
            party: PartyId::from_text(&owner.party_id),
            presence,
        }));
    }
    owners
}

pub(super) async fn confirm(
    api: &Api,
    request: &Request<v1::ConfirmClientPresentationRequest>,
) -> Answer<v1::ClientPresentation> {
    const METHOD: &str = "ConfirmClientPresentation";
    let caller = api.caller(request, Permission::Quotes).await?;
    let asked = request.get_ref();
    let [partnership, id] = parse_name("name", &asked.name, SHAPE)?;
    let envelope = Envelope::new(&asked.request_id, &asked.origin, &asked.etag);
    let command = InteractionCommand::Presentation(PresentationCommand::Confirm { id });
    let mutation = mutation(&partnership, envelope, command, Vec::new());
    listing::change::<ClientPresentation, _>(api, &caller, METHOD, request, mutation).await
}

pub(super) async fn contest(
    api: &Api,
    request: &Request<v1::ContestClientPresentationRequest>,
) -> Answer<v1::ClientPresentation> {
    const METHOD: &str = "ContestClientPresentation";
    let caller = api.caller(request, Permission::Quotes).await?;
    let asked = request.get_ref();
    let [partnership, id] = parse_name("name", &asked.name, SHAPE)?;
    let mut intake = Intake::new(api);
    let owners = owners(&mut intake, "portion_owners", &asked.portion_owners);
    let note = intake.text("note", &asked.note);
    let openings = intake.finish()?;
    let envelope = Envelope::new(&asked.request_id, &asked.origin, &asked.etag);
    let command = PresentationCommand::Contest { id, owners, note };
    let command = InteractionCommand::Presentation(command);
    let mutation = mutation(&partnership, envelope, command, openings);
    listing::change::<ClientPresentation, _>(api, &caller, METHOD, request, mutation).await
}

pub(super) async fn get(
    api: &Api,
    request: &Request<v1::GetClientPresentationRequest>,
) -> Answer<v1::ClientPresentation> {
    let caller = api.caller(request, Permission::Read).await?;
    let [partnership, id] = parse_name("name", &request.get_ref().name, SHAPE)?;
    let found = api.get::<ClientPresentation>(&caller, &partnership, &id);
    let (member, found) = found.await?;
    Ok(Response::new(listing::show(api, &member, found).await?))
}

pub(super) async fn list(
    api: &Api,
    request: &Request<v1::ListClientPresentationsRequest>,
) -> Answer<v1::ListClientPresentationsResponse> {
    let caller = api.caller(request, Permission::Read).await?;
    let asked = request.get_ref();
    let [partnership] = parse_name("parent", &asked.parent, "partnerships/*")?;
    let member = api.member(&caller, &partnership).await?;
    let wanted = Wanted {
        purpose: &format!("ListClientPresentations:{partnership}"),
        page_size: asked.page_size,
        page_token: &asked.page_token,
        recorded_state: None,
    };
    let every = |_: &ClientPresentation| true;
    let (client_presentations, next_page_token) =
        listing::list(api, &member, wanted, every).await?;
    Ok(Response::new(v1::ListClientPresentationsResponse {
        client_presentations,
        next_page_token,
    }))
}

fn presence(field: &str, value: i32) -> Result<Presence, Refusal> {
    Ok(match known_enum(field, value)? {
        v1::Presence::Present => Presence::Present,
        v1::Presence::Absent => Presence::Absent,
        v1::Presence::Refused | v1::Presence::Unspecified => Presence::Refused,
    })
}

const fn to_presence(presence: Presence) -> v1::Presence {
    match presence {
        Presence::Present => v1::Presence::Present,
        Presence::Absent => v1::Presence::Absent,
        Presence::Refused => v1::Presence::Refused,
    }
}

const fn to_state(state: PresentationState) -> v1::ClientPresentationState {
    match state {
        PresentationState::Recorded => v1::ClientPresentationState::Recorded,
        PresentationState::Confirmed => v1::ClientPresentationState::Confirmed,
        PresentationState::Contested => v1::ClientPresentationState::Contested,
    }
}

impl Shown for ClientPresentation {
    type Message = v1::ClientPresentation;

    const REFERENCED: bool = false;

    fn commitments(&self) -> Vec<Commitment> {
        let contests = self.answers.iter().filter_map(|it| it.contest.as_ref());
        let notes = contests.map(|contest| contest.note.clone());
        notes
            .chain([self.recorded.note.clone()])
            .flatten()
            .collect()
    }

    fn shown(found: &Found<Self>, viewer: &Viewer<'_>) -> v1::ClientPresentation {
        let presentation = &found.state;
        let recorded = &presentation.recorded;
        let scope = viewer.member.scope();
        let answers = presentation.answers.iter();
        let counted = presentation.counted();
        v1::ClientPresentation {
            name: name_in(&scope, "clientPresentations", &found.id),
            presenter: recorded.presenter.to_string(),
            present_time: Some(to_timestamp(recorded.presented_at)),
            opportunity: to_name(&scope, "opportunities", recorded.opportunity.as_ref()),
            joint_quote: to_name(&scope, "jointQuotes", recorded.quote.as_ref()),
            client: to_name(&scope, "clients", recorded.client.as_ref()),
            portion_owners: recorded.owners.iter().map(to_owner).collect(),
            note: viewer.texts.show(recorded.note.as_ref()),
            recording_party: recorded.party.to_string(),
            state: to_state(presentation.agreement()).into(),
            answers: answers.map(|answer| to_answer(answer, viewer)).collect(),
            counted_presences: counted.iter().map(to_counted).collect(),
            asserted: recorded.is_asserted,
            create_time: Some(to_timestamp(found.created_at)),
            update_time: Some(to_timestamp(found.updated_at)),
            etag: etag(found.revision),
            redacted_fields: viewer.texts.redacted_fields(presentation.commitments()),
        }
    }
}

fn to_owner(owner: &OwnerPresence) -> v1::OwnerPresence {
    v1::OwnerPresence {
        party_id: owner.party.to_string(),
        presence: to_presence(owner.presence).into(),
    }
}

fn to_counted(counted: &CountedPresence) -> v1::CountedPresence {
    v1::CountedPresence {
        party_id: counted.party.to_string(),
        presence: to_presence(counted.presence).into(),
        contested: counted.is_contested,
    }
}

fn to_answer(answer: &PresentationAnswer, viewer: &Viewer<'_>) -> v1::ClientPresentationAnswer {
    let (party_id, firm) = to_by(&answer.by);
    let contest = answer.contest.as_ref();
    let owners = contest.map_or::<&[OwnerPresence], _>(&[], |contest| &contest.owners);
    v1::ClientPresentationAnswer {
        party_id,
        firm,
        contested: contest.is_some(),
        portion_owners: owners.iter().map(to_owner).collect(),
        note: viewer.texts.show(contest.and_then(|it| it.note.as_ref())),
        answer_time: Some(to_timestamp(answer.by.at)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_value_comes_back() {
        for value in 1..=3 {
            let known = presence("p", value).unwrap();
            assert_eq!(i32::from(to_presence(known)), value);
        }
        assert!(presence("p", 0).is_err() && presence("p", 4).is_err());
    }
}
