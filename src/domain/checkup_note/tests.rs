//! Notes in a partnership of two firms, and those that a firm keeps to itself.

use super::*;
use crate::domain::command::Action;
use crate::domain::record::Record;
use crate::domain::tests::{FIRST, SECOND, Scene, hours, sealed};

fn write(id: &str, symptom: Symptom, reply_to: Option<&str>) -> Action {
    Action::CheckupNote(NoteCommand::Write {
        id: Some(id.to_owned()),
        partnership: "p".to_owned(),
        symptom,
        text: sealed("their expert was ill"),
        reply_to: reply_to.map(str::to_owned),
    })
}

fn withdraw(id: &str) -> Action {
    Action::CheckupNote(NoteCommand::Withdraw { id: id.to_owned() })
}

const ROW: Symptom = Symptom::PoorService;

#[test]
fn shared_notes_are_replied_to_until_they_are_withdrawn() {
    let mut scene = Scene::shared(None);
    scene.go(FIRST, write("first", ROW, None));
    scene.go(SECOND, write("second", ROW, Some("first")));
    let other = write("third", Symptom::HeldHostage, Some("first"));
    assert_eq!(scene.reason(SECOND, other), Reason::InvalidField);
    let absent = write("third", ROW, Some("none"));
    assert_eq!(scene.reason(SECOND, absent), Reason::NotFound);
    let taken = write("first", ROW, None);
    assert_eq!(scene.reason(SECOND, taken), Reason::AlreadyExists);
    assert_eq!(scene.reason(SECOND, withdraw("first")), Reason::NotTheOwner);
    scene.wait(1).go(FIRST, withdraw("first"));
    assert_eq!(scene.ask(FIRST, withdraw("first")), Ok(Vec::new()));
    let note = scene.get::<CheckupNote>("first");
    assert_eq!(note.withdrawn_at, Some(hours(1)));
    let late = write("third", ROW, Some("first"));
    assert_eq!(scene.reason(SECOND, late), Reason::InvalidState);
}

#[test]
fn private_notes_are_in_the_firms_own_scope() {
    let mut scene = Scene::shared(None);
    scene.scope = FirmId::parse(FIRST).expect("an identifier").scope();
    let unknown = scene.reason(FIRST, write("mine", ROW, None));
    assert_eq!(unknown, Reason::NotFound, "it is no party of it");
    let party = PartyId::numbered(1);
    let membership = Record::Membership(Box::new(Membership { party }));
    scene.put("p", membership);
    scene.go(FIRST, write("mine", ROW, None));
    let reply = write("again", ROW, Some("mine"));
    assert_eq!(scene.reason(FIRST, reply), Reason::InvalidField);
    for action in [write("theirs", ROW, None), withdraw("mine")] {
        assert_eq!(scene.reason(SECOND, action), Reason::NotFound);
    }
    scene.go(FIRST, withdraw("mine"));
    assert_eq!(scene.get::<CheckupNote>("mine").written.partnership, "p");
}
