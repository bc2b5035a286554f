//! Tickets: what each firm's own software said about them, in the order in which it happened.
//!
//! A ticket stores events, never anything like "time left": the clocks are a pure function of the
//! events, the agreement they run under and an instant (see [`super::clock`]).

mod amend;
pub mod amendment;
mod decide;
mod expect;
mod intake;
pub mod lateness;
mod link;
mod queries;
mod replay;
pub mod revision;
mod tick;
mod update;
mod words;

#[cfg(test)]
mod tests;

use serde::{Deserialize, Serialize};

use self::amendment::{
    Amendment, AmendmentApproved, AmendmentProposed, AmendmentSettled, AmendmentState,
};
use self::lateness::{EventAwaiting, EventCountersigned, EventRejected, LateEvent};
use self::revision::{LevelNoted, VerdictRevised};
use super::clock::{
    FINISHED, LevelAt, Priority, RecordedIn, TargetType, TicketEvaluation, TicketFact, TicketState,
    sort_facts,
};
use super::in_force::{PinnedTerms, TermsInForce};
use super::settings::Meaning;
use crate::domain::aggregate::{Aggregate, Recorded, events};
use crate::domain::commitment::Commitment;
use crate::domain::identity::{ExternalReference, FirmId};
use crate::domain::partnership::ending::{CarriedOn, ClosedWithPartnership};
use crate::domain::time::{Span, Timestamp};

pub use amend::{AmendmentAnswer, AmendmentVerb};
pub use decide::{IngestEvent, TicketCommand, decide};
pub use expect::{TicketExpected, expect_ticket};
pub use intake::{AWAITING, PARKED, REJECTED};
pub use link::TicketLinked;
pub use replay::{tick_list, tick_word};
pub use tick::{refresh, tick};
pub use update::tell_update;

/// Most events of one ticket, those that are parked included: each of them may come to count.
pub const FACTS_MAX: usize = 1_000;
/// Most ids by which firms know one ticket.
pub const REFERENCES_MAX: usize = 20;
/// Longest event id, in bytes.
pub const EVENT_ID_BYTES_MAX: usize = 256;
/// Longest id of a person, in bytes.
pub const PERSON_BYTES_MAX: usize = 64;
/// After a backfilled event, how long the sweeper leaves the ticket alone: history comes in many
/// events, and a verdict over half of them would be wrong.
pub const BACKFILL_SETTLES_AFTER: Span = Span::from_hours(1);

/// Something happened that waits for its words to be mapped.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct FactParked {
    /// What, as far as maps explain it.
    pub fact: TicketFact,
    /// Ids of the unmapped words that it waits for.
    pub waits_for: Vec<String>,
    /// The ticket's title, if it had none before: a commitment.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub title: Option<Commitment>,
    /// Whether it is imported history.
    pub backfill: bool,
}

/// One of the words that an event waits for was explained, but not the last.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct FactExplained {
    /// Which event.
    pub event_id: String,
    /// Id of the word.
    pub word: String,
    /// What it means.
    pub meaning: Meaning,
}

/// A level that a clock reached, as believed when it was journalled.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ThresholdReached {
    /// Under which agreement.
    pub agreement: String,
    /// Which clock.
    pub target_type: TargetType,
    /// Which cycle of it.
    pub cycle: u32,
    /// Which level; the whole target is a breach.
    pub level: LevelAt,
    /// The agreement's escalation levels that are raised by it.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub escalation_levels: Vec<String>,
    /// When.
    pub at: Timestamp,
    /// The priority in force then.
    pub priority: Priority,
    /// The target in force then.
    pub target: Span,
    /// Whether it lies in imported history, which escalates nothing.
    pub backfill: bool,
}

