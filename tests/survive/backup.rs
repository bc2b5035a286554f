//! Copies of a database in a file, under load, and databases made of them.

use std::io::{Seek as _, SeekFrom, Write as _};
use std::path::Path;
use std::process::Stdio;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};

use entente::ledger::queue::Urgency;
use entente::ledger::{Clock, Ledger, Receipt, Settings};
use entente::server::environment::SystemClock;
use entente::store;

use super::watching::{epochs_are_seen, up_to, watch};
use crate::support::desk::{Desk, connected};
use crate::support::program::{self, Server, done, fails};
use crate::support::workload::Planner;

/// Clients at work while copies are made.
const CLIENTS: u64 = 6;
/// Copies made one after the other.
const COPIES: usize = 3;

fn url(file: &Path) -> String {
    store::url_of(file)
}

/// A database with a desk and a few clients.
async fn small(folder: &Path) -> String {
    let url = url(&folder.join("small.db"));
    store::migrate(&url).await.unwrap();
    program::key(&url, "acme").await;
    url
}

/// What was acknowledged so far.
type Acknowledged = Arc<Mutex<Vec<Receipt>>>;

async fn act(ledger: Ledger, mut planner: Planner, over: Arc<AtomicBool>, seen: Acknowledged) {
    while !over.load(Ordering::SeqCst) {
        let store = Arc::clone(ledger.store());
        let recipe = planner.next(store.as_ref(), ledger.clock().now()).await;
        let answer = ledger
            .submit(recipe.command(), None, Urgency::Interactive)
            .await;
        if let Ok(receipt) = answer {
            seen.lock().unwrap().push(receipt);
        }
    }
}

/// A ledger with firms and partnerships, as the workload wants them.
pub async fn furnished(url: &str, clock: Arc<dyn Clock>) -> (Ledger, tokio::task::JoinHandle<()>) {
    store::migrate(url).await.unwrap();
    let database = store::open(url).await.unwrap();
    let (ledger, writer) = Ledger::start(database, clock, Settings::default());
    let mut planner = Planner::new(1, 0);
    for recipe in planner.registrations(ledger.clock().now()) {
        let done = ledger.submit(recipe.command(), None, Urgency::Interactive);
        done.await.unwrap();
    }
    let store = Arc::clone(ledger.store());
    let mut number = 0;
    while let Some(recipe) = planner
        .opening(number, store.as_ref(), ledger.clock().now())
        .await
    {
        let _ = ledger
            .submit(recipe.command(), None, Urgency::Interactive)
            .await;
        number += 1;
    }
    (ledger, writer)
}

/// Every copy has all that was acknowledged before it was asked for, and verifies; a database is made of
/// each; nobody who writes waits for it.
#[tokio::test(flavor = "multi_thread")]
async fn copies_under_load_have_all_that_was_acknowledged() {
    let folder = tempfile::tempdir().unwrap();
    let live = url(&folder.path().join("a live one.db"));
    let (ledger, writer) = furnished(&live, Arc::new(SystemClock)).await;
    let (over, seen) = (Arc::new(AtomicBool::new(false)), Acknowledged::default());
    let clients: Vec<_> = (1..=CLIENTS)
        .map(|client| {
            let planner = Planner::new(client, client * 10_000);
            let (over, seen) = (Arc::clone(&over), Arc::clone(&seen));
            tokio::spawn(act(ledger.clone(), planner, over, seen))
        })
        .collect();
    let mut copies = Vec::new();
    for number in 0..COPIES {
        tokio::time::sleep(std::time::Duration::from_millis(300)).await;
        let before = seen.lock().unwrap().clone();
        let file = folder.path().join(format!("copy-{number}.db"));
        done(&["backup", "--database-url", &live, file.to_str().unwrap()]).await;
        let after = seen.lock().unwrap().len();
        assert!(after > before.len(), "nobody could write meanwhile");
        copies.push((file, before));
    }
    over.store(true, Ordering::SeqCst);
    for client in clients {
        client.await.unwrap();
    }
    ledger.close();
    writer.await.unwrap();
    ledger.store().close().await;
    for (file, before) in copies {
        let restored = url(&file.with_extension("restored"));
        let file = file.to_str().unwrap();
        done(&["restore", "--database-url", &restored, file]).await;
        done(&["verify", "--database-url", &restored]).await;
        let database = store::open(&restored).await.unwrap();
        for receipt in &before {
            let found = database.entries(&receipt.scope, receipt.sequence - 1, 1);
            let found = found.await.unwrap();
            assert_eq!(found[0].hash, receipt.hash, "{receipt:?}");
        }
        database.close().await;
        println!("{} acknowledged before the copy, all there", before.len());
    }
}

