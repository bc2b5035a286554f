//! Two firms and a service desk between them, over a real server, with time as it passes.

use std::future::Future;
use std::net::SocketAddr;

use entente::cli::client::{ApiKey, Connection, RequestIds, connect};
use entente::domain::time::MICROS_PER_SECOND;
use entente::ledger::Clock as _;
use entente::proto::google::r#type::DayOfWeek;
use entente::proto::v1::{self, AgreementKind, PartyRole, TargetType, TicketState};
use entente::server::environment::SystemClock;
use tonic::{Response, Status};

use super::program;

/// The system that tickets come from.
pub const SYSTEM: &str = "halopsa";
const NANOS_PER_MICRO: i32 = 1_000;

/// Two firms in a partnership.
pub struct Desk {
    /// The firm that began it.
    pub north: Connection,
    /// The firm that joined it.
    pub south: Connection,
    /// `partnerships/{partnership}`.
    pub name: String,
}

// Not every test binary uses all of it.
const _: () = {
    let _ = Desk::open_tickets;
    let _ = Desk::clients;
    let _ = Desk::head_sequence;
};

/// A firm's connection by a key.
pub async fn connected(address: SocketAddr, key: &str, prefix: &str) -> Connection {
    let ids = RequestIds::new(prefix);
    let connected = connect(&address.to_string(), &ApiKey::new(key), ids).await;
    connected.expect("it answers")
}

async fn ok<T>(call: impl Future<Output = Result<Response<T>, Status>>) -> T {
    call.await.expect("it is accepted").into_inner()
}

impl Desk {
    /// Makes keys directly on the database, and everything else over `address`: a calendar that is
    /// always open, a status map, and an agreement of south with north: a response in two seconds, a
    /// resolution in four.
    pub async fn open(url: &str, address: SocketAddr) -> Self {
        Box::pin(Self::opened(url, address)).await
    }

    async fn opened(url: &str, address: SocketAddr) -> Self {
        let (north, south) = (
            Box::pin(program::key(url, "north")).await,
            Box::pin(program::key(url, "south")).await,
        );
        let north = connected(address, &north, "north").await;
        let south = connected(address, &south, "south").await;
        let request = v1::CreatePartnershipRequest {
            partnership: Some(v1::Partnership {
                display_name: "North and South".to_owned(),
                ..Default::default()
            }),
            partner_display_name: "South".to_owned(),
            role: PartyRole::Prime.into(),
            partner_role: PartyRole::Sub.into(),
            ..Default::default()
        };
        let name = ok(north.partnerships().create_partnership(request))
            .await
            .name;
        let request = v1::InvitePartnerRequest {
            name: name.clone(),
            ..Default::default()
        };
        let code = ok(north.partnerships().invite_partner(request)).await.code;
        let request = v1::JoinPartnershipRequest {
            code,
            ..Default::default()
        };
        ok(south.partnerships().join_partnership(request)).await;
        let desk = Self { north, south, name };
        desk.furnish().await;
        desk
    }

    async fn furnish(&self) {
        let windows = (DayOfWeek::Monday.into()..=DayOfWeek::Sunday.into())
            .map(|day| v1::WeeklyWindow {
                day,
                start: "00:00".to_owned(),
                end: "24:00".to_owned(),
            })
            .collect();
        let request = v1::CreateCalendarRequest {
            parent: self.name.clone(),
            calendar_id: "always".to_owned(),
            calendar: Some(v1::Calendar {
                display_name: "Day and night".to_owned(),
                time_zone: "UTC".to_owned(),
                weekly_windows: windows,
                ..Default::default()
            }),
            ..Default::default()
        };
        ok(self.north.sla().create_calendar(request)).await;
        let target = |target: TargetType, seconds| v1::ServiceLevelTarget {
            r#type: target.into(),
            priority: 1,
            duration: Some(prost_types::Duration { seconds, nanos: 0 }),
        };
        let request = v1::CreateAgreementRequest {
            parent: self.name.clone(),
            agreement_id: "desk".to_owned(),
            agreement: Some(v1::Agreement {
                display_name: "Service desk".to_owned(),
                kind: AgreementKind::UnderpinningContract.into(),
                obligor: "party-2".to_owned(),
                beneficiary: "party-1".to_owned(),
                targets: vec![
                    target(TargetType::FirstResponse, 2),
                    target(TargetType::Resolution, 4),
                ],
                calendar: format!("{}/calendars/always", self.name),
                ..Default::default()
            }),
            ..Default::default()
        };
        let proposed = ok(self.north.sla().create_agreement(request)).await;
        let request = v1::ApproveAgreementRequest {
            name: proposed.name,
            hash: proposed.hash,
            ..Default::default()
        };
        ok(self.south.sla().approve_agreement(request)).await;
        let request = v1::UpdateStatusMapRequest {
            status_map: Some(v1::StatusMap {
                name: format!("{}/statusMaps/{SYSTEM}", self.name),
                system: SYSTEM.to_owned(),
                entries: vec![v1::StatusMapEntry {
                    status: "New".to_owned(),
                    state: TicketState::New.into(),
                }],
                ..Default::default()
            }),
            allow_missing: true,
            ..Default::default()
        };
        ok(self.north.sla().update_status_map(request)).await;
    }

    /// The request that records a client of a name that nobody else has.
    pub fn client_request(&self, display_name: &str) -> v1::CreateClientRequest {
        v1::CreateClientRequest {
            parent: self.name.clone(),
            client: Some(v1::Client {
                display_name: display_name.to_owned(),
                ..Default::default()
            }),
            request_id: display_name.to_owned(),
            ..Default::default()
        }
    }

    /// Records clients, one after the other.
    pub async fn clients(&self, names: &[&str]) {
        for name in names {
            ok(self
                .north
                .partnerships()
                .create_client(self.client_request(name)))
            .await;
        }
    }

    /// The sequence of the last entry of the partnership's journal.
    pub async fn head_sequence(&self) -> i64 {
        let request = v1::GetCheckpointRequest {
            name: self.name.clone(),
        };
        ok(self.north.journal().get_checkpoint(request))
            .await
            .sequence
    }

    /// The request that opens tickets now.
    pub fn open_tickets(&self, ids: &[String]) -> v1::BatchIngestEventsRequest {
        let micros = SystemClock.now().as_micros();
        let now = prost_types::Timestamp {
            seconds: micros / MICROS_PER_SECOND,
            nanos: i32::try_from(micros % MICROS_PER_SECOND).expect("small") * NANOS_PER_MICRO,
        };
        let event = |id: &String| v1::TicketEvent {
            event_id: format!("open-{id}"),
            ticket: Some(v1::ExternalReference {
                system: SYSTEM.to_owned(),
                instance: String::new(),
                r#type: "ticket".to_owned(),
                id: id.clone(),
            }),
            occur_time: Some(now),
            open_time: Some(now),
            priority: Some(1),
            status: Some("New".to_owned()),
            title: "Payroll is down".to_owned(),
            ..Default::default()
        };
        v1::BatchIngestEventsRequest {
            parent: self.name.clone(),
            events: ids.iter().map(event).collect(),
            ..Default::default()
        }
    }
}
