//! A bound on the searches of shoppers, so that they leave the database to orders.

use std::sync::Arc;
use std::time::Duration;

use common::Document as _;
use common::http::given_up;
use common::store::StoreError;
use mongodb::error::{Error, ErrorKind};
use tokio::sync::{Semaphore, SemaphorePermit};
use tokio::time::timeout;

use crate::domain::CatalogueEntry;

/// So many searches of one replica run at once: they share the processors of the database with
/// orders.
const RUNNING: usize = 4;
/// So many run or wait to.
const ADMITTED: usize = 256;
/// So long a search waits to run.
const WAIT: Duration = Duration::from_secs(1);
/// So long the database works on one.
pub(super) const WORK: Duration = Duration::from_secs(2);
/// `MaxTimeMSExpired`.
const TOO_LONG: i32 = 50;

/// Why a search found nothing.
#[derive(Clone, Debug, thiserror::Error)]
pub(crate) enum SearchError {
    /// Too many others search.
    #[error("too many searches at once")]
    Busy,
    /// The database was at it for too long.
    #[error("the search took too long")]
    TooSlow,
    /// Prices were to be compared, and the shop has several currencies.
    #[error("the shop has prices in several currencies: name one of them with `currency`")]
    SeveralCurrencies,
    /// The database did not do what it was asked.
    #[error(transparent)]
    Store(#[from] StoreError),
}

/// The places for searches of this replica. Cheap to clone.
#[derive(Clone, Debug)]
pub(super) struct Searches {
    running: Arc<Semaphore>,
    admitted: Arc<Semaphore>,
}

impl Default for Searches {
    fn default() -> Self {
        Self {
            running: Arc::new(Semaphore::new(RUNNING)),
            admitted: Arc::new(Semaphore::new(ADMITTED)),
        }
    }
}

impl Searches {
    /// Waits for a place to search; [`SearchError::Busy`] when none comes free in time, or the client
    /// hung up.
    pub(super) async fn enter(&self) -> Result<[SemaphorePermit<'_>; 2], SearchError> {
        let admitted = self.admitted.try_acquire().map_err(|_| SearchError::Busy)?;
        let running = timeout(WAIT, self.running.acquire());
        let running =
            tokio::select! { biased; () = given_up() => None, place = running => Some(place) };
        match running {
            Some(Ok(Ok(running))) => Ok([admitted, running]),
            _ => Err(SearchError::Busy),
        }
    }
}

/// What a search failed with.
pub(super) fn failed(error: &Error) -> SearchError {
    match &*error.kind {
        ErrorKind::Command(command) if command.code == TOO_LONG => SearchError::TooSlow,
        _ => StoreError::of(CatalogueEntry::COLLECTION, error).into(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test(start_paused = true)]
    async fn searches_beyond_the_bound_are_refused() {
        let searches = Searches::default();
        let mut held = Vec::new();
        for _ in 0..RUNNING {
            held.push(searches.enter().await.unwrap());
        }

        assert!(matches!(searches.enter().await, Err(SearchError::Busy)));
        held.pop();
        assert!(searches.enter().await.is_ok());
    }
}
