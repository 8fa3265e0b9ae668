//! Bounds on what requests may ask.

use std::future::pending;
use std::panic::AssertUnwindSafe;
use std::pin::pin;
use std::time::Duration;

use axum::body::HttpBody as _;
use axum::extract::{Request, State};
use axum::http::{HeaderMap, StatusCode, Uri};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use futures_util::FutureExt as _;
use tokio::sync::oneshot;
use tokio::time::timeout_at;
use tokio_util::sync::CancellationToken;
use tracing::Instrument as _;

use super::intake::{Intake, turn_away};
use super::outgoing::counted;
use super::{Gate, Patience, Problem, coding};
use crate::origin::RequestOrigin;

/// When to come back after having been turned away.
const SOON: Duration = Duration::from_secs(1);
/// No address is longer.
const LONGEST_ADDRESS: usize = 8 * 1024;

/// Marks the answer of a request that only waited.
#[derive(Clone, Copy)]
pub(super) struct Waited;

/// Turns away what is too large or too much. What it lets pass runs to its end in a task of its
/// own, even if the client hangs up or the time is over: a handler that is dropped loses what it
/// was doing, and a dropped operation costs the pool of the database (`store/operation.rs`).
pub(super) async fn guard(State(gate): State<Gate>, request: Request, next: Next) -> Response {
    if let Some(refusal) = coding::refusal(&request) {
        return turn_away(request, refusal).await;
    }
    let patience = match admit(&gate, &request) {
        Ok(patience) => patience,
        Err(problem) => return turn_away(request, problem.into_response()).await,
    };
    // Cancelled when this future ends or is dropped, as it is when the connection closes.
    let _hung_up = patience.hung_up().clone().drop_guard();
    let (intake, answered) = begin(&gate, request, patience.clone(), next);
    let mut response = intake.closing(in_time(&patience, answered).await);
    if patience.waits() {
        response.extensions_mut().insert(Waited);
    }
    response
}

fn admit(gate: &Gate, request: &Request) -> Result<Patience, Problem> {
    if length(request.uri()) > LONGEST_ADDRESS {
        return Err(Problem::of(StatusCode::URI_TOO_LONG));
    }
    if size(request.headers()) > gate.limits.headers {
        return Err(Problem::of(StatusCode::REQUEST_HEADER_FIELDS_TOO_LARGE));
    }
    let patience = Patience::new(gate.limits.timeout, gate.places.clone());
    if request.method().is_safe() || request.body().is_end_stream() {
        patience.enter()?;
    }
    Ok(patience)
}

/// Starts the task that answers the request. It keeps its place and its bytes until it ends.
fn begin(
    gate: &Gate,
    mut request: Request,
    patience: Patience,
    next: Next,
) -> (Intake, oneshot::Receiver<Response>) {
    request.extensions_mut().insert(gate.identity.clone());
    request.extensions_mut().insert(patience.clone());
    request.extensions_mut().insert(gate.clone());
    // Reads for a client that hung up may be given up before they begin; changes are not.
    let given_up = if request.method().is_safe() {
        patience.hung_up().clone()
    } else {
        CancellationToken::new()
    };
    let (intake, request) = Intake::before(request, gate, &patience);
    let (client, answered) = oneshot::channel();
    let (budget, taken) = (gate.budget().clone(), intake.clone());
    let work = async move {
        let work = RequestOrigin::new(given_up).scope(next.run(request));
        let response = AssertUnwindSafe(work).catch_unwind().await;
        let response = response.unwrap_or_else(|_| Problem::internal().into_response());
        let response = counted(taken.or_failure(response), &budget).await;
        // The client may have gone.
        let _ = client.send(response);
        drop(patience);
    };
    gate.tasks.spawn("request", work.in_current_span());
    (intake, answered)
}

/// Waits for the answer as long as there is patience, which may grow meanwhile.
async fn in_time(patience: &Patience, answered: oneshot::Receiver<Response>) -> Response {
    let mut answered = pin!(answered);
    loop {
        let until = patience.until();
        match timeout_at(until, &mut answered).await {
            Ok(Ok(response)) => return response,
            // The service ends at once, and its connections with it.
            Ok(Err(_)) => pending().await,
            Err(_) if patience.until() == until => {
                return Problem::unavailable(SOON).because("it took too long").into_response();
            }
            Err(_) => {}
        }
    }
}

fn length(uri: &Uri) -> usize {
    uri.path().len() + uri.query().map_or(0, str::len)
}

fn size(headers: &HeaderMap) -> usize {
    headers.iter().map(|(name, value)| name.as_str().len() + value.len() + 4).sum()
}
