//! Telling: what the relay hands over to the streams.

use std::cmp::Ordering;
use std::collections::HashMap;
use std::error::Error as _;
use std::sync::PoisonError;

use async_nats::jetstream::context::{
    PublishError as NatsError, PublishErrorKind as NatsErrorKind,
};
use async_nats::jetstream::message::PublishMessage;
use async_nats::jetstream::publish::PublishAck;
use async_nats::jetstream::stream::RawMessageErrorKind;
use async_nats::jetstream::{self, ErrorCode};
use bytes::Bytes;
use contracts::{Envelope, EventId};

use super::Bus;

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

/// Why an event is not told yet.
#[derive(Debug, thiserror::Error)]
pub enum PublishError {
    /// The server cannot be reached.
    #[error("{id} is not told: the bus is not connected")]
    NotConnected {
        /// The event, or the subject that was asked for.
        id: String,
    },
    /// No answer came; it may have been told all the same.
    #[error("{id} may not be told: no answer in time")]
    Timeout {
        /// The event, or the subject that was asked for.
        id: String,
    },
    /// The stream is missing, full, or another one was always faster.
    #[error("{id} is not told: {why}")]
    Refused {
        /// The event, or the subject that was asked for.
        id: String,
        /// What the server said.
        why: String,
    },
}

impl Bus {
    /// Tells that something happened; telling it again is no harm.
    pub async fn publish_fact(&self, row: &Outgoing) -> Result<(), PublishError> {
        let sent = self.send(row, message(row).message_id(row.id.to_string())).await;
        sent.map(drop).map_err(|error| refused(&row.id.to_string(), &error))
    }

    /// Tells how a thing is now, unless something newer was told: an old state told again would
    /// take the newest one's place for ever.
    pub async fn publish_state(&self, row: &Outgoing) -> Result<Published, PublishError> {
        let id = row.id.to_string();
        let mut last = self.remembered(row);
        // With its id, a quick repeat is one. But the stream takes for told what it has no more.
        let mut named = true;
        for _ in 0..RACES {
            let publish =
                message(row).expected_last_subject_sequence(last.map_or(0, Last::message));
            let publish = if named { publish.message_id(&id) } else { publish };
            match self.send(row, publish).await {
                Ok(ack) if ack.duplicate => named = false,
                Ok(ack) => return Ok(self.told(row, ack.sequence)),
                Err(error) if is_wrong_last(&error) => {}
                Err(error) => return Err(refused(&id, &error)),
            }
            last = self.last(&row.stream, &row.nats_subject).await?;
            if let Some(published) = last.and_then(|last| last.outcome(row)) {
                return Ok(published);
            }
        }
        Err(PublishError::Refused { id, why: "others are always faster".to_owned() })
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

    async fn send(&self, row: &Outgoing, publish: PublishMessage) -> Result<PublishAck, NatsError> {
        // What is sent now would leave after the next connect, when nobody waits for it any more.
        if !self.is_connected() {
            return Err(NatsError::new(NatsErrorKind::BrokenPipe));
        }
        let publish = publish.expected_stream(&row.stream);
        self.jetstream.send_publish(row.nats_subject.clone(), publish).await?.await
    }

    async fn last(&self, stream: &str, subject: &str) -> Result<Option<Last>, PublishError> {
        let refused = |why: String| PublishError::Refused { id: subject.to_owned(), why };
        if !self.is_connected() {
            return Err(PublishError::NotConnected { id: subject.to_owned() });
        }
        let stream = self.jetstream.get_stream_no_info(stream).await;
        let stream = stream.map_err(|error| refused(error.to_string()))?;
        match stream.get_last_raw_message_by_subject(subject).await {
            Ok(stored) => {
                let envelope = Envelope::parse(&stored.payload);
                let event = envelope.map_or(0, |envelope| envelope.sequence());
                Ok(Some(Last { message: stored.sequence, event }))
            }
            Err(error) if error.kind() == RawMessageErrorKind::NoMessageFound => Ok(None),
            Err(error) => Err(refused(error.to_string())),
        }
    }

    fn remembered(&self, row: &Outgoing) -> Option<Last> {
        let mut last_told = self.last_told.lock().unwrap_or_else(PoisonError::into_inner);
        last_told.since(self.link.borrow().epoch);
        last_told
            .by_subject
            .get(&row.nats_subject)
            .copied()
            .filter(|last| last.event < row.sequence)
    }

    fn told(&self, row: &Outgoing, message: u64) -> Published {
        let mut last_told = self.last_told.lock().unwrap_or_else(PoisonError::into_inner);
        // Forgetting costs a question to the server, nothing else.
        if last_told.by_subject.len() >= REMEMBERED {
            last_told.by_subject.clear();
        }
        last_told
            .by_subject
            .insert(row.nats_subject.clone(), Last { message, event: row.sequence });
        Published::Told
    }
}

/// What was told last, by subject; it spares a question to the server, and is never relied on.
#[derive(Debug, Default)]
pub(super) struct LastTold {
    epoch: u64,
    by_subject: HashMap<String, Last>,
}

impl LastTold {
    /// Forgets what was told over an earlier connection: the server may have lost it.
    fn since(&mut self, epoch: u64) {
        if self.epoch != epoch {
            *self = Self { epoch, ..Self::default() };
        }
    }
}

#[derive(Clone, Copy, Debug)]
struct Last {
    message: u64,
    event: u64,
}

impl Last {
    fn message(self) -> u64 {
        self.message
    }

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

fn is_wrong_last(error: &NatsError) -> bool {
    error.kind() == NatsErrorKind::WrongLastSequence
        || server_error(error).is_some_and(|error| error.error_code() == WRONG_LAST)
}

fn server_error(error: &NatsError) -> Option<&jetstream::Error> {
    error.source()?.downcast_ref()
}

fn refused(id: &str, error: &NatsError) -> PublishError {
    let id = id.to_owned();
    match error.kind() {
        NatsErrorKind::BrokenPipe => PublishError::NotConnected { id },
        NatsErrorKind::TimedOut => PublishError::Timeout { id },
        _ => {
            let said = server_error(error).map(ToString::to_string);
            PublishError::Refused { id, why: said.unwrap_or_else(|| error.to_string()) }
        }
    }
}
