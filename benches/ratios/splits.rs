//! h: an amount split over portions, against another program's split of the same amount.

use std::hint::black_box;
use std::time::{Duration, Instant};

use entente::domain::pricing::allocation::{Part, allocate, shares};
use entente::domain::pricing::division::{Measure, Question, Slice, divide};
use rusty_money::{Money, iso};

use super::Rounds;
use super::table::Table;

/// How many portions are split over: a common quote, and the largest.
const COUNTS: [u32; 2] = [3, 200];
/// How many amounts are split between two looks at the clock.
const AT_A_TIME: u32 = 100;
/// The smallest amount, in minor units.
const AMOUNT: i64 = 1_000_003;

/// Prices of so many portions.
fn prices(count: u32) -> Vec<u32> {
    let price = |index: u32| 4_000_000 + (index * 7_919) % 9_000_001;
    (0..count).map(price).collect()
}

/// Nanoseconds that a split takes; another amount is split each time.
fn nanoseconds(length: Duration, mut split: impl FnMut(i64)) -> f64 {
    let begun = Instant::now();
    let mut done = 0_u32;
    while begun.elapsed() < length {
        for step in 0..AT_A_TIME {
            split(AMOUNT + i64::from(done + step));
        }
        done += AT_A_TIME;
    }
    begun.elapsed().as_secs_f64() * 1e9 / f64::from(done)
}

/// Measures splits of both sizes: the shares alone, with every number that led to them, and as the
/// division of a concession with floors and steps.
pub fn measure(rounds: Rounds, table: &mut Table) {
    for count in COUNTS {
        let prices = prices(count);
        let parts: Vec<Part> = (0..).zip(&prices).map(part).collect();
        let slices: Vec<Slice> = (0..).zip(&prices).map(slice).collect();
        let theirs = |amount| {
            let money = Money::from_minor(amount, iso::EUR);
            black_box(money.allocate(black_box(&prices).clone()).expect("a split"));
        };
        let alone = |amount| {
            black_box(shares(amount, black_box(&parts)).expect("a split"));
        };
        let explained = |amount| {
            black_box(allocate(amount, black_box(&parts)).expect("a split"));
        };
        let divided = |amount| {
            let question = Question::new(amount, Measure::Price);
            black_box(divide(black_box(&slices), &question).expect("a division"));
        };
        let mut compare = |what: &str, split: &dyn Fn(i64)| {
            let (mut ours, mut peer) = (Vec::new(), Vec::new());
            for _ in 0..rounds.count {
                ours.push(nanoseconds(rounds.length / 4, split));
                peer.push(nanoseconds(rounds.length / 4, theirs));
            }
            let what = format!("h: split over {count}{what} / rusty-money");
            table.add(&what, "ns", ours, peer);
        };
        compare("", &alone);
        compare(", explained", &explained);
        compare(", within floors, every step kept", &divided);
    }
}

fn part((index, price): (u32, &u32)) -> Part {
    Part {
        id: format!("portion-{index:03}"),
        weight: u64::from(*price),
    }
}

fn slice((index, price): (u32, &u32)) -> Slice {
    Slice {
        id: format!("portion-{index:03}"),
        owner: format!("firm-{}", index % 3),
        price: u64::from(*price),
        cost: None,
        band: None,
        floor: 0,
        is_passed_through: false,
    }
}
