//! Clocks and their intervals as the contract shows them.

use super::words::{long, to_clock_state, to_target_type, to_verdict};
use crate::api::convert::{to_duration, to_timestamp};
use crate::domain::partnership::Partnership;
use crate::domain::sla::agreement::AgreementContent;
use crate::domain::sla::clock::{ChargedParty, ClockEvaluation, LevelAt};
use crate::domain::sla::explain::{ClockAdjustment, ClockInterval};
use crate::domain::sla::in_force::TermsInForce;
use crate::domain::sla::ticket::Ticket;
use crate::domain::time::Timestamp;
use crate::proto::v1;

/// Who stands behind the roles to which time is charged.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Charges {
    partnership: String,
    obligor: String,
    beneficiary: String,
    client: String,
}

impl Charges {
    /// The bodies of an agreement. Where the obligor owes a client alone, the firm that it waits
    /// for is the only other party; with several others nobody said which.
    pub(super) fn new(
        partnership_id: &str,
        partnership: &Partnership,
        content: &AgreementContent,
    ) -> Self {
        let mut others = partnership
            .parties
            .iter()
            .map(|party| &party.id)
            .filter(|id| **id != content.obligor);
        let beneficiary = if content.beneficiary == content.obligor {
            others.next().filter(|_| others.next().is_none())
        } else {
            Some(&content.beneficiary)
        };
        let client = content
            .client
            .as_ref()
            .map(|client| format!("partnerships/{partnership_id}/clients/{client}"));
        Self {
            partnership: partnership_id.to_owned(),
            obligor: content.obligor.as_str().to_owned(),
            beneficiary: beneficiary
                .map(|id| id.as_str().to_owned())
                .unwrap_or_default(),
            client: client.unwrap_or_default(),
        }
    }

    pub(super) fn show(&self, charged: ChargedParty) -> v1::ChargedParty {
        let (kind, name) = match charged {
            ChargedParty::Obligor => (v1::ChargedPartyKind::Party, self.obligor.as_str()),
            ChargedParty::Beneficiary => (v1::ChargedPartyKind::Party, self.beneficiary.as_str()),
            ChargedParty::Client => (v1::ChargedPartyKind::Client, self.client.as_str()),
            // Events do not say which of them is awaited.
            ChargedParty::OutsideParty => (v1::ChargedPartyKind::OutsideParty, ""),
        };
        v1::ChargedParty {
            kind: kind.into(),
            name: name.to_owned(),
        }
    }
}

/// A clock of `ticket`, under the terms that are in force, as of an instant.
pub(super) fn to_clock(
    clock: &ClockEvaluation,
    ticket: &Ticket,
    terms: &TermsInForce,
    charges: &Charges,
    as_of: Timestamp,
) -> v1::Clock {
    v1::Clock {
        r#type: to_target_type(clock.target_type).into(),
        state: to_clock_state(clock.state).into(),
        verdict: to_verdict(clock.verdict).into(),
        priority: clock.priority.get().into(),
        target: Some(to_duration(clock.target)),
        consumed: Some(to_duration(clock.consumed)),
        start_time: Some(to_timestamp(clock.started_at)),
        stop_time: clock.stopped_at.map(to_timestamp),
        due_time: clock.due_at.map(to_timestamp),
        breach_time: clock.breached_at.map(to_timestamp),
        charged_to: clock.charged_to.map(|charged| charges.show(charged)),
        percent_used_bps: long(clock.used_bps),
        thresholds_reached: thresholds_reached(ticket, terms, clock, as_of),
        cycle: i32::try_from(clock.cycle).unwrap_or(i32::MAX),
        agreement: format!(
            "partnerships/{}/agreements/{}",
            charges.partnership,
            terms.at(as_of).terms.agreement
        ),
        obligor: charges.obligor.clone(),
        agreed_date: clock.is_agreed_date,
    }
}

/// The thresholds that were journalled for a clock and lie no later than the instant asked about.
fn thresholds_reached(
    ticket: &Ticket,
    terms: &TermsInForce,
    clock: &ClockEvaluation,
    as_of: Timestamp,
) -> Vec<v1::ThresholdReached> {
    let reached = ticket.levels().filter(|reached| {
        reached.target_type == clock.target_type
            && reached.cycle == clock.cycle
            && terms.is_about(&reached.agreement)
            && reached.at <= as_of
    });
    let mut reached: Vec<_> = reached.collect();
    reached.sort_by_key(|reached| (reached.at, reached.level));
    let shown = reached.into_iter().map(|reached| {
        let (threshold_bps, before_due) = match reached.level {
            LevelAt::Share(bps) => (i32::try_from(bps).unwrap_or(i32::MAX), None),
            LevelAt::BeforeDue(left) => (0, Some(to_duration(left))),
        };
        v1::ThresholdReached {
            threshold_bps,
            before_due,
            reach_time: Some(to_timestamp(reached.at)),
            backfill: reached.backfill,
            escalation_levels: reached.escalation_levels.clone(),
        }
    });
    shown.collect()
}

