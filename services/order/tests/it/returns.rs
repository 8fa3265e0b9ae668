//! Goods that come back.

use std::time::Duration;

use contracts::OrderId;
use contracts::order::{
    Completed, RefundDue, RefundReason, RestockDue, ReturnApproved, ReturnReceived, ReturnRejected,
    ReturnRequested,
};
use futures_util::future::join_all;
use serde_json::{Value, json};
use testkit::{Answer, Client, Request, eventually};

use crate::acts::refused;
use crate::parcels::mugs;
use crate::shop::{Purchase, SOON, Shop, eur};

const RETURNS: Duration = Duration::from_hours(24 * 14);

impl Shop {
    /// Somebody new has two mugs.
    async fn sold_and_delivered(&self) -> Purchase {
        let purchase = self.sells().await;
        self.ships(purchase.order, "s").await.status(200);
        let deliver = format!("/api/orders/{}/deliver", purchase.order);
        self.staff().post(deliver).await.status(200);
        purchase
    }

    /// Staff, who ask this replica, do something about the only return.
    async fn minds(
        &self,
        replica: usize,
        asked: &Answer,
        act: &str,
        body: Option<Value>,
    ) -> Answer {
        let path = format!("{}/{act}", asked.header("location").unwrap());
        let request = self.staff_at(replica).post(path);
        body.map_or(request.clone(), |body| request.json(&body)).await
    }
}

fn sends_back(alice: &Client, order: OrderId, lines: &Value, key: &str) -> Request {
    let body = json!({ "lines": lines, "reason": "Too small" });
    alice.post(format!("/api/orders/{order}/returns")).json(&body).key(key)
}

#[tokio::test]
async fn goods_go_the_whole_way_back() {
    let shop = Shop::with_replicas(2).await;
    let Purchase { customer, order } = shop.sold_and_delivered().await;
    let alice = shop.shopper_at(1, customer);

    let asked = sends_back(&alice, order, &mugs(1), "k").await.status(201);
    assert_eq!(sends_back(&alice, order, &mugs(1), "k").await.status(201).text, asked.text);
    assert_eq!((&asked["status"], &asked["lines"]), (&json!("requested"), &mugs(1)));
    assert_eq!(asked["reason"], "Too small");
    let location = format!("/api/orders/{order}/returns/{}", asked.text_of("id"));
    assert_eq!(asked.header("location"), Some(location.as_str()));
    assert_eq!(alice.get(&location).await.ok().body, asked.body);
    let bob = shop.shopper(shop.person());
    refused(&bob.get(&location).await, 404, "not-found");
    let approved = shop.minds(0, &asked, "approve", None).await.status(200);
    assert_eq!(approved["returns"][0]["status"], "approved");
    let body = json!({ "restock": true });
    let received = shop.minds(1, &asked, "receive", Some(body.clone())).await.status(200);
    assert_eq!(received["returns"][0]["status"], "received");
    let again = shop.minds(0, &asked, "receive", Some(body)).await.status(200);
    assert_eq!(again["version"], received["version"]);
    let due = shop.peer.hears::<RefundDue>(order).await;
    assert_eq!((due.amount, due.reason), (eur(1250), RefundReason::Returned));
    assert_eq!(shop.peer.hears::<RestockDue>(order).await.lines[0].quantity.get(), 1);
    shop.goes_back(&due, 1250).await;

    eventually("the return is refunded", SOON, async || {
        let shown = alice.get(format!("/api/orders/{order}")).await.ok();
        (shown["returns"][0]["status"] == "refunded").then_some(())
    })
    .await;
    assert_eq!(shop.peer.told::<ReturnRequested>(order).await.len(), 1);
    assert_eq!(shop.peer.told::<ReturnApproved>(order).await.len(), 1);
    assert_eq!(shop.peer.told::<ReturnReceived>(order).await.len(), 1);
    assert_eq!(shop.peer.told::<RefundDue>(order).await.len(), 1);
    shop.clock.advance(RETURNS);
    shop.peer.hears::<Completed>(order).await;
}

