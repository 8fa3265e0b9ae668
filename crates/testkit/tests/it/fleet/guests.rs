//! A guest who makes an account keeps the cart and the orders, at every replica of every service.

use serde_json::json;
use testkit::fleet::Service;
use testkit::{Shopper, eventually};

use super::shop::{SOON, Shop};

const ALICE: (&str, &str) = ("alice@example.com", "a fine long password");

#[tokio::test]
async fn a_guest_who_registers_keeps_the_cart_and_the_orders() {
    let shop = Shop::open_twice().await;
    shop.sells("MUG", 1250, 9).await;
    shop.sells("TEA", 700, 9).await;
    let guest = shop.guest().await;
    let paid = guest.buys("MUG", 1, "pm_card_visa").await.text_of("id");
    guest.add("TEA", 1).await;
    let open = guest.checkout().await;
    guest.until(&open, "reserved").await;
    guest.add("MUG", 2).await;

    // The first request with the new token finds everything, whoever is asked.
    let alice = Shopper::register(&guest.client, ALICE.0, ALICE.1).await;

    let cart = alice.cart().await;
    assert_eq!(
        (&cart["lines"][0]["sku"], &cart["lines"][0]["quantity"]),
        (&json!("MUG"), &json!(2))
    );
    assert_eq!(alice.order(&paid).await["status"], "paid");
    alice.pay(&open, "pm_card_visa").await;
    alice.until(&open, "paid").await;
    // So it is after another sign-in, whose token no longer says who she was.
    let again = Shopper::sign_in(&shop.client, ALICE.0, ALICE.1).await;
    eventually("her orders are hers for good", SOON, async || {
        let orders = again.client.get("/api/orders").await.ok();
        (orders["items"].as_array().map(Vec::len) == Some(2)).then_some(())
    })
    .await;
    assert_eq!(again.cart().await["lines"], cart["lines"]);
    for (service, path) in [
        (Service::Auth, "/api/auth/me"),
        (Service::Cart, "/api/cart"),
        (Service::Order, "/api/orders"),
    ] {
        for replica in 0..2 {
            let door = shop.fleet.replica(service, replica).with_token(guest.token());
            eventually("the guest is nobody", SOON, async || {
                (door.get(path).await.status == 401).then_some(())
            })
            .await;
        }
    }
    shop.nothing_is_dead().await;
    shop.stop().await;
}
