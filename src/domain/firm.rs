//! Firms, who may act for them, and the list of partnerships each belongs to.

mod api_key;
mod trusted_identity;

use serde::{Deserialize, Serialize};

pub use api_key::{
    ApiKey, ApiKeyCreated, ApiKeyEvent, ApiKeyRevoked, ApiKeyRotated, OVERLAP_DEFAULT, OVERLAP_MAX,
};
pub use trusted_identity::{
    Identity, TrustedIdentity, TrustedIdentityCreated, TrustedIdentityEvent, TrustedIdentityRevoked,
};

use super::aggregate::{Aggregate, Recorded, events};
use super::carry::{CarriedAction, CarryEvent, CarryRequested};
use super::command::Decision;
use super::identity::{ExternalReference, FirmId, PartyId, ScopeId};
use super::record::{Event, Kind};
use super::refusal::{Reason, Refusal, Violations};
use super::text::require_display_name;
use super::time::Span;
use super::world::{Stop, View};

/// Permissions one key may carry at most: all there are.
pub const PERMISSIONS_MAX: usize = 6;

/// What a key may do.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Permission {
    /// See what the firm may see.
    Read,
    /// Feed tickets and their settings.
    Tickets,
    /// Work on expectations and quotes.
    Quotes,
    /// Approve and agree on behalf of the firm.
    Approve,
    /// Manage the firm's own keys and partnerships.
    Admin,
    /// Manage all firms; for the operator's keys only.
    Operator,
}

impl Permission {
    /// Every permission.
    pub const ALL: &[Self] = &[
        Self::Read,
        Self::Tickets,
        Self::Quotes,
        Self::Approve,
        Self::Admin,
        Self::Operator,
    ];

    /// The name used in errors and on the command line.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Read => "read",
            Self::Tickets => "tickets",
            Self::Quotes => "quotes",
            Self::Approve => "approve",
            Self::Admin => "admin",
            Self::Operator => "operator",
        }
    }

    /// The permission of that name.
    #[must_use]
    pub fn parse(name: &str) -> Option<Self> {
        Self::ALL
            .iter()
            .copied()
            .find(|permission| permission.as_str() == name)
    }
}

/// A firm, in its own scope. Its record's id is the firm's id.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Firm {
    /// The firm's name for people.
    pub display_name: String,
}

/// A firm came to be.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct FirmCreated {
    /// The firm's name for people.
    pub display_name: String,
}

events! {
    /// What happens to a firm.
    FirmEvent {
        /// It came to be.
        Created(FirmCreated) = "firm.created", 1;
    }
}

impl Aggregate for Firm {
    type Event = FirmEvent;
    const BODY_VERSION: u32 = 1;

    fn apply(previous: Option<Self>, event: &FirmEvent, _recorded: &Recorded) -> Option<Self> {
        let FirmEvent::Created(created) = event;
        previous.is_none().then(|| Self {
            display_name: created.display_name.clone(),
        })
    }
}

/// A firm as the operator registered it. Its record's id is the firm's id.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct FirmRegistration {
    /// The firm's name for people.
    pub display_name: String,
}

events! {
    /// What happens in the operator's register of firms.
    FirmRegistrationEvent {
        /// A firm was registered.
        Registered(FirmRegistration) = "firm_registration.registered", 1;
    }
}

impl Aggregate for FirmRegistration {
    type Event = FirmRegistrationEvent;
    const BODY_VERSION: u32 = 1;

    fn apply(
        previous: Option<Self>,
        event: &FirmRegistrationEvent,
        _recorded: &Recorded,
    ) -> Option<Self> {
        let FirmRegistrationEvent::Registered(registered) = event;
        previous.is_none().then(|| registered.clone())
    }
}

/// A partnership that a firm belongs to, in the firm's own scope, so that it can list them. Its
/// record's id is the partnership's id.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Membership {
    /// Which party of the partnership the firm is.
    pub party: PartyId,
}

events! {
    /// What happens to a firm's list of partnerships.
    MembershipEvent {
        /// The firm became a party.
        Recorded(Membership) = "membership.recorded", 1;
    }
}

impl Aggregate for Membership {
    type Event = MembershipEvent;
    const BODY_VERSION: u32 = 1;

    fn apply(
        previous: Option<Self>,
        event: &MembershipEvent,
        _recorded: &Recorded,
    ) -> Option<Self> {
        let MembershipEvent::Recorded(recorded) = event;
        previous.is_none().then(|| recorded.clone())
    }
}

/// What can be asked of a firm's scope.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum FirmCommand {
    /// The operator registers a firm, in the operator's scope.
    Register {
        /// The new firm.
        firm: FirmId,
        /// Its name for people.
        display_name: String,
    },
    /// Carried: the firm's own scope begins.
    Create {
        /// Its name for people.
        display_name: String,
    },
    /// Makes an API key.
    CreateApiKey(ApiKeyCreated),
    /// Gives an API key another secret, beside which the earlier one is good for a while.
    RotateApiKey {
        /// Which key.
        id: String,
        /// SHA-256 of the new secret, hexadecimal.
        digest: String,
        /// For how long the earlier secret is good as well.
        overlap: Span,
    },
    /// Revokes an API key; revoking it again changes nothing.
    RevokeApiKey {
        /// Which key.
        id: String,
    },
    /// Lets somebody whom others vouch for act for the firm.
    TrustIdentity {
        /// Who, and what it may do.
        created: TrustedIdentityCreated,
        /// Whether a firm trusts the same identity already, as the caller of this program found: no
        /// scope knows what others hold.
        is_taken: bool,
    },
    /// Trusts no more; doing so again changes nothing.
    RevokeTrust {
        /// Which trusted identity.
        id: String,
    },
    /// Starts a partnership: the firm notes it, and the partnership's own scope follows.
    OpenPartnership(super::partnership::PartnershipOpening),
    /// Carried: the firm became a party of a partnership that another firm had begun.
    RecordMembership {
        /// Which partnership.
        partnership: String,
        /// As which party.
        party: PartyId,
    },
}

