//! Paying for orders.

use std::time::Duration;

use common::Clock;
use contracts::auth::{GuestMerged, Role};
use contracts::order::{CancelReason, Cancelled, Expired, PayByExtended, PaymentDue};
use contracts::payment::{AttemptStarted, Captured, Failed, Failure};
use contracts::{OrderId, PaymentId, UserId};
use mongodb::bson::doc;
use serde_json::json;
use testkit::{Answer, Client};

use crate::shop::{AMOUNT, Setup, Shop, eur, fresh_order, pay};

#[tokio::test]
async fn a_payment_is_captured_told_and_entered() {
    let shop = Shop::open().await;
    let order = shop.order().await;

    let paid = pay(&shop.alice(), order, "pm_card_visa", "k").await.status(201);

    let id = PaymentId::of(order);
    assert_eq!(paid["status"], "captured");
    assert_eq!((&paid["id"], &paid["order_id"]), (&json!(id), &json!(order)));
    assert_eq!(paid["amount"], json!(eur(AMOUNT)));
    assert_eq!(paid.header("location"), Some(format!("/api/payments/{id}").as_str()));
    let captured: Captured = shop.peer.hears(id).await;
    let started: AttemptStarted = shop.peer.hears(id).await;
    assert_eq!(captured.amount, eur(AMOUNT));
    assert_eq!((captured.order_id, captured.attempt_id), (order, started.attempt_id));
    assert_eq!(shop.entered(order).await, AMOUNT);
    assert_eq!(shop.charges(order).await, 1);
}

#[tokio::test]
async fn a_payment_is_read_by_its_id_and_by_its_order() {
    let shop = Shop::open().await;
    let order = shop.order().await;
    let of_order = format!("/api/payments?order_id={order}");
    assert_eq!(shop.alice().get(&of_order).await.ok()["items"], json!([]));
    let _ = shop.read(order).await.status(404);

    let paid = pay(&shop.alice(), order, "pm_card_mastercard", "k").await.status(201);

    let read = shop.read(order).await.status(200);
    assert_eq!(read.body, paid.body);
    assert!(read.etag().starts_with('"'));
    assert_eq!(shop.alice().get(&of_order).await.ok()["items"], json!([paid.body]));
}

#[tokio::test]
async fn a_declined_payment_says_why_and_another_may_follow() {
    let shop = Shop::open().await;
    let order = shop.order().await;

    for (method, failure) in [
        ("pm_card_chargeDeclined", "declined"),
        ("pm_card_chargeDeclinedInsufficientFunds", "insufficient_funds"),
        ("pm_card_of_nobody", "unknown_method"),
    ] {
        let declined = pay(&shop.alice(), order, method, method).await.status(201);
        assert_eq!(declined["status"], "declined");
        assert_eq!(declined["failure"], failure);
        let again = pay(&shop.alice(), order, method, method).await.status(201);
        assert_eq!(again.text, declined.text);
    }
    let paid = pay(&shop.alice(), order, "pm_card_visa", "k").await.status(201);

    assert_eq!(paid["status"], "captured");
    let _: Captured = shop.peer.hears(PaymentId::of(order)).await;
    let failed: Vec<Failed> = shop.peer.told(PaymentId::of(order)).await;
    let failures: Vec<Failure> = failed.iter().map(|failed| failed.failure).collect();
    assert_eq!(failures, [Failure::Declined, Failure::InsufficientFunds, Failure::UnknownMethod]);
    assert_eq!(shop.peer.told::<AttemptStarted>(PaymentId::of(order)).await.len(), 4);
}

/// Sends the same request many times at once, to all replicas by turns.
async fn at_once(shop: &Shop, order: OrderId, key: impl Fn(usize) -> String) -> Vec<Answer> {
    let mut asked = tokio::task::JoinSet::new();
    for number in 0..20 {
        let replica = number % shop.replicas.len();
        let request = pay(&shop.alice_at(replica), order, "pm_card_visa", &key(number));
        asked.spawn(request.into_future());
    }
    asked.join_all().await
}

