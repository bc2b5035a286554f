//! Notices: what one firm plans and tells the other beforehand.

use prost::Message;
use tonic::{Request, Response};

use super::parse::{Intake, client, stated};
use crate::api::caller::Caller;
use crate::api::convert::{etag, known_enum, parse_name, reference, to_duration, to_timestamp};
use crate::api::listing::{self, Shown, Viewer, Wanted, name_in};
use crate::api::status::ApiError;
use crate::api::text::Texts;
use crate::api::{Api, Envelope, Found, Mutation, required, respond};
use crate::domain::command::Action;
use crate::domain::commitment::Commitment;
use crate::domain::firm::Permission;
use crate::domain::identity::ScopeId;
use crate::domain::notice::{
    CHECKLIST_ITEMS_MAX, ChecklistDraft, ChecklistItem, FireDrill, LeadTime, LeadTimeRule, Notice,
    NoticeCommand, NoticeDraft, NoticeKind, NoticePart, NoticeState, Plan,
};
use crate::domain::refusal::{Reason, Refusal};
use crate::ledger::Receipt;
use crate::proto::v1;

/// Shape of a notice's name.
const SHAPE: &str = "partnerships/*/notices/*";
/// Every path of an update mask; a mask has no more.
const PATHS: [&str; 6] = [
    "title",
    "details",
    "window",
    "planned_time",
    "client",
    "checklist",
];

/// What a method answers.
type Answer<T> = Result<Response<T>, ApiError>;

pub(super) async fn create(
    api: &Api,
    request: &Request<v1::CreateNoticeRequest>,
) -> Answer<v1::Notice> {
    let caller = api.caller(request, Permission::Quotes).await?;
    let asked = request.get_ref();
    let [partnership] = parse_name("parent", &asked.parent, "partnerships/*")?;
    let given = asked.notice.as_ref().ok_or_else(|| required("notice"))?;
    let scope = ScopeId::partnership(&partnership);
    let mut intake = Intake::new(api);
    let kind = notice_kind("notice.kind", given.kind);
    let draft = NoticeDraft {
        kind: kind.unwrap_or_else(|refusal| {
            intake.faults.take::<()>(Err(refusal));
            NoticeKind::Other
        }),
        title: intake.line("notice.title", &given.title),
        details: intake.text("notice.details", &given.details),
        plan: plan(&mut intake, given),
        client: intake
            .faults
            .take(client("notice.client", &scope, &given.client)),
        checklist: new_checklist(&mut intake, &given.checklist),
    };
    let references = &given.external_references;
    let few = references.len() <= 1;
    let field = "notice.external_references";
    intake
        .faults
        .require(few, field, "no more than one at creation");
    let command = NoticeCommand::Create {
        id: None,
        draft,
        is_confirmed: asked.confirmed,
        reference: references
            .first()
            .map(|given| reference(&caller.firm, given)),
    };
    let envelope = Envelope::new(&asked.request_id, &asked.origin, "");
    let mutation = mutation(scope, envelope, command, intake)?;
    run(api, &caller, "CreateNotice", request, mutation).await
}

pub(super) async fn update(
    api: &Api,
    request: &Request<v1::UpdateNoticeRequest>,
) -> Answer<v1::Notice> {
    let caller = api.caller(request, Permission::Quotes).await?;
    let asked = request.get_ref();
    let given = asked.notice.as_ref().ok_or_else(|| required("notice"))?;
    let [partnership, id] = parse_name("notice.name", &given.name, SHAPE)?;
    let scope = ScopeId::partnership(&partnership);
    let mut intake = Intake::new(api);
    let mask = asked.update_mask.as_ref();
    let paths = intake.faults.take(paths(mask, given));
    let parts = paths
        .iter()
        .map(|path| part(&mut intake, &scope, path, given));
    let parts = parts.collect();
    let envelope = Envelope::new(&asked.request_id, &asked.origin, &given.etag);
    let command = NoticeCommand::Update { id, parts };
    let mutation = mutation(scope, envelope, command, intake)?;
    run(api, &caller, "UpdateNotice", request, mutation).await
}

