//! `entente keys`: API keys, made directly on the database.
//!
//! This is how the first key comes to be. It runs the same commands through the same ledger as the
//! server does, so it may be used while a server is running.

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

/// The command line acts under this name in the journal.
pub(super) const ACTOR: &str = "command-line";

/// Manage API keys directly on the database.
#[derive(Debug, clap::Args)]
pub struct Keys {
    #[command(subcommand)]
    command: KeysCommand,
}

#[derive(Debug, Subcommand)]
enum KeysCommand {
    /// Make a key; the firm is created if it does not exist.
    Create(Create),
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
        let KeysCommand::Create(create) = self.command;
        store::migrate(&create.database.database_url).await?;
        let environment = Environment {
            sweeping: false,
            ..Environment::default()
        };
        let application = Application::start(create.database.open().await?, environment).await?;
        let created = create.run(&application).await;
        application.stop().await;
        let created = created?;
        match create.output {
            Output::Json => println!("{}", serde_json::to_string(&created)?),
            Output::Text => {
                println!("{}", created.api_key);
                eprintln!(
                    "key {} of {}; it is not shown again",
                    created.name, created.firm
                );
            }
        }
        Ok(ExitCode::SUCCESS)
    }
}

impl Create {
    async fn run(&self, application: &Application) -> Result<CreatedKey, CliError> {
        let firm = FirmId::parse(&self.firm)
            .ok_or("--firm: lower-case letters, digits and hyphens, beginning with a letter")?;
        let request = KeyRequest {
            display_name: self.display_name.clone(),
            permissions: self.permissions.clone(),
            expires_in: self
                .expires_in_days
                .map(|days| Span::from_hours(i64::from(days) * 24)),
        };
        let firm_display_name = self.firm_display_name.as_deref().unwrap_or(&self.firm);
        Ok(create_key(application, &firm, firm_display_name, request).await?)
    }
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
    let mut random = [0; SECRET_BYTES];
    application.api.randomness.fill(&mut random);
    let (secret, digest) = new_secret(&random);
    let created = ApiKeyCreated {
        display_name: request.display_name,
        permissions: permissions_for(firm, request.permissions),
        digest,
        expires_at: request
            .expires_in
            .map(|span| application.api.now().saturating_add(span)),
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
