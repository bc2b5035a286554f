//! A server in this process on an engine of choice, and firms that call it.

use std::net::{Ipv4Addr, SocketAddr};
use std::sync::Arc;

use entente::cli::client::{ApiKey, Connection, RequestIds, connect};
use entente::cli::keys::{KeyRequest, create_key};
use entente::domain::firm::Permission;
use entente::domain::identity::{FirmId, ScopeId};
use entente::domain::journal::Head;
use entente::domain::time::{MICROS_PER_SECOND, Span, Timestamp};
use entente::ledger::sweep::{self, Swept};
use entente::server::{Application, Entrance, Environment, Running, serve_at};
use entente::store::{self, Store};
use prost_types::{Duration, Timestamp as Instant};
use tonic::transport::{Channel, Endpoint};

use crate::support::clocks::ManualClock;
use crate::support::postgres;

/// 2026-03-02T08:00:00Z, a Monday, in seconds since 1970: when every test begins.
pub const START_SECONDS: i64 = 1_772_438_400;
/// Seconds of an hour.
pub const HOUR: i64 = 3_600;
/// Seconds of a minute.
pub const MINUTE: i64 = 60;
/// More scopes than a test makes.
const SCOPES_MAX: usize = 100;

/// A running server.
pub struct House {
    pub running: Running,
    pub clock: ManualClock,
    url: String,
    folder: tempfile::TempDir,
}

/// A firm with an API key.
pub struct Firm {
    pub api_key: String,
    pub connection: Connection,
}

impl House {
    pub async fn on_sqlite() -> Self {
        let folder = tempfile::tempdir().expect("a temporary folder");
        let url = format!("sqlite://{}", folder.path().join("entente.db").display());
        store::migrate(&url).await.expect("the database is made");
        Self::over(&url, folder).await
    }

    pub async fn on_postgres() -> Self {
        let url = postgres::shared().create_database().await;
        Self::over(&url, tempfile::tempdir().expect("a temporary folder")).await
    }

    async fn over(url: &str, folder: tempfile::TempDir) -> Self {
        let clock = ManualClock::new(Timestamp::from_micros(START_SECONDS * MICROS_PER_SECOND));
        let entrance = Entrance::default();
        Self::replica(url, folder, clock, Environment::default(), entrance).await
    }

    /// Another replica of this server, on the same database and by the same clock, set up otherwise.
    pub async fn beside(&self, environment: Environment) -> Self {
        self.beside_at(environment, Entrance::default()).await
    }

    /// As [`Self::beside`], with an entrance of choice.
    pub async fn beside_at(&self, environment: Environment, entrance: Entrance) -> Self {
        let folder = tempfile::tempdir().expect("a temporary folder");
        Self::replica(&self.url, folder, self.clock.clone(), environment, entrance).await
    }

    async fn replica(
        url: &str,
        folder: tempfile::TempDir,
        clock: ManualClock,
        environment: Environment,
        entrance: Entrance,
    ) -> Self {
        let environment = Environment {
            clock: Arc::new(clock.clone()),
            sweeping: false,
            private_targets: true,
            ..environment
        };
        let store = store::open(url).await.expect("the database opens");
        let application = Application::start(store, environment).await;
        let application = application.expect("it starts");
        let listen = SocketAddr::from((Ipv4Addr::LOCALHOST, 0));
        let running = serve_at(application, listen, entrance).await;
        let running = running.expect("it listens");
        Self {
            running,
            clock,
            url: url.to_owned(),
            folder,
        }
    }

    /// Where the database's files are, if it has any here.
    pub fn folder(&self) -> &std::path::Path {
        self.folder.path()
    }

    pub fn store(&self) -> &Arc<dyn Store> {
        self.running.application.api.ledger.store()
    }

    /// A firm, registered if it is new, with a key that may do everything within it.
    pub async fn firm(&self, id: &'static str) -> Firm {
        self.firm_with(id, &[]).await
    }

    /// A firm with a key that may do certain things; everything if none is named.
    pub async fn firm_with(&self, id: &'static str, permissions: &[Permission]) -> Firm {
        let api_key = self.key(id, permissions).await;
        self.with_key(id, api_key).await
    }

    /// A key of a firm, which is registered if it is new.
    pub async fn key(&self, id: &'static str, permissions: &[Permission]) -> String {
        let request = KeyRequest {
            display_name: "test".to_owned(),
            permissions: permissions.to_vec(),
            expires_in: None,
        };
        let firm = FirmId::parse(id).expect("a firm's id");
        let name = format!("The {id} firm");
        let key = create_key(&self.running.application, &firm, &name, request).await;
        key.expect("the key is made").api_key
    }

    /// A firm as it calls with a key that is known.
    pub async fn with_key(&self, id: &'static str, api_key: String) -> Firm {
        let address = self.running.address.to_string();
        let key = ApiKey::new(api_key.as_str());
        let connection = connect(&address, &key, RequestIds::new(id)).await;
        Firm {
            api_key,
            connection: connection.expect("it answers"),
        }
    }

    /// A connection without any key.
    pub async fn channel(&self) -> Channel {
        let endpoint = Endpoint::from_shared(format!("http://{}", self.running.address));
        let channel = endpoint.expect("an address").connect().await;
        channel.expect("it answers")
    }

    /// Lets time pass; nothing happens by itself.
    pub fn pass(&self, seconds: i64) {
        self.clock.advance(Span::from_seconds(seconds));
    }

    /// Runs what is due.
    pub async fn sweep(&self) -> Swept {
        let swept = sweep::sweep_once(&self.running.application.api.ledger).await;
        swept.expect("the store answers")
    }

    /// The end of every journal.
    pub async fn heads(&self) -> Vec<Head> {
        let heads = self.store().list_heads("", SCOPES_MAX).await;
        heads.expect("the heads can be read")
    }

    /// The end of one journal.
    pub async fn head(&self, scope: &str) -> Head {
        let scope = ScopeId::parse(scope).expect("a scope");
        let heads = self.store().heads(std::slice::from_ref(&scope)).await;
        let head = heads.expect("the head can be read").into_iter().next();
        head.expect("the scope has begun")
    }

    pub async fn stop(self) {
        let limit = std::time::Duration::from_secs(1);
        self.running.stop_within(limit).await;
    }
}

/// An instant so many seconds after the beginning.
pub fn at(seconds: i64) -> Instant {
    Instant {
        seconds: START_SECONDS + seconds,
        nanos: 0,
    }
}

/// A length of time.
pub fn lasting(seconds: i64) -> Duration {
    Duration { seconds, nanos: 0 }
}
