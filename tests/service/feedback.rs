//! What one firm tells the other about working together, and what each of them can do.

use entente::proto::v1::{self, CapabilityState, FeedbackTone};

use super::calls::{faulty, ok, refuses};
use super::house::House;
use super::setting::{NORTH, Pair, SOUTH};

/// The request to tell a party something.
pub fn telling(parent: &str, receiver: &str) -> v1::CreateFeedbackRequest {
    v1::CreateFeedbackRequest {
        parent: parent.to_owned(),
        feedback: Some(v1::Feedback {
            receiver: receiver.to_owned(),
            tone: FeedbackTone::Complaint.into(),
            text: "your people do not know ours".to_owned(),
            ..Default::default()
        }),
        ..Default::default()
    }
}

pub fn replying(name: &str) -> v1::ReplyToFeedbackRequest {
    v1::ReplyToFeedbackRequest {
        name: name.to_owned(),
        text: "let them meet".to_owned(),
        heard_tone: FeedbackTone::Ultimatum.into(),
        ..Default::default()
    }
}

/// The request to say what the caller's party can do.
pub fn able(parent: &str) -> v1::CreateCapabilityRequest {
    v1::CreateCapabilityRequest {
        parent: parent.to_owned(),
        capability: Some(v1::Capability {
            service: "On-site hands".to_owned(),
            region: "The coast".to_owned(),
            hours: "on workdays".to_owned(),
            ..Default::default()
        }),
        ..Default::default()
    }
}

pub fn no_longer(name: &str) -> v1::RetireCapabilityRequest {
    v1::RetireCapabilityRequest {
        name: name.to_owned(),
        ..Default::default()
    }
}

/// South hears an ultimatum where north meant to complain.
pub async fn feedback_and_its_reply(house: House) {
    let pair = Pair::active(&house).await;
    let mut norths = pair.north.connection.interaction();
    let mut souths = pair.south.connection.interaction();
    let given = ok(norths.create_feedback(telling(&pair.name, SOUTH))).await;
    assert_eq!((given.giver.as_str(), given.reply.clone()), (NORTH, None));
    let own = norths.reply_to_feedback(replying(&given.name));
    refuses(&house, "NOT_YOURS_TO_ANSWER", own).await;
    let replied = ok(souths.reply_to_feedback(replying(&given.name))).await;
    let again = souths.reply_to_feedback(replying(&given.name));
    refuses(&house, "INVALID_STATE", again).await;
    let read = v1::GetFeedbackRequest { name: given.name };
    let read = ok(norths.get_feedback(read)).await;
    assert_eq!(read, replied);
    let reply = read.reply.unwrap();
    assert_eq!(
        (reply.text.as_str(), reply.heard_tone()),
        ("let them meet", FeedbackTone::Ultimatum)
    );
    assert_eq!(read.text, "your people do not know ours");
    ok(souths.create_feedback(telling(&pair.name, NORTH))).await;
    let wanted = v1::ListFeedbackRequest {
        parent: pair.name.clone(),
        ..Default::default()
    };
    assert_eq!(ok(norths.list_feedback(wanted)).await.feedback.len(), 2);
    let mut bad = telling(&pair.name, SOUTH);
    let feedback = bad.feedback.as_mut().unwrap();
    feedback.tone = 0;
    feedback.text.clear();
    "x".clone_into(&mut feedback.topic);
    let fields = ["feedback.tone", "feedback.text", "feedback.topic"];
    faulty(
        &house,
        "INVALID_FIELD",
        &fields,
        norths.create_feedback(bad),
    )
    .await;
    let mut bad = telling(&pair.name, NORTH);
    SOUTH.clone_into(&mut bad.feedback.as_mut().unwrap().giver);
    let fields = ["feedback.giver"];
    faulty(
        &house,
        "INVALID_FIELD",
        &fields,
        norths.create_feedback(bad),
    )
    .await;
    house.stop().await;
}

/// What each firm can do, until it no longer does.
pub async fn capabilities_until_they_are_retired(house: House) {
    let pair = Pair::with_a_desk(&house).await;
    let mut norths = pair.north.connection.interaction();
    let mut souths = pair.south.connection.interaction();
    let mut request = able(&pair.name);
    let given = request.capability.as_mut().unwrap();
    given.calendar = format!("{}/calendars/always", pair.name);
    let offered = ok(norths.create_capability(request)).await;
    assert!(offered.calendar.ends_with("/calendars/always"));
    assert_eq!(
        (offered.party_id.as_str(), offered.hours.as_str()),
        (NORTH, "on workdays")
    );
    let foreign = souths.retire_capability(no_longer(&offered.name));
    refuses(&house, "NOT_YOURS_TO_ANSWER", foreign).await;
    house.pass(60);
    let retired = ok(norths.retire_capability(no_longer(&offered.name))).await;
    assert_eq!(retired.state(), CapabilityState::Retired);
    ok(souths.create_capability(able(&pair.name))).await;
    for (state, count) in [
        (CapabilityState::Unspecified, 2),
        (CapabilityState::Offered, 1),
        (CapabilityState::Retired, 1),
    ] {
        let wanted = v1::ListCapabilitiesRequest {
            parent: pair.name.clone(),
            state: state.into(),
            ..Default::default()
        };
        let found = ok(souths.list_capabilities(wanted)).await.capabilities;
        assert_eq!(found.len(), count, "{state:?}");
    }
    let read = v1::GetCapabilityRequest { name: offered.name };
    assert_eq!(ok(souths.get_capability(read)).await, retired);
    let mut bad = able(&pair.name);
    let given = bad.capability.as_mut().unwrap();
    given.service.clear();
    SOUTH.clone_into(&mut given.party_id);
    given.region = "x".repeat(201);
    let fields = [
        "capability.party_id",
        "capability.service",
        "capability.region",
    ];
    faulty(
        &house,
        "INVALID_FIELD",
        &fields,
        norths.create_capability(bad),
    )
    .await;
    let mut absent = able(&pair.name);
    let given = absent.capability.as_mut().unwrap();
    given.calendar = format!("{}/calendars/gone", pair.name);
    refuses(&house, "NOT_FOUND", norths.create_capability(absent)).await;
    house.stop().await;
}
