//! What holds for any facts, and a comparison with a slow model that counts slot by slot.

use proptest::prelude::*;

use super::*;

/// Facts happen at full slots of this length; targets and thresholds fall on them too.
const SLOT_MINUTES: i64 = 30;
/// Slots of the eight days, from Monday on, in which facts happen.
const SLOTS: i64 = 8 * 48;
const STATES: [TicketState; 7] = [
    New,
    InProgress,
    WaitingOnClient,
    WaitingOnPartner,
    WaitingOnOutsideParty,
    Resolved,
    Closed,
];

fn slot(number: i64) -> Timestamp {
    at(MONDAY, 0, number * SLOT_MINUTES)
}

fn any_fact() -> impl Strategy<Value = TicketFact> {
    let states = proptest::option::weighted(0.6, proptest::sample::select(STATES.to_vec()));
    let priorities = proptest::option::weighted(0.4, 1_u8..=5);
    let openings = proptest::option::weighted(0.05, 0..40_i64);
    (
        0..SLOTS,
        0..3_i64,
        priorities,
        states,
        proptest::bool::weighted(0.1),
        openings,
    )
        .prop_map(
            |(number, source_sequence, number_of_priority, state, responded, opening)| TicketFact {
                source_sequence,
                opened_at: opening.map(slot),
                priority: number_of_priority.map(priority),
                state,
                marks: responded.then_some(Mark::Responded).into_iter().collect(),
                ..blank(slot(number))
            },
        )
}

/// Facts of a ticket, some of them at the same instant.
pub(in crate::domain::sla) fn any_facts() -> impl Strategy<Value = Vec<TicketFact>> {
    proptest::collection::vec(any_fact(), 1..12).prop_map(|facts| {
        let numbered = facts.into_iter().enumerate();
        let named = numbered.map(|(index, fact)| TicketFact {
            event_id: index.to_string(),
            ..fact
        });
        named.collect()
    })
}

pub(in crate::domain::sla) fn any_rules() -> impl Strategy<Value = ClockRules> {
    (
        proptest::sample::subsequence(STATES.to_vec(), 0..=4),
        any::<bool>(),
    )
        .prop_map(|(pausing_states, response_by_state)| ClockRules {
            pausing_states,
            response_by_state,
            ..rules()
        })
}

pub(in crate::domain::sla) fn any_calendar() -> impl Strategy<Value = CompiledCalendar> {
    prop_oneof![
        Just(CompiledCalendar::always_open()),
        Just(weekdays(9, 17)),
        Just(weekdays(8, 18)),
    ]
}

/// An instant from the first slot to a week after the last.
pub(in crate::domain::sla) fn any_instant() -> impl Strategy<Value = Timestamp> {
    (0..SLOTS + 7 * 48).prop_map(slot)
}

/// What the slow model knows of a clock.
#[derive(Debug, Default, PartialEq, Eq)]
struct Model {
    consumed: Span,
    stopped_at: Option<Timestamp>,
    priority: Option<Priority>,
    target: Option<Span>,
    /// When the time consumed first reached the target in force.
    whole_at: Option<Timestamp>,
    breached_at: Option<Timestamp>,
    /// Rounded up to slots.
    crossings: Vec<(u32, Timestamp)>,
    had_target: bool,
}

impl Model {
    fn judge(&mut self, now: Timestamp) {
        let Some(target) = self.target else { return };
        self.had_target = true;
        for (threshold_bps, crossed) in [
            (5_000, self.consumed.as_micros() * 2 >= target.as_micros()),
            (
                7_500,
                self.consumed.as_micros() * 4 >= target.as_micros() * 3,
            ),
            (10_000, self.consumed > target),
        ] {
            if crossed
                && self
                    .crossings
                    .iter()
                    .all(|(fired, _)| *fired != threshold_bps)
            {
                self.crossings.push((threshold_bps, now));
            }
        }
        if self.consumed >= target {
            let whole_at = *self.whole_at.get_or_insert(now);
            if self.consumed > target {
                self.breached_at.get_or_insert(whole_at);
            }
        }
    }

