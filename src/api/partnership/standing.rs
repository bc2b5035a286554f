//! Standing consents between the contract and the domain.

use super::clauses::{bps, to_int32};
use crate::api::convert::{
    known_enum, money, span, timestamp, to_duration, to_money, to_timestamp,
};
use crate::api::required;
use crate::api::text::Sealer;
use crate::domain::identity::PartyId;
use crate::domain::partnership::standing::{
    ConcessionConsent, ConsentSubject, ConsentedBasis, STANDING_CONSENTS_MAX, StandingConsent,
};
use crate::domain::refusal::{Refusal, Violations};
use crate::proto::v1;

/// Standing consents as a caller wrote them; what is wrong is noted in `sealer`.
pub(super) fn standing_consents(
    sealer: &mut Sealer<'_>,
    consents: &[v1::StandingConsent],
) -> Vec<StandingConsent> {
    let violations = &mut sealer.violations;
    if consents.len() > STANDING_CONSENTS_MAX {
        let most = format!("no more than {STANDING_CONSENTS_MAX}");
        violations.add("terms.standing_consents", most);
        return Vec::new();
    }
    let mut taken = Vec::with_capacity(consents.len());
    for (index, consent) in consents.iter().enumerate() {
        let field = |name: &str| format!("terms.standing_consents[{index}].{name}");
        let subject = violations.take(subject(&field("kind"), consent.kind));
        let cost_field = field("largest_cost_per_hour");
        let cost = consent.largest_cost_per_hour.as_ref();
        let cost = cost.map(|cost| money(&cost_field, cost)).transpose();
        let cost = violations.take(cost);
        let is_concession = subject == Some(ConsentSubject::Concession);
        let concession = concession(violations, &field, consent);
        let notice_field = field("shortest_notice");
        let notice = consent.shortest_notice;
        let none = is_concession.then(prost_types::Duration::default);
        let notice = notice.or(none).ok_or_else(|| required(&notice_field));
        let notice = violations.take(notice.and_then(|notice| span(&notice_field, notice)));
        let until_field = field("until_time");
        let until = consent.until_time;
        let until = until.ok_or_else(|| required(&until_field));
        let until = violations.take(until.and_then(|until| timestamp(&until_field, until)));
        let (Some(subject), Some(largest_cost_per_hour), Some(shortest_notice), Some(until)) =
            (subject, cost, notice, until)
        else {
            continue;
        };
        taken.push(StandingConsent {
            id: consent.consent_id.clone(),
            subject,
            party: PartyId::from_text(&consent.party_id),
            shortest_notice,
            largest_cost_per_hour,
            allows_on_site: consent.allows_on_site,
            until,
            concession,
        });
    }
    taken
}

/// To which concessions; `None` if nothing is said of any.
fn concession(
    violations: &mut Violations,
    field: &impl Fn(&str) -> String,
    consent: &v1::StandingConsent,
) -> Option<ConcessionConsent> {
    let largest_field = field("largest_concession_bps");
    let largest_bps = bps(violations, &largest_field, consent.largest_concession_bps)?;
    let mut bases = Vec::new();
    // One too many is enough for one of them to be there twice.
    for (index, basis) in consent.bases.iter().take(BASES_MAX + 1).enumerate() {
        let field = field(&format!("bases[{index}]"));
        let Some(known) = violations.take(known_enum(&field, *basis)) else {
            continue;
        };
        let measure = match known {
            v1::AllocationBasis::FixedBps => ConsentedBasis::FixedBps,
            v1::AllocationBasis::Price => ConsentedBasis::Price,
            v1::AllocationBasis::Custom => ConsentedBasis::Custom,
            v1::AllocationBasis::CostBand => ConsentedBasis::CostBand,
            v1::AllocationBasis::Cost | v1::AllocationBasis::Margin => {
                violations.add(
                    &field,
                    "its shares are sealed: nobody agrees to them beforehand",
                );
                continue;
            }
            v1::AllocationBasis::Unspecified => continue,
        };
        violations.require(!bases.contains(&measure), &field, "each basis once");
        bases.push(measure);
    }
    bases.sort_unstable();
    Some(ConcessionConsent { largest_bps, bases })
}

/// How many bases there are.
const BASES_MAX: usize = 4;

fn subject(field: &str, value: i32) -> Result<ConsentSubject, Refusal> {
    match known_enum(field, value)? {
        v1::StandingConsentKind::Expectation => Ok(ConsentSubject::Expectation),
        v1::StandingConsentKind::Concession => Ok(ConsentSubject::Concession),
        v1::StandingConsentKind::Unspecified => Err(required(field)),
    }
}

/// A standing consent as the contract shows it.
pub(super) fn to_standing_consent(consent: &StandingConsent) -> v1::StandingConsent {
    let kind = match consent.subject {
        ConsentSubject::Expectation => v1::StandingConsentKind::Expectation,
        ConsentSubject::Concession => v1::StandingConsentKind::Concession,
    };
    let is_concession = consent.subject == ConsentSubject::Concession;
    let bound = consent.concession.as_ref();
    let bases = bound.map_or(&[][..], |bound| &bound.bases);
    v1::StandingConsent {
        consent_id: consent.id.clone(),
        kind: kind.into(),
        party_id: consent.party.to_string(),
        shortest_notice: (!is_concession).then(|| to_duration(consent.shortest_notice)),
        largest_cost_per_hour: consent.largest_cost_per_hour.as_ref().map(to_money),
        allows_on_site: consent.allows_on_site,
        until_time: Some(to_timestamp(consent.until)),
        largest_concession_bps: bound.map(|bound| to_int32(bound.largest_bps)),
        bases: bases.iter().map(|basis| to_basis(*basis).into()).collect(),
    }
}

const fn to_basis(basis: ConsentedBasis) -> v1::AllocationBasis {
    match basis {
        ConsentedBasis::FixedBps => v1::AllocationBasis::FixedBps,
        ConsentedBasis::Price => v1::AllocationBasis::Price,
        ConsentedBasis::Custom => v1::AllocationBasis::Custom,
        ConsentedBasis::CostBand => v1::AllocationBasis::CostBand,
    }
}
