//! Checks and tests the whole workspace.

mod cargo;
mod servers;
mod tally;

use std::io;
use std::time::Instant;

use anyhow::{bail, ensure};
use tokio::signal::unix::{SignalKind, signal};

use self::cargo::Cargo;
use self::servers::Servers;
use self::tally::Tally;

/// How much is tested.
#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    /// Also run the tests that take long.
    #[arg(long)]
    full: bool,
    /// Run only the tests whose name contains this.
    #[arg(long, value_name = "NAME")]
    filter: Option<String>,
}

/// Runs every check and stops at the first that fails; what it started ends with it.
pub(crate) async fn run(args: Args) -> anyhow::Result<()> {
    tokio::select! {
        checked = check(&args) => checked,
        interrupted = interrupt() => bail!("stopped by {}", interrupted?),
    }
}

async fn check(args: &Args) -> anyhow::Result<()> {
    step(Cargo::new("fmt").args(["--all", "--check"])).await?;
    let clippy = Cargo::new("clippy").args(["--workspace", "--all-targets", "--locked"]);
    step(clippy.args(["--", "-D", "warnings"])).await?;
    step(Cargo::new("build").args(["--workspace", "--locked"])).await?;

    let servers = Servers::start().await?;
    test(servers.tell(Cargo::new("test")), args).await
}

/// Runs the tests, and says at the end how many passed and failed.
async fn test(mut cargo: Cargo, args: &Args) -> anyhow::Result<()> {
    if args.full {
        cargo = cargo.env("SOUK_FULL", "1");
    }
    let cargo = cargo.args(["--workspace", "--locked", "--no-fail-fast"]);
    let mut tally = Tally::default();
    let tested = time(&cargo.args(args.filter.as_deref()), |line| tally.add(line)).await;
    println!("{tally}");
    tested?;
    ensure!(tally.passed > 0, "no test ran");
    Ok(())
}

async fn step(cargo: Cargo) -> anyhow::Result<()> {
    time(&cargo, |_| ()).await
}

/// Runs one step, and says what it is and how long it took.
async fn time(cargo: &Cargo, hear: impl FnMut(&str)) -> anyhow::Result<()> {
    eprintln!("==> {}", cargo.line());
    let began = Instant::now();
    let ran = cargo.run(hear).await;
    let outcome = if ran.is_ok() { "passed" } else { "failed" };
    eprintln!("==> {outcome} in {:.1?}", began.elapsed());
    ran
}

/// Ends when somebody wants this process to end, and says by which signal.
async fn interrupt() -> io::Result<&'static str> {
    let mut interrupt = signal(SignalKind::interrupt())?;
    let mut terminate = signal(SignalKind::terminate())?;
    let mut hangup = signal(SignalKind::hangup())?;
    Ok(tokio::select! {
        _ = interrupt.recv() => "SIGINT",
        _ = terminate.recv() => "SIGTERM",
        _ = hangup.recv() => "SIGHUP",
    })
}
