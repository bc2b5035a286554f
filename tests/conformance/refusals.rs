//! What the store does not do, and that it leaves nothing behind then.

use entente::domain::identity::ExternalReference;
use entente::domain::record::Kind;
use entente::store::{BATCH_KEYS_MAX, BODY_BYTES_MAX, StoreError, WriteSet};

use crate::database::Database;
use crate::rows::{
    all, at, credential, entries, entry, external, head, heads, key, record, records, reference,
    references, request, request_key, requests, scope, sealed,
};

/// Writes a set that must be refused, and checks that nothing of it was stored.
async fn refused(database: &Database, set: &WriteSet) {
    let marker = record("marker", "must-not-appear");
    let mut transaction = database.begin().await;
    transaction
        .write(&records(vec![marker.clone()]))
        .await
        .unwrap();
    let result = transaction.write(set).await;
    assert!(matches!(result, Err(StoreError::Refused(_))), "{result:?}");
    let result = transaction.commit().await;
    assert!(matches!(result, Err(StoreError::Refused(_))), "{result:?}");
    assert_eq!(database.store.records(&[marker.key]).await.unwrap(), []);
}

pub async fn the_journal_is_append_only(database: &Database) {
    let row = entry("a", 1);
    database.write(&entries(vec![row.clone()])).await;
    let mut attempts = vec!["UPDATE journal SET firm = 'x'", "DELETE FROM journal"];
    if database.is_sqlite() {
        attempts.push(
            "PRAGMA recursive_triggers = ON; REPLACE INTO journal SELECT scope_id, sequence, \
             recorded_at, 'x', actor, origin, record_kind, record_id, event_type, event_version, \
             payload, previous_hash, hash, previous_sequence FROM journal",
        );
    } else {
        attempts.extend(["TRUNCATE journal", "TRUNCATE journal, record CASCADE"]);
        // Whichever partition the row is in.
        attempts.push(
            "DO $$ DECLARE part text; BEGIN SELECT tableoid::regclass::text INTO part FROM journal; \
             EXECUTE 'TRUNCATE ' || part; END; $$",
        );
        attempts.push(
            "DO $$ DECLARE part text; BEGIN SELECT tableoid::regclass::text INTO part FROM journal; \
             EXECUTE 'DELETE FROM ' || part; END; $$",
        );
    }
    for attempt in attempts {
        let error = database.run(attempt).await.expect_err(attempt);
        assert!(
            error.to_string().contains("the journal is append-only"),
            "{attempt}: {error}"
        );
        assert_eq!(
            database.store.entries(&scope("a"), 0, 10).await.unwrap(),
            std::slice::from_ref(&row)
        );
    }
}

pub async fn a_sequence_is_used_once(database: &Database) {
    database.write(&entries(vec![entry("a", 1)])).await;
    let mut other = entry("a", 1);
    "t2".clone_into(&mut other.id);
    refused(database, &entries(vec![entry("a", 2), other])).await;
    refused(database, &entries(vec![entry("b", 1), entry("b", 1)])).await;
    assert_eq!(
        database.store.entries(&scope("a"), 0, 10).await.unwrap(),
        [entry("a", 1)]
    );
    assert_eq!(
        database.store.entries(&scope("b"), 0, 10).await.unwrap(),
        []
    );
}

pub async fn a_head_only_moves_forward(database: &Database) {
    database.write(&heads(vec![head("a", 5)])).await;
    refused(database, &heads(vec![head("a", 4)])).await;
    refused(database, &heads(vec![head("a", 5)])).await;
    database.write(&heads(vec![head("a", 6)])).await;
    assert_eq!(
        database.store.heads(&[scope("a")]).await.unwrap(),
        [head("a", 6)]
    );
}

pub async fn a_new_record_must_be_new(database: &Database) {
    database.write(&records(vec![record("a", "t1")])).await;
    let mut other = record("a", "t1");
    "[]".clone_into(&mut other.body);
    refused(database, &records(vec![record("a", "t2"), other])).await;
    assert_eq!(
        database.store.list_records(&all("a")).await.unwrap(),
        [record("a", "t1")]
    );
}

