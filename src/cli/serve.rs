//! `entente serve`.

use std::process::ExitCode;

use tokio::signal::unix::{SignalKind, signal};

use super::{CliError, start_logging};
use crate::server::configuration::Sources;
use crate::server::{self, Application, Environment, metrics};
use crate::store;

/// Serve gRPC, gRPC-Web and JSON.
#[derive(Debug, clap::Args)]
pub struct Serve {
    #[command(flatten)]
    sources: Sources,
    /// Print the settings that would count, without secrets, and end.
    #[arg(long)]
    print_config: bool,
}

impl Serve {
    /// Serves until SIGTERM or SIGINT; a second signal ends the process at once.
    ///
    /// # Errors
    /// If a setting makes no sense, or the database or an address cannot be used.
    pub async fn run(self) -> Result<ExitCode, CliError> {
        let configuration = self.sources.read()?;
        if self.print_config {
            print!("{}", configuration.shown()?);
            return Ok(ExitCode::SUCCESS);
        }
        start_logging(configuration.log_format);
        if let Some(listen) = configuration.metrics_listen {
            metrics::serve(listen)?;
        }
        if configuration.migrate {
            store::migrate(&configuration.database_url).await?;
        }
        let database = store::open(&configuration.database_url).await?;
        let environment = Environment {
            private_targets: configuration.webhook_private_targets,
            ..Environment::default()
        };
        let application = Application::start(database, environment).await?;
        let engine = application.api.ledger.store().engine();
        let running = server::serve(application, configuration.listen).await?;
        tracing::info!(address = %running.address, engine, "serving");
        until_signal().await?;
        tracing::info!("stopping");
        tokio::select! {
            () = running.stop() => Ok(ExitCode::SUCCESS),
            signal = until_signal() => signal.map(|()| ExitCode::FAILURE).map_err(Into::into),
        }
    }
}

/// Waits for SIGTERM or SIGINT.
///
/// # Errors
/// If signals cannot be listened for.
pub async fn until_signal() -> std::io::Result<()> {
    let mut terminate = signal(SignalKind::terminate())?;
    let mut interrupt = signal(SignalKind::interrupt())?;
    tokio::select! {
        _ = terminate.recv() => {}
        _ = interrupt.recv() => {}
    }
    Ok(())
}
