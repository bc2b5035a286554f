//! Quotes and concessions as callers send them: texts and costs are sealed, every fault is noted.

use super::cost;
use crate::api::convert::{chosen_id, known_enum, money, money_refusal, timestamp};
use crate::api::expectation::parse::client;
use crate::api::faults::Faults;
use crate::api::status::ApiError;
use crate::api::text::Sealer;
use crate::api::{Api, required};
use crate::domain::commitment::{Commitment, Opening, Readers};
use crate::domain::identity::{PartyId, ScopeId, is_identifier};
use crate::domain::partnership::PARTIES_MAX;
use crate::domain::partnership::terms::PartyShare;
use crate::domain::pricing::money::{Currency, Money};
use crate::domain::pricing::quote::{Basis, NewPortion, PORTIONS_MAX, QuoteCommand};
use crate::domain::refusal::{Reason, Refusal};
use crate::domain::text::{FREE_TEXT_BYTES_MAX, require_display_name};
use crate::proto::google::r#type as google_type;
use crate::proto::v1;

/// Words that came with an answer, if any.
pub(super) type Words = Option<Commitment>;

/// Reads quotes and portions of one party.
#[derive(Debug)]
pub(super) struct Intake<'request> {
    faults: Faults,
    sealer: Sealer<'request>,
    own: &'request PartyId,
}

impl<'request> Intake<'request> {
    /// An intake for portions of `own`. Descriptions are for every party, costs for `own` alone.
    pub(super) fn new(api: &'request Api, own: &'request PartyId) -> Self {
        Self {
            faults: Faults::default(),
            sealer: Sealer::for_every_party(api),
            own,
        }
    }

    /// The command that creates a quote; `None` only where a fault was noted.
    pub(super) fn quote(
        &mut self,
        scope: &ScopeId,
        id: &str,
        given: &v1::JointQuote,
    ) -> Option<QuoteCommand> {
        const EXPIRY: &str = "joint_quote.expire_time";
        let violations = &mut self.sealer.violations;
        require_display_name(violations, "joint_quote.display_name", &given.display_name);
        let id = self.faults.take(chosen_id("joint_quote_id", id));
        let currency = Currency::from_code(&given.currency)
            .map_err(|error| money_refusal("joint_quote.currency", &error));
        let currency = self.faults.take(currency.map(Some));
        let expires_at = given.expire_time.ok_or_else(|| required(EXPIRY));
        let expires_at = expires_at.and_then(|expiry| timestamp(EXPIRY, expiry));
        let expires_at = self.faults.take(expires_at.map(Some));
        let client = client("joint_quote.client", scope, &given.client);
        let client = self.faults.take(client);
        let mut portions = Vec::new();
        // One too many is enough for it to be noticed.
        for (index, given) in given.portions.iter().take(PORTIONS_MAX + 1).enumerate() {
            let field = format!("joint_quote.portions[{index}]");
            portions.extend(self.portion(&field, currency, given));
        }
        Some(QuoteCommand::Create {
            id,
            display_name: given.display_name.clone(),
            client,
            currency: currency?,
            expires_at: expires_at?,
            portions,
            references: None,
        })
    }

    /// A portion of a quote in `currency`; `None` only where a fault was noted.
    pub(super) fn portion(
        &mut self,
        field: &str,
        currency: Option<Currency>,
        given: &v1::Portion,
    ) -> Option<NewPortion> {
        let id_field = format!("{field}.portion_id");
        let named = is_identifier(&given.portion_id);
        self.faults
            .require(named, &id_field, "1 to 63 of a-z, 0-9 and -");
        let owner = Some(given.party_id.as_str()).filter(|owner| !owner.is_empty());
        let is_own = owner.is_none_or(|owner| owner == self.own.as_str());
        let cost_field = format!("{field}.internal_cost");
        let is_owners_word = is_own || given.internal_cost.is_none();
        self.faults.require(
            is_owners_word,
            &cost_field,
            "only the owner states its cost",
        );
        let description_field = format!("{field}.description");
        let description =
            self.sealer
                .text(&description_field, &given.description, FREE_TEXT_BYTES_MAX);
        let price_field = format!("{field}.price");
        let price = given.price.as_ref().ok_or_else(|| required(&price_field));
        let price = price.and_then(|price| amount(&price_field, price, currency));
        let price = self.faults.take(price.map(Some));
        let internal_cost = given.internal_cost.as_ref();
        let internal_cost = internal_cost.and_then(|cost| self.cost(&cost_field, cost, currency));
        Some(NewPortion {
            portion_id: given.portion_id.clone(),
            owner: owner.map(PartyId::from_text),
            description,
            price: price?,
            internal_cost,
        })
    }

