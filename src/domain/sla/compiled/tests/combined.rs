//! Two calendars together, against minutes marked one by one and against each other.

use super::against_minutes::{
    DAY_MINUTES, Minutes, REACH_DAYS, any_case, any_instant, any_length, compiled, instant,
};
use super::*;

fn both(
    operator: Operator,
    first: &CompiledCalendar,
    second: &CompiledCalendar,
) -> Option<CompiledCalendar> {
    let calendars = [Arc::new(first.clone()), Arc::new(second.clone())];
    CompiledCalendar::combine(operator, calendars).ok()
}

fn office(zone: &str) -> CompiledCalendar {
    weekly(zone, &WORKDAYS, "09:00", "17:00")
}

#[test]
fn shared_hours_follow_both_zones_through_the_year() {
    let shared = both(
        Operator::Intersection,
        &office("Europe/Berlin"),
        &office("America/New_York"),
    )
    .unwrap();
    // Ordinarily six hours apart; five while only America has changed its clocks.
    for (day, hours) in [("2026-03-02", 2), ("2026-03-16", 3), ("2026-04-01", 2)] {
        let (from, to) = (at(&format!("{day}T00:00Z")), at(&format!("{day}T23:59Z")));
        assert_eq!(shared.elapsed(from, to), Span::from_hours(hours), "{day}");
    }
    // Friday 16:30 UTC is after Berlin's week, so the hour ends on Monday.
    assert_eq!(
        shared.add(at("2026-02-27T16:30Z"), Span::from_hours(1)),
        Some(at("2026-03-02T15:00Z"))
    );
}

#[test]
fn shifts_that_touch_are_one_interval() {
    let early = weekly("UTC", &Weekday::ALL, "06:00", "14:00");
    let late = weekly("UTC", &Weekday::ALL, "14:00", "22:00");
    let staffed = both(Operator::Union, &early, &late).unwrap();
    assert_eq!(
        staffed.next_close(at("2026-03-02T07:00Z")),
        Some(at("2026-03-02T22:00Z"))
    );
    let never = [Arc::new(early.clone()), Arc::new(late.clone())];
    assert_eq!(
        CompiledCalendar::combine(Operator::Intersection, never).unwrap_err(),
        CalendarError::NeverOpens
    );
    // Day and night together are the clock around, New Year included.
    let night = weekly("UTC", &Weekday::ALL, "22:00", "06:00");
    let always = both(Operator::Union, &staffed, &night).unwrap();
    let (from, to) = (at("2026-12-01T00:00Z"), at("2027-02-01T00:00Z"));
    assert_eq!(always.elapsed(from, to), to.since(from));
    assert_eq!(always.open_intervals(from, to).count(), 1);
    assert_eq!(always.next_close(from), None);
}

#[test]
fn what_is_always_open_adds_everything_and_takes_nothing_away() {
    let (always, office) = (CompiledCalendar::always_open(), office("Asia/Tokyo"));
    let union = both(Operator::Union, &office, &always).unwrap();
    assert!(matches!(union.openness, Openness::Always));
    let shared = both(Operator::Intersection, &always, &office).unwrap();
    let (from, to) = (at("2026-01-01T00:00Z"), at("2028-01-01T00:00Z"));
    assert!(
        shared
            .open_intervals(from, to)
            .eq(office.open_intervals(from, to))
    );
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(100))]

    /// Open is what either has, or what both have, minute by minute.
    #[test]
    fn agrees_with_minutes_marked_one_by_one(
        (first, around) in any_case(), (second, _) in any_case(),
    ) {
        let minutes = [Minutes::new(&first, around), Minutes::new(&second, around)];
        let (Some(first), Some(second)) = (compiled(&first), compiled(&second)) else {
            return Ok(());
        };
        let from = ((around - REACH_DAYS) * DAY_MINUTES).max(RANGE_START.as_micros() / 60_000_000);
        for operator in [Operator::Union, Operator::Intersection] {
            let Some(calendar) = both(operator, &first, &second) else { continue };
            let mut open = 0;
            for minute in from..(around + REACH_DAYS) * DAY_MINUTES {
                let [one, other] = minutes.each_ref().map(|marked| marked.is_open(minute));
                let expected = match operator {
                    Operator::Union => one || other,
                    Operator::Intersection => one && other,
                };
                prop_assert_eq!(calendar.is_open(instant(minute)), expected);
                let elapsed = calendar.elapsed(instant(from), instant(minute));
                prop_assert_eq!(elapsed, Span::from_minutes(open));
                if expected {
                    open += 1;
                    let end = calendar.add(instant(from), Span::from_minutes(open));
                    prop_assert_eq!(end, Some(instant(minute + 1)));
                }
            }
        }
    }

    /// What both have is counted twice by adding them, and once by their union.
    #[test]
    fn union_and_intersection_add_up_to_both(
        (first, _) in any_case(), (second, _) in any_case(),
        from in any_instant(), to in any_instant(), length in any_length(),
    ) {
        let (Some(first), Some(second)) = (compiled(&first), compiled(&second)) else {
            return Ok(());
        };
        let union = both(Operator::Union, &first, &second).unwrap();
        let shared = both(Operator::Intersection, &first, &second);
        let shared_time = shared.as_ref().map_or(Span::ZERO, |shared| shared.elapsed(from, to));
        prop_assert_eq!(
            union.elapsed(from, to).saturating_add(shared_time),
            first.elapsed(from, to).saturating_add(second.elapsed(from, to))
        );
        for calendar in [Some(union), shared].into_iter().flatten() {
            if let Some(end) = calendar.add(from, length) {
                prop_assert_eq!(calendar.elapsed(from, end), length);
            }
            if let Some(start) = calendar.subtract(from, length) {
                prop_assert_eq!(calendar.elapsed(start, from), length);
            }
        }
    }
}
