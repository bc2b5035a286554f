//! Money: whole minor units of a currency, exactly.
//!
//! An amount is stored as a number of minor units (cents, yen, fils) beside the currency's code
//! and the exponent that held when it was written. Codes change their exponent now and then; a
//! stored amount keeps its meaning because its own exponent wins over any later table. Nothing
//! is ever rounded here: what does not fit is an error.

mod written;

use serde::{Deserialize, Serialize};

pub use written::WrittenError;

/// Letters in an ISO 4217 code.
pub const CODE_LETTERS: usize = 3;
/// Largest exponent a stored currency may have: the wire carries nine decimal places. ISO 4217
/// itself goes up to four.
pub const EXPONENT_MAX: u8 = 9;
/// Nano-units (billionths) in one unit of a currency.
pub const NANOS_PER_UNIT: i32 = 1_000_000_000;
/// Characters of an unknown code that an error repeats.
const ECHO_CHARACTERS_MAX: usize = 16;

/// Why an amount of money cannot be accepted.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum MoneyError {
    /// The code is not one of ISO 4217, written as three capital letters.
    #[error("{code:?} is not an ISO 4217 currency code of three capital letters")]
    UnknownCurrency {
        /// What was sent, cut after 16 characters.
        code: String,
    },
    /// The code is in ISO 4217 but has no minor unit, such as gold (XAU) or "no currency" (XXX).
    #[error("{code} has no minor unit, so no amount can be stored in it")]
    NoMinorUnit {
        /// The code.
        code: String,
    },
    /// A stored exponent is larger than [`EXPONENT_MAX`].
    #[error("exponent {exponent} of {code} is larger than {EXPONENT_MAX}")]
    ExponentOutOfRange {
        /// The code.
        code: String,
        /// The exponent that was stored.
        exponent: u8,
    },
    /// The nanos alone make up a whole unit or more.
    #[error("nanos {nanos} are outside -999,999,999 to 999,999,999")]
    NanosOutOfRange {
        /// The nanos that were sent.
        nanos: i32,
    },
    /// Units and nanos pull in different directions.
    #[error("units {units} and nanos {nanos} have different signs")]
    SignsDiffer {
        /// The units that were sent.
        units: i64,
        /// The nanos that were sent.
        nanos: i32,
    },
    /// The amount is finer than the currency's minor unit.
    #[error("nanos {nanos} are finer than the minor unit of {currency}")]
    TooFine {
        /// The currency, whose exponent tells how fine an amount may be.
        currency: Currency,
        /// The nanos that were sent.
        nanos: i32,
    },
    /// The amount does not fit 64 bits of minor units.
    #[error("the amount in minor units of {currency} does not fit a signed 64-bit number")]
    OutOfRange {
        /// The currency.
        currency: Currency,
    },
    /// Two amounts of different currencies, or of one code under different exponents.
    #[error(
        "amounts in {left} (exponent {}) and {right} (exponent {}) cannot be combined",
        left.exponent(),
        right.exponent()
    )]
    Mismatch {
        /// The currency of the left amount.
        left: Currency,
        /// The currency of the right amount.
        right: Currency,
    },
}

/// A currency: its ISO 4217 code and the exponent that held when the amount was written.
///
/// Serialised as `{"code": "EUR", "exponent": 2}`. Reading accepts any well-formed code, so that
/// a code which ISO withdraws later, or whose exponent changes, still reads as it was written.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "StoredCurrency", into = "StoredCurrency")]
pub struct Currency {
    /// Three capital ASCII letters.
    code: [u8; CODE_LETTERS],
    /// Decimal places of the minor unit.
    exponent: u8,
}

/// How a currency is written down.
#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct StoredCurrency {
    code: String,
    exponent: u8,
}

