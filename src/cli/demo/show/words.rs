//! Values and enums in people's words.

use crate::cli::demo::quarter::LocalTime;
use crate::cli::demo::stage::name_of;
use crate::domain::pricing::money::{Money, grouped};
use crate::proto::google::r#type::Money as MoneyMessage;
use crate::proto::v1::{
    AllocationBasis, ChargedParty, ChargedPartyKind, ClockState, ConcessionState, ExpectationState,
    TargetType, Verdict,
};

/// Seconds in an hour and in a minute.
const HOUR: i64 = 3_600;
const MINUTE: i64 = 60;
/// Where nothing is to be said.
pub const NOTHING: &str = "-";

/// A number with its thousands set apart.
#[must_use]
pub fn count(number: impl TryInto<u64>) -> String {
    number
        .try_into()
        .map_or_else(|_| NOTHING.to_owned(), grouped)
}

/// A length of time, such as `7 h 55 min`.
#[must_use]
pub fn length(span: Option<prost_types::Duration>) -> String {
    let Some(span) = span else {
        return NOTHING.to_owned();
    };
    let (hours, minutes) = (span.seconds / HOUR, span.seconds % HOUR / MINUTE);
    let seconds = span.seconds % MINUTE;
    let mut parts = Vec::new();
    if hours > 0 {
        parts.push(format!("{hours} h"));
    }
    if minutes > 0 || (hours == 0 && seconds == 0) {
        parts.push(format!("{minutes} min"));
    }
    if seconds > 0 {
        parts.push(format!("{seconds} s"));
    }
    parts.join(" ")
}

/// A length of time, such as `7:55:00`.
#[must_use]
pub fn to_the_second(span: Option<prost_types::Duration>) -> String {
    let Some(span) = span else {
        return NOTHING.to_owned();
    };
    let (hours, minutes) = (span.seconds / HOUR, span.seconds % HOUR / MINUTE);
    format!("{hours}:{minutes:02}:{:02}", span.seconds % MINUTE)
}

/// Date and time, such as `Thu 19 Feb 16:40`, in the zone of the demo.
#[must_use]
pub fn moment(time: &LocalTime, at: Option<prost_types::Timestamp>) -> String {
    shown(time, at, "%a %-d %b %H:%M")
}

/// The time alone, such as `16:40`.
#[must_use]
pub fn time_of_day(time: &LocalTime, at: Option<prost_types::Timestamp>) -> String {
    shown(time, at, "%H:%M")
}

/// The time alone, with seconds.
#[must_use]
pub fn time_to_the_second(time: &LocalTime, at: Option<prost_types::Timestamp>) -> String {
    shown(time, at, "%H:%M:%S")
}

fn shown(time: &LocalTime, at: Option<prost_types::Timestamp>, format: &str) -> String {
    let civil = at.and_then(|at| time.civil(at.seconds).ok());
    civil.map_or_else(
        || NOTHING.to_owned(),
        |civil| civil.strftime(format).to_string(),
    )
}

/// Whether two instants lie on the same day in the zone of the demo.
#[must_use]
pub fn same_day(
    time: &LocalTime,
    one: Option<prost_types::Timestamp>,
    other: Option<prost_types::Timestamp>,
) -> bool {
    shown(time, one, "%F") == shown(time, other, "%F")
}

/// An amount without its currency, such as `1,234.50`.
#[must_use]
pub fn amount(money: Option<&MoneyMessage>) -> String {
    read(money).map_or_else(
        || NOTHING.to_owned(),
        |money| money.currency.decimal(money.minor),
    )
}

/// An amount with its currency, such as `1,234.50 EUR`.
#[must_use]
pub fn amount_with_currency(money: Option<&MoneyMessage>) -> String {
    read(money).map_or_else(|| NOTHING.to_owned(), |money| money.to_string())
}

/// An amount that adds to others; nothing if it is not given.
#[must_use]
pub fn read(money: Option<&MoneyMessage>) -> Option<Money> {
    let money = money?;
    Money::from_units_and_nanos(&money.currency_code, money.units, money.nanos).ok()
}

