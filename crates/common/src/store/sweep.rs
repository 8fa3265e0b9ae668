//! Recovery of unpublished rows: what a crashed replica left, or what the broker did not take.

use std::time::Duration;

use contracts::Timestamp;
use futures_util::TryStreamExt as _;
use mongodb::bson::{Document, doc};
use tokio::time::Instant;
use tracing::warn;

use super::hand::{PAGE_BYTES, PAGE_ROWS, cost, lock};
use super::outbox::OutboxRow;
use super::query::read_body;
use super::{Store, StoreError};
use crate::bus::Bus;
use crate::crash::{Point, point};

/// Rows older than this are assumed to be left by a crashed replica.
const LEFT: Duration = Duration::from_secs(2);
/// Rows of one reply of the database at most.
const BATCH: u32 = 256;

/// Rows to recover.
struct Page {
    rows: Vec<OutboxRow>,
    /// Whether no others were to be recovered.
    is_last: bool,
}

impl Store {
    /// Publishes a page of rows that are not published yet, the oldest first, and waits until each
    /// is settled; returns how many were published. For one replica at a time, though two do no
    /// harm. Does nothing without a relay or while the broker cannot be reached.
    pub async fn sweep(&self, bus: &Bus) -> Result<u64, StoreError> {
        if !bus.is_connected() || !self.inner.hand.has_relay() {
            return Ok(0);
        }
        let Some(turn) = self.inner.hand.turn().await else { return Ok(0) };
        // What was left before then is old enough for the query, by a clock that is a little off, too.
        let seen = Instant::now().checked_sub(2 * LEFT);
        let Page { rows, is_last } = self.unpublished_page(bus).await?;
        let count = rows.len() as u64;
        if count > 0 {
            point(Point::Swept);
        }
        let published = self.inner.hand.recover(turn, rows).await;
        if let Some(seen) = seen.filter(|_| is_last && published == count) {
            self.inner.hand.left.recovered(seen);
        }
        Ok(published)
    }

    /// How many rows the relay has at hand, to be published or marked.
    pub fn rows_at_hand(&self) -> usize {
        self.inner.hand.len()
    }

    /// The oldest rows that are not published, not at hand and do not rest after a refusal.
    async fn unpublished_page(&self, bus: &Bus) -> Result<Page, StoreError> {
        // Before the query: a row that is marked meanwhile is not published again.
        let at_hand = self.inner.hand.ids();
        let lost = |error| StoreError::of(OutboxRow::COLLECTION, &error);
        let outbox = self.collection(OutboxRow::COLLECTION);
        let (filter, has_resting) = self.unpublished(bus);
        let found = outbox.find(filter).sort(doc! { "at": 1, "sequence": 1 });
        let mut found = found.batch_size(BATCH).await.map_err(lost)?;
        let (mut rows, mut bytes) = (Vec::new(), 0);
        while let Some(body) = found.try_next().await.map_err(lost)? {
            let Some(row) = self.readable(body).filter(|row| !at_hand.contains(&row.id)) else {
                continue;
            };
            bytes += cost(&row);
            if rows.len() >= PAGE_ROWS || (bytes > PAGE_BYTES && !rows.is_empty()) {
                return Ok(Page { rows, is_last: false });
            }
            rows.push(row);
        }
        Ok(Page { rows, is_last: !has_resting })
    }

    /// The row, or none when it cannot be read: a warning names it from time to time, and the others
    /// are published.
    fn readable(&self, body: Document) -> Option<OutboxRow> {
        let id = body.get("_id").map(ToString::to_string).unwrap_or_default();
        let (unreadable, now) = (&self.inner.hand.unreadable, self.clock().now());
        read_body(OutboxRow::COLLECTION, body)
            .inspect_err(|error| {
                if !unreadable.rests(&id, now) {
                    warn!(row.id = id, %error, "an event cannot be published");
                    unreadable.failed(&id, now);
                }
            })
            .ok()
    }

    /// Selects what is not published and does not rest, and says whether something does.
    fn unpublished(&self, bus: &Bus) -> (Document, bool) {
        let mut filter = doc! { "told": false, "$or": self.far_from_now() };
        let (streams, rows) = lock(&self.inner.hand.pauses).over(bus.epoch()).resting();
        let has_resting = !(streams.is_empty() && rows.is_empty());
        if !streams.is_empty() {
            filter.insert("stream", doc! { "$nin": streams });
        }
        if !rows.is_empty() {
            filter.insert("_id", doc! { "$nin": rows });
        }
        (filter, has_resting)
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
        let outbox = self.collection(OutboxRow::COLLECTION);
        let unpublished = doc! { "told": false, "at": { "$type": "string" } };
        let row = outbox.find_one(unpublished).projection(doc! { "at": 1 });
        let row = row.sort(doc! { "at": order }).await;
        let row = row.map_err(|error| StoreError::of(OutboxRow::COLLECTION, &error))?;
        Ok(row.and_then(|row| row.get_str("at").ok()?.parse().ok()))
    }
}
