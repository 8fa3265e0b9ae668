//! Clients that hang up in the middle of a request, over real sockets.

use std::convert::Infallible;
use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use axum::extract::State;
use axum::response::Response;
use axum::routing::{get, post};
use common::config::ServiceConfig;
use common::http::{Feed, Follow, IdempotencyKey, Json, News, Problem, Wait};
use common::service::Running;
use common::store::{Answer, Cause, One, Receipt, Saved, Store, StoreError};
use common::{Change, Clock, Document, Service, Wakeups};
use contracts::UserId;
use contracts::auth::Role;
use futures_util::future::join_all;
use mongodb::bson::{self, doc};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use testkit::{Client, Peer, World, eventually};
use tokio::io::AsyncWriteExt as _;
use tokio::net::TcpStream;
use utoipa_axum::router::OpenApiRouter;

use crate::identity_signer::ALICE;
use crate::ready::make_ready;

/// What a request may take after others hung up; the old frame took 8 to 40 seconds.
const SOON: Duration = Duration::from_secs(5);
const LONG: Duration = Duration::from_mins(1);
/// As many as a pool and a half may have to be made; the old frame made one for each hang-up.
const CONNECTIONS: i64 = 60;

/// What is read and counted up.
#[derive(Clone, Debug, Serialize, Deserialize)]
struct Counter {
    #[serde(rename = "_id")]
    id: String,
    count: i64,
}

impl Document for Counter {
    const COLLECTION: &'static str = "counters";
    type Id = String;

    fn id(&self) -> String {
        self.id.clone()
    }
}

/// The endpoints, and how many requests reached them.
#[derive(Clone)]
struct Desk {
    store: Store,
    wakeups: Wakeups,
    begun: Arc<AtomicUsize>,
}

impl Desk {
    fn router() -> OpenApiRouter<Self> {
        OpenApiRouter::new()
            .route("/read", get(Self::read))
            .route("/search", get(Self::search))
            .route("/write", post(Self::write))
            .route("/poll", get(Self::poll))
            .route("/events", get(async |State(desk): State<Self>, follow| desk.follow(follow)))
    }

    async fn read(State(desk): State<Self>) -> Result<Json<Value>, Problem> {
        let counter = desk.store.get::<Counter>(&"one".to_owned()).await?;
        Ok(Json(json!({ "count": counter.map(|counter| counter.value.count) })))
    }

    async fn search(State(desk): State<Self>) -> Result<Json<Value>, Problem> {
        desk.begun.fetch_add(1, Ordering::SeqCst);
        let found = desk.store.find::<Counter>(slowly(), doc! {}, 10).await?;
        Ok(Json(json!({ "found": found.len() })))
    }

    async fn write(
        State(desk): State<Self>,
        cause: Cause,
        key: Option<IdempotencyKey>,
        Json(asked): Json<Value>,
    ) -> Result<Answer, Problem> {
        desk.begun.fetch_add(1, Ordering::SeqCst);
        let receipt = key.map_or_else(|| Receipt::none(cause), |key| key.by(ALICE, &asked));
        let count = |counter: Option<Counter>, _| {
            let count = counter.map_or(0, |counter| counter.count) + 1;
            Ok::<_, Infallible>(Change::to(Counter { id: "one".to_owned(), count }))
        };
        let said =
            |saved: &Saved<'_, Counter>| Answer::new(200, &json!({ "count": saved.value.count }));
        let counted = desk.store.update(One::<Counter>("one".to_owned()), receipt, count, said);
        counted.await.map_err(|_| Problem::unavailable(Duration::from_secs(1)))
    }

    async fn poll(State(desk): State<Self>, wait: Wait) -> Result<Json<Value>, Problem> {
        desk.begun.fetch_add(1, Ordering::SeqCst);
        let mut changes = desk.wakeups.watch("one");
        while let Some(pause) = wait.pause() {
            changes.changed(pause).await;
            desk.begun.fetch_add(1, Ordering::SeqCst);
            desk.store.find::<Counter>(slowly(), doc! {}, 10).await?;
        }
        Ok(Json(json!({})))
    }

    fn follow(self, follow: Follow) -> Response {
        self.begun.fetch_add(1, Ordering::SeqCst);
        let changes = self.wakeups.watch("one");
        follow.tell(vec![], changes, Counting(self))
    }
}

/// Takes so long that others wait for a connection.
fn slowly() -> bson::Document {
    doc! { "$where": "sleep(20) || true" }
}

struct Counting(Desk);

impl Feed for Counting {
    async fn news(&mut self) -> Result<Vec<News>, StoreError> {
        self.0.begun.fetch_add(1, Ordering::SeqCst);
        let counters = self.0.store.find::<Counter>(slowly(), doc! {}, 10).await?;
        Ok(vec![News::new(1, "counted", &counters.len())])
    }
}

/// A service with its own mongod, and what counts its connections.
struct Scene {
    running: Running,
    desk: Desk,
    mongo: mongodb::Client,
    peer: Peer,
    _world: World,
}

impl Scene {
    async fn start() -> Self {
        let world = World::start_alone().await;
        let config = ServiceConfig::for_tests(world.mongo_uri(), "desk", &world.nats().url());
        let service = Service::start("order", &config).await.unwrap();
        let (store, wakeups) = (service.store(), service.wakeups());
        store.collection_of::<Counter>().await.unwrap();
        let desk = Desk { store, wakeups, begun: Arc::default() };
        let service = service.serve(Desk::router(), desk.clone());
        let running = service.run_in_background().await.unwrap();
        make_ready(&world, &Client::at(format!("http://{}", running.ops))).await;
        let mongo = mongodb::Client::with_uri_str(world.mongo_uri()).await.unwrap();
        let peer = Peer::join(&world).await;
        let scene = Self { running, desk, mongo, peer, _world: world };
        assert_eq!(scene.post("first").await, 1);
        scene
    }

