//! Which problems each operation may answer with (RFC 9457).

use std::collections::{BTreeMap, BTreeSet};

use serde_json::{Value, json};
use utoipa::openapi::header::HeaderBuilder;
use utoipa::openapi::path::{Operation, Parameter, ParameterIn};
use utoipa::openapi::schema::{AllOfBuilder, ObjectBuilder, Schema, Type};
use utoipa::openapi::{Content, OpenApi, Ref, RefOr, Required, Response, ResponseBuilder};

use super::operations;

/// Where an operation names its own kinds of problems: `{"409": ["cart-empty"]}`.
const OWN: &str = "x-problems";

/// The kinds of problems of one operation, by status.
type Kinds = BTreeMap<u16, BTreeSet<String>>;

/// Documents the problems of every operation: those that it names itself in `x-problems`, and
/// those that follow from what it takes, such as 428 from a required `If-Match`.
///
/// What may happen to any request, such as 431, is left to the ranges `4XX` and `5XX`.
pub(super) fn describe(api: &mut OpenApi) {
    let mut described = BTreeMap::new();
    for (method, operation) in operations::all(api) {
        let mut kinds = implied(method, operation);
        for (status, own) in take_own(operation) {
            kinds.entry(status).or_default().extend(own);
        }
        for (status, kinds) in kinds {
            let name = name(&kinds);
            let reference = RefOr::Ref(Ref::from_response_name(&name));
            operation.responses.responses.entry(status.to_string()).or_insert(reference);
            described.entry(name).or_insert_with(|| response(status, &kinds).into());
        }
    }
    api.components.get_or_insert_default().responses.extend(described);
}

/// The kinds that follow from what an operation takes.
fn implied(method: &str, operation: &Operation) -> Kinds {
    let (key, if_match) = (header(operation, "Idempotency-Key"), header(operation, "If-Match"));
    let only_new = method == "put" && header(operation, "If-None-Match").is_some();
    let has_body = operation.request_body.is_some();
    let has_token = operation.security.as_ref().is_some_and(|schemes| !schemes.is_empty());
    let all = [
        (400, "malformed", has_body || parameters(operation).next().is_some()),
        (400, "idempotency-key-required", key == Some(true)),
        (401, "unauthorized", has_token),
        (403, "forbidden", has_token),
        (404, "not-found", parameters(operation).any(names_a_thing)),
        (412, "stale", if_match.is_some()),
        (412, "exists-already", only_new),
        (413, "body-too-large", has_body),
        (415, "unsupported-media-type", has_body),
        (422, "invalid", has_body),
        (422, "idempotency-key-reused", key.is_some()),
        (428, "if-match-required", if_match == Some(true)),
        (503, "unavailable", true),
    ];
    let mut kinds = Kinds::new();
    for (status, kind, _) in all.into_iter().filter(|(_, _, applies)| *applies) {
        kinds.entry(status).or_default().insert(kind.to_owned());
    }
    kinds
}

fn parameters(operation: &Operation) -> impl Iterator<Item = &Parameter> {
    let all = operation.parameters.iter().flatten();
    all.filter_map(|parameter| if let RefOr::T(it) = parameter { Some(it) } else { None })
}

/// Whether a header that an operation takes is required; `None` when it takes none.
fn header(operation: &Operation, name: &str) -> Option<bool> {
    let is_it = |it: &&Parameter| it.parameter_in == ParameterIn::Header && it.name == name;
    parameters(operation).find(is_it).map(|it| matches!(it.required, Required::True))
}

/// Whether a part of the path names something that may not be there.
fn names_a_thing(parameter: &Parameter) -> bool {
    let name = parameter.name.as_str();
    parameter.parameter_in == ParameterIn::Path
        && (name == "id" || name.ends_with("_id") || name == "provider")
}

/// The kinds that an operation names itself; the document says them as responses instead.
fn take_own(operation: &mut Operation) -> Kinds {
    let Some(extensions) = &mut operation.extensions else { return Kinds::new() };
    let own = extensions.remove(OWN).unwrap_or_default();
    if extensions.is_empty() {
        operation.extensions = None;
    }
    let own: Result<Kinds, _> = serde_json::from_value(own.clone())
        .or_else(|error| if own.is_null() { Ok(Kinds::new()) } else { Err(error) });
    own.expect("x-problems names kinds by status")
}

/// The name of a response with these kinds, such as `InvalidOrCardNumber`.
fn name(kinds: &BTreeSet<String>) -> String {
    let capital = |word: &str| {
        let (first, rest) = word.split_at(1.min(word.len()));
        first.to_ascii_uppercase() + rest
    };
    let names: Vec<String> =
        kinds.iter().map(|kind| kind.split('-').map(capital).collect()).collect();
    names.join("Or")
}

fn response(status: u16, kinds: &BTreeSet<String>) -> Response {
    let urns: Vec<Value> =
        kinds.iter().map(|kind| json!(format!("urn:souk:problem:{kind}"))).collect();
    let kind = ObjectBuilder::new().schema_type(Type::String).enum_values(Some(urns));
    let of_kind = ObjectBuilder::new().schema_type(Type::Object).property("type", kind);
    let body = AllOfBuilder::new().item(Ref::from_schema_name("Problem")).item(of_kind).build();
    let names: Vec<String> = kinds.iter().map(|kind| format!("`{kind}`")).collect();
    let mut response = ResponseBuilder::new()
        .description(format!("{}.", names.join(" or ")))
        .content("application/problem+json", Content::new(Some(Schema::AllOf(body))));
    if let Some((header, says)) = sent_with(status) {
        let header_of = HeaderBuilder::new().description(Some(says)).build();
        response = response.header(header, header_of);
    }
    response.build()
}

/// The header that comes with every problem of a status.
fn sent_with(status: u16) -> Option<(&'static str, &'static str)> {
    match status {
        401 => Some(("WWW-Authenticate", "How to sign in (RFC 6750).")),
        429 | 503 => Some(("Retry-After", "When to try again, in seconds.")),
        _ => None,
    }
}
