//! Why a part does not run.

use std::io;
use std::time::Duration;

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
    /// The database's driver does not work here.
    #[error("no client for mongod: {0}")]
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
