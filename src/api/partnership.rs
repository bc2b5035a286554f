//! `PartnershipService`: partnerships, their terms, and whom they serve.

mod assertions;
mod checkup_clauses;
mod clauses;
pub(super) mod contacts;
mod convert;
mod ending;
mod guest_links;
pub(in crate::api) mod hand_over;
mod outsiders;
mod parties;
mod show;
mod standing;
mod terms;
mod terms_revisions;

use std::sync::Arc;

use tonic::{Request, Response, Status};

use super::admin::to_permission;
use super::caller::{Caller, RecognisedBy};
use super::convert as values;
use super::status::ApiError;
use super::{Api, Envelope, Mutation, respond};
use crate::domain::command::Action;
use crate::domain::firm::{FirmCommand, Permission};
use crate::domain::format::Format;
use crate::domain::identity::FirmId;
use crate::domain::journal;
use crate::domain::partnership::{PartnershipOpening, Role};
use crate::domain::refusal::{Reason, Refusal, Violations};
use crate::ledger::Receipt;
use crate::proto::v1;

pub use convert::{to_partnership, to_terms};
use show::{firm_display_name, show};

/// Resource name of a partnership.
const NAME: &str = "partnerships/*";

/// What an RPC answers before errors become statuses.
type Answer<T> = Result<Response<T>, ApiError>;

/// Implements the contract's `PartnershipService`.
#[derive(Clone, Debug)]
pub struct PartnershipService(pub Arc<Api>);

#[tonic::async_trait]
impl v1::partnership_service_server::PartnershipService for PartnershipService {
    async fn who_am_i(
        &self,
        request: Request<v1::WhoAmIRequest>,
    ) -> Result<Response<v1::WhoAmIResponse>, Status> {
        Ok(who_am_i(&self.0, &request).await?)
    }

    async fn get_service_info(
        &self,
        request: Request<v1::GetServiceInfoRequest>,
    ) -> Result<Response<v1::ServiceInfo>, Status> {
        Ok(get_service_info(&self.0, &request).await?)
    }

    async fn create_partnership(
        &self,
        request: Request<v1::CreatePartnershipRequest>,
    ) -> Result<Response<v1::Partnership>, Status> {
        Ok(create_partnership(&self.0, &request).await?)
    }

    async fn get_partnership(
        &self,
        request: Request<v1::GetPartnershipRequest>,
    ) -> Result<Response<v1::Partnership>, Status> {
        Ok(get_partnership(&self.0, &request).await?)
    }

    async fn list_partnerships(
        &self,
        request: Request<v1::ListPartnershipsRequest>,
    ) -> Result<Response<v1::ListPartnershipsResponse>, Status> {
        Ok(show::list_partnerships(&self.0, &request).await?)
    }

    async fn propose_party(
        &self,
        request: Request<v1::ProposePartyRequest>,
    ) -> Result<Response<v1::Partnership>, Status> {
        Ok(parties::propose_party(&self.0, &request).await?)
    }

    async fn approve_party(
        &self,
        request: Request<v1::ApprovePartyRequest>,
    ) -> Result<Response<v1::Partnership>, Status> {
        Ok(parties::approve_party(&self.0, &request).await?)
    }

    async fn decline_party(
        &self,
        request: Request<v1::DeclinePartyRequest>,
    ) -> Result<Response<v1::Partnership>, Status> {
        Ok(parties::decline_party(&self.0, &request).await?)
    }

    async fn leave_partnership(
        &self,
        request: Request<v1::LeavePartnershipRequest>,
    ) -> Result<Response<v1::Partnership>, Status> {
        Ok(parties::leave_partnership(&self.0, &request).await?)
    }

    async fn invite_partner(
        &self,
        request: Request<v1::InvitePartnerRequest>,
    ) -> Result<Response<v1::InvitePartnerResponse>, Status> {
        Ok(parties::invite_partner(&self.0, &request).await?)
    }

