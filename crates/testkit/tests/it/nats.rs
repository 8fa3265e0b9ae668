//! The nats-server.

use std::time::Duration;

use async_nats::jetstream::{self, Context, stream};
use testkit::{World, eventually};

async fn jetstream(world: &World) -> Context {
    jetstream::new(async_nats::connect(world.nats().url()).await.unwrap())
}

async fn tell_one(jetstream: &Context) {
    let facts = stream::Config {
        name: "FACTS".into(),
        subjects: vec!["facts.>".into()],
        ..stream::Config::default()
    };
    jetstream.create_stream(facts).await.unwrap();
    jetstream.publish("facts.one", "1".into()).await.unwrap().await.unwrap();
}

/// How many messages the stream holds; `None` while the server is away or has no such stream.
async fn kept(jetstream: &Context) -> Option<u64> {
    Some(jetstream.get_stream("FACTS").await.ok()?.cached_info().state.messages)
}

#[tokio::test]
async fn an_acknowledged_message_outlives_a_kill() {
    let world = World::start().await;
    let jetstream = jetstream(&world).await;
    tell_one(&jetstream).await;

    world.nats().kill().await;
    world.nats().restart().await.unwrap();

    let bound = Duration::from_secs(20);
    let messages = eventually("the client is back", bound, async || kept(&jetstream).await).await;
    assert_eq!(messages, 1);
}

#[tokio::test]
async fn a_wiped_server_comes_back_empty() {
    let world = World::start().await;
    tell_one(&jetstream(&world).await).await;

    world.nats().wipe().await.unwrap();

    let jetstream = jetstream(&world).await;
    assert_eq!(jetstream.query_account().await.unwrap().streams, 0);
}

#[tokio::test]
async fn every_world_has_a_server_of_its_own() {
    let (one, other) = tokio::join!(World::start(), World::start());
    tell_one(&jetstream(&one).await).await;

    assert_eq!(kept(&jetstream(&other).await).await, None);
}
