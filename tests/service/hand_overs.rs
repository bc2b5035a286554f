//! Requests to hand over what a party holds, and their clock.

use entente::proto::v1::{self, CustodyState, HandOverRequestState};

use super::calls::{faulty, ok, refuses};
use super::custody::{client, holding, nowhere};
use super::house::{HOUR, House, at, lasting};
use super::setting::{NORTH, Pair, SOUTH};

/// The request to hand items over within so many seconds.
pub fn asking(parent: &str, items: &[&str], within: i64) -> v1::CreateHandOverRequestRequest {
    v1::CreateHandOverRequestRequest {
        parent: parent.to_owned(),
        hand_over_request: Some(v1::HandOverRequest {
            custody_items: items.iter().map(|item| (*item).to_owned()).collect(),
            reason: "they change providers".to_owned(),
            within: Some(lasting(within)),
            ..Default::default()
        }),
        ..Default::default()
    }
}

pub fn releasing(name: &str) -> v1::ReleaseHandOverRequest {
    v1::ReleaseHandOverRequest {
        name: name.to_owned(),
        words: "in the client's vault".to_owned(),
        ..Default::default()
    }
}

pub fn confirming(name: &str) -> v1::ConfirmHandOverRequest {
    v1::ConfirmHandOverRequest {
        name: name.to_owned(),
        ..Default::default()
    }
}

pub fn withholding(name: &str) -> v1::WithholdHandOverRequest {
    v1::WithholdHandOverRequest {
        name: name.to_owned(),
        reason: "an invoice is open".to_owned(),
        ..Default::default()
    }
}

pub fn withdrawing(name: &str) -> v1::WithdrawHandOverRequestRequest {
    v1::WithdrawHandOverRequestRequest {
        name: name.to_owned(),
        ..Default::default()
    }
}

fn reading(name: &str) -> v1::GetHandOverRequestRequest {
    v1::GetHandOverRequestRequest {
        name: name.to_owned(),
    }
}

/// South holds something of a client's: its name and the client's.
async fn held_by_south(pair: &Pair) -> (String, String) {
    let client = client(pair).await;
    let mut souths = pair.south.connection.custody();
    let item = ok(souths.create_custody_item(holding(&pair.name, &client))).await;
    (item.name, client)
}

