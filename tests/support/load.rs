//! Fills a store with many rows, through the store's own interface.

use entente::domain::commitment::{Opening, Readers, SALT_BYTES};
use entente::domain::identity::{ExternalReference, FirmId, ScopeId};
use entente::domain::journal::{Entry, GENESIS, Head};
use entente::domain::record::{Kind, RecordKey};
use entente::domain::time::Timestamp;
use entente::store::{
    CredentialRow, RecordRow, ReferenceRow, RequestRow, SealedRow, Store, WriteSet, ZoneRow,
};

/// Rows that one transaction writes.
const BATCH: usize = 1_000;

/// An instant that records may carry, `number` seconds after the earliest.
pub fn instant(number: usize) -> Timestamp {
    let micros = i64::try_from(number).expect("a small number") * 1_000_000;
    Timestamp::from_micros(Timestamp::EARLIEST.as_micros() + micros)
}

/// Puts `rows` rows into every table but `secret`, half of them in one scope and the others in
/// scopes of ten rows each, as a server has them that was built around one large partnership.
pub async fn fill(store: &dyn Store, rows: usize) {
    let mut sequence = 0;
    for start in (0..rows).step_by(BATCH) {
        let mut set = WriteSet::default();
        for number in start..rows.min(start + BATCH) {
            if number % 2 == 0 {
                sequence += 1;
                add(&mut set, &ScopeId::partnership("large"), number, sequence);
            } else {
                let scope = ScopeId::partnership(&format!("small-{}", number / 20));
                add(
                    &mut set,
                    &scope,
                    number,
                    u64::try_from(number % 20 / 2 + 1).expect("small"),
                );
            }
        }
        set.heads = heads(&set.entries);
        let mut transaction = store.begin().await.expect("a transaction begins");
        transaction.write(&set).await.expect("the batch is written");
        transaction.commit().await.expect("the batch is committed");
    }
}

/// The head of each scope after its last entry.
fn heads(entries: &[Entry]) -> Vec<Head> {
    let mut heads = std::collections::BTreeMap::new();
    for entry in entries {
        let head = heads
            .entry(entry.scope.clone())
            .or_insert_with(|| Head::new(entry.scope.clone()));
        head.advance(entry);
    }
    heads.into_values().collect()
}

fn add(set: &mut WriteSet, scope: &ScopeId, number: usize, sequence: u64) {
    let id = format!("{number:08}");
    let digest = [u8::try_from(number % 251).expect("a byte"); 32];
    let body = format!(r#"{{"number":{number},"text":"{}"}}"#, "x".repeat(200));
    set.entries.push(Entry {
        scope: scope.clone(),
        sequence,
        recorded_at: instant(number),
        firm: "acme".to_owned(),
        actor: "key".to_owned(),
        origin: String::new(),
        kind: Kind::Ticket.as_str().to_owned(),
        id: id.clone(),
        event_type: "ticket.opened".to_owned(),
        event_version: 1,
        payload: body.clone().into_bytes(),
        previous_hash: GENESIS,
        hash: digest,
        previous_sequence: None,
    });
    set.records.push(RecordRow {
        key: RecordKey::new(scope, Kind::Ticket, id.clone()),
        revision: 1,
        sequence,
        state: if number.is_multiple_of(10) {
            "open"
        } else {
            "closed"
        }
        .to_owned(),
        due_at: number.is_multiple_of(4).then(|| instant(number)),
        created_at: instant(number),
        updated_at: instant(number),
        body_version: 1,
        body,
    });
    add_beside(set, scope, number);
}

/// Adds what stands beside the record of that number.
fn add_beside(set: &mut WriteSet, scope: &ScopeId, number: usize) {
    let id = format!("{number:08}");
    let firm = FirmId::parse("acme").expect("a firm");
    let digest = [u8::try_from(number % 251).expect("a byte"); 32];
    set.references.push(ReferenceRow {
        scope: scope.clone(),
        reference: ExternalReference {
            firm: firm.clone(),
            system: "servicenow".to_owned(),
            instance: String::new(),
            reference_type: "incident".to_owned(),
            id: format!("INC{number:07}"),
        },
        kind: Kind::Ticket,
        id: id.clone(),
    });
    set.requests.push(RequestRow {
        scope: scope.clone(),
        firm: "acme".to_owned(),
        request_id: id.clone(),
        digest,
        outcome: "{}".to_owned(),
        expires_at: number.is_multiple_of(2).then(|| instant(number)),
    });
    set.sealed.push(SealedRow {
        scope: scope.clone(),
        opening: Opening::seal("ticket.title", &id, [0; SALT_BYTES], Readers::EveryParty),
    });
    set.zones.push(ZoneRow {
        scope: scope.clone(),
        digest: id.clone(),
        tzif: vec![0; 100],
    });
    set.credentials.push(CredentialRow {
        id,
        firm,
        credential_type: "api_key".to_owned(),
        digest,
        earlier_digest: digest,
        earlier_until: None,
        permissions: String::new(),
        expires_at: None,
        revoked_at: None,
        last_used_at: None,
    });
}
