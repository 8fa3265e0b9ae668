//! What a service tells and hears while it starts and stops.

use std::sync::Arc;
use std::time::Duration;

use common::config::ServiceConfig;
use contracts::OrderId;
use mongodb::bson::doc;
use testkit::{Client, World, eventually};
use tokio::sync::Semaphore;

use crate::ready::make_ready;
use crate::shelf::{Shelves, messages};

const SOON: Duration = Duration::from_secs(10);

fn config(world: &World) -> ServiceConfig {
    ServiceConfig::for_tests(world.mongo_uri(), &world.database("order"), &world.nats().url())
}

async fn heard(shelves: &Shelves, parcel: OrderId) {
    eventually("it is heard", SOON, async || (shelves.heard(parcel).await > 0).then_some(())).await;
}

#[tokio::test]
async fn what_is_committed_is_told_and_heard() {
    let world = World::start().await;
    let (service, shelves) = Shelves::start(&config(&world)).await;
    let running = service.run_in_background().await.unwrap();

    let parcel = shelves.deliver().await;

    heard(&shelves, parcel).await;
    let ops = Client::at(format!("http://{}", running.ops));
    make_ready(&world, &ops).await;
    let health = ops.get("/health").await.ok();
    assert!(health.text.contains("\"order-saga\""), "{}", health.text);
    running.stop().await.unwrap();
}

#[tokio::test]
async fn a_stop_tells_what_was_committed() {
    let world = World::start().await;
    let (service, shelves) = Shelves::start(&config(&world)).await;
    let running = service.run_in_background().await.unwrap();

    futures_util::future::join_all((0..200).map(|_| shelves.deliver())).await;
    running.stop().await.unwrap();

    assert_eq!(messages(&world, "ORDER").await, Some(200));
}

#[tokio::test]
async fn a_stop_finishes_the_event_that_is_being_handled() {
    let (world, gate) = (World::start().await, Arc::new(Semaphore::new(0)));
    let config = config(&world);
    let (service, shelves) = Shelves::start_behind(&config, Arc::clone(&gate)).await;
    let running = service.run_in_background().await.unwrap();
    let ops = Client::at(format!("http://{}", running.ops));
    make_ready(&world, &ops).await;
    let parcel = shelves.deliver().await;
    eventually("it is being handled", SOON, async || (shelves.begun() > 0).then_some(())).await;

    let stopping = async {
        eventually("it stops", SOON, async || {
            (ops.get("/ready").await.status == 503).then_some(())
        })
        .await;
        gate.add_permits(Semaphore::MAX_PERMITS);
    };
    let (stopped, ()) = tokio::join!(running.stop(), stopping);

    stopped.unwrap();
    assert_eq!(shelves.heard(parcel).await, 1);
    let (service, shelves) = Shelves::start(&config).await;
    let running = service.run_in_background().await.unwrap();
    let next = shelves.deliver().await;
    heard(&shelves, next).await;
    assert_eq!(shelves.heard(parcel).await, 1);
    running.stop().await.unwrap();
}

#[tokio::test]
async fn a_service_that_was_there_before_starts_while_the_bus_is_away() {
    let world = World::start().await;
    let config = config(&world);
    let (service, _) = Shelves::start(&config).await;
    let kept = service.store().collection("identity_keys");
    let running = service.run_in_background().await.unwrap();
    make_ready(&world, &Client::at(format!("http://{}", running.ops))).await;
    eventually("the keys are kept", SOON, async || kept.find_one(doc! {}).await.unwrap()).await;
    running.stop().await.unwrap();
    world.nats().stop().await;

    let (service, shelves) = Shelves::start(&config).await;
    let running = service.run_in_background().await.unwrap();
    let ops = Client::at(format!("http://{}", running.ops));
    let _ = ops.get("/ready").await.ok();
    let parcel = shelves.deliver().await;

    world.nats().restart().await.unwrap();
    heard(&shelves, parcel).await;
    running.stop().await.unwrap();
}
