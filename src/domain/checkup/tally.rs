//! Gathers observations, in any order, by party, measure and quarter.

use std::collections::BTreeSet;

use super::measure::{Measure, Unit};
use super::observation::{Observation, Observed, Sink};
use super::value::Value;
use super::window::{Quarter, Window};
use crate::domain::identity::PartyId;
use crate::domain::record::Kind;
use crate::domain::time::{Span, Timestamp};

/// Most cases whose records a figure is linked to: the latest ones.
pub const RECORDS_MAX: usize = 10;

/// A record that a figure rests on; the latest come last.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Link {
    /// When it counts.
    pub at: Timestamp,
    /// What sort of record it is.
    pub kind: Kind,
    /// Which one.
    pub id: String,
}

/// What was observed of one measure of one party within one stretch of time.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
struct Gathered {
    part: u64,
    whole: u64,
    durations: Vec<i64>,
    happened: u64,
    /// Whether anything was observed at all.
    is_known: bool,
}

/// What was observed of one measure of one party.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Gathering {
    window: Gathered,
    quarters: Vec<Gathered>,
    /// When it happened, at any time before the instant asked about; kept for the units that need it.
    instants: BTreeSet<Timestamp>,
    /// When something was first recorded, for the units that need it.
    known_from: Option<Timestamp>,
    links: BTreeSet<Link>,
    /// How many cases count, also those of records that are not linked.
    pub cases: u64,
}

/// All observations of a check-up.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Tally {
    as_of: Timestamp,
    window: Window,
    quarters: Vec<Quarter>,
    parties: Vec<PartyId>,
    /// One for each measure of each party, in the order of parties and of [`Measure::ALL`].
    gatherings: Vec<Gathering>,
}

impl Tally {
    /// Nothing gathered yet: of `parties`, as of an instant, within a window that ends no later.
    #[must_use]
    pub fn new(parties: Vec<PartyId>, as_of: Timestamp, window: Window) -> Self {
        let quarters = window.quarters();
        let empty = Gathering {
            window: Gathered::default(),
            quarters: vec![Gathered::default(); quarters.len()],
            instants: BTreeSet::new(),
            known_from: None,
            links: BTreeSet::new(),
            cases: 0,
        };
        Self {
            as_of,
            window,
            gatherings: vec![empty; parties.len() * Measure::ALL.len()],
            quarters,
            parties,
        }
    }

    /// The instant asked about.
    #[must_use]
    pub const fn as_of(&self) -> Timestamp {
        self.as_of
    }

    /// The window.
    #[must_use]
    pub const fn window(&self) -> Window {
        self.window
    }

    /// The quarters that the window touches.
    #[must_use]
    pub fn quarters(&self) -> &[Quarter] {
        &self.quarters
    }

    /// The parties that are looked at.
    #[must_use]
    pub fn parties(&self) -> &[PartyId] {
        &self.parties
    }

    pub(super) fn of(&self, party: &PartyId, measure: Measure) -> Option<&Gathering> {
        self.gatherings.get(self.place(party, measure)?)
    }

    fn place(&self, party: &PartyId, measure: Measure) -> Option<usize> {
        let party = self.parties.iter().position(|known| known == party)?;
        Some(party * Measure::ALL.len() + measure as usize)
    }
}

impl Sink for Tally {
    fn take(&mut self, observation: Observation<'_>) {
        let Some(place) = self.place(observation.party, observation.measure) else {
            return; // Of somebody who is no party of it.
        };
        if observation.at >= self.as_of {
            return;
        }
        let is_within = self.window.contains(observation.at);
        let quarter = self
            .quarters
            .iter()
            .position(|quarter| quarter.part.contains(observation.at));
        let Some(gathering) = self.gatherings.get_mut(place) else {
            return;
        };
        if matches!(observation.measure.unit(), Unit::Age | Unit::Gaps) {
            gathering.remember(observation);
        }
        if !is_within {
            return;
        }
        gathering.window.add(observation.observed);
        if let Some(quarter) = quarter.and_then(|index| gathering.quarters.get_mut(index)) {
            quarter.add(observation.observed);
        }
        if observation.observed.counts() {
            gathering.link(observation);
        }
    }
}

impl Observed {
    /// Whether the record is one of those that a figure rests on.
    const fn counts(self) -> bool {
        match self {
            Self::Case { counts } => counts,
            Self::Part { part, .. } => part > 0,
            Self::Took(_) | Self::Happened => true,
            Self::DidNotHappen => false,
        }
    }
}

impl Gathered {
    fn add(&mut self, observed: Observed) {
        self.is_known = true;
        match observed {
            Observed::Case { counts } => {
                self.part = self.part.saturating_add(u64::from(counts));
                self.whole = self.whole.saturating_add(1);
            }
            Observed::Part { part, whole } => {
                self.part = self.part.saturating_add(part);
                self.whole = self.whole.saturating_add(whole);
            }
            Observed::Took(span) => self.durations.push(span.as_micros().max(0)),
            Observed::Happened => self.happened = self.happened.saturating_add(1),
            Observed::DidNotHappen => {}
        }
    }

