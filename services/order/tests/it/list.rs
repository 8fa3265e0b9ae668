//! Lists of orders, and who sees what.

use std::collections::BTreeSet;
use std::time::Duration;

use common::identity::Claims;
use contracts::auth::{GuestMerged, Role};
use contracts::cart::{self, CheckedOut};
use contracts::order::Refunded;
use contracts::{OrderId, Quantity, UserId};
use mongodb::bson::doc;
use serde_json::{Value, json};
use testkit::{Client, eventually};

use crate::shop::{SOON, Shop, eur, signed};

impl Shop {
    /// Somebody checks out so many carts, a minute apart.
    async fn buy(&self, customer: UserId, orders: usize) -> Vec<String> {
        let mut bought = Vec::new();
        for _ in 0..orders {
            let mut cart = self.cart();
            cart.customer = customer;
            bought.push(self.checks_out(cart).await.order_id.to_string());
            self.clock.advance(Duration::from_secs(1));
        }
        bought
    }
}

/// The ids on all pages of a list.
async fn ids(client: &Client, path: &str) -> Vec<String> {
    let (mut ids, mut next) = (Vec::new(), path.to_owned());
    loop {
        let page = client.get(next).await.ok();
        let items = page["items"].as_array().unwrap();
        ids.extend(items.iter().map(|order| order["id"].as_str().unwrap().to_owned()));
        let Some(cursor) = page["next_cursor"].as_str() else { return ids };
        next = format!("{path}{}cursor={cursor}", if path.contains('?') { '&' } else { '?' });
    }
}

#[tokio::test]
async fn everyone_sees_their_own_orders_and_staff_sees_all() {
    let shop = Shop::open().await;
    let (alice, bob) = (shop.person(), shop.person());
    let mut hers = shop.buy(alice, 5).await;
    let mut his = shop.buy(bob, 1).await;
    hers.reverse();

    assert_eq!(ids(&shop.shopper(alice), "/api/orders?limit=2").await, hers);
    assert_eq!(ids(&shop.shopper(bob), "/api/orders").await, his);
    assert!(ids(&shop.staff(), "/api/orders").await.is_empty());
    his.append(&mut hers);
    assert_eq!(ids(&shop.staff(), "/api/orders?all=true&limit=2").await, his);
}

#[tokio::test]
async fn orders_of_one_moment_are_all_listed() {
    let shop = Shop::open().await;
    let mut placed = Vec::new();
    for _ in 0..7 {
        placed.push(shop.buys().await.order.to_string());
    }

    let mut listed = ids(&shop.staff(), "/api/orders?all=true&limit=3").await;

    listed.sort();
    placed.sort();
    assert_eq!(listed, placed);
}

#[tokio::test]
async fn staff_find_the_orders_that_are_to_be_sent() {
    let shop = Shop::open().await;
    shop.buys().await;
    let paid = shop.sells().await.order.to_string();

    let staff = shop.staff();
    assert_eq!(ids(&staff, "/api/orders?all=true&status=paid").await, [paid]);
    assert!(ids(&staff, "/api/orders?all=true&status=expired").await.is_empty());
    assert_eq!(staff.get("/api/orders?status=lost").await.status, 400);
    assert_eq!(staff.get("/api/orders?colour=blue").await.status, 400);
    assert_eq!(staff.get("/api/orders?cursor=x").await.status, 400);
}

#[tokio::test]
async fn an_order_shows_what_was_bought() {
    let shop = Shop::open().await;
    let cart = shop.checks_out(shop.cart()).await;
    let alice = shop.shopper(cart.customer);

    let order = alice.get(format!("/api/orders/{}", cart.order_id)).await.ok();

    let total: Value = serde_json::to_value(cart.total).unwrap();
    assert_eq!((&order["total"], &order["subtotal"]), (&total, &total));
    let line = &order["lines"][0];
    assert_eq!((&line["sku"], &line["quantity"]), (&"MUG-BLUE".into(), &2.into()));
    assert_eq!((&line["options"]["colour"], &line["line_total"]), (&"blue".into(), &total));
    assert_eq!((order["status"].as_str(), &order["pay_by"]), (Some("placed"), &Value::Null));
    assert_eq!(order["placed_at"], shop.clock.now().to_string());
    assert!(order.etag().starts_with(&format!("\"{}-", order["version"])));
}

