//! Database operations that run to their end, whether or not their caller still waits for them.
//!
//! The driver (mongodb 3.9.1) does not bear that its futures are dropped. Dropped while it runs, an
//! operation costs its connection (`cmap/worker.rs`, `check_in`: closed as `Dropped`). Dropped while
//! it waits for a connection it costs all others their time: its request stays in the pool's queue,
//! and the worker serves one request of that queue per event it receives. Serving one that no longer
//! listens puts the connection back without any event, so the next request is served at the next
//! event, at the latest the maintenance tick of 500 ms. A hundred dropped requests therefore block
//! the pool for up to 50 s while its connections are idle.
//!
//! So no future of the driver is dropped here: each runs in a task of its own. Requests of clients
//! wait for one of its connections before they reach it, which may be given up at any time.

use std::sync::Arc;
use std::time::Duration;

use mongodb::{Client, Database};
use tokio::sync::{OwnedSemaphorePermit, Semaphore, oneshot};
use tokio::time::timeout;
use tracing::Instrument as _;

use super::{Store, StoreError};
use crate::origin::RequestOrigin;

/// How long the read of a request waits for a connection; beyond: 503.
const WAIT: Duration = Duration::from_secs(2);
/// Connections that commits and the relay find free whatever else the service itself does.
const RESERVED: usize = 4;
/// The driver's own bound of a pool that names none.
const DEFAULT_POOL: usize = 10;

/// How a store reaches its database: requests read over connections of their own, so that they
/// never take those of commits, the relay, event handlers and periodic jobs.
#[derive(Clone, Debug)]
pub struct Clients {
    /// For commits, the relay, event handlers and periodic jobs.
    pub work: Client,
    /// For the reads of requests.
    pub reads: Client,
    /// How many connections each of them has at most.
    pub pool: usize,
}

impl From<&Client> for Clients {
    /// One client for both, whose pool has the driver's default size.
    fn from(client: &Client) -> Self {
        Self { work: client.clone(), reads: client.clone(), pool: DEFAULT_POOL }
    }
}

/// The two ways to the database, with as many places as they have connections.
#[derive(Clone, Debug)]
pub(super) struct Access {
    reads: Database,
    read_places: Arc<Semaphore>,
    /// For the first read of a request, so that requests that hold results already go first: what
    /// they hold is memory.
    first_reads: Arc<Semaphore>,
    work: Database,
    work_places: Arc<Semaphore>,
}

/// Room for one operation; given back when dropped.
struct Place {
    database: Database,
    _first: Option<OwnedSemaphorePermit>,
    _one: OwnedSemaphorePermit,
}

impl Access {
    pub(super) fn new(work: Database, reads: Database, pool: usize) -> Self {
        let places = |count: usize| Arc::new(Semaphore::new(count.max(1)));
        Self {
            reads,
            read_places: places(pool),
            first_reads: places(pool),
            work,
            work_places: places(pool.saturating_sub(RESERVED)),
        }
    }

    /// The database as the service itself reaches it.
    pub(super) const fn work(&self) -> &Database {
        &self.work
    }

    async fn enter(&self) -> Result<Place, StoreError> {
        if let Some(request) = RequestOrigin::current() {
            return self.enter_for(&request).await;
        }
        let one = acquire(&self.work_places).await?;
        Ok(Place { database: self.work.clone(), _first: None, _one: one })
    }

    async fn enter_for(&self, request: &RequestOrigin) -> Result<Place, StoreError> {
        let entered = async {
            let first = if request.begins_to_read() {
                Some(acquire(&self.first_reads).await?)
            } else {
                None
            };
            let one = acquire(&self.read_places).await?;
            Ok(Place { database: self.reads.clone(), _first: first, _one: one })
        };
        tokio::select! {
            entered = timeout(WAIT, entered) => {
                entered.unwrap_or_else(|_| Err(unavailable("too many reads wait for it")))
            }
            () = request.abandoned() => Err(unavailable("the client hung up")),
        }
    }
}

impl Store {
    /// Runs a database operation to its end, even if the caller no longer waits for it. Within a
    /// request it uses the connections for reads; if none is free for 2 s:
    /// [`StoreError::Away`]. `operation` must not call the store again.
    pub async fn run<T, F>(&self, operation: impl FnOnce(Database) -> F) -> Result<T, StoreError>
    where
        T: Send + 'static,
        F: Future<Output = T> + Send + 'static,
    {
        let place = self.inner.access.enter().await?;
        let running = operation(place.database.clone());
        let (caller, done) = oneshot::channel();
        let task = async move {
            let result = running.await;
            drop(place);
            // The caller may have gone: the operation ran to its end all the same.
            let _ = caller.send(result);
        };
        self.inner.lanes.tasks.spawn(task.in_current_span());
        done.await.map_err(|_| StoreError::Shut)
    }

    /// Runs an operation of the driver to its end, as [`Store::run`] does; `what` names in errors
    /// what it is about.
    pub async fn query<T, F>(
        &self,
        what: &str,
        operation: impl FnOnce(Database) -> F,
    ) -> Result<T, StoreError>
    where
        T: Send + 'static,
        F: Future<Output = Result<T, mongodb::error::Error>> + Send + 'static,
    {
        self.run(operation).await?.map_err(|error| StoreError::of(what, &error))
    }
}

async fn acquire(places: &Arc<Semaphore>) -> Result<OwnedSemaphorePermit, StoreError> {
    places.clone().acquire_owned().await.map_err(|_| StoreError::Shut)
}

fn unavailable(why: &str) -> StoreError {
    StoreError::Away(why.to_owned())
}
