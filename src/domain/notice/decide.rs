//! Decisions on a notice.

use std::collections::BTreeSet;

use super::items::require_unlinked;
use super::judge::Judge;
use super::{
    CHECKLIST_ITEMS_MAX, ChecklistItem, FIRE_DRILLS_MAX, FireDrill, ItemMarked, Notice,
    NoticeConfirmed, NoticeCreated, NoticeEnded, NoticeEvent, NoticeKind, NoticeState,
    NoticeUpdated, Plan,
};
use crate::domain::command::Decision;
use crate::domain::commitment::Commitment;
use crate::domain::firm::refuse_taken;
use crate::domain::identity::{ExternalReference, FirmId};
use crate::domain::outsiders::{Client, already_exists};
use crate::domain::partnership::{Partnership, Party, as_active_party};
use crate::domain::record::{Event, Kind};
use crate::domain::refusal::{Reason, Refusal, Violations};
use crate::domain::text::require_reference;
use crate::domain::time::Timestamp;
use crate::domain::world::{Stop, View};

/// An item of a checklist as its giver writes it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ChecklistDraft {
    /// Number of an item that is there, which keeps its mark; 0 for a new one.
    pub number: u32,
    /// What has to be thought of.
    pub text: Commitment,
}

/// A notice as its giver writes it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NoticeDraft {
    /// What is planned.
    pub kind: NoticeKind,
    /// A line for lists.
    pub title: Option<Commitment>,
    /// What is planned, in words.
    pub details: Option<Commitment>,
    /// When it is to be.
    pub plan: Plan,
    /// Identifier of the client concerned.
    pub client: Option<String>,
    /// What has to be thought of.
    pub checklist: Vec<Commitment>,
}

/// A part of a notice as it is to be from now on.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum NoticePart {
    /// The line for lists.
    Title(Option<Commitment>),
    /// What is planned, in words.
    Details(Option<Commitment>),
    /// From when to when it may be.
    Window(Option<Timestamp>, Option<Timestamp>),
    /// When it will be.
    PlannedAt(Option<Timestamp>),
    /// The client concerned.
    Client(Option<String>),
    /// What has to be thought of, whole.
    Checklist(Vec<ChecklistDraft>),
}

/// What can be asked of a notice.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum NoticeCommand {
    /// Gives notice; the caller's party is the giver.
    Create {
        /// An identifier that the caller chose; otherwise one is made.
        id: Option<String>,
        /// What it says.
        draft: NoticeDraft,
        /// Whether it is certain already.
        is_confirmed: bool,
        /// Its id in the firm's own software.
        reference: Option<ExternalReference>,
    },
    /// Changes parts of it; for its giver.
    Update {
        /// Which notice.
        id: String,
        /// The parts; the last one counts where one comes twice.
        parts: Vec<NoticePart>,
    },
    /// Says that it is certain; for its giver.
    Confirm {
        /// Which notice.
        id: String,
        /// When it will be; `None` if the notice says so already.
        planned_at: Option<Timestamp>,
    },
    /// Ticks an item off, or says that it is not done after all; for every party.
    MarkItem {
        /// Which notice.
        id: String,
        /// Number of the item.
        number: u32,
        /// Whether it is done.
        is_done: bool,
    },
    /// Says that it has come; for its giver.
    Complete {
        /// Which notice.
        id: String,
        /// How it went.
        message: Option<Commitment>,
    },
    /// Says that it will not come; for its giver.
    Withdraw {
        /// Which notice.
        id: String,
        /// Why.
        reason: Option<Commitment>,
    },
}

