//! How a concession is divided over a quote's portions, explained, and hashed.
//!
//! Every portion is one slice. What is due once and what recurs is divided apart, each cadence over
//! its own slices, by [`divide`]. A concession is the total so far and is always divided anew over
//! the original prices, never on top of an earlier, rounded result. A negative concession is a
//! surcharge; it mirrors the concession of the same size.
//!
//! A line keeps what came of it, not the steps that led there: dividing again gives these, bit for
//! bit.

use serde::{Deserialize, Serialize};

use super::blind::{Costs, slice};
use super::portion::{Cadence, Portion, total_over_term};
use super::proposal::Proposal;
use super::refused::refused;
use crate::domain::commitment::Commitment;
use crate::domain::content_hash;
use crate::domain::identity::{PartyId, ScopeId};
use crate::domain::pricing::allocation::ENGINE_VERSION;
use crate::domain::pricing::allocation::carried::Carried;
use crate::domain::pricing::division::{Division, Part, Slice, divide};
use crate::domain::refusal::{Reason, Refusal};

/// What the first revision of a quote has for its previous hash: 64 zeros.
pub const FIRST_PREVIOUS_HASH: &str =
    "0000000000000000000000000000000000000000000000000000000000000000";
/// Names the type and the version of what a revision's hash covers.
const FORM: &str = "entente.concession.v1";

/// What one portion bears each time that it is due. Amounts are in minor units of the quote's
/// currency.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct OpenLine {
    /// Its weight by the basis.
    pub weight: u64,
    /// What it can bear before its floor.
    pub room: u64,
    /// What it bears within its floor; negative for a surcharge.
    pub within_floor: i64,
    /// What it bears beyond that, by the shortfall's policy or as stated.
    pub beyond_floor: i64,
    /// What it bears in all; negative for a surcharge. Never more than its price.
    pub share: i64,
    /// Its price before the concession.
    pub price_before: i64,
    /// Its price after it: `price_before` less `share`.
    pub price_after: i64,
    /// Whether it lies at its floor or below, with no room left.
    pub is_at_floor: bool,
}

/// What came of a portion's part, as every party sees it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Outcome {
    /// Told to all.
    Open(OpenLine),
    /// Known to its owner alone: a commitment to the numbers.
    Sealed(Commitment),
}

/// What one portion bears.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Line {
    /// The portion.
    pub portion_id: String,
    /// The party that it belongs to.
    pub owner: PartyId,
    /// What came of it.
    pub outcome: Outcome,
}

impl Line {
    /// The numbers, if they are told to all.
    #[must_use]
    pub const fn open(&self) -> Option<&OpenLine> {
        match &self.outcome {
            Outcome::Open(line) => Some(line),
            Outcome::Sealed(_) => None,
        }
    }
}

/// What is conceded at each time that something is due, divided. Amounts are in minor units of the
/// quote's currency.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct CadenceSplit {
    /// When it is due.
    pub cadence: Cadence,
    /// What is conceded together; negative for a surcharge.
    pub concession: i64,
    /// What of it vendors pay, so that no portion bears it.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub vendor_money: i64,
    /// One line for each of its portions, those that bear nothing too, ordered by portion id. They
    /// add up to the concession less the vendors' money.
    pub lines: Vec<Line>,
    /// The fractions owed to each party with a portion before and after, if they are carried.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub carried: Vec<Carried>,
    /// What the floors left over, however it was placed.
    pub shortfall: u64,
    /// Sum of its prices before the concession.
    pub price_before: i64,
    /// What the client pays after it: `price_before` less the concession. The prices of the lines are
    /// that and the vendors' money.
    pub price_after: i64,
}

#[expect(
    clippy::trivially_copy_pass_by_ref,
    reason = "serde calls it with a reference"
)]
const fn is_zero(amount: &i64) -> bool {
    *amount == 0
}

/// A concession divided over the portions that a quote had, and the hash that parties approve.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ConcessionSplit {
    /// Number of the revision, from 1.
    pub number: u32,
    /// What is proposed.
    pub proposal: Proposal,
    /// What comes of it: each cadence of the quote's portions, in order.
    pub cadences: Vec<CadenceSplit>,
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

