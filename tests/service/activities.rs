//! Activities and presentations: who invited whom, who came, and whose portions were shown to clients
//! without them.

use entente::proto::v1::{
    self, ActivityKind, ActivityPurpose, ActivityState, ClientPresentationState, Presence,
};

use super::calls::{faulty, ok, refuses};
use super::house::{HOUR, House, at};
use super::setting::{NORTH, Pair, SOUTH};

/// The request for a review in two days.
pub fn inviting(parent: &str) -> v1::CreateActivityRequest {
    v1::CreateActivityRequest {
        parent: parent.to_owned(),
        activity: Some(v1::Activity {
            kind: ActivityKind::Review.into(),
            purpose: ActivityPurpose::Growth.into(),
            title: "How the year went".to_owned(),
            planned_time: Some(at(48 * HOUR)),
            ..Default::default()
        }),
        ..Default::default()
    }
}

pub fn coming(name: &str) -> v1::AcceptActivityRequest {
    v1::AcceptActivityRequest {
        name: name.to_owned(),
        ..Default::default()
    }
}

pub fn not_coming(name: &str) -> v1::DeclineActivityRequest {
    v1::DeclineActivityRequest {
        name: name.to_owned(),
        reason: "we are stretched".to_owned(),
        ..Default::default()
    }
}

pub fn having_met(name: &str, seconds: i64, present: &[&str]) -> v1::RecordActivityHeldRequest {
    v1::RecordActivityHeldRequest {
        name: name.to_owned(),
        held_time: Some(at(seconds)),
        present_parties: present.iter().map(|party| (*party).to_owned()).collect(),
        note: "three things to do".to_owned(),
        ..Default::default()
    }
}

pub fn cancelling(name: &str) -> v1::CancelActivityRequest {
    v1::CancelActivityRequest {
        name: name.to_owned(),
        reason: "the room is flooded".to_owned(),
        ..Default::default()
    }
}

pub fn owners(words: &[(&str, Presence)]) -> Vec<v1::OwnerPresence> {
    let owner = |(party, presence): &(&str, Presence)| v1::OwnerPresence {
        party_id: (*party).to_owned(),
        presence: (*presence).into(),
    };
    words.iter().map(owner).collect()
}

/// The request for a presentation by north.
pub fn presenting(parent: &str, words: &[(&str, Presence)]) -> v1::CreateClientPresentationRequest {
    v1::CreateClientPresentationRequest {
        parent: parent.to_owned(),
        client_presentation: Some(v1::ClientPresentation {
            presenter: NORTH.to_owned(),
            present_time: Some(at(0)),
            portion_owners: owners(words),
            note: "at their head office".to_owned(),
            ..Default::default()
        }),
        ..Default::default()
    }
}

pub fn confirming(name: &str) -> v1::ConfirmClientPresentationRequest {
    v1::ConfirmClientPresentationRequest {
        name: name.to_owned(),
        ..Default::default()
    }
}

pub fn contesting(name: &str, words: &[(&str, Presence)]) -> v1::ContestClientPresentationRequest {
    v1::ContestClientPresentationRequest {
        name: name.to_owned(),
        portion_owners: owners(words),
        note: "we stood in the hall".to_owned(),
        ..Default::default()
    }
}

