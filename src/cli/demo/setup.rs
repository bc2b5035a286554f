//! First act: the firms form their partnership and agree what they owe each other.

use super::desk::{DESKS, Desk, HARBOUR, NIGHTDESK};
use super::quarter::{HOUR_MINUTES, MINUTE, OTHER_HOURS, OtherHours, ZONE, office_hours};
use super::stage::{Actor, ORIGIN, PRIME, SUB, Stage, call, present, seconds, states};
use crate::cli::CliError;
use crate::proto::google::r#type::{Date, DayOfWeek};
use crate::proto::v1::{self, AgreementKind, OutsidePartyKind, PartyRole, TargetType, TicketState};

/// Id of the calendar of Harbour IT's office.
const OFFICE: &str = "harbour-office";
/// Id of the calendar of Nightdesk.
const ALWAYS: &str = "nightdesk-always";
/// Days of a week, Monday first.
const WEEK: [DayOfWeek; 7] = [
    DayOfWeek::Monday,
    DayOfWeek::Tuesday,
    DayOfWeek::Wednesday,
    DayOfWeek::Thursday,
    DayOfWeek::Friday,
    DayOfWeek::Saturday,
    DayOfWeek::Sunday,
];
/// How many days of [`WEEK`] are working days.
const WORKING_DAYS: usize = 5;
/// What the firms settled, in their own words.
const TERMS: &str = "We answer each other as fast as we want to be answered. What the client gets \
                     off the price we bear 60 to 40. Silence is never consent.";

/// What the first act leaves behind.
#[derive(Clone, Debug)]
pub struct Setting {
    /// The partnership, both firms in it, terms approved.
    pub partnership: v1::Partnership,
    /// The client.
    pub client: v1::Client,
    /// The carrier that both have to wait for now and then.
    pub carrier: v1::OutsideParty,
    /// The calendars, Harbour IT's first.
    pub calendars: Vec<v1::Calendar>,
    /// The agreements in the order of [`DESKS`], approved by both firms.
    pub agreements: Vec<v1::Agreement>,
}

/// Plays the first act.
///
/// # Errors
/// If the server refuses something.
pub async fn play(stage: &Stage) -> Result<Setting, CliError> {
    let name = Box::pin(form(stage)).await?;
    let partnership = settle_terms(stage, &name).await?;
    let client = create_client(&stage.harbour, &name).await?;
    let carrier = create_carrier(&stage.harbour, &name).await?;
    let calendars = vec![
        create_calendar(&stage.harbour, &name, OFFICE, office()).await?,
        create_calendar(&stage.nightdesk, &name, ALWAYS, always()).await?,
    ];
    let mut agreements = Vec::new();
    for (desk, terms) in DESKS
        .into_iter()
        .zip([service_desk(&name), second_line(&name)])
    {
        agreements.push(agree(stage, &name, desk, terms).await?);
        explain_statuses(owner(stage, desk), &name, desk).await?;
    }
    Ok(Setting {
        partnership,
        client,
        carrier,
        calendars,
        agreements,
    })
}

/// The firm that a desk belongs to.
#[must_use]
pub fn owner<'a>(stage: &'a Stage, desk: &Desk) -> &'a Actor {
    if desk.system == NIGHTDESK.system {
        &stage.nightdesk
    } else {
        &stage.harbour
    }
}

/// Harbour IT begins alone and hands a code to Nightdesk, which joins with it.
async fn form(stage: &Stage) -> Result<String, CliError> {
    let Stage {
        harbour, nightdesk, ..
    } = stage;
    let request = v1::CreatePartnershipRequest {
        partnership: Some(v1::Partnership {
            display_name: "Harbour IT and Nightdesk".to_owned(),
            ..v1::Partnership::default()
        }),
        partner_display_name: "our new service desk".to_owned(),
        role: PartyRole::Prime.into(),
        partner_role: PartyRole::Sub.into(),
        external_reference: None,
        request_id: harbour.request_id(),
        origin: ORIGIN.to_owned(),
    };
    let mut partnerships = harbour.partnerships();
    let created = call(
        "create the partnership",
        partnerships.create_partnership(request),
    )
    .await?;
    let request = v1::InvitePartnerRequest {
        name: created.name.clone(),
        request_id: harbour.request_id(),
        origin: ORIGIN.to_owned(),
        ..v1::InvitePartnerRequest::default()
    };
    let invited = call(
        "invite Nightdesk",
        harbour.partnerships().invite_partner(request),
    )
    .await?;
    let request = v1::JoinPartnershipRequest {
        code: invited.code,
        display_name: "Nightdesk".to_owned(),
        request_id: nightdesk.request_id(),
        origin: ORIGIN.to_owned(),
    };
    call("join", nightdesk.partnerships().join_partnership(request)).await?;
    Ok(created.name)
}

