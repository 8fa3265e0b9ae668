//! SKUs that were corrected or freed while they lie in a cart, and that another product took.

use contracts::auth::Role;
use contracts::cart::CheckedOut;
use contracts::product::{State, Variant};
use contracts::{Currency, Money};
use serde_json::{Value, json};
use testkit::{Answer, eventually};

use crate::shelf::{BOB, SOON, Shelf, put, state, stock, variant};

fn euro() -> Money {
    Money::new(100, Currency::EUR)
}

/// A new product takes this SKU, and it is known.
async fn is_taken_by(shelf: &Shelf, product: &str, sku: &str) {
    let taken = State { variants: vec![variant(sku, euro())], ..state(product, 100, false) };
    shelf.peer.tell(&taken).await;
    shelf.peer.tell(&stock(sku, 50)).await;
    let bob = shelf.client.with_token(shelf.peer.token(BOB, Role::Shopper));
    eventually("the SKU leads to the new product", SOON, async || {
        let cart = put(&bob, sku, 1).await;
        let _ = bob.delete("/api/cart").await;
        (cart["lines"][0]["title"] == taken.title.as_str()).then_some(())
    })
    .await;
}

async fn check_out(shelf: &Shelf, key: &str) -> Answer {
    let accepted = json!({ "expected_total": euro() });
    shelf.alice.post("/api/cart/checkout").json(&accepted).key(key).await
}

/// SKU, title and problems of each line.
fn shown(cart: &Answer) -> Vec<[&Value; 3]> {
    let lines = cart["lines"].as_array().unwrap();
    lines.iter().map(|line| [&line["sku"], &line["title"], &line["problems"]]).collect()
}

#[tokio::test]
async fn corrected_and_taken_sku_still_buys_its_product() {
    let shelf = Shelf::open().await;
    shelf.sells("W-x", 100, 50).await;
    put(&shelf.alice, "W-x", 1).await.ok();
    let shoes = state("W-x", 100, false);
    let corrected =
        Variant { former_skus: vec!["W-x".parse().unwrap()], ..variant("W2-x", euro()) };
    shelf.peer.tell(&State { variants: vec![corrected], ..shoes.clone() }).await;
    shelf.peer.tell(&stock("W2-x", 50)).await;
    shelf.until_known("W2-x").await;
    is_taken_by(&shelf, "SOCKS", "W-x").await;

    let cart = shelf.alice.get("/api/cart").await.ok();
    let bought = check_out(&shelf, "shoes").await;

    assert_eq!(shown(&cart), [[&json!("W2-x"), &json!("A W-x"), &json!([])]]);
    assert_eq!(bought.status, 202, "{}", bought.text);
    let event: CheckedOut = shelf.peer.hears(cart.text_of("id")).await;
    assert_eq!((event.lines.len(), event.lines[0].product_id), (1, shoes.product_id));
    assert_eq!(event.lines[0].sku.as_str(), "W2-x");
}

#[tokio::test]
async fn freed_and_taken_sku_is_no_longer_sold() {
    let shelf = Shelf::open().await;
    shelf.sells("LAMP", 100, 50).await;
    put(&shelf.alice, "LAMP", 1).await.ok();
    shelf.peer.tell(&State { variants: vec![], ..state("LAMP", 100, true) }).await;
    is_taken_by(&shelf, "SPOON", "LAMP").await;

    let dead = shelf.alice.get("/api/cart").await.ok();
    let refused = check_out(&shelf, "lamp").await.status(409);
    let spoon = put(&shelf.alice, "LAMP", 1).await.ok();
    let bought = check_out(&shelf, "spoon").await;

    assert_eq!(shown(&dead), [[&json!("LAMP"), &Value::Null, &json!(["no_longer_sold"])]]);
    assert_eq!(refused["type"], "urn:souk:problem:cart-has-problems");
    assert_eq!(shown(&spoon), [[&json!("LAMP"), &json!("A SPOON"), &json!([])]]);
    assert_eq!(bought.status, 202, "{}", bought.text);
}

#[tokio::test]
async fn a_dead_line_can_be_removed() {
    let shelf = Shelf::open().await;
    shelf.sells("LAMP", 100, 50).await;
    put(&shelf.alice, "LAMP", 1).await.ok();
    shelf.peer.tell(&State { variants: vec![], ..state("LAMP", 100, true) }).await;
    is_taken_by(&shelf, "SPOON", "LAMP").await;

    let cart = shelf.alice.delete("/api/cart/items/LAMP").await.ok();

    assert_eq!(cart["lines"], json!([]));
}
