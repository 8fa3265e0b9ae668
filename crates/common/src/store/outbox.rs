//! The outbox: what was committed and is to be told.

use std::time::Duration;

use contracts::{Envelope, EventId, EventType, Kind, Timestamp, sequence_text};
use mongodb::bson::{self, DateTime, doc};
use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;

use super::Cause;
use crate::document::Key;

/// How long a row that was told is kept, so that it can be told again.
pub(crate) const KEPT: Duration = Duration::from_hours(72);

/// The largest event in bytes. The broker takes 1 MiB with headers (`max_payload`), and a dead
/// letter adds headers of its own.
pub(crate) const LARGEST_EVENT: usize = 1_000_000;

/// An event in the outbox.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct OutboxRow {
    #[serde(rename = "_id")]
    pub(crate) id: EventId,
    pub(crate) stream: String,
    pub(crate) nats_subject: String,
    /// What it is about: rows of one aggregate are told in order.
    pub(crate) aggregate: String,
    pub(crate) sequence: i64,
    /// Whether only the newest per aggregate matters.
    pub(crate) state: bool,
    pub(crate) payload: String,
    pub(crate) at: Timestamp,
    pub(crate) told: bool,
}

impl OutboxRow {
    pub(crate) const COLLECTION: &'static str = "outbox";

    pub(crate) fn to_bson(&self) -> bson::Document {
        bson::serialize_to_document(self).expect("an outbox row is plain BSON")
    }
}

/// What a row that was told becomes: it ends by itself after a while.
pub(crate) fn told_at(now: Timestamp) -> bson::Document {
    let expires_at = DateTime::from_millis(now.plus(KEPT).as_millis());
    doc! { "$set": { "told": true, "expires_at": expires_at } }
}

/// An event that a decision told, before its place in the sequence is known.
#[derive(Clone, Debug)]
pub(crate) struct Pending {
    pub(crate) aggregate: Key,
    pub(crate) event_type: EventType,
    pub(crate) data: Box<RawValue>,
    pub(crate) cause: Cause,
}

impl Pending {
    /// What an envelope adds to its data, in bytes at most: times, ids, names, a trace.
    pub(crate) const ENVELOPE: usize = 2048;

    pub(crate) fn is_state(&self) -> bool {
        self.event_type.kind == Kind::State
    }

    /// Puts it into its envelope.
    pub(crate) fn seal(self, id: EventId, sequence: i64, now: Timestamp) -> OutboxRow {
        let counted = u64::try_from(sequence).unwrap_or(0);
        let state = self.is_state();
        let envelope = Envelope {
            specversion: "1.0".to_owned(),
            id,
            source: format!("/souk/{}", self.event_type.publisher),
            event_type: self.event_type.type_name(),
            subject: self.aggregate.id.clone(),
            time: now,
            datacontenttype: "application/json".to_owned(),
            sequence: sequence_text(counted),
            correlationid: self.cause.correlation_id,
            causationid: self.cause.causation_id,
            traceparent: self.cause.traceparent,
            data: self.data,
        };
        OutboxRow {
            id,
            stream: self.event_type.stream(),
            nats_subject: self.event_type.subject(&self.aggregate.id),
            aggregate: self.aggregate.id,
            sequence,
            state,
            payload: serde_json::to_string(&envelope).expect("an envelope is plain JSON"),
            at: now,
            told: false,
        }
    }
}
