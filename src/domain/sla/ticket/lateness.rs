//! Events that come late and favour their sender: they count once another firm has confirmed them.

use serde::{Deserialize, Serialize};

use super::link::refuse_after_merge;
use super::revision::{Cause, with_revisions};
use super::{Evaluated, FactRecorded, Ticket, TicketEvent, as_recorded};
use crate::domain::aggregate::Recorded;
use crate::domain::command::Decision;
use crate::domain::commitment::Commitment;
use crate::domain::identity::{FirmId, PartyId};
use crate::domain::partnership::{Partnership, Party};
use crate::domain::record::{Event, Kind};
use crate::domain::refusal::{Reason, Refusal};
use crate::domain::sla::agreement::Agreement;
use crate::domain::sla::clock::{ClockEvaluation, TicketFact};
use crate::domain::time::{Span, Timestamp};
use crate::domain::world::{Stop, View};

/// How the other firm answered to a late event.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct LateSettled {
    /// Whether it was confirmed and counts from then on.
    pub counts: bool,
    /// By which party.
    pub party: PartyId,
    /// When.
    pub at: Timestamp,
}

/// An event that came after the lateness window and favours its sender.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct LateEvent {
    /// What it says, and the entry that first recorded it.
    pub fact: TicketFact,
    /// The party whose software sent it.
    pub party: PartyId,
    /// How another party answered, once one did.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub settled: Option<LateSettled>,
}

impl LateEvent {
    /// Whether it was confirmed: then it is among the ticket's facts, too.
    #[must_use]
    pub fn is_counted(&self) -> bool {
        self.settled.as_ref().is_some_and(|settled| settled.counts)
    }

    /// Goes back to what was known at an instant. Returns whether it was known.
    pub(super) fn was_known_at(&mut self, at: Timestamp) -> bool {
        self.settled = self.settled.take().filter(|settled| settled.at <= at);
        self.fact.recorded.is_some_and(|recorded| recorded.at <= at)
    }
}

/// Something happened so long ago, and favours whoever says so, that another firm has to confirm it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct EventAwaiting {
    /// What.
    pub fact: TicketFact,
    /// The party whose software said so.
    pub party: PartyId,
    /// The ticket's title, if it had none before: a commitment.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub title: Option<Commitment>,
}

/// Another firm confirmed a late event.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct EventCountersigned {
    /// Which party.
    pub party: PartyId,
    /// What counts from now on.
    pub recorded: FactRecorded,
}

/// Another firm did not confirm a late event.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct EventRejected {
    /// Which party.
    pub party: PartyId,
    /// The event's id.
    pub event_id: String,
    /// The firm that sent it; `None` for the firm that reported the ticket.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub sender: Option<FirmId>,
}

/// Which late event a firm answers to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LateAnswer {
    /// The ticket.
    pub ticket: String,
    /// The event's id.
    pub event_id: String,
    /// Which party's, where two sent events of that id.
    pub party: Option<PartyId>,
    /// Whether it is confirmed.
    pub counts: bool,
}

/// Whether an event that came at an instant tells of something before the lateness window. What it
/// says of the ticket's opening is looked at, too, unless that is known: it moves clocks just as well.
#[must_use]
pub fn is_late(
    fact: &TicketFact,
    came_at: Timestamp,
    known_opening: Option<Timestamp>,
    window: Option<Span>,
) -> bool {
    let opened_at = fact
        .opened_at
        .filter(|opened_at| known_opening != Some(*opened_at));
    let tells_of = opened_at.map_or(fact.occurred_at, |at| at.min(fact.occurred_at));
    window.is_some_and(|window| came_at.since(tells_of) > window)
}

/// Whether it favours a party that a ticket's clocks are as in `after` and not as in `before`, both
/// as of the same instant and
/// under the same terms: on a clock of its own a breach disappears or comes later, less is used, or
/// it stops earlier; on a clock of somebody else it is the other way round.
#[must_use]
pub fn favours(party: &PartyId, before: &[Evaluated], after: &[Evaluated]) -> bool {
    after.iter().zip(before).any(|(then, earlier)| {
        let owes = then.terms.at(Timestamp::LATEST).content.obligor == *party;
        let (earlier, then) = (&earlier.evaluation.clocks, &then.evaluation.clocks);
        if owes {
            eases(earlier, then)
        } else {
            eases(then, earlier)
        }
    })
}

