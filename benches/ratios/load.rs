//! Keeps a number of calls in flight for a while and counts those that were answered.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

/// Runs `call` with `in_flight` callers for `length`; returns answers per second. Each call gets a
/// number that no other one has.
pub async fn per_second<F, R>(in_flight: usize, length: Duration, call: F) -> f64
where
    F: Fn(u64) -> R + Send + Sync + 'static,
    R: Future<Output = ()> + Send,
{
    let call = Arc::new(call);
    let next = Arc::new(AtomicU64::new(0));
    let answered = Arc::new(AtomicU64::new(0));
    let begin = now();
    let callers: Vec<_> = (0..in_flight)
        .map(|_| {
            let (call, next, answered) =
                (Arc::clone(&call), Arc::clone(&next), Arc::clone(&answered));
            tokio::spawn(async move {
                while begin.elapsed() < length {
                    call(next.fetch_add(1, Ordering::Relaxed)).await;
                    answered.fetch_add(1, Ordering::Relaxed);
                }
            })
        })
        .collect();
    for caller in callers {
        caller.await.expect("a caller ends without panic");
    }
    #[expect(clippy::cast_precision_loss, reason = "a count of calls")]
    let answered = answered.load(Ordering::Relaxed) as f64;
    answered / begin.elapsed().as_secs_f64()
}

/// The benchmark's stopwatch.
pub fn now() -> Instant {
    Instant::now()
}

/// The figure in the middle; there must be at least one.
pub fn median(figures: Vec<f64>) -> f64 {
    quantile(figures, 50)
}

/// The figure that so many in a hundred do not exceed; there must be at least one.
pub fn quantile(mut figures: Vec<f64>, percent: usize) -> f64 {
    figures.sort_by(f64::total_cmp);
    let place = figures.len() * percent / 100;
    figures[place.min(figures.len() - 1)]
}
