//! Where the demo plays: a server of its own on a database in a temporary folder, and two firms,
//! each with one API key.

use std::future::Future;
use std::net::SocketAddr;

use jiff::civil::Date;
use prost_types::Timestamp;
use tempfile::TempDir;
use tonic::{Response, Status};

use super::quarter::LocalTime;
use crate::cli::CliError;
use crate::cli::client::{ApiChannel, ApiKey, Connection, RequestIds, connect, failed};
use crate::cli::keys::{KeyRequest, create_key};
use crate::domain::identity::FirmId;
use crate::proto::google::r#type::Money;
use crate::proto::v1;
use crate::proto::v1::checkup_service_client::CheckupServiceClient;
use crate::proto::v1::expectation_service_client::ExpectationServiceClient;
use crate::proto::v1::fairness_service_client::FairnessServiceClient;
use crate::proto::v1::journal_service_client::JournalServiceClient;
use crate::proto::v1::partnership_service_client::PartnershipServiceClient;
use crate::proto::v1::pricing_service_client::PricingServiceClient;
use crate::proto::v1::sale_service_client::SaleServiceClient;
use crate::proto::v1::settlement_service_client::SettlementServiceClient;
use crate::proto::v1::sla_service_client::SlaServiceClient;
use crate::server::environment::SystemRandomness;
use crate::server::{self, Application, Environment, Running};
use crate::store;

/// The origin of every change that the demo makes.
pub const ORIGIN: &str = "entente demo";
/// Party id of the firm that begins the partnership: Harbour IT.
pub const PRIME: &str = "party-1";
/// Party id of the firm that joins it: Nightdesk.
pub const SUB: &str = "party-2";
/// Cents in a currency unit.
const CENTS: i64 = 100;
/// Billionths of a currency unit in a cent.
const NANOS_IN_CENT: i64 = 10_000_000;

/// One of the two firms: whatever it does goes through its own connection, with its own key.
pub struct Actor {
    /// What people call it.
    pub display_name: &'static str,
    /// Its API key, to be shown to whoever runs the demo.
    pub api_key: String,
    connection: Connection,
}

impl std::fmt::Debug for Actor {
    /// Without the key.
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter
            .debug_struct("Actor")
            .field("display_name", &self.display_name)
            .finish_non_exhaustive()
    }
}

impl Actor {
    async fn new(
        application: &Application,
        server: &str,
        id: &str,
        display_name: &'static str,
    ) -> Result<Self, CliError> {
        let firm = FirmId::parse(id).ok_or("not a firm's id")?;
        let request = KeyRequest {
            display_name: "the demo".to_owned(),
            ..KeyRequest::default()
        };
        let key = create_key(application, &firm, display_name, request).await?;
        let request_ids = RequestIds::random(&SystemRandomness);
        let connection = connect(server, &ApiKey::new(&key.api_key), request_ids).await?;
        Ok(Self {
            display_name,
            api_key: key.api_key,
            connection,
        })
    }

    /// An id for the next change.
    #[must_use]
    pub fn request_id(&self) -> String {
        self.connection.request_id()
    }

    /// Client of the `PartnershipService`.
    #[must_use]
    pub fn partnerships(&self) -> PartnershipServiceClient<ApiChannel> {
        self.connection.partnerships()
    }

    /// Client of the `ExpectationService`.
    #[must_use]
    pub fn expectations(&self) -> ExpectationServiceClient<ApiChannel> {
        self.connection.expectations()
    }

    /// Client of the `SlaService`.
    #[must_use]
    pub fn sla(&self) -> SlaServiceClient<ApiChannel> {
        self.connection.sla()
    }

    /// Client of the `PricingService`.
    #[must_use]
    pub fn pricing(&self) -> PricingServiceClient<ApiChannel> {
        self.connection.pricing()
    }

    /// Client of the `SaleService`.
    #[must_use]
    pub fn sales(&self) -> SaleServiceClient<ApiChannel> {
        self.connection.sales()
    }

    /// Client of the `SettlementService`.
    #[must_use]
    pub fn settlements(&self) -> SettlementServiceClient<ApiChannel> {
        self.connection.settlements()
    }

    /// Client of the `CheckupService`.
    #[must_use]
    pub fn checkups(&self) -> CheckupServiceClient<ApiChannel> {
        self.connection.checkups()
    }

    /// Client of the `FairnessService`.
    #[must_use]
    pub fn fairness(&self) -> FairnessServiceClient<ApiChannel> {
        self.connection.fairness()
    }

