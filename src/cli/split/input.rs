//! What a quote says, once it is known where every value stands.

use std::collections::BTreeMap;

use super::Asked;
use crate::domain::pricing::money::Currency;
use crate::domain::pricing::sheet::{Cadence, Column, Fault, Line, Place, Sheet};

/// Most faults that are told at once.
const TROUBLES_MAX: usize = 20;
/// The name of the column of stated amounts.
pub(super) const CUSTOM: &str = "custom";
/// Every column of a slice with its name, in the order in which they are told.
pub(super) const COLUMNS: [(&str, Option<Column>); 11] = [
    ("id", Some(Column::Id)),
    ("owner", Some(Column::Owner)),
    ("price", Some(Column::Price)),
    ("cost", Some(Column::Cost)),
    ("floor", Some(Column::Floor)),
    ("minimum_margin_bps", Some(Column::MinimumMargin)),
    ("pass_through", Some(Column::PassThrough)),
    ("markup_cap_bps", Some(Column::MarkupCap)),
    ("markup_on", Some(Column::MarkupOn)),
    ("cadence", Some(Column::Cadence)),
    (CUSTOM, None),
];

/// The name of a column.
pub(super) fn name_of(column: Column) -> &'static str {
    let mut columns = COLUMNS.iter();
    let found = columns.find(|(_, known)| *known == Some(column));
    found.map_or("", |(name, _)| name)
}

/// Where something stands in a quote.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Position {
    /// The line of the file, from 1; `None` if that is not known.
    pub line: Option<u64>,
    /// The character within the line, from 1; `None` where the column's name says it.
    pub character: Option<u64>,
}

/// One value as it was written.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Cell {
    /// The text, without space around it.
    pub text: String,
    /// Where it stands.
    pub at: Position,
    /// Whether it was written as a number, not as text.
    pub is_number: bool,
}

/// A slice as it was written.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Row {
    /// Where it begins.
    pub at: Position,
    /// What it says, by the name of the column; nothing empty.
    pub cells: BTreeMap<&'static str, Cell>,
}

/// A quote as it was written.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Quote {
    /// The currency's code.
    pub currency: Option<Cell>,
    /// What is conceded on each cadence.
    pub concessions: BTreeMap<Cadence, Cell>,
    /// What is sold.
    pub rows: Vec<Row>,
}

/// A quote as it was understood.
#[derive(Clone, Debug)]
pub struct Read {
    /// What is sold and conceded.
    pub sheet: Sheet,
    /// Stated amounts, by slice.
    pub custom: BTreeMap<String, i64>,
    /// Fixed shares, by owner.
    pub shares: BTreeMap<String, u64>,
}

/// One thing that is wrong.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Trouble {
    /// Where in the quote; nowhere for what was asked on the command line.
    pub at: Position,
    /// The column, or the option.
    pub what: String,
    /// What is wrong with it.
    pub why: String,
}

/// Why a quote cannot be divided.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{}", self.told("the quote"))]
pub enum SplitError {
    /// It is not what its format says.
    Malformed(Trouble),
    /// Everything that is wrong with it.
    Faults(Vec<Trouble>),
}

impl SplitError {
    /// In words; `file` is what the quote is called.
    #[must_use]
    pub fn told(&self, file: &str) -> String {
        let troubles = match self {
            Self::Malformed(trouble) => std::slice::from_ref(trouble),
            Self::Faults(troubles) => troubles,
        };
        let line = |trouble: &Trouble| {
            let Some(line) = trouble.at.line else {
                return format!("{}: {}", trouble.what, trouble.why);
            };
            let character = trouble.at.character;
            let place =
                character.map_or_else(String::new, |character| format!(", character {character}"));
            let what = match trouble.what.as_str() {
                "" => String::new(),
                what if character.is_none() => format!(", column {what}"),
                what => format!(", {what}"),
            };
            format!("{file}, line {line}{place}{what}: {}", trouble.why)
        };
        let mut lines: Vec<String> = troubles.iter().take(TROUBLES_MAX).map(line).collect();
        if troubles.len() > TROUBLES_MAX {
            lines.push(format!("and {} more", troubles.len() - TROUBLES_MAX));
        }
        lines.join("\n       ")
    }
}

