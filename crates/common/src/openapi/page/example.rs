//! An example of a value, from its schema.

use serde_json::{Map, Value, json};

use super::{items, members, resolved};

/// An example: the one that the schema gives, or one made of its parts.
pub(super) fn example(api: &Value, schema: &Value) -> Value {
    made(api, schema, &mut Vec::new()).unwrap_or_default()
}

/// `None` for a schema inside itself, as `open` says: there the example ends.
fn made(api: &Value, schema: &Value, open: &mut Vec<*const Value>) -> Option<Value> {
    let schema = resolved(api, schema);
    if let Some(given) = given(schema) {
        return Some(given.clone());
    }
    let here = std::ptr::from_ref(schema);
    if open.contains(&here) {
        return None;
    }
    open.push(here);
    let example = composed(api, schema, open);
    open.pop();
    example
}

fn composed(api: &Value, schema: &Value, open: &mut Vec<*const Value>) -> Option<Value> {
    let mut variants = ["oneOf", "anyOf"].iter().flat_map(|key| items(&schema[*key]));
    if let Some(first) = variants.find(|variant| variant["type"] != "null") {
        return made(api, first, open);
    }
    let kinds = items(&schema["type"]).iter().chain(Some(&schema["type"]));
    Some(match kinds.filter_map(Value::as_str).find(|kind| *kind != "null") {
        Some("string") => json!("text"),
        Some("integer" | "number") => schema.get("minimum").cloned().unwrap_or(json!(1)),
        Some("boolean") => json!(true),
        Some("array") => made(api, &schema["items"], open).into_iter().collect(),
        _ => object(api, schema, open),
    })
}

fn given(schema: &Value) -> Option<&Value> {
    let first = |key: &str| schema.get(key)?.as_array()?.first();
    let one = |key: &str| schema.get(key);
    one("example").or_else(|| first("examples")).or_else(|| one("const")).or_else(|| first("enum"))
}

fn object(api: &Value, schema: &Value, open: &mut Vec<*const Value>) -> Value {
    let mut all = Map::new();
    for part in items(&schema["allOf"]) {
        if let Some(Value::Object(members)) = made(api, part, open) {
            all.extend(members);
        }
    }
    for (name, of) in members(&schema["properties"]) {
        all.extend(made(api, of, open).map(|value| (name.clone(), value)));
    }
    if let Some(of @ Value::Object(_)) = schema.get("additionalProperties") {
        all.extend(made(api, of, open).map(|value| ("name".to_owned(), value)));
    }
    Value::Object(all)
}
