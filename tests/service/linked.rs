//! Expectations that came of a ticket or of an item of a notice, and their priorities.

use entente::proto::v1::{self, IngestOutcome, NoticeState};

use super::calls::{faulty, ok, refuses};
use super::house::{HOUR, House};
use super::notices::{giving, marking, moving};
use super::setting::{
    NORTH, NORTH_PSA, Pair, SOUTH, accepting, agreeing, event, five_w, fulfilling, offering,
    opening, ticket,
};

/// The event that opens a ticket without a priority, with answers to the five questions.
fn asking(id: &str, ticket: &v1::ExternalReference, five_w: v1::FiveW) -> v1::TicketEvent {
    v1::TicketEvent {
        priority: None,
        five_w: Some(five_w),
        ..opening(id, ticket, 0, 1)
    }
}

fn reading(name: &str) -> v1::GetTicketRequest {
    v1::GetTicketRequest {
        name: name.to_owned(),
        ..Default::default()
    }
}

impl Pair {
    fn expecting(&self, expectation: v1::Expectation) -> v1::CreateExpectationRequest {
        let mut request = self.draft_request(five_w(48));
        let given = request.expectation.as_mut().unwrap();
        given.ticket = expectation.ticket;
        given.notice_item = expectation.notice_item;
        request
    }
}

fn of_ticket(name: &str) -> v1::Expectation {
    v1::Expectation {
        ticket: name.to_owned(),
        ..Default::default()
    }
}

fn of_item(notice: &str, number: i32) -> v1::Expectation {
    v1::Expectation {
        notice_item: Some(v1::NoticeItem {
            notice: notice.to_owned(),
            number,
        }),
        ..Default::default()
    }
}

/// An event that opens a ticket may carry the five W: an expectation comes of it, and its priority is
/// the ticket's until somebody tells another.
pub async fn the_five_w_of_a_ticket_make_an_expectation(house: House) {
    let pair = Pair::with_a_desk(&house).await;
    let id = ticket(NORTH_PSA, "1");
    let opened = asking("e1", &id, five_w(48));
    let result = pair
        .ingest(&pair.north, vec![opened.clone()])
        .await
        .remove(0);
    assert_eq!(result.outcome(), IngestOutcome::Applied);
    let name = result.ticket;
    let mut souths = pair.south.connection.sla();
    let shown = ok(souths.get_ticket(reading(&name))).await;
    assert_eq!(shown.five_w, Some(five_w(48)), "both firms read the words");
    let get = v1::GetExpectationRequest {
        name: shown.expectation.clone(),
    };
    let mut expectations = pair.south.connection.expectations();
    let expectation = ok(expectations.get_expectation(get)).await;
    assert_eq!(expectation.state(), v1::ExpectationState::Draft);
    assert_eq!(
        (&expectation.ticket, &expectation.title),
        (&name, &shown.title)
    );
    let parties = (expectation.requester.as_str(), expectation.obligor.as_str());
    assert_eq!(parties, (NORTH, SOUTH));
    assert_eq!(expectation.agreement, shown.agreement);
    // The matrix made both priorities, and the clocks run by it from the opening.
    assert!(expectation.priority > 0 && expectation.feasibility.is_some());
    assert_eq!(shown.priority, expectation.priority);
    assert_eq!(shown.expectation_priority, expectation.priority);
    assert!(!shown.priorities_differ && !shown.clocks.is_empty());
    assert_eq!(shown.clocks[0].start_time, shown.open_time);
    let again = pair.ingest(&pair.north, vec![opened]).await.remove(0);
    assert_eq!(again.outcome(), IngestOutcome::AlreadyApplied);
    // The firm's own word drives the clocks, and both are shown.
    let urgent = v1::TicketEvent {
        priority: Some(if shown.priority == 1 { 2 } else { 1 }),
        ..event("e2", &id, 0)
    };
    let told = pair
        .ingest(&pair.north, vec![urgent.clone()])
        .await
        .remove(0);
    assert_eq!(told.outcome(), IngestOutcome::Applied);
    let shown = ok(souths.get_ticket(reading(&name))).await;
    assert_eq!(Some(shown.priority), urgent.priority);
    assert_eq!(shown.expectation_priority, expectation.priority);
    assert!(shown.priorities_differ);
    assert!(
        shown
            .clocks
            .iter()
            .all(|clock| Some(clock.priority) == urgent.priority)
    );
    let list = v1::ListTicketsRequest {
        parent: pair.name.clone(),
        ..Default::default()
    };
    let listed = ok(souths.list_tickets(list)).await;
    assert_eq!(listed.tickets, [shown]);
    house.stop().await;
}

