//! What follows from a change of an expectation for records beside it: its update interval, and the
//! item of a notice that it came of. Whoever changes an expectation need not think of them.

use std::collections::BTreeSet;

use super::aggregate::{Aggregate, Recorded};
use super::command::Decision;
use super::expectation::Expectation;
use super::identity::FirmId;
use super::record::{EventBody, Kind};
use super::refusal::{Reason, Refusal};
use super::world::{Stop, View};
use super::{notice, progress};

/// Adds to a decision what follows from it.
///
/// # Errors
/// A refusal, or what has to be loaded first.
pub fn follow(
    mut decision: Decision,
    (firm, actor): (Option<&FirmId>, &str),
    view: &View<'_>,
) -> Result<Decision, Stop> {
    let touched: BTreeSet<String> = decision
        .events
        .iter()
        .filter(|event| event.body.kind() == Kind::Expectation)
        .map(|event| event.id.clone())
        .collect();
    let asked_for = decision.events.len();
    for id in touched {
        let before = view.find::<Expectation>(&id)?;
        let after = after(&id, before, &decision, (firm, actor), view)?;
        let follows = progress::follow(&id, before, &after, view)?;
        decision.events.extend(follows);
        let follows = notice::follow(before, &after, view)?;
        decision.events.extend(follows);
    }
    if decision.events.len() > asked_for && decision.receipt_of.is_none() {
        // The caller is told of what it asked for.
        decision.receipt_of = asked_for.checked_sub(1);
    }
    Ok(decision)
}

/// The expectation as the decision leaves it.
fn after(
    id: &str,
    before: Option<&Expectation>,
    decision: &Decision,
    (firm, actor): (Option<&FirmId>, &str),
    view: &View<'_>,
) -> Result<Expectation, Refusal> {
    let recorded = Recorded {
        sequence: view.next_sequence,
        at: view.now,
        firm: firm.cloned(),
        actor: actor.to_owned(),
    };
    let mut state = before.cloned();
    for event in decision.events.iter().filter(|event| event.id == id) {
        if let EventBody::Expectation(event) = &event.body {
            state = Expectation::apply(state, event, &recorded);
        }
    }
    state.ok_or_else(|| Refusal::new(Reason::Internal, "an expectation's event does not fit"))
}
