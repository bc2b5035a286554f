//! What each vendor sends, in its recorded shape, and what becomes of it.

use entente::proto::v1::{self, WebhookVendor};
use reqwest::StatusCode;
use serde_json::{Value, json};

use super::calls::ok;
use super::house::{HOUR, House, MINUTE, at};
use super::setting::Pair;
use super::webhooks::{Sender, endpoint_request, reason};

/// A vendor's payloads, and what they say.
struct Told {
    vendor: WebhookVendor,
    system: &'static str,
    /// What it sends of an open ticket that was answered after twenty minutes.
    open: &'static str,
    /// What it sends when that ticket was deleted, if it sends anything.
    deleted: Option<&'static str>,
    /// The ticket's id, its words for status and priority, and its title.
    id: &'static str,
    status: &'static str,
    priority: &'static str,
    title: &'static str,
    /// Whether the payload says when the client was answered.
    answered: bool,
}

macro_rules! fixture {
    ($name:literal) => {
        include_str!(concat!("../fixtures/webhooks/", $name, ".json"))
    };
}

const ALL: [Told; 6] = [
    Told {
        vendor: WebhookVendor::Connectwise,
        system: "connectwise",
        open: fixture!("connectwise"),
        deleted: Some(fixture!("connectwise_deleted")),
        id: "48211",
        status: "Open",
        priority: "Priority 2 - High",
        title: "Scanner at goods-in offline",
        answered: true,
    },
    Told {
        vendor: WebhookVendor::Autotask,
        system: "autotask",
        open: fixture!("autotask"),
        deleted: Some(fixture!("autotask_deleted")),
        id: "90417",
        status: "Open",
        priority: "High",
        title: "Badge reader rejects everybody",
        answered: true,
    },
    Told {
        vendor: WebhookVendor::HaloPsa,
        system: "halopsa",
        open: fixture!("halo_psa"),
        deleted: Some(fixture!("halo_psa_deleted")),
        id: "20177",
        status: "2",
        priority: "2",
        title: "Label printer prints blanks",
        answered: true,
    },
    Told {
        vendor: WebhookVendor::ServiceNow,
        system: "servicenow",
        open: fixture!("service_now"),
        deleted: Some(fixture!("service_now_deleted")),
        id: "3f6f1c9adb221010d2b4f5a61396193c",
        status: "2",
        priority: "2",
        title: "Dock gate stays open",
        answered: false,
    },
    Told {
        vendor: WebhookVendor::Zammad,
        system: "zammad",
        open: fixture!("zammad"),
        deleted: None,
        id: "631",
        status: "open",
        priority: "2 normal",
        title: "Customs form rejected",
        answered: true,
    },
    Told {
        vendor: WebhookVendor::Generic,
        system: "helpdesk",
        open: fixture!("generic"),
        deleted: None,
        id: "OPS-77",
        status: "Open",
        priority: "High",
        title: "Fork lift tablet frozen",
        answered: false,
    },
];

impl Told {
    /// What it sent when the ticket was opened: nobody had answered then.
    fn created(&self) -> String {
        let created = self.open.replace("08:25:00", "08:00:00");
        let created = created.replace("2026-03-02T08:20", "1900-01-01T08:20");
        created.replace("1772439900", "1772438400")
    }

    async fn sender(&self, house: &House, pair: &Pair) -> Sender {
        let mut request = endpoint_request("north", &pair.name, self.vendor);
        let endpoint = request.webhook_endpoint.as_mut().unwrap();
        if self.vendor == WebhookVendor::Generic {
            self.system.clone_into(&mut endpoint.system);
            endpoint.mapping = Some(v1::WebhookMapping {
                ticket_id: "/issue/key".to_owned(),
                occur_time: "/at".to_owned(),
                status: "/issue/fields/status/name".to_owned(),
                priority: "/issue/fields/priority/name".to_owned(),
                title: "/issue/fields/summary".to_owned(),
                open_time: "/issue/fields/created".to_owned(),
                response_time: "/issue/fields/first_reply".to_owned(),
            });
        }
        Sender::of(house, pair, request).await
    }

