//! Conversions between the contract's values and the domain's.

use super::caller::TRUSTED_ACTOR;
use crate::domain::aggregate::guest_of;
use crate::domain::identity::{ExternalReference, FirmId, is_chosen_identifier, is_identifier};
use crate::domain::partnership::Approval;
use crate::domain::pricing::money::{Money, MoneyError};
use crate::domain::refusal::{Reason, Refusal};
use crate::domain::sla::calendar::CivilDate;
use crate::domain::time::{MICROS_PER_SECOND, Span, Timestamp};
use crate::proto::google::r#type as google_type;
use crate::proto::v1;

/// Nanoseconds in a microsecond.
const NANOS_PER_MICRO: i64 = 1_000;
/// Most digits of a `grpc-timeout`.
const TIMEOUT_DIGITS_MAX: usize = 8;

/// An instant; finer than a microsecond is an error, never rounded.
///
/// # Errors
/// [`Reason::OutOfRange`] or [`Reason::InvalidField`], naming `field`.
pub fn timestamp(field: &str, value: prost_types::Timestamp) -> Result<Timestamp, Refusal> {
    micros(field, value.seconds, value.nanos).map(Timestamp::from_micros)
}

/// A length of time; finer than a microsecond is an error, never rounded.
///
/// # Errors
/// [`Reason::OutOfRange`] or [`Reason::InvalidField`], naming `field`.
pub fn span(field: &str, value: prost_types::Duration) -> Result<Span, Refusal> {
    micros(field, value.seconds, value.nanos).map(Span::from_micros)
}

fn micros(field: &str, seconds: i64, nanos: i32) -> Result<i64, Refusal> {
    let nanos = i64::from(nanos);
    if nanos % NANOS_PER_MICRO != 0 {
        return Err(Refusal::field(
            Reason::InvalidField,
            field,
            "finer than a microsecond",
        ));
    }
    seconds
        .checked_mul(MICROS_PER_SECOND)
        .and_then(|micros| micros.checked_add(nanos / NANOS_PER_MICRO))
        .ok_or_else(|| Refusal::field(Reason::OutOfRange, field, "too far from now"))
}

/// An instant as the contract shows it.
#[must_use]
pub fn to_timestamp(value: Timestamp) -> prost_types::Timestamp {
    let micros = value.as_micros();
    let nanos = micros.rem_euclid(MICROS_PER_SECOND) * NANOS_PER_MICRO;
    prost_types::Timestamp {
        seconds: micros.div_euclid(MICROS_PER_SECOND),
        nanos: i32::try_from(nanos).unwrap_or_default(),
    }
}

/// A length of time as the contract shows it.
#[must_use]
pub fn to_duration(value: Span) -> prost_types::Duration {
    let micros = value.as_micros();
    let nanos = (micros % MICROS_PER_SECOND) * NANOS_PER_MICRO;
    prost_types::Duration {
        seconds: micros / MICROS_PER_SECOND,
        nanos: i32::try_from(nanos).unwrap_or_default(),
    }
}

/// An amount of money.
///
/// # Errors
/// [`Reason::MoneyTooFine`], [`Reason::CurrencyUnknown`], [`Reason::OutOfRange`] or
/// [`Reason::InvalidField`], naming `field`.
pub fn money(field: &str, value: &google_type::Money) -> Result<Money, Refusal> {
    Money::from_units_and_nanos(&value.currency_code, value.units, value.nanos)
        .map_err(|error| money_refusal(field, &error))
}

/// The refusal for an amount that cannot be used.
#[must_use]
pub fn money_refusal(field: &str, error: &MoneyError) -> Refusal {
    let reason = match error {
        MoneyError::TooFine { .. } => Reason::MoneyTooFine,
        MoneyError::UnknownCurrency { .. } | MoneyError::NoMinorUnit { .. } => {
            Reason::CurrencyUnknown
        }
        MoneyError::Mismatch { .. } => Reason::CurrencyMismatch,
        MoneyError::OutOfRange { .. } => Reason::OutOfRange,
        _ => Reason::InvalidField,
    };
    Refusal::field(reason, field, error.to_string())
}

/// An amount as the contract shows it.
#[must_use]
pub fn to_money(value: &Money) -> google_type::Money {
    let (units, nanos) = value.to_units_and_nanos();
    google_type::Money {
        currency_code: value.currency.code().to_owned(),
        units,
        nanos,
    }
}

