//! States as the stream has them, compared with the documents: what differs is published again.
//!
//! The broker may lose its store, and whoever may publish at all can replace the last message of a
//! subject by naming that as the reply of a publish: the acknowledgement goes there.

use std::convert::Infallible;
use std::time::Duration;

use futures_util::{StreamExt as _, TryStreamExt as _};
use mongodb::bson::{Document as Body, doc};
use tokio::time::Instant;
use tracing::warn;

use super::outbox::OutboxRow;
use super::replay::unless_unreadable;
use super::scope::{self, Stored};
use super::{Retold, Store, StoreError, UpdateError};
use crate::bus::{Bus, PublishError, StreamState};
use contracts::Event as _;

/// How many documents are compared at once.
const AT_ONCE: usize = 32;
/// How many new messages are looked at in one round.
const NEW_MESSAGES: usize = 10_000;
/// How long after a comparison of all documents the next one is due.
const ALL: Duration = Duration::from_hours(1);

/// How far a stream was compared with the documents of one type.
#[derive(Clone, Copy, Debug, Default)]
pub struct Compared {
    /// The stream as it was, and when all documents were compared with it.
    all: Option<(StreamState, Instant)>,
    /// The next message to look at.
    next: u64,
}

impl Compared {
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
            let count = self.compare_all::<D>(bus).await?;
            // What was published meanwhile is looked at next time.
            let (all, next) = (Some((stream, Instant::now())), stream.last_sequence + 1);
            *compared = Compared { all, next };
            return Ok(count);
        }
        let all = compared.all.map(|(_, at)| (stream, at));
        compared.all = all;
        self.compare_new::<D>(bus, &mut compared.next).await
    }

    async fn compare_all<D: Retold>(&self, bus: &Bus) -> Result<u64, UpdateError<Infallible>> {
        let lost = |error| StoreError::of(D::COLLECTION, &error);
        let documents = self.collection(D::COLLECTION);
        let found = documents.find(doc! {}).projection(doc! { "told": 1 });
        let found = found.await.map_err(lost)?;
        found
            .map(|body| async move {
                let body: Body = body.map_err(lost)?;
                let id = body.get_str("_id").unwrap_or_default();
                let own = body.get_i64("told").unwrap_or(0);
                let published = last_of::<D>(bus, id).await?;
                if published == u64::try_from(own).ok() {
                    return Ok(0);
                }
                unless_unreadable(self.republish::<D>(id, bus).await)
            })
            .buffer_unordered(AT_ONCE)
            .try_fold(0, |sum, more| async move { Ok(sum + more) })
            .await
    }

    async fn compare_new<D: Retold>(
        &self,
        bus: &Bus,
        next: &mut u64,
    ) -> Result<u64, UpdateError<Infallible>> {
        let (stream, filter) = (D::State::TYPE.stream(), D::State::TYPE.filter());
        let mut published = 0;
        for _ in 0..NEW_MESSAGES {
            let message = bus.next_message(&stream, &filter, *next).await;
            let Some(message) = message.map_err(|error| away(&error))? else { break };
            let id = message.subject.rsplit('.').next().unwrap_or_default();
            published += unless_unreadable(self.compare_one::<D>(id, message.event, bus).await)?;
            *next = message.sequence + 1;
        }
        Ok(published)
    }

    /// Publishes a document again unless the sequence of its event in the stream is its own.
    async fn compare_one<D: Retold>(
        &self,
        id: &str,
        event: u64,
        bus: &Bus,
    ) -> Result<u64, UpdateError<Infallible>> {
        let own = self.find_one::<D>(id).await?.map(|stored| stored.sequence());
        if own.is_none_or(|own| own == event) {
            return Ok(0);
        }
        self.republish::<D>(id, bus).await
    }

    /// Publishes a document again if its state differs from the last in the stream, and that is not
    /// because its event is on its way.
    async fn republish<D: Retold>(
        &self,
        id: &str,
        bus: &Bus,
    ) -> Result<u64, UpdateError<Infallible>> {
        let Some(stored) = self.find_one::<D>(id).await? else { return Ok(0) };
        if self.is_unpublished(id).await? {
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

/// The sequence of the last event in the stream; 0 when it is none of ours.
async fn last_of<D: Retold>(bus: &Bus, id: &str) -> Result<Option<u64>, StoreError> {
    let (stream, subject) = (D::State::TYPE.stream(), D::State::TYPE.subject(id));
    bus.last_sequence(&stream, &subject).await.map_err(|error| away(&error))
}

fn away(error: &PublishError) -> StoreError {
    StoreError::Away(error.to_string())
}
