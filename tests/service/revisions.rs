//! Agreements are revised by all firms together, and revisions reach open tickets only by a repin.

use super::calls::{faulty, ok, refuses};
use super::house::{HOUR, House, at};
use super::setting::{NORTH_PSA, Pair, always, opening, target, ticket};
use entente::proto::google::r#type::DayOfWeek;
use entente::proto::v1::{self, AgreementState, TargetType, Verdict};

/// More tickets than the sweeper looks at in one step.
const TICKETS: usize = 600;
/// Events of one call.
const EVENTS_A_CALL: usize = 200;

impl Pair {
    fn revision(
        &self,
        agreement: v1::Agreement,
        repin_seconds: Option<i64>,
    ) -> v1::ReviseAgreementRequest {
        v1::ReviseAgreementRequest {
            name: format!("{}/agreements/desk", self.name),
            agreement: Some(agreement),
            repin_time: repin_seconds.map(at),
            ..Default::default()
        }
    }

    /// Proposed by north, approved by south.
    async fn revised(&self, agreement: v1::Agreement, repin_seconds: Option<i64>) -> v1::Agreement {
        let request = self.revision(agreement, repin_seconds);
        let proposed = ok(self.north.connection.sla().revise_agreement(request)).await;
        let hash = proposed.proposed_revision.unwrap().hash;
        ok(self
            .south
            .connection
            .sla()
            .approve_agreement(approval(&proposed.name, &hash)))
        .await
    }

