//! What an import needs on the server: a partnership, a calendar, an agreement and a status map,
//! each made only if it is not there. What is there stays as it is, so whoever changes the status
//! map or the calendar keeps the change.

use prost_types::Duration;
use tonic::Status;

use super::Place;
use crate::cli::CliError;
use crate::cli::client::{Connection, failed, is_refused_for, retry};
use crate::proto::google::r#type::DayOfWeek;
use crate::proto::v1::{self, AgreementKind, PartyRole, TargetType, TicketState};

/// The system in external references and in the status map.
pub const SYSTEM: &str = "servicenow";
/// The origin of every change that an import makes.
pub const ORIGIN: &str = "import servicenow";
/// The party that owes: the importing firm.
pub const OBLIGOR: &str = "party-1";
/// The party to which it is owed: the placeholder.
const BENEFICIARY: &str = "party-2";
/// Id of the calendar.
const CALENDAR: &str = "always-open";
/// Id of the agreement.
const AGREEMENT: &str = "servicenow";
/// Id of the status map.
const STATUS_MAP: &str = "servicenow";

const MINUTE: i64 = 60;
const HOUR: i64 = 60 * MINUTE;
const DAY: i64 = 24 * HOUR;
/// How fast to answer, in seconds, for the priorities 1 to 4.
const FIRST_RESPONSE_SECONDS: [i64; 4] = [15 * MINUTE, HOUR, 4 * HOUR, 8 * HOUR];
/// How fast to resolve, in seconds, for the priorities 1 to 4.
const RESOLUTION_SECONDS: [i64; 4] = [4 * HOUR, 8 * HOUR, 3 * DAY, 5 * DAY];

/// What the states of an incident mean.
const STATUSES: [(&str, TicketState); 8] = [
    ("New", TicketState::New),
    ("Active", TicketState::InProgress),
    ("Awaiting User Info", TicketState::WaitingOnClient),
    ("Awaiting Vendor", TicketState::WaitingOnOutsideParty),
    // Nobody else is waited for: the work goes on under another heading.
    ("Awaiting Problem", TicketState::InProgress),
    ("Awaiting Evidence", TicketState::InProgress),
    ("Resolved", TicketState::Resolved),
    ("Closed", TicketState::Closed),
];

/// Finds what an import needs, or makes it.
///
/// # Errors
/// If the server cannot be reached, or refuses it.
pub async fn prepare(connection: &Connection, instance: &str) -> Result<Place, CliError> {
    let partnership = match find_partnership(connection, instance).await? {
        Some(partnership) => partnership,
        None => create_partnership(connection, instance).await?,
    };
    let agreement = format!("{partnership}/agreements/{AGREEMENT}");
    let place = Place {
        partnership,
        agreement,
        instance: instance.to_owned(),
    };
    ensure_calendar(connection, &place).await?;
    ensure_agreement(connection, &place).await?;
    ensure_status_map(connection, &place).await?;
    Ok(place)
}

fn reference(instance: &str) -> v1::ExternalReference {
    v1::ExternalReference {
        system: SYSTEM.to_owned(),
        instance: instance.to_owned(),
        r#type: "import".to_owned(),
        id: "incidents".to_owned(),
    }
}

async fn find_partnership(
    connection: &Connection,
    instance: &str,
) -> Result<Option<String>, CliError> {
    let partnerships = connection.partnerships();
    let request = v1::ListPartnershipsRequest {
        external_reference: Some(reference(instance)),
        ..Default::default()
    };
    let found = retry(|| {
        let (mut partnerships, request) = (partnerships.clone(), request.clone());
        async move { partnerships.list_partnerships(request).await }
    });
    let found = found
        .await
        .map_err(|status| failed("look for the import's partnership", &status))?;
    Ok(found
        .partnerships
        .into_iter()
        .next()
        .map(|partnership| partnership.name))
}

async fn create_partnership(connection: &Connection, instance: &str) -> Result<String, CliError> {
    let display_name = if instance.is_empty() {
        "ServiceNow import".to_owned()
    } else {
        format!("ServiceNow import: {instance}")
    };
    let request = v1::CreatePartnershipRequest {
        partnership: Some(v1::Partnership {
            display_name,
            ..Default::default()
        }),
        partner_display_name: "Partner of the ServiceNow import".to_owned(),
        role: PartyRole::Peer.into(),
        partner_role: PartyRole::Peer.into(),
        external_reference: Some(reference(instance)),
        request_id: connection.request_id(),
        origin: ORIGIN.to_owned(),
    };
    let partnerships = connection.partnerships();
    let created = retry(|| {
        let (mut partnerships, request) = (partnerships.clone(), request.clone());
        async move { partnerships.create_partnership(request).await }
    });
    match created.await {
        Ok(partnership) => Ok(partnership.name),
        // Another import made it at the same moment.
        Err(status) if is_refused_for(&status, "ALREADY_EXISTS") => {
            find_partnership(connection, instance)
                .await?
                .ok_or_else(|| failed("create the import's partnership", &status))
        }
        Err(status) => Err(failed("create the import's partnership", &status)),
    }
}

/// Whether a record is there, going by the answer to a Get.
fn is_there<T>(answer: Result<T, Status>, what: &str) -> Result<bool, CliError> {
    match answer {
        Ok(_) => Ok(true),
        Err(status) if is_refused_for(&status, "NOT_FOUND") => Ok(false),
        Err(status) => Err(failed(&format!("look for {what}"), &status)),
    }
}

