//! Everything that people and CI type: `cargo xtask --help`.

mod affected;
mod audit;
mod bench;
mod chaos;
mod checks;
mod cli;
mod manifests;
mod test;
mod up;
mod workspace;

use std::process::ExitCode;

use clap::Parser as _;

#[tokio::main]
async fn main() -> ExitCode {
    match cli::Cli::parse().run().await {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("error: {error:#}");
            ExitCode::FAILURE
        }
    }
}
