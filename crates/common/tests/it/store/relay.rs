//! What was committed is told, whatever the broker does.

use std::convert::Infallible;
use std::time::Duration;

use common::bus::{Bus, BusConfig};
use common::store::{One, Receipt, Retold, Store};
use common::{Change, Clock};
use contracts::{Envelope, ProductId, product};
use futures_util::future::join_all;
use mongodb::bson::doc;
use testkit::{World, eventually};
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

use super::things::{Replica, Shelf, cause, fresh, keyed, replica, replica_at};

pub(super) const SOON: Duration = Duration::from_secs(30);

impl Retold for Shelf {
    type State = product::Stock;

    fn state(&self) -> product::Stock {
        let product_id = ProductId::from_uuid(uuid::Uuid::from_u128(1));
        product::Stock { sku: self.sku.clone(), product_id, available: self.available }
    }
}

/// A replica that tells.
pub(super) struct Telling {
    pub(super) here: Replica,
    pub(super) bus: Bus,
    stop: CancellationToken,
    tasks: TaskTracker,
}

impl Telling {
    pub(super) async fn start(world: &World, database: &str) -> Self {
        Self::start_at(world, database, Clock::system()).await
    }

    async fn start_at(world: &World, database: &str, clock: Clock) -> Self {
        let here = replica_at(world, database, 64, clock).await;
        Self::begin(here, world.nats().url()).await
    }

    /// Publishes what the replica commits to the broker at this address.
    pub(super) async fn begin(here: Replica, broker: String) -> Self {
        let config = BusConfig::new("product", broker);
        let bus = Bus::connect(config, Clock::system()).await.unwrap();
        let (stop, tasks) = (CancellationToken::new(), TaskTracker::new());
        bus.declare(&[], "1").await.unwrap();
        let relay = here.store.relay(bus.clone()).unwrap();
        tasks.spawn(relay.run(stop.clone()));
        Self { here, bus, stop, tasks }
    }

    pub(super) async fn put(&self, sku: &str, available: u32) {
        put(&self.here.store, sku, available).await;
    }

    /// Waits until nothing is left to be told, sweeping as the frame does.
    pub(super) async fn until_told(&self) {
        eventually("everything is told", SOON, async || {
            self.here.store.sweep(&self.bus).await.unwrap();
            (self.here.store.untold().await.unwrap() == 0).then_some(())
        })
        .await;
    }

    pub(super) async fn stop(self) {
        self.stop.cancel();
        self.tasks.close();
        self.tasks.wait().await;
    }
}

async fn put(store: &Store, sku: &str, available: u32) {
    let it = Shelf { sku: sku.parse().unwrap(), available };
    let scope = One::<Shelf>(it.sku.clone());
    let decide = move |_, _| {
        let state = it.state();
        Ok::<_, Infallible>(Change::to(it.clone()).telling(&state))
    };
    store.apply(scope, Receipt::none(cause()), decide).await.unwrap();
}

/// Makes all facts since then unpublished; returns how many.
async fn replayed(store: &Store, since: contracts::Timestamp) -> u64 {
    let mut replay = store.replay_facts(since).await.unwrap();
    let mut facts = 0;
    loop {
        match replay.next_page(store).await.unwrap() {
            0 => return facts,
            page => facts += page,
        }
    }
}

async fn messages(world: &World, stream: &str) -> Vec<Envelope> {
    let client = async_nats::connect(world.nats().url()).await.unwrap();
    let stream = async_nats::jetstream::new(client).get_stream(stream).await.unwrap();
    let state = stream.cached_info().state.clone();
    let mut told = Vec::new();
    for sequence in state.first_sequence..=state.last_sequence {
        if let Ok(message) = stream.get_raw_message(sequence).await {
            told.push(Envelope::parse(&message.payload).unwrap());
        }
    }
    told
}

