//! Records of a partnership that a survey or feedback may be about.

use serde::{Deserialize, Serialize};

use crate::domain::expectation::Expectation;
use crate::domain::opportunity::Opportunity;
use crate::domain::pricing::quote::JointQuote;
use crate::domain::sla::ticket::Ticket;
use crate::domain::world::{Stop, View};

/// A record, by its identifier.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", deny_unknown_fields)]
pub enum Topic {
    /// A ticket.
    Ticket(String),
    /// An expectation, such as a project.
    Expectation(String),
    /// An opportunity.
    Opportunity(String),
    /// A joint quote.
    JointQuote(String),
}

impl Topic {
    /// Requires the record to exist.
    ///
    /// # Errors
    /// [`NotFound`](crate::domain::refusal::Reason::NotFound), or what has to be loaded first.
    pub fn require_existing(&self, view: &View<'_>) -> Result<(), Stop> {
        match self {
            Self::Ticket(id) => view.get::<Ticket>(id).map(|_| ()),
            Self::Expectation(id) => view.get::<Expectation>(id).map(|_| ()),
            Self::Opportunity(id) => view.get::<Opportunity>(id).map(|_| ()),
            Self::JointQuote(id) => view.get::<JointQuote>(id).map(|_| ()),
        }
    }
}
