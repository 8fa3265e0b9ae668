//! What timelines say, and that it does not matter in which order they came to know.

mod because;
mod histories;
mod sentences;

use contracts::{Envelope, EventId, OrderId, Timestamp, sequence_text};
use uuid::Uuid;

use super::entry::{Entry, Timeline};
use super::words::Worded;

const ORDER: OrderId = OrderId::from_uuid(Uuid::from_u128(1));

fn event(number: u128) -> EventId {
    EventId::from_uuid(Uuid::from_u128(number))
}

/// Noon, and so many minutes after it.
fn noon(minutes: u64) -> Timestamp {
    let noon: Timestamp = "2026-01-31T12:00:00Z".parse().unwrap();
    noon.plus(std::time::Duration::from_secs(60 * minutes))
}

/// A fact as it was told at this time, caused by another one or by a request.
fn told<E: Worded>(number: u128, at: Timestamp, cause: &str, event: &E) -> Entry {
    let envelope = Envelope {
        specversion: "1.0".into(),
        id: self::event(number),
        source: format!("/souk/{}", E::TYPE.publisher),
        event_type: E::TYPE.type_name(),
        subject: event.subject(),
        time: at,
        datacontenttype: "application/json".into(),
        sequence: sequence_text(1),
        correlationid: "req_1".into(),
        causationid: cause.to_owned(),
        traceparent: Some("00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01".into()),
        data: serde_json::value::to_raw_value(event).unwrap(),
    };
    Entry::of(&envelope, event.words(at))
}

/// A timeline that heard these.
fn heard(entries: impl IntoIterator<Item = Entry>) -> Timeline {
    let hear = |timeline: Timeline, entry| timeline.clone().hear(entry).unwrap_or(timeline);
    entries.into_iter().fold(Timeline::of(ORDER), hear)
}
