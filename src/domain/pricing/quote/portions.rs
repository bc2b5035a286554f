//! Decisions on what a quote is made of: creating it, and adding portions to it.

use std::collections::BTreeSet;

use super::cost::CostExchange;
use super::decide::{Caller, expired_revision, refuse_expired};
use super::funding::{self, VendorMoney};
use super::portion::{PassThrough, Portion, Recurrence, Stake};
use super::portion_check::{Describer, check_together, portion_faults};
use super::{JointQuote, JointQuoteEvent, PORTIONS_MAX, PortionAdded, QuoteCreated, RevisionState};
use crate::domain::command::Decision;
use crate::domain::commitment::Commitment;
use crate::domain::firm::refuse_taken;
use crate::domain::identity::{ExternalReference, PartyId, is_chosen_identifier};
use crate::domain::outsiders::{Client, already_exists};
use crate::domain::pricing::division::CostBand;
use crate::domain::pricing::money::{Currency, Money};
use crate::domain::record::{Event, Kind};
use crate::domain::refusal::{Reason, Refusal, Violations};
use crate::domain::text::{require_display_name, require_reference};
use crate::domain::time::Timestamp;
use crate::domain::world::Stop;

/// A portion as a firm describes it. Amounts are in the quote's currency and not negative; those of
/// what recurs are for one period.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NewPortion {
    /// Its identifier within the quote: 1 to 63 of `a-z0-9-`.
    pub portion_id: String,
    /// The party that it belongs to: `None` for the caller's own. A placeholder's may be named by
    /// any firm of the partnership, so that one firm alone can record what both sell; another
    /// firm's never.
    pub owner: Option<PartyId>,
    /// What it is: a commitment to free text.
    pub description: Option<Commitment>,
    /// How many of it there are: 1 to [`super::portion::QUANTITY_MAX`].
    pub quantity: i64,
    /// What one of it costs the client; needed where there are several.
    pub unit_price: Option<Money>,
    /// What the client would pay for it before any concession; needed unless there is a unit price,
    /// which it must agree with.
    pub price: Option<Money>,
    /// How often it is due; `None` for once.
    pub recurrence: Option<Recurrence>,
    /// The least price that its owner declares for it; no more than the price.
    pub floor_price: Option<Money>,
    /// The least margin that its owner asks for, in basis points of its cost.
    pub minimum_margin_bps: Option<u32>,
    /// Whether, and how, it passes another supplier's on.
    pub pass_through: Option<PassThrough>,
    /// Another party's portion that this one marks up.
    pub markup_on: Option<String>,
    /// What its owner earns from recommending it.
    pub stake: Option<Stake>,
    /// What it costs its owner, who alone can say so: a commitment; the plain amount never reaches
    /// a decision.
    pub internal_cost: Option<Commitment>,
    /// The rate by which that cost becomes one in the quote's currency, if it is in another.
    pub cost_exchange: Option<CostExchange>,
    /// Roughly what it costs, to tell all; computed from the cost, so whoever sees the cost does so.
    pub cost_band: Option<CostBand>,
}

impl NewPortion {
    /// One thing that is due once, at this price.
    #[must_use]
    pub fn new(portion_id: impl Into<String>, price: Money) -> Self {
        Self {
            portion_id: portion_id.into(),
            owner: None,
            description: None,
            quantity: 1,
            unit_price: None,
            price: Some(price),
            recurrence: None,
            floor_price: None,
            minimum_margin_bps: None,
            pass_through: None,
            markup_on: None,
            stake: None,
            internal_cost: None,
            cost_exchange: None,
            cost_band: None,
        }
    }

    /// What all of it costs the client; `None` if nobody said or it does not fit.
    #[must_use]
    pub fn full_price(&self) -> Option<Money> {
        self.price.or_else(|| {
            let unit_price = self.unit_price?;
            let minor = unit_price.minor.checked_mul(self.quantity)?;
            Some(Money::from_minor(unit_price.currency, minor))
        })
    }

