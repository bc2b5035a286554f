//! What a party holds for others: where it is, and what opens it is never written down.

use std::collections::BTreeMap;

use entente::domain::identity::ScopeId;
use entente::proto::v1::{self, CustodyKind, CustodyState, HandOverTestOutcome};

use super::calls::{faulty, ok, refused, refuses};
use super::exits::{disclosing, running};
use super::hand_overs::{asking, releasing};
use super::house::{HOUR, House, at};
use super::setting::{NORTH, Pair, SOUTH};

/// The request for something of a client's that the caller holds.
pub fn holding(parent: &str, client: &str) -> v1::CreateCustodyItemRequest {
    v1::CreateCustodyItemRequest {
        parent: parent.to_owned(),
        custody_item: Some(v1::CustodyItem {
            kind: CustodyKind::Registrar.into(),
            display_name: "brandt-freight.example".to_owned(),
            client: client.to_owned(),
            location: "account of the service desk".to_owned(),
            ..Default::default()
        }),
        ..Default::default()
    }
}

pub fn relocating(name: &str, location: &str) -> v1::UpdateCustodyItemRequest {
    v1::UpdateCustodyItemRequest {
        custody_item: Some(v1::CustodyItem {
            name: name.to_owned(),
            location: location.to_owned(),
            ..Default::default()
        }),
        ..Default::default()
    }
}

pub fn testing(name: &str, outcome: HandOverTestOutcome) -> v1::RecordHandOverTestRequest {
    v1::RecordHandOverTestRequest {
        name: name.to_owned(),
        test: Some(v1::HandOverTest {
            outcome: outcome.into(),
            note: "signed in with the client beside me".to_owned(),
            ..Default::default()
        }),
        ..Default::default()
    }
}

pub fn retiring(name: &str) -> v1::RetireCustodyItemRequest {
    v1::RetireCustodyItemRequest {
        name: name.to_owned(),
        reason: "the domain lapsed".to_owned(),
        ..Default::default()
    }
}

/// A client of the pair's.
pub async fn client(pair: &Pair) -> String {
    let request = v1::CreateClientRequest {
        parent: pair.name.clone(),
        client: Some(v1::Client {
            display_name: "Brandt Freight".to_owned(),
            ..Default::default()
        }),
        ..Default::default()
    };
    let mut partnerships = pair.north.connection.partnerships();
    ok(partnerships.create_client(request)).await.name
}

/// What there is of this service on the stage; north holds it, and south asks for some of it.
/// Alone, north asks for what it says the other holds.
pub async fn stage(pair: &Pair, names: &mut BTreeMap<&'static str, String>, is_alone: bool) {
    let mut norths = pair.north.connection.custody();
    let mut item = async |holder: &str| {
        let mut request = holding(&pair.name, &names["client"]);
        holder.clone_into(&mut request.custody_item.as_mut().unwrap().holder);
        ok(norths.create_custody_item(request)).await.name
    };
    let mut made = Vec::new();
    for key in ["custody_item", "item_to_retire"] {
        made.push((key, item(NORTH).await));
    }
    let holder = if is_alone { SOUTH } else { NORTH };
    made.push(("item_to_ask_for", item(holder).await));
    let asker = if is_alone { &pair.north } else { &pair.south };
    let mut askers = asker.connection.custody();
    for key in [
        "to_release",
        "to_receive",
        "to_withhold",
        "to_take_back_asked",
    ] {
        let wanted = item(holder).await;
        let request = asking(&pair.name, &[&wanted], HOUR);
        made.push((key, ok(askers.create_hand_over_request(request)).await.name));
        if key == "to_receive" {
            let (_, name) = made.last().unwrap();
            let mut norths = pair.north.connection.custody();
            ok(norths.release_hand_over(releasing(name))).await;
        }
    }
    let mut norths = pair.north.connection.custody();
    let told = ok(norths.disclose_stake(disclosing(&pair.name))).await;
    made.push(("stake", told.name));
    let drill = running(&pair.name, &names["client"]);
    let drill = ok(norths.run_exit_drill(drill)).await.exit_drill.unwrap();
    made.push(("exit_drill", drill.name));
    names.extend(made);
}

