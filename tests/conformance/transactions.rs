//! Transactions: all or nothing, one after the other where they meet.

use std::time::Duration;

use entente::store::{SealedRow, Store, StoreError, WriteSet, ZoneRow};

use crate::database::Database;
use crate::rows::{
    all, at, credential, head, heads, key, record, records, request, request_key, requests, scope,
    sealed,
};

/// Long enough for what happens at once, short enough for what must not happen.
const MOMENT: Duration = Duration::from_millis(300);

pub async fn dropping_rolls_back(database: &Database) {
    let mut transaction = database.begin().await;
    transaction
        .lock_heads(&[scope("a")], &[scope("a")], true)
        .await
        .unwrap();
    transaction
        .write(&records(vec![record("a", "t1")]))
        .await
        .unwrap();
    drop(transaction);
    assert_eq!(database.store.list_records(&all("a")).await.unwrap(), []);
    assert_eq!(database.store.heads(&[scope("a")]).await.unwrap(), []);
    // Neither the lock nor the connection is lost.
    let mut transaction = database.begin().await;
    assert_eq!(
        transaction
            .lock_heads(&[scope("a")], &[scope("a")], true)
            .await
            .unwrap()
            .len(),
        1
    );
    transaction
        .write(&records(vec![record("a", "t1")]))
        .await
        .unwrap();
    transaction.commit().await.unwrap();
    assert_eq!(
        database.store.list_records(&all("a")).await.unwrap(),
        [record("a", "t1")]
    );
}

pub async fn writes_show_only_after_commit(database: &Database) {
    database.write(&records(vec![record("a", "t1")])).await;
    let mut changed = record("a", "t1");
    changed.revision = 2;
    "closed".clone_into(&mut changed.state);
    let mut transaction = database.begin().await;
    transaction
        .write(&records(vec![changed.clone(), record("a", "t2")]))
        .await
        .unwrap();
    // Readers do not wait, and see what was there before.
    assert_eq!(
        database.store.list_records(&all("a")).await.unwrap(),
        [record("a", "t1")]
    );
    let again = database.open_again().await;
    assert_eq!(
        again
            .records(&[key("a", "t1"), key("a", "t2")])
            .await
            .unwrap(),
        [record("a", "t1")]
    );
    transaction.commit().await.unwrap();
    let after = [changed, record("a", "t2")];
    assert_eq!(database.store.list_records(&all("a")).await.unwrap(), after);
    assert_eq!(again.list_records(&all("a")).await.unwrap(), after);
    again.close().await;
}

pub async fn a_transaction_sees_its_own_writes(database: &Database) {
    let mut transaction = database.begin().await;
    let row = request("a", "r1");
    let set = WriteSet {
        records: vec![record("a", "t1")],
        requests: vec![row.clone()],
        ..WriteSet::default()
    };
    transaction.write(&set).await.unwrap();
    assert_eq!(
        transaction.records(&[key("a", "t1")]).await.unwrap(),
        [record("a", "t1")]
    );
    assert_eq!(
        transaction.requests(&[request_key(&row)]).await.unwrap(),
        [row]
    );
}

pub async fn heads_are_made_when_asked_for(database: &Database) {
    let mut transaction = database.begin().await;
    assert_eq!(
        transaction
            .lock_heads(&[scope("a")], &[], true)
            .await
            .unwrap(),
        []
    );
    let (wanted, missing) = ([scope("a"), scope("b")], [scope("a"), scope("a")]);
    let made = transaction
        .lock_heads(&wanted, &missing, true)
        .await
        .unwrap();
    assert_eq!(made, [entente::domain::journal::Head::new(scope("a"))]);
    transaction.commit().await.unwrap();
    database.write(&heads(vec![head("a", 3)])).await;
    let mut transaction = database.begin().await;
    let found = transaction
        .lock_heads(&[scope("a")], &[scope("a")], true)
        .await
        .unwrap();
    assert_eq!(found, [head("a", 3)], "what is there stays as it is");
}

