//! Internal costs: sealed for their owner alone, as text.

use crate::domain::pricing::money::{Currency, Money};

/// Label under which every internal cost is sealed, so that one quote's opening has the same form
/// however the portion came into it.
pub(super) const LABEL: &str = "portion.internal_cost";

/// The text that is sealed: currency and minor units, such as `EUR 123450`.
pub(super) fn to_text(cost: &Money) -> String {
    format!("{} {}", cost.currency, cost.minor)
}

/// The cost behind a text, in the currency of its quote; `None` if it is not such a text.
pub(super) fn from_text(text: &str, currency: Currency) -> Option<Money> {
    let (code, minor) = text.split_once(' ')?;
    let minor = minor.parse().ok()?;
    (code == currency.code()).then(|| Money::from_minor(currency, minor))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn costs_come_back_as_they_were() {
        for (code, minor, text) in [
            ("EUR", 123_450, "EUR 123450"),
            ("JPY", 0, "JPY 0"),
            ("KWD", i64::MAX, "KWD 9223372036854775807"),
        ] {
            let currency = Currency::from_code(code).unwrap();
            let cost = Money::from_minor(currency, minor);
            assert_eq!(to_text(&cost), text);
            assert_eq!(from_text(text, currency), Some(cost));
        }
    }

    #[test]
    fn other_texts_are_no_costs() {
        let euro = Currency::from_code("EUR").unwrap();
        for text in ["", "EUR", "EUR 1.00", "USD 100", "EUR  100"] {
            assert_eq!(from_text(text, euro), None, "{text:?}");
        }
    }
}
