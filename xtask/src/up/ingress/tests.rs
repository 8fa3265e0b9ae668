//! The ingress before a small upstream, which stands for every service.

use std::convert::Infallible;
use std::future::pending;
use std::sync::Mutex;

use axum::Json;
use axum::body::Bytes;
use axum::http::Method;
use axum::response::AppendHeaders;
use axum::routing::{any, get, post};
use futures_util::{FutureExt as _, StreamExt as _, stream};
use serde_json::Value;
use testkit::Client as Shopper;
use testkit::fleet::Service;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;
use tokio::sync::oneshot;

use super::*;
use crate::up::{MANIFEST, place};

const SOON: Duration = Duration::from_secs(10);

async fn soon<T>(what: impl Future<Output = T>) -> T {
    timeout(SOON, what).await.expect("not soon enough")
}

async fn anywhere() -> (TcpListener, SocketAddr) {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    (listener, address)
}

/// An ingress that takes one address for that of every service; and its own.
async fn before(upstream: SocketAddr) -> (Serving, String) {
    let addresses = Service::ALL.map(|service| (service.name().to_owned(), upstream)).into();
    let routes = Routes::read(&place(MANIFEST)).unwrap();
    let (listener, address) = anywhere().await;
    let ingress = Ingress::new(routes, &addresses).unwrap();
    (ingress.serve(listener), format!("http://{address}"))
}

fn serve(listener: TcpListener, router: Router) -> JoinSet<io::Result<()>> {
    let mut server = JoinSet::new();
    server.spawn(axum::serve(listener, router).into_future());
    server
}

/// An ingress before this upstream; both end when they are dropped.
async fn ingress(router: Router) -> ((Serving, JoinSet<io::Result<()>>), String) {
    let (listener, upstream) = anywhere().await;
    let upstream_server = serve(listener, router);
    let (serving, base) = before(upstream).await;
    ((serving, upstream_server), base)
}

/// Something for a handler that is asked once.
type Once<T> = Arc<Mutex<Option<T>>>;

fn once<T>(thing: T) -> Once<T> {
    Arc::new(Mutex::new(Some(thing)))
}

fn take<T>(once: &Once<T>) -> T {
    once.lock().unwrap().take().unwrap()
}

/// Answers with what arrived.
async fn mirror(method: Method, uri: Uri, headers: HeaderMap, body: Bytes) -> Json<Value> {
    let text = |value: &HeaderValue| value.to_str().unwrap().to_owned();
    let headers: HashMap<_, _> =
        headers.iter().map(|(name, value)| (name.to_string(), text(value))).collect();
    Json(json!({
        "method": method.as_str(),
        "uri": uri.to_string(),
        "headers": headers,
        "body": String::from_utf8_lossy(&body),
    }))
}

#[tokio::test]
async fn a_request_arrives_as_it_was_sent() {
    let (_running, base) = ingress(Router::new().fallback(mirror)).await;

    let path = "/api/cart/items/TEA%2F1?quantity=2&x=%20y";
    let arrived = Shopper::at(base).put(path).body("hello").header("if-match", "\"7\"").await.ok();

    assert_eq!(arrived["method"], "PUT");
    assert_eq!(arrived["uri"], path);
    assert_eq!(arrived["body"], "hello");
    assert_eq!(arrived["headers"]["if-match"], "\"7\"");
}

#[tokio::test]
async fn the_service_is_told_who_asked_and_for_which_host() {
    let (_running, base) = ingress(Router::new().fallback(mirror)).await;

    let request = Shopper::at(&base).get("/api/cart").header("x-forwarded-for", "203.0.113.7");
    let request = request.header("x-forwarded-proto", "gopher").header("x-forwarded-host", "evil");
    let arrived = request.await.ok();

    let host = base.strip_prefix("http://").unwrap();
    assert_eq!(arrived["headers"]["x-forwarded-for"], "203.0.113.7, 127.0.0.1");
    assert_eq!(arrived["headers"]["x-forwarded-proto"], "http");
    assert_eq!(arrived["headers"]["x-forwarded-host"], host);
    assert_eq!(arrived["headers"]["host"], host);
}