/// What a revision's hash covers. Costs, descriptions and sealed lines stand in it as commitments
/// only.
#[derive(Serialize)]
struct RevisionContent<'content> {
    scope: &'content ScopeId,
    quote: &'content str,
    number: u32,
    portions: &'content [&'content Portion],
    proposal: &'content Proposal,
    cadences: &'content [CadenceSplit],
    previous_hash: &'content str,
    engine_version: u32,
}

impl ConcessionSplit {
    /// Divides what is proposed over `portions`, which are ordered by id.
    ///
    /// # Errors
    /// [`Reason::ConcessionShortfall`] if the floors leave something over that nobody bears,
    /// [`Reason::ConcessionTooLarge`] if a portion would bear more than its price,
    /// [`Reason::WeightsInvalid`] if there is nothing to weigh by, or stated shares miss the total,
    /// [`Reason::OutOfRange`] if an amount does not fit 64 bits.
    pub fn new(
        place: RevisionPlace<'_>,
        portions: &[&Portion],
        proposal: Proposal,
    ) -> Result<Self, Refusal> {
        Self::with_costs(place, portions, proposal, &Costs::new())
    }

    /// As [`Self::new`], by costs and with the floors that follow from these. Every line is open; what
    /// is journalled is [`Self::sealed`].
    ///
    /// # Errors
    /// As [`Self::new`]; what they say may tell of costs.
    pub fn with_costs(
        place: RevisionPlace<'_>,
        portions: &[&Portion],
        proposal: Proposal,
        costs: &Costs,
    ) -> Result<Self, Refusal> {
        let mut cadences = Vec::new();
        let mut faults = Vec::new();
        for (cadence, of_cadence) in by_cadence(portions) {
            match CadenceSplit::divided(&proposal, cadence, &of_cadence, costs) {
                Ok(split) => cadences.push(split),
                Err(refusal) => faults.push(refusal),
            }
        }
        Refusal::all(faults)?;
        let mut split = Self {
            number: place.number,
            proposal,
            cadences,
            previous_hash: place.previous_hash.to_owned(),
            hash: String::new(),
            engine_version: ENGINE_VERSION,
        };
        split.require_term_totals(portions)?;
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
    /// portions with all that is known of them, the proposal, its divisions, previous hash and
    /// engine version. As 64 lower-case hexadecimal digits.
    #[must_use]
    pub fn hash_over(&self, place: RevisionPlace<'_>, portions: &[&Portion]) -> String {
        let content = RevisionContent {
            scope: place.scope,
            quote: place.quote,
            number: self.number,
            portions,
            proposal: &self.proposal,
            cadences: &self.cadences,
            previous_hash: &self.previous_hash,
            engine_version: self.engine_version,
        };
        content_hash(FORM, &content)
    }

    /// Whether dividing again gives exactly this split, hash and all. `portions` are the quote's;
    /// those added after the revision are left aside.
    #[must_use]
    pub fn is_genuine(&self, place: RevisionPlace<'_>, portions: &[Portion]) -> bool {
        let divided = self.divided(portions);
        Self::new(place, &divided, self.proposal.clone()).is_ok_and(|again| again == *self)
    }

    /// Whether dividing again by these costs gives exactly this split, lines and all; `read` finds the
    /// openings of its lines. `None` if one of these is not there.
    #[must_use]
    pub fn is_genuine_by(
        &self,
        place: RevisionPlace<'_>,
        portions: &[Portion],
        costs: &Costs,
        read: impl Fn(&Commitment) -> Option<String>,
    ) -> Option<bool> {
        let opened = self.opened(read);
        let is_whole = opened.sealed_lines().next().is_none();
        let divided = self.divided(portions);
        let again = Self::with_costs(place, &divided, self.proposal.clone(), costs);
        // What was sealed has the hash of what was sealed.
        let same = |again: Self| again.cadences == opened.cadences;
        let is_hashed = self.hash_over(place, &divided) == self.hash;
        is_whole.then(|| is_hashed && again.is_ok_and(same))
    }

    /// The divisions with every step of them, one for each cadence. `portions` are the quote's.
    ///
    /// # Errors
    /// As [`Self::new`]; never for a split that came of these portions.
    pub fn divisions(&self, portions: &[Portion]) -> Result<Vec<(Cadence, Division)>, Refusal> {
        let divided = self.divided(portions);
        let cadences = by_cadence(&divided).into_iter();
        cadences
            .map(|(cadence, of_cadence)| {
                division(&self.proposal, cadence, &of_cadence, &Costs::new())
                    .map(|found| (cadence, found))
            })
            .collect()
    }

    /// Those of a quote's portions that this split divides.
    fn divided<'portion>(&self, portions: &'portion [Portion]) -> Vec<&'portion Portion> {
        let has_line = |portion: &&Portion| self.line(&portion.id).is_some();
        portions.iter().filter(has_line).collect()
    }

    /// Every line, cadence by cadence.
    pub fn lines(&self) -> impl Iterator<Item = &Line> {
        self.cadences.iter().flat_map(|cadence| &cadence.lines)
    }

    /// The line of a portion.
    #[must_use]
    pub fn line(&self, portion_id: &str) -> Option<&Line> {
        self.lines().find(|line| line.portion_id == portion_id)
    }

    /// How many lines it keeps: of portions, and of what the proposal states for each portion, party
    /// or vendor.
    #[must_use]
    pub fn line_count(&self) -> usize {
        self.portion_count() + self.proposal.entry_count()
    }

    /// How many portions it divides.
    #[must_use]
    pub fn portion_count(&self) -> usize {
        self.cadences
            .iter()
            .map(|cadence| cadence.lines.len())
            .sum()
    }

    /// Whether a portion ends below the floor that its owner declared.
    #[must_use]
    pub fn undercuts_a_floor(&self) -> bool {
        let mut open = self.lines().filter_map(Line::open);
        open.any(|line| line.beyond_floor > 0)
    }

    /// Whether the price before, less the share, is the price after: on every line and in total.
    #[must_use]
    pub fn adds_up(&self) -> bool {
        self.cadences.iter().all(CadenceSplit::adds_up)
    }

    /// Refuses totals over the whole term that do not fit, so that all that is derived does.
    fn require_term_totals(&self, portions: &[&Portion]) -> Result<(), Refusal> {
        let periods = |line: &Line| {
            let mut portions = portions.iter();
            let portion = portions.find(|portion| portion.id == line.portion_id);
            portion.map_or(1, |portion| portion.periods())
        };
        let open: Vec<(&OpenLine, u16)> = self
            .lines()
            .filter_map(|line| Some((line.open()?, periods(line))))
            .collect();
        let sizes = open.iter().map(|(line, periods)| (line.share, *periods));
        let sizes = sizes.map(|(share, periods)| (share.saturating_abs(), periods));
        let prices = open
            .iter()
            .map(|(line, periods)| (line.price_after, *periods));
        let fit = total_over_term(sizes).and(total_over_term(prices));
        fit.map(|_| ())
            .ok_or_else(|| out_of_range("the total over all periods"))
    }
}

