//! One replica of a service.

use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use super::Service;
use crate::part::Part;
use crate::process::{Process, Signal, Spec};
use crate::{Client, StartError, eventually, ports};

const BOUND: Duration = Duration::from_mins(1);

/// A started replica, with ports that stay its own.
#[derive(Debug)]
pub(crate) struct Replica {
    service: Service,
    part: Part,
    http: u16,
    ops: u16,
    /// Since it retired, until it is ready again.
    away: AtomicBool,
}

impl Replica {
    /// Starts a replica that logs into this folder; it is not ready yet.
    pub(crate) fn start(
        service: Service,
        number: usize,
        spec: Spec,
        dir: &Path,
    ) -> Result<Self, StartError> {
        let (http, ops) = (ports::free(), ports::free());
        let spec = spec
            .env("SOUK_HTTP", format!("127.0.0.1:{http}"))
            .env("SOUK_OPS", format!("127.0.0.1:{ops}"));
        let log = dir.join(format!("{service}-{number}.log"));
        let part = Part::start(format!("{service} (replica {number})"), spec, log)?;
        Ok(Self { service, part, http, ops, away: AtomicBool::new(false) })
    }

    /// What it is a replica of.
    pub(crate) fn service(&self) -> Service {
        self.service
    }

    /// Where the public finds it.
    pub(crate) fn base(&self) -> String {
        format!("http://127.0.0.1:{}", self.http)
    }

    /// Where operators find it.
    pub(crate) fn ops(&self) -> String {
        format!("http://127.0.0.1:{}", self.ops)
    }

    /// The process as it runs now, or as it ended.
    pub(crate) fn process(&self) -> Arc<Process> {
        self.part.process()
    }

    /// Whether it is asked when somebody asks its service.
    pub(crate) fn is_asked(&self) -> bool {
        self.process().is_running() && !self.away.load(Ordering::Relaxed)
    }

    /// Asks it to end, and says how it did; once it says that it is not ready, nobody asks it.
    pub(crate) async fn retire(&self) -> i32 {
        let process = self.process();
        let ready = Client::at(self.ops()).get("/ready");
        process.signal(Signal::TERM);
        eventually("it is not ready any more", BOUND, async || {
            let answer = ready.clone().send().await;
            (!answer.is_ok_and(|answer| answer.is_ok())).then_some(())
        })
        .await;
        self.away.store(true, Ordering::Relaxed);
        // Another signal would be an order to leave everything as it lies.
        match tokio::time::timeout(BOUND, process.wait()).await {
            Ok(code) => code,
            Err(_) => process.kill().await,
        }
    }

    /// Starts it again and waits until it is ready; ends it first when it runs.
    pub(crate) async fn restart(&self) -> Result<(), StartError> {
        self.restart_with(&[]).await
    }

    /// The same with these variables in its environment, this time only.
    pub(crate) async fn restart_with(&self, envs: &[(&str, &str)]) -> Result<(), StartError> {
        self.part.start_again_with(envs).await?;
        self.until_ready().await
    }

    /// Waits until it says that it is ready.
    pub(crate) async fn until_ready(&self) -> Result<(), StartError> {
        self.part.until_answers(&format!("{}/ready", self.ops()), BOUND).await?;
        self.away.store(false, Ordering::Relaxed);
        Ok(())
    }
}
