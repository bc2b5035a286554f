//! Joint quotes as the contract shows them.

use super::cost;
use super::sign::to_signatures;
use crate::api::Found;
use crate::api::convert::{etag, to_approval, to_firm, to_money, to_timestamp};
use crate::api::listing::{Shown, Viewer, name_in};
use crate::api::text::Texts;
use crate::domain::aggregate::guest_of;
use crate::domain::commitment::Commitment;
use crate::domain::identity::PartyId;
use crate::domain::pricing::money::{Currency, Money};
use crate::domain::pricing::quote::{
    AllocationShare, Basis, ConcessionRevision, JointQuote, PartyAllocation, Portion, QuoteState,
    RevisionState,
};
use crate::proto::v1;

impl Shown for JointQuote {
    type Message = v1::JointQuote;

    const REFERENCED: bool = false;

    fn commitments(&self) -> Vec<Commitment> {
        let portions = self.portions.iter();
        let of_portions = portions
            .flat_map(|portion| [portion.description.clone(), portion.internal_cost.clone()]);
        let rejections = self
            .revisions
            .iter()
            .filter_map(|revision| revision.rejection.as_ref());
        let reasons = rejections.map(|rejection| rejection.reason.clone());
        of_portions.chain(reasons).flatten().collect()
    }

    fn shown(found: &Found<Self>, viewer: &Viewer<'_>) -> v1::JointQuote {
        let quote = &found.state;
        let scope = viewer.member.scope();
        let client = quote.client.as_ref();
        let state = match quote.state_at(viewer.now) {
            QuoteState::Open => v1::JointQuoteState::Open,
            QuoteState::Expired => v1::JointQuoteState::Expired,
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
                .map(|revision| to_revision(revision, viewer))
                .collect(),
            state: state.into(),
            create_time: Some(to_timestamp(found.created_at)),
            etag: etag(found.revision),
            redacted_fields: viewer.texts.redacted_fields(found.state.commitments()),
        }
    }
}

/// A portion as `party` sees it: the cost only if the portion is its own, the commitment always.
fn to_portion(portion: &Portion, party: &PartyId, texts: &Texts) -> v1::Portion {
    let commitment = portion.internal_cost.as_ref();
    let internal_cost = commitment
        .filter(|_| portion.owner == *party)
        .and_then(|own| cost::from_text(&texts.show(Some(own)), portion.price.currency))
        .map(|cost| to_money(&cost));
    v1::Portion {
        portion_id: portion.id.clone(),
        party_id: portion.owner.to_string(),
        description: texts.show(portion.description.as_ref()),
        price: Some(to_money(&portion.price)),
        internal_cost,
        cost_sealed: commitment.is_some(),
        cost_commitment: commitment
            .map_or_else(String::new, |commitment| commitment.as_str().to_owned()),
    }
}

fn to_revision(revision: &ConcessionRevision, viewer: &Viewer<'_>) -> v1::ConcessionRevision {
    let split = &revision.split;
    let currency = split.concession.currency;
    let rejection = revision.rejection.as_ref();
    let reason = rejection.and_then(|rejection| rejection.reason.as_ref());
    // The first approval came with the proposal.
    let proposal = revision.approvals.first();
    v1::ConcessionRevision {
        number: split.number.into(),
        concession: Some(to_money(&split.concession)),
        basis: to_basis(&split.basis).into(),
        weights: split.shares.iter().map(to_weight).collect(),
        shares: split
            .shares
            .iter()
            .map(|share| to_share(share, currency))
            .collect(),
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
        firm: to_firm(proposal.and_then(|approval| approval.firm.as_ref())),
        party_allocations: split
            .parties
            .iter()
            .map(|party| to_party_allocation(party, currency))
            .collect(),
        signatures: to_signatures(revision),
    }
}

fn to_party_allocation(party: &PartyAllocation, currency: Currency) -> v1::PartyAllocation {
    v1::PartyAllocation {
        party_id: party.party.to_string(),
        share_bps: to_int32(party.share_bps),
        weight_total: to_int64(party.weight_total),
        share: Some(to_money(&Money::from_minor(currency, party.share))),
        exact_floor_minor_units: to_int64(party.floor),
        remainder: to_int64(party.remainder),
        remainder_rank: party.rank.map_or(0, to_int32),
        spare_unit: party.spare_unit,
    }
}

fn to_weight(share: &AllocationShare) -> v1::PortionWeight {
    v1::PortionWeight {
        portion_id: share.portion_id.clone(),
        weight: to_int64(share.weight),
    }
}

/// A portion's share as the contract shows it, amounts with the exponent of `currency`.
pub(super) fn to_share(share: &AllocationShare, currency: Currency) -> v1::AllocationShare {
    let money = |minor| Some(to_money(&Money::from_minor(currency, minor)));
    v1::AllocationShare {
        portion_id: share.portion_id.clone(),
        party_id: share.owner.to_string(),
        share: money(share.share),
        weight: to_int64(share.weight),
        weight_total: to_int64(share.weight_total),
        exact_floor_minor_units: to_int64(share.floor),
        remainder: to_int64(share.remainder),
        remainder_rank: share.rank.map_or(0, to_int32),
        spare_unit: share.spare_unit,
        price_before: money(share.price_before),
        price_after: money(share.price_after),
    }
}

/// Weights are prices or basis points; they and all that is made of them fit 63 bits.
fn to_int64(number: u64) -> i64 {
    i64::try_from(number).unwrap_or(i64::MAX)
}

/// Basis points, ranks and versions are far below what 32 bits hold.
fn to_int32(number: u32) -> i32 {
    i32::try_from(number).unwrap_or(i32::MAX)
}

const fn to_basis(basis: &Basis) -> v1::AllocationBasis {
    match basis {
        Basis::FixedBps(_) => v1::AllocationBasis::FixedBps,
        Basis::Price => v1::AllocationBasis::Price,
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
