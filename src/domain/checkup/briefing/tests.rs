use std::collections::HashMap;

use super::*;
use crate::domain::checkup::measure::Measure;
use crate::domain::time::Span;

fn party(id: &str) -> PartyId {
    PartyId::from_text(id)
}

fn at(hours: i64) -> Timestamp {
    Timestamp::EARLIEST.saturating_add(Span::from_hours(hours))
}

fn open(id: &str, matter: OpenMatter, parties: &[&str], until: Option<i64>) -> Open {
    Open {
        kind: Kind::Expectation,
        id: id.to_owned(),
        item: HandOverItem {
            matter,
            amendment: None,
            parties: parties.iter().map(|id| party(id)).collect(),
            until: until.map(at),
        },
    }
}

fn ids(turn: &Turn) -> Vec<&str> {
    turn.items.iter().map(|open| open.id.as_str()).collect()
}

#[test]
fn weeks_begin_on_monday() {
    // 2000-01-01 was a Saturday.
    let (monday, next) = week_of(at(0));
    assert_eq!(monday.to_string(), "1999-12-27T00:00:00Z");
    assert_eq!(next.to_string(), "2000-01-03T00:00:00Z");
    assert_eq!(week_of(next).0, next);
    assert_eq!(
        week_of(Timestamp::from_micros(next.as_micros() - 1)).0,
        monday
    );
    assert_eq!(
        week_of(Timestamp::from_micros(0)).0.to_string(),
        "1969-12-29T00:00:00Z"
    );
}

#[test]
fn whose_turn_it_is_and_what_is_due() {
    let mut selection = Selection::new(party("party-1"), at(100));
    for open in [
        open("later", OpenMatter::Expectation, &["party-1"], Some(200)),
        open("never", OpenMatter::Quote, &["party-1"], None),
        open("soon", OpenMatter::Ticket, &["party-2"], Some(50)),
        open(
            "both",
            OpenMatter::Settlement,
            &["party-1", "party-2"],
            Some(60),
        ),
        open("told", OpenMatter::Notice, &["party-2"], Some(70)),
        open("goes on", OpenMatter::Agreement, &["party-1"], Some(10)),
        open("end", OpenMatter::Expectation, &["party-2"], Some(100)),
    ] {
        selection.take(&open);
    }
    assert_eq!(ids(&selection.own), ["both", "later", "never"]);
    assert_eq!(ids(&selection.others), ["soon", "both", "end"]);
    assert_eq!(ids(&selection.due), ["soon", "both", "told"]);
}

#[test]
fn lists_are_bounded_and_say_how_much_there_is() {
    let mut selection = Selection::new(party("party-1"), at(0));
    let all = 2 * i64::try_from(ITEMS_MAX).unwrap();
    for hours in (0..all).rev() {
        let id = hours.to_string();
        selection.take(&open(&id, OpenMatter::Ticket, &["party-1"], Some(hours)));
    }
    assert_eq!(selection.own.count, all.unsigned_abs());
    assert_eq!(selection.own.items.len(), ITEMS_MAX);
    assert_eq!(ids(&selection.own)[..3], ["0", "1", "2"]);
    assert_eq!(selection.due, Turn::default());
}

fn compared(measure: Measure, before: Option<(i64, u8)>, after: Option<(i64, u8)>) -> Compared {
    let reading = |(level, intensity): (i64, u8)| Reading {
        level,
        intensity: Some(intensity),
        text: level.to_string(),
    };
    Compared {
        party: party("party-2"),
        measure,
        currency: String::new(),
        before: before.map(reading),
        after: after.map(reading),
    }
}

#[test]
fn what_changed_most_is_told_first() {
    let same = compared(Measure::TargetsMissed, Some((500, 1)), Some((500, 1)));
    let small = compared(Measure::ResponsesMissed, Some((500, 1)), Some((510, 1)));
    let large = compared(Measure::FireDrills, Some((500, 1)), Some((900, 1)));
    let worse = compared(Measure::UpdatesMissed, Some((500, 1)), Some((1_000, 2)));
    let better = compared(Measure::WorkDisputed, Some((1_000, 2)), Some((500, 1)));
    let known = compared(Measure::ClaimsNotKept, None, Some((0, 0)));
    let told = most_changed(vec![
        same.clone(),
        known.clone(),
        small.clone(),
        better.clone(),
        large.clone(),
        worse.clone(),
    ]);
    assert_eq!(told, [worse, better, large]);
    assert_eq!(
        most_changed(vec![same, known.clone(), small.clone()]),
        [small, known]
    );
}

#[test]
fn a_briefing_says_it_in_words() {
    let mut selection = Selection::new(party("party-1"), at(100));
    selection.take(&open("a1", OpenMatter::Expectation, &["party-2"], Some(5)));
    selection.take(&open("a2", OpenMatter::Quote, &["party-1"], Some(90)));
    let named = Named {
        parties: HashMap::from([
            (party("party-1"), "North".to_owned()),
            (party("party-2"), "South".to_owned()),
        ]),
        titles: HashMap::from([((Kind::Expectation, "a1".to_owned()), "Printer".to_owned())]),
    };
    let changes = [compared(
        Measure::TargetsMissed,
        Some((500, 1)),
        Some((1_000, 2)),
    )];
    let showing = [Showing {
        symptom: Symptom::NoMutualRespect,
        party: party("party-2"),
        intensity: 2,
        change: "With 2 fewer it is below.".to_owned(),
    }];
    let told = Told {
        party: &selection.party.clone(),
        now: at(10),
        week: at(0),
        since: at(0),
        selection: &selection,
        changes: &changes,
        showing: &showing,
        named: &named,
    };
    let agenda = agenda(told);
    let expected = [
        "Overdue: Expectation \"Printer\": South, until 1 Jan 2000, 05:00 UTC, OVERDUE.",
        "Do we hold ourselves to what we ask of each other? South is at intensity 2. With 2 fewer it is below.",
        "Why is it worse? South, targets missed: from 500 [1] to 1000 [2].",
        "Answer: Concession that waits for approval a2: North, until 4 Jan 2000, 18:00 UTC.",
        "Due by the end of the week, 1 of them. The first: Concession that waits for approval a2: North, until 4 Jan 2000, 18:00 UTC.",
    ];
    assert_eq!(agenda, expected);
    let text = text(told, &agenda);
    for part in [
        "Briefing for the week of 1 Jan 2000, as of 1 Jan 2000, 10:00 UTC\n",
        "\nWhat North owes\n- Concession",
        "\nWhat North is owed\n- Expectation \"Printer\"",
        "\nProposed agenda\n1. Overdue",
    ] {
        assert!(text.contains(part), "{part:?} in\n{text}");
    }
}

#[test]
fn nothing_to_talk_about_is_said() {
    let selection = Selection::new(party("party-1"), at(100));
    let named = Named::default();
    let told = Told {
        party: &party("party-1"),
        now: at(10),
        week: at(0),
        since: at(0),
        selection: &selection,
        changes: &[],
        showing: &[],
        named: &named,
    };
    assert_eq!(agenda(told).len(), 1);
    assert!(text(told, &agenda(told)).contains("What party-1 owes\n- nothing\n"));
}
