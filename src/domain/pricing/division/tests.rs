//! Bases, floors and policies.

mod explained;
mod rules;
mod shortfall;

use std::collections::BTreeMap;

use proptest::prelude::*;

use super::*;
use crate::domain::pricing::money::Currency;

fn slice(id: &str, owner: &str, price: u64, cost: u64, floor: u64) -> Slice {
    Slice {
        id: id.to_owned(),
        owner: owner.to_owned(),
        price,
        cost: Some(cost),
        band: None,
        floor,
        is_passed_through: false,
    }
}

/// Three firms; B and C have little room before their floors.
fn three() -> Vec<Slice> {
    vec![
        slice("a", "acme", 5_000_000, 4_000_000, 4_000_000),
        slice("b", "bolt", 2_700_000, 2_500_000, 2_500_000),
        slice("c", "cargo", 1_400_000, 1_000_000, 1_000_000),
    ]
}

fn asked(concession: i64, measure: Measure) -> Question {
    Question::new(concession, measure)
}

fn shares(slices: &[Slice], question: &Question) -> Vec<i64> {
    let division = divide(slices, question).unwrap();
    division.parts.iter().map(|part| part.share).collect()
}

fn bps(shares: &[(&str, u64)]) -> Measure {
    let shares = shares
        .iter()
        .map(|(owner, bps)| ((*owner).to_owned(), *bps));
    Measure::FixedBps(shares.collect())
}

#[test]
fn by_cost_within_floors() {
    let question = asked(900_000, Measure::Cost);
    assert_eq!(shares(&three(), &question), [560_000, 200_000, 140_000]);
    let division = divide(&three(), &question).unwrap();
    assert_eq!(
        (division.price_before, division.price_after),
        (9_100_000, 8_200_000)
    );
    let at_floor: Vec<bool> = division.parts.iter().map(|part| part.is_at_floor).collect();
    assert_eq!(at_floor, [false, true, false]);
}

#[test]
fn p16_the_whole_margin_and_not_a_cent_more() {
    let question = asked(1_600_000, Measure::Margin);
    assert_eq!(shares(&three(), &question), [1_000_000, 200_000, 400_000]);
    let question = asked(1_600_001, Measure::Margin);
    let refused = divide(&three(), &question);
    assert_eq!(refused, Err(DivisionError::Shortfall { shortfall: 1 }));
}

#[test]
fn what_floors_leave_over_goes_by_its_policy() {
    let mut question = asked(1_650_000, Measure::Margin);
    question.shortfall = ShortfallPolicy::AbsorbedBy("acme".to_owned());
    let division = divide(&three(), &question).unwrap();
    assert_eq!(division.shortfall, 50_000);
    let beyond: Vec<i64> = division
        .parts
        .iter()
        .map(|part| part.beyond_floor)
        .collect();
    assert_eq!(beyond, [50_000, 0, 0]);
    question.shortfall = ShortfallPolicy::BelowFloor;
    let division = divide(&three(), &question).unwrap();
    let beyond: Vec<i64> = division
        .parts
        .iter()
        .map(|part| part.beyond_floor)
        .collect();
    assert_eq!(beyond, [31_250, 6_250, 12_500]);
    // Nothing goes below zero, whoever absorbs it.
    question.concession = 9_100_001;
    assert!(divide(&three(), &question).is_err());
    question.shortfall = ShortfallPolicy::AbsorbedBy("nobody".to_owned());
    let refused = divide(&three(), &question);
    assert!(matches!(refused, Err(DivisionError::Shortfall { .. })));
}

#[test]
fn pass_through_at_cost_bears_nothing() {
    let mut slices = three();
    slices[0].is_passed_through = true;
    let question = asked(500_000, Measure::Price);
    assert_eq!(shares(&slices, &question), [0, 200_000, 300_000]);
    let mut question = asked(700_000, Measure::Price);
    question.shortfall = ShortfallPolicy::BelowFloor;
    let division = divide(&slices, &question).unwrap();
    assert_eq!(division.parts[0].share, 0);
}

#[test]
fn p09_fixed_shares_take_two_steps_and_add_up() {
    let slices = vec![
        slice("a1", "acme", 700, 0, 0),
        slice("a2", "acme", 300, 0, 0),
        slice("b", "bolt", 1_000, 0, 950),
    ];
    let question = asked(101, bps(&[("acme", 6_000), ("bolt", 4_000)]));
    assert_eq!(shares(&slices, &question), [43, 18, 40]);
    // Bolt's floor leaves the rest to acme.
    let question = asked(201, bps(&[("acme", 6_000), ("bolt", 4_000)]));
    assert_eq!(shares(&slices, &question), [106, 45, 50]);
    let wrong = asked(1, bps(&[("acme", 6_000), ("bolt", 3_999)]));
    let refused = Err(DivisionError::SharesDoNotAddUp { total: 9_999 });
    assert_eq!(divide(&slices, &wrong), refused);
    let stranger = asked(1, bps(&[("acme", 6_000), ("crow", 4_000)]));
    let refused = DivisionError::NothingSold {
        owner: "crow".to_owned(),
    };
    assert_eq!(divide(&slices, &stranger), Err(refused));
}

