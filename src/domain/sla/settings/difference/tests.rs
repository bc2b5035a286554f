//! Differences, one by one, and that nothing is found exactly where nothing differs.

use proptest::prelude::*;

use super::*;
use crate::domain::sla::calendar::{
    CalendarSpecification, CivilDate, DayWindow, MinuteOfDay, Weekday,
};
use crate::domain::sla::clock::Priority;
use crate::domain::sla::combination::{Operand, Operator};
use crate::domain::sla::settings::CalendarRevision;

fn minute(hour: u16) -> MinuteOfDay {
    MinuteOfDay::from_minutes(hour * 60).unwrap()
}

fn window(day: Weekday, start: u16, end: u16) -> WeeklyWindow {
    WeeklyWindow {
        day,
        start: minute(start),
        end: minute(end),
    }
}

fn exception(day: i8, hours: Option<(u16, u16)>) -> CalendarException {
    let date = CivilDate::new(2026, 12, day).unwrap();
    let windows = hours.map(|(start, end)| DayWindow {
        start: minute(start),
        end: minute(end),
    });
    CalendarException {
        first_date: date,
        last_date: date,
        windows: windows.into_iter().collect(),
        description: String::new(),
    }
}

fn revision(weekly_windows: &[WeeklyWindow], exceptions: &[CalendarException]) -> Revision {
    Revision::Windows(CalendarRevision {
        specification: CalendarSpecification {
            time_zone: "Europe/Paris".to_owned(),
            weekly_windows: weekly_windows.to_vec(),
            exceptions: exceptions.to_vec(),
        },
        zone_digest: "00".to_owned(),
    })
}

fn difference(before: &Revision, after: &Revision) -> Vec<Change<CalendarPart>> {
    let content = |revision| CalendarContent {
        display_name: "Office",
        revision,
    };
    calendars(content(before), content(after))
}

#[test]
fn windows_of_a_day_are_set_against_each_other() {
    let (monday, friday) = (Weekday::Monday, Weekday::Friday);
    let before = [
        window(friday, 8, 17),
        window(monday, 8, 12),
        window(monday, 13, 17),
    ];
    let after = [
        window(monday, 9, 12),
        window(monday, 13, 17),
        window(Weekday::Sunday, 10, 11),
    ];
    let found = difference(&revision(&before, &[]), &revision(&after, &[]));
    let part = CalendarPart::WeeklyWindow;
    let expected = [
        Change::Changed {
            before: part(window(monday, 8, 12)),
            after: part(window(monday, 9, 12)),
        },
        Change::Removed(part(window(friday, 8, 17))),
        Change::Added(part(window(Weekday::Sunday, 10, 11))),
    ];
    assert_eq!(found, expected);
    let turned = [before[2], before[0], before[1]];
    assert_eq!(
        difference(&revision(&before, &[]), &revision(&turned, &[])),
        []
    );
    // A window that is written down twice is one more.
    let twice = [before[0], before[0], before[1], before[2]];
    assert_eq!(
        difference(&revision(&twice, &[]), &revision(&before, &[])),
        [Change::Removed(part(before[0]))]
    );
}

#[test]
fn exceptions_change_by_their_dates_and_their_order_counts() {
    let before = [
        exception(24, None),
        exception(25, None),
        exception(31, Some((8, 12))),
    ];
    let after = [
        exception(24, Some((8, 12))),
        exception(26, None),
        exception(31, Some((8, 12))),
    ];
    let part = CalendarPart::Exception;
    let expected = [
        Change::Changed {
            before: part(before[0].clone()),
            after: part(after[0].clone()),
        },
        Change::Removed(part(exception(25, None))),
        Change::Added(part(exception(26, None))),
    ];
    assert_eq!(
        difference(&revision(&[], &before), &revision(&[], &after)),
        expected
    );
    let turned = [before[1].clone(), before[2].clone(), before[0].clone()];
    assert_eq!(
        difference(&revision(&[], &before), &revision(&[], &turned)),
        [Change::Moved(part(before[0].clone()))]
    );
}

#[test]
fn name_zone_and_form() {
    let windows = revision(&[window(Weekday::Monday, 8, 17)], &[]);
    let mut elsewhere = windows.clone();
    if let Revision::Windows(elsewhere) = &mut elsewhere {
        elsewhere.specification.time_zone = "Europe/Rome".to_owned();
        elsewhere.zone_digest = "01".to_owned();
    }
    let found = calendars(
        CalendarContent {
            display_name: "Office",
            revision: &windows,
        },
        CalendarContent {
            display_name: "Desk",
            revision: &elsewhere,
        },
    );
    let text = |part: fn(String) -> CalendarPart, before: &str, after: &str| Change::Changed {
        before: part(before.to_owned()),
        after: part(after.to_owned()),
    };
    let expected = [
        text(CalendarPart::DisplayName, "Office", "Desk"),
        text(CalendarPart::TimeZone, "Europe/Paris", "Europe/Rome"),
        text(CalendarPart::ZoneDigest, "00", "01"),
    ];
    assert_eq!(found, expected);
    let operand = |calendar: &str| Operand {
        calendar: calendar.to_owned(),
        revision: 1,
    };
    let combination = CalendarCombination {
        operator: Operator::Union,
        operands: [operand("a"), operand("b")],
        depth: 1,
    };
    let found = difference(&windows, &Revision::Combination(combination.clone()));
    assert_eq!(found.len(), 4);
    let combined = CalendarPart::Combination(combination);
    assert_eq!(found.last(), Some(&Change::Added(combined)));
}

