//! The door for what PSAs send by themselves: `POST /webhooks/{firm}/{endpoint}`, on the same port.
//!
//! It stands before everything that logs addresses, since an address may contain a secret. All that
//! comes in is foreign: it is bounded, its sender is recognised before it is read, and it is read
//! strictly. What it says goes the way of `BatchIngestEvents`.

pub mod payload;
mod vendors;

use std::convert::Infallible;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::Duration;

use bytes::Bytes;
use http::header::{ALLOW, CONTENT_TYPE, HeaderValue};
use http::{HeaderMap, Method, Request, Response, StatusCode};
use http_body_util::{BodyExt, Limited};
use metrics::{counter, describe_counter};
use tokio::sync::Semaphore;
use tonic::body::Body;
use tower::{Layer, Service};

use super::json::answer::{Fault, fault_response, message_json, respond};
use super::json::strict;
use crate::api::Api;
use crate::api::webhook::receive::{self, Addressed, Recognised};
use crate::domain::refusal::{Reason, Refusal};
use crate::proto::v1;

/// Begins every path of an endpoint.
const PREFIX: &str = "/webhooks/";
/// Largest body taken, in bytes.
pub const BODY_BYTES_MAX: usize = 1024 * 1024;
/// Most deliveries under way at a time. Senders are recognised only after their body has come, so this
/// bounds how much can be kept in memory by whoever knows an endpoint; nobody else gets a place.
pub const DELIVERIES_MAX: usize = 64;
/// How long a body may take to come.
const BODY_WITHIN: Duration = Duration::from_secs(10);
/// Full name of what is answered.
const RECEIPT: &str = "entente.v1.WebhookReceipt";
/// Deliveries by vendor and outcome.
const RECEIVED: &str = "entente_webhooks_received_total";

/// Says what is measured.
pub fn describe() {
    describe_counter!(RECEIVED, "Webhooks received, by vendor and outcome");
}

/// What the door needs.
#[derive(Debug)]
pub struct Door {
    api: Arc<Api>,
    places: Semaphore,
}

impl Door {
    /// A door to `api`.
    #[must_use]
    pub fn new(api: Arc<Api>) -> Self {
        Self {
            api,
            places: Semaphore::new(DELIVERIES_MAX),
        }
    }
}

/// Puts the door in front of everything else.
#[derive(Clone, Debug)]
pub struct WebhookLayer(pub Arc<Door>);

impl<S> Layer<S> for WebhookLayer {
    type Service = WebhookService<S>;

    fn layer(&self, inner: S) -> Self::Service {
        WebhookService {
            door: Arc::clone(&self.0),
            inner,
        }
    }
}

/// Everything else, with the door in front.
#[derive(Clone, Debug)]
pub struct WebhookService<S> {
    door: Arc<Door>,
    inner: S,
}

type Answer<E> = Pin<Box<dyn Future<Output = Result<Response<Body>, E>> + Send>>;

impl<S, B> Service<Request<Body>> for WebhookService<S>
where
    S: Service<Request<Body>, Response = Response<B>, Error = Infallible>,
    S::Future: Send + 'static,
    B: tonic::codegen::Body<Data = Bytes> + Send + 'static,
    B::Error: Into<tonic::codegen::StdError>,
{
    type Response = Response<Body>;
    type Error = Infallible;
    type Future = Answer<Infallible>;

    fn poll_ready(&mut self, context: &mut Context<'_>) -> Poll<Result<(), Infallible>> {
        self.inner.poll_ready(context)
    }

    fn call(&mut self, request: Request<Body>) -> Answer<Infallible> {
        if !request.uri().path().starts_with(PREFIX) {
            let answer = self.inner.call(request);
            return Box::pin(async move { Ok(answer.await?.map(Body::new)) });
        }
        let door = Arc::clone(&self.door);
        Box::pin(async move { Ok(door.answer(request).await) })
    }
}

impl Door {
    async fn answer(&self, request: Request<Body>) -> Response<Body> {
        let mut vendor = "unknown";
        let received = self.receive(request, &mut vendor).await;
        let (outcome, response) = match received {
            Ok((outcome, text)) => (outcome, respond(StatusCode::OK, text, HeaderMap::new())),
            Err((outcome, fault)) => (outcome, fault_response(&fault)),
        };
        counter!(RECEIVED, "vendor" => vendor, "outcome" => outcome).increment(1);
        if response.status() == StatusCode::METHOD_NOT_ALLOWED {
            return allowing_post(response);
        }
        response
    }

