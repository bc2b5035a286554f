//! Retries, reused ids, and writers that meet.

use entente::api::{HASH_METADATA, SEQUENCE_METADATA};
use entente::proto::v1::{self, IngestOutcome};
use tonic::Response;
use tonic_types::RpcStatusExt;

use super::calls::{accepted, ok, refuses};
use super::house::{HOUR, House};
use super::setting::{
    NORTH_PSA, Pair, agreeing, five_w, invitation, offering, opening, partnership, status, ticket,
};

fn receipt<T>(response: &Response<T>) -> (String, String) {
    let text = |key: &str| {
        response
            .metadata()
            .get(key)
            .unwrap()
            .to_str()
            .unwrap()
            .to_owned()
    };
    (text(SEQUENCE_METADATA), text(HASH_METADATA))
}

/// The same request id with the same request changes nothing more; with another it is refused.
pub async fn the_same_request_has_the_same_outcome(house: House) {
    let north = house.firm("north").await;
    let mut partnerships = north.connection.partnerships();
    let request = v1::CreatePartnershipRequest {
        request_id: "create-1".to_owned(),
        ..partnership("North and South")
    };
    let first = accepted(partnerships.create_partnership(request.clone())).await;
    let heads = house.heads().await;
    let again = accepted(partnerships.create_partnership(request.clone())).await;
    assert_eq!(
        (receipt(&first), first.get_ref()),
        (receipt(&again), again.get_ref())
    );
    assert_eq!(house.heads().await, heads);
    let other = v1::CreatePartnershipRequest {
        partner_display_name: "somebody else".to_owned(),
        ..request.clone()
    };
    let answer = refuses(
        &house,
        "REQUEST_ID_REUSED",
        partnerships.create_partnership(other),
    )
    .await;
    assert!(!answer.message.contains("somebody"), "{answer:?}");
    // Without an id every call acts anew.
    let anew = v1::CreatePartnershipRequest {
        request_id: String::new(),
        ..request
    };
    let anew = ok(partnerships.create_partnership(anew)).await;
    assert_ne!(anew.name, first.get_ref().name);

    let invite = v1::InvitePartnerRequest {
        request_id: "invite-1".to_owned(),
        ..invitation(&anew.name)
    };
    let invited = ok(partnerships.invite_partner(invite.clone())).await;
    let again = ok(partnerships.invite_partner(invite)).await;
    assert!(!invited.code.is_empty() && again.code.is_empty());
    assert_eq!(again.expire_time, invited.expire_time);

    an_offer_again(&house).await;
    house.stop().await;
}

/// An offer that is sent again after it was agreed to.
async fn an_offer_again(house: &House) {
    let pair = Pair::active(house).await;
    let draft = pair.draft().await;
    let request = v1::OfferExpectationRequest {
        request_id: "offer-1".to_owned(),
        ..offering(&draft.name)
    };
    let mut norths = pair.north.connection.expectations();
    let offered = accepted(norths.offer_expectation(request.clone())).await;
    ok(pair
        .south
        .connection
        .expectations()
        .agree_expectation(agreeing(&draft.name, 1)))
    .await;
    // Even though it could not be offered any more by now.
    let again = accepted(norths.offer_expectation(request.clone())).await;
    assert_eq!(receipt(&offered), receipt(&again));
    // Another method under the same id, and the same id of another firm.
    let other = v1::WithdrawExpectationRequest {
        name: draft.name,
        request_id: "offer-1".to_owned(),
        ..Default::default()
    };
    refuses(
        house,
        "REQUEST_ID_REUSED",
        norths.withdraw_expectation(other),
    )
    .await;
    let theirs = v1::CreateExpectationRequest {
        request_id: "offer-1".to_owned(),
        ..pair.draft_request(five_w(48))
    };
    ok(pair
        .south
        .connection
        .expectations()
        .create_expectation(theirs))
    .await;
}

