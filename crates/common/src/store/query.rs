//! Questions that one filter cannot ask.

use futures_util::TryStreamExt as _;
use mongodb::bson;
use serde::de::DeserializeOwned;

use super::{Store, StoreError};

impl Store {
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
    bson::deserialize_from_document(body).map_err(|error| StoreError::Unreadable {
        collection,
        id,
        why: error.to_string(),
    })
}