/// A ticket.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Ticket {
    /// The firm that reported it.
    pub reporter: FirmId,
    /// The agreement that it runs under.
    pub agreement: String,
    /// Which revision of it.
    pub agreement_revision: u32,
    /// What the other firm owes in return, if it promised anything.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub in_return: Option<PinnedTerms>,
    /// The ids by which firms know it: the reporter's first.
    pub references: Vec<ExternalReference>,
    /// Its title: a commitment.
    pub title: Option<Commitment>,
    /// Clock-relevant events, ordered by (`occurred_at`, `source_sequence`, `event_id`).
    pub facts: Vec<TicketFact>,
    /// Events that wait for words to be mapped.
    pub parked: Vec<FactParked>,
    /// Events that came too late to count by their sender's word alone, also once that is settled.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub late: Vec<LateEvent>,
    /// What firms proposed to agree about it, in the order of the proposals.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub amendments: Vec<Amendment>,
    /// State after the last event in order.
    pub state: TicketState,
    /// Levels journalled so far; some of them were taken back.
    pub reached: Vec<LevelNoted>,
    /// Identifier of the expectation that came of it, if one did.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub expectation: Option<String>,
    /// When the sweeper has to look at it.
    pub due_at: Option<Timestamp>,
    /// Recording time of the last backfilled event.
    pub backfilled_until: Option<Timestamp>,
    /// What becomes of it, if it outlives its partnership.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub carried: Option<CarriedOn>,
    /// When it was closed with its partnership, if it was: its clocks stop there, neither met nor
    /// missed by it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub closed_at: Option<Timestamp>,
}

/// The ticket became known.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct TicketOpened {
    /// The firm that reported it.
    pub reporter: FirmId,
    /// Its id in that firm's software.
    pub reference: ExternalReference,
    /// The agreement that it runs under.
    pub agreement: String,
    /// Which revision of it.
    pub agreement_revision: u32,
    /// What the other firm owes in return, if it promised anything.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub in_return: Option<PinnedTerms>,
    /// Its title: a commitment.
    pub title: Option<Commitment>,
}

/// Something happened to the ticket in a firm's software.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct FactRecorded {
    /// What.
    pub fact: TicketFact,
    /// The ticket's title, if it had none before: a commitment.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub title: Option<Commitment>,
    /// Whether it is imported history.
    pub backfill: bool,
    /// State after the last event in order.
    pub state: TicketState,
    /// When the sweeper has to look at the ticket.
    pub due_at: Option<Timestamp>,
}

/// The sweeper looked and found nothing more to watch for.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct WatchMoved {
    /// When the sweeper has to look again.
    pub due_at: Option<Timestamp>,
}

/// A deadline as of an instant.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Deadline {
    /// Under which agreement.
    pub agreement: String,
    /// Of which clock.
    pub target_type: TargetType,
    /// Of which cycle of it.
    pub cycle: u32,
    /// When it is or was due, if nothing else happens; `None` while it stands still.
    pub due_at: Option<Timestamp>,
}

/// A threshold was reached.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ThresholdJournalled {
    /// Which, and when.
    pub reached: ThresholdReached,
    /// Where an escalation level is raised, every open deadline of the ticket, for whoever is told.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub deadlines: Vec<Deadline>,
    /// Likewise, the ids by which the firms know the ticket.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub references: Vec<ExternalReference>,
    /// When the sweeper has to look again.
    pub due_at: Option<Timestamp>,
}

