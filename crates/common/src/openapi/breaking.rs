//! What would break the clients of an API.

use serde_json::Value;

/// What in `new` would break those who rely on `old`; nothing, when it only grows.
pub fn breaking(_old: &Value, _new: &Value) -> Vec<String> {
    Vec::new()
}
