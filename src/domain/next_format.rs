//! A format that nothing is shipped with: one body in another version, to try on two builds what a
//! change of format does to whoever works meanwhile (feature `next-format`).

use serde::{Deserialize, Serialize};

use super::outsiders::Client;

/// Version of the body of a client in the next format.
pub const CLIENT_VERSION: u32 = 2;

/// A client as the next format has it: by another name of the same thing.
#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct NextClient {
    name_for_people: String,
}

/// The body of a client in the next format.
///
/// # Errors
/// Only if it cannot be written as JSON, which its type rules out.
pub fn write(client: &Client) -> Result<String, serde_json::Error> {
    serde_json::to_string(&NextClient {
        name_for_people: client.display_name.clone(),
    })
}

/// A client from its body in the next format.
///
/// # Errors
/// If it is none.
pub fn read(body: &str) -> Result<Client, serde_json::Error> {
    let next: NextClient = serde_json::from_str(body)?;
    Ok(Client {
        display_name: next.name_for_people,
    })
}
