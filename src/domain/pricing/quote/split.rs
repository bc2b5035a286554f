//! How a concession is divided over a quote's portions, explained, and hashed.
//!
//! Every portion is one slice. By price, the concession goes over all slices at once, weighed by
//! their prices. By fixed shares it takes two steps: first over the parties by their basis points,
//! then each party's part over that party's own slices by their prices. Both steps are allocations
//! by largest remainder, and both are kept, so that every minor unit can be explained.
//!
//! A concession is the total so far and is always divided anew over the original prices, never on
//! top of an earlier, rounded result. A negative concession is a surcharge; it mirrors the
//! concession of the same size.

use serde::{Deserialize, Serialize};

use super::Portion;
use super::basis::Basis;
use crate::domain::content_hash;
use crate::domain::identity::{PartyId, ScopeId};
use crate::domain::partnership::terms::PartyShare;
use crate::domain::pricing::allocation::{
    Allocation, AllocationError, ENGINE_VERSION, Part, Share, allocate,
};
use crate::domain::pricing::money::{Currency, Money};
use crate::domain::refusal::{Reason, Refusal};

/// What the first revision of a quote has for its previous hash: 64 zeros.
pub const FIRST_PREVIOUS_HASH: &str =
    "0000000000000000000000000000000000000000000000000000000000000000";
/// Names the type and the version of what a revision's hash covers.
const FORM: &str = "entente.concession.v1";

/// What one party bears, and every number that led to it. Only division by fixed shares has this
/// step.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct PartyAllocation {
    /// The party.
    pub party: PartyId,
    /// Its share in basis points.
    pub share_bps: u32,
    /// Sum of all shares in basis points: 10,000.
    pub weight_total: u64,
    /// Whole minor units of the exact share, without the concession's sign.
    pub floor: u64,
    /// What is left of the exact share: a fraction of one minor unit, in parts of `weight_total`.
    pub remainder: u64,
    /// Place among the remainders larger than zero, from 1; none for an exact share.
    pub rank: Option<u32>,
    /// Whether the party got one of the spare units.
    pub spare_unit: bool,
    /// What it bears, in minor units; negative for a surcharge.
    pub share: i64,
}

/// What one portion bears, and every number that led to it. Amounts are in minor units of the
/// quote's currency.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct AllocationShare {
    /// The portion.
    pub portion_id: String,
    /// The party that it belongs to.
    pub owner: PartyId,
    /// Its weight: its price.
    pub weight: u64,
    /// Sum of the weights over which this step divided: of all portions, or, with fixed shares, of
    /// the owner's.
    pub weight_total: u64,
    /// Whole minor units of the exact share, without the concession's sign.
    pub floor: u64,
    /// What is left of the exact share: a fraction of one minor unit, in parts of `weight_total`.
    pub remainder: u64,
    /// Place among the remainders larger than zero of this step, from 1; none for an exact share.
    pub rank: Option<u32>,
    /// Whether the portion got one of the spare units.
    pub spare_unit: bool,
    /// What it bears; negative for a surcharge. Never more than its price.
    pub share: i64,
    /// Its price before the concession.
    pub price_before: i64,
    /// Its price after it: `price_before` less `share`.
    pub price_after: i64,
}

impl AllocationShare {
    fn new(portion: &Portion, share: &Share, weight_total: u64) -> Result<Self, Refusal> {
        let price = portion.price;
        if share.share > price.minor {
            let bears = Money::from_minor(price.currency, share.share);
            let message = format!("portion {} would bear {bears} of its {price}", portion.id);
            return Err(Refusal::new(Reason::ConcessionTooLarge, message)
                .with("portion_id", &portion.id)
                .with("share", bears)
                .with("price", price));
        }
        let price_after = price
            .minor
            .checked_sub(share.share)
            .ok_or_else(|| out_of_range("price_after"))?;
        Ok(Self {
            portion_id: portion.id.clone(),
            owner: portion.owner.clone(),
            weight: share.weight,
            weight_total,
            floor: share.floor,
            remainder: share.remainder,
            rank: share.rank,
            spare_unit: share.spare_unit,
            share: share.share,
            price_before: price.minor,
            price_after,
        })
    }
}

/// A concession divided over the portions that a quote had, and the hash that parties approve.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ConcessionSplit {
    /// Number of the revision, from 1.
    pub number: u32,
    /// What is conceded in all, not on top of the revision before; negative for a surcharge.
    pub concession: Money,
    /// By what measure it is divided.
    pub basis: Basis,
    /// The first step of a division by fixed shares, ordered by party; empty for one by price.
    pub parties: Vec<PartyAllocation>,
    /// The outcome: one share for each portion, zero ones too, ordered by portion id. They add up
    /// to the concession.
    pub shares: Vec<AllocationShare>,
    /// Sum of all prices before the concession, in minor units.
    pub price_before: i64,
    /// Sum of all prices after it, in minor units: `price_before` less the concession.
    pub price_after: i64,
    /// Hash of the revision before; [`FIRST_PREVIOUS_HASH`] for the first.
    pub previous_hash: String,
    /// Hash of all that a party consents to; see [`ConcessionSplit::hash_over`].
    pub hash: String,
    /// Version of the allocation's method.
    pub engine_version: u32,
}

