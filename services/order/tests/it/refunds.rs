//! Money that goes back by the piece.

use contracts::order::{
    CancelReason, Cancelled, RefundDue, RefundReason, Refunded as Told, RestockDue,
};
use contracts::payment::{RefundCause, RefundFailed, RefundFailure, Refunded};
use contracts::{OrderId, PaymentId, RefundId};
use futures_util::future::join_all;
use serde_json::{Value, json};
use testkit::{Client, Request};

use crate::acts::refused;
use crate::parcels::mugs;
use crate::shop::{Shop, eur};

impl Shop {
    /// Payment gives back what the order asked for.
    pub(crate) async fn goes_back(&self, due: &RefundDue, remaining: i64) {
        let (payment_id, order_id) = (due.payment_id, due.order_id);
        let (refund_id, amount) = (due.refund_id.unwrap(), due.amount);
        let remaining = eur(remaining);
        let cause = RefundCause::Order;
        let back = Refunded { payment_id, order_id, refund_id, amount, remaining, cause };
        self.peer.tell(&back).await;
    }

    async fn does_not_go_back(&self, order_id: OrderId, refund_id: RefundId, cents: i64) {
        let (payment_id, amount) = (PaymentId::of(order_id), eur(cents));
        let failure = RefundFailure::Refused;
        let cause = RefundCause::Order;
        let failed = RefundFailed { payment_id, order_id, refund_id, amount, failure, cause };
        self.peer.tell(&failed).await;
    }
}

/// This member of staff gives pieces back.
fn gives_back(staff: &Client, order: OrderId, lines: &Value, key: &str) -> Request {
    let body = json!({ "lines": lines, "restock": true, "reason": "One was broken" });
    staff.post(format!("/api/orders/{order}/refunds")).json(&body).key(key)
}

#[tokio::test]
async fn a_piece_goes_back_and_is_for_sale_again() {
    let shop = Shop::open().await;
    let order = shop.sells().await.order;
    let staff = shop.staff();

    let asked = gives_back(&staff, order, &mugs(1), "k").await.status(201);
    let again = gives_back(&staff, order, &mugs(1), "k").await.status(201);
    refused(&gives_back(&staff, order, &mugs(2), "k").await, 422, "idempotency-key-reused");

    assert_eq!(again.text, asked.text);
    assert_eq!((&asked["status"], &asked["amount"]["amount"]), (&json!("asked"), &json!(1250)));
    let location = format!("/api/orders/{order}/refunds/{}", asked.text_of("id"));
    assert_eq!(asked.header("location"), Some(location.as_str()));
    assert_eq!(staff.get(&location).await.ok().body, asked.body);
    let line = &staff.get(format!("/api/orders/{order}")).await.ok()["lines"][0];
    assert_eq!((&line["dropped"], &line["refunded"]), (&json!(1), &json!(1)));
    let due = shop.peer.hears::<RefundDue>(order).await;
    assert_eq!((due.amount, due.reason), (eur(1250), RefundReason::Goodwill));
    assert_eq!(asked["id"], due.refund_id.unwrap().to_string());
    assert_eq!(shop.peer.hears::<RestockDue>(order).await.lines[0].quantity.get(), 1);
    assert_eq!(shop.peer.told::<RefundDue>(order).await.len(), 1);
    shop.goes_back(&due, 1250).await;
    assert_eq!(shop.peer.hears::<Told>(order).await.reason, RefundReason::Goodwill);
    let shown = shop.until(order, "paid").await;
    assert_eq!(
        (&shown["refunds"][0]["status"], &shown["refunded"]["amount"]),
        (&json!("refunded"), &json!(1250))
    );
    let sent = shop.ships(order, "s").await.status(200);
    assert_eq!(sent["parcels"][0]["lines"], mugs(1));
}

#[tokio::test]
async fn an_order_of_which_nothing_is_left_is_cancelled() {
    let shop = Shop::open().await;
    let order = shop.sells().await.order;
    let staff = shop.staff();

    gives_back(&staff, order, &mugs(1), "1").await.status(201);
    gives_back(&staff, order, &mugs(1), "2").await.status(201);
    let last = shop.until(order, "cancelled").await;

    assert_eq!(
        (&last["status"], &last["cancel_reason"]),
        (&json!("cancelled"), &json!("refunded"))
    );
    assert_eq!(shop.peer.hears::<Cancelled>(order).await.reason, CancelReason::Refunded);
    let due = shop.peer.told::<RefundDue>(order).await;
    assert_eq!(due.iter().map(|due| due.amount.amount).collect::<Vec<_>>(), [1250, 1250]);
}

#[tokio::test]
async fn a_refund_that_failed_is_shown_and_asked_for_anew() {
    let shop = Shop::open().await;
    let order = shop.sells().await.order;
    let staff = shop.staff();
    shop.ships(order, "s").await.status(200);
    gives_back(&staff, order, &mugs(2), "1").await.status(201);
    let gone = gives_back(&staff, order, &mugs(1), "2").await;
    refused(&gone, 409, "too-many-pieces");
    assert_eq!((&gone["left"], &gone["order_status"]), (&json!(0), &json!("shipped")));
    let id = shop.peer.hears::<RefundDue>(order).await.refund_id.unwrap();

    shop.does_not_go_back(order, id, 2500).await;
    shop.has_heard_all().await;

    let shown = shop.until(order, "shipped").await;
    let failed = &shown["refunds"][0];
    assert_eq!((&failed["status"], &failed["failure"]), (&json!("failed"), &json!("refused")));
    let anew = gives_back(&staff, order, &mugs(2), "3").await.status(201);
    assert_eq!(anew["amount"]["amount"], 2500);
    assert_eq!(shop.peer.told::<RestockDue>(order).await, []);
}

