//! Firms, keys, partnerships, their terms, and whom they serve.

use entente::domain::firm::Permission;
use entente::proto::v1::{self, OutsidePartyKind, PartnershipState};
use tonic_health::pb::HealthCheckRequest;
use tonic_health::pb::health_check_response::ServingStatus;
use tonic_health::pb::health_client::HealthClient;

use super::calls::{ok, refused, refuses};
use super::house::{Firm, HOUR, House, START_SECONDS, lasting};
use super::setting::{NORTH, Pair, SOUTH, invitation, joining, partnership, ticket};

async fn who(firm: &Firm) -> v1::WhoAmIResponse {
    ok(firm
        .connection
        .partnerships()
        .who_am_i(v1::WhoAmIRequest {}))
    .await
}

/// A server that was started answers that it serves, and knows who calls.
pub async fn firms_keys_and_who_am_i(house: House) {
    let mut health = HealthClient::new(house.channel().await);
    let checked = ok(health.check(HealthCheckRequest::default())).await;
    assert_eq!(checked.status(), ServingStatus::Serving);

    let operator = house.firm("operator").await;
    let firm = v1::Firm {
        display_name: "Acme".to_owned(),
        ..Default::default()
    };
    let request = v1::CreateFirmRequest {
        firm_id: "acme".to_owned(),
        firm: Some(firm),
        ..Default::default()
    };
    let mut admin = operator.connection.admin();
    let created = ok(admin.create_firm(request.clone())).await;
    assert_eq!(
        (created.name.as_str(), created.display_name.as_str()),
        ("firms/acme", "Acme")
    );
    refuses(&house, "ALREADY_EXISTS", admin.create_firm(request)).await;

    let request = v1::CreateApiKeyRequest {
        parent: created.name,
        api_key: Some(v1::ApiKey {
            display_name: "desk".to_owned(),
            permissions: vec![v1::Permission::Read.into(), v1::Permission::Tickets.into()],
            ..Default::default()
        }),
        request_id: "key-1".to_owned(),
        ..Default::default()
    };
    let key = ok(admin.create_api_key(request.clone())).await;
    let again = ok(admin.create_api_key(request)).await;
    assert_eq!(
        (again.name.as_str(), again.secret.as_str()),
        (key.name.as_str(), "")
    );
    let acme = house.with_key("acme", key.secret).await;
    let me = who(&acme).await;
    assert_eq!(
        (me.firm.as_str(), me.display_name.as_str()),
        ("firms/acme", "Acme")
    );
    assert_eq!(me.api_key, key.name);
    assert_eq!(
        me.permissions,
        [v1::Permission::Read, v1::Permission::Tickets].map(i32::from)
    );

    let info = v1::GetServiceInfoRequest {};
    let info = ok(acme.connection.partnerships().get_service_info(info)).await;
    assert_eq!(info.version, env!("CARGO_PKG_VERSION"));
    assert_eq!(info.server_time.unwrap().seconds, START_SECONDS);
    assert!(
        info.checkpoint_public_key.starts_with("operator+"),
        "{info:?}"
    );

    revoked_and_expired_keys(&house, &operator, &acme, &key.name).await;
    house.stop().await;
}

async fn revoked_and_expired_keys(house: &House, operator: &Firm, acme: &Firm, name: &str) {
    let request = v1::RevokeApiKeyRequest {
        name: name.to_owned(),
        ..Default::default()
    };
    let mut admin = operator.connection.admin();
    let revoked = ok(admin.revoke_api_key(request.clone())).await;
    assert!(revoked.revoke_time.is_some() && revoked.secret.is_empty());
    assert_eq!(
        ok(admin.revoke_api_key(request)).await.revoke_time,
        revoked.revoke_time
    );
    let mut partnerships = acme.connection.partnerships();
    let answer = refused(partnerships.who_am_i(v1::WhoAmIRequest {})).await;
    assert_eq!(answer.reason, "UNAUTHENTICATED");

    let request = v1::CreateApiKeyRequest {
        parent: "firms/acme".to_owned(),
        api_key: Some(v1::ApiKey {
            display_name: "for an hour".to_owned(),
            permissions: vec![v1::Permission::Read.into()],
            expire_time: Some(super::house::at(HOUR)),
            ..Default::default()
        }),
        ..Default::default()
    };
    let key = ok(admin.create_api_key(request)).await;
    let brief = house.with_key("acme", key.secret).await;
    assert_eq!(who(&brief).await.firm, "firms/acme");
    house.pass(HOUR);
    let mut partnerships = brief.connection.partnerships();
    let answer = refused(partnerships.who_am_i(v1::WhoAmIRequest {})).await;
    assert_eq!(answer.reason, "UNAUTHENTICATED");

    let request = v1::ListApiKeysRequest {
        parent: "firms/acme".to_owned(),
        ..Default::default()
    };
    let listed = ok(admin.list_api_keys(request)).await.api_keys;
    assert_eq!(listed.len(), 2);
    assert!(listed.iter().all(|key| key.secret.is_empty()));
    let firms = ok(admin.list_firms(v1::ListFirmsRequest::default()))
        .await
        .firms;
    let names: Vec<_> = firms.iter().map(|firm| firm.name.as_str()).collect();
    assert!(names.contains(&"firms/acme"), "{names:?}");
}

