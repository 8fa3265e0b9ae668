//! The parsers of the language between services under libFuzzer, which sees what ways an input takes
//! and looks for more of them.

use std::fs;
use std::path::PathBuf;
use std::process::Stdio;

use anyhow::Context as _;
use tokio::process::Command;

use super::cargo::Cargo;
use crate::workspace::root;

/// How many seconds each target is tried.
const SECONDS: u32 = 120;
/// An input that takes so many seconds hangs.
const HANGS: u32 = 10;

/// Tries every target where cargo-fuzz is installed, and says so where it is not. What breaks one
/// stays in `fuzz/artifacts`.
pub(super) async fn run() -> anyhow::Result<()> {
    if !is_installed().await {
        eprintln!("left out: cargo-fuzz is not installed (`cargo install cargo-fuzz`)");
        return Ok(());
    }
    for target in targets()? {
        let run = command(&target)?;
        eprintln!("{}", run.line());
        run.run(|_| ()).await?;
    }
    Ok(())
}

async fn is_installed() -> bool {
    let mut version = Command::new(Cargo::program());
    let version = version.args(["fuzz", "--version"]).stdin(Stdio::null());
    version.output().await.is_ok_and(|output| output.status.success())
}

/// The names of all targets, in order.
fn targets() -> anyhow::Result<Vec<String>> {
    let files = fs::read_dir(folder().join("fuzz_targets")).context("fuzz/fuzz_targets")?;
    let paths = files.map(|file| Ok(file?.path())).collect::<anyhow::Result<Vec<PathBuf>>>()?;
    let names = paths.iter().filter_map(|path| path.file_stem()?.to_str());
    let mut names: Vec<_> = names.map(ToOwned::to_owned).collect();
    names.sort();
    Ok(names)
}

/// Goes on from what was found before, and from the seeds. Without a sanitizer, as our own code is
/// safe Rust: so any toolchain will do.
fn command(target: &str) -> anyhow::Result<Cargo> {
    let shown = |path: PathBuf| path.display().to_string();
    let built = root().join("target/fuzz");
    let corpus = built.join("corpus").join(target);
    fs::create_dir_all(&corpus)?;
    let inputs = [corpus, folder().join("seeds").join(target)].map(shown);
    let (folder, built) = (shown(folder()), shown(built));
    let (most, hangs) = (format!("-max_total_time={SECONDS}"), format!("-timeout={HANGS}"));
    Ok(Cargo::new("fuzz")
        .args(["run", "--sanitizer", "none", "--fuzz-dir", &folder, "--target-dir", &built, target])
        .args(inputs.iter().map(String::as_str))
        .args(["--", &most, &hangs, "-verbosity=0"]))
}

fn folder() -> PathBuf {
    root().join("fuzz")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_target_is_built_and_begins_with_what_is_nearly_good() {
        let manifest = fs::read_to_string(folder().join("Cargo.toml")).unwrap();
        let targets = targets().unwrap();

        assert_eq!(manifest.matches("[[bin]]").count(), targets.len());
        for target in targets {
            assert!(manifest.contains(&format!("path = \"fuzz_targets/{target}.rs\"")), "{target}");
            let mut seeds = fs::read_dir(folder().join("seeds").join(&target)).expect(&target);
            assert!(seeds.next().is_some(), "{target}");
        }
    }
}
