//! One batch: lock, load, decide in order, write, commit.

use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet};
use std::sync::Arc;

use super::command::{begins_scope, first_needs, is_remembered, request_key, without_head};
use super::measure::{self, Stopwatch};
use super::rows::{
    StoredOutcome, corrupt, credential_row, decode_row, encode_row, subscription_row,
};
use super::{Ledger, REQUESTS_KEPT_FOR, Receipt};
use crate::domain::aggregate::Recorded;
use crate::domain::command::{Action, Command, Decision, decide};
use crate::domain::commitment::Opening;
use crate::domain::identity::ScopeId;
use crate::domain::journal::{Entry, Head};
use crate::domain::record::{Kind, RecordKey};
use crate::domain::refusal::{Reason, Refusal};
use crate::domain::time::Timestamp;
use crate::domain::world::{Need, Stop, View, World};
use crate::store::{
    ReferenceRow, ReferencedRow, RequestKey, RequestRow, SealedRow, StoreError, Transaction,
    WriteSet, ZoneRow,
};

/// How often one command may ask for more before it is taken for a fault of ours.
pub(super) const LOADS_PER_COMMAND_MAX: usize = 64;

/// What became of a command in a batch.
#[derive(Debug)]
pub enum Outcome {
    /// It was accepted and is durable, or it was refused and changed nothing.
    Answered(Result<Receipt, Refusal>),
    /// Another replica holds its scope; it has to wait for a later batch.
    HeldElsewhere,
}

/// Runs commands as one transaction. With `wait`, locks are waited for rather than skipped.
///
/// # Errors
/// What the store says; then nothing is durable, except after [`StoreError::CommitUnknown`].
pub async fn run(
    ledger: &Ledger,
    commands: &[&Command],
    wait: bool,
) -> Result<Vec<Outcome>, StoreError> {
    let stopwatch = Stopwatch::begin();
    let store = Arc::clone(ledger.store());
    let mut transaction = store.begin().await?;
    let mut batch = Batch::lock(ledger, transaction.as_mut(), commands, wait).await?;
    batch.load_first(transaction.as_mut()).await?;
    for index in 0..commands.len() {
        batch.run_command(index, transaction.as_mut()).await?;
    }
    let set = batch.write_set()?;
    if !set.heads.is_empty() || !set.requests.is_empty() {
        transaction.write(&set).await?;
    }
    // Also where nothing was written: a dropped transaction would keep its locks for a while.
    transaction.commit().await?;
    measure::batch(commands.len(), stopwatch.seconds());
    ledger.watch().advanced(&set.heads);
    Ok(batch.outcomes.into_iter().flatten().collect())
}

struct Batch<'batch> {
    commands: &'batch [&'batch Command],
    now: Timestamp,
    world: World,
    heads: HashMap<ScopeId, Head>,
    changed_scopes: BTreeSet<ScopeId>,
    changed_records: BTreeSet<RecordKey>,
    requests: HashMap<RequestKey, RequestRow>,
    /// Commands that were seen to need nothing more; they are not asked again.
    ready: Vec<bool>,
    set: WriteSet,
    outcomes: Vec<Option<Outcome>>,
}