/// A change in what counts.
pub(super) fn to_adjustment(adjustment: &ClockAdjustment) -> v1::ClockAdjustment {
    v1::ClockAdjustment {
        time: Some(to_timestamp(adjustment.at)),
        event_id: adjustment.event_id.clone(),
        rule: adjustment.rule.sentence().to_owned(),
        amount: Some(to_duration(adjustment.amount)),
    }
}

/// A stretch of a clock's life.
pub(super) fn to_interval(interval: &ClockInterval, charges: &Charges) -> v1::ClockInterval {
    v1::ClockInterval {
        start_time: Some(to_timestamp(interval.from)),
        end_time: Some(to_timestamp(interval.to)),
        state: to_clock_state(interval.state).into(),
        event_id: interval.event_id.clone(),
        rule: interval.rule.sentence().to_owned(),
        charged_to: interval.charged_to.map(|charged| charges.show(charged)),
        consumed: Some(to_duration(interval.consumed)),
        charged: Some(to_duration(interval.charged)),
    }
}

#[cfg(test)]
pub(super) mod tests {
    use std::collections::BTreeSet;
    use std::sync::Arc;

    use super::*;
    use crate::api::sla::pinned::InForce;
    use crate::domain::identity::{FirmId, PartyId};
    use crate::domain::partnership::{Party, Role};
    use crate::domain::sla::agreement::AgreementType;
    use crate::domain::sla::clock::{
        Priority, RetargetRule, ServiceLevelTarget, TargetType, TicketFact, TicketState,
    };
    use crate::domain::sla::compiled::CompiledCalendar;
    use crate::domain::sla::explain::ExplainRule;
    use crate::domain::sla::in_force::{PinnedAgreement, PinnedTerms};
    use crate::domain::sla::ticket::ThresholdReached;
    use crate::domain::sla::ticket::revision::LevelNoted;
    use crate::domain::time::Span;

    /// When the ticket of these tests is opened.
    pub(in crate::api::sla) const OPENED: Timestamp = Timestamp::EARLIEST;

    /// `minutes` after the opening.
    pub(in crate::api::sla) fn after(minutes: i64) -> Timestamp {
        OPENED.saturating_add(Span::from_minutes(minutes))
    }

    /// `party-2` owes `party-1` a resolution within an hour, around the clock.
    pub(in crate::api::sla) fn content() -> AgreementContent {
        AgreementContent {
            display_name: "Gold".into(),
            agreement_type: AgreementType::UnderpinningContract,
            obligor: PartyId::numbered(2),
            beneficiary: PartyId::numbered(1),
            client: Some("acme".into()),
            targets: vec![ServiceLevelTarget {
                target_type: TargetType::Resolution,
                priority: Priority::HIGHEST,
                duration: Span::from_hours(1),
            }],
            calendar: "always".into(),
            calendar_revision: 1,
            response_by_state: false,
            pausing_states: vec![TicketState::WaitingOnClient],
            thresholds_bps: vec![5_000, 10_000],
            retarget_rule: RetargetRule::default(),
            reopen_rules: Vec::new(),
            escalation_levels: Vec::new(),
            priority_matrix: Vec::new(),
        }
    }

    /// The agreement of [`content`].
    pub(in crate::api::sla) fn pinned() -> PinnedAgreement {
        let terms = PinnedTerms {
            agreement: "gold".into(),
            revision: 1,
        };
        PinnedAgreement::new(terms, content(), Arc::new(CompiledCalendar::always_open()))
    }

    /// What is in force for [`ticket`].
    pub(in crate::api::sla) fn in_force() -> Vec<TermsInForce> {
        InForce::only(pinned()).of(&ticket(), None).unwrap()
    }

    /// A ticket that waits for its client after half an hour.
    pub(in crate::api::sla) fn ticket() -> Ticket {
        let fact = |minutes, state, priority| TicketFact {
            occurred_at: after(minutes),
            source_sequence: 0,
            event_id: format!("e{minutes}"),
            opened_at: None,
            priority,
            status: None,
            state: Some(state),
            marks: BTreeSet::new(),
            source_priority: None,
            person: None,
            reported_at: None,
            merged_into: None,
            sender: None,
            recorded: None,
        };
        let reached = |threshold_bps, minutes| {
            let reached = ThresholdReached {
                agreement: "gold".into(),
                target_type: TargetType::Resolution,
                cycle: 1,
                level: LevelAt::Share(threshold_bps),
                escalation_levels: Vec::new(),
                at: after(minutes),
                priority: Priority::HIGHEST,
                target: Span::from_hours(1),
                backfill: threshold_bps == 5_000,
            };
            LevelNoted::new(reached, after(minutes))
        };
        Ticket {
            reporter: FirmId::operator(),
            agreement: "gold".into(),
            agreement_revision: 1,
            in_return: None,
            references: Vec::new(),
            title: None,
            facts: vec![
                fact(0, TicketState::New, Some(Priority::HIGHEST)),
                fact(30, TicketState::WaitingOnClient, None),
            ],
            parked: Vec::new(),
            state: TicketState::WaitingOnClient,
            late: Vec::new(),
            amendments: Vec::new(),
            reached: vec![reached(10_000, 60), reached(5_000, 30)],
            expectation: None,
            due_at: None,
            backfilled_until: None,
            carried: None,
            closed_at: None,
        }
    }

