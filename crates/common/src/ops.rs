//! The operations port: what an orchestrator and those on call ask a process.
//!
//! It is open from the first moment, before anything the service depends on is there, and never
//! faces the public.

use std::sync::{Arc, OnceLock};
use std::time::Duration;

use axum::extract::State;
use axum::http::StatusCode;
use axum::routing::get;
use axum::{Json, Router};
use mongodb::Database;
use mongodb::bson::doc;
use serde::Serialize;
use tokio::net::TcpListener;
use tokio::sync::watch;
use tokio::time::timeout;

use crate::bus::{Bus, ConsumerHealth, Consumers};
use crate::config::ServiceConfig;
use crate::http::links::Links;
use crate::service::server::{Connections, serve};
use crate::service::tasks::Tasks;
use crate::store::Store;
use crate::telemetry;

/// How long `/health` waits for what it asks.
const PATIENCE: Duration = Duration::from_secs(2);
/// Probes and scrapers need few.
const CONNECTIONS: usize = 256;
/// An event that waits longer to be told means that the relay or the bus is in trouble.
const OUTBOX_AGE: Duration = Duration::from_mins(1);

/// What a process says about itself.
#[derive(Clone)]
pub(crate) struct Ops {
    service: &'static str,
    phase: Arc<watch::Sender<Phase>>,
    parts: Arc<OnceLock<(Store, Bus)>>,
    consumers: Arc<OnceLock<Consumers>>,
}

/// How far a process has come.
///
/// It is ready once its collections, indexes and consumers are there and it knows the keys that
/// tokens are signed with: those it kept, or those that the auth service told. It serves before,
/// what needs no token at least, and answers a request that bears one with 503 and `Retry-After`,
/// so that nobody is refused for good and a fleet starts in any order.
///
/// Once ready it stays so until it is asked to stop, whatever it depends on does meanwhile: a
/// database that is away for a moment must not take every replica out of the ingress at once.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Phase {
    /// Waits for what it needs; not ready.
    Starting,
    /// Serves.
    Ready,
    /// Finishes what it began; not ready.
    Stopping,
}

#[derive(Serialize)]
struct Health {
    service: &'static str,
    phase: Phase,
    mongodb: bool,
    nats: bool,
    outbox: Outbox,
    consumers: Vec<ConsumerHealth>,
}

#[derive(Serialize)]
struct Outbox {
    ok: bool,
    /// How many seconds the oldest event waits to be told; none when there is none.
    oldest: Option<u64>,
}

impl Ops {
    pub(crate) fn of(service: &'static str) -> Self {
        let (phase, _) = watch::channel(Phase::Starting);
        Self { service, phase: Arc::new(phase), parts: Arc::default(), consumers: Arc::default() }
    }

    /// Answers on this port from now on.
    pub(crate) fn answer(&self, listener: TcpListener, config: &ServiceConfig, tasks: &Tasks) {
        let router = Router::new()
            .route("/live", get(async || "live\n"))
            .route("/ready", get(ready))
            .route("/health", get(health))
            .route("/metrics", get(async || telemetry::metrics().render()))
            .with_state(self.clone());
        let never = tasks.cutter();
        let limits = Connections {
            most: CONNECTIONS,
            keep_alive: config.keep_alive,
            stall: config.stall_timeout,
            links: Links::default(),
        };
        let served = serve(listener, router, limits, tasks.clone(), never);
        tasks.spawn("ops port", served);
    }

    /// From now on `/health` looks at these.
    pub(crate) fn watch(&self, store: Store, bus: Bus) {
        // There is one of each in a service.
        let _ = self.parts.set((store, bus));
    }

    /// From now on `/health` looks at these as well.
    pub(crate) fn hear(&self, consumers: Consumers) {
        let _ = self.consumers.set(consumers);
    }

    /// It serves, unless it stops already.
    pub(crate) fn ready(&self) {
        self.phase.send_if_modified(|phase| {
            let ready = *phase == Phase::Starting;
            if ready {
                *phase = Phase::Ready;
            }
            ready
        });
    }

    /// It takes no more.
    pub(crate) fn stopping(&self) {
        self.phase.send_replace(Phase::Stopping);
    }

    fn phase(&self) -> Phase {
        *self.phase.borrow()
    }

    async fn health(&self) -> Health {
        let (mongodb, nats, outbox) = match self.parts.get() {
            Some((store, bus)) => {
                let (mongodb, outbox) = tokio::join!(ping(store), outbox(store));
                (mongodb, bus.is_connected(), outbox)
            }
            None => (false, false, Outbox { ok: false, oldest: None }),
        };
        let consumers = self.consumers.get().map(Consumers::health).unwrap_or_default();
        let (service, phase) = (self.service, self.phase());
        Health { service, phase, mongodb, nats, outbox, consumers }
    }
}

impl Health {
    fn is_well(&self) -> bool {
        let hears = self.consumers.iter().all(|consumer| consumer.connected);
        self.phase == Phase::Ready && self.mongodb && self.nats && self.outbox.ok && hears
    }
}

async fn ping(store: &Store) -> bool {
    let ping = async |database: Database| database.run_command(doc! { "ping": 1 }).await;
    matches!(timeout(PATIENCE, store.query("ping", ping)).await, Ok(Ok(_)))
}

async fn outbox(store: &Store) -> Outbox {
    let kept = store.clone();
    let age = store.run(async move |_| kept.outbox_age().await);
    match timeout(PATIENCE, age).await {
        Ok(Ok(Ok(oldest))) => Outbox {
            ok: oldest.is_none_or(|age| age < OUTBOX_AGE),
            oldest: oldest.map(|age| age.as_secs()),
        },
        Ok(Ok(Err(_)) | Err(_)) | Err(_) => Outbox { ok: false, oldest: None },
    }
}

fn status(well: bool) -> StatusCode {
    if well { StatusCode::OK } else { StatusCode::SERVICE_UNAVAILABLE }
}

async fn ready(State(ops): State<Ops>) -> (StatusCode, Json<Phase>) {
    let phase = ops.phase();
    (status(phase == Phase::Ready), Json(phase))
}

async fn health(State(ops): State<Ops>) -> (StatusCode, Json<Health>) {
    let health = ops.health().await;
    (status(health.is_well()), Json(health))
}