impl<'batch> Batch<'batch> {
    async fn lock(
        ledger: &Ledger,
        transaction: &mut dyn Transaction,
        commands: &'batch [&'batch Command],
        wait: bool,
    ) -> Result<Self, StoreError> {
        let scopes: BTreeSet<&ScopeId> = commands.iter().map(|command| &command.scope).collect();
        let scopes: Vec<ScopeId> = scopes.into_iter().cloned().collect();
        let begun: BTreeSet<&ScopeId> = commands
            .iter()
            .filter(|command| begins_scope(command))
            .map(|command| &command.scope)
            .collect();
        let begun: Vec<ScopeId> = begun.into_iter().cloned().collect();
        let heads = transaction.lock_heads(&scopes, &begun, wait).await?;
        let heads: HashMap<_, _> = heads
            .into_iter()
            .map(|head| (head.scope.clone(), head))
            .collect();
        let unlocked: Vec<ScopeId> = scopes
            .into_iter()
            .filter(|scope| !heads.contains_key(scope))
            .collect();
        let held = if unlocked.is_empty() {
            Vec::new()
        } else {
            ledger.store().heads(&unlocked).await?
        };
        let held: HashSet<ScopeId> = held.into_iter().map(|head| head.scope).collect();
        let outcomes = commands
            .iter()
            .map(|command| without_head(command, &heads, &held))
            .collect();
        Ok(Self {
            commands,
            now: ledger.clock().now(),
            world: World::new(Arc::clone(ledger.calendars())).in_format(ledger.format()),
            heads,
            changed_scopes: BTreeSet::new(),
            changed_records: BTreeSet::new(),
            requests: HashMap::new(),
            ready: vec![false; commands.len()],
            set: WriteSet::default(),
            outcomes,
        })
    }

    /// Loads the requests, and what commands are known to need without asking them.
    async fn load_first(&mut self, transaction: &mut dyn Transaction) -> Result<(), StoreError> {
        let open = self
            .commands
            .iter()
            .zip(&self.outcomes)
            .filter(|(_, outcome)| outcome.is_none());
        let mut requests = BTreeMap::new();
        let mut needs = HashSet::new();
        for (command, _) in open {
            if is_remembered(command) {
                let key = request_key(command);
                requests.insert(
                    (key.scope.clone(), key.firm.clone(), key.request_id.clone()),
                    key,
                );
            }
            needs.extend(first_needs(command));
        }
        if !requests.is_empty() {
            let keys: Vec<RequestKey> = requests.into_values().collect();
            for row in transaction.requests(&keys).await? {
                let key = RequestKey {
                    scope: row.scope.clone(),
                    firm: row.firm.clone(),
                    request_id: row.request_id.clone(),
                };
                self.requests.insert(key, row);
            }
        }
        self.load(needs, transaction).await
    }

    /// Loads what is needed with one statement for each sort of thing.
    async fn load(
        &mut self,
        needs: HashSet<Need>,
        transaction: &mut dyn Transaction,
    ) -> Result<(), StoreError> {
        let mut records = Vec::new();
        let mut references = Vec::new();
        let mut zones = Vec::new();
        let mut entries = Vec::new();
        let single: HashSet<Need> = needs.into_iter().flat_map(Need::each).collect();
        for need in single {
            match need {
                _ if self.world.has(&need) => {}
                Need::Record(key) => records.push(key),
                Need::Reference(scope, reference) => references.push((scope, reference)),
                Need::Zone(scope, digest) => zones.push((scope, digest)),
                Need::EntryHash(scope, sequence) => entries.push((scope, sequence)),
                Need::Several(_) => {}
            }
        }
        if !references.is_empty() {
            let found = transaction.references(&references).await?;
            for (scope, reference) in references {
                self.world.put_reference(scope, reference, Vec::new());
            }
            for ReferencedRow { reference, record } in found {
                let (scope, kind, id) = (&reference.scope, reference.kind, &reference.id);
                self.world
                    .add_reference(scope, &reference.reference, kind, id);
                // The record may have changed in this batch already.
                let key = RecordKey::new(scope, kind, id.as_str());
                if let Some(row) = record
                    && !self.world.has(&Need::Record(key))
                {
                    let versioned = decode_row(&row)?;
                    self.world.put_record(row.key, Some(versioned));
                }
            }
        }
        records.sort();
        records.dedup();
        records.retain(|key| !self.world.has(&Need::Record(key.clone())));
        if !records.is_empty() {
            let found = transaction.records(&records).await?;
            for key in records {
                self.world.put_record(key, None);
            }
            for row in found {
                let versioned = decode_row(&row)?;
                self.world.put_record(row.key, Some(versioned));
            }
        }
        if !zones.is_empty() {
            for row in transaction.zones(&zones).await? {
                self.world.put_zone(row.scope, row.digest, row.tzif.into());
            }
        }
        if !entries.is_empty() {
            for row in transaction.entry_hashes(&entries).await? {
                self.world.put_entry_hash(row.scope, row.sequence, row.hash);
            }
        }
        Ok(())
    }

    async fn run_command(
        &mut self,
        index: usize,
        transaction: &mut dyn Transaction,
    ) -> Result<(), StoreError> {
        if self.outcomes[index].is_some() {
            return Ok(());
        }
        let command = self.commands[index];
        if let Some(answer) = self.replayed(command)? {
            self.outcomes[index] = Some(Outcome::Answered(answer));
            return Ok(());
        }
        for _ in 0..LOADS_PER_COMMAND_MAX {
            match self.decide(command) {
                Ok(decision) => {
                    let receipt = self.accept(command, decision)?;
                    self.outcomes[index] = Some(Outcome::Answered(Ok(receipt)));
                    return Ok(());
                }
                Err(Stop::Refused(refusal)) => {
                    self.outcomes[index] = Some(Outcome::Answered(Err(refusal)));
                    return Ok(());
                }
                Err(Stop::Missing(need)) => {
                    let needs = self.needs_from(index, need);
                    self.load(needs, transaction).await?;
                }
            }
        }
        let refusal = Refusal::new(Reason::Internal, "a command kept asking for more");
        self.outcomes[index] = Some(Outcome::Answered(Err(refusal)));
        Ok(())
    }

    /// What the command at `index` and those after it still need, so that one load serves all.
    fn needs_from(&mut self, index: usize, need: Need) -> HashSet<Need> {
        let mut needs = HashSet::from([need]);
        for later in index + 1..self.commands.len() {
            if self.ready[later] || self.outcomes[later].is_some() {
                continue;
            }
            match self.decide(self.commands[later]) {
                Err(Stop::Missing(need)) => {
                    needs.insert(need);
                }
                _ => self.ready[later] = true,
            }
        }
        needs
    }

    fn decide(&self, command: &Command) -> Result<Decision, Stop> {
        let Some(head) = self.heads.get(&command.scope) else {
            return Err(Refusal::not_found("scope").into());
        };
        let view = View {
            world: &self.world,
            scope: &command.scope,
            now: self.now.max(head.recorded_at),
            next_sequence: head.sequence + 1,
        };
        decide(command, &view)
    }

    /// The answer to a request that was carried out before.
    fn replayed(&self, command: &Command) -> Result<Option<Result<Receipt, Refusal>>, StoreError> {
        if !is_remembered(command) {
            return Ok(None);
        }
        let Some(row) = self.requests.get(&request_key(command)) else {
            return Ok(None);
        };
        if row.digest != command.digest {
            let refusal = Refusal::new(
                Reason::RequestIdReused,
                "the id was used for something else",
            )
            .with("id", &command.request_id);
            return Ok(Some(Err(refusal)));
        }
        let outcome: StoredOutcome =
            serde_json::from_str(&row.outcome).map_err(|error| corrupt(&error))?;
        Ok(Some(Ok(outcome.receipt(&command.scope)?)))
    }

    /// Applies and journals what was decided.
    fn accept(&mut self, command: &Command, decision: Decision) -> Result<Receipt, StoreError> {
        let Some(head) = self.heads.get_mut(&command.scope) else {
            return Err(StoreError::Corrupt("a head was lost".to_owned()));
        };
        let at = self.now.max(head.recorded_at);
        let before = self.set.entries.len();
        let mut carries = Vec::new();
        let mut named = None;
        for (index, event) in decision.events.iter().enumerate() {
            let kind = event.body.kind();
            let key = RecordKey::new(&command.scope, kind, event.id.as_str());
            let previous = self.world.versioned(&key).map(|record| record.sequence);
            let entry =
                entry(command, head, at, event, previous).map_err(|error| corrupt(&error))?;
            let recorded = Recorded {
                sequence: entry.sequence,
                at,
                firm: command.firm.clone(),
                actor: command.actor.clone(),
            };
            self.world
                .apply(&command.scope, event, &recorded)
                .map_err(|refusal| StoreError::Corrupt(refusal.message))?;
            head.advance(&entry);
            if decision.receipt_of == Some(index) {
                named = Some((entry.sequence, entry.hash));
            }
            if kind == Kind::Ticket {
                // The same event may come again in this batch, and is told where it is recorded.
                self.world
                    .put_entry_hash(entry.scope.clone(), entry.sequence, entry.hash);
            }
            self.set.entries.push(entry);
            if kind == Kind::Carry && !matches!(command.action, Action::SettleCarry { .. }) {
                carries.push(event.id.clone());
            }
            self.changed_records.insert(key);
        }
        if !decision.events.is_empty() {
            self.changed_scopes.insert(command.scope.clone());
        }
        let earlier = decision.repeat.map(|repeat| (repeat.sequence, repeat.hash));
        let (sequence, hash) = earlier.or(named).unwrap_or((head.sequence, head.hash));
        let receipt = Receipt {
            scope: command.scope.clone(),
            sequence,
            hash,
            kind: decision.subject.0,
            id: decision.subject.1.clone(),
            note: decision.note.to_owned(),
            replayed: decision.repeat.is_some(),
            carries,
        };
        self.note_side_rows(command, decision, &receipt, before)?;
        Ok(receipt)
    }

    /// What an accepted command writes beside journal and records; its entries begin at `before`.
    fn note_side_rows(
        &mut self,
        command: &Command,
        decision: Decision,
        receipt: &Receipt,
        before: usize,
    ) -> Result<(), StoreError> {
        let scope = &command.scope;
        for (reference, kind, id) in decision.references {
            self.world.add_reference(scope, &reference, kind, &id);
            self.set.references.push(ReferenceRow {
                scope: scope.clone(),
                reference,
                kind,
                id,
            });
        }
        for (digest, tzif) in decision.zones {
            self.set.zones.push(ZoneRow {
                scope: scope.clone(),
                digest: digest.clone(),
                tzif: tzif.to_vec(),
            });
            self.world.put_zone(scope.clone(), digest, tzif);
        }
        let sealed = committed(&command.openings, &self.set.entries[before..]);
        self.set.sealed.extend(sealed.map(|opening| SealedRow {
            scope: scope.clone(),
            opening: opening.clone(),
        }));
        let erased = decision.erased.into_iter();
        let erased = erased.map(|commitment| (scope.clone(), commitment));
        self.set.erased.extend(erased);
        if is_remembered(command) {
            let row = self.request_row(command, receipt)?;
            self.requests.insert(request_key(command), row.clone());
            self.set.requests.push(row);
        }
        Ok(())
    }

    fn request_row(&self, command: &Command, receipt: &Receipt) -> Result<RequestRow, StoreError> {
        let outcome =
            serde_json::to_string(&StoredOutcome::of(receipt)).map_err(|error| corrupt(&error))?;
        let key = request_key(command);
        Ok(RequestRow {
            scope: key.scope,
            firm: key.firm,
            request_id: key.request_id,
            digest: command.digest,
            outcome,
            expires_at: Some(self.now.saturating_add(REQUESTS_KEPT_FOR)),
        })
    }

    /// Everything that the batch changed.
    fn write_set(&mut self) -> Result<WriteSet, StoreError> {
        let mut set = std::mem::take(&mut self.set);
        set.heads = self
            .changed_scopes
            .iter()
            .filter_map(|scope| self.heads.get(scope))
            .cloned()
            .collect();
        for key in &self.changed_records {
            let Some(versioned) = self.world.versioned(key) else {
                continue;
            };
            set.credentials
                .extend(credential_row(key, &versioned.record)?);
            set.subscriptions
                .extend(subscription_row(key, &versioned.record));
            let format = self.world.format();
            set.records.push(encode_row(key, versioned, format)?);
        }
        Ok(set)
    }
}

