//! What a guest is asked, in words and in full: as the party sees it for which the guest answers,
//! and nothing else of the partnership.

use crate::api::convert::to_timestamp;
use crate::api::listing::{self, Shown};
use crate::api::partnership::convert::to_terms;
use crate::api::status::ApiError;
use crate::api::text::Texts;
use crate::api::{Api, Found, Member};
use crate::domain::expectation::Expectation;
use crate::domain::guest_link::{GuestLink, GuestMatter};
use crate::domain::identity::PartyId;
use crate::domain::pricing::quote::JointQuote;
use crate::domain::record::RecordKey;
use crate::domain::refusal::{Reason, Refusal};
use crate::domain::sla::agreement::Agreement;
use crate::proto::v1;
use crate::proto::v1::open_guest_link_response::Matter;

/// The question of a link.
///
/// # Errors
/// If what is asked is no longer there to be shown, or the store fails.
pub(super) async fn question(
    api: &Api,
    member: &Member,
    link: &Found<GuestLink>,
) -> Result<v1::OpenGuestLinkResponse, ApiError> {
    let made = &link.state.made;
    let person = vec![made.person.clone()];
    let texts = Texts::load(api, &member.scope(), &member.party.id, person).await?;
    let person = texts.show(Some(&made.person));
    let partnership = &member.partnership.state;
    let issuer = partnership.party_of(&made.issuer);
    let issuer = issuer.map_or_else(String::new, |party| party.display_name.clone());
    let party = member.party.display_name.clone();
    let (asked, matter) = matter(api, member, &made.matter).await?;
    let sentence = format!(
        "{issuer} asks {person}, on behalf of {party}, {asked} (until {}).",
        made.expires_at
    );
    Ok(v1::OpenGuestLinkResponse {
        sentence,
        person,
        partnership_display_name: partnership.display_name.clone(),
        party_display_name: party,
        issuer_display_name: issuer,
        expire_time: Some(to_timestamp(made.expires_at)),
        matter: Some(matter),
    })
}

/// What is asked, in words and in full.
async fn matter(
    api: &Api,
    member: &Member,
    matter: &GuestMatter,
) -> Result<(String, Matter), ApiError> {
    match matter {
        GuestMatter::Offer {
            expectation,
            number,
        } => offer(api, member, expectation, *number).await,
        GuestMatter::Fulfilment { expectation, .. } => fulfilment(api, member, expectation).await,
        GuestMatter::Terms { hash } => terms(api, member, hash).await,
        GuestMatter::Agreement { id, hash } => agreement(api, member, id, hash).await,
        GuestMatter::Concession { quote, hash } => concession(api, member, quote, hash).await,
    }
}

/// A record as the guest's party sees it.
async fn shown<T: Shown>(api: &Api, member: &Member, id: &str) -> Result<T::Message, ApiError> {
    let key = RecordKey::new(&member.scope(), T::KIND, id);
    let found = api.find(&key).await?;
    let found = found.as_ref().and_then(|versioned| {
        let state = T::from_record(&versioned.record)?;
        Some(Found::new(id, state.clone(), versioned))
    });
    listing::show(api, member, found.ok_or_else(outdated)?).await
}

fn outdated() -> Refusal {
    let message = "what the link asks has moved on";
    Refusal::new(Reason::GuestLinkOutdated, message)
}

/// The name of a party for people.
fn named(member: &Member, party: &str) -> String {
    let found = member.partnership.state.party(&PartyId::from_text(party));
    found.map_or_else(String::new, |party| party.display_name.clone())
}

async fn offer(
    api: &Api,
    member: &Member,
    id: &str,
    number: u32,
) -> Result<(String, Matter), ApiError> {
    let shown = shown::<Expectation>(api, member, id).await?;
    let is_asked = |offer: &v1::Offer| u32::try_from(offer.number) == Ok(number);
    let offer = shown.offers.into_iter().find(is_asked);
    let offer = offer.ok_or_else(outdated)?;
    let (title, offered_by) = (shown.title, named(member, &offer.party_id));
    let kept_by = named(member, &shown.obligor);
    let sentence = format!("to agree to “{title}” as {offered_by} offers it, or to decline");
    let matter = v1::GuestOffer {
        title,
        offered_by,
        kept_by,
        offer: Some(offer),
    };
    Ok((sentence, Matter::Offer(matter)))
}

async fn fulfilment(api: &Api, member: &Member, id: &str) -> Result<(String, Matter), ApiError> {
    let shown = shown::<Expectation>(api, member, id).await?;
    let said = shown.fulfilment.ok_or_else(outdated)?;
    let done_by = named(member, &said.party_id);
    let title = shown.title;
    let sentence = format!("to accept “{title}” as done by {done_by}, or to dispute it");
    let matter = v1::GuestFulfilment {
        title,
        done_by,
        five_w: shown.five_w,
        fulfilment: Some(said),
    };
    Ok((sentence, Matter::Fulfilment(matter)))
}

async fn terms(api: &Api, member: &Member, hash: &str) -> Result<(String, Matter), ApiError> {
    let partnership = &member.partnership.state;
    let known = [&partnership.proposed_terms, &partnership.terms];
    let mut known = known.into_iter().flatten();
    let terms = known.find(|terms| terms.hash == hash);
    let terms = terms.ok_or_else(outdated)?;
    let text = terms.content.text.iter().cloned().collect();
    let texts = Texts::load(api, &member.scope(), &member.party.id, text).await?;
    let sentence = format!("to approve the terms of “{}”", partnership.display_name);
    Ok((sentence, Matter::Terms(to_terms(terms, &texts))))
}

async fn agreement(
    api: &Api,
    member: &Member,
    id: &str,
    hash: &str,
) -> Result<(String, Matter), ApiError> {
    let mut shown = shown::<Agreement>(api, member, id).await?;
    if shown.hash == hash {
        shown.proposed_revision = None;
    }
    let sentence = format!("to approve the agreement “{}”", shown.display_name);
    Ok((sentence, Matter::Agreement(shown)))
}

async fn concession(
    api: &Api,
    member: &Member,
    id: &str,
    hash: &str,
) -> Result<(String, Matter), ApiError> {
    let shown = shown::<JointQuote>(api, member, id).await?;
    let mut revisions = shown.revisions.into_iter();
    let revision = revisions.find(|revision| revision.hash == hash);
    let revision = revision.ok_or_else(outdated)?;
    let bears = |portion: &v1::Portion| {
        let cadences = revision.cadences.iter();
        let mut shares = cadences.flat_map(|cadence| &cadence.shares);
        shares.any(|share| share.portion_id == portion.portion_id)
    };
    let portions = shown.portions.into_iter().filter(bears);
    let portions = portions.map(|portion| v1::Portion {
        internal_cost: None,
        converted_cost: None,
        ..portion
    });
    let portions = portions.collect();
    let display_name = shown.display_name;
    let proposed_by = named(member, &revision.proposer);
    let sentence = format!(
        "to approve what {proposed_by} proposes to concede on “{display_name}”, or to reject it"
    );
    let matter = v1::GuestConcession {
        display_name,
        proposed_by,
        portions,
        revision: Some(revision),
    };
    Ok((sentence, Matter::Concession(matter)))
}
