//! Updates in an agreed interval, and times told on behalf of those who gave them.

use entente::proto::v1::{self, TargetType, TimeMatter, UpdateAudience, Verdict};

use super::calls::{accepted, faulty, ok, refuses};
use super::house::{Firm, HOUR, House, MINUTE, at, lasting};
use super::setting::{
    NORTH_PSA, Pair, SOUTH, agreeing, event, five_w, fulfilling, offering, opening, target, ticket,
};

/// Hours of the interval that is agreed.
const EVERY: i64 = 4;

pub fn posting(parent: &str, text: &str) -> v1::PostUpdateRequest {
    v1::PostUpdateRequest {
        parent: parent.to_owned(),
        update: Some(v1::Update {
            text: text.to_owned(),
            audience: UpdateAudience::Partners.into(),
            ..Default::default()
        }),
        ..Default::default()
    }
}

fn telling(parent: &str, audience: UpdateAudience, time: v1::ToldTime) -> v1::PostUpdateRequest {
    let mut request = posting(parent, "");
    if let Some(update) = &mut request.update {
        update.audience = audience.into();
        update.times = vec![time];
    }
    request
}

fn resolved(hour: i64) -> v1::ToldTime {
    v1::ToldTime {
        matter: TimeMatter::Resolution.into(),
        time: Some(at(hour * HOUR)),
        ..Default::default()
    }
}

fn souths(hour: i64, given_in: &str) -> v1::ToldTime {
    v1::ToldTime {
        source: SOUTH.to_owned(),
        given_in: given_in.to_owned(),
        ..resolved(hour)
    }
}

async fn progress(firm: &Firm, parent: &str) -> v1::Progress {
    let request = v1::GetProgressRequest {
        name: format!("{parent}/progress"),
    };
    ok(firm.connection.expectations().get_progress(request)).await
}

async fn pace(firm: &Firm, parent: &str) -> v1::UpdatePace {
    progress(firm, parent).await.pace.unwrap()
}

impl Pair {
    async fn post(&self, firm: &Firm, parent: &str) -> v1::Update {
        let request = posting(parent, "half of it is done");
        ok(firm.connection.expectations().post_update(request)).await
    }

    /// Agreed by both, to be kept by south, which tells how it stands every few open hours.
    async fn project(&self) -> String {
        let mut answers = five_w(24 * 30);
        answers.when.as_mut().unwrap().update_interval = Some(lasting(EVERY * HOUR));
        let mut norths = self.north.connection.expectations();
        let draft = ok(norths.create_expectation(self.draft_request(answers))).await;
        let offered = ok(norths.offer_expectation(offering(&draft.name))).await;
        let when = offered.offers[0].five_w.clone().unwrap().when.unwrap();
        assert_eq!(when.update_interval, Some(lasting(EVERY * HOUR)));
        let mut souths = self.south.connection.expectations();
        ok(souths.agree_expectation(agreeing(&draft.name, 1))).await;
        draft.name
    }

    async fn missed_in_journal(&self) -> usize {
        let request = v1::ListEntriesRequest {
            parent: self.name.clone(),
            page_size: 500,
            ..Default::default()
        };
        let entries = ok(self.north.connection.journal().list_entries(request)).await;
        let missed = |entry: &&v1::JournalEntry| entry.r#type == "progress.update_missed";
        entries.entries.iter().filter(missed).count()
    }
}

