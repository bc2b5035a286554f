//! Guest links: made, shown and taken back by firms. What guests do with them is in [`guest`].

mod convert;
pub(super) mod guest;
mod question;

use tonic::{Request, Response};

use self::convert::matter;
use super::{Answer, NAME};
use crate::api::caller::Caller;
use crate::api::convert::{parse_name, span};
use crate::api::faults::Faults;
use crate::api::listing::{self, Wanted};
use crate::api::sign_in::key::{SECRET_BYTES, new_secret};
use crate::api::status::ApiError;
use crate::api::text::Sealer;
use crate::api::{Api, Envelope, Mutation, required, respond};
use crate::domain::command::Action;
use crate::domain::firm::Permission;
use crate::domain::guest_link::{GuestLink, GuestLinkCommand, VALIDITY_DEFAULT};
use crate::domain::identity::{PartyId, ScopeId};
use crate::domain::text::{DISPLAY_NAME_BYTES_MAX, require_display_name};
use crate::ledger::Receipt;
use crate::proto::v1;

/// Shape of a link's name.
const SHAPE: &str = "partnerships/*/guestLinks/*";

pub(super) async fn create(
    api: &Api,
    request: &Request<v1::CreateGuestLinkRequest>,
) -> Answer<v1::CreateGuestLinkResponse> {
    let caller = api.caller(request, Permission::Approve).await?;
    let message = request.get_ref();
    let [partnership] = parse_name("parent", &message.parent, NAME)?;
    let asked = message.guest_link.as_ref();
    let asked = asked.ok_or_else(|| required("guest_link"))?;
    let mut faults = Faults::default();
    let mut sealer = Sealer::for_every_party(api);
    let field = "guest_link.person";
    require_display_name(&mut sealer.violations, field, &asked.person);
    let person = sealer.text(field, &asked.person, DISPLAY_NAME_BYTES_MAX);
    let matter = faults.take(matter(asked.matter.as_ref(), &partnership).map(Some));
    let validity = message.validity;
    let validity = validity.map(|validity| span("validity", validity));
    let validity = faults.take(validity.transpose());
    let openings = faults.finish_sealed(sealer)?;
    let (secret, digest) = fresh_secret(api);
    let party = Some(asked.party.as_str()).filter(|party| !party.is_empty());
    let command = GuestLinkCommand::Create {
        party: party.map(PartyId::from_text),
        person: person.ok_or_else(|| required(field))?,
        matter: matter.ok_or_else(|| required("guest_link.matter"))?,
        digest,
        validity: validity.unwrap_or(VALIDITY_DEFAULT),
    };
    let mutation = Mutation {
        scope: ScopeId::partnership(&partnership),
        envelope: Envelope::new(&message.request_id, &message.origin, ""),
        action: Action::GuestLink(command),
        openings,
    };
    let receipt = api
        .run(&caller, "CreateGuestLink", request, mutation)
        .await?;
    let shown = read(api, &caller, &partnership, &receipt.id).await?;
    // The secret of the first attempt is known to nobody any more: only its digest was kept.
    let code = if receipt.replayed {
        String::new()
    } else {
        guest::format_code(&partnership, &receipt.id, &secret)
    };
    let answer = v1::CreateGuestLinkResponse {
        guest_link: Some(shown),
        code,
    };
    Ok(respond(answer, &receipt))
}

fn fresh_secret(api: &Api) -> (String, String) {
    let mut random = [0; SECRET_BYTES];
    api.randomness.fill(&mut random);
    new_secret(&random)
}

pub(super) async fn revoke(
    api: &Api,
    request: &Request<v1::RevokeGuestLinkRequest>,
) -> Answer<v1::GuestLink> {
    let caller = api.caller(request, Permission::Approve).await?;
    let message = request.get_ref();
    let [partnership, id] = parse_name("name", &message.name, SHAPE)?;
    let mutation = Mutation {
        scope: ScopeId::partnership(&partnership),
        envelope: Envelope::new(&message.request_id, &message.origin, &message.etag),
        action: Action::GuestLink(GuestLinkCommand::Revoke { id }),
        openings: Vec::new(),
    };
    let receipt = api
        .run(&caller, "RevokeGuestLink", request, mutation)
        .await?;
    answer(api, &caller, &partnership, &receipt).await
}

/// The link after a change.
async fn answer(
    api: &Api,
    caller: &Caller,
    partnership: &str,
    receipt: &Receipt,
) -> Answer<v1::GuestLink> {
    let shown = read(api, caller, partnership, &receipt.id).await?;
    Ok(respond(shown, receipt))
}

async fn read(
    api: &Api,
    caller: &Caller,
    partnership: &str,
    id: &str,
) -> Result<v1::GuestLink, ApiError> {
    let (member, found) = api.get::<GuestLink>(caller, partnership, id).await?;
    listing::show(api, &member, found).await
}

pub(super) async fn get(
    api: &Api,
    request: &Request<v1::GetGuestLinkRequest>,
) -> Answer<v1::GuestLink> {
    let caller = api.caller(request, Permission::Read).await?;
    let [partnership, id] = parse_name("name", &request.get_ref().name, SHAPE)?;
    Ok(Response::new(read(api, &caller, &partnership, &id).await?))
}

pub(super) async fn list(
    api: &Api,
    request: &Request<v1::ListGuestLinksRequest>,
) -> Answer<v1::ListGuestLinksResponse> {
    let caller = api.caller(request, Permission::Read).await?;
    let asked = request.get_ref();
    let [partnership] = parse_name("parent", &asked.parent, NAME)?;
    let member = api.member(&caller, &partnership).await?;
    let wanted = Wanted {
        purpose: &format!("ListGuestLinks:{partnership}"),
        page_size: asked.page_size,
        page_token: &asked.page_token,
        recorded_state: None,
    };
    let every = |_: &GuestLink| true;
    let (guest_links, next_page_token) = listing::list(api, &member, wanted, every).await?;
    Ok(Response::new(v1::ListGuestLinksResponse {
        guest_links,
        next_page_token,
    }))
}
