//! From the command line to the exit code.

use std::process::ExitCode;

use clap::Parser;
use tracing::error;

use super::Service;
use super::error::RunError;
use super::signals::Signals;
use crate::config::{self, Exit, Misconfigured};
use crate::telemetry;

/// What a process exits with when it could not go on.
const FAILED: u8 = 1;
/// What it exits with when its grace ended before all was done (`EX_TEMPFAIL`), as when the bus was
/// away. Nothing is lost: what was committed is told by another replica, or at the next start.
const LATE: u8 = 75;
/// Threads for what would block the others, such as hashing a password; they come and go.
const BLOCKING: usize = 32;

/// The whole life of a service process: reads its configuration, starts it, runs it.
///
/// Exits with 0 after a stop in good order, 64 when the configuration cannot be used, 75 when the time
/// to stop ended before all was done, else 1.
pub fn main<C: Parser>(start: impl AsyncFnOnce(C) -> anyhow::Result<Service>) -> ExitCode {
    let config = match config::parse(std::env::args_os()) {
        Ok(config) => config,
        Err(exit) => return leave(&exit),
    };
    telemetry::log_panics();
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .enable_all()
        .max_blocking_threads(BLOCKING)
        .build()
        .expect("the system lets a process have threads");
    let lived = runtime.block_on(live(config, start));
    telemetry::traces::end();
    // What still blocks a thread is not waited for.
    runtime.shutdown_background();
    match lived {
        Ok(()) => ExitCode::SUCCESS,
        Err(failure) => leave(&explain(&failure)),
    }
}

async fn live<C>(
    config: C,
    start: impl AsyncFnOnce(C) -> anyhow::Result<Service>,
) -> anyhow::Result<()> {
    // Before anything else: the first process of a container is deaf to signals otherwise.
    let mut signals = Signals::listen().map_err(RunError::Signals)?;
    let service = tokio::select! {
        service = start(config) => service?,
        () = signals.next() => return Ok(()),
    };
    Ok(service.run_until(signals).await?)
}

fn explain(failure: &anyhow::Error) -> Exit {
    let misconfigured = failure.chain().find_map(|cause| cause.downcast_ref::<Misconfigured>());
    if let Some(misconfigured) = misconfigured {
        return misconfigured.into();
    }
    let why = why(failure);
    error!(error = why, "ended");
    let code = match failure.downcast_ref() {
        Some(RunError::Late) => LATE,
        _ => FAILED,
    };
    Exit { code, message: format!("error: {why}\n") }
}

/// The failure and its causes, as far as it does not name them itself.
fn why(failure: &anyhow::Error) -> String {
    failure.chain().map(ToString::to_string).fold(String::new(), |why, cause| {
        if why.is_empty() {
            cause
        } else if why.contains(&cause) {
            why
        } else {
            format!("{why}: {cause}")
        }
    })
}

fn leave(exit: &Exit) -> ExitCode {
    exit.say();
    exit.code.into()
}

#[cfg(test)]
mod tests {
    use std::io;
    use std::net::SocketAddr;

    use anyhow::Context as _;

    use super::super::error::StartError;
    use super::*;

    #[test]
    fn a_bad_value_found_at_the_start_names_its_variable() {
        let reason = "at least 32 characters; `openssl rand -base64 48` makes a good one";
        let wrong = Misconfigured { variable: "JWT_KEY", reason };

        let exit = explain(&Err::<(), _>(wrong).context("no keys").unwrap_err());

        assert_eq!(exit.code, 64);
        assert_eq!(exit.message, format!("error: JWT_KEY: {reason}\n"));
    }

    #[test]
    fn who_was_cut_off_in_stopping_ends_otherwise_than_who_failed() {
        let code = |failure: RunError| explain(&failure.into()).code;

        assert_eq!(code(RunError::Late), 75);
        assert_eq!(code(RunError::Failed { task: "relay" }), 1);
    }

    #[test]
    fn a_failure_is_told_once_with_its_causes() {
        let taken = StartError::Listen {
            variable: "SOUK_HTTP",
            address: SocketAddr::from(([127, 0, 0, 1], 3000)),
            source: io::Error::new(io::ErrorKind::AddrInUse, "it is taken"),
        };

        let exit = explain(&Err::<(), _>(taken).context("no service").unwrap_err());

        let expected = "no service: cannot listen on 127.0.0.1:3000 (SOUK_HTTP): it is taken";
        assert_eq!((exit.code, exit.message), (1, format!("error: {expected}\n")));
    }
}
