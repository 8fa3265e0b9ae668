//! Whose turn it is, where only one replica may do something at a time.

use std::time::Duration;

use mongodb::Database;
use mongodb::bson::{Document, doc};
use mongodb::options::ReturnDocument;

use super::FRAME;
use crate::store::{Store, StoreError};

/// A turn that replicas take one after the other.
///
/// All times are the database's, so that it does not matter what the replicas' clocks say.
#[derive(Clone, Debug)]
pub(crate) struct Lease {
    store: Store,
    name: String,
}

/// What came of asking for the turn.
#[derive(Debug)]
pub(crate) enum Asked {
    /// It is the caller's.
    Mine(Turn),
    /// It is not to be had before so long.
    Later(Duration),
}

/// The turn, as long as it is extended in time.
#[derive(Debug)]
pub(crate) struct Turn {
    lease: Lease,
    id: String,
}

impl Lease {
    pub(crate) fn of(store: Store, name: String) -> Self {
        Self { store, name }
    }

    /// Takes the turn for so long, if it is free.
    pub(crate) async fn ask(&self, term: Duration) -> Result<Asked, StoreError> {
        let id = self.store.clock().uuid().simple().to_string();
        let free = doc! { "$lte": [{ "$ifNull": ["$until", "$$NOW"] }, "$$NOW"] };
        let pick = |taken: Document, left: &str| doc! { "$cond": [free.clone(), taken, left] };
        let update = doc! { "$set": {
            "turn": pick(doc! { "$literal": &id }, "$turn"),
            "until": pick(from_now(term), "$until"),
            "asked": "$$NOW",
        } };
        let this = doc! { "_id": &self.name };
        let ask = async move |database: Database| {
            let leases = database.collection::<Document>(FRAME);
            let asked = leases.find_one_and_update(this, vec![update]).upsert(true);
            asked.return_document(ReturnDocument::After).await
        };
        let asked = self.store.query(FRAME, ask).await?.unwrap_or_default();
        if asked.get_str("turn").is_ok_and(|turn| turn == id) {
            return Ok(Asked::Mine(Turn { lease: self.clone(), id }));
        }
        Ok(Asked::Later(left(&asked)))
    }
}

impl Turn {
    /// Makes the turn last so long from now; false when another has it already.
    pub(crate) async fn extend(&self, term: Duration) -> Result<bool, StoreError> {
        let mine = doc! { "_id": &self.lease.name, "turn": &self.id };
        let update = doc! { "$set": { "until": from_now(term) } };
        let extend = async move |database: Database| {
            database.collection::<Document>(FRAME).update_one(mine, vec![update]).await
        };
        let extended = self.lease.store.query(FRAME, extend).await?;
        Ok(extended.matched_count == 1)
    }
}

fn from_now(term: Duration) -> Document {
    doc! { "$add": ["$$NOW", i64::try_from(term.as_millis()).unwrap_or(i64::MAX)] }
}

/// How long the turn of another still lasts.
fn left(lease: &Document) -> Duration {
    let millis = |field| lease.get_datetime(field).map_or(0, |time| time.timestamp_millis());
    let left = millis("until").saturating_sub(millis("asked"));
    Duration::from_millis(u64::try_from(left).unwrap_or(0))
}
