//! The clock of an agreed date: it starts with the agreement and ends with accepted work.

use super::super::clock::{DateClock, DateVerdict, DatedAgreement, sentence};
use super::*;
use crate::domain::sla::clock::ClockState;
use crate::domain::sla::clock::tests::weekdays;
use crate::domain::sla::compiled::CompiledCalendar;

const HOUR: Span = Span::from_hours(1);

fn after(hours: i64) -> Timestamp {
    start().saturating_add(Span::from_hours(hours))
}

/// The last agreement's clock around the clock.
fn clock(scene: &Scene, as_of: Timestamp) -> Option<DateClock> {
    let dated = DatedAgreement::find(scene.expectation(), None)?;
    dated.clock(&CompiledCalendar::always_open(), as_of)
}

/// Verdict, state, hours consumed and remaining.
fn shown(scene: &Scene) -> (DateVerdict, ClockState, i64, i64) {
    let clock = clock(scene, scene.now).expect("a clock");
    let hours = |span: Span| span.as_micros() / HOUR.as_micros();
    let consumed = hours(clock.clock.consumed);
    (
        clock.verdict,
        clock.clock.state,
        consumed,
        hours(clock.remaining),
    )
}

#[test]
fn e01_the_clock_starts_only_when_both_agreed() {
    let mut scene = offered(answers());
    assert_eq!(clock(&scene, scene.now), None);
    scene.wait(HOUR).go(OWES, &counter(answers()));
    assert_eq!(clock(&scene, scene.now), None);
    scene.wait(HOUR).go(ASKS, &agree(2));
    let found = clock(&scene, scene.now).expect("both agreed");
    assert_eq!(
        (found.clock.started_at, found.deadline),
        (after(2), deadline())
    );
    assert_eq!((found.offer_number, found.clock.consumed), (2, Span::ZERO));
    assert_eq!(found.clock.target, deadline().since(after(2)));
    assert_eq!(clock(&scene, after(1)), None, "as of an instant before it");
}

#[test]
fn without_a_date_there_is_no_clock() {
    let scene = agreed(FiveW::default());
    assert_eq!(clock(&scene, scene.now), None);
    assert_eq!(
        scene.expectation().state_at(Timestamp::LATEST),
        ExpectationState::Agreed
    );
}

#[test]
fn it_stands_still_while_the_work_is_judged_and_goes_on_where_that_is_disputed() {
    use ClockState::{Running, Stopped};
    let running = DateVerdict::Running;
    let mut scene = agreed(answers());
    scene.wait(HOUR);
    assert_eq!(shown(&scene), (running, Running, 1, 239));
    scene.go(OWES, &fulfil()).wait(Span::from_hours(10));
    assert_eq!(
        shown(&scene),
        (running, Stopped, 1, 239),
        "nobody accepted it yet"
    );
    scene.go(ASKS, &dispute()).wait(Span::from_hours(2));
    assert_eq!(shown(&scene), (running, Running, 3, 227));
    scene
        .go(OWES, &fulfil())
        .wait(HOUR)
        .go(ASKS, &accept(&[0, 1]));
    scene.wait(Span::from_hours(1_000));
    assert_eq!(shown(&scene), (DateVerdict::Met, Stopped, 3, 227));
    let found = clock(&scene, scene.now).expect("a clock");
    assert_eq!(found.clock.stopped_at, Some(after(13)), "when it was done");
}

#[test]
fn e03_a_dispute_that_is_given_up_does_not_count() {
    // Unswept: nothing was recorded, so nothing has to be taken back.
    let disputed_past_the_deadline = || {
        let mut scene = agreed(answers());
        scene
            .wait(HOUR)
            .go(OWES, &fulfil())
            .wait(HOUR)
            .go(ASKS, &dispute());
        scene.now = deadline().saturating_add(HOUR);
        assert_eq!(
            scene.expectation().missed_as_of(scene.now),
            Some(deadline())
        );
        assert_eq!(shown(&scene).0, DateVerdict::Missed);
        scene
    };
    let mut scene = disputed_past_the_deadline();
    let events = scene.ask(ASKS, &accept(&[0, 1]));
    assert_eq!(events, Ok(vec!["expectation.fulfilment_accepted"]));
    assert_eq!(scene.expectation().missed_as_of(scene.now), None);

    let mut scene = disputed_past_the_deadline();
    assert_eq!(scene.tick(), ["expectation.missed"]);
    assert_eq!(scene.state(), ExpectationState::Disputed);
    assert_eq!(scene.tick(), Vec::<&str>::new(), "once");
    let events = scene.ask(ASKS, &accept(&[0, 1]));
    let revised = vec![
        "expectation.fulfilment_accepted",
        "expectation.miss_revised",
    ];
    assert_eq!(events, Ok(revised));
    assert_eq!(scene.expectation().missed_at(), None);
    let found = clock(&scene, scene.now).expect("a clock");
    assert_eq!(
        (found.verdict, found.clock.stopped_at),
        (DateVerdict::Met, Some(after(1)))
    );

    // If it holds, the work is late, whatever is done later.
    let mut scene = disputed_past_the_deadline();
    let events = scene.ask(OWES, &fulfil());
    assert_eq!(
        events,
        Ok(vec!["expectation.missed", "expectation.fulfilled"])
    );
    scene.go(ASKS, &dispute());
    assert_eq!(
        scene.ask(ASKS, &accept(&[0, 1])),
        Ok(vec!["expectation.fulfilment_accepted"])
    );
    assert_eq!(scene.expectation().missed_at(), Some(deadline()));
    assert_eq!(shown(&scene).0, DateVerdict::Missed);
}

