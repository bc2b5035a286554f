//! Decisions on requests to hand over.

use std::collections::BTreeSet;

use super::{
    CalendarPin, HandOverAnswered, HandOverOverdue, HandOverRequest, HandOverRequestEvent,
    HandOverRequested, ITEMS_MAX, RequestState, WITHIN_MAX, WITHIN_MIN,
};
use crate::domain::command::Decision;
use crate::domain::commitment::Commitment;
use crate::domain::custody::item::{
    CustodyItem, CustodyItemEvent, CustodyState, ItemHandedOver, ItemRequest,
};
use crate::domain::custody::{is_absent, require_one_of};
use crate::domain::identity::{FirmId, PartyId};
use crate::domain::outsiders::{Client, already_exists};
use crate::domain::partnership::{Partnership, Party, as_present_party};
use crate::domain::record::{Event, Kind};
use crate::domain::refusal::{Reason, Refusal, Violations};
use crate::domain::sla::settings::Calendar;
use crate::domain::time::{Span, Timestamp};
use crate::domain::world::{Stop, View, for_each};

/// A request as it is made.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RequestDraft {
    /// An identifier that the caller chose; otherwise one is made.
    pub id: Option<String>,
    /// Identifiers of the items, each once, 1 to [`ITEMS_MAX`]; all of one holder.
    pub items: Vec<String>,
    /// The client on whose behalf they are asked for: the one whose all of them are.
    pub on_behalf_of: Option<String>,
    /// Why.
    pub reason: Option<Commitment>,
    /// Within which time: [`WITHIN_MIN`] to [`WITHIN_MAX`].
    pub within: Span,
    /// By whose open hours the time counts; `None` for around the clock.
    pub calendar: Option<String>,
}

/// What can be asked of requests to hand over.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum RequestCommand {
    /// Asks the holder for items; for every party but the holder.
    Create(RequestDraft),
    /// Hands over; for the holder, also late and after it withheld. To say it again changes nothing.
    Release {
        /// Which request.
        id: String,
        /// What there is to say.
        words: Option<Commitment>,
    },
    /// Says that it was received; for the party that asked. To say it again changes nothing.
    Confirm {
        /// Which request.
        id: String,
        /// What there is to say.
        words: Option<Commitment>,
    },
    /// Says why it is not handed over; for the holder, once.
    Withhold {
        /// Which request.
        id: String,
        /// Why.
        reason: Commitment,
    },
    /// Takes the request back; for the party that asked, until it has received it. To say it again
    /// changes nothing.
    Withdraw {
        /// Which request.
        id: String,
        /// Why.
        reason: Option<Commitment>,
    },
}

/// Decides a command on a request to hand over.
///
/// # Errors
/// A refusal, or what has to be loaded first.
pub fn decide(command: &RequestCommand, firm: &FirmId, view: &View<'_>) -> Result<Decision, Stop> {
    let (partnership, own) = as_present_party(firm, view)?;
    let find = |id, action| Matter::find(id, action, partnership, own, view);
    match command {
        RequestCommand::Create(draft) => create(draft, own, partnership, view),
        RequestCommand::Release { id, words } => {
            find(id, "ReleaseHandOver")?.release(words.as_ref(), view.now)
        }
        RequestCommand::Confirm { id, words } => {
            find(id, "ConfirmHandOver")?.confirm(words.as_ref(), view)
        }
        RequestCommand::Withhold { id, reason } => {
            find(id, "WithholdHandOver")?.withhold(reason, view.now)
        }
        RequestCommand::Withdraw { id, reason } => {
            find(id, "WithdrawHandOverRequest")?.withdraw(reason.as_ref(), view)
        }
    }
}

/// Time has passed: records, once, that nothing was handed over in time. It does not wait for a
/// partnership to be active.
///
/// # Errors
/// A refusal, or what has to be loaded first.
pub fn tick(id: &str, view: &View<'_>) -> Result<Decision, Stop> {
    let request = view.get::<HandOverRequest>(id)?;
    let decision = Decision::about(Kind::HandOverRequest, id);
    let overdue = overdue(id, request, view.now);
    Ok(overdue.into_iter().fold(decision, Decision::event))
}

/// The event by which it is late, if it is and no entry says so yet.
fn overdue(id: &str, request: &HandOverRequest, now: Timestamp) -> Option<Event> {
    let due_at = request.asked.due_at;
    let is_new = request.state.is_waiting() && request.overdue_at.is_none() && now > due_at;
    let overdue = HandOverRequestEvent::Overdue(HandOverOverdue { due_at });
    is_new.then(|| Event::new(id, overdue))
}

