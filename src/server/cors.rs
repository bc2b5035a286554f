//! Calls by programs in a browser: which sites may make them.

use std::time::Duration;

use http::header::{AUTHORIZATION, CONTENT_TYPE};
use http::{HeaderName, HeaderValue, Method};
use tower_http::cors::{AllowOrigin, CorsLayer};

use crate::api::{HASH_METADATA, SEQUENCE_METADATA};

/// Stands for every site. Callers prove who they are by a header that no browser adds by itself, so
/// that a site cannot make calls on behalf of whoever looks at it.
const ANY: &str = "*";
/// For how long a browser may remember the answer.
const MAX_AGE: Duration = Duration::from_hours(1);
/// What such programs send beside what every browser may.
const SENT: [&str; 4] = ["grpc-timeout", "x-grpc-web", "x-request-id", "x-user-agent"];
/// What such programs may read of an answer.
const TOLD: [&str; 7] = [
    "grpc-message",
    "grpc-status",
    "grpc-status-details-bin",
    "retry-after",
    "x-request-id",
    SEQUENCE_METADATA,
    HASH_METADATA,
];

/// Lets these sites make calls; none, where there are none.
///
/// # Errors
/// If one is no origin, such as `https://desk.north.example`.
pub fn layer(origins: &[String]) -> Result<Option<CorsLayer>, String> {
    if origins.is_empty() {
        return Ok(None);
    }
    let allowed = if origins.iter().any(|origin| origin == ANY) {
        AllowOrigin::any()
    } else {
        let origins: Result<Vec<_>, _> = origins.iter().map(|one| origin(one)).collect();
        AllowOrigin::list(origins?)
    };
    let methods = [
        Method::GET,
        Method::POST,
        Method::PUT,
        Method::PATCH,
        Method::DELETE,
    ];
    let sent = SENT.map(HeaderName::from_static);
    let layer = CorsLayer::new()
        .allow_origin(allowed)
        .allow_methods(methods)
        .allow_headers(
            [AUTHORIZATION, CONTENT_TYPE]
                .into_iter()
                .chain(sent)
                .collect::<Vec<_>>(),
        )
        .expose_headers(TOLD.map(HeaderName::from_static))
        .max_age(MAX_AGE);
    Ok(Some(layer))
}

fn origin(text: &str) -> Result<HeaderValue, String> {
    let wrong = || format!("{text:?} is no origin, such as https://desk.north.example");
    let url = url::Url::parse(text).map_err(|_| wrong())?;
    // As browsers write it: scheme, host and port, and nothing behind.
    if url.origin().ascii_serialization() != text {
        return Err(wrong());
    }
    HeaderValue::from_str(text).map_err(|_| wrong())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn origins_at_fault_are_named() {
        for good in ["https://desk.example", "http://localhost:5173", "*"] {
            assert!(layer(&[good.to_owned()]).is_ok(), "{good}");
        }
        for bad in [
            "",
            "desk.example",
            "https://desk.example/",
            "https://Desk.example",
            "null",
        ] {
            let error = layer(&[bad.to_owned()]).unwrap_err();
            assert!(error.contains(bad), "{error}");
        }
        assert!(layer(&[]).unwrap().is_none());
    }
}
