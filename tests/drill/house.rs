//! Where drills take place: `PostgreSQL` with a synchronous standby, three replicas, and HAProxy before
//! both.

use std::net::{Ipv4Addr, SocketAddr};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use nix::sys::signal::Signal;

use crate::support::postgres::Cluster;
use crate::support::program::{self, Server, free_port};

/// Replicas of the service.
pub const REPLICAS: usize = 3;
/// How long the standby may take to follow.
const FOLLOWING: Duration = Duration::from_secs(30);

/// Everything that can fail.
pub struct House {
    balancer: Child,
    folder: tempfile::TempDir,
    /// The one that is written to, and before it those that were.
    nodes: Vec<Cluster>,
    /// Follows the last node, which waits for it.
    standby: Option<Cluster>,
    replicas: Vec<Option<Server>>,
    ports: Vec<u16>,
    /// The database, through HAProxy.
    pub url: String,
    /// The replicas, through HAProxy.
    pub address: SocketAddr,
}

impl House {
    /// Opens a house in which the database may fail over so many times.
    pub async fn open(failovers: usize) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let node = Cluster::start();
        let direct = node.create_database().await;
        let database = direct.rsplit('/').next().unwrap();
        let (grpc, postgres) = (free_port(), free_port());
        let ports: Vec<u16> = (0..REPLICAS).map(|_| free_port()).collect();
        let settings = settings(folder.path(), (grpc, &ports), (postgres, failovers + 1));
        let balancer = balancer(folder.path(), &settings);
        let url = format!("postgres://entente@127.0.0.1:{postgres}/{database}");
        let mut house = Self {
            balancer,
            folder,
            nodes: Vec::new(),
            standby: None,
            replicas: (0..REPLICAS).map(|_| None).collect(),
            ports,
            url,
            address: (Ipv4Addr::LOCALHOST, grpc).into(),
        };
        house.admit(node);
        until_listening(&house.folder.path().join("haproxy.log"), [grpc, postgres]).await;
        for index in 0..REPLICAS {
            house.start(index, &program::entente()).await;
        }
        // HAProxy has to have looked at them once.
        tokio::time::sleep(Duration::from_secs(2)).await;
        house
    }

    /// Makes a node reachable, after all that were before it.
    fn admit(&mut self, node: Cluster) {
        let place = place(self.folder.path(), self.nodes.len());
        std::os::unix::fs::symlink(node.socket().0, place).unwrap();
        self.nodes.push(node);
    }

    fn node(&self) -> &Cluster {
        self.nodes.last().unwrap()
    }

    /// Makes a standby that has everything before anything is acknowledged.
    pub async fn follow(&mut self) {
        let node = self.node();
        let standby = Cluster::copy_of(node);
        let folder = node.socket().0.display();
        let follow =
            format!("primary_conninfo = 'host={folder} user=entente application_name=standby'");
        standby.configure(&[follow, "synchronous_standby_names = ''".to_owned()]);
        standby.signal("standby.signal");
        standby.start_again();
        node.query(
            "postgres",
            "SELECT set_config('synchronous_commit', 'local', false)",
        )
        .await;
        node.configure(&["synchronous_standby_names = 'standby'".to_owned()]);
        node.query("postgres", "SELECT pg_reload_conf()::text")
            .await;
        let synchronous = "SELECT (count(*) = 1)::text FROM pg_stat_replication \
                           WHERE application_name = 'standby' AND sync_state = 'sync'";
        let following = async {
            while node.query("postgres", synchronous).await != "true" {
                tokio::time::sleep(Duration::from_millis(200)).await;
            }
        };
        let following = tokio::time::timeout(FOLLOWING, following).await;
        following.expect("the standby follows");
        self.standby = Some(standby);
    }

    /// Starts a replica of any build.
    pub async fn start(&mut self, index: usize, program: &Path) {
        let listen = (Ipv4Addr::LOCALHOST, self.ports[index]).into();
        let server = Server::start_at(program, &self.url, listen).await;
        self.replicas[index] = Some(server);
    }

    /// Ends a replica as a crash would.
    pub async fn kill(&mut self, index: usize) {
        self.replicas[index].take().unwrap().kill().await;
    }

    /// Asks a replica to stop, and waits until it has.
    pub async fn stop(&mut self, index: usize) {
        self.replicas[index].take().unwrap().stop().await;
    }

    /// Waits until a replica has ended by itself; whether it ended well.
    pub async fn wait(&mut self, index: usize) -> bool {
        self.replicas[index].take().unwrap().wait().await
    }

    /// Makes a replica hang, or go on.
    pub fn signal(&self, index: usize, signal: Signal) {
        self.replicas[index].as_ref().unwrap().signal(signal);
    }

    /// Where a replica itself answers.
    pub fn replica(&self, index: usize) -> SocketAddr {
        self.replicas[index].as_ref().unwrap().address
    }

    /// Restarts the database as after a crash.
    pub fn restart_database(&self) {
        self.node().stop_immediate();
        self.node().start_again();
    }

    /// The database is gone for good, and a little later its standby takes over.
    pub async fn fail_over(&mut self) {
        self.node().stop_immediate();
        let standby = self.standby.take().expect("there is a standby");
        // Reachable before it takes over: whoever comes too early must not be led astray.
        self.admit(standby);
        tokio::time::sleep(Duration::from_secs(2)).await;
        self.node().promote();
    }

    /// Stops what is left.
    pub async fn close(mut self) {
        for replica in self.replicas.iter_mut().filter_map(Option::take) {
            replica.stop().await;
        }
        self.end_balancer();
    }

    fn end_balancer(&mut self) {
        let _ = self.balancer.kill();
        let _ = self.balancer.wait();
    }
}

