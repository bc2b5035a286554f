//! What joint quotes tell: nothing that any of their parties could not read itself.

use super::*;
use crate::domain::checkup::observe::testing::{intensity, level, look};
use crate::domain::command::Action;
use crate::domain::pricing::money::{Currency, Money};
use crate::domain::pricing::quote::sale::{SaleCommand, SaleReason};
use crate::domain::pricing::quote::{
    Basis, Cadence, Extras, NegotiationRound, NewConcession, NewPortion, QuoteCommand,
};
use crate::domain::record::Record;
use crate::domain::tests::{FIRST, SECOND, Scene, hours, sealed, start};

fn euros(minor: i64) -> Money {
    Money::from_minor(Currency::from_code("EUR").expect("known"), minor)
}

fn passed_on(pass_through: PassThrough) -> NewPortion {
    NewPortion {
        owner: Some(PartyId::numbered(1)),
        pass_through: Some(pass_through),
        ..NewPortion::new("licences", euros(10_000))
    }
}

fn create(id: &str, portions: Vec<NewPortion>) -> Action {
    Action::Quote(QuoteCommand::Create {
        id: Some(id.to_owned()),
        display_name: id.to_owned(),
        client: None,
        currency: euros(0).currency,
        expires_at: hours(48),
        portions,
        vendor_funds: Vec::new(),
        references: None,
    })
}

fn add(id: &str, portion: NewPortion) -> Action {
    Action::Quote(QuoteCommand::AddPortion {
        id: id.to_owned(),
        portion,
    })
}

fn lose(id: &str) -> Action {
    Action::Sale(SaleCommand::Lose {
        id: id.to_owned(),
        reason: SaleReason::Price,
        words: None,
    })
}

fn win(id: &str, minor: i64) -> Action {
    Action::Sale(SaleCommand::Win {
        id: id.to_owned(),
        prices: vec![(Cadence::OneTime, euros(minor))],
    })
}

fn quote(scene: &Scene, id: &str) -> Record {
    Record::JointQuote(Box::new(scene.get::<JointQuote>(id).clone()))
}

/// A quote to which either party brings a portion of the same price.
fn both(scene: &mut Scene, id: &str) {
    let mine = NewPortion::new("mine", euros(500));
    let theirs = NewPortion::new("theirs", euros(500));
    scene.go(FIRST, create(id, vec![mine]));
    scene.go(SECOND, add(id, theirs));
}

#[test]
fn quotes_that_come_to_nothing() {
    let measure = Measure::QuotesNotWon;
    let mut scene = Scene::shared(None);
    for id in ["won", "lost", "open"] {
        both(&mut scene, id);
    }
    scene.go(FIRST, win("won", 1_000)).go(SECOND, lose("lost"));
    let of = |scene: &Scene, ids: &[&str]| {
        let records: Vec<_> = ids.iter().map(|id| quote(scene, id)).collect();
        look(scene, &records)
    };
    let report = of(&scene, &["won"; 4]);
    assert_eq!(intensity(&report, 1, measure), Some(0));
    let report = of(&scene, &["lost"; 4]);
    for party in [1, 2] {
        assert_eq!(intensity(&report, party, measure), Some(4));
    }
    assert_eq!(level(&of(&scene, &["open"]), 1, measure), None);
    scene.wait(72);
    let report = of(&scene, &["open"]);
    assert_eq!(level(&report, 2, measure), Some(10_000), "it ran out");
    let mut grown = Vec::new();
    for bad in 0..10 {
        let mut ids = vec!["won"; 2];
        ids.extend(vec!["lost"; bad]);
        grown.push(intensity(&of(&scene, &ids), 1, measure));
    }
    assert!(grown.is_sorted(), "{grown:?}");
}

#[test]
fn passing_on_at_cost_or_with_a_markup() {
    let measure = Measure::PassThroughMarkedUp;
    let mut scene = Scene::shared(None);
    let cap = PassThrough::MarkedUp {
        markup_cap_bps: 2_000,
    };
    scene.go(FIRST, create("cost", vec![passed_on(PassThrough::AtCost)]));
    scene.go(FIRST, create("marked", vec![passed_on(cap)]));
    let markup = NewPortion {
        markup_on: Some("licences".to_owned()),
        ..NewPortion::new("handling", euros(1_500))
    };
    scene.go(SECOND, add("marked", markup));
    scene.go(FIRST, lose("cost")).go(FIRST, lose("marked"));
    let of = |ids: &[&str]| {
        let records: Vec<_> = ids.iter().map(|id| quote(&scene, id)).collect();
        look(&scene, &records)
    };
    let report = of(&["cost"; 4]);
    assert_eq!(intensity(&report, 1, measure), Some(0));
    assert_eq!(level(&report, 2, measure), None, "it passes nothing on");
    assert_eq!(level(&report, 2, Measure::MarkupOfCap), None);
    let report = of(&["marked"; 4]);
    assert_eq!(intensity(&report, 1, measure), Some(4));
    // 15 % of the 20 % that are allowed, by whoever marks up.
    assert_eq!(level(&report, 2, Measure::MarkupOfCap), Some(7_500));
    assert_eq!(intensity(&report, 2, Measure::MarkupOfCap), Some(1));
    assert_eq!(level(&report, 1, Measure::MarkupOfCap), None);
    let mut grown = Vec::new();
    for bad in 0..10 {
        let mut ids = vec!["cost"; 3];
        ids.extend(vec!["marked"; bad]);
        grown.push(intensity(&of(&ids), 1, measure));
    }
    assert!(grown.is_sorted(), "{grown:?}");
}

#[test]
fn a_partner_that_is_told_late() {
    let measure = Measure::TimeToTellPartner;
    let mut scene = Scene::shared(None);
    both(&mut scene, "quote");
    scene.wait(30);
    let propose = |minor, waited| {
        Action::Quote(QuoteCommand::ProposeConcession {
            id: "quote".to_owned(),
            concession: NewConcession {
                concession: Some(euros(minor)),
                basis: Basis::Price,
                negotiation_round: Some(NegotiationRound {
                    client_asked_at: start(),
                    partner_told_at: hours(waited),
                }),
                ..NewConcession::default()
            },
            extras: Extras::default(),
        })
    };
    for (minor, waited) in [(10, 1), (20, 1), (30, 25), (40, 26), (50, 27)] {
        scene.go(FIRST, propose(minor, waited));
    }
    let report = look(&scene, &[quote(&scene, "quote")]);
    let day_and_hour = 25 * 3_600;
    assert_eq!(level(&report, 1, measure), Some(day_and_hour));
    assert_eq!(intensity(&report, 1, measure), Some(2));
    assert_eq!(level(&report, 2, measure), None);
}

/// Only what the other party may read as well is looked at.
#[test]
fn p20_a_sealed_cost_changes_nothing() {
    let mut figures = Vec::new();
    for cost in [None, Some(sealed("7")), Some(sealed("900"))] {
        let mut scene = Scene::shared(None);
        let own = NewPortion {
            internal_cost: cost,
            ..passed_on(PassThrough::AtCost)
        };
        scene.go(FIRST, create("quote", vec![own]));
        scene.go(FIRST, lose("quote"));
        figures.push(look(&scene, &[quote(&scene, "quote")]));
    }
    assert_eq!(figures[0], figures[1]);
    assert_eq!(figures[1], figures[2]);
}
