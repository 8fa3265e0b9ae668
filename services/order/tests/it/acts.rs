//! What shoppers and staff do about orders.

use contracts::order::{CancelReason, Cancelled, Delivered, RefundDue, Shipped};
use serde_json::json;
use testkit::Answer;

use crate::shop::{Shop, eur};

#[tokio::test]
async fn a_shopper_gives_a_paid_order_up_and_gets_the_money_back() {
    let shop = Shop::open().await;
    let purchase = shop.sells().await;
    let (alice, cancel) = (shop.shopper(purchase.customer), cancel(&purchase.order));

    let shown = alice.post(&cancel).key("k").await.ok();
    let again = alice.post(&cancel).key("k").await.ok();
    let without_key = alice.post(&cancel).await.ok();

    assert_eq!(
        (&shown["status"], &shown["cancel_reason"]),
        (&json!("cancelled"), &json!("customer"))
    );
    assert_eq!(
        (again.text, again.headers["etag"].clone()),
        (shown.text.clone(), shown.headers["etag"].clone())
    );
    assert_eq!(without_key.body, shown.body);
    assert_eq!(shop.peer.hears::<RefundDue>(purchase.order).await.amount, eur(2500));
    assert_eq!(shop.peer.told::<Cancelled>(purchase.order).await.len(), 1);
}

#[tokio::test]
async fn staff_give_up_anybodys_order() {
    let shop = Shop::open().await;
    let order = shop.buys_what_is_there().await.order;

    shop.staff().post(cancel(&order)).await.status(200);

    assert_eq!(shop.peer.hears::<Cancelled>(order).await.reason, CancelReason::Staff);
}

#[tokio::test]
async fn a_sent_order_says_that_it_cannot_be_cancelled() {
    let shop = Shop::open().await;
    let purchase = shop.sells().await;
    shop.ships(purchase.order, "k").await.status(200);

    let alice = shop.shopper(purchase.customer);
    let unfit = alice.post(cancel(&purchase.order)).await.status(409);

    assert_eq!(unfit["type"], "urn:souk:problem:order-unfit");
    assert_eq!(unfit["detail"], "the order is shipped and cannot be cancelled");
    assert_eq!(
        (&unfit["order_status"], &unfit["allowed"]),
        (&json!("shipped"), &json!(["deliver", "refund", "return", "correct_tracking"]))
    );
}

#[tokio::test]
async fn an_order_is_sent_once() {
    let shop = Shop::open().await;
    let order = shop.sells().await.order;
    let path = format!("/api/orders/{order}/ship");
    let other = json!({ "carrier": "UPS", "tracking": "1Z" });

    let sent = shop.ships(order, "k").await.ok();
    let staff = shop.staff();
    assert_eq!((&sent["status"], &sent["tracking"]), (&json!("shipped"), &json!("H-123456")));
    assert_eq!(shop.ships(order, "other").await.ok()["version"], sent["version"]);
    let differs = staff.post(&path).json(&other).key("third").await.status(409);
    assert_eq!(differs["allowed"], json!(["deliver", "refund", "return", "correct_tracking"]));
    refused(&staff.post(&path).json(&other).await, 400, "idempotency-key-required");

    shop.peer.hears::<Shipped>(order).await;
    assert_eq!(shop.peer.told::<Shipped>(order).await.len(), 1);
}

#[tokio::test]
async fn a_key_stands_for_one_request() {
    let shop = Shop::open().await;
    let order = shop.sells().await.order;
    let staff = shop.staff();
    let sends = |tracking: &str| {
        let parcel = json!({ "carrier": "Hermes", "tracking": tracking });
        staff.post(format!("/api/orders/{order}/ship")).json(&parcel).key("k")
    };

    let first = sends("H-1").await.ok();

    assert_eq!(sends("H-1").await.ok().text, first.text);
    refused(&sends("H-2").await, 422, "idempotency-key-reused");
}

#[tokio::test]
async fn an_order_arrives_once() {
    let shop = Shop::open().await;
    let order = shop.sells().await.order;
    let deliver = format!("/api/orders/{order}/deliver");
    let staff = shop.staff();

    let early = staff.post(&deliver).await.status(409);
    shop.ships(order, "k").await.status(200);
    let arrived = staff.post(&deliver).key("d").await.ok();
    let again = staff.post(&deliver).await.ok();

    assert_eq!(early["allowed"], json!(["cancel", "ship", "refund", "change_address"]));
    assert_eq!((arrived["status"].as_str(), &again.body), (Some("delivered"), &arrived.body));
    shop.peer.hears::<Delivered>(order).await;
    assert_eq!(shop.peer.told::<Delivered>(order).await.len(), 1);
}

#[tokio::test]
async fn nobody_minds_the_shop_but_staff() {
    let shop = Shop::open().await;
    let purchase = shop.sells().await;
    let (order, alice) = (purchase.order, shop.shopper(purchase.customer));
    let parcel = json!({ "carrier": "Hermes", "tracking": "H-1" });

    let sends = alice.post(format!("/api/orders/{order}/ship")).json(&parcel).key("k");
    refused(&sends.await, 403, "forbidden");
    let deliver = alice.post(format!("/api/orders/{order}/deliver"));
    refused(&deliver.await, 403, "forbidden");
    refused(&alice.get("/api/orders?all=true").await, 403, "forbidden");
    refused(&shop.anyone().post(cancel(&order)).await, 401, "unauthorized");
}

