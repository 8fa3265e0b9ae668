//! Running, and stopping so that nothing that was begun is lost.

use std::net::SocketAddr;
use std::time::Duration;

use tokio::time::{MissedTickBehavior, interval, timeout};
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;
use tracing::{info, warn};

use super::chore::Chore;
use super::connect::patiently;
use super::error::RunError;
use super::server::{Connections, serve};
use super::signals::Signals;
use super::{Service, listen};
use crate::http::{Gate, Limits, layers};
use crate::store::{Store, StoreError};
use crate::telemetry::{self, UPKEEP};

/// How long a service that was there before waits for the bus before it serves without.
const PATIENCE: Duration = Duration::from_secs(2);
/// How often it is looked for what others left untold.
const SWEEP: Duration = Duration::from_secs(1);

/// A service that runs in the background, as in a test. Dropping it ends it at once, as if the
/// process were killed.
#[must_use = "dropping it ends the service at once"]
#[derive(Debug)]
pub struct Running {
    /// Where the public API is.
    pub http: SocketAddr,
    /// Where the operations port is.
    pub ops: SocketAddr,
    service: Service,
    /// Stops the relay, once nothing is told any more.
    told: CancellationToken,
}

impl Service {
    /// Serves until the process is asked to end, then stops in good order. Where the process was
    /// started for one act, does that.
    pub async fn run(self) -> Result<(), RunError> {
        if self.config.is_one_act() {
            return self.act().await;
        }
        let signals = Signals::listen().map_err(RunError::Signals)?;
        self.run_until(signals).await
    }

    /// Serves in the background, without an ear for signals.
    pub async fn run_in_background(self) -> Result<Running, RunError> {
        self.begin().await
    }

    pub(super) async fn run_until(self, mut signals: Signals) -> Result<(), RunError> {
        if self.config.is_one_act() {
            return tokio::select! {
                done = self.act() => done,
                () = signals.next() => Err(RunError::Aborted),
            };
        }
        let running = tokio::select! {
            running = self.begin() => running?,
            () = signals.next() => return Ok(()),
        };
        tokio::select! {
            () = running.broken() => {}
            () = signals.next() => info!("asked to stop"),
        }
        tokio::select! {
            stopped = running.stop() => stopped,
            () = signals.next() => Err(RunError::Aborted),
        }
    }

    async fn begin(mut self) -> Result<Running, RunError> {
        let (listener, http) = listen("SOUK_HTTP", self.config.http)?;
        let ops = self.operated.unwrap_or(self.config.ops);
        let told = CancellationToken::new();
        self.life.support.spawn("upkeep", upkeep(self.store()));
        // What was committed at the start is told once there are streams for it.
        self.hear().await;
        self.tell(told.clone());
        for chore in std::mem::take(&mut self.plan.chores) {
            let name = chore.name();
            let done = chore.run(self.store(), self.stopping());
            self.life.work.spawn(name, done);
        }
        let gate = self.gate();
        let api = layers(std::mem::take(&mut self.plan.api), &gate);
        let limits = Connections {
            most: self.config.max_connections,
            keep_alive: self.config.keep_alive,
            stall: self.config.stall_timeout,
            links: gate.budget().links().clone(),
        };
        let served = serve(listener, api, limits, self.life.work.clone(), self.stopping());
        self.life.work.spawn("public port", served);
        self.become_ready();
        info!(%http, %ops, "serving");
        Ok(Running { http, ops, service: self, told })
    }

    /// Ready once it can tell who is asking; what needs no token is served before.
    fn become_ready(&self) {
        let (identity, ops, stopping) = (self.identity(), self.ops.clone(), self.stopping());
        #[cfg(debug_assertions)]
        let crash_at = self.config.crash_at;
        self.life.support.spawn("readiness", async move {
            if stopping.run_until_cancelled(identity.ready()).await.is_some() {
                #[cfg(debug_assertions)]
                crate::crash::arm(crash_at);
                ops.ready();
                info!("ready");
            }
        });
    }

