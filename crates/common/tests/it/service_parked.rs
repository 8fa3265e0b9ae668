//! Parked events are handled anew without a person.

use std::future::{Ready, ready};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU32, Ordering};
use std::time::Duration;

use common::bus::{Fact, Handled, Trouble, Work};
use common::config::ServiceConfig;
use common::{Running, Service};
use contracts::order;
use testkit::{World, eventually};

use crate::shelf::{Shelves, messages};

const SOON: Duration = Duration::from_mins(1);

/// Handles deliveries once it is mended.
#[derive(Clone, Default)]
struct Broken {
    mended: Arc<AtomicBool>,
    handled: Arc<AtomicU32>,
}

impl Broken {
    fn delivered(self, _: Fact<order::Delivered>) -> Ready<Handled> {
        if !self.mended.load(Ordering::SeqCst) {
            return ready(Err(Trouble::Retry("it is broken".to_owned())));
        }
        self.handled.fetch_add(1, Ordering::SeqCst);
        ready(Ok(()))
    }
}

async fn dead(world: &World, count: u64) {
    eventually("so many dead letters", SOON, async || {
        (messages(world, "DEAD").await == Some(count)).then_some(())
    })
    .await;
}

async fn consuming(config: &ServiceConfig, broken: &Broken) -> Running {
    let service = Service::start("cart", config).await.unwrap();
    let work = Work::new("saga", broken.clone()).on(Broken::delivered);
    service.consume(work).run_in_background().await.unwrap()
}

#[tokio::test]
async fn parked_event_is_handled_once_mended() {
    let world = World::start().await;
    let orders =
        ServiceConfig::for_tests(world.mongo_uri(), &world.database("order"), &world.nats().url());
    let (service, shelves) = Shelves::start(&orders).await;
    let order = service.run_in_background().await.unwrap();
    let config = ServiceConfig {
        redrive_pause: Duration::from_millis(50),
        ..ServiceConfig::for_tests(world.mongo_uri(), &world.database("cart"), &world.nats().url())
    };
    let broken = Broken::default();
    let cart = consuming(&config, &broken).await;

    shelves.deliver().await;
    dead(&world, 1).await;
    broken.mended.store(true, Ordering::SeqCst);

    dead(&world, 0).await;
    assert_eq!(broken.handled.load(Ordering::SeqCst), 1);
    cart.stop().await.unwrap();
    order.stop().await.unwrap();
}

#[tokio::test]
async fn rejected_event_is_left_to_a_person() {
    let world = World::start().await;
    let orders =
        ServiceConfig::for_tests(world.mongo_uri(), &world.database("order"), &world.nats().url());
    let gate = tokio::sync::Semaphore::new(0);
    gate.close();
    let config = ServiceConfig { redrive_pause: Duration::from_millis(50), ..orders };
    let (service, shelves) = Shelves::start_behind(&config, Arc::new(gate)).await;
    let order = service.run_in_background().await.unwrap();

    shelves.deliver().await;
    dead(&world, 1).await;
    let parked = Broken::default();
    let config = ServiceConfig {
        redrive_pause: Duration::from_millis(50),
        ..ServiceConfig::for_tests(world.mongo_uri(), &world.database("cart"), &world.nats().url())
    };
    let cart = consuming(&config, &parked).await;
    // The other's is parked, and handled again and again meanwhile.
    dead(&world, 2).await;
    parked.mended.store(true, Ordering::SeqCst);
    dead(&world, 1).await;

    assert_eq!(shelves.begun(), 1);
    cart.stop().await.unwrap();
    order.stop().await.unwrap();
}
