//! Two firms in a partnership, and what they write most.

use entente::proto::google::r#type::{DayOfWeek, Money};
use entente::proto::v1::{
    self, AgreementKind, ImpactScope, PartyRole, Place, Severity, TargetType, TicketState,
};

use super::calls::ok;
use super::house::{Firm, HOUR, House, at, lasting};

/// The party of the firm that created the partnership.
pub const NORTH: &str = "party-1";
/// The party of the firm that joined it.
pub const SOUTH: &str = "party-2";
/// The system that north's tickets come from.
pub const NORTH_PSA: &str = "halopsa";
/// The system that south's tickets come from.
pub const SOUTH_PSA: &str = "autotask";

/// Two firms and their partnership.
pub struct Pair {
    pub north: Firm,
    pub south: Firm,
    /// `partnerships/{partnership}`.
    pub name: String,
}

/// The request for a partnership.
pub fn partnership(display_name: &str) -> v1::CreatePartnershipRequest {
    v1::CreatePartnershipRequest {
        partnership: Some(v1::Partnership {
            display_name: display_name.to_owned(),
            ..Default::default()
        }),
        partner_display_name: "the others".to_owned(),
        role: PartyRole::Prime.into(),
        partner_role: PartyRole::Sub.into(),
        ..Default::default()
    }
}

/// The request for an invitation.
pub fn invitation(name: &str) -> v1::InvitePartnerRequest {
    v1::InvitePartnerRequest {
        name: name.to_owned(),
        ..Default::default()
    }
}

/// The request to join.
pub fn joining(code: &str) -> v1::JoinPartnershipRequest {
    v1::JoinPartnershipRequest {
        code: code.to_owned(),
        ..Default::default()
    }
}

impl Pair {
    /// Both firms joined, no terms yet.
    pub async fn active(house: &House) -> Self {
        Self::between(house, "north", "south").await
    }

    /// The same of any two firms; the first one stands where north would.
    pub async fn between(house: &House, first: &'static str, second: &'static str) -> Self {
        let (north, south) = (house.firm(first).await, house.firm(second).await);
        let mut partnerships = north.connection.partnerships();
        let created = ok(partnerships.create_partnership(partnership("North and South"))).await;
        let invited = ok(partnerships.invite_partner(invitation(&created.name))).await;
        let mut partnerships = south.connection.partnerships();
        let joined = ok(partnerships.join_partnership(joining(&invited.code))).await;
        assert_eq!(joined.state(), v1::PartnershipState::Active);
        Self {
            north,
            south,
            name: created.name,
        }
    }

    /// With a calendar `always`, and the agreement `desk` that south owes north, in force.
    pub async fn with_a_desk(house: &House) -> Self {
        Self::active(house).await.at_a_desk().await
    }

    /// The same of a pair that is there.
    pub async fn at_a_desk(self) -> Self {
        let pair = self;
        pair.calendar().await;
        pair.agreement("desk", pair.desk()).await;
        pair.status_map(&pair.north, NORTH_PSA).await;
        pair
    }

    /// A calendar that is always open.
    pub async fn calendar(&self) -> v1::Calendar {
        let request = v1::CreateCalendarRequest {
            parent: self.name.clone(),
            calendar_id: "always".to_owned(),
            calendar: Some(always()),
            ..Default::default()
        };
        ok(self.north.connection.sla().create_calendar(request)).await
    }

    /// What south owes north at its service desk: for priority 1 a response in 1 hour and a
    /// resolution in 4, for priority 2 in 2 and 10 hours.
    pub fn desk(&self) -> v1::Agreement {
        v1::Agreement {
            display_name: "Service desk".to_owned(),
            kind: AgreementKind::UnderpinningContract.into(),
            obligor: SOUTH.to_owned(),
            beneficiary: NORTH.to_owned(),
            targets: vec![
                target(TargetType::FirstResponse, 1, HOUR),
                target(TargetType::Resolution, 1, 4 * HOUR),
                target(TargetType::FirstResponse, 2, 2 * HOUR),
                target(TargetType::Resolution, 2, 10 * HOUR),
            ],
            calendar: format!("{}/calendars/always", self.name),
            response_by_status: true,
            pausing_states: vec![TicketState::WaitingOnClient.into()],
            ..Default::default()
        }
    }

    /// The request for an agreement.
    pub fn agreement_request(
        &self,
        id: &str,
        agreement: v1::Agreement,
    ) -> v1::CreateAgreementRequest {
        v1::CreateAgreementRequest {
            parent: self.name.clone(),
            agreement_id: id.to_owned(),
            agreement: Some(agreement),
            ..Default::default()
        }
    }

