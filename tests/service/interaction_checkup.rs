//! What the check-up makes of what the parties do with each other.

use entente::proto::v1::{self, CheckupMeasure, FeedbackTone, Presence, SurveySeat, SurveyState};

use super::activities::{having_met, inviting, not_coming, presenting};
use super::calls::ok;
use super::feedback::telling;
use super::house::{HOUR, House};
use super::setting::{NORTH, Pair, SOUTH};
use super::surveys::{answering, asking, mirroring, scores};

async fn checkup(pair: &Pair, as_of: Option<prost_types::Timestamp>) -> v1::Checkup {
    let request = v1::GetCheckupRequest {
        name: pair.name.clone(),
        as_of_time: as_of,
        ..Default::default()
    };
    ok(pair.north.connection.checkups().get_checkup(request)).await
}

/// What a party's figure came to: level, intensity, and the records that it rests on.
fn figure(
    checkup: &v1::Checkup,
    party: &str,
    measure: CheckupMeasure,
) -> Option<(i64, Option<i32>, Vec<String>)> {
    let sides = checkup.rows.iter().flat_map(|row| &row.sides);
    let mut sides = sides.filter(|side| side.party_id == party);
    let found = sides.find_map(|side| {
        let mut figures = side.figures.iter();
        figures.find(|figure| figure.measure() == measure)
    });
    let found = found.expect("every measure is there");
    let level = found.value.as_ref()?.level;
    Some((level, found.intensity, found.records.clone()))
}

/// What is recorded: names of the records.
struct Recorded {
    review: String,
    declined: Vec<String>,
    shown: Vec<String>,
    ultimatum: String,
    mirror: String,
}

/// North invites, presents without south and gives an ultimatum; clients are not content with south, and
/// north has looked into a mirror.
async fn recorded(pair: &Pair) -> Recorded {
    let mut norths = pair.north.connection.interaction();
    let mut souths = pair.south.connection.interaction();
    let review = ok(norths.create_activity(inviting(&pair.name))).await.name;
    ok(norths.record_activity_held(having_met(&review, 0, &[NORTH, SOUTH]))).await;
    let (mut declined, mut shown) = (Vec::new(), Vec::new());
    for _ in 0..3 {
        let name = ok(norths.create_activity(inviting(&pair.name))).await.name;
        ok(souths.decline_activity(not_coming(&name))).await;
        declined.push(name);
        let kept_out = presenting(&pair.name, &[(SOUTH, Presence::Refused)]);
        shown.push(ok(souths.create_client_presentation(kept_out)).await.name);
        let survey = ok(norths.create_survey(asking(&pair.name, SOUTH)))
            .await
            .name;
        let mut unhappy = answering(&survey, SurveySeat::Client);
        unhappy.answer.as_mut().unwrap().ratings = scores(2);
        ok(norths.answer_survey(unhappy)).await;
    }
    let mut request = telling(&pair.name, SOUTH);
    request.feedback.as_mut().unwrap().tone = FeedbackTone::Ultimatum.into();
    let ultimatum = ok(norths.create_feedback(request)).await.name;
    let mirror = ok(norths.create_survey(asking(&pair.name, ""))).await.name;
    let own = mirroring(&mirror, &[(NORTH, 5), (SOUTH, 2)], "");
    ok(norths.answer_survey(own)).await;
    Recorded {
        review,
        declined,
        shown,
        ultimatum,
        mirror,
    }
}

/// Each figure is of the party whose conduct it tells of; the mirror tells nothing before it is revealed,
/// nor afterwards as of an instant before that.
pub async fn the_checkup_tells_of_what_the_parties_do_with_each_other(house: House) {
    use CheckupMeasure as Measure;
    let pair = Pair::active(&house).await;
    let nothing = checkup(&pair, None).await;
    for measure in [
        Measure::GrowthActivityAge,
        Measure::RatedByClient,
        Measure::Ultimatums,
    ] {
        assert_eq!(
            figure(&nothing, SOUTH, measure),
            None,
            "no data is no number"
        );
    }
    let made = recorded(&pair).await;
    house.pass(24 * HOUR);
    let found = checkup(&pair, None).await;
    let before = found.as_of_time;
    let age = figure(&found, NORTH, Measure::GrowthActivityAge);
    assert_eq!(age, Some((1, Some(0), vec![made.review])));
    let south = figure(&found, SOUTH, Measure::InvitationsTurnedDown).unwrap();
    assert_eq!((south.0, south.1), (7_500, Some(3)), "three of four");
    assert!(made.declined.iter().all(|name| south.2.contains(name)));
    let north = figure(&found, NORTH, Measure::OwnersKeptOut).unwrap();
    assert_eq!((north.0, north.1), (10_000, Some(4)));
    assert!(made.shown.iter().all(|name| north.2.contains(name)));
    assert_eq!(figure(&found, SOUTH, Measure::OwnersKeptOut), None);
    let south = figure(&found, SOUTH, Measure::RatedStatusUpdates).unwrap();
    assert_eq!((south.0, south.1), (300, Some(4)));
    let given = figure(&found, NORTH, Measure::Ultimatums);
    assert_eq!(given, Some((1, Some(1), vec![made.ultimatum])));
    for party in [NORTH, SOUTH] {
        let sealed = figure(&found, party, Measure::MirrorSeenByOthers);
        assert_eq!(sealed, None, "not before it is revealed");
    }
    let last = mirroring(&made.mirror, &[(NORTH, 4), (SOUTH, 5)], "");
    let mut souths = pair.south.connection.interaction();
    let revealed = ok(souths.answer_survey(last)).await;
    assert_eq!(revealed.state(), SurveyState::Revealed);
    house.pass(HOUR);
    let found = checkup(&pair, None).await;
    let north = figure(&found, NORTH, Measure::MirrorSeenByOthers).unwrap();
    assert_eq!(north, (100, Some(1), vec![made.mirror]));
    let blind_spot = figure(&found, SOUTH, Measure::MirrorBlindSpot).unwrap();
    assert_eq!(blind_spot.0, 300);
    let then = checkup(&pair, before).await;
    assert_eq!(
        figure(&then, NORTH, Measure::MirrorSeenByOthers),
        None,
        "as it was"
    );
    house.stop().await;
}
