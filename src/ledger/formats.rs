//! The active format: learnt at the start, and looked at now and then, since somebody may activate a
//! newer one at any time.

use std::sync::atomic::Ordering;
use std::time::Duration;

use tokio_util::sync::CancellationToken;

use super::Ledger;
use super::rows::decode_row;
use crate::domain::format::{ACTIVE_FORMAT, Format};
use crate::domain::identity::FirmId;
use crate::domain::record::{Kind, Record, RecordKey};
use crate::store::{Store, StoreError};

/// How often it is looked at.
const LOOK_EVERY: Duration = Duration::from_secs(2);

/// The format that is active in a database.
///
/// # Errors
/// If the database does not answer.
pub async fn active(store: &dyn Store) -> Result<Format, StoreError> {
    let scope = FirmId::operator().scope();
    let key = RecordKey::new(&scope, Kind::ActiveFormat, ACTIVE_FORMAT);
    let rows = store.records(std::slice::from_ref(&key)).await?;
    match rows.first().map(decode_row).transpose()? {
        Some(found) => match found.record {
            Record::ActiveFormat(active) => Ok(active.format),
            _ => Err(StoreError::Corrupt("the active format".to_owned())),
        },
        None => Ok(Format::FIRST),
    }
}

/// Learns the active format.
///
/// # Errors
/// [`StoreError::Schema`] if this program does not know it.
pub async fn learn(ledger: &Ledger) -> Result<(), StoreError> {
    let active = active(ledger.store().as_ref()).await?;
    if !active.is_known() {
        let newest = Format::NEWEST;
        let why = format!(
            "the database is written in {active}, and this program knows {newest} at most: use a newer one"
        );
        return Err(StoreError::Schema(why));
    }
    ledger
        .inner
        .format
        .store(active.number(), Ordering::Relaxed);
    Ok(())
}

/// Learns it again and again until cancelled; cancels `too_old` if a format was activated that this
/// program does not know. What is in it then is refused where it is met, one thing at a time, but who
/// asks such a replica should not have to ask twice.
pub async fn run(ledger: Ledger, stop: CancellationToken, too_old: CancellationToken) {
    loop {
        tokio::select! {
            () = stop.cancelled() => return,
            () = tokio::time::sleep(LOOK_EVERY) => {}
        }
        match learn(&ledger).await {
            Ok(()) => {}
            Err(StoreError::Schema(why)) => {
                tracing::error!(why, "this replica is too old");
                too_old.cancel();
                return;
            }
            Err(error) => tracing::warn!(%error, "the active format could not be read"),
        }
    }
}
