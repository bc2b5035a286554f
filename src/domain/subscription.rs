//! Subscriptions: addresses to which a firm has journal entries posted. What is asked for is here, in
//! the firm's scope and journal; how far posting has come is the deliverer's own affair.

use serde::{Deserialize, Serialize};

use super::aggregate::{Aggregate, Recorded, events};
use super::command::Decision;
use super::derived_secret::{DerivedSecret, SecretRotated, require_overlap};
use super::firm::Firm;
use super::identity::ScopeId;
use super::record::{Event, Kind};
use super::refusal::{Refusal, Violations};
use super::text::{require_display_name, require_token};
use super::time::{Span, Timestamp};
use super::world::{Stop, View};

/// Most subscriptions of one firm, disabled ones included.
pub const SUBSCRIPTIONS_MAX: usize = 50;
/// Longest target, in bytes.
pub const TARGET_BYTES_MAX: usize = 1_024;
/// Most event types that a subscription names.
pub const EVENT_TYPES_MAX: usize = 50;
/// Longest event type, in bytes.
const EVENT_TYPE_BYTES_MAX: usize = 128;
/// Ends an event type that stands for all that begin so.
const ANY_SUFFIX: &str = ".*";

/// Whose entries are posted.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Source {
    /// Those of one journal.
    Scope(ScopeId),
    /// Those of all partnerships of the firm.
    EveryPartnership,
}

/// What a subscription is made with; it never changes.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SubscriptionCreated {
    /// What it is for, for people.
    pub display_name: String,
    /// Where entries are posted to.
    pub target_uri: String,
    /// Whose entries.
    pub source: Source,
    /// Of which types; all, if none is named.
    pub event_types: Vec<String>,
}

impl SubscriptionCreated {
    /// Notes what is wrong with it; whether the target may be called is for the server to say.
    pub fn check(&self, violations: &mut Violations) {
        let name = "subscription.display_name";
        require_display_name(violations, name, &self.display_name);
        let target = "subscription.target_uri";
        require_token(violations, target, &self.target_uri, TARGET_BYTES_MAX);
        let few = self.event_types.len() <= EVENT_TYPES_MAX;
        violations.require(few, "subscription.event_types", "at most 50");
        let types = self.event_types.iter().take(EVENT_TYPES_MAX);
        for (index, event_type) in types.enumerate() {
            let field = format!("subscription.event_types[{index}]");
            require_token(violations, &field, event_type, EVENT_TYPE_BYTES_MAX);
        }
    }

    /// Whether entries of that type are posted.
    #[must_use]
    pub fn wants(&self, event_type: &str) -> bool {
        let fits = |wanted: &String| match wanted.strip_suffix(ANY_SUFFIX) {
            Some(prefix) => event_type
                .strip_prefix(prefix)
                .is_some_and(|rest| rest.starts_with('.')),
            None => wanted == event_type,
        };
        self.event_types.is_empty() || self.event_types.iter().any(fits)
    }
}

/// Why a subscription is disabled.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum DisableReason {
    /// The firm wanted it.
    Requested,
    /// The target took nothing for long.
    TargetFailing,
    /// The target said that it is gone.
    TargetGone,
}

/// Why and since when a subscription is disabled.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Disabled {
    /// Why.
    pub reason: DisableReason,
    /// Since when.
    pub at: Timestamp,
}

/// A subscription. Its secret is derived and nowhere stored.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Subscription {
    /// What it was made with.
    pub made: SubscriptionCreated,
    /// When: entries recorded since then are posted.
    pub created_at: Timestamp,
    /// Which secrets are good.
    pub secret: DerivedSecret,
    /// Whether it is disabled.
    pub disabled: Option<Disabled>,
}

/// A subscription was disabled.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SubscriptionDisabled {
    /// Why.
    pub reason: DisableReason,
}

/// A subscription was enabled again.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SubscriptionEnabled {}

/// Somebody asked to have dead letters tried once more.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct DeadLettersReplayed {}

events! {
    /// What happens to a subscription.
    SubscriptionEvent {
        /// It was made.
        Created(SubscriptionCreated) = "subscription.created", 1;
        /// It got a new secret.
        SecretRotated(SecretRotated) = "subscription.secret_rotated", 1;
        /// It was disabled.
        Disabled(SubscriptionDisabled) = "subscription.disabled", 1;
        /// It was enabled again.
        Enabled(SubscriptionEnabled) = "subscription.enabled", 1;
        /// Its dead letters were to be tried once more.
        Replayed(DeadLettersReplayed) = "subscription.dead_letters_replayed", 1;
    }
}

impl Aggregate for Subscription {
    type Event = SubscriptionEvent;
    const BODY_VERSION: u32 = 1;

