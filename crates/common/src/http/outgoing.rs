//! The body of an answer, which holds its part of the replica's budget until it is written.

use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, ready};
use std::time::Duration;

use axum::body::{Body, Bytes, HttpBody};
use axum::response::{IntoResponse as _, Response};
use hyper::body::Frame;
use tokio_util::sync::PollSemaphore;

use super::Problem;
use super::budget::{Budget, Share};
use super::held::Held;

/// When a client whose answer found no room may come back.
const SOON: Duration = Duration::from_secs(1);

/// Counts the body of an answer in the budget until its last byte is written; 503 where there is no
/// room for it.
pub(super) async fn counted(response: Response, budget: &Budget) -> Response {
    let Some(bytes) = response.body().size_hint().exact() else {
        return response.map(|body| Body::new(Growing::new(body, budget)));
    };
    if bytes == 0 {
        return response;
    }
    match budget.reserve(usize::try_from(bytes).unwrap_or(usize::MAX)).await {
        Some(share) => {
            let share = Arc::new(share);
            let hold = |share: &Arc<Share>, bytes| hold(bytes, Arc::clone(share));
            response.map(|body| Held::body(body, share, hold))
        }
        None => Problem::unavailable(SOON).because("too many answers at once").into_response(),
    }
}

/// Bytes that are counted as long as anything holds them, the server's own buffers included.
struct Counted<P> {
    bytes: Bytes,
    _permit: P,
}

impl<P> AsRef<[u8]> for Counted<P> {
    fn as_ref(&self) -> &[u8] {
        &self.bytes
    }
}

fn hold(bytes: Bytes, permit: impl Send + 'static) -> Bytes {
    Bytes::from_owner(Counted { bytes, _permit: permit })
}

/// A body that goes on, such as an event stream: each part is counted by itself, and waits while
/// there is no room.
struct Growing {
    body: Body,
    room: PollSemaphore,
    /// The whole budget: a larger part counts as much.
    most: usize,
    /// A part that waits for room.
    next: Option<Bytes>,
}

impl Growing {
    fn new(body: Body, budget: &Budget) -> Self {
        Self { body, room: PollSemaphore::new(budget.bytes()), most: budget.total(), next: None }
    }

    fn poll_room(&mut self, context: &mut Context<'_>) -> Poll<Option<Bytes>> {
        let Some(bytes) = &self.next else { return Poll::Ready(None) };
        let size = u32::try_from(bytes.len().min(self.most)).unwrap_or(u32::MAX);
        let permit = ready!(self.room.poll_acquire_many(context, size));
        Poll::Ready(self.next.take().map(|bytes| hold(bytes, permit)))
    }
}

impl HttpBody for Growing {
    type Data = Bytes;
    type Error = axum::Error;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, axum::Error>>> {
        if self.next.is_none() {
            match ready!(Pin::new(&mut self.body).poll_frame(context)) {
                Some(Ok(frame)) => match frame.into_data() {
                    Ok(bytes) => self.next = Some(bytes),
                    Err(trailers) => return Poll::Ready(Some(Ok(trailers))),
                },
                ended => return Poll::Ready(ended),
            }
        }
        self.poll_room(context).map(|bytes| bytes.map(|bytes| Ok(Frame::data(bytes))))
    }
}
