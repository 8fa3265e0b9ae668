//! Orders paid by Stripe, through the running service.

use std::time::Duration;

use common::Clock;
use contracts::order::{CancelReason, Cancelled, CaptureDue};
use contracts::payment::{Authorized, CaptureFailed, Captured, Failure, Refunded};
use contracts::{OrderId, PaymentId};
use futures_util::future::join;
use mongodb::bson::doc;
use payment::config::{Capture, ProviderName};
use serde_json::json;
use testkit::eventually;

use super::front::{Fault, Front};
use super::{ASKS, BAD, GOOD, SECRETS, config};
use crate::shop::{AMOUNT, SOON, Setup, Shop, eur, pay};

/// A shop that is paid by Stripe.
pub(super) async fn shop(front: &Front, capture: Capture) -> Shop {
    Shop::with(setup(front, capture)).await
}

fn setup(front: &Front, capture: Capture) -> Setup {
    Setup {
        provider: ProviderName::Stripe,
        stripe: config(front),
        provider_timeout: Duration::from_secs(3),
        capture,
        ..Setup::default()
    }
}

async fn open(capture: Capture) -> (Front, Shop) {
    let front = Front::open().await;
    let shop = shop(&front, capture).await;
    (front, shop)
}

async fn cancel(shop: &Shop, order_id: OrderId) {
    let reason = CancelReason::Customer;
    shop.peer
        .tell(&Cancelled { order_id, reason, lines: Vec::new(), lost: vec![], customer: None })
        .await;
}

/// Waits until the one intent there is has this status.
async fn is(front: &Front, status: &str) {
    eventually(&format!("the intent is {status}"), SOON, async || {
        (front.intents().await[0]["status"] == status).then_some(())
    })
    .await;
}

#[tokio::test]
async fn an_order_is_paid_once() {
    let (front, shop) = open(Capture::AtOnce).await;
    let order = shop.order().await;

    let first = pay(&shop.alice(), order, GOOD, "k").await.status(201);
    let again = pay(&shop.alice(), order, GOOD, "k").await.status(201);

    assert_eq!((&first["status"], &first.body), (&json!("captured"), &again.body));
    let captured: Captured = shop.peer.hears(PaymentId::of(order)).await;
    assert_eq!(captured.amount, eur(AMOUNT));
    assert_eq!(front.taken().await, [AMOUNT]);
    assert_eq!(shop.entered(order).await, AMOUNT);
}

#[tokio::test]
async fn a_repeat_at_another_replica_takes_no_more_money() {
    let front = Front::open().await;
    let shop = Shop::with(Setup { replicas: 2, ..setup(&front, Capture::AtOnce) }).await;
    let order = shop.order().await;
    let (one, other) = (shop.alice_at(0), shop.alice_at(1));

    let (first, again) =
        tokio::join!(pay(&one, order, GOOD, "k").send(), pay(&other, order, GOOD, "k").send());

    assert_eq!(first.unwrap().ok()["status"], "captured");
    assert_eq!(again.unwrap().ok()["status"], "captured");
    assert_eq!(front.taken().await, [AMOUNT]);
}

#[tokio::test]
async fn another_card_is_tried_after_one_that_is_declined() {
    let (front, shop) = open(Capture::AtOnce).await;
    let order = shop.order().await;

    let declined = pay(&shop.alice(), order, BAD, "k1").await.status(201);
    let unknown = pay(&shop.alice(), order, "pm_nobodys", "k2").await.status(201);
    let paid = pay(&shop.alice(), order, GOOD, "k3").await.status(201);

    assert_eq!(
        (&declined["status"], &declined["failure"]),
        (&json!("declined"), &json!("declined"))
    );
    assert_eq!(unknown["failure"], "unknown_method");
    assert_eq!(paid["status"], "captured");
    assert_eq!(front.taken().await, [AMOUNT]);
}

#[tokio::test]
async fn a_shopper_confirms_and_stripe_says_so_by_itself() {
    let (front, shop) = open(Capture::AtOnce).await;
    let hook = shop.nobody().url("/api/payments/webhooks/stripe");
    front.send_webhooks(&hook, SECRETS[1]).await;
    let order = shop.order().await;
    let card = front.card(ASKS).await;

    let asked = pay(&shop.alice(), order, &card, "k").await.status(201);
    assert_eq!(asked["status"], "requires_action");
    let url = asked["next_action"]["url"].as_str().unwrap();
    let intent = url.rsplit('/').next().unwrap();
    front.authenticate(intent, true).await;

    shop.until(order, "captured").await;
    let ours =
        doc! { "notice.about.payment": PaymentId::of(order).to_string(), "state": "applied" };
    shop.holds("webhooks", ours).await;
    assert_eq!(front.taken().await, [AMOUNT]);
    assert_eq!(shop.entered(order).await, AMOUNT);
}

#[tokio::test]
async fn what_waits_for_the_shopper_ends_with_the_order() {
    let (front, shop) = open(Capture::AtOnce).await;
    let order = shop.order().await;
    let card = front.card(ASKS).await;
    let _ = pay(&shop.alice(), order, &card, "k").await.status(201);

    cancel(&shop, order).await;

    is(&front, "canceled").await;
    let read = shop.until(order, "declined").await;
    assert_eq!(read["failure"], "called_off");
}

