//! What is written comes back as it was.

use entente::domain::commitment::{Commitment, Opening, Readers, SALT_BYTES};
use entente::domain::identity::PartyId;
use entente::domain::record::Kind;
use entente::domain::time::Timestamp;
use entente::store::{
    BATCH_KEYS_MAX, BODY_BYTES_MAX, EntryHash, ReferenceRow, ReferencedRow, SealedRow, WriteSet,
    ZoneRow,
};

use crate::database::Database;
use crate::rows::{
    AWKWARD, all, at, credential, entries, entry, external, head, heads, key, record, record_at,
    records, reference, references, request, request_key, requests, scope, sealed,
};

/// Every value that a byte can have.
fn every_byte() -> Vec<u8> {
    (0..=u8::MAX).collect()
}

pub async fn heads_come_back(database: &Database) {
    let rows = vec![head("a", 1), head("b", 2)];
    database.write(&heads(rows.clone())).await;
    let mut found = database
        .store
        .heads(&[scope("b"), scope("a")])
        .await
        .unwrap();
    found.sort_by(|left, right| left.scope.cmp(&right.scope));
    assert_eq!(found, rows);
}

pub async fn entries_come_back(database: &Database) {
    let mut first = entry("a", 1);
    first.payload = every_byte();
    let mut second = entry("a", 2);
    second.payload = Vec::new();
    second.firm = String::new();
    second.actor = String::new();
    second.origin = String::new();
    second.event_version = u32::MAX;
    second.previous_hash = first.hash;
    database
        .write(&entries(vec![first.clone(), second.clone()]))
        .await;
    assert_eq!(
        database.store.entries(&scope("a"), 0, 10).await.unwrap(),
        [first, second]
    );
}

pub async fn records_come_back(database: &Database) {
    let mut due = record("a", "due");
    due.due_at = Some(at(5));
    due.state = String::new();
    "{\"text\": \"\\u0000 \\\" ä\"}".clone_into(&mut due.body);
    due.body_version = u32::MAX;
    let rows = vec![due, record("a", "plain")];
    database.write(&records(rows.clone())).await;
    let mut found = database
        .store
        .records(&[key("a", "plain"), key("a", "due")])
        .await
        .unwrap();
    found.sort_by(|left, right| left.key.cmp(&right.key));
    assert_eq!(found, rows);

    let mut changed = rows[0].clone();
    changed.revision = 5;
    "closed".clone_into(&mut changed.state);
    changed.due_at = None;
    changed.created_at = at(8);
    changed.updated_at = at(9);
    changed.body_version = 2;
    "[]".clone_into(&mut changed.body);
    database.write(&records(vec![changed.clone()])).await;
    assert_eq!(
        database.store.records(&[key("a", "due")]).await.unwrap(),
        [changed]
    );
}

pub async fn references_come_back(database: &Database) {
    let mut quote = reference("a", "INC1", "q1");
    quote.kind = Kind::JointQuote;
    let rows = vec![
        reference("a", "INC1", "t1"),
        quote,
        reference("a", "INC2", "t1"),
    ];
    database.write(&references(rows.clone())).await;

    let mut transaction = database.begin().await;
    let mut found = transaction
        .references(&[(scope("a"), external("INC1"))])
        .await
        .unwrap();
    found.sort_by_key(|row| row.reference.kind);
    assert_eq!(found, [alone(&rows[0]), alone(&rows[1])]);
    drop(transaction);

    let mut found = database
        .store
        .references_of(&[key("a", "t1")])
        .await
        .unwrap();
    found.sort_by(|left, right| left.reference.cmp(&right.reference));
    assert_eq!(found, [rows[0].clone(), rows[2].clone()]);
}

fn alone(row: &ReferenceRow) -> ReferencedRow {
    ReferencedRow {
        reference: row.clone(),
        record: None,
    }
}

pub async fn references_come_with_their_records(database: &Database) {
    let mut set = references(vec![
        reference("a", "INC1", "t1"),
        reference("a", "INC2", "t2"),
        reference("b", "INC1", "t1"),
    ]);
    set.records = vec![record("a", "t1"), record("a", "t2")];
    database.write(&set).await;

    let wanted = [
        (scope("a"), external("INC1")),
        (scope("b"), external("INC1")),
    ];
    let mut transaction = database.begin().await;
    let mut found = transaction.references(&wanted).await.unwrap();
    found.sort_by(|left, right| left.reference.scope.cmp(&right.reference.scope));
    let expected = ReferencedRow {
        reference: set.references[0].clone(),
        record: Some(set.records[0].clone()),
    };
    assert_eq!(found, [expected, alone(&set.references[2])]);
}

