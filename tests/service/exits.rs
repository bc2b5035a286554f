//! Whether a client could leave, and who gains by what.

use entente::proto::google::r#type::Date;
use entente::proto::v1::{self, ExitGapKind, HandOverTestOutcome, StakeDisclosureState};
use sha2::{Digest, Sha256};

use super::calls::{faulty, ok, refuses};
use super::custody::{client, holding, nowhere, testing};
use super::hand_overs::{asking, withholding};
use super::house::{HOUR, House};
use super::setting::{NORTH, Pair, SOUTH};

fn day(day: i32) -> Date {
    Date {
        year: 2026,
        month: 2,
        day,
    }
}

/// The request to tell of a commission.
pub fn disclosing(parent: &str) -> v1::DiscloseStakeRequest {
    v1::DiscloseStakeRequest {
        parent: parent.to_owned(),
        stake_disclosure: Some(v1::StakeDisclosure {
            nature: v1::StakeNature::Commission.into(),
            words: "five per cent of every line of Coastal Fibre".to_owned(),
            since: Some(day(1)),
            ..Default::default()
        }),
        ..Default::default()
    }
}

pub fn ending(name: &str) -> v1::EndStakeDisclosureRequest {
    v1::EndStakeDisclosureRequest {
        name: name.to_owned(),
        end_date: Some(day(20)),
        words: "the contract ran out".to_owned(),
        ..Default::default()
    }
}

pub fn running(parent: &str, client: &str) -> v1::RunExitDrillRequest {
    v1::RunExitDrillRequest {
        parent: parent.to_owned(),
        client: client.to_owned(),
        ..Default::default()
    }
}

/// Whoever gains says so, and says when it is over.
pub async fn stakes_are_told_and_end(house: House) {
    let pair = Pair::active(&house).await;
    let mut norths = pair.north.connection.custody();
    let mut souths = pair.south.connection.custody();
    let told = ok(norths.disclose_stake(disclosing(&pair.name))).await;
    assert_eq!((told.holder.as_str(), told.asserted), (NORTH, false));
    let get = v1::GetStakeDisclosureRequest {
        name: told.name.clone(),
    };
    let read = ok(souths.get_stake_disclosure(get)).await;
    assert_eq!((&read.words, read.since), (&told.words, Some(day(1))));
    let call = souths.end_stake_disclosure(ending(&told.name));
    refuses(&house, "NOT_YOUR_CUSTODY", call).await;
    let mut others = disclosing(&pair.name);
    SOUTH.clone_into(&mut others.stake_disclosure.as_mut().unwrap().holder);
    let call = norths.disclose_stake(others);
    refuses(&house, "NOT_YOUR_CUSTODY", call).await;
    let ended = ok(norths.end_stake_disclosure(ending(&told.name))).await;
    assert_eq!(ended.state(), StakeDisclosureState::Ended);
    assert_eq!(
        (ended.end_date, ended.end_words.as_str()),
        (Some(day(20)), "the contract ran out")
    );
    for (state, count) in [
        (StakeDisclosureState::Unspecified, 1),
        (StakeDisclosureState::Standing, 0),
        (StakeDisclosureState::Ended, 1),
    ] {
        let wanted = v1::ListStakeDisclosuresRequest {
            parent: pair.name.clone(),
            state: state.into(),
            ..Default::default()
        };
        let listed = ok(souths.list_stake_disclosures(wanted)).await;
        assert_eq!(listed.stake_disclosures.len(), count, "{state:?}");
    }
    let secret = "Sesame4711open";
    let mut bad = disclosing(&pair.name);
    let given = bad.stake_disclosure.as_mut().unwrap();
    given.nature = 99;
    given.since = None;
    "x".clone_into(&mut given.outside_party);
    let fields = [
        "stake_disclosure.nature",
        "stake_disclosure.since",
        "stake_disclosure.outside_party",
    ];
    let call = norths.disclose_stake(bad);
    faulty(&house, "INVALID_FIELD", &fields, call).await;
    let mut telling = disclosing(&pair.name);
    let given = telling.stake_disclosure.as_mut().unwrap();
    given.words = format!("portal, password: {secret}");
    let call = norths.disclose_stake(telling);
    let fields = ["stake_disclosure.words"];
    faulty(&house, "LOOKS_LIKE_SECRET", &fields, call).await;
    nowhere(&house, &pair, secret).await;
    house.stop().await;
}

