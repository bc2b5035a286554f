//! Clauses on concessions between the contract and the domain.

use crate::domain::identity::PartyId;
use crate::domain::partnership::PARTIES_MAX;
use crate::domain::partnership::clauses::{PartyLimit, PricingClauses};
use crate::domain::refusal::Violations;
use crate::proto::v1;

/// Clauses as a caller wrote them; what is wrong is noted in `violations`.
pub(super) fn pricing_clauses(
    violations: &mut Violations,
    given: Option<&v1::PricingClauses>,
) -> PricingClauses {
    let Some(given) = given else {
        return PricingClauses::default();
    };
    let field = |name: &str| format!("terms.pricing_clauses.{name}");
    let mut party_limits = Vec::new();
    // One too many is enough for it to be noticed.
    for (index, limit) in given.party_limits.iter().take(PARTIES_MAX + 1).enumerate() {
        let at = |name: &str| field(&format!("party_limits[{index}].{name}"));
        party_limits.push(PartyLimit {
            party: PartyId::from_text(&limit.party_id),
            least_bps: bps(violations, &at("least_bps"), limit.least_bps),
            most_bps: bps(violations, &at("most_bps"), limit.most_bps),
        });
    }
    let mut of = |name: &str, given: Option<i32>| bps(violations, &field(name), given);
    PricingClauses {
        markup_cap_bps: of("markup_cap_bps", given.markup_cap_bps),
        party_limits,
        most_favoured_bps: of("most_favoured_bps", given.most_favoured_bps),
        vendor_money_first: given.vendor_money_first,
        unrenewed_concession_bps: of("unrenewed_concession_bps", given.unrenewed_concession_bps),
        carry_fractions: given.carry_fractions,
    }
}

/// Basis points that are not negative.
pub(super) fn bps(violations: &mut Violations, field: &str, given: Option<i32>) -> Option<u32> {
    let given = given?;
    let bps = u32::try_from(given).ok();
    violations.require(bps.is_some(), field, "must not be negative");
    bps
}

/// Clauses as the contract shows them; `None` if there are none.
pub(super) fn to_pricing_clauses(clauses: &PricingClauses) -> Option<v1::PricingClauses> {
    if clauses.is_empty() {
        return None;
    }
    let limit = |limit: &PartyLimit| v1::PartyLimit {
        party_id: limit.party.to_string(),
        least_bps: limit.least_bps.map(to_int32),
        most_bps: limit.most_bps.map(to_int32),
    };
    Some(v1::PricingClauses {
        markup_cap_bps: clauses.markup_cap_bps.map(to_int32),
        party_limits: clauses.party_limits.iter().map(limit).collect(),
        most_favoured_bps: clauses.most_favoured_bps.map(to_int32),
        vendor_money_first: clauses.vendor_money_first,
        unrenewed_concession_bps: clauses.unrenewed_concession_bps.map(to_int32),
        carry_fractions: clauses.carry_fractions,
    })
}

/// Basis points are far below what 32 bits hold.
pub(super) fn to_int32(bps: u32) -> i32 {
    i32::try_from(bps).unwrap_or(i32::MAX)
}
