//! Presentations in a partnership of two firms.

use super::*;
use crate::domain::command::Action;
use crate::domain::interaction::InteractionCommand;
use crate::domain::refusal::Reason;
use crate::domain::tests::{FIRST, SECOND, Scene, hours, sealed};

fn ask(command: PresentationCommand) -> Action {
    Action::Interaction(InteractionCommand::Presentation(command))
}

fn owners(words: &[(usize, Presence)]) -> Vec<OwnerPresence> {
    let owner = |(party, presence): &(usize, Presence)| OwnerPresence {
        party: PartyId::numbered(*party),
        presence: *presence,
    };
    words.iter().map(owner).collect()
}

fn draft(words: &[(usize, Presence)]) -> PresentationDraft {
    PresentationDraft {
        presenter: None,
        presented_at: hours(0),
        opportunity: None,
        quote: None,
        client: None,
        owners: owners(words),
        note: Some(sealed("on their site")),
    }
}

fn contest(id: &str, words: &[(usize, Presence)]) -> Action {
    ask(PresentationCommand::Contest {
        id: id.to_owned(),
        owners: owners(words),
        note: None,
    })
}

fn confirm(id: &str) -> Action {
    let id = id.to_owned();
    ask(PresentationCommand::Confirm { id })
}

fn recorded(scene: &mut Scene, words: &[(usize, Presence)]) -> String {
    let id = scene.next_id();
    scene.go(FIRST, ask(PresentationCommand::Record(draft(words))));
    id
}

fn counted(scene: &Scene, id: &str) -> Vec<(String, Presence, bool)> {
    let counted = scene.get::<ClientPresentation>(id).counted().into_iter();
    let shown = |it: CountedPresence| (it.party.to_string(), it.presence, it.is_contested);
    counted.map(shown).collect()
}

#[test]
fn of_each_owner_its_own_word_counts() {
    use Presence::{Absent, Present, Refused};
    let mut scene = Scene::shared(None);
    let id = recorded(&mut scene, &[(1, Present), (2, Absent)]);
    assert_eq!(scene.reason(FIRST, confirm(&id)), Reason::NotYoursToAnswer);
    // The other one may not say of the first whether it was there; of itself it may.
    scene.go(SECOND, contest(&id, &[(1, Absent), (2, Refused)]));
    let expected = [
        ("party-1".to_owned(), Present, true),
        ("party-2".to_owned(), Refused, true),
    ];
    assert_eq!(counted(&scene, &id), expected);
    let found = scene.get::<ClientPresentation>(&id);
    assert_eq!(found.agreement(), PresentationState::Contested);
    for again in [confirm(&id), contest(&id, &[(2, Absent)])] {
        assert_eq!(scene.reason(SECOND, again), Reason::InvalidState);
    }
}

#[test]
fn whoever_was_left_out_says_so() {
    let mut scene = Scene::shared(None);
    let id = recorded(&mut scene, &[(1, Presence::Present)]);
    scene.go(SECOND, contest(&id, &[(2, Presence::Refused)]));
    let expected = [
        ("party-1".to_owned(), Presence::Present, false),
        ("party-2".to_owned(), Presence::Refused, true),
    ];
    assert_eq!(counted(&scene, &id), expected);
}

#[test]
fn what_is_confirmed_is_so_once() {
    let mut scene = Scene::shared(None);
    let id = recorded(&mut scene, &[(2, Presence::Present)]);
    scene.go(SECOND, confirm(&id));
    assert_eq!(scene.ask(SECOND, confirm(&id)), Ok(Vec::new()));
    let found = scene.get::<ClientPresentation>(&id);
    assert_eq!(found.agreement(), PresentationState::Confirmed);
    assert!(!found.counted()[0].is_contested);
    let late = scene.reason(SECOND, contest(&id, &[(2, Presence::Absent)]));
    assert_eq!(late, Reason::InvalidState);
}

#[test]
fn presentations_at_fault() {
    let mut scene = Scene::shared(None);
    let present = (1, Presence::Present);
    let mut bad = draft(&[present, present, (9, Presence::Absent)]);
    bad.presented_at = hours(1);
    bad.presenter = Some(PartyId::numbered(9));
    let refusal = scene.ask(FIRST, ask(PresentationCommand::Record(bad)));
    let refusal = refusal.expect_err("it is at fault");
    let fields = refusal.violations.iter().map(|it| it.field.as_str());
    let expected = [
        "client_presentation.presenter",
        "client_presentation.present_time",
        "client_presentation.portion_owners[1].party_id",
        "client_presentation.portion_owners[2].party_id",
    ];
    assert_eq!(fields.collect::<Vec<_>>(), expected);
    let mut nobody = draft(&[]);
    let none = scene.reason(FIRST, ask(PresentationCommand::Record(nobody.clone())));
    assert_eq!(none, Reason::InvalidField);
    nobody.owners = owners(&[present]);
    for unknown in [
        PresentationDraft {
            quote: Some("nothing".to_owned()),
            ..nobody.clone()
        },
        PresentationDraft {
            client: Some("nobody".to_owned()),
            ..nobody.clone()
        },
        PresentationDraft {
            opportunity: Some("nothing".to_owned()),
            ..nobody.clone()
        },
    ] {
        let refused = scene.reason(FIRST, ask(PresentationCommand::Record(unknown)));
        assert_eq!(refused, Reason::NotFound);
    }
}
