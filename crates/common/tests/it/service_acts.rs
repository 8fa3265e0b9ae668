//! What a service does when it is started for one thing only.

use std::time::Duration;

use common::config::{Act, Replay, ServiceConfig};
use testkit::{World, eventually};

use crate::shelf::{Shelves, durables, messages};

const SOON: Duration = Duration::from_secs(10);

fn config(world: &World) -> ServiceConfig {
    ServiceConfig::for_tests(world.mongo_uri(), &world.database("order"), &world.nats().url())
}

/// A service that told of three parcels and two shelves, and ended.
async fn past(world: &World, config: &ServiceConfig) {
    let (service, shelves) = Shelves::start(config).await;
    let running = service.run_in_background().await.unwrap();
    for _ in 0..3 {
        shelves.deliver().await;
    }
    shelves.fill("MUG-BLUE").await;
    shelves.fill("MUG-RED").await;
    eventually("all is told", SOON, async || {
        let told = (messages(world, "ORDER").await, messages(world, "PRODUCT_STATE").await);
        (told == (Some(3), Some(2))).then_some(())
    })
    .await;
    running.stop().await.unwrap();
}

async fn replay(config: &ServiceConfig, replay: Replay) {
    let config = ServiceConfig { act: Some(Act::Replay(replay)), ..config.clone() };
    let (service, _) = Shelves::start(&config).await;
    service.run().await.unwrap();
}

#[tokio::test]
async fn a_service_that_declares_does_nothing_else() {
    let world = World::start().await;
    let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let taken = listener.local_addr().unwrap();
    let config = ServiceConfig { declare: true, ops: taken, http: taken, ..config(&world) };

    let (service, _) = Shelves::start(&config).await;
    service.run().await.unwrap();

    assert_eq!(durables(&world, "ORDER").await, ["order-saga"]);
    assert_eq!(messages(&world, "DEAD").await, Some(0));
}

#[tokio::test]
async fn facts_that_the_broker_lost_are_told_again() {
    let world = World::start().await;
    let config = config(&world);
    past(&world, &config).await;
    world.nats().wipe().await.unwrap();
    assert_eq!(messages(&world, "ORDER").await, None);

    replay(&config, Replay { since: Some(Duration::from_hours(1)), state: false }).await;

    assert_eq!(messages(&world, "ORDER").await, Some(3));
    assert_eq!(messages(&world, "PRODUCT_STATE").await, Some(0));
}

#[tokio::test]
async fn states_that_the_broker_lost_are_told_again() {
    let world = World::start().await;
    let config = config(&world);
    past(&world, &config).await;
    world.nats().wipe().await.unwrap();

    replay(&config, Replay { since: None, state: true }).await;

    assert_eq!(messages(&world, "PRODUCT_STATE").await, Some(2));
    assert_eq!(messages(&world, "ORDER").await, Some(0));
}
