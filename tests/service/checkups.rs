//! The check-up: from what was recorded, as of any instant, the same for both firms.

use entente::proto::v1::{self, CheckupMeasure, Symptom};

use entente::server::Environment;

use super::calls::{accepted, faulty, ok};
use super::fairness::conceded;
use super::house::{Firm, HOUR, House, at, lasting};
use super::setting::{NORTH, NORTH_PSA, Pair, SOUTH, SOUTH_PSA, event, opening, status, ticket};
use super::tickets::eventful;

fn asking(pair: &Pair) -> v1::GetCheckupRequest {
    v1::GetCheckupRequest {
        name: pair.name.clone(),
        ..v1::GetCheckupRequest::default()
    }
}

async fn checkup(firm: &Firm, request: v1::GetCheckupRequest) -> v1::Checkup {
    ok(firm.connection.checkups().get_checkup(request)).await
}

fn figure<'report>(
    report: &'report v1::Checkup,
    party: &str,
    measure: CheckupMeasure,
) -> &'report v1::CheckupFigure {
    let sides = report.rows.iter().flat_map(|row| &row.sides);
    let mut figures = sides
        .filter(|side| side.party_id == party)
        .flat_map(|side| &side.figures);
    figures
        .find(|figure| figure.measure() == measure)
        .expect("the figure")
}

fn row(report: &v1::Checkup, symptom: Symptom) -> &v1::CheckupRow {
    let mut rows = report.rows.iter();
    rows.find(|row| row.symptom() == symptom).expect("the row")
}

/// Part and whole of a share, and its intensity.
fn share(figure: &v1::CheckupFigure) -> Option<(i64, i64, i32)> {
    let value = figure.value.as_ref()?;
    Some((value.part?, value.whole?, figure.intensity?))
}

/// South answers in time; of what north owes in return it misses all.
async fn double_standard(house: &House) -> Pair {
    let pair = Pair::with_a_desk(house).await;
    let back = v1::Agreement {
        obligor: NORTH.to_owned(),
        beneficiary: SOUTH.to_owned(),
        kind: v1::AgreementKind::Ola.into(),
        ..pair.desk()
    };
    pair.agreement("back", back).await;
    pair.status_map(&pair.south, SOUTH_PSA).await;
    house.pass(24 * HOUR);
    let under = |agreement: &str, mut events: Vec<v1::TicketEvent>| {
        events[0].agreement = format!("{}/agreements/{agreement}", pair.name);
        events
    };
    let (mut norths, mut souths) = (Vec::new(), Vec::new());
    for number in 0..3 {
        let id = ticket(NORTH_PSA, &number.to_string());
        norths.extend(under("desk", eventful(&id)));
        let id = ticket(SOUTH_PSA, &number.to_string());
        let late = vec![
            opening("e1", &id, 0, 1),
            status("e2", &id, 9 * HOUR, "Done"),
        ];
        souths.extend(under("back", late));
    }
    pair.ingest(&pair.north, norths).await;
    pair.ingest(&pair.south, souths).await;
    pair
}

/// Tickets alone give a check-up; both firms see the same; what nobody recorded has no value.
pub async fn a_checkup_from_tickets_alone(house: House) {
    let pair = double_standard(&house).await;
    let report = checkup(&pair.north, asking(&pair)).await;
    let missed = CheckupMeasure::TargetsMissed;
    assert_eq!(share(figure(&report, NORTH, missed)), Some((6, 6, 4)));
    assert_eq!(share(figure(&report, SOUTH, missed)), Some((0, 6, 0)));
    let responses = CheckupMeasure::ResponsesMissed;
    assert_eq!(share(figure(&report, NORTH, responses)), Some((3, 3, 4)));
    let respect = row(&report, Symptom::NoMutualRespect);
    assert_eq!(respect.intensity, Some(4));
    let sides: Vec<_> = respect
        .sides
        .iter()
        .map(|side| {
            (
                side.party_id.as_str(),
                side.intensity,
                side.present_quarters,
                side.known_quarters,
            )
        })
        .collect();
    // All tickets of south were of the first priority, and so were those of north.
    assert_eq!(sides[0], (NORTH, Some(4), 1, 1));
    let norths = figure(&report, NORTH, missed);
    assert_eq!(norths.case_count, 6);
    assert_eq!(
        norths.records.len(),
        3,
        "each ticket once: {:?}",
        norths.records
    );
    assert!(norths.records[0].starts_with(&format!("{}/tickets/", pair.name)));
    let change = norths.change.as_ref().expect("what would change it");
    assert_eq!((change.to_intensity, change.below_level), (3, 4_000));
    assert_eq!((change.fewer, change.more), (Some(4), Some(10)));
    assert_eq!(report.quarters.last().map(String::as_str), Some("2026-Q1"));
    assert_eq!(norths.quarters.len(), report.quarters.len());
    assert_eq!(
        norths.quarters.last().and_then(|quarter| quarter.level),
        Some(10_000)
    );
    assert!(norths.quarters[0].level.is_none());
    for symptom in [
        Symptom::LittleInteraction,
        Symptom::NotRepresented,
        Symptom::HeldHostage,
    ] {
        let row = row(&report, symptom);
        assert_eq!(row.intensity, None, "{symptom:?}");
        let figures = row.sides.iter().flat_map(|side| &side.figures);
        for figure in figures {
            assert_eq!(
                (&figure.value, figure.intensity),
                (&None, None),
                "{}",
                figure.label
            );
        }
    }
    // The other firm sees the same, under its own name.
    let mut souths = checkup(&pair.south, asking(&pair)).await;
    assert_eq!(souths.caller_party_id, SOUTH);
    NORTH.clone_into(&mut souths.caller_party_id);
    assert_eq!(souths, report);
    house.stop().await;
}

