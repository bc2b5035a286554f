//! Scenarios, limits and properties of the largest remainder.

use proptest::prelude::*;

use super::*;

/// Parts named `a`, `b`, `c` ... in the order of `weights`.
fn parts(weights: &[u64]) -> Vec<Part> {
    let ids = (b'a'..=b'z').map(|letter| char::from(letter).to_string());
    ids.zip(weights)
        .map(|(id, &weight)| Part { id, weight })
        .collect()
}

/// The shares of `amount` by `weights`, ties going to the lower index.
fn split(amount: i64, weights: &[u64]) -> Vec<i64> {
    values(&allocate(amount, &parts(weights)).unwrap())
}

fn values(allocation: &Allocation) -> Vec<i64> {
    allocation.shares.iter().map(|share| share.share).collect()
}

fn sentences(amount: i64, weights: &[u64], code: &str) -> Vec<String> {
    let currency = Currency::from_code(code).unwrap();
    let allocation = allocate(amount, &parts(weights)).unwrap();
    allocation
        .shares
        .iter()
        .map(|share| allocation.sentence(share, currency))
        .collect()
}

#[test]
fn p01_the_spare_cent_goes_to_the_largest_remainder_and_says_why() {
    let allocation = allocate(9_999, &parts(&[75, 25])).unwrap();
    assert_eq!(values(&allocation), [7_499, 2_500]);
    let [first, second] = allocation.shares.as_slice() else {
        panic!("two parts")
    };
    assert_eq!(
        (first.floor, first.remainder, first.rank),
        (7_499, 25, Some(2))
    );
    assert!(!first.spare_unit);
    assert_eq!(
        (second.floor, second.remainder, second.rank),
        (2_499, 75, Some(1))
    );
    assert!(second.spare_unit);
    assert_eq!(
        sentences(9_999, &[7_500, 2_500], "EUR"),
        [
            "7,500 of 10,000 of 99.99 EUR is 74.9925: floor 74.99, remainder 2,500 of 10,000 of \
             a minor unit, rank 2, no spare unit, so the share is 74.99.",
            "2,500 of 10,000 of 99.99 EUR is 24.9975: floor 24.99, remainder 7,500 of 10,000 of \
             a minor unit, rank 1, one spare unit, so the share is 25.00.",
        ]
    );
}

#[test]
fn p02_the_order_of_the_parts_changes_nothing() {
    let given = parts(&[1, 1, 1, 2, 0]);
    let bytes = |mut parts: Vec<Part>, turns: usize| {
        parts.rotate_left(turns);
        let mut allocation = allocate(101, &parts).unwrap();
        let order: Vec<&str> = allocation
            .shares
            .iter()
            .map(|share| share.id.as_str())
            .collect();
        assert_eq!(
            order,
            parts
                .iter()
                .map(|part| part.id.as_str())
                .collect::<Vec<_>>()
        );
        allocation
            .shares
            .sort_by(|left, right| left.id.cmp(&right.id));
        serde_json::to_string(&allocation).unwrap()
    };
    for turns in 1..given.len() {
        assert_eq!(bytes(given.clone(), turns), bytes(given.clone(), 0));
    }
}

#[test]
fn p03_a_credit_mirrors_its_debit() {
    for (amount, weights) in [
        (9_999, vec![75, 25]),
        (1, vec![1, 1, 1]),
        (100, vec![3, 3, 3]),
    ] {
        let credit: Vec<i64> = split(amount, &weights).iter().map(|share| -share).collect();
        assert_eq!(split(-amount, &weights), credit);
    }
}

#[test]
fn p04_a_weight_of_zero_gets_zero() {
    for amount in [1, -1, 101, -101] {
        assert_eq!(split(amount, &[0, 1, 1])[0], 0);
        assert_eq!(split(amount, &[1, 0, 1])[1], 0);
        assert_eq!(split(amount, &[1, 1, 0])[2], 0);
        let refused = allocate(amount, &parts(&[0, 0]));
        assert_eq!(refused, Err(AllocationError::NoWeight { amount }));
    }
    assert_eq!(split(0, &[0, 0]), [0, 0]);
}