/// The parts that an update replaces: those that the mask names, or all that is given.
fn paths(
    mask: Option<&prost_types::FieldMask>,
    given: &v1::Notice,
) -> Result<Vec<&'static str>, Refusal> {
    let named = mask.map_or(&[][..], |mask| &mask.paths);
    if named.is_empty() {
        let is_given = |path: &&str| match *path {
            "title" => !given.title.is_empty(),
            "details" => !given.details.is_empty(),
            "window" => given.window.is_some(),
            "planned_time" => given.planned_time.is_some(),
            "client" => !given.client.is_empty(),
            _ => !given.checklist.is_empty(),
        };
        return Ok(PATHS.into_iter().filter(is_given).collect());
    }
    if named.len() > PATHS.len() {
        let why = format!("no more than {} paths", PATHS.len());
        return Err(Refusal::field(Reason::InvalidField, "update_mask", why));
    }
    let mut violations = crate::domain::refusal::Violations::default();
    for (index, path) in named.iter().enumerate() {
        let known = path == "*" || PATHS.contains(&path.as_str());
        let field = format!("update_mask.paths[{index}]");
        let rule = format!("must be one of {}, or *", PATHS.join(", "));
        violations.require(known, &field, &rule);
    }
    violations.finish()?;
    let is_named = |path: &&str| named.iter().any(|name| name == "*" || name == path);
    Ok(PATHS.into_iter().filter(is_named).collect())
}

fn part(intake: &mut Intake<'_>, scope: &ScopeId, path: &str, given: &v1::Notice) -> NoticePart {
    match path {
        "title" => NoticePart::Title(intake.line("notice.title", &given.title)),
        "details" => NoticePart::Details(intake.text("notice.details", &given.details)),
        "window" => {
            let plan = plan(intake, given);
            NoticePart::Window(plan.earliest, plan.latest)
        }
        "planned_time" => {
            NoticePart::PlannedAt(intake.instant("notice.planned_time", given.planned_time))
        }
        "client" => {
            let client = client("notice.client", scope, &given.client);
            NoticePart::Client(intake.faults.take(client))
        }
        _ => NoticePart::Checklist(checklist(intake, &given.checklist)),
    }
}

fn plan(intake: &mut Intake<'_>, given: &v1::Notice) -> Plan {
    let window = given.window.unwrap_or_default();
    Plan {
        earliest: intake.instant("notice.window.earliest_time", window.earliest_time),
        latest: intake.instant("notice.window.latest_time", window.latest_time),
        planned_at: intake.instant("notice.planned_time", given.planned_time),
    }
}

fn new_checklist(intake: &mut Intake<'_>, given: &[v1::ChecklistItem]) -> Vec<Commitment> {
    let drafts = checklist(intake, given);
    for (index, draft) in drafts.iter().enumerate() {
        let field = format!("notice.checklist[{index}].number");
        let is_new = draft.number == 0;
        intake
            .faults
            .require(is_new, &field, "is given by the server");
    }
    drafts.into_iter().map(|draft| draft.text).collect()
}

fn checklist(intake: &mut Intake<'_>, given: &[v1::ChecklistItem]) -> Vec<ChecklistDraft> {
    let mut drafts = Vec::new();
    // One too many is enough for it to be noticed.
    for (index, item) in given.iter().take(CHECKLIST_ITEMS_MAX + 1).enumerate() {
        let field = |name: &str| format!("notice.checklist[{index}].{name}");
        let number = u32::try_from(item.number);
        let rule = "must not be negative";
        intake
            .faults
            .require(number.is_ok(), &field("number"), rule);
        let is_said = !item.text.is_empty();
        intake
            .faults
            .require(is_said, &field("text"), "must not be empty");
        if let Some(text) = intake.line(&field("text"), &item.text) {
            let number = number.unwrap_or_default();
            drafts.push(ChecklistDraft { number, text });
        }
    }
    drafts
}

