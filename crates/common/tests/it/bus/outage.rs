//! A server that goes away, comes back, or comes back with nothing.

use common::Clock;
use common::bus::{Bus, Trouble, Work};
use testkit::eventually;
use testkit::process::Signal;

use super::stage::{Ear, SOON, Stage, shipped, tell};

#[tokio::test]
async fn a_restart_of_the_server_loses_nothing() {
    let stage = Stage::start().await;
    let ear = Ear::new();
    let _cart = stage.cart(Work::new("saga", ear.clone()).on(Ear::shipped)).await;
    let bus = stage.bus("order").await;

    for number in 0..50 {
        tell(&bus, &shipped(number, &format!("{number}")), 1).await;
    }
    stage.nats.kill().await;
    stage.nats.restart().await.unwrap();
    for number in 50..100 {
        tell(&bus, &shipped(number, &format!("{number}")), 1).await;
    }

    ear.heard_all((0..100).map(|number| number.to_string())).await;
    stage.settled("ORDER", "cart-saga").await;
}

#[tokio::test]
async fn on_a_server_that_lost_everything_all_is_declared_again() {
    let stage = Stage::start().await;
    let ear = Ear::new();
    let _cart = stage.cart(Work::new("saga", ear.clone()).on(Ear::shipped)).await;
    let bus = stage.bus("order").await;
    tell(&bus, &shipped(1, "before"), 1).await;
    ear.heard_times("before", 1).await;

    stage.nats.wipe().await.unwrap();
    tell(&bus, &shipped(1, "after"), 2).await;

    ear.heard_times("after", 1).await;
    stage.settled("ORDER", "cart-saga").await;
    assert_eq!(ear.heard(), ["before", "after"]);
}

#[tokio::test]
async fn a_service_may_start_before_the_server() {
    let stage = Stage::start().await;
    stage.nats.kill().await;
    let ear = Ear::new();
    let cart = stage.cart(Work::new("saga", ear.clone()).on(Ear::shipped)).await;
    assert!(!cart.bus.is_connected());

    stage.nats.restart().await.unwrap();
    cart.bus.connected().await;
    tell(&stage.bus("order").await, &shipped(1, "a"), 1).await;

    ear.heard_times("a", 1).await;
}

#[tokio::test]
async fn a_durable_that_was_deleted_is_made_again() {
    let stage = Stage::start().await;
    let ear = Ear::new();
    let _cart = stage.cart(Work::new("saga", ear.clone()).on(Ear::shipped)).await;
    let bus = stage.bus("order").await;
    stage.settled("ORDER", "cart-saga").await;

    let jetstream = stage.jetstream().await;
    jetstream.delete_consumer_from_stream("cart-saga", "ORDER").await.unwrap();
    tell(&bus, &shipped(1, "a"), 1).await;

    ear.heard_times("a", 1).await;
}

#[tokio::test]
async fn a_stream_that_was_deleted_is_made_again() {
    let stage = Stage::start().await;
    let ear = Ear::new();
    let _cart = stage.cart(Work::new("saga", ear.clone()).on(Ear::shipped)).await;
    let bus = stage.bus("order").await;
    stage.settled("ORDER", "cart-saga").await;

    stage.jetstream().await.delete_stream("ORDER").await.unwrap();
    tell(&bus, &shipped(1, "a"), 1).await;

    ear.heard_times("a", 1).await;
}

#[tokio::test]
async fn a_dead_letter_waits_for_its_stream() {
    let stage = Stage::start().await;
    let ear = Ear::answering(|_, _| Err(Trouble::Reject("bad".to_owned())));
    let _cart = stage.cart(Work::new("saga", ear.clone()).on(Ear::shipped)).await;
    let bus = stage.bus("order").await;
    stage.settled("ORDER", "cart-saga").await;

    stage.jetstream().await.delete_stream("DEAD").await.unwrap();
    tell(&bus, &shipped(1, "a"), 1).await;

    assert_eq!(stage.messages("DEAD", 1).await.len(), 1);
    stage.settled("ORDER", "cart-saga").await;
}

#[tokio::test]
async fn a_server_that_froze_is_noticed() {
    let stage = Stage::start().await;
    let ear = Ear::new();
    let cart = stage.cart(Work::new("saga", ear.clone()).on(Ear::shipped)).await;
    let bus = stage.bus("order").await;
    tell(&bus, &shipped(1, "before"), 1).await;
    ear.heard_times("before", 1).await;
    let hears = || cart.consumers.health()[0].connected;

    stage.nats.process().signal(Signal::STOP);
    eventually("the silence noticed", SOON, async || (!hears()).then_some(())).await;
    stage.nats.process().signal(Signal::CONT);
    eventually("heard again", SOON, async || hears().then_some(())).await;
    tell(&bus, &shipped(1, "after"), 2).await;

    ear.heard_times("after", 1).await;
}

#[tokio::test]
async fn an_address_that_is_none_is_refused() {
    let stage = Stage::start().await;
    let mut config = stage.config("cart");
    config.url = "http://example".to_owned();

    let connected = Bus::connect(config, Clock::system()).await;

    let error = connected.unwrap_err().to_string();
    assert!(error.starts_with("http://example is not the address of a NATS server"), "{error}");
}
