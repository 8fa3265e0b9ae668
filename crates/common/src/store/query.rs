//! Questions that ask for something else than whole documents.

use std::str::FromStr;

use contracts::stored;
use futures_util::TryStreamExt as _;
use mongodb::Database;
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
        let find = async move |database: Database| {
            let documents = database.collection::<bson::Document>(D::COLLECTION);
            let found = documents.find(filter).projection(doc! { "_id": 1 });
            found.sort(sort).limit(limit).await?.try_collect().await
        };
        let names: Vec<bson::Document> = self.query(D::COLLECTION, find).await?;
        Ok(names.iter().filter_map(|name| name.get_str("_id").ok()?.parse().ok()).collect())
    }

    /// Deletes the documents that fit, beside the commit; returns how many.
    pub async fn delete_many(
        &self,
        collection: &'static str,
        filter: bson::Document,
    ) -> Result<u64, StoreError> {
        let delete = async move |database: Database| {
            database.collection::<bson::Document>(collection).delete_many(filter).await
        };
        Ok(self.query(collection, delete).await?.deleted_count)
    }

    /// What a pipeline makes of the documents or rows of a collection.
    pub async fn aggregate<T: DeserializeOwned>(
        &self,
        collection: &'static str,
        pipeline: Vec<bson::Document>,
    ) -> Result<Vec<T>, StoreError> {
        let aggregate = async move |database: Database| {
            let documents = database.collection::<bson::Document>(collection);
            documents.aggregate(pipeline).await?.try_collect().await
        };
        let bodies: Vec<bson::Document> = self.query(collection, aggregate).await?;
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
