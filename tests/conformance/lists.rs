//! Lists: their order, their limits, and what stays out of them.

use std::collections::BTreeMap;

use entente::domain::record::Kind;
use entente::domain::time::Timestamp;
use entente::store::{BATCH_KEYS_MAX, ListQuery, RecordRow, WriteSet};

use crate::database::Database;
use crate::rows::{
    AWKWARD, all, at, entries, entry, entry_after, external, head, heads, key, record, record_at,
    records, reference, references, scope, sealed,
};

fn ids(rows: &[RecordRow]) -> Vec<&str> {
    rows.iter().map(|row| row.key.id.as_str()).collect()
}

/// Reads a list to its end in pages of `size`.
async fn pages(database: &Database, mut query: ListQuery, size: usize) -> Vec<String> {
    query.limit = size;
    let mut found = Vec::new();
    loop {
        let page = database.store.list_records(&query).await.unwrap();
        assert!(page.len() <= size);
        let Some(last) = page.last() else {
            return found;
        };
        query.after_id.clone_from(&last.key.id);
        found.extend(page.into_iter().map(|row| row.key.id));
    }
}

pub async fn records_ascend_bytewise(database: &Database) {
    let mut expected: Vec<String> = AWKWARD.iter().map(|text| format!("x{text}")).collect();
    expected.extend(
        [
            "a", "A", "aa", "a-b", "a b", "a.b", "ab", "Z", "z", "é", "f", "10", "9",
        ]
        .map(str::to_owned),
    );
    let rows = expected.iter().map(|id| record("a", id)).collect();
    expected.sort();
    database.write(&records(rows)).await;
    let found = database.store.list_records(&all("a")).await.unwrap();
    assert_eq!(ids(&found), expected);
    assert_eq!(pages(database, all("a"), 3).await, expected);
    for (index, after) in expected.iter().enumerate() {
        let query = ListQuery {
            after_id: after.clone(),
            ..all("a")
        };
        let found = database.store.list_records(&query).await.unwrap();
        assert_eq!(ids(&found), expected[index + 1..], "after {after:?}");
    }
}

pub async fn records_can_be_filtered_by_state(database: &Database) {
    let states = ["open", "closed", "", "Open", "open "];
    let mut set = WriteSet::default();
    for number in 0..50 {
        let mut row = record("a", &format!("{number:02}"));
        states[number % states.len()].clone_into(&mut row.state);
        set.records.push(row);
    }
    database.write(&set).await;
    for (index, state) in states.iter().enumerate() {
        let query = ListQuery {
            state: Some((*state).to_owned()),
            ..all("a")
        };
        let expected: Vec<_> = (0..10)
            .map(|step| format!("{:02}", step * 5 + index))
            .collect();
        let found = database.store.list_records(&query).await.unwrap();
        assert_eq!(ids(&found), expected, "{state:?}");
        assert_eq!(pages(database, query, 3).await, expected, "{state:?}");
    }
    let none = ListQuery {
        state: Some("other".to_owned()),
        ..all("a")
    };
    assert_eq!(database.store.list_records(&none).await.unwrap(), []);

    let mut moved = set.records[0].clone();
    moved.revision = 2;
    "closed".clone_into(&mut moved.state);
    database.write(&records(vec![moved])).await;
    let open = ListQuery {
        state: Some("open".to_owned()),
        ..all("a")
    };
    assert_eq!(database.store.list_records(&open).await.unwrap().len(), 9);
}

pub async fn records_of_other_scopes_and_kinds_stay_out(database: &Database) {
    let mut client = record("a", "t2");
    client.key.kind = Kind::Client;
    let rows = vec![
        record("a", "t1"),
        client,
        record("a-b", "t3"),
        record("b", "t4"),
    ];
    database.write(&records(rows)).await;
    assert_eq!(
        ids(&database.store.list_records(&all("a")).await.unwrap()),
        ["t1"]
    );
    assert_eq!(
        ids(&database.store.list_records(&all("a-b")).await.unwrap()),
        ["t3"]
    );
}

