//! A split for other programs.

use serde::Serialize;

use super::{Outcome, basis_name};
use crate::cli::CliError;
use crate::domain::pricing::allocation::ENGINE_VERSION;
use crate::domain::pricing::division::{Division, Part, Step};
use crate::domain::pricing::money::Currency;
use crate::domain::pricing::sheet::Answer;

/// A split as one JSON object. Amounts are decimal text; steps count in minor units.
#[derive(Serialize)]
struct Results<'outcome> {
    currency: &'outcome str,
    engine_version: u32,
    alternatives: Vec<Alternative<'outcome>>,
}

#[derive(Serialize)]
struct Alternative<'outcome> {
    basis: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    error: Option<Fault>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    cadences: Vec<Cadence<'outcome>>,
}

#[derive(Serialize)]
struct Fault {
    reason: &'static str,
    cadence: &'static str,
    message: String,
}

#[derive(Serialize)]
struct Cadence<'outcome> {
    cadence: &'static str,
    concession: String,
    shortfall: String,
    price_before: String,
    price_after: String,
    parts: Vec<Line<'outcome>>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    markups_over_cap: Vec<&'outcome str>,
}

#[derive(Serialize)]
struct Line<'outcome> {
    id: &'outcome str,
    owner: &'outcome str,
    weight: u64,
    share: String,
    price_before: String,
    price_after: String,
    at_floor: bool,
    #[serde(skip_serializing_if = "Option::is_none")]
    explanation: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    steps: Option<&'outcome [Step]>,
}

/// The split as one JSON object; `brief` leaves out why.
///
/// # Errors
/// Never, as far as is known.
pub(super) fn json(outcome: &Outcome, brief: bool) -> Result<String, CliError> {
    let currency = outcome.sheet.currency;
    let alternatives = outcome.alternatives.iter().map(|(measure, answer)| {
        let (answers, error) = match answer {
            Ok(answers) => (answers.as_slice(), None),
            Err(undivided) => (
                &[][..],
                Some(Fault {
                    reason: undivided.error.reason().as_str(),
                    cadence: undivided.cadence.as_str(),
                    message: undivided.error.words(currency),
                }),
            ),
        };
        let cadences = answers
            .iter()
            .map(|answer| cadence(answer, currency, brief));
        Alternative {
            basis: basis_name(*measure),
            error,
            cadences: cadences.collect(),
        }
    });
    let results = Results {
        currency: currency.code(),
        engine_version: ENGINE_VERSION,
        alternatives: alternatives.collect(),
    };
    let mut text = serde_json::to_string_pretty(&results)?;
    text.push('\n');
    Ok(text)
}

fn cadence(answer: &Answer, currency: Currency, brief: bool) -> Cadence<'_> {
    let division = &answer.division;
    let lines = division.parts.iter().map(|part| Line {
        id: &part.id,
        owner: &part.owner,
        weight: part.weight,
        share: plain(currency, part.share),
        price_before: plain_unsigned(currency, part.price_before),
        price_after: plain_unsigned(currency, part.price_after),
        at_floor: part.is_at_floor,
        explanation: (!brief).then(|| words(division, part, currency)),
        steps: (!brief).then_some(part.steps.as_slice()),
    });
    Cadence {
        cadence: answer.cadence.as_str(),
        concession: plain(currency, division.concession),
        shortfall: plain_unsigned(currency, division.shortfall),
        price_before: plain_unsigned(currency, division.price_before),
        price_after: plain_unsigned(currency, division.price_after),
        parts: lines.collect(),
        markups_over_cap: answer
            .over_cap
            .iter()
            .map(|over| over.id.as_str())
            .collect(),
    }
}

fn words(division: &Division, part: &Part, currency: Currency) -> String {
    division.sentences(part, currency).join(" ")
}

/// The split as a table for spreadsheets: one line for each slice and basis; `brief` leaves out why.
///
/// # Errors
/// Never, as far as is known.
pub(super) fn csv(outcome: &Outcome, brief: bool) -> Result<String, CliError> {
    let currency = outcome.sheet.currency;
    let mut writer = csv::Writer::from_writer(Vec::new());
    let mut header = vec![
        "basis",
        "cadence",
        "id",
        "owner",
        "currency",
        "share",
        "price_before",
        "price_after",
        "at_floor",
        "error",
    ];
    if !brief {
        header.push("explanation");
    }
    writer.write_record(&header)?;
    for (measure, answer) in &outcome.alternatives {
        let basis = basis_name(*measure);
        let answers = match answer {
            Ok(answers) => answers,
            Err(undivided) => {
                let mut record = vec![String::new(); header.len()];
                basis.clone_into(&mut record[0]);
                undivided.cadence.as_str().clone_into(&mut record[1]);
                record[9] = undivided.error.words(currency);
                writer.write_record(&record)?;
                continue;
            }
        };
        for answer in answers {
            for part in &answer.division.parts {
                let mut record = vec![
                    basis.to_owned(),
                    answer.cadence.as_str().to_owned(),
                    part.id.clone(),
                    part.owner.clone(),
                    currency.code().to_owned(),
                    plain(currency, part.share),
                    plain_unsigned(currency, part.price_before),
                    plain_unsigned(currency, part.price_after),
                    part.is_at_floor.to_string(),
                    String::new(),
                ];
                if !brief {
                    record.push(words(&answer.division, part, currency));
                }
                writer.write_record(&record)?;
            }
        }
    }
    Ok(String::from_utf8(writer.into_inner()?)?)
}

/// An amount without grouping, as a quote's amounts are read.
fn plain(currency: Currency, minor: i64) -> String {
    let sign = if minor < 0 { "-" } else { "" };
    format!("{sign}{}", plain_unsigned(currency, minor.unsigned_abs()))
}

fn plain_unsigned(currency: Currency, minor: u64) -> String {
    currency.decimal_unsigned(minor).replace(',', "")
}
