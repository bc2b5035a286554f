//! Which quotes count, and with what.

use super::*;
use crate::domain::aggregate::By;
use crate::domain::commitment::Commitment;
use crate::domain::identity::FirmId;
use crate::domain::partnership::Approval;
use crate::domain::pricing::division::Rounding;
use crate::domain::pricing::money::Money;
use crate::domain::pricing::quote::portion::{Period, Recurrence};
use crate::domain::pricing::quote::proposal::ShortfallPolicy;
use crate::domain::pricing::quote::sale::{
    ConcessionReversed, Reversal, ReversedCadence, ReversedLine, Sale,
};
use crate::domain::pricing::quote::sealed::Amount;
use crate::domain::pricing::quote::{
    Cadence, CadenceSplit, ConcessionSplit, OpenLine, Outcome, Proposal, RevisionState,
};
use crate::domain::sla::calendar::CivilDate;

const APPROVED: i64 = 1_700_000_000_000_000;

fn at(micros: i64) -> Timestamp {
    Timestamp::from_micros(micros)
}

fn portion(id: &str, owner: &str, price: i64, currency: Currency) -> Portion {
    let money = serde_json::to_value(Money::from_minor(currency, price)).unwrap();
    let portion = serde_json::json!({
        "id": id, "owner": owner, "description": null, "quantity": 1, "price": money,
        "internal_cost": null,
    });
    serde_json::from_value(portion).unwrap()
}

fn line(portion: &Portion, share: i64) -> Line {
    let price = portion.price.minor;
    Line {
        portion_id: portion.id.clone(),
        owner: portion.owner.clone(),
        outcome: Outcome::Open(OpenLine {
            weight: 1,
            room: 1,
            within_floor: share,
            beyond_floor: 0,
            share,
            price_before: price,
            price_after: price - share,
            is_at_floor: share > 90,
        }),
    }
}

/// A quote of two parties, at 1,000 each, with a concession in force.
fn quote(currency: Currency, shares: [i64; 2]) -> JointQuote {
    let portions = vec![
        portion("a", "acme", 1_000, currency),
        portion("b", "bolt", 1_000, currency),
    ];
    let lines = portions
        .iter()
        .zip(shares)
        .map(|(portion, share)| line(portion, share));
    let concession = shares.iter().sum();
    let cadence = CadenceSplit {
        cadence: Cadence::OneTime,
        concession,
        vendor_money: 0,
        lines: lines.collect(),
        carried: Vec::new(),
        shortfall: 0,
        price_before: 2_000,
        price_after: 2_000 - concession,
    };
    let proposal = Proposal {
        concession: Money::from_minor(currency, concession),
        recurring: Vec::new(),
        basis: Basis::Price,
        rounding: Rounding::LargestRemainder,
        shortfall_policy: ShortfallPolicy::Reject,
        negotiation_round: None,
        vendor_money: Vec::new(),
        terms_revision: None,
        limits: None,
        owed: None,
    };
    let approval = Approval {
        party: party("bolt"),
        firm: None,
        at: at(APPROVED),
        actor: String::new(),
    };
    let revision = ConcessionRevision {
        split: ConcessionSplit {
            number: 1,
            proposal,
            cadences: vec![cadence],
            previous_hash: String::new(),
            hash: String::new(),
            engine_version: 1,
        },
        proposer: party("acme"),
        proposed_at: at(APPROVED - 1),
        expires_at: at(APPROVED + 1),
        state: RevisionState::Approved,
        approvals: vec![approval],
        agreed_beforehand: Vec::new(),
        rejection: None,
        signatures: Vec::new(),
    };
    JointQuote {
        display_name: String::new(),
        client: None,
        currency,
        expires_at: at(APPROVED + 1),
        state: QuoteState::Won,
        portions,
        vendor_funds: Vec::new(),
        revisions: vec![revision],
        sale: Sale::default(),
        disclosure_consents: Vec::new(),
        evaluations: Vec::new(),
    }
}

fn tally(quotes: &[JointQuote], window: Window) -> Tally {
    let mut tally = Tally::default();
    for quote in quotes {
        tally.add(quote, &window, |_| true, looking(&party("cole")));
    }
    tally
}

/// Whoever looks may read nothing that is sealed.
fn looking(party: &PartyId) -> Looking<'_> {
    Looking {
        party,
        read: &|_| None,
    }
}

fn absorbed(burdens: &Burdens) -> Vec<i128> {
    burdens
        .parties
        .values()
        .map(|burden| burden.absorbed)
        .collect()
}

