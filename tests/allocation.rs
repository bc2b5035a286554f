//! Every way to split an amount, against an oracle that counts with exact fractions of any size and
//! knows nothing of how ours go about it.

#![expect(
    clippy::unwrap_used,
    reason = "a test stops at the first thing that is not as it should be"
)]

use std::collections::BTreeMap;

use entente::domain::pricing::allocation::carried::{FRACTIONS_PER_UNIT, allocate_carrying};
use entente::domain::pricing::allocation::periods::spread;
use entente::domain::pricing::allocation::ratchet::allocate_ratchet;
use entente::domain::pricing::allocation::reversal::{Recorded, reverse};
use entente::domain::pricing::allocation::within::{LimitedPart, allocate_within};
use entente::domain::pricing::allocation::{
    AllocationError, Part, allocate, shares as shares_alone,
};
use num_bigint::BigInt;
use num_rational::Ratio;
use proptest::prelude::*;

/// An exact fraction.
type Exact = Ratio<BigInt>;

fn whole(number: impl Into<BigInt>) -> Exact {
    Exact::from_integer(number.into())
}

fn zero() -> Exact {
    whole(0)
}

/// Names in the order of the list, so that ties go to the lower index.
fn id(index: usize) -> String {
    format!("{index:04}")
}

fn parts(weights: &[u64]) -> Vec<Part> {
    let named = weights.iter().enumerate();
    named
        .map(|(index, weight)| Part {
            id: id(index),
            weight: *weight,
        })
        .collect()
}

fn limited(shape: &[(u64, u64, Option<u64>)]) -> Vec<LimitedPart> {
    let named = shape.iter().enumerate();
    named
        .map(|(index, (weight, least, most))| LimitedPart {
            id: id(index),
            weight: *weight,
            least: *least,
            most: *most,
        })
        .collect()
}

fn exact_shares(amount: i64, weights: &[u64]) -> Vec<Exact> {
    let total: BigInt = weights.iter().map(|weight| BigInt::from(*weight)).sum();
    let share =
        |weight: &u64| Exact::new(BigInt::from(amount) * BigInt::from(*weight), total.clone());
    weights.iter().map(share).collect()
}

fn is_near(share: i64, exact: &Exact) -> bool {
    let apart = whole(share) - exact;
    apart < whole(1) && apart > whole(-1)
}

/// Weights of any size whose sum fits, at least one of them not zero.
fn weights() -> impl Strategy<Value = Vec<u64>> {
    let weight = prop_oneof![0..10_u64, 0..1_000_000_000_u64, 0..u64::MAX / 256];
    proptest::collection::vec(weight, 1..=40).prop_filter("somebody has a weight", |weights| {
        weights.iter().any(|weight| *weight > 0)
    })
}

fn amounts() -> impl Strategy<Value = i64> {
    prop_oneof![
        -50..50_i64,
        -10_000_000..10_000_000_i64,
        -i64::MAX..=i64::MAX
    ]
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(600))]

    #[test]
    fn largest_remainder(amount in amounts(), weights in weights(), factor in 1..200_u64) {
        let shares: Vec<i64> = allocate(amount, &parts(&weights))
            .unwrap()
            .shares
            .iter()
            .map(|share| share.share)
            .collect();
        let mut turned = parts(&weights);
        turned.reverse();
        let mut alone = shares_alone(amount, &turned).unwrap();
        alone.reverse();
        prop_assert_eq!(&alone, &shares);
        let exact = exact_shares(amount, &weights);
        let sum: i128 = shares.iter().copied().map(i128::from).sum();
        prop_assert_eq!(sum, i128::from(amount));
        for (index, (share, exact)) in shares.iter().zip(&exact).enumerate() {
            prop_assert!(is_near(*share, exact), "{} of {}", share, exact);
            if exact.is_integer() {
                prop_assert_eq!(whole(*share), exact.clone());
            }
            for (other, other_share) in shares.iter().enumerate() {
                if weights[index] > weights[other] {
                    prop_assert!(share.unsigned_abs() >= other_share.unsigned_abs());
                }
            }
        }
        // Whatever measure the weights are given in.
        let scaled: Vec<u64> = weights.iter().map(|weight| weight.saturating_mul(factor)).collect();
        if let Ok(again) = allocate(amount, &parts(&scaled))
            && !scaled.contains(&u64::MAX)
        {
            let again: Vec<i64> = again.shares.iter().map(|share| share.share).collect();
            prop_assert_eq!(&again, &shares);
        }
        let mirrored = allocate(-amount, &parts(&weights)).unwrap();
        let mirrored: Vec<i64> = mirrored.shares.iter().map(|share| -share.share).collect();
        prop_assert_eq!(mirrored, shares);
    }

    #[test]
    fn two_parts_are_a_ratchet_already(amount in 0..100_000_i64, weights in [1..1_000_u64, 1..1_000_u64]) {
        let share = |amount| allocate(amount, &parts(&weights)).unwrap().shares[0].share;
        prop_assert!(share(amount) <= share(amount + 1));
    }
}

