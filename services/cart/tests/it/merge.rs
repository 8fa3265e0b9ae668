//! Guests who turn out to be the people of accounts.

use contracts::auth::{GuestMerged, Role};
use contracts::cart::CheckedOut;
use contracts::product::State;
use contracts::{Currency, Money, UserId};
use futures_util::future::join_all;
use serde_json::{Value, json};
use testkit::{Client, eventually};
use uuid::Uuid;

use crate::shelf::{ALICE, BOB, SOON, Shelf, put, start, state, variant};

/// A guest in these tests: the shelf's own asks with a guest's token.
const GUEST: UserId = ALICE;
const MERGED: GuestMerged = GuestMerged { guest_id: GUEST, user_id: BOB };

fn bob(shelf: &Shelf) -> Client {
    shelf.client.with_token(shelf.peer.token(BOB, Role::Shopper))
}

/// Bob with the first token after he was the guest.
fn just_merged(shelf: &Shelf) -> Client {
    shelf.client.with_token(shelf.peer.token_merged_from(GUEST, BOB))
}

async fn pieces(client: &Client) -> Vec<(String, u64)> {
    let cart = client.get("/api/cart").await.ok();
    let line = |line: &Value| {
        (line["sku"].as_str().unwrap().to_owned(), line["quantity"].as_u64().unwrap())
    };
    cart["lines"].as_array().unwrap().iter().map(line).collect()
}

/// Bob has two mugs, the guest three and a tea.
async fn both_shop(shelf: &Shelf) {
    shelf.sells("MUG", 1250, 50).await;
    shelf.sells("TEA", 700, 50).await;
    put(&bob(shelf), "MUG", 2).await.ok();
    put(&shelf.alice, "MUG", 3).await.ok();
    put(&shelf.alice, "TEA", 1).await.ok();
}

/// Waits until another guest, who is told of now, came to another account.
async fn hears_what_is_told(shelf: &Shelf) {
    let [guest_id, user_id] =
        [0xda4e, 0xe4e].map(|number| UserId::from_uuid(Uuid::from_u128(number)));
    let as_person = |id, role| shelf.client.with_token(shelf.peer.token(id, role));
    put(&as_person(guest_id, Role::Guest), "MUG", 1).await.ok();
    shelf.peer.tell(&GuestMerged { guest_id, user_id }).await;
    eventually("another guest is heard of", SOON, async || {
        (!pieces(&as_person(user_id, Role::Shopper)).await.is_empty()).then_some(())
    })
    .await;
}

fn both() -> Vec<(String, u64)> {
    vec![("MUG".to_owned(), 5), ("TEA".to_owned(), 1)]
}

#[tokio::test]
async fn the_event_brings_what_a_guest_had() {
    let shelf = Shelf::open().await;
    both_shop(&shelf).await;

    shelf.peer.tell(&MERGED).await;

    eventually("it is there", SOON, async || (pieces(&bob(&shelf)).await == both()).then_some(()))
        .await;
    let _ = shelf.alice.get("/api/cart").await.status(401);
}

#[tokio::test]
async fn the_first_request_brings_it_without_the_event() {
    let shelf = Shelf::open().await;
    both_shop(&shelf).await;

    assert_eq!(pieces(&just_merged(&shelf)).await, both());

    // Neither the event nor another request brings it again.
    shelf.peer.tell(&MERGED).await;
    shelf.peer.tell(&MERGED).await;
    hears_what_is_told(&shelf).await;
    assert_eq!(pieces(&just_merged(&shelf)).await, both());
    assert_eq!(shelf.peer.dead_letters().await, 0);
}

#[tokio::test]
async fn many_first_requests_at_two_replicas_bring_it_once() {
    let shelf = Shelf::open().await;
    both_shop(&shelf).await;
    let other = start(&shelf.world, &shelf.database).await;
    let token = shelf.peer.token_merged_from(GUEST, BOB);
    let there = Client::at(format!("http://{}", other.http)).with_token(&token);
    let here = shelf.client.with_token(&token);
    eventually("keys are known there", SOON, async || {
        (there.get("/api/cart/docs").await.status == 200).then_some(())
    })
    .await;

    let told = shelf.peer.tell(&MERGED);
    let asked = join_all((0..20).map(|turn| pieces([&here, &there][turn % 2])));
    let (seen, _) = tokio::join!(asked, told);

    assert!(seen.iter().all(|pieces| *pieces == both()), "{seen:?}");
}