#[test]
fn p18_only_what_was_approved_counts_and_what_was_won_apart() {
    let mut open = quote(euro(), [30, 10]);
    open.state = QuoteState::Open;
    let mut waiting = quote(euro(), [500, 500]);
    waiting.revisions[0].state = RevisionState::Proposed;
    let quotes = [
        quote(euro(), [70, 30]),
        quote(euro(), [80, 100]),
        open,
        waiting,
    ];
    let tally = tally(&quotes, Window::default());
    let groups: Vec<(bool, u64)> = tally
        .0
        .iter()
        .map(|(group, all)| (group.is_won, all.quotes))
        .collect();
    assert_eq!(groups, [(false, 1), (true, 2)]);
    let won = tally.0.values().next_back().unwrap();
    assert_eq!(absorbed(won), [150, 130]);
    let acme = &won.parties[&party("acme")];
    assert_eq!(
        (acme.base, acme.proposed, acme.at_floor, acme.quotes),
        (2_000, 2, 0, 2)
    );
    let bolt = &won.parties[&party("bolt")];
    assert_eq!((bolt.proposed, bolt.at_floor), (0, 1));
    assert_eq!(indices(won), [Some(10_714), Some(9_286)]);
}

#[test]
fn p19_currencies_are_counted_apart() {
    let yen = Currency::from_code("JPY").unwrap();
    let tally = tally(
        &[quote(euro(), [70, 30]), quote(yen, [1, 2])],
        Window::default(),
    );
    let all: Vec<(String, Vec<i128>)> = tally
        .0
        .iter()
        .map(|(group, all)| (group.currency.to_string(), absorbed(all)))
        .collect();
    assert_eq!(
        all,
        [
            ("EUR".to_owned(), vec![70, 30]),
            ("JPY".to_owned(), vec![1, 2])
        ]
    );
}

/// So much taken back at once.
fn reversal(amount: i64, lines: Vec<ReversedLine>) -> Reversal {
    Reversal {
        reversed: ConcessionReversed {
            party: party("acme"),
            number: 1,
            revision: 1,
            hash: String::new(),
            biller: party("acme"),
            date: CivilDate::new(2026, 3, 2).unwrap(),
            reason: None,
            cadences: vec![ReversedCadence {
                cadence: Cadence::OneTime,
                amount,
                lines,
            }],
        },
        by: By {
            party: party("acme"),
            firm: FirmId::parse("acme").unwrap(),
            at: at(APPROVED),
        },
    }
}

#[test]
fn p21_a_credit_lowers_what_was_absorbed() {
    let mut credited = quote(euro(), [70, 30]);
    let line = |(portion, amount): (&Portion, i64)| ReversedLine {
        portion_id: portion.id.clone(),
        owner: portion.owner.clone(),
        amount: Amount::Open(amount),
    };
    let lines = credited.portions.iter().zip([35, 15]).map(line).collect();
    credited.sale.reversals.push(reversal(50, lines));
    let tally = tally(&[credited], Window::default());
    assert_eq!(absorbed(tally.0.values().next().unwrap()), [35, 15]);
}

#[test]
fn what_is_sealed_at_cost_or_at_another_time_is_left_out() {
    let mut sealed = quote(euro(), [70, 30]);
    let commitment = Commitment::from_text(&"0".repeat(64));
    sealed.revisions[0].split.cadences[0].lines[0].outcome = Outcome::Sealed(commitment);
    let mut at_cost = quote(euro(), [70, 0]);
    at_cost.portions[1].pass_through = Some(PassThrough::AtCost);
    let all = tally(&[sealed, at_cost.clone()], Window::default());
    let burdens = all.0.values().next().unwrap();
    assert_eq!((burdens.quotes, burdens.sealed), (1, 1));
    assert_eq!(burdens.parties[&party("bolt")].base, 0);
    assert_eq!(indices(burdens), [Some(10_000), None]);
    let within = |from, to| {
        let window = Window {
            from: Some(at(from)),
            to: Some(at(to)),
        };
        tally(std::slice::from_ref(&at_cost), window).0.len()
    };
    assert_eq!(within(APPROVED, APPROVED + 1), 1);
    assert_eq!(within(APPROVED + 1, APPROVED + 2), 0);
    assert_eq!(within(APPROVED - 1, APPROVED), 0);
    let mut by_bands = Tally::default();
    let is_wanted = |basis: &Basis| *basis == Basis::CostBand;
    by_bands.add(
        &at_cost,
        &Window::default(),
        is_wanted,
        looking(&party("acme")),
    );
    assert_eq!(by_bands, Tally::default());
}

