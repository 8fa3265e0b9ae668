//! One change, or many at once, and their repeats.

use std::collections::BTreeSet;
use std::convert::Infallible;

use common::store::{Answer, Begun, IfMatch, Kept, One, Receipt, StoreError, UpdateError};
use common::{Change, Clock};
use contracts::{ProductId, Timestamp, order, product};
use futures_util::future::join_all;
use mongodb::bson::doc;
use testkit::World;

use super::things::{Bell, Broken, Gong, LouderBell, Shelf, cause, fresh, keyed, replica, rung};

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
    let told = here.sequences("MUG").await;
    assert!(told.windows(2).all(|pair| pair[0] + 1 == pair[1]), "{told:?}");
}

#[tokio::test]
async fn a_repeat_at_the_same_time_never_hears_that_it_is_too_late() {
    let world = World::start().await;
    let database = world.database("store");
    let (here, there) = (replica(&world, &database, 1).await, replica(&world, &database, 1).await);
    let begins = |store: &common::store::Store, id, key: String| {
        let decide = move |bell: Option<Bell>, _: Timestamp| match bell {
            None => Ok(rung(None, id)),
            Some(_) => Err(Broken),
        };
        let answer = |bell: &common::store::Saved<'_, Bell>| Answer::new(201, &bell.rings);
        let store = store.clone();
        async move { store.update(One::<Bell>(id), keyed(&key), decide, answer).await }
    };

    for n in 0..150 {
        let id = fresh();
        let asked = (0..6).map(|m| {
            let replica = if m % 2 == 0 { &here } else { &there };
            begins(&replica.store, id, n.to_string())
        });
        for answer in join_all(asked).await {
            assert_eq!(answer.unwrap().status, 201);
        }
    }
}

#[tokio::test]
async fn next_schema_version_is_changed_and_kept() {
    let world = World::start().await;
    let here = replica(&world, &world.database("store"), 64).await;
    let id = fresh();
    here.ring(id, keyed("k1")).await.unwrap();
    let louder = move |bell: Option<LouderBell>, _| {
        let bell = bell.unwrap();
        Ok::<_, Infallible>(Change::to(LouderBell { loudness: bell.loudness + 6, ..bell }))
    };
    here.store.apply(One::<LouderBell>(id), keyed("k2"), louder).await.unwrap();

    here.ring(id, keyed("k3")).await.unwrap();
    let louder = move |bell: Option<LouderBell>, _| {
        let bell = bell.unwrap();
        Ok::<_, Infallible>(Change::to(LouderBell { loudness: bell.loudness + 1, ..bell }))
    };
    here.store.apply(One::<LouderBell>(id), keyed("k4"), louder).await.unwrap();

    let bell = here.store.get::<LouderBell>(&id).await.unwrap().unwrap();
    assert_eq!((bell.rings, bell.loudness), (2, 8));
    let stored = here.rows("bells", doc! { "_id": id.to_string() }).await;
    assert_eq!(stored[0].get_i64("shape").unwrap(), 1);
}

#[tokio::test]
async fn later_schema_version_is_left_alone() {
    let world = World::start().await;
    let here = replica(&world, &world.database("store"), 64).await;
    let (newer, other) = (fresh(), fresh());
    here.ring(newer, keyed("k1")).await.unwrap();
    let bells = here.store.collection("bells");
    let shape = doc! { "$set": { "shape": 2_i64, "clapper": "brass" } };
    bells.update_one(doc! { "_id": newer.to_string() }, shape).await.unwrap();

    let (refused, rung) =
        tokio::join!(here.ring(newer, keyed("k2")), here.ring(other, keyed("k3")));

    assert!(matches!(refused, Err(UpdateError::Store(StoreError::Newer { .. }))));
    assert!(rung.is_ok());
    assert_eq!((here.rings(newer).await, here.rings(other).await), (1, 1));
}

#[tokio::test]
async fn equal_ids_of_two_collections_count_apart() {
    let world = World::start().await;
    let here = replica(&world, &world.database("store"), 64).await;
    // Sixteen pairs: one that was found by its id alone would go wrong in one of them.
    for _ in 0..16 {
        let id = fresh();
        for n in 0..5 {
            here.ring(id, keyed(&format!("{id} {n}"))).await.unwrap();
        }
        let both = move |(bell, _), _| {
            let gong = Gong { id, engraved: String::new() };
            let event = order::Completed { order_id: id };
            Ok::<_, Infallible>(rung(bell, id).and(Change::to(gong).telling(&event)))
        };

        let scope = (One::<Bell>(id), One::<Gong>(id));
        here.store.apply(scope, keyed(&format!("{id} both")), both).await.unwrap();

        let told = here.rows("outbox", doc! { "aggregate": id.to_string() }).await;
        let of = |fact: &str| {
            let it = |row: &&mongodb::bson::Document| {
                row.get_str("nats_subject").unwrap().contains(fact)
            };
            let mut sequences: Vec<_> =
                told.iter().filter(it).map(|row| row.get_i64("sequence").unwrap()).collect();
            sequences.sort_unstable();
            sequences
        };
        assert_eq!((of("delivered"), of("completed")), ((1..=6).collect(), vec![1]));
    }
}
