//! Telling again, after the broker lost what it was told.

use std::convert::Infallible;
use std::time::Duration;

use futures_util::{StreamExt as _, TryStreamExt as _};
use mongodb::Database;
use mongodb::bson::{DateTime, doc};
use tracing::warn;

use contracts::{Event, Timestamp};

use super::hand::PAGE_ROWS;
use super::outbox::{KEPT, OutboxRow};
use super::scope;
use super::{Cause, One, Receipt, Store, StoreError, UpdateError};
use crate::Change;
use crate::bus::Bus;
use crate::crash::{Point, point};
use crate::document::Document;

/// How many documents are told of at once.
const AT_ONCE: usize = 64;
/// About how many events are published again at a time.
const PAGE: u64 = 4 * PAGE_ROWS as u64;
/// Between two looks whether there is room for more.
const PAUSE: Duration = Duration::from_millis(100);

/// A document whose state others copy.
pub trait Retold: Document {
    /// The event that tells it.
    type State: Event;

    /// How it is now.
    fn state(&self) -> Self::State;
}

/// The facts to be published once more: a page at a time, so that neither the outbox nor those who
/// consume get all of them at once.
#[derive(Clone, Copy, Debug)]
pub struct FactReplay {
    /// When the rows of the next page expire, which says when they were published.
    from: DateTime,
    /// When the last row expires; none when there is none.
    to: Option<DateTime>,
}

impl FactReplay {
    /// Makes a page of facts unpublished again; returns how many, 0 when there are no more. The
    /// next page is due when these are published.
    pub async fn next_page(&mut self, store: &Store) -> Result<u64, StoreError> {
        let Some(to) = self.to.filter(|to| self.from <= *to) else { return Ok(0) };
        let lost = |error| StoreError::of(OutboxRow::COLLECTION, &error);
        let outbox = store.collection(OutboxRow::COLLECTION);
        let rest = doc! {
            "told": true, "state": false, "expires_at": { "$gte": self.from, "$lte": to },
        };
        let newest = outbox.find_one(rest).sort(doc! { "expires_at": 1 }).skip(PAGE).await;
        let newest = newest.map_err(lost)?;
        let end = newest.and_then(|row| row.get_datetime("expires_at").ok().copied());
        let end = end.unwrap_or(to);
        let page = doc! {
            "told": true, "state": false, "expires_at": { "$gte": self.from, "$lte": end },
        };
        let again = doc! { "$set": { "told": false }, "$unset": { "expires_at": 1 } };
        let result = outbox.update_many(page, again).await.map_err(lost)?;
        point(Point::FactsRetold);
        self.from = DateTime::from_millis(end.timestamp_millis() + 1);
        Ok(result.modified_count)
    }
}

impl Store {
    /// Begins to publish facts once more, under the same ids, that were published since then.
    pub async fn replay_facts(&self, since: Timestamp) -> Result<FactReplay, StoreError> {
        let lost = |error| StoreError::of(OutboxRow::COLLECTION, &error);
        let outbox = self.collection(OutboxRow::COLLECTION);
        let newest =
            outbox.find_one(doc! { "told": true, "state": false }).sort(doc! { "expires_at": -1 });
        let newest = newest.await.map_err(lost)?;
        // What matters is when it was published: it may have been committed long before.
        let from = DateTime::from_millis(since.plus(KEPT).as_millis());
        let to = newest.and_then(|row| row.get_datetime("expires_at").ok().copied());
        Ok(FactReplay { from, to })
    }

    /// Publishes every document of this kind as it is now, under a new id; returns how many. Passes
    /// over those that cannot be read. Needs a relay, and waits for it after each page.
    pub async fn retell_state<D: Retold>(&self, bus: &Bus) -> Result<u64, UpdateError<Infallible>> {
        let found = self.collection(D::COLLECTION).find(doc! {}).await;
        let found = found.map_err(|error| StoreError::of(D::COLLECTION, &error))?;
        found
            .enumerate()
            .map(|(at, body)| async move {
                if (at as u64).is_multiple_of(PAGE) {
                    self.room_in_outbox().await?;
                }
                let body = body.map_err(|error| StoreError::of(D::COLLECTION, &error))?;
                let stored = match scope::read::<D>(body) {
                    Ok(stored) => stored,
                    Err(error) => return unless_unreadable(Err(error.into())),
                };
                self.retell::<D>(stored.value, bus).await
            })
            .buffer_unordered(AT_ONCE)
            .try_fold(0, |sum, told| async move { Ok(sum + told) })
            .await
    }

    /// Publishes a document as it is now, under a new id, as newer than the stream's last.
    pub(super) async fn retell<D: Retold>(
        &self,
        known: D,
        bus: &Bus,
    ) -> Result<u64, UpdateError<Infallible>> {
        let subject = D::State::TYPE.subject(&known.state().subject());
        let last = bus
            .last_sequence(&D::State::TYPE.stream(), &subject)
            .await
            .map_err(|error| StoreError::Away(error.to_string()))?
            .unwrap_or(0);
        let cause = Cause::own("replay", self.clock());
        let told = self.apply(One::<D>(known.id()), Receipt::none(cause), move |now, _| {
            Ok(match now {
                Some(thing) => {
                    Change::none(1).telling_of::<D, _>(&thing.state()).counting_from(last)
                }
                // It ended in the meantime.
                None => Change::none(0),
            })
        });
        let told = told.await?.unwrap_or(0);
        point(Point::StateRetold);
        Ok(told)
    }

    /// Waits until fewer than a page of events are unpublished.
    async fn room_in_outbox(&self) -> Result<(), StoreError> {
        while self.untold().await? >= PAGE {
            tokio::time::sleep(PAUSE).await;
        }
        Ok(())
    }

    /// How many events are not told yet.
    pub async fn untold(&self) -> Result<u64, StoreError> {
        let count = async move |database: Database| {
            let outbox = database.collection::<OutboxRow>(OutboxRow::COLLECTION);
            outbox.count_documents(doc! { "told": false }).await
        };
        self.query(OutboxRow::COLLECTION, count).await
    }
}

/// Passes over a document that cannot be read, with a warning: it does not hold up the others.
pub(super) fn unless_unreadable(
    published: Result<u64, UpdateError<Infallible>>,
) -> Result<u64, UpdateError<Infallible>> {
    match published {
        Err(UpdateError::Store(error @ StoreError::Unreadable { .. })) => {
            warn!(%error, "a document is not published");
            Ok(0)
        }
        other => other,
    }
}
