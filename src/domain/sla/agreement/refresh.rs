//! After a repin, the instants at which the sweeper has to look at open tickets are out of date.
//!
//! Reads are right at once, since they compute everything anew. The sweeper goes through the open
//! tickets in portions and looks at each; the agreement notes how far it has come, so whoever comes
//! next goes on from there.

use serde::{Deserialize, Serialize};

use super::{Agreement, AgreementEvent, Repin};
use crate::domain::command::Decision;
use crate::domain::record::{Event, Kind};
use crate::domain::time::Timestamp;
use crate::domain::world::{Stop, View};

/// How far the sweeper has come with the open tickets.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Refresh {
    /// When it began.
    pub began_at: Timestamp,
    /// How many repins there were when it began.
    pub repins: usize,
    /// The last ticket that it has been to.
    pub up_to: String,
}

/// Some of the open tickets were looked at, or all.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct RefreshAdvanced {
    /// How far it has come; `None` once it has been everywhere.
    pub refresh: Option<Refresh>,
    /// When open tickets have to be looked at, again or still.
    pub due_at: Option<Timestamp>,
}

impl Agreement {
    pub(super) fn repin(&mut self, repin: &Repin) {
        self.repins.push(repin.clone());
        let due_at = self
            .due_at
            .map_or(repin.from, |due_at| due_at.min(repin.from));
        self.due_at = Some(due_at);
    }

    pub(super) fn advance_refresh(&mut self, advanced: &RefreshAdvanced) {
        self.refresh.clone_from(&advanced.refresh);
        self.due_at = advanced.due_at;
    }
}

/// Notes that a refresh has come from `before` to `up_to`: since it began if that is `None`, and to
/// the end if that says so. What another sweeper noted meanwhile changes nothing.
///
/// # Errors
/// A refusal, or what has to be loaded first.
pub fn note_refresh(
    id: &str,
    before: Option<&Refresh>,
    reached: &Refresh,
    is_done: bool,
    view: &View<'_>,
) -> Result<Decision, Stop> {
    let agreement = view.get::<Agreement>(id)?;
    let decision = Decision::about(Kind::Agreement, id);
    let is_due = agreement.due_at.is_some_and(|due_at| due_at <= view.now);
    if !is_due || agreement.refresh.as_ref() != before {
        return Ok(decision);
    }
    let advanced = if is_done {
        RefreshAdvanced {
            refresh: None,
            due_at: next_refresh(&agreement.repins, reached),
        }
    } else {
        RefreshAdvanced {
            refresh: Some(reached.clone()),
            due_at: agreement.due_at,
        }
    };
    let advanced = AgreementEvent::RefreshAdvanced(advanced);
    Ok(decision.event(Event::new(id, advanced)))
}

/// When a refresh that is over does not suffice any more: it has passed tickets before a repin was
/// recorded, or before it took effect.
fn next_refresh(repins: &[Repin], done: &Refresh) -> Option<Timestamp> {
    let later = repins
        .iter()
        .enumerate()
        .filter(|(index, repin)| *index >= done.repins || repin.from > done.began_at);
    later.map(|(_, repin)| repin.from).min()
}