    /// The portion of the quote that it becomes, once it was checked.
    fn owned(&self, caller: Caller<'_>, currency: Currency) -> Portion {
        Portion {
            id: self.portion_id.clone(),
            owner: self.owner.as_ref().unwrap_or(caller.party).clone(),
            description: self.description.clone(),
            quantity: self.quantity,
            unit_price: self.unit_price,
            price: self.full_price().unwrap_or(Money::zero(currency)),
            recurrence: self.recurrence,
            floor_price: self.floor_price,
            minimum_margin_bps: self.minimum_margin_bps,
            pass_through: self.pass_through,
            markup_on: self.markup_on.clone(),
            stake: self.stake.clone(),
            internal_cost: self.internal_cost.clone(),
            cost_exchange: self.cost_exchange.clone(),
            cost_band: self.cost_band,
        }
    }
}

/// What [`super::QuoteCommand::Create`] asks for.
pub(super) struct NewQuote<'command> {
    pub(super) id: &'command Option<String>,
    pub(super) display_name: &'command str,
    pub(super) client: &'command Option<String>,
    pub(super) currency: Currency,
    pub(super) expires_at: Timestamp,
    pub(super) portions: &'command [NewPortion],
    pub(super) vendor_funds: &'command [VendorMoney],
    pub(super) references: &'command Option<ExternalReference>,
}

impl NewQuote<'_> {
    /// Refuses fields that are wrong by themselves, all at once.
    fn check(&self, caller: Caller<'_>) -> Result<(), Stop> {
        let mut violations = Violations::default();
        let chosen = self.id.as_deref().is_none_or(is_chosen_identifier);
        violations.require(
            chosen,
            "joint_quote_id",
            "1 to 63 of a-z, 0-9 and -, a letter first",
        );
        require_display_name(
            &mut violations,
            "joint_quote.display_name",
            self.display_name,
        );
        require_expiry(
            &mut violations,
            "joint_quote.expire_time",
            self.expires_at,
            caller.view.now,
        );
        if let Some(reference) = self.references {
            require_reference(
                &mut violations,
                "joint_quote.external_references[0]",
                reference,
            );
        }
        let mut faults: Vec<Refusal> = violations.finish().err().into_iter().collect();
        let funds = self.vendor_funds;
        let view = &caller.view;
        faults.extend(funding::check(FUNDS, funds, self.currency, view)?);
        let describer = caller.describer(self.currency);
        // A list beyond the limit is refused for its length; its portions need no list of faults.
        for (index, portion) in self.portions.iter().enumerate().take(PORTIONS_MAX) {
            faults.extend(portion_faults(&path_in_quote(index), portion, describer));
        }
        Ok(Refusal::all(faults)?)
    }
}

/// Where the vendors' money of a quote stands in requests.
pub(super) const FUNDS: &str = "joint_quote.vendor_funds";

/// Notes an expiry that does not lie ahead.
pub(super) fn require_expiry(
    violations: &mut Violations,
    field: &str,
    expires_at: Timestamp,
    now: Timestamp,
) {
    let ahead = expires_at > now && expires_at.is_storable();
    violations.require(ahead, field, "must be in the future, before 2100");
}

fn path_in_quote(index: usize) -> String {
    format!("joint_quote.portions[{index}]")
}

