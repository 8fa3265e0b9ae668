//! What stands before every endpoint of a service.

use std::any::Any;
use std::sync::Arc;

use axum::Router;
use axum::extract::DefaultBodyLimit;
use axum::http::header::{
    AUTHORIZATION, CONTENT_TYPE, ETAG, IF_MATCH, IF_NONE_MATCH, LOCATION, RETRY_AFTER,
};
use axum::http::{HeaderName, HeaderValue, Method};
use axum::middleware::{from_fn, from_fn_with_state};
use axum::response::{IntoResponse, Response};
use tokio::sync::Semaphore;
use tokio_util::sync::CancellationToken;
use tower_http::catch_panic::CatchPanicLayer;
use tower_http::cors::CorsLayer;

use super::budget::Budget;
use super::call::{REQUEST_ID, TRACEPARENT};
use super::conditional::evaluate;
use super::guard::guard;
use super::observe::observe;
use super::rate::{RATE_LIMIT, RATE_POLICY};
use super::{Limits, LongPolls, Problem};
use crate::Clock;
use crate::identity::Identity;
use crate::service::tasks::Tasks;

/// What the requests of a service pass before they reach its endpoints.
#[derive(Clone, Debug)]
pub struct Gate {
    pub(super) clock: Clock,
    pub(super) identity: Identity,
    pub(super) limits: Arc<Limits>,
    pub(super) origins: Vec<HeaderValue>,
    pub(super) proxies: u8,
    pub(super) stopping: CancellationToken,
    pub(super) places: Arc<Semaphore>,
    pub(super) polls: LongPolls,
    pub(super) budget: Budget,
    /// What requests run in, whether or not their clients stay.
    pub(super) tasks: Tasks,
}

impl Gate {
    /// A gate that checks tokens by `identity`; who waits is sent off once `stopping` is set.
    pub fn new(
        clock: Clock,
        identity: Identity,
        limits: Limits,
        stopping: CancellationToken,
    ) -> Self {
        Self {
            clock,
            identity,
            stopping,
            places: Arc::new(Semaphore::new(limits.requests)),
            polls: LongPolls::new(limits.long_polls, limits.long_polls_per_person),
            budget: Budget::new(limits.in_flight),
            tasks: Tasks::default(),
            limits: Arc::new(limits),
            origins: Vec::new(),
            proxies: 0,
        }
    }

    /// Lets pages of these origins call the API from a browser; without, none can.
    #[must_use]
    pub fn open_to(self, origins: Vec<HeaderValue>) -> Self {
        Self { origins, ..self }
    }

    /// Believes so many proxies about whom they heard; without, none.
    #[must_use]
    pub fn behind(self, proxies: u8) -> Self {
        Self { proxies, ..self }
    }

    /// Runs requests among these tasks, which a stop waits for.
    #[must_use]
    pub(crate) fn running_in(self, tasks: Tasks) -> Self {
        Self { tasks, ..self }
    }

    /// The bytes of requests and answers, and the connections that hold them.
    pub(crate) const fn budget(&self) -> &Budget {
        &self.budget
    }

    /// Room for those who wait.
    pub const fn long_polls(&self) -> &LongPolls {
        &self.polls
    }
}

/// Puts the gate before every route, and before the answer to what is no route.
///
/// From outside to inside: names and traces the request, logs and measures it, and makes every
/// error a problem document; CORS; bounds on headers, bodies, requests at once and time, a task
/// of its own; panics; entity tags, and what depends on them.
pub fn layers(router: Router, gate: &Gate) -> Router {
    let bounded = router
        .layer(from_fn(evaluate))
        // The intake bounds bodies.
        .layer(DefaultBodyLimit::disable())
        .layer(CatchPanicLayer::custom(panicked))
        .layer(from_fn_with_state(gate.clone(), guard));
    let open = if gate.origins.is_empty() { bounded } else { bounded.layer(cors(&gate.origins)) };
    open.layer(from_fn_with_state(gate.clone(), observe))
}

fn cors(origins: &[HeaderValue]) -> CorsLayer {
    let [request_id, traceparent, key, heard, limit, policy] =
        [REQUEST_ID, TRACEPARENT, "idempotency-key", "last-event-id", RATE_LIMIT, RATE_POLICY]
            .map(HeaderName::from_static);
    let asked = [AUTHORIZATION, CONTENT_TYPE, IF_MATCH, IF_NONE_MATCH, key, heard, traceparent];
    CorsLayer::new()
        .allow_origin(origins.to_vec())
        .allow_methods([Method::GET, Method::POST, Method::PUT, Method::PATCH, Method::DELETE])
        .allow_headers(asked.into_iter().chain([request_id.clone()]).collect::<Vec<_>>())
        .expose_headers([ETAG, LOCATION, RETRY_AFTER, limit, policy, request_id])
}

/// Only fixed texts are logged: what a panic formats may hold what nobody should read.
fn panicked(panic: Box<dyn Any + Send>) -> Response {
    let said = panic.downcast::<&'static str>().map_or("(not shown)", |said| *said);
    tracing::error!(panic = said, "endpoint panicked");
    Problem::internal().into_response()
}
