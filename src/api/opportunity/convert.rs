//! Opportunities as the contract writes and shows them.

use std::collections::BTreeSet;

use crate::api::Found;
use crate::api::convert::{etag, known_enum, to_timestamp};
use crate::api::dates::to_date;
use crate::api::expectation::parse::stated;
use crate::api::listing::{Shown, Viewer, name_in};
use crate::domain::aggregate::By;
use crate::domain::commitment::Commitment;
use crate::domain::opportunity::{
    ClientPlan, EffortEntry, Opportunity, OpportunityOutcome, OpportunityState, Qualification,
    QualificationStatement,
};
use crate::domain::pricing::quote::sale::SaleReason;
use crate::domain::refusal::{Reason, Refusal, Violation};
use crate::proto::v1;

/// Most paths of one mask.
const PATHS_MAX: usize = 4;

/// A part that an update replaces or leaves as it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Part {
    /// The name for people.
    DisplayName,
    /// The client.
    Client,
    /// The plan for the client.
    Plan,
    /// The joint quotes.
    Quotes,
}

impl Part {
    const ALL: [Self; 4] = [Self::DisplayName, Self::Client, Self::Plan, Self::Quotes];

    const fn path(self) -> &'static str {
        match self {
            Self::DisplayName => "display_name",
            Self::Client => "client",
            Self::Plan => "client_plan",
            Self::Quotes => "joint_quotes",
        }
    }

    fn is_given(self, given: &v1::Opportunity) -> bool {
        match self {
            Self::DisplayName => !given.display_name.is_empty(),
            Self::Client => !given.client.is_empty(),
            Self::Plan => !given.client_plan.is_empty(),
            Self::Quotes => !given.joint_quotes.is_empty(),
        }
    }
}

/// The parts that a mask names; without a mask, those that are given.
///
/// # Errors
/// [`Reason::InvalidField`] with every path that names nothing.
pub(super) fn parts(
    mask: Option<&prost_types::FieldMask>,
    given: &v1::Opportunity,
) -> Result<BTreeSet<Part>, Refusal> {
    let paths = mask.map(|mask| mask.paths.as_slice()).unwrap_or_default();
    if paths.is_empty() {
        let is_given = |part: &Part| part.is_given(given);
        return Ok(Part::ALL.into_iter().filter(is_given).collect());
    }
    if paths.len() > PATHS_MAX {
        let rule = format!("no more than {PATHS_MAX} paths");
        let field = "update_mask.paths";
        return Err(Refusal::field(Reason::InvalidField, field, rule));
    }
    let mut parts = BTreeSet::new();
    let mut violations = Vec::new();
    for (index, path) in paths.iter().enumerate() {
        if path == "*" {
            parts.extend(Part::ALL);
        } else if let Some(part) = Part::ALL.into_iter().find(|part| part.path() == path) {
            parts.insert(part);
        } else {
            violations.push(Violation {
                field: format!("update_mask.paths[{index}]"),
                description: "names nothing that can be changed".to_owned(),
            });
        }
    }
    if violations.is_empty() {
        return Ok(parts);
    }
    Err(Refusal::fields(Reason::InvalidField, violations))
}

/// Whether an opportunity is worth the parties' while, as stated.
///
/// # Errors
/// [`Reason::InvalidField`], naming `field`.
pub(super) fn qualification(field: &str, value: i32) -> Result<Qualification, Refusal> {
    Ok(match known_enum(field, value)? {
        v1::Qualification::Qualified => Qualification::Qualified,
        v1::Qualification::NotQualified => Qualification::NotQualified,
        v1::Qualification::NotYet | v1::Qualification::Unspecified => Qualification::NotYet,
    })
}

const fn to_qualification(qualification: Qualification) -> v1::Qualification {
    match qualification {
        Qualification::NotYet => v1::Qualification::NotYet,
        Qualification::Qualified => v1::Qualification::Qualified,
        Qualification::NotQualified => v1::Qualification::NotQualified,
    }
}

/// A state that may be left out.
///
/// # Errors
/// [`Reason::InvalidField`], naming `field`.
pub(super) fn state(field: &str, value: i32) -> Result<Option<OpportunityState>, Refusal> {
    let state = stated::<v1::OpportunityState>(field, value)?;
    Ok(state.and_then(|state| match state {
        v1::OpportunityState::Unspecified => None,
        v1::OpportunityState::Open => Some(OpportunityState::Open),
        v1::OpportunityState::Won => Some(OpportunityState::Won),
        v1::OpportunityState::Lost => Some(OpportunityState::Lost),
        v1::OpportunityState::NotQualified => Some(OpportunityState::NotQualified),
        v1::OpportunityState::Closed => Some(OpportunityState::Closed),
    }))
}

