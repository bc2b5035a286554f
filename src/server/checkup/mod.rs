//! The door for whoever has a link to a check-up: `GET /checkup/{partnership}/{token}/`, on the same port.
//!
//! It stands before everything that logs addresses, since whoever has the address has the link. What it
//! answers is a page for people, without any script: the check-up, or the history of one of the records
//! behind it. The link says in whose name it is read, so it shows what that firm may see.

pub mod chart;
pub mod fault;
pub mod page;
pub mod record;
pub mod view;
pub mod words;

use std::convert::Infallible;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::Duration;

use bytes::Bytes;
use http::header::{
    ACCEPT, ALLOW, CACHE_CONTROL, CONTENT_SECURITY_POLICY, CONTENT_TYPE, HeaderValue, LOCATION,
    REFERRER_POLICY, X_CONTENT_TYPE_OPTIONS,
};
use http::request::Parts;
use http::{HeaderMap, HeaderName, Method, Request, Response, StatusCode};
use http_body_util::Full;
use tokio::sync::Semaphore;
use tonic::body::Body;
use tower::{Layer, Service};

use super::json::answer::{Fault, fault_response};
use crate::api::Api;
use crate::api::checkup::{Asked as Question, CheckupService};
use crate::api::checkup_link::{CheckupLink, PATH_PREFIX};
use crate::api::convert::to_timestamp;
use crate::api::journal::history;
use crate::domain::identity::ScopeId;
use crate::domain::record::RecordKey;
use crate::domain::refusal::{Reason, Refusal};
use crate::domain::time::Span;

/// Most pages that are made at a time: each may look through all records of a partnership.
pub const PAGES_MAX: usize = 16;
/// How long a page may take.
const PAGE_WITHIN: Duration = Duration::from_secs(30);
/// The same for the service that makes check-ups.
const CHECKUP_WITHIN: Span = Span::from_seconds(30);
/// What pages are.
const HTML: HeaderValue = HeaderValue::from_static("text/html; charset=utf-8");
/// Tells search engines to keep away.
const ROBOTS: HeaderName = HeaderName::from_static("x-robots-tag");

/// Most entries of a record that are shown.
const ENTRIES_MAX: usize = 200;

/// What the door needs.
#[derive(Debug)]
pub struct Door {
    api: Arc<Api>,
    checkups: CheckupService,
    places: Semaphore,
}

impl Door {
    /// A door to `api`, with the service that makes check-ups.
    #[must_use]
    pub fn new(api: Arc<Api>, checkups: CheckupService) -> Self {
        Self {
            api,
            checkups,
            places: Semaphore::new(PAGES_MAX),
        }
    }
}

/// Puts the door in front of everything else.
#[derive(Clone, Debug)]
pub struct CheckupLayer(pub Arc<Door>);

impl<S> Layer<S> for CheckupLayer {
    type Service = CheckupPages<S>;

    fn layer(&self, inner: S) -> Self::Service {
        CheckupPages {
            door: Arc::clone(&self.0),
            inner,
        }
    }
}

/// Everything else, with the door in front.
#[derive(Clone, Debug)]
pub struct CheckupPages<S> {
    door: Arc<Door>,
    inner: S,
}

type Answer<E> = Pin<Box<dyn Future<Output = Result<Response<Body>, E>> + Send>>;

impl<S, B> Service<Request<Body>> for CheckupPages<S>
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
        if !request.uri().path().starts_with(PATH_PREFIX) {
            let answer = self.inner.call(request);
            return Box::pin(async move { Ok(answer.await?.map(Body::new)) });
        }
        let door = Arc::clone(&self.door);
        let (parts, _) = request.into_parts();
        Box::pin(async move { Ok(door.answer(&parts).await) })
    }
}

/// What a path asks for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Asked<'path> {
    /// The page, but without the slash at the end, on which the links of the page rest.
    Unfinished,
    /// The check-up.
    Page,
    /// The history of a record.
    Record {
        collection: &'path str,
        id: &'path str,
    },
}

