//! The program as somebody operates it: its settings, what it measures, and how it stops.

#![expect(
    clippy::unwrap_used,
    reason = "a test stops at the first thing that is not as it should be"
)]

use std::net::{Ipv4Addr, TcpListener};
use std::path::Path;
use std::process::Stdio;
use std::time::Duration;

use serde_json::Value;
use tokio::io::{AsyncBufReadExt as _, BufReader};
use tokio::process::{Child, Command};

/// How long the program may take to do what it is asked.
const PATIENCE: Duration = Duration::from_secs(30);

fn entente() -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_entente"));
    command.env_clear().stdin(Stdio::null()).kill_on_drop(true);
    command
}

/// A port that nobody listens on just now.
fn free_port() -> u16 {
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
    listener.local_addr().unwrap().port()
}

/// Starts the server with a file of settings; returns it with the first line that it logged.
async fn serve(folder: &Path, settings: &str) -> (Child, Value) {
    let file = folder.join("entente.toml");
    std::fs::write(&file, settings).unwrap();
    let mut command = entente();
    command.arg("serve").arg("--config").arg(&file);
    let mut server = command.stderr(Stdio::piped()).spawn().unwrap();
    let lines = BufReader::new(server.stderr.take().unwrap());
    let mut lines = lines.lines();
    let line = tokio::time::timeout(PATIENCE, lines.next_line()).await;
    let line = line.unwrap().unwrap().unwrap();
    // Somebody has to read on, or the server would wait for room to log.
    tokio::spawn(async move { while let Ok(Some(_)) = lines.next_line().await {} });
    let line = serde_json::from_str(&line);
    (server, line.unwrap_or_else(|_| panic!("no JSON")))
}

async fn get(url: &str) -> reqwest::Response {
    let answer = tokio::time::timeout(PATIENCE, reqwest::get(url)).await;
    answer.unwrap().unwrap()
}

/// What is measured, once the sweeper has looked for the first time.
async fn measured(port: u16) -> String {
    let wait = async {
        loop {
            let page = get(&format!("http://127.0.0.1:{port}/metrics")).await;
            let page = page.text().await.unwrap();
            if page.contains("entente_sweep_lag_seconds") {
                return page;
            }
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
    };
    tokio::time::timeout(PATIENCE, wait).await.unwrap()
}

/// A file of settings is enough; calls are measured by what the contract calls them, and by nothing
/// that a caller could choose.
#[tokio::test]
async fn a_server_by_a_file_is_measured() {
    let folder = tempfile::tempdir().unwrap();
    let metrics = free_port();
    let database = folder.path().join("entente.db");
    let settings = format!(
        "database_url = 'sqlite://{}'\nlisten = '127.0.0.1:0'\nlog_format = 'json'\n\
         metrics_listen = '127.0.0.1:{metrics}'\n",
        database.display()
    );
    let (mut server, line) = serve(folder.path(), &settings).await;
    assert_eq!(line["message"], "serving", "{line}");
    let address = line["address"].as_str().unwrap();

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

    let page = measured(metrics).await;
    let counted = "entente_calls_total{service=\"entente.v1.PartnershipService\",\
                   method=\"WhoAmI\",code=\"Unauthenticated\"} 1";
    assert!(page.contains(counted), "{page}");
    assert!(page.contains("service=\"other\""), "{page}");
    assert!(!page.contains("acme"), "{page}");

    let id = nix::unistd::Pid::from_raw(server.id().unwrap().try_into().unwrap());
    nix::sys::signal::kill(id, nix::sys::signal::Signal::SIGTERM).unwrap();
    let ended = tokio::time::timeout(PATIENCE, server.wait()).await;
    assert!(ended.unwrap().unwrap().success());
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
