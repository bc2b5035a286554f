//! Calendars: what a caller writes down, and what it is shown.

use super::combination::to_combination;
use crate::api::Found;
use crate::api::convert::{civil_date, etag, to_date, to_timestamp};
use crate::api::faults::Faults;
use crate::api::listing::name_in;
use crate::api::sla::adoption::to_adopted_from;
use crate::api::sla::revision::Revision;
use crate::domain::identity::ScopeId;
use crate::domain::record::Kind;
use crate::domain::refusal::{Reason, Refusal};
use crate::domain::sla::calendar::{
    CalendarException, CalendarSpecification, CivilDate, DESCRIPTION_BYTES_MAX, DayWindow,
    EXCEPTION_WINDOWS_MAX, EXCEPTIONS_MAX, MinuteOfDay, WEEKLY_WINDOWS_MAX, Weekday, WeeklyWindow,
};
use crate::domain::sla::settings::Calendar;
use crate::proto::google::r#type as google_type;
use crate::proto::v1;

/// A calendar's rules as a caller wrote them down, in whichever message.
#[derive(Clone, Copy, Debug)]
pub(in crate::api::sla) struct Written<'a> {
    time_zone: &'a str,
    weekly_windows: &'a [v1::WeeklyWindow],
    exceptions: &'a [v1::CalendarException],
}

impl<'a> From<&'a v1::Calendar> for Written<'a> {
    fn from(calendar: &'a v1::Calendar) -> Self {
        Self {
            time_zone: &calendar.time_zone,
            weekly_windows: &calendar.weekly_windows,
            exceptions: &calendar.exceptions,
        }
    }
}

impl<'a> From<&'a v1::CalendarSpecification> for Written<'a> {
    fn from(calendar: &'a v1::CalendarSpecification) -> Self {
        Self {
            time_zone: &calendar.time_zone,
            weekly_windows: &calendar.weekly_windows,
            exceptions: &calendar.exceptions,
        }
    }
}

/// What the caller wrote down; of use only if no fault was noted.
pub(in crate::api::sla) fn specification(
    calendar: &v1::Calendar,
    faults: &mut Faults,
) -> CalendarSpecification {
    rules("calendar", calendar.into(), faults)
}

/// The rules that stand at `path`; of use only if no fault was noted.
pub(in crate::api::sla) fn rules(
    path: &str,
    written: Written<'_>,
    faults: &mut Faults,
) -> CalendarSpecification {
    let (windows, exceptions) = (written.weekly_windows, written.exceptions);
    let few = format!("no more than {WEEKLY_WINDOWS_MAX} windows");
    faults.require(
        windows.len() <= WEEKLY_WINDOWS_MAX,
        &format!("{path}.weekly_windows"),
        &few,
    );
    let few = format!("no more than {EXCEPTIONS_MAX} exceptions");
    faults.require(
        exceptions.len() <= EXCEPTIONS_MAX,
        &format!("{path}.exceptions"),
        &few,
    );
    let weekly_windows = windows.iter().take(WEEKLY_WINDOWS_MAX).enumerate();
    let weekly_windows = weekly_windows
        .filter_map(|(index, window)| {
            weekly_window(&format!("{path}.weekly_windows[{index}]"), window, faults)
        })
        .collect();
    let exceptions = exceptions.iter().take(EXCEPTIONS_MAX).enumerate();
    let exceptions = exceptions
        .filter_map(|(index, written)| {
            exception(&format!("{path}.exceptions[{index}]"), written, faults)
        })
        .collect();
    CalendarSpecification {
        time_zone: written.time_zone.to_owned(),
        weekly_windows,
        exceptions,
    }
}

fn weekly_window(
    path: &str,
    window: &v1::WeeklyWindow,
    faults: &mut Faults,
) -> Option<WeeklyWindow> {
    let day = weekday(window.day);
    faults.require(
        day.is_some(),
        &format!("{path}.day"),
        "must be a day of the week",
    );
    let DayWindow { start, end } = day_window(path, &window.start, &window.end, faults)?;
    Some(WeeklyWindow {
        day: day?,
        start,
        end,
    })
}

fn day_window(path: &str, start: &str, end: &str, faults: &mut Faults) -> Option<DayWindow> {
    let start = faults.take(minute(&format!("{path}.start"), start).map(Some));
    let end = faults.take(minute(&format!("{path}.end"), end).map(Some));
    Some(DayWindow {
        start: start?,
        end: end?,
    })
}

