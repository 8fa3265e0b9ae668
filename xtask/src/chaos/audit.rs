//! Has the auditor look at everything behind the counter.

use std::path::{Path, PathBuf};
use std::time::Duration;

use anyhow::{Context as _, ensure};
use serde::Deserialize;
use serde_json::Value;
use tokio::process::Command;
use tokio::time::timeout;

use super::house::House;
use crate::up::say;

/// How long it may look.
const BOUND: Duration = Duration::from_mins(5);

/// What it says.
#[derive(Debug, Deserialize)]
struct Audit {
    checked: Value,
    violations: Vec<Violation>,
}

#[derive(Debug, Deserialize)]
struct Violation {
    rule: String,
    #[serde(default)]
    ids: Vec<String>,
    says: String,
}

/// Takes down everything that it finds.
pub(crate) async fn is_content(house: &House, binaries: &Path) -> anyhow::Result<()> {
    let mut auditor = Command::new(auditor(binaries)?);
    auditor.args(["--json", "--quiet"]).kill_on_drop(true);
    auditor.env("MONGODB_URI", house.mongod.uri()).env("NATS_URL", house.nats.url());
    let looked = timeout(BOUND, auditor.output()).await.context("the auditor takes too long")?;
    let looked = looked.context("starting the auditor")?;
    let [said, complaint] = [&looked.stdout, &looked.stderr].map(|it| String::from_utf8_lossy(it));
    ensure!(matches!(looked.status.code(), Some(0 | 1)), "the auditor cannot look: {complaint}");
    let audit: Audit =
        serde_json::from_str(&said).with_context(|| format!("the auditor says: {said}"))?;
    say(format_args!("audited: {}", audit.checked));
    for Violation { rule, ids, says } in audit.violations {
        house.violated(format!("{rule}: {says} ({})", ids.join(", ")));
    }
    Ok(())
}

/// Where it is: without an audit nobody knows whether promises were kept.
fn auditor(binaries: &Path) -> anyhow::Result<PathBuf> {
    let auditor = binaries.join("auditor");
    ensure!(auditor.is_file(), "there is no auditor: {} is not built", auditor.display());
    Ok(auditor)
}

#[cfg(test)]
mod tests {
    use testkit::Scratch;

    use super::*;

    #[test]
    fn without_an_auditor_nothing_passes() {
        let binaries = Scratch::new().unwrap();
        assert!(auditor(binaries.path()).is_err());

        std::fs::write(binaries.path().join("auditor"), "").unwrap();
        assert!(auditor(binaries.path()).is_ok());
    }
}