/// Which revision a split is: the part of its content that no calculation needs.
#[derive(Clone, Copy, Debug)]
pub struct RevisionPlace<'place> {
    /// The chain that the quote belongs to.
    pub scope: &'place ScopeId,
    /// The quote's identifier.
    pub quote: &'place str,
    /// The revision's number, from 1.
    pub number: u32,
    /// Hash of the revision before it.
    pub previous_hash: &'place str,
}

/// What a revision's hash covers. Costs and descriptions stand in it as commitments only.
#[derive(Serialize)]
struct RevisionContent<'content> {
    scope: &'content ScopeId,
    quote: &'content str,
    number: u32,
    portions: &'content [&'content Portion],
    concession: Money,
    basis: &'content Basis,
    parties: &'content [PartyAllocation],
    shares: &'content [AllocationShare],
    previous_hash: &'content str,
    engine_version: u32,
}

impl ConcessionSplit {
    /// Divides `concession` over `portions`, which are ordered by id, by a basis that is resolved.
    ///
    /// # Errors
    /// [`Reason::ConcessionTooLarge`] if a portion would bear more than its price,
    /// [`Reason::WeightsInvalid`] if a party's portions have no price to weigh by,
    /// [`Reason::OutOfRange`] if an amount does not fit 64 bits.
    pub fn new(
        place: RevisionPlace<'_>,
        portions: &[&Portion],
        concession: Money,
        basis: Basis,
    ) -> Result<Self, Refusal> {
        let price_before = price_total(portions).ok_or_else(|| out_of_range("price_before"))?;
        let price_after = price_before
            .checked_sub(concession.minor)
            .ok_or_else(|| out_of_range("price_after"))?;
        let (parties, shares) = match &basis {
            Basis::Price => (Vec::new(), over_portions(concession.minor, portions)?),
            Basis::FixedBps(shares) => over_parties(concession.minor, shares, portions)?,
        };
        let mut split = Self {
            number: place.number,
            concession,
            basis,
            parties,
            shares,
            price_before,
            price_after,
            previous_hash: place.previous_hash.to_owned(),
            hash: String::new(),
            engine_version: ENGINE_VERSION,
        };
        split.hash = split.hash_over(place, portions);
        if !split.adds_up() {
            return Err(Refusal::new(
                Reason::Internal,
                "an allocation does not add up",
            ));
        }
        Ok(split)
    }

    /// SHA-256 over `entente.concession.v1`, a zero byte, and as JSON: scope, quote, number, the
    /// portions with their owners, prices and commitments, concession, basis, both steps of the
    /// allocation, previous hash and engine version. As 64 lower-case hexadecimal digits.
    #[must_use]
    pub fn hash_over(&self, place: RevisionPlace<'_>, portions: &[&Portion]) -> String {
        let content = RevisionContent {
            scope: place.scope,
            quote: place.quote,
            number: self.number,
            portions,
            concession: self.concession,
            basis: &self.basis,
            parties: &self.parties,
            shares: &self.shares,
            previous_hash: &self.previous_hash,
            engine_version: self.engine_version,
        };
        content_hash(FORM, &content)
    }

    /// Whether dividing again gives exactly this split, hash and all. `portions` are the quote's;
    /// those added after the revision are left aside.
    #[must_use]
    pub fn is_genuine(&self, place: RevisionPlace<'_>, portions: &[Portion]) -> bool {
        let divided: Vec<&Portion> = portions
            .iter()
            .filter(|portion| {
                self.shares
                    .iter()
                    .any(|share| share.portion_id == portion.id)
            })
            .collect();
        Self::new(place, &divided, self.concession, self.basis.clone())
            .is_ok_and(|again| again == *self)
    }

    /// Whether the price before, less the share, is the price after: on every line and in total.
    #[must_use]
    pub fn adds_up(&self) -> bool {
        let sum = |amount: fn(&AllocationShare) -> i64| -> i128 {
            self.shares
                .iter()
                .map(|share| i128::from(amount(share)))
                .sum()
        };
        let before = i128::from(self.price_before);
        let conceded = i128::from(self.concession.minor);
        let after = i128::from(self.price_after);
        let lines = self
            .shares
            .iter()
            .all(|share| share.price_before.checked_sub(share.share) == Some(share.price_after));
        lines
            && before - conceded == after
            && sum(|share| share.price_before) == before
            && sum(|share| share.share) == conceded
            && sum(|share| share.price_after) == after
    }