#[tokio::test]
async fn facts_of_an_aggregate_are_told_once_each_and_in_order() {
    let world = World::start().await;
    let telling = Telling::start(&world, &world.database("relay")).await;
    let (a, b) = (fresh(), fresh());

    let asked = (0..100).map(|n| {
        let receipt = keyed(&format!("k{n}"));
        telling.here.ring(if n % 2 == 0 { a } else { b }, receipt)
    });
    join_all(asked).await;
    telling.until_told().await;
    telling.stop().await;

    let told = messages(&world, "ORDER").await;
    for id in [a, b] {
        let of_it = told.iter().filter(|told| told.subject == id.to_string());
        let sequences: Vec<_> = of_it.map(Envelope::sequence).collect();
        assert_eq!(sequences, (1..=50).collect::<Vec<_>>());
    }
}

#[tokio::test]
async fn what_is_changed_aside_waits_for_company_and_is_told_like_the_rest() {
    let world = World::start().await;
    let database = world.database("relay");
    let telling = Telling::start(&world, &database).await;
    let aside = telling.here.store.aside(Duration::from_millis(200));

    let later = async {
        for _ in 0..20 {
            tokio::task::yield_now().await;
        }
        put(&aside, "CAP", 2).await;
    };
    tokio::join!(put(&aside, "CAP", 1), later);
    telling.until_told().await;
    telling.stop().await;

    // Of state, a commit tells the newest only: one message, so it was one commit.
    let told = messages(&world, "PRODUCT_STATE").await;
    assert_eq!(told.len(), 1);
    assert!(told[0].data.get().contains(r#""available":2"#), "{}", told[0].data.get());
    let client = mongodb::Client::with_uri_str(world.mongo_uri()).await.unwrap();
    let outbox = client.database(&database).collection::<mongodb::bson::Document>("outbox");
    assert_eq!(outbox.count_documents(doc! {}).await.unwrap(), 1);
}

#[tokio::test]
async fn what_is_committed_while_the_broker_is_away_is_told_when_it_is_back() {
    let world = World::start().await;
    let telling = Telling::start(&world, &world.database("relay")).await;
    let id = fresh();
    world.nats().kill().await;

    let asked = (0..20).map(|n| telling.here.ring(id, keyed(&format!("k{n}"))));
    let answers = join_all(asked).await;
    assert!(answers.iter().all(Result::is_ok));
    assert_eq!(telling.here.store.untold().await.unwrap(), 20);
    world.nats().restart().await.unwrap();

    telling.until_told().await;
    let sequences: Vec<_> =
        messages(&world, "ORDER").await.iter().map(Envelope::sequence).collect();
    assert_eq!(sequences, (1..=20).collect::<Vec<_>>());
    telling.stop().await;
}

#[tokio::test]
async fn what_a_killed_replica_left_is_told_by_another() {
    let world = World::start().await;
    let database = world.database("relay");
    let dead = replica(&world, &database, 64).await;
    let id = fresh();
    dead.ring(id, keyed("k")).await.unwrap();
    drop(dead);

    let telling = Telling::start(&world, &database).await;
    telling.until_told().await;

    assert_eq!(messages(&world, "ORDER").await.len(), 1);
    telling.stop().await;
}

#[tokio::test]
async fn what_a_killed_replica_left_is_told_although_its_clock_was_ahead() {
    let world = World::start().await;
    let database = world.database("relay");
    let ahead = Clock::manual(Clock::system().now().plus(Duration::from_mins(10)));
    let dead = replica_at(&world, &database, 64, ahead).await;
    dead.ring(fresh(), keyed("k")).await.unwrap();
    drop(dead);

    let telling = Telling::start(&world, &database).await;
    let age = telling.here.store.outbox_age().await.unwrap();
    assert!(age.is_some_and(|age| age > Duration::from_mins(5)), "{age:?}");
    telling.until_told().await;

    assert_eq!(messages(&world, "ORDER").await.len(), 1);
    telling.stop().await;
}

#[tokio::test]
async fn after_the_broker_forgot_facts_and_state_are_told_again() {
    let world = World::start().await;
    let telling = Telling::start(&world, &world.database("relay")).await;
    let id = fresh();
    telling.here.ring(id, keyed("k1")).await.unwrap();
    telling.put("MUG", 5).await;
    telling.put("MUG", 4).await;
    telling.until_told().await;
    let before = messages(&world, "ORDER").await;
    let told = messages(&world, "PRODUCT_STATE").await;

    world.nats().wipe().await.unwrap();
    telling.bus.declare(&[], "1").await.unwrap();
    let store: &Store = &telling.here.store;
    assert_eq!(replayed(store, contracts::Timestamp::from_millis(0).unwrap()).await, 1);
    assert_eq!(store.retell_state::<Shelf>(&telling.bus).await.unwrap(), 1);
    telling.until_told().await;

    let again = messages(&world, "ORDER").await;
    assert_eq!(again[0].id, before[0].id, "a fact keeps its id");
    let state = messages(&world, "PRODUCT_STATE").await;
    assert_eq!(state.len(), 1);
    assert_eq!(state[0].open::<product::Stock>().unwrap().available, 4);
    assert!(state[0].sequence() > told[0].sequence(), "state is told anew");
    telling.stop().await;
}

#[tokio::test]
async fn a_restored_database_tells_state_that_is_newer_than_what_was_told() {
    let world = World::start().await;
    let telling = Telling::start(&world, &world.database("relay")).await;
    for available in (0..5).rev() {
        telling.put("MUG", available).await;
        telling.until_told().await;
    }
    let told = messages(&world, "PRODUCT_STATE").await;
    let shelves = telling.here.store.collection("shelves");
    let backup = doc! { "$set": { "told": 1_i64, "available": 9 } };
    shelves.update_one(doc! { "_id": "MUG" }, backup).await.unwrap();

    telling.here.store.retell_state::<Shelf>(&telling.bus).await.unwrap();
    telling.until_told().await;

    let state = messages(&world, "PRODUCT_STATE").await;
    assert_eq!(state[0].open::<product::Stock>().unwrap().available, 9);
    assert!(state[0].sequence() > told[0].sequence());
    telling.stop().await;
}

#[tokio::test]
async fn a_thing_that_is_made_anew_is_newer_than_all_that_was_told_of_it() {
    let world = World::start().await;
    let first = Telling::start(&world, &world.database("relay")).await;
    for available in 0..9 {
        first.put("MUG", available).await;
        first.until_told().await;
    }
    first.stop().await;

    let wiped = Telling::start(&world, &world.database("relay")).await;
    wiped.put("MUG", 77).await;
    wiped.until_told().await;

    let state = messages(&world, "PRODUCT_STATE").await;
    assert_eq!(state[0].open::<product::Stock>().unwrap().available, 77);
    wiped.stop().await;
}

#[tokio::test]
async fn what_was_committed_long_before_it_was_told_is_told_again_too() {
    let world = World::start().await;
    let clock = Clock::manual(Clock::system().now());
    let telling = Telling::start_at(&world, &world.database("relay"), clock.clone()).await;
    world.nats().kill().await;
    telling.here.ring(fresh(), keyed("k1")).await.unwrap();
    clock.advance(Duration::from_hours(3));
    world.nats().restart().await.unwrap();
    telling.until_told().await;

    world.nats().wipe().await.unwrap();
    telling.bus.declare(&[], "1").await.unwrap();
    let lately = clock.now().minus(Duration::from_mins(15));
    let again = replayed(&telling.here.store, lately).await;
    clock.advance(Duration::from_secs(5));
    telling.until_told().await;

    assert_eq!(again, 1);
    assert_eq!(messages(&world, "ORDER").await.len(), 1);
    telling.stop().await;
}
