//! Serving HTTP, and ending it without cutting anybody off.

mod client;
mod exchange;

use std::net::SocketAddr;
use std::panic::AssertUnwindSafe;
use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use axum::body::Body;
use axum::extract::ConnectInfo;
use axum::http::Request;
use futures_util::FutureExt as _;
use hyper::server::conn::http1;
use hyper_util::rt::{TokioIo, TokioTimer};
use hyper_util::server::graceful::{GracefulShutdown, Watcher};
use hyper_util::service::TowerToHyperService;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio::time::timeout;
use tokio_util::sync::CancellationToken;
use tower::ServiceExt as _;
use tracing::{debug, error, warn};

use super::tasks::Tasks;
use crate::http::links::{Link, Links};
use client::Client;
use exchange::Exchange;

const MAX_HEADERS: usize = 100;
/// More than the gate lets pass, so that it is the one to explain what is too large.
const MAX_HEADER_BYTES: usize = 20 * 1024;
/// What a connection may hold at most, however fast its client sends.
const MAX_BUFFER: usize = 24 * 1024;
/// After the system refused a connection, such as for want of file descriptors.
const PAUSE: Duration = Duration::from_millis(100);
/// A connection that has been without a request for so long makes room for a new one.
const IDLE: Duration = Duration::from_secs(1);

/// What the connections of a port may take.
#[derive(Clone, Debug)]
pub(crate) struct Connections {
    /// How many there are at most; beyond, the one that is idle longest is closed for a new one.
    pub(crate) most: usize,
    /// How long one may be idle.
    pub(crate) keep_alive: Duration,
    /// How long a client may take nothing of what it is sent.
    pub(crate) stall: Duration,
    /// Which are open.
    pub(crate) links: Links,
}

/// Serves until `stopping`, then finishes what was begun.
pub(crate) async fn serve(
    listener: TcpListener,
    router: Router,
    limits: Connections,
    tasks: Tasks,
    stopping: CancellationToken,
) {
    let connections = GracefulShutdown::new();
    let places = Arc::new(Semaphore::new(limits.most));
    while let Some(accepted) = stopping.run_until_cancelled(listener.accept()).await {
        match accepted {
            Ok((stream, peer)) => {
                let entered = stopping.run_until_cancelled(enter(&places, &limits.links)).await;
                let Some(place) = entered else { break };
                // An answer is written in one piece: waiting for more only delays it.
                let _ = stream.set_nodelay(true);
                let (watcher, stopping) = (connections.watcher(), stopping.clone());
                let served = connection(stream, peer, router.clone(), &limits, watcher, stopping);
                tasks.spawn("connection", harmless(held(place, served)));
            }
            Err(error) => {
                warn!(%error, "a connection could not be accepted");
                tokio::time::sleep(PAUSE).await;
            }
        }
    }
    drop(listener);
    connections.shutdown().await;
}

/// A panic while one client is served, as in the middle of an event stream, is no reason to leave
/// all the others.
async fn harmless(connection: impl Future<Output = ()>) {
    if AssertUnwindSafe(connection).catch_unwind().await.is_err() {
        error!("a connection panicked");
    }
}

/// A place for one more connection. While there is none, those that are idle are closed.
async fn enter(places: &Arc<Semaphore>, links: &Links) -> Option<OwnedSemaphorePermit> {
    while places.available_permits() == 0 {
        links.close_idle(1, IDLE);
        let place = timeout(PAUSE, places.clone().acquire_owned()).await;
        if let Ok(place) = place {
            return place.ok();
        }
    }
    places.clone().acquire_owned().await.ok()
}

async fn held(_place: Option<OwnedSemaphorePermit>, connection: impl Future<Output = ()>) {
    connection.await;
}

fn connection(
    stream: TcpStream,
    peer: SocketAddr,
    router: Router,
    limits: &Connections,
    watcher: Watcher,
    stopping: CancellationToken,
) -> impl Future<Output = ()> + use<> {
    let link = Arc::new(limits.links.open());
    let client = Client::new(stream, Arc::clone(&link), limits.stall, stopping);
    let closed = link.closed();
    let served = exchanges(client, peer, router, limits.keep_alive, link, watcher);
    async move {
        if closed.run_until_cancelled(served).await.is_none() {
            debug!("a connection was closed to make room");
        }
    }
}

async fn exchanges(
    client: Client,
    peer: SocketAddr,
    router: Router,
    keep_alive: Duration,
    link: Arc<Link>,
    watcher: Watcher,
) {
    let router = router.map_request(move |mut request: Request<hyper::body::Incoming>| {
        request.extensions_mut().insert(ConnectInfo(peer));
        request.map(Body::new)
    });
    let router = Exchange::of(router, link);
    let served = http1::Builder::new()
        .timer(TokioTimer::new())
        .header_read_timeout(keep_alive)
        .max_headers(MAX_HEADERS)
        .max_header_size(MAX_HEADER_BYTES)
        .max_buf_size(MAX_BUFFER)
        .serve_connection(TokioIo::new(client), TowerToHyperService::new(router));
    if let Err(error) = watcher.watch(served).await {
        debug!(%error, "a connection ended early");
    }
}

#[cfg(test)]
mod tests {
    use std::convert::Infallible;

    use axum::routing::get;
    use futures_util::stream;
    use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};

    use super::*;

    const SOON: Duration = Duration::from_secs(30);

    #[tokio::test]
    async fn a_client_that_stops_reading_does_not_hold_up_a_stop() {
        let endless = async || {
            let piece = || Ok::<_, Infallible>(&[b'x'; 16 * 1024][..]);
            Body::from_stream(stream::repeat_with(piece))
        };
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let at = listener.local_addr().unwrap();
        let (tasks, stopping) = (Tasks::default(), CancellationToken::new());
        let router = Router::new().route("/", get(endless));
        let limits =
            Connections { most: 8, keep_alive: SOON, stall: SOON, links: Links::default() };
        let served = serve(listener, router, limits, tasks.clone(), stopping.clone());
        let client = async {
            let mut client = TcpStream::connect(at).await.unwrap();
            client.write_all(b"GET / HTTP/1.1\r\nHost: a\r\n\r\n").await.unwrap();
            client.read_exact(&mut [0; 1024]).await.unwrap();
            stopping.cancel();
            client
        };

        let stopped = timeout(SOON, async { tokio::join!(served, client) }).await;

        assert!(stopped.is_ok(), "it still waits for the client");
        tasks.ended().await;
    }
}
