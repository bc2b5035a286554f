//! What is asked before a sale and after it: opportunities, what became of quotes, settlements.

use entente::domain::command::Action;
use entente::domain::identity::PartyId;
use entente::domain::opportunity::{
    OpportunityChange, OpportunityCommand, OpportunityDraft, OpportunityState, Qualification,
};
use entente::domain::pricing::booking::BookPeriod;
use entente::domain::pricing::money::{Currency, Money};
use entente::domain::pricing::quote::Cadence;
use entente::domain::pricing::quote::sale::{NewReversal, SaleCommand, SaleReason};
use entente::domain::pricing::quote::sealed::SealedShares;
use entente::domain::pricing::settlement::account::Pair;
use entente::domain::pricing::settlement::month::{Month, today};
use entente::domain::pricing::settlement::{Readable, SettlementCommand, SettlementStatement};
use entente::domain::time::Timestamp;

use super::partnerships::reference;
use super::{Draw, Hint, client_id, opportunity_id, quote_id};

pub(super) fn opportunity(draw: &mut Draw, number: u8, hint: &Hint, at: Timestamp) -> Action {
    let id = opportunity_id(number);
    let sensible = match hint.state.as_str() {
        "" => 0..20,
        "open" => 20..95,
        _ => 40..70,
    };
    Action::Opportunity(match draw.mostly(sensible) {
        0..20 => OpportunityCommand::Create(OpportunityDraft {
            id: draw.chance(90).then_some(id),
            display_name: format!("Opportunity {number}"),
            client: draw.chance(10).then(|| client_id(draw.number(0..2))),
            brought_by: draw
                .chance(40)
                .then(|| PartyId::numbered(draw.number(1..4))),
            plan: draw.maybe_text("opportunity.client_plan"),
            quotes: Vec::new(),
            reference: draw
                .chance(20)
                .then(|| reference("acme", "deal", format!("D{number}"))),
        }),
        20..40 => OpportunityCommand::Update {
            id,
            change: OpportunityChange {
                plan: draw.maybe_text("opportunity.client_plan"),
                quotes: draw.chance(30).then(|| vec![quote_id(draw.number(0..3))]),
                ..OpportunityChange::default()
            },
        },
        40..70 => OpportunityCommand::RecordEffort {
            id,
            minutes: draw.number(0..300),
            is_client_facing: draw.chance(50),
            date: today(at),
            note: draw.maybe_text("effort.note"),
        },
        70..90 => OpportunityCommand::Qualify {
            id,
            qualification: *draw.one_of(&[
                Qualification::NotYet,
                Qualification::Qualified,
                Qualification::NotQualified,
            ]),
            facts: draw.maybe_text("facts"),
            reason: draw.maybe_text("reason"),
        },
        _ => OpportunityCommand::Close {
            id,
            state: *draw.one_of(&[OpportunityState::Won, OpportunityState::Lost]),
            reason: draw.chance(70).then_some(SaleReason::Timing),
            words: draw.maybe_text("words"),
        },
    })
}

/// What became of a quote; now and then one is decided that is open.
pub(super) fn sale(draw: &mut Draw, number: u8, hint: &Hint) -> Action {
    let id = quote_id(number);
    let sensible = if hint.state == "won" { 0..85 } else { 80..100 };
    match draw.mostly(sensible) {
        0..50 => Action::BookPeriod(BookPeriod {
            quote: id,
            cadence: *draw.one_of(&[Cadence::OneTime, Cadence::Monthly]),
            period: draw.number(0..4),
            biller: draw
                .chance(50)
                .then(|| PartyId::numbered(draw.number(1..3))),
            date: None,
            shares: SealedShares::default(),
        }),
        50..80 => Action::Sale(SaleCommand::Reverse(NewReversal {
            id,
            hash: hint.text.clone(),
            amounts: vec![price(draw, Cadence::OneTime)],
            biller: None,
            date: None,
            reason: draw.maybe_text("reason"),
            shares: SealedShares::default(),
        })),
        80..98 => {
            let mut prices = vec![price(draw, Cadence::OneTime)];
            if draw.chance(40) {
                prices.push(price(draw, Cadence::Monthly));
            }
            Action::Sale(SaleCommand::Win { id, prices })
        }
        _ => Action::Sale(SaleCommand::Lose {
            id,
            reason: SaleReason::Price,
            words: draw.maybe_text("words"),
        }),
    }
}

fn euro() -> Currency {
    Currency::from_code("EUR").expect("a currency")
}

fn price(draw: &mut Draw, cadence: Cadence) -> (Cadence, Money) {
    (cadence, Money::from_minor(euro(), draw.number(0..3_000)))
}

/// What the first two parties settle for the month.
pub(super) fn settlement(draw: &mut Draw, at: Timestamp) -> Action {
    let period = Month::of(today(at));
    let (first, second) = (PartyId::numbered(1), PartyId::numbered(2));
    let pair = Pair::of(&first, &second).expect("two parties");
    let id = SettlementStatement::id_of(&pair, euro(), period);
    Action::Settlement(match draw.number(0..100) {
        0..50 => SettlementCommand::Draft {
            with: PartyId::numbered(draw.number(1..3)),
            currency: euro(),
            period,
        },
        50..60 => SettlementCommand::Issue {
            id,
            sealed: Readable::default(),
        },
        60..75 => SettlementCommand::Agree {
            id,
            lines: Vec::new(),
        },
        75..85 => SettlementCommand::Dispute {
            id,
            line: draw.number(1..4),
            words: draw.text("words"),
        },
        85..93 => SettlementCommand::Resolve {
            id,
            line: draw.number(1..4),
            stands: draw.chance(50),
            words: draw.maybe_text("words"),
        },
        _ => SettlementCommand::Settle {
            id,
            words: draw.maybe_text("words"),
            sealed: Readable::default(),
        },
    })
}