#[tokio::test]
async fn what_concerns_one_connection_stays_there() {
    let answer = AppendHeaders([
        ("connection", "x-private"),
        ("x-private", "1"),
        ("keep-alive", "timeout=5"),
        ("x-public", "2"),
    ]);
    let router = Router::new().route("/api/orders", get(async move || answer)).fallback(mirror);
    let (_running, base) = ingress(router).await;
    let shopper = Shopper::at(base);

    let request = shopper.get("/api/cart").header("connection", "X-Private, keep-alive");
    let request = request.header("x-private", "1").header("te", "trailers").header("x-public", "2");
    let arrived = request.await.ok();
    let answered = shopper.get("/api/orders").await.ok();

    for dropped in ["connection", "x-private", "te", "keep-alive"] {
        assert_eq!(arrived["headers"][dropped], Value::Null, "{dropped}");
        assert_eq!(answered.header(dropped), None, "{dropped}");
    }
    assert_eq!(arrived["headers"]["x-public"], "2");
    assert_eq!(answered.header("x-public"), Some("2"));
}

#[tokio::test]
async fn a_path_of_nobody_is_a_problem() {
    let (_running, base) = ingress(Router::new().fallback(mirror)).await;

    let answer = Shopper::at(base).get("/api/carts").await.status(404);

    assert_eq!(answer.header("content-type"), Some("application/problem+json"));
    assert_eq!(answer["type"], "urn:souk:problem:not-found");
    assert_eq!(answer["status"], 404);
}

#[tokio::test]
async fn a_service_that_is_away_is_a_problem_until_it_is_back() {
    let (listener, upstream) = anywhere().await;
    drop(listener);
    let (_serving, base) = before(upstream).await;
    let shopper = Shopper::at(base);

    let answer = shopper.get("/api/cart").await.status(503);
    let listener = TcpListener::bind(upstream).await.unwrap();
    let _upstream = serve(listener, Router::new().fallback(mirror));
    let again = shopper.get("/api/cart").await;

    assert_eq!(answer.header("content-type"), Some("application/problem+json"));
    assert_eq!(answer.header("retry-after"), Some("1"));
    assert_eq!(answer["type"], "urn:souk:problem:unavailable");
    assert_eq!(again.status, 200);
}

#[tokio::test]
async fn a_service_that_ends_before_it_answers_is_a_bad_gateway() {
    let (listener, upstream) = anywhere().await;
    let mut dying = JoinSet::new();
    dying.spawn(async move {
        let (mut socket, _) = listener.accept().await.unwrap();
        assert_ne!(socket.read(&mut [0; 1024]).await.unwrap(), 0);
    });
    let (_serving, base) = before(upstream).await;

    let answer = Shopper::at(base).post("/api/payments").await.status(502);

    assert_eq!(answer.header("retry-after"), Some("1"));
    assert_eq!(answer["type"], "urn:souk:problem:bad-gateway");
}

#[tokio::test]
async fn a_body_arrives_while_it_is_still_being_sent() {
    let (heard, first) = oneshot::channel();
    let heard = once(heard);
    let listen = move |body: Body| {
        let heard = take(&heard);
        async move {
            let mut body = body.into_data_stream();
            heard.send(body.next().await.unwrap().unwrap()).unwrap();
            body.next().await.unwrap().unwrap()
        }
    };
    let (_running, base) = ingress(Router::new().route("/api/products/import", post(listen))).await;

    let (more, rest) = oneshot::channel::<Bytes>();
    let body = stream::once(async { Ok(Bytes::from("one")) }).chain(rest.into_stream());
    let request = Request::post(format!("{base}/api/products/import"));
    let answer = client().request(request.body(Body::from_stream(body)).unwrap());
    let told = async {
        assert_eq!(soon(first).await.unwrap(), "one");
        more.send(Bytes::from("two")).unwrap();
    };
    let (answer, ()) = tokio::join!(soon(answer), told);

    let answer = answer.unwrap().into_body();
    assert_eq!(axum::body::to_bytes(Body::new(answer), 10).await.unwrap(), "two");
}

/// Sends one event, and ends never; says when nobody listens any longer.
fn event_stream(left: oneshot::Sender<()>) -> Response {
    struct Left(Option<oneshot::Sender<()>>);

    impl Drop for Left {
        fn drop(&mut self) {
            // Nobody waits for it in a test that ended.
            let _ = self.0.take().map(|left| left.send(()));
        }
    }

    let left = Left(Some(left));
    let event = stream::once(async { Ok::<_, Infallible>("data: placed\n\n") });
    let never = stream::once(async move {
        let _left = left;
        pending().await
    });
    Body::from_stream(event.chain(never)).into_response()
}

