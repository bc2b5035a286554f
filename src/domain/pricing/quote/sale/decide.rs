//! Decisions on what became of a quote.

use std::collections::BTreeSet;

use super::super::agreed::{AgreedCadence, AgreedLine};
use super::super::sealed::{
    Amount, REVERSAL_LABEL, SealedShares, Sealing, require_brought, would_tell_apart,
};
use super::super::{Cadence, JointQuote, JointQuoteEvent, QuoteState};
use super::{
    ConcessionReversed, FinalPrice, QuoteLost, QuoteWon, REVERSAL_LINES_MAX, REVERSALS_MAX,
    ReversedCadence, ReversedLine, SaleReason, WORDS_PER_PARTY_MAX,
};
use crate::domain::command::Decision;
use crate::domain::commitment::{Commitment, Opening};
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
    /// What the API brings where shares are sealed.
    pub shares: SealedShares,
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

    /// The party that bills the client: the one named, which must be in the partnership. Where shares
    /// are sealed it is one of [`billers`], since it learns them.
    ///
    /// # Errors
    /// [`Reason::InvalidField`] for a party that is not there, or may not learn the shares.
    pub(in crate::domain::pricing) fn biller(
        &self,
        named: Option<&PartyId>,
    ) -> Result<PartyId, Refusal> {
        let billers = billers(self.partnership, self.quote);
        let Some(named) = named else {
            let biller = match billers.first() {
                Some(prime) if billers.len() == 1 => prime,
                _ => self.party,
            };
            return Ok(biller.clone());
        };
        let rule = match self.partnership.party(named) {
            None => "must be a party of the partnership",
            Some(_) if self.quote.is_sealed() && !billers.contains(named) => {
                "must be the only prime that owns a portion, else an owner of one: it learns what \
                 the others bear"
            }
            Some(_) => return Ok(named.clone()),
        };
        Err(Refusal::field(Reason::InvalidField, "biller", rule))
    }
}

/// Who bills the client where shares are sealed, and learns them by that: the prime, if exactly one
/// owns a portion; else every owner of one.
#[must_use]
pub fn billers<'quote>(
    partnership: &Partnership,
    quote: &'quote JointQuote,
) -> BTreeSet<&'quote PartyId> {
    let portions = quote.portions.iter();
    let owners: BTreeSet<&PartyId> = portions.map(|portion| &portion.owner).collect();
    let is_prime = |owner: &&PartyId| {
        let party = partnership.party(owner);
        party.is_some_and(|party| party.role == Role::Prime)
    };
    let primes: BTreeSet<&PartyId> = owners.iter().copied().filter(is_prime).collect();
    if primes.len() == 1 { primes } else { owners }
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

/// What a reversal seals, with what the API brought for it: the openings to send with the command.
///
/// # Errors
/// What the command would be refused for, or what has to be loaded first.
pub fn sealed_openings(
    asked: &NewReversal,
    firm: &FirmId,
    view: &View<'_>,
) -> Result<Vec<Opening>, Stop> {
    let seller = Seller::of(&asked.id, firm, view)?;
    let (_, openings) = reversal(asked, seller, view)?;
    Ok(openings)
}

