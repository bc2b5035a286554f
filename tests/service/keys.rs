//! API keys over time: rotated, used, revoked, on one replica and on two.

use entente::ledger::verify::verify_store;
use entente::proto::v1::{self, watch_response::Event};
use entente::server::Environment;
use prost_types::Duration;
use tokio::time::timeout;
use tonic::Streaming;

use super::calls::{faulty, ok, refused, refuses};
use super::house::{Firm, HOUR, House, MINUTE, at, lasting};

/// How long a stream may take.
const PATIENCE: std::time::Duration = std::time::Duration::from_secs(20);

/// Whether a key is taken.
async fn is_good(house: &House, api_key: &str) -> bool {
    let firm = house.with_key("north", api_key.to_owned()).await;
    let mut partnerships = firm.connection.partnerships();
    match partnerships.who_am_i(v1::WhoAmIRequest {}).await {
        Ok(_) => true,
        Err(status) => {
            assert_eq!(status.code(), tonic::Code::Unauthenticated, "{status:?}");
            false
        }
    }
}

async fn create(firm: &Firm) -> v1::ApiKey {
    let request = v1::CreateApiKeyRequest {
        parent: "firms/north".to_owned(),
        api_key: Some(v1::ApiKey {
            display_name: "desk".to_owned(),
            permissions: vec![v1::Permission::Read.into()],
            ..Default::default()
        }),
        ..Default::default()
    };
    ok(firm.connection.admin().create_api_key(request)).await
}

fn rotating(name: &str, overlap: Option<Duration>) -> v1::RotateApiKeyRequest {
    v1::RotateApiKeyRequest {
        name: name.to_owned(),
        overlap,
        ..Default::default()
    }
}

async fn listed(firm: &Firm, name: &str) -> v1::ApiKey {
    let request = v1::ListApiKeysRequest {
        parent: "firms/north".to_owned(),
        ..Default::default()
    };
    let listed = ok(firm.connection.admin().list_api_keys(request)).await;
    let mut keys = listed.api_keys.into_iter();
    keys.find(|key| key.name == name).expect("it is listed")
}

/// Two secrets are good for a while, and then one.
pub async fn rotation_leaves_the_earlier_secret_good_for_a_while(house: House) {
    let north = house.firm("north").await;
    let key = create(&north).await;
    assert_eq!(
        (key.rotate_time, key.earlier_secret_expire_time),
        (None, None)
    );
    let mut admin = north.connection.admin();
    house.pass(MINUTE);
    let request = v1::RotateApiKeyRequest {
        request_id: "rotate-1".to_owned(),
        ..rotating(&key.name, Some(lasting(HOUR)))
    };
    let second = ok(admin.rotate_api_key(request.clone())).await;
    assert_eq!(second.name, key.name);
    assert_eq!(second.permissions, key.permissions);
    assert_eq!(second.rotate_time, Some(at(MINUTE)));
    assert_eq!(second.earlier_secret_expire_time, Some(at(MINUTE + HOUR)));
    assert!(!second.secret.is_empty() && second.secret != key.secret);
    let again = ok(admin.rotate_api_key(request)).await;
    assert_eq!(
        (again.secret.as_str(), again.name),
        ("", second.name.clone())
    );
    assert!(is_good(&house, &key.secret).await && is_good(&house, &second.secret).await);
    house.pass(HOUR - 1);
    assert!(is_good(&house, &key.secret).await);
    house.pass(1);
    assert!(!is_good(&house, &key.secret).await);
    assert!(is_good(&house, &second.secret).await);

    let stale = v1::RotateApiKeyRequest {
        etag: key.etag.clone(),
        ..rotating(&key.name, None)
    };
    refuses(&house, "ETAG_MISMATCH", admin.rotate_api_key(stale)).await;
    // A day where nobody says; a rotation within it ends what the one before left good.
    let third = ok(admin.rotate_api_key(rotating(&key.name, None))).await;
    let day = MINUTE + HOUR + 24 * HOUR;
    assert_eq!(third.earlier_secret_expire_time, Some(at(day)));
    let fourth = ok(admin.rotate_api_key(rotating(&key.name, Some(lasting(0))))).await;
    for gone in [&key, &second, &third] {
        assert!(!is_good(&house, &gone.secret).await);
    }
    assert!(is_good(&house, &fourth.secret).await);
    let faults = [lasting(-1), lasting(7 * 24 * HOUR + 1)];
    for overlap in faults {
        let request = rotating(&key.name, Some(overlap));
        faulty(
            &house,
            "INVALID_FIELD",
            &["overlap"],
            admin.rotate_api_key(request),
        )
        .await;
    }
    let week = lasting(7 * 24 * HOUR);
    ok(admin.rotate_api_key(rotating(&key.name, Some(week)))).await;
    let request = v1::RevokeApiKeyRequest {
        name: key.name.clone(),
        ..Default::default()
    };
    ok(admin.revoke_api_key(request)).await;
    let request = rotating(&key.name, None);
    refuses(&house, "INVALID_STATE", admin.rotate_api_key(request)).await;
    assert!(!is_good(&house, &fourth.secret).await);
    house.stop().await;
}

