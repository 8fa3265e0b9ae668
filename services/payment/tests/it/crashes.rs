//! Whatever fails on the way, there is one charge and one outcome.

use std::time::Duration;

use common::Clock;
use contracts::PaymentId;
use contracts::order::{CancelReason, Cancelled};
use contracts::payment::{Captured, Failed, Failure};
use mongodb::bson::doc;
use testkit::eventually;

use crate::shop::{AMOUNT, SOON, Setup, Shop, pay};

#[tokio::test]
async fn a_charge_whose_answer_is_lost_is_found() {
    let shop = Shop::with(Setup { replicas: 2, ..Setup::default() }).await;
    let order = shop.order().await;

    let paid = pay(&shop.alice(), order, "pm_sandbox_timeout_then_success", "k").await.status(201);

    assert_eq!(paid["status"], "captured");
    let repeat = pay(&shop.alice_at(1), order, "pm_sandbox_timeout_then_success", "k").await;
    assert_eq!((repeat.status, repeat.text), (201, paid.text));
    assert_eq!((shop.charges(order).await, shop.attempts(order).await.len()), (1, 1));
    assert_eq!(shop.entered(order).await, AMOUNT);
}

#[tokio::test]
async fn a_charge_that_is_lost_once_is_sent_again() {
    let shop = Shop::open().await;
    let order = shop.order().await;

    let paid = pay(&shop.alice(), order, "pm_sandbox_timeout_once", "k").await.status(201);

    assert_eq!(paid["status"], "captured");
    assert_eq!((shop.charges(order).await, shop.attempts(order).await.len()), (1, 1));
}

#[tokio::test]
async fn a_charge_that_takes_its_time_is_followed() {
    let shop = Shop::open().await;
    let order = shop.order().await;

    let paid = pay(&shop.alice(), order, "pm_sandbox_slow_success", "k").await.status(201);

    assert_eq!(paid["status"], "captured");
    assert_eq!(shop.entered(order).await, AMOUNT);
}

#[tokio::test]
async fn a_charge_that_never_arrives_fails_and_another_may_follow() {
    let clock = Clock::manual(Clock::system().now());
    let shop = Shop::with(Setup { clock: clock.clone(), ..Setup::default() }).await;
    let order = shop.order().await;

    let unknown = pay(&shop.alice(), order, "pm_sandbox_timeout_then_nothing", "k").await;
    let unknown = unknown.status(202);
    assert_eq!(unknown["status"], "processing");
    let path = format!("/api/payments/{}", PaymentId::of(order));
    assert_eq!(unknown.header("location"), Some(path.as_str()));
    let busy = pay(&shop.alice(), order, "pm_card_visa", "k2").await.status(409);
    assert_eq!(busy["type"], "urn:souk:problem:payment-in-progress");
    clock.advance(Duration::from_secs(31));

    let failed: Failed = shop.peer.hears(PaymentId::of(order)).await;
    assert_eq!(failed.failure, Failure::NeverArrived);
    let repeat = pay(&shop.alice(), order, "pm_sandbox_timeout_then_nothing", "k").await;
    assert_eq!(repeat.status(201)["failure"], "never_arrived");
    let _ = pay(&shop.alice(), order, "pm_card_visa", "k2").await.status(201);
    let first = pay(&shop.alice(), order, "pm_sandbox_timeout_then_nothing", "k").await;
    assert_eq!(first.status(201)["status"], "declined");
    assert_eq!(shop.charges(order).await, 1);
}

/// Kills the service while it waits for the provider, starts it again, and repeats the request.
async fn killed_on_the_way(method: &str) -> (Shop, contracts::OrderId) {
    let patience = Duration::from_mins(1);
    let mut shop = Shop::with(Setup { provider_timeout: patience, ..Setup::default() }).await;
    let order = shop.order().await;
    let (alice, replica) = (shop.alice(), shop.replicas.pop().unwrap());
    let begun = pay(&alice, order, method, "k").send();
    tokio::select! {
        answer = begun => panic!("answered: {answer:?}"),
        attempt = shop.attempt(order) => assert!(attempt.starts_with("att_")),
    }
    drop(replica);

    shop.config.provider_timeout = Duration::from_millis(500);
    shop.start_replica().await;
    (shop, order)
}

#[tokio::test]
async fn a_service_that_is_killed_after_the_charge_finds_it() {
    let (shop, order) = killed_on_the_way("pm_sandbox_timeout_then_success").await;

    shop.until(order, "captured").await;

    let repeat = pay(&shop.alice(), order, "pm_sandbox_timeout_then_success", "k").await;
    assert_eq!(repeat.status(201)["status"], "captured");
    assert_eq!((shop.charges(order).await, shop.attempts(order).await.len()), (1, 1));
    let _: Captured = shop.peer.hears(PaymentId::of(order)).await;
    assert_eq!(shop.entered(order).await, AMOUNT);
}

