//! The RPCs of calendars.

mod combination;
pub(super) mod convert;
mod holidays;

use prost::Message;
use tonic::{Request, Response};

use self::combination::{Combination, combination};
use self::convert::{specification, to_calendar};
use super::check::{checked, whole};
use super::revision::{Revision, revisions};
use super::{SlaService, all_of, decode, parse_parent};
use crate::api::convert::{chosen_id, parse_name};
use crate::api::faults::Faults;
use crate::api::listing::PAGE_BYTES_MAX;
use crate::api::page::Page;
use crate::api::status::ApiError;
use crate::api::{Api, Envelope, Found, Mutation, required, respond};
use crate::domain::command::Action;
use crate::domain::firm::Permission;
use crate::domain::identity::ScopeId;
use crate::domain::record::Kind;
use crate::domain::refusal::{Reason, Refusal};
use crate::domain::sla::calendar::CalendarSpecification;
use crate::domain::sla::combination::{CombinationCommand, Combined};
use crate::domain::sla::settings::{Calendar, CalendarRevision, SettingsCommand};
use crate::domain::text::require_display_name;
use crate::proto::v1;

const SHAPE: &str = "partnerships/*/calendars/*";
/// How many calendars are read at a time.
const CALENDARS_AT_A_TIME: usize = 50;

/// `CreateCalendar`.
pub(super) async fn create(
    service: &SlaService,
    request: &Request<v1::CreateCalendarRequest>,
) -> Result<Response<v1::Calendar>, ApiError> {
    let api = service.api.as_ref();
    let caller = api.caller(request, Permission::Tickets).await?;
    let message = request.get_ref();
    let mut faults = Faults::default();
    let parent = faults.take(parse_parent(&message.parent).map(Some));
    let id = faults.take(chosen_id("calendar_id", &message.calendar_id).map(Some));
    let written = faults.take(written(message.calendar.as_ref()).map(Some));
    let at = parent.as_deref().unwrap_or_default();
    let form = written.and_then(|calendar| form(calendar, at, &mut faults));
    let taken = parent.zip(id).zip(written.zip(form));
    let ((partnership, id), (written, form)) = whole(faults, taken)?;
    let form = with_holidays(service, form, written).await?;
    let mutation = Mutation {
        scope: ScopeId::partnership(&partnership),
        envelope: Envelope::new(&message.request_id, &message.origin, ""),
        action: form.action(Combined::New(id), written.display_name.clone()),
        openings: Vec::new(),
    };
    let receipt = api
        .run(&caller, "CreateCalendar", request, mutation)
        .await?;
    let (member, calendar) = api
        .get::<Calendar>(&caller, &partnership, &receipt.id)
        .await?;
    Ok(respond(
        show_one(api, &member.scope(), &calendar).await?,
        &receipt,
    ))
}

/// `UpdateCalendar`.
pub(super) async fn update(
    service: &SlaService,
    request: &Request<v1::UpdateCalendarRequest>,
) -> Result<Response<v1::Calendar>, ApiError> {
    let api = service.api.as_ref();
    let caller = api.caller(request, Permission::Tickets).await?;
    let message = request.get_ref();
    let mut faults = Faults::default();
    let written = faults.take(written(message.calendar.as_ref()).map(Some));
    let name = written.and_then(|calendar| {
        faults.take(parse_name::<2>("calendar.name", &calendar.name, SHAPE).map(Some))
    });
    let at = name.as_ref().map(|[partnership, _]| partnership.as_str());
    let form = written.and_then(|calendar| form(calendar, at.unwrap_or_default(), &mut faults));
    let ([partnership, id], (written, form)) = whole(faults, name.zip(written.zip(form)))?;
    let form = with_holidays(service, form, written).await?;
    let mutation = Mutation {
        scope: ScopeId::partnership(&partnership),
        envelope: Envelope::new(&message.request_id, &message.origin, &written.etag),
        action: form.action(Combined::Revised(id.clone()), written.display_name.clone()),
        openings: Vec::new(),
    };
    let receipt = api
        .run(&caller, "UpdateCalendar", request, mutation)
        .await?;
    let (member, calendar) = api.get::<Calendar>(&caller, &partnership, &id).await?;
    Ok(respond(
        show_one(api, &member.scope(), &calendar).await?,
        &receipt,
    ))
}

/// `GetCalendar`.
pub(super) async fn get(
    service: &SlaService,
    request: &Request<v1::GetCalendarRequest>,
) -> Result<Response<v1::Calendar>, ApiError> {
    let api = service.api.as_ref();
    let caller = api.caller(request, Permission::Read).await?;
    let [partnership, id] = parse_name("name", &request.get_ref().name, SHAPE)?;
    let (member, calendar) = api.get::<Calendar>(&caller, &partnership, &id).await?;
    Ok(Response::new(
        show_one(api, &member.scope(), &calendar).await?,
    ))
}

