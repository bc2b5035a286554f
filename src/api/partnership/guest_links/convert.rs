//! Guest links between the contract and the domain.

use crate::api::convert::{known_enum, parse_name, to_timestamp};
use crate::api::faults::Faults;
use crate::api::listing::{Shown, Viewer, name_in};
use crate::api::{Found, required};
use crate::domain::commitment::Commitment;
use crate::domain::guest_link::{GuestAnswer, GuestLink, GuestLinkState, GuestMatter};
use crate::domain::identity::ScopeId;
use crate::domain::refusal::{Reason, Refusal};
use crate::proto::v1;
use crate::proto::v1::guest_link::Matter;

impl Shown for GuestLink {
    type Message = v1::GuestLink;

    const REFERENCED: bool = false;

    fn commitments(&self) -> Vec<Commitment> {
        let message = self.used.iter().filter_map(|used| used.message.clone());
        message.chain([self.made.person.clone()]).collect()
    }

    fn shown(found: &Found<Self>, viewer: &Viewer<'_>) -> v1::GuestLink {
        let link = &found.state;
        let scope = viewer.member.scope();
        let used = link.used.as_ref();
        let message = used.and_then(|used| used.message.as_ref());
        let answer = used.map_or(v1::GuestAnswer::Unspecified, |used| to_answer(used.answer));
        v1::GuestLink {
            name: name_in(&scope, "guestLinks", &found.id),
            party: link.made.party.to_string(),
            person: viewer.texts.show(Some(&link.made.person)),
            matter: Some(to_matter(&link.made.matter, &scope)),
            issuer: link.made.issuer.scope().to_string(),
            for_placeholder: link.is_for_placeholder(),
            state: to_state(link.state_at(viewer.now)).into(),
            expire_time: Some(to_timestamp(link.made.expires_at)),
            answer: answer.into(),
            message: viewer.texts.show(message),
            use_time: link.used_at.map(to_timestamp),
            revoke_time: link.revoked_at.map(to_timestamp),
            create_time: Some(to_timestamp(found.created_at)),
            update_time: Some(to_timestamp(found.updated_at)),
            etag: found.etag(),
            redacted_fields: viewer.texts.redacted_fields(found.state.commitments()),
        }
    }
}

const fn to_state(state: GuestLinkState) -> v1::GuestLinkState {
    match state {
        GuestLinkState::Open => v1::GuestLinkState::Open,
        GuestLinkState::Used => v1::GuestLinkState::Used,
        GuestLinkState::Revoked => v1::GuestLinkState::Revoked,
        GuestLinkState::Expired => v1::GuestLinkState::Expired,
    }
}

/// An answer as the contract shows it.
pub(super) const fn to_answer(answer: GuestAnswer) -> v1::GuestAnswer {
    match answer {
        GuestAnswer::Accept => v1::GuestAnswer::Accept,
        GuestAnswer::Refuse => v1::GuestAnswer::Refuse,
    }
}

/// An answer that a guest gives.
///
/// # Errors
/// [`Reason::InvalidField`], naming `field`.
pub(super) fn answer(field: &str, value: i32) -> Result<GuestAnswer, Refusal> {
    match known_enum(field, value)? {
        v1::GuestAnswer::Accept => Ok(GuestAnswer::Accept),
        v1::GuestAnswer::Refuse => Ok(GuestAnswer::Refuse),
        v1::GuestAnswer::Unspecified => Err(required(field)),
    }
}

fn to_matter(matter: &GuestMatter, scope: &ScopeId) -> Matter {
    match matter {
        GuestMatter::Offer {
            expectation,
            number,
        } => Matter::Offer(v1::GuestOfferMatter {
            expectation: name_in(scope, "expectations", expectation),
            offer_number: i32::try_from(*number).unwrap_or(i32::MAX),
        }),
        GuestMatter::Fulfilment { expectation, .. } => {
            Matter::Fulfilment(v1::GuestFulfilmentMatter {
                expectation: name_in(scope, "expectations", expectation),
            })
        }
        GuestMatter::Terms { hash } => Matter::Terms(v1::GuestTermsMatter { hash: hash.clone() }),
        GuestMatter::Agreement { id, hash } => Matter::Agreement(v1::GuestAgreementMatter {
            agreement: name_in(scope, "agreements", id),
            hash: hash.clone(),
        }),
        GuestMatter::Concession { quote, hash } => Matter::Concession(v1::GuestConcessionMatter {
            joint_quote: name_in(scope, "jointQuotes", quote),
            hash: hash.clone(),
        }),
    }
}

/// What a link is to ask, of things of `partnership`.
///
/// # Errors
/// Every fault.
pub(super) fn matter(asked: Option<&Matter>, partnership: &str) -> Result<GuestMatter, Refusal> {
    let field = "guest_link.matter";
    let asked = asked.ok_or_else(|| required(field))?;
    let mut faults = Faults::default();
    let mut id = |field: &str, name: &str, shape: &str| {
        faults.take(neighbour(field, name, shape, partnership))
    };
    let taken = match asked {
        Matter::Offer(offer) => {
            let field = "guest_link.offer.expectation";
            let expectation = id(field, &offer.expectation, "partnerships/*/expectations/*");
            let number = u32::try_from(offer.offer_number).unwrap_or_default();
            let field = "guest_link.offer.offer_number";
            faults.require(number > 0, field, "counts from 1");
            GuestMatter::Offer {
                expectation,
                number,
            }
        }
        Matter::Fulfilment(fulfilment) => {
            let field = "guest_link.fulfilment.expectation";
            let shape = "partnerships/*/expectations/*";
            GuestMatter::Fulfilment {
                expectation: id(field, &fulfilment.expectation, shape),
                said_at: None,
            }
        }
        Matter::Terms(terms) => {
            let hash = terms.hash.clone();
            faults.require(!hash.is_empty(), "guest_link.terms.hash", "is required");
            GuestMatter::Terms { hash }
        }
        Matter::Agreement(agreement) => {
            let field = "guest_link.agreement.agreement";
            let id = id(field, &agreement.agreement, "partnerships/*/agreements/*");
            let hash = agreement.hash.clone();
            faults.require(!hash.is_empty(), "guest_link.agreement.hash", "is required");
            GuestMatter::Agreement { id, hash }
        }
        Matter::Concession(concession) => {
            let field = "guest_link.concession.joint_quote";
            let quote = id(
                field,
                &concession.joint_quote,
                "partnerships/*/jointQuotes/*",
            );
            let hash = concession.hash.clone();
            let field = "guest_link.concession.hash";
            faults.require(!hash.is_empty(), field, "is required");
            GuestMatter::Concession { quote, hash }
        }
    };
    faults.finish()?;
    Ok(taken)
}

/// The id of a record of `partnership`.
fn neighbour(field: &str, name: &str, shape: &str, partnership: &str) -> Result<String, Refusal> {
    let [other, id] = parse_name(field, name, shape)?;
    if other == partnership {
        return Ok(id);
    }
    let rule = "must be of the same partnership";
    Err(Refusal::field(Reason::InvalidField, field, rule))
}