#[tokio::test]
async fn one_key_pays_once_however_often_it_is_sent() {
    let shop = Shop::with(Setup { replicas: 2, ..Setup::default() }).await;
    let order = shop.order().await;

    let answers = at_once(&shop, order, |_| "k".into()).await;

    let first = answers[0].clone().status(201);
    assert_eq!(first["status"], "captured");
    for answer in &answers {
        assert_eq!((answer.status, &answer.text), (201, &first.text));
    }
    assert_eq!(shop.charges(order).await, 1);
    assert_eq!(shop.attempts(order).await.len(), 1);
    assert_eq!(shop.entered(order).await, AMOUNT);
}

#[tokio::test]
async fn many_keys_pay_once() {
    let shop = Shop::with(Setup { replicas: 2, ..Setup::default() }).await;
    let order = shop.order().await;

    let answers = at_once(&shop, order, |number| format!("k{number}")).await;

    let paid = answers.iter().filter(|answer| answer.status == 201).count();
    let refused: Vec<_> = answers.iter().filter(|answer| answer.status != 201).collect();
    assert_eq!(paid, 1);
    for answer in refused {
        assert_eq!(answer.status, 409, "{}", answer.text);
        let kind = answer.text_of("type");
        match kind.rsplit(':').next() {
            Some("payment-in-progress") => assert!(answer.header("retry-after").is_some()),
            other => assert_eq!(other, Some("already-paid")),
        }
    }
    assert_eq!(shop.charges(order).await, 1);
}

#[tokio::test]
async fn a_key_is_for_one_request() {
    let shop = Shop::open().await;
    let (order, other) = (shop.order().await, shop.order().await);
    let _ = pay(&shop.alice(), order, "pm_card_visa", "k").await.status(201);

    let _ = pay(&shop.alice(), order, "pm_card_mastercard", "k").await.status(422);
    let _ = pay(&shop.alice(), other, "pm_card_visa", "k").await.status(422);

    assert_eq!((shop.charges(order).await, shop.charges(other).await), (1, 0));
}

#[tokio::test]
async fn an_order_is_payable_as_soon_as_its_payment_is_due() {
    let shop = Shop::open().await;
    let order = fresh_order();

    let early = pay(&shop.alice(), order, "pm_card_visa", "k").await.status(404);
    shop.peer.tell(&shop.due(order)).await;
    shop.knows(order).await;

    assert_eq!(early.header("retry-after"), Some("1"));
    let _ = pay(&shop.alice(), order, "pm_card_visa", "k").await.status(201);
}

#[tokio::test]
async fn an_order_given_up_takes_no_money() {
    let shop = Shop::open().await;
    let (cancelled, expired) = (shop.order().await, shop.order().await);
    let reason = CancelReason::Customer;

    shop.peer
        .tell(&Cancelled {
            order_id: cancelled,
            reason,
            lines: vec![],
            lost: vec![],
            customer: None,
        })
        .await;
    shop.peer.tell(&Expired { order_id: expired, round: 1, lines: vec![] }).await;

    for order in [cancelled, expired] {
        let id = PaymentId::of(order).to_string();
        shop.holds("payments", doc! { "_id": id, "closed": true }).await;
        let refused = pay(&shop.alice(), order, "pm_card_visa", &order.to_string()).await;
        assert_eq!(refused.status(409)["type"], "urn:souk:problem:order-not-payable");
    }
}

#[tokio::test]
async fn an_order_given_up_before_its_payment_is_due_takes_no_money() {
    let shop = Shop::open().await;
    let order = fresh_order();
    let reason = CancelReason::Customer;

    shop.peer
        .tell(&Cancelled { order_id: order, reason, lines: vec![], lost: vec![], customer: None })
        .await;
    shop.holds("payments", doc! { "_id": PaymentId::of(order).to_string() }).await;
    shop.peer.tell(&shop.due(order)).await;
    shop.knows(order).await;

    let _ = pay(&shop.alice(), order, "pm_card_visa", "k").await.status(409);
}

