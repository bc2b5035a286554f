//! Work that is said to be done: what is shown for it, and what the other side says to it.

use prost::Message;
use tonic::{Request, Response};

use super::evidence::{evidence, to_evidence};
use super::parse::Intake;
use super::{ExpectationService, SHAPE};
use crate::api::caller::Caller;
use crate::api::convert::{parse_name, to_firm, to_timestamp};
use crate::api::status::ApiError;
use crate::api::text::Texts;
use crate::api::{Envelope, Mutation};
use crate::domain::command::Action;
use crate::domain::commitment::Commitment;
use crate::domain::evidence::Evidence;
use crate::domain::expectation::five_w::CRITERIA_MAX;
use crate::domain::expectation::{
    Acceptance, CriterionEvidence, CriterionReason, Dispute, EVIDENCE_MAX, ExpectationCommand,
    Fulfilment, WorkShown,
};
use crate::domain::firm::Permission;
use crate::domain::identity::ScopeId;
use crate::proto::v1;

/// What a method answers.
type Answer = Result<Response<v1::Expectation>, ApiError>;

pub(super) async fn fulfil(
    service: &ExpectationService,
    request: &Request<v1::FulfilExpectationRequest>,
) -> Answer {
    let asked = request.get_ref();
    let envelope = Envelope::new(&asked.request_id, &asked.origin, &asked.etag);
    let given = (&asked.evidence[..], &asked.criteria[..]);
    let command = |intake: &mut Intake<'_>, caller: &Caller, scope: &ScopeId, id| {
        let message = intake.text("message", &asked.message);
        let shown = shown(intake, caller, scope, "criteria", given);
        ExpectationCommand::Fulfil { id, message, shown }
    };
    let method = "FulfilExpectation";
    say(service, request, method, &asked.name, envelope, command).await
}

pub(super) async fn accept(
    service: &ExpectationService,
    request: &Request<v1::AcceptFulfilmentRequest>,
) -> Answer {
    let asked = request.get_ref();
    let envelope = Envelope::new(&asked.request_id, &asked.origin, &asked.etag);
    let given = (&asked.evidence[..], &asked.criteria_met[..]);
    let command = |intake: &mut Intake<'_>, caller: &Caller, scope: &ScopeId, id| {
        let message = intake.text("message", &asked.message);
        let shown = shown(intake, caller, scope, "criteria_met", given);
        ExpectationCommand::AcceptFulfilment {
            id,
            shown,
            on_behalf_of_client: asked.on_behalf_of_client,
            message,
        }
    };
    let method = "AcceptFulfilment";
    say(service, request, method, &asked.name, envelope, command).await
}

pub(super) async fn dispute(
    service: &ExpectationService,
    request: &Request<v1::DisputeFulfilmentRequest>,
) -> Answer {
    let asked = request.get_ref();
    let envelope = Envelope::new(&asked.request_id, &asked.origin, &asked.etag);
    let command = |intake: &mut Intake<'_>, _: &Caller, _: &ScopeId, id| {
        let reason = intake.text("reason", &asked.reason);
        let criteria = reasons(intake, &asked.criteria_not_met);
        ExpectationCommand::DisputeFulfilment {
            id,
            reason,
            criteria,
        }
    };
    let method = "DisputeFulfilment";
    say(service, request, method, &asked.name, envelope, command).await
}

/// Runs what a party says about work; `command` reads the rest of the request.
async fn say<M: Message>(
    service: &ExpectationService,
    request: &Request<M>,
    method: &str,
    name: &str,
    envelope: Envelope,
    command: impl FnOnce(&mut Intake<'_>, &Caller, &ScopeId, String) -> ExpectationCommand + Send,
) -> Answer {
    let caller = service.0.caller(request, Permission::Approve).await?;
    let mut intake = Intake::new(&service.0);
    let name = parse_name("name", name, SHAPE);
    let [partnership, id] = intake.faults.take(name);
    let scope = ScopeId::partnership(&partnership);
    let command = command(&mut intake, &caller, &scope, id);
    let mutation = Mutation {
        scope,
        envelope,
        action: Action::Expectation(command),
        openings: intake.finish()?,
    };
    service.run(&caller, method, request, mutation).await
}

/// What is shown for work; `field` is the path of the criteria. What is beyond a limit is not read.
fn shown(
    intake: &mut Intake<'_>,
    caller: &Caller,
    scope: &ScopeId,
    field: &str,
    (whole, criteria): (&[v1::Evidence], &[v1::CriterionEvidence]),
) -> WorkShown {
    if criteria.len() > CRITERIA_MAX {
        let why = format!("no more than {CRITERIA_MAX}");
        intake.faults.require(false, field, &why);
        return WorkShown::default();
    }
    let cited = whole.len() + criteria.iter().map(|it| it.evidence.len()).sum::<usize>();
    if cited > EVIDENCE_MAX {
        let why = format!("no more than {EVIDENCE_MAX} in all");
        intake.faults.require(false, "evidence", &why);
        return WorkShown::default();
    }
    let read = |intake: &mut Intake<'_>, field: &str, given: &[v1::Evidence]| {
        let mut pieces = Vec::with_capacity(given.len());
        for (index, given) in given.iter().enumerate() {
            let piece = evidence(caller, scope, &format!("{field}[{index}]"), given);
            pieces.extend(intake.faults.take(piece.map(Some)));
        }
        pieces
    };
    let evidence: Vec<Evidence> = read(intake, "evidence", whole);
    let criteria = criteria.iter().enumerate().map(|(index, criterion)| {
        let field = format!("{field}[{index}]");
        CriterionEvidence {
            index: criterion.criterion,
            evidence: read(intake, &format!("{field}.evidence"), &criterion.evidence),
            note: intake.note(&format!("{field}.note"), &criterion.note),
        }
    });
    let criteria = criteria.collect();
    WorkShown { evidence, criteria }
}

