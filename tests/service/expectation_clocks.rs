//! The clock of an agreed date, in the hours of the agreement by which it was judged.

use entente::proto::google::r#type::DayOfWeek;
use entente::proto::v1::{self, ClockState, ExpectationState, ExpectationVerdict};

use super::calls::{faulty, ok, refuses};
use super::house::{HOUR, House, at, lasting};
use super::setting::{Pair, SOUTH, accepting, agreeing, five_w, fulfilling, offering};

fn explaining(name: &str) -> v1::ExplainExpectationClockRequest {
    v1::ExplainExpectationClockRequest {
        name: name.to_owned(),
        page_size: 500,
        ..Default::default()
    }
}

fn reading(name: &str) -> v1::GetExpectationRequest {
    v1::GetExpectationRequest {
        name: name.to_owned(),
    }
}

impl Pair {
    /// A desk that works from Monday to Friday, 09:00 to 17:00 UTC.
    async fn weekday_desk(&self) {
        let days = DayOfWeek::Monday.into()..=DayOfWeek::Friday.into();
        let windows = days.map(|day| v1::WeeklyWindow {
            day,
            start: "09:00".to_owned(),
            end: "17:00".to_owned(),
        });
        let request = v1::CreateCalendarRequest {
            parent: self.name.clone(),
            calendar_id: "weekdays".to_owned(),
            calendar: Some(v1::Calendar {
                display_name: "Weekdays".to_owned(),
                time_zone: "UTC".to_owned(),
                weekly_windows: windows.collect(),
                ..Default::default()
            }),
            ..Default::default()
        };
        ok(self.north.connection.sla().create_calendar(request)).await;
        let desk = v1::Agreement {
            calendar: format!("{}/calendars/weekdays", self.name),
            ..self.desk()
        };
        self.agreement("weekday-desk", desk).await;
    }
}

/// It starts when both agreed, stands still while the work is judged, and adds up (E01).
pub async fn e01_the_clock_of_an_agreed_date(house: House) {
    let pair = Pair::active(&house).await;
    pair.weekday_desk().await;
    let (mut norths, mut souths) = (
        pair.north.connection.expectations(),
        pair.south.connection.expectations(),
    );
    // Until Thursday at eight; it is Monday at eight.
    let request = pair.draft_request(five_w(72));
    let name = ok(norths.create_expectation(request)).await.name;
    let offered = ok(norths.offer_expectation(offering(&name))).await;
    assert_eq!(offered.clock, None);
    let early = norths.explain_expectation_clock(explaining(&name));
    refuses(&house, "NOT_FOUND", early).await;
    house.pass(2 * HOUR);
    let agreed = ok(souths.agree_expectation(agreeing(&name, 1))).await;
    let clock = agreed.clock.unwrap();
    assert_eq!(
        (clock.start_time, clock.deadline),
        (Some(at(2 * HOUR)), Some(at(72 * HOUR)))
    );
    assert_eq!(
        (clock.consumed, clock.total),
        (Some(lasting(0)), Some(lasting(23 * HOUR)))
    );
    assert_eq!(
        (clock.verdict(), clock.state()),
        (ExpectationVerdict::Running, ClockState::Running)
    );

    // Done on Tuesday at ten, disputed at noon, done again at four.
    house.pass(24 * HOUR);
    ok(souths.fulfil_expectation(fulfilling(&name))).await;
    house.pass(2 * HOUR);
    let judged = ok(norths.get_expectation(reading(&name)))
        .await
        .clock
        .unwrap();
    assert_eq!(
        (judged.state(), judged.verdict()),
        (ClockState::Stopped, ExpectationVerdict::Running)
    );
    assert_eq!(judged.stop_time, Some(at(26 * HOUR)));
    let dispute = v1::DisputeFulfilmentRequest {
        name: name.clone(),
        reason: "it is not logged".to_owned(),
        ..Default::default()
    };
    ok(norths.dispute_fulfilment(dispute)).await;
    house.pass(4 * HOUR);
    let running = ok(norths.get_expectation(reading(&name)))
        .await
        .clock
        .unwrap();
    assert_eq!(
        (running.consumed, running.remaining),
        (Some(lasting(12 * HOUR)), Some(lasting(9 * HOUR)))
    );
    ok(souths.fulfil_expectation(fulfilling(&name))).await;
    let accepted = ok(norths.accept_fulfilment(accepting(&name, &[0, 1]))).await;
    let clock = accepted.clock.unwrap();
    assert_eq!(clock.verdict(), ExpectationVerdict::Met);
    adds_up(&pair, &name, &clock).await;
    at_fault(&house, &pair, &name).await;
    house.stop().await;
}

