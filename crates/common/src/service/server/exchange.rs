//! One request and its answer on a connection, so that it is known when the connection is idle.

use std::convert::Infallible;
use std::sync::Arc;
use std::task::{Context, Poll};

use axum::response::Response;
use futures_util::future::BoxFuture;
use tower::Service;

use crate::http::held::Held;
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
        let (answer, busy) = (self.inner.call(request), Busy(Arc::clone(&self.link)));
        Box::pin(async move { Ok(answer.await?.map(|body| Held::body(body, busy, |_, it| it))) })
    }
}

/// A connection between a request and the end of its answer; dropped, it is idle.
struct Busy(Arc<Link>);

impl Drop for Busy {
    fn drop(&mut self) {
        self.0.end();
    }
}
