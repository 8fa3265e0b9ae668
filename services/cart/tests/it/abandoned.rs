//! Carts of guests that have ended, and closed ones, go.

use std::time::Duration;

use common::Clock;
use contracts::UserId;
use contracts::auth::{GuestMerged, Role};
use mongodb::bson::{Document, doc};
use testkit::{World, eventually};
use uuid::Uuid;

use crate::shelf::{BOB, SOON, Shelf, put, start_at};

const CAROL: UserId = UserId::from_uuid(Uuid::from_u128(0xca01));

/// Starts the service so many days later, and gives whose carts are left when one of them is.
async fn owners_after(world: &World, database_name: &str, days: u64) -> Vec<String> {
    let now = Clock::system().now().plus(Duration::from_hours(24 * days));
    let client = mongodb::Client::with_uri_str(world.mongo_uri()).await.unwrap();
    let database = client.database(database_name);
    let leases = database.collection::<Document>("frame");
    let job = doc! { "_id": "chore:abandoned carts" };
    leases.delete_one(job.clone()).await.unwrap();
    let running = start_at(world, database_name, Clock::manual(now)).await;
    // The lease lasts for seconds during a round, and for minutes after it.
    let lasts = doc! { "$gt": [{ "$subtract": ["$until", "$asked"] }, 60_000] };
    eventually("a round is done", SOON, async || {
        let done = leases.find_one(doc! { "$and": [job.clone(), { "$expr": lasts.clone() }] });
        done.await.unwrap().map(drop)
    })
    .await;
    running.stop().await.unwrap();
    let owners = database.collection::<Document>("carts").distinct("owner", doc! {}).await;
    owners.unwrap().iter().map(|owner| owner.as_str().unwrap().to_owned()).collect()
}

#[tokio::test]
async fn guest_and_closed_carts_go_after_60_days() {
    let shelf = Shelf::open().await;
    shelf.sells("MUG", 1250, 50).await;
    let as_person = |id, role| shelf.client.with_token(shelf.peer.token(id, role));
    put(&shelf.alice, "MUG", 1).await.ok();
    put(&as_person(BOB, Role::Shopper), "MUG", 1).await.ok();
    put(&as_person(CAROL, Role::Guest), "MUG", 1).await.ok();
    shelf.peer.tell(&GuestMerged { guest_id: CAROL, user_id: BOB }).await;
    eventually("carol's cart is bob's", SOON, async || {
        let cart = as_person(BOB, Role::Shopper).get("/api/cart").await;
        (cart["lines"][0]["quantity"] == 2).then_some(())
    })
    .await;
    let (world, database) = shelf.stop().await;

    assert_eq!(owners_after(&world, &database, 59).await.len(), 3);
    assert_eq!(owners_after(&world, &database, 61).await, [BOB.to_string()]);
}