#[tokio::test]
async fn what_a_guest_bought_is_the_accounts_after_the_merge() {
    let shop = Shop::open().await;
    let (guest, account, stranger) = (shop.person(), shop.person(), shop.person());
    let before = shop.buy(guest, 1).await;
    let order: OrderId = before[0].parse().unwrap();

    // The first token after the merge says it, before the event is heard.
    let claims = Claims { merged_from: Some(guest), ..shop.claims(account, Role::Shopper) };
    let alice = shop.anyone().with_token(signed(&claims));
    assert_eq!(ids(&alice, "/api/orders").await, before);
    shop.peer.tell(&GuestMerged { guest_id: guest, user_id: account }).await;

    let alice = shop.shopper(account);
    eventually("the guest's order is theirs", SOON, async || {
        alice.get(format!("/api/orders/{order}")).await.is_ok().then_some(())
    })
    .await;
    let after = shop.buy(guest, 1).await;
    assert_eq!(ids(&alice, "/api/orders").await, [after, before].concat());
    let cancelled = alice.post(format!("/api/orders/{order}/cancel")).await.ok();
    assert_eq!(cancelled["cancel_reason"], "customer");
    let bob = shop.shopper(stranger);
    assert_eq!(bob.get(format!("/api/orders/{order}")).await.status, 404);
}

#[tokio::test]
async fn a_guests_order_is_the_accounts_for_staff() {
    let shop = Shop::open().await;
    let (guest, account) = (shop.person(), shop.person());
    let before = shop.buy(guest, 2).await;
    let customer = async |order: &str| {
        let shown = shop.staff().get(format!("/api/orders/{order}")).await.ok();
        (shown["customer"].clone(), shown["guest"].clone())
    };

    shop.peer.tell(&GuestMerged { guest_id: guest, user_id: account }).await;
    let theirs = (json!(account), json!(guest));
    for order in &before {
        eventually("the order is the account's", SOON, async || {
            (customer(order).await == theirs).then_some(())
        })
        .await;
    }

    let late = shop.buy(guest, 1).await;
    assert_eq!(customer(&late[0]).await, (json!(account), Value::Null));
    let listed = shop.staff().get("/api/orders?all=true").await.ok();
    let owners: Vec<_> =
        listed["items"].as_array().unwrap().iter().map(|it| &it["customer"]).collect();
    assert_eq!(owners, [&json!(account); 3]);
}

/// A cart of 100 different things with long names.
fn large(shop: &Shop) -> CheckedOut {
    let cart = shop.cart();
    let line = |number: u32| cart::Line {
        sku: format!("SKU-{number}").parse().unwrap(),
        title: "x".repeat(200),
        options: [("size".to_owned(), "y".repeat(100))].into(),
        quantity: Quantity::new(1).unwrap(),
        unit_price: eur(25),
        line_total: eur(25),
        ..cart.lines[0].clone()
    };
    CheckedOut { lines: (0..100).map(line).collect(), ..cart }
}

#[tokio::test]
async fn page_of_large_orders_is_small() {
    let shop = Shop::open().await;
    for _ in 0..100 {
        shop.peer.tell(&large(&shop)).await;
    }
    let page = eventually("all are placed", SOON, async || {
        let page = shop.staff().get("/api/orders?all=true&limit=100").await.ok();
        (page["items"].as_array().unwrap().len() == 100).then_some(page)
    })
    .await;

    assert!(page.text.len() < 128 * 1024, "{} bytes", page.text.len());
    let order = &page["items"][0];
    assert_eq!((&order["line_count"], &order["piece_count"]), (&json!(100), &json!(100)));
    assert_eq!((&order["lines"], &order["total"]["amount"]), (&Value::Null, &json!(2500)));
    assert_eq!(order["title"], "x".repeat(200));
}

#[tokio::test]
async fn listed_order_shows_what_went_back() {
    let shop = Shop::open().await;
    let order = shop.sells().await.order;
    shop.peer.tell(&shop.refund(order, 500)).await;
    shop.peer.hears::<Refunded>(order).await;

    let listed = shop.staff().get("/api/orders?all=true&status=paid").await.ok();

    let order = &listed["items"][0];
    assert_eq!((&order["refunded"]["amount"], &order["status"]), (&json!(500), &json!("paid")));
    assert_eq!(order["not_given_back"], Value::Null);
}

#[tokio::test]
async fn unreadable_orders_are_passed_over_in_lists() {
    let shop = Shop::open().await;
    let mut orders = Vec::new();
    for _ in 0..6 {
        orders.push(shop.sells().await.order);
    }
    let unreadable = [doc! { "lines": "none" }, doc! { "sums": "none" }, doc! { "status": 5 }];
    for (order, change) in orders[3..].iter().zip(unreadable) {
        let this = doc! { "_id": order.to_string() };
        shop.stored("orders").update_one(this, doc! { "$set": change }).await.unwrap();
    }

    let first = shop.staff().get("/api/orders?all=true&limit=2").await.ok();
    let cursor = first["next_cursor"].as_str().unwrap();
    let next = shop.staff().get(format!("/api/orders?all=true&limit=2&cursor={cursor}")).await.ok();

    let items = [&first, &next].map(|page| page["items"].as_array().unwrap().clone()).concat();
    let listed: BTreeSet<_> = items.iter().map(|item| item["id"].as_str().unwrap()).collect();
    let readable: Vec<_> = orders[..3].iter().map(ToString::to_string).collect();
    assert_eq!(listed, readable.iter().map(String::as_str).collect());
    assert_eq!(items.len(), 3);
}
