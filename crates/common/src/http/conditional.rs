//! Entity tags, and requests that depend on them (RFC 9110, sections 8.8.3 and 13).

use std::convert::Infallible;

use aws_lc_rs::digest::{SHA256, digest};
use axum::body::{Body, HttpBody as _, to_bytes};
use axum::extract::{FromRequestParts, OptionalFromRequestParts, Request};
use axum::http::header::{CONTENT_LENGTH, CONTENT_TYPE, ETAG, IF_MATCH, IF_NONE_MATCH};
use axum::http::request::Parts;
use axum::http::{HeaderMap, HeaderName, HeaderValue, Method, StatusCode};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde::Serialize;

use super::{Json, Problem};
use crate::store::{Answer, ETag, IfMatch, Preconditions};

/// How many bytes of the digest a tag holds: enough that no two bodies share it by chance.
const DIGEST: usize = 12;

/// What the thing must still be, on an edit that may not go without saying so: 428 when the
/// request does not (RFC 6585, section 3), 400 when it says nothing that reads.
#[derive(Clone, Debug)]
pub struct RequiredIfMatch(pub IfMatch);

/// What the client has of a thing already, by `If-None-Match`; nothing when that does not read.
#[derive(Clone, Debug, Default)]
pub struct IfNoneMatch(Option<IfMatch>);

/// A thing and the version of it that is shown.
#[derive(Clone, Debug)]
pub struct Tagged<T>(pub ETag, pub T);

impl IfNoneMatch {
    /// Exactly this answer.
    pub fn only(answer: &Answer) -> Self {
        let tag = answer_tag(answer);
        Self(IfMatch::parse(&tag).ok())
    }

    /// This condition, or another one when the request has none.
    #[must_use]
    pub fn or(self, other: impl FnOnce() -> Self) -> Self {
        if self.0.is_some() { self } else { other() }
    }

    /// Whether the client has exactly these bytes already.
    pub fn knows(&self, answer: &Answer) -> bool {
        self.0.as_ref().is_some_and(|known| known.is_of(&answer_tag(answer)))
    }
}

impl<S: Sync> FromRequestParts<S> for RequiredIfMatch {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Problem> {
        if_match(&parts.headers)?.map(Self).ok_or_else(Problem::precondition_required)
    }
}

impl<S: Sync> OptionalFromRequestParts<S> for IfMatch {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Option<Self>, Problem> {
        if_match(&parts.headers)
    }
}

impl<S: Sync> FromRequestParts<S> for IfNoneMatch {
    type Rejection = Infallible;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Infallible> {
        Ok(Self(known_tags(&parts.headers)))
    }
}

/// What an edit requires; 400 for what does not read.
impl<S: Sync> FromRequestParts<S> for Preconditions {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Problem> {
        let if_none_match = condition(&parts.headers, &IF_NONE_MATCH).transpose()?;
        Ok(Self { if_match: if_match(&parts.headers)?, if_none_match })
    }
}

impl<T: Serialize> IntoResponse for Tagged<T> {
    fn into_response(self) -> Response {
        let mut response = Json(self.1).into_response();
        if let Ok(tag) = HeaderValue::try_from(self.0.to_string()) {
            response.headers_mut().insert(ETAG, tag);
        }
        response
    }
}

/// The tags that a reader has already; what does not read is none.
fn known_tags(headers: &HeaderMap) -> Option<IfMatch> {
    condition(headers, &IF_NONE_MATCH).and_then(Result::ok)
}

/// Gives every answer that is read its entity tag, and answers what the client has already with 304.
///
/// The tag names the version, where the endpoint says one, and all bytes of the body. So no
/// endpoint can forget either, and a tag changes with whatever a reader sees. Bodies that are
/// streamed have none.
pub(super) async fn evaluate(request: Request, next: Next) -> Response {
    let reads = matches!(*request.method(), Method::GET | Method::HEAD);
    let known = reads.then(|| known_tags(request.headers())).flatten();
    let response = next.run(request).await;
    let is_tagged = if reads {
        response.status() == StatusCode::OK
    } else {
        response.status().is_success() && response.headers().contains_key(ETAG)
    };
    if !is_tagged || response.body().size_hint().exact().is_none() {
        return response;
    }
    match tagged(response).await {
        Ok((response, tag)) if known.is_some_and(|known| known.is_of(&tag)) => {
            not_modified(response)
        }
        Ok((response, _)) => response,
        Err(problem) => problem.into_response(),
    }
}

