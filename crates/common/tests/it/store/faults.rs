//! Mistakes, older copies, and a database that dies in between.

use std::collections::BTreeMap;
use std::convert::Infallible;
use std::time::Duration;

use common::Change;
use common::store::{Many, One, StoreError, UpdateError};
use contracts::{Currency, Event as _, Money, order};
use futures_util::StreamExt as _;
use futures_util::future::join_all;
use mongodb::bson::doc;
use testkit::World;

use super::things::{Bell, Gong, Ring, Shelf, fresh, keyed, replica, rung};

#[tokio::test]
async fn who_errs_does_not_harm_who_waits_with_them() {
    let world = World::start().await;
    let here = replica(&world, &world.database("store"), 64).await;
    let (good, bad) = (fresh(), fresh());
    let panics = |_: Option<Bell>, _| -> Result<Change<()>, Infallible> { panic!("a mistake") };
    let outside = move |_, _| Ok::<_, Infallible>(rung(None, fresh()));
    let huge = move |_, _| {
        let row = Ring { id: "x".repeat(17 * 1024 * 1024) };
        Ok::<_, Infallible>(Change::none(()).row(&row))
    };

    let (panicked, strayed, too_large, rings) = tokio::join!(
        here.store.apply(One::<Bell>(bad), keyed("p"), panics),
        here.store.apply(One::<Bell>(bad), keyed("o"), outside),
        here.store.apply(One::<Bell>(bad), keyed("h"), huge),
        join_all((0..40).map(|n| here.ring(good, keyed(&n.to_string())))),
    );

    assert!(matches!(panicked, Err(UpdateError::Store(StoreError::Panicked { .. }))));
    assert!(matches!(strayed, Err(UpdateError::Store(StoreError::OutOfScope { .. }))));
    assert!(too_large.is_err());
    assert!(rings.iter().all(Result::is_ok));
    assert_eq!(here.rings(good).await, 40);
    assert_eq!(here.rings(bad).await, 0);
}

#[tokio::test]
async fn a_ledger_row_that_is_there_already_is_refused_and_not_tried_for_ever() {
    let world = World::start().await;
    let here = replica(&world, &world.database("store"), 64).await;
    let row =
        |_: Option<Bell>, _| Ok::<_, Infallible>(Change::none(()).row(&Ring { id: "one".into() }));
    here.store.apply(One::<Bell>(fresh()), keyed("a"), row).await.unwrap();

    let again = here.store.apply(One::<Bell>(fresh()), keyed("b"), row).await;

    assert!(matches!(again, Err(UpdateError::Store(StoreError::Refused { .. }))));
}

#[tokio::test]
async fn several_things_change_together_or_not_at_all() {
    let world = World::start().await;
    let here = replica(&world, &world.database("store"), 64).await;
    let (a, b) = (fresh(), fresh());
    let both =
        move |_: BTreeMap<String, Bell>, _| Ok::<_, Infallible>(rung(None, a).and(rung(None, b)));

    here.store.apply(Many::<Bell>([a, b]), keyed("k"), both).await.unwrap();

    assert_eq!((here.rings(a).await, here.rings(b).await), (1, 1));
    assert_eq!(here.rows("outbox", doc! {}).await.len(), 2);
}

#[tokio::test]
async fn an_older_copy_never_replaces_a_newer_one() {
    let world = World::start().await;
    let here = replica(&world, &world.database("store"), 64).await;
    let sku: contracts::Sku = "MUG".parse().unwrap();
    let copy = |available| Shelf { sku: sku.clone(), available };

    assert!(here.store.keep_copy(&copy(5), 5).await.unwrap());
    assert!(!here.store.keep_copy(&copy(4), 4).await.unwrap());
    assert!(!here.store.keep_copy(&copy(6), 5).await.unwrap());
    assert!(here.store.keep_copy(&copy(9), 9).await.unwrap());

    assert_eq!(here.store.get::<Shelf>(&sku).await.unwrap().unwrap().available, 9);
}

