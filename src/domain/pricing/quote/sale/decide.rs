//! Decisions on what became of a quote.

use std::collections::BTreeSet;

use super::super::agreed::{AgreedCadence, AgreedLine};
use super::super::{Cadence, JointQuote, JointQuoteEvent, QuoteState};
use super::{
    ConcessionReversed, FinalPrice, QuoteLost, QuoteWon, REVERSAL_LINES_MAX, REVERSALS_MAX,
    ReversedCadence, ReversedLine, SaleReason, WORDS_PER_PARTY_MAX,
};
use crate::domain::command::Decision;
use crate::domain::commitment::Commitment;
use crate::domain::identity::{FirmId, PartyId};
use crate::domain::partnership::{Partnership, Role, as_active_party};
use crate::domain::pricing::allocation::AllocationError;
use crate::domain::pricing::allocation::reversal::{Recorded, reverse};
use crate::domain::pricing::money::Money;
use crate::domain::pricing::settlement::account::{Item, Source, settle_later};
use crate::domain::pricing::settlement::month::{require_bookable, today};
use crate::domain::record::{Event, Kind};
use crate::domain::refusal::{Reason, Refusal, Violations};
use crate::domain::sla::calendar::CivilDate;
use crate::domain::world::{Stop, View};

/// A reversal as it is asked for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NewReversal {
    /// Which quote.
    pub id: String,
    /// The hash of the revision whose shares are taken back.
    pub hash: String,
    /// How much of which cadence, over its whole term; with the sign of the concession.
    pub amounts: Vec<(Cadence, Money)>,
    /// The party that bills the client; if not stated the prime, if exactly one owns a
    /// portion, else the caller's.
    pub biller: Option<PartyId>,
    /// On which day the client is billed; today if not stated.
    pub date: Option<CivilDate>,
    /// Why.
    pub reason: Option<Commitment>,
}

/// What can be asked of a quote once its client has decided; for every party that owns a portion.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum SaleCommand {
    /// Says that it was won, and at which price; once more to correct that.
    Win {
        /// Which quote.
        id: String,
        /// What the client pays in each cadence of the quote.
        prices: Vec<(Cadence, Money)>,
    },
    /// Says that it was lost.
    Lose {
        /// Which quote.
        id: String,
        /// What decided it.
        reason: SaleReason,
        /// In words.
        words: Option<Commitment>,
    },
    /// Takes back a part of the concession of a quote that was won.
    Reverse(NewReversal),
}

/// A quote, and the party of the caller, which owns a portion of it.
#[derive(Clone, Copy)]
pub(in crate::domain::pricing) struct Seller<'world> {
    /// The partnership of the scope.
    pub(in crate::domain::pricing) partnership: &'world Partnership,
    /// The party.
    pub(in crate::domain::pricing) party: &'world PartyId,
    /// The quote.
    pub(in crate::domain::pricing) quote: &'world JointQuote,
}

impl<'world> Seller<'world> {
    /// The caller as a seller of the quote `id`.
    ///
    /// # Errors
    /// [`Reason::NotAPortionOwner`] if the caller's party owns no portion; or what has to be loaded
    /// first.
    pub(in crate::domain::pricing) fn of(
        id: &str,
        firm: &FirmId,
        view: &View<'world>,
    ) -> Result<Self, Stop> {
        let (partnership, party) = as_active_party(firm, view)?;
        let quote = view.get::<JointQuote>(id)?;
        let party = &party.id;
        if !quote.portions.iter().any(|portion| portion.owner == *party) {
            let message = format!("{party} owns no portion of the quote");
            let refusal = Refusal::new(Reason::NotAPortionOwner, message);
            return Err(refusal.with("party_id", party).into());
        }
        Ok(Self {
            partnership,
            party,
            quote,
        })
    }

    /// What the parties agreed on, if the quote was won.
    ///
    /// # Errors
    /// [`Reason::InvalidState`] unless it was.
    pub(in crate::domain::pricing) fn won(
        &self,
        action: &str,
    ) -> Result<Vec<AgreedCadence>, Refusal> {
        if self.quote.state != QuoteState::Won {
            return Err(Refusal::invalid_state(self.quote.state.as_str(), action));
        }
        Ok(self.quote.agreed())
    }

