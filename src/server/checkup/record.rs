//! The history of a record behind a figure: what the journal says of it, without what it holds.

use askama::Template;

use super::{page, words};
use crate::api::collections::collection;
use crate::domain::record::Kind;
use crate::domain::refusal::Refusal;
use crate::proto::v1;

/// Digits of a hash that are shown.
const HASH_DIGITS: usize = 12;

/// A page with the entries of one record.
#[derive(Debug, Template)]
#[template(path = "checkup_record.html")]
struct Page {
    style: &'static str,
    title: String,
    name: String,
    summary: String,
    entries: Vec<Line>,
}

#[derive(Debug)]
struct Line {
    sequence: String,
    recorded: String,
    what: String,
    by: String,
    hash: String,
}

/// The kind of record that names call `name`, such as `jointQuotes`.
#[must_use]
pub fn kind_of(name: &str) -> Option<Kind> {
    let mut kinds = Kind::ALL.iter().copied();
    kinds.find(|kind| collection(*kind) == Some(name))
}

/// The page of a record's entries; `is_all` if there are no others.
///
/// # Errors
/// [`crate::domain::refusal::Reason::Internal`], which only a broken template can lead to.
pub fn html(
    kind: Kind,
    name: &str,
    entries: &[v1::JournalEntry],
    is_all: bool,
) -> Result<String, Refusal> {
    let kind = kind.as_str().replace('_', " ");
    let count = entries.len();
    let summary = if is_all {
        format!("{count} entries, each with its hash: whoever has the journal can verify them.")
    } else {
        format!("The first {count} entries; the journal has more.")
    };
    let id = name.rsplit('/').next().unwrap_or_default();
    page::html(&Page {
        style: page::STYLE,
        title: format!("The {kind} {id}"),
        name: name.to_owned(),
        summary,
        entries: entries.iter().map(line).collect(),
    })
}

fn line(entry: &v1::JournalEntry) -> Line {
    let by = match entry.firm.as_str() {
        "" => "the server",
        firm => firm.strip_prefix("firms/").unwrap_or(firm),
    };
    Line {
        sequence: words::count(entry.sequence),
        recorded: entry.record_time.map(words::instant).unwrap_or_default(),
        what: entry.r#type.clone(),
        by: by.to_owned(),
        hash: entry.hash.chars().take(HASH_DIGITS).collect(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn collections_lead_to_kinds() {
        for (collection, kind) in [
            ("tickets", Some(Kind::Ticket)),
            ("jointQuotes", Some(Kind::JointQuote)),
            ("opportunities", Some(Kind::Opportunity)),
            ("nonsense", None),
            ("", None),
            ("s", None),
        ] {
            assert_eq!(kind_of(collection), kind, "{collection}");
        }
    }
}