#[tokio::test]
async fn a_service_that_is_killed_before_the_charge_arrives_sends_it_again() {
    let (shop, order) = killed_on_the_way("pm_sandbox_timeout_once").await;

    shop.until(order, "captured").await;

    assert_eq!((shop.charges(order).await, shop.attempts(order).await.len()), (1, 1));
    let _: Captured = shop.peer.hears(PaymentId::of(order)).await;
    assert_eq!(shop.peer.told::<Captured>(PaymentId::of(order)).await.len(), 1);
}

#[tokio::test]
async fn an_order_given_up_calls_off_what_is_not_confirmed() {
    let shop = Shop::open().await;
    let order = shop.order().await;
    let method = "pm_card_authenticationRequired";
    let asked = pay(&shop.alice(), order, method, "k").await.status(201);

    let reason = CancelReason::Customer;
    shop.peer
        .tell(&Cancelled { order_id: order, reason, lines: vec![], lost: vec![], customer: None })
        .await;

    let failed: Failed = shop.peer.hears(PaymentId::of(order)).await;
    assert_eq!(failed.failure, Failure::CalledOff);
    let page = asked["next_action"]["url"].as_str().unwrap().to_owned();
    let late = shop.nobody().post(format!("{page}/confirm")).await.status(200);
    assert!(late.text.contains("not made"), "{}", late.text);
    assert_eq!(shop.charges(order).await, 0);
}

#[tokio::test]
async fn what_nobody_confirms_is_called_off_after_the_time_to_pay() {
    let clock = Clock::manual(Clock::system().now());
    let to_pay = Duration::from_mins(1);
    let shop = Shop::with(Setup { clock: clock.clone(), to_pay, ..Setup::default() }).await;
    let order = shop.order().await;
    let _ = pay(&shop.alice(), order, "pm_card_authenticationRequired", "k").await.status(201);

    clock.advance(Duration::from_secs(110));
    let id = PaymentId::of(order).to_string();
    let asked_about = doc! { "_id": id, "look_at": { "$gt": clock.now().to_string() } };
    shop.holds("payments", asked_about).await;
    assert_eq!(shop.read(order).await["status"], "requires_action");
    clock.advance(Duration::from_secs(50));

    let failed: Failed = shop.peer.hears(PaymentId::of(order)).await;
    assert_eq!(failed.failure, Failure::CalledOff);
}

#[tokio::test]
async fn nobody_has_longer_than_five_minutes_to_confirm() {
    let clock = Clock::manual(Clock::system().now());
    let shop = Shop::with(Setup { clock: clock.clone(), ..Setup::default() }).await;
    let order = shop.order().await;
    let _ = pay(&shop.alice(), order, "pm_card_authenticationRequired", "k").await.status(201);

    clock.advance(Duration::from_mins(5));

    let failed: Failed = shop.peer.hears(PaymentId::of(order)).await;
    assert_eq!(failed.failure, Failure::CalledOff);
    let _ = pay(&shop.alice(), order, "pm_card_visa", "k2").await.status(201);
}

#[tokio::test]
async fn an_attempt_is_asked_of_the_provider_that_it_began_with() {
    let shop = Shop::open().await;
    let order = shop.order().await;
    let _ = pay(&shop.alice(), order, "pm_card_authenticationRequired", "k").await.status(201);
    let (id, payments) = (PaymentId::of(order), shop.collection("payments"));
    let began_with = async |provider: &str| {
        let change = doc! { "$set": { "attempts.0.provider": provider } };
        payments.update_one(doc! { "_id": id.to_string() }, change).await.unwrap();
    };
    began_with("elsewhere").await;
    let before = shop.now();

    let reason = CancelReason::Customer;
    shop.peer
        .tell(&Cancelled { order_id: order, reason, lines: vec![], lost: vec![], customer: None })
        .await;
    let looked_at = doc! { "_id": id.to_string(), "closed": true,
    "look_at": { "$gt": before.plus(Duration::from_secs(6)).to_string() } };
    shop.holds("payments", looked_at).await;

    assert_eq!(shop.read(order).await["status"], "requires_action");
    began_with("sandbox").await;
    let failed: Failed = shop.peer.hears(id).await;
    assert_eq!(failed.failure, Failure::CalledOff);
}

#[tokio::test]
async fn a_service_that_stops_in_good_order_finishes_first() {
    let mut shop = Shop::open().await;
    let order = shop.order().await;
    let (alice, replica) = (shop.alice(), shop.replicas.pop().unwrap());
    let request = pay(&alice, order, "pm_sandbox_timeout_then_success", "k").send();
    let stopped = async {
        shop.attempt(order).await;
        replica.stop().await
    };

    let (answer, stopped) = tokio::join!(request, stopped);

    stopped.unwrap();
    assert!(matches!(answer.unwrap().status, 201 | 202));
    shop.start_replica().await;
    eventually("the charge is found", SOON, async || {
        (shop.read(order).await["status"] == "captured").then_some(())
    })
    .await;
    assert_eq!(shop.charges(order).await, 1);
}
