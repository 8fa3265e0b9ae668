//! What the documents in `docs/openapi` say of an answer.

use std::path::Path;
use std::sync::OnceLock;

use reqwest::Method;
use serde_json::{Map, Value};

use crate::Answer;

/// Statuses whose kinds of problems every operation lists; others may come to any request.
const LISTED: [u16; 10] = [400, 401, 403, 404, 409, 412, 415, 422, 428, 429];
/// What every problem of the shop is named by.
const URN: &str = "urn:souk:problem:";
/// Headers that are documented wherever they are sent.
const HEADERS: [&str; 2] = ["ETag", "Location"];

/// What an answer has that the document of its operation does not say; nothing when all is said, or
/// when no document knows the operation.
pub(crate) fn undocumented(method: &Method, path: &str, answer: &Answer) -> Option<String> {
    let path = path.split(['?', '#']).next().unwrap_or_default();
    let (document, operation) = documents().iter().find_map(|document| {
        Some((document, operation(document, path)?.get(method.as_str().to_lowercase().as_str())?))
    })?;
    let response = operation["responses"].get(answer.status.to_string());
    let response = response.map(|response| resolved(document, response));
    if let Some(kind) = answer["type"].as_str().filter(|kind| kind.starts_with(URN)) {
        let is_said = match response {
            Some(response) => kinds(response).any(|said| said == kind),
            None => !LISTED.contains(&answer.status),
        };
        return (!is_said).then(|| format!("{} {kind}", answer.status));
    }
    let mut headers = HEADERS.into_iter().filter(|name| answer.headers.contains_key(*name));
    let said = |name: &&str| response?["headers"].get(*name);
    let unsaid = headers.find(|name| answer.is_ok() && said(name).is_none());
    unsaid.map(|name| format!("{} with {name}", answer.status))
}

/// The kinds of problems that a response names.
fn kinds(response: &Value) -> impl Iterator<Item = &Value> {
    let schema = &response["content"]["application/problem+json"]["schema"];
    let parts = schema["allOf"].as_array().into_iter().flatten();
    parts.filter_map(|part| part["properties"]["type"]["enum"].as_array()).flatten()
}

/// The methods of a path, where a literal segment comes before a parameter.
fn operation<'a>(document: &'a Value, path: &str) -> Option<&'a Value> {
    let paths = document["paths"].as_object().into_iter().flat_map(Map::iter);
    let matching = paths.filter(|(template, _)| fits(template, path));
    matching.min_by_key(|(template, _)| template.matches('{').count()).map(|(_, methods)| methods)
}

fn fits(template: &str, path: &str) -> bool {
    let (template, path): (Vec<_>, Vec<_>) =
        (template.split('/').collect(), path.split('/').collect());
    let fits = |(wanted, given): (&&str, &&str)| wanted.starts_with('{') || wanted == given;
    template.len() == path.len() && template.iter().zip(&path).all(fits)
}

fn resolved<'a>(document: &'a Value, value: &'a Value) -> &'a Value {
    let target = value.get("$ref").and_then(Value::as_str);
    target.and_then(|target| document.pointer(target.strip_prefix('#')?)).unwrap_or(value)
}

/// The documents of the repository that the tests run in; none elsewhere.
fn documents() -> &'static [Value] {
    static DOCUMENTS: OnceLock<Vec<Value>> = OnceLock::new();
    DOCUMENTS.get_or_init(|| {
        let here = std::env::current_dir().unwrap_or_default();
        let root = here.ancestors().find(|above| above.join("Cargo.lock").exists());
        root.map(|root| read(&root.join("docs/openapi"))).unwrap_or_default()
    })
}

fn read(folder: &Path) -> Vec<Value> {
    let files = std::fs::read_dir(folder).into_iter().flatten().flatten();
    let texts = files.filter_map(|file| std::fs::read(file.path()).ok());
    texts.filter_map(|text| serde_json::from_slice(&text).ok()).collect()
}
