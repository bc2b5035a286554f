//! What calls about signing keys answer to whom.

use entente::domain::firm::Permission;
use prost::Message;
use tonic::Code;

use super::cosigning::{cosigning, note_of};
use super::signing::{Pen, listing, revoking};
use super::table::{Row, rows};

rows! {
    /// The RPCs of signing keys.
    SIGNING_ROWS:
    "SigningService/RegisterSigningKey" [Admin] Ok, NotFound, NotFound, |_|
        Pen::new("north", 90).registering();
    "SigningService/ListSigningKeys" [Read] Ok, Ok, NotFound, |names|
        listing(&names.of("partnership"));
    "SigningService/RevokeSigningKey" [Admin] Ok, NotFound, NotFound, |names|
        revoking(&names.of("signing_key"));
    // The stage's head moves on, so no note is of an entry that is there.
    "SigningService/CosignCheckpoint" [Approve] DataLoss, DataLoss, NotFound, |names| {
        let scope = names.of("partnership");
        cosigning(&scope, &Pen::new("north", 91).cosign(&note_of(&scope, 1, &[0; 32])))
    };
}
