//! Signing in by tokens and certificates, over TLS, by gRPC and by JSON; quotas; and who may call from a
//! browser.

use std::num::NonZeroU32;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use data_encoding::BASE64URL_NOPAD;
use entente::api::sign_in::quota::CallQuota;
use entente::proto::v1;
use entente::server::tls::handshake::HANDSHAKES_MAX;
use entente::server::tls::{Tls, TlsFiles};
use entente::server::tokens::{TokenIssuer, Verifier};
use entente::server::{Entrance, Environment, cors};
use jsonwebtoken::{Algorithm, EncodingKey, Header};
use prost::Message as _;
use rcgen::{BasicConstraints, CertificateParams, CertifiedIssuer, IsCa, KeyPair, SanType};
use reqwest::{Client, StatusCode, header};
use serde_json::{Value, json};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tonic_types::StatusExt as _;

use super::calls::{ok, refused};
use super::house::{Firm, House, START_SECONDS};

/// An identity provider with one key, on this machine.
struct Provider {
    issuer: String,
    key: KeyPair,
}

impl Provider {
    async fn start() -> Self {
        let key = KeyPair::generate().unwrap();
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let issuer = format!("http://{}", listener.local_addr().unwrap());
        let public = key.public_key_raw();
        let [x, y] = [&public[1..33], &public[33..]].map(|part| BASE64URL_NOPAD.encode(part));
        let keys = json!({"keys": [{"kty": "EC", "crv": "P-256", "kid": "a", "x": x, "y": y}]});
        let keys = keys.to_string();
        let answer = format!(
            "HTTP/1.1 200 OK\r\ncontent-length: {}\r\nconnection: close\r\n\r\n{keys}",
            keys.len()
        );
        tokio::spawn(async move {
            while let Ok((mut stream, _)) = listener.accept().await {
                let _ = stream.read(&mut [0; 4096]).await;
                let _ = stream.write_all(answer.as_bytes()).await;
            }
        });
        Self { issuer, key }
    }

    fn environment(&self) -> Environment {
        let setting = TokenIssuer {
            issuer: self.issuer.clone(),
            audience: "entente".to_owned(),
            keys_url: Some(format!("{}/keys", self.issuer)),
            algorithms: None,
        };
        Environment {
            tokens: Some(Arc::new(Verifier::new(&[setting]).unwrap())),
            ..Environment::default()
        }
    }

    fn token(&self, subject: &str, expires: i64) -> String {
        let mut header = Header::new(Algorithm::ES256);
        header.kid = Some("a".to_owned());
        let expires = START_SECONDS + expires;
        let claims = json!({"iss": self.issuer, "sub": subject, "aud": "entente", "exp": expires});
        let key = EncodingKey::from_ec_der(&self.key.serialize_der());
        jsonwebtoken::encode(&header, &claims, &key).unwrap()
    }

    fn identity(&self, subject: &str) -> v1::identity::Kind {
        v1::identity::Kind::Token(v1::TokenIdentity {
            issuer: self.issuer.clone(),
            subject: subject.to_owned(),
        })
    }
}

fn dns(name: &str) -> v1::identity::Kind {
    v1::identity::Kind::CertificateDnsName(name.to_owned())
}

fn uri(uri: &str) -> v1::identity::Kind {
    v1::identity::Kind::CertificateUri(uri.to_owned())
}

/// The operator lets somebody read and keep partnerships for a firm.
async fn trust(house: &House, firm: &str, identity: v1::identity::Kind) -> v1::TrustedIdentity {
    let operator = house.firm("operator").await;
    let request = v1::CreateTrustedIdentityRequest {
        parent: format!("firms/{firm}"),
        trusted_identity: Some(v1::TrustedIdentity {
            display_name: "PSA".to_owned(),
            identity: Some(v1::Identity {
                kind: Some(identity),
            }),
            permissions: vec![v1::Permission::Read.into(), v1::Permission::Admin.into()],
            ..Default::default()
        }),
        ..Default::default()
    };
    let mut admin = operator.connection.admin();
    ok(admin.create_trusted_identity(request)).await
}

async fn revoke(firm: &Firm, trusted: &v1::TrustedIdentity) {
    let request = v1::RevokeTrustedIdentityRequest {
        name: trusted.name.clone(),
        ..Default::default()
    };
    let mut admin = firm.connection.admin();
    ok(admin.revoke_trusted_identity(request)).await;
}

