//! What a division tells the parties of each other's costs, and who agreed to that.
//!
//! Where two parties divide by costs, each one's own share and cost give away the other's, whatever is
//! sealed: the outcome itself tells. So each of them has to consent before. With three or more, each
//! learns only what the others have together. The same holds for floors that follow from costs.
//!
//! Settling tells more: whoever bills the client pays each of the others, so it learns what each bears. A
//! party whose costs follow from that consents before it agrees to the division, not before that is
//! proposed: so a division among three can be looked at by all while nobody has been told anything.

use std::collections::BTreeSet;

use serde::{Deserialize, Serialize};

use super::basis::Basis;
use super::blind::{has_derived_floor, is_blind};
use super::decide::{Caller, refuse_expired};
use super::portion::Portion;
use super::sale::billers;
use super::split::ConcessionSplit;
use super::{JointQuote, JointQuoteEvent, QuoteState};
use crate::domain::aggregate::Recorded;
use crate::domain::command::Decision;
use crate::domain::identity::PartyId;
use crate::domain::partnership::{Approval, Partnership};
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
    let bearers = bearers(portions);
    let is_told = observer != subject && bearers.contains(subject);
    // Whoever bears all of it alone bears the same, whatever it costs.
    let by_weights = basis.is_of_costs() && bearers.len() > 1;
    if is_told && (by_weights || derivers(portions).contains(subject)) {
        return Disclosure::Exact;
    }
    by_division
}

/// The parties whose costs one of `billers` could work out once it settles what was divided so.
#[must_use]
pub fn exposed_by_settling<'portion>(
    basis: &Basis,
    portions: &'portion [Portion],
    billers: &BTreeSet<&PartyId>,
) -> Vec<&'portion PartyId> {
    let works_out = |subject: &PartyId| {
        let mut kinds = billers
            .iter()
            .map(|observer| disclosed_by_settling(basis, portions, observer, subject));
        kinds.any(|kind| kind == Disclosure::Exact)
    };
    let parties = bearers(portions).into_iter();
    parties.filter(|party| works_out(party)).collect()
}

/// What dividing by `basis` tells all others together of the costs of `subject`: they put together what
/// each of them learns and knows of its own, and what is left is the subject's.
#[must_use]
pub fn disclosed_to_all_others(
    basis: &Basis,
    portions: &[Portion],
    subject: &PartyId,
) -> Disclosure {
    let bearers = bearers(portions);
    let owners = portions.iter().map(|portion| &portion.owner);
    let each = owners.map(|observer| disclosed(basis, portions, observer, subject));
    let alone = each.max().unwrap_or(Disclosure::Nothing);
    let is_weighed = basis.is_of_costs() && bearers.len() > 1;
    let is_told = is_weighed || derivers(portions).contains(subject);
    if is_told && bearers.contains(subject) {
        Disclosure::Exact
    } else {
        alone
    }
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
    let exposed = exposed(basis, &quote.portions);
    let Some(without) = without_consent(&exposed, quote) else {
        return Ok(());
    };
    let why =
        format!("the outcome would tell the costs of {without}, which did not consent to that");
    Err(Refusal::field(Reason::CostWouldBeDisclosed, "basis", why).with("party_ids", without))
}

/// Which of these parties have not consented, as one text; `None` if all of them have.
fn without_consent(parties: &[&PartyId], quote: &JointQuote) -> Option<String> {
    let consents = &quote.disclosure_consents;
    let parties = parties.iter();
    let without: Vec<&str> = parties
        .filter(|party| !Approval::is_among(consents, party))
        .map(|party| party.as_str())
        .collect();
    (!without.is_empty()).then(|| without.join(","))
}

/// Refuses to let a party agree to a sealed split from which the party that bills the client could work
/// out its costs, unless it consented: so what all agreed to can be settled, whoever regrets it then.
///
/// # Errors
/// [`Reason::CostWouldBeDisclosed`], naming the party.
pub(super) fn require_own_consent(
    split: &ConcessionSplit,
    quote: &JointQuote,
    party: &PartyId,
    partnership: &Partnership,
) -> Result<(), Refusal> {
    if split.sealed_lines().next().is_none() {
        return Ok(());
    }
    let basis = &split.proposal.basis;
    require_own(basis, &divided(split, quote), quote, party, partnership)
}

/// The same for a party that proposes to divide by `basis`, before any cost is looked at.
///
/// # Errors
/// As [`require_own_consent`].
pub(super) fn require_own_consent_to(
    basis: &Basis,
    quote: &JointQuote,
    party: &PartyId,
    partnership: &Partnership,
) -> Result<(), Refusal> {
    require_own(basis, &quote.portions, quote, party, partnership)
}

fn require_own(
    basis: &Basis,
    portions: &[Portion],
    quote: &JointQuote,
    party: &PartyId,
    partnership: &Partnership,
) -> Result<(), Refusal> {
    let billers = billers(partnership, quote);
    let mut exposed = exposed_by_settling(basis, portions, &billers);
    exposed.retain(|exposed| *exposed == party);
    refuse_without(&exposed, quote)
}

/// Refuses to tell `biller` what others bear if it could work out the costs of one that did not consent:
/// such as where another party would have billed the client when all agreed.
///
/// # Errors
/// [`Reason::CostWouldBeDisclosed`], naming them.
pub(super) fn require_consents_to_settle(
    split: &ConcessionSplit,
    quote: &JointQuote,
    biller: &PartyId,
) -> Result<(), Refusal> {
    if split.sealed_lines().next().is_none() {
        return Ok(());
    }
    let portions = divided(split, quote);
    let billers = BTreeSet::from([biller]);
    let exposed = exposed_by_settling(&split.proposal.basis, &portions, &billers);
    refuse_without(&exposed, quote)
}

/// The portions that were divided; not what was added since: by that, nobody keeps others from settling.
fn divided(split: &ConcessionSplit, quote: &JointQuote) -> Vec<Portion> {
    let divided: BTreeSet<&str> = split.lines().map(|line| line.portion_id.as_str()).collect();
    let portions = quote.portions.iter();
    let portions = portions.filter(|portion| divided.contains(portion.id.as_str()));
    portions.cloned().collect()
}

fn refuse_without(exposed: &[&PartyId], quote: &JointQuote) -> Result<(), Refusal> {
    let Some(without) = without_consent(exposed, quote) else {
        return Ok(());
    };
    let why = format!(
        "settling would tell the costs of {without} to the party that bills the client, without consent"
    );
    Err(Refusal::new(Reason::CostWouldBeDisclosed, why).with("party_ids", without))
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
    // After the sale, where there is somebody else to bill the client than was foreseen.
    if quote.state != QuoteState::Won {
        refuse_expired(quote, "ConsentToDisclosure", caller.view.now)?;
    }
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
