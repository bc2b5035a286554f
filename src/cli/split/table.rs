//! A split for people.

use super::{Outcome, basis_name};
use crate::cli::page::Page;
use crate::domain::pricing::division::{Division, MeasureKind, Part};
use crate::domain::pricing::money::Currency;
use crate::domain::pricing::sheet::{Answer, Cadence, Undivided};

/// Marks a slice that has no room left.
const AT_FLOOR: &str = "*";

/// One basis, and what came of it on one cadence.
type Column<'outcome> = (MeasureKind, &'outcome Answer);

/// The split as a page of text; `brief` leaves out why.
pub(super) fn page(outcome: &Outcome, brief: bool) -> String {
    let mut page = Page::new(false);
    let currency = outcome.sheet.currency;
    for (cadence, concession) in &outcome.sheet.concessions {
        let columns = columns(outcome, *cadence);
        page.heading(&title(*cadence, *concession, currency));
        if columns.is_empty() {
            page.say("No basis that was asked for can divide it.");
            page.gap();
            continue;
        }
        shares(&mut page, &columns, currency);
        if columns.len() > 1 {
            page.say("The prices after it:");
            page.gap();
            prices_after(&mut page, &columns, currency);
        }
        notes(&mut page, &columns, currency);
        if !brief {
            for column in &columns {
                why(&mut page, column, currency);
            }
        }
    }
    for (measure, answer) in &outcome.alternatives {
        if let Err(undivided) = answer {
            refused(&mut page, *measure, undivided, currency);
        }
    }
    let text = page.into_text();
    format!("{}\n", text.trim_end())
}

fn title(cadence: Cadence, concession: i64, currency: Currency) -> String {
    let when = match cadence {
        Cadence::OneTime => "Once",
        Cadence::Monthly => "Every month",
        Cadence::Quarterly => "Every quarter",
        Cadence::Yearly => "Every year",
    };
    let amount = currency.decimal_unsigned(concession.unsigned_abs());
    let what = if concession < 0 {
        "on top: a surcharge"
    } else {
        "less"
    };
    format!("{when}: {amount} {currency} {what}")
}

/// The bases that could divide a cadence.
fn columns(outcome: &Outcome, cadence: Cadence) -> Vec<Column<'_>> {
    let of = |(measure, answer): &'_ (MeasureKind, Result<Vec<Answer>, Undivided>)| {
        let answers = answer.as_ref().ok()?;
        let found = answers
            .iter()
            .position(|answer| answer.cadence == cadence)?;
        Some((*measure, found))
    };
    let mut columns = Vec::new();
    for alternative in &outcome.alternatives {
        if let (Some((measure, index)), Ok(answers)) = (of(alternative), &alternative.1) {
            columns.extend(answers.get(index).map(|answer| (measure, answer)));
        }
    }
    columns
}

