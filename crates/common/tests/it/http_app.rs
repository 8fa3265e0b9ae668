//! A small app behind the layers of every service.

use std::sync::Arc;

use axum::Router;
use axum::body::{Body, to_bytes};
use axum::extract::State;
use axum::http::request::Builder;
use axum::http::{HeaderMap, Method, Request, StatusCode};
use axum::routing::{get, post};
use common::Clock;
use common::http::{
    Cardless, Follow, Gate, IdempotencyKey, Json, Limits, Listed, Page, Path, Patience, Problem,
    Query, RequiredIfMatch, Tagged, Wait, Worded, body_up_to, layers,
};
use common::identity::{Admin, Identity, Shopper, Staff};
use common::store::{Answer, Cause, ETag, IfMatch};
use contracts::auth::Role;
use contracts::{OrderId, Quantity, Sku, Timestamp};
use serde::Deserialize;
use serde_json::{Value, json};
use tokio::sync::Semaphore;
use tokio_util::sync::CancellationToken;
use tower::ServiceExt as _;

use crate::identity_signer::{Signer, claims, keys};

/// What the body of `/large` may have.
pub(crate) const LARGE: usize = 64 * 1024;

/// The app and what its tests turn.
pub(crate) struct App {
    router: Router,
    pub(crate) clock: Clock,
    pub(crate) gate: Gate,
    pub(crate) identity: Identity,
    pub(crate) stopping: CancellationToken,
    pub(crate) slow: Slow,
}

/// An endpoint that goes on when it may.
#[derive(Clone)]
pub(crate) struct Slow {
    pub(crate) begun: Arc<Semaphore>,
    pub(crate) go_on: Arc<Semaphore>,
    pub(crate) done: Arc<Semaphore>,
}

impl Slow {
    fn new() -> Self {
        let [begun, go_on, done] = [(); 3].map(|()| Arc::new(Semaphore::new(0)));
        Self { begun, go_on, done }
    }
}

/// An answer, read to its end.
#[derive(Debug)]
pub(crate) struct Heard {
    pub(crate) status: StatusCode,
    pub(crate) headers: HeaderMap,
    pub(crate) text: String,
}

impl App {
    pub(crate) fn new() -> Self {
        Self::with(Limits::default())
    }

    pub(crate) fn with(limits: Limits) -> Self {
        Self::open_to(limits, &[])
    }

    /// Its identity never heard of any key.
    pub(crate) fn without_keys() -> Self {
        let clock = Clock::manual(noon());
        Self::build(clock.clone(), Identity::new(clock), Limits::default(), &[])
    }

