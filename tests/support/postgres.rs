//! A `PostgreSQL` cluster of the tests' own: made with `initdb` in a temporary folder, reachable by a
//! unix socket in it and by nothing else, gone when the test process ends, however it ends.
//!
//! Tests that need `PostgreSQL` fail without it; they are never skipped.

use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::OnceLock;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

use nix::unistd::{Gid, Uid, User};
use sqlx::{Connection, PgConnection, raw_sql};

/// The role that owns everything.
const ROLE: &str = "entente";
/// The database whose copies tests get.
const TEMPLATE: &str = "entente_template";
/// Longest folder whose socket the system still accepts (107 bytes with the socket's name).
const FOLDER_BYTES_MAX: usize = 80;
/// How often a copy is tried while the template is still in use, and the rest between.
const COPY_TRIES: u32 = 100;
const COPY_REST: Duration = Duration::from_millis(50);

/// What a cluster is started with.
#[derive(Clone, Copy, Debug)]
pub struct Settings {
    /// Whether writes reach the disk before they are acknowledged. Switching it off is faster; a
    /// crash of the server process alone loses nothing either way.
    pub fsync: bool,
}

/// A running cluster.
pub struct Cluster {
    programs: PathBuf,
    folder: PathBuf,
    owner: Option<(Uid, Gid)>,
    settings: Settings,
    template: tokio::sync::OnceCell<()>,
    databases: AtomicU32,
    /// Stops the cluster and removes its folder as soon as its standard input closes, which happens
    /// when this value is dropped or when the process ends, even by SIGKILL.
    guard: Child,
}

// Not every test binary uses all of it.
const _: () = {
    let _ = shared;
    let _ = Cluster::start;
    let _ = Cluster::start_again;
    let _ = Cluster::start_again_with;
    let _ = Cluster::give_file;
    let _ = Cluster::stop_immediate;
    let _ = Cluster::create_database;
    let _ = Cluster::create_empty_database;
    let _ = Cluster::socket;
    let _ = Cluster::programs;
    let _ = Cluster::copy_of;
    let _ = Cluster::configure;
    let _ = Cluster::signal;
    let _ = Cluster::promote;
    let _ = Cluster::query;
};

/// The cluster that all tests of this process share.
pub fn shared() -> &'static Cluster {
    static SHARED: OnceLock<Cluster> = OnceLock::new();
    SHARED.get_or_init(Cluster::start)
}

impl Cluster {
    /// Makes and starts a cluster that writes to the disk as one in production does.
    pub fn start() -> Self {
        Self::start_with(Settings { fsync: true })
    }

    /// Makes and starts a cluster.
    pub fn start_with(settings: Settings) -> Self {
        let cluster = Self::new(settings);
        // A collation that is not bytewise, so that a forgotten COLLATE "C" shows.
        let locale = [
            "--locale=C",
            "--locale-provider=icu",
            "--icu-locale=en-US",
            "--encoding=UTF8",
        ];
        cluster.run("initdb", |command| {
            command
                .arg("--pgdata")
                .arg(cluster.data())
                .args(["--username", ROLE, "--auth=trust"]);
            command.args(locale).arg("--no-sync");
        });
        cluster.start_again();
        cluster
    }

    /// A copy of a running cluster by `pg_basebackup`, not started yet.
    pub fn copy_of(other: &Self) -> Self {
        let cluster = Self::new(other.settings);
        cluster.run("pg_basebackup", |command| {
            command.arg("--pgdata").arg(cluster.data());
            command.arg("--host").arg(&other.folder);
            command.args(["--username", ROLE, "--checkpoint=fast", "--no-sync"]);
        });
        cluster
    }

    fn new(settings: Settings) -> Self {
        let programs = programs();
        let owner = owner();
        let folder = new_folder(owner);
        let guard = guard(&programs, &folder, owner);
        Self {
            programs,
            folder,
            owner,
            settings,
            template: tokio::sync::OnceCell::new(),
            databases: AtomicU32::new(0),
            guard,
        }
    }

    /// Adds lines to the cluster's settings; they count from its next start on.
    ///
    /// # Panics
    /// If they cannot be written.
    pub fn configure(&self, lines: &[String]) {
        use std::io::Write as _;
        let file = std::fs::OpenOptions::new()
            .append(true)
            .open(self.data().join("postgresql.auto.conf"));
        let mut file = file.expect("the cluster has settings");
        writeln!(file, "{}", lines.join("\n")).expect("the settings can be written");
    }

    /// Puts a file such as `recovery.signal` where the cluster's next start looks for it.
    ///
    /// # Panics
    /// If it cannot be written.
    pub fn signal(&self, name: &str) {
        let path = self.data().join(name);
        std::fs::write(&path, "").expect("the folder is writable");
        if let Some((uid, gid)) = self.owner {
            std::os::unix::fs::chown(&path, Some(uid.as_raw()), Some(gid.as_raw()))
                .expect("root may give a file away");
        }
    }

