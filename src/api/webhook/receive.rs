//! What comes in at a webhook endpoint: is it from whom it should be, and what becomes of it.

use data_encoding::{BASE64, HEXLOWER_PERMISSIVE};
use hmac::{Hmac, KeyInit, Mac};
use http::HeaderMap;
use http::header::AUTHORIZATION;
use sha1::Sha1;
use sha2::Sha256;
use subtle::ConstantTimeEq;

use super::{endpoints, secrets};
use crate::api::caller::{Caller, RecognisedBy};
use crate::api::sla::ingest::ingest_each;
use crate::api::sla::ticket_event::taken;
use crate::api::status::ApiError;
use crate::api::{Api, DEADLINE_DEFAULT, Found};
use crate::domain::firm::Permission;
use crate::domain::identity::FirmId;
use crate::domain::refusal::{Reason, Refusal};
use crate::domain::webhook::{Authentication, Vendor, WebhookEndpoint, actor_of};
use crate::proto::v1;

/// Longest header that is looked at, in bytes.
const PROOF_BYTES_MAX: usize = 512;

/// To whom something was sent, and how its sender proves itself beside the body.
#[derive(Clone, Copy, Debug)]
pub struct Addressed<'a> {
    /// The firm's id.
    pub firm: &'a str,
    /// The endpoint's id.
    pub endpoint: &'a str,
    /// The secret in the address, if there is one.
    pub url_secret: Option<&'a str>,
    /// The headers.
    pub headers: &'a HeaderMap,
}

/// An endpoint whose sender has proved itself.
#[derive(Clone, Debug)]
pub struct Recognised {
    caller: Caller,
    endpoint: Found<WebhookEndpoint>,
}

impl Recognised {
    /// What the endpoint was made with.
    #[must_use]
    pub fn made(&self) -> &crate::domain::webhook::EndpointCreated {
        &self.endpoint.state.made
    }
}

/// The one answer to whoever is not known: whether there is such an endpoint is not said.
fn unknown() -> Refusal {
    let message = "no such endpoint, or not signed as it has to be";
    Refusal::new(Reason::Unauthenticated, message)
}

/// The endpoint that something was sent to, before anything of it is read.
///
/// # Errors
/// [`Reason::Unauthenticated`] if there is none.
pub async fn find(api: &Api, to: &Addressed<'_>) -> Result<Found<WebhookEndpoint>, ApiError> {
    let firm = FirmId::parse(to.firm).ok_or_else(unknown)?;
    match endpoints::endpoint(api, &firm, to.endpoint).await {
        Ok(endpoint) if endpoint.state.disabled_at.is_none() => Ok(endpoint),
        Ok(_) => Err(unknown().into()),
        Err(ApiError(refusal)) if refusal.reason == Reason::NotFound => Err(unknown().into()),
        Err(error) => Err(error),
    }
}

/// Recognises the sender of a body to an endpoint.
///
/// # Errors
/// [`Reason::Unauthenticated`], without saying which part was wrong; [`Reason::QuotaExceeded`] for a
/// firm that calls too often.
pub fn recognise(
    api: &Api,
    endpoint: Found<WebhookEndpoint>,
    to: &Addressed<'_>,
    body: &[u8],
) -> Result<Recognised, Refusal> {
    let firm = FirmId::parse(to.firm).ok_or_else(unknown)?;
    let state = &endpoint.state;
    let good = state.secret.good_at(api.now()).into_iter();
    let mut secrets = good.map(|generation| {
        secrets::of_endpoint(&api.tokens, &firm.scope(), &endpoint.id, generation)
    });
    if !secrets.any(|secret| proves(state, to, &secret, body)) {
        return Err(unknown());
    }
    if let Some(quotas) = &api.quotas {
        quotas.count(&firm)?;
    }
    let caller = Caller {
        by: RecognisedBy::Webhook,
        actor: actor_of(&endpoint.id),
        firm,
        permissions: vec![Permission::Tickets],
    };
    Ok(Recognised { caller, endpoint })
}

/// Whether a sender knows the secret.
fn proves(endpoint: &WebhookEndpoint, to: &Addressed<'_>, secret: &str, body: &[u8]) -> bool {
    let header = |name: &str| {
        let value = to.headers.get(name).and_then(|value| value.to_str().ok());
        value.filter(|value| value.len() <= PROOF_BYTES_MAX)
    };
    let same = |given: &str| bool::from(given.as_bytes().ct_eq(secret.as_bytes()));
    if to.url_secret.is_some() != (endpoint.made.authentication == Authentication::UrlSecret) {
        return false;
    }
    match endpoint.made.authentication {
        Authentication::UrlSecret => to.url_secret.is_some_and(same),
        Authentication::SharedSecret => {
            let given = header(AUTHORIZATION.as_str()).and_then(sent_secret);
            given.is_some_and(|given| same(&given))
        }
        Authentication::SignatureSha1 => {
            let name = match endpoint.made.vendor {
                Vendor::Autotask => "x-hook-signature",
                _ => "x-hub-signature",
            };
            let given = header(name).and_then(|value| digest(value, "sha1="));
            given.is_some_and(|given| sha1_of(secret, body).ct_eq(&given).into())
        }
        Authentication::SignatureSha256 => {
            let given = header("x-hub-signature-256").and_then(|value| digest(value, "sha256="));
            given.is_some_and(|given| sha256_of(secret, body).ct_eq(&given).into())
        }
    }
}

