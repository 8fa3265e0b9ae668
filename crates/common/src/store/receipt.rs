//! Receipts: what was asked before is answered as before.

use std::time::Duration;

use contracts::{Envelope, EventId};
use mongodb::bson::{self, DateTime};
use serde::{Deserialize, Serialize};

use super::Answer;
use crate::Clock;
use crate::telemetry::traces;

/// How long a client may repeat a request.
const REQUESTS: Duration = Duration::from_hours(48);
/// How long an event may come again: longer than any stream of facts keeps it.
const EVENTS: Duration = Duration::from_hours(24 * 21);
/// How long a stream of facts keeps an event.
pub const STREAMS: Duration = Duration::from_hours(24 * 14);

const _: () = assert!(EVENTS.as_secs() > STREAMS.as_secs());

/// What led to a change; travels in the envelopes of what it tells.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Cause {
    /// Names the whole conversation that one request started.
    pub correlation_id: String,
    /// Names the request or event that directly caused it.
    pub causation_id: String,
    /// W3C trace context.
    pub traceparent: Option<String>,
}

impl Cause {
    /// The service's own doing, such as a sweep.
    pub fn own(what: &str, clock: &Clock) -> Self {
        let id = format!("{what}:{}", clock.uuid().simple());
        Self { correlation_id: id.clone(), causation_id: id, traceparent: None }
    }

    /// An event that was heard. Where traces are told, what it leads to follows its handling.
    pub fn heard(envelope: &Envelope) -> Self {
        let handling = traces::here().map(|step| step.to_string());
        Self {
            correlation_id: envelope.correlationid.clone(),
            causation_id: envelope.id.to_string(),
            traceparent: handling.or_else(|| envelope.traceparent.clone()),
        }
    }
}

/// Names one asking for a change, so that its repeat has the effect of one.
#[derive(Clone, Debug)]
pub struct Receipt {
    pub(crate) key: Option<ReceiptKey>,
    pub(crate) cause: Cause,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct ReceiptKey {
    pub(crate) id: String,
    pub(crate) fingerprint: String,
    keep: Duration,
}

impl Receipt {
    /// A request with an idempotency key. `fingerprint` tells it from any other request.
    pub fn http(subject: &str, key: &str, fingerprint: String, cause: Cause) -> Self {
        let id = format!("http:{subject}:{key}");
        Self { key: Some(ReceiptKey { id, fingerprint, keep: REQUESTS }), cause }
    }

    /// An event, heard by one consumer.
    pub fn event(consumer: &str, envelope: &Envelope) -> Self {
        Self::heard(consumer, envelope.id, Cause::heard(envelope))
    }

    fn heard(consumer: &str, event: EventId, cause: Cause) -> Self {
        let id = format!("evt:{consumer}:{event}");
        Self { key: Some(ReceiptKey { id, fingerprint: String::new(), keep: EVENTS }), cause }
    }

    /// Work of the service's own that must have one effect.
    pub fn named(id: &str, cause: Cause) -> Self {
        let id = format!("own:{id}");
        Self { key: Some(ReceiptKey { id, fingerprint: String::new(), keep: EVENTS }), cause }
    }

    /// A change by a delta whose client sent no key: one is drawn, so that an unknown result of
    /// the commit can be resolved.
    pub fn generated(cause: Cause, clock: &Clock) -> Self {
        let id = format!("gen:{}", clock.uuid().simple());
        Self { key: Some(ReceiptKey { id, fingerprint: String::new(), keep: REQUESTS }), cause }
    }

    /// No receipt: deciding again comes to the same.
    pub const fn none(cause: Cause) -> Self {
        Self { key: None, cause }
    }

    /// What led to it.
    pub const fn cause(&self) -> &Cause {
        &self.cause
    }
}

/// What a receipt says became of the asking.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "state", rename_all = "snake_case")]
pub enum Kept {
    /// An effect outside was begun and its outcome is not known yet.
    Started {
        /// What drives it.
        attempt: String,
    },
    /// It was done, and this was said.
    Answered {
        /// What was said.
        answer: Answer,
    },
}

/// A receipt as it is stored.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct ReceiptDocument {
    #[serde(rename = "_id")]
    pub(crate) id: String,
    pub(crate) fingerprint: String,
    #[serde(flatten)]
    pub(crate) kept: Kept,
    expires_at: DateTime,
}

impl ReceiptDocument {
    pub(crate) const COLLECTION: &'static str = "receipts";

    pub(crate) fn new(key: &ReceiptKey, kept: Kept, clock: &Clock) -> Self {
        Self {
            id: key.id.clone(),
            fingerprint: key.fingerprint.clone(),
            kept,
            expires_at: DateTime::from_millis(clock.now().plus(key.keep).as_millis()),
        }
    }

    /// About how many bytes it takes.
    pub(crate) fn size(&self) -> usize {
        let said = match &self.kept {
            Kept::Started { attempt } => attempt.len(),
            Kept::Answered { answer } => answer.body.as_ref().map_or(0, String::len),
        };
        256 + self.id.len() + said
    }

    pub(crate) fn to_bson(&self) -> bson::Document {
        bson::serialize_to_document(self).expect("a receipt is plain BSON")
    }
}