#[test]
fn p11_custom_amounts_are_exactly_the_concession() {
    let stated = |amounts: &[(&str, i64)]| {
        let amounts = amounts
            .iter()
            .map(|(id, amount)| ((*id).to_owned(), *amount));
        Measure::Custom(amounts.collect())
    };
    let question = asked(100, stated(&[("a", 60), ("c", 40)]));
    assert_eq!(shares(&three(), &question), [60, 0, 40]);
    let question = asked(100, stated(&[("a", 60), ("c", 41)]));
    let refused = divide(&three(), &question).unwrap_err();
    assert_eq!(
        refused,
        DivisionError::CustomDoesNotAddUp {
            sum: 101,
            total: 100
        }
    );
    assert_eq!(
        refused.to_string(),
        "the amounts add up to 101, not to 100: 1 too much"
    );
    let question = asked(100, stated(&[("x", 100)]));
    let refused = DivisionError::SliceUnknown { id: "x".to_owned() };
    assert_eq!(divide(&three(), &question), Err(refused));
}

#[test]
fn p22_a_surcharge_is_a_negative_concession_without_floors() {
    let question = asked(-900_000, Measure::Cost);
    assert_eq!(shares(&three(), &question), [-480_000, -300_000, -120_000]);
}

#[test]
fn what_is_not_known_is_said() {
    let mut slices = three();
    slices[1].cost = None;
    let refused = DivisionError::CostUnknown { id: "b".to_owned() };
    assert_eq!(divide(&slices, &asked(1, Measure::Margin)), Err(refused));
    slices[2].floor = 1_400_001;
    let refused = DivisionError::FloorAbovePrice { id: "c".to_owned() };
    assert_eq!(divide(&slices, &asked(1, Measure::Price)), Err(refused));
}

fn any_slices() -> impl Strategy<Value = Vec<Slice>> {
    let slice = (
        0..4_usize,
        1..100_000_u64,
        0..=100_u64,
        0..=100_u64,
        any::<bool>(),
    );
    proptest::collection::vec(slice, 1..12).prop_map(|slices| {
        let named = slices.into_iter().enumerate();
        named
            .map(|(index, (owner, price, cost, floor, through))| Slice {
                id: format!("{index:03}"),
                owner: format!("firm-{owner}"),
                price,
                cost: Some(price * cost / 100),
                band: None,
                floor: price * floor / 100,
                is_passed_through: through && index % 3 == 0,
            })
            .collect()
    })
}

proptest! {
    /// P14 and P15: on every line and in total, the price before less the share is the price after,
    /// and the shares are the concession; nobody is below its floor but by policy.
    #[test]
    fn p14_p15_every_line_adds_up(
        slices in any_slices(),
        concession in -300_000..300_000_i64,
        measure in prop_oneof![Just(Measure::Cost), Just(Measure::Margin), Just(Measure::Price)],
        policy in prop_oneof![
            Just(ShortfallPolicy::Reject),
            Just(ShortfallPolicy::BelowFloor),
            Just(ShortfallPolicy::AbsorbedBy("firm-0".to_owned())),
        ],
        rounding in prop_oneof![Just(Rounding::LargestRemainder), Just(Rounding::Ratchet)],
    ) {
        let mut question = asked(concession, measure);
        question.shortfall = policy.clone();
        question.rounding = rounding;
        let Ok(division) = divide(&slices, &question) else {
            return Ok(());
        };
        let sum: i64 = division.parts.iter().map(|part| part.share).sum();
        prop_assert_eq!(sum, concession);
        for (part, slice) in division.parts.iter().zip(&slices) {
            prop_assert_eq!(
                i128::from(part.price_before) - i128::from(part.share),
                i128::from(part.price_after)
            );
            if concession >= 0 {
                prop_assert!(part.within_floor.unsigned_abs() <= slice.room());
            }
            if slice.is_passed_through {
                prop_assert_eq!(part.share, 0);
            }
            let steps: i64 = part
                .steps
                .iter()
                .filter(|step| !matches!(step.phase, Phase::Owners | Phase::ShortfallOwners))
                .map(|step| step.share)
                .sum();
            prop_assert_eq!(steps, part.share);
            if policy == ShortfallPolicy::Reject && !slice.is_passed_through {
                prop_assert!(part.price_after >= slice.floor);
            }
        }
        prop_assert_eq!(
            i128::from(division.price_before) - i128::from(concession),
            i128::from(division.price_after)
        );
        let mut turned = slices.clone();
        turned.reverse();
        let mut again = divide(&turned, &question).unwrap();
        again.parts.reverse();
        prop_assert_eq!(again, division);
    }
}
