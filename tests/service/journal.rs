//! The journal: pages, streams, checkpoints, receipts.

use std::time::Duration;

use entente::api::{HASH_METADATA, SEQUENCE_METADATA};
use entente::domain::identity::ScopeId;
use entente::domain::journal::{Head, follow};
use entente::ledger::checkpoint;
use entente::proto::v1::{self, watch_response::Event};
use tonic::Streaming;

use super::calls::{accepted, ok, refuses};
use super::house::{Firm, House};
use super::setting::{Pair, invitation};

/// How long an entry may take until it is streamed.
const PATIENCE: Duration = Duration::from_secs(10);

async fn record(pair: &Pair, firm: &Firm) -> (i64, String) {
    let request = v1::CreateClientRequest {
        parent: pair.name.clone(),
        client: Some(v1::Client {
            display_name: "Somebody".to_owned(),
            ..Default::default()
        }),
        origin: "psa-main".to_owned(),
        ..Default::default()
    };
    let response = accepted(firm.connection.partnerships().create_client(request)).await;
    let text = |key: &str| {
        response
            .metadata()
            .get(key)
            .unwrap()
            .to_str()
            .unwrap()
            .to_owned()
    };
    (
        text(SEQUENCE_METADATA).parse().unwrap(),
        text(HASH_METADATA),
    )
}

/// All entries, in pages of three.
async fn pages(firm: &Firm, scope: &str) -> Vec<v1::JournalEntry> {
    let mut entries = Vec::new();
    let mut request = v1::ListEntriesRequest {
        parent: scope.to_owned(),
        page_size: 3,
        ..Default::default()
    };
    loop {
        let page = ok(firm.connection.journal().list_entries(request.clone())).await;
        assert!(page.entries.len() <= 3);
        entries.extend(page.entries);
        request.page_token = page.next_page_token;
        if request.page_token.is_empty() {
            return entries;
        }
    }
}

