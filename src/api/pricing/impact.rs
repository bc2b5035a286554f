//! What a division tells each party of the costs of the others.

use std::collections::BTreeSet;

use tonic::{Request, Response};

use super::blind::cost_openings;
use super::convert::split::{to_basis, to_cadence};
use super::{PricingService, SHAPE, explain};
use crate::api::convert::{known_enum, parse_name, to_money};
use crate::api::status::ApiError;
use crate::api::{Api, Member};
use crate::domain::firm::Permission;
use crate::domain::identity::PartyId;
use crate::domain::partnership::Approval;
use crate::domain::pricing::money::Money;
use crate::domain::pricing::quote::blind::{costs, is_blind};
use crate::domain::pricing::quote::disclosure::{
    Bound, Disclosure, bounds, disclosed, disclosed_by_settling, exposed,
};
use crate::domain::pricing::quote::sale::billers;
use crate::domain::pricing::quote::{Basis, ConcessionRevision, JointQuote, blind};
use crate::domain::refusal::{Reason, Refusal};
use crate::proto::v1;

impl PricingService {
    pub(super) async fn impact(
        &self,
        request: &Request<v1::GetDisclosureImpactRequest>,
    ) -> Result<Response<v1::DisclosureImpact>, ApiError> {
        let api = &self.0;
        let caller = api.caller(request, Permission::Read).await?;
        let asked = request.get_ref();
        let [partnership, id] = parse_name("name", &asked.name, SHAPE)?;
        let (member, found) = api.get::<JointQuote>(&caller, &partnership, &id).await?;
        let quote = &found.state;
        let (basis, revision) = asked_about(asked, quote)?;
        let mut told = Vec::new();
        if let Some(revision) = revision {
            told = own_bounds(api, &member, quote, revision).await?;
        }
        let consents = &quote.disclosure_consents;
        let missing = exposed(&basis, &quote.portions).into_iter();
        let missing = missing.filter(|party| !Approval::is_among(consents, party));
        Ok(Response::new(v1::DisclosureImpact {
            basis: to_basis(&basis).into(),
            revision: revision.map_or(0, |revision| revision.split.number.into()),
            missing_consents: missing.map(ToString::to_string).collect(),
            disclosures: disclosures(&member, quote, &basis, &told),
        }))
    }
}

/// The basis that a request is about, and the revision, if it is about one.
fn asked_about<'quote>(
    asked: &v1::GetDisclosureImpactRequest,
    quote: &'quote JointQuote,
) -> Result<(Basis, Option<&'quote ConcessionRevision>), Refusal> {
    if asked.basis == 0 {
        let revision = explain::revision(quote, asked.revision)?;
        return Ok((revision.split.proposal.basis.clone(), Some(revision)));
    }
    if asked.revision != 0 {
        let why = "must be 0 with a basis";
        return Err(Refusal::field(Reason::InvalidField, "revision", why));
    }
    let basis = match known_enum("basis", asked.basis)? {
        v1::AllocationBasis::Cost => Basis::Cost,
        v1::AllocationBasis::Margin => Basis::Margin,
        v1::AllocationBasis::CostBand => Basis::CostBand,
        v1::AllocationBasis::FixedBps => Basis::FixedBps(Vec::new()),
        v1::AllocationBasis::Custom => Basis::Custom(Vec::new()),
        v1::AllocationBasis::Price | v1::AllocationBasis::Unspecified => Basis::Price,
    };
    Ok((basis, None))
}

/// How near each other party comes to what the caller's portions cost.
async fn own_bounds(
    api: &Api,
    member: &Member,
    quote: &JointQuote,
    revision: &ConcessionRevision,
) -> Result<Vec<Bound>, ApiError> {
    let split = &revision.split;
    let scope = member.scope();
    let openings = cost_openings(api, &scope, quote, &split.proposal).await?;
    let known = costs(
        &split.proposal.basis,
        &quote.portions,
        quote.currency,
        &openings,
    );
    let Ok(known) = known else {
        return Ok(Vec::new());
    };
    let portions: Vec<_> = quote.portions.iter().collect();
    let place = super::blind::nowhere(&scope);
    let open = blind::openly(place, quote, split.proposal.clone(), &known);
    let open = open.ok().filter(|open| {
        let parts = open.lines().map(|line| &line.portion_id);
        // A portion was added since, which the revision does not divide.
        portions.len() == split.line_count() && parts.eq(split.lines().map(|it| &it.portion_id))
    });
    Ok(open.map_or_else(Vec::new, |open| bounds(&open, quote, &member.party.id)))
}

