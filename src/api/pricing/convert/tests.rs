//! Tests of joint quotes as the contract shows them.

use super::portion::to_portion;
use super::split::to_share;
use super::*;
use crate::api::pricing::explain::{lines, revision};
use crate::api::text::Texts;
use crate::domain::aggregate::{Aggregate, Recorded};
use crate::domain::identity::{FirmId, PartyId, ScopeId};
use crate::domain::pricing::division::Rounding;
use crate::domain::pricing::money::Currency;
use crate::domain::pricing::quote::proposal::{Proposal, ShortfallPolicy};
use crate::domain::pricing::quote::split::RevisionPlace;
use crate::domain::pricing::quote::{
    ConcessionProposed, ConcessionSplit, JointQuoteEvent, QuoteCreated, cost,
};
use crate::domain::refusal::Reason;
use crate::domain::time::{Span, Timestamp};

fn yen(minor: i64) -> Money {
    Money::from_minor(Currency::from_code("JPY").unwrap(), minor)
}

fn portion(id: &str, party: usize, price: i64) -> Portion {
    let cost = Commitment::of(cost::LABEL, "JPY 70", &[1; 16]);
    Portion {
        id: id.to_owned(),
        owner: PartyId::numbered(party),
        description: None,
        quantity: 1,
        unit_price: None,
        price: yen(price),
        recurrence: None,
        floor_price: None,
        minimum_margin_bps: None,
        pass_through: None,
        markup_on: None,
        stake: None,
        internal_cost: (party == 1).then_some(cost),
        cost_exchange: None,
        cost_band: None,
    }
}

fn recorded() -> Recorded {
    Recorded {
        sequence: 1,
        at: Timestamp::EARLIEST,
        firm: FirmId::parse("acme"),
        actor: "key".to_owned(),
    }
}

/// A quote over two parties' portions, with one concession proposed.
fn quote(concession: i64, basis: Basis) -> JointQuote {
    let ends = Timestamp::EARLIEST.saturating_add(Span::from_hours(48));
    let portions = vec![portion("cloud", 1, 800), portion("wiring", 2, 200)];
    let created = JointQuoteEvent::Created(QuoteCreated {
        display_name: "Office".to_owned(),
        client: None,
        currency: yen(0).currency,
        expires_at: ends,
        portions: portions.clone(),
        vendor_funds: Vec::new(),
    });
    let quote = JointQuote::apply(None, &created, &recorded()).unwrap();
    let place = RevisionPlace {
        scope: &ScopeId::partnership("p1"),
        quote: "q1",
        number: 1,
        previous_hash: quote.last_hash(),
    };
    let portions: Vec<&Portion> = portions.iter().collect();
    let proposal = Proposal {
        concession: yen(concession),
        recurring: Vec::new(),
        basis,
        rounding: Rounding::LargestRemainder,
        shortfall_policy: ShortfallPolicy::Reject,
        negotiation_round: None,
        vendor_money: Vec::new(),
        terms_revision: None,
        limits: None,
        owed: None,
    };
    let split = ConcessionSplit::new(place, &portions, proposal).unwrap();
    let proposed = JointQuoteEvent::ConcessionProposed(Box::new(ConcessionProposed {
        proposer: PartyId::numbered(1),
        split,
        expires_at: Timestamp::EARLIEST.saturating_add(Span::from_hours(24)),
        state: RevisionState::Proposed,
        superseded: Vec::new(),
        agreed_beforehand: Vec::new(),
    }));
    JointQuote::apply(Some(quote), &proposed, &recorded()).unwrap()
}

fn fixed_shares() -> Basis {
    let shares = [(1, 7_500), (2, 2_500)].map(|(party, share_bps)| PartyShare {
        party: PartyId::numbered(party),
        share_bps,
    });
    Basis::FixedBps(shares.to_vec())
}

#[test]
fn the_other_party_sees_that_there_is_a_cost_but_not_which() {
    let texts = Texts::default();
    let portions = quote(99, Basis::Price).portions;
    let other = to_portion(&portions[0], &PartyId::numbered(2), &texts);
    assert_eq!(other.internal_cost, None);
    assert!(other.cost_sealed);
    assert_eq!(other.cost_commitment.len(), 64);
    let without = to_portion(&portions[1], &PartyId::numbered(2), &texts);
    assert!(!without.cost_sealed && without.cost_commitment.is_empty());
}

#[test]
fn amounts_have_the_exponent_of_the_quote() {
    let quote = quote(99, Basis::Price);
    let line = quote.revisions[0].split.line("cloud").unwrap();
    let share = to_share(line, &quote);
    let after = share.price_after.unwrap();
    assert_eq!(
        (after.currency_code.as_str(), after.units, after.nanos),
        ("JPY", 721, 0)
    );
    assert_eq!((share.weight, share.room.unwrap().units), (800, 800));
    assert_eq!(share.total_share.unwrap().units, 79);
    let step = &lines(&quote, &quote.revisions[0]).unwrap()[0].steps[0];
    assert_eq!((step.weight, step.weight_total), (800, 1_000));
    assert_eq!((step.exact_floor_minor_units, step.remainder), (79, 200));
    assert_eq!((step.remainder_rank, step.spare_unit), (2, false));
}

#[test]
fn fixed_shares_are_shown_and_explained_in_both_steps() {
    let quote = quote(99, fixed_shares());
    let lines = lines(&quote, &quote.revisions[0]).unwrap();
    assert_eq!(lines.len(), 2);
    let [first, second] = &lines[0].steps[..] else {
        panic!("two steps")
    };
    assert_eq!(first.phase(), v1::DivisionPhase::Owners);
    assert_eq!((first.weight, first.weight_total), (7_500, 10_000));
    assert_eq!(first.share.as_ref().unwrap().units, 74);
    assert_eq!(second.phase(), v1::DivisionPhase::Slices);
    let sentence = &lines[0].sentence;
    assert!(
        sentence.contains("party-1") && sentence.contains("7,500"),
        "{sentence}"
    );
    assert!(sentence.contains("cloud bears 74 JPY"), "{sentence}");
    assert_eq!(lines[1].share.as_ref().unwrap().portion_id, "wiring");
}

#[test]
fn revisions_are_found_by_number() {
    let quote = quote(99, Basis::Price);
    assert_eq!(revision(&quote, 0).unwrap().split.number, 1);
    assert_eq!(revision(&quote, 1).unwrap().split.number, 1);
    for none in [2, -1, i64::MAX] {
        assert_eq!(
            revision(&quote, none).unwrap_err().reason,
            Reason::OutOfRange,
            "{none}"
        );
    }
}

#[test]
fn every_state_is_shown() {
    let shown = [
        (RevisionState::Proposed, v1::ConcessionState::Proposed),
        (RevisionState::Asserted, v1::ConcessionState::Asserted),
        (RevisionState::Approved, v1::ConcessionState::Approved),
        (RevisionState::Rejected, v1::ConcessionState::Rejected),
        (RevisionState::Withdrawn, v1::ConcessionState::Withdrawn),
        (RevisionState::Expired, v1::ConcessionState::Expired),
        (RevisionState::Superseded, v1::ConcessionState::Superseded),
    ];
    for (state, expected) in shown {
        assert_eq!(to_state(state), expected);
    }
}
