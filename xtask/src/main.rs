//! Everything that people and CI type: `cargo xtask --help`.

mod cli;
mod test;
mod up;

use clap::Parser as _;

#[tokio::main]
async fn main() -> anyhow::Result<()> {
    cli::Cli::parse().run().await
}