fn disclosures(
    member: &Member,
    quote: &JointQuote,
    basis: &Basis,
    told: &[Bound],
) -> Vec<v1::PartyDisclosure> {
    let owners: BTreeSet<&PartyId> = quote.portions.iter().map(|it| &it.owner).collect();
    let billers = billers(&member.partnership.state, quote);
    let mut found = Vec::new();
    for observer in member.partnership.state.firms().map(|party| &party.id) {
        for subject in owners.iter().filter(|subject| **subject != observer) {
            let kind = disclosed(basis, &quote.portions, observer, subject);
            let bills = is_blind(basis, &quote.portions) && billers.contains(observer);
            let settled = if bills {
                disclosed_by_settling(basis, &quote.portions, observer, subject)
            } else {
                kind
            };
            let is_own = **subject == member.party.id;
            let bounds: Vec<&Bound> = told
                .iter()
                .filter(|bound| is_own && bound.observer == *observer)
                .collect();
            let told = sentence(kind, observer, subject, quote, &bounds);
            found.push(v1::PartyDisclosure {
                observer_party_id: observer.to_string(),
                subject_party_id: subject.to_string(),
                kind: to_kind(kind).into(),
                sentence: match (kind, settled) {
                    (Disclosure::Exact, _) | (_, Disclosure::Nothing) => told,
                    _ if bills => format!("{told} {}", by_settling(settled, observer, subject)),
                    _ => told,
                },
                settlement_kind: to_kind(settled).into(),
                bounds: bounds.iter().map(|bound| to_bounds(bound, quote)).collect(),
            });
        }
    }
    found
}

/// What a party learns beyond that if it bills the client.
fn by_settling(kind: Disclosure, observer: &PartyId, subject: &PartyId) -> String {
    let costs = if kind == Disclosure::Exact {
        ", and by that can work out what they cost"
    } else {
        ""
    };
    format!(
        "Once {observer} bills the client and settles with {subject}, it learns what {subject}'s \
         portions bear{costs}."
    )
}

const fn to_kind(kind: Disclosure) -> v1::DisclosureKind {
    match kind {
        Disclosure::Nothing => v1::DisclosureKind::Nothing,
        Disclosure::Band => v1::DisclosureKind::Band,
        Disclosure::SumOfOthers => v1::DisclosureKind::SumOfOthers,
        Disclosure::Exact => v1::DisclosureKind::Exact,
    }
}

fn amount(quote: &JointQuote, minor: u128) -> Money {
    let minor = i64::try_from(minor).unwrap_or(i64::MAX);
    Money::from_minor(quote.currency, minor)
}

fn to_bounds(bound: &Bound, quote: &JointQuote) -> v1::DisclosureBounds {
    let money = |minor| Some(to_money(&amount(quote, minor)));
    v1::DisclosureBounds {
        cadence: to_cadence(bound.cadence).into(),
        within: money(bound.within),
    }
}

fn sentence(
    kind: Disclosure,
    observer: &PartyId,
    subject: &PartyId,
    quote: &JointQuote,
    bounds: &[&Bound],
) -> String {
    let told = match kind {
        Disclosure::Nothing => {
            format!("{observer} learns nothing of what {subject}'s portions cost")
        }
        Disclosure::Band => format!("{observer} sees the bands of costs that {subject} revealed"),
        Disclosure::SumOfOthers => {
            format!("{observer} can work out what all others have together, {subject} among them")
        }
        Disclosure::Exact => format!(
            "{observer} can work out what {subject}'s portions cost together, exactly up to rounding"
        ),
    };
    let near: Vec<String> = bounds
        .iter()
        .map(|bound| {
            format!(
                "to within {} ({})",
                amount(quote, bound.within),
                bound.cadence.as_str()
            )
        })
        .collect();
    if near.is_empty() {
        format!("{told}.")
    } else {
        format!("{told}: {}.", near.join(", "))
    }
}
