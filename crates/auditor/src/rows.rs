//! Reading a collection, row by row, as it was at one moment.

use contracts::Timestamp;
use mongodb::bson::{self, Document, doc};
use mongodb::{Client, ClientSession, Database, SessionCursor};
use secrecy::ExposeSecret as _;
use serde::de::DeserializeOwned;
use tracing::info;

use crate::sources::{Source, moment};
use crate::{Error, merge::Keyed};

/// How many rows come at once.
const BATCH: u32 = 2_000;
/// After so many rows it is said how far it is.
const STEP: u64 = 250_000;

/// The database of a service, as it was at one moment.
#[derive(Debug)]
pub(crate) struct View {
    pub(crate) service: &'static str,
    client: Client,
    database: Database,
    at: bson::Timestamp,
}

/// Rows on their way, in the order of their keys where they have one.
pub(crate) struct Rows<T> {
    what: String,
    session: ClientSession,
    cursor: SessionCursor<Document>,
    head: Option<T>,
    count: u64,
}

impl View {
    pub(crate) async fn open(service: &'static str, source: &Source) -> Result<Self, Error> {
        let lost = |error: mongodb::error::Error| Error::of(service, &error);
        let client = Client::with_uri_str(source.uri.expose_secret()).await.map_err(lost)?;
        let at = moment(&client, source).await.map_err(lost)?;
        let database = client.database(&source.database);
        Ok(Self { service, client, database, at })
    }

    /// What a pipeline makes of a collection, nothing if that is not there. What it sorts may be
    /// more than fits into memory.
    pub(crate) async fn rows<T>(
        &self,
        collection: &str,
        pipeline: Vec<Document>,
    ) -> Result<Rows<T>, Error> {
        let what = format!("{}.{collection}", self.service);
        let lost = |error: mongodb::error::Error| Error::of(&what, &error);
        let begun = self.client.start_session().snapshot(true).snapshot_time(self.at).await;
        let mut session = begun.map_err(lost)?;
        let documents = self.database.collection::<Document>(collection);
        let found = documents.aggregate(pipeline).allow_disk_use(true).batch_size(BATCH);
        let cursor = found.session(&mut session).await.map_err(lost)?;
        Ok(Rows { what, session, cursor, head: None, count: 0 })
    }

    /// These fields of all documents, by their ids.
    pub(crate) async fn by_id<T>(
        &self,
        collection: &str,
        fields: &[&str],
    ) -> Result<Rows<T>, Error> {
        let pipeline = vec![doc! { "$sort": { "_id": 1 } }, only(fields)];
        self.rows(collection, pipeline).await
    }
}

/// Leaves these fields and the id.
pub(crate) fn only(fields: &[&str]) -> Document {
    let fields: Document = fields.iter().map(|field| ((*field).to_owned(), 1.into())).collect();
    doc! { "$project": if fields.is_empty() { doc! { "_id": 1 } } else { fields } }
}

/// Text of a time, as it is stored.
pub(crate) fn text(time: Timestamp) -> String {
    time.to_string()
}

impl<T: DeserializeOwned> Rows<T> {
    /// The next one.
    pub(crate) async fn next(&mut self) -> Result<Option<T>, Error> {
        if let Some(head) = self.head.take() {
            return Ok(Some(head));
        }
        let Some(next) = self.cursor.next(&mut self.session).await else { return Ok(None) };
        let body = next.map_err(|error| Error::of(&self.what, &error))?;
        self.count += 1;
        if self.count.is_multiple_of(STEP) {
            info!(what = self.what, count = self.count, "reading");
        }
        let id = body.get("_id").map(ToString::to_string).unwrap_or_default();
        let unreadable = |error: bson::error::Error| Error::Unreadable {
            what: self.what.clone(),
            id,
            why: error.to_string(),
        };
        bson::deserialize_from_document(body).map(Some).map_err(unreadable)
    }

    /// How many were read.
    pub(crate) fn count(&self) -> u64 {
        self.count
    }
}

impl<T: DeserializeOwned + Keyed> Rows<T> {
    /// The key of the next one.
    pub(crate) async fn key(&mut self) -> Result<Option<T::Key>, Error> {
        self.head = self.next().await?;
        Ok(self.head.as_ref().map(Keyed::key))
    }

    /// The next one, if it has this key.
    pub(crate) async fn at(&mut self, key: &T::Key) -> Result<Option<T>, Error> {
        if self.key().await?.as_ref() == Some(key) { self.next().await } else { Ok(None) }
    }

    /// All that have this key; for keys with few.
    pub(crate) async fn all_at(&mut self, key: &T::Key) -> Result<Vec<T>, Error> {
        let mut all = Vec::new();
        while let Some(row) = self.at(key).await? {
            all.push(row);
        }
        Ok(all)
    }
}
