//! The program as somebody operates it: its settings, what it measures, and how it stops.

#![expect(
    clippy::unwrap_used,
    reason = "a test stops at the first thing that is not as it should be"
)]

#[path = "operate/abuse.rs"]
mod abuse;
#[path = "operate/keys.rs"]
mod keys;
#[path = "operate/program.rs"]
mod program;
#[path = "operate/telemetry.rs"]
mod telemetry;

use program::{PATIENCE, Program, entente};
use serde_json::Value;

async fn get(url: &str) -> reqwest::Response {
    let answer = tokio::time::timeout(PATIENCE, reqwest::get(url)).await;
    answer.unwrap().unwrap()
}

/// A file of settings is enough; calls are measured by what the contract calls them, and by nothing
/// that a caller could choose.
#[tokio::test]
async fn a_server_by_a_file_is_measured() {
    let folder = tempfile::tempdir().unwrap();
    let server = Program::start(folder.path(), "").await;
    let address = &server.address;
    let document: Value = get(&format!("http://{address}/openapi.json"))
        .await
        .json()
        .await
        .unwrap();
    assert_eq!(document["openapi"], "3.1.0");
    let refused = get(&format!("http://{address}/v1:whoAmI")).await;
    assert_eq!(refused.status(), 401);
    let client = reqwest::Client::new();
    let made_up = client
        .post(format!("http://{address}/made.up/Method-of-acme"))
        .header("content-type", "application/grpc-web");
    made_up.send().await.unwrap();

    // Once the sweeper has looked for the first time.
    server
        .measures(|line| line.starts_with("entente_sweep_lag_seconds"))
        .await;
    let page = server.measured().await;
    let counted = "entente_calls_total{service=\"entente.v1.PartnershipService\",\
                   method=\"WhoAmI\",code=\"Unauthenticated\"} 1";
    assert!(page.contains(counted), "{page}");
    assert!(page.contains("service=\"other\""), "{page}");
    assert!(!page.contains("acme"), "{page}");

    server.terminate();
    assert!(server.ended().await);
}

/// It says that it stops before it stops; whoever says nothing cannot keep it from stopping.
#[tokio::test]
async fn it_stops_although_somebody_is_silent() {
    let folder = tempfile::tempdir().unwrap();
    let server = Program::start(folder.path(), "shutdown_delay_seconds = 2\n").await;
    let address = server.address.clone();
    let _silent = tokio::net::TcpStream::connect(&address).await.unwrap();
    let endpoint = tonic::transport::Endpoint::from_shared(format!("http://{address}"));
    let channel = endpoint.unwrap().connect().await.unwrap();
    let mut health = tonic_health::pb::health_client::HealthClient::new(channel);
    let asked = tonic_health::pb::HealthCheckRequest::default();
    let mut watched = health.watch(asked).await.unwrap().into_inner();
    let serving = tonic_health::ServingStatus::Serving as i32;
    assert_eq!(watched.message().await.unwrap().unwrap().status, serving);

    server.terminate();
    let changed = tokio::time::timeout(PATIENCE, watched.message()).await;
    let changed = changed.unwrap().unwrap().unwrap();
    assert_ne!(changed.status, serving);
    let answer = get(&format!("http://{address}/openapi.json")).await;
    assert_eq!(
        answer.status(),
        200,
        "calls are answered until the delay is over"
    );
    drop(watched);
    assert!(server.ended().await);
}

/// What would count can be looked at, without its secrets; a flag counts before the environment, and
/// that before the file.
#[tokio::test]
async fn settings_can_be_looked_at() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("entente.toml");
    std::fs::write(
        &file,
        "listen = '127.0.0.1:1'\nlog_format = 'json'\nmigrate = false\n",
    )
    .unwrap();
    let shown = entente()
        .args(["serve", "--print-config", "--listen", "127.0.0.1:3"])
        .env("ENTENTE_CONFIG", &file)
        .env("ENTENTE_LISTEN", "127.0.0.1:2")
        .env("ENTENTE_LOG_FORMAT", "text")
        .env("ENTENTE_DATABASE_URL", "postgres://me:tiger@db/entente")
        .output()
        .await
        .unwrap();
    let shown = String::from_utf8(shown.stdout).unwrap();
    for setting in [
        "listen = \"127.0.0.1:3\"",
        "log_format = \"text\"",
        "migrate = false",
        "postgres://me:***@db/entente",
    ] {
        assert!(shown.contains(setting), "{setting}: {shown}");
    }
    assert!(!shown.contains("tiger"), "{shown}");
}

/// A setting that does not exist is named, and nothing is started.
#[tokio::test]
async fn a_setting_at_fault_is_named() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("entente.toml");
    std::fs::write(&file, "databse_url = 'sqlite://x.db'\n").unwrap();
    let ended = entente()
        .args(["serve", "--config"])
        .arg(&file)
        .output()
        .await
        .unwrap();
    assert_eq!(ended.status.code(), Some(1));
    let said = String::from_utf8(ended.stderr).unwrap();
    assert!(said.contains("databse_url"), "{said}");
}
