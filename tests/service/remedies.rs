//! What the parties do about a row of their check-up, and what they have to say to it.

use entente::proto::v1::{self, RemedyPlanState, Symptom};

use super::calls::{faulty, ok, refuses};
use super::house::{Firm, HOUR, House, at};
use super::setting::{NORTH, Pair, SOUTH};

/// A day, in seconds.
const DAY: i64 = 24 * HOUR;

/// The request for a plan of one step, which the caller takes.
pub fn planning(parent: &str) -> v1::CreateRemedyPlanRequest {
    v1::CreateRemedyPlanRequest {
        parent: parent.to_owned(),
        remedy_plan: Some(v1::RemedyPlan {
            symptom: Symptom::ChasingRainbows.into(),
            as_of_time: Some(at(0)),
            window: Some(v1::CheckupWindow {
                start_time: Some(at(-90 * DAY)),
                end_time: Some(at(0)),
            }),
            intensity: Some(3),
            steps: vec![v1::RemedyStep {
                action: "ask for the budget first".to_owned(),
                due_time: Some(at(30 * DAY)),
                ..Default::default()
            }],
            ..Default::default()
        }),
        ..Default::default()
    }
}

pub fn agreeing_plan(name: &str) -> v1::AgreeRemedyPlanRequest {
    v1::AgreeRemedyPlanRequest {
        name: name.to_owned(),
        ..Default::default()
    }
}

pub fn stepping(name: &str, step_number: i32) -> v1::CompleteRemedyStepRequest {
    v1::CompleteRemedyStepRequest {
        name: name.to_owned(),
        step_number,
        words: "it is in the form now".to_owned(),
        ..Default::default()
    }
}

pub fn closing_plan(name: &str, state: RemedyPlanState) -> v1::CloseRemedyPlanRequest {
    v1::CloseRemedyPlanRequest {
        name: name.to_owned(),
        state: state.into(),
        ..Default::default()
    }
}

/// The request for a note on a row.
pub fn noting(parent: &str, text: &str) -> v1::CreateCheckupNoteRequest {
    v1::CreateCheckupNoteRequest {
        parent: parent.to_owned(),
        checkup_note: Some(v1::CheckupNote {
            symptom: Symptom::PoorService.into(),
            text: text.to_owned(),
            ..Default::default()
        }),
        ..Default::default()
    }
}

fn notes_of(parent: &str) -> v1::ListCheckupNotesRequest {
    v1::ListCheckupNotesRequest {
        parent: parent.to_owned(),
        ..Default::default()
    }
}

/// Both agree, each does its own steps, and then it is done.
pub async fn a_plan_from_a_row_to_its_end(house: House) {
    let pair = Pair::active(&house).await;
    let mut norths = pair.north.connection.improvements();
    let mut souths = pair.south.connection.improvements();
    let mut request = planning(&pair.name);
    let given = request.remedy_plan.as_mut().unwrap();
    let mut second = given.steps[0].clone();
    SOUTH.clone_into(&mut second.owner);
    given.steps.push(second);
    let plan = ok(norths.create_remedy_plan(request)).await;
    assert_eq!(
        (plan.state(), plan.intensity, plan.steps[0].owner.as_str()),
        (RemedyPlanState::Proposed, Some(3), NORTH)
    );
    let early = norths.complete_remedy_step(stepping(&plan.name, 1));
    refuses(&house, "INVALID_STATE", early).await;
    ok(souths.agree_remedy_plan(agreeing_plan(&plan.name))).await;
    let theirs = norths.complete_remedy_step(stepping(&plan.name, 2));
    refuses(&house, "NOT_THE_OWNER", theirs).await;
    ok(norths.complete_remedy_step(stepping(&plan.name, 1))).await;
    let left = closing_plan(&plan.name, RemedyPlanState::Done);
    refuses(&house, "INVALID_STATE", norths.close_remedy_plan(left)).await;
    ok(souths.complete_remedy_step(stepping(&plan.name, 2))).await;
    let done = closing_plan(&plan.name, RemedyPlanState::Done);
    let done = ok(souths.close_remedy_plan(done)).await;
    let read = v1::GetRemedyPlanRequest { name: plan.name };
    let read = ok(norths.get_remedy_plan(read)).await;
    assert_eq!((&read, read.state()), (&done, RemedyPlanState::Done));
    let said = read.steps[1].done.clone().unwrap();
    assert_eq!(
        (said.party_id.as_str(), said.words.as_str()),
        (SOUTH, "it is in the form now")
    );
    ok(norths.create_remedy_plan(planning(&pair.name))).await;
    for (state, symptom, count) in [
        (RemedyPlanState::Unspecified, Symptom::Unspecified, 2),
        (RemedyPlanState::Done, Symptom::ChasingRainbows, 1),
        (RemedyPlanState::Proposed, Symptom::Unspecified, 1),
        (RemedyPlanState::Unspecified, Symptom::PoorService, 0),
    ] {
        let wanted = v1::ListRemedyPlansRequest {
            parent: pair.name.clone(),
            state: state.into(),
            symptom: symptom.into(),
            ..Default::default()
        };
        let listed = ok(souths.list_remedy_plans(wanted)).await;
        assert_eq!(listed.remedy_plans.len(), count, "{state:?} {symptom:?}");
    }
    house.stop().await;
}