async fn who_by_json(client: &Client, url: &str, bearer: Option<&str>) -> (StatusCode, Value) {
    let mut request = client.get(format!("{url}/v1:whoAmI"));
    if let Some(bearer) = bearer {
        request = request.bearer_auth(bearer);
    }
    let answer = request.send().await.unwrap();
    (answer.status(), answer.json().await.unwrap())
}

/// A token is good for the firm that the operator says, by gRPC and by JSON, and what it does is
/// journalled under a name that tells nobody who it is.
pub async fn tokens_are_believed_of_whom_the_operator_trusts(house: House) {
    let provider = Provider::start().await;
    let replica = house.beside(provider.environment()).await;
    let north = house.firm("north").await;
    let trusted = trust(&house, "north", provider.identity("psa")).await;
    let token = provider.token("psa", 300);
    let psa = replica.with_key("north", token.clone()).await;
    let mut partnerships = psa.connection.partnerships();
    let me = ok(partnerships.who_am_i(v1::WhoAmIRequest {})).await;
    assert_eq!(me.firm, "firms/north");
    assert_eq!(
        (me.api_key.as_str(), &me.trusted_identity),
        ("", &trusted.name)
    );
    let permissions = [v1::Permission::Read, v1::Permission::Admin].map(i32::from);
    assert_eq!(me.permissions, permissions);
    let url = format!("http://{}", replica.running.address);
    let (status, json) = who_by_json(&Client::new(), &url, Some(&token)).await;
    assert_eq!(
        (status, &json["trustedIdentity"]),
        (StatusCode::OK, &json!(trusted.name))
    );

    ok(partnerships.create_partnership(super::setting::partnership("New"))).await;
    let request = v1::ListEntriesRequest {
        parent: "firms/north".to_owned(),
        ..Default::default()
    };
    let entries = ok(psa.connection.journal().list_entries(request))
        .await
        .entries;
    assert!(
        entries.iter().any(|entry| entry.actor == trusted.name),
        "{entries:?}"
    );

    for (bad, at) in [
        (provider.token("somebody", 300), &replica),
        (provider.token("psa", -60), &replica),
        (format!("{token}x"), &replica),
        // A replica that believes nobody.
        (token.clone(), &house),
    ] {
        let firm = at.with_key("north", bad.clone()).await;
        let mut partnerships = firm.connection.partnerships();
        let answer = refused(partnerships.who_am_i(v1::WhoAmIRequest {})).await;
        assert_eq!(answer.reason, "UNAUTHENTICATED", "{bad}");
    }
    revoke(&north, &trusted).await;
    replica.pass(5);
    let answer = refused(partnerships.who_am_i(v1::WhoAmIRequest {})).await;
    assert_eq!(answer.reason, "UNAUTHENTICATED");
    replica.stop().await;
    house.stop().await;
}

/// An identity that two firms came to trust at the same instant is nobody's.
pub async fn an_identity_of_two_firms_is_nobodys(house: House) {
    let provider = Provider::start().await;
    let replica = house.beside(provider.environment()).await;
    let (north, _south) = (house.firm("north").await, house.firm("south").await);
    let mut both = Vec::new();
    for firm in ["north", "south"] {
        both.push(trust(&house, firm, provider.identity(firm)).await);
    }
    // As if the second had been asked for before the first was there.
    let mut rows = Vec::new();
    for trusted in &both {
        let id = trusted.name.rsplit('/').next().unwrap().to_owned();
        rows.extend(house.store().credentials(&[id]).await.unwrap());
    }
    rows[1].digest = rows[0].digest;
    let mut transaction = house.store().begin().await.unwrap();
    let set = entente::store::WriteSet {
        credentials: vec![rows[1].clone()],
        ..Default::default()
    };
    transaction.write(&set).await.unwrap();
    transaction.commit().await.unwrap();
    let psa = replica
        .with_key("north", provider.token("north", 300))
        .await;
    let mut partnerships = psa.connection.partnerships();
    let answer = refused(partnerships.who_am_i(v1::WhoAmIRequest {})).await;
    assert_eq!(answer.reason, "UNAUTHENTICATED");
    // Until one of them trusts it no more.
    revoke(&north, &both[0]).await;
    replica.pass(5);
    let me = ok(partnerships.who_am_i(v1::WhoAmIRequest {})).await;
    assert_eq!(me.firm, "firms/south");
    replica.stop().await;
    house.stop().await;
}

/// An authority that certifies servers and clients.
type Authority = CertifiedIssuer<'static, KeyPair>;

fn authority() -> Authority {
    let mut params = CertificateParams::new(vec![]).unwrap();
    params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    CertifiedIssuer::self_signed(params, KeyPair::generate().unwrap()).unwrap()
}

