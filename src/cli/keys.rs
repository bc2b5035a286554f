//! `entente keys`: API keys and trusted identities, kept directly on the database.
//!
//! This is how the first key comes to be. It runs the same commands through the same ledger as the
//! server does, so it may be used while a server is running.

mod change;
mod list;

use std::process::ExitCode;

use clap::Subcommand;
use serde::Serialize;

use super::{CliError, Database, Output};
use crate::api::sign_in::key::{SECRET_BYTES, format_key, new_secret};
use crate::domain::command::{Action, Command};
use crate::domain::firm::{ApiKeyCreated, FirmCommand, Permission};
use crate::domain::identity::{FirmId, ScopeId};
use crate::domain::record::{Kind, RecordKey};
use crate::domain::refusal::Reason;
use crate::domain::time::{Span, Timestamp};
use crate::ledger::queue::Urgency;
use crate::ledger::{Failure, Receipt};
use crate::server::{Application, Environment};
use crate::store;
use list::{Shown, table};

/// The command line acts under this name in the journal.
pub(super) const ACTOR: &str = "command-line";

/// Manage API keys and trusted identities directly on the database.
#[derive(Debug, clap::Args)]
pub struct Keys {
    #[command(subcommand)]
    command: KeysCommand,
}

#[derive(Debug, Subcommand)]
enum KeysCommand {
    /// Make a key; the firm is created if it does not exist.
    Create(Create),
    /// List a firm's keys and whom it trusts.
    List(list::List),
    /// Give a key another secret; the one before is good for a while longer.
    Rotate(change::Rotate),
    /// Make a key useless, or trust somebody no more.
    Revoke(change::Revoke),
    /// Let somebody act for a firm for whom an identity provider or an authority vouches.
    Trust(change::Trust),
}

impl KeysCommand {
    /// Where the database is, and how the result is printed.
    const fn settings(&self) -> (&Database, Output) {
        match self {
            Self::Create(create) => (&create.database, create.output),
            Self::List(list) => (&list.database, list.output),
            Self::Rotate(rotate) => (&rotate.database, rotate.output),
            Self::Revoke(revoke) => (&revoke.database, revoke.output),
            Self::Trust(trust) => (&trust.database, trust.output),
        }
    }

    async fn run(&self, application: &Application) -> Result<Done, CliError> {
        Ok(match self {
            Self::Create(create) => Done::Key(create.run(application).await?),
            Self::List(list) => Done::All(list.run(application).await?),
            Self::Rotate(rotate) => Done::Key(rotate.run(application).await?),
            Self::Revoke(revoke) => Done::One(revoke.run(application).await?),
            Self::Trust(trust) => Done::One(trust.run(application).await?),
        })
    }
}

/// What came of a command.
enum Done {
    /// A key with a secret that nobody has seen yet.
    Key(CreatedKey),
    /// One key or trusted identity as it is now.
    One(Shown),
    /// All of a firm.
    All(Vec<Shown>),
}

impl Done {
    fn print(&self, output: Output) -> Result<(), serde_json::Error> {
        match (output, self) {
            (Output::Json, Self::Key(created)) => println!("{}", serde_json::to_string(created)?),
            (Output::Json, Self::One(shown)) => println!("{}", serde_json::to_string(shown)?),
            (Output::Json, Self::All(all)) => println!("{}", serde_json::to_string(all)?),
            (Output::Text, Self::Key(created)) => {
                println!("{}", created.api_key);
                eprintln!(
                    "key {} of {}; it is not shown again",
                    created.name, created.firm
                );
            }
            (Output::Text, Self::One(shown)) => println!("{}", table(std::slice::from_ref(shown))),
            (Output::Text, Self::All(all)) => println!("{}", table(all)),
        }
        Ok(())
    }
}

#[derive(Debug, clap::Args)]
struct Create {
    #[command(flatten)]
    database: Database,
    /// The firm's id: lower-case letters, digits and hyphens; `operator` for the operator itself.
    #[arg(long)]
    firm: String,
    /// The firm's name for people, if it has to be created. [default: the id]
    #[arg(long)]
    firm_display_name: Option<String>,
    /// What the key is for, for people.
    #[arg(long, default_value = "made on the command line")]
    display_name: String,
    /// What the key may do. [default: everything within its firm]
    #[arg(long, value_delimiter = ',', value_parser = parse_permission)]
    permissions: Vec<Permission>,
    /// Days until the key stops working; never, where not given.
    #[arg(long)]
    expires_in_days: Option<u32>,
    /// How the result is printed.
    #[arg(long, value_enum, default_value_t)]
    output: Output,
}

fn parse_permission(name: &str) -> Result<Permission, String> {
    Permission::parse(name).ok_or_else(|| {
        let known: Vec<_> = Permission::ALL
            .iter()
            .map(|permission| permission.as_str())
            .collect();
        format!("not one of {}", known.join(", "))
    })
}

/// A key that was made, as it is printed. The secret part is shown this once.
#[derive(Debug, Serialize)]
pub struct CreatedKey {
    /// Resource name of the firm.
    pub firm: String,
    /// Resource name of the key.
    pub name: String,
    /// What its holder sends.
    pub api_key: String,
    /// What it may do.
    pub permissions: Vec<Permission>,
}