    /// Takes a new priority in force; a clock just reopened is judged afresh.
    fn retarget(
        &mut self,
        now: Timestamp,
        in_force: Option<Priority>,
        rules: &ClockRules,
        target_type: TargetType,
        reopened: bool,
    ) {
        let target = in_force.and_then(|priority| rules.target(target_type, priority));
        if reopened || target != self.target {
            self.whole_at = None;
        }
        (self.priority, self.target) = (in_force, target);
        self.judge(now);
    }

    /// Counts slot by slot. Facts are sorted and the opening is `from`.
    fn run(
        facts: &[TicketFact],
        rules: &ClockRules,
        calendar: &CompiledCalendar,
        (from, as_of): (Timestamp, Timestamp),
        target_type: TargetType,
    ) -> Self {
        let mut model = Self::default();
        let (mut state, mut in_force) = (New, None);
        let mut waiting = facts.iter().peekable();
        let mut now = from;
        loop {
            while let Some(fact) = waiting.next_if(|fact| fact.occurred_at <= now) {
                in_force = fact.priority.or(in_force);
                if model.stopped_at.is_none() {
                    model.retarget(now, in_force, rules, target_type, false);
                }
                state = fact.state.unwrap_or(state);
                let finished = state.is_finished();
                if target_type == TargetType::Resolution {
                    if finished && model.stopped_at.is_none() {
                        model.stopped_at = Some(now);
                    } else if !finished && model.stopped_at.take().is_some() {
                        model.retarget(now, in_force, rules, target_type, true);
                    }
                } else if finished
                    || fact.says(Mark::Responded)
                    || rules.response_by_state && state != New
                {
                    model.stopped_at.get_or_insert(now);
                }
            }
            if now >= as_of {
                return model;
            }
            let still = model.stopped_at.is_some() || rules.pausing_states.contains(&state);
            let open = calendar.is_open(now);
            now = now.saturating_add(Span::from_minutes(SLOT_MINUTES));
            if open && !still {
                model.consumed = model
                    .consumed
                    .saturating_add(Span::from_minutes(SLOT_MINUTES));
                model.judge(now);
            }
        }
    }
}

fn rounded_up(at: Timestamp) -> Timestamp {
    let length = SLOT_MINUTES * MICROS_PER_MINUTE;
    let slots = (at.as_micros() + length - 1).div_euclid(length);
    Timestamp::from_micros(slots * length)
}

