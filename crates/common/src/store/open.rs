//! Opening a store: collections and indexes before the first transaction.

use std::sync::Arc;
use std::time::Duration;

use mongodb::IndexModel;
use mongodb::bson::{self, doc};
use mongodb::options::{
    Acknowledgment, DatabaseOptions, IndexOptions, ReadConcern, ReadPreference, SelectionCriteria,
    WriteConcern,
};
use tokio::sync::mpsc;
use tokio_util::task::TaskTracker;

use super::committer::Committer;
use super::hand::Hand;
use super::operation::{Access, Clients};
use super::outbox::OutboxRow;
use super::patience::patiently;
use super::receipt::ReceiptDocument;
use super::{Inner, Lanes, Store, StoreError};
use crate::Clock;
use crate::document::{Document, Row};

/// How many calls may wait before a caller has to.
const WAITING: usize = 4096;
/// The collection is there already.
const NAMESPACE_EXISTS: i32 = 48;

impl Store {
    /// Opens a service's database. `group` is how many calls one commit takes at most; 1 commits
    /// each by itself. The committer runs under `tasks` until every handle is gone.
    pub async fn open(
        clients: impl Into<Clients>,
        name: &str,
        clock: Clock,
        group: usize,
        tasks: &TaskTracker,
    ) -> Result<Self, StoreError> {
        let Clients { work, reads, pool } = clients.into();
        let database = work.database_with_options(name, durable());
        let access = Access::new(database, reads.database_with_options(name, durable()), pool);
        let lanes = Lanes { group: group.max(1), tasks: tasks.clone() };
        let store = Self::queue(access, clock, Hand::new(), lanes, Duration::ZERO);
        store.prepare().await?;
        Ok(store)
    }

    /// The same database by a queue of its own, for what nobody waits for: a group waits `linger`
    /// for company, so that more is written at once, and holds up nothing else.
    #[must_use]
    pub fn aside(&self, linger: Duration) -> Self {
        let Inner { access, clock, hand, lanes, .. } = &*self.inner;
        let (access, clock, hand) = (access.clone(), clock.clone(), Arc::clone(hand));
        Self::queue(access, clock, hand, lanes.clone(), linger)
    }

    /// Starts a committer, and is the way to it.
    fn queue(
        access: Access,
        clock: Clock,
        hand: Arc<Hand>,
        lanes: Lanes,
        linger: Duration,
    ) -> Self {
        let (queue, waiting) = mpsc::channel(WAITING);
        let database = access.work().clone();
        let committer = Committer {
            database: database.clone(),
            clock: clock.clone(),
            group: lanes.group,
            linger,
            hand: Arc::clone(&hand),
        };
        lanes.tasks.spawn(committer.run(waiting));
        Self { inner: Arc::new(Inner { database, access, clock, queue, hand, lanes }) }
    }

    /// Makes sure that documents of this kind have a place.
    pub async fn collection_of<D: Document>(&self) -> Result<(), StoreError> {
        self.create(D::COLLECTION).await
    }

    /// Makes sure that rows of this kind have a place.
    pub async fn rows_of<R: Row>(&self) -> Result<(), StoreError> {
        self.create(R::COLLECTION).await
    }

    /// Makes sure that documents of this kind can be found by these fields.
    pub async fn index<D: Document>(
        &self,
        keys: bson::Document,
        unique: bool,
    ) -> Result<(), StoreError> {
        self.create(D::COLLECTION).await?;
        let options = IndexOptions::builder().unique(unique).build();
        self.create_index(D::COLLECTION, keys, options).await
    }

    /// Makes sure that rows of a ledger can be found by these fields.
    pub async fn index_rows<R: Row>(&self, keys: bson::Document) -> Result<(), StoreError> {
        self.create(R::COLLECTION).await?;
        self.create_index(R::COLLECTION, keys, IndexOptions::default()).await
    }

    async fn prepare(&self) -> Result<(), StoreError> {
        self.create(OutboxRow::COLLECTION).await?;
        self.create(ReceiptDocument::COLLECTION).await?;
        self.ends_by_itself(OutboxRow::COLLECTION).await?;
        self.ends_by_itself(ReceiptDocument::COLLECTION).await?;
        let untold = IndexOptions::builder()
            .name("untold".to_owned())
            .partial_filter_expression(doc! { "told": false })
            .build();
        self.create_index(OutboxRow::COLLECTION, doc! { "told": 1, "at": 1, "sequence": 1 }, untold)
            .await
    }

    /// Makes sure that what says when it `expires_at` goes then, or a minute later.
    pub async fn ends_by_itself(&self, collection: &str) -> Result<(), StoreError> {
        let options = IndexOptions::builder().expire_after(Duration::ZERO).build();
        self.create_index(collection, doc! { "expires_at": 1 }, options).await
    }

    async fn create(&self, name: &str) -> Result<(), StoreError> {
        let create = async || match self.inner.database.create_collection(name).await {
            Ok(()) => Ok(()),
            Err(error) if exists(&error) => Ok(()),
            Err(error) => Err(StoreError::of(name, &error)),
        };
        patiently(create).await
    }

    async fn create_index(
        &self,
        collection: &str,
        keys: bson::Document,
        options: IndexOptions,
    ) -> Result<(), StoreError> {
        let index = IndexModel::builder().keys(keys).options(options).build();
        let create = async || {
            let made = self.collection(collection).create_index(index.clone()).await;
            made.map(drop).map_err(|error| StoreError::of(collection, &error))
        };
        patiently(create).await
    }
}

fn exists(error: &mongodb::error::Error) -> bool {
    use mongodb::error::ErrorKind;

    matches!(&*error.kind, ErrorKind::Command(command) if command.code == NAMESPACE_EXISTS)
}

/// What is acknowledged is journaled on a majority, and only such facts are read: with less, a
/// fact could be told that a failover then rolls back.
fn durable() -> DatabaseOptions {
    DatabaseOptions::builder()
        .read_concern(ReadConcern::majority())
        .write_concern(WriteConcern::builder().w(Acknowledgment::Majority).journal(true).build())
        .selection_criteria(SelectionCriteria::ReadPreference(ReadPreference::Primary))
        .build()
}
