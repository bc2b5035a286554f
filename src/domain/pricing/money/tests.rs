//! Exponents, limits, and both written forms of money.

use proptest::prelude::*;

use super::*;

fn currency(code: &str) -> Currency {
    Currency::from_code(code).unwrap()
}

#[test]
fn exponents_are_those_of_iso_4217() {
    let expected = [
        ("EUR", 2),
        ("JPY", 0),
        ("KWD", 3),
        ("CLF", 4),
        ("ISK", 0),
        ("UGX", 0),
        ("HUF", 2),
        ("KPW", 2),
    ];
    for (code, exponent) in expected {
        assert_eq!(currency(code).exponent(), exponent, "{code}");
    }
}

#[test]
fn unknown_codes_and_codes_without_minor_unit_are_refused() {
    for code in ["", "EU", "EURO", "eur", "ZZZ", "€", "E R"] {
        let error = Currency::from_code(code).unwrap_err();
        assert_eq!(
            error,
            MoneyError::UnknownCurrency {
                code: code.to_owned()
            }
        );
    }
    for code in ["XXX", "XAU", "XDR"] {
        let error = Currency::from_code(code).unwrap_err();
        assert_eq!(
            error,
            MoneyError::NoMinorUnit {
                code: code.to_owned()
            }
        );
    }
    let MoneyError::UnknownCurrency { code } = Currency::from_code(&"é".repeat(99)).unwrap_err()
    else {
        panic!("another error");
    };
    assert_eq!(code.chars().count(), ECHO_CHARACTERS_MAX);
}

#[test]
fn shows_units_minor_units_and_code() {
    let cases = [
        ("EUR", 123_450, "1,234.50 EUR"),
        ("EUR", -123_450, "-1,234.50 EUR"),
        ("EUR", -5, "-0.05 EUR"),
        ("EUR", 0, "0.00 EUR"),
        ("JPY", 1_234_567, "1,234,567 JPY"),
        ("JPY", -999, "-999 JPY"),
        ("KWD", 1_000_001, "1,000.001 KWD"),
        ("EUR", i64::MIN, "-92,233,720,368,547,758.08 EUR"),
    ];
    for (code, minor, text) in cases {
        assert_eq!(Money::from_minor(currency(code), minor).to_string(), text);
    }
}

#[test]
fn refuses_what_the_wire_form_does_not_allow() {
    let eur = currency("EUR");
    let cases = [
        (
            "EUR",
            1,
            -1,
            MoneyError::SignsDiffer {
                units: 1,
                nanos: -1,
            },
        ),
        (
            "EUR",
            -1,
            1,
            MoneyError::SignsDiffer {
                units: -1,
                nanos: 1,
            },
        ),
        (
            "EUR",
            0,
            NANOS_PER_UNIT,
            MoneyError::NanosOutOfRange {
                nanos: NANOS_PER_UNIT,
            },
        ),
        (
            "EUR",
            0,
            i32::MIN,
            MoneyError::NanosOutOfRange { nanos: i32::MIN },
        ),
        (
            "EUR",
            0,
            1_000_000,
            MoneyError::TooFine {
                currency: eur,
                nanos: 1_000_000,
            },
        ),
        (
            "JPY",
            5,
            500_000_000,
            MoneyError::TooFine {
                currency: currency("JPY"),
                nanos: 500_000_000,
            },
        ),
        ("EUR", i64::MAX, 0, MoneyError::OutOfRange { currency: eur }),
        ("EUR", i64::MIN, 0, MoneyError::OutOfRange { currency: eur }),
        (
            "EUR",
            92_233_720_368_547_758,
            80_000_000,
            MoneyError::OutOfRange { currency: eur },
        ),
    ];
    for (code, units, nanos, error) in cases {
        assert_eq!(Money::from_units_and_nanos(code, units, nanos), Err(error));
    }
}

