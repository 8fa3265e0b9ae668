//! Giving money back.

use common::Clock;
use contracts::auth::Role;
use contracts::order::{RefundDue, RefundReason};
use contracts::payment::{RefundCause, RefundFailed, RefundFailure, Refunded};
use contracts::{Event as _, OrderId, PaymentId, RefundId, UserId};
use mongodb::bson::doc;
use serde_json::{Value, json};
use testkit::{Client, Request, eventually};

use crate::shop::{AMOUNT, SOON, Setup, Shop, captured, eur, fresh_order, pay};

async fn paid(shop: &Shop) -> OrderId {
    let order = shop.order().await;
    let _ = pay(&shop.alice(), order, "pm_card_visa", &order.to_string()).await.status(201);
    order
}

fn refund(client: &Client, order: OrderId, body: &Value, key: &str) -> Request {
    let path = format!("/api/payments/{}/refunds", PaymentId::of(order));
    client.post(path).json(body).key(key)
}

fn some(amount: i64) -> Value {
    json!({ "amount": eur(amount), "reason": "chipped" })
}

/// How much the sandbox gave back in all.
async fn given_back(shop: &Shop) -> i64 {
    let mut rows =
        shop.collection("sandbox_refunds").find(doc! { "standing": "done" }).await.unwrap();
    let mut sum = 0;
    while rows.advance().await.unwrap() {
        sum += rows.deserialize_current().unwrap().get_i64("amount").unwrap();
    }
    sum
}

#[tokio::test]
async fn staff_gives_some_back_and_then_the_rest() {
    let shop = Shop::open().await;
    let (order, staff) = (paid(&shop).await, shop.staff());
    let id = PaymentId::of(order);

    let first = refund(&staff, order, &some(1000), "k1").await.status(201);
    assert_eq!((&first["status"], &first["amount"]), (&json!("done"), &json!(eur(1000))));
    let location = format!("/api/payments/{id}/refunds/{}", first.text_of("id"));
    assert_eq!(first.header("location"), Some(location.as_str()));
    assert_eq!(shop.alice().get(&location).await.ok().body, first.body);
    let other = location.replace(&first.text_of("id"), "ref_0190b0e1c7f67c3e9d1a000000000001");
    assert_eq!(staff.get(other).await.status, 404);
    assert_eq!(shop.read(order).await["status"], "partially_refunded");
    let rest = refund(&staff, order, &json!({ "reason": "broken" }), "k2").await.status(201);

    assert_eq!(rest["amount"], json!(eur(1500)));
    let read = shop.read(order).await;
    assert_eq!(read["status"], "refunded");
    assert_eq!(read["refunds"].as_array().map(Vec::len), Some(2));
    eventually("both are told", SOON, async || {
        (shop.peer.told::<Refunded>(id).await.len() == 2).then_some(())
    })
    .await;
    let told: Vec<Refunded> = shop.peer.told(id).await;
    assert_eq!(told.iter().map(|t| t.remaining.amount).collect::<Vec<_>>(), [1500, 0]);
    assert!(told.iter().all(|told| told.cause == RefundCause::Staff));
    assert_eq!((shop.entered(order).await, given_back(&shop).await), (0, AMOUNT));
    let none = refund(&staff, order, &some(1), "k3").await.status(409);
    assert_eq!(none["type"], "urn:souk:problem:nothing-to-refund");
    assert_eq!((&none["payment_status"], &none["allowed"]), (&json!("refunded"), &json!([])));
}

#[tokio::test]
async fn a_refund_with_one_key_is_one() {
    let shop = Shop::open().await;
    let (order, staff) = (paid(&shop).await, shop.staff());

    let mut asked = tokio::task::JoinSet::new();
    for _ in 0..10 {
        asked.spawn(refund(&staff, order, &some(500), "k").into_future());
    }
    let answers = asked.join_all().await;

    for answer in &answers {
        assert_eq!((answer.status, &answer.text), (201, &answers[0].text));
    }
    assert_eq!(given_back(&shop).await, 500);
    let _ = refund(&staff, order, &some(501), "k").await.status(422);
}

#[tokio::test]
async fn refunds_at_once_never_exceed_what_came() {
    let shop = Shop::with(Setup { replicas: 2, ..Setup::default() }).await;
    let (order, staff) = (paid(&shop).await, shop.staff());

    let mut asked = tokio::task::JoinSet::new();
    for number in 0..10 {
        let key = format!("k{number}");
        asked.spawn(refund(&staff, order, &some(1000), &key).into_future());
    }
    let answers = asked.join_all().await;

    let given = answers.iter().filter(|answer| answer.status == 201).count();
    let refused = answers.iter().filter(|answer| answer.status == 409).count();
    assert_eq!((given, refused), (2, 8));
    let one = answers.iter().find(|answer| answer.status == 409).unwrap();
    assert_eq!(one["type"], "urn:souk:problem:refund-too-large");
    assert_eq!(given_back(&shop).await, 2000);
    assert_eq!(shop.entered(order).await, 500);
}

