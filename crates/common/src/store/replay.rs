//! Telling again, after the broker lost what it was told.

use std::convert::Infallible;

use futures_util::{StreamExt as _, TryStreamExt as _};
use mongodb::Database;
use mongodb::bson::{DateTime, doc};

use contracts::{Event, Timestamp};

use super::outbox::{KEPT, OutboxRow};
use super::scope;
use super::{Cause, One, Receipt, Store, StoreError, UpdateError};
use crate::Change;
use crate::bus::Bus;
use crate::crash::{Point, point};
use crate::document::Document;

/// How many documents are told of at once.
const AT_ONCE: usize = 64;

/// A document whose state others copy.
pub trait Retold: Document {
    /// The event that tells it.
    type State: Event;

    /// How it is now.
    fn state(&self) -> Self::State;
}

impl Store {
    /// Facts told since then are to be told once more, under the same ids; says how many.
    pub async fn retell_facts(&self, since: Timestamp) -> Result<u64, StoreError> {
        let outbox = self.collection(OutboxRow::COLLECTION);
        // What matters is when it was told: it may have been committed long before.
        let kept_until = DateTime::from_millis(since.plus(KEPT).as_millis());
        let told = doc! { "told": true, "state": false, "expires_at": { "$gte": kept_until } };
        let again = doc! { "$set": { "told": false }, "$unset": { "expires_at": 1 } };
        let result = outbox.update_many(told, again).await;
        let result = result.map_err(|error| StoreError::of(OutboxRow::COLLECTION, &error))?;
        point(Point::FactsRetold);
        Ok(result.modified_count)
    }

    /// Every document of this kind is told as it is now, under a new id; says how many.
    pub async fn retell_state<D: Retold>(&self, bus: &Bus) -> Result<u64, UpdateError<Infallible>> {
        let found = self.collection(D::COLLECTION).find(doc! {}).await;
        let found = found.map_err(|error| StoreError::of(D::COLLECTION, &error))?;
        found
            .map(|body| async move {
                let body = body.map_err(|error| StoreError::of(D::COLLECTION, &error))?;
                self.retell::<D>(scope::read::<D>(body)?.value, bus).await
            })
            .buffer_unordered(AT_ONCE)
            .try_fold(0, |sum, told| async move { Ok(sum + told) })
            .await
    }

    async fn retell<D: Retold>(&self, known: D, bus: &Bus) -> Result<u64, UpdateError<Infallible>> {
        let subject = D::State::TYPE.subject(&known.state().subject());
        let last = bus
            .last_sequence(&D::State::TYPE.stream(), &subject)
            .await
            .map_err(|error| StoreError::Away(error.to_string()))?
            .unwrap_or(0);
        let cause = Cause::own("replay", self.clock());
        let told = self.apply(One::<D>(known.id()), Receipt::none(cause), move |now, _| {
            Ok(match now {
                Some(thing) => Change::none(1).telling(&thing.state()).counting_from(last),
                // It ended in the meantime.
                None => Change::none(0),
            })
        });
        let told = told.await?.unwrap_or(0);
        point(Point::StateRetold);
        Ok(told)
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
