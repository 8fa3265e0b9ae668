//! What a service remembers of itself from one start to the next.

use contracts::Timestamp;
use mongodb::Database;
use mongodb::bson::{Document, doc};
use mongodb::options::ReturnDocument;

use super::FRAME;
use crate::bus::{Bus, DeclareError, Subscription};
use crate::crash::{Point, point};
use crate::store::{Store, StoreError};

const COPIES: &str = "copies";

/// What the service's own database says about it. A database that was wiped knows nothing, and
/// begins anew.
#[derive(Clone, Debug)]
pub(super) struct Memory {
    store: Store,
    /// Names this life of the database: with another, copies are heard anew.
    pub(super) generation: String,
    /// Whether all that the service hears was declared once: then it can start while the bus is
    /// away.
    pub(super) declared: bool,
    /// The database was put back to what it was: since when all is to be heard again.
    pub(super) hear_since: Option<Timestamp>,
}

impl Memory {
    pub(super) async fn recall(store: Store) -> Result<Self, StoreError> {
        let drawn = store.clock().uuid().simple().to_string();
        // The end of the UUID is random; the beginning is the time.
        let fresh = doc! { "$setOnInsert": { "generation": &drawn[20..] } };
        let recall = async move |database: Database| {
            let frame = database.collection::<Document>(FRAME);
            let copies = frame.find_one_and_update(doc! { "_id": COPIES }, fresh).upsert(true);
            copies.return_document(ReturnDocument::After).await
        };
        let copies = store.query(FRAME, recall).await?.unwrap_or_default();
        let generation = copies.get_str("generation").unwrap_or_default().to_owned();
        let declared = copies.get_bool("declared").unwrap_or(false);
        let hear_since = copies.get_datetime("hear_since").ok();
        let hear_since =
            hear_since.and_then(|at| Timestamp::from_millis(at.timestamp_millis()).ok());
        Ok(Self { store, generation, declared, hear_since })
    }

    /// Declares what the service hears.
    pub(super) async fn declare(
        &self,
        bus: &Bus,
        subscriptions: &[Subscription],
    ) -> Result<(), DeclareError> {
        if let Some(since) = self.hear_since {
            bus.hear_again(subscriptions, since).await?;
        }
        bus.declare(subscriptions, &self.generation).await
    }

    /// Remembers that all was declared.
    pub(super) async fn note_declared(&self) -> Result<(), StoreError> {
        point(Point::Declared);
        let declared = doc! { "$set": { "declared": true }, "$unset": { "hear_since": "" } };
        let note = async move |database: Database| {
            let frame = database.collection::<Document>(FRAME);
            frame.update_one(doc! { "_id": COPIES }, declared).await
        };
        self.store.query(FRAME, note).await.map(drop)
    }
}
