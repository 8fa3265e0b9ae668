//! What Stripe says by itself, in bodies as it documents them.

use std::time::Duration;

use aws_lc_rs::hmac::{HMAC_SHA256, Key, sign};
use contracts::payment::{
    ActionRequired, Authorized, Captured, DisputeClosed, Disputed, Failed, Failure, RefundFailed,
};
use contracts::{OrderId, PaymentId, Timestamp};
use mongodb::bson::doc;
use payment::config::Capture;
use serde_json::{Value, json};
use testkit::Answer;

use super::flows::shop;
use super::front::{Fault, Front};
use super::{ASKS, GOOD, SECRETS};
use crate::shop::{AMOUNT, Shop, eur, fresh_order, pay};

const SUCCEEDED: &str = include_str!("events/payment_intent.succeeded.json");
const FAILED: &str = include_str!("events/payment_intent.payment_failed.json");
const CANCELED: &str = include_str!("events/payment_intent.canceled.json");
const REQUIRES_ACTION: &str = include_str!("events/payment_intent.requires_action.json");
const CAPTURABLE: &str = include_str!("events/payment_intent.amount_capturable_updated.json");
const PROCESSING: &str = include_str!("events/payment_intent.processing.json");
const REFUND_UPDATED: &str = include_str!("events/refund.updated.json");
const REFUND_FAILED: &str = include_str!("events/refund.failed.json");
const REFUNDED: &str = include_str!("events/charge.refunded.json");
const DISPUTED: &str = include_str!("events/charge.dispute.created.json");
const DISPUTE_LOST: &str = include_str!("events/charge.dispute.closed.json");

/// A shop with an order, and a try to pay for it by Stripe.
struct Case {
    front: Front,
    shop: Shop,
    order: OrderId,
    refund: String,
}

impl Case {
    /// The shopper's bank asks them to confirm.
    async fn asked(capture: Capture) -> Self {
        let case = Self::open(capture).await;
        let card = case.front.card(ASKS).await;
        let asked = pay(&case.shop.alice(), case.order, &card, "k").await.status(201);
        assert_eq!(asked["status"], "requires_action");
        case
    }

    async fn paid() -> Self {
        let case = Self::open(Capture::AtOnce).await;
        let _ = pay(&case.shop.alice(), case.order, GOOD, "k").await.status(201);
        case
    }

    async fn open(capture: Capture) -> Self {
        let front = Front::open().await;
        let shop = shop(&front, capture).await;
        let order = shop.order().await;
        Self { front, shop, order, refund: String::new() }
    }

    /// Staff gives some of the money back.
    async fn refunded(mut self) -> Self {
        let path = format!("/api/payments/{}/refunds", self.payment());
        let some = json!({ "amount": eur(1000), "reason": "chipped" });
        let done = self.shop.staff().post(path).json(&some).key("k").await.status(201);
        self.refund = done.text_of("id");
        self
    }

    fn payment(&self) -> PaymentId {
        PaymentId::of(self.order)
    }

    /// A body with the names of this case.
    async fn body(&self, event: &str) -> String {
        let intent = self.front.intents().await.pop().unwrap_or_default();
        event
            .replace("{intent}", intent["id"].as_str().unwrap_or("pi_elsewhere"))
            .replace("{order_id}", &self.order.to_string())
            .replace("{payment_id}", &self.payment().to_string())
            .replace("{attempt_id}", &self.shop.attempt(self.order).await)
            .replace("{refund_id}", &self.refund)
    }

    async fn says(&self, event: &str) -> Answer {
        let body = self.body(event).await;
        self.send(&body, &signature(&body, SECRETS[1], self.shop.now())).await
    }

    async fn send(&self, body: &str, signature: &str) -> Answer {
        let hook = self.shop.nobody().post("/api/payments/webhooks/stripe");
        hook.body(body).header("stripe-signature", signature).await
    }