/// Decides a command on a notice.
///
/// # Errors
/// A refusal, or what has to be loaded first.
pub fn decide(command: &NoticeCommand, firm: &FirmId, view: &View<'_>) -> Result<Decision, Stop> {
    let (partnership, party) = as_active_party(firm, view)?;
    let find = |id| Matter::find(id, partnership, party, view);
    match command {
        NoticeCommand::Create {
            id,
            draft,
            is_confirmed,
            reference,
        } => {
            let judge = Judge::new(partnership, draft.kind, view.now);
            let created = created(draft, *is_confirmed, party, &judge)?;
            create(id.as_deref(), created, reference.as_ref(), view)
        }
        NoticeCommand::Update { id, parts } => find(id)?.update(parts, view),
        NoticeCommand::Confirm { id, planned_at } => find(id)?.confirm(*planned_at),
        NoticeCommand::MarkItem {
            id,
            number,
            is_done,
        } => find(id)?.mark(*number, *is_done, view),
        NoticeCommand::Complete { id, message } => find(id)?.complete(message.as_ref()),
        NoticeCommand::Withdraw { id, reason } => find(id)?.withdraw(reason.as_ref()),
    }
}

fn created(
    draft: &NoticeDraft,
    is_confirmed: bool,
    party: &Party,
    judge: &Judge<'_>,
) -> Result<NoticeCreated, Refusal> {
    let mut violations = Violations::default();
    draft.plan.check(&mut violations);
    let planned_at = draft.plan.planned_at;
    let rule = "must be given for what is confirmed";
    let is_planned = !is_confirmed || planned_at.is_some();
    violations.require(is_planned, "notice.planned_time", rule);
    let few = draft.checklist.len() <= CHECKLIST_ITEMS_MAX;
    violations.require(few, "notice.checklist", &no_more_items());
    violations.finish()?;
    let items = (1..).zip(&draft.checklist);
    Ok(NoticeCreated {
        kind: draft.kind,
        giver: party.id.clone(),
        title: draft.title.clone(),
        details: draft.details.clone(),
        plan: draft.plan,
        client: draft.client.clone(),
        checklist: items.map(|(number, text)| item(number, text)).collect(),
        is_confirmed,
        fire_drill: planned_at
            .filter(|_| is_confirmed)
            .and_then(|planned_at| judge.told_now(planned_at)),
        lead_time: is_confirmed.then(|| judge.lead_time()),
    })
}

fn no_more_items() -> String {
    format!("no more than {CHECKLIST_ITEMS_MAX}")
}

fn item(number: u32, text: &Commitment) -> ChecklistItem {
    ChecklistItem {
        number,
        text: text.clone(),
        done: None,
        expectation: None,
    }
}

fn create(
    chosen_id: Option<&str>,
    created: NoticeCreated,
    reference: Option<&ExternalReference>,
    view: &View<'_>,
) -> Result<Decision, Stop> {
    if let Some(reference) = reference {
        let mut violations = Violations::default();
        let field = "notice.external_references[0]";
        require_reference(&mut violations, field, reference);
        violations.finish()?;
    }
    if let Some(client) = &created.client {
        view.get::<Client>(client)?;
    }
    let id = chosen_id.map_or_else(|| view.new_id(0), str::to_owned);
    if view.find::<Notice>(&id)?.is_some() {
        return Err(already_exists(Kind::Notice, &id).into());
    }
    let created = NoticeEvent::Created(created);
    let decision = Decision::about(Kind::Notice, &id).event(Event::new(&id, created));
    let Some(reference) = reference else {
        return Ok(decision);
    };
    refuse_taken(reference, view)?;
    Ok(decision.reference(reference.clone(), Kind::Notice, &id))
}

/// A notice that exists, and the party that asks something of it.
struct Matter<'world> {
    id: &'world str,
    notice: &'world Notice,
    party: &'world Party,
    judge: Judge<'world>,
}

impl<'world> Matter<'world> {
    fn find(
        id: &'world str,
        partnership: &'world Partnership,
        party: &'world Party,
        view: &View<'world>,
    ) -> Result<Self, Stop> {
        let notice = view.get::<Notice>(id)?;
        Ok(Self {
            id,
            notice,
            party,
            judge: Judge::new(partnership, notice.kind, view.now),
        })
    }

