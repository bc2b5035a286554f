//! `entente import servicenow`, through a real server on both engines.
//!
//! Under a fixed clock and seeded randomness the engines have to agree on everything, down to the
//! hash of the last journal entry; and a second reckoning of every clock ([`reckoning`]), which
//! knows nothing of the domain's code, has to agree with every verdict.
//!
//! The real incidents are not part of this repository: the folder with `incidents.csv` is named by
//! the environment variable `ENTENTE_DATA`, else it is looked for at `../shared/data` beside the
//! crate. Where it is not there, the test that needs it says so and passes.

#[path = "import/house.rs"]
mod house;
#[path = "import/made_up.rs"]
mod made_up;
#[path = "import/reckoning.rs"]
mod reckoning;
mod support;

use std::collections::BTreeMap;
use std::fs::File;
use std::path::{Path, PathBuf};

use entente::cli::import::{Counts, Summary, Targets};
use entente::domain::journal::Head;
use entente::proto::v1::{self, CheckupMeasure, TargetType, Verdict};
use house::{House, NOW_SECONDS};
use reckoning::{Judgement, Outcome, Target};

fn incidents() -> Option<PathBuf> {
    let named = std::env::var_os("ENTENTE_DATA").map(PathBuf::from);
    let beside = || Path::new(env!("CARGO_MANIFEST_DIR")).join("../shared/data");
    let file = named.clone().unwrap_or_else(beside).join("incidents.csv");
    assert!(
        named.is_none() || file.is_file(),
        "ENTENTE_DATA has no {}",
        file.display()
    );
    file.is_file().then_some(file)
}

/// What one engine made of the incidents.
struct Imported {
    json: String,
    heads: Vec<Head>,
}

#[tokio::test(flavor = "multi_thread")]
async fn real_incidents_give_the_same_on_both_engines_as_by_hand() {
    let Some(file) = incidents() else {
        eprintln!(
            "LEFT OUT: there is no ../shared/data/incidents.csv; ENTENTE_DATA names its folder"
        );
        return;
    };
    let judgements = reckoning::judge(&file, NOW_SECONDS);
    assert!(!judgements.is_empty(), "nothing to compare");
    let (sqlite, postgres) = tokio::join!(House::on_sqlite(), House::on_postgres());
    let (sqlite, postgres) = tokio::join!(
        import_real(sqlite, &file, &judgements),
        import_real(postgres, &file, &judgements)
    );
    assert_eq!(sqlite.json, postgres.json);
    assert_eq!(sqlite.heads, postgres.heads);
}

async fn import_real(house: House, file: &Path, judgements: &[Judgement]) -> Imported {
    let open = || File::open(file).expect("the incidents can be opened");
    let (first, rejected) = house.import(open()).await;
    assert_eq!(rejected, [], "every row of the export is good");
    assert_eq!((first.rows_rejected, first.events_parked), (0, 0));
    assert_eq!(
        first.targets,
        expected_targets(judgements),
        "{}",
        house.engine()
    );
    let tickets = house.tickets(&first.partnership).await;
    assert_eq!(
        first.incidents,
        u64::try_from(tickets.len()).expect("few tickets")
    );
    assert_eq!(clocks_of(&tickets), clocks_by_hand(judgements));
    check_checkup(&house, &first.partnership, judgements).await;
    let heads = house.heads().await;
    check_second_run(&house, &first, house.import(open()).await.0, &heads).await;
    house.stop().await;
    Imported {
        json: serde_json::to_string(&first).expect("a summary is JSON"),
        heads,
    }
}

