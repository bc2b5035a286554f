//! What-ifs: several ways to divide a concession side by side. They change nothing but a count, which
//! every party sees, since answers about sealed costs add up.
//!
//! A refusal is an answer too: whoever proposes often enough finds a floor. So what is divided by costs
//! is proposed only once its proposer evaluated just that, as it would be divided now. Whatever a
//! proposal is answered has been counted, and nothing is told twice that was counted once.

use std::collections::BTreeSet;

use serde::{Deserialize, Serialize};

use super::blind::{is_blind, require_allowed};
use super::decide::{Caller, refuse_expired};
use super::portion::Portion;
use super::proposal::{NewConcession, Proposal};
use super::{JointQuote, JointQuoteEvent};
use crate::domain::command::Decision;
use crate::domain::content_hash;
use crate::domain::identity::{PartyId, ScopeId};
use crate::domain::partnership::Partnership;
use crate::domain::pricing::allocation::ENGINE_VERSION;
use crate::domain::record::{Event, Kind};
use crate::domain::refusal::{Reason, Refusal, Violations};
use crate::domain::world::{Stop, for_each};

/// Most alternatives that one party evaluates on one quote.
pub const WHAT_IFS_PER_PARTY_MAX: u32 = 100;
/// Most alternatives side by side.
pub const ALTERNATIVES_MAX: usize = 10;
/// Names the type and the version of what an evaluation's hash covers.
const FORM: &str = "entente.evaluation.v1";
/// What is said of a division by costs that was not counted.
const NOT_COUNTED: &str = "the quote changed since this was counted; evaluate it again";

/// How many alternatives a party evaluated.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct EvaluationCount {
    /// Which party.
    pub party: PartyId,
    /// How many.
    pub count: u32,
    /// The evaluation hashes of those that were divided by costs, in order.
    #[serde(default, skip_serializing_if = "BTreeSet::is_empty")]
    pub by_costs: BTreeSet<String>,
}

/// A party evaluated alternatives. What they were is not kept, only that they were, and hashes of those
/// that were divided by costs.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ConcessionEvaluated {
    /// Which party.
    pub party: PartyId,
    /// How many alternatives.
    pub alternatives: u32,
    /// The evaluation hashes of those that were divided by costs, in order.
    #[serde(default, skip_serializing_if = "BTreeSet::is_empty")]
    pub by_costs: BTreeSet<String>,
}

/// What an evaluation's hash covers: everything that its outcome depends on, as it is committed to,
/// and nothing of what is sealed.
#[derive(Serialize)]
struct Content<'content> {
    scope: &'content ScopeId,
    quote: &'content str,
    portions: &'content [Portion],
    proposal: &'content Proposal,
    terms: Option<&'content str>,
    consents: Vec<&'content PartyId>,
    engine_version: u32,
}

/// The hash of what a proposal would be evaluated from now, as 64 lower-case hexadecimal digits:
/// SHA-256 over `entente.evaluation.v1`, a zero byte, and as JSON scope, quote, portions, proposal, the
/// hash of the terms, the parties that consented to disclosure, and the version of the method.
#[must_use]
pub fn evaluation_hash(
    scope: &ScopeId,
    id: &str,
    quote: &JointQuote,
    proposal: &Proposal,
    partnership: &Partnership,
) -> String {
    // When the client asked changes nothing of what comes of it.
    let proposal = &Proposal {
        negotiation_round: None,
        ..proposal.clone()
    };
    let terms = partnership.terms.as_ref();
    let consents = quote.disclosure_consents.iter();
    let content = Content {
        scope,
        quote: id,
        portions: &quote.portions,
        proposal,
        terms: terms.map(|terms| terms.hash.as_str()),
        consents: consents.map(|consent| &consent.party).collect(),
        engine_version: ENGINE_VERSION,
    };
    content_hash(FORM, &content)
}

/// Refuses a proposal that cites an evaluation of something else. What it should cite is only computed
/// where it cites anything.
///
/// # Errors
/// [`Reason::StaleEvaluation`].
pub(super) fn require_fresh(
    cited: Option<&str>,
    current: impl FnOnce() -> String,
) -> Result<(), Refusal> {
    if cited.is_none_or(|cited| cited == current()) {
        return Ok(());
    }
    let why = "what was evaluated is not what would be proposed now; evaluate it again";
    Err(Refusal::field(
        Reason::StaleEvaluation,
        "evaluation_hash",
        why,
    ))
}

