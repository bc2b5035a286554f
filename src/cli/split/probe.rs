//! A door for programs that try whatever bytes there are.

use super::{Asked, BasisName, Format, Outcome, RoundingName, SplitError, split};

/// Bit of the first byte that says that the rest is JSON.
const JSON: u8 = 1;
/// Bit for the ratchet.
const RATCHET: u8 = 1 << 1;
/// Bit for going below floors.
const BELOW_FLOOR: u8 = 1 << 2;
/// Bit for a surcharge instead of a concession.
const SURCHARGE: u8 = 1 << 3;

/// Divides what bytes say, by every basis: the first byte chooses the format and the rules, the rest is
/// the quote.
///
/// # Errors
/// As [`split`].
pub fn from_bytes(bytes: &[u8]) -> Result<Outcome, SplitError> {
    let (first, quote) = bytes.split_first().unwrap_or((&0, &[]));
    let is = |bit: u8| first & bit != 0;
    let format = if is(JSON) { Format::Json } else { Format::Csv };
    // Where a quote in JSON states what is conceded, that counts.
    let concession = match format {
        Format::Csv => Some(if is(SURCHARGE) { "-5" } else { "5" }.to_owned()),
        Format::Json => None,
    };
    let rounding = if is(RATCHET) {
        RoundingName::Ratchet
    } else {
        RoundingName::LargestRemainder
    };
    let asked = Asked {
        concession,
        bases: vec![
            BasisName::Price,
            BasisName::Cost,
            BasisName::Margin,
            BasisName::CostBand,
            BasisName::FixedBps,
            BasisName::Custom,
        ],
        shares: vec!["x=2500".to_owned(), "y=7500".to_owned()],
        rounding,
        below_floor: is(BELOW_FLOOR),
        ..Asked::default()
    };
    split(quote, format, &asked)
}

impl Outcome {
    /// Whether everything that was divided adds up: the shares to what was conceded, and each price before
    /// less its share to the price after.
    #[must_use]
    pub fn adds_up(&self) -> bool {
        let answers = self
            .alternatives
            .iter()
            .filter_map(|(_, answer)| answer.as_ref().ok());
        answers.flatten().all(|answer| {
            let division = &answer.division;
            let shares = division.parts.iter().map(|part| i128::from(part.share));
            let lines = division.parts.iter().all(|part| {
                let after = i128::from(part.price_before) - i128::from(part.share);
                after == i128::from(part.price_after)
            });
            lines
                && shares.sum::<i128>() == i128::from(division.concession)
                && self.sheet.concessions.get(&answer.cadence) == Some(&division.concession)
        })
    }
}
