//! Opportunities: whether what is pursued is real, is shown to the client, and is won.

#[cfg(test)]
mod tests;

use std::collections::BTreeMap;

use crate::domain::checkup::observation::Source;
use crate::domain::checkup::{Measure, Observed, Sink};
use crate::domain::identity::PartyId;
use crate::domain::interaction::presentation::ClientPresentation;
use crate::domain::opportunity::{Opportunity, OpportunityState, Qualification};

/// Tells of an opportunity's end, if it has one, and of all time that was spent on it.
pub fn observe<'record>(
    opportunity: &'record Opportunity,
    source: Source<'record>,
    sink: &mut impl Sink,
) {
    observe_time(opportunity, source, sink);
    let is_won = match opportunity.state {
        OpportunityState::Won => true,
        OpportunityState::Lost | OpportunityState::NotQualified => false,
        // What the end of the partnership closed has no end of its own.
        OpportunityState::Open | OpportunityState::Closed => return,
    };
    let Some(outcome) = &opportunity.outcome else {
        return;
    };
    let at = outcome.by.at;
    let place = (&opportunity.brought_by, at);
    source.case(sink, Measure::OpportunitiesNotWon, place, !is_won);
    let has_no_plan = opportunity.plans.is_empty();
    source.case(sink, Measure::WithoutClientPlan, place, has_no_plan);
    let mut said = opportunity.qualifications.iter();
    let is_qualified = said.any(|said| said.qualification == Qualification::Qualified);
    let is_chased = !is_qualified && !opportunity.effort.is_empty();
    source.case(sink, Measure::PursuedUnqualified, place, is_chased);
    let mut minutes: BTreeMap<&PartyId, u64> = BTreeMap::new();
    for entry in &opportunity.effort {
        let spent = minutes.entry(&entry.spent.party).or_default();
        *spent = spent.saturating_add(entry.spent.minutes.into());
    }
    for (party, part) in minutes {
        let whole = u64::from(is_won);
        let observed = Observed::Part { part, whole };
        source.tell(sink, Measure::MinutesPerWin, (party, at), observed);
    }
}

/// Tells that somebody presented something to a client.
pub fn observe_presentation<'record>(
    presentation: &'record ClientPresentation,
    source: Source<'record>,
    sink: &mut impl Sink,
) {
    let recorded = &presentation.recorded;
    let place = (&recorded.presenter, recorded.presented_at);
    source.tell(sink, Measure::LastShown, place, Observed::Happened);
}

/// Whether the client saw what time was spent on.
fn observe_time<'record>(
    opportunity: &'record Opportunity,
    source: Source<'record>,
    sink: &mut impl Sink,
) {
    for entry in &opportunity.effort {
        let spent = &entry.spent;
        let place = (&spent.party, entry.at);
        let whole = u64::from(spent.minutes);
        let (part, observed) = if spent.is_client_facing {
            (0, Observed::Happened)
        } else {
            (whole, Observed::DidNotHappen)
        };
        let drafted = Observed::Part { part, whole };
        source.tell(sink, Measure::TimeOnDrafts, place, drafted);
        source.tell(sink, Measure::LastShown, place, observed);
    }
}
