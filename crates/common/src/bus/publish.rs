//! Telling: what the relay hands over to the streams.

use std::cmp::Ordering;
use std::collections::HashMap;
use std::error::Error as _;
use std::sync::{MutexGuard, PoisonError};

use async_nats::jetstream::context::{
    PublishError as NatsError, PublishErrorKind as NatsErrorKind,
};
use async_nats::jetstream::message::PublishMessage;
use async_nats::jetstream::publish::PublishAck;
use async_nats::jetstream::{self, ErrorCode};
use bytes::Bytes;
use contracts::EventId;

use super::Bus;
use super::last::counted;
use super::streams::OPS;

/// The last message is another one than was expected, as a cluster says it.
const WRONG_LAST: ErrorCode = ErrorCode::STREAM_WRONG_LAST_SEQUENCE_CONSTANT;
/// How many others may tell of the same aggregate before a row is left for later.
const RACES: u32 = 4;
/// How many subjects are remembered with what was told last.
const REMEMBERED: usize = 50_000;

/// An event on its way out, as the outbox keeps it.
#[derive(Clone, Debug)]
pub struct Outgoing {
    /// The event; a repeat bears the same id.
    pub id: EventId,
    /// The stream that takes it, such as `ORDER`.
    pub stream: String,
    /// Where it is told, such as `order.placed.v1.ord_…`.
    pub nats_subject: String,
    /// Counts what is told of the aggregate.
    pub sequence: u64,
    /// The envelope as JSON.
    pub payload: Bytes,
}

/// What became of a state that was told.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Published {
    /// The stream has it.
    Told,
    /// The stream has a newer one: this one is no longer of interest.
    Older,
}

/// Why something is not told yet.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum PublishError {
    /// The server cannot be reached.
    #[error("{subject} is not told: the bus is not connected")]
    NotConnected {
        /// Where it was to be told.
        subject: String,
    },
    /// No answer came; it may have been told all the same.
    #[error("{subject} may not be told: no answer in time")]
    Timeout {
        /// Where it was to be told.
        subject: String,
    },
    /// Others told of the same aggregate meanwhile, again and again.
    #[error("{subject} is not told: others are always faster")]
    Overtaken {
        /// Where it was to be told.
        subject: String,
    },
    /// The event is larger than the broker takes.
    #[error("{subject} is not published: larger than the broker takes")]
    TooLarge {
        /// Where it was to be published.
        subject: String,
    },
    /// The stream is missing or full.
    #[error("{subject} is not told: {why}")]
    Refused {
        /// Where it was to be told.
        subject: String,
        /// What the server said.
        why: String,
    },
}

impl Bus {
    /// Tells that something happened; telling it again is no harm.
    pub async fn publish_fact(&self, row: &Outgoing) -> Result<(), PublishError> {
        self.send(&row.stream, &row.nats_subject, named(row)).await.map(drop)
    }

    /// Tells how a thing is now, unless something newer was told: an old state told again would
    /// take the newest one's place for ever.
    pub async fn publish_state(&self, row: &Outgoing) -> Result<Published, PublishError> {
        let mut last = self.remembered(row);
        // With its id, a quick repeat is one. But the stream takes for told what it has no more.
        let mut publish = named(row);
        for _ in 0..RACES {
            let expected = last.map_or(0, |last| last.message);
            let publishing = publish.clone().expected_last_subject_sequence(expected);
            match self.send(&row.stream, &row.nats_subject, publishing).await {
                Ok(ack) if ack.duplicate => publish = message(row),
                Ok(ack) => {
                    self.remember(row, Last { message: ack.sequence, event: row.sequence });
                    return Ok(Published::Told);
                }
                Err(PublishError::Overtaken { .. }) => {}
                Err(error) => return Err(error),
            }
            last = self.last(&row.stream, &row.nats_subject).await?;
            if let Some(published) = last.and_then(|last| last.outcome(row)) {
                return Ok(published);
            }
        }
        Err(PublishError::Overtaken { subject: row.nats_subject.clone() })
    }

    /// Keeps what an operator did, under `ops_log.<service>.<act>`.
    pub async fn record(&self, act: &str, record: Bytes) -> Result<(), PublishError> {
        let subject = format!("ops_log.{}.{act}", self.config.service);
        self.send(OPS, &subject, PublishMessage::build().payload(record)).await.map(drop)
    }

