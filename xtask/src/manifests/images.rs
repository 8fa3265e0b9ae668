//! Whether every image is built here, or is a certain one of somebody else's.

use std::collections::BTreeSet;
use std::path::Path;

use anyhow::Context as _;
use serde::Deserialize as _;
use serde_json::Value;

use super::cluster::{Cluster, list, text};

/// The names of images.
pub(super) type Artifacts = BTreeSet<String>;

/// The images that Skaffold builds.
pub(super) fn artifacts(root: &Path) -> anyhow::Result<Artifacts> {
    let skaffold = std::fs::read_to_string(root.join("skaffold.yaml")).context("skaffold.yaml")?;
    let modules = yaml_serde::Deserializer::from_str(&skaffold);
    let modules = modules.map(Value::deserialize).collect::<Result<Vec<_>, _>>();
    let modules = modules.context("skaffold.yaml")?;
    let artifacts = modules.iter().flat_map(|module| list(&module["build"]["artifacts"]));
    Ok(artifacts.map(|artifact| text(artifact, "/image").to_owned()).collect())
}

/// The images that nobody builds, or that may be another tomorrow.
pub(super) fn problems(cluster: &Cluster, artifacts: &Artifacts) -> Vec<String> {
    let images =
        cluster.pods().flat_map(|pods| pods.containers().map(move |it| (pods, it.image())));
    let loose = images.filter(|(_, image)| !artifacts.contains(*image) && !is_pinned(image));
    let say = |owner: String, image: &str| {
        format!("{owner}: {image} is built by no module of skaffold.yaml and has no exact version")
    };
    loose.map(|(pods, image)| say(pods.owner.title(), image)).collect()
}

/// Whether it names three numbers of a version, or a digest.
fn is_pinned(image: &str) -> bool {
    let version = image.rsplit_once(':').map(|(_, tag)| tag).unwrap_or_default();
    let numbers: Vec<_> = version.split('-').next().unwrap_or_default().split('.').collect();
    let all_are = numbers.iter().all(|number| number.parse::<u32>().is_ok());
    image.contains("@sha256:") || (numbers.len() == 3 && all_are)
}