#[tokio::test]
async fn an_order_of_somebody_else_does_not_exist() {
    let shop = Shop::open().await;
    let order = shop.buys().await.order;
    let bob = shop.shopper(shop.person());

    let cancelled = bob.post(cancel(&order)).await.status(404);
    let unknown = bob.post(cancel(&shop.cart().order_id)).await.status(404);

    assert_eq!(cancelled["detail"], unknown["detail"]);
    assert_eq!(shop.until(order, "placed").await["status"], "placed");
}

#[tokio::test]
async fn what_makes_no_sense_is_refused() {
    let shop = Shop::open().await;
    let order = shop.sells().await.order;
    let (staff, path) = (shop.staff(), format!("/api/orders/{order}/ship"));

    for (body, status) in [
        (json!({ "carrier": "", "tracking": "1" }), 422),
        (json!({ "carrier": "x".repeat(101), "tracking": "1" }), 422),
        (json!({ "carrier": "a\nb", "tracking": "1" }), 422),
        (json!({ "carrier": 1, "tracking": "1" }), 422),
        (json!({ "carrier": "Hermes", "tracking": "1", "express": true }), 422),
        (json!([]), 422),
        (json!("Hermes"), 422),
    ] {
        refused(&staff.post(&path).json(&body).key("k").await, status, "invalid");
    }
    refused(
        &staff.post(&path).body("{").header("content-type", "application/json").key("k").await,
        400,
        "malformed",
    );
    refused(&staff.post(&path).body("x").key("k").await, 415, "unsupported-media-type");
    for path in [
        "/api/orders/1",
        "/api/orders/ord_1",
        "/api/orders/%00",
        "/api/orders/usr_0190b0e1c7f67c3e9d1a000000000001",
    ] {
        refused(&staff.get(path).await, 400, "malformed");
    }
    assert_eq!(shop.until(order, "paid").await["status"], "paid");
}

#[track_caller]
pub(crate) fn refused(answer: &Answer, status: u16, kind: &str) {
    assert_eq!((answer.status, answer["status"].as_u64()), (status, Some(status.into())));
    assert_eq!(answer["type"], format!("urn:souk:problem:{kind}"));
}

fn cancel(order: &contracts::OrderId) -> String {
    format!("/api/orders/{order}/cancel")
}

#[tokio::test]
async fn a_cards_number_is_in_no_word_that_people_write() {
    let shop = Shop::open().await;
    let purchase = shop.sells().await;
    let (order, staff) = (purchase.order, shop.staff());
    let card = "4242 4242-4242.4242";
    let of = |act: &str| format!("/api/orders/{order}/{act}");
    let ean = json!([{ "sku": "4242424242424242", "quantity": 1 }]);
    let mut address = json!({ "name": "Ada", "street": "Marktstr. 7", "postal_code": "10115",
        "city": "Berlin", "country": "DE" });
    let tracked = json!({ "carrier": "Hermes", "tracking": "4242424242424242", "lines": ean });
    let by_card = json!({ "carrier": card, "tracking": "H-1" });

    let unknown = staff.post(of("ship")).json(&tracked).key("k").await.status(422);
    assert_eq!(unknown["errors"][0]["pointer"], "/lines", "neither is a card");
    address["extra"] = json!(card);
    for asked in [
        staff.post(of("refunds")).json(&json!({ "lines": ean, "reason": card })).key("1"),
        staff.post(of("returns")).json(&json!({ "lines": ean, "reason": card })).key("2"),
        staff.post(of("ship")).json(&by_card).key("3"),
        staff.put(of("address")).json(&address),
    ] {
        let refused = asked.await.status(422);
        assert_eq!(refused["type"], "urn:souk:problem:card-number");
        assert!(!refused.text.contains("4242"));
    }
}

#[tokio::test]
async fn cancel_takes_a_reason_and_no_unknown_field() {
    let shop = Shop::open().await;
    let purchase = shop.sells().await;
    let (order, alice) = (purchase.order, shop.shopper(purchase.customer));

    for (body, pointer) in [
        (json!({ "reson": "x" }), "/reson"),
        (json!({ "reason": "x".repeat(501) }), "/reason"),
        (json!({ "reason": "x", "refund": false }), "/refund"),
    ] {
        let answer = alice.post(cancel(&order)).json(&body).await;
        refused(&answer, 422, "invalid");
        assert_eq!(answer["errors"][0]["pointer"], pointer);
    }
    let card = json!({ "reason": "4242 4242 4242 4242" });
    refused(&alice.post(cancel(&order)).json(&card).await, 422, "card-number");
    let why = json!({ "reason": "Ordered twice" });
    let cancelled = alice.post(cancel(&order)).json(&why).key("k").await.ok();
    assert_eq!(cancelled["cancel_note"], "Ordered twice");
    let shown = shop.until(order, "cancelled").await;
    assert_eq!(
        (&shown["cancel_note"], &shown["cancel_reason"]),
        (&why["reason"], &json!("customer"))
    );
}

#[tokio::test]
async fn mistyped_order_is_not_asked_for_again() {
    let shop = Shop::open().await;
    let (order, alice) = (shop.cart().order_id, shop.shopper(shop.person()));
    let known = shop.buys().await.order;
    let asked = async |order: &contracts::OrderId| {
        let unknown = alice.get(format!("/api/orders/{order}")).await.status(404);
        let cancelled = alice.post(cancel(order)).await.status(404);
        assert_eq!(unknown.header("retry-after"), cancelled.header("retry-after"));
        unknown.header("retry-after").map(ToOwned::to_owned)
    };

    assert_eq!(asked(&order).await.as_deref(), Some("1"), "its checkout may be on its way");
    shop.clock.advance(std::time::Duration::from_mins(2));

    for order in [order, known, "ord_0190b0e1c7f67c3e9d1a000000000001".parse().unwrap()] {
        assert_eq!(asked(&order).await, None, "{order}");
    }
}
