//! All that can be said of manifests, workflows, the image and the dependencies without a cluster.

mod check;
mod inventory;
mod prepared;
#[cfg(test)]
mod tests;
mod tools;

use std::path::Path;

use anyhow::bail;
use futures_util::{StreamExt as _, stream};

use self::check::Check;
use self::tools::Tools;
use crate::manifests;
use crate::workspace::root;

/// How many tools run at the same time.
const SIDE_BY_SIDE: usize = 2;

/// How much is checked.
#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    /// Also run what takes long to install.
    #[arg(long)]
    pub(crate) full: bool,
}

/// Runs every check, and says of each that fails what is wrong and where.
pub(crate) async fn run(args: &Args) -> anyhow::Result<()> {
    let root = root();
    let tools = Tools::install(args.full).await?;
    prepared::modules(&root)?;
    let rendered = prepared::overlays(&root).await?;
    let checks = inventory::ALWAYS.into_iter().chain(args.full.then_some(inventory::HARDENING));
    let outcomes: Vec<bool> = stream::iter(checks)
        .map(|check| report(check, &tools, &root))
        .buffered(SIDE_BY_SIDE)
        .collect()
        .await;
    let failed = outcomes.iter().filter(|passed| !**passed).count();
    if failed > 0 {
        bail!("{failed} of {} checks failed", outcomes.len());
    }
    manifests::run(&root, &rendered).await
}

/// Runs a check and says how it went; whether it passed.
async fn report(check: Check, tools: &Tools, root: &Path) -> bool {
    let outcome = check.run(tools, root).await;
    match &outcome {
        Ok(()) => eprintln!("passed: {check}"),
        Err(reason) => eprintln!("failed: {check}\n{reason:#}"),
    }
    outcome.is_ok()
}
