//! One post: the `CloudEvent`, its signature, and what the target says to it.

use std::time::Duration;

use data_encoding::BASE64;
use hmac::{Hmac, KeyInit, Mac};
use reqwest::StatusCode;
use reqwest::header::{CONTENT_TYPE, RETRY_AFTER};
use serde_json::{Value, json};
use sha2::Sha256;

use super::{Deliverer, LAG, count};
use crate::api::Found;
use crate::api::status::ApiError;
use crate::api::webhook::outbound;
use crate::domain::identity::ScopeId;
use crate::domain::journal::Entry;
use crate::domain::refusal::{Reason, Refusal};
use crate::domain::subscription::Subscription;
use crate::domain::time::{MICROS_PER_SECOND, Span, Timestamp};
use crate::server::json::answer::message_json;

/// Type of a `CloudEvent` in structured mode.
const CLOUD_EVENT: &str = "application/cloudevents+json; charset=utf-8";
/// Full name of an event's data.
const DATA: &str = "entente.v1.SubscriptionEvent";
/// The longest that a target may ask us to wait.
const RETRY_AFTER_MAX: Span = Span::from_hours(1);

/// How a post ended.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Outcome {
    /// The target took it.
    Taken,
    /// The target says that it will never take anything any more.
    Gone,
    /// It did not take it.
    Failed {
        /// Why, for people; nothing of what the target answered but its status.
        why: String,
        /// How long the target asks us to wait.
        wait: Span,
    },
}

impl Outcome {
    fn failed(why: impl Into<String>) -> Self {
        Self::Failed {
            why: why.into(),
            wait: Span::ZERO,
        }
    }
}

impl Deliverer {
    /// Posts one entry.
    ///
    /// # Errors
    /// If the entry could not be shown; nothing was posted then.
    pub(super) async fn post(
        &self,
        scope: &ScopeId,
        found: &Found<Subscription>,
        entry: Entry,
    ) -> Result<Outcome, ApiError> {
        let target = &found.state.made.target_uri;
        // The rule may have changed since the subscription was made.
        if let Err(rule) = (self.rule)(target) {
            count("refused");
            return Ok(Outcome::failed(format!("the target {rule}")));
        }
        let recorded_at = entry.recorded_at;
        let id = format!("{}/{}", entry.scope, entry.sequence);
        let body = self.cloud_event(scope, found, &id, entry).await?;
        let now = self.now();
        let keys = outbound::signing_keys(&self.api, scope, found, now);
        let seconds = (now.as_micros() / MICROS_PER_SECOND).to_string();
        let request = self
            .client
            .post(target)
            .header(CONTENT_TYPE, CLOUD_EVENT)
            .header("webhook-id", &id)
            .header("webhook-timestamp", &seconds)
            .header("webhook-signature", signature(&keys, &id, &seconds, &body))
            .body(body);
        let outcome = match request.send().await {
            // What it says beside its status is not read: it is no answer to anybody here.
            Ok(response) => {
                let wait = retry_after(response.headers().get(RETRY_AFTER));
                outcome_of(response.status(), wait)
            }
            Err(error) => Outcome::failed(why(&error)),
        };
        match &outcome {
            Outcome::Taken => {
                count("taken");
                metrics::histogram!(LAG).record(lag(recorded_at, now).as_secs_f64());
            }
            Outcome::Gone => count("gone"),
            Outcome::Failed { .. } => count("failed"),
        }
        Ok(outcome)
    }

    async fn cloud_event(
        &self,
        scope: &ScopeId,
        found: &Found<Subscription>,
        id: &str,
        entry: Entry,
    ) -> Result<Vec<u8>, ApiError> {
        let mut event = json!({
            "specversion": "1.0",
            "id": id,
            "source": entry.scope.as_str(),
            "type": format!("entente.{}", entry.event_type),
            "subject": format!("{}/{}", entry.kind, entry.id),
            "time": entry.recorded_at.to_string(),
            "datacontenttype": "application/json",
        });
        let data = outbound::event(&self.tickets, scope, &found.id, entry).await?;
        let data = message_json(DATA, &data)?;
        let broken = |_| Refusal::new(Reason::Internal, "an event cannot be written");
        event["data"] = serde_json::from_slice::<Value>(&data).map_err(broken)?;
        Ok(event.to_string().into_bytes())
    }
}

