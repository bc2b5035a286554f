//! Recurrence rules one by one, and against another program's.

use proptest::prelude::*;

use super::*;

/// The dates of a rule, which begins on a date, in some years.
fn dates(start: &str, rule: &str, horizon: Horizon) -> Vec<String> {
    let event = format!("DTSTART;VALUE=DATE:{start}\nRRULE:{rule}");
    let mut calendar = office();
    calendar.weekly_windows.clear();
    let found = exceptions(&text(&[&event]), &calendar, horizon).unwrap();
    let mut dates = Vec::new();
    for exception in found {
        let (first, last) = (exception.first_date, exception.last_date);
        for day in first.days_since_epoch()..=last.days_since_epoch() {
            let date = jiff::civil::date(1970, 1, 1) + jiff::Span::new().days(day);
            dates.push(date.to_string());
        }
    }
    dates
}

#[test]
fn rules_that_holidays_use() {
    let horizon = years(2026, 2027);
    for (start, rule, expected) in [
        // Thanksgiving, Memorial Day, and the day after the first.
        (
            "20201126",
            "FREQ=YEARLY;BYMONTH=11;BYDAY=4TH",
            vec!["2026-11-26", "2027-11-25"],
        ),
        (
            "20200525",
            "FREQ=YEARLY;BYMONTH=5;BYDAY=-1MO",
            vec!["2026-05-25", "2027-05-31"],
        ),
        (
            "20201127",
            "FREQ=YEARLY;BYMONTH=11;BYDAY=FR;BYMONTHDAY=23,24,25,26,27,28,29",
            vec!["2026-11-27", "2027-11-26"],
        ),
        // Every leap day, the last day of the year, the first working day of the year.
        ("20240229", "FREQ=YEARLY", vec![]),
        (
            "20201231",
            "FREQ=YEARLY;BYYEARDAY=-1",
            vec!["2026-12-31", "2027-12-31"],
        ),
        (
            "20200101",
            "FREQ=YEARLY;BYMONTH=1;BYDAY=MO,TU,WE,TH,FR;BYSETPOS=1",
            vec!["2026-01-01", "2027-01-01"],
        ),
        (
            "20260202",
            "FREQ=WEEKLY;INTERVAL=2;COUNT=3;BYDAY=MO,FR",
            vec!["2026-02-02", "2026-02-06", "2026-02-16"],
        ),
        (
            "20261130",
            "FREQ=DAILY;UNTIL=20261202",
            vec!["2026-11-30", "2026-12-01", "2026-12-02"],
        ),
        (
            "20260131",
            "FREQ=MONTHLY;COUNT=3",
            vec!["2026-01-31", "2026-03-31", "2026-05-31"],
        ),
    ] {
        assert_eq!(dates(start, rule, horizon), expected, "{rule}");
    }
}

prop_compose! {
    fn any_rule()(
        frequency in 0..4_usize,
        interval in 1..4_u8,
        months in prop::collection::btree_set(1..=12_u8, 0..3),
        month_days in prop::collection::btree_set(prop_oneof![1..=31_i8, -5..=-1_i8], 0..3),
        days in prop::collection::btree_set(0..7_usize, 0..3),
        ordinal in -2..3_i8,
        position in -2..3_i8,
        count in prop::option::of(1..40_u8),
    ) -> String {
        let list = |name: &str, items: Vec<String>| format!("{name}={}", items.join(","));
        let name = ["DAILY", "WEEKLY", "MONTHLY", "YEARLY"][frequency];
        let mut parts = vec![format!("FREQ={name};INTERVAL={interval}")];
        if !months.is_empty() {
            parts.push(list("BYMONTH", months.iter().map(u8::to_string).collect()));
        }
        if !month_days.is_empty() && frequency != 1 {
            parts.push(list("BYMONTHDAY", month_days.iter().map(i8::to_string).collect()));
        }
        if !days.is_empty() {
            let numbered = frequency >= 2 && ordinal != 0;
            let ordinal = if numbered { ordinal.to_string() } else { String::new() };
            let names = ["MO", "TU", "WE", "TH", "FR", "SA", "SU"];
            let days = days.iter().map(|day| format!("{ordinal}{}", names[*day]));
            parts.push(list("BYDAY", days.collect()));
            // For a first week that began before the start, the other program chooses among the days
            // that are left of it, though for a month or a year among all.
            if position != 0 && frequency != 1 {
                parts.push(format!("BYSETPOS={position}"));
            }
        }
        parts.extend(count.map(|count| format!("COUNT={count}")));
        parts.join(";")
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    /// Another program gives the same dates.
    #[test]
    fn agrees_with_another_implementation(
        rule in any_rule(), year in 2015..2026_i32, month in 1..=12_u8, day in 1..=28_u8,
    ) {
        let start = format!("{year:04}{month:02}{day:02}");
        let set: rrule::RRuleSet = format!("DTSTART:{start}T000000Z\nRRULE:{rule}").parse().unwrap();
        let theirs = set.all(20_000).dates;
        let theirs: Vec<String> = theirs
            .iter()
            .map(|date| date.format("%Y-%m-%d").to_string())
            .filter(|date| ("2020"..="2024-99").contains(&date.as_str()))
            .collect();
        prop_assert_eq!(dates(&start, &rule, years(2020, 2024)), theirs, "{} {}", start, rule);
    }
}
