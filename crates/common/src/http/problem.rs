//! Why a request was not done, told the same way everywhere (RFC 9457).

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::fmt;
use std::time::Duration;

use axum::body::Body;
use axum::http::header::{CONTENT_TYPE, RETRY_AFTER, WWW_AUTHENTICATE};
use axum::http::{HeaderValue, StatusCode};
use axum::response::{IntoResponse, Response};
use serde::Serialize;
use serde_json::Value;
use utoipa::openapi::{Ref, RefOr, Response as ResponseDoc, Schema};
use utoipa::{IntoResponses, PartialSchema, ToSchema};

use super::{Call, RateLimit};

/// The media type of a problem.
pub(super) const MEDIA_TYPE: &str = "application/problem+json";

/// Why a request was not done (RFC 9457).
///
/// It names the kind of problem by a stable URN and never shows how the service is made. The
/// request's and the trace's id are filled in on the way out.
#[derive(Clone, Debug)]
pub struct Problem(Box<Inner>);

#[derive(Clone, Debug)]
struct Inner {
    status: StatusCode,
    name: Cow<'static, str>,
    detail: Option<String>,
    errors: Vec<Fault>,
    members: BTreeMap<&'static str, Value>,
    retry_after: Option<u64>,
    challenge: Option<&'static str>,
    limit: Option<RateLimit>,
}

/// One value of a request that cannot be taken.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, ToSchema)]
#[schema(as = problem::Fault)]
struct Fault {
    /// Where it is: a JSON pointer (RFC 6901) into the body.
    #[schema(example = "/lines/0/quantity")]
    pointer: String,
    /// What does not fit.
    #[schema(example = "a quantity is a whole number from 1 to 999")]
    detail: String,
}

/// A problem as it travels (RFC 9457).
#[derive(Serialize, ToSchema)]
#[schema(as = Problem)]
struct Wire<'a> {
    /// What kind of problem it is; never changes its meaning.
    #[serde(rename = "type")]
    #[schema(example = "urn:souk:problem:not-found")]
    kind: String,
    /// The kind in words.
    #[schema(example = "Not found")]
    title: String,
    /// The HTTP status.
    #[schema(example = 404)]
    status: u16,
    /// What was wrong this time.
    #[serde(skip_serializing_if = "Option::is_none")]
    detail: Option<&'a str>,
    /// Names this request.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(example = "urn:souk:request:req_0190b0e1c7f67c3e9d1a2b3c4d5e6f70")]
    instance: Option<String>,
    /// Names the trace that this request is part of (W3C trace context).
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(example = "4bf92f3577b34da6a3ce929d0e0e4736")]
    trace_id: Option<String>,
    /// Each value that cannot be taken.
    #[serde(skip_serializing_if = "<[Fault]>::is_empty")]
    errors: &'a [Fault],
    #[serde(flatten)]
    #[schema(ignore)]
    members: &'a BTreeMap<&'static str, Value>,
}

/// The problems any endpoint may answer with, for the `responses(…)` of its documentation.
#[derive(Clone, Copy, Debug)]
pub struct Problems;

impl Problem {
    /// A problem of a kind of its own. `name` is in kebab-case and never changes its meaning.
    pub fn new(status: StatusCode, name: &'static str) -> Self {
        Self::named(status, Cow::Borrowed(name))
    }

    /// 400: the request does not read as one.
    pub fn malformed() -> Self {
        Self::new(StatusCode::BAD_REQUEST, "malformed")
    }

    /// 401: nobody is signed in. Bears the challenge of RFC 6750.
    pub fn unauthorized() -> Self {
        Self::new(StatusCode::UNAUTHORIZED, "unauthorized").challenging("Bearer")
    }

    /// 403: who is signed in may not do this.
    pub fn forbidden() -> Self {
        Self::new(StatusCode::FORBIDDEN, "forbidden")
    }

    /// 404: it is not there, or it is not theirs.
    pub fn not_found() -> Self {
        Self::new(StatusCode::NOT_FOUND, "not-found")
    }

    /// 409: as things stand it cannot be done.
    pub fn conflict(name: &'static str) -> Self {
        Self::new(StatusCode::CONFLICT, name)
    }

    /// 412: it is no longer what `If-Match` says (RFC 9110, section 13.1.1).
    pub fn stale() -> Self {
        Self::new(StatusCode::PRECONDITION_FAILED, "stale")
    }

    /// 412: it is there already, and `If-None-Match: *` puts only what is new (RFC 9110, section
    /// 13.1.2).
    pub fn exists() -> Self {
        Self::new(StatusCode::PRECONDITION_FAILED, "exists-already")
    }

    /// 413: the body is too large.
    pub fn too_large() -> Self {
        Self::new(StatusCode::PAYLOAD_TOO_LARGE, "body-too-large")
    }

    /// 415: the body is of a type that is not understood here.
    pub fn unsupported_media_type() -> Self {
        Self::new(StatusCode::UNSUPPORTED_MEDIA_TYPE, "unsupported-media-type")
    }

    /// 422: it reads well and makes no sense here.
    pub fn unprocessable(name: &'static str) -> Self {
        Self::new(StatusCode::UNPROCESSABLE_ENTITY, name)
    }

    /// 422: values of the body cannot be taken; say which with [`Self::at`].
    pub fn invalid() -> Self {
        Self::unprocessable("invalid")
    }

    /// 428: `If-Match` is missing (RFC 6585, section 3).
    pub fn precondition_required() -> Self {
        Self::new(StatusCode::PRECONDITION_REQUIRED, "if-match-required")
            .because("read the thing, then send its ETag as If-Match")
    }

