//! Bodies in JSON (RFC 8259).

use axum::body::Bytes;
use axum::extract::{FromRequest, OptionalFromRequest, Request};
use axum::http::header::CONTENT_TYPE;
use axum::http::{HeaderMap, HeaderValue, StatusCode};
use axum::response::{IntoResponse, Response};
use serde::Serialize;
use serde::de::{DeserializeOwned, IgnoredAny};
use serde_json::error::Category;

use super::Problem;
use super::explain::{duplicated, explain, pointer};
use super::members::duplicate;
use super::numbers::in_plain_digits;
use super::shape::has_fields;

/// The media type of an answer.
const MEDIA_TYPE: HeaderValue = HeaderValue::from_static("application/json");
/// How deep arrays and objects of a body may be nested.
const DEPTH: usize = 64;

/// A body in JSON, of a request or of an answer.
///
/// Of a request: 415 for another media type, 413 beyond the limit, 400 for what is no JSON, and
/// 422 with JSON pointers for values that do not fit and for members that are given twice. A whole
/// number is an integer however it is written, as `1.0` or `1e2`. Endpoints that can do without a
/// body take `Option<Json<T>>`.
#[derive(Clone, Copy, Debug)]
pub struct Json<T>(pub T);

impl<T: DeserializeOwned, S: Send + Sync> FromRequest<S> for Json<T> {
    type Rejection = Problem;

    async fn from_request(request: Request, state: &S) -> Result<Self, Problem> {
        read(&body(request, state).await?).map(Self)
    }
}

/// No body at all is none, whatever its media type, and so is `null`.
impl<T: DeserializeOwned, S: Send + Sync> OptionalFromRequest<S> for Json<T> {
    type Rejection = Problem;

    async fn from_request(request: Request, state: &S) -> Result<Option<Self>, Problem> {
        let bytes = optional_body(request, state).await?;
        bytes.map(|bytes| read(&bytes).map(Self)).transpose()
    }
}

impl<T: Serialize> IntoResponse for Json<T> {
    fn into_response(self) -> Response {
        match serde_json::to_vec(&self.0) {
            Ok(body) => ([(CONTENT_TYPE, MEDIA_TYPE)], body).into_response(),
            Err(error) => {
                tracing::error!(%error, "an answer has no JSON form");
                Problem::internal().into_response()
            }
        }
    }
}

/// The bytes of a body that has to be JSON by its media type; 415 for another one.
pub(super) async fn body<S: Send + Sync>(request: Request, state: &S) -> Result<Bytes, Problem> {
    if !is_json(request.headers()) {
        return Err(no_json());
    }
    whole(request, state).await
}

/// The same of a body that may be left out, or be `null`.
pub(super) async fn optional_body<S: Send + Sync>(
    request: Request,
    state: &S,
) -> Result<Option<Bytes>, Problem> {
    let is_json = is_json(request.headers());
    let bytes = whole(request, state).await?;
    match (bytes.is_empty(), is_json) {
        (true, _) => Ok(None),
        (false, true) => Ok(Some(bytes).filter(|bytes| bytes.trim_ascii() != b"null")),
        (false, false) => Err(no_json()),
    }
}

async fn whole<S: Send + Sync>(request: Request, state: &S) -> Result<Bytes, Problem> {
    let read = Bytes::from_request(request, state).await;
    read.map_err(|rejection| match rejection.status() {
        StatusCode::PAYLOAD_TOO_LARGE => Problem::too_large(),
        _ => Problem::malformed().because("the body ended early"),
    })
}

fn no_json() -> Problem {
    Problem::unsupported_media_type().because("send the body as Content-Type: application/json")
}

/// Reads a body; what is no JSON at all is told from JSON that does not fit.
pub(super) fn read<T: DeserializeOwned>(bytes: &[u8]) -> Result<T, Problem> {
    let text = std::str::from_utf8(bytes)
        .map_err(|_| Problem::malformed().because("the body is not UTF-8"))?;
    if depth(bytes) > DEPTH {
        let detail = format!("the body is nested more than {DEPTH} levels deep");
        return Err(Problem::malformed().because(detail));
    }
    // Reads a number of any length, which those after it do not.
    serde_json::from_str::<IgnoredAny>(text).map_err(|error| not_json(&error))?;
    let text = &in_plain_digits(text);
    if let Some(twice) = duplicate(text).map_err(|error| not_json(&error))? {
        let detail = duplicated(&twice);
        return Err(Problem::invalid().at(twice, detail));
    }
    if text.trim_start().starts_with('[') && has_fields::<T>() {
        return Err(Problem::invalid().at("", "expected an object"));
    }
    let mut deserializer = serde_json::Deserializer::from_str(text);
    serde_path_to_error::deserialize(&mut deserializer).map_err(|error| {
        match error.inner().classify() {
            Category::Data => {
                let detail = explain(&error.inner().to_string());
                Problem::invalid().at(pointer(error.path(), &error.inner().to_string()), detail)
            }
            Category::Io | Category::Syntax | Category::Eof => not_json(error.inner()),
        }
    })
}

fn not_json(error: &serde_json::Error) -> Problem {
    let (line, column) = (error.line(), error.column());
    Problem::malformed().because(format!("the body is not JSON at line {line}, column {column}"))
}

