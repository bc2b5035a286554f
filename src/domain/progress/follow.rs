//! The interval follows its expectation: it begins with the agreement, stops with the work, goes on
//! after a dispute, and is looked after by the sweeper.

use std::sync::Arc;

use super::{
    Pace, PaceBegun, PaceResumed, PaceStopped, PinnedCalendar, Progress, ProgressEvent, Subject,
    UpdatesMissed,
};
use crate::domain::command::Decision;
use crate::domain::expectation::Expectation;
use crate::domain::identity::PartyId;
use crate::domain::partnership::Partnership;
use crate::domain::record::{Event, Kind};
use crate::domain::sla::agreement::{Agreement, AgreementRevision};
use crate::domain::sla::compiled::CompiledCalendar;
use crate::domain::time::Timestamp;
use crate::domain::world::{Stop, View};

/// Most missed updates that one tick records, each in an entry of its own. The next tick goes on
/// where it ended.
pub const MISSED_PER_TICK: usize = 100;

/// What it means for the update interval of an expectation that it changed.
///
/// # Errors
/// A refusal, or what has to be loaded first.
pub fn follow(
    id: &str,
    before: Option<&Expectation>,
    after: &Expectation,
    view: &View<'_>,
) -> Result<Vec<Event>, Stop> {
    let subject = Subject::Expectation(id.to_owned()).progress_id();
    let events = consequences(id, before, after, view)?.into_iter();
    Ok(events.map(|event| Event::new(&subject, event)).collect())
}

fn consequences(
    id: &str,
    before: Option<&Expectation>,
    after: &Expectation,
    view: &View<'_>,
) -> Result<Vec<ProgressEvent>, Stop> {
    let owed = |expectation: &Expectation| {
        let interval = expectation.agreed_offer()?.five_w.when.update_interval;
        interval.filter(|_| expectation.stands_agreed(expectation.state))
    };
    let (owed_before, owed_after) = (before.and_then(owed), owed(after));
    if owed_before == owed_after {
        return Ok(Vec::new());
    }
    let progress = view.find::<Progress>(&Subject::Expectation(id.to_owned()).progress_id())?;
    let pace = progress.and_then(|progress| progress.pace.as_ref());
    let mut events = Vec::new();
    if let Some(pace) = pace.filter(|pace| pace.is_running) {
        let calendar = calendar_of(pace.calendar.as_ref(), view)?;
        // What is closed with its partnership was closed when that ended, whenever it is recorded.
        let until = after.closed_at.unwrap_or(view.now);
        let missed = pace.overdue(&calendar, until, u64::MAX);
        events.extend(missed.map(ProgressEvent::Missed));
        if owed_after.is_none() {
            events.push(ProgressEvent::Stopped(PaceStopped {}));
        }
    }
    let Some(interval) = owed_after else {
        return Ok(events);
    };
    if let Some(pace) = pace.filter(|pace| pace.interval == interval) {
        let calendar = calendar_of(pace.calendar.as_ref(), view)?;
        let due_at = calendar.add(view.now, interval);
        events.push(ProgressEvent::Resumed(PaceResumed { due_at }));
        return Ok(events);
    }
    let pinned = judged_in(after, view)?;
    let due_at = calendar_of(pinned.as_ref(), view)?.add(view.now, interval);
    events.push(ProgressEvent::Begun(PaceBegun {
        subject: Subject::Expectation(id.to_owned()),
        obligor: after.obligor.clone(),
        interval,
        calendar: pinned,
        due_at,
    }));
    Ok(events)
}

/// The calendar of the agreement by which an expectation was judged.
fn judged_in(expectation: &Expectation, view: &View<'_>) -> Result<Option<PinnedCalendar>, Stop> {
    let agreed = expectation.agreed();
    let Some(terms) = agreed.and_then(|agreed| agreed.judgement.terms.as_ref()) else {
        return Ok(None);
    };
    let agreement = view.get::<Agreement>(&terms.agreement)?;
    let content = if agreement.revision == terms.revision {
        &agreement.content
    } else {
        let id = AgreementRevision::id_of(&terms.agreement, terms.revision);
        &view.get::<AgreementRevision>(&id)?.content
    };
    Ok(Some(PinnedCalendar {
        calendar: content.calendar.clone(),
        revision: content.calendar_revision,
    }))
}

