//! Reading what a group of decisions is about: one query per collection.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use futures_util::TryStreamExt as _;
use futures_util::future::try_join_all;
use mongodb::Database;
use mongodb::bson::{self, doc};

use super::StoreError;
use super::call::Call;
use super::plan::{Plan, Receipted};
use super::receipt::ReceiptDocument;
use super::scope::{Slot, View};
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

/// Reads the documents and the receipts of a group.
pub(crate) async fn plan(database: &Database, wanted: Wanted) -> Result<Plan, StoreError> {
    // In this order: who sees what a call came to sees its receipt, too, and is not refused for it.
    let view = documents(database, wanted.documents).await?;
    let receipts = receipts(database, wanted.receipts).await?;
    Ok(Plan::of(view, receipts))
}

async fn documents(database: &Database, keys: BTreeSet<Key>) -> Result<View, StoreError> {
    let mut wanted: BTreeMap<&'static str, Vec<String>> = BTreeMap::new();
    for key in &keys {
        wanted.entry(key.collection).or_default().push(key.id.clone());
    }
    let found = wanted.into_iter().map(|(collection, ids)| async move {
        let bodies = by_ids(database, collection, ids).await?;
        Ok::<_, StoreError>((collection, bodies))
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
) -> Result<HashMap<String, Receipted>, StoreError> {
    if asked.is_empty() {
        return Ok(HashMap::new());
    }
    let ids = asked.into_iter().collect();
    let bodies = by_ids(database, ReceiptDocument::COLLECTION, ids).await?;
    bodies.into_iter().map(receipted).collect()
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
    collection: &str,
    ids: Vec<String>,
) -> Result<Vec<bson::Document>, StoreError> {
    let lost = |error| StoreError::of(collection, &error);
    let found = database
        .collection::<bson::Document>(collection)
        .find(doc! { "_id": { "$in": ids } })
        .await
        .map_err(lost)?;
    found.try_collect().await.map_err(lost)
}
