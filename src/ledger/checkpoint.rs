//! Signed checkpoints: what the head of a scope was, in the C2SP signed-note form
//! (<https://c2sp.org/signed-note>, <https://c2sp.org/tlog-checkpoint>), so that a firm can keep
//! it and later prove that the journal was not rewritten.

use ed25519_dalek::{Signature, Signer, SigningKey, VerifyingKey};
use sha2::{Digest, Sha256};

use crate::domain::cosignature::{Cosignature, ORIGIN, checkpoint_text};
use crate::domain::identity::ScopeId;
use crate::domain::journal::{Hash, Head};
use crate::domain::signing::{KEY_BYTES, PublicKey};

/// Type byte of Ed25519 keys in a signed note.
const ED25519: u8 = 1;
/// Bytes by which a note's signature names its key.
const KEY_ID_BYTES: usize = 4;
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
    /// None of its signatures is by a key given.
    #[error("not signed by any key given")]
    NotSigned,
    /// A signature that claims to be by a key given is not.
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
        self.sign_at(&head.scope, head.sequence, &head.hash)
    }

    /// A checkpoint of an entry as a note that a firm signed under its name, too.
    #[must_use]
    pub fn cosigned(&self, scope: &ScopeId, cosignature: &Cosignature) -> Option<String> {
        let cosigned = &cosignature.cosigned;
        let mut note = self.sign_at(scope, cosigned.sequence, &cosigned.signed_hash()?);
        let name = cosignature.firm.scope();
        let made = &cosigned.signature;
        let typed = typed_key(made.public_key.as_bytes());
        let mut signature = key_id(name.as_str(), &typed).to_vec();
        signature.extend_from_slice(made.signature.as_bytes());
        note.push_str(&signature_line(name.as_str(), &signature));
        Some(note)
    }

    fn sign_at(&self, scope: &ScopeId, sequence: u64, hash: &Hash) -> String {
        let text = checkpoint_text(scope, sequence, hash);
        let id = key_id(&self.name, &typed_key(self.key.verifying_key().as_bytes()));
        let mut signature = id.to_vec();
        signature.extend_from_slice(&self.key.sign(text.as_bytes()).to_bytes());
        format!("{text}\n{}", signature_line(&self.name, &signature))
    }
}

/// A line with a signature, which begins with the id of its key.
fn signature_line(name: &str, signature: &[u8]) -> String {
    let encoded = data_encoding::BASE64.encode(signature);
    format!("{SIGNATURE_MARK}{name} {encoded}\n")
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

fn key_id(name: &str, typed_key: &[u8]) -> [u8; KEY_ID_BYTES] {
    let mut hasher = Sha256::new();
    hasher.update(name.as_bytes());
    hasher.update(b"\n");
    hasher.update(typed_key);
    let digest = hasher.finalize();
    [digest[0], digest[1], digest[2], digest[3]]
}

/// Most bytes of a note that is read.
pub const NOTE_BYTES_MAX: usize = 8 * 1024;
/// Most signatures of a note that are looked at; further ones are left aside.
const SIGNATURES_MAX: usize = 64;

/// A signature line of a note.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NoteSignature {
    /// Under which name.
    pub name: String,
    /// Which key, as the note's form counts: four bytes of a hash over name and key.
    pub key_id: [u8; KEY_ID_BYTES],
    /// The signature.
    pub signature: Vec<u8>,
}

impl NoteSignature {
    fn parse(line: &str) -> Option<Self> {
        let (name, encoded) = line.strip_prefix(SIGNATURE_MARK)?.split_once(' ')?;
        let bytes = data_encoding::BASE64.decode(encoded.as_bytes()).ok()?;
        let (key_id, signature) = bytes.split_first_chunk()?;
        Some(Self {
            name: name.to_owned(),
            key_id: *key_id,
            signature: signature.to_vec(),
        })
    }

    /// Whether it says that `key` made it under `name`.
    #[must_use]
    pub fn is_of(&self, name: &str, key: &PublicKey) -> bool {
        self.name == name && self.key_id == key_id(name, &typed_key(key.as_bytes()))
    }
}

