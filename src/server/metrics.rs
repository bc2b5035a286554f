//! What Prometheus can ask: how many calls, how they ended, how long they took.
//!
//! Measured where a call meets its service, and traced there ([`super::telemetry`]), so calls by JSON and gRPC-Web count like any other. Labels
//! are the contract's own words, never a firm or anything of a request. The ledger's own measurements
//! are in [`crate::ledger::measure`].

use std::collections::HashMap;
use std::convert::Infallible;
use std::net::SocketAddr;
use std::pin::Pin;
use std::sync::{Arc, LazyLock};
use std::task::{Context, Poll};

use http::{Request, Response};
use metrics::{
    Label, counter, describe_counter, describe_gauge, describe_histogram, gauge, histogram,
};
use metrics_exporter_prometheus::{BuildError, Matcher, PrometheusBuilder};
use tonic::body::Body;
use tonic::{Code, Status};
use tower::{Layer, Service};
use tracing::{Instrument as _, Span};

use super::{delivery, telemetry, webhook};
use crate::api::sign_in;
use crate::ledger::measure::{self, Stopwatch};
use crate::proto;

/// Calls answered, by service, method and canonical code.
const CALLS: &str = "entente_calls_total";
/// Seconds from a call's arrival to the beginning of its answer, by service and method.
const CALL_SECONDS: &str = "entente_call_duration_seconds";
/// Calls under way.
const CALLS_UNDER_WAY: &str = "entente_calls_under_way";
/// Upper bounds of the buckets of durations, in seconds.
const SECONDS: [f64; 13] = [
    0.001, 0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1.0, 2.0, 5.0, 10.0,
];
/// Upper bounds of the buckets of batch sizes, in commands.
const COMMANDS: [f64; 9] = [1.0, 2.0, 4.0, 8.0, 16.0, 32.0, 64.0, 128.0, 256.0];

/// Starts the page that Prometheus reads, at `/metrics` on an address of its own.
///
/// # Errors
/// If the address cannot be listened on, or this was done before.
pub fn serve(listen: SocketAddr) -> Result<(), BuildError> {
    PrometheusBuilder::new()
        .with_http_listener(listen)
        .set_buckets_for_metric(Matcher::Suffix("_seconds".to_owned()), &SECONDS)?
        .set_buckets_for_metric(Matcher::Full(measure::BATCH_COMMANDS.to_owned()), &COMMANDS)?
        .install()?;
    describe_counter!(
        CALLS,
        "Calls answered, by service, method and canonical code"
    );
    describe_histogram!(CALL_SECONDS, "Seconds until the answer to a call begins");
    describe_gauge!(CALLS_UNDER_WAY, "Calls under way");
    measure::describe();
    webhook::describe();
    delivery::describe();
    sign_in::measure::describe();
    super::tls::describe();
    super::tokens::describe();
    Ok(())
}

/// Measures every call.
#[derive(Clone, Debug)]
pub struct MetricsLayer;

impl<S> Layer<S> for MetricsLayer {
    type Service = MetricsService<S>;

    fn layer(&self, inner: S) -> Self::Service {
        MetricsService { inner }
    }
}

/// The services, measured.
#[derive(Clone, Debug)]
pub struct MetricsService<S> {
    inner: S,
}

type Answer = Pin<Box<dyn Future<Output = Result<Response<Body>, Infallible>> + Send>>;

impl<S> Service<Request<Body>> for MetricsService<S>
where
    S: Service<Request<Body>, Response = Response<Body>, Error = Infallible>,
    S::Future: Send + 'static,
{
    type Response = Response<Body>;
    type Error = Infallible;
    type Future = Answer;

    fn poll_ready(&mut self, context: &mut Context<'_>) -> Poll<Result<(), Infallible>> {
        self.inner.poll_ready(context)
    }

    fn call(&mut self, request: Request<Body>) -> Answer {
        let called = Called::from_path(request.uri().path());
        let span = telemetry::call_span(&called.service, &called.method, request.headers());
        let answer = span.in_scope(|| self.inner.call(request));
        let measured = async move {
            let mut under_way = UnderWay::begin(called);
            let answer = answer.await;
            if let Ok(response) = &answer {
                under_way.answered(response);
            }
            answer
        };
        Box::pin(measured.instrument(span))
    }
}

/// A call under way, counted when it ends: by its answer, or because its caller has gone.
struct UnderWay {
    called: Called,
    stopwatch: Stopwatch,
    code: Code,
}

impl UnderWay {
    fn begin(called: Called) -> Self {
        gauge!(CALLS_UNDER_WAY).increment(1.0);
        Self {
            called,
            stopwatch: Stopwatch::begin(),
            code: Code::Cancelled,
        }
    }

    fn answered(&mut self, response: &Response<Body>) {
        // An error comes in the headers; what has none has a message, and is fine so far.
        let status = Status::from_header_map(response.headers());
        self.code = status.map_or(Code::Ok, |status| status.code());
        telemetry::note_code(&Span::current(), self.code);
    }
}

impl Drop for UnderWay {
    fn drop(&mut self) {
        gauge!(CALLS_UNDER_WAY).decrement(1.0);
        let service = Label::new("service", Arc::clone(&self.called.service));
        let method = Label::new("method", Arc::clone(&self.called.method));
        let labels = vec![service.clone(), method.clone()];
        histogram!(CALL_SECONDS, labels).record(self.stopwatch.seconds());
        let code = Label::new("code", format!("{:?}", self.code));
        counter!(CALLS, vec![service, method, code]).increment(1);
    }
}

/// The RPCs of the contract by the paths at which gRPC calls them.
static CONTRACT: LazyLock<HashMap<String, Called>> = LazyLock::new(|| {
    let services = proto::pool().services();
    let methods = services.flat_map(|service| {
        let methods: Vec<_> = service.methods().collect();
        methods
    });
    let called = methods.map(|method| {
        let service = method.parent_service();
        let called = Called {
            service: service.full_name().into(),
            method: method.name().into(),
        };
        (
            format!("/{}/{}", service.full_name(), method.name()),
            called,
        )
    });
    called.collect()
});

/// Which RPC is called.
#[derive(Clone)]
struct Called {
    service: Arc<str>,
    method: Arc<str>,
}

impl Called {
    /// Only what the contract has becomes a label, so nobody can make up new ones.
    fn from_path(path: &str) -> Self {
        CONTRACT.get(path).cloned().unwrap_or_else(|| Self {
            service: "other".into(),
            method: "other".into(),
        })
    }
}