/// Reads values and notes those that cannot be read.
#[derive(Default)]
struct Reader {
    troubles: Vec<Trouble>,
}

/// What a quote and the command line say together.
///
/// # Errors
/// Everything that is wrong with either.
pub(super) fn understand(quote: &Quote, asked: &Asked) -> Result<Read, SplitError> {
    let mut reader = Reader::default();
    let currency = currency(quote.currency.as_ref(), asked)?;
    let concessions = reader.concessions(quote, asked, currency);
    let shares = reader.shares(asked);
    let mut lines = Vec::with_capacity(quote.rows.len());
    let mut custom = BTreeMap::new();
    for row in &quote.rows {
        let line = reader.line(row, currency);
        if let Some(stated) = reader.amount(row, CUSTOM, currency) {
            custom.insert(line.id.clone(), stated);
        }
        lines.push(line);
    }
    let sheet = Sheet {
        currency,
        lines,
        concessions,
    };
    // Faults of values that could not be read would only confuse.
    if reader.troubles.is_empty() {
        let found = sheet.faults();
        reader.troubles = found
            .into_iter()
            .map(|fault| placed(fault, quote))
            .collect();
    }
    if !reader.troubles.is_empty() {
        return Err(SplitError::Faults(reader.troubles));
    }
    Ok(Read {
        sheet,
        custom,
        shares,
    })
}

/// A fault of the sheet, where it stands in the quote.
fn placed(fault: Fault, quote: &Quote) -> Trouble {
    let (at, what) = match fault.place {
        Place::Line(index, column) => {
            let name = name_of(column);
            let row = quote.rows.get(index);
            let cell = row.and_then(|row| row.cells.get(name));
            let at = cell.map(|cell| cell.at).or(row.map(|row| row.at));
            (at.unwrap_or_default(), name.to_owned())
        }
        Place::Lines => (Position::default(), "slices".to_owned()),
        Place::Concessions => {
            let option = "--concession".to_owned();
            (Position::default(), option)
        }
        Place::Concession(cadence) => {
            let cell = quote.concessions.get(&cadence);
            let at = cell.map_or_else(Position::default, |cell| cell.at);
            (at, option_of(cadence).to_owned())
        }
    };
    Trouble {
        at,
        what,
        why: fault.description,
    }
}

/// The option that says what is conceded on a cadence.
const fn option_of(cadence: Cadence) -> &'static str {
    match cadence {
        Cadence::OneTime => "--concession",
        Cadence::Monthly => "--monthly",
        Cadence::Quarterly => "--quarterly",
        Cadence::Yearly => "--yearly",
    }
}

/// The currency, without which nothing else can be read.
fn currency(cell: Option<&Cell>, asked: &Asked) -> Result<Currency, SplitError> {
    let stated = asked.currency.as_deref();
    let (at, what, code) = match (cell, stated) {
        (Some(cell), Some(asked)) if cell.text != asked => {
            let why = format!("{asked} is asked for, and the quote is in {}", cell.text);
            let what = "--currency".to_owned();
            let at = Position::default();
            return Err(SplitError::Faults(vec![Trouble { at, what, why }]));
        }
        (Some(cell), _) => (cell.at, "currency", cell.text.as_str()),
        (None, Some(asked)) => (Position::default(), "--currency", asked),
        (None, None) => (Position::default(), "--currency", "EUR"),
    };
    Currency::from_code(code).map_err(|error| {
        SplitError::Faults(vec![Trouble {
            at,
            what: what.to_owned(),
            why: error.to_string(),
        }])
    })
}

impl Reader {
    fn note(&mut self, at: Position, what: &str, why: impl Into<String>) {
        self.troubles.push(Trouble {
            at,
            what: what.to_owned(),
            why: why.into(),
        });
    }

    /// The command line's word counts before the quote's.
    fn concessions(
        &mut self,
        quote: &Quote,
        asked: &Asked,
        currency: Currency,
    ) -> BTreeMap<Cadence, i64> {
        let stated = asked.concessions();
        let mut concessions = BTreeMap::new();
        for cadence in Cadence::ALL {
            let option = option_of(cadence);
            let read = match (stated.get(&cadence), quote.concessions.get(&cadence)) {
                (Some(text), _) => self.money(Position::default(), option, text, currency),
                (None, Some(cell)) => self.money_of(cell, option, currency),
                (None, None) => None,
            };
            concessions.extend(read.map(|amount| (cadence, amount)));
        }
        concessions
    }

