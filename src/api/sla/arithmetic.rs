//! `ComputeDeadline` and `ComputeElapsed`: questions to calendars that the request brings along.

use tonic::{Request, Response};
use tonic_types::pb;

use super::SlaService;
use super::calendar::convert::rules;
use super::check::whole;
use super::ticket_event::rpc_status;
use crate::api::convert::{span, timestamp, to_duration, to_timestamp};
use crate::api::faults::Faults;
use crate::api::required;
use crate::api::status::ApiError;
use crate::domain::firm::Permission;
use crate::domain::refusal::{Reason, Refusal};
use crate::domain::sla::calendar::{CalendarSpecification, refusal_at};
use crate::domain::sla::compiled::{CompiledCalendar, RANGE_END, RANGE_START};
use crate::domain::time::{Span, Timestamp};
use crate::proto::v1;

/// Most calendars that one request may bring along.
const CALENDARS_MAX: usize = 100;
/// Most questions of one request.
const ITEMS_MAX: usize = 1_000;

/// `ComputeDeadline`.
pub(super) async fn deadlines(
    service: &SlaService,
    request: &Request<v1::ComputeDeadlineRequest>,
) -> Result<Response<v1::ComputeDeadlineResponse>, ApiError> {
    service.api.caller(request, Permission::Read).await?;
    let message = request.get_ref();
    let calendars = check(&message.calendars, message.items.len())?;
    let items = message.items.clone();
    let place = service.calculating.enter().await?;
    let results = place.run(move || {
        let calendars = compiled(&calendars)?;
        let answers = items.iter().enumerate().map(|(index, item)| {
            let answer = deadline(&format!("items[{index}]"), &calendars, item);
            let (deadline, error) = told(answer);
            v1::DeadlineResult {
                deadline: deadline.map(to_timestamp),
                error,
            }
        });
        Ok::<_, Refusal>(answers.collect())
    });
    let results = results.await??;
    Ok(Response::new(v1::ComputeDeadlineResponse { results }))
}

/// `ComputeElapsed`.
pub(super) async fn elapsed(
    service: &SlaService,
    request: &Request<v1::ComputeElapsedRequest>,
) -> Result<Response<v1::ComputeElapsedResponse>, ApiError> {
    service.api.caller(request, Permission::Read).await?;
    let message = request.get_ref();
    let calendars = check(&message.calendars, message.items.len())?;
    let items = message.items.clone();
    let place = service.calculating.enter().await?;
    let results = place.run(move || {
        let calendars = compiled(&calendars)?;
        let answers = items.iter().enumerate().map(|(index, item)| {
            let answer = open_time(&format!("items[{index}]"), &calendars, item);
            let (elapsed, error) = told(answer);
            v1::ElapsedResult {
                elapsed: elapsed.map(to_duration),
                error,
            }
        });
        Ok::<_, Refusal>(answers.collect())
    });
    let results = results.await??;
    Ok(Response::new(v1::ComputeElapsedResponse { results }))
}

/// What concerns the whole call; returns the calendars as they were written down.
fn check(
    calendars: &[v1::CalendarSpecification],
    items: usize,
) -> Result<Vec<CalendarSpecification>, Refusal> {
    let mut faults = Faults::default();
    let sensible = (1..=CALENDARS_MAX).contains(&calendars.len());
    let rule = format!("1 to {CALENDARS_MAX} calendars");
    faults.require(sensible, "calendars", &rule);
    let sensible = (1..=ITEMS_MAX).contains(&items);
    faults.require(sensible, "items", &format!("1 to {ITEMS_MAX} items"));
    let written = calendars.iter().take(CALENDARS_MAX).enumerate();
    let specifications = written
        .map(|(index, calendar)| {
            rules(&format!("calendars[{index}]"), calendar.into(), &mut faults)
        })
        .collect();
    whole(faults, Some(specifications))
}

