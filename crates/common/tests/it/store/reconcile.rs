//! States that the stream lost, or that were replaced there, are published again.

use std::time::Duration;

use common::store::Compared;
use contracts::{Envelope, product};
use mongodb::bson::doc;
use testkit::{World, eventually};

use super::relay::{SOON, Telling};
use super::things::Shelf;

/// The last event about a SKU in the stream, if what is there is one.
async fn last(world: &World, sku: &str) -> Option<product::Stock> {
    let client = async_nats::connect(world.nats().url()).await.unwrap();
    let stream = async_nats::jetstream::new(client).get_stream("PRODUCT_STATE").await.unwrap();
    let subject = format!("product.stock.v1.{sku}");
    let message = stream.get_last_raw_message_by_subject(&subject).await.ok()?;
    Envelope::parse(&message.payload).ok()?.open().ok()
}

/// Compares, as the frame does, until the stream has this.
async fn until(telling: &Telling, world: &World, compared: &mut Compared, stock: &[(&str, u32)]) {
    eventually("the states are there", SOON, async || {
        let (store, bus) = (&telling.here.store, &telling.bus);
        store.reconcile_state::<Shelf>(bus, compared).await.unwrap();
        for (sku, available) in stock {
            last(world, sku).await.filter(|stock| stock.available == *available)?;
        }
        Some(())
    })
    .await;
}

#[tokio::test]
async fn lost_and_replaced_states_come_back() {
    let world = World::start().await;
    let telling = Telling::start(&world, &world.database("relay")).await;
    telling.put("MUG", 5).await;
    telling.put("CAP", 7).await;
    telling.until_told().await;
    let (mut compared, all) = (Compared::default(), [("MUG", 5), ("CAP", 7)]);
    let compare = async |compared: &mut Compared| {
        telling.here.store.reconcile_state::<Shelf>(&telling.bus, compared).await.unwrap()
    };
    assert_eq!(compare(&mut compared).await, 0, "nothing differs");

    // The acknowledgement of this publish takes the place of the state.
    let client = async_nats::connect(world.nats().url()).await.unwrap();
    let fact = "order.delivered.v1.x";
    client.publish_with_reply(fact, "product.stock.v1.MUG", "{}".into()).await.unwrap();
    eventually("the state is replaced", SOON, async || {
        last(&world, "MUG").await.is_none().then_some(())
    })
    .await;
    until(&telling, &world, &mut compared, &all).await;

    let stream = async_nats::jetstream::new(client).get_stream("PRODUCT_STATE").await.unwrap();
    stream.purge().await.unwrap();
    until(&telling, &world, &mut compared, &all).await;

    world.nats().wipe().await.unwrap();
    telling.bus.declare(&[], "1").await.unwrap();
    until(&telling, &world, &mut compared, &all).await;

    telling.until_told().await;
    assert_eq!(compare(&mut compared).await, 0, "nothing differs any more");
    telling.stop().await;
}

#[tokio::test]
async fn unreadable_documents_do_not_hold_up_the_others() {
    let world = World::start().await;
    let telling = Telling::start(&world, &world.database("relay")).await;
    telling.put("MUG", 5).await;
    telling.until_told().await;
    let unreadable = (0..40).map(|number| doc! { "_id": format!("A-{number}"), "told": 7_i64 });
    let nameless = [doc! { "note": "by hand" }, doc! { "_id": "" }, doc! { "_id": "a *.>" }];
    let store = &telling.here.store;
    store.collection("shelves").insert_many(unreadable.chain(nameless)).await.unwrap();
    let stream = async_nats::connect(world.nats().url()).await.unwrap();
    let stream = async_nats::jetstream::new(stream).get_stream("PRODUCT_STATE").await.unwrap();
    stream.purge().await.unwrap();

    until(&telling, &world, &mut Compared::default(), &[("MUG", 5)]).await;

    assert_eq!(store.retell_state::<Shelf>(&telling.bus).await.unwrap(), 1);
    telling.stop().await;
}

#[tokio::test]
async fn deleted_states_come_back_as_often_as_they_go() {
    let world = World::start().await;
    let telling = Telling::start(&world, &world.database("relay")).await;
    telling.put("MUG", 5).await;
    telling.put("CAP", 7).await;
    telling.until_told().await;
    let stream = async_nats::connect(world.nats().url()).await.unwrap();
    let stream = async_nats::jetstream::new(stream).get_stream("PRODUCT_STATE").await.unwrap();
    let mut compared = Compared::default().missing_after(Duration::ZERO);
    until(&telling, &world, &mut compared, &[("MUG", 5), ("CAP", 7)]).await;

    for round in 0..2 {
        // As many messages are added as go.
        stream.purge().filter("product.stock.v1.MUG").await.unwrap();
        let added = format!("NEW-{round}");
        telling.put(&added, 1).await;
        until(&telling, &world, &mut compared, &[("MUG", 5), (&added, 1)]).await;
    }
    telling.stop().await;
}

#[tokio::test]
async fn uncountable_sequences_are_taken_for_none() {
    let world = World::start().await;
    let telling = Telling::start(&world, &world.database("relay")).await;
    telling.put("MUG", 5).await;
    telling.until_told().await;
    let client = async_nats::connect(world.nats().url()).await.unwrap();
    let subject = "product.stock.v1.MUG";
    let stream = async_nats::jetstream::new(client.clone());
    let stream = stream.get_stream("PRODUCT_STATE").await.unwrap();
    let own = stream.get_last_raw_message_by_subject(subject).await.unwrap();
    let own = String::from_utf8(own.payload.to_vec()).unwrap();
    let sequence = Envelope::parse(own.as_bytes()).unwrap().sequence;
    let (mut compared, five) = (Compared::default(), "\"available\":5");
    until(&telling, &world, &mut compared, &[("MUG", 5)]).await;

    for forged in [u64::MAX, i64::MAX.unsigned_abs(), i64::MAX.unsigned_abs() - 1] {
        let forged = own.replace(&sequence, &contracts::sequence_text(forged));
        client.publish(subject, forged.replace(five, &format!("{five}0")).into()).await.unwrap();
        eventually("the state is replaced", SOON, async || {
            last(&world, "MUG").await.filter(|stock| stock.available == 50)
        })
        .await;
        until(&telling, &world, &mut compared, &[("MUG", 5)]).await;
    }
    telling.put("MUG", 4).await;
    telling.until_told().await;
    until(&telling, &world, &mut compared, &[("MUG", 4)]).await;
    telling.stop().await;
}
