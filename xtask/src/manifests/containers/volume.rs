//! The volumes of a pod, as podman mounts them.

use std::path::{Path, PathBuf};

use anyhow::Context as _;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::Value;

use super::super::cluster::{Cluster, Container, Pods, entries, list, text};

/// What a container of a pod is given, as `--volume` takes it. Files are written into this folder.
pub(super) fn mounts(
    cluster: &Cluster,
    pods: Pods<'_>,
    container: Container<'_>,
    folder: &Path,
) -> anyhow::Result<Vec<String>> {
    let mounts = list(&container.0["volumeMounts"]);
    mounts.map(|mount| one(cluster, pods, mount, folder)).collect()
}

fn one(cluster: &Cluster, pods: Pods<'_>, mount: &Value, folder: &Path) -> anyhow::Result<String> {
    let (name, path) = (text(mount, "/name"), text(mount, "/mountPath"));
    let volume = list(&pods.spec()["volumes"]).find(|volume| text(volume, "/name") == name);
    let source = match volume {
        Some(it) if it["configMap"].is_object() || it["secret"].is_object() => {
            files(cluster, it, &folder.join(name))?.display().to_string()
        }
        // Empty at first, and its own: podman keeps it until the pod is gone.
        _ => format!("{}-{}-{name}", prefix(folder), pods.name()),
    };
    // What is its own belongs to whom it runs as.
    let option = if mount["readOnly"] == true { "ro" } else { "U" };
    Ok(format!("{source}:{path}:{option}"))
}

/// The name of the stage, which the folder bears too.
fn prefix(folder: &Path) -> String {
    let stage = folder.parent().and_then(Path::file_name).unwrap_or_default();
    stage.to_string_lossy().into_owned()
}

/// Writes what a `ConfigMap` or a Secret holds.
fn files(cluster: &Cluster, volume: &Value, folder: &Path) -> anyhow::Result<PathBuf> {
    std::fs::create_dir_all(folder)?;
    let (kind, name) = match text(volume, "/configMap/name") {
        "" => ("Secret", text(volume, "/secret/secretName")),
        name => ("ConfigMap", name),
    };
    let object = cluster.find(kind, name).with_context(|| format!("there is no {kind} {name}"))?;
    for (key, value) in entries(object.at("/data")) {
        let value = value.as_str().unwrap_or_default();
        let value = if kind == "Secret" { STANDARD.decode(value)? } else { value.into() };
        std::fs::write(folder.join(key), value)?;
    }
    Ok(folder.to_owned())
}
