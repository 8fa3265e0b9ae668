//! The commit, against a real replica set.

use std::collections::BTreeSet;
use std::convert::Infallible;
use std::time::Duration;

use common::store::{
    Answer, Begun, Cause, IfMatch, Kept, Many, One, Receipt, Store, StoreError, UpdateError,
};
use common::{Change, Clock, Document, Row};
use contracts::{Currency, Money, OrderId, ProductId, Timestamp, order, product};
use futures_util::future::join_all;
use futures_util::{StreamExt as _, TryStreamExt as _};
use mongodb::bson::{Document as Bson, doc};
use serde::{Deserialize, Serialize};
use testkit::World;
use tokio_util::task::TaskTracker;

/// A thing that counts how often it was rung, and tells every ring.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
struct Bell {
    #[serde(rename = "_id")]
    id: OrderId,
    rings: u32,
}

impl Document for Bell {
    const COLLECTION: &'static str = "bells";
    type Id = OrderId;

    fn id(&self) -> OrderId {
        self.id
    }
}

/// A thing whose state is told.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
struct Shelf {
    #[serde(rename = "_id")]
    sku: contracts::Sku,
    available: u32,
}

impl Document for Shelf {
    const COLLECTION: &'static str = "shelves";
    type Id = contracts::Sku;

    fn id(&self) -> contracts::Sku {
        self.sku.clone()
    }
}

#[derive(Clone, Debug, Serialize)]
struct Ring {
    #[serde(rename = "_id")]
    id: String,
}

impl Row for Ring {
    const COLLECTION: &'static str = "rings";
}

#[derive(Clone, Debug, PartialEq, thiserror::Error)]
#[error("it is broken")]
struct Broken;

struct Replica {
    store: Store,
}

async fn replica(world: &World, database: &str, group: usize) -> Replica {
    let client = mongodb::Client::with_uri_str(world.mongo_uri()).await.unwrap();
    let tasks = TaskTracker::new();
    let store = Store::open(&client, database, Clock::system(), group, &tasks).await.unwrap();
    store.collection_of::<Bell>().await.unwrap();
    store.collection_of::<Shelf>().await.unwrap();
    store.rows_of::<Ring>().await.unwrap();
    Replica { store }
}

fn fresh() -> OrderId {
    OrderId::from_uuid(Clock::system().uuid())
}

fn cause() -> Cause {
    Cause::own("test", &Clock::system())
}

fn keyed(key: &str) -> Receipt {
    Receipt::http("usr_1", key, "POST /ring".into(), cause())
}

fn rung(bell: Option<Bell>, id: OrderId) -> Change<Bell> {
    let rings = bell.map_or(0, |bell| bell.rings) + 1;
    Change::to(Bell { id, rings })
        .telling(&order::Delivered { order_id: id })
        .row(&Ring { id: Clock::system().uuid().to_string() })
}

impl Replica {
    async fn ring(&self, id: OrderId, receipt: Receipt) -> Result<Answer, UpdateError<Infallible>> {
        self.store
            .update(
                One::<Bell>(id),
                receipt,
                move |bell, _| Ok(rung(bell, id)),
                |bell| Answer::new(200, &bell.rings).tagged(&bell.tag_of(bell.value)),
            )
            .await
    }

    async fn rings(&self, id: OrderId) -> u32 {
        self.store.get::<Bell>(&id).await.unwrap().map_or(0, |bell| bell.rings)
    }

    async fn rows(&self, collection: &str, filter: Bson) -> Vec<Bson> {
        let found = self.store.collection(collection).find(filter).await.unwrap();
        found.try_collect().await.unwrap()
    }

    async fn sequences(&self, aggregate: &str) -> Vec<i64> {
        let rows = self.rows("outbox", doc! { "aggregate": aggregate }).await;
        let mut told: Vec<_> = rows.iter().map(|row| row.get_i64("sequence").unwrap()).collect();
        told.sort_unstable();
        told
    }
}

