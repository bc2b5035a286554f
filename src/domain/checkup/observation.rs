//! What one record tells about one party.

use super::Measure;
use crate::domain::identity::PartyId;
use crate::domain::record::Kind;
use crate::domain::time::{Span, Timestamp};

/// One thing that a record tells about one party.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Observation<'record> {
    /// What is measured.
    pub measure: Measure,
    /// Whose conduct it tells of.
    pub party: &'record PartyId,
    /// When it counts.
    pub at: Timestamp,
    /// How it was.
    pub observed: Observed,
    /// What sort of record tells it.
    pub kind: Kind,
    /// Which one.
    pub id: &'record str,
}

/// How something was. Each goes with some of the units of measures; others leave it aside.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Observed {
    /// One case, and whether it is of the sort that the measure counts: of [`super::Unit::Share`].
    Case {
        /// Whether it is.
        counts: bool,
    },
    /// Several cases at once: of [`super::Unit::Share`] and [`super::Unit::Ratio`].
    Part {
        /// How many are of the sort that the measure counts, or how much there is of it.
        part: u64,
        /// How many there are.
        whole: u64,
    },
    /// How long it took: of [`super::Unit::Duration`].
    Took(Span),
    /// It happened: of [`super::Unit::Age`], [`super::Unit::Gaps`] and [`super::Unit::Count`].
    Happened,
    /// Something was recorded that might have happened, and did not: of [`super::Unit::Age`] and
    /// [`super::Unit::Gaps`]. Without either of the two there is no data.
    DidNotHappen,
}

/// Takes observations.
pub trait Sink {
    /// Takes one.
    fn take(&mut self, observation: Observation<'_>);
}

/// For tests and for whoever wants to see them one by one.
impl<F: FnMut(Observation<'_>)> Sink for F {
    fn take(&mut self, observation: Observation<'_>) {
        self(observation);
    }
}

/// The record that tells, for several observations of it.
#[derive(Clone, Copy, Debug)]
pub struct Source<'record> {
    /// What sort of record it is.
    pub kind: Kind,
    /// Which one.
    pub id: &'record str,
}

impl<'record> Source<'record> {
    /// Whether one case is of the sort that a measure counts.
    pub fn case(
        self,
        sink: &mut impl Sink,
        measure: Measure,
        (party, at): (&'record PartyId, Timestamp),
        counts: bool,
    ) {
        self.tell(sink, measure, (party, at), Observed::Case { counts });
    }

    /// Something else about a party.
    pub fn tell(
        self,
        sink: &mut impl Sink,
        measure: Measure,
        (party, at): (&'record PartyId, Timestamp),
        observed: Observed,
    ) {
        sink.take(Observation {
            measure,
            party,
            at,
            observed,
            kind: self.kind,
            id: self.id,
        });
    }
}
