//! The commit: the one way to change anything.
//!
//! Load, let the domain decide, write documents, outbox and receipt in one transaction. Only what
//! a decision changes is checked against other writers; what it merely read is not.

mod answer;
mod call;
mod committer;
mod copy;
mod error;
mod hand;
mod lanes;
mod left;
mod load;
mod open;
mod operation;
mod outbox;
mod patience;
mod pauses;
mod plan;
mod query;
mod receipt;
mod reconcile;
mod records;
mod relay;
mod replay;
mod resting;
mod scope;
mod size;
mod sweep;
mod tag;
mod write;

use std::sync::Arc;

use contracts::Timestamp;
use mongodb::bson::{self, doc};
use mongodb::{Collection, Database};
use tokio::sync::{mpsc, oneshot};
use tokio_util::task::TaskTracker;

pub use answer::Answer;
use call::{Call, Mode, Outcome, Typed, nothing_said};
pub use error::{StoreError, UpdateError};
use hand::Hand;
use operation::Access;
pub use operation::Clients;
pub use patience::{MayBeAway, patiently};
pub use query::{read_body, readable_page};
use receipt::ReceiptDocument;
pub use receipt::{Cause, Kept, Receipt, STREAMS};
pub use reconcile::Compared;
pub use records::Records;
pub use relay::Relay;
pub use replay::{FactReplay, Retold};
pub use resting::Resting;
pub(crate) use scope::number;
pub use scope::{DocumentKey, Many, One, Saved, Scope, Stored, View};
pub use tag::{ETag, IfMatch, InvalidIfMatch, Preconditions};

use crate::document::Document;
use crate::{Change, Clock};

/// A service's database, and the one way to change it. Cheap to clone.
#[derive(Clone)]
pub struct Store {
    inner: Arc<Inner>,
}

struct Inner {
    /// As the service itself reaches it: an operation on it must not be dropped before its end.
    database: Database,
    access: Access,
    clock: Clock,
    queue: mpsc::Sender<Box<dyn Call>>,
    /// The way to the relay.
    hand: Arc<Hand>,
    lanes: Lanes,
}

/// How committers run.
#[derive(Clone)]
struct Lanes {
    /// How many calls one commit takes at most.
    group: usize,
    tasks: TaskTracker,
}

impl std::fmt::Debug for Store {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_tuple("Store").field(&self.inner.database.name()).finish()
    }
}

/// How an effect outside begins.
#[derive(Clone, Debug)]
pub enum Begun<T> {
    /// It is this caller's to drive.
    New(T),
    /// Somebody drives it already, under this name.
    Running {
        /// What drives it.
        attempt: String,
    },
    /// It is done, and this was said.
    Answered(Answer),
}

