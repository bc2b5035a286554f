use super::*;
use crate::domain::checkup::measure::{Measure, Symptom as Asks};
use crate::domain::refusal::Reason;

const HOSTILE: &str = "<script>alert('x')</script>\"><img src=x onerror=y>&amp;";

fn figure(measure: Measure, quarters: &[Option<i64>], records: usize) -> v1::CheckupFigure {
    let value = v1::CheckupValue {
        level: 1_234,
        text: "12.34 % (1234 of 10000)".to_owned(),
        part: Some(1_234),
        whole: Some(10_000),
        ..v1::CheckupValue::default()
    };
    let quarter = |level: &Option<i64>| v1::CheckupQuarter {
        level: *level,
        intensity: level.map(|_| 2),
    };
    v1::CheckupFigure {
        label: measure.label().to_owned(),
        unit: v1::CheckupUnit::Share.into(),
        value: Some(value),
        intensity: Some(2),
        thresholds: vec![500, 1_000, 2_000, 4_000],
        quarters: quarters.iter().map(quarter).collect(),
        records: (0..records)
            .map(|number| format!("partnerships/p1/tickets/0199c3a4-7d2e-7b1a-9f00-{number:012}"))
            .collect(),
        case_count: 1_234,
        change: Some(v1::CheckupChange {
            to_intensity: 1,
            text: "With 235 fewer of them, or 2345 more of the other sort, it is below 10 %, which is \
                   intensity 1."
                .to_owned(),
            ..v1::CheckupChange::default()
        }),
        ..v1::CheckupFigure::default()
    }
}

/// A check-up in which everything is there of which a measure tells: as many parties and quarters.
fn full(parties: usize, quarters: usize) -> v1::Checkup {
    let levels: Vec<Option<i64>> = (0..quarters)
        .map(|index| Some(i64::try_from(index * 1_000 + 37).unwrap()))
        .collect();
    let side = |symptom: Asks, party: usize| v1::CheckupSide {
        party_id: format!("party-{party}"),
        intensity: Some(2),
        present_quarters: 3,
        known_quarters: 4,
        figures: Measure::ALL
            .iter()
            .filter(|measure| measure.symptom() == symptom)
            .map(|measure| figure(*measure, &levels, 10))
            .collect(),
    };
    let rows = (1..)
        .zip(Asks::ALL)
        .map(|(number, symptom)| v1::CheckupRow {
            notes: Vec::new(),
            symptom: number,
            question: symptom.question().to_owned(),
            intensity: Some(2),
            sides: (1..=parties).map(|party| side(symptom, party)).collect(),
        });
    v1::Checkup {
        partnership: "partnerships/p1".to_owned(),
        display_name: "Harbour and Nightdesk".to_owned(),
        parties: (1..=parties)
            .map(|party| v1::CheckupParty {
                party_id: format!("party-{party}"),
                display_name: format!("A firm with quite a long name, number {party}"),
            })
            .collect(),
        quarters: (0..quarters)
            .map(|index| format!("2026-Q{index}"))
            .collect(),
        rows: rows.collect(),
        caller_party_id: "party-1".to_owned(),
        ..v1::Checkup::default()
    }
}

fn said(symptom: Symptom, text: &str) -> Said {
    Said {
        symptom,
        by: "Nightdesk, 3 May 2026".to_owned(),
        text: text.to_owned(),
        is_reply: false,
        is_private: true,
    }
}

#[test]
fn a_full_checkup_fits_the_page() {
    let notes: Vec<Said> = (1..=7)
        .flat_map(|row| std::iter::repeat_n(Symptom::try_from(row).unwrap(), 50))
        .map(|symptom| said(symptom, &"long words ".repeat(400)))
        .collect();
    for (parties, quarters) in [(2, 4), (2, 5), (2, 21), (3, 5), (4, 21)] {
        let html = html(&full(parties, quarters), &notes, &[]).unwrap();
        assert!(
            html.len() <= PAGE_BYTES_MAX,
            "{parties}, {quarters}: {}",
            html.len()
        );
        for party in 1..=parties {
            assert!(
                html.contains(&format!("number {party}<")),
                "{parties}, {quarters}"
            );
        }
        assert!(html.contains("12.34 %"));
    }
}

