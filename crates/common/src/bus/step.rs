//! The handling of an event, as the log and traces know it.

use contracts::Envelope;
use tracing::{Span, info_span};

use crate::telemetry::traces;

/// A step of the trace that the event came with.
pub(super) fn step(envelope: &Envelope, durable: &str, attempt: Option<u32>) -> Span {
    let span = info_span!(
        "event",
        event.id = %envelope.id,
        event.r#type = envelope.event_type,
        aggregate = envelope.subject,
        durable,
        attempt,
        otel.kind = "consumer",
        otel.name = envelope.event_type,
    );
    traces::join(&span, envelope.traceparent.as_ref().and_then(|text| text.parse().ok()));
    span
}