fn minute(path: &str, text: &str) -> Result<MinuteOfDay, Refusal> {
    MinuteOfDay::parse(text)
        .map_err(|fault| Refusal::field(Reason::InvalidField, path, fault.to_string()))
}

fn exception(
    path: &str,
    written: &v1::CalendarException,
    faults: &mut Faults,
) -> Option<CalendarException> {
    let first_date = date(
        &format!("{path}.start_date"),
        written.start_date.as_ref(),
        faults,
    );
    let last_date = date(
        &format!("{path}.end_date"),
        written.end_date.as_ref(),
        faults,
    );
    let in_order = first_date
        .zip(last_date)
        .is_none_or(|(first, last)| first <= last);
    faults.require(
        in_order,
        &format!("{path}.end_date"),
        "must not be before start_date",
    );
    let few = format!("no more than {EXCEPTION_WINDOWS_MAX} windows");
    faults.require(
        written.windows.len() <= EXCEPTION_WINDOWS_MAX,
        &format!("{path}.windows"),
        &few,
    );
    let short = format!("no more than {DESCRIPTION_BYTES_MAX} bytes");
    faults.require(
        written.description.len() <= DESCRIPTION_BYTES_MAX,
        &format!("{path}.description"),
        &short,
    );
    let windows = written
        .windows
        .iter()
        .take(EXCEPTION_WINDOWS_MAX)
        .enumerate();
    let windows = windows
        .filter_map(|(inner, window)| {
            day_window(
                &format!("{path}.windows[{inner}]"),
                &window.start,
                &window.end,
                faults,
            )
        })
        .collect();
    Some(CalendarException {
        first_date: first_date?,
        last_date: last_date?,
        windows,
        description: written.description.clone(),
    })
}

fn date(path: &str, written: Option<&google_type::Date>, faults: &mut Faults) -> Option<CivilDate> {
    let date = civil_date(written);
    faults.require(date.is_some(), path, "must be a whole date that exists");
    date
}

fn weekday(value: i32) -> Option<Weekday> {
    let position = usize::try_from(value).ok()?.checked_sub(1)?;
    Weekday::ALL.get(position).copied()
}

/// A calendar as the contract shows it.
pub(in crate::api::sla) fn to_calendar(
    scope: &ScopeId,
    calendar: &Found<Calendar>,
    revision: &Revision,
) -> v1::Calendar {
    let adopted_from = calendar.state.adopted_from.as_ref();
    let shown = v1::Calendar {
        name: name_in(scope, super::COLLECTION, &calendar.id),
        display_name: calendar.state.display_name.clone(),
        revision: i64::from(calendar.state.latest_revision),
        create_time: Some(to_timestamp(calendar.created_at)),
        update_time: Some(to_timestamp(calendar.updated_at)),
        etag: etag(calendar.revision),
        adopted_from: adopted_from.map(|from| to_adopted_from(Kind::Calendar, from)),
        ..v1::Calendar::default()
    };
    let revision = match revision {
        Revision::Windows(revision) => revision,
        Revision::Combination(combination) => {
            return v1::Calendar {
                combination: Some(to_combination(scope, combination)),
                ..shown
            };
        }
    };
    let specification = &revision.specification;
    let weekly_windows = specification.weekly_windows.iter().copied();
    v1::Calendar {
        time_zone: specification.time_zone.clone(),
        weekly_windows: weekly_windows.map(to_weekly_window).collect(),
        exceptions: specification.exceptions.iter().map(to_exception).collect(),
        time_zone_digest: revision.zone_digest.clone(),
        ..shown
    }
}

pub(in crate::api::sla) fn to_weekly_window(window: WeeklyWindow) -> v1::WeeklyWindow {
    let day = i32::try_from(window.day.index() + 1).unwrap_or_default();
    v1::WeeklyWindow {
        day,
        start: window.start.to_string(),
        end: window.end.to_string(),
    }
}

