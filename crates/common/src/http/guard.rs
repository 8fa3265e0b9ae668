//! Bounds on what requests may ask.

use std::pin::pin;
use std::time::Duration;

use axum::extract::{Request, State};
use axum::http::{HeaderMap, StatusCode, Uri};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use tokio::time::timeout_at;

use super::{Gate, Patience, Problem, coding};

/// When to come back after having been turned away.
const SOON: Duration = Duration::from_secs(1);
/// No address is longer.
const LONGEST_ADDRESS: usize = 8 * 1024;

/// Marks the answer of a request that only waited.
#[derive(Clone, Copy)]
pub(super) struct Waited;

/// Turns away what is too large or too much, and gives up on what takes too long.
pub(super) async fn guard(State(gate): State<Gate>, mut request: Request, next: Next) -> Response {
    if let Some(refusal) = coding::refusal(&request) {
        return refusal;
    }
    match admit(&gate, &request) {
        Ok(patience) => {
            request.extensions_mut().insert(gate.identity.clone());
            request.extensions_mut().insert(patience.clone());
            request.extensions_mut().insert(gate);
            let mut response = in_time(&patience, next.run(request)).await;
            if patience.waits() {
                response.extensions_mut().insert(Waited);
            }
            response
        }
        Err(problem) => problem.into_response(),
    }
}

fn admit(gate: &Gate, request: &Request) -> Result<Patience, Problem> {
    if length(request.uri()) > LONGEST_ADDRESS {
        return Err(Problem::of(StatusCode::URI_TOO_LONG));
    }
    if size(request.headers()) > gate.limits.headers {
        return Err(Problem::of(StatusCode::REQUEST_HEADER_FIELDS_TOO_LARGE));
    }
    let place = gate.places.clone().try_acquire_owned().map_err(|_| {
        Problem::unavailable(SOON).because("too many requests at once, come back soon")
    })?;
    Ok(Patience::new(gate.limits.timeout, place))
}

/// Waits for the answer as long as there is patience, which may grow meanwhile.
async fn in_time(patience: &Patience, answer: impl Future<Output = Response>) -> Response {
    let mut answer = pin!(answer);
    loop {
        let until = patience.until();
        if let Ok(response) = timeout_at(until, &mut answer).await {
            return response;
        }
        if patience.until() == until {
            return Problem::unavailable(SOON).because("it took too long").into_response();
        }
    }
}

fn length(uri: &Uri) -> usize {
    uri.path().len() + uri.query().map_or(0, str::len)
}

fn size(headers: &HeaderMap) -> usize {
    headers.iter().map(|(name, value)| name.as_str().len() + value.len() + 4).sum()
}
