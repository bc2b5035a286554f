//! What a division tells the parties of each other's costs, and who agreed to that.
//!
//! Where two parties divide by costs, each one's own share and cost give away the other's, whatever is
//! sealed: the outcome itself tells. So each of them has to consent before. With three or more, each
//! learns only what the others have together. The same holds for floors that follow from costs.

use std::collections::BTreeSet;

use serde::{Deserialize, Serialize};

use super::basis::Basis;
use super::blind::{has_derived_floor, is_blind};
use super::clauses::{Figure, figures};
use super::decide::{Caller, refuse_expired};
use super::inference::{self, Bounds, OwnSlice};
use super::portion::{Cadence, Portion};
use super::split::ConcessionSplit;
use super::{JointQuote, JointQuoteEvent};
use crate::domain::aggregate::Recorded;
use crate::domain::command::Decision;
use crate::domain::identity::PartyId;
use crate::domain::partnership::Approval;
use crate::domain::pricing::division::Rounding;
use crate::domain::record::{Event, Kind};
use crate::domain::refusal::{Reason, Refusal};
use crate::domain::world::Stop;

/// A party consented to what divisions by costs tell the other party, or took that back.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct DisclosureConsentChanged {
    /// Which party.
    pub party: PartyId,
}

/// What a party may learn of another one's costs.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Disclosure {
    /// Nothing.
    Nothing,
    /// The band that its owner revealed.
    Band,
    /// What all the others' portions cost, or earn, together.
    SumOfOthers,
    /// What its portions cost together, or earn, exactly up to rounding.
    Exact,
}

/// The parties that own portions which could bear something.
#[must_use]
pub fn bearers(portions: &[Portion]) -> BTreeSet<&PartyId> {
    let bears = |portion: &&Portion| portion.price.minor > 0 && !portion.is_at_cost();
    let portions = portions.iter().filter(bears);
    portions.map(|portion| &portion.owner).collect()
}

/// The parties of which a floor follows from a sealed cost.
fn derivers(portions: &[Portion]) -> BTreeSet<&PartyId> {
    let portions = portions.iter().filter(|portion| has_derived_floor(portion));
    portions.map(|portion| &portion.owner).collect()
}

/// What dividing by `basis` tells `observer` of the costs of `subject`.
///
/// Weights tell those who bear something by their own shares. Floors that follow from costs tell anybody
/// who asks often enough: how much can be conceded at most says what all of them leave together.
#[must_use]
pub fn disclosed(
    basis: &Basis,
    portions: &[Portion],
    observer: &PartyId,
    subject: &PartyId,
) -> Disclosure {
    let bearers = bearers(portions);
    if observer == subject || !bearers.contains(subject) {
        return Disclosure::Nothing;
    }
    let mut found = Disclosure::Nothing;
    let mut own = portions.iter().filter(|portion| portion.owner == *subject);
    if own.any(|portion| portion.cost_band.is_some()) {
        found = Disclosure::Band;
    }
    if basis.is_of_costs() && bearers.contains(observer) {
        found = found.max(of_several(bearers.len() - 1));
    }
    let derivers = derivers(portions);
    if derivers.contains(subject) {
        let others = derivers.iter().filter(|party| **party != observer);
        found = found.max(of_several(others.count()));
    }
    found
}

/// The same once what was sold is settled: whoever bills the client learns what each other party bears,
/// since it pays them, and from shares by costs, or at floors that follow from costs, these costs.
#[must_use]
pub fn disclosed_by_settling(
    basis: &Basis,
    portions: &[Portion],
    observer: &PartyId,
    subject: &PartyId,
) -> Disclosure {
    let by_division = disclosed(basis, portions, observer, subject);
    let is_told = observer != subject && bearers(portions).contains(subject);
    if is_told && (basis.is_of_costs() || derivers(portions).contains(subject)) {
        return Disclosure::Exact;
    }
    by_division
}

/// What is told of one of so many others, when they are told of together.
const fn of_several(others: usize) -> Disclosure {
    if others == 1 {
        Disclosure::Exact
    } else {
        Disclosure::SumOfOthers
    }
}

/// The parties whose costs another one could work out.
#[must_use]
pub fn exposed<'portion>(basis: &Basis, portions: &'portion [Portion]) -> Vec<&'portion PartyId> {
    let bearers = bearers(portions);
    let by_weights = basis.is_of_costs() && bearers.len() == 2;
    let derivers = derivers(portions);
    // Of three, each of which has such floors, nobody can tell the others apart.
    let by_floors = |party: &PartyId| derivers.len() <= 2 && derivers.contains(party);
    let parties = bearers.into_iter();
    parties
        .filter(|party| by_weights || by_floors(party))
        .collect()
}