/// Partnership, token, and what is asked for.
fn addressed(path: &str) -> Option<(&str, &str, Asked<'_>)> {
    let mut parts = path.strip_prefix(PATH_PREFIX)?.split('/');
    let (partnership, token) = (parts.next()?, parts.next()?);
    let asked = match (parts.next(), parts.next(), parts.next()) {
        (None, ..) => Asked::Unfinished,
        (Some(""), None, _) => Asked::Page,
        (Some(collection), Some(id), None) => Asked::Record { collection, id },
        _ => return None,
    };
    Some((partnership, token, asked))
}

impl Door {
    async fn answer(&self, request: &Parts) -> Response<Body> {
        let mut frames = Vec::new();
        let answered = self.page(request, &mut frames).await;
        let mut response = answered.unwrap_or_else(|refusal| refused(request, refusal));
        let headers = response.headers_mut();
        headers.insert(CACHE_CONTROL, HeaderValue::from_static("no-store"));
        headers.insert(REFERRER_POLICY, HeaderValue::from_static("no-referrer"));
        headers.insert(X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff"));
        headers.insert(ROBOTS, HeaderValue::from_static("noindex, nofollow"));
        // Whoever sealed the link checked that its origins are some.
        let policy = HeaderValue::from_str(&page::content_security_policy(&frames));
        let strictest = HeaderValue::from_static("default-src 'none'");
        headers.insert(CONTENT_SECURITY_POLICY, policy.unwrap_or(strictest));
        response
    }

    /// The page that is asked for; `frames` become the sites that may show it, whatever is answered.
    async fn page(
        &self,
        request: &Parts,
        frames: &mut Vec<String>,
    ) -> Result<Response<Body>, Refusal> {
        let missing = || Refusal::not_found("page");
        let path = request.uri.path();
        let (partnership, token, asked) = addressed(path).ok_or_else(missing)?;
        let link = CheckupLink::read(&self.api.tokens, token).ok_or_else(missing)?;
        frames.clone_from(&link.frame_origins);
        link.check(partnership, self.api.now())?;
        if ![Method::GET, Method::HEAD].contains(&request.method) {
            return Ok(only_reading());
        }
        if asked == Asked::Unfinished {
            return Ok(redirect(token));
        }
        if let Some(quotas) = &self.api.quotas {
            quotas.count(&link.firm)?;
        }
        let place = self.places.try_acquire();
        let full = |_| Refusal::new(Reason::QueueFull, "too many check-ups at a time");
        let _place = place.map_err(full)?;
        let late = |_| Refusal::new(Reason::DeadlineExceeded, "the page took too long");
        let html = tokio::time::timeout(PAGE_WITHIN, self.html(&link, asked));
        let html = html.await.map_err(late)??;
        let mut response = Response::new(Body::new(Full::new(Bytes::from(html))));
        response.headers_mut().insert(CONTENT_TYPE, HTML);
        Ok(response)
    }
}

impl Door {
    async fn html(&self, link: &CheckupLink, asked: Asked<'_>) -> Result<String, Refusal> {
        match asked {
            Asked::Unfinished | Asked::Page => self.checkup(link).await,
            Asked::Record { collection, id } => self.record(link, collection, id).await,
        }
    }

    async fn checkup(&self, link: &CheckupLink) -> Result<String, Refusal> {
        let api = self.api.as_ref();
        let member = api.member(&link.caller(), &link.partnership).await;
        let member = member.map_err(|error| error.0)?;
        let question = Question {
            as_of: link.as_of,
            window: link.window,
        };
        let until = api.now().saturating_add(CHECKUP_WITHIN);
        let checkup = self.checkups.checkup(&member, question, until).await;
        let checkup = checkup.map_err(|error| error.0)?;
        let closing = [
            format!(
                "Made of the journal up to entry {}: whoever asks again as of the same instant gets the same.",
                words::count(checkup.sequence)
            ),
            format!(
                "This link is good until {}.",
                words::instant(to_timestamp(link.until))
            ),
        ];
        // A link may be handed on, so what is private is not on the page.
        view::html(&checkup, &view::shared(&checkup), &closing)
    }