#[tokio::test]
async fn a_refund_is_for_staff_and_makes_sense() {
    let shop = Shop::open().await;
    let (order, unpaid, staff) = (paid(&shop).await, shop.order().await, shop.staff());

    let _ = refund(&shop.alice(), order, &some(1), "k").await.status(403);
    let _ = refund(&shop.nobody(), order, &some(1), "k").await.status(401);
    let _ = refund(&staff, fresh_order(), &some(1), "k").await.status(404);
    let _ = refund(&staff, unpaid, &some(1), "k").await.status(409);
    let _ = refund(&staff, order, &some(0), "k").await.status(422);
    let _ = refund(&staff, order, &some(-1), "k").await.status(422);
    let dollars = json!({ "amount": { "amount": 1, "currency": "USD" }, "reason": "r" });
    let _ = refund(&staff, order, &dollars, "k").await.status(422);
    let _ = refund(&staff, order, &json!({}), "k").await.status(422);
    let _ = refund(&staff, order, &json!({ "reason": " " }), "k").await.status(422);
    let card = json!({ "reason": "to 4242 4242 4242 4242" });
    let _ = refund(&staff, order, &card, "k").await.status(422);

    assert_eq!(given_back(&shop).await, 0);
}

#[tokio::test]
async fn the_order_gets_its_money_back_once() {
    let shop = Shop::open().await;
    let order = paid(&shop).await;
    let payment_id = PaymentId::of(order);
    let due = RefundDue {
        order_id: order,
        payment_id,
        amount: eur(AMOUNT),
        refund_id: Some(RefundId::from_uuid(Clock::system().uuid())),
        reason: RefundReason::Cancelled,
    };

    let told = shop.peer.tell(&due).await;
    shop.peer.tell_again::<RefundDue>(&told).await;
    let refunded: Refunded = shop.peer.hears(payment_id).await;

    assert_eq!((refunded.amount, refunded.remaining), (eur(AMOUNT), eur(0)));
    assert_eq!(Some(refunded.refund_id), due.refund_id);
    shop.peer.tell(&due).await;
    assert_eq!(shop.until(order, "refunded").await["refunds"].as_array().map(Vec::len), Some(1));
    assert_eq!((shop.entered(order).await, given_back(&shop).await), (0, AMOUNT));
    assert_eq!(shop.peer.dead_letters().await, 0);
}

#[tokio::test]
async fn a_refund_that_is_due_before_the_money_is_known_waits() {
    let shop = Shop::open().await;
    let order = shop.order().await;
    let payment_id = PaymentId::of(order);

    shop.peer
        .tell(&RefundDue {
            order_id: order,
            payment_id,
            amount: eur(1000),
            refund_id: None,
            reason: RefundReason::Cancelled,
        })
        .await;
    let _ = pay(&shop.alice(), order, "pm_card_visa", "k").await.status(201);

    let refunded: Refunded = shop.peer.hears(payment_id).await;
    assert_eq!((refunded.amount, refunded.remaining), (eur(1000), eur(1500)));
}

#[tokio::test]
async fn an_order_that_is_paid_twice_gets_the_later_money_back() {
    let shop = Shop::open().await;
    let order = shop.order().await;
    let _ = pay(&shop.alice(), order, "pm_card_chargeDeclined", "k1").await.status(201);
    let first = shop.attempt(order).await;
    let _ = pay(&shop.alice(), order, "pm_card_visa", "k2").await.status(201);

    let _ = shop.webhook(&captured("whk_1", order, &first)).await.status(200);

    let refunded: Refunded = shop.peer.hears(PaymentId::of(order)).await;
    assert_eq!((refunded.amount, refunded.remaining), (eur(AMOUNT), eur(AMOUNT)));
    assert_eq!(shop.read(order).await["status"], "captured");
    assert_eq!((shop.entered(order).await, given_back(&shop).await), (AMOUNT, AMOUNT));
}

#[tokio::test]
async fn fifty_refunds_at_once_of_which_one_fits_are_one() {
    let shop = Shop::with(Setup { replicas: 2, ..Setup::default() }).await;
    let (order, staff) = (paid(&shop).await, UserId::from_uuid(Clock::system().uuid()));
    let token = shop.peer.token(staff, Role::Staff);

    let mut asked = tokio::task::JoinSet::new();
    for number in 0..50 {
        // Sixty of a hundred.
        let client = shop.at(number % 2).with_token(&token);
        let body = some(AMOUNT * 60 / 100);
        asked.spawn(refund(&client, order, &body, &format!("k{number}")).into_future());
    }
    let answers = asked.join_all().await;

    let given = answers.iter().filter(|answer| answer.status == 201).count();
    assert_eq!(given, 1);
    for refused in answers.iter().filter(|answer| answer.status != 201) {
        assert_eq!(refused.status, 409, "{}", refused.text);
        assert_eq!(refused["refundable"], json!(eur(AMOUNT * 40 / 100)));
        assert_eq!(refused["allowed"], json!(["refund"]));
    }
    assert_eq!(given_back(&shop).await, AMOUNT * 60 / 100);
    assert_eq!(shop.entered(order).await, AMOUNT * 40 / 100);
}

