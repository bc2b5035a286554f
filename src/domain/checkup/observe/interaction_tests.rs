//! What the parties do with each other, in the check-up: for each measure a partnership that has it and
//! one that has not, and that more of it never makes it better.

use super::{Context, record};
use crate::domain::aggregate::By;
use crate::domain::checkup::burden::BurdenTally;
use crate::domain::checkup::{CheckupClauses, Measure, Report, Tally, Value, Window};
use crate::domain::commitment::Commitment;
use crate::domain::identity::{FirmId, PartyId};
use crate::domain::interaction::activity::{
    Activity, ActivityAnswer, ActivityHeld, ActivityInvited, ActivityKind, ActivityPurpose,
    ActivityState,
};
use crate::domain::interaction::feedback::{
    Feedback, FeedbackGiven, FeedbackReplied, FeedbackReply, Tone,
};
use crate::domain::interaction::presentation::{
    ClientPresentation, OwnerPresence, Presence, PresentationRecorded,
};
use crate::domain::interaction::survey::mirror::{
    MirrorAnswer, MirrorAnswered, MirrorRating, RevealedAnswer,
};
use crate::domain::interaction::survey::{
    Question, Ratings, Seat, Survey, SurveyAnswer, SurveyAnswered, SurveyCreated, SurveyState,
};
use crate::domain::partnership::{Partnership, Party, Role};
use crate::domain::record::Record;
use crate::domain::time::{Span, Timestamp};

/// Days after the beginning of the partnership at which the check-up is asked for.
const AS_OF: i64 = 360;

fn day(number: i64) -> Timestamp {
    Timestamp::EARLIEST.saturating_add(Span::from_hours(24 * number))
}

fn id(party: usize) -> PartyId {
    PartyId::numbered(party)
}

/// The other one of two.
fn other(party: usize) -> usize {
    3 - party
}

fn firm(party: usize) -> FirmId {
    FirmId::parse(if party == 1 { "acme" } else { "bolt" }).unwrap()
}

fn by(party: usize, at: i64) -> By {
    By {
        party: id(party),
        firm: firm(party),
        at: day(at),
    }
}

fn sealed() -> Commitment {
    Commitment::of("test", "text", &[0; 16])
}

/// What these records come to, with a growth activity agreed for each quarter of a year.
fn report(records: &[Record]) -> Report {
    let party = |number| Party::joined(id(number), firm(number), "x", Role::Peer, day(0));
    let partnership = Partnership::new("Both", vec![party(1), party(2)]);
    let as_of = day(AS_OF);
    let window = Window::new(day(0), as_of, as_of).unwrap();
    let mut tally = Tally::new(vec![id(1), id(2)], as_of, window);
    let context = Context {
        partnership: &partnership,
        as_of,
    };
    for (number, found) in records.iter().enumerate() {
        record(&format!("r{number}"), found, context, &mut tally);
    }
    let clauses = CheckupClauses {
        activity_cadence: Some(Span::from_hours(24 * 90)),
        ..CheckupClauses::default()
    };
    Report::new(&tally, &BurdenTally::new(window), &clauses, day(0))
}

fn intensity(records: &[Record], party: usize, measure: Measure) -> Option<u8> {
    report(records)
        .figure(&id(party), measure)
        .unwrap()
        .intensity
}

fn value(records: &[Record], party: usize, measure: Measure) -> Option<Value> {
    report(records).figure(&id(party), measure).unwrap().value
}

/// Of `party` the good ones are at 0, the bad ones at 4, nothing has no value, and no bad one more makes
/// it any better. What is true of one party is true of the other with all turned round.
fn holds(measure: Measure, make: impl Fn(usize, bool, i64) -> Record) {
    for party in [1, 2] {
        let several =
            |is_bad| -> Vec<Record> { (0..4).map(|n| make(party, is_bad, 30 + n * 90)).collect() };
        assert_eq!(intensity(&[], party, measure), None);
        assert_eq!(
            intensity(&several(false), party, measure),
            Some(0),
            "{measure:?}"
        );
        assert_eq!(
            intensity(&several(true), party, measure),
            Some(4),
            "{measure:?}"
        );
        let mut records = several(false);
        let mut worst = 0;
        for number in 0..20 {
            records.push(make(party, true, 40 + number * 10));
            let found = intensity(&records, party, measure).unwrap();
            assert!(found >= worst, "{measure:?} falls from {worst} to {found}");
            worst = found;
        }
        assert!(worst > 0, "{measure:?}");
    }
}

