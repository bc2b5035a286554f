//! JSON over HTTP: the same RPCs, the same answers, and what bad bodies come to.

use entente::domain::firm::Permission;
use entente::proto::{self, v1};
use entente::server::json::route::{BodyPart, Route, Segment, Table};
use prost::Message as _;
use prost_reflect::{DynamicMessage, MethodDescriptor};
use reqwest::{Client, Method, StatusCode};
use serde::de::DeserializeSeed as _;
use serde_json::{Map, Value, json};
use tonic::Code;

use super::authorisation::every_row;
use super::house::House;
use super::stage;

/// A request as an HTTP client has it.
struct Call {
    method: Method,
    path: String,
    query: Vec<(String, String)>,
    body: Option<Value>,
}

impl Call {
    /// The call of `route` that means this message, if its path can say so.
    fn of(route: &Route, message: &[u8]) -> Option<Self> {
        let message = DynamicMessage::decode(route.method.input(), message).unwrap();
        let Value::Object(mut fields) = serde_json::to_value(&message).unwrap() else {
            panic!("a message is an object")
        };
        let path = path(route, &mut fields)?;
        let (query, body) = match &route.body {
            BodyPart::Whole => (Vec::new(), Some(Value::Object(fields))),
            BodyPart::Nothing => (flat("", Value::Object(fields)), None),
            BodyPart::Field(name) => {
                let field = route.method.input().get_field_by_name(name).unwrap();
                let body = fields.remove(field.json_name());
                (flat("", Value::Object(fields)), body.or(Some(json!({}))))
            }
        };
        let method = Method::from_bytes(route.http_method.as_str().as_bytes()).unwrap();
        Some(Self {
            method,
            path,
            query,
            body,
        })
    }

    async fn send(&self, house: &House, client: &Client, key: Option<&str>) -> (StatusCode, Value) {
        let url = format!("http://{}{}", house.running.address, self.path);
        let mut request = client.request(self.method.clone(), url).query(&self.query);
        if let Some(key) = key {
            request = request.bearer_auth(key);
        }
        if let Some(body) = &self.body {
            request = request.json(body);
        }
        let response = request.send().await.unwrap();
        assert_eq!(response.headers()["content-type"], "application/json");
        (response.status(), response.json().await.unwrap())
    }
}

/// The path, with the values that it takes out of the fields.
fn path(route: &Route, fields: &mut Map<String, Value>) -> Option<String> {
    let mut segments: Vec<String> = Vec::new();
    let template = &route.template;
    let mut index = 0;
    while index < template.segments.len() {
        let variable = template.variables.iter().find(|one| one.first == index);
        if let Some(variable) = variable {
            let value = take(&route.method, fields, &variable.field)?;
            let parts: Vec<&str> = value.split('/').collect();
            let pattern = template.segments.get(variable.first..variable.end)?;
            let fits = parts.len() == pattern.len()
                && pattern
                    .iter()
                    .zip(&parts)
                    .all(|(segment, part)| match segment {
                        Segment::Literal(literal) => literal == part,
                        Segment::Any => !part.is_empty(),
                    });
            if !fits {
                return None;
            }
            segments.extend(parts.into_iter().map(str::to_owned));
            index = variable.end;
        } else {
            match &template.segments[index] {
                Segment::Literal(literal) => segments.push(literal.clone()),
                Segment::Any => panic!("{} has a part without a name", route.pattern),
            }
            index += 1;
        }
    }
    let verb = if template.verb.is_empty() {
        String::new()
    } else {
        format!(":{}", template.verb)
    };
    Some(format!("/{}{verb}", segments.join("/")))
}

/// Takes a field of text, maybe within others.
fn take(method: &MethodDescriptor, fields: &mut Map<String, Value>, path: &str) -> Option<String> {
    let mut message = method.input();
    let mut fields = fields;
    let mut rest = path;
    while let Some((first, after)) = rest.split_once('.') {
        let field = message.get_field_by_name(first).unwrap();
        fields = fields.get_mut(field.json_name())?.as_object_mut()?;
        message = field.kind().as_message().unwrap().clone();
        rest = after;
    }
    let field = message.get_field_by_name(rest).unwrap();
    let value = fields.remove(field.json_name())?;
    Some(value.as_str().unwrap().to_owned())
}

/// Fields as a query writes them.
fn flat(prefix: &str, value: Value) -> Vec<(String, String)> {
    match value {
        Value::Object(fields) => fields
            .into_iter()
            .flat_map(|(name, value)| {
                let dot = if prefix.is_empty() { "" } else { "." };
                flat(&format!("{prefix}{dot}{name}"), value)
            })
            .collect(),
        Value::Array(items) => items
            .into_iter()
            .flat_map(|item| flat(prefix, item))
            .collect(),
        Value::String(text) => vec![(prefix.to_owned(), text)],
        other => vec![(prefix.to_owned(), other.to_string())],
    }
}