/// The same answer with the tag of its bytes.
async fn tagged(response: Response) -> Result<(Response, String), Problem> {
    let (mut head, body) = response.into_parts();
    let body = to_bytes(body, usize::MAX).await.map_err(|error| {
        tracing::error!(%error, "failed to read an answer of our own");
        Problem::internal()
    })?;
    let version = head.headers.get(ETAG).and_then(|value| value.to_str().ok());
    let tag = tag_of(version, &body);
    let value = HeaderValue::try_from(&tag).map_err(|_| Problem::internal())?;
    head.headers.insert(ETAG, value);
    Ok((Response::from_parts(head, Body::from(body)), tag))
}

fn not_modified(response: Response) -> Response {
    let (mut head, _) = response.into_parts();
    head.status = StatusCode::NOT_MODIFIED;
    head.headers.remove(CONTENT_TYPE);
    head.headers.remove(CONTENT_LENGTH);
    Response::from_parts(head, Body::empty())
}

fn answer_tag(answer: &Answer) -> String {
    tag_of(answer.etag.as_deref(), answer.body.as_deref().unwrap_or_default().as_bytes())
}

/// Names these bytes of this version; `version` is a tag with quotes.
fn tag_of(version: Option<&str>, body: &[u8]) -> String {
    let digest = digest(&SHA256, body);
    let print = URL_SAFE_NO_PAD.encode(&digest.as_ref()[..DIGEST]);
    match version.and_then(|tag| tag.strip_suffix('"')) {
        Some(version) => format!("{version}-{print}\""),
        None => format!("\"{print}\""),
    }
}

fn if_match(headers: &HeaderMap) -> Result<Option<IfMatch>, Problem> {
    condition(headers, &IF_MATCH).transpose()
}

/// What such a header says. Several lines are one list (RFC 9110, section 5.3).
fn condition(headers: &HeaderMap, name: &HeaderName) -> Option<Result<IfMatch, Problem>> {
    // A tag may hold any bytes above ASCII; each stands for itself.
    let text = |value: &HeaderValue| value.as_bytes().iter().copied().map(char::from).collect();
    let lines: Vec<String> = headers.get_all(name).iter().map(text).collect();
    if lines.is_empty() {
        return None;
    }
    let read = IfMatch::parse(&lines.join(", "));
    Some(read.map_err(|error| Problem::malformed().because(format!("{name}: {error}"))))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use testkit::fuzz;

    use super::*;

    const SHOWN: &[u8] = br#""3-0a1b2c3d""#;

    #[test]
    fn whatever_if_match_says_only_a_version_that_it_names_fits() {
        let tag = ETag::new(3, "0a1b2c3d");
        let samples =
            ["*", r#""3-0a1b2c3d-x,y""#, r#"W/"3-0a1b2c3d", "4-0a1b2c3d""#, "\"4-ffffffff\","];
        let lines = prop::collection::vec(fuzz::nearly(&samples), 0..4);

        fuzz::always(&lines, |lines| {
            let values = lines.iter().filter_map(|line| HeaderValue::from_bytes(line).ok());
            let headers: HeaderMap = values.map(|value| (IF_MATCH, value)).collect();
            let fits = |text: &[u8]| {
                text.trim_ascii() == b"*" || text.windows(11).any(|part| part == &SHOWN[..11])
            };
            let named = || headers.values().any(|it| fits(it.as_bytes()));
            match if_match(&headers) {
                Ok(None) => prop_assert!(headers.is_empty()),
                Ok(Some(read)) => prop_assert!(!read.matches(&tag) || named()),
                Err(problem) => prop_assert_eq!(problem.status(), 400),
            }
            Ok(())
        });
    }
}
