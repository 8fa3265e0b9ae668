//! The bytes of requests and answers that a replica holds at once.

use std::pin::pin;
use std::sync::Arc;
use std::time::Duration;

use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio::time::{interval, timeout};

use super::links::Links;

/// How long a body or an answer waits for room; beyond: 503.
const WAIT: Duration = Duration::from_secs(3);
/// Between two rounds of closing stalled connections while an answer waits for room.
const ROUND: Duration = Duration::from_millis(100);
/// Connections that one round closes at most.
const CLOSED: usize = 64;
/// A client that takes nothing for so long may be cut off for the sake of others.
const STALLED: Duration = Duration::from_secs(1);

/// Answers above this, and bodies of routes that allow more, share one half of the budget: the other
/// half stays for small ones.
const LARGE: usize = 16 * 1024;

/// One budget of bytes for a replica. Bodies of requests take of it as they are read, answers hold
/// their part until they are written. When it is spent, clients that do not read are cut off.
#[derive(Clone, Debug)]
pub(crate) struct Budget {
    total: usize,
    wait: Duration,
    bytes: Arc<Semaphore>,
    large: Arc<Semaphore>,
    /// For what waits for room, which is in memory already: a quarter more.
    waiting: Arc<Semaphore>,
    links: Links,
}

/// A part of the budget; given back when dropped.
#[derive(Debug, Default)]
pub(crate) struct Share {
    bytes: Option<OwnedSemaphorePermit>,
    large: Option<OwnedSemaphorePermit>,
}

impl Budget {
    /// A budget of so many bytes, at most 4 GiB.
    pub(crate) fn new(total: usize) -> Self {
        let total = total.min(u32::MAX as usize);
        Self {
            total,
            wait: WAIT,
            bytes: Arc::new(Semaphore::new(total)),
            large: Arc::new(Semaphore::new(total / 2)),
            waiting: Arc::new(Semaphore::new(total / 4)),
            links: Links::default(),
        }
    }

    /// How many bytes there are in all.
    pub(crate) const fn total(&self) -> usize {
        self.total
    }

    /// The connections that make room when the budget is spent.
    pub(crate) const fn links(&self) -> &Links {
        &self.links
    }

    /// What parts of an answer of unknown length take of.
    pub(crate) fn bytes(&self) -> Arc<Semaphore> {
        Arc::clone(&self.bytes)
    }

    /// Room for a part of a body. `is_large` says that its route allows more than others; such a
    /// part waits for nothing.
    pub(crate) async fn receive(&self, bytes: usize, is_large: bool) -> Option<Share> {
        if !is_large {
            return self.reserve(bytes).await;
        }
        let count = u32::try_from(bytes).ok()?;
        let large = self.large.clone().try_acquire_many_owned(count).ok()?;
        let bytes = self.bytes.clone().try_acquire_many_owned(count).ok()?;
        Some(Share { bytes: Some(bytes), large: Some(large) })
    }

    /// Room for an answer of so many bytes, or as much as there can be; `None` when there is none
    /// for 3 s although stalled connections are closed, or when too much waits already.
    pub(crate) async fn reserve(&self, bytes: usize) -> Option<Share> {
        let reserved = async {
            let large = if bytes > LARGE {
                Some(self.take(&self.large, bytes.min(self.total / 2)).await?)
            } else {
                None
            };
            let bytes = Some(self.take(&self.bytes, bytes.min(self.total)).await?);
            Some(Share { bytes, large })
        };
        timeout(self.wait, reserved).await.ok()?
    }

    fn most_waiting(&self) -> u32 {
        u32::try_from(self.total / 4).unwrap_or(u32::MAX)
    }

    /// Takes so many bytes when there are; meanwhile stalled connections are closed. Nothing where
    /// too much waits already.
    async fn take(&self, from: &Arc<Semaphore>, bytes: usize) -> Option<OwnedSemaphorePermit> {
        let bytes = u32::try_from(bytes).ok()?;
        if let Ok(taken) = from.clone().try_acquire_many_owned(bytes) {
            return Some(taken);
        }
        let _waiting = self.waiting.try_acquire_many(bytes.min(self.most_waiting())).ok()?;
        let mut taken = pin!(from.clone().acquire_many_owned(bytes));
        let mut rounds = interval(ROUND);
        loop {
            tokio::select! {
                taken = &mut taken => return taken.ok(),
                _ = rounds.tick() => self.links.close_stalled(CLOSED, STALLED),
            }
        }
    }
}

impl Share {
    /// Makes one of both.
    pub(crate) fn add(&mut self, other: Self) {
        merge(&mut self.bytes, other.bytes);
        merge(&mut self.large, other.large);
    }
}

fn merge(share: &mut Option<OwnedSemaphorePermit>, more: Option<OwnedSemaphorePermit>) {
    match (share, more) {
        (Some(share), Some(more)) => share.merge(more),
        (share @ None, more) => *share = more,
        (Some(_), None) => {}
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const QUICK: Duration = Duration::from_millis(10);

    #[tokio::test]
    async fn large_bodies_leave_half_for_others() {
        let budget = Budget { wait: QUICK, ..Budget::new(100) };
        let mut large = Share::default();

        large.add(budget.receive(30, true).await.unwrap());
        large.add(budget.receive(20, true).await.unwrap());

        assert!(budget.receive(1, true).await.is_none());
        let small = budget.receive(50, false).await;
        assert!(small.is_some() && budget.receive(1, false).await.is_none());
        drop(large);
        assert!(budget.receive(50, true).await.is_some());
    }

    #[tokio::test]
    async fn large_answers_leave_half_for_others() {
        let budget = Budget { wait: QUICK, ..Budget::new(4 * LARGE) };

        let first = budget.reserve(2 * LARGE).await;

        assert!(first.is_some() && budget.reserve(LARGE + 1).await.is_none());
        assert!(budget.reserve(LARGE).await.is_some());
        drop(first);
        assert!(budget.reserve(100 * LARGE).await.is_some(), "it counts as half");
    }

    #[tokio::test]
    async fn answer_takes_the_room_of_stalled_clients() {
        let budget = Budget { wait: Duration::from_mins(1), ..Budget::new(100) };
        let link = budget.links().open();
        let held = budget.reserve(90).await.unwrap();
        link.stall();
        let closed = link.closed();
        let stalled = async move {
            closed.cancelled().await;
            drop(held);
        };

        let (room, ()) = tokio::join!(budget.reserve(50), stalled);

        assert!(room.is_some());
    }
}
