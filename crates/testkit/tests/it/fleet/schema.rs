//! What each service answers is what its document says, whatever it is asked.

mod nearly;

use serde_json::{Value, json};
use testkit::fleet::Service;
use testkit::schemathesis::{Paths, Run, Schemathesis};
use testkit::{Shopper, full};

use super::shop::Shop;

/// What ends the sign-in of the one who asks.
const LEAVING: Paths = Paths::With("/(logout|password|sessions)");
const STAYING: Paths = Paths::Without("/(logout|password|sessions)");

const ALICE: &str = "alice@example.com";
const PASSWORD: &str = "a fine long password";

#[tokio::test]
async fn every_service_answers_as_its_document_says() {
    let Some(schemathesis) = Schemathesis::find().await.unwrap() else { return };
    let shop = Shop::open().await;
    let alice = Shopper::register(&shop.client, ALICE, PASSWORD).await;
    let known = somethings(&shop, &alice).await;

    let mut found = Vec::new();
    for (who, service, paths) in runs() {
        // A run takes about as long as a token is good.
        let token = match who {
            "staff" => testkit::Staff::sign_in(&shop.client).await.client.token().to_owned(),
            "somebody who leaves" => shop.guest().await.token().to_owned(),
            _ => Shopper::sign_in(&shop.client, ALICE, PASSWORD).await.token().to_owned(),
        };
        let (examples, seed) = effort();
        let document = format!("{}{}/openapi.json", shop.fleet.base(service), service.paths()[0]);
        let run = Run { document, token, known: known.clone(), paths, examples, seed };
        if let Err(said) = schemathesis.run(&run).await.unwrap() {
            found.push(format!("{service}, asked by {who}:\n{said}"));
        }
    }

    assert!(found.is_empty(), "{}", found.join("\n"));
    shop.nothing_is_dead().await;
}

/// Who asks which service for what. Staff ask auth last: it lets nobody in for a while from where so
/// many guessed.
fn runs() -> Vec<(&'static str, Service, Paths)> {
    let others = [Service::Product, Service::Cart, Service::Order, Service::Payment];
    let staff = others.map(|service| ("staff", service, STAYING));
    let shoppers = [Service::Cart, Service::Order, Service::Payment];
    let shoppers = shoppers.map(|service| ("a shopper", service, STAYING));
    let auth = [("somebody who leaves", LEAVING), ("staff", STAYING)];
    let auth = auth.map(|(who, paths)| (who, Service::Auth, paths));
    [&staff[..], &shoppers, &auth].concat()
}

/// How many requests are made up of each kind, and from what.
fn effort() -> (u32, u64) {
    if full() { (300, 2) } else { (5, 1) }
}

/// What is there to be asked for: something of everything.
async fn somethings(shop: &Shop, alice: &Shopper) -> Value {
    let product = shop.sells("CUP", 1250, 1000).await;
    let order = alice.buys("CUP", 2, "pm_card_visa").await.text_of("id");
    let payment = alice.payments(&order).await[0]["id"].clone();
    alice.add("CUP", 1).await;
    json!({
        "/api/auth/users": { "id": alice.id },
        "/api/products": { "id": product, "sku": "CUP" },
        "/api/cart": { "sku": "CUP" },
        "/api/orders": { "id": order },
        "/api/payments": { "id": payment, "order_id": order },
    })
}