/// Pages without gaps, hashes that follow, receipts that match, and a checkpoint of it all.
pub async fn pages_checkpoints_and_receipts(house: House) {
    let pair = Pair::active(&house).await;
    let mut receipts = Vec::new();
    for firm in [&pair.north, &pair.south, &pair.north, &pair.south] {
        receipts.push(record(&pair, firm).await);
    }
    let entries = pages(&pair.south, &pair.name).await;
    assert_eq!(entries, pages(&pair.north, &pair.name).await);
    let mut previous = "0".repeat(64);
    for (number, entry) in (1..).zip(&entries) {
        assert_eq!((entry.sequence, &entry.previous_hash), (number, &previous));
        previous.clone_from(&entry.hash);
    }
    for (sequence, hash) in &receipts {
        let entry = &entries[usize::try_from(*sequence).unwrap() - 1];
        assert_eq!((&entry.hash, entry.origin.as_str()), (hash, "psa-main"));
        assert_eq!(entry.record_kind, "client");
    }
    // Recomputed from what the store holds, the chain is the one that was shown.
    let scope = ScopeId::parse(&pair.name).unwrap();
    let mut head = Head::new(scope.clone());
    for entry in house.store().entries(&scope, 0, 1_000).await.unwrap() {
        follow(&mut head, &entry).unwrap();
    }
    assert_eq!(data_encoding::HEXLOWER.encode(&head.hash), previous);

    let info = v1::GetServiceInfoRequest {};
    let info = ok(pair.south.connection.partnerships().get_service_info(info)).await;
    let request = v1::GetCheckpointRequest {
        name: pair.name.clone(),
    };
    let signed = ok(pair.south.connection.journal().get_checkpoint(request)).await;
    let checked = checkpoint::verify(&signed.note, &[&info.checkpoint_public_key]).unwrap();
    assert_eq!(
        (checked.scope, checked.sequence, checked.hash),
        (scope, head.sequence, head.hash)
    );
    let forged = signed.note.replacen(&head.sequence.to_string(), "999", 1);
    assert!(checkpoint::verify(&forged, &[&info.checkpoint_public_key]).is_err());

    let request = v1::ListEntriesRequest {
        parent: pair.name.clone(),
        record_kind: "client".to_owned(),
        record_id: entries.last().unwrap().record_id.clone(),
        ..Default::default()
    };
    let of_one = ok(pair.south.connection.journal().list_entries(request))
        .await
        .entries;
    assert_eq!(of_one.len(), 1);
    let own = pages(&pair.north, "firms/north").await;
    assert!(
        own.iter().any(|entry| entry.r#type.starts_with("api_key.")),
        "{own:?}"
    );
    house.stop().await;
}

async fn watch(firm: &Firm, scope: &str, cursor: &str) -> Streaming<v1::WatchResponse> {
    let request = v1::WatchRequest {
        scopes: vec![v1::WatchScope {
            scope: scope.to_owned(),
            cursor: cursor.to_owned(),
        }],
    };
    ok(firm.connection.journal().watch(request)).await
}

/// The next entry and the cursor after it.
async fn next(stream: &mut Streaming<v1::WatchResponse>) -> (v1::JournalEntry, String) {
    loop {
        let message = tokio::time::timeout(PATIENCE, stream.message()).await;
        let message = message
            .expect("an entry in time")
            .unwrap()
            .expect("the stream goes on");
        if let Some(Event::Entry(entry)) = message.event {
            return (entry, message.cursor);
        }
    }
}

/// However often the stream is cut, every entry comes once, also those of the meantime.
pub async fn a_stream_goes_on_where_it_was_cut(house: House) {
    let pair = Pair::active(&house).await;
    let mut seen = Vec::new();
    let mut cursor = String::new();
    for round in 0..4 {
        let mut stream = watch(&pair.south, &pair.name, &cursor).await;
        record(&pair, &pair.north).await;
        let behind = usize::try_from(house.head(&pair.name).await.sequence).unwrap() - seen.len();
        // The first time everything, later one entry less each time: the rest comes afterwards.
        for _ in round.min(behind - 1)..behind {
            let (entry, after) = next(&mut stream).await;
            seen.push(entry);
            cursor = after;
        }
        drop(stream);
        for _ in 0..round {
            record(&pair, &pair.south).await;
        }
    }
    let mut stream = watch(&pair.south, &pair.name, &cursor).await;
    let last = house.head(&pair.name).await.sequence;
    while seen.len() < usize::try_from(last).unwrap() {
        seen.push(next(&mut stream).await.0);
    }
    assert_eq!(seen, pages(&pair.south, &pair.name).await);
    // A stream that waits is told of what happens now.
    let (sequence, hash) = record(&pair, &pair.north).await;
    let (entry, _) = next(&mut stream).await;
    assert_eq!((entry.sequence, entry.hash), (sequence, hash));
    drop(stream);
    house.stop().await;
}

/// A cursor that remembers another hash, or more than there is, shows that the journal was replaced.
pub async fn a_cursor_that_saw_another_journal(house: House) {
    let pair = Pair::active(&house).await;
    let head = house.head(&pair.name).await;
    let tokens = &house.running.application.api.tokens;
    let cursor = |scope: &str, sequence: u64, hash: &[u8]| {
        let content = [&sequence.to_be_bytes(), hash].concat();
        tokens.seal(&format!("cursor:{scope}"), &content)
    };
    let request = |cursor: String| v1::WatchRequest {
        scopes: vec![v1::WatchScope {
            scope: pair.name.clone(),
            cursor,
        }],
    };
    let mut journal = pair.north.connection.journal();
    let right = journal.watch(request(cursor(&pair.name, head.sequence, &head.hash)));
    drop(ok(right).await);
    for wrong in [
        cursor(&pair.name, head.sequence, &[9; 32]),
        cursor(&pair.name, head.sequence - 1, &head.hash),
        cursor(&pair.name, head.sequence + 1, &head.hash),
    ] {
        let answer = refuses(&house, "JOURNAL_DIVERGED", journal.watch(request(wrong))).await;
        assert_eq!(answer.metadata.get("scope"), Some(&pair.name));
    }
    for foreign in [
        "nonsense".to_owned(),
        cursor("partnerships/other", head.sequence, &head.hash),
        cursor(&pair.name, head.sequence, &head.hash)[1..].to_owned(),
    ] {
        refuses(&house, "CURSOR_INVALID", journal.watch(request(foreign))).await;
    }
    let mut request = request(String::new());
    request.scopes.push(request.scopes[0].clone());
    request.scopes.push(v1::WatchScope::default());
    let answer = refuses(&house, "INVALID_FIELD", journal.watch(request)).await;
    assert_eq!(answer.fields, ["scopes[1].scope", "scopes[2].scope"]);
    let twice = pair.north.connection.partnerships();
    refuses(
        &house,
        "INVALID_STATE",
        { twice }.invite_partner(invitation(&pair.name)),
    )
    .await;
    house.stop().await;
}