    async fn kept(&self) -> u64 {
        self.shop.count("webhooks", doc! {}).await
    }
}

fn signature(body: &str, secret: &str, at: Timestamp) -> String {
    let seconds = at.as_millis() / 1000;
    let key = Key::new(HMAC_SHA256, secret.as_bytes());
    let tag = sign(&key, format!("{seconds}.{body}").as_bytes());
    let hex: Vec<String> = tag.as_ref().iter().map(|byte| format!("{byte:02x}")).collect();
    format!("t={seconds},v1={}", hex.concat())
}

#[tokio::test]
async fn money_that_came_counts_once() {
    let case = Case::asked(Capture::AtOnce).await;

    for _ in 0..3 {
        let _ = case.says(SUCCEEDED).await.status(200);
    }

    assert_eq!(case.shop.read(case.order).await["status"], "captured");
    let _: Captured = case.shop.peer.hears(case.payment()).await;
    assert_eq!(case.shop.peer.told::<Captured>(case.payment()).await.len(), 1);
    assert_eq!((case.shop.entered(case.order).await, case.kept().await), (AMOUNT, 1));
}

#[tokio::test]
async fn a_card_without_money_is_declined() {
    let case = Case::asked(Capture::AtOnce).await;

    let _ = case.says(FAILED).await.status(200);

    let failed: Failed = case.shop.peer.hears(case.payment()).await;
    assert_eq!(failed.failure, Failure::InsufficientFunds);
}

#[tokio::test]
async fn what_was_cancelled_at_stripe_is_called_off() {
    let case = Case::asked(Capture::AtOnce).await;

    let _ = case.says(CANCELED).await.status(200);

    let failed: Failed = case.shop.peer.hears(case.payment()).await;
    assert_eq!(failed.failure, Failure::CalledOff);
}

#[tokio::test]
async fn news_that_is_none_changes_nothing() {
    let case = Case::asked(Capture::AtOnce).await;

    for event in [PROCESSING, REQUIRES_ACTION, SUCCEEDED, PROCESSING, REQUIRES_ACTION, FAILED] {
        let _ = case.says(event).await.status(200);
    }

    assert_eq!(case.shop.read(case.order).await["status"], "captured");
    let told = case.shop.peer.told::<ActionRequired>(case.payment()).await;
    assert!(told.len() <= 1, "{told:?}");
    assert_eq!(case.shop.entered(case.order).await, AMOUNT);
}

#[tokio::test]
async fn money_that_is_promised_is_waited_for() {
    let case = Case::asked(Capture::AtShipping).await;

    let _ = case.says(CAPTURABLE).await.status(200);

    assert_eq!(case.shop.read(case.order).await["status"], "authorized");
    let told: Authorized = case.shop.peer.hears(case.payment()).await;
    assert_eq!(told.capture_by, "2026-02-05T06:00:00Z".parse().unwrap());
}

#[tokio::test]
async fn a_refund_that_failed_is_told() {
    let case = Case::paid().await.refunded().await;

    for event in [REFUND_UPDATED, REFUNDED] {
        let _ = case.says(event).await.status(200);
    }
    assert_eq!(case.shop.entered(case.order).await, AMOUNT - 1000);
    let _ = case.says(REFUND_FAILED).await.status(200);

    let failed: RefundFailed = case.shop.peer.hears(case.payment()).await;
    assert_eq!((failed.refund_id.to_string(), failed.amount), (case.refund.clone(), eur(1000)));
    assert_eq!(case.shop.entered(case.order).await, AMOUNT);
}

