//! What the provider says by itself.

use std::time::Duration;

use common::Clock;
use contracts::PaymentId;
use contracts::payment::{ActionRequired, Captured, Failed, Failure};
use mongodb::bson::doc;
use serde_json::json;

use crate::shop::{AMOUNT, Setup, Shop, captured, fresh_order, pay, signature};

/// Begins a payment that the shopper has to confirm, and gives the page where that is done.
async fn to_confirm(shop: &Shop, order: contracts::OrderId) -> String {
    let asked = pay(&shop.alice(), order, "pm_card_authenticationRequired", "k").await.status(201);
    assert_eq!(asked["status"], "requires_action");
    assert_eq!(asked["next_action"]["type"], "redirect");
    asked["next_action"]["url"].as_str().unwrap().to_owned()
}

#[tokio::test]
async fn a_confirmed_payment_is_captured() {
    let shop = Shop::open().await;
    let order = shop.order().await;
    let page = to_confirm(&shop, order).await;
    let _: ActionRequired = shop.peer.hears(PaymentId::of(order)).await;
    let shown = shop.nobody().get(&page).await.status(200);
    assert!(shown.text.contains("<form"), "{}", shown.text);

    let done = shop.nobody().post(format!("{page}/confirm")).await.status(200);

    assert!(done.text.contains("confirmed"), "{}", done.text);
    // The webhook arrived before the page was answered.
    assert_eq!(shop.read(order).await["status"], "captured");
    let _: Captured = shop.peer.hears(PaymentId::of(order)).await;
    assert_eq!(shop.entered(order).await, AMOUNT);
    let _ = shop.nobody().post(format!("{page}/refuse")).await.status(200);
    assert_eq!(shop.read(order).await["status"], "captured");
}

#[tokio::test]
async fn a_refused_payment_is_declined() {
    let shop = Shop::open().await;
    let order = shop.order().await;
    let page = to_confirm(&shop, order).await;

    let _ = shop.nobody().post(format!("{page}/refuse")).await.status(200);

    let failed: Failed = shop.peer.hears(PaymentId::of(order)).await;
    assert_eq!(failed.failure, Failure::NotAuthenticated);
    assert_eq!(shop.read(order).await["failure"], "not_authenticated");
    let _ = pay(&shop.alice(), order, "pm_card_visa", "k2").await.status(201);
}

#[tokio::test]
async fn a_page_is_for_a_charge_that_waits() {
    let shop = Shop::open().await;
    let nothing = "/api/payments/sandbox/authorize/att_0190b0e1c7f67c3e9d1a2b3c4d5e6f70";

    let _ = shop.nobody().get(nothing).await.status(404);
    let _ = shop.nobody().post(format!("{nothing}/confirm")).await.status(404);
    let _ = shop.nobody().get("/api/payments/sandbox/authorize/att_1").await.status(400);
}

#[tokio::test]
async fn a_webhook_counts_once() {
    let shop = Shop::with(Setup { replicas: 2, ..Setup::default() }).await;
    let order = shop.order().await;
    to_confirm(&shop, order).await;
    let webhook = captured("whk_1", order, &shop.attempt(order).await);

    for _ in 0..3 {
        let _ = shop.webhook(&webhook).await.status(200);
    }
    let _ = shop.webhook(&captured("whk_2", order, &shop.attempt(order).await)).await.status(200);

    let id = PaymentId::of(order);
    let _: Captured = shop.peer.hears(id).await;
    assert_eq!(shop.peer.told::<Captured>(id).await.len(), 1);
    assert_eq!(shop.entered(order).await, AMOUNT);
}

#[tokio::test]
async fn a_forged_webhook_moves_nothing() {
    let shop = Shop::open().await;
    let order = shop.order().await;
    to_confirm(&shop, order).await;
    let body = captured("whk_1", order, &shop.attempt(order).await).to_string();
    let good = signature(&body, shop.now());
    let old = signature(&body, shop.now().minus(Duration::from_mins(6)));

    let refused = shop.send_webhook(&body, "").await.status(400);
    assert_eq!(refused["type"], "urn:souk:problem:webhook-not-trusted");
    let _ = shop.send_webhook(&body, "t=1,v1=00").await.status(400);
    let _ = shop.send_webhook(&body, &old).await.status(400);
    let _ = shop.send_webhook(&format!("{body} "), &good).await.status(400);
    let unsigned = shop.nobody().post("/api/payments/webhooks/sandbox").body(body);
    let _ = unsigned.await.status(400);

    assert_eq!(shop.read(order).await["status"], "requires_action");
}

#[tokio::test]
async fn a_webhook_of_something_else_is_heard_and_left() {
    let shop = Shop::open().await;
    let order = shop.order().await;

    let _ = shop.webhook(&json!({ "type": "payout.paid" })).await.status(200);
    let elsewhere = shop.nobody().post("/api/payments/webhooks/elsewhere").body("{}");
    let _ = elsewhere.await.status(404);

    assert_eq!((shop.entered(order).await, shop.count("webhooks", doc! {}).await), (0, 0));
}

