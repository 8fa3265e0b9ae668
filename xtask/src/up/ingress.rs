//! The one way into the shop: a reverse proxy in the place of a cluster's ingress.

mod routes;
#[cfg(test)]
mod tests;
mod upstream;

use std::collections::HashMap;
use std::fmt::Display;
use std::future::IntoFuture as _;
use std::io;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use anyhow::Context as _;
use axum::Router;
use axum::body::Body;
use axum::extract::{ConnectInfo, Request, State};
use axum::http::uri::{Authority, PathAndQuery, Scheme};
use axum::http::{HeaderMap, HeaderName, HeaderValue, StatusCode, Uri, Version, header};
use axum::response::{IntoResponse, Response};
use axum::serve::ListenerExt as _;
use serde_json::json;
use tokio::net::TcpListener;
use tokio::task::JoinSet;
use tokio::time::timeout;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

pub(crate) use self::routes::Routes;
use self::upstream::{Broken, Upstreams, client, lingering};

/// Headers that concern one connection only (RFC 9110 §7.6.1).
const HOP_BY_HOP: [HeaderName; 9] = [
    header::CONNECTION,
    HeaderName::from_static("keep-alive"),
    HeaderName::from_static("proxy-connection"),
    header::PROXY_AUTHENTICATE,
    header::PROXY_AUTHORIZATION,
    header::TE,
    header::TRAILER,
    header::TRANSFER_ENCODING,
    header::UPGRADE,
];

/// How long clients get to read what was answered last.
const LAST_MOMENT: Duration = Duration::from_secs(1);

/// Forwards each request to the service that the routes name.
pub(crate) struct Ingress {
    routes: Routes,
    upstreams: HashMap<String, Authority>,
    client: Upstreams,
    tasks: TaskTracker,
}

impl Ingress {
    /// An ingress before these services, each at its address.
    pub(crate) fn new(
        routes: Routes,
        addresses: &HashMap<String, SocketAddr>,
    ) -> anyhow::Result<Self> {
        let upstream = |service: &str| {
            let address = addresses.get(service).with_context(|| {
                format!("a route leads to {service}, which is not of the fleet")
            })?;
            Ok((service.to_owned(), address.to_string().parse()?))
        };
        let upstreams = routes.services().map(upstream).collect::<anyhow::Result<_>>()?;
        Ok(Self { routes, upstreams, client: client(), tasks: TaskTracker::new() })
    }

    /// Answers requests from now on.
    pub(crate) fn serve(self, listener: TcpListener) -> Serving {
        // Small frames of an event stream go out at once; where that cannot be set they come late.
        let listener = listener.tap_io(|socket| drop(socket.set_nodelay(true)));
        let router = Router::new().fallback(forward).with_state(Arc::new(self));
        let router = router.into_make_service_with_connect_info::<SocketAddr>();
        let stop = CancellationToken::new();
        let serve =
            axum::serve(listener, router).with_graceful_shutdown(stop.clone().cancelled_owned());
        let mut server = JoinSet::new();
        server.spawn(serve.into_future());
        Serving { stop, server }
    }
}

/// An ingress that answers; it ends when this is dropped.
#[derive(Debug)]
pub(crate) struct Serving {
    stop: CancellationToken,
    server: JoinSet<io::Result<()>>,
}

impl Serving {
    /// Takes no more connections; what was begun goes on.
    pub(crate) fn close(&self) {
        self.stop.cancel();
    }

    /// Gives the last answers a moment to be read.
    pub(crate) async fn finish(mut self) {
        // Whoever has not read theirs by then is cut off.
        let _ = timeout(LAST_MOMENT, self.server.join_next()).await;
    }
}

async fn forward(
    State(ingress): State<Arc<Ingress>>,
    ConnectInfo(peer): ConnectInfo<SocketAddr>,
    mut request: Request,
) -> Response {
    let Some(service) = ingress.routes.service(request.uri().path()) else {
        return problem(StatusCode::NOT_FOUND, "Not found", "no service answers this path");
    };
    *request.uri_mut() = upstream_uri(&ingress.upstreams[service], request.uri());
    *request.version_mut() = Version::HTTP_11;
    drop_hop_by_hop(request.headers_mut());
    tell_origin(request.headers_mut(), peer);
    let broken = Broken::default();
    let request = request.map(|body| lingering(body, &ingress.tasks, &broken));
    match ingress.client.request(request).await {
        Ok(mut response) => {
            drop_hop_by_hop(response.headers_mut());
            response.map(Body::new)
        }
        Err(_) if broken.is_set() => {
            problem(StatusCode::BAD_REQUEST, "Malformed", "the body is broken or ended early")
        }
        Err(error) if error.is_connect() => {
            let detail = format_args!("{service} is away; it may be starting");
            problem(StatusCode::SERVICE_UNAVAILABLE, "Unavailable", detail)
        }
        Err(_) => {
            let detail = format_args!("{service} ended before it had answered");
            problem(StatusCode::BAD_GATEWAY, "Bad gateway", detail)
        }
    }
}

fn upstream_uri(upstream: &Authority, asked: &Uri) -> Uri {
    let mut parts = asked.clone().into_parts();
    parts.scheme = Some(Scheme::HTTP);
    parts.authority = Some(upstream.clone());
    parts.path_and_query.get_or_insert(PathAndQuery::from_static("/"));
    Uri::from_parts(parts).expect("scheme, authority and path are all there")
}

/// Drops what was meant for this connection alone, and what `Connection` names besides.
fn drop_hop_by_hop(headers: &mut HeaderMap) {
    let named: Vec<HeaderName> = headers
        .get_all(header::CONNECTION)
        .iter()
        .filter_map(|value| value.to_str().ok())
        .flat_map(|value| value.split(','))
        .filter_map(|name| name.trim().parse().ok())
        .collect();
    for name in HOP_BY_HOP.iter().chain(&named) {
        headers.remove(name);
    }
}

/// Tells the service who asked, and for which host.
fn tell_origin(headers: &mut HeaderMap, peer: SocketAddr) {
    const FOR: HeaderName = HeaderName::from_static("x-forwarded-for");
    const PROTO: HeaderName = HeaderName::from_static("x-forwarded-proto");
    const HOST: HeaderName = HeaderName::from_static("x-forwarded-host");

    let before = headers.get_all(FOR).iter().filter_map(|value| value.to_str().ok());
    let peer = peer.ip().to_canonical().to_string();
    let chain = before.chain([peer.as_str()]).collect::<Vec<_>>().join(", ");
    let chain = HeaderValue::from_str(&chain).expect("header text and an address");
    headers.insert(FOR, chain);
    headers.insert(PROTO, HeaderValue::from_static("http"));
    match headers.get(header::HOST).cloned() {
        Some(host) => headers.insert(HOST, host),
        None => headers.remove(HOST),
    };
}

/// A problem of the ingress itself (RFC 9457), of the same kinds as those of the services.
fn problem(status: StatusCode, title: &str, detail: impl Display) -> Response {
    let body = json!({
        "type": format!("urn:souk:problem:{}", title.to_lowercase().replace(' ', "-")),
        "title": title,
        "status": status.as_u16(),
        "detail": detail.to_string(),
    });
    let media_type = [(header::CONTENT_TYPE, "application/problem+json")];
    let mut response = (status, media_type, body.to_string()).into_response();
    if status.is_server_error() {
        response.headers_mut().insert(header::RETRY_AFTER, HeaderValue::from_static("1"));
    }
    response
}
