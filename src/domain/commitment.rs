//! Commitments: what stands in a journal payload in place of a confidential, personal or
//! free-text value. Its opening (value and salt) lives outside the chain, so it can be shown to
//! some and erased without touching the hashes.

mod cited;

use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

use super::identity::PartyId;

pub use cited::cited_by;

/// Length of a salt in bytes: 128 bits, so that a low-entropy value cannot be guessed.
pub const SALT_BYTES: usize = 16;

/// Separates commitments from every other use of the hash; the version names the form.
const FORM: &[u8] = b"entente.commitment.v1\0";

/// The SHA-256 of a salted value, as 64 lower-case hexadecimal digits. It is written as its text;
/// [`cited_by`] knows it by the name of its type.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct Commitment(String);

impl Commitment {
    /// Commits to `value` under `label`.
    ///
    /// Form 1: SHA-256 over `entente.commitment.v1`, a zero byte, the salt, the label's length as
    /// four big-endian bytes, the label, and the value. The label keeps the opening of one field
    /// from being passed off as that of another.
    #[must_use]
    pub fn of(label: &str, value: &str, salt: &[u8; SALT_BYTES]) -> Self {
        let mut hasher = Sha256::new();
        hasher.update(FORM);
        hasher.update(salt);
        hasher.update(u32::try_from(label.len()).unwrap_or(u32::MAX).to_be_bytes());
        hasher.update(label.as_bytes());
        hasher.update(value.as_bytes());
        Self(data_encoding::HEXLOWER.encode(&hasher.finalize()))
    }

    /// Takes a commitment that was stored before.
    #[must_use]
    pub fn from_text(text: &str) -> Self {
        Self(text.to_owned())
    }

    /// The commitment as hexadecimal text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

/// Who may read an opening.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", deny_unknown_fields)]
pub enum Readers {
    /// Every party of the scope, those that join later included.
    EveryParty,
    /// Only these parties.
    Parties(Vec<PartyId>),
}

impl Readers {
    /// Whether `party` may read.
    #[must_use]
    pub fn include(&self, party: &PartyId) -> bool {
        match self {
            Self::EveryParty => true,
            Self::Parties(parties) => parties.contains(party),
        }
    }
}

/// The value behind a commitment.
#[derive(Clone, PartialEq, Eq)]
pub struct Opening {
    /// What the opening opens.
    pub commitment: Commitment,
    /// Which field it is of, such as `expectation.what.description`.
    pub label: String,
    /// The value as text.
    pub value: String,
    /// The salt it was committed with.
    pub salt: [u8; SALT_BYTES],
    /// Who may read it.
    pub readers: Readers,
}

impl Opening {
    /// Commits to `value` and keeps what is needed to show it.
    #[must_use]
    pub fn seal(label: &str, value: &str, salt: [u8; SALT_BYTES], readers: Readers) -> Self {
        Self {
            commitment: Commitment::of(label, value, &salt),
            label: label.to_owned(),
            value: value.to_owned(),
            salt,
            readers,
        }
    }

    /// Whether value and salt still give the commitment.
    #[must_use]
    pub fn is_genuine(&self) -> bool {
        Commitment::of(&self.label, &self.value, &self.salt) == self.commitment
    }
}

impl std::fmt::Debug for Opening {
    /// Shows the label only: an opening must not reach a log.
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter
            .debug_struct("Opening")
            .field("commitment", &self.commitment)
            .field("label", &self.label)
            .finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn form_1_never_changes() {
        let commitment = Commitment::of("expectation.title", "Payroll", &[7; SALT_BYTES]);
        assert_eq!(
            commitment.as_str(),
            "c6c2e7f655dd06b14f39d33bf35ed008cc9343c6ad8128ac118155f6b784dd90"
        );
    }

    #[test]
    fn label_salt_and_value_all_count() {
        let base = Commitment::of("a", "bc", &[0; SALT_BYTES]);
        assert_ne!(base, Commitment::of("ab", "c", &[0; SALT_BYTES]));
        assert_ne!(base, Commitment::of("a", "bd", &[0; SALT_BYTES]));
        assert_ne!(base, Commitment::of("a", "bc", &[1; SALT_BYTES]));
    }

    #[test]
    fn debug_shows_no_value() {
        let opening = Opening::seal("a", "secret", [0; SALT_BYTES], Readers::EveryParty);
        assert!(opening.is_genuine());
        assert!(!format!("{opening:?}").contains("secret"));
    }
}
