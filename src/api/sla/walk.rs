//! Goes through the tickets of one agreement that were opened in a period.

use super::attainment::ATTAINMENT_TICKETS_MAX;
use super::pool::Place;
use super::{all_of, decode};
use crate::api::Api;
use crate::api::status::ApiError;
use crate::domain::identity::ScopeId;
use crate::domain::record::{Kind, RecordKey};
use crate::domain::refusal::{Reason, Refusal};
use crate::domain::sla::simulation::Period;
use crate::domain::sla::ticket::Ticket;
use crate::domain::time::Timestamp;
use crate::store::{ListQuery, RecordRow};

/// Most tickets of the period that one call judges.
pub(super) const TICKETS_MAX: usize = 10_000;
/// How many tickets are read at a time.
const TICKETS_AT_A_TIME: usize = 500;

/// Which tickets are asked for.
#[derive(Clone, Debug)]
pub(super) struct Chosen {
    /// Those that run under this agreement.
    pub(super) agreement: String,
    /// Those opened in it.
    pub(super) period: Period,
    /// As they were known then.
    pub(super) known_at: Timestamp,
}

impl Chosen {
    fn take(&self, ticket: Ticket) -> Option<Ticket> {
        let ticket = ticket.as_known_at(Some(self.known_at));
        let runs = ticket
            .assignments()
            .iter()
            .flatten()
            .any(|assignment| assignment.terms.agreement == self.agreement);
        (runs && self.period.opened_in(&ticket)).then_some(ticket)
    }
}

/// On the way through the tickets. Reading and judging take turns, so that no more than one page of
/// tickets is in memory.
pub(super) struct Walk<'walk> {
    api: &'walk Api,
    place: &'walk Place,
    chosen: Chosen,
    query: ListQuery,
    /// Where to begin, itself included.
    first: Option<RecordKey>,
    deadline: Timestamp,
    read: usize,
    found: usize,
    is_over: bool,
}

impl<'walk> Walk<'walk> {
    /// Begins with the ticket `first`, or with the oldest one.
    pub(super) fn new(
        api: &'walk Api,
        place: &'walk Place,
        scope: &ScopeId,
        chosen: Chosen,
        first: Option<&str>,
        deadline: Timestamp,
    ) -> Self {
        let after = first.unwrap_or_default();
        Self {
            api,
            place,
            chosen,
            query: all_of(scope, Kind::Ticket, after, TICKETS_AT_A_TIME),
            first: first.map(|id| RecordKey::new(scope, Kind::Ticket, id)),
            deadline,
            read: 0,
            found: 0,
            is_over: false,
        }
    }

    /// The next tickets with their ids, ascending; possibly none. `None` at the end.
    ///
    /// # Errors
    /// [`Reason::DeadlineExceeded`]; [`Reason::ResultTooLarge`] beyond [`TICKETS_MAX`]; if the store
    /// fails.
    pub(super) async fn next(&mut self) -> Result<Option<Vec<(String, Ticket)>>, ApiError> {
        if self.is_over {
            return Ok(None);
        }
        if self.api.now() > self.deadline {
            let late = "the deadline passed while judging tickets";
            return Err(Refusal::new(Reason::DeadlineExceeded, late).into());
        }
        let rows = self.rows().await?;
        let chosen = self.chosen.clone();
        let tickets = self.place.run(move || taken(&rows, &chosen)).await??;
        self.found += tickets.len();
        if self.found > TICKETS_MAX || self.read > ATTAINMENT_TICKETS_MAX {
            return Err(too_many().into());
        }
        Ok(Some(tickets))
    }

    async fn rows(&mut self) -> Result<Vec<RecordRow>, ApiError> {
        let store = self.api.ledger.store();
        if let Some(first) = self.first.take() {
            return Ok(store.records(&[first]).await?);
        }
        let rows = store.list_records(&self.query).await?;
        self.is_over = rows.len() < TICKETS_AT_A_TIME;
        self.read += rows.len();
        if let Some(last) = rows.last() {
            self.query.after_id.clone_from(&last.key.id);
        }
        Ok(rows)
    }
}

fn taken(rows: &[RecordRow], chosen: &Chosen) -> Result<Vec<(String, Ticket)>, ApiError> {
    let mut tickets = Vec::new();
    for row in rows {
        let found = decode::<Ticket>(row)?;
        tickets.extend(chosen.take(found.state).map(|ticket| (found.id, ticket)));
    }
    Ok(tickets)
}

fn too_many() -> Refusal {
    let described = format!("more than {TICKETS_MAX} tickets: ask for a shorter period");
    Refusal::new(Reason::ResultTooLarge, described)
        .with("limit", "judged_tickets")
        .with("maximum", TICKETS_MAX)
}
