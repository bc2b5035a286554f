//! Signed checkpoints: what the head of a scope was, in the C2SP signed-note form
//! (<https://c2sp.org/signed-note>, <https://c2sp.org/tlog-checkpoint>), so that a firm can keep
//! it and later prove that the journal was not rewritten.

use ed25519_dalek::{Signature, Signer, SigningKey, Verifier, VerifyingKey};
use sha2::{Digest, Sha256};

use crate::domain::identity::ScopeId;
use crate::domain::journal::{Hash, Head};
use crate::domain::signing::{KEY_BYTES, PublicKey};

/// Begins the origin line of every checkpoint; the scope follows.
const ORIGIN: &str = "entente/";
/// Type byte of Ed25519 keys in a signed note.
const ED25519: u8 = 1;
/// Begins a signature line: an em dash and a space.
const SIGNATURE_MARK: &str = "\u{2014} ";

/// Signs checkpoints with the service's key.
pub struct CheckpointSigner {
    key: SigningKey,
    name: String,
}

impl std::fmt::Debug for CheckpointSigner {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter
            .debug_struct("CheckpointSigner")
            .field("name", &self.name)
            .finish_non_exhaustive()
    }
}

/// What a checkpoint says.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Checkpoint {
    /// Of which chain.
    pub scope: ScopeId,
    /// Its last sequence then.
    pub sequence: u64,
    /// The hash of that entry.
    pub hash: Hash,
}

/// Why a checkpoint is not accepted.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum CheckpointFault {
    /// It does not have the form of a signed note, or of a checkpoint within one.
    #[error("not a checkpoint")]
    Malformed,
    /// The key is not a verifier key of a signed note.
    #[error("not a verifier key")]
    KeyMalformed,
    /// None of its signatures is by the key given.
    #[error("not signed by that key")]
    NotSigned,
    /// A signature that claims to be by the key given is not.
    #[error("the signature is wrong")]
    SignatureWrong,
}

impl CheckpointSigner {
    /// A signer under a name, such as the operator's, with a seed of 32 random bytes.
    #[must_use]
    pub fn new(name: &str, seed: &[u8; 32]) -> Self {
        Self {
            key: SigningKey::from_bytes(seed),
            name: name.to_owned(),
        }
    }

    /// The key by which others verify, as a signed note's verifier key: `name+id+key`.
    #[must_use]
    pub fn verifier_key(&self) -> String {
        verifier_key_of(&self.name, self.key.verifying_key().as_bytes())
    }

    /// A checkpoint of `head` as a signed note.
    #[must_use]
    pub fn sign(&self, head: &Head) -> String {
        let text = format!(
            "{ORIGIN}{}\n{}\n{}\n",
            head.scope,
            head.sequence,
            data_encoding::BASE64.encode(&head.hash)
        );
        let id = key_id(&self.name, &typed_key(self.key.verifying_key().as_bytes()));
        let mut signature = id.to_vec();
        signature.extend_from_slice(&self.key.sign(text.as_bytes()).to_bytes());
        format!(
            "{text}\n{SIGNATURE_MARK}{} {}\n",
            self.name,
            data_encoding::BASE64.encode(&signature)
        )
    }
}

/// A public key under a name, as the verifier key of a signed note: `name+id+key`.
#[must_use]
pub fn verifier_key(name: &str, key: &PublicKey) -> String {
    verifier_key_of(name, key.as_bytes())
}

fn verifier_key_of(name: &str, key: &[u8; KEY_BYTES]) -> String {
    let typed = typed_key(key);
    let id = data_encoding::HEXLOWER.encode(&key_id(name, &typed));
    format!("{name}+{id}+{}", data_encoding::BASE64.encode(&typed))
}

fn typed_key(key: &[u8; KEY_BYTES]) -> Vec<u8> {
    let mut typed = vec![ED25519];
    typed.extend_from_slice(key);
    typed
}

fn key_id(name: &str, typed_key: &[u8]) -> [u8; 4] {
    let mut hasher = Sha256::new();
    hasher.update(name.as_bytes());
    hasher.update(b"\n");
    hasher.update(typed_key);
    let digest = hasher.finalize();
    [digest[0], digest[1], digest[2], digest[3]]
}