pub async fn a_revision_must_grow(database: &Database) {
    let mut third = record("a", "t1");
    third.revision = 3;
    database.write(&records(vec![third.clone()])).await;
    let mut stale = third.clone();
    "closed".clone_into(&mut stale.state);
    refused(database, &records(vec![stale.clone()])).await;
    stale.revision = 2;
    refused(database, &records(vec![stale.clone()])).await;
    stale.revision = 0;
    refused(database, &records(vec![stale])).await;
    assert_eq!(
        database.store.list_records(&all("a")).await.unwrap(),
        [third]
    );
}

pub async fn a_reference_keeps_its_record(database: &Database) {
    let row = reference("a", "INC1", "t1");
    database.write(&references(vec![row.clone()])).await;
    // The same again says nothing new, even twice.
    database
        .write(&references(vec![row.clone(), row.clone()]))
        .await;
    refused(database, &references(vec![reference("a", "INC1", "t2")])).await;
    refused(
        database,
        &references(vec![
            reference("a", "INC2", "t1"),
            reference("a", "INC2", "t2"),
        ]),
    )
    .await;
    let mut client = reference("a", "INC1", "c1");
    client.kind = Kind::Client;
    let others = [client, reference("b", "INC1", "t2")];
    database.write(&references(others.to_vec())).await;
    assert_eq!(
        database
            .store
            .references_anywhere(&external("INC1"), 10)
            .await
            .unwrap()
            .len(),
        3
    );
}

pub async fn a_request_is_carried_out_once(database: &Database) {
    let mut forever = request("a", "r1");
    forever.expires_at = None;
    database.write(&requests(vec![forever.clone()])).await;
    let mut again = request("a", "r1");
    "{\"sequence\":2}".clone_into(&mut again.outcome);
    refused(database, &requests(vec![again])).await;

    // One that expires may be used again; that it has expired is for the caller to know.
    database.write(&requests(vec![request("a", "r2")])).await;
    let mut again = request("a", "r2");
    "{\"sequence\":2}".clone_into(&mut again.outcome);
    again.digest = [8; 32];
    again.expires_at = Some(at(200));
    database.write(&requests(vec![again.clone()])).await;
    let mut transaction = database.begin().await;
    assert_eq!(
        transaction.requests(&[request_key(&again)]).await.unwrap(),
        [again]
    );
    assert_eq!(
        transaction
            .requests(&[request_key(&forever)])
            .await
            .unwrap(),
        [forever]
    );
}

pub async fn a_key_comes_once_in_a_batch(database: &Database) {
    let mut second = record("a", "t1");
    second.revision = 2;
    refused(database, &records(vec![record("a", "t1"), second])).await;
    refused(database, &heads(vec![head("a", 1), head("a", 2)])).await;
    refused(
        database,
        &requests(vec![request("a", "r1"), request("a", "r1")]),
    )
    .await;
    let twice = vec![credential("c"), credential("c")];
    refused(
        database,
        &WriteSet {
            credentials: twice,
            ..WriteSet::default()
        },
    )
    .await;
}

pub async fn bodies_are_limited(database: &Database) {
    let mut row = record("a", "t1");
    row.body = format!("\"{}\"", "x".repeat(BODY_BYTES_MAX - 1));
    refused(database, &records(vec![row.clone()])).await;
    // Bytes count, not characters.
    row.body = format!("\"{}\"", "ä".repeat(BODY_BYTES_MAX / 2));
    refused(database, &records(vec![row])).await;
}

pub async fn bodies_are_json(database: &Database) {
    for bad in [
        "", "{", "{a:1}", "{'a':1}", "[1,]", "nul", "01", "\"\t\"", "\"\\x\"", "{} {}", "NaN",
    ] {
        let mut row = record("a", "t1");
        bad.clone_into(&mut row.body);
        refused(database, &records(vec![row])).await;
    }
    let mut row = request("a", "r1");
    "no".clone_into(&mut row.outcome);
    refused(database, &requests(vec![row])).await;
}