pub async fn heads_are_locked_in_order(database: &Database) {
    let ids = ["b", "a-c", "a", "a0"];
    database
        .write(&heads(ids.iter().map(|id| head(id, 1)).collect()))
        .await;
    let mut scopes: Vec<_> = ids.iter().map(|id| scope(id)).collect();
    scopes.push(scope("a"));
    let mut transaction = database.begin().await;
    for wait in [true, false] {
        let found = transaction.lock_heads(&scopes, &[], wait).await.unwrap();
        let found: Vec<_> = found.iter().map(|head| head.scope.id()).collect();
        assert_eq!(found, ["a", "a-c", "a0", "b"]);
    }
}

/// On `SQLite` the second transaction begins only after the first; on `PostgreSQL` it goes on with the
/// scopes that are free, or waits for the one that is not.
pub async fn the_second_writer_of_a_scope_waits(database: &Database) {
    database
        .write(&heads(vec![head("a", 1), head("b", 1)]))
        .await;
    let mut first = database.begin().await;
    assert_eq!(
        first
            .lock_heads(&[scope("a")], &[], false)
            .await
            .unwrap()
            .len(),
        1
    );
    first.write(&heads(vec![head("a", 2)])).await.unwrap();
    if !database.is_sqlite() {
        let mut second = database.begin().await;
        let free = second
            .lock_heads(&[scope("a"), scope("b")], &[], false)
            .await
            .unwrap();
        assert_eq!(free, [head("b", 1)]);
    }
    let second = async {
        let mut second = database.begin().await;
        let found = second
            .lock_heads(&[scope("a")], &[scope("a")], true)
            .await
            .unwrap();
        assert_eq!(found, [head("a", 2)], "it sees what the first has written");
    };
    let mut second = std::pin::pin!(second);
    assert!(
        tokio::time::timeout(MOMENT, &mut second).await.is_err(),
        "the second has to wait"
    );
    first.commit().await.unwrap();
    second.await;
}

pub async fn writers_of_a_scope_take_turns(database: &Database) {
    const WRITERS: usize = 8;
    const ROUNDS: usize = 10;
    let other = database.open_again().await;
    let mut tasks = tokio::task::JoinSet::new();
    for number in 0..WRITERS {
        let store = if number % 2 == 0 {
            database.store.clone()
        } else {
            other.clone()
        };
        tasks.spawn(async move {
            for _ in 0..ROUNDS {
                advance(store.as_ref()).await;
            }
        });
    }
    while let Some(done) = tasks.join_next().await {
        done.unwrap();
    }
    let expected = u64::try_from(WRITERS * ROUNDS).unwrap();
    assert_eq!(
        database.store.heads(&[scope("a")]).await.unwrap()[0].sequence,
        expected
    );
    other.close().await;
}

/// Moves the head of scope `a` on by one.
async fn advance(store: &dyn Store) {
    let mut transaction = store.begin().await.unwrap();
    let mut found = transaction
        .lock_heads(&[scope("a")], &[scope("a")], true)
        .await
        .unwrap();
    found[0].sequence += 1;
    transaction.write(&heads(found)).await.unwrap();
    transaction.commit().await.unwrap();
}

/// Two decide on the same revision without a lock: the later write is refused.
pub async fn no_update_is_lost(database: &Database) {
    database.write(&records(vec![record("a", "t1")])).await;
    let seen = database
        .store
        .records(&[key("a", "t1")])
        .await
        .unwrap()
        .remove(0);
    let mut mine = seen.clone();
    mine.revision += 1;
    "mine".clone_into(&mut mine.state);
    let mut theirs = seen;
    theirs.revision += 1;
    "theirs".clone_into(&mut theirs.state);
    database.write(&records(vec![mine.clone()])).await;
    let mut transaction = database.begin().await;
    let result = transaction.write(&records(vec![theirs])).await;
    assert!(matches!(result, Err(StoreError::Refused(_))), "{result:?}");
    drop(transaction);
    assert_eq!(
        database.store.records(&[key("a", "t1")]).await.unwrap(),
        [mine]
    );
}

