//! What Entente exists for, as pure functions: no I/O, no async, no wall clock, no randomness.
//!
//! Every aggregate has a `decide` (state and command in, events or a refusal out) and an `apply`
//! (state and event in, state out). [`command::decide`] is the way in; [`record`] lists the
//! aggregates; [`world`] is what a decision may look at.

pub mod aggregate;
pub mod carry;
pub mod checkup;
pub mod checkup_note;
pub mod claim;
pub mod command;
pub mod commitment;
pub mod contact;
pub mod cosignature;
pub mod custody;
pub mod derived_secret;
pub mod evidence;
pub mod expectation;
pub mod firm;
pub mod follow;
pub mod format;
pub mod guest_link;
pub mod hand_over;
pub mod identity;
pub mod improvement;
pub mod interaction;
pub mod journal;
pub mod need;
#[cfg(feature = "next-format")]
mod next_format;
pub mod notice;
pub mod opportunity;
pub mod outsiders;
pub mod partnership;
pub mod pricing;
pub mod progress;
pub mod record;
pub mod redaction;
pub mod reference;
pub mod refusal;
pub mod remedy_plan;
pub mod restoration;
pub mod shared_goal;
pub mod signing;
pub mod sla;
pub mod subscription;
#[cfg(test)]
mod tests;
pub mod text;
pub mod time;
pub mod update;
pub mod webhook;
pub mod world;

/// SHA-256 over `form`, a zero byte and the content as JSON, as 64 lower-case hexadecimal digits:
/// what a party approves. `form` names the type and the version of what is hashed.
#[must_use]
pub fn content_hash(form: &str, content: &impl serde::Serialize) -> String {
    use sha2::{Digest, Sha256};
    let mut hasher = Sha256::new();
    hasher.update(form.as_bytes());
    hasher.update([0]);
    // The contents hashed are structs of plain values, which always have a JSON form.
    hasher.update(serde_json::to_vec(content).unwrap_or_default());
    data_encoding::HEXLOWER.encode(&hasher.finalize())
}
