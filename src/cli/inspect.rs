//! `entente inspect`: a record and its history, for people.

use std::process::ExitCode;

use super::{CliError, Database, Output};
use crate::domain::identity::ScopeId;
use crate::domain::journal::Entry;
use crate::domain::record::{Kind, RecordKey};
use crate::store::{ListQuery, RecordRow, Store};

/// Entries read at a time.
const PAGE: usize = 500;

/// Print a record and its history.
#[derive(Debug, clap::Args)]
pub struct Inspect {
    #[command(flatten)]
    database: Database,
    /// Scope, such as `partnerships/0199...` or `firms/acme`; all scopes are listed without it.
    scope: Option<String>,
    /// Kind of record, such as `ticket`; the kinds are listed without it.
    kind: Option<String>,
    /// Id of the record; the records of the kind are listed without it.
    id: Option<String>,
    /// How the result is printed.
    #[arg(long, value_enum, default_value_t)]
    output: Output,
}

impl Inspect {
    /// # Errors
    /// If the database cannot be read, or there is no such record.
    pub async fn run(self) -> Result<ExitCode, CliError> {
        let store = self.database.open().await?;
        let store = store.as_ref();
        match (&self.scope, &self.kind, &self.id) {
            (None, _, _) => list_scopes(store).await?,
            (Some(scope), None, _) => list_kinds(store, &parse_scope(scope)?).await?,
            (Some(scope), Some(kind), None) => {
                list_records(store, &parse_scope(scope)?, parse_kind(kind)?).await?;
            }
            (Some(scope), Some(kind), Some(id)) => {
                let key = RecordKey::new(&parse_scope(scope)?, parse_kind(kind)?, id.as_str());
                self.show(store, &key).await?;
            }
        }
        Ok(ExitCode::SUCCESS)
    }

    async fn show(&self, store: &dyn Store, key: &RecordKey) -> Result<(), CliError> {
        let rows = store.records(std::slice::from_ref(key)).await?;
        let row = rows.first().ok_or("no such record")?;
        let mut history = Vec::new();
        loop {
            let after = history.last().map_or(0, |entry: &Entry| entry.sequence);
            let page = store.entries_of(key, after, PAGE).await?;
            let last = page.len() < PAGE;
            history.extend(page);
            if last {
                break;
            }
        }
        match self.output {
            Output::Json => print_json(row, &history)?,
            Output::Text => print_text(row, &history)?,
        }
        Ok(())
    }
}

fn parse_scope(text: &str) -> Result<ScopeId, CliError> {
    ScopeId::parse(text)
        .ok_or_else(|| "a scope is firms/{firm} or partnerships/{partnership}".into())
}

fn parse_kind(text: &str) -> Result<Kind, CliError> {
    Kind::parse(text).ok_or_else(|| {
        let kinds: Vec<_> = Kind::ALL.iter().map(|kind| kind.as_str()).collect();
        format!("a kind is one of {}", kinds.join(", ")).into()
    })
}

async fn list_scopes(store: &dyn Store) -> Result<(), CliError> {
    let mut after = String::new();
    loop {
        let heads = store.list_heads(&after, PAGE).await?;
        for head in &heads {
            println!(
                "{}  entries {}  last {}",
                head.scope, head.sequence, head.recorded_at
            );
        }
        match heads.last() {
            Some(head) if heads.len() == PAGE => head.scope.as_str().clone_into(&mut after),
            _ => return Ok(()),
        }
    }
}

async fn list_kinds(store: &dyn Store, scope: &ScopeId) -> Result<(), CliError> {
    for kind in Kind::ALL {
        let query = ListQuery {
            scope: scope.clone(),
            kind: *kind,
            state: None,
            after_id: String::new(),
            limit: PAGE,
        };
        let found = store.list_records(&query).await?.len();
        if found > 0 {
            let more = if found == PAGE { " or more" } else { "" };
            println!("{}  {found}{more}", kind.as_str());
        }
    }
    Ok(())
}

async fn list_records(store: &dyn Store, scope: &ScopeId, kind: Kind) -> Result<(), CliError> {
    let mut query = ListQuery {
        scope: scope.clone(),
        kind,
        state: None,
        after_id: String::new(),
        limit: PAGE,
    };
    loop {
        let rows = store.list_records(&query).await?;
        for row in &rows {
            println!(
                "{}  revision {}  {}  changed {}",
                row.key.id, row.revision, row.state, row.updated_at
            );
        }
        match rows.last() {
            Some(row) if rows.len() == PAGE => query.after_id.clone_from(&row.key.id),
            _ => return Ok(()),
        }
    }
}

fn print_text(row: &RecordRow, history: &[Entry]) -> Result<(), CliError> {
    println!(
        "{} {} of {}",
        row.key.kind.as_str(),
        row.key.id,
        row.key.scope
    );
    println!(
        "revision {}, {}, created {}, changed {}",
        row.revision, row.state, row.created_at, row.updated_at
    );
    let body: serde_json::Value = serde_json::from_str(&row.body)?;
    println!("{}", serde_json::to_string_pretty(&body)?);
    println!("\nhistory");
    for entry in history {
        println!(
            "{:>6}  {}  {}  {}",
            entry.sequence,
            entry.recorded_at,
            entry.event_type,
            who(entry)
        );
        println!("        {}", String::from_utf8_lossy(&entry.payload));
    }
    Ok(())
}

fn who(entry: &Entry) -> String {
    if entry.firm.is_empty() {
        "by itself".to_owned()
    } else {
        format!("{} {}", entry.firm, entry.actor)
    }
}

fn print_json(row: &RecordRow, history: &[Entry]) -> Result<(), CliError> {
    let entries: Vec<serde_json::Value> = history
        .iter()
        .map(|entry| {
            serde_json::json!({
                "sequence": entry.sequence,
                "recorded_at": entry.recorded_at.to_string(),
                "firm": entry.firm,
                "actor": entry.actor,
                "type": entry.event_type,
                "version": entry.event_version,
                "payload": serde_json::from_slice::<serde_json::Value>(&entry.payload).unwrap_or_default(),
                "hash": data_encoding::HEXLOWER.encode(&entry.hash),
            })
        })
        .collect();
    let record = serde_json::json!({
        "scope": row.key.scope.as_str(),
        "kind": row.key.kind.as_str(),
        "id": row.key.id,
        "revision": row.revision,
        "state": row.state,
        "created_at": row.created_at.to_string(),
        "updated_at": row.updated_at.to_string(),
        "body": serde_json::from_str::<serde_json::Value>(&row.body)?,
        "history": entries,
    });
    println!("{}", serde_json::to_string_pretty(&record)?);
    Ok(())
}
