//! Joint quotes as the contract shows them.

mod portion;
pub(in crate::api) mod split;

use self::portion::{to_period, to_portion};
use self::split::{term_total, to_basis, to_cadence, to_cadence_split, to_policy, to_rounding};
use super::blind::readable;
use super::funding::{to_round, to_vendor_money};
use super::sign::to_signatures;
use super::steps::to_int32;
use crate::api::Found;
use crate::api::convert::{etag, to_approval, to_firm, to_money, to_timestamp};
use crate::api::listing::{Shown, Viewer, name_in};
use crate::api::sale;
use crate::api::sale::convert::to_sale;
use crate::domain::aggregate::guest_of;
use crate::domain::commitment::Commitment;
use crate::domain::identity::ScopeId;
use crate::domain::partnership::terms::PartyShare;
use crate::domain::pricing::money::Money;
use crate::domain::pricing::quote::portion::{Portion, total_over_term};
use crate::domain::pricing::quote::proposal::{CustomShare, RecurringConcession};
use crate::domain::pricing::quote::split::by_cadence;
use crate::domain::pricing::quote::{
    Basis, ConcessionRevision, ConcessionSplit, EvaluationCount, JointQuote, Outcome, QuoteState,
    RevisionState, StandingApproval, VendorMoney,
};
use crate::proto::v1;

impl Shown for JointQuote {
    type Message = v1::JointQuote;

    const REFERENCED: bool = false;

    fn commitments(&self) -> Vec<Commitment> {
        let portions = self.portions.iter();
        let stake = |portion: &Portion| portion.stake.as_ref()?.description.clone();
        let of_portions = portions.flat_map(|portion| {
            let description = portion.description.clone();
            [description, portion.internal_cost.clone(), stake(portion)]
        });
        let rejections = self
            .revisions
            .iter()
            .filter_map(|revision| revision.rejection.as_ref());
        let reasons = rejections.map(|rejection| rejection.reason.clone());
        let revisions = self.revisions.iter();
        let lines = revisions.flat_map(|revision| revision.split.sealed_lines().cloned());
        let of_sale = sale::convert::commitments(&self.sale);
        let of_quote = of_portions.chain(reasons).flatten().chain(lines);
        of_quote.chain(of_sale).collect()
    }

    fn shown(found: &Found<Self>, viewer: &Viewer<'_>) -> v1::JointQuote {
        let quote = &found.state;
        let scope = viewer.member.scope();
        let client = quote.client.as_ref();
        let state = match quote.state_at(viewer.now) {
            QuoteState::Open => v1::JointQuoteState::Open,
            QuoteState::Expired => v1::JointQuoteState::Expired,
            QuoteState::Won => v1::JointQuoteState::Won,
            QuoteState::Lost => v1::JointQuoteState::Lost,
        };
        v1::JointQuote {
            name: name_in(&scope, "jointQuotes", &found.id),
            display_name: quote.display_name.clone(),
            client: client.map_or_else(String::new, |id| name_in(&scope, "clients", id)),
            currency: quote.currency.code().to_owned(),
            expire_time: Some(to_timestamp(quote.expires_at)),
            portions: quote
                .portions
                .iter()
                .map(|portion| to_portion(portion, &viewer.member.party.id, &viewer.texts))
                .collect(),
            revisions: quote
                .revisions
                .iter()
                .map(|revision| to_revision(revision, quote, viewer))
                .collect(),
            state: state.into(),
            create_time: Some(to_timestamp(found.created_at)),
            etag: etag(found.revision),
            prices: prices(quote),
            vendor_funds: to_funds(&quote.vendor_funds, &scope),
            total_price: total_price(quote).as_ref().map(to_money),
            sale: to_sale(quote, viewer),
            disclosure_consents: quote.disclosure_consents.iter().map(to_approval).collect(),
            evaluation_counts: quote.evaluations.iter().map(to_evaluation_count).collect(),
            redacted_fields: viewer.texts.redacted_fields(found.state.commitments()),
        }
    }
}

/// How many alternatives a party evaluated.
pub(super) fn to_evaluation_count(found: &EvaluationCount) -> v1::EvaluationCount {
    v1::EvaluationCount {
        party_id: found.party.to_string(),
        evaluated: to_int32(found.count),
    }
}

fn to_funds(money: &[VendorMoney], scope: &ScopeId) -> Vec<v1::VendorMoney> {
    let money = money.iter();
    money.map(|money| to_vendor_money(money, scope)).collect()
}

fn prices(quote: &JointQuote) -> Vec<v1::CadencePrice> {
    let portions: Vec<&Portion> = quote.portions.iter().collect();
    let price = |portions: &[&Portion]| {
        // Whatever became part of the quote fits.
        let minor = total_over_term(portions.iter().map(|portion| (portion.price.minor, 1)))?;
        Some(to_money(&Money::from_minor(quote.currency, minor)))
    };
    let cadences = by_cadence(&portions).into_iter();
    cadences
        .map(|(cadence, portions)| v1::CadencePrice {
            cadence: to_cadence(cadence).into(),
            price: price(&portions),
        })
        .collect()
}

fn total_price(quote: &JointQuote) -> Option<Money> {
    let amounts = quote.portions.iter();
    let amounts = amounts.map(|portion| (portion.price.minor, portion.periods()));
    total_over_term(amounts).map(|minor| Money::from_minor(quote.currency, minor))
}

