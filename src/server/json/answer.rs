//! From what an RPC answers to JSON: the message, or the error in the form of AIP-193.

use bytes::{Buf, Bytes};
use http::header::{CONTENT_TYPE, RETRY_AFTER};
use http::{HeaderMap, HeaderName, Response, StatusCode};
use http_body_util::{BodyExt, Full};
use prost_reflect::{DynamicMessage, MessageDescriptor, SerializeOptions};
use serde_json::{Value, json};
use tonic::body::Body;
use tonic::{Code, Status};
use tonic_types::StatusExt as _;

use super::{FRAME_HEAD_BYTES, JSON};
use crate::api::status;
use crate::domain::refusal::{Reason, Refusal};
use crate::proto;

/// Headers of a gRPC answer that say nothing to whoever reads JSON.
const GRPC_PREFIX: &str = "grpc-";
/// Full name of the message in which errors come.
const STATUS_MESSAGE: &str = "google.rpc.Status";

/// An answer that is no message.
#[derive(Debug)]
pub struct Fault {
    code: StatusCode,
    status: Status,
    metadata: HeaderMap,
}

impl Fault {
    /// The same with another HTTP status code.
    #[must_use]
    pub fn with_code(self, code: StatusCode) -> Self {
        Self { code, ..self }
    }

    fn of(status: Status, headers: &HeaderMap) -> Self {
        Self {
            code: http_code(status.code()),
            status,
            metadata: metadata(headers),
        }
    }
}

impl From<Refusal> for Fault {
    fn from(refusal: Refusal) -> Self {
        Self::of(status::status(&refusal), &HeaderMap::new())
    }
}

/// The HTTP status code of a canonical code, as `google/rpc/code.proto` says.
#[must_use]
pub const fn http_code(code: Code) -> StatusCode {
    match code {
        Code::Ok => StatusCode::OK,
        Code::InvalidArgument | Code::FailedPrecondition | Code::OutOfRange => {
            StatusCode::BAD_REQUEST
        }
        Code::Unauthenticated => StatusCode::UNAUTHORIZED,
        Code::PermissionDenied => StatusCode::FORBIDDEN,
        Code::NotFound => StatusCode::NOT_FOUND,
        Code::AlreadyExists | Code::Aborted => StatusCode::CONFLICT,
        Code::ResourceExhausted => StatusCode::TOO_MANY_REQUESTS,
        Code::Unimplemented => StatusCode::NOT_IMPLEMENTED,
        Code::Unavailable => StatusCode::SERVICE_UNAVAILABLE,
        Code::DeadlineExceeded => StatusCode::GATEWAY_TIMEOUT,
        Code::Cancelled | Code::Unknown | Code::Internal | Code::DataLoss => {
            StatusCode::INTERNAL_SERVER_ERROR
        }
    }
}

/// What a service answered, as JSON.
///
/// # Errors
/// What the service refused; or [`Reason::Internal`] if the answer is none.
pub async fn json_response(
    response: Response<Body>,
    output: &MessageDescriptor,
) -> Result<Response<Body>, Fault> {
    let (parts, body) = response.into_parts();
    if let Some(status) = Status::from_header_map(&parts.headers).filter(is_error) {
        return Err(Fault::of(status, &parts.headers));
    }
    let body = body.collect().await;
    let body = body.map_err(|status| Fault::of(status, &parts.headers))?;
    let trailers = body.trailers().cloned().unwrap_or_default();
    if let Some(status) = Status::from_header_map(&trailers).filter(is_error) {
        return Err(Fault::of(status, &parts.headers));
    }
    let broken = |what: &str| Fault::from(Refusal::new(Reason::Internal, what));
    let message = unframe(body.to_bytes()).ok_or_else(|| broken("no message was answered"))?;
    let message = DynamicMessage::decode(output.clone(), message);
    let message = message.map_err(|_| broken("the answer cannot be read"))?;
    let text = to_json(&message).map_err(|_| broken("the answer cannot be written"))?;
    Ok(respond(StatusCode::OK, text, metadata(&parts.headers)))
}

fn is_error(status: &Status) -> bool {
    status.code() != Code::Ok
}

