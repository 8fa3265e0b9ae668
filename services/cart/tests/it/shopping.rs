//! Filling a cart and buying it.

use contracts::auth::Role;
use contracts::cart::CheckedOut;
use futures_util::future::join_all;
use serde_json::json;
use testkit::eventually;

use crate::shelf::{ALICE, BOB, SOON, Shelf, put, state, stock};

#[tokio::test]
async fn a_cart_shows_what_it_costs_now() {
    let shelf = Shelf::open().await;
    shelf.sells("MUG", 1250, 5).await;
    shelf.sells("TEA", 700, 5).await;

    put(&shelf.alice, "MUG", 1).await.ok();
    put(&shelf.alice, "TEA", 3).await.ok();
    let cart = put(&shelf.alice, "MUG", 2).await.ok();

    assert_eq!(cart["total"], json!({ "amount": 4600, "currency": "EUR" }));
    assert_eq!(cart["lines"][0]["title"], "A MUG");
    assert_eq!(cart["lines"][0]["line_total"]["amount"], 2500);
    let cart = shelf.alice.delete("/api/cart/items/MUG").await.ok();
    assert_eq!(cart["total"]["amount"], 2100);
    shelf.alice.delete("/api/cart").await.status(204);
    assert_eq!(shelf.alice.get("/api/cart").await.ok()["lines"], json!([]));
}

#[tokio::test]
async fn nobody_sees_anothers_cart() {
    let shelf = Shelf::open().await;
    shelf.sells("MUG", 1250, 5).await;
    put(&shelf.alice, "MUG", 1).await.ok();
    let bob = shelf.client.with_token(shelf.peer.token(BOB, Role::Shopper));

    assert_eq!(bob.get("/api/cart").await.ok()["lines"], json!([]));
    shelf.client.get("/api/cart").await.status(401);
}

#[tokio::test]
async fn an_edit_of_a_cart_that_changed_meanwhile_is_refused() {
    let shelf = Shelf::open().await;
    shelf.sells("MUG", 1250, 5).await;
    let seen = put(&shelf.alice, "MUG", 1).await.ok().etag().to_owned();
    put(&shelf.alice, "MUG", 2).await.ok();

    let edit = shelf.alice.put("/api/cart/items/MUG").json(&json!({ "quantity": 5 }));
    edit.clone().if_match(&seen).await.status(412);
    let now = shelf.alice.get("/api/cart").await.ok().etag().to_owned();
    edit.if_match(&format!("W/{now}")).await.ok();
}

#[tokio::test]
async fn a_tag_changes_with_prices_and_problems() {
    let shelf = Shelf::open().await;
    shelf.sells("MUG", 1250, 5).await;
    put(&shelf.alice, "MUG", 3).await.ok();
    let known = |tag: &str| shelf.alice.get("/api/cart").header("if-none-match", tag);
    let first = shelf.alice.get("/api/cart").await.ok();
    known(first.etag()).await.status(304);

    let changed = async |from: &str, what: &str| {
        eventually(what, SOON, async || {
            Some(known(from).await).filter(|answer| answer.status == 200)
        })
        .await
    };
    shelf.peer.tell(&state("MUG", 1350, false)).await;
    let dearer = changed(first.etag(), "the price changed").await;
    shelf.peer.tell(&stock("MUG", 1)).await;
    let scarce = changed(dearer.etag(), "there is too little").await;

    assert_eq!(dearer["total"]["amount"], 3 * 1350);
    assert_ne!(scarce["lines"][0]["problems"], json!([]));
    assert_eq!(first["version"], scarce["version"], "the cart itself is the same");
    let edit = shelf.alice.put("/api/cart/items/MUG").json(&json!({ "quantity": 1 }));
    edit.if_match(first.etag()).await.ok();
}