#[test]
fn p05_twelve_long_weights_lose_nothing() {
    // Thirteen digits each, and no two alike: no share is a whole number of minor units.
    let weights: Vec<u64> = (1..=12_u64)
        .map(|place| 8_333_333_333_333 + place * place * 1_234_567)
        .collect();
    let debit = split(700_273, &weights);
    assert_eq!(debit.iter().sum::<i64>(), 700_273);
    assert!(
        debit.iter().all(|share| (58_354..=58_358).contains(share)),
        "{debit:?}"
    );
    assert_eq!(split(-700_273, &weights).iter().sum::<i64>(), -700_273);
}

#[test]
fn p06_a_weight_is_an_integer() {
    for weight in ["8.23", "8.0", "-1", "\"8\"", "1e1", "18446744073709551616"] {
        let text = format!(r#"{{"id":"a","weight":{weight}}}"#);
        assert!(serde_json::from_str::<Part>(&text).is_err(), "{text}");
    }
    let part: Part = serde_json::from_str(r#"{"id":"a","weight":823}"#).unwrap();
    assert_eq!(part.weight, 823);
}

#[test]
fn p08_fewer_units_than_parties() {
    let allocation = allocate(1, &parts(&[1, 1, 1])).unwrap();
    assert_eq!(values(&allocation), [1, 0, 0]);
    assert_eq!(allocation.shares.len(), 3, "a line of zero is still a line");
    assert_eq!(split(2, &[1, 1, 1]), [1, 1, 0]);
    assert_eq!(split(-1, &[1, 1, 1]), [-1, 0, 0]);
}

#[test]
fn sentences_show_every_shape_of_share() {
    assert_eq!(
        sentences(-1, &[1, 2, 0], "JPY"),
        [
            "1 of 3 of -1 JPY is about -0.333333: without the sign, floor 0, remainder 1 of 3 of \
             a minor unit, rank 2, no spare unit, so the share is 0.",
            "2 of 3 of -1 JPY is about -0.666666: without the sign, floor 0, remainder 2 of 3 of \
             a minor unit, rank 1, one spare unit, so the share is -1.",
            "0 of 3 of -1 JPY is 0: without the sign, floor 0, no remainder, no spare unit, so \
             the share is 0.",
        ]
    );
    assert_eq!(
        sentences(2_000_000, &[1, 1], "KWD"),
        ["1 of 2 of 2,000.000 KWD is 1,000.000: floor 1,000.000, no remainder, no spare unit, so \
          the share is 1,000.000."; 2]
    );
    assert_eq!(
        sentences(0, &[0], "EUR"),
        ["The amount is 0.00 EUR, so every share is 0.00."]
    );
}

#[test]
fn what_cannot_be_split_is_refused() {
    assert_eq!(allocate(1, &[]), Err(AllocationError::NoParts));
    let lowest = AllocationError::AmountOutOfRange { amount: i64::MIN };
    assert_eq!(allocate(i64::MIN, &parts(&[1])), Err(lowest));
    let twice = [
        Part {
            id: "a".into(),
            weight: 1,
        },
        Part {
            id: "a".into(),
            weight: 2,
        },
    ];
    assert_eq!(
        allocate(1, &twice),
        Err(AllocationError::DuplicatePart { id: "a".into() })
    );
    let heavy = allocate(1, &parts(&[u64::MAX, 1]));
    assert_eq!(heavy, Err(AllocationError::WeightsOutOfRange));
    let crowd = |count: usize| -> Vec<Part> {
        (0..count)
            .map(|index| Part {
                id: index.to_string(),
                weight: 1,
            })
            .collect()
    };
    let error = AllocationError::TooManyParts {
        count: PARTS_MAX + 1,
    };
    assert_eq!(allocate(1, &crowd(PARTS_MAX + 1)), Err(error));
    assert_eq!(
        values(&allocate(7, &crowd(PARTS_MAX)).unwrap())
            .iter()
            .sum::<i64>(),
        7
    );
}

#[test]
fn the_largest_numbers_fit() {
    assert_eq!(split(i64::MAX, &[u64::MAX]), [i64::MAX]);
    assert_eq!(split(-i64::MAX, &[u64::MAX]), [-i64::MAX]);
    assert_eq!(split(i64::MAX, &[u64::MAX - 1, 1]), [i64::MAX, 0]);
    assert_eq!(
        split(i64::MAX, &[u64::MAX / 2, u64::MAX / 2 + 1])[0],
        i64::MAX / 2
    );
}

#[test]
fn the_stored_form_is_strict() {
    let allocation = allocate(-3, &parts(&[2, 1])).unwrap();
    let text = serde_json::to_string(&allocation).unwrap();
    assert_eq!(
        text,
        concat!(
            r#"{"amount":-3,"weight_total":3,"shares":["#,
            r#"{"id":"a","weight":2,"floor":2,"remainder":0,"rank":null,"spare_unit":false,"#,
            r#""share":-2},"#,
            r#"{"id":"b","weight":1,"floor":1,"remainder":0,"rank":null,"spare_unit":false,"#,
            r#""share":-1}]}"#
        )
    );
    assert_eq!(
        serde_json::from_str::<Allocation>(&text).unwrap(),
        allocation
    );
    let more = text.replacen('{', r#"{"carry":0,"#, 1);
    assert!(serde_json::from_str::<Allocation>(&more).is_err());
    let more = text.replacen(r#"{"id""#, r#"{"cap":0,"id""#, 1);
    assert!(serde_json::from_str::<Allocation>(&more).is_err());
}

/// The same method by another road: floors by bisection, spare units one at a time to whoever is
/// owed most, without a division anywhere.
fn oracle(amount: i64, parts: &[Part]) -> Vec<i64> {
    let magnitude = i128::from(amount.unsigned_abs());
    let total: i128 = parts.iter().map(|part| i128::from(part.weight)).sum();
    let owed =
        |index: usize, given: i128| magnitude * i128::from(parts[index].weight) - given * total;
    let mut given: Vec<i128> = (0..parts.len())
        .map(|index| {
            let (mut fits, mut too_much) = (0, magnitude + 1);
            while too_much - fits > 1 {
                let middle = i128::midpoint(fits, too_much);
                if owed(index, middle) >= 0 {
                    fits = middle;
                } else {
                    too_much = middle;
                }
            }
            fits
        })
        .collect();
    while given.iter().sum::<i128>() < magnitude {
        let next = (0..parts.len())
            .min_by(|&left, &right| {
                let debts = owed(right, given[right]).cmp(&owed(left, given[left]));
                debts.then_with(|| parts[left].id.cmp(&parts[right].id))
            })
            .unwrap();
        given[next] += 1;
    }
    let sign = amount.signum();
    given
        .into_iter()
        .map(|share| sign * i64::try_from(share).unwrap())
        .collect()
}

/// Amounts of every size and sign, the smallest and largest often.
fn any_amount() -> impl Strategy<Value = i64> {
    prop_oneof![
        3 => -50..50_i64,
        3 => -10_000_000..10_000_000_i64,
        1 => -i64::MAX..=i64::MAX,
        1 => prop::sample::select(vec![i64::MAX, -i64::MAX, i64::MAX - 1, 0]),
    ]
}

/// One to twelve parts with at least one weight, in an order that is not that of their ids.
fn any_parts() -> impl Strategy<Value = Vec<Part>> {
    let small = prop::collection::vec(0..20_u64, 1..12);
    let basis_points = prop::collection::vec(0..10_000_u64, 1..12);
    // Twelve of these come as close to the largest total as any twelve can.
    let large = prop::collection::vec(0..=u64::MAX / 12, 1..=12);
    let whole = (0..=u64::MAX).prop_map(|weight| vec![weight, u64::MAX - weight]);
    prop_oneof![3 => small, 3 => basis_points, 2 => large, 1 => whole]
        .prop_filter("some weight", |weights| {
            weights.iter().any(|&weight| weight > 0)
        })
        .prop_map(|weights| parts(&weights))
        .prop_shuffle()
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(1_024))]

    #[test]
    fn agrees_with_the_oracle(amount in any_amount(), parts in any_parts()) {
        prop_assert_eq!(values(&allocate(amount, &parts).unwrap()), oracle(amount, &parts));
    }

    #[test]
    fn adds_up_and_stays_within_one_unit(amount in any_amount(), parts in any_parts()) {
        let allocation = allocate(amount, &parts).unwrap();
        let sum: i128 = allocation.shares.iter().map(|share| i128::from(share.share)).sum();
        prop_assert_eq!(sum, i128::from(amount));
        let total = i128::from(allocation.weight_total);
        for (share, part) in allocation.shares.iter().zip(&parts) {
            let exact = i128::from(amount.unsigned_abs()) * i128::from(part.weight);
            let error = exact - i128::from(share.share.unsigned_abs()) * total;
            prop_assert!(error.abs() < total);
            prop_assert!(exact % total != 0 || error == 0, "an exact share stays exact");
            prop_assert!(part.weight != 0 || share.share == 0);
            prop_assert_eq!(share.rank.is_some(), share.remainder > 0);
            prop_assert!(share.rank.is_some() || !share.spare_unit);
        }
    }

    #[test]
    fn reordering_the_parts_reorders_the_shares(
        amount in any_amount(),
        (before, after) in any_parts().prop_flat_map(|parts| {
            (Just(parts.clone()), Just(parts).prop_shuffle())
        }),
    ) {
        let before = allocate(amount, &before).unwrap();
        let after = allocate(amount, &after).unwrap();
        for share in &before.shares {
            prop_assert!(after.shares.contains(share));
        }
        prop_assert_eq!(before.shares.len(), after.shares.len());
    }

    #[test]
    fn scaling_the_weights_changes_no_share(
        amount in any_amount(),
        weights in prop::collection::vec(1..1_000_000_u64, 1..12),
        factor in 1..1_000_000_u64,
    ) {
        let scaled: Vec<u64> = weights.iter().map(|weight| weight * factor).collect();
        prop_assert_eq!(split(amount, &weights), split(amount, &scaled));
    }

    #[test]
    fn the_opposite_amount_gives_the_opposite_shares(
        amount in any_amount(),
        parts in any_parts(),
    ) {
        let debit = allocate(amount, &parts).unwrap();
        let credit = allocate(-amount, &parts).unwrap();
        let mirrored: Vec<i64> = values(&credit).iter().map(|share| -share).collect();
        prop_assert_eq!(values(&debit), mirrored);
    }

    #[test]
    fn more_weight_never_gets_less(amount in any_amount(), parts in any_parts()) {
        let allocation = allocate(amount, &parts).unwrap();
        for left in &allocation.shares {
            for right in &allocation.shares {
                let (more, less) = (left.share.unsigned_abs(), right.share.unsigned_abs());
                prop_assert!(left.weight <= right.weight || more >= less);
                prop_assert!(left.weight != right.weight || more.abs_diff(less) <= 1);
            }
        }
    }

    #[test]
    fn between_two_a_larger_amount_lowers_no_share(
        amount in 0..i64::MAX,
        left in 0..u64::MAX / 2,
        right in 1..u64::MAX / 2,
    ) {
        let before = split(amount, &[left, right]);
        let after = split(amount + 1, &[left, right]);
        prop_assert!(before.iter().zip(&after).all(|(before, after)| before <= after));
    }

    #[test]
    fn one_part_takes_everything(amount in any_amount(), weight in 1..u64::MAX) {
        prop_assert_eq!(split(amount, &[weight]), [amount]);
    }

    #[test]
    fn nothing_splits_into_nothing(parts in any_parts()) {
        let allocation = allocate(0, &parts).unwrap();
        prop_assert!(allocation.shares.iter().all(|share| share.share == 0));
    }

    #[test]
    fn every_share_has_a_sentence(amount in any_amount(), parts in any_parts()) {
        let allocation = allocate(amount, &parts).unwrap();
        let currency = Currency::from_code("EUR").unwrap();
        for share in &allocation.shares {
            let sentence = allocation.sentence(share, currency);
            let result = currency.decimal(share.share);
            prop_assert!(sentence.ends_with(&format!("the share is {result}.")), "{}", sentence);
        }
    }
}