#[tokio::test]
async fn an_order_is_payable_until_its_time_is_over() {
    let clock = Clock::manual(Clock::system().now());
    let to_pay = Duration::from_mins(1);
    let shop = Shop::with(Setup { clock: clock.clone(), to_pay, ..Setup::default() }).await;
    let (late, extended) = (shop.order().await, shop.order().await);
    let pay_by = clock.now().plus(Duration::from_mins(3));
    shop.peer.tell(&PayByExtended { order_id: extended, pay_by }).await;
    let longer = doc! { "_id": PaymentId::of(extended).to_string(), "pay_by": pay_by.to_string() };
    shop.holds("payments", longer).await;

    clock.advance(Duration::from_mins(2));

    let refused = pay(&shop.alice(), late, "pm_card_visa", "k1").await.status(409);
    assert_eq!(refused["type"], "urn:souk:problem:order-not-payable");
    assert_eq!((&refused["allowed"], &refused["payment_status"]), (&json!([]), &json!(null)));
    assert!(refused["pay_by"].is_string(), "it says since when");
    let _ = pay(&shop.alice(), extended, "pm_card_visa", "k2").await.status(201);
}

#[tokio::test]
async fn a_payment_is_nobody_elses() {
    let shop = Shop::open().await;
    let order = shop.order().await;
    let bob = shop.anyone(UserId::from_uuid(Clock::system().uuid()), Role::Shopper);

    let _ = pay(&bob, order, "pm_card_visa", "k").await.status(404);
    let _ = pay(&shop.nobody(), order, "pm_card_visa", "k").await.status(401);
    let _ = pay(&shop.staff(), order, "pm_card_visa", "k").await.status(404);
    let _ = pay(&shop.alice(), order, "pm_card_visa", "k").await.status(201);

    let path = format!("/api/payments/{}", PaymentId::of(order));
    let _ = bob.get(&path).await.status(404);
    let theirs = bob.get(format!("/api/payments?order_id={order}")).await.status(200);
    assert_eq!(theirs["items"], json!([]));
    let _ = shop.nobody().get(&path).await.status(401);
    assert_eq!(shop.staff().get(&path).await.status(200)["status"], "captured");
}

#[tokio::test]
async fn an_account_pays_for_what_its_guest_ordered() {
    let shop = Shop::open().await;
    let order = shop.order().await;
    let account = UserId::from_uuid(Clock::system().uuid());
    let person = shop.anyone(account, Role::Shopper);
    let _ = pay(&person, order, "pm_card_visa", "k").await.status(404);

    shop.peer.tell(&GuestMerged { guest_id: shop.alice, user_id: account }).await;
    shop.holds("merged_guests", doc! { "_id": shop.alice.to_string() }).await;

    let _ = pay(&person, order, "pm_card_visa", "k").await.status(201);
}

#[tokio::test]
async fn a_cards_number_is_refused_and_repeated_nowhere() {
    const CARD: &str = "4242424242424242";
    let shop = Shop::open().await;
    let order = shop.order().await;
    let alice: Client = shop.alice();
    let asked = |body| alice.post("/api/payments").json(&body).key("k");

    for body in [
        json!({ "order_id": order, "method": CARD }),
        json!({ "order_id": order, "method": "pm_card_visa", "card": "4242 4242 4242 4242" }),
        json!({ "order_id": order, "method": "pm_card_visa", "card": { "number": CARD } }),
        json!({ "order_id": order, "method": "pm_card_visa", CARD: 1 }),
        json!({ "order_id": CARD, "method": "pm_card_visa" }),
    ] {
        let refused = asked(body).await.status(422);
        assert_eq!(refused["type"], "urn:souk:problem:card-number");
        assert!(!refused.text.contains("4242"), "{}", refused.text);
    }
    assert_eq!(shop.charges(order).await, 0);
}