#[tokio::test]
async fn a_commit_writes_the_thing_the_event_the_ledger_and_the_receipt() {
    let world = World::start().await;
    let here = replica(&world, &world.database("store"), 64).await;
    let id = fresh();

    let answer = here.ring(id, keyed("k1")).await.unwrap();

    assert_eq!((answer.status, answer.body.as_deref()), (200, Some("1")));
    let stored = here.store.get::<Bell>(&id).await.unwrap().unwrap();
    assert_eq!((stored.rings, stored.version()), (1, 1));
    assert_eq!(answer.etag, Some(stored.tag().to_string()));
    assert_eq!(here.sequences(&id.to_string()).await, [1]);
    assert_eq!(here.rows("rings", doc! {}).await.len(), 1);
    let kept = here.store.receipt(&keyed("k1")).await.unwrap();
    assert_eq!(kept, Some(Kept::Answered { answer }));
}

#[tokio::test]
async fn a_repeat_gets_the_first_answer_and_another_request_is_refused() {
    let world = World::start().await;
    let here = replica(&world, &world.database("store"), 64).await;
    let id = fresh();
    let first = here.ring(id, keyed("k1")).await.unwrap();
    here.ring(id, keyed("k2")).await.unwrap();

    let again = here.ring(id, keyed("k1")).await.unwrap();
    let other = Receipt::http("usr_1", "k1", "POST /other".into(), cause());
    let refused = here.ring(id, other).await;

    assert_eq!(again, first);
    assert!(matches!(refused, Err(UpdateError::KeyReused)));
    assert_eq!(here.rings(id).await, 2);
}

#[tokio::test]
async fn one_key_at_once_on_two_replicas_has_the_effect_of_one() {
    let world = World::start().await;
    let database = world.database("store");
    let (here, there) =
        (replica(&world, &database, 64).await, replica(&world, &database, 64).await);
    let id = fresh();

    let asked = (0..20).map(|n| if n % 2 == 0 { &here } else { &there });
    let answers = join_all(asked.map(|replica| replica.ring(id, keyed("k1")))).await;

    let bodies: BTreeSet<_> = answers.into_iter().map(|answer| answer.unwrap().etag).collect();
    assert_eq!(bodies.len(), 1);
    assert_eq!(here.rings(id).await, 1);
}

async fn nothing_is_lost_when_many_change_one_thing(group: usize, each: usize) {
    let world = World::start().await;
    let database = world.database("store");
    let (here, there) =
        (replica(&world, &database, group).await, replica(&world, &database, group).await);
    let id = fresh();

    let asked = (0..each * 2).map(|n| {
        let replica = if n % 2 == 0 { &here } else { &there };
        replica.ring(id, keyed(&format!("k{n}")))
    });
    let answers = join_all(asked).await;

    let done = answers.iter().filter(|answer| answer.is_ok()).count();
    let tags: BTreeSet<_> = answers.into_iter().flatten().map(|answer| answer.etag).collect();
    assert_eq!(tags.len(), done, "every answer shows a version of its own");
    assert_eq!(here.rings(id).await as usize, done);
    let told = here.sequences(&id.to_string()).await;
    assert_eq!(told, (1..=i64::try_from(done).unwrap()).collect::<Vec<_>>());
    assert_eq!(here.rows("rings", doc! {}).await.len(), done);
    assert_eq!(done, each * 2);
}

#[tokio::test]
async fn nothing_is_lost_when_two_replicas_change_one_thing_in_groups() {
    nothing_is_lost_when_many_change_one_thing(64, 300).await;
}

#[tokio::test]
async fn nothing_is_lost_when_two_replicas_change_one_thing_one_by_one() {
    nothing_is_lost_when_many_change_one_thing(1, 10).await;
}

#[tokio::test]
async fn a_refusal_leaves_nothing_and_the_key_may_be_tried_again() {
    let world = World::start().await;
    let here = replica(&world, &world.database("store"), 64).await;
    let id = fresh();
    let refuse = |bell: Option<Bell>, _| match bell {
        None => Err(Broken),
        Some(bell) => Ok(Change::none(bell)),
    };

    let refused = here.store.apply(One::<Bell>(id), keyed("k1"), refuse).await;
    let answer = here.ring(id, keyed("k1")).await.unwrap();

    assert!(matches!(refused, Err(UpdateError::Refused(Broken))));
    assert_eq!(answer.body.as_deref(), Some("1"));
}

