//! Who and what: identifiers, scopes and the keys of records.

use serde::{Deserialize, Serialize};

use super::time::Timestamp;

/// Longest identifier that a caller may choose, in bytes (AIP-122).
pub const IDENTIFIER_BYTES_MAX: usize = 63;
/// Longest part of an external reference, in bytes.
pub const REFERENCE_PART_BYTES_MAX: usize = 128;

/// The firm that operates the server; its scope records every firm.
pub const OPERATOR_FIRM: &str = "operator";

/// A firm's identifier, chosen by the operator: lower-case letters, digits and hyphens.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct FirmId(String);

impl FirmId {
    /// Accepts an identifier that [`is_chosen_identifier`] accepts.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        is_chosen_identifier(text).then(|| Self(text.to_owned()))
    }

    /// The operator's own firm.
    #[must_use]
    pub fn operator() -> Self {
        Self(OPERATOR_FIRM.to_owned())
    }

    /// The identifier as text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// The firm's own scope.
    #[must_use]
    pub fn scope(&self) -> ScopeId {
        ScopeId(format!("firms/{}", self.0))
    }
}

impl std::fmt::Display for FirmId {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.write_str(&self.0)
    }
}

/// A journal chain: `firms/{firm}` or `partnerships/{partnership}`.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct ScopeId(String);

impl ScopeId {
    /// The scope of a partnership.
    #[must_use]
    pub fn partnership(id: &str) -> Self {
        Self(format!("partnerships/{id}"))
    }

    /// Reads `firms/{firm}` or `partnerships/{partnership}`.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        let (collection, id) = text.split_once('/')?;
        let known = matches!(collection, "firms" | "partnerships");
        (known && is_identifier(id)).then(|| Self(text.to_owned()))
    }

    /// The scope's resource name.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// The identifier after the collection: a firm's or a partnership's.
    #[must_use]
    pub fn id(&self) -> &str {
        self.0.split_once('/').map_or("", |(_, id)| id)
    }

    /// Whether this is the scope of a firm.
    #[must_use]
    pub fn is_firm(&self) -> bool {
        self.0.starts_with("firms/")
    }
}

impl std::fmt::Display for ScopeId {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.write_str(&self.0)
    }
}

/// A party's identifier within its partnership: `party-1`, `party-2` and so on, for ever the same,
/// whether a placeholder or a firm stands behind it.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct PartyId(String);

impl PartyId {
    /// The `number`-th party, counted from 1.
    #[must_use]
    pub fn numbered(number: usize) -> Self {
        Self(format!("party-{number}"))
    }

    /// Takes `text` as it is; whether such a party exists is for the partnership to say.
    #[must_use]
    pub fn from_text(text: &str) -> Self {
        Self(text.to_owned())
    }

    /// The identifier as text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl std::fmt::Display for PartyId {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.write_str(&self.0)
    }
}

/// An external id as a firm's own software knows it.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ExternalReference {
    /// The firm whose software it is.
    pub firm: FirmId,
    /// Product, such as `servicenow`.
    pub system: String,
    /// Which installation of the product; may be empty.
    pub instance: String,
    /// What kind of thing there, such as `incident`.
    #[serde(rename = "type")]
    pub reference_type: String,
    /// The id there.
    pub id: String,
}

/// Whether `text` may be chosen as an identifier: 1 to 63 of `a-z0-9-`, beginning with a letter
/// and not ending with a hyphen (AIP-122). Generated identifiers begin with a digit, so the two
/// never meet.
#[must_use]
pub fn is_chosen_identifier(text: &str) -> bool {
    text.starts_with(|first: char| first.is_ascii_lowercase()) && is_identifier(text)
}

/// Whether `text` has the shape of any identifier, chosen or generated.
#[must_use]
pub fn is_identifier(text: &str) -> bool {
    !text.is_empty()
        && text.len() <= IDENTIFIER_BYTES_MAX
        && !text.ends_with('-')
        && !text.starts_with('-')
        && text
            .bytes()
            .all(|byte| matches!(byte, b'a'..=b'z' | b'0'..=b'9' | b'-'))
}

/// Makes the identifier of something that the command at `sequence` of `scope` creates.
///
/// It is a version 7 UUID whose random part is a hash of scope, sequence and `ordinal`, so that it
/// orders by time of creation and the same history always gives the same identifiers.
#[must_use]
pub fn derived_id(scope: &ScopeId, sequence: u64, ordinal: u32, now: Timestamp) -> String {
    use sha2::{Digest, Sha256};
    let mut hasher = Sha256::new();
    hasher.update(b"entente.id.v1\0");
    hasher.update(scope.as_str().as_bytes());
    hasher.update([0]);
    hasher.update(sequence.to_be_bytes());
    hasher.update(ordinal.to_be_bytes());
    let digest = hasher.finalize();
    let mut random = [0_u8; 10];
    random.copy_from_slice(&digest[..10]);
    let millis = u64::try_from(now.as_micros() / 1_000).unwrap_or(0);
    uuid::Builder::from_unix_timestamp_millis(millis, &random)
        .into_uuid()
        .to_string()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn chosen_identifiers() {
        for good in ["a", "acme", "acme-2", &"a".repeat(63)] {
            assert!(is_chosen_identifier(good), "{good}");
        }
        for bad in [
            "",
            "2acme",
            "Acme",
            "a_b",
            "a-",
            "-a",
            "a/b",
            "é",
            &"a".repeat(64),
        ] {
            assert!(!is_chosen_identifier(bad), "{bad}");
        }
    }

    #[test]
    fn derived_ids_repeat_and_are_never_chosen_ones() {
        let scope = ScopeId::partnership("p");
        let now = Timestamp::EARLIEST;
        let id = derived_id(&scope, 7, 0, now);
        assert_eq!(id, derived_id(&scope, 7, 0, now));
        assert_ne!(id, derived_id(&scope, 7, 1, now));
        assert_ne!(id, derived_id(&scope, 8, 0, now));
        assert!(is_identifier(&id) && !is_chosen_identifier(&id));
    }

    #[test]
    fn scopes_are_parsed_strictly() {
        assert_eq!(
            ScopeId::parse("firms/acme").map(|scope| scope.is_firm()),
            Some(true)
        );
        assert_eq!(
            ScopeId::parse("partnerships/x").map(|scope| scope.id().to_owned()),
            Some("x".to_owned())
        );
        for bad in ["", "firms", "firms/", "firms/A", "tickets/x", "firms/a/b"] {
            assert!(ScopeId::parse(bad).is_none(), "{bad}");
        }
    }
}
