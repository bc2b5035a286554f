//! Webhook endpoints: addresses at which a firm's own software reports, in its own form, what happens
//! to tickets. They are in the firm's scope; what they take goes into one partnership.

use serde::{Deserialize, Serialize};

use super::aggregate::{Aggregate, Recorded, events};
use super::command::Decision;
use super::derived_secret::{DerivedSecret, SecretRotated, require_overlap};
use super::firm::Firm;
use super::identity::REFERENCE_PART_BYTES_MAX;
use super::record::{Event, Kind};
use super::refusal::{Refusal, Violations};
use super::text::{require_display_name, require_free_text, require_token};
use super::time::{Span, Timestamp};
use super::world::{Stop, View};

/// Most endpoints of one firm, disabled ones included.
pub const ENDPOINTS_MAX: usize = 100;
/// Longest JSON pointer of a mapping, in bytes.
pub const POINTER_BYTES_MAX: usize = 256;
/// Begins the actor of what came through an endpoint; the endpoint's id follows.
const WEBHOOK_ACTOR: &str = "webhook:";

/// The actor that an endpoint is.
#[must_use]
pub fn actor_of(endpoint: &str) -> String {
    format!("{WEBHOOK_ACTOR}{endpoint}")
}

/// The endpoint that an actor is, if it is one.
#[must_use]
pub fn endpoint_of(actor: &str) -> Option<&str> {
    actor.strip_prefix(WEBHOOK_ACTOR)
}

/// Whose payloads an endpoint understands.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Vendor {
    /// `ConnectWise` PSA.
    ConnectWise,
    /// Autotask PSA.
    Autotask,
    /// `HaloPSA`.
    HaloPsa,
    /// `ServiceNow`.
    ServiceNow,
    /// Zammad.
    Zammad,
    /// Whatever a mapping describes.
    Generic,
}

impl Vendor {
    /// Every vendor.
    pub const ALL: &[Self] = &[
        Self::ConnectWise,
        Self::Autotask,
        Self::HaloPsa,
        Self::ServiceNow,
        Self::Zammad,
        Self::Generic,
    ];

    /// The name by which references and metrics know it.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::ConnectWise => "connectwise",
            Self::Autotask => "autotask",
            Self::HaloPsa => "halopsa",
            Self::ServiceNow => "servicenow",
            Self::Zammad => "zammad",
            Self::Generic => "generic",
        }
    }

    /// How its software proves that it knows a secret.
    #[must_use]
    pub const fn authentication(self) -> Authentication {
        match self {
            Self::ConnectWise => Authentication::UrlSecret,
            Self::Autotask | Self::Zammad => Authentication::SignatureSha1,
            Self::HaloPsa | Self::ServiceNow | Self::Generic => Authentication::SharedSecret,
        }
    }

    /// Whether its software signs by itself, so that nothing less is to be taken.
    #[must_use]
    pub const fn signs(self) -> bool {
        matches!(self, Self::Autotask | Self::Zammad)
    }
}

/// How a sender proves that it knows the secret.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Authentication {
    /// It sends it in a header.
    SharedSecret,
    /// It is part of the address.
    UrlSecret,
    /// It signs with HMAC-SHA1.
    SignatureSha1,
    /// It signs with HMAC-SHA256.
    SignatureSha256,
}

/// Where a payload has what, as JSON pointers; empty where it says nothing of it.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Mapping {
    /// The ticket's id.
    pub ticket_id: String,
    /// When it came to be as the payload says.
    pub occur_time: String,
    /// The status.
    pub status: String,
    /// The priority.
    pub priority: String,
    /// The title.
    pub title: String,
    /// When the ticket was opened.
    pub open_time: String,
    /// When the client was first answered.
    pub response_time: String,
}

