//! Feedback: whether a party gives ultimatums.

use crate::domain::checkup::observation::Source;
use crate::domain::checkup::{Measure, Observed, Sink};
use crate::domain::interaction::feedback::Feedback;

/// Tells of whoever gave it whether it is an ultimatum.
pub fn observe<'record>(
    feedback: &'record Feedback,
    source: Source<'record>,
    sink: &mut impl Sink,
) {
    let observed = if feedback.is_ultimatum() {
        Observed::Happened
    } else {
        Observed::DidNotHappen
    };
    let place = (&feedback.given.giver, feedback.by.at);
    source.tell(sink, Measure::Ultimatums, place, observed);
}