    /// Takes one delivery; what came of it in a word, and the answer.
    async fn receive(
        &self,
        request: Request<Body>,
        vendor: &mut &'static str,
    ) -> Result<(&'static str, Vec<u8>), (&'static str, Fault)> {
        let (parts, body) = request.into_parts();
        check_form(&parts.method, &parts.headers).map_err(|fault| ("malformed", fault))?;
        let to = addressed(parts.uri.path(), &parts.headers);
        let to = to.ok_or_else(|| ("unauthenticated", no_such_path()))?;
        let endpoint = receive::find(&self.api, &to).await;
        let endpoint = endpoint.map_err(|error| (outcome_of(error.0.reason), error.0.into()))?;
        let full = |_| Refusal::new(Reason::QueueFull, "too many webhooks at a time");
        let place = self.places.try_acquire();
        let _place = place.map_err(|none| ("busy", Fault::from(full(none))))?;
        let body = read(body).await.map_err(|fault| ("malformed", fault))?;
        let from = receive::recognise(&self.api, endpoint, &to, &body);
        let from = from.map_err(|refusal| (outcome_of(refusal.reason), refusal.into()))?;
        *vendor = from.made().vendor.as_str();
        let taken = self.take(&from, &body).await;
        let receipt = taken.map_err(|refusal| (outcome_of(refusal.reason), refusal.into()))?;
        let outcome = match (receipt.event_count, receipt.already_applied_count) {
            (0, _) => "ignored",
            (all, known) if all == known => "repeated",
            _ if receipt.parked_count > 0 => "parked",
            _ => "applied",
        };
        let text = message_json(RECEIPT, &receipt);
        Ok((outcome, text.map_err(|refusal| ("failed", refusal.into()))?))
    }

    async fn take(&self, from: &Recognised, body: &[u8]) -> Result<v1::WebhookReceipt, Refusal> {
        let value = strict::parse_foreign(body).map_err(|error| payload::bad_json("", &error))?;
        let events = payload::events(from.made(), &value, self.api.now())?;
        let taken = receive::take(&self.api, from, events).await;
        taken.map_err(|error| error.0)
    }
}

/// In one word, for metrics.
const fn outcome_of(reason: Reason) -> &'static str {
    match reason {
        Reason::Unauthenticated => "unauthenticated",
        Reason::QueueFull | Reason::FirmQuotaExceeded | Reason::QuotaExceeded => "busy",
        Reason::StoreUnavailable
        | Reason::Internal
        | Reason::DeadlineExceeded
        | Reason::ServiceStopping => "failed",
        _ => "refused",
    }
}

fn check_form(method: &Method, headers: &HeaderMap) -> Result<(), Fault> {
    if method != Method::POST {
        let refusal = Refusal::new(Reason::InvalidField, "webhooks are sent by POST");
        return Err(Fault::from(refusal).with_code(StatusCode::METHOD_NOT_ALLOWED));
    }
    let kind = headers.get(CONTENT_TYPE);
    let kind = kind.and_then(|kind| kind.to_str().ok()).unwrap_or_default();
    let (kind, _) = kind.split_once(';').unwrap_or((kind, ""));
    let is_json = ["application/json", "text/json"]
        .iter()
        .any(|json| kind.trim().eq_ignore_ascii_case(json));
    if is_json {
        return Ok(());
    }
    let hint = "send JSON, with the header `content-type: application/json`";
    let refusal = Refusal::new(Reason::InvalidField, hint);
    Err(Fault::from(refusal).with_code(StatusCode::UNSUPPORTED_MEDIA_TYPE))
}

/// `/webhooks/{firm}/{endpoint}`, perhaps with a secret behind it.
fn addressed<'a>(path: &'a str, headers: &'a HeaderMap) -> Option<Addressed<'a>> {
    let mut parts = path.strip_prefix(PREFIX)?.splitn(3, '/');
    Some(Addressed {
        firm: parts.next()?,
        endpoint: parts.next()?,
        url_secret: parts.next(),
        headers,
    })
}

/// The same as for an endpoint that is not there.
fn no_such_path() -> Fault {
    let message = "no such endpoint, or not signed as it has to be";
    Refusal::new(Reason::Unauthenticated, message).into()
}

async fn read(body: Body) -> Result<Bytes, Fault> {
    let body = Limited::new(body, BODY_BYTES_MAX).collect();
    let late = |_| Refusal::new(Reason::DeadlineExceeded, "the body took too long to come");
    let body = tokio::time::timeout(BODY_WITHIN, body)
        .await
        .map_err(late)?;
    let body = body.map_err(|error| {
        if error.is::<http_body_util::LengthLimitError>() {
            let refusal = Refusal::limit("bytes of a webhook", BODY_BYTES_MAX);
            return Fault::from(refusal).with_code(StatusCode::PAYLOAD_TOO_LARGE);
        }
        Refusal::new(Reason::InvalidField, "the body did not come whole").into()
    })?;
    Ok(body.to_bytes())
}

fn allowing_post(mut response: Response<Body>) -> Response<Body> {
    let post = HeaderValue::from_static("POST");
    response.headers_mut().insert(ALLOW, post);
    response
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn paths_come_apart() {
        let headers = HeaderMap::new();
        let parts = |path| {
            let to = addressed(path, &headers)?;
            Some((to.firm, to.endpoint, to.url_secret))
        };
        assert_eq!(parts("/webhooks/north/e1"), Some(("north", "e1", None)));
        let secret = parts("/webhooks/north/e1/s3cret");
        assert_eq!(secret, Some(("north", "e1", Some("s3cret"))));
        let odd = parts("/webhooks/north/e1/a/b");
        assert_eq!(odd, Some(("north", "e1", Some("a/b"))));
        assert_eq!(parts("/webhooks/north"), None);
    }
}
