//! What the server tells about each call: log lines for people or programs, and traces and logs for a
//! collector that speaks the OpenTelemetry protocol.
//!
//! Nothing that a firm sends is told, but for the id of a request, by which its caller may ask about
//! it, and for the trace it belongs to.

use std::io::IsTerminal as _;

use http::{HeaderMap, HeaderName};
use opentelemetry::propagation::{Extractor, TextMapPropagator as _};
use opentelemetry::trace::TracerProvider as _;
use opentelemetry_appender_tracing::layer::OpenTelemetryTracingBridge;
use opentelemetry_otlp::{ExporterBuildError, LogExporter, SpanExporter, WithExportConfig as _};
use opentelemetry_sdk::Resource;
use opentelemetry_sdk::error::OTelSdkError;
use opentelemetry_sdk::logs::SdkLoggerProvider;
use opentelemetry_sdk::propagation::TraceContextPropagator;
use opentelemetry_sdk::trace::SdkTracerProvider;
use tracing::level_filters::LevelFilter;
use tracing::{Span, field, info_span};
use tracing_opentelemetry::OpenTelemetrySpanExt as _;
use tracing_subscriber::filter::Targets;
use tracing_subscriber::layer::SubscriberExt as _;
use tracing_subscriber::util::SubscriberInitExt as _;
use tracing_subscriber::{EnvFilter, Layer, Registry};
use url::Url;

use super::configuration::LogFormat;

/// Under this name traces and logs are found.
const SERVICE_NAME: &str = env!("CARGO_PKG_NAME");
/// What is logged unless `RUST_LOG` says otherwise.
const LOGGED_DEFAULT: &str = "warn,entente=info";
/// Where a call's id is.
const REQUEST_ID: HeaderName = HeaderName::from_static("x-request-id");
/// Longest id of a request that is told, in bytes; callers choose it.
const REQUEST_ID_BYTES_MAX: usize = 128;