    /// Hears what the service wants to hear. A service that is new waits for the bus; one that was
    /// there before does not wait long: what it needs to serve is in its database.
    async fn hear(&mut self) {
        let subscriptions = std::mem::take(&mut self.plan.subscriptions);
        self.plan.chores.push(self.redriving(&subscriptions));
        let (bus, memory) = (self.bus(), self.memory.clone());
        let patience = if memory.declared { Some(PATIENCE) } else { None };
        let declared = async {
            patiently("bus", || Box::pin(memory.declare(&bus, &subscriptions))).await;
            patiently("mongodb", || memory.note_declared()).await;
        };
        bounded(patience, declared).await;
        let (hearing, stop) = (TaskTracker::new(), self.stopping());
        let consumers = bus.consume(subscriptions, &memory.generation, &hearing, &stop);
        self.life.work.mind("consumers", hearing, stop);
        bounded(patience, consumers.caught_up()).await;
        self.ops.hear(consumers);
    }

    /// Tells what this replica commits, and what others left untold.
    fn tell(&mut self, told: CancellationToken) {
        if let Some(relay) = self.store.relay(self.bus()) {
            self.life.telling.spawn("relay", relay.run(told));
        }
        self.plan.chores.push(self.recovery(self.stopping()));
    }

    /// Publishes what others left unpublished, page by page, until nothing is left or nothing goes
    /// through.
    pub(super) fn recovery(&self, stop: CancellationToken) -> Chore {
        let (store, bus) = (self.store(), self.bus());
        Chore::new(SWEEP, "outbox", move || {
            let (store, bus, stop) = (store.clone(), bus.clone(), stop.clone());
            async move {
                while !stop.is_cancelled() && store.sweep(&bus).await? > 0 {}
                Ok::<_, StoreError>(())
            }
        })
    }

    /// What stands before the API.
    fn gate(&self) -> Gate {
        let config = &self.config;
        let limits = Limits {
            body: config.max_body,
            body_grace: config.body_grace,
            in_flight: config.max_in_flight,
            timeout: config.request_timeout,
            requests: config.max_requests,
            ..Limits::default()
        };
        Gate::new(self.clock(), self.identity(), limits, self.stopping())
            .running_in(self.life.work.clone())
            .open_to(config.cors_origins.0.clone())
            .behind(config.trusted_proxies)
    }
}

impl Running {
    /// Waits until a task fails; the service is then to be stopped.
    pub async fn broken(&self) {
        self.service.life.work.broken().await;
    }

    /// Takes nothing new, finishes what was begun, tells what was committed, and ends.
    pub async fn stop(self) -> Result<(), RunError> {
        let service = &self.service;
        service.ops.stopping();
        service.life.stopping.cancel();
        let finished = timeout(service.config.grace, self.finish()).await;
        match service.life.work.culprit() {
            Some(task) => Err(RunError::Failed { task }),
            None if finished.is_err() => {
                warn!("what was left is cut off");
                Err(RunError::Late)
            }
            None => {
                info!("stopped");
                Ok(())
            }
        }
    }

    async fn finish(&self) {
        self.service.life.work.ended().await;
        self.told.cancel();
        self.service.life.telling.ended().await;
    }
}

/// Waits at most so long, if there is a bound.
async fn bounded(bound: Option<Duration>, work: impl Future<Output = ()>) {
    match bound {
        // Whatever is not there by then comes later.
        Some(bound) => drop(timeout(bound, work).await),
        None => work.await,
    }
}

/// Keeps the measurements small and the age of the outbox up to date.
async fn upkeep(store: Store) {
    let mut beat = interval(UPKEEP);
    beat.set_missed_tick_behavior(MissedTickBehavior::Delay);
    loop {
        beat.tick().await;
        telemetry::metrics().run_upkeep();
        if let Ok(oldest) = store.outbox_age().await {
            let age = oldest.unwrap_or_default();
            metrics::gauge!("souk_outbox_age_seconds").set(age.as_secs_f64());
        }
    }
}