/// Decides to create a quote with its first portions.
pub(super) fn create(new: &NewQuote<'_>, caller: Caller<'_>) -> Result<Decision, Stop> {
    let view = caller.view;
    new.check(caller)?;
    let portions = first_portions(new, caller)?;
    if let Some(client) = new.client {
        view.get::<Client>(client)?;
    }
    let id = new.id.clone().unwrap_or_else(|| view.new_id(0));
    if view.find::<JointQuote>(&id)?.is_some() {
        return Err(already_exists(Kind::JointQuote, &id).into());
    }
    if let Some(reference) = new.references {
        refuse_taken(reference, &view)?;
    }
    let created = QuoteCreated {
        display_name: new.display_name.to_owned(),
        client: new.client.clone(),
        currency: new.currency,
        expires_at: new.expires_at,
        portions,
        vendor_funds: new.vendor_funds.to_vec(),
    };
    let event = Event::new(&id, JointQuoteEvent::Created(created));
    let decision = Decision::about(Kind::JointQuote, &id).event(event);
    Ok(match new.references {
        Some(reference) => decision.reference(reference.clone(), Kind::JointQuote, &id),
        None => decision,
    })
}

/// The portions of a new quote, ordered by id so that the order of the request does not matter.
fn first_portions(new: &NewQuote<'_>, caller: Caller<'_>) -> Result<Vec<Portion>, Refusal> {
    let portions = new.portions;
    if portions.len() > PORTIONS_MAX {
        return Err(Refusal::limit("portions_per_quote", PORTIONS_MAX));
    }
    let mut seen = BTreeSet::new();
    if let Some(twice) = portions
        .iter()
        .find(|portion| !seen.insert(&portion.portion_id))
    {
        return Err(portion_exists(&twice.portion_id));
    }
    let mut first: Vec<Portion> = portions
        .iter()
        .map(|portion| portion.owned(caller, new.currency))
        .collect();
    let path = |id: &str| {
        let index = portions.iter().position(|new| new.portion_id == id);
        path_in_quote(index.unwrap_or_default())
    };
    let all: Vec<&Portion> = first.iter().collect();
    check_together(&all, &all, path)?;
    first.sort_by(|left, right| left.id.cmp(&right.id));
    Ok(first)
}

/// Decides to add a portion.
pub(super) fn add_portion(
    id: &str,
    new: &NewPortion,
    caller: Caller<'_>,
) -> Result<Decision, Stop> {
    const PATH: &str = "portion";
    let now = caller.view.now;
    let quote = caller.view.get::<JointQuote>(id)?;
    refuse_expired(quote, "AddPortion", now)?;
    if quote.in_force().is_some() {
        return Err(Refusal::invalid_state(RevisionState::Approved.as_str(), "AddPortion").into());
    }
    let describer = caller.describer(quote.currency);
    Refusal::all(portion_faults(PATH, new, describer))?;
    if quote
        .portions
        .iter()
        .any(|portion| portion.id == new.portion_id)
    {
        return Err(portion_exists(&new.portion_id).into());
    }
    if quote.portions.len() >= PORTIONS_MAX {
        return Err(Refusal::limit("portions_per_quote", PORTIONS_MAX).into());
    }
    let portion = new.owned(caller, quote.currency);
    let all: Vec<&Portion> = quote.portions.iter().chain([&portion]).collect();
    check_together(&all, &[&portion], |_| PATH.to_owned())?;
    let superseded = quote.open_at(now).map(|open| open.split.number);
    let mut decision = Decision::about(Kind::JointQuote, id);
    decision.events.extend(expired_revision(id, quote, now));
    let added = PortionAdded {
        portion,
        superseded,
    };
    Ok(decision.event(Event::new(id, JointQuoteEvent::PortionAdded(added))))
}

impl<'world> Caller<'world> {
    fn describer(&self, currency: Currency) -> Describer<'world> {
        Describer {
            partnership: self.partnership,
            party: self.party,
            currency,
        }
    }
}

/// Tells apart two exponents of one code, too: codes change theirs.
pub(super) fn described_mismatch(actual: Currency, expected: Currency) -> String {
    format!(
        "the quote is in {expected} with {} decimal places, not in {actual} with {}",
        expected.exponent(),
        actual.exponent()
    )
}

fn portion_exists(id: &str) -> Refusal {
    Refusal::new(
        Reason::AlreadyExists,
        format!("portion {id} is there already"),
    )
    .with("resource", "portion")
    .with("portion_id", id)
}
