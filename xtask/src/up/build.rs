//! Builds the services.

use std::ffi::OsString;
use std::path::PathBuf;

use anyhow::{Context as _, ensure};
use testkit::process::{Process, Spec};

use super::place;

/// Builds every program of the workspace, and says in which folder they are.
pub(crate) async fn build(release: bool) -> anyhow::Result<PathBuf> {
    let binaries = folder(release)?;
    let cargo = std::env::var_os("CARGO").unwrap_or_else(|| OsString::from("cargo"));
    let cargo = Spec::new(cargo)
        .args(["build", "--workspace", "--bins", "--manifest-path"])
        .arg(place("Cargo.toml"))
        .args(release.then_some("--release"));
    let code = Process::start(&cargo).context("starting cargo")?.wait().await;
    ensure!(code == 0, "the services do not build");
    Ok(binaries)
}

/// This program lies in the folder of its own profile; the others have theirs beside it.
fn folder(release: bool) -> anyhow::Result<PathBuf> {
    let own = std::env::current_exe().context("finding the folder of this program")?;
    let target = own.ancestors().nth(2).context("this program lies in no target folder")?;
    Ok(target.join(if release { "release" } else { "debug" }))
}
