//! What was asked of a ledger and what it answered, and whether the database agrees with it.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use entente::domain::command::{Action, Command};
use entente::domain::identity::ScopeId;
use entente::domain::journal::{Entry, Head};
use entente::domain::record::Kind;
use entente::domain::refusal::Reason;
use entente::domain::sla::ticket::{IngestEvent, TicketCommand, TicketEvent};
use entente::ledger::verify::verify_store;
use entente::ledger::{Failure, Receipt};
use entente::store::{RequestKey, RequestRow, Store};

use super::replay::Replay;
use super::workload::Recipe;

/// Entries read at a time.
const PAGE: usize = 500;

/// Commands and answers of one database, from its beginning.
#[derive(Debug, Default)]
pub struct History {
    forgetful: bool,
    commands: BTreeMap<String, Command>,
    accepted: Vec<(String, Receipt)>,
    refused: BTreeMap<String, Reason>,
    unknown: BTreeSet<String>,
}

/// What a history came to.
#[derive(Clone, Copy, Debug, Default)]
pub struct Figures {
    /// Different commands.
    pub commands: usize,
    /// Answers with a receipt.
    pub accepted: usize,
    /// Answers with a refusal.
    pub refused: usize,
    /// Commands whose last answer left the outcome open.
    pub unknown: usize,
    /// Entries in all journals.
    pub entries: usize,
}

/// The entries of one command.
#[derive(Clone, Debug)]
struct Run {
    scope: ScopeId,
    first: u64,
    last: u64,
    /// All payloads.
    text: String,
    /// What each of them is about.
    about: Vec<(String, String)>,
}

impl Run {
    /// Whether a receipt names the last entry, or, where others only follow from it, one about what
    /// was asked.
    fn is_told_by(&self, receipt: &Receipt) -> bool {
        let before = receipt.sequence.checked_sub(self.first);
        let place = before.and_then(|before| usize::try_from(before).ok());
        let about = place.and_then(|place| self.about.get(place));
        let own =
            about.is_some_and(|(kind, id)| kind == receipt.kind.as_str() && *id == receipt.id);
        own || receipt.sequence == self.last
    }
}

impl History {
    /// A history in which requests may be forgotten because their time is over.
    pub fn forgetful() -> Self {
        Self {
            forgetful: true,
            ..Self::default()
        }
    }

    /// Notes that a command is about to be sent.
    pub fn asked(&mut self, recipe: &Recipe) {
        self.refused.remove(&recipe.origin());
        self.commands
            .entry(recipe.origin())
            .or_insert_with(|| recipe.command());
    }

    /// Notes an answer; answers to one command come in order.
    pub fn answered(&mut self, recipe: &Recipe, answer: &Result<Receipt, Failure>) {
        let origin = recipe.origin();
        match answer {
            Ok(receipt) => self.accepted.push((origin, receipt.clone())),
            Err(failure) if failure.reason() == Reason::StoreUnavailable => {
                self.refused.remove(&origin);
                self.unknown.insert(origin);
            }
            // This attempt did nothing, but one before it may have.
            Err(failure) if self.unknown.contains(&origin) && !is_decided(failure.reason()) => {}
            Err(failure) => {
                self.unknown.remove(&origin);
                self.refused.insert(origin, failure.reason());
            }
        }
    }

    /// Checks the database against the history: chains, records, and that each command that was
    /// acknowledged is there once and each that was refused is not there at all.
    ///
    /// # Panics
    /// At the first thing that is not as it should be.
    pub async fn check(&self, store: &dyn Store) -> Figures {
        let journals = journals(store).await;
        let entries = journals.iter().map(|(_, entries)| entries.len()).sum();
        let runs = runs(&journals);
        check_events(&journals);
        let mut replay = Replay::default();
        for (head, entries) in &journals {
            replay.follow(head, entries, &self.commands);
        }
        replay.compare(store).await;
        let report = verify_store(store, None).await.expect("the store answers");
        assert!(report.is_clean(), "{report:?}");
        let requests = self.requests(store).await;
        let entries_at: HashMap<(&ScopeId, u64), &Entry> = journals
            .iter()
            .flat_map(|(_, entries)| entries)
            .map(|entry| ((&entry.scope, entry.sequence), entry))
            .collect();
        for (origin, receipt) in &self.accepted {
            let entry = entries_at.get(&(&receipt.scope, receipt.sequence));
            let found = entry.map(|entry| entry.hash);
            let hash = if receipt.sequence == 0 {
                None
            } else {
                Some(receipt.hash)
            };
            assert_eq!(
                found, hash,
                "{origin} was acknowledged at {}/{}, which is lost",
                receipt.scope, receipt.sequence
            );
            if let Action::Ticket(TicketCommand::Ingest(event)) = &self.commands[origin].action {
                check_event(origin, event, receipt, entry.copied());
            } else {
                self.check_accepted(origin, receipt, &runs, &requests);
            }
        }
        self.check_openings(store, &runs).await;
        let acknowledged: BTreeSet<&String> =
            self.accepted.iter().map(|(origin, _)| origin).collect();
        for (origin, reason) in &self.refused {
            // The same command may be sent twice, be refused once and accepted once.
            let refused = acknowledged.contains(origin) || !runs.contains_key(origin);
            assert!(
                refused,
                "{origin} was refused ({reason:?}) and is there: {:?}",
                runs.get(origin)
            );
        }
        Figures {
            commands: self.commands.len(),
            accepted: self.accepted.len(),
            refused: self.refused.len(),
            unknown: self.unknown.len(),
            entries,
        }
    }

