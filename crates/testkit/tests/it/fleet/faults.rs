//! Bad luck: services that die, a broker that is away or forgets, databases that are wiped.

use futures_util::future::join_all;
use mongodb::bson::Document;
use serde_json::json;
use testkit::fleet::{Options, Service};
use testkit::{Shopper, eventually};

use super::shop::{SOON, Shop};

/// Buys with patience: whoever is away is asked again, under the same keys.
async fn buys_patiently(shop: &Shop, guest: &Shopper, sku: &str) -> String {
    let line = json!({ "quantity": 1 });
    let accepted = json!({ "expected_total": { "amount": 1250, "currency": "EUR" } });
    let put = guest.client.put(format!("/api/cart/items/{sku}")).json(&line);
    patiently(&put, "the line").await;
    let checkout = guest.client.post("/api/cart/checkout").json(&accepted).key("checkout");
    let order = patiently(&checkout, "the checkout").await.text_of("order_id");
    shop.until(guest, &order, &["reserved"]).await;
    let payment = json!({ "order_id": order, "method": "pm_card_visa" });
    patiently(&guest.client.post("/api/payments").json(&payment).key("pay"), "the payment").await;
    shop.until(guest, &order, &["paid"]).await;
    order
}

async fn patiently(request: &testkit::Request, what: &str) -> testkit::Answer {
    eventually(what, SOON, async || {
        let answer = request.clone().send().await.ok()?;
        answer.is_ok().then_some(answer)
    })
    .await
}

async fn a_purchase_survives_the_death_of(victim: Service) {
    let shop = Shop::open().await;
    let mug = shop.sells("MUG", 1250, 20).await;
    let guests = join_all((0..4).map(|_| shop.guest())).await;

    let killing = async {
        for _ in 0..3 {
            let before = shop.counted(&mug, "MUG").await;
            shop.fleet.kill(victim, 0).await;
            shop.fleet.restart(victim, 0).await.unwrap();
            assert!(before.on_hand >= 0);
        }
    };
    let buying = join_all(guests.iter().map(|guest| buys_patiently(&shop, guest, "MUG")));
    let (orders, ()) = tokio::join!(buying, killing);

    shop.until_counted(&mug, "MUG", 16, 0).await;
    for (guest, order) in guests.iter().zip(&orders) {
        let payments = guest.payments(order).await;
        assert_eq!(payments.len(), 1);
        assert_eq!(payments[0]["status"], "captured");
    }
    shop.nothing_is_dead().await;
}

#[tokio::test]
async fn a_purchase_survives_the_death_of_auth() {
    a_purchase_survives_the_death_of(Service::Auth).await;
}

#[tokio::test]
async fn a_purchase_survives_the_death_of_product() {
    a_purchase_survives_the_death_of(Service::Product).await;
}

#[tokio::test]
async fn a_purchase_survives_the_death_of_cart() {
    a_purchase_survives_the_death_of(Service::Cart).await;
}

#[tokio::test]
async fn a_purchase_survives_the_death_of_order() {
    a_purchase_survives_the_death_of(Service::Order).await;
}

#[tokio::test]
async fn a_purchase_survives_the_death_of_payment() {
    a_purchase_survives_the_death_of(Service::Payment).await;
}

#[tokio::test]
async fn checkouts_are_accepted_while_the_broker_is_away_and_complete_when_it_is_back() {
    let shop = Shop::open_twice().await;
    let mug = shop.sells("MUG", 1250, 5).await;
    let guest = shop.guest().await;
    guest.add("MUG", 1).await;

    shop.world.nats().kill().await;
    let order = guest.checkout().await;
    shop.world.nats().restart().await.unwrap();

    shop.until(&guest, &order, &["reserved"]).await;
    guest.pay(&order, "pm_card_visa").await;
    shop.until(&guest, &order, &["paid"]).await;
    shop.until_counted(&mug, "MUG", 4, 0).await;
    shop.nothing_is_dead().await;
}

#[tokio::test]
async fn what_the_broker_forgot_is_told_again_and_copies_heal() {
    let shop = Shop::open().await;
    let mug = shop.sells("MUG", 1250, 5).await;
    let guest = shop.guest().await;
    guest.add("MUG", 1).await;
    let bought = guest.checkout().await;
    shop.until(&guest, &bought, &["reserved"]).await;
    let other = shop.guest().await;
    other.add("MUG", 1).await;
    shop.fleet.stop(Service::Order).await;
    let unheard = other.checkout().await;

    shop.world.nats().wipe().await.unwrap();
    wipe(&shop, Service::Cart, &["catalogue", "stock"]).await;
    for service in Service::ALL {
        retell(&shop, service).await;
    }
    shop.fleet.start_again(Service::Order).await.unwrap();

    shop.until(&other, &unheard, &["reserved"]).await;
    for (shopper, order) in [(&guest, &bought), (&other, &unheard)] {
        shopper.pay(order, "pm_card_visa").await;
        shop.until(shopper, order, &["paid"]).await;
    }
    let third = shop.guest().await;
    third.buys("MUG", 1, "pm_card_visa").await;
    shop.until_counted(&mug, "MUG", 2, 0).await;
    shop.nothing_is_dead().await;
}