/// The signatures by all keys that are good, as the Standard Webhooks form has them.
fn signature(keys: &[[u8; 32]], id: &str, seconds: &str, body: &[u8]) -> String {
    let signed = keys.iter().filter_map(|key| {
        let mut mac = Hmac::<Sha256>::new_from_slice(key).ok()?;
        mac.update(format!("{id}.{seconds}.").as_bytes());
        mac.update(body);
        Some(format!(
            "v1,{}",
            BASE64.encode(&mac.finalize().into_bytes())
        ))
    });
    signed.collect::<Vec<_>>().join(" ")
}

fn outcome_of(status: StatusCode, wait: Span) -> Outcome {
    if status.is_success() {
        return Outcome::Taken;
    }
    if status == StatusCode::GONE {
        return Outcome::Gone;
    }
    let hint = if status.is_redirection() {
        ", and redirects are not followed"
    } else {
        ""
    };
    Outcome::Failed {
        why: format!("answered {}{hint}", status.as_u16()),
        wait,
    }
}

/// Seconds that a target asks us to wait; a date is not understood.
fn retry_after(header: Option<&reqwest::header::HeaderValue>) -> Span {
    let seconds = header
        .and_then(|value| value.to_str().ok())
        .and_then(|value| value.trim().parse().ok());
    let seconds: u32 = seconds.unwrap_or_default();
    Span::from_seconds(seconds.into()).min(RETRY_AFTER_MAX)
}

/// Why a post did not come through, without anything that tells what is where in our network.
fn why(error: &reqwest::Error) -> &'static str {
    if is_private(error) {
        return "the target's name stands for an address that is not public";
    }
    if error.is_timeout() {
        "did not answer in time"
    } else if error.is_connect() {
        "could not be reached"
    } else {
        "did not answer as HTTP servers do"
    }
}

fn is_private(error: &reqwest::Error) -> bool {
    let mut cause = std::error::Error::source(error);
    while let Some(one) = cause {
        if one.to_string() == crate::server::target::PRIVATE {
            return true;
        }
        cause = one.source();
    }
    false
}

fn lag(recorded_at: Timestamp, now: Timestamp) -> Duration {
    let micros = u64::try_from(now.since(recorded_at).as_micros());
    Duration::from_micros(micros.unwrap_or_default())
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The example of the Standard Webhooks specification's libraries.
    #[test]
    fn signatures_are_as_others_make_them() {
        let key = BASE64.decode(b"MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw").unwrap();
        let mut mac = Hmac::<Sha256>::new_from_slice(&key).unwrap();
        let (id, seconds) = ("msg_p5jXN8AQM9LWM0D4loKWxJek", "1614265330");
        mac.update(format!("{id}.{seconds}.{{\"test\": 2432232314}}").as_bytes());
        let expected = "g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=";
        assert_eq!(BASE64.encode(&mac.finalize().into_bytes()), expected);
        let two = signature(&[[1; 32], [2; 32]], id, seconds, b"{}");
        let parts: Vec<&str> = two.split(' ').collect();
        assert_eq!(parts.len(), 2);
        assert!(parts.iter().all(|part| part.starts_with("v1,")));
    }

    #[test]
    fn answers_and_what_they_mean() {
        assert_eq!(
            outcome_of(StatusCode::NO_CONTENT, Span::ZERO),
            Outcome::Taken
        );
        assert_eq!(outcome_of(StatusCode::GONE, Span::ZERO), Outcome::Gone);
        for status in [
            StatusCode::FOUND,
            StatusCode::NOT_FOUND,
            StatusCode::BAD_GATEWAY,
        ] {
            let failed = outcome_of(status, Span::ZERO);
            let Outcome::Failed { why, .. } = failed else {
                panic!("{failed:?}")
            };
            assert!(why.contains(status.as_str()), "{why}");
        }
        let wait = |value: &str| retry_after(Some(&value.parse().unwrap()));
        assert_eq!(wait("120"), Span::from_seconds(120));
        assert_eq!(wait("999999999"), RETRY_AFTER_MAX);
        assert_eq!(wait("soon"), Span::ZERO);
    }
}