/// Why criteria are not met.
fn reasons(intake: &mut Intake<'_>, given: &[v1::CriterionReason]) -> Vec<CriterionReason> {
    const FIELD: &str = "criteria_not_met";
    if given.len() > CRITERIA_MAX {
        let why = format!("no more than {CRITERIA_MAX}");
        intake.faults.require(false, FIELD, &why);
        return Vec::new();
    }
    let mut reasons = Vec::with_capacity(given.len());
    for (position, criterion) in given.iter().enumerate() {
        let field = format!("{FIELD}[{position}].reason");
        let is_given = !criterion.reason.is_empty();
        intake.faults.require(is_given, &field, "must not be empty");
        let reason = intake.note(&field, &criterion.reason);
        reasons.extend(reason.map(|reason| CriterionReason {
            index: criterion.criterion,
            reason,
        }));
    }
    reasons
}

/// Every text of a fulfilment and of what was said to it.
pub(super) fn collect(fulfilment: &Fulfilment, commitments: &mut Vec<Commitment>) {
    let dispute = fulfilment.dispute.as_ref();
    let acceptance = fulfilment.acceptance.as_ref();
    let statements = [
        Some(&fulfilment.statement),
        dispute.map(|dispute| &dispute.statement),
        acceptance.map(|acceptance| &acceptance.statement),
    ];
    let texts = statements.into_iter().flatten();
    commitments.extend(texts.filter_map(|statement| statement.text.clone()));
    let shown = [Some(&fulfilment.shown), acceptance.map(|it| &it.shown)];
    let notes = shown.into_iter().flatten().flat_map(WorkShown::notes);
    commitments.extend(notes.cloned());
    let reasons = dispute.into_iter().flat_map(|dispute| &dispute.criteria);
    commitments.extend(reasons.map(|criterion| criterion.reason.clone()));
}

pub(super) fn to_round(
    scope: &ScopeId,
    fulfilment: &Fulfilment,
    texts: &Texts,
) -> v1::FulfilmentRound {
    let number = |number: u32| i32::try_from(number).unwrap_or(i32::MAX);
    let acceptance = fulfilment.acceptance.as_ref();
    v1::FulfilmentRound {
        number: number(fulfilment.number),
        offer_number: number(fulfilment.offer_number),
        fulfilment: Some(to_fulfilment(scope, fulfilment, texts)),
        dispute: fulfilment
            .dispute
            .as_ref()
            .map(|dispute| to_dispute(dispute, texts)),
        acceptance: acceptance.map(|acceptance| to_acceptance(scope, acceptance, texts)),
    }
}

pub(super) fn to_fulfilment(
    scope: &ScopeId,
    fulfilment: &Fulfilment,
    texts: &Texts,
) -> v1::Fulfilment {
    let said = &fulfilment.statement;
    v1::Fulfilment {
        party_id: said.party.to_string(),
        firm: to_firm(said.firm.as_ref()),
        message: texts.show(said.text.as_ref()),
        fulfil_time: Some(to_timestamp(said.at)),
        criteria: to_criteria(scope, &fulfilment.shown, texts),
        evidence: to_pieces(scope, &fulfilment.shown.evidence),
    }
}

pub(super) fn to_acceptance(
    scope: &ScopeId,
    acceptance: &Acceptance,
    texts: &Texts,
) -> v1::Acceptance {
    let said = &acceptance.statement;
    v1::Acceptance {
        party_id: said.party.to_string(),
        firm: to_firm(said.firm.as_ref()),
        criteria_met: to_criteria(scope, &acceptance.shown, texts),
        message: texts.show(said.text.as_ref()),
        accept_time: Some(to_timestamp(said.at)),
        guest_link_id: said.guest_link.clone().unwrap_or_default(),
        evidence: to_pieces(scope, &acceptance.shown.evidence),
        on_behalf_of_client: acceptance.on_behalf_of_client,
    }
}

pub(super) fn to_dispute(dispute: &Dispute, texts: &Texts) -> v1::Dispute {
    let said = &dispute.statement;
    let criteria = dispute.criteria.iter();
    let criteria = criteria.map(|criterion| v1::CriterionReason {
        criterion: criterion.index,
        reason: texts.show(Some(&criterion.reason)),
    });
    v1::Dispute {
        party_id: said.party.to_string(),
        firm: to_firm(said.firm.as_ref()),
        reason: texts.show(said.text.as_ref()),
        dispute_time: Some(to_timestamp(said.at)),
        guest_link_id: said.guest_link.clone().unwrap_or_default(),
        criteria_not_met: criteria.collect(),
    }
}

fn to_criteria(scope: &ScopeId, shown: &WorkShown, texts: &Texts) -> Vec<v1::CriterionEvidence> {
    let criteria = shown.criteria.iter();
    let criteria = criteria.map(|criterion| v1::CriterionEvidence {
        criterion: criterion.index,
        evidence: to_pieces(scope, &criterion.evidence),
        note: texts.show(criterion.note.as_ref()),
    });
    criteria.collect()
}

fn to_pieces(scope: &ScopeId, evidence: &[Evidence]) -> Vec<v1::Evidence> {
    let pieces = evidence.iter();
    pieces.map(|piece| to_evidence(scope, piece)).collect()
}
