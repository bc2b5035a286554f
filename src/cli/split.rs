//! `entente split`: divides a concession over a quote from a file, without a server, and says why.

mod example;
mod input;
mod input_csv;
mod input_json;
mod probe;
mod results;
mod table;
#[cfg(test)]
mod tests;

use std::collections::BTreeMap;
use std::io::{Read, Write};
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use clap::ValueEnum;

use super::CliError;
use crate::domain::pricing::division::{Measure, MeasureKind, Rounding, ShortfallPolicy};
use crate::domain::pricing::sheet::{Alternative, Answer, Cadence, Sheet, Undivided};

pub use input::{SplitError, Trouble};
pub use probe::from_bytes;

/// Largest quote that is read, in bytes.
pub const QUOTE_BYTES_MAX: u64 = 4 << 20;
/// Exit code when one of the bases cannot divide the concession.
const EXIT_UNDIVIDED: u8 = 2;

/// Divide a concession over a quote, exactly, and say why everybody bears what they bear.
///
/// Nothing is stored and no server is needed. Begin with:
///
///   entente split --example > quote.csv
///
///   entente split quote.csv --concession 500.00
#[derive(Debug, clap::Args)]
#[command(verbatim_doc_comment)]
pub struct Split {
    /// The quote, CSV or JSON; `-` reads standard input.
    #[arg(required_unless_present = "example")]
    quote: Option<PathBuf>,
    /// Write an example quote instead, in the format of `--format`.
    #[arg(long, conflicts_with = "quote")]
    example: bool,
    /// The quote's format. [default: by the file's name, CSV unless it ends in .json]
    #[arg(long, value_enum)]
    format: Option<Format>,
    #[command(flatten)]
    asked: Asked,
    /// How the split is printed.
    #[arg(long, value_enum, default_value_t)]
    output: SplitOutput,
    /// Leave out why.
    #[arg(long)]
    brief: bool,
}

/// What is asked of a quote.
#[derive(Clone, Debug, Default, clap::Args)]
pub struct Asked {
    /// What is conceded once, such as 500.00; negative for a surcharge.
    #[arg(long, allow_hyphen_values = true)]
    pub concession: Option<String>,
    /// What is conceded every month, on what is monthly.
    #[arg(long, allow_hyphen_values = true)]
    pub monthly: Option<String>,
    /// What is conceded every quarter, on what is quarterly.
    #[arg(long, allow_hyphen_values = true)]
    pub quarterly: Option<String>,
    /// What is conceded every year, on what is yearly.
    #[arg(long, allow_hyphen_values = true)]
    pub yearly: Option<String>,
    /// By what measure; several are shown side by side.
    #[arg(
        long = "basis",
        value_enum,
        value_delimiter = ',',
        default_value = "price"
    )]
    pub bases: Vec<BasisName>,
    /// An owner's fixed share in basis points, such as acme=6000, for `--basis fixed-bps`; repeated for
    /// each owner, 10000 together.
    #[arg(long = "share", value_name = "OWNER=BPS", value_delimiter = ',')]
    pub shares: Vec<String>,
    /// How single minor units are given out.
    #[arg(long, value_enum, default_value_t)]
    pub rounding: RoundingName,
    /// This owner bears what the floors leave over.
    #[arg(long, value_name = "OWNER", conflicts_with = "below_floor")]
    pub absorbed_by: Option<String>,
    /// All bear what the floors leave over, below their floors.
    #[arg(long)]
    pub below_floor: bool,
    /// The currency of every amount, unless the quote says so. [default: EUR]
    #[arg(long)]
    pub currency: Option<String>,
}

/// What a quote is written in.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum Format {
    /// One line for each slice, under a line of column names.
    Csv,
    /// One object with a list of slices.
    Json,
}

/// How a split is printed.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, ValueEnum)]
enum SplitOutput {
    /// For people.
    #[default]
    Table,
    /// One JSON object.
    Json,
    /// One line for each slice and basis.
    Csv,
}

/// A measure, by name.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum BasisName {
    /// By the prices.
    Price,
    /// By what each slice costs.
    Cost,
    /// By what each slice earns.
    Margin,
    /// By roughly what each slice costs.
    CostBand,
    /// By fixed shares of the owners (`--share`).
    FixedBps,
    /// As the quote states for each slice (column `custom`).
    Custom,
}

/// How single minor units are given out, by name.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, ValueEnum)]
pub enum RoundingName {
    /// To the largest remainders.
    #[default]
    LargestRemainder,
    /// So that nobody's share falls when the concession grows.
    Ratchet,
}

/// A sheet, and what came of every basis that was asked for.
#[derive(Clone, Debug)]
pub struct Outcome {
    /// The quote as it was understood.
    pub sheet: Sheet,
    /// Each basis with its divisions, or why there are none, in the order in which they were asked for.
    pub alternatives: Vec<(MeasureKind, Result<Vec<Answer>, Undivided>)>,
}