/// The secret in `Bearer <secret>`, or in `Basic <base64 of name:secret>`.
fn sent_secret(value: &str) -> Option<String> {
    let (scheme, rest) = value.split_once(' ')?;
    if scheme.eq_ignore_ascii_case("bearer") {
        return Some(rest.trim().to_owned());
    }
    if !scheme.eq_ignore_ascii_case("basic") {
        return None;
    }
    let decoded = String::from_utf8(BASE64.decode(rest.trim().as_bytes()).ok()?).ok()?;
    decoded.split_once(':').map(|(_, secret)| secret.to_owned())
}

/// The bytes of a signature, as hexadecimal digits or base64.
fn digest(value: &str, prefix: &str) -> Option<Vec<u8>> {
    let value = value.trim().strip_prefix(prefix)?.as_bytes();
    let decoded = HEXLOWER_PERMISSIVE.decode(value);
    decoded.or_else(|_| BASE64.decode(value)).ok()
}

fn sha1_of(secret: &str, body: &[u8]) -> Vec<u8> {
    // HMAC takes keys of any length, so this cannot fail; and nothing is empty's equal.
    let Ok(mut mac) = Hmac::<Sha1>::new_from_slice(secret.as_bytes()) else {
        return Vec::new();
    };
    mac.update(body);
    mac.finalize().into_bytes().to_vec()
}

fn sha256_of(secret: &str, body: &[u8]) -> Vec<u8> {
    let Ok(mut mac) = Hmac::<Sha256>::new_from_slice(secret.as_bytes()) else {
        return Vec::new();
    };
    mac.update(body);
    mac.finalize().into_bytes().to_vec()
}

/// Takes the events that a body stands for, by the way of `BatchIngestEvents`.
///
/// # Errors
/// The first refusal. What was taken beside it stays; a retry of the whole is safe.
pub async fn take(
    api: &Api,
    from: &Recognised,
    events: Vec<v1::TicketEvent>,
) -> Result<v1::WebhookReceipt, ApiError> {
    let mut receipt = v1::WebhookReceipt::default();
    let made = from.made();
    let member = api.member(&from.caller, &made.partnership).await?;
    if events.is_empty() {
        return Ok(receipt);
    }
    let message = v1::BatchIngestEventsRequest {
        parent: member.scope().to_string(),
        origin: made.system.clone(),
        events,
        ..v1::BatchIngestEventsRequest::default()
    };
    let deadline = api.now().saturating_add(DEADLINE_DEFAULT);
    let scope = member.scope();
    let answers = ingest_each(api, &from.caller, &scope, &message, deadline).await?;
    for answer in answers {
        let lost = || Refusal::new(Reason::Internal, "an answer was lost");
        let result = taken(&answer?.ok_or_else(lost)?);
        receipt.event_count += 1;
        match result.outcome() {
            v1::IngestOutcome::AlreadyApplied => receipt.already_applied_count += 1,
            v1::IngestOutcome::Parked => receipt.parked_count += 1,
            _ => {}
        }
        if !receipt.tickets.contains(&result.ticket) {
            receipt.tickets.push(result.ticket);
        }
    }
    Ok(receipt)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn secrets_come_by_bearer_or_basic() {
        assert_eq!(sent_secret("Bearer abc"), Some("abc".to_owned()));
        let basic = format!("basic {}", BASE64.encode(b"halo:a:b"));
        assert_eq!(sent_secret(&basic), Some("a:b".to_owned()));
        for bad in ["", "abc", "Digest abc", "Basic !", "Basic YWJj"] {
            assert_eq!(sent_secret(bad), None, "{bad}");
        }
    }

    #[test]
    fn signatures_are_hexadecimal_or_base64() {
        // RFC 2202, test case 2.
        let expected = "effcdf6ae5eb2fa2d27416d5f184df9c259a7c79";
        let mac = sha1_of("Jefe", b"what do ya want for nothing?");
        assert_eq!(
            digest(&format!("sha1={expected}"), "sha1="),
            Some(mac.clone())
        );
        let base64 = format!("sha1={}", BASE64.encode(&mac));
        assert_eq!(digest(&base64, "sha1="), Some(mac));
        for bad in ["", "sha1", expected, "sha256=00", "sha1=?"] {
            assert_eq!(digest(bad, "sha1="), None, "{bad}");
        }
    }
}