    /// Seals what a portion costs its owner; no other party may read it.
    fn cost(
        &mut self,
        field: &str,
        given: &google_type::Money,
        currency: Option<Currency>,
    ) -> Option<Commitment> {
        let cost = amount(field, given, currency);
        let cost = self.faults.take(cost.map(Some))?;
        let readers = Readers::Parties(vec![self.own.clone()]);
        let text = cost::to_text(&cost);
        Some(self.sealer.value(cost::LABEL, &text, readers))
    }

    /// Ends the intake with what came of it, and the openings to send with the command.
    ///
    /// # Errors
    /// Everything that is wrong with the request.
    pub(super) fn finish<T>(self, read: Option<T>) -> Result<(T, Vec<Opening>), ApiError> {
        let openings = self.faults.finish_sealed(self.sealer)?;
        // Nothing is missing without a fault, so this refusal is never seen.
        let read = read.ok_or_else(|| Refusal::new(Reason::Internal, "a fault was not noted"))?;
        Ok((read, openings))
    }
}

/// An amount that is not negative, in the quote's currency as far as that is known.
fn amount(
    field: &str,
    given: &google_type::Money,
    currency: Option<Currency>,
) -> Result<Money, Refusal> {
    let amount = money(field, given)?;
    if amount.minor < 0 {
        let why = "must not be negative";
        return Err(Refusal::field(Reason::InvalidField, field, why));
    }
    match currency {
        Some(expected) if expected != amount.currency => {
            let why = format!("the quote is in {expected}");
            Err(Refusal::field(Reason::CurrencyMismatch, field, why)
                .with("expected", expected)
                .with("actual", amount.currency))
        }
        _ => Ok(amount),
    }
}

/// What a request proposes to concede, and by what measure.
///
/// # Errors
/// Everything that is wrong with the request.
pub(super) fn proposal(asked: &v1::ProposeConcessionRequest) -> Result<(Money, Basis), Refusal> {
    let mut faults = Faults::default();
    let concession = asked.concession.as_ref();
    let concession = concession
        .ok_or_else(|| required("concession"))
        .and_then(|concession| money("concession", concession));
    let concession = faults.take(concession.map(Some));
    let basis = faults.take(known_enum::<v1::AllocationBasis>("basis", asked.basis).map(Some));
    let shares = shares(&mut faults, &asked.weights);
    let basis = match basis {
        Some(v1::AllocationBasis::FixedBps) => Basis::FixedBps(shares),
        _ => Basis::Price,
    };
    if asked.basis == i32::from(v1::AllocationBasis::Price) && !asked.weights.is_empty() {
        let rule = "must be empty where prices are the weights";
        faults.add(Reason::WeightsInvalid, "weights", rule);
    }
    faults.finish()?;
    // Nothing is missing without a fault, so this refusal is never seen.
    let concession = concession.ok_or_else(|| required("concession"))?;
    Ok((concession, basis))
}

