//! The scripts that mongosh runs in a cluster.

use std::path::{Path, PathBuf};

use testkit::process::Spec;
use testkit::tools;

use super::super::cluster::{Container, list};
use crate::workspace::root;

/// mongosh. Where there is none a test is left out, but not where all of them have to be passed.
///
/// # Panics
/// When there is none and `CI` is set.
pub(super) async fn mongosh() -> Option<PathBuf> {
    wanted(tools::mongosh().await, std::env::var_os("CI").is_some())
}

fn wanted(found: Option<PathBuf>, is_ci: bool) -> Option<PathBuf> {
    assert!(found.is_some() || !is_ci, "CI leaves nothing out, and there is no mongosh");
    found
}

#[test]
fn without_mongosh_a_test_is_left_out() {
    assert_eq!(wanted(None, false), None);
    assert_eq!(wanted(Some("mongosh".into()), true), Some("mongosh".into()));
}

#[test]
#[should_panic(expected = "CI leaves nothing out")]
fn without_mongosh_ci_fails() {
    wanted(None, true);
}

/// What a container runs, with this mongosh and the script from its place in the workspace.
pub(super) fn script(mongosh: &Path, container: Container<'_>, scripts: &str) -> Spec {
    let command = list(&container.0["command"]).filter_map(|word| word.as_str());
    let words: Vec<_> = command.collect();
    assert_eq!(words[0], "mongosh");
    let scripts = root().join(scripts).display().to_string();
    let args = words[1..].iter().map(|word| word.replace("/scripts", &scripts));
    Spec::new(mongosh).args(args)
}
