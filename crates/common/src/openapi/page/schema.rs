//! The shape of a value, as a list of its fields.

use serde_json::Value;

use super::text::{escaped, inline, prose};
use super::{items, members, resolved, text};

/// No shape is shown deeper: a schema may be part of itself.
const DEPTH: usize = 6;

/// What a value means, and its fields where it has any.
pub(super) fn shape(api: &Value, schema: &Value) -> String {
    let about = prose(text(resolved(api, schema), "description"));
    format!("{about}{}", fields(api, schema, 0))
}

/// What kind of value it is, in a few words.
pub(super) fn kind(api: &Value, schema: &Value) -> String {
    let schema = resolved(api, schema);
    let variants = ["oneOf", "anyOf"].iter().flat_map(|key| items(&schema[*key]));
    let mut kinds: Vec<String> = variants.map(|variant| kind(api, variant)).collect();
    let named = items(&schema["type"]).iter().chain(Some(&schema["type"]));
    kinds.extend(named.filter_map(Value::as_str).map(|name| one(api, schema, name)));
    if kinds.is_empty() {
        kinds.push(if schema.get("allOf").is_some() { "object" } else { "any" }.to_owned());
    }
    kinds.dedup();
    kinds.join(" or ")
}

fn one(api: &Value, schema: &Value, name: &str) -> String {
    if name == "array" {
        return format!("array of {}", kind(api, &schema["items"]));
    }
    if let Some(of @ Value::Object(_)) = schema.get("additionalProperties") {
        return format!("object of {}", kind(api, of));
    }
    let listed = items(&schema["enum"]).iter().chain(schema.get("const"));
    let values: Vec<String> = listed.map(ToString::to_string).collect();
    let format = schema["format"].as_str().filter(|_| name != "integer");
    let bound = |key: &str| schema.get(key).map(ToString::to_string);
    let bounds = match (bound("minimum"), bound("maximum")) {
        (Some(least), Some(most)) => Some(format!("{least} to {most}")),
        (Some(least), None) => Some(format!("from {least}")),
        (None, Some(most)) => Some(format!("up to {most}")),
        (None, None) => None,
    };
    let mut said = vec![name.to_owned()];
    said.extend(format.map(ToOwned::to_owned).into_iter().chain(bounds));
    if !values.is_empty() {
        said = vec![values.join(" · ")];
    }
    said.join(", ")
}

fn fields(api: &Value, schema: &Value, depth: usize) -> String {
    let schema = resolved(api, schema);
    if depth > DEPTH {
        return String::new();
    }
    let mut html = String::new();
    let required = items(&schema["required"]);
    let named: Vec<String> = members(&schema["properties"])
        .map(|(name, of)| field(api, name, of, required.iter().any(|one| one == name), depth))
        .collect();
    if !named.is_empty() {
        html = format!("<ul class=\"fields\">{}</ul>", named.concat());
    }
    let parts = ["allOf", "oneOf", "anyOf"].iter().flat_map(|key| items(&schema[*key]));
    let inner =
        parts.chain(["items", "additionalProperties"].iter().filter_map(|key| schema.get(key)));
    html.extend(inner.map(|part| fields(api, part, depth + 1)));
    html
}

fn field(api: &Value, name: &str, of: &Value, required: bool, depth: usize) -> String {
    let said = Some(text(of, "description")).filter(|said| !said.is_empty());
    let about = inline(said.unwrap_or_else(|| text(resolved(api, of), "description")));
    let must = if required { " <span class=\"must\">required</span>" } else { "" };
    let inner = fields(api, of, depth + 1);
    let head = format!(
        "<code>{}</code> <span class=\"kind\">{}</span>{must} <span class=\"about\">{about}</span>",
        escaped(name),
        escaped(&kind(api, of)),
    );
    if inner.is_empty() {
        format!("<li>{head}</li>")
    } else {
        format!("<li><details><summary>{head}</summary>{inner}</details></li>")
    }
}
