//! Cosignatures: a firm's own signature of what the journal of its partnership held at some entry.
//!
//! The server signs checkpoints by itself; a firm that signs one too binds the server to that journal
//! before everybody, under a key that the server does not have. A party's record keeps the latest; all
//! of them stay in the journal. Only what covers later entries than the one before is taken.

use serde::{Deserialize, Serialize};

use super::aggregate::{Aggregate, Recorded, events};
use super::command::Decision;
use super::identity::{FirmId, PartyId, ScopeId};
use super::journal::Hash;
use super::partnership::as_present_party;
use super::record::{Event, Kind};
use super::refusal::{Reason, Refusal};
use super::signing::{Signature, Signed};
use super::time::Timestamp;
use super::world::{Stop, View};

/// Begins the first line of every checkpoint; the scope follows.
pub const ORIGIN: &str = "entente/";

/// What a checkpoint says, and what is signed: three lines, each with a line feed at its end:
/// `entente/` and the scope, the sequence of an entry, and the hash of that entry in base64.
#[must_use]
pub fn checkpoint_text(scope: &ScopeId, sequence: u64, hash: &Hash) -> String {
    let hash = data_encoding::BASE64.encode(hash);
    format!("{ORIGIN}{scope}\n{sequence}\n{hash}\n")
}

/// A party cosigned a checkpoint.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct CheckpointCosigned {
    /// Which party.
    pub party: PartyId,
    /// Sequence of the last entry that the checkpoint covers.
    pub sequence: u64,
    /// Hash of that entry, hexadecimal.
    pub hash: String,
    /// Its signature over [`checkpoint_text`].
    pub signature: Signature,
}

impl CheckpointCosigned {
    /// The hash that was signed; `None` if it is none.
    #[must_use]
    pub fn signed_hash(&self) -> Option<Hash> {
        let bytes = data_encoding::HEXLOWER.decode(self.hash.as_bytes()).ok()?;
        bytes.try_into().ok()
    }
}

/// The latest checkpoint that a party cosigned. Its record's id is the party's.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Cosignature {
    /// What it cosigned.
    pub cosigned: CheckpointCosigned,
    /// The firm that the party was.
    pub firm: FirmId,
    /// When.
    pub at: Timestamp,
}

events! {
    /// What happens to a party's cosignature.
    CosignatureEvent {
        /// A checkpoint was cosigned.
        Cosigned(CheckpointCosigned) = "cosignature.cosigned", 1;
    }
}

impl Aggregate for Cosignature {
    type Event = CosignatureEvent;
    const BODY_VERSION: u32 = 1;

    fn apply(
        previous: Option<Self>,
        event: &CosignatureEvent,
        recorded: &Recorded,
    ) -> Option<Self> {
        let CosignatureEvent::Cosigned(cosigned) = event;
        let before = previous.map_or(0, |previous| previous.cosigned.sequence);
        let is_later = cosigned.sequence > before && cosigned.sequence < recorded.sequence;
        cosigned.signed_hash()?;
        is_later.then_some(())?;
        Some(Self {
            cosigned: cosigned.clone(),
            firm: recorded.firm.clone()?,
            at: recorded.at,
        })
    }
}

/// Cosigns a checkpoint. The entry that it names is known to be there.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CosignCommand {
    /// Sequence of the last entry that the checkpoint covers.
    pub sequence: u64,
    /// Hash of that entry, as the firm signed it.
    pub hash: Hash,
    /// The signature over [`checkpoint_text`].
    pub signed: Signed,
}