/// One records it, both test it, its holder says where it is; all is listed.
pub async fn what_a_party_holds(house: House) {
    let pair = Pair::active(&house).await;
    let client = client(&pair).await;
    let mut norths = pair.north.connection.custody();
    let mut souths = pair.south.connection.custody();
    let mut request = holding(&pair.name, &client);
    SOUTH.clone_into(&mut request.custody_item.as_mut().unwrap().holder);
    let created = ok(norths.create_custody_item(request)).await;
    assert_eq!(
        (
            created.holder.as_str(),
            created.recorded_by.as_str(),
            created.asserted
        ),
        (SOUTH, NORTH, false)
    );
    assert_eq!(
        (created.state(), created.last_test_time),
        (CustodyState::Held, None)
    );
    house.pass(HOUR);
    let tested = testing(&created.name, HandOverTestOutcome::Passed);
    ok(souths.record_hand_over_test(tested)).await;
    let mut earlier = testing(&created.name, HandOverTestOutcome::Failed);
    earlier.test.as_mut().unwrap().test_time = Some(at(-HOUR));
    let tested = ok(norths.record_hand_over_test(earlier)).await;
    assert_eq!(
        tested.last_test_time,
        Some(at(HOUR)),
        "the later date counts"
    );
    assert_eq!(tested.last_test_outcome(), HandOverTestOutcome::Passed);
    let parties = tested.tests.iter().map(|test| test.party_id.as_str());
    assert_eq!(parties.collect::<Vec<_>>(), [SOUTH, NORTH]);
    let moved = ok(souths.update_custody_item(relocating(&created.name, "the safe"))).await;
    assert_eq!(moved.location, "the safe");
    let own = ok(norths.create_custody_item(holding(&pair.name, &client))).await;
    let stranger = relocating(&own.name, "here");
    let refused = refuses(
        &house,
        "NOT_YOUR_CUSTODY",
        souths.update_custody_item(stranger),
    )
    .await;
    assert_eq!(refused.metadata["party_ids"], NORTH);
    let retired = ok(norths.retire_custody_item(retiring(&own.name))).await;
    assert_eq!(retired.retire_reason, "the domain lapsed");
    for (state, holder, count) in [
        (CustodyState::Unspecified, "", 2),
        (CustodyState::Held, "", 1),
        (CustodyState::Unspecified, SOUTH, 1),
        (CustodyState::Retired, SOUTH, 0),
    ] {
        let wanted = v1::ListCustodyItemsRequest {
            parent: pair.name.clone(),
            state: state.into(),
            holder: holder.to_owned(),
            client: client.clone(),
            ..Default::default()
        };
        let listed = ok(souths.list_custody_items(wanted)).await;
        assert_eq!(listed.custody_items.len(), count, "{state:?} {holder}");
    }
    house.stop().await;
}

/// Every fault at once, and nothing changes.
pub async fn custody_items_at_fault(house: House) {
    let pair = Pair::active(&house).await;
    let client = client(&pair).await;
    let mut norths = pair.north.connection.custody();
    let mut bad = holding(&pair.name, "clients/x");
    let given = bad.custody_item.as_mut().unwrap();
    given.kind = 99;
    "y".clone_into(&mut given.outside_party);
    given.location = "x ".repeat(2_501);
    let fields = [
        "custody_item.kind",
        "custody_item.client",
        "custody_item.outside_party",
        "custody_item.location",
    ];
    let call = norths.create_custody_item(bad);
    faulty(&house, "INVALID_FIELD", &fields, call).await;
    let mut nobodys = holding(&pair.name, "");
    let call = norths.create_custody_item(nobodys.clone());
    faulty(&house, "INVALID_FIELD", &["custody_item.client"], call).await;
    let given = nobodys.custody_item.as_mut().unwrap();
    "party-8".clone_into(&mut given.owner);
    "party-9".clone_into(&mut given.holder);
    let fields = ["custody_item.holder", "custody_item.owner"];
    let call = norths.create_custody_item(nobodys);
    faulty(&house, "INVALID_FIELD", &fields, call).await;
    let mut both = holding(&pair.name, &client);
    NORTH.clone_into(&mut both.custody_item.as_mut().unwrap().owner);
    let call = norths.create_custody_item(both);
    faulty(&house, "INVALID_FIELD", &["custody_item.client"], call).await;
    let name = ok(norths.create_custody_item(holding(&pair.name, &client)))
        .await
        .name;
    let mut unknown = relocating(&name, "here");
    unknown.update_mask = Some(prost_types::FieldMask {
        paths: vec!["location".to_owned(), "holder".to_owned()],
    });
    let call = norths.update_custody_item(unknown);
    faulty(&house, "INVALID_FIELD", &["update_mask.paths[1]"], call).await;
    let mut tested = testing(&name, HandOverTestOutcome::Unspecified);
    tested.test.as_mut().unwrap().test_time = Some(prost_types::Timestamp {
        seconds: 0,
        nanos: 1,
    });
    let fields = ["test.test_time", "test.outcome"];
    let call = norths.record_hand_over_test(tested);
    faulty(&house, "INVALID_FIELD", &fields, call).await;
    let mut ahead = testing(&name, HandOverTestOutcome::Passed);
    ahead.test.as_mut().unwrap().test_time = Some(at(HOUR));
    let call = norths.record_hand_over_test(ahead);
    faulty(&house, "INVALID_FIELD", &["test.test_time"], call).await;
    let mut stale = retiring(&name);
    "\"9\"".clone_into(&mut stale.etag);
    refuses(&house, "ETAG_MISMATCH", norths.retire_custody_item(stale)).await;
    house.stop().await;
}

