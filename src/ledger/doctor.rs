//! A look at a database's health: cheap enough to be taken while it is in use, and no replacement for
//! verifying all of it.

use std::cmp::Ordering;
use std::collections::BTreeSet;

use serde::Serialize;

use super::history;
use super::rows::decode_row;
use super::verify::differences;
use crate::domain::format::Format;
use crate::domain::identity::ScopeId;
use crate::domain::journal::{Head, follow};
use crate::domain::record::{Kind, Record, RecordKey};
use crate::domain::time::{Span, Timestamp};
use crate::store::{ListQuery, RecordRow, Store, StoreError};

/// Scopes read at a time.
const HEADS_AT_A_TIME: usize = 1_000;
/// Keys read of one firm; whoever has more is told of these.
const KEYS_MAX: usize = 1_000;
/// Entries looked at, from the end of a journal.
const ENTRIES_MAX: u64 = 100;
/// Records looked at of one journal.
const RECORDS_MAX: usize = 50;
/// Records that changed more often are left to `entente verify`.
const REVISIONS_MAX: u64 = 500;
/// Things named in one line.
const NAMED_MAX: usize = 5;
/// Clocks that differ by more are worth a warning, and by how much they do harm.
const SKEW_WARNED: Span = Span::from_seconds(1);
const SKEW_MAX: Span = Span::from_seconds(30);
/// A record that has been due for longer is worth a warning, and from when on nobody can be at work.
const LAG_WARNED: Span = Span::from_minutes(1);
const LAG_MAX: Span = Span::from_minutes(15);
/// A key that works no longer than this is named.
const EXPIRY_WARNED: Span = Span::from_hours(30 * 24);

/// How something is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Health {
    /// As it should be.
    Good,
    /// Could not be looked at.
    Unknown,
    /// Worth somebody's attention.
    Warning,
    /// Not as it should be.
    Bad,
}

/// What a look at one thing found.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Finding {
    /// What was looked at.
    pub check: &'static str,
    /// How it is.
    pub health: Health,
    /// What was seen, for a person.
    pub seen: String,
}

impl Finding {
    /// Puts a finding together.
    #[must_use]
    pub fn new(check: &'static str, health: Health, seen: impl Into<String>) -> Self {
        Self {
            check,
            health,
            seen: seen.into(),
        }
    }

    /// A check that could not be made.
    #[must_use]
    pub fn failed(check: &'static str, error: &StoreError) -> Self {
        Self::new(check, Health::Bad, error.to_string())
    }
}

fn seconds(span: Span) -> i64 {
    span.as_micros() / crate::domain::time::MICROS_PER_SECOND
}

/// Whether this program knows the active format.
#[must_use]
pub fn format(active: Format) -> Finding {
    let newest = Format::NEWEST;
    let (health, seen) = match active.cmp(&newest) {
        Ordering::Equal => (Health::Good, format!("{active} is active")),
        Ordering::Less => (
            Health::Good,
            format!(
                "{active} is active; when all replicas are as new as this program: `entente activate` ({newest})"
            ),
        ),
        Ordering::Greater => (
            Health::Bad,
            format!("{active} is active, and this program knows {newest} at most"),
        ),
    };
    Finding::new("format", health, seen)
}

/// Whether the database's clock and this machine's agree: before and after are this machine's, around
/// the moment at which the database was asked.
#[must_use]
pub fn clock(before: Timestamp, there: Option<Timestamp>, after: Timestamp) -> Finding {
    const CHECK: &str = "clock";
    let Some(there) = there else {
        return Finding::new(CHECK, Health::Good, "the database has none of its own");
    };
    // Whatever lies between the two may be the way there and back.
    let skew = if there < before {
        before.since(there)
    } else if there > after {
        there.since(after)
    } else {
        Span::ZERO
    };
    let health = match skew {
        skew if skew > SKEW_MAX => Health::Bad,
        skew if skew > SKEW_WARNED => Health::Warning,
        _ => Health::Good,
    };
    let seen = match health {
        Health::Good => "this machine's and the database's agree".to_owned(),
        _ => format!(
            "this machine's and the database's differ by {} s",
            seconds(skew)
        ),
    };
    Finding::new(CHECK, health, seen)
}

