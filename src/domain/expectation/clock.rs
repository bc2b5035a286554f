//! The clock of an agreed date: from the agreement to the work that is accepted in the end.
//!
//! It is one of the clocks of [`sla::clock`](crate::domain::sla::clock), with a date that was agreed
//! in the place of a duration. It begins when both sides agreed, stands still while the work waits to
//! be judged, and goes on where a dispute holds. Each agreement has a clock of its own.

use std::collections::BTreeSet;

use super::offers::{Agreed, Offer};
use super::{Expectation, ExpectationState};
use crate::domain::sla::clock::{
    self, AgreedDate, Case, ClockEvaluation, ClockRules, Priority, RetargetRule, Side, TargetType,
    Terms, TicketFact, TicketState, evaluate_case,
};
use crate::domain::sla::combination::Operand;
use crate::domain::sla::compiled::CompiledCalendar;
use crate::domain::sla::explain::{ClockExplanation, ExplainError, ExplainRule, explain_case};
use crate::domain::time::{Span, Timestamp};

/// What the clock of an agreed date is for: the work as a whole.
const TARGET: TargetType = TargetType::Resolution;
/// The least step of time: how long after its deadline work is late.
const INSTANT: Span = Span::from_micros(1);

/// How an agreed date turned out.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum DateVerdict {
    /// The work is not accepted, and the deadline was not missed.
    Running,
    /// The work that was accepted was done by the deadline; at the deadline exactly is in time.
    Met,
    /// The deadline passed before the work was done.
    Missed,
    /// Another agreement took its place, or it was closed with its partnership, before it was kept
    /// or missed.
    Replaced,
}

/// The clock of an agreed date as of an instant.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DateClock {
    /// Number of the offer that was agreed.
    pub offer_number: u32,
    /// The clock; its target is the working time from the agreement to the deadline.
    pub clock: ClockEvaluation,
    /// The deadline.
    pub deadline: Timestamp,
    /// Working time left until the deadline when it stopped, or from the instant asked about on.
    pub remaining: Span,
    /// How it turned out.
    pub verdict: DateVerdict,
}

/// An agreement with a deadline, and what happened under it.
#[derive(Debug)]
pub struct DatedAgreement<'expectation> {
    agreed: &'expectation Agreed,
    deadline: Timestamp,
    /// When another agreement took its place, or it was closed with its partnership.
    replaced_at: Option<Timestamp>,
    is_accepted: bool,
    facts: Vec<TicketFact>,
}

impl<'expectation> DatedAgreement<'expectation> {
    /// The agreement to the offer of that number; to whichever came last, if none is given. `None`
    /// without such an agreement, or if it has no deadline.
    #[must_use]
    pub fn find(expectation: &'expectation Expectation, offer_number: Option<u32>) -> Option<Self> {
        let agreements = &expectation.agreements;
        let last = agreements.len().checked_sub(1)?;
        let index = match offer_number {
            None => last,
            Some(number) => agreements
                .iter()
                .position(|agreed| agreed.offer_number == number)?,
        };
        let agreed = &agreements[index];
        let offer: &Offer = expectation.offer(agreed.offer_number)?;
        let next = agreements.get(index + 1);
        Some(Self {
            agreed,
            deadline: offer.five_w.when.deadline?,
            replaced_at: next.map(|next| next.at).or(expectation.closed_at),
            is_accepted: index == last && expectation.state == ExpectationState::Accepted,
            facts: facts(expectation, agreed),
        })
    }

    /// The calendar by whose hours it counts; `None` if every hour does.
    #[must_use]
    pub fn calendar(&self) -> Option<&'expectation Operand> {
        self.agreed.judgement.calendar.as_ref()
    }

    /// Its clock as of an instant, by the hours of its calendar. `None` before it was agreed.
    #[must_use]
    pub fn clock(&self, calendar: &CompiledCalendar, as_of: Timestamp) -> Option<DateClock> {
        let asked = self
            .replaced_at
            .map_or(as_of, |replaced| replaced.min(as_of));
        let evaluation = self.ask(calendar, |case| evaluate_case(case, asked));
        let clock = evaluation.clocks.into_iter().next_back()?;
        let verdict = match clock.verdict {
            clock::Verdict::Breached => DateVerdict::Missed,
            _ if self.replaced_at.is_some_and(|at| at <= as_of) => DateVerdict::Replaced,
            clock::Verdict::Met if self.is_accepted => DateVerdict::Met,
            // Work that waits to be judged has stopped the clock, but is not accepted yet.
            _ => DateVerdict::Running,
        };
        Some(DateClock {
            offer_number: self.agreed.offer_number,
            deadline: self.deadline,
            remaining: calendar.elapsed(clock.stopped_at.unwrap_or(asked), self.deadline),
            clock,
            verdict,
        })
    }

    /// The life of its clock up to an instant, or to where it stopped or was replaced.
    ///
    /// # Errors
    /// If there are too many intervals.
    pub fn explain(
        &self,
        calendar: &CompiledCalendar,
        as_of: Timestamp,
    ) -> Result<ClockExplanation, ExplainError> {
        let asked = self
            .replaced_at
            .map_or(as_of, |replaced| replaced.min(as_of));
        self.ask(calendar, |case| explain_case(case, TARGET, None, asked))
    }

    fn ask<R>(&self, calendar: &CompiledCalendar, ask: impl FnOnce(&Case<'_>) -> R) -> R {
        let rules = rules();
        let terms = [Terms {
            from: Timestamp::EARLIEST,
            event_id: "",
            rules: &rules,
            calendar,
        }];
        let date = AgreedDate {
            target_type: TARGET,
            from: self.agreed.at,
            due_at: Some(self.deadline),
        };
        ask(&Case {
            agreed_dates: &[date],
            ..Case::under(&self.facts, &terms)
        })
    }
}