impl Mapping {
    fn check(&self, violations: &mut Violations) {
        let rule = "a JSON pointer of at most 256 bytes, such as /ticket/id";
        for (name, pointer, is_required) in [
            ("ticket_id", &self.ticket_id, true),
            ("occur_time", &self.occur_time, true),
            ("status", &self.status, false),
            ("priority", &self.priority, false),
            ("title", &self.title, false),
            ("open_time", &self.open_time, false),
            ("response_time", &self.response_time, false),
        ] {
            let is_pointer = pointer.starts_with('/')
                && pointer.len() <= POINTER_BYTES_MAX
                && !pointer.chars().any(char::is_control);
            let holds = is_pointer || (!is_required && pointer.is_empty());
            violations.require(holds, &format!("webhook_endpoint.mapping.{name}"), rule);
        }
    }
}

/// What an endpoint is made with; it never changes.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct EndpointCreated {
    /// What it is for, for people.
    pub display_name: String,
    /// Whose payloads it understands.
    pub vendor: Vendor,
    /// How the sender proves that it knows the secret.
    pub authentication: Authentication,
    /// Identifier of the partnership into which tickets go.
    pub partnership: String,
    /// Identifier of the agreement that they come under.
    pub agreement: Option<String>,
    /// System of the tickets' references.
    pub system: String,
    /// Instance of the tickets' references; may be empty.
    pub instance: String,
    /// Where a generic payload has what.
    pub mapping: Option<Mapping>,
}

impl EndpointCreated {
    /// Notes what is wrong with it.
    pub fn check(&self, violations: &mut Violations) {
        let field = |name: &str| format!("webhook_endpoint.{name}");
        require_display_name(violations, &field("display_name"), &self.display_name);
        let system = field("system");
        require_token(violations, &system, &self.system, REFERENCE_PART_BYTES_MAX);
        let instance = field("instance");
        require_free_text(
            violations,
            &instance,
            &self.instance,
            REFERENCE_PART_BYTES_MAX,
        );
        let as_signed = !self.vendor.signs() || self.authentication == self.vendor.authentication();
        let described = "this vendor signs what it sends, and nothing less is taken";
        violations.require(as_signed, &field("authentication"), described);
        match (&self.mapping, self.vendor) {
            (Some(mapping), Vendor::Generic) => mapping.check(violations),
            (None, Vendor::Generic) => violations.add(field("mapping"), "is required for GENERIC"),
            (Some(_), _) => violations.add(field("mapping"), "only for GENERIC"),
            (None, _) => {}
        }
    }
}

/// An endpoint. Its secret is derived and nowhere stored.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct WebhookEndpoint {
    /// What it was made with.
    pub made: EndpointCreated,
    /// Which secrets are good.
    pub secret: DerivedSecret,
    /// When it was disabled.
    pub disabled_at: Option<Timestamp>,
}

/// An endpoint was disabled.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct EndpointDisabled {}

events! {
    /// What happens to an endpoint.
    WebhookEndpointEvent {
        /// It was made.
        Created(EndpointCreated) = "webhook_endpoint.created", 1;
        /// It got a new secret.
        SecretRotated(SecretRotated) = "webhook_endpoint.secret_rotated", 1;
        /// It was disabled.
        Disabled(EndpointDisabled) = "webhook_endpoint.disabled", 1;
    }
}

impl Aggregate for WebhookEndpoint {
    type Event = WebhookEndpointEvent;
    const BODY_VERSION: u32 = 1;

    fn apply(
        previous: Option<Self>,
        event: &WebhookEndpointEvent,
        recorded: &Recorded,
    ) -> Option<Self> {
        match (previous, event) {
            (None, WebhookEndpointEvent::Created(made)) => Some(Self {
                made: made.clone(),
                secret: DerivedSecret::default(),
                disabled_at: None,
            }),
            (Some(mut endpoint), WebhookEndpointEvent::SecretRotated(rotated)) => {
                endpoint.secret = endpoint.secret.rotated(rotated, recorded.at)?;
                Some(endpoint)
            }
            (Some(mut endpoint), WebhookEndpointEvent::Disabled(_)) => {
                endpoint.disabled_at = Some(recorded.at);
                Some(endpoint)
            }
            _ => None,
        }
    }

    fn state(&self) -> &'static str {
        if self.disabled_at.is_some() {
            "disabled"
        } else {
            "active"
        }
    }
}

