//! `InteractionService`: what the parties do with each other beside their daily work.

mod activities;
mod capabilities;
mod feedback;
mod parse;
mod presentations;
mod surveys;
mod topics;

use std::sync::Arc;

use tonic::{Request, Response, Status};

use super::status::ApiError;
use super::{Api, Envelope, Mutation};
use crate::domain::command::Action;
use crate::domain::commitment::Opening;
use crate::domain::identity::ScopeId;
use crate::domain::interaction::InteractionCommand;
use crate::proto::v1;

/// What a method answers.
type Answer<T> = Result<Response<T>, ApiError>;

/// `InteractionService`.
#[derive(Clone, Debug)]
pub struct InteractionService(pub Arc<Api>);

/// Hands each RPC over to the function that carries it out.
macro_rules! methods {
    ($($method:ident($request:ident) -> $answer:ident = $work:path;)*) => {
        #[tonic::async_trait]
        impl v1::interaction_service_server::InteractionService for InteractionService {
            $(
                async fn $method(
                    &self,
                    request: Request<v1::$request>,
                ) -> Result<Response<v1::$answer>, Status> {
                    Ok($work(&self.0, &request).await?)
                }
            )*
        }
    };
}

methods! {
    create_activity(CreateActivityRequest) -> Activity = activities::create;
    accept_activity(AcceptActivityRequest) -> Activity = activities::accept;
    decline_activity(DeclineActivityRequest) -> Activity = activities::decline;
    record_activity_held(RecordActivityHeldRequest) -> Activity = activities::record_held;
    cancel_activity(CancelActivityRequest) -> Activity = activities::cancel;
    get_activity(GetActivityRequest) -> Activity = activities::get;
    list_activities(ListActivitiesRequest) -> ListActivitiesResponse = activities::list;
    create_client_presentation(CreateClientPresentationRequest) -> ClientPresentation = presentations::create;
    confirm_client_presentation(ConfirmClientPresentationRequest) -> ClientPresentation = presentations::confirm;
    contest_client_presentation(ContestClientPresentationRequest) -> ClientPresentation = presentations::contest;
    get_client_presentation(GetClientPresentationRequest) -> ClientPresentation = presentations::get;
    list_client_presentations(ListClientPresentationsRequest) -> ListClientPresentationsResponse = presentations::list;
    create_survey(CreateSurveyRequest) -> Survey = surveys::create;
    answer_survey(AnswerSurveyRequest) -> Survey = surveys::answer;
    close_survey(CloseSurveyRequest) -> Survey = surveys::close;
    get_survey(GetSurveyRequest) -> Survey = surveys::get;
    list_surveys(ListSurveysRequest) -> ListSurveysResponse = surveys::list;
    create_feedback(CreateFeedbackRequest) -> Feedback = feedback::create;
    reply_to_feedback(ReplyToFeedbackRequest) -> Feedback = feedback::reply;
    get_feedback(GetFeedbackRequest) -> Feedback = feedback::get;
    list_feedback(ListFeedbackRequest) -> ListFeedbackResponse = feedback::list;
    create_capability(CreateCapabilityRequest) -> Capability = capabilities::create;
    retire_capability(RetireCapabilityRequest) -> Capability = capabilities::retire;
    get_capability(GetCapabilityRequest) -> Capability = capabilities::get;
    list_capabilities(ListCapabilitiesRequest) -> ListCapabilitiesResponse = capabilities::list;
}

/// A mutation of a record in a partnership.
fn mutation(
    partnership: &str,
    envelope: Envelope,
    command: InteractionCommand,
    openings: Vec<Opening>,
) -> Mutation {
    Mutation {
        scope: ScopeId::partnership(partnership),
        envelope,
        action: Action::Interaction(command),
        openings,
    }
}
