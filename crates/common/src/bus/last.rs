//! Reading what a stream of states holds.

use std::collections::HashSet;

use async_nats::jetstream::message::StreamMessage;
use async_nats::jetstream::stream::{Info, RawMessageErrorKind, Stream};
use contracts::Envelope;
use futures_util::TryStreamExt as _;
use time::OffsetDateTime;

use super::{Bus, PublishError};

/// A stream at one moment.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct StreamState {
    pub(crate) created: OffsetDateTime,
    pub(crate) last_sequence: u64,
    pub(crate) messages: u64,
}

/// A message of a stream.
#[derive(Clone, Debug)]
pub(crate) struct LastMessage {
    pub(crate) subject: String,
    /// Its place in the stream.
    pub(crate) sequence: u64,
    /// The sequence of the event; 0 when it is none.
    pub(crate) event: u64,
}

impl Bus {
    /// How the stream is now.
    pub(crate) async fn stream_state(&self, stream: &str) -> Result<StreamState, PublishError> {
        let found = self.jetstream.get_stream(stream).await;
        let found = found.map_err(|error| refused(stream, &error))?;
        let info: &Info = found.cached_info();
        Ok(StreamState {
            created: info.created,
            last_sequence: info.state.last_sequence,
            messages: info.state.messages,
        })
    }

    /// The subjects of a stream that match the filter and have a message.
    pub(crate) async fn subjects(
        &self,
        stream: &str,
        filter: &str,
    ) -> Result<HashSet<String>, PublishError> {
        let found = self.stream(stream, stream).await?;
        let subjects = found.info_with_subjects(filter).await;
        let subjects = subjects.map_err(|error| refused(stream, &error))?;
        let subjects = subjects.map_ok(|(subject, _)| subject).try_collect().await;
        subjects.map_err(|error| refused(stream, &error))
    }

    /// The first message of these subjects from a place on; none when there is none.
    pub(crate) async fn next_message(
        &self,
        stream: &str,
        filter: &str,
        sequence: u64,
    ) -> Result<Option<LastMessage>, PublishError> {
        let found = self.stream(stream, stream).await?;
        match found.get_first_raw_message_by_subject(filter, sequence).await {
            Ok(stored) => Ok(Some(LastMessage {
                subject: stored.subject.to_string(),
                sequence: stored.sequence,
                event: counted(&stored),
            })),
            Err(error) if error.kind() == RawMessageErrorKind::NoMessageFound => Ok(None),
            Err(error) => Err(refused(stream, &error)),
        }
    }

    /// The last event on a subject; none when there is none, or something else is there.
    pub async fn last_event(
        &self,
        stream: &str,
        nats_subject: &str,
    ) -> Result<Option<Envelope>, PublishError> {
        let last = self.last_message(stream, nats_subject).await?;
        Ok(last.and_then(|stored| Envelope::parse(&stored.payload).ok()))
    }

    /// The last message on a subject; none when there is none.
    pub(super) async fn last_message(
        &self,
        stream: &str,
        subject: &str,
    ) -> Result<Option<StreamMessage>, PublishError> {
        if !self.is_connected() {
            return Err(PublishError::NotConnected { subject: subject.to_owned() });
        }
        let found = self.stream(stream, subject).await?;
        match found.get_last_raw_message_by_subject(subject).await {
            Ok(stored) => Ok(Some(stored)),
            Err(error) if error.kind() == RawMessageErrorKind::NoMessageFound => Ok(None),
            Err(error) if error.kind() == RawMessageErrorKind::Other => {
                Err(PublishError::Timeout { subject: subject.to_owned() })
            }
            Err(error) => Err(refused(subject, &error)),
        }
    }

    /// The stream of this name; `subject` names in errors what is read of it.
    async fn stream(&self, name: &str, subject: &str) -> Result<Stream<()>, PublishError> {
        let found = self.jetstream.get_stream_no_info(name).await;
        found.map_err(|error| refused(subject, &error))
    }
}

/// The sequence of the event in a message; 0 when it is none.
pub(super) fn counted(message: &StreamMessage) -> u64 {
    Envelope::parse(&message.payload).map_or(0, |envelope| envelope.sequence())
}

fn refused(subject: &str, why: &impl ToString) -> PublishError {
    PublishError::Refused { subject: subject.to_owned(), why: why.to_string() }
}
