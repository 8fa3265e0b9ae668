//! What would break those who rely on a document.

mod events;
mod operation;
mod schema;

use serde_json::{Map, Value};

/// What in `new` would break those who rely on `old`, an `OpenAPI` or an `AsyncAPI` document;
/// nothing, when it only grows.
///
/// A service may give more than before, and values of enumerations that clients do not know yet;
/// it may not give less or otherwise. It may take more than before, not less.
pub fn breaking(old: &Value, new: &Value) -> Vec<String> {
    if old.get("asyncapi").is_some() {
        return events::breaking(old, new);
    }
    let mut found = Vec::new();
    for (path, methods) in members(&old["paths"]) {
        for (method, operation) in members(methods).filter(|(method, _)| is_method(method)) {
            let at = format!("{} {path}", method.to_uppercase());
            match new["paths"].get(path).and_then(|methods| methods.get(method)) {
                Some(now) => found.extend(operation::breaking((old, operation), (new, now), &at)),
                None => found.push(format!("{at} is gone")),
            }
        }
    }
    found
}

/// A part of a document, and the document it is part of.
type Part<'a> = (&'a Value, &'a Value);

/// The members of an object; of anything else there are none.
fn members(value: &Value) -> impl Iterator<Item = (&String, &Value)> {
    value.as_object().into_iter().flat_map(Map::iter)
}

/// The items of an array; of anything else there are none.
fn items(value: &Value) -> &[Value] {
    value.as_array().map_or(&[], Vec::as_slice)
}

/// What a reference refers to; what is no reference is itself.
fn resolved<'a>(document: &'a Value, mut value: &'a Value) -> &'a Value {
    // A reference to a reference to … has an end, unless the document is nonsense.
    for _ in 0..16 {
        let target = value.get("$ref").and_then(Value::as_str);
        match target.and_then(|target| document.pointer(target.strip_prefix('#')?)) {
            Some(found) => value = found,
            None => break,
        }
    }
    value
}

fn is_method(name: &str) -> bool {
    ["get", "put", "post", "delete", "options", "head", "patch", "trace"].contains(&name)
}