fn create(
    draft: &RequestDraft,
    own: &Party,
    partnership: &Partnership,
    view: &View<'_>,
) -> Result<Decision, Stop> {
    check(draft)?;
    let id = draft.id.clone().unwrap_or_else(|| view.new_id(0));
    if view.find::<HandOverRequest>(&id)?.is_some() {
        return Err(already_exists(Kind::HandOverRequest, &id).into());
    }
    if let Some(client) = &draft.on_behalf_of {
        view.get::<Client>(client)?;
    }
    let items = for_each(&draft.items, |item| view.get::<CustodyItem>(item))?;
    let holder = holder_of(draft, &items, own)?;
    for (item_id, item) in draft.items.iter().zip(&items) {
        let state = match (item.state, &item.request) {
            (CustodyState::Held, None) => continue,
            (CustodyState::Held, Some(_)) => "requested",
            (over, _) => over.as_str(),
        };
        let refusal = Refusal::invalid_state(state, "CreateHandOverRequest");
        return Err(refusal.with("custody_item", item_id).into());
    }
    let calendar = pinned(draft.calendar.as_deref(), view)?;
    let asked = HandOverRequested {
        party: own.id.clone(),
        on_behalf_of: draft.on_behalf_of.clone(),
        is_asserted: is_absent(partnership, &holder),
        holder,
        items: draft.items.clone(),
        reason: draft.reason.clone(),
        within: draft.within,
        due_at: due_at(draft.within, calendar.as_ref(), view)?,
        calendar,
    };
    let made = HandOverRequestEvent::Requested(asked);
    let mut decision = Decision::about(Kind::HandOverRequest, &id);
    for item in &draft.items {
        let request = id.clone();
        let asked_for = CustodyItemEvent::Requested(ItemRequest { request });
        decision = decision.event(Event::new(item, asked_for));
    }
    // The receipt names the last entry, which is the request's own.
    Ok(decision.event(Event::new(&id, made)))
}

fn check(draft: &RequestDraft) -> Result<(), Refusal> {
    const ITEMS: &str = "hand_over_request.custody_items";
    let mut violations = Violations::default();
    let rule = format!("1 to {ITEMS_MAX}");
    let few = (1..=ITEMS_MAX).contains(&draft.items.len());
    violations.require(few, ITEMS, &rule);
    let mut seen = BTreeSet::new();
    for (index, item) in draft.items.iter().take(ITEMS_MAX).enumerate() {
        let field = format!("{ITEMS}[{index}]");
        violations.require(seen.insert(item), &field, "each item once");
    }
    let sensible = (WITHIN_MIN..=WITHIN_MAX).contains(&draft.within);
    let rule = "1 minute to 366 days";
    violations.require(sensible, "hand_over_request.within", rule);
    violations.finish()
}

/// The one party that holds all items, if it may be asked for them so.
fn holder_of(
    draft: &RequestDraft,
    items: &[&CustodyItem],
    own: &Party,
) -> Result<PartyId, Refusal> {
    let holder = items.first().map_or(&own.id, |item| &item.holder);
    let mut violations = Violations::default();
    for (index, item) in items.iter().enumerate() {
        let field = format!("hand_over_request.custody_items[{index}]");
        let rule = "must be held by the same party as the first";
        violations.require(item.holder == *holder, &field, rule);
        let rule = "the holder itself does not ask for it";
        violations.require(item.holder != own.id, &field, rule);
        let client = draft.on_behalf_of.as_deref();
        let is_the_clients = client.is_none() || item.owner.client() == client;
        let rule = "must be the client's on whose behalf it is asked for";
        violations.require(is_the_clients, &field, rule);
    }
    violations.finish()?;
    Ok(holder.clone())
}

fn pinned(calendar: Option<&str>, view: &View<'_>) -> Result<Option<CalendarPin>, Stop> {
    let Some(calendar) = calendar else {
        return Ok(None);
    };
    let missing = || {
        let field = "hand_over_request.calendar";
        Refusal::field(Reason::NotFound, field, "no such calendar")
    };
    let found = view.find::<Calendar>(calendar)?.ok_or_else(missing)?;
    Ok(Some(CalendarPin {
        calendar: calendar.to_owned(),
        revision: found.latest_revision,
    }))
}

