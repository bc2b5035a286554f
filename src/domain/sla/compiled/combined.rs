//! The open intervals of two calendars together.

use std::sync::Arc;

use super::super::combination::{OPERANDS, Operator};
use super::CompiledCalendar;
use crate::domain::time::Timestamp;

/// Two calendars that make one. Their zones may differ: only instants are compared.
#[derive(Clone, Debug)]
pub(super) struct Combined {
    pub(super) operator: Operator,
    pub(super) calendars: [Arc<CompiledCalendar>; OPERANDS],
}

impl Combined {
    /// The merged open intervals within `[start, end)`, instants in microseconds, in order.
    pub(super) fn open_intervals(&self, start: i64, end: i64) -> Vec<(i64, i64)> {
        let (start, end) = (Timestamp::from_micros(start), Timestamp::from_micros(end));
        let [first, second] = self.calendars.each_ref().map(|calendar| {
            calendar
                .open_intervals(start, end)
                .map(|(open, close)| (open.as_micros(), close.as_micros()))
        });
        match self.operator {
            Operator::Union => union(first.peekable(), second.peekable()),
            Operator::Intersection => intersection(first, second),
        }
    }
}

type Pieces<I> = std::iter::Peekable<I>;

/// What lies in one or the other; both in order and merged.
fn union<A, B>(mut first: Pieces<A>, mut second: Pieces<B>) -> Vec<(i64, i64)>
where
    A: Iterator<Item = (i64, i64)>,
    B: Iterator<Item = (i64, i64)>,
{
    let mut merged: Vec<(i64, i64)> = Vec::new();
    loop {
        let next = match (first.peek(), second.peek()) {
            (Some(one), Some(other)) if one <= other => first.next(),
            (Some(_), None) => first.next(),
            _ => second.next(),
        };
        let Some((open, close)) = next else {
            return merged;
        };
        match merged.last_mut() {
            Some(last) if open <= last.1 => last.1 = last.1.max(close),
            _ => merged.push((open, close)),
        }
    }
}

/// What lies in both; both in order and merged.
fn intersection(
    mut first: impl Iterator<Item = (i64, i64)>,
    mut second: impl Iterator<Item = (i64, i64)>,
) -> Vec<(i64, i64)> {
    let mut shared = Vec::new();
    let (mut one, mut other) = (first.next(), second.next());
    while let (Some(left), Some(right)) = (one, other) {
        let (open, close) = (left.0.max(right.0), left.1.min(right.1));
        if open < close {
            shared.push((open, close));
        }
        // The one that closes first cannot meet what follows in the other.
        if left.1 <= right.1 {
            one = first.next();
        } else {
            other = second.next();
        }
    }
    shared
}

#[cfg(test)]
mod tests {
    use super::*;

    fn united(first: &[(i64, i64)], second: &[(i64, i64)]) -> Vec<(i64, i64)> {
        union(
            first.iter().copied().peekable(),
            second.iter().copied().peekable(),
        )
    }

    fn shared(first: &[(i64, i64)], second: &[(i64, i64)]) -> Vec<(i64, i64)> {
        intersection(first.iter().copied(), second.iter().copied())
    }

    #[test]
    fn touching_intervals_are_one_and_share_nothing() {
        assert_eq!(united(&[(0, 5), (9, 10)], &[(5, 9)]), [(0, 10)]);
        assert_eq!(shared(&[(0, 5), (9, 10)], &[(5, 9)]), []);
    }

    #[test]
    fn one_interval_may_hold_several() {
        let (wide, narrow) = ([(0, 20), (30, 40)], [(1, 2), (3, 4), (19, 31)]);
        assert_eq!(united(&wide, &narrow), [(0, 40)]);
        assert_eq!(shared(&wide, &narrow), [(1, 2), (3, 4), (19, 20), (30, 31)]);
        assert_eq!(shared(&narrow, &wide), shared(&wide, &narrow));
        assert_eq!(united(&[], &narrow), narrow);
        assert_eq!(shared(&wide, &[]), []);
    }
}
