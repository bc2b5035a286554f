//! What records tell of their parties: one file for each subject.
//!
//! [`record`] takes whatever record it is given; most kinds tell nothing. Tickets are told by
//! [`ticket::observe`], since their clocks need the terms that they run under, and concessions are
//! gathered by [`super::burden`].

pub mod activity;
pub mod claim;
pub mod custody;
pub mod expectation;
pub mod feedback;
pub mod improvement;
#[cfg(test)]
mod interaction_tests;
pub mod notice;
pub mod opportunity;
pub mod presentation;
pub mod progress;
pub mod quote;
pub mod survey;
#[cfg(test)]
mod testing;
pub mod ticket;

use super::observation::{Sink, Source};
use crate::domain::partnership::Partnership;
use crate::domain::record::{Kind, Record};
use crate::domain::time::Timestamp;

/// The kinds of records of which [`record`] tells something, in the order in which they are read. Joint
/// quotes are read apart from these, with what is sealed in them.
pub const KINDS: [Kind; 17] = [
    Kind::Expectation,
    Kind::Progress,
    Kind::Notice,
    Kind::Claim,
    Kind::Activity,
    Kind::ClientPresentation,
    Kind::Survey,
    Kind::Feedback,
    Kind::Contact,
    Kind::CustodyItem,
    Kind::HandOverRequest,
    Kind::StakeDisclosure,
    Kind::ExitDrill,
    Kind::Opportunity,
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
        Record::Activity(found) => activity::observe(found, source, context, sink),
        Record::ClientPresentation(found) => {
            presentation::observe(found, source, sink);
            opportunity::observe_presentation(found, source, sink);
        }
        Record::Survey(found) => survey::observe(found, source, sink),
        Record::Feedback(found) => feedback::observe(found, source, sink),
        Record::Contact(found) => custody::contact(found, source, context, sink),
        Record::CustodyItem(found) => custody::item(found, source, context, sink),
        Record::HandOverRequest(found) => custody::request(found, source, context, sink),
        Record::StakeDisclosure(found) => custody::stake(found, source, sink),
        Record::ExitDrill(found) => custody::drill(found, source, sink),
        Record::JointQuote(found) => {
            custody::portions(found, source, context, sink);
            quote::observe(found, source, context, sink);
        }
        Record::Opportunity(found) => opportunity::observe(found, source, sink),
        Record::SharedGoal(found) => improvement::observe_goal(found, source, context, sink),
        Record::Improvement(found) => improvement::observe(found, source, context, sink),
        Record::RemedyPlan(found) => improvement::observe_plan(found, source, context, sink),
        _ => {}
    }
}