/// The use of a key is noted once an hour, and is no part of the journal.
pub async fn the_last_use_of_a_key(house: House) {
    let north = house.firm("north").await;
    let key = create(&north).await;
    assert_eq!(listed(&north, &key.name).await.last_use_time, None);
    let heads = house.heads().await;
    house.pass(MINUTE);
    for _ in 0..3 {
        assert!(is_good(&house, &key.secret).await);
        house.pass(6);
    }
    assert_eq!(
        listed(&north, &key.name).await.last_use_time,
        Some(at(MINUTE))
    );
    house.pass(HOUR - 60);
    assert!(is_good(&house, &key.secret).await);
    assert_eq!(
        listed(&north, &key.name).await.last_use_time,
        Some(at(MINUTE))
    );
    house.pass(60);
    assert!(is_good(&house, &key.secret).await);
    let last = listed(&north, &key.name).await.last_use_time;
    assert_eq!(last, Some(at(2 * MINUTE + HOUR - 60 + 18)));
    let request = rotating(&key.name, None);
    let rotated = ok(north.connection.admin().rotate_api_key(request)).await;
    assert_eq!(rotated.last_use_time, last);
    assert_ne!(house.heads().await, heads);
    let report = verify_store(house.store().as_ref(), None).await.unwrap();
    assert!(report.is_clean(), "{report:?}");
    house.stop().await;
}

/// A stream of the firm's own journal, which has begun.
async fn watching(house: &House, api_key: &str) -> Streaming<v1::WatchResponse> {
    let firm = house.with_key("north", api_key.to_owned()).await;
    let request = v1::WatchRequest {
        scopes: vec![v1::WatchScope {
            scope: "firms/north".to_owned(),
            cursor: String::new(),
        }],
    };
    let mut stream = ok(firm.connection.journal().watch(request)).await;
    let first = timeout(PATIENCE, stream.message()).await.unwrap();
    assert!(first.unwrap().is_some());
    stream
}

/// What one replica did counts on the other within five seconds, and a new secret at once.
pub async fn keys_on_two_replicas(house: House) {
    let other = house.beside(Environment::default()).await;
    let north = house.firm("north").await;
    let key = create(&north).await;
    assert!(is_good(&house, &key.secret).await && is_good(&other, &key.secret).await);
    let request = rotating(&key.name, Some(lasting(HOUR)));
    let rotated = ok(north.connection.admin().rotate_api_key(request)).await;
    // The other remembers the earlier secret alone.
    assert!(is_good(&other, &rotated.secret).await);
    assert!(is_good(&other, &key.secret).await);
    let request = v1::RevokeApiKeyRequest {
        name: key.name,
        ..Default::default()
    };
    let mut stream = watching(&other, &rotated.secret).await;
    ok(north.connection.admin().revoke_api_key(request)).await;
    for secret in [&key.secret, &rotated.secret] {
        assert!(!is_good(&house, secret).await, "at once here");
    }
    house.pass(4);
    assert!(is_good(&other, &rotated.secret).await, "it is remembered");
    house.pass(1);
    for secret in [&key.secret, &rotated.secret] {
        assert!(!is_good(&other, secret).await, "five seconds later there");
    }
    // A stream that is open gets nothing more, either.
    let last = house.head("firms/north").await.sequence;
    create(&north).await;
    let end = loop {
        let message = timeout(PATIENCE, stream.message()).await.unwrap();
        match message {
            Ok(Some(answer)) => {
                if let Some(Event::Entry(entry)) = answer.event {
                    assert!(u64::try_from(entry.sequence).unwrap() <= last, "{entry:?}");
                }
            }
            Ok(None) => panic!("it says why it ends"),
            Err(status) => break status,
        }
    };
    assert_eq!(end.code(), tonic::Code::Unauthenticated);
    other.stop().await;
    house.stop().await;
}

