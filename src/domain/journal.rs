//! The journal's hash form: what an entry's hash covers, and in which bytes.

use sha2::{Digest, Sha256};

use super::identity::ScopeId;
use super::time::Timestamp;

/// Version of the hashed form. It stands in the form's first bytes, so a later form can never
/// collide with this one.
pub const FORM_VERSION: u32 = 1;

/// Separates entry hashes from every other use of the hash; names [`FORM_VERSION`].
const FORM: &[u8] = b"entente.journal.v1\0";

/// A SHA-256 hash of the chain.
pub type Hash = [u8; 32];

/// What the first entry of a scope has for its previous hash.
pub const GENESIS: Hash = [0; 32];

/// One entry of a scope's journal.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Entry {
    /// The chain it belongs to.
    pub scope: ScopeId,
    /// Position in the chain, from 1, without gaps.
    pub sequence: u64,
    /// When it was recorded; never before the entry that precedes it.
    pub recorded_at: Timestamp,
    /// The firm on whose behalf; empty for what the service did by itself (a timer).
    pub firm: String,
    /// The credential that acted; empty for what the service did by itself.
    pub actor: String,
    /// The software in which the change was made, as the caller said; may be empty.
    pub origin: String,
    /// Kind of the record that changed.
    pub kind: String,
    /// Identifier of the record that changed.
    pub id: String,
    /// Type of the event, such as `expectation.offered`.
    pub event_type: String,
    /// Version of the event type's payload, from 1.
    pub event_version: u32,
    /// The event as JSON: these exact bytes are hashed.
    pub payload: Vec<u8>,
    /// Hash of the entry before; [`GENESIS`] for the first.
    pub previous_hash: Hash,
    /// Hash of this entry.
    pub hash: Hash,
    /// Position of the entry that changed the same record before; `None` for the record's first.
    /// Only a way to find it, so no hash covers it.
    pub previous_sequence: Option<u64>,
}

impl Entry {
    /// Computes what [`Self::hash`] must be.
    ///
    /// Form 1: SHA-256 over `entente.journal.v1`, a zero byte, the previous hash, and then, each
    /// variable part preceded by its length as eight big-endian bytes: scope; sequence and
    /// `recorded_at` (microseconds) as eight big-endian bytes each; firm, actor, origin, kind, id,
    /// type; version as four big-endian bytes; payload.
    #[must_use]
    pub fn computed_hash(&self) -> Hash {
        let mut hasher = Sha256::new();
        hasher.update(FORM);
        hasher.update(self.previous_hash);
        put(&mut hasher, self.scope.as_str().as_bytes());
        hasher.update(self.sequence.to_be_bytes());
        hasher.update(self.recorded_at.as_micros().to_be_bytes());
        for text in [
            &self.firm,
            &self.actor,
            &self.origin,
            &self.kind,
            &self.id,
            &self.event_type,
        ] {
            put(&mut hasher, text.as_bytes());
        }
        hasher.update(self.event_version.to_be_bytes());
        put(&mut hasher, &self.payload);
        hasher.finalize().into()
    }
}

fn put(hasher: &mut Sha256, bytes: &[u8]) {
    hasher.update((bytes.len() as u64).to_be_bytes());
    hasher.update(bytes);
}

/// Last position, hash and time of a scope's chain.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Head {
    /// The chain.
    pub scope: ScopeId,
    /// Last sequence; 0 before the first entry.
    pub sequence: u64,
    /// Last hash; [`GENESIS`] before the first entry.
    pub hash: Hash,
    /// When the last entry was recorded.
    pub recorded_at: Timestamp,
}

impl Head {
    /// The head of a scope that has no entry yet.
    #[must_use]
    pub fn new(scope: ScopeId) -> Self {
        Self {
            scope,
            sequence: 0,
            hash: GENESIS,
            recorded_at: Timestamp::from_micros(0),
        }
    }

    /// Moves the head onto `entry`.
    pub fn advance(&mut self, entry: &Entry) {
        self.sequence = entry.sequence;
        self.hash = entry.hash;
        self.recorded_at = entry.recorded_at;
    }
}

