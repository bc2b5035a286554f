//! Feedback in a partnership of two firms.

use super::*;
use crate::domain::command::Action;
use crate::domain::interaction::InteractionCommand;
use crate::domain::refusal::Reason;
use crate::domain::tests::{FIRST, SECOND, Scene, sealed};

fn give(change: impl Fn(&mut FeedbackDraft)) -> Action {
    let mut draft = FeedbackDraft {
        giver: None,
        receiver: PartyId::numbered(2),
        tone: Tone::Complaint,
        text: sealed("you were late"),
        topic: None,
    };
    change(&mut draft);
    let command = FeedbackCommand::Give(draft);
    Action::Interaction(InteractionCommand::Feedback(command))
}

fn reply(id: &str, heard: Option<Tone>) -> Action {
    let command = FeedbackCommand::Reply {
        id: id.to_owned(),
        text: sealed("we were"),
        heard,
    };
    Action::Interaction(InteractionCommand::Feedback(command))
}

#[test]
fn the_receiver_replies_once_and_may_have_heard_an_ultimatum() {
    let mut scene = Scene::shared(None);
    let id = scene.next_id();
    scene.go(FIRST, give(|_| ()));
    assert!(!scene.get::<Feedback>(&id).is_ultimatum());
    let own = scene.reason(FIRST, reply(&id, None));
    assert_eq!(own, Reason::NotYoursToAnswer);
    scene.go(SECOND, reply(&id, Some(Tone::Ultimatum)));
    assert!(scene.get::<Feedback>(&id).is_ultimatum());
    let again = scene.reason(SECOND, reply(&id, None));
    assert_eq!(again, Reason::InvalidState);
    let id = scene.next_id();
    scene.go(FIRST, give(|draft| draft.tone = Tone::Ultimatum));
    scene.go(SECOND, reply(&id, Some(Tone::Suggestion)));
    assert!(scene.get::<Feedback>(&id).is_ultimatum());
}

#[test]
fn feedback_at_fault() {
    let mut scene = Scene::shared(None);
    for at_fault in [
        give(|draft| draft.receiver = PartyId::numbered(1)),
        give(|draft| draft.receiver = PartyId::numbered(9)),
        give(|draft| draft.giver = Some(PartyId::numbered(2))),
    ] {
        assert_eq!(scene.reason(FIRST, at_fault), Reason::InvalidField);
    }
    let absent = give(|draft| draft.topic = Some(Topic::JointQuote("gone".to_owned())));
    assert_eq!(scene.reason(FIRST, absent), Reason::NotFound);
    // Alone, a firm writes down what the other one said.
    let mut alone = Scene::alone();
    let heard = give(|draft| {
        draft.giver = Some(PartyId::numbered(2));
        draft.receiver = PartyId::numbered(1);
    });
    let id = alone.next_id();
    alone.go(FIRST, heard);
    assert!(alone.get::<Feedback>(&id).given.is_asserted);
    alone.go(FIRST, reply(&id, None));
}
