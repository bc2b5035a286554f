//! Who bears concessions, over the window and by quarter.
//!
//! An index follows from sums over all joint quotes of a currency, not from single observations, so
//! quotes are gathered beside the [`Tally`](super::Tally).

use std::collections::BTreeSet;

use super::tally::{Link, RECORDS_MAX};
use super::value::Value;
use super::window::{Quarter, Window};
use crate::domain::identity::PartyId;
use crate::domain::pricing::fairness::{self, Burdens, Looking};
use crate::domain::pricing::money::Currency;
use crate::domain::pricing::quote::JointQuote;
use crate::domain::record::Kind;

/// The burdens of a window and of its quarters, as one party may see them.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct BurdenTally {
    window: (Window, fairness::Tally),
    quarters: Vec<(Quarter, fairness::Tally)>,
    links: BTreeSet<(Currency, Link)>,
}

impl BurdenTally {
    /// Nothing gathered yet.
    #[must_use]
    pub fn new(window: Window) -> Self {
        let quarters = window.quarters().into_iter();
        Self {
            window: (window, fairness::Tally::default()),
            quarters: quarters
                .map(|quarter| (quarter, fairness::Tally::default()))
                .collect(),
            links: BTreeSet::new(),
        }
    }

    /// Counts a joint quote, if a concession on it is in force and was approved in the window.
    pub fn add(&mut self, id: &str, quote: &JointQuote, looking: Looking<'_>) {
        let approvals = quote.in_force().map(|revision| &revision.approvals);
        let approved_at =
            approvals.and_then(|found| found.iter().map(|approval| approval.at).max());
        let Some(at) = approved_at.filter(|at| self.window.0.contains(*at)) else {
            return;
        };
        add(&mut self.window.1, self.window.0, quote, looking);
        for (quarter, tally) in &mut self.quarters {
            add(tally, quarter.part, quote, looking);
        }
        let (kind, id) = (Kind::JointQuote, id.to_owned());
        self.links.insert((quote.currency, Link { at, kind, id }));
    }

    /// The currencies in which something was conceded, ascending.
    #[must_use]
    pub fn currencies(&self) -> Vec<Currency> {
        let groups = self.window.1.0.keys().map(|group| group.currency);
        groups.collect::<BTreeSet<_>>().into_iter().collect()
    }

    /// The index of a party over the window.
    #[must_use]
    pub fn value(&self, party: &PartyId, currency: Currency) -> Option<Value> {
        index(&self.window.1, party, currency)
    }

    /// The index of a party in each quarter.
    #[must_use]
    pub fn by_quarter(&self, party: &PartyId, currency: Currency) -> Vec<Option<Value>> {
        let quarters = self.quarters.iter();
        quarters
            .map(|(_, tally)| index(tally, party, currency))
            .collect()
    }

    /// The quotes that count in a currency: the latest first, at most [`RECORDS_MAX`], and how many
    /// there are.
    #[must_use]
    pub fn links(&self, currency: Currency) -> (Vec<Link>, u64) {
        let own = self.links.iter().rev().filter(|(of, _)| *of == currency);
        let links: Vec<Link> = own.map(|(_, link)| link.clone()).collect();
        let count = u64::try_from(links.len()).unwrap_or(u64::MAX);
        (links.into_iter().take(RECORDS_MAX).collect(), count)
    }
}

fn add(tally: &mut fairness::Tally, window: Window, quote: &JointQuote, looking: Looking<'_>) {
    let window = fairness::Window {
        from: Some(window.from),
        to: Some(window.to),
    };
    tally.add(quote, &window, |_| true, looking);
}

/// The index of a party among all quotes of a currency, won or not. `None` where nothing can be
/// compared, and where sums are too large for it.
fn index(tally: &fairness::Tally, party: &PartyId, currency: Currency) -> Option<Value> {
    let mut burdens = Burdens::default();
    for (group, found) in &tally.0 {
        if group.currency == currency {
            burdens.take(found);
        }
    }
    let standings = burdens.standings().ok()?;
    let own = standings.into_iter().find(|own| own.party == *party)?;
    own.index_bps.map(|bps| Value::Index { bps })
}
