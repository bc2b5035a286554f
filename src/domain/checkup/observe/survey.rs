//! Surveys: how a party is seen from every seat, and in the mirror.
//!
//! Scores are told as points below the best one, so that more is worse. Of a blind mirror nothing is
//! told before all have answered.

use crate::domain::checkup::observation::Source;
use crate::domain::checkup::{Measure, Observed, Sink};
use crate::domain::identity::PartyId;
use crate::domain::interaction::survey::mirror::{MirrorRating, RevealedAnswer};
use crate::domain::interaction::survey::{Question, Ratings, SCORE_MAX, Seat, Survey};
use crate::domain::time::Timestamp;

/// Tells of the party that is rated; of a mirror that was revealed, of every firm.
pub fn observe<'record>(survey: &'record Survey, source: Source<'record>, sink: &mut impl Sink) {
    if let Some(subject) = &survey.created.subject {
        for answer in &survey.answers {
            let (place, said) = ((subject, answer.by.at), &answer.said);
            below_best(source, sink, of_seat(said.seat), place, &said.ratings);
            if said.seat != Seat::Itself {
                by_question(source, sink, place, &said.ratings);
            }
        }
    } else if let Some(at) = survey.revealed_at {
        let answers = survey.mirror.iter();
        let answers: Vec<_> = answers.filter_map(|it| it.revealed.as_ref()).collect();
        for answer in &answers {
            for rating in answer.ratings.iter().filter(|it| it.about != answer.party) {
                let place = (&rating.about, at);
                let measure = Measure::MirrorSeenByOthers;
                below_best(source, sink, measure, place, &rating.ratings);
                if let Some(own) = own_of(&rating.about, &answers) {
                    blind_spot(source, sink, (place, own), rating);
                }
            }
        }
    }
}

const fn of_seat(seat: Seat) -> Measure {
    match seat {
        Seat::Itself => Measure::RatedByItself,
        Seat::Partner => Measure::RatedByPartner,
        Seat::Client => Measure::RatedByClient,
        Seat::Vendor => Measure::RatedByVendor,
    }
}

const fn of_question(question: Question) -> Measure {
    match question {
        Question::FirstResponders => Measure::RatedFirstResponders,
        Question::OpeningAndEscalating => Measure::RatedOpeningAndEscalating,
        Question::ChannelsAndContacts => Measure::RatedChannelsAndContacts,
        Question::StatusUpdates => Measure::RatedStatusUpdates,
        Question::SatisfiedNotMerelyClosed => Measure::RatedSatisfiedNotMerelyClosed,
        Question::HelpToGrow => Measure::RatedHelpToGrow,
    }
}

fn points_below(score: u8) -> u64 {
    u64::from(SCORE_MAX.saturating_sub(score))
}

/// So many points for so many ratings; nothing if there are none.
fn tell_points<'record>(
    source: Source<'record>,
    sink: &mut impl Sink,
    measure: Measure,
    place: (&'record PartyId, Timestamp),
    points: impl Iterator<Item = u64>,
) {
    let (part, whole) = points.fold((0, 0), |(part, whole), points| (part + points, whole + 1));
    if whole > 0 {
        source.tell(sink, measure, place, Observed::Part { part, whole });
    }
}

fn below_best<'record>(
    source: Source<'record>,
    sink: &mut impl Sink,
    measure: Measure,
    place: (&'record PartyId, Timestamp),
    ratings: &Ratings,
) {
    let points = ratings.values().map(|score| points_below(*score));
    tell_points(source, sink, measure, place, points);
}

fn by_question<'record>(
    source: Source<'record>,
    sink: &mut impl Sink,
    place: (&'record PartyId, Timestamp),
    ratings: &Ratings,
) {
    for (question, score) in ratings {
        let points = std::iter::once(points_below(*score));
        tell_points(source, sink, of_question(*question), place, points);
    }
}

/// How a party rated itself.
fn own_of<'answers>(
    party: &PartyId,
    answers: &[&'answers RevealedAnswer],
) -> Option<&'answers Ratings> {
    let own = answers.iter().find(|answer| answer.party == *party)?;
    let own = own.ratings.iter().find(|rating| rating.about == *party)?;
    Some(&own.ratings)
}

/// By how much a party rated itself above what another one did, in the questions that both answered.
fn blind_spot<'record>(
    source: Source<'record>,
    sink: &mut impl Sink,
    (place, own): ((&'record PartyId, Timestamp), &Ratings),
    other: &MirrorRating,
) {
    let points = other.ratings.iter().filter_map(|(question, score)| {
        let own = own.get(question)?;
        Some(u64::from(own.saturating_sub(*score)))
    });
    tell_points(source, sink, Measure::MirrorBlindSpot, place, points);
}
