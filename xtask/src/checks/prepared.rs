//! What the tools look at that is not a file yet.

use std::path::{Path, PathBuf};

use anyhow::{Context as _, ensure};
use testkit::tools;
use tokio::process::Command;

/// The overlays as a cluster gets them.
pub(super) const RENDERED: &str = "target/checks/overlays/*";

/// The documents of skaffold.yaml, one a file.
pub(super) const MODULES: &str = "target/checks/skaffold/*";

/// Renders every overlay.
pub(super) async fn overlays(root: &Path) -> anyhow::Result<()> {
    let kubectl = tools::kubectl(&|line| eprintln!("{line}")).await?;
    let folder = fresh(root, RENDERED)?;
    let overlays = root.join("infra/k8s/overlays");
    for overlay in std::fs::read_dir(&overlays).context("infra/k8s/overlays")? {
        let (name, overlay) = overlay.map(|it| (it.file_name(), it.path()))?;
        let output = Command::new(&kubectl).arg("kustomize").arg(&overlay).output().await?;
        let said = String::from_utf8_lossy(&output.stderr);
        ensure!(output.status.success(), "{} cannot be rendered: {said}", overlay.display());
        let rendered = folder.join(name).with_extension("yaml");
        std::fs::write(&rendered, output.stdout)?;
    }
    Ok(())
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
