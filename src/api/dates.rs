//! Dates without a time of day.

use crate::domain::refusal::{Reason, Refusal};
use crate::domain::sla::calendar::CivilDate;
use crate::proto::google::r#type as google_type;

/// A whole date that exists.
///
/// # Errors
/// [`Reason::InvalidField`], naming `field`.
pub fn date(field: &str, given: &google_type::Date) -> Result<CivilDate, Refusal> {
    let parts = || {
        let year = given.year.try_into().ok()?;
        let month = given.month.try_into().ok()?;
        CivilDate::new(year, month, given.day.try_into().ok()?)
    };
    let rule = "must be a whole date that exists";
    parts().ok_or_else(|| Refusal::field(Reason::InvalidField, field, rule))
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn dates_come_back_and_must_exist() {
        let leap_day = CivilDate::new(2024, 2, 29).unwrap();
        assert_eq!(date("d", &to_date(leap_day)), Ok(leap_day));
        for (year, month, day) in [
            (2023, 2, 29),
            (0, 1, 1),
            (2026, 0, 1),
            (2026, 1, 0),
            (2026, 1, 900),
        ] {
            let given = google_type::Date { year, month, day };
            assert_eq!(date("d", &given).unwrap_err().violations[0].field, "d");
        }
    }
}
