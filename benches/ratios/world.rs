//! The world that is measured: partnerships with an agreement each, and tickets spread over them.

use std::collections::BTreeSet;
use std::sync::Arc;

use entente::cli::keys::{KeyRequest, create_key};
use entente::domain::command::{Action, Command};
use entente::domain::firm::FirmCommand;
use entente::domain::identity::{ExternalReference, FirmId, PartyId, ScopeId};
use entente::domain::partnership::{PartnershipOpening, Role};
use entente::domain::sla::agreement::{AgreementCommand, AgreementContent, AgreementType};
use entente::domain::sla::calendar::{
    CalendarSpecification, DayWindow, MinuteOfDay, Weekday, WeeklyWindow,
};
use entente::domain::sla::clock::{
    Priority, RetargetRule, ServiceLevelTarget, TargetType, TicketState,
};
use entente::domain::sla::settings::{SettingsCommand, StatusMap};
use entente::domain::sla::ticket::{IngestEvent, TicketCommand};
use entente::domain::time::{Span, Timestamp};
use entente::ledger::queue::Urgency;
use entente::ledger::{Ledger, Settings};
use entente::server::{Application, Environment};
use entente::store;

/// Partnerships in the world.
pub const PARTNERSHIPS: u64 = 64;
/// Tickets in the world.
pub const TICKETS: u64 = 10_000;
/// Statuses that events walk through.
const STATUSES: [&str; 4] = ["Active", "Waiting", "Active", "Resolved"];

/// How much there is in a world.
#[derive(Clone, Copy)]
pub struct Size {
    pub partnerships: u64,
    pub tickets: u64,
}

/// A running application over a filled database.
pub struct World {
    pub application: Application,
    pub api_key: String,
    pub firm: FirmId,
    pub partnerships: Arc<Vec<String>>,
}

impl World {
    /// Opens and fills a database. `tickets` may be fewer than [`TICKETS`].
    pub async fn start(database_url: &str, settings: Settings, tickets: u64) -> Self {
        let environment = Environment {
            settings,
            sweeping: false,
            ..Environment::default()
        };
        let size = Size {
            partnerships: PARTNERSHIPS,
            tickets,
        };
        Self::start_in(database_url, environment, size).await
    }

    /// Opens and fills a database as large as that.
    pub async fn start_in(database_url: &str, environment: Environment, size: Size) -> Self {
        store::migrate(database_url).await.expect("the schema");
        let opened = store::open(database_url).await.expect("the database");
        let application = Application::start(opened, environment)
            .await
            .expect("the application");
        let firm = FirmId::parse("bench").expect("a firm id");
        let key = create_key(
            &application,
            &firm,
            "Bench",
            KeyRequest {
                display_name: "bench".to_owned(),
                ..KeyRequest::default()
            },
        )
        .await
        .expect("a key");
        let mut world = Self {
            application,
            api_key: key.api_key,
            firm,
            partnerships: Arc::default(),
        };
        let mut partnerships = Vec::new();
        for number in 0..size.partnerships {
            partnerships.push(world.partnership(number).await);
        }
        world.partnerships = Arc::new(partnerships);
        world.fill(size.tickets).await;
        world
    }

    /// The ledger.
    pub fn ledger(&self) -> &Ledger {
        &self.application.api.ledger
    }

    async fn partnership(&self, number: u64) -> String {
        let opening = PartnershipOpening {
            display_name: format!("Partnership {number}"),
            firm_display_name: "Bench".to_owned(),
            role: Role::Prime,
            partner_display_name: "Partner".to_owned(),
            partner_role: Role::Sub,
            external_reference: None,
        };
        let firm_scope = self.firm.scope();
        let receipt = self
            .run(
                &firm_scope,
                &format!("open-{number}"),
                Action::Firm(FirmCommand::OpenPartnership(opening)),
            )
            .await;
        let scope = ScopeId::partnership(&receipt.id);
        let actions = [
            Action::Settings(SettingsCommand::CreateCalendar {
                id: Some("weekdays".to_owned()),
                display_name: "Weekdays".to_owned(),
                specification: weekdays(),
            }),
            Action::Agreement(AgreementCommand::Create {
                id: Some("sla".to_owned()),
                content: agreement(),
                calendar: None,
            }),
            Action::Settings(SettingsCommand::UpdateStatusMap {
                id: "map".to_owned(),
                allow_missing: true,
                map: status_map(&self.firm),
            }),
        ];
        for (step, action) in actions.into_iter().enumerate() {
            self.run(&scope, &format!("setup-{step}"), action).await;
        }
        receipt.id
    }

    async fn run(
        &self,
        scope: &ScopeId,
        request_id: &str,
        action: Action,
    ) -> entente::ledger::Receipt {
        let command = command(&self.firm, scope.clone(), request_id.to_owned(), action);
        self.ledger()
            .submit(command, None, Urgency::Interactive)
            .await
            .expect("the world is made")
    }