/// Events of the pair's journal of a type.
async fn journalled(pair: &Pair, event_type: &str) -> usize {
    let list = v1::ListEntriesRequest {
        parent: pair.name.clone(),
        record_kind: "hand_over_request".to_owned(),
        ..Default::default()
    };
    let listed = ok(pair.north.connection.journal().list_entries(list)).await;
    let entries = listed.entries.iter();
    entries.filter(|entry| entry.r#type == event_type).count()
}

/// Withheld, late, and handed over in the end; both see the same clock.
pub async fn what_is_asked_for_is_handed_over(house: House) {
    let pair = Pair::active(&house).await;
    let (item, client) = held_by_south(&pair).await;
    let mut norths = pair.north.connection.custody();
    let mut souths = pair.south.connection.custody();
    let mut request = asking(&pair.name, &[&item], 2 * HOUR);
    "ask-1".clone_into(&mut request.request_id);
    let asked = request.hand_over_request.as_mut().unwrap();
    asked.on_behalf_of.clone_from(&client);
    let made = ok(norths.create_hand_over_request(request.clone())).await;
    assert_eq!(made.due_time, Some(at(2 * HOUR)));
    assert_eq!(
        (made.requester.as_str(), made.holder.as_str()),
        (NORTH, SOUTH)
    );
    let again = ok(norths.create_hand_over_request(request)).await;
    assert_eq!(again.name, made.name, "a retry has the same outcome");
    house.pass(HOUR);
    let withheld = ok(souths.withhold_hand_over(withholding(&made.name))).await;
    assert_eq!(withheld.state(), HandOverRequestState::Withheld);
    assert_eq!(withheld.withholding.unwrap().words, "an invoice is open");
    assert_eq!(
        (withheld.time_used, withheld.time_left),
        (Some(lasting(HOUR)), Some(lasting(HOUR)))
    );
    house.pass(HOUR);
    house.sweep().await;
    assert!(
        !ok(norths.get_hand_over_request(reading(&made.name)))
            .await
            .overdue
    );
    house.pass(HOUR);
    let late = ok(souths.get_hand_over_request(reading(&made.name))).await;
    assert!(late.overdue, "before a sweep has come by");
    assert_eq!(late.time_left, Some(lasting(0)));
    assert_eq!(journalled(&pair, "hand_over_request.overdue").await, 0);
    house.sweep().await;
    house.sweep().await;
    assert_eq!(journalled(&pair, "hand_over_request.overdue").await, 1);
    let refused = refuses(
        &house,
        "NOT_YOUR_CUSTODY",
        norths.release_hand_over(releasing(&made.name)),
    );
    assert_eq!(refused.await.metadata["party_ids"], SOUTH);
    released_at_last(&house, &pair, &made.name, item).await;
    house.stop().await;
}

/// Late, it is handed over and confirmed, and listed as such.
async fn released_at_last(house: &House, pair: &Pair, name: &str, item: String) {
    let mut norths = pair.north.connection.custody();
    let mut souths = pair.south.connection.custody();
    let released = ok(souths.release_hand_over(releasing(name))).await;
    assert!(released.overdue && released.release.is_some());
    house.pass(HOUR);
    let received = ok(norths.confirm_hand_over(confirming(name))).await;
    assert_eq!(received.state(), HandOverRequestState::Received);
    assert_eq!(
        received.time_used,
        Some(lasting(3 * HOUR)),
        "the clock stopped at the release"
    );
    let get = v1::GetCustodyItemRequest { name: item };
    let item = ok(norths.get_custody_item(get)).await;
    assert_eq!(item.state(), CustodyState::HandedOver);
    assert_eq!(
        (item.received_by.as_str(), item.hand_over_request.as_str()),
        (NORTH, name)
    );
    for (state, count) in [
        (HandOverRequestState::Received, 1),
        (HandOverRequestState::Requested, 0),
    ] {
        let wanted = v1::ListHandOverRequestsRequest {
            parent: pair.name.clone(),
            state: state.into(),
            holder: SOUTH.to_owned(),
            ..Default::default()
        };
        let listed = ok(souths.list_hand_over_requests(wanted)).await;
        assert_eq!(listed.hand_over_requests.len(), count, "{state:?}");
    }
}

/// By the hours of a calendar, which is pinned; what is asked for is in the list of what is open.
pub async fn a_clock_of_open_hours(house: House) {
    let pair = Pair::active(&house).await;
    let (item, _) = held_by_south(&pair).await;
    let calendar = pair.calendar().await;
    let mut norths = pair.north.connection.custody();
    let mut request = asking(&pair.name, &[&item], 2 * HOUR);
    let given = request.hand_over_request.as_mut().unwrap();
    given.calendar.clone_from(&calendar.name);
    let made = ok(norths.create_hand_over_request(request)).await;
    assert_eq!((made.calendar, made.calendar_revision), (calendar.name, 1));
    house.pass(HOUR);
    let read = ok(norths.get_hand_over_request(reading(&made.name))).await;
    assert_eq!(read.time_used, Some(lasting(HOUR)));
    let list = v1::GetHandOverListRequest {
        name: pair.name.clone(),
        party_id: SOUTH.to_owned(),
        ..Default::default()
    };
    let open = ok(pair
        .north
        .connection
        .partnerships()
        .get_hand_over_list(list))
    .await;
    let matters: Vec<_> = open.items.iter().map(v1::HandOverItem::matter).collect();
    assert_eq!(
        matters,
        [v1::OpenMatter::CustodyItem, v1::OpenMatter::HandOverRequest]
    );
    assert_eq!(open.items[1].until_time, made.due_time);
    house.stop().await;
}

/// What is held is owed after the end as well.
pub async fn hand_overs_after_the_end(house: House) {
    let pair = Pair::active(&house).await;
    let (item, _) = held_by_south(&pair).await;
    let end = v1::EndPartnershipRequest {
        name: pair.name.clone(),
        ..Default::default()
    };
    ok(pair.north.connection.partnerships().end_partnership(end)).await;
    house.pass(HOUR);
    house.sweep().await;
    let mut norths = pair.north.connection.custody();
    let mut souths = pair.south.connection.custody();
    let made = ok(norths.create_hand_over_request(asking(&pair.name, &[&item], HOUR))).await;
    ok(souths.release_hand_over(releasing(&made.name))).await;
    ok(norths.confirm_hand_over(confirming(&made.name))).await;
    let get = v1::GetCustodyItemRequest { name: item };
    let item = ok(norths.get_custody_item(get)).await;
    assert_eq!(item.state(), CustodyState::HandedOver);
    house.stop().await;
}

/// Every fault at once, and nothing changes.
pub async fn hand_overs_at_fault(house: House) {
    let pair = Pair::active(&house).await;
    let (item, _) = held_by_south(&pair).await;
    let mut norths = pair.north.connection.custody();
    let mut souths = pair.south.connection.custody();
    let secret = "Sesame4711open";
    let mut bad = asking(&pair.name, &["x", ""], HOUR);
    let given = bad.hand_over_request.as_mut().unwrap();
    given.reason = "x ".repeat(2_501);
    "clients/x".clone_into(&mut given.on_behalf_of);
    "calendars/x".clone_into(&mut given.calendar);
    given.within = None;
    let fields = [
        "hand_over_request.custody_items[0]",
        "hand_over_request.custody_items[1]",
        "hand_over_request.on_behalf_of",
        "hand_over_request.within",
        "hand_over_request.calendar",
        "hand_over_request.reason",
    ];
    let call = norths.create_hand_over_request(bad);
    faulty(&house, "INVALID_FIELD", &fields, call).await;
    let call = souths.create_hand_over_request(asking(&pair.name, &[&item], 1));
    let fields = ["hand_over_request.within"];
    faulty(&house, "INVALID_FIELD", &fields, call).await;
    let call = souths.create_hand_over_request(asking(&pair.name, &[&item], HOUR));
    let fields = ["hand_over_request.custody_items[0]"];
    faulty(&house, "INVALID_FIELD", &fields, call).await;
    let mut telling = asking(&pair.name, &[&item], HOUR);
    let given = telling.hand_over_request.as_mut().unwrap();
    given.reason = format!("Passwort: {secret}");
    let call = norths.create_hand_over_request(telling);
    let fields = ["hand_over_request.reason"];
    faulty(&house, "LOOKS_LIKE_SECRET", &fields, call).await;
    let made = ok(norths.create_hand_over_request(asking(&pair.name, &[&item], HOUR))).await;
    let call = norths.create_hand_over_request(asking(&pair.name, &[&item], HOUR));
    let refused = refuses(&house, "INVALID_STATE", call).await;
    assert_eq!(refused.metadata["state"], "requested");
    // Who hands a secret over in the answer is told not to.
    let mut telling = releasing(&made.name);
    telling.words = format!("the password = {secret}");
    let call = souths.release_hand_over(telling);
    let refused = faulty(&house, "LOOKS_LIKE_SECRET", &["words"], call).await;
    assert!(!format!("{refused:?}").contains(secret));
    let mut telling = withholding(&made.name);
    telling.reason = format!("pin: {secret}");
    let call = souths.withhold_hand_over(telling);
    faulty(&house, "LOOKS_LIKE_SECRET", &["reason"], call).await;
    let mut empty = withholding(&made.name);
    empty.reason.clear();
    let call = souths.withhold_hand_over(empty);
    faulty(&house, "INVALID_FIELD", &["reason"], call).await;
    let mut telling = withdrawing(&made.name);
    telling.reason = format!("secret: {secret}");
    let call = norths.withdraw_hand_over_request(telling);
    faulty(&house, "LOOKS_LIKE_SECRET", &["reason"], call).await;
    let call = norths.confirm_hand_over(confirming(&made.name));
    refuses(&house, "INVALID_STATE", call).await;
    let mut stale = releasing(&made.name);
    "\"9\"".clone_into(&mut stale.etag);
    refuses(&house, "ETAG_MISMATCH", souths.release_hand_over(stale)).await;
    ok(norths.withdraw_hand_over_request(withdrawing(&made.name))).await;
    nowhere(&house, &pair, secret).await;
    house.stop().await;
}
