//! What the parties can do.

use tonic::{Request, Response};

use super::parse::{party, to_name};
use super::{Answer, mutation};
use crate::api::convert::{etag, parse_name, to_timestamp};
use crate::api::expectation::parse::{Intake, neighbour, stated};
use crate::api::listing::{self, Shown, Viewer, Wanted, name_in};
use crate::api::{Api, Envelope, Found, required};
use crate::domain::commitment::Commitment;
use crate::domain::firm::Permission;
use crate::domain::identity::ScopeId;
use crate::domain::interaction::InteractionCommand;
use crate::domain::interaction::capability::{
    Capability, CapabilityCommand, CapabilityDraft, OFFERED, RETIRED,
};
use crate::proto::v1;

/// Shape of a capability's name.
const SHAPE: &str = "partnerships/*/capabilities/*";

pub(super) async fn create(
    api: &Api,
    request: &Request<v1::CreateCapabilityRequest>,
) -> Answer<v1::Capability> {
    let caller = api.caller(request, Permission::Quotes).await?;
    let asked = request.get_ref();
    let [partnership] = parse_name("parent", &asked.parent, "partnerships/*")?;
    let given = asked.capability.as_ref();
    let given = given.ok_or_else(|| required("capability"))?;
    let scope = ScopeId::partnership(&partnership);
    let mut intake = Intake::new(api);
    let (field, shape) = ("capability.calendar", "partnerships/*/calendars/*");
    let calendar = neighbour(field, &scope, &given.calendar, shape);
    let calendar = intake.faults.take(calendar);
    let hours = intake.text("capability.hours", &given.hours);
    let openings = intake.finish()?;
    let draft = CapabilityDraft {
        owner: party(&given.party_id),
        service: given.service.clone(),
        region: (!given.region.is_empty()).then(|| given.region.clone()),
        calendar,
        hours,
    };
    let envelope = Envelope::new(&asked.request_id, &asked.origin, "");
    let command = InteractionCommand::Capability(CapabilityCommand::Offer(draft));
    let mutation = mutation(&partnership, envelope, command, openings);
    listing::change::<Capability, _>(api, &caller, "CreateCapability", request, mutation).await
}

pub(super) async fn retire(
    api: &Api,
    request: &Request<v1::RetireCapabilityRequest>,
) -> Answer<v1::Capability> {
    let caller = api.caller(request, Permission::Quotes).await?;
    let asked = request.get_ref();
    let [partnership, id] = parse_name("name", &asked.name, SHAPE)?;
    let envelope = Envelope::new(&asked.request_id, &asked.origin, &asked.etag);
    let command = InteractionCommand::Capability(CapabilityCommand::Retire { id });
    let mutation = mutation(&partnership, envelope, command, Vec::new());
    listing::change::<Capability, _>(api, &caller, "RetireCapability", request, mutation).await
}

pub(super) async fn get(
    api: &Api,
    request: &Request<v1::GetCapabilityRequest>,
) -> Answer<v1::Capability> {
    let caller = api.caller(request, Permission::Read).await?;
    let [partnership, id] = parse_name("name", &request.get_ref().name, SHAPE)?;
    let (member, found) = api.get::<Capability>(&caller, &partnership, &id).await?;
    Ok(Response::new(listing::show(api, &member, found).await?))
}

pub(super) async fn list(
    api: &Api,
    request: &Request<v1::ListCapabilitiesRequest>,
) -> Answer<v1::ListCapabilitiesResponse> {
    let caller = api.caller(request, Permission::Read).await?;
    let asked = request.get_ref();
    let [partnership] = parse_name("parent", &asked.parent, "partnerships/*")?;
    let state = stated::<v1::CapabilityState>("state", asked.state)?;
    let recorded_state = state.and_then(|state| match state {
        v1::CapabilityState::Unspecified => None,
        v1::CapabilityState::Offered => Some(OFFERED),
        v1::CapabilityState::Retired => Some(RETIRED),
    });
    let member = api.member(&caller, &partnership).await?;
    let wanted = Wanted {
        purpose: &format!("ListCapabilities:{partnership}:{}", asked.state),
        page_size: asked.page_size,
        page_token: &asked.page_token,
        recorded_state,
    };
    let every = |_: &Capability| true;
    let (capabilities, next_page_token) = listing::list(api, &member, wanted, every).await?;
    Ok(Response::new(v1::ListCapabilitiesResponse {
        capabilities,
        next_page_token,
    }))
}

impl Shown for Capability {
    type Message = v1::Capability;

    const REFERENCED: bool = false;

    fn commitments(&self) -> Vec<Commitment> {
        self.offered.hours.iter().cloned().collect()
    }

    fn shown(found: &Found<Self>, viewer: &Viewer<'_>) -> v1::Capability {
        let capability = &found.state;
        let offered = &capability.offered;
        let scope = viewer.member.scope();
        let state = match capability.retired_at {
            None => v1::CapabilityState::Offered,
            Some(_) => v1::CapabilityState::Retired,
        };
        v1::Capability {
            name: name_in(&scope, "capabilities", &found.id),
            party_id: offered.owner.to_string(),
            service: offered.service.clone(),
            region: offered.region.clone().unwrap_or_default(),
            calendar: to_name(&scope, "calendars", offered.calendar.as_ref()),
            hours: viewer.texts.show(offered.hours.as_ref()),
            state: state.into(),
            retire_time: capability.retired_at.map(to_timestamp),
            create_time: Some(to_timestamp(found.created_at)),
            update_time: Some(to_timestamp(found.updated_at)),
            etag: etag(found.revision),
            redacted_fields: viewer.texts.redacted_fields(capability.commitments()),
        }
    }
}
