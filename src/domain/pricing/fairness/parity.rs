//! What the next concession would have to look like so that everybody has borne as much as it sells.

use super::{Burdens, fits};
use crate::domain::identity::PartyId;
use crate::domain::pricing::allocation::within::{LimitedPart, allocate_within};
use crate::domain::pricing::allocation::{AllocationError, Part, allocate};
use crate::domain::pricing::division::BPS_TOTAL;
use crate::domain::pricing::money::Currency;

/// Why parity cannot be proposed.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ParityError {
    /// Nobody sold anything that counts.
    #[error("nothing was sold that could be compared")]
    NothingSold,
    /// What is to be conceded next is not more than zero.
    #[error("what is conceded next must be more than zero")]
    NothingConceded,
    /// Sums are too large.
    #[error(transparent)]
    Allocation(#[from] AllocationError),
}

/// What one party would bear of the next concession.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ParityShare {
    /// The party.
    pub party: PartyId,
    /// Its fixed share of the next concession in basis points; 10,000 together.
    pub share_bps: u32,
    /// What it would bear of it in minor units; together what is conceded.
    pub amount: i64,
    /// What it bore so far.
    pub absorbed: i64,
    /// What of everything conceded, the next concession included, would be its part at parity.
    pub at_parity: i64,
}

impl ParityShare {
    /// What it would have borne beyond parity even then: nobody is given anything back.
    #[must_use]
    pub const fn beyond_parity(&self) -> i64 {
        let beyond = self.absorbed + self.amount - self.at_parity;
        if beyond > 0 { beyond } else { 0 }
    }
}

/// How the next concession would have to be divided.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Parity {
    /// What is conceded next, in minor units.
    pub concession: i64,
    /// Its shares, in the order of the parties.
    pub shares: Vec<ParityShare>,
}

impl Burdens {
    /// Divides the next concession so that everybody comes as near to parity as it can. Whoever bore too
    /// much already bears nothing of it.
    ///
    /// # Errors
    /// Every variant of [`ParityError`].
    pub fn parity(&self, concession: i64) -> Result<Parity, ParityError> {
        if concession <= 0 {
            return Err(ParityError::NothingConceded);
        }
        // What was borne so far is pledged of the whole; the rest fills up the others, as water does.
        let mut parts = Vec::with_capacity(self.parties.len());
        let mut total = i128::from(concession);
        for (party, burden) in &self.parties {
            let weight = fits(burden.base)?.unsigned_abs();
            let absorbed = fits(burden.absorbed.max(0))?;
            if weight > 0 {
                total += i128::from(absorbed);
                parts.push(LimitedPart {
                    id: party.to_string(),
                    weight,
                    least: absorbed.unsigned_abs(),
                    most: None,
                });
            }
        }
        if parts.is_empty() {
            return Err(ParityError::NothingSold);
        }
        let total = fits(total)?;
        let filled = allocate_within(total, &parts)?.shares(&parts);
        let amounts: Vec<i64> = filled
            .iter()
            .zip(&parts)
            .map(|(share, part)| share - part.least.cast_signed())
            .collect();
        let plain = parts.iter().map(|part| Part {
            id: part.id.clone(),
            weight: part.weight,
        });
        let at_parity = allocate(total, &plain.collect::<Vec<_>>())?;
        let bps = in_bps(&parts, &amounts)?;
        let selling = self.parties.iter().filter(|(_, burden)| burden.base > 0);
        let share = |(index, (party, _)): (usize, (&PartyId, _))| ParityShare {
            party: party.clone(),
            share_bps: u32::try_from(bps[index]).unwrap_or_default(),
            amount: amounts[index],
            absorbed: parts[index].least.cast_signed(),
            at_parity: at_parity.shares[index].share,
        };
        Ok(Parity {
            concession,
            shares: selling.enumerate().map(share).collect(),
        })
    }
}

/// Amounts as basis points of their sum.
fn in_bps(parts: &[LimitedPart], amounts: &[i64]) -> Result<Vec<i64>, AllocationError> {
    let weighed = parts.iter().zip(amounts).map(|(part, amount)| Part {
        id: part.id.clone(),
        weight: amount.unsigned_abs(),
    });
    let split = allocate(BPS_TOTAL.cast_signed(), &weighed.collect::<Vec<_>>())?;
    Ok(split.shares.iter().map(|share| share.share).collect())
}

impl Parity {
    /// Whether everybody would be at parity after it, to the minor unit.
    #[must_use]
    pub fn is_full(&self) -> bool {
        self.shares.iter().all(|share| share.beyond_parity() <= 1)
    }

    /// In words, a sentence for each party and one for what comes of it; `called` names a party.
    #[must_use]
    pub fn sentences(
        &self,
        currency: Currency,
        called: impl Fn(&PartyId) -> String,
    ) -> Vec<String> {
        let money = |minor: i64| format!("{} {currency}", currency.decimal(minor));
        let mut sentences: Vec<String> = self
            .shares
            .iter()
            .map(|share| {
                let party = called(&share.party);
                let (absorbed, amount) = (money(share.absorbed), money(share.amount));
                let (bps, at_parity) = (share.share_bps, money(share.at_parity));
                if share.amount == 0 {
                    return format!(
                        "{party} bore {absorbed} so far and would bear nothing of this; parity is {at_parity}."
                    );
                }
                format!(
                    "{party} bore {absorbed} so far and would bear {amount} of this ({bps} basis points); \
                     parity is {at_parity}."
                )
            })
            .collect();
        let concession = money(self.concession);
        sentences.push(if self.is_full() {
            format!("With {concession} divided like that, all bore as much as they sell.")
        } else {
            format!(
                "{concession} is too little to reach parity; divided like that, it comes as near as it can."
            )
        });
        sentences
    }
}