/// A caller that stops waiting in the midst of a statement leaves neither rows nor locks.
pub async fn an_abandoned_statement_leaves_nothing(database: &Database) {
    let rows: Vec<_> = (0..2_000)
        .map(|number| record("a", &format!("{number:04}")))
        .collect();
    let set = records(rows);
    for micros in [0, 50, 200, 1_000, 5_000] {
        let mut transaction = database.begin().await;
        let patience = Duration::from_micros(micros);
        let _ = tokio::time::timeout(patience, transaction.write(&set)).await;
        drop(transaction);
        let _ = tokio::time::timeout(patience, database.store.list_records(&all("a"))).await;
        let _ = tokio::time::timeout(patience, database.store.begin()).await;
    }
    assert_eq!(database.store.list_records(&all("a")).await.unwrap(), []);
    database.write(&set).await;
    assert_eq!(
        database.store.list_records(&all("a")).await.unwrap().len(),
        1_000
    );
}

pub async fn a_secret_is_chosen_once(database: &Database) {
    let other = database.open_again().await;
    let mut tasks = tokio::task::JoinSet::new();
    for number in 0..20_u8 {
        let store = if number % 2 == 0 {
            database.store.clone()
        } else {
            other.clone()
        };
        tasks.spawn(async move { store.secret("digest", &[number; 32]).await.unwrap() });
    }
    let mut seen = std::collections::BTreeSet::new();
    while let Some(secret) = tasks.join_next().await {
        seen.insert(secret.unwrap());
    }
    assert_eq!(seen.len(), 1);
    other.close().await;
}

pub async fn expired_requests_are_purged(database: &Database) {
    let row = |id: &str, expires_at: Option<i64>| {
        let mut row = request("a", id);
        row.expires_at = expires_at.map(at);
        row
    };
    let rows = vec![
        row("first", Some(1)),
        row("second", Some(2)),
        row("third", Some(3)),
        row("now", Some(4)),
        row("never", None),
    ];
    database.write(&requests(rows.clone())).await;
    let keys: Vec<_> = rows.iter().map(request_key).collect();
    assert_eq!(database.store.purge_requests(at(4), 2).await.unwrap(), 2);
    let mut transaction = database.begin().await;
    let mut left = transaction.requests(&keys).await.unwrap();
    left.sort_by_key(|row| row.expires_at);
    assert_eq!(
        left,
        [rows[4].clone(), rows[2].clone(), rows[3].clone()],
        "the oldest went first"
    );
    drop(transaction);
    assert_eq!(database.store.purge_requests(at(4), 100).await.unwrap(), 1);
    assert_eq!(database.store.purge_requests(at(4), 100).await.unwrap(), 0);
    assert_eq!(database.store.purge_requests(at(5), 0).await.unwrap(), 0);
    assert_eq!(database.store.purge_requests(at(5), 100).await.unwrap(), 1);
}

pub async fn openings_and_zones_stay_as_they_are(database: &Database) {
    let zone = ZoneRow {
        scope: scope("a"),
        digest: "d".to_owned(),
        tzif: vec![1],
    };
    let opening = sealed("a", "title");
    let set = WriteSet {
        sealed: vec![opening.clone()],
        zones: vec![zone.clone()],
        ..WriteSet::default()
    };
    database.write(&set).await;
    let mut other_zone = zone.clone();
    other_zone.tzif = vec![2];
    let mut other_opening = opening.clone();
    "forged".clone_into(&mut other_opening.opening.value);
    let set = WriteSet {
        sealed: vec![other_opening.clone(), other_opening, sealed("a", "new")],
        zones: vec![other_zone.clone(), other_zone],
        ..WriteSet::default()
    };
    database.write(&set).await;
    let wanted = [opening.opening.commitment.clone()];
    assert_eq!(
        database.store.openings(&scope("a"), &wanted).await.unwrap(),
        [opening.opening]
    );
    assert_eq!(
        database
            .store
            .list_openings(&scope("a"), "", 10)
            .await
            .unwrap()
            .len(),
        2
    );
    assert_eq!(
        database
            .store
            .zones(&[(scope("a"), "d".to_owned())])
            .await
            .unwrap(),
        [zone]
    );
}