    fn apply(
        previous: Option<Self>,
        event: &SubscriptionEvent,
        recorded: &Recorded,
    ) -> Option<Self> {
        let mut subscription = match (previous, event) {
            (None, SubscriptionEvent::Created(made)) => {
                return Some(Self {
                    made: made.clone(),
                    created_at: recorded.at,
                    secret: DerivedSecret::default(),
                    disabled: None,
                });
            }
            (Some(previous), _) => previous,
            (None, _) => return None,
        };
        match event {
            SubscriptionEvent::Created(_) => return None,
            SubscriptionEvent::SecretRotated(rotated) => {
                subscription.secret = subscription.secret.rotated(rotated, recorded.at)?;
            }
            SubscriptionEvent::Disabled(disabled) => {
                subscription.disabled = Some(Disabled {
                    reason: disabled.reason,
                    at: recorded.at,
                });
            }
            SubscriptionEvent::Enabled(_) => subscription.disabled = None,
            SubscriptionEvent::Replayed(_) => {}
        }
        Some(subscription)
    }

    fn state(&self) -> &'static str {
        if self.disabled.is_some() {
            "disabled"
        } else {
            "active"
        }
    }
}

/// What can be asked.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum SubscriptionCommand {
    /// Makes a subscription.
    Create(SubscriptionCreated),
    /// Gives one a new secret.
    RotateSecret {
        /// Which subscription.
        id: String,
        /// For how long the one before is signed with, too.
        overlap: Span,
    },
    /// Disables one; doing it again changes nothing.
    Disable {
        /// Which subscription.
        id: String,
    },
    /// Enables one again; doing it again changes nothing.
    Enable {
        /// Which subscription.
        id: String,
    },
    /// Has its dead letters tried once more.
    Replay {
        /// Which subscription.
        id: String,
    },
}

/// Decides a command on the subscriptions of the firm whose scope it is.
///
/// # Errors
/// A refusal, or what has to be loaded first.
pub fn decide(command: &SubscriptionCommand, view: &View<'_>) -> Result<Decision, Stop> {
    view.get::<Firm>(view.scope.id())?;
    let about = |id: &str| Decision::about(Kind::Subscription, id);
    let (id, event) = match command {
        SubscriptionCommand::Create(made) => {
            let mut violations = Violations::default();
            made.check(&mut violations);
            violations.finish()?;
            let id = view.new_id(0);
            let event = SubscriptionEvent::Created(made.clone());
            return Ok(about(&id).event(Event::new(id, event)));
        }
        SubscriptionCommand::RotateSecret { id, overlap } => {
            view.get::<Subscription>(id)?;
            let mut violations = Violations::default();
            require_overlap(&mut violations, "overlap", *overlap);
            violations.finish()?;
            let rotated = SecretRotated::new(view.now, *overlap);
            (id, SubscriptionEvent::SecretRotated(rotated))
        }
        SubscriptionCommand::Disable { id } => {
            return disable(id, DisableReason::Requested, view);
        }
        SubscriptionCommand::Enable { id } => {
            if view.get::<Subscription>(id)?.disabled.is_none() {
                return Ok(about(id));
            }
            (id, SubscriptionEvent::Enabled(SubscriptionEnabled {}))
        }
        SubscriptionCommand::Replay { id } => {
            if view.get::<Subscription>(id)?.disabled.is_some() {
                return Err(Refusal::invalid_state("disabled", "replay_dead_letters").into());
            }
            (id, SubscriptionEvent::Replayed(DeadLettersReplayed {}))
        }
    };
    Ok(about(id).event(Event::new(id, event)))
}

/// Disables a subscription, for the firm or because of its target; doing it again changes nothing.
///
/// # Errors
/// A refusal, or what has to be loaded first.
pub fn disable(id: &str, reason: DisableReason, view: &View<'_>) -> Result<Decision, Stop> {
    let decision = Decision::about(Kind::Subscription, id);
    if view.get::<Subscription>(id)?.disabled.is_some() {
        return Ok(decision);
    }
    let event = SubscriptionEvent::Disabled(SubscriptionDisabled { reason });
    Ok(decision.event(Event::new(id, event)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn types_are_named_whole_or_by_their_beginning() {
        let made = |event_types: &[&str]| SubscriptionCreated {
            display_name: "Desk".to_owned(),
            target_uri: "https://psa.example".to_owned(),
            source: Source::EveryPartnership,
            event_types: event_types.iter().map(|&name| name.to_owned()).collect(),
        };
        assert!(made(&[]).wants("ticket.opened"));
        let some = made(&["ticket.*", "expectation.agreed"]);
        for (event_type, wanted) in [
            ("ticket.opened", true),
            ("ticket_link.made", false),
            ("expectation.agreed", true),
            ("expectation.agreed_anew", false),
            ("ticket", false),
        ] {
            assert_eq!(some.wants(event_type), wanted, "{event_type}");
        }
    }
}
