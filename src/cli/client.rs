//! What the commands share that talk to a server: the connection, the API key, and retries.
//!
//! They use the public contract and nothing else, so they also show how a client of the service is
//! written: one request id for each change, the same id again when the answer was lost.

use std::fmt;
use std::future::Future;
use std::str::FromStr;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use tonic::metadata::{Ascii, MetadataValue};
use tonic::service::Interceptor;
use tonic::service::interceptor::InterceptedService;
use tonic::transport::{Channel, Endpoint};
use tonic::{Code, Request, Response, Status};
use tonic_types::{ErrorDetails, StatusExt};

use super::CliError;
use crate::ledger::Randomness;
use crate::proto::v1::admin_service_client::AdminServiceClient;
use crate::proto::v1::checkup_service_client::CheckupServiceClient;
use crate::proto::v1::custody_service_client::CustodyServiceClient;
use crate::proto::v1::expectation_service_client::ExpectationServiceClient;
use crate::proto::v1::fairness_service_client::FairnessServiceClient;
use crate::proto::v1::improvement_service_client::ImprovementServiceClient;
use crate::proto::v1::interaction_service_client::InteractionServiceClient;
use crate::proto::v1::journal_service_client::JournalServiceClient;
use crate::proto::v1::opportunity_service_client::OpportunityServiceClient;
use crate::proto::v1::partnership_service_client::PartnershipServiceClient;
use crate::proto::v1::pricing_service_client::PricingServiceClient;
use crate::proto::v1::sale_service_client::SaleServiceClient;
use crate::proto::v1::settlement_service_client::SettlementServiceClient;
use crate::proto::v1::signing_service_client::SigningServiceClient;
use crate::proto::v1::sla_service_client::SlaServiceClient;
use crate::proto::v1::split_service_client::SplitServiceClient;
use crate::proto::v1::webhook_service_client::WebhookServiceClient;
use crate::server::{REQUEST_BYTES_MAX, RESPONSE_BYTES_MAX};

/// Where the server is unless said otherwise.
pub const SERVER_DEFAULT: &str = "127.0.0.1:50051";
/// How often a call is made before its failure is final.
pub const ATTEMPTS_MAX: u32 = 8;
/// How long to wait before the second attempt; each later one waits twice as long as the one before.
const PAUSE_FIRST: Duration = Duration::from_millis(100);
/// The longest wait between two attempts, whatever the server suggests.
const PAUSE_MAX: Duration = Duration::from_secs(5);
/// How long connecting may take.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(10);
/// How long one attempt of a call may take.
const CALL_TIMEOUT: Duration = Duration::from_mins(1);
/// Random bytes in the prefix of a run's request ids.
const REQUEST_ID_RANDOM_BYTES: usize = 16;

/// Where the server is, and with which key to call it.
#[derive(Clone, Debug, clap::Args)]
pub struct ServerArguments {
    /// Address of the server: `host:port`, or `http://host:port`.
    #[arg(long, env = "ENTENTE_SERVER", default_value = SERVER_DEFAULT)]
    pub server: String,
    /// The API key. Others on this machine can read command lines: prefer the variable.
    #[arg(long, env = "ENTENTE_API_KEY", hide_env_values = true)]
    pub api_key: ApiKey,
}

/// An API key, which is never printed.
#[derive(Clone, PartialEq, Eq)]
pub struct ApiKey(String);

impl ApiKey {
    /// Takes a key as `entente keys create` printed it.
    pub fn new(key: impl Into<String>) -> Self {
        Self(key.into())
    }
}

impl FromStr for ApiKey {
    type Err = std::convert::Infallible;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        Ok(Self::new(text.trim()))
    }
}

impl fmt::Debug for ApiKey {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("ApiKey(not shown)")
    }
}

/// Adds the API key to every call.
#[derive(Clone, Debug)]
pub struct BearerToken {
    authorization: MetadataValue<Ascii>,
}

impl BearerToken {
    /// # Errors
    /// If the key has characters that no key has.
    pub fn new(key: &ApiKey) -> Result<Self, CliError> {
        let mut authorization: MetadataValue<Ascii> = format!("Bearer {}", key.0)
            .parse()
            .map_err(|_| "the API key is not one: it has control or non-ASCII characters")?;
        authorization.set_sensitive(true);
        Ok(Self { authorization })
    }
}

