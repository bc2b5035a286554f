//! Capabilities in a partnership of two firms.

use super::*;
use crate::domain::command::Action;
use crate::domain::interaction::InteractionCommand;
use crate::domain::refusal::Reason;
use crate::domain::tests::{FIRST, SECOND, Scene, sealed};

fn ask(command: CapabilityCommand) -> Action {
    Action::Interaction(InteractionCommand::Capability(command))
}

fn offer(change: impl Fn(&mut CapabilityDraft)) -> Action {
    let mut draft = CapabilityDraft {
        owner: None,
        service: "Cabling".to_owned(),
        region: Some("The north".to_owned()),
        calendar: None,
        hours: Some(sealed("by day")),
    };
    change(&mut draft);
    ask(CapabilityCommand::Offer(draft))
}

#[test]
fn what_a_party_can_do_is_retired_by_it() {
    let mut scene = Scene::shared(None);
    let id = scene.next_id();
    scene.go(FIRST, offer(|_| ()));
    assert_eq!(scene.get::<Capability>(&id).state(), OFFERED);
    let retire = || {
        let id = id.clone();
        ask(CapabilityCommand::Retire { id })
    };
    let foreign = scene.reason(SECOND, retire());
    assert_eq!(foreign, Reason::NotYoursToAnswer);
    scene.wait(1).go(FIRST, retire());
    let retired_at = scene.get::<Capability>(&id).retired_at;
    assert_eq!(retired_at, Some(scene.now));
    assert_eq!(scene.ask(FIRST, retire()), Ok(Vec::new()));
    assert_eq!(scene.get::<Capability>(&id).state(), RETIRED);
}

#[test]
fn capabilities_at_fault() {
    let mut scene = Scene::shared(None);
    for at_fault in [
        offer(|draft| draft.owner = Some(PartyId::numbered(2))),
        offer(|draft| draft.service.clear()),
        offer(|draft| draft.region = Some("a\nb".to_owned())),
    ] {
        assert_eq!(scene.reason(FIRST, at_fault), Reason::InvalidField);
    }
    let absent = offer(|draft| draft.calendar = Some("gone".to_owned()));
    assert_eq!(scene.reason(FIRST, absent), Reason::NotFound);
    let mut alone = Scene::alone();
    let id = alone.next_id();
    alone.go(
        FIRST,
        offer(|draft| draft.owner = Some(PartyId::numbered(2))),
    );
    alone.go(FIRST, ask(CapabilityCommand::Retire { id }));
}
