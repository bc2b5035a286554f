//! Fractions of minor units that are carried from one approved concession to the next.
//!
//! What a party is owed stands in a record of the partnership, one for each currency. A proposal is
//! divided with what it says then; by the time it is approved it must still say so. The concession that
//! a quote had in force before is taken out first, since the new one takes its place.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::basis::Basis;
use super::proposal::Proposal;
use super::split::ConcessionSplit;
use super::{Cadence, JointQuote};
use crate::domain::aggregate::{Aggregate, Recorded, events};
use crate::domain::identity::PartyId;
use crate::domain::partnership::Partnership;
use crate::domain::pricing::division::Rounding;
use crate::domain::pricing::money::Currency;
use crate::domain::record::Event;
use crate::domain::refusal::{Reason, Refusal};
use crate::domain::world::{Stop, View};

/// What each party is owed, in billionths of a minor unit.
pub type Owed = BTreeMap<PartyId, i64>;

/// The fractions that the approved concessions of a partnership leave, in one currency.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct CarriedFractions {
    /// What each party is owed, in billionths of a minor unit; negative if it got too much.
    pub owed: Owed,
}

/// A concession was approved, and what is owed changed.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct FractionsCarried {
    /// Of which joint quote.
    pub quote: String,
    /// Number of its revision.
    pub number: u32,
    /// What each party is owed from now on.
    pub owed: Owed,
}

events! {
    /// What happens to carried fractions.
    CarriedFractionsEvent {
        /// A concession was approved.
        Carried(FractionsCarried) = "carried_fractions.carried", 1;
    }
}

impl Aggregate for CarriedFractions {
    type Event = CarriedFractionsEvent;
    const BODY_VERSION: u32 = 1;

    fn apply(
        _previous: Option<Self>,
        event: &CarriedFractionsEvent,
        _recorded: &Recorded,
    ) -> Option<Self> {
        let CarriedFractionsEvent::Carried(carried) = event;
        Some(Self {
            owed: carried.owed.clone(),
        })
    }
}

impl CarriedFractions {
    /// Id of the record for a currency; another exponent is another currency.
    #[must_use]
    pub fn id_of(currency: Currency) -> String {
        let code = currency.code().to_ascii_lowercase();
        format!("{code}-{}", currency.exponent())
    }
}

/// What is owed once the concession in force of `quote` is taken out.
fn without_in_force(quote: &JointQuote, view: &View<'_>) -> Result<Owed, Stop> {
    let id = CarriedFractions::id_of(quote.currency);
    let found = view.find::<CarriedFractions>(&id)?;
    let mut owed = found.map(|found| found.owed.clone()).unwrap_or_default();
    if let Some(in_force) = quote.in_force() {
        for (party, change) in changes(&in_force.split) {
            add(&mut owed, &party, -change);
        }
    }
    Ok(owed)
}

/// By how much a concession changes what each party is owed.
fn changes(split: &ConcessionSplit) -> impl Iterator<Item = (PartyId, i64)> {
    let carried = split.cadences.iter().flat_map(|cadence| &cadence.carried);
    // Both are within a few hundred units.
    carried.map(|found| {
        let party = PartyId::from_text(&found.id);
        (party, found.after.saturating_sub(found.before))
    })
}

fn add(owed: &mut Owed, party: &PartyId, change: i64) {
    let sum = owed.entry(party.clone()).or_default();
    *sum = sum.saturating_add(change);
}

/// What the parties with a portion are owed, for a proposal that carries fractions; `None` for one
/// that does not.
pub(super) fn owed_for(
    proposal: &Proposal,
    quote: &JointQuote,
    partnership: &Partnership,
    view: &View<'_>,
) -> Result<Option<Owed>, Stop> {
    let terms = partnership.terms.as_ref();
    let is_wanted = terms.is_some_and(|terms| terms.content.pricing_clauses.carry_fractions);
    let can = matches!(proposal.basis, Basis::Price | Basis::FixedBps(_))
        && proposal.rounding == Rounding::LargestRemainder
        && proposal.limits.is_none()
        && proposal.on(Cadence::OneTime) != proposal.vendor_money_on(Cadence::OneTime)
        && quote
            .of(Cadence::OneTime)
            .all(|portion| portion.floor_price.is_none_or(|floor| floor.minor == 0));
    if !is_wanted || !can {
        return Ok(None);
    }
    let all = without_in_force(quote, view)?;
    let owners = quote.of(Cadence::OneTime).map(|portion| {
        let owed = all.get(&portion.owner).copied().unwrap_or_default();
        (portion.owner.clone(), owed)
    });
    Ok(Some(owners.collect()))
}

/// Refuses a proposal whose fractions are no longer those that it was divided with.
pub(super) fn refuse_stale(
    quote: &JointQuote,
    split: &ConcessionSplit,
    view: &View<'_>,
) -> Result<(), Stop> {
    let Some(divided_with) = &split.proposal.owed else {
        return Ok(());
    };
    let now = without_in_force(quote, view)?;
    let same = divided_with
        .iter()
        .all(|(party, owed)| now.get(party).copied().unwrap_or_default() == *owed);
    if same {
        return Ok(());
    }
    let why = "the fractions that are carried have changed since it was proposed";
    Err(Refusal::new(Reason::StaleFractions, why)
        .with("currency", quote.currency)
        .into())
}

/// What becomes of the fractions when `split` comes into force; nothing where none are carried.
pub(super) fn carried(
    id: &str,
    quote: &JointQuote,
    split: &ConcessionSplit,
    view: &View<'_>,
) -> Result<Option<Event>, Stop> {
    let replaced = quote.in_force().map(|in_force| &in_force.split);
    let mut touched = replaced.into_iter().chain([split]);
    if !touched.any(|split| changes(split).next().is_some()) {
        return Ok(None);
    }
    let mut owed = without_in_force(quote, view)?;
    for (party, change) in changes(split) {
        add(&mut owed, &party, change);
    }
    let carried = FractionsCarried {
        quote: id.to_owned(),
        number: split.number,
        owed,
    };
    let record = CarriedFractions::id_of(quote.currency);
    let event = CarriedFractionsEvent::Carried(carried);
    Ok(Some(Event::new(record, event)))
}