/// What is wrong with a chain.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ChainFault {
    /// A sequence number is missing or repeated.
    #[error("sequence {found} where {expected} was expected")]
    Gap {
        /// What should have come.
        expected: u64,
        /// What came.
        found: u64,
    },
    /// An entry does not name its predecessor's hash.
    #[error("entry {sequence} does not follow the hash of the entry before it")]
    Unlinked {
        /// Where.
        sequence: u64,
    },
    /// An entry's content does not give its hash.
    #[error("entry {sequence} does not match its own hash")]
    Altered {
        /// Where.
        sequence: u64,
    },
    /// An entry is dated before its predecessor.
    #[error("entry {sequence} was recorded before the entry that precedes it")]
    TimeReversed {
        /// Where.
        sequence: u64,
    },
}

/// Checks that `entry` is the right successor of `head`, and moves the head onto it.
///
/// # Errors
/// The first [`ChainFault`] found; the head is then left where it was.
pub fn follow(head: &mut Head, entry: &Entry) -> Result<(), ChainFault> {
    let expected = head.sequence + 1;
    if entry.sequence != expected || entry.scope != head.scope {
        return Err(ChainFault::Gap {
            expected,
            found: entry.sequence,
        });
    }
    if entry.previous_hash != head.hash {
        return Err(ChainFault::Unlinked {
            sequence: entry.sequence,
        });
    }
    if entry.computed_hash() != entry.hash {
        return Err(ChainFault::Altered {
            sequence: entry.sequence,
        });
    }
    if entry.recorded_at < head.recorded_at {
        return Err(ChainFault::TimeReversed {
            sequence: entry.sequence,
        });
    }
    head.advance(entry);
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn entry() -> Entry {
        let mut entry = Entry {
            scope: ScopeId::partnership("p1"),
            sequence: 1,
            recorded_at: Timestamp::EARLIEST,
            firm: "acme".to_owned(),
            actor: "key".to_owned(),
            origin: String::new(),
            kind: "ticket".to_owned(),
            id: "t1".to_owned(),
            event_type: "ticket.opened".to_owned(),
            event_version: 1,
            payload: b"{}".to_vec(),
            previous_hash: GENESIS,
            hash: GENESIS,
            previous_sequence: None,
        };
        entry.hash = entry.computed_hash();
        entry
    }

    #[test]
    fn form_1_never_changes() {
        assert_eq!(
            data_encoding::HEXLOWER.encode(&entry().hash),
            "0f02b4e1174930996e87fc4a1a8505c761a41c3fb3d806170a8edac3b44778e4"
        );
    }

    #[test]
    fn every_field_counts() {
        let base = entry();
        let changes: [fn(&mut Entry); 11] = [
            |e| e.scope = ScopeId::partnership("p2"),
            |e| e.sequence = 2,
            |e| e.recorded_at = Timestamp::from_micros(1),
            |e| e.firm = "acmf".to_owned(),
            |e| e.actor.push('x'),
            |e| e.origin.push('x'),
            |e| e.kind.push('x'),
            |e| e.id.push('x'),
            |e| e.event_type.push('x'),
            |e| e.event_version = 2,
            |e| e.payload.push(b' '),
        ];
        for change in changes {
            let mut other = base.clone();
            change(&mut other);
            assert_ne!(other.computed_hash(), base.hash, "{other:?}");
        }
        let mut moved = base.clone();
        moved.firm = "acm".to_owned();
        moved.actor = "ekey".to_owned();
        assert_ne!(
            moved.computed_hash(),
            base.hash,
            "lengths are part of the form"
        );
    }

    #[test]
    fn faults_are_told_apart() {
        let mut head = Head::new(ScopeId::partnership("p1"));
        let first = entry();
        assert_eq!(follow(&mut head.clone(), &first), Ok(()));
        let mut gap = first.clone();
        gap.sequence = 2;
        assert_eq!(
            follow(&mut head, &gap),
            Err(ChainFault::Gap {
                expected: 1,
                found: 2
            })
        );
        let mut unlinked = first.clone();
        unlinked.previous_hash = [1; 32];
        assert_eq!(
            follow(&mut head, &unlinked),
            Err(ChainFault::Unlinked { sequence: 1 })
        );
        let mut altered = first.clone();
        altered.payload.push(b' ');
        assert_eq!(
            follow(&mut head, &altered),
            Err(ChainFault::Altered { sequence: 1 })
        );
        head.recorded_at = Timestamp::LATEST;
        assert_eq!(
            follow(&mut head, &first),
            Err(ChainFault::TimeReversed { sequence: 1 })
        );
    }
}
