//! Where timelines are kept.

use std::convert::Infallible;
use std::time::Duration;

use common::store::{Cause, One, Receipt, Store, StoreError, Stored, UpdateError};
use common::{Change, Wakeups};
use contracts::OrderId;
use mongodb::bson::{Bson, doc};

use super::entry::{Entry, Timeline};

/// Facts come in flocks, and nobody pays or ships by a timeline: what is heard within this time
/// is written at once, and holds up no order.
const COMPANY: Duration = Duration::from_millis(50);

/// The timelines of all orders. Cheap to clone.
#[derive(Clone)]
pub(crate) struct Timelines {
    store: Store,
    wakeups: Wakeups,
}

impl Timelines {
    /// Those of this database; who watches an order is woken when its timeline grows.
    pub(crate) fn new(store: &Store, wakeups: Wakeups) -> Self {
        Self { store: store.aside(COMPANY), wakeups }
    }

    /// Makes sure that they have a place.
    pub(crate) async fn prepare(&self) -> Result<(), StoreError> {
        self.store.collection_of::<Timeline>().await
    }

    /// Keeps a fact. Needs no receipt: one that was heard before is known by its id.
    pub(super) async fn keep(
        &self,
        order: OrderId,
        entry: Entry,
        cause: Cause,
    ) -> Result<(), UpdateError<Infallible>> {
        let hear = move |timeline: Option<Timeline>, _| {
            let timeline = timeline.unwrap_or(Timeline::of(order));
            let grown = timeline.hear(entry.clone()).map(|grown| Change::to(grown).map(|_| true));
            Ok(grown.unwrap_or(Change::none(false)))
        };
        let grew = self.store.apply(One::<Timeline>(order), Receipt::none(cause), hear).await?;
        if grew == Some(true) {
            self.wakeups.wake(order);
        }
        Ok(())
    }

    /// The timeline of an order as it is now; an empty one where nothing was heard yet.
    pub(crate) async fn get(&self, order: OrderId) -> Result<Timeline, StoreError> {
        let found = self.store.get::<Timeline>(&order).await?;
        Ok(found.map_or(Timeline::of(order), |found| found.value))
    }

    /// The same, unless it is the version that is known: then there is little to read.
    pub(crate) async fn other_than(
        &self,
        order: OrderId,
        version: Option<i64>,
    ) -> Result<Option<Stored<Timeline>>, StoreError> {
        let version = version.map_or(Bson::Null, Bson::Int64);
        let other = doc! { "_id": order.to_string(), "version": { "$ne": version } };
        Ok(self.store.find::<Timeline>(other, doc! {}, 1).await?.pop())
    }
}