/// A date that is whole and exists; `None` for any other.
#[must_use]
pub fn civil_date(written: Option<&google_type::Date>) -> Option<CivilDate> {
    let date = written?;
    let (year, month, day) = (
        date.year.try_into().ok()?,
        date.month.try_into().ok()?,
        date.day.try_into().ok()?,
    );
    CivilDate::new(year, month, day)
}

/// A date as the contract shows it.
#[must_use]
pub fn to_date(date: CivilDate) -> google_type::Date {
    google_type::Date {
        year: date.year().into(),
        month: date.month().into(),
        day: date.day().into(),
    }
}

/// The etag of a revision.
#[must_use]
pub fn etag(revision: u64) -> String {
    format!("\"{revision}\"")
}

/// The revision of an etag; `None` for an empty one.
///
/// # Errors
/// If it is not an etag that was given out.
pub fn parse_etag(etag: &str) -> Result<Option<u64>, std::num::ParseIntError> {
    if etag.is_empty() {
        return Ok(None);
    }
    let inner = etag
        .strip_prefix('"')
        .and_then(|rest| rest.strip_suffix('"'))
        .unwrap_or("not an etag");
    inner.parse().map(Some)
}

/// A `grpc-timeout` value, such as `100m`: at most eight digits and a unit, as gRPC's protocol has it.
#[must_use]
pub fn parse_timeout(value: &str) -> Option<Span> {
    let (digits, unit) = value.split_at_checked(value.len().checked_sub(1)?)?;
    if digits.len() > TIMEOUT_DIGITS_MAX || !digits.bytes().all(|digit| digit.is_ascii_digit()) {
        return None;
    }
    let amount: i64 = digits.parse().ok()?;
    let micros = match unit {
        "H" => amount.checked_mul(3_600 * MICROS_PER_SECOND)?,
        "M" => amount.checked_mul(60 * MICROS_PER_SECOND)?,
        "S" => amount.checked_mul(MICROS_PER_SECOND)?,
        "m" => amount.checked_mul(1_000)?,
        "u" => amount,
        "n" => amount / NANOS_PER_MICRO,
        _ => return None,
    };
    Some(Span::from_micros(micros))
}

/// The ids within a resource name of a certain shape, such as `partnerships/*/tickets/*`.
///
/// # Errors
/// [`Reason::InvalidField`], naming `field` and the shape.
pub fn parse_name<const N: usize>(
    field: &str,
    name: &str,
    shape: &str,
) -> Result<[String; N], Refusal> {
    let malformed = || {
        Refusal::field(
            Reason::InvalidField,
            field,
            format!("must be of the form {shape}"),
        )
    };
    let parts: Vec<&str> = name.split('/').collect();
    let shapes: Vec<&str> = shape.split('/').collect();
    if parts.len() != shapes.len() {
        return Err(malformed());
    }
    let mut ids = Vec::with_capacity(N);
    for (part, expected) in parts.iter().zip(&shapes) {
        match *expected {
            "*" if is_identifier(part) => ids.push((*part).to_owned()),
            expected if expected == *part => {}
            _ => return Err(malformed()),
        }
    }
    ids.try_into().map_err(|_| malformed())
}

/// A firm from its resource name.
///
/// # Errors
/// [`Reason::InvalidField`], naming `field`.
pub fn parse_firm(field: &str, name: &str) -> Result<FirmId, Refusal> {
    let [id] = parse_name(field, name, "firms/*")?;
    FirmId::parse(&id)
        .ok_or_else(|| Refusal::field(Reason::InvalidField, field, "must be of the form firms/*"))
}

/// An identifier that the caller may choose; empty means that one is made.
///
/// # Errors
/// [`Reason::InvalidField`], naming `field`.
pub fn chosen_id(field: &str, id: &str) -> Result<Option<String>, Refusal> {
    if id.is_empty() {
        return Ok(None);
    }
    if is_chosen_identifier(id) {
        return Ok(Some(id.to_owned()));
    }
    let rule =
        "1 to 63 of a-z, 0-9 and hyphen, beginning with a letter and not ending with a hyphen";
    Err(Refusal::field(Reason::InvalidField, field, rule))
}

/// An external reference of a firm.
#[must_use]
pub fn reference(firm: &FirmId, value: &v1::ExternalReference) -> ExternalReference {
    ExternalReference {
        firm: firm.clone(),
        system: value.system.clone(),
        instance: value.instance.clone(),
        reference_type: value.r#type.clone(),
        id: value.id.clone(),
    }
}