events! {
    /// What happens to a ticket.
    TicketEvent {
        /// It became known.
        Opened(TicketOpened) = "ticket.opened", 1;
        /// Something happened to it.
        Recorded(FactRecorded) = "ticket.event_recorded", 1;
        /// What had waited for its words to be mapped counts from now on.
        Unparked(FactRecorded) = "ticket.event_unparked", 1;
        /// Something happened that waits for its words to be mapped.
        Parked(FactParked) = "ticket.event_parked", 1;
        /// Something that waits for two words waits for one of them no longer.
        Explained(FactExplained) = "ticket.event_explained", 1;
        /// A clock reached a part of its target.
        ThresholdReached(ThresholdJournalled) = "ticket.threshold_reached", 1;
        /// A clock passed its target.
        Breached(ThresholdJournalled) = "ticket.breached", 1;
        /// Later evidence, or what firms agreed, changed when a level was reached, or whether.
        VerdictRevised(VerdictRevised) = "ticket.verdict_revised", 1;
        /// The next look was moved without a threshold having been reached.
        WatchMoved(WatchMoved) = "ticket.watch_moved", 1;
        /// Something happened so long ago that the other firm has to confirm it.
        Awaiting(EventAwaiting) = "ticket.event_awaiting_countersignature", 1;
        /// The other firm confirmed what had come late: it counts from now on.
        Countersigned(EventCountersigned) = "ticket.event_countersigned", 1;
        /// The other firm did not confirm what had come late: it does not count.
        Rejected(EventRejected) = "ticket.event_rejected", 1;
        /// A firm proposed to agree something about it.
        AmendmentProposed(AmendmentProposed) = "ticket.amendment_proposed", 1;
        /// A firm approved what was proposed.
        AmendmentApproved(AmendmentApproved) = "ticket.amendment_approved", 1;
        /// A firm turned down what was proposed.
        AmendmentDeclined(AmendmentSettled) = "ticket.amendment_declined", 1;
        /// A firm took back what it had proposed.
        AmendmentWithdrawn(AmendmentSettled) = "ticket.amendment_withdrawn", 1;
        /// A firm knows it by a further id.
        Linked(TicketLinked) = "ticket.linked", 1;
        /// An expectation came of it.
        Expected(TicketExpected) = "ticket.expectation_linked", 1;
        /// It outlives its partnership.
        Carried(CarriedOn) = "ticket.carried", 1;
        /// It was closed with its partnership.
        Closed(ClosedWithPartnership) = "ticket.closed", 1;
    }
}

impl Aggregate for Ticket {
    type Event = TicketEvent;
    const BODY_VERSION: u32 = 1;

    fn apply(previous: Option<Self>, event: &TicketEvent, recorded: &Recorded) -> Option<Self> {
        match (previous, event) {
            (None, TicketEvent::Opened(opened)) => Some(Self {
                reporter: opened.reporter.clone(),
                agreement: opened.agreement.clone(),
                agreement_revision: opened.agreement_revision,
                in_return: opened.in_return.clone(),
                references: vec![opened.reference.clone()],
                title: opened.title.clone(),
                facts: Vec::new(),
                parked: Vec::new(),
                late: Vec::new(),
                amendments: Vec::new(),
                state: TicketState::New,
                reached: Vec::new(),
                expectation: None,
                due_at: None,
                backfilled_until: None,
                carried: None,
                closed_at: None,
            }),
            (Some(ticket), event) => ticket.changed(event, recorded),
            (None, _) => None,
        }
    }

    /// Only whether it is open: an index over every state would cost each event two more writes.
    /// After a merge there is nothing more to do, whatever the state.
    fn state(&self) -> &'static str {
        if self.merged_by().is_some() || self.closed_at.is_some() {
            FINISHED
        } else {
            self.state.stage()
        }
    }

    fn close(&mut self, at: Timestamp) {
        if self.carried.is_none() && Aggregate::state(self) != FINISHED {
            self.closed_at = Some(at);
            self.due_at = None;
        }
    }

    fn due_at(&self) -> Option<Timestamp> {
        self.due_at
    }
}