/// SOLO, INVITED, ACTIVE by a code that is good once, terms by both, ENDED.
pub async fn a_partnership_from_solo_to_ended(house: House) {
    let (north, south) = (house.firm("north").await, house.firm("south").await);
    let request = v1::CreatePartnershipRequest {
        external_reference: Some(ticket("crm", "4711")),
        ..partnership("North and South")
    };
    let mut norths = north.connection.partnerships();
    let solo = ok(norths.create_partnership(request)).await;
    assert_eq!(solo.state(), PartnershipState::Solo);
    let parties: Vec<_> = solo
        .parties
        .iter()
        .map(|party| party.party_id.as_str())
        .collect();
    assert_eq!(parties, [NORTH, SOUTH]);
    assert_eq!(solo.parties[1].firm, "");
    let by_reference = v1::ListPartnershipsRequest {
        external_reference: Some(ticket("crm", "4711")),
        ..Default::default()
    };
    let found = ok(norths.list_partnerships(by_reference))
        .await
        .partnerships;
    assert_eq!(found, std::slice::from_ref(&solo));

    let first = ok(norths.invite_partner(invitation(&solo.name))).await;
    let short = v1::InvitePartnerRequest {
        validity: Some(lasting(HOUR)),
        ..invitation(&solo.name)
    };
    let second = ok(norths.invite_partner(short)).await;
    assert_eq!(
        second.partnership.unwrap().state(),
        PartnershipState::Invited
    );
    let mut souths = south.connection.partnerships();
    // An invitation made before becomes void, and so does one whose time is over.
    for code in [first.code.as_str(), "", "nonsense", "nonsense.nonsense"] {
        refuses(
            &house,
            "INVITATION_INVALID",
            souths.join_partnership(joining(code)),
        )
        .await;
    }
    house.pass(HOUR);
    let late = souths.join_partnership(joining(&second.code));
    refuses(&house, "INVITATION_INVALID", late).await;
    let third = ok(norths.invite_partner(invitation(&solo.name))).await;
    let own = norths.join_partnership(joining(&third.code));
    refuses(&house, "ALREADY_A_PARTY", own).await;
    let joined = ok(souths.join_partnership(joining(&third.code))).await;
    assert_eq!(joined.state(), PartnershipState::Active);
    assert_eq!(joined.parties[1].firm, "firms/south");
    assert_eq!(joined.parties[1].display_name, "The south firm");
    assert!(
        joined.external_references.is_empty(),
        "another firm's reference is shown"
    );
    let stranger = house.firm("stranger").await;
    for firm in [&south, &stranger] {
        let mut partnerships = firm.connection.partnerships();
        let used = partnerships.join_partnership(joining(&third.code));
        refuses(&house, "INVITATION_INVALID", used).await;
    }
    let listed = ok(souths.list_partnerships(v1::ListPartnershipsRequest::default())).await;
    assert_eq!(listed.partnerships.len(), 1);
    terms_and_end(&house, &north, &south, &solo.name).await;
    house.stop().await;
}

async fn terms_and_end(house: &House, north: &Firm, south: &Firm, name: &str) {
    let (mut norths, mut souths) = (
        north.connection.partnerships(),
        south.connection.partnerships(),
    );
    let share = |party: &str, share_bps| v1::PartyShare {
        party_id: party.to_owned(),
        share_bps,
    };
    let request = v1::ProposeTermsRequest {
        name: name.to_owned(),
        terms: Some(v1::Terms {
            text: "Silence is never consent.".to_owned(),
            shares: vec![share(NORTH, 6_000), share(SOUTH, 4_000)],
            offer_validity: Some(lasting(2 * HOUR)),
            ..Default::default()
        }),
        ..Default::default()
    };
    let proposed = ok(norths.propose_terms(request)).await;
    assert!(proposed.terms.is_none());
    let hash = proposed.proposed_terms.unwrap().hash;
    let approval = |hash: &str| v1::ApproveTermsRequest {
        name: name.to_owned(),
        hash: hash.to_owned(),
        ..Default::default()
    };
    let stale = souths.approve_terms(approval(&"0".repeat(64)));
    refuses(house, "STALE_HASH", stale).await;
    // The proposer approved already: that changes nothing.
    assert!(
        ok(norths.approve_terms(approval(&hash)))
            .await
            .terms
            .is_none()
    );
    let approved = ok(souths.approve_terms(approval(&hash))).await;
    let terms = approved.terms.unwrap();
    assert_eq!((terms.hash.as_str(), terms.revision), (hash.as_str(), 1));
    assert_eq!(terms.text, "Silence is never consent.");
    let firms: Vec<_> = terms
        .approvals
        .iter()
        .map(|approval| approval.firm.as_str())
        .collect();
    assert_eq!(firms, ["firms/north", "firms/south"]);

    end(house, north, south, name).await;
}