/// What is taken back, and the openings of what is sealed of it.
fn reversal(
    asked: &NewReversal,
    seller: Seller<'_>,
    view: &View<'_>,
) -> Result<(ConcessionReversed, Vec<Opening>), Refusal> {
    const ACTION: &str = "ReverseConcession";
    let Seller { party, quote, .. } = seller;
    let agreed = seller.won(ACTION)?;
    let Some(revision) = quote.counted() else {
        return Err(Refusal::invalid_state("no concession in force", ACTION));
    };
    if revision.split.hash != asked.hash {
        let message = "the concession that counts is another one";
        let refusal = Refusal::new(Reason::StaleHash, message);
        return Err(refusal.with("hash", &revision.split.hash));
    }
    require_cadences(quote, &agreed, &asked.amounts, "amounts")?;
    let date = asked.date.unwrap_or_else(|| today(view.now));
    require_bookable(date, view.now)?;
    let biller = seller.biller(asked.biller.as_ref())?;
    let mut sealing = Sealing::new(quote, &asked.shares, &biller);
    let cadences = reversed_cadences(quote, &agreed, &asked.amounts, &mut sealing)?;
    let openings = sealing.finish();
    let count = quote.sale.reversals.len();
    if count >= REVERSALS_MAX {
        return Err(Refusal::limit("reversals_per_quote", REVERSALS_MAX));
    }
    let lines: usize = cadences.iter().map(|cadence| cadence.lines.len()).sum();
    if quote.sale.lines() + lines > REVERSAL_LINES_MAX {
        return Err(Refusal::limit(
            "reversal_lines_per_quote",
            REVERSAL_LINES_MAX,
        ));
    }
    let reversed = ConcessionReversed {
        party: party.clone(),
        // At most a hundred.
        number: u32::try_from(count + 1).unwrap_or(u32::MAX),
        revision: revision.split.number,
        hash: asked.hash.clone(),
        biller,
        date,
        reason: asked.reason.clone(),
        cadences,
    };
    Ok((reversed, openings))
}

fn take_back(asked: &NewReversal, seller: Seller<'_>, view: &View<'_>) -> Result<Decision, Stop> {
    let (reversed, openings) = reversal(asked, seller, view)?;
    require_brought(&openings, &asked.shares)?;
    let item = Item {
        source: Source::Reversal {
            quote: asked.id.clone(),
            number: reversed.number,
        },
        date: reversed.date,
    };
    let taken = reversed.cadences.iter().flat_map(|cadence| &cadence.lines);
    let owners = taken
        .filter(|line| line.amount != Amount::Open(0))
        .map(|line| &line.owner);
    let currency = seller.quote.currency;
    let later = settle_later(&reversed.biller, owners, currency, &item, view)?;
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
    sealing: &mut Sealing<'_>,
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
            reversed.push(reversed_cadence(quote, cadence, amount.minor, sealing)?);
        }
    }
    Ok(reversed)
}

fn reversed_cadence(
    quote: &JointQuote,
    cadence: &AgreedCadence,
    amount: i64,
    sealing: &mut Sealing<'_>,
) -> Result<ReversedCadence, Refusal> {
    if would_tell_apart(&cadence.lines) {
        let message = "terms differ, so taking back would tell what single others bear";
        let refusal = Refusal::new(Reason::SharesSealed, message);
        return Err(refusal.with("cadence", cadence.cadence.as_str()));
    }
    let parts: Vec<Recorded> = cadence
        .lines
        .iter()
        .map(|line| recorded(line, sealing))
        .collect::<Result<_, _>>()?;
    let taken = reverse(amount, &parts).map_err(|error| match error {
        AllocationError::NotReversible { .. } => not_left(quote, cadence.cadence, amount, &parts),
        error => Refusal::new(Reason::OutOfRange, error.to_string()),
    })?;
    let line = |line: &AgreedLine| {
        let amount = taken.share_of(&line.portion_id);
        Ok(ReversedLine {
            portion_id: line.portion_id.clone(),
            owner: line.owner.clone(),
            amount: sealing.amount(REVERSAL_LABEL, line, amount)?,
        })
    };
    let lines: Result<_, Refusal> = cadence.lines.iter().map(line).collect();
    Ok(ReversedCadence {
        cadence: cadence.cadence,
        amount,
        lines: lines?,
    })
}

/// What a portion bears over its whole term, and what was taken back of that.
fn recorded(line: &AgreedLine, sealing: &Sealing<'_>) -> Result<Recorded, Refusal> {
    let share = sealing.share(line)?.checked_mul(i64::from(line.periods));
    Ok(Recorded {
        id: line.portion_id.clone(),
        share: share.ok_or_else(|| Refusal::new(Reason::OutOfRange, "a share over its term"))?,
        reversed: sealing.reversed(&line.portion_id)?,
    })
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
