//! What a document says, before it is written in any form.

use crate::domain::pricing::money::Currency;
use crate::domain::refusal::{Reason, Refusal};
use crate::domain::sla::calendar::CivilDate;

/// Reason code of an allowance: a discount (UNCL 5189).
pub(in crate::api) const DISCOUNT: &str = "95";
/// Reason code of a charge: one that the parties defined themselves (UNCL 7161).
pub(in crate::api) const DEFINED_BY_PARTIES: &str = "ZZZ";

/// What sort of document it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::api) enum Sort {
    /// An offer to a client.
    Quotation,
    /// What one party owes another.
    Invoice,
}

/// One side of a document.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(in crate::api) struct Side {
    /// Its identifier.
    pub(in crate::api) id: String,
    /// Its name for people.
    pub(in crate::api) name: String,
}

/// A line: one thing at its price before any concession.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(in crate::api) struct Line {
    /// What it is called.
    pub(in crate::api) name: String,
    /// What it is, in words.
    pub(in crate::api) description: String,
    /// Its price in minor units; not negative.
    pub(in crate::api) price: i64,
}

/// What is taken off the prices, or added to them.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(in crate::api) struct Adjustment {
    /// What it is for, in words.
    pub(in crate::api) reason: String,
    /// What is taken off, in minor units; negative for what is added.
    pub(in crate::api) off: i64,
}

impl Adjustment {
    /// Whether it is added.
    pub(in crate::api) const fn is_charge(&self) -> bool {
        self.off < 0
    }
}

/// A document.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(in crate::api) struct Document {
    /// What sort it is.
    pub(in crate::api) sort: Sort,
    /// Its identifier.
    pub(in crate::api) id: String,
    /// From which day it is.
    pub(in crate::api) date: CivilDate,
    /// The currency of every amount.
    pub(in crate::api) currency: Currency,
    /// What else there is to say.
    pub(in crate::api) note: String,
    /// Who is to be paid.
    pub(in crate::api) supplier: Side,
    /// Who is to pay.
    pub(in crate::api) customer: Side,
    /// Its lines.
    pub(in crate::api) lines: Vec<Line>,
    /// What is taken off or added; none of them is 0.
    pub(in crate::api) adjustments: Vec<Adjustment>,
}

/// What a document adds up to, in minor units. Tax is not part of it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::api) struct Totals {
    /// Sum of the lines.
    pub(in crate::api) lines: i64,
    /// Sum of what is taken off; not negative.
    pub(in crate::api) allowances: i64,
    /// Sum of what is added; not negative.
    pub(in crate::api) charges: i64,
    /// What is to be paid: lines less allowances and with charges.
    pub(in crate::api) payable: i64,
}

impl Document {
    /// What it adds up to.
    ///
    /// # Errors
    /// [`Reason::OutOfRange`] if a sum does not fit 64 bits.
    pub(in crate::api) fn totals(&self) -> Result<Totals, Refusal> {
        let off = |is_charge| {
            let adjustments = self.adjustments.iter();
            let those = adjustments.filter(|adjustment| adjustment.is_charge() == is_charge);
            those
                .map(|adjustment| i128::from(adjustment.off).abs())
                .sum::<i128>()
        };
        let lines: i128 = self.lines.iter().map(|line| i128::from(line.price)).sum();
        let (allowances, charges) = (off(false), off(true));
        let fitting = |sum: i128| {
            let message = "a total of the document does not fit a signed 64-bit number";
            i64::try_from(sum).map_err(|_| Refusal::new(Reason::OutOfRange, message))
        };
        Ok(Totals {
            lines: fitting(lines)?,
            allowances: fitting(allowances)?,
            charges: fitting(charges)?,
            payable: fitting(lines - allowances + charges)?,
        })
    }
}

/// Minor units as a decimal number without thousands, such as `-1234.50`.
pub(in crate::api) fn decimal(currency: Currency, minor: i64) -> String {
    currency.decimal(minor).replace(',', "")
}