    fn value(&self, unit: Unit) -> Option<Value> {
        let (part, whole) = (self.part, self.whole);
        match unit {
            Unit::Share => (whole > 0).then_some(Value::Share { part, whole }),
            Unit::Ratio => (whole > 0).then_some(Value::Ratio { part, whole }),
            Unit::Duration => self.median(),
            Unit::Count => self.is_known.then_some(Value::Count(self.happened)),
            // These need more than one stretch of time.
            Unit::Age | Unit::Gaps | Unit::Index => None,
        }
    }

    /// The median, the lower one of two.
    fn median(&self) -> Option<Value> {
        let mut durations = self.durations.clone();
        let middle = durations.len().checked_sub(1)? / 2;
        let (_, median, _) = durations.select_nth_unstable(middle);
        Some(Value::Duration {
            median: Span::from_micros(*median),
            cases: u64::try_from(self.durations.len()).unwrap_or(u64::MAX),
        })
    }
}

impl Gathering {
    fn remember(&mut self, observation: Observation<'_>) {
        let at = observation.at;
        self.known_from = Some(self.known_from.map_or(at, |known| known.min(at)));
        if observation.observed == Observed::Happened {
            self.instants.insert(at);
        }
    }

    /// Keeps the latest records, whatever the order in which they come.
    fn link(&mut self, observation: Observation<'_>) {
        self.cases = self.cases.saturating_add(1);
        let place = (observation.at, observation.kind, observation.id);
        let is_full = self.links.len() >= RECORDS_MAX;
        let earliest = self.links.first();
        let earliest = earliest.map(|link| (link.at, link.kind, link.id.as_str()));
        if is_full && earliest.is_some_and(|earliest| place <= earliest) {
            return;
        }
        self.links.insert(Link {
            at: observation.at,
            kind: observation.kind,
            id: observation.id.to_owned(),
        });
        if self.links.len() > RECORDS_MAX {
            self.links.pop_first();
        }
    }

    /// The records that the figure rests on, the latest first, each once, at most [`RECORDS_MAX`].
    pub(super) fn links(&self) -> Vec<Link> {
        let mut links: Vec<Link> = Vec::new();
        for link in self.links.iter().rev() {
            let is_known = |known: &Link| (known.kind, &known.id) == (link.kind, &link.id);
            if !links.iter().any(is_known) {
                links.push(link.clone());
            }
        }
        links
    }

    /// What the measure came to over the window.
    pub(super) fn value(&self, measure: Measure, asked: &Asked) -> Option<Value> {
        match measure.unit() {
            Unit::Age => self.age(asked.as_of, asked.began_at),
            Unit::Gaps => self.gaps(asked.window, asked),
            unit => self.window.value(unit),
        }
    }

    /// What it came to within one quarter.
    pub(super) fn value_in(
        &self,
        measure: Measure,
        (index, quarter): (usize, &Quarter),
        asked: &Asked,
    ) -> Option<Value> {
        match measure.unit() {
            Unit::Age => self.age(quarter.part.to, asked.began_at),
            Unit::Gaps => self.gaps(quarter.part, asked),
            unit => self.quarters.get(index)?.value(unit),
        }
    }

    fn is_known_by(&self, at: Timestamp) -> bool {
        self.known_from.is_some_and(|known| known < at)
    }

    fn age(&self, at: Timestamp, began_at: Timestamp) -> Option<Value> {
        let last = self.instants.range(..at).next_back().copied();
        let since = last.unwrap_or(began_at);
        (self.is_known_by(at)).then(|| Value::Age {
            since,
            ever: last.is_some(),
            age: Span::from_micros(at.since(since).as_micros().max(0)),
        })
    }

    /// The agreed periods that end in a stretch of time, counted back from the end of the window, and
    /// how many of them passed without its happening. Periods that began before the partnership did are
    /// left out.
    fn gaps(&self, stretch: Window, asked: &Asked) -> Option<Value> {
        let period = asked.cadence.filter(|period| *period > Span::ZERO)?;
        if !self.is_known_by(stretch.to) {
            return None;
        }
        let earliest = asked.window.from.max(asked.began_at);
        let (mut part, mut whole) = (0_u64, 0_u64);
        let mut to = asked.window.to;
        loop {
            let from = Timestamp::from_micros(to.as_micros().saturating_sub(period.as_micros()));
            if from < earliest {
                break;
            }
            if stretch.from < to && to <= stretch.to {
                whole += 1;
                part += u64::from(self.instants.range(from..to).next().is_none());
            }
            to = from;
        }
        (whole > 0).then_some(Value::Share { part, whole })
    }
}

/// What values depend on beside what was observed.
#[derive(Clone, Copy, Debug)]
pub(super) struct Asked {
    pub as_of: Timestamp,
    pub window: Window,
    /// When the partnership began.
    pub began_at: Timestamp,
    /// How often something is to happen; `None` if nothing is agreed.
    pub cadence: Option<Span>,
}
