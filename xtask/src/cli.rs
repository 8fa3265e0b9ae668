//! The commands and their arguments.

use clap::{Parser, Subcommand};

use crate::manifests::containers;
use crate::{affected, audit, bench, chaos, checks, test, up};

/// Builds, runs and tests Souk.
#[derive(Debug, Parser)]
#[command(name = "cargo xtask", bin_name = "cargo xtask")]
pub(crate) struct Cli {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Run the whole shop on this machine, until Ctrl-C.
    Up(up::Args),
    /// Check and test the whole workspace, with a real mongod and nats-server.
    Test(test::Args),
    /// Measure how fast the shop is, and write it to docs/bench.
    Bench(bench::Args),
    /// Let things go wrong while people buy, and prove that every promise is kept.
    Chaos(chaos::Args),
    /// Prove that the shop that runs on this machine keeps its promises.
    Audit(audit::Args),
    /// Check manifests, workflows, the image's recipe and the dependencies, without a cluster.
    Manifests(checks::Args),
    /// Build the images, and run the laptop's manifests in containers, where podman is.
    Containers(containers::Args),
    /// Say which services a change touches.
    Affected(affected::Args),
}

impl Cli {
    /// Does what was asked for.
    pub(crate) async fn run(self) -> anyhow::Result<()> {
        match self.command {
            Command::Up(args) => up::run(args).await,
            Command::Test(args) => test::run(args).await,
            Command::Bench(args) => bench::run(args).await,
            Command::Chaos(args) => chaos::run(args).await,
            Command::Audit(args) => audit::run(&args),
            Command::Manifests(args) => checks::run(&args).await,
            Command::Containers(args) => containers::run(&args).await,
            Command::Affected(args) => affected::run(&args),
        }
    }
}
