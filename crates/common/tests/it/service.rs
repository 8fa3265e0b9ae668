//! The life of a service, with real servers.

use std::convert::Infallible;
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};
use std::task::{Context, Poll};
use std::time::{Duration, Instant};

use axum::body::Body;
use axum::extract::State;
use axum::routing::get;
use bytes::Bytes;
use common::Service;
use common::config::ServiceConfig;
use common::service::{RunError, Running};
use futures_util::stream;
use testkit::{Client, World, eventually, ports};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;
use tokio::sync::Semaphore;
use tokio::time::timeout;
use utoipa_axum::router::OpenApiRouter;

use crate::ready::make_ready;

const SOON: Duration = Duration::from_secs(10);

/// An endpoint that answers when it is let.
#[derive(Clone, Debug)]
struct Door {
    knocks: Arc<AtomicU32>,
    open: Arc<Semaphore>,
}

impl Door {
    fn closed() -> Self {
        Self { knocks: Arc::default(), open: Arc::new(Semaphore::new(0)) }
    }

    fn router() -> OpenApiRouter<Self> {
        OpenApiRouter::new()
            .route("/door", get(Self::knock))
            .route("/hello", get(async || "hello"))
            .route("/collapse", get(async || Body::from_stream(stream::poll_fn(collapse))))
    }

    async fn knock(State(door): State<Self>) -> &'static str {
        door.knocks.fetch_add(1, Ordering::SeqCst);
        let opened = door.open.acquire().await;
        if opened.is_ok() { "come in" } else { "nobody is at home" }
    }

    /// Waits until so many stand before it.
    async fn knocked(&self, times: u32) {
        eventually("knocks at the door", SOON, async || {
            (self.knocks.load(Ordering::SeqCst) == times).then_some(())
        })
        .await;
    }
}

fn collapse(_: &mut Context<'_>) -> Poll<Option<Result<Bytes, Infallible>>> {
    panic!("on purpose")
}

fn config(world: &World) -> ServiceConfig {
    ServiceConfig::for_tests(world.mongo_uri(), &world.database("shelf"), &world.nats().url())
}

fn ops(running: &Running) -> Client {
    Client::at(format!("http://{}", running.ops))
}

fn http(running: &Running) -> Client {
    Client::at(format!("http://{}", running.http))
}

async fn started(config: &ServiceConfig, door: &Door) -> Running {
    let service = Service::start("shelf", config).await.unwrap();
    service.serve(Door::router(), door.clone()).run_in_background().await.unwrap()
}

#[tokio::test]
async fn a_service_that_is_first_waits_for_the_others() {
    let world = World::start_alone().await;
    let mongod = world.mongod().unwrap();
    tokio::join!(mongod.stop(), world.nats().stop());
    let port = ports::free();
    let ops = Client::at(format!("http://127.0.0.1:{port}"));
    let config = ServiceConfig { ops: ([127, 0, 0, 1], port).into(), ..config(&world) };
    let door = Door::closed();

    let others_come = async {
        eventually("the operations port is open", SOON, async || {
            ops.get("/live").send().await.ok().filter(testkit::Answer::is_ok)
        })
        .await;
        let _ = ops.get("/ready").await.status(503);
        let _ = ops.get("/health").await.status(503);
        let _ = ops.get("/metrics").await.ok();
        let (mongo, nats) = tokio::join!(mongod.restart(), world.nats().restart());
        mongo.unwrap();
        nats.unwrap();
    };
    let (running, ()) = tokio::join!(started(&config, &door), others_come);

    make_ready(&world, &ops).await;
    let _ = ops.get("/health").await.ok();
    let _ = http(&running).get("/hello").await.ok();
    running.stop().await.unwrap();
}

#[tokio::test]
async fn a_stop_finishes_what_was_begun_and_takes_nothing_new() {
    let (world, door) = (World::start().await, Door::closed());
    let running = started(&config(&world), &door).await;
    let (ops, http) = (ops(&running), http(&running));
    make_ready(&world, &ops).await;

    let asked = async { http.get("/door").await };
    let stopped = async {
        door.knocked(1).await;
        let let_in = async {
            eventually("it says that it stops", SOON, async || {
                (ops.get("/ready").await.status == 503).then_some(())
            })
            .await;
            eventually("it takes nothing new", SOON, async || {
                http.get("/hello").send().await.err()
            })
            .await;
            let _ = ops.get("/live").await.ok();
            door.open.add_permits(1);
        };
        tokio::join!(running.stop(), let_in).0
    };
    let (answer, stopped) = tokio::join!(asked, stopped);

    assert_eq!(answer.ok().text, "come in");
    stopped.unwrap();
}

#[tokio::test]
async fn a_stop_cuts_off_what_takes_longer_than_the_grace() {
    let (world, door) = (World::start().await, Door::closed());
    let grace = Duration::from_millis(50);
    let running = started(&ServiceConfig { grace, ..config(&world) }, &door).await;
    let http = http(&running);

    let stopped = async {
        door.knocked(1).await;
        running.stop().await
    };
    let (answer, stopped) = tokio::join!(http.get("/door").send(), stopped);

    assert!(answer.is_err());
    assert!(matches!(stopped, Err(RunError::Late)), "{stopped:?}");
}

