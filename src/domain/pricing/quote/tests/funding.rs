//! Vendors' money, rounds of negotiation, and changes that change no money.

use super::bench::{Bench, ONE, TWO, conceding, euro, portion, refusal_of};
use super::{assert_genuine, once, open};
use crate::domain::outsiders::{OutsideParty, OutsidePartyType};
use crate::domain::pricing::quote::funding::{
    NegotiationRound, VENDOR_MONEY_MAX, VendorMoney, VendorMoneySource,
};
use crate::domain::pricing::quote::{Basis, NewConcession, QuoteChanges, RevisionState};
use crate::domain::record::{Kind, Record};
use crate::domain::refusal::{Reason, Refusal};
use crate::domain::time::{Span, Timestamp};

fn money(vendor: &str, minor: i64) -> VendorMoney {
    VendorMoney {
        source: VendorMoneySource::MarketDevelopment,
        vendor: vendor.to_owned(),
        amount: euro(minor),
    }
}

fn fields(refusal: &Refusal) -> Vec<&str> {
    let violations = refusal.violations.iter();
    violations.map(|it| it.field.as_str()).collect()
}

fn quoted() -> Bench {
    let mut bench = Bench::active();
    let vendor = OutsideParty {
        display_name: "Vendor".to_owned(),
        party_type: OutsidePartyType::Vendor,
    };
    bench.put(
        Kind::OutsideParty,
        "vendor",
        Record::OutsideParty(Box::new(vendor)),
    );
    bench.create(ONE, &[("a", 10_000)]);
    bench.add(TWO, portion("b", 10_000)).unwrap();
    bench
}

#[test]
fn vendors_money_falls_on_no_portion() {
    let mut bench = quoted();
    let asked = NewConcession {
        vendor_money: vec![money("vendor", 400)],
        ..conceding(euro(1_000), Basis::Price)
    };
    bench.propose_all(ONE, asked).unwrap();
    let split = bench.quote().revisions[0].split.clone();
    let once = once(&split);
    assert_eq!(
        (once.concession, once.vendor_money, once.borne()),
        (1_000, 400, 600)
    );
    assert_eq!(once.price_after, 19_000, "what the client pays");
    let lines = open(&split);
    assert_eq!((lines[0].share, lines[1].share), (300, 300));
    assert!(split.adds_up());
    assert_genuine(&bench);
}

#[test]
fn vendors_money_at_fault() {
    let mut bench = quoted();
    let mut propose = |vendor_money: Vec<VendorMoney>| {
        let asked = NewConcession {
            vendor_money,
            ..conceding(euro(1_000), Basis::Price)
        };
        refusal_of(bench.propose_all(ONE, asked))
    };
    let wrong = vec![money("vendor", 0), money("vendor", 1), money("nobody", 1)];
    let refusal = propose(wrong);
    assert_eq!(refusal.reason, Reason::InvalidField);
    let expected = [
        "vendor_money[0].amount",
        "vendor_money[1].outside_party",
        "vendor_money[2].outside_party",
    ];
    assert_eq!(fields(&refusal), expected);
    assert_eq!(
        fields(&propose(vec![money("vendor", 1_001)])),
        ["vendor_money"]
    );
    let many = vec![money("vendor", 1); VENDOR_MONEY_MAX + 1];
    assert_eq!(fields(&propose(many)), ["vendor_money"]);
    let overflow = vec![money("vendor", i64::MAX), money("nobody", 1)];
    assert!(fields(&propose(overflow)).contains(&"vendor_money[1].amount"));
}

#[test]
fn a_round_tells_when_the_client_asked_and_the_partner_was_told() {
    let mut bench = quoted();
    let hour = Span::from_hours(1);
    bench.now = bench.now.saturating_add(Span::from_hours(10));
    let round = |client_asked_at: Timestamp, partner_told_at: Timestamp| NewConcession {
        negotiation_round: Some(NegotiationRound {
            client_asked_at,
            partner_told_at,
        }),
        ..conceding(euro(1_000), Basis::Price)
    };
    let now = bench.now;
    let later = now.saturating_add(hour);
    let refusal = refusal_of(bench.propose_all(ONE, round(later, now)));
    assert_eq!(refusal.reason, Reason::TimesOutOfOrder);
    let refusal = refusal_of(bench.propose_all(ONE, round(now, later)));
    assert_eq!(refusal.reason, Reason::InvalidField);
    assert_eq!(fields(&refusal), ["negotiation_round.partner_tell_time"]);
    bench
        .propose_all(ONE, round(Timestamp::EARLIEST, now))
        .unwrap();
    assert_genuine(&bench);
}

#[test]
fn p17_what_changes_no_money_divides_nothing_anew() {
    let mut bench = quoted();
    bench.propose(ONE, 333, Basis::Price).unwrap();
    bench.approve(TWO).unwrap();
    let before = bench.quote().revisions.clone();
    let named = QuoteChanges {
        display_name: Some("Another name".to_owned()),
        vendor_funds: Some(vec![money("vendor", 5)]),
        ..QuoteChanges::default()
    };
    bench.update(TWO, named.clone()).unwrap();
    assert_eq!(bench.quote().display_name, "Another name");
    assert_eq!(bench.quote().revisions, before);
    assert_eq!(bench.quote().revisions[0].state, RevisionState::Approved);
    assert!(bench.update(TWO, named).unwrap().events.is_empty());
    let until = |at| QuoteChanges {
        expires_at: Some(at),
        ..QuoteChanges::default()
    };
    let later = bench.quote().expires_at.saturating_add(Span::from_hours(1));
    let refusal = refusal_of(bench.update(ONE, until(later)));
    assert_eq!(
        refusal.reason,
        Reason::InvalidState,
        "approved for as long as it said"
    );
    let wrong = QuoteChanges {
        display_name: Some(" ".to_owned()),
        expires_at: Some(bench.now),
        vendor_funds: Some(vec![money("nobody", 1)]),
    };
    let refusal = refusal_of(bench.update(ONE, wrong));
    let expected = [
        "joint_quote.display_name",
        "joint_quote.expire_time",
        "joint_quote.vendor_funds[0].outside_party",
    ];
    assert_eq!(fields(&refusal), expected);

    let mut fresh = quoted();
    fresh.update(TWO, until(later)).unwrap();
    assert_eq!(fresh.quote().expires_at, later);
    fresh.now = later;
    assert_eq!(
        refusal_of(fresh.update(TWO, until(later))).reason,
        Reason::InvalidState
    );
}