/// What was asked before is answered alike later, and again by a service that remembers nothing.
pub async fn the_same_question_has_the_same_answer(house: House) {
    let pair = double_standard(&house).await;
    house.pass(HOUR);
    let first = checkup(&pair.north, asking(&pair)).await;
    let then = v1::GetCheckupRequest {
        as_of_time: first.as_of_time,
        window: first.window,
        ..asking(&pair)
    };
    assert_eq!(checkup(&pair.north, then.clone()).await, first);
    house.pass(HOUR);
    // One ticket goes on, another is new, and the terms judge less strictly.
    let known = ticket(SOUTH_PSA, "0");
    pair.ingest(&pair.south, vec![status("e3", &known, 25 * HOUR, "Open")])
        .await;
    let mut new = opening("e1", &ticket(SOUTH_PSA, "new"), 25 * HOUR, 1);
    new.agreement = format!("{}/agreements/back", pair.name);
    pair.ingest(&pair.south, vec![new]).await;
    let lenient = v1::CheckupThresholds {
        measure: CheckupMeasure::TargetsMissed.into(),
        levels: vec![10_000, 10_001, 10_002, 10_003],
    };
    pair.terms(v1::Terms {
        checkup_clauses: Some(v1::CheckupClauses {
            thresholds: vec![lenient],
            activity_cadence: Some(lasting(30 * 24 * HOUR)),
        }),
        ..v1::Terms::default()
    })
    .await;
    house.pass(8 * HOUR);
    house.sweep().await;
    assert_eq!(checkup(&pair.north, then.clone()).await, first);
    let another = house.beside(Environment::default()).await;
    let elsewhere = another.with_key("north", pair.north.api_key.clone()).await;
    assert_eq!(checkup(&elsewhere, then).await, first);
    let now = checkup(&pair.north, asking(&pair)).await;
    let missed = figure(&now, NORTH, CheckupMeasure::TargetsMissed);
    assert_eq!(missed.intensity, Some(1));
    assert_eq!(missed.thresholds, [10_000, 10_001, 10_002, 10_003]);
    let reopened = figure(&now, NORTH, CheckupMeasure::ReopenedAfterClosing);
    assert_eq!(share(reopened), Some((1, 3, 3)));
    assert!(now.sequence > first.sequence);
    another.stop().await;
    house.stop().await;
}

/// Without an instant the answer may be a minute old, if nothing was recorded since.
pub async fn a_report_is_kept_for_a_minute(house: House) {
    let pair = double_standard(&house).await;
    let first = checkup(&pair.north, asking(&pair)).await;
    house.pass(59);
    assert_eq!(checkup(&pair.north, asking(&pair)).await, first);
    house.pass(2);
    let second = checkup(&pair.north, asking(&pair)).await;
    assert_ne!(second.as_of_time, first.as_of_time);
    let id = ticket(NORTH_PSA, "7");
    let mut opened = opening("e1", &id, 24 * HOUR, 1);
    opened.agreement = format!("{}/agreements/desk", pair.name);
    pair.ingest(&pair.north, vec![opened, event("e2", &id, 24 * HOUR)])
        .await;
    let third = checkup(&pair.north, asking(&pair)).await;
    assert!(third.sequence > second.sequence);
    house.stop().await;
}

