//! What is proposed to be conceded, and by which rules it is divided.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::basis::Basis;
use super::fractions::{Owed, owed_for};
use super::funding::{self, NegotiationRound, VendorMoney};
use super::kept::KeptLimits;
use super::portion::{Cadence, Period, Portion};
use super::portions::described_mismatch;
use super::{JointQuote, PORTIONS_MAX};
use crate::domain::identity::PartyId;
use crate::domain::partnership::{Partnership, Role};
use crate::domain::pricing::division::{self, Measure, Question, Rounding};
use crate::domain::pricing::money::{Currency, Money};
use crate::domain::refusal::{Reason, Refusal};
use crate::domain::world::{Stop, View};

/// What is conceded in every period, on what recurs so often.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct RecurringConcession {
    /// On what recurs so often.
    pub period: Period,
    /// How much in each period, all of it so far; negative for a surcharge.
    pub amount: Money,
}

/// What becomes of what the floors leave over, as a proposal asks for it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum ShortfallChoice {
    /// Nothing is divided.
    #[default]
    Reject,
    /// The prime of the partnership bears it.
    PrimeAbsorbs,
    /// All bear it below their floors; the approval of each party concerned is its consent to that.
    BelowFloorWithConsent,
}

/// What becomes of what the floors leave over.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ShortfallPolicy {
    /// Nothing is divided.
    Reject,
    /// This party, the prime, bears it, below its floors if need be.
    PrimeAbsorbs(PartyId),
    /// All bear it below their floors; the approval of each party concerned is its consent to that.
    BelowFloorWithConsent,
}

/// What is asked to be conceded.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct NewConcession {
    /// What is conceded once, in all, what was approved before included; negative for a surcharge.
    /// `None` for nothing.
    pub concession: Option<Money>,
    /// What is conceded in every period; each period at most once.
    pub recurring: Vec<RecurringConcession>,
    /// By what measure it is divided.
    pub basis: Basis,
    /// How single minor units are given out.
    pub rounding: Rounding,
    /// What becomes of what the floors leave over.
    pub shortfall_policy: ShortfallChoice,
    /// When the client asked, and when the partner was told.
    pub negotiation_round: Option<NegotiationRound>,
    /// What vendors pay of what is conceded once.
    pub vendor_money: Vec<VendorMoney>,
    /// Whether it is divided within what the terms say of each party, instead of only held against it.
    pub keep_limits: bool,
}

/// A proposal with everything resolved: what every party approves, apart from what comes of it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Proposal {
    /// What is conceded once, in all, not on top of the revision before; negative for a surcharge.
    pub concession: Money,
    /// What is conceded in every period, in the order of the periods.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub recurring: Vec<RecurringConcession>,
    /// By what measure it is divided.
    pub basis: Basis,
    /// How single minor units are given out.
    pub rounding: Rounding,
    /// What becomes of what the floors leave over.
    pub shortfall_policy: ShortfallPolicy,
    /// When the client asked, and when the partner was told.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub negotiation_round: Option<NegotiationRound>,
    /// What vendors pay of what is conceded once: taken first, so that no portion bears it.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub vendor_money: Vec<VendorMoney>,
    /// The revision of the terms whose clauses it keeps; `None` if there were no terms.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub terms_revision: Option<u32>,
    /// The limits of the terms within which it is divided, if that was asked for.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub limits: Option<KeptLimits>,
    /// The fractions that earlier concessions owe the parties with a portion, if they are carried.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub owed: Option<Owed>,
}

impl Proposal {
    /// The proposal as a revision states it: everything named, checked and in one order.
    ///
    /// # Errors
    /// Everything that is wrong with what is asked, in one refusal, or what has to be loaded first.
    pub fn resolved(
        asked: &NewConcession,
        quote: &JointQuote,
        partnership: &Partnership,
        view: &View<'_>,
    ) -> Result<Self, Stop> {
        let vendor_money = &asked.vendor_money;
        let mut faults = funding::check("vendor_money", vendor_money, quote.currency, view)?;
        check_amounts(asked, quote, &mut faults);
        funding::check_fits(vendor_money, asked.concession, quote, &mut faults);
        if let Some(round) = asked.negotiation_round {
            round.check(view.now, partnership.future_tolerance(), &mut faults);
        }
        let basis = asked.basis.resolved(partnership, quote);
        let basis = basis.map_err(|refusal| faults.push(refusal)).ok();
        let is_stated = matches!(asked.basis, Basis::Custom(_));
        if asked.keep_limits && is_stated {
            let why = "must be false where shares are stated";
            faults.push(Refusal::field(Reason::InvalidField, "keep_limits", why));
        }
        let policy = resolved_policy(asked.shortfall_policy, partnership);
        let policy = policy.map_err(|refusal| faults.push(refusal)).ok();
        Refusal::all(faults)?;
        let mut recurring = asked.recurring.clone();
        recurring.sort_by_key(|recurring| recurring.period);
        let not_noted = || Refusal::new(Reason::Internal, "a fault was not noted");
        let mut proposal = Self {
            concession: asked.concession.unwrap_or(Money::zero(quote.currency)),
            recurring,
            basis: basis.ok_or_else(not_noted)?,
            rounding: asked.rounding,
            shortfall_policy: policy.ok_or_else(not_noted)?,
            negotiation_round: asked.negotiation_round,
            vendor_money: asked.vendor_money.clone(),
            terms_revision: partnership.terms.as_ref().map(|terms| terms.revision),
            limits: KeptLimits::asked(asked, partnership),
            owed: None,
        };
        proposal.owed = owed_for(&proposal, quote, partnership, view)?;
        Ok(proposal)
    }