pub async fn hashes_of_entries_come_back(database: &Database) {
    let set = entries(vec![entry("a", 1), entry("a", 2), entry("a", 3)]);
    database.write(&set).await;
    let mut transaction = database.begin().await;
    let wanted = [
        (scope("a"), 2),
        (scope("a"), 3),
        (scope("a"), 4),
        (scope("b"), 2),
    ];
    let mut found = transaction.entry_hashes(&wanted).await.unwrap();
    found.sort_by_key(|row| row.sequence);
    let expected: Vec<EntryHash> = set.entries[1..]
        .iter()
        .map(|entry| EntryHash {
            scope: entry.scope.clone(),
            sequence: entry.sequence,
            hash: entry.hash,
        })
        .collect();
    assert_eq!(found, expected);
}

pub async fn requests_come_back(database: &Database) {
    let mut forever = request("a", "forever");
    forever.expires_at = None;
    let rows = vec![forever, request("a", "r1")];
    database.write(&requests(rows.clone())).await;
    let mut transaction = database.begin().await;
    let keys: Vec<_> = rows.iter().map(request_key).collect();
    let mut found = transaction.requests(&keys).await.unwrap();
    found.sort_by(|left, right| left.request_id.cmp(&right.request_id));
    assert_eq!(found, rows);
    let mut other_firm = keys[0].clone();
    "globex".clone_into(&mut other_firm.firm);
    assert_eq!(transaction.requests(&[other_firm]).await.unwrap(), []);
}

pub async fn openings_come_back(database: &Database) {
    let readers = Readers::Parties(vec![PartyId::numbered(1), PartyId::from_text("ä\"")]);
    let salt = std::array::from_fn::<u8, SALT_BYTES, _>(|index| 255 - u8::try_from(index).unwrap());
    let narrow = Opening::seal("cost", "12 €", salt, readers);
    let open = sealed("a", "title").opening;
    let rows = [narrow.clone(), open.clone()]
        .map(|opening| SealedRow {
            scope: scope("a"),
            opening,
        })
        .to_vec();
    database
        .write(&WriteSet {
            sealed: rows,
            ..WriteSet::default()
        })
        .await;
    let wanted = [narrow.commitment.clone(), Commitment::from_text("missing")];
    assert_eq!(
        database.store.openings(&scope("a"), &wanted).await.unwrap(),
        std::slice::from_ref(&narrow)
    );
    assert_eq!(
        database.store.openings(&scope("b"), &wanted).await.unwrap(),
        []
    );
    assert!(database.store.openings(&scope("a"), &wanted).await.unwrap()[0].is_genuine());
}

pub async fn zones_come_back(database: &Database) {
    let rows = vec![
        ZoneRow {
            scope: scope("a"),
            digest: "d1".to_owned(),
            tzif: every_byte(),
        },
        ZoneRow {
            scope: scope("a"),
            digest: "d2".to_owned(),
            tzif: Vec::new(),
        },
    ];
    database
        .write(&WriteSet {
            zones: rows.clone(),
            ..WriteSet::default()
        })
        .await;
    let keys: Vec<_> = rows
        .iter()
        .map(|row| (row.scope.clone(), row.digest.clone()))
        .collect();
    let mut found = database.store.zones(&keys).await.unwrap();
    found.sort_by(|left, right| left.digest.cmp(&right.digest));
    assert_eq!(found, rows);
    let mut transaction = database.begin().await;
    let mut found = transaction.zones(&keys).await.unwrap();
    found.sort_by(|left, right| left.digest.cmp(&right.digest));
    assert_eq!(found, rows);
}

pub async fn credentials_come_back(database: &Database) {
    let mut limited = credential("limited");
    limited.expires_at = Some(at(7));
    limited.revoked_at = Some(at(8));
    limited.permissions = String::new();
    limited.digest = [5; 32];
    limited.earlier_until = Some(at(9));
    let rows = vec![limited.clone(), credential("plain")];
    database
        .write(&WriteSet {
            credentials: rows.clone(),
            ..WriteSet::default()
        })
        .await;
    let ids = ["limited", "plain", "PLAIN", "plain"].map(str::to_owned);
    let mut found = database.store.credentials(&ids[..3]).await.unwrap();
    found.sort_by(|one, other| one.id.cmp(&other.id));
    assert_eq!(found, rows);
    let none = database.store.credentials(&ids[2..3]).await.unwrap();
    assert_eq!(none, []);
    let by_digest = database.store.credentials_by_digest(&[5; 32], 2).await;
    assert_eq!(by_digest.unwrap(), [limited]);
    let by_earlier = database.store.credentials_by_digest(&[9; 32], 2).await;
    assert_eq!(by_earlier.unwrap(), []);
}

