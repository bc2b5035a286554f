//! How an open revision, or a quote, came to its end.

use serde::{Deserialize, Serialize};

use crate::domain::commitment::Commitment;
use crate::domain::identity::PartyId;

/// A party turned the open revision down.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ConcessionRejected {
    /// Which party.
    pub party: PartyId,
    /// The revision's number.
    pub number: u32,
    /// What it turned down.
    pub hash: String,
    /// Why: a commitment to free text.
    pub reason: Option<Commitment>,
}

/// The open revision's proposer took it back.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ConcessionWithdrawn {
    /// The proposer.
    pub party: PartyId,
    /// The revision's number.
    pub number: u32,
    /// What it took back.
    pub hash: String,
}

/// The open revision's time ran out.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ConcessionExpired {
    /// The revision's number.
    pub number: u32,
    /// What nobody answered.
    pub hash: String,
}

/// The quote's time ran out. What was approved stays approved.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct QuoteExpired {}
