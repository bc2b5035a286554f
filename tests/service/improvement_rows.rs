//! What calls about shared goals and improvements answer to whom.

use entente::domain::firm::Permission;
use entente::proto::v1;
use prost::Message;
use tonic::Code;

use super::improvements::{
    agreeing_goal, aiming, closing_goal, completing, dropping, improving, progressing, reopening,
    verifying,
};
use super::remedies::{agreeing_plan, closing_plan, noting, planning, stepping};
use super::table::{Row, rows};

rows! {
    /// The RPCs of what is to be better.
    IMPROVEMENT_ROWS:
    // ImprovementService
    "ImprovementService/CreateSharedGoal" [Quotes] Ok, Ok, NotFound, |names|
        aiming(&names.of("partnership"));
    "ImprovementService/AgreeSharedGoal" [Approve] Ok, Ok, NotFound, |names|
        agreeing_goal(&names.of("shared_goal"));
    "ImprovementService/RecordGoalProgress" [Quotes] Ok, Ok, NotFound, |names|
        progressing(&names.of("agreed_goal"), 50);
    "ImprovementService/CloseSharedGoal" [Approve] Ok, Ok, NotFound, |names|
        closing_goal(&names.of("goal_to_close"), v1::SharedGoalState::Missed);
    "ImprovementService/GetSharedGoal" [Read] Ok, Ok, NotFound, |names|
        v1::GetSharedGoalRequest { name: names.of("shared_goal") };
    "ImprovementService/ListSharedGoals" [Read] Ok, Ok, NotFound, |names|
        v1::ListSharedGoalsRequest { parent: names.of("partnership"), ..Default::default() };
    "ImprovementService/CreateImprovement" [Quotes] Ok, Ok, NotFound, |names|
        improving(&names.of("partnership"));
    // What is done already stays so, whoever says it again.
    "ImprovementService/CompleteImprovement" [Quotes] Ok, Ok, NotFound, |names|
        completing(&names.of("improvement"));
    "ImprovementService/VerifyImprovement" [Approve] FailedPrecondition, Ok, NotFound, |names|
        verifying(&names.of("to_verify"));
    // Each firm reopens one of its own: the other's would be open by then.
    "ImprovementService/ReopenImprovement" [Approve] Ok, Ok, NotFound, |names|
        reopening(&names.of(if names.of("caller") == "south" { "to_reopen_south" } else { "to_reopen" }));
    "ImprovementService/DropImprovement" [Quotes] Ok, Ok, NotFound, |names|
        dropping(&names.of("to_drop"));
    "ImprovementService/CreateRemedyPlan" [Quotes] Ok, Ok, NotFound, |names|
        planning(&names.of("partnership"));
    "ImprovementService/AgreeRemedyPlan" [Approve] Ok, Ok, NotFound, |names|
        agreeing_plan(&names.of("remedy_plan"));
    "ImprovementService/CompleteRemedyStep" [Quotes] Ok, FailedPrecondition, NotFound, |names|
        stepping(&names.of("agreed_plan"), 1);
    "ImprovementService/CloseRemedyPlan" [Approve] Ok, Ok, NotFound, |names|
        closing_plan(&names.of("plan_to_close"), v1::RemedyPlanState::Abandoned);
    "ImprovementService/GetRemedyPlan" [Read] Ok, Ok, NotFound, |names|
        v1::GetRemedyPlanRequest { name: names.of("remedy_plan") };
    "ImprovementService/ListRemedyPlans" [Read] Ok, Ok, NotFound, |names|
        v1::ListRemedyPlansRequest { parent: names.of("partnership"), ..Default::default() };
    "ImprovementService/CreateCheckupNote" [Quotes] Ok, Ok, NotFound, |names|
        noting(&names.of("partnership"), "their expert was ill");
    "ImprovementService/WithdrawCheckupNote" [Quotes] Ok, FailedPrecondition, NotFound, |names|
        v1::WithdrawCheckupNoteRequest { name: names.of("checkup_note"), ..Default::default() };
    "ImprovementService/GetCheckupNote" [Read] Ok, Ok, NotFound, |names|
        v1::GetCheckupNoteRequest { name: names.of("checkup_note") };
    "ImprovementService/ListCheckupNotes" [Read] Ok, Ok, NotFound, |names|
        v1::ListCheckupNotesRequest { parent: names.of("partnership"), ..Default::default() };
    "ImprovementService/GetImprovement" [Read] Ok, Ok, NotFound, |names|
        v1::GetImprovementRequest { name: names.of("improvement") };
    "ImprovementService/ListImprovements" [Read] Ok, Ok, NotFound, |names|
        v1::ListImprovementsRequest { parent: names.of("partnership"), ..Default::default() };
}
