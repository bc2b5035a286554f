//! A made-up export that is small enough to be reckoned by heart: columns in another order, bad
//! rows, an unknown state, duplicates, a reopening, changes of priority.

use std::path::Path;
use std::process::{Command, Output};

use entente::cli::import::{Options, import_servicenow};
use entente::proto::v1::{self, ChargedPartyKind, ClockState, TargetType, TicketState};
use serde_json::{Value, json};

use crate::check_second_run;
use crate::house::House;

const EXPORT: &str = "\
sys_updated_at,number,priority,note,incident_state,sys_mod_count,opened_at
04-01-2016 08:05,INC1,3 - Moderate,,New,0,04-01-2016 08:00
04-01-2016 09:00,INC1,3 - Moderate,first response,Active,1,04-01-2016 08:00
04-01-2016 09:00,INC1,3 - Moderate,the same again,Active,1,04-01-2016 08:00
04-01-2016 09:00,INC1,4 - Low,other content under the same id,Active,1,04-01-2016 08:00
08-01-2016 10:00,INC1,3 - Moderate,four days are the client's; out of order in the file,Active,3,04-01-2016 08:00
04-01-2016 10:00,INC1,3 - Moderate,2 h consumed,Awaiting User Info,2,04-01-2016 08:00
10-01-2016 10:00,INC1,3 - Moderate,50 h consumed,Resolved,4,04-01-2016 08:00
12-01-2016 10:00,INC1,3 - Moderate,reopened,Active,5,04-01-2016 08:00
13-01-2016 09:00,INC1,3 - Moderate,73 h consumed of 72 h,Closed,6,04-01-2016 08:00
04-01-2016 08:00,INC2,4 - Low,,New,0,04-01-2016 08:00
04-01-2016 14:00,INC2,1 - Critical,6 h consumed of what is 15 min and 4 h now,New,1,04-01-2016 08:00
04-01-2016 14:30,INC2,1 - Critical,,Resolved,2,04-01-2016 08:00
04-01-2016 15:00,INC2,4 - Low,too late to count,Resolved,3,04-01-2016 08:00
04-01-2016 07:59,INC3,2 - High,before its opening,New,0,04-01-2016 08:00
04-01-2016 09:00,INC3,2 - High,at the deadline exactly,Resolved,1,04-01-2016 08:00
21-11-2026 23:01,INC4,3 - Moderate,,New,0,21-11-2026 23:00
21-11-2026 23:30,INC4,3 - Moderate,nobody knows this state,Frozen,1,21-11-2026 23:00
01-02-2016 00:00,INC6,4 - Low,,New,0,01-02-2016 00:00
01-02-2016 00:10,INC6,4 - Low,keeps running,Awaiting Problem,1,01-02-2016 00:00
05-02-2016 00:00,INC6,4 - Low,4 d consumed,Awaiting Vendor,2,01-02-2016 00:00
01-03-2016 00:00,INC6,?,the priority stays,Active,3,?
02-03-2016 00:00,INC6,4 - Low,5 d consumed of 5 d,Resolved,4,01-02-2016 00:00
2016-02-01,INC7,4 - Low,no time,New,0,01-02-2016 00:00
01-02-2016 00:00,INC7,9 - Whatever,no priority,New,1,01-02-2016 00:00
01-02-2016 00:00,INC7,4 - Low,no count,New,some,01-02-2016 00:00
01-02-2016 00:00,?,4 - Low,no number,New,2,01-02-2016 00:00
01-02-2016 00:00,INC7,4 - Low
22-11-2026 01:00,INC7,4 - Low,an hour from now,New,3,01-02-2016 00:00
31-12-1999 23:59,INC7,4 - Low,before the year 2000,New,4,?
";

/// The lines of the rows that cannot be taken, as they are found: what the file itself shows comes
/// before what the server refuses, and the server sees rows in the order of their time.
const REJECTED: [(u64, &str); 8] = [
    (24, "sys_updated_at \"2016-02-01\" is not a time"),
    (25, "priority \"9 - Whatever\" is not a priority"),
    (26, "sys_mod_count \"some\" is not a count"),
    (27, "number is missing"),
    (28, "has 3 columns instead of 7"),
    (30, "INVALID_FIELD"),
    (5, "EVENT_ID_REUSED"),
    (29, "EVENT_FROM_THE_FUTURE"),
];

fn expected() -> Value {
    json!({
        "incidents": 5,
        "events_applied": 19,
        "events_already_applied": 1,
        "events_parked": 1,
        "rows_rejected": 8,
        "targets": {
            "first_response": {
                "1": {"met": 0, "breached": 1, "running": 0},
                "2": {"met": 1, "breached": 0, "running": 0},
                "3": {"met": 1, "breached": 0, "running": 1},
                "4": {"met": 1, "breached": 0, "running": 0},
            },
            "resolution": {
                "1": {"met": 0, "breached": 1, "running": 0},
                "2": {"met": 1, "breached": 0, "running": 0},
                "3": {"met": 0, "breached": 1, "running": 1},
                "4": {"met": 1, "breached": 0, "running": 0},
            },
        },
    })
}

