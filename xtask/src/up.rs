//! Runs the whole shop on this machine.

/// How the shop is run.
#[derive(Debug, clap::Args)]
pub(crate) struct Args {}

/// Runs the shop until Ctrl-C.
pub(crate) async fn run(args: Args) -> anyhow::Result<()> {
    tokio::task::yield_now().await;
    anyhow::bail!("not there yet: {args:?}")
}