    fn check_accepted(
        &self,
        origin: &str,
        receipt: &Receipt,
        runs: &HashMap<String, Run>,
        requests: &HashMap<RequestKey, RequestRow>,
    ) {
        let command = &self.commands[origin];
        assert_eq!(receipt.scope, command.scope, "{origin}");
        if command.firm.is_none() {
            // Of timers nothing is remembered but what they did: they may well do more next time.
            return;
        }
        if let Some(run) = runs.get(origin) {
            let own = run.scope == receipt.scope && run.is_told_by(receipt);
            assert!(
                own,
                "{origin} was acknowledged with {receipt:?} and is at {run:?}"
            );
        }
        if self.forgetful {
            return;
        }
        let row = requests.get(&request_key(command));
        let row = row
            .unwrap_or_else(|| panic!("{origin} was acknowledged, and its request is forgotten"));
        assert_eq!(
            row.digest, command.digest,
            "{origin}: another request is remembered"
        );
        let outcome: serde_json::Value =
            serde_json::from_str(&row.outcome).expect("outcomes are JSON");
        assert_eq!(outcome["sequence"], receipt.sequence, "{origin}");
        assert_eq!(
            outcome["hash"],
            data_encoding::HEXLOWER.encode(&receipt.hash),
            "{origin}"
        );
        assert_eq!(
            (&outcome["kind"], &outcome["id"]),
            (&receipt.kind.as_str().into(), &receipt.id.as_str().into()),
            "{origin}"
        );
    }

    /// The openings of what a command's entries commit to are stored with them, and no others.
    async fn check_openings(&self, store: &dyn Store, runs: &HashMap<String, Run>) {
        for (origin, command) in &self.commands {
            // Events of one id have the same openings, whichever of them was taken.
            let is_event = matches!(command.action, Action::Ticket(TicketCommand::Ingest(_)));
            if command.openings.is_empty() || is_event {
                continue;
            }
            let wanted: Vec<_> = command
                .openings
                .iter()
                .map(|opening| opening.commitment.clone())
                .collect();
            let mut found = store
                .openings(&command.scope, &wanted)
                .await
                .expect("openings are read");
            let text = runs
                .get(origin)
                .map(|run| run.text.as_str())
                .unwrap_or_default();
            let taken_up = command
                .openings
                .iter()
                .filter(|opening| text.contains(opening.commitment.as_str()));
            let mut expected: Vec<_> = taken_up.cloned().collect();
            found.sort_by(|left, right| left.commitment.cmp(&right.commitment));
            expected.sort_by(|left, right| left.commitment.cmp(&right.commitment));
            assert_eq!(found, expected, "the openings of {origin}");
        }
    }

    async fn requests(&self, store: &dyn Store) -> HashMap<RequestKey, RequestRow> {
        let keys: Vec<RequestKey> = self.commands.values().map(request_key).collect();
        let mut rows = HashMap::new();
        for keys in keys.chunks(PAGE) {
            let mut transaction = store.begin().await.expect("a transaction begins");
            for row in transaction.requests(keys).await.expect("requests are read") {
                let key = RequestKey {
                    scope: row.scope.clone(),
                    firm: row.firm.clone(),
                    request_id: row.request_id.clone(),
                };
                rows.insert(key, row);
            }
        }
        rows
    }
}

/// An event is acknowledged with the entry that holds it, whichever time it came.
fn check_event(origin: &str, event: &IngestEvent, receipt: &Receipt, entry: Option<&Entry>) {
    let entry = entry.unwrap_or_else(|| panic!("{origin} has no entry"));
    let recorded = TicketEvent::decode(&entry.event_type, entry.event_version, &entry.payload);
    let fact = match recorded.expect("an event of a ticket") {
        TicketEvent::Recorded(change) | TicketEvent::Unparked(change) => change.fact,
        TicketEvent::Parked(change) => change.fact,
        TicketEvent::Awaiting(change) => change.fact,
        TicketEvent::Countersigned(change) => change.recorded.fact,
        other => panic!("{origin} was acknowledged with {other:?}"),
    };
    assert_eq!(entry.id, receipt.id, "{origin}: another ticket");
    assert_eq!(fact.event_id, event.event_id, "{origin}: another event");
    assert_eq!(fact.status, event.status, "{origin}: another event");
}

