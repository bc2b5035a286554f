//! Signing keys: the Ed25519 public keys by which a firm vouches for something itself, whatever the
//! server does, and the signatures that they make.
//!
//! A firm registers its keys in its own scope. A command in a partnership's scope carries the key by
//! value, as the API found it in the firm's own, and the decision checks the signature again. What was
//! signed before a key was revoked stays evidence; a revoked key signs nothing new.

mod key;
mod statement;
#[cfg(test)]
mod tests;

use serde::{Deserialize, Serialize};

use super::aggregate::{Aggregate, Recorded, events};
use super::command::Decision;
use super::firm::Firm;
use super::identity::FirmId;
use super::record::{Event, Kind};
use super::refusal::{Reason, Refusal, Violations};
use super::text::require_display_name;
use super::time::Timestamp;
use super::world::{Stop, View};

pub use key::{KEY_BYTES, PublicKey, SIGNATURE_BYTES, SignatureBytes};
pub use statement::{SIGNED_KINDS, Statement, statement};

/// Most signing keys of one firm, revoked ones included: they stay, since what they signed does.
pub const SIGNING_KEYS_MAX: usize = 100;
/// First line of what proves that a key's owner has its secret half.
const PROOF_FORM: &str = "entente.signing-key.v1";

/// What a firm signs with a new key to prove that it has the secret half: three lines, each with a
/// line feed at its end: `entente.signing-key.v1`, the firm's name, and the public key as 64
/// lower-case hexadecimal digits.
#[must_use]
pub fn proof_message(firm: &FirmId, public_key: &PublicKey) -> String {
    format!("{PROOF_FORM}\n{}\n{public_key}\n", firm.scope())
}

/// A key of a firm.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SigningKey {
    /// Its identifier, which follows from the public key.
    pub id: String,
    /// What the key is for, for people.
    pub display_name: String,
    /// Its public half.
    pub public_key: PublicKey,
    /// When it was registered.
    pub registered_at: Timestamp,
    /// When it was revoked.
    pub revoked_at: Option<Timestamp>,
}

/// A signature with the key that made it, as it stands in records and in the journal: everything that
/// is needed to check it, for ever.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Signature {
    /// Identifier of the key within the firm.
    pub key_id: String,
    /// The key's public half.
    pub public_key: PublicKey,
    /// The signature.
    pub signature: SignatureBytes,
}

impl Signature {
    /// Whether the key made it over `message`.
    #[must_use]
    pub fn is_over(&self, message: &str) -> bool {
        self.public_key
            .verifies(message.as_bytes(), &self.signature)
    }
}

/// A signature that a command brings, with what the firm's own scope says of its key.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Signed {
    /// The signature.
    pub signature: Signature,
    /// When its key was revoked, if it was.
    pub revoked_at: Option<Timestamp>,
}

impl Signed {
    /// The signature, if it is one over `message` by a key that may still sign.
    ///
    /// # Errors
    /// [`Reason::SigningKeyRevoked`], [`Reason::SignatureInvalid`] naming `field`.
    pub fn checked(&self, field: &str, message: &str) -> Result<Signature, Refusal> {
        if let Some(revoked_at) = self.revoked_at {
            let described = "its key was revoked, and signs nothing new";
            let refusal = Refusal::field(Reason::SigningKeyRevoked, field, described);
            return Err(refusal
                .with("signing_key", &self.signature.key_id)
                .with("revoke_time", revoked_at));
        }
        if !self.signature.is_over(message) {
            let described = "is not the key's signature over the documented message";
            return Err(Refusal::field(Reason::SignatureInvalid, field, described)
                .with("signing_key", &self.signature.key_id));
        }
        Ok(self.signature.clone())
    }
}

/// All signing keys that a firm ever registered. Its record's id is the firm's id.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SigningKeys {
    /// The keys, in the order in which they were registered; no more than [`SIGNING_KEYS_MAX`].
    pub keys: Vec<SigningKey>,
}

impl SigningKeys {
    /// The key of that identifier.
    #[must_use]
    pub fn key(&self, id: &str) -> Option<&SigningKey> {
        self.keys.iter().find(|key| key.id == id)
    }
}

/// A key was registered.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SigningKeyRegistered {
    /// What the key is for.
    pub display_name: String,
    /// Its public half.
    pub public_key: PublicKey,
    /// Its signature over [`proof_message`].
    pub proof: SignatureBytes,
}