/// Reads a quote and divides what is conceded on it, by every basis asked for. This is all that
/// `entente split` does between reading its input and printing.
///
/// # Errors
/// [`SplitError`], with every fault and its place. A basis that cannot divide the concession is no
/// error of the whole.
pub fn split(bytes: &[u8], format: Format, asked: &Asked) -> Result<Outcome, SplitError> {
    let quote = match format {
        Format::Csv => input_csv::read(bytes)?,
        Format::Json => input_json::read(bytes)?,
    };
    let read = input::understand(&quote, asked)?;
    let alternatives = asked.bases.iter().map(|basis| {
        let alternative = Alternative {
            measure: measure(*basis, &read),
            rounding: match asked.rounding {
                RoundingName::LargestRemainder => Rounding::LargestRemainder,
                RoundingName::Ratchet => Rounding::Ratchet,
            },
            shortfall: match &asked.absorbed_by {
                Some(owner) => ShortfallPolicy::AbsorbedBy(owner.clone()),
                None if asked.below_floor => ShortfallPolicy::BelowFloor,
                None => ShortfallPolicy::Reject,
            },
        };
        (alternative.measure.kind(), read.sheet.answer(&alternative))
    });
    Ok(Outcome {
        alternatives: alternatives.collect(),
        sheet: read.sheet,
    })
}

fn measure(basis: BasisName, read: &input::Read) -> Measure {
    match basis {
        BasisName::Price => Measure::Price,
        BasisName::Cost => Measure::Cost,
        BasisName::Margin => Measure::Margin,
        BasisName::CostBand => Measure::CostBand,
        BasisName::FixedBps => Measure::FixedBps(read.shares.clone()),
        BasisName::Custom => Measure::Custom(read.custom.clone()),
    }
}

impl Asked {
    /// What is conceded on each cadence, as it was written.
    fn concessions(&self) -> BTreeMap<Cadence, &str> {
        let written = [
            (Cadence::OneTime, &self.concession),
            (Cadence::Monthly, &self.monthly),
            (Cadence::Quarterly, &self.quarterly),
            (Cadence::Yearly, &self.yearly),
        ];
        let stated = written.into_iter().filter_map(|(cadence, text)| {
            let text = text.as_deref()?;
            Some((cadence, text))
        });
        stated.collect()
    }
}

impl Split {
    /// # Errors
    /// If the quote cannot be read or is at fault.
    pub fn run(self) -> Result<ExitCode, CliError> {
        if self.example {
            say(example::of(self.format.unwrap_or(Format::Csv)))?;
            return Ok(ExitCode::SUCCESS);
        }
        let path = self.quote.as_deref().unwrap_or_else(|| Path::new("-"));
        let format = self.format.unwrap_or_else(|| format_of(path));
        let bytes = read_bounded(path)?;
        let outcome = match split(&bytes, format, &self.asked) {
            Ok(outcome) => outcome,
            Err(error) => return Err(error.told(&called(path)).into()),
        };
        say(&match self.output {
            SplitOutput::Table => table::page(&outcome, self.brief),
            SplitOutput::Json => results::json(&outcome, self.brief)?,
            SplitOutput::Csv => results::csv(&outcome, self.brief)?,
        })?;
        let all = outcome
            .alternatives
            .iter()
            .all(|(_, answer)| answer.is_ok());
        Ok(if all {
            ExitCode::SUCCESS
        } else {
            ExitCode::from(EXIT_UNDIVIDED)
        })
    }
}

/// Writes to standard output. Whoever reads it may have seen enough.
fn say(text: &str) -> Result<(), CliError> {
    match std::io::stdout().lock().write_all(text.as_bytes()) {
        Err(error) if error.kind() != std::io::ErrorKind::BrokenPipe => Err(error.into()),
        _ => Ok(()),
    }
}

/// What a file is called in errors.
fn called(path: &Path) -> String {
    if path == Path::new("-") {
        "standard input".to_owned()
    } else {
        path.display().to_string()
    }
}

fn format_of(path: &Path) -> Format {
    match path.extension() {
        Some(extension) if extension.eq_ignore_ascii_case("json") => Format::Json,
        _ => Format::Csv,
    }
}

fn read_bounded(path: &Path) -> Result<Vec<u8>, CliError> {
    let named = |error: std::io::Error| format!("{}: {error}", path.display());
    let mut bytes = Vec::new();
    let more = QUOTE_BYTES_MAX + 1;
    if path == Path::new("-") {
        std::io::stdin().lock().take(more).read_to_end(&mut bytes)?;
    } else {
        let file = std::fs::File::open(path).map_err(named)?;
        file.take(more).read_to_end(&mut bytes).map_err(named)?;
    }
    if bytes.len() as u64 > QUOTE_BYTES_MAX {
        let path = path.display();
        return Err(format!("{path}: larger than the {QUOTE_BYTES_MAX} bytes of a quote").into());
    }
    Ok(bytes)
}

/// The name of a measure as `--basis` takes it.
const fn basis_name(measure: MeasureKind) -> &'static str {
    match measure {
        MeasureKind::Price => "price",
        MeasureKind::Cost => "cost",
        MeasureKind::Margin => "margin",
        MeasureKind::CostBand => "cost-band",
        MeasureKind::FixedBps => "fixed-bps",
        MeasureKind::Custom => "custom",
    }
}