/// The level at which all shares together are the amount, and each share then: by the points at which
/// somebody meets a limit, in order.
fn level_shares(amount: u64, parts: &[LimitedPart]) -> Vec<Exact> {
    let at = |level: &Exact, part: &LimitedPart| {
        let wanted = level * whole(part.weight);
        let wanted = wanted.max(whole(part.least));
        match part.most {
            Some(most) => wanted.min(whole(most)),
            None => wanted,
        }
    };
    let sum = |level: &Exact| parts.iter().fold(zero(), |sum, part| sum + at(level, part));
    let limits = |part: &LimitedPart| {
        let bounds = [Some(part.least), part.most];
        let weight = part.weight;
        bounds
            .into_iter()
            .flatten()
            .filter(move |_| weight > 0)
            .map(move |bound| Exact::new(bound.into(), weight.into()))
            .collect::<Vec<_>>()
    };
    let mut points: Vec<Exact> = parts.iter().flat_map(limits).collect();
    points.push(zero());
    points.sort();
    let wanted = whole(amount);
    // Between two points the sum is a straight line; beyond the last one only those without a
    // limit grow.
    let below = points.iter().rev().find(|point| sum(point) <= wanted);
    let below = below.cloned().unwrap_or_else(zero);
    let slope = parts.iter().fold(zero(), |slope, part| {
        let step = at(
            &(below.clone() + Exact::new(1.into(), BigInt::from(10).pow(60))),
            part,
        );
        if step > at(&below, part) {
            slope + whole(part.weight)
        } else {
            slope
        }
    });
    let level = if slope == zero() {
        below
    } else {
        below.clone() + (wanted - sum(&below)) / slope
    };
    parts.iter().map(|part| at(&level, part)).collect()
}

/// Parts with limits: weight, pledge, and what it bears at most.
fn limits() -> impl Strategy<Value = Vec<(u64, u64, Option<u64>)>> {
    let part = (0..50_u64, 0..40_u64, proptest::option::of(0..400_u64)).prop_map(
        |(weight, least, room)| {
            let least = if weight == 0 { 0 } else { least };
            (weight, least, room.map(|room| least + room))
        },
    );
    proptest::collection::vec(part, 1..=8).prop_filter("somebody has a weight", |shape| {
        shape.iter().any(|part| part.0 > 0)
    })
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(1_000))]

    #[test]
    fn within_limits(shape in limits(), more in 0..4_000_u64, negative in any::<bool>(), turn in 0..8_usize) {
        let parts = limited(&shape);
        let pledged: u64 = parts.iter().map(|part| part.least).sum();
        let magnitude = pledged + more;
        let amount = if negative { -magnitude.cast_signed() } else { magnitude.cast_signed() };
        let split = allocate_within(amount, &parts).unwrap();
        let shares = split.shares(&parts);
        let mut bearing = parts.iter().filter(|part| part.weight > 0);
        let most = bearing.try_fold(0_u64, |sum, part| Some(sum + part.most?));
        let shortfall = most.map_or(0, |most| magnitude.saturating_sub(most));
        prop_assert_eq!(split.shortfall, shortfall);
        let sum: u64 = shares.iter().map(|share| share.unsigned_abs()).sum();
        prop_assert_eq!(sum + shortfall, magnitude);
        prop_assert!(shares.iter().all(|share| *share == 0 || (*share < 0) == negative));
        let exact = level_shares(magnitude - shortfall, &parts);
        for ((part, share), exact) in parts.iter().zip(&shares).zip(&exact) {
            let size = share.unsigned_abs();
            prop_assert!(size >= part.least && part.most.is_none_or(|most| size <= most));
            prop_assert!(is_near(size.cast_signed(), exact), "{} is not {}: {:?}", size, exact, parts);
        }
        let rounds = split.fixed.iter().map(|fixed| fixed.round).max().unwrap_or(0);
        prop_assert!(usize::try_from(rounds).unwrap() <= parts.len());
        let mut turned = parts.clone();
        turned.rotate_left(turn % parts.len());
        let again = allocate_within(amount, &turned).unwrap();
        for (part, share) in parts.iter().zip(&shares) {
            prop_assert_eq!(again.share_of(&part.id), *share);
        }
    }

    #[test]
    fn a_ratchet_counts_out_units(shape in limits(), units in 0..300_i64, negative in any::<bool>()) {
        let shape: Vec<_> = shape.into_iter().map(|(weight, _, most)| (weight, 0, most)).collect();
        let parts = limited(&shape);
        let amount = if negative { -units } else { units };
        let split = allocate_ratchet(amount, &parts).unwrap();
        let shares: Vec<u64> = split.shares.iter().map(|share| share.share.unsigned_abs()).collect();
        let counted = counted_out(units.unsigned_abs(), &parts);
        prop_assert_eq!(&shares, &counted);
        let more = counted_out(units.unsigned_abs() + 1, &parts);
        prop_assert!(shares.iter().zip(more).all(|(before, after)| *before <= after));
        let given: u64 = shares.iter().sum();
        prop_assert_eq!(given + split.shortfall, units.unsigned_abs());
    }
}

