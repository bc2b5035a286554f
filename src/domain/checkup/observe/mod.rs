//! What records tell of their parties: one file for each subject.
//!
//! [`record`] takes whatever record it is given; most kinds tell nothing. Tickets are told by
//! [`ticket::observe`], since their clocks need the terms that they run under, and concessions are
//! gathered by [`super::burden`].

pub mod claim;
pub mod expectation;
pub mod improvement;
pub mod notice;
pub mod opportunity;
pub mod progress;
pub mod quote;
#[cfg(test)]
mod testing;
pub mod ticket;

use super::observation::{Sink, Source};
use crate::domain::partnership::Partnership;
use crate::domain::record::{Kind, Record};
use crate::domain::time::Timestamp;

/// The kinds of records of which [`record`] tells something, in the order in which they are read. Joint
/// quotes are read apart from these, with what is sealed in them.
pub const KINDS: [Kind; 9] = [
    Kind::Expectation,
    Kind::Progress,
    Kind::Notice,
    Kind::Claim,
    Kind::Opportunity,
    Kind::ClientPresentation,
    Kind::SharedGoal,
    Kind::Improvement,
    Kind::RemedyPlan,
];

/// What has this priority or a higher one is urgent.
const URGENT_PRIORITY: u8 = 2;

/// What observations depend on beside the record.
#[derive(Clone, Copy, Debug)]
pub struct Context<'partnership> {
    /// The partnership as it was at the instant asked about.
    pub partnership: &'partnership Partnership,
    /// The instant asked about.
    pub as_of: Timestamp,
}

/// Tells what a record says of its parties.
pub fn record(id: &str, record: &Record, context: Context<'_>, sink: &mut impl Sink) {
    let source = Source {
        kind: record.kind(),
        id,
    };
    match record {
        Record::Expectation(found) => expectation::observe(found, source, context, sink),
        Record::Progress(found) => progress::observe(found, source, sink),
        Record::Notice(found) => notice::observe(found, source, sink),
        Record::Claim(found) => claim::observe(found, source, sink),
        Record::Opportunity(found) => opportunity::observe(found, source, sink),
        Record::ClientPresentation(found) => {
            opportunity::observe_presentation(found, source, sink);
        }
        Record::JointQuote(found) => quote::observe(found, source, context, sink),
        Record::SharedGoal(found) => improvement::observe_goal(found, source, context, sink),
        Record::Improvement(found) => improvement::observe(found, source, context, sink),
        Record::RemedyPlan(found) => improvement::observe_plan(found, source, context, sink),
        _ => {}
    }
}