/// Refuses a division that gives away costs of parties which have not consented to that.
///
/// # Errors
/// [`Reason::CostWouldBeDisclosed`], naming them.
pub(super) fn require_consents(basis: &Basis, quote: &JointQuote) -> Result<(), Refusal> {
    let consents = &quote.disclosure_consents;
    let exposed = exposed(basis, &quote.portions).into_iter();
    let without: Vec<&str> = exposed
        .filter(|party| !Approval::is_among(consents, party))
        .map(PartyId::as_str)
        .collect();
    if without.is_empty() {
        return Ok(());
    }
    let without = without.join(",");
    let why =
        format!("the outcome would tell the costs of {without}, which did not consent to that");
    Err(Refusal::field(Reason::CostWouldBeDisclosed, "basis", why).with("party_ids", without))
}

impl JointQuote {
    pub(super) fn consent(
        &mut self,
        changed: &DisclosureConsentChanged,
        recorded: &Recorded,
    ) -> Option<()> {
        let consent = Approval::of(&changed.party, recorded)?;
        consent.add_to(&mut self.disclosure_consents);
        Some(())
    }

    pub(super) fn withdraw_consent(&mut self, changed: &DisclosureConsentChanged) {
        self.disclosure_consents
            .retain(|consent| consent.party != changed.party);
    }

    /// Whether a revision was divided by costs, so that consents to it were used.
    fn used_consents(&self) -> bool {
        let mut revisions = self.revisions.iter();
        revisions.any(|revision| is_blind(&revision.split.proposal.basis, &self.portions))
    }
}

/// Decides a consent; one more changes nothing.
pub(super) fn consent(id: &str, caller: Caller<'_>) -> Result<Decision, Stop> {
    let quote = caller.view.get::<JointQuote>(id)?;
    refuse_expired(quote, "ConsentToDisclosure", caller.view.now)?;
    let decision = Decision::about(Kind::JointQuote, id);
    if Approval::is_among(&quote.disclosure_consents, caller.party) {
        return Ok(decision);
    }
    let party = caller.party.clone();
    let event = JointQuoteEvent::DisclosureConsented(DisclosureConsentChanged { party });
    Ok(decision.event(Event::new(id, event)))
}

/// Decides to take a consent back, which may be done until it was used.
pub(super) fn withdraw_consent(id: &str, caller: Caller<'_>) -> Result<Decision, Stop> {
    let quote = caller.view.get::<JointQuote>(id)?;
    let decision = Decision::about(Kind::JointQuote, id);
    if !Approval::is_among(&quote.disclosure_consents, caller.party) {
        return Ok(decision);
    }
    if quote.used_consents() {
        let state = "divided by costs already";
        return Err(Refusal::invalid_state(state, "WithdrawDisclosureConsent").into());
    }
    let party = caller.party.clone();
    let event = JointQuoteEvent::DisclosureConsentWithdrawn(DisclosureConsentChanged { party });
    Ok(decision.event(Event::new(id, event)))
}

/// How near an observer comes to what a party's portions cost.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Bound {
    /// Who comes near.
    pub observer: PartyId,
    /// Of the portions that are due then.
    pub cadence: Cadence,
    /// It knows the sum, of the subject's or of all others', to within so many minor units: half of the
    /// width of what it cannot tell apart, rounded up by [`inference::coarse`].
    pub within: u128,
}

/// How near each other party comes to what `subject`'s portions cost, or earn, by a split with open lines:
/// for nobody but the subject to know. Exact bounds would tell the subject what the observer's portions
/// cost, so they are made coarse. Where a limit was reached, or nothing bounds the sum, nothing is said.
#[must_use]
pub fn bounds(split: &ConcessionSplit, quote: &JointQuote, subject: &PartyId) -> Vec<Bound> {
    let proposal = &split.proposal;
    let by_costs = proposal.basis.is_of_costs() && proposal.rounding == Rounding::LargestRemainder;
    if !by_costs {
        return Vec::new();
    }
    let mut found = Vec::new();
    for cadence in &split.cadences {
        let figures: Vec<Figure<'_>> = figures(cadence, quote)
            .into_iter()
            .filter(|figure| !figure.portion.is_at_cost())
            .collect();
        let is_limited = |figure: &Figure<'_>| figure.line.is_at_floor || figure.line.weight == 0;
        if figures.len() < 2 || figures.iter().any(is_limited) {
            continue;
        }
        let owners: BTreeSet<&PartyId> = figures.iter().map(|it| &it.portion.owner).collect();
        for observer in owners.iter().filter(|owner| **owner != subject) {
            let others = seen_by(observer, cadence.borne(), &figures);
            let Some(others) = others else { continue };
            found.push(Bound {
                observer: (*observer).clone(),
                cadence: cadence.cadence,
                within: inference::coarse(others.within()),
            });
        }
    }
    found
}

/// What the portions of all but the observer weigh together, by its own shares.
fn seen_by(observer: &PartyId, borne: i64, figures: &[Figure<'_>]) -> Option<Bounds> {
    let own = figures
        .iter()
        .filter(|figure| figure.portion.owner == *observer);
    let own: Vec<OwnSlice> = own
        .map(|figure| OwnSlice {
            weight: figure.line.weight,
            share: figure.line.share.unsigned_abs(),
        })
        .collect();
    inference::others(borne.unsigned_abs(), &own, figures.len())
}