/// A certificate of an authority for names, and its key, as PEM.
fn certified(authority: &Authority, names: &[&str], uris: &[&str]) -> (String, String) {
    let names: Vec<String> = names.iter().map(|name| (*name).to_owned()).collect();
    let mut params = CertificateParams::new(names).unwrap();
    for uri in uris {
        let uri = (*uri).try_into().unwrap();
        params.subject_alt_names.push(SanType::URI(uri));
    }
    let key = KeyPair::generate().unwrap();
    let certificate = params.signed_by(&key, authority).unwrap();
    (certificate.pem(), key.serialize_pem())
}

/// Certificates in a folder, and a replica that serves with them.
struct Secure {
    house: House,
    tls: Arc<Tls>,
    files: TlsFiles,
    _folder: tempfile::TempDir,
}

impl Secure {
    async fn beside(house: &House, authority: &Authority, clients: Option<&Authority>) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let path = |name: &str| folder.path().join(name);
        let files = TlsFiles {
            certificate: path("tls.crt"),
            key: path("tls.key"),
            client_ca: clients.map(|_| path("ca.crt")),
        };
        write_pair(&files, &certified(authority, &["localhost"], &[]));
        if let Some(clients) = clients {
            std::fs::write(path("ca.crt"), clients.pem()).unwrap();
        }
        let clock = Arc::new(house.clock.clone());
        let tls = Arc::new(Tls::load(files.clone(), clock).unwrap());
        let entrance = Entrance {
            tls: Some(Arc::clone(&tls)),
            cors: None,
        };
        Self {
            house: house.beside_at(Environment::default(), entrance).await,
            tls,
            files,
            _folder: folder,
        }
    }

    fn url(&self) -> String {
        format!("https://localhost:{}", self.house.running.address.port())
    }
}

fn write_pair(files: &TlsFiles, (certificate, key): &(String, String)) {
    let write = |path: &Path, pem: &str| std::fs::write(path, pem).unwrap();
    write(&files.certificate, certificate);
    write(&files.key, key);
}

/// A client that believes one authority, and may show a certificate.
fn client(authority: &Authority, own: Option<&(String, String)>) -> Client {
    let root = reqwest::Certificate::from_pem(authority.pem().as_bytes()).unwrap();
    let mut builder = Client::builder().tls_certs_only([root]).no_proxy();
    if let Some((certificate, key)) = own {
        let pem = format!("{certificate}{key}");
        builder = builder.identity(reqwest::Identity::from_pem(pem.as_bytes()).unwrap());
    }
    builder.build().unwrap()
}

/// `WhoAmI` by gRPC over HTTP/2, as far as one sees without its trailers.
async fn who_by_grpc(client: &Client, url: &str) -> v1::WhoAmIResponse {
    let request = client
        .post(format!("{url}/entente.v1.PartnershipService/WhoAmI"))
        .header(header::CONTENT_TYPE, "application/grpc")
        .header(header::TE, "trailers")
        .body(vec![0; 5]);
    let answer = request.send().await.unwrap();
    assert_eq!(answer.version(), reqwest::Version::HTTP_2);
    let body = answer.bytes().await.unwrap();
    v1::WhoAmIResponse::decode(&body[5..]).unwrap()
}