fn to_revision(
    revision: &ConcessionRevision,
    quote: &JointQuote,
    viewer: &Viewer<'_>,
) -> v1::ConcessionRevision {
    let split = &readable(&revision.split, &viewer.texts);
    let proposal = &split.proposal;
    let rejection = revision.rejection.as_ref();
    let reason = rejection.and_then(|rejection| rejection.reason.as_ref());
    let (policy, absorbing_party_id) = to_policy(&proposal.shortfall_policy);
    let (weights, custom_shares) = stated(&proposal.basis);
    let cadences = split.cadences.iter();
    // The first approval came with the proposal.
    let first = revision.approvals.first();
    v1::ConcessionRevision {
        number: split.number.into(),
        concession: Some(to_money(&proposal.concession)),
        basis: to_basis(&proposal.basis).into(),
        recurring_concessions: proposal.recurring.iter().map(to_recurring).collect(),
        cadences: with_commitments(
            cadences
                .map(|cadence| to_cadence_split(cadence, quote))
                .collect(),
            &revision.split,
        ),
        state: to_state(revision.state_at(viewer.now)).into(),
        proposer: revision.proposer.to_string(),
        approvals: revision.approvals.iter().map(to_approval).collect(),
        previous_hash: split.previous_hash.clone(),
        hash: split.hash.clone(),
        propose_time: Some(to_timestamp(revision.proposed_at)),
        expire_time: Some(to_timestamp(revision.expires_at)),
        engine_version: to_int32(split.engine_version),
        reject_reason: viewer.texts.show(reason),
        rejected_by_guest_link_id: rejection
            .and_then(|rejection| guest_of(&rejection.actor))
            .unwrap_or_default()
            .to_owned(),
        firm: to_firm(first.and_then(|approval| approval.firm.as_ref())),
        weights,
        custom_shares,
        rounding: to_rounding(proposal.rounding).into(),
        shortfall_policy: policy.into(),
        absorbing_party_id,
        limits_kept: proposal.limits.is_some(),
        below_floor: split.undercuts_a_floor(),
        total_concession: term_total(split, quote, |line| line.share)
            .as_ref()
            .map(to_money),
        total_price_after: term_total(split, quote, |line| line.price_after)
            .as_ref()
            .map(to_money),
        negotiation_round: proposal.negotiation_round.map(to_round),
        vendor_money: to_funds(&proposal.vendor_money, &viewer.member.scope()),
        approved_by_standing_consents: revision
            .agreed_beforehand
            .iter()
            .map(to_cited_consent)
            .collect(),
        signatures: to_signatures(revision),
        terms_revision: proposal.terms_revision.map_or(0, i64::from),
    }
}

fn to_cited_consent(given: &StandingApproval) -> v1::CitedConsent {
    v1::CitedConsent {
        consent_id: given.consent.id.clone(),
        terms_revision: i64::from(given.consent.terms_revision),
        party_id: given.party.to_string(),
    }
}

/// The commitments of sealed lines, those that the viewer reads included.
fn with_commitments(
    mut shown: Vec<v1::CadenceSplit>,
    split: &ConcessionSplit,
) -> Vec<v1::CadenceSplit> {
    let shares = shown.iter_mut().flat_map(|cadence| &mut cadence.shares);
    for (share, line) in shares.zip(split.lines()) {
        if let Outcome::Sealed(commitment) = &line.outcome {
            commitment.as_str().clone_into(&mut share.commitment);
        }
    }
    shown
}

fn to_recurring(recurring: &RecurringConcession) -> v1::RecurringConcession {
    v1::RecurringConcession {
        period: to_period(recurring.period).into(),
        amount: Some(to_money(&recurring.amount)),
    }
}

/// The shares that a basis states: of parties, or of portions.
fn stated(basis: &Basis) -> (Vec<v1::PartyShare>, Vec<v1::CustomShare>) {
    let party = |share: &PartyShare| v1::PartyShare {
        party_id: share.party.to_string(),
        share_bps: to_int32(share.share_bps),
    };
    let portion = |share: &CustomShare| v1::CustomShare {
        portion_id: share.portion_id.clone(),
        amount: Some(to_money(&share.amount)),
    };
    match basis {
        Basis::FixedBps(shares) => (shares.iter().map(party).collect(), Vec::new()),
        Basis::Custom(shares) => (Vec::new(), shares.iter().map(portion).collect()),
        Basis::Price | Basis::CostBand | Basis::Cost | Basis::Margin => (Vec::new(), Vec::new()),
    }
}

const fn to_state(state: RevisionState) -> v1::ConcessionState {
    match state {
        RevisionState::Proposed => v1::ConcessionState::Proposed,
        RevisionState::Asserted => v1::ConcessionState::Asserted,
        RevisionState::Approved => v1::ConcessionState::Approved,
        RevisionState::Rejected => v1::ConcessionState::Rejected,
        RevisionState::Withdrawn => v1::ConcessionState::Withdrawn,
        RevisionState::Expired => v1::ConcessionState::Expired,
        RevisionState::Superseded => v1::ConcessionState::Superseded,
    }
}

#[cfg(test)]
mod tests;
