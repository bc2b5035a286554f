//! A format that this program does not know: it does not start, and if it runs, it stops. What two
//! builds do with one another is tried in a drill.

use entente::domain::identity::FirmId;
use entente::domain::journal::{Entry, GENESIS, Head};
use entente::domain::record::{Kind, RecordKey};
use entente::domain::time::Timestamp;
use entente::proto::v1;
use entente::store::{self, RecordRow, WriteSet};

use crate::support::desk::connected;
use crate::support::postgres;
use crate::support::program::{self, Server, done, entente, fails, run, started};

/// Activates a format of a program that does not exist yet, as that program would.
async fn activate_a_later_one(url: &str) {
    let database = store::open(url).await.unwrap();
    let scope = FirmId::operator().scope();
    let mut transaction = database.begin().await.unwrap();
    let heads = transaction
        .lock_heads(
            std::slice::from_ref(&scope),
            std::slice::from_ref(&scope),
            true,
        )
        .await
        .unwrap();
    let mut head: Head = heads[0].clone();
    let at = Timestamp::from_micros(head.recorded_at.as_micros() + 1);
    let mut entry = Entry {
        scope: scope.clone(),
        sequence: head.sequence + 1,
        recorded_at: at,
        firm: "operator".to_owned(),
        actor: "command-line".to_owned(),
        origin: String::new(),
        kind: Kind::ActiveFormat.as_str().to_owned(),
        id: "format".to_owned(),
        event_type: "format.activated".to_owned(),
        event_version: 1,
        payload: br#"{"format":99}"#.to_vec(),
        previous_hash: head.hash,
        hash: GENESIS,
        previous_sequence: None,
    };
    entry.hash = entry.computed_hash();
    head.advance(&entry);
    let record = RecordRow {
        key: RecordKey::new(&scope, Kind::ActiveFormat, "format"),
        revision: 1,
        sequence: entry.sequence,
        state: String::new(),
        due_at: None,
        created_at: at,
        updated_at: at,
        body_version: 1,
        body: format!(r#"{{"format":99,"activated_at":{}}}"#, at.as_micros()),
    };
    let set = WriteSet {
        heads: vec![head],
        entries: vec![entry],
        records: vec![record],
        ..WriteSet::default()
    };
    transaction.write(&set).await.unwrap();
    transaction.commit().await.unwrap();
    database.close().await;
}

async fn too_old(url: &str) {
    let server = Server::start(url).await;
    let key = program::key(url, "acme").await;
    let firm = connected(server.address, &key, "acme").await;
    let request = v1::GetServiceInfoRequest {};
    let info = firm.partnerships().get_service_info(request).await;
    let info = info.unwrap().into_inner();
    assert_eq!((info.active_format, info.newest_format), (1, 1));
    let activate = ["activate", "--database-url", url];
    assert!(done(&activate).await.contains("was active already"));
    for unknown in ["0", "2", "4000000000"] {
        let said = fails(&[&activate[..], &["--format", unknown]].concat(), 1).await;
        assert!(said.contains("this program knows format 1"), "{said}");
    }
    activate_a_later_one(url).await;
    assert!(
        !server.wait().await,
        "it stops, and not as if all were well"
    );
    let (_process, line) = started(&entente(), url, ([127, 0, 0, 1], 0).into()).await;
    assert!(
        line.contains("format 99") && line.contains("use a newer one"),
        "{line}"
    );
    assert!(fails(&activate, 1).await.contains("format 99"));
    let output = run(&entente(), &["doctor", "--database-url", url]).await;
    let said = String::from_utf8(output.stdout).unwrap();
    assert!(said.contains("format 99 is active"), "{said}");
    assert_eq!(output.status.code(), Some(2));
    // What it can read, it still reads.
    assert!(
        done(&["verify", "--database-url", url])
            .await
            .contains("clean")
    );
}

#[tokio::test]
async fn a_replica_that_is_too_old_stops_on_sqlite() {
    let folder = tempfile::tempdir().unwrap();
    too_old(&store::url_of(&folder.path().join("later.db"))).await;
}

#[tokio::test]
async fn a_replica_that_is_too_old_stops_on_postgres() {
    too_old(&postgres::shared().create_database().await).await;
}