/// In whose hours an interval runs.
fn calendar_of(
    pinned: Option<&PinnedCalendar>,
    view: &View<'_>,
) -> Result<Arc<CompiledCalendar>, Stop> {
    match pinned {
        Some(pinned) => view.calendar(&pinned.calendar, pinned.revision),
        None => Ok(Arc::new(CompiledCalendar::always_open())),
    }
}

/// What an update of the obligor's does to a running interval: what was missed before it, and when
/// the next one is due. Nothing where none runs.
pub(in crate::domain) fn told_now(
    progress: Option<&Progress>,
    view: &View<'_>,
) -> Result<(Option<UpdatesMissed>, Option<Timestamp>), Stop> {
    let pace = progress.and_then(|progress| progress.pace.as_ref());
    let Some(pace) = pace.filter(|pace| pace.is_running) else {
        return Ok((None, None));
    };
    let calendar = calendar_of(pace.calendar.as_ref(), view)?;
    let missed = pace.overdue(&calendar, view.now, u64::MAX);
    Ok((missed, calendar.add(view.now, pace.interval)))
}

/// Time has passed: records each interval that passed in silence, once. After the end of the
/// partnership, or once the obligor has left it, nobody can post an update, and none is owed.
///
/// # Errors
/// A refusal, or what has to be loaded first.
pub fn tick(id: &str, view: &View<'_>) -> Result<Decision, Stop> {
    let progress = view.get::<Progress>(id)?;
    let mut decision = Decision::about(Kind::Progress, id);
    let running = progress.pace.as_ref().filter(|pace| pace.is_running);
    let Some(mut pace) = running.cloned() else {
        return Ok(decision);
    };
    let partnership = view.get::<Partnership>(view.scope.id())?;
    let over_at = over_at(partnership, &pace.obligor, is_carried_on(progress, view)?);
    let over_at = over_at.filter(|over_at| *over_at <= view.now);
    let until = over_at.unwrap_or(view.now);
    let calendar = calendar_of(pace.calendar.as_ref(), view)?;
    while decision.events.len() < MISSED_PER_TICK
        && let Some(missed) = pace.overdue(&calendar, until, 1)
    {
        pace.miss(&missed);
        decision = decision.event(Event::new(id, ProgressEvent::Missed(missed)));
    }
    if over_at.is_some() && pace.overdue(&calendar, until, 1).is_none() {
        let stopped = ProgressEvent::Stopped(PaceStopped {});
        decision = decision.event(Event::new(id, stopped));
    }
    Ok(decision)
}

/// From when on a party can post no updates: when it left, or the end of the partnership, unless what
/// the updates are about is carried on.
fn over_at(partnership: &Partnership, obligor: &PartyId, is_carried_on: bool) -> Option<Timestamp> {
    let party = partnership.party(obligor);
    let left = party.and_then(|party| party.left.as_ref());
    let left = left.map(|departure| departure.at);
    let ended_at = partnership.ended_at.filter(|_| !is_carried_on);
    left.into_iter().chain(ended_at).min()
}

/// Whether the expectation with the interval outlives its partnership.
fn is_carried_on(progress: &Progress, view: &View<'_>) -> Result<bool, Stop> {
    let Subject::Expectation(id) = &progress.subject else {
        return Ok(false);
    };
    let expectation = view.find::<Expectation>(id)?;
    Ok(expectation.is_some_and(|expectation| expectation.carried.is_some()))
}

impl Progress {
    /// The pace as it is at `now`, as if a sweep had just come by. `is_carried_on` says whether what
    /// it is of outlives its partnership.
    #[must_use]
    pub fn pace_at(
        &self,
        calendar: &CompiledCalendar,
        partnership: &Partnership,
        is_carried_on: bool,
        now: Timestamp,
    ) -> Option<Pace> {
        let pace = self.pace.as_ref()?;
        let over_at = over_at(partnership, &pace.obligor, is_carried_on);
        let over_at = over_at.filter(|over_at| *over_at <= now);
        let mut pace = pace.as_of(calendar, over_at.unwrap_or(now));
        if over_at.is_some() {
            pace.is_running = false;
            pace.due_at = None;
        }
        Some(pace)
    }
}
