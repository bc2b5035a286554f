//! What the deliverer of subscriptions keeps.

use entente::store::WriteSet;
use entente::store::deliveries::{DeadLetterRow, Deliveries, DeliveryRow, SubscriptionRow};

use crate::database::Database;
use crate::rows::{at, scope};

fn kept(database: &Database) -> &dyn Deliveries {
    database.store.deliveries().unwrap()
}

fn subscription(firm: &str, id: &str, state: &str) -> SubscriptionRow {
    SubscriptionRow {
        scope: scope(firm),
        id: id.to_owned(),
        state: state.to_owned(),
    }
}

fn delivery(firm: &str, subscription: &str, source: &str) -> DeliveryRow {
    DeliveryRow {
        scope: scope(firm),
        subscription: subscription.to_owned(),
        source: scope(source),
        sequence: 3,
        attempts: 0,
        due_at: at(5),
        failing_since: None,
        last_error: String::new(),
        version: 1,
    }
}

fn letter(source: &str, sequence: u64) -> DeadLetterRow {
    DeadLetterRow {
        scope: scope("a"),
        subscription: "s".to_owned(),
        source: scope(source),
        sequence,
        attempts: 10,
        last_error: "answered 500".to_owned(),
        failed_at: at(7),
        due_at: None,
        version: 1,
    }
}

pub async fn subscriptions_are_noted_and_listed(database: &Database) {
    let mut rows = vec![
        subscription("a", "s1", "active"),
        subscription("a", "s2", "active"),
        subscription("b", "s0", "active"),
    ];
    let write = |subscriptions: Vec<SubscriptionRow>| WriteSet {
        subscriptions,
        ..WriteSet::default()
    };
    database.write(&write(rows.clone())).await;
    "disabled".clone_into(&mut rows[1].state);
    database.write(&write(vec![rows[1].clone()])).await;
    let store = kept(database);
    assert_eq!(store.subscriptions(["", ""], 10).await.unwrap(), rows);
    assert_eq!(store.subscriptions(["", ""], 2).await.unwrap(), rows[..2]);
    let after = [rows[0].scope.as_str(), "s1"];
    assert_eq!(store.subscriptions(after, 10).await.unwrap(), rows[1..]);
}

pub async fn deliveries_change_from_the_version_that_was_read(database: &Database) {
    let store = kept(database);
    let row = delivery("a", "s", "p");
    store.create_delivery(&row).await.unwrap();
    let twice = DeliveryRow {
        sequence: 9,
        ..row.clone()
    };
    store.create_delivery(&twice).await.unwrap();
    let listed = store.deliveries(["", "", ""], 10).await.unwrap();
    assert_eq!(listed, std::slice::from_ref(&row), "what has begun goes on");
    let next = DeliveryRow {
        sequence: 4,
        attempts: 2,
        due_at: at(9),
        failing_since: Some(at(8)),
        last_error: "answered 500".to_owned(),
        version: 2,
        ..row.clone()
    };
    assert!(store.put_delivery(&next).await.unwrap());
    assert!(
        !store.put_delivery(&next).await.unwrap(),
        "another was faster"
    );
    let ahead = DeliveryRow {
        version: 4,
        ..row.clone()
    };
    assert!(!store.put_delivery(&ahead).await.unwrap());
    let listed = store.deliveries(["", "", ""], 10).await.unwrap();
    assert_eq!(listed, [next]);
}

pub async fn deliveries_ascend_by_their_keys(database: &Database) {
    let store = kept(database);
    let mut rows = vec![
        delivery("b", "s", "p"),
        delivery("a", "s2", "p"),
        delivery("a", "s1", "q"),
        delivery("a", "s1", "p"),
    ];
    for row in &rows {
        store.create_delivery(row).await.unwrap();
    }
    rows.reverse();
    assert_eq!(store.deliveries(["", "", ""], 10).await.unwrap(), rows);
    assert_eq!(store.deliveries(["", "", ""], 3).await.unwrap(), rows[..3]);
    let (scope, source) = (rows[1].scope.as_str(), rows[1].source.as_str());
    let listed = store.deliveries([scope, "s1", source], 10).await.unwrap();
    assert_eq!(listed, rows[2..]);
}

pub async fn dead_letters_come_and_go(database: &Database) {
    let store = kept(database);
    let rows = [letter("p", 2), letter("p", 11), letter("q", 1)];
    for row in rows.iter().rev() {
        assert!(store.put_dead_letter(row).await.unwrap());
        assert!(!store.put_dead_letter(row).await.unwrap(), "it is there");
    }
    let list =
        |after: (&'static str, u64), limit| store.dead_letters(&rows[0].scope, "s", after, limit);
    assert_eq!(list(("", 0), 10).await.unwrap(), rows);
    assert_eq!(list(("", 0), 2).await.unwrap(), rows[..2]);
    let source = rows[0].source.as_str();
    let after = store
        .dead_letters(&rows[0].scope, "s", (source, 2), 10)
        .await;
    assert_eq!(after.unwrap(), rows[1..]);
    assert_eq!(store.due_dead_letters(at(100), 10).await.unwrap(), []);
    let due = |row: &DeadLetterRow, seconds| DeadLetterRow {
        due_at: Some(at(seconds)),
        version: 2,
        ..row.clone()
    };
    let (late, early) = (due(&rows[0], 20), due(&rows[2], 10));
    for row in [&late, &early] {
        assert!(store.put_dead_letter(row).await.unwrap());
    }
    let found = store.due_dead_letters(at(20), 10).await.unwrap();
    assert_eq!(found, [early.clone(), late.clone()]);
    assert_eq!(
        store.due_dead_letters(at(19), 10).await.unwrap(),
        std::slice::from_ref(&early)
    );
    store.delete_dead_letter(&early).await.unwrap();
    store.delete_dead_letter(&early).await.unwrap();
    assert_eq!(list(("", 0), 10).await.unwrap(), [late, rows[1].clone()]);
}
