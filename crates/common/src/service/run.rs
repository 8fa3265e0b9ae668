//! Running, and stopping so that nothing that was begun is lost.

use std::net::SocketAddr;
use std::time::Duration;

use tokio::time::{MissedTickBehavior, interval, timeout};
use tokio_util::sync::CancellationToken;
use tracing::{info, warn};

use super::chore::Chore;
use super::error::RunError;
use super::server::serve;
use super::signals::Signals;
use super::{FRAME, Service, listen};
use crate::http::{Gate, Limits, layers};
use crate::ops::Phase;
use crate::store::Store;
use crate::telemetry::{self, UPKEEP};

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
        let signals = Signals::listen().map_err(RunError::Signals)?;
        self.run_until(signals).await
    }

    /// Serves in the background, without an ear for signals.
    pub async fn run_in_background(self) -> Result<Running, RunError> {
        self.begin().await
    }

    pub(super) async fn run_until(self, mut signals: Signals) -> Result<(), RunError> {
        let begun = async {
            if self.config.is_one_act() {
                self.act().await.map(|()| None)
            } else {
                self.begin().await.map(Some)
            }
        };
        let running = tokio::select! {
            begun = begun => begun?,
            () = signals.next() => None,
        };
        let Some(running) = running else { return Ok(()) };
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
        let (listener, http) = listen("SOUK_HTTP", self.config.http).await?;
        let ops = self.operated.unwrap_or(self.config.ops);
        let told = CancellationToken::new();
        self.support.spawn("upkeep", upkeep(self.store()));
        self.tell(told.clone());
        for chore in std::mem::take(&mut self.chores) {
            let name = chore.name();
            let done = chore.run(self.store.collection(FRAME), self.clock(), self.stopping());
            self.work.spawn(name, done);
        }
        let api = layers(std::mem::take(&mut self.api), &self.gate());
        let keep_alive = self.config.keep_alive;
        let served = serve(listener, api, keep_alive, self.work.clone(), self.stopping());
        self.work.spawn("public port", served);
        self.ops.enter(Phase::Ready);
        info!(%http, %ops, "ready");
        Ok(Running { http, ops, service: self, told })
    }

    /// Tells what this replica commits, and what others left untold.
    fn tell(&mut self, told: CancellationToken) {
        if let Some(relay) = self.store.relay(self.bus()) {
            self.telling.spawn("relay", relay.run(told));
        }
        let (store, bus) = (self.store(), self.bus());
        self.chores.push(Chore::new(SWEEP, "outbox", move || {
            let (store, bus) = (store.clone(), bus.clone());
            async move { store.sweep(&bus).await.map(drop) }
        }));
    }

    /// What stands before the API.
    fn gate(&self) -> Gate {
        let config = &self.config;
        let limits = Limits {
            body: config.max_body,
            timeout: config.request_timeout,
            requests: config.max_requests,
            ..Limits::default()
        };
        Gate::new(self.clock(), self.identity(), limits, self.stopping())
            .open_to(config.cors_origins.0.clone())
    }

    async fn act(self) -> Result<(), RunError> {
        Ok(())
    }
}

impl Running {
    /// Waits until a task panics; the service is then to be stopped.
    pub async fn broken(&self) {
        self.service.work.broken().await;
    }

    /// Takes nothing new, finishes what was begun, tells what was committed, and ends.
    pub async fn stop(self) -> Result<(), RunError> {
        let service = &self.service;
        service.ops.enter(Phase::Stopping);
        service.stopping.cancel();
        let finished = timeout(service.config.grace, self.finish()).await;
        match service.work.culprit() {
            Some(task) => Err(RunError::Panicked { task }),
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
        self.service.work.ended().await;
        self.told.cancel();
        self.service.telling.ended().await;
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