    /// The ticket's clock for its resolution.
    async fn resolution(&self, name: &str) -> v1::Clock {
        let request = v1::GetTicketRequest {
            name: name.to_owned(),
            ..Default::default()
        };
        let shown = ok(self.north.connection.sla().get_ticket(request)).await;
        let mut clocks = shown.clocks.into_iter();
        let resolution = clocks.find(|clock| clock.r#type() == TargetType::Resolution);
        resolution.unwrap()
    }
}

fn approval(name: &str, hash: &str) -> v1::ApproveAgreementRequest {
    v1::ApproveAgreementRequest {
        name: name.to_owned(),
        hash: hash.to_owned(),
        ..Default::default()
    }
}

/// Resolutions of priority 1 within so many hours.
fn faster(pair: &Pair, hours: i64) -> v1::Agreement {
    v1::Agreement {
        targets: vec![
            target(TargetType::FirstResponse, 1, HOUR),
            target(TargetType::Resolution, 1, hours * HOUR),
        ],
        ..pair.desk()
    }
}

async fn opened(pair: &Pair, id: &str, seconds: i64) -> String {
    let events = vec![opening(
        &format!("e{id}"),
        &ticket(NORTH_PSA, id),
        seconds,
        1,
    )];
    pair.ingest(&pair.north, events).await.remove(0).ticket
}

/// Nothing changes before both have approved, and tickets that are open keep what they have.
pub async fn a_revision_needs_every_firm(house: House) {
    let pair = Pair::with_a_desk(&house).await;
    let first = opened(&pair, "1", 0).await;
    let mut norths = pair.north.connection.sla();
    let mut souths = pair.south.connection.sla();
    let proposed = ok(norths.revise_agreement(pair.revision(faster(&pair, 2), None))).await;
    assert_eq!(
        (proposed.revision, proposed.state()),
        (1, AgreementState::Active)
    );
    let proposal = proposed.proposed_revision.clone().unwrap();
    assert_eq!(proposal.approvals.len(), 1);
    assert_eq!(
        proposal.agreement.unwrap().targets,
        faster(&pair, 2).targets
    );
    let second = opened(&pair, "2", 0).await;
    assert_eq!(pair.resolution(&second).await.due_time, Some(at(4 * HOUR)));
    // The same again changes nothing; another one takes its place.
    let again = ok(norths.revise_agreement(pair.revision(faster(&pair, 2), None))).await;
    assert_eq!(again, proposed);
    let other = ok(norths.revise_agreement(pair.revision(faster(&pair, 3), None))).await;
    let hash = other.proposed_revision.unwrap().hash;
    let gone = approval(&other.name, &proposal.hash);
    refuses(&house, "STALE_HASH", souths.approve_agreement(gone)).await;
    let revised = ok(souths.approve_agreement(approval(&other.name, &hash))).await;
    assert_eq!((revised.revision, revised.approvals.len()), (2, 2));
    assert_eq!(
        (revised.proposed_revision, revised.repins),
        (None, Vec::new())
    );
    let third = opened(&pair, "3", 0).await;
    for (name, hours) in [(&first, 4), (&second, 4), (&third, 3)] {
        let clock = pair.resolution(name).await;
        assert_eq!(clock.due_time, Some(at(hours * HOUR)), "{name}");
    }
    let request = v1::GetTicketRequest {
        name: third,
        ..Default::default()
    };
    assert_eq!(ok(norths.get_ticket(request)).await.agreement_revision, 2);
    house.stop().await;
}

/// A calendar that is open for some hours of each day, in UTC.
fn open_hours(start: &str, end: &str) -> v1::Calendar {
    let windows =
        (DayOfWeek::Monday.into()..=DayOfWeek::Sunday.into()).map(|day| v1::WeeklyWindow {
            day,
            start: start.to_owned(),
            end: end.to_owned(),
        });
    v1::Calendar {
        weekly_windows: windows.collect(),
        ..always()
    }
}

/// Opens as many tickets at once, and returns their names.
async fn many_opened(pair: &Pair) -> Vec<String> {
    let mut names = Vec::new();
    let ids: Vec<usize> = (0..TICKETS).collect();
    for ids in ids.chunks(EVENTS_A_CALL) {
        let events = ids.iter().map(|id| {
            let ticket = ticket(NORTH_PSA, &id.to_string());
            opening(&format!("e{id}"), &ticket, 0, 1)
        });
        let results = pair.ingest(&pair.north, events.collect()).await;
        names.extend(results.into_iter().map(|result| result.ticket));
    }
    names
}

/// S21: the edit and its repin are two small commands. Every clock that is read afterwards is right,
/// what was before stays, and the sweeper comes to look at the right time.
pub async fn s21_a_calendar_edit_reaches_every_open_clock_at_once(house: House) {
    let pair = Pair::with_a_desk(&house).await;
    let names = many_opened(&pair).await;
    house.pass(HOUR);
    // All of them are due to have used half of their first response; journalled now.
    while house.sweep().await.has_more {}
    let before = house.head(&pair.name).await.sequence;
    // The clocks began at eight in the morning. From nine on, the office is open in the evening only.
    let mut norths = pair.north.connection.sla();
    let edit = v1::UpdateCalendarRequest {
        calendar: Some(v1::Calendar {
            name: format!("{}/calendars/always", pair.name),
            ..open_hours("17:00", "24:00")
        }),
        ..Default::default()
    };
    let edited = ok(norths.update_calendar(edit)).await;
    assert_eq!(edited.revision, 2);
    assert_eq!(
        pair.resolution(&names[0]).await.due_time,
        Some(at(4 * HOUR))
    );
    let revised = pair.revised(pair.desk(), Some(0)).await;
    let repin = revised.repins[0];
    // Asked for the past, it counts from its approval on.
    assert_eq!((repin.revision, repin.effective_time), (2, Some(at(HOUR))));
    // A few entries in all: the edit's, the proposal, and the approval with what follows from it.
    let written = house.head(&pair.name).await.sequence - before;
    assert!(written < 10, "{written} entries for {TICKETS} tickets");
    let due = at(12 * HOUR);
    for name in [&names[0], &names[TICKETS / 2], &names[TICKETS - 1]] {
        let clock = pair.resolution(name).await;
        assert_eq!(clock.due_time, Some(due), "{name}");
        assert_eq!(clock.consumed.unwrap().seconds, HOUR);
    }
    // Without the refresh the sweeper would have come an hour from now, and for nothing.
    let mut steps = 0;
    while house.sweep().await.has_more {
        steps += 1;
    }
    assert_eq!(steps, 1, "one full step and then the rest");
    house.pass(8 * HOUR);
    assert_eq!(house.sweep().await.found, 0);
    // An hour later, half of the target is used up.
    house.pass(HOUR);
    let found = house.sweep().await.found;
    assert!(found > 500, "{found} tickets were due");
    let explained = v1::ExplainClockRequest {
        name: names[7].clone(),
        r#type: TargetType::Resolution.into(),
        ..Default::default()
    };
    let explained = ok(norths.explain_clock(explained)).await;
    let intervals = &explained.intervals;
    let total: i64 = intervals
        .iter()
        .map(|interval| interval.consumed.unwrap().seconds)
        .sum();
    assert_eq!(
        (total, explained.clock.unwrap().verdict()),
        (2 * HOUR, Verdict::Running)
    );
    assert!(
        intervals
            .iter()
            .any(|interval| interval.event_id == "desk@2")
    );
    house.stop().await;
}

/// What cannot be revised.
pub async fn revisions_at_fault(house: House) {
    let pair = Pair::with_a_desk(&house).await;
    let mut norths = pair.north.connection.sla();
    let swapped = v1::Agreement {
        obligor: pair.desk().beneficiary,
        beneficiary: pair.desk().obligor,
        ..pair.desk()
    };
    let fields = ["agreement.obligor", "agreement.beneficiary"];
    let request = pair.revision(swapped, None);
    faulty(
        &house,
        "INVALID_FIELD",
        &fields,
        norths.revise_agreement(request),
    )
    .await;
    let request = pair.revision(pair.desk(), Some(i64::from(i32::MAX) * 2));
    faulty(
        &house,
        "OUT_OF_RANGE",
        &["repin_time"],
        norths.revise_agreement(request),
    )
    .await;
    let request = v1::ReviseAgreementRequest {
        etag: "\"99\"".to_owned(),
        ..pair.revision(faster(&pair, 2), None)
    };
    refuses(&house, "ETAG_MISMATCH", norths.revise_agreement(request)).await;
    let request = v1::EndAgreementRequest {
        name: format!("{}/agreements/desk", pair.name),
        ..Default::default()
    };
    ok(norths.end_agreement(request)).await;
    let request = pair.revision(faster(&pair, 2), None);
    refuses(&house, "INVALID_STATE", norths.revise_agreement(request)).await;
    house.stop().await;
}