#[test]
fn words_of_maps() {
    let map = |entries: &[(&str, u8)]| -> BTreeMap<String, Priority> {
        let entries = entries.iter();
        let entry =
            |(word, number): &(&str, u8)| ((*word).to_owned(), Priority::new(*number).unwrap());
        entries.map(entry).collect()
    };
    let (before, after) = (
        map(&[("P1", 1), ("P2", 2), ("P3", 3)]),
        map(&[("P1", 1), ("P2", 3), ("P4", 4)]),
    );
    let entry = |word: &str, number| (word.to_owned(), Priority::new(number).unwrap());
    let expected = [
        Change::Changed {
            before: entry("P2", 2),
            after: entry("P2", 3),
        },
        Change::Removed(entry("P3", 3)),
        Change::Added(entry("P4", 4)),
    ];
    assert_eq!(entries(&before, &after), expected);
    assert_eq!(entries(&after, &after), []);
}

fn some_windows() -> impl Strategy<Value = Vec<WeeklyWindow>> {
    let some = (0..3_usize, 0..3_u16, 4..6_u16)
        .prop_map(|(day, start, end)| window(Weekday::ALL[day], start, end));
    prop::collection::vec(some, 0..6)
}

fn some_exceptions() -> impl Strategy<Value = Vec<CalendarException>> {
    let some = (1..4_i8, prop::option::of(1..3_u16))
        .prop_map(|(day, start)| exception(day, start.map(|start| (start, 20))));
    prop::collection::vec(some, 0..7)
}

/// What `changes` make of `before`, without regard to order.
fn applied<T: PartialEq>(mut before: Vec<T>, changes: Vec<Change<T>>) -> Vec<T> {
    fn take<T: PartialEq>(items: &mut Vec<T>, gone: &T) {
        let place = items.iter().position(|item| item == gone);
        items.remove(place.expect("what is gone was there"));
    }
    for change in changes {
        match change {
            Change::Added(item) => before.push(item),
            Change::Removed(item) => take(&mut before, &item),
            Change::Changed {
                before: gone,
                after,
            } => {
                take(&mut before, &gone);
                before.push(after);
            }
            Change::Moved(item) => assert!(before.contains(&item)),
        }
    }
    before
}

/// The longest selection of places that ascends, found by trying all.
fn longest_by_trying(numbers: &[usize]) -> usize {
    let selections = 0..1_u32 << numbers.len();
    let ascends = |selection: &u32| {
        let chosen = numbers.iter().enumerate();
        let chosen = chosen.filter(|(place, _)| selection >> place & 1 == 1);
        chosen.map(|(_, number)| number).is_sorted()
    };
    let longest = selections.filter(ascends).map(u32::count_ones).max();
    longest.unwrap_or(0) as usize
}

proptest! {
    #[test]
    fn changes_lead_from_one_to_the_other(
        before in some_windows(), after in some_windows(),
        earlier in some_exceptions(), later in some_exceptions(),
    ) {
        let sorted = |mut windows: Vec<WeeklyWindow>| {
            windows.sort_by_key(|window| (window.day.index(), window.start, window.end));
            windows
        };
        let changes = weekly_windows(&before, &after);
        prop_assert_eq!(changes.is_empty(), sorted(before.clone()) == sorted(after.clone()));
        prop_assert_eq!(sorted(applied(before, changes)), sorted(after));

        let changes = exceptions(&earlier, &later);
        prop_assert_eq!(changes.is_empty(), earlier == later);
        let dates = |mut exceptions: Vec<CalendarException>| {
            exceptions.sort_by_key(|exception| (exception.first_date, exception.windows.len(),
                exception.windows.first().map(|window| window.start)));
            exceptions
        };
        prop_assert_eq!(dates(applied(earlier, changes)), dates(later));
    }

    #[test]
    fn as_few_as_possible_have_moved(numbers in Just((0..9_usize).collect::<Vec<_>>()).prop_shuffle()) {
        let chosen = longest_ascent(&numbers);
        let mut places: Vec<usize> = chosen.into_iter().collect();
        places.sort_unstable();
        prop_assert!(places.iter().map(|place| numbers[*place]).is_sorted());
        prop_assert_eq!(places.len(), longest_by_trying(&numbers));
    }
}
