//! Concessions that are divided by sealed costs: what a command needs for it, and what its parties are
//! shown of it.

use tonic::{Request, Response};

use super::convert::split::{to_cadence, to_share};
use super::{PricingService, SHAPE};
use crate::api::caller::Caller;
use crate::api::convert::{etag, parse_etag, parse_name};
use crate::api::status::ApiError;
use crate::api::text::Texts;
use crate::api::{Api, Envelope, Mutation};
use crate::domain::command::Action;
use crate::domain::commitment::{Commitment, Opening};
use crate::domain::firm::Permission;
use crate::domain::identity::ScopeId;
use crate::domain::partnership::Partnership;
use crate::domain::pricing::money::Money;
use crate::domain::pricing::quote::blind::{self, Blind, costs, needs_costs};
use crate::domain::pricing::quote::evaluation::needs_counting;
use crate::domain::pricing::quote::proposal::Proposal;
use crate::domain::pricing::quote::split::RevisionPlace;
use crate::domain::pricing::quote::{
    ConcessionRevision, ConcessionSplit, Extras, JointQuote, Line, NewConcession, OpenLine,
    QuoteCommand,
};
use crate::domain::world::View;
use crate::ledger::preview::look;
use crate::proto::v1;
use crate::store::BATCH_KEYS_MAX;

/// How often a proposal is made before a quote that changes each time is given up on: at first without
/// costs, since most need none.
const ATTEMPTS_MAX: usize = 5;

impl PricingService {
    /// Proposes a concession. If it turns out to need costs, it is counted as an evaluation first, unless
    /// the caller was told of it before, and the costs are read.
    pub(super) async fn propose_concession_of(
        &self,
        request: &Request<v1::ProposeConcessionRequest>,
        concession: NewConcession,
    ) -> Result<Response<v1::JointQuote>, ApiError> {
        let api = &self.0;
        let caller = api.caller(request, Permission::Quotes).await?;
        let asked = request.get_ref();
        let [partnership, id] = parse_name("name", &asked.name, SHAPE)?;
        let cited = Some(asked.evaluation_hash.clone()).filter(|hash| !hash.is_empty());
        let (mut blind, mut openings) = (Blind::default(), Vec::new());
        let mut etag = asked.etag.clone();
        let mut attempts = 1..=ATTEMPTS_MAX;
        loop {
            let extras = Extras {
                blind,
                evaluation_hash: cited.clone(),
            };
            let mutation = Mutation {
                scope: ScopeId::partnership(&partnership),
                envelope: Envelope::new(&asked.request_id, &asked.origin, &etag),
                action: Action::Quote(QuoteCommand::ProposeConcession {
                    id: id.clone(),
                    concession: concession.clone(),
                    extras,
                }),
                openings,
            };
            attempts.next();
            match api
                .run(&caller, "ProposeConcession", request, mutation)
                .await
            {
                Ok(receipt) => return self.answer(&caller, &partnership, &receipt).await,
                Err(error) if attempts.is_empty() => return Err(error),
                Err(error) if needs_counting(&error.0) => {
                    self.count(&caller, request, (&partnership, &id), &concession, &etag)
                        .await?;
                    etag = after_one_more(&etag);
                }
                Err(error) if needs_costs(&error.0) => {}
                Err(error) => return Err(error),
            }
            let (member, found) = api.get::<JointQuote>(&caller, &partnership, &id).await?;
            let scope = member.scope();
            let quote = &found.state;
            let partnership = &member.partnership.state;
            (blind, openings) = prepared(api, &scope, quote, partnership, &concession).await?;
        }
    }

    /// Counts a proposal as an evaluation, if the quote still has the etag.
    async fn count(
        &self,
        caller: &Caller,
        request: &Request<v1::ProposeConcessionRequest>,
        (partnership, id): (&str, &str),
        concession: &NewConcession,
        etag: &str,
    ) -> Result<(), ApiError> {
        let mutation = Mutation {
            scope: ScopeId::partnership(partnership),
            // A retry finds it counted by what was evaluated, not by its request.
            envelope: Envelope::new("", &request.get_ref().origin, etag),
            action: Action::Quote(QuoteCommand::EvaluateConcession {
                id: id.to_owned(),
                alternatives: vec![concession.clone()],
            }),
            openings: Vec::new(),
        };
        let api = &self.0;
        api.run(caller, "EvaluateConcession", request, mutation)
            .await?;
        Ok(())
    }

    pub(super) async fn consent(
        &self,
        request: &Request<v1::ConsentToDisclosureRequest>,
    ) -> Result<Response<v1::JointQuote>, ApiError> {
        let asked = request.get_ref();
        let reply = super::Reply {
            method: "ConsentToDisclosure",
            name: &asked.name,
            hash: "",
            reason: "",
            envelope: Envelope::new(&asked.request_id, &asked.origin, &asked.etag),
        };
        let command = |id| QuoteCommand::ConsentToDisclosure { id };
        self.plain_reply(request, reply, command).await
    }

    pub(super) async fn withdraw_consent(
        &self,
        request: &Request<v1::WithdrawDisclosureConsentRequest>,
    ) -> Result<Response<v1::JointQuote>, ApiError> {
        let asked = request.get_ref();
        let reply = super::Reply {
            method: "WithdrawDisclosureConsent",
            name: &asked.name,
            hash: "",
            reason: "",
            envelope: Envelope::new(&asked.request_id, &asked.origin, &asked.etag),
        };
        let command = |id| QuoteCommand::WithdrawDisclosureConsent { id };
        self.plain_reply(request, reply, command).await
    }