/// One document, its digest, and what is missing; nothing of another client is in it.
pub async fn a_client_could_leave(house: House) {
    let pair = Pair::active(&house).await;
    let brandt = client(&pair).await;
    let other = client(&pair).await;
    let mut norths = pair.north.connection.custody();
    let mut souths = pair.south.connection.custody();
    let mut own = holding(&pair.name, &brandt);
    "brandt-mail.example".clone_into(&mut own.custody_item.as_mut().unwrap().display_name);
    let first = ok(norths.create_custody_item(own)).await;
    let mut unplaced = holding(&pair.name, &brandt);
    unplaced.custody_item.as_mut().unwrap().location.clear();
    let second = ok(souths.create_custody_item(unplaced)).await;
    let mut anothers = holding(&pair.name, &other);
    "somebody-else.example".clone_into(&mut anothers.custody_item.as_mut().unwrap().display_name);
    ok(souths.create_custody_item(anothers)).await;
    let tested = testing(&first.name, HandOverTestOutcome::Passed);
    ok(norths.record_hand_over_test(tested)).await;
    let made = asking(&pair.name, &[&second.name], HOUR);
    let made = ok(norths.create_hand_over_request(made)).await;
    ok(souths.withhold_hand_over(withholding(&made.name))).await;
    let mut request = running(&pair.name, &brandt);
    "drill-1".clone_into(&mut request.request_id);
    let answer = ok(norths.run_exit_drill(request.clone())).await;
    let drill = answer.exit_drill.unwrap();
    let counts = drill.counts.unwrap();
    assert_eq!((counts.custody_items, counts.hand_over_requests), (2, 1));
    assert_eq!(drill.holders, [NORTH, SOUTH]);
    let gaps = drill.gaps.iter();
    let gaps: Vec<_> = gaps
        .map(|gap| (gap.kind(), gap.custody_item.clone()))
        .collect();
    let of = |kind| (kind, second.name.clone());
    let expected = [
        ExitGapKind::NeverTested,
        ExitGapKind::NoLocation,
        ExitGapKind::Withheld,
    ];
    assert_eq!(gaps, expected.map(of));
    let digest = data_encoding::HEXLOWER.encode(&Sha256::digest(&answer.export));
    assert_eq!(drill.export_digest, digest);
    let document: serde_json::Value = serde_json::from_slice(&answer.export).unwrap();
    assert_eq!(document["form"], "entente.exit.v1");
    let items = document["custody_items"].as_array().unwrap();
    let names: Vec<_> = items
        .iter()
        .map(|item| item["display_name"].as_str().unwrap())
        .collect();
    assert_eq!(names, ["brandt-mail.example", "brandt-freight.example"]);
    assert_eq!(items[0]["location"], "account of the service desk");
    assert_eq!(document["gaps"].as_array().unwrap().len(), 3);
    let text = String::from_utf8(answer.export.clone()).unwrap();
    assert!(!text.contains("somebody-else"), "of another client");
    retried(
        &pair,
        request,
        (&drill, answer.export.as_slice()),
        &second.name,
    )
    .await;
    let get = v1::GetExitDrillRequest {
        name: drill.name.clone(),
    };
    assert_eq!(ok(souths.get_exit_drill(get)).await, drill);
    listed(&pair, [(brandt, 1), (other, 0), (String::new(), 1)]).await;
    of_no_client(&house, &pair).await;
    house.stop().await;
}

async fn of_no_client(house: &House, pair: &Pair) {
    let mut norths = pair.north.connection.custody();
    let call = norths.run_exit_drill(running(&pair.name, ""));
    faulty(house, "INVALID_FIELD", &["client"], call).await;
    let absent = format!("{}/clients/absent", pair.name);
    let call = norths.run_exit_drill(running(&pair.name, &absent));
    refuses(house, "NOT_FOUND", call).await;
}

/// How many drills there are of each client; of none, all.
async fn listed(pair: &Pair, counts: [(String, usize); 3]) {
    let mut souths = pair.south.connection.custody();
    for (client, count) in counts {
        let wanted = v1::ListExitDrillsRequest {
            parent: pair.name.clone(),
            client,
            ..Default::default()
        };
        let listed = ok(souths.list_exit_drills(wanted)).await;
        assert_eq!(listed.exit_drills.len(), count);
    }
}

/// A retry is the same drill, with the export as long as that is what there is.
async fn retried(
    pair: &Pair,
    request: v1::RunExitDrillRequest,
    (drill, export): (&v1::ExitDrill, &[u8]),
    item: &str,
) {
    let mut norths = pair.north.connection.custody();
    let mut souths = pair.south.connection.custody();
    let again = ok(norths.run_exit_drill(request.clone())).await;
    assert_eq!(again.exit_drill.as_ref(), Some(drill));
    assert_eq!(again.export, export);
    let tested = testing(item, HandOverTestOutcome::Passed);
    ok(souths.record_hand_over_test(tested)).await;
    let later = ok(norths.run_exit_drill(request)).await;
    assert_eq!(later.exit_drill, Some(drill.clone()));
    assert!(
        later.export.is_empty(),
        "what there is now is something else"
    );
}
