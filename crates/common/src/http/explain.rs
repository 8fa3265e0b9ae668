//! What does not fit in a body, in words that do not show how the service is made.

use serde_path_to_error::{Path, Segment};

/// No detail is longer: it may repeat what was sent.
const LONGEST: usize = 200;

/// Says what does not fit in the words of JSON instead of those of the code.
pub(super) fn explain(message: &str) -> String {
    let plain = message.rsplit_once(" at line ").map_or(message, |(plain, _)| plain);
    let said = match plain.rsplit_once(", expected ") {
        Some((_, expected)) if plain.starts_with("invalid ") => {
            format!("expected {}", in_json(expected))
        }
        _ => plain.to_owned(),
    };
    said.chars().take(LONGEST).collect()
}

/// Says that the member at this JSON pointer is given twice.
pub(super) fn duplicated(pointer: &str) -> String {
    let name = pointer.rsplit('/').next().unwrap_or_default();
    format!("duplicate field `{}`", name.replace("~1", "/").replace("~0", "~"))
}

/// Where it does not fit, as a JSON pointer (RFC 6901).
pub(super) fn pointer(path: &Path, message: &str) -> String {
    // The path ends above a field that is missing or there twice.
    let field = ["missing field `", "duplicate field `"]
        .iter()
        .find_map(|start| message.strip_prefix(start)?.split('`').next());
    let names = path.iter().filter_map(name).chain(field.map(ToOwned::to_owned));
    names.flat_map(|name| ["/".to_owned(), escaped(&name)]).collect()
}

fn name(segment: &Segment) -> Option<String> {
    match segment {
        Segment::Seq { index } => Some(index.to_string()),
        Segment::Map { key } => Some(key.clone()),
        Segment::Enum { variant } => Some(variant.clone()),
        Segment::Unknown => None,
    }
}

pub(super) fn escaped(name: &str) -> String {
    name.chars().take(LONGEST).collect::<String>().replace('~', "~0").replace('/', "~1")
}

fn in_json(expected: &str) -> &str {
    let kind = expected.split(' ').next().unwrap_or_default();
    match kind {
        "i8" | "i16" | "i32" | "i64" => "a whole number",
        "u8" | "u16" | "u32" | "u64" | "usize" => "a whole number, not below 0",
        "f32" | "f64" => "a number",
        "struct" | "internally" | "adjacently" => "an object",
        "tuple" => "an array",
        "enum" => "one of the named values",
        _ if expected.starts_with("a map") => "an object",
        _ if expected.starts_with("a sequence") => "an array",
        _ => expected,
    }
}
