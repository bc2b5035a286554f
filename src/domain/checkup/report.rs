//! The report: what was gathered, compared with thresholds.

use super::burden::BurdenTally;
use super::change::Change;
use super::clauses::CheckupClauses;
use super::measure::{Measure, Symptom, Thresholds, Unit};
use super::tally::{Asked, Link, Tally};
use super::value::Value;
use super::window::{Quarter, Window};
use crate::domain::identity::PartyId;
use crate::domain::pricing::money::Currency;
use crate::domain::time::Timestamp;

/// A check-up.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Report {
    /// As of when.
    pub as_of: Timestamp,
    /// Over which time.
    pub window: Window,
    /// Its quarters.
    pub quarters: Vec<Quarter>,
    /// One row for each symptom, in the order of [`Symptom::ALL`].
    pub rows: Vec<Row>,
}

/// What a row of the check-up shows.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Row {
    /// What it asks.
    pub symptom: Symptom,
    /// The highest intensity of any side; `None` without data.
    pub intensity: Option<u8>,
    /// Every party, in the order of the partnership.
    pub sides: Vec<Side>,
}

/// One party in a row.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Side {
    /// Whose conduct it tells of.
    pub party: PartyId,
    /// The highest intensity of its figures; `None` without data.
    pub intensity: Option<u8>,
    /// In how many quarters there was something.
    pub frequency: Frequency,
    /// One figure for each measure of the row; of an index one for each currency.
    pub figures: Vec<Figure>,
}

/// In how many quarters something was present.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Frequency {
    /// Quarters with an intensity above 0.
    pub present: u32,
    /// Quarters with data.
    pub known: u32,
}

/// One measure of one party.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Figure {
    /// What is measured.
    pub measure: Measure,
    /// In which currency, for an index.
    pub currency: Option<Currency>,
    /// What it came to; `None` where nothing was recorded.
    pub value: Option<Value>,
    /// How bad that is, 0 to 4; `None` without a value, and for what is only shown.
    pub intensity: Option<u8>,
    /// From which levels on the intensity is 1, 2, 3 and 4; `None` for what is only shown.
    pub thresholds: Option<Thresholds>,
    /// The same for each quarter of the window.
    pub quarters: Vec<QuarterFigure>,
    /// The records that it rests on, the latest first, each once, at most [`super::tally::RECORDS_MAX`].
    pub links: Vec<Link>,
    /// How many cases count against the party; one record may tell of several.
    pub cases: u64,
    /// What would bring it down by one intensity; `None` at 0 and without a value.
    pub change: Option<Change>,
}

/// One measure of one party in one quarter.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct QuarterFigure {
    /// What it came to; `None` where nothing was recorded.
    pub value: Option<Value>,
    /// How bad that is.
    pub intensity: Option<u8>,
}

impl Report {
    /// The report of what was gathered. `began_at` is when the partnership began.
    #[must_use]
    pub fn new(
        tally: &Tally,
        burdens: &BurdenTally,
        clauses: &CheckupClauses,
        began_at: Timestamp,
    ) -> Self {
        let asked = Asked {
            as_of: tally.as_of(),
            window: tally.window(),
            began_at,
            cadence: clauses.activity_cadence,
        };
        let reporter = Reporter {
            tally,
            burdens,
            clauses,
            asked,
        };
        Self {
            as_of: tally.as_of(),
            window: tally.window(),
            quarters: tally.quarters().to_vec(),
            rows: Symptom::ALL.map(|symptom| reporter.row(symptom)).to_vec(),
        }
    }

    /// The row of a symptom.
    #[must_use]
    pub fn row(&self, symptom: Symptom) -> Option<&Row> {
        self.rows.iter().find(|row| row.symptom == symptom)
    }

    /// The figure of a party, if it has just one of that measure.
    #[must_use]
    pub fn figure(&self, party: &PartyId, measure: Measure) -> Option<&Figure> {
        let row = self.row(measure.symptom())?;
        let side = row.sides.iter().find(|side| side.party == *party)?;
        side.figures.iter().find(|figure| figure.measure == measure)
    }
}

