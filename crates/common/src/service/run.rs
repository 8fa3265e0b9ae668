//! Running, and stopping so that nothing that was begun is lost.

use std::net::SocketAddr;

use tokio::time::timeout;
use tokio_util::sync::CancellationToken;
use tracing::{info, warn};

use super::error::RunError;
use super::server::serve;
use super::signals::Signals;
use super::{Service, listen};
use crate::ops::Phase;

/// A service that runs in the background, as in a test. Dropping it ends it at once, as if the
/// process were killed.
#[must_use = "dropping it ends the service at once"]
#[derive(Debug)]
pub struct Running {
    /// Where the public API is.
    pub http: SocketAddr,
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
            () = running.service.work.broken() => {}
            () = signals.next() => info!("asked to stop"),
        }
        tokio::select! {
            stopped = running.stop() => stopped,
            () = signals.next() => Err(RunError::Aborted),
        }
    }

    async fn begin(mut self) -> Result<Running, RunError> {
        let listener = listen("SOUK_HTTP", self.config.http).await?;
        let http = listener.local_addr().map_err(|source| super::StartError::Listen {
            variable: "SOUK_HTTP",
            address: self.config.http,
            source,
        })?;
        let told = CancellationToken::new();
        if let Some(relay) = self.store.relay(self.bus.clone()) {
            self.support.spawn("relay", relay.run(told.clone()));
        }
        for chore in std::mem::take(&mut self.chores) {
            let stopping = self.stopping.clone();
            let run = chore.run(self.frame(), self.clock(), stopping);
            self.work.spawn("chore", run);
        }
        let keep_alive = self.config.keep_alive;
        let api = std::mem::take(&mut self.api);
        let served = serve(listener, api, keep_alive, self.work.clone(), self.stopping.clone());
        self.work.spawn("public port", served);
        self.ops.enter(Phase::Ready);
        info!(%http, "ready");
        Ok(Running { http, service: self, told })
    }

    async fn act(self) -> Result<(), RunError> {
        Ok(())
    }
}

impl Running {
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
    }
}