impl Interceptor for BearerToken {
    fn call(&mut self, mut request: Request<()>) -> Result<Request<()>, Status> {
        request
            .metadata_mut()
            .insert("authorization", self.authorization.clone());
        Ok(request)
    }
}

/// Ids for the changes that one run makes: a prefix that no other run has, and a count.
#[derive(Clone, Debug)]
pub struct RequestIds {
    prefix: Arc<str>,
    count: Arc<AtomicU64>,
}

impl RequestIds {
    /// Ids that begin with `prefix`, at most 100 bytes. Whoever uses a prefix twice asks for the
    /// same changes twice.
    #[must_use]
    pub fn new(prefix: &str) -> Self {
        Self {
            prefix: prefix.into(),
            count: Arc::default(),
        }
    }

    /// Ids with a random prefix.
    #[must_use]
    pub fn random(randomness: &dyn Randomness) -> Self {
        let mut bytes = [0; REQUEST_ID_RANDOM_BYTES];
        randomness.fill(&mut bytes);
        Self::new(&data_encoding::HEXLOWER.encode(&bytes))
    }

    /// The next id. Use it for all attempts of one change.
    #[must_use]
    pub fn next_id(&self) -> String {
        let count = self.count.fetch_add(1, Ordering::Relaxed);
        format!("{}-{count}", self.prefix)
    }
}

/// A channel whose calls carry the API key.
pub type ApiChannel = InterceptedService<Channel, BearerToken>;

/// A server, as one firm sees it. Clones share the connection.
#[derive(Clone, Debug)]
pub struct Connection {
    channel: ApiChannel,
    request_ids: RequestIds,
}

/// Connects to a server. `server` is `host:port` or `http://host:port`.
///
/// # Errors
/// If the address or the key is none, or nobody answers there within ten seconds.
pub async fn connect(
    server: &str,
    key: &ApiKey,
    request_ids: RequestIds,
) -> Result<Connection, CliError> {
    let address = address(server)?;
    let token = BearerToken::new(key)?;
    let endpoint = Endpoint::from_shared(address.clone())
        .map_err(|_| format!("{server:?} is no address of a server: write host:port"))?
        .connect_timeout(CONNECT_TIMEOUT)
        .timeout(CALL_TIMEOUT)
        .tcp_nodelay(true);
    let channel = endpoint.connect().await.map_err(|error| {
        let cause = innermost(&error);
        format!("no server answers at {address}: {cause}")
    })?;
    Ok(Connection {
        channel: InterceptedService::new(channel, token),
        request_ids,
    })
}

fn address(server: &str) -> Result<String, CliError> {
    match server.split_once("://") {
        None => Ok(format!("http://{server}")),
        Some(("http", _)) => Ok(server.to_owned()),
        Some(_) => Err(format!("{server:?}: only http:// addresses can be called").into()),
    }
}

fn innermost(error: &dyn std::error::Error) -> String {
    let mut cause = error;
    while let Some(deeper) = cause.source() {
        cause = deeper;
    }
    cause.to_string()
}

impl Connection {
    /// An id for the next change.
    #[must_use]
    pub fn request_id(&self) -> String {
        self.request_ids.next_id()
    }
}