    /// Runs an answer that names a quote alone.
    async fn plain_reply<M: prost::Message>(
        &self,
        request: &Request<M>,
        reply: super::Reply<'_>,
        command: impl FnOnce(String) -> QuoteCommand + Send,
    ) -> Result<Response<v1::JointQuote>, ApiError> {
        let api = &self.0;
        let caller = api.caller(request, Permission::Approve).await?;
        let [partnership, id] = parse_name("name", reply.name, SHAPE)?;
        let mutation = Mutation {
            scope: ScopeId::partnership(&partnership),
            envelope: reply.envelope,
            action: Action::Quote(command(id)),
            openings: Vec::new(),
        };
        let receipt = api.run(&caller, reply.method, request, mutation).await?;
        self.answer(&caller, &partnership, &receipt).await
    }
}

/// The etag after one more change; empty for an empty one.
fn after_one_more(before: &str) -> String {
    let revision = parse_etag(before).ok().flatten();
    revision.map_or_else(String::new, |revision| etag(revision.saturating_add(1)))
}

/// What the division of a concession needs, and the openings of the lines that come of it. Where it
/// cannot be divided, the decision says why.
async fn prepared(
    api: &Api,
    scope: &ScopeId,
    quote: &JointQuote,
    partnership: &Partnership,
    concession: &NewConcession,
) -> Result<(Blind, Vec<Opening>), ApiError> {
    let resolve = |view: &View<'_>| Proposal::resolved(concession, quote, partnership, view);
    let Ok(proposal) = look(&api.ledger, scope, resolve).await? else {
        return Ok((Blind::default(), Vec::new()));
    };
    let mut blind = Blind {
        costs: cost_openings(api, scope, quote, &proposal).await?,
        salts: quote.portions.iter().map(|_| api.salt()).collect(),
        lines: Vec::new(),
    };
    let known = costs(
        &proposal.basis,
        &quote.portions,
        quote.currency,
        &blind.costs,
    );
    let Ok(known) = known else {
        return Ok((blind, Vec::new()));
    };
    let divided = blind::divide(nowhere(scope), quote, proposal, &known, &blind.salts);
    let Ok((split, openings)) = divided else {
        return Ok((blind, Vec::new()));
    };
    blind.lines = split.sealed_lines().cloned().collect();
    Ok((blind, openings))
}

/// Lines do not depend on which revision they are of.
pub(super) const fn nowhere(scope: &ScopeId) -> RevisionPlace<'_> {
    RevisionPlace {
        scope,
        quote: "",
        number: 0,
        previous_hash: "",
    }
}

/// The openings of the costs that a division needs, whoever may read them.
pub(super) async fn cost_openings(
    api: &Api,
    scope: &ScopeId,
    quote: &JointQuote,
    proposal: &Proposal,
) -> Result<Vec<Opening>, ApiError> {
    let needed = blind::needed(&proposal.basis, &quote.portions);
    let needed = needed.filter_map(|portion| portion.internal_cost.clone());
    let needed: Vec<Commitment> = needed.collect();
    let mut openings = Vec::with_capacity(needed.len());
    for chunk in needed.chunks(BATCH_KEYS_MAX) {
        openings.extend(api.ledger.store().openings(scope, chunk).await?);
    }
    Ok(openings)
}

/// A revision's split with those lines open that the viewer may read.
pub(super) fn readable(split: &ConcessionSplit, texts: &Texts) -> ConcessionSplit {
    split.opened(|commitment| Some(texts.show(Some(commitment))))
}

/// Whether a revision was divided by sealed costs.
pub(super) fn is_sealed(revision: &ConcessionRevision) -> bool {
    revision.split.sealed_lines().next().is_some()
}

/// The lines of a revision that was divided by sealed costs: the viewer's own in full, of others only
/// that there is one.
pub(super) fn lines(
    quote: &JointQuote,
    revision: &ConcessionRevision,
    texts: &Texts,
) -> Vec<v1::AllocationLine> {
    let opened = readable(&revision.split, texts);
    let mut lines = Vec::with_capacity(opened.line_count());
    for cadence in &opened.cadences {
        for line in &cadence.lines {
            let sentence = line.open().map(|open| sentence(quote, line, open));
            lines.push(v1::AllocationLine {
                sentence: sentence.unwrap_or_default(),
                share: Some(to_share(line, quote)),
                cadence: to_cadence(cadence.cadence).into(),
                steps: Vec::new(),
            });
        }
    }
    lines
}

fn sentence(quote: &JointQuote, line: &Line, open: &OpenLine) -> String {
    let money = |minor| Money::from_minor(quote.currency, minor);
    let weight = i64::try_from(open.weight).unwrap_or(i64::MAX);
    let limit = if open.is_at_floor {
        ", which is all that it can bear"
    } else {
        ""
    };
    format!(
        "{} bears {} by a weight of {}{limit}; its price goes from {} to {}.",
        line.portion_id,
        money(open.share),
        money(weight),
        money(open.price_before),
        money(open.price_after)
    )
}
