//! Questions that ask for something else than whole documents.

use std::str::FromStr;

use contracts::stored;
use futures_util::{StreamExt as _, TryStreamExt as _};
use mongodb::Database;
use mongodb::action::{Action as _, Find};
use mongodb::bson::{self, doc};
use serde::de::DeserializeOwned;
use tracing::warn;

use super::scope::{self, Stored};
use super::{Store, StoreError};
use crate::document::Document;

/// A page looks no further for what can be read when it passed over so many.
const MOST_UNREADABLE: i64 = 10_000;

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
        let page = u32::try_from(limit).ok().filter(|page| *page > 0);
        let find = async move |database: Database| {
            let documents = database.collection::<bson::Document>(D::COLLECTION);
            let found = documents.find(filter).projection(doc! { "_id": 1 }).sort(sort);
            let found = found.optional(page, Find::batch_size).await?;
            // A name that is none is not counted: many of them do not fill the page.
            let names = found.try_filter_map(async |name: bson::Document| {
                Ok(name.get_str("_id").ok().and_then(|id| id.parse().ok()))
            });
            let most = page.map_or(usize::MAX, |page| page as usize);
            names.take(most).try_collect().await
        };
        self.query(D::COLLECTION, find).await
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

    /// The documents that fit, at most `limit` of them; all, where that is 0.
    pub async fn find<D: Document>(
        &self,
        filter: bson::Document,
        sort: bson::Document,
        limit: i64,
    ) -> Result<Vec<Stored<D>>, StoreError> {
        let bodies = self.bodies(D::COLLECTION, filter, sort, limit).await?;
        bodies.into_iter().map(scope::read).collect()
    }

    /// The documents that fit, without those that cannot be read: of each a warning is logged. For
    /// what is shown, not for what is decided on.
    pub async fn find_readable<D: Document>(
        &self,
        filter: bson::Document,
        sort: bson::Document,
    ) -> Result<Vec<Stored<D>>, StoreError> {
        let bodies = self.bodies(D::COLLECTION, filter, sort, 0).await?;
        Ok(bodies.into_iter().filter_map(|body| readable(scope::read(body))).collect())
    }

    async fn bodies(
        &self,
        collection: &'static str,
        filter: bson::Document,
        sort: bson::Document,
        limit: i64,
    ) -> Result<Vec<bson::Document>, StoreError> {
        let find = async move |database: Database| {
            let documents = database.collection::<bson::Document>(collection);
            documents.find(filter).sort(sort).limit(limit).await?.try_collect().await
        };
        self.query(collection, find).await
    }

    /// A page of what a pipeline makes of the documents or rows of a collection, as
    /// [`readable_page`] reads it; `pipeline` is given how many it may make.
    pub async fn page<T: DeserializeOwned>(
        &self,
        collection: &'static str,
        limit: i64,
        pipeline: impl Fn(i64) -> Vec<bson::Document>,
    ) -> Result<Vec<T>, StoreError> {
        let made = |most| self.made(collection, pipeline(most));
        readable_page(collection, limit, made).await
    }

    /// What a pipeline makes of the documents or rows of a collection.
    pub async fn aggregate<T: DeserializeOwned>(
        &self,
        collection: &'static str,
        pipeline: Vec<bson::Document>,
    ) -> Result<Vec<T>, StoreError> {
        let bodies = self.made(collection, pipeline).await?;
        bodies.into_iter().map(|body| read_body(collection, body)).collect()
    }

    async fn made(
        &self,
        collection: &'static str,
        pipeline: Vec<bson::Document>,
    ) -> Result<Vec<bson::Document>, StoreError> {
        let aggregate = async move |database: Database| {
            let documents = database.collection::<bson::Document>(collection);
            documents.aggregate(pipeline).await?.try_collect().await
        };
        self.query(collection, aggregate).await
    }
}

/// A page of what `find` gives, at most `limit`; `find` is told how many it may give. Passes over what
/// cannot be read, logs a warning of each, and looks further in its stead.
pub async fn readable_page<T, E, F>(
    collection: &'static str,
    limit: i64,
    find: impl Fn(i64) -> F,
) -> Result<Vec<T>, E>
where
    T: DeserializeOwned,
    F: Future<Output = Result<Vec<bson::Document>, E>>,
{
    let mut most = limit;
    loop {
        let bodies = find(most).await?;
        let is_last = i64::try_from(bodies.len()).is_ok_and(|count| count < most);
        let page = bodies.into_iter().filter_map(|body| readable(read_body(collection, body)));
        let page: Vec<T> = page.take(usize::try_from(limit).unwrap_or(0)).collect();
        let is_full = i64::try_from(page.len()).is_ok_and(|count| count == limit);
        if is_full || is_last || most > MOST_UNREADABLE {
            return Ok(page);
        }
        most *= 2;
    }
}

/// What was read, unless it cannot be.
fn readable<T>(read: Result<T, StoreError>) -> Option<T> {
    read.inspect_err(|error| warn!(%error, "passed over in a list")).ok()
}

/// Reads what a query found; [`StoreError::Unreadable`] with its id when that is not possible.
pub fn read_body<T: DeserializeOwned>(
    collection: &'static str,
    body: bson::Document,
) -> Result<T, StoreError> {
    let id = body.get("_id").map(ToString::to_string).unwrap_or_default();
    stored::reading(|| bson::deserialize_from_document(body))
        .map_err(|error| StoreError::unreadable(collection, id, &error))
}
