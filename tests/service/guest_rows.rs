//! What calls about guest links answer to whom.

use entente::domain::firm::Permission;
use entente::proto::v1;
use prost::Message;
use tonic::Code;

use super::guests::{accepting, linking, opening, work};
use super::setting::NORTH;
use super::table::{Row, rows};

/// RPCs for which a code in the message stands in place of a key: whoever sends it is answered alike.
pub const KEYLESS: [&str; 2] = [
    "entente.v1.PartnershipService/OpenGuestLink",
    "entente.v1.PartnershipService/UseGuestLink",
];

rows! {
    /// The RPCs of guest links.
    GUEST_ROWS:
    "PartnershipService/CreateGuestLink" [Approve] Ok, FailedPrecondition, NotFound, |names|
        linking(&names.of("partnership"), NORTH, work(&names.of("to_guest")));
    "PartnershipService/RevokeGuestLink" [Approve] Ok, FailedPrecondition, NotFound, |names|
        v1::RevokeGuestLinkRequest { name: names.of("link_to_revoke"), ..Default::default() };
    "PartnershipService/GetGuestLink" [Read] Ok, Ok, NotFound, |names|
        v1::GetGuestLinkRequest { name: names.of("guest_link") };
    "PartnershipService/ListGuestLinks" [Read] Ok, Ok, NotFound, |names|
        v1::ListGuestLinksRequest { parent: names.of("partnership"), ..Default::default() };
    "PartnershipService/OpenGuestLink" [] Ok, Ok, Ok, |names| opening(&names.of("guest_code"));
    "PartnershipService/UseGuestLink" [] NotFound, NotFound, NotFound, |names|
        accepting(&format!("{}wrong", names.of("guest_code")));
}
