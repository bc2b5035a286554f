//! What is asked of joint quotes.

use entente::domain::command::Action;
use entente::domain::identity::PartyId;
use entente::domain::partnership::terms::PartyShare;
use entente::domain::pricing::money::{Currency, Money};
use entente::domain::pricing::quote::{Basis, NewPortion, QuoteCommand};
use entente::domain::time::{Span, Timestamp};

use super::partnerships::reference;
use super::{Draw, Hint, client_id, quote_id};

pub(super) fn action(draw: &mut Draw, number: u8, hint: &Hint, at: Timestamp) -> Action {
    let id = quote_id(number);
    let hash = if draw.chance(5) {
        "another hash".to_owned()
    } else {
        hint.text.clone()
    };
    let sensible = match hint.state.as_str() {
        "" => 0..20,
        "proposed" | "asserted" => 55..100,
        "approved" => 40..66,
        "expired" => 0..100,
        _ => 20..65,
    };
    Action::Quote(match draw.mostly(sensible) {
        0..20 => create(draw, number, at),
        20..40 => QuoteCommand::AddPortion {
            id,
            portion: portion(draw),
        },
        40..65 => {
            let concession = Money::from_minor(currency(draw), draw.number(-2_000..12_000));
            QuoteCommand::ProposeConcession {
                id,
                concession,
                basis: basis(draw),
            }
        }
        65..88 => QuoteCommand::ApproveConcession { id, hash },
        88..94 => QuoteCommand::RejectConcession {
            id,
            hash,
            reason: draw.maybe_text("concession.reason"),
        },
        _ => QuoteCommand::WithdrawConcession { id, hash },
    })
}

fn currency(draw: &mut Draw) -> Currency {
    Currency::from_code(if draw.chance(4) { "JPY" } else { "EUR" }).expect("a currency")
}

fn create(draw: &mut Draw, number: u8, at: Timestamp) -> QuoteCommand {
    let portions = (0..draw.number(0..4)).map(|_| portion(draw)).collect();
    QuoteCommand::Create {
        id: draw.chance(90).then(|| quote_id(number)),
        display_name: format!("Quote {number}"),
        client: draw.chance(10).then(|| client_id(draw.number(0..2))),
        currency: currency(draw),
        expires_at: at.saturating_add(Span::from_hours(draw.number(0..72))),
        portions,
        references: draw
            .chance(20)
            .then(|| reference("acme", "opportunity", format!("Q{number}"))),
    }
}

fn portion(draw: &mut Draw) -> NewPortion {
    NewPortion {
        portion_id: format!("portion-{}", draw.number(0..8)),
        owner: draw
            .chance(15)
            .then(|| PartyId::numbered(draw.number(1..=3))),
        description: draw.maybe_text("portion.description"),
        price: Money::from_minor(currency(draw), draw.number(-50..10_000)),
        internal_cost: if draw.chance(30) {
            draw.maybe_text("portion.internal_cost")
        } else {
            None
        },
    }
}

fn basis(draw: &mut Draw) -> Basis {
    if draw.chance(50) {
        return Basis::Price;
    }
    if draw.chance(30) {
        return Basis::FixedBps(Vec::new());
    }
    let first = draw.number(0..=10_000);
    let share = |number, share_bps| PartyShare {
        party: PartyId::numbered(number),
        share_bps,
    };
    Basis::FixedBps(vec![share(1, first), share(2, 10_000 - first)])
}