impl Currency {
    /// The currency that ISO 4217 knows under `code`, with the exponent it has today.
    ///
    /// # Errors
    /// [`MoneyError::UnknownCurrency`] unless `code` is one of ISO 4217 in capital letters,
    /// [`MoneyError::NoMinorUnit`] for codes such as XAU that name no countable money.
    pub fn from_code(code: &str) -> Result<Self, MoneyError> {
        let letters = letters_of(code)?;
        let known = iso_currency::Currency::from_code(code).ok_or_else(|| unknown(code))?;
        let exponent = known
            .exponent()
            .and_then(|exponent| u8::try_from(exponent).ok())
            .ok_or_else(|| MoneyError::NoMinorUnit {
                code: code.to_owned(),
            })?;
        Self::checked(letters, exponent)
    }

    /// The ISO 4217 code: three capital letters.
    #[must_use]
    pub fn code(&self) -> &str {
        // Only capital ASCII letters get in, so this is always text.
        std::str::from_utf8(&self.code).unwrap_or_default()
    }

    /// Decimal places of the minor unit: 2 for EUR, 0 for JPY, 3 for KWD.
    #[must_use]
    pub const fn exponent(&self) -> u8 {
        self.exponent
    }

    /// Minor units in one unit: ten to the power of the exponent.
    #[must_use]
    pub const fn minor_per_unit(&self) -> u64 {
        10_u64.pow(self.exponent as u32)
    }

    /// `minor` minor units as decimal text with grouped thousands and without the code, such as
    /// `-1,234.50`.
    #[must_use]
    pub fn decimal(&self, minor: i64) -> String {
        let sign = if minor < 0 { "-" } else { "" };
        format!("{sign}{}", self.decimal_unsigned(minor.unsigned_abs()))
    }

    /// As [`Currency::decimal`], for a number of minor units without a sign.
    #[must_use]
    pub fn decimal_unsigned(&self, minor: u64) -> String {
        let units = grouped(minor / self.minor_per_unit());
        if self.exponent == 0 {
            return units;
        }
        let rest = minor % self.minor_per_unit();
        let width = usize::from(self.exponent);
        format!("{units}.{rest:0width$}")
    }

    /// Puts a code and an exponent together, with the exponent checked.
    fn checked(code: [u8; CODE_LETTERS], exponent: u8) -> Result<Self, MoneyError> {
        let currency = Self { code, exponent };
        if exponent > EXPONENT_MAX {
            let code = currency.code().to_owned();
            return Err(MoneyError::ExponentOutOfRange { code, exponent });
        }
        Ok(currency)
    }

    /// Nano-units in one minor unit.
    const fn nanos_per_minor(self) -> i32 {
        10_i32.pow((EXPONENT_MAX - self.exponent) as u32)
    }
}

impl std::fmt::Display for Currency {
    /// The code.
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.write_str(self.code())
    }
}

impl TryFrom<StoredCurrency> for Currency {
    type Error = MoneyError;

    fn try_from(stored: StoredCurrency) -> Result<Self, MoneyError> {
        Self::checked(letters_of(&stored.code)?, stored.exponent)
    }
}

impl From<Currency> for StoredCurrency {
    fn from(currency: Currency) -> Self {
        Self {
            code: currency.code().to_owned(),
            exponent: currency.exponent,
        }
    }
}

/// An amount of money: a whole number of minor units, negative for a credit.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Money {
    /// The currency, with the exponent that gives `minor` its meaning.
    pub currency: Currency,
    /// Minor units: 123450 is 1,234.50 EUR.
    pub minor: i64,
}

impl Money {
    /// `minor` minor units of `currency`.
    #[must_use]
    pub const fn from_minor(currency: Currency, minor: i64) -> Self {
        Self { currency, minor }
    }

    /// Nothing at all, in `currency`.
    #[must_use]
    pub const fn zero(currency: Currency) -> Self {
        Self::from_minor(currency, 0)
    }