/// A database that went back in time says so to whoever watches it.
#[tokio::test]
async fn watchers_of_a_restored_database() {
    let folder = tempfile::tempdir().unwrap();
    let live = url(&folder.path().join("live.db"));
    let copy = folder.path().join("copy.db");
    let copy = copy.to_str().unwrap();
    let server = Server::start(&live).await;
    let desk = Desk::open(&live, server.address).await;
    desk.clients(&["first", "second"]).await;
    let mut stream = watch(&desk.north, &desk.name, "").await.unwrap();
    let kept = desk.head_sequence().await;
    let before = up_to(&mut stream, kept).await;
    done(&["backup", "--database-url", &live, copy]).await;
    desk.clients(&["third", "fourth"]).await;
    let beyond = up_to(&mut stream, kept + 2).await;
    drop(stream);
    let key = program::key(&live, "north").await;
    server.stop().await;

    let restored = url(&folder.path().join("restored.db"));
    done(&["restore", "--database-url", &restored, copy]).await;
    let server = Server::start(&restored).await;
    // A key that was made after the copy is not known any more.
    let name = desk.name.clone();
    let late = connected(server.address, &key, "late").await;
    assert_eq!(
        watch(&late, &name, "").await.err().unwrap().code(),
        tonic::Code::Unauthenticated
    );
    let key = program::key(&restored, "north").await;
    let north = connected(server.address, &key, "again").await;
    let Some((last, earlier)) = before.split_last() else {
        panic!("nothing was seen");
    };
    for seen in [last, &earlier[0]] {
        epochs_are_seen(&north, &name, seen, &beyond[1]).await;
    }
    server.stop().await;
    // Restored once more, from a copy of what was restored: the epochs are counted.
    let second = folder.path().join("second.db");
    let again = url(&folder.path().join("again.db"));
    let second = second.to_str().unwrap();
    done(&["backup", "--database-url", &restored, second]).await;
    done(&["restore", "--database-url", &again, second]).await;
    let said = done(&["verify", "--database-url", &again]).await;
    assert!(said.contains("clean"), "{said}");
}

/// Telling twice that a database was put back tells it once.
#[tokio::test]
async fn an_epoch_begins_once() {
    let folder = tempfile::tempdir().unwrap();
    let live = small(folder.path()).await;
    let in_place = ["restore", "--in-place", "--database-url", &live];
    done(&in_place).await;
    let heads = || async {
        let database = store::open(&live).await.unwrap();
        let heads = database.list_heads("", 100).await.unwrap();
        database.close().await;
        heads
    };
    let told = heads().await;
    done(&in_place).await;
    assert_eq!(heads().await, told);
    let said = done(&["verify", "--database-url", &live]).await;
    assert!(said.contains("clean"), "{said}");
}

/// Nothing is written over, and a refusal leaves nothing behind.
#[tokio::test]
async fn nothing_is_written_over() {
    let folder = tempfile::tempdir().unwrap();
    let live = small(folder.path()).await;
    let path = |name: &str| folder.path().join(name).to_str().unwrap().to_owned();
    std::fs::write(path("taken.db"), "somebody's").unwrap();
    std::fs::write(path("half.db-wal"), "somebody's").unwrap();
    done(&["backup", "--database-url", &live, &path("copy.db")]).await;
    for taken in ["taken.db", "half.db", "copy.db", "small.db"] {
        let backup = ["backup", "--database-url", &live, &path(taken)];
        assert!(fails(&backup, 1).await.contains("exists"), "{taken}");
        let target = url(&folder.path().join(taken));
        let restore = ["restore", "--database-url", &target, &path("copy.db")];
        assert!(fails(&restore, 1).await.contains("exists"), "{taken}");
    }
    assert_eq!(std::fs::read(path("taken.db")).unwrap(), b"somebody's");
    let no_folder = ["backup", "--database-url", &live, &path("nowhere/copy.db")];
    fails(&no_folder, 1).await;
    let nothing = url(&folder.path().join("nothing.db"));
    fails(&["backup", "--database-url", &nothing, &path("b.db")], 1).await;
    assert!(!folder.path().join("nothing.db").exists());
    let postgres = ["--database-url", "postgres://me@nowhere/entente"];
    let backup = ["backup", postgres[0], postgres[1], &path("b.db")];
    assert!(fails(&backup, 1).await.contains("pg_basebackup"));
    fails(&["restore", postgres[0], postgres[1], &path("copy.db")], 1).await;
    no_leftovers(folder.path());
}

