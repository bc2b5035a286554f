//! `CreateCheckupLink`: a link to the page of a check-up.

use tonic::{Request, Response};

use super::{Asked, CheckupService, asked, check_as_of, window};
use crate::api::checkup_link::{
    CheckupLink, FRAME_ORIGINS_MAX, LIFETIME_DEFAULT, LIFETIME_MAX, LIFETIME_MIN, is_frame_origin,
};
use crate::api::convert::{span, to_timestamp};
use crate::api::faults::Faults;
use crate::api::status::ApiError;
use crate::domain::firm::Permission;
use crate::domain::refusal::Refusal;
use crate::domain::time::Span;
use crate::proto::v1;

pub(super) async fn create(
    service: &CheckupService,
    request: &Request<v1::CreateCheckupLinkRequest>,
) -> Result<Response<v1::CheckupLink>, ApiError> {
    let api = service.api.as_ref();
    let caller = api.caller(request, Permission::Read).await?;
    let message = request.get_ref();
    let (partnership, wanted, lifetime) = wanted(message)?;
    let member = api.member(&caller, &partnership).await?;
    let now = api.now();
    check_as_of(wanted.as_of, &member, now)?;
    window(wanted.window, wanted.as_of.unwrap_or(now))?;
    let link = CheckupLink {
        partnership,
        firm: caller.firm,
        as_of: wanted.as_of,
        window: wanted.window,
        until: now.saturating_add(lifetime),
        frame_origins: message.frame_origins.clone(),
    };
    Ok(Response::new(v1::CheckupLink {
        path: link.path(&api.tokens)?,
        expire_time: Some(to_timestamp(link.until)),
    }))
}

/// Of which partnership, of what, and for how long.
fn wanted(message: &v1::CreateCheckupLinkRequest) -> Result<(String, Asked, Span), Refusal> {
    let mut faults = Faults::default();
    let question = asked(&v1::GetCheckupRequest {
        name: message.name.clone(),
        as_of_time: message.as_of_time,
        window: message.window,
    });
    let (partnership, asked) = faults.take(question);
    let lifetime = message.lifetime.map(|given| span("lifetime", given));
    let lifetime = faults.take(lifetime.transpose());
    let lifetime = lifetime.unwrap_or(LIFETIME_DEFAULT);
    let is_within = (LIFETIME_MIN..=LIFETIME_MAX).contains(&lifetime);
    faults.require(is_within, "lifetime", "must be from 1 minute to 7 days");
    let origins = &message.frame_origins;
    let few = origins.len() <= FRAME_ORIGINS_MAX;
    faults.require(few, "frame_origins", "must be 4 at most");
    for (index, origin) in origins.iter().take(FRAME_ORIGINS_MAX).enumerate() {
        let field = format!("frame_origins[{index}]");
        let rule = "must be https:// and a host in lower case, such as https://*.psa.example";
        faults.require(is_frame_origin(origin), &field, rule);
    }
    faults.finish()?;
    Ok((partnership, asked, lifetime))
}
