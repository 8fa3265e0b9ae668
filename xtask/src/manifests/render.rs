//! Manifests as a cluster gets them.

use std::path::Path;

use anyhow::{Context as _, ensure};
use serde::Deserialize as _;
use serde_json::{Value, json};
use testkit::{Scratch, tools};
use tokio::process::Command;

use super::cluster::{Cluster, Object};

/// What is checked: an overlay, and the components on top of it.
const RENDERED: [(&str, &[&str]); 7] = [
    ("dev", &[]),
    ("gke", &[]),
    ("dev", &["otel"]),
    ("gke", &["monitoring", "lag-scaling", "otel"]),
    ("gke", &["managed-mongo"]),
    ("dev", &["tls"]),
    ("gke", &["tls"]),
];

/// The name of the ingress controller of a small cluster, which is no overlay.
pub(super) const CONTROLLER: &str = "ingress";

/// Renders every overlay, also with the components that fit it, and the ingress controller; each
/// comes with its name.
pub(crate) async fn all(root: &Path) -> anyhow::Result<Vec<(String, Cluster)>> {
    let mut all = vec![];
    for (overlay, components) in RENDERED {
        let name = [&[overlay], components].concat().join("+");
        all.push((name, one(root, overlay, components).await?));
    }
    all.push((CONTROLLER.to_owned(), controller(root).await?));
    Ok(all)
}

/// Renders the ingress controller of a small cluster.
pub(super) async fn controller(root: &Path) -> anyhow::Result<Cluster> {
    kustomize(&root.join("infra/k8s").join(CONTROLLER), CONTROLLER).await
}

/// Renders an overlay with these components.
pub(super) async fn one(
    root: &Path,
    overlay: &str,
    components: &[&str],
) -> anyhow::Result<Cluster> {
    // kustomize takes no absolute paths.
    let scratch = Scratch::within(&root.join("target"))?;
    let manifests = "../../infra/k8s";
    let components = components.iter().map(|it| format!("{manifests}/components/{it}"));
    let kustomization = json!({
        "resources": [format!("{manifests}/overlays/{overlay}")],
        "namespace": "souk",
        "components": components.collect::<Vec<_>>(),
    });
    std::fs::write(scratch.path().join("kustomization.yaml"), kustomization.to_string())?;
    kustomize(scratch.path(), overlay).await
}

/// Renders the kustomization of a folder; `name` is for the error.
async fn kustomize(folder: &Path, name: &str) -> anyhow::Result<Cluster> {
    let kubectl = tools::kubectl(&|line| eprintln!("{line}")).await?;
    let output = Command::new(kubectl).arg("kustomize").arg(folder).output().await?;
    let said = String::from_utf8_lossy(&output.stderr);
    ensure!(output.status.success(), "{name} cannot be rendered: {said}");
    parse(&String::from_utf8(output.stdout)?)
}

/// Reads YAML of many objects.
pub(super) fn parse(yaml: &str) -> anyhow::Result<Cluster> {
    let documents = yaml_serde::Deserializer::from_str(yaml);
    let objects = documents.map(|document| Value::deserialize(document).map(Object));
    Ok(Cluster(objects.collect::<Result<_, _>>().context("what was rendered is no YAML")?))
}
