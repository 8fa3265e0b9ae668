//! Why a part does not run.

use std::io;
use std::path::Path;
use std::time::Duration;

use crate::process::Process;

const TAIL: usize = 30;

/// Why a server or a service could not be started.
#[derive(Debug, thiserror::Error)]
pub enum StartError {
    /// The files it needs cannot be written, or the system refuses to run it.
    #[error("{what} cannot be started: {source}")]
    Io {
        /// What was to be started.
        what: String,
        /// Why not.
        source: io::Error,
    },
    /// It ended instead of serving.
    #[error("{what} ended with code {code} while it was starting:\n{log}")]
    Ended {
        /// What was started.
        what: String,
        /// How it ended.
        code: i32,
        /// The last lines it said.
        log: String,
    },
    /// It runs but does not serve.
    #[error("{what} was not ready within {bound:?}:\n{log}")]
    Late {
        /// What was started.
        what: String,
        /// How long it was waited for.
        bound: Duration,
        /// The last lines it said.
        log: String,
    },
    /// The database does not let itself be made a replica set.
    #[error("mongod refused to become a replica set: {0}")]
    Mongo(#[from] mongodb::error::Error),
    /// A server is neither there nor could it be installed.
    #[error(transparent)]
    Tool(#[from] crate::tools::ToolError),
}

impl StartError {
    pub(crate) fn io(what: &str) -> impl FnOnce(io::Error) -> Self {
        move |source| Self::Io { what: what.to_owned(), source }
    }
}

/// Waits until `ready` says so, or until it is clear that it never will.
pub(crate) async fn until_ready(
    what: &str,
    process: &Process,
    log: &Path,
    bound: Duration,
    ready: impl Future<Output = ()>,
) -> Result<(), StartError> {
    let what = what.to_owned();
    tokio::select! {
        () = ready => Ok(()),
        code = process.wait() => Err(StartError::Ended { what, code, log: tail(log) }),
        () = tokio::time::sleep(bound) => Err(StartError::Late { what, bound, log: tail(log) }),
    }
}

/// Asks this address until it answers with success.
pub(crate) async fn until_answered(url: &str) {
    let http = reqwest::Client::builder()
        .timeout(Duration::from_secs(2))
        .no_proxy()
        .build()
        .expect("a client without a proxy can be built");
    loop {
        let answer = http.get(url).send().await;
        if answer.is_ok_and(|answer| answer.status().is_success()) {
            return;
        }
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
}

/// The last lines of a log.
pub(crate) fn tail(log: &Path) -> String {
    let text = std::fs::read(log).unwrap_or_default();
    let text = String::from_utf8_lossy(&text);
    let lines: Vec<&str> = text.lines().collect();
    lines[lines.len().saturating_sub(TAIL)..].join("\n")
}