impl Drop for House {
    fn drop(&mut self) {
        self.end_balancer();
    }
}

/// Where HAProxy finds the socket of a node.
fn place(folder: &Path, number: usize) -> PathBuf {
    folder.join(format!("node{number}"))
}

/// HAProxy's settings. Replicas are looked at by a call that they refuse without looking anything up; of
/// the database's nodes the first that answers counts.
fn settings(
    folder: &Path,
    (grpc, replicas): (u16, &[u16]),
    (postgres, nodes): (u16, usize),
) -> String {
    use std::fmt::Write as _;
    let mut text = format!(
        "global\n  maxconn 2000\n\
         defaults\n  mode tcp\n  timeout connect 2s\n  timeout client 2m\n  timeout server 2m\n\
         \x20 timeout check 1s\n  option redispatch\n\
         \x20 default-server check inter 500ms fall 2 rise 1 on-marked-down shutdown-sessions\n\
         frontend replicas\n  bind 127.0.0.1:{grpc}\n  default_backend replicas\n\
         frontend database\n  bind 127.0.0.1:{postgres}\n  default_backend database\n\
         backend replicas\n  balance roundrobin\n  option httpchk GET /v1:whoAmI\n\
         \x20 http-check expect status 401\n"
    );
    for (index, port) in replicas.iter().enumerate() {
        writeln!(text, "  server replica{index} 127.0.0.1:{port}").unwrap();
    }
    text.push_str("backend database\n  option pgsql-check user entente\n");
    for number in 0..nodes {
        let socket = place(folder, number).join(".s.PGSQL.5432");
        let backup = if number == 0 { "" } else { " backup" };
        writeln!(
            text,
            "  server node{number} unix@{}{backup}",
            socket.display()
        )
        .unwrap();
    }
    text
}

fn balancer(folder: &Path, settings: &str) -> Child {
    let file = folder.join("haproxy.cfg");
    std::fs::write(&file, settings).unwrap();
    let path = std::env::var("PATH").unwrap_or_default();
    let mut command = Command::new("haproxy");
    command.env("PATH", format!("{path}:/usr/local/sbin:/usr/sbin"));
    command.arg("-db").arg("-f").arg(&file).stdin(Stdio::null());
    let log = std::fs::File::create(folder.join("haproxy.log")).unwrap();
    command.stdout(log.try_clone().unwrap()).stderr(log);
    let started = command.spawn();
    started.expect("HAProxy is needed: run scripts/require-haproxy.sh")
}

/// Waits until HAProxy listens.
async fn until_listening(log: &Path, ports: [u16; 2]) {
    for port in ports {
        let began = std::time::Instant::now();
        while std::net::TcpStream::connect((Ipv4Addr::LOCALHOST, port)).is_err() {
            let log = std::fs::read_to_string(log).unwrap_or_default();
            assert!(
                began.elapsed() < FOLLOWING,
                "HAProxy does not listen: {log}"
            );
            tokio::time::sleep(Duration::from_millis(100)).await;
        }
    }
}