    /// A partnership of that many parties.
    pub(in crate::api::sla) fn partnership(parties: usize) -> Partnership {
        let party = |number| Party {
            id: PartyId::numbered(number),
            firm: None,
            display_name: String::new(),
            role: Role::Peer,
            joined_at: None,
            left: None,
        };
        Partnership::new("", (1..=parties).map(party).collect())
    }

    #[test]
    fn time_is_charged_by_name() {
        let charges = Charges::new("p", &partnership(2), &content());
        let shown = |charged| {
            let shown = charges.show(charged);
            (shown.kind(), shown.name)
        };
        assert_eq!(
            shown(ChargedParty::Obligor),
            (v1::ChargedPartyKind::Party, "party-2".to_owned())
        );
        assert_eq!(
            shown(ChargedParty::Beneficiary),
            (v1::ChargedPartyKind::Party, "party-1".to_owned())
        );
        let client = "partnerships/p/clients/acme".to_owned();
        assert_eq!(
            shown(ChargedParty::Client),
            (v1::ChargedPartyKind::Client, client)
        );
        assert_eq!(
            shown(ChargedParty::OutsideParty),
            (v1::ChargedPartyKind::OutsideParty, String::new())
        );
    }

    #[test]
    fn who_owes_a_client_waits_for_the_other_party() {
        let own = AgreementContent {
            beneficiary: PartyId::numbered(2),
            client: None,
            ..content()
        };
        for (parties, expected) in [(1, "party-1"), (2, "party-1"), (3, "")] {
            let charges = Charges::new("p", &partnership(parties), &own);
            assert_eq!(
                (charges.beneficiary.as_str(), charges.client.as_str()),
                (expected, "")
            );
        }
    }

    #[test]
    fn a_paused_clock_shows_who_is_awaited_and_what_was_reached() {
        let charges = Charges::new("p", &partnership(2), &content());
        let (ticket, as_of) = (ticket(), after(45));
        let terms = &in_force()[0];
        let evaluation = terms.clocks(&ticket, as_of);
        let shown = to_clock(&evaluation.clocks[0], &ticket, terms, &charges, as_of);
        assert_eq!(
            (shown.r#type(), shown.state()),
            (v1::TargetType::Resolution, v1::ClockState::Paused)
        );
        assert_eq!((shown.verdict(), shown.priority), (v1::Verdict::Running, 1));
        assert_eq!(shown.consumed, Some(to_duration(Span::from_minutes(30))));
        assert_eq!(
            (shown.percent_used_bps, shown.due_time, shown.stop_time),
            (5_000, None, None)
        );
        assert_eq!(
            shown.charged_to.unwrap().kind(),
            v1::ChargedPartyKind::Client
        );
        let reached: Vec<_> = shown
            .thresholds_reached
            .iter()
            .map(|reached| (reached.threshold_bps, reached.backfill))
            .collect();
        assert_eq!(reached, [(5_000, true)]);
        let later = thresholds_reached(&ticket, terms, &evaluation.clocks[0], after(60));
        assert_eq!(
            later
                .iter()
                .map(|reached| reached.threshold_bps)
                .collect::<Vec<_>>(),
            [5_000, 10_000]
        );
        let next_cycle = ClockEvaluation {
            cycle: 2,
            ..evaluation.clocks[0].clone()
        };
        assert!(thresholds_reached(&ticket, terms, &next_cycle, after(60)).is_empty());
    }

    #[test]
    fn intervals_say_why() {
        let charges = Charges::new("p", &partnership(2), &content());
        let intervals = in_force()[0]
            .explain(&ticket(), TargetType::Resolution, 1, after(45))
            .unwrap()
            .intervals;
        let shown: Vec<v1::ClockInterval> = intervals
            .iter()
            .map(|interval| to_interval(interval, &charges))
            .collect();
        assert_eq!(shown.len(), 2);
        assert_eq!(
            (shown[0].state(), shown[0].event_id.as_str()),
            (v1::ClockState::Running, "e0")
        );
        assert_eq!(shown[0].charged_to.as_ref().unwrap().name, "party-2");
        assert_eq!(shown[1].rule, ExplainRule::WaitsOnClient.sentence());
        assert_eq!(shown[1].consumed, Some(to_duration(Span::ZERO)));
        assert_eq!(shown[1].charged, Some(to_duration(Span::from_minutes(15))));
        assert_eq!(shown[0].end_time, shown[1].start_time);
    }
}
