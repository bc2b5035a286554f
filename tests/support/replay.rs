//! Decides every command of a journal again, in the journal's order, one by one, and compares:
//! with the entries, and in the end with the records. What the ledger did in batches, over several
//! replicas and through failures must be what one careful clerk would have done.

use std::collections::{BTreeMap, BTreeSet};

use entente::domain::aggregate::Recorded;
use entente::domain::carry::CarriedAction;
use entente::domain::command::{Command, Decision, decide};
use entente::domain::format::Format;
use entente::domain::identity::{FirmId, ScopeId};
use entente::domain::journal::{Entry, Head, follow};
use entente::domain::record::{Event, EventBody, Kind, Record, RecordKey};
use entente::domain::world::{Need, Stop, View, World};
use entente::ledger::rows::encode_row;
use entente::store::{ListQuery, RecordRow, ReferenceRow, Store};

/// Most things that one decision may ask for.
const NEEDS_MAX: usize = 100;
/// Records read at a time.
const PAGE: usize = 500;

/// The clerk's books.
#[derive(Debug, Default)]
pub struct Replay {
    world: World,
    scopes: Vec<ScopeId>,
    records: BTreeSet<RecordKey>,
    references: Vec<ReferenceRow>,
}

impl Replay {
    /// Follows one chain from its beginning to its head.
    ///
    /// # Panics
    /// If the chain is broken, or an entry is not what its command leads to.
    pub fn follow(&mut self, head: &Head, entries: &[Entry], commands: &BTreeMap<String, Command>) {
        self.scopes.push(head.scope.clone());
        let mut followed = Head::new(head.scope.clone());
        let mut rest = entries;
        while let Some(first) = rest.first() {
            let length = match commands.get(&first.origin) {
                Some(command) => self.decide_again(command, rest),
                None => self.take(first),
            };
            for entry in &rest[..length] {
                follow(&mut followed, entry)
                    .unwrap_or_else(|fault| panic!("{}: {fault}", entry.scope));
            }
            rest = &rest[length..];
        }
        assert_eq!(followed, *head, "the head is not where its chain ends");
    }

    /// An entry that nobody's command made: a timer, or work carried from another scope.
    fn take(&mut self, entry: &Entry) -> usize {
        assert_eq!(
            entry.origin, "",
            "an entry of a command that nobody sent: {entry:?}"
        );
        let kind = Kind::parse(&entry.kind).expect("entries name kinds");
        let body = EventBody::decode(kind, &entry.event_type, entry.event_version, &entry.payload);
        let event = Event {
            id: entry.id.clone(),
            body: body.expect("payloads can be read"),
        };
        self.apply(&event, entry);
        1
    }

    /// Decides a command where its entries begin; returns how many they are.
    fn decide_again(&mut self, command: &Command, entries: &[Entry]) -> usize {
        let first = &entries[0];
        let decision = self.decide(command, first);
        let own = entries
            .iter()
            .take_while(|entry| entry.origin == first.origin)
            .count();
        assert_eq!(
            own,
            decision.events.len(),
            "{} at {}: {decision:?}",
            first.origin,
            first.sequence
        );
        for (event, entry) in decision.events.iter().zip(entries) {
            let decided = (
                event.body.kind().as_str(),
                &event.id,
                event.body.event_type(),
                event.body.event_version(),
            );
            let found = (
                entry.kind.as_str(),
                &entry.id,
                entry.event_type.as_str(),
                entry.event_version,
            );
            assert_eq!(
                found, decided,
                "{} at {}/{}",
                entry.origin, entry.scope, entry.sequence
            );
            let payload = event.body.payload().expect("payloads can be written");
            assert_eq!(
                entry.payload, payload,
                "{} at {}/{}",
                entry.origin, entry.scope, entry.sequence
            );
            assert_eq!(
                entry.firm,
                command
                    .firm
                    .as_ref()
                    .map(ToString::to_string)
                    .unwrap_or_default()
            );
            assert_eq!(entry.actor, command.actor);
            self.apply(event, entry);
        }
        for (reference, kind, id) in decision.references {
            self.world
                .add_reference(&command.scope, &reference, kind, &id);
            self.references.push(ReferenceRow {
                scope: command.scope.clone(),
                reference,
                kind,
                id,
            });
        }
        for (digest, tzif) in decision.zones {
            self.world.put_zone(command.scope.clone(), digest, tzif);
        }
        own
    }

