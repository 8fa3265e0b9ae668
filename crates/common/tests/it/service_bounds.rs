//! Clients that send or read too slowly, in crowds, over real sockets.

use std::net::SocketAddr;
use std::time::{Duration, Instant};

use axum::body::Bytes;
use axum::routing::{get, post};
use common::Service;
use common::config::ServiceConfig;
use common::http::body_up_to;
use common::service::Running;
use futures_util::future::join_all;
use testkit::{Client, World, eventually};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;
use tokio::time::timeout;
use utoipa_axum::router::OpenApiRouter;

/// What an honest request may take while others stall.
const SOON: Duration = Duration::from_secs(10);
const LONG: Duration = Duration::from_mins(1);
const LARGE: usize = 256 * 1024;
/// Bytes that a crowd may add to the process: the budget, the buffers of its connections and those
/// of the test's own clients. Without a bound it was four times as much and more.
const MEMORY: usize = 64 * 1024 * 1024;

/// A service whose client timeouts are short, and what a test asks it.
struct Scene {
    running: Running,
    _world: World,
}

impl Scene {
    async fn start(change: impl FnOnce(ServiceConfig) -> ServiceConfig) -> Self {
        let world = World::start().await;
        let database = world.database("bounds");
        let config = ServiceConfig::for_tests(world.mongo_uri(), &database, &world.nats().url());
        let router = OpenApiRouter::new()
            .route("/hello", get(async || "hello"))
            .route("/large", get(async || "x".repeat(LARGE)))
            .route("/small", post(size))
            .route("/notices", post(size).layer(body_up_to(LARGE)));
        let service = Service::start("order", &change(config)).await.unwrap();
        let running = service.serve(router, ()).run_in_background().await.unwrap();
        Self { running, _world: world }
    }

    fn client(&self) -> Client {
        Client::at(format!("http://{}", self.running.http))
    }

    /// So many connections on which this is sent, as far as the service takes it.
    async fn crowd(&self, clients: usize, request: &[u8]) -> Vec<TcpStream> {
        join_all((0..clients).map(|_| sent(self.running.http, request))).await
    }

    /// How many connections the service holds open.
    fn open_connections(&self) -> usize {
        let local = format!(":{:04X}", self.running.http.port());
        let table = std::fs::read_to_string("/proc/self/net/tcp").unwrap();
        let established = |line: &&str| {
            let mut fields = line.split_whitespace().skip(1);
            let own = fields.next().is_some_and(|address| address.ends_with(&local));
            own && fields.nth(1) == Some("01")
        };
        table.lines().filter(established).count()
    }

    /// An honest request is answered as if the others were not there.
    async fn serves(&self) {
        let began = Instant::now();
        assert_eq!(self.client().get("/hello").await.ok().text, "hello");
        let posted = self.client().post("/small").body("12345").await.ok();
        assert_eq!(posted.text, "5");
        let took = began.elapsed();
        assert!(took < SOON, "{took:?}");
    }
}

async fn size(body: Bytes) -> String {
    body.len().to_string()
}

/// A connection on which this is sent; one that the service does not take in time keeps the rest.
async fn sent(at: SocketAddr, request: &[u8]) -> TcpStream {
    let mut socket = TcpStream::connect(at).await.unwrap();
    let _ = timeout(Duration::from_secs(1), socket.write_all(request)).await;
    socket
}

/// A request with a body of `length` bytes, of which `bytes` are sent.
fn post_of(path: &str, length: usize, bytes: usize) -> Vec<u8> {
    let head = format!("POST {path} HTTP/1.1\r\nHost: a\r\nContent-Length: {length}\r\n\r\n");
    [head.as_bytes(), &vec![b'x'; bytes]].concat()
}

/// The memory of this process that is in use, in bytes.
fn resident() -> usize {
    let status = std::fs::read_to_string("/proc/self/status").unwrap();
    let line = status.lines().find(|line| line.starts_with("VmRSS:")).unwrap();
    let kib: usize = line.split_whitespace().nth(1).unwrap().parse().unwrap();
    kib * 1024
}

