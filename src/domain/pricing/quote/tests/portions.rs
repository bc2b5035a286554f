//! What portions may say of themselves, and of each other.

use super::bench::{Bench, ONE, TWO, commitment, euro, portion, refusal_of};
use crate::domain::pricing::division::CostBand;
use crate::domain::pricing::money::{Currency, Money};
use crate::domain::pricing::quote::cost::{CostExchange, ExchangeRate};
use crate::domain::pricing::quote::portion::{
    PassThrough, Period, QUANTITY_MAX, Recurrence, Stake, StakeValue,
};
use crate::domain::pricing::quote::{Basis, NewPortion};
use crate::domain::refusal::{Reason, Refusal};
use crate::domain::sla::calendar::CivilDate;

fn fields(refusal: &Refusal) -> Vec<&str> {
    let violations = refusal.violations.iter();
    violations.map(|it| it.field.as_str()).collect()
}

fn monthly(portion: NewPortion, periods: u16) -> NewPortion {
    let period = Period::Month;
    NewPortion {
        recurrence: Some(Recurrence { period, periods }),
        ..portion
    }
}

fn marked_up(portion: NewPortion, markup_cap_bps: u32) -> NewPortion {
    NewPortion {
        pass_through: Some(PassThrough::MarkedUp { markup_cap_bps }),
        ..portion
    }
}

fn marking_up(portion: NewPortion, base: &str) -> NewPortion {
    NewPortion {
        markup_on: Some(base.to_owned()),
        ..portion
    }
}

#[test]
fn a_price_is_the_quantity_at_the_unit_price() {
    let mut bench = Bench::active();
    let seats = |quantity, price: Option<i64>| NewPortion {
        quantity,
        unit_price: Some(euro(1_250)),
        price: price.map(euro),
        ..portion("seats", 0)
    };
    bench.create(ONE, &[]);
    let refusal = refusal_of(bench.add(ONE, seats(7, Some(8_751))));
    assert_eq!(fields(&refusal), ["portion.price"]);
    assert_eq!(
        refusal.metadata,
        [
            ("price", "87.51 EUR".to_owned()),
            ("product", "87.50 EUR".to_owned())
        ]
    );
    for (quantity, field) in [
        (0, "portion.quantity"),
        (QUANTITY_MAX + 1, "portion.quantity"),
    ] {
        assert_eq!(
            fields(&refusal_of(bench.add(ONE, seats(quantity, None)))),
            [field]
        );
    }
    let huge = NewPortion {
        unit_price: Some(euro(i64::MAX)),
        ..seats(2, None)
    };
    assert_eq!(refusal_of(bench.add(ONE, huge)).reason, Reason::OutOfRange);
    let several = NewPortion {
        quantity: 2,
        ..portion("two", 100)
    };
    let refusal = refusal_of(bench.add(ONE, several));
    assert_eq!(fields(&refusal), ["portion.unit_price"]);
    let unpriced = NewPortion {
        price: None,
        ..portion("free", 0)
    };
    let refusal = refusal_of(bench.add(ONE, unpriced));
    assert_eq!(fields(&refusal), ["portion.price"]);
    bench.add(ONE, seats(7, None)).unwrap();
    assert_eq!(bench.quote().portions[0].price, euro(8_750));
}

#[test]
fn everything_wrong_with_a_portion_is_told_at_once() {
    let mut bench = Bench::active();
    bench.create(ONE, &[]);
    let exchange = CostExchange {
        currency: euro(0).currency,
        rate: ExchangeRate {
            mantissa: 0,
            scale: 13,
        },
        date: CivilDate::new(2026, 3, 2).unwrap(),
        source: String::new(),
    };
    let band = CostBand { from: 5, to: 7 };
    let wrong = NewPortion {
        floor_price: Some(euro(101)),
        minimum_margin_bps: Some(100_001),
        pass_through: Some(PassThrough::MarkedUp {
            markup_cap_bps: 100_001,
        }),
        markup_on: Some("b".to_owned()),
        stake: Some(Stake {
            description: None,
            value: Some(StakeValue::Bps(10_001)),
        }),
        cost_exchange: Some(exchange),
        cost_band: Some(band),
        ..monthly(portion("A", 100), 0)
    };
    let refusal = refusal_of(bench.add(ONE, wrong));
    assert_eq!(refusal.reason, Reason::InvalidField);
    let expected = [
        "portion.portion_id",
        "portion.recurrence.periods",
        "portion.floor_price",
        "portion.pass_through.markup_cap_bps",
        "portion.markup_on",
        "portion.stake.price_bps",
        "portion.minimum_margin_bps",
        "portion.minimum_margin_bps",
        "portion.cost_exchange",
        "portion.cost_exchange",
        "portion.cost_exchange.rate",
        "portion.cost_exchange.source",
        "portion.reveal_cost_band",
    ];
    assert_eq!(fields(&refusal), expected);
    let yen = Money::from_minor(Currency::from_code("JPY").unwrap(), 5);
    let foreign = NewPortion {
        floor_price: Some(yen),
        ..portion("a", -1)
    };
    let refusal = refusal_of(bench.add(ONE, foreign));
    assert_eq!(
        refusal.reason,
        Reason::InvalidField,
        "of several kinds together"
    );
    assert_eq!(
        fields(&refusal),
        [
            "portion.price",
            "portion.floor_price",
            "portion.floor_price"
        ]
    );
}

