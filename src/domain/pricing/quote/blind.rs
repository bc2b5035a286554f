//! Concessions that are divided by costs which only their owners may know.
//!
//! The API may read all openings. It hands those of the costs over with the command, with fresh salts
//! for what comes of them; neither is journalled. The decision checks that each opening is genuine,
//! divides, and cites commitments to the lines. Each line's opening is for its owner alone. Both sides
//! call the same functions, so they agree; where they do not, the quote changed in between.

use std::collections::BTreeMap;

use super::basis::Basis;
use super::clauses::refuse_broken;
use super::decide::Caller;
use super::disclosure::require_consents;
use super::portion::Portion;
use super::proposal::{Proposal, ShortfallPolicy};
use super::split::{ConcessionSplit, OpenLine, Outcome, RevisionPlace};
use super::{JointQuote, cost};
use crate::domain::commitment::{Commitment, Opening, Readers, SALT_BYTES};
use crate::domain::partnership::Partnership;
use crate::domain::pricing::division::{BPS_TOTAL, Slice};
use crate::domain::pricing::money::Currency;
use crate::domain::redaction::Redaction;
use crate::domain::refusal::{Reason, Refusal};
use crate::domain::world::{Stop, for_each};

/// Label under which every sealed line of a division stands.
pub const LINE_LABEL: &str = "concession.line";
/// What is said where openings do not fit the quote as it is now.
const CHANGED: &str = "the quote changed while its costs were read";

/// Costs in a quote's currency and its minor units, by portion.
pub type Costs = BTreeMap<String, u64>;

/// What the API brings for a division by costs.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Blind {
    /// The openings of the costs that are needed.
    pub costs: Vec<Opening>,
    /// Fresh salts, one for each portion in the order of their ids.
    pub salts: Vec<[u8; SALT_BYTES]>,
    /// The commitments to the lines whose openings go with the command, cadence by cadence.
    pub lines: Vec<Commitment>,
}

/// Whether dividing by `basis` needs costs: as weights, or for a floor that follows from one.
#[must_use]
pub fn is_blind(basis: &Basis, portions: &[Portion]) -> bool {
    basis.is_of_costs() || portions.iter().any(has_derived_floor)
}

/// Whether a floor follows from its sealed cost.
#[must_use]
pub fn has_derived_floor(portion: &Portion) -> bool {
    portion.minimum_margin_bps.is_some() && !portion.is_at_cost()
}

/// The portions whose costs are needed.
pub fn needed<'portion>(
    basis: &Basis,
    portions: &'portion [Portion],
) -> impl Iterator<Item = &'portion Portion> {
    let every = basis.is_of_costs();
    let is_needed =
        move |portion: &&Portion| !portion.is_at_cost() && (every || has_derived_floor(portion));
    portions.iter().filter(is_needed)
}

/// Why costs cannot be used.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum CostFault {
    /// The owners of these portions stated none.
    NotStated(Vec<String>),
    /// There is no genuine opening for those of these portions.
    Closed(Vec<(String, Commitment)>),
    /// The cost of a portion does not fit the quote's currency.
    Unfit(String),
}

/// The costs that are needed, from their openings.
///
/// # Errors
/// [`CostFault`].
pub fn costs(
    basis: &Basis,
    portions: &[Portion],
    currency: Currency,
    openings: &[Opening],
) -> Result<Costs, CostFault> {
    let without = not_stated(basis, portions);
    if !without.is_empty() {
        return Err(CostFault::NotStated(without));
    }
    let mut costs = Costs::new();
    let mut closed = Vec::new();
    for portion in needed(basis, portions) {
        let Some(commitment) = &portion.internal_cost else {
            continue;
        };
        let mut openings = openings.iter();
        let opening = openings.find(|opening| opening.commitment == *commitment);
        match opening.filter(|opening| opening.label == cost::LABEL && opening.is_genuine()) {
            None => closed.push((portion.id.clone(), commitment.clone())),
            Some(opening) => {
                let found = in_quote(portion, &opening.value, currency);
                let found = found.ok_or_else(|| CostFault::Unfit(portion.id.clone()))?;
                costs.insert(portion.id.clone(), found);
            }
        }
    }
    if closed.is_empty() {
        Ok(costs)
    } else {
        Err(CostFault::Closed(closed))
    }
}

/// What a sealed text says that a portion costs, in the quote's currency.
fn in_quote(portion: &Portion, text: &str, currency: Currency) -> Option<u64> {
    let exchange = portion.cost_exchange.as_ref();
    let stated = exchange.map_or(currency, |exchange| exchange.currency);
    let stated = cost::from_text(text, stated)?;
    let converted = cost::converted(stated, exchange, currency)?;
    u64::try_from(converted.minor).ok()
}