/// A certificate is good for the firm that the operator says; keys need none.
pub async fn certificates_are_believed_of_whom_the_operator_trusts(house: House) {
    let (servers, clients, others) = (authority(), authority(), authority());
    let secure = Secure::beside(&house, &servers, Some(&clients)).await;
    let url = secure.url();
    let north = house.firm("north").await;
    let trusted = trust(&house, "north", dns("psa.north.example")).await;
    let by_uri = trust(&house, "north", uri("spiffe://north.example/desk")).await;

    let psa = certified(&clients, &["PSA.north.example"], &[]);
    let psa = client(&servers, Some(&psa));
    let (status, json) = who_by_json(&psa, &url, None).await;
    assert_eq!(
        (status, &json["trustedIdentity"]),
        (StatusCode::OK, &json!(trusted.name))
    );
    assert_eq!(who_by_grpc(&psa, &url).await.trusted_identity, trusted.name);
    let uris = [
        "spiffe://north.example/other",
        "spiffe://north.example/desk",
    ];
    let desk = client(&servers, Some(&certified(&clients, &[], &uris)));
    assert_eq!(who_by_grpc(&desk, &url).await.trusted_identity, by_uri.name);

    // A header counts alone, right or wrong.
    let (status, json) = who_by_json(&psa, &url, Some(&north.api_key)).await;
    assert_eq!(
        (status, &json["trustedIdentity"]),
        (StatusCode::OK, &Value::Null)
    );
    let (status, _) = who_by_json(&psa, &url, Some("entente_x_y")).await;
    assert_eq!(status, StatusCode::UNAUTHORIZED);
    let nobody = client(&servers, None);
    assert_eq!(
        who_by_json(&nobody, &url, None).await.0,
        StatusCode::UNAUTHORIZED
    );
    let (status, _) = who_by_json(&nobody, &url, Some(&north.api_key)).await;
    assert_eq!(status, StatusCode::OK);
    let stranger = certified(&clients, &["psa.south.example"], &[]);
    let stranger = client(&servers, Some(&stranger));
    assert_eq!(
        who_by_json(&stranger, &url, None).await.0,
        StatusCode::UNAUTHORIZED
    );
    let forged = certified(&others, &["psa.north.example"], &[]);
    let forged = client(&servers, Some(&forged));
    assert!(forged.get(format!("{url}/v1:whoAmI")).send().await.is_err());
    // Names for one firm and for another: whose call would it be?
    house.firm("south").await;
    trust(&house, "south", dns("shared.example")).await;
    let both = certified(&clients, &["shared.example", "psa.north.example"], &[]);
    let both = client(&servers, Some(&both));
    assert_eq!(
        who_by_json(&both, &url, None).await.0,
        StatusCode::UNAUTHORIZED
    );

    revoke(&north, &trusted).await;
    house.pass(5);
    assert_eq!(
        who_by_json(&psa, &url, None).await.0,
        StatusCode::UNAUTHORIZED
    );
    secure.house.stop().await;
    house.stop().await;
}

/// A pair that does not fit leaves the one before in place; one that fits is taken up.
pub async fn certificates_are_exchanged_while_serving(house: House) {
    let (first, second) = (authority(), authority());
    let secure = Secure::beside(&house, &first, None).await;
    let api_key = house.firm("north").await.api_key;
    let is_served = async |authority: &Authority| {
        let url = format!("{}/v1:whoAmI", secure.url());
        let call = client(authority, None).get(url).bearer_auth(&api_key);
        call.send()
            .await
            .is_ok_and(|answer| answer.status() == StatusCode::OK)
    };
    assert!(is_served(&first).await && !is_served(&second).await);
    let next = certified(&second, &["localhost"], &[]);
    std::fs::write(&secure.files.certificate, &next.0).unwrap();
    secure.tls.reload();
    assert!(is_served(&first).await && !is_served(&second).await);
    write_pair(&secure.files, &next);
    secure.tls.reload();
    assert!(!is_served(&first).await && is_served(&second).await);
    // Who speaks no TLS is not answered.
    let plain = format!("http://{}/v1:whoAmI", secure.house.running.address);
    assert!(Client::new().get(plain).send().await.is_err());
    secure.house.stop().await;
    house.stop().await;
}

/// More handshakes than there may be begin and say nothing; whoever is honest gets in.
pub async fn handshakes_that_stall_keep_nobody_out(house: House) {
    let authority = authority();
    let secure = Secure::beside(&house, &authority, None).await;
    let api_key = house.firm("north").await.api_key;
    let address = secure.house.running.address;
    let mut silent = Vec::new();
    for _ in 0..HANDSHAKES_MAX + 50 {
        silent.push(TcpStream::connect(address).await.unwrap());
    }
    let (status, _) = tokio::time::timeout(Duration::from_secs(5), async {
        who_by_json(&client(&authority, None), &secure.url(), Some(&api_key)).await
    })
    .await
    .expect("it is answered soon");
    assert_eq!(status, StatusCode::OK);
    // The oldest were pushed out.
    let mut byte = [0; 1];
    let read = tokio::time::timeout(Duration::from_secs(5), silent[0].read(&mut byte)).await;
    assert!(matches!(read, Ok(Ok(0) | Err(_))), "{read:?}");
    secure.house.stop().await;
    house.stop().await;
}

