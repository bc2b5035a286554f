//! Shows how an import goes on, and what came of it, to a person at a terminal.

use std::fmt;
use std::io::IsTerminal;

use comfy_table::{CellAlignment, LineStyle, Table, TableStyle, presets};
use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};

use super::rows::RejectedRow;
use super::{Counts, Progress, Summary, Unmapped};
use crate::cli::Output;

/// How the progress bar looks.
const BAR: &str = "{wide_bar} {pos}/{len} rows, {eta} to go";

/// How the table looks: lines above, below and under the header.
const TABLE: TableStyle = presets::UTF8_HORIZONTAL_ONLY.row_separator(LineStyle::none());

/// A progress bar on standard error, if that is a terminal; rows that are left out are told there
/// in any case.
#[derive(Debug)]
pub struct Terminal {
    bar: ProgressBar,
}

impl Terminal {
    /// A bar; a hidden one where JSON goes to another program.
    #[must_use]
    pub fn new(output: Output) -> Self {
        let piped = output == Output::Json && !std::io::stdout().is_terminal();
        let bar = if piped || !std::io::stderr().is_terminal() {
            ProgressBar::with_draw_target(None, ProgressDrawTarget::hidden())
        } else {
            ProgressBar::no_length()
        };
        if let Ok(style) = ProgressStyle::with_template(BAR) {
            bar.set_style(style);
        }
        Self { bar }
    }

    /// Takes the bar away.
    pub fn finish(&self) {
        self.bar.finish_and_clear();
    }
}

impl Progress for Terminal {
    fn begin(&self, rows: u64) {
        self.bar.set_length(rows);
    }

    fn advance(&self, rows: u64) {
        self.bar.inc(rows);
    }

    fn reject(&self, row: &RejectedRow) {
        self.bar.suspend(|| eprintln!("{row}"));
    }
}

impl fmt::Display for Unmapped {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            formatter,
            "no status map explains {:?}: {} events wait for it",
            self.status, self.parked
        )
    }
}

/// The summary as people like to read it.
#[must_use]
pub fn text(summary: &Summary) -> String {
    let Summary {
        incidents,
        events_applied,
        events_already_applied,
        events_parked,
        rows_rejected,
        ..
    } = summary;
    let mut lines = vec![
        format!("{incidents} incidents in {}", summary.partnership),
        format!(
            "  {events_applied} events applied, {events_already_applied} applied before, {events_parked} parked"
        ),
    ];
    if *rows_rejected > 0 {
        lines.push(format!(
            "  {rows_rejected} rows rejected; each was reported with its line"
        ));
    }
    lines.extend(
        summary
            .unmapped
            .iter()
            .map(|unmapped| format!("  {unmapped}")),
    );
    if !summary.unmapped.is_empty() {
        lines
            .push("  (they are applied as soon as UpdateStatusMap says what they mean)".to_owned());
    }
    lines.push(String::new());
    lines.push(table(summary).to_string());
    lines.join("\n")
}

fn table(summary: &Summary) -> Table {
    let mut table = Table::new();
    table.load_style(TABLE);
    table.set_header([
        "Target",
        "Priority",
        "Met",
        "Breached",
        "Running",
        "Attainment",
    ]);
    let targets = [
        ("First response", &summary.targets.first_response),
        ("Resolution", &summary.targets.resolution),
    ];
    for (name, priorities) in targets {
        for (priority, counts) in priorities {
            table.add_row([
                name.to_owned(),
                priority.clone(),
                counts.met.to_string(),
                counts.breached.to_string(),
                counts.running.to_string(),
                attainment(*counts),
            ]);
        }
    }
    for column in table.column_iter_mut().skip(1) {
        column.set_cell_alignment(CellAlignment::Right);
    }
    table
}

/// The part that was met of all that is decided, rounded down to a tenth of a percent.
fn attainment(counts: Counts) -> String {
    let decided = u128::from(counts.met) + u128::from(counts.breached);
    if decided == 0 {
        return "-".to_owned();
    }
    let tenths = u128::from(counts.met) * 1_000 / decided;
    format!("{}.{} %", tenths / 10, tenths % 10)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn shows_every_number_once() {
        let mut summary = Summary {
            incidents: 3,
            events_applied: 11,
            events_already_applied: 12,
            events_parked: 13,
            rows_rejected: 14,
            partnership: "partnerships/p".to_owned(),
            unmapped: vec![Unmapped {
                status: "Frozen".to_owned(),
                parked: 13,
            }],
            ..Summary::default()
        };
        let counts = Counts {
            met: 2,
            breached: 1,
            running: 4,
        };
        summary.targets.resolution.insert("3".to_owned(), counts);
        let shown = text(&summary);
        for part in [
            "3 incidents",
            "11 events",
            "12 applied before",
            "13 parked",
            "14 rows",
            "\"Frozen\"",
            "66.6 %",
        ] {
            assert!(shown.contains(part), "{part} in\n{shown}");
        }
        summary.rows_rejected = 0;
        summary.unmapped.clear();
        assert!(!text(&summary).contains("reject") && !text(&summary).contains("status map"));
    }

    #[test]
    fn attainment_of_nothing_is_nothing() {
        assert_eq!(
            attainment(Counts {
                running: 5,
                ..Counts::default()
            }),
            "-"
        );
        assert_eq!(
            attainment(Counts {
                met: 5,
                ..Counts::default()
            }),
            "100.0 %"
        );
    }

    #[test]
    fn json_has_exactly_these_fields() {
        let mut summary = Summary {
            incidents: 1,
            partnership: "partnerships/p".to_owned(),
            ..Summary::default()
        };
        summary.targets.first_response.insert(
            "1".to_owned(),
            Counts {
                met: 1,
                breached: 2,
                running: 3,
            },
        );
        let expected = concat!(
            r#"{"incidents":1,"events_applied":0,"events_already_applied":0,"events_parked":0,"rows_rejected":0,"#,
            r#""targets":{"first_response":{"1":{"met":1,"breached":2,"running":3}},"resolution":{}}}"#
        );
        assert_eq!(serde_json::to_string(&summary).unwrap(), expected);
    }
}