    pub(crate) fn open_to(limits: Limits, origins: &[&'static str]) -> Self {
        let clock = Clock::manual(noon());
        let identity = Identity::new(clock.clone());
        identity.install(&keys(vec![signer().told(noon(), None)]), 1);
        Self::build(clock, identity, limits, origins)
    }

    fn build(clock: Clock, identity: Identity, limits: Limits, origins: &[&'static str]) -> Self {
        let stopping = CancellationToken::new();
        let origins = origins.iter().map(|origin| origin.parse().unwrap()).collect();
        let gate = Gate::new(clock.clone(), identity.clone(), limits, stopping.clone());
        let gate = gate.open_to(origins);
        let slow = Slow::new();
        let router = layers(routes(slow.clone()), &gate);
        Self { router, clock, gate, identity, stopping, slow }
    }

    pub(crate) async fn send(&self, request: Request<Body>) -> Heard {
        let response = self.router.clone().oneshot(request).await.unwrap();
        let (head, body) = response.into_parts();
        let bytes = to_bytes(body, usize::MAX).await.unwrap();
        let text = String::from_utf8(bytes.to_vec()).unwrap();
        Heard { status: head.status, headers: head.headers, text }
    }

    pub(crate) async fn get(&self, path: &str) -> Heard {
        self.send(ask(Method::GET, path).body(Body::empty()).unwrap()).await
    }

    pub(crate) async fn get_as(&self, role: Role, path: &str) -> Heard {
        let request = ask(Method::GET, path).header("authorization", token(role, noon()));
        self.send(request.body(Body::empty()).unwrap()).await
    }

    pub(crate) async fn post(&self, path: &str, body: impl Into<Body>) -> Heard {
        let request = ask(Method::POST, path).header("content-type", "application/json");
        self.send(request.body(body.into()).unwrap()).await
    }
}

impl Heard {
    pub(crate) fn json(&self) -> Value {
        serde_json::from_str(&self.text).unwrap()
    }

    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        self.headers.get(name).map(|value| value.to_str().unwrap())
    }

    /// Asserts that it is a problem of this kind, and gives it.
    pub(crate) fn problem(&self, status: u16, kind: &str) -> Value {
        assert_eq!(self.status.as_u16(), status, "{}", self.text);
        assert_eq!(self.header("content-type"), Some("application/problem+json"));
        let problem = self.json();
        assert_eq!(problem["type"], format!("urn:souk:problem:{kind}"), "{problem}");
        assert_eq!(problem["status"], status);
        assert!(problem["title"].is_string() && problem["trace_id"].is_string(), "{problem}");
        let instance = format!("urn:souk:request:{}", self.header("x-request-id").unwrap());
        assert_eq!(problem["instance"], instance);
        problem
    }
}

pub(crate) fn noon() -> Timestamp {
    "2026-01-31T12:00:00Z".parse().unwrap()
}

pub(crate) fn signer() -> Signer {
    Signer::new("k-1", 1)
}

pub(crate) fn token(role: Role, now: Timestamp) -> String {
    format!("Bearer {}", signer().sign(&claims(role, now)))
}

pub(crate) fn ask(method: Method, path: &str) -> Builder {
    Request::builder().method(method).uri(path)
}

#[derive(Deserialize, serde::Serialize)]
#[serde(deny_unknown_fields)]
struct NewOrder {
    lines: Vec<NewLine>,
    #[serde(default)]
    note: Option<String>,
}

#[derive(Deserialize, serde::Serialize)]
#[serde(deny_unknown_fields)]
struct NewLine {
    sku: Sku,
    quantity: Quantity,
}

impl Worded for NewOrder {
    const NUMBERS: &'static [&'static str] = &["sku"];
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Filter {
    #[serde(default)]
    min: Option<i64>,
}

fn routes(slow: Slow) -> Router {
    Router::new()
        .route("/orders", post(order).get(list))
        .route("/orders/{id}", get(one).patch(edit))
        .route("/orders/{id}/events", get(follow))
        .route("/checkout", post(checkout))
        .route("/maybe", post(maybe))
        .route("/words", post(async |Cardless(new): Cardless<NewOrder>| Json(new)))
        .route("/any", post(async |Json(any): Json<Value>| any.to_string()))
        .route("/cause", get(async |cause: Cause| format!("{cause:?}")))
        .route("/shopper", get(async |shopper: Shopper| shopper.id.to_string()))
        .route("/anyone", get(async |who: Option<Shopper>| format!("{}", who.is_some())))
        .route("/staff", get(async |staff: Staff| staff.id.to_string()))
        .route("/admin", get(async |admin: Admin| admin.id.to_string()))
        .route("/panic", get(panic))
        .route("/never", get(async || std::future::pending::<()>().await))
        .route("/import", post(import))
        .route("/answer", get(answer))
        .route("/extra", get(extra))
        .route("/tagged/{n}", get(tagged).put(tagged))
        .route("/bytes", post(size))
        .route("/large", post(size).layer(body_up_to(LARGE)))
        .merge(slow_routes(slow))
}

fn slow_routes(slow: Slow) -> Router {
    Router::new().route("/slow", post(work)).route("/orders/{id}/poll", get(poll)).with_state(slow)
}

async fn size(bytes: axum::body::Bytes) -> String {
    bytes.len().to_string()
}

async fn work(State(slow): State<Slow>) -> &'static str {
    slow.begun.add_permits(1);
    slow.go_on.acquire().await.unwrap().forget();
    slow.done.add_permits(1);
    "done"
}

async fn poll(State(slow): State<Slow>, Path(_): Path<OrderId>, wait: Wait) -> &'static str {
    slow.begun.add_permits(1);
    while let Some(pause) = wait.pause() {
        tokio::time::sleep(pause).await;
    }
    "over"
}

async fn order(State(()): State<()>, Json(new): Json<NewOrder>) -> Json<NewOrder> {
    Json(new)
}

async fn list(page: Page, Query(filter): Query<Filter>) -> Result<Json<Listed<i64>>, Problem> {
    let first = page.after::<i64>()?.map_or(filter.min.unwrap_or(0), |after| after + 1);
    let read = (first..5).take(usize::try_from(page.look_ahead()).unwrap()).collect();
    Ok(Json(Listed::of(read, &page, |item| *item)))
}

async fn one(Path(id): Path<OrderId>, wait: Wait) -> Json<Value> {
    let pause = wait.pause().map(|pause| u64::try_from(pause.as_millis()).unwrap());
    Json(json!({"id": id, "pause": pause}))
}

async fn follow(Path(_): Path<OrderId>, follow: Follow) -> String {
    format!("{}", follow.pause().is_some())
}

async fn edit(RequiredIfMatch(version): RequiredIfMatch, also: Option<IfMatch>) -> String {
    assert_eq!(Some(&version), also.as_ref());
    format!("{version:?}")
}

async fn checkout(key: IdempotencyKey, Json(body): Json<Value>) -> String {
    format!("{:?}", key.by("usr", &body))
}

async fn maybe(key: Option<IdempotencyKey>) -> String {
    format!("{}", key.is_some())
}

async fn panic() {
    panic!("the secret is {}", std::hint::black_box(42));
}

async fn import(patience: Patience) -> &'static str {
    patience.extend(std::time::Duration::from_mins(1));
    tokio::time::sleep(std::time::Duration::from_millis(60)).await;
    "imported"
}

async fn tagged(Path(n): Path<u8>) -> ([(&'static str, &'static str); 1], Tagged<u8>) {
    ([("cache-control", "max-age=5")], Tagged(ETag::absent(), n))
}

async fn answer() -> Answer {
    Answer::new(202, &json!({"order_id": "ord_1"})).located("/orders/ord_1").retry_after(3)
}

async fn extra() -> Problem {
    Problem::conflict("order-already-paid")
        .because("it was paid")
        .at("/a~b", "no")
        .with("paid_at", noon())
}
