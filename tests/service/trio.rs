//! Three firms in a partnership.

use entente::proto::v1::{self, PartyRole};

use super::calls::ok;
use super::house::{Firm, House};
use super::setting::{Pair, SOUTH, invitation, joining};

/// The party of the firm that joined last.
pub const WEST: &str = "party-3";

/// Two firms, and a third one that joined them.
pub struct Trio {
    pub pair: Pair,
    pub west: Firm,
}

/// The request for a further party.
pub fn further(name: &str) -> v1::ProposePartyRequest {
    v1::ProposePartyRequest {
        name: name.to_owned(),
        display_name: "the third one".to_owned(),
        role: PartyRole::Sub.into(),
        ..Default::default()
    }
}

/// The approval of a further party.
pub fn welcoming(name: &str, party: &str) -> v1::ApprovePartyRequest {
    v1::ApprovePartyRequest {
        name: name.to_owned(),
        party_id: party.to_owned(),
        ..Default::default()
    }
}

/// The refusal of a further party.
pub fn unwelcoming(name: &str, party: &str) -> v1::DeclinePartyRequest {
    v1::DeclinePartyRequest {
        name: name.to_owned(),
        party_id: party.to_owned(),
        ..Default::default()
    }
}

/// An invitation to take the place of `party`.
pub fn inviting(name: &str, party: &str) -> v1::InvitePartnerRequest {
    v1::InvitePartnerRequest {
        party_id: party.to_owned(),
        ..invitation(name)
    }
}

impl Trio {
    /// Three firms, no terms yet.
    pub async fn active(house: &House) -> Self {
        Self::of(house, Pair::active(house).await).await
    }

    /// West joins two firms.
    pub async fn of(house: &House, pair: Pair) -> Self {
        pair.await_a_third().await;
        let west = house.firm("west").await;
        pair.admit(&west).await;
        Self { pair, west }
    }
}

impl Pair {
    /// Both firms have a placeholder for a third one.
    pub async fn await_a_third(&self) -> v1::Partnership {
        let mut norths = self.north.connection.partnerships();
        ok(norths.propose_party(further(&self.name))).await;
        let mut souths = self.south.connection.partnerships();
        ok(souths.approve_party(welcoming(&self.name, WEST))).await
    }

    /// The third one comes.
    pub async fn admit(&self, west: &Firm) -> v1::Partnership {
        let mut norths = self.north.connection.partnerships();
        let invited = ok(norths.invite_partner(inviting(&self.name, WEST))).await;
        let mut wests = west.connection.partnerships();
        ok(wests.join_partnership(joining(&invited.code))).await
    }

    /// The partnership as a firm sees it.
    pub async fn shown_to(&self, firm: &Firm) -> v1::Partnership {
        let request = v1::GetPartnershipRequest {
            name: self.name.clone(),
        };
        ok(firm.connection.partnerships().get_partnership(request)).await
    }
}

/// Firms of the partnership, by party.
pub fn firms(partnership: &v1::Partnership) -> Vec<(&str, &str)> {
    let parties = partnership.parties.iter();
    parties
        .map(|party| (party.party_id.as_str(), party.firm.as_str()))
        .collect()
}

/// What `SOUTH` owes the party `to` at its desk.
pub fn desk_for(pair: &Pair, to: &str) -> v1::Agreement {
    v1::Agreement {
        obligor: SOUTH.to_owned(),
        beneficiary: to.to_owned(),
        ..pair.desk()
    }
}
