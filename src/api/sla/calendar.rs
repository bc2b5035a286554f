//! The RPCs of calendars.

mod combination;
pub(super) mod convert;
mod holidays;

use tonic::{Request, Response};

pub(super) use self::combination::to_combination;
use self::combination::{Combination, combination};
use self::convert::{specification, to_calendar};
use super::SlaService;
use super::check::{checked, whole};
use super::home::{self, Setting, Wanted, parse_home, parse_setting};
use super::revision::{Revision, revisions};
use crate::api::caller::Caller;
use crate::api::convert::chosen_id;
use crate::api::faults::Faults;
use crate::api::status::ApiError;
use crate::api::{Api, Envelope, Found, Mutation, required, respond};
use crate::domain::command::Action;
use crate::domain::firm::Permission;
use crate::domain::identity::ScopeId;
use crate::domain::refusal::{Reason, Refusal};
use crate::domain::sla::calendar::CalendarSpecification;
use crate::domain::sla::combination::{CombinationCommand, Combined};
use crate::domain::sla::settings::{Calendar, CalendarRevision, SettingsCommand};
use crate::domain::text::require_display_name;
use crate::proto::v1;

/// The collection of calendars, as names have it.
pub(super) const COLLECTION: &str = "calendars";

/// `CreateCalendar`.
pub(super) async fn create(
    service: &SlaService,
    request: &Request<v1::CreateCalendarRequest>,
) -> Result<Response<v1::Calendar>, ApiError> {
    let api = service.api.as_ref();
    let caller = api.caller(request, Permission::Tickets).await?;
    let message = request.get_ref();
    let mut faults = Faults::default();
    let parent = faults.take(parse_home(&message.parent).map(Some));
    let id = faults.take(chosen_id("calendar_id", &message.calendar_id).map(Some));
    let written = faults.take(written(message.calendar.as_ref()).map(Some));
    let form = written.and_then(|calendar| form(calendar, parent.as_ref(), &mut faults));
    let taken = parent.zip(id).zip(written.zip(form));
    let ((scope, id), (written, form)) = whole(faults, taken)?;
    let form = with_holidays(service, form, written).await?;
    let mutation = Mutation {
        scope: scope.clone(),
        envelope: Envelope::new(&message.request_id, &message.origin, ""),
        action: form.action(Combined::New(id), written.display_name.clone()),
        openings: Vec::new(),
    };
    let receipt = api
        .run(&caller, "CreateCalendar", request, mutation)
        .await?;
    let calendar = read(api, &caller, &scope, &receipt.id).await?;
    Ok(respond(calendar, &receipt))
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
        faults.take(parse_setting("calendar.name", &calendar.name, COLLECTION).map(Some))
    });
    let at = name.as_ref().map(|(scope, _)| scope);
    let form = written.and_then(|calendar| form(calendar, at, &mut faults));
    let ((scope, id), (written, form)) = whole(faults, name.zip(written.zip(form)))?;
    let form = with_holidays(service, form, written).await?;
    let mutation = Mutation {
        scope: scope.clone(),
        envelope: Envelope::new(&message.request_id, &message.origin, &written.etag),
        action: form.action(Combined::Revised(id.clone()), written.display_name.clone()),
        openings: Vec::new(),
    };
    let receipt = api
        .run(&caller, "UpdateCalendar", request, mutation)
        .await?;
    let calendar = read(api, &caller, &scope, &id).await?;
    Ok(respond(calendar, &receipt))
}

/// `GetCalendar`.
pub(super) async fn get(
    service: &SlaService,
    request: &Request<v1::GetCalendarRequest>,
) -> Result<Response<v1::Calendar>, ApiError> {
    let api = service.api.as_ref();
    let caller = api.caller(request, Permission::Read).await?;
    let (scope, id) = parse_setting("name", &request.get_ref().name, COLLECTION)?;
    Ok(Response::new(read(api, &caller, &scope, &id).await?))
}

/// `ListCalendars`.
pub(super) async fn list(
    service: &SlaService,
    request: &Request<v1::ListCalendarsRequest>,
) -> Result<Response<v1::ListCalendarsResponse>, ApiError> {
    let api = service.api.as_ref();
    let caller = api.caller(request, Permission::Read).await?;
    let message = request.get_ref();
    let wanted = Wanted {
        method: "ListCalendars",
        parent: &message.parent,
        page_size: message.page_size,
        page_token: &message.page_token,
    };
    let (calendars, next_page_token) = home::list::<Calendar>(api, &caller, wanted).await?;
    Ok(Response::new(v1::ListCalendarsResponse {
        calendars,
        next_page_token,
    }))
}

/// A calendar as it stands, for a caller that may see it.
pub(super) async fn read(
    api: &Api,
    caller: &Caller,
    scope: &ScopeId,
    id: &str,
) -> Result<v1::Calendar, ApiError> {
    let calendar = home::get::<Calendar>(api, caller, scope, id).await?;
    home::show(api, scope, &calendar).await
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

/// What the caller wrote down, in `scope` unless that is at fault; of use only if no fault was noted.
fn form(calendar: &v1::Calendar, scope: Option<&ScopeId>, faults: &mut Faults) -> Option<Form> {
    faults.take(checked(|violations| {
        require_display_name(violations, "calendar.display_name", &calendar.display_name);
    }));
    match &calendar.combination {
        None => Some(Form::Windows(specification(calendar, faults))),
        Some(written) => combination(calendar, written, scope, faults).map(Form::Combination),
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

impl Setting for Calendar {
    type Message = v1::Calendar;

    /// Calendars with their latest revisions, which are records of their own.
    async fn show_all(
        api: &Api,
        scope: &ScopeId,
        found: &[Found<Self>],
    ) -> Result<Vec<v1::Calendar>, ApiError> {
        if found.is_empty() {
            return Ok(Vec::new());
        }
        let revisions = revisions(api, scope, found.iter().map(revision_id)).await?;
        let shown = found.iter().map(|calendar| {
            let revision: &Revision = revisions
                .get(&revision_id(calendar))
                .ok_or_else(revision_lost)?;
            Ok(to_calendar(scope, calendar, revision))
        });
        shown.collect()
    }
}

fn revision_id(calendar: &Found<Calendar>) -> String {
    CalendarRevision::id_of(&calendar.id, calendar.state.latest_revision)
}

pub(super) fn revision_lost() -> Refusal {
    Refusal::new(Reason::Internal, "a calendar's revision is missing")
}

fn written(calendar: Option<&v1::Calendar>) -> Result<&v1::Calendar, Refusal> {
    calendar.ok_or_else(|| required("calendar"))
}
