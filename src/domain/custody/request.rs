//! Requests to hand over what is held, with a clock: who asked for what, until when, and what the
//! holder made of it.

mod decide;

use serde::{Deserialize, Serialize};

pub use decide::{RequestCommand, RequestDraft, decide, tick};

use crate::domain::aggregate::{Aggregate, By, Recorded, events};
use crate::domain::commitment::Commitment;
use crate::domain::identity::PartyId;
use crate::domain::sla::compiled::CompiledCalendar;
use crate::domain::time::{Span, Timestamp};

/// Most items of a request.
pub const ITEMS_MAX: usize = 50;
/// The least time to hand something over.
pub const WITHIN_MIN: Span = Span::from_minutes(1);
/// The most time to hand something over.
pub const WITHIN_MAX: Span = Span::from_hours(366 * 24);

/// How far a request has come.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum RequestState {
    /// The holder has not answered.
    Requested,
    /// The holder said why it does not hand over; it still may.
    Withheld,
    /// The holder says that it handed over.
    Released,
    /// Whoever asked has received it.
    Received,
    /// Whoever asked does so no longer.
    Withdrawn,
}

impl RequestState {
    /// The name used in lists and errors.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Requested => "requested",
            Self::Withheld => "withheld",
            Self::Released => "released",
            Self::Received => "received",
            Self::Withdrawn => "withdrawn",
        }
    }

    /// Whether the holder still has to hand over.
    #[must_use]
    pub const fn is_waiting(self) -> bool {
        matches!(self, Self::Requested | Self::Withheld)
    }
}

/// One revision of a calendar of the partnership.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct CalendarPin {
    /// Which calendar.
    pub calendar: String,
    /// Which revision of it.
    pub revision: u32,
}

/// It was asked for.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct HandOverRequested {
    /// The party that asks.
    pub party: PartyId,
    /// Identifier of the client on whose behalf it asks; `None` if for itself.
    pub on_behalf_of: Option<String>,
    /// The party that holds all of it.
    pub holder: PartyId,
    /// Identifiers of the items, in order, each once.
    pub items: Vec<String>,
    /// Why: a commitment.
    pub reason: Option<Commitment>,
    /// Within which time.
    pub within: Span,
    /// By whose open hours the time counts; `None` if around the clock.
    pub calendar: Option<CalendarPin>,
    /// Until when that is.
    pub due_at: Timestamp,
    /// Whether the holder was not there to answer for itself.
    pub is_asserted: bool,
}

/// A party's answer to a request.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct HandOverAnswered {
    /// The party that answers.
    pub party: PartyId,
    /// What it says to it: a commitment.
    pub words: Option<Commitment>,
    /// Whether it answers in the place of a party that is not there.
    pub is_asserted: bool,
}

/// The time passed.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct HandOverOverdue {
    /// When it had to be handed over.
    pub due_at: Timestamp,
}

/// An answer, and who gave it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct RequestAnswer {
    /// What was said to it: a commitment.
    pub words: Option<Commitment>,
    /// Who answered, and when.
    pub by: By,
    /// Whether in the place of a party that was not there.
    pub is_asserted: bool,
}

events! {
    /// What happens to a request to hand over.
    HandOverRequestEvent {
        /// It was made.
        Requested(HandOverRequested) = "hand_over_request.requested", 1;
        /// Its time passed, and nothing was handed over.
        Overdue(HandOverOverdue) = "hand_over_request.overdue", 1;
        /// The holder said why it does not hand over.
        Withheld(HandOverAnswered) = "hand_over_request.withheld", 1;
        /// The holder handed over, as it says.
        Released(HandOverAnswered) = "hand_over_request.released", 1;
        /// Whoever asked has received it.
        Received(HandOverAnswered) = "hand_over_request.received", 1;
        /// Whoever asked does so no longer.
        Withdrawn(HandOverAnswered) = "hand_over_request.withdrawn", 1;
    }
}