    fn unchanged(&self) -> Decision {
        Decision::about(Kind::Notice, self.id)
    }

    fn accepted(&self, event: NoticeEvent) -> Decision {
        self.unchanged().event(Event::new(self.id, event))
    }

    fn invalid_state(&self, action: &str) -> Refusal {
        Refusal::invalid_state(self.notice.state.as_str(), action)
    }

    /// It is still ahead.
    fn require_open(&self, action: &str) -> Result<(), Refusal> {
        if self.notice.state.is_open() {
            return Ok(());
        }
        Err(self.invalid_state(action))
    }

    /// It is still ahead, and this party's.
    fn require_own(&self, action: &str) -> Result<(), Refusal> {
        self.require_open(action)?;
        let giver = &self.notice.giver;
        if *giver == self.party.id {
            return Ok(());
        }
        let message = format!("only {giver}, which gave the notice, may do so");
        Err(Refusal::new(Reason::NotYourNotice, message)
            .with("state", self.notice.state.as_str())
            .with("action", action)
            .with("giver", giver))
    }

    fn update(&self, parts: &[NoticePart], view: &View<'_>) -> Result<Decision, Stop> {
        self.require_own("UpdateNotice")?;
        let mut violations = Violations::default();
        let mut updated = self.as_it_is();
        for part in parts {
            match part {
                NoticePart::Title(title) => updated.title.clone_from(title),
                NoticePart::Details(details) => updated.details.clone_from(details),
                NoticePart::Window(earliest, latest) => {
                    (updated.plan.earliest, updated.plan.latest) = (*earliest, *latest);
                }
                NoticePart::PlannedAt(planned_at) => updated.plan.planned_at = *planned_at,
                NoticePart::Client(client) => updated.client.clone_from(client),
                NoticePart::Checklist(items) => {
                    updated.checklist = self.checklist(items, &mut violations);
                }
            }
        }
        updated.plan.check(&mut violations);
        let is_confirmed = self.notice.state == NoticeState::Confirmed;
        let is_planned = !is_confirmed || updated.plan.planned_at.is_some();
        let rule = "a confirmed notice has one";
        violations.require(is_planned, "notice.planned_time", rule);
        violations.finish()?;
        if let Some(client) = &updated.client {
            view.get::<Client>(client)?;
        }
        if updated == self.as_it_is() {
            return Ok(self.unchanged());
        }
        updated.fire_drill = self.moved_to(updated.plan.planned_at)?;
        let is_judged = is_confirmed && updated.plan.planned_at < self.notice.plan.planned_at;
        updated.lead_time = is_judged.then(|| self.judge.lead_time());
        Ok(self.accepted(NoticeEvent::Updated(updated)))
    }

    fn as_it_is(&self) -> NoticeUpdated {
        NoticeUpdated {
            title: self.notice.title.clone(),
            details: self.notice.details.clone(),
            plan: self.notice.plan,
            client: self.notice.client.clone(),
            checklist: self.notice.checklist.clone(),
            fire_drill: None,
            lead_time: None,
        }
    }

    /// What is certain and is moved to an earlier instant is told only now. Moved to a later one,
    /// it leaves more time than it did.
    fn moved_to(&self, planned_at: Option<Timestamp>) -> Result<Option<FireDrill>, Refusal> {
        let before = self.notice.plan.planned_at;
        if self.notice.state != NoticeState::Confirmed || planned_at >= before {
            return Ok(None);
        }
        let found = planned_at.and_then(|planned_at| self.judge.told_now(planned_at));
        if found.is_some() && self.notice.fire_drills.len() >= FIRE_DRILLS_MAX {
            return Err(Refusal::limit("fire drills of a notice", FIRE_DRILLS_MAX));
        }
        Ok(found)
    }

