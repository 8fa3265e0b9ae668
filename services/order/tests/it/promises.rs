//! Money that is promised, and collected when the goods are to leave.

use contracts::order::{
    CancelReason, Cancelled, CaptureDue, Paid, RefundDue, RefundReason, Shipped,
};
use contracts::payment::{Authorized, CaptureFailed, Captured, Failure};
use contracts::{AttemptId, OrderId, PaymentId};
use futures_util::future::join_all;
use serde_json::{Value, json};

use crate::acts::refused;
use crate::parcels::mugs;
use crate::shop::{Purchase, Shop, eur};

impl Shop {
    /// Somebody new checks out, and the money is promised.
    async fn sells_on_a_promise(&self) -> (Purchase, AttemptId) {
        let purchase = self.buys_what_is_there().await;
        let promised = self.promise(purchase.order);
        self.peer.tell(&promised).await;
        self.peer.hears::<Paid>(purchase.order).await;
        (purchase, promised.attempt_id)
    }

    fn promise(&self, order_id: OrderId) -> Authorized {
        Authorized {
            payment_id: PaymentId::of(order_id),
            order_id,
            attempt_id: AttemptId::from_uuid(self.clock.uuid()),
            amount: eur(2500),
            capture_by: self.clock.now(),
        }
    }

    fn collected(&self, order: OrderId, attempt_id: AttemptId) -> Captured {
        Captured { attempt_id, ..self.capture(order) }
    }
}

#[tokio::test]
async fn a_parcel_waits_until_its_money_is_collected() {
    let shop = Shop::open().await;
    let (Purchase { order, .. }, attempt) = shop.sells_on_a_promise().await;

    let waits = shop.ships(order, "k").await.status(202);
    assert_eq!((&waits["status"], &waits["carrier"]), (&json!("paid"), &Value::Null));
    assert_eq!(waits["waiting_parcel"]["lines"], mugs(2));
    assert_eq!(shop.ships(order, "k").await.status(202).text, waits.text);
    assert_eq!(shop.ships(order, "again").await.status(202)["version"], waits["version"]);
    let other = shop.sends(0, order, "H-2", mugs(1)).await;
    refused(&other, 409, "order-unfit");
    assert_eq!(other["allowed"], json!(["cancel", "correct_tracking"]));
    let due = shop.peer.hears::<CaptureDue>(order).await;
    assert_eq!(due.payment_id, PaymentId::of(order));
    assert!(shop.peer.told::<Shipped>(order).await.is_empty());
    shop.peer.tell(&shop.collected(order, attempt)).await;

    let shown = shop.until(order, "shipped").await;
    assert_eq!((&shown["tracking"], &shown["waiting_parcel"]), (&json!("H-123456"), &Value::Null));
    assert_eq!(shop.peer.hears::<Shipped>(order).await.lines.len(), 1);
    assert_eq!(shop.peer.told::<CaptureDue>(order).await.len(), 1);
    assert_eq!(shop.peer.dead_letters().await, 0);
}

#[tokio::test]
async fn an_order_whose_money_is_not_collected_is_cancelled() {
    let shop = Shop::open().await;
    let (Purchase { order, .. }, attempt_id) = shop.sells_on_a_promise().await;
    shop.ships(order, "k").await.status(202);
    let payment_id = PaymentId::of(order);
    let failure = Failure::AuthorizationEnded;

    shop.peer.tell(&CaptureFailed { payment_id, order_id: order, attempt_id, failure }).await;

    assert_eq!(shop.peer.hears::<Cancelled>(order).await.reason, CancelReason::NotCollected);
    let shown = shop.until(order, "cancelled").await;
    assert_eq!(shown["cancel_reason"], "not_collected");
    assert_eq!(shown["waiting_parcel"], Value::Null);
    assert!(shop.peer.told::<RefundDue>(order).await.is_empty());
}

#[tokio::test]
async fn promised_money_comes_in_any_order() {
    let shop = Shop::open().await;
    let purchase = shop.buys_what_is_there().await;
    let promised = shop.promise(purchase.order);

    shop.peer.tell(&shop.collected(purchase.order, promised.attempt_id)).await;
    shop.peer.tell(&promised).await;
    shop.peer.tell(&promised).await;
    shop.peer.hears::<Paid>(purchase.order).await;
    shop.has_heard_all().await;

    assert_eq!(shop.ships(purchase.order, "k").await.status(200)["status"], "shipped");
    assert!(shop.peer.told::<CaptureDue>(purchase.order).await.is_empty());
}

/// Whoever cancels while the money is being collected either gets it back or gets the goods.
#[tokio::test]
async fn a_cancel_that_races_the_collection_has_one_outcome() {
    let shop = Shop::with_replicas(2).await;
    let sold = join_all((0..24).map(|_| shop.sells_on_a_promise())).await;
    join_all(sold.iter().map(|(bought, _)| shop.ships(bought.order, "k"))).await;

    let races = sold.iter().enumerate().map(async |(number, (bought, attempt))| {
        let alice = shop.shopper_at(number % 2, bought.customer);
        let cancel = alice.post(format!("/api/orders/{}/cancel", bought.order));
        let collected = shop.collected(bought.order, *attempt);
        match number % 4 {
            0 => {
                shop.peer.tell(&collected).await;
                shop.until(bought.order, "shipped").await;
                cancel.await
            }
            1 => {
                let answer = cancel.await;
                shop.peer.tell(&collected).await;
                answer
            }
            _ => tokio::join!(cancel.into_future(), shop.peer.tell(&collected)).0,
        }
    });
    let answers = join_all(races).await;
    shop.has_heard_all().await;

    for (number, (answer, (bought, _))) in answers.iter().zip(&sold).enumerate() {
        let order = bought.order;
        match answer.status {
            200 => {
                assert_ne!(number % 4, 0);
                let due = shop.peer.hears::<RefundDue>(order).await;
                assert_eq!((due.amount, due.reason), (eur(2500), RefundReason::TooLate));
                assert_eq!(shop.peer.told::<RefundDue>(order).await.len(), 1);
                assert!(shop.peer.told::<Shipped>(order).await.is_empty());
                shop.until(order, "cancelled").await.status(200);
            }
            409 => {
                assert_ne!(number % 4, 1);
                shop.until(order, "shipped").await.status(200);
                shop.peer.hears::<Shipped>(order).await;
                assert!(shop.peer.told::<RefundDue>(order).await.is_empty());
                assert!(shop.peer.told::<Cancelled>(order).await.is_empty());
            }
            other => panic!("{other}: {}", answer.text),
        }
    }
    assert_eq!(shop.peer.dead_letters().await, 0);
}

#[tokio::test]
async fn of_two_who_send_on_a_promise_one_does() {
    let shop = Shop::with_replicas(2).await;
    let (Purchase { order, .. }, _) = shop.sells_on_a_promise().await;

    let answers = join_all((0..8).map(async |number: usize| {
        shop.sends(number % 2, order, &format!("H-{number}"), mugs(1)).await
    }))
    .await;

    assert_eq!(answers.iter().filter(|answer| answer.status == 202).count(), 1);
    assert!(answers.iter().all(|answer| [202, 409].contains(&answer.status)));
    shop.peer.hears::<CaptureDue>(order).await;
    assert_eq!(shop.peer.told::<CaptureDue>(order).await.len(), 1);
}