/// S27: an event id is good for one event of a ticket, whatever the request.
pub async fn event_ids_are_used_once(house: House) {
    let pair = Pair::with_a_desk(&house).await;
    house.pass(HOUR);
    let (one, two) = (ticket(NORTH_PSA, "1"), ticket(NORTH_PSA, "2"));
    pair.ingest(
        &pair.north,
        vec![opening("e1", &one, 0, 1), opening("e1", &two, 0, 2)],
    )
    .await;
    let heads = house.heads().await;
    let events = vec![
        opening("e1", &one, 0, 1),
        status("e1", &one, 60, "Open"),
        opening("e1", &two, 0, 1),
    ];
    let results = pair.ingest(&pair.north, events).await;
    let outcomes: Vec<_> = results.iter().map(v1::IngestResult::outcome).collect();
    assert_eq!(
        outcomes,
        [
            IngestOutcome::AlreadyApplied,
            IngestOutcome::Refused,
            IngestOutcome::Refused
        ]
    );
    for result in &results[1..] {
        let details = result.error.clone().unwrap().get_error_details();
        let info = details.error_info().unwrap().clone();
        assert_eq!(info.reason, "EVENT_ID_REUSED");
        assert_eq!(
            info.metadata.get("event_id").map(String::as_str),
            Some("e1")
        );
        assert!(!result.ticket.is_empty());
    }
    assert_eq!(house.heads().await, heads);
    // One bad event does not hurt the others, and nothing ties a batch together.
    let mixed = vec![
        status("e2", &one, 60, "Open"),
        status("", &one, 90, "Open"),
        status("e3", &two, 60, "Open"),
    ];
    let results = pair.ingest(&pair.north, mixed).await;
    let outcomes: Vec<_> = results.iter().map(v1::IngestResult::outcome).collect();
    assert_eq!(
        outcomes,
        [
            IngestOutcome::Applied,
            IngestOutcome::Refused,
            IngestOutcome::Applied
        ]
    );
    house.stop().await;
}

/// Two writers that saw the same etag: exactly one of them changes the record.
pub async fn one_of_two_writers_wins(house: House) {
    let pair = Pair::active(&house).await;
    for round in 0..5 {
        let draft = pair.draft().await;
        let update = |title: &str| v1::UpdateExpectationRequest {
            expectation: Some(v1::Expectation {
                title: title.to_owned(),
                name: draft.name.clone(),
                etag: draft.etag.clone(),
                ..Default::default()
            }),
            ..Default::default()
        };
        let (mut left, mut right) = (
            pair.north.connection.expectations(),
            pair.north.connection.expectations(),
        );
        let (left, right) = tokio::join!(
            left.update_expectation(update("left")),
            right.update_expectation(update("right"))
        );
        let winners: Vec<_> = [&left, &right]
            .iter()
            .filter_map(|answer| answer.as_ref().ok())
            .map(|answer| answer.get_ref().title.clone())
            .collect();
        assert_eq!(winners.len(), 1, "round {round}");
        let read = v1::GetExpectationRequest {
            name: draft.name.clone(),
        };
        let now = ok(pair.south.connection.expectations().get_expectation(read)).await;
        assert_eq!(now.title, winners[0]);
        assert_ne!(now.etag, draft.etag);
        let mut loser = pair.north.connection.expectations();
        let again = loser.update_expectation(update("again"));
        refuses(&house, "ETAG_MISMATCH", again).await;
        let bad = v1::OfferExpectationRequest {
            etag: "7".to_owned(),
            ..offering(&draft.name)
        };
        let answer = refuses(&house, "INVALID_FIELD", loser.offer_expectation(bad)).await;
        assert_eq!(answer.fields, ["etag"]);
        let stale = v1::OfferExpectationRequest {
            etag: draft.etag.clone(),
            ..offering(&draft.name)
        };
        refuses(&house, "ETAG_MISMATCH", loser.offer_expectation(stale)).await;
        let current = v1::OfferExpectationRequest {
            etag: now.etag,
            ..offering(&draft.name)
        };
        ok(loser.offer_expectation(current)).await;
    }
    house.stop().await;
}