/// `ListCalendars`.
pub(super) async fn list(
    service: &SlaService,
    request: &Request<v1::ListCalendarsRequest>,
) -> Result<Response<v1::ListCalendarsResponse>, ApiError> {
    let api = service.api.as_ref();
    let caller = api.caller(request, Permission::Read).await?;
    let message = request.get_ref();
    let partnership = parse_parent(&message.parent)?;
    let purpose = format!("ListCalendars:{}:{partnership}", caller.firm);
    let page = Page::parse(api, &purpose, message.page_size, &message.page_token)?;
    let member = api.member(&caller, &partnership).await?;
    let scope = member.scope();
    let mut query = all_of(&scope, Kind::Calendar, &page.after, CALENDARS_AT_A_TIME);
    let (mut calendars, mut bytes, mut last_id) = (Vec::new(), 0_usize, String::new());
    loop {
        let rows = api.ledger.store().list_records(&query).await?;
        let found: Vec<Found<Calendar>> = rows.iter().map(decode).collect::<Result<_, _>>()?;
        let shown = show(api, &scope, &found).await?;
        for (calendar, Found { id, .. }) in shown.into_iter().zip(&found) {
            bytes = bytes.saturating_add(calendar.encoded_len());
            let is_too_large = bytes > PAGE_BYTES_MAX && !calendars.is_empty();
            if calendars.len() == page.size || is_too_large {
                let next_page_token = api.tokens.seal(&purpose, last_id.as_bytes());
                return Ok(Response::new(v1::ListCalendarsResponse {
                    calendars,
                    next_page_token,
                }));
            }
            last_id.clone_from(id);
            calendars.push(calendar);
        }
        if rows.len() < CALENDARS_AT_A_TIME {
            return Ok(Response::new(v1::ListCalendarsResponse {
                calendars,
                next_page_token: String::new(),
            }));
        }
        query.after_id.clone_from(&last_id);
    }
}

/// What a calendar is made of.
enum Form {
    Windows(CalendarSpecification),
    Combination(Combination),
}

impl Form {
    /// The command that writes it down.
    fn action(self, calendar: Combined, display_name: String) -> Action {
        match (self, calendar) {
            (Self::Windows(specification), Combined::New(id)) => {
                Action::Settings(SettingsCommand::CreateCalendar {
                    id,
                    display_name,
                    specification,
                })
            }
            (Self::Windows(specification), Combined::Revised(id)) => {
                Action::Settings(SettingsCommand::ReviseCalendar {
                    id,
                    display_name,
                    specification,
                })
            }
            (Self::Combination((operator, operands)), calendar) => {
                Action::Combination(CombinationCommand {
                    calendar,
                    display_name,
                    operator,
                    operands,
                })
            }
        }
    }
}

/// What the caller wrote down in `partnership`; of use only if no fault was noted.
fn form(calendar: &v1::Calendar, partnership: &str, faults: &mut Faults) -> Option<Form> {
    faults.take(checked(|violations| {
        require_display_name(violations, "calendar.display_name", &calendar.display_name);
    }));
    match &calendar.combination {
        None => Some(Form::Windows(specification(calendar, faults))),
        Some(written) => combination(calendar, written, partnership, faults).map(Form::Combination),
    }
}

/// A form with the holidays that the caller sent along, worked out apart from short calls.
async fn with_holidays(
    service: &SlaService,
    form: Form,
    written: &v1::Calendar,
) -> Result<Form, ApiError> {
    match (form, written.holiday_import.clone()) {
        (Form::Windows(specification), Some(import)) => {
            let place = service.calculating.enter().await?;
            let extended = place.run(move || holidays::with_holidays(specification, &import));
            Ok(Form::Windows(extended.await??))
        }
        (form, _) => Ok(form),
    }
}

async fn show_one(
    api: &Api,
    scope: &ScopeId,
    calendar: &Found<Calendar>,
) -> Result<v1::Calendar, ApiError> {
    let shown = show(api, scope, std::slice::from_ref(calendar)).await?;
    Ok(shown.into_iter().next().ok_or_else(revision_lost)?)
}

/// Calendars with their latest revisions, which are records of their own.
async fn show(
    api: &Api,
    scope: &ScopeId,
    calendars: &[Found<Calendar>],
) -> Result<Vec<v1::Calendar>, ApiError> {
    if calendars.is_empty() {
        return Ok(Vec::new());
    }
    let revisions = revisions(api, scope, calendars.iter().map(revision_id)).await?;
    let shown = calendars.iter().map(|calendar| {
        let revision: &Revision = revisions
            .get(&revision_id(calendar))
            .ok_or_else(revision_lost)?;
        Ok(to_calendar(scope, calendar, revision))
    });
    shown.collect()
}

fn revision_id(calendar: &Found<Calendar>) -> String {
    CalendarRevision::id_of(&calendar.id, calendar.state.latest_revision)
}

fn revision_lost() -> Refusal {
    Refusal::new(Reason::Internal, "a calendar's revision is missing")
}

fn written(calendar: Option<&v1::Calendar>) -> Result<&v1::Calendar, Refusal> {
    calendar.ok_or_else(|| required("calendar"))
}
