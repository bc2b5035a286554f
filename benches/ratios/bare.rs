//! The bare commit that commands are compared with: the rows that the last ones wrote, written again by
//! hand, in their order and over and over.

use std::sync::Arc;

use entente::domain::identity::ScopeId;
use entente::domain::journal::{Entry, Head};
use entente::domain::record::{Kind, RecordKey};
use entente::store::{RecordRow, RequestKey, RequestRow, Store, WriteSet};

use crate::load::now;
use crate::world::World;

/// The rows of the last commands of a scope, each of which wrote one entry.
pub struct BareCommits {
    store: Arc<dyn Store>,
    head: Head,
    /// What each command wrote; the one that comes next is in front.
    written: Vec<(Entry, RecordRow)>,
    request: Option<RequestRow>,
}

impl BareCommits {
    /// The rows of the last `count` commands of a scope; they are remembered like the request
    /// `remembered` of the firm, if they are.
    pub async fn of(
        world: &World,
        scope: &ScopeId,
        count: usize,
        remembered: Option<&str>,
    ) -> Self {
        let store = Arc::clone(world.ledger().store());
        let heads = store.heads(std::slice::from_ref(scope)).await;
        let head = heads.expect("a head").remove(0);
        let before = head.sequence - u64::try_from(count).expect("small");
        let entries = store.entries(scope, before, count).await;
        let mut written = Vec::with_capacity(count);
        for entry in entries.expect("entries") {
            let kind = Kind::parse(&entry.kind).expect("a kind");
            let key = RecordKey::new(scope, kind, entry.id.as_str());
            let found = store.records(&[key]).await;
            written.push((entry, found.expect("a record").remove(0)));
        }
        let mut request = None;
        if let Some(request_id) = remembered {
            let key = RequestKey {
                scope: scope.clone(),
                firm: world.firm.to_string(),
                request_id: request_id.to_owned(),
            };
            let mut transaction = store.begin().await.expect("a transaction");
            let found = transaction.requests(&[key]).await;
            request = Some(found.expect("what was answered").remove(0));
        }
        Self {
            store,
            head,
            written,
            request,
        }
    }

    /// Writes the rows of one command and makes them durable; returns how many microseconds that took.
    pub async fn next(&mut self) -> f64 {
        let set = self.next_rows();
        let start = now();
        let mut transaction = self.store.begin().await.expect("a transaction");
        transaction.write(&set).await.expect("rows");
        transaction.commit().await.expect("a commit");
        start.elapsed().as_secs_f64() * 1e6
    }

    fn next_rows(&mut self) -> WriteSet {
        self.written.rotate_left(1);
        let (entry, record) = self.written.last_mut().expect("a command");
        entry.sequence = self.head.sequence + 1;
        entry.previous_hash = self.head.hash;
        entry.previous_sequence = Some(record.sequence);
        entry.hash = entry.computed_hash();
        self.head.advance(entry);
        record.revision += 1;
        record.sequence = entry.sequence;
        let requests = self.request.iter().map(|request| RequestRow {
            request_id: format!("bare-{}", entry.sequence),
            ..request.clone()
        });
        WriteSet {
            heads: vec![self.head.clone()],
            entries: vec![entry.clone()],
            records: vec![record.clone()],
            requests: requests.collect(),
            ..WriteSet::default()
        }
    }
}
