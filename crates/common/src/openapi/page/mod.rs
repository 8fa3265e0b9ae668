//! A page for people, made of an `OpenAPI` document: it loads nothing and runs nothing.

mod example;
mod operation;
mod schema;
mod text;

use std::collections::BTreeMap;
use std::fmt::Write as _;

use aws_lc_rs::digest::{SHA256, digest};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Map, Value};

use operation::Operation;
use text::{escaped, prose};

const STYLE: &str = include_str!("style.css");

/// A page and the policy it is to be shown under.
pub(super) struct Page {
    /// The page.
    pub(super) html: String,
    /// What it may load and run: nothing but its own style (CSP, level 3).
    pub(super) policy: String,
}

/// Renders the page.
pub(super) fn render(api: &Value) -> Page {
    let operations = operations(api);
    let title = escaped(text(&api["info"], "title"));
    let about = prose(text(&api["info"], "description"));
    let html = format!(
        "<!doctype html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n\
         <meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n\
         <meta name=\"color-scheme\" content=\"light dark\">\n\
         <title>{title}</title>\n<style>{STYLE}</style>\n</head>\n<body>\n\
         <nav aria-label=\"Endpoints\">{contents}</nav>\n\
         <main>\n<header><h1>{title}</h1>{about}\
         <p><a href=\"openapi.json\">OpenAPI document</a></p></header>\n{sections}</main>\n\
         </body>\n</html>\n",
        contents = contents(&operations),
        sections = sections(&operations),
    );
    Page { html, policy: policy() }
}

fn policy() -> String {
    let style = STANDARD.encode(digest(&SHA256, STYLE.as_bytes()));
    format!(
        "default-src 'none'; style-src 'sha256-{style}'; base-uri 'none'; form-action 'none'; \
         frame-ancestors 'none'"
    )
}

/// The operations, those with the same tag together.
fn operations(api: &Value) -> BTreeMap<&str, Vec<Operation<'_>>> {
    let mut tagged: BTreeMap<&str, Vec<_>> = BTreeMap::new();
    for operation in Operation::all(api) {
        tagged.entry(operation.tag()).or_default().push(operation);
    }
    tagged
}

fn contents(operations: &BTreeMap<&str, Vec<Operation<'_>>>) -> String {
    let mut html = String::new();
    for (tag, operations) in operations {
        let entries: String = operations.iter().map(Operation::entry).collect();
        let _ = write!(html, "<h2>{}</h2><ul>{entries}</ul>", escaped(tag));
    }
    html
}

fn sections(operations: &BTreeMap<&str, Vec<Operation<'_>>>) -> String {
    operations.values().flatten().map(Operation::section).collect()
}

/// A text member; empty when it is none.
fn text<'a>(value: &'a Value, name: &str) -> &'a str {
    value[name].as_str().unwrap_or_default()
}

/// The members of an object; of anything else there are none.
fn members(value: &Value) -> impl Iterator<Item = (&String, &Value)> {
    value.as_object().into_iter().flat_map(Map::iter)
}

/// The items of an array; of anything else there are none.
fn items(value: &Value) -> &[Value] {
    value.as_array().map_or(&[], Vec::as_slice)
}

/// What a reference refers to; what is no reference is itself.
fn resolved<'a>(api: &'a Value, value: &'a Value) -> &'a Value {
    let target = value.get("$ref").and_then(Value::as_str);
    target.and_then(|target| api.pointer(target.strip_prefix('#')?)).unwrap_or(value)
}
