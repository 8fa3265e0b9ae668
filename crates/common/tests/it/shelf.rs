//! A small service for tests: shelves that are filled, and the boxes that come from elsewhere.

use std::convert::Infallible;
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};

use common::bus::{Fact, Handled, Trouble, Work};
use common::config::ServiceConfig;
use common::store::{Cause, One, Receipt, Retold, Store};
use common::{Change, Clock, Document, Service};
use contracts::{Event as _, OrderId, order, product};
use serde::{Deserialize, Serialize};
use testkit::World;
use tokio::sync::Semaphore;

/// A parcel that was delivered; that is told as a fact.
#[derive(Clone, Debug, Serialize, Deserialize)]
struct Parcel {
    #[serde(rename = "_id")]
    id: OrderId,
}

/// What is on a shelf; that is told as a state.
#[derive(Clone, Debug, Serialize, Deserialize)]
struct Shelf {
    #[serde(rename = "_id")]
    id: contracts::Sku,
}

/// How often a parcel's delivery was heard.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
struct Heard {
    #[serde(rename = "_id")]
    id: String,
    times: u32,
}

impl Document for Parcel {
    const COLLECTION: &'static str = "parcels";
    type Id = OrderId;

    fn id(&self) -> OrderId {
        self.id
    }
}

impl Document for Shelf {
    const COLLECTION: &'static str = "shelves";
    type Id = contracts::Sku;

    fn id(&self) -> contracts::Sku {
        self.id.clone()
    }
}

impl Document for Heard {
    const COLLECTION: &'static str = "heard";
    type Id = String;

    fn id(&self) -> String {
        self.id.clone()
    }
}

impl Retold for Shelf {
    type State = product::Stock;

    fn state(&self) -> product::Stock {
        product::Stock { sku: self.id.clone(), ..product::Stock::sample() }
    }
}

/// What the service keeps, and whether its handlers may go on.
#[derive(Clone)]
pub(crate) struct Shelves {
    store: Store,
    gate: Arc<Semaphore>,
    begun: Arc<AtomicU32>,
}

impl Shelves {
    /// A service that is wired and does not run yet, whose handlers go on at once.
    pub(crate) async fn start(config: &ServiceConfig) -> (Service, Self) {
        Self::start_behind(config, Arc::new(Semaphore::new(Semaphore::MAX_PERMITS))).await
    }

    /// The same, with handlers that wait before this gate.
    pub(crate) async fn start_behind(
        config: &ServiceConfig,
        gate: Arc<Semaphore>,
    ) -> (Service, Self) {
        let service = Service::start("order", config).await.unwrap();
        let shelves = Self { store: service.store(), gate, begun: Arc::default() };
        shelves.store.collection_of::<Parcel>().await.unwrap();
        shelves.store.collection_of::<Shelf>().await.unwrap();
        shelves.store.collection_of::<Heard>().await.unwrap();
        let hear = Work::new("saga", shelves.clone()).on(Self::delivered);
        (service.consume(hear).retells::<Shelf>(), shelves)
    }

    async fn delivered(self, fact: Fact<order::Delivered>) -> Handled {
        self.begun.fetch_add(1, Ordering::SeqCst);
        let Ok(_go_on) = self.gate.acquire().await else {
            return Err(Trouble::Reject("the gate is shut".into()));
        };
        let id = fact.event.order_id.to_string();
        let decide = move |heard: Option<Heard>, _| {
            let times = heard.map_or(0, |heard| heard.times) + 1;
            Ok::<_, Infallible>(Change::to(Heard { id: id.clone(), times }))
        };
        // Without a receipt: a second hearing would be seen.
        let scope = One::<Heard>(fact.event.order_id.to_string());
        self.store.apply(scope, Receipt::none(cause()), decide).await?;
        Ok(())
    }

    /// Delivers a parcel, and tells it.
    pub(crate) async fn deliver(&self) -> OrderId {
        let id = OrderId::from_uuid(Clock::system().uuid());
        let decide = move |_, _| {
            let told = order::Delivered { order_id: id };
            Ok::<_, Infallible>(Change::to(Parcel { id }).telling(&told))
        };
        self.store.apply(One::<Parcel>(id), Receipt::none(cause()), decide).await.unwrap();
        id
    }

    /// Fills a shelf, and tells what is on it.
    pub(crate) async fn fill(&self, name: &str) {
        let filled = Shelf { id: name.parse().unwrap() };
        let scope = One::<Shelf>(filled.id());
        let decide =
            move |_, _| Ok::<_, Infallible>(Change::to(filled.clone()).telling(&filled.state()));
        self.store.apply(scope, Receipt::none(cause()), decide).await.unwrap();
    }

    /// How many handlers were begun.
    pub(crate) fn begun(&self) -> u32 {
        self.begun.load(Ordering::SeqCst)
    }

    /// How often the delivery of a parcel was heard.
    pub(crate) async fn heard(&self, parcel: OrderId) -> u32 {
        let heard = self.store.get::<Heard>(&parcel.to_string()).await.unwrap();
        heard.map_or(0, |heard| heard.times)
    }
}

/// How many messages a stream of this world holds; none when there is no such stream.
pub(crate) async fn messages(world: &World, stream: &str) -> Option<u64> {
    let client = async_nats::connect(world.nats().url()).await.unwrap();
    let jetstream = async_nats::jetstream::new(client);
    let stream = jetstream.get_stream(stream).await.ok()?;
    Some(stream.cached_info().state.messages)
}

/// The durables of a stream of this world.
pub(crate) async fn durables(world: &World, stream: &str) -> Vec<String> {
    use futures_util::TryStreamExt as _;

    let client = async_nats::connect(world.nats().url()).await.unwrap();
    let jetstream = async_nats::jetstream::new(client);
    let stream = jetstream.get_stream(stream).await.unwrap();
    stream.consumer_names().try_collect().await.unwrap()
}

fn cause() -> Cause {
    Cause::own("test", &Clock::system())
}
