//! The copies of the catalogue: only newer ones count, and they come back by themselves.

use mongodb::bson::{Document, doc};
use serde_json::json;
use testkit::eventually;

use crate::shelf::{SOON, Shelf, put, state, stock};

#[tokio::test]
async fn a_copy_takes_only_what_is_newer() {
    let shelf = Shelf::open().await;
    shelf.sells("MUG", 1250, 5).await;
    let old = shelf.peer.tell(&stock("MUG", 1)).await;
    shelf.peer.tell(&stock("MUG", 9)).await;
    shelf.peer.tell_again::<contracts::product::Stock>(&old).await;
    shelf.sells("TEA", 1, 5).await;

    let cart = put(&shelf.alice, "MUG", 9).await.ok();

    assert_eq!(cart["lines"][0]["problems"], json!([]));
}

#[tokio::test]
async fn a_wiped_database_gets_its_copies_from_the_streams() {
    let shelf = Shelf::open().await;
    shelf.sells("MUG", 1250, 5).await;
    let (world, database) = shelf.stop().await;
    let client = mongodb::Client::with_uri_str(world.mongo_uri()).await.unwrap();
    client.database(&database).drop().await.unwrap();

    let shelf = Shelf::open_on(world, database).await;

    eventually("the mug is back", SOON, async || {
        put(&shelf.alice, "MUG", 1).await.is_ok().then_some(())
    })
    .await;
}

#[tokio::test]
async fn unreadable_copies_leave_the_cart_usable() {
    let shelf = Shelf::open().await;
    for name in ["MUG", "TEA"] {
        shelf.sells(name, 1250, 5).await;
        put(&shelf.alice, name, 1).await.ok();
    }
    let client = mongodb::Client::with_uri_str(shelf.world.mongo_uri()).await.unwrap();
    let spoil = async |copies: &str, this, spoilt| {
        let copies = client.database(&shelf.database).collection::<Document>(copies);
        let spoilt = copies.update_one(this, doc! { "$set": spoilt }).await.unwrap();
        assert_eq!(spoilt.modified_count, 1);
    };
    spoil("catalogue", doc! { "names": "mug" }, doc! { "title": 5 }).await;
    spoil("stock", doc! { "_id": "TEA" }, doc! { "available": "x" }).await;

    let spoilt = shelf.alice.get("/api/cart").await.ok();
    let refused = put(&shelf.alice, "MUG", 2).await.status(422);
    let removed = shelf.alice.delete("/api/cart/items/MUG").await.ok();

    assert_eq!(spoilt["lines"][0]["problems"], json!(["no_longer_sold"]));
    assert_eq!(spoilt["lines"][1]["problems"], json!(["not_enough"]));
    assert_eq!(refused["type"], "urn:souk:problem:not-for-sale");
    assert_eq!(removed["lines"].as_array().unwrap().len(), 1);
    // The next state and stock replace them.
    shelf.peer.tell(&state("MUG", 1250, false)).await;
    shelf.peer.tell(&stock("TEA", 5)).await;
    shelf.until_known("MUG").await;
    shelf.until_known("TEA").await;
}