#[test]
fn markups_are_slices_of_their_own_within_a_cap() {
    let mut bench = Bench::active();
    let base = marked_up(portion("licences", 10_000), 1_500);
    bench
        .create_with(ONE, &[base, portion("own", 100)])
        .unwrap();
    for (base, why) in [
        ("nothing", "no such portion"),
        ("own", "not one that may be marked up"),
    ] {
        let refusal = refusal_of(bench.add(TWO, marking_up(portion("markup", 1), base)));
        assert_eq!(fields(&refusal), ["portion.markup_on"]);
        assert!(refusal.message.contains(why), "{}", refusal.message);
    }
    let own = marking_up(portion("markup", 1), "licences");
    assert!(
        refusal_of(bench.add(ONE, own.clone()))
            .message
            .contains("its own")
    );
    let recurring = monthly(own, 12);
    assert!(
        refusal_of(bench.add(TWO, recurring))
            .message
            .contains("recur")
    );
    bench
        .add(TWO, marking_up(portion("first", 1_000), "licences"))
        .unwrap();
    let refusal = refusal_of(bench.add(TWO, marking_up(portion("second", 501), "licences")));
    assert_eq!(refusal.reason, Reason::MarkupCapExceeded);
    assert_eq!(fields(&refusal), ["portion.price"]);
    assert_eq!(
        refusal.metadata,
        [
            ("portion_id", "licences".to_owned()),
            ("markup_cap_bps", "1500".to_owned())
        ]
    );
    bench
        .add(TWO, marking_up(portion("second", 500), "licences"))
        .unwrap();
    bench.propose(ONE, 1_160, Basis::Price).unwrap();
    super::assert_genuine(&bench);
}

#[test]
fn what_is_passed_through_at_cost_bears_nothing_and_is_not_marked_up() {
    let mut bench = Bench::active();
    let at_cost = NewPortion {
        pass_through: Some(PassThrough::AtCost),
        ..portion("line", 5_000)
    };
    bench
        .create_with(ONE, &[at_cost, portion("work", 1_000)])
        .unwrap();
    let markup = marking_up(portion("markup", 1), "line");
    assert_eq!(
        refusal_of(bench.add(TWO, markup)).reason,
        Reason::InvalidField
    );
    for concession in [1_000, -700] {
        bench.propose(ONE, concession, Basis::Price).unwrap();
        let split = &bench.quote().revisions.last().unwrap().split;
        assert_eq!(super::shares(split), [("line", 0), ("work", concession)]);
    }
    let refusal = refusal_of(bench.propose(ONE, 1_001, Basis::Price));
    assert_eq!(refusal.reason, Reason::ConcessionShortfall);
    let rest = ("shortfall", "0.01 EUR".to_owned());
    assert!(refusal.metadata.contains(&rest), "{refusal:?}");
    super::assert_genuine(&bench);
}

#[test]
fn all_of_it_fits_over_all_periods() {
    let mut bench = Bench::active();
    let price = i64::MAX / 120;
    bench
        .create_with(ONE, &[monthly(portion("a", price), 120)])
        .unwrap();
    let refusal = refusal_of(bench.add(TWO, monthly(portion("b", 10), 120)));
    assert_eq!(refusal.reason, Reason::OutOfRange);
    bench.add(TWO, portion("c", 1)).unwrap();
}

#[test]
fn costs_of_others_count_by_a_stored_rate() {
    let mut bench = Bench::active();
    let rate = ExchangeRate::parse("0.92").unwrap();
    let exchange = CostExchange {
        currency: Currency::from_code("USD").unwrap(),
        rate,
        date: CivilDate::new(2026, 3, 2).unwrap(),
        source: "ECB reference rate".to_owned(),
    };
    let costed = NewPortion {
        internal_cost: Some(commitment("USD 10000")),
        cost_exchange: Some(exchange.clone()),
        cost_band: Some(CostBand::of(9_200)),
        ..portion("a", 12_000)
    };
    bench.create_with(ONE, &[costed]).unwrap();
    let stored = &bench.quote().portions[0];
    assert_eq!(stored.cost_exchange.as_ref(), Some(&exchange));
    bench.propose(ONE, 500, Basis::CostBand).unwrap();
    super::assert_genuine(&bench);
    bench.add(TWO, portion("b", 100)).unwrap();
    let refusal = refusal_of(bench.propose(ONE, 500, Basis::CostBand));
    assert_eq!(refusal.reason, Reason::WeightsInvalid);
    assert_eq!(refusal.metadata, [("portion_ids", "b".to_owned())]);
}