/// Who bears more than its part is found, and nobody where both bear theirs; the approved quotes are
/// what it rests on, and both firms see the same.
pub async fn one_side_of_the_pencil(house: House) {
    for (bps, norths, souths) in [
        (5_000, (10_000, 0), (10_000, 0)),
        (8_000, (16_000, 3), (4_000, 0)),
        (500, (1_000, 0), (19_000, 3)),
    ] {
        let firms = format!("north-{bps}").leak();
        let pair = Pair::between(&house, firms, format!("south-{bps}").leak()).await;
        for _ in 0..3 {
            conceded(&pair, bps).await;
        }
        let mut notes = pair.south.connection.improvements();
        let note = v1::CreateCheckupNoteRequest {
            parent: pair.name.clone(),
            checkup_note: Some(v1::CheckupNote {
                symptom: Symptom::OneSideOfThePencil.into(),
                text: "We had agreed on that for one year.".to_owned(),
                ..v1::CheckupNote::default()
            }),
            ..v1::CreateCheckupNoteRequest::default()
        };
        ok(notes.create_checkup_note(note.clone())).await;
        house.pass(1);
        let private = v1::CreateCheckupNoteRequest {
            parent: format!("firms/south-{bps}"),
            checkup_note: note.checkup_note.map(|note| v1::CheckupNote {
                partnership: pair.name.clone(),
                text: "They will not like it.".to_owned(),
                ..note
            }),
            ..v1::CreateCheckupNoteRequest::default()
        };
        ok(notes.create_checkup_note(private)).await;
        // The window ends where the question is asked; what is of that very instant is not in it.
        house.pass(1);
        let report = checkup(&pair.north, asking(&pair)).await;
        let judged = |party| {
            let found = figure(&report, party, CheckupMeasure::BurdenIndex);
            let level = found.value.as_ref().expect("an index").level;
            assert_eq!((found.currency.as_str(), found.case_count), ("EUR", 3));
            assert!(found.records[0].contains("/jointQuotes/"));
            (level, found.intensity.expect("it is judged"))
        };
        assert_eq!((judged(NORTH), judged(SOUTH)), (norths, souths), "{bps}");
        let row = row(&report, Symptom::OneSideOfThePencil);
        let notes: Vec<_> = row.notes.iter().map(|note| note.text.as_str()).collect();
        assert_eq!(notes, ["We had agreed on that for one year."]);
        let own = checkup(&pair.south, asking(&pair)).await;
        let own = self::row(&own, Symptom::OneSideOfThePencil);
        assert_eq!(own.sides, row.sides);
        let notes: Vec<_> = own.notes.iter().map(|note| note.private).collect();
        assert_eq!(notes, [false, true]);
    }
    house.stop().await;
}

/// Questions that cannot be answered name the field at fault.
pub async fn checkups_at_fault(house: House) {
    let pair = Pair::active(&house).await;
    house.pass(48 * HOUR);
    let mut checkups = pair.north.connection.checkups();
    let day = 24 * HOUR;
    let window = |start: Option<i64>, end: Option<i64>| v1::GetCheckupRequest {
        window: Some(v1::CheckupWindow {
            start_time: start.map(at),
            end_time: end.map(at),
        }),
        ..asking(&pair)
    };
    let as_of = |seconds| v1::GetCheckupRequest {
        as_of_time: Some(at(seconds)),
        ..asking(&pair)
    };
    let end = &["window.end_time"][..];
    for (request, fields) in [
        (window(Some(0), None), end),
        (window(None, Some(day)), &["window.start_time"][..]),
        (
            window(None, None),
            &["window.start_time", "window.end_time"][..],
        ),
        (window(Some(day), Some(0)), end),
        (window(Some(0), Some(day - 1)), end),
        (window(Some(0), Some(3 * day)), end),
        (window(Some(-1_831 * day), Some(0)), end),
        (as_of(-1), &["as_of_time"][..]),
        (as_of(49 * HOUR), &["as_of_time"][..]),
        (
            v1::GetCheckupRequest {
                name: "partnerships/".to_owned(),
                ..as_of(i64::from(u32::MAX))
            },
            &["name", "as_of_time"][..],
        ),
    ] {
        faulty(
            &house,
            "INVALID_FIELD",
            fields,
            checkups.get_checkup(request),
        )
        .await;
    }
    // The window may reach to the instant itself, and back before the partnership.
    let whole = window(Some(-100 * day), Some(day));
    accepted(checkups.get_checkup(whole)).await;
    clauses_at_fault(&house, &pair).await;
    house.stop().await;
}

async fn clauses_at_fault(house: &House, pair: &Pair) {
    let thresholds = |measure: CheckupMeasure, levels: &[i64]| v1::CheckupThresholds {
        measure: measure.into(),
        levels: levels.to_vec(),
    };
    let clauses = v1::CheckupClauses {
        thresholds: vec![
            thresholds(CheckupMeasure::Unspecified, &[1, 2, 3, 4]),
            thresholds(CheckupMeasure::FireDrills, &[1, 2, 3]),
        ],
        activity_cadence: Some(lasting(24 * HOUR)),
    };
    let request = v1::ProposeTermsRequest {
        name: pair.name.clone(),
        terms: Some(v1::Terms {
            checkup_clauses: Some(clauses),
            ..v1::Terms::default()
        }),
        ..v1::ProposeTermsRequest::default()
    };
    let fields = [
        "terms.checkup_clauses.thresholds[0].measure",
        "terms.checkup_clauses.thresholds[1].levels",
    ];
    let mut partnerships = pair.north.connection.partnerships();
    faulty(
        house,
        "INVALID_FIELD",
        &fields,
        partnerships.propose_terms(request),
    )
    .await;
}
