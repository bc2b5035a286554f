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

/// North invites, presents without south and gives ultimatums; clients are not content with south, and
/// the mirror tells how both see it.
pub async fn the_checkup_tells_of_what_the_parties_do_with_each_other(house: House) {
    use CheckupMeasure as Measure;
    let pair = Pair::active(&house).await;
    let mut norths = pair.north.connection.interaction();
    let mut souths = pair.south.connection.interaction();
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
    let review = ok(norths.create_activity(inviting(&pair.name))).await.name;
    ok(norths.record_activity_held(having_met(&review, 0, &[NORTH, SOUTH]))).await;
    let mut declined = Vec::new();
    let mut shown = Vec::new();
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
    let mut ultimatum = telling(&pair.name, SOUTH);
    ultimatum.feedback.as_mut().unwrap().tone = FeedbackTone::Ultimatum.into();
    let ultimatum = ok(norths.create_feedback(ultimatum)).await.name;
    let mirror = ok(norths.create_survey(asking(&pair.name, ""))).await.name;
    let own = mirroring(&mirror, &[(NORTH, 5), (SOUTH, 2)], "");
    ok(norths.answer_survey(own)).await;
    house.pass(24 * HOUR);
    let found = checkup(&pair, None).await;
    let before = found.as_of_time;
    assert_eq!(
        figure(&found, NORTH, Measure::GrowthActivityAge),
        Some((1, Some(0), vec![review]))
    );
    let south = figure(&found, SOUTH, Measure::InvitationsTurnedDown).unwrap();
    assert_eq!((south.0, south.1), (7_500, Some(3)), "three of four");
    assert!(declined.iter().all(|name| south.2.contains(name)));
    let north = figure(&found, NORTH, Measure::OwnersKeptOut).unwrap();
    assert_eq!((north.0, north.1), (10_000, Some(4)));
    assert!(shown.iter().all(|name| north.2.contains(name)));
    assert_eq!(figure(&found, SOUTH, Measure::OwnersKeptOut), None);
    let south = figure(&found, SOUTH, Measure::RatedStatusUpdates).unwrap();
    assert_eq!((south.0, south.1), (300, Some(4)));
    assert_eq!(
        figure(&found, NORTH, Measure::Ultimatums),
        Some((1, Some(1), vec![ultimatum]))
    );
    for party in [NORTH, SOUTH] {
        let sealed = figure(&found, party, Measure::MirrorSeenByOthers);
        assert_eq!(sealed, None, "not before it is revealed");
    }
    let last = mirroring(&mirror, &[(NORTH, 4), (SOUTH, 5)], "");
    let revealed = ok(souths.answer_survey(last)).await;
    assert_eq!(revealed.state(), SurveyState::Revealed);
    house.pass(HOUR);
    let found = checkup(&pair, None).await;
    let north = figure(&found, NORTH, Measure::MirrorSeenByOthers).unwrap();
    assert_eq!(north, (100, Some(1), vec![mirror]));
    assert_eq!(
        figure(&found, SOUTH, Measure::MirrorBlindSpot).unwrap().0,
        300
    );
    let then = checkup(&pair, before).await;
    assert_eq!(
        figure(&then, NORTH, Measure::MirrorSeenByOthers),
        None,
        "as it was"
    );
    house.stop().await;
}
