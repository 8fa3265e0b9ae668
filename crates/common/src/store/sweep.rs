//! Recovery of unpublished rows: what a crashed replica left, or what the broker did not take.

use std::time::Duration;

use contracts::Timestamp;
use futures_util::TryStreamExt as _;
use mongodb::bson::{Document, doc};

use super::hand::{PAGE_BYTES, PAGE_ROWS, cost, lock};
use super::outbox::OutboxRow;
use super::{Store, StoreError};
use crate::bus::Bus;
use crate::crash::{Point, point};

/// Rows older than this are assumed to be left by a crashed replica.
const LEFT: Duration = Duration::from_secs(2);
/// Rows of one reply of the database at most.
const BATCH: u32 = 256;

impl Store {
    /// Publishes a page of rows that are not published yet, the oldest first, and waits until each
    /// is settled; returns how many were published. For one replica at a time, though two do no
    /// harm. Does nothing without a relay or while the broker cannot be reached.
    pub async fn sweep(&self, bus: &Bus) -> Result<u64, StoreError> {
        if !bus.is_connected() || !self.inner.hand.has_relay() {
            return Ok(0);
        }
        let Some(turn) = self.inner.hand.turn().await else { return Ok(0) };
        let page = self.unpublished_page(bus).await?;
        if page.is_empty() {
            return Ok(0);
        }
        point(Point::Swept);
        Ok(self.inner.hand.recover(turn, page).await)
    }

    /// How many rows the relay has at hand, to be published or marked.
    pub fn rows_at_hand(&self) -> usize {
        self.inner.hand.len()
    }

    /// The oldest rows that are not published, not at hand and do not rest after a refusal.
    async fn unpublished_page(&self, bus: &Bus) -> Result<Vec<OutboxRow>, StoreError> {
        // Before the query: a row that is marked meanwhile is not published again.
        let at_hand = self.inner.hand.ids();
        let lost = |error| StoreError::of(OutboxRow::COLLECTION, &error);
        let outbox = self.inner.database.collection::<OutboxRow>(OutboxRow::COLLECTION);
        let limit = i64::try_from(PAGE_ROWS + at_hand.len()).unwrap_or(i64::MAX);
        let found = outbox
            .find(self.unpublished(bus))
            .sort(doc! { "at": 1, "sequence": 1 })
            .limit(limit)
            .batch_size(BATCH);
        let mut found = found.await.map_err(lost)?;
        let (mut page, mut bytes) = (Vec::new(), 0);
        while let Some(row) = found.try_next().await.map_err(lost)? {
            if at_hand.contains(&row.id) {
                continue;
            }
            bytes += cost(&row);
            if bytes > PAGE_BYTES && !page.is_empty() {
                break;
            }
            page.push(row);
        }
        Ok(page)
    }

    fn unpublished(&self, bus: &Bus) -> Document {
        let mut filter = doc! { "told": false, "$or": self.far_from_now() };
        let (streams, rows) = lock(&self.inner.hand.pauses).over(bus.epoch()).resting();
        if !streams.is_empty() {
            filter.insert("stream", doc! { "$nin": streams });
        }
        if !rows.is_empty() {
            filter.insert("_id", doc! { "$nin": rows });
        }
        filter
    }

    /// Selects rows that a replica left. One that was committed in what is the future here was
    /// stamped by a clock that is wrong, so it may be as old as any.
    fn far_from_now(&self) -> [Document; 2] {
        let now = self.clock().now();
        let (before, after) = (now.minus(LEFT).to_string(), now.plus(LEFT).to_string());
        [doc! { "at": { "$lt": before } }, doc! { "at": { "$gt": after } }]
    }

    /// How long the oldest untold event has been waiting, or how far ahead of this clock one was
    /// committed, whichever is longer.
    pub async fn outbox_age(&self) -> Result<Option<Duration>, StoreError> {
        let now = self.clock().now();
        let ages = [self.untold_end(1).await?, self.untold_end(-1).await?];
        Ok(ages.into_iter().flatten().map(|at| now.since(at).max(at.since(now))).max())
    }

    /// When the first (1) or last (-1) of the untold events was committed.
    async fn untold_end(&self, order: i32) -> Result<Option<Timestamp>, StoreError> {
        let outbox = self.inner.database.collection::<OutboxRow>(OutboxRow::COLLECTION);
        let row = outbox.find_one(doc! { "told": false }).sort(doc! { "at": order }).await;
        let row = row.map_err(|error| StoreError::of(OutboxRow::COLLECTION, &error))?;
        Ok(row.map(|row| row.at))
    }
}
