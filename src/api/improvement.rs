//! `ImprovementService`: what parties want to reach together, and what they do so that things get
//! better, and what they have to say to their check-up.

mod goal;
mod note;
mod plan;
mod work;

use std::sync::Arc;

use tonic::{Request, Response, Status};

use super::Api;
use super::status::ApiError;
use crate::domain::aggregate::By;
use crate::proto::v1;

/// What a method answers.
type Answer<T> = Result<Response<T>, ApiError>;

/// `ImprovementService`.
#[derive(Clone, Debug)]
pub struct ImprovementService(pub Arc<Api>);

/// Declares RPCs: each is one function of a module.
macro_rules! rpcs {
    ($($method:ident($request:ident) -> $response:ident = $function:path;)*) => {
        #[tonic::async_trait]
        impl v1::improvement_service_server::ImprovementService for ImprovementService {
            $(
                async fn $method(&self, request: Request<v1::$request>) -> Result<Response<v1::$response>, Status> {
                    Ok($function(&self.0, &request).await?)
                }
            )*
        }
    };
}

rpcs! {
    create_shared_goal(CreateSharedGoalRequest) -> SharedGoal = goal::create;
    agree_shared_goal(AgreeSharedGoalRequest) -> SharedGoal = goal::agree;
    record_goal_progress(RecordGoalProgressRequest) -> SharedGoal = goal::record_progress;
    close_shared_goal(CloseSharedGoalRequest) -> SharedGoal = goal::close;
    get_shared_goal(GetSharedGoalRequest) -> SharedGoal = goal::get;
    list_shared_goals(ListSharedGoalsRequest) -> ListSharedGoalsResponse = goal::list;
    create_improvement(CreateImprovementRequest) -> Improvement = work::create;
    complete_improvement(CompleteImprovementRequest) -> Improvement = work::complete;
    verify_improvement(VerifyImprovementRequest) -> Improvement = work::verify;
    reopen_improvement(ReopenImprovementRequest) -> Improvement = work::reopen;
    drop_improvement(DropImprovementRequest) -> Improvement = work::give_up;
    get_improvement(GetImprovementRequest) -> Improvement = work::get;
    create_remedy_plan(CreateRemedyPlanRequest) -> RemedyPlan = plan::create;
    agree_remedy_plan(AgreeRemedyPlanRequest) -> RemedyPlan = plan::agree;
    complete_remedy_step(CompleteRemedyStepRequest) -> RemedyPlan = plan::complete_step;
    close_remedy_plan(CloseRemedyPlanRequest) -> RemedyPlan = plan::close;
    get_remedy_plan(GetRemedyPlanRequest) -> RemedyPlan = plan::get;
    list_remedy_plans(ListRemedyPlansRequest) -> ListRemedyPlansResponse = plan::list;
    create_checkup_note(CreateCheckupNoteRequest) -> CheckupNote = note::create;
    withdraw_checkup_note(WithdrawCheckupNoteRequest) -> CheckupNote = note::withdraw;
    get_checkup_note(GetCheckupNoteRequest) -> CheckupNote = note::get;
    list_checkup_notes(ListCheckupNotesRequest) -> ListCheckupNotesResponse = note::list;
    list_improvements(ListImprovementsRequest) -> ListImprovementsResponse = work::list;
}

fn firm(by: &By) -> String {
    by.firm.scope().to_string()
}