/// An external reference as the contract shows it.
#[must_use]
pub fn to_reference(value: &ExternalReference) -> v1::ExternalReference {
    v1::ExternalReference {
        system: value.system.clone(),
        instance: value.instance.clone(),
        r#type: value.reference_type.clone(),
        id: value.id.clone(),
    }
}

/// An approval as the contract shows it.
#[must_use]
pub fn to_approval(value: &Approval) -> v1::Approval {
    let guest_link = guest_of(&value.actor);
    // Whoever approved beforehand used no key for it.
    let by_key = guest_link.is_none() && !value.actor.is_empty();
    let key = value.firm.as_ref().filter(|_| by_key);
    v1::Approval {
        party_id: value.party.as_str().to_owned(),
        firm: to_firm(value.firm.as_ref()),
        api_key: key.map_or_else(String::new, |firm| {
            credential_name(firm.scope().as_str(), &value.actor)
        }),
        approve_time: Some(to_timestamp(value.at)),
        guest_link_id: guest_link.unwrap_or_default().to_owned(),
    }
}

/// The name of what a caller of `firm` was recognised by, from what the journal says of it.
#[must_use]
pub fn credential_name(firm: &str, actor: &str) -> String {
    if actor.starts_with(TRUSTED_ACTOR) {
        format!("{firm}/{actor}")
    } else {
        format!("{firm}/apiKeys/{actor}")
    }
}

/// The name of a firm; empty where there is none.
#[must_use]
pub fn to_firm(firm: Option<&FirmId>) -> String {
    firm.map_or_else(String::new, |firm| firm.scope().to_string())
}

/// An enum value of the contract that must be known and set.
///
/// # Errors
/// [`Reason::InvalidField`], naming `field`.
pub fn known_enum<E: TryFrom<i32>>(field: &str, value: i32) -> Result<E, Refusal> {
    let bad = || Refusal::field(Reason::InvalidField, field, "is not a known value");
    if value == 0 {
        return Err(bad());
    }
    E::try_from(value).map_err(|_| bad())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn instants_are_exact() {
        let value = prost_types::Timestamp {
            seconds: -1,
            nanos: 999_999_000,
        };
        let instant = timestamp("t", value).unwrap();
        assert_eq!(instant.as_micros(), -1);
        assert_eq!(to_timestamp(instant), value);
        let fine = prost_types::Timestamp {
            seconds: 0,
            nanos: 1,
        };
        assert_eq!(
            timestamp("t", fine).unwrap_err().reason,
            Reason::InvalidField
        );
        let far = prost_types::Timestamp {
            seconds: i64::MAX,
            nanos: 0,
        };
        assert_eq!(timestamp("t", far).unwrap_err().reason, Reason::OutOfRange);
    }

    #[test]
    fn names_have_one_shape() {
        let ids: [String; 2] = parse_name(
            "name",
            "partnerships/p1/tickets/t1",
            "partnerships/*/tickets/*",
        )
        .unwrap();
        assert_eq!(ids, ["p1".to_owned(), "t1".to_owned()]);
        for bad in [
            "",
            "partnerships/p1",
            "partnerships/p1/tickets/",
            "partnerships/P/tickets/t",
            "x/p1/tickets/t1",
            "partnerships/p1/tickets/t1/",
        ] {
            assert!(
                parse_name::<2>("name", bad, "partnerships/*/tickets/*").is_err(),
                "{bad}"
            );
        }
    }

    #[test]
    fn etags_and_timeouts() {
        assert_eq!(parse_etag(""), Ok(None));
        assert_eq!(parse_etag(&etag(7)), Ok(Some(7)));
        assert!(parse_etag("7").is_err() && parse_etag("\"x\"").is_err());
        assert_eq!(parse_timeout("100m"), Some(Span::from_micros(100_000)));
        assert_eq!(parse_timeout("2S"), Some(Span::from_seconds(2)));
        assert_eq!(
            parse_timeout("99999999H"),
            Some(Span::from_hours(99_999_999))
        );
        assert!(
            parse_timeout("x").is_none()
                && parse_timeout("").is_none()
                && parse_timeout("5é").is_none()
                && parse_timeout("-5m").is_none()
                && parse_timeout("+5m").is_none()
                && parse_timeout("m").is_none()
                && parse_timeout("123456789m").is_none()
        );
    }
}
