//! Webhook endpoints: who may make them, who is believed at their door, and what is not let in.

use data_encoding::{BASE64, HEXLOWER};
use entente::domain::identity::ScopeId;
use entente::domain::record::{Kind, RecordKey};
use entente::proto::v1::{self, WebhookAuthentication, WebhookVendor};
use entente::server::webhook::BODY_BYTES_MAX;
use hmac::{Hmac, KeyInit, Mac};
use reqwest::header::{ALLOW, CONTENT_TYPE};
use reqwest::{Client, RequestBuilder, StatusCode};
use serde_json::Value;
use sha1::Sha1;
use sha2::Sha256;

use super::calls::{faulty, ok, refuses};
use super::house::{Firm, HOUR, House, lasting};
use super::setting::Pair;

/// The request for an endpoint of a firm.
pub fn endpoint_request(
    firm: &str,
    partnership: &str,
    vendor: WebhookVendor,
) -> v1::CreateWebhookEndpointRequest {
    v1::CreateWebhookEndpointRequest {
        parent: format!("firms/{firm}"),
        webhook_endpoint: Some(v1::WebhookEndpoint {
            display_name: "The desk".to_owned(),
            vendor: vendor.into(),
            partnership: partnership.to_owned(),
            ..Default::default()
        }),
        ..Default::default()
    }
}

/// A PSA that sends webhooks.
pub struct Sender {
    pub endpoint: v1::WebhookEndpoint,
    address: String,
    client: Client,
}

/// HMAC-SHA1 in the form of `x-hub-signature`.
pub fn sha1_signature(secret: &str, body: &[u8]) -> Vec<u8> {
    let mut mac = Hmac::<Sha1>::new_from_slice(secret.as_bytes()).unwrap();
    mac.update(body);
    mac.finalize().into_bytes().to_vec()
}

fn sha256_signature(secret: &str, body: &[u8]) -> String {
    let mut mac = Hmac::<Sha256>::new_from_slice(secret.as_bytes()).unwrap();
    mac.update(body);
    format!("sha256={}", HEXLOWER.encode(&mac.finalize().into_bytes()))
}

impl Sender {
    /// One whose endpoint north has made.
    pub async fn of(house: &House, pair: &Pair, request: v1::CreateWebhookEndpointRequest) -> Self {
        Self::by(house, &pair.north, request).await
    }

    async fn by(house: &House, firm: &Firm, request: v1::CreateWebhookEndpointRequest) -> Self {
        let mut webhooks = firm.connection.webhooks();
        let endpoint = ok(webhooks.create_webhook_endpoint(request)).await;
        Self {
            endpoint,
            address: format!("http://{}", house.running.address),
            client: Client::new(),
        }
    }

    /// The same with an endpoint as it is shown at another time.
    fn with(&self, endpoint: v1::WebhookEndpoint) -> Self {
        Self {
            endpoint,
            address: self.address.clone(),
            client: self.client.clone(),
        }
    }

    /// A request to a path, without any proof.
    pub fn plain(&self, path: &str, body: Vec<u8>) -> RequestBuilder {
        let url = format!("{}{path}", self.address);
        let request = self.client.post(url).body(body);
        request.header(CONTENT_TYPE, "application/json")
    }

    /// A request with the proof that the endpoint asks for.
    pub fn proved(&self, body: Vec<u8>) -> RequestBuilder {
        let (endpoint, secret) = (&self.endpoint, &self.endpoint.secret);
        let sha1 = sha1_signature(secret, &body);
        let sha256 = sha256_signature(secret, &body);
        let request = self.plain(&endpoint.path, body);
        match (endpoint.authentication(), endpoint.vendor()) {
            (WebhookAuthentication::SignatureSha1, WebhookVendor::Autotask) => {
                request.header("x-hook-signature", format!("sha1={}", BASE64.encode(&sha1)))
            }
            (WebhookAuthentication::SignatureSha1, _) => {
                let sha1 = format!("sha1={}", HEXLOWER.encode(&sha1));
                request.header("x-hub-signature", sha1)
            }
            (WebhookAuthentication::SignatureSha256, _) => {
                request.header("x-hub-signature-256", sha256)
            }
            (WebhookAuthentication::SharedSecret, _) => request.bearer_auth(secret),
            _ => request,
        }
    }