    /// What is conceded at each time that this cadence is due; negative for a surcharge.
    #[must_use]
    pub fn on(&self, cadence: Cadence) -> i64 {
        if cadence == Cadence::OneTime {
            return self.concession.minor;
        }
        let mut recurring = self.recurring.iter();
        recurring
            .find(|recurring| Cadence::from(recurring.period) == cadence)
            .map_or(0, |recurring| recurring.amount.minor)
    }

    /// What of it vendors pay.
    #[must_use]
    pub fn vendor_money_on(&self, cadence: Cadence) -> i64 {
        match cadence {
            Cadence::OneTime => funding::sum(&self.vendor_money),
            _ => 0,
        }
    }

    /// How many entries its lists have, which are stored with every revision.
    #[must_use]
    pub fn entry_count(&self) -> usize {
        let of_basis = match &self.basis {
            Basis::FixedBps(shares) => shares.len(),
            Basis::Custom(shares) => shares.len(),
            _ => 0,
        };
        let owed = self.owed.as_ref().map_or(0, Owed::len);
        let limits = self.limits.as_ref();
        let limits = limits.map_or(0, |limits| limits.party_limits.len());
        of_basis + owed + limits + self.vendor_money.len()
    }

    /// The currency of every amount in it.
    #[must_use]
    pub const fn currency(&self) -> Currency {
        self.concession.currency
    }

    /// What is to be divided over `portions`, those of one cadence.
    #[must_use]
    pub fn question(&self, cadence: Cadence, portions: &[&Portion]) -> Question {
        // Vendors pay no more than what is conceded.
        let vendors = self.vendor_money_on(cadence);
        let concession = self.on(cadence).saturating_sub(vendors);
        Question {
            concession,
            measure: self.measure(concession, portions),
            shortfall: match &self.shortfall_policy {
                ShortfallPolicy::Reject => division::ShortfallPolicy::Reject,
                ShortfallPolicy::PrimeAbsorbs(prime) => {
                    division::ShortfallPolicy::AbsorbedBy(prime.to_string())
                }
                ShortfallPolicy::BelowFloorWithConsent => division::ShortfallPolicy::BelowFloor,
            },
            rounding: self.rounding,
            limits: match &self.limits {
                Some(limits) => limits.of_owners(portions),
                None => BTreeMap::new(),
            },
            owed: self.owed_on(cadence),
        }
    }

    /// Only what is conceded once carries fractions.
    fn owed_on(&self, cadence: Cadence) -> Option<BTreeMap<String, i64>> {
        let owed = self.owed.as_ref().filter(|_| cadence == Cadence::OneTime)?;
        let named = owed.iter().map(|(party, owed)| (party.to_string(), *owed));
        Some(named.collect())
    }

    fn measure(&self, concession: i64, portions: &[&Portion]) -> Measure {
        match &self.basis {
            Basis::Custom(stated) => {
                let is_here = |id: &str| portions.iter().any(|portion| portion.id == id);
                let stated = stated.iter().filter(|stated| is_here(&stated.portion_id));
                Measure::Custom(
                    stated
                        .map(|stated| (stated.portion_id.clone(), stated.amount.minor))
                        .collect(),
                )
            }
            // Nothing at all is divided, whatever the weights are.
            _ if concession == 0 => Measure::Price,
            Basis::Price => Measure::Price,
            Basis::FixedBps(shares) => Measure::FixedBps(
                shares
                    .iter()
                    .map(|share| (share.party.to_string(), u64::from(share.share_bps)))
                    .collect(),
            ),
            Basis::CostBand => Measure::CostBand,
            Basis::Cost => Measure::Cost,
            Basis::Margin => Measure::Margin,
        }
    }
}

fn resolved_policy(
    choice: ShortfallChoice,
    partnership: &Partnership,
) -> Result<ShortfallPolicy, Refusal> {
    Ok(match choice {
        ShortfallChoice::Reject => ShortfallPolicy::Reject,
        ShortfallChoice::BelowFloorWithConsent => ShortfallPolicy::BelowFloorWithConsent,
        ShortfallChoice::PrimeAbsorbs => {
            let mut primes = partnership
                .parties
                .iter()
                .filter(|party| party.role == Role::Prime);
            let (Some(prime), None) = (primes.next(), primes.next()) else {
                let why = "needs exactly one party of the partnership to be its prime";
                return Err(Refusal::field(
                    Reason::InvalidField,
                    "shortfall_policy",
                    why,
                ));
            };
            ShortfallPolicy::PrimeAbsorbs(prime.id.clone())
        }
    })
}