/// The same with every line sealed, and the text of the line of `owner`.
fn sealed(mut quote: JointQuote, owner: &str) -> (JointQuote, Commitment, String) {
    let mut own = None;
    let split = &mut quote.revisions[0].split;
    let lines = split.cadences.iter_mut();
    for line in lines.flat_map(|cadence| &mut cadence.lines) {
        let text = serde_json::to_string(line.open().unwrap()).unwrap();
        let commitment = Commitment::of("line", &text, &[1; 16]);
        line.outcome = Outcome::Sealed(commitment.clone());
        if line.owner == party(owner) {
            own = Some((commitment, text));
        }
    }
    let (commitment, text) = own.unwrap();
    (quote, commitment, text)
}

/// What an owner counts of a quote in which it may read its own line, and `more`.
fn counted_by(owner: &str, quote: JointQuote, more: Option<(Commitment, String)>) -> Burdens {
    let (quote, commitment, text) = sealed(quote, owner);
    let known = more.into_iter().chain([(commitment, text)]);
    let known: BTreeMap<Commitment, String> = known.collect();
    let mut tally = Tally::default();
    let looking = Looking {
        party: &party(owner),
        read: &|commitment| known.get(commitment).cloned(),
    };
    tally.add(&quote, &Window::default(), |_| true, looking);
    tally.0.into_values().next().unwrap()
}

#[test]
fn the_other_of_two_is_counted_by_the_sum_less_ones_own() {
    for owner in ["acme", "bolt"] {
        let burdens = counted_by(owner, quote(euro(), [70, 30]), None);
        assert_eq!((burdens.quotes, burdens.sealed), (1, 0));
        assert_eq!(absorbed(&burdens), [70, 30]);
        assert_eq!(burdens.together, Together::default());
    }
    // What was taken back is known in the same way.
    let mut credited = quote(euro(), [70, 30]);
    let text = "35".to_owned();
    let commitment = Commitment::of("reversal.share", &text, &[2; 16]);
    let hidden = Commitment::of("reversal.share", "15", &[3; 16]);
    let portions = credited.portions.iter();
    let lines = portions.zip([commitment.clone(), hidden]);
    let lines = lines.map(|(portion, amount)| ReversedLine {
        portion_id: portion.id.clone(),
        owner: portion.owner.clone(),
        amount: Amount::Sealed(amount),
    });
    let lines = lines.collect();
    credited.sale.reversals.push(reversal(50, lines));
    let burdens = counted_by("acme", credited.clone(), Some((commitment, text)));
    assert_eq!(absorbed(&burdens), [35, 15]);
    // Without its own there is nothing to go by.
    let burdens = counted_by("acme", credited, None);
    assert_eq!((burdens.quotes, burdens.sealed), (0, 1));
}

/// With a third party's portion of 2,000, which bears 20.
fn of_three() -> JointQuote {
    let mut quote = quote(euro(), [70, 30]);
    let third = portion("c", "cole", 2_000, euro());
    let split = &mut quote.revisions[0].split.cadences[0];
    split.lines.push(line(&third, 20));
    split.concession += 20;
    quote.portions.push(third);
    quote
}

#[test]
fn of_three_the_others_are_one_sum() {
    let burdens = counted_by("cole", of_three(), None);
    assert_eq!((burdens.quotes, burdens.sealed), (0, 0));
    assert!(burdens.parties.is_empty());
    let together = &burdens.together;
    assert_eq!((together.quotes, together.own.absorbed), (1, 20));
    assert_eq!(
        (together.others.base, together.others.absorbed),
        (2_000, 100)
    );
    // A sixth of what was conceded, with half of what was sold.
    assert_eq!(together.index_bps(), Ok(Some(3_333)));
    let mut twice = burdens.clone();
    twice.take(&burdens);
    assert_eq!(
        (twice.together.quotes, twice.together.others.absorbed),
        (2, 200)
    );
}

#[test]
fn where_terms_differ_the_sum_of_each_time_is_not_enough() {
    let mut quote = of_three();
    for (portion, periods) in quote.portions.iter_mut().zip([12, 12, 6]) {
        let period = Period::Month;
        portion.recurrence = Some(Recurrence { period, periods });
    }
    let cole = counted_by("cole", quote.clone(), None);
    assert_eq!(
        (cole.together.own.absorbed, cole.together.others.absorbed),
        (120, 1_200)
    );
    let acme = counted_by("acme", quote, None);
    assert_eq!((acme.together.quotes, acme.sealed), (0, 1));
}