/// Why nothing can be told.
#[derive(Debug, thiserror::Error)]
pub enum TelemetryError {
    /// An address that this program cannot speak to.
    #[error("otlp_endpoint: must be like http://127.0.0.1:4317 (a collector beside this server)")]
    Address,
    /// The exporter could not be made.
    #[error("otlp_endpoint: {0}")]
    Exporter(#[from] ExporterBuildError),
    /// Somebody else has set up logging.
    #[error("logging was started before")]
    Started(#[from] tracing_subscriber::util::TryInitError),
}

/// What has to be sent off before the program ends.
#[derive(Debug, Default)]
pub struct Telemetry {
    traces: Option<SdkTracerProvider>,
    logs: Option<SdkLoggerProvider>,
}

impl Telemetry {
    /// Starts to log to standard error, and to send traces and logs to `collector` by OTLP over gRPC,
    /// if there is one. `RUST_LOG` says how much is logged there; a collector gets what this program
    /// says of itself.
    ///
    /// # Errors
    /// If this was done before, or the collector's address makes no sense. One that does not answer is
    /// no error: calls are answered all the same.
    pub fn start(format: LogFormat, collector: Option<&str>) -> Result<Self, TelemetryError> {
        let filter =
            EnvFilter::try_from_default_env().unwrap_or_else(|_| EnvFilter::new(LOGGED_DEFAULT));
        let started = collector.map(Self::exporting).transpose()?;
        let telemetry = started.unwrap_or_default();
        // The exporter's own calls are not told, or it would never come to an end.
        let own = || Targets::new().with_target(SERVICE_NAME, LevelFilter::INFO);
        let traces = telemetry.traces.as_ref().map(|provider| {
            let tracer = provider.tracer(SERVICE_NAME);
            let layer = tracing_opentelemetry::layer().with_tracer(tracer);
            layer.with_filter(own())
        });
        let logs = telemetry.logs.as_ref();
        let logs = logs.map(|logs| OpenTelemetryTracingBridge::new(logs).with_filter(own()));
        tracing_subscriber::registry()
            .with(lines(format).with_filter(filter))
            .with(traces)
            .with(logs)
            .try_init()?;
        Ok(telemetry)
    }

    fn exporting(collector: &str) -> Result<Self, TelemetryError> {
        let collector = Url::parse(collector).ok();
        let collector = collector.filter(|url| url.scheme() == "http");
        let collector = collector.ok_or(TelemetryError::Address)?;
        // What the environment says of this process (`OTEL_RESOURCE_ATTRIBUTES`) is told, too.
        let resource = Resource::builder()
            .with_service_name(SERVICE_NAME)
            .with_attribute(opentelemetry::KeyValue::new(
                "service.version",
                env!("CARGO_PKG_VERSION"),
            ))
            .build();
        let spans = SpanExporter::builder().with_tonic();
        let records = LogExporter::builder().with_tonic();
        let traces = SdkTracerProvider::builder()
            .with_resource(resource.clone())
            .with_batch_exporter(spans.with_endpoint(collector.as_str()).build()?)
            .build();
        let logs = SdkLoggerProvider::builder()
            .with_resource(resource)
            .with_batch_exporter(records.with_endpoint(collector.as_str()).build()?)
            .build();
        Ok(Self {
            traces: Some(traces),
            logs: Some(logs),
        })
    }

    /// Sends off what waits, for a few seconds at most.
    ///
    /// # Errors
    /// If the collector does not take it.
    pub async fn stop(self) -> Result<(), OTelSdkError> {
        let stopped = tokio::task::spawn_blocking(move || {
            let traces = self.traces.map_or(Ok(()), |traces| traces.shutdown());
            let logs = self.logs.map_or(Ok(()), |logs| logs.shutdown());
            traces.and(logs)
        });
        match stopped.await {
            Ok(stopped) => stopped,
            Err(error) => Err(OTelSdkError::InternalFailure(error.to_string())),
        }
    }
}

/// Log lines on standard error.
fn lines(format: LogFormat) -> Box<dyn Layer<Registry> + Send + Sync> {
    let lines = tracing_subscriber::fmt::layer()
        .with_ansi(std::io::stderr().is_terminal())
        .with_writer(std::io::stderr);
    match format {
        LogFormat::Text => lines.boxed(),
        LogFormat::Json => lines.json().flatten_event(true).boxed(),
    }
}

/// What belongs to one call, by the contract's own words; it is part of the caller's trace, if the
/// call came with one (W3C `traceparent`).
#[must_use]
pub fn call_span(service: &str, method: &str, headers: &HeaderMap) -> Span {
    let span = info_span!(
        "call",
        otel.name = format_args!("{service}/{method}"),
        otel.kind = "server",
        rpc.system = "grpc",
        rpc.service = service,
        rpc.method = method,
        rpc.grpc.status_code = field::Empty,
        request_id = field::Empty,
    );
    let id = headers.get(REQUEST_ID).and_then(|id| id.to_str().ok());
    if let Some(id) = id.filter(|id| id.len() <= REQUEST_ID_BYTES_MAX) {
        span.record("request_id", id);
    }
    let parent = TraceContextPropagator::new().extract(&Headers(headers));
    // Without a collector there is nothing to be part of.
    let _ = span.set_parent(parent);
    span
}

/// Notes how a call ended.
pub fn note_code(span: &Span, code: tonic::Code) {
    span.record("rpc.grpc.status_code", i32::from(code));
}

/// A call's headers, as traces look them up.
struct Headers<'a>(&'a HeaderMap);

impl Extractor for Headers<'_> {
    fn get(&self, key: &str) -> Option<&str> {
        self.0.get(key).and_then(|value| value.to_str().ok())
    }

    fn keys(&self) -> Vec<&str> {
        self.0.keys().map(HeaderName::as_str).collect()
    }
}
