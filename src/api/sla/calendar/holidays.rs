//! Holidays that come as an iCalendar text.

use crate::domain::refusal::{Reason, Refusal};
use crate::domain::sla::calendar::{CalendarSpecification, EXCEPTIONS_MAX};
use crate::domain::sla::icalendar::{self, Horizon};
use crate::proto::v1;

/// Where the import stands in a request.
const PATH: &str = "calendar.holiday_import";

/// A calendar with the exceptions of an import before its own, which therefore take precedence. May
/// take a second at worst.
///
/// # Errors
/// [`Reason::InvalidField`]; with the number of the line if the text is at fault.
pub(super) fn with_holidays(
    mut specification: CalendarSpecification,
    import: &v1::HolidayImport,
) -> Result<CalendarSpecification, Refusal> {
    let years = i16::try_from(import.first_year).ok();
    let years = years.zip(i16::try_from(import.last_year).ok());
    let horizon = years.and_then(|(first, last)| Horizon::new(first, last));
    let horizon = horizon.ok_or_else(|| {
        let rule = "first_year to last_year must be 1 to 20 years between 2000 and 2100";
        Refusal::field(Reason::InvalidField, format!("{PATH}.last_year"), rule)
    })?;
    let mut exceptions = icalendar::exceptions(&import.icalendar, &specification, horizon)
        .map_err(|fault| {
            let field = format!("{PATH}.icalendar");
            Refusal::field(Reason::InvalidField, field, fault.to_string()).with("line", fault.line)
        })?;
    exceptions.append(&mut specification.exceptions);
    if exceptions.len() > EXCEPTIONS_MAX {
        let rule = format!("no more than {EXCEPTIONS_MAX} exceptions, holidays included");
        return Err(Refusal::field(
            Reason::InvalidField,
            "calendar.exceptions",
            rule,
        ));
    }
    specification.exceptions = exceptions;
    Ok(specification)
}
