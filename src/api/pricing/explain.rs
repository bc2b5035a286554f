//! Explains every minor unit of a concession.

use super::convert::split::{to_cadence, to_share};
use super::steps::to_step;
use crate::domain::pricing::division::{Division, Part};
use crate::domain::pricing::money::Currency;
use crate::domain::pricing::quote::{Cadence, ConcessionRevision, JointQuote, Line};
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

/// One line for each portion that a revision divides: by cadence, then in the order of their ids.
///
/// # Errors
/// Never, for a revision of this quote.
pub(super) fn lines(
    quote: &JointQuote,
    revision: &ConcessionRevision,
) -> Result<Vec<v1::AllocationLine>, Refusal> {
    let split = &revision.split;
    let divisions = split.divisions(&quote.portions)?;
    let mut lines = Vec::with_capacity(split.line_count());
    for (cadence, division) in &divisions {
        for part in &division.parts {
            if let Some(line) = split.line(&part.id) {
                lines.push(explained(quote, *cadence, line, division, part));
            }
        }
    }
    Ok(lines)
}

fn explained(
    quote: &JointQuote,
    cadence: Cadence,
    line: &Line,
    division: &Division,
    part: &Part,
) -> v1::AllocationLine {
    let currency: Currency = quote.currency;
    let steps = part.steps.iter().map(|step| to_step(step, currency));
    v1::AllocationLine {
        sentence: division.sentences(part, currency).join(" "),
        share: Some(to_share(line, quote)),
        cadence: to_cadence(cadence).into(),
        steps: steps.collect(),
    }
}