#[tokio::test]
async fn a_dispute_is_known_by_its_payment() {
    let case = Case::paid().await;
    let withdrawn = DISPUTED.replace("dispute.created", "dispute.funds_withdrawn");

    for event in [DISPUTED, &withdrawn, DISPUTED] {
        let _ = case.says(event).await.status(200);
    }
    let disputed: Disputed = case.shop.peer.hears(case.payment()).await;
    let _ = case.says(DISPUTE_LOST).await.status(200);

    assert_eq!(disputed.amount, eur(AMOUNT));
    let closed: DisputeClosed = case.shop.peer.hears(case.payment()).await;
    assert!(!closed.won);
    assert_eq!(case.shop.peer.told::<Disputed>(case.payment()).await.len(), 1);
    assert_eq!((case.shop.entered(case.order).await, case.kept().await), (0, 2));
}

#[tokio::test]
async fn a_dispute_is_sent_again_when_stripe_cannot_be_asked_whose_it_is() {
    let case = Case::paid().await;
    (0..4).for_each(|_| case.front.fail("", Fault::Fails));

    let _ = case.says(DISPUTED).await.status(503);
    let _ = case.says(DISPUTED).await.status(200);

    let _: Disputed = case.shop.peer.hears(case.payment()).await;
}

#[tokio::test]
async fn either_secret_will_do_while_one_replaces_the_other() {
    let case = Case::asked(Capture::AtOnce).await;
    let (body, now) = (case.body(PROCESSING).await, case.shop.now());
    let [old, new] = SECRETS.map(|secret| signature(&body, secret, now));
    let both = format!("{old},{}", new.split_once(',').unwrap().1);

    for signature in [old, new, both] {
        let _ = case.send(&body, &signature).await.status(200);
    }
}

#[tokio::test]
async fn what_stripe_did_not_sign_moves_nothing() {
    let case = Case::asked(Capture::AtOnce).await;
    let (body, now) = (case.body(SUCCEEDED).await, case.shop.now());
    let good = signature(&body, SECRETS[0], now);

    let forged = [
        String::new(),
        "t=1,v1=00".to_owned(),
        signature(&body, "whsec_another", now),
        signature(&body, SECRETS[0], now.minus(Duration::from_mins(6))),
        good.replace("v1=", "v0="),
    ];
    for signature in forged {
        let refused = case.send(&body, &signature).await.status(400);
        assert_eq!(refused["type"], "urn:souk:problem:webhook-not-trusted");
    }
    let _ = case.send(&format!("{body} "), &good).await.status(400);

    assert_eq!(case.shop.read(case.order).await["status"], "requires_action");
    assert_eq!(case.kept().await, 0);
}

#[tokio::test]
async fn what_is_not_the_shops_is_heard_and_left() {
    let case = Case::asked(Capture::AtOnce).await;
    let mut others: Value = serde_json::from_str(&case.body(SUCCEEDED).await).unwrap();
    others["data"]["object"]["metadata"] = json!({ "cart": "7" });
    let elsewhere = DISPUTED.replace("{intent}", "pi_of_another_till");

    for event in [&others.to_string(), &elsewhere, r#"{"type":"payout.paid"}"#, "[]", "not json"] {
        let _ = case.says(event).await.status(200);
    }

    assert_eq!(case.kept().await, 0);
}

#[tokio::test]
async fn what_comes_before_its_payment_waits() {
    let case = Case::asked(Capture::AtOnce).await;
    let early = SUCCEEDED.replace("{payment_id}", &PaymentId::of(fresh_order()).to_string());

    let _ = case.says(&early).await.status(200);

    case.shop.holds("webhooks", doc! { "state": "waiting" }).await;
}

#[tokio::test]
async fn nothing_personal_is_kept() {
    let case = Case::paid().await.refunded().await;

    for event in [SUCCEEDED, FAILED, REFUND_UPDATED, DISPUTED, REFUNDED] {
        let _ = case.says(event).await.status(200);
    }

    let mut kept = case.shop.collection("webhooks").find(doc! {}).await.unwrap();
    while kept.advance().await.unwrap() {
        let row = kept.deserialize_current().unwrap().to_string();
        for personal in ["Alice", "example.com", "192.0.2.1", "Berlin", "9995"] {
            assert!(!row.contains(personal), "{row}");
        }
    }
}