/// Notes what is wrong with the amounts by themselves, before anything is divided.
fn check_amounts(asked: &NewConcession, quote: &JointQuote, faults: &mut Vec<Refusal>) {
    let one_time = asked.concession.iter();
    let one_time = one_time.map(|amount| ("concession".to_owned(), Cadence::OneTime, *amount));
    let recurring = asked.recurring.iter().enumerate().map(|(index, found)| {
        let field = format!("recurring_concessions[{index}].amount");
        (field, Cadence::from(found.period), found.amount)
    });
    let amounts: Vec<(String, Cadence, Money)> = one_time.chain(recurring).collect();
    let mut seen = std::collections::BTreeSet::new();
    for (field, cadence, amount) in &amounts {
        let amount = *amount;
        if amount.currency != quote.currency {
            faults.push(other_currency(field, amount.currency, quote.currency));
        } else if let Err(refusal) = check_size(field, *cadence, amount, quote) {
            faults.push(refusal);
        }
        if !seen.insert(*cadence) {
            let field = field.replace(".amount", ".period");
            faults.push(Refusal::field(
                Reason::InvalidField,
                field,
                "each period once",
            ));
        }
    }
    let is_nothing = amounts.iter().all(|(_, _, amount)| amount.minor == 0);
    if is_nothing && quote.in_force().is_none() {
        let why = "must not be zero: no concession is in force that it could take back";
        faults.push(Refusal::field(Reason::InvalidField, "concession", why));
    }
}

/// The refusal of an amount in another currency than the quote's.
pub(super) fn other_currency(field: &str, actual: Currency, expected: Currency) -> Refusal {
    let description = described_mismatch(actual, expected);
    Refusal::field(Reason::CurrencyMismatch, field, description)
        .with("expected", expected)
        .with("actual", actual)
}

fn check_size(
    field: &str,
    cadence: Cadence,
    amount: Money,
    quote: &JointQuote,
) -> Result<(), Refusal> {
    let mut portions = quote.of(cadence).peekable();
    if portions.peek().is_none() && cadence != Cadence::OneTime && amount.minor != 0 {
        let why = format!("no portion of the quote is {}", cadence.as_str());
        return Err(Refusal::field(Reason::InvalidField, field, why));
    }
    // Whatever became part of the quote fits.
    let total: i128 = portions
        .map(|portion| i128::from(portion.price.minor))
        .sum();
    if i128::from(amount.minor).abs() <= total {
        return Ok(());
    }
    let total = Money::from_minor(quote.currency, i64::try_from(total).unwrap_or(i64::MAX));
    let why = format!("{amount} is more than the sum of all prices, {total}");
    Err(Refusal::field(Reason::ConcessionTooLarge, field, why)
        .with("concession", amount)
        .with("price", total)
        .with("cadence", cadence.as_str()))
}

/// A share that was stated for a portion.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct CustomShare {
    /// The portion.
    pub portion_id: String,
    /// What it bears; negative for a surcharge.
    pub amount: Money,
}

/// Stated shares in the order of the portions. What is wrong with them: of unknown portions, stated
/// twice, or in another currency.
pub(super) fn check_custom(
    stated: &[CustomShare],
    quote: &JointQuote,
) -> Result<Vec<CustomShare>, Refusal> {
    let mut faults = Vec::new();
    let mut found: BTreeMap<&str, Money> = BTreeMap::new();
    if stated.is_empty() || stated.len() > PORTIONS_MAX {
        let why = format!("1 to {PORTIONS_MAX} are needed");
        faults.push(Refusal::field(Reason::WeightsInvalid, "custom_shares", why));
    }
    for (index, share) in stated.iter().take(PORTIONS_MAX).enumerate() {
        let field = || format!("custom_shares[{index}].portion_id");
        if !quote.has(&share.portion_id) {
            let why = "no such portion in this quote";
            faults.push(Refusal::field(Reason::WeightsInvalid, field(), why));
        }
        if share.amount.currency != quote.currency {
            let field = format!("custom_shares[{index}].amount");
            let actual = share.amount.currency;
            faults.push(other_currency(&field, actual, quote.currency));
        }
        if found.insert(&share.portion_id, share.amount).is_some() {
            let why = "each portion once";
            faults.push(Refusal::field(Reason::WeightsInvalid, field(), why));
        }
    }
    Refusal::all(faults)?;
    let share = |(id, amount): (&str, Money)| CustomShare {
        portion_id: id.to_owned(),
        amount,
    };
    Ok(found.into_iter().map(share).collect())
}