fn name_of(status: &Value) -> &str {
    status["error"]["status"].as_str().unwrap_or("OK")
}

/// A canonical code as it is written in JSON.
fn json_name(code: Code) -> String {
    let mut name = String::new();
    for letter in format!("{code:?}").chars() {
        if letter.is_uppercase() && !name.is_empty() && code != Code::Ok {
            name.push('_');
        }
        name.push(letter.to_ascii_uppercase());
    }
    name
}

/// Every unary RPC is called by JSON, with the outcomes that it has by gRPC, and each answer is one of
/// its message.
pub async fn every_unary_rpc_by_json(house: House) {
    let (_, names) = stage::set(&house).await;
    let table = Table::new(proto::pool());
    let client = Client::new();
    let stranger = house.key("stranger", &[]).await;
    let mut wrong = Vec::new();
    let mut called = 0;
    for row in every_row() {
        let routes = table.routes().iter();
        let mut routes = routes
            .filter(|route| route.grpc_path.path() == format!("/{}", row.rpc))
            .peekable();
        if routes.peek().is_none() {
            assert!(
                ["Watch", "ExportJournal"]
                    .iter()
                    .any(|stream| row.rpc.ends_with(stream))
            );
            continue;
        }
        let routes: Vec<&Route> = routes.collect();
        let callers = [
            ("stranger", stranger.clone(), row.stranger),
            ("north", house.key("north", row.needs).await, row.own),
            ("south", house.key("south", row.needs).await, row.partner),
        ];
        for (caller, key, expected) in callers {
            let names = names.clone().with("caller", caller);
            let names = if caller == "stranger" {
                names.with("code", "wrong.nonsense")
            } else {
                names
            };
            let message = (row.request)(&names);
            let calls = routes.iter();
            let mut calls = calls.filter_map(|route| Some((route, Call::of(route, &message)?)));
            let Some((route, call)) = calls.next() else {
                panic!("{} has no path for its row", row.rpc)
            };
            let (status, answer) = call.send(&house, &client, Some(&key)).await;
            if name_of(&answer) != json_name(expected) {
                wrong.push(format!(
                    "{} by {caller}: {answer}, not {expected:?}",
                    row.rpc
                ));
            }
            if status == StatusCode::OK {
                let read = route.method.output().deserialize(answer);
                assert!(read.is_ok(), "{}: {read:?}", row.rpc);
            }
        }
        called += 1;
    }
    assert!(
        wrong.is_empty(),
        "{} are wrong:\n{}",
        wrong.len(),
        wrong.join("\n")
    );
    assert!(called > 170, "{called}");
    house.stop().await;
}

/// Sends bytes as they are.
async fn post(
    house: &House,
    path: &str,
    key: &str,
    kind: &str,
    body: Vec<u8>,
) -> (StatusCode, Value) {
    let request = Client::new()
        .post(format!("http://{}{path}", house.running.address))
        .bearer_auth(key)
        .header("content-type", kind)
        .body(body);
    let response = request.send().await.unwrap();
    (response.status(), response.json().await.unwrap())
}

/// A change by JSON has a receipt; errors come with their reason and the field at fault.
pub async fn json_says_what_grpc_says(house: House) {
    let north = house.key("north", &[]).await;
    let url = format!("http://{}/v1/partnerships", house.running.address);
    let body = json!({"displayName": "North and South"});
    let rest = [
        ("partnerDisplayName", "South"),
        ("role", "PARTY_ROLE_PRIME"),
        ("partner_role", "PARTY_ROLE_SUB"),
        ("requestId", "one"),
    ];
    let client = Client::new();
    let post = || client.post(&url).query(&rest).json(&body);
    let create = || post().bearer_auth(&north);
    let response = create().send().await.unwrap();
    assert_eq!(response.status(), StatusCode::OK);
    let receipt = response.headers()[entente::api::SEQUENCE_METADATA].clone();
    let id = response.headers()["x-request-id"].clone();
    assert!(!id.is_empty());
    let created: Value = response.json().await.unwrap();
    let name = created["name"].as_str().unwrap();
    let again = create().send().await.unwrap();
    assert_eq!(again.headers()[entente::api::SEQUENCE_METADATA], receipt);
    let read = client.get(format!("http://{}/v1/{name}", house.running.address));
    let read = read.bearer_auth(&north).send().await.unwrap();
    let read: Value = read.json().await.unwrap();
    assert_eq!(read["displayName"], "North and South");

    let (status, answer) = {
        let bad = json!({});
        let answer = client
            .post(&url)
            .bearer_auth(&north)
            .json(&bad)
            .send()
            .await
            .unwrap();
        (answer.status(), answer.json::<Value>().await.unwrap())
    };
    assert_eq!(status, StatusCode::BAD_REQUEST);
    let details = answer["error"]["details"].as_array().unwrap();
    let kinds: Vec<&str> = details
        .iter()
        .map(|one| one["@type"].as_str().unwrap())
        .collect();
    assert_eq!(
        kinds,
        [
            "type.googleapis.com/google.rpc.ErrorInfo",
            "type.googleapis.com/google.rpc.BadRequest"
        ]
    );
    assert_eq!(details[0]["reason"], "INVALID_FIELD");
    let faults = details[1]["fieldViolations"].as_array().unwrap();
    assert!(
        faults
            .iter()
            .any(|fault| fault["field"] == "partnership.display_name"),
        "{faults:?}"
    );
    let without = post().send().await.unwrap();
    assert_eq!(without.status(), StatusCode::UNAUTHORIZED);
    house.stop().await;
}

