//! What an expectation came of: a ticket, or an item of a notice's checklist. Both sides know it.

use serde::{Deserialize, Serialize};

use super::judgement::{Judgement, Owed, judge};
use super::{Expectation, ExpectationCreated, ExpectationEvent, ExpectationState, FiveW};
use crate::domain::command::Decision;
use crate::domain::commitment::Commitment;
use crate::domain::identity::{FirmId, PartyId};
use crate::domain::notice::expect_item;
use crate::domain::partnership::Partnership;
use crate::domain::record::{Event, EventBody};
use crate::domain::refusal::{Reason, Refusal, Violations};
use crate::domain::sla::agreement::AgreementContent;
use crate::domain::sla::ticket::{Ticket, expect_ticket};
use crate::domain::world::{Stop, View};

/// An item of a notice's checklist.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct NoticeItem {
    /// Identifier of the notice.
    pub notice: String,
    /// Number of the item.
    pub number: u32,
}

/// What an expectation came of, if it came of anything.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Links {
    /// Identifier of a ticket.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ticket: Option<String>,
    /// An item of a notice.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub notice_item: Option<NoticeItem>,
}

impl Links {
    /// Whether it came of nothing.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        *self == Self::default()
    }
}

impl ExpectationState {
    /// Whether nothing came of it, so that another may take its place.
    #[must_use]
    pub const fn came_to_nothing(self) -> bool {
        matches!(
            self,
            Self::Declined | Self::Withdrawn | Self::Expired | Self::Contested
        )
    }
}

/// The decision that creates a draft, with the links of that draft and what they do to what it came
/// of.
pub(super) fn linked(
    decision: Decision,
    links: &Links,
    firm: &FirmId,
    partnership: &Partnership,
    view: &View<'_>,
) -> Result<Decision, Stop> {
    let id = decision.subject.1.clone();
    let receipt_of = decision.events.len().checked_sub(1);
    let created = decision.events.iter().find_map(|event| match &event.body {
        EventBody::Expectation(ExpectationEvent::Created(created)) => Some(created),
        _ => None,
    });
    let priority = created.and_then(|created| created.judgement.priority);
    let event = ExpectationEvent::Linked(links.clone());
    let mut decision = decision.event(Event::new(&id, event));
    decision.receipt_of = receipt_of;
    if let Some(ticket) = &links.ticket {
        let known = view.get::<Ticket>(ticket)?;
        let mut told = expect_ticket(known, &id, priority, view.now, firm, partnership, view)?;
        for event in told.drain(..) {
            decision = decision.event(Event::new(ticket, event));
        }
    }
    if let Some(item) = &links.notice_item {
        let event = expect_item(item, &id, view)?;
        decision = decision.event(Event::new(&item.notice, event));
    }
    Ok(decision)
}

/// Refuses another expectation where there is one already that still stands.
///
/// # Errors
/// [`Reason::AlreadyExists`], or what has to be loaded first.
pub fn refuse_second(earlier: Option<&String>, view: &View<'_>) -> Result<(), Stop> {
    let Some(earlier) = earlier else {
        return Ok(());
    };
    let stands = view
        .find::<Expectation>(earlier)?
        .is_some_and(|expectation| !expectation.state_at(view.now).came_to_nothing());
    if !stands {
        return Ok(());
    }
    let message = "an expectation came of it already";
    Err(Refusal::new(Reason::AlreadyExists, message)
        .with(
            "expectation",
            format!("{}/expectations/{earlier}", view.scope),
        )
        .into())
}

/// The five W that were asked together with a ticket.
#[derive(Clone, Copy, Debug)]
pub struct AskedWithTicket<'world> {
    /// Identifier of the ticket.
    pub ticket: &'world str,
    /// Identifier of the agreement that it runs under.
    pub agreement: &'world str,
    /// What that says.
    pub content: &'world AgreementContent,
    /// The party that reports it.
    pub requester: &'world PartyId,
    /// The ticket's title.
    pub title: Option<&'world Commitment>,
    /// The answers.
    pub five_w: &'world FiveW,
}

impl AskedWithTicket<'_> {
    /// The draft that the answers make, owed by whoever owes the work on the ticket, and what is made
    /// of them.
    ///
    /// # Errors
    /// A refusal, or what has to be loaded first.
    pub fn draft(
        &self,
        partnership: &Partnership,
        view: &View<'_>,
    ) -> Result<(Vec<ExpectationEvent>, Judgement), Stop> {
        let mut violations = Violations::default();
        self.five_w.check(&mut violations, "five_w");
        violations.finish()?;
        let owed = Owed {
            agreement: Some(self.agreement),
            obligor: &self.content.obligor,
            client: self.content.client.as_deref(),
        };
        let basis = owed.basis(partnership, view)?;
        let judgement = judge(self.five_w, basis.as_ref(), view.now);
        let created = ExpectationEvent::Created(ExpectationCreated {
            title: self.title.cloned(),
            requester: self.requester.clone(),
            obligor: self.content.obligor.clone(),
            client: self.content.client.clone(),
            agreement: Some(self.agreement.to_owned()),
            five_w: self.five_w.clone(),
            judgement: judgement.clone(),
        });
        let linked = ExpectationEvent::Linked(Links {
            ticket: Some(self.ticket.to_owned()),
            notice_item: None,
        });
        Ok((vec![created, linked], judgement))
    }
}
