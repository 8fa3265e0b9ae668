//! A purchase, from the first look to the doorstep, and every way it can end.

use serde_json::json;
use testkit::Shopper;
use testkit::fleet::{Options, Service};

use super::shop::Shop;

#[tokio::test]
async fn a_guest_buys_and_the_goods_arrive() {
    let shop = Shop::open().await;
    let mug = shop.sells("MUG", 1250, 5).await;
    let guest = shop.guest().await;

    guest.add("MUG", 2).await;
    let cart = guest.cart().await;
    assert_eq!(cart["total"], json!({ "amount": 2500, "currency": "EUR" }));
    let order = guest.checkout().await;
    let payment = guest.pay(&order, "pm_card_visa").await;
    assert_eq!(payment["status"], "captured");
    assert_eq!(payment["amount"], json!({ "amount": 2500, "currency": "EUR" }));
    guest.until(&order, "paid").await;
    shop.until_counted(&mug, "MUG", 3, 0).await;
    shop.staff.ships(&order).await;
    shop.staff.delivers(&order).await;

    let order = guest.until(&order, "delivered").await;
    assert_eq!(order["lines"][0]["quantity"], 2);
    assert_eq!(order["total"]["amount"], 2500);
    assert_eq!(guest.cart().await["lines"], json!([]));
    shop.nothing_is_dead().await;
    shop.stop().await;
}

#[tokio::test]
async fn an_account_buys_and_finds_its_orders_after_signing_in_again() {
    let shop = Shop::open().await;
    shop.sells("MUG", 1250, 5).await;
    let alice = Shopper::register(&shop.client, "alice@example.com", "a fine long password").await;

    let bought = alice.buys("MUG", 1, "pm_card_visa").await;
    let again = Shopper::sign_in(&shop.client, "alice@example.com", "a fine long password").await;

    let orders = again.client.get("/api/orders").await.ok();
    assert_eq!(orders["items"].as_array().map(Vec::len), Some(1));
    assert_eq!(orders["items"][0]["id"], bought["id"]);
    let stranger = shop.guest().await;
    let path = format!("/api/orders/{}", bought.text_of("id"));
    stranger.client.get(path).await.status(404);
}

#[tokio::test]
async fn an_order_of_more_than_there_is_is_cancelled_whole() {
    let shop = Shop::open().await;
    let mug = shop.sells("MUG", 1250, 5).await;
    let tray = shop.sells("TRAY", 4000, 1).await;
    let (first, second) = (shop.guest().await, shop.guest().await);
    for guest in [&first, &second] {
        guest.add("MUG", 1).await;
        guest.add("TRAY", 1).await;
    }

    let (won, lost) = (first.checkout().await, second.checkout().await);
    first.until(&won, "reserved").await;
    let lost = second.until(&lost, "cancelled").await;

    assert_eq!(lost["cancel_reason"], "out_of_stock");
    shop.until_counted(&mug, "MUG", 5, 1).await;
    shop.until_counted(&tray, "TRAY", 1, 1).await;
}

#[tokio::test]
async fn a_declined_card_can_be_followed_by_another() {
    let shop = Shop::open().await;
    shop.sells("MUG", 1250, 5).await;
    let guest = shop.guest().await;
    guest.add("MUG", 1).await;
    let order = guest.checkout().await;

    let declined = guest.pay(&order, "pm_card_chargeDeclined").await;
    assert_eq!(declined["status"], "declined");
    assert_eq!(guest.order(&order).await["status"], "reserved");
    let paid = guest.pay(&order, "pm_card_visa").await;

    assert_eq!(paid["status"], "captured");
    guest.until(&order, "paid").await;
    assert_eq!(guest.payments(&order).await.len(), 1);
}

#[tokio::test]
async fn a_payment_that_asks_for_an_action_completes_by_webhook() {
    let shop = Shop::open().await;
    shop.sells("MUG", 1250, 5).await;
    let guest = shop.guest().await;
    guest.add("MUG", 1).await;
    let order = guest.checkout().await;

    let payment = guest.pay(&order, "pm_card_authenticationRequired").await;
    assert_eq!(payment["status"], "requires_action");
    let page = payment["next_action"]["url"].as_str().unwrap().to_owned();
    let shown = shop.client.get(page.clone()).await.ok();
    assert!(shown.text.contains("form"), "{}", shown.text);
    shop.client.post(format!("{page}/confirm")).await.ok();

    guest.until(&order, "paid").await;
}

#[tokio::test]
async fn a_payment_that_timed_out_but_succeeded_pays_the_order() {
    let shop = Shop::open().await;
    shop.sells("MUG", 1250, 5).await;
    let guest = shop.guest().await;
    guest.add("MUG", 1).await;
    let order = guest.checkout().await;

    guest.pay(&order, "pm_sandbox_timeout_then_success").await;

    guest.until(&order, "paid").await;
    assert_eq!(guest.payments(&order).await[0]["status"], "captured");
}

