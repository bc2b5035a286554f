//! What an agreement may say.

use super::matrix::check_matrix;
use super::{
    AgreementContent, AgreementType, ESCALATION_NAME_BYTES_MAX, TARGET_MAX, TARGETS_MAX,
    THRESHOLDS_MAX,
};
use crate::domain::partnership::Partnership;
use crate::domain::refusal::{Refusal, Violations};
use crate::domain::sla::clock::{
    EscalationLevel, LevelAt, TargetReopenRule, TargetType, TicketState, WHOLE_TARGET_BPS,
};
use crate::domain::text::{require_display_name, require_token};
use crate::domain::time::Span;

/// Refuses content that no party could mean, with everything that is wrong with it.
///
/// # Errors
/// [`Reason::InvalidField`](crate::domain::refusal::Reason::InvalidField).
pub fn check_content(content: &AgreementContent, partnership: &Partnership) -> Result<(), Refusal> {
    let mut violations = Violations::default();
    require_display_name(
        &mut violations,
        "agreement.display_name",
        &content.display_name,
    );
    for (field, party) in [
        ("obligor", &content.obligor),
        ("beneficiary", &content.beneficiary),
    ] {
        let known = partnership.party(party).is_some();
        violations.require(known, &format!("agreement.{field}"), "no such party");
    }
    let different = content.obligor != content.beneficiary || content.client.is_some();
    violations.require(
        different,
        "agreement.beneficiary",
        "must be another party than the obligor, or a client",
    );
    check_targets(&mut violations, content);
    check_reopen_rules(&mut violations, &content.reopen_rules);
    check_escalations(&mut violations, &content.escalation_levels);
    check_matrix(&mut violations, &content.priority_matrix);
    let pauses = content.pausing_states.iter().all(|state| {
        matches!(
            state,
            TicketState::WaitingOnClient
                | TicketState::WaitingOnPartner
                | TicketState::WaitingOnOutsideParty
        )
    });
    violations.require(
        pauses,
        "agreement.pausing_states",
        "only states in which someone is waited for",
    );
    let thresholds = &content.thresholds_bps;
    let ascending = thresholds.windows(2).all(|pair| pair[0] < pair[1]);
    violations.require(ascending, "agreement.thresholds_bps", "must ascend");
    let bounded = thresholds.len() <= THRESHOLDS_MAX && thresholds.first() != Some(&0);
    violations.require(
        bounded,
        "agreement.thresholds_bps",
        "at most 10, each above 0",
    );
    let whole = thresholds.last() == Some(&WHOLE_TARGET_BPS);
    violations.require(whole, "agreement.thresholds_bps", "the last must be 10,000");
    violations.finish()
}

fn check_targets(violations: &mut Violations, content: &AgreementContent) {
    let targets = &content.targets;
    let reciprocal = content.agreement_type == AgreementType::Reciprocal;
    violations.require(
        !targets.is_empty(),
        "agreement.targets",
        "at least one target",
    );
    violations.require(
        targets.len() <= TARGETS_MAX,
        "agreement.targets",
        "no more than 30 targets",
    );
    let mut seen: Vec<(TargetType, u8)> = Vec::new();
    for (index, target) in targets.iter().enumerate().take(TARGETS_MAX) {
        let key = (target.target_type, target.priority.get());
        let field = format!("agreement.targets[{index}]");
        violations.require(!seen.contains(&key), &field, "each type and priority once");
        seen.push(key);
        violations.require(
            !reciprocal || target.target_type.may_be_reciprocal(),
            &format!("{field}.type"),
            "is not owed in return: only FIRST_RESPONSE, NEXT_RESPONSE and RESOLUTION are",
        );
        let sensible = target.duration > Span::ZERO && target.duration <= TARGET_MAX;
        let duration = format!("{field}.duration");
        violations.require(
            sensible,
            &duration,
            "more than zero, no more than 366 days of working time",
        );
    }
}

fn check_reopen_rules(violations: &mut Violations, rules: &[TargetReopenRule]) {
    for (index, rule) in rules.iter().enumerate() {
        let field = format!("agreement.reopen_rules[{index}].type");
        let reopens = matches!(
            rule.target_type,
            TargetType::Resolution | TargetType::ResolutionPlan | TargetType::Workaround
        );
        violations.require(
            reopens,
            &field,
            "a reopening does nothing to this: only to RESOLUTION, RESOLUTION_PLAN, WORKAROUND",
        );
        let first = rules
            .iter()
            .position(|other| other.target_type == rule.target_type);
        violations.require(first == Some(index), &field, "each type once");
    }
}

fn check_escalations(violations: &mut Violations, levels: &[EscalationLevel]) {
    for (index, level) in levels.iter().enumerate() {
        let path = format!("agreement.escalation_levels[{index}]");
        let name = format!("{path}.name");
        require_token(violations, &name, &level.name, ESCALATION_NAME_BYTES_MAX);
        let first = levels.iter().position(|other| other.name == level.name);
        violations.require(first == Some(index), &name, "each name once");
        match level.at {
            LevelAt::Share(bps) => violations.require(
                (1..=WHOLE_TARGET_BPS).contains(&bps),
                &format!("{path}.threshold_bps"),
                "1 to 10,000",
            ),
            LevelAt::BeforeDue(left) => violations.require(
                left > Span::ZERO && left <= TARGET_MAX,
                &format!("{path}.before_due"),
                "more than zero, no more than 366 days of working time",
            ),
        }
        for (position, target_type) in level.target_types.iter().enumerate() {
            let earlier = &level.target_types[..position];
            let field = format!("{path}.types[{position}]");
            violations.require(!earlier.contains(target_type), &field, "each type once");
        }
    }
}
