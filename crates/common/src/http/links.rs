//! The open connections of a port, so that those that only wait for their clients can make room.

use std::collections::HashMap;
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tokio::time::Instant;
use tokio_util::sync::CancellationToken;

/// Marks that a connection does not wait in this way.
const NOT: u64 = 0;

/// What the heads of requests may have together, in bytes, beyond the first [`SMALL_HEAD`] of each.
const HEADS: usize = 4 * 1024 * 1024;
/// A head of so many bytes is always taken.
const SMALL_HEAD: usize = 2 * 1024;

/// The connections of one port. Cheap to clone.
#[derive(Clone, Debug)]
pub(crate) struct Links {
    began: Instant,
    open: Arc<Mutex<Open>>,
    /// Bytes of large heads.
    heads: Arc<AtomicUsize>,
}

#[derive(Debug, Default)]
struct Open {
    next: u64,
    links: HashMap<u64, Arc<State>>,
}

/// What a connection waits for, as milliseconds since the port was opened.
#[derive(Debug)]
struct State {
    idle_since: AtomicU64,
    stalled_since: AtomicU64,
    /// Bytes of the head that is read, or whose request is answered.
    head: AtomicUsize,
    closed: CancellationToken,
}

/// One connection; it leaves the others when it is dropped.
#[derive(Debug)]
pub(crate) struct Link {
    id: u64,
    state: Arc<State>,
    links: Links,
}

/// Which wait of a connection is meant.
type Since = fn(&State) -> &AtomicU64;

impl Default for Links {
    fn default() -> Self {
        Self { began: Instant::now(), open: Arc::default(), heads: Arc::default() }
    }
}

impl Links {
    /// Enters a new connection, which is idle.
    pub(crate) fn open(&self) -> Link {
        let state = Arc::new(State {
            idle_since: AtomicU64::new(self.now()),
            stalled_since: AtomicU64::new(NOT),
            head: AtomicUsize::new(0),
            closed: CancellationToken::new(),
        });
        let mut open = self.lock();
        let id = open.next;
        open.next += 1;
        open.links.insert(id, Arc::clone(&state));
        Link { id, state, links: self.clone() }
    }

    /// Closes up to `many` connections whose clients have taken nothing of their answers for
    /// `at_least`, the longest first.
    pub(crate) fn close_stalled(&self, many: usize, at_least: Duration) {
        self.close(|state| &state.stalled_since, many, at_least);
    }

    /// Closes up to `many` connections that have been without a request for `at_least`, the
    /// longest first.
    pub(crate) fn close_idle(&self, many: usize, at_least: Duration) {
        self.close(|state| &state.idle_since, many, at_least);
    }

    /// Closes the connection whose unfinished head is the largest; false when all are small.
    fn close_largest_head(&self) -> bool {
        let open = self.lock();
        let unfinished = open.links.values().filter(|state| {
            state.idle_since.load(Ordering::Relaxed) != NOT && !state.closed.is_cancelled()
        });
        let largest = unfinished.max_by_key(|state| state.head.load(Ordering::Relaxed));
        let largest = largest.filter(|state| state.head.load(Ordering::Relaxed) > SMALL_HEAD);
        largest.inspect(|state| state.closed.cancel()).is_some()
    }

    fn close(&self, since: Since, many: usize, at_least: Duration) {
        let Some(before) = self.now().checked_sub(millis(at_least)) else { return };
        let open = self.lock();
        let waiting = open.links.values().filter_map(|state| {
            let since = since(state).load(Ordering::Relaxed);
            let fits = since != NOT && since <= before && !state.closed.is_cancelled();
            fits.then_some((since, state))
        });
        let mut waiting: Vec<_> = waiting.collect();
        waiting.sort_by_key(|(since, _)| *since);
        waiting.iter().take(many).for_each(|(_, state)| state.closed.cancel());
    }