fn invited(inviter: usize, purpose: ActivityPurpose, at: i64) -> Activity {
    Activity {
        invitation: ActivityInvited {
            party: id(inviter),
            inviter: id(inviter),
            invited: vec![id(other(inviter))],
            kind: ActivityKind::Review,
            purpose,
            title: sealed(),
            planned_at: day(at + 5),
            is_asserted: false,
        },
        by: by(inviter, at),
        state: ActivityState::Invited,
        answers: Vec::new(),
        held: None,
        cancel_reason: None,
        closed_at: None,
    }
}

fn held(mut activity: Activity, present: &[usize]) -> Activity {
    activity.state = ActivityState::Held;
    activity.held = Some(ActivityHeld {
        party: activity.by.party.clone(),
        held_at: activity.invitation.planned_at,
        present: present.iter().copied().map(id).collect(),
        note: None,
    });
    activity
}

fn answered(mut activity: Activity, accepts: bool) -> Activity {
    let party = if activity.by.party == id(1) { 2 } else { 1 };
    activity.answers.push(ActivityAnswer {
        invited: id(party),
        accepts,
        reason: None,
        by: By {
            at: activity.by.at,
            ..by(party, 0)
        },
    });
    activity
}

fn activity(activity: Activity) -> Record {
    Record::Activity(Box::new(activity))
}

#[test]
fn whoever_never_invites_is_seen_once_the_other_does() {
    use ActivityPurpose::{Growth, Support};
    let by_first = |purpose, at| activity(held(invited(1, purpose, at), &[1, 2]));
    let quarterly: Vec<Record> = (0..4).map(|n| by_first(Growth, 50 + n * 90)).collect();
    for (measure, own, others) in [
        (Measure::GrowthActivityAge, 0, 3),
        (Measure::GrowthInvitationGaps, 0, 4),
    ] {
        assert_eq!(intensity(&[], 1, measure), None);
        assert_eq!(intensity(&quarterly, 1, measure), Some(own), "{measure:?}");
        assert_eq!(
            intensity(&quarterly, 2, measure),
            Some(others),
            "{measure:?}"
        );
        // Support is no growth, and does not make it any better.
        let support: Vec<Record> = (0..4).map(|n| by_first(Support, 50 + n * 90)).collect();
        assert_eq!(intensity(&support, 1, measure), Some(others), "{measure:?}");
    }
    // The later the last one was, the less there is to worry about.
    let mut worst = 4;
    for at in (0..AS_OF - 10).step_by(10) {
        let found = intensity(&[by_first(Growth, at)], 1, Measure::GrowthActivityAge).unwrap();
        assert!(found <= worst);
        worst = found;
    }
    assert_eq!(worst, 0);
    let mut off = invited(1, Growth, 300);
    off.state = ActivityState::Cancelled;
    let gaps = intensity(&[activity(off)], 1, Measure::GrowthInvitationGaps);
    assert_eq!(gaps, Some(4), "what was called off is no invitation");
}

#[test]
fn what_is_ahead_is_counted_and_never_judged() {
    let growth = ActivityPurpose::Growth;
    let ahead = activity(invited(1, growth, AS_OF - 1));
    let over = activity(invited(1, growth, 20));
    let figure = |records: &[Record]| value(records, 1, Measure::ActivitiesAhead);
    assert_eq!(figure(&[]), None);
    assert_eq!(figure(std::slice::from_ref(&over)), Some(Value::Count(0)));
    assert_eq!(figure(&[over, ahead.clone()]), Some(Value::Count(1)));
    assert_eq!(intensity(&[ahead], 1, Measure::ActivitiesAhead), None);
}

