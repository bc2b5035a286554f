//! What parties want to reach together, and what they do so that things get better.

use entente::proto::v1::{self, ImprovementState, SharedGoalState};

use super::calls::{faulty, ok, refuses};
use super::house::{HOUR, House, at};
use super::setting::{NORTH, Pair, SOUTH};

/// When goals and improvements are due.
const DUE: i64 = 48 * HOUR;

/// The request for a goal that the caller answers for.
pub fn aiming(parent: &str) -> v1::CreateSharedGoalRequest {
    v1::CreateSharedGoalRequest {
        parent: parent.to_owned(),
        shared_goal: Some(v1::SharedGoal {
            title: "Answer faster".to_owned(),
            measure: "first answers within the hour".to_owned(),
            target: "19 of 20".to_owned(),
            due_time: Some(at(DUE)),
            ..Default::default()
        }),
        ..Default::default()
    }
}

pub fn agreeing_goal(name: &str) -> v1::AgreeSharedGoalRequest {
    v1::AgreeSharedGoalRequest {
        name: name.to_owned(),
        ..Default::default()
    }
}

pub fn progressing(name: &str, percent: i32) -> v1::RecordGoalProgressRequest {
    v1::RecordGoalProgressRequest {
        name: name.to_owned(),
        progress: Some(v1::GoalProgress {
            percent,
            note: "17 of 20 this month".to_owned(),
            ..Default::default()
        }),
        ..Default::default()
    }
}

pub fn closing_goal(name: &str, state: SharedGoalState) -> v1::CloseSharedGoalRequest {
    v1::CloseSharedGoalRequest {
        name: name.to_owned(),
        state: state.into(),
        words: "counted together".to_owned(),
        ..Default::default()
    }
}

/// The request for an improvement that the caller makes.
pub fn improving(parent: &str) -> v1::CreateImprovementRequest {
    v1::CreateImprovementRequest {
        parent: parent.to_owned(),
        improvement: Some(v1::Improvement {
            cause: "nobody knew who calls the carrier".to_owned(),
            action: "write it down".to_owned(),
            due_time: Some(at(DUE)),
            ..Default::default()
        }),
        ..Default::default()
    }
}

pub fn completing(name: &str) -> v1::CompleteImprovementRequest {
    v1::CompleteImprovementRequest {
        name: name.to_owned(),
        words: "it hangs on the wall".to_owned(),
        ..Default::default()
    }
}

pub fn verifying(name: &str) -> v1::VerifyImprovementRequest {
    v1::VerifyImprovementRequest {
        name: name.to_owned(),
        ..Default::default()
    }
}

pub fn reopening(name: &str) -> v1::ReopenImprovementRequest {
    v1::ReopenImprovementRequest {
        name: name.to_owned(),
        words: "the number is an old one".to_owned(),
        ..Default::default()
    }
}

pub fn dropping(name: &str) -> v1::DropImprovementRequest {
    v1::DropImprovementRequest {
        name: name.to_owned(),
        words: "the carrier is gone".to_owned(),
        ..Default::default()
    }
}

/// Both agree, both tell how it stands, and the other one says that it was reached.
pub async fn a_goal_from_proposal_to_its_end(house: House) {
    let pair = Pair::active(&house).await;
    let mut norths = pair.north.connection.improvements();
    let mut souths = pair.south.connection.improvements();
    let mut request = aiming(&pair.name);
    "goal-once".clone_into(&mut request.request_id);
    let goal = ok(norths.create_shared_goal(request.clone())).await;
    let again = ok(norths.create_shared_goal(request)).await;
    assert_eq!(goal, again, "a retry has the same outcome");
    assert_eq!(
        (goal.state(), goal.owner.as_str(), goal.asserted),
        (SharedGoalState::Proposed, NORTH, false)
    );
    let early = souths.record_goal_progress(progressing(&goal.name, 5));
    refuses(&house, "INVALID_STATE", early).await;
    let agreed = ok(souths.agree_shared_goal(agreeing_goal(&goal.name))).await;
    assert_eq!(agreed.state(), SharedGoalState::Agreed);
    assert_eq!(agreed.approvals.len(), 2);
    ok(souths.record_goal_progress(progressing(&goal.name, 85))).await;
    let own = closing_goal(&goal.name, SharedGoalState::Reached);
    let own = norths.close_shared_goal(own);
    refuses(&house, "SAME_FIRM_MAY_NOT_ACCEPT", own).await;
    let reached = closing_goal(&goal.name, SharedGoalState::Reached);
    let reached = ok(souths.close_shared_goal(reached)).await;
    let outcome = reached.outcome.clone().unwrap();
    assert_eq!(
        (outcome.party_id.as_str(), outcome.words.as_str()),
        (SOUTH, "counted together")
    );
    let read = v1::GetSharedGoalRequest { name: goal.name };
    let read = ok(norths.get_shared_goal(read)).await;
    assert_eq!(read, reached);
    assert_eq!(read.progress[0].note, "17 of 20 this month");
    ok(norths.create_shared_goal(aiming(&pair.name))).await;
    for (state, count) in [
        (SharedGoalState::Unspecified, 2),
        (SharedGoalState::Proposed, 1),
        (SharedGoalState::Reached, 1),
        (SharedGoalState::Agreed, 0),
    ] {
        let wanted = v1::ListSharedGoalsRequest {
            parent: pair.name.clone(),
            state: state.into(),
            ..Default::default()
        };
        let listed = ok(souths.list_shared_goals(wanted)).await;
        assert_eq!(listed.shared_goals.len(), count, "{state:?}");
    }
    house.stop().await;
}