    /// Client of the `JournalService`.
    #[must_use]
    pub fn journal(&self) -> JournalServiceClient<ApiChannel> {
        self.connection.journal()
    }
}

/// The server and both firms.
#[derive(Debug)]
pub struct Stage {
    /// Where the server listens.
    pub address: SocketAddr,
    /// Where its database is.
    pub database_url: String,
    /// Harbour IT, which holds the contract with the client.
    pub harbour: Actor,
    /// Nightdesk, the outsourced service desk.
    pub nightdesk: Actor,
    running: Running,
    /// Removed with all that is in it when the stage is closed.
    folder: TempDir,
}

impl Stage {
    /// Starts the server and makes the two firms and their keys.
    ///
    /// # Errors
    /// If there is no room for a database, or the address cannot be listened on.
    pub async fn open(listen: SocketAddr) -> Result<Self, CliError> {
        let folder = tempfile::Builder::new().prefix("entente-demo-").tempdir()?;
        let database_url = format!("sqlite://{}", folder.path().join("entente.db").display());
        store::migrate(&database_url).await?;
        let database = store::open(&database_url).await?;
        let application = Application::start(database, Environment::default()).await?;
        let running = server::serve(application, listen).await.map_err(|error| {
            format!("cannot listen on {listen}: {error}; choose another address with --listen")
        })?;
        let address = running.address;
        let server = address.to_string();
        let application = &running.application;
        let harbour = Actor::new(application, &server, "harbour", "Harbour IT").await?;
        let nightdesk = Actor::new(application, &server, "nightdesk", "Nightdesk").await?;
        Ok(Self {
            address,
            database_url,
            harbour,
            nightdesk,
            running,
            folder,
        })
    }

    /// Stops the server and removes the database.
    ///
    /// # Errors
    /// If the folder cannot be removed.
    pub async fn close(self) -> Result<(), CliError> {
        let Self {
            harbour,
            nightdesk,
            running,
            folder,
            ..
        } = self;
        // Their connections would keep the server waiting.
        drop((harbour, nightdesk));
        running.stop().await;
        Ok(folder.close()?)
    }
}

/// What people call the firm behind a party.
#[must_use]
pub fn name_of(party: &str) -> &'static str {
    match party {
        PRIME => "Harbour IT",
        SUB => "Nightdesk",
        _ => "an unknown party",
    }
}

/// The answer to a call; a refusal says what could not be done.
///
/// # Errors
/// If the server refuses.
pub async fn call<T>(
    action: &str,
    answer: impl Future<Output = Result<Response<T>, Status>>,
) -> Result<T, CliError> {
    answer
        .await
        .map(Response::into_inner)
        .map_err(|status| failed(action, &status))
}

/// What an answer must have.
///
/// # Errors
/// If it is not there.
pub fn present<T>(part: Option<T>, what: &str) -> Result<T, CliError> {
    part.ok_or_else(|| format!("the server answered without {what}").into())
}

/// The date by the server's clock, in the zone of the demo.
///
/// # Errors
/// If the server does not tell the time.
pub async fn today(stage: &Stage, time: &LocalTime) -> Result<Date, CliError> {
    let mut partnerships = stage.harbour.partnerships();
    let request = v1::GetServiceInfoRequest {};
    let info = call("ask for the time", partnerships.get_service_info(request)).await?;
    let now = present(info.server_time, "its time")?;
    Ok(time.civil(now.seconds)?.date())
}

/// An instant in the contract's form.
#[must_use]
pub const fn instant(seconds: i64) -> Timestamp {
    Timestamp { seconds, nanos: 0 }
}

/// Euros and cents, in cents.
#[must_use]
pub const fn cents(euros: i64, cents: i64) -> i64 {
    euros * CENTS + cents
}

/// So many euro cents in the contract's form.
#[must_use]
pub fn euros(cents: i64) -> Money {
    Money {
        currency_code: "EUR".to_owned(),
        units: cents / CENTS,
        nanos: i32::try_from(cents % CENTS * NANOS_IN_CENT).unwrap_or_default(),
    }
}

/// So many seconds in the contract's form.
#[must_use]
pub const fn seconds(seconds: i64) -> prost_types::Duration {
    prost_types::Duration { seconds, nanos: 0 }
}

/// States of tickets as they stand in a message.
#[must_use]
pub fn states(states: &[v1::TicketState]) -> Vec<i32> {
    states.iter().map(|state| (*state).into()).collect()
}