#[tokio::test(flavor = "multi_thread")]
async fn a_made_up_export_is_judged_as_it_was_made() {
    let (sqlite, postgres) = tokio::join!(House::on_sqlite(), House::on_postgres());
    let mut heads = Vec::new();
    for house in [sqlite, postgres] {
        let (summary, rejected) = house.import(EXPORT.as_bytes()).await;
        assert_eq!(rejected.len(), REJECTED.len(), "{rejected:#?}");
        for (row, (line, reason)) in rejected.iter().zip(REJECTED) {
            assert_eq!(row.line, line, "{row}");
            assert!(row.reason.contains(reason), "{row}: not {reason}");
        }
        assert_eq!(serde_json::to_value(&summary).expect("JSON"), expected());
        let unmapped: Vec<_> = summary
            .unmapped
            .iter()
            .map(|one| (one.status.as_str(), one.parked))
            .collect();
        assert_eq!(unmapped, [("Frozen", 1)]);
        let before = house.heads().await;
        check_second_run(
            &house,
            &summary,
            house.import(EXPORT.as_bytes()).await.0,
            &before,
        )
        .await;
        check_charges(&house, &summary.partnership).await;
        heads.push(house.heads().await);
        house.stop().await;
    }
    assert_eq!(heads[0], heads[1]);
}

/// Whoever was waited for is charged with the wait.
async fn check_charges(house: &House, partnership: &str) {
    let waits = [
        ("INC1", ChargedPartyKind::Client, 4),
        ("INC6", ChargedPartyKind::OutsideParty, 25),
    ];
    for (number, kind, days) in waits {
        let request = v1::LookupTicketRequest {
            parent: partnership.to_owned(),
            reference: Some(v1::ExternalReference {
                system: "servicenow".to_owned(),
                r#type: "incident".to_owned(),
                id: number.to_owned(),
                ..Default::default()
            }),
        };
        let mut sla = house.connection().sla();
        let ticket = sla
            .lookup_ticket(request)
            .await
            .expect("the ticket is known")
            .into_inner();
        let request = v1::ExplainClockRequest {
            name: ticket.name,
            r#type: TargetType::Resolution.into(),
            ..Default::default()
        };
        let explained = sla
            .explain_clock(request)
            .await
            .expect("an explanation")
            .into_inner();
        let paused: Vec<_> = explained
            .intervals
            .iter()
            .filter(|one| one.state() == ClockState::Paused)
            .collect();
        let [pause] = paused[..] else {
            panic!("{number}: one pause, not {paused:#?}")
        };
        let charged = pause.charged_to.as_ref().expect("somebody is charged");
        assert_eq!(charged.kind(), kind, "{number}");
        let seconds =
            |at: &Option<prost_types::Timestamp>| at.as_ref().expect("an instant").seconds;
        assert_eq!(
            seconds(&pause.end_time) - seconds(&pause.start_time),
            days * 86_400,
            "{number}"
        );
    }
}

/// Says that the unknown state means work; returns the changed map.
async fn map_the_unknown(house: &House, partnership: &str) -> v1::StatusMap {
    let mut sla = house.connection().sla();
    let mut map = status_map(house, partnership).await;
    map.entries.push(v1::StatusMapEntry {
        status: "Frozen".to_owned(),
        state: TicketState::InProgress.into(),
    });
    let update = v1::UpdateStatusMapRequest {
        status_map: Some(map),
        ..Default::default()
    };
    sla.update_status_map(update)
        .await
        .expect("the map is changed")
        .into_inner()
}