/// Harbour IT proposes terms; Nightdesk approves them by their hash.
async fn settle_terms(stage: &Stage, name: &str) -> Result<v1::Partnership, CliError> {
    let Stage {
        harbour, nightdesk, ..
    } = stage;
    let share = |party: &str, share_bps| v1::PartyShare {
        party_id: party.to_owned(),
        share_bps,
    };
    let request = v1::ProposeTermsRequest {
        name: name.to_owned(),
        terms: Some(v1::Terms {
            text: TERMS.to_owned(),
            shares: vec![share(PRIME, 6_000), share(SUB, 4_000)],
            ..v1::Terms::default()
        }),
        request_id: harbour.request_id(),
        origin: ORIGIN.to_owned(),
        ..v1::ProposeTermsRequest::default()
    };
    let proposed = call(
        "propose terms",
        harbour.partnerships().propose_terms(request),
    )
    .await?;
    let request = v1::ApproveTermsRequest {
        name: name.to_owned(),
        hash: present(proposed.proposed_terms, "the proposed terms")?.hash,
        request_id: nightdesk.request_id(),
        origin: ORIGIN.to_owned(),
        ..v1::ApproveTermsRequest::default()
    };
    call(
        "approve the terms",
        nightdesk.partnerships().approve_terms(request),
    )
    .await
}

async fn create_client(actor: &Actor, name: &str) -> Result<v1::Client, CliError> {
    let request = v1::CreateClientRequest {
        parent: name.to_owned(),
        client_id: "brandt-freight".to_owned(),
        client: Some(v1::Client {
            display_name: "Brandt Freight".to_owned(),
            ..v1::Client::default()
        }),
        request_id: actor.request_id(),
        origin: ORIGIN.to_owned(),
    };
    call(
        "create the client",
        actor.partnerships().create_client(request),
    )
    .await
}

async fn create_carrier(actor: &Actor, name: &str) -> Result<v1::OutsideParty, CliError> {
    let request = v1::CreateOutsidePartyRequest {
        parent: name.to_owned(),
        outside_party_id: "coastal-fibre".to_owned(),
        outside_party: Some(v1::OutsideParty {
            display_name: "Coastal Fibre".to_owned(),
            kind: OutsidePartyKind::Carrier.into(),
            ..v1::OutsideParty::default()
        }),
        request_id: actor.request_id(),
        origin: ORIGIN.to_owned(),
    };
    call(
        "create the carrier",
        actor.partnerships().create_outside_party(request),
    )
    .await
}

async fn create_calendar(
    actor: &Actor,
    name: &str,
    id: &str,
    calendar: v1::Calendar,
) -> Result<v1::Calendar, CliError> {
    let request = v1::CreateCalendarRequest {
        parent: name.to_owned(),
        calendar_id: id.to_owned(),
        calendar: Some(calendar),
        request_id: actor.request_id(),
        origin: ORIGIN.to_owned(),
    };
    call("create a calendar", actor.sla().create_calendar(request)).await
}

/// Minutes after midnight as a calendar spells them.
fn clock_time(minutes: i64) -> String {
    format!(
        "{:02}:{:02}",
        minutes / HOUR_MINUTES,
        minutes % HOUR_MINUTES
    )
}

fn office() -> v1::Calendar {
    // The hours of any ordinary working day.
    let ordinary = office_hours(jiff::civil::date(2026, 1, 14));
    let windows = ordinary.into_iter().flat_map(|(opens, closes)| {
        WEEK[..WORKING_DAYS]
            .iter()
            .map(move |day| v1::WeeklyWindow {
                day: (*day).into(),
                start: clock_time(opens),
                end: clock_time(closes),
            })
    });
    v1::Calendar {
        display_name: "Harbour IT's office".to_owned(),
        time_zone: ZONE.to_owned(),
        weekly_windows: windows.collect(),
        exceptions: OTHER_HOURS.iter().map(exception).collect(),
        ..v1::Calendar::default()
    }
}

fn exception(other: &OtherHours) -> v1::CalendarException {
    let date = |day: jiff::civil::Date| Date {
        year: day.year().into(),
        month: day.month().into(),
        day: day.day().into(),
    };
    let window = |(opens, closes)| v1::DailyWindow {
        start: clock_time(opens),
        end: clock_time(closes),
    };
    v1::CalendarException {
        start_date: Some(date(other.first)),
        end_date: Some(date(other.last)),
        windows: other.open.into_iter().map(window).collect(),
        description: other.description.to_owned(),
    }
}