    async fn record(
        &self,
        link: &CheckupLink,
        collection: &str,
        id: &str,
    ) -> Result<String, Refusal> {
        let kind = record::kind_of(collection).ok_or_else(|| Refusal::not_found("page"))?;
        let caller = link.caller();
        let member = self.api.member(&caller, &link.partnership).await;
        member.map_err(|error| error.0)?;
        let scope = ScopeId::partnership(&link.partnership);
        let key = RecordKey::new(&scope, kind, id);
        let entries = history(&self.api, &caller, &key, ENTRIES_MAX).await;
        let (entries, is_all) = entries.map_err(|error| error.0)?;
        let name = format!("{scope}/{collection}/{id}");
        record::html(kind, &name, &entries, is_all)
    }
}

fn only_reading() -> Response<Body> {
    let refusal = Refusal::new(Reason::InvalidField, "this path takes the HTTP method GET");
    let fault = Fault::from(refusal).with_code(StatusCode::METHOD_NOT_ALLOWED);
    let mut response = fault_response(&fault);
    let methods = HeaderValue::from_static("GET, HEAD");
    response.headers_mut().insert(ALLOW, methods);
    response
}

/// To the same address with a slash at the end.
fn redirect(token: &str) -> Response<Body> {
    let mut response = Response::new(Body::empty());
    *response.status_mut() = StatusCode::PERMANENT_REDIRECT;
    // A token that was recognised has no other characters than its alphabet's.
    if let Ok(location) = HeaderValue::from_str(&format!("{token}/")) {
        response.headers_mut().insert(LOCATION, location);
    }
    response
}

/// A page for browsers, and JSON for everything else.
fn refused(request: &Parts, refusal: Refusal) -> Response<Body> {
    let html = reads_html(&request.headers).then(|| fault::html(&refusal));
    let code = match refusal.reason {
        Reason::CheckupLinkExpired => Some(StatusCode::GONE),
        Reason::CheckupLinkForAnotherPartnership => Some(StatusCode::FORBIDDEN),
        Reason::PartyLeft => Some(StatusCode::NOT_FOUND),
        _ => None,
    };
    let fault = Fault::from(refusal);
    let fault = match code {
        Some(code) => fault.with_code(code),
        None => fault,
    };
    let mut response = fault_response(&fault);
    if let Some(Ok(html)) = html {
        *response.body_mut() = Body::new(Full::new(Bytes::from(html)));
        response.headers_mut().insert(CONTENT_TYPE, HTML);
    }
    response
}

fn reads_html(headers: &HeaderMap) -> bool {
    let accepted = headers.get_all(ACCEPT).iter();
    let mut accepted = accepted.filter_map(|accept| accept.to_str().ok());
    accepted.any(|accept| accept.contains("text/html"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn paths_come_apart() {
        assert_eq!(addressed("/checkup/p/t/"), Some(("p", "t", Asked::Page)));
        let unfinished = Some(("p", "t", Asked::Unfinished));
        assert_eq!(addressed("/checkup/p/t"), unfinished);
        let record = Asked::Record {
            collection: "tickets",
            id: "t1",
        };
        assert_eq!(
            addressed("/checkup/p/t/tickets/t1"),
            Some(("p", "t", record))
        );
        for nowhere in [
            "/checkup/",
            "/checkup/p",
            "/checkup/p/t//",
            "/checkup/p/t/tickets",
            "/checkup/p/t/tickets/t1/",
            "/other/p/t/",
        ] {
            let asked = addressed(nowhere).map(|(_, _, asked)| asked);
            let empty = Asked::Record {
                collection: "",
                id: "",
            };
            assert!(asked.is_none_or(|asked| asked == empty), "{nowhere}");
        }
    }
}
