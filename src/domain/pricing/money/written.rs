//! Amounts as people write them.

use super::Currency;

/// Why a text is not an amount.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum WrittenError {
    /// It is no decimal number.
    #[error("is not an amount such as 1234.50, without grouping and without a currency")]
    NotANumber,
    /// It has more decimal places than the currency.
    #[error("is finer than the minor unit of {currency}, which has {} decimal places", currency.exponent())]
    TooFine {
        /// The currency.
        currency: Currency,
    },
    /// It does not fit 64 bits of minor units.
    #[error("is more than a signed 64-bit number of minor units of {currency} holds")]
    OutOfRange {
        /// The currency.
        currency: Currency,
    },
}

impl Currency {
    /// The minor units of an amount such as `-1234.5`: digits, perhaps a point and more digits, perhaps
    /// a minus before. Nothing is rounded; zeros beyond the minor unit are as good as none.
    ///
    /// # Errors
    /// Every variant of [`WrittenError`].
    pub fn read(&self, text: &str) -> Result<i64, WrittenError> {
        let (is_negative, size) = match text.strip_prefix('-') {
            Some(size) => (true, size),
            None => (false, text),
        };
        let (units, places) = size.split_once('.').unwrap_or((size, "0"));
        let is_digits =
            |part: &str| !part.is_empty() && part.bytes().all(|digit| digit.is_ascii_digit());
        if !is_digits(units) || !is_digits(places) {
            return Err(WrittenError::NotANumber);
        }
        let exponent = usize::from(self.exponent());
        let (kept, beyond) = places.split_at(places.len().min(exponent));
        if beyond.bytes().any(|digit| digit != b'0') {
            return Err(WrittenError::TooFine { currency: *self });
        }
        let digits = format!("{units}{kept:0<exponent$}");
        let out_of_range = WrittenError::OutOfRange { currency: *self };
        let size: i64 = digits.parse().map_err(|_| out_of_range)?;
        Ok(if is_negative { -size } else { size })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(code: &str, text: &str) -> Result<i64, &'static str> {
        let currency = Currency::from_code(code).unwrap();
        currency.read(text).map_err(|error| match error {
            WrittenError::NotANumber => "no number",
            WrittenError::TooFine { .. } => "too fine",
            WrittenError::OutOfRange { .. } => "out of range",
        })
    }

    #[test]
    fn amounts_are_read_exactly() {
        for (code, text, minor) in [
            ("EUR", "0", 0),
            ("EUR", "12", 1_200),
            ("EUR", "12.3", 1_230),
            ("EUR", "-0.05", -5),
            ("EUR", "1.500", 150),
            ("EUR", "92233720368547758.07", i64::MAX),
            ("JPY", "1200", 1_200),
            ("JPY", "1200.00", 1_200),
            ("KWD", "1.005", 1_005),
        ] {
            assert_eq!(read(code, text), Ok(minor), "{text} {code}");
        }
    }

    #[test]
    fn what_is_no_amount_is_said() {
        for text in [
            "", "-", ".5", "1.", "1,000.00", "1e3", "+1", " 1", "1 EUR", "--1", "1.2.3", "NaN",
        ] {
            assert_eq!(read("EUR", text), Err("no number"), "{text:?}");
        }
        assert_eq!(read("EUR", "0.005"), Err("too fine"));
        assert_eq!(read("JPY", "0.5"), Err("too fine"));
        assert_eq!(read("EUR", "92233720368547758.08"), Err("out of range"));
        assert_eq!(read("EUR", &"9".repeat(400)), Err("out of range"));
    }
}
