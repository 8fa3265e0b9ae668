//! Why a service does not start, or does not go on.

use std::convert::Infallible;
use std::io;
use std::net::SocketAddr;

use crate::bus::{ConnectError, DeclareError, RedriveError};
use crate::store::{StoreError, UpdateError};

/// Why a service does not start.
#[derive(Debug, thiserror::Error)]
pub enum StartError {
    /// A port is taken, or not allowed.
    #[error("cannot listen on {address} ({variable}): {source}")]
    Listen {
        /// The variable that names the port.
        variable: &'static str,
        /// Where it would listen.
        address: SocketAddr,
        /// Why it cannot.
        source: io::Error,
    },
    /// The bus refuses the configuration.
    #[error(transparent)]
    Bus(#[from] ConnectError),
    /// The database was lost while it was prepared.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// The database was lost while it was prepared.
    #[error("the database is lost: {0}")]
    Database(#[from] mongodb::error::Error),
}

/// Why a service that was started ended otherwise than by a stop in good order.
#[derive(Debug, thiserror::Error)]
pub enum RunError {
    /// A port is taken, or not allowed.
    #[error(transparent)]
    Start(#[from] StartError),
    /// The system lets nobody listen for signals.
    #[error("signals cannot be heard: {0}")]
    Signals(#[source] io::Error),
    /// A task panicked; a service that limps is worse than one that is started anew.
    #[error("the task `{task}` failed")]
    Failed {
        /// What it was.
        task: &'static str,
    },
    /// Not all that was begun was finished within the grace.
    #[error("not all was finished in time")]
    Late,
    /// It was asked to end before it was done.
    #[error("ended at once, before all was done")]
    Aborted,
    /// Streams and consumers could not be declared.
    #[error(transparent)]
    Declare(#[from] DeclareError),
    /// What was to be told again could not be.
    #[error(transparent)]
    Replay(#[from] UpdateError<Infallible>),
    /// Dead letters could not be handled, or are not there.
    #[error(transparent)]
    Redrive(#[from] RedriveError),
    /// The database was lost over what was to be done.
    #[error(transparent)]
    Store(#[from] StoreError),
}
