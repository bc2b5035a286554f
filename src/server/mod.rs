//! Puts everything together: database, ledger, services, tower layers, health, reflection,
//! shutdown.

pub mod checkup;
pub mod configuration;
pub mod connection;
pub mod cors;
pub mod delivery;
pub mod environment;
pub mod incoming;
pub mod json;
pub mod metrics;
pub mod target;
pub mod telemetry;
pub mod tls;
pub mod tokens;
pub mod webhook;

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;
use tonic::service::Routes;
use tonic::transport::Server;
use tonic_web::GrpcWebLayer;
use tower::util::option_layer;
use tower_http::catch_panic::CatchPanicLayer;
use tower_http::cors::CorsLayer;
use tower_http::request_id::{MakeRequestUuid, PropagateRequestIdLayer, SetRequestIdLayer};

use crate::api::admin::AdminService;
use crate::api::caller::GuestGate;
use crate::api::checkup::CheckupService;
use crate::api::custody::CustodyService;
use crate::api::expectation::ExpectationService;
use crate::api::fairness::FairnessService;
use crate::api::improvement::ImprovementService;
use crate::api::interaction::InteractionService;
use crate::api::journal::JournalService;
use crate::api::opportunity::OpportunityService;
use crate::api::partnership::PartnershipService;
use crate::api::pricing::PricingService;
use crate::api::sale::SaleService;
use crate::api::settlement::SettlementService;
use crate::api::sign_in::quota::{CallQuota, Quotas};
use crate::api::sign_in::{Authenticator, TokenVerifier};
use crate::api::signing::SigningService;
use crate::api::sla::SlaService;
use crate::api::split::SplitService;
use crate::api::webhook::WebhookService;
use crate::api::{Api, status};
use crate::domain::identity::OPERATOR_FIRM;
use crate::domain::refusal::{Reason, Refusal};
use crate::ledger::checkpoint::CheckpointSigner;
use crate::ledger::token::TokenKey;
use crate::ledger::{Clock, Ledger, Randomness, Settings, formats, sweep, watch};
use crate::proto::{self, v1};
use crate::store::{Store, StoreError};
use checkup::CheckupLayer;
use delivery::Deliverer;
use environment::{SystemClock, SystemRandomness};
use json::{Door, JsonLayer};
use metrics::MetricsLayer;
use tls::Tls;
use webhook::WebhookLayer;

/// Largest message taken, in bytes.
pub const REQUEST_BYTES_MAX: usize = 4 * 1024 * 1024;
/// Largest message sent, in bytes.
pub const RESPONSE_BYTES_MAX: usize = 16 * 1024 * 1024;
/// Most calls of one connection under way.
const CALLS_PER_CONNECTION_MAX: usize = 1_024;
/// Silence after which a client is asked whether it is still there.
const KEEPALIVE_EVERY: Duration = Duration::from_secs(30);
/// How long an answer to that may take.
const KEEPALIVE_TIMEOUT: Duration = Duration::from_secs(10);
/// A call that takes longer is ended, whatever deadline its caller set. Streams are not calls in
/// this sense: it bounds the time until an answer begins.
const CALL_MAX: Duration = Duration::from_mins(1);
/// The same for calls by JSON: a little shorter, so that the answer is JSON, too.
const JSON_CALL_MAX: Duration = Duration::from_secs(58);
/// How long calls may take to end when the server stops; then connections are closed.
pub const DRAIN_MAX: Duration = Duration::from_secs(20);
/// Name of the secret from which tokens and request digests are keyed.
const TOKEN_KEY: &str = "token-key";
/// Name of the secret that is the seed of the checkpoint key.
const CHECKPOINT_KEY: &str = "checkpoint-key";
/// Bytes of each secret.
const SECRET_BYTES: usize = 32;

/// Where time and randomness come from, and how the ledger is set up.
#[derive(Clone)]
pub struct Environment {
    /// The clock.
    pub clock: Arc<dyn Clock>,
    /// The source of randomness.
    pub randomness: Arc<dyn Randomness>,
    /// How the ledger is set up.
    pub settings: Settings,
    /// Whether timers run by themselves; tests that inject a clock sweep by hand.
    pub sweeping: bool,
    /// Whether subscriptions may post to private addresses, and without TLS.
    pub private_targets: bool,
    /// Verifies tokens of identity providers; none is believed, where `None`.
    pub tokens: Option<Arc<dyn TokenVerifier>>,
    /// How many calls a firm may make; any number, where `None`.
    pub quota: Option<CallQuota>,
}

