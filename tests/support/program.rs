//! The program as a process: started, called, stopped and killed as an operator's would be.

use std::net::{Ipv4Addr, SocketAddr, TcpListener};
use std::path::{Path, PathBuf};
use std::process::{Output, Stdio};
use std::time::Duration;

use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;
use serde_json::Value;
use tokio::io::{AsyncBufReadExt as _, BufReader};
use tokio::process::{Child, Command};

/// How long the program may take to do what it is asked.
pub const PATIENCE: Duration = Duration::from_mins(1);

/// A server at work.
pub struct Server {
    process: Child,
    /// Where it answers.
    pub address: SocketAddr,
}

// Not every test binary uses all of it.
const _: () = {
    let _ = Server::start;
    let _ = Server::kill;
    let _ = Server::signal;
    let _ = free_port;
    let _ = started;
    let _ = Server::wait;
};

/// The program of this build.
pub fn entente() -> PathBuf {
    PathBuf::from(env!("CARGO_BIN_EXE_entente"))
}

/// A port that nobody listens on just now.
pub fn free_port() -> u16 {
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).expect("a port is free");
    listener.local_addr().expect("it has an address").port()
}

/// Runs a command of the program to its end.
pub async fn run(program: &Path, arguments: &[&str]) -> Output {
    let mut command = command(program);
    command.args(arguments).stdout(Stdio::piped());
    let ended = tokio::time::timeout(PATIENCE, command.stderr(Stdio::piped()).output()).await;
    ended.expect("it ends").expect("the program starts")
}

/// As [`run`], for what has to succeed; what it printed.
pub async fn done(arguments: &[&str]) -> String {
    let output = run(&entente(), arguments).await;
    let said = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{arguments:?}: {said}");
    String::from_utf8(output.stdout).expect("it prints text")
}

/// As [`run`], for what has to fail with an exit code; what it said.
pub async fn fails(arguments: &[&str], code: i32) -> String {
    let output = run(&entente(), arguments).await;
    let said = String::from_utf8_lossy(&output.stderr).into_owned();
    assert_eq!(output.status.code(), Some(code), "{arguments:?}: {said}");
    said
}

/// A key of a firm, which is registered if it is new.
pub async fn key(url: &str, firm: &str) -> String {
    let made = ["keys", "create", "--database-url", url, "--firm", firm];
    done(&made).await.trim().to_owned()
}

fn command(program: &Path) -> Command {
    let mut command = Command::new(program);
    command.env_clear().stdin(Stdio::null()).kill_on_drop(true);
    command
}

/// Starts a server; its first line, which says why if it does not serve.
pub async fn started(program: &Path, url: &str, listen: SocketAddr) -> (Child, String) {
    let mut command = command(program);
    command.arg("serve").args(["--log-format", "json"]);
    command.args(["--database-url", url, "--listen", &listen.to_string()]);
    let mut process = command
        .stderr(Stdio::piped())
        .spawn()
        .expect("the program starts");
    let mut lines = BufReader::new(process.stderr.take().expect("a pipe")).lines();
    let first = async {
        loop {
            let line = lines.next_line().await.expect("it writes text");
            let line = line.unwrap_or_default();
            if line.is_empty() || line.starts_with("error") || line.contains("\"serving\"") {
                return line;
            }
        }
    };
    let first = tokio::time::timeout(PATIENCE, first).await;
    // Somebody has to read on, or the server would wait for room to log.
    tokio::spawn(async move {
        while let Ok(Some(line)) = lines.next_line().await {
            if std::env::var_os("ENTENTE_TEST_LOG").is_some() {
                eprintln!("{line}");
            }
        }
    });
    (process, first.expect("it says something"))
}

impl Server {
    /// Starts a server on a free port.
    pub async fn start(url: &str) -> Self {
        Self::start_at(&entente(), url, (Ipv4Addr::LOCALHOST, 0).into()).await
    }

    /// Starts a server of any build.
    pub async fn start_at(program: &Path, url: &str, listen: SocketAddr) -> Self {
        let (process, line) = started(program, url, listen).await;
        let said: Value = serde_json::from_str(&line).unwrap_or_else(|_| panic!("{line}"));
        let address = said["address"].as_str().expect("it says where");
        Self {
            process,
            address: address.parse().expect("an address"),
        }
    }

    /// Sends it a signal.
    pub fn signal(&self, signal: Signal) {
        let id = self.process.id().expect("it runs");
        let id = Pid::from_raw(id.try_into().expect("an id"));
        kill(id, signal).expect("it may be signalled");
    }

    /// Ends it as a crash would.
    pub async fn kill(mut self) {
        self.process.kill().await.expect("it may be killed");
    }

    /// Asks it to stop, and waits until it has.
    pub async fn stop(self) {
        self.signal(Signal::SIGTERM);
        assert!(self.wait().await, "it did not end well");
    }

    /// Waits until it has ended; whether it ended well.
    pub async fn wait(mut self) -> bool {
        let ended = tokio::time::timeout(PATIENCE, self.process.wait()).await;
        ended.expect("it ends").expect("it ran").success()
    }
}
