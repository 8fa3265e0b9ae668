//! How streams and durables come to be.

use common::Clock;
use common::bus::{Bus, BusConfig, DeclareError, Subscription, Work};
use futures_util::StreamExt as _;
use futures_util::future::join_all;
use testkit::eventually;
use tokio::time::timeout;

use super::stage::{Ear, SOON, Stage, letter, shipped, tell};

fn work(ear: &Ear) -> Work<Ear> {
    Work::new("saga", ear.clone()).on(Ear::shipped)
}

#[tokio::test]
async fn all_services_may_declare_at_once() {
    let stage = Stage::start().await;
    let services = ["auth", "product", "cart", "order", "payment"];

    join_all(services.iter().map(|service| stage.bus(service))).await;

    let jetstream = stage.jetstream().await;
    for stream in ["AUTH", "AUTH_STATE", "PRODUCT_STATE", "ORDER", "DEAD", "OPS"] {
        assert!(jetstream.get_stream(stream).await.is_ok(), "{stream}");
    }
    let copied = jetstream.get_stream("PRODUCT_STATE").await.unwrap();
    assert_eq!(copied.cached_info().config.max_messages_per_subject, 1);
    assert!(copied.cached_info().config.allow_direct);
}

#[tokio::test]
async fn a_service_without_the_right_waits_until_all_is_declared() {
    let stage = Stage::start().await;
    let ear = Ear::new();
    let mut config = stage.config("cart");
    config.declare = false;
    let cart = stage.replica(config, "g1", vec![work(&ear).into()]).await;
    let refused = cart.bus.declare(&[], "g1").await;
    assert!(matches!(refused, Err(DeclareError::Missing { .. })), "{refused:?}");
    assert!(stage.durable("ORDER", "cart-saga").await.is_none());

    let declaring = Bus::connect(stage.config("cart"), Clock::system()).await.unwrap();
    let subscriptions: [Subscription; 1] = [work(&ear).into()];
    declaring.declare(&subscriptions, "g1").await.unwrap();
    tell(&stage.bus("order").await, &shipped(1, "a"), 1).await;

    ear.heard_times("a", 1).await;
}

#[tokio::test]
async fn a_service_whose_database_was_put_back_hears_again_what_was_told_since() {
    let (stage, ear) = (Stage::start().await, Ear::new());
    let order = stage.bus("order").await;
    tell(&order, &shipped(1, "before"), 1).await;
    let cart = stage.cart(work(&ear)).await;
    ear.heard_times("before", 1).await;
    let since = Clock::system().now();
    tell(&order, &shipped(1, "after"), 2).await;
    ear.heard_times("after", 1).await;
    drop(cart);

    let subscriptions: [Subscription; 1] = [work(&ear).into()];
    stage.bus("cart").await.hear_again(&subscriptions, since).await.unwrap();
    let _cart = stage.cart(work(&ear)).await;

    ear.heard_times("after", 2).await;
}

#[tokio::test]
async fn what_is_as_it_has_to_be_is_not_written_again() {
    let stage = Stage::start().await;
    stage.bus("order").await;
    let watching = async_nats::connect(stage.nats.url()).await.unwrap();
    let mut updated = watching.subscribe("$JS.EVENT.ADVISORY.STREAM.UPDATED.>").await.unwrap();
    watching.flush().await.unwrap();

    stage.bus("cart").await;
    let jetstream = stage.jetstream().await;
    let mut last = jetstream.get_stream("ORDER").await.unwrap().cached_info().config.clone();
    last.description = Some("the mark".to_owned());
    jetstream.update_stream(last).await.unwrap();

    let first = timeout(SOON, updated.next()).await.unwrap().unwrap();
    let orders = first.subject.ends_with("ORDER");
    assert!(orders, "{}", first.subject);
}

#[tokio::test]
async fn what_is_declared_again_stays_as_it_is() {
    let stage = Stage::start().await;
    let bus = stage.bus("order").await;
    tell(&bus, &shipped(1, "a"), 1).await;
    let before = stage.jetstream().await.get_stream("ORDER").await.unwrap();

    stage.bus("cart").await;

    let after = stage.jetstream().await.get_stream("ORDER").await.unwrap();
    assert_eq!(before.cached_info().config, after.cached_info().config);
    assert_eq!(after.cached_info().state.messages, 1);
}

#[tokio::test]
async fn what_leads_elsewhere_is_taken_out_of_a_stream() {
    let stage = Stage::start().await;
    stage.bus("order").await;
    let jetstream = stage.jetstream().await;
    let mut config = jetstream.get_stream("ORDER").await.unwrap().cached_info().config.clone();
    config.republish = Some(async_nats::jetstream::stream::Republish {
        source: "order.>".to_owned(),
        destination: "payment.>".to_owned(),
        headers_only: false,
    });
    jetstream.update_stream(config).await.unwrap();

    stage.bus("cart").await;

    eventually("the stream as it was", SOON, async || {
        let stream = jetstream.get_stream("ORDER").await.ok()?;
        stream.cached_info().config.republish.is_none().then_some(())
    })
    .await;
}

#[tokio::test]
async fn full_dead_letters_stop_no_event() {
    const LARGE: usize = 500_000;
    let stage = Stage::start().await;
    let config = BusConfig { stream_store: Some(64 << 20), ..stage.config("order") };
    let order = Bus::connect(config, Clock::system()).await.unwrap();
    order.declared().await;
    let jetstream = stage.jetstream().await;

    for subject in ["dead.cart.cart-saga.order-shipped-v1", "ops_log.cart.redrive"] {
        for _ in 0..20 {
            let stored = jetstream.publish(subject, "x".repeat(LARGE).into()).await.unwrap();
            stored.await.expect("a full stream lets go of the oldest");
        }
    }

    let mut dead = jetstream.get_stream("DEAD").await.unwrap();
    assert!(dead.info().await.unwrap().state.messages < 20);
    order.publish_fact(&letter(&shipped(1, "a"), 1)).await.unwrap();
}

#[tokio::test]
async fn full_stream_refuses_and_others_go_on() {
    let stage = Stage::start().await;
    let config = BusConfig { stream_store: Some(64 << 20), ..stage.config("order") };
    let bus = Bus::connect(config, Clock::system()).await.unwrap();
    bus.declared().await;
    let jetstream = stage.jetstream().await;

    let filled = eventually("CART is full", SOON, async || {
        let stored = jetstream.publish("cart.checked_out.v1.x", "x".repeat(500_000).into());
        stored.await.unwrap().await.err()
    });

    assert!(filled.await.to_string().contains("publish failed"));
    bus.publish_fact(&letter(&shipped(1, "a"), 1)).await.unwrap();
}
