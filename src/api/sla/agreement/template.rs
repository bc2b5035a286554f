//! Agreements to begin with.

use tonic::{Request, Response};

use super::super::SlaService;
use super::convert::{to_kind, to_target};
use super::levels::to_escalation_level;
use crate::api::convert::parse_name;
use crate::api::page::Page;
use crate::api::sla::calendar::convert::to_weekly_window;
use crate::api::sla::words::to_ticket_state;
use crate::api::status::ApiError;
use crate::domain::firm::Permission;
use crate::domain::refusal::{Reason, Refusal};
use crate::domain::sla::agreement::{AgreementTemplate, AgreementType, NewCalendar, TEMPLATES};
use crate::domain::sla::calendar::pinned_zone;
use crate::proto::v1;

const SHAPE: &str = "agreementTemplates/*";
/// The zone of a template's calendar where none is asked for.
const TIME_ZONE_DEFAULT: &str = "UTC";

/// `ListAgreementTemplates`.
pub(in crate::api::sla) async fn list(
    service: &SlaService,
    request: &Request<v1::ListAgreementTemplatesRequest>,
) -> Result<Response<v1::ListAgreementTemplatesResponse>, ApiError> {
    let api = service.api.as_ref();
    let caller = api.caller(request, Permission::Read).await?;
    let message = request.get_ref();
    let purpose = format!("ListAgreementTemplates:{}", caller.firm);
    let page = Page::parse(api, &purpose, message.page_size, &message.page_token)?;
    let after = |template: &&AgreementTemplate| template.id > page.after.as_str();
    let found = TEMPLATES.iter().filter(after).take(page.limit());
    let mut found: Vec<_> = found.collect();
    let next_page_token = page.cut(api, &mut found, |template| template.id.to_owned());
    Ok(Response::new(v1::ListAgreementTemplatesResponse {
        agreement_templates: found.into_iter().map(to_template).collect(),
        next_page_token,
    }))
}

/// The template that a request names, if it names one.
pub(super) fn chosen(
    message: &v1::CreateAgreementRequest,
) -> Result<Option<&'static AgreementTemplate>, Refusal> {
    if !message.time_zone.is_empty() && pinned_zone(&message.time_zone).is_none() {
        let unknown = Refusal::field(Reason::ZoneUnknown, "time_zone", "no such time zone");
        return Err(unknown.with("time_zone", &message.time_zone));
    }
    if message.template.is_empty() {
        return Ok(None);
    }
    let [id] = parse_name("template", &message.template, SHAPE)?;
    let found = AgreementTemplate::find(&id);
    let absent = || Refusal::field(Reason::NotFound, "template", "no such template");
    found.map(Some).ok_or_else(absent)
}

/// What is proposed, with what it leaves empty filled in from a template, and the calendar that is
/// to be made for it.
pub(super) fn filled(
    template: Option<&AgreementTemplate>,
    partnership: &str,
    proposed: &v1::Agreement,
    message: &v1::CreateAgreementRequest,
) -> (v1::Agreement, Option<NewCalendar>) {
    let mut agreement = proposed.clone();
    let Some(template) = template else {
        return (agreement, None);
    };
    let preset = preset(template);
    fill(
        &mut agreement.display_name,
        preset.display_name,
        String::is_empty,
    );
    fill(&mut agreement.kind, preset.kind, |kind| *kind == 0);
    fill(&mut agreement.targets, preset.targets, Vec::is_empty);
    fill(
        &mut agreement.pausing_states,
        preset.pausing_states,
        Vec::is_empty,
    );
    fill(
        &mut agreement.thresholds_bps,
        preset.thresholds_bps,
        Vec::is_empty,
    );
    fill(
        &mut agreement.escalation_levels,
        preset.escalation_levels,
        Vec::is_empty,
    );
    if !agreement.calendar.is_empty() {
        return (agreement, None);
    }
    agreement.calendar = format!("partnerships/{partnership}/calendars/{}", template.id);
    let time_zone = match message.time_zone.as_str() {
        "" => TIME_ZONE_DEFAULT,
        named => named,
    };
    let calendar = NewCalendar {
        display_name: template.display_name.to_owned(),
        specification: template.calendar(time_zone),
    };
    (agreement, Some(calendar))
}

fn fill<T>(field: &mut T, preset: T, is_empty: impl Fn(&T) -> bool) {
    if is_empty(field) {
        *field = preset;
    }
}

/// What a template fills in.
fn preset(template: &AgreementTemplate) -> v1::Agreement {
    let to_bps = |threshold: u32| i32::try_from(threshold).unwrap_or(i32::MAX);
    let levels = template.escalation_levels();
    v1::Agreement {
        display_name: template.display_name.to_owned(),
        kind: to_kind(AgreementType::UnderpinningContract).into(),
        targets: template.targets().iter().map(to_target).collect(),
        pausing_states: template
            .pausing_states()
            .map(|state| to_ticket_state(state).into())
            .to_vec(),
        thresholds_bps: template.thresholds_bps().map(to_bps).to_vec(),
        escalation_levels: levels.iter().map(to_escalation_level).collect(),
        ..v1::Agreement::default()
    }
}

fn to_template(template: &AgreementTemplate) -> v1::AgreementTemplate {
    let specification = template.calendar(TIME_ZONE_DEFAULT);
    let windows = specification.weekly_windows.into_iter();
    v1::AgreementTemplate {
        name: format!("agreementTemplates/{}", template.id),
        display_name: template.display_name.to_owned(),
        description: template.description.to_owned(),
        agreement: Some(preset(template)),
        calendar: Some(v1::Calendar {
            display_name: template.display_name.to_owned(),
            weekly_windows: windows.map(to_weekly_window).collect(),
            time_zone: specification.time_zone,
            ..v1::Calendar::default()
        }),
    }
}