pub async fn secrets_come_back(database: &Database) {
    let bytes = every_byte();
    assert_eq!(
        database.store.secret("digest", &bytes).await.unwrap(),
        bytes
    );
    assert_eq!(
        database.store.secret("digest", b"another").await.unwrap(),
        bytes
    );
    assert_eq!(database.store.secret("signing", b"s").await.unwrap(), b"s");
}

pub async fn awkward_text_comes_back(database: &Database) {
    let mut set = WriteSet::default();
    for (number, text) in AWKWARD.iter().enumerate() {
        let sequence = u64::try_from(number).unwrap() + 1;
        let mut row = record_at("a", &format!("id {text}"), sequence);
        (*text).clone_into(&mut row.state);
        row.body = serde_json::to_string(text).unwrap();
        set.records.push(row);
        let mut row = entry("a", sequence);
        (*text).clone_into(&mut row.firm);
        (*text).clone_into(&mut row.actor);
        (*text).clone_into(&mut row.origin);
        row.id = format!("id {text}");
        row.payload = text.as_bytes().to_vec();
        set.entries.push(row);
        let mut row = reference("a", text, "t1");
        (*text).clone_into(&mut row.reference.instance);
        set.references.push(row);
        set.requests.push(request("a", &format!("id {text}")));
        set.sealed.push(sealed("a", text));
    }
    database.write(&set).await;
    let store = &database.store;

    let keys: Vec<_> = set.records.iter().map(|row| row.key.clone()).collect();
    let mut found = store.records(&keys).await.unwrap();
    found.sort_by_key(|row| keys.iter().position(|key| *key == row.key));
    assert_eq!(found, set.records);
    assert_eq!(
        store.entries(&scope("a"), 0, 1_000).await.unwrap(),
        set.entries
    );

    let mut transaction = database.begin().await;
    for row in &set.references {
        let wanted = [(row.scope.clone(), row.reference.clone())];
        assert_eq!(
            transaction.references(&wanted).await.unwrap()[0].reference,
            *row
        );
    }
    let keys: Vec<_> = set.requests.iter().map(request_key).collect();
    assert_eq!(
        transaction.requests(&keys).await.unwrap().len(),
        AWKWARD.len()
    );
    drop(transaction);
    for row in &set.sealed {
        let wanted = [row.opening.commitment.clone()];
        assert_eq!(
            store.openings(&row.scope, &wanted).await.unwrap(),
            std::slice::from_ref(&row.opening)
        );
    }
    for row in &set.entries {
        let mut wanted = key("a", &row.id);
        wanted.kind = Kind::Ticket;
        assert_eq!(
            store.entries_of(&wanted, 0, 10).await.unwrap(),
            std::slice::from_ref(row)
        );
    }
}

pub async fn extreme_numbers_come_back(database: &Database) {
    let most = u64::try_from(i64::MAX).unwrap();
    let mut row = record("a", "t1");
    row.revision = most;
    row.sequence = most;
    row.due_at = Some(Timestamp::from_micros(i64::MIN));
    row.created_at = Timestamp::from_micros(i64::MIN);
    row.updated_at = Timestamp::from_micros(i64::MAX);
    let mut last = entry("a", most);
    last.recorded_at = Timestamp::from_micros(i64::MAX);
    last.previous_sequence = Some(most - 1);
    let mut end = head("a", most);
    end.recorded_at = Timestamp::from_micros(-1);
    let set = WriteSet {
        records: vec![row.clone()],
        entries: vec![last.clone()],
        heads: vec![end.clone()],
        ..WriteSet::default()
    };
    database.write(&set).await;
    let store = &database.store;
    assert_eq!(store.records(&[key("a", "t1")]).await.unwrap(), [row]);
    assert_eq!(
        store.entries(&scope("a"), most - 1, 10).await.unwrap(),
        [last]
    );
    assert_eq!(store.entries(&scope("a"), most, 10).await.unwrap(), []);
    assert_eq!(store.entries(&scope("a"), u64::MAX, 10).await.unwrap(), []);
    assert_eq!(store.heads(&[scope("a")]).await.unwrap(), [end]);
    let earliest = Timestamp::from_micros(i64::MIN);
    assert_eq!(store.due_records(earliest, 10).await.unwrap().len(), 1);
}

