//! The program itself, as a process of its own.

use std::net::{Ipv4Addr, TcpListener};
use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::time::Duration;

use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;
use serde_json::Value;
use tokio::io::{AsyncBufReadExt as _, BufReader};
use tokio::process::{Child, Command};

/// How long the program may take to do what it is asked.
pub const PATIENCE: Duration = Duration::from_mins(1);

/// The program, with nothing of this process's environment.
pub fn entente() -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_entente"));
    command.env_clear().stdin(Stdio::null()).kill_on_drop(true);
    command
}

/// A port that nobody listens on just now.
pub fn free_port() -> u16 {
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
    listener.local_addr().unwrap().port()
}

/// A server on a database of its own, which Prometheus could ask.
pub struct Program {
    pub child: Child,
    /// Where it answers: `127.0.0.1:port`.
    pub address: String,
    metrics: u16,
    database: PathBuf,
}

impl Program {
    /// Starts a server on `SQLite` in a folder, with more settings as a file has them.
    pub async fn start(folder: &Path, settings: &str) -> Self {
        let metrics = free_port();
        let database = folder.join("entente.db");
        let file = folder.join("entente.toml");
        let settings = format!(
            "database_url = 'sqlite://{}'\nlisten = '127.0.0.1:0'\nlog_format = 'json'\n\
             metrics_listen = '127.0.0.1:{metrics}'\n{settings}",
            database.display()
        );
        std::fs::write(&file, settings).unwrap();
        let mut command = entente();
        command.arg("serve").arg("--config").arg(&file);
        let mut child = command.stderr(Stdio::piped()).spawn().unwrap();
        let lines = BufReader::new(child.stderr.take().unwrap());
        let mut lines = lines.lines();
        let line = tokio::time::timeout(PATIENCE, lines.next_line()).await;
        let line = line.unwrap().unwrap().unwrap();
        // Somebody has to read on, or the server would wait for room to log.
        tokio::spawn(async move { while let Ok(Some(_)) = lines.next_line().await {} });
        let line: Value = serde_json::from_str(&line).unwrap_or_else(|_| panic!("no JSON: {line}"));
        assert_eq!(line["message"], "serving", "{line}");
        let address = line["address"].as_str().unwrap().to_owned();
        Self {
            child,
            address,
            metrics,
            database,
        }
    }

    /// A key of a firm that may do everything within it.
    pub async fn key(&self, firm: &str) -> String {
        let database = format!("sqlite://{}", self.database.display());
        let made = entente()
            .args(["keys", "create", "--firm", firm, "--database-url"])
            .arg(database)
            .output();
        let made = made.await.unwrap();
        assert!(made.status.success(), "{made:?}");
        String::from_utf8(made.stdout).unwrap().trim().to_owned()
    }

    /// What is measured.
    pub async fn measured(&self) -> String {
        let page = format!("http://127.0.0.1:{}/metrics", self.metrics);
        let page = tokio::time::timeout(PATIENCE, reqwest::get(page)).await;
        page.unwrap().unwrap().text().await.unwrap()
    }

    /// Waits until one of the lines of what is measured is as it should be.
    pub async fn measures(&self, expected: impl Fn(&str) -> bool) {
        let wait = async {
            while !self.measured().await.lines().any(&expected) {
                tokio::time::sleep(Duration::from_millis(50)).await;
            }
        };
        let waited = tokio::time::timeout(PATIENCE, wait).await;
        assert!(waited.is_ok(), "{}", self.measured().await);
    }

    /// Memory that is in use, in bytes.
    pub fn memory(&self) -> u64 {
        let status = format!("/proc/{}/status", self.child.id().unwrap());
        let status = std::fs::read_to_string(status).unwrap();
        let line = status.lines().find(|line| line.starts_with("VmRSS:"));
        let kibibytes = line.and_then(|line| line.split_whitespace().nth(1));
        kibibytes.unwrap().parse::<u64>().unwrap() * 1024
    }

    /// Asks it to stop.
    pub fn terminate(&self) {
        let id = Pid::from_raw(self.child.id().unwrap().try_into().unwrap());
        kill(id, Signal::SIGTERM).unwrap();
    }

    /// Waits until it has ended; whether it ended well.
    pub async fn ended(mut self) -> bool {
        let ended = tokio::time::timeout(PATIENCE, self.child.wait()).await;
        ended.unwrap().unwrap().success()
    }
}
