//! Whether anybody of the obligor can be reached until the deadline.

use std::sync::Arc;

use crate::api::convert::{to_duration, to_timestamp};
use crate::api::partnership::contacts::{PERIOD_MAX, covering};
use crate::api::status::ApiError;
use crate::api::{Api, Found, Member, listing};
use crate::domain::contact::{Stretch, coverage};
use crate::domain::expectation::{Expectation, ExpectationState};
use crate::domain::refusal::Reason;
use crate::domain::sla::compiled::CompiledCalendar;
use crate::proto::v1;

/// An expectation by itself, with what the obligor's contacts make of its deadline.
pub(super) async fn show(
    api: &Api,
    member: &Member,
    found: Found<Expectation>,
) -> Result<v1::Expectation, ApiError> {
    let obligor_coverage = obligor_coverage(api, member, &found.state).await?;
    let shown = listing::show(api, member, found).await?;
    Ok(v1::Expectation {
        obligor_coverage,
        ..shown
    })
}

/// As it is by the contacts of now. Nothing is kept of it: contacts come and go, and what firms agree
/// on is judged by the agreement.
async fn obligor_coverage(
    api: &Api,
    member: &Member,
    expectation: &Expectation,
) -> Result<Option<v1::ObligorCoverage>, ApiError> {
    let now = api.now();
    let state = expectation.state_at(now);
    let is_ahead = state == ExpectationState::Draft || state.awaits_answer() || state.awaits_work();
    let (five_w, judgement) = expectation.answers_at(now);
    let deadline = five_w.when.deadline.filter(|deadline| *deadline > now);
    let (Some(deadline), Some(priority)) = (deadline.filter(|_| is_ahead), judgement.priority)
    else {
        return Ok(None);
    };
    let calendars = match covering(api, member, &expectation.obligor, priority).await {
        Err(error) if error.0.reason == Reason::ResultTooLarge => return Ok(None),
        other => other?,
    };
    let Some(calendars) = calendars else {
        return Ok(None);
    };
    let calendars: Vec<&CompiledCalendar> = calendars.iter().map(Arc::as_ref).collect();
    let period = Stretch {
        from: now,
        to: deadline.min(now.saturating_add(PERIOD_MAX)),
    };
    let Ok(found) = coverage(&calendars, period) else {
        return Ok(None);
    };
    let whole = period.to.since(period.from);
    let level = match found.next {
        None => v1::CoverageLevel::Nobody,
        Some(_) if found.covered == whole => v1::CoverageLevel::Covered,
        Some(_) => v1::CoverageLevel::Partly,
    };
    Ok(Some(v1::ObligorCoverage {
        level: level.into(),
        covered: Some(to_duration(found.covered)),
        next_covered_time: found.next.map(to_timestamp),
        until_time: Some(to_timestamp(period.to)),
    }))
}