#[tokio::test]
async fn an_event_arrives_at_once_and_who_leaves_is_seen_to_leave() {
    let (left, has_left) = oneshot::channel();
    let left = once(left);
    let events = move || std::future::ready(event_stream(take(&left)));
    let (_running, base) = ingress(Router::new().route("/api/orders/1/events", any(events))).await;

    let request = Request::get(format!("{base}/api/orders/1/events")).body(Body::empty()).unwrap();
    let answer = soon(client().request(request)).await.unwrap();
    let mut body = Body::new(answer.into_body()).into_data_stream();
    let event = soon(body.next()).await.unwrap().unwrap();
    drop(body);

    assert_eq!(event, "data: placed\n\n");
    soon(has_left).await.unwrap();
}

#[tokio::test]
async fn a_refusal_arrives_although_the_body_was_not_read() {
    let refuse = async || StatusCode::PAYLOAD_TOO_LARGE;
    let (_running, base) = ingress(Router::new().route("/api/products", post(refuse))).await;

    for size in [300 << 10, 8 << 20] {
        let answer = Shopper::at(&base).post("/api/products").body(vec![b'x'; size]).await;

        assert_eq!(answer.status, 413, "{size} bytes");
    }
}

/// Sends bytes as they are, and no more after them; gives all that is answered.
async fn raw(base: &str, request: String) -> String {
    let mut socket = TcpStream::connect(base.strip_prefix("http://").unwrap()).await.unwrap();
    socket.write_all(request.as_bytes()).await.unwrap();
    socket.shutdown().await.unwrap();
    let mut answer = String::new();
    soon(socket.read_to_string(&mut answer)).await.unwrap();
    answer
}

#[tokio::test]
async fn a_broken_body_is_malformed() {
    let (_running, base) = ingress(Router::new().fallback(mirror)).await;

    for (framing, body) in [
        ("transfer-encoding: chunked", "zz\r\n{}\r\n0\r\n\r\n"),
        ("transfer-encoding: chunked", "2\r\n{}x\r\n0\r\n\r\n"),
        ("transfer-encoding: chunked", "-1\r\n{}\r\n0\r\n\r\n"),
        ("transfer-encoding: chunked", "ffffffffffffffffff\r\n{}\r\n0\r\n\r\n"),
        ("transfer-encoding: chunked", "2\r\n{}\r\n"),
        ("content-length: 5", "{}"),
    ] {
        let head = "POST /api/payments HTTP/1.1\r\nhost: a\r\ncontent-type: application/json\r\n";
        let answer = raw(&base, format!("{head}{framing}\r\n\r\n{body}")).await;

        assert!(answer.starts_with("HTTP/1.1 400 "), "{framing} {body:?}: {answer}");
        assert!(answer.contains("urn:souk:problem:malformed"), "{framing} {body:?}: {answer}");
    }
    assert_eq!(Shopper::at(base).post("/api/payments").body("{}").await.status, 200);
}

#[tokio::test]
async fn a_closed_ingress_takes_no_more_connections_and_finishes_what_was_begun() {
    let (go, gone) = oneshot::channel::<()>();
    let (begun, has_begun) = oneshot::channel();
    let signals = once((begun, gone));
    let slow = move || {
        let (begun, gone) = take(&signals);
        async move {
            begun.send(()).unwrap();
            gone.await.unwrap();
            "done"
        }
    };
    let ((serving, _upstream), base) = ingress(Router::new().route("/api/cart", get(slow))).await;

    let shopper = Shopper::at(&base);
    let answer = shopper.get("/api/cart");
    let closing = async {
        soon(has_begun).await.unwrap();
        serving.close();
        testkit::eventually("no more connections", SOON, async || {
            let address = base.strip_prefix("http://").unwrap();
            TcpStream::connect(address).await.err()
        })
        .await;
        go.send(()).unwrap();
    };
    let (answer, ()) = tokio::join!(answer.into_future(), closing);

    assert_eq!(answer.text, "done");
    soon(serving.finish()).await;
}