    /// Makes a standby the one that is written to, and waits until it is.
    pub fn promote(&self) {
        self.run("pg_ctl", |command| {
            command.arg("--pgdata").arg(self.data());
            command.args(["--wait", "--timeout=60", "promote"]);
        });
    }

    /// The text that a statement answers with, in any database of the cluster.
    ///
    /// # Panics
    /// If it is not answered.
    pub async fn query(&self, database: &str, statement: &str) -> String {
        let url = self.database_url(database);
        let mut connection = PgConnection::connect(&url)
            .await
            .expect("the cluster answers");
        let answer = sqlx::query_scalar(sqlx::AssertSqlSafe(statement.to_owned()))
            .fetch_one(&mut connection)
            .await
            .expect("the statement is answered");
        connection.close().await.expect("the connection closes");
        answer
    }

    /// Starts the cluster after [`Self::stop_immediate`], and waits until it answers.
    pub fn start_again(&self) {
        self.start_again_with("");
    }

    /// As [`Self::start_again`], with more options for the server.
    pub fn start_again_with(&self, more: &str) {
        let fsync = if self.settings.fsync { "on" } else { "off" };
        let options = format!(
            "-c listen_addresses= -c unix_socket_directories={} -c max_connections=300 -c fsync={fsync} {more}",
            self.folder.display()
        );
        self.run("pg_ctl", |command| {
            command
                .arg("--pgdata")
                .arg(self.data())
                .arg("--log")
                .arg(self.folder.join("log"));
            command.args(["--wait", "--timeout=60", "--options", &options, "start"]);
        });
    }

    /// Stops the cluster as a crash would, and waits until it is gone.
    pub fn stop_immediate(&self) {
        self.run("pg_ctl", |command| {
            command.arg("--pgdata").arg(self.data());
            command.args(["--wait", "--mode=immediate", "stop"]);
        });
    }

    /// A file that the server may read, and nobody else.
    ///
    /// # Panics
    /// If the cluster's folder cannot be written to.
    pub fn give_file(&self, name: &str, content: &str) -> PathBuf {
        let path = self.folder.join(name);
        std::fs::write(&path, content).expect("the folder is writable");
        let only_owner = std::os::unix::fs::PermissionsExt::from_mode(0o600);
        std::fs::set_permissions(&path, only_owner).expect("it is ours");
        if let Some((uid, gid)) = self.owner {
            std::os::unix::fs::chown(&path, Some(uid.as_raw()), Some(gid.as_raw()))
                .expect("root may give a file away");
        }
        path
    }

    /// The URL of a database in the cluster.
    pub fn database_url(&self, name: &str) -> String {
        let folder = self.folder.to_string_lossy().replace('/', "%2F");
        format!("postgres://{ROLE}@{folder}/{name}")
    }

    /// The folder of the unix socket, and the role that owns everything: for `PostgreSQL`'s programs.
    pub fn socket(&self) -> (&Path, &'static str) {
        (&self.folder, ROLE)
    }

    /// Where `PostgreSQL`'s programs are.
    pub fn programs(&self) -> &Path {
        &self.programs
    }

    /// Makes a database with the current schema and returns its URL.
    pub async fn create_database(&self) -> String {
        self.template.get_or_init(|| self.make_template()).await;
        let name = format!("test_{}", self.databases.fetch_add(1, Ordering::Relaxed));
        self.administer(&format!("CREATE DATABASE {name} TEMPLATE {TEMPLATE}"))
            .await;
        self.database_url(&name)
    }

    /// Makes a database without any schema and returns its URL.
    pub async fn create_empty_database(&self) -> String {
        let name = format!("test_{}", self.databases.fetch_add(1, Ordering::Relaxed));
        self.administer(&format!("CREATE DATABASE {name}")).await;
        self.database_url(&name)
    }

    async fn make_template(&self) {
        self.administer(&format!("CREATE DATABASE {TEMPLATE}"))
            .await;
        entente::store::migrate(&self.database_url(TEMPLATE))
            .await
            .expect("the template is migrated");
    }

    /// Runs a statement on the maintenance database. A database is copied only once nobody is
    /// connected to it, and a connection closes a little after its client has left.
    async fn administer(&self, statement: &str) {
        const IN_USE: &str = "55006";
        let url = self.database_url("postgres");
        let mut connection = PgConnection::connect(&url)
            .await
            .expect("the cluster answers");
        for _ in 0..COPY_TRIES {
            let statement = sqlx::AssertSqlSafe(statement.to_owned());
            match raw_sql(statement).execute(&mut connection).await {
                Ok(_) => return connection.close().await.expect("the connection closes"),
                Err(error) => {
                    let state = error
                        .as_database_error()
                        .and_then(sqlx::error::DatabaseError::code);
                    assert_eq!(state.as_deref(), Some(IN_USE), "{error}");
                    tokio::time::sleep(COPY_REST).await;
                }
            }
        }
        panic!("the template stays in use: {statement}");
    }