fn no_leftovers(folder: &Path) {
    for entry in std::fs::read_dir(folder).unwrap() {
        let name = entry.unwrap().file_name();
        let name = name.to_string_lossy();
        assert!(!name.starts_with(".entente-"), "{name} was left behind");
    }
}

/// What is no backup, a damaged one, one that somebody changed, or one of a newer program: no database
/// is made of it.
#[tokio::test]
async fn a_bad_backup_makes_no_database() {
    let folder = tempfile::tempdir().unwrap();
    let live = small(folder.path()).await;
    let good = folder.path().join("good.db");
    done(&["backup", "--database-url", &live, good.to_str().unwrap()]).await;
    let size = std::fs::metadata(&good).unwrap().len();
    let bad = |name: &str, spoil: fn(&Path, u64)| {
        let file = folder.path().join(name);
        std::fs::copy(&good, &file).unwrap();
        spoil(&file, size);
        file
    };
    let files = [
        bad("text.db", |file, _| {
            std::fs::write(file, "no database").unwrap();
        }),
        bad("empty.db", |file, _| std::fs::write(file, "").unwrap()),
        bad("short.db", |file, size| {
            let file = std::fs::OpenOptions::new().write(true).open(file);
            file.unwrap().set_len(size / 2 / 4096 * 4096).unwrap();
        }),
        bad("holes.db", |file, size| {
            let mut file = std::fs::OpenOptions::new().write(true).open(file).unwrap();
            for page in 2..size / 4096 {
                file.seek(SeekFrom::Start(page * 4096 + 100)).unwrap();
                file.write_all(&[0xee; 600]).unwrap();
            }
        }),
    ];
    for file in files {
        no_database_of(&file, 1).await;
    }
    let altered = bad("altered.db", |_, _| {});
    statement(
        &altered,
        "UPDATE record SET body = replace(body, 'acme', 'acne')",
    )
    .await;
    no_database_of(&altered, 2).await;
    let newer = bad("newer.db", |_, _| {});
    let later = "INSERT INTO _sqlx_migrations VALUES (9999, 'later', '2026-01-01', 1, x'00', 0)";
    statement(&newer, later).await;
    assert!(no_database_of(&newer, 1).await.contains("newer"));
    no_leftovers(folder.path());
}

async fn statement(file: &Path, text: &'static str) {
    use sqlx::Connection as _;
    let mut connection = sqlx::SqliteConnection::connect(&url(file)).await.unwrap();
    let done = sqlx::query(text).execute(&mut connection).await.unwrap();
    assert!(done.rows_affected() > 0, "{text}");
    connection.close().await.unwrap();
}

async fn no_database_of(file: &Path, code: i32) -> String {
    let target = file.with_extension("restored");
    let (backup, url) = (file.to_str().unwrap(), url(&target));
    let said = fails(&["restore", "--database-url", &url, backup], code).await;
    assert!(!target.exists(), "{}: {said}", file.display());
    assert!(!said.is_empty() && !said.contains("panicked"), "{said}");
    said
}

/// A disk that is full: said so, and nothing left behind. The limit on the size of files stands in for
/// the disk.
#[tokio::test]
async fn a_full_disk_leaves_nothing_behind() {
    let folder = tempfile::tempdir().unwrap();
    let live = small(folder.path()).await;
    let file = folder.path().join("copy.db");
    let mut command = tokio::process::Command::new("sh");
    // Ignored, the signal becomes an error of the write.
    let script = r#"trap '' XFSZ; ulimit -f 40; exec "$0" "$@""#;
    command.args(["-c", script]).arg(program::entente());
    command.args(["backup", "--database-url", &live]).arg(&file);
    let output = command.stderr(Stdio::piped()).output().await.unwrap();
    let said = String::from_utf8(output.stderr).unwrap();
    assert_eq!(output.status.code(), Some(1), "{said}");
    assert!(said.starts_with("error: "), "{said}");
    assert!(!file.exists());
    no_leftovers(folder.path());
}