/// Words that wait for a map, priorities that were told, and answers that are missing.
pub async fn five_w_beside_other_words(house: House) {
    let pair = Pair::with_a_desk(&house).await;
    let mut norths = pair.north.connection.sla();
    // The status is unknown: the event waits, the expectation does not.
    let waits = v1::TicketEvent {
        status: Some("Weird".to_owned()),
        ..asking("e1", &ticket(NORTH_PSA, "1"), five_w(48))
    };
    let result = pair.ingest(&pair.north, vec![waits]).await.remove(0);
    assert_eq!(result.outcome(), IngestOutcome::Parked);
    let shown = ok(norths.get_ticket(reading(&result.ticket))).await;
    assert_ne!(shown.expectation, "");
    assert_eq!(shown.priority, shown.expectation_priority);
    // Who told a priority keeps it.
    let told = v1::TicketEvent {
        priority: Some(5),
        ..asking("e1", &ticket(NORTH_PSA, "2"), five_w(48))
    };
    let result = pair.ingest(&pair.north, vec![told]).await.remove(0);
    let shown = ok(norths.get_ticket(reading(&result.ticket))).await;
    assert_eq!((shown.priority, shown.priorities_differ), (5, true));
    assert_eq!(shown.event_count, 1);
    // Without WHO there is no priority to take.
    let mut vague = five_w(48);
    vague.who = None;
    let vague = asking("e1", &ticket(NORTH_PSA, "3"), vague);
    let result = pair.ingest(&pair.north, vec![vague]).await.remove(0);
    let shown = ok(norths.get_ticket(reading(&result.ticket))).await;
    let priorities = (shown.priority, shown.expectation_priority);
    assert_eq!((priorities, shown.priorities_differ), ((0, 0), false));
    // What is wrong with the answers is told with the event, and neither is taken.
    let mut bad = five_w(48);
    bad.who.as_mut().unwrap().people_count = -1;
    bad.when.as_mut().unwrap().reason = "x".repeat(5_001);
    let bad = asking("e1", &ticket(NORTH_PSA, "4"), bad);
    let before = house.heads().await;
    let result = pair.ingest(&pair.north, vec![bad]).await.remove(0);
    assert_eq!(result.outcome(), IngestOutcome::Refused);
    let message = result.error.unwrap().message;
    for field in [
        "events[0].five_w.who.people_count",
        "events[0].five_w.when.reason",
    ] {
        assert!(message.contains(field), "{message}");
    }
    assert_eq!(house.heads().await, before);
    house.stop().await;
}

