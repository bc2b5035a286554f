//! `entente serve`.

use std::process::ExitCode;
use std::sync::Arc;
use std::time::Duration;

use tokio::signal::unix::{SignalKind, signal};

use super::CliError;
use crate::server::configuration::{Configuration, Sources};
use crate::server::telemetry::Telemetry;
use crate::server::tls::Tls;
use crate::server::{self, Application, Entrance, Environment, cors, metrics};
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
    // First of all: what is measured before, such as when the certificate expires, would be lost.
    if let Some(listen) = configuration.metrics_listen {
        metrics::serve(listen)?;
    }
    let entrance = entrance(configuration)?;
    let environment = Environment {
        tokens: configuration.token_verifier()?,
        quota: configuration.quota()?,
        private_targets: configuration.webhook_private_targets,
        ..Environment::default()
    };
    if configuration.migrate {
        store::migrate(&configuration.database_url).await?;
    }
    let database = store::open(&configuration.database_url).await?;
    let application = Application::start(database, environment).await?;
    let engine = application.api.ledger.store().engine();
    let is_plain = entrance.tls.is_none();
    let running = server::serve_at(application, configuration.listen, entrance).await?;
    if is_plain && !running.address.ip().is_loopback() {
        tracing::warn!("keys and tokens are sent in the clear unless a proxy speaks TLS");
    }
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

/// How callers reach the server.
fn entrance(configuration: &Configuration) -> Result<Entrance, CliError> {
    let tls = configuration.tls_files()?.map(|files| {
        let clock = Environment::default().clock;
        Tls::load(files, clock).map(Arc::new)
    });
    Ok(Entrance {
        tls: tls.transpose()?,
        cors: cors::layer(&configuration.cors_origins)?,
    })
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
