//! Claims: whether what was promised in a sale was so.

use crate::domain::checkup::observation::Source;
use crate::domain::checkup::{Measure, Sink};
use crate::domain::claim::Claim;

/// Tells whether a claim was kept, once somebody said so.
pub fn observe<'record>(claim: &'record Claim, source: Source<'record>, sink: &mut impl Sink) {
    let Some(outcome) = &claim.outcome else {
        return;
    };
    let place = (&claim.made.maker, outcome.at);
    source.case(sink, Measure::ClaimsNotKept, place, !outcome.said.is_kept);
}
