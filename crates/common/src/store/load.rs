//! Reading what a group of decisions is about: one query per collection.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::sync::atomic::{AtomicUsize, Ordering};

use futures_util::TryStreamExt as _;
use futures_util::future::try_join_all;
use mongodb::Database;
use mongodb::bson::{self, RawDocumentBuf, doc};

use super::StoreError;
use super::call::Call;
use super::plan::{Plan, Receipted};
use super::receipt::ReceiptDocument;
use super::scope::{Slot, View};
use super::write::Lost;
use crate::document::Key;

/// What a group of calls has to read.
pub(crate) struct Wanted {
    documents: BTreeSet<Key>,
    receipts: BTreeSet<String>,
}

impl Wanted {
    pub(crate) fn by(calls: &[Box<dyn Call>]) -> Self {
        let receipts = calls.iter().filter_map(|call| call.receipt().key.as_ref());
        Self {
            documents: calls.iter().flat_map(|call| call.keys()).collect(),
            receipts: receipts.map(|key| key.id.clone()).collect(),
        }
    }
}

/// What a group may still read, in bytes.
struct Budget(AtomicUsize);

impl Budget {
    /// Errs when it is used up.
    fn take(&self, bytes: usize) -> Result<(), Lost> {
        let take = |left: usize| left.checked_sub(bytes);
        let taken = self.0.fetch_update(Ordering::Relaxed, Ordering::Relaxed, take);
        taken.map(drop).map_err(|_| Lost::Oversized)
    }
}

/// Reads the documents and the receipts of a group, as long as they have no more bytes than `bound`.
pub(crate) async fn plan(database: &Database, wanted: Wanted, bound: usize) -> Result<Plan, Lost> {
    let budget = Budget(AtomicUsize::new(bound));
    // In this order: who sees what a call came to sees its receipt, too, and is not refused for it.
    let view = documents(database, wanted.documents, &budget).await?;
    let receipts = receipts(database, wanted.receipts, &budget).await?;
    Ok(Plan::of(view, receipts))
}

async fn documents(
    database: &Database,
    keys: BTreeSet<Key>,
    budget: &Budget,
) -> Result<View, Lost> {
    let mut wanted: BTreeMap<&'static str, Vec<String>> = BTreeMap::new();
    for key in &keys {
        wanted.entry(key.collection).or_default().push(key.id.clone());
    }
    let found = wanted.into_iter().map(|(collection, ids)| async move {
        let bodies = by_ids(database, collection, ids, budget).await?;
        Ok::<_, Lost>((collection, bodies))
    });
    let mut slots: HashMap<Key, Slot> = keys.into_iter().map(|key| (key, Slot::absent())).collect();
    for (collection, bodies) in try_join_all(found).await? {
        for body in bodies {
            let id = body.get_str("_id").unwrap_or_default().to_owned();
            slots.insert(Key { collection, id }, Slot::loaded(body));
        }
    }
    Ok(View { slots })
}

async fn receipts(
    database: &Database,
    asked: BTreeSet<String>,
    budget: &Budget,
) -> Result<HashMap<String, Receipted>, Lost> {
    if asked.is_empty() {
        return Ok(HashMap::new());
    }
    let ids = asked.into_iter().collect();
    let bodies = by_ids(database, ReceiptDocument::COLLECTION, ids, budget).await?;
    Ok(bodies.into_iter().map(receipted).collect::<Result<_, _>>()?)
}

fn receipted(body: bson::Document) -> Result<(String, Receipted), StoreError> {
    let document = receipt(body)?;
    Ok((document.id.clone(), Receipted { document, stored: true, written: false }))
}

/// Reads a stored receipt.
pub(crate) fn receipt(body: bson::Document) -> Result<ReceiptDocument, StoreError> {
    let id = body.get_str("_id").unwrap_or_default().to_owned();
    bson::deserialize_from_document(body)
        .map_err(|error| StoreError::unreadable(ReceiptDocument::COLLECTION, id, &error))
}

async fn by_ids(
    database: &Database,
    collection: &'static str,
    ids: Vec<String>,
    budget: &Budget,
) -> Result<Vec<bson::Document>, Lost> {
    let lost = |error| StoreError::of(collection, &error);
    let mut found = database
        .collection::<RawDocumentBuf>(collection)
        .find(doc! { "_id": { "$in": ids } })
        .await
        .map_err(lost)?;
    let mut bodies = Vec::new();
    while let Some(body) = found.try_next().await.map_err(lost)? {
        budget.take(body.as_bytes().len())?;
        let body = bson::Document::try_from(&*body);
        bodies.push(body.map_err(|error| StoreError::unreadable(collection, "?", &error))?);
    }
    Ok(bodies)
}