fn trusting(identity: v1::identity::Kind) -> v1::CreateTrustedIdentityRequest {
    v1::CreateTrustedIdentityRequest {
        parent: "firms/north".to_owned(),
        trusted_identity: Some(v1::TrustedIdentity {
            display_name: "PSA".to_owned(),
            identity: Some(v1::Identity {
                kind: Some(identity),
            }),
            permissions: vec![v1::Permission::Read.into()],
            ..Default::default()
        }),
        ..Default::default()
    }
}

fn dns(name: &str) -> v1::identity::Kind {
    v1::identity::Kind::CertificateDnsName(name.to_owned())
}

/// The operator says who is trusted, for one firm at a time; the firm may end it.
pub async fn trusted_identities(house: House) {
    let (north, south) = (house.firm("north").await, house.firm("south").await);
    let operator = house.firm("operator").await;
    let mut admin = operator.connection.admin();
    let request = v1::CreateTrustedIdentityRequest {
        request_id: "trust-1".to_owned(),
        ..trusting(dns("psa.north.example"))
    };
    let created = ok(admin.create_trusted_identity(request.clone())).await;
    assert!(created.name.starts_with("firms/north/trustedIdentities/"));
    let asked = request.trusted_identity.clone().unwrap();
    assert_eq!(created.identity, asked.identity);
    let again = ok(admin.create_trusted_identity(request.clone())).await;
    assert_eq!(again, created);
    let taken = v1::CreateTrustedIdentityRequest {
        parent: "firms/south".to_owned(),
        request_id: String::new(),
        ..request
    };
    refuses(
        &house,
        "ALREADY_EXISTS",
        admin.create_trusted_identity(taken.clone()),
    )
    .await;

    let list = |firm: &str| v1::ListTrustedIdentitiesRequest {
        parent: format!("firms/{firm}"),
        ..Default::default()
    };
    let mut norths = north.connection.admin();
    let listed = ok(norths.list_trusted_identities(list("north"))).await;
    assert_eq!(listed.trusted_identities, std::slice::from_ref(&created));
    let revoking = v1::RevokeTrustedIdentityRequest {
        name: created.name.clone(),
        ..Default::default()
    };
    let mut souths = south.connection.admin();
    let stranger = refused(souths.revoke_trusted_identity(revoking.clone())).await;
    assert_eq!(stranger.reason, "NOT_FOUND");
    let revoked = ok(norths.revoke_trusted_identity(revoking.clone())).await;
    assert!(revoked.revoke_time.is_some());
    assert_eq!(ok(norths.revoke_trusted_identity(revoking)).await, revoked);
    // Free again, for whichever firm the operator says.
    ok(admin.create_trusted_identity(taken)).await;
    let report = verify_store(house.store().as_ref(), None).await.unwrap();
    assert!(report.is_clean(), "{report:?}");
    house.stop().await;
}

/// Whom nobody can be.
pub async fn trusted_identities_at_fault(house: House) {
    house.firm("north").await;
    let operator = house.firm("operator").await;
    let mut admin = operator.connection.admin();
    let at_fault = [
        (dns(""), "trusted_identity.identity.certificate_dns_name"),
        (
            dns("*.north.example"),
            "trusted_identity.identity.certificate_dns_name",
        ),
        (
            dns("PSA.north.example"),
            "trusted_identity.identity.certificate_dns_name",
        ),
        (
            v1::identity::Kind::CertificateUri("north".to_owned()),
            "trusted_identity.identity.certificate_uri",
        ),
        (
            v1::identity::Kind::Token(v1::TokenIdentity {
                issuer: "https://login.example".to_owned(),
                subject: "x".repeat(256),
            }),
            "trusted_identity.identity.token.subject",
        ),
    ];
    for (identity, field) in at_fault {
        let request = trusting(identity);
        faulty(
            &house,
            "INVALID_FIELD",
            &[field],
            admin.create_trusted_identity(request),
        )
        .await;
    }
    let mut request = trusting(dns("a.example"));
    request.trusted_identity.as_mut().unwrap().permissions = vec![6];
    let field = "trusted_identity.permissions";
    faulty(
        &house,
        "INVALID_FIELD",
        &[field],
        admin.create_trusted_identity(request),
    )
    .await;
    house.stop().await;
}
