//! Chains of tickets: who has the ball when a firm passes it on to the next one.
//!
//! What a clock charges to the firm in the middle is split by what the tickets say that the firm
//! opened elsewhere. Nothing is lost and nothing doubled: pieces of an interval tile it, and what
//! they are charged adds up to what the interval was.

use super::clock::{ChargedParty, ClockState};
use super::explain::{ClockInterval, ExplainError, INTERVALS_MAX};
use crate::domain::time::{Span, Timestamp};

/// A stretch, from `from` up to but without `to`, during which somebody further down has the ball.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Handed<W> {
    /// First instant.
    pub from: Timestamp,
    /// First instant after it.
    pub to: Timestamp,
    /// Who has it.
    pub whom: W,
}

/// A piece of an interval of a clock.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ChainInterval<W> {
    /// The piece, with what is charged and consumed in it alone.
    pub interval: ClockInterval,
    /// Who further down had the ball; `None` where it is charged as the clock says.
    pub handed: Option<W>,
}

/// The same stretches without overlap, ascending: the ball is with whoever got it first, until its
/// stretch is over. Of two that got it at the same instant, with the first in the list.
#[must_use]
pub fn disjoint<W>(mut stretches: Vec<Handed<W>>) -> Vec<Handed<W>> {
    stretches.sort_by_key(|stretch| stretch.from); // Stable: the list decides between equals.
    let mut taken_until = None;
    stretches.retain_mut(|stretch| {
        let from = taken_until.map_or(stretch.from, |until| stretch.from.max(until));
        stretch.from = from;
        let is_left = from < stretch.to;
        if is_left {
            taken_until = Some(stretch.to);
        }
        is_left
    });
    stretches
}

/// Splits the intervals of a clock by `handed`, which has no overlaps and ascends. Only intervals
/// charged to somebody who `passes_on` are split. `open_time` tells how much of a piece of an interval
/// lies in the hours that it is charged by.
///
/// # Errors
/// [`ExplainError::TooManyIntervals`] beyond [`INTERVALS_MAX`].
pub fn split<W: Clone>(
    intervals: Vec<ClockInterval>,
    handed: &[Handed<W>],
    passes_on: impl Fn(ChargedParty) -> bool,
    open_time: impl Fn(&ClockInterval, Timestamp, Timestamp) -> Span,
) -> Result<Vec<ChainInterval<W>>, ExplainError> {
    let mut pieces = Vec::with_capacity(intervals.len());
    let mut ahead = handed;
    for interval in intervals {
        let over = ahead.partition_point(|stretch| stretch.to <= interval.from);
        ahead = &ahead[over..];
        if !interval.charged_to.is_some_and(&passes_on) {
            push(&mut pieces, interval, None)?;
            continue;
        }
        let within = ahead.iter().take_while(|next| next.from < interval.to);
        let mut from = interval.from;
        for stretch in within {
            let begins = stretch.from.max(from);
            let ends = stretch.to.min(interval.to);
            for (to, whom) in [(begins, None), (ends, Some(stretch.whom.clone()))] {
                if from < to {
                    push(&mut pieces, piece(&interval, from, to, &open_time), whom)?;
                    from = to;
                }
            }
        }
        if from < interval.to {
            let last = piece(&interval, from, interval.to, &open_time);
            push(&mut pieces, last, None)?;
        }
    }
    Ok(pieces)
}

fn push<W>(
    pieces: &mut Vec<ChainInterval<W>>,
    interval: ClockInterval,
    handed: Option<W>,
) -> Result<(), ExplainError> {
    if pieces.len() >= INTERVALS_MAX {
        return Err(ExplainError::TooManyIntervals);
    }
    pieces.push(ChainInterval { interval, handed });
    Ok(())
}