const fn to_state(state: OpportunityState) -> v1::OpportunityState {
    match state {
        OpportunityState::Open => v1::OpportunityState::Open,
        OpportunityState::Won => v1::OpportunityState::Won,
        OpportunityState::Lost => v1::OpportunityState::Lost,
        OpportunityState::NotQualified => v1::OpportunityState::NotQualified,
        OpportunityState::Closed => v1::OpportunityState::Closed,
    }
}

/// What decided a sale; `None` if that was left out.
pub(in crate::api) const fn sale_reason(reason: v1::SaleReason) -> Option<SaleReason> {
    Some(match reason {
        v1::SaleReason::Unspecified => return None,
        v1::SaleReason::Price => SaleReason::Price,
        v1::SaleReason::Timing => SaleReason::Timing,
        v1::SaleReason::Competitor => SaleReason::Competitor,
        v1::SaleReason::NoDecision => SaleReason::NoDecision,
        v1::SaleReason::NoBudget => SaleReason::NoBudget,
        v1::SaleReason::NoNeed => SaleReason::NoNeed,
        v1::SaleReason::Scope => SaleReason::Scope,
        v1::SaleReason::Relationship => SaleReason::Relationship,
        v1::SaleReason::Other => SaleReason::Other,
    })
}

/// The same as the contract shows it.
pub(in crate::api) const fn to_sale_reason(reason: Option<SaleReason>) -> v1::SaleReason {
    match reason {
        None => v1::SaleReason::Unspecified,
        Some(SaleReason::Price) => v1::SaleReason::Price,
        Some(SaleReason::Timing) => v1::SaleReason::Timing,
        Some(SaleReason::Competitor) => v1::SaleReason::Competitor,
        Some(SaleReason::NoDecision) => v1::SaleReason::NoDecision,
        Some(SaleReason::NoBudget) => v1::SaleReason::NoBudget,
        Some(SaleReason::NoNeed) => v1::SaleReason::NoNeed,
        Some(SaleReason::Scope) => v1::SaleReason::Scope,
        Some(SaleReason::Relationship) => v1::SaleReason::Relationship,
        Some(SaleReason::Other) => v1::SaleReason::Other,
    }
}

impl Shown for Opportunity {
    type Message = v1::Opportunity;

    const REFERENCED: bool = true;

    fn commitments(&self) -> Vec<Commitment> {
        let said = self.qualifications.iter();
        let said = said.flat_map(|said| [said.facts.clone(), said.reason.clone()]);
        let notes = self.effort.iter().map(|entry| entry.spent.note.clone());
        let plans = self.plans.iter().map(|plan| Some(plan.text.clone()));
        let words = self.outcome.iter().map(|outcome| outcome.words.clone());
        said.chain(notes)
            .chain(plans)
            .chain(words)
            .flatten()
            .collect()
    }

    fn shown(found: &Found<Self>, viewer: &Viewer<'_>) -> v1::Opportunity {
        let opportunity = &found.state;
        let scope = viewer.member.scope();
        let client = opportunity.client.as_ref();
        let plan = opportunity.plans.last();
        let quotes = opportunity.quotes.iter();
        let totals = opportunity.effort_totals().into_iter();
        let to_total = |total: crate::domain::opportunity::EffortTotal| v1::EffortTotal {
            party_id: total.party.to_string(),
            client_facing_minutes: i64::try_from(total.client_facing_minutes).unwrap_or(i64::MAX),
            drafted_minutes: i64::try_from(total.drafted_minutes).unwrap_or(i64::MAX),
        };
        let statements = opportunity.qualifications.iter();
        let effort = opportunity.effort.iter();
        let plans = opportunity.plans.iter();
        let outcome = opportunity.outcome.as_ref();
        v1::Opportunity {
            name: name_in(&scope, "opportunities", &found.id),
            display_name: opportunity.display_name.clone(),
            client: client.map_or_else(String::new, |id| name_in(&scope, "clients", id)),
            brought_by: opportunity.brought_by.to_string(),
            client_plan: viewer.texts.show(plan.map(|plan| &plan.text)),
            joint_quotes: quotes
                .map(|id| name_in(&scope, "jointQuotes", id))
                .collect(),
            external_references: viewer.references(&found.id),
            state: to_state(opportunity.state).into(),
            qualification: to_qualification(opportunity.qualification()).into(),
            qualifications: statements.map(|said| to_statement(said, viewer)).collect(),
            effort: effort.map(|entry| to_entry(entry, viewer)).collect(),
            effort_totals: totals.map(to_total).collect(),
            plans: plans.map(|plan| to_plan(plan, viewer)).collect(),
            outcome: outcome.map(|outcome| to_outcome(outcome, viewer)),
            close_time: opportunity.closed_at.map(to_timestamp),
            create_time: Some(to_timestamp(found.created_at)),
            update_time: Some(to_timestamp(found.updated_at)),
            etag: etag(found.revision),
            redacted_fields: viewer.texts.redacted_fields(opportunity.commitments()),
        }
    }
}

