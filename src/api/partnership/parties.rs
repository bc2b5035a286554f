//! Who belongs to a partnership: further parties, invitations, joining and leaving.

use prost::Message;
use tonic::Request;

use super::show::{firm_display_name, respond_as_left, show};
use super::{Answer, NAME, convert as own, respond_with};
use crate::api::convert::{parse_name, span, to_timestamp};
use crate::api::faults::Faults;
use crate::api::sign_in::key::{SECRET_BYTES, digest_of, new_secret};
use crate::api::text::Sealer;
use crate::api::{Api, Envelope, Mutation, required, respond};
use crate::domain::command::Action;
use crate::domain::firm::Permission;
use crate::domain::identity::{FirmId, PartyId, ScopeId, is_identifier};
use crate::domain::partnership::{
    INVITATION_VALIDITY_DEFAULT, PartnershipCommand, PartyAnswer, Role,
};
use crate::domain::refusal::{Reason, Refusal};
use crate::domain::text::FREE_TEXT_BYTES_MAX;
use crate::proto::v1;

/// Separates the partnership from the secret in an invitation's code.
const CODE_SEPARATOR: char = '.';

pub(super) async fn propose_party(
    api: &Api,
    request: &Request<v1::ProposePartyRequest>,
) -> Answer<v1::Partnership> {
    let caller = api.caller(request, Permission::Admin).await?;
    caller.require(Permission::Approve)?;
    let message = request.get_ref();
    let mut faults = Faults::default();
    let name = faults.take(parse_name::<1>("name", &message.name, NAME).map(Some));
    let role = faults.take(own::role("role", message.role).map(Some));
    faults.finish()?;
    let [id] = name.unwrap_or_default();
    let command = PartnershipCommand::ProposeParty {
        display_name: message.display_name.clone(),
        // A role that is not known stands among the faults, so this one is never used.
        role: role.unwrap_or(Role::Peer),
    };
    let mutation = Mutation {
        scope: ScopeId::partnership(&id),
        envelope: Envelope::new(&message.request_id, &message.origin, &message.etag),
        action: Action::Partnership(command),
        openings: Vec::new(),
    };
    let receipt = api.run(&caller, "ProposeParty", request, mutation).await?;
    respond_with(api, &caller, &id, &receipt).await
}

pub(super) async fn approve_party(
    api: &Api,
    request: &Request<v1::ApprovePartyRequest>,
) -> Answer<v1::Partnership> {
    let asked = request.get_ref();
    let envelope = Envelope::new(&asked.request_id, &asked.origin, &asked.etag);
    let said = (asked.party_id.as_str(), PartyAnswer::Approve);
    answer(api, request, "ApproveParty", &asked.name, said, envelope).await
}

pub(super) async fn decline_party(
    api: &Api,
    request: &Request<v1::DeclinePartyRequest>,
) -> Answer<v1::Partnership> {
    let asked = request.get_ref();
    let envelope = Envelope::new(&asked.request_id, &asked.origin, &asked.etag);
    let said = (asked.party_id.as_str(), PartyAnswer::Decline);
    answer(api, request, "DeclineParty", &asked.name, said, envelope).await
}

/// Answers to the proposal of a further party.
async fn answer<M: Message>(
    api: &Api,
    request: &Request<M>,
    method: &str,
    name: &str,
    (party, answer): (&str, PartyAnswer),
    envelope: Envelope,
) -> Answer<v1::Partnership> {
    let caller = api.caller(request, Permission::Approve).await?;
    let [id] = parse_name("name", name, NAME)?;
    if party.is_empty() {
        return Err(required("party_id").into());
    }
    let party = PartyId::from_text(party);
    let command = PartnershipCommand::AnswerParty { party, answer };
    let mutation = Mutation {
        scope: ScopeId::partnership(&id),
        envelope,
        action: Action::Partnership(command),
        openings: Vec::new(),
    };
    let receipt = api.run(&caller, method, request, mutation).await?;
    respond_with(api, &caller, &id, &receipt).await
}

pub(super) async fn leave_partnership(
    api: &Api,
    request: &Request<v1::LeavePartnershipRequest>,
) -> Answer<v1::Partnership> {
    let caller = api.caller(request, Permission::Admin).await?;
    caller.require(Permission::Approve)?;
    let message = request.get_ref();
    let [id] = parse_name("name", &message.name, NAME)?;
    let mut sealer = Sealer::for_every_party(api);
    let reason = sealer.text("reason", &message.reason, FREE_TEXT_BYTES_MAX);
    let mutation = Mutation {
        scope: ScopeId::partnership(&id),
        envelope: Envelope::new(&message.request_id, &message.origin, &message.etag),
        action: Action::Partnership(PartnershipCommand::Leave { reason }),
        openings: sealer.finish()?,
    };
    let receipt = api
        .run(&caller, "LeavePartnership", request, mutation)
        .await?;
    respond_as_left(api, &caller, &id, &receipt).await
}

