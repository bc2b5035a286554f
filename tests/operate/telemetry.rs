//! What a collector of traces and logs is told.

use std::sync::{Arc, Mutex};

use opentelemetry_proto::tonic::collector::logs::v1::logs_service_server::{
    LogsService, LogsServiceServer,
};
use opentelemetry_proto::tonic::collector::logs::v1::{
    ExportLogsServiceRequest, ExportLogsServiceResponse,
};
use opentelemetry_proto::tonic::collector::trace::v1::trace_service_server::{
    TraceService, TraceServiceServer,
};
use opentelemetry_proto::tonic::collector::trace::v1::{
    ExportTraceServiceRequest, ExportTraceServiceResponse,
};
use opentelemetry_proto::tonic::trace::v1::Span;
use opentelemetry_proto::tonic::trace::v1::span::SpanKind;
use tokio_stream::wrappers::TcpListenerStream;
use tonic::transport::Server;
use tonic::{Request, Response, Status};

use crate::program::Program;

/// A trace that began elsewhere, and the span in it that calls.
const TRACE: &str = "4bf92f3577b34da6a3ce929d0e0e4736";
const PARENT: &str = "00f067aa0ba902b7";
/// A name of a person, which nobody but its readers may see.
const PERSON: &str = "Ada Example";

/// Remembers what it was told.
#[derive(Clone, Default)]
struct Collector {
    traces: Arc<Mutex<Vec<ExportTraceServiceRequest>>>,
    logs: Arc<Mutex<Vec<ExportLogsServiceRequest>>>,
}

#[tonic::async_trait]
impl TraceService for Collector {
    async fn export(
        &self,
        request: Request<ExportTraceServiceRequest>,
    ) -> Result<Response<ExportTraceServiceResponse>, Status> {
        self.traces.lock().unwrap().push(request.into_inner());
        Ok(Response::new(ExportTraceServiceResponse::default()))
    }
}

#[tonic::async_trait]
impl LogsService for Collector {
    async fn export(
        &self,
        request: Request<ExportLogsServiceRequest>,
    ) -> Result<Response<ExportLogsServiceResponse>, Status> {
        self.logs.lock().unwrap().push(request.into_inner());
        Ok(Response::new(ExportLogsServiceResponse::default()))
    }
}

impl Collector {
    /// Starts to listen; where.
    async fn start(&self) -> u16 {
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let port = listener.local_addr().unwrap().port();
        let server = Server::builder()
            .add_service(TraceServiceServer::new(self.clone()))
            .add_service(LogsServiceServer::new(self.clone()))
            .serve_with_incoming(TcpListenerStream::new(listener));
        tokio::spawn(server);
        port
    }

    fn spans(&self) -> Vec<Span> {
        let traces = self.traces.lock().unwrap();
        let scopes = traces.iter().flat_map(|trace| &trace.resource_spans);
        let spans = scopes.flat_map(|resource| &resource.scope_spans);
        spans.flat_map(|scope| scope.spans.clone()).collect()
    }

    /// All that it was told, as bytes.
    fn told(&self) -> Vec<u8> {
        let traces = self.traces.lock().unwrap();
        let logs = self.logs.lock().unwrap();
        let traces = traces.iter().map(prost::Message::encode_to_vec);
        let logs = logs.iter().map(prost::Message::encode_to_vec);
        traces.chain(logs).flatten().collect()
    }
}

fn contains(bytes: &[u8], text: &str) -> bool {
    bytes
        .windows(text.len())
        .any(|window| window == text.as_bytes())
}

/// A call is a span in its caller's trace, by the contract's words; nothing that was sent is told.
#[tokio::test]
async fn a_call_is_part_of_its_callers_trace() {
    let collector = Collector::default();
    let port = collector.start().await;
    let folder = tempfile::tempdir().unwrap();
    let settings = format!("otlp_endpoint = 'http://127.0.0.1:{port}'\n");
    let program = Program::start(folder.path(), &settings).await;
    let key = program.key("north").await;
    let client = reqwest::Client::new();
    let call = client
        .post(format!("http://{}/v1/firms/north/apiKeys", program.address))
        .bearer_auth(&key)
        .header("traceparent", format!("00-{TRACE}-{PARENT}-01"))
        .header("x-request-id", "desk-7")
        .json(&serde_json::json!({"displayName": PERSON, "permissions": ["PERMISSION_READ"]}));
    assert_eq!(call.send().await.unwrap().status(), 200);
    program.terminate();
    assert!(program.ended().await, "what waits was sent off");

    let spans = collector.spans();
    let name = "entente.v1.AdminService/CreateApiKey";
    let span = spans.iter().find(|span| span.name == name).unwrap();
    let hex = |bytes: &[u8]| data_encoding::HEXLOWER.encode(bytes);
    assert_eq!(hex(&span.trace_id), TRACE);
    assert_eq!(hex(&span.parent_span_id), PARENT);
    assert_eq!(span.kind, i32::from(SpanKind::Server));
    let told = |attribute: &str| span.attributes.iter().any(|told| told.key == attribute);
    assert!(
        told("request_id") && told("rpc.grpc.status_code"),
        "{span:?}"
    );

    let told = collector.told();
    assert!(contains(&told, "service.name") && contains(&told, "serving"));
    assert!(!contains(&told, PERSON) && !contains(&told, &key));
}

/// A secret that was sent by mistake is refused, and neither the answer nor any log or trace has it.
#[tokio::test]
async fn a_secret_that_is_refused_is_told_nobody() {
    const SECRET: &str = "Sesame4711open";
    let collector = Collector::default();
    let port = collector.start().await;
    let folder = tempfile::tempdir().unwrap();
    let settings = format!("otlp_endpoint = 'http://127.0.0.1:{port}'\n");
    let program = Program::start(folder.path(), &settings).await;
    let key = program.key("north").await;
    let client = reqwest::Client::new();
    let call = |path: &str, body: serde_json::Value| {
        let url = format!("http://{}/v1/{path}", program.address);
        client.post(url).bearer_auth(&key).json(&body).send()
    };
    let path =
        "partnerships?partnerDisplayName=South&role=PARTY_ROLE_PEER&partnerRole=PARTY_ROLE_PEER";
    let made = call(path, serde_json::json!({"displayName": "Both"})).await;
    let made: serde_json::Value = made.unwrap().json().await.unwrap();
    let name = made["name"].as_str().unwrap_or_else(|| panic!("{made}"));
    let item = serde_json::json!({
        "kind": "CUSTODY_KIND_ADMIN_ACCOUNT",
        "displayName": "firewall",
        "owner": "party-2",
        "location": format!("password: {SECRET}"),
    });
    let refused = call(&format!("{name}/custodyItems"), item).await.unwrap();
    assert_eq!(refused.status(), 400);
    let answer = refused.text().await.unwrap();
    assert!(answer.contains("LOOKS_LIKE_SECRET"), "{answer}");
    assert!(!answer.contains(SECRET), "{answer}");
    program.terminate();
    assert!(program.ended().await, "what waits was sent off");
    let told = collector.told();
    assert!(contains(&told, "CustodyService/CreateCustodyItem"));
    assert!(!contains(&told, SECRET));
}
