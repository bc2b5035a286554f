//! Agreements: what a caller proposes, and what it is shown.

use super::{levels, matrix};
use crate::api::convert::{etag, span, to_approval, to_duration, to_timestamp};
use crate::api::faults::Faults;
use crate::api::listing::name_in;
use crate::api::sla::check::checked;
use crate::api::sla::home::require_adopted;
use crate::api::sla::parse_neighbour;
use crate::api::sla::words::{
    priority, target_type, ticket_state, to_target_type, to_ticket_state, unknown,
};
use crate::api::{Found, required};
use crate::domain::identity::{PartyId, ScopeId};
use crate::domain::refusal::Refusal;
use crate::domain::sla::agreement::{
    Agreement, AgreementContent, AgreementState, AgreementType, ProposedRevision, Repin,
    TARGETS_MAX, THRESHOLDS_MAX,
};
use crate::domain::sla::clock::{ServiceLevelTarget, TicketState};
use crate::domain::text::require_display_name;
use crate::proto::v1;

const CALENDAR_SHAPE: &str = "partnerships/*/calendars/*";
const CALENDAR_FIELD: &str = "agreement.calendar";
const CLIENT_SHAPE: &str = "partnerships/*/clients/*";
/// Most states that a list of states without repetition can have.
const STATES_MAX: usize = 7;

/// What the caller proposes; of use only if no fault was noted.
pub(in crate::api::sla) fn content(
    partnership: &str,
    proposed: &v1::Agreement,
    faults: &mut Faults,
) -> Option<AgreementContent> {
    faults.take(checked(|violations| {
        require_display_name(violations, "agreement.display_name", &proposed.display_name);
    }));
    let agreement_type = faults.take(agreement_type("agreement.kind", proposed.kind).map(Some));
    let client = if proposed.client.is_empty() {
        None
    } else {
        faults.take(
            parse_neighbour(
                "agreement.client",
                &proposed.client,
                CLIENT_SHAPE,
                partnership,
            )
            .map(Some),
        )
    };
    let calendar = faults.take(calendar(&proposed.calendar, partnership).map(Some));
    let few = format!("no more than {TARGETS_MAX} targets");
    faults.require(
        proposed.targets.len() <= TARGETS_MAX,
        "agreement.targets",
        &few,
    );
    let targets = proposed.targets.iter().take(TARGETS_MAX).enumerate();
    let targets = targets
        .filter_map(|(index, written)| {
            target(&format!("agreement.targets[{index}]"), written, faults)
        })
        .collect();
    let pausing_states = pausing_states(&proposed.pausing_states, faults);
    let thresholds_bps = thresholds(&proposed.thresholds_bps, faults);
    let retarget_rule = levels::retarget_rule(proposed.retarget_rule, faults);
    let reopen_rules = levels::reopen_rules(&proposed.reopen_rules, faults);
    let escalation_levels = levels::escalation_levels(&proposed.escalation_levels, faults);
    let priority_matrix = matrix::priority_matrix(&proposed.priority_matrix, faults);
    Some(AgreementContent {
        display_name: proposed.display_name.clone(),
        agreement_type: agreement_type?,
        obligor: PartyId::from_text(&proposed.obligor),
        beneficiary: PartyId::from_text(&proposed.beneficiary),
        client,
        targets,
        calendar: calendar?,
        // Stands for the latest; the agreement pins what it is then.
        calendar_revision: 0,
        response_by_state: proposed.response_by_status,
        pausing_states,
        thresholds_bps,
        retarget_rule,
        reopen_rules,
        escalation_levels,
        priority_matrix,
    })
}

/// The calendar of an agreement: of the partnership, which may have adopted it.
fn calendar(name: &str, partnership: &str) -> Result<String, Refusal> {
    require_adopted(CALENDAR_FIELD, name, partnership)?;
    parse_neighbour(CALENDAR_FIELD, name, CALENDAR_SHAPE, partnership)
}