/// Reads a checkpoint and checks that `verifier_key` signed it. Further signatures, such as a
/// firm's own, do no harm.
///
/// # Errors
/// [`CheckpointFault`].
pub fn verify(note: &str, verifier_key: &str) -> Result<Checkpoint, CheckpointFault> {
    let (name, id, key) = parse_verifier_key(verifier_key).ok_or(CheckpointFault::KeyMalformed)?;
    let (text, signatures) = note.split_once("\n\n").ok_or(CheckpointFault::Malformed)?;
    let text = format!("{text}\n");
    let line_begin = format!("{SIGNATURE_MARK}{name} ");
    let candidates = signatures
        .lines()
        .filter_map(|line| line.strip_prefix(&line_begin))
        .filter_map(|encoded| data_encoding::BASE64.decode(encoded.as_bytes()).ok());
    for bytes in candidates {
        let Some((found, signature)) = bytes.split_at_checked(4) else {
            continue;
        };
        if found != id {
            continue;
        }
        let signature =
            Signature::from_slice(signature).map_err(|_| CheckpointFault::SignatureWrong)?;
        key.verify(text.as_bytes(), &signature)
            .map_err(|_| CheckpointFault::SignatureWrong)?;
        return parse_text(&text).ok_or(CheckpointFault::Malformed);
    }
    Err(CheckpointFault::NotSigned)
}

fn parse_verifier_key(text: &str) -> Option<(String, Vec<u8>, VerifyingKey)> {
    let (name, rest) = text.split_once('+')?;
    let (id, key) = rest.split_once('+')?;
    let id = data_encoding::HEXLOWER.decode(id.as_bytes()).ok()?;
    let typed = data_encoding::BASE64.decode(key.as_bytes()).ok()?;
    let (&key_type, bytes) = typed.split_first()?;
    let key = VerifyingKey::from_bytes(bytes.try_into().ok()?).ok()?;
    (key_type == ED25519 && id == key_id(name, &typed)).then(|| (name.to_owned(), id, key))
}

fn parse_text(text: &str) -> Option<Checkpoint> {
    let mut lines = text.lines();
    let scope = ScopeId::parse(lines.next()?.strip_prefix(ORIGIN)?)?;
    let sequence = lines.next()?.parse().ok()?;
    let hash = data_encoding::BASE64
        .decode(lines.next()?.as_bytes())
        .ok()?
        .try_into()
        .ok()?;
    Some(Checkpoint {
        scope,
        sequence,
        hash,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn signed() -> (CheckpointSigner, String) {
        let signer = CheckpointSigner::new("entente.example", &[3; 32]);
        let mut head = Head::new(ScopeId::partnership("p"));
        head.sequence = 42;
        head.hash = [5; 32];
        let note = signer.sign(&head);
        (signer, note)
    }

    #[test]
    fn round_trip() {
        let (signer, note) = signed();
        let checkpoint = verify(&note, &signer.verifier_key());
        let expected = Checkpoint {
            scope: ScopeId::partnership("p"),
            sequence: 42,
            hash: [5; 32],
        };
        assert_eq!(checkpoint, Ok(expected));
    }

    #[test]
    fn a_changed_note_another_key_and_nonsense_are_told_apart() {
        let (signer, note) = signed();
        let key = signer.verifier_key();
        assert_eq!(
            verify(&note.replace("42", "43"), &key),
            Err(CheckpointFault::SignatureWrong)
        );
        let other = CheckpointSigner::new("entente.example", &[4; 32]).verifier_key();
        assert_eq!(verify(&note, &other), Err(CheckpointFault::NotSigned));
        assert_eq!(verify("nonsense", &key), Err(CheckpointFault::Malformed));
        assert_eq!(
            verify(&note, "nonsense"),
            Err(CheckpointFault::KeyMalformed)
        );
    }

    #[test]
    fn further_signatures_do_no_harm() {
        let (signer, note) = signed();
        let cosigned = format!("{note}\u{2014} another.example AAAAAAAA\n");
        assert!(verify(&cosigned, &signer.verifier_key()).is_ok());
    }
}
