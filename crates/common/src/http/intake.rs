//! The body of a request as it is read: bounded in bytes, counted in the replica's budget, and not
//! slower than a rate.

use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use axum::body::{Body, BodyDataStream, Bytes, HttpBody as _};
use axum::extract::Request;
use axum::http::{
    HeaderValue, StatusCode,
    header::{CONNECTION, EXPECT},
};
use axum::response::{IntoResponse as _, Response};
use futures_util::{StreamExt as _, stream};
use tokio::time::{Instant, timeout, timeout_at};
use tower::util::MapRequestLayer;

use super::budget::{Budget, Share};
use super::limits::{Limits, Patience};
use super::{Gate, Problem};

/// When a client whose body found no room may come back.
const SOON: Duration = Duration::from_secs(1);
/// Bytes a second that a body must arrive with, counted over [`Limits::body_grace`].
const RATE: usize = 1024;
/// Bytes of a body that is too large that are still taken, and for how long.
const DISCARDED: usize = 1024 * 1024;
const LINGER: Duration = Duration::from_secs(1);

/// What is known of a request's body while its endpoint reads it.
#[derive(Clone, Debug)]
pub(super) struct Intake(Arc<Inner>);

#[derive(Debug)]
struct Inner {
    /// The most bytes that it may have; a route may raise it.
    bound: AtomicUsize,
    /// What it takes of the budget, until the request is answered.
    share: Mutex<Share>,
    /// Why it was not read to its end.
    failure: Mutex<Option<Problem>>,
    /// Whether nothing of it is left to read.
    is_read: AtomicBool,
}

/// A body that was not read to its end; the guard answers with the reason.
#[derive(Debug, thiserror::Error)]
#[error("the body of the request was not taken")]
struct NotTaken;

/// Lets the body of a route have up to so many bytes, where [`Limits::body`] is less.
pub fn body_up_to(
    bytes: usize,
) -> MapRequestLayer<impl Fn(Request) -> Request + Clone + Send + Sync + 'static> {
    MapRequestLayer::new(move |request: Request| {
        if let Some(Intake(inner)) = request.extensions().get() {
            inner.bound.fetch_max(bytes, Ordering::Relaxed);
        }
        request
    })
}

impl Intake {
    /// Puts a counted body in the place of the request's own. When it is read to its end, the
    /// request takes its place among those that are worked on: a slow body holds none.
    pub(super) fn before(
        mut request: Request,
        gate: &Gate,
        patience: &Patience,
    ) -> (Self, Request) {
        let intake = Self(Arc::new(Inner {
            bound: AtomicUsize::new(gate.limits.body),
            share: Mutex::default(),
            failure: Mutex::default(),
            is_read: AtomicBool::new(request.body().is_end_stream()),
        }));
        if request.body().is_end_stream() {
            return (intake, request);
        }
        request.extensions_mut().insert(intake.clone());
        let reader = Reader {
            intake: intake.clone(),
            limits: Arc::clone(&gate.limits),
            budget: gate.budget.clone(),
            patience: patience.clone(),
        };
        let counted = |body| Body::from_stream(stream::once(reader.read(body)));
        (intake, request.map(counted))
    }

    /// The answer, unless the body was not taken: then the reason.
    pub(super) fn or_failure(&self, response: Response) -> Response {
        let failure = self.0.failure.lock().unwrap_or_else(PoisonError::into_inner).take();
        failure.map_or(response, Problem::into_response)
    }

    /// The answer, which closes the connection unless the body was read to its end.
    pub(super) fn closing(&self, response: Response) -> Response {
        if self.0.is_read.load(Ordering::Acquire) { response } else { closing(response) }
    }
}

/// Answers a request whose body is not wanted.
pub(super) async fn turn_away(request: Request, refusal: Response) -> Response {
    if request.body().is_end_stream() {
        return refusal;
    }
    // A client that waits for `100 Continue` sends nothing yet, and reading would invite it.
    let is_sent = !request.headers().contains_key(EXPECT);
    let is_read = is_sent && discard(request.into_body().into_data_stream()).await;
    if is_read { refusal } else { closing(refusal) }
}

/// Says that the connection ends: what is left of a body would be read as the next request, so the
/// server closes it, and a proxy must not send another request on it (RFC 9112, section 9.6).
fn closing(mut response: Response) -> Response {
    response.headers_mut().insert(CONNECTION, HeaderValue::from_static("close"));
    response
}

/// What reads a body.
struct Reader {
    intake: Intake,
    limits: Arc<Limits>,
    budget: Budget,
    patience: Patience,
}