/// Units given one after the other to the largest next average.
fn counted_out(units: u64, parts: &[LimitedPart]) -> Vec<u64> {
    let mut counts = vec![0_u64; parts.len()];
    for _ in 0..units {
        let mut best: Option<(Exact, usize)> = None;
        for (index, part) in parts.iter().enumerate() {
            let is_full = part.most.is_some_and(|most| counts[index] >= most);
            if part.weight == 0 || is_full {
                continue;
            }
            let average = Exact::new(part.weight.into(), (2 * counts[index] + 1).into());
            if best.as_ref().is_none_or(|(known, _)| average > *known) {
                best = Some((average, index));
            }
        }
        let Some((_, index)) = best else { break };
        counts[index] += 1;
    }
    counts
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(150))]

    #[test]
    fn a_large_ratchet_only_grows(weights in weights(), amount in 0..i64::MAX - 7, step in 1..7_i64) {
        let shape: Vec<_> = weights.iter().map(|weight| (*weight, 0, None)).collect();
        let parts = limited(&shape);
        let shares = |amount| {
            let split = allocate_ratchet(amount, &parts).unwrap();
            split.shares.iter().map(|share| share.share).collect::<Vec<_>>()
        };
        let (before, after) = (shares(amount), shares(amount + step));
        prop_assert!(before.iter().zip(&after).all(|(before, after)| before <= after));
        let sum: i128 = after.iter().copied().map(i128::from).sum();
        prop_assert_eq!(sum, i128::from(amount + step));
    }

    /// Over any deals, nobody is ever a whole unit away from its exact shares together.
    #[test]
    fn carried_fractions_stay_small(
        deals in proptest::collection::vec((-3_000..3_000_i64, [0..90_u64, 1..90, 1..90, 0..90]), 1..60)
    ) {
        let mut owed = BTreeMap::new();
        let mut truth: Vec<Exact> = vec![zero(); 4];
        for (amount, weights) in &deals {
            let split = allocate_carrying(*amount, &parts(weights), &owed).unwrap();
            let exact = exact_shares(*amount, weights);
            let sum: i64 = split.allocation.shares.iter().map(|share| share.share).sum();
            prop_assert_eq!(sum, *amount);
            for (index, share) in split.allocation.shares.iter().enumerate() {
                prop_assert!(is_near(share.share, &exact[index]));
                truth[index] += &exact[index] - whole(share.share);
            }
            for (index, carried) in split.carried.iter().enumerate() {
                prop_assert_eq!(carried.before, owed.get(&carried.id).copied().unwrap_or(0));
                let kept = Exact::new(carried.after.into(), FRACTIONS_PER_UNIT.into());
                let apart = kept - &truth[index];
                let rounding = Exact::new(60.into(), FRACTIONS_PER_UNIT.into());
                prop_assert!(apart < rounding && apart > -rounding);
                prop_assert!(truth[index] < whole(2) && truth[index] > whole(-2));
                owed.insert(carried.id.clone(), carried.after);
            }
        }
    }

    #[test]
    fn spread_evenly(amount in amounts(), periods in 1..=120_u32) {
        let spread = spread(amount, periods).unwrap();
        let mut so_far = 0_i128;
        for (count, share) in (1_i128..).zip(&spread) {
            so_far += i128::from(*share);
            let exact = Exact::new(BigInt::from(amount) * BigInt::from(count), periods.into());
            let apart = whole(so_far) - exact;
            prop_assert!(apart < whole(1) && apart > whole(-1));
        }
        prop_assert_eq!(so_far, i128::from(amount));
        let (least, most) = (spread.iter().min().unwrap(), spread.iter().max().unwrap());
        prop_assert!(most - least <= 1);
    }

    /// P13: whatever the steps, after the last partial reversal everything is exactly zero.
    #[test]
    fn p13_partial_reversals_end_at_zero(
        amount in -100_000..100_000_i64,
        weights in weights(),
        steps in proptest::collection::vec(1..1_000_u64, 0..12),
    ) {
        let split = allocate(amount, &parts(&weights)).unwrap();
        let mut recorded: Vec<Recorded> = split
            .shares
            .iter()
            .map(|share| Recorded { id: share.id.clone(), share: share.share, reversed: 0 })
            .collect();
        let mut left = amount;
        let total: u64 = steps.iter().sum::<u64>() + 1;
        let scale = |step: u64| i64::try_from(
            i128::from(amount) * i128::from(step) / i128::from(total)
        ).unwrap();
        for step in steps.iter().map(|step| scale(*step)).filter(|step| *step != 0) {
            take_back(step, &mut recorded);
            left -= step;
        }
        if left != 0 {
            take_back(left, &mut recorded);
        }
        prop_assert!(recorded.iter().all(|part| part.share == part.reversed));
        if amount != 0 {
            let more = reverse(amount.signum(), &recorded);
            prop_assert_eq!(more, Err(AllocationError::NotReversible { amount: amount.signum() }));
        }
    }
}