/// The part of an interval from one instant to another, with what is charged and consumed in it alone.
pub(super) fn piece(
    interval: &ClockInterval,
    from: Timestamp,
    to: Timestamp,
    open_time: &impl Fn(&ClockInterval, Timestamp, Timestamp) -> Span,
) -> ClockInterval {
    // A clock runs only while its calendar is open.
    let runs = interval.state == ClockState::Running;
    let charged = if runs {
        to.since(from)
    } else {
        open_time(interval, from, to)
    };
    ClockInterval {
        from,
        to,
        charged,
        consumed: if runs { charged } else { Span::ZERO },
        ..interval.clone()
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::domain::sla::clock::TicketState::{
        InProgress, WaitingOnClient, WaitingOnOutsideParty,
    };
    use crate::domain::sla::clock::tests::properties::{
        any_calendar, any_facts, any_instant, any_rules,
    };
    use crate::domain::sla::clock::tests::{
        MONDAY, TUESDAY, at, moved, opened, rules, ticket, weekdays,
    };
    use crate::domain::sla::clock::{Case, ClockRules, TargetType, Terms, TicketFact};
    use crate::domain::sla::compiled::CompiledCalendar;
    use crate::domain::sla::explain::explain_case;

    fn intervals(
        facts: &[TicketFact],
        rules: &ClockRules,
        calendar: &CompiledCalendar,
        as_of: Timestamp,
    ) -> Vec<ClockInterval> {
        let terms = [Terms {
            from: Timestamp::EARLIEST,
            event_id: "",
            rules,
            calendar,
        }];
        let case = Case::under(facts, &terms);
        let explained = explain_case(&case, TargetType::Resolution, None, as_of);
        explained.unwrap().intervals
    }

    fn handed(from: Timestamp, to: Timestamp, whom: &'static str) -> Handed<&'static str> {
        Handed { from, to, whom }
    }

    fn whole(charged: ChargedParty) -> bool {
        matches!(charged, ChargedParty::Obligor | ChargedParty::OutsideParty)
    }

    #[test]
    fn s17_who_had_the_ball_is_charged_and_nobody_else() {
        let facts = ticket([
            opened(at(MONDAY, 9, 0), 3),
            moved(at(MONDAY, 12, 0), WaitingOnClient),
            moved(at(MONDAY, 14, 0), InProgress),
            moved(at(MONDAY, 16, 0), WaitingOnOutsideParty),
        ]);
        let calendar = weekdays(9, 17);
        let clock = intervals(&facts, &rules(), &calendar, at(TUESDAY, 12, 0));
        let stretches = [
            // Over the end of what is charged to the client, and over the night.
            handed(at(MONDAY, 10, 0), at(MONDAY, 15, 0), "west"),
            handed(at(MONDAY, 16, 30), at(TUESDAY, 10, 0), "carrier"),
        ];
        let pieces = split(clock, &stretches, whole, |_, from, to| {
            calendar.elapsed(from, to)
        });
        let lines: Vec<_> = pieces
            .unwrap()
            .into_iter()
            .map(|piece| {
                let hours = piece.interval.charged.as_micros() / (30 * 60_000_000);
                (piece.interval.from, piece.handed, hours)
            })
            .collect();
        let half_hours = [
            (at(MONDAY, 9, 0), None, 2),
            (at(MONDAY, 10, 0), Some("west"), 4),
            (at(MONDAY, 12, 0), None, 4),
            (at(MONDAY, 14, 0), Some("west"), 2),
            (at(MONDAY, 15, 0), None, 2),
            (at(MONDAY, 16, 0), None, 1),
            (at(MONDAY, 16, 30), Some("carrier"), 3),
            (at(TUESDAY, 10, 0), None, 4),
        ];
        assert_eq!(lines, half_hours);
    }

    #[test]
    fn the_ball_is_with_whoever_got_it_first() {
        let at = |minute| at(MONDAY, 9, minute);
        let stretches = vec![
            handed(at(3), at(12), "third"),
            handed(at(0), at(10), "first"),
            handed(at(2), at(5), "second"),
            handed(at(3), at(20), "fourth"),
            handed(at(30), at(40), "fifth"),
            handed(at(30), at(45), "sixth"),
        ];
        assert_eq!(
            disjoint(stretches),
            [
                handed(at(0), at(10), "first"),
                handed(at(10), at(12), "third"),
                handed(at(12), at(20), "fourth"),
                handed(at(30), at(40), "fifth"),
                handed(at(40), at(45), "sixth"),
            ]
        );
    }

    /// What a second minute by minute would say: who has the ball.
    fn holder(stretches: &[Handed<usize>], at: Timestamp) -> Option<usize> {
        let begun = stretches
            .iter()
            .filter(|stretch| stretch.from <= at && at < stretch.to);
        begun
            .min_by_key(|stretch| stretch.from)
            .map(|stretch| stretch.whom)
    }

    fn any_stretches() -> impl Strategy<Value = Vec<Handed<usize>>> {
        let any = (any_instant(), 1..2_000_i64);
        proptest::collection::vec(any, 0..12).prop_map(|drawn| {
            let numbered = drawn.into_iter().enumerate();
            let stretches = numbered.map(|(whom, (from, minutes))| Handed {
                from,
                to: from.saturating_add(Span::from_minutes(minutes)),
                whom,
            });
            stretches.collect()
        })
    }

    proptest! {
        #[test]
        fn stretches_lose_no_instant(stretches in any_stretches(), at in any_instant()) {
            let apart = disjoint(stretches.clone());
            for pair in apart.windows(2) {
                prop_assert!(pair[0].to <= pair[1].from);
            }
            prop_assert_eq!(
                holder(&apart, at).is_some(),
                holder(&stretches, at).is_some()
            );
            for stretch in &apart {
                prop_assert!(stretch.from < stretch.to);
            }
        }

        /// Pieces tile the intervals, and add up to them in what is charged and consumed.
        #[test]
        fn pieces_tile_and_add_up(
            facts in any_facts(),
            rules in any_rules(),
            calendar in any_calendar(),
            as_of in any_instant(),
            stretches in any_stretches(),
        ) {
            let before = intervals(&facts, &rules, &calendar, as_of);
            let apart = disjoint(stretches);
            let open_time = |_: &ClockInterval, from, to| calendar.elapsed(from, to);
            let pieces = split(before.clone(), &apart, whole, open_time).unwrap();
            let mut rest = pieces.as_slice();
            for interval in &before {
                let number = rest.partition_point(|piece| piece.interval.from < interval.to);
                let (own, later) = rest.split_at(number);
                rest = later;
                prop_assert_eq!(own[0].interval.from, interval.from);
                prop_assert_eq!(own[own.len() - 1].interval.to, interval.to);
                for pair in own.windows(2) {
                    prop_assert_eq!(pair[0].interval.to, pair[1].interval.from);
                }
                let sum = |part: fn(&ClockInterval) -> Span| {
                    own.iter()
                        .map(|piece| part(&piece.interval))
                        .fold(Span::ZERO, Span::saturating_add)
                };
                prop_assert_eq!(sum(|piece| piece.charged), interval.charged);
                prop_assert_eq!(sum(|piece| piece.consumed), interval.consumed);
                for piece in own {
                    let passes_on = interval.charged_to.is_some_and(whole);
                    let expected = holder(&apart, piece.interval.from).filter(|_| passes_on);
                    prop_assert_eq!(piece.handed, expected);
                }
            }
            prop_assert!(rest.is_empty());
        }
    }
}
