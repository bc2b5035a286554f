//! `entente activate`.

use std::process::ExitCode;

use super::{CliError, Database, keys};
use crate::domain::command::{Action, Command};
use crate::domain::format::Format;
use crate::domain::identity::FirmId;
use crate::ledger::formats;
use crate::ledger::queue::Urgency;
use crate::server::{Application, Environment};

/// Let bodies and events be written in a newer format, once no older program is at work any more.
///
/// After an upgrade everything is written as before, so that older replicas can still read it. Activate
/// the newest format when all replicas are of the new version. There is no way back: an older program
/// does not start on the database any more, and one that still runs stops within seconds.
#[derive(Debug, clap::Args)]
pub struct Activate {
    #[command(flatten)]
    database: Database,
    /// Number of the format. [default: the newest that this program knows]
    #[arg(long)]
    format: Option<u32>,
}

impl Activate {
    /// # Errors
    /// If the database cannot be used, or the format cannot be activated.
    pub async fn run(self) -> Result<ExitCode, CliError> {
        let format = self.format.map_or(Format::NEWEST, Format::numbered);
        let environment = Environment {
            sweeping: false,
            ..Environment::default()
        };
        let application = Application::start(self.database.open().await?, environment).await?;
        let activated = activate(&application, format).await;
        application.stop().await;
        let before = activated?;
        if before == format {
            println!("{format} was active already");
        } else {
            println!("{format} is active; it was {before}");
        }
        Ok(ExitCode::SUCCESS)
    }
}

/// Activates a format; returns the one that was active before.
async fn activate(application: &Application, format: Format) -> Result<Format, CliError> {
    let operator = FirmId::operator();
    keys::register(application, &operator, "Operator").await?;
    let ledger = &application.api.ledger;
    let before = formats::active(ledger.store().as_ref()).await?;
    let command = Command {
        scope: operator.scope(),
        firm: Some(operator),
        actor: keys::ACTOR.to_owned(),
        origin: String::new(),
        request_id: String::new(),
        digest: [0; 32],
        expected_revision: None,
        action: Action::ActivateFormat(format),
        openings: Vec::new(),
    };
    ledger.submit(command, None, Urgency::Interactive).await?;
    Ok(before)
}
