//! What is asked of joint quotes.

use entente::domain::command::Action;
use entente::domain::identity::PartyId;
use entente::domain::partnership::terms::PartyShare;
use entente::domain::pricing::division::Rounding;
use entente::domain::pricing::money::{Currency, Money};
use entente::domain::pricing::quote::portion::{PassThrough, Period, Recurrence};
use entente::domain::pricing::quote::proposal::{
    CustomShare, RecurringConcession, ShortfallChoice,
};
use entente::domain::pricing::quote::{
    Basis, Extras, NewConcession, NewPortion, QuoteChanges, QuoteCommand,
};
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
        20..23 => QuoteCommand::Update {
            id,
            changes: QuoteChanges {
                display_name: draw.chance(80).then(|| "Renamed".to_owned()),
                expires_at: draw
                    .chance(30)
                    .then(|| at.saturating_add(Span::from_hours(draw.number(0..72)))),
                vendor_funds: None,
            },
        },
        23..40 => QuoteCommand::AddPortion {
            id,
            portion: portion(draw),
        },
        40..65 => {
            let concession = concession(draw);
            QuoteCommand::ProposeConcession {
                id,
                concession,
                extras: Extras::default(),
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
        vendor_funds: Vec::new(),
        references: draw
            .chance(20)
            .then(|| reference("acme", "opportunity", format!("Q{number}"))),
    }
}

fn portion(draw: &mut Draw) -> NewPortion {
    let price = Money::from_minor(currency(draw), draw.number(-50..10_000));
    let floor = Money::from_minor(price.currency, draw.number(0..6_000));
    NewPortion {
        owner: draw
            .chance(15)
            .then(|| PartyId::numbered(draw.number(1..=3))),
        description: draw.maybe_text("portion.description"),
        recurrence: draw.chance(20).then(|| Recurrence {
            period: Period::Month,
            periods: draw.number(0..=36),
        }),
        floor_price: draw.chance(30).then_some(floor),
        pass_through: draw.chance(20).then(|| pass_through(draw)),
        markup_on: draw
            .chance(10)
            .then(|| format!("portion-{}", draw.number(0..8))),
        internal_cost: if draw.chance(30) {
            draw.maybe_text("portion.internal_cost")
        } else {
            None
        },
        ..NewPortion::new(format!("portion-{}", draw.number(0..8)), price)
    }
}

fn pass_through(draw: &mut Draw) -> PassThrough {
    if draw.chance(40) {
        return PassThrough::AtCost;
    }
    PassThrough::MarkedUp {
        markup_cap_bps: draw.number(0..=20_000),
    }
}

fn concession(draw: &mut Draw) -> NewConcession {
    let amount = Money::from_minor(currency(draw), draw.number(-2_000..12_000));
    let monthly = Money::from_minor(currency(draw), draw.number(-500..3_000));
    let monthly = RecurringConcession {
        period: Period::Month,
        amount: monthly,
    };
    NewConcession {
        concession: draw.chance(90).then_some(amount),
        recurring: if draw.chance(15) {
            vec![monthly]
        } else {
            Vec::new()
        },
        basis: basis(draw, amount),
        rounding: if draw.chance(20) {
            Rounding::Ratchet
        } else {
            Rounding::LargestRemainder
        },
        shortfall_policy: match draw.number(0..10) {
            0..5 => ShortfallChoice::Reject,
            5..9 => ShortfallChoice::BelowFloorWithConsent,
            _ => ShortfallChoice::PrimeAbsorbs,
        },
        negotiation_round: None,
        vendor_money: Vec::new(),
        keep_limits: draw.chance(20),
    }
}

fn basis(draw: &mut Draw, amount: Money) -> Basis {
    if draw.chance(50) {
        return Basis::Price;
    }
    if draw.chance(10) {
        let portion_id = format!("portion-{}", draw.number(0..8));
        return Basis::Custom(vec![CustomShare { portion_id, amount }]);
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
