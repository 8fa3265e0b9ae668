//! The `AsyncAPI` document: every event that one service tells and others may hear.

use contracts::{Described, Kind, catalogue};
use serde_json::{Map, Value, json};

use super::check::{compare, root};

/// The `AsyncAPI` 3.0 document of the whole shop, made of the contracts.
pub fn asyncapi() -> Value {
    let events = catalogue();
    json!({
        "asyncapi": "3.0.0",
        "info": {
            "title": "Souk's events",
            "version": "1",
            "description": "What the services tell each other over NATS JetStream, as CloudEvents \
                1.0 in structured JSON. Facts are kept 14 days; of state the last per aggregate is \
                kept for ever.",
        },
        "defaultContentType": "application/cloudevents+json",
        "channels": listed(&events, channel),
        "operations": operations(&events),
        "components": {
            "messages": listed(&events, message),
            "schemas": schemas(&events),
        },
    })
}

/// Asserts that `docs/asyncapi.json` is what the contracts say, like [`check`](super::check).
///
/// # Panics
/// When the document is stale, or when blessing it would break who hears the events.
#[track_caller]
pub fn check_asyncapi() {
    compare(&root().join("docs/asyncapi.json"), &asyncapi());
}

fn listed(events: &[Described], of: fn(&Described) -> Value) -> Map<String, Value> {
    events.iter().map(|event| (event.event_type.type_name(), of(event))).collect()
}

fn channel(event: &Described) -> Value {
    let name = event.event_type.type_name();
    let kept = match event.event_type.kind {
        Kind::Fact => "what happened, kept 14 days",
        Kind::State => "how a thing is now, the last per aggregate kept for ever",
    };
    json!({
        "address": event.event_type.subject("{aggregate}"),
        "description": format!("In the stream {}: {kept}.", event.event_type.stream()),
        "parameters": {"aggregate": {"description": "The id of the aggregate it is about."}},
        "messages": {"event": reference("messages", &name)},
    })
}

fn operations(events: &[Described]) -> Map<String, Value> {
    let mut operations = Map::new();
    for event in events {
        let name = event.event_type.type_name();
        for (verb, action) in [("tell", "send"), ("hear", "receive")] {
            let operation = json!({
                "action": action,
                "channel": {"$ref": format!("#/channels/{name}")},
            });
            operations.insert(format!("{verb}.{name}"), operation);
        }
    }
    operations
}

fn message(event: &Described) -> Value {
    let name = event.event_type.type_name();
    let data = serde_json::to_value(&event.schema).unwrap_or_default();
    json!({
        "name": name,
        "title": format!("{} {}", event.event_type.publisher, event.event_type.name),
        "summary": data["description"],
        "payload": {"allOf": [
            {"$ref": "#/components/schemas/CloudEvent"},
            {
                "type": "object",
                "required": ["type", "source", "data"],
                "properties": {
                    "type": {"const": name},
                    "source": {"const": format!("/souk/{}", event.event_type.publisher)},
                    "data": data,
                },
            },
        ]},
        "examples": [{"payload": {"type": name, "data": event.sample}}],
    })
}

fn schemas(events: &[Described]) -> Map<String, Value> {
    let parts = events.iter().flat_map(|event| &event.parts);
    let mut schemas: Map<String, Value> = parts
        .map(|(name, schema)| (name.clone(), serde_json::to_value(schema).unwrap_or_default()))
        .collect();
    schemas.insert("CloudEvent".into(), envelope());
    schemas
}

/// The envelope of every event (`CloudEvents` 1.0).
fn envelope() -> Value {
    let text = |about: &str| json!({"type": "string", "description": about});
    json!({
        "type": "object",
        "required": ["specversion", "id", "source", "type", "subject", "time", "datacontenttype",
            "sequence", "correlationid", "causationid", "data"],
        "properties": {
            "specversion": {"const": "1.0"},
            "id": text("The same for every repeat of this event."),
            "source": text("Who tells it."),
            "type": text("What it is."),
            "subject": text("The id of the aggregate it is about."),
            "time": {"type": "string", "format": "date-time", "description": "When it happened."},
            "datacontenttype": {"const": "application/json"},
            "sequence": {
                "type": "string",
                "pattern": "^[0-9]{20}$",
                "description": "Counts the events told of the aggregate; sorts as text.",
            },
            "correlationid": text("Names the whole conversation that one request started."),
            "causationid": text("Names what directly caused it: a request or an event."),
            "traceparent": text("W3C trace context."),
            "data": {"description": "What is told."},
        },
    })
}

fn reference(of: &str, name: &str) -> Value {
    json!({"$ref": format!("#/components/{of}/{name}")})
}
