//! Internal costs: how they are written down to be sealed, and how one in another currency becomes
//! one in the quote's.

use serde::{Deserialize, Serialize};

use crate::domain::pricing::money::{Currency, Money};
use crate::domain::sla::calendar::CivilDate;

/// Label under which every internal cost is sealed, so that one quote's opening has the same form
/// however the portion came into it.
pub const LABEL: &str = "portion.internal_cost";
/// Most decimal places of a rate.
pub const RATE_SCALE_MAX: u8 = 12;

/// An exchange rate, exactly: `mantissa` / 10^`scale` units of the quote's currency for one unit of
/// the cost's.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ExchangeRate {
    /// All digits of the rate, more than zero.
    pub mantissa: i64,
    /// How many of them are decimal places: up to [`RATE_SCALE_MAX`].
    pub scale: u8,
}

impl ExchangeRate {
    /// Reads a decimal number such as `0.9213`: digits, and up to twelve decimal places.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        let (whole, places) = text.split_once('.').unwrap_or((text, ""));
        let is_number = |digits: &str| digits.bytes().all(|digit| digit.is_ascii_digit());
        let has_places = !places.is_empty() || !text.contains('.');
        if whole.is_empty() || !has_places || !is_number(whole) || !is_number(places) {
            return None;
        }
        let scale = u8::try_from(places.len()).ok()?;
        let mantissa = format!("{whole}{places}").parse().ok()?;
        let rate = Self { mantissa, scale };
        rate.is_sound().then_some(rate)
    }

    /// Whether it is more than zero and has no more decimal places than [`RATE_SCALE_MAX`].
    #[must_use]
    pub const fn is_sound(self) -> bool {
        self.mantissa > 0 && self.scale <= RATE_SCALE_MAX
    }

    /// The amount in `currency` that `money` is at this rate, rounded once, half to even; `None` if
    /// it does not fit.
    #[must_use]
    pub fn convert(self, money: Money, currency: Currency) -> Option<Money> {
        let power = |exponent: u8| 10_u128.checked_pow(u32::from(exponent));
        // minor / 10^own * mantissa / 10^scale * 10^other. Two 64-bit numbers and a power of up to
        // nine need 157 bits at worst, so each product is checked.
        let digits = u128::from(money.minor.unsigned_abs())
            .checked_mul(u128::from(self.mantissa.unsigned_abs()))?;
        let scaled = digits.checked_mul(power(currency.exponent())?)?;
        let divisor = power(money.currency.exponent())?.checked_mul(power(self.scale)?)?;
        let rounded = half_even(scaled, divisor);
        let size = i64::try_from(rounded).ok()?;
        let minor = if money.minor < 0 { -size } else { size };
        Some(Money::from_minor(currency, minor))
    }
}

impl std::fmt::Display for ExchangeRate {
    /// Such as `0.9213`.
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let scale = usize::from(self.scale);
        let digits = format!("{:0>width$}", self.mantissa, width = scale + 1);
        let (whole, places) = digits.split_at(digits.len() - scale);
        match places {
            "" => formatter.write_str(whole),
            places => write!(formatter, "{whole}.{places}"),
        }
    }
}

/// A quotient rounded to the nearest integer, and to the even one of two that are as near.
fn half_even(numerator: u128, divisor: u128) -> u128 {
    let (quotient, rest) = (numerator / divisor, numerator % divisor);
    // No divisor is anywhere near half of 128 bits.
    let up = match (2 * rest).cmp(&divisor) {
        std::cmp::Ordering::Less => false,
        std::cmp::Ordering::Equal => quotient % 2 == 1,
        std::cmp::Ordering::Greater => true,
    };
    quotient + u128::from(up)
}

/// By which rate a cost in another currency counts in the quote's: stored with its date and its
/// source, so that it is the same for ever.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct CostExchange {
    /// The currency of the cost.
    pub currency: Currency,
    /// The rate.
    pub rate: ExchangeRate,
    /// Of which day.
    pub date: CivilDate,
    /// Who published it, for people.
    pub source: String,
}

/// The text that is sealed: currency and minor units, such as `EUR 123450`. It is the cost as its
/// owner stated it, before any conversion.
#[must_use]
pub fn to_text(cost: &Money) -> String {
    format!("{} {}", cost.currency, cost.minor)
}

/// The cost behind a text, in `currency`; `None` if it is not such a text.
#[must_use]
pub fn from_text(text: &str, currency: Currency) -> Option<Money> {
    let (code, minor) = text.split_once(' ')?;
    let minor = minor.parse().ok()?;
    (code == currency.code()).then(|| Money::from_minor(currency, minor))
}

/// A cost in the quote's `currency`: as it is, or by its exchange; `None` if that does not fit.
#[must_use]
pub fn converted(
    cost: Money,
    exchange: Option<&CostExchange>,
    currency: Currency,
) -> Option<Money> {
    match exchange {
        Some(exchange) => exchange.rate.convert(cost, currency),
        None => (cost.currency == currency).then_some(cost),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn money(code: &str, minor: i64) -> Money {
        Money::from_minor(Currency::from_code(code).unwrap(), minor)
    }

    #[test]
    fn costs_come_back_as_they_were() {
        for (code, minor, text) in [
            ("EUR", 123_450, "EUR 123450"),
            ("JPY", 0, "JPY 0"),
            ("KWD", i64::MAX, "KWD 9223372036854775807"),
        ] {
            let cost = money(code, minor);
            assert_eq!(to_text(&cost), text);
            assert_eq!(from_text(text, cost.currency), Some(cost));
        }
    }

    #[test]
    fn other_texts_are_no_costs() {
        let euro = Currency::from_code("EUR").unwrap();
        for text in ["", "EUR", "EUR 1.00", "USD 100", "EUR  100"] {
            assert_eq!(from_text(text, euro), None, "{text:?}");
        }
    }

    #[test]
    fn rates_are_exact_decimals() {
        for text in ["1", "0.9213", "0.000000000001", "110.05"] {
            assert_eq!(ExchangeRate::parse(text).unwrap().to_string(), text);
        }
        for text in [
            "",
            "0",
            "0.0",
            ".5",
            "1.",
            "-1",
            "1e3",
            "1,5",
            " 1",
            "1.2.3",
            "0.0000000000001",
            "99999999999999999999",
        ] {
            assert_eq!(ExchangeRate::parse(text), None, "{text:?}");
        }
    }

    #[test]
    fn a_cost_is_converted_once_half_to_even() {
        let convert = |rate: &str, cost: Money, code: &str| {
            let to = Currency::from_code(code).unwrap();
            ExchangeRate::parse(rate)
                .unwrap()
                .convert(cost, to)
                .map(|found| found.minor)
        };
        assert_eq!(convert("0.5", money("USD", 1), "EUR"), Some(0));
        assert_eq!(convert("0.5", money("USD", 3), "EUR"), Some(2));
        assert_eq!(convert("0.5", money("USD", 5), "EUR"), Some(2));
        assert_eq!(convert("0.9213", money("USD", 10_000), "EUR"), Some(9_213));
        assert_eq!(convert("0.0061", money("JPY", 1_000), "EUR"), Some(610));
        assert_eq!(convert("163.25", money("EUR", 10_000), "JPY"), Some(16_325));
        assert_eq!(convert("0.3", money("EUR", 12), "KWD"), Some(36));
        assert_eq!(convert("2", money("USD", i64::MAX), "EUR"), None);
        assert_eq!(convert("1", money("USD", i64::MAX), "EUR"), Some(i64::MAX));
    }
}