impl std::fmt::Debug for Environment {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter
            .debug_struct("Environment")
            .field("settings", &self.settings)
            .finish_non_exhaustive()
    }
}

impl Default for Environment {
    fn default() -> Self {
        Self {
            clock: Arc::new(SystemClock),
            randomness: Arc::new(SystemRandomness),
            settings: Settings::default(),
            sweeping: true,
            private_targets: false,
            tokens: None,
            quota: None,
        }
    }
}

/// Everything behind the services, running.
pub struct Application {
    /// What the services share.
    pub api: Arc<Api>,
    /// Makes check-ups, for calls and for pages.
    pub checkups: CheckupService,
    private_targets: bool,
    stop: CancellationToken,
    too_old: CancellationToken,
    writer: JoinHandle<()>,
    background: Vec<JoinHandle<()>>,
}

impl std::fmt::Debug for Application {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter
            .debug_struct("Application")
            .field("api", &self.api)
            .finish_non_exhaustive()
    }
}

/// A service with the largest sizes of messages.
macro_rules! limited {
    ($server:path, $service:expr) => {
        <$server>::new($service)
            .max_decoding_message_size(REQUEST_BYTES_MAX)
            .max_encoding_message_size(RESPONSE_BYTES_MAX)
    };
}

impl Application {
    /// Starts the ledger and its timers over a database.
    ///
    /// # Errors
    /// If the database does not answer, or has a format that this program does not know.
    pub async fn start(
        store: Arc<dyn Store>,
        environment: Environment,
    ) -> Result<Self, StoreError> {
        let token_key = secret(store.as_ref(), environment.randomness.as_ref(), TOKEN_KEY).await?;
        let signer = checkpoint_signer(store.as_ref(), environment.randomness.as_ref()).await?;
        let clock = Arc::clone(&environment.clock);
        let quotas = environment.quota.map(|quota| Quotas::new(quota, clock));
        let (ledger, writer) = Ledger::start(store, environment.clock, environment.settings);
        if let Err(error) = formats::learn(&ledger).await {
            ledger.close();
            return Err(error);
        }
        let stop = CancellationToken::new();
        let too_old = CancellationToken::new();
        let mut background = vec![
            tokio::spawn(watch::run(ledger.clone(), stop.clone())),
            tokio::spawn(formats::run(ledger.clone(), stop.clone(), too_old.clone())),
        ];
        if environment.sweeping {
            background.push(tokio::spawn(sweep::run(ledger.clone(), stop.clone())));
        }
        let api = Api {
            ledger,
            tokens: TokenKey::new(token_key),
            signer,
            randomness: environment.randomness,
            authenticator: Authenticator::new(environment.tokens),
            quotas,
            guests: GuestGate::default(),
        };
        let api = Arc::new(api);
        if environment.sweeping {
            let private_targets = environment.private_targets;
            match Deliverer::new(Arc::clone(&api), private_targets, stop.clone()) {
                Ok(deliverer) => background.push(tokio::spawn(deliverer.run())),
                // Everything else goes on: a subscription's entries wait for another replica.
                Err(error) => tracing::error!(%error, "subscriptions cannot be posted"),
            }
        }
        Ok(Self {
            checkups: CheckupService::new(Arc::clone(&api)),
            api,
            private_targets: environment.private_targets,
            stop,
            too_old,
            writer,
            background,
        })
    }

    /// Cancelled when a format was activated that this program does not know: it must stop.
    #[must_use]
    pub fn too_old(&self) -> CancellationToken {
        self.too_old.clone()
    }