#[test]
fn invitations_are_turned_down_by_no_by_silence_and_by_not_coming() {
    let growth = ActivityPurpose::Growth;
    let measure = Measure::InvitationsTurnedDown;
    for how in 0..3 {
        holds(measure, |party, is_bad, at| {
            let invitation = invited(other(party), growth, at);
            activity(match (is_bad, how) {
                (false, 0) => answered(invitation, true),
                (false, _) => held(invitation, &[1, 2]),
                (true, 0) => answered(invitation, false),
                (true, 1) => invitation,
                (true, _) => held(invitation, &[other(party)]),
            })
        });
    }
    // Nobody is late whose time has not come.
    let waiting = activity(invited(1, growth, AS_OF - 1));
    assert_eq!(intensity(&[waiting], 2, measure), None);
}

#[test]
fn owners_are_kept_out_by_whoever_presents() {
    let presented = |presenter: usize, presence, at| {
        let owner = |party, presence| OwnerPresence {
            party: id(party),
            presence,
        };
        Record::ClientPresentation(Box::new(ClientPresentation {
            recorded: PresentationRecorded {
                party: id(presenter),
                presenter: id(presenter),
                presented_at: day(at),
                opportunity: None,
                quote: None,
                client: None,
                owners: vec![
                    owner(presenter, Presence::Refused),
                    owner(other(presenter), presence),
                ],
                note: None,
                is_asserted: false,
            },
            by: by(presenter, at),
            answers: Vec::new(),
        }))
    };
    for measure in [Measure::OwnersKeptOut, Measure::OwnersNotThere] {
        holds(measure, |party, is_bad, at| {
            let presence = if is_bad {
                Presence::Refused
            } else {
                Presence::Present
            };
            presented(party, presence, at)
        });
    }
    let absent: Vec<Record> = (0..3).map(|n| presented(1, Presence::Absent, n)).collect();
    assert_eq!(intensity(&absent, 1, Measure::OwnersKeptOut), Some(0));
    assert_eq!(intensity(&absent, 1, Measure::OwnersNotThere), Some(4));
    assert_eq!(intensity(&absent, 2, Measure::OwnersNotThere), None);
}

#[test]
fn an_ultimatum_is_one_as_soon_as_somebody_calls_it_so() {
    let given = |giver: usize, tone, heard: Option<Tone>, at| {
        let reply = heard.map(|heard| FeedbackReply {
            said: FeedbackReplied {
                party: id(other(giver)),
                text: sealed(),
                heard: Some(heard),
            },
            by: by(other(giver), at),
        });
        Record::Feedback(Box::new(Feedback {
            given: FeedbackGiven {
                party: id(giver),
                giver: id(giver),
                receiver: id(other(giver)),
                tone,
                text: sealed(),
                topic: None,
                is_asserted: false,
            },
            by: by(giver, at),
            reply,
        }))
    };
    let records = |bad: usize| -> Vec<Record> {
        let heard = Some(Tone::Ultimatum);
        let bad = (0..bad).map(|_| given(1, Tone::Complaint, heard, 50));
        bad.chain([given(1, Tone::Praise, None, 60)]).collect()
    };
    let expected = [0, 1, 2, 3, 3, 4, 4];
    for (bad, expected) in expected.into_iter().enumerate() {
        let found = intensity(&records(bad), 1, Measure::Ultimatums);
        assert_eq!(found, Some(expected), "{bad}");
    }
    assert_eq!(intensity(&records(3), 2, Measure::Ultimatums), None);
    let own = given(2, Tone::Ultimatum, None, 50);
    assert_eq!(intensity(&[own], 2, Measure::Ultimatums), Some(1));
}

fn scores(score: u8) -> Ratings {
    Question::ALL.into_iter().map(|it| (it, score)).collect()
}