/// A key was revoked.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SigningKeyRevoked {
    /// Which key.
    pub key_id: String,
}

events! {
    /// What happens to a firm's signing keys.
    SigningKeysEvent {
        /// One was registered.
        Registered(SigningKeyRegistered) = "signing_keys.registered", 1;
        /// One was revoked.
        Revoked(SigningKeyRevoked) = "signing_keys.revoked", 1;
    }
}

impl Aggregate for SigningKeys {
    type Event = SigningKeysEvent;
    const BODY_VERSION: u32 = 1;

    fn apply(
        previous: Option<Self>,
        event: &SigningKeysEvent,
        recorded: &Recorded,
    ) -> Option<Self> {
        match (previous, event) {
            (previous, SigningKeysEvent::Registered(registered)) => {
                let mut keys = previous.unwrap_or_default();
                let id = registered.public_key.id();
                if keys.key(&id).is_some() {
                    return None;
                }
                keys.keys.push(SigningKey {
                    id,
                    display_name: registered.display_name.clone(),
                    public_key: registered.public_key,
                    registered_at: recorded.at,
                    revoked_at: None,
                });
                Some(keys)
            }
            (Some(mut keys), SigningKeysEvent::Revoked(revoked)) => {
                let mut found = keys.keys.iter_mut();
                let key = found.find(|key| key.id == revoked.key_id)?;
                key.revoked_at = Some(recorded.at);
                Some(keys)
            }
            (None, SigningKeysEvent::Revoked(_)) => None,
        }
    }
}

/// What can be asked of a firm's signing keys.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum SigningCommand {
    /// Registers a key.
    Register(SigningKeyRegistered),
    /// Revokes a key; revoking it again changes nothing.
    Revoke {
        /// Which key.
        id: String,
    },
}

/// Decides a command on a firm's signing keys. Nobody does that for a firm, the operator neither.
///
/// # Errors
/// A refusal, or what has to be loaded first.
pub fn decide(command: &SigningCommand, firm: &FirmId, view: &View<'_>) -> Result<Decision, Stop> {
    if firm.scope() != *view.scope {
        return Err(Refusal::not_found("firm").into());
    }
    view.get::<Firm>(firm.as_str())?;
    match command {
        SigningCommand::Register(registered) => register(registered, firm, view),
        SigningCommand::Revoke { id } => revoke(id, firm, view),
    }
}

fn register(
    registered: &SigningKeyRegistered,
    firm: &FirmId,
    view: &View<'_>,
) -> Result<Decision, Stop> {
    let mut violations = Violations::default();
    let name = &registered.display_name;
    require_display_name(&mut violations, "signing_key.display_name", name);
    violations.finish()?;
    let key = &registered.public_key;
    let message = proof_message(firm, key);
    if !key.verifies(message.as_bytes(), &registered.proof) {
        let described = "is not the key's signature over the documented message";
        return Err(Refusal::field(Reason::SignatureInvalid, "proof", described).into());
    }
    let known = view.find::<SigningKeys>(firm.as_str())?;
    let known = known.map_or(&[][..], |known| &known.keys);
    let id = key.id();
    if known.iter().any(|known| known.id == id) {
        let resource = format!("{}/signingKeys/{id}", firm.scope());
        let refusal = Refusal::new(Reason::AlreadyExists, "the key is registered already");
        return Err(refusal.with("resource", resource).into());
    }
    if known.len() >= SIGNING_KEYS_MAX {
        return Err(Refusal::limit("signing_keys_per_firm", SIGNING_KEYS_MAX).into());
    }
    let event = SigningKeysEvent::Registered(registered.clone());
    Ok(Decision::about(Kind::SigningKeys, firm.as_str()).event(Event::new(firm.as_str(), event)))
}

fn revoke(id: &str, firm: &FirmId, view: &View<'_>) -> Result<Decision, Stop> {
    let known = view.find::<SigningKeys>(firm.as_str())?;
    let key = known.and_then(|known| known.key(id));
    let key = key.ok_or_else(|| Refusal::not_found("signing_key"))?;
    let decision = Decision::about(Kind::SigningKeys, firm.as_str());
    if key.revoked_at.is_some() {
        return Ok(decision);
    }
    let revoked = SigningKeyRevoked {
        key_id: id.to_owned(),
    };
    let event = SigningKeysEvent::Revoked(revoked);
    Ok(decision.event(Event::new(firm.as_str(), event)))
}