#[tokio::test]
async fn lines_that_a_guest_puts_in_while_merging_are_not_lost() {
    let shelf = Shelf::open().await;
    shelf.sells("MUG", 1250, 500).await;
    let names: Vec<_> = (0..12).map(|number| format!("S{number}")).collect();
    for name in &names {
        shelf.sells(name, 100, 5).await;
    }

    let guest = join_all(names.iter().map(|name| put(&shelf.alice, name, 1)));
    let (put_in, _) = tokio::join!(guest, async { just_merged(&shelf).get("/api/cart").await });

    // What was acknowledged is in one of the carts, and the guest's is closed.
    let said: Vec<_> = put_in.iter().map(|answer| answer.status).collect();
    assert!(said.iter().all(|status| [200, 401].contains(status)), "{said:?}");
    let there = pieces(&bob(&shelf)).await;
    let changed = shelf.alice.put("/api/cart/items/MUG").json(&json!({ "quantity": 1 }));
    let _ = changed.await.status(401);
    for (name, answer) in names.iter().zip(&put_in).filter(|(_, answer)| answer.status == 200) {
        assert!(there.iter().any(|(sku, _)| sku == name), "{name} {}", answer.text);
    }
}

#[tokio::test]
async fn what_comes_late_of_a_guest_changes_nobodys_cart() {
    let shelf = Shelf::open().await;
    both_shop(&shelf).await;
    let _ = just_merged(&shelf).get("/api/cart").await.ok();

    let _ = put(&shelf.alice, "TEA", 9).await.status(401);
    let _ = shelf.alice.delete("/api/cart").await.status(401);
    let accepted = json!({ "expected_total": { "amount": 4450, "currency": "EUR" } });
    let checkout = shelf.alice.post("/api/cart/checkout").json(&accepted).key("late");
    let _ = checkout.await.status(401);

    assert_eq!(pieces(&bob(&shelf)).await, both());
}

#[tokio::test]
async fn a_guest_comes_to_one_account_only() {
    let shelf = Shelf::open().await;
    both_shop(&shelf).await;
    let _ = just_merged(&shelf).get("/api/cart").await.ok();
    let carol = UserId::from_uuid(Uuid::from_u128(0xca01));

    let thief = shelf.client.with_token(shelf.peer.token_merged_from(GUEST, carol));
    assert!(pieces(&thief).await.is_empty());
    shelf.peer.tell(&GuestMerged { guest_id: GUEST, user_id: carol }).await;
    hears_what_is_told(&shelf).await;

    assert!(pieces(&thief).await.is_empty());
    assert_eq!(pieces(&bob(&shelf)).await, both());
}

#[tokio::test]
async fn who_just_signed_in_buys_what_the_guest_had() {
    let shelf = Shelf::open().await;
    both_shop(&shelf).await;
    let accepted = json!({ "expected_total": { "amount": 6950, "currency": "EUR" } });

    // Even with the very first request.
    let checkout = just_merged(&shelf).post("/api/cart/checkout").json(&accepted).key("first");
    let _ = checkout.await.status(202);

    let cart = bob(&shelf).get("/api/cart").await.ok();
    let told: CheckedOut = shelf.peer.hears(cart.text_of("id")).await;
    assert_eq!((told.customer, told.lines.len()), (BOB, 2));
}

/// Bob's cart is full of what the guest has not; the guest's two lines find no place in it.
async fn full_cart_merged(shelf: &Shelf) -> Client {
    let price = Money::new(1, Currency::EUR);
    let names: Vec<_> = (0..100).map(|number| format!("S{number}")).collect();
    let variants = names.iter().map(|name| variant(name, price)).collect();
    shelf.peer.tell(&State { variants, ..state("MANY", 1, false) }).await;
    for name in ["MUG", "TEA"] {
        shelf.sells(name, 1250, 50).await;
        put(&shelf.alice, name, 2).await.ok();
    }
    eventually("the many are known", SOON, async || {
        put(&bob(shelf), "S0", 1).await.is_ok().then_some(())
    })
    .await;
    for name in &names {
        put(&bob(shelf), name, 1).await.ok();
    }
    just_merged(shelf)
}

#[tokio::test]
async fn lines_beyond_100_are_left_behind() {
    let shelf = Shelf::open().await;
    let bob = full_cart_merged(&shelf).await;
    let left = |names: &[&str]| {
        let lines = names.iter().map(|name| json!({ "sku": name, "quantity": 2 }));
        lines.collect::<Value>()
    };

    let merged = bob.get("/api/cart").await.ok();
    let refused = put(&bob, "MUG", 2).await.status(422);
    bob.delete("/api/cart/items/S0").await.ok();
    let taken = put(&bob, "MUG", 1).await.ok();
    bob.delete("/api/cart").await.status(204);

    assert_eq!(merged["lines"].as_array().unwrap().len(), 100);
    assert_eq!(merged["left_behind"], left(&["MUG", "TEA"]));
    assert_eq!(refused["type"], "urn:souk:problem:cart-full");
    assert_eq!(taken["left_behind"], left(&["TEA"]));
    assert_eq!(
        (&taken["lines"][99]["sku"], &taken["lines"][99]["quantity"]),
        (&json!("MUG"), &json!(1))
    );
    assert_eq!(bob.get("/api/cart").await.ok()["left_behind"], Value::Null);
}