/// Takes a checkpoint apart, and the signatures that it says to have; none of them is checked.
///
/// # Errors
/// [`CheckpointFault::Malformed`].
pub fn read(note: &str) -> Result<(Checkpoint, Vec<NoteSignature>), CheckpointFault> {
    if note.len() > NOTE_BYTES_MAX {
        return Err(CheckpointFault::Malformed);
    }
    let (text, signatures) = note.split_once("\n\n").ok_or(CheckpointFault::Malformed)?;
    let text = format!("{text}\n");
    let checkpoint = parse_text(&text).ok_or(CheckpointFault::Malformed)?;
    let signatures = signatures.lines().take(SIGNATURES_MAX);
    let signatures = signatures.filter_map(NoteSignature::parse);
    Ok((checkpoint, signatures.collect()))
}

/// Reads a checkpoint and checks that one of `verifier_keys` at least signed it, and that whatever says
/// to be a signature by any of them is one. Further signatures do no harm.
///
/// # Errors
/// [`CheckpointFault`].
pub fn verify<Key: AsRef<str>>(
    note: &str,
    verifier_keys: &[Key],
) -> Result<Checkpoint, CheckpointFault> {
    let mut keys = Vec::with_capacity(verifier_keys.len());
    for key in verifier_keys {
        let parsed = parse_verifier_key(key.as_ref());
        keys.push(parsed.ok_or(CheckpointFault::KeyMalformed)?);
    }
    let (checkpoint, signatures) = read(note)?;
    let text = checkpoint_text(&checkpoint.scope, checkpoint.sequence, &checkpoint.hash);
    let mut is_signed = false;
    for found in &signatures {
        let by = keys
            .iter()
            .find(|(name, id, _)| *name == found.name && *id == found.key_id);
        let Some((_, _, key)) = by else { continue };
        let signature =
            Signature::from_slice(&found.signature).map_err(|_| CheckpointFault::SignatureWrong)?;
        key.verify_strict(text.as_bytes(), &signature)
            .map_err(|_| CheckpointFault::SignatureWrong)?;
        is_signed = true;
    }
    if is_signed {
        Ok(checkpoint)
    } else {
        Err(CheckpointFault::NotSigned)
    }
}

/// The name and the public key of a verifier key; `None` if it is none.
#[must_use]
pub fn parse_key(verifier_key: &str) -> Option<(String, PublicKey)> {
    let (name, _, key) = parse_verifier_key(verifier_key)?;
    Some((name, PublicKey::from_bytes(key.as_bytes())?))
}

fn parse_verifier_key(text: &str) -> Option<(String, [u8; KEY_ID_BYTES], VerifyingKey)> {
    let (name, rest) = text.split_once('+')?;
    let (id, key) = rest.split_once('+')?;
    let id = data_encoding::HEXLOWER.decode(id.as_bytes()).ok()?;
    let id: [u8; KEY_ID_BYTES] = id.try_into().ok()?;
    let typed = data_encoding::BASE64.decode(key.as_bytes()).ok()?;
    let (&key_type, bytes) = typed.split_first()?;
    let key = VerifyingKey::from_bytes(bytes.try_into().ok()?).ok()?;
    (key_type == ED25519 && id == key_id(name, &typed)).then(|| (name.to_owned(), id, key))
}

/// A checkpoint from its text, which has no lines beyond its three.
fn parse_text(text: &str) -> Option<Checkpoint> {
    let mut lines = text.lines();
    let scope = ScopeId::parse(lines.next()?.strip_prefix(ORIGIN)?)?;
    let sequence = lines.next()?.parse().ok()?;
    let hash = data_encoding::BASE64
        .decode(lines.next()?.as_bytes())
        .ok()?
        .try_into()
        .ok()?;
    let is_whole = checkpoint_text(&scope, sequence, &hash) == text;
    is_whole.then_some(Checkpoint {
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
        let checkpoint = verify(&note, &[signer.verifier_key()]);
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
            verify(&note.replace("42", "43"), &[&key]),
            Err(CheckpointFault::SignatureWrong)
        );
        let other = CheckpointSigner::new("entente.example", &[4; 32]).verifier_key();
        assert_eq!(verify(&note, &[other]), Err(CheckpointFault::NotSigned));
        assert_eq!(verify("nonsense", &[&key]), Err(CheckpointFault::Malformed));
        assert_eq!(
            verify(&note, &["nonsense"]),
            Err(CheckpointFault::KeyMalformed)
        );
    }

    #[test]
    fn further_signatures_do_no_harm() {
        let (signer, note) = signed();
        let cosigned = format!("{note}\u{2014} another.example AAAAAAAA\n");
        assert!(verify(&cosigned, &[signer.verifier_key()]).is_ok());
    }
}
