//! Words of a firm's own software: what maps say they mean, and what waits until one does.

use entente::proto::v1::{self, IngestOutcome, WordKind};

use super::calls::{faulty, ok, refuses};
use super::house::{Firm, HOUR, House, MINUTE, at};
use super::setting::{NORTH_PSA, Pair, event, status, ticket};

/// The request for north's priority map.
pub fn priority_map_request(pair: &Pair, entries: &[(&str, i32)]) -> v1::UpdatePriorityMapRequest {
    let entry = |(word, priority): &(&str, i32)| v1::PriorityMapEntry {
        source_priority: (*word).to_owned(),
        priority: *priority,
    };
    v1::UpdatePriorityMapRequest {
        priority_map: Some(v1::PriorityMap {
            name: format!("{}/priorityMaps/{NORTH_PSA}", pair.name),
            system: NORTH_PSA.to_owned(),
            entries: entries.iter().map(entry).collect(),
            ..Default::default()
        }),
        allow_missing: true,
        ..Default::default()
    }
}

/// An event that says the status and, in the software's own words, the priority.
fn worded(id: &str, of: &v1::ExternalReference, word: &str, said: &str) -> v1::TicketEvent {
    v1::TicketEvent {
        source_priority: Some(said.to_owned()),
        open_time: Some(at(0)),
        ..status(id, of, 0, word)
    }
}

async fn shown(firm: &Firm, name: &str) -> v1::Ticket {
    let request = v1::GetTicketRequest {
        name: name.to_owned(),
        ..Default::default()
    };
    ok(firm.connection.sla().get_ticket(request)).await
}

/// The words of a firm that no map explains, by kind.
async fn unmapped(pair: &Pair, firm: &Firm) -> Vec<(WordKind, String, i64)> {
    let request = v1::ListUnmappedRequest {
        parent: pair.name.clone(),
        ..Default::default()
    };
    let listed = ok(firm.connection.sla().list_unmapped(request)).await;
    let words = listed.unmapped_words.into_iter();
    words
        .map(|word| (word.kind(), word.word, word.parked_count))
        .collect()
}

/// A priority map is written, read by every party, and explains what priorities mean.
pub async fn priorities_in_own_words(house: House) {
    let pair = Pair::with_a_desk(&house).await;
    let (mut norths, mut souths) = (pair.north.connection.sla(), pair.south.connection.sla());
    let request = priority_map_request(&pair, &[("P1", 1), ("3 - Moderate", 2)]);
    let missing = v1::UpdatePriorityMapRequest {
        allow_missing: false,
        ..request.clone()
    };
    refuses(&house, "NOT_FOUND", norths.update_priority_map(missing)).await;
    let map = ok(norths.update_priority_map(request.clone())).await;
    assert_eq!((map.revision, map.firm.as_str()), (1, "firms/north"));
    let name = map.name.clone();
    let read = v1::GetPriorityMapRequest { name };
    assert_eq!(ok(souths.get_priority_map(read)).await, map);
    let list = v1::ListPriorityMapsRequest {
        parent: pair.name.clone(),
        ..Default::default()
    };
    let listed = ok(souths.list_priority_maps(list)).await;
    assert_eq!(listed.priority_maps, [map]);
    let theirs = souths.update_priority_map(request.clone());
    refuses(&house, "NOT_FOUND", theirs).await;
    let mut stale = request.clone();
    let map = stale.priority_map.as_mut().unwrap();
    map.etag = format!("{:?}", "7");
    map.entries.pop();
    refuses(&house, "ETAG_MISMATCH", norths.update_priority_map(stale)).await;
    let mut second = request.clone();
    second.priority_map.as_mut().unwrap().name = format!("{}/priorityMaps/second", pair.name);
    refuses(&house, "ALREADY_EXISTS", norths.update_priority_map(second)).await;
    let mut bad = request;
    bad.priority_map.as_mut().unwrap().entries[1].priority = 6;
    let field = ["priority_map.entries[1].priority"];
    let bad = norths.update_priority_map(bad);
    faulty(&house, "INVALID_FIELD", &field, bad).await;

    house.pass(HOUR);
    let (number, word) = (ticket(NORTH_PSA, "1"), ticket(NORTH_PSA, "2"));
    let events = vec![
        v1::TicketEvent {
            priority: Some(2),
            source_priority: None,
            ..worded("e1", &number, "New", "")
        },
        worded("e1", &word, "New", "3 - Moderate"),
        v1::TicketEvent {
            priority: Some(2),
            ..worded("e1", &ticket(NORTH_PSA, "3"), "New", "3 - Moderate")
        },
    ];
    let results = pair.ingest(&pair.north, events).await;
    assert_eq!(results[2].outcome(), IngestOutcome::Refused);
    let (number, word) = (
        shown(&pair.north, &results[0].ticket).await,
        shown(&pair.south, &results[1].ticket).await,
    );
    assert_eq!((number.priority, number.clocks.len()), (2, 2));
    assert_eq!(number.clocks, word.clocks);
    house.stop().await;
}