impl Keys {
    /// # Errors
    /// If the database cannot be used, or an argument is refused.
    pub async fn run(self) -> Result<ExitCode, CliError> {
        let (database, output) = self.command.settings();
        store::migrate(&database.database_url).await?;
        let environment = Environment {
            sweeping: false,
            ..Environment::default()
        };
        let application = Application::start(database.open().await?, environment).await?;
        let done = self.command.run(&application).await;
        application.stop().await;
        done?.print(output)?;
        Ok(ExitCode::SUCCESS)
    }
}

impl Create {
    async fn run(&self, application: &Application) -> Result<CreatedKey, CliError> {
        let firm = firm_id(&self.firm)?;
        let request = KeyRequest {
            display_name: self.display_name.clone(),
            permissions: self.permissions.clone(),
            expires_in: self.expires_in_days.map(days),
        };
        let firm_display_name = self.firm_display_name.as_deref().unwrap_or(&self.firm);
        Ok(create_key(application, &firm, firm_display_name, request).await?)
    }
}

fn firm_id(text: &str) -> Result<FirmId, CliError> {
    let rule = "--firm: lower-case letters, digits and hyphens, beginning with a letter";
    Ok(FirmId::parse(text).ok_or(rule)?)
}

fn days(days: u32) -> Span {
    Span::from_hours(i64::from(days) * 24)
}

fn expires_at(application: &Application, expires_in: Option<Span>) -> Option<Timestamp> {
    expires_in.map(|span| application.api.now().saturating_add(span))
}

/// A secret that nobody has had, and its digest.
fn fresh_secret(application: &Application) -> (String, String) {
    let mut random = [0; SECRET_BYTES];
    application.api.randomness.fill(&mut random);
    new_secret(&random)
}

/// What a new key shall be.
#[derive(Clone, Debug, Default)]
pub struct KeyRequest {
    /// What it is for, for people.
    pub display_name: String,
    /// What it may do; empty for everything within its firm.
    pub permissions: Vec<Permission>,
    /// How long it works; for ever, where not given.
    pub expires_in: Option<Span>,
}

/// Makes a key, and the firm if it does not exist.
///
/// # Errors
/// The refusal of whatever is not acceptable.
pub async fn create_key(
    application: &Application,
    firm: &FirmId,
    firm_display_name: &str,
    request: KeyRequest,
) -> Result<CreatedKey, Failure> {
    let operator = FirmId::operator();
    register(application, &operator, "Operator").await?;
    if *firm != operator {
        register(application, firm, firm_display_name).await?;
    }
    let (secret, digest) = fresh_secret(application);
    let created = ApiKeyCreated {
        display_name: request.display_name,
        permissions: permissions_for(firm, request.permissions),
        digest,
        expires_at: expires_at(application, request.expires_in),
    };
    let permissions = created.permissions.clone();
    let receipt = submit(
        application,
        &firm.scope(),
        firm,
        FirmCommand::CreateApiKey(created),
    )
    .await?;
    Ok(CreatedKey {
        firm: firm.scope().to_string(),
        name: format!("{}/apiKeys/{}", firm.scope(), receipt.id),
        api_key: format_key(&receipt.id, &secret),
        permissions,
    })
}

fn permissions_for(firm: &FirmId, wanted: Vec<Permission>) -> Vec<Permission> {
    if !wanted.is_empty() {
        return wanted;
    }
    let operator = *firm == FirmId::operator();
    Permission::ALL
        .iter()
        .copied()
        .filter(|permission| operator || *permission != Permission::Operator)
        .collect()
}

/// Registers a firm unless it exists, and makes sure that its own scope has begun.
pub(super) async fn register(
    application: &Application,
    firm: &FirmId,
    display_name: &str,
) -> Result<(), Failure> {
    let key = RecordKey::new(&firm.scope(), Kind::Firm, firm.as_str());
    let found = application
        .api
        .find(&key)
        .await
        .map_err(|error| Failure(error.0))?;
    if found.is_some() {
        return Ok(());
    }
    let operator = FirmId::operator();
    let action = FirmCommand::Register {
        firm: firm.clone(),
        display_name: display_name.to_owned(),
    };
    match submit(application, &operator.scope(), &operator, action).await {
        Ok(_) => Ok(()),
        Err(failure) if failure.reason() == Reason::AlreadyExists => Ok(()),
        Err(failure) => Err(failure),
    }
}

async fn submit(
    application: &Application,
    scope: &ScopeId,
    firm: &FirmId,
    action: FirmCommand,
) -> Result<Receipt, Failure> {
    let command = Command {
        scope: scope.clone(),
        firm: Some(firm.clone()),
        actor: ACTOR.to_owned(),
        origin: String::new(),
        request_id: format!(
            "generated:{}",
            data_encoding::HEXLOWER.encode(&application.api.salt())
        ),
        digest: [0; 32],
        expected_revision: None,
        action: Action::Firm(action),
        openings: Vec::new(),
    };
    application
        .api
        .ledger
        .submit(command, None::<Timestamp>, Urgency::Interactive)
        .await
}