/// The calendars made ready; takes some milliseconds each at worst.
fn compiled(calendars: &[CalendarSpecification]) -> Result<Vec<CompiledCalendar>, Refusal> {
    let mut faults = Faults::default();
    let mut ready = Vec::with_capacity(calendars.len());
    for (index, calendar) in calendars.iter().enumerate() {
        let path = format!("calendars[{index}]");
        let calendar = CompiledCalendar::compile_with_bundled_zone(calendar)
            .map_err(|found| refusal_at(&path, &found));
        ready.extend(faults.take(calendar.map(Some)));
    }
    whole(faults, Some(ready))
}

fn deadline(
    path: &str,
    calendars: &[CompiledCalendar],
    item: &v1::DeadlineItem,
) -> Result<Timestamp, Refusal> {
    let mut faults = Faults::default();
    let calendar = faults.take(asked(path, calendars, item.calendar).map(Some));
    let start = faults.take(instant(&format!("{path}.start_time"), item.start_time).map(Some));
    let field = format!("{path}.duration");
    let length = faults.take(length(&field, item.duration).map(Some));
    let (calendar, (start, length)) = whole(faults, calendar.zip(start.zip(length)))?;
    let deadline = if item.backwards {
        calendar.subtract(start, length)
    } else {
        calendar.add(start, length)
    };
    deadline.ok_or_else(|| {
        let rule = format!("the calendar has less open time between {RANGE_START} and {RANGE_END}");
        Refusal::field(Reason::OutOfRange, &field, rule)
            .with("field", &field)
            .with("minimum", RANGE_START)
            .with("maximum", RANGE_END)
    })
}

fn open_time(
    path: &str,
    calendars: &[CompiledCalendar],
    item: &v1::ElapsedItem,
) -> Result<Span, Refusal> {
    let mut faults = Faults::default();
    let calendar = faults.take(asked(path, calendars, item.calendar).map(Some));
    let start = faults.take(instant(&format!("{path}.start_time"), item.start_time).map(Some));
    let end = faults.take(instant(&format!("{path}.end_time"), item.end_time).map(Some));
    let (calendar, (start, end)) = whole(faults, calendar.zip(start.zip(end)))?;
    Ok(if start <= end {
        calendar.elapsed(start, end)
    } else {
        Span::ZERO.saturating_sub(calendar.elapsed(end, start))
    })
}

/// The calendar that an item refers to.
fn asked<'a>(
    path: &str,
    calendars: &'a [CompiledCalendar],
    index: i32,
) -> Result<&'a CompiledCalendar, Refusal> {
    let calendar = usize::try_from(index)
        .ok()
        .and_then(|index| calendars.get(index));
    calendar.ok_or_else(|| {
        let field = format!("{path}.calendar");
        let rule = format!("must be 0 to {}", calendars.len() - 1);
        Refusal::field(Reason::InvalidField, field, rule)
    })
}

/// An instant that a record could carry: around these, calendars have room for deadlines.
fn instant(field: &str, value: Option<prost_types::Timestamp>) -> Result<Timestamp, Refusal> {
    let at = timestamp(field, value.ok_or_else(|| required(field))?)?;
    if at.is_storable() {
        return Ok(at);
    }
    Err(Refusal::field(
        Reason::OutOfRange,
        field,
        "must be in the years 2000 to 2099",
    )
    .with("field", field)
    .with("minimum", Timestamp::EARLIEST)
    .with("maximum", Timestamp::LATEST))
}

fn length(field: &str, value: Option<prost_types::Duration>) -> Result<Span, Refusal> {
    let length = span(field, value.ok_or_else(|| required(field))?)?;
    if length >= Span::ZERO {
        return Ok(length);
    }
    Err(
        Refusal::field(Reason::OutOfRange, field, "must not be negative")
            .with("field", field)
            .with("minimum", 0),
    )
}

/// An answer as the two fields of a result.
fn told<T>(answer: Result<T, Refusal>) -> (Option<T>, Option<pb::Status>) {
    match answer {
        Ok(answer) => (Some(answer), None),
        Err(refusal) => (None, Some(rpc_status(&refusal))),
    }
}
