//! A `PostgreSQL` database put back to a point in time, from a base backup and archived logs.

use std::time::Duration;

use super::watching::{epochs_are_seen, up_to, watch};
use crate::support::desk::{Desk, connected};
use crate::support::postgres::Cluster;
use crate::support::program::{self, PATIENCE, Server, done};

/// Waits until a statement says `true`.
async fn wait_for(cluster: &Cluster, statement: &str) {
    let waiting = async {
        while cluster.query("postgres", statement).await != "true" {
            tokio::time::sleep(Duration::from_millis(100)).await;
        }
    };
    let waited = tokio::time::timeout(PATIENCE, waiting).await;
    waited.unwrap_or_else(|_| panic!("never true: {statement}"));
}

/// A base backup, then work, a point in time, and work that is lost: the journal is put back to the
/// point, verifies, says so, and watchers go on.
#[tokio::test]
async fn recovery_to_a_point_in_time() {
    let cluster = Cluster::start();
    let archive = tempfile::Builder::new()
        .prefix("archive")
        .tempdir_in(cluster.socket().0);
    let archive = archive.unwrap();
    let folder = archive.path().display().to_string();
    let mode = std::os::unix::fs::PermissionsExt::from_mode(0o777);
    std::fs::set_permissions(archive.path(), mode).unwrap();
    cluster.configure(&[
        "archive_mode = on".to_owned(),
        format!("archive_command = 'cp %p {folder}/%f'"),
    ]);
    cluster.stop_immediate();
    cluster.start_again();
    let url = cluster.create_database().await;
    let database = url.rsplit('/').next().unwrap().to_owned();

    let server = Server::start(&url).await;
    let desk = Desk::open(&url, server.address).await;
    let key = program::key(&url, "north").await;
    let copy = Cluster::copy_of(&cluster);
    // After the base backup and before the point: only the archived log has these.
    desk.clients(&["first", "second"]).await;
    let mut stream = watch(&desk.north, &desk.name, "").await.unwrap();
    let kept = desk.head_sequence().await;
    let before = up_to(&mut stream, kept).await;
    let point = "SELECT pg_create_restore_point('the_point')::text";
    cluster.query("postgres", point).await;
    desk.clients(&["third", "fourth"]).await;
    let beyond = up_to(&mut stream, kept + 2).await;
    drop(stream);
    server.stop().await;
    let last = "SELECT pg_walfile_name(pg_switch_wal())";
    let last = cluster.query("postgres", last).await;
    let archived = format!("SELECT (last_archived_wal >= '{last}')::text FROM pg_stat_archiver");
    wait_for(&cluster, &archived).await;
    cluster.stop_immediate();

    copy.configure(&[
        "archive_mode = off".to_owned(),
        format!("restore_command = 'cp {folder}/%f %p'"),
        "recovery_target_name = 'the_point'".to_owned(),
        "recovery_target_action = promote".to_owned(),
    ]);
    copy.signal("recovery.signal");
    copy.start_again();
    wait_for(&copy, "SELECT (NOT pg_is_in_recovery())::text").await;
    let url = copy.database_url(&database);
    let said = done(&["restore", "--in-place", "--database-url", &url]).await;
    assert!(said.contains("a new epoch begins"), "{said}");
    let said = done(&["verify", "--database-url", &url]).await;
    assert!(said.contains("clean"), "{said}");
    println!("{said}");

    let server = Server::start(&url).await;
    let north = connected(server.address, &key, "again").await;
    let last = before.last().unwrap();
    assert_eq!(last.entry.sequence, kept);
    for seen in [last, &before[0]] {
        epochs_are_seen(&north, &desk.name, seen, &beyond[1]).await;
    }
    // Work goes on.
    let request = desk.client_request("fifth");
    north.partnerships().create_client(request).await.unwrap();
    server.stop().await;
}