    async fn fill(&self, tickets: u64) {
        let numbers: Vec<u64> = (0..tickets).collect();
        for chunk in numbers.chunks(2_000) {
            let commands = chunk.iter().map(|number| self.event(*number, 0)).collect();
            for answer in self
                .ledger()
                .submit_all(commands, None, Urgency::Interactive)
                .await
            {
                answer.expect("a ticket");
            }
        }
    }

    /// Event number `step` of a ticket.
    pub fn event(&self, ticket: u64, step: u64) -> Command {
        event(
            &self.firm,
            &self.partnerships,
            self.application.api.now(),
            ticket,
            step,
        )
    }
}

/// Event number `step` of a ticket; step 0 opens it.
pub fn event(
    firm: &FirmId,
    partnerships: &[String],
    now: Timestamp,
    ticket: u64,
    step: u64,
) -> Command {
    let ticket_number = usize::try_from(ticket).expect("small");
    let partnership = &partnerships[ticket_number % partnerships.len()];
    let status = STATUSES[usize::try_from(step % 4).expect("small")];
    let ingest = IngestEvent {
        five_w: None,
        event_id: format!("bench-{ticket}-{step}"),
        reference: ExternalReference {
            firm: firm.clone(),
            system: "bench".to_owned(),
            instance: String::new(),
            reference_type: "ticket".to_owned(),
            id: format!("T{ticket}"),
        },
        occurred_at: now,
        source_sequence: i64::try_from(step).expect("small"),
        opened_at: None,
        priority: (step == 0).then(|| Priority::new(3).expect("a priority")),
        source_priority: None,
        status: Some(status.to_owned()),
        marks: BTreeSet::new(),
        person: None,
        reported_at: None,
        merged_into: None,
        agreement: None,
        title: None,
        backfill: false,
    };
    command(
        firm,
        ScopeId::partnership(partnership),
        String::new(),
        Action::Ticket(TicketCommand::Ingest(Box::new(ingest))),
    )
}

/// A command of the firm.
pub fn command(firm: &FirmId, scope: ScopeId, request_id: String, action: Action) -> Command {
    Command {
        scope,
        firm: Some(firm.clone()),
        actor: "bench".to_owned(),
        origin: String::new(),
        request_id,
        digest: [0; 32],
        expected_revision: None,
        action,
        openings: Vec::new(),
    }
}

fn weekdays() -> CalendarSpecification {
    let time = |text: &str| MinuteOfDay::parse(text).expect("a time");
    let window = DayWindow {
        start: time("08:00"),
        end: time("18:00"),
    };
    let days = [
        Weekday::Monday,
        Weekday::Tuesday,
        Weekday::Wednesday,
        Weekday::Thursday,
        Weekday::Friday,
    ];
    let weekly_windows = days
        .map(|day| WeeklyWindow {
            day,
            start: window.start,
            end: window.end,
        })
        .to_vec();
    CalendarSpecification {
        time_zone: "Europe/Berlin".to_owned(),
        weekly_windows,
        exceptions: Vec::new(),
    }
}

/// What each partnership's agreement says.
pub fn agreement() -> AgreementContent {
    let target = |target_type, priority, hours| ServiceLevelTarget {
        target_type,
        priority: Priority::new(priority).expect("a priority"),
        duration: Span::from_hours(hours),
    };
    let targets = (1..=4)
        .flat_map(|priority| {
            let hours = i64::from(priority);
            [
                target(TargetType::FirstResponse, priority, hours),
                target(TargetType::Resolution, priority, 8 * hours),
            ]
        })
        .collect();
    AgreementContent {
        display_name: "SLA".to_owned(),
        agreement_type: AgreementType::Sla,
        obligor: PartyId::numbered(1),
        beneficiary: PartyId::numbered(2),
        client: None,
        targets,
        calendar: "weekdays".to_owned(),
        calendar_revision: 0,
        response_by_state: true,
        pausing_states: vec![TicketState::WaitingOnClient],
        thresholds_bps: Vec::new(),
        retarget_rule: RetargetRule::default(),
        reopen_rules: Vec::new(),
        escalation_levels: Vec::new(),
        priority_matrix: Vec::new(),
    }
}

fn status_map(firm: &FirmId) -> StatusMap {
    let entries = [
        ("Active", TicketState::InProgress),
        ("Waiting", TicketState::WaitingOnClient),
        ("Resolved", TicketState::Resolved),
    ];
    StatusMap {
        firm: firm.clone(),
        system: "bench".to_owned(),
        instance: String::new(),
        entries: entries
            .into_iter()
            .map(|(status, state)| (status.to_owned(), state))
            .collect(),
        adopted_from: None,
    }
}
