//! What an entry of a journal says that a firm signed, so that anybody can check it again.

use super::{Signature, SigningKeysEvent, proof_message};
use crate::domain::cosignature::{CosignatureEvent, checkpoint_text};
use crate::domain::identity::{FirmId, ScopeId};
use crate::domain::pricing::quote::JointQuoteEvent;
use crate::domain::pricing::quote::signature::approval_message;
use crate::domain::record::{EventBody, Kind};

/// Kinds of record whose entries may hold signatures.
pub const SIGNED_KINDS: &[Kind] = &[Kind::SigningKeys, Kind::JointQuote, Kind::Cosignature];

/// Something signed: the message, and the signature over it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Statement {
    /// What was signed.
    pub message: String,
    /// By which key, and the signature.
    pub signature: Signature,
}

impl Statement {
    /// Whether the signature is one over the message.
    #[must_use]
    pub fn is_genuine(&self) -> bool {
        let is_named_after_itself = self.signature.key_id == self.signature.public_key.id();
        is_named_after_itself && self.signature.is_over(&self.message)
    }
}

/// What an event about the record `id` says that was signed; `None` if it says no such thing.
#[must_use]
pub fn statement(scope: &ScopeId, id: &str, event: &EventBody) -> Option<Statement> {
    match event {
        EventBody::SigningKeys(SigningKeysEvent::Registered(registered)) => {
            let firm = FirmId::parse(scope.id())?;
            let public_key = registered.public_key;
            Some(Statement {
                message: proof_message(&firm, &public_key),
                signature: Signature {
                    key_id: public_key.id(),
                    public_key,
                    signature: registered.proof,
                },
            })
        }
        EventBody::JointQuote(JointQuoteEvent::ConcessionSigned(signed)) => Some(Statement {
            message: approval_message(scope, id, &signed.party, &signed.hash),
            signature: signed.signature.clone(),
        }),
        EventBody::Cosignature(CosignatureEvent::Cosigned(cosigned)) => Some(Statement {
            message: checkpoint_text(scope, cosigned.sequence, &cosigned.signed_hash()?),
            signature: cosigned.signature.clone(),
        }),
        _ => None,
    }
}