pub async fn the_largest_body_comes_back(database: &Database) {
    let mut row = record("a", "t1");
    row.body = format!("\"{}\"", "x".repeat(BODY_BYTES_MAX - 2));
    let mut quotes = record("a", "t2");
    quotes.body = format!("\"{}\"", "\\\"".repeat(BODY_BYTES_MAX / 2 - 1));
    let mut broad = record("a", "t3");
    broad.body = format!("\"{}\"", "ä".repeat(BODY_BYTES_MAX / 2 - 1));
    let rows = vec![row, quotes, broad];
    database.write(&records(rows.clone())).await;
    assert_eq!(database.store.list_records(&all("a")).await.unwrap(), rows);
}

pub async fn absent_keys_are_left_out(database: &Database) {
    database.write(&records(vec![record("a", "t1")])).await;
    let store = &database.store;
    let mut other_kind = key("a", "t1");
    other_kind.kind = Kind::Client;
    let wanted = [
        key("a", "t0"),
        key("a", "t1"),
        key("b", "t1"),
        other_kind,
        key("a", "T1"),
    ];
    assert_eq!(store.records(&wanted).await.unwrap(), [record("a", "t1")]);
    assert_eq!(store.references_of(&wanted).await.unwrap(), []);
    assert_eq!(store.heads(&[scope("a")]).await.unwrap(), []);
    assert_eq!(store.entries(&scope("a"), 0, 10).await.unwrap(), []);
    assert_eq!(store.entries_of(&key("a", "t1"), 0, 10).await.unwrap(), []);
    assert_eq!(
        store.zones(&[(scope("a"), "d".to_owned())]).await.unwrap(),
        []
    );
    let nobody = store.credentials(&["nobody".to_owned()]).await.unwrap();
    assert_eq!(nobody, Vec::new());
    assert_eq!(
        store
            .references_anywhere(&external("INC1"), 10)
            .await
            .unwrap(),
        []
    );
}

pub async fn no_keys_give_no_rows(database: &Database) {
    database.write(&records(vec![record("a", "t1")])).await;
    let store = &database.store;
    assert_eq!(store.records(&[]).await.unwrap(), []);
    assert_eq!(store.references_of(&[]).await.unwrap(), []);
    assert_eq!(store.heads(&[]).await.unwrap(), []);
    assert_eq!(store.openings(&scope("a"), &[]).await.unwrap(), []);
    assert_eq!(store.zones(&[]).await.unwrap(), []);
    let mut transaction = database.begin().await;
    assert_eq!(transaction.lock_heads(&[], &[], true).await.unwrap(), []);
    assert_eq!(transaction.records(&[]).await.unwrap(), []);
    assert_eq!(transaction.requests(&[]).await.unwrap(), []);
    assert_eq!(transaction.references(&[]).await.unwrap(), []);
    assert_eq!(transaction.zones(&[]).await.unwrap(), []);
    transaction.write(&WriteSet::default()).await.unwrap();
    transaction.commit().await.unwrap();
}

pub async fn as_many_keys_as_allowed_may_be_asked_for(database: &Database) {
    let rows: Vec<_> = (0..BATCH_KEYS_MAX)
        .map(|number| record("a", &format!("{number:05}")))
        .collect();
    database.write(&records(rows.clone())).await;
    let keys: Vec<_> = rows.iter().map(|row| row.key.clone()).collect();
    assert_eq!(
        database.store.records(&keys).await.unwrap().len(),
        BATCH_KEYS_MAX
    );
    let mut query = all("a");
    query.limit = BATCH_KEYS_MAX;
    assert_eq!(database.store.list_records(&query).await.unwrap(), rows);
}

pub async fn everything_survives_opening_again(database: &Database) {
    let set = WriteSet {
        heads: vec![head("a", 1)],
        entries: vec![entry("a", 1)],
        records: vec![record("a", "t1")],
        ..WriteSet::default()
    };
    database.write(&set).await;
    database.store.close().await;
    let again = database.open_again().await;
    assert_eq!(again.heads(&[scope("a")]).await.unwrap(), set.heads);
    assert_eq!(
        again.entries(&scope("a"), 0, 10).await.unwrap(),
        set.entries
    );
    assert_eq!(again.records(&[key("a", "t1")]).await.unwrap(), set.records);
    again.close().await;
}