pub(super) async fn confirm(
    api: &Api,
    request: &Request<v1::ConfirmNoticeRequest>,
) -> Answer<v1::Notice> {
    let asked = request.get_ref();
    let change = Change::new(&asked.name, &asked.request_id, &asked.origin, &asked.etag);
    let command = |intake: &mut Intake<'_>, id| {
        let planned_at = intake.instant("planned_time", asked.planned_time);
        NoticeCommand::Confirm { id, planned_at }
    };
    change.run(api, request, "ConfirmNotice", command).await
}

pub(super) async fn mark_item(
    api: &Api,
    request: &Request<v1::MarkNoticeItemRequest>,
) -> Answer<v1::Notice> {
    let asked = request.get_ref();
    let change = Change::new(&asked.name, &asked.request_id, &asked.origin, &asked.etag);
    let command = |intake: &mut Intake<'_>, id| {
        let number = u32::try_from(asked.number).unwrap_or_default();
        let rule = "items are counted from 1";
        intake.faults.require(number > 0, "number", rule);
        NoticeCommand::MarkItem {
            id,
            number,
            is_done: asked.done,
        }
    };
    change.run(api, request, "MarkNoticeItem", command).await
}

pub(super) async fn complete(
    api: &Api,
    request: &Request<v1::CompleteNoticeRequest>,
) -> Answer<v1::Notice> {
    let asked = request.get_ref();
    let change = Change::new(&asked.name, &asked.request_id, &asked.origin, &asked.etag);
    let command = |intake: &mut Intake<'_>, id| NoticeCommand::Complete {
        id,
        message: intake.text("message", &asked.message),
    };
    change.run(api, request, "CompleteNotice", command).await
}

pub(super) async fn withdraw(
    api: &Api,
    request: &Request<v1::WithdrawNoticeRequest>,
) -> Answer<v1::Notice> {
    let asked = request.get_ref();
    let change = Change::new(&asked.name, &asked.request_id, &asked.origin, &asked.etag);
    let command = |intake: &mut Intake<'_>, id| NoticeCommand::Withdraw {
        id,
        reason: intake.text("reason", &asked.reason),
    };
    change.run(api, request, "WithdrawNotice", command).await
}

pub(super) async fn get(api: &Api, request: &Request<v1::GetNoticeRequest>) -> Answer<v1::Notice> {
    let caller = api.caller(request, Permission::Read).await?;
    let [partnership, id] = parse_name("name", &request.get_ref().name, SHAPE)?;
    let (member, found) = api.get::<Notice>(&caller, &partnership, &id).await?;
    Ok(Response::new(listing::show(api, &member, found).await?))
}

pub(super) async fn list(
    api: &Api,
    request: &Request<v1::ListNoticesRequest>,
) -> Answer<v1::ListNoticesResponse> {
    let caller = api.caller(request, Permission::Read).await?;
    let asked = request.get_ref();
    let [partnership] = parse_name("parent", &asked.parent, "partnerships/*")?;
    let state = state("state", asked.state)?;
    let member = api.member(&caller, &partnership).await?;
    let wanted = Wanted {
        purpose: &format!(
            "ListNotices:{partnership}:{}:{}",
            asked.state, asked.fire_drills_only
        ),
        page_size: asked.page_size,
        page_token: &asked.page_token,
        recorded_state: state.map(NoticeState::as_str),
    };
    let keep = |notice: &Notice| !asked.fire_drills_only || !notice.fire_drills.is_empty();
    let (notices, next_page_token) = listing::list(api, &member, wanted, keep).await?;
    Ok(Response::new(v1::ListNoticesResponse {
        notices,
        next_page_token,
    }))
}

/// A change of a notice that exists.
struct Change<'request> {
    name: &'request str,
    envelope: Envelope,
}

impl<'request> Change<'request> {
    fn new(name: &'request str, request_id: &str, origin: &str, etag: &str) -> Self {
        let envelope = Envelope::new(request_id, origin, etag);
        Self { name, envelope }
    }

