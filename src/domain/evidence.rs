//! What shows that something is so: a record of the partnership, or something in a firm's software.

use serde::{Deserialize, Serialize};

use super::expectation::Expectation;
use super::identity::ExternalReference;
use super::refusal::Violations;
use super::sla::ticket::Ticket;
use super::text::require_reference;
use super::world::{Stop, View, for_each};

/// What a statement cites to show that it is so.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Evidence {
    /// Identifier of a ticket.
    Ticket(String),
    /// Identifier of an expectation.
    Expectation(String),
    /// Something in a firm's own software, such as a mail or a document: nobody here can look it up.
    External(ExternalReference),
}

impl Evidence {
    /// Notes what is wrong with it by itself; `field` is its path.
    pub fn check(&self, violations: &mut Violations, field: &str) {
        if let Self::External(reference) = self {
            require_reference(violations, field, reference);
        }
    }
}

/// Requires every record that is cited to exist.
///
/// # Errors
/// [`NotFound`](super::refusal::Reason::NotFound) if one does not, or what has to be loaded first.
pub fn require_existing<'evidence>(
    cited: impl IntoIterator<Item = &'evidence Evidence>,
    view: &View<'_>,
) -> Result<(), Stop> {
    for_each(cited, |evidence| match evidence {
        Evidence::Ticket(id) => view.get::<Ticket>(id).map(|_| ()),
        Evidence::Expectation(id) => view.get::<Expectation>(id).map(|_| ()),
        Evidence::External(_) => Ok(()),
    })?;
    Ok(())
}
