//! Clocks of agreed dates, as the contract shows and explains them.

use std::sync::Arc;

use tonic::{Request, Response};

use super::{SHAPE, parse};
use crate::api::Api;
use crate::api::convert::{parse_name, timestamp, to_duration, to_timestamp};
use crate::api::faults::Faults;
use crate::api::page::Page;
use crate::api::sla::explain::{Place, too_many};
use crate::api::sla::pinned::{self, Pin};
use crate::api::sla::words::to_clock_state;
use crate::api::status::ApiError;
use crate::domain::expectation::Expectation;
use crate::domain::expectation::clock::{DateClock, DateVerdict, DatedAgreement, sentence};
use crate::domain::firm::Permission;
use crate::domain::identity::ScopeId;
use crate::domain::refusal::{Reason, Refusal};
use crate::domain::sla::compiled::CompiledCalendar;
use crate::domain::sla::explain::ClockInterval;
use crate::domain::time::Timestamp;
use crate::proto::v1;

/// The calendar by which the clock of the last agreement counts, if not every hour does.
pub(super) fn pin(dated: &DatedAgreement<'_>) -> Option<Pin> {
    let calendar = dated.calendar()?;
    Some((calendar.calendar.clone(), calendar.revision))
}

async fn calendar(
    api: &Api,
    scope: &ScopeId,
    dated: &DatedAgreement<'_>,
) -> Result<Arc<CompiledCalendar>, ApiError> {
    match pin(dated) {
        Some(pin) => pinned::calendar(api, scope, pin).await,
        None => Ok(Arc::new(CompiledCalendar::always_open())),
    }
}

pub(super) async fn explain(
    api: &Api,
    request: &Request<v1::ExplainExpectationClockRequest>,
) -> Result<Response<v1::ExplainExpectationClockResponse>, ApiError> {
    let caller = api.caller(request, Permission::Read).await?;
    let message = request.get_ref();
    let asked = asked(message)?;
    let purpose = format!(
        "ExplainExpectationClock:{}:{}:{}:{:?}",
        caller.firm,
        message.name,
        message.offer_number,
        asked.as_of.map(Timestamp::as_micros),
    );
    let page = Page::parse(api, &purpose, message.page_size, &message.page_token)?;
    let [partnership, id] = &asked.name;
    let (member, found) = api.get::<Expectation>(&caller, partnership, id).await?;
    let place = page.place(Place::parse)?.unwrap_or_else(|| Place {
        as_of: asked.as_of.unwrap_or_else(|| api.now()),
        first: 0,
    });
    if place.as_of > api.now() {
        let why = "must not be in the future";
        return Err(Refusal::field(Reason::OutOfRange, "as_of_time", why)
            .with("field", "as_of_time")
            .with("maximum", api.now())
            .into());
    }
    let no_clock = || Refusal::not_found("clock");
    let dated = DatedAgreement::find(&found.state, asked.offer_number).ok_or_else(no_clock)?;
    let calendar = calendar(api, &member.scope(), &dated).await?;
    let clock = dated.clock(&calendar, place.as_of).ok_or_else(no_clock)?;
    let explanation = dated
        .explain(&calendar, place.as_of)
        .map_err(|_| too_many())?;
    let numbered = explanation.intervals.into_iter().enumerate();
    let mut intervals: Vec<_> = numbered.skip(place.first).take(page.limit()).collect();
    let next_page_token = page.cut(api, &mut intervals, |(index, _)| {
        let next = Place {
            as_of: place.as_of,
            first: index + 1,
        };
        next.to_string()
    });
    let obligor = found.state.obligor.as_str();
    Ok(Response::new(v1::ExplainExpectationClockResponse {
        clock: Some(to_clock(&clock)),
        intervals: intervals
            .iter()
            .map(|(_, interval)| to_interval(interval, obligor))
            .collect(),
        next_page_token,
    }))
}

/// What is asked.
struct Asked {
    name: [String; 2],
    offer_number: Option<u32>,
    as_of: Option<Timestamp>,
}

fn asked(message: &v1::ExplainExpectationClockRequest) -> Result<Asked, Refusal> {
    let mut faults = Faults::default();
    let name = faults.take(parse_name("name", &message.name, SHAPE));
    let offer_number = (message.offer_number != 0)
        .then(|| parse::offer_number("offer_number", message.offer_number));
    let offer_number = faults.take(offer_number.transpose());
    let as_of = message.as_of_time.map(|at| timestamp("as_of_time", at));
    let as_of = faults.take(as_of.transpose());
    faults.finish()?;
    Ok(Asked {
        name,
        offer_number,
        as_of,
    })
}

pub(super) fn to_clock(dated: &DateClock) -> v1::ExpectationClock {
    let verdict = match dated.verdict {
        DateVerdict::Running => v1::ExpectationVerdict::Running,
        DateVerdict::Met => v1::ExpectationVerdict::Met,
        DateVerdict::Missed => v1::ExpectationVerdict::Missed,
        DateVerdict::Replaced => v1::ExpectationVerdict::Replaced,
    };
    let clock = &dated.clock;
    v1::ExpectationClock {
        offer_number: i32::try_from(dated.offer_number).unwrap_or(i32::MAX),
        start_time: Some(to_timestamp(clock.started_at)),
        deadline: Some(to_timestamp(dated.deadline)),
        state: to_clock_state(clock.state).into(),
        verdict: verdict.into(),
        stop_time: clock.stopped_at.map(to_timestamp),
        consumed: Some(to_duration(clock.consumed)),
        total: Some(to_duration(clock.target)),
        remaining: Some(to_duration(dated.remaining)),
    }
}

fn to_interval(interval: &ClockInterval, obligor: &str) -> v1::ClockInterval {
    let charged_to = interval.charged_to.map(|_| v1::ChargedParty {
        kind: v1::ChargedPartyKind::Party.into(),
        name: obligor.to_owned(),
    });
    v1::ClockInterval {
        start_time: Some(to_timestamp(interval.from)),
        end_time: Some(to_timestamp(interval.to)),
        state: to_clock_state(interval.state).into(),
        event_id: interval.event_id.clone(),
        rule: sentence(interval.rule).to_owned(),
        charged_to,
        consumed: Some(to_duration(interval.consumed)),
        charged: Some(to_duration(interval.charged)),
    }
}