    /// An agreement, proposed by north and approved by south.
    pub async fn agreement(&self, id: &str, agreement: v1::Agreement) -> v1::Agreement {
        let request = self.agreement_request(id, agreement);
        let proposed = ok(self.north.connection.sla().create_agreement(request)).await;
        assert_eq!(proposed.state(), v1::AgreementState::Proposed);
        let request = v1::ApproveAgreementRequest {
            name: proposed.name,
            hash: proposed.hash,
            ..Default::default()
        };
        let approved = ok(self.south.connection.sla().approve_agreement(request)).await;
        assert_eq!(approved.state(), v1::AgreementState::Active);
        approved
    }

    /// The request for a status map that knows `New`, `Open`, `Waiting` and `Done`.
    pub fn status_map_request(&self, system: &str) -> v1::UpdateStatusMapRequest {
        let entry = |(status, state): (&str, TicketState)| v1::StatusMapEntry {
            status: status.to_owned(),
            state: state.into(),
        };
        let entries = [
            ("New", TicketState::New),
            ("Open", TicketState::InProgress),
            ("Waiting", TicketState::WaitingOnClient),
            ("Done", TicketState::Resolved),
        ];
        v1::UpdateStatusMapRequest {
            status_map: Some(v1::StatusMap {
                name: format!("{}/statusMaps/{system}", self.name),
                system: system.to_owned(),
                entries: entries.into_iter().map(entry).collect(),
                ..Default::default()
            }),
            allow_missing: true,
            ..Default::default()
        }
    }

    pub async fn status_map(&self, firm: &Firm, system: &str) -> v1::StatusMap {
        let request = self.status_map_request(system);
        ok(firm.connection.sla().update_status_map(request)).await
    }

    /// The request that brings events.
    pub fn batch(&self, events: Vec<v1::TicketEvent>) -> v1::BatchIngestEventsRequest {
        v1::BatchIngestEventsRequest {
            parent: self.name.clone(),
            events,
            ..Default::default()
        }
    }

    /// What became of events.
    pub async fn ingest(&self, firm: &Firm, events: Vec<v1::TicketEvent>) -> Vec<v1::IngestResult> {
        let request = self.batch(events);
        ok(firm.connection.sla().batch_ingest_events(request))
            .await
            .results
    }

    /// The request for an expectation.
    pub fn draft_request(&self, five_w: v1::FiveW) -> v1::CreateExpectationRequest {
        v1::CreateExpectationRequest {
            parent: self.name.clone(),
            expectation: Some(v1::Expectation {
                title: "Payroll back in time".to_owned(),
                five_w: Some(five_w),
                ..Default::default()
            }),
            ..Default::default()
        }
    }

    /// A draft of north, to be kept by south.
    pub async fn draft(&self) -> v1::Expectation {
        let request = self.draft_request(five_w(48));
        let mut expectations = self.north.connection.expectations();
        ok(expectations.create_expectation(request)).await
    }

    /// An offer by north, to be kept by south.
    pub async fn offer(&self) -> v1::Expectation {
        let draft = self.draft().await;
        let mut expectations = self.north.connection.expectations();
        let offered = ok(expectations.offer_expectation(offering(&draft.name))).await;
        assert_eq!(offered.state(), v1::ExpectationState::Offered);
        offered
    }

    /// Agreed by both, to be kept by south.
    pub async fn agreed(&self) -> v1::Expectation {
        let offered = self.offer().await;
        let mut expectations = self.south.connection.expectations();
        ok(expectations.agree_expectation(agreeing(&offered.name, 1))).await
    }

    /// The request for a quote in euros, with portions of `(id, price)` in cents.
    pub fn quote_request(&self, portions: &[(&str, i64)]) -> v1::CreateJointQuoteRequest {
        v1::CreateJointQuoteRequest {
            parent: self.name.clone(),
            joint_quote: Some(v1::JointQuote {
                display_name: "New warehouse".to_owned(),
                currency: "EUR".to_owned(),
                expire_time: Some(at(30 * 24 * HOUR)),
                portions: portions
                    .iter()
                    .map(|(id, cents)| portion(id, *cents))
                    .collect(),
                ..Default::default()
            }),
            ..Default::default()
        }
    }

    /// A quote with portions of north and of south.
    pub async fn quote(&self, north: &[(&str, i64)], south: &[(&str, i64)]) -> v1::JointQuote {
        let request = self.quote_request(north);
        let mut pricing = self.north.connection.pricing();
        let mut quote = ok(pricing.create_joint_quote(request)).await;
        for (id, cents) in south {
            let request = v1::AddPortionRequest {
                name: quote.name,
                portion: Some(portion(id, *cents)),
                ..Default::default()
            };
            quote = ok(self.south.connection.pricing().add_portion(request)).await;
        }
        quote
    }
}

