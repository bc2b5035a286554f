//! A server in this process, on an engine of choice, with a clock that stands still and randomness
//! that repeats; and an API key of one firm.

use std::io::Read;
use std::net::{Ipv4Addr, SocketAddr};
use std::sync::{Arc, Mutex};

use entente::cli::client::{ApiKey, Connection, RequestIds, connect};
use entente::cli::import::rows::RejectedRow;
use entente::cli::import::{Options, Progress, Summary, import_servicenow};
use entente::cli::keys::{KeyRequest, create_key};
use entente::domain::identity::FirmId;
use entente::domain::journal::Head;
use entente::domain::time::{MICROS_PER_SECOND, Timestamp};
use entente::ledger::{Clock, Randomness, sweep};
use entente::proto::v1;
use entente::server::{Application, Environment, Running, serve};
use entente::store;
use rand::{Rng, SeedableRng};
use rand_chacha::ChaCha20Rng;

use crate::support::postgres;

/// 2026-11-22T00:00:00Z in seconds since 1970: now, in these tests.
pub const NOW_SECONDS: i64 = 1_795_305_600;
/// More scopes than these tests make.
const SCOPES_MAX: usize = 100;

struct StandingClock;

impl Clock for StandingClock {
    fn now(&self) -> Timestamp {
        Timestamp::from_micros(NOW_SECONDS * MICROS_PER_SECOND)
    }
}

struct Seeded(Mutex<ChaCha20Rng>);

impl Randomness for Seeded {
    fn fill(&self, bytes: &mut [u8]) {
        self.0
            .lock()
            .expect("nobody panics while filling")
            .fill_bytes(bytes);
    }
}

/// Remembers the rows that were left out.
#[derive(Default)]
struct Listener {
    rejected: Mutex<Vec<RejectedRow>>,
    sent: Mutex<(u64, u64)>,
}

impl Progress for Listener {
    fn begin(&self, rows: u64) {
        self.sent.lock().expect("nobody panics here").0 = rows;
    }

    fn advance(&self, rows: u64) {
        self.sent.lock().expect("nobody panics here").1 += rows;
    }

    fn reject(&self, row: &RejectedRow) {
        self.rejected
            .lock()
            .expect("nobody panics here")
            .push(row.clone());
    }
}

/// A running server.
pub struct House {
    running: Running,
    connection: Connection,
    pub api_key: String,
    _folder: tempfile::TempDir,
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
        let environment = Environment {
            clock: Arc::new(StandingClock),
            randomness: Arc::new(Seeded(Mutex::new(ChaCha20Rng::from_seed([7; 32])))),
            sweeping: false,
            ..Environment::default()
        };
        let store = store::open(url).await.expect("the database opens");
        let application = Application::start(store, environment)
            .await
            .expect("it starts");
        let firm = FirmId::parse("northwind").expect("a firm");
        let request = KeyRequest {
            display_name: "import".to_owned(),
            ..KeyRequest::default()
        };
        let key = create_key(&application, &firm, "Northwind IT", request).await;
        let api_key = key.expect("the key is made").api_key;
        let listen = SocketAddr::from((Ipv4Addr::LOCALHOST, 0));
        let running = serve(application, listen).await.expect("it listens");
        let address = running.address.to_string();
        let request_ids = RequestIds::new("import-test");
        let connection = connect(&address, &ApiKey::new(api_key.as_str()), request_ids).await;
        Self {
            connection: connection.expect("it answers"),
            running,
            api_key,
            _folder: folder,
        }
    }

    pub fn engine(&self) -> &'static str {
        self.running.application.api.ledger.store().engine()
    }

    pub fn address(&self) -> String {
        self.running.address.to_string()
    }

    pub fn connection(&self) -> &Connection {
        &self.connection
    }

    /// Imports an export that can be imported; returns also the rows that were left out.
    pub async fn import(&self, reader: impl Read) -> (Summary, Vec<RejectedRow>) {
        let listener = Listener::default();
        let summary =
            import_servicenow(&self.connection, reader, &Options::default(), &listener).await;
        let summary = summary.expect("the import goes through");
        let (announced, answered) = *listener.sent.lock().expect("nobody panics here");
        assert_eq!(
            announced, answered,
            "every row that was announced is answered"
        );
        (
            summary,
            listener.rejected.into_inner().expect("nobody panics here"),
        )
    }

    /// The end of every journal chain.
    pub async fn heads(&self) -> Vec<Head> {
        let store = self.running.application.api.ledger.store();
        store
            .list_heads("", SCOPES_MAX)
            .await
            .expect("the heads can be read")
    }

    /// All tickets with their clocks, through the API.
    pub async fn tickets(&self, partnership: &str) -> Vec<v1::Ticket> {
        let mut tickets = Vec::new();
        let mut page_token = String::new();
        loop {
            let request = v1::ListTicketsRequest {
                parent: partnership.to_owned(),
                page_size: 200,
                page_token,
                ..Default::default()
            };
            let page = self.connection.sla().list_tickets(request).await;
            let page = page.expect("tickets can be listed").into_inner();
            tickets.extend(page.tickets);
            page_token = page.next_page_token;
            if page_token.is_empty() {
                return tickets;
            }
        }
    }

    /// Runs what is due.
    pub async fn sweep(&self) {
        sweep::sweep_once(&self.running.application.api.ledger)
            .await
            .expect("a sweep");
    }

    pub async fn stop(self) {
        drop(self.connection);
        self.running.stop().await;
    }
}
