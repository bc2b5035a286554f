//! A quote of two firms that was won, for tests of what comes after a sale.

use super::booking::BookPeriod;
use super::money::{Currency, Money};
use super::quote::portion::{Period, Recurrence};
use super::quote::proposal::RecurringConcession;
use super::quote::sale::{NewReversal, SaleCommand};
use super::quote::sealed::SealedShares;
use super::quote::{Basis, Cadence, Extras, JointQuote, NewConcession, NewPortion, QuoteCommand};
use crate::domain::command::Action;
use crate::domain::identity::PartyId;
use crate::domain::sla::calendar::CivilDate;
use crate::domain::tests::{FIRST, SECOND, Scene, hours};

/// The quote.
pub(super) const QUOTE: &str = "q";

/// A number of cents.
pub(super) fn euro(minor: i64) -> Money {
    Money::from_minor(Currency::from_code("EUR").expect("known"), minor)
}

/// A day.
pub(super) fn day(text: &str) -> CivilDate {
    CivilDate::parse(text).expect("a day")
}

/// Something that is due once.
pub(super) fn once(id: &str, price: i64) -> NewPortion {
    NewPortion::new(id, euro(price))
}

/// Something that is due for so many months.
pub(super) fn monthly(id: &str, price: i64, periods: u16) -> NewPortion {
    let mut portion = once(id, price);
    let period = Period::Month;
    portion.recurrence = Some(Recurrence { period, periods });
    portion
}

/// A quote with these portions of either firm.
pub(super) fn quoted(scene: &mut Scene, first: Vec<NewPortion>, second: Vec<NewPortion>) {
    let create = QuoteCommand::Create {
        id: Some(QUOTE.to_owned()),
        display_name: "Both".to_owned(),
        client: None,
        currency: euro(0).currency,
        expires_at: hours(1_000),
        portions: first,
        vendor_funds: Vec::new(),
        references: None,
    };
    scene.go(FIRST, Action::Quote(create));
    for portion in second {
        let id = QUOTE.to_owned();
        let portion = Box::new(portion);
        scene.go(
            SECOND,
            Action::Quote(QuoteCommand::AddPortion {
                id,
                portion: *portion,
            }),
        );
    }
}

/// A concession by price that the first firm proposes.
pub(super) fn propose(scene: &mut Scene, once: i64, in_a_month: i64) {
    let recurring = RecurringConcession {
        period: Period::Month,
        amount: euro(in_a_month),
    };
    let concession = NewConcession {
        concession: Some(euro(once)),
        recurring: if in_a_month == 0 {
            Vec::new()
        } else {
            vec![recurring]
        },
        basis: Basis::Price,
        ..NewConcession::default()
    };
    let id = QUOTE.to_owned();
    scene.go(
        FIRST,
        Action::Quote(QuoteCommand::ProposeConcession {
            id,
            concession,
            extras: Extras::default(),
        }),
    );
}

/// The same, approved by the second firm.
pub(super) fn conceded(scene: &mut Scene, once: i64, in_a_month: i64) {
    propose(scene, once, in_a_month);
    let id = QUOTE.to_owned();
    let hash = quote(scene).last_hash().to_owned();
    scene.go(
        SECOND,
        Action::Quote(QuoteCommand::ApproveConcession { id, hash }),
    );
}

/// Says that it was won, at the prices agreed and these on top.
pub(super) fn win(scene: &Scene, on_top: i64) -> Action {
    let agreed = quote(scene).agreed();
    let prices = agreed.iter().map(|cadence| {
        let price = cadence.price_after + on_top;
        (cadence.cadence, euro(price))
    });
    Action::Sale(SaleCommand::Win {
        id: QUOTE.to_owned(),
        prices: prices.collect(),
    })
}

/// Takes back a part of the concession that counts.
pub(super) fn reverse(scene: &Scene, cadence: Cadence, amount: i64, date: &str) -> Action {
    Action::Sale(SaleCommand::Reverse(NewReversal {
        id: QUOTE.to_owned(),
        hash: quote(scene).last_hash().to_owned(),
        amounts: vec![(cadence, euro(amount))],
        biller: Some(PartyId::numbered(1)),
        date: Some(day(date)),
        reason: None,
        shares: SealedShares::default(),
    }))
}

/// Books a period that the first party billed.
pub(super) fn book(cadence: Cadence, period: u16, date: &str) -> Action {
    Action::BookPeriod(BookPeriod {
        quote: QUOTE.to_owned(),
        cadence,
        period,
        biller: Some(PartyId::numbered(1)),
        date: Some(day(date)),
        shares: SealedShares::default(),
    })
}

/// The quote.
pub(super) fn quote(scene: &Scene) -> &JointQuote {
    scene.get(QUOTE)
}

/// A quote that was won: once 600.00 and 400.00 less 99.99; in a month 100.00 for a year and 33.33
/// for half a year, less 10.00.
pub(super) fn sold() -> Scene {
    let mut scene = Scene::shared(None);
    let first = vec![once("a", 60_000), monthly("c", 10_000, 12)];
    let second = vec![once("b", 40_000), monthly("d", 3_333, 6)];
    quoted(&mut scene, first, second);
    conceded(&mut scene, 9_999, 1_000);
    let won = win(&scene, 0);
    scene.go(FIRST, won);
    scene
}