async fn adds_up(pair: &Pair, name: &str, clock: &v1::ExpectationClock) {
    use ClockState::{OutsideHours, Running, Stopped};
    let mut souths = pair.south.connection.expectations();
    let explained = ok(souths.explain_expectation_clock(explaining(name))).await;
    assert_eq!(explained.clock.as_ref(), Some(clock));
    let shown: Vec<_> = explained
        .intervals
        .iter()
        .map(|it| (it.state(), it.event_id.as_str(), it.start_time, it.consumed))
        .collect();
    let (none, agreement) = (Some(lasting(0)), "agreement:1");
    let expected = [
        (
            Running,
            agreement,
            Some(at(2 * HOUR)),
            Some(lasting(7 * HOUR)),
        ),
        (OutsideHours, agreement, Some(at(9 * HOUR)), none),
        (Running, agreement, Some(at(25 * HOUR)), Some(lasting(HOUR))),
        (Stopped, "fulfilment:1", Some(at(26 * HOUR)), none),
        (
            Running,
            "dispute:1",
            Some(at(28 * HOUR)),
            Some(lasting(4 * HOUR)),
        ),
    ];
    assert_eq!(shown, expected);
    let consumed = explained
        .intervals
        .iter()
        .map(|it| it.consumed.unwrap().seconds);
    assert_eq!(consumed.sum::<i64>(), clock.consumed.unwrap().seconds);
    for pair in explained.intervals.windows(2) {
        assert_eq!(pair[0].end_time, pair[1].start_time);
    }
    assert_eq!(
        explained.intervals[0].rule,
        "Both sides agreed, so the clock runs."
    );
    assert_eq!(
        explained.intervals[0].charged_to.as_ref().unwrap().name,
        SOUTH
    );
    // Page by page it is the same.
    let mut request = v1::ExplainExpectationClockRequest {
        page_size: 2,
        ..explaining(name)
    };
    let mut collected = Vec::new();
    loop {
        let page = ok(souths.explain_expectation_clock(request.clone())).await;
        collected.extend(page.intervals);
        if page.next_page_token.is_empty() {
            break;
        }
        request.page_token = page.next_page_token;
    }
    assert_eq!(collected, explained.intervals);
    // As of an instant in between.
    let then = v1::ExplainExpectationClockRequest {
        as_of_time: Some(at(10 * HOUR)),
        ..explaining(name)
    };
    let then = ok(souths.explain_expectation_clock(then)).await;
    assert_eq!(then.clock.unwrap().consumed, Some(lasting(7 * HOUR)));
    assert_eq!(then.intervals.len(), 2);
}

async fn at_fault(house: &House, pair: &Pair, name: &str) {
    let mut norths = pair.north.connection.expectations();
    let request = v1::ExplainExpectationClockRequest {
        offer_number: -1,
        ..explaining("e")
    };
    let call = norths.explain_expectation_clock(request);
    faulty(house, "INVALID_FIELD", &["name", "offer_number"], call).await;
    for request in [
        v1::ExplainExpectationClockRequest {
            offer_number: 2,
            ..explaining(name)
        },
        v1::ExplainExpectationClockRequest {
            as_of_time: Some(at(HOUR)),
            ..explaining(name)
        },
    ] {
        let call = norths.explain_expectation_clock(request);
        refuses(house, "NOT_FOUND", call).await;
    }
    let later = v1::ExplainExpectationClockRequest {
        as_of_time: Some(at(1_000 * HOUR)),
        ..explaining(name)
    };
    let call = norths.explain_expectation_clock(later);
    faulty(house, "OUT_OF_RANGE", &["as_of_time"], call).await;
}

/// Exactly at the deadline is met, a microsecond later is missed, and stays so (E01).
pub async fn e01_at_the_deadline_exactly_is_met(house: House) {
    let pair = Pair::active(&house).await;
    let (mut norths, mut souths) = (
        pair.north.connection.expectations(),
        pair.south.connection.expectations(),
    );
    let (on_time, late) = (pair.agreed().await.name, pair.agreed().await.name);
    house.pass(48 * HOUR);
    house.sweep().await;
    ok(souths.fulfil_expectation(fulfilling(&on_time))).await;
    let met = ok(norths.accept_fulfilment(accepting(&on_time, &[0, 1]))).await;
    let clock = met.clock.unwrap();
    assert_eq!(
        (clock.verdict(), met.missed_time),
        (ExpectationVerdict::Met, None)
    );
    // Without an agreement to judge by, every hour counts.
    assert_eq!(
        (clock.total, clock.consumed),
        (Some(lasting(48 * HOUR)), Some(lasting(48 * HOUR)))
    );
    assert_eq!(clock.remaining, Some(lasting(0)));
    house
        .clock
        .advance(entente::domain::time::Span::from_micros(1));
    let missed = ok(norths.get_expectation(reading(&late))).await;
    assert_eq!(missed.state(), ExpectationState::Missed, "unswept");
    assert_eq!(missed.clock.unwrap().verdict(), ExpectationVerdict::Missed);
    assert_eq!(house.sweep().await.advanced, 1);
    ok(souths.fulfil_expectation(fulfilling(&late))).await;
    let accepted = ok(norths.accept_fulfilment(accepting(&late, &[0, 1]))).await;
    assert_eq!(accepted.missed_time, Some(at(48 * HOUR)));
    assert_eq!(accepted.agreements[0].missed_time, Some(at(48 * HOUR)));
    assert_eq!(
        accepted.clock.unwrap().verdict(),
        ExpectationVerdict::Missed
    );
    house.stop().await;
}
