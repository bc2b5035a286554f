//! Subscriptions: what is posted to whom, and in which order.

use std::sync::Arc;

use data_encoding::BASE64;
use entente::api::convert::to_timestamp;
use entente::domain::identity::ScopeId;
use entente::proto::v1;
use entente::server::delivery::Deliverer;
use prost_reflect::DynamicMessage;
use serde_json::Value;
use tokio_util::sync::CancellationToken;

use super::calls::{faulty, ok, refuses};
use super::house::{HOUR, House, MINUTE, at, lasting};
use super::leaving::leaving;
use super::setting::{NORTH_PSA, Pair, SOUTH, event, five_w, opening, ticket};
use super::targets::{Posted, Target, dead_letters, deliver, deliverer, shown, subscribe};
use super::trio::Trio;
use super::webhook_rows::subscribing;

/// Every entry that is recorded from then on, in order, signed, with ids and deadlines.
pub async fn entries_are_posted_in_order(house: House) {
    let pair = Pair::with_a_desk(&house).await;
    house.pass(MINUTE);
    let target = Target::start().await;
    let subscription = subscribe(&pair, &pair.name, &target.uri()).await;
    assert!(subscription.secret.starts_with("whsec_"));
    assert_eq!(shown(&pair, &subscription.name).await.secret, "");
    let replica = deliverer(&house);
    deliver(&replica).await;
    assert_eq!(target.taken().len(), 0, "what was before is not posted");

    let reference = ticket(NORTH_PSA, "4711");
    let events = vec![
        opening("e1", &reference, 0, 1),
        event("e2", &reference, 30),
        event("e3", &reference, 40),
    ];
    pair.ingest(&pair.north, events).await;
    deliver(&replica).await;
    let posted = target.taken();
    let list = v1::ListEntriesRequest {
        parent: pair.name.clone(),
        ..Default::default()
    };
    let listed = ok(pair.north.connection.journal().list_entries(list)).await;
    let listed = &listed.entries[listed.entries.len() - posted.len()..];
    assert!(posted.len() >= 3, "{posted:#?}");
    for (posted, entry) in posted.iter().zip(listed) {
        let json = posted.json();
        assert_eq!(posted.kind, "application/cloudevents+json; charset=utf-8");
        assert_eq!(json["specversion"], "1.0");
        assert_eq!(json["id"], posted.id.as_str());
        assert_eq!(json["source"], pair.name.as_str());
        assert_eq!(json["type"], format!("entente.{}", entry.r#type));
        assert_eq!(json["data"]["subscription"], subscription.name.as_str());
        // The entry is, byte for byte, what `ListEntries` and `Watch` show.
        assert_eq!(json["data"]["entry"], as_json(entry));
        assert!(posted.is_signed_by(&subscription.secret));
        assert!(!posted.is_signed_by(&format!("whsec_{}", BASE64.encode(&[0; 32]))));
    }
    let mut all = posted.iter().map(Posted::json);
    let of_ticket = all.find(|json| json["data"]["entry"]["recordKind"] == "ticket");
    let data = of_ticket.unwrap()["data"].clone();
    assert_eq!(data["externalReferences"][0]["id"], "4711");
    assert!(data["clocks"][0]["dueTime"].is_string(), "{data:#}");
    let with_clocks = posted.iter().filter(|posted| {
        posted.json()["data"]["clocks"]
            .as_array()
            .is_some_and(|clocks| clocks.iter().any(|clock| clock["dueTime"].is_string()))
    });
    assert!(
        with_clocks.count() >= 3,
        "every entry of a ticket tells all deadlines"
    );
    deliver(&replica).await;
    assert_eq!(target.taken().len(), 0, "each once");
    house.stop().await;
}

/// A message of the contract as JSON.
fn as_json(entry: &v1::JournalEntry) -> Value {
    use prost::Message;
    let descriptor = entente::proto::pool().get_message_by_name("entente.v1.JournalEntry");
    let bytes = entry.encode_to_vec();
    let message = DynamicMessage::decode(descriptor.unwrap(), bytes.as_slice()).unwrap();
    serde_json::to_value(&message).unwrap()
}

/// Only the types that were asked for, also of partnerships that come later, and of one's own journal.
pub async fn sources_and_types_are_chosen(house: House) {
    let pair = Pair::with_a_desk(&house).await;
    house.pass(MINUTE);
    let (all, some, own) = (
        Target::start().await,
        Target::start().await,
        Target::start().await,
    );
    subscribe(&pair, "partnerships/-", &all.uri()).await;
    subscribe(&pair, "firms/north", &own.uri()).await;
    let mut request = subscribing(&pair.name, &some.uri());
    let asked = request.subscription.as_mut().unwrap();
    asked.event_types = vec!["client.*".to_owned(), "ticket.opened".to_owned()];
    let mut webhooks = pair.north.connection.webhooks();
    ok(webhooks.create_subscription(request)).await;
    let replica = deliverer(&house);
    deliver(&replica).await;
    all.taken();
    house.pass(MINUTE);
    let request = v1::CreateClientRequest {
        parent: pair.name.clone(),
        client: Some(v1::Client {
            display_name: "Brandt Freight".to_owned(),
            ..Default::default()
        }),
        ..Default::default()
    };
    ok(pair.north.connection.partnerships().create_client(request)).await;
    let later = Pair::between(&house, "north", "west").await;
    pair.offer().await;
    deliver(&replica).await;
    house.pass(MINUTE);
    deliver(&replica).await;
    let types = |target: &Target| -> Vec<String> {
        target.taken().iter().map(Posted::event_type).collect()
    };
    assert_eq!(types(&some), ["entente.client.created"]);
    let everything = all.taken();
    let of_later = everything
        .iter()
        .filter(|posted| posted.json()["source"] == later.name.as_str());
    assert!(
        of_later.count() > 0,
        "partnerships that came later are posted, too"
    );
    let own = types(&own);
    assert!(
        own.contains(&"entente.subscription.created".to_owned()),
        "{own:?}"
    );
    assert!(own.iter().all(|name| !name.contains("client")));
    house.stop().await;
}

/// Several replicas at once: each entry once, and in order.
pub async fn replicas_share_the_work(house: House) {
    let pair = Pair::with_a_desk(&house).await;
    house.pass(MINUTE);
    let target = Target::start().await;
    subscribe(&pair, &pair.name, &target.uri()).await;
    let replicas = [deliverer(&house), deliverer(&house), deliverer(&house)];
    deliver(&replicas[0]).await;
    house.pass(MINUTE);
    for number in 0..30 {
        let reference = ticket(NORTH_PSA, &format!("t{number}"));
        pair.ingest(&pair.north, vec![opening("e1", &reference, 0, 1)])
            .await;
    }
    let before = house.head(&pair.name).await.sequence;
    for _ in 0..5 {
        let looks = replicas.iter().map(Deliverer::deliver_once);
        for look in futures(looks).await {
            look.unwrap();
        }
    }
    let posted = target.taken();
    let sequences: Vec<u64> = posted
        .iter()
        .map(|posted| posted.id.rsplit('/').next().unwrap().parse().unwrap())
        .collect();
    let expected: Vec<u64> = (sequences[0]..=before).collect();
    assert_eq!(sequences, expected);
    assert!(sequences.len() >= 30);
    house.stop().await;
}

/// Waits for all at once.
async fn futures<T>(all: impl Iterator<Item = impl Future<Output = T> + Send>) -> Vec<T> {
    let mut waiting: Vec<_> = all.map(Box::pin).collect();
    let mut done: Vec<Option<T>> = waiting.iter().map(|_| None).collect();
    std::future::poll_fn(|context| {
        for (one, slot) in waiting.iter_mut().zip(&mut done) {
            if slot.is_none()
                && let std::task::Poll::Ready(value) = one.as_mut().poll(context)
            {
                *slot = Some(value);
            }
        }
        if done.iter().all(Option::is_some) {
            std::task::Poll::Ready(())
        } else {
            std::task::Poll::Pending
        }
    })
    .await;
    done.into_iter().flatten().collect()
}

/// A deliverer that runs posts by itself, and ends when it is told to.
pub async fn the_deliverer_works_by_itself(house: House) {
    let pair = Pair::with_a_desk(&house).await;
    house.pass(MINUTE);
    let target = Target::start().await;
    let api = Arc::clone(&house.running.application.api);
    let stop = CancellationToken::new();
    let running = Deliverer::new(api, true, stop.clone()).unwrap();
    let running = tokio::spawn(running.run());
    subscribe(&pair, &pair.name, &target.uri()).await;
    pair.draft().await;
    let mut posted = target.taken();
    for _ in 0..500 {
        if !posted.is_empty() {
            break;
        }
        tokio::time::sleep(std::time::Duration::from_millis(10)).await;
        posted = target.taken();
    }
    assert!(!posted.is_empty());
    stop.cancel();
    running.await.unwrap();
    house.stop().await;
}

/// Posts are signed by both secrets while both are good.
pub async fn secrets_of_subscriptions_are_rotated(house: House) {
    let pair = Pair::with_a_desk(&house).await;
    house.pass(MINUTE);
    let target = Target::start().await;
    let first = subscribe(&pair, &pair.name, &target.uri()).await;
    let replica = deliverer(&house);
    deliver(&replica).await;
    let rotating = v1::RotateSubscriptionSecretRequest {
        name: first.name.clone(),
        overlap: Some(lasting(HOUR)),
        ..Default::default()
    };
    let mut webhooks = pair.north.connection.webhooks();
    let second = ok(webhooks.rotate_subscription_secret(rotating)).await;
    assert_ne!(first.secret, second.secret);
    house.pass(MINUTE);
    pair.draft().await;
    deliver(&replica).await;
    let posted = target.taken();
    assert!(posted[0].is_signed_by(&first.secret) && posted[0].is_signed_by(&second.secret));
    house.pass(HOUR);
    pair.draft().await;
    deliver(&replica).await;
    let posted = target.taken();
    assert!(!posted[0].is_signed_by(&first.secret) && posted[0].is_signed_by(&second.secret));
    assert_eq!(second.previous_secret_expire_time, Some(at(MINUTE + HOUR)));
    house.stop().await;
}

/// Nothing sealed leaves, and nothing that a firm that left may not read.
pub async fn nothing_leaves_that_watch_would_not_show(house: House) {
    let trio = Trio::of(&house, Pair::with_a_desk(&house).await).await;
    let (pair, west) = (&trio.pair, &trio.west);
    house.pass(MINUTE);
    let (norths, wests) = (Target::start().await, Target::start().await);
    subscribe(pair, &pair.name, &norths.uri()).await;
    let request = v1::CreateSubscriptionRequest {
        parent: "firms/west".to_owned(),
        ..subscribing(&pair.name, &wests.uri())
    };
    ok(west.connection.webhooks().create_subscription(request)).await;
    let replica = deliverer(&house);
    deliver(&replica).await;
    house.pass(MINUTE);
    // Titles, descriptions, costs: all of them sealed.
    let mut draft = pair.draft_request(five_w(48));
    SOUTH.clone_into(&mut draft.expectation.as_mut().unwrap().obligor);
    let mut expectations = pair.north.connection.expectations();
    ok(expectations.create_expectation(draft.clone())).await;
    pair.quote(&[("pipes", 120_000)], &[]).await;
    let reference = ticket(NORTH_PSA, "1");
    pair.ingest(&pair.north, vec![opening("e1", &reference, 0, 1)])
        .await;
    deliver(&replica).await;
    let posted = norths.taken();
    assert!(!posted.is_empty());
    let scope = ScopeId::parse(&pair.name).unwrap();
    let openings = house
        .store()
        .list_openings(&scope, "", 1_000)
        .await
        .unwrap();
    let openings = openings.iter().filter(|opening| opening.value.len() > 4);
    let texts: Vec<&str> = openings
        .map(|opening| opening.value.trim_matches('"'))
        .collect();
    assert!(texts.len() > 3, "there is something to look for");
    for posted in &posted {
        let shown = String::from_utf8(posted.body.clone()).unwrap();
        let payload = posted.json()["data"]["entry"]["payload"]
            .as_str()
            .unwrap()
            .to_owned();
        let payload = String::from_utf8(BASE64.decode(payload.as_bytes()).unwrap()).unwrap();
        for text in &texts {
            assert!(
                !shown.contains(text) && !payload.contains(text),
                "{text}: {shown}"
            );
        }
    }
    assert_eq!(wests.taken().len(), posted.len());

    ok(west
        .connection
        .partnerships()
        .leave_partnership(leaving(&pair.name)))
    .await;
    house.pass(MINUTE);
    ok(expectations.create_expectation(draft)).await;
    deliver(&replica).await;
    let (norths, wests) = (norths.taken(), wests.taken());
    assert!(wests.len() < norths.len());
    let last = wests.last().map(Posted::event_type);
    assert_eq!(last.as_deref(), Some("entente.partnership.party_left"));
    house.stop().await;
}

pub async fn subscriptions_at_fault(house: House) {
    let pair = Pair::with_a_desk(&house).await;
    let other = Pair::between(&house, "east", "west").await;
    let mut webhooks = pair.north.connection.webhooks();
    for bad in [
        "",
        "ftp://psa.example/",
        "https://me:you@psa.example/",
        "https://psa.example/#a",
    ] {
        let call = webhooks
            .create_subscription(subscribing(&pair.name, bad))
            .await
            .unwrap_err();
        assert!(
            call.message().contains("subscription.target_uri"),
            "{bad}: {call:?}"
        );
    }
    let target = "https://psa.example/";
    let call = webhooks.create_subscription(subscribing("partnerships", target));
    faulty(&house, "INVALID_FIELD", &["subscription.source"], call).await;
    for foreign in [other.name.as_str(), "firms/south"] {
        let call = webhooks.create_subscription(subscribing(foreign, target));
        refuses(&house, "NOT_FOUND", call).await;
    }
    let made = ok(webhooks.create_subscription(subscribing(&pair.name, target))).await;
    let disabling = v1::DisableSubscriptionRequest {
        name: made.name.clone(),
        ..Default::default()
    };
    let disabled = ok(webhooks.disable_subscription(disabling)).await;
    let now = to_timestamp(house.running.application.api.now());
    assert_eq!(disabled.disable_time, Some(now));
    let replaying = v1::ReplayDeadLettersRequest {
        parent: made.name,
        ..Default::default()
    };
    let call = webhooks.replay_dead_letters(replaying);
    refuses(&house, "INVALID_STATE", call).await;
    house.stop().await;
}

/// Unless the operator allows it, no private address is called: not one that was subscribed while it was
/// allowed either, and not one that hides behind a name.
pub async fn private_targets_are_not_called(house: House) {
    let pair = Pair::with_a_desk(&house).await;
    house.pass(MINUTE);
    let target = Target::start().await;
    let hidden = format!("https://localhost:{}/", target.address.port());
    let named = subscribe(&pair, &pair.name, &hidden).await;
    let literal = subscribe(&pair, &pair.name, &target.uri()).await;
    let api = Arc::clone(&house.running.application.api);
    let replica = Deliverer::new(api, false, CancellationToken::new()).unwrap();
    let replica = Arc::new(replica);
    deliver(&replica).await;
    house.pass(MINUTE);
    pair.draft().await;
    let mut attempts = 0;
    while attempts < 10 {
        replica.deliver_once().await.unwrap();
        house.pass(HOUR);
        attempts += 1;
    }
    assert_eq!(target.taken().len(), 0);
    let why = |letters: &[v1::DeadLetter]| letters[0].last_error.clone();
    let named = why(&dead_letters(&pair, &named.name).await);
    assert_eq!(
        named,
        "the target's name stands for an address that is not public"
    );
    let literal = why(&dead_letters(&pair, &literal.name).await);
    assert_eq!(literal, "the target must be an https address");
    house.stop().await;
}