impl CadenceSplit {
    /// Divides what is proposed over those portions that are due then.
    pub(super) fn divided(
        proposal: &Proposal,
        cadence: Cadence,
        portions: &[&Portion],
        costs: &Costs,
    ) -> Result<Self, Refusal> {
        let division = division(proposal, cadence, portions, costs)?;
        let vendor_money = proposal.vendor_money_on(cadence);
        Self::of(cadence, &division, vendor_money, portions)
    }

    fn of(
        cadence: Cadence,
        division: &Division,
        vendor_money: i64,
        portions: &[&Portion],
    ) -> Result<Self, Refusal> {
        let price_before = signed(division.price_before, "price_before")?;
        let of_lines = signed(division.price_after, "price_after")?;
        let price_after = of_lines.checked_sub(vendor_money);
        let concession = division.concession.checked_add(vendor_money);
        let mut lines = Vec::with_capacity(portions.len());
        for (portion, part) in portions.iter().zip(&division.parts) {
            lines.push(Line {
                portion_id: portion.id.clone(),
                owner: portion.owner.clone(),
                outcome: Outcome::Open(OpenLine::of(part)?),
            });
        }
        Ok(Self {
            cadence,
            concession: concession.ok_or_else(|| out_of_range("concession"))?,
            vendor_money,
            lines,
            carried: division.carried.clone(),
            shortfall: division.shortfall,
            price_before,
            price_after: price_after.ok_or_else(|| out_of_range("price_after"))?,
        })
    }