    /// Says what the vendor's words mean.
    async fn explain(&self, pair: &Pair, words: &[(&str, v1::TicketState)]) {
        let entry = |(status, state): &(&str, v1::TicketState)| v1::StatusMapEntry {
            status: (*status).to_owned(),
            state: (*state).into(),
        };
        let statuses = v1::UpdateStatusMapRequest {
            status_map: Some(v1::StatusMap {
                name: format!("{}/statusMaps/of-{}", pair.name, self.system),
                system: self.system.to_owned(),
                entries: words.iter().map(entry).collect(),
                ..Default::default()
            }),
            allow_missing: true,
            ..Default::default()
        };
        let mut sla = pair.north.connection.sla();
        ok(sla.update_status_map(statuses)).await;
        let priorities = v1::UpdatePriorityMapRequest {
            priority_map: Some(v1::PriorityMap {
                name: format!("{}/priorityMaps/of-{}", pair.name, self.system),
                system: self.system.to_owned(),
                entries: vec![v1::PriorityMapEntry {
                    source_priority: self.priority.to_owned(),
                    priority: 2,
                }],
                ..Default::default()
            }),
            allow_missing: true,
            ..Default::default()
        };
        ok(sla.update_priority_map(priorities)).await;
    }

    async fn ticket(&self, pair: &Pair) -> v1::Ticket {
        let request = v1::LookupTicketRequest {
            parent: pair.name.clone(),
            reference: Some(v1::ExternalReference {
                system: self.system.to_owned(),
                r#type: "ticket".to_owned(),
                id: self.id.to_owned(),
                ..Default::default()
            }),
        };
        ok(pair.north.connection.sla().lookup_ticket(request)).await
    }
}

fn counts(receipt: &Value) -> [i64; 3] {
    ["eventCount", "alreadyAppliedCount", "parkedCount"]
        .map(|field| receipt[field].as_i64().unwrap_or_default())
}

/// A pair that has the agreement and no maps but of these vendors.
async fn desk(house: &House) -> Pair {
    let pair = Pair::active(house).await;
    pair.calendar().await;
    let agreement = v1::Agreement {
        response_by_status: false,
        ..pair.desk()
    };
    pair.agreement("desk", agreement).await;
    house.pass(HOUR);
    pair
}