#[tokio::test]
async fn an_order_that_is_not_paid_in_time_expires_and_its_goods_go_back() {
    let options = Options::default().env(Service::Order, "SOUK_PAY_BY", "1s");
    let shop = Shop::open_with(options).await;
    let mug = shop.sells("MUG", 1250, 5).await;
    let guest = shop.guest().await;
    guest.add("MUG", 2).await;

    let order = guest.checkout().await;

    guest.until(&order, "expired").await;
    shop.until_counted(&mug, "MUG", 5, 0).await;
    let late = json!({ "order_id": order, "method": "pm_card_visa" });
    let refused = guest.client.post("/api/payments").json(&late).key("late").await;
    assert_eq!(refused.status, 409, "{}", refused.text);
}

#[tokio::test]
async fn a_cancelled_order_gives_its_goods_back() {
    let shop = Shop::open().await;
    let mug = shop.sells("MUG", 1250, 5).await;
    let guest = shop.guest().await;
    guest.add("MUG", 2).await;
    let order = guest.checkout().await;
    guest.until(&order, "reserved").await;

    guest.client.post(format!("/api/orders/{order}/cancel")).key("c").await.ok();

    let order = guest.until(&order, "cancelled").await;
    assert_eq!(order["cancel_reason"], "customer");
    shop.until_counted(&mug, "MUG", 5, 0).await;
}

#[tokio::test]
async fn a_paid_order_that_is_cancelled_is_refunded_and_its_goods_go_back() {
    let shop = Shop::open().await;
    let mug = shop.sells("MUG", 1250, 5).await;
    let guest = shop.guest().await;
    let order = guest.buys("MUG", 2, "pm_card_visa").await.text_of("id");
    shop.until_counted(&mug, "MUG", 3, 0).await;

    guest.client.post(format!("/api/orders/{order}/cancel")).key("c").await.ok();

    guest.until(&order, "cancelled").await;
    testkit::eventually("the refund", super::shop::SOON, async || {
        (guest.payments(&order).await[0]["status"] == "refunded").then_some(())
    })
    .await;
    shop.until_counted(&mug, "MUG", 5, 0).await;
    let refused = shop.staff.client.post(format!("/api/orders/{order}/ship"));
    let parcel = json!({ "carrier": "Hermes", "tracking": "H-1" });
    refused.json(&parcel).key("s").await.status(409);
}

#[tokio::test]
async fn the_repeat_of_every_post_has_the_effect_of_one() {
    let shop = Shop::open_twice().await;
    let mug = shop.sells("MUG", 1250, 9).await;
    let guest = shop.guest().await;
    let staff = &shop.staff.client;
    guest.add("MUG", 2).await;

    let total = guest.cart().await["total"].clone();
    let checkout =
        guest.client.post("/api/cart/checkout").key("a").json(&json!({ "expected_total": total }));
    let order = twice(&checkout).await.text_of("order_id");
    guest.until(&order, "reserved").await;
    let payment = json!({ "order_id": order, "method": "pm_card_visa" });
    let pay = guest.client.post("/api/payments").key("b").json(&payment);
    super::shop::as_soon_as_due(&pay).await;
    let payment = twice(&pay).await;
    guest.until(&order, "paid").await;
    let parcel = json!({ "carrier": "Hermes", "tracking": "H-1" });
    twice(&staff.post(format!("/api/orders/{order}/ship")).key("c").json(&parcel)).await;
    twice(&staff.post(format!("/api/orders/{order}/deliver")).key("d")).await;
    let change = json!({ "sku": "MUG", "delta": 3, "reason": "found some" });
    twice(&staff.post(format!("/api/products/{mug}/stock")).key("e").json(&change)).await;
    let refund = json!({ "reason": "broken" });
    let path = format!("/api/payments/{}/refunds", payment.text_of("id"));
    twice(&staff.post(path).key("f").json(&refund)).await;
    let product = json!({ "title": "Tray", "variants": [
        { "sku": "TRAY", "price": { "amount": 1, "currency": "EUR" }, "on_hand": 1 }] });
    twice(&staff.post("/api/products").key("g").json(&product)).await;

    shop.until_counted(&mug, "MUG", 10, 0).await;
    assert_eq!(guest.client.get("/api/orders").await.ok()["items"].as_array().unwrap().len(), 1);
    shop.nothing_is_dead().await;
}

/// Asks twice, and gets the same answer twice.
async fn twice(request: &testkit::Request) -> testkit::Answer {
    let first = request.clone().await.ok();
    let again = request.clone().await.ok();
    assert_eq!((first.status, &first.text), (again.status, &again.text), "{}", first.asked);
    first
}