fn take_back(amount: i64, recorded: &mut [Recorded]) {
    let taken = reverse(amount, recorded).unwrap();
    for part in recorded {
        part.reversed += taken.share_of(&part.id);
    }
}

/// P07: three cents by 75 and 25, many times: without carrying, the same firm always pays.
#[test]
fn p07_fractions_are_carried() {
    let parts = parts(&[75, 25]);
    let mut owed = BTreeMap::new();
    let (mut first, mut second) = (0, 0);
    for _ in 0..100 {
        let split = allocate_carrying(3, &parts, &owed).unwrap();
        first += split.allocation.shares[0].share;
        second += split.allocation.shares[1].share;
        owed = split
            .carried
            .into_iter()
            .map(|carried| (carried.id, carried.after))
            .collect();
    }
    assert_eq!((first, second), (225, 75));
    let plain = allocate(3, &parts).unwrap();
    let plain: Vec<i64> = plain.shares.iter().map(|share| share.share).collect();
    assert_eq!(plain, [2, 1], "a third for a quarter, every time");
}

/// P16: a concession of the whole margin lands exactly on every floor, and no cent more is placed.
#[test]
fn p16_the_whole_margin_is_exactly_the_floor() {
    let parts = limited(&[
        (4_000_000, 0, Some(1_000_000)),
        (2_500_000, 0, Some(200_000)),
        (1_000_000, 0, Some(400_000)),
    ]);
    let split = allocate_within(1_600_000, &parts).unwrap();
    assert_eq!(split.shares(&parts), [1_000_000, 200_000, 400_000]);
    assert_eq!(split.shortfall, 0);
    let split = allocate_within(1_600_001, &parts).unwrap();
    assert_eq!(split.shares(&parts), [1_000_000, 200_000, 400_000]);
    assert_eq!(split.shortfall, 1);
}

/// The largest amounts and weights are split, and those beyond are refused, without a panic.
#[test]
fn p25_the_largest_numbers() {
    let shape = [
        (u64::MAX / 2, 0, Some(u64::MAX)),
        (u64::MAX / 2, 0, None),
        (1, 0, Some(1)),
    ];
    let parts = limited(&shape);
    for amount in [i64::MAX, -i64::MAX] {
        let split = allocate_within(amount, &parts).unwrap();
        assert_eq!(split.shares(&parts).iter().sum::<i64>(), amount);
        let split = allocate_ratchet(amount, &parts).unwrap();
        assert_eq!(
            split.shares.iter().map(|share| share.share).sum::<i64>(),
            amount
        );
        assert_eq!(spread(amount, 7).unwrap().iter().sum::<i64>(), amount);
    }
    let out_of_range = AllocationError::AmountOutOfRange { amount: i64::MIN };
    assert_eq!(allocate_within(i64::MIN, &parts), Err(out_of_range.clone()));
    assert_eq!(spread(i64::MIN, 7), Err(out_of_range));
    let crossed = limited(&[(1, 5, Some(4))]);
    let refused = AllocationError::LimitsCrossed { id: id(0) };
    assert_eq!(allocate_within(9, &crossed), Err(refused));
    let pledged = limited(&[(1, 5, None), (1, 5, None)]);
    let refused = AllocationError::PledgedTooMuch { amount: 9 };
    assert_eq!(allocate_within(9, &pledged), Err(refused));
}