/// Every fault at once, and nothing changes.
pub async fn plans_at_fault(house: House) {
    let pair = Pair::active(&house).await;
    let mut norths = pair.north.connection.improvements();
    let bad = v1::CreateRemedyPlanRequest {
        parent: pair.name.clone(),
        remedy_plan: Some(v1::RemedyPlan {
            intensity: Some(-1),
            steps: vec![v1::RemedyStep::default()],
            ..Default::default()
        }),
        ..Default::default()
    };
    let fields = [
        "remedy_plan.symptom",
        "remedy_plan.as_of_time",
        "remedy_plan.window.start_time",
        "remedy_plan.window.end_time",
        "remedy_plan.intensity",
        "remedy_plan.steps[0].action",
        "remedy_plan.steps[0].due_time",
    ];
    let call = norths.create_remedy_plan(bad);
    faulty(&house, "INVALID_FIELD", &fields, call).await;
    let mut bad = planning(&pair.name);
    let given = bad.remedy_plan.as_mut().unwrap();
    given.as_of_time = Some(at(DAY));
    given.window.as_mut().unwrap().end_time = Some(at(2 * DAY));
    given.intensity = Some(5);
    "party-9".clone_into(&mut given.steps[0].owner);
    let fields = [
        "remedy_plan.as_of_time",
        "remedy_plan.window.end_time",
        "remedy_plan.intensity",
        "remedy_plan.steps[0].owner",
    ];
    let call = norths.create_remedy_plan(bad);
    faulty(&house, "INVALID_FIELD", &fields, call).await;
    let plan = ok(norths.create_remedy_plan(planning(&pair.name))).await;
    let mut souths = pair.south.connection.improvements();
    ok(souths.agree_remedy_plan(agreeing_plan(&plan.name))).await;
    for number in [-1, 0, 2] {
        let call = norths.complete_remedy_step(stepping(&plan.name, number));
        faulty(&house, "INVALID_FIELD", &["step_number"], call).await;
    }
    let call = norths.close_remedy_plan(closing_plan(&plan.name, RemedyPlanState::Agreed));
    faulty(&house, "INVALID_FIELD", &["state"], call).await;
    house.stop().await;
}

/// A note is for every party; it is replied to, and withdrawn by whoever wrote it.
pub async fn notes_on_the_checkup_and_replies(house: House) {
    let pair = Pair::active(&house).await;
    let mut norths = pair.north.connection.improvements();
    let mut souths = pair.south.connection.improvements();
    let note = noting(&pair.name, "we were three people short");
    let note = ok(norths.create_checkup_note(note)).await;
    assert_eq!((note.private, note.party_id.as_str()), (false, NORTH));
    let mut reply = noting(&pair.name, "nobody told us");
    let given = reply.checkup_note.as_mut().unwrap();
    given.reply_to.clone_from(&note.name);
    let reply = ok(souths.create_checkup_note(reply)).await;
    let listed = ok(norths.list_checkup_notes(notes_of(&pair.name))).await;
    let mut texts: Vec<_> = listed.checkup_notes.iter().map(|note| &note.text).collect();
    texts.sort();
    assert_eq!(texts, ["nobody told us", "we were three people short"]);
    let mut wanted = notes_of(&pair.name);
    wanted.symptom = Symptom::HeldHostage.into();
    let nothing = ok(norths.list_checkup_notes(wanted)).await;
    assert!(nothing.checkup_notes.is_empty());
    let withdrawing = |name: &str| v1::WithdrawCheckupNoteRequest {
        name: name.to_owned(),
        ..Default::default()
    };
    let call = norths.withdraw_checkup_note(withdrawing(&reply.name));
    refuses(&house, "NOT_THE_OWNER", call).await;
    let withdrawn = ok(norths.withdraw_checkup_note(withdrawing(&note.name))).await;
    assert!(withdrawn.withdraw_time.is_some());
    let mut late = noting(&pair.name, "but");
    late.checkup_note.as_mut().unwrap().reply_to = note.name;
    refuses(&house, "INVALID_STATE", souths.create_checkup_note(late)).await;
    let mut bad = noting("south", "");
    let given = bad.checkup_note.as_mut().unwrap();
    given.symptom = 99;
    let call = norths.create_checkup_note(bad.clone());
    faulty(&house, "INVALID_FIELD", &["parent"], call).await;
    pair.name.clone_into(&mut bad.parent);
    let given = bad.checkup_note.as_mut().unwrap();
    "partnerships/other".clone_into(&mut given.partnership);
    "x".clone_into(&mut given.reply_to);
    let fields = [
        "checkup_note.partnership",
        "checkup_note.symptom",
        "checkup_note.text",
        "checkup_note.reply_to",
    ];
    let call = norths.create_checkup_note(bad);
    faulty(&house, "INVALID_FIELD", &fields, call).await;
    house.stop().await;
}