    fn client(&self) -> Client {
        Client::at(format!("http://{}", self.running.http))
    }

    /// Counts up and says how far.
    async fn post(&self, key: &str) -> i64 {
        let request = self.client().post("/write").json(&json!({})).header("idempotency-key", key);
        request.await.ok()["count"].as_i64().unwrap()
    }

    /// So many clients ask at once; when all of them came as far as they should, they hang up.
    async fn hang_up(&self, clients: usize, ask: fn(&Self, usize) -> Asked) {
        let before = self.desk.begun.load(Ordering::SeqCst);
        let asked: Vec<_> = (0..clients).map(|client| ask(self, client)).collect();
        let steps: usize = asked.iter().map(|asked| asked.steps).sum();
        let sent = asked.iter().map(|asked| sent(self.running.http, &asked.request));
        let sockets = join_all(sent).await;
        eventually("all requests began", LONG, async || {
            self.desk.wakeups.wake("one");
            (self.desk.begun.load(Ordering::SeqCst) >= before + steps).then_some(())
        })
        .await;
        drop(sockets);
    }

    fn search(_: &Self, _: usize) -> Asked {
        Asked { request: get_of("/search", ""), steps: 1 }
    }

    fn write(_: &Self, client: usize) -> Asked {
        let request = format!(
            "POST /write HTTP/1.1\r\nHost: a\r\nIdempotency-Key: key-{client}\r\n\
             Content-Type: application/json\r\nContent-Length: 2\r\n\r\n{{}}"
        );
        Asked { request, steps: 1 }
    }

    /// Comes as far as the first reading after it was woken.
    fn poll(&self, _: usize) -> Asked {
        Asked { request: get_of("/poll?wait=20s", &self.token()), steps: 2 }
    }

    /// The same.
    fn follow(&self, _: usize) -> Asked {
        Asked { request: get_of("/events", &self.token()), steps: 2 }
    }

    fn half_a_body(_: &Self, _: usize) -> Asked {
        let request = "POST /write HTTP/1.1\r\nHost: a\r\nContent-Type: application/json\r\n\
                       Content-Length: 99\r\n\r\n{\"half\": ";
        Asked { request: request.to_owned(), steps: 0 }
    }

    /// The token of a new person.
    fn token(&self) -> String {
        let person = UserId::from_uuid(Clock::system().uuid());
        self.peer.token(person, Role::Shopper)
    }

    /// How many connections the database ever accepted.
    async fn connections(&self) -> i64 {
        let status = self.mongo.database("admin").run_command(doc! { "serverStatus": 1 }).await;
        let created = status.unwrap().get_document("connections").unwrap().clone();
        let created = created.get("totalCreated").unwrap();
        created.as_i64().or_else(|| created.as_i32().map(i64::from)).unwrap()
    }

    /// How long it takes until the next read is answered.
    async fn next_read(&self) -> Duration {
        let began = Instant::now();
        eventually("a read is answered", LONG, async || {
            // Where all places are taken by what is finished for those who hung up, it comes again.
            self.client().get("/read").await.is_ok().then_some(())
        })
        .await;
        began.elapsed()
    }
}

/// A request, and how many steps of its endpoint it makes before its client hangs up.
struct Asked {
    request: String,
    steps: usize,
}

fn get_of(path: &str, token: &str) -> String {
    format!("GET {path} HTTP/1.1\r\nHost: a\r\nAuthorization: Bearer {token}\r\n\r\n")
}

async fn sent(at: SocketAddr, request: &str) -> TcpStream {
    let mut socket = TcpStream::connect(at).await.unwrap();
    socket.write_all(request.as_bytes()).await.unwrap();
    socket
}

#[tokio::test(flavor = "multi_thread")]
async fn read_is_answered_after_clients_hang_up() {
    let scene = Scene::start().await;
    let before = scene.connections().await;

    for clients in [128, 512] {
        for ask in [Scene::search, Scene::write, Scene::poll, Scene::follow, Scene::half_a_body] {
            scene.hang_up(clients, ask).await;

            let took = scene.next_read().await;
            assert!(took < SOON, "{clients} hung up: {took:?}");
        }
    }

    let made = scene.connections().await - before;
    assert!(made < CONNECTIONS, "{made} connections were made");
}

#[tokio::test(flavor = "multi_thread")]
async fn write_of_client_that_hangs_up_is_done_once() {
    let scene = Scene::start().await;

    scene.hang_up(32, Scene::write).await;

    eventually("all are counted", LONG, async || {
        (scene.client().get("/read").await.ok()["count"] == 33).then_some(())
    })
    .await;
    assert_eq!(scene.post("key-7").await, scene.post("key-7").await);
    assert_eq!(scene.client().get("/read").await.ok()["count"], 33, "they repeat nothing");
}

#[tokio::test(flavor = "multi_thread")]
async fn stop_waits_for_writes_whose_clients_hung_up() {
    let scene = Scene::start().await;

    scene.hang_up(32, Scene::write).await;
    scene.running.stop().await.unwrap();

    let counters = scene.mongo.database("desk").collection::<Counter>("counters");
    let counter = counters.find_one(doc! { "_id": "one" }).await.unwrap().unwrap();
    assert_eq!(counter.count, 33);
}