    /// The party that bills the client: the one named, which must be in the partnership.
    ///
    /// # Errors
    /// [`Reason::InvalidField`] for a party that is not there.
    pub(in crate::domain::pricing) fn biller(
        &self,
        named: Option<&PartyId>,
    ) -> Result<PartyId, Refusal> {
        let Some(named) = named else {
            return Ok(default_biller(self.partnership, self.quote, self.party));
        };
        if self.partnership.party(named).is_some() {
            return Ok(named.clone());
        }
        let rule = "must be a party of the partnership";
        Err(Refusal::field(Reason::InvalidField, "biller", rule))
    }
}

/// Who bills the client if nobody says so: the prime, if exactly one owns a portion; else the party
/// that records it.
fn default_biller(partnership: &Partnership, quote: &JointQuote, recorder: &PartyId) -> PartyId {
    let owners: BTreeSet<&PartyId> = quote
        .portions
        .iter()
        .map(|portion| &portion.owner)
        .collect();
    let is_prime = |owner: &&PartyId| {
        let party = partnership.party(owner);
        party.is_some_and(|party| party.role == Role::Prime)
    };
    let mut primes = owners.into_iter().filter(is_prime);
    match (primes.next(), primes.next()) {
        (Some(prime), None) => prime.clone(),
        _ => recorder.clone(),
    }
}

/// Decides a command on what became of a quote.
///
/// # Errors
/// A refusal, or what has to be loaded first.
pub fn decide(command: &SaleCommand, firm: &FirmId, view: &View<'_>) -> Result<Decision, Stop> {
    match command {
        SaleCommand::Win { id, prices } => win(id, prices, Seller::of(id, firm, view)?),
        SaleCommand::Lose { id, reason, words } => {
            let seller = Seller::of(id, firm, view)?;
            lose(id, *reason, words.clone(), seller)
        }
        SaleCommand::Reverse(asked) => {
            let seller = Seller::of(&asked.id, firm, view)?;
            take_back(asked, seller, view)
        }
    }
}

fn win(id: &str, prices: &[(Cadence, Money)], seller: Seller<'_>) -> Result<Decision, Stop> {
    let Seller { party, quote, .. } = seller;
    if quote.state == QuoteState::Lost {
        return Err(Refusal::invalid_state(quote.state.as_str(), "WinQuote").into());
    }
    let own = quote.sale.won.iter().filter(|word| word.by.party == *party);
    if own.count() >= WORDS_PER_PARTY_MAX {
        return Err(Refusal::limit("final_prices_per_party", WORDS_PER_PARTY_MAX).into());
    }
    let prices = final_prices(quote, prices)?;
    let last = quote.sale.won.last();
    let same = last.is_some_and(|last| last.by.party == *party && last.prices == prices);
    let about = Decision::about(Kind::JointQuote, id);
    if same {
        return Ok(about);
    }
    let won = QuoteWon {
        party: party.clone(),
        prices,
        superseded: quote.unanswered(),
    };
    Ok(about.event(Event::new(id, JointQuoteEvent::Won(won))))
}

/// What the client pays, beside what was agreed: one price for each cadence of the quote.
fn final_prices(
    quote: &JointQuote,
    stated: &[(Cadence, Money)],
) -> Result<Vec<FinalPrice>, Refusal> {
    let agreed = quote.agreed();
    require_cadences(quote, &agreed, stated, "final_client_prices")?;
    let mut violations = Violations::default();
    let mut prices = Vec::new();
    for cadence in &agreed {
        let found = stated.iter().position(|(of, _)| *of == cadence.cadence);
        let Some(index) = found else {
            let rule = format!("must have a price for {}", cadence.cadence.as_str());
            violations.add("final_client_prices", rule);
            continue;
        };
        let price = stated[index].1.minor;
        let field = format!("final_client_prices[{index}].amount");
        violations.require(price >= 0, &field, "must not be negative");
        let difference = price.checked_sub(cadence.price_after);
        prices.push(FinalPrice {
            cadence: cadence.cadence,
            price,
            agreed: cadence.price_after,
            difference_to_agreed: difference.ok_or_else(|| too_large(&field))?,
        });
    }
    violations.finish()?;
    Ok(prices)
}