/// A part of a whole in percent, rounded down to a tenth.
#[must_use]
pub fn percent(part: i64, whole: i64) -> String {
    if whole == 0 {
        return NOTHING.to_owned();
    }
    let tenths = part * 1_000 / whole;
    format!("{}.{} %", tenths / 10, tenths % 10)
}

/// The first digits of a hash, enough to compare by eye.
#[must_use]
pub fn digits(hash: &str) -> String {
    hash.chars().take(16).collect()
}

/// What a clock did.
#[must_use]
pub const fn clock_state(state: ClockState) -> &'static str {
    match state {
        ClockState::Running => "running",
        ClockState::Paused => "paused",
        ClockState::OutsideHours => "closed",
        ClockState::Stopped => "stopped",
        ClockState::Idle => "not our turn",
        ClockState::Excluded => "excluded",
        ClockState::Cancelled => "cancelled",
        ClockState::Unspecified => NOTHING,
    }
}

/// How a clock turned out.
#[must_use]
pub const fn verdict(verdict: Verdict) -> &'static str {
    match verdict {
        Verdict::Running => "RUNNING",
        Verdict::Met => "MET",
        Verdict::Breached => "BREACHED",
        Verdict::Cancelled => "CANCELLED",
        Verdict::Unspecified => NOTHING,
    }
}

/// What is measured.
#[must_use]
pub const fn target(target: TargetType) -> &'static str {
    match target {
        TargetType::FirstResponse => "First response",
        TargetType::ResolutionPlan => "Resolution plan",
        TargetType::NextResponse => "Next response",
        TargetType::NextUpdate => "Next update",
        TargetType::Workaround => "Workaround",
        TargetType::Resolution => "Resolution",
        TargetType::Unspecified => NOTHING,
    }
}

/// Who is answerable for a stretch of time.
#[must_use]
pub fn charged(party: Option<&ChargedParty>) -> String {
    let Some(party) = party else {
        return NOTHING.to_owned();
    };
    match party.kind() {
        ChargedPartyKind::Party => name_of(&party.name).to_owned(),
        ChargedPartyKind::Client => "the client".to_owned(),
        ChargedPartyKind::OutsideParty => "outside party".to_owned(),
        ChargedPartyKind::Unspecified => NOTHING.to_owned(),
    }
}

/// How far an expectation has come.
#[must_use]
pub fn expectation_state(state: ExpectationState) -> &'static str {
    state.as_str_name().trim_start_matches("EXPECTATION_STATE_")
}

/// How far a concession has come.
#[must_use]
pub fn concession_state(state: ConcessionState) -> String {
    state
        .as_str_name()
        .trim_start_matches("CONCESSION_STATE_")
        .to_lowercase()
}

/// By what measure a concession is divided.
#[must_use]
pub const fn basis(basis: AllocationBasis) -> &'static str {
    match basis {
        AllocationBasis::FixedBps => "fixed shares",
        AllocationBasis::Price => "by price",
        AllocationBasis::Custom => "as stated",
        AllocationBasis::CostBand => "by cost bands",
        AllocationBasis::Cost => "by cost",
        AllocationBasis::Margin => "by margin",
        AllocationBasis::Unspecified => NOTHING,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cli::demo::stage::{euros, seconds};

    #[test]
    fn lengths_and_amounts_read_well() {
        for (given, expected) in [
            (0, "0 min"),
            (45, "45 s"),
            (28_500, "7 h 55 min"),
            (7_201, "2 h 1 s"),
        ] {
            assert_eq!(length(Some(seconds(given))), expected);
        }
        assert_eq!(amount(Some(&euros(123_450))), "1,234.50");
        assert_eq!(amount_with_currency(Some(&euros(7))), "0.07 EUR");
        assert_eq!(amount(None), NOTHING);
        assert_eq!(percent(2, 3), "66.6 %");
        assert_eq!(percent(0, 0), NOTHING);
    }
}