/// Hours in a vacuum are missed updates, once for each interval, in the obligor's hours (E05).
pub async fn e05_silence_is_a_missed_update_once_for_each_interval(house: House) {
    let pair = Pair::with_an_office(&house).await;
    let project = pair.project().await;
    // Monday at eight: the office opens in an hour.
    let begun = pace(&pair.north, &project).await;
    assert_eq!((begun.obligor.as_str(), begun.running), (SOUTH, true));
    assert_eq!(begun.calendar, format!("{}/calendars/office", pair.name));
    assert_eq!(begun.update_due_time, Some(at(5 * HOUR)));
    house.pass(5 * HOUR);
    let posted = pair.post(&pair.south, &project).await;
    assert!(
        posted.by_obligor,
        "at the end of the interval it is in time"
    );
    assert_eq!(pace(&pair.north, &project).await.missed_update_count, 0);
    // North's own word keeps nothing.
    assert!(!pair.post(&pair.north, &project).await.by_obligor);
    // Until Wednesday at two in the afternoon: 4 + 8 + 5 open hours.
    house.pass(49 * HOUR);
    let read = pace(&pair.north, &project).await;
    assert_eq!(read.missed_update_count, 4);
    assert_eq!(pair.missed_in_journal().await, 0, "no sweep came by yet");
    for _ in 0..2 {
        house.sweep().await;
        assert_eq!(pair.missed_in_journal().await, 4, "once for each");
    }
    assert_eq!(
        pace(&pair.north, &project).await,
        read,
        "a read says the same"
    );
    assert_eq!(read.last_missed_time, Some(at(53 * HOUR)));
    assert_eq!(read.update_due_time, Some(at(57 * HOUR)));
    // It stops with the work, and goes on when that is disputed.
    let mut souths = pair.south.connection.expectations();
    ok(souths.fulfil_expectation(fulfilling(&project))).await;
    assert!(!pace(&pair.north, &project).await.running);
    house.pass(48 * HOUR);
    let dispute = v1::DisputeFulfilmentRequest {
        name: project.clone(),
        reason: "it does not run".to_owned(),
        ..Default::default()
    };
    let mut norths = pair.north.connection.expectations();
    ok(norths.dispute_fulfilment(dispute)).await;
    let again = pace(&pair.north, &project).await;
    assert_eq!((again.running, again.missed_update_count), (true, 4));
    house.stop().await;
}

