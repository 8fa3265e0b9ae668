//! Money that is promised at once and collected when the goods are sent.

use std::time::Duration;

use common::Clock;
use contracts::order::{CancelReason, Cancelled, CaptureDue, Expired};
use contracts::payment::{Authorized, CaptureFailed, Captured, Failure, Refunded};
use contracts::{OrderId, PaymentId};
use mongodb::bson::doc;
use payment::config::Capture;
use serde_json::json;

use crate::shop::{AMOUNT, Setup, Shop, eur, pay};

pub(crate) fn at_shipping() -> Setup {
    Setup { capture: Capture::AtShipping, ..Setup::default() }
}

pub(crate) fn capture_due(order_id: OrderId) -> CaptureDue {
    CaptureDue { order_id, payment_id: PaymentId::of(order_id) }
}

pub(crate) fn cancelled(order_id: OrderId) -> Cancelled {
    Cancelled {
        order_id,
        reason: CancelReason::Customer,
        lines: vec![],
        lost: vec![],
        customer: None,
    }
}

/// An order whose money is promised.
async fn promised(shop: &Shop, method: &str) -> OrderId {
    let order = shop.order().await;
    let answer = pay(&shop.alice(), order, method, &order.to_string()).await.status(201);
    assert_eq!(answer["status"], "authorized");
    order
}

/// How the charge of an order stands at the sandbox.
async fn stands(shop: &Shop, order: OrderId, standing: &str) {
    let charge = doc! { "payment": PaymentId::of(order).to_string(), "standing": standing };
    shop.holds("sandbox_charges", charge).await;
}

#[tokio::test]
async fn money_is_promised_first_and_collected_when_it_is_due() {
    let shop = Shop::with(at_shipping()).await;
    let order = promised(&shop, "pm_card_visa").await;
    let id = PaymentId::of(order);

    let told: Authorized = shop.peer.hears(id).await;
    assert_eq!((told.order_id, told.amount), (order, eur(AMOUNT)));
    assert_eq!(shop.read(order).await["capture_by"], json!(told.capture_by));
    assert_eq!((shop.charges(order).await, shop.entered(order).await), (0, 0));
    let again = pay(&shop.alice(), order, "pm_card_visa", "k2").await.status(409);
    assert_eq!(again["type"], "urn:souk:problem:already-paid");
    assert_eq!((&again["payment_status"], &again["allowed"]), (&json!("authorized"), &json!([])));
    let due = shop.peer.tell(&capture_due(order)).await;

    let captured: Captured = shop.peer.hears(id).await;
    assert_eq!((captured.attempt_id, captured.amount), (told.attempt_id, eur(AMOUNT)));
    shop.peer.tell_again::<CaptureDue>(&due).await;
    shop.peer.tell(&capture_due(order)).await;
    assert_eq!(shop.until(order, "captured").await["amount"], json!(eur(AMOUNT)));
    assert_eq!((shop.charges(order).await, shop.entered(order).await), (1, AMOUNT));
    assert_eq!(shop.peer.told::<Captured>(id).await.len(), 1);
    assert_eq!(shop.peer.dead_letters().await, 0);
}

#[tokio::test]
async fn a_confirmed_payment_is_promised_as_well() {
    let shop = Shop::with(at_shipping()).await;
    let order = shop.order().await;
    let method = "pm_card_authenticationRequired";
    let asked = pay(&shop.alice(), order, method, "k").await.status(201);
    let page = asked["next_action"]["url"].as_str().unwrap().to_owned();

    let _ = shop.nobody().post(format!("{page}/confirm")).await.status(200);

    assert_eq!(shop.read(order).await["status"], "authorized");
    let _: Authorized = shop.peer.hears(PaymentId::of(order)).await;
}

#[tokio::test]
async fn what_is_promised_to_a_cancelled_order_is_called_off() {
    let shop = Shop::with(at_shipping()).await;
    let order = promised(&shop, "pm_card_visa").await;

    shop.peer.tell(&cancelled(order)).await;

    let id = PaymentId::of(order).to_string();
    shop.holds("payments", doc! { "_id": id, "cancelled": true }).await;
    let refused = pay(&shop.alice(), order, "pm_card_visa", "k2").await.status(409);
    assert_eq!(refused["type"], "urn:souk:problem:order-not-payable");
    assert_eq!((&refused["reason"], refused.header("retry-after")), (&json!("cancelled"), None));
    stands(&shop, order, "declined").await;
    shop.until(order, "declined").await;
    assert_eq!(shop.read(order).await["failure"], "called_off");
    assert!(shop.peer.told::<CaptureFailed>(PaymentId::of(order)).await.is_empty());
    assert_eq!((shop.charges(order).await, shop.entered(order).await), (0, 0));
}

