//! Last act: is the journal what it says it is?
//!
//! Nightdesk, which does not run the server, reads the whole journal of the partnership through the
//! API and computes every hash anew; it checks the signed checkpoint; and the database itself is
//! verified from outside, as `entente verify` does it.

use std::collections::BTreeMap;

use super::quoting::Receipt;
use super::setup::Setting;
use super::stage::{Actor, Stage, call, present};
use crate::cli::CliError;
use crate::domain::identity::ScopeId;
use crate::domain::journal::{ChainFault, Entry, Hash, Head, follow};
use crate::domain::time::{MICROS_PER_SECOND, Timestamp};
use crate::ledger::checkpoint::{self, Checkpoint, CheckpointFault};
use crate::ledger::verify::{Evidence, Report, verify_store_with};
use crate::proto::v1;
use crate::store;

/// Entries asked for in one page.
const PAGE_SIZE: i32 = 500;
/// Nanoseconds in a microsecond.
const NANOS_IN_MICRO: i32 = 1_000;

/// What was found.
#[derive(Clone, Debug)]
pub struct Proof {
    /// How many entries there are of each kind of record.
    pub kinds: BTreeMap<String, u64>,
    /// The last entry that was read: its sequence and hash.
    pub head: Head,
    /// Whether every entry follows from the one before.
    pub chain: Result<(), ChainFault>,
    /// What the signed checkpoint says, if its signature is right.
    pub checkpoint: Result<Checkpoint, CheckpointFault>,
    /// The key that signs checkpoints.
    pub checkpoint_key: String,
    /// What is noticed when one byte of a copy is changed: in which entry, and the fault.
    pub altered: Option<(u64, ChainFault)>,
    /// Whether the receipt's entry is in the journal with the receipt's hash.
    pub receipt_found: bool,
    /// What verifying the whole database found.
    pub database: Report,
}

impl Proof {
    /// Whether the signed checkpoint is about the last entry that was read.
    #[must_use]
    pub fn checkpoint_agrees(&self) -> bool {
        let signed = self.checkpoint.as_ref();
        signed.is_ok_and(|signed| {
            (signed.sequence, signed.hash) == (self.head.sequence, self.head.hash)
        })
    }

    /// Whether nothing is wrong.
    #[must_use]
    pub fn holds(&self) -> bool {
        let noticed = self.altered.as_ref();
        let noticed = noticed.is_some_and(|(sequence, fault)| {
            *fault
                == ChainFault::Altered {
                    sequence: *sequence,
                }
        });
        self.chain.is_ok()
            && self.checkpoint_agrees()
            && noticed
            && self.receipt_found
            && self.database.is_clean()
    }
}

/// Plays the last act.
///
/// # Errors
/// If the server refuses something, or the database cannot be read.
pub async fn play(stage: &Stage, setting: &Setting, receipt: &Receipt) -> Result<Proof, CliError> {
    let nightdesk = &stage.nightdesk;
    let name = &setting.partnership.name;
    let mut partnerships = nightdesk.partnerships();
    let info = call(
        "ask for the key",
        partnerships.get_service_info(v1::GetServiceInfoRequest {}),
    )
    .await?;
    let key = info.checkpoint_public_key;
    let request = v1::GetCheckpointRequest { name: name.clone() };
    // The checkpoint comes first: what is recorded afterwards is none of its business.
    let signed = call(
        "get a checkpoint",
        nightdesk.journal().get_checkpoint(request),
    )
    .await?;
    let entries = entries(nightdesk, name, signed.sequence).await?;
    let scope = ScopeId::parse(name).ok_or("the partnership's name is no scope")?;
    let (head, chain) = follow_all(&scope, &entries);
    let mut kinds = BTreeMap::new();
    for entry in &entries {
        *kinds.entry(entry.kind.clone()).or_default() += 1;
    }
    let receipt_found = entries.iter().any(|entry| {
        i64::try_from(entry.sequence) == Ok(receipt.sequence)
            && data_encoding::HEXLOWER.encode(&entry.hash) == receipt.hash
    });
    let altered = alter_one(&scope, entries);
    let evidence = Evidence {
        verifier_key: Some(key.clone()),
        firm_keys: Vec::new(),
        checkpoints: vec![signed.note.clone()],
    };
    let database = store::open(&stage.database_url).await?;
    let report = verify_store_with(database.as_ref(), None, &evidence).await;
    database.close().await;
    Ok(Proof {
        kinds,
        head,
        chain,
        checkpoint: checkpoint::verify(&signed.note, &[&key]),
        checkpoint_key: key,
        altered,
        receipt_found,
        database: report?,
    })
}

/// All entries up to `last`, page by page.
async fn entries(actor: &Actor, name: &str, last: i64) -> Result<Vec<Entry>, CliError> {
    let mut journal = actor.journal();
    let mut entries = Vec::new();
    let mut page_token = String::new();
    loop {
        let request = v1::ListEntriesRequest {
            parent: name.to_owned(),
            page_size: PAGE_SIZE,
            page_token,
            ..v1::ListEntriesRequest::default()
        };
        let page = call("list the entries", journal.list_entries(request)).await?;
        for entry in page.entries {
            if entry.sequence <= last {
                entries.push(read(entry)?);
            }
        }
        page_token = page.next_page_token;
        if page_token.is_empty() {
            return Ok(entries);
        }
    }
}

/// An entry of the contract in the form that is hashed.
fn read(entry: v1::JournalEntry) -> Result<Entry, CliError> {
    let last_part = |name: &str| name.rsplit('/').next().unwrap_or_default().to_owned();
    let at = present(entry.record_time, "the time of an entry")?;
    let micros = at.seconds * MICROS_PER_SECOND + i64::from(at.nanos / NANOS_IN_MICRO);
    Ok(Entry {
        scope: ScopeId::parse(&entry.scope).ok_or("an entry of no scope")?,
        sequence: u64::try_from(entry.sequence)?,
        recorded_at: Timestamp::from_micros(micros),
        firm: last_part(&entry.firm),
        actor: last_part(&entry.actor),
        origin: entry.origin,
        kind: entry.record_kind,
        id: entry.record_id,
        event_type: entry.r#type,
        event_version: u32::try_from(entry.type_version)?,
        payload: entry.payload,
        previous_hash: hash(&entry.previous_hash)?,
        hash: hash(&entry.hash)?,
        previous_sequence: None,
    })
}

fn hash(text: &str) -> Result<Hash, CliError> {
    let bytes = data_encoding::HEXLOWER.decode(text.as_bytes())?;
    Hash::try_from(bytes).map_err(|_| "a hash has 32 bytes".into())
}

fn follow_all(scope: &ScopeId, entries: &[Entry]) -> (Head, Result<(), ChainFault>) {
    let mut head = Head::new(scope.clone());
    let outcome = entries
        .iter()
        .try_for_each(|entry| follow(&mut head, entry));
    (head, outcome)
}

/// Changes one bit of one payload in a copy, and says what is noticed.
fn alter_one(scope: &ScopeId, mut entries: Vec<Entry>) -> Option<(u64, ChainFault)> {
    let middle = entries.len() / 2;
    let entry = entries.get_mut(middle)?;
    let sequence = entry.sequence;
    *entry.payload.last_mut()? ^= 1;
    follow_all(scope, &entries)
        .1
        .err()
        .map(|fault| (sequence, fault))
}
