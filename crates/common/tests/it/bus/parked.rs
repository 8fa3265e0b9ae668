//! Events that cannot be handled yet rest, and are parked, without stalling the others.

use std::time::Duration;

use async_nats::jetstream::AckKind;
use async_nats::jetstream::consumer::{AckPolicy, PullConsumer, pull};
use common::Clock;
use common::bus::{Backoff, Bus, BusConfig, Patience, Subscription, Trouble, Work};
use futures_util::StreamExt as _;
use testkit::eventually;

use super::stage::{Ear, SOON, Stage, shipped, tell};

/// Longer than any test takes.
const HOURS: Backoff = Backoff::new(Duration::from_hours(3), Duration::from_hours(3));

fn work(ear: &Ear) -> Work<Ear> {
    Work::new("saga", ear.clone()).on(Ear::shipped)
}

/// Fails or waits by what is told.
fn troubled() -> Ear {
    Ear::answering(|what, _| match what.split(' ').next() {
        Some("fails") => Err(Trouble::Retry("it fails".to_owned())),
        Some("waits") => Err(Trouble::Wait("for another".to_owned())),
        _ => Ok(()),
    })
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn resting_events_do_not_stall_the_durable() {
    let stage = Stage::start().await;
    let usual = stage.config("cart");
    let patience = Patience { retry: HOURS, wait: HOURS, ..usual.patience };
    let ear = troubled();
    let config = BusConfig { patience, ..usual };
    let _cart = stage.replica(config, "g1", vec![work(&ear).into()]).await;
    let order = stage.bus("order").await;
    for number in 0..300 {
        tell(&order, &shipped(number, &format!("fails {number}")), 1).await;
        tell(&order, &shipped(1_000 + number, &format!("waits {number}")), 1).await;
    }
    ear.heard_all((0..300).flat_map(|n| [format!("fails {n}"), format!("waits {n}")])).await;

    tell(&order, &shipped(9_999, "healthy"), 1).await;

    // Resting takes hours: nothing but a durable that is not stalled brings it.
    ear.heard_times("healthy", 1).await;
    assert!(stage.messages("DEAD", 0).await.is_empty());
}

#[tokio::test]
async fn existing_durable_is_raised_at_start() {
    let stage = Stage::start().await;
    stage.bus("cart").await;
    let jetstream = stage.jetstream().await;
    let old = pull::Config {
        durable_name: Some("cart-saga".to_owned()),
        filter_subjects: vec!["order.shipped.v1.*".to_owned(), "order.paid.v1.*".to_owned()],
        ack_policy: AckPolicy::Explicit,
        max_ack_pending: 256,
        max_deliver: -1,
        ..pull::Config::default()
    };
    jetstream.create_consumer_on_stream(old, "ORDER").await.unwrap();
    let before = stage.durable("ORDER", "cart-saga").await.unwrap().cached_info().config.clone();

    let declaring = Bus::connect(stage.config("cart"), Clock::system()).await.unwrap();
    let subscriptions: [Subscription; 1] = [work(&Ear::new()).into()];
    declaring.declare(&subscriptions, "g1").await.unwrap();

    let after = stage.durable("ORDER", "cart-saga").await.unwrap().cached_info().config.clone();
    assert_eq!(after.max_ack_pending, 20_000);
    assert_eq!(after.filter_subjects, before.filter_subjects);
    assert_eq!(after.deliver_policy, before.deliver_policy);
}

#[tokio::test]
async fn event_that_waits_too_long_is_parked() {
    let stage = Stage::start().await;
    let mut config = stage.config("cart");
    config.patience.waits = 5;
    let ear = troubled();
    let _cart = stage.replica(config, "g1", vec![work(&ear).into()]).await;

    tell(&stage.bus("order").await, &shipped(1, "waits"), 1).await;

    let letters = stage.messages("DEAD", 1).await;
    let header = |name: &str| letters[0].headers.get(name).map(ToString::to_string);
    assert_eq!(header("Souk-Redrive").as_deref(), Some("automatic"));
    assert_eq!(header("Souk-Reason").as_deref(), Some("for another"));
    stage.settled("ORDER", "cart-saga").await;
    assert_eq!(ear.heard().len(), 5);
}

#[tokio::test]
async fn event_without_outcome_is_parked_unhandled() {
    let stage = Stage::start().await;
    let mut config = stage.config("cart");
    config.patience.deliveries = 3;
    let ear = Ear::new();
    let declaring = Bus::connect(config.clone(), Clock::system()).await.unwrap();
    let subscriptions: [Subscription; 1] = [work(&ear).into()];
    declaring.declare(&subscriptions, "g1").await.unwrap();
    let order = stage.bus("order").await;
    tell(&order, &shipped(1, "deadly"), 1).await;
    // As by processes that ended over it, which left no word of it.
    let durable: PullConsumer = stage.durable("ORDER", "cart-saga").await.unwrap();
    for _ in 0..4 {
        let mut messages = durable.messages().await.unwrap();
        let message = messages.next().await.unwrap().unwrap();
        message.ack_with(AckKind::Nak(None)).await.unwrap();
    }

    let _cart = stage.replica(config, "g1", vec![work(&ear).into()]).await;
    tell(&order, &shipped(2, "healthy"), 1).await;

    ear.heard_times("healthy", 1).await;
    let letters = stage.messages("DEAD", 1).await;
    let reason = letters[0].headers.get("Souk-Reason").unwrap().to_string();
    assert!(reason.contains("times without an outcome"), "{reason}");
    assert_eq!(ear.heard(), ["healthy"]);
    eventually("all settled", SOON, async || {
        let consumer = stage.durable("ORDER", "cart-saga").await?;
        (consumer.cached_info().num_ack_pending == 0).then_some(())
    })
    .await;
}
