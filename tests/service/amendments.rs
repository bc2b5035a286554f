//! What two firms agree about one ticket: dates, time that is not counted, another agreement.

use entente::proto::v1::{
    self, AmendmentState, ClockState, TargetType, Verdict, amendment::Content,
};

use super::calls::{ok, refuses};
use super::house::{Firm, HOUR, House, at, lasting};
use super::setting::{NORTH, NORTH_PSA, Pair, SOUTH, opening, partnership, status, target, ticket};

/// A date in place of the resolution's duration; none takes it back.
pub fn agreed_date(due_seconds: Option<i64>) -> Content {
    Content::AgreedDate(v1::AgreedDate {
        r#type: TargetType::Resolution.into(),
        due_time: due_seconds.map(at),
    })
}

/// Time that is not counted, of a class or of none.
pub fn exclusion(from: i64, to: i64, class_id: &str) -> Content {
    Content::Exclusion(v1::Exclusion {
        start_time: Some(at(from)),
        end_time: Some(at(to)),
        class_id: class_id.to_owned(),
        reason: "the site was closed".to_owned(),
    })
}

/// The request to agree something about a ticket.
pub fn proposing(name: &str, content: Content) -> v1::ProposeAmendmentRequest {
    v1::ProposeAmendmentRequest {
        name: name.to_owned(),
        amendment: Some(v1::Amendment {
            content: Some(content),
            ..Default::default()
        }),
        ..Default::default()
    }
}

pub fn approving(name: &str, amendment_id: &str) -> v1::ApproveAmendmentRequest {
    v1::ApproveAmendmentRequest {
        name: name.to_owned(),
        amendment_id: amendment_id.to_owned(),
        ..Default::default()
    }
}

pub fn declining(name: &str, amendment_id: &str) -> v1::DeclineAmendmentRequest {
    v1::DeclineAmendmentRequest {
        name: name.to_owned(),
        amendment_id: amendment_id.to_owned(),
        reason: "not so".to_owned(),
        ..Default::default()
    }
}

pub fn withdrawing(name: &str, amendment_id: &str) -> v1::WithdrawAmendmentRequest {
    v1::WithdrawAmendmentRequest {
        name: name.to_owned(),
        amendment_id: amendment_id.to_owned(),
        ..Default::default()
    }
}

impl Pair {
    /// Terms proposed by north and approved by south.
    pub async fn terms(&self, terms: v1::Terms) {
        let request = v1::ProposeTermsRequest {
            name: self.name.clone(),
            terms: Some(terms),
            ..Default::default()
        };
        let mut norths = self.north.connection.partnerships();
        let proposed = ok(norths.propose_terms(request)).await.proposed_terms;
        let request = v1::ApproveTermsRequest {
            name: self.name.clone(),
            hash: proposed.unwrap().hash,
            ..Default::default()
        };
        ok(self.south.connection.partnerships().approve_terms(request)).await;
    }

    /// A ticket of north, opened so many seconds after the beginning, with priority 1.
    pub async fn opened(&self, id: &str, seconds: i64) -> String {
        let events = vec![opening("e1", &ticket(NORTH_PSA, id), seconds, 1)];
        self.ingest(&self.north, events).await.remove(0).ticket
    }

    /// What is proposed by north, approved by south.
    pub async fn amended(&self, name: &str, content: Content) -> v1::Ticket {
        let mut norths = self.north.connection.sla();
        let proposed = ok(norths.propose_amendment(proposing(name, content))).await;
        let amendment = proposed.amendments.last().unwrap();
        assert_eq!(amendment.state(), AmendmentState::Proposed);
        let approval = approving(name, &amendment.amendment_id);
        ok(self.south.connection.sla().approve_amendment(approval)).await
    }