    /// 429: too many requests; says when to come back.
    pub fn too_many(after: Duration) -> Self {
        Self::new(StatusCode::TOO_MANY_REQUESTS, "too-many-requests").retry_after(after)
    }

    /// 500: a mistake of ours.
    pub fn internal() -> Self {
        Self::new(StatusCode::INTERNAL_SERVER_ERROR, "internal")
    }

    /// 503: not now; says when to come back.
    pub fn unavailable(after: Duration) -> Self {
        Self::new(StatusCode::SERVICE_UNAVAILABLE, "unavailable").retry_after(after)
    }

    /// The problem that a bare status stands for.
    pub fn of(status: StatusCode) -> Self {
        let reason = status.canonical_reason().unwrap_or("Refused");
        let name = match status {
            StatusCode::BAD_REQUEST => Cow::Borrowed("malformed"),
            StatusCode::PAYLOAD_TOO_LARGE => Cow::Borrowed("body-too-large"),
            StatusCode::INTERNAL_SERVER_ERROR => Cow::Borrowed("internal"),
            StatusCode::SERVICE_UNAVAILABLE => Cow::Borrowed("unavailable"),
            _ => Cow::Owned(reason.to_ascii_lowercase().replace([' ', '\''], "-")),
        };
        Self::named(status, name)
    }

    /// Says what was wrong this time.
    #[must_use]
    pub fn because(mut self, detail: impl fmt::Display) -> Self {
        self.0.detail = Some(detail.to_string());
        self
    }

    /// Says which value of the body cannot be taken; `pointer` is a JSON pointer (RFC 6901).
    #[must_use]
    pub fn at(mut self, pointer: impl Into<String>, detail: impl fmt::Display) -> Self {
        self.0.errors.push(Fault { pointer: pointer.into(), detail: detail.to_string() });
        self
    }

    /// Says when to come back, in whole seconds and at least one.
    #[must_use]
    pub fn retry_after(mut self, after: Duration) -> Self {
        let whole = after.as_secs() + u64::from(after.subsec_nanos() > 0);
        self.0.retry_after = Some(whole.max(1));
        self
    }

    /// Adds a member of its own (RFC 9457, section 3.2), which must not bear the name of another.
    #[must_use]
    pub fn with(mut self, name: &'static str, value: impl Serialize) -> Self {
        self.0.members.insert(name, serde_json::to_value(value).unwrap_or_default());
        self
    }

    /// Says which bound was reached.
    #[must_use]
    pub fn limited(mut self, limit: RateLimit) -> Self {
        self.0.limit = Some(limit);
        self
    }

    /// Says how to sign in (RFC 9110, section 11.6.1).
    #[must_use]
    pub(crate) fn challenging(mut self, challenge: &'static str) -> Self {
        self.0.challenge = Some(challenge);
        self
    }

    /// The HTTP status.
    pub fn status(&self) -> StatusCode {
        self.0.status
    }

    /// The name of its kind, such as `not-found`.
    pub fn kind(&self) -> &str {
        &self.0.name
    }

    /// The body, with the request that it belongs to.
    pub(super) fn body(&self, call: Option<&Call>) -> Body {
        let inner = &*self.0;
        let wire = Wire {
            kind: format!("urn:souk:problem:{}", inner.name),
            title: title(&inner.name),
            status: inner.status.as_u16(),
            detail: inner.detail.as_deref(),
            instance: call.map(|call| format!("urn:souk:request:{}", call.request_id())),
            trace_id: call.map(|call| call.traceparent().trace_id()),
            errors: &inner.errors,
            members: &inner.members,
        };
        serde_json::to_vec(&wire).unwrap_or_default().into()
    }

    fn named(status: StatusCode, name: Cow<'static, str>) -> Self {
        Self(Box::new(Inner {
            status,
            name,
            detail: None,
            errors: Vec::new(),
            members: BTreeMap::new(),
            retry_after: None,
            challenge: None,
            limit: None,
        }))
    }
}

impl fmt::Display for Problem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {}", self.0.status.as_u16(), self.0.name)?;
        self.0.detail.iter().try_for_each(|detail| write!(f, ": {detail}"))
    }
}

impl std::error::Error for Problem {}

impl IntoResponse for Problem {
    fn into_response(self) -> Response {
        let mut response = (self.0.status, self.body(None)).into_response();
        let headers = response.headers_mut();
        headers.insert(CONTENT_TYPE, HeaderValue::from_static(MEDIA_TYPE));
        if let Some(seconds) = self.0.retry_after {
            headers.insert(RETRY_AFTER, HeaderValue::from(seconds));
        }
        if let Some(challenge) = self.0.challenge {
            headers.insert(WWW_AUTHENTICATE, HeaderValue::from_static(challenge));
        }
        if let Some(limit) = self.0.limit {
            limit.tell(headers);
        }
        response.extensions_mut().insert(self);
        response
    }
}

impl PartialSchema for Problem {
    fn schema() -> RefOr<Schema> {
        Wire::schema()
    }
}

impl ToSchema for Problem {
    fn name() -> Cow<'static, str> {
        Cow::Borrowed("Problem")
    }

    fn schemas(schemas: &mut Vec<(String, RefOr<Schema>)>) {
        Wire::schemas(schemas);
    }
}

impl IntoResponses for Problems {
    fn responses() -> BTreeMap<String, RefOr<ResponseDoc>> {
        ["4XX", "5XX"]
            .map(|class| (class.to_owned(), RefOr::Ref(Ref::from_response_name("Problem"))))
            .into()
    }
}

/// `order-already-paid` in words: "Order already paid".
fn title(name: &str) -> String {
    let mut words = name.replace('-', " ");
    if let Some(first) = words.get_mut(..1) {
        first.make_ascii_uppercase();
    }
    words
}
