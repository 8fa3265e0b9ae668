//! A body that holds something for as long as it is written.

use std::pin::Pin;
use std::task::{Context, Poll, ready};

use axum::body::{Body, Bytes, HttpBody};
use hyper::body::{Frame, SizeHint};

/// A body and what is dropped with it.
pub(crate) struct Held<T> {
    body: Body,
    kept: T,
    /// What becomes of each part of the body, which stays as long as it is.
    each: fn(&T, Bytes) -> Bytes,
}

impl<T: Send + Unpin + 'static> Held<T> {
    pub(crate) fn body(body: Body, kept: T, each: fn(&T, Bytes) -> Bytes) -> Body {
        Body::new(Self { body, kept, each })
    }
}

impl<T: Unpin> HttpBody for Held<T> {
    type Data = Bytes;
    type Error = axum::Error;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, axum::Error>>> {
        let next = ready!(Pin::new(&mut self.body).poll_frame(context));
        let each = |bytes| (self.each)(&self.kept, bytes);
        Poll::Ready(next.map(|next| next.map(|frame| frame.map_data(each))))
    }

    fn is_end_stream(&self) -> bool {
        self.body.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.body.size_hint()
    }
}
