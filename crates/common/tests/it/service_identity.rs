//! Who is let in, and what a service knows of it when it starts.

use std::time::Duration;

use axum::routing::get;
use common::config::ServiceConfig;
use common::identity::Shopper;
use common::service::Running;
use common::{Clock, Service};
use contracts::UserId;
use contracts::auth::Role;

use testkit::{Client, Peer, World, eventually};
use utoipa_axum::router::OpenApiRouter;

const SOON: Duration = Duration::from_secs(10);

async fn started(config: &ServiceConfig) -> Running {
    let router = OpenApiRouter::new()
        .route("/hello", get(async || "hello"))
        .route("/me", get(async |me: Shopper| me.id.to_string()));
    let service = Service::start("desk", config).await.unwrap();
    service.serve(router, ()).run_in_background().await.unwrap()
}

fn config(world: &World) -> ServiceConfig {
    ServiceConfig::for_tests(world.mongo_uri(), &world.database("desk"), &world.nats().url())
}

fn client(running: &Running) -> Client {
    Client::at(format!("http://{}", running.http))
}

fn alice() -> UserId {
    UserId::from_uuid(Clock::system().uuid())
}

#[tokio::test]
async fn until_keys_are_told_a_token_is_to_come_back_and_all_else_is_served() {
    let world = World::start().await;
    let peer = Peer::join(&world).await;
    let running = started(&config(&world)).await;
    let (client, alice) = (client(&running), alice());
    let token = peer.token(alice, Role::Shopper);

    let early = client.get("/me").bearer(&token).await.status(503);
    assert!(early.header("retry-after").is_some());
    let ops = Client::at(format!("http://{}", running.ops));
    let _ = ops.get("/ready").await.status(503);
    let _ = client.get("/hello").await.ok();
    let _ = client.get("/me").await.status(401);

    peer.tell_keys().await;
    let me = eventually("she is let in", SOON, async || {
        let me = client.get("/me").bearer(&token).await;
        (me.status == 200).then_some(me.text)
    })
    .await;
    assert_eq!(me, alice.to_string());
    let _ = ops.get("/ready").await.ok();
    running.stop().await.unwrap();
}

#[tokio::test]
async fn a_replica_that_starts_late_knows_the_keys_once_it_is_ready() {
    let world = World::start().await;
    let peer = Peer::join(&world).await;
    let config = config(&world);
    let first = started(&config).await;
    peer.tell_keys().await;

    let second = started(&config).await;

    let token = peer.token(alice(), Role::Shopper);
    let _ = client(&second).get("/me").bearer(&token).await.ok();
    first.stop().await.unwrap();
    second.stop().await.unwrap();
}

#[tokio::test]
async fn a_replica_that_starts_while_the_bus_is_away_knows_the_keys() {
    let world = World::start().await;
    let peer = Peer::join(&world).await;
    let config = config(&world);
    let service = Service::start("desk", &config).await.unwrap();
    let kept = service.store().collection("identity_keys");
    let first = service.run_in_background().await.unwrap();
    peer.tell_keys().await;
    eventually("the keys are kept", SOON, async || {
        kept.find_one(mongodb::bson::doc! {}).await.unwrap()
    })
    .await;
    first.stop().await.unwrap();
    world.nats().stop().await;

    let second = started(&config).await;

    let token = peer.token(alice(), Role::Shopper);
    let _ = client(&second).get("/me").bearer(&token).await.ok();
    second.stop().await.unwrap();
}