#[tokio::test]
async fn promised_money_is_collected_when_the_goods_are_sent() {
    let (front, shop) = open(Capture::AtShipping).await;
    let order_id = shop.order().await;
    let payment_id = PaymentId::of(order_id);

    let promised = pay(&shop.alice(), order_id, GOOD, "k").await.status(201);
    assert_eq!(promised["status"], "authorized");
    let _: Authorized = shop.peer.hears(payment_id).await;
    assert!(front.taken().await.is_empty());
    let due = shop.peer.tell(&CaptureDue { order_id, payment_id }).await;
    shop.peer.tell_again::<CaptureDue>(&due).await;

    shop.until(order_id, "captured").await;
    let _: Captured = shop.peer.hears(payment_id).await;
    assert_eq!(front.taken().await, [AMOUNT]);
    assert_eq!(shop.entered(order_id).await, AMOUNT);
}

#[tokio::test]
async fn promised_money_is_let_go_when_the_order_is_given_up() {
    let (front, shop) = open(Capture::AtShipping).await;
    let order = shop.order().await;
    let _ = pay(&shop.alice(), order, GOOD, "k").await.status(201);

    cancel(&shop, order).await;

    is(&front, "canceled").await;
    assert!(front.taken().await.is_empty());
    assert_eq!(shop.entered(order).await, 0);
}

#[tokio::test]
async fn some_money_goes_back_and_then_the_rest() {
    let (front, shop) = open(Capture::AtOnce).await;
    let order = shop.order().await;
    let _ = pay(&shop.alice(), order, GOOD, "k").await.status(201);
    let (staff, path) = (shop.staff(), format!("/api/payments/{}/refunds", PaymentId::of(order)));
    let some = json!({ "amount": eur(1000), "reason": "chipped" });

    for _ in 0..2 {
        let part = staff.post(&path).json(&some).key("k1").await;
        assert_eq!(part.ok()["status"], "done");
    }
    let rest = staff.post(&path).json(&json!({ "reason": "broken" })).key("k2").await;

    assert_eq!(rest.ok()["amount"], json!(eur(AMOUNT - 1000)));
    let _: Refunded = shop.peer.hears(PaymentId::of(order)).await;
    assert_eq!(shop.read(order).await["status"], "refunded");
    assert_eq!(shop.entered(order).await, 0);
    assert_eq!(front.given_back().await.iter().sum::<i64>(), AMOUNT);
}

#[tokio::test]
async fn a_payment_whose_answer_never_comes_is_found() {
    for (path, fault) in [
        ("/payment_intents", Fault::Silent),
        ("/confirm", Fault::Silent),
        ("/confirm", Fault::AnswerLost),
    ] {
        let (front, shop) = open(Capture::AtOnce).await;
        let order = shop.order().await;
        front.fail(path, fault);

        let _ = pay(&shop.alice(), order, GOOD, "k").await.ok();

        shop.until(order, "captured").await;
        let again = pay(&shop.alice(), order, GOOD, "k").await.status(201);
        assert_eq!(again["status"], "captured");
        assert_eq!((front.taken().await, front.intents().await.len()), (vec![AMOUNT], 1));
    }
}

#[tokio::test]
async fn a_capture_that_stripe_refuses_is_given_up_within_minutes() {
    let (front, clock) = (Front::open().await, Clock::manual(Clock::system().now()));
    let setup = Setup { clock: clock.clone(), ..setup(&front, Capture::AtShipping) };
    let shop = Shop::with(setup).await;
    let order_id = shop.order().await;
    let payment_id = PaymentId::of(order_id);
    let _ = pay(&shop.alice(), order_id, GOOD, "k").await.status(201);
    front.fail("/capture", Fault::Refuses);

    shop.peer.tell(&CaptureDue { order_id, payment_id }).await;
    let refused = doc! { "_id": payment_id.to_string(), "attempts.refused": { "$exists": true } };
    shop.holds("payments", refused).await;
    clock.advance(Duration::from_mins(3));

    let failed: CaptureFailed = shop.peer.hears(payment_id).await;
    assert_eq!(failed.failure, Failure::CalledOff);
    is(&front, "canceled").await;
    assert!(front.taken().await.is_empty());
}

#[tokio::test]
async fn a_promise_that_arrives_after_the_order_was_given_up_is_not_answered_as_under_way() {
    let (front, shop) = open(Capture::AtShipping).await;
    let order = shop.order().await;
    front.fail("/confirm", Fault::Held);
    let closed = doc! { "_id": PaymentId::of(order).to_string(), "closed": true };
    let meanwhile = async {
        eventually("it is under way", SOON, async || front.asked("/confirm").pop()).await;
        cancel(&shop, order).await;
        shop.holds("payments", closed).await;
        front.let_go();
    };

    let (answer, ()) = join(pay(&shop.alice(), order, GOOD, "k").into_future(), meanwhile).await;

    let answer = answer.status(201);
    assert_eq!((&answer["status"], &answer["failure"]), (&json!("declined"), &json!("called_off")));
    assert_eq!(pay(&shop.alice(), order, GOOD, "k").await.status(201).body, answer.body);
    assert!(front.taken().await.is_empty());
}