#[tokio::test]
async fn of_many_who_give_the_same_piece_back_two_do() {
    let shop = Shop::with_replicas(2).await;
    let order = shop.sells().await.order;
    shop.ships(order, "s").await.status(200);
    let one = mugs(1);

    let asked = (0..8).map(|number| {
        gives_back(&shop.staff_at(number % 2), order, &one, &format!("k-{number}")).into_future()
    });
    let answers = join_all(asked).await;

    assert_eq!(answers.iter().filter(|answer| answer.status == 201).count(), 2);
    assert!(answers.iter().all(|answer| [201, 409].contains(&answer.status)));
    shop.peer.hears::<RefundDue>(order).await;
    let due: i64 =
        shop.peer.told::<RefundDue>(order).await.iter().map(|due| due.amount.amount).sum();
    assert_eq!(due, 2500);
}

#[tokio::test]
async fn what_cannot_be_given_back_says_why() {
    let shop = Shop::open().await;
    let purchase = shop.buys_what_is_there().await;
    let (order, alice) = (purchase.order, shop.shopper(purchase.customer));
    let (staff, path) = (shop.staff(), format!("/api/orders/{order}/refunds"));
    let body = json!({ "lines": mugs(1), "reason": "x" });

    let early = gives_back(&staff, order, &mugs(1), "k").await;
    refused(&early, 409, "order-unfit");
    assert_eq!(early["allowed"], json!(["pay", "cancel", "change_address"]));
    refused(&alice.post(&path).json(&body).key("k").await, 403, "forbidden");
    refused(&staff.post(&path).json(&body).await, 400, "idempotency-key-required");
    shop.peer.tell(&shop.capture(order)).await;
    shop.until(order, "paid").await.status(200);
    for (body, pointer) in [
        (json!({ "lines": [], "reason": "x" }), "/lines"),
        (json!({ "lines": [{ "sku": "CUP", "quantity": 1 }], "reason": "x" }), "/lines"),
        (json!({ "lines": mugs(1) }), "/reason"),
        (json!({ "lines": mugs(1), "reason": "" }), "/reason"),
        (json!({ "lines": mugs(1), "reason": "x".repeat(501) }), "/reason"),
        (json!({ "lines": mugs(1), "reason": "x", "amount": 1 }), "/amount"),
    ] {
        let answer = staff.post(&path).json(&body).key("k").await;
        refused(&answer, 422, "invalid");
        assert_eq!(answer["errors"][0]["pointer"], pointer);
    }
}

#[tokio::test]
async fn refund_of_all_pieces_restocks_by_default() {
    let shop = Shop::open().await;
    let (order, broken) = (shop.sells().await.order, shop.sells().await.order);
    let staff = shop.staff();
    let refund = |order: OrderId, body: Value| {
        staff.post(format!("/api/orders/{order}/refunds")).json(&body).key(&order.to_string())
    };

    let whole = json!({ "lines": mugs(2), "reason": "Out of fashion" });
    refund(order, whole).await.status(201);
    let kept = json!({ "lines": mugs(2), "reason": "All broken", "restock": false });
    refund(broken, kept).await.status(201);

    assert_eq!(shop.peer.hears::<Cancelled>(order).await.lost, []);
    assert_eq!(shop.peer.hears::<Cancelled>(broken).await.lost[0].quantity.get(), 2);
}

#[tokio::test]
async fn refund_of_nothing_is_refused() {
    let shop = Shop::open().await;
    let order = shop.sells().await.order;
    let (staff, path) = (shop.staff(), format!("/api/orders/{order}/refunds"));
    let shipping = json!({ "shipping": true, "reason": "x" });

    let nothing = staff.post(&path).json(&shipping).key("1").await;

    refused(&nothing, 409, "nothing-left");
    let both = json!({ "lines": mugs(1), "shipping": true, "reason": "x" });
    let first = staff.post(&path).json(&both).key("2").await.status(201);
    assert_eq!((&first["amount"]["amount"], &first["shipping"]), (&json!(1250), &Value::Null));
    staff.post(&path).json(&both).key("3").await.status(201);
}

#[tokio::test]
async fn refund_on_the_payment_shows_in_the_order() {
    let shop = Shop::open().await;
    let order = shop.sells().await.order;
    shop.ships(order, "s").await.status(200);
    let back = shop.refund(order, 2000);
    let staff = shop.staff();

    shop.peer.tell(&back).await;
    shop.peer.hears::<Told>(order).await;

    let shown = shop.until(order, "shipped").await;
    assert_eq!(shown["refunds"][0]["id"], back.refund_id.to_string());
    assert_eq!(shown["refunds"][0]["status"], "refunded");
    let rest = gives_back(&staff, order, &mugs(2), "r").await.status(201);
    assert_eq!(rest["amount"]["amount"], 500, "all refunds together are what came");
    let more = gives_back(&staff, order, &mugs(1), "m").await;
    assert_eq!(more["allowed"], json!(["deliver", "correct_tracking"]));
    let unknown = format!("/api/orders/{order}/refunds/ref_0190b0e1c7f67c3e9d1a000000000001");
    let unknown = staff.get(unknown).await;
    refused(&unknown, 404, "not-found");
    assert_eq!(unknown.header("retry-after"), None);
}