    async fn join_partnership(
        &self,
        request: Request<v1::JoinPartnershipRequest>,
    ) -> Result<Response<v1::Partnership>, Status> {
        Ok(parties::join_partnership(&self.0, &request).await?)
    }

    async fn end_partnership(
        &self,
        request: Request<v1::EndPartnershipRequest>,
    ) -> Result<Response<v1::Partnership>, Status> {
        Ok(ending::end_partnership(&self.0, &request).await?)
    }

    async fn get_hand_over_list(
        &self,
        request: Request<v1::GetHandOverListRequest>,
    ) -> Result<Response<v1::HandOverList>, Status> {
        Ok(hand_over::list(&self.0, &request).await?)
    }

    async fn propose_terms(
        &self,
        request: Request<v1::ProposeTermsRequest>,
    ) -> Result<Response<v1::Partnership>, Status> {
        Ok(terms::propose_terms(&self.0, &request).await?)
    }

    async fn approve_terms(
        &self,
        request: Request<v1::ApproveTermsRequest>,
    ) -> Result<Response<v1::Partnership>, Status> {
        Ok(terms::approve_terms(&self.0, &request).await?)
    }

    async fn get_terms_revision(
        &self,
        request: Request<v1::GetTermsRevisionRequest>,
    ) -> Result<Response<v1::TermsRevision>, Status> {
        Ok(terms_revisions::get(&self.0, &request).await?)
    }

    async fn list_terms_revisions(
        &self,
        request: Request<v1::ListTermsRevisionsRequest>,
    ) -> Result<Response<v1::ListTermsRevisionsResponse>, Status> {
        Ok(terms_revisions::list(&self.0, &request).await?)
    }

    async fn get_terms_difference(
        &self,
        request: Request<v1::GetTermsDifferenceRequest>,
    ) -> Result<Response<v1::TermsDifference>, Status> {
        Ok(terms_revisions::difference(&self.0, &request).await?)
    }

    async fn answer_assertions(
        &self,
        request: Request<v1::AnswerAssertionsRequest>,
    ) -> Result<Response<v1::AnswerAssertionsResponse>, Status> {
        Ok(assertions::answer_assertions(&self.0, &request).await?)
    }

    async fn create_client(
        &self,
        request: Request<v1::CreateClientRequest>,
    ) -> Result<Response<v1::Client>, Status> {
        Ok(outsiders::create_client(&self.0, &request).await?)
    }

    async fn get_client(
        &self,
        request: Request<v1::GetClientRequest>,
    ) -> Result<Response<v1::Client>, Status> {
        Ok(outsiders::get_client(&self.0, &request).await?)
    }

    async fn list_clients(
        &self,
        request: Request<v1::ListClientsRequest>,
    ) -> Result<Response<v1::ListClientsResponse>, Status> {
        Ok(outsiders::list_clients(&self.0, &request).await?)
    }

    async fn create_outside_party(
        &self,
        request: Request<v1::CreateOutsidePartyRequest>,
    ) -> Result<Response<v1::OutsideParty>, Status> {
        Ok(outsiders::create_outside_party(&self.0, &request).await?)
    }

    async fn get_outside_party(
        &self,
        request: Request<v1::GetOutsidePartyRequest>,
    ) -> Result<Response<v1::OutsideParty>, Status> {
        Ok(outsiders::get_outside_party(&self.0, &request).await?)
    }

    async fn list_outside_parties(
        &self,
        request: Request<v1::ListOutsidePartiesRequest>,
    ) -> Result<Response<v1::ListOutsidePartiesResponse>, Status> {
        Ok(outsiders::list_outside_parties(&self.0, &request).await?)
    }

    async fn create_guest_link(
        &self,
        request: Request<v1::CreateGuestLinkRequest>,
    ) -> Result<Response<v1::CreateGuestLinkResponse>, Status> {
        Ok(guest_links::create(&self.0, &request).await?)
    }

    async fn revoke_guest_link(
        &self,
        request: Request<v1::RevokeGuestLinkRequest>,
    ) -> Result<Response<v1::GuestLink>, Status> {
        Ok(guest_links::revoke(&self.0, &request).await?)
    }

