//! What an agreement says of changes, reopenings and escalations.

use crate::api::convert::{span, to_duration};
use crate::api::faults::Faults;
use crate::api::sla::words::{target_type, to_target_type, unknown};
use crate::domain::refusal::Refusal;
use crate::domain::sla::agreement::{ESCALATION_LEVELS_MAX, REOPEN_RULES_MAX};
use crate::domain::sla::clock::{
    EscalationLevel, EscalationType, LevelAt, ReopenRule, RetargetRule, TargetReopenRule,
    TargetType,
};
use crate::proto::v1;

pub(super) fn retarget_rule(value: i32, faults: &mut Faults) -> RetargetRule {
    let known = match v1::RetargetRule::try_from(value) {
        Ok(v1::RetargetRule::Unspecified | v1::RetargetRule::Retroactive) => {
            Ok(RetargetRule::Retroactive)
        }
        Ok(v1::RetargetRule::FromChange) => Ok(RetargetRule::FromChange),
        Ok(v1::RetargetRule::ProRata) => Ok(RetargetRule::ProRata),
        Err(_) => Err(unknown("agreement.retarget_rule")),
    };
    faults.take(known.map(Some)).unwrap_or_default()
}

pub(super) const fn to_retarget_rule(rule: RetargetRule) -> v1::RetargetRule {
    match rule {
        RetargetRule::Retroactive => v1::RetargetRule::Retroactive,
        RetargetRule::FromChange => v1::RetargetRule::FromChange,
        RetargetRule::ProRata => v1::RetargetRule::ProRata,
    }
}

pub(super) fn reopen_rules(
    written: &[v1::TargetReopenRule],
    faults: &mut Faults,
) -> Vec<TargetReopenRule> {
    let few = format!("no more than {REOPEN_RULES_MAX} rules");
    let sensible = written.len() <= REOPEN_RULES_MAX;
    faults.require(sensible, "agreement.reopen_rules", &few);
    let mut rules = Vec::new();
    for (index, rule) in written.iter().take(REOPEN_RULES_MAX).enumerate() {
        let path = format!("agreement.reopen_rules[{index}]");
        let target_type = faults.take(target_type(&format!("{path}.type"), rule.r#type).map(Some));
        let rule = faults.take(reopen_rule(&format!("{path}.rule"), rule.rule).map(Some));
        if let Some((target_type, rule)) = target_type.zip(rule) {
            rules.push(TargetReopenRule { target_type, rule });
        }
    }
    rules
}

fn reopen_rule(field: &str, value: i32) -> Result<ReopenRule, Refusal> {
    match v1::ReopenRule::try_from(value) {
        Ok(v1::ReopenRule::Resume) => Ok(ReopenRule::Resume),
        Ok(v1::ReopenRule::Restart) => Ok(ReopenRule::Restart),
        Ok(v1::ReopenRule::NewCycle) => Ok(ReopenRule::NewCycle),
        Ok(v1::ReopenRule::Unspecified) | Err(_) => Err(unknown(field)),
    }
}

pub(super) fn to_reopen_rule(rule: TargetReopenRule) -> v1::TargetReopenRule {
    let shown = match rule.rule {
        ReopenRule::Resume => v1::ReopenRule::Resume,
        ReopenRule::Restart => v1::ReopenRule::Restart,
        ReopenRule::NewCycle => v1::ReopenRule::NewCycle,
    };
    v1::TargetReopenRule {
        r#type: to_target_type(rule.target_type).into(),
        rule: shown.into(),
    }
}

pub(super) fn escalation_levels(
    written: &[v1::EscalationLevel],
    faults: &mut Faults,
) -> Vec<EscalationLevel> {
    let few = format!("no more than {ESCALATION_LEVELS_MAX} levels");
    let sensible = written.len() <= ESCALATION_LEVELS_MAX;
    faults.require(sensible, "agreement.escalation_levels", &few);
    let levels = written.iter().take(ESCALATION_LEVELS_MAX).enumerate();
    levels
        .filter_map(|(index, level)| {
            escalation_level(
                &format!("agreement.escalation_levels[{index}]"),
                level,
                faults,
            )
        })
        .collect()
}

fn escalation_level(
    path: &str,
    written: &v1::EscalationLevel,
    faults: &mut Faults,
) -> Option<EscalationLevel> {
    let escalation_type = match v1::EscalationType::try_from(written.r#type) {
        Ok(v1::EscalationType::Functional) => Ok(EscalationType::Functional),
        Ok(v1::EscalationType::Hierarchical) => Ok(EscalationType::Hierarchical),
        Ok(v1::EscalationType::Unspecified) | Err(_) => Err(unknown(&format!("{path}.type"))),
    };
    let escalation_type = faults.take(escalation_type.map(Some));
    let at = faults.take(level_at(path, written.at.as_ref()).map(Some));
    let mut target_types: Vec<TargetType> = Vec::new();
    for (index, value) in written.types.iter().take(TargetType::ALL.len()).enumerate() {
        let field = format!("{path}.types[{index}]");
        target_types.extend(faults.take(target_type(&field, *value).map(Some)));
    }
    let once = written.types.len() <= TargetType::ALL.len();
    faults.require(once, &format!("{path}.types"), "each type once");
    Some(EscalationLevel {
        name: written.name.clone(),
        escalation_type: escalation_type?,
        at: at?,
        target_types,
    })
}

fn level_at(path: &str, at: Option<&v1::escalation_level::At>) -> Result<LevelAt, Refusal> {
    use v1::escalation_level::At;
    let required = || crate::api::required(&format!("{path}.at"));
    match at.ok_or_else(required)? {
        // What is below zero is refused with what is zero.
        At::ThresholdBps(bps) => Ok(LevelAt::Share(u32::try_from(*bps).unwrap_or_default())),
        At::BeforeDue(left) => span(&format!("{path}.before_due"), *left).map(LevelAt::BeforeDue),
    }
}

pub(super) fn to_escalation_level(level: &EscalationLevel) -> v1::EscalationLevel {
    use v1::escalation_level::At;
    let escalation_type = match level.escalation_type {
        EscalationType::Functional => v1::EscalationType::Functional,
        EscalationType::Hierarchical => v1::EscalationType::Hierarchical,
    };
    let at = match level.at {
        LevelAt::Share(bps) => At::ThresholdBps(i32::try_from(bps).unwrap_or(i32::MAX)),
        LevelAt::BeforeDue(left) => At::BeforeDue(to_duration(left)),
    };
    let types = level.target_types.iter();
    v1::EscalationLevel {
        name: level.name.clone(),
        r#type: escalation_type.into(),
        at: Some(at),
        types: types
            .map(|target_type| to_target_type(*target_type).into())
            .collect(),
    }
}