    fn decide(&mut self, command: &Command, first: &Entry) -> Decision {
        for _ in 0..NEEDS_MAX {
            let view = View {
                world: &self.world,
                scope: &command.scope,
                now: first.recorded_at,
                next_sequence: first.sequence,
            };
            match decide(command, &view) {
                Ok(decision) => return decision,
                Err(Stop::Refused(refusal)) => {
                    panic!(
                        "{} at {} should have been refused: {refusal:?}",
                        first.origin, first.sequence
                    )
                }
                Err(Stop::Missing(need)) => need
                    .each()
                    .into_iter()
                    .for_each(|need| self.lack(need, &first.origin)),
            }
        }
        panic!("{} keeps asking for more", first.origin)
    }

    /// Notes that there is no such thing: everything that exists is in the books already.
    fn lack(&mut self, need: Need, origin: &str) {
        match need {
            Need::Record(key) => self.world.put_record(key, None),
            Need::Reference(scope, reference) => {
                self.world.put_reference(scope, reference, Vec::new());
            }
            need => panic!("{origin} needs {need:?}"),
        }
    }

    fn apply(&mut self, event: &Event, entry: &Entry) {
        let recorded = Recorded {
            sequence: entry.sequence,
            at: entry.recorded_at,
            firm: FirmId::parse(&entry.firm),
            actor: entry.actor.clone(),
        };
        self.world
            .apply(&entry.scope, event, &recorded)
            .expect("events fit the state before them");
        self.records.insert(RecordKey::new(
            &entry.scope,
            event.body.kind(),
            event.id.as_str(),
        ));
    }

    /// Compares the books with what is stored.
    ///
    /// # Panics
    /// If a record or a reference differs, is missing, or is one too many.
    pub async fn compare(&self, store: &dyn Store) {
        let mut stored: Vec<RecordRow> = Vec::new();
        for scope in &self.scopes {
            for kind in Kind::ALL {
                stored.extend(records(store, scope, *kind).await);
            }
        }
        let keys: BTreeSet<RecordKey> = stored.iter().map(|row| row.key.clone()).collect();
        assert_eq!(
            keys, self.records,
            "not the records that the journal tells of"
        );
        for row in &stored {
            let versioned = self
                .world
                .versioned(&row.key)
                .expect("a record in the books");
            assert_eq!(
                *row,
                encode_row(&row.key, versioned, Format::FIRST).expect("records can be written")
            );
        }
        let keys: Vec<RecordKey> = keys.into_iter().collect();
        let mut found = store
            .references_of(&keys)
            .await
            .expect("references are read");
        let mut expected = self.references.clone();
        for rows in [&mut found, &mut expected] {
            rows.sort_by(|left, right| {
                (&left.scope, &left.reference, left.kind).cmp(&(
                    &right.scope,
                    &right.reference,
                    right.kind,
                ))
            });
        }
        assert_eq!(
            found, expected,
            "not the references that the journal tells of"
        );
        self.check_carries();
    }

    /// What counts as carried to another scope did arrive there.
    fn check_carries(&self) {
        for key in self.records.iter().filter(|key| key.kind == Kind::Carry) {
            let Some(Record::Carry(carry)) =
                self.world.versioned(key).map(|versioned| &versioned.record)
            else {
                panic!("{key:?} is no carry");
            };
            let arrived = match &carry.action {
                CarriedAction::CreateFirm { .. } => {
                    RecordKey::new(&carry.target, Kind::Firm, carry.target.id())
                }
                CarriedAction::CreatePartnership { .. } => {
                    RecordKey::new(&carry.target, Kind::Partnership, carry.target.id())
                }
                CarriedAction::RecordMembership { partnership, .. } => {
                    RecordKey::new(&carry.target, Kind::Membership, partnership.as_str())
                }
            };
            assert!(
                carry.due_at.is_some() || self.records.contains(&arrived),
                "{key:?} never arrived: {carry:?}"
            );
        }
    }
}

/// All records of a kind in a scope.
///
/// # Panics
/// If the store does not answer.
pub async fn records(store: &dyn Store, scope: &ScopeId, kind: Kind) -> Vec<RecordRow> {
    let mut rows: Vec<RecordRow> = Vec::new();
    loop {
        let after_id = rows
            .last()
            .map(|row| row.key.id.clone())
            .unwrap_or_default();
        let query = ListQuery {
            scope: scope.clone(),
            kind,
            state: None,
            after_id,
            limit: PAGE,
        };
        let page = store.list_records(&query).await.expect("records are read");
        let last = page.len() < PAGE;
        rows.extend(page);
        if last {
            return rows;
        }
    }
}
