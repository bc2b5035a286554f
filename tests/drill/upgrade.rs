//! A rolling upgrade between two builds, the newer of which knows one format more: nobody who works
//! notices, nothing is written in the new format before it is activated, and whoever is too old for it
//! says so and stops.

use std::path::PathBuf;
use std::process::Command;
use std::sync::Arc;
use std::time::Duration;

use entente::proto::v1;
use sqlx::Connection as _;

use super::checks::compare;
use super::failures::work_goes_on;
use super::house::{House, REPLICAS};
use super::load::Load;
use super::patience::answered;
use crate::support::desk::{Desk, connected};
use crate::support::program::{self, done, fails, run, started};

/// The newer build, made if it is not there: the same program with one feature more, so that only this
/// crate is compiled once more, and under another name, so that nothing else changes.
fn newer_build() -> PathBuf {
    let cargo = std::env::var("CARGO").unwrap_or_else(|_| "cargo".to_owned());
    let mut build = Command::new(cargo);
    build.current_dir(env!("CARGO_MANIFEST_DIR"));
    build.args(["build", "--locked", "--features", "next-format"]);
    let ended = build.args(["--bin", "entente-next"]).status().unwrap();
    assert!(ended.success(), "the newer build");
    program::entente().with_file_name("entente-next")
}

/// Versions in which clients are stored, and how many in each.
async fn versions(url: &str) -> Vec<(i64, i64)> {
    let mut connection = sqlx::PgConnection::connect(url).await.unwrap();
    let query =
        "SELECT body_version, count(*) FROM record WHERE kind = 'client' GROUP BY 1 ORDER BY 1";
    let found = sqlx::query_as(query)
        .fetch_all(&mut connection)
        .await
        .unwrap();
    connection.close().await.unwrap();
    found
}

/// What a replica says of formats: active and newest.
async fn formats(house: &House, index: usize, key: &str) -> (i32, i32) {
    let firm = connected(house.replica(index), key, "asks").await;
    let request = v1::GetServiceInfoRequest {};
    let info = firm.partnerships().get_service_info(request).await.unwrap();
    let info = info.into_inner();
    (info.active_format, info.newest_format)
}

#[tokio::test(flavor = "multi_thread")]
async fn nobody_notices_an_upgrade() {
    let newer = newer_build();
    let newer_text = newer.to_str().unwrap();
    let mut house = House::open(0).await;
    let url = house.url.clone();
    let desk = Arc::new(Desk::open(&url, house.address).await);
    let key = program::key(&url, "north").await;
    let load = Load::begin(&desk, house.address, &key).await;
    work_goes_on(&load, "three old replicas").await;
    for index in 0..REPLICAS - 1 {
        house.stop(index).await;
        house.start(index, &newer).await;
        work_goes_on(&load, &format!("replica {index} is new")).await;
        assert_eq!(formats(&house, index, &key).await, (1, 2));
    }
    assert_eq!(formats(&house, REPLICAS - 1, &key).await, (1, 1));
    assert_eq!(versions(&url).await.len(), 1, "written as before");
    let activate = ["activate", "--database-url", &url];
    assert!(
        done(&activate)
            .await
            .contains("format 1 was active already")
    );
    let unknown = [&activate[..], &["--format", "2"]].concat();
    assert!(fails(&unknown, 1).await.contains("format 1 to format 1"));

    // Somebody is too fast: an old replica is still at work.
    let activated = run(&newer, &activate).await;
    let said = String::from_utf8(activated.stdout).unwrap();
    assert_eq!(
        said.trim(),
        "format 2 is active; it was format 1",
        "{newer_text}"
    );
    assert!(
        !house.wait(REPLICAS - 1).await,
        "it stops, and not as if all were well"
    );
    work_goes_on(&load, "the old replica has stopped").await;
    let (_, line) = started(&program::entente(), &url, house.address).await;
    assert!(line.contains("use a newer one"), "{line}");
    for too_old in [
        &["verify"][..],
        &["doctor"],
        &["restore", "--in-place"],
        &["activate"],
    ] {
        let too_old = [too_old, &["--database-url", &url]].concat();
        let ended = run(&program::entente(), &too_old).await;
        assert!(!ended.status.success(), "{too_old:?}");
    }
    house.start(REPLICAS - 1, &newer).await;
    work_goes_on(&load, "three new replicas").await;
    tokio::time::sleep(Duration::from_secs(3)).await;
    for index in 0..REPLICAS {
        assert_eq!(formats(&house, index, &key).await, (2, 2));
    }
    let versions = versions(&url).await;
    let [(1, before), (2, after)] = versions[..] else {
        panic!("{versions:?}");
    };
    assert!(before > 0 && after > 0);
    println!("clients in format 1: {before}, in format 2: {after}");
    both_are_read(&desk, before + after).await;
    let back = [&activate[..], &["--format", "1"]].concat();
    let refused = run(&newer, &back).await;
    assert!(String::from_utf8_lossy(&refused.stderr).contains("no way back"));
    let figures = compare(load, &url, &desk.name).await;
    println!("{figures:?}");
    let verified = run(&newer, &["verify", "--database-url", &url]).await;
    let said = String::from_utf8_lossy(&verified.stdout).into_owned();
    assert!(verified.status.success(), "{said}");
    house.close().await;
}

/// What is stored in either version is read by the new build.
async fn both_are_read(desk: &Desk, at_least: i64) {
    let mut request = v1::ListClientsRequest {
        parent: desk.name.clone(),
        page_size: 500,
        ..Default::default()
    };
    let mut found = 0;
    loop {
        let page = answered(|| {
            let (firm, request) = (desk.north.clone(), request.clone());
            async move { firm.partnerships().list_clients(request).await }
        });
        let page = page.await.unwrap().into_inner();
        assert!(
            page.clients
                .iter()
                .all(|client| client.display_name.starts_with("client-"))
        );
        found += page.clients.len();
        if page.next_page_token.is_empty() {
            break;
        }
        request.page_token = page.next_page_token;
    }
    assert!(i64::try_from(found).unwrap() >= at_least, "{found}");
}
