//! A briefing in English.

use std::collections::HashMap;
use std::fmt::Write as _;

use jiff::tz::TimeZone;

use super::{AGENDA_MAX, Compared, Open, Selection, Showing, Turn};
use crate::domain::hand_over::OpenMatter;
use crate::domain::identity::PartyId;
use crate::domain::record::Kind;
use crate::domain::time::Timestamp;

/// From which intensity on a symptom is on the agenda.
const AGENDA_INTENSITY: u8 = 2;
/// Most symptoms on an agenda.
const AGENDA_SYMPTOMS: usize = 3;

/// What things are called.
#[derive(Clone, Debug, Default)]
pub struct Named {
    /// The parties.
    pub parties: HashMap<PartyId, String>,
    /// Records, as far as they have a title that may be read.
    pub titles: HashMap<(Kind, String), String>,
}

impl Named {
    fn party(&self, party: &PartyId) -> String {
        let name = self.parties.get(party);
        name.map_or_else(|| party.to_string(), Clone::clone)
    }

    /// The title of a record; empty without one.
    #[must_use]
    pub fn title(&self, open: &Open) -> &str {
        let key = (open.kind, open.id.clone());
        self.titles.get(&key).map_or("", String::as_str)
    }
}

/// All that a briefing tells.
#[derive(Clone, Copy, Debug)]
pub struct Told<'briefing> {
    /// Whose briefing it is.
    pub party: &'briefing PartyId,
    /// As of when.
    pub now: Timestamp,
    /// The first instant of the week.
    pub week: Timestamp,
    /// Since when changes are told.
    pub since: Timestamp,
    /// What is open.
    pub selection: &'briefing Selection,
    /// What changed most.
    pub changes: &'briefing [Compared],
    /// Where the check-up shows something, the strongest first.
    pub showing: &'briefing [Showing],
    /// What things are called.
    pub named: &'briefing Named,
}

const fn matter(matter: OpenMatter) -> &'static str {
    match matter {
        OpenMatter::Expectation => "Expectation",
        OpenMatter::Notice => "Planned",
        OpenMatter::Need => "Need",
        OpenMatter::Opportunity => "Opportunity",
        OpenMatter::Limitation => "Limitation to look at again",
        OpenMatter::Ticket => "Ticket",
        OpenMatter::Amendment => "Amendment of a ticket that waits for approval",
        OpenMatter::Agreement => "Agreement",
        OpenMatter::ProposedAgreement => "Proposed agreement that waits for approval",
        OpenMatter::Quote => "Concession that waits for approval",
        OpenMatter::Settlement => "Settlement statement",
        OpenMatter::CustodyItem => "Held",
        OpenMatter::HandOverRequest => "Request to hand over",
        OpenMatter::Activity => "Invitation",
        OpenMatter::SharedGoal => "Shared goal",
        OpenMatter::Improvement => "Improvement",
        OpenMatter::Contact => "Contact",
    }
}

/// One item in a line.
#[must_use]
pub fn item_text(open: &Open, named: &Named, now: Timestamp) -> String {
    let mut text = matter(open.item.matter).to_owned();
    match named.title(open) {
        "" => append(&mut text, format_args!(" {}", open.id)),
        title => append(&mut text, format_args!(" \"{title}\"")),
    }
    let parties: Vec<String> = open
        .item
        .parties
        .iter()
        .map(|party| named.party(party))
        .collect();
    if !parties.is_empty() {
        append(&mut text, format_args!(": {}", parties.join(", ")));
    }
    if let Some(until) = open.item.until {
        append(&mut text, format_args!(", until {}", instant(until)));
    }
    if open.is_overdue(now) {
        text.push_str(", OVERDUE");
    }
    text
}