#[tokio::test]
async fn only_what_is_new_is_put_when_asked() {
    let shelf = Shelf::open().await;
    shelf.sells("MUG", 1250, 5).await;
    let mug = shelf.alice.put("/api/cart/items/MUG").json(&json!({ "quantity": 2 }));
    let new = |tag: &str| mug.clone().header("if-none-match", tag);

    let first = new("*").await.ok();
    let again = new("*").await.status(412);
    let known = new(first.etag()).await.status(412);
    let other = new("\"9-ffffffff\"").await.ok();
    new("nonsense").await.status(400);
    shelf.alice.delete("/api/cart/items/MUG").if_match(other.etag()).await.ok();
    new("*").await.ok();

    assert_eq!(again["type"], "urn:souk:problem:exists-already");
    assert_eq!(known["type"], "urn:souk:problem:stale");
}

#[tokio::test]
async fn an_edit_of_a_cart_that_went_is_refused() {
    let shelf = Shelf::open().await;
    shelf.sells("MUG", 1250, 5).await;
    let mug = shelf.alice.put("/api/cart/items/MUG").json(&json!({ "quantity": 2 }));
    let empty = shelf.alice.get("/api/cart").await.ok();

    mug.clone().if_match("\"7-0a1b2c3d\"").await.status(412);
    mug.if_match(empty.etag()).await.ok();
}

#[tokio::test]
async fn what_the_shop_does_not_sell_cannot_be_put_into_a_cart() {
    let shelf = Shelf::open().await;

    let refused = put(&shelf.alice, "GHOST", 1).await.status(422);

    assert_eq!(refused["type"], "urn:souk:problem:not-for-sale");
}

#[tokio::test]
async fn what_changes_while_it_lies_in_a_cart_is_shown_and_not_charged_unseen() {
    let shelf = Shelf::open().await;
    shelf.sells("MUG", 1250, 5).await;
    put(&shelf.alice, "MUG", 1).await.ok();
    let accepted = json!({ "expected_total": { "amount": 1250, "currency": "EUR" } });
    let checkout = shelf.alice.post("/api/cart/checkout").json(&accepted);

    shelf.peer.tell(&state("MUG", 1500, false)).await;
    eventually("the new price", SOON, async || {
        (shelf.alice.get("/api/cart").await["total"]["amount"] == 1500).then_some(())
    })
    .await;
    let refused = checkout.clone().key("a").await.status(409);
    assert_eq!(refused["type"], "urn:souk:problem:total-changed");
    assert_eq!(refused["total"]["amount"], 1500);

    shelf.peer.tell(&state("MUG", 1500, true)).await;
    eventually("its end", SOON, async || {
        let cart = shelf.alice.get("/api/cart").await;
        (cart["lines"][0]["problems"] == json!(["no_longer_sold"])).then_some(())
    })
    .await;
    let refused = checkout.key("b").await.status(409);
    assert_eq!(refused["type"], "urn:souk:problem:cart-has-problems");
}

#[tokio::test]
async fn checkout_is_told_once_however_often_it_is_sent() {
    let shelf = Shelf::open().await;
    shelf.sells("MUG", 1250, 5).await;
    put(&shelf.alice, "MUG", 2).await.ok();
    let accepted = json!({ "expected_total": { "amount": 2500, "currency": "EUR" } });
    let checkout = shelf.alice.post("/api/cart/checkout").json(&accepted).key("once");

    let answers = join_all((0..20).map(|_| checkout.clone().into_future())).await;

    assert!(answers.iter().all(|answer| answer.status == 202 && answer.text == answers[0].text));
    let order = answers[0].text_of("order_id");
    assert_eq!(answers[0].header("location"), Some(format!("/api/orders/{order}").as_str()));
    let cart = shelf.alice.get("/api/cart").await.ok();
    assert_eq!(cart["lines"], json!([]));
    let told: CheckedOut = shelf.peer.hears(cart.text_of("id")).await;
    assert_eq!((told.order_id.to_string(), told.customer), (order, ALICE));
    assert_eq!(told.total.amount, 2500);
    assert_eq!(shelf.peer.told::<CheckedOut>(cart.text_of("id")).await.len(), 1);
    let other = json!({ "expected_total": { "amount": 1, "currency": "EUR" } });
    shelf.alice.post("/api/cart/checkout").json(&other).key("once").await.status(422);
    shelf.alice.post("/api/cart/checkout").json(&other).await.status(400);
    shelf.alice.post("/api/cart/checkout").json(&other).key("new").await.status(409);
}
