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
    Disclosure, disclosed, disclosed_by_settling, disclosed_to_all_others, exposed,
    exposed_by_settling,
};
use crate::domain::pricing::quote::inference::{Bound, Observer, bounds};
use crate::domain::pricing::quote::sale::billers;
use crate::domain::pricing::quote::{Basis, ConcessionRevision, JointQuote, Portion, blind};
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
        let missing = |exposed: Vec<&PartyId>| -> Vec<String> {
            let exposed = exposed.into_iter();
            let missing = exposed.filter(|party| !Approval::is_among(consents, party));
            missing.map(ToString::to_string).collect()
        };
        let billers = billers(&member.partnership.state, quote);
        let by_settling = exposed_by_settling(&basis, &quote.portions, &billers);
        Ok(Response::new(v1::DisclosureImpact {
            basis: to_basis(&basis).into(),
            revision: revision.map_or(0, |revision| revision.split.number.into()),
            missing_consents: missing(exposed(&basis, &quote.portions)),
            missing_settlement_consents: missing(by_settling),
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

/// How near others come to what the caller's portions cost.
async fn own_bounds(
    api: &Api,
    member: &Member,
    quote: &JointQuote,
    revision: &ConcessionRevision,
) -> Result<Vec<Bound>, ApiError> {
    let split = &revision.split;
    let basis = &split.proposal.basis;
    // Portions that were added since are not divided by it.
    let mut quote = quote.clone();
    let is_divided = |portion: &Portion| split.line(&portion.id).is_some();
    quote.portions.retain(is_divided);
    let scope = member.scope();
    let openings = cost_openings(api, &scope, &quote, &split.proposal).await?;
    let known = costs(basis, &quote.portions, quote.currency, &openings).ok();
    let place = super::blind::nowhere(&scope);
    let open = known
        .as_ref()
        .and_then(|known| blind::openly(place, &quote, split.proposal.clone(), known).ok());
    let own = &member.party.id;
    let observers = observers(member, &quote, own);
    let observers: Vec<Observer> = observers
        .filter(|observer| learned(observer, &quote, basis, own) >= Disclosure::SumOfOthers)
        .collect();
    let partnership = &member.partnership.state;
    let told = (own, &observers[..]);
    Ok(match open {
        Some(open) => bounds(&open, &quote, partnership, known.as_ref(), told),
        None => bounds(split, &quote, partnership, None, told),
    })
}

/// Who might learn of a party's costs: each other firm, and all others together, where more than one of
/// them owns a portion.
fn observers(
    member: &Member,
    quote: &JointQuote,
    subject: &PartyId,
) -> impl Iterator<Item = Observer> {
    let firms = member.partnership.state.firms();
    let others = firms.map(|party| &party.id).filter(|id| *id != subject);
    let others = others.cloned().map(Observer::Party);
    let owners = quote.portions.iter().map(|portion| &portion.owner);
    let owners: BTreeSet<&PartyId> = owners.filter(|owner| *owner != subject).collect();
    let together = (owners.len() > 1).then_some(Observer::AllOthers);
    others.chain(together).collect::<Vec<_>>().into_iter()
}

/// What an observer learns by a division.
fn learned(
    observer: &Observer,
    quote: &JointQuote,
    basis: &Basis,
    subject: &PartyId,
) -> Disclosure {
    match observer {
        Observer::Party(party) => disclosed(basis, &quote.portions, party, subject),
        Observer::AllOthers => disclosed_to_all_others(basis, &quote.portions, subject),
    }
}

fn disclosures(
    member: &Member,
    quote: &JointQuote,
    basis: &Basis,
    told: &[Bound],
) -> Vec<v1::PartyDisclosure> {
    let owners: BTreeSet<&PartyId> = quote.portions.iter().map(|it| &it.owner).collect();
    let firms = member.partnership.state.firms();
    let mut found = Vec::new();
    for observer in firms.map(|party| Observer::Party(party.id.clone())) {
        let others = owners.iter().filter(|owner| !is_it(&observer, owner));
        found.extend(
            others.map(|subject| disclosure(member, quote, basis, told, (&observer, subject))),
        );
    }
    for subject in owners {
        let together = observers(member, quote, subject).filter(|it| *it == Observer::AllOthers);
        found.extend(together.map(|it| disclosure(member, quote, basis, told, (&it, subject))));
    }
    found
}

fn is_it(observer: &Observer, party: &PartyId) -> bool {
    matches!(observer, Observer::Party(observer) if observer == party)
}

fn disclosure(
    member: &Member,
    quote: &JointQuote,
    basis: &Basis,
    told: &[Bound],
    (observer, subject): (&Observer, &PartyId),
) -> v1::PartyDisclosure {
    let kind = learned(observer, quote, basis, subject);
    let billers = billers(&member.partnership.state, quote);
    let bills = match observer {
        Observer::Party(party) if is_blind(basis, &quote.portions) && billers.contains(party) => {
            Some(party)
        }
        _ => None,
    };
    let settled = bills.map_or(kind, |biller| {
        disclosed_by_settling(basis, &quote.portions, biller, subject)
    });
    let is_own = *subject == member.party.id;
    let bounds: Vec<&Bound> = told
        .iter()
        .filter(|bound| is_own && bound.observer == *observer)
        .collect();
    let told = sentence(kind, observer, subject, quote, &bounds);
    v1::PartyDisclosure {
        observer_party_id: match observer {
            Observer::Party(party) => party.to_string(),
            Observer::AllOthers => String::new(),
        },
        all_others: *observer == Observer::AllOthers,
        subject_party_id: subject.to_string(),
        kind: to_kind(kind).into(),
        sentence: match (kind, settled, bills) {
            (Disclosure::Exact, _, _) | (_, Disclosure::Nothing, _) | (_, _, None) => told,
            (_, _, Some(biller)) => format!("{told} {}", by_settling(settled, biller, subject)),
        },
        settlement_kind: to_kind(settled).into(),
        bounds: bounds.iter().map(|bound| to_bounds(bound, quote)).collect(),
    }
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

fn amount(quote: &JointQuote, minor: u64) -> Money {
    let minor = i64::try_from(minor).unwrap_or(i64::MAX);
    Money::from_minor(quote.currency, minor)
}

fn to_bounds(bound: &Bound, quote: &JointQuote) -> v1::DisclosureBounds {
    let width = match bound.within {
        Some(_) => v1::DisclosureWidth::Known,
        None => v1::DisclosureWidth::NotKnown,
    };
    v1::DisclosureBounds {
        cadence: to_cadence(bound.cadence).into(),
        width: width.into(),
        within: bound.within.map(|minor| to_money(&amount(quote, minor))),
    }
}

fn sentence(
    kind: Disclosure,
    observer: &Observer,
    subject: &PartyId,
    quote: &JointQuote,
    bounds: &[&Bound],
) -> String {
    let who = match observer {
        Observer::Party(party) => party.as_str(),
        Observer::AllOthers => "whoever puts together what all others know",
    };
    let told = match kind {
        Disclosure::Nothing => {
            format!("{who} learns nothing of what {subject}'s portions cost")
        }
        Disclosure::Band => format!("{who} sees the bands of costs that {subject} revealed"),
        Disclosure::SumOfOthers => {
            format!("{who} can work out what all others have together, {subject} among them")
        }
        Disclosure::Exact => format!(
            "{who} can work out what {subject}'s portions cost together, exactly up to rounding"
        ),
    };
    let near: Vec<String> = bounds.iter().map(|bound| near(bound, quote)).collect();
    if near.is_empty() {
        format!("{told}.")
    } else {
        format!("{told}: {}.", near.join(", "))
    }
}

fn near(bound: &Bound, quote: &JointQuote) -> String {
    let cadence = bound.cadence.as_str();
    match bound.within {
        Some(within) => {
            let within = amount(quote, within);
            format!("by this revision alone to within {within} ({cadence})")
        }
        None => format!("how near is not known, perhaps to the last unit ({cadence})"),
    }
}
