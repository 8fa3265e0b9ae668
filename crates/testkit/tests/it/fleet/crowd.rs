//! Many at once: nothing is oversold, nothing happens twice.

use std::collections::BTreeSet;

use futures_util::future::join_all;
use serde_json::json;
use testkit::{Answer, Shopper};

use super::shop::{Shop, as_soon_as_due};

#[tokio::test]
async fn sixty_four_shoppers_buy_the_last_ten_pieces() {
    let shop = Shop::open_twice().await;
    let mug = shop.sells("MUG", 1250, 10).await;
    let tray = shop.sells("TRAY", 4000, 500).await;
    let tea = shop.sells("TEA", 700, 500).await;
    let guests = join_all((0..64).map(|_| shop.guest())).await;
    for guest in &guests {
        guest.add("MUG", 1).await;
        guest.add("TRAY", 2).await;
        guest.add("TEA", 3).await;
    }

    let ends = join_all(guests.iter().map(|guest| buys_or_hears_why_not(&shop, guest))).await;

    assert_eq!(ends.iter().filter(|end| **end == "paid").count(), 10);
    assert_eq!(ends.iter().filter(|end| **end == "out_of_stock").count(), 54);
    shop.until_counted(&mug, "MUG", 0, 0).await;
    shop.until_counted(&tray, "TRAY", 480, 0).await;
    shop.until_counted(&tea, "TEA", 470, 0).await;
    shop.nothing_is_dead().await;
}

/// Either the order is paid in the end, or it was refused because there was no more.
async fn buys_or_hears_why_not(shop: &Shop, guest: &Shopper) -> &'static str {
    let accepted = json!({ "expected_total": { "amount": 11350, "currency": "EUR" } });
    let checkout = guest.client.post("/api/cart/checkout").json(&accepted).key("once").await;
    if checkout.status == 409 {
        // The cart knew already that there was no more.
        return "out_of_stock";
    }
    let order = checkout.ok().text_of("order_id");
    let reserved = shop.until(guest, &order, &["reserved", "cancelled"]).await;
    if reserved["status"] == "cancelled" {
        assert_eq!(reserved["cancel_reason"], "out_of_stock");
        return "out_of_stock";
    }
    guest.pay(&order, "pm_card_visa").await;
    shop.until(guest, &order, &["paid"]).await;
    "paid"
}

#[tokio::test]
async fn one_checkout_sent_twenty_times_at_once_is_one_order() {
    let shop = Shop::open_twice().await;
    let mug = shop.sells("MUG", 1250, 50).await;
    let guest = shop.guest().await;
    guest.add("MUG", 1).await;
    let accepted = json!({ "expected_total": { "amount": 1250, "currency": "EUR" } });
    let checkout = guest.client.post("/api/cart/checkout").json(&accepted).key("once");

    let answers = join_all((0..20).map(|_| checkout.clone().into_future())).await;

    let order = one_answer(&answers, "order_id");
    guest.until(&order, "reserved").await;
    shop.until_counted(&mug, "MUG", 50, 1).await;
    assert_eq!(guest.client.get("/api/orders").await.ok()["items"].as_array().unwrap().len(), 1);
    let other = json!({ "expected_total": { "amount": 1, "currency": "EUR" } });
    let other = guest.client.post("/api/cart/checkout").json(&other).key("once").await;
    other.status(422);
}

#[tokio::test]
async fn one_payment_sent_twenty_times_at_once_is_one_charge() {
    let shop = Shop::open_twice().await;
    shop.sells("MUG", 1250, 50).await;
    let guest = shop.guest().await;
    guest.add("MUG", 1).await;
    let order = guest.checkout().await;
    guest.until(&order, "reserved").await;
    let payment = json!({ "order_id": order, "method": "pm_card_visa" });
    let pay = guest.client.post("/api/payments").json(&payment).key("once");
    let answers = join_all((0..20).map(|_| as_soon_as_due(&pay))).await;

    one_answer(&answers, "id");
    guest.until(&order, "paid").await;
    let payments = guest.payments(&order).await;
    assert_eq!(payments.len(), 1);
    assert_eq!(payments[0]["status"], "captured");
    let other = json!({ "order_id": order, "method": "pm_card_mastercard" });
    guest.client.post("/api/payments").json(&other).key("once").await.status(422);
}

/// Everybody heard the same, or was asked to come back; the one value of a field.
fn one_answer(answers: &[Answer], field: &str) -> String {
    let in_flight =
        |answer: &&Answer| answer.status == 409 && answer.header("retry-after").is_some();
    let done: Vec<_> = answers.iter().filter(|answer| !in_flight(answer)).collect();
    assert!(done.iter().all(|answer| answer.is_ok()), "{done:?}");
    let texts: BTreeSet<_> = done.iter().map(|answer| (answer.status, &answer.text)).collect();
    assert_eq!(texts.len(), 1, "{texts:?}");
    done[0].text_of(field)
}
