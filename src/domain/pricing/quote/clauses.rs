//! Whether a divided concession keeps the clauses that the parties agreed on.

use super::funding;
use super::portion::{PassThrough, Portion};
use super::portion_check::markup_excess;
use super::split::{CadenceSplit, ConcessionSplit};
use super::{JointQuote, OpenLine};
use crate::domain::identity::PartyId;
use crate::domain::partnership::clauses::PricingClauses;
use crate::domain::pricing::division::BPS_TOTAL;
use crate::domain::pricing::money::Money;
use crate::domain::refusal::{Reason, Refusal, Violation};

/// What one portion bears in a cadence, as whoever checks it knows it.
#[derive(Clone, Copy, Debug)]
pub struct Figure<'split> {
    /// The portion.
    pub portion: &'split Portion,
    /// Its numbers.
    pub line: &'split OpenLine,
}

/// The numbers of every open line of a cadence.
#[must_use]
pub fn figures<'split>(
    split: &'split CadenceSplit,
    quote: &'split JointQuote,
) -> Vec<Figure<'split>> {
    let lines = split.lines.iter();
    lines
        .filter_map(|line| {
            let mut portions = quote.portions.iter();
            Some(Figure {
                portion: portions.find(|portion| portion.id == line.portion_id)?,
                line: line.open()?,
            })
        })
        .collect()
}

/// Refuses a split that breaks clauses, naming each of them.
///
/// # Errors
/// [`Reason::ClauseViolated`] with one violation for each clause broken.
pub(super) fn refuse_broken(
    clauses: &PricingClauses,
    split: &ConcessionSplit,
    quote: &JointQuote,
) -> Result<(), Refusal> {
    let mut broken = Broken {
        clauses,
        quote,
        names: Vec::new(),
        violations: Vec::new(),
    };
    broken.vendor_money(split);
    for cadence in &split.cadences {
        broken.cadence(
            cadence.cadence.as_str(),
            cadence.borne(),
            &figures(cadence, quote),
        );
    }
    broken.finish()
}

/// Collects the clauses that are broken.
struct Broken<'split> {
    clauses: &'split PricingClauses,
    quote: &'split JointQuote,
    names: Vec<&'static str>,
    violations: Vec<Violation>,
}

impl Broken<'_> {
    fn add(&mut self, name: &'static str, path: &str, description: String) {
        if !self.names.contains(&name) {
            self.names.push(name);
        }
        self.violations.push(Violation {
            field: format!("terms.pricing_clauses.{path}"),
            description,
        });
    }

    fn money(&self, minor: i64) -> Money {
        Money::from_minor(self.quote.currency, minor)
    }

    fn vendor_money(&mut self, split: &ConcessionSplit) {
        const NAME: &str = "vendor_money_first";
        if !self.clauses.vendor_money_first {
            return;
        }
        let conceded = split.proposal.concession.minor;
        let due = funding::sum(&self.quote.vendor_funds).min(conceded.max(0));
        let used = funding::sum(&split.proposal.vendor_money);
        if used < due {
            let (used, due) = (self.money(used), self.money(due));
            let why = format!("{used} of vendors' money is used, and {due} comes first");
            self.add(NAME, NAME, why);
        }
    }

    fn cadence(&mut self, cadence: &str, borne: i64, figures: &[Figure<'_>]) {
        self.markups(cadence, figures);
        // A surcharge burdens nobody.
        if borne <= 0 {
            return;
        }
        let mut parties: Vec<&PartyId> =
            figures.iter().map(|figure| &figure.portion.owner).collect();
        parties.sort_unstable();
        parties.dedup();
        for party in parties {
            let own = figures
                .iter()
                .filter(|figure| figure.portion.owner == *party);
            let share = sum(own.clone().map(|figure| figure.line.share));
            let price = sum(own.map(|figure| figure.line.price_before));
            self.limits(cadence, party, share, i128::from(borne));
            self.most_favoured(cadence, party, share, price);
        }
    }

    fn markups(&mut self, cadence: &str, figures: &[Figure<'_>]) {
        const NAME: &str = "markup_cap_bps";
        // Not in a list of portions: what they cost after the concession counts.
        let after = |portion: &Portion| {
            let mut figures = figures.iter();
            let figure = figures.find(|figure| figure.portion.id == portion.id);
            figure.map_or(0, |figure| figure.line.price_after)
        };
        let all: Vec<Portion> = figures
            .iter()
            .map(|figure| self.capped(figure.portion))
            .collect();
        let all: Vec<&Portion> = all.iter().collect();
        for base in &all {
            if let Some(excess) = markup_excess(&all, &base.id, after)
                && !excess.is_rounding(&all)
            {
                let why = format!("{cadence}: {}", excess.why());
                self.add(NAME, NAME, why);
            }
        }
    }

    /// A portion with the smaller of its own cap and that of the terms.
    fn capped(&self, portion: &Portion) -> Portion {
        let mut capped = portion.clone();
        if let Some(PassThrough::MarkedUp { markup_cap_bps }) = &mut capped.pass_through {
            let agreed = self.clauses.markup_cap_bps.unwrap_or(u32::MAX);
            *markup_cap_bps = agreed.min(*markup_cap_bps);
        }
        capped
    }

    /// As amounts the least is rounded down and the most up.
    fn limits(&mut self, cadence: &str, party: &PartyId, share: i128, borne: i128) {
        const NAME: &str = "party_limits";
        let mut limits = self.clauses.party_limits.iter();
        let Some(limit) = limits.find(|limit| limit.party == *party) else {
            return;
        };
        let of_all = |bps: u32| borne * i128::from(bps);
        let scaled = share * i128::from(BPS_TOTAL);
        let one = i128::from(BPS_TOTAL);
        let (least, most) = (limit.least_bps, limit.most_bps);
        if let Some(bps) = least.filter(|bps| scaled + one <= of_all(*bps)) {
            let path = format!("party_limits[{party}].least_bps");
            let why = format!("{cadence}: {party} bears less than {bps} basis points of it");
            self.add(NAME, &path, why);
        }
        if let Some(bps) = most.filter(|bps| scaled >= of_all(*bps) + one) {
            let path = format!("party_limits[{party}].most_bps");
            let why = format!("{cadence}: {party} bears more than {bps} basis points of it");
            self.add(NAME, &path, why);
        }
    }

    fn most_favoured(&mut self, cadence: &str, party: &PartyId, share: i128, price: i128) {
        const NAME: &str = "most_favoured_bps";
        let Some(bps) = self.clauses.most_favoured_bps else {
            return;
        };
        let one = i128::from(BPS_TOTAL);
        if share * one >= price * i128::from(bps) + one {
            let why =
                format!("{cadence}: {party} gives more than {bps} basis points of its prices");
            self.add(NAME, NAME, why);
        }
    }

    fn finish(self) -> Result<(), Refusal> {
        if self.violations.is_empty() {
            return Ok(());
        }
        let refusal = Refusal::fields(Reason::ClauseViolated, self.violations);
        Err(refusal.with("clauses", self.names.join(",")))
    }
}

/// At most 200 amounts of 64 bits.
fn sum(amounts: impl Iterator<Item = i64>) -> i128 {
    amounts.map(i128::from).sum()
}