    /// The checklist from now on: items that are there keep their number and mark.
    fn checklist(
        &self,
        drafts: &[ChecklistDraft],
        violations: &mut Violations,
    ) -> Vec<ChecklistItem> {
        let few = drafts.len() <= CHECKLIST_ITEMS_MAX;
        violations.require(few, "notice.checklist", &no_more_items());
        let mut next = self.notice.items_numbered;
        let mut seen = BTreeSet::new();
        let mut checklist = Vec::with_capacity(drafts.len().min(CHECKLIST_ITEMS_MAX));
        for (index, draft) in drafts.iter().take(CHECKLIST_ITEMS_MAX).enumerate() {
            if draft.number == 0 {
                next = next.saturating_add(1);
                checklist.push(item(next, &draft.text));
                continue;
            }
            let field = format!("notice.checklist[{index}].number");
            let mut items = self.notice.checklist.iter();
            let known = items.find(|item| item.number == draft.number);
            violations.require(
                known.is_some(),
                &field,
                "no such item; leave it out for a new one",
            );
            violations.require(seen.insert(draft.number), &field, "each item once");
            checklist.push(ChecklistItem {
                done: known.and_then(|known| known.done.clone()),
                expectation: known.and_then(|known| known.expectation.clone()),
                ..item(draft.number, &draft.text)
            });
        }
        let mut linked = self.notice.checklist.iter();
        let lost = linked.find(|item| item.expectation.is_some() && !seen.contains(&item.number));
        if let Some(lost) = lost {
            let rule = format!("item {} became an expectation and stays", lost.number);
            violations.add("notice.checklist", rule);
        }
        checklist
    }

    fn confirm(&self, planned_at: Option<Timestamp>) -> Result<Decision, Stop> {
        let action = "ConfirmNotice";
        self.require_own(action)?;
        if self.notice.state != NoticeState::HeadsUp {
            return Err(self.invalid_state(action).into());
        }
        let planned_at = planned_at.or(self.notice.plan.planned_at);
        let storable = planned_at.filter(|planned_at| planned_at.is_storable());
        let Some(planned_at) = storable else {
            let rule = "must be given, between the years 2000 and 2099";
            return Err(Refusal::field(Reason::InvalidField, "planned_time", rule).into());
        };
        Ok(self.accepted(NoticeEvent::Confirmed(NoticeConfirmed {
            planned_at,
            fire_drill: self.judge.told_now(planned_at),
            lead_time: self.judge.lead_time(),
        })))
    }

    fn mark(&self, number: u32, is_done: bool, view: &View<'_>) -> Result<Decision, Stop> {
        self.require_open("MarkNoticeItem")?;
        let mut items = self.notice.checklist.iter();
        let Some(item) = items.find(|item| item.number == number) else {
            let rule = "the checklist has no such item";
            return Err(Refusal::field(Reason::InvalidField, "number", rule).into());
        };
        if item.done.is_some() == is_done {
            return Ok(self.unchanged());
        }
        require_unlinked(item, self.notice.state, view)?;
        Ok(self.accepted(NoticeEvent::ItemMarked(ItemMarked {
            party: self.party.id.clone(),
            number,
            is_done,
        })))
    }

    fn complete(&self, message: Option<&Commitment>) -> Result<Decision, Stop> {
        let action = "CompleteNotice";
        self.require_own(action)?;
        if self.notice.state != NoticeState::Confirmed {
            return Err(self.invalid_state(action).into());
        }
        let planned_at = self.notice.plan.planned_at;
        let fire_drill = planned_at.and_then(|planned_at| self.judge.came_before(planned_at));
        Ok(self.accepted(NoticeEvent::Done(NoticeEnded {
            fire_drill,
            ..ended(message)
        })))
    }

    fn withdraw(&self, reason: Option<&Commitment>) -> Result<Decision, Stop> {
        self.require_own("WithdrawNotice")?;
        Ok(self.accepted(NoticeEvent::Withdrawn(ended(reason))))
    }
}

fn ended(text: Option<&Commitment>) -> NoticeEnded {
    NoticeEnded {
        text: text.cloned(),
        fire_drill: None,
    }
}
