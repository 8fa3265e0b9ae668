//! One replica of a service, which is killed, frozen and confused.

use std::io;
use std::net::{Ipv4Addr, SocketAddr};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use testkit::fleet::Service;
use testkit::process::{Process, Signal, Spec};
use testkit::{Client, ports};
use tokio::time::{sleep, timeout};

/// How often it is looked how it is, as an orchestrator would.
const LOOK: Duration = Duration::from_millis(250);
/// How long it may take to say that it is ready.
const ANSWER: Duration = Duration::from_secs(1);

/// A replica with ports, log and clock that stay its own however often it is started.
#[derive(Debug)]
pub(crate) struct Replica {
    pub(crate) service: Service,
    pub(crate) number: usize,
    spec: Spec,
    clock: PathBuf,
    process: Mutex<Option<Arc<Process>>>,
    http: Client,
    ops: Client,
    wanted: AtomicBool,
    ready: AtomicBool,
}

impl Replica {
    /// A replica of this program; it does not run yet.
    pub(crate) fn new(service: Service, number: usize, spec: &Spec, folder: &Path) -> Self {
        let address = || SocketAddr::from((Ipv4Addr::LOCALHOST, ports::free()));
        let (http, ops) = (address(), address());
        let clock = folder.join(format!("{service}-{number}.clock"));
        let spec = spec
            .clone()
            .env("SOUK_HTTP", http.to_string())
            .env("SOUK_OPS", ops.to_string())
            .env("SOUK_WRONG_CLOCK", &clock)
            .log(folder.join(format!("{service}-{number}.log")));
        Self {
            service,
            number,
            spec,
            clock,
            process: Mutex::default(),
            http: Client::at(format!("http://{http}")),
            ops: Client::at(format!("http://{ops}")),
            wanted: AtomicBool::new(false),
            ready: AtomicBool::new(false),
        }
    }

    /// Whether requests are sent to it.
    pub(crate) fn is_ready(&self) -> bool {
        self.ready.load(Ordering::Relaxed)
    }

    /// Whether it is to run.
    pub(crate) fn is_wanted(&self) -> bool {
        self.wanted.load(Ordering::Relaxed)
    }

    /// Where the public asks it.
    pub(crate) fn http(&self) -> &Client {
        &self.http
    }

    /// Where operators ask it.
    pub(crate) fn ops(&self) -> &Client {
        &self.ops
    }

    /// From now on it runs, and is started again when it ends.
    pub(crate) fn want(&self) {
        self.wanted.store(true, Ordering::Relaxed);
    }

    /// Kills it; it stays so until it is wanted again.
    pub(crate) async fn kill(&self) {
        self.wanted.store(false, Ordering::Relaxed);
        if let Some(process) = self.take() {
            process.kill().await;
        }
    }

    /// Lets it end in good order, and gives its exit code; it stays so until it is wanted again.
    pub(crate) async fn retire(&self) -> Option<i32> {
        self.wanted.store(false, Ordering::Relaxed);
        Some(self.take()?.stop().await)
    }

    /// Has it stand still, or go on.
    pub(crate) fn signal(&self, signal: Signal) {
        if let Some(process) = self.process() {
            process.signal(signal);
        }
    }

    /// Sets its clock wrong by so many seconds.
    pub(crate) fn set_clock(&self, seconds: i64) -> io::Result<()> {
        let next = self.clock.with_extension("next");
        std::fs::write(&next, (seconds * 1000).to_string())?;
        std::fs::rename(next, &self.clock)
    }

    /// Minds it for ever: starts it when it is wanted, and sees whether it is ready. `ended` hears
    /// with which code it ended when nobody made it to.
    pub(crate) async fn keep(&self, ended: impl Fn(i32)) -> io::Result<()> {
        loop {
            let process = self.process().filter(|process| process.is_running());
            if self.is_wanted() && process.is_none() {
                if let Some(process) = self.process() {
                    ended(process.wait().await);
                }
                let process = Arc::new(Process::start(&self.spec)?);
                *self.process.lock().unwrap_or_else(PoisonError::into_inner) = Some(process);
            }
            self.ready.store(self.answers().await, Ordering::Relaxed);
            sleep(LOOK).await;
        }
    }

    async fn answers(&self) -> bool {
        let asked = timeout(ANSWER, self.ops.get("/ready").send());
        asked.await.is_ok_and(|answer| answer.is_ok_and(|answer| answer.is_ok()))
    }

    /// Its process, which it has no more: whoever ends it takes it first.
    fn take(&self) -> Option<Arc<Process>> {
        self.ready.store(false, Ordering::Relaxed);
        self.process.lock().unwrap_or_else(PoisonError::into_inner).take()
    }

    fn process(&self) -> Option<Arc<Process>> {
        self.process.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }
}
