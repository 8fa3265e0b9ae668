//! The driver by itself: one document at a time.

use anyhow::ensure;
use mongodb::Collection;
use mongodb::bson::{Document, doc};
use mongodb::options::{Acknowledgment, CollectionOptions, WriteConcern};

use super::{AT_ONCE, FINDS, REPLACES, Rows};

/// So many documents are there.
const DOCUMENTS: u32 = 1_000;

pub(super) async fn measure(rows: &mut Rows<'_>) -> anyhow::Result<()> {
    let database = rows.stage.database("bench");
    let safe = WriteConcern::builder().w(Acknowledgment::Majority).journal(true).build();
    let options = CollectionOptions::builder().write_concern(safe).build();
    let things: Collection<Document> = database.collection_with_options("things", options);
    things.insert_many((0..DOCUMENTS).map(|number| thing(number, 0))).await?;
    let found = things.clone();
    let find = move |number: u32| {
        let things = found.clone();
        async move {
            let thing = things.find_one(doc! { "_id": number % DOCUMENTS }).await?;
            ensure!(thing.is_some(), "nothing found");
            Ok(())
        }
    };
    rows.each(FINDS, &AT_ONCE, find).await?;
    let replace = move |number: u32| {
        let things = things.clone();
        async move {
            let id = number % DOCUMENTS;
            things.replace_one(doc! { "_id": id }, thing(id, number)).await?;
            Ok(())
        }
    };
    rows.each(REPLACES, &AT_ONCE, replace).await
}

/// A document of the size of a cart.
fn thing(id: u32, version: u32) -> Document {
    let line = doc! { "sku": "BENCH-1", "quantity": 1, "title": "x".repeat(200) };
    doc! { "_id": id, "version": version, "lines": [line.clone(), line.clone(), line] }
}