fn too_large(field: &str) -> Refusal {
    Refusal::field(Reason::OutOfRange, field, "does not fit")
}

/// Each cadence at most once, of those that the quote has, in the quote's currency.
fn require_cadences(
    quote: &JointQuote,
    agreed: &[AgreedCadence],
    stated: &[(Cadence, Money)],
    field: &str,
) -> Result<(), Refusal> {
    let mut violations = Violations::default();
    let mut seen = BTreeSet::new();
    // The last one beyond these repeats a cadence.
    for (index, (cadence, amount)) in stated.iter().take(Cadence::ALL.len() + 1).enumerate() {
        let known = agreed.iter().any(|known| known.cadence == *cadence);
        let path = format!("{field}[{index}].cadence");
        violations.require(known, &path, "nothing of the quote is due then");
        violations.require(seen.insert(*cadence), &path, "each cadence once");
        if amount.currency != quote.currency {
            let path = format!("{field}[{index}].amount");
            let rule = format!("the quote is in {}", quote.currency);
            return Err(Refusal::field(Reason::CurrencyMismatch, path, rule)
                .with("expected", quote.currency)
                .with("actual", amount.currency));
        }
    }
    violations.finish()
}

fn lose(
    id: &str,
    reason: SaleReason,
    words: Option<Commitment>,
    seller: Seller<'_>,
) -> Result<Decision, Stop> {
    let Seller { party, quote, .. } = seller;
    let same = quote
        .sale
        .lost
        .as_ref()
        .is_some_and(|lost| lost.reason == reason);
    if same {
        return Ok(Decision::about(Kind::JointQuote, id));
    }
    quote.refuse_sold("LoseQuote")?;
    let lost = QuoteLost {
        party: party.clone(),
        reason,
        words,
        superseded: quote.unanswered(),
    };
    let event = JointQuoteEvent::Lost(lost);
    Ok(Decision::about(Kind::JointQuote, id).event(Event::new(id, event)))
}

fn take_back(asked: &NewReversal, seller: Seller<'_>, view: &View<'_>) -> Result<Decision, Stop> {
    const ACTION: &str = "ReverseConcession";
    let Seller { party, quote, .. } = seller;
    let agreed = seller.won(ACTION)?;
    let Some(revision) = quote.counted() else {
        return Err(Refusal::invalid_state("no concession in force", ACTION).into());
    };
    if revision.split.hash != asked.hash {
        let message = "the concession that counts is another one";
        let refusal = Refusal::new(Reason::StaleHash, message);
        return Err(refusal.with("hash", &revision.split.hash).into());
    }
    require_cadences(quote, &agreed, &asked.amounts, "amounts")?;
    let date = asked.date.unwrap_or_else(|| today(view.now));
    require_bookable(date, view.now)?;
    let cadences = reversed_cadences(quote, &agreed, &asked.amounts)?;
    let count = quote.sale.reversals.len();
    if count >= REVERSALS_MAX {
        return Err(Refusal::limit("reversals_per_quote", REVERSALS_MAX).into());
    }
    let lines: usize = cadences.iter().map(|cadence| cadence.lines.len()).sum();
    if quote.sale.lines() + lines > REVERSAL_LINES_MAX {
        return Err(Refusal::limit("reversal_lines_per_quote", REVERSAL_LINES_MAX).into());
    }
    // At most a hundred.
    let number = u32::try_from(count + 1).unwrap_or(u32::MAX);
    let reversed = ConcessionReversed {
        party: party.clone(),
        number,
        revision: revision.split.number,
        hash: asked.hash.clone(),
        biller: seller.biller(asked.biller.as_ref())?,
        date,
        reason: asked.reason.clone(),
        cadences,
    };
    let item = Item {
        source: Source::Reversal {
            quote: asked.id.clone(),
            number,
        },
        date,
    };
    let taken = reversed.cadences.iter().flat_map(|cadence| &cadence.lines);
    let owners = taken
        .filter(|line| line.amount != 0)
        .map(|line| &line.owner);
    let later = settle_later(&reversed.biller, owners, quote.currency, &item, view)?;
    let event = JointQuoteEvent::ConcessionReversed(Box::new(reversed));
    let mut decision = Decision::about(Kind::JointQuote, &asked.id);
    decision = decision.event(Event::new(&asked.id, event));
    decision.receipt_of = Some(0);
    decision.events.extend(later);
    Ok(decision)
}