/// On a ticket the obligor's update is the next one that its agreement promises (E05).
pub async fn e05_an_update_on_a_ticket_keeps_the_promise_of_a_next_one(house: House) {
    let pair = Pair::active(&house).await;
    pair.calendar().await;
    let mut desk = pair.desk();
    desk.targets.push(target(TargetType::NextUpdate, 1, HOUR));
    pair.agreement("desk", desk).await;
    pair.status_map(&pair.north, NORTH_PSA).await;
    let id = ticket(NORTH_PSA, "1");
    let replied = v1::TicketEvent {
        response: Some(true),
        ..event("e2", &id, MINUTE)
    };
    house.pass(MINUTE);
    let opened = pair.ingest(&pair.north, vec![opening("e1", &id, 0, 1), replied]);
    let name = opened.await.remove(0).ticket;
    house.pass(30 * MINUTE);
    let request = v1::PostUpdateRequest {
        request_id: "one".to_owned(),
        ..posting(&name, "the part is on its way")
    };
    let mut souths = pair.south.connection.expectations();
    let first = accepted(souths.post_update(request.clone())).await;
    assert_eq!(first.get_ref().name, format!("{name}/updates/1"));
    let again = accepted(souths.post_update(request)).await;
    assert_eq!(first.get_ref(), again.get_ref(), "a retry posts nothing");
    let metadata = |answer: &tonic::Response<v1::Update>| {
        let sequence = answer.metadata().get("entente-sequence");
        sequence.unwrap().to_str().unwrap().to_owned()
    };
    assert_eq!(metadata(&first), metadata(&again));
    let read = v1::GetTicketRequest {
        name: name.clone(),
        ..Default::default()
    };
    let shown = ok(pair.north.connection.sla().get_ticket(read.clone())).await;
    let updates = |ticket: &v1::Ticket| -> Vec<(i32, Verdict)> {
        let clocks = ticket.clocks.iter();
        clocks
            .filter(|clock| clock.r#type() == TargetType::NextUpdate)
            .map(|clock| (clock.cycle, clock.verdict()))
            .collect()
    };
    assert_eq!(updates(&shown), [(1, Verdict::Met), (2, Verdict::Running)]);
    // What north tells is no update of south's.
    pair.post(&pair.north, &name).await;
    house.pass(HOUR + 1);
    let shown = ok(pair.north.connection.sla().get_ticket(read)).await;
    assert_eq!(updates(&shown), [(1, Verdict::Met), (2, Verdict::Breached)]);
    let read = progress(&pair.north, &name).await;
    assert_eq!((read.update_count, read.pace), (2, None));
    assert_eq!(read.last_update_time, Some(at(31 * MINUTE)));
    house.stop().await;
}

/// No time is told on behalf of a firm that did not give it, did not allow it to be told, or has told
/// another one since (E04).
pub async fn e04_no_time_is_told_on_behalf_of_a_firm_that_did_not_give_it(house: House) {
    let pair = Pair::with_a_desk(&house).await;
    let project = pair.agreed().await.name;
    let mut norths = pair.north.connection.expectations();
    let mut others = pair.south.connection.expectations();
    let client = UpdateAudience::Client;
    let untold = telling(&project, client, souths(9, ""));
    refuses(&house, "TIME_NOT_GIVEN", norths.post_update(untold)).await;
    let given = telling(&project, UpdateAudience::Partners, resolved(9));
    let kept = ok(others.post_update(given)).await.name;
    let cites = |hour, update: &str| telling(&project, client, souths(hour, update));
    let request = cites(9, &kept);
    let refused = refuses(&house, "TIME_NOT_DISCLOSABLE", norths.post_update(request)).await;
    assert_eq!(refused.metadata["source"], SOUTH);
    let request = cites(8, &kept);
    let refused = refuses(&house, "TIME_NOT_GIVEN", norths.post_update(request)).await;
    assert_eq!(refused.metadata["given_time"], "2026-03-02T17:00:00Z");
    let free = v1::ToldTime {
        may_disclose: true,
        ..resolved(10)
    };
    let free = telling(&project, UpdateAudience::Partners, free);
    let free = ok(others.post_update(free)).await.name;
    let told = ok(norths.post_update(cites(10, &free))).await;
    assert_eq!(told.times[0].source, SOUTH);
    assert_eq!(
        (told.times[0].may_disclose, &told.times[0].given_in),
        (true, &free)
    );
    let request = cites(9, &kept);
    let stale = refuses(&house, "TIME_SUPERSEDED", norths.post_update(request)).await;
    assert_eq!(stale.metadata["superseded_by"], "2");
    let taken_back = v1::ToldTime {
        time: None,
        ..resolved(0)
    };
    let taken_back = telling(&project, UpdateAudience::Partners, taken_back);
    ok(others.post_update(taken_back)).await;
    refuses(
        &house,
        "TIME_SUPERSEDED",
        norths.post_update(cites(10, &free)),
    )
    .await;
    let known = progress(&pair.north, &project).await;
    assert_eq!((known.update_count, known.told_times.len()), (4, 1));
    assert_eq!(known.told_times[0].time, None);
    assert_eq!(known.told_times[0].party_id, SOUTH);
    // All that was told can be read, in pages.
    let page = |page_token: &str| v1::ListUpdatesRequest {
        parent: project.clone(),
        page_size: 3,
        page_token: page_token.to_owned(),
    };
    let first = ok(norths.list_updates(page(""))).await;
    let second = ok(norths.list_updates(page(&first.next_page_token))).await;
    assert_eq!((first.updates.len(), second.updates.len()), (3, 1));
    assert_eq!(second.next_page_token, "");
    let read = v1::GetUpdateRequest {
        name: told.name.clone(),
    };
    assert_eq!(ok(others.get_update(read)).await, told);
    house.stop().await;
}

/// Everything that is wrong with it at once.
fn wrong_throughout(draft: &str) -> v1::Update {
    v1::Update {
        text: "x".repeat(5_001),
        audience: 7,
        times: vec![v1::ToldTime {
            matter: 9,
            source: "partnerships/other/outsideParties/x".to_owned(),
            given_in: format!("{draft}/updates/1"),
            time: Some(prost_types::Timestamp {
                seconds: 0,
                nanos: 1,
            }),
            ..Default::default()
        }],
        ..Default::default()
    }
}

/// Updates that cannot be posted.
pub async fn updates_at_fault(house: House) {
    let pair = Pair::with_a_desk(&house).await;
    let project = pair.agreed().await.name;
    let draft = pair.draft().await.name;
    let mut norths = pair.north.connection.expectations();
    let post = |update: Option<v1::Update>| v1::PostUpdateRequest {
        parent: project.clone(),
        update,
        ..Default::default()
    };
    let nobody = v1::Update {
        text: "x".to_owned(),
        ..Default::default()
    };
    let many = v1::Update {
        audience: UpdateAudience::Client.into(),
        times: vec![resolved(1); 6],
        ..Default::default()
    };
    let strange = v1::ToldTime {
        source: "party-9".to_owned(),
        time: Some(prost_types::Timestamp::default()),
        ..resolved(1)
    };
    let strange = telling(&project, UpdateAudience::Client, strange);
    let cases = [
        (
            post(Some(wrong_throughout(&draft))),
            "update.audience update.times[0].matter update.times[0].time update.times[0].source \
             update.times[0].given_in update.text",
        ),
        (post(Some(nobody)), "update.audience"),
        (posting(&project, ""), "update.text"),
        (
            post(Some(many)),
            "update.times update.times[1] update.times[2] update.times[3] update.times[4]",
        ),
        (strange, "update.times[0].time update.times[0].source"),
        (post(None), "update"),
        (posting(&pair.name, "x"), "parent"),
        (posting("", "x"), "parent"),
        (posting("partnerships/-/tickets/x", "x"), "parent"),
    ];
    for (request, fields) in cases {
        let fields: Vec<&str> = fields.split_whitespace().collect();
        let call = norths.post_update(request);
        faulty(&house, "INVALID_FIELD", &fields, call).await;
    }
    let early = norths.post_update(posting(&draft, "x"));
    refuses(&house, "INVALID_STATE", early).await;
    for interval in [MINUTE, 367 * 24 * HOUR] {
        let mut answers = five_w(48);
        answers.when.as_mut().unwrap().update_interval = Some(lasting(interval));
        let field = ["expectation.five_w.when.update_interval"];
        let call = norths.create_expectation(pair.draft_request(answers));
        faulty(&house, "INVALID_FIELD", &field, call).await;
    }
    house.stop().await;
}

/// Updates that cannot be found, and what is empty.
pub async fn updates_that_are_not_there(house: House) {
    let pair = Pair::with_a_desk(&house).await;
    let project = pair.agreed().await.name;
    let mut norths = pair.north.connection.expectations();
    let get = |name: String| v1::GetUpdateRequest { name };
    for absent in ["1", "x", "01"] {
        let call = norths.get_update(get(format!("{project}/updates/{absent}")));
        refuses(&house, "NOT_FOUND", call).await;
    }
    let call = norths.get_update(get(format!("{project}/updates")));
    faulty(&house, "INVALID_FIELD", &["name"], call).await;
    let bare = v1::GetProgressRequest {
        name: project.clone(),
    };
    let call = norths.get_progress(bare);
    faulty(&house, "INVALID_FIELD", &["name"], call).await;
    let list = v1::ListUpdatesRequest {
        parent: project.clone(),
        page_token: "nonsense".to_owned(),
        ..Default::default()
    };
    let call = norths.list_updates(list);
    refuses(&house, "PAGE_TOKEN_INVALID", call).await;
    let empty = progress(&pair.north, &project).await;
    assert_eq!(
        (empty.update_count, empty.pace, empty.etag.as_str()),
        (0, None, "\"0\"")
    );
    house.stop().await;
}