/// Whether a refusal says that the command was looked at, with everything before it in place.
fn is_decided(reason: Reason) -> bool {
    !matches!(
        reason,
        Reason::DeadlineExceeded
            | Reason::Internal
            | Reason::QueueFull
            | Reason::FirmQuotaExceeded
            | Reason::ServiceStopping
    )
}

/// The key under which a command's request is remembered.
pub fn request_key(command: &Command) -> RequestKey {
    RequestKey {
        scope: command.scope.clone(),
        firm: command
            .firm
            .as_ref()
            .map(ToString::to_string)
            .unwrap_or_default(),
        request_id: command.request_id.clone(),
    }
}

/// Every head with all entries of its chain.
///
/// # Panics
/// If the store does not answer.
pub async fn journals(store: &dyn Store) -> Vec<(Head, Vec<Entry>)> {
    let heads = store.list_heads("", PAGE).await.expect("heads are read");
    let mut journals = Vec::with_capacity(heads.len());
    for head in heads {
        let mut entries: Vec<Entry> = Vec::new();
        loop {
            let after = entries.last().map_or(0, |entry| entry.sequence);
            let page = store
                .entries(&head.scope, after, PAGE)
                .await
                .expect("entries are read");
            let last = page.len() < PAGE;
            entries.extend(page);
            if last {
                break;
            }
        }
        journals.push((head, entries));
    }
    journals
}

/// The entries of each command: one uninterrupted run, in which nothing happens twice.
fn runs(journals: &[(Head, Vec<Entry>)]) -> HashMap<String, Run> {
    let mut runs: HashMap<String, Run> = HashMap::new();
    for (_, entries) in journals {
        let mut happened = BTreeSet::new();
        let mut current = String::new();
        for entry in entries {
            if entry.origin != current {
                happened.clear();
                current.clone_from(&entry.origin);
            }
            if entry.origin.is_empty() {
                continue;
            }
            let new = Run {
                scope: entry.scope.clone(),
                first: entry.sequence,
                last: entry.sequence,
                text: String::new(),
                about: Vec::new(),
            };
            // A parked event that is sent again may do the rest of its work then.
            let follows = |origin: &str| {
                let run = runs.get(origin);
                run.is_none_or(|run| run.scope == entry.scope && run.last + 1 == entry.sequence)
            };
            let again = match entry.event_type.as_str() {
                "ticket.event_unparked" => " again",
                "ticket.verdict_revised" | "ticket.event_awaiting_countersignature"
                    if !follows(&entry.origin) =>
                {
                    " again"
                }
                _ => "",
            };
            let run = runs
                .entry(format!("{}{again}", entry.origin))
                .or_insert(new);
            let follows = run.scope == entry.scope
                && (run.first == entry.sequence || run.last + 1 == entry.sequence);
            assert!(
                follows,
                "{} happened twice: {run:?} and {}/{}",
                entry.origin, entry.scope, entry.sequence
            );
            run.last = entry.sequence;
            run.about.push((entry.kind.clone(), entry.id.clone()));
            run.text.push_str(&String::from_utf8_lossy(&entry.payload));
            // One command may map several words, change several verdicts, and
            // note a link with both its tickets.
            let several = [Kind::UnmappedWord, Kind::LinkedTicket]
                .map(Kind::as_str)
                .contains(&entry.kind.as_str())
                || entry.event_type == "ticket.verdict_revised";
            let first = several || happened.insert(entry.event_type.clone());
            assert!(
                first,
                "{} happened twice at {}/{}",
                entry.event_type, entry.scope, entry.sequence
            );
        }
    }
    runs
}

/// An event of a firm's software is parked once at most, and counts once at most, however often it
/// was sent.
fn check_events(journals: &[(Head, Vec<Entry>)]) {
    let mut seen = BTreeSet::new();
    for entry in journals.iter().flat_map(|(_, entries)| entries) {
        let payload: serde_json::Value =
            serde_json::from_slice(&entry.payload).expect("payloads are JSON");
        if let Some(event_id) = payload["fact"]["event_id"].as_str() {
            let parked = entry.event_type == "ticket.event_parked";
            let sender = payload["fact"]["sender"].as_str().map(str::to_owned);
            let event = (sender, event_id.to_owned());
            let first = seen.insert((&entry.scope, &entry.id, event, parked));
            assert!(
                first,
                "{event_id} of {} happened twice: {}/{}",
                entry.firm, entry.scope, entry.sequence
            );
        }
    }
}