    fn data(&self) -> PathBuf {
        self.folder.join("data")
    }

    fn run(&self, program: &str, arguments: impl FnOnce(&mut Command)) {
        let mut command = command(&self.programs.join(program), &self.folder, self.owner);
        arguments(&mut command);
        // Its output goes to a file: a server that it starts would keep a pipe open for ever.
        let output = self.folder.join("output");
        let file = std::fs::File::create(&output).expect("the folder is writable");
        let errors = file.try_clone().expect("a file handle can be copied");
        let status = command
            .stdin(Stdio::null())
            .stdout(file)
            .stderr(errors)
            .status();
        let success = status.as_ref().is_ok_and(std::process::ExitStatus::success);
        assert!(
            success,
            "{program} failed ({status:?}): {}\n{}",
            std::fs::read_to_string(&output).unwrap_or_default(),
            std::fs::read_to_string(self.folder.join("log")).unwrap_or_default()
        );
    }
}

impl Drop for Cluster {
    fn drop(&mut self) {
        drop(self.guard.stdin.take());
        let _ = self.guard.wait();
    }
}

/// The folder of `PostgreSQL`'s programs.
fn programs() -> PathBuf {
    let complete =
        |folder: &PathBuf| folder.join("initdb").exists() && folder.join("pg_ctl").exists();
    let path = std::env::var_os("PATH").unwrap_or_default();
    // Only some of the programs may be linked there.
    let real = |folder: PathBuf| {
        let initdb = std::fs::canonicalize(folder.join("initdb")).ok()?;
        initdb.parent().map(Path::to_path_buf)
    };
    let in_path = std::env::split_paths(&path)
        .find(|folder| complete(folder))
        .and_then(real);
    in_path.or_else(|| installed().into_iter().find(complete)).expect(
        "PostgreSQL 15 or later is needed: initdb is neither in PATH nor in /usr/lib/postgresql/*/bin",
    )
}

/// The folders where Debian keeps `PostgreSQL`'s programs, the newest version first.
fn installed() -> Vec<PathBuf> {
    let Ok(versions) = std::fs::read_dir("/usr/lib/postgresql") else {
        return Vec::new();
    };
    let mut folders: Vec<(u32, PathBuf)> = versions
        .flatten()
        .filter_map(|entry| {
            Some((
                entry.file_name().to_str()?.parse().ok()?,
                entry.path().join("bin"),
            ))
        })
        .collect();
    folders.sort_unstable();
    folders
        .into_iter()
        .rev()
        .map(|(_, folder)| folder)
        .collect()
}

/// Whom the cluster runs as: `PostgreSQL` refuses to run as root.
fn owner() -> Option<(Uid, Gid)> {
    if !Uid::effective().is_root() {
        return None;
    }
    let user = ["postgres", "nobody"]
        .into_iter()
        .find_map(|name| User::from_name(name).ok().flatten());
    let user = user.expect("root needs a user postgres or nobody to run PostgreSQL as");
    Some((user.uid, user.gid))
}

fn new_folder(owner: Option<(Uid, Gid)>) -> PathBuf {
    let temporary = std::env::temp_dir();
    let parent = if temporary.as_os_str().len() > FOLDER_BYTES_MAX {
        Path::new("/tmp")
    } else {
        &temporary
    };
    let folder = tempfile::Builder::new()
        .prefix("entente-")
        .tempdir_in(parent)
        .expect("a temporary folder");
    let folder = folder.keep();
    if let Some((uid, gid)) = owner {
        std::os::unix::fs::chown(&folder, Some(uid.as_raw()), Some(gid.as_raw()))
            .expect("root may give a folder away");
    }
    folder
}

fn guard(programs: &Path, folder: &Path, owner: Option<(Uid, Gid)>) -> Child {
    const SCRIPT: &str = r#"read -r _; "$1/pg_ctl" --pgdata "$2/data" --mode=immediate --wait stop; cd /; rm -rf "$2""#;
    let mut guard = command(Path::new("sh"), folder, owner);
    guard
        .args(["-c", SCRIPT, "guard"])
        .arg(programs)
        .arg(folder);
    guard
        .stdin(Stdio::piped())
        .stdout(Stdio::null())
        .stderr(Stdio::null());
    // Out of reach of an interrupt from the terminal, which must not end it before its work.
    guard.process_group(0).spawn().expect("sh starts")
}

fn command(program: &Path, folder: &Path, owner: Option<(Uid, Gid)>) -> Command {
    let mut command = Command::new(program);
    command
        .current_dir(folder)
        .env_remove("PGDATA")
        .env_remove("PGOPTIONS");
    if let Some((uid, gid)) = owner {
        command.uid(uid.as_raw()).gid(gid.as_raw());
    }
    command
}