    /// The services of the contract, without layers.
    #[must_use]
    pub fn routes(&self) -> Routes {
        let api = || Arc::clone(&self.api);
        let routes = Routes::new(limited!(
            v1::admin_service_server::AdminServiceServer<_>,
            AdminService(api())
        ))
        .add_service(limited!(
            v1::partnership_service_server::PartnershipServiceServer<_>,
            PartnershipService(api())
        ))
        .add_service(limited!(
            v1::expectation_service_server::ExpectationServiceServer<_>,
            ExpectationService(api())
        ))
        .add_service(limited!(
            v1::sla_service_server::SlaServiceServer<_>,
            SlaService::new(api())
        ))
        .add_service(limited!(
            v1::opportunity_service_server::OpportunityServiceServer<_>,
            OpportunityService(api())
        ))
        .add_service(limited!(
            v1::pricing_service_server::PricingServiceServer<_>,
            PricingService(api())
        ))
        .add_service(limited!(
            v1::fairness_service_server::FairnessServiceServer<_>,
            FairnessService(api())
        ))
        .add_service(limited!(
            v1::split_service_server::SplitServiceServer<_>,
            SplitService(api())
        ))
        .add_service(limited!(
            v1::signing_service_server::SigningServiceServer<_>,
            SigningService(api())
        ))
        .add_service(limited!(
            v1::sale_service_server::SaleServiceServer<_>,
            SaleService(api())
        ))
        .add_service(limited!(
            v1::settlement_service_server::SettlementServiceServer<_>,
            SettlementService(api())
        ))
        .add_service(limited!(
            v1::journal_service_server::JournalServiceServer<_>,
            JournalService(api())
        ))
        .add_service(limited!(
            v1::webhook_service_server::WebhookServiceServer<_>,
            WebhookService {
                api: api(),
                target_rule: target::rule(self.private_targets),
            }
        ));
        self.with_checkups(routes)
    }

    /// Adds the services of the check-up and of what only it is drawn from.
    fn with_checkups(&self, routes: Routes) -> Routes {
        let api = || Arc::clone(&self.api);
        routes
            .add_service(limited!(
                v1::checkup_service_server::CheckupServiceServer<_>,
                self.checkups.clone()
            ))
            .add_service(limited!(
                v1::interaction_service_server::InteractionServiceServer<_>,
                InteractionService(api())
            ))
            .add_service(limited!(
                v1::improvement_service_server::ImprovementServiceServer<_>,
                ImprovementService(api())
            ))
            .add_service(limited!(
                v1::custody_service_server::CustodyServiceServer<_>,
                CustodyService(api())
            ))
    }

    /// Stops: what waits is carried out and answered, timers end, connections are closed.
    pub async fn stop(self) {
        self.stop.cancel();
        self.api.ledger.close();
        for task in self.background {
            let _ = task.await;
        }
        let _ = self.writer.await;
        self.api.ledger.store().close().await;
    }
}

/// The signer of checkpoints, by the key that the database keeps.
///
/// # Errors
/// If the database does not answer.
pub async fn checkpoint_signer(
    store: &dyn Store,
    randomness: &dyn Randomness,
) -> Result<CheckpointSigner, StoreError> {
    let seed = secret(store, randomness, CHECKPOINT_KEY).await?;
    Ok(CheckpointSigner::new(OPERATOR_FIRM, &seed))
}

/// A secret of the service, the same on every replica.
async fn secret(
    store: &dyn Store,
    randomness: &dyn Randomness,
    name: &str,
) -> Result<[u8; SECRET_BYTES], StoreError> {
    let mut fresh = [0; SECRET_BYTES];
    randomness.fill(&mut fresh);
    let stored = store.secret(name, &fresh).await?;
    stored
        .try_into()
        .map_err(|_| StoreError::Corrupt(format!("the secret {name}")))
}

/// A server that accepts calls.
#[derive(Debug)]
pub struct Running {
    /// Where it listens.
    pub address: SocketAddr,
    /// Everything behind it.
    pub application: Application,
    stop: CancellationToken,
    close: CancellationToken,
    health: tonic_health::server::HealthReporter,
    served: JoinHandle<Result<(), tonic::transport::Error>>,
}

/// How callers reach the server.
#[derive(Clone, Debug, Default)]
pub struct Entrance {
    /// Certificates; plain HTTP, where `None`.
    pub tls: Option<Arc<Tls>>,
    /// Which sites may make calls from a browser; none, where `None`.
    pub cors: Option<CorsLayer>,
}

/// Starts serving by plain HTTP; health is `NOT_SERVING` until everything is ready.
///
/// # Errors
/// If the address cannot be listened on.
pub async fn serve(application: Application, listen: SocketAddr) -> std::io::Result<Running> {
    serve_at(application, listen, Entrance::default()).await
}

