//! What cannot be handled: dead letters, waiting, and outages.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use common::bus::{Fact, Handled, Trouble, Work};
use contracts::order;

use super::stage::{Ear, SOON, Stage, delivered, letter, shipped, tell};

fn header(letter: &async_nats::jetstream::message::StreamMessage, name: &str) -> String {
    letter.headers.get(name).map(ToString::to_string).unwrap_or_default()
}

#[tokio::test]
async fn what_is_rejected_becomes_a_dead_letter() {
    let stage = Stage::start().await;
    let ear = Ear::answering(|_, _| Err(Trouble::Reject("no such\norder".to_owned())));
    let _cart = stage.cart(Work::new("saga", ear.clone()).on(Ear::shipped)).await;

    let row = tell(&stage.bus("order").await, &shipped(1, "a"), 1).await;

    let letters = stage.messages("DEAD", 1).await;
    stage.settled("ORDER", "cart-saga").await;
    assert_eq!(letters[0].subject.as_str(), "dead.cart.cart-saga.order-shipped-v1");
    assert_eq!(letters[0].payload, row.payload);
    assert_eq!(header(&letters[0], "Souk-Reason"), "no such order");
    assert_eq!(header(&letters[0], "Souk-Attempts"), "1");
    assert_eq!(header(&letters[0], "Souk-Consumer"), "cart-saga");
    assert_eq!(header(&letters[0], "Souk-Durable"), "cart-saga");
    assert_eq!(header(&letters[0], "Souk-Stream"), "ORDER");
    assert_eq!(header(&letters[0], "Souk-Stream-Sequence"), "1");
    assert_eq!(header(&letters[0], "Souk-Subject"), row.nats_subject);
    assert_eq!(header(&letters[0], "Souk-Redrive"), "", "a person has to look at it");
    assert!(!header(&letters[0], "Souk-Time").is_empty());
    assert_eq!(ear.heard().len(), 1);
}

#[tokio::test]
async fn what_fails_ten_times_becomes_a_dead_letter() {
    let stage = Stage::start().await;
    let ear = Ear::answering(|_, _| Err(Trouble::Retry("broken".to_owned())));
    let _cart = stage.cart(Work::new("saga", ear.clone()).on(Ear::shipped)).await;

    tell(&stage.bus("order").await, &shipped(1, "a"), 1).await;

    let letters = stage.messages("DEAD", 1).await;
    stage.settled("ORDER", "cart-saga").await;
    assert_eq!(header(&letters[0], "Souk-Reason"), "broken");
    assert_eq!(header(&letters[0], "Souk-Attempts"), "10");
    assert_eq!(header(&letters[0], "Souk-Redrive"), "automatic");
    assert_eq!(ear.heard().len(), 10);
}

#[tokio::test]
async fn what_waits_for_another_event_waits_as_long_as_it_takes() {
    let stage = Stage::start().await;
    let came = Arc::new(AtomicBool::new(false));
    let other = Arc::clone(&came);
    let ear = Ear::answering(move |_, _| {
        let here = other.load(Ordering::SeqCst);
        here.then_some(()).ok_or_else(|| Trouble::Wait("for the other".to_owned()))
    });
    let _cart = stage.cart(Work::new("saga", ear.clone()).on(Ear::shipped)).await;

    tell(&stage.bus("order").await, &shipped(1, "late"), 1).await;
    ear.heard_times("late", 25).await;
    came.store(true, Ordering::SeqCst);

    stage.settled("ORDER", "cart-saga").await;
    assert!(stage.messages("DEAD", 0).await.is_empty());
}

