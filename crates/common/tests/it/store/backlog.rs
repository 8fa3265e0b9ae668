//! A backlog is published page by page, whatever the broker does.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use async_nats::jetstream::stream::{Config, Stream};
use common::Clock;
use contracts::EventId;
use mongodb::bson::{Document, doc};
use testkit::{Client, Proxy, World, eventually};
use tokio_util::sync::CancellationToken;

use super::relay::Telling;
use super::things::{Replica, fresh, keyed, replica};

const SOON: Duration = Duration::from_secs(30);
const LONG: Duration = Duration::from_mins(5);
/// Rows of two pages.
const AT_HAND: usize = 2 * 2048;

/// Leaves so many rows unpublished, as a broker that was away does: of 1,000 aggregates, in order.
/// The event that they are made from is at hand, and published besides.
async fn backlog(here: &Replica, rows: usize) {
    here.ring(fresh(), keyed("template")).await.unwrap();
    let outbox = here.store.collection("outbox");
    let template = outbox.find_one_and_delete(doc! {}).await.unwrap().unwrap();
    let aggregates: Vec<_> = (0..1_000).map(|_| fresh().to_string()).collect();
    let numbers: Vec<_> = (0..rows).collect();
    for chunk in numbers.chunks(5_000) {
        let rows = chunk.iter().map(|n| row(&template, &aggregates[n % 1_000], *n));
        outbox.insert_many(rows).await.unwrap();
    }
}

fn row(template: &Document, aggregate: &str, number: usize) -> Document {
    let mut row = template.clone();
    row.insert("_id", EventId::from_uuid(Clock::system().uuid()).to_string());
    row.insert("nats_subject", format!("order.delivered.v1.{aggregate}"));
    row.insert("aggregate", aggregate);
    row.insert("sequence", i64::try_from(number / 1_000 + 1).unwrap());
    row.insert("at", Clock::system().now().minus(Duration::from_mins(10)).to_string());
    row
}

async fn stream(world: &World, name: &str) -> Stream {
    let client = async_nats::connect(world.nats().url()).await.unwrap();
    async_nats::jetstream::new(client).get_stream(name).await.unwrap()
}

async fn update(world: &World, config: Config) {
    let client = async_nats::connect(world.nats().url()).await.unwrap();
    async_nats::jetstream::new(client).update_stream(config).await.unwrap();
}

async fn stored(world: &World) -> u64 {
    stream(world, "ORDER").await.cached_info().state.messages
}

/// How many messages clients sent to the broker so far.
async fn sent(world: &World) -> u64 {
    let varz = Client::at(format!("{}/varz", world.nats().monitor_url())).get("").await.ok().body;
    varz["in_msgs"].as_u64().unwrap()
}

