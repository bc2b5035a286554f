//! What somebody sees who watches a journal that was restored meanwhile.

use entente::cli::client::{Connection, is_refused_for};
use entente::proto::v1::{self, watch_response::Event};
use tonic::{Status, Streaming};
use tonic_types::StatusExt as _;

use crate::support::program::PATIENCE;

/// An entry and the cursor after it.
pub struct Seen {
    pub entry: v1::JournalEntry,
    pub cursor: String,
}

/// A stream from a cursor on.
pub async fn watch(
    firm: &Connection,
    scope: &str,
    cursor: &str,
) -> Result<Streaming<v1::WatchResponse>, Status> {
    let request = v1::WatchRequest {
        scopes: vec![v1::WatchScope {
            scope: scope.to_owned(),
            cursor: cursor.to_owned(),
        }],
    };
    let answer = firm.journal().watch(request).await?;
    Ok(answer.into_inner())
}

/// The next entry.
pub async fn next(stream: &mut Streaming<v1::WatchResponse>) -> Result<Seen, Status> {
    loop {
        let message = tokio::time::timeout(PATIENCE, stream.message()).await;
        let message = message
            .map_err(|_| Status::deadline_exceeded("no entry in time"))??
            .ok_or_else(|| Status::unavailable("the stream ended"))?;
        if let Some(Event::Entry(entry)) = message.event {
            let cursor = message.cursor;
            return Ok(Seen { entry, cursor });
        }
    }
}

/// The next entries up to the one of that sequence.
pub async fn up_to(stream: &mut Streaming<v1::WatchResponse>, sequence: i64) -> Vec<Seen> {
    let mut seen = Vec::new();
    while seen
        .last()
        .is_none_or(|last: &Seen| last.entry.sequence < sequence)
    {
        seen.push(next(stream).await.unwrap());
    }
    seen
}

/// Makes sure that whoever was at `before`, at or before the last entry that was kept, goes on without
/// a gap and sees the new epoch, and that whoever was at `beyond` is told where to go on.
pub async fn epochs_are_seen(firm: &Connection, scope: &str, before: &Seen, beyond: &Seen) {
    let mut stream = watch(firm, scope, &before.cursor).await.unwrap();
    let mut last = before.entry.clone();
    while last.r#type != "journal.restored" {
        let entry = next(&mut stream).await.unwrap().entry;
        assert_eq!(entry.sequence, last.sequence + 1);
        assert_eq!(entry.previous_hash, last.hash);
        last = entry;
    }
    let payload: serde_json::Value = serde_json::from_slice(&last.payload).unwrap();
    assert_eq!(payload["sequence"], last.sequence - 1, "{payload}");

    let refused = match watch(firm, scope, &beyond.cursor).await {
        Err(status) => status,
        Ok(mut stream) => next(&mut stream).await.err().unwrap(),
    };
    assert!(is_refused_for(&refused, "JOURNAL_DIVERGED"), "{refused:?}");
    let details = refused.get_error_details();
    let metadata = &details.error_info().unwrap().metadata;
    let kept: i64 = metadata["restored_sequence"].parse().unwrap();
    assert!(kept < beyond.entry.sequence, "{metadata:?}");
    let mut stream = watch(firm, scope, &metadata["cursor"]).await.unwrap();
    assert_eq!(next(&mut stream).await.unwrap().entry.sequence, kept + 1);
}