#[tokio::test]
async fn what_makes_no_sense_is_refused() {
    let shop = Shop::open().await;
    let order = shop.order().await;
    let alice = shop.alice();
    let asked = |body| alice.post("/api/payments").json(&body).key("k");

    let _ = asked(json!({ "order_id": order })).await.status(422);
    let _ = asked(json!({ "order_id": "ord_1", "method": "pm" })).await.status(422);
    let _ = asked(json!({ "order_id": order, "method": "" })).await.status(422);
    let _ = asked(json!({ "order_id": order, "method": "a b" })).await.status(422);
    let extra = asked(json!({ "order_id": order, "method": "pm", "amount": 1 })).await.status(422);
    assert_eq!(extra["errors"][0]["pointer"], "/amount");
    let body = json!({ "order_id": order, "method": "pm_card_visa" });
    let _ = alice.post("/api/payments").json(&body).await.status(400);
    let _ = alice.post("/api/payments").body("{").key("k").await.status(415);
    let json = alice.post("/api/payments").header("content-type", "application/json");
    let _ = json.body("{").key("k").await.status(400);
    let _ = alice.get("/api/payments").await.status(400);
    let _ = alice.get("/api/payments?order_id=1").await.status(400);
    let _ = alice.get("/api/payments/pay_1").await.status(400);
}

#[tokio::test]
async fn orders_that_take_no_money_say_why() {
    let shop = Shop::open().await;
    let customer = Some(shop.alice);
    let (free, gone, given_up) = (fresh_order(), fresh_order(), fresh_order());
    let cancelled =
        |order_id, reason| Cancelled { order_id, reason, lines: vec![], lost: vec![], customer };
    shop.peer.tell(&PaymentDue { amount: eur(0), ..shop.due(free) }).await;
    shop.peer.tell(&cancelled(gone, CancelReason::OutOfStock)).await;
    shop.peer.tell(&cancelled(given_up, CancelReason::Customer)).await;
    let bob = shop.anyone(UserId::from_uuid(Clock::system().uuid()), Role::Shopper);

    for (order, reason, detail) in [
        (free, "nothing_to_pay", "the order costs nothing: there is nothing to pay"),
        (gone, "out_of_stock", "the order was cancelled: its goods are out of stock"),
        (given_up, "cancelled", "the order was cancelled"),
    ] {
        shop.holds("payments", doc! { "_id": PaymentId::of(order).to_string() }).await;
        let refused =
            pay(&shop.alice(), order, "pm_card_visa", &order.to_string()).await.status(409);
        assert_eq!(refused["type"], "urn:souk:problem:order-not-payable");
        assert_eq!((&refused["reason"], &refused["detail"]), (&json!(reason), &json!(detail)));
        assert_eq!((&refused["allowed"], refused.header("retry-after")), (&json!([]), None));
        let _ = pay(&bob, order, "pm_card_visa", "k").await.status(404);
        assert_eq!(shop.charges(order).await, 0);
    }
}

#[tokio::test]
async fn mistyped_order_is_not_paid_later() {
    let shop = Shop::open().await;
    let mistyped = "ord_0190b0e1c7f67c3e9d1a000000000001".parse().unwrap();

    let unknown = pay(&shop.alice(), mistyped, "pm_card_visa", "k").await.status(404);

    assert_eq!(unknown.header("retry-after"), None);
    let read = shop.read(mistyped).await.status(404);
    assert_eq!(read.header("retry-after"), None);
}

#[tokio::test]
async fn unreadable_payments_do_not_stop_reconciliation() {
    let clock = Clock::manual(Clock::system().now());
    let shop = Shop::with(Setup { clock: clock.clone(), ..Setup::default() }).await;
    let order = shop.order().await;
    let _ = pay(&shop.alice(), order, "pm_card_authenticationRequired", "k").await.status(201);
    let unreadable = (0..250).map(|number| {
        doc! { "_id": format!("pay_{number:032x}"), "look_at": "2020-01-01T00:00:00.000Z",
        "attempts": "none", "version": 1_i64 }
    });
    shop.collection("payments").insert_many(unreadable).await.unwrap();

    clock.advance(Duration::from_mins(10));

    let failed: Failed = shop.peer.hears(PaymentId::of(order)).await;
    assert_eq!(failed.failure, Failure::CalledOff);
}