impl Store {
    /// Changes things as `decide` says and gives the answer, or the one that was given before.
    ///
    /// `decide` is pure and may run several times; `answer` renders what will be stored, before
    /// the commit, so that the receipt keeps it.
    pub async fn update<S: Scope, T, R>(
        &self,
        scope: S,
        receipt: Receipt,
        decide: impl Fn(S::Things, Timestamp) -> Result<Change<T>, R> + Send + 'static,
        answer: impl Fn(&Saved<'_, T>) -> Answer + Send + 'static,
    ) -> Result<Answer, UpdateError<R>>
    where
        T: Send + 'static,
        R: Send + 'static,
    {
        let render = move |saved: &Saved<'_, T>| Kept::Answered { answer: answer(saved) };
        let outcome = self.call(scope, receipt, Mode::Whole, decide, render).await?;
        Ok(outcome.kept.said())
    }

    /// Changes things as `decide` says; `None` when the receipt says that it was done before.
    pub async fn apply<S: Scope, T, R>(
        &self,
        scope: S,
        receipt: Receipt,
        decide: impl Fn(S::Things, Timestamp) -> Result<Change<T>, R> + Send + 'static,
    ) -> Result<Option<T>, UpdateError<R>>
    where
        T: Send + 'static,
        R: Send + 'static,
    {
        let outcome = self.call(scope, receipt, Mode::Whole, decide, nothing_said).await?;
        Ok(outcome.value)
    }

    /// The first half of an effect outside: the receipt says that `attempt` drives it.
    pub async fn begin<S: Scope, T, R>(
        &self,
        scope: S,
        receipt: Receipt,
        decide: impl Fn(S::Things, Timestamp) -> Result<Change<T>, R> + Send + 'static,
        attempt: impl Fn(&T) -> String + Send + 'static,
    ) -> Result<Begun<T>, UpdateError<R>>
    where
        T: Send + 'static,
        R: Send + 'static,
    {
        let render = move |saved: &Saved<'_, T>| Kept::Started { attempt: attempt(saved.value) };
        let outcome = self.call(scope, receipt, Mode::Whole, decide, render).await?;
        Ok(match (outcome.value, outcome.kept) {
            (Some(value), _) => Begun::New(value),
            (None, Kept::Started { attempt }) => Begun::Running { attempt },
            (None, Kept::Answered { answer }) => Begun::Answered(answer),
        })
    }

    /// The second half of an effect outside: the receipt that said started says what came of it.
    pub async fn finish<S: Scope, T, R>(
        &self,
        scope: S,
        receipt: Receipt,
        decide: impl Fn(S::Things, Timestamp) -> Result<Change<T>, R> + Send + 'static,
        answer: impl Fn(&Saved<'_, T>) -> Answer + Send + 'static,
    ) -> Result<Answer, UpdateError<R>>
    where
        T: Send + 'static,
        R: Send + 'static,
    {
        let render = move |saved: &Saved<'_, T>| Kept::Answered { answer: answer(saved) };
        let outcome = self.call(scope, receipt, Mode::Second, decide, render).await?;
        Ok(outcome.kept.said())
    }

    /// A document, as it is now.
    pub async fn get<D: Document>(&self, id: &D::Id) -> Result<Option<Stored<D>>, StoreError> {
        let this = doc! { "_id": id.to_string() };
        let find = async move |database: Database| {
            database.collection::<bson::Document>(D::COLLECTION).find_one(this).await
        };
        self.query(D::COLLECTION, find).await?.map(scope::read).transpose()
    }

    /// What became of an asking, if it was heard before.
    pub async fn receipt(&self, receipt: &Receipt) -> Result<Option<Kept>, StoreError> {
        let Some(key) = &receipt.key else { return Ok(None) };
        let this = doc! { "_id": &key.id };
        let find = async move |database: Database| {
            database.collection::<bson::Document>(ReceiptDocument::COLLECTION).find_one(this).await
        };
        let body = self.query("receipts", find).await?;
        Ok(body.map(load::receipt).transpose()?.map(|document| document.kept))
    }

    /// A collection. An operation on it must not be dropped before its end: what may be given up
    /// goes through [`Store::query`].
    pub fn collection(&self, name: &str) -> Collection<bson::Document> {
        self.inner.database.collection(name)
    }

    /// The service's own database. An operation on it must not be dropped before its end: what may
    /// be given up goes through [`Store::query`].
    pub fn database(&self) -> &Database {
        &self.inner.database
    }

    /// What time it is.
    pub fn clock(&self) -> &Clock {
        &self.inner.clock
    }

    async fn call<S: Scope, T, R>(
        &self,
        scope: S,
        receipt: Receipt,
        mode: Mode,
        decide: impl Fn(S::Things, Timestamp) -> Result<Change<T>, R> + Send + 'static,
        render: impl Fn(&Saved<'_, T>) -> Kept + Send + 'static,
    ) -> Result<Outcome<T>, UpdateError<R>>
    where
        T: Send + 'static,
        R: Send + 'static,
    {
        let (caller, answered) = oneshot::channel();
        let call = Typed { scope, receipt, mode, decide, render, decided: None, caller };
        let shut = |()| UpdateError::Store(StoreError::Shut);
        self.inner.queue.send(Box::new(call)).await.map_err(|_| shut(()))?;
        answered.await.map_err(|_| shut(()))?
    }
}

impl Kept {
    fn said(self) -> Answer {
        match self {
            Self::Answered { answer } => answer,
            // Somebody else drives it and has not come to an end: ask again.
            Self::Started { .. } => Answer::empty(202).retry_after(1),
        }
    }
}
