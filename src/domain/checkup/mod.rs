//! The check-up: is a partnership healthy, on what evidence, and what would change it?
//!
//! Every record that says something about it gives [`Observation`]s: whose conduct, what was measured,
//! when, and how it was. A [`Tally`] gathers them by party, measure and quarter, in any order; a
//! [`Report`] compares what was gathered with thresholds. All of it is a pure function of the records,
//! an instant and a window, so the same question about the same journal has the same answer for ever.
//!
//! Three rules hold for every [`Measure`]. More is worse: one more case of what it counts never lowers
//! its intensity. Every party is measured in the same way, so that the report is its own mirror image
//! if the firms change places. And what nobody recorded has no value, which is not 0.
//!
//! A new measure is a line in [`measure`]; whatever kind of record tells of it gives observations in
//! [`observe`].

pub mod briefing;
pub mod burden;
pub mod change;
pub mod clauses;
pub mod measure;
pub mod observation;
pub mod observe;
pub mod report;
pub mod tally;
#[cfg(test)]
mod tests;
pub mod value;
pub mod window;

pub use change::Change;
pub use clauses::{CheckupClauses, MeasureThresholds};
pub use measure::{Measure, Symptom, Unit};
pub use observation::{Observation, Observed, Sink};
pub use report::{Figure, Frequency, QuarterFigure, Report, Row, Side};
pub use tally::Tally;
pub use value::Value;
pub use window::{Quarter, Window, WindowFault};

/// The highest intensity; 0 is healthy.
pub const INTENSITY_MAX: u8 = 4;
