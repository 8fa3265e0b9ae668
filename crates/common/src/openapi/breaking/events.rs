//! What would break those who hear events.

use serde_json::Value;

use super::members;
use super::schema::{Schemas, Side};

/// What would break those who rely on the events of `old`.
pub(super) fn breaking(old: &Value, new: &Value) -> Vec<String> {
    let mut found = Vec::new();
    for (name, channel) in members(&old["channels"]) {
        match new["channels"].get(name) {
            Some(now) if now["address"] != channel["address"] => {
                found.push(format!("{name} goes another way now"));
            }
            Some(_) => {}
            None => found.push(format!("{name} is gone")),
        }
    }
    for (name, message) in members(&old["components"]["messages"]) {
        let Some(now) = new["components"]["messages"].get(name) else {
            found.push(format!("{name} is gone"));
            continue;
        };
        let schemas = Schemas::new(old, new);
        found.extend(schemas.compare(&message["payload"], &now["payload"], Side::Given, name));
    }
    found
}
