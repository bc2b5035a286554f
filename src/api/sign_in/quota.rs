//! Quotas: how many calls a firm may make, so that none can use up what is there for all.

use std::num::NonZeroU32;
use std::sync::{Arc, Mutex, PoisonError};

use governor::clock;
use governor::middleware::NoOpMiddleware;
use governor::nanos::Nanos;
use governor::state::keyed::DefaultKeyedStateStore;
use governor::{Quota, RateLimiter};

use super::measure;
use crate::domain::identity::FirmId;
use crate::domain::refusal::{Reason, Refusal};
use crate::domain::time::Timestamp;
use crate::ledger::Clock;

/// Machine-readable part of a refusal: milliseconds until the call may succeed.
pub const WAIT_METADATA: &str = "wait_ms";
/// Nanoseconds of a microsecond.
const NANOS_PER_MICRO: u64 = 1_000;
/// More time than any server runs, and so little that a wait can be added to it.
const NANOS_MAX: u64 = u64::MAX / 4;

/// How many calls a firm may make.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct CallQuota {
    /// In each second, for ever.
    pub per_second: NonZeroU32,
    /// At once, after it made none for a while.
    pub burst: NonZeroU32,
}

/// The injected clock as the limiter reads it: how much time has passed since the beginning. When the
/// clock is set back, nothing has: nobody waits until it is where it was.
#[derive(Clone)]
struct Passed {
    clock: Arc<dyn Clock>,
    seen: Arc<Mutex<(Timestamp, u64)>>,
}

impl Passed {
    fn new(clock: Arc<dyn Clock>) -> Self {
        let seen = Arc::new(Mutex::new((clock.now(), 0)));
        Self { clock, seen }
    }
}

impl clock::Clock for Passed {
    type Instant = Nanos;

    fn now(&self) -> Nanos {
        let now = self.clock.now();
        let mut seen = self.seen.lock().unwrap_or_else(PoisonError::into_inner);
        let (last, nanos) = &mut *seen;
        let micros = u64::try_from(now.since(*last).as_micros()).unwrap_or_default();
        *last = now;
        *nanos = nanos.saturating_add(micros.saturating_mul(NANOS_PER_MICRO));
        Nanos::new((*nanos).min(NANOS_MAX))
    }
}

type Limiter = RateLimiter<FirmId, DefaultKeyedStateStore<FirmId>, Passed, NoOpMiddleware<Nanos>>;

/// Counts the calls of each firm on this replica.
pub struct Quotas {
    limiter: Limiter,
    clock: Passed,
}

impl Quotas {
    /// The same quota for every firm.
    #[must_use]
    pub fn new(quota: CallQuota, clock: Arc<dyn Clock>) -> Self {
        let clock = Passed::new(clock);
        let quota = Quota::per_second(quota.per_second).allow_burst(quota.burst);
        let limiter = RateLimiter::new(quota, DefaultKeyedStateStore::default(), clock.clone());
        Self { limiter, clock }
    }

    /// Counts a call of `firm`.
    ///
    /// # Errors
    /// [`Reason::QuotaExceeded`], with the time to wait.
    pub fn count(&self, firm: &FirmId) -> Result<(), Refusal> {
        self.limiter.check_key(firm).map_err(|until| {
            measure::over_quota();
            let wait = until.wait_time_from(clock::Clock::now(&self.clock));
            // Rounded up: who waits so long succeeds.
            let wait = wait.as_millis().saturating_add(1);
            let message = format!("the firm has used up its calls; wait {wait} ms");
            Refusal::new(Reason::QuotaExceeded, message).with(WAIT_METADATA, wait)
        })
    }
}

impl std::fmt::Debug for Quotas {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.debug_struct("Quotas").finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicI64, Ordering};

    use super::*;
    use crate::domain::time::MICROS_PER_SECOND;

    struct Moved(AtomicI64);

    impl Clock for Moved {
        fn now(&self) -> Timestamp {
            Timestamp::from_micros(self.0.load(Ordering::SeqCst))
        }
    }

    fn accepted(quotas: &Quotas, firm: &str, calls: usize) -> usize {
        let firm = FirmId::parse(firm).unwrap();
        (0..calls).filter(|_| quotas.count(&firm).is_ok()).count()
    }

    #[test]
    fn a_firm_over_its_quota_takes_nothing_from_another() {
        let start = 1_772_438_400 * MICROS_PER_SECOND;
        let clock = Arc::new(Moved(AtomicI64::new(start)));
        let quota = CallQuota {
            per_second: NonZeroU32::new(10).unwrap(),
            burst: NonZeroU32::new(20).unwrap(),
        };
        let quotas = Quotas::new(quota, Arc::clone(&clock) as Arc<dyn Clock>);
        assert_eq!(accepted(&quotas, "greedy", 1_000), 20);
        assert_eq!(accepted(&quotas, "modest", 10), 10);
        let refusal = quotas.count(&FirmId::parse("greedy").unwrap()).unwrap_err();
        assert_eq!(refusal.reason, Reason::QuotaExceeded);
        let (_, wait) = refusal.metadata.first().unwrap();
        assert_eq!(wait, "101", "a tenth of a second, rounded up");
        clock.0.fetch_add(101_000, Ordering::SeqCst);
        assert_eq!(accepted(&quotas, "greedy", 1_000), 1);
        clock.0.fetch_add(MICROS_PER_SECOND, Ordering::SeqCst);
        assert_eq!(accepted(&quotas, "greedy", 1_000), 10);
        // A clock that is set back by an hour makes nobody wait for an hour.
        clock
            .0
            .fetch_sub(3_600 * MICROS_PER_SECOND, Ordering::SeqCst);
        assert_eq!(accepted(&quotas, "greedy", 10), 0);
        clock.0.fetch_add(MICROS_PER_SECOND, Ordering::SeqCst);
        assert_eq!(accepted(&quotas, "greedy", 1_000), 10);
        assert_eq!(accepted(&quotas, "modest", 1_000), 20);
    }
}
