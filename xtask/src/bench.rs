//! Measures how fast the shop is, on a fleet of its own.

mod accounts;
mod buyer;
mod chart;
mod climb;
mod crowd;
mod double;
mod figure;
mod groups;
mod index;
mod ladder;
mod load;
mod machine;
mod measure;
mod observed;
mod page;
mod record;
mod seed;
mod shares;
mod stage;
mod trail;

use std::fs;
use std::os::unix::process::CommandExt as _;
use std::process::Command;
use std::time::{Duration, Instant};

use anyhow::{Context as _, bail};
use testkit::Scratch;
use tokio_util::sync::CancellationToken;

use self::index::Index;
use self::machine::Machine;
use self::measure::{ALL, Measurement};
use self::page::{Findings, Page};
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
    /// Measure for less than three minutes altogether, and write nothing.
    #[arg(long)]
    quick: bool,

    /// Build without optimisation, and write nothing: shows that the bench works, not how fast
    /// the shop is.
    #[arg(long)]
    debug: bool,

    /// Make only this measurement, or these.
    #[arg(long, value_name = "NAME")]
    only: Vec<String>,
}

/// How long is measured, and how much.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Length {
    Full,
    Quick,
}

/// Measures, and ends everything that it started.
pub(crate) async fn run(args: Args) -> anyhow::Result<()> {
    let wanted = wanted(&args.only)?;
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

/// The measurements of these names, or all.
fn wanted(only: &[String]) -> anyhow::Result<Vec<&'static Measurement>> {
    let names: Vec<_> = ALL.iter().map(|it| it.name).collect();
    let unknown = only.iter().find(|name| !names.contains(&name.as_str()));
    if let Some(name) = unknown {
        bail!("there is no measurement {name}; there are: {}", names.join(", "));
    }
    let is_wanted = |it: &&Measurement| only.is_empty() || only.iter().any(|name| it.name == name);
    Ok(ALL.iter().filter(is_wanted).collect())
}

/// Ingress and shoppers are part of this program: it goes on as one that was built like the shop,
/// and with it, so that nothing is built twice.
async fn again_with_optimisation() -> anyhow::Result<()> {
    let itself = up::build(true).await?.join("xtask");
    Err(Command::new(itself).args(std::env::args_os().skip(1)).exec())
        .context("going on as an optimised program")
}

async fn measure(
    args: &Args,
    wanted: &[&'static Measurement],
    stop: &CancellationToken,
) -> anyhow::Result<()> {
    let data = Scratch::new().context("making a folder for the data")?;
    let machine = Machine::look(data.path()).await?;
    let apart = up::Args::apart(data.path().join("shop"), !args.debug);
    let measured = up::with(&apart, stop, async |open| {
        let stage = Stage::set(open).await?;
        let run = Run { args, machine: &machine, began: Instant::now() };
        run.all(&stage, wanted).await
    });
    measured.await?.context("stopped before everything was measured")
}

/// One run of the bench.
struct Run<'a> {
    args: &'a Args,
    machine: &'a Machine,
    began: Instant,
}

impl Run<'_> {
    async fn all(&self, stage: &Stage<'_>, wanted: &[&'static Measurement]) -> anyhow::Result<()> {
        let length = if self.args.quick { Length::Quick } else { Length::Full };
        let mut figures = Vec::new();
        for (number, measurement) in wanted.iter().enumerate() {
            let (since, of) = (self.began.elapsed().as_secs(), wanted.len());
            say(format_args!("[{since} s] {} of {of}: {} …", number + 1, measurement.name));
            let findings = (measurement.run)(stage, length).await;
            let findings = findings.with_context(|| format!("measuring {}", measurement.name))?;
            self.keep(measurement, &findings)?;
            figures.extend(findings.figures);
        }
        say(format_args!("[{} s] {}", self.began.elapsed().as_secs(), figure::table(&figures)));
        let index = Index { machine: self.machine, measured: wanted, figures: &figures };
        if self.writes() && self.args.only.is_empty() {
            fs::write(place(PAGES).join("README.md"), index.to_string())?;
        }
        Ok(())
    }

    /// Shows a page, and writes it with its pictures.
    fn keep(&self, measurement: &Measurement, findings: &Findings) -> anyhow::Result<()> {
        let page = Page { measurement, machine: self.machine, findings };
        say(&page);
        for chart in &findings.charts {
            let svg = chart.svg()?;
            if self.writes() {
                fs::write(place(PAGES).join(measurement.picture(chart)), svg)?;
            }
        }
        if self.writes() {
            fs::write(place(PAGES).join(format!("{}.md", measurement.name)), page.to_string())?;
        }
        Ok(())
    }

    /// Whether what was measured says how fast the shop is.
    fn writes(&self) -> bool {
        !self.args.quick && !self.args.debug
    }
}

impl Length {
    /// So many seconds.
    fn of(self, full: u64, quick: u64) -> Duration {
        Duration::from_secs(self.choose(full, quick))
    }

    /// So many milliseconds.
    fn of_millis(self, full: u64, quick: u64) -> Duration {
        Duration::from_millis(self.choose(full, quick))
    }

    /// So many of something.
    fn many(self, full: u32, quick: u32) -> u32 {
        self.choose(full, quick)
    }

    fn is_quick(self) -> bool {
        self == Self::Quick
    }

    fn choose<T>(self, full: T, quick: T) -> T {
        if self.is_quick() { quick } else { full }
    }
}