fn shares(faults: &mut Faults, given: &[v1::PartyShare]) -> Vec<PartyShare> {
    let mut shares = Vec::new();
    // One too many is enough for it to be noticed.
    for (index, share) in given.iter().take(PARTIES_MAX + 1).enumerate() {
        let share_bps = u32::try_from(share.share_bps).map_err(|_| {
            let field = format!("weights[{index}].share_bps");
            Refusal::field(Reason::WeightsInvalid, field, "must not be negative")
        });
        shares.push(PartyShare {
            party: PartyId::from_text(&share.party_id),
            share_bps: faults.take(share_bps),
        });
    }
    shares
}

/// Why a revision is answered as it is, sealed for every party.
///
/// # Errors
/// Everything that is wrong with hash and reason.
pub(super) fn reply(
    api: &Api,
    hash: &str,
    reason: &str,
) -> Result<(Words, Vec<Opening>), ApiError> {
    let mut faults = Faults::default();
    let mut sealer = Sealer::for_every_party(api);
    faults.require(!hash.is_empty(), "hash", "is required");
    let reason = sealer.text("reason", reason, FREE_TEXT_BYTES_MAX);
    Ok((reason, faults.finish_sealed(sealer)?))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn amount_of(code: &str, units: i64, nanos: i32) -> google_type::Money {
        google_type::Money {
            currency_code: code.to_owned(),
            units,
            nanos,
        }
    }

    fn proposed(basis: v1::AllocationBasis, shares: &[i32]) -> v1::ProposeConcessionRequest {
        let weights = shares.iter().zip(1..).map(|(bps, party)| v1::PartyShare {
            party_id: format!("party-{party}"),
            share_bps: *bps,
        });
        v1::ProposeConcessionRequest {
            concession: Some(amount_of("EUR", 99, 990_000_000)),
            basis: basis.into(),
            weights: weights.collect(),
            ..v1::ProposeConcessionRequest::default()
        }
    }

    #[test]
    fn amounts_fit_the_quote() {
        let euro = Currency::from_code("EUR").ok();
        let read = |given| amount("f", &given, euro).map(|amount| amount.minor);
        assert_eq!(read(amount_of("EUR", 12, 340_000_000)), Ok(1_234));
        for (given, reason) in [
            (amount_of("USD", 1, 0), Reason::CurrencyMismatch),
            (amount_of("EUR", -1, 0), Reason::InvalidField),
            (amount_of("EUR", 0, 1), Reason::MoneyTooFine),
            (amount_of("EUx", 1, 0), Reason::CurrencyUnknown),
            (amount_of("EUR", i64::MAX, 0), Reason::OutOfRange),
        ] {
            let refusal = read(given).unwrap_err();
            assert_eq!(
                (refusal.reason, refusal.violations[0].field.as_str()),
                (reason, "f")
            );
        }
        assert!(amount("f", &amount_of("USD", 1, 0), None).is_ok());
    }

    #[test]
    fn proposals_by_either_basis() {
        let (concession, basis) =
            proposal(&proposed(v1::AllocationBasis::FixedBps, &[7_500, 2_500])).unwrap();
        assert_eq!(concession.minor, 9_999);
        let Basis::FixedBps(shares) = basis else {
            panic!("fixed shares")
        };
        assert_eq!(shares[1].party.as_str(), "party-2");
        assert_eq!(shares[1].share_bps, 2_500);
        let (_, basis) = proposal(&proposed(v1::AllocationBasis::Price, &[])).unwrap();
        assert_eq!(basis, Basis::Price);
    }

    #[test]
    fn everything_wrong_with_a_proposal_is_listed() {
        let refusal = proposal(&proposed(v1::AllocationBasis::Price, &[10_000])).unwrap_err();
        assert_eq!(refusal.reason, Reason::WeightsInvalid);
        let mut bad = proposed(v1::AllocationBasis::Unspecified, &[-1]);
        bad.concession = None;
        let refusal = proposal(&bad).unwrap_err();
        assert_eq!(refusal.reason, Reason::InvalidField);
        let fields: Vec<_> = refusal
            .violations
            .iter()
            .map(|violation| violation.field.as_str())
            .collect();
        assert_eq!(fields, ["concession", "basis", "weights[0].share_bps"]);
    }
}