    async fn run<M: Message>(
        self,
        api: &Api,
        request: &Request<M>,
        method: &str,
        command: impl FnOnce(&mut Intake<'_>, String) -> NoticeCommand + Send,
    ) -> Answer<v1::Notice> {
        let caller = api.caller(request, Permission::Quotes).await?;
        let mut intake = Intake::new(api);
        let name = parse_name("name", self.name, SHAPE);
        let [partnership, id] = intake.faults.take(name);
        let command = command(&mut intake, id);
        let scope = ScopeId::partnership(&partnership);
        let mutation = mutation(scope, self.envelope, command, intake)?;
        run(api, &caller, method, request, mutation).await
    }
}

fn mutation(
    scope: ScopeId,
    envelope: Envelope,
    command: NoticeCommand,
    intake: Intake<'_>,
) -> Result<Mutation, ApiError> {
    Ok(Mutation {
        scope,
        envelope,
        action: Action::Notice(command),
        openings: intake.finish()?,
    })
}

/// Runs a change; answers with the notice after it.
async fn run<M: Message>(
    api: &Api,
    caller: &Caller,
    method: &str,
    request: &Request<M>,
    mutation: Mutation,
) -> Answer<v1::Notice> {
    let scope = mutation.scope.clone();
    let receipt: Receipt = api.run(caller, method, request, mutation).await?;
    let (member, found) = api.get::<Notice>(caller, scope.id(), &receipt.id).await?;
    let shown = listing::show(api, &member, found).await?;
    Ok(respond(shown, &receipt))
}

/// A kind that a caller names.
///
/// # Errors
/// [`Reason::InvalidField`], naming `field`.
pub(in crate::api) fn notice_kind(field: &str, value: i32) -> Result<NoticeKind, Refusal> {
    Ok(match known_enum(field, value)? {
        v1::NoticeKind::NewStarter => NoticeKind::NewStarter,
        v1::NoticeKind::Leaver => NoticeKind::Leaver,
        v1::NoticeKind::Move => NoticeKind::Move,
        v1::NoticeKind::GoLive => NoticeKind::GoLive,
        v1::NoticeKind::Maintenance => NoticeKind::Maintenance,
        v1::NoticeKind::ChangeOfPriorities => NoticeKind::ChangeOfPriorities,
        v1::NoticeKind::Other => NoticeKind::Other,
        v1::NoticeKind::Unspecified => {
            return Err(Refusal::field(Reason::InvalidField, field, "is required"));
        }
    })
}

/// A kind as the contract names it.
pub(in crate::api) const fn to_notice_kind(kind: NoticeKind) -> v1::NoticeKind {
    match kind {
        NoticeKind::NewStarter => v1::NoticeKind::NewStarter,
        NoticeKind::Leaver => v1::NoticeKind::Leaver,
        NoticeKind::Move => v1::NoticeKind::Move,
        NoticeKind::GoLive => v1::NoticeKind::GoLive,
        NoticeKind::Maintenance => v1::NoticeKind::Maintenance,
        NoticeKind::ChangeOfPriorities => v1::NoticeKind::ChangeOfPriorities,
        NoticeKind::Other => v1::NoticeKind::Other,
    }
}

/// The state that a list is filtered by; `None` for every state.
fn state(field: &str, value: i32) -> Result<Option<NoticeState>, Refusal> {
    let state = stated::<v1::NoticeState>(field, value)?;
    Ok(state.and_then(|state| match state {
        v1::NoticeState::Unspecified => None,
        v1::NoticeState::HeadsUp => Some(NoticeState::HeadsUp),
        v1::NoticeState::Confirmed => Some(NoticeState::Confirmed),
        v1::NoticeState::Done => Some(NoticeState::Done),
        v1::NoticeState::Withdrawn => Some(NoticeState::Withdrawn),
        v1::NoticeState::Closed => Some(NoticeState::Closed),
    }))
}

const fn to_state(state: NoticeState) -> v1::NoticeState {
    match state {
        NoticeState::HeadsUp => v1::NoticeState::HeadsUp,
        NoticeState::Confirmed => v1::NoticeState::Confirmed,
        NoticeState::Done => v1::NoticeState::Done,
        NoticeState::Withdrawn => v1::NoticeState::Withdrawn,
        NoticeState::Closed => v1::NoticeState::Closed,
    }
}

impl Shown for Notice {
    type Message = v1::Notice;