#[test]
fn accepts_the_largest_amounts_and_a_fraction_alone() {
    let largest = Money::from_units_and_nanos("EUR", 92_233_720_368_547_758, 70_000_000);
    assert_eq!(largest.unwrap().minor, i64::MAX);
    assert_eq!(
        Money::from_units_and_nanos("JPY", i64::MIN, 0)
            .unwrap()
            .minor,
        i64::MIN
    );
    assert_eq!(
        Money::from_units_and_nanos("KWD", 0, -5_000_000)
            .unwrap()
            .minor,
        -5
    );
    assert_eq!(
        Money::from_units_and_nanos("CLF", 1, 100_000)
            .unwrap()
            .minor,
        10_001
    );
}

#[test]
fn combines_only_equal_currencies() {
    let euro = Money::from_minor(currency("EUR"), 5);
    let krona = Money::from_minor(currency("SEK"), 5);
    assert_eq!(euro.checked_add(euro).unwrap().minor, 10);
    assert_eq!(
        euro.checked_sub(euro).unwrap(),
        Money::zero(currency("EUR"))
    );
    let mismatch = MoneyError::Mismatch {
        left: euro.currency,
        right: krona.currency,
    };
    assert_eq!(euro.checked_add(krona), Err(mismatch.clone()));
    assert_eq!(euro.checked_sub(krona), Err(mismatch));
    let most = Money::from_minor(currency("EUR"), i64::MAX);
    let error = MoneyError::OutOfRange {
        currency: currency("EUR"),
    };
    assert_eq!(most.checked_add(euro), Err(error.clone()));
    assert_eq!(
        Money::from_minor(most.currency, i64::MIN).checked_sub(euro),
        Err(error)
    );
}

#[test]
fn the_stored_exponent_wins() {
    // Iceland's krona once had two decimal places: an amount of then keeps its meaning.
    let text = r#"{"currency":{"code":"ISK","exponent":2},"minor":12345}"#;
    let old: Money = serde_json::from_str(text).unwrap();
    assert_eq!(old.to_string(), "123.45 ISK");
    assert_eq!(old.to_units_and_nanos(), (123, 450_000_000));
    assert_eq!(serde_json::to_string(&old).unwrap(), text);
    let today = Money::from_minor(currency("ISK"), 1);
    let error = old.checked_add(today).unwrap_err();
    assert_eq!(
        error.to_string(),
        "amounts in ISK (exponent 2) and ISK (exponent 0) cannot be combined"
    );
}

#[test]
fn reading_refuses_what_was_never_written() {
    for text in [
        r#"{"code":"eur","exponent":2}"#,
        r#"{"code":"EURO","exponent":2}"#,
        r#"{"code":"EUR","exponent":10}"#,
        r#"{"code":"EUR","exponent":2,"symbol":"x"}"#,
        r#"{"code":"EUR"}"#,
    ] {
        assert!(serde_json::from_str::<Currency>(text).is_err(), "{text}");
    }
    let extra = r#"{"currency":{"code":"EUR","exponent":2},"minor":1,"major":1}"#;
    assert!(serde_json::from_str::<Money>(extra).is_err());
    let float = r#"{"currency":{"code":"EUR","exponent":2},"minor":1.0}"#;
    assert!(serde_json::from_str::<Money>(float).is_err());
}

proptest! {
    #[test]
    fn wire_form_round_trips(
        code in prop::sample::select(vec!["EUR", "JPY", "KWD", "CLF"]),
        minor in any::<i64>(),
    ) {
        let money = Money::from_minor(currency(code), minor);
        let (units, nanos) = money.to_units_and_nanos();
        prop_assert_eq!(Money::from_units_and_nanos(code, units, nanos), Ok(money));
        let text = serde_json::to_string(&money).unwrap();
        prop_assert_eq!(serde_json::from_str::<Money>(&text).unwrap(), money);
    }

    #[test]
    fn no_input_panics(code in "[A-Z]{0,4}", units in any::<i64>(), nanos in any::<i32>()) {
        let _ = Money::from_units_and_nanos(&code, units, nanos);
    }
}