    /// Whether the price before, less the share, is the price after: on every open line and in
    /// total. Where a line is sealed, only the total is looked at.
    fn adds_up(&self) -> bool {
        let before = i128::from(self.price_before);
        let conceded = i128::from(self.concession);
        let after = i128::from(self.price_after);
        let vendors = i128::from(self.vendor_money);
        let open: Vec<&OpenLine> = self.lines.iter().filter_map(Line::open).collect();
        let sum = |amount: fn(&OpenLine) -> i64| -> i128 {
            open.iter().map(|line| i128::from(amount(line))).sum()
        };
        let whole = open.len() == self.lines.len();
        let of_lines = !whole
            || (sum(|line| line.price_before) == before
                && sum(|line| line.share) == conceded - vendors
                && sum(|line| line.price_after) == after + vendors);
        let each = open
            .iter()
            .all(|line| line.price_before.checked_sub(line.share) == Some(line.price_after));
        each && of_lines && before - conceded == after
    }

    /// What each party bears each time, ordered by party; `None` where a line is sealed.
    #[must_use]
    pub fn by_party(&self) -> Option<Vec<(PartyId, i64)>> {
        let mut shares = std::collections::BTreeMap::new();
        for line in &self.lines {
            // Shares add up to the concession, or to no more than the prices after; checked anyway.
            let share: &mut i64 = shares.entry(line.owner.clone()).or_default();
            *share = share.checked_add(line.open()?.share)?;
        }
        Some(shares.into_iter().collect())
    }
}

impl OpenLine {
    /// What a part of a division says in a line.
    ///
    /// # Errors
    /// [`Reason::OutOfRange`] if a price does not fit.
    pub fn of(part: &Part) -> Result<Self, Refusal> {
        Ok(Self {
            weight: part.weight,
            room: part.room,
            within_floor: part.within_floor,
            beyond_floor: part.beyond_floor,
            share: part.share,
            price_before: signed(part.price_before, "price_before")?,
            price_after: signed(part.price_after, "price_after")?,
            is_at_floor: part.is_at_floor,
        })
    }
}

fn signed(amount: u64, field: &'static str) -> Result<i64, Refusal> {
    i64::try_from(amount).map_err(|_| out_of_range(field))
}

/// The portions of each cadence that there is, in order.
pub fn by_cadence<'portion>(
    portions: &[&'portion Portion],
) -> Vec<(Cadence, Vec<&'portion Portion>)> {
    let of = |cadence: Cadence| {
        let of_cadence = portions.iter().copied();
        let of_cadence: Vec<_> = of_cadence
            .filter(|portion| portion.cadence() == cadence)
            .collect();
        (!of_cadence.is_empty()).then_some((cadence, of_cadence))
    };
    Cadence::ALL.into_iter().filter_map(of).collect()
}

fn division(
    proposal: &Proposal,
    cadence: Cadence,
    portions: &[&Portion],
    costs: &Costs,
) -> Result<Division, Refusal> {
    let slices = portions.iter().map(|portion| slice(portion, costs));
    let slices: Vec<Slice> = slices.collect();
    let question = proposal.question(cadence, portions);
    divide(&slices, &question).map_err(|error| {
        let field = match cadence {
            Cadence::OneTime => "concession",
            _ => "recurring_concessions",
        };
        refused(&error, field, proposal.currency()).with("cadence", cadence.as_str())
    })
}

/// Sum of the portions' prices in minor units; `None` if it does not fit.
#[must_use]
pub fn price_total(portions: &[&Portion]) -> Option<i64> {
    portions
        .iter()
        .try_fold(0_i64, |sum, portion| sum.checked_add(portion.price.minor))
}

/// The refusal for an amount that does not fit.
pub(super) fn out_of_range(field: &'static str) -> Refusal {
    Refusal::new(
        Reason::OutOfRange,
        format!("{field} does not fit a signed 64-bit number"),
    )
    .with("field", field)
}
