//! Who calls, and what callers may do.

use tokio::sync::{Semaphore, SemaphorePermit};

use crate::domain::firm::Permission;
use crate::domain::identity::FirmId;
use crate::domain::refusal::{Reason, Refusal};

/// Begins the actor of whoever was recognised as a trusted identity; its id follows. A key's id stands
/// for itself.
pub const TRUSTED_ACTOR: &str = "trustedIdentities/";

/// What a caller was recognised by.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum RecognisedBy {
    /// An API key.
    ApiKey,
    /// An identity for which others vouch.
    TrustedIdentity,
    /// Nothing of its own: the service acts for a firm, by an endpoint or a subscription of it.
    Webhook,
    /// Nothing of its own: somebody reads with a link that a firm gave out.
    Link,
}

/// A caller that was recognised.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Caller {
    /// Its firm.
    pub firm: FirmId,
    /// What it was recognised by.
    pub by: RecognisedBy,
    /// Its name in the journal: the credential's public identifier, and what sort it is of.
    pub actor: String,
    /// What the credential may do.
    pub permissions: Vec<Permission>,
}

impl Caller {
    /// # Errors
    /// [`Reason::PermissionMissing`], naming the permission.
    pub fn require(&self, permission: Permission) -> Result<(), Refusal> {
        if self.permissions.contains(&permission) {
            return Ok(());
        }
        let name = permission.as_str();
        Err(Refusal::new(
            Reason::PermissionMissing,
            format!("the key lacks the permission {name}"),
        )
        .with("permission", name))
    }

    /// Whether the caller acts for the operator.
    #[must_use]
    pub fn is_operator(&self) -> bool {
        self.permissions.contains(&Permission::Operator)
    }
}

/// Most calls of guests under way at a time. Guests have no key, so that nothing else tells how much
/// any one of them may ask for.
const GUEST_CALLS_MAX: usize = 64;

/// Lets guests in, `GUEST_CALLS_MAX` at a time; whoever comes then is turned away at once.
#[derive(Debug)]
pub struct GuestGate(Semaphore);

impl Default for GuestGate {
    fn default() -> Self {
        Self(Semaphore::new(GUEST_CALLS_MAX))
    }
}

impl GuestGate {
    /// Lets one in; the place is free again when the permit is dropped.
    ///
    /// # Errors
    /// [`Reason::QueueFull`].
    pub fn enter(&self) -> Result<SemaphorePermit<'_>, Refusal> {
        let full = |_| Refusal::new(Reason::QueueFull, "too many guests at a time");
        self.0.try_acquire().map_err(full)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn guests_beyond_the_limit_are_turned_away() {
        let gate = GuestGate::default();
        let inside: Vec<_> = (0..GUEST_CALLS_MAX).map(|_| gate.enter()).collect();
        assert!(inside.iter().all(Result::is_ok));
        assert_eq!(gate.enter().unwrap_err().reason, Reason::QueueFull);
        drop(inside);
        assert!(gate.enter().is_ok());
    }
}
