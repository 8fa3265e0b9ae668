//! Names, traces, logs and measures every request, and makes every error a problem document.

use std::time::Instant;

use axum::extract::{MatchedPath, Request, State};
use axum::http::header::{
    AUTHORIZATION, CACHE_CONTROL, CONTENT_LENGTH, CONTENT_SECURITY_POLICY, CONTENT_TYPE,
    REFERRER_POLICY, X_CONTENT_TYPE_OPTIONS,
};
use axum::http::{HeaderMap, HeaderValue, Method};
use axum::middleware::Next;
use axum::response::Response;
use tracing::field::Empty;
use tracing::{Instrument as _, Span};

use super::call::{REQUEST_ID, TRACEPARENT};
use super::guard::Waited;
use super::problem::MEDIA_TYPE;
use super::{Call, Gate, Problem};
use crate::telemetry::traces;

/// What is logged for a request whose client went away before it was answered.
const ABANDONED: u16 = 499;

/// Stands outermost before every endpoint.
pub(super) async fn observe(
    State(gate): State<Gate>,
    mut request: Request,
    next: Next,
) -> Response {
    let mut record = Record::of(&request);
    let call = Call::of(request.headers(), &record.span, &gate.clock);
    record.name(&call);
    let private = is_private(&request);
    request.extensions_mut().insert(call.clone());
    let response = next.run(request).instrument(record.span.clone()).await;
    let mut response = explained(response, &call);
    dress(response.headers_mut(), &call, private);
    record.status = response.status().as_u16();
    record.waited = response.extensions().get::<Waited>().is_some();
    response
}

/// The one line in the log and the one measurement of a request, made when it is over.
struct Record {
    started: Instant,
    span: Span,
    method: &'static str,
    route: String,
    status: u16,
    waited: bool,
}

impl Record {
    fn of(request: &Request) -> Self {
        let method = method(request.method());
        // Never the path itself: it may hold what is private, and has no bound.
        let route = request.extensions().get::<MatchedPath>();
        let route = route.map_or("none", MatchedPath::as_str).to_owned();
        let span = tracing::info_span!(
            "request",
            request.id = Empty,
            trace.id = Empty,
            http.method = method,
            http.route = route,
            http.status = Empty,
            otel.kind = "server",
            otel.name = format!("{method} {route}"),
        );
        Self { started: Instant::now(), span, method, route, status: ABANDONED, waited: false }
    }

    fn name(&self, call: &Call) {
        self.span.record("request.id", call.request_id());
        self.span.record("trace.id", call.traceparent().trace_id());
    }
}

impl Drop for Record {
    fn drop(&mut self) {
        let took = self.started.elapsed();
        // A long poll takes as long as it was asked to: that says nothing about the service.
        let name = if self.waited {
            "souk_http_wait_duration_seconds"
        } else {
            "souk_http_request_duration_seconds"
        };
        let (route, status) = (std::mem::take(&mut self.route), self.status.to_string());
        let labels = [("method", self.method.to_owned()), ("route", route), ("status", status)];
        metrics::histogram!(name, &labels).record(took.as_secs_f64());
        self.span.record("http.status", self.status);
        if self.status >= 500 {
            traces::failed(&self.span);
        }
        self.span.in_scope(|| {
            let duration_ms = took.as_secs_f64() * 1000.0;
            tracing::info!(
                http.status = self.status,
                http.duration_ms = duration_ms,
                "request answered"
            );
        });
    }
}

/// Methods that nobody defined are one, so that nobody can fill the metrics.
fn method(method: &Method) -> &'static str {
    match *method {
        Method::GET => "GET",
        Method::HEAD => "HEAD",
        Method::POST => "POST",
        Method::PUT => "PUT",
        Method::PATCH => "PATCH",
        Method::DELETE => "DELETE",
        Method::OPTIONS => "OPTIONS",
        _ => "OTHER",
    }
}

/// Whether the answer is for one person only, or holds what was made for them.
fn is_private(request: &Request) -> bool {
    let reads = matches!(*request.method(), Method::GET | Method::HEAD);
    !reads || request.headers().contains_key(AUTHORIZATION)
}

/// Names the request in its problem; an error that is no problem document yet becomes one.
fn explained(mut response: Response, call: &Call) -> Response {
    let problem = response.extensions_mut().remove::<Problem>().or_else(|| bare(&response));
    if let Some(problem) = problem {
        response.headers_mut().insert(CONTENT_TYPE, HeaderValue::from_static(MEDIA_TYPE));
        response.headers_mut().remove(CONTENT_LENGTH);
        *response.body_mut() = problem.body(Some(call));
    }
    response
}

/// The problem behind an error of the framework, whose own words are not ours.
fn bare(response: &Response) -> Option<Problem> {
    let kind = response.headers().get(CONTENT_TYPE).map(HeaderValue::as_bytes);
    let wordless = kind.is_none_or(|kind| kind.starts_with(b"text/plain"));
    let status = response.status();
    let error = status.is_client_error() || status.is_server_error();
    (error && wordless).then(|| Problem::of(status))
}

/// What every answer bears. What is for one person only is stored nowhere on its way, nor is what
/// bears a token; an endpoint that knows better says so itself.
fn dress(headers: &mut HeaderMap, call: &Call, private: bool) {
    if let Ok(id) = HeaderValue::from_str(call.request_id()) {
        headers.insert(REQUEST_ID, id);
    }
    if let Ok(trace) = HeaderValue::from_str(&call.traceparent().to_string()) {
        headers.insert(TRACEPARENT, trace);
    }
    headers.insert(X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff"));
    let mut unless_said = |name, value| {
        headers.entry(name).or_insert(HeaderValue::from_static(value));
    };
    unless_said(REFERRER_POLICY, "no-referrer");
    unless_said(CONTENT_SECURITY_POLICY, "default-src 'none'; frame-ancestors 'none'");
    if private {
        unless_said(CACHE_CONTROL, "no-store");
    }
}