/// What is no request is refused with the place of the fault, and changes nothing.
pub async fn json_at_fault(house: House) {
    let north = house
        .key("north", &[Permission::Admin, Permission::Quotes])
        .await;
    let before = house.heads().await;
    let deep = format!("{{\"partnership\": {}", "[".repeat(200_000));
    let large = format!(
        "{{\"partnerDisplayName\": \"{}\"}}",
        "x".repeat(4 * 1024 * 1024)
    );
    let json = "application/json";
    let path = "/v1/partnerships";
    let invite = "/v1/partnerships/p:invitePartner";
    for (path, kind, body, status, says) in [
        (path, json, "{", 400, "EOF while parsing"),
        (path, json, "[]", 400, "expected a map"),
        (invite, json, "[]", 400, "must be a JSON object"),
        (
            path,
            json,
            r#"{"displayName": "a", "display_name": "b"}"#,
            400,
            "comes twice",
        ),
        (path, json, r#"{"name": 1}"#, 400, "partnership.name"),
        (path, json, r#"{"nam": "x"}"#, 400, "nam"),
        (
            path,
            json,
            r#"{"parties": [{"role": "KING"}]}"#,
            400,
            "partnership.parties[0].role",
        ),
        (path, json, deep.as_str(), 400, "recursion limit"),
        (path, json, large.as_str(), 413, "LIMIT_REACHED"),
        (
            path,
            "text/plain",
            "{}",
            415,
            "content-type: application/json",
        ),
        (
            "/v1/partnerships/p:invitePartner?request_id=1",
            json,
            "{}",
            400,
            "in its body",
        ),
        ("/v1/partnerships/p/tickets/t", json, "{}", 405, "GET"),
        ("/v2/partnerships", json, "{}", 404, "openapi.json"),
        (
            "/v1/partnerships/p:invitePartner",
            json,
            r#"{"name": "partnerships/q"}"#,
            400,
            "what the path says",
        ),
    ] {
        let (code, answer) = post(&house, path, &north, kind, body.as_bytes().to_vec()).await;
        let text = answer.to_string();
        let shown: String = body.chars().take(60).collect();
        assert_eq!(code.as_u16(), status, "{path} {shown}: {text}");
        assert!(text.contains(says), "{path} {shown}: {text}");
    }
    assert_eq!(house.heads().await, before);
    house.stop().await;
}

/// What a query cannot mean is refused with its field.
pub async fn queries_at_fault(house: House) {
    let north = house.key("north", &[]).await;
    for (query, says) in [
        ("pageSize=many", "pageSize"),
        ("pageSize=1&page_size=2", "comes twice"),
        ("nothing=1", "no such field"),
        ("name.x=1", "no such field"),
    ] {
        let url = format!("http://{}/v1/partnerships?{query}", house.running.address);
        let answer = Client::new()
            .get(url)
            .bearer_auth(&north)
            .send()
            .await
            .unwrap();
        assert_eq!(answer.status(), StatusCode::BAD_REQUEST, "{query}");
        let text = answer.text().await.unwrap();
        assert!(text.contains(says), "{query}: {text}");
    }
    house.stop().await;
}

/// A browser's gRPC-Web call is answered, over HTTP/1.1, with its trailers in the body.
pub async fn grpc_web_is_answered(house: House) {
    let north = house.key("north", &[]).await;
    let request = Client::new()
        .post(format!(
            "http://{}/entente.v1.PartnershipService/WhoAmI",
            house.running.address
        ))
        .bearer_auth(&north)
        .header("content-type", "application/grpc-web+proto")
        .body(vec![0; 5]);
    let response = request.send().await.unwrap();
    assert_eq!(response.status(), StatusCode::OK);
    let body = response.bytes().await.unwrap();
    let length = usize::try_from(u32::from_be_bytes(body[1..5].try_into().unwrap())).unwrap();
    let who = v1::WhoAmIResponse::decode(&body[5..5 + length]).unwrap();
    assert_eq!(who.firm, "firms/north");
    let trailers = String::from_utf8_lossy(&body[5 + length..]).into_owned();
    assert!(trailers.contains("grpc-status:0"), "{trailers}");
    house.stop().await;
}