    /// Every entry about a ticket since some of them: its type and payload.
    pub async fn entries_after(&self, sequence: u64) -> Vec<(String, serde_json::Value)> {
        let request = v1::ListEntriesRequest {
            parent: self.name.clone(),
            record_kind: "ticket".to_owned(),
            after_sequence: i64::try_from(sequence).unwrap(),
            page_size: 500,
            ..Default::default()
        };
        let entries = ok(self.south.connection.journal().list_entries(request)).await;
        let read = entries.entries.into_iter().map(|entry| {
            let payload = serde_json::from_slice(&entry.payload).unwrap();
            (entry.r#type, payload)
        });
        read.collect()
    }
}

/// The ticket as a firm sees it, as of an instant and from what was recorded by another.
pub async fn seen(
    firm: &Firm,
    name: &str,
    as_of: Option<i64>,
    known_at: Option<i64>,
) -> v1::Ticket {
    let request = v1::GetTicketRequest {
        name: name.to_owned(),
        as_of_time: as_of.map(at),
        known_at_time: known_at.map(at),
    };
    ok(firm.connection.sla().get_ticket(request)).await
}

/// Its only clock of a type.
pub fn clock_of(ticket: &v1::Ticket, target_type: TargetType) -> v1::Clock {
    let mut clocks = ticket.clocks.iter();
    let clock = clocks.find(|clock| clock.r#type() == target_type);
    clock.cloned().expect("a clock of that type")
}

fn hours(duration: Option<prost_types::Duration>) -> i64 {
    duration.unwrap().seconds / HOUR
}

/// S25: a date that both agreed is not moved by a pause, and a duration is.
pub async fn s25_an_agreed_date_is_not_moved_by_a_pause(house: House) {
    let pair = Pair::with_a_desk(&house).await;
    let (dated, plain) = (pair.opened("1", 0).await, pair.opened("2", 0).await);
    house.pass(HOUR);
    let mut norths = pair.north.connection.sla();
    let proposed =
        ok(norths.propose_amendment(proposing(&dated, agreed_date(Some(6 * HOUR))))).await;
    // A proposal changes no clock, and its maker cannot agree alone.
    let clock = clock_of(&proposed, TargetType::Resolution);
    assert_eq!(
        (clock.due_time, clock.agreed_date),
        (Some(at(4 * HOUR)), false)
    );
    let again = ok(norths.approve_amendment(approving(&dated, "1"))).await;
    assert_eq!(again, proposed);
    let mut souths = pair.south.connection.sla();
    let agreed = ok(souths.approve_amendment(approving(&dated, "1"))).await;
    let amendment = &agreed.amendments[0];
    assert_eq!(
        (
            amendment.state(),
            amendment.proposer.as_str(),
            amendment.approvals.len()
        ),
        (AmendmentState::Agreed, NORTH, 2)
    );
    assert_eq!(amendment.effect_time, Some(at(HOUR)));
    let clock = clock_of(&agreed, TargetType::Resolution);
    assert_eq!(
        (clock.due_time, clock.agreed_date),
        (Some(at(6 * HOUR)), true)
    );

    // Both wait for the client from two hours to three.
    house.pass(2 * HOUR);
    for id in ["1", "2"] {
        let id = ticket(NORTH_PSA, id);
        let events = vec![
            status("e2", &id, 2 * HOUR, "Waiting"),
            status("e3", &id, 3 * HOUR, "Open"),
        ];
        pair.ingest(&pair.north, events).await;
    }
    let due = async |name: &str, as_of: i64| {
        let shown = seen(&pair.south, name, Some(as_of), None).await;
        clock_of(&shown, TargetType::Resolution).due_time
    };
    assert_eq!(due(&dated, 5 * HOUR / 2).await, Some(at(6 * HOUR)));
    assert_eq!(due(&plain, 5 * HOUR / 2).await, None);
    assert_eq!(due(&dated, 3 * HOUR).await, Some(at(6 * HOUR)));
    assert_eq!(due(&plain, 3 * HOUR).await, Some(at(5 * HOUR)));
    // Taken back by both, the duration counts again.
    let back = pair.amended(&dated, agreed_date(None)).await;
    assert_eq!(
        clock_of(&back, TargetType::Resolution).due_time,
        Some(at(5 * HOUR))
    );
    // What was known before anything was agreed.
    let before = seen(&pair.north, &dated, Some(2 * HOUR), Some(HOUR - 1)).await;
    assert_eq!(before.amendments, []);
    assert!(!clock_of(&before, TargetType::Resolution).agreed_date);
    house.stop().await;
}

/// A breach of an agreed date is journalled when it comes, and once.
pub async fn s25_an_agreed_date_is_breached_after_it(house: House) {
    let pair = Pair::with_a_desk(&house).await;
    let name = pair.opened("1", 0).await;
    pair.amended(&name, agreed_date(Some(2 * HOUR))).await;
    house.pass(2 * HOUR);
    house.sweep().await;
    let verdict = |ticket: &v1::Ticket| clock_of(ticket, TargetType::Resolution).verdict();
    let shown = seen(&pair.north, &name, None, None).await;
    assert_eq!(verdict(&shown), Verdict::Running);
    house.pass(1);
    house.sweep().await;
    house.sweep().await;
    let shown = seen(&pair.north, &name, None, None).await;
    assert_eq!(verdict(&shown), Verdict::Breached);
    let entries = pair.entries_after(0).await;
    let breaches = entries.iter().filter(|(event_type, payload)| {
        event_type == "ticket.breached" && payload["reached"]["target_type"] == "resolution"
    });
    assert_eq!(breaches.count(), 1);
    house.stop().await;
}

/// S08 and S18: another agreement cancels the clocks that it does not have, and the same one again
/// changes nothing.
pub async fn s08_another_agreement_cancels_what_it_does_not_have(house: House) {
    let pair = Pair::with_a_desk(&house).await;
    let name = pair.opened("1", 0).await;
    let slow = v1::Agreement {
        display_name: "No hurry".to_owned(),
        targets: vec![target(TargetType::Resolution, 1, 9 * HOUR)],
        ..pair.desk()
    };
    let slow = pair.agreement("slow", slow).await.name;
    house.pass(HOUR / 2);
    let moved = pair.amended(&name, Content::Agreement(slow.clone())).await;
    assert_eq!(
        (moved.agreement.as_str(), moved.agreement_revision),
        (slow.as_str(), 1)
    );
    let response = clock_of(&moved, TargetType::FirstResponse);
    assert_eq!(
        (response.state(), response.verdict()),
        (ClockState::Cancelled, Verdict::Cancelled)
    );
    let resolution = clock_of(&moved, TargetType::Resolution);
    assert_eq!(
        (resolution.due_time, resolution.agreement.as_str()),
        (Some(at(9 * HOUR)), slow.as_str())
    );
    // S18: applied again, by whomever, it changes nothing, not even the journal.
    let head = house.head(&pair.name).await;
    let mut souths = pair.south.connection.sla();
    let again = proposing(&name, Content::Agreement(slow.clone()));
    assert_eq!(ok(souths.propose_amendment(again)).await, moved);
    assert_eq!(house.head(&pair.name).await, head);
    // A level that the new agreement finds is of the new agreement, and nothing was breached.
    house.pass(4 * HOUR);
    house.sweep().await;
    let shown = seen(&pair.south, &name, None, None).await;
    assert_eq!(
        shown
            .clocks
            .iter()
            .filter(|clock| clock.breach_time.is_some())
            .count(),
        0
    );
    let resolution = clock_of(&shown, TargetType::Resolution);
    assert_eq!(resolution.thresholds_reached.len(), 1);
    // Before the switch everything is as it was.
    let before = seen(&pair.south, &name, Some(HOUR / 4), None).await;
    assert!(before.agreement.ends_with("/desk"), "{}", before.agreement);
    house.stop().await;
}

/// Agreements that a ticket cannot be moved to.
pub async fn s08_agreements_that_cannot_be_moved_to(house: House) {
    let pair = Pair::with_a_desk(&house).await;
    let name = pair.opened("1", 0).await;
    let back = v1::Agreement {
        obligor: NORTH.to_owned(),
        beneficiary: SOUTH.to_owned(),
        kind: v1::AgreementKind::Ola.into(),
        ..pair.desk()
    };
    let back = pair.agreement("back", back).await.name;
    let other = pair.agreement("other", pair.desk()).await.name;
    let mut norths = pair.north.connection.sla();
    let absent = format!("{}/agreements/absent", pair.name);
    for (reason, agreement) in [("INVALID_FIELD", &back), ("AGREEMENT_NOT_ACTIVE", &absent)] {
        let request = proposing(&name, Content::Agreement(agreement.clone()));
        let refused = refuses(&house, reason, norths.propose_amendment(request)).await;
        assert_eq!(refused.fields, ["amendment.agreement"]);
    }
    let request = proposing(&name, Content::Agreement(other.clone()));
    ok(norths.propose_amendment(request)).await;
    let request = v1::EndAgreementRequest {
        name: other,
        ..Default::default()
    };
    ok(norths.end_agreement(request)).await;
    let mut souths = pair.south.connection.sla();
    let late = souths.approve_amendment(approving(&name, "1"));
    refuses(&house, "AGREEMENT_NOT_ACTIVE", late).await;
    house.stop().await;
}

/// An exclusion needs both, and then changes what was journalled; a class needs one, while it lasts.
pub async fn exclusions_by_two_approvals_and_by_class(house: House) {
    let pair = Pair::with_a_desk(&house).await;
    let name = pair.opened("1", 0).await;
    pair.terms(v1::Terms {
        exclusion_classes: vec![v1::ExclusionClass {
            class_id: "maintenance".to_owned(),
            display_name: "Planned maintenance".to_owned(),
            longest: Some(lasting(2 * HOUR)),
        }],
        ..Default::default()
    })
    .await;
    house.pass(3 * HOUR);
    let excluded = pair.amended(&name, exclusion(HOUR, 2 * HOUR, "")).await;
    let Some(Content::Exclusion(shown)) = &excluded.amendments[0].content else {
        panic!("{:?}", excluded.amendments);
    };
    assert_eq!(shown.reason, "the site was closed");
    assert_eq!(
        hours(clock_of(&excluded, TargetType::Resolution).consumed),
        2
    );
    // One firm's word is enough under a class, as long as there is room.
    let mut souths = pair.south.connection.sla();
    let mut one_word = async |from, to| {
        let request = proposing(&name, exclusion(from, to, "maintenance"));
        let shown = ok(souths.propose_amendment(request)).await;
        let amendment = shown.amendments.last().unwrap();
        let due = clock_of(&shown, TargetType::Resolution).due_time;
        (amendment.state(), due, amendment.approvals.len())
    };
    let (agreed, proposed) = (AmendmentState::Agreed, AmendmentState::Proposed);
    let first = one_word(2 * HOUR, 3 * HOUR).await;
    assert_eq!(first, (agreed, Some(at(6 * HOUR)), 1));
    let too_long = one_word(4 * HOUR, 6 * HOUR).await;
    assert_eq!(too_long, (proposed, Some(at(6 * HOUR)), 1));
    let second = one_word(4 * HOUR, 5 * HOUR).await;
    assert_eq!(second, (agreed, Some(at(6 * HOUR)), 1));
    // Whoever excluded under a class may take it back; what both agreed stays.
    let shown = ok(souths.withdraw_amendment(withdrawing(&name, "2"))).await;
    assert_eq!(shown.amendments[1].state(), AmendmentState::Withdrawn);
    assert_eq!(hours(clock_of(&shown, TargetType::Resolution).consumed), 2);
    let mut norths = pair.north.connection.sla();
    let kept = norths.withdraw_amendment(withdrawing(&name, "1"));
    refuses(&house, "INVALID_STATE", kept).await;
    let declined = ok(norths.decline_amendment(declining(&name, "3"))).await;
    let declined = &declined.amendments[2];
    assert_eq!(
        (
            declined.state(),
            declined.settled_by.as_str(),
            declined.settle_reason.as_str()
        ),
        (AmendmentState::Declined, NORTH, "not so")
    );
    refuses(
        &house,
        "INVALID_STATE",
        norths.approve_amendment(approving(&name, "3")),
    )
    .await;
    explained(&pair, &name).await;
    // While the clock is held, it says so.
    house.pass(3 * HOUR / 2);
    let held = seen(&pair.north, &name, None, None).await;
    let held = clock_of(&held, TargetType::Resolution);
    assert_eq!(
        (held.state(), held.charged_to),
        (ClockState::Excluded, None)
    );
    house.stop().await;
}

/// What is excluded is explained like everything else, and adds up.
async fn explained(pair: &Pair, name: &str) {
    let request = v1::ExplainClockRequest {
        name: name.to_owned(),
        r#type: TargetType::Resolution.into(),
        ..Default::default()
    };
    let answer = ok(pair.north.connection.sla().explain_clock(request)).await;
    let consumed = answer.intervals.iter().map(|interval| interval.consumed);
    let consumed: i64 = consumed.map(|consumed| consumed.unwrap().seconds).sum();
    assert_eq!(consumed, answer.clock.unwrap().consumed.unwrap().seconds);
    let intervals = answer.intervals.iter();
    let mut excluded = intervals.filter(|interval| interval.state() == ClockState::Excluded);
    let first = excluded.next().unwrap();
    assert_eq!(
        (first.start_time, first.end_time, first.event_id.as_str()),
        (Some(at(HOUR)), Some(at(2 * HOUR)), "amendment:1")
    );
}

/// Alone in its partnership, a firm asserts; who joins later may approve or decline that.
pub async fn what_one_firm_asserts_alone(house: House) {
    let north = house.firm("north").await;
    let mut partnerships = north.connection.partnerships();
    let created = ok(partnerships.create_partnership(partnership("Alone"))).await;
    let south = house.firm("south").await;
    let pair = Pair {
        north,
        south,
        name: created.name.clone(),
    };
    pair.calendar().await;
    let request = pair.agreement_request("desk", pair.desk());
    ok(pair.north.connection.sla().create_agreement(request)).await;
    pair.status_map(&pair.north, NORTH_PSA).await;
    let name = pair.opened("1", 0).await;
    house.pass(HOUR);
    let mut norths = pair.north.connection.sla();
    for _ in 0..2 {
        let request = proposing(&name, exclusion(0, HOUR, ""));
        let asserted = ok(norths.propose_amendment(request)).await;
        let amendment = asserted.amendments.last().unwrap();
        assert_eq!(amendment.state(), AmendmentState::Asserted);
        assert_eq!(
            hours(clock_of(&asserted, TargetType::Resolution).consumed),
            0
        );
    }
    let invited = super::setting::invitation(&pair.name);
    let code = ok(pair.north.connection.partnerships().invite_partner(invited))
        .await
        .code;
    let joining = super::setting::joining(&code);
    ok(pair
        .south
        .connection
        .partnerships()
        .join_partnership(joining))
    .await;
    let mut souths = pair.south.connection.sla();
    let approved = ok(souths.approve_amendment(approving(&name, "1"))).await;
    assert_eq!(approved.amendments[0].state(), AmendmentState::Agreed);
    assert_eq!(approved.amendments[0].effect_time, Some(at(HOUR)));
    // The second says the same, and can be turned down; then it counts no more.
    let declined = ok(souths.decline_amendment(declining(&name, "2"))).await;
    assert_eq!(declined.amendments[1].state(), AmendmentState::Declined);
    assert_eq!(
        hours(clock_of(&declined, TargetType::Resolution).consumed),
        0
    );
    house.stop().await;
}