#[tokio::test]
async fn what_is_promised_to_an_expired_order_is_called_off_and_that_is_told() {
    let shop = Shop::with(at_shipping()).await;
    let order = promised(&shop, "pm_card_visa").await;

    shop.peer.tell(&Expired { order_id: order, round: 1, lines: vec![] }).await;

    let told: CaptureFailed = shop.peer.hears(PaymentId::of(order)).await;
    assert_eq!(told.failure, Failure::CalledOff);
    stands(&shop, order, "declined").await;
}

#[tokio::test]
async fn a_promise_that_lapses_is_told() {
    let shop = Shop::with(at_shipping()).await;
    let order = promised(&shop, "pm_sandbox_authorization_lapses").await;
    let id = PaymentId::of(order);

    let told: CaptureFailed = shop.peer.hears(id).await;

    assert_eq!(told.failure, Failure::AuthorizationEnded);
    assert_eq!(shop.read(order).await["status"], "declined");
    shop.peer.tell(&capture_due(order)).await;
    let again = testkit::eventually("it is told again", crate::shop::SOON, async || {
        Some(shop.peer.told::<CaptureFailed>(id).await).filter(|told| told.len() == 2)
    });
    assert_eq!(again.await[1].attempt_id, told.attempt_id);
    assert_eq!((shop.charges(order).await, shop.entered(order).await), (0, 0));
}

#[tokio::test]
async fn a_promise_that_nobody_collects_ends() {
    let clock = Clock::manual(Clock::system().now());
    let shop = Shop::with(Setup { clock: clock.clone(), ..at_shipping() }).await;
    let order = promised(&shop, "pm_card_visa").await;
    let _: Authorized = shop.peer.hears(PaymentId::of(order)).await;

    clock.advance(Duration::from_hours(24 * 7 + 1));

    let told: CaptureFailed = shop.peer.hears(PaymentId::of(order)).await;
    assert_eq!(told.failure, Failure::AuthorizationEnded);
}

#[tokio::test]
async fn less_than_was_promised_goes_back_in_full() {
    let shop = Shop::with(at_shipping()).await;
    let order = promised(&shop, "pm_sandbox_partial_capture").await;
    let id = PaymentId::of(order);

    shop.peer.tell(&capture_due(order)).await;

    let told: CaptureFailed = shop.peer.hears(id).await;
    assert_eq!(told.failure, Failure::WrongAmount);
    let back = doc! { "amount": AMOUNT / 2, "standing": "done" };
    shop.holds("sandbox_refunds", back).await;
    shop.holds("payments", doc! { "_id": id.to_string(), "look_at": null }).await;
    assert_eq!(shop.entered(order).await, 0);
    assert!(shop.peer.told::<Captured>(id).await.is_empty());
    assert!(shop.peer.told::<Refunded>(id).await.is_empty());
}

#[tokio::test]
async fn a_capture_and_a_cancellation_at_once_have_one_outcome() {
    let shop = Shop::with(Setup { replicas: 2, ..at_shipping() }).await;
    for _ in 0..10 {
        let order = promised(&shop, "pm_card_visa").await;
        let (due, off) = (capture_due(order), cancelled(order));

        tokio::join!(shop.peer.tell(&due), shop.peer.tell(&off));

        let id = PaymentId::of(order).to_string();
        shop.holds("payments", doc! { "_id": id, "closed": true, "look_at": null }).await;
        let captured = shop.charges(order).await;
        let told = shop.peer.told::<Captured>(PaymentId::of(order)).await.len();
        assert_eq!(shop.entered(order).await, AMOUNT * i64::try_from(captured).unwrap());
        assert_eq!(
            shop.attempts(order).await[0].get_str("state").unwrap() == "captured",
            captured == 1
        );
        assert!(told <= 1);
    }
}