fn rated(subject: usize, seat: Seat, ratings: Ratings, at: i64) -> Record {
    let said = SurveyAnswered {
        party: id(other(subject)),
        seat,
        ratings,
        comment: None,
        respondent: None,
        evidence: None,
        is_asserted: false,
    };
    Record::Survey(Box::new(Survey {
        created: SurveyCreated {
            party: id(1),
            subject: Some(id(subject)),
            topic: None,
        },
        state: SurveyState::Answered,
        answers: vec![SurveyAnswer {
            said,
            by: by(other(subject), at),
        }],
        mirror: Vec::new(),
        revealed_at: None,
        closed_at: None,
    }))
}

#[test]
fn ratings_count_by_seat_and_by_question() {
    for (seat, measure) in [
        (Seat::Partner, Measure::RatedByPartner),
        (Seat::Client, Measure::RatedByClient),
        (Seat::Vendor, Measure::RatedByVendor),
        (Seat::Client, Measure::RatedFirstResponders),
        (Seat::Vendor, Measure::RatedOpeningAndEscalating),
        (Seat::Partner, Measure::RatedChannelsAndContacts),
        (Seat::Client, Measure::RatedStatusUpdates),
        (Seat::Client, Measure::RatedSatisfiedNotMerelyClosed),
        (Seat::Partner, Measure::RatedHelpToGrow),
    ] {
        holds(measure, |party, is_bad, at| {
            rated(party, seat, scores(if is_bad { 1 } else { 5 }), at)
        });
    }
    // What a party thinks of itself is shown, and counts for nothing.
    let own = [rated(1, Seat::Itself, scores(2), 50)];
    let shown = value(&own, 1, Measure::RatedByItself);
    assert_eq!(shown, Some(Value::Ratio { part: 18, whole: 6 }));
    assert_eq!(intensity(&own, 1, Measure::RatedByItself), None);
    assert_eq!(value(&own, 1, Measure::RatedHelpToGrow), None);
    let one: Ratings = [(Question::StatusUpdates, 3)].into();
    let one = [rated(1, Seat::Client, one, 50)];
    let points = Some(Value::Ratio { part: 2, whole: 1 });
    assert_eq!(value(&one, 1, Measure::RatedStatusUpdates), points);
    assert_eq!(value(&one, 1, Measure::RatedFirstResponders), None);
}

/// In which both rate themselves with `own` and each other with `others`.
fn mirror((own, others): (u8, u8), is_revealed: bool, at: i64) -> Record {
    let answer = |party: usize| {
        let rating = |about: usize| MirrorRating {
            about: id(about),
            ratings: scores(if about == party { own } else { others }),
        };
        let revealed = RevealedAnswer {
            party: id(party),
            ratings: vec![rating(1), rating(2)],
            salt: String::new(),
            comment: None,
        };
        MirrorAnswer {
            sealed: MirrorAnswered {
                party: id(party),
                ratings: sealed(),
                comment: sealed(),
            },
            by: by(party, at),
            revealed: is_revealed.then_some(revealed),
        }
    };
    let state = if is_revealed {
        SurveyState::Revealed
    } else {
        SurveyState::Open
    };
    Record::Survey(Box::new(Survey {
        created: SurveyCreated {
            party: id(1),
            subject: None,
            topic: None,
        },
        state,
        answers: Vec::new(),
        mirror: vec![answer(1), answer(2)],
        revealed_at: is_revealed.then(|| day(at)),
        closed_at: None,
    }))
}

#[test]
fn the_mirror_tells_once_it_is_revealed() {
    holds(Measure::MirrorSeenByOthers, |_, is_bad, at| {
        mirror((5, if is_bad { 1 } else { 5 }), true, at)
    });
    holds(Measure::MirrorBlindSpot, |_, is_bad, at| {
        mirror(if is_bad { (5, 2) } else { (2, 2) }, true, at)
    });
    let modest = [mirror((2, 5), true, 50)];
    assert_eq!(intensity(&modest, 1, Measure::MirrorBlindSpot), Some(0));
    let sealed = [mirror((5, 1), false, 50)];
    for measure in [Measure::MirrorSeenByOthers, Measure::MirrorBlindSpot] {
        assert_eq!(value(&sealed, 1, measure), None, "{measure:?}");
    }
}