    /// Sends a body with the proof.
    pub async fn send(&self, body: impl Into<Vec<u8>>) -> (StatusCode, Value) {
        answer(self.proved(body.into())).await
    }
}

/// Status and body of an answer.
pub async fn answer(request: RequestBuilder) -> (StatusCode, Value) {
    let response = request.send().await.unwrap();
    (response.status(), response.json().await.unwrap())
}

/// The reason of a refusal.
pub fn reason(body: &Value) -> &str {
    body["error"]["details"][0]["reason"]
        .as_str()
        .unwrap_or_default()
}

/// A payload of a generic endpoint.
fn issue(id: &str) -> Vec<u8> {
    format!(r#"{{"id": "{id}", "at": "2026-03-02T08:00:00Z", "status": "New"}}"#).into_bytes()
}

/// The request for an endpoint that takes [`issue`].
fn generic(pair: &Pair, authentication: WebhookAuthentication) -> v1::CreateWebhookEndpointRequest {
    let mut request = endpoint_request("north", &pair.name, WebhookVendor::Generic);
    let endpoint = request.webhook_endpoint.as_mut().unwrap();
    "halopsa".clone_into(&mut endpoint.system);
    endpoint.authentication = authentication.into();
    endpoint.mapping = Some(v1::WebhookMapping {
        ticket_id: "/id".to_owned(),
        occur_time: "/at".to_owned(),
        status: "/status".to_owned(),
        ..Default::default()
    });
    request
}

pub async fn an_endpoint_from_creation_to_its_end(house: House) {
    let pair = Pair::with_a_desk(&house).await;
    let mut webhooks = pair.north.connection.webhooks();
    let mut request = generic(&pair, WebhookAuthentication::SharedSecret);
    "once".clone_into(&mut request.request_id);
    let made = ok(webhooks.create_webhook_endpoint(request.clone())).await;
    let again = ok(webhooks.create_webhook_endpoint(request)).await;
    assert_eq!(made, again, "the secret follows from what is kept");
    assert_eq!(made.secret.len(), 52);
    assert_eq!(made.state(), v1::WebhookEndpointState::Active);
    assert!(made.path.starts_with("/webhooks/north/"), "{}", made.path);
    let name = made.name.clone();
    let shown = ok(webhooks.get_webhook_endpoint(v1::GetWebhookEndpointRequest { name })).await;
    assert_eq!(shown.secret, "");
    assert_eq!((&shown.path, &shown.etag), (&made.path, &made.etag));
    let list = v1::ListWebhookEndpointsRequest {
        parent: "firms/north".to_owned(),
        ..Default::default()
    };
    let listed = ok(webhooks.list_webhook_endpoints(list)).await;
    assert_eq!(listed.webhook_endpoints, [shown]);

    house.pass(HOUR);
    let sender = Sender::of(
        &house,
        &pair,
        generic(&pair, WebhookAuthentication::Unspecified),
    )
    .await;
    assert_eq!(sender.send(issue("1")).await.0, StatusCode::OK);
    let disabling = v1::DisableWebhookEndpointRequest {
        name: sender.endpoint.name.clone(),
        ..Default::default()
    };
    let disabled = ok(webhooks.disable_webhook_endpoint(disabling.clone())).await;
    assert_eq!(disabled.state(), v1::WebhookEndpointState::Disabled);
    assert!(disabled.disable_time.is_some());
    let twice = ok(webhooks.disable_webhook_endpoint(disabling)).await;
    assert_eq!(twice, disabled);
    assert_eq!(sender.send(issue("1")).await.0, StatusCode::UNAUTHORIZED);
    let rotating = v1::RotateWebhookSecretRequest {
        name: disabled.name,
        ..Default::default()
    };
    refuses(
        &house,
        "INVALID_STATE",
        webhooks.rotate_webhook_secret(rotating),
    )
    .await;
    house.stop().await;
}

pub async fn endpoints_at_fault(house: House) {
    let pair = Pair::with_a_desk(&house).await;
    let other = Pair::between(&house, "east", "west").await;
    let mut webhooks = pair.north.connection.webhooks();
    let mut bad = generic(&pair, WebhookAuthentication::Unspecified);
    let endpoint = bad.webhook_endpoint.as_mut().unwrap();
    endpoint.display_name = String::new();
    "partnerships/other/agreements/desk".clone_into(&mut endpoint.agreement);
    "status".clone_into(&mut endpoint.mapping.as_mut().unwrap().status);
    let fields = ["agreement", "display_name", "mapping.status"];
    let fields = fields.map(|field| format!("webhook_endpoint.{field}"));
    let fields: Vec<&str> = fields.iter().map(String::as_str).collect();
    let call = webhooks.create_webhook_endpoint(bad);
    faulty(&house, "INVALID_FIELD", &fields, call).await;
    let mut weaker = endpoint_request("north", &pair.name, WebhookVendor::Zammad);
    let endpoint = weaker.webhook_endpoint.as_mut().unwrap();
    endpoint.authentication = WebhookAuthentication::UrlSecret.into();
    let fields = ["webhook_endpoint.authentication"];
    let call = webhooks.create_webhook_endpoint(weaker);
    faulty(&house, "INVALID_FIELD", &fields, call).await;
    let foreign = endpoint_request("north", &other.name, WebhookVendor::Zammad);
    let call = webhooks.create_webhook_endpoint(foreign);
    refuses(&house, "NOT_FOUND", call).await;

    let made = endpoint_request("north", &pair.name, WebhookVendor::Zammad);
    let made = ok(webhooks.create_webhook_endpoint(made)).await;
    let rotating = v1::RotateWebhookSecretRequest {
        name: made.name.clone(),
        overlap: Some(lasting(8 * 24 * HOUR)),
        ..Default::default()
    };
    let call = webhooks.rotate_webhook_secret(rotating.clone());
    faulty(&house, "INVALID_FIELD", &["overlap"], call).await;
    let stale = v1::RotateWebhookSecretRequest {
        overlap: None,
        etag: format!("{:?}", "9"),
        ..rotating
    };
    let call = webhooks.rotate_webhook_secret(stale);
    refuses(&house, "ETAG_MISMATCH", call).await;
    house.stop().await;
}

/// Nobody is believed without the proof, and nobody learns what was wrong with it.
pub async fn senders_have_to_prove_themselves(house: House) {
    let pair = Pair::with_a_desk(&house).await;
    house.pass(HOUR);
    let body = issue("1");
    let mut refused = Vec::new();
    for authentication in [
        WebhookAuthentication::SharedSecret,
        WebhookAuthentication::UrlSecret,
        WebhookAuthentication::SignatureSha1,
        WebhookAuthentication::SignatureSha256,
    ] {
        let sender = Sender::of(&house, &pair, generic(&pair, authentication)).await;
        let other = Sender::of(&house, &pair, generic(&pair, authentication)).await;
        let path = &sender.endpoint.path;
        let bare = path.split('/').take(4).collect::<Vec<_>>().join("/");
        refused.push(answer(sender.plain(&bare, body.clone())).await);
        // Another endpoint's secret.
        let mut mixed = other.with(other.endpoint.clone());
        mixed.endpoint.path.clone_from(&bare);
        if authentication == WebhookAuthentication::UrlSecret {
            mixed.endpoint.path = format!("{bare}/{}", other.endpoint.secret);
        }
        refused.push(mixed.send(body.clone()).await);
        // The proof of another body, which proves nothing where the secret itself is sent.
        let forged = sender.proved(body.clone()).body(issue("2"));
        let (status, answer) = answer(forged).await;
        let is_signed = matches!(
            authentication,
            WebhookAuthentication::SignatureSha1 | WebhookAuthentication::SignatureSha256
        );
        if is_signed {
            refused.push((status, answer));
        } else {
            assert_eq!(status, StatusCode::OK, "{answer}");
        }
        assert_eq!(
            sender.send(body.clone()).await.0,
            StatusCode::OK,
            "{authentication:?}"
        );
    }
    let sender = Sender::of(
        &house,
        &pair,
        generic(&pair, WebhookAuthentication::SharedSecret),
    )
    .await;
    let basic = sender.plain(&sender.endpoint.path, body.clone());
    let basic = basic.basic_auth("halo", Some(&sender.endpoint.secret));
    assert_eq!(answer(basic).await.0, StatusCode::OK);
    // The key of the firm is not the secret of its endpoint; nor is there another way in.
    let by_key = sender.plain(&sender.endpoint.path, body.clone());
    refused.push(answer(by_key.bearer_auth(&pair.north.api_key)).await);
    let id = sender.endpoint.name.rsplit('/').next().unwrap().to_owned();
    for path in ["/webhooks/", "/webhooks/north", "/webhooks/north/absent"] {
        let lost = sender.plain(path, body.clone());
        refused.push(answer(lost.bearer_auth(&sender.endpoint.secret)).await);
    }
    // Another firm's door has no such endpoint.
    let theirs = sender.plain(&format!("/webhooks/south/{id}"), body);
    refused.push(answer(theirs.bearer_auth(&sender.endpoint.secret)).await);
    let (first_status, first) = refused[0].clone();
    assert_eq!(first_status, StatusCode::UNAUTHORIZED);
    assert_eq!(reason(&first), "UNAUTHENTICATED");
    for (status, body) in refused {
        assert_eq!((status, &body), (first_status, &first));
    }
    house.stop().await;
}

pub async fn secrets_are_rotated_with_an_overlap(house: House) {
    let pair = Pair::with_a_desk(&house).await;
    house.pass(HOUR);
    let mut webhooks = pair.north.connection.webhooks();
    let first = Sender::of(
        &house,
        &pair,
        generic(&pair, WebhookAuthentication::SignatureSha256),
    )
    .await;
    let rotating = |seconds| v1::RotateWebhookSecretRequest {
        name: first.endpoint.name.clone(),
        overlap: Some(lasting(seconds)),
        ..Default::default()
    };
    let rotated = ok(webhooks.rotate_webhook_secret(rotating(HOUR))).await;
    assert_ne!(rotated.secret, first.endpoint.secret);
    assert!(rotated.previous_secret_expire_time.is_some());
    let second = first.with(rotated);
    for sender in [&first, &second] {
        assert_eq!(sender.send(issue("1")).await.0, StatusCode::OK);
    }
    house.pass(HOUR);
    assert_eq!(first.send(issue("1")).await.0, StatusCode::UNAUTHORIZED);
    assert_eq!(second.send(issue("1")).await.0, StatusCode::OK);
    let third = second.with(ok(webhooks.rotate_webhook_secret(rotating(0))).await);
    assert_eq!(second.send(issue("1")).await.0, StatusCode::UNAUTHORIZED);
    assert_eq!(third.send(issue("1")).await.0, StatusCode::OK);
    house.stop().await;
}

/// What is too large, too deep, ambiguous or no JSON is refused for that, and changes nothing.
pub async fn what_comes_in_is_bounded(house: House) {
    let pair = Pair::with_a_desk(&house).await;
    house.pass(HOUR);
    let sender = Sender::of(
        &house,
        &pair,
        generic(&pair, WebhookAuthentication::SharedSecret),
    )
    .await;
    let before = house.heads().await;
    let large = format!(r#"{{"id": "{}"}}"#, "x".repeat(BODY_BYTES_MAX));
    let (status, body) = sender.send(large).await;
    assert_eq!(status, StatusCode::PAYLOAD_TOO_LARGE);
    assert_eq!(reason(&body), "LIMIT_REACHED");
    for bad in [
        String::new(),
        "no JSON".to_owned(),
        "[".repeat(100_000),
        r#"{"id": "1", "id": "2", "at": 1772438400}"#.to_owned(),
        r#"{"id": "1", "at": 1772438400}{}"#.to_owned(),
        "\u{0}".to_owned(),
    ] {
        let (status, body) = sender.send(bad.clone()).await;
        assert_eq!(status, StatusCode::BAD_REQUEST, "{body}");
        assert_eq!(reason(&body), "INVALID_FIELD", "{body}");
    }
    let secret = &sender.endpoint.secret;
    let form = sender
        .plain(&sender.endpoint.path, issue("1"))
        .bearer_auth(secret);
    let form = form.header(CONTENT_TYPE, "application/x-www-form-urlencoded");
    let mut form = form.build().unwrap();
    let kind = "application/x-www-form-urlencoded".parse().unwrap();
    form.headers_mut().insert(CONTENT_TYPE, kind);
    let response = sender.client.execute(form).await.unwrap();
    assert_eq!(response.status(), StatusCode::UNSUPPORTED_MEDIA_TYPE);
    let url = format!("{}{}", sender.address, sender.endpoint.path);
    let response = sender.client.get(url).send().await.unwrap();
    assert_eq!(response.status(), StatusCode::METHOD_NOT_ALLOWED);
    assert_eq!(response.headers()[ALLOW], "POST");
    assert_eq!(house.heads().await, before, "nothing was written");
    house.stop().await;
}

/// No secret is in a record, in the journal or in an export.
pub async fn secrets_are_nowhere_to_be_found(house: House) {
    let pair = Pair::with_a_desk(&house).await;
    house.pass(HOUR);
    let sender = Sender::of(
        &house,
        &pair,
        generic(&pair, WebhookAuthentication::UrlSecret),
    )
    .await;
    let (status, answer) = sender.send(issue("1")).await;
    assert_eq!(status, StatusCode::OK, "{answer}");
    let secret = &sender.endpoint.secret;
    assert!(!answer.to_string().contains(secret.as_str()));
    let scopes = [
        ScopeId::parse("firms/north").unwrap(),
        ScopeId::parse(&pair.name).unwrap(),
    ];
    let id = sender.endpoint.name.rsplit('/').next().unwrap();
    let mut by_endpoint = 0;
    for scope in &scopes {
        for entry in house.store().entries(scope, 0, 1_000).await.unwrap() {
            assert!(!format!("{entry:?}").contains(secret.as_str()));
            let payload = String::from_utf8(entry.payload).unwrap();
            assert!(!payload.contains(secret.as_str()));
            by_endpoint += usize::from(entry.actor == format!("webhook:{id}"));
        }
    }
    assert!(by_endpoint > 0, "what came in names the endpoint");
    let key = RecordKey::new(&scopes[0], Kind::WebhookEndpoint, id);
    let rows = house.store().records(&[key]).await.unwrap();
    assert!(!rows[0].body.contains(secret.as_str()));
    let list = v1::ListEntriesRequest {
        parent: pair.name.clone(),
        record_kind: "ticket".to_owned(),
        ..Default::default()
    };
    let listed = ok(pair.south.connection.journal().list_entries(list)).await;
    let name = format!("firms/north/webhookEndpoints/{id}");
    assert_eq!(listed.entries[0].actor, name);
    house.stop().await;
}
