//! What would break the clients of one operation.

use serde_json::Value;

use super::schema::{Schemas, Side};
use super::{Part, items, members, resolved};

/// What would break the clients of an operation.
pub(super) fn breaking(old: Part<'_>, new: Part<'_>, at: &str) -> Vec<String> {
    let mut found = parameters(old, new, at);
    found.extend(request(old, new, at));
    found.extend(responses(old, new, at));
    let open = |operation: &Value| items(&operation["security"]).is_empty();
    if open(old.1) && !open(new.1) {
        found.push(format!("{at} asks for a token now"));
    }
    found
}

fn parameters(old: Part<'_>, new: Part<'_>, at: &str) -> Vec<String> {
    let mut found = Vec::new();
    for before in all_parameters(old) {
        let shown = format!("{at} parameter {}", text(before, "name"));
        match all_parameters(new).find(|now| is_same(before, now)) {
            Some(now) => {
                let schemas = Schemas::new(old.0, new.0);
                let sides = (&before["schema"], &now["schema"]);
                found.extend(schemas.compare(sides.0, sides.1, Side::Taken, &shown));
            }
            None => found.push(format!("{shown} is gone")),
        }
    }
    for now in all_parameters(new).filter(|now| is_required(now)) {
        if !all_parameters(old).any(|before| is_same(before, now) && is_required(before)) {
            found.push(format!("{at} parameter {} is required now", text(now, "name")));
        }
    }
    found
}

fn all_parameters((document, operation): Part<'_>) -> impl Iterator<Item = &Value> {
    items(&operation["parameters"]).iter().map(|parameter| resolved(document, parameter))
}

fn request(old: Part<'_>, new: Part<'_>, at: &str) -> Vec<String> {
    let body =
        |(document, operation): Part<'_>| resolved(document, &operation["requestBody"]).clone();
    let (before, now) = (body(old), body(new));
    let mut found =
        contents((old.0, &before), (new.0, &now), Side::Taken, &format!("{at} request"));
    if is_required(&now) && !is_required(&before) {
        found.push(format!("{at} request is required now"));
    }
    found
}

fn responses(old: Part<'_>, new: Part<'_>, at: &str) -> Vec<String> {
    let mut found = Vec::new();
    for (status, before) in members(&old.1["responses"]) {
        let at = format!("{at} {status}");
        let Some(now) = new.1["responses"].get(status) else {
            found.push(format!("{at} is gone"));
            continue;
        };
        let (before, now) = (resolved(old.0, before), resolved(new.0, now));
        found.extend(contents((old.0, before), (new.0, now), Side::Given, &at));
        let headers = members(&before["headers"]).map(|(name, _)| name);
        let gone = headers.filter(|name| now["headers"].get(name.as_str()).is_none());
        found.extend(gone.map(|name| format!("{at} header {name} is gone")));
    }
    found
}

fn contents(old: Part<'_>, new: Part<'_>, side: Side, at: &str) -> Vec<String> {
    let mut found = Vec::new();
    for (kind, before) in members(&old.1["content"]) {
        match new.1["content"].get(kind) {
            Some(now) => {
                let schemas = Schemas::new(old.0, new.0);
                found.extend(schemas.compare(&before["schema"], &now["schema"], side, at));
            }
            None => found.push(format!("{at} as {kind} is gone")),
        }
    }
    found
}

fn is_same(one: &Value, other: &Value) -> bool {
    one["in"] == other["in"] && one["name"] == other["name"]
}

fn is_required(value: &Value) -> bool {
    value["required"] == true
}

fn text<'a>(value: &'a Value, name: &str) -> &'a str {
    value[name].as_str().unwrap_or_default()
}