/// The one message of an answer.
fn unframe(mut body: Bytes) -> Option<Bytes> {
    let head = body.get(..FRAME_HEAD_BYTES)?;
    let (compressed, mut length) = head.split_first()?;
    let plain = *compressed == 0;
    let length = usize::try_from(length.try_get_u32().ok()?).ok()?;
    body.advance(FRAME_HEAD_BYTES);
    (plain && body.len() == length).then_some(body)
}

fn to_json(message: &DynamicMessage) -> Result<Vec<u8>, serde_json::Error> {
    let mut text = Vec::new();
    let mut writer = serde_json::Serializer::new(&mut text);
    message.serialize_with_options(&mut writer, &SerializeOptions::new())?;
    Ok(text)
}

/// A message of the contract as JSON.
///
/// # Errors
/// [`Reason::Internal`] if it is none.
pub fn message_json(full_name: &str, message: &impl prost::Message) -> Result<Vec<u8>, Refusal> {
    let broken = || Refusal::new(Reason::Internal, "a message cannot be written");
    let descriptor = proto::pool().get_message_by_name(full_name);
    let message = message.encode_to_vec();
    let message = DynamicMessage::decode(descriptor.ok_or_else(broken)?, message.as_slice());
    to_json(&message.map_err(|_| broken())?).map_err(|_| broken())
}

/// What is said beside a message, such as the receipt of a change.
fn metadata(headers: &HeaderMap) -> HeaderMap {
    let kept = |name: &HeaderName| !name.as_str().starts_with(GRPC_PREFIX) && name != CONTENT_TYPE;
    headers
        .iter()
        .filter(|(name, _)| kept(name))
        .map(|(name, value)| (name.clone(), value.clone()))
        .collect()
}

/// An answer in JSON.
#[must_use]
pub fn respond(code: StatusCode, text: Vec<u8>, headers: HeaderMap) -> Response<Body> {
    let mut response = Response::new(Body::new(Full::new(Bytes::from(text))));
    *response.status_mut() = code;
    *response.headers_mut() = headers;
    response.headers_mut().insert(CONTENT_TYPE, JSON);
    response
}

/// An error: its canonical code by name, its message and its details.
#[must_use]
pub fn fault_response(fault: &Fault) -> Response<Body> {
    let body = json!({
        "error": {
            "code": fault.code.as_u16(),
            "status": code_name(fault.status.code()),
            "message": fault.status.message(),
            "details": details(&fault.status).unwrap_or_else(|| json!([])),
        }
    });
    let text = body.to_string().into_bytes();
    let mut response = respond(fault.code, text, fault.metadata.clone());
    if let Some(seconds) = retry_after(&fault.status) {
        response.headers_mut().insert(RETRY_AFTER, seconds.into());
    }
    response
}

/// Whole seconds after which a call may succeed, where that helps; rounded up.
fn retry_after(status: &Status) -> Option<u64> {
    let wait = status.get_details_retry_info()?.retry_delay?;
    Some(
        wait.as_millis()
            .div_ceil(1_000)
            .try_into()
            .unwrap_or(u64::MAX),
    )
}

/// The details of an error, each with its type under `@type`.
fn details(status: &Status) -> Option<Value> {
    let descriptor = proto::pool().get_message_by_name(STATUS_MESSAGE)?;
    let message = DynamicMessage::decode(descriptor, status.details()).ok()?;
    let value = serde_json::to_value(&message).ok()?;
    value.get("details").cloned()
}

/// The name of a canonical code.
const fn code_name(code: Code) -> &'static str {
    match code {
        Code::Ok => "OK",
        Code::Cancelled => "CANCELLED",
        Code::Unknown => "UNKNOWN",
        Code::InvalidArgument => "INVALID_ARGUMENT",
        Code::DeadlineExceeded => "DEADLINE_EXCEEDED",
        Code::NotFound => "NOT_FOUND",
        Code::AlreadyExists => "ALREADY_EXISTS",
        Code::PermissionDenied => "PERMISSION_DENIED",
        Code::ResourceExhausted => "RESOURCE_EXHAUSTED",
        Code::FailedPrecondition => "FAILED_PRECONDITION",
        Code::Aborted => "ABORTED",
        Code::OutOfRange => "OUT_OF_RANGE",
        Code::Unimplemented => "UNIMPLEMENTED",
        Code::Internal => "INTERNAL",
        Code::Unavailable => "UNAVAILABLE",
        Code::DataLoss => "DATA_LOSS",
        Code::Unauthenticated => "UNAUTHENTICATED",
    }
}
