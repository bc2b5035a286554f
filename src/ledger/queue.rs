//! What waits for the writer: bounded, and fair between firms.
//!
//! Each firm has a line of its own and a quota; a batch takes from the lines in turn, so a firm
//! that sends a flood delays nobody but itself. Ticks and imports stand in a second set of lines
//! that yields to the first, but is never starved.

#[cfg(test)]
mod tests;

use std::collections::{HashMap, VecDeque};
use std::hash::{DefaultHasher, Hash, Hasher};
use std::sync::{Mutex, PoisonError};

use tokio::sync::{Notify, oneshot};

use super::{Failure, Receipt, measure};
use crate::domain::command::Command;
use crate::domain::refusal::Reason;
use crate::domain::time::Timestamp;

/// Most commands waiting in all.
pub const WAITING_MAX: usize = 16_384;
/// Most commands of one firm waiting.
pub const WAITING_PER_FIRM_MAX: usize = 4_096;
/// Out of this many commands of a batch, at least one comes from the background while any waits.
const BACKGROUND_TURN: usize = 8;
/// Most commands from the background in one batch while people call: whoever calls next waits for
/// the batch under way, so it has to be short.
const BACKGROUND_WHILE_BUSY_MAX: usize = 24;
/// Batches without a call after which the background may have whole ones.
const CALM_AFTER_BATCHES: usize = 32;

/// How urgent a command is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Urgency {
    /// Somebody waits for the answer.
    Interactive,
    /// Timers and imports.
    Background,
}

/// A command that waits, and where its answer goes.
#[derive(Debug)]
pub struct Pending {
    /// The command.
    pub command: Command,
    /// After this instant nobody wants the answer any more.
    pub deadline: Option<Timestamp>,
    /// How urgent it is.
    pub urgency: Urgency,
    /// How often its scope was held by another replica when its turn came.
    pub deferrals: u32,
    /// Whether it may be stored already: the answer to its COMMIT was lost.
    pub in_doubt: bool,
    /// Where the answer goes.
    pub reply: oneshot::Sender<Result<Receipt, Failure>>,
}

/// Lines by firm, served in turn.
#[derive(Debug, Default)]
struct Lines {
    by_firm: HashMap<String, VecDeque<Pending>>,
    turns: VecDeque<String>,
    waiting: usize,
}

impl Lines {
    fn push_back(&mut self, firm: String, pending: Pending) {
        let line = self.by_firm.entry(firm.clone()).or_default();
        if line.is_empty() {
            self.turns.push_back(firm);
        }
        line.push_back(pending);
        self.waiting += 1;
    }

    fn push_front(&mut self, firm: String, pending: Pending) {
        let line = self.by_firm.entry(firm.clone()).or_default();
        if line.is_empty() {
            self.turns.push_front(firm);
        }
        line.push_front(pending);
        self.waiting += 1;
    }

    fn pop(&mut self) -> Option<Pending> {
        let firm = self.turns.pop_front()?;
        let line = self.by_firm.get_mut(&firm)?;
        let pending = line.pop_front();
        if line.is_empty() {
            self.by_firm.remove(&firm);
        } else {
            self.turns.push_back(firm);
        }
        self.waiting -= usize::from(pending.is_some());
        pending
    }

    fn of_firm(&self, firm: &str) -> usize {
        self.by_firm.get(firm).map_or(0, VecDeque::len)
    }
}

/// What waits for one writer.
#[derive(Debug, Default)]
struct Lane {
    interactive: Lines,
    background: Lines,
    /// For how many batches more it is likely that people call.
    busy_batches: usize,
}

impl Lane {
    fn lines(&mut self, urgency: Urgency) -> &mut Lines {
        match urgency {
            Urgency::Interactive => &mut self.interactive,
            Urgency::Background => &mut self.background,
        }
    }

    fn waiting(&self) -> usize {
        self.interactive.waiting + self.background.waiting
    }

    /// How many commands from the background a batch may have now.
    const fn background_now(&self, most: usize) -> usize {
        let is_busy = self.interactive.waiting > 0 || self.busy_batches > 0;
        if is_busy && most > BACKGROUND_WHILE_BUSY_MAX {
            BACKGROUND_WHILE_BUSY_MAX
        } else {
            most
        }
    }

    fn pop(&mut self, urgency: Urgency, background_left: &mut usize) -> Option<Pending> {
        if urgency == Urgency::Interactive {
            return self.interactive.pop();
        }
        let left = background_left.checked_sub(1)?;
        let pending = self.background.pop()?;
        *background_left = left;
        Some(pending)
    }

    /// Notes whether people call.
    fn note(&mut self, batch: &[Pending]) {
        let called = |pending: &Pending| pending.urgency == Urgency::Interactive;
        self.busy_batches = if batch.iter().any(called) {
            CALM_AFTER_BATCHES
        } else {
            self.busy_batches.saturating_sub(1)
        };
    }

    fn of_firm(&self, firm: &str, urgency: Urgency) -> usize {
        match urgency {
            Urgency::Interactive => self.interactive.of_firm(firm),
            Urgency::Background => self.background.of_firm(firm),
        }
    }
}

