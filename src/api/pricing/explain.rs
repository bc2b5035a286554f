//! Explains every minor unit of a concession.

use super::convert::to_share;
use crate::domain::pricing::quote::{ConcessionRevision, ConcessionSplit, JointQuote};
use crate::domain::refusal::{Reason, Refusal};
use crate::proto::v1;

/// The revision of that number; 0 means the latest.
///
/// # Errors
/// [`Reason::OutOfRange`] if there is no such revision.
pub(super) fn revision(quote: &JointQuote, number: i64) -> Result<&ConcessionRevision, Refusal> {
    let found = if number == 0 {
        quote.revisions.last()
    } else {
        u32::try_from(number)
            .ok()
            .and_then(|number| quote.revision(number))
    };
    found.ok_or_else(|| {
        let why = format!("there are {} revisions, from 1", quote.revisions.len());
        Refusal::field(Reason::OutOfRange, "revision", why)
    })
}

/// One line for each portion, in the order of their ids.
pub(super) fn lines(split: &ConcessionSplit) -> Vec<v1::AllocationLine> {
    let currency = split.concession.currency;
    let lines = split.shares.iter().map(|share| v1::AllocationLine {
        sentence: split.explain(&share.portion_id).unwrap_or_default(),
        share: Some(to_share(share, currency)),
    });
    lines.collect()
}