pub(in crate::api::sla) fn to_exception(exception: &CalendarException) -> v1::CalendarException {
    let to_window = |window: &DayWindow| v1::DailyWindow {
        start: window.start.to_string(),
        end: window.end.to_string(),
    };
    v1::CalendarException {
        start_date: Some(to_date(exception.first_date)),
        end_date: Some(to_date(exception.last_date)),
        windows: exception.windows.iter().map(to_window).collect(),
        description: exception.description.clone(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::api::sla::check::whole;
    use crate::domain::sla::settings::CalendarRevision;
    use crate::domain::time::Timestamp;

    fn office() -> v1::Calendar {
        let date = |day| {
            Some(google_type::Date {
                year: 2026,
                month: 12,
                day,
            })
        };
        v1::Calendar {
            display_name: "Office".into(),
            time_zone: "Europe/Zurich".into(),
            weekly_windows: vec![
                v1::WeeklyWindow {
                    day: google_type::DayOfWeek::Monday as i32,
                    start: "08:00".into(),
                    end: "17:30".into(),
                },
                v1::WeeklyWindow {
                    day: google_type::DayOfWeek::Sunday as i32,
                    start: "22:00".into(),
                    end: "24:00".into(),
                },
            ],
            exceptions: vec![v1::CalendarException {
                start_date: date(24),
                end_date: date(26),
                windows: vec![v1::DailyWindow {
                    start: "08:00".into(),
                    end: "12:00".into(),
                }],
                description: "Christmas".into(),
            }],
            ..v1::Calendar::default()
        }
    }

    fn read(calendar: &v1::Calendar) -> Result<CalendarSpecification, Refusal> {
        let mut faults = Faults::default();
        let specification = specification(calendar, &mut faults);
        whole(faults, Some(specification))
    }

    fn fields(calendar: &v1::Calendar) -> Vec<String> {
        read(calendar)
            .unwrap_err()
            .violations
            .into_iter()
            .map(|violation| violation.field)
            .collect()
    }

    #[test]
    fn what_is_written_is_shown() {
        let written = office();
        let specification = read(&written).unwrap();
        assert_eq!(specification.weekly_windows[1].day, Weekday::Sunday);
        let revision = Revision::Windows(CalendarRevision {
            specification,
            zone_digest: "00".into(),
        });
        let at = Timestamp::EARLIEST;
        let calendar = Found {
            id: "office".into(),
            state: Calendar {
                display_name: "Office".into(),
                latest_revision: 3,
                adopted_from: None,
            },
            revision: 4,
            created_at: at,
            updated_at: at,
        };
        let shown = to_calendar(&ScopeId::partnership("p"), &calendar, &revision);
        assert_eq!(shown.name, "partnerships/p/calendars/office");
        assert_eq!((shown.revision, shown.etag.as_str()), (3, "\"4\""));
        assert_eq!(shown.weekly_windows, written.weekly_windows);
        assert_eq!(shown.exceptions, written.exceptions);
    }

    #[test]
    fn every_fault_is_listed_by_its_path() {
        let mut calendar = office();
        calendar.weekly_windows[0].day = 0;
        calendar.weekly_windows[1].end = "24:01".into();
        calendar.exceptions[0].start_date = None;
        calendar.exceptions[0].end_date = Some(google_type::Date {
            year: 2026,
            month: 2,
            day: 30,
        });
        calendar.exceptions[0].windows[0].start = "8:00".into();
        let expected = [
            "calendar.weekly_windows[0].day",
            "calendar.weekly_windows[1].end",
            "calendar.exceptions[0].start_date",
            "calendar.exceptions[0].end_date",
            "calendar.exceptions[0].windows[0].start",
        ];
        assert_eq!(fields(&calendar), expected);
    }

    #[test]
    fn dates_in_order_and_lists_within_bounds() {
        let mut calendar = office();
        calendar.exceptions[0].end_date = Some(google_type::Date {
            year: 2026,
            month: 12,
            day: 23,
        });
        assert_eq!(fields(&calendar), ["calendar.exceptions[0].end_date"]);
        let mut calendar = office();
        calendar.weekly_windows = vec![calendar.weekly_windows[0].clone(); WEEKLY_WINDOWS_MAX];
        assert!(read(&calendar).is_ok());
        calendar
            .weekly_windows
            .push(calendar.weekly_windows[0].clone());
        assert_eq!(fields(&calendar), ["calendar.weekly_windows"]);
    }

    #[test]
    fn numbers_out_of_range_are_no_dates_and_no_days() {
        for (year, month, day) in [
            (0, 1, 1),
            (2026, 13, 1),
            (i32::MAX, 1, 1),
            (2026, 1, 300),
            (2026, -1, 1),
        ] {
            let mut calendar = office();
            calendar.exceptions[0].end_date = Some(google_type::Date { year, month, day });
            assert_eq!(fields(&calendar), ["calendar.exceptions[0].end_date"]);
        }
        for day in [i32::MIN, -1, 0, 8] {
            assert_eq!(weekday(day), None);
        }
    }
}