struct Reporter<'tally> {
    tally: &'tally Tally,
    burdens: &'tally BurdenTally,
    clauses: &'tally CheckupClauses,
    asked: Asked,
}

impl Reporter<'_> {
    fn row(&self, symptom: Symptom) -> Row {
        let parties = self.tally.parties().iter();
        let sides: Vec<Side> = parties.map(|party| self.side(party, symptom)).collect();
        Row {
            symptom,
            intensity: sides.iter().filter_map(|side| side.intensity).max(),
            sides,
        }
    }

    fn side(&self, party: &PartyId, symptom: Symptom) -> Side {
        let measures = Measure::ALL.iter().copied();
        let measures = measures.filter(|measure| measure.symptom() == symptom);
        let figures: Vec<Figure> = measures
            .flat_map(|measure| self.figures(party, measure))
            .collect();
        Side {
            party: party.clone(),
            intensity: figures.iter().filter_map(|figure| figure.intensity).max(),
            frequency: frequency(&figures, self.tally.quarters().len()),
            figures,
        }
    }

    fn figures(&self, party: &PartyId, measure: Measure) -> Vec<Figure> {
        if measure.unit() != Unit::Index {
            return vec![self.figure(party, measure)];
        }
        let currencies = self.burdens.currencies();
        if currencies.is_empty() {
            return vec![self.index(party, measure, None)];
        }
        let currencies = currencies.into_iter();
        currencies
            .map(|currency| self.index(party, measure, Some(currency)))
            .collect()
    }

    fn figure(&self, party: &PartyId, measure: Measure) -> Figure {
        let gathering = self.tally.of(party, measure);
        let value = gathering.and_then(|found| found.value(measure, &self.asked));
        let quarters = self.tally.quarters().iter().enumerate();
        let quarters = quarters
            .map(|place| gathering.and_then(|found| found.value_in(measure, place, &self.asked)));
        let links = gathering.map(|found| (found.links(), found.cases));
        self.judged(
            measure,
            value,
            quarters.collect(),
            links.unwrap_or_default(),
        )
    }

    fn index(&self, party: &PartyId, measure: Measure, currency: Option<Currency>) -> Figure {
        let nothing = || vec![None; self.tally.quarters().len()];
        let value = currency.and_then(|currency| self.burdens.value(party, currency));
        let quarters = currency.map(|currency| self.burdens.by_quarter(party, currency));
        let links = currency.map(|currency| self.burdens.links(currency));
        Figure {
            currency,
            ..self.judged(
                measure,
                value,
                quarters.unwrap_or_else(nothing),
                links.unwrap_or_default(),
            )
        }
    }

    fn judged(
        &self,
        measure: Measure,
        value: Option<Value>,
        quarters: Vec<Option<Value>>,
        (links, cases): (Vec<Link>, u64),
    ) -> Figure {
        let thresholds = self.clauses.thresholds_of(measure);
        let judge = |value: Option<Value>| Some(value?.intensity(&thresholds?));
        let intensity = judge(value);
        let quarters = quarters.into_iter().map(|value| QuarterFigure {
            value,
            intensity: judge(value),
        });
        let change = value.zip(thresholds).zip(intensity);
        Figure {
            measure,
            currency: None,
            value,
            intensity,
            thresholds,
            quarters: quarters.collect(),
            links,
            cases,
            change: change
                .and_then(|((value, thresholds), found)| Change::of(value, &thresholds, found)),
        }
    }
}

/// In how many quarters any of the figures is above 0, of those in which any is judged.
fn frequency(figures: &[Figure], quarters: usize) -> Frequency {
    let mut frequency = Frequency::default();
    for index in 0..quarters {
        let quarter = figures
            .iter()
            .filter_map(|figure| figure.quarters.get(index));
        let worst = quarter.filter_map(|quarter| quarter.intensity).max();
        frequency.known += u32::from(worst.is_some());
        frequency.present += u32::from(worst.is_some_and(|worst| worst > 0));
    }
    frequency
}
