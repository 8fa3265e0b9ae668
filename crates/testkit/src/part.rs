//! A part that can be ended and started again.

use std::path::PathBuf;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use crate::StartError;
use crate::process::{Process, Spec};

const TAIL: usize = 30;

/// A program that was started, and how to start it again.
#[derive(Debug)]
pub(crate) struct Part {
    what: String,
    spec: Spec,
    log: PathBuf,
    process: Mutex<Arc<Process>>,
}

impl Part {
    /// Starts a program that writes what it says at the end of this log.
    pub(crate) fn start(
        what: impl Into<String>,
        spec: Spec,
        log: PathBuf,
    ) -> Result<Self, StartError> {
        let (what, spec) = (what.into(), spec.log(&log));
        let process = Process::start(&spec).map_err(StartError::io(&what))?;
        Ok(Self { what, spec, log, process: Mutex::new(Arc::new(process)) })
    }

    /// The process as it runs now, or as it ended.
    pub(crate) fn process(&self) -> Arc<Process> {
        Arc::clone(&self.current())
    }

    /// Starts it once more; ends it in good order first when it runs.
    pub(crate) async fn start_again(&self) -> Result<(), StartError> {
        self.start_again_with(&[]).await
    }

    /// The same with these variables in its environment, this time only.
    pub(crate) async fn start_again_with(&self, envs: &[(&str, &str)]) -> Result<(), StartError> {
        self.process().stop().await;
        let add = |spec: Spec, &(name, value): &(&str, &str)| spec.env(name, value);
        let spec = envs.iter().fold(self.spec.clone(), add);
        let process = Process::start(&spec).map_err(StartError::io(&self.what))?;
        *self.current() = Arc::new(process);
        Ok(())
    }

    /// Waits until `ready` ends, or until it is clear that it never will.
    pub(crate) async fn until<T>(
        &self,
        bound: Duration,
        ready: impl Future<Output = T>,
    ) -> Result<T, StartError> {
        let process = self.process();
        let what = self.what.clone();
        tokio::select! {
            ready = ready => Ok(ready),
            code = process.wait() => Err(StartError::Ended { what, code, log: self.tail() }),
            () = tokio::time::sleep(bound) => Err(StartError::Late { what, bound, log: self.tail() }),
        }
    }

    /// Waits until this address answers with success, or until it is clear that it never will.
    pub(crate) async fn until_answers(&self, url: &str, bound: Duration) -> Result<(), StartError> {
        let http = reqwest::Client::builder().no_proxy().timeout(Duration::from_secs(2));
        let http = http.build().expect("no option of this client can fail");
        let answered = async {
            while !http.get(url).send().await.is_ok_and(|answer| answer.status().is_success()) {
                tokio::time::sleep(Duration::from_millis(10)).await;
            }
        };
        self.until(bound, answered).await
    }

    /// The last lines it said.
    fn tail(&self) -> String {
        let log = std::fs::read(&self.log).unwrap_or_default();
        let log = String::from_utf8_lossy(&log);
        let lines: Vec<&str> = log.lines().collect();
        lines[lines.len().saturating_sub(TAIL)..].join("\n")
    }

    fn current(&self) -> MutexGuard<'_, Arc<Process>> {
        self.process.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
