//! How many facts a second two replicas commit on one hot document, grouped and one by one.
//!
//! `cargo bench -p common --bench commit`

use std::convert::Infallible;
use std::time::{Duration, Instant};

use common::store::{Cause, One, Receipt, Store};
use common::{Change, Clock, Document};
use contracts::{OrderId, order};
use futures_util::future::join_all;
use serde::{Deserialize, Serialize};
use testkit::World;
use tokio_util::task::TaskTracker;

const REPLICAS: usize = 2;
const LASTS: Duration = Duration::from_secs(5);

#[derive(Clone, Serialize, Deserialize)]
struct Counter {
    #[serde(rename = "_id")]
    id: OrderId,
    count: u64,
}

impl Document for Counter {
    const COLLECTION: &'static str = "counters";
    type Id = OrderId;

    fn id(&self) -> OrderId {
        self.id
    }
}

#[tokio::main]
async fn main() -> anyhow::Result<()> {
    let world = World::start().await;
    println!("{REPLICAS} replicas, one document, {LASTS:?} each: document + event + receipt");
    println!("{:>8} {:>8} {:>12} {:>8}", "clients", "group", "facts/s", "busy");
    for clients in [1, 16, 64, 256] {
        for group in [64, 1] {
            let (facts, busy) = measure(&world, clients, group).await?;
            println!("{clients:>8} {group:>8} {:>12} {busy:>8}", facts / LASTS.as_secs());
        }
    }
    Ok(())
}

/// Facts committed, and callers that gave up.
async fn measure(world: &World, clients: usize, group: usize) -> anyhow::Result<(u64, u64)> {
    let database = world.database("bench");
    let mongo = mongodb::Client::with_uri_str(world.mongo_uri()).await?;
    let tasks = TaskTracker::new();
    let mut replicas = Vec::new();
    for _ in 0..REPLICAS {
        replicas.push(Store::open(&mongo, &database, Clock::system(), group, &tasks).await?);
    }
    replicas[0].collection_of::<Counter>().await?;
    let hot = OrderId::from_uuid(Clock::system().uuid());
    let until = Instant::now() + LASTS;
    let asking = (0..clients).map(|client| ask(&replicas[client % REPLICAS], hot, until));
    let sums = join_all(asking).await;
    Ok(sums.iter().fold((0, 0), |(done, busy), (d, b)| (done + d, busy + b)))
}

async fn ask(store: &Store, hot: OrderId, until: Instant) -> (u64, u64) {
    let (mut done, mut busy) = (0, 0);
    while Instant::now() < until {
        let cause = Cause::own("bench", store.clock());
        let receipt = Receipt::generated(cause, store.clock());
        let asked = store.apply(One::<Counter>(hot), receipt, move |counter, _| {
            let count = counter.map_or(0, |counter| counter.count) + 1;
            let told = order::Completed { order_id: hot };
            Ok::<_, Infallible>(Change::to(Counter { id: hot, count }).telling(&told))
        });
        if asked.await.is_ok() { done += 1 } else { busy += 1 }
    }
    (done, busy)
}