proptest! {
    #[test]
    fn agrees_with_a_model_that_counts_slot_by_slot(
        mut facts in any_facts(),
        rules in any_rules(),
        calendar in any_calendar(),
        as_of in any_instant(),
    ) {
        sort_facts(&mut facts);
        let ticket = evaluate(&facts, &rules, &calendar, as_of);
        for target_type in TargetType::ALL {
            let clock = ticket.clocks.iter().find(|clock| clock.target_type == target_type);
            if ticket.opened_at > as_of {
                prop_assert!(clock.is_none());
                continue;
            }
            let span = (ticket.opened_at, as_of);
            let model = Model::run(&facts, &rules, &calendar, span, target_type);
            prop_assert_eq!(clock.is_some(), model.had_target);
            let Some(clock) = clock else { continue };
            prop_assert_eq!(clock.consumed, model.consumed);
            prop_assert_eq!(Some(clock.priority), model.priority);
            prop_assert_eq!(clock.stopped_at, model.stopped_at);
            prop_assert_eq!(clock.breached_at, model.breached_at);
            let crossings: Vec<_> =
                crossed(clock).into_iter().map(|(bps, at)| (bps, rounded_up(at))).collect();
            prop_assert_eq!(crossings, model.crossings);
        }
    }

    #[test]
    fn order_and_repetition_change_nothing(
        (facts, shuffled) in any_facts().prop_flat_map(|facts| {
            let twice = [facts.clone(), facts.clone()].concat();
            (Just(facts), Just(twice).prop_shuffle())
        }),
        rules in any_rules(),
        calendar in any_calendar(),
        as_of in any_instant(),
    ) {
        let expected = evaluate(&facts, &rules, &calendar, as_of);
        prop_assert_eq!(evaluate(&shuffled, &rules, &calendar, as_of), expected);
    }

    #[test]
    fn splitting_a_pause_changes_nothing(
        mut facts in any_facts(),
        calendar in any_calendar(),
        state in proptest::sample::select(rules().pausing_states),
        (paused_at, paused_for) in (0..SLOTS, 0..12_i64),
        as_of in any_instant(),
    ) {
        let rules = rules();
        let pause = |number, state, name: &str, source_sequence| TicketFact {
            event_id: name.to_owned(),
            source_sequence,
            ..moved(slot(number), state)
        };
        let split_at = paused_at + paused_for;
        let quiet = slot(paused_at)..=slot(split_at);
        facts.retain(|fact| !quiet.contains(&fact.occurred_at));
        for fact in &mut facts {
            fact.opened_at = None;
        }
        facts.push(pause(paused_at, state, "pause", 1_000));
        let expected = evaluate(&facts, &rules, &calendar, as_of);
        facts.push(pause(split_at, state, "said again", 1_001));
        prop_assert_eq!(&evaluate(&facts, &rules, &calendar, as_of), &expected);
        facts.push(pause(split_at, InProgress, "left", 1_002));
        facts.push(pause(split_at, state, "entered again", 1_003));
        prop_assert_eq!(&evaluate(&facts, &rules, &calendar, as_of), &expected);
    }

    #[test]
    fn what_was_true_of_the_past_stays_true(
        facts in any_facts(),
        rules in any_rules(),
        calendar in any_calendar(),
        earlier in any_instant(),
        later in any_instant(),
    ) {
        let (earlier, later) = (earlier.min(later), earlier.max(later));
        let before = evaluate(&facts, &rules, &calendar, earlier);
        let after = evaluate(&facts, &rules, &calendar, later);
        prop_assert_eq!(before.opened_at, after.opened_at);
        for old in &before.clocks {
            let new = after.clocks.iter().find(|clock| clock.target_type == old.target_type);
            let new = new.expect("a clock never goes away");
            prop_assert!(new.consumed >= old.consumed);
            prop_assert!(new.crossings.starts_with(&old.crossings));
            if old.verdict == Verdict::Breached {
                prop_assert_eq!((new.verdict, new.breached_at), (old.verdict, old.breached_at));
            }
        }
    }

    #[test]
    fn predictions_come_true(
        facts in any_facts(),
        rules in any_rules(),
        calendar in any_calendar(),
    ) {
        let end = slot(SLOTS);
        for clock in evaluate(&facts, &rules, &calendar, end).clocks {
            let find = |as_of| {
                let clocks = evaluate(&facts, &rules, &calendar, as_of).clocks;
                clocks.into_iter().find(|other| other.target_type == clock.target_type).unwrap()
            };
            if let Some(crossing) = clock.next_crossing {
                prop_assert!(crossing.at > end);
                let before = Timestamp::from_micros(crossing.at.as_micros() - 1);
                prop_assert_eq!(find(before).crossings, clock.crossings.clone());
                let crossed = find(crossing.at).crossings;
                prop_assert_eq!(crossed.last(), Some(&crossing));
            }
            if let Some(due_at) = clock.due_at.filter(|due_at| *due_at >= end) {
                prop_assert_eq!(find(due_at).consumed, clock.target);
            }
        }
    }

    #[test]
    fn verdict_dates_and_crossings_agree(
        facts in any_facts(),
        rules in any_rules(),
        calendar in any_calendar(),
        as_of in any_instant(),
    ) {
        for clock in evaluate(&facts, &rules, &calendar, as_of).clocks {
            let breached = clock.verdict == Verdict::Breached;
            prop_assert_eq!(clock.breached_at.is_some(), breached);
            let fired = clock.crossings.iter().any(|crossing| crossing.level == LevelAt::BREACH);
            prop_assert_eq!(fired, breached);
            let ascending = clock.crossings.is_sorted_by(|left, right| {
                left.level < right.level && left.at <= right.at
            });
            prop_assert!(ascending);
            prop_assert!(clock.crossings.iter().all(|crossing| crossing.at <= as_of));
            prop_assert_eq!(clock.stopped_at.is_some(), clock.state == ClockState::Stopped);
            let stored = serde_json::to_string(&clock).unwrap();
            prop_assert_eq!(serde_json::from_str::<ClockEvaluation>(&stored).unwrap(), clock);
        }
    }
}
