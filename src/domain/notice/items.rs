//! Items of a checklist that became expectations: the expectation's acceptance ticks them off.

use super::{ChecklistItem, ItemExpected, ItemMarked, Notice, NoticeEvent, NoticeState};
use crate::domain::expectation::{Expectation, ExpectationState, NoticeItem, refuse_second};
use crate::domain::record::Event;
use crate::domain::refusal::{Reason, Refusal};
use crate::domain::world::{Stop, View};

/// What it does to a notice that an item of it becomes an expectation.
///
/// # Errors
/// A refusal, or what has to be loaded first.
pub fn expect_item(
    wanted: &NoticeItem,
    expectation: &str,
    view: &View<'_>,
) -> Result<NoticeEvent, Stop> {
    let notice = view.get::<Notice>(&wanted.notice)?;
    if !notice.state.is_open() {
        let state = notice.state.as_str();
        return Err(Refusal::invalid_state(state, "CreateExpectation").into());
    }
    let mut items = notice.checklist.iter();
    let item = items.find(|item| item.number == wanted.number);
    let open = item.filter(|item| item.done.is_none());
    let Some(item) = open else {
        let rule = item.map_or("the checklist has no such item", |_| "the item is done");
        let field = "expectation.notice_item.number";
        return Err(Refusal::field(Reason::InvalidField, field, rule).into());
    };
    refuse_second(item.expectation.as_ref(), view)?;
    Ok(NoticeEvent::ItemExpected(ItemExpected {
        number: wanted.number,
        expectation: expectation.to_owned(),
    }))
}

/// An item whose expectation stands is ticked off by the acceptance of the work, and by nothing else.
pub(super) fn require_unlinked(
    item: &ChecklistItem,
    state: NoticeState,
    view: &View<'_>,
) -> Result<(), Stop> {
    let Some(id) = &item.expectation else {
        return Ok(());
    };
    let expectation = view.find::<Expectation>(id)?;
    let stands = expectation.map(|expectation| expectation.state_at(view.now));
    if stands.is_none_or(ExpectationState::came_to_nothing) {
        return Ok(());
    }
    let message = "the item became an expectation: whoever accepts the work ticks it off";
    Err(Refusal::new(Reason::InvalidState, message)
        .with("state", state.as_str())
        .with("action", "MarkNoticeItem")
        .with("expectation", format!("{}/expectations/{id}", view.scope))
        .into())
}

/// What it means for the notice of which an expectation came that it changed: accepted work ticks
/// the item off.
///
/// # Errors
/// A refusal, or what has to be loaded first.
pub fn follow(
    before: Option<&Expectation>,
    after: &Expectation,
    view: &View<'_>,
) -> Result<Vec<Event>, Stop> {
    let is_accepted = |expectation: &Expectation| expectation.state == ExpectationState::Accepted;
    let is_news = is_accepted(after) && !before.is_some_and(is_accepted);
    let (Some(link), Some(acceptance)) = (&after.links.notice_item, after.acceptance()) else {
        return Ok(Vec::new());
    };
    if !is_news {
        return Ok(Vec::new());
    }
    let notice = view.get::<Notice>(&link.notice)?;
    let mut items = notice.checklist.iter();
    let open = items.any(|item| item.number == link.number && item.done.is_none());
    if !notice.state.is_open() || !open {
        return Ok(Vec::new());
    }
    let marked = NoticeEvent::ItemMarked(ItemMarked {
        party: acceptance.statement.party.clone(),
        number: link.number,
        is_done: true,
    });
    Ok(vec![Event::new(&link.notice, marked)])
}
