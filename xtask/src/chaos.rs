//! Lets a shop of its own suffer everything that may happen, while people buy, and proves that it
//! keeps its promises.

mod audit;
mod crowd;
mod dice;
mod fault;
mod house;
mod ledger;
mod mischief;
mod person;
mod quiet;
mod record;
mod replica;
mod schedule;
mod shelves;
#[cfg(test)]
mod tests;
mod visitor;

use std::io;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use anyhow::{Context as _, bail, ensure};
use testkit::Scratch;
use testkit::fleet::Service;
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;

use self::house::House;
use self::ledger::Ledger;
use self::person::Street;
use self::record::Record;
use self::schedule::schedule;
use crate::up::{self, build, say};

const HELP: &str = "\
Starts a replica set of three mongods, nats-server and two replicas of every service on free ports \
and temporary data, and lets shoppers of all kinds come at a steady rate, however slow the shop is. \
Meanwhile services are killed, stopped and doubled and their clocks set wrong; mongod's primary is \
killed, frozen, stepped down and cut off; NATS is killed, stopped, frozen and cut off; connections \
are reset, and files cannot grow. Then all of it ends, and when the shop has come to rest it is audited. \
The same seed and length do the same at the same times.

Ends with success when no promise was broken. Else the data and all logs are kept, and it is said \
where. Ctrl-C ends everything.";

/// How long, and what.
#[derive(Clone, Copy, Debug, clap::Args)]
#[command(after_help = HELP)]
pub(crate) struct Args {
    /// How long shoppers come and things go wrong, in minutes; such as 10 or 0.5.
    #[arg(long, default_value_t = 3.0, value_parser = minutes)]
    minutes: f64,

    /// What happens when.
    #[arg(long, default_value_t = 1)]
    seed: u64,

    /// How many shoppers come each second.
    #[arg(long, default_value_t = 5, value_parser = clap::value_parser!(u32).range(1..=1000))]
    rate: u32,

    /// Build with optimisation. Clocks are right then: only other builds can be told otherwise.
    #[arg(long)]
    release: bool,
}

/// Runs it, and ends everything that it started.
pub(crate) async fn run(args: Args) -> anyhow::Result<()> {
    let stop = CancellationToken::new();
    let suffered = async {
        let built = up::phase("building the services", build(args.release)).await?;
        let programs = Scratch::new().context("making a folder for the programs")?;
        put_aside(&built, programs.path()).await.context("copying the programs")?;
        suffer(args, programs.path()).await
    };
    tokio::select! {
        biased;
        second = up::signals(&stop) => bail!("aborted by {}", second?),
        () = stop.cancelled() => bail!("stopped before it was over"),
        suffered = suffered => suffered,
    }
}

/// Copies what will run: a replica that starts later is the same program, whatever is built meanwhile.
async fn put_aside(built: &Path, folder: &Path) -> io::Result<()> {
    for program in Service::ALL.map(Service::name).into_iter().chain(["auditor"]) {
        tokio::fs::copy(built.join(program), folder.join(program)).await?;
    }
    Ok(())
}

/// Everything, with services that are built.
pub(crate) async fn suffer(args: Args, binaries: &Path) -> anyhow::Result<()> {
    let scratch = Scratch::new().context("making a folder for the data")?;
    let house = up::phase("starting the servers", House::open(scratch.path(), binaries)).await?;
    let (record, ledger) = (Record::default(), Ledger::default());
    let street = Arc::new(Street { house, record, ledger });
    let outcome = tokio::select! {
        kept = street.house.keep() => kept,
        done = endure(args, &street, binaries) => done,
    };
    say(format_args!("\n{}", street.record));
    if let Err(reason) = &outcome {
        street.house.violated(format!("it could not go on: {reason:#}"));
    }
    verdict(args, &street.house, scratch)
}

/// From the opening of the shop to its closing.
async fn endure(args: Args, street: &Arc<Street>, binaries: &Path) -> anyhow::Result<()> {
    let house = &street.house;
    up::phase("starting the services", house.until_ready()).await?;
    let staff = shelves::fill(street).await?;

    let length = Duration::from_secs_f64(args.minutes * 60.0);
    let misfortunes = schedule(args.seed, length);
    let (begin, crowd) = (Instant::now(), (args.seed, args.rate));
    tokio::try_join!(
        crowd::arrive(street, &staff, crowd, (begin, length)),
        mischief::befall(house, &misfortunes, begin),
    )?;

    say(format_args!("{:6.1} s  everybody left", begin.elapsed().as_secs_f64()));
    quiet::comes(house, &staff).await?;
    quiet::is_kept(street, &staff).await?;
    audit::is_content(house, binaries).await?;
    house.close().await;
    Ok(())
}

/// Says how it went, and keeps what shows why.
fn verdict(args: Args, house: &House, scratch: Scratch) -> anyhow::Result<()> {
    let violations = house.violations();
    let Args { minutes, seed, rate, .. } = args;
    if violations.is_empty() {
        say(format_args!("seed {seed}, {minutes} min, {rate}/s: every promise was kept"));
        return Ok(());
    }
    let folder = scratch.keep().context("keeping the data")?;
    say(format_args!("data and logs are in {}", folder.display()));
    for what in &violations {
        say(format_args!("- {what}"));
    }
    bail!("seed {seed}, {minutes} min, {rate}/s: {} violations", violations.len())
}

fn minutes(text: &str) -> anyhow::Result<f64> {
    let minutes: f64 = text.parse()?;
    ensure!((0.1..=1440.0).contains(&minutes), "between 0.1 and 1440 minutes");
    Ok(minutes)
}
