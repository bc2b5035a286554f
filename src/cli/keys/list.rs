//! Keys and trusted identities of a firm, as they are printed.

use comfy_table::{Table, presets};
use serde::Serialize;

use super::firm_id;
use crate::cli::{CliError, Database, Output};
use crate::domain::firm::{Identity, Permission};
use crate::domain::identity::FirmId;
use crate::domain::record::{Kind, Record, RecordKey};
use crate::domain::time::Timestamp;
use crate::domain::world::Versioned;
use crate::ledger::rows::decode_row;
use crate::server::Application;
use crate::store::ListQuery;

/// How many are read at a time.
const ROWS_AT_A_TIME: usize = 500;

#[derive(Debug, clap::Args)]
pub(super) struct List {
    #[command(flatten)]
    pub(super) database: Database,
    /// The firm's id.
    #[arg(long)]
    firm: String,
    /// How the result is printed.
    #[arg(long, value_enum, default_value_t)]
    pub(super) output: Output,
}

/// A key or a trusted identity, without any secret.
#[derive(Debug, Serialize)]
pub(super) struct Shown {
    /// Resource name.
    name: String,
    /// What it is for, for people.
    display_name: String,
    /// `active`, `expired` or `revoked`.
    state: &'static str,
    /// What it may do.
    permissions: Vec<Permission>,
    /// Whom others vouch for; none for a key.
    #[serde(skip_serializing_if = "Option::is_none")]
    identity: Option<Identity>,
    /// When it was made, as RFC 3339.
    created: String,
    /// When it stops working by itself.
    #[serde(skip_serializing_if = "Option::is_none")]
    expires: Option<String>,
    /// When it was last used, to the hour.
    #[serde(skip_serializing_if = "Option::is_none")]
    last_used: Option<String>,
}

impl List {
    pub(super) async fn run(&self, application: &Application) -> Result<Vec<Shown>, CliError> {
        let firm = firm_id(&self.firm)?;
        let mut all = Vec::new();
        for kind in [Kind::ApiKey, Kind::TrustedIdentity] {
            let mut query = ListQuery {
                scope: firm.scope(),
                kind,
                state: None,
                after_id: String::new(),
                limit: ROWS_AT_A_TIME,
            };
            loop {
                let rows = application.api.ledger.store().list_records(&query).await?;
                let Some(last) = rows.last() else { break };
                query.after_id.clone_from(&last.key.id);
                for row in &rows {
                    all.extend(Shown::of(
                        &row.key,
                        &decode_row(row)?,
                        application.api.now(),
                    ));
                }
            }
        }
        note_uses(application, &mut all).await?;
        Ok(all)
    }
}

/// Notes when each was last used.
async fn note_uses(application: &Application, all: &mut [Shown]) -> Result<(), CliError> {
    let id = |name: &str| name.rsplit('/').next().unwrap_or_default().to_owned();
    for some in all.chunks_mut(ROWS_AT_A_TIME) {
        let ids: Vec<String> = some.iter().map(|shown| id(&shown.name)).collect();
        let rows = application.api.ledger.store().credentials(&ids).await?;
        for shown in some {
            let row = rows.iter().find(|row| row.id == id(&shown.name));
            let last = row.and_then(|row| row.last_used_at);
            shown.last_used = last.map(|last| last.to_string());
        }
    }
    Ok(())
}

impl Shown {
    pub(super) async fn find(
        application: &Application,
        firm: &FirmId,
        kind: Kind,
        id: &str,
    ) -> Result<Self, CliError> {
        let key = RecordKey::new(&firm.scope(), kind, id);
        let found = application.api.find(&key).await.map_err(|error| error.0)?;
        let shown = found.and_then(|found| Self::of(&key, &found, application.api.now()));
        Ok(shown.ok_or("it is not there")?)
    }

    fn of(key: &RecordKey, found: &Versioned, now: Timestamp) -> Option<Self> {
        let (collection, display_name, permissions, identity, expires_at, revoked_at) =
            match &found.record {
                Record::ApiKey(key) => (
                    "apiKeys",
                    &key.display_name,
                    &key.permissions,
                    None,
                    key.expires_at,
                    key.revoked_at,
                ),
                Record::TrustedIdentity(trusted) => (
                    "trustedIdentities",
                    &trusted.display_name,
                    &trusted.permissions,
                    Some(trusted.identity.clone()),
                    trusted.expires_at,
                    trusted.revoked_at,
                ),
                _ => return None,
            };
        let state = if revoked_at.is_some() {
            "revoked"
        } else if expires_at.is_some_and(|expires_at| expires_at <= now) {
            "expired"
        } else {
            "active"
        };
        Some(Self {
            name: format!("{}/{collection}/{}", key.scope, key.id),
            display_name: display_name.clone(),
            state,
            permissions: permissions.clone(),
            identity,
            created: found.created_at.to_string(),
            expires: expires_at.map(|expires_at| expires_at.to_string()),
            last_used: None,
        })
    }

    fn who(&self) -> String {
        match &self.identity {
            None => String::new(),
            Some(Identity::Token { issuer, subject }) => format!("{subject} of {issuer}"),
            Some(Identity::CertificateDns(name)) => name.clone(),
            Some(Identity::CertificateUri(uri)) => uri.clone(),
        }
    }
}

/// A table for people.
pub(super) fn table(all: &[Shown]) -> String {
    let mut table = Table::new();
    table.load_style(presets::NOTHING);
    table.set_header(["name", "for", "state", "may", "who", "expires", "last used"]);
    for shown in all {
        let may: Vec<&str> = shown.permissions.iter().map(|one| one.as_str()).collect();
        table.add_row([
            shown.name.clone(),
            shown.display_name.clone(),
            shown.state.to_owned(),
            may.join(","),
            shown.who(),
            shown.expires.clone().unwrap_or_default(),
            shown.last_used.clone().unwrap_or_default(),
        ]);
    }
    table.to_string()
}
