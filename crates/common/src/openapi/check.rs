//! Whether a document in `docs/` is what the code says, and whether clients survive the difference.

use std::ffi::OsStr;
use std::fs;
use std::path::{Path, PathBuf};

use serde_json::{Map, Value};
use utoipa::openapi::OpenApi;

use super::breaking;

/// Asserts that `docs/openapi/<name>.json` is what the code says; for tests.
///
/// With `SOUK_BLESS=1` the document is written anew, unless that would break a client; with
/// `SOUK_BREAKING=1` beside it even then.
///
/// # Panics
/// When the document is stale, or when blessing it would break a client.
#[track_caller]
pub fn check(name: &str, api: &OpenApi) {
    let path = root().join("docs/openapi").join(format!("{name}.json"));
    compare(&path, &serde_json::to_value(api).expect("an OpenAPI document is JSON"));
}

/// Asserts that the document at `path` is `new`, or makes it so.
#[track_caller]
pub(super) fn compare(path: &Path, new: &Value) {
    let dangling = dangling(new);
    assert!(dangling.is_empty(), "{} refers to what it lacks: {dangling:?}", path.display());
    let old: Option<Value> = fs::read(path)
        .ok()
        .map(|bytes| serde_json::from_slice(&bytes).expect("a document is JSON"));
    if old.as_ref() == Some(new) {
        return;
    }
    let broken = old.map(|old| breaking(&old, new)).unwrap_or_default();
    let shown = path.display();
    assert!(is_set("SOUK_BLESS"), "{shown} is stale: run the test with SOUK_BLESS=1 {broken:#?}");
    let allowed = broken.is_empty() || is_set("SOUK_BREAKING");
    assert!(allowed, "{shown} would break clients: {broken:#?}");
    let mut text = serde_json::to_string_pretty(new).expect("a value is JSON");
    text.push('\n');
    fs::create_dir_all(path.parent().unwrap_or(path)).expect("docs/ can be made");
    fs::write(path, text).expect("docs/ can be written");
}

/// What a document refers to and does not hold.
fn dangling(document: &Value) -> Vec<&str> {
    let (mut open, mut found) = (vec![document], Vec::new());
    while let Some(value) = open.pop() {
        let target = value.get("$ref").and_then(Value::as_str);
        let held = |target: &str| document.pointer(target.trim_start_matches('#')).is_some();
        found.extend(target.filter(|target| !held(target)));
        open.extend(value.as_object().into_iter().flat_map(Map::values));
        open.extend(value.as_array().into_iter().flatten());
    }
    found
}

/// The repository, above the package whose tests run.
pub(super) fn root() -> PathBuf {
    let here = std::env::current_dir().expect("tests run in their package");
    let root = here.ancestors().find(|above| above.join("Cargo.lock").exists());
    root.expect("the package is in the workspace").to_owned()
}

fn is_set(switch: &str) -> bool {
    std::env::var_os(switch).as_deref() == Some(OsStr::new("1"))
}
