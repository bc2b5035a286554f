//! JSON on the same port: every unary RPC by the path that its `google.api.http` annotation says.
//!
//! A layer in front of the gRPC services. It knows the contract by its descriptor alone: a request
//! becomes the RPC's message ([`request`]) and goes to the same service as a gRPC call, with the
//! same headers; what comes back becomes JSON ([`answer`]). So there is one way in, and nothing that
//! a service checks can be gone around. Streams are for gRPC clients.

pub mod answer;
pub mod openapi;
pub mod request;
pub mod route;
pub mod strict;

use std::convert::Infallible;
use std::pin::Pin;
use std::sync::{Arc, LazyLock};
use std::task::{Context, Poll};
use std::time::Duration;

use bytes::Bytes;
use http::header::{ALLOW, CONTENT_LENGTH, CONTENT_TYPE, HeaderValue};
use http::{HeaderMap, Method, Request, Response, StatusCode, Version};
use http_body_util::{BodyExt, Full, Limited};
use tonic::body::Body;
use tower::{Layer, Service};

use crate::domain::refusal::{Reason, Refusal};
use crate::proto;
use answer::{Fault, fault_response, json_response};
use route::{Found, Route, Table};

/// Type of what is sent and answered.
pub const JSON: HeaderValue = HeaderValue::from_static("application/json");
/// How a gRPC request says that it is one; more may follow, such as `+proto` or `-web`.
const GRPC: &str = "application/grpc";
/// Where the contract can be read as an OpenAPI document, by anybody.
const OPENAPI_PATH: &str = "/openapi.json";
/// Bytes before each message of a gRPC body: whether it is compressed, and its length.
pub const FRAME_HEAD_BYTES: usize = 5;

/// What the door knows: the contract, its paths, and its limits.
#[derive(Debug)]
pub struct Door {
    table: Table,
    request_bytes_max: usize,
    call_max: Duration,
}

impl Door {
    /// A door to the services of the contract. A body has at most `request_bytes_max` bytes, and a
    /// call takes at most `call_max`.
    #[must_use]
    pub fn new(request_bytes_max: usize, call_max: Duration) -> Self {
        Self {
            table: Table::new(proto::pool()),
            request_bytes_max,
            call_max,
        }
    }
}

/// Puts the door in front of the services.
#[derive(Clone, Debug)]
pub struct JsonLayer(pub Arc<Door>);

impl<S> Layer<S> for JsonLayer {
    type Service = JsonService<S>;

    fn layer(&self, inner: S) -> Self::Service {
        JsonService {
            door: Arc::clone(&self.0),
            inner,
        }
    }
}

/// The services with the door in front.
#[derive(Clone, Debug)]
pub struct JsonService<S> {
    door: Arc<Door>,
    inner: S,
}

type Answer = Pin<Box<dyn Future<Output = Result<Response<Body>, Infallible>> + Send>>;

impl<S> Service<Request<Body>> for JsonService<S>
where
    S: Service<Request<Body>, Response = Response<Body>, Error = Infallible>
        + Clone
        + Send
        + 'static,
    S::Future: Send,
{
    type Response = Response<Body>;
    type Error = Infallible;
    type Future = Answer;

    fn poll_ready(&mut self, context: &mut Context<'_>) -> Poll<Result<(), Infallible>> {
        self.inner.poll_ready(context)
    }

    fn call(&mut self, request: Request<Body>) -> Answer {
        // The one that was polled is the one that is ready.
        let waiting = self.inner.clone();
        let mut inner = std::mem::replace(&mut self.inner, waiting);
        if is_grpc(request.headers()) {
            return Box::pin(inner.call(request));
        }
        let door = Arc::clone(&self.door);
        Box::pin(async move {
            let path = request.uri().path().to_owned();
            match door.table.find(request.method(), &path) {
                Found::Nothing if path == OPENAPI_PATH => Ok(openapi()),
                Found::Nothing => Ok(no_such_path()),
                Found::Methods(methods) => Ok(method_not_allowed(&methods)),
                Found::Route(route, values) => {
                    let called = door.call(inner, route, values, request);
                    Ok(called.await.unwrap_or_else(|fault| fault_response(&fault)))
                }
            }
        })
    }
}