/// A calendar that is open day and night.
pub fn always() -> v1::Calendar {
    let windows =
        (DayOfWeek::Monday.into()..=DayOfWeek::Sunday.into()).map(|day| v1::WeeklyWindow {
            day,
            start: "00:00".to_owned(),
            end: "24:00".to_owned(),
        });
    v1::Calendar {
        display_name: "Day and night".to_owned(),
        time_zone: "UTC".to_owned(),
        weekly_windows: windows.collect(),
        ..Default::default()
    }
}

pub fn target(target_type: TargetType, priority: i32, seconds: i64) -> v1::ServiceLevelTarget {
    v1::ServiceLevelTarget {
        r#type: target_type.into(),
        priority,
        duration: Some(lasting(seconds)),
    }
}

/// A ticket as a PSA knows it.
pub fn ticket(system: &str, id: &str) -> v1::ExternalReference {
    v1::ExternalReference {
        system: system.to_owned(),
        instance: String::new(),
        r#type: "ticket".to_owned(),
        id: id.to_owned(),
    }
}

/// An event of a ticket, so many seconds after the beginning.
pub fn event(id: &str, ticket: &v1::ExternalReference, seconds: i64) -> v1::TicketEvent {
    v1::TicketEvent {
        event_id: id.to_owned(),
        ticket: Some(ticket.clone()),
        occur_time: Some(at(seconds)),
        ..Default::default()
    }
}

/// An event that says the status.
pub fn status(
    id: &str,
    ticket: &v1::ExternalReference,
    seconds: i64,
    status: &str,
) -> v1::TicketEvent {
    v1::TicketEvent {
        status: Some(status.to_owned()),
        ..event(id, ticket, seconds)
    }
}

/// The event that opens a ticket.
pub fn opening(
    id: &str,
    ticket: &v1::ExternalReference,
    seconds: i64,
    priority: i32,
) -> v1::TicketEvent {
    v1::TicketEvent {
        priority: Some(priority),
        open_time: Some(at(seconds)),
        title: "Payroll is down".to_owned(),
        ..status(id, ticket, seconds, "New")
    }
}

/// All five questions answered; the deadline is so many hours after the beginning.
pub fn five_w(deadline_hours: i64) -> v1::FiveW {
    v1::FiveW {
        who: Some(v1::Who {
            scope: ImpactScope::Team.into(),
            people_count: 12,
            description: "the payroll office".to_owned(),
        }),
        what: Some(v1::What {
            severity: Severity::Stopped.into(),
            cost_per_hour: Some(euros(40_050)),
            description: "nobody can pay".to_owned(),
        }),
        when: Some(v1::When {
            deadline: Some(at(deadline_hours * HOUR)),
            reason: "the bank closes".to_owned(),
            update_interval: None,
        }),
        r#where: Some(v1::Where {
            place: Place::OnSite.into(),
            site: "the head office".to_owned(),
        }),
        how: Some(v1::How {
            criteria: vec![
                "a test payment goes through".to_owned(),
                "it is logged".to_owned(),
            ],
        }),
    }
}

pub fn offering(name: &str) -> v1::OfferExpectationRequest {
    v1::OfferExpectationRequest {
        name: name.to_owned(),
        message: "please".to_owned(),
        ..Default::default()
    }
}

pub fn agreeing(name: &str, offer_number: i32) -> v1::AgreeExpectationRequest {
    v1::AgreeExpectationRequest {
        name: name.to_owned(),
        offer_number,
        ..Default::default()
    }
}

pub fn fulfilling(name: &str) -> v1::FulfilExpectationRequest {
    v1::FulfilExpectationRequest {
        name: name.to_owned(),
        message: "done".to_owned(),
        ..Default::default()
    }
}

/// A criterion that is met, without a piece of evidence.
pub fn met(criterion: u32) -> v1::CriterionEvidence {
    v1::CriterionEvidence {
        criterion,
        ..Default::default()
    }
}

pub fn accepting(name: &str, criteria_met: &[u32]) -> v1::AcceptFulfilmentRequest {
    v1::AcceptFulfilmentRequest {
        name: name.to_owned(),
        criteria_met: criteria_met.iter().copied().map(met).collect(),
        message: "thank you".to_owned(),
        ..Default::default()
    }
}

/// Cents as the contract writes them.
pub fn euros(cents: i64) -> Money {
    Money {
        currency_code: "EUR".to_owned(),
        units: cents / 100,
        nanos: i32::try_from(cents % 100).unwrap() * 10_000_000,
    }
}

/// The cents of an amount in euros.
pub fn cents(amount: Option<&Money>) -> i64 {
    let amount = amount.expect("an amount");
    assert_eq!(amount.currency_code, "EUR");
    amount.units * 100 + i64::from(amount.nanos / 10_000_000)
}

pub fn portion(id: &str, cents: i64) -> v1::Portion {
    v1::Portion {
        portion_id: id.to_owned(),
        description: format!("what {id} is"),
        price: Some(euros(cents)),
        ..Default::default()
    }
}
