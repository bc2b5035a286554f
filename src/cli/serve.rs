//! `entente serve`.

use std::net::SocketAddr;
use std::process::ExitCode;

use tokio::signal::unix::{SignalKind, signal};

use super::{CliError, Database};
use crate::server::{self, Application, Environment};
use crate::store;

/// Serve the gRPC API.
#[derive(Debug, clap::Args)]
pub struct Serve {
    #[command(flatten)]
    database: Database,
    /// Address to listen on; `0.0.0.0:50051` for all interfaces.
    #[arg(long, env = "ENTENTE_LISTEN", default_value = "127.0.0.1:50051")]
    listen: SocketAddr,
    /// Do not migrate; refuse to start unless the schema is up to date.
    #[arg(long)]
    no_migrate: bool,
}

impl Serve {
    /// Serves until SIGTERM or SIGINT; a second signal ends the process at once.
    ///
    /// # Errors
    /// If the database or the address cannot be used.
    pub async fn run(self) -> Result<ExitCode, CliError> {
        if !self.no_migrate {
            store::migrate(&self.database.database_url).await?;
        }
        let application =
            Application::start(self.database.open().await?, Environment::default()).await?;
        let engine = application.api.ledger.store().engine();
        let running = server::serve(application, self.listen).await?;
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
