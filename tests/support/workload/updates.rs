//! What is told about how expectations stand.

use entente::domain::command::Action;
use entente::domain::identity::PartyId;
use entente::domain::progress::{Subject, TimeDraft, TimeMatter, TimeSource};
use entente::domain::time::Timestamp;
use entente::domain::update::{Audience, PostUpdate};

use super::{Draw, expectation_id};

/// What updates on an expectation are about.
pub(super) fn subject(number: u8) -> Subject {
    Subject::Expectation(expectation_id(number))
}

pub(super) fn action(draw: &mut Draw, number: u8, at: Timestamp) -> Action {
    let times = if draw.chance(50) {
        vec![time(draw, at)]
    } else {
        Vec::new()
    };
    Action::Update(Box::new(PostUpdate {
        subject: subject(number),
        audience: *draw.one_of(&[Audience::Partners, Audience::Client]),
        text: draw.maybe_text("update.text"),
        times,
    }))
}

fn time(draw: &mut Draw, at: Timestamp) -> TimeDraft {
    let matters = [TimeMatter::Arrival, TimeMatter::Resolution];
    TimeDraft {
        matter: *draw.one_of(&matters),
        at: draw.chance(90).then(|| draw.around(at)),
        source: TimeSource::Party(PartyId::numbered(draw.number(1..3))),
        may_disclose: draw.chance(60),
        given_in: draw.chance(30).then(|| draw.number(1..4)),
    }
}