#[tokio::test]
async fn a_task_that_panics_is_no_stop_in_good_order() {
    let (world, door) = (World::start().await, Door::closed());
    let service = Service::start("shelf", &config(&world)).await.unwrap();
    service.spawn("tidy up", async { panic!("on purpose") });
    let running = service.serve(Door::router(), door).run_in_background().await.unwrap();

    running.broken().await;

    let stopped = running.stop().await;
    assert!(matches!(stopped, Err(RunError::Failed { task: "tidy up" })), "{stopped:?}");
}

#[tokio::test]
async fn a_stream_that_panics_takes_nobody_along() {
    let (world, door) = (World::start().await, Door::closed());
    let running = started(&config(&world), &door).await;

    assert!(http(&running).get("/collapse").send().await.is_err());

    let _ = http(&running).get("/hello").await.ok();
    running.stop().await.unwrap();
}

#[tokio::test]
async fn an_idle_connection_does_not_hold_up_a_stop() {
    let (world, door) = (World::start().await, Door::closed());
    let running = started(&config(&world), &door).await;
    let _silent = TcpStream::connect(running.http).await.unwrap();
    let http = http(&running);
    let _ = http.get("/hello").await.ok();

    let began = Instant::now();
    running.stop().await.unwrap();

    assert!(began.elapsed() < Duration::from_secs(5), "{:?}", began.elapsed());
}

#[tokio::test]
async fn ready_does_not_look_at_what_it_depends_on_but_health_does() {
    let (world, door) = (World::start().await, Door::closed());
    let running = started(&config(&world), &door).await;
    let ops = ops(&running);
    make_ready(&world, &ops).await;
    let well = ops.get("/health").await.ok();
    assert_eq!((&well["mongodb"], &well["nats"]), (&true.into(), &true.into()), "{}", well.text);

    world.nats().stop().await;

    eventually("it is not well", SOON, async || {
        let health = ops.get("/health").await;
        (health.status == 503 && health["nats"] == false && health["mongodb"] == true).then_some(())
    })
    .await;
    let _ = ops.get("/ready").await.ok();
    let _ = http(&running).get("/hello").await.ok();
}

#[tokio::test]
async fn two_replicas_live_in_one_process() {
    let (world, door) = (World::start().await, Door::closed());
    let config = config(&world);

    let (one, other) = tokio::join!(started(&config, &door), started(&config, &door));

    let _ = http(&one).get("/hello").await.ok();
    one.stop().await.unwrap();
    let _ = http(&other).get("/hello").await.ok();
    let metrics = ops(&other).get("/metrics").await.ok();
    assert!(metrics.text.contains("souk_http_request_duration_seconds"), "{}", metrics.text);
    other.stop().await.unwrap();
}

#[tokio::test]
async fn metrics_show_how_full_streams_are() {
    let (world, door) = (World::start().await, Door::closed());
    let running = started(&config(&world), &door).await;
    make_ready(&world, &ops(&running)).await;

    // The keys are in it, once a round of measurements saw them.
    eventually("the streams were measured", Duration::from_secs(30), async || {
        let metrics = ops(&running).get("/metrics").await.ok();
        let mut lines = metrics.text.lines();
        let of_auth = |line: &&str| line.contains("stream=\"AUTH_STATE\"");
        let line = lines.find(|line| line.starts_with("souk_stream_bytes{") && of_auth(line))?;
        let bytes: f64 = line.rsplit(' ').next()?.parse().ok()?;
        (bytes > 0.0).then_some(())
    })
    .await;
    running.stop().await.unwrap();
}

#[tokio::test]
async fn a_wiped_database_begins_a_new_generation() {
    let world = World::start().await;
    let config = config(&world);
    let generation = async || Service::start("shelf", &config).await.unwrap();

    let first = generation().await;
    let second = generation().await;
    first.store().database().drop().await.unwrap();
    let third = generation().await;

    assert_eq!(first.generation(), second.generation());
    assert_ne!(first.generation(), third.generation());
}

#[tokio::test]
async fn who_does_not_send_headers_is_not_waited_for() {
    let (world, door) = (World::start().await, Door::closed());
    let keep_alive = Duration::from_millis(100);
    let running = started(&ServiceConfig { keep_alive, ..config(&world) }, &door).await;
    let mut slow = TcpStream::connect(running.http).await.unwrap();

    slow.write_all(b"GET /hello HTTP/1.1\r\n").await.unwrap();

    let mut answer = String::new();
    timeout(SOON, slow.read_to_string(&mut answer)).await.unwrap().unwrap();
    assert!(!answer.contains("hello"), "{answer}");
}

#[tokio::test]
async fn headers_have_a_bound() {
    let (world, door) = (World::start().await, Door::closed());
    let running = started(&config(&world), &door).await;

    for length in [20 * 1024, 40 * 1024] {
        let answer = http(&running).get("/hello").header("x-long", &"x".repeat(length)).await;

        assert_eq!(answer.status, 431, "{length}");
    }
}
