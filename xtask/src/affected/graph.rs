//! What each service is built from, as cargo sees it.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context as _, ensure};
use serde::Deserialize;

/// What all services are built by, whichever crates they use.
const EVERYONE: [&str; 3] = [".cargo/**", "Cargo.lock", "Cargo.toml"];

/// What images are built by.
const IMAGES: [&str; 2] = [".dockerignore", "Dockerfile"];

/// What tests are judged by.
const TESTS: [&str; 3] = [".github/workflows/service.yaml", "clippy.toml", "rustfmt.toml"];

/// The crate that proves that services keep the shop's promises.
const AUDITOR: &str = "auditor";

/// What one wants to do anew when something changes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Purpose {
    /// Build the image.
    Image,
    /// Test the service, and see that its image builds.
    Test,
}

/// The packages of the workspace and how they use each other.
#[derive(Debug)]
pub(super) struct Graph {
    packages: BTreeMap<String, Package>,
}

#[derive(Debug)]
struct Package {
    /// Its folder, from the workspace.
    folder: String,
    used: Vec<String>,
    tested_with: Vec<String>,
}

#[derive(Deserialize)]
struct Metadata {
    packages: Vec<Listed>,
}

#[derive(Deserialize)]
struct Listed {
    name: String,
    manifest_path: PathBuf,
    dependencies: Vec<Dependency>,
}

#[derive(Deserialize)]
struct Dependency {
    name: String,
    kind: Option<String>,
    path: Option<PathBuf>,
}

impl Graph {
    /// Asks cargo.
    pub(super) fn read(root: &Path) -> anyhow::Result<Self> {
        let cargo = std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into());
        let output = Command::new(cargo)
            .args(["metadata", "--format-version", "1", "--no-deps", "--manifest-path"])
            .arg(root.join("Cargo.toml"))
            .output()
            .context("asking cargo for the workspace")?;
        let said = String::from_utf8_lossy(&output.stderr);
        ensure!(output.status.success(), "cargo metadata: {said}");
        let metadata: Metadata = serde_json::from_slice(&output.stdout)?;
        let packages = metadata.packages.into_iter().map(|it| package(it, root));
        Ok(Self { packages: packages.collect::<anyhow::Result<_>>()? })
    }

    /// The names of the services, in order.
    pub(super) fn services(&self) -> impl Iterator<Item = &str> {
        let services = self.packages.iter().filter(|(_, it)| it.folder.starts_with("services/"));
        services.map(|(name, _)| name.as_str())
    }

    /// The names of what has an image, in order: the auditor, which reads what all services write, and
    /// the services.
    pub(super) fn images(&self) -> impl Iterator<Item = &str> {
        std::iter::once(AUDITOR).chain(self.services())
    }

    /// The patterns of all files that make a service what it is, in order.
    pub(super) fn inputs(&self, service: &str, purpose: Purpose) -> BTreeSet<String> {
        let mut inputs: BTreeSet<String> = self
            .crates(service, purpose)
            .into_iter()
            .map(|name| format!("{}/**", self.packages[name].folder))
            .collect();
        inputs.extend(EVERYONE.iter().chain(&IMAGES).map(|&it| it.to_owned()));
        if purpose == Purpose::Test {
            inputs.extend(TESTS.iter().map(|&it| it.to_owned()));
            inputs.insert(format!(".github/workflows/{service}.yaml"));
            inputs.insert(format!("docs/openapi/{service}.json"));
        }
        inputs
    }

    /// The service, and the crates of the workspace that are compiled with it. What a crate is
    /// itself tested with is not.
    fn crates(&self, service: &str, purpose: Purpose) -> BTreeSet<&str> {
        let (service, package) = self.packages.get_key_value(service).expect("it is of the graph");
        let mut found = BTreeSet::from([service.as_str()]);
        let mut open: Vec<&str> = package.used.iter().map(String::as_str).collect();
        if purpose == Purpose::Test {
            open.extend(package.tested_with.iter().map(String::as_str));
        }
        while let Some(name) = open.pop() {
            if found.insert(name) {
                open.extend(self.packages[name].used.iter().map(String::as_str));
            }
        }
        found
    }
}

fn package(listed: Listed, root: &Path) -> anyhow::Result<(String, Package)> {
    let folder = listed.manifest_path.parent().and_then(|it| it.strip_prefix(root).ok());
    let folder = folder.and_then(Path::to_str).context("a package outside of the workspace")?;
    let mut package = Package { folder: folder.to_owned(), used: vec![], tested_with: vec![] };
    for dependency in listed.dependencies.into_iter().filter(|it| it.path.is_some()) {
        match dependency.kind.as_deref() {
            Some("dev") => package.tested_with.push(dependency.name),
            _ => package.used.push(dependency.name),
        }
    }
    Ok((listed.name, package))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::workspace::root;

    #[test]
    fn a_service_is_built_from_its_crates_and_tested_with_more() {
        let graph = Graph::read(&root()).unwrap();

        let (image, test) =
            (graph.inputs("cart", Purpose::Image), graph.inputs("cart", Purpose::Test));

        for input in ["services/cart/**", "crates/common/**", "crates/contracts/**", "Cargo.lock"] {
            assert!(image.contains(input) && test.contains(input), "{input}");
        }
        assert!(test.contains("crates/testkit/**") && !image.contains("crates/testkit/**"));
        assert!(!test.contains("services/order/**"), "no service is built from another");
    }

    #[test]
    fn the_auditor_has_an_image_of_its_own() {
        let graph = Graph::read(&root()).unwrap();

        assert!(graph.images().any(|name| name == AUDITOR));
        assert!(graph.images().count() == 1 + graph.services().count());
        let inputs = graph.inputs(AUDITOR, Purpose::Image);
        assert!(inputs.contains("crates/auditor/**") && inputs.contains("crates/contracts/**"));
        assert!(!graph.inputs("order", Purpose::Image).contains("crates/auditor/**"));
    }

    #[test]
    fn every_folder_below_services_is_a_service() {
        let folders = std::fs::read_dir(root().join("services")).unwrap();
        let mut folders: Vec<_> =
            folders.map(|it| it.unwrap().file_name().into_string().unwrap()).collect();
        folders.sort();

        assert_eq!(Graph::read(&root()).unwrap().services().collect::<Vec<_>>(), folders);
    }
}
