//! Measures how fast the shop is, on a fleet of its own.

mod load;
mod machine;
mod measure;
mod page;
mod record;
mod stage;
mod trail;

use std::fs;
use std::os::unix::process::CommandExt as _;
use std::process::Command;
use std::time::Duration;

use anyhow::{Context as _, bail, ensure};
use testkit::Scratch;
use testkit::process::{Process, Spec};
use tokio_util::sync::CancellationToken;

use self::machine::Machine;
use self::measure::{ALL, Measurement};
use self::page::Page;
use self::stage::Stage;
use crate::up::{self, place, say};

/// Where the pages are.
const PAGES: &str = "docs/bench";

const HELP: &str = "\
Builds with optimisation, starts a fleet of its own on free ports and temporary data, measures \
through the ingress and ends all of it, also on Ctrl-C. Every measurement prints its page and \
writes it to docs/bench. Let the machine have nothing else to do meanwhile.";

/// What is measured, and for how long.
#[derive(Clone, Debug, clap::Args)]
#[command(after_help = HELP)]
pub(crate) struct Args {
    /// Measure for a few seconds only, and write nothing.
    #[arg(long)]
    quick: bool,

    /// Build without optimisation, and write nothing: shows that the bench works, not how fast
    /// the shop is.
    #[arg(long)]
    debug: bool,

    /// Make only this measurement.
    #[arg(long, value_name = "NAME")]
    only: Option<String>,
}

/// How long is measured.
#[derive(Clone, Copy, Debug)]
struct Length {
    warm_up: Duration,
    measured: Duration,
}

/// Measures, and ends everything that it started.
pub(crate) async fn run(args: Args) -> anyhow::Result<()> {
    let wanted = wanted(args.only.as_deref())?;
    if cfg!(debug_assertions) && !args.debug {
        return again_with_optimisation().await;
    }
    let stop = CancellationToken::new();
    tokio::select! {
        biased;
        second = up::signals(&stop) => bail!("aborted by {}", second?),
        measured = measure(&args, &wanted, &stop) => measured,
    }
}

/// The measurements of this name, or all.
fn wanted(only: Option<&str>) -> anyhow::Result<Vec<&'static Measurement>> {
    let is_wanted = |it: &&Measurement| only.is_none_or(|name| it.name == name);
    let wanted: Vec<_> = ALL.iter().filter(is_wanted).collect();
    let names: Vec<_> = ALL.iter().map(|it| it.name).collect();
    ensure!(!wanted.is_empty(), "there is no such measurement; there are: {}", names.join(", "));
    Ok(wanted)
}

/// Ingress and shoppers are part of this program: it goes on as one that was built like the shop.
async fn again_with_optimisation() -> anyhow::Result<()> {
    let cargo = std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into());
    let build = Spec::new(cargo)
        .args(["build", "--release", "--package", "xtask", "--manifest-path"])
        .arg(place("Cargo.toml"));
    let code = Process::start(&build).context("starting cargo")?.wait().await;
    ensure!(code == 0, "the bench does not build");
    let own = std::env::current_exe().context("finding the folder of this program")?;
    let target = own.ancestors().nth(2).context("this program lies in no target folder")?;
    let itself = target.join("release/xtask");
    Err(Command::new(itself).args(std::env::args_os().skip(1)).exec())
        .context("going on as an optimised program")
}

async fn measure(
    args: &Args,
    wanted: &[&Measurement],
    stop: &CancellationToken,
) -> anyhow::Result<()> {
    let data = Scratch::new().context("making a folder for the data")?;
    let machine = Machine::look(data.path()).await?;
    let apart = up::Args::apart(data.path().join("shop"), !args.debug);
    let length = Length::of(args);
    let measured = up::with(&apart, stop, async |open| {
        let stage = Stage::set(open).await?;
        for measurement in wanted {
            say(format_args!("measuring {} …", measurement.name));
            let findings = (measurement.run)(&stage, length).await?;
            let page = Page { measurement, machine: &machine, findings: &findings };
            say(&page);
            if !args.quick && !args.debug {
                fs::write(place(PAGES).join(format!("{}.md", measurement.name)), page.to_string())?;
            }
        }
        Ok(())
    });
    measured.await?.context("stopped before everything was measured")
}

impl Length {
    const fn of(args: &Args) -> Self {
        let (warm_up, measured) = if args.quick || args.debug { (5, 10) } else { (20, 120) };
        Self { warm_up: Duration::from_secs(warm_up), measured: Duration::from_secs(measured) }
    }
}