/// A request to hand over what a party holds.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct HandOverRequest {
    /// What is asked for; never changed.
    pub asked: HandOverRequested,
    /// Who asked, and when: the clock runs from then on.
    pub by: By,
    /// How far it has come.
    pub state: RequestState,
    /// When its time passed, once that is recorded.
    pub overdue_at: Option<Timestamp>,
    /// Why the holder does not, or did not at first, hand over.
    pub withheld: Option<RequestAnswer>,
    /// That the holder handed over.
    pub released: Option<RequestAnswer>,
    /// That whoever asked has received it.
    pub received: Option<RequestAnswer>,
    /// That whoever asked does so no longer.
    pub withdrawn: Option<RequestAnswer>,
}

/// The clock of a request.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct RequestClock {
    /// Time that passed until it was handed over or taken back, or until now.
    pub used: Span,
    /// What is left of the time that was given; zero if none is.
    pub left: Span,
    /// Whether more passed than was given.
    pub is_overdue: bool,
}

impl HandOverRequest {
    /// When its clock stopped, if it did.
    #[must_use]
    pub fn stopped_at(&self) -> Option<Timestamp> {
        let stopped = self.released.as_ref().or(self.withdrawn.as_ref());
        stopped.map(|answer| answer.by.at)
    }

    /// Whether its time had passed when it stopped, or has by `now`. At the last instant it is in time.
    #[must_use]
    pub fn is_overdue_at(&self, now: Timestamp) -> bool {
        self.stopped_at().unwrap_or(now).min(now) > self.asked.due_at
    }

    /// Its clock at `now`, by the calendar that it names.
    #[must_use]
    pub fn clock(&self, calendar: &CompiledCalendar, now: Timestamp) -> RequestClock {
        let until = self.stopped_at().unwrap_or(now).min(now);
        let used = calendar.elapsed(self.by.at, until);
        RequestClock {
            used,
            left: self.asked.within.saturating_sub(used).max(Span::ZERO),
            is_overdue: self.is_overdue_at(now),
        }
    }

    fn requested(asked: &HandOverRequested, recorded: &Recorded) -> Option<Self> {
        Some(Self {
            asked: asked.clone(),
            by: By::of(&asked.party, recorded)?,
            state: RequestState::Requested,
            overdue_at: None,
            withheld: None,
            released: None,
            received: None,
            withdrawn: None,
        })
    }

    fn changed(mut self, event: &HandOverRequestEvent, recorded: &Recorded) -> Option<Self> {
        let answer = |said: &HandOverAnswered| {
            Some(RequestAnswer {
                words: said.words.clone(),
                by: By::of(&said.party, recorded)?,
                is_asserted: said.is_asserted,
            })
        };
        match event {
            HandOverRequestEvent::Requested(_) => return None,
            HandOverRequestEvent::Overdue(overdue) => self.overdue_at = Some(overdue.due_at),
            HandOverRequestEvent::Withheld(said) => {
                self.withheld = Some(answer(said)?);
                self.state = RequestState::Withheld;
            }
            HandOverRequestEvent::Released(said) => {
                self.released = Some(answer(said)?);
                self.state = RequestState::Released;
            }
            HandOverRequestEvent::Received(said) => {
                self.received = Some(answer(said)?);
                self.state = RequestState::Received;
            }
            HandOverRequestEvent::Withdrawn(said) => {
                self.withdrawn = Some(answer(said)?);
                self.state = RequestState::Withdrawn;
            }
        }
        Some(self)
    }
}

impl Aggregate for HandOverRequest {
    type Event = HandOverRequestEvent;
    const BODY_VERSION: u32 = 1;

    fn apply(
        previous: Option<Self>,
        event: &HandOverRequestEvent,
        recorded: &Recorded,
    ) -> Option<Self> {
        match (previous, event) {
            (None, HandOverRequestEvent::Requested(asked)) => Self::requested(asked, recorded),
            (Some(request), event) => request.changed(event, recorded),
            (None, _) => None,
        }
    }

    fn state(&self) -> &'static str {
        self.state.as_str()
    }

    /// The first instant at which it is late.
    fn due_at(&self) -> Option<Timestamp> {
        let is_ahead = self.state.is_waiting() && self.overdue_at.is_none();
        is_ahead.then(|| self.asked.due_at.saturating_add(Span::from_micros(1)))
    }
}