/// Whatever field it comes in: it is not taken, not answered with, and nowhere in the database.
pub async fn secrets_are_not_taken(house: House) {
    let pair = Pair::active(&house).await;
    let client = client(&pair).await;
    let mut norths = pair.north.connection.custody();
    let name = ok(norths.create_custody_item(holding(&pair.name, &client)))
        .await
        .name;
    let secret = "Sesame4711open";
    let labelled = format!("admin password: {secret}");
    let mut created = holding(&pair.name, &client);
    created.origin.clone_from(&labelled);
    let given = created.custody_item.as_mut().unwrap();
    given.display_name.clone_from(&labelled);
    given.location.clone_from(&labelled);
    let fields = [
        "custody_item.display_name",
        "custody_item.location",
        "origin",
    ];
    let call = norths.create_custody_item(created);
    let mut answers = vec![faulty(&house, "LOOKS_LIKE_SECRET", &fields, call).await];
    let mut updated = relocating(&name, &labelled);
    updated.update_mask = Some(prost_types::FieldMask {
        // Not even where the field is not asked to change.
        paths: vec!["kind".to_owned()],
    });
    let given = updated.custody_item.as_mut().unwrap();
    given.kind = CustodyKind::Dns.into();
    let call = norths.update_custody_item(updated);
    let fields = ["custody_item.location"];
    answers.push(faulty(&house, "LOOKS_LIKE_SECRET", &fields, call).await);
    let mut tested = testing(&name, HandOverTestOutcome::Passed);
    tested.test.as_mut().unwrap().note.clone_from(&labelled);
    let call = norths.record_hand_over_test(tested);
    answers.push(faulty(&house, "LOOKS_LIKE_SECRET", &["test.note"], call).await);
    let mut retired = retiring(&name);
    retired.reason.clone_from(&labelled);
    let call = norths.retire_custody_item(retired);
    answers.push(faulty(&house, "LOOKS_LIKE_SECRET", &["reason"], call).await);
    // Beside another fault it is one of several.
    let mut several = holding(&pair.name, "clients/x");
    several
        .custody_item
        .as_mut()
        .unwrap()
        .location
        .clone_from(&labelled);
    let call = refused(norths.create_custody_item(several)).await;
    assert_eq!(call.reason, "INVALID_FIELD");
    answers.push(call);
    for answer in answers {
        assert!(!format!("{answer:?}").contains(secret), "{answer:?}");
    }
    nowhere(&house, &pair, secret).await;
    house.stop().await;
}

/// A text is in no journal entry of the pair and in nothing that it exports.
pub async fn nowhere(house: &House, pair: &Pair, text: &str) {
    let scope = ScopeId::parse(&pair.name).unwrap();
    let entries = house.store().entries(&scope, 0, 1_000).await.unwrap();
    assert!(!entries.is_empty());
    for entry in entries {
        assert!(!format!("{entry:?}").contains(text));
        let payload = String::from_utf8(entry.payload).unwrap();
        assert!(!payload.contains(text));
    }
}