#[test]
fn a_dispute_after_the_deadline_is_a_miss_at_once() {
    for (late, types) in [
        (Span::ZERO, vec!["expectation.fulfilment_disputed"]),
        (
            INSTANT,
            vec!["expectation.fulfilment_disputed", "expectation.missed"],
        ),
    ] {
        let mut scene = agreed(answers());
        scene.go(OWES, &fulfil());
        scene.now = deadline().saturating_add(late);
        assert_eq!(
            scene.expectation().missed_as_of(scene.now),
            None,
            "it waits to be judged"
        );
        assert_eq!(scene.ask(ASKS, &dispute()), Ok(types));
        assert_eq!(
            scene.expectation().missed_as_of(scene.now),
            scene.expectation().missed_at()
        );
    }
}

#[test]
fn an_agreement_that_was_replaced_keeps_its_clock() {
    let mut scene = agreed(answers());
    scene.wait(HOUR).go(OWES, &fulfil()).go(ASKS, &dispute());
    scene.wait(HOUR).go(ASKS, &counter(answers()));
    scene.wait(HOUR).go(OWES, &agree(2)).wait(HOUR);
    let dated = DatedAgreement::find(scene.expectation(), Some(1)).expect("the first agreement");
    let always = CompiledCalendar::always_open();
    let first = dated.clock(&always, scene.now).expect("a clock");
    assert_eq!(
        (first.verdict, first.clock.consumed),
        (DateVerdict::Replaced, Span::from_hours(3))
    );
    let before = dated.clock(&always, after(2)).expect("a clock");
    assert_eq!(before.verdict, DateVerdict::Running);
    let second = clock(&scene, scene.now).expect("a clock");
    assert_eq!(
        (second.verdict, second.clock.consumed),
        (DateVerdict::Running, HOUR)
    );
    assert!(DatedAgreement::find(scene.expectation(), Some(3)).is_none());
}

#[test]
fn an_explanation_adds_up_in_open_hours() {
    let mut scene = agreed(answers());
    scene.wait(Span::from_hours(30)).go(OWES, &fulfil());
    scene.wait(Span::from_hours(5)).go(ASKS, &dispute());
    scene.wait(Span::from_hours(60));
    let office = weekdays(9, 17);
    let dated = DatedAgreement::find(scene.expectation(), None).expect("a date");
    let found = dated.clock(&office, scene.now).expect("a clock");
    let explained = dated.explain(&office, scene.now).expect("few intervals");
    assert!(explained.adjustments.is_empty());
    let consumed = explained
        .intervals
        .iter()
        .map(|interval| interval.consumed.as_micros());
    assert_eq!(consumed.sum::<i64>(), found.clock.consumed.as_micros());
    assert_eq!(explained.intervals[0].from, start());
    assert_eq!(explained.intervals.last().expect("one").to, scene.now);
    for pair in explained.intervals.windows(2) {
        assert_eq!(pair[0].to, pair[1].from);
    }
    let stopped: Vec<_> = explained
        .intervals
        .iter()
        .filter(|interval| interval.state == ClockState::Stopped)
        .map(|interval| {
            (
                interval.event_id.as_str(),
                sentence(interval.rule),
                interval.to.since(interval.from),
            )
        })
        .collect();
    let why = "The obligor said that it is done, so the clock stopped; this time does not count.";
    assert_eq!(stopped, [("fulfilment:1", why, Span::from_hours(5))]);
    assert_eq!(found.clock.target, office.elapsed(start(), deadline()));
    assert_eq!(found.remaining, office.elapsed(scene.now, deadline()));
}