/// The same with so many figures in each row.
fn with_figures(mut checkup: v1::Checkup, figures: usize) -> v1::Checkup {
    let sides = checkup.rows.iter_mut().flat_map(|row| &mut row.sides);
    sides.for_each(|side| side.figures.truncate(figures));
    checkup
}

#[test]
fn the_usual_checkup_is_shown_in_detail() {
    let html = html(
        &with_figures(full(2, 5), 4),
        &[said(Symptom::PoorService, "Ask them.")],
        &[],
    )
    .unwrap();
    assert!(
        html.contains("Charts show 2026-Q0 to 2026-Q4"),
        "all quarters"
    );
    assert!(html.contains("Ask them."));
    assert!(html.contains("private: only your firm sees it"));
    assert!(html.contains(r#"href="tickets/0199c3a4-7d2e-7b1a-9f00-000000000000""#));
}

#[test]
fn what_does_not_fit_at_all_is_refused() {
    let mut checkup = full(2, 4);
    checkup.display_name = "x".repeat(PAGE_BYTES_MAX);
    let refusal = html(&checkup, &[], &[]).unwrap_err();
    assert_eq!(refusal.reason, Reason::ResultTooLarge);
}

#[test]
fn everything_is_escaped() {
    let mut checkup = with_figures(full(2, 4), 2);
    checkup.display_name = HOSTILE.to_owned();
    checkup.quarters = vec![HOSTILE.to_owned(); 4];
    for party in &mut checkup.parties {
        party.display_name = HOSTILE.to_owned();
    }
    for row in &mut checkup.rows {
        row.question = HOSTILE.to_owned();
        for figure in row.sides.iter_mut().flat_map(|side| &mut side.figures) {
            figure.label = HOSTILE.to_owned();
            figure.currency = HOSTILE.to_owned();
            figure.value.as_mut().unwrap().text = HOSTILE.to_owned();
            figure.change.as_mut().unwrap().text = HOSTILE.to_owned();
            figure.records = vec![format!(
                "partnerships/p1/tickets/{}",
                HOSTILE.replace('/', ".")
            )];
        }
    }
    let mut note = said(Symptom::PoorService, HOSTILE);
    note.by = HOSTILE.to_owned();
    let html = html(&checkup, &[note], &[HOSTILE.to_owned()]).unwrap();
    for raw in ["<script", "<img", "'x'", ";&amp;"] {
        assert!(!html.contains(raw), "{raw}");
    }
    assert!(html.contains("&#60;script&#62;") && html.contains("&#38;amp;"));
}

#[test]
fn no_data_is_no_number() {
    let mut checkup = full(2, 4);
    for row in &mut checkup.rows {
        row.intensity = None;
        for side in &mut row.sides {
            (side.intensity, side.known_quarters) = (None, 0);
            for figure in &mut side.figures {
                (figure.value, figure.intensity, figure.change) = (None, None, None);
                figure.records.clear();
                for quarter in &mut figure.quarters {
                    (quarter.level, quarter.intensity) = (None, None);
                }
            }
        }
    }
    let html = html(&checkup, &[], &[]).unwrap();
    let (_, rows) = html.split_once("<h2 id=\"rainbows\">").unwrap();
    let cells = rows.split("<td>").skip(1);
    let mut count = 0;
    for cell in cells {
        let (cell, _) = cell.split_once("</td>").unwrap();
        assert_eq!(cell, r#"<span class="x">NO DATA</span>"#);
        count += 1;
    }
    assert_eq!(count, 2 * Asks::ALL.len());
    for measure in Measure::ALL {
        let label = measure.label().replace('\'', "&#39;");
        assert!(html.contains(&label), "{label}");
    }
}

#[test]
fn a_quarter_with_zero_is_not_one_without_data() {
    let mut checkup = with_figures(full(2, 2), 2);
    let row = checkup
        .rows
        .iter_mut()
        .find(|row| !row.sides[0].figures.is_empty())
        .unwrap();
    row.sides[0].figures[0].quarters[0].level = Some(0);
    row.sides[0].figures[0].quarters[1].level = None;
    let html = html(&checkup, &[], &[]).unwrap();
    assert!(html.contains(r#"aria-label="By quarter: 0 %, no data""#));
    assert!(
        html.contains(
            r#"<path class="w" d="M5 24v-1"/><path class="n" d="M12.5 23.5v-23h8v23z"/>"#
        )
    );
}