/// A proposed agenda: what is overdue, what the check-up shows, what became worse, what waits for an
/// answer, and what is due.
#[must_use]
pub fn agenda(told: Told<'_>) -> Vec<String> {
    let mut agenda = Vec::new();
    let due = &told.selection.due.items;
    let overdue: Vec<&Open> = due
        .iter()
        .filter(|open| open.is_overdue(told.now))
        .collect();
    if let Some(oldest) = overdue.first() {
        let item = item_text(oldest, told.named, told.now);
        agenda.push(match overdue.len() {
            1 => format!("Overdue: {item}."),
            count => format!("Overdue, {count} of them. The oldest: {item}."),
        });
    }
    let strong = told.showing.iter();
    let strong = strong.filter(|showing| showing.intensity >= AGENDA_INTENSITY);
    agenda.extend(strong.take(AGENDA_SYMPTOMS).map(|showing| {
        let party = told.named.party(&showing.party);
        let mut text = format!(
            "{} {party} is at intensity {}.",
            showing.symptom.question(),
            showing.intensity
        );
        if !showing.change.is_empty() {
            append(&mut text, format_args!(" {}", showing.change));
        }
        text
    }));
    let worse = told.changes.iter().find(|change| change.is_worse());
    agenda.extend(
        worse.map(|change| format!("Why is it worse? {}.", change_text(change, told.named))),
    );
    let waits = told.selection.items().find(|open| {
        let matter = open.item.matter;
        use OpenMatter::{Amendment, ProposedAgreement, Quote};
        matches!(matter, Amendment | ProposedAgreement | Quote)
    });
    agenda.extend(waits.map(|open| format!("Answer: {}.", item_text(open, told.named, told.now))));
    let ahead: Vec<&Open> = due
        .iter()
        .filter(|open| !open.is_overdue(told.now))
        .collect();
    if let Some(next) = ahead.first() {
        let item = item_text(next, told.named, told.now);
        agenda.push(format!(
            "Due by the end of the week, {} of them. The first: {item}.",
            ahead.len()
        ));
    }
    if agenda.is_empty() {
        agenda.push(
            "Nothing is overdue or due, and no symptom is more than slight: plan what is next."
                .to_owned(),
        );
    }
    agenda.truncate(AGENDA_MAX);
    agenda
}

/// A change in a line.
#[must_use]
pub fn change_text(change: &Compared, named: &Named) -> String {
    let words = |reading: &Option<super::Reading>| match reading {
        None => "no data".to_owned(),
        Some(reading) => match reading.intensity {
            None => reading.text.clone(),
            Some(intensity) => format!("{} [{intensity}]", reading.text),
        },
    };
    let currency = match change.currency.as_str() {
        "" => String::new(),
        currency => format!(", {currency}"),
    };
    format!(
        "{}, {}{currency}: from {} to {}",
        named.party(&change.party),
        change.measure.label(),
        words(&change.before),
        words(&change.after),
    )
}

/// All of it.
#[must_use]
pub fn text(told: Told<'_>, agenda: &[String]) -> String {
    let mut text = String::new();
    append(
        &mut text,
        format_args!(
            "Briefing for the week of {}, as of {}\n",
            day(told.week),
            instant(told.now)
        ),
    );
    let own = told.named.party(told.party);
    list(
        &mut text,
        &format!("What {own} owes"),
        &told.selection.own,
        told,
    );
    list(
        &mut text,
        &format!("What {own} is owed"),
        &told.selection.others,
        told,
    );
    list(
        &mut text,
        "Due by the end of the week",
        &told.selection.due,
        told,
    );
    let since = format!("What changed since {}", day(told.since));
    let changes: Vec<String> = told
        .changes
        .iter()
        .map(|change| change_text(change, told.named))
        .collect();
    section(&mut text, &since, &changes, "nothing");
    append(&mut text, format_args!("\nProposed agenda\n"));
    for (number, item) in (1..).zip(agenda) {
        append(&mut text, format_args!("{number}. {item}\n"));
    }
    text
}

fn list(text: &mut String, heading: &str, turn: &Turn, told: Told<'_>) {
    let lines: Vec<String> = turn
        .items
        .iter()
        .map(|open| item_text(open, told.named, told.now))
        .collect();
    let shown = u64::try_from(lines.len()).unwrap_or(u64::MAX);
    section(text, heading, &lines, "nothing");
    if let Some(more) = turn.count.checked_sub(shown).filter(|more| *more > 0) {
        append(text, format_args!("- and {more} more\n"));
    }
}

fn section(text: &mut String, heading: &str, lines: &[String], nothing: &str) {
    append(text, format_args!("\n{heading}\n"));
    for line in lines {
        append(text, format_args!("- {line}\n"));
    }
    if lines.is_empty() {
        append(text, format_args!("- {nothing}\n"));
    }
}

fn append(text: &mut String, more: std::fmt::Arguments<'_>) {
    // Writing into a text does not fail.
    let written = text.write_fmt(more);
    debug_assert!(written.is_ok());
}

fn day(at: Timestamp) -> String {
    shown(at, "%-d %b %Y")
}

fn instant(at: Timestamp) -> String {
    shown(at, "%-d %b %Y, %H:%M UTC")
}

fn shown(at: Timestamp, format: &str) -> String {
    let instant = jiff::Timestamp::from_microsecond(at.as_micros());
    instant.map_or_else(
        |_| at.to_string(),
        |instant| instant.to_zoned(TimeZone::UTC).strftime(format).to_string(),
    )
}
