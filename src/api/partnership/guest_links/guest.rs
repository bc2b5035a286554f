//! What a guest does with a link: sees what is asked, and answers it.
//!
//! A guest has no API key, so whatever is told apart here is told to everybody: a code that is not
//! right in every part is answered like one for no link and no partnership at all, after one look-up.

use tonic::{Request, Response};

use super::convert::{answer as to_guest_answer, to_answer};
use super::question::question;
use crate::api::convert::to_timestamp;
use crate::api::faults::Faults;
use crate::api::partnership::Answer;
use crate::api::sign_in::key::digest_of;
use crate::api::status::ApiError;
use crate::api::text::Sealer;
use crate::api::{Api, Envelope, Found, Member, Mutation, deadline, respond};
use crate::domain::aggregate::GUEST_ACTOR;
use crate::domain::command::{Action, Command};
use crate::domain::guest_link::{GuestAnswer, GuestLink, GuestLinkUse};
use crate::domain::identity::{ScopeId, is_identifier};
use crate::domain::partnership::Partnership;
use crate::domain::record::{Kind, RecordKey, Stored};
use crate::domain::refusal::{Reason, Refusal};
use crate::domain::text::FREE_TEXT_BYTES_MAX;
use crate::ledger::preview::preview;
use crate::ledger::queue::Urgency;
use crate::ledger::rows;
use crate::proto::v1;

/// Separates partnership, link and secret in a code.
const CODE_SEPARATOR: char = '.';
/// Longest code looked at, in bytes.
const CODE_BYTES_MAX: usize = 256;

/// The code that a guest is given.
pub(super) fn format_code(partnership: &str, link: &str, secret: &str) -> String {
    format!("{partnership}{CODE_SEPARATOR}{link}{CODE_SEPARATOR}{secret}")
}

/// A link that a guest has the code of.
struct Opened {
    link: Found<GuestLink>,
    partnership: Found<Partnership>,
    digest: String,
}

impl Opened {
    /// Finds the link of a code, if the code is right in every part.
    async fn find(api: &Api, code: &str) -> Result<Self, ApiError> {
        let absent = || Refusal::not_found("guest link");
        let (partnership_id, link_id, secret) = split_code(code).ok_or_else(absent)?;
        let scope = ScopeId::partnership(partnership_id);
        let keys = [
            RecordKey::new(&scope, Kind::Partnership, partnership_id),
            RecordKey::new(&scope, Kind::GuestLink, link_id),
        ];
        let (mut partnership, mut link) = (None, None);
        for row in api.ledger.store().records(&keys).await? {
            let versioned = rows::decode_row(&row)?;
            if let Some(state) = GuestLink::from_record(&versioned.record) {
                link = Some(Found::new(link_id, state.clone(), &versioned));
            }
            if let Some(state) = Partnership::from_record(&versioned.record) {
                partnership = Some(Found::new(partnership_id, state.clone(), &versioned));
            }
        }
        let digest = digest_of(secret);
        let link = link.filter(|link: &Found<GuestLink>| link.state.is_opened_by(&digest));
        Ok(Self {
            link: link.ok_or_else(absent)?,
            partnership: partnership.ok_or_else(absent)?,
            digest,
        })
    }

    /// The guest's place in the partnership.
    fn member(&self) -> Result<Member, Refusal> {
        let partnership = self.partnership.clone();
        let party = partnership.state.party(&self.link.state.made.party);
        let party = party.ok_or_else(|| Refusal::not_found("guest link"))?;
        Ok(Member {
            party: party.clone(),
            partnership,
        })
    }