#[tokio::test]
async fn a_refund_that_the_provider_refuses_is_an_answer() {
    let shop = Shop::open().await;
    let (order, staff) = (shop.order().await, shop.staff());
    let _ = pay(&shop.alice(), order, "pm_sandbox_refund_refused", "k").await.status(201);
    let id = PaymentId::of(order);

    let first = refund(&staff, order, &some(1000), "k1").await.status(201);

    assert_eq!((&first["status"], &first["failure"]), (&json!("failed"), &json!("refused")));
    let told: RefundFailed = shop.peer.hears(id).await;
    assert_eq!((told.amount, told.failure), (eur(1000), RefundFailure::Refused));
    let repeat = refund(&staff, order, &some(1000), "k1").await.status(201);
    assert_eq!(repeat.text, first.text);
    let all = refund(&staff, order, &json!({ "reason": "broken" }), "k2").await.status(201);
    assert_eq!(all["amount"], json!(eur(AMOUNT)), "its amount is free again");
    assert_eq!((shop.entered(order).await, given_back(&shop).await), (AMOUNT, 0));
    assert_eq!(shop.read(order).await["status"], "captured");
}

#[tokio::test]
async fn a_refund_that_takes_its_time_is_followed() {
    let shop = Shop::open().await;
    let (order, staff) = (shop.order().await, shop.staff());
    let _ = pay(&shop.alice(), order, "pm_sandbox_refund_slow", "k").await.status(201);

    let answer = refund(&staff, order, &some(1000), "k1").await.status(201);

    assert_eq!(answer["status"], "done");
    let told: Refunded = shop.peer.hears(PaymentId::of(order)).await;
    assert_eq!(told.remaining, eur(1500));
    assert_eq!(shop.entered(order).await, 1500);
}

#[tokio::test]
async fn an_order_that_wants_more_than_is_left_gets_what_is_left_and_hears_when_nothing_is() {
    let shop = Shop::open().await;
    let order = paid(&shop).await;
    let id = PaymentId::of(order);
    let _ = refund(&shop.staff(), order, &some(2000), "k1").await.status(201);
    let due = |name| RefundDue {
        order_id: order,
        payment_id: id,
        amount: eur(1000),
        refund_id: Some(name),
        reason: RefundReason::Returned,
    };
    let [some, none] = [0; 2].map(|_| RefundId::from_uuid(Clock::system().uuid()));

    shop.peer.tell(&due(some)).await;
    eventually("what is left goes back", SOON, async || {
        let told = shop.peer.told::<Refunded>(id).await;
        told.iter().any(|told| told.refund_id == some && told.amount == eur(500)).then_some(())
    })
    .await;
    shop.peer.tell(&due(none)).await;

    let failed: RefundFailed = shop.peer.hears(id).await;
    assert_eq!((failed.refund_id, failed.amount), (none, eur(1000)));
    assert_eq!(failed.failure, RefundFailure::NothingLeft);
    assert_eq!((shop.entered(order).await, given_back(&shop).await), (0, AMOUNT));
    let refunds = shop.read(order).await["refunds"].as_array().unwrap().clone();
    let shown: Vec<_> = refunds.iter().map(|refund| refund["status"].as_str().unwrap()).collect();
    assert_eq!(shown, ["done", "done", "failed"]);
}

#[tokio::test]
async fn a_refund_of_which_the_end_is_found_later_still_says_what_asked_for_it() {
    let shop = Shop::open().await;
    let order = shop.order().await;
    let _ = pay(&shop.alice(), order, "pm_sandbox_refund_slow", "k").await.status(201);
    let refund_id = Some(RefundId::from_uuid(Clock::system().uuid()));
    let (payment_id, reason) = (PaymentId::of(order), RefundReason::Returned);
    let due = RefundDue { order_id: order, payment_id, amount: eur(1000), refund_id, reason };

    let asked = shop.peer.tell(&due).await;
    let _: Refunded = shop.peer.hears(payment_id).await;

    let told = shop.peer.envelopes("PAYMENT").await;
    let refunded = told.iter().find(|told| told.event_type == Refunded::TYPE.type_name()).unwrap();
    assert_eq!(refunded.causationid, asked.id.to_string());
    assert_eq!(refunded.correlationid, asked.correlationid);
}