    fn shares(&mut self, asked: &Asked) -> BTreeMap<String, u64> {
        let mut shares = BTreeMap::new();
        for share in &asked.shares {
            let read = share.rsplit_once('=').and_then(|(owner, bps)| {
                let bps = bps.trim().parse().ok()?;
                Some((owner.trim().to_owned(), bps))
            });
            let Some((owner, bps)) = read else {
                let why =
                    format!("{share:?} is not an owner and its basis points, such as acme=6000");
                self.note(Position::default(), "--share", why);
                continue;
            };
            if shares.insert(owner.clone(), bps).is_some() {
                let why = format!("{owner:?} is given more than once");
                self.note(Position::default(), "--share", why);
            }
        }
        shares
    }

    fn line(&mut self, row: &Row, currency: Currency) -> Line {
        let text = |column: &str| row.cells.get(column).map(|cell| cell.text.clone());
        for (column, is_there) in [
            ("id", text("id").is_some()),
            ("owner", text("owner").is_some()),
            ("price", text("price").is_some()),
        ] {
            if !is_there {
                self.note(row.at, column, "is needed");
            }
        }
        Line {
            id: text("id").unwrap_or_default(),
            owner: text("owner").unwrap_or_default(),
            cadence: self.cadence(row),
            price: self.amount(row, "price", currency).unwrap_or_default(),
            cost: self.amount(row, "cost", currency),
            floor: self.amount(row, "floor", currency),
            minimum_margin_bps: self.bps(row, "minimum_margin_bps"),
            is_at_cost: self.is_at_cost(row),
            markup_cap_bps: self.bps(row, "markup_cap_bps"),
            markup_on: text("markup_on"),
        }
    }

    fn amount(&mut self, row: &Row, column: &'static str, currency: Currency) -> Option<i64> {
        let cell = row.cells.get(column)?;
        self.money_of(cell, column, currency)
    }

    fn money_of(&mut self, cell: &Cell, what: &str, currency: Currency) -> Option<i64> {
        if cell.is_number {
            // A number could be of either unit.
            let why = "write amounts as text, such as \"1234.50\"";
            self.note(cell.at, what, why);
            return None;
        }
        self.money(cell.at, what, &cell.text, currency)
    }

    fn money(&mut self, at: Position, what: &str, text: &str, currency: Currency) -> Option<i64> {
        let read = currency.read(text);
        read.map_err(|error| self.note(at, what, format!("{} {error}", shown(text))))
            .ok()
    }

    fn bps(&mut self, row: &Row, column: &'static str) -> Option<u32> {
        let cell = row.cells.get(column)?;
        let read = cell.text.parse();
        let why = || {
            format!(
                "{} is not a whole number of basis points",
                shown(&cell.text)
            )
        };
        read.map_err(|_| self.note(cell.at, column, why())).ok()
    }

    fn is_at_cost(&mut self, row: &Row) -> bool {
        let column = "pass_through";
        let Some(cell) = row.cells.get(column) else {
            return false;
        };
        if cell.text != "at_cost" {
            let why = format!("{} is neither at_cost nor empty", shown(&cell.text));
            self.note(cell.at, column, why);
        }
        true
    }

    fn cadence(&mut self, row: &Row) -> Cadence {
        let Some(cell) = row.cells.get("cadence") else {
            return Cadence::OneTime;
        };
        let found = Cadence::ALL
            .into_iter()
            .find(|cadence| cadence.as_str() == cell.text);
        if found.is_none() {
            let names = Cadence::ALL.map(Cadence::as_str).join(", ");
            let why = format!("{} is not one of {names}", shown(&cell.text));
            self.note(cell.at, "cadence", why);
        }
        found.unwrap_or_default()
    }
}

/// A text as an error repeats it: quoted, and not at any length.
pub(super) fn shown(text: &str) -> String {
    const CHARACTERS_MAX: usize = 40;
    let mut cut: String = text.chars().take(CHARACTERS_MAX).collect();
    if cut.len() < text.len() {
        cut.push('…');
    }
    format!("{cut:?}")
}