/// Why the clock of an agreed date does what it does, in plain words.
#[must_use]
pub const fn sentence(rule: ExplainRule) -> &'static str {
    match rule {
        ExplainRule::Opened => "Both sides agreed, so the clock runs.",
        ExplainRule::Finished => {
            "The obligor said that it is done, so the clock stopped; this time does not count."
        }
        ExplainRule::Reopened => {
            "The other side disputed the work, so the clock goes on from where it had stopped."
        }
        other => other.sentence(),
    }
}

/// Whether the deadline of the last agreement was missed by `now`, recorded or not.
pub(super) fn is_missed(expectation: &Expectation, now: Timestamp) -> bool {
    let Some(dated) = DatedAgreement::find(expectation, None) else {
        return false;
    };
    // Whether an agreed date is missed does not depend on anybody's hours.
    let clock = dated.clock(&CompiledCalendar::always_open(), now);
    clock.is_some_and(|clock| clock.verdict == DateVerdict::Missed)
}

/// Whether the last fulfilment would have been in time if nobody had disputed it.
pub(super) fn is_in_time_without_last_dispute(expectation: &Expectation) -> bool {
    let Some(last) = expectation.fulfilment() else {
        return false;
    };
    let Some(mut dated) = DatedAgreement::find(expectation, None) else {
        return false;
    };
    let dispute = dispute_id(last.number);
    dated.facts.retain(|fact| fact.event_id != dispute);
    let clock = dated.clock(&CompiledCalendar::always_open(), last.statement.at);
    clock.is_some_and(|clock| clock.verdict != DateVerdict::Missed)
}

/// Whether the deadline is missed if the work that waits to be judged is disputed at `now`.
pub(super) fn is_missed_if_disputed(expectation: &Expectation, now: Timestamp) -> bool {
    let Some(mut dated) = DatedAgreement::find(expectation, None) else {
        return false;
    };
    dated.facts.push(TicketFact {
        state: Some(TicketState::InProgress),
        ..fact(now, i64::MAX, dispute_id(0))
    });
    let clock = dated.clock(&CompiledCalendar::always_open(), now);
    clock.is_some_and(|clock| clock.verdict == DateVerdict::Missed)
}

/// When the miss of a deadline is to be recorded if nothing happens until then.
pub(super) fn miss_due_at(expectation: &Expectation) -> Option<Timestamp> {
    let deadline = expectation.deadline().filter(|_| expectation.owes_work())?;
    Some(deadline.saturating_add(INSTANT))
}

/// What happened under an agreement, in the words of the clocks.
fn facts(expectation: &Expectation, agreed: &Agreed) -> Vec<TicketFact> {
    let priority = agreed.judgement.priority.unwrap_or(Priority::LOWEST);
    let mut facts = vec![TicketFact {
        opened_at: Some(agreed.at),
        priority: Some(priority),
        ..fact(agreed.at, 0, format!("agreement:{}", agreed.offer_number))
    }];
    let under = |fulfilment: &&super::Fulfilment| fulfilment.offer_number == agreed.offer_number;
    for fulfilment in expectation.fulfilments.iter().filter(under) {
        let number = fulfilment.number;
        let order = i64::from(number).saturating_mul(2);
        facts.push(TicketFact {
            state: Some(TicketState::Resolved),
            ..fact(
                fulfilment.statement.at,
                order,
                format!("fulfilment:{number}"),
            )
        });
        // A dispute that was given up does not hold.
        if let (Some(dispute), None) = (&fulfilment.dispute, &fulfilment.acceptance) {
            facts.push(TicketFact {
                state: Some(TicketState::InProgress),
                ..fact(dispute.statement.at, order + 1, dispute_id(number))
            });
        }
    }
    facts
}

fn dispute_id(number: u32) -> String {
    format!("dispute:{number}")
}

const fn fact(occurred_at: Timestamp, source_sequence: i64, event_id: String) -> TicketFact {
    TicketFact {
        occurred_at,
        source_sequence,
        event_id,
        opened_at: None,
        priority: None,
        source_priority: None,
        status: None,
        state: None,
        marks: BTreeSet::new(),
        person: None,
        reported_at: None,
        merged_into: None,
        sender: None,
        recorded: None,
    }
}

/// The rules of a clock that has a date and nothing else: no duration, no pauses.
const fn rules() -> ClockRules {
    ClockRules {
        side: Side::Working,
        targets: Vec::new(),
        pausing_states: Vec::new(),
        response_by_state: false,
        retarget_rule: RetargetRule::Retroactive,
        reopen_rules: Vec::new(),
        thresholds_bps: Vec::new(),
        escalation_levels: Vec::new(),
    }
}