async fn retell(shop: &Shop, service: Service) {
    for how in [["replay", "--since", "1h"].as_slice(), &["replay", "--state"]] {
        let (code, said) = shop.fleet.run(service, how).await.unwrap();
        assert_eq!(code, 0, "{service} {how:?}: {said}");
    }
}

#[tokio::test]
async fn a_wiped_cart_database_rebuilds_its_copies_from_the_streams() {
    let shop = Shop::open().await;
    shop.sells("MUG", 1250, 5).await;
    let before = shop.guest().await;
    before.buys("MUG", 1, "pm_card_visa").await;

    shop.fleet.stop(Service::Cart).await;
    wipe_all(&shop, Service::Cart).await;
    shop.fleet.start_again(Service::Cart).await.unwrap();

    before.buys("MUG", 1, "pm_card_visa").await;
    shop.nothing_is_dead().await;
}

#[tokio::test]
async fn a_wiped_order_database_goes_on_with_new_orders() {
    let shop = Shop::open().await;
    shop.sells("MUG", 1250, 5).await;
    let guest = shop.guest().await;
    guest.buys("MUG", 1, "pm_card_visa").await;

    shop.fleet.stop(Service::Order).await;
    wipe_all(&shop, Service::Order).await;
    shop.fleet.start_again(Service::Order).await.unwrap();

    guest.buys("MUG", 1, "pm_card_visa").await;
}

async fn database(shop: &Shop, service: Service) -> mongodb::Database {
    let client = mongodb::Client::with_uri_str(shop.world.mongo_uri()).await.unwrap();
    client.database(&shop.fleet.database(service))
}

async fn wipe_all(shop: &Shop, service: Service) {
    database(shop, service).await.drop().await.unwrap();
}

async fn wipe(shop: &Shop, service: Service, collections: &[&str]) {
    let database = database(shop, service).await;
    for name in collections {
        let copies = database.collection::<Document>(name);
        copies.delete_many(Document::new()).await.unwrap();
    }
}

#[tokio::test]
async fn a_session_that_ended_is_worth_nothing_in_any_replica() {
    let shop = Shop::open_twice().await;
    let guest = shop.guest().await;
    let asks = [
        (Service::Auth, "/api/auth/me"),
        (Service::Cart, "/api/cart"),
        (Service::Order, "/api/orders"),
        (Service::Payment, "/api/payments?order_id=ord_0190b0e1c7f67c3e9d1a2b3c4d5e6f70"),
    ];
    let token = guest.token().to_owned();
    for (service, path) in asks {
        for number in 0..2 {
            let answer = shop.fleet.replica(service, number).get(path).bearer(&token).await;
            assert_ne!(answer.status, 401, "{service} {number}");
        }
    }

    guest.client.post("/api/auth/logout").await.ok();

    for (service, path) in asks {
        for number in 0..2 {
            eventually(&format!("{service} {number} refuses"), SOON, async || {
                let answer = shop.fleet.replica(service, number).get(path).bearer(&token).await;
                (answer.status == 401).then_some(())
            })
            .await;
        }
    }
}

#[tokio::test]
async fn an_order_expires_while_its_payment_is_on_the_way_and_the_money_finds_an_end() {
    let options = Options::default().env(Service::Order, "SOUK_PAY_BY", "1s").env(
        Service::Order,
        "SOUK_PAY_EXTENSION",
        "1s",
    );
    let shop = Shop::open_with(options).await;
    let mug = shop.sells("MUG", 1250, 3).await;
    let guest = shop.guest().await;
    guest.add("MUG", 1).await;
    let order = guest.checkout().await;
    guest.until(&order, "reserved").await;

    let payment = json!({ "order_id": order, "method": "pm_sandbox_timeout_then_success" });
    let _ = guest.client.post("/api/payments").json(&payment).key("pay").await;

    // Paid in time, revived by late money, or expired before the attempt began: never in between.
    let end = shop.until(&guest, &order, &["paid", "expired"]).await;
    if end["status"] == "paid" {
        shop.until_counted(&mug, "MUG", 2, 0).await;
    }
}