#[tokio::test]
async fn a_stale_edit_is_refused_and_an_old_tag_never_fits_a_thing_made_anew() {
    let world = World::start().await;
    let here = replica(&world, &world.database("store"), 64).await;
    let id = fresh();
    let edit = |tag: &str| {
        let if_match = Some(IfMatch::parse(tag).unwrap());
        let none = Receipt::none(cause());
        here.store.apply(One::<Bell>(id).matching(if_match), none, move |bell, _| {
            Ok::<_, Infallible>(rung(bell, id))
        })
    };
    let first = here.ring(id, keyed("k1")).await.unwrap().etag.unwrap();

    assert!(edit(&first).await.is_ok());
    assert!(matches!(edit(&first).await, Err(UpdateError::Stale)));

    let end = move |_, _| Ok::<_, Infallible>(Change::none(()).without::<Bell>(&id));
    here.store.apply(One::<Bell>(id), Receipt::none(cause()), end).await.unwrap();
    let anew = here.ring(id, keyed("k2")).await.unwrap().etag.unwrap();
    assert_ne!(anew, first);
    assert!(matches!(edit(&first).await, Err(UpdateError::Stale)));
}

#[tokio::test]
async fn an_effect_outside_is_begun_once_and_finished_once() {
    let world = World::start().await;
    let here = replica(&world, &world.database("store"), 64).await;
    let id = fresh();
    let begin = || {
        let decide = move |bell, _| Ok::<_, Infallible>(rung(bell, id));
        here.store.begin(One::<Bell>(id), keyed("k1"), decide, |bell| bell.id.to_string())
    };
    let finish = || {
        let decide = move |bell, _| Ok::<_, Infallible>(rung(bell, id));
        let answer = |bell: &common::store::Saved<'_, Bell>| Answer::new(201, &bell.rings);
        here.store.finish(One::<Bell>(id), keyed("k1"), decide, answer)
    };

    assert!(matches!(begin().await.unwrap(), Begun::New(_)));
    assert!(
        matches!(begin().await.unwrap(), Begun::Running { attempt } if attempt == id.to_string())
    );
    let done = join_all([finish(), finish(), finish()]).await;
    let answers: Vec<_> = done.into_iter().map(Result::unwrap).collect();

    assert!(answers.iter().all(|answer| answer == &answers[0]));
    assert!(matches!(begin().await.unwrap(), Begun::Answered(answer) if answer == answers[0]));
    assert_eq!(here.rings(id).await, 2);
}

#[tokio::test]
async fn of_state_one_commit_tells_the_newest_only() {
    let world = World::start().await;
    let here = replica(&world, &world.database("store"), 64).await;
    let sku: contracts::Sku = "MUG".parse().unwrap();
    let take = |n: u32| {
        let sku = sku.clone();
        let decide = move |shelf: Option<Shelf>, _: Timestamp| {
            let available = shelf.map_or(1000, |shelf| shelf.available) - 1;
            let shelf = Shelf { sku: sku.clone(), available };
            let product_id = ProductId::from_uuid(Clock::system().uuid());
            let state = product::Stock { sku: sku.clone(), product_id, available };
            Ok::<_, Infallible>(Change::to(shelf).telling(&state))
        };
        here.store.apply(One::<Shelf>("MUG".parse().unwrap()), keyed(&n.to_string()), decide)
    };

    let taken = join_all((0..200).map(take)).await;

    assert!(taken.iter().all(Result::is_ok));
    let rows = here.rows("outbox", doc! { "aggregate": "MUG" }).await;
    assert!(rows.len() < 100, "{} states were told", rows.len());
    let newest = rows.iter().max_by_key(|row| row.get_i64("sequence").unwrap()).unwrap();
    assert!(newest.get_str("payload").unwrap().contains(r#""available":800"#));
    assert_eq!(here.sequences("MUG").await, (1..=rows.len() as i64).collect::<Vec<_>>());
}

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
    let both = move |_: std::collections::BTreeMap<String, Bell>, _| {
        Ok::<_, Infallible>(rung(None, a).and(rung(None, b)))
    };

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