fn always() -> v1::Calendar {
    let window = |day: &DayOfWeek| v1::WeeklyWindow {
        day: (*day).into(),
        start: "00:00".to_owned(),
        end: "24:00".to_owned(),
    };
    v1::Calendar {
        display_name: "Nightdesk, day and night".to_owned(),
        time_zone: "UTC".to_owned(),
        weekly_windows: WEEK.iter().map(window).collect(),
        ..v1::Calendar::default()
    }
}

fn targets(desk: &Desk) -> Vec<v1::ServiceLevelTarget> {
    let of = |target_type: TargetType, minutes: [i64; 4]| {
        (1..)
            .zip(minutes)
            .map(move |(priority, minutes)| v1::ServiceLevelTarget {
                r#type: target_type.into(),
                priority,
                duration: Some(seconds(minutes * MINUTE)),
            })
    };
    let response = of(TargetType::FirstResponse, desk.response_minutes);
    response
        .chain(of(TargetType::Resolution, desk.resolution_minutes))
        .collect()
}

fn pausing_states() -> Vec<i32> {
    states(&[
        TicketState::WaitingOnClient,
        TicketState::WaitingOnPartner,
        TicketState::WaitingOnOutsideParty,
    ])
}

/// What Nightdesk owes Harbour IT.
fn service_desk(name: &str) -> v1::Agreement {
    v1::Agreement {
        display_name: "Service desk".to_owned(),
        kind: AgreementKind::UnderpinningContract.into(),
        obligor: SUB.to_owned(),
        beneficiary: PRIME.to_owned(),
        targets: targets(&NIGHTDESK),
        calendar: format!("{name}/calendars/{ALWAYS}"),
        response_by_status: true,
        pausing_states: pausing_states(),
        ..v1::Agreement::default()
    }
}

/// What Harbour IT owes Nightdesk for what that hands on.
fn second_line(name: &str) -> v1::Agreement {
    v1::Agreement {
        display_name: "Second line".to_owned(),
        kind: AgreementKind::Ola.into(),
        obligor: PRIME.to_owned(),
        beneficiary: SUB.to_owned(),
        targets: targets(&HARBOUR),
        calendar: format!("{name}/calendars/{OFFICE}"),
        pausing_states: pausing_states(),
        ..v1::Agreement::default()
    }
}

/// The firm that owes proposes; the other approves by hash.
async fn agree(
    stage: &Stage,
    name: &str,
    desk: &Desk,
    agreement: v1::Agreement,
) -> Result<v1::Agreement, CliError> {
    let firm = owner(stage, desk);
    let other = if agreement.beneficiary == PRIME {
        &stage.harbour
    } else {
        &stage.nightdesk
    };
    let request = v1::CreateAgreementRequest {
        parent: name.to_owned(),
        agreement_id: desk.agreement.to_owned(),
        agreement: Some(agreement),
        request_id: firm.request_id(),
        origin: ORIGIN.to_owned(),
        ..v1::CreateAgreementRequest::default()
    };
    let proposed = call("propose an agreement", firm.sla().create_agreement(request)).await?;
    let request = v1::ApproveAgreementRequest {
        name: proposed.name,
        hash: proposed.hash,
        request_id: other.request_id(),
        origin: ORIGIN.to_owned(),
        ..v1::ApproveAgreementRequest::default()
    };
    call(
        "approve an agreement",
        other.sla().approve_agreement(request),
    )
    .await
}

/// Says what the words of a firm's PSA mean.
async fn explain_statuses(actor: &Actor, name: &str, desk: &Desk) -> Result<(), CliError> {
    let entry = |(status, state): (&str, TicketState)| v1::StatusMapEntry {
        status: status.to_owned(),
        state: state.into(),
    };
    let request = v1::UpdateStatusMapRequest {
        status_map: Some(v1::StatusMap {
            name: format!("{name}/statusMaps/{}", desk.system),
            system: desk.system.to_owned(),
            entries: desk.words.meanings().into_iter().map(entry).collect(),
            ..v1::StatusMap::default()
        }),
        allow_missing: true,
        request_id: actor.request_id(),
        origin: ORIGIN.to_owned(),
    };
    call(
        "explain the statuses",
        actor.sla().update_status_map(request),
    )
    .await?;
    Ok(())
}