/// Its owner does it, the other one says so, and opens it again.
pub async fn an_improvement_from_its_cause_to_its_end(house: House) {
    let pair = Pair::active(&house).await;
    let mut norths = pair.north.connection.improvements();
    let mut souths = pair.south.connection.improvements();
    let mut request = improving(&pair.name);
    SOUTH.clone_into(&mut request.improvement.as_mut().unwrap().owner);
    let made = ok(norths.create_improvement(request)).await;
    assert_eq!(
        (made.state(), made.owner.as_str(), made.creator.as_str()),
        (ImprovementState::Open, SOUTH, NORTH)
    );
    let strange = norths.complete_improvement(completing(&made.name));
    refuses(&house, "NOT_THE_OWNER", strange).await;
    ok(souths.complete_improvement(completing(&made.name))).await;
    let own = souths.verify_improvement(verifying(&made.name));
    refuses(&house, "SAME_FIRM_MAY_NOT_ACCEPT", own).await;
    let verified = ok(norths.verify_improvement(verifying(&made.name))).await;
    assert_eq!(verified.state(), ImprovementState::Verified);
    let open = ok(norths.reopen_improvement(reopening(&made.name))).await;
    assert_eq!(open.state(), ImprovementState::Open);
    let dropped = ok(souths.drop_improvement(dropping(&made.name))).await;
    let read = v1::GetImprovementRequest { name: made.name };
    let read = ok(norths.get_improvement(read)).await;
    assert_eq!(read, dropped);
    let steps: Vec<_> = read.steps.iter().map(v1::ImprovementStep::state).collect();
    assert_eq!(
        steps,
        [
            ImprovementState::Done,
            ImprovementState::Verified,
            ImprovementState::Open,
            ImprovementState::Dropped
        ]
    );
    assert_eq!(read.steps[2].words, "the number is an old one");
    ok(souths.create_improvement(improving(&pair.name))).await;
    let wanted = v1::ListImprovementsRequest {
        parent: pair.name.clone(),
        state: ImprovementState::Open.into(),
        ..Default::default()
    };
    let listed = ok(norths.list_improvements(wanted)).await;
    assert_eq!(listed.improvements.len(), 1);
    house.stop().await;
}

/// Every fault at once, and nothing changes.
pub async fn improvements_at_fault(house: House) {
    let pair = Pair::active(&house).await;
    let mut norths = pair.north.connection.improvements();
    let bad = v1::CreateSharedGoalRequest {
        parent: pair.name.clone(),
        shared_goal_id: "Faster".to_owned(),
        shared_goal: Some(v1::SharedGoal {
            measure: "x".repeat(5_001),
            target: "x".repeat(201),
            ..Default::default()
        }),
        ..Default::default()
    };
    let fields = [
        "shared_goal_id",
        "shared_goal.title",
        "shared_goal.due_time",
        "shared_goal.measure",
        "shared_goal.target",
    ];
    let call = norths.create_shared_goal(bad);
    faulty(&house, "INVALID_FIELD", &fields, call).await;
    let mut bad = improving(&pair.name);
    let given = bad.improvement.as_mut().unwrap();
    given.sources = vec!["x".to_owned(), format!("{}/clients/c", pair.name)];
    given.action.clear();
    given.due_time = None;
    let fields = [
        "improvement.sources[0]",
        "improvement.sources[1]",
        "improvement.action",
        "improvement.due_time",
    ];
    let call = norths.create_improvement(bad);
    faulty(&house, "INVALID_FIELD", &fields, call).await;
    let mut baseless = improving(&pair.name);
    let given = baseless.improvement.as_mut().unwrap();
    given.cause.clear();
    "party-9".clone_into(&mut given.owner);
    let fields = ["improvement.cause", "improvement.owner"];
    let call = norths.create_improvement(baseless);
    faulty(&house, "INVALID_FIELD", &fields, call).await;
    let mut absent = improving(&pair.name);
    let given = absent.improvement.as_mut().unwrap();
    given.sources = vec![format!("{}/tickets/none", pair.name)];
    refuses(&house, "NOT_FOUND", norths.create_improvement(absent)).await;
    let goal = ok(norths.create_shared_goal(aiming(&pair.name))).await.name;
    let mut souths = pair.south.connection.improvements();
    let mut stale = agreeing_goal(&goal);
    "\"9\"".clone_into(&mut stale.etag);
    refuses(&house, "ETAG_MISMATCH", souths.agree_shared_goal(stale)).await;
    ok(souths.agree_shared_goal(agreeing_goal(&goal))).await;
    for percent in [-1, 101] {
        let call = norths.record_goal_progress(progressing(&goal, percent));
        faulty(&house, "INVALID_FIELD", &["progress.percent"], call).await;
    }
    let call = norths.close_shared_goal(closing_goal(&goal, SharedGoalState::Agreed));
    faulty(&house, "INVALID_FIELD", &["state"], call).await;
    let made = ok(norths.create_improvement(improving(&pair.name))).await;
    let mut wordless = dropping(&made.name);
    wordless.words.clear();
    let call = norths.drop_improvement(wordless);
    faulty(&house, "INVALID_FIELD", &["words"], call).await;
    house.stop().await;
}
