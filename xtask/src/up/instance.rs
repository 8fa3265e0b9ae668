//! One service as a process on this machine.

use std::net::{Ipv4Addr, SocketAddr};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use testkit::fleet::Service;
use testkit::process::{Process, Spec};
use testkit::{StartError, ports};
use tokio::time::sleep;

/// How long a service gets to finish what it does when it is asked to end.
const GRACE: Duration = Duration::from_secs(20);

/// It ends by itself within its grace; only one that hangs is killed.
const PATIENCE: Duration = Duration::from_secs(25);

/// How long it may take to get ready.
const BOUND: Duration = Duration::from_mins(1);

/// How many lines of its log say why it did not start.
const TAIL: usize = 20;

/// A service with its ports, which stay the same however often it is started.
#[derive(Debug)]
pub(crate) struct Instance {
    service: Service,
    http: SocketAddr,
    ops: SocketAddr,
    log: PathBuf,
    spec: Spec,
    process: Mutex<Option<Arc<Process>>>,
}

impl Instance {
    /// A service on free ports that writes this log; it does not run yet.
    pub(crate) fn new(service: Service, program: Spec, log: PathBuf) -> Self {
        let address = || SocketAddr::from((Ipv4Addr::LOCALHOST, ports::free()));
        let (http, ops) = (address(), address());
        let spec = program
            .env("SOUK_HTTP", http.to_string())
            .env("SOUK_OPS", ops.to_string())
            .env("SOUK_DATABASE", service.name())
            .env("SOUK_GRACE", format!("{}s", GRACE.as_secs()))
            .grace(PATIENCE)
            .log(&log);
        Self { service, http, ops, log, spec, process: Mutex::default() }
    }

    /// A further replica of it, on ports of its own; it does not run yet.
    pub(crate) fn another(&self) -> Self {
        Self::new(self.service, self.spec.clone(), self.log.clone())
    }

    /// Starts it, and waits until it is ready; ends it first when it runs.
    pub(crate) async fn restart(&self) -> Result<(), StartError> {
        if let Some(process) = self.process() {
            process.stop().await;
        }
        let what = self.service.to_string();
        let process = match Process::start(&self.spec) {
            Ok(process) => Arc::new(process),
            Err(source) => return Err(StartError::Io { what, source }),
        };
        *self.process.lock().unwrap_or_else(PoisonError::into_inner) = Some(Arc::clone(&process));
        tokio::select! {
            () = self.until_ready() => Ok(()),
            code = process.wait() => Err(StartError::Ended { what, code, log: self.tail() }),
            () = sleep(BOUND) => Err(StartError::Late { what, bound: BOUND, log: self.tail() }),
        }
    }

    async fn until_ready(&self) {
        let http = reqwest::Client::builder().no_proxy().timeout(Duration::from_secs(2));
        let http = http.build().expect("no option of this client can fail");
        let ready = format!("http://{}/ready", self.ops);
        while !http.get(&ready).send().await.is_ok_and(|answer| answer.status().is_success()) {
            sleep(Duration::from_millis(10)).await;
        }
    }

    fn tail(&self) -> String {
        let log = std::fs::read(&self.log).unwrap_or_default();
        let log = String::from_utf8_lossy(&log);
        let lines: Vec<&str> = log.lines().collect();
        lines[lines.len().saturating_sub(TAIL)..].join("\n")
    }

    /// The process that was started last.
    pub(crate) fn process(&self) -> Option<Arc<Process>> {
        self.process.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// What it is called.
    pub(crate) fn name(&self) -> &'static str {
        self.service.name()
    }

    /// Where it answers requests.
    pub(crate) fn http(&self) -> SocketAddr {
        self.http
    }

    /// Where it answers operators.
    pub(crate) fn ops(&self) -> SocketAddr {
        self.ops
    }

    /// Where it writes what it does.
    pub(crate) fn log(&self) -> &Path {
        &self.log
    }
}