#[tokio::test]
async fn an_order_waits_for_its_return() {
    let shop = Shop::open().await;
    let Purchase { customer, order } = shop.sold_and_delivered().await;
    let other = shop.sold_and_delivered().await;
    let asked = sends_back(&shop.shopper(customer), order, &mugs(1), "k").await.status(201);

    shop.clock.advance(RETURNS);
    shop.peer.hears::<Completed>(other.order).await;
    assert_eq!(shop.until(order, "delivered").await["returns"][0]["status"], "requested");
    let rejected = shop.minds(0, &asked, "reject", None).await.status(200);

    assert_eq!(rejected["returns"][0]["status"], "rejected");
    shop.peer.hears::<ReturnRejected>(order).await;
    shop.peer.hears::<Completed>(order).await;
    let late = sends_back(&shop.shopper(customer), order, &mugs(1), "l").await;
    refused(&late, 409, "order-unfit");
    assert_eq!(late["order_status"], "completed");
}

#[tokio::test]
async fn nobody_minds_returns_but_staff() {
    let shop = Shop::open().await;
    let Purchase { customer, order } = shop.sold_and_delivered().await;
    let (alice, bob) = (shop.shopper(customer), shop.shopper(shop.person()));
    refused(&sends_back(&bob, order, &mugs(1), "k").await, 404, "not-found");
    let asked = sends_back(&alice, order, &mugs(1), "k").await.status(201);
    let id = asked["id"].as_str().unwrap();

    for act in ["approve", "reject", "receive"] {
        let path = format!("/api/orders/{order}/returns/{id}/{act}");
        refused(&alice.post(&path).await, 403, "forbidden");
        let typo = shop.staff().post(&path).json(&json!({ "reson": "x" })).await;
        refused(&typo, 422, "invalid");
        refused(&shop.anyone().post(&path).await, 401, "unauthorized");
        let unknown = path.replace(id, "ret_0190b0e1c7f67c3e9d1a000000000001");
        refused(&shop.staff().post(&unknown).await, 404, "not-found");
        refused(&shop.staff().post(path.replace(id, "1")).await, 400, "malformed");
    }
}

#[tokio::test]
async fn a_return_says_what_may_be_done_about_it() {
    let shop = Shop::open().await;
    let Purchase { customer, order } = shop.sold_and_delivered().await;
    let alice = shop.shopper(customer);
    let asked = sends_back(&alice, order, &mugs(2), "k").await.status(201);

    let early = shop.minds(0, &asked, "receive", None).await;
    refused(&early, 409, "return-unfit");
    assert_eq!(
        (&early["return_status"], &early["order_status"]),
        (&json!("requested"), &json!("delivered"))
    );
    assert_eq!(early["allowed"], json!(["approve", "reject"]));
    let more = sends_back(&alice, order, &mugs(1), "l").await;
    refused(&more, 409, "too-many-pieces");
    shop.minds(0, &asked, "approve", None).await.status(200);
    let late = shop.minds(0, &asked, "reject", None).await;
    refused(&late, 409, "return-unfit");
    assert_eq!(late["allowed"], json!(["receive"]));
    let unknown = json!({ "lines": [{ "sku": "CUP", "quantity": 1 }] });
    refused(&shop.minds(0, &asked, "receive", Some(unknown)).await, 422, "invalid");
    let some = json!({ "lines": mugs(1) });
    let received = shop.minds(0, &asked, "receive", Some(some)).await.status(200);
    assert_eq!(received["returns"][0]["received_lines"], mugs(1));
    assert_eq!(shop.peer.hears::<RefundDue>(order).await.amount, eur(1250));
    assert!(shop.peer.told::<RestockDue>(order).await.is_empty());
}

#[tokio::test]
async fn of_many_who_send_the_same_piece_back_two_do() {
    let shop = Shop::with_replicas(2).await;
    let Purchase { customer, order } = shop.sold_and_delivered().await;
    let one = mugs(1);

    let asked = (0..8).map(|number| {
        let alice = shop.shopper_at(number % 2, customer);
        sends_back(&alice, order, &one, &format!("k-{number}")).into_future()
    });
    let answers = join_all(asked).await;

    assert_eq!(answers.iter().filter(|answer| answer.status == 201).count(), 2);
    assert!(answers.iter().all(|answer| [201, 409].contains(&answer.status)));
}