/// What can be asked.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum WebhookCommand {
    /// Makes an endpoint.
    Create(EndpointCreated),
    /// Gives one a new secret.
    RotateSecret {
        /// Which endpoint.
        id: String,
        /// For how long the one before stays good.
        overlap: Span,
    },
    /// Disables one; doing it again changes nothing.
    Disable {
        /// Which endpoint.
        id: String,
    },
}

/// Decides a command on the endpoints of the firm whose scope it is.
///
/// # Errors
/// A refusal, or what has to be loaded first.
pub fn decide(command: &WebhookCommand, view: &View<'_>) -> Result<Decision, Stop> {
    view.get::<Firm>(view.scope.id())?;
    let about = |id: &str| Decision::about(Kind::WebhookEndpoint, id);
    match command {
        WebhookCommand::Create(made) => {
            let mut violations = Violations::default();
            made.check(&mut violations);
            violations.finish()?;
            let id = view.new_id(0);
            let event = WebhookEndpointEvent::Created(made.clone());
            Ok(about(&id).event(Event::new(id, event)))
        }
        WebhookCommand::RotateSecret { id, overlap } => {
            let endpoint = view.get::<WebhookEndpoint>(id)?;
            if endpoint.disabled_at.is_some() {
                return Err(Refusal::invalid_state("disabled", "rotate_secret").into());
            }
            let mut violations = Violations::default();
            require_overlap(&mut violations, "overlap", *overlap);
            violations.finish()?;
            let rotated = SecretRotated::new(view.now, *overlap);
            let event = WebhookEndpointEvent::SecretRotated(rotated);
            Ok(about(id).event(Event::new(id, event)))
        }
        WebhookCommand::Disable { id } => {
            if view.get::<WebhookEndpoint>(id)?.disabled_at.is_some() {
                return Ok(about(id));
            }
            let event = WebhookEndpointEvent::Disabled(EndpointDisabled {});
            Ok(about(id).event(Event::new(id, event)))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn made(vendor: Vendor) -> EndpointCreated {
        EndpointCreated {
            display_name: "Desk".to_owned(),
            vendor,
            authentication: vendor.authentication(),
            partnership: "p".to_owned(),
            agreement: None,
            system: vendor.as_str().to_owned(),
            instance: String::new(),
            mapping: None,
        }
    }

    fn faults(made: &EndpointCreated) -> Vec<String> {
        let mut violations = Violations::default();
        made.check(&mut violations);
        let refusal = violations.finish().err();
        let violations = refusal.map(|refusal| refusal.violations);
        let violations = violations.into_iter().flatten();
        violations.map(|violation| violation.field).collect()
    }

    #[test]
    fn a_vendor_that_signs_is_not_taken_without() {
        for vendor in [Vendor::Autotask, Vendor::Zammad] {
            assert!(faults(&made(vendor)).is_empty());
            let weaker = EndpointCreated {
                authentication: Authentication::UrlSecret,
                ..made(vendor)
            };
            assert_eq!(faults(&weaker), ["webhook_endpoint.authentication"]);
        }
    }

    #[test]
    fn a_generic_endpoint_needs_pointers() {
        let generic = made(Vendor::Generic);
        assert_eq!(faults(&generic), ["webhook_endpoint.mapping"]);
        let mapping = Mapping {
            ticket_id: "/id".to_owned(),
            status: "status".to_owned(),
            title: format!("/{}", "x".repeat(POINTER_BYTES_MAX)),
            ..Mapping::default()
        };
        let expected = ["occur_time", "status", "title"];
        let expected = expected.map(|name| format!("webhook_endpoint.mapping.{name}"));
        let generic = EndpointCreated {
            mapping: Some(mapping.clone()),
            ..generic
        };
        assert_eq!(faults(&generic), expected);
        let halo = EndpointCreated {
            mapping: Some(mapping),
            ..made(Vendor::HaloPsa)
        };
        assert_eq!(faults(&halo), ["webhook_endpoint.mapping"]);
    }

    #[test]
    fn actors_come_apart_again() {
        assert_eq!(endpoint_of(&actor_of("e1")), Some("e1"));
        assert_eq!(endpoint_of("e1"), None);
    }
}