/// The portion as a slice, with its cost and the floor that follows from it as far as they are known.
#[must_use]
pub fn slice(portion: &Portion, costs: &Costs) -> Slice {
    let mut slice = portion.slice();
    // What bears nothing has no need of a weight.
    slice.cost = match costs.get(&portion.id) {
        Some(cost) => Some(*cost),
        None => portion.is_at_cost().then_some(0),
    };
    if let Some((cost, bps)) = slice.cost.zip(portion.minimum_margin_bps) {
        let derived = derived_floor(cost, bps);
        slice.floor = slice.floor.max(derived).min(slice.price);
    }
    slice
}

/// A cost with a margin on top, rounded up; the largest number there is, if that is more.
#[must_use]
pub fn derived_floor(cost: u64, margin_bps: u32) -> u64 {
    let scaled = u128::from(cost) * u128::from(BPS_TOTAL + u64::from(margin_bps));
    u64::try_from(scaled.div_ceil(u128::from(BPS_TOTAL))).unwrap_or(u64::MAX)
}

impl ConcessionSplit {
    /// The split with every line sealed, and the openings of the lines, each for its owner alone.
    /// `None` if there are fewer salts than portions.
    #[must_use]
    pub fn sealed(
        mut self,
        place: RevisionPlace<'_>,
        portions: &[&Portion],
        salts: &[[u8; SALT_BYTES]],
    ) -> Option<(Self, Vec<Opening>)> {
        let mut openings = Vec::with_capacity(portions.len());
        let lines = self.cadences.iter_mut();
        for line in lines.flat_map(|cadence| &mut cadence.lines) {
            let Outcome::Open(open) = &line.outcome else {
                continue;
            };
            let mut ids = portions.iter();
            let index = ids.position(|portion| portion.id == line.portion_id)?;
            let value = serde_json::to_string(open).ok()?;
            let readers = Readers::Parties(vec![line.owner.clone()]);
            let opening = Opening::seal(LINE_LABEL, &value, *salts.get(index)?, readers);
            line.outcome = Outcome::Sealed(opening.commitment.clone());
            openings.push(opening);
        }
        self.hash = self.hash_over(place, portions);
        Some((self, openings))
    }

    /// The split with those lines open whose opening `read` finds.
    #[must_use]
    pub fn opened(&self, read: impl Fn(&Commitment) -> Option<String>) -> Self {
        let mut opened = self.clone();
        let lines = opened.cadences.iter_mut();
        for line in lines.flat_map(|cadence| &mut cadence.lines) {
            if let Outcome::Sealed(commitment) = &line.outcome
                && let Some(numbers) = read(commitment).and_then(|text| line_of(&text))
            {
                line.outcome = Outcome::Open(numbers);
            }
        }
        opened
    }

    /// The commitments to its sealed lines.
    pub fn sealed_lines(&self) -> impl Iterator<Item = &Commitment> {
        self.lines().filter_map(|line| match &line.outcome {
            Outcome::Sealed(commitment) => Some(commitment),
            Outcome::Open(_) => None,
        })
    }
}

/// The numbers of a line from the text that was sealed.
#[must_use]
pub fn line_of(text: &str) -> Option<OpenLine> {
    serde_json::from_str(text).ok()
}

/// Divides what is proposed by its costs and seals the lines: what the API and the decision both do.
///
/// # Errors
/// A refusal that tells nothing of any cost.
pub fn divide(
    place: RevisionPlace<'_>,
    quote: &JointQuote,
    proposal: Proposal,
    costs: &Costs,
    salts: &[[u8; SALT_BYTES]],
) -> Result<(ConcessionSplit, Vec<Opening>), Refusal> {
    let portions: Vec<&Portion> = quote.portions.iter().collect();
    let split = openly(place, quote, proposal, costs)?;
    split.sealed(place, &portions, salts).ok_or_else(changed)
}

/// Divides what is proposed by its costs, with every line open: for whoever only passes on what each may
/// know.
///
/// # Errors
/// A refusal that tells nothing of any cost.
pub fn openly(
    place: RevisionPlace<'_>,
    quote: &JointQuote,
    proposal: Proposal,
    costs: &Costs,
) -> Result<ConcessionSplit, Refusal> {
    let portions: Vec<&Portion> = quote.portions.iter().collect();
    ConcessionSplit::with_costs(place, &portions, proposal, costs)
        .map_err(|refusal| untold(&refusal))
}

/// Refuses what may not be divided by costs, or lacks some, before any of them is looked at: this tells
/// nothing that is not known.
///
/// # Errors
/// [`Reason::InvalidField`], [`Reason::CostWouldBeDisclosed`], [`Reason::WeightsInvalid`].
pub fn require_allowed(proposal: &Proposal, quote: &JointQuote) -> Result<(), Refusal> {
    require_reject(proposal)?;
    require_consents(&proposal.basis, quote)?;
    let without = not_stated(&proposal.basis, &quote.portions);
    if without.is_empty() {
        return Ok(());
    }
    Err(stated(CostFault::NotStated(without)))
}

/// The portions whose costs are needed and were not stated.
fn not_stated(basis: &Basis, portions: &[Portion]) -> Vec<String> {
    let without = needed(basis, portions).filter(|portion| portion.internal_cost.is_none());
    without.map(|portion| portion.id.clone()).collect()
}