/// South declines, thinks better of it, and both meet.
pub async fn an_activity_from_invitation_to_its_end(house: House) {
    let pair = Pair::active(&house).await;
    let mut norths = pair.north.connection.interaction();
    let mut souths = pair.south.connection.interaction();
    let mut request = inviting(&pair.name);
    "review-1".clone_into(&mut request.request_id);
    let invited = ok(norths.create_activity(request.clone())).await;
    assert_eq!(invited.invited_parties, [SOUTH]);
    let again = ok(norths.create_activity(request)).await;
    assert_eq!(again.name, invited.name, "a retry invites nobody twice");
    let name = invited.name;
    let own = norths.accept_activity(coming(&name));
    refuses(&house, "NOT_YOURS_TO_ANSWER", own).await;
    let declined = ok(souths.decline_activity(not_coming(&name))).await;
    assert_eq!(declined.state(), ActivityState::Declined);
    assert_eq!(declined.answers[0].reason, "we are stretched");
    let accepted = ok(souths.accept_activity(coming(&name))).await;
    assert_eq!(accepted.state(), ActivityState::Accepted);
    house.pass(50 * HOUR);
    let met = ok(souths.record_activity_held(having_met(&name, 48 * HOUR, &[NORTH, SOUTH]))).await;
    assert_eq!(met.state(), ActivityState::Held);
    let read = v1::GetActivityRequest { name: name.clone() };
    let read = ok(norths.get_activity(read)).await;
    assert_eq!(read, met, "both firms read the same");
    assert_eq!(read.held_note, "three things to do");
    assert_eq!(read.title, "How the year went");
    let late = norths.cancel_activity(cancelling(&name));
    refuses(&house, "INVALID_STATE", late).await;
    let other = ok(norths.create_activity(inviting(&pair.name))).await.name;
    let foreign = souths.cancel_activity(cancelling(&other));
    refuses(&house, "NOT_YOURS_TO_ANSWER", foreign).await;
    ok(norths.cancel_activity(cancelling(&other))).await;
    ok(norths.create_activity(inviting(&pair.name))).await;
    listed(
        &pair,
        &[(ActivityState::Unspecified, 3), (ActivityState::Held, 1)],
    )
    .await;
    listed(
        &pair,
        &[(ActivityState::Cancelled, 1), (ActivityState::Invited, 1)],
    )
    .await;
    let ending = v1::EndPartnershipRequest {
        name: pair.name.clone(),
        ..Default::default()
    };
    ok(pair.north.connection.partnerships().end_partnership(ending)).await;
    listed(
        &pair,
        &[(ActivityState::Invited, 0), (ActivityState::Closed, 1)],
    )
    .await;
    house.sweep().await;
    listed(
        &pair,
        &[(ActivityState::Invited, 0), (ActivityState::Closed, 1)],
    )
    .await;
    let over = norths.create_activity(inviting(&pair.name));
    refuses(&house, "PARTNERSHIP_ENDED", over).await;
    house.stop().await;
}

async fn listed(pair: &Pair, expected: &[(ActivityState, usize)]) {
    let mut souths = pair.south.connection.interaction();
    for (state, count) in expected {
        let wanted = v1::ListActivitiesRequest {
            parent: pair.name.clone(),
            state: (*state).into(),
            ..Default::default()
        };
        let found = ok(souths.list_activities(wanted)).await.activities;
        assert_eq!(found.len(), *count, "{state:?}");
    }
}

/// Every fault at once, and nothing changes.
pub async fn activities_at_fault(house: House) {
    let pair = Pair::active(&house).await;
    let mut norths = pair.north.connection.interaction();
    let empty = v1::CreateActivityRequest {
        parent: pair.name.clone(),
        activity: Some(v1::Activity {
            kind: 99,
            present_parties: vec![NORTH.to_owned()],
            ..Default::default()
        }),
        ..Default::default()
    };
    let fields = [
        "activity.kind",
        "activity.purpose",
        "activity.title",
        "activity.present_parties",
    ];
    let call = norths.create_activity(empty);
    faulty(&house, "INVALID_FIELD", &fields, call).await;
    let mut bad = inviting(&pair.name);
    let given = bad.activity.as_mut().unwrap();
    given.planned_time = None;
    SOUTH.clone_into(&mut given.inviting_party);
    given.invited_parties = vec![SOUTH.to_owned(), "party-9".to_owned()];
    let fields = [
        "activity.inviting_party",
        "activity.invited_parties[0]",
        "activity.invited_parties[1]",
        "activity.planned_time",
    ];
    let call = norths.create_activity(bad);
    faulty(&house, "INVALID_FIELD", &fields, call).await;
    let name = ok(norths.create_activity(inviting(&pair.name))).await.name;
    let fields = ["held_time", "present_parties[1]"];
    let call = norths.record_activity_held(having_met(&name, HOUR, &[NORTH, NORTH]));
    faulty(&house, "INVALID_FIELD", &fields, call).await;
    let mut stale = cancelling(&name);
    "\"9\"".clone_into(&mut stale.etag);
    refuses(&house, "ETAG_MISMATCH", norths.cancel_activity(stale)).await;
    house.stop().await;
}