    fn now(&self) -> u64 {
        millis(self.began.elapsed()).saturating_add(1)
    }

    fn lock(&self) -> MutexGuard<'_, Open> {
        self.open.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Link {
    /// Cancelled when the connection is to make room for others.
    pub(crate) fn closed(&self) -> CancellationToken {
        self.state.closed.clone()
    }

    /// A request began.
    pub(crate) fn begin(&self) {
        self.state.idle_since.store(NOT, Ordering::Relaxed);
    }

    /// Counts bytes that were read of a request's head. When those of all heads are too many, the
    /// largest unfinished one is given up; false when it is this one, or there is none.
    pub(crate) fn read_head(&self, bytes: usize) -> bool {
        let before = self.state.head.fetch_add(bytes, Ordering::Relaxed);
        let added = large(before + bytes) - large(before);
        let heads = self.links.heads.fetch_add(added, Ordering::Relaxed) + added;
        if added == 0 || heads <= HEADS {
            return true;
        }
        self.links.close_largest_head() && !self.state.closed.is_cancelled()
    }

    fn release_head(&self) {
        let head = self.state.head.swap(0, Ordering::Relaxed);
        self.links.heads.fetch_sub(large(head), Ordering::Relaxed);
    }

    /// The request ended: the connection waits for the next.
    pub(crate) fn end(&self) {
        self.release_head();
        self.state.idle_since.store(self.links.now(), Ordering::Relaxed);
    }

    /// Whether the connection waits for a request.
    pub(crate) fn is_idle(&self) -> bool {
        self.state.idle_since.load(Ordering::Relaxed) != NOT
    }

    /// The client does not take what is sent.
    pub(crate) fn stall(&self) {
        self.state.stalled_since.store(self.links.now(), Ordering::Relaxed);
    }

    /// The client takes what is sent.
    pub(crate) fn move_on(&self) {
        self.state.stalled_since.store(NOT, Ordering::Relaxed);
    }
}

impl Drop for Link {
    fn drop(&mut self) {
        self.release_head();
        self.links.lock().links.remove(&self.id);
    }
}

/// What a head counts of the budget of all.
const fn large(head: usize) -> usize {
    head.saturating_sub(SMALL_HEAD)
}

fn millis(duration: Duration) -> u64 {
    u64::try_from(duration.as_millis()).unwrap_or(u64::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    const ANY: Duration = Duration::ZERO;

    fn idle_since(link: &Link, millis: u64) {
        link.state.idle_since.store(millis, Ordering::Relaxed);
    }

    fn closed(links: &[&Link]) -> Vec<bool> {
        links.iter().map(|link| link.closed().is_cancelled()).collect()
    }

    #[test]
    fn longest_idle_connection_is_closed_first() {
        let links = Links { began: Instant::now() - Duration::from_secs(1), ..Links::default() };
        let (busy, younger, older) = (links.open(), links.open(), links.open());
        busy.begin();
        idle_since(&younger, 3);
        idle_since(&older, 2);

        links.close_idle(1, ANY);
        assert_eq!(closed(&[&busy, &younger, &older]), [false, false, true]);

        links.close_idle(9, ANY);
        assert_eq!(closed(&[&busy, &younger, &older]), [false, true, true]);
    }

    #[test]
    fn recently_idle_connection_stays_open() {
        let links = Links::default();
        let link = links.open();

        links.close_idle(9, Duration::from_mins(1));

        assert_eq!(closed(&[&link]), [false]);
    }

    #[test]
    fn only_stalled_connections_are_closed_for_bytes() {
        let links = Links::default();
        let (stalled, moving, idle) = (links.open(), links.open(), links.open());
        stalled.stall();
        moving.stall();
        moving.move_on();

        links.close_stalled(9, ANY);

        assert_eq!(closed(&[&stalled, &moving, &idle]), [true, false, false]);
        drop((stalled, moving, idle));
        assert!(links.lock().links.is_empty());
    }
}
