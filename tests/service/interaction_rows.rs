//! What calls about what the parties do with each other answer to whom.

use entente::domain::firm::Permission;
use entente::proto::v1::{self, Presence, SurveySeat};
use prost::Message;
use tonic::Code;

use super::activities::{
    cancelling, coming, confirming, contesting, having_met, inviting, not_coming, presenting,
};
use super::feedback::{able, no_longer, replying, telling};
use super::setting::{NORTH, SOUTH};
use super::stage::Names;
use super::surveys::{answering, asking, closing};
use super::table::{Row, rows};

/// The party that the caller is not.
fn other(names: &Names) -> &'static str {
    if names.of("caller") == "south" {
        NORTH
    } else {
        SOUTH
    }
}

rows! {
    /// The RPCs of what the parties do with each other.
    INTERACTION_ROWS:
    // InteractionService
    "InteractionService/CreateActivity" [Quotes] Ok, Ok, NotFound, |names|
        inviting(&names.of("partnership"));
    "InteractionService/AcceptActivity" [Quotes] FailedPrecondition, Ok, NotFound, |names|
        coming(&names.of("activity"));
    "InteractionService/DeclineActivity" [Quotes] FailedPrecondition, Ok, NotFound, |names|
        not_coming(&names.of("activity"));
    "InteractionService/RecordActivityHeld" [Quotes] Ok, Ok, NotFound, |names|
        having_met(&names.of("to_hold"), 0, &[NORTH, SOUTH]);
    "InteractionService/CancelActivity" [Quotes] Ok, FailedPrecondition, NotFound, |names|
        cancelling(&names.of("activity_to_cancel"));
    "InteractionService/GetActivity" [Read] Ok, Ok, NotFound, |names|
        v1::GetActivityRequest { name: names.of("activity") };
    "InteractionService/ListActivities" [Read] Ok, Ok, NotFound, |names|
        v1::ListActivitiesRequest { parent: names.of("partnership"), ..Default::default() };
    "InteractionService/CreateClientPresentation" [Quotes] Ok, Ok, NotFound, |names|
        presenting(&names.of("partnership"), &[(SOUTH, Presence::Absent)]);
    "InteractionService/ConfirmClientPresentation" [Quotes] FailedPrecondition, Ok, NotFound, |names|
        confirming(&names.of("presentation"));
    "InteractionService/ContestClientPresentation" [Quotes] FailedPrecondition, Ok, NotFound, |names|
        contesting(&names.of("to_contest"), &[(SOUTH, Presence::Refused)]);
    "InteractionService/GetClientPresentation" [Read] Ok, Ok, NotFound, |names|
        v1::GetClientPresentationRequest { name: names.of("presentation") };
    "InteractionService/ListClientPresentations" [Read] Ok, Ok, NotFound, |names|
        v1::ListClientPresentationsRequest {
            parent: names.of("partnership"),
            ..Default::default()
        };
    "InteractionService/CreateSurvey" [Quotes] Ok, Ok, NotFound, |names|
        asking(&names.of("partnership"), SOUTH);
    "InteractionService/AnswerSurvey" [Quotes] Ok, Ok, NotFound, |names|
        answering(&names.of("survey"), SurveySeat::Client);
    "InteractionService/CloseSurvey" [Quotes] Ok, Ok, NotFound, |names|
        closing(&names.of("survey_to_close"));
    "InteractionService/GetSurvey" [Read] Ok, Ok, NotFound, |names|
        v1::GetSurveyRequest { name: names.of("survey") };
    "InteractionService/ListSurveys" [Read] Ok, Ok, NotFound, |names|
        v1::ListSurveysRequest { parent: names.of("partnership"), ..Default::default() };
    "InteractionService/CreateFeedback" [Quotes] Ok, Ok, NotFound, |names|
        telling(&names.of("partnership"), other(names));
    "InteractionService/ReplyToFeedback" [Quotes] FailedPrecondition, Ok, NotFound, |names|
        replying(&names.of("feedback"));
    "InteractionService/GetFeedback" [Read] Ok, Ok, NotFound, |names|
        v1::GetFeedbackRequest { name: names.of("feedback") };
    "InteractionService/ListFeedback" [Read] Ok, Ok, NotFound, |names|
        v1::ListFeedbackRequest { parent: names.of("partnership"), ..Default::default() };
    "InteractionService/CreateCapability" [Quotes] Ok, Ok, NotFound, |names|
        able(&names.of("partnership"));
    "InteractionService/RetireCapability" [Quotes] Ok, FailedPrecondition, NotFound, |names|
        no_longer(&names.of("capability"));
    "InteractionService/GetCapability" [Read] Ok, Ok, NotFound, |names|
        v1::GetCapabilityRequest { name: names.of("capability") };
    "InteractionService/ListCapabilities" [Read] Ok, Ok, NotFound, |names|
        v1::ListCapabilitiesRequest { parent: names.of("partnership"), ..Default::default() };
}
