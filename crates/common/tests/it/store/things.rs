//! What the tests of the commit change.

use std::convert::Infallible;

use common::store::{Answer, Cause, One, Receipt, Store, UpdateError};
use common::{Change, Clock, Document, Row};
use contracts::{OrderId, order};
use futures_util::TryStreamExt as _;
use mongodb::bson::{Document as Bson, doc};
use serde::{Deserialize, Serialize};
use testkit::World;
use tokio_util::task::TaskTracker;

/// A thing that counts how often it was rung, and tells every ring.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(super) struct Bell {
    #[serde(rename = "_id")]
    pub(super) id: OrderId,
    pub(super) rings: u32,
}

impl Document for Bell {
    const COLLECTION: &'static str = "bells";
    type Id = OrderId;

    fn id(&self) -> OrderId {
        self.id
    }
}

/// Another thing, which may have the id of a bell.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(super) struct Gong {
    #[serde(rename = "_id")]
    pub(super) id: OrderId,
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub(super) engraved: String,
}

impl Document for Gong {
    const COLLECTION: &'static str = "gongs";
    type Id = OrderId;

    fn id(&self) -> OrderId {
        self.id
    }
}

/// A bell as the version after writes it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(super) struct LouderBell {
    #[serde(rename = "_id")]
    pub(super) id: OrderId,
    pub(super) rings: u32,
    #[serde(default)]
    pub(super) loudness: u32,
}

impl Document for LouderBell {
    const COLLECTION: &'static str = Bell::COLLECTION;
    const SHAPE: i64 = Bell::SHAPE + 1;
    type Id = OrderId;

    fn id(&self) -> OrderId {
        self.id
    }

    fn upcast(stored: &mut Bson) {
        if !stored.contains_key("loudness") {
            stored.insert("loudness", 1);
        }
    }
}

/// A thing whose state is told.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(super) struct Shelf {
    #[serde(rename = "_id")]
    pub(super) sku: contracts::Sku,
    pub(super) available: u32,
}

impl Document for Shelf {
    const COLLECTION: &'static str = "shelves";
    type Id = contracts::Sku;

    fn id(&self) -> contracts::Sku {
        self.sku.clone()
    }
}

#[derive(Clone, Debug, Serialize)]
pub(super) struct Ring {
    #[serde(rename = "_id")]
    pub(super) id: String,
}

impl Row for Ring {
    const COLLECTION: &'static str = "rings";
}

#[derive(Clone, Debug, PartialEq, thiserror::Error)]
#[error("it is broken")]
pub(super) struct Broken;

pub(super) struct Replica {
    pub(super) store: Store,
}

pub(super) async fn replica(world: &World, database: &str, group: usize) -> Replica {
    replica_at(world, database, group, Clock::system()).await
}

pub(super) async fn replica_at(
    world: &World,
    database: &str,
    group: usize,
    clock: Clock,
) -> Replica {
    let client = mongodb::Client::with_uri_str(world.mongo_uri()).await.unwrap();
    let tasks = TaskTracker::new();
    let store = Store::open(&client, database, clock, group, &tasks).await.unwrap();
    store.collection_of::<Bell>().await.unwrap();
    store.collection_of::<Gong>().await.unwrap();
    store.collection_of::<Shelf>().await.unwrap();
    store.rows_of::<Ring>().await.unwrap();
    Replica { store }
}

pub(super) fn fresh() -> OrderId {
    OrderId::from_uuid(Clock::system().uuid())
}

pub(super) fn cause() -> Cause {
    Cause::own("test", &Clock::system())
}

pub(super) fn keyed(key: &str) -> Receipt {
    Receipt::http("usr_1", key, "POST /ring".into(), cause())
}

pub(super) fn rung(bell: Option<Bell>, id: OrderId) -> Change<Bell> {
    let rings = bell.map_or(0, |bell| bell.rings) + 1;
    Change::to(Bell { id, rings })
        .telling(&order::Delivered { order_id: id })
        .row(&Ring { id: Clock::system().uuid().to_string() })
}

impl Replica {
    pub(super) async fn ring(
        &self,
        id: OrderId,
        receipt: Receipt,
    ) -> Result<Answer, UpdateError<Infallible>> {
        self.store
            .update(
                One::<Bell>(id),
                receipt,
                move |bell, _| Ok(rung(bell, id)),
                |bell| Answer::new(200, &bell.rings).tagged(&bell.tag_of(bell.value)),
            )
            .await
    }

    pub(super) async fn rings(&self, id: OrderId) -> u32 {
        self.store.get::<Bell>(&id).await.unwrap().map_or(0, |bell| bell.rings)
    }

    pub(super) async fn rows(&self, collection: &str, filter: Bson) -> Vec<Bson> {
        let found = self.store.collection(collection).find(filter).await.unwrap();
        found.try_collect().await.unwrap()
    }

    pub(super) async fn sequences(&self, aggregate: &str) -> Vec<i64> {
        let rows = self.rows("outbox", doc! { "aggregate": aggregate }).await;
        let mut told: Vec<_> = rows.iter().map(|row| row.get_i64("sequence").unwrap()).collect();
        told.sort_unstable();
        told
    }
}