/// It ends once, and can only be read then.
async fn end(house: &House, north: &Firm, south: &Firm, name: &str) {
    let (mut norths, mut souths) = (
        north.connection.partnerships(),
        south.connection.partnerships(),
    );
    let request = v1::EndPartnershipRequest {
        name: name.to_owned(),
        reason: "moved away".to_owned(),
        ..Default::default()
    };
    let ended = ok(souths.end_partnership(request.clone())).await;
    assert_eq!(ended.state(), PartnershipState::Ended);
    assert_eq!(
        ok(norths.end_partnership(request)).await.end_time,
        ended.end_time
    );
    let request = v1::CreateClientRequest {
        parent: name.to_owned(),
        client: Some(v1::Client {
            display_name: "Too late".to_owned(),
            ..Default::default()
        }),
        ..Default::default()
    };
    refuses(house, "PARTNERSHIP_ENDED", norths.create_client(request)).await;
    let read = v1::GetPartnershipRequest {
        name: name.to_owned(),
    };
    assert_eq!(
        ok(norths.get_partnership(read)).await.state(),
        PartnershipState::Ended
    );
}

/// Whom the firms serve, and on whom they wait.
pub async fn clients_and_outside_parties(house: House) {
    let pair = Pair::active(&house).await;
    let client = |id: &str, reference: Vec<v1::ExternalReference>| v1::CreateClientRequest {
        parent: pair.name.clone(),
        client_id: id.to_owned(),
        client: Some(v1::Client {
            display_name: "Brandt Freight".to_owned(),
            external_references: reference,
            ..Default::default()
        }),
        ..Default::default()
    };
    let (norths, souths) = (&pair.north.connection, &pair.south.connection);
    let known = vec![ticket("crm", "17")];
    let created = ok(norths
        .partnerships()
        .create_client(client("brandt", known.clone())))
    .await;
    assert_eq!(created.name, format!("{}/clients/brandt", pair.name));
    assert_eq!(created.external_references, known);
    let mut partnerships = souths.partnerships();
    let taken = partnerships.create_client(client("brandt", Vec::new()));
    refuses(&house, "ALREADY_EXISTS", taken).await;
    let read = v1::GetClientRequest {
        name: created.name.clone(),
    };
    let seen = ok(partnerships.get_client(read)).await;
    assert_eq!(
        (seen.display_name.as_str(), seen.external_references.len()),
        ("Brandt Freight", 0)
    );
    ok(partnerships.create_client(client("", Vec::new()))).await;
    let list = v1::ListClientsRequest {
        parent: pair.name.clone(),
        ..Default::default()
    };
    assert_eq!(ok(partnerships.list_clients(list)).await.clients.len(), 2);

    let request = v1::CreateOutsidePartyRequest {
        parent: pair.name.clone(),
        outside_party_id: "fibre".to_owned(),
        outside_party: Some(v1::OutsideParty {
            display_name: "Coastal Fibre".to_owned(),
            kind: OutsidePartyKind::Carrier.into(),
            ..Default::default()
        }),
        ..Default::default()
    };
    // A key that may write quotes is enough.
    let quoter = house
        .firm_with("south", &[Permission::Quotes, Permission::Read])
        .await;
    let mut partnerships = quoter.connection.partnerships();
    let carrier = ok(partnerships.create_outside_party(request)).await;
    assert_eq!(carrier.kind(), OutsidePartyKind::Carrier);
    let read = v1::GetOutsidePartyRequest {
        name: carrier.name.clone(),
    };
    assert_eq!(ok(partnerships.get_outside_party(read)).await, carrier);
    let list = v1::ListOutsidePartiesRequest {
        parent: pair.name.clone(),
        ..Default::default()
    };
    let listed = ok(partnerships.list_outside_parties(list)).await;
    assert_eq!(listed.outside_parties, [carrier]);
    house.stop().await;
}
