//! What the tools look at that is not a file yet.

use std::path::{Path, PathBuf};

use anyhow::Context as _;

use crate::manifests::{self, Cluster};

/// The overlays as a cluster gets them.
pub(super) const RENDERED: &str = "target/checks/overlays/*";

/// The documents of skaffold.yaml, one a file.
pub(super) const MODULES: &str = "target/checks/skaffold/*";

/// Renders every overlay.
pub(super) async fn overlays(root: &Path) -> anyhow::Result<Vec<(String, Cluster)>> {
    let folder = fresh(root, RENDERED)?;
    let rendered = manifests::rendered(root).await?;
    for (name, cluster) in &rendered {
        std::fs::write(folder.join(name).with_extension("yaml"), cluster.file())?;
    }
    Ok(rendered)
}

/// Parts skaffold.yaml into its documents, since the tool reads files of one.
pub(super) fn modules(root: &Path) -> anyhow::Result<()> {
    let folder = fresh(root, MODULES)?;
    let all = std::fs::read_to_string(root.join("skaffold.yaml")).context("skaffold.yaml")?;
    for module in all.split("\n---\n") {
        let name = module.lines().find_map(|line| line.strip_prefix("  name: "));
        let name = name.context("a module of skaffold.yaml has no name")?;
        std::fs::write(folder.join(name).with_extension("yaml"), module)?;
    }
    Ok(())
}

/// The folder of these files, emptied.
fn fresh(root: &Path, files: &str) -> anyhow::Result<PathBuf> {
    let folder = root.join(files.trim_end_matches("/*"));
    if folder.exists() {
        std::fs::remove_dir_all(&folder)?;
    }
    std::fs::create_dir_all(&folder)?;
    Ok(folder)
}
