//! Bookings of a quote of two firms.

use super::*;
use crate::domain::command::Action;
use crate::domain::pricing::settlement::account::{Pair, SettlementAccount};
use crate::domain::pricing::tests::{QUOTE, book, once, quoted, sold};
use crate::domain::tests::{FIRST, SECOND, Scene};

fn booking(scene: &Scene, cadence: Cadence, period: u16) -> &Booking {
    scene.get(&Booking::id_of(QUOTE, cadence, period))
}

#[test]
fn p24_a_period_is_booked_once_whoever_tries() {
    let mut scene = sold();
    scene.go(FIRST, book(Cadence::Monthly, 1, "2000-01-31"));
    for firm in [FIRST, SECOND] {
        let refusal = scene.ask(firm, book(Cadence::Monthly, 1, "2000-01-31"));
        let refusal = refusal.expect_err("it is booked");
        assert_eq!(refusal.reason, Reason::AlreadyBooked);
        assert!(refusal.metadata.contains(&("period", "1".to_owned())));
    }
    scene.go(SECOND, book(Cadence::Monthly, 2, "2000-02-29"));
    scene.go(SECOND, book(Cadence::OneTime, 1, "2000-01-31"));
    let again = scene.reason(FIRST, book(Cadence::OneTime, 1, "2000-03-31"));
    assert_eq!(again, Reason::AlreadyBooked);
    let pair = Pair::of(&PartyId::numbered(2), &PartyId::numbered(1)).expect("two");
    let account: &SettlementAccount =
        scene.get(&pair.account_id(crate::domain::pricing::tests::euro(0).currency));
    assert_eq!(account.pending.len(), 3);
}

#[test]
fn what_is_booked_is_what_was_agreed() {
    let mut scene = sold();
    scene.go(FIRST, book(Cadence::Monthly, 6, "2000-01-31"));
    let booked = &booking(&scene, Cadence::Monthly, 6).booked;
    let numbers = booked.lines.iter();
    let numbers = numbers.map(|line| (line.price_before, line.share.open()));
    assert_eq!(
        numbers.collect::<Vec<_>>(),
        [(10_000, Some(750)), (3_333, Some(250))]
    );
    assert_eq!(
        (booked.borne, booked.concession(|_| None)),
        (None, Some(1_000))
    );
    let quote = crate::domain::pricing::tests::quote(&scene);
    let revision = booked.revision.as_ref().expect("a concession counts");
    assert_eq!(revision.hash, quote.last_hash());
}

#[test]
fn portions_whose_term_is_over_drop_out() {
    let mut scene = sold();
    scene.go(FIRST, book(Cadence::Monthly, 7, "2000-01-31"));
    let lines = &booking(&scene, Cadence::Monthly, 7).booked.lines;
    let ids: Vec<_> = lines.iter().map(|line| line.portion_id.as_str()).collect();
    assert_eq!(ids, ["c"]);
    scene.go(FIRST, book(Cadence::Monthly, 12, "2000-01-31"));
    for (cadence, period) in [
        (Cadence::Monthly, 13),
        (Cadence::Monthly, 0),
        (Cadence::OneTime, 2),
        (Cadence::Yearly, 1),
    ] {
        let refused = scene.reason(FIRST, book(cadence, period, "2000-01-31"));
        assert_eq!(refused, Reason::OutOfRange);
    }
}

#[test]
fn only_what_was_won_is_booked() {
    let mut scene = Scene::shared(None);
    quoted(&mut scene, vec![once("a", 100)], Vec::new());
    let early = scene.reason(FIRST, book(Cadence::OneTime, 1, "2000-01-31"));
    assert_eq!(early, Reason::InvalidState);
    let stranger = scene.reason(SECOND, book(Cadence::OneTime, 1, "2000-01-31"));
    assert_eq!(stranger, Reason::NotAPortionOwner);
}

#[test]
fn the_biller_is_a_party() {
    let mut scene = sold();
    let with = |biller: usize| {
        let Action::BookPeriod(mut asked) = book(Cadence::OneTime, 1, "2000-01-31") else {
            panic!("a booking");
        };
        asked.biller = Some(PartyId::numbered(biller));
        Action::BookPeriod(asked)
    };
    assert_eq!(scene.reason(FIRST, with(9)), Reason::InvalidField);
    scene.go(FIRST, with(2));
    let booked = &booking(&scene, Cadence::OneTime, 1).booked;
    assert_eq!(booked.biller, PartyId::numbered(2));
}

#[test]
fn names_of_bookings_are_read_and_written_alike() {
    for cadence in Cadence::ALL {
        for period in [1, 12, 120] {
            let text = Booking::local_id(cadence, period);
            assert_eq!(Booking::parse_local_id(&text), Some((cadence, period)));
        }
    }
    for bad in [
        "",
        "monthly",
        "monthly-03",
        "one_time-1",
        "daily-1",
        "monthly-+3",
    ] {
        assert_eq!(Booking::parse_local_id(bad), None, "{bad}");
    }
}
