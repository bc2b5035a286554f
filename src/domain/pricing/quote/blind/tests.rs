use super::*;
use crate::domain::identity::{PartyId, ScopeId};
use crate::domain::pricing::division::Rounding;
use crate::domain::pricing::money::Money;
use crate::domain::pricing::quote::QuoteState;
use crate::domain::pricing::quote::disclosure::{Disclosure, disclosed, exposed};
use crate::domain::time::Timestamp;

fn euro() -> Currency {
    Currency::from_code("EUR").unwrap()
}

fn opening(cost: i64, salt: u8) -> Opening {
    let text = cost::to_text(&Money::from_minor(euro(), cost));
    let nobody = Readers::Parties(vec![]);
    Opening::seal(cost::LABEL, &text, [salt; SALT_BYTES], nobody)
}

fn portion(id: &str, party: usize, price: i64, cost: Option<&Opening>) -> Portion {
    Portion {
        id: id.to_owned(),
        owner: PartyId::numbered(party),
        description: None,
        quantity: 1,
        unit_price: None,
        price: Money::from_minor(euro(), price),
        recurrence: None,
        floor_price: None,
        minimum_margin_bps: None,
        pass_through: None,
        markup_on: None,
        stake: None,
        internal_cost: cost.map(|cost| cost.commitment.clone()),
        cost_exchange: None,
        cost_band: None,
    }
}

fn quote(portions: Vec<Portion>) -> JointQuote {
    JointQuote {
        display_name: "Both".to_owned(),
        client: None,
        currency: euro(),
        expires_at: Timestamp::EARLIEST,
        state: QuoteState::Open,
        portions,
        vendor_funds: Vec::new(),
        revisions: Vec::new(),
        disclosure_consents: Vec::new(),
        evaluations: Vec::new(),
        sale: crate::domain::pricing::quote::sale::Sale::default(),
    }
}

fn proposal(minor: i64, basis: Basis) -> Proposal {
    Proposal {
        concession: Money::from_minor(euro(), minor),
        recurring: Vec::new(),
        basis,
        rounding: Rounding::LargestRemainder,
        shortfall_policy: ShortfallPolicy::Reject,
        negotiation_round: None,
        vendor_money: Vec::new(),
        terms_revision: None,
        limits: None,
        owed: None,
    }
}

fn place(scope: &ScopeId) -> RevisionPlace<'_> {
    RevisionPlace {
        scope,
        quote: "q",
        number: 1,
        previous_hash: "",
    }
}

#[test]
fn costs_come_of_genuine_openings_alone() {
    let (first, second) = (opening(400, 1), opening(600, 2));
    let portions = [
        portion("a", 1, 500, Some(&first)),
        portion("b", 2, 700, Some(&second)),
    ];
    let both = [first.clone(), second.clone()];
    let found = costs(&Basis::Cost, &portions, euro(), &both).unwrap();
    assert_eq!(found["a"] + found["b"], 1_000);
    let forged = Opening {
        value: "EUR 1".to_owned(),
        ..second.clone()
    };
    let other_label = Opening {
        label: "reason".to_owned(),
        ..second.clone()
    };
    for wrong in [
        vec![first.clone()],
        vec![first.clone(), forged],
        vec![first, other_label],
    ] {
        let fault = costs(&Basis::Cost, &portions, euro(), &wrong).unwrap_err();
        let closed = CostFault::Closed(vec![("b".to_owned(), second.commitment.clone())]);
        assert_eq!(fault, closed);
    }
    // By price, and without floors that follow from costs, none is needed.
    assert_eq!(
        costs(&Basis::Price, &portions, euro(), &[]),
        Ok(Costs::new())
    );
    let without = [portion("c", 1, 500, None)];
    let fault = costs(&Basis::Margin, &without, euro(), &[]).unwrap_err();
    assert_eq!(fault, CostFault::NotStated(vec!["c".to_owned()]));
}

#[test]
fn floors_that_follow_from_costs_are_rounded_up() {
    assert_eq!(derived_floor(1_001, 1_000), 1_102);
    assert_eq!(derived_floor(1_000, 1_000), 1_100);
    assert_eq!(derived_floor(0, 1_000), 0);
    assert_eq!(derived_floor(u64::MAX, 100_000), u64::MAX);
    let cost = opening(1_001, 1);
    let portion = Portion {
        minimum_margin_bps: Some(1_000),
        floor_price: Some(Money::from_minor(euro(), 900)),
        ..portion("a", 1, 1_100, Some(&cost))
    };
    assert!(is_blind(&Basis::Price, std::slice::from_ref(&portion)));
    let costs = Costs::from([("a".to_owned(), 1_001)]);
    // Above the price it leaves no room.
    assert_eq!(slice(&portion, &costs).floor, 1_100);
    assert_eq!(slice(&portion, &Costs::new()).floor, 900);
}