fn due_at(
    within: Span,
    calendar: Option<&CalendarPin>,
    view: &View<'_>,
) -> Result<Timestamp, Stop> {
    let due_at = match calendar {
        Some(pin) => view
            .calendar(&pin.calendar, pin.revision)?
            .add(view.now, within),
        None => Some(view.now.saturating_add(within)),
    };
    let unreachable = || {
        let (field, rule) = (
            "hand_over_request.within",
            "the calendar has not so much time",
        );
        Refusal::field(Reason::TargetUnreachable, field, rule)
    };
    let due_at = due_at.filter(|due_at| due_at.is_storable());
    Ok(due_at.ok_or_else(unreachable)?)
}

/// A request that exists, and the party that answers it.
struct Matter<'world> {
    id: &'world str,
    request: &'world HandOverRequest,
    partnership: &'world Partnership,
    own: &'world Party,
    action: &'static str,
}

impl<'world> Matter<'world> {
    fn find(
        id: &'world str,
        action: &'static str,
        partnership: &'world Partnership,
        own: &'world Party,
        view: &View<'world>,
    ) -> Result<Self, Stop> {
        Ok(Self {
            id,
            request: view.get::<HandOverRequest>(id)?,
            partnership,
            own,
            action,
        })
    }

    fn about(&self) -> Decision {
        Decision::about(Kind::HandOverRequest, self.id)
    }

    /// What is for `party` alone, or for whoever is there in its place.
    fn answer(
        &self,
        party: &PartyId,
        words: Option<&Commitment>,
    ) -> Result<HandOverAnswered, Refusal> {
        require_one_of(&[party], self.partnership, self.own, self.action)?;
        Ok(HandOverAnswered {
            party: self.own.id.clone(),
            words: words.cloned(),
            is_asserted: self.own.id != *party,
        })
    }

    fn require(&self, holds: bool) -> Result<(), Refusal> {
        if holds {
            return Ok(());
        }
        Err(Refusal::invalid_state(
            self.request.state.as_str(),
            self.action,
        ))
    }

    /// What is changed has to be there.
    fn load_items(&self, view: &View<'_>) -> Result<(), Stop> {
        let items = &self.request.asked.items;
        for_each(items, |item| view.get::<CustodyItem>(item))?;
        Ok(())
    }

    /// Adds an answer, after the entry that it comes late, and to every item what it makes of that.
    fn answered(
        &self,
        now: Option<Timestamp>,
        event: HandOverRequestEvent,
        of_item: Option<&CustodyItemEvent>,
    ) -> Decision {
        let late = now.and_then(|now| overdue(self.id, self.request, now));
        let mut decision = late.into_iter().fold(self.about(), Decision::event);
        for item in &self.request.asked.items {
            if let Some(of_item) = of_item {
                decision = decision.event(Event::new(item, of_item.clone()));
            }
        }
        decision.event(Event::new(self.id, event))
    }

    fn release(&self, words: Option<&Commitment>, now: Timestamp) -> Result<Decision, Stop> {
        let said = self.answer(&self.request.asked.holder, words)?;
        if self.request.state == RequestState::Released {
            return Ok(self.about());
        }
        self.require(self.request.state.is_waiting())?;
        Ok(self.answered(Some(now), HandOverRequestEvent::Released(said), None))
    }

    fn withhold(&self, reason: &Commitment, now: Timestamp) -> Result<Decision, Stop> {
        let said = self.answer(&self.request.asked.holder, Some(reason))?;
        self.require(self.request.state == RequestState::Requested)?;
        Ok(self.answered(Some(now), HandOverRequestEvent::Withheld(said), None))
    }

    fn confirm(&self, words: Option<&Commitment>, view: &View<'_>) -> Result<Decision, Stop> {
        let said = self.answer(&self.request.asked.party, words)?;
        if self.request.state == RequestState::Received {
            return Ok(self.about());
        }
        self.require(self.request.state == RequestState::Released)?;
        self.load_items(view)?;
        let handed_over = CustodyItemEvent::HandedOver(ItemHandedOver {
            request: self.id.to_owned(),
            to: self.own.id.clone(),
        });
        let received = HandOverRequestEvent::Received(said);
        Ok(self.answered(None, received, Some(&handed_over)))
    }

    fn withdraw(&self, reason: Option<&Commitment>, view: &View<'_>) -> Result<Decision, Stop> {
        let said = self.answer(&self.request.asked.party, reason)?;
        let state = self.request.state;
        if state == RequestState::Withdrawn {
            return Ok(self.about());
        }
        self.require(state != RequestState::Received)?;
        self.load_items(view)?;
        let freed = CustodyItemEvent::Freed(ItemRequest {
            request: self.id.to_owned(),
        });
        let withdrawn = HandOverRequestEvent::Withdrawn(said);
        Ok(self.answered(Some(view.now), withdrawn, Some(&freed)))
    }
}