/// What is erased is gone, also if it was added by the same set; the rest stays.
pub async fn openings_are_erased(database: &Database) {
    let (old, kept, new) = (sealed("a", "old"), sealed("a", "kept"), sealed("a", "new"));
    let set = WriteSet {
        sealed: vec![old.clone(), kept.clone()],
        ..WriteSet::default()
    };
    database.write(&set).await;
    let key = |row: &SealedRow| (row.scope.clone(), row.opening.commitment.clone());
    let elsewhere = (scope("b"), kept.opening.commitment.clone());
    let set = WriteSet {
        sealed: vec![new.clone()],
        erased: vec![key(&old), key(&new), key(&old), elsewhere],
        ..WriteSet::default()
    };
    database.write(&set).await;
    let left = database.store.list_openings(&scope("a"), "", 10).await;
    assert_eq!(left.unwrap(), [kept.opening]);
    database.store.scrub().await.unwrap();
}

pub async fn credentials_are_replaced(database: &Database) {
    let mut row = credential("c");
    database
        .write(&WriteSet {
            credentials: vec![row.clone()],
            ..WriteSet::default()
        })
        .await;
    let store = &database.store;
    store.touch_credential("c", at(8)).await.unwrap();
    store.touch_credential("absent", at(8)).await.unwrap();
    row.revoked_at = Some(at(9));
    row.digest = [1; 32];
    "none".clone_into(&mut row.permissions);
    database
        .write(&WriteSet {
            credentials: vec![row.clone()],
            ..WriteSet::default()
        })
        .await;
    // What is known of its use is nobody's to write but by its use.
    row.last_used_at = Some(at(8));
    let found = store.credentials(&["c".to_owned()]).await.unwrap();
    assert_eq!(found, std::slice::from_ref(&row));
    let mut other = credential("b");
    other.digest = [1; 32];
    let set = WriteSet {
        credentials: vec![other.clone()],
        ..WriteSet::default()
    };
    database.write(&set).await;
    let found = store.credentials_by_digest(&[1; 32], 9).await.unwrap();
    assert_eq!(found, [other.clone(), row]);
    let found = store.credentials_by_digest(&[1; 32], 1).await.unwrap();
    assert_eq!(found, [other]);
}

pub async fn a_closed_store_refuses_work(database: &Database) {
    database.store.ping().await.unwrap();
    database.store.close().await;
    let unavailable =
        |error: StoreError| assert!(matches!(error, StoreError::Unavailable(_)), "{error:?}");
    unavailable(database.store.ping().await.unwrap_err());
    unavailable(database.store.records(&[key("a", "t1")]).await.unwrap_err());
    unavailable(database.store.secret("s", b"x").await.unwrap_err());
    unavailable(database.store.purge_requests(at(1), 1).await.unwrap_err());
    unavailable(
        database
            .store
            .begin()
            .await
            .err()
            .expect("a closed store begins nothing"),
    );
    database.store.close().await;
}

pub async fn closing_waits_for_work(database: &Database) {
    let mut transaction = database.begin().await;
    transaction
        .write(&records(vec![record("a", "t1")]))
        .await
        .unwrap();
    let mut closing = std::pin::pin!(database.store.close());
    assert!(tokio::time::timeout(MOMENT, &mut closing).await.is_err());
    transaction.commit().await.unwrap();
    closing.await;
    let again = database.open_again().await;
    assert_eq!(
        again.list_records(&all("a")).await.unwrap(),
        [record("a", "t1")]
    );
    again.close().await;
}
