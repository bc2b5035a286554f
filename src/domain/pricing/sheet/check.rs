//! What can be wrong with a sheet, all of it at once.

use std::collections::HashMap;

use super::{Column, Fault, LINES_MAX, Line, NAME_MAX, Place, RATE_BPS_MAX, Sheet};
use crate::domain::refusal::Reason;

/// Collects what is wrong.
struct Faults<'sheet> {
    sheet: &'sheet Sheet,
    found: Vec<Fault>,
}

/// Everything that is wrong with a sheet.
pub(super) fn faults(sheet: &Sheet) -> Vec<Fault> {
    let mut faults = Faults {
        sheet,
        found: Vec::new(),
    };
    let count = sheet.lines.len();
    if count == 0 || count > LINES_MAX {
        let rule = format!("1 to {LINES_MAX} are needed, and there are {count}");
        faults.note(Place::Lines, Reason::InvalidField, rule);
        return faults.found;
    }
    let mut ids: HashMap<&str, &Line> = HashMap::new();
    for (index, line) in sheet.lines.iter().enumerate() {
        faults.names(index, line);
        faults.amounts(index, line);
        if ids.insert(&line.id, line).is_some() {
            faults.at(index, Column::Id, "is given more than once");
        }
    }
    for (index, line) in sheet.lines.iter().enumerate() {
        faults.passing_on(index, line, &ids);
    }
    faults.concessions();
    if faults.found.is_empty() {
        faults.caps();
    }
    faults.found
}

impl Faults<'_> {
    fn note(&mut self, place: Place, reason: Reason, description: impl Into<String>) {
        self.found.push(Fault {
            place,
            reason,
            description: description.into(),
        });
    }

    fn at(&mut self, index: usize, column: Column, description: impl Into<String>) {
        self.note(
            Place::Line(index, column),
            Reason::InvalidField,
            description,
        );
    }

    fn names(&mut self, index: usize, line: &Line) {
        for (column, name) in [(Column::Id, &line.id), (Column::Owner, &line.owner)] {
            let sensible = (1..=NAME_MAX).contains(&name.len());
            if !sensible || name.chars().any(char::is_control) {
                let rule = format!("must be 1 to {NAME_MAX} bytes without control characters");
                self.at(index, column, rule);
            }
        }
    }

    fn amounts(&mut self, index: usize, line: &Line) {
        let amounts = [
            (Column::Price, Some(line.price)),
            (Column::Cost, line.cost),
            (Column::Floor, line.floor),
        ];
        for (column, amount) in amounts {
            if amount.is_some_and(|amount| amount < 0) {
                self.at(index, column, "must not be negative");
            }
        }
        for (column, bps) in [
            (Column::MinimumMargin, line.minimum_margin_bps),
            (Column::MarkupCap, line.markup_cap_bps),
        ] {
            if bps.is_some_and(|bps| bps > RATE_BPS_MAX) {
                let rule = format!("must be 0 to {RATE_BPS_MAX} basis points");
                self.at(index, column, rule);
            }
        }
        let money = |minor: i64| self.sheet.currency.decimal(minor);
        let price = money(line.price);
        if let Some(floor) = line.floor.filter(|floor| *floor > line.price) {
            let rule = format!("{} is above the price {price}", money(floor));
            return self.at(index, Column::Floor, rule);
        }
        if line.minimum_margin_bps.is_none() {
            return;
        }
        let column = Column::MinimumMargin;
        if line.cost.is_none() {
            return self.at(index, column, "needs a cost");
        }
        let fits = line
            .least_price()
            .is_some_and(|least| least <= line.price.unsigned_abs());
        if !fits && line.price >= 0 {
            let rule = format!("asks for more than the price {price}");
            self.at(index, column, rule);
        }
    }

    fn passing_on(&mut self, index: usize, line: &Line, ids: &HashMap<&str, &Line>) {
        if line.is_at_cost {
            if line.markup_cap_bps.is_some() {
                self.at(
                    index,
                    Column::MarkupCap,
                    "nobody marks up what is passed on at cost",
                );
            }
            if line.cost.is_some_and(|cost| cost != line.price) {
                self.at(
                    index,
                    Column::Cost,
                    "must be the price, since it is passed on at cost",
                );
            }
        }
        let Some(on) = &line.markup_on else { return };
        let column = Column::MarkupOn;
        match ids.get(on.as_str()) {
            None => self.at(index, column, "there is no such line"),
            Some(base) if base.owner == line.owner => {
                self.at(index, column, "must be of another owner");
            }
            Some(base) if base.cadence != line.cadence => {
                self.at(index, column, "must be due at the same times");
            }
            Some(base) if base.markup_cap_bps.is_none() => {
                self.at(
                    index,
                    column,
                    "that line has no markup cap, so nobody marks it up",
                );
            }
            Some(_) => {}
        }
    }

    fn concessions(&mut self) {
        let sheet = self.sheet;
        if sheet.concessions.is_empty() {
            let place = Place::Concessions;
            self.note(place, Reason::InvalidField, "nothing is conceded");
        }
        for (cadence, concession) in &sheet.concessions {
            let place = Place::Concession(*cadence);
            let lines = || sheet.lines.iter().filter(|line| line.cadence == *cadence);
            if lines().next().is_none() {
                let rule = format!("nothing is {}", cadence.as_str());
                self.note(place, Reason::InvalidField, rule);
                continue;
            }
            let total: i128 = lines().map(|line| i128::from(line.price)).sum();
            let Ok(total) = i64::try_from(total) else {
                let rule = "the prices add up to more than 64 bits hold";
                self.note(Place::Lines, Reason::OutOfRange, rule);
                continue;
            };
            if i128::from(*concession).abs() > i128::from(total) {
                let money = |minor| sheet.currency.decimal(minor);
                let (concession, total) = (money(*concession), money(total));
                let rule = format!("{concession} is more than all prices together, {total}");
                self.note(place, Reason::ConcessionTooLarge, rule);
            }
        }
    }

    /// Whether all markups are within their caps before anything is conceded.
    fn caps(&mut self) {
        let sheet = self.sheet;
        let prices: HashMap<&str, u64> = sheet
            .lines
            .iter()
            .map(|line| (line.id.as_str(), line.price.unsigned_abs()))
            .collect();
        let price = |id: &str| prices.get(id).copied().unwrap_or_default();
        for cadence in super::Cadence::ALL {
            for over in sheet.over_cap(cadence, price) {
                let index = sheet.lines.iter().position(|line| line.id == over.id);
                let money = |minor| sheet.currency.decimal_unsigned(minor);
                let (markups, most) = (money(over.markups), money(over.most));
                let rule = format!("the markups on it are {markups}, and its cap allows {most}");
                let place = Place::Line(index.unwrap_or_default(), Column::MarkupCap);
                self.note(place, Reason::MarkupCapExceeded, rule);
            }
        }
    }
}
