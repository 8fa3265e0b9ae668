//! States that the stream lost, or that were replaced there, are published again.

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
    let store = &telling.here.store;
    store.collection("shelves").insert_many(unreadable).await.unwrap();
    let stream = async_nats::connect(world.nats().url()).await.unwrap();
    let stream = async_nats::jetstream::new(stream).get_stream("PRODUCT_STATE").await.unwrap();
    stream.purge().await.unwrap();

    until(&telling, &world, &mut Compared::default(), &[("MUG", 5)]).await;

    assert_eq!(store.retell_state::<Shelf>(&telling.bus).await.unwrap(), 1);
    telling.stop().await;
}