#[derive(Debug, Default)]
struct State {
    lanes: Vec<Lane>,
    closed: bool,
}

impl State {
    fn waiting(&self) -> usize {
        self.lanes.iter().map(Lane::waiting).sum()
    }

    fn of_firm(&self, firm: &str, urgency: Urgency) -> usize {
        let lanes = self.lanes.iter();
        lanes.map(|lane| lane.of_firm(firm, urgency)).sum()
    }
}

/// The queue: a lane for each writer. All commands of a scope go down the same lane, so they keep
/// their order and writers do not wait for each other.
#[derive(Debug)]
pub struct Queue {
    state: Mutex<State>,
    /// One for each lane.
    arrived: Vec<Notify>,
}

fn firm_of(command: &Command) -> String {
    command
        .firm
        .as_ref()
        .map(|firm| firm.as_str().to_owned())
        .unwrap_or_default()
}

impl Queue {
    /// An empty queue for so many writers, at least one.
    #[must_use]
    pub fn new(lanes: usize) -> Self {
        let lanes = lanes.max(1);
        let state = State {
            lanes: (0..lanes).map(|_| Lane::default()).collect(),
            closed: false,
        };
        Self {
            state: Mutex::new(state),
            arrived: (0..lanes).map(|_| Notify::new()).collect(),
        }
    }

    /// How many writers it serves.
    #[must_use]
    pub fn lanes(&self) -> usize {
        self.arrived.len()
    }

    fn lane_of(&self, command: &Command) -> usize {
        let mut hasher = DefaultHasher::new();
        command.scope.as_str().hash(&mut hasher);
        let lanes = self.lanes() as u64;
        usize::try_from(hasher.finish() % lanes).unwrap_or_default()
    }

    fn state(&self) -> std::sync::MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Puts a command in its firm's line.
    ///
    /// # Errors
    /// [`Reason::QueueFull`], [`Reason::FirmQuotaExceeded`] or [`Reason::ServiceStopping`]; the
    /// command was not taken.
    pub fn push(&self, pending: Pending) -> Result<(), Failure> {
        let pushed = self.push_if_room(pending);
        if let Err(failure) = &pushed {
            measure::shed(failure.reason().as_str());
        }
        pushed
    }

    fn push_if_room(&self, pending: Pending) -> Result<(), Failure> {
        let firm = firm_of(&pending.command);
        let lane = self.lane_of(&pending.command);
        {
            let mut state = self.state();
            if state.closed {
                return Err(Failure::refused(
                    Reason::ServiceStopping,
                    "the server is shutting down",
                ));
            }
            if state.waiting() >= WAITING_MAX {
                return Err(Failure::refused(Reason::QueueFull, "too much is waiting"));
            }
            if state.of_firm(&firm, pending.urgency) >= WAITING_PER_FIRM_MAX {
                return Err(Failure::refused(
                    Reason::FirmQuotaExceeded,
                    "too much of this firm is waiting",
                ));
            }
            let lines = state.lanes[lane].lines(pending.urgency);
            lines.push_back(firm, pending);
            measure::queue_length(state.waiting());
        }
        self.arrived[lane].notify_one();
        Ok(())
    }

    /// Puts a command back to the head of its line: its scope was held by another replica.
    pub fn put_back(&self, pending: Pending) {
        let firm = firm_of(&pending.command);
        let lane = self.lane_of(&pending.command);
        self.state().lanes[lane]
            .lines(pending.urgency)
            .push_front(firm, pending);
        self.arrived[lane].notify_one();
    }

    /// Takes up to `most` commands of a lane, waiting for the first; `None` once the queue is
    /// closed and the lane empty.
    pub async fn take(&self, lane: usize, most: usize) -> Option<Vec<Pending>> {
        loop {
            let arrived = self.arrived[lane].notified();
            {
                let mut state = self.state();
                let batch = Self::take_now(&mut state.lanes[lane], most);
                if !batch.is_empty() {
                    measure::queue_length(state.waiting());
                    return Some(batch);
                }
                if state.closed {
                    return None;
                }
            }
            arrived.await;
        }
    }

    fn take_now(lane: &mut Lane, most: usize) -> Vec<Pending> {
        let mut batch = Vec::with_capacity(most.min(lane.waiting()));
        let mut background_left = lane.background_now(most);
        while batch.len() < most {
            let background_first = batch.len() % BACKGROUND_TURN == BACKGROUND_TURN - 1;
            let (first, second) = if background_first {
                (Urgency::Background, Urgency::Interactive)
            } else {
                (Urgency::Interactive, Urgency::Background)
            };
            let next = lane.pop(first, &mut background_left);
            let Some(pending) = next.or_else(|| lane.pop(second, &mut background_left)) else {
                break;
            };
            batch.push(pending);
        }
        lane.note(&batch);
        batch
    }

    /// Takes no more commands; what waits is still served.
    pub fn close(&self) {
        self.state().closed = true;
        for arrived in &self.arrived {
            arrived.notify_one();
        }
    }

    /// How many commands wait.
    #[must_use]
    pub fn len(&self) -> usize {
        self.state().waiting()
    }

    /// Whether none waits.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }
}
