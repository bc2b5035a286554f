//! What-ifs: several ways to divide a concession side by side.

use tonic::{Request, Response};

use super::blind::{cost_openings, nowhere};
use super::convert::split::to_cadence_split;
use super::convert::to_evaluation_count;
use super::{PricingService, SHAPE, propose};
use crate::api::convert::parse_name;
use crate::api::faults::Faults;
use crate::api::sla::ticket_event::rpc_status;
use crate::api::status::ApiError;
use crate::api::{Api, Envelope, Member, Mutation, respond};
use crate::domain::command::Action;
use crate::domain::firm::Permission;
use crate::domain::identity::{PartyId, ScopeId};
use crate::domain::pricing::quote::blind::{
    costs, is_blind, openly, require_allowed, require_clauses, stated,
};
use crate::domain::pricing::quote::evaluation::{
    ALTERNATIVES_MAX, evaluation_hash, require_counted,
};
use crate::domain::pricing::quote::proposal::Proposal;
use crate::domain::pricing::quote::{ConcessionSplit, JointQuote, NewConcession, QuoteCommand};
use crate::domain::refusal::Refusal;
use crate::domain::world::View;
use crate::ledger::preview::look;
use crate::proto::v1;

impl PricingService {
    pub(super) async fn evaluate(
        &self,
        request: &Request<v1::EvaluateConcessionRequest>,
    ) -> Result<Response<v1::EvaluateConcessionResponse>, ApiError> {
        let api = &self.0;
        let caller = api.caller(request, Permission::Quotes).await?;
        let asked = request.get_ref();
        let [partnership, id] = parse_name("name", &asked.name, SHAPE)?;
        let scope = ScopeId::partnership(&partnership);
        let alternatives = alternatives(&scope, asked)?;
        let mutation = Mutation {
            scope,
            envelope: Envelope::new(&asked.request_id, &asked.origin, ""),
            action: Action::Quote(QuoteCommand::EvaluateConcession {
                id: id.clone(),
                alternatives: alternatives.clone(),
            }),
            openings: Vec::new(),
        };
        // It is counted before anything is told.
        let receipt = api
            .run(&caller, "EvaluateConcession", request, mutation)
            .await?;
        let (member, found) = api.get::<JointQuote>(&caller, &partnership, &id).await?;
        let mut evaluations = Vec::with_capacity(alternatives.len());
        for alternative in &alternatives {
            let evaluated = evaluated(api, &member, &id, &found.state, alternative).await?;
            evaluations.push(
                evaluated.unwrap_or_else(|refusal| v1::ConcessionEvaluation {
                    error: Some(rpc_status(&refusal)),
                    ..Default::default()
                }),
            );
        }
        let counts = found.state.evaluations.iter();
        let answer = v1::EvaluateConcessionResponse {
            evaluations,
            evaluation_counts: counts.map(to_evaluation_count).collect(),
        };
        Ok(respond(answer, &receipt))
    }
}

/// The alternatives that a request lists, each under the rules of a proposal.
fn alternatives(
    scope: &ScopeId,
    asked: &v1::EvaluateConcessionRequest,
) -> Result<Vec<NewConcession>, Refusal> {
    let mut faults = Faults::default();
    let few = (1..=ALTERNATIVES_MAX).contains(&asked.alternatives.len());
    let rule = format!("1 to {ALTERNATIVES_MAX} alternatives");
    faults.require(few, "alternatives", &rule);
    let mut alternatives = Vec::new();
    let listed = asked.alternatives.iter().enumerate();
    for (index, given) in listed.take(ALTERNATIVES_MAX) {
        let request = v1::ProposeConcessionRequest {
            concession: given.concession.clone(),
            recurring_concessions: given.recurring_concessions.clone(),
            basis: given.basis,
            weights: given.weights.clone(),
            custom_shares: given.custom_shares.clone(),
            rounding: given.rounding,
            shortfall_policy: given.shortfall_policy,
            vendor_money: given.vendor_money.clone(),
            keep_limits: given.keep_limits,
            ..Default::default()
        };
        let read = propose::proposal(scope, &request).map_err(|mut refusal| {
            for violation in &mut refusal.violations {
                violation.field = format!("alternatives[{index}].{}", violation.field);
            }
            refusal
        });
        alternatives.extend(faults.take(read.map(Some)));
    }
    faults.finish()?;
    Ok(alternatives)
}

/// What an alternative comes to for the caller, or why it cannot be divided so.
async fn evaluated(
    api: &Api,
    member: &Member,
    id: &str,
    quote: &JointQuote,
    alternative: &NewConcession,
) -> Result<Result<v1::ConcessionEvaluation, Refusal>, ApiError> {
    let scope = &member.scope();
    let partnership = &member.partnership.state;
    let resolve = |view: &View<'_>| Proposal::resolved(alternative, quote, partnership, view);
    let proposal = match look(&api.ledger, scope, resolve).await? {
        Ok(proposal) => proposal,
        Err(refusal) => return Ok(Err(refusal)),
    };
    let hash = evaluation_hash(scope, id, quote, &proposal, partnership);
    let is_sealed = is_blind(&proposal.basis, &quote.portions);
    let split = if is_sealed {
        by_costs(api, member, quote, &proposal, &hash).await?
    } else {
        let portions: Vec<_> = quote.portions.iter().collect();
        ConcessionSplit::new(nowhere(scope), &portions, proposal)
    };
    let own = &member.party.id;
    Ok(split.map(|split| {
        let cadences = split.cadences.iter();
        let shown = cadences.map(|cadence| to_cadence_split(cadence, quote));
        let mut cadences: Vec<_> = shown.collect();
        if is_sealed {
            for cadence in &mut cadences {
                seal(cadence, own);
            }
        }
        v1::ConcessionEvaluation {
            evaluation_hash: hash,
            cadences,
            error: None,
        }
    }))
}

/// Divides by costs as a proposal would be.
async fn by_costs(
    api: &Api,
    member: &Member,
    quote: &JointQuote,
    proposal: &Proposal,
    hash: &str,
) -> Result<Result<ConcessionSplit, Refusal>, ApiError> {
    // A retry is counted once, so it is told of the same quote alone.
    let allowed = require_allowed(proposal, quote);
    let counted = allowed.and_then(|()| require_counted(quote, &member.party.id, hash));
    if let Err(refusal) = counted {
        return Ok(Err(refusal));
    }
    let scope = &member.scope();
    let openings = cost_openings(api, scope, quote, proposal).await?;
    let basis = &proposal.basis;
    let known = match costs(basis, &quote.portions, quote.currency, &openings) {
        Ok(known) => known,
        // Everything was read just now, so what is closed was erased.
        Err(fault) => return Ok(Err(stated(fault))),
    };
    let split = openly(nowhere(scope), quote, proposal.clone(), &known);
    let partnership = &member.partnership.state;
    Ok(split.and_then(|split| require_clauses(partnership, &split, quote).map(|()| split)))
}

/// Leaves of others' shares only that they are there.
fn seal(cadence: &mut v1::CadenceSplit, own: &PartyId) {
    cadence.party_allocations.clear();
    for share in &mut cadence.shares {
        if share.party_id != own.as_str() {
            *share = v1::AllocationShare {
                portion_id: std::mem::take(&mut share.portion_id),
                party_id: std::mem::take(&mut share.party_id),
                ..Default::default()
            };
        }
    }
}
