//! Joint quotes of the first partnership of a world.

use entente::domain::command::{Action, Command};
use entente::domain::identity::{FirmId, PartyId, ScopeId};
use entente::domain::pricing::money::{Currency, Money};
use entente::domain::pricing::quote::{Basis, Extras, NewConcession, NewPortion, QuoteCommand};
use entente::domain::time::Span;
use entente::ledger::queue::Urgency;

use crate::world::{World, command};

/// How long the quotes stand.
const VALIDITY: Span = Span::from_hours(24);

/// The partnership that they belong to.
pub fn scope(world: &World) -> ScopeId {
    ScopeId::partnership(&world.partnerships[0])
}

/// A quote's id.
pub fn id(number: usize) -> String {
    format!("quote-{number}")
}

/// Carries out a command of the world's firm.
pub async fn submit(world: &World, request_id: &str, action: QuoteCommand) {
    let command = of_firm(world, &world.firm, request_id, action);
    let answer = world.ledger().submit(command, None, Urgency::Interactive);
    answer.await.expect("it is accepted");
}

/// A command of a firm.
pub fn of_firm(world: &World, firm: &FirmId, request_id: &str, action: QuoteCommand) -> Command {
    let action = Action::Quote(action);
    command(firm, scope(world), request_id.to_owned(), action)
}

fn euros(cents: i64) -> Money {
    Money::from_minor(Currency::from_code("EUR").expect("a currency"), cents)
}

/// A quote with three portions of two parties.
pub fn create(world: &World, number: usize) -> QuoteCommand {
    let partners = NewPortion {
        owner: Some(PartyId::numbered(2)),
        ..NewPortion::new("night-cover", euros(933_333))
    };
    QuoteCommand::Create {
        id: Some(id(number)),
        display_name: "Warehouse".to_owned(),
        client: None,
        currency: Currency::from_code("EUR").expect("a currency"),
        expires_at: world.application.api.now().saturating_add(VALIDITY),
        portions: vec![
            NewPortion::new("licences", euros(629_990)),
            NewPortion::new("network", euros(1_845_000)),
            partners,
        ],
        vendor_funds: Vec::new(),
        references: None,
    }
}

/// A concession on it, another one in each round.
pub fn propose(number: usize, round: usize) -> QuoteCommand {
    let amount = i64::try_from(200_000 + 997 * (number % 1_000) + round).expect("small");
    QuoteCommand::ProposeConcession {
        id: id(number),
        concession: NewConcession {
            concession: Some(euros(amount)),
            basis: Basis::Price,
            ..NewConcession::default()
        },
        extras: Extras::default(),
    }
}