    const REFERENCED: bool = true;

    fn commitments(&self) -> Vec<Commitment> {
        let texts = [&self.title, &self.details, &self.ending];
        let items = self.checklist.iter().map(|item| item.text.clone());
        texts.into_iter().flatten().cloned().chain(items).collect()
    }

    fn shown(found: &Found<Self>, viewer: &Viewer<'_>) -> v1::Notice {
        let state = &found.state;
        let texts = &viewer.texts;
        let scope = viewer.member.scope();
        let client = state.client.as_ref();
        let items = state.checklist.iter();
        v1::Notice {
            name: name_in(&scope, "notices", &found.id),
            kind: to_notice_kind(state.kind).into(),
            title: texts.show(state.title.as_ref()),
            details: texts.show(state.details.as_ref()),
            window: to_window(state.plan),
            planned_time: state.plan.planned_at.map(to_timestamp),
            client: client.map_or_else(String::new, |id| name_in(&scope, "clients", id)),
            checklist: items.map(|item| to_item(&scope, item, texts)).collect(),
            state: to_state(state.state).into(),
            giver: state.giver.to_string(),
            confirm_time: state.confirmed_at.map(to_timestamp),
            fire_drills: state.fire_drills.iter().map(to_fire_drill).collect(),
            end_time: state.ended_at.map(to_timestamp),
            end_message: texts.show(state.ending.as_ref()),
            judged_lead_time: state.lead_time.map(to_lead_time),
            early_by: state.early_by().map(to_duration),
            external_references: viewer.references(&found.id),
            create_time: Some(to_timestamp(found.created_at)),
            update_time: Some(to_timestamp(found.updated_at)),
            etag: etag(found.revision),
            redacted_fields: viewer.texts.redacted_fields(found.state.commitments()),
        }
    }
}

fn to_window(plan: Plan) -> Option<v1::NoticeWindow> {
    let is_known = plan.earliest.is_some() || plan.latest.is_some();
    is_known.then(|| v1::NoticeWindow {
        earliest_time: plan.earliest.map(to_timestamp),
        latest_time: plan.latest.map(to_timestamp),
    })
}

fn to_item(scope: &ScopeId, item: &ChecklistItem, texts: &Texts) -> v1::ChecklistItem {
    let done = item.done.as_ref();
    let expectation = item.expectation.as_ref();
    v1::ChecklistItem {
        number: i32::try_from(item.number).unwrap_or(i32::MAX),
        text: texts.show(Some(&item.text)),
        done: done.is_some(),
        done_by: done.map_or_else(String::new, |mark| mark.party.to_string()),
        done_time: done.map(|mark| to_timestamp(mark.at)),
        expectation: expectation
            .map(|id| name_in(scope, "expectations", id))
            .unwrap_or_default(),
    }
}

fn to_lead_time(judged: LeadTime) -> v1::JudgedLeadTime {
    let rule = match judged.rule {
        LeadTimeRule::OfItsKind => v1::LeadTimeRule::OfItsKind,
        LeadTimeRule::LongestOfAny => v1::LeadTimeRule::LongestOfAny,
        LeadTimeRule::NoneAgreed => v1::LeadTimeRule::NoneAgreed,
    };
    v1::JudgedLeadTime {
        rule: rule.into(),
        lead_time: judged.agreed.map(to_duration),
    }
}

fn to_fire_drill(found: &FireDrill) -> v1::FireDrill {
    v1::FireDrill {
        planned_time: Some(to_timestamp(found.planned_at)),
        told_time: Some(to_timestamp(found.told_at)),
        lead_time_given: Some(to_duration(found.given)),
        lead_time_agreed: Some(to_duration(found.agreed)),
    }
}