impl Ticket {
    fn changed(mut self, event: &TicketEvent, recorded: &Recorded) -> Option<Self> {
        match event {
            TicketEvent::Opened(_) => return None,
            TicketEvent::Recorded(change) | TicketEvent::Unparked(change) => {
                self.count(change, recorded);
            }
            TicketEvent::Parked(change) => {
                self.entitle(change.title.as_ref());
                self.parked.push(FactParked {
                    fact: as_recorded(&change.fact, recorded),
                    title: None,
                    ..change.clone()
                });
            }
            TicketEvent::Explained(change) => {
                let mut parked = self.parked.iter_mut();
                let parked = parked.find(|parked| {
                    parked.fact.event_id == change.event_id && parked.waits_for(&change.word)
                })?;
                parked.explain(&change.word, change.meaning);
            }
            TicketEvent::ThresholdReached(change) | TicketEvent::Breached(change) => {
                self.reached
                    .push(LevelNoted::new(change.reached.clone(), recorded.at));
                self.due_at = change.due_at;
            }
            TicketEvent::VerdictRevised(change) => {
                self.revise(change, recorded.at)?;
                self.due_at = change.due_at;
            }
            TicketEvent::WatchMoved(change) => self.due_at = change.due_at,
            TicketEvent::Awaiting(change) => self.await_countersignature(change, recorded),
            TicketEvent::Countersigned(change) => {
                let fact = &change.recorded.fact;
                let event = (fact.event_id.as_str(), fact.sender.as_ref());
                self.settle_late(event, &change.party, true, recorded.at)?;
                self.count(&change.recorded, recorded);
            }
            TicketEvent::Rejected(change) => {
                let event = (change.event_id.as_str(), change.sender.as_ref());
                self.settle_late(event, &change.party, false, recorded.at)?;
            }
            TicketEvent::AmendmentProposed(change) => self.propose(change, recorded)?,
            TicketEvent::AmendmentApproved(change) => self.approve(change, recorded)?,
            TicketEvent::AmendmentDeclined(change) => {
                self.settle(change, AmendmentState::Declined, recorded.at)?;
            }
            TicketEvent::AmendmentWithdrawn(change) => {
                self.settle(change, AmendmentState::Withdrawn, recorded.at)?;
            }
            TicketEvent::Linked(change) => self.references.push(change.reference.clone()),
            TicketEvent::Expected(change) => self.expectation = Some(change.expectation.clone()),
            TicketEvent::Carried(carried) => self.carried = Some(carried.clone()),
            TicketEvent::Closed(closed) => self.close(closed.at),
        }
        Some(self)
    }

    /// An event is part of it from now on.
    fn count(&mut self, change: &FactRecorded, recorded: &Recorded) {
        let first_recorded = self.first_recorded(&change.fact);
        self.parked
            .retain(|parked| !parked.fact.is_the_same_event_as(&change.fact));
        self.facts.push(as_recorded(&change.fact, recorded));
        sort_facts(&mut self.facts);
        self.state = change.state;
        self.due_at = change.due_at;
        self.entitle(change.title.as_ref());
        if change.backfill {
            // What counts late is history only up to when it came.
            let until = first_recorded.unwrap_or(recorded.at);
            self.backfilled_until = self.backfilled_until.max(Some(until));
        }
    }

    /// The first title stays.
    fn entitle(&mut self, title: Option<&Commitment>) {
        if self.title.is_none() {
            self.title = title.cloned();
        }
    }
}

/// The clocks of a ticket for one side's promises.
#[derive(Clone, Debug)]
pub struct Evaluated {
    /// The terms under which they ran.
    pub terms: TermsInForce,
    /// What they make of the ticket.
    pub evaluation: TicketEvaluation,
}

impl FactParked {
    fn waits_for(&self, word: &str) -> bool {
        self.waits_for.iter().any(|waited| waited == word)
    }

    /// Takes in what the unmapped word of that id means.
    fn explain(&mut self, word: &str, meaning: Meaning) {
        self.waits_for.retain(|waited| waited != word);
        match meaning {
            Meaning::State(state) => self.fact.state = Some(state),
            Meaning::Priority(priority) => self.fact.priority = Some(priority),
        }
    }
}

fn as_recorded(fact: &TicketFact, recorded: &Recorded) -> TicketFact {
    TicketFact {
        recorded: Some(RecordedIn {
            sequence: recorded.sequence,
            at: recorded.at,
        }),
        ..fact.clone()
    }
}