pub async fn texts_have_no_zero_byte(database: &Database) {
    let zero = "a\0b".to_owned();
    refused(database, &records(vec![record("a", &zero)])).await;
    let mut row = record("a", "t1");
    row.state.clone_from(&zero);
    refused(database, &records(vec![row])).await;
    let mut row = record("a", "t1");
    "\"\0\"".clone_into(&mut row.body);
    refused(database, &records(vec![row])).await;
    let mut row = entry("a", 1);
    row.origin.clone_from(&zero);
    refused(database, &entries(vec![row])).await;
    refused(
        database,
        &WriteSet {
            sealed: vec![sealed("a", &zero)],
            ..WriteSet::default()
        },
    )
    .await;
    let found = database.store.records(&[key("a", &zero)]).await;
    assert!(matches!(found, Err(StoreError::Refused(_))), "{found:?}");
    let wanted = ExternalReference {
        system: zero,
        ..external("x")
    };
    let found = database.store.references_anywhere(&wanted, 1).await;
    assert!(matches!(found, Err(StoreError::Refused(_))), "{found:?}");
}

pub async fn numbers_beyond_the_range_are_refused(database: &Database) {
    let beyond = u64::try_from(i64::MAX).unwrap() + 1;
    refused(database, &entries(vec![entry("a", beyond)])).await;
    refused(database, &heads(vec![head("a", beyond)])).await;
    let mut row = record("a", "t1");
    row.revision = u64::MAX;
    refused(database, &records(vec![row])).await;
}

pub async fn kinds_and_hashes_are_checked(database: &Database) {
    refused(database, &entries(vec![entry("a", 0)])).await;
    let mut row = entry("a", 1);
    row.kind = String::new();
    refused(database, &entries(vec![row])).await;
    let mut row = entry("a", 1);
    row.event_version = 0;
    refused(database, &entries(vec![row])).await;
    refused(database, &records(vec![record("a", "")])).await;
    let bytes = if database.is_sqlite() {
        "x'00'"
    } else {
        "'\\x00'"
    };
    for bad in [
        format!(
            "INSERT INTO head (scope_id, sequence, hash, recorded_at) VALUES ('firms/a', 1, {bytes}, 1)"
        ),
        "INSERT INTO record (scope_id, kind, id, revision, state, created_at, updated_at, \
         body_version, body) VALUES ('firms/a', '', 'x', 1, '', 1, 1, 1, '{}')"
            .to_owned(),
        "INSERT INTO head (scope_id, sequence, hash, recorded_at) VALUES ('firms/a', 'x', '', 1)"
            .to_owned(),
    ] {
        database.run(&bad).await.expect_err(&bad);
    }
}

pub async fn too_many_keys_are_refused(database: &Database) {
    let keys: Vec<_> = (0..=BATCH_KEYS_MAX)
        .map(|number| key("a", &number.to_string()))
        .collect();
    let found = database.store.records(&keys).await;
    assert!(matches!(found, Err(StoreError::Refused(_))), "{found:?}");
}

pub async fn a_failed_transaction_cannot_commit(database: &Database) {
    let mut transaction = database.begin().await;
    transaction
        .write(&records(vec![record("a", "t1")]))
        .await
        .unwrap();
    let keys: Vec<_> = (0..=BATCH_KEYS_MAX)
        .map(|number| key("a", &number.to_string()))
        .collect();
    transaction.records(&keys).await.expect_err("too many keys");
    // Nothing reached the database, so the transaction still stands.
    assert_eq!(
        transaction.records(&[key("a", "t1")]).await.unwrap().len(),
        1
    );
    let mut row = record("a", "t2");
    "no".clone_into(&mut row.body);
    transaction
        .write(&records(vec![row]))
        .await
        .expect_err("no JSON");
    transaction
        .records(&[key("a", "t1")])
        .await
        .expect_err("the transaction has failed");
    transaction
        .write(&records(vec![record("a", "t3")]))
        .await
        .expect_err("the transaction has failed");
    transaction
        .commit()
        .await
        .expect_err("the transaction has failed");
    assert_eq!(database.store.list_records(&all("a")).await.unwrap(), []);
    // The connection is fit for the next one.
    database.write(&records(vec![record("a", "t4")])).await;
}
