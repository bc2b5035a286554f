//! Notices: whether firms tell each other in time of what they plan.

use crate::domain::checkup::observation::Source;
use crate::domain::checkup::{Measure, Sink};
use crate::domain::notice::Notice;

/// Tells whether a notice gave the agreed lead time, once it was confirmed and if one was agreed.
pub fn observe<'record>(notice: &'record Notice, source: Source<'record>, sink: &mut impl Sink) {
    let Some(confirmed_at) = notice.confirmed_at else {
        return;
    };
    if notice.lead_time.is_none() && notice.fire_drills.is_empty() {
        return;
    }
    let drills = notice.fire_drills.iter();
    let at = drills.map(|drill| drill.told_at).min();
    let place = (&notice.giver, at.unwrap_or(confirmed_at));
    source.case(sink, Measure::FireDrills, place, at.is_some());
}
