//! Documents for accounting software: what a quote offers and what a statement says, as CSV or as
//! UBL. Only amounts that the caller may see get here; costs never do.

mod csv;
pub(super) mod document;
#[cfg(test)]
mod tests;
mod ubl;

pub(super) use self::csv::{Cell, csv};
pub(super) use self::ubl::ubl;

use super::convert::known_enum;
use super::listing::PAGE_BYTES_MAX;
use crate::domain::refusal::{Reason, Refusal};
use crate::proto::v1;

/// In which form a document is wanted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Format {
    /// Comma-separated values, for spreadsheets.
    Csv,
    /// UBL 2.1, an XML that accounting software reads.
    Ubl,
}

impl Format {
    /// The form that a request names.
    ///
    /// # Errors
    /// [`Reason::InvalidField`].
    pub(super) fn parse(value: i32) -> Result<Self, Refusal> {
        Ok(match known_enum("format", value)? {
            v1::ExportFormat::Ubl => Self::Ubl,
            v1::ExportFormat::Csv | v1::ExportFormat::Unspecified => Self::Csv,
        })
    }

    /// Its media type.
    pub(super) const fn media_type(self) -> &'static str {
        match self {
            Self::Csv => "text/csv; charset=utf-8",
            Self::Ubl => "application/xml",
        }
    }

    /// The name of a file with a document of that id.
    pub(super) fn file_name(self, id: &str) -> String {
        match self {
            Self::Csv => format!("{id}.csv"),
            Self::Ubl => format!("{id}.xml"),
        }
    }
}

/// Refuses a document that is too large to be sent.
///
/// # Errors
/// [`Reason::ResultTooLarge`].
pub(super) fn fitting(content: Vec<u8>) -> Result<Vec<u8>, Refusal> {
    if content.len() <= PAGE_BYTES_MAX {
        return Ok(content);
    }
    let message = format!("the document is larger than {PAGE_BYTES_MAX} bytes");
    Err(Refusal::new(Reason::ResultTooLarge, message)
        .with("limit", "export_bytes")
        .with("maximum", PAGE_BYTES_MAX))
}