/// The tickets alone give a check-up: how many targets were missed, as by hand, and how the work was.
async fn check_checkup(house: &House, partnership: &str, judgements: &[Judgement]) {
    let instant = |seconds| Some(prost_types::Timestamp { seconds, nanos: 0 });
    let request = v1::GetCheckupRequest {
        name: partnership.to_owned(),
        // From 2016 to the end of 2019.
        window: Some(v1::CheckupWindow {
            start_time: instant(1_451_606_400),
            end_time: instant(1_577_836_800),
        }),
        ..Default::default()
    };
    let report = house.connection().checkups().get_checkup(request).await;
    let report = report.expect("there is a check-up").into_inner();
    let figures = |measure| {
        let sides = report.rows.iter().flat_map(|row| &row.sides);
        let figures = sides.flat_map(|side| &side.figures);
        figures.filter(move |figure| figure.measure() == measure && figure.value.is_some())
    };
    let missed: Vec<_> = figures(CheckupMeasure::TargetsMissed).collect();
    assert_eq!(missed.len(), 1, "only one firm owes anything");
    let count = |outcome| {
        judgements
            .iter()
            .filter(|found| found.outcome == outcome)
            .count()
    };
    let expected = (
        count(Outcome::Breached),
        count(Outcome::Met) + count(Outcome::Breached),
    );
    let expected = (
        i64::try_from(expected.0).ok(),
        i64::try_from(expected.1).ok(),
    );
    let value = missed[0].value.as_ref().expect("a value");
    assert_eq!((value.part, value.whole), expected);
    assert!(missed[0].intensity.is_some() && !missed[0].records.is_empty());
    let reopened = figures(CheckupMeasure::ReopenedAfterClosing).count();
    assert_eq!(reopened, 1, "whether work had to be done again is known");
    let empty = [v1::Symptom::LittleInteraction, v1::Symptom::HeldHostage];
    for row in &report.rows {
        if empty.contains(&row.symptom()) {
            assert_eq!(row.intensity, None, "{:?}", row.symptom());
        }
    }
}

/// Importing again applies nothing, writes nothing, and shows the same.
async fn check_second_run(house: &House, first: &Summary, second: Summary, heads: &[Head]) {
    let taken = |summary: &Summary| {
        summary.events_applied + summary.events_already_applied + summary.events_parked
    };
    assert_eq!((second.events_applied, taken(&second)), (0, taken(first)));
    assert_eq!(
        (&second.targets, second.incidents),
        (&first.targets, first.incidents)
    );
    assert_eq!(second.rows_rejected, first.rows_rejected);
    assert_eq!(second.partnership, first.partnership);
    assert_eq!(
        house.heads().await,
        heads,
        "{}: an import changed something again",
        house.engine()
    );
}

fn expected_targets(judgements: &[Judgement]) -> Targets {
    let mut targets = Targets::default();
    for judgement in judgements {
        let of_type: &mut BTreeMap<String, Counts> = match judgement.target {
            Target::FirstResponse => &mut targets.first_response,
            Target::Resolution => &mut targets.resolution,
        };
        let counts = of_type.entry(judgement.priority.to_string()).or_default();
        match judgement.outcome {
            Outcome::Met => counts.met += 1,
            Outcome::Breached => counts.breached += 1,
            Outcome::Running => counts.running += 1,
        }
    }
    targets
}

/// A clock in one line, so that a difference can be read.
type Line = String;

fn clocks_by_hand(judgements: &[Judgement]) -> Vec<Line> {
    let mut lines: Vec<Line> = judgements
        .iter()
        .map(|judged| {
            let Judgement {
                number,
                target,
                priority,
                outcome,
                consumed_seconds,
            } = judged;
            format!("{number} {target:?} P{priority} {outcome:?} {consumed_seconds} s")
        })
        .collect();
    lines.sort_unstable();
    lines
}

fn clocks_of(tickets: &[v1::Ticket]) -> Vec<Line> {
    let mut lines: Vec<Line> = tickets
        .iter()
        .flat_map(|ticket| ticket.clocks.iter().map(|clock| line(ticket, clock)))
        .collect();
    lines.sort_unstable();
    lines
}

fn line(ticket: &v1::Ticket, clock: &v1::Clock) -> Line {
    let number = &ticket.external_references[0].id;
    let target = match clock.r#type() {
        TargetType::FirstResponse => Target::FirstResponse,
        TargetType::Resolution => Target::Resolution,
        other => panic!("a clock that was not promised: {other:?}"),
    };
    let outcome = match clock.verdict() {
        Verdict::Met => Outcome::Met,
        Verdict::Breached => Outcome::Breached,
        Verdict::Running => Outcome::Running,
        Verdict::Cancelled | Verdict::Unspecified => panic!("a clock without a verdict"),
    };
    let consumed = clock.consumed.expect("a clock says what it consumed");
    assert_eq!(consumed.nanos, 0, "the export counts minutes");
    format!(
        "{number} {target:?} P{} {outcome:?} {} s",
        clock.priority, consumed.seconds
    )
}
