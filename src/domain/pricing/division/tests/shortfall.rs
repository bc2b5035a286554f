//! What the floors leave over of fixed shares and of limited ones.

use super::*;

fn fixed(
    slices: &[Slice],
    concession: i64,
    shares: &[(&str, u64)],
) -> Result<Vec<i64>, DivisionError> {
    let mut question = asked(concession, bps(shares));
    question.shortfall = ShortfallPolicy::BelowFloor;
    let division = divide(slices, &question)?;
    Ok(division.parts.iter().map(|part| part.share).collect())
}

fn firms() -> Vec<Slice> {
    vec![
        slice("a1", "acme", 700, 0, 650),
        slice("a2", "acme", 300, 0, 300),
        slice("b", "bolt", 1_000, 0, 900),
        slice("c", "crow", 5_000, 0, 0),
    ]
}

#[test]
fn what_is_left_over_of_fixed_shares_goes_by_basis_points_too() {
    let shares = [("acme", 6_000), ("bolt", 4_000), ("crow", 0)];
    // 150 within the floors; of the other 850, 510 and 340, acme's by its prices. Crow, the dearest, has
    // no share.
    let found = fixed(&firms(), 1_000, &shares).unwrap();
    assert_eq!(found, [50 + 357, 153, 100 + 340, 0]);
    // Nobody goes below zero: acme gives all that it has, and bolt the rest.
    let found = fixed(&firms(), 1_950, &shares).unwrap();
    assert_eq!(found, [700, 300, 950, 0]);
    // Once those with a share have nothing left, whoever has none bears nothing still.
    assert_eq!(
        fixed(&firms(), 2_000, &shares).unwrap(),
        [700, 300, 1_000, 0]
    );
    let refused = fixed(&firms(), 2_001, &shares);
    assert_eq!(refused, Err(DivisionError::Shortfall { shortfall: 1_851 }));
    let only = [("acme", 10_000)];
    assert_eq!(fixed(&firms(), 1_000, &only).unwrap(), [700, 300, 0, 0]);
    assert!(fixed(&firms(), 1_001, &only).is_err());
}

#[test]
fn both_steps_of_what_is_left_over_are_told() {
    let mut question = asked(1_000, bps(&[("acme", 6_000), ("bolt", 4_000)]));
    question.shortfall = ShortfallPolicy::BelowFloor;
    let division = divide(&firms(), &question).unwrap();
    let words = division.explain("a2", Currency::from_code("EUR").unwrap());
    let words = words.unwrap();
    assert!(
        words.contains(
            "The floors leave 8.50 EUR over. acme: 6,000 basis points of 10,000; of 8.50 EUR that is 5.10"
        ),
        "{words}"
    );
    assert_eq!(words.matches("The floors leave").count(), 1, "{words}");
    assert!(
        words.contains("a2: price 3.00 of 10.00; of 5.10 EUR that is 1.53"),
        "{words}"
    );
}

#[test]
fn limits_of_owners_hold_for_what_is_left_over() {
    let mut question = asked(1_000, Measure::Price);
    question.limits = BTreeMap::from([(
        "crow".to_owned(),
        OwnerLimits {
            least_bps: 0,
            most_bps: Some(5_000),
            most_amount: None,
        },
    )]);
    question.shortfall = ShortfallPolicy::BelowFloor;
    // 50 and 100 are within the floors of acme and bolt, 500 is the most of crow; the other 350 go by
    // the prices of those who may bear them.
    assert_eq!(shares(&firms(), &question), [50 + 123, 52, 100 + 175, 500]);
    question.shortfall = ShortfallPolicy::AbsorbedBy("bolt".to_owned());
    assert_eq!(shares(&firms(), &question), [50, 0, 100 + 350, 500]);
    question.shortfall = ShortfallPolicy::AbsorbedBy("crow".to_owned());
    let refused = divide(&firms(), &question);
    assert_eq!(refused, Err(DivisionError::Shortfall { shortfall: 350 }));
}

proptest! {
    /// Whoever has no basis points bears nothing, whatever the others lack; among the others every owner
    /// has its part of what is left over as far as its prices go; and it is refused exactly where they do
    /// not go far enough.
    #[test]
    fn nobody_without_a_share_bears_anything(
        slices in any_slices(),
        concession in 0..300_000_i64,
        split in 0..=10_000_u64,
        rounding in prop_oneof![Just(Rounding::LargestRemainder), Just(Rounding::Ratchet)],
    ) {
        let sells = |owner: &str| {
            slices.iter().any(|slice| slice.owner == owner)
        };
        prop_assume!(sells("firm-0") && sells("firm-1"));
        let weights = BTreeMap::from([("firm-0".to_owned(), split), ("firm-1".to_owned(), 10_000 - split)]);
        let mut question = asked(concession, Measure::FixedBps(weights.clone()));
        question.shortfall = ShortfallPolicy::BelowFloor;
        question.rounding = rounding;
        let weight = |owner: &str| weights.get(owner).copied().unwrap_or_default();
        let can: u64 = slices
            .iter()
            .filter(|slice| weight(&slice.owner) > 0 && !slice.is_passed_through)
            .map(|slice| slice.price)
            .sum();
        match divide(&slices, &question) {
            Ok(division) => {
                prop_assert!(concession.unsigned_abs() <= can);
                let sum: i64 = division.parts.iter().map(|part| part.share).sum();
                prop_assert_eq!(sum, concession);
                let mut beyond: BTreeMap<&str, (i64, u64)> = BTreeMap::new();
                for part in &division.parts {
                    prop_assert!(part.share == 0 || weight(&part.owner) > 0);
                    let found = beyond.entry(&part.owner).or_default();
                    found.0 += part.beyond_floor;
                    if slices.iter().any(|slice| slice.id == part.id && !slice.is_passed_through) {
                        found.1 += part.price_after;
                    }
                }
                // Whoever has something left bore no less than its part, to the unit.
                let placed = u128::from(division.shortfall);
                for (owner, (beyond, left)) in beyond {
                    if left > 0 {
                        let exact = placed * u128::from(weight(owner)) / 10_000;
                        prop_assert!(u128::from(beyond.unsigned_abs()) + 1 >= exact);
                    }
                }
            }
            Err(error) => {
                let is_shortfall = matches!(error, DivisionError::Shortfall { .. });
                prop_assert!(is_shortfall && concession.unsigned_abs() > can, "{:?}", error);
            }
        }
    }
}
