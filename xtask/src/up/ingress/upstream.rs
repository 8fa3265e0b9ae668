//! The way to a service: what it answers is read even when it reads no further.
//!
//! A service may refuse a request before it has read all of its body, such as one that is too
//! large. It closes the connection then, and what is still being sent fails; but its answer is there.

use std::io::{self, ErrorKind};
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::task::{Context, Poll, ready};
use std::time::Duration;

use axum::body::{Body, BodyDataStream, Bytes, HttpBody as _};
use futures_util::{Stream, StreamExt as _};
use hyper_util::client::legacy::Client;
use hyper_util::client::legacy::connect::{Connected, Connection, HttpConnector};
use hyper_util::rt::{TokioExecutor, TokioIo, TokioTimer};
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::net::TcpStream;
use tokio::time::timeout;
use tokio_util::task::TaskTracker;
use tower::ServiceExt as _;
use tower::util::MapResponse;

/// How long a service on this machine may take to accept a connection.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(2);

/// How long an idle connection is kept: shorter than a service keeps it.
const IDLE: Duration = Duration::from_secs(30);

/// How long a client may go on to send a body that nobody reads.
const LINGER: Duration = Duration::from_secs(5);

/// Sends requests to services.
pub(super) type Upstreams = Client<Connector, Body>;

type Connector = MapResponse<HttpConnector, fn(TokioIo<TcpStream>) -> TokioIo<Upstream>>;

/// A client for requests to services.
pub(super) fn client() -> Upstreams {
    let mut connector = HttpConnector::new();
    connector.set_nodelay(true);
    connector.set_connect_timeout(Some(CONNECT_TIMEOUT));
    let open: fn(_) -> _ =
        |socket: TokioIo<TcpStream>| TokioIo::new(Upstream::new(socket.into_inner()));
    Client::builder(TokioExecutor::new())
        .pool_idle_timeout(IDLE)
        .pool_timer(TokioTimer::new())
        .build(connector.map_response(open))
}

/// A connection to a service.
pub(super) struct Upstream {
    socket: TcpStream,
    /// It reads no further: what is sent from now on is dropped.
    is_deaf: bool,
}

impl Upstream {
    fn new(socket: TcpStream) -> Self {
        Self { socket, is_deaf: false }
    }

    /// Takes it as done when the other side reads no further.
    fn heard<T>(&mut self, done: io::Result<T>, instead: T) -> io::Result<T> {
        match done {
            Err(error)
                if matches!(error.kind(), ErrorKind::BrokenPipe | ErrorKind::ConnectionReset) =>
            {
                self.is_deaf = true;
                Ok(instead)
            }
            done => done,
        }
    }
}

impl AsyncWrite for Upstream {
    fn poll_write(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        if self.is_deaf {
            return Poll::Ready(Ok(bytes.len()));
        }
        let written = ready!(Pin::new(&mut self.socket).poll_write(cx, bytes));
        Poll::Ready(self.heard(written, bytes.len()))
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        slices: &[io::IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        let all = slices.iter().map(|slice| slice.len()).sum();
        if self.is_deaf {
            return Poll::Ready(Ok(all));
        }
        let written = ready!(Pin::new(&mut self.socket).poll_write_vectored(cx, slices));
        Poll::Ready(self.heard(written, all))
    }

    fn is_write_vectored(&self) -> bool {
        self.socket.is_write_vectored()
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.socket).poll_flush(cx)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.socket).poll_shutdown(cx)
    }
}

impl AsyncRead for Upstream {
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        Pin::new(&mut self.socket).poll_read(cx, buffer)
    }
}

impl Connection for Upstream {
    fn connected(&self) -> Connected {
        self.socket.connected()
    }
}

/// A body that is read to its end for a while, even when the service reads no further: a client
/// that still sends does not read the answer. Sets `broken` when the client breaks it off, or sends
/// what is no body, such as a bad chunk (RFC 9112, section 7.1).
pub(super) fn lingering(body: Body, tasks: &TaskTracker, broken: &Broken) -> Body {
    if body.is_end_stream() {
        return body;
    }
    let rest = Some(body.into_data_stream());
    Body::from_stream(Lingering { rest, tasks: tasks.clone(), broken: broken.clone() })
}

/// Whether the client's own body failed while it was forwarded.
#[derive(Clone, Debug, Default)]
pub(super) struct Broken(Arc<AtomicBool>);

impl Broken {
    /// Whether it did.
    pub(super) fn is_set(&self) -> bool {
        self.0.load(Ordering::Acquire)
    }

    fn set(&self) {
        self.0.store(true, Ordering::Release);
    }
}

struct Lingering {
    rest: Option<BodyDataStream>,
    tasks: TaskTracker,
    broken: Broken,
}

impl Stream for Lingering {
    type Item = Result<Bytes, axum::Error>;

    fn poll_next(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        let Some(rest) = &mut self.rest else { return Poll::Ready(None) };
        let next = ready!(rest.poll_next_unpin(cx));
        if matches!(next, Some(Err(_))) {
            self.broken.set();
        }
        if !matches!(next, Some(Ok(_))) {
            self.rest = None;
        }
        Poll::Ready(next)
    }
}

impl Drop for Lingering {
    fn drop(&mut self) {
        if let Some(mut rest) = self.rest.take() {
            self.tasks.spawn(timeout(LINGER, async move { while rest.next().await.is_some() {} }));
        }
    }
}