/// Waits until the service closed all of these, reading what it still sends.
async fn closed(sockets: Vec<TcpStream>) {
    let reading = sockets.into_iter().map(async |mut socket| {
        let _ = tokio::io::copy(&mut socket, &mut tokio::io::sink()).await;
    });
    timeout(LONG, join_all(reading)).await.expect("connections stay open");
}

/// Reads the status of the answer on a connection.
async fn status(socket: &mut TcpStream) -> String {
    let mut head = [0; 12];
    timeout(LONG, socket.read_exact(&mut head)).await.expect("no answer").unwrap();
    String::from_utf8_lossy(&head[9..]).into_owned()
}

#[tokio::test(flavor = "multi_thread")]
async fn stalled_large_bodies_leave_memory_for_others() {
    let scene = Scene::start(|config| config).await;
    let before = resident();

    let stalled = scene.crowd(512, &post_of("/notices", LARGE, LARGE - 1024)).await;

    let grown = resident().saturating_sub(before);
    assert!(grown < MEMORY, "{} MiB", grown >> 20);
    scene.serves().await;
    closed(stalled).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn trickling_bodies_hold_no_places() {
    let scene = Scene::start(|config| ServiceConfig { max_requests: 64, ..config }).await;

    let mut trickling = scene.crowd(600, &post_of("/small", 10_000, 10)).await;

    scene.serves().await;
    join_all(trickling.iter_mut().map(|socket| socket.write_all(b"x"))).await;
    scene.serves().await;
    assert_eq!(status(&mut trickling[0]).await, "408");
    closed(trickling).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn clients_that_do_not_read_leave_memory_for_others() {
    let (stall_timeout, keep_alive) = (Duration::from_secs(3), Duration::from_secs(3));
    let short = |config| ServiceConfig { stall_timeout, keep_alive, ..config };
    let scene = Scene::start(short).await;
    let before = resident();

    let deaf = scene.crowd(400, b"GET /large HTTP/1.1\r\nHost: a\r\n\r\n").await;

    scene.serves().await;
    eventually("a large answer has room", LONG, async || {
        let answer = scene.client().get("/large").await;
        (answer.text.len() == LARGE).then_some(())
    })
    .await;
    let grown = resident().saturating_sub(before);
    assert!(grown < MEMORY, "{} MiB", grown >> 20);
    eventually("all of them are closed", LONG, async || {
        (scene.open_connections() < 20).then_some(())
    })
    .await;
    drop(deaf);
}

#[tokio::test(flavor = "multi_thread")]
async fn idle_connections_make_room_for_new_ones() {
    let scene = Scene::start(|config| ServiceConfig { max_connections: 32, ..config }).await;

    let idle = scene.crowd(200, b"").await;

    scene.serves().await;
    drop(idle);
}

#[tokio::test(flavor = "multi_thread")]
async fn slow_reader_gets_its_whole_answer() {
    let stall_timeout = Duration::from_secs(5);
    let scene = Scene::start(|config| ServiceConfig { stall_timeout, ..config }).await;
    let mut slow = sent(scene.running.http, b"GET /large HTTP/1.1\r\nHost: a\r\n\r\n").await;

    let (mut read, mut part) = (0, vec![0; 16 * 1024]);
    while read < LARGE {
        tokio::task::yield_now().await;
        read += timeout(SOON, slow.read(&mut part)).await.unwrap().unwrap();
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn large_heads_leave_memory_for_others() {
    let scene = Scene::start(|config| config).await;
    let padding = format!("X-Padding: {}\r\n", "x".repeat(14 * 1024));
    let unfinished = format!("GET /hello HTTP/1.1\r\nHost: a\r\n{padding}");
    let stalled = format!("POST /small HTTP/1.1\r\nHost: a\r\nContent-Length: 9\r\n{padding}\r\nx");

    for request in [unfinished, stalled] {
        let crowd = scene.crowd(1_000, request.as_bytes()).await;
        // Their heads have 12 MiB beyond what is free, three times what there is for all. Those that
        // are slow are given up after 3 s and more.
        eventually("most of them were given up", Duration::from_secs(2), async || {
            (scene.open_connections() < 500).then_some(())
        })
        .await;
        scene.serves().await;
        drop(crowd);
    }
}
