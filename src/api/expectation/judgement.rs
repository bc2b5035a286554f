//! What is made of expectations, as the contract shows it.

use crate::api::convert::{to_duration, to_money, to_timestamp};
use crate::api::listing::name_in;
use crate::domain::expectation::judgement::{
    CostOfDelay, DeadlineJudgement, Feasibility, ImpossibleReason, Judgement,
};
use crate::domain::identity::ScopeId;
use crate::proto::v1;

/// The number of the priority; 0 if there is none.
pub(super) fn to_priority(judgement: &Judgement) -> i32 {
    judgement
        .priority
        .map_or(0, |priority| i32::from(priority.get()))
}

pub(super) fn to_basis(scope: &ScopeId, judgement: &Judgement) -> v1::JudgementBasis {
    let terms = judgement.terms.as_ref();
    v1::JudgementBasis {
        agreement: terms
            .map(|terms| name_in(scope, "agreements", &terms.agreement))
            .unwrap_or_default(),
        agreement_revision: terms.map_or(0, |terms| i64::from(terms.revision)),
        judge_time: Some(to_timestamp(judgement.at)),
    }
}

pub(super) fn to_cost_of_delay(cost: &CostOfDelay) -> v1::CostOfDelay {
    v1::CostOfDelay {
        per_hour: Some(to_money(&cost.per_hour)),
        per_day: cost.per_day.as_ref().map(to_money),
        until_deadline: cost.until_deadline.as_ref().map(to_money),
    }
}

pub(super) fn to_feasibility(deadline: &DeadlineJudgement) -> v1::DeadlineFeasibility {
    let level = match deadline.feasibility {
        Feasibility::Feasible => v1::Feasibility::Feasible,
        Feasibility::Tight => v1::Feasibility::Tight,
        Feasibility::Impossible => v1::Feasibility::Impossible,
    };
    let reason = match deadline.reason {
        None => v1::ImpossibleReason::Unspecified,
        Some(ImpossibleReason::DeadlinePast) => v1::ImpossibleReason::DeadlinePast,
        Some(ImpossibleReason::NoWorkingTime) => v1::ImpossibleReason::NoWorkingTime,
        Some(ImpossibleReason::TooLittleWorkingTime) => v1::ImpossibleReason::TooLittleWorkingTime,
    };
    v1::DeadlineFeasibility {
        level: level.into(),
        reason: reason.into(),
        earliest_feasible_time: deadline.earliest.map(to_timestamp),
        working_time_needed: Some(to_duration(deadline.needed)),
        working_time_available: Some(to_duration(deadline.available)),
    }
}
