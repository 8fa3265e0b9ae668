//! Many orders that were bought long ago: doubles of a real one, written beside the services.

use std::collections::BTreeSet;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, SystemTime};

use anyhow::Context as _;
use contracts::Timestamp;
use mongodb::bson::{Document, doc};
use mongodb::options::{Acknowledgment, CollectionOptions, WriteConcern};
use mongodb::{Client, Collection};
use tokio::task::JoinSet;

use super::double::Double;
use super::observed::Observed;
use super::stage::Stage;

/// The services whose documents stay for ever, and grow with every order.
const SERVICES: [&str; 2] = ["order", "payment"];
/// Kept for hours or days only.
const PASSING: [&str; 3] = ["outbox", "receipts", "throttle"];
/// So many orders are written at once, by so many side by side.
const BATCH: u64 = 500;
const SIDE_BY_SIDE: u32 = 3;
/// So many orders somebody has bought.
const EACH: u64 = 20;
/// An order was placed so long before the next one.
const APART: Duration = Duration::from_mins(1);

/// A real purchase that is doubled.
#[derive(Debug)]
pub(crate) struct Seed {
    client: Client,
    /// The documents of one order: database, collection and what they are in the end.
    documents: Vec<(String, String, Document)>,
    names: BTreeSet<String>,
    order: String,
    now: Timestamp,
}

impl Seed {
    /// Lets one guest buy, and takes what is kept of it.
    pub(crate) async fn of(stage: &Stage<'_>) -> anyhow::Result<Self> {
        let observed = Observed::of(stage).await?;
        let mut seen = BTreeSet::new();
        let mut documents = Vec::new();
        for write in observed.writes() {
            let (database, collection) = (write.database.as_str(), write.collection.as_str());
            let stays = SERVICES.contains(&database) && !PASSING.contains(&collection);
            if !stays || !seen.insert((database, collection, write.id.to_string())) {
                continue;
            }
            let found = stage.database(database).collection::<Document>(collection);
            if let Some(document) = found.find_one(doc! { "_id": &write.id }).await? {
                documents.push((database.to_owned(), collection.to_owned(), document));
            }
        }
        let since = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH)?;
        Ok(Self {
            client: stage.mongo.clone(),
            documents,
            names: observed.names(),
            order: observed.order,
            now: Timestamp::from_millis(i64::try_from(since.as_millis())?)?,
        })
    }

    /// How many documents are kept of one order.
    pub(crate) fn documents(&self) -> usize {
        self.documents.len()
    }

    /// The id of the order of this number.
    pub(crate) fn order(&self, number: u64) -> String {
        Double::new(&self.names, number).text(&self.order)
    }

    /// Writes the orders of these numbers; every tenth of the first thousand is this person's.
    pub(crate) async fn write(
        self: &Arc<Self>,
        numbers: std::ops::Range<u64>,
        person: &str,
    ) -> anyhow::Result<()> {
        let (next, mut writers) = (Arc::new(AtomicU64::new(numbers.start)), JoinSet::new());
        for _ in 0..SIDE_BY_SIDE {
            let (seed, next) = (Arc::clone(self), Arc::clone(&next));
            let (end, person) = (numbers.end, person.to_owned());
            writers.spawn(async move {
                loop {
                    let begin = next.fetch_add(BATCH, Ordering::Relaxed);
                    if begin >= end {
                        return anyhow::Ok(());
                    }
                    seed.write_batch(begin..(begin + BATCH).min(end), &person).await?;
                }
            });
        }
        while let Some(done) = writers.join_next().await {
            done??;
        }
        Ok(())
    }

    async fn write_batch(&self, numbers: std::ops::Range<u64>, person: &str) -> anyhow::Result<()> {
        for (database, collection, document) in &self.documents {
            let doubles = numbers.clone().map(|number| self.double(document, number, person));
            let doubles: Vec<Document> = doubles.collect::<anyhow::Result<_>>()?;
            self.relaxed(database, collection).insert_many(doubles).ordered(false).await?;
        }
        Ok(())
    }

    fn double(&self, document: &Document, number: u64, person: &str) -> anyhow::Result<Document> {
        let double = Double::new(&self.names, number).with_payment_of(&self.order)?;
        let mut copy = double.document(document);
        if let Ok(customer) = document.get_str("customer") {
            let customer = match number {
                0..1_000 if number.is_multiple_of(10) => person.to_owned(),
                _ => Double::new(&self.names, number / EACH).text(customer),
            };
            copy.insert("customer", customer);
        }
        if document.contains_key("placed_at") {
            let ago = APART * u32::try_from(3_000_000_u64.saturating_sub(number))?;
            copy.insert("placed_at", self.now.minus(ago).to_string());
        }
        Ok(copy)
    }

    /// What is lost of it is written again with the next run: nobody waits for a majority.
    fn relaxed(&self, database: &str, collection: &str) -> Collection<Document> {
        let concern = WriteConcern::builder().w(Acknowledgment::Nodes(1)).build();
        let options = CollectionOptions::builder().write_concern(concern).build();
        self.client.database(database).collection_with_options(collection, options)
    }

    /// How many orders there are, and what they and all that belongs to them take on disk, in MiB.
    pub(crate) async fn size(&self) -> anyhow::Result<(u64, f64)> {
        let orders = self.client.database("order").collection::<Document>("orders");
        let many = orders.estimated_document_count().await?;
        let mut mebibytes = 0.0;
        for service in SERVICES {
            let stats = doc! { "dbStats": 1, "scale": 1 << 20 };
            let stats = self.client.database(service).run_command(stats).await?;
            mebibytes += stats.get_f64("totalSize").context("a database has a size")?;
        }
        Ok((many, mebibytes))
    }
}