    async fn get_guest_link(
        &self,
        request: Request<v1::GetGuestLinkRequest>,
    ) -> Result<Response<v1::GuestLink>, Status> {
        Ok(guest_links::get(&self.0, &request).await?)
    }

    async fn list_guest_links(
        &self,
        request: Request<v1::ListGuestLinksRequest>,
    ) -> Result<Response<v1::ListGuestLinksResponse>, Status> {
        Ok(guest_links::list(&self.0, &request).await?)
    }

    async fn open_guest_link(
        &self,
        request: Request<v1::OpenGuestLinkRequest>,
    ) -> Result<Response<v1::OpenGuestLinkResponse>, Status> {
        Ok(guest_links::guest::open(&self.0, &request).await?)
    }

    async fn use_guest_link(
        &self,
        request: Request<v1::UseGuestLinkRequest>,
    ) -> Result<Response<v1::UseGuestLinkResponse>, Status> {
        Ok(guest_links::guest::answer(&self.0, &request).await?)
    }

    async fn create_contact(
        &self,
        request: Request<v1::CreateContactRequest>,
    ) -> Result<Response<v1::Contact>, Status> {
        Ok(contacts::create_contact(&self.0, &request).await?)
    }

    async fn update_contact(
        &self,
        request: Request<v1::UpdateContactRequest>,
    ) -> Result<Response<v1::Contact>, Status> {
        Ok(contacts::update_contact(&self.0, &request).await?)
    }

    async fn delete_contact(
        &self,
        request: Request<v1::DeleteContactRequest>,
    ) -> Result<Response<v1::Contact>, Status> {
        Ok(contacts::delete_contact(&self.0, &request).await?)
    }

    async fn get_contact(
        &self,
        request: Request<v1::GetContactRequest>,
    ) -> Result<Response<v1::Contact>, Status> {
        Ok(contacts::get_contact(&self.0, &request).await?)
    }

    async fn list_contacts(
        &self,
        request: Request<v1::ListContactsRequest>,
    ) -> Result<Response<v1::ListContactsResponse>, Status> {
        Ok(contacts::list_contacts(&self.0, &request).await?)
    }

    async fn get_coverage_gaps(
        &self,
        request: Request<v1::GetCoverageGapsRequest>,
    ) -> Result<Response<v1::CoverageGaps>, Status> {
        Ok(contacts::get_coverage_gaps(&self.0, &request).await?)
    }

    async fn get_escalation_path(
        &self,
        request: Request<v1::GetEscalationPathRequest>,
    ) -> Result<Response<v1::EscalationPath>, Status> {
        Ok(contacts::get_escalation_path(&self.0, &request).await?)
    }
}

async fn who_am_i(api: &Api, request: &Request<v1::WhoAmIRequest>) -> Answer<v1::WhoAmIResponse> {
    let caller = api.any_caller(request).await?;
    let name_if = |by: RecognisedBy| {
        let name = || values::credential_name(caller.firm.scope().as_str(), &caller.actor);
        (caller.by == by).then(name).unwrap_or_default()
    };
    Ok(Response::new(v1::WhoAmIResponse {
        firm: caller.firm.scope().as_str().to_owned(),
        display_name: firm_display_name(api, &caller.firm).await?,
        api_key: name_if(RecognisedBy::ApiKey),
        trusted_identity: name_if(RecognisedBy::TrustedIdentity),
        permissions: caller
            .permissions
            .iter()
            .copied()
            .map(to_permission)
            .collect(),
    }))
}

