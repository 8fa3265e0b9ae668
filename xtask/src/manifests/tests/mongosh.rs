//! The scripts that mongosh runs in a cluster.

use std::path::Path;

use testkit::process::Spec;

use super::super::cluster::{Container, list};
use crate::workspace::root;

/// What a container runs, with this mongosh and the script from its place in the workspace.
pub(super) fn script(mongosh: &Path, container: Container<'_>, scripts: &str) -> Spec {
    let command = list(&container.0["command"]).filter_map(|word| word.as_str());
    let words: Vec<_> = command.collect();
    assert_eq!(words[0], "mongosh");
    let scripts = root().join(scripts).display().to_string();
    let args = words[1..].iter().map(|word| word.replace("/scripts", &scripts));
    Spec::new(mongosh).args(args)
}
