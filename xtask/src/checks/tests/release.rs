//! What starts a release, what it knows of the commits before it, and what is kept between builds.

use std::os::unix::fs::PermissionsExt as _;
use std::process::Command;

use testkit::Scratch;
use yaml_serde::Value;

use super::own;
use crate::workspace::root;

/// Plays Google, and writes down what was asked for.
const CURL: &str = r#"#!/usr/bin/env bash
echo "${*: -1}" > "$ASKED"
echo '{ "token": "for-an-hour", "expirationTime": "2026-01-01T00:00:00Z" }'
"#;

#[test]
fn a_build_takes_in_the_history_that_it_got_not_along() {
    let scratch = Scratch::new().unwrap();
    let folder = scratch.path();
    for (name, script) in [("curl", CURL), ("gcloud", "#!/bin/sh\necho somebody\n")] {
        std::fs::write(folder.join(name), script).unwrap();
        let executable = std::fs::Permissions::from_mode(0o755);
        std::fs::set_permissions(folder.join(name), executable).unwrap();
    }
    let script = "export PATH=\"$PWD:$PATH\" ASKED=\"$PWD/asked\"
        git init -q all && cd all && git config user.name a && git config user.email a@b
        git commit -q --allow-empty -m one && git commit -q --allow-empty -m two && cd ..
        git clone -q --depth 1 \"file://$PWD/all\" build && cd build
        test $(git rev-list --count HEAD) = 1
        \"$0\" projects/p/repositories/souk && \"$0\" projects/p/repositories/souk
        git rev-list --count HEAD";

    let history = root().join("infra/gke/history.sh");
    let read = Command::new("bash").args(["-ec", script]).arg(history).current_dir(folder).output();

    let read = read.unwrap();
    assert_eq!(String::from_utf8_lossy(&read.stdout), "2\n", "{read:?}");
    let asked = std::fs::read_to_string(folder.join("asked")).unwrap();
    let address = "https://cloudbuild.googleapis.com/v2/projects/p/repositories/souk";
    assert_eq!(asked.trim(), format!("{address}:accessReadToken"));
}

#[test]
fn a_release_leaves_out_nothing_that_is_compiled_in() {
    let trigger: Value = yaml_serde::from_str(&own("infra/gke/triggers/release.yaml")).unwrap();

    let ignored = trigger["ignoredFiles"].as_sequence().unwrap().iter();
    for pattern in ignored.map(|it| it.as_str().unwrap()) {
        let first = pattern.split('/').next().unwrap();
        assert!(["README.md", "infra", ".github", "docs"].contains(&first), "{pattern}");
        assert!(first != "infra" || pattern.ends_with("/README.md"), "{pattern}");
    }
}

#[test]
fn tools_are_kept_until_their_versions_change() {
    for workflow in ["service", "souk"] {
        let workflow = own(&format!(".github/workflows/{workflow}.yaml"));
        let mut keys = workflow.split("hashFiles(").filter_map(|rest| rest.split(')').next());
        let key = keys.find(|files| files.contains("tools.rs")).unwrap();
        let named = [
            "'crates/testkit/src/tools.rs'",
            "'crates/testkit/src/tools/**'",
            "'crates/testkit/src/*/requirements.txt'",
            "'xtask/src/checks/*.txt'",
        ];
        for files in named {
            assert!(key.contains(files), "{files} in {key}");
        }
    }
}