#[tokio::test]
async fn money_keeps_its_shape_in_the_database() {
    let price = Money::new(i64::MAX, Currency::EUR);

    let stored = mongodb::bson::serialize_to_document(&price).unwrap();

    assert_eq!(stored, doc! { "amount": i64::MAX, "currency": "EUR" });
}

#[tokio::test]
async fn a_database_that_is_killed_in_between_loses_nothing_and_doubles_nothing() {
    let world = World::start_alone().await;
    let here = replica(&world, &world.database("store"), 64).await;
    let id = fresh();
    let ring_until_done = async |n: usize| {
        while here.ring(id, keyed(&format!("k{n}"))).await.is_err() {
            tokio::task::yield_now().await;
        }
    };

    let ringing = futures_util::stream::iter(0..400)
        .for_each_concurrent(32, async |n| ring_until_done(n).await);
    let killing = async {
        let enough = async || (here.rings(id).await >= 50).then_some(());
        testkit::eventually("50 rings", Duration::from_secs(30), enough).await;
        world.mongod().unwrap().kill().await;
        world.mongod().unwrap().restart().await.unwrap();
    };
    tokio::join!(ringing, killing);

    assert_eq!(here.rings(id).await, 400);
    assert_eq!(here.sequences(&id.to_string()).await, (1..=400).collect::<Vec<_>>());
}

/// Changes a thing to this many bytes.
fn engraved(id: contracts::OrderId, bytes: usize) -> Change<Gong> {
    Change::to(Gong { id, engraved: "x".repeat(bytes) })
}

#[tokio::test]
async fn event_above_the_broker_limit_is_refused() {
    let world = World::start().await;
    let here = replica(&world, &world.database("store"), 64).await;
    let (large, small) = (fresh(), fresh());
    let tells = move |bytes: usize| {
        move |_: Option<Bell>, _| {
            let carrier = "x".repeat(bytes);
            let event = order::Shipped { order_id: large, carrier, ..order::Shipped::sample() };
            let bell = Bell { id: large, rings: 1 };
            Ok::<_, Infallible>(Change::to(bell).telling(&event))
        }
    };

    let (refused, ring) = tokio::join!(
        here.store.apply(One::<Bell>(large), keyed("large"), tells(1_100_000)),
        here.ring(small, keyed("small")),
    );
    let taken = here.store.apply(One::<Bell>(large), keyed("below"), tells(990_000)).await;

    let is_too_large = |error: &UpdateError<Infallible>| {
        matches!(error, UpdateError::Store(StoreError::TooLarge { .. }))
    };
    assert!(refused.as_ref().is_err_and(is_too_large), "{refused:?}");
    assert!(ring.is_ok() && taken.is_ok());
    assert_eq!(here.rows("outbox", doc! { "aggregate": large.to_string() }).await.len(), 1);
}

#[tokio::test]
async fn large_changes_at_once_are_all_written() {
    const LARGE: usize = 3 * 1024 * 1024;
    let world = World::start().await;
    let here = replica(&world, &world.database("store"), 64).await;
    let ids: Vec<_> = (0..24).map(|_| fresh()).collect();
    let change = |id, key: String, bytes: usize| {
        let decide = move |_: Option<Gong>, _| Ok::<_, Infallible>(engraved(id, bytes));
        here.store.apply(One::<Gong>(id), keyed(&key), decide)
    };

    // 72 MB at once, and then the same read again: no command and no group takes as much.
    let begun = join_all(ids.iter().map(|id| change(*id, format!("a {id}"), LARGE))).await;
    let read = join_all(ids.iter().map(|id| change(*id, format!("b {id}"), 10))).await;

    assert!(begun.iter().chain(&read).all(Result::is_ok));
    let stored = here.rows("gongs", doc! { "engraved": "x".repeat(10) }).await;
    assert_eq!(stored.len(), ids.len());
}