/// As [`serve`], with an entrance of choice.
///
/// # Errors
/// As [`serve`].
pub async fn serve_at(
    application: Application,
    listen: SocketAddr,
    entrance: Entrance,
) -> std::io::Result<Running> {
    let listener = incoming::listen(listen)?;
    let address = listener.local_addr()?;
    let (health, health_service) = tonic_health::server::health_reporter();
    health
        .set_service_status("", tonic_health::ServingStatus::NotServing)
        .await;
    let stop = CancellationToken::new();
    let close = CancellationToken::new();
    if let Some(tls) = &entrance.tls {
        tokio::spawn(Arc::clone(tls).keep_current(stop.clone()));
    }
    let incoming = incoming::accept(listener, entrance.tls, stop.clone(), close.clone());
    let mut routes = application.routes().add_service(health_service);
    // The descriptor is compiled in: if it could not be read, every test would say so.
    if let Ok(reflection) = reflection() {
        routes = routes.add_service(reflection);
    }
    // Outermost first: a panic becomes an answer, every call has an id, and what is too much or
    // takes too long is turned away before it reaches a service.
    let webhooks = webhook::Door::new(Arc::clone(&application.api));
    let pages = checkup::Door::new(Arc::clone(&application.api), application.checkups.clone());
    let door = Door::new(REQUEST_BYTES_MAX, JSON_CALL_MAX);
    let server = Server::builder()
        // For JSON and gRPC-Web; gRPC itself speaks HTTP/2.
        .accept_http1(true)
        .tcp_nodelay(true)
        .http2_keepalive_interval(Some(KEEPALIVE_EVERY))
        .http2_keepalive_timeout(Some(KEEPALIVE_TIMEOUT))
        .max_concurrent_streams(u32::try_from(CALLS_PER_CONNECTION_MAX).ok())
        .concurrency_limit_per_connection(CALLS_PER_CONNECTION_MAX)
        .load_shed(true)
        .timeout(CALL_MAX)
        .layer(CatchPanicLayer::custom(answer_panic))
        .layer(SetRequestIdLayer::x_request_id(MakeRequestUuid))
        // Before what logs addresses: those of webhooks may contain a secret, those of pages are one.
        .layer(WebhookLayer(Arc::new(webhooks)))
        .layer(CheckupLayer(Arc::new(pages)))
        .layer(PropagateRequestIdLayer::x_request_id())
        .layer(option_layer(entrance.cors))
        .layer(JsonLayer(Arc::new(door)))
        .layer(GrpcWebLayer::new())
        .layer(MetricsLayer)
        .add_routes(routes);
    let stopping = stop.clone();
    let serving = tokio::spawn(async move {
        server
            .serve_with_incoming_shutdown(incoming, stopping.cancelled_owned())
            .await
    });
    application
        .api
        .ledger
        .store()
        .ping()
        .await
        .map_err(std::io::Error::other)?;
    health
        .set_service_status("", tonic_health::ServingStatus::Serving)
        .await;
    Ok(Running {
        address,
        application,
        stop,
        close,
        health,
        served: serving,
    })
}

fn reflection() -> Result<
    tonic_reflection::server::v1::ServerReflectionServer<
        impl tonic_reflection::server::v1::ServerReflection,
    >,
    tonic_reflection::server::Error,
> {
    tonic_reflection::server::Builder::configure()
        .register_encoded_file_descriptor_set(proto::DESCRIPTOR)
        .register_encoded_file_descriptor_set(tonic_health::pb::FILE_DESCRIPTOR_SET)
        .build_v1()
}

fn answer_panic(_panic: Box<dyn std::any::Any + Send>) -> http::Response<tonic::body::Body> {
    tracing::error!("a handler panicked");
    status::status(&Refusal::new(Reason::Internal, "a handler panicked")).into_http()
}

impl Running {
    /// Stops gracefully: `NOT_SERVING`, no new calls, running ones may end within [`DRAIN_MAX`];
    /// whoever is connected then is cut off.
    pub async fn stop(self) {
        self.stop_within(DRAIN_MAX).await;
    }

    /// As [`Self::stop`], but goes on accepting calls for `delay` after it has said `NOT_SERVING`, so
    /// that load balancers notice before anybody is turned away.
    pub async fn stop_after(self, delay: Duration) {
        self.announce_stop().await;
        tokio::time::sleep(delay).await;
        self.stop().await;
    }

    async fn announce_stop(&self) {
        self.health
            .set_service_status("", tonic_health::ServingStatus::NotServing)
            .await;
    }

    /// As [`Self::stop`], with another limit.
    pub async fn stop_within(self, limit: Duration) {
        self.announce_stop().await;
        self.stop.cancel();
        // Watchers would otherwise stay for ever; each can resume elsewhere from its cursor.
        self.application.api.ledger.watch().close();
        let abort = self.served.abort_handle();
        if tokio::time::timeout(limit, self.served).await.is_err() {
            tracing::warn!("calls did not end in time; closing their connections");
            abort.abort();
        }
        self.close.cancel();
        self.application.stop().await;
    }
}