/// Decides a command on a firm's scope.
///
/// # Errors
/// A refusal, or what has to be loaded first.
pub fn decide(command: &FirmCommand, firm: &FirmId, view: &View<'_>) -> Result<Decision, Stop> {
    match command {
        FirmCommand::Register { firm, display_name } => register(firm, display_name, view),
        FirmCommand::Create { display_name } => create(display_name, view),
        FirmCommand::CreateApiKey(created) => api_key::create(created, view),
        FirmCommand::RotateApiKey {
            id,
            digest,
            overlap,
        } => api_key::rotate(id, digest, *overlap, view),
        FirmCommand::RevokeApiKey { id } => api_key::revoke(id, view),
        FirmCommand::TrustIdentity { created, is_taken } => {
            trusted_identity::create(created, *is_taken, view)
        }
        FirmCommand::RevokeTrust { id } => trusted_identity::revoke(id, view),
        FirmCommand::OpenPartnership(opening) => open_partnership(opening, firm, view),
        FirmCommand::RecordMembership { partnership, party } => {
            record_membership(partnership, party, view)
        }
    }
}

fn register(firm: &FirmId, display_name: &str, view: &View<'_>) -> Result<Decision, Stop> {
    let mut violations = Violations::default();
    require_display_name(&mut violations, "firm.display_name", display_name);
    violations.finish()?;
    if view.find::<FirmRegistration>(firm.as_str())?.is_some() {
        return Err(
            Refusal::new(Reason::AlreadyExists, format!("firm {firm} exists"))
                .with("resource", format!("firms/{firm}"))
                .into(),
        );
    }
    let registered = FirmRegistration {
        display_name: display_name.to_owned(),
    };
    let carry = CarryRequested {
        target: firm.scope(),
        action: CarriedAction::CreateFirm {
            display_name: display_name.to_owned(),
        },
    };
    Ok(Decision::about(Kind::FirmRegistration, firm.as_str())
        .event(Event::new(
            firm.as_str(),
            FirmRegistrationEvent::Registered(registered),
        ))
        .event(Event::new(view.new_id(0), CarryEvent::Requested(carry))))
}

fn create(display_name: &str, view: &View<'_>) -> Result<Decision, Stop> {
    let id = view.scope.id();
    let decision = Decision::about(Kind::Firm, id);
    if view.find::<Firm>(id)?.is_some() {
        return Ok(decision);
    }
    let created = FirmCreated {
        display_name: display_name.to_owned(),
    };
    Ok(decision.event(Event::new(id, FirmEvent::Created(created))))
}

fn open_partnership(
    opening: &super::partnership::PartnershipOpening,
    firm: &FirmId,
    view: &View<'_>,
) -> Result<Decision, Stop> {
    view.get::<Firm>(view.scope.id())?;
    opening.check()?;
    if let Some(reference) = &opening.external_reference {
        refuse_taken(reference, view)?;
    }
    let id = view.new_id(0);
    let membership = Membership {
        party: PartyId::numbered(1),
    };
    let carry = CarryRequested {
        target: ScopeId::partnership(&id),
        action: CarriedAction::CreatePartnership {
            firm: firm.clone(),
            opening: opening.clone(),
        },
    };
    let mut decision = Decision::about(Kind::Membership, &id)
        .event(Event::new(&id, MembershipEvent::Recorded(membership)))
        .event(Event::new(view.new_id(1), CarryEvent::Requested(carry)));
    if let Some(reference) = &opening.external_reference {
        decision = decision.reference(reference.clone(), Kind::Membership, &id);
    }
    Ok(decision)
}

/// Refuses a reference that stands for something already.
///
/// # Errors
/// [`Reason::AlreadyExists`], or what has to be loaded first.
pub fn refuse_taken(reference: &ExternalReference, view: &View<'_>) -> Result<(), Stop> {
    if view.referenced(reference)?.is_empty() {
        return Ok(());
    }
    Err(Refusal::new(
        Reason::AlreadyExists,
        "the external reference stands for another record",
    )
    .with("external_id", &reference.id)
    .into())
}

fn record_membership(
    partnership: &str,
    party: &PartyId,
    view: &View<'_>,
) -> Result<Decision, Stop> {
    let decision = Decision::about(Kind::Membership, partnership);
    if view.find::<Membership>(partnership)?.is_some() {
        return Ok(decision);
    }
    let membership = Membership {
        party: party.clone(),
    };
    Ok(decision.event(Event::new(
        partnership,
        MembershipEvent::Recorded(membership),
    )))
}