/// Accepts that another import made the record at the same moment.
fn created<T>(answer: Result<T, Status>, what: &str) -> Result<(), CliError> {
    match answer {
        Ok(_) => Ok(()),
        Err(status) if is_refused_for(&status, "ALREADY_EXISTS") => Ok(()),
        Err(status) => Err(failed(&format!("create {what}"), &status)),
    }
}

async fn ensure_calendar(connection: &Connection, place: &Place) -> Result<(), CliError> {
    let sla = connection.sla();
    let request = v1::GetCalendarRequest {
        name: format!("{}/calendars/{CALENDAR}", place.partnership),
    };
    let found = retry(|| {
        let (mut sla, request) = (sla.clone(), request.clone());
        async move { sla.get_calendar(request).await }
    });
    if is_there(found.await, "the calendar")? {
        return Ok(());
    }
    let request = v1::CreateCalendarRequest {
        parent: place.partnership.clone(),
        calendar_id: CALENDAR.to_owned(),
        calendar: Some(always_open()),
        request_id: connection.request_id(),
        origin: ORIGIN.to_owned(),
    };
    let answer = retry(|| {
        let (mut sla, request) = (sla.clone(), request.clone());
        async move { sla.create_calendar(request).await }
    });
    created(answer.await, "the calendar")
}

fn always_open() -> v1::Calendar {
    let days = [
        DayOfWeek::Monday,
        DayOfWeek::Tuesday,
        DayOfWeek::Wednesday,
        DayOfWeek::Thursday,
        DayOfWeek::Friday,
        DayOfWeek::Saturday,
        DayOfWeek::Sunday,
    ];
    let window = |day: DayOfWeek| v1::WeeklyWindow {
        day: day.into(),
        start: "00:00".to_owned(),
        end: "24:00".to_owned(),
    };
    v1::Calendar {
        display_name: "Always open".to_owned(),
        time_zone: "UTC".to_owned(),
        weekly_windows: days.into_iter().map(window).collect(),
        ..Default::default()
    }
}

async fn ensure_agreement(connection: &Connection, place: &Place) -> Result<(), CliError> {
    let sla = connection.sla();
    let request = v1::GetAgreementRequest {
        name: place.agreement.clone(),
    };
    let found = retry(|| {
        let (mut sla, request) = (sla.clone(), request.clone());
        async move { sla.get_agreement(request).await }
    });
    if is_there(found.await, "the agreement")? {
        return Ok(());
    }
    let request = v1::CreateAgreementRequest {
        parent: place.partnership.clone(),
        agreement_id: AGREEMENT.to_owned(),
        agreement: Some(agreement(&place.partnership)),
        request_id: connection.request_id(),
        origin: ORIGIN.to_owned(),
        ..v1::CreateAgreementRequest::default()
    };
    let answer = retry(|| {
        let (mut sla, request) = (sla.clone(), request.clone());
        async move { sla.create_agreement(request).await }
    });
    created(answer.await, "the agreement")
}

fn agreement(partnership: &str) -> v1::Agreement {
    let targets = |target_type: TargetType, seconds: [i64; 4]| {
        (1..)
            .zip(seconds)
            .map(move |(priority, seconds)| v1::ServiceLevelTarget {
                r#type: target_type.into(),
                priority,
                duration: Some(Duration { seconds, nanos: 0 }),
            })
    };
    let first_response = targets(TargetType::FirstResponse, FIRST_RESPONSE_SECONDS);
    let resolution = targets(TargetType::Resolution, RESOLUTION_SECONDS);
    v1::Agreement {
        display_name: "ServiceNow incidents".to_owned(),
        kind: AgreementKind::Ola.into(),
        obligor: OBLIGOR.to_owned(),
        beneficiary: BENEFICIARY.to_owned(),
        targets: first_response.chain(resolution).collect(),
        calendar: format!("{partnership}/calendars/{CALENDAR}"),
        response_by_status: true,
        pausing_states: vec![
            TicketState::WaitingOnClient.into(),
            TicketState::WaitingOnOutsideParty.into(),
        ],
        ..Default::default()
    }
}

async fn ensure_status_map(connection: &Connection, place: &Place) -> Result<(), CliError> {
    let sla = connection.sla();
    let name = format!("{}/statusMaps/{STATUS_MAP}", place.partnership);
    let request = v1::GetStatusMapRequest { name: name.clone() };
    let found = retry(|| {
        let (mut sla, request) = (sla.clone(), request.clone());
        async move { sla.get_status_map(request).await }
    });
    if is_there(found.await, "the status map")? {
        return Ok(());
    }
    let entries = STATUSES.iter().map(|(status, state)| v1::StatusMapEntry {
        status: (*status).to_owned(),
        state: (*state).into(),
    });
    let status_map = v1::StatusMap {
        name,
        system: SYSTEM.to_owned(),
        instance: place.instance.clone(),
        entries: entries.collect(),
        ..Default::default()
    };
    let request = v1::UpdateStatusMapRequest {
        status_map: Some(status_map),
        allow_missing: true,
        request_id: connection.request_id(),
        origin: ORIGIN.to_owned(),
    };
    let answer = retry(|| {
        let (mut sla, request) = (sla.clone(), request.clone());
        async move { sla.update_status_map(request).await }
    });
    created(answer.await, "the status map")
}