pub async fn pages_are_stable_under_inserts(database: &Database) {
    let rows = (0..20)
        .map(|number| record("a", &format!("{:02}", number * 2)))
        .collect();
    database.write(&records(rows)).await;
    let mut query = ListQuery {
        limit: 5,
        ..all("a")
    };
    let mut found = Vec::new();
    for round in 0.. {
        let page = database.store.list_records(&query).await.unwrap();
        let Some(last) = page.last() else { break };
        query.after_id.clone_from(&last.key.id);
        found.extend(page.iter().map(|row| row.key.id.clone()));
        // One behind the reader and one ahead of it.
        let behind = record("a", &format!("0{round}-behind"));
        let ahead = record("a", &format!("9{round}-ahead"));
        if round < 3 {
            database.write(&records(vec![behind, ahead])).await;
        }
    }
    let mut distinct = found.clone();
    distinct.dedup();
    assert_eq!(found, distinct, "nothing comes twice");
    for number in 0..20 {
        assert!(
            found.contains(&format!("{:02}", number * 2)),
            "nothing is left out"
        );
    }
    assert!(found.is_sorted());
}

pub async fn limits_are_kept(database: &Database) {
    let set = WriteSet {
        heads: vec![head("a", 1), head("b", 1), head("c", 1)],
        entries: vec![
            entry("a", 1),
            entry_after("a", 2, 1),
            entry_after("a", 3, 2),
        ],
        records: vec![
            record_at("a", "t1", 3),
            record("a", "t2"),
            record("a", "t3"),
        ],
        references: vec![
            reference("a", "X", "t1"),
            reference("b", "X", "t1"),
            reference("c", "X", "t1"),
        ],
        sealed: vec![sealed("a", "1"), sealed("a", "2"), sealed("a", "3")],
        ..WriteSet::default()
    };
    database.write(&set).await;
    let store = &database.store;
    for limit in [
        0,
        1,
        2,
        3,
        4,
        BATCH_KEYS_MAX,
        BATCH_KEYS_MAX + 1,
        usize::MAX,
    ] {
        let expected = limit.min(3);
        let query = ListQuery { limit, ..all("a") };
        assert_eq!(store.list_records(&query).await.unwrap().len(), expected);
        assert_eq!(store.list_heads("", limit).await.unwrap().len(), expected);
        assert_eq!(
            store.entries(&scope("a"), 0, limit).await.unwrap().len(),
            expected
        );
        assert_eq!(
            store
                .entries_of(&key("a", "t1"), 0, limit)
                .await
                .unwrap()
                .len(),
            expected
        );
        assert_eq!(
            store
                .references_anywhere(&external("X"), limit)
                .await
                .unwrap()
                .len(),
            expected
        );
        assert_eq!(
            store
                .list_openings(&scope("a"), "", limit)
                .await
                .unwrap()
                .len(),
            expected
        );
    }
}

pub async fn due_records_come_longest_due_first(database: &Database) {
    let due = |scope_id: &str, kind: Kind, id: &str, seconds: Option<i64>| {
        let mut row = record(scope_id, id);
        row.key.kind = kind;
        row.due_at = seconds.map(at);
        row
    };
    let ordered = vec![
        due("z", Kind::Ticket, "z", Some(-5)),
        due("a", Kind::Expectation, "Z", Some(1)),
        due("a", Kind::Expectation, "a", Some(1)),
        due("a", Kind::Ticket, "a", Some(1)),
        due("a-b", Kind::Carry, "a", Some(1)),
        due("a0", Kind::Carry, "a", Some(1)),
        due("a", Kind::Ticket, "b", Some(2)),
    ];
    let mut rows = ordered.clone();
    rows.reverse();
    rows.push(due("a", Kind::Ticket, "later", Some(3)));
    rows.push(due("a", Kind::Ticket, "never", None));
    database.write(&records(rows)).await;
    let expected: Vec<_> = ordered
        .iter()
        .map(|row| (row.key.clone(), row.due_at.unwrap()))
        .collect();
    let found = database.store.due_records(at(2), 100).await.unwrap();
    let found: Vec<_> = found.into_iter().map(|row| (row.key, row.due_at)).collect();
    assert_eq!(found, expected);
    let first = database.store.due_records(at(2), 3).await.unwrap();
    assert_eq!(first.len(), 3);
    let none = Timestamp::from_micros(at(-5).as_micros() - 1);
    assert_eq!(database.store.due_records(none, 100).await.unwrap(), []);

    let mut done = ordered[0].clone();
    done.revision = 2;
    done.due_at = None;
    database.write(&records(vec![done])).await;
    assert_eq!(
        database.store.due_records(at(2), 100).await.unwrap().len(),
        6
    );
}