#[test]
fn sealed_lines_are_divided_again_and_compared() {
    let (first, second) = (opening(400, 1), opening(600, 2));
    let quote = quote(vec![
        portion("a", 1, 5_000, Some(&first)),
        portion("b", 2, 7_000, Some(&second)),
    ]);
    let scope = ScopeId::partnership("p");
    let known = Costs::from([("a".to_owned(), 400), ("b".to_owned(), 600)]);
    let salts = [[7; SALT_BYTES], [8; SALT_BYTES]];
    let proposal = proposal(1_000, Basis::Cost);
    let (split, openings) = divide(place(&scope), &quote, proposal, &known, &salts).unwrap();
    assert!(split.lines().all(|line| line.open().is_none()));
    let owners: Vec<&Readers> = openings.iter().map(|opening| &opening.readers).collect();
    let of = |number| Readers::Parties(vec![PartyId::numbered(number)]);
    assert_eq!(owners, [&of(1), &of(2)]);
    let read = |commitment: &Commitment| {
        let mut openings = openings.iter();
        let found = openings.find(|opening| opening.commitment == *commitment);
        found.map(|found| found.value.clone())
    };
    let portions = &quote.portions;
    let genuine = split.is_genuine_by(place(&scope), portions, &known, read);
    assert_eq!(genuine, Some(true));
    let other = Costs::from([("a".to_owned(), 500), ("b".to_owned(), 500)]);
    let genuine = split.is_genuine_by(place(&scope), portions, &other, read);
    assert_eq!(genuine, Some(false));
    assert_eq!(
        split.is_genuine_by(place(&scope), portions, &known, |_| None),
        None
    );
    // Without a salt for each portion nothing is sealed.
    let proposal = split.proposal.clone();
    let refusal = divide(place(&scope), &quote, proposal, &known, &salts[..1]).unwrap_err();
    assert!(needs_costs(&refusal));
}

#[test]
fn who_learns_what() {
    let cost = opening(1, 1);
    let plain = |id: &str, party| portion(id, party, 100, Some(&cost));
    let floored = |id: &str, party| Portion {
        minimum_margin_bps: Some(0),
        ..plain(id, party)
    };
    let party = PartyId::numbered;
    let (first, second, third) = (party(1), party(2), party(3));
    let two = [plain("a", 1), plain("b", 2)];
    assert_eq!(exposed(&Basis::Cost, &two), [&first, &second]);
    assert!(exposed(&Basis::Price, &two).is_empty());
    let learns = |basis, portions: &[Portion], observer, subject| {
        disclosed(&basis, portions, observer, subject)
    };
    assert_eq!(
        learns(Basis::Margin, &two, &first, &second),
        Disclosure::Exact
    );
    // Whoever bears nothing sees totals alone.
    assert_eq!(
        learns(Basis::Cost, &two, &third, &first),
        Disclosure::Nothing
    );
    let three = [plain("a", 1), plain("b", 2), plain("c", 3)];
    assert!(exposed(&Basis::Cost, &three).is_empty());
    assert_eq!(
        learns(Basis::Cost, &three, &first, &third),
        Disclosure::SumOfOthers
    );
    // A floor of one or of two parties among three is found by asking how much can be conceded.
    let one_floor = [floored("a", 1), plain("b", 2), plain("c", 3)];
    assert_eq!(exposed(&Basis::Price, &one_floor), [&first]);
    assert_eq!(
        learns(Basis::Price, &one_floor, &third, &first),
        Disclosure::Exact
    );
    let two_floors = [floored("a", 1), floored("b", 2), plain("c", 3)];
    assert_eq!(exposed(&Basis::Price, &two_floors), [&first, &second]);
    assert_eq!(
        learns(Basis::Price, &two_floors, &third, &first),
        Disclosure::SumOfOthers
    );
    let floors = [floored("a", 1), floored("b", 2), floored("c", 3)];
    assert!(exposed(&Basis::Price, &floors).is_empty());
}