/// Whether what is due is carried out.
///
/// # Errors
/// If the database does not answer.
pub async fn due(store: &dyn Store, now: Timestamp) -> Result<Finding, StoreError> {
    const CHECK: &str = "timers";
    let Some(oldest) = store.due_records(now, 1).await?.pop() else {
        return Ok(Finding::new(CHECK, Health::Good, "nothing is due"));
    };
    let lag = now.since(oldest.due_at);
    let health = match lag {
        lag if lag > LAG_MAX => Health::Bad,
        lag if lag > LAG_WARNED => Health::Warning,
        _ => Health::Good,
    };
    let key = &oldest.key;
    let mut seen = format!(
        "{} {} of {} has been due for {} s",
        key.kind.as_str(),
        key.id,
        key.scope,
        seconds(lag)
    );
    if health != Health::Good {
        seen.push_str("; is a server at work?");
    }
    Ok(Finding::new(CHECK, health, seen))
}

/// All heads.
///
/// # Errors
/// If the database does not answer.
pub async fn heads(store: &dyn Store) -> Result<Vec<Head>, StoreError> {
    let mut heads: Vec<Head> = Vec::new();
    loop {
        let after = heads.last().map_or("", |head| head.scope.as_str());
        let page = store.list_heads(after, HEADS_AT_A_TIME).await?;
        let is_last = page.len() < HEADS_AT_A_TIME;
        heads.extend(page);
        if is_last {
            return Ok(heads);
        }
    }
}

/// Whether keys stop working soon.
///
/// # Errors
/// If the database does not answer.
pub async fn keys(
    store: &dyn Store,
    heads: &[Head],
    now: Timestamp,
) -> Result<Finding, StoreError> {
    const CHECK: &str = "keys";
    let (mut working, mut soon) = (0_usize, Vec::new());
    for head in heads.iter().filter(|head| head.scope.is_firm()) {
        let query = ListQuery {
            scope: head.scope.clone(),
            kind: Kind::ApiKey,
            state: Some("active".to_owned()),
            after_id: String::new(),
            limit: KEYS_MAX,
        };
        for row in store.list_records(&query).await? {
            let Record::ApiKey(key) = decode_row(&row)?.record else {
                continue;
            };
            match key.expires_at {
                Some(expires_at) if expires_at <= now => {}
                Some(expires_at) if expires_at <= now.saturating_add(EXPIRY_WARNED) => {
                    working += 1;
                    let days = seconds(expires_at.since(now)) / seconds(Span::from_hours(24));
                    soon.push(format!(
                        "{}/apiKeys/{} in {days} days",
                        row.key.scope, row.key.id
                    ));
                }
                _ => working += 1,
            }
        }
    }
    let health = match (working, soon.len()) {
        (0, _) => Health::Warning,
        (_, 0) => Health::Good,
        _ => Health::Warning,
    };
    let mut seen = format!("{working} work");
    if !soon.is_empty() {
        let more = soon.len().saturating_sub(NAMED_MAX);
        soon.truncate(NAMED_MAX);
        seen = format!("{seen}; stop working soon: {}", soon.join(", "));
        if more > 0 {
            seen = format!("{seen} and {more} more");
        }
    }
    Ok(Finding::new(CHECK, health, seen))
}

