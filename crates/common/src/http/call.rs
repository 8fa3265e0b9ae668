//! One request: its name and the trace it is part of.

use std::sync::Arc;

use axum::extract::FromRequestParts;
use axum::http::HeaderMap;
use axum::http::request::Parts;
use tracing::Span;

use super::{Problem, Traceparent};
use crate::Clock;
use crate::telemetry::traces;

/// Where a request's id travels, in and out.
pub(super) const REQUEST_ID: &str = "x-request-id";
/// Where a trace travels, in and out.
pub(super) const TRACEPARENT: &str = "traceparent";

/// Names a request in its answer, in logs and in what is told because of it.
#[derive(Clone, Debug)]
pub struct Call {
    request_id: Arc<str>,
    traceparent: Traceparent,
}

impl Call {
    /// Takes a sane id and a well-formed trace from the request, and makes what it lacks. Where
    /// traces are told, its step in the trace is this span.
    pub(super) fn of(headers: &HeaderMap, span: &Span, clock: &Clock) -> Self {
        let request_id = sane(headers)
            .map_or_else(|| format!("req_{}", clock.uuid().simple()), ToOwned::to_owned);
        let given = headers.get(TRACEPARENT).and_then(|value| value.to_str().ok());
        let given: Option<Traceparent> = given.and_then(|text| text.parse().ok());
        let traceparent = traces::join(span, given).unwrap_or_else(|| match given {
            Some(given) => given.next(clock.uuid()),
            None => Traceparent::begin(clock.uuid()),
        });
        Self { request_id: request_id.into(), traceparent }
    }

    /// Names the request.
    pub fn request_id(&self) -> &str {
        &self.request_id
    }

    /// Names the trace, and this request in it.
    pub const fn traceparent(&self) -> &Traceparent {
        &self.traceparent
    }
}

impl<S: Sync> FromRequestParts<S> for Call {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Problem> {
        present(parts)
    }
}

/// What the layers before every endpoint left for its extractors.
pub(crate) fn present<T: Clone + Send + Sync + 'static>(parts: &Parts) -> Result<T, Problem> {
    parts.extensions.get().cloned().ok_or_else(|| {
        tracing::error!(missing = std::any::type_name::<T>(), "endpoint without its layers");
        Problem::internal()
    })
}

/// An id that is safe to log and to send on.
fn sane(headers: &HeaderMap) -> Option<&str> {
    let id = headers.get(REQUEST_ID)?.to_str().ok()?;
    let plain = id.bytes().all(|b| b.is_ascii_alphanumeric() || b"-_.:".contains(&b));
    ((1..=128).contains(&id.len()) && plain).then_some(id)
}