#[tokio::test]
async fn a_webhook_that_comes_before_its_payment_is_applied_later() {
    let shop = Shop::open().await;
    let (order, id) = (shop.order().await, shop.clock.uuid());
    let attempt = format!("att_{}", id.simple());
    let _ = shop.webhook(&captured("whk_1", order, &attempt)).await.status(200);
    let nobodys = captured("whk_2", fresh_order(), &attempt);
    let _ = shop.webhook(&nobodys).await.status(200);
    let waiting = doc! { "_id": "sandbox:whk_1", "state": "waiting" };
    shop.holds("webhooks", waiting).await;
    assert_eq!(shop.entered(order).await, 0);

    let _ = pay(&shop.alice(), order, "pm_card_authenticationRequired", "k").await.status(201);
    // As if the provider had been faster than the shop.
    let rename = doc! { "$set": { "attempts.0.id": &attempt } };
    let it = doc! { "_id": PaymentId::of(order).to_string() };
    shop.collection("payments").update_one(it, rename).await.unwrap();

    let told: Captured = shop.peer.hears(PaymentId::of(order)).await;
    assert_eq!(told.attempt_id.to_string(), attempt);
    assert_eq!(shop.entered(order).await, AMOUNT);
    let applied =
        doc! { "_id": "sandbox:whk_1", "state": "applied", "expires_at": { "$type": "date" } };
    shop.holds("webhooks", applied).await;
    shop.holds("webhooks", doc! { "_id": "sandbox:whk_2", "state": "waiting" }).await;
}

#[tokio::test]
async fn unreadable_webhooks_do_not_stop_others() {
    let shop = Shop::open().await;
    let (order, id) = (shop.order().await, shop.clock.uuid());
    let attempt = format!("att_{}", id.simple());
    let unreadable = (0..250).map(|number| {
        doc! { "_id": format!("sandbox:{number}"), "state": "waiting", "notice": "none",
        "retry_at": "2020-01-01T00:00:00.000Z", "version": 1_i64 }
    });
    shop.collection("webhooks").insert_many(unreadable).await.unwrap();
    let _ = shop.webhook(&captured("whk_1", order, &attempt)).await.status(200);

    let _ = pay(&shop.alice(), order, "pm_card_authenticationRequired", "k").await.status(201);
    let rename = doc! { "$set": { "attempts.0.id": &attempt } };
    let it = doc! { "_id": PaymentId::of(order).to_string() };
    shop.collection("payments").update_one(it, rename).await.unwrap();

    let _: Captured = shop.peer.hears(PaymentId::of(order)).await;
}

#[tokio::test]
async fn a_webhook_of_what_never_becomes_known_is_put_aside() {
    let clock = Clock::manual(Clock::system().now());
    let shop = Shop::with(Setup { clock: clock.clone(), ..Setup::default() }).await;
    let attempt = "att_0190b0e1c7f67c3e9d1a2b3c4d5e6f70";
    let _ = shop.webhook(&captured("whk_1", fresh_order(), attempt)).await.status(200);

    clock.advance(Duration::from_hours(73));

    let put_aside = shop.holds("webhooks", doc! { "state": "put_aside" }).await;
    assert!(put_aside.get_str("why").unwrap().contains("no such payment"));
}

#[tokio::test]
async fn a_webhook_that_is_faster_than_the_answer_answers() {
    let slow = Duration::from_secs(10);
    let shop = Shop::with(Setup { provider_timeout: slow, ..Setup::default() }).await;
    let order = shop.order().await;
    let request = pay(&shop.alice(), order, "pm_sandbox_timeout_then_success", "k");
    let asked = request.clone().into_future();

    let (first, repeat) = tokio::join!(
        async { tokio::time::timeout(Duration::from_secs(2), asked).await.is_ok() },
        async {
            let attempt = shop.attempt(order).await;
            let repeat = request.clone().into_future();
            let told = async { shop.webhook(&captured("whk_1", order, &attempt)).await };
            tokio::join!(repeat, told).0
        }
    );

    assert!(!first, "the provider does not answer");
    assert_eq!(repeat.status(201)["status"], "captured");
    assert_eq!((shop.charges(order).await, shop.attempts(order).await.len()), (1, 1));
}

#[tokio::test]
async fn a_webhook_that_never_arrives_is_not_needed() {
    let nowhere = Some("http://127.0.0.1:9/".to_owned());
    let shop = Shop::with(Setup { webhook_url: nowhere, ..Setup::default() }).await;
    let order = shop.order().await;
    let page = to_confirm(&shop, order).await;

    let _ = shop.nobody().post(format!("{page}/confirm")).await.status(200);

    shop.until(order, "captured").await;
    let given_up = doc! { "due_at": { "$exists": false }, "tellings": 5 };
    shop.holds("sandbox_webhooks", given_up).await;
}
