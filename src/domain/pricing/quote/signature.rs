//! Signatures of approvals: a firm's own word on exactly the revision that it approved, under a key of
//! its own. They are evidence: no state depends on them.

use serde::{Deserialize, Serialize};

use super::decide::{Caller, approve};
use super::{JointQuote, JointQuoteEvent};
use crate::domain::aggregate::Recorded;
use crate::domain::command::Decision;
use crate::domain::identity::{PartyId, ScopeId};
use crate::domain::record::{Event, Kind};
use crate::domain::refusal::{Reason, Refusal};
use crate::domain::signing::{Signature, Signed};
use crate::domain::time::Timestamp;
use crate::domain::world::Stop;

/// First line of what is signed.
const FORM: &str = "entente.approval.v1";
/// The field of a request that brings a signature.
const FIELD: &str = "signature";

/// What a firm signs to vouch for its approval: four lines, each with a line feed at its end:
/// `entente.approval.v1`, the quote's name, the party as which it approves, and the revision's hash as
/// 64 lower-case hexadecimal digits.
#[must_use]
pub fn approval_message(scope: &ScopeId, quote: &str, party: &PartyId, hash: &str) -> String {
    format!("{FORM}\n{scope}/jointQuotes/{quote}\n{party}\n{hash}\n")
}

/// A party signed a revision that it approved.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ConcessionSigned {
    /// Which party.
    pub party: PartyId,
    /// The revision's number.
    pub number: u32,
    /// What it approved and signed.
    pub hash: String,
    /// Its signature over [`approval_message`].
    pub signature: Signature,
}

/// The signature of one approval.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ApprovalSignature {
    /// The party that signed.
    pub party: PartyId,
    /// When.
    pub at: Timestamp,
    /// The signature over [`approval_message`].
    pub signature: Signature,
}

impl JointQuote {
    /// Notes a signature; `None` if it is for no revision, for an approval that was not given, or for
    /// one that was signed before.
    pub(super) fn sign(&mut self, signed: &ConcessionSigned, recorded: &Recorded) -> Option<()> {
        recorded.firm.as_ref()?;
        let index = usize::try_from(signed.number).ok()?.checked_sub(1)?;
        let revision = self.revisions.get_mut(index)?;
        let is_due = revision.split.hash == signed.hash
            && revision.is_approved_by(&signed.party)
            && revision.signature_of(&signed.party).is_none();
        is_due.then(|| {
            revision.signatures.push(ApprovalSignature {
                party: signed.party.clone(),
                at: recorded.at,
                signature: signed.signature.clone(),
            });
        })
    }
}

/// Decides an approval that is signed at once: both or neither.
pub(super) fn approve_signed(
    id: &str,
    hash: &str,
    signed: &Signed,
    caller: Caller<'_>,
) -> Result<Decision, Stop> {
    let decision = approve(id, hash, caller)?;
    let event = signature_event(id, hash, signed, caller)?;
    Ok(match event {
        Some(event) => decision.event(event),
        None => decision,
    })
}

/// Decides to add a signature to an approval that was given before.
pub(super) fn sign(
    id: &str,
    hash: &str,
    signed: &Signed,
    caller: Caller<'_>,
) -> Result<Decision, Stop> {
    let quote = caller.view.get::<JointQuote>(id)?;
    let mut revisions = quote.revisions.iter();
    let revision = revisions.find(|revision| revision.split.hash == hash);
    let revision = revision.ok_or_else(|| Refusal::not_found("concession revision"))?;
    if !revision.is_approved_by(caller.party) {
        let state = "not approved by the caller's firm";
        return Err(Refusal::invalid_state(state, "SignConcession").into());
    }
    let decision = Decision::about(Kind::JointQuote, id);
    let event = signature_event(id, hash, signed, caller)?;
    Ok(match event {
        Some(event) => decision.event(event),
        None => decision,
    })
}

/// The event that the caller signed the revision; `None` if exactly this signature is there.
fn signature_event(
    id: &str,
    hash: &str,
    signed: &Signed,
    caller: Caller<'_>,
) -> Result<Option<Event>, Stop> {
    let quote = caller.view.get::<JointQuote>(id)?;
    let mut revisions = quote.revisions.iter();
    let revision = revisions.find(|revision| revision.split.hash == hash);
    let revision = revision.ok_or_else(|| Refusal::new(Reason::Internal, "no such revision"))?;
    let message = approval_message(caller.view.scope, id, caller.party, hash);
    if let Some(known) = revision.signature_of(caller.party) {
        if known.signature == signed.signature {
            return Ok(None);
        }
        return Err(Refusal::invalid_state("signed", "SignConcession").into());
    }
    let event = ConcessionSigned {
        party: caller.party.clone(),
        number: revision.split.number,
        hash: hash.to_owned(),
        signature: signed.checked(FIELD, &message)?,
    };
    let event = JointQuoteEvent::ConcessionSigned(Box::new(event));
    Ok(Some(Event::new(id, event)))
}