/// What waits for its status and for its priority counts once both are explained.
pub async fn an_event_may_wait_for_two_words(house: House) {
    let pair = Pair::with_a_desk(&house).await;
    house.pass(HOUR);
    let id = ticket(NORTH_PSA, "1");
    let both = worded("e1", &id, "Zombie", "Urgent");
    let results = pair.ingest(&pair.north, vec![both.clone()]).await;
    assert_eq!(results[0].outcome(), IngestOutcome::Parked);
    let waiting = |kind, word: &str| (kind, word.to_owned(), 1);
    let expected = [
        waiting(WordKind::Status, "Zombie"),
        waiting(WordKind::Priority, "Urgent"),
    ];
    assert_eq!(unmapped(&pair, &pair.north).await, expected);
    assert_eq!(unmapped(&pair, &pair.south).await, []);
    let other = v1::TicketEvent {
        source_priority: Some("Low".to_owned()),
        ..both.clone()
    };
    let other = pair.ingest(&pair.north, vec![other]).await;
    assert_eq!(other[0].outcome(), IngestOutcome::Refused);

    let map = priority_map_request(&pair, &[("Urgent", 1)]);
    ok(pair.north.connection.sla().update_priority_map(map)).await;
    assert_eq!(unmapped(&pair, &pair.north).await, expected[..1]);
    let again = pair.ingest(&pair.north, vec![both.clone()]).await;
    assert_eq!(again[0].outcome(), IngestOutcome::Parked);
    explain_status(&pair, "Zombie").await;
    assert_eq!(unmapped(&pair, &pair.north).await, []);
    let again = pair.ingest(&pair.north, vec![both.clone()]).await;
    assert_eq!(again[0].outcome(), IngestOutcome::Applied);
    let counted = shown(&pair.south, &results[0].ticket).await;
    assert_eq!((counted.event_count, counted.parked_count), (1, 0));
    assert_eq!((counted.priority, counted.clocks.len()), (1, 2));
    let again = pair.ingest(&pair.north, vec![both]).await;
    assert_eq!(again[0].outcome(), IngestOutcome::AlreadyApplied);
    house.stop().await;
}

/// North's status map learns one more word.
async fn explain_status(pair: &Pair, word: &str) {
    let mut request = pair.status_map_request(NORTH_PSA);
    let map = request.status_map.as_mut().unwrap();
    map.entries.push(v1::StatusMapEntry {
        status: word.to_owned(),
        state: v1::TicketState::InProgress.into(),
    });
    ok(pair.north.connection.sla().update_status_map(request)).await;
}

