//! `entente serve`.

use std::process::ExitCode;
use std::time::Duration;

use tokio::signal::unix::{SignalKind, signal};

use super::CliError;
use crate::server::configuration::{Configuration, Sources};
use crate::server::telemetry::Telemetry;
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
        let collector = configuration.otlp_endpoint.as_deref();
        let telemetry = Telemetry::start(configuration.log_format, collector)?;
        let code = serve(&configuration).await;
        if let Err(error) = telemetry.stop().await {
            eprintln!("the last traces and logs were not sent: {error}");
        }
        code
    }
}

/// Serves until a signal.
async fn serve(configuration: &Configuration) -> Result<ExitCode, CliError> {
    if let Some(listen) = configuration.metrics_listen {
        metrics::serve(listen)?;
    }
    if configuration.migrate {
        store::migrate(&configuration.database_url).await?;
    }
    let database = store::open(&configuration.database_url).await?;
    let application = Application::start(database, Environment::default()).await?;
    let engine = application.api.ledger.store().engine();
    let running = server::serve(application, configuration.listen).await?;
    tracing::info!(address = %running.address, engine, "serving");
    let too_old = running.application.too_old();
    let ended = tokio::select! {
        signal = until_signal() => signal.map(|()| ExitCode::SUCCESS)?,
        // Callers are better off with any other replica.
        () = too_old.cancelled() => ExitCode::FAILURE,
    };
    tracing::info!("stopping");
    let delay = Duration::from_secs(configuration.shutdown_delay_seconds.into());
    tokio::select! {
        () = running.stop_after(delay) => Ok(ended),
        signal = until_signal() => signal.map(|()| ExitCode::FAILURE).map_err(Into::into),
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