/// Refuses a split with open lines that breaks clauses, naming them and no number.
///
/// # Errors
/// [`Reason::ClauseViolated`].
pub fn require_clauses(
    partnership: &Partnership,
    split: &ConcessionSplit,
    quote: &JointQuote,
) -> Result<(), Refusal> {
    let Some(terms) = &partnership.terms else {
        return Ok(());
    };
    let kept = refuse_broken(&terms.content.pricing_clauses, split, quote);
    kept.map_err(|mut refusal| {
        for violation in &mut refusal.violations {
            "is not kept; by how much is not told".clone_into(&mut violation.description);
        }
        let mut told = Refusal::fields(refusal.reason, refusal.violations);
        let names = refusal.metadata.into_iter();
        told.metadata = names.filter(|(key, _)| *key == "clauses").collect();
        told
    })
}

/// A refusal of a division without any number that came of a cost.
fn untold(refusal: &Refusal) -> Refusal {
    match refusal.reason {
        Reason::OutOfRange | Reason::Internal => {
            Refusal::new(refusal.reason, "an amount does not fit 64 bits")
        }
        _ => Refusal::new(
            Reason::ConcessionShortfall,
            "what the portions may bear does not allow this concession; how much is lacking is not told",
        ),
    }
}

/// Decides a split that needs costs, which [`require_allowed`] let pass and which was evaluated before: a
/// refusal tells no more than that did.
///
/// # Errors
/// A refusal that tells nothing of any cost, or what has to be loaded first.
pub(super) fn decide(
    place: RevisionPlace<'_>,
    quote: &JointQuote,
    proposal: Proposal,
    blind: &Blind,
    caller: Caller<'_>,
) -> Result<ConcessionSplit, Stop> {
    let basis = &proposal.basis;
    let costs = match costs(basis, &quote.portions, quote.currency, &blind.costs) {
        Ok(costs) => costs,
        Err(fault) => return Err(refused(fault, caller)?.into()),
    };
    let open = openly(place, quote, proposal, &costs)?;
    require_clauses(caller.partnership, &open, quote)?;
    let portions: Vec<&Portion> = quote.portions.iter().collect();
    let sealed = open.sealed(place, &portions, &blind.salts);
    let (split, _) = sealed.ok_or_else(changed)?;
    if !split.sealed_lines().eq(&blind.lines) {
        return Err(changed().into());
    }
    Ok(split)
}

/// What floors leave over would tell of costs, whoever bears it.
fn require_reject(proposal: &Proposal) -> Result<(), Refusal> {
    if proposal.shortfall_policy == ShortfallPolicy::Reject {
        return Ok(());
    }
    let why = "must be REJECT where sealed costs say what portions may bear";
    Err(Refusal::field(
        Reason::InvalidField,
        "shortfall_policy",
        why,
    ))
}

/// What to say of costs that cannot be used: they were not stated, or erased, or the quote changed.
fn refused(fault: CostFault, caller: Caller<'_>) -> Result<Refusal, Stop> {
    let CostFault::Closed(closed) = fault else {
        return Ok(stated(fault));
    };
    let erased = for_each(&closed, |(_, commitment)| {
        let found = caller.view.find::<Redaction>(commitment.as_str())?;
        Ok(found.is_some())
    })?;
    let both = closed.into_iter().zip(erased);
    let erased = both.filter_map(|(closed, is_erased)| is_erased.then_some(closed));
    let erased: Vec<_> = erased.collect();
    if erased.is_empty() {
        return Ok(changed());
    }
    Ok(stated(CostFault::Closed(erased)))
}

/// The refusal of costs that were not stated, do not fit, or were erased.
#[must_use]
pub fn stated(fault: CostFault) -> Refusal {
    match fault {
        CostFault::NotStated(portions) => {
            let portions = portions.join(",");
            let why = format!("the cost of {portions} is not stated");
            let refusal = Refusal::field(Reason::WeightsInvalid, "basis", why);
            refusal.with("portion_ids", portions)
        }
        CostFault::Unfit(portion) => {
            let why = "a cost does not fit the quote's currency";
            Refusal::new(Reason::OutOfRange, why).with("portion_id", portion)
        }
        CostFault::Closed(closed) => {
            let erased: Vec<String> = closed.into_iter().map(|(portion, _)| portion).collect();
            let erased = erased.join(",");
            let why = format!("the cost of {erased} was erased by its owner");
            Refusal::field(Reason::CostErased, "basis", why).with("portion_ids", erased)
        }
    }
}

/// The refusal for openings that do not fit the quote as it is now.
fn changed() -> Refusal {
    Refusal::new(Reason::EtagMismatch, CHANGED)
}

/// Whether a refusal says that costs have to be read, or read again.
#[must_use]
pub fn needs_costs(refusal: &Refusal) -> bool {
    refusal.reason == Reason::EtagMismatch && refusal.message == CHANGED
}

#[cfg(test)]
mod tests;