/// The request for a note that only the firm itself sees.
fn confiding(firm: &str, partnership: &str) -> v1::CreateCheckupNoteRequest {
    let mut request = noting(firm, "we think of leaving");
    let given = request.checkup_note.as_mut().unwrap();
    partnership.clone_into(&mut given.partnership);
    request
}

/// What a firm is told of a partnership by everything that lists or exports it.
async fn told(firm: &Firm, partnership: &str) -> String {
    let listed = ok(firm
        .connection
        .improvements()
        .list_checkup_notes(notes_of(partnership)))
    .await;
    let entries = v1::ListEntriesRequest {
        parent: partnership.to_owned(),
        page_size: 500,
        ..Default::default()
    };
    let entries = ok(firm.connection.journal().list_entries(entries)).await;
    let checkup = v1::GetCheckupRequest {
        name: partnership.to_owned(),
        ..Default::default()
    };
    let checkup = ok(firm.connection.checkups().get_checkup(checkup)).await;
    format!("{listed:?} {entries:?} {:?}", checkup.rows)
}

/// A private note is in the firm's own scope, and nothing of the partnership's tells of it.
pub async fn nobody_else_sees_a_private_note(house: House) {
    let pair = Pair::active(&house).await;
    let before = told(&pair.south, &pair.name).await;
    let mut norths = pair.north.connection.improvements();
    let mut souths = pair.south.connection.improvements();
    let note = ok(norths.create_checkup_note(confiding("firms/north", &pair.name))).await;
    assert_eq!(
        (note.private, note.partnership.as_str(), note.text.as_str()),
        (true, pair.name.as_str(), "we think of leaving")
    );
    assert!(note.name.starts_with("firms/north/checkupNotes/"));
    assert_eq!(told(&pair.south, &pair.name).await, before);
    let listed = ok(norths.list_checkup_notes(notes_of("firms/north"))).await;
    assert_eq!(listed.checkup_notes, std::slice::from_ref(&note));
    let mut elsewhere = notes_of("firms/north");
    "partnerships/other".clone_into(&mut elsewhere.partnership);
    let nothing = ok(norths.list_checkup_notes(elsewhere)).await;
    assert!(nothing.checkup_notes.is_empty());
    let id = note.name.rsplit('/').next().unwrap().to_owned();
    for name in [
        note.name.clone(),
        format!("firms/south/checkupNotes/{id}"),
        format!("{}/checkupNotes/{id}", pair.name),
    ] {
        let reading = v1::GetCheckupNoteRequest { name: name.clone() };
        refuses(&house, "NOT_FOUND", souths.get_checkup_note(reading)).await;
        let withdrawing = v1::WithdrawCheckupNoteRequest {
            name,
            ..Default::default()
        };
        let call = souths.withdraw_checkup_note(withdrawing);
        refuses(&house, "NOT_FOUND", call).await;
    }
    let call = souths.list_checkup_notes(notes_of("firms/north"));
    refuses(&house, "NOT_FOUND", call).await;
    let call = souths.create_checkup_note(confiding("firms/north", &pair.name));
    refuses(&house, "NOT_FOUND", call).await;
    let call = norths.create_checkup_note(confiding("firms/north", "partnerships/other"));
    refuses(&house, "NOT_FOUND", call).await;
    let call = norths.create_checkup_note(confiding("firms/north", ""));
    faulty(&house, "INVALID_FIELD", &["checkup_note.partnership"], call).await;
    house.stop().await;
}
