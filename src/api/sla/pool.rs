//! A few threads for work that takes long, so that it never holds up short calls.

use std::sync::Arc;

use tokio::sync::{OwnedSemaphorePermit, Semaphore};

use crate::api::status::ApiError;
use crate::domain::refusal::{Reason, Refusal};

/// How many pieces of work run at a time.
pub(in crate::api) const WORKERS: usize = 2;

/// Lets [`WORKERS`] pieces of work run at a time; the others wait their turn.
#[derive(Clone, Debug)]
pub(in crate::api) struct Pool(Arc<Semaphore>);

impl Default for Pool {
    fn default() -> Self {
        Self(Arc::new(Semaphore::new(WORKERS)))
    }
}

/// A place in the pool; dropping it gives the place to the next.
#[derive(Clone, Debug)]
pub(in crate::api) struct Place {
    _permit: Arc<OwnedSemaphorePermit>,
}

impl Pool {
    /// Waits for a place.
    ///
    /// # Errors
    /// [`Reason::ServiceStopping`] if the pool is closed.
    pub(in crate::api) async fn enter(&self) -> Result<Place, ApiError> {
        let permit = Arc::clone(&self.0)
            .acquire_owned()
            .await
            .map_err(|_| stopping())?;
        Ok(Place {
            _permit: Arc::new(permit),
        })
    }
}

impl Place {
    /// Runs `work` on a thread that may block. The place is held until the work ends, even if
    /// nobody waits for its outcome any more.
    ///
    /// # Errors
    /// [`Reason::Internal`] if the work panicked, [`Reason::ServiceStopping`] if it never began.
    pub(in crate::api) async fn run<T: Send + 'static>(
        &self,
        work: impl FnOnce() -> T + Send + 'static,
    ) -> Result<T, ApiError> {
        let place = self.clone();
        let running = tokio::task::spawn_blocking(move || {
            let outcome = work();
            drop(place);
            outcome
        });
        running.await.map_err(|fault| {
            let refusal = if fault.is_panic() {
                Refusal::new(Reason::Internal, fault.to_string())
            } else {
                stopping()
            };
            refusal.into()
        })
    }
}

fn stopping() -> Refusal {
    Refusal::new(Reason::ServiceStopping, "the server is shutting down")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn only_so_many_are_inside() {
        let pool = Pool::default();
        let first = pool.enter().await.unwrap();
        let second = pool.enter().await.unwrap();
        assert_eq!(pool.0.available_permits(), 0);
        assert_eq!(first.run(|| 7).await.unwrap(), 7);
        drop(first);
        assert_eq!(pool.0.available_permits(), 1);
        drop(second);
        assert_eq!(pool.0.available_permits(), WORKERS);
    }
}
