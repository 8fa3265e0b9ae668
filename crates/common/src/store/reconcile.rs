//! States as the stream has them, compared with the documents: what differs is published again.
//!
//! The broker may lose its store, and a client that may publish at all can replace the last message
//! of a subject by naming that as the reply of a publish: the acknowledgement goes there.

use std::collections::BTreeSet;
use std::convert::Infallible;
use std::sync::Mutex;
use std::time::Duration;

use futures_util::{StreamExt as _, TryStreamExt as _};
use mongodb::bson::{Document as Body, doc};
use tokio::time::Instant;
use tracing::warn;

use super::hand::lock;
use super::outbox::OutboxRow;
use super::replay::unless_unreadable;
use super::scope::{self, Stored};
use super::{Retold, Store, StoreError, UpdateError};
use crate::bus::{Bus, PublishError, StreamState};
use contracts::Event as _;

/// How many documents are compared at once.
const AT_ONCE: usize = 32;
/// How often it is looked for documents without any message.
const MISSING: Duration = Duration::from_secs(30);
/// How many new messages are looked at in one round.
const NEW_MESSAGES: usize = 10_000;
/// So many documents are looked at once more.
const MOST_LATER: usize = 10_000;
/// How long after a comparison of all documents the next one is due.
const ALL: Duration = Duration::from_hours(1);

/// How far a stream was compared with the documents of one type.
#[derive(Debug)]
pub struct Compared {
    missing_pause: Duration,
    /// The stream as it was, and when all documents were compared with it.
    all: Option<(StreamState, Instant)>,
    /// When documents without any message were looked for.
    missing: Option<Instant>,
    /// The next message to look at.
    next: u64,
    /// Documents of which an event was on its way, to look at once more.
    later: Later,
}

/// Ids of documents to look at in the next round.
#[derive(Debug, Default)]
struct Later(Mutex<BTreeSet<String>>);

impl Later {
    fn add(&self, id: &str) {
        let mut ids = lock(&self.0);
        // The others are found when all are compared.
        if ids.len() < MOST_LATER {
            ids.insert(id.to_owned());
        }
    }

    fn take(&self) -> BTreeSet<String> {
        std::mem::take(&mut *lock(&self.0))
    }
}

impl Default for Compared {
    fn default() -> Self {
        Self { missing_pause: MISSING, all: None, missing: None, next: 0, later: Later::default() }
    }
}

impl Compared {
    /// Looks for documents without any message after each such pause; 30 s by default.
    #[must_use]
    pub fn missing_after(self, pause: Duration) -> Self {
        Self { missing_pause: pause, ..self }
    }

    /// Whether all documents are to be compared: at first, every hour, and when the stream is
    /// another one or lost messages.
    fn is_due(&self, stream: StreamState) -> bool {
        self.all.is_none_or(|(before, at)| {
            let lost =
                stream.messages < before.messages || stream.last_sequence < before.last_sequence;
            stream.created != before.created || lost || at.elapsed() >= ALL
        })
    }
}

impl Store {
    /// Publishes the documents of one type again whose state differs from the last in the stream,
    /// or is missing there; returns how many. Looks at messages that are new since the last call,
    /// and at all documents when that is due.
    pub async fn reconcile_state<D: Retold>(
        &self,
        bus: &Bus,
        compared: &mut Compared,
    ) -> Result<u64, UpdateError<Infallible>> {
        if !bus.is_connected() {
            return Ok(0);
        }
        let stream =
            bus.stream_state(&D::State::TYPE.stream()).await.map_err(|error| away(&error))?;
        if compared.is_due(stream) {
            let count = self.compare_all::<D>(bus, &compared.later).await?;
            // What was published meanwhile is looked at next time.
            (compared.all, compared.next) =
                (Some((stream, Instant::now())), stream.last_sequence + 1);
            compared.missing = Some(Instant::now());
            return Ok(count);
        }
        let all = compared.all.map(|(_, at)| (stream, at));
        compared.all = all;
        let mut published = 0;
        for id in compared.later.take() {
            let again = self.republish::<D>(&id, bus, &compared.later).await;
            published += unless_unreadable(again)?;
        }
        published += self.compare_new::<D>(bus, compared).await?;
        if compared.missing.is_none_or(|at| at.elapsed() >= compared.missing_pause) {
            published += self.find_missing::<D>(bus, &compared.later).await?;
            compared.missing = Some(Instant::now());
        }
        Ok(published)
    }

    /// Publishes the documents of which the stream has nothing: a message that was deleted leaves no
    /// other trace.
    async fn find_missing<D: Retold>(
        &self,
        bus: &Bus,
        later: &Later,
    ) -> Result<u64, UpdateError<Infallible>> {
        let (stream, filter) = (D::State::TYPE.stream(), D::State::TYPE.filter());
        let subjects = bus.subjects(&stream, &filter).await.map_err(|error| away(&error))?;
        let lost = |error| StoreError::of(D::COLLECTION, &error);
        let documents = self.collection(D::COLLECTION);
        let found = documents.find(doc! {}).projection(doc! { "_id": 1 }).await.map_err(lost)?;
        let is_missing = |id: &str| !subjects.contains(&D::State::TYPE.subject(id));
        let missing = found.try_filter_map(async |body| {
            Ok(subject_of(D::COLLECTION, &body).filter(|id| is_missing(id)).map(str::to_owned))
        });
        let missing: Vec<String> = missing.try_collect().await.map_err(lost)?;
        let mut published = 0;
        for id in missing {
            published += unless_unreadable(self.republish::<D>(&id, bus, later).await)?;
        }
        Ok(published)
    }