/// Declares the clients of the services.
macro_rules! clients {
    ($($(#[$meta:meta])* $method:ident: $client:ident;)*) => {
        impl Connection {
            $(
                $(#[$meta])*
                #[must_use]
                pub fn $method(&self) -> $client<ApiChannel> {
                    $client::new(self.channel.clone())
                        .max_encoding_message_size(REQUEST_BYTES_MAX)
                        .max_decoding_message_size(RESPONSE_BYTES_MAX)
                }
            )*
        }
    };
}

clients! {
    /// Client of the `AdminService`.
    admin: AdminServiceClient;
    /// Client of the `PartnershipService`.
    partnerships: PartnershipServiceClient;
    /// Client of the `ExpectationService`.
    expectations: ExpectationServiceClient;
    /// Client of the `SlaService`.
    sla: SlaServiceClient;
    /// Client of the `OpportunityService`.
    opportunities: OpportunityServiceClient;
    /// Client of the `InteractionService`.
    interaction: InteractionServiceClient;
    /// Client of the `ImprovementService`.
    improvements: ImprovementServiceClient;
    /// Client of the `CustodyService`.
    custody: CustodyServiceClient;
    /// Client of the `FairnessService`.
    fairness: FairnessServiceClient;
    /// Client of the `CheckupService`.
    checkups: CheckupServiceClient;
    /// Client of the `SplitService`.
    splits: SplitServiceClient;
    /// Client of the `PricingService`.
    pricing: PricingServiceClient;
    /// Client of the `SaleService`.
    sales: SaleServiceClient;
    /// Client of the `SettlementService`.
    settlements: SettlementServiceClient;
    /// Client of the `SigningService`.
    signing: SigningServiceClient;
    /// Client of the `WebhookService`.
    webhooks: WebhookServiceClient;
    /// Client of the `JournalService`.
    journal: JournalServiceClient;
}

/// Makes a call, again after a pause if its failure may pass: up to [`ATTEMPTS_MAX`] times, about a
/// quarter of a minute in all. A call that changes something has to carry the same request id each
/// time.
///
/// # Errors
/// The last attempt's status.
pub async fn retry<Answer, Call, Attempt>(call: Call) -> Result<Answer, Status>
where
    Call: FnMut() -> Attempt,
    Attempt: Future<Output = Result<Response<Answer>, Status>>,
{
    retry_from(PAUSE_FIRST, call).await
}

async fn retry_from<Answer, Call, Attempt>(
    pause_first: Duration,
    mut call: Call,
) -> Result<Answer, Status>
where
    Call: FnMut() -> Attempt,
    Attempt: Future<Output = Result<Response<Answer>, Status>>,
{
    let mut pause = pause_first;
    for _ in 1..ATTEMPTS_MAX {
        match call().await {
            Ok(response) => return Ok(response.into_inner()),
            Err(status) if may_pass(&status) => {
                tracing::debug!(code = ?status.code(), ?pause, "trying again");
                tokio::time::sleep(pause.max(suggested_pause(&status)).min(PAUSE_MAX)).await;
                pause = pause.saturating_mul(2).min(PAUSE_MAX);
            }
            Err(status) => return Err(status),
        }
    }
    call().await.map(Response::into_inner)
}

/// Whether the same call may succeed a little later: the server cannot be reached, is stopping, or
/// has too much to do.
fn may_pass(status: &Status) -> bool {
    match status.code() {
        Code::Unavailable => true,
        // Only a failure on the way has a source: then the server itself did not say this.
        Code::Unknown | Code::Internal => std::error::Error::source(status).is_some(),
        _ => reason(&status.get_error_details()).is_some_and(reason_may_pass),
    }
}

/// Whether the same request may be taken a little later, going by the reason of its refusal.
#[must_use]
pub fn reason_may_pass(reason: &str) -> bool {
    matches!(
        reason,
        "QUEUE_FULL"
            | "FIRM_QUOTA_EXCEEDED"
            | "QUOTA_EXCEEDED"
            | "IDENTITY_PROVIDER_UNAVAILABLE"
            | "STORE_UNAVAILABLE"
            | "SERVICE_STOPPING"
    )
}

fn suggested_pause(status: &Status) -> Duration {
    let details = status.get_error_details();
    details
        .retry_info()
        .and_then(|info| info.retry_delay)
        .unwrap_or_default()
}

fn reason(details: &ErrorDetails) -> Option<&str> {
    details.error_info().map(|info| info.reason.as_str())
}

/// Whether a call was refused for a reason (a name of the contract's `ErrorReason`).
#[must_use]
pub fn is_refused_for(status: &Status, expected: &str) -> bool {
    reason(&status.get_error_details()) == Some(expected)
}

/// What a refusal says, in one line: message, reason, and the fields that are not acceptable.
#[must_use]
pub fn describe(message: &str, details: &ErrorDetails) -> String {
    let message = if message.is_empty() {
        "no message"
    } else {
        message
    };
    let violations = details
        .bad_request()
        .into_iter()
        .flat_map(|request| &request.field_violations);
    let fields =
        violations.map(|violation| format!("{}: {}", violation.field, violation.description));
    let named = match reason(details) {
        Some(reason) => format!("{message} ({reason})"),
        None => message.to_owned(),
    };
    std::iter::once(named)
        .chain(fields)
        .collect::<Vec<_>>()
        .join("; ")
}

/// The error of a command that could not do `action` ("create the calendar") because of `status`.
#[must_use]
pub fn failed(action: &str, status: &Status) -> CliError {
    format!(
        "could not {action}: {}",
        describe(status.message(), &status.get_error_details())
    )
    .into()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn refusal(code: Code, reason: &str) -> Status {
        let mut details = ErrorDetails::new();
        details.set_error_info(reason, "entente", std::collections::HashMap::new());
        Status::with_error_details(code, "no", details)
    }

    async fn attempts_until(last: Status, succeeds_after: u32) -> (u32, Result<u32, Code>) {
        let mut attempts = 0;
        let outcome = retry_from(Duration::from_millis(1), || {
            attempts += 1;
            let answer = if attempts > succeeds_after {
                Ok(Response::new(attempts))
            } else {
                Err(last.clone())
            };
            async move { answer }
        });
        let outcome = outcome.await.map_err(|status| status.code());
        (attempts, outcome)
    }

    #[tokio::test]
    async fn what_may_pass_is_tried_again_but_not_for_ever() {
        let unavailable = Status::unavailable("gone");
        assert_eq!(attempts_until(unavailable.clone(), 2).await, (3, Ok(3)));
        let given_up = attempts_until(unavailable, u32::MAX).await;
        assert_eq!(given_up, (ATTEMPTS_MAX, Err(Code::Unavailable)));
        let busy = refusal(Code::ResourceExhausted, "QUEUE_FULL");
        assert_eq!(attempts_until(busy, 1).await, (2, Ok(2)));
    }

    #[tokio::test]
    async fn a_refusal_is_final() {
        for status in [
            refusal(Code::NotFound, "NOT_FOUND"),
            refusal(Code::ResourceExhausted, "LIMIT_REACHED"),
            Status::invalid_argument("bad"),
        ] {
            assert_eq!(
                attempts_until(status.clone(), u32::MAX).await,
                (1, Err(status.code()))
            );
        }
    }

    #[tokio::test]
    async fn nobody_there_is_said_in_one_line() {
        let ids = RequestIds::new("test");
        // A port that was free a moment ago.
        let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap().to_string();
        drop(listener);
        let error = connect(&address, &ApiKey::new("key"), ids.clone())
            .await
            .unwrap_err()
            .to_string();
        assert!(
            error.starts_with(&format!("no server answers at http://{address}: ")),
            "{error}"
        );
        for (server, key) in [
            ("https://127.0.0.1:1", "key"),
            ("not an address", "key"),
            ("127.0.0.1:1", "\u{7}"),
        ] {
            assert!(
                connect(server, &ApiKey::new(key), ids.clone())
                    .await
                    .is_err(),
                "{server} {key}"
            );
        }
    }

    #[test]
    fn request_ids_differ_and_clones_share_the_count() {
        let ids = RequestIds::new("run");
        let clone = ids.clone();
        assert_eq!(
            [ids.next_id(), clone.next_id(), ids.next_id()],
            ["run-0", "run-1", "run-2"]
        );
    }

    #[test]
    fn keys_are_not_shown_and_refusals_are() {
        assert!(!format!("{:?}", ApiKey::new("entente_secret")).contains("secret"));
        let mut details = ErrorDetails::new();
        details.set_error_info("INVALID_FIELD", "entente", std::collections::HashMap::new());
        details.add_bad_request_violation("origin", "too long");
        let status = Status::with_error_details(Code::InvalidArgument, "not acceptable", details);
        let shown = failed("do it", &status).to_string();
        assert_eq!(
            shown,
            "could not do it: not acceptable (INVALID_FIELD); origin: too long"
        );
        assert!(is_refused_for(&status, "INVALID_FIELD") && !is_refused_for(&status, "NOT_FOUND"));
    }
}