/// Takes the stated amounts back of what each cadence's portions bear.
fn reversed_cadences(
    quote: &JointQuote,
    agreed: &[AgreedCadence],
    amounts: &[(Cadence, Money)],
) -> Result<Vec<ReversedCadence>, Refusal> {
    let mut violations = Violations::default();
    let rule = "must name at least one cadence";
    violations.require(!amounts.is_empty(), "amounts", rule);
    for (index, (_, amount)) in amounts.iter().enumerate() {
        let field = format!("amounts[{index}].amount");
        violations.require(amount.minor != 0, &field, "must not be zero");
    }
    violations.finish()?;
    let mut reversed = Vec::new();
    for cadence in agreed {
        let stated = amounts.iter().find(|(of, _)| *of == cadence.cadence);
        if let Some((_, amount)) = stated {
            reversed.push(reversed_cadence(quote, cadence, amount.minor)?);
        }
    }
    Ok(reversed)
}

fn reversed_cadence(
    quote: &JointQuote,
    cadence: &AgreedCadence,
    amount: i64,
) -> Result<ReversedCadence, Refusal> {
    let parts: Vec<Recorded> = cadence
        .lines
        .iter()
        .map(|line| recorded(quote, line))
        .collect::<Result<_, _>>()?;
    let taken = reverse(amount, &parts).map_err(|error| match error {
        AllocationError::NotReversible { .. } => not_left(quote, cadence.cadence, amount, &parts),
        error => Refusal::new(Reason::OutOfRange, error.to_string()),
    })?;
    let lines = cadence.lines.iter().map(|line| ReversedLine {
        portion_id: line.portion_id.clone(),
        owner: line.owner.clone(),
        amount: taken.share_of(&line.portion_id),
    });
    Ok(ReversedCadence {
        cadence: cadence.cadence,
        amount,
        lines: lines.collect(),
    })
}

/// What a portion bears over its whole term, and what was taken back of that.
fn recorded(quote: &JointQuote, line: &AgreedLine) -> Result<Recorded, Refusal> {
    let share = line.share.ok_or_else(sealed)?;
    let share = share.checked_mul(i64::from(line.periods));
    Ok(Recorded {
        id: line.portion_id.clone(),
        share: share.ok_or_else(|| Refusal::new(Reason::OutOfRange, "a share over its term"))?,
        reversed: quote.sale.reversed(&line.portion_id),
    })
}

/// The refusal where a share is known to its owner alone.
pub(in crate::domain::pricing) fn sealed() -> Refusal {
    let message = "what some of the portions bear is known to their owners alone";
    Refusal::new(Reason::SharesSealed, message)
}

fn not_left(quote: &JointQuote, cadence: Cadence, amount: i64, parts: &[Recorded]) -> Refusal {
    let left = parts.iter().fold(0_i64, |sum, part| {
        sum.saturating_add(part.share.saturating_sub(part.reversed))
    });
    let left = Money::from_minor(quote.currency, left);
    let amount = Money::from_minor(quote.currency, amount);
    let message = format!("{amount} cannot be taken back of {left}, which is left");
    Refusal::new(Reason::ReversalTooLarge, message)
        .with("cadence", cadence.as_str())
        .with("amount", amount)
        .with("left", left)
}