fn is_grpc(headers: &HeaderMap) -> bool {
    let kind = headers.get(CONTENT_TYPE);
    kind.is_some_and(|kind| kind.as_bytes().starts_with(GRPC.as_bytes()))
}

impl Door {
    /// Carries out one call.
    async fn call<S>(
        &self,
        mut inner: S,
        route: &Route,
        values: Vec<String>,
        request: Request<Body>,
    ) -> Result<Response<Body>, Fault>
    where
        S: Service<Request<Body>, Response = Response<Body>, Error = Infallible>,
    {
        let (mut parts, body) = request.into_parts();
        require_json(&parts.headers, route)?;
        let body = Limited::new(body, self.request_bytes_max).collect().await;
        let body = body.map_err(|_| too_large(self.request_bytes_max))?;
        let query = parts.uri.query().unwrap_or_default();
        let message = request::message(route, values, query, &body.to_bytes())?;
        parts.method = Method::POST;
        parts.version = Version::HTTP_2;
        parts.uri = route.grpc_path.clone();
        parts.headers.remove(CONTENT_LENGTH);
        let kind = HeaderValue::from_static(GRPC);
        parts.headers.insert(CONTENT_TYPE, kind);
        let body = Body::new(Full::new(request::frame(&message)));
        let answered = async {
            let Ok(response) = inner.call(Request::from_parts(parts, body)).await;
            json_response(response, &route.method.output()).await
        };
        let too_long = |_| {
            let late = Refusal::new(Reason::DeadlineExceeded, "the call took too long");
            Fault::from(late)
        };
        tokio::time::timeout(self.call_max, answered)
            .await
            .map_err(too_long)?
    }
}

/// A body is JSON, or there is none.
fn require_json(headers: &HeaderMap, route: &Route) -> Result<(), Fault> {
    if !route.takes_body() {
        return Ok(());
    }
    let Some(kind) = headers.get(CONTENT_TYPE) else {
        return Ok(());
    };
    let kind = kind.to_str().unwrap_or_default();
    let (kind, _) = kind.split_once(';').unwrap_or((kind, ""));
    if kind.trim().eq_ignore_ascii_case("application/json") {
        return Ok(());
    }
    let hint = "send JSON, with the header `content-type: application/json`";
    let wrong = Refusal::new(Reason::InvalidField, hint);
    Err(Fault::from(wrong).with_code(StatusCode::UNSUPPORTED_MEDIA_TYPE))
}

fn too_large(maximum: usize) -> Fault {
    let refusal = Refusal::limit("bytes of a request", maximum);
    Fault::from(refusal).with_code(StatusCode::PAYLOAD_TOO_LARGE)
}

/// The contract as an OpenAPI document, made when it is first asked for.
fn openapi() -> Response<Body> {
    static DOCUMENT: LazyLock<Bytes> =
        LazyLock::new(|| openapi::document(proto::pool()).to_string().into());
    let mut response = Response::new(Body::new(Full::new(DOCUMENT.clone())));
    response.headers_mut().insert(CONTENT_TYPE, JSON);
    response
}

fn no_such_path() -> Response<Body> {
    let hint = format!("no such path: {OPENAPI_PATH} lists them");
    fault_response(&Refusal::new(Reason::NotFound, hint).into())
}

/// The path is there, but not by this HTTP method.
fn method_not_allowed(methods: &[&Method]) -> Response<Body> {
    let methods: Vec<&str> = methods.iter().map(|method| method.as_str()).collect();
    let methods = methods.join(", ");
    let refusal = Refusal::new(
        Reason::InvalidField,
        format!("this path takes the HTTP method {methods}"),
    );
    let fault = Fault::from(refusal).with_code(StatusCode::METHOD_NOT_ALLOWED);
    let mut response = fault_response(&fault);
    if let Ok(allow) = HeaderValue::from_str(&methods) {
        response.headers_mut().insert(ALLOW, allow);
    }
    response
}