/// Watches how many rows are at hand at most while something goes on.
async fn most_at_hand<T>(telling: &Telling, work: impl Future<Output = T>) -> (T, usize) {
    let most = Arc::new(AtomicUsize::new(0));
    let done = CancellationToken::new();
    let watching = async {
        while !done.is_cancelled() {
            most.fetch_max(telling.here.store.rows_at_hand(), Ordering::Relaxed);
            tokio::task::yield_now().await;
        }
    };
    let working = async {
        let worked = work.await;
        done.cancel();
        worked
    };
    let (worked, ()) = tokio::join!(working, watching);
    (worked, most.load(Ordering::Relaxed))
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn large_backlog_is_published_by_pages() {
    const ROWS: usize = 50_000;
    let world = World::start().await;
    let here = replica(&world, &world.database("relay"), 64).await;
    backlog(&here, ROWS).await;
    let slow = Proxy::slow(world.nats().port(), Duration::from_millis(5)).await.unwrap();
    let telling = Telling::begin(here, format!("nats://127.0.0.1:{}", slow.port())).await;
    let before = sent(&world).await;

    let sweeping = async {
        let mut published = 0;
        loop {
            match telling.here.store.sweep(&telling.bus).await.unwrap() {
                0 => return published,
                page => published += page,
            }
        }
    };
    let fresh_passes = async {
        eventually("a third is published", LONG, async || {
            (stored(&world).await > ROWS as u64 / 3).then_some(())
        })
        .await;
        let id = fresh();
        telling.here.ring(id, keyed("fresh")).await.unwrap();
        let subject = format!("order.delivered.v1.{id}");
        let orders = stream(&world, "ORDER").await;
        eventually("the fresh event is published", Duration::from_secs(5), async || {
            orders.get_last_raw_message_by_subject(&subject).await.ok()
        })
        .await;
        stored(&world).await
    };
    let work = async { tokio::join!(sweeping, fresh_passes) };
    let ((published, behind), most) = Box::pin(most_at_hand(&telling, work)).await;

    assert!(behind < ROWS as u64, "the backlog was not through: {behind}");
    assert!(most <= AT_HAND, "{most} rows at hand");
    assert_eq!(published, ROWS as u64);
    assert_eq!(stored(&world).await, ROWS as u64 + 2);
    let sent = sent(&world).await - before;
    assert!(sent < ROWS as u64 + 1_000, "{sent} messages for {ROWS} rows");
    telling.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn refusing_broker_is_not_flooded() {
    const ROWS: usize = 6_000;
    let world = World::start().await;
    let here = replica(&world, &world.database("relay"), 64).await;
    backlog(&here, ROWS).await;
    let telling = Telling::begin(here, world.nats().url()).await;
    let before = stream(&world, "ORDER").await.cached_info().config.clone();
    telling.here.ring(fresh(), keyed("first")).await.unwrap();
    eventually("both are there", SOON, async || (stored(&world).await == 2).then_some(())).await;
    update(&world, Config { max_messages: 1, ..before.clone() }).await;
    let begun = sent(&world).await;

    let refused = async {
        for n in 0..500 {
            telling.here.store.sweep(&telling.bus).await.unwrap();
            if n % 10 == 0 {
                telling.here.ring(fresh(), keyed(&format!("{n}"))).await.unwrap();
            }
        }
    };
    let ((), most) = most_at_hand(&telling, refused).await;

    assert!(most <= AT_HAND, "{most} rows at hand");
    let sent_in_vain = sent(&world).await - begun;
    assert!(sent_in_vain < ROWS as u64, "{sent_in_vain} messages");
    update(&world, before).await;
    eventually("all is published", LONG, async || {
        telling.here.store.sweep(&telling.bus).await.unwrap();
        (stored(&world).await == ROWS as u64 + 52).then_some(())
    })
    .await;
    telling.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn replay_makes_pages_unpublished() {
    const ROWS: usize = 20_000;
    let world = World::start().await;
    let here = replica(&world, &world.database("relay"), 64).await;
    backlog(&here, ROWS).await;
    let outbox = here.store.collection("outbox");
    // As if they had been published one after the other.
    let expires = doc! { "$add": ["$$NOW", { "$multiply": ["$sequence", 3_600_000] }] };
    let told = vec![doc! { "$set": { "told": true, "expires_at": expires } }];
    outbox.update_many(doc! {}, told).await.unwrap();

    let since = Clock::system().now().minus(Duration::from_hours(72));
    let mut replay = here.store.replay_facts(since).await.unwrap();
    let mut pages = Vec::new();
    loop {
        let page = replay.next_page(&here.store).await.unwrap();
        if page == 0 {
            break;
        }
        assert_eq!(here.store.untold().await.unwrap(), page);
        pages.push(page);
        let published = doc! { "$set": { "told": true } };
        outbox.update_many(doc! { "told": false }, published).await.unwrap();
    }

    assert_eq!(pages.iter().sum::<u64>(), ROWS as u64);
    assert!(pages.iter().all(|page| *page < 10_000), "{pages:?}");
}

#[tokio::test]
async fn unreadable_rows_do_not_stop_others() {
    let world = World::start().await;
    let here = replica(&world, &world.database("relay"), 1).await;
    backlog(&here, 10).await;
    let outbox = here.store.collection("outbox");
    let unreadable = (0..3_000).map(|number| {
        doc! { "_id": format!("bad-{number}"), "told": false, "at": "2020-01-01T00:00:00.000Z",
        "sequence": 1_i64, "payload": 5 }
    });
    let shapeless = [doc! { "told": false, "at": 7 }, doc! { "_id": 5, "told": false }];
    outbox.insert_many(unreadable.chain(shapeless)).await.unwrap();

    let telling = Telling::begin(here, world.nats().url()).await;
    let sweep = async || telling.here.store.sweep(&telling.bus).await.unwrap();
    assert_eq!(sweep().await + sweep().await, 10);

    assert!(telling.here.store.outbox_age().await.unwrap().is_some());
    eventually("the template is published, too", SOON, async || {
        (stored(&world).await == 11).then_some(())
    })
    .await;
    telling.stop().await;
}
