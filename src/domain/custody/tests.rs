//! What is held, in a partnership of two firms.

mod drills;
mod items;
mod requests;
mod stakes;

use super::item::{CustodyCommand, CustodyDraft, CustodyKind, Owner};
use crate::domain::command::Action;
use crate::domain::identity::PartyId;
use crate::domain::outsiders::Client;
use crate::domain::record::Record;
use crate::domain::tests::{Scene, sealed};

/// The client of a scene.
const CLIENT: &str = "brandt";

/// A partnership of two firms with a client.
fn shared() -> Scene {
    with_client(Scene::shared(None))
}

fn with_client(mut scene: Scene) -> Scene {
    let display_name = "Brandt".to_owned();
    scene.put(CLIENT, Record::Client(Box::new(Client { display_name })));
    scene
}

/// Something of the client's that the second party holds.
fn draft(id: &str) -> CustodyDraft {
    CustodyDraft {
        id: Some(id.to_owned()),
        kind: CustodyKind::Registrar,
        display_name: "brandt.example".to_owned(),
        holder: Some(PartyId::numbered(2)),
        owner: Owner::Client(CLIENT.to_owned()),
        outside_party: None,
        location: Some(sealed("account of the service desk")),
    }
}

fn create(draft: CustodyDraft) -> Action {
    Action::Custody(CustodyCommand::Create(draft))
}
