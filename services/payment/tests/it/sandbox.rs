//! What the sandbox plays, by the names of its methods.

use contracts::PaymentId;
use contracts::payment::{Captured, Failed, Failure};
use mongodb::bson::doc;

use crate::shop::{AMOUNT, Shop, pay};

#[tokio::test]
async fn every_refusal_of_a_card_is_told_apart() {
    let shop = Shop::open().await;

    for (method, failure) in [
        ("pm_card_visa_chargeDeclined", "declined"),
        ("pm_card_visa_chargeDeclinedInsufficientFunds", "insufficient_funds"),
        ("pm_card_chargeDeclinedExpiredCard", "expired_card"),
        ("pm_card_chargeDeclinedIncorrectCvc", "incorrect_cvc"),
        ("pm_card_chargeDeclinedProcessingError", "processing_error"),
        ("pm_card_visa_chargeDeclinedLostCard", "lost_or_stolen"),
        ("pm_card_visa_chargeDeclinedStolenCard", "lost_or_stolen"),
        ("pm_card_visa_chargeDeclinedVelocityLimitExceeded", "not_permitted"),
        ("pm_card_radarBlock", "suspicious"),
        ("pm_sandbox_timeout_then_decline", "declined"),
        ("pm_sandbox_of_nobody", "unknown_method"),
        ("pm_sandbox_timeout_of_nobody", "unknown_method"),
    ] {
        let order = shop.order().await;
        let answer = pay(&shop.alice(), order, method, method).await.status(201);
        assert_eq!(
            (answer["status"].as_str(), answer["failure"].as_str()),
            (Some("declined"), Some(failure))
        );
    }
}

#[tokio::test]
async fn whatever_webhooks_do_the_money_comes_once() {
    let shop = Shop::open().await;

    for method in [
        "pm_sandbox_webhook_twice",
        "pm_sandbox_webhook_first",
        "pm_sandbox_webhooks_out_of_order",
        "pm_sandbox_webhook_forged",
    ] {
        let order = shop.order().await;
        let answer = pay(&shop.alice(), order, method, method).await.status(201);
        assert_eq!(answer["status"], "captured", "{method}");
        let id = PaymentId::of(order);
        let of_it = doc! { "webhook.payment_id": id.to_string(), "due_at": { "$exists": true } };
        testkit::eventually("all webhooks are sent", crate::shop::SOON, async || {
            (shop.count("sandbox_webhooks", of_it.clone()).await == 0).then_some(())
        })
        .await;

        assert_eq!(shop.read(order).await["status"], "captured", "{method}");
        assert_eq!(shop.entered(order).await, AMOUNT);
        let _: Captured = shop.peer.hears(id).await;
        assert_eq!(shop.peer.told::<Captured>(id).await.len(), 1);
        assert!(shop.peer.told::<Failed>(id).await.is_empty(), "{method}");
    }
    let lies = doc! { "seal": { "$ne": "true" }, "tellings": 1 };
    assert_eq!(shop.count("sandbox_webhooks", lies).await, 2);
    assert_eq!(shop.count("webhooks", doc! { "state": { "$ne": "applied" } }).await, 0);
}

#[tokio::test]
async fn less_than_was_asked_for_is_no_payment() {
    let shop = Shop::open().await;
    let order = shop.order().await;
    let id = PaymentId::of(order);

    let answer = pay(&shop.alice(), order, "pm_sandbox_partial_capture", "k").await.status(201);

    assert_eq!(
        (&answer["status"], &answer["failure"]),
        (&"declined".into(), &"wrong_amount".into())
    );
    let told: Failed = shop.peer.hears(id).await;
    assert_eq!(told.failure, Failure::WrongAmount);
    shop.holds("sandbox_refunds", doc! { "standing": "done", "amount": AMOUNT / 2 }).await;
    shop.holds("payments", doc! { "_id": id.to_string(), "look_at": null }).await;
    assert_eq!(shop.entered(order).await, 0);
    let _ = pay(&shop.alice(), order, "pm_card_visa", "k2").await.status(201);
    assert_eq!(shop.entered(order).await, AMOUNT);
}
