//! How far a watcher has come, and what it is told if the journal was restored meanwhile.

use crate::api::Api;
use crate::api::status::ApiError;
use crate::domain::identity::ScopeId;
use crate::domain::journal::{Entry, GENESIS, Hash};
use crate::domain::record::{Kind, Record, RecordKey};
use crate::domain::refusal::{Reason, Refusal};
use crate::domain::restoration::RESTORATION;

/// How far a stream has come in one scope.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Position {
    pub(super) scope: ScopeId,
    pub(super) sequence: u64,
    pub(super) hash: Hash,
    /// Whether it has been at the end since the stream began: what comes then is new.
    pub(super) caught_up: bool,
}

impl Position {
    /// The position that a cursor holds, if the journal still has the entry that it saw.
    pub(super) async fn open(api: &Api, scope: ScopeId, cursor: &str) -> Result<Self, ApiError> {
        let mut position = Self {
            scope,
            sequence: 0,
            hash: GENESIS,
            caught_up: false,
        };
        if cursor.is_empty() {
            return Ok(position);
        }
        let content = api.tokens.open(&purpose(&position.scope), cursor);
        (position.sequence, position.hash) =
            content.as_deref().and_then(cursor_content).ok_or_else(|| {
                Refusal::field(
                    Reason::CursorInvalid,
                    "scopes.cursor",
                    "was not given out for this scope",
                )
            })?;
        let Some(before) = position.sequence.checked_sub(1) else {
            return Ok(position);
        };
        let entries = api
            .ledger
            .store()
            .entries(&position.scope, before, 1)
            .await?;
        let seen =
            |entry: &Entry| entry.sequence == position.sequence && entry.hash == position.hash;
        if !entries.first().is_some_and(seen) {
            return Err(diverged(api, &position).await.into());
        }
        Ok(position)
    }

    /// The cursor that holds it.
    pub(super) fn cursor(&self, api: &Api) -> String {
        let mut content = self.sequence.to_be_bytes().to_vec();
        content.extend_from_slice(&self.hash);
        api.tokens.seal(&purpose(&self.scope), &content)
    }

    /// Moves onto the next entry; whether the entry is that.
    #[must_use]
    pub(super) fn advance(&mut self, entry: &Entry) -> bool {
        let follows = entry.sequence == self.sequence + 1 && entry.previous_hash == self.hash;
        if follows {
            self.sequence = entry.sequence;
            self.hash = entry.hash;
        }
        follows
    }
}

fn purpose(scope: &ScopeId) -> String {
    format!("cursor:{scope}")
}

/// Sequence and hash within a cursor.
fn cursor_content(content: &[u8]) -> Option<(u64, Hash)> {
    let (sequence, hash) = content.split_at_checked(size_of::<u64>())?;
    Some((
        u64::from_be_bytes(sequence.try_into().ok()?),
        hash.try_into().ok()?,
    ))
}

/// The refusal of whoever saw what the journal no longer has. If a restoration explains it, the refusal
/// says after which entry, and has a cursor from which to go on.
pub(super) async fn diverged(api: &Api, seen: &Position) -> Refusal {
    let message = "the journal no longer has the entry that was seen; it was restored or replaced";
    let refusal = Refusal::new(Reason::JournalDiverged, message)
        .with("scope", &seen.scope)
        .with("sequence", seen.sequence);
    // What was seen is gone, whether or not it can be said why.
    match common_with(api, seen).await {
        Ok(Some(common)) => refusal
            .with("restored_sequence", common.sequence)
            .with("cursor", common.cursor(api)),
        _ => refusal,
    }
}

/// The last entry of a restored journal that whoever saw any of it has seen.
async fn common_with(api: &Api, seen: &Position) -> Result<Option<Position>, ApiError> {
    let scope = &seen.scope;
    let key = RecordKey::new(scope, Kind::Restoration, RESTORATION);
    let found = api.find(&key).await?;
    let Some(Record::Restoration(restoration)) = found.map(|found| found.record) else {
        return Ok(None);
    };
    let sequence = restoration.first_sequence;
    let store = api.ledger.store();
    let entries = store.entries(scope, sequence.saturating_sub(1), 1).await?;
    let entry = entries.first().filter(|_| sequence < seen.sequence);
    Ok(entry.map(|entry| Position {
        scope: scope.clone(),
        sequence,
        hash: entry.hash,
        caught_up: false,
    }))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn cursors_hold_sequence_and_hash() {
        let mut content = 7_u64.to_be_bytes().to_vec();
        content.extend_from_slice(&[9; 32]);
        assert_eq!(cursor_content(&content), Some((7, [9; 32])));
        for bad in [&content[..39], &content[..8], &[]] {
            assert_eq!(cursor_content(bad), None);
        }
    }
}
