//! Checks and tests the whole workspace.

mod cargo;
mod fuzz;
mod servers;
mod tally;

use std::io;
use std::num::NonZero;
use std::time::Instant;

use anyhow::{bail, ensure};
use tokio::signal::unix::{SignalKind, signal};

use self::cargo::Cargo;
use self::servers::Servers;
use self::tally::Tally;
use crate::checks;

/// How many seconds each parser of foreign bytes is tried; it takes longer when tests may.
const FUZZ: &str = "8";
/// How many tests of one binary run at once.
const THREADS: &str = "RUST_TEST_THREADS";

/// How much is tested.
#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    /// Also run the tests that take long.
    #[arg(long)]
    full: bool,
    /// Run only the tests whose name contains this.
    #[arg(long, value_name = "NAME")]
    filter: Option<String>,
    /// Check and test only these packages, and nothing that is not code.
    #[arg(long = "package", short, value_name = "NAME")]
    packages: Vec<String>,
}

/// Runs every check and stops at the first that fails; what it started ends with it.
pub(crate) async fn run(args: Args) -> anyhow::Result<()> {
    tokio::select! {
        checked = check(&args) => checked,
        interrupted = interrupt() => bail!("stopped by {}", interrupted?),
    }
}

async fn check(args: &Args) -> anyhow::Result<()> {
    let narrow = !args.packages.is_empty();
    let fmt = Cargo::new("fmt");
    let fmt = if narrow { fmt.args(args.packages()) } else { fmt.args(["--all"]) };
    step(fmt.args(["--check"])).await?;
    let build = Cargo::linting("test").args(args.packages()).args(["--locked", "--no-run"]);
    step(build.args(["--all-targets"])).await?;
    step(Cargo::linting("build").args(args.packages()).args(["--locked"])).await?;
    if !narrow {
        time("cargo xtask manifests", checks::run(&checks::Args { full: args.full })).await?;
    }

    let servers = Servers::start().await?;
    test(servers.tell(Cargo::linting("test")), args).await?;
    if args.full && !narrow && args.filter.is_none() {
        time("cargo fuzz", fuzz::run()).await?;
    }
    Ok(())
}

/// Runs twice as many tests at once as there are processors, unless the environment says how many:
/// most of the time they wait for servers.
fn with_threads(cargo: Cargo) -> Cargo {
    if std::env::var_os(THREADS).is_some() {
        return cargo;
    }
    let processors = std::thread::available_parallelism().map_or(1, NonZero::get);
    cargo.env(THREADS, (2 * processors).to_string())
}

/// Runs the tests, and says at the end how many passed and failed.
async fn test(cargo: Cargo, args: &Args) -> anyhow::Result<()> {
    let (variable, value) =
        if args.full { ("SOUK_FULL", "1") } else { ("SOUK_FUZZ_SECONDS", FUZZ) };
    let cargo =
        cargo.env(variable, value).args(args.packages()).args(["--locked", "--no-fail-fast"]);
    let cargo = with_threads(cargo.args(args.filter.as_deref()));
    let mut tally = Tally::default();
    let tested = time(cargo.line(), cargo.run(|line| tally.add(line))).await;
    tally.close();
    println!("{tally}");
    tested?;
    ensure!(tally.passed > 0, "no test ran");
    Ok(())
}

impl Args {
    /// The packages that are meant, as cargo likes to be told.
    fn packages(&self) -> impl Iterator<Item = &str> {
        let all = self.packages.is_empty().then_some("--workspace");
        let some = self.packages.iter().flat_map(|name| ["--package", name.as_str()]);
        all.into_iter().chain(some)
    }
}

async fn step(cargo: Cargo) -> anyhow::Result<()> {
    time(cargo.line(), cargo.run(|_| ())).await
}

/// Does one step, and says what it is and how long it took.
async fn time(what: &str, step: impl Future<Output = anyhow::Result<()>>) -> anyhow::Result<()> {
    eprintln!("==> {what}");
    let began = Instant::now();
    let ran = step.await;
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
