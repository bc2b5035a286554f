//! Everything that is stored, read through the store's own lists.

use entente::domain::commitment::Opening;
use entente::domain::identity::ScopeId;
use entente::domain::journal::{Entry, Head};
use entente::domain::record::{Kind, RecordKey};
use entente::domain::time::Timestamp;
use entente::store::{
    CredentialRow, DueRow, RecordRow, ReferenceRow, RequestKey, RequestRow, Store, ZoneRow,
};

use super::history::journals;
use super::replay::records;

/// Rows read at a time.
const PAGE: usize = 500;

/// All rows of all tables, in an order that does not depend on the engine.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Dump {
    /// Every head.
    pub heads: Vec<Head>,
    /// Every entry.
    pub entries: Vec<Entry>,
    /// Every record.
    pub records: Vec<RecordRow>,
    /// The entries of each record once more, as the list of a record's entries has them.
    pub histories: Vec<Vec<Entry>>,
    /// Every reference.
    pub references: Vec<ReferenceRow>,
    /// What each reference stands for in any scope.
    pub anywhere: Vec<Vec<ReferenceRow>>,
    /// Every opening.
    pub openings: Vec<(ScopeId, Opening)>,
    /// Time zone data that is pinned.
    pub zones: Vec<ZoneRow>,
    /// The credentials of all API keys.
    pub credentials: Vec<CredentialRow>,
    /// The requests asked for.
    pub requests: Vec<RequestRow>,
    /// Every record that is due some time.
    pub due: Vec<DueRow>,
}

impl Dump {
    /// Reads everything; of the requests, those named.
    ///
    /// # Panics
    /// If the store does not answer.
    pub async fn of(store: &dyn Store, requests: &[RequestKey]) -> Self {
        let mut dump = Self::default();
        for (head, entries) in journals(store).await {
            for kind in Kind::ALL {
                dump.records
                    .extend(records(store, &head.scope, *kind).await);
            }
            dump.openings.extend(openings(store, &head.scope).await);
            dump.entries.extend(entries);
            dump.heads.push(head);
        }
        let keys: Vec<RecordKey> = dump.records.iter().map(|row| row.key.clone()).collect();
        dump.add_by_key(store, &keys).await;
        dump.requests = remembered(store, requests).await;
        dump.due = store
            .due_records(Timestamp::LATEST, PAGE)
            .await
            .expect("due records are read");
        dump
    }

    async fn add_by_key(&mut self, store: &dyn Store, keys: &[RecordKey]) {
        for key in keys {
            self.histories.push(
                store
                    .entries_of(key, 0, PAGE)
                    .await
                    .expect("entries are read"),
            );
            if matches!(key.kind, Kind::ApiKey | Kind::TrustedIdentity) {
                self.credentials.extend(
                    store
                        .credentials(std::slice::from_ref(&key.id))
                        .await
                        .expect("credentials are read"),
                );
            }
        }
        self.references = store
            .references_of(keys)
            .await
            .expect("references are read");
        self.references.sort_by(|left, right| {
            (&left.scope, &left.reference, left.kind).cmp(&(
                &right.scope,
                &right.reference,
                right.kind,
            ))
        });
        for row in &self.references {
            let anywhere = store.references_anywhere(&row.reference, PAGE).await;
            self.anywhere.push(anywhere.expect("references are read"));
        }
        let zones = keys.iter().filter(|key| key.kind == Kind::Zone);
        let zones: Vec<(ScopeId, String)> = zones
            .map(|key| (key.scope.clone(), key.id.clone()))
            .collect();
        self.zones = store.zones(&zones).await.expect("zones are read");
        self.zones
            .sort_by(|left, right| (&left.scope, &left.digest).cmp(&(&right.scope, &right.digest)));
    }
}

async fn openings(store: &dyn Store, scope: &ScopeId) -> Vec<(ScopeId, Opening)> {
    let mut openings: Vec<(ScopeId, Opening)> = Vec::new();
    loop {
        let after = openings
            .last()
            .map(|(_, opening)| opening.commitment.as_str().to_owned())
            .unwrap_or_default();
        let page = store
            .list_openings(scope, &after, PAGE)
            .await
            .expect("openings are read");
        let last = page.len() < PAGE;
        openings.extend(page.into_iter().map(|opening| (scope.clone(), opening)));
        if last {
            return openings;
        }
    }
}

async fn remembered(store: &dyn Store, keys: &[RequestKey]) -> Vec<RequestRow> {
    let mut transaction = store.begin().await.expect("a transaction begins");
    let mut rows = transaction.requests(keys).await.expect("requests are read");
    rows.sort_by(|left, right| {
        (&left.scope, &left.firm, &left.request_id).cmp(&(
            &right.scope,
            &right.firm,
            &right.request_id,
        ))
    });
    rows
}
