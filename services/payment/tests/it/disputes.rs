//! Money that banks take back.

use contracts::PaymentId;
use contracts::payment::{DisputeClosed, Disputed};
use mongodb::bson::doc;
use serde_json::json;

use crate::shop::{AMOUNT, Shop, captured, eur, pay};

/// How much one account of the ledger holds for a payment.
async fn balance(shop: &Shop, id: PaymentId, account: &str) -> i64 {
    let of_it = doc! { "payment_id": id.to_string(), "account": account };
    let mut entries = shop.collection("ledger").find(of_it).await.unwrap();
    let mut sum = 0;
    while entries.advance().await.unwrap() {
        let entry = entries.deserialize_current().unwrap();
        sum += entry.get_document("amount").unwrap().get_i64("amount").unwrap();
    }
    sum
}

#[tokio::test]
async fn a_dispute_is_told_until_it_is_over() {
    for (method, won) in [("pm_sandbox_dispute_won", true), ("pm_sandbox_dispute_lost", false)] {
        let shop = Shop::open().await;
        let order = shop.order().await;
        let id = PaymentId::of(order);
        let _ = pay(&shop.alice(), order, method, "k").await.status(201);

        let opened: Disputed = shop.peer.hears(id).await;
        assert_eq!(opened.amount, eur(AMOUNT));
        let closed: DisputeClosed = shop.peer.hears(id).await;

        assert_eq!((closed.won, closed.amount), (won, eur(AMOUNT)));
        let kept = if won { AMOUNT } else { 0 };
        assert_eq!(shop.entered(order).await, kept);
        assert_eq!(balance(&shop, id, "disputed").await, 0);
        assert_eq!(balance(&shop, id, "losses").await, AMOUNT - kept);
        let status = if won { "won" } else { "lost" };
        let read = shop.read(order).await;
        assert_eq!(
            (&read["status"], &read["disputes"][0]["status"]),
            (&json!("captured"), &json!(status))
        );
        let refund = shop.staff().post(format!("/api/payments/{id}/refunds"));
        let refund = refund.json(&json!({ "reason": "broken" })).key("r").await;
        assert_eq!(refund.status, if won { 201 } else { 409 }, "{}", refund.text);
    }
}

#[tokio::test]
async fn the_end_of_a_dispute_may_come_first_and_before_the_money() {
    let shop = Shop::open().await;
    let order = shop.order().await;
    let id = PaymentId::of(order);
    let method = "pm_card_authenticationRequired";
    let _ = pay(&shop.alice(), order, method, "k").await.status(201);
    let attempt = shop.attempt(order).await;
    let dispute = |name: &str, kind: &str| {
        let mut webhook = captured(name, order, &attempt);
        webhook["type"] = json!(kind);
        webhook
    };

    let _ = shop.webhook(&dispute("whk_3", "dispute.lost")).await.status(200);
    let _ = shop.webhook(&dispute("whk_2", "dispute.opened")).await.status(200);
    let waiting = doc! { "state": "waiting", "_id": "sandbox:whk_3" };
    shop.holds("webhooks", waiting).await;
    assert_eq!(shop.entered(order).await, 0);
    let _ = shop.webhook(&dispute("whk_1", "charge.captured")).await.status(200);

    let closed: DisputeClosed = shop.peer.hears(id).await;
    assert!(!closed.won);
    shop.holds("webhooks", doc! { "state": "applied", "_id": "sandbox:whk_2" }).await;
    assert_eq!(shop.peer.told::<Disputed>(id).await.len(), 1);
    assert_eq!(shop.peer.told::<DisputeClosed>(id).await.len(), 1);
    assert_eq!(
        (balance(&shop, id, "disputed").await, balance(&shop, id, "losses").await),
        (0, AMOUNT)
    );
}
