//! What the ledger tells about itself, for whoever collects it (the `metrics` facade). Where nobody
//! does, it costs next to nothing.

use metrics::{
    Unit, counter, describe_counter, describe_gauge, describe_histogram, gauge, histogram,
};
use tokio::time::Instant;

use crate::domain::time::Span;

/// Commands of a batch.
pub const BATCH_COMMANDS: &str = "entente_batch_commands";
/// Seconds from the begin of a batch to its commit.
pub const BATCH_SECONDS: &str = "entente_batch_duration_seconds";
/// Commands that wait.
pub const QUEUE_LENGTH: &str = "entente_queue_commands";
/// Commands turned away, by reason.
pub const SHED: &str = "entente_commands_shed_total";
/// Seconds by which the sweeper is behind: since when the oldest record has been due.
pub const SWEEP_LAG: &str = "entente_sweep_lag_seconds";
/// Streams that watch.
pub const WATCHERS: &str = "entente_watchers";
/// Seconds from an entry to its being sent to a stream that had seen all before.
pub const WATCH_LAG: &str = "entente_watch_lag_seconds";
/// Streams that were ended by the server, by reason.
pub const WATCHES_ENDED: &str = "entente_watches_ended_total";

/// Measures how long something takes; nothing is ever decided by it.
#[derive(Clone, Copy, Debug)]
pub struct Stopwatch(Instant);

impl Stopwatch {
    /// Begins to measure.
    #[must_use]
    pub fn begin() -> Self {
        Self(Instant::now())
    }

    /// Seconds since then.
    #[must_use]
    pub fn seconds(self) -> f64 {
        self.0.elapsed().as_secs_f64()
    }
}

/// Says what each of them is.
pub fn describe() {
    describe_histogram!(BATCH_COMMANDS, Unit::Count, "Commands of a batch");
    describe_histogram!(
        BATCH_SECONDS,
        Unit::Seconds,
        "Seconds from the begin of a batch to its commit"
    );
    describe_gauge!(QUEUE_LENGTH, Unit::Count, "Commands that wait");
    describe_counter!(SHED, Unit::Count, "Commands turned away, by reason");
    describe_gauge!(
        SWEEP_LAG,
        Unit::Seconds,
        "For how long the oldest due record has been due"
    );
    describe_gauge!(WATCHERS, Unit::Count, "Streams that watch");
    describe_histogram!(
        WATCH_LAG,
        Unit::Seconds,
        "Seconds from an entry to its being sent to a stream that had seen all before"
    );
    describe_counter!(
        WATCHES_ENDED,
        Unit::Count,
        "Streams ended by the server, by reason"
    );
}

/// Notes a batch that was committed.
pub fn batch(commands: usize, seconds: f64) {
    histogram!(BATCH_COMMANDS).record(float(commands));
    histogram!(BATCH_SECONDS).record(seconds);
}

/// Notes how many commands wait.
pub fn queue_length(commands: usize) {
    gauge!(QUEUE_LENGTH).set(float(commands));
}

/// Notes a command that was turned away.
pub fn shed(reason: &'static str) {
    counter!(SHED, "reason" => reason).increment(1);
}

/// Notes how far the sweeper is behind, in seconds.
pub fn sweep_lag(seconds: f64) {
    gauge!(SWEEP_LAG).set(seconds);
}

/// Notes how long after its recording an entry was sent.
pub fn watch_lag(lag: Span) {
    let micros = u32::try_from(lag.as_micros().max(0)).unwrap_or(u32::MAX);
    histogram!(WATCH_LAG).record(f64::from(micros) / 1e6);
}

/// Notes a stream that the server ended.
pub fn watch_ended(reason: &'static str) {
    counter!(WATCHES_ENDED, "reason" => reason).increment(1);
}

/// Counts a stream that watches, as long as it lives.
#[derive(Debug)]
pub struct Watching(());

impl Watching {
    /// One more.
    #[must_use]
    pub fn begin() -> Self {
        gauge!(WATCHERS).increment(1.0);
        Self(())
    }
}

impl Drop for Watching {
    fn drop(&mut self) {
        gauge!(WATCHERS).decrement(1.0);
    }
}

/// A count as it is measured; beyond 2^32 it says so much.
fn float(count: usize) -> f64 {
    u32::try_from(count).unwrap_or(u32::MAX).into()
}
