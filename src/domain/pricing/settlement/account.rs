//! What two parties still have to settle in one currency.
//!
//! Whatever is booked or taken back is noted here at once, for the party that bills the client and
//! each other party of which it billed something. So a statement needs no search for what is on no
//! statement yet, and nothing gets onto two.

use std::collections::{BTreeSet, HashSet};

use serde::{Deserialize, Serialize};

use super::month::Month;
use crate::domain::aggregate::{Aggregate, Recorded, events};
use crate::domain::identity::PartyId;
use crate::domain::pricing::money::Currency;
use crate::domain::record::Event;
use crate::domain::refusal::Refusal;
use crate::domain::sla::calendar::CivilDate;
use crate::domain::world::{Stop, View, for_each};

/// Most bookings and reversals that wait for a statement of two parties in one currency.
pub const PENDING_ITEMS_MAX: usize = 2_000;

/// Two parties, in the order of their ids.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Pair {
    first: PartyId,
    second: PartyId,
}

impl Pair {
    /// The pair of two parties in any order; `None` if they are one and the same.
    #[must_use]
    pub fn of(one: &PartyId, other: &PartyId) -> Option<Self> {
        let (first, second) = match one.cmp(other) {
            std::cmp::Ordering::Less => (one, other),
            std::cmp::Ordering::Greater => (other, one),
            std::cmp::Ordering::Equal => return None,
        };
        Some(Self {
            first: first.clone(),
            second: second.clone(),
        })
    }

    /// Both parties.
    #[must_use]
    pub const fn both(&self) -> [&PartyId; 2] {
        [&self.first, &self.second]
    }

    /// The other one; `None` for a party that is neither.
    #[must_use]
    pub fn other(&self, party: &PartyId) -> Option<&PartyId> {
        match party {
            _ if *party == self.first => Some(&self.second),
            _ if *party == self.second => Some(&self.first),
            _ => None,
        }
    }

    /// The identifier of their account in one currency. Codes change their exponent; then another
    /// account begins.
    #[must_use]
    pub fn account_id(&self, currency: Currency) -> String {
        let code = currency.code().to_lowercase();
        let exponent = currency.exponent();
        format!("{}-{}-{code}{exponent}", self.first, self.second)
    }
}

/// Where a line of a statement comes from.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", deny_unknown_fields)]
pub enum Source {
    /// A booking, by its identifier.
    Booking(String),
    /// A reversal.
    Reversal {
        /// The quote.
        quote: String,
        /// The reversal's number.
        number: u32,
    },
}

/// Something that waits for a statement.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Item {
    /// What it is.
    pub source: Source,
    /// On which day the client is billed for it.
    pub date: CivilDate,
}

/// Something waits from now on.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ItemAdded {
    /// Between whom.
    pub pair: Pair,
    /// In which currency.
    pub currency: Currency,
    /// What it is.
    pub item: Item,
}

/// Things were put on a statement, and wait no more.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ItemsDrawn {
    /// For which period the statement is.
    pub period: Month,
    /// What was put on it.
    pub sources: Vec<Source>,
}

events! {
    /// What happens to an account.
    SettlementAccountEvent {
        /// Something waits for a statement.
        ItemAdded(ItemAdded) = "settlement_account.item_added", 1;
        /// Things were put on a statement.
        ItemsDrawn(ItemsDrawn) = "settlement_account.items_drawn", 1;
    }
}

/// What two parties still have to settle in one currency.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SettlementAccount {
    /// Between whom.
    pub pair: Pair,
    /// In which currency.
    pub currency: Currency,
    /// What waits for a statement, in the order in which it came; at most [`PENDING_ITEMS_MAX`].
    pub pending: Vec<Item>,
    /// The latest period for which a statement was drawn up.
    pub last_period: Option<Month>,
}

impl Aggregate for SettlementAccount {
    type Event = SettlementAccountEvent;
    const BODY_VERSION: u32 = 1;

    fn apply(
        previous: Option<Self>,
        event: &SettlementAccountEvent,
        _recorded: &Recorded,
    ) -> Option<Self> {
        match (previous, event) {
            (None, SettlementAccountEvent::ItemAdded(added)) => Some(Self {
                pair: added.pair.clone(),
                currency: added.currency,
                pending: vec![added.item.clone()],
                last_period: None,
            }),
            (Some(mut account), SettlementAccountEvent::ItemAdded(added)) => {
                account.pending.push(added.item.clone());
                Some(account)
            }
            (Some(mut account), SettlementAccountEvent::ItemsDrawn(drawn)) => {
                let sources: HashSet<&Source> = drawn.sources.iter().collect();
                account
                    .pending
                    .retain(|item| !sources.contains(&item.source));
                account.last_period = account.last_period.max(Some(drawn.period));
                Some(account)
            }
            (None, SettlementAccountEvent::ItemsDrawn(_)) => None,
        }
    }
}

/// Notes that something is to be settled between the party that billed it and each other of its
/// owners.
///
/// # Errors
/// [`crate::domain::refusal::Reason::LimitReached`] if too much waits already; or what has to be
/// loaded first.
pub fn settle_later<'owner>(
    biller: &PartyId,
    owners: impl Iterator<Item = &'owner PartyId>,
    currency: Currency,
    item: &Item,
    view: &View<'_>,
) -> Result<Vec<Event>, Stop> {
    let pairs: BTreeSet<Pair> = owners.filter_map(|owner| Pair::of(biller, owner)).collect();
    for_each(pairs, |pair| {
        let id = pair.account_id(currency);
        let account = view.find::<SettlementAccount>(&id)?;
        if account.is_some_and(|account| account.pending.len() >= PENDING_ITEMS_MAX) {
            return Err(Refusal::limit("unsettled_items_per_pair", PENDING_ITEMS_MAX).into());
        }
        let added = ItemAdded {
            pair,
            currency,
            item: item.clone(),
        };
        Ok(Event::new(id, SettlementAccountEvent::ItemAdded(added)))
    })
}