async fn status_map(house: &House, partnership: &str) -> v1::StatusMap {
    let request = v1::GetStatusMapRequest {
        name: format!("{partnership}/statusMaps/servicenow"),
    };
    house
        .connection()
        .sla()
        .get_status_map(request)
        .await
        .expect("the map")
        .into_inner()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_status_map_that_somebody_changed_stays_as_it_is() {
    let house = House::on_sqlite().await;
    let (first, _) = house.import(EXPORT.as_bytes()).await;
    let changed = map_the_unknown(&house, &first.partnership).await;
    let (second, _) = house.import(EXPORT.as_bytes()).await;
    assert_eq!(second.unmapped, []);
    assert_eq!(status_map(&house, &first.partnership).await, changed);
    house.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_state_that_is_explained_later_is_applied_later() {
    let (sqlite, postgres) = tokio::join!(House::on_sqlite(), House::on_postgres());
    for house in [sqlite, postgres] {
        let (first, _) = house.import(EXPORT.as_bytes()).await;
        map_the_unknown(&house, &first.partnership).await;
        house.sweep().await;
        let (second, _) = house.import(EXPORT.as_bytes()).await;
        let response = second.targets.first_response["3"];
        let counts = (response.met, response.breached, response.running);
        assert_eq!(
            counts,
            (2, 0, 0),
            "{}: the parked event ends INC4's clock",
            house.engine()
        );
        house.stop().await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn two_instances_are_two_partnerships() {
    let house = House::on_sqlite().await;
    let (summary, _) = house.import(EXPORT.as_bytes()).await;
    let options = Options {
        instance: "second".to_owned(),
    };
    let silent = entente::cli::import::report::Terminal::new(entente::cli::Output::Json);
    let other = import_servicenow(house.connection(), EXPORT.as_bytes(), &options, &silent).await;
    let other = other.expect("the import goes through");
    assert_ne!(summary.partnership, other.partnership);
    assert_eq!(
        (summary.events_applied, &summary.targets),
        (other.events_applied, &other.targets)
    );
    house.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_file_that_is_no_export_changes_nothing() {
    let house = House::on_sqlite().await;
    let before = house.heads().await;
    let silent = entente::cli::import::report::Terminal::new(entente::cli::Output::Json);
    for text in ["", "a,b\n1,2\n", &EXPORT.replace("incident_state", "state")] {
        let refused = import_servicenow(
            house.connection(),
            text.as_bytes(),
            &Options::default(),
            &silent,
        )
        .await;
        let error = refused.expect_err("it is no export").to_string();
        assert!(error.contains("incident_state"), "{error}");
    }
    assert_eq!(house.heads().await, before);
    house.stop().await;
}

/// Runs the program itself.
async fn entente(server: &str, api_key: &str, file: &Path, output: &str) -> Output {
    let mut command = Command::new(env!("CARGO_BIN_EXE_entente"));
    command
        .args([
            "import",
            "servicenow",
            "--server",
            server,
            "--output",
            output,
        ])
        .arg(file);
    command
        .env("ENTENTE_API_KEY", api_key)
        .env_remove("RUST_LOG");
    let ran = tokio::task::spawn_blocking(move || command.output())
        .await
        .expect("no panic");
    ran.expect("the program runs")
}

#[tokio::test(flavor = "multi_thread")]
async fn the_program_prints_one_object_or_a_table_and_says_what_was_left_out() {
    let house = House::on_sqlite().await;
    let folder = tempfile::tempdir().expect("a temporary folder");
    let file = folder.path().join("export.csv");
    std::fs::write(&file, EXPORT).expect("the export is written");
    let json = entente(&house.address(), &house.api_key, &file, "json").await;
    let errors = String::from_utf8(json.stderr).expect("text");
    assert!(
        json.status.success(),
        "rejected rows are no failure: {errors}"
    );
    let printed: Value = serde_json::from_slice(&json.stdout).expect("one JSON object and no more");
    assert_eq!(printed, expected());
    for (line, reason) in REJECTED {
        let told = errors
            .lines()
            .any(|told| told.starts_with(&format!("line {line}: ")) && told.contains(reason));
        assert!(told, "line {line} in\n{errors}");
    }
    assert!(errors.contains("Frozen"), "{errors}");
    let text = entente(&house.address(), &house.api_key, &file, "text").await;
    let shown = String::from_utf8(text.stdout).expect("text");
    assert!(text.status.success());
    for part in [
        "5 incidents",
        "0 events applied",
        "8 rows rejected",
        "Frozen",
        "First response",
        "100.0 %",
    ] {
        assert!(shown.contains(part), "{part} in\n{shown}");
    }
    house.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_stops_an_import_is_said_in_one_line() {
    let house = House::on_sqlite().await;
    let folder = tempfile::tempdir().expect("a temporary folder");
    let file = folder.path().join("export.csv");
    std::fs::write(&file, EXPORT).expect("the export is written");
    let missing = folder.path().join("missing.csv");
    for (file, key, server, expected) in [
        (
            &missing,
            house.api_key.as_str(),
            house.address(),
            "cannot open",
        ),
        (
            &file,
            "entente_not_a_key",
            house.address(),
            "UNAUTHENTICATED",
        ),
        (
            &file,
            house.api_key.as_str(),
            "127.0.0.1:1".to_owned(),
            "no server answers at http://127.0.0.1:1",
        ),
    ] {
        let failed = entente(&server, key, file, "json").await;
        let errors = String::from_utf8(failed.stderr).expect("text");
        assert_eq!(
            (failed.status.code(), failed.stdout.as_slice()),
            (Some(1), &[][..]),
            "{errors}"
        );
        let told: Vec<_> = errors
            .lines()
            .filter(|line| !line.starts_with("line "))
            .collect();
        let [told] = told[..] else {
            panic!("one line, beside the rows: {errors}")
        };
        assert!(
            told.starts_with("error: ") && told.contains(expected),
            "{errors}"
        );
        assert!(!errors.contains(key), "a key is never printed: {errors}");
    }
    house.stop().await;
}