    /// The amount `units` + `nanos` / 1,000,000,000, as `google.type.Money` writes it.
    ///
    /// # Errors
    /// A code that [`Currency::from_code`] refuses; [`MoneyError::NanosOutOfRange`];
    /// [`MoneyError::SignsDiffer`]; [`MoneyError::TooFine`] where the nanos are not a whole number
    /// of minor units; [`MoneyError::OutOfRange`] where the minor units do not fit.
    pub fn from_units_and_nanos(code: &str, units: i64, nanos: i32) -> Result<Self, MoneyError> {
        let currency = Currency::from_code(code)?;
        if nanos.unsigned_abs() >= NANOS_PER_UNIT.unsigned_abs() {
            return Err(MoneyError::NanosOutOfRange { nanos });
        }
        if units.signum() * i64::from(nanos.signum()) < 0 {
            return Err(MoneyError::SignsDiffer { units, nanos });
        }
        let nanos_per_minor = currency.nanos_per_minor();
        if nanos % nanos_per_minor != 0 {
            return Err(MoneyError::TooFine { currency, nanos });
        }
        let whole = i128::from(units) * i128::from(currency.minor_per_unit());
        let minor = whole + i128::from(nanos / nanos_per_minor);
        i64::try_from(minor)
            .map(|minor| Self { currency, minor })
            .map_err(|_| MoneyError::OutOfRange { currency })
    }

    /// The amount as `google.type.Money` writes it: units, and billionths of a unit of the same
    /// sign. Always exact.
    #[must_use]
    pub fn to_units_and_nanos(&self) -> (i64, i32) {
        let per_unit = self.currency.minor_per_unit().cast_signed();
        // Less than a unit is left, which is less than 10^9 nanos, so the narrowing cannot fail.
        let rest = i32::try_from(self.minor % per_unit).unwrap_or_default();
        (
            self.minor / per_unit,
            rest * self.currency.nanos_per_minor(),
        )
    }

    /// The sum of two amounts of one currency.
    ///
    /// # Errors
    /// [`MoneyError::Mismatch`] unless code and exponent are equal; [`MoneyError::OutOfRange`].
    pub fn checked_add(self, other: Self) -> Result<Self, MoneyError> {
        self.combined(other, i64::checked_add)
    }

    /// This amount less `other`, of the same currency.
    ///
    /// # Errors
    /// [`MoneyError::Mismatch`] unless code and exponent are equal; [`MoneyError::OutOfRange`].
    pub fn checked_sub(self, other: Self) -> Result<Self, MoneyError> {
        self.combined(other, i64::checked_sub)
    }

    /// Applies `operation` to the minor units of two amounts of one currency.
    fn combined(
        self,
        other: Self,
        operation: fn(i64, i64) -> Option<i64>,
    ) -> Result<Self, MoneyError> {
        let currency = self.currency;
        if currency != other.currency {
            return Err(MoneyError::Mismatch {
                left: currency,
                right: other.currency,
            });
        }
        operation(self.minor, other.minor)
            .map(|minor| Self { currency, minor })
            .ok_or(MoneyError::OutOfRange { currency })
    }
}

impl std::fmt::Display for Money {
    /// Such as `1,234.50 EUR`.
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(
            formatter,
            "{} {}",
            self.currency.decimal(self.minor),
            self.currency
        )
    }
}

/// A whole number with its thousands set apart by commas.
#[must_use]
pub fn grouped(number: u64) -> String {
    const GROUP_DIGITS: usize = 3;
    let digits = number.to_string();
    let mut text = String::with_capacity(digits.len() + digits.len() / GROUP_DIGITS);
    for (index, digit) in digits.chars().enumerate() {
        if index > 0 && (digits.len() - index).is_multiple_of(GROUP_DIGITS) {
            text.push(',');
        }
        text.push(digit);
    }
    text
}

/// The letters of a code, if they are three capital ASCII letters.
fn letters_of(code: &str) -> Result<[u8; CODE_LETTERS], MoneyError> {
    let letters: [u8; CODE_LETTERS] = code.as_bytes().try_into().map_err(|_| unknown(code))?;
    if letters.iter().all(u8::is_ascii_uppercase) {
        Ok(letters)
    } else {
        Err(unknown(code))
    }
}

/// The error for a code nobody knows.
fn unknown(code: &str) -> MoneyError {
    MoneyError::UnknownCurrency {
        code: code.chars().take(ECHO_CHARACTERS_MAX).collect(),
    }
}

#[cfg(test)]
mod tests;