    fn command(
        &self,
        api: &Api,
        request: &v1::UseGuestLinkRequest,
        answer: GuestAnswer,
    ) -> Result<Command, ApiError> {
        let link = &self.link;
        let mut sealer = Sealer::for_every_party(api);
        let message = sealer.text("message", &request.message, FREE_TEXT_BYTES_MAX);
        let mutation = Mutation {
            scope: ScopeId::partnership(&self.partnership.id),
            envelope: Envelope::new(&request.request_id, &request.origin, ""),
            action: Action::UseGuestLink(GuestLinkUse {
                id: link.id.clone(),
                digest: self.digest.clone(),
                answer,
                message,
                acknowledges_impossible: request.acknowledge_impossible,
            }),
            openings: sealer.finish()?,
        };
        let actor = format!("{GUEST_ACTOR}{}", link.id);
        let by = (link.state.made.firm.clone(), actor);
        let mut command = api.command_by(by, "UseGuestLink", request, mutation)?;
        // Ids that guests choose never meet those of their firm, or of another guest.
        command.request_id = format!("{}:{}", command.actor, command.request_id);
        Ok(command)
    }
}

/// The partnership, the link and the secret within a code.
fn split_code(code: &str) -> Option<(&str, &str, &str)> {
    if code.len() > CODE_BYTES_MAX {
        return None;
    }
    let (partnership, rest) = code.split_once(CODE_SEPARATOR)?;
    let (link, secret) = rest.split_once(CODE_SEPARATOR)?;
    let known = is_identifier(partnership) && is_identifier(link) && !secret.is_empty();
    known.then_some((partnership, link, secret))
}

pub(in crate::api::partnership) async fn open(
    api: &Api,
    request: &Request<v1::OpenGuestLinkRequest>,
) -> Answer<v1::OpenGuestLinkResponse> {
    let _place = api.guests.enter()?;
    let opened = Opened::find(api, &request.get_ref().code).await?;
    // Whether it can be answered at all is what the answer itself would meet.
    let accepting = v1::UseGuestLinkRequest {
        acknowledge_impossible: true,
        ..v1::UseGuestLinkRequest::default()
    };
    let command = opened.command(api, &accepting, GuestAnswer::Accept)?;
    match preview(&api.ledger, &command).await? {
        Err(refusal) if refusal.reason != Reason::DeadlineImpossible => {
            return Err(refusal.into());
        }
        _ => {}
    }
    let member = opened.member()?;
    Ok(Response::new(question(api, &member, &opened.link).await?))
}

pub(in crate::api::partnership) async fn answer(
    api: &Api,
    request: &Request<v1::UseGuestLinkRequest>,
) -> Answer<v1::UseGuestLinkResponse> {
    let _place = api.guests.enter()?;
    let message = request.get_ref();
    let mut faults = Faults::default();
    let answer = faults.take(to_guest_answer("answer", message.answer).map(Some));
    faults.require(!message.code.is_empty(), "code", "is required");
    faults.finish()?;
    let answer = answer.ok_or_else(|| crate::api::required("answer"))?;
    let opened = Opened::find(api, &message.code).await?;
    let command = opened.command(api, message, answer)?;
    let deadline = deadline(request, api.now());
    let submitted = api
        .ledger
        .submit(command, Some(deadline), Urgency::Interactive);
    let receipt = submitted.await?;
    let after = Opened::find(api, &message.code).await?.link.state;
    let used = after.used.as_ref();
    let answer = used.map_or(answer, |used| used.answer);
    let response = v1::UseGuestLinkResponse {
        answer: to_answer(answer).into(),
        use_time: after.used_at.map(to_timestamp),
    };
    Ok(respond(response, &receipt))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn codes_come_apart_or_are_refused() {
        let code = format_code("0199-ab", "0199-cd", "secret");
        assert_eq!(split_code(&code), Some(("0199-ab", "0199-cd", "secret")));
        let long = format!("a.b.{}", "x".repeat(CODE_BYTES_MAX));
        for bad in [
            "", "..", "a.b", "a.b.", ".b.c", "a..c", "A.b.c", "a/b.c.d", &long,
        ] {
            assert_eq!(split_code(bad), None, "{bad}");
        }
    }
}
