//! Progress: whether whoever works on something tells how it stands.

use crate::domain::checkup::observation::Source;
use crate::domain::checkup::{Measure, Observed, Sink};
use crate::domain::progress::Progress;

/// Tells how many of the updates that were owed came too late or not at all. All of them count when the
/// last of them was missed or given.
pub fn observe<'record>(
    progress: &'record Progress,
    source: Source<'record>,
    sink: &mut impl Sink,
) {
    let Some(pace) = &progress.pace else {
        return;
    };
    let given = u64::from(progress.updates);
    let whole = given.saturating_add(pace.missed);
    let Some(at) = pace.last_missed_at.max(progress.last_update_at) else {
        return;
    };
    let observed = Observed::Part {
        part: pace.missed,
        whole,
    };
    source.tell(sink, Measure::UpdatesMissed, (&pace.obligor, at), observed);
}