/// `application/json` or a type that is JSON by its suffix (RFC 6839), whatever its parameters.
fn is_json(headers: &HeaderMap) -> bool {
    let value = headers.get(CONTENT_TYPE).and_then(|value| value.to_str().ok());
    let essence = value.and_then(|text| text.split(';').next()).unwrap_or_default().trim();
    let Some((kind, subtype)) = essence.split_once('/') else { return false };
    let subtype = subtype.to_ascii_lowercase();
    kind.eq_ignore_ascii_case("application") && (subtype == "json" || subtype.ends_with("+json"))
}

/// How deep arrays and objects are nested, without following them.
fn depth(bytes: &[u8]) -> usize {
    let (mut depth, mut deepest, mut in_text, mut escaped) = (0_usize, 0, false, false);
    for byte in bytes {
        match byte {
            _ if escaped => escaped = false,
            b'\\' if in_text => escaped = true,
            b'"' => in_text = !in_text,
            b'[' | b'{' if !in_text => depth += 1,
            b']' | b'}' if !in_text => depth = depth.saturating_sub(1),
            _ => {}
        }
        deepest = deepest.max(depth);
    }
    deepest
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use axum::body::Body as Sent;
    use futures_util::FutureExt as _;
    use proptest::prelude::*;
    use serde::Deserialize;
    use serde_json::json;
    use testkit::fuzz;

    use super::*;

    #[derive(Debug, PartialEq, Serialize, Deserialize)]
    #[serde(deny_unknown_fields)]
    struct Body {
        #[serde(default)]
        a: Option<Box<Body>>,
        #[serde(default)]
        b: BTreeMap<String, Vec<i8>>,
    }

    /// What is nearly a good body, and what is nearly JSON.
    fn bodies() -> impl Strategy<Value = Vec<u8>> {
        let samples =
            [json!({}), json!({ "a": { "a": null, "b": { "x/~": [1, -128] } }, "b": {} })];
        let like_json = r#"([\[\]{}:,"\\abu0-9 \-.eE]|null|true|"a"|"b"){0,40}"#;
        prop_oneof![3 => fuzz::nearly_json(&samples), 1 => like_json.prop_map(String::into_bytes)]
    }

    /// What becomes of a request with this body, or the status of its refusal.
    fn asked(kind: &[u8], body: Vec<u8>) -> Option<Result<Body, u16>> {
        let request = Request::post("/").header(CONTENT_TYPE, kind).body(Sent::from(body)).ok()?;
        let read = <Json<Body> as FromRequest<()>>::from_request(request, &()).now_or_never()?;
        Some(read.map(|Json(body)| body).map_err(|problem| problem.status().as_u16()))
    }

    #[test]
    fn whatever_the_body_it_is_refused_or_says_what_is_read() {
        fuzz::always(&bodies(), |bytes| {
            match asked(b"application/json", bytes) {
                Some(Ok(body)) => {
                    let again = asked(b"application/json", serde_json::to_vec(&body).unwrap());
                    prop_assert_eq!(again, Some(Ok(body)));
                }
                refused => prop_assert!(matches!(refused, Some(Err(400 | 422))), "{refused:?}"),
            }
            Ok(())
        });
    }

    /// What becomes of a request whose body may be left out, or the status of its refusal.
    fn optional(kind: &str, body: &'static str) -> Option<Result<Option<Body>, u16>> {
        let request = Request::post("/").header(CONTENT_TYPE, kind).body(Sent::from(body)).ok()?;
        let read = <Json<Body> as OptionalFromRequest<()>>::from_request(request, &());
        let read = read.now_or_never()?;
        Some(read.map(|body| body.map(|Json(body)| body)).map_err(|it| it.status().as_u16()))
    }

    #[test]
    fn null_is_no_body_where_one_may_be_left_out() {
        let json = "application/json";

        for nothing in ["", "null", " \n\tnull\r\n "] {
            assert_eq!(optional(json, nothing), Some(Ok(None)), "{nothing:?}");
        }
        assert_eq!(optional("text/plain", "null"), Some(Err(415)));
        assert_eq!(optional(json, "nulls"), Some(Err(400)));
        assert!(matches!(optional(json, "{}"), Some(Ok(Some(_)))));
        assert_eq!(asked(json.as_bytes(), b"null".to_vec()), Some(Err(422)));
    }

    #[test]
    fn numbers_of_any_length_are_json() {
        let long = "1".repeat(400);
        for number in ["1e400", "-1e400", "1e999999999999999999999", "0.5e+500", &long] {
            for body in [format!(r#"{{"b":{{"x":[{number}]}}}}"#), format!(r#"{{"b":{number}}}"#)] {
                let problem = read::<Body>(body.as_bytes()).unwrap_err();
                assert_eq!(problem.status(), 422, "{body}");
            }
        }
        for number in ["1e", "01", "+1", ".5", "1.", "1e400e", "NaN", "1e+"] {
            let body = format!(r#"{{"b":{{"x":[{number}]}}}}"#);
            assert_eq!(read::<Body>(body.as_bytes()).unwrap_err().status(), 400, "{body}");
        }
    }

    #[test]
    fn whatever_the_media_type_it_is_json_or_refused() {
        let kinds = ["application/json; charset=utf-8", "application/problem+json", "text/json"];

        fuzz::always(&fuzz::nearly(&kinds), |kind| {
            let read = asked(&kind, b"{}".to_vec());
            prop_assert!(matches!(read, None | Some(Ok(_) | Err(415))), "{read:?}");
            Ok(())
        });
    }
}