/// Whether the second clocks are in any way better for whoever owes by them than the first.
fn eases(worse: &[ClockEvaluation], better: &[ClockEvaluation]) -> bool {
    let among = |clock: &ClockEvaluation, others: &[ClockEvaluation]| {
        let mut others = others.iter();
        let same = |other: &&ClockEvaluation| {
            other.target_type == clock.target_type && other.cycle == clock.cycle
        };
        others.find(same).cloned()
    };
    worse.iter().any(|clock| {
        among(clock, better).map_or_else(
            // A clock that is not there at all asks nothing.
            || clock.breached_at.is_some() || clock.consumed > Span::ZERO,
            |other| eases_one(clock, &other),
        )
    })
}

fn eases_one(worse: &ClockEvaluation, better: &ClockEvaluation) -> bool {
    let never = |at: Option<Timestamp>| at.unwrap_or(Timestamp::LATEST);
    never(better.breached_at) > never(worse.breached_at)
        || better.consumed < worse.consumed
        || better.used_bps < worse.used_bps
        || never(better.stopped_at) < never(worse.stopped_at)
}

/// Decides an answer to a late event.
///
/// # Errors
/// A refusal, or what has to be loaded first.
pub(super) fn answer_late(
    answer: &LateAnswer,
    party: &Party,
    firm: &FirmId,
    partnership: &Partnership,
    view: &View<'_>,
) -> Result<Decision, Stop> {
    let ticket = view.get::<Ticket>(&answer.ticket)?;
    let decision = Decision::about(Kind::Ticket, &answer.ticket);
    let late = find(ticket, answer, party)?;
    let action = if answer.counts {
        "CountersignEvent"
    } else {
        "RejectEvent"
    };
    let agreement = view.get::<Agreement>(&ticket.agreement)?;
    let concern = agreement.content.concern();
    if !concern.is_answered_by(&party.id, &late.party, partnership) {
        let described = "an event is for the other firm to countersign that the ticket is about, \
                         not for the one that sent it";
        let refusal = Refusal::new(Reason::NotYourOffer, described);
        return Err(refusal.with("event_id", &answer.event_id).into());
    }
    if let Some(settled) = &late.settled {
        if settled.counts == answer.counts {
            return Ok(decision);
        }
        let state = if settled.counts {
            "countersigned"
        } else {
            "rejected"
        };
        return Err(Refusal::invalid_state(state, action).into());
    }
    if answer.counts {
        refuse_after_merge(ticket, Some(late.fact.occurred_at), view)?;
    }
    let fact = TicketFact {
        recorded: None,
        ..late.fact.clone()
    };
    let events = if answer.counts {
        let state = ticket.state_with(&fact);
        let cause = Cause::Events(vec![fact.event_id.clone()]);
        let event = |due_at| {
            TicketEvent::Countersigned(EventCountersigned {
                party: party.id.clone(),
                recorded: FactRecorded {
                    fact: fact.clone(),
                    title: None,
                    backfill: false,
                    state,
                    due_at,
                },
            })
        };
        with_revisions(ticket, &cause, firm, event, view)?
    } else {
        vec![TicketEvent::Rejected(EventRejected {
            party: party.id.clone(),
            event_id: fact.event_id,
            sender: fact.sender,
        })]
    };
    Ok(events.into_iter().fold(decision, |decision, event| {
        decision.event(Event::new(&answer.ticket, event))
    }))
}

fn find<'ticket>(
    ticket: &'ticket Ticket,
    answer: &LateAnswer,
    party: &Party,
) -> Result<&'ticket LateEvent, Refusal> {
    let matching = || {
        ticket.late.iter().filter(|late| {
            late.fact.event_id == answer.event_id
                && answer
                    .party
                    .as_ref()
                    .is_none_or(|sender| *sender == late.party)
        })
    };
    // Where two firms sent events of that id, it is the other one's that is meant.
    let others = matching().find(|late| late.party != party.id);
    others
        .or_else(|| matching().next())
        .ok_or_else(|| Refusal::not_found("event"))
}

impl Ticket {
    /// Keeps a late event until another firm answers.
    pub(super) fn await_countersignature(&mut self, change: &EventAwaiting, recorded: &Recorded) {
        self.parked
            .retain(|parked| !parked.fact.is_the_same_event_as(&change.fact));
        self.entitle(change.title.as_ref());
        self.late.push(LateEvent {
            fact: as_recorded(&change.fact, recorded),
            party: change.party.clone(),
            settled: None,
        });
    }

    /// Notes how another firm answered to a late event.
    pub(super) fn settle_late(
        &mut self,
        (event_id, sender): (&str, Option<&FirmId>),
        party: &PartyId,
        counts: bool,
        at: Timestamp,
    ) -> Option<()> {
        let mut late = self.late.iter_mut();
        let late = late.find(|late| late.fact.is_event(event_id, sender))?;
        late.settled = Some(LateSettled {
            counts,
            party: party.clone(),
            at,
        });
        Some(())
    }
}