/// Each payload becomes the ticket that it describes; sent again, nothing happens.
pub async fn what_each_vendor_sends(house: House) {
    let pair = desk(&house).await;
    for told in ALL {
        let sender = told.sender(&house, &pair).await;
        told.explain(&pair, &[(told.status, v1::TicketState::InProgress)])
            .await;
        let (status, receipt) = sender.send(told.created()).await;
        assert_eq!(status, StatusCode::OK, "{}: {receipt}", told.system);
        assert_eq!(counts(&receipt), [1, 0, 0], "{}", told.system);
        let events = if told.answered { 2 } else { 1 };
        let (status, receipt) = sender.send(told.open).await;
        assert_eq!(status, StatusCode::OK, "{}: {receipt}", told.system);
        assert_eq!(counts(&receipt), [events, 0, 0], "{}", told.system);
        let ticket = told.ticket(&pair).await;
        assert_eq!(receipt["tickets"], json!([ticket.name]));
        assert_eq!(ticket.title, told.title);
        assert_eq!(
            ticket.state(),
            v1::TicketState::InProgress,
            "{}",
            told.system
        );
        assert_eq!(ticket.priority, 2);
        let opened = ticket.open_time.unwrap().seconds;
        assert_eq!(opened, at(0).seconds, "{}", told.system);
        let response = ticket
            .clocks
            .iter()
            .find(|clock| clock.r#type() == v1::TargetType::FirstResponse);
        let response = response.unwrap_or_else(|| panic!("{}: {ticket:#?}", told.system));
        let expected = told.answered.then_some(at(20 * MINUTE).seconds);
        let stopped = response.stop_time.map(|time| time.seconds);
        assert_eq!(stopped, expected, "{}", told.system);

        let before = house.heads().await;
        let (_, again) = sender.send(told.open).await;
        assert_eq!(counts(&again), [events, events, 0], "{}", told.system);
        assert_eq!(house.heads().await, before, "{}", told.system);
        let path = sender
            .endpoint
            .path
            .replace(&sender.endpoint.secret, "guessed");
        let forged = sender.plain(&path, told.open.into());
        let forged = forged
            .header("x-hub-signature", "sha1=00")
            .bearer_auth("guessed");
        let status = forged.send().await.unwrap().status();
        assert_eq!(status, StatusCode::UNAUTHORIZED, "{}", told.system);
    }
    house.stop().await;
}

/// What no map knows is listed, kept, and counts once a map says what it means.
pub async fn words_that_no_map_knows_are_parked(house: House) {
    let pair = desk(&house).await;
    for told in ALL {
        let sender = told.sender(&house, &pair).await;
        let (status, receipt) = sender.send(told.open).await;
        assert_eq!(status, StatusCode::OK, "{receipt}");
        assert_eq!(counts(&receipt)[2], 1, "{}", told.system);
        let (_, again) = sender.send(told.open).await;
        assert_eq!(counts(&again)[2], 1, "{}", told.system);
        assert_eq!(told.ticket(&pair).await.parked_count, 1);
        told.explain(&pair, &[(told.status, v1::TicketState::InProgress)])
            .await;
        house.sweep().await;
        let ticket = told.ticket(&pair).await;
        let now = (ticket.parked_count, ticket.state(), ticket.priority);
        assert_eq!(now, (0, v1::TicketState::InProgress, 2), "{}", told.system);
    }
    house.stop().await;
}

/// A ticket that was deleted says so by a word like any other: a map decides.
pub async fn what_was_deleted_is_parked_until_a_map_says(house: House) {
    let pair = desk(&house).await;
    for told in ALL {
        let Some(deleted) = told.deleted else {
            continue;
        };
        let sender = told.sender(&house, &pair).await;
        let known = [(told.status, v1::TicketState::InProgress)];
        told.explain(&pair, &known).await;
        sender.send(told.open).await;
        let (status, receipt) = sender.send(deleted).await;
        assert_eq!(status, StatusCode::OK, "{}: {receipt}", told.system);
        assert_eq!(counts(&receipt), [1, 0, 1], "{}", told.system);
        let known = [known[0], ("deleted", v1::TicketState::Closed)];
        told.explain(&pair, &known).await;
        house.sweep().await;
        let ticket = told.ticket(&pair).await;
        assert_eq!(ticket.state(), v1::TicketState::Closed, "{}", told.system);
    }
    house.stop().await;
}

/// Genuine senders may err, too.
pub async fn payloads_at_fault(house: House) {
    let pair = desk(&house).await;
    for told in ALL {
        let sender = told.sender(&house, &pair).await;
        let before = house.heads().await;
        for garbage in ["{}", "[]", "null", "1", r#""x""#, "{\"ticket\": {}}"] {
            let (status, body) = sender.send(garbage).await;
            let ignored = status == StatusCode::OK && counts(&body) == [0; 3];
            let refused = status == StatusCode::BAD_REQUEST && reason(&body) == "INVALID_FIELD";
            assert!(
                ignored || refused,
                "{} {garbage}: {status} {body}",
                told.system
            );
        }
        // Every value of the payload in turn is something else.
        let payload: Value = serde_json::from_str(told.open).unwrap();
        for pointer in pointers(&payload, "") {
            for odd in [
                json!({"a": [1]}),
                json!(1.5),
                json!("\u{7}"),
                json!([]),
                json!(null),
            ] {
                let mut changed = payload.clone();
                *changed.pointer_mut(&pointer).unwrap() = odd.clone();
                let (status, body) = sender.send(changed.to_string()).await;
                let known = [StatusCode::OK, StatusCode::BAD_REQUEST];
                assert!(
                    known.contains(&status),
                    "{} {pointer} {odd}: {body}",
                    told.system
                );
            }
        }
        let grown = house.heads().await.len() - before.len();
        assert_eq!(grown, 0, "no scope came to be");
    }
    house.stop().await;
}

/// Places of a payload near its root, where vendors put what counts.
fn pointers(value: &Value, at: &str) -> Vec<String> {
    const DEPTH_MAX: usize = 2;
    let Value::Object(fields) = value else {
        return Vec::new();
    };
    let mut found = Vec::new();
    for (name, value) in fields {
        let pointer = format!("{at}/{name}");
        if pointer.matches('/').count() < DEPTH_MAX {
            found.extend(pointers(value, &pointer));
        }
        found.push(pointer);
    }
    found.truncate(12);
    found
}

/// A batch of deliveries is read ticket by ticket, and is bounded.
pub async fn several_tickets_at_once(house: House) {
    let pair = desk(&house).await;
    let told = &ALL[2];
    let sender = told.sender(&house, &pair).await;
    told.explain(&pair, &[(told.status, v1::TicketState::InProgress)])
        .await;
    let one: Value = serde_json::from_str(told.open).unwrap();
    let numbered = |number: usize| {
        let mut one = one.clone();
        one["ticket"]["id"] = json!(number);
        one
    };
    let batch: Vec<Value> = (1..=100).map(numbered).collect();
    let (status, receipt) = sender.send(json!(batch).to_string()).await;
    assert_eq!(status, StatusCode::OK, "{receipt}");
    assert_eq!(counts(&receipt), [200, 0, 0]);
    assert_eq!(receipt["tickets"].as_array().unwrap().len(), 100);
    let batch: Vec<Value> = (1..=101).map(numbered).collect();
    let (_, body) = sender.send(json!(batch).to_string()).await;
    assert_eq!(reason(&body), "LIMIT_REACHED", "{body}");
    house.stop().await;
}