    /// The sequence of the event that was told last on a subject; none when nothing was.
    pub async fn last_sequence(
        &self,
        stream: &str,
        nats_subject: &str,
    ) -> Result<Option<u64>, PublishError> {
        let last = self.last(stream, nats_subject).await?;
        Ok(last.map(|last| last.event))
    }

    /// Publishes and waits until the stream has it.
    pub(super) async fn send(
        &self,
        stream: &str,
        subject: &str,
        publish: PublishMessage,
    ) -> Result<PublishAck, PublishError> {
        // What is sent now would leave after the next connect, when nobody waits for it any more.
        if !self.is_connected() {
            return Err(PublishError::NotConnected { subject: subject.to_owned() });
        }
        let publish = publish.expected_stream(stream);
        let sent = async { self.jetstream.send_publish(subject.to_owned(), publish).await?.await };
        sent.await.map_err(|error| self.unsent(subject, &error))
    }

    fn unsent(&self, subject: &str, error: &NatsError) -> PublishError {
        let subject = subject.to_owned();
        let said = error.source().and_then(|source| source.downcast_ref::<jetstream::Error>());
        match error.kind() {
            NatsErrorKind::BrokenPipe => PublishError::NotConnected { subject },
            NatsErrorKind::MaxPayloadExceeded => PublishError::TooLarge { subject },
            NatsErrorKind::TimedOut => PublishError::Timeout { subject },
            NatsErrorKind::WrongLastSequence => PublishError::Overtaken { subject },
            _ if said.is_some_and(|said| said.error_code() == WRONG_LAST) => {
                PublishError::Overtaken { subject }
            }
            NatsErrorKind::StreamNotFound => {
                self.missing.notify_one();
                PublishError::Refused { subject, why: "no stream takes it".to_owned() }
            }
            _ => {
                let why = said.map_or_else(|| error.to_string(), ToString::to_string);
                PublishError::Refused { subject, why }
            }
        }
    }

    async fn last(&self, stream: &str, subject: &str) -> Result<Option<Last>, PublishError> {
        let last = self.last_message(stream, subject).await?;
        Ok(last.map(|stored| Last { message: stored.sequence, event: counted(&stored) }))
    }

    /// What was told last as far as is known, unless that is not older than the row: then the
    /// server has to be asked.
    fn remembered(&self, row: &Outgoing) -> Option<Last> {
        let epoch = self.link.borrow().epoch;
        let last = self.last_told().of(epoch).get(&row.nats_subject).copied();
        last.filter(|last| last.event < row.sequence)
    }

    fn remember(&self, row: &Outgoing, last: Last) {
        let epoch = self.link.borrow().epoch;
        self.last_told().of(epoch).insert(row.nats_subject.clone(), last);
    }

    fn last_told(&self) -> MutexGuard<'_, LastTold> {
        self.last_told.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// What was told last, by subject; it spares a question to the server, and is never relied on.
#[derive(Debug, Default)]
pub(super) struct LastTold {
    epoch: u64,
    by_subject: HashMap<String, Last>,
}

impl LastTold {
    /// What was told over this connection: before it, the server may have lost what it had.
    fn of(&mut self, epoch: u64) -> &mut HashMap<String, Last> {
        // Forgetting costs a question to the server, nothing else.
        if self.epoch != epoch || self.by_subject.len() >= REMEMBERED {
            *self = Self { epoch, ..Self::default() };
        }
        &mut self.by_subject
    }
}

#[derive(Clone, Copy, Debug)]
struct Last {
    message: u64,
    event: u64,
}

impl Last {
    /// What is to be said of a row when the stream holds this; none when the row is newer.
    fn outcome(self, row: &Outgoing) -> Option<Published> {
        match self.event.cmp(&row.sequence) {
            Ordering::Less => None,
            Ordering::Equal => Some(Published::Told),
            Ordering::Greater => Some(Published::Older),
        }
    }
}

fn message(row: &Outgoing) -> PublishMessage {
    PublishMessage::build().payload(row.payload.clone())
}

fn named(row: &Outgoing) -> PublishMessage {
    message(row).message_id(row.id.to_string())
}