/// Decides a cosignature; one more of the same checkpoint changes nothing. It may be given after the
/// end of the partnership, too.
///
/// # Errors
/// A refusal, or what has to be loaded first.
pub fn decide(command: &CosignCommand, firm: &FirmId, view: &View<'_>) -> Result<Decision, Stop> {
    let (_, party) = as_present_party(firm, view)?;
    let id = party.id.as_str();
    let decision = Decision::about(Kind::Cosignature, id);
    let message = checkpoint_text(view.scope, command.sequence, &command.hash);
    if view.entry_hash(command.sequence)? != command.hash {
        return Err(contradicted(command.sequence).into());
    }
    let before = view.find::<Cosignature>(id)?;
    if let Some(before) = before.map(|before| &before.cosigned)
        && before.sequence >= command.sequence
    {
        if before.sequence == command.sequence {
            return Ok(decision);
        }
        let described = "covers fewer entries than the checkpoint that was cosigned before";
        return Err(Refusal::field(Reason::InvalidField, "note", described).into());
    }
    let cosigned = CheckpointCosigned {
        party: party.id.clone(),
        sequence: command.sequence,
        hash: data_encoding::HEXLOWER.encode(&command.hash),
        signature: command.signed.checked("note", &message)?,
    };
    Ok(decision.event(Event::new(id, CosignatureEvent::Cosigned(cosigned))))
}

/// The refusal of a checkpoint that the journal contradicts.
#[must_use]
pub fn contradicted(sequence: u64) -> Refusal {
    let message = "the journal has another entry there than the checkpoint says, or none";
    Refusal::new(Reason::JournalDiverged, message).with("sequence", sequence)
}

#[cfg(test)]
mod tests {
    use ed25519_dalek::{Signer, SigningKey};

    use super::*;
    use crate::domain::command::Action;
    use crate::domain::signing::{PublicKey, SignatureBytes};
    use crate::domain::tests::{FIRST, SECOND, Scene};

    const HASH: Hash = [5; 32];

    fn scene() -> Scene {
        let mut scene = Scene::shared(None);
        for sequence in 1..=3 {
            scene.put_entry_hash(sequence, HASH);
        }
        scene.sequence = 3;
        scene
    }

    fn cosigning(sequence: u64, hash: Hash, signed_sequence: u64) -> Action {
        let secret = SigningKey::from_bytes(&[1; 32]);
        let text = checkpoint_text(&ScopeId::partnership("p"), signed_sequence, &hash);
        let bytes = secret.sign(text.as_bytes()).to_bytes();
        let public_key = PublicKey::from_bytes(secret.verifying_key().as_bytes()).unwrap();
        Action::Cosign(CosignCommand {
            sequence,
            hash,
            signed: Signed {
                signature: Signature {
                    key_id: public_key.id(),
                    public_key,
                    signature: SignatureBytes::from_bytes(&bytes).unwrap(),
                },
                revoked_at: None,
            },
        })
    }

    #[test]
    fn form_never_changes() {
        assert_eq!(
            checkpoint_text(&ScopeId::partnership("p"), 42, &[0; 32]),
            "entente/partnerships/p\n42\nAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=\n"
        );
    }

    #[test]
    fn each_party_has_its_latest() {
        let mut scene = scene();
        scene.go(FIRST, cosigning(1, HASH, 1));
        scene.go(SECOND, cosigning(2, HASH, 2));
        assert_eq!(scene.ask(SECOND, cosigning(2, HASH, 2)), Ok(vec![]));
        assert_eq!(
            scene.reason(SECOND, cosigning(1, HASH, 1)),
            Reason::InvalidField
        );
        scene.go(FIRST, cosigning(3, HASH, 3));
        let latest = |party| scene.get::<Cosignature>(party).cosigned.sequence;
        assert_eq!((latest("party-1"), latest("party-2")), (3, 2));
        scene.end();
        let again = scene.ask(SECOND, cosigning(3, HASH, 3));
        assert_eq!(again, Ok(vec!["cosignature.cosigned"]));
    }

    #[test]
    fn what_the_journal_or_the_key_contradicts_is_refused() {
        let mut scene = scene();
        let other = cosigning(1, [6; 32], 1);
        assert_eq!(scene.reason(FIRST, other), Reason::JournalDiverged);
        let of_another_entry = cosigning(1, HASH, 2);
        assert_eq!(
            scene.reason(FIRST, of_another_entry),
            Reason::SignatureInvalid
        );
        let stranger = cosigning(1, HASH, 1);
        assert_eq!(scene.reason("stranger", stranger), Reason::NotFound);
    }
}
