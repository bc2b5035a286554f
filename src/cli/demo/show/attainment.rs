//! Shows how both firms kept their targets, and the statuses that nobody explained.

use super::words::{NOTHING, count, length, percent, target};
use crate::cli::demo::desk::{DESKS, Desk, HARBOUR, NIGHTDESK, UNEXPLAINED_STATUS};
use crate::cli::demo::history::Quarter;
use crate::cli::demo::quarter::MINUTE;
use crate::cli::demo::stage::{PRIME, SUB, name_of, seconds};
use crate::cli::page::Page;
use crate::proto::v1::{self, TargetType};

/// Adds the section about how the targets were kept.
pub fn show(page: &mut Page, quarter: &Quarter) {
    page.heading("6. How both firms kept their targets");
    page.say(
        "As of the end of the quarter. Nightdesk counts day and night, Harbour IT its office \
         hours. Kept is the part that was met of all that is decided.",
    );
    page.gap();
    for target_type in [TargetType::FirstResponse, TargetType::Resolution] {
        show_target(page, &quarter.attainment, target_type);
    }
    let kept: Vec<String> = [SUB, PRIME]
        .map(|party| kept(&quarter.attainment, party))
        .into();
    page.say(&format!("In all: {}.", kept.join("; ")));
}

/// One target of both firms side by side, by priority.
fn show_target(page: &mut Page, attainment: &v1::Attainment, target_type: TargetType) {
    let mut rows = Vec::new();
    for priority in 1..=4 {
        let mut row: [String; 11] = std::array::from_fn(|_| String::new());
        row[0] = format!("priority {priority}");
        fill(
            &mut row[1..6],
            attainment,
            &NIGHTDESK,
            SUB,
            target_type,
            priority,
        );
        fill(
            &mut row[6..11],
            attainment,
            &HARBOUR,
            PRIME,
            target_type,
            priority,
        );
        rows.push(row);
    }
    let header = [
        &format!("\n{}", target(target_type)),
        "Nightdesk\nwithin",
        "\nmet",
        "\nbreached",
        "\nopen",
        "\nkept",
        "Harbour IT\nwithin",
        "\nmet",
        "\nbreached",
        "\nopen",
        "\nkept",
    ];
    page.table(header, rows, &[1, 2, 3, 4, 5, 6, 7, 8, 9, 10], &[]);
}

/// The cells of one party, one target and one priority.
fn fill(
    cells: &mut [String],
    attainment: &v1::Attainment,
    desk: &Desk,
    party: &str,
    target_type: TargetType,
    priority: i32,
) {
    let minutes = match target_type {
        TargetType::FirstResponse => desk.response_minutes,
        _ => desk.resolution_minutes,
    };
    let index = usize::try_from(priority - 1).unwrap_or_default();
    let within = minutes.get(index).map(|minutes| seconds(minutes * MINUTE));
    let row = attainment.rows.iter().find(|row| {
        row.obligor == party && row.r#type() == target_type && row.priority == priority
    });
    let (met, breached, open) = row.map_or((0, 0, 0), |row| {
        (row.met_count, row.breached_count, row.running_count)
    });
    let values = [
        length(within),
        count(met),
        count(breached),
        count(open),
        percent(met, met + breached),
    ];
    for (cell, value) in cells.iter_mut().zip(values) {
        *cell = value;
    }
}

fn kept(attainment: &v1::Attainment, party: &str) -> String {
    let rows = attainment.rows.iter().filter(|row| row.obligor == party);
    let (met, breached) = rows.fold((0, 0), |(met, breached), row| {
        (met + row.met_count, breached + row.breached_count)
    });
    format!(
        "{} kept {} of {} ({})",
        name_of(party),
        count(met),
        count(met + breached),
        percent(met, met + breached)
    )
}

/// Adds the section about statuses that nobody explained.
pub fn show_unmapped(page: &mut Page, quarter: &Quarter) {
    page.heading("7. Words that nobody explained");
    let rows = quarter.unmapped.iter().map(|unmapped| {
        let mut examples: Vec<&str> = unmapped
            .example_tickets
            .iter()
            .map(|ticket| ticket.id.as_str())
            .collect();
        examples.sort_unstable();
        let system = DESKS
            .into_iter()
            .find(|desk| desk.system == unmapped.system);
        let firm = system.map_or(NOTHING, |desk| {
            if desk.office_hours_only {
                name_of(PRIME)
            } else {
                name_of(SUB)
            }
        });
        [
            firm.to_owned(),
            unmapped.system.clone(),
            unmapped.word.clone(),
            count(unmapped.parked_count),
            examples.join(", "),
        ]
    });
    page.table(
        ["Firm", "System", "Status", "Events kept", "Tickets"],
        rows.collect(),
        &[3],
        &[4],
    );
    page.say(&format!(
        "Nothing is guessed and nothing is lost: these events are kept, and count when they are \
         sent again after the status map says what \"{UNEXPLAINED_STATUS}\" means."
    ));
}