#[tokio::test]
async fn an_outage_counts_nothing_and_ends() {
    let stage = Stage::start().await;
    let away = Arc::new(AtomicBool::new(true));
    let outage = Arc::clone(&away);
    let ear = Ear::answering(move |_, _| {
        let here = !outage.load(Ordering::SeqCst);
        here.then_some(()).ok_or_else(|| Trouble::Away("the database".to_owned()))
    });
    let _cart = stage.cart(Work::new("saga", ear.clone()).on(Ear::shipped)).await;
    let bus = stage.bus("order").await;
    for number in 0..100 {
        tell(&bus, &shipped(number, &format!("{number}")), 1).await;
    }

    testkit::eventually("many tries", SOON, async || (ear.heard().len() > 150).then_some(())).await;
    away.store(false, Ordering::SeqCst);

    ear.heard_all((0..100).map(|number| number.to_string())).await;
    stage.settled("ORDER", "cart-saga").await;
    assert!(stage.messages("DEAD", 0).await.is_empty());
}

#[tokio::test]
async fn what_is_no_event_becomes_a_dead_letter() {
    let stage = Stage::start().await;
    let ear = Ear::new();
    let _cart = stage.cart(Work::new("saga", ear.clone()).on(Ear::shipped)).await;
    let bus = stage.bus("order").await;
    let shipped = letter(&shipped(1, "a"), 1);
    let mut garbage = shipped.clone();
    garbage.payload = "{\"secret\": 1}".into();
    let mut forged = letter(&delivered(1), 2);
    forged.nats_subject.clone_from(&shipped.nats_subject);
    let mut wrong = letter(&delivered(1), 3);
    let text = String::from_utf8(wrong.payload.to_vec()).unwrap();
    wrong.payload = text.replace("order.delivered", "order.shipped").into();
    wrong.nats_subject.clone_from(&shipped.nats_subject);

    for row in [garbage, forged, wrong] {
        bus.publish_fact(&row).await.unwrap();
    }

    let letters = stage.messages("DEAD", 3).await;
    let mut reasons: Vec<_> = letters.iter().map(|letter| header(letter, "Souk-Reason")).collect();
    reasons.sort();
    assert_eq!(reasons[0], "not an event (line 1, column 13)");
    assert!(reasons[1].starts_with("not souk.order.shipped.v1 (line 1, column "), "{reasons:?}");
    assert_eq!(reasons[2], "the envelope names another type or aggregate than its subject");
    assert_eq!(ear.heard().len(), 0);
    stage.settled("ORDER", "cart-saga").await;
}

async fn panic(ear: Ear, fact: Fact<order::Shipped>) -> Handled {
    let panicking = fact.event.tracking == "panic";
    Ear::shipped(ear, fact).await?;
    assert!(!panicking, "the handler panics");
    Ok(())
}

#[tokio::test]
async fn a_panic_is_a_failure_like_any_other() {
    let stage = Stage::start().await;
    let ear = Ear::new();
    let _cart = stage.cart(Work::new("saga", ear.clone()).on(panic)).await;
    let bus = stage.bus("order").await;

    tell(&bus, &shipped(1, "panic"), 1).await;
    tell(&bus, &shipped(2, "well"), 1).await;

    ear.heard_times("well", 1).await;
    let letters = stage.messages("DEAD", 1).await;
    assert_eq!(header(&letters[0], "Souk-Reason"), "the handler panicked");
    ear.heard_times("panic", 10).await;
}

async fn never(ear: Ear, fact: Fact<order::Shipped>) -> Handled {
    Ear::shipped(ear, fact).await?;
    std::future::pending().await
}

#[tokio::test]
async fn a_handler_that_never_ends_is_given_up() {
    let stage = Stage::start().await;
    let ear = Ear::new();
    let mut config = stage.config("cart");
    config.patience.handling = std::time::Duration::from_millis(20);
    let work = Work::new("saga", ear.clone()).on(never);
    let _cart = stage.replica(config, "g1", vec![work.into()]).await;

    tell(&stage.bus("order").await, &shipped(1, "a"), 1).await;

    let letters = stage.messages("DEAD", 1).await;
    assert_eq!(header(&letters[0], "Souk-Reason"), "it took too long");
    assert_eq!(ear.heard().len(), 10);
}