/// Refuses what is divided by costs and was not counted as an evaluation of this party.
///
/// # Errors
/// [`Reason::StaleEvaluation`], for which [`needs_counting`] holds.
pub fn require_counted(quote: &JointQuote, party: &PartyId, current: &str) -> Result<(), Refusal> {
    let mut counts = quote.evaluations.iter();
    let is_counted = counts.any(|found| found.party == *party && found.by_costs.contains(current));
    if is_counted {
        return Ok(());
    }
    Err(Refusal::field(
        Reason::StaleEvaluation,
        "evaluation_hash",
        NOT_COUNTED,
    ))
}

/// Whether a refusal says that just this has to be evaluated first.
#[must_use]
pub fn needs_counting(refusal: &Refusal) -> bool {
    let mut violations = refusal.violations.iter();
    refusal.reason == Reason::StaleEvaluation
        && violations.any(|violation| violation.description == NOT_COUNTED)
}

impl JointQuote {
    /// How many alternatives a party evaluated.
    #[must_use]
    pub fn evaluated_by(&self, party: &PartyId) -> u32 {
        let mut counts = self.evaluations.iter();
        let found = counts.find(|found| found.party == *party);
        found.map_or(0, |found| found.count)
    }

    pub(super) fn count_evaluation(&mut self, evaluated: &ConcessionEvaluated) -> Option<()> {
        let mut counts = self.evaluations.iter_mut();
        match counts.find(|found| found.party == evaluated.party) {
            Some(found) => {
                found.count = found.count.checked_add(evaluated.alternatives)?;
                found.by_costs.extend(evaluated.by_costs.iter().cloned());
            }
            None => self.evaluations.push(EvaluationCount {
                party: evaluated.party.clone(),
                count: evaluated.alternatives,
                by_costs: evaluated.by_costs.clone(),
            }),
        }
        Some(())
    }
}

/// Decides an evaluation: whether there may be one more, and that it is counted.
pub(super) fn evaluate(
    id: &str,
    alternatives: &[NewConcession],
    caller: Caller<'_>,
) -> Result<Decision, Stop> {
    let quote = caller.view.get::<JointQuote>(id)?;
    refuse_expired(quote, "EvaluateConcession", caller.view.now)?;
    let mut violations = Violations::default();
    let few = (1..=ALTERNATIVES_MAX).contains(&alternatives.len());
    let rule = format!("1 to {ALTERNATIVES_MAX} alternatives");
    violations.require(few, "alternatives", &rule);
    violations.finish()?;
    let number = u32::try_from(alternatives.len()).unwrap_or(u32::MAX);
    let before = quote.evaluated_by(caller.party);
    if before.saturating_add(number) > WHAT_IFS_PER_PARTY_MAX {
        let most = usize::try_from(WHAT_IFS_PER_PARTY_MAX).unwrap_or(usize::MAX);
        let refusal = Refusal::limit("evaluations_per_party_and_quote", most);
        return Err(refusal.with("evaluated", before).into());
    }
    let evaluated = ConcessionEvaluated {
        party: caller.party.clone(),
        alternatives: number,
        by_costs: by_costs(id, quote, alternatives, caller)?,
    };
    let event = JointQuoteEvent::ConcessionEvaluated(evaluated);
    Ok(Decision::about(Kind::JointQuote, id).event(Event::new(id, event)))
}

/// The hashes of those alternatives that costs will be looked at for.
fn by_costs(
    id: &str,
    quote: &JointQuote,
    alternatives: &[NewConcession],
    caller: Caller<'_>,
) -> Result<BTreeSet<String>, Stop> {
    let Caller {
        partnership, view, ..
    } = caller;
    let hashes = for_each(alternatives, |alternative| {
        let proposal = match Proposal::resolved(alternative, quote, partnership, &view) {
            Ok(proposal) => proposal,
            Err(Stop::Refused(_)) => return Ok(None),
            Err(missing) => return Err(missing),
        };
        let is_told =
            is_blind(&proposal.basis, &quote.portions) && require_allowed(&proposal, quote).is_ok();
        let hash = || evaluation_hash(view.scope, id, quote, &proposal, partnership);
        Ok(is_told.then(hash))
    })?;
    Ok(hashes.into_iter().flatten().collect())
}