/// Whether the ends of some journals are sound, and the records that they changed last are what follows
/// from them. Chooses `scopes` of the heads, beginning at any.
///
/// # Errors
/// If the database does not answer.
pub async fn chains(
    store: &dyn Store,
    heads: &[Head],
    scopes: usize,
    beginning: usize,
) -> Result<Finding, StoreError> {
    const CHECK: &str = "chains";
    let (mut entries, mut records, mut faults) = (0, 0, Vec::new());
    let step = (heads.len() / scopes.max(1)).max(1);
    let chosen = heads.iter().cycle().skip(beginning % heads.len().max(1));
    let chosen = chosen.take(heads.len()).step_by(step).take(scopes);
    let mut looked_at = 0;
    for head in chosen {
        looked_at += 1;
        let touched = match end_of_chain(store, head).await? {
            Ok((count, touched)) => {
                entries += count;
                touched
            }
            Err(fault) => {
                faults.push(fault);
                continue;
            }
        };
        let keys: Vec<RecordKey> = touched.into_iter().take(RECORDS_MAX).collect();
        let rows = store.records(&keys).await?;
        if rows.len() < keys.len() {
            faults.push(format!("{}: records are missing", head.scope));
        }
        for row in rows.iter().filter(|row| row.revision <= REVISIONS_MAX) {
            records += 1;
            if let Some(fault) = fault_of(store, row).await? {
                faults.push(format!(
                    "{}: {} {}: {fault}",
                    head.scope,
                    row.key.kind.as_str(),
                    row.key.id
                ));
            }
        }
    }
    if faults.is_empty() {
        let seen = format!(
            "the last {entries} entries and {records} records of {looked_at} of {} scopes are sound",
            heads.len()
        );
        return Ok(Finding::new(CHECK, Health::Good, seen));
    }
    let more = faults.len().saturating_sub(NAMED_MAX);
    faults.truncate(NAMED_MAX);
    let mut seen = format!("{}; run `entente verify`", faults.join("; "));
    if more > 0 {
        seen = format!("{more} more faults; {seen}");
    }
    Ok(Finding::new(CHECK, Health::Bad, seen))
}

/// How many entries were followed to the end of a chain, and which records they changed; or what is
/// wrong with it.
async fn end_of_chain(
    store: &dyn Store,
    head: &Head,
) -> Result<Result<(usize, BTreeSet<RecordKey>), String>, StoreError> {
    let scope = &head.scope;
    let begin = head.sequence.saturating_sub(ENTRIES_MAX);
    let Some(mut at) = entry_before(store, scope, begin).await? else {
        return Ok(Err(format!("{scope}: entry {begin} is missing")));
    };
    let limit = usize::try_from(head.sequence - begin).unwrap_or(usize::MAX);
    let entries = store.entries(scope, begin, limit.max(1)).await?;
    let mut touched = BTreeSet::new();
    let followed = entries.len();
    for entry in entries {
        if entry.sequence > head.sequence {
            break;
        }
        if let Err(fault) = follow(&mut at, &entry) {
            return Ok(Err(format!("{scope}: {fault}")));
        }
        if let Some(kind) = Kind::parse(&entry.kind) {
            touched.insert(RecordKey::new(scope, kind, entry.id));
        }
    }
    if (at.sequence, at.hash) != (head.sequence, head.hash) {
        let fault = format!("{scope}: the journal does not end where its head says");
        return Ok(Err(fault));
    }
    Ok(Ok((followed, touched)))
}

/// The head as it was after the entry of that sequence.
async fn entry_before(
    store: &dyn Store,
    scope: &ScopeId,
    sequence: u64,
) -> Result<Option<Head>, StoreError> {
    let mut head = Head::new(scope.clone());
    let Some(before) = sequence.checked_sub(1) else {
        return Ok(Some(head));
    };
    let entries = store.entries(scope, before, 1).await?;
    let entry = entries.iter().find(|entry| entry.sequence == sequence);
    Ok(entry.map(|entry| {
        head.advance(entry);
        head
    }))
}

/// What is wrong with a record, going by all entries about it.
async fn fault_of(store: &dyn Store, row: &RecordRow) -> Result<Option<String>, StoreError> {
    let expected = match history::as_of(store, &row.key, row.sequence).await {
        Ok(Some(expected)) => expected,
        Ok(None) => return Ok(Some("does not follow from the journal".to_owned())),
        Err(StoreError::Corrupt(fault)) => return Ok(Some(fault)),
        Err(error) => return Err(error),
    };
    let fields = differences(&row.key, &expected, row);
    Ok((!fields.is_empty()).then(|| format!("differs in {}", fields.join(", "))))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn clocks_agree_within_the_time_that_asking_takes() {
        let at = |seconds: i64| Timestamp::from_micros(seconds * 1_000_000);
        let health = |there| clock(at(100), Some(at(there)), at(103)).health;
        for (there, expected) in [
            (102, Health::Good),
            (99, Health::Good),
            (104, Health::Good),
            (98, Health::Warning),
            (133, Health::Warning),
            (134, Health::Bad),
            (0, Health::Bad),
        ] {
            assert_eq!(health(there), expected, "{there}");
        }
        assert_eq!(clock(at(1), None, at(1)).health, Health::Good);
    }
}