/// Who bears what: a line for each slice, for each owner with several, and for all.
fn shares(page: &mut Page, columns: &[Column<'_>], currency: Currency) {
    let Some((_, first)) = columns.first() else {
        return;
    };
    let first = &first.division;
    let is_single = columns.len() == 1;
    let mut header = vec!["slice".to_owned(), "owner".to_owned(), "price".to_owned()];
    let by = |(measure, _): &Column<'_>| format!("by {}", basis_name(*measure));
    header.extend(columns.iter().map(by));
    if is_single {
        header.push("price after".to_owned());
    }
    let money = |minor: i64| currency.decimal(minor);
    let after = |minor: u64| currency.decimal_unsigned(minor);
    let mut rows = Vec::new();
    for (index, part) in first.parts.iter().enumerate() {
        let mut row = vec![
            part.id.clone(),
            part.owner.clone(),
            after(part.price_before),
        ];
        for (_, answer) in columns {
            let part = answer.division.parts.get(index);
            row.push(part.map_or_else(String::new, |part| marked(part, currency)));
        }
        if is_single {
            row.push(after(part.price_after));
        }
        rows.push(row);
    }
    let mut sums = owners(first);
    sums.push(None);
    for owner in sums {
        let of = |part: &&Part| owner.is_none_or(|owner| part.owner == owner);
        let sum = |division: &Division, amount: fn(&Part) -> i128| {
            let parts = division.parts.iter().filter(of);
            // What fits together fits in part.
            i64::try_from(parts.map(amount).sum::<i128>()).unwrap_or(i64::MAX)
        };
        let before = sum(first, |part| i128::from(part.price_before));
        let (name, owner) = match owner {
            Some(owner) => ("", format!("{owner}, all")),
            None => ("all", String::new()),
        };
        let mut row = vec![name.to_owned(), owner, money(before)];
        for (_, answer) in columns {
            let share = sum(&answer.division, |part| i128::from(part.share));
            row.push(format!("{} ", money(share)));
        }
        if is_single {
            row.push(money(sum(first, |part| i128::from(part.price_after))));
        }
        rows.push(row);
    }
    print(page, &header, rows);
}

/// The owners with more than one slice, in the order of the quote.
fn owners(division: &Division) -> Vec<Option<&str>> {
    let mut owners: Vec<Option<&str>> = Vec::new();
    for part in &division.parts {
        let slices = division
            .parts
            .iter()
            .filter(|other| other.owner == part.owner);
        if slices.count() > 1 && !owners.contains(&Some(&part.owner)) {
            owners.push(Some(&part.owner));
        }
    }
    owners
}

/// What a slice bears, with a mark where it lies at its floor.
fn marked(part: &Part, currency: Currency) -> String {
    let mark = if part.is_at_floor { AT_FLOOR } else { " " };
    format!("{}{mark}", currency.decimal(part.share))
}

fn prices_after(page: &mut Page, columns: &[Column<'_>], currency: Currency) {
    let Some((_, first)) = columns.first() else {
        return;
    };
    let mut header = vec!["slice".to_owned(), "owner".to_owned(), "price".to_owned()];
    let by = |(measure, _): &Column<'_>| format!("by {}", basis_name(*measure));
    header.extend(columns.iter().map(by));
    let money = |minor: u64| currency.decimal_unsigned(minor);
    let row = |(index, part): (usize, &Part)| {
        let mut row = vec![
            part.id.clone(),
            part.owner.clone(),
            money(part.price_before),
        ];
        for (_, answer) in columns {
            let part = answer.division.parts.get(index);
            row.push(part.map_or_else(String::new, |part| money(part.price_after)));
        }
        row
    };
    let rows = first.division.parts.iter().enumerate().map(row).collect();
    print(page, &header, rows);
}

fn print(page: &mut Page, header: &[String], rows: Vec<Vec<String>>) {
    let header: Vec<&str> = header.iter().map(String::as_str).collect();
    let to_the_right: Vec<usize> = (2..header.len()).collect();
    page.columns(&header, rows, &to_the_right, &[0, 1]);
}

/// What the figures alone do not say.
fn notes(page: &mut Page, columns: &[Column<'_>], currency: Currency) {
    let mut at_floor = columns
        .iter()
        .flat_map(|(_, answer)| &answer.division.parts);
    let mut is_noted = false;
    if at_floor.any(|part| part.is_at_floor) {
        page.hang(
            "* ",
            "lies at its floor, or is passed on at cost: no room left",
        );
        is_noted = true;
    }
    for (measure, answer) in columns {
        let basis = basis_name(*measure);
        if answer.division.shortfall > 0 {
            let shortfall = currency.decimal_unsigned(answer.division.shortfall);
            page.hang(
                "! ",
                &format!(
                    "by {basis} the floors leave {shortfall} {currency} over, which go below them"
                ),
            );
            is_noted = true;
        }
        for over in &answer.over_cap {
            let markups = currency.decimal_unsigned(over.markups);
            let most = currency.decimal_unsigned(over.most);
            let words = format!(
                "by {basis} the markups on {} are {markups}, and its cap allows {most}",
                over.id
            );
            page.hang("! ", &words);
            is_noted = true;
        }
    }
    if is_noted {
        page.gap();
    }
}

/// Why everybody bears what they bear.
fn why(page: &mut Page, (measure, answer): &Column<'_>, currency: Currency) {
    page.say(&format!("Why, by {}:", basis_name(*measure)));
    page.gap();
    for part in &answer.division.parts {
        page.hang("- ", &answer.division.sentences(part, currency).join(" "));
    }
    page.gap();
}

fn refused(page: &mut Page, measure: MeasureKind, undivided: &Undivided, currency: Currency) {
    let words = undivided.error.words(currency);
    let basis = basis_name(measure);
    let cadence = undivided.cadence.as_str().replace('_', "-");
    page.hang(
        "! ",
        &format!("{basis} cannot divide what is conceded {cadence}: {words}"),
    );
}