/// One firm makes a hundred times the calls that it may; the other does not notice.
pub async fn a_firm_at_a_hundred_times_its_quota(house: House) {
    let quota = CallQuota {
        per_second: NonZeroU32::new(10).unwrap(),
        burst: NonZeroU32::new(20).unwrap(),
    };
    let environment = Environment {
        quota: Some(quota),
        ..Environment::default()
    };
    let replica = house.beside(environment).await;
    let greedy = replica.firm("north").await;
    let modest = replica.firm("south").await;
    let calls = |firm: &Firm, number: usize| {
        let calls: Vec<_> = (0..number)
            .map(|_| {
                let mut partnerships = firm.connection.partnerships();
                tokio::spawn(async move { partnerships.who_am_i(v1::WhoAmIRequest {}).await })
            })
            .collect();
        async move {
            let mut answers = Vec::new();
            for call in calls {
                answers.push(call.await.unwrap());
            }
            answers
        }
    };
    let (answers, others) = tokio::join!(calls(&greedy, 1_000), calls(&modest, 20));
    assert!(others.iter().all(Result::is_ok), "{others:?}");
    let refused: Vec<_> = answers
        .iter()
        .filter_map(|answer| answer.as_ref().err())
        .collect();
    assert_eq!(refused.len(), 980);
    for status in refused {
        assert_eq!(status.code(), tonic::Code::ResourceExhausted);
        let details = status.get_error_details();
        assert_eq!(details.error_info().unwrap().reason, "QUOTA_EXCEEDED");
        let wait = details.retry_info().unwrap().retry_delay.unwrap();
        assert!(
            wait > Duration::ZERO && wait <= Duration::from_millis(101),
            "{wait:?}"
        );
    }
    let url = format!("http://{}", replica.running.address);
    let (status, json) = who_by_json(&Client::new(), &url, Some(&greedy.api_key)).await;
    assert_eq!(status, StatusCode::TOO_MANY_REQUESTS);
    let details = json["error"]["details"].as_array().unwrap();
    let is_told = |detail: &Value| detail["reason"] == "QUOTA_EXCEEDED";
    assert!(details.iter().any(is_told), "{json}");
    replica.pass(1);
    let answers = calls(&greedy, 100).await;
    assert_eq!(answers.iter().filter(|answer| answer.is_ok()).count(), 10);
    replica.stop().await;
    house.stop().await;
}

/// What a browser has to be told before a site's program may make calls.
pub async fn browsers_of_named_sites_may_call(house: House) {
    const SITE: &str = "https://desk.north.example";
    let entrance = Entrance {
        tls: None,
        cors: cors::layer(&[SITE.to_owned()]).unwrap(),
    };
    let replica = house.beside_at(Environment::default(), entrance).await;
    let api_key = house.firm("north").await.api_key;
    let client = Client::new();
    let json = format!("http://{}/v1:whoAmI", replica.running.address);
    let grpc = format!(
        "http://{}/entente.v1.PartnershipService/WhoAmI",
        replica.running.address
    );
    for (url, method) in [(&json, "GET"), (&grpc, "POST")] {
        for (origin, expected) in [(SITE, Some(SITE)), ("https://evil.example", None)] {
            let asked = client
                .request(reqwest::Method::OPTIONS, url)
                .header("origin", origin)
                .header("access-control-request-method", method)
                .header("access-control-request-headers", "authorization,x-grpc-web");
            let answer = asked.send().await.unwrap();
            let allowed = answer.headers().get("access-control-allow-origin");
            assert_eq!(
                allowed.map(|value| value.to_str().unwrap()),
                expected,
                "{url}"
            );
        }
    }
    let call = client
        .get(&json)
        .header("origin", SITE)
        .bearer_auth(&api_key);
    let answer = call.send().await.unwrap();
    assert_eq!(answer.headers()["access-control-allow-origin"], SITE);
    let exposed = answer.headers()["access-control-expose-headers"]
        .to_str()
        .unwrap();
    assert!(exposed.contains("entente-sequence") && exposed.contains("grpc-status"));
    let web = client
        .post(&grpc)
        .header("origin", SITE)
        .header(header::CONTENT_TYPE, "application/grpc-web+proto")
        .bearer_auth(&api_key)
        .body(vec![0; 5]);
    let answer = web.send().await.unwrap();
    assert_eq!(answer.headers()["access-control-allow-origin"], SITE);
    let body = answer.bytes().await.unwrap();
    let length = usize::from(body[4]);
    let me = v1::WhoAmIResponse::decode(&body[5..5 + length]).unwrap();
    assert_eq!(me.firm, "firms/north");
    // Without sites, nothing is said at all.
    let plain = format!("http://{}/v1:whoAmI", house.running.address);
    let call = client
        .get(plain)
        .header("origin", SITE)
        .bearer_auth(&api_key);
    let answer = call.send().await.unwrap();
    assert!(!answer.headers().contains_key("access-control-allow-origin"));
    replica.stop().await;
    house.stop().await;
}