fn firm(by: &By) -> String {
    by.firm.scope().to_string()
}

fn to_statement(said: &QualificationStatement, viewer: &Viewer<'_>) -> v1::QualificationStatement {
    v1::QualificationStatement {
        qualification: to_qualification(said.qualification).into(),
        facts: viewer.texts.show(said.facts.as_ref()),
        reason: viewer.texts.show(said.reason.as_ref()),
        party_id: said.by.party.to_string(),
        firm: firm(&said.by),
        state_time: Some(to_timestamp(said.by.at)),
    }
}

fn to_entry(entry: &EffortEntry, viewer: &Viewer<'_>) -> v1::EffortEntry {
    let spent = &entry.spent;
    v1::EffortEntry {
        party_id: spent.party.to_string(),
        minutes: i32::try_from(spent.minutes).unwrap_or(i32::MAX),
        client_facing: spent.is_client_facing,
        date: Some(to_date(spent.date)),
        note: viewer.texts.show(spent.note.as_ref()),
        record_time: Some(to_timestamp(entry.at)),
    }
}

fn to_plan(plan: &ClientPlan, viewer: &Viewer<'_>) -> v1::ClientPlan {
    v1::ClientPlan {
        text: viewer.texts.show(Some(&plan.text)),
        party_id: plan.by.party.to_string(),
        firm: firm(&plan.by),
        write_time: Some(to_timestamp(plan.by.at)),
    }
}

fn to_outcome(outcome: &OpportunityOutcome, viewer: &Viewer<'_>) -> v1::OpportunityOutcome {
    v1::OpportunityOutcome {
        reason: to_sale_reason(outcome.reason).into(),
        words: viewer.texts.show(outcome.words.as_ref()),
        party_id: outcome.by.party.to_string(),
        firm: firm(&outcome.by),
        state_time: Some(to_timestamp(outcome.by.at)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn mask(paths: &[&str]) -> prost_types::FieldMask {
        let paths = paths.iter().map(|path| (*path).to_owned()).collect();
        prost_types::FieldMask { paths }
    }

    #[test]
    fn masks_name_parts() {
        let nothing = v1::Opportunity::default();
        let named = |paths: &[&str]| parts(Some(&mask(paths)), &nothing).unwrap();
        assert_eq!(named(&["client"]), BTreeSet::from([Part::Client]));
        assert_eq!(named(&["*"]).len(), 4);
        let bad = parts(Some(&mask(&["client", "state", ""])), &nothing).unwrap_err();
        assert_eq!(bad.violations.len(), 2);
        assert!(parts(Some(&mask(&["client"; 5])), &nothing).is_err());
        let given = v1::Opportunity {
            client_plan: "plan".to_owned(),
            ..v1::Opportunity::default()
        };
        assert_eq!(parts(None, &given), Ok(BTreeSet::from([Part::Plan])));
    }

    #[test]
    fn every_value_comes_back() {
        for value in 1..=9 {
            let reason = v1::SaleReason::try_from(value).unwrap();
            assert_eq!(to_sale_reason(sale_reason(reason)), reason);
        }
        for value in 1..=5 {
            let known = state("s", value).unwrap().unwrap();
            assert_eq!(i32::from(to_state(known)), value);
        }
        for value in 1..=3 {
            let known = qualification("q", value).unwrap();
            assert_eq!(i32::from(to_qualification(known)), value);
        }
        assert!(qualification("q", 0).is_err() && state("s", 6).is_err());
    }
}
