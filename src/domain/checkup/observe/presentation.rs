//! Presentations: whether a party shows to clients what others can do with them or without them.

use crate::domain::checkup::observation::Source;
use crate::domain::checkup::{Measure, Sink};
use crate::domain::interaction::presentation::{ClientPresentation, Presence};

/// Tells of whoever presented, for each owner of a portion but itself, whether it was there; by the
/// owner's own word where there is one.
pub fn observe<'record>(
    presentation: &'record ClientPresentation,
    source: Source<'record>,
    sink: &mut impl Sink,
) {
    let recorded = &presentation.recorded;
    let place = (&recorded.presenter, recorded.presented_at);
    for counted in presentation.counted() {
        if counted.party == recorded.presenter {
            continue;
        }
        let is_kept_out = counted.presence == Presence::Refused;
        source.case(sink, Measure::OwnersKeptOut, place, is_kept_out);
        let is_away = counted.presence != Presence::Present;
        source.case(sink, Measure::OwnersNotThere, place, is_away);
    }
}
