//! Failures of a store, drawn from a seed.

use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use async_trait::async_trait;
use entente::store::StoreError;
use rand::{RngExt, SeedableRng};
use rand_chacha::ChaCha8Rng;

use super::decorated_store::{Call, Hook};

/// How often what happens, in calls out of a thousand.
#[derive(Clone, Copy, Debug)]
pub struct Rates {
    /// A call takes its time.
    pub delayed: u32,
    /// A call fails and nothing was done.
    pub failed: u32,
    /// A call is done and its answer is lost.
    pub lost: u32,
    /// A statement is refused, as it would be each time.
    pub refused: u32,
    /// The longest delay, in milliseconds.
    pub delay_max: u64,
}

impl Rates {
    /// Rates drawn from a seed: mostly moderate, sometimes none, sometimes very bad.
    pub fn drawn(rng: &mut ChaCha8Rng) -> Self {
        let mut rate = || [0, 2, 10, 10, 30, 120][rng.random_range(0..6)];
        Self {
            delayed: 3 * rate(),
            failed: rate(),
            lost: rate(),
            refused: rate() / 4,
            delay_max: 30,
        }
    }
}

/// A hook that makes calls slow, makes them fail, and loses answers.
pub struct Faults {
    rng: Mutex<ChaCha8Rng>,
    rates: Rates,
    active: AtomicBool,
    made_up: AtomicUsize,
}

impl Faults {
    /// Faults that are the same for the same seed and the same calls.
    pub fn new(seed: u64, rates: Rates) -> Self {
        let rng = Mutex::new(ChaCha8Rng::seed_from_u64(seed));
        Self {
            rng,
            rates,
            active: AtomicBool::new(true),
            made_up: AtomicUsize::new(0),
        }
    }

    /// Ends all faults.
    pub fn end(&self) {
        self.active.store(false, Ordering::SeqCst);
    }

    /// How many failures there were.
    pub fn made_up(&self) -> usize {
        self.made_up.load(Ordering::SeqCst)
    }

    fn rng(&self) -> MutexGuard<'_, ChaCha8Rng> {
        self.rng.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn happens(&self, per_thousand: u32) -> bool {
        self.active.load(Ordering::SeqCst) && self.rng().random_ratio(per_thousand, 1_000)
    }

    fn fail(&self, error: StoreError) -> Result<(), StoreError> {
        self.made_up.fetch_add(1, Ordering::SeqCst);
        Err(error)
    }
}

#[async_trait]
impl Hook for Faults {
    async fn before(&self, call: Call) -> Result<(), StoreError> {
        if self.happens(self.rates.delayed) {
            let delay = self.rng().random_range(0..=self.rates.delay_max);
            tokio::time::sleep(Duration::from_millis(delay)).await;
        }
        if self.happens(self.rates.failed) {
            let unknown = call == Call::Commit && self.rng().random_ratio(1, 2);
            let text = format!("made up before {call:?}");
            return self.fail(if unknown {
                StoreError::CommitUnknown(text)
            } else {
                StoreError::Unavailable(text)
            });
        }
        let may_be_refused = matches!(call, Call::Load | Call::Write | Call::Commit);
        if may_be_refused && self.happens(self.rates.refused) {
            return self.fail(StoreError::Refused(format!("made up before {call:?}")));
        }
        Ok(())
    }

    async fn after(&self, call: Call) -> Result<(), StoreError> {
        if !self.happens(self.rates.lost) {
            return Ok(());
        }
        let text = format!("made up after {call:?}");
        self.fail(match call {
            Call::Commit => StoreError::CommitUnknown(text),
            _ => StoreError::Unavailable(text),
        })
    }

    fn makes_errors_up(&self) -> bool {
        true
    }
}