    /// Explains the share of a portion in plain words: one sentence for a division by price, two
    /// for one by fixed shares. `None` if the revision does not divide such a portion.
    #[must_use]
    pub fn explain(&self, portion_id: &str) -> Option<String> {
        let line = self
            .shares
            .iter()
            .find(|share| share.portion_id == portion_id)?;
        let currency = self.concession.currency;
        let party = self.parties.iter().find(|party| party.party == line.owner);
        let divided = party.map_or(self.concession.minor, |party| party.share);
        let portion = format!("{portion_id}: {}", line.sentence(divided, currency));
        Some(match party {
            None => portion,
            Some(party) => {
                let first = party.sentence(self.concession.minor, currency);
                format!("{}: {first} {portion}", party.party)
            }
        })
    }

    /// Lines that this split keeps: portions and parties.
    #[must_use]
    pub fn lines(&self) -> usize {
        self.shares.len() + self.parties.len()
    }
}

impl PartyAllocation {
    fn sentence(&self, divided: i64, currency: Currency) -> String {
        let share = Share {
            id: self.party.to_string(),
            weight: u64::from(self.share_bps),
            floor: self.floor,
            remainder: self.remainder,
            rank: self.rank,
            spare_unit: self.spare_unit,
            share: self.share,
        };
        sentence(divided, self.weight_total, &share, currency)
    }
}

impl AllocationShare {
    fn sentence(&self, divided: i64, currency: Currency) -> String {
        let share = Share {
            id: self.portion_id.clone(),
            weight: self.weight,
            floor: self.floor,
            remainder: self.remainder,
            rank: self.rank,
            spare_unit: self.spare_unit,
            share: self.share,
        };
        sentence(divided, self.weight_total, &share, currency)
    }
}

/// A share's sentence needs the amount and the weights' total, but not the other shares.
fn sentence(amount: i64, weight_total: u64, share: &Share, currency: Currency) -> String {
    Allocation {
        amount,
        weight_total,
        shares: Vec::new(),
    }
    .sentence(share, currency)
}

/// The first step over the parties, then the second within each; both results in order.
fn over_parties(
    concession: i64,
    shares: &[PartyShare],
    portions: &[&Portion],
) -> Result<(Vec<PartyAllocation>, Vec<AllocationShare>), Refusal> {
    let parts: Vec<Part> = shares
        .iter()
        .map(|share| Part {
            id: share.party.to_string(),
            weight: u64::from(share.share_bps),
        })
        .collect();
    let allocation = allocate(concession, &parts).map_err(|error| refused(&error))?;
    let mut parties = Vec::with_capacity(shares.len());
    let mut lines = Vec::with_capacity(portions.len());
    for (stated, share) in shares.iter().zip(allocation.shares) {
        let own: Vec<&Portion> = portions
            .iter()
            .copied()
            .filter(|portion| portion.owner == stated.party)
            .collect();
        let within = over_portions(share.share, &own)
            .map_err(|refusal| refusal.with("party_id", &stated.party))?;
        lines.extend(within);
        parties.push(PartyAllocation {
            party: stated.party.clone(),
            share_bps: stated.share_bps,
            weight_total: allocation.weight_total,
            floor: share.floor,
            remainder: share.remainder,
            rank: share.rank,
            spare_unit: share.spare_unit,
            share: share.share,
        });
    }
    lines.sort_by(|left, right| left.portion_id.cmp(&right.portion_id));
    Ok((parties, lines))
}

fn over_portions(amount: i64, portions: &[&Portion]) -> Result<Vec<AllocationShare>, Refusal> {
    let parts: Vec<Part> = portions
        .iter()
        .map(|portion| Part {
            id: portion.id.clone(),
            weight: weight_of(portion),
        })
        .collect();
    let allocation = allocate(amount, &parts).map_err(|error| refused(&error))?;
    portions
        .iter()
        .zip(&allocation.shares)
        .map(|(portion, share)| AllocationShare::new(portion, share, allocation.weight_total))
        .collect()
}

/// Prices are not negative; a portion with a negative one would weigh nothing.
fn weight_of(portion: &Portion) -> u64 {
    u64::try_from(portion.price.minor).unwrap_or_default()
}

/// Sum of the portions' prices in minor units; `None` if it does not fit.
#[must_use]
pub fn price_total(portions: &[&Portion]) -> Option<i64> {
    portions
        .iter()
        .try_fold(0_i64, |sum, portion| sum.checked_add(portion.price.minor))
}

fn refused(error: &AllocationError) -> Refusal {
    let reason = match error {
        AllocationError::WeightsOutOfRange | AllocationError::AmountOutOfRange { .. } => {
            Reason::OutOfRange
        }
        _ => Reason::WeightsInvalid,
    };
    Refusal::new(reason, error.to_string())
}

/// The refusal for an amount that does not fit.
pub(super) fn out_of_range(field: &'static str) -> Refusal {
    Refusal::new(
        Reason::OutOfRange,
        format!("{field} does not fit a signed 64-bit number"),
    )
    .with("field", field)
}