/// A ticket that is there gets one expectation that stands.
pub async fn an_expectation_comes_of_a_ticket(house: House) {
    let pair = Pair::with_a_desk(&house).await;
    let id = ticket(NORTH_PSA, "1");
    let bare = v1::TicketEvent {
        priority: None,
        ..opening("e1", &id, 0, 1)
    };
    let name = pair.ingest(&pair.north, vec![bare]).await.remove(0).ticket;
    house.pass(HOUR);
    let mut norths = pair.north.connection.expectations();
    let request = pair.expecting(of_ticket(&name));
    let draft = ok(norths.create_expectation(request.clone())).await;
    assert_eq!(draft.ticket, name);
    let mut sla = pair.south.connection.sla();
    let shown = ok(sla.get_ticket(reading(&name))).await;
    assert_eq!(
        (&shown.expectation, shown.priority),
        (&draft.name, draft.priority)
    );
    let second = norths.create_expectation(request.clone());
    let refused = refuses(&house, "ALREADY_EXISTS", second).await;
    assert_eq!(refused.metadata["expectation"], draft.name);
    let asked = v1::TicketEvent {
        five_w: Some(five_w(48)),
        ..event("e2", &id, HOUR)
    };
    let result = pair.ingest(&pair.north, vec![asked]).await.remove(0);
    assert_eq!(result.outcome(), IngestOutcome::Refused);
    let withdraw = v1::WithdrawExpectationRequest {
        name: draft.name.clone(),
        ..Default::default()
    };
    ok(norths.withdraw_expectation(withdraw)).await;
    let another = ok(norths.create_expectation(request)).await;
    let shown = ok(sla.get_ticket(reading(&name))).await;
    assert_eq!(shown.expectation, another.name);
    house.stop().await;
}

/// An item of a checklist becomes an expectation, and its acceptance ticks it off.
pub async fn an_expectation_comes_of_an_item(house: House) {
    let pair = Pair::with_a_desk(&house).await;
    let (mut norths, mut souths) = (
        pair.north.connection.expectations(),
        pair.south.connection.expectations(),
    );
    let notice = ok(norths.create_notice(giving(&pair.name, moving(None), false)))
        .await
        .name;
    let request = pair.expecting(of_item(&notice, 1));
    let draft = ok(norths.create_expectation(request.clone())).await;
    assert_eq!(draft.notice_item, of_item(&notice, 1).notice_item);
    refuses(&house, "ALREADY_EXISTS", norths.create_expectation(request)).await;
    let marked = souths.mark_notice_item(marking(&notice, 1, true));
    let refused = refuses(&house, "INVALID_STATE", marked).await;
    assert_eq!(refused.metadata["expectation"], draft.name);
    ok(norths.offer_expectation(offering(&draft.name))).await;
    ok(souths.agree_expectation(agreeing(&draft.name, 1))).await;
    ok(souths.fulfil_expectation(fulfilling(&draft.name))).await;
    let accepted = ok(norths.accept_fulfilment(accepting(&draft.name, &[0, 1]))).await;
    assert_eq!(accepted.state(), v1::ExpectationState::Accepted);
    let read = v1::GetNoticeRequest {
        name: notice.clone(),
    };
    let shown = ok(souths.get_notice(read)).await;
    let item = &shown.checklist[0];
    assert_eq!(shown.state(), NoticeState::HeadsUp);
    assert_eq!((item.done, item.done_by.as_str()), (true, NORTH));
    assert_eq!(
        (&item.expectation, shown.checklist[1].done),
        (&draft.name, false)
    );
    house.stop().await;
}

/// Links that lead nowhere.
pub async fn links_of_expectations_at_fault(house: House) {
    let pair = Pair::with_a_desk(&house).await;
    let mut norths = pair.north.connection.expectations();
    let notice = ok(norths.create_notice(giving(&pair.name, moving(None), false)))
        .await
        .name;
    let bad = v1::Expectation {
        ticket: "partnerships/other/tickets/x".to_owned(),
        ..of_item("", 0)
    };
    let fields = [
        "expectation.ticket",
        "expectation.notice_item.notice",
        "expectation.notice_item.number",
    ];
    let request = pair.expecting(bad);
    faulty(
        &house,
        "INVALID_FIELD",
        &fields,
        norths.create_expectation(request),
    )
    .await;
    let request = pair.expecting(of_item(&notice, 9));
    let field = ["expectation.notice_item.number"];
    faulty(
        &house,
        "INVALID_FIELD",
        &field,
        norths.create_expectation(request),
    )
    .await;
    for absent in [
        of_ticket(&format!("{}/tickets/none", pair.name)),
        of_item(&format!("{}/notices/none", pair.name), 1),
    ] {
        let request = pair.expecting(absent);
        refuses(&house, "NOT_FOUND", norths.create_expectation(request)).await;
    }
    house.stop().await;
}