impl Reader {
    /// The whole body, in one piece: small pieces would cost more memory than they count for.
    async fn read(self, body: Body) -> Result<Bytes, NotTaken> {
        let (size, mut pieces) = (body.size_hint().lower(), body.into_data_stream());
        let read = match self.collect(size, &mut pieces).await {
            Ok(bytes) => {
                self.intake.0.is_read.store(true, Ordering::Release);
                self.patience.enter().map(|()| bytes)
            }
            Err(problem) => {
                if problem.status() == StatusCode::PAYLOAD_TOO_LARGE {
                    let is_read = discard(pieces).await;
                    self.intake.0.is_read.store(is_read, Ordering::Release);
                }
                Err(problem)
            }
        };
        read.map_err(|problem| {
            *self.intake.0.failure.lock().unwrap_or_else(PoisonError::into_inner) = Some(problem);
            NotTaken
        })
    }

    async fn collect(&self, size: u64, pieces: &mut BodyDataStream) -> Result<Bytes, Problem> {
        let bound = self.intake.0.bound.load(Ordering::Relaxed);
        if size > u64::try_from(bound).unwrap_or(u64::MAX) {
            return Err(Problem::too_large());
        }
        let (mut read, mut pace) = (Vec::new(), Pace::new(self.limits.body_grace));
        loop {
            let next = timeout_at(pace.due(), pieces.next());
            // After its time is over the client has its answer: nothing more is read from it.
            let next = self.patience.hung_up().run_until_cancelled(next).await;
            match next.ok_or_else(ended_early)?.map_err(|_| too_slow())? {
                Some(Ok(piece)) => self.append(&mut read, &piece, bound).await?,
                Some(Err(_)) => return Err(ended_early()),
                None => return Ok(read.into()),
            }
            pace.reach(read.len());
        }
    }

    async fn append(&self, read: &mut Vec<u8>, piece: &[u8], bound: usize) -> Result<(), Problem> {
        if read.len() + piece.len() > bound {
            return Err(Problem::too_large());
        }
        let room = self.budget.receive(piece.len(), bound > self.limits.body).await;
        let room = room.ok_or_else(|| {
            Problem::unavailable(SOON).because("too many bytes at once, come back soon")
        })?;
        self.intake.0.share.lock().unwrap_or_else(PoisonError::into_inner).add(room);
        read.extend_from_slice(piece);
        Ok(())
    }
}

/// Takes the rest of a body that is too large, within bounds: a client that is still sending when
/// its connection closes may never see the answer (RFC 9112, section 9.6). Returns whether nothing
/// is left.
async fn discard(mut pieces: BodyDataStream) -> bool {
    let mut left = DISCARDED;
    let rest = async {
        while let Some(piece) = pieces.next().await {
            left = left.saturating_sub(piece.as_ref().map_or(usize::MAX, Bytes::len));
            if left == 0 {
                return false;
            }
        }
        true
    };
    timeout(LINGER, rest).await.unwrap_or(false)
}

/// Whether a body keeps up with the lowest rate: in each stretch of time some bytes must arrive.
struct Pace {
    stretch: Duration,
    due: Instant,
    /// Bytes that must have arrived by then.
    least: usize,
}

impl Pace {
    fn new(stretch: Duration) -> Self {
        Self { stretch, due: Instant::now() + stretch, least: rated(stretch) }
    }

    const fn due(&self) -> Instant {
        self.due
    }

    /// So many bytes have arrived: with enough of them the next stretch begins.
    fn reach(&mut self, bytes: usize) {
        if bytes >= self.least {
            self.least = bytes.saturating_add(rated(self.stretch));
            self.due = Instant::now() + self.stretch;
        }
    }
}

/// Bytes that must arrive in such a time.
fn rated(stretch: Duration) -> usize {
    usize::try_from(stretch.as_millis()).unwrap_or(usize::MAX).saturating_mul(RATE) / 1000
}

fn too_slow() -> Problem {
    Problem::of(StatusCode::REQUEST_TIMEOUT).because("the body arrives too slowly")
}

fn ended_early() -> Problem {
    Problem::malformed().because("the body ended early")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn body_that_keeps_up_gets_more_time() {
        let mut pace = Pace::new(Duration::from_secs(2));
        let first = pace.due();

        pace.reach(2047);
        assert_eq!(pace.due(), first);

        pace.reach(2048);
        assert!(pace.due() >= first);
        assert_eq!(pace.least, 4096);
    }
}