    async fn compare_all<D: Retold>(
        &self,
        bus: &Bus,
        later: &Later,
    ) -> Result<u64, UpdateError<Infallible>> {
        let lost = |error| StoreError::of(D::COLLECTION, &error);
        let documents = self.collection(D::COLLECTION);
        let found = documents.find(doc! {}).projection(doc! { "told": 1 });
        let found = found.await.map_err(lost)?;
        found
            .map(|body| async move {
                let body: Body = body.map_err(lost)?;
                let Some(id) = subject_of(D::COLLECTION, &body) else { return Ok(0) };
                let own = body.get_i64("told").unwrap_or(0);
                let published = last_of::<D>(bus, id).await?;
                if published == u64::try_from(own).ok() {
                    return Ok(0);
                }
                unless_unreadable(self.republish::<D>(id, bus, later).await)
            })
            .buffer_unordered(AT_ONCE)
            .try_fold(0, |sum, more| async move { Ok(sum + more) })
            .await
    }

    async fn compare_new<D: Retold>(
        &self,
        bus: &Bus,
        compared: &mut Compared,
    ) -> Result<u64, UpdateError<Infallible>> {
        let (stream, filter) = (D::State::TYPE.stream(), D::State::TYPE.filter());
        let (prefix, mut published) = (D::State::TYPE.subject(""), 0);
        for _ in 0..NEW_MESSAGES {
            let message = bus.next_message(&stream, &filter, compared.next).await;
            let Some(message) = message.map_err(|error| away(&error))? else { break };
            let id = message.subject.strip_prefix(&prefix).unwrap_or_default();
            let one = self.compare_one::<D>(id, message.event, bus, &compared.later).await;
            published += unless_unreadable(one)?;
            compared.next = message.sequence + 1;
        }
        Ok(published)
    }

    /// Publishes a document again unless the event in the stream is its last.
    async fn compare_one<D: Retold>(
        &self,
        id: &str,
        event: u64,
        bus: &Bus,
        later: &Later,
    ) -> Result<u64, UpdateError<Infallible>> {
        match self.find_one::<D>(id).await? {
            Some(stored) if stored.sequence() != event => self.republish::<D>(id, bus, later).await,
            Some(_) | None => Ok(0),
        }
    }

    /// Publishes a document again if its state differs from the last in the stream; looks once more
    /// later if an event of it is on its way.
    async fn republish<D: Retold>(
        &self,
        id: &str,
        bus: &Bus,
        later: &Later,
    ) -> Result<u64, UpdateError<Infallible>> {
        let Some(stored) = self.find_one::<D>(id).await? else { return Ok(0) };
        if self.is_unpublished(id).await? {
            later.add(id);
            return Ok(0);
        }
        let last = last_of::<D>(bus, id).await?;
        if last == Some(stored.sequence()) {
            return Ok(0);
        }
        warn!(
            collection = D::COLLECTION,
            id,
            ?last,
            own = stored.sequence(),
            "published state differs"
        );
        metrics::counter!("souk_states_republished_total").increment(1);
        self.retell(stored.value, bus).await
    }

    async fn find_one<D: Retold>(&self, id: &str) -> Result<Option<Stored<D>>, StoreError> {
        let found = self.collection(D::COLLECTION).find_one(doc! { "_id": id }).await;
        let body = found.map_err(|error| StoreError::of(D::COLLECTION, &error))?;
        body.map(scope::read).transpose()
    }

    /// Whether an event of the aggregate waits in the outbox.
    async fn is_unpublished(&self, aggregate: &str) -> Result<bool, StoreError> {
        let outbox = self.collection(OutboxRow::COLLECTION);
        let row = outbox.find_one(doc! { "told": false, "aggregate": aggregate }).await;
        let row = row.map_err(|error| StoreError::of(OutboxRow::COLLECTION, &error))?;
        Ok(row.is_some())
    }
}

/// The id of a document as the last token of a subject. None, with a warning, when it cannot be one:
/// no service gave it that id.
fn subject_of<'a>(collection: &str, body: &'a Body) -> Option<&'a str> {
    let breaks = |c: char| c.is_whitespace() || c.is_control() || matches!(c, '*' | '>');
    let id = body.get_str("_id").ok().filter(|id| !id.is_empty() && !id.contains(breaks));
    if id.is_none() {
        let id = body.get("_id").map(ToString::to_string);
        warn!(collection, id, "a document without an id is passed over");
    }
    id
}

/// The sequence of the last event in the stream; 0 when it is none of ours.
async fn last_of<D: Retold>(bus: &Bus, id: &str) -> Result<Option<u64>, StoreError> {
    let (stream, subject) = (D::State::TYPE.stream(), D::State::TYPE.subject(id));
    bus.last_sequence(&stream, &subject).await.map_err(|error| away(&error))
}

fn away(error: &PublishError) -> StoreError {
    StoreError::Away(error.to_string())
}
