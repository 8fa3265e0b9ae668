//! What the relay has at hand: one page of fresh rows and one page of recovered rows, bounded by
//! rows and by bytes. More waits in the outbox.

use std::collections::HashSet;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use contracts::EventId;
use tokio::sync::mpsc::{self, UnboundedReceiver, UnboundedSender};
use tokio::sync::{OwnedSemaphorePermit, Semaphore};

use super::left::Left;
use super::outbox::OutboxRow;
use super::pauses::Pauses;
use super::resting::Resting;

/// Rows of one page at most.
pub(super) const PAGE_ROWS: usize = 2048;
/// Bytes of one page at most.
pub(super) const PAGE_BYTES: usize = 4 * 1024 * 1024;
/// What a row counts at least, so that the bytes of a page bound its rows, too.
const SMALLEST: usize = PAGE_BYTES / PAGE_ROWS;

/// The way from the committers and the recovery of unpublished rows to the relay.
pub(crate) struct Hand {
    /// The rows at hand, each until it is marked as published or left for later.
    ids: Mutex<HashSet<EventId>>,
    /// Bytes that fresh rows may still take.
    fresh: Arc<Semaphore>,
    /// One page of recovered rows at a time.
    page: Arc<Semaphore>,
    to_relay: UnboundedSender<Handed>,
    /// Taken by the relay.
    rows: Mutex<Option<UnboundedReceiver<Handed>>>,
    pub(super) pauses: Mutex<Pauses>,
    /// Rows that cannot be read, so that each is warned of from time to time only.
    pub(super) unreadable: Resting,
    /// Aggregates of which rows were left in the outbox.
    pub(super) left: Left,
}

/// A row on its way to the broker.
pub(super) struct Handed {
    pub(super) row: OutboxRow,
    pub(super) ticket: Ticket,
}

/// Counts a row as at hand for as long as it lives.
pub(super) struct Ticket {
    id: EventId,
    hand: Arc<Hand>,
    place: Place,
}

enum Place {
    Fresh { _bytes: OwnedSemaphorePermit },
    Recovered { page: Arc<Page> },
}

/// A page of recovered rows until the last of them is settled.
struct Page {
    published: UnboundedSender<()>,
    _turn: OwnedSemaphorePermit,
}

/// The turn to recover a page.
pub(super) struct Turn(OwnedSemaphorePermit);

impl Hand {
    pub(super) fn new() -> Arc<Self> {
        let (to_relay, rows) = mpsc::unbounded_channel();
        Arc::new(Self {
            ids: Mutex::default(),
            fresh: Arc::new(Semaphore::new(PAGE_BYTES)),
            page: Arc::new(Semaphore::new(1)),
            to_relay,
            rows: Mutex::new(Some(rows)),
            pauses: Mutex::default(),
            unreadable: Resting::default(),
            left: Left::default(),
        })
    }

    /// The rows, for the one relay.
    pub(super) fn rows(&self) -> Option<UnboundedReceiver<Handed>> {
        lock(&self.rows).take()
    }

    /// Whether a relay was started.
    pub(super) fn has_relay(&self) -> bool {
        lock(&self.rows).is_none()
    }

    /// How many rows are at hand.
    pub(super) fn len(&self) -> usize {
        lock(&self.ids).len()
    }

    /// Hands over rows that were committed just now, as far as there is room; the recovery of
    /// unpublished rows finds the others, and what follows on them of the same aggregate.
    pub(super) fn offer(self: &Arc<Self>, rows: Vec<OutboxRow>) {
        for row in rows {
            let bytes = u32::try_from(cost(&row)).unwrap_or(u32::MAX);
            let bytes = Arc::clone(&self.fresh).try_acquire_many_owned(bytes);
            match bytes {
                Ok(bytes) if !self.left.holds_up(&row) => {
                    self.hand_over(row, Place::Fresh { _bytes: bytes });
                }
                _ => self.left.add(&row),
            }
        }
    }

    /// Waits until the page before is settled.
    pub(super) async fn turn(&self) -> Option<Turn> {
        Arc::clone(&self.page).acquire_owned().await.ok().map(Turn)
    }

    /// The turn, if no page is at hand.
    #[cfg(test)]
    pub(super) fn try_turn(&self) -> Option<Turn> {
        Arc::clone(&self.page).try_acquire_owned().ok().map(Turn)
    }

    /// The rows at hand now.
    pub(super) fn ids(&self) -> HashSet<EventId> {
        lock(&self.ids).clone()
    }

    /// Hands over a page, and waits until each of its rows is settled; returns how many of them
    /// were published.
    pub(super) async fn recover(self: &Arc<Self>, turn: Turn, rows: Vec<OutboxRow>) -> u64 {
        let mut outcomes = self.hand_over_page(turn, rows);
        let mut count = 0;
        while outcomes.recv().await.is_some() {
            count += 1;
        }
        count
    }

    /// Hands over a page; each row of it that is published gives one message, and the channel ends
    /// when all are settled.
    pub(super) fn hand_over_page(
        self: &Arc<Self>,
        turn: Turn,
        rows: Vec<OutboxRow>,
    ) -> UnboundedReceiver<()> {
        let (published, outcomes) = mpsc::unbounded_channel();
        let page = Arc::new(Page { published, _turn: turn.0 });
        for row in rows {
            self.hand_over(row, Place::Recovered { page: Arc::clone(&page) });
        }
        outcomes
    }

    fn hand_over(self: &Arc<Self>, row: OutboxRow, place: Place) {
        if lock(&self.ids).insert(row.id) {
            let ticket = Ticket { id: row.id, hand: Arc::clone(self), place };
            // Without a relay the process stops, and another replica recovers the row.
            let _ = self.to_relay.send(Handed { row, ticket });
        }
    }
}

impl Ticket {
    pub(super) fn is_fresh(&self) -> bool {
        matches!(self.place, Place::Fresh { .. })
    }

    /// The row is published, and marked so.
    pub(super) fn published(self) {
        if let Place::Recovered { page } = &self.place {
            // The recovery may have been given up meanwhile.
            let _ = page.published.send(());
        }
    }
}

impl Drop for Ticket {
    fn drop(&mut self) {
        lock(&self.hand.ids).remove(&self.id);
    }
}

/// The bytes that a row counts.
pub(super) fn cost(row: &OutboxRow) -> usize {
    (row.payload.len() + row.nats_subject.len()).clamp(SMALLEST, PAGE_BYTES)
}

pub(super) fn lock<T>(it: &Mutex<T>) -> MutexGuard<'_, T> {
    it.lock().unwrap_or_else(PoisonError::into_inner)
}