pub async fn heads_ascend_bytewise(database: &Database) {
    let ids = ["a", "a-a", "a0", "aa", "b", "9", "0-z"];
    let rows: Vec<_> = ids.iter().map(|id| head(id, 1)).collect();
    database.write(&heads(rows.clone())).await;
    let mut expected = rows;
    expected.sort_by(|left, right| left.scope.cmp(&right.scope));
    assert_eq!(database.store.list_heads("", 100).await.unwrap(), expected);
    let after = expected[2].scope.as_str();
    assert_eq!(
        database.store.list_heads(after, 2).await.unwrap(),
        expected[3..5]
    );
    assert_eq!(
        database
            .store
            .list_heads("partnerships/a", 1)
            .await
            .unwrap()[0]
            .scope,
        scope("a-a")
    );
}

pub async fn entries_ascend(database: &Database) {
    let rows = [3, 1, 2, 11, 10]
        .map(|sequence| entry("a", sequence))
        .to_vec();
    database.write(&entries(rows)).await;
    database
        .write(&entries(vec![entry("b", 1), entry("a", 9)]))
        .await;
    let sequences = |after, limit| async move {
        let found = database
            .store
            .entries(&scope("a"), after, limit)
            .await
            .unwrap();
        found.iter().map(|entry| entry.sequence).collect::<Vec<_>>()
    };
    assert_eq!(sequences(0, 100).await, [1, 2, 3, 9, 10, 11]);
    assert_eq!(sequences(2, 3).await, [3, 9, 10]);
    assert!(sequences(11, 3).await.is_empty());
}

pub async fn entries_of_a_record_ascend(database: &Database) {
    let mut set = WriteSet::default();
    let mut last = BTreeMap::new();
    for sequence in 1..=20 {
        let mut row = entry("a", sequence);
        row.id = format!("t{}", sequence % 3);
        if sequence % 4 == 0 {
            Kind::Client.as_str().clone_into(&mut row.kind);
        }
        row.previous_sequence = last.insert((row.kind.clone(), row.id.clone()), sequence);
        set.entries.push(row);
    }
    for ((kind, id), sequence) in last {
        let mut row = record_at("a", &id, sequence);
        row.key.kind = Kind::parse(&kind).unwrap();
        set.records.push(row);
    }
    database.write(&set).await;
    let sequences = |after, limit| async move {
        let found = database
            .store
            .entries_of(&key("a", "t1"), after, limit)
            .await
            .unwrap();
        found.iter().map(|entry| entry.sequence).collect::<Vec<_>>()
    };
    assert_eq!(sequences(0, 100).await, [1, 7, 10, 13, 19]);
    assert_eq!(sequences(7, 2).await, [10, 13]);
    assert_eq!(sequences(8, 2).await, [10, 13]);
    assert!(sequences(19, 2).await.is_empty());
}

pub async fn openings_ascend(database: &Database) {
    let rows: Vec<_> = (0..10)
        .map(|number| sealed("a", &number.to_string()))
        .collect();
    let set = WriteSet {
        sealed: rows.clone(),
        ..WriteSet::default()
    };
    database.write(&set).await;
    let mut expected: Vec<_> = rows.into_iter().map(|row| row.opening).collect();
    expected.sort_by(|left, right| left.commitment.cmp(&right.commitment));
    let store = &database.store;
    assert_eq!(
        store.list_openings(&scope("a"), "", 100).await.unwrap(),
        expected
    );
    let after = expected[4].commitment.as_str();
    assert_eq!(
        store.list_openings(&scope("a"), after, 2).await.unwrap(),
        expected[5..7]
    );
    assert_eq!(store.list_openings(&scope("b"), "", 100).await.unwrap(), []);
}

pub async fn references_are_found_in_every_scope(database: &Database) {
    let mut quote = reference("a", "INC1", "q");
    quote.kind = Kind::JointQuote;
    let ordered = vec![
        quote,
        reference("a", "INC1", "t"),
        reference("a-b", "INC1", "t"),
        reference("a0", "INC1", "T"),
    ];
    let mut rows = ordered.clone();
    rows.reverse();
    rows.push(reference("a", "inc1", "t2"));
    let mut other = reference("a", "INC1", "t3");
    other.reference.instance = String::new();
    rows.push(other);
    database.write(&references(rows)).await;
    let store = &database.store;
    assert_eq!(
        store
            .references_anywhere(&external("INC1"), 100)
            .await
            .unwrap(),
        ordered
    );
    assert_eq!(
        store
            .references_anywhere(&external("INC1"), 2)
            .await
            .unwrap(),
        ordered[..2]
    );
}