/// South was left outside the door, and both words stand.
pub async fn whose_portions_were_shown_without_them(house: House) {
    let pair = Pair::active(&house).await;
    let mut norths = pair.north.connection.interaction();
    let mut souths = pair.south.connection.interaction();
    let quote = pair.quote(&[("a", 500)], &[("b", 500)]).await.name;
    let mut request = presenting(&pair.name, &[(SOUTH, Presence::Absent)]);
    quote.clone_into(&mut request.client_presentation.as_mut().unwrap().joint_quote);
    let recorded = ok(norths.create_client_presentation(request)).await;
    assert_eq!(recorded.joint_quote, quote);
    assert_eq!(recorded.state(), ClientPresentationState::Recorded);
    let own = norths.confirm_client_presentation(confirming(&recorded.name));
    refuses(&house, "NOT_YOURS_TO_ANSWER", own).await;
    let contest = contesting(&recorded.name, &[(SOUTH, Presence::Refused)]);
    let contested = ok(souths.contest_client_presentation(contest)).await;
    assert_eq!(contested.state(), ClientPresentationState::Contested);
    assert_eq!(contested.portion_owners[0].presence(), Presence::Absent);
    let counted = &contested.counted_presences[0];
    assert_eq!(
        (counted.presence(), counted.contested),
        (Presence::Refused, true)
    );
    let read = v1::GetClientPresentationRequest {
        name: recorded.name.clone(),
    };
    let read = ok(norths.get_client_presentation(read)).await;
    assert_eq!(read.answers[0].note, "we stood in the hall");
    let again = souths.confirm_client_presentation(confirming(&recorded.name));
    refuses(&house, "INVALID_STATE", again).await;
    // Whoever was kept out records what the other one presented.
    let request = presenting(&pair.name, &[(SOUTH, Presence::Refused)]);
    let recorded = ok(souths.create_client_presentation(request)).await;
    assert_eq!(
        (
            recorded.presenter.as_str(),
            recorded.recording_party.as_str()
        ),
        (NORTH, SOUTH)
    );
    let confirmed = ok(norths.confirm_client_presentation(confirming(&recorded.name))).await;
    assert_eq!(confirmed.state(), ClientPresentationState::Confirmed);
    let wanted = v1::ListClientPresentationsRequest {
        parent: pair.name.clone(),
        page_size: 1,
        ..Default::default()
    };
    let page = ok(norths.list_client_presentations(wanted)).await;
    assert_eq!(page.client_presentations.len(), 1);
    assert!(!page.next_page_token.is_empty());
    house.stop().await;
}

/// Every fault at once, and nothing changes.
pub async fn presentations_at_fault(house: House) {
    let pair = Pair::active(&house).await;
    let mut norths = pair.north.connection.interaction();
    let mut bad = presenting(&pair.name, &[(SOUTH, Presence::Unspecified)]);
    let given = bad.client_presentation.as_mut().unwrap();
    given.present_time = None;
    "partnerships/other/clients/x".clone_into(&mut given.client);
    "x".repeat(5_001).clone_into(&mut given.note);
    let fields = [
        "client_presentation.present_time",
        "client_presentation.client",
        "client_presentation.portion_owners[0].presence",
        "client_presentation.note",
    ];
    let call = norths.create_client_presentation(bad);
    faulty(&house, "INVALID_FIELD", &fields, call).await;
    let twice = presenting(&pair.name, &[(SOUTH, Presence::Absent); 2]);
    let fields = ["client_presentation.portion_owners[1].party_id"];
    let call = norths.create_client_presentation(twice);
    faulty(&house, "INVALID_FIELD", &fields, call).await;
    let mut absent = presenting(&pair.name, &[(SOUTH, Presence::Absent)]);
    let given = absent.client_presentation.as_mut().unwrap();
    given.opportunity = format!("{}/opportunities/absent", pair.name);
    let call = norths.create_client_presentation(absent);
    refuses(&house, "NOT_FOUND", call).await;
    house.stop().await;
}
