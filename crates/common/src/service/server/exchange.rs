//! One request and its answer on a connection, so that it is known when the connection is idle.

use std::convert::Infallible;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};

use axum::body::{Body, Bytes, HttpBody};
use axum::response::Response;
use futures_util::future::BoxFuture;
use hyper::body::{Frame, SizeHint};
use tower::Service;

use crate::http::links::Link;

/// Marks its connection as busy from a request to the end of its answer.
#[derive(Clone)]
pub(super) struct Exchange<S> {
    inner: S,
    link: Arc<Link>,
}

impl<S> Exchange<S> {
    pub(super) const fn of(inner: S, link: Arc<Link>) -> Self {
        Self { inner, link }
    }
}

impl<S, R> Service<R> for Exchange<S>
where
    S: Service<R, Response = Response, Error = Infallible>,
    S::Future: Send + 'static,
{
    type Response = Response;
    type Error = Infallible;
    type Future = BoxFuture<'static, Result<Response, Infallible>>;

    fn poll_ready(&mut self, context: &mut Context<'_>) -> Poll<Result<(), Infallible>> {
        self.inner.poll_ready(context)
    }

    fn call(&mut self, request: R) -> Self::Future {
        self.link.begin();
        let (answer, link) = (self.inner.call(request), Arc::clone(&self.link));
        Box::pin(async move { Ok(answer.await?.map(|body| Body::new(Answer { body, link }))) })
    }
}

/// The body of an answer; the exchange ends when it is dropped.
struct Answer {
    body: Body,
    link: Arc<Link>,
}

impl Drop for Answer {
    fn drop(&mut self) {
        self.link.end();
    }
}

impl HttpBody for Answer {
    type Data = Bytes;
    type Error = axum::Error;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, axum::Error>>> {
        Pin::new(&mut self.body).poll_frame(context)
    }

    fn is_end_stream(&self) -> bool {
        self.body.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.body.size_hint()
    }
}
