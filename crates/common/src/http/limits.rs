//! How much one request may ask of a service.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use axum::extract::FromRequestParts;
use axum::http::request::Parts;
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;

use super::Problem;
use super::call::present;
use super::stream::HEARTBEAT;

/// How much one request, and all of them together, may ask of a replica.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Limits {
    /// The bytes of a body, unless its route needs more ([`body_up_to`](super::body_up_to));
    /// beyond: 413.
    pub body: usize,
    /// In each such time a body must arrive with 1 KiB a second, or end; slower: 408.
    pub body_grace: Duration,
    /// The bytes of all bodies and answers at once; beyond: 503.
    pub in_flight: usize,
    /// The bytes of all headers; beyond: 431.
    pub headers: usize,
    /// How long a client waits for the answer; beyond: 503. The work goes on to its end.
    pub timeout: Duration,
    /// How many requests are worked on at once; beyond: 503.
    pub requests: usize,
    /// How many long polls and event streams wait at once; beyond: the answer at once.
    pub long_polls: usize,
    /// How many of those one person may have.
    pub long_polls_per_person: usize,
    /// How often something is sent over an event stream while nothing happens.
    pub heartbeat: Duration,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            body: 16 * 1024,
            body_grace: Duration::from_secs(3),
            in_flight: 16 * 1024 * 1024,
            headers: 16 * 1024,
            timeout: Duration::from_secs(10),
            requests: 512,
            long_polls: 2_000,
            long_polls_per_person: 5,
            heartbeat: HEARTBEAT,
        }
    }
}

/// How long this request may take. An endpoint that has to take its time, such as an import,
/// asks for more before it starts.
#[derive(Clone, Debug)]
pub struct Patience {
    leash: Arc<Mutex<Leash>>,
    places: Arc<Semaphore>,
    /// Cancelled when the client hung up or was answered.
    hung_up: CancellationToken,
}

#[derive(Debug)]
struct Leash {
    until: Instant,
    /// The place among the requests that are worked on; a long poll gives it back.
    place: Option<OwnedSemaphorePermit>,
    waits: bool,
}

/// When to come back after having been turned away.
const SOON: Duration = Duration::from_secs(1);

impl Patience {
    pub(super) fn new(timeout: Duration, places: Arc<Semaphore>) -> Self {
        let until = Instant::now() + timeout;
        let leash = Arc::new(Mutex::new(Leash { until, place: None, waits: false }));
        Self { leash, places, hung_up: CancellationToken::new() }
    }

    /// Takes a place among the requests that are worked on, unless it has one or only waits.
    ///
    /// # Errors
    /// 503 when there is none.
    pub(super) fn enter(&self) -> Result<(), Problem> {
        let mut leash = self.leash();
        if leash.place.is_none() && !leash.waits {
            let place = self.places.clone().try_acquire_owned().map_err(|_| {
                Problem::unavailable(SOON).because("too many requests at once, come back soon")
            })?;
            leash.place = Some(place);
        }
        Ok(())
    }

    /// Cancelled when no client waits for the answer any longer.
    pub(super) const fn hung_up(&self) -> &CancellationToken {
        &self.hung_up
    }

    /// From now on it may take so long.
    pub fn extend(&self, by: Duration) {
        let mut leash = self.leash();
        leash.until = leash.until.max(Instant::now() + by);
    }

    /// The request only waits: it may take so long and no longer counts as work.
    pub(super) fn wait(&self, at_most: Duration) {
        self.extend(at_most);
        let mut leash = self.leash();
        leash.waits = true;
        leash.place = None;
    }

    /// Whether the request only waits.
    pub(super) fn waits(&self) -> bool {
        self.leash().waits
    }

    /// Until when it may take.
    pub(super) fn until(&self) -> Instant {
        self.leash().until
    }

    fn leash(&self) -> MutexGuard<'_, Leash> {
        self.leash.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl<S: Sync> FromRequestParts<S> for Patience {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Problem> {
        present(parts)
    }
}