/// How many journal entries of the partnership are of a type.
async fn entries(pair: &Pair, event_type: &str) -> usize {
    let mut request = v1::ListEntriesRequest {
        parent: pair.name.clone(),
        page_size: 500,
        ..Default::default()
    };
    let mut found = 0;
    loop {
        let page = ok(pair
            .north
            .connection
            .journal()
            .list_entries(request.clone()))
        .await;
        let of_type = page.entries.iter();
        found += of_type.filter(|entry| entry.r#type == event_type).count();
        request.page_token = page.next_page_token;
        if request.page_token.is_empty() {
            return found;
        }
    }
}

/// Nobody has to send again what was parked: the sweeper replays it, each event once, whichever of
/// two sweepers finds it, and the clocks are as if the map had come first.
pub async fn parked_events_count_when_a_map_comes(house: House) {
    let pair = Pair::with_a_desk(&house).await;
    house.pass(3 * HOUR);
    // More than a word's record names, so that some wait in a list.
    let parked = 60;
    let story = |number: usize| {
        let id = ticket(NORTH_PSA, &number.to_string());
        vec![
            worded("e1", &id, "Zombie", "Urgent"),
            status("e2", &id, HOUR, "Waiting"),
            status("e3", &id, 2 * HOUR, "Zombie"),
        ]
    };
    let events: Vec<_> = (0..parked).flat_map(story).collect();
    let results = pair.ingest(&pair.north, events).await;
    let first = &results[0].ticket;
    assert_eq!(shown(&pair.north, first).await.parked_count, 2);
    let count = i64::try_from(parked).unwrap();
    let expected = [
        (WordKind::Status, "Zombie".to_owned(), 2 * count),
        (WordKind::Priority, "Urgent".to_owned(), count),
    ];
    assert_eq!(unmapped(&pair, &pair.north).await, expected);
    house.sweep().await;
    assert_eq!(entries(&pair, "ticket.event_unparked").await, 0);

    let map = priority_map_request(&pair, &[("Urgent", 1)]);
    ok(pair.north.connection.sla().update_priority_map(map)).await;
    explain_status(&pair, "Zombie").await;
    assert_eq!(unmapped(&pair, &pair.north).await, []);
    let waiting = shown(&pair.south, first).await;
    assert_eq!((waiting.parked_count, waiting.clocks.len()), (2, 0));
    for _ in 0..3 {
        tokio::join!(house.sweep(), house.sweep());
    }
    assert_eq!(entries(&pair, "ticket.event_unparked").await, 2 * parked);

    let after = pair.ingest(&pair.north, story(parked)).await;
    let after = shown(&pair.south, &after[0].ticket).await;
    assert_eq!((after.event_count, after.clocks.len()), (3, 2));
    let mut names: Vec<_> = results.iter().map(|result| &result.ticket).collect();
    names.dedup();
    assert_eq!(names.len(), parked);
    house.sweep().await;
    for name in names {
        let replayed = shown(&pair.south, name).await;
        assert_eq!((replayed.event_count, replayed.parked_count), (3, 0));
        assert_eq!(told(replayed.clocks), told(after.clocks.clone()));
    }
    let again = pair.ingest(&pair.north, story(0)).await;
    let already = |result: &v1::IngestResult| result.outcome() == IngestOutcome::AlreadyApplied;
    assert!(again.iter().all(already));
    house.stop().await;
}

/// Clocks without what the journal says of thresholds so far.
fn told(clocks: Vec<v1::Clock>) -> Vec<v1::Clock> {
    let told = clocks.into_iter().map(|clock| v1::Clock {
        thresholds_reached: Vec::new(),
        ..clock
    });
    told.collect()
}

/// Whom the client met, and when it first spoke.
pub async fn what_else_an_event_says(house: House) {
    let pair = Pair::with_a_desk(&house).await;
    house.pass(HOUR);
    let id = ticket(NORTH_PSA, "1");
    let said = v1::TicketEvent {
        person_id: Some("p-7".to_owned()),
        report_time: Some(at(-HOUR)),
        ..event("e1", &id, 0)
    };
    let late = v1::TicketEvent {
        event_id: "e2".to_owned(),
        report_time: Some(at(5 * MINUTE + 1)),
        ..said.clone()
    };
    let wordy = v1::TicketEvent {
        event_id: "e3".to_owned(),
        person_id: Some("x".repeat(65)),
        ..said.clone()
    };
    let someone_else = v1::TicketEvent {
        person_id: Some("p-8".to_owned()),
        ..said.clone()
    };
    let events = vec![said.clone(), late, wordy, someone_else, said];
    let results = pair.ingest(&pair.north, events).await;
    let outcomes: Vec<_> = results.iter().map(v1::IngestResult::outcome).collect();
    let refused = IngestOutcome::Refused;
    let expected = [
        IngestOutcome::Applied,
        refused,
        refused,
        refused,
        IngestOutcome::AlreadyApplied,
    ];
    assert_eq!(outcomes, expected);
    house.stop().await;
}