/// A firm from its name.
fn parse_firm(field: &str, name: &str) -> Result<FirmId, Refusal> {
    let [id] = parse_name(field, name, "firms/*")?;
    let malformed = || Refusal::field(Reason::InvalidField, field, "must be of the form firms/*");
    FirmId::parse(&id).ok_or_else(malformed)
}

pub(super) async fn invite_partner(
    api: &Api,
    request: &Request<v1::InvitePartnerRequest>,
) -> Answer<v1::InvitePartnerResponse> {
    let caller = api.caller(request, Permission::Admin).await?;
    let message = request.get_ref();
    let [id] = parse_name("name", &message.name, NAME)?;
    let mut faults = Faults::default();
    let validity = message.validity.map(|it| span("validity", it));
    let validity = validity.unwrap_or(Ok(INVITATION_VALIDITY_DEFAULT));
    let validity = faults.take(validity.map(Some));
    let firm = Some(message.firm.as_str()).filter(|firm| !firm.is_empty());
    let firm = firm.map(|firm| parse_firm("firm", firm)).transpose();
    let invited = faults.take(firm.map(Some)).flatten();
    faults.finish()?;
    let party = Some(message.party_id.as_str()).filter(|party| !party.is_empty());
    let party = party.map(PartyId::from_text);
    let mut random = [0; SECRET_BYTES];
    api.randomness.fill(&mut random);
    let (secret, digest) = new_secret(&random);
    let mutation = Mutation {
        scope: ScopeId::partnership(&id),
        envelope: Envelope::new(&message.request_id, &message.origin, &message.etag),
        action: Action::Partnership(PartnershipCommand::Invite {
            party: party.clone(),
            invited,
            digest: digest.clone(),
            validity: validity.unwrap_or(INVITATION_VALIDITY_DEFAULT),
        }),
        openings: Vec::new(),
    };
    let receipt = api.run(&caller, "InvitePartner", request, mutation).await?;
    let member = api.member(&caller, &id).await?;
    let invitations = &member.partnership.state.invitations;
    // A retry finds the invitation that it named, or the last one.
    let made = invitations.iter().rfind(|invitation| {
        invitation.digest == digest
            || (receipt.replayed && party.as_ref().is_none_or(|it| *it == invitation.party))
    });
    let expire_time = made.map(|invitation| to_timestamp(invitation.expires_at));
    // The secret of the first attempt is known to nobody any more: only its digest was kept.
    let code = if receipt.replayed {
        String::new()
    } else {
        format!("{id}{CODE_SEPARATOR}{secret}")
    };
    let partnership = Some(show(api, &caller, &member).await?);
    Ok(respond(
        v1::InvitePartnerResponse {
            partnership,
            code,
            expire_time,
        },
        &receipt,
    ))
}

pub(super) async fn join_partnership(
    api: &Api,
    request: &Request<v1::JoinPartnershipRequest>,
) -> Answer<v1::Partnership> {
    let caller = api.caller(request, Permission::Admin).await?;
    let message = request.get_ref();
    let (id, secret) = split_code(&message.code).ok_or_else(|| {
        Refusal::new(
            Reason::InvitationInvalid,
            "the code is wrong, used or expired",
        )
    })?;
    let display_name = match message.display_name.as_str() {
        "" => firm_display_name(api, &caller.firm).await?,
        chosen => chosen.to_owned(),
    };
    let mutation = Mutation {
        scope: ScopeId::partnership(id),
        envelope: Envelope::new(&message.request_id, &message.origin, ""),
        action: Action::Partnership(PartnershipCommand::Join {
            digest: digest_of(secret),
            display_name,
        }),
        openings: Vec::new(),
    };
    let receipt = api
        .run(&caller, "JoinPartnership", request, mutation)
        .await?;
    respond_with(api, &caller, id, &receipt).await
}

/// The partnership and the secret within a code.
fn split_code(code: &str) -> Option<(&str, &str)> {
    let (id, secret) = code.split_once(CODE_SEPARATOR)?;
    (is_identifier(id) && !secret.is_empty()).then_some((id, secret))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn codes_come_apart_or_are_refused() {
        assert_eq!(split_code("0199-ab.secret"), Some(("0199-ab", "secret")));
        assert_eq!(split_code("0199-ab.se.cret"), Some(("0199-ab", "se.cret")));
        for bad in ["", ".", "x", "x.", ".x", "X.y", "a/b.c"] {
            assert_eq!(split_code(bad), None, "{bad}");
        }
    }
}