fn entry(
    command: &Command,
    head: &Head,
    at: Timestamp,
    event: &crate::domain::record::Event,
    previous_sequence: Option<u64>,
) -> Result<Entry, serde_json::Error> {
    let mut entry = Entry {
        scope: command.scope.clone(),
        sequence: head.sequence + 1,
        recorded_at: at,
        firm: command
            .firm
            .as_ref()
            .map(|firm| firm.as_str().to_owned())
            .unwrap_or_default(),
        actor: command.actor.clone(),
        origin: command.origin.clone(),
        kind: event.body.kind().as_str().to_owned(),
        id: event.id.clone(),
        event_type: event.body.event_type().to_owned(),
        event_version: event.body.event_version(),
        payload: event.body.payload()?,
        previous_hash: head.hash,
        hash: head.hash,
        previous_sequence,
    };
    entry.hash = entry.computed_hash();
    Ok(entry)
}

/// The openings of what the entries commit to. A text that came with a command and that no event
/// took up must not be kept.
fn committed<'command>(
    openings: &'command [Opening],
    entries: &[Entry],
) -> impl Iterator<Item = &'command Opening> {
    openings.iter().filter(move |opening| {
        let commitment = opening.commitment.as_str().as_bytes();
        entries.iter().any(|entry| {
            entry
                .payload
                .windows(commitment.len())
                .any(|window| window == commitment)
        })
    })
}
