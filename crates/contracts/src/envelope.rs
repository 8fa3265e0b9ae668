//! The envelope of every event: `CloudEvents` 1.0, structured JSON.

use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;

use crate::{Event, EventId, Timestamp, stored};

/// An event as it travels (`CloudEvents` 1.0, JSON event format, structured mode).
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Envelope {
    /// Always `1.0`.
    pub specversion: String,
    /// The same for every repeat of this event.
    pub id: EventId,
    /// Who tells it, such as `/souk/order`.
    pub source: String,
    /// What it is, such as `souk.order.placed.v1`.
    #[serde(rename = "type")]
    pub event_type: String,
    /// The id of the aggregate it is about.
    pub subject: String,
    /// When it happened.
    pub time: Timestamp,
    /// Always `application/json`.
    pub datacontenttype: String,
    /// Counts the events told of the aggregate; zero-padded, so that it sorts as text.
    pub sequence: String,
    /// Names the whole conversation that one request started.
    pub correlationid: String,
    /// Names what directly caused this: a request or an event.
    pub causationid: String,
    /// W3C trace context.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub traceparent: Option<String>,
    /// What is told.
    pub data: Box<RawValue>,
}

/// An envelope that cannot be opened.
#[derive(Debug, thiserror::Error)]
pub enum Malformed {
    /// Not an envelope at all.
    #[error("not a CloudEvent: {0}")]
    Envelope(#[source] serde_json::Error),
    /// The data are not of the type that the envelope names.
    #[error("{event_type} {id}: {source}")]
    Data {
        /// The event.
        id: EventId,
        /// The type it claims.
        event_type: String,
        /// What does not fit.
        source: serde_json::Error,
    },
    /// Another type than the one that was asked for.
    #[error("{id} is a {event_type}")]
    OtherType {
        /// The event.
        id: EventId,
        /// The type it has.
        event_type: String,
    },
}

impl Envelope {
    /// Reads an envelope from the bytes of a message.
    pub fn parse(bytes: &[u8]) -> Result<Self, Malformed> {
        serde_json::from_slice(bytes).map_err(Malformed::Envelope)
    }

    /// Opens it, if it holds an `E`.
    pub fn open<E: Event>(&self) -> Result<E, Malformed> {
        let (id, event_type) = (self.id, self.event_type.clone());
        if event_type != E::TYPE.type_name() {
            return Err(Malformed::OtherType { id, event_type });
        }
        let read = stored::reading(|| serde_json::from_str(self.data.get()));
        read.map_err(|source| Malformed::Data { id, event_type, source })
    }

    /// The sequence as a number; 0 when it is none, or none that a service counts to.
    pub fn sequence(&self) -> u64 {
        self.sequence.parse().ok().filter(|count| *count <= LARGEST_SEQUENCE).unwrap_or(0)
    }
}

/// The largest sequence: beyond all counting, which begins at the milliseconds since 1970. A larger
/// one is no service's, and what follows on it could not be counted any more.
pub const LARGEST_SEQUENCE: u64 = 1 << 53;

/// A sequence as it travels: 20 digits, so that it sorts as text.
pub fn sequence_text(sequence: u64) -> String {
    format!("{sequence:020}")
}
