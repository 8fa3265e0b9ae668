//! What a service does when it is started for one thing only.

use std::sync::Arc;
use std::time::Duration;

use common::Clock;
use common::bus::RedriveError;
use common::config::{Act, Redrive, Replay, ServiceConfig};
use common::service::RunError;
use contracts::{EventId, OrderId};
use testkit::{World, eventually};
use tokio::sync::Semaphore;

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

/// A service that gave up what it heard, as its gate was shut, and ended.
async fn gave_up(world: &World, config: &ServiceConfig) -> OrderId {
    let (service, shelves) = Shelves::start_behind(config, shut()).await;
    let running = service.run_in_background().await.unwrap();
    let parcel = shelves.deliver().await;
    letters_rest(world, 1).await;
    running.stop().await.unwrap();
    parcel
}

fn shut() -> Arc<Semaphore> {
    let gate = Semaphore::new(0);
    gate.close();
    Arc::new(gate)
}

async fn letters_rest(world: &World, count: u64) {
    eventually("so many dead letters", SOON, async || {
        (messages(world, "DEAD").await == Some(count)).then_some(())
    })
    .await;
}

/// Redrives, with handlers that wait before this gate.
async fn redrive_behind(
    config: &ServiceConfig,
    gate: Arc<Semaphore>,
    redrive: Redrive,
) -> (Result<(), RunError>, Shelves) {
    let config = ServiceConfig { act: Some(Act::Redrive(redrive)), ..config.clone() };
    let (service, shelves) = Shelves::start_behind(&config, gate).await;
    (service.run().await, shelves)
}

async fn redrive(config: &ServiceConfig, redrive: Redrive) -> (Result<(), RunError>, Shelves) {
    redrive_behind(config, Arc::new(Semaphore::new(1)), redrive).await
}

fn all() -> Redrive {
    Redrive { all: true, ..Redrive::default() }
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

#[tokio::test]
async fn what_was_given_up_is_handled_once_when_its_cause_is_gone() {
    let world = World::start().await;
    let config = config(&world);
    let parcel = gave_up(&world, &config).await;
    let (service, _) = Shelves::start(&config).await;
    let running = service.run_in_background().await.unwrap();

    let (listed, shelves) = redrive(&config, Redrive::default()).await;
    listed.unwrap();
    assert_eq!(shelves.heard(parcel).await, 0);
    for _ in 0..2 {
        let (handled, shelves) = redrive(&config, all()).await;
        handled.unwrap();
        assert_eq!(shelves.heard(parcel).await, 1);
    }

    letters_rest(&world, 0).await;
    running.stop().await.unwrap();
}

#[tokio::test]
async fn what_fails_again_stays_among_the_dead_letters() {
    let world = World::start().await;
    let config = config(&world);
    gave_up(&world, &config).await;

    let (failed, _) = redrive_behind(&config, shut(), all()).await;

    assert!(matches!(failed, Err(RunError::Redrive(RedriveError::StillDead(1)))), "{failed:?}");
    letters_rest(&world, 1).await;
}

#[tokio::test]
async fn what_is_not_dead_is_not_redriven() {
    let world = World::start().await;
    let config = config(&world);
    let parcel = gave_up(&world, &config).await;
    let other = EventId::from_uuid(Clock::system().uuid());

    let (refused, shelves) =
        redrive(&config, Redrive { id: Some(other), ..Redrive::default() }).await;
    let nobody = Some("order-nobody".to_owned());
    let (unknown, _) = redrive(&config, Redrive { consumer: nobody, ..all() }).await;

    assert!(
        matches!(&refused, Err(RunError::Redrive(RedriveError::NotDead(id))) if *id == other),
        "{refused:?}"
    );
    assert!(matches!(unknown, Err(RunError::Redrive(RedriveError::Unknown(_)))), "{unknown:?}");
    assert_eq!(shelves.heard(parcel).await, 0);
    letters_rest(&world, 1).await;
}
