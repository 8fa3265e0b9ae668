//! Questions that ask for something else than whole documents.

use std::str::FromStr;

use contracts::stored;
use futures_util::TryStreamExt as _;
use mongodb::bson::{self, doc};
use serde::de::DeserializeOwned;

use super::{Store, StoreError};
use crate::document::Document;

impl Store {
    /// The names of the documents that fit, at most `limit` of them. For work that goes through
    /// many: a document that cannot be read does not hold up the others.
    pub async fn ids<D: Document>(
        &self,
        filter: bson::Document,
        sort: bson::Document,
        limit: i64,
    ) -> Result<Vec<D::Id>, StoreError>
    where
        D::Id: FromStr,
    {
        let lost = |error| StoreError::of(D::COLLECTION, &error);
        let documents = self.collection(D::COLLECTION);
        let found = documents.find(filter).projection(doc! { "_id": 1 }).sort(sort).limit(limit);
        let found = found.await.map_err(lost)?;
        let names: Vec<bson::Document> = found.try_collect().await.map_err(lost)?;
        Ok(names.iter().filter_map(|name| name.get_str("_id").ok()?.parse().ok()).collect())
    }

    /// What a pipeline makes of the documents or rows of a collection.
    pub async fn aggregate<T: DeserializeOwned>(
        &self,
        collection: &'static str,
        pipeline: Vec<bson::Document>,
    ) -> Result<Vec<T>, StoreError> {
        let lost = |error| StoreError::of(collection, &error);
        let found = self.collection(collection).aggregate(pipeline).await.map_err(lost)?;
        let bodies: Vec<bson::Document> = found.try_collect().await.map_err(lost)?;
        bodies.into_iter().map(|body| read(collection, body)).collect()
    }
}

fn read<T: DeserializeOwned>(
    collection: &'static str,
    body: bson::Document,
) -> Result<T, StoreError> {
    let id = body.get("_id").map(ToString::to_string).unwrap_or_default();
    stored::reading(|| bson::deserialize_from_document(body))
        .map_err(|error| StoreError::unreadable(collection, id, &error))
}