async fn get_service_info(
    api: &Api,
    request: &Request<v1::GetServiceInfoRequest>,
) -> Answer<v1::ServiceInfo> {
    api.any_caller(request).await?;
    Ok(Response::new(v1::ServiceInfo {
        operator: firm_display_name(api, &FirmId::operator()).await?,
        version: env!("CARGO_PKG_VERSION").to_owned(),
        checkpoint_public_key: api.signer.verifier_key(),
        server_time: Some(values::to_timestamp(api.now())),
        journal_form_version: i32::try_from(journal::FORM_VERSION).unwrap_or(i32::MAX),
        active_format: i32::try_from(api.ledger.format().number()).unwrap_or(i32::MAX),
        newest_format: i32::try_from(Format::NEWEST.number()).unwrap_or(i32::MAX),
    }))
}

async fn create_partnership(
    api: &Api,
    request: &Request<v1::CreatePartnershipRequest>,
) -> Answer<v1::Partnership> {
    let caller = api.caller(request, Permission::Admin).await?;
    let message = request.get_ref();
    let opening = opening(
        message,
        &caller.firm,
        firm_display_name(api, &caller.firm).await?,
    )?;
    let mutation = Mutation {
        scope: caller.firm.scope(),
        envelope: Envelope::new(&message.request_id, &message.origin, ""),
        action: Action::Firm(FirmCommand::OpenPartnership(opening)),
        openings: Vec::new(),
    };
    let receipt = api
        .run(&caller, "CreatePartnership", request, mutation)
        .await?;
    // The firm's membership is recorded; the partnership's own scope is carried right after it.
    let member = match api.member(&caller, &receipt.id).await {
        Err(error) if error.0.reason == Reason::NotFound => {
            return Err(not_carried("partnership").into());
        }
        found => found?,
    };
    Ok(respond(show(api, &caller, &member).await?, &receipt))
}

fn opening(
    message: &v1::CreatePartnershipRequest,
    firm: &FirmId,
    firm_display_name: String,
) -> Result<PartnershipOpening, Refusal> {
    let mut violations = Violations::default();
    let role = violations.take(convert::role("role", message.role));
    let partner_role = violations.take(convert::role("partner_role", message.partner_role));
    let reference = message.external_reference.as_ref();
    let opening = PartnershipOpening {
        display_name: message
            .partnership
            .as_ref()
            .map(|asked| asked.display_name.clone())
            .unwrap_or_default(),
        firm_display_name,
        // A role that is not known stands among the violations, so this one is never used.
        role: role.unwrap_or(Role::Peer),
        partner_display_name: message.partner_display_name.clone(),
        partner_role: partner_role.unwrap_or(Role::Peer),
        external_reference: reference.map(|reference| values::reference(firm, reference)),
    };
    violations.take(opening.check());
    violations.finish()?;
    Ok(opening)
}

async fn get_partnership(
    api: &Api,
    request: &Request<v1::GetPartnershipRequest>,
) -> Answer<v1::Partnership> {
    let caller = api.caller(request, Permission::Read).await?;
    let [id] = values::parse_name("name", &request.get_ref().name, NAME)?;
    let member = show::member_or_former(api, &caller, &id).await?;
    Ok(Response::new(show(api, &caller, &member).await?))
}

/// Answers a mutation with the partnership as it is now.
async fn respond_with(
    api: &Api,
    caller: &Caller,
    id: &str,
    receipt: &Receipt,
) -> Answer<v1::Partnership> {
    let member = api.member(caller, id).await?;
    Ok(respond(show(api, caller, &member).await?, receipt))
}

/// The refusal for what is durable but whose own scope has not been reached yet.
#[must_use]
pub fn not_carried(what: &str) -> Refusal {
    let message = format!("the {what} is being created; retry with the same request id");
    Refusal::new(Reason::StoreUnavailable, message).with("resource", what)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_fault_of_an_opening_is_listed() {
        let firm = FirmId::operator();
        let message = v1::CreatePartnershipRequest::default();
        let refusal = opening(&message, &firm, "Acme".to_owned()).unwrap_err();
        let fields: Vec<_> = refusal
            .violations
            .iter()
            .map(|violation| violation.field.as_str())
            .collect();
        assert_eq!(
            fields,
            [
                "role",
                "partner_role",
                "partnership.display_name",
                "partner_display_name"
            ]
        );
    }
}