fn target(
    path: &str,
    written: &v1::ServiceLevelTarget,
    faults: &mut Faults,
) -> Option<ServiceLevelTarget> {
    let target_type = faults.take(target_type(&format!("{path}.type"), written.r#type).map(Some));
    let priority = faults.take(priority(&format!("{path}.priority"), written.priority).map(Some));
    let field = format!("{path}.duration");
    let duration = written
        .duration
        .ok_or_else(|| required(&field))
        .and_then(|duration| span(&field, duration));
    let duration = faults.take(duration.map(Some));
    Some(ServiceLevelTarget {
        target_type: target_type?,
        priority: priority?,
        duration: duration?,
    })
}

fn pausing_states(written: &[i32], faults: &mut Faults) -> Vec<TicketState> {
    let mut states = Vec::new();
    faults.require(
        written.len() <= STATES_MAX,
        "agreement.pausing_states",
        "each state once",
    );
    for (index, value) in written.iter().take(STATES_MAX).enumerate() {
        let field = format!("agreement.pausing_states[{index}]");
        let Some(state) = faults.take(ticket_state(&field, *value).map(Some)) else {
            continue;
        };
        faults.require(!states.contains(&state), &field, "each state once");
        states.push(state);
    }
    states
}

fn thresholds(written: &[i32], faults: &mut Faults) -> Vec<u32> {
    let few = format!("no more than {THRESHOLDS_MAX} thresholds");
    faults.require(
        written.len() <= THRESHOLDS_MAX,
        "agreement.thresholds_bps",
        &few,
    );
    let mut thresholds = Vec::new();
    for (index, value) in written.iter().take(THRESHOLDS_MAX).enumerate() {
        let threshold = u32::try_from(*value)
            .ok()
            .filter(|threshold| *threshold > 0);
        faults.require(
            threshold.is_some(),
            &format!("agreement.thresholds_bps[{index}]"),
            "must be above 0",
        );
        thresholds.extend(threshold);
    }
    thresholds
}

fn agreement_type(field: &str, value: i32) -> Result<AgreementType, Refusal> {
    match v1::AgreementKind::try_from(value) {
        Ok(v1::AgreementKind::Sla) => Ok(AgreementType::Sla),
        Ok(v1::AgreementKind::Ola) => Ok(AgreementType::Ola),
        Ok(v1::AgreementKind::UnderpinningContract) => Ok(AgreementType::UnderpinningContract),
        Ok(v1::AgreementKind::Reciprocal) => Ok(AgreementType::Reciprocal),
        Ok(v1::AgreementKind::Unspecified) | Err(_) => Err(unknown(field)),
    }
}

pub(super) const fn to_kind(agreement_type: AgreementType) -> v1::AgreementKind {
    match agreement_type {
        AgreementType::Sla => v1::AgreementKind::Sla,
        AgreementType::Ola => v1::AgreementKind::Ola,
        AgreementType::UnderpinningContract => v1::AgreementKind::UnderpinningContract,
        AgreementType::Reciprocal => v1::AgreementKind::Reciprocal,
    }
}

const fn to_state(state: AgreementState) -> v1::AgreementState {
    match state {
        AgreementState::Proposed => v1::AgreementState::Proposed,
        AgreementState::Active => v1::AgreementState::Active,
        AgreementState::Asserted => v1::AgreementState::Asserted,
        AgreementState::Ended => v1::AgreementState::Ended,
        AgreementState::Contested => v1::AgreementState::Contested,
    }
}

/// An agreement as the contract shows it.
pub(in crate::api::sla) fn to_agreement(
    scope: &ScopeId,
    agreement: &Found<Agreement>,
) -> v1::Agreement {
    let state = &agreement.state;
    v1::Agreement {
        name: name_in(scope, "agreements", &agreement.id),
        state: to_state(state.state).into(),
        revision: i64::from(state.revision),
        approvals: state.approvals.iter().map(to_approval).collect(),
        hash: state.hash.clone(),
        create_time: Some(to_timestamp(agreement.created_at)),
        etag: etag(agreement.revision),
        proposed_revision: state
            .proposed
            .as_ref()
            .map(|proposed| Box::new(to_proposed_revision(scope, proposed))),
        repins: state.repins.iter().map(to_repin).collect(),
        ..to_content(scope, &state.content)
    }
}

fn to_proposed_revision(scope: &ScopeId, proposed: &ProposedRevision) -> v1::ProposedRevision {
    v1::ProposedRevision {
        agreement: Some(Box::new(to_content(scope, &proposed.content))),
        repin_time: proposed.repin_from.map(to_timestamp),
        hash: proposed.hash.clone(),
        approvals: proposed.approvals.iter().map(to_approval).collect(),
    }
}

fn to_repin(repin: &Repin) -> v1::Repin {
    v1::Repin {
        revision: i64::from(repin.revision),
        effective_time: Some(to_timestamp(repin.from)),
        create_time: Some(to_timestamp(repin.recorded_at)),
    }
}

/// What can be proposed.
fn to_content(scope: &ScopeId, content: &AgreementContent) -> v1::Agreement {
    let named = |collection: &str, id: &str| name_in(scope, collection, id);
    let to_bps = |threshold: &u32| i32::try_from(*threshold).unwrap_or(i32::MAX);
    let client = content.client.as_ref();
    v1::Agreement {
        display_name: content.display_name.clone(),
        kind: to_kind(content.agreement_type).into(),
        obligor: content.obligor.as_str().to_owned(),
        beneficiary: content.beneficiary.as_str().to_owned(),
        client: client
            .map(|client| named("clients", client))
            .unwrap_or_default(),
        targets: content.targets.iter().map(to_target).collect(),
        calendar: named("calendars", &content.calendar),
        calendar_revision: i64::from(content.calendar_revision),
        response_by_status: content.response_by_state,
        pausing_states: content
            .pausing_states
            .iter()
            .map(|state| to_ticket_state(*state).into())
            .collect(),
        thresholds_bps: content.thresholds_bps.iter().map(to_bps).collect(),
        retarget_rule: levels::to_retarget_rule(content.retarget_rule).into(),
        reopen_rules: content
            .reopen_rules
            .iter()
            .copied()
            .map(levels::to_reopen_rule)
            .collect(),
        escalation_levels: content
            .escalation_levels
            .iter()
            .map(levels::to_escalation_level)
            .collect(),
        priority_matrix: content
            .priority_matrix
            .iter()
            .copied()
            .map(matrix::to_entry)
            .collect(),
        ..v1::Agreement::default()
    }
}

pub(super) fn to_target(target: &ServiceLevelTarget) -> v1::ServiceLevelTarget {
    v1::ServiceLevelTarget {
        r#type: to_target_type(target.target_type).into(),
        priority: target.priority.get().into(),
        duration: Some(to_duration(target.duration)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::api::sla::check::whole;
    use crate::domain::refusal::Reason;
    use crate::domain::time::Timestamp;

    fn gold() -> v1::Agreement {
        let target = |r#type, seconds| v1::ServiceLevelTarget {
            r#type,
            priority: 2,
            duration: Some(prost_types::Duration { seconds, nanos: 0 }),
        };
        v1::Agreement {
            display_name: "Gold".into(),
            kind: v1::AgreementKind::UnderpinningContract.into(),
            obligor: "party-2".into(),
            beneficiary: "party-1".into(),
            client: "partnerships/p/clients/acme".into(),
            targets: vec![target(1, 3_600), target(2, 14_400)],
            calendar: "partnerships/p/calendars/office".into(),
            response_by_status: true,
            pausing_states: vec![v1::TicketState::WaitingOnClient.into()],
            thresholds_bps: vec![5_000, 10_000],
            retarget_rule: v1::RetargetRule::ProRata.into(),
            reopen_rules: vec![v1::TargetReopenRule {
                r#type: v1::TargetType::Resolution.into(),
                rule: v1::ReopenRule::NewCycle.into(),
            }],
            priority_matrix: vec![v1::PriorityMatrixEntry {
                scope: v1::ImpactScope::Team.into(),
                severity: v1::Severity::Degraded.into(),
                priority: 5,
            }],
            escalation_levels: vec![
                v1::EscalationLevel {
                    name: "second-line".into(),
                    r#type: v1::EscalationType::Functional.into(),
                    at: Some(v1::escalation_level::At::ThresholdBps(8_000)),
                    types: Vec::new(),
                },
                v1::EscalationLevel {
                    name: "duty-manager".into(),
                    r#type: v1::EscalationType::Hierarchical.into(),
                    at: Some(v1::escalation_level::At::BeforeDue(prost_types::Duration {
                        seconds: 3_600,
                        nanos: 0,
                    })),
                    types: vec![v1::TargetType::Resolution.into()],
                },
            ],
            ..v1::Agreement::default()
        }
    }

    fn read(agreement: &v1::Agreement) -> Result<AgreementContent, Refusal> {
        let mut faults = Faults::default();
        let content = content("p", agreement, &mut faults);
        whole(faults, content)
    }

    fn fields(agreement: &v1::Agreement) -> Vec<String> {
        read(agreement)
            .unwrap_err()
            .violations
            .into_iter()
            .map(|violation| violation.field)
            .collect()
    }

    #[test]
    fn what_is_proposed_is_shown() {
        let proposed = gold();
        let content = read(&proposed).unwrap();
        assert_eq!(
            (content.calendar.as_str(), content.calendar_revision),
            ("office", 0)
        );
        let state = AgreementState::Asserted;
        let at = Timestamp::EARLIEST;
        let agreement = Found {
            id: "gold".into(),
            state: Agreement {
                content,
                hash: "ab".into(),
                revision: 1,
                state,
                approvals: Vec::new(),
                proposed: None,
                repins: Vec::new(),
                refresh: None,
                due_at: None,
                contest: None,
                closed_at: None,
            },
            revision: 2,
            created_at: at,
            updated_at: at,
        };
        let shown = to_agreement(&ScopeId::partnership("p"), &agreement);
        let expected = v1::Agreement {
            name: "partnerships/p/agreements/gold".into(),
            state: v1::AgreementState::Asserted.into(),
            revision: 1,
            hash: "ab".into(),
            create_time: Some(to_timestamp(at)),
            etag: "\"2\"".into(),
            ..proposed
        };
        assert_eq!(shown, expected);
    }

    #[test]
    fn every_fault_is_listed_by_its_path() {
        let mut agreement = gold();
        agreement.display_name = "  ".into();
        agreement.kind = 99;
        agreement.client = "partnerships/q/clients/acme".into();
        agreement.calendar = String::new();
        agreement.targets[0] = v1::ServiceLevelTarget {
            r#type: 7,
            priority: 6,
            duration: None,
        };
        agreement.pausing_states = vec![3, 3];
        agreement.thresholds_bps = vec![-1];
        agreement.retarget_rule = 4;
        agreement.reopen_rules[0].rule = 0;
        agreement.escalation_levels[0].at = None;
        agreement.escalation_levels[1].r#type = 3;
        agreement.escalation_levels[1].types = vec![0];
        agreement.priority_matrix[0] = v1::PriorityMatrixEntry::default();
        let expected = [
            "agreement.display_name",
            "agreement.kind",
            "agreement.client",
            "agreement.calendar",
            "agreement.targets[0].type",
            "agreement.targets[0].priority",
            "agreement.targets[0].duration",
            "agreement.pausing_states[1]",
            "agreement.thresholds_bps[0]",
            "agreement.retarget_rule",
            "agreement.reopen_rules[0].rule",
            "agreement.escalation_levels[0].at",
            "agreement.escalation_levels[1].type",
            "agreement.escalation_levels[1].types[0]",
            "agreement.priority_matrix[0].scope",
            "agreement.priority_matrix[0].severity",
            "agreement.priority_matrix[0].priority",
        ];
        assert_eq!(fields(&agreement), expected);
    }

    #[test]
    fn lists_are_bounded_before_they_are_read() {
        let mut agreement = gold();
        agreement.pausing_states = vec![3; 10_000];
        agreement.thresholds_bps = vec![1; THRESHOLDS_MAX + 1];
        let found = fields(&agreement);
        assert_eq!(found[0], "agreement.pausing_states");
        assert_eq!(
            found.last().map(String::as_str),
            Some("agreement.thresholds_bps")
        );
        assert!(found.len() < 10);
    }

    #[test]
    fn durations_are_exact() {
        let mut agreement = gold();
        agreement.targets[1].duration = Some(prost_types::Duration {
            seconds: 1,
            nanos: 1,
        });
        let refusal = read(&agreement).unwrap_err();
        assert_eq!(
            (refusal.reason, refusal.violations[0].field.as_str()),
            (Reason::InvalidField, "agreement.targets[1].duration")
        );
    }
}
