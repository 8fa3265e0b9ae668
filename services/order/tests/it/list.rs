//! Lists of orders, and who sees what.

use std::time::Duration;

use common::identity::Claims;
use contracts::auth::{GuestMerged, Role};
use contracts::{OrderId, UserId};
use serde_json::Value;
use testkit::{Client, eventually};

use crate::shop::{SOON, Shop, signed};

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
