//! The copies of the catalogue: only newer ones count, and they come back by themselves.

use testkit::eventually;

use crate::shelf::{SOON, Shelf, put, stock};

#[tokio::test]
async fn a_copy_takes_only_what_is_newer() {
    let shelf = Shelf::open().await;
    shelf.sells("MUG", 1250, 5).await;
    let old = shelf.peer.tell(&stock("MUG", 1)).await;
    shelf.peer.tell(&stock("MUG", 9)).await;
    shelf.peer.tell_again::<contracts::product::Stock>(&old).await;
    shelf.sells("TEA", 1, 5).await;

    let cart = put(&shelf.alice, "MUG", 9).await.ok();

    assert_eq!(cart["lines"][0]["problems"], serde_json::json!([]));
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
