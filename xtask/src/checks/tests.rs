//! Each tool is shown a fault of its kind, and names the file and the reason.

mod digests;
mod modules;
mod release;
mod rollout;

use std::path::Path;

use testkit::Scratch;

use super::check::Check;
use super::inventory::{ALWAYS, HARDENING};
use super::prepared;
use super::tools::Tools;
use crate::workspace::root;

/// A folder with these files.
fn folder(files: &[(&str, &str)]) -> Scratch {
    let scratch = Scratch::new().unwrap();
    for (file, text) in files {
        let file = scratch.path().join(file);
        std::fs::create_dir_all(file.parent().unwrap()).unwrap();
        std::fs::write(file, text).unwrap();
    }
    scratch
}

/// One of Souk's own files.
fn own(file: &str) -> String {
    std::fs::read_to_string(root().join(file)).unwrap()
}

fn check(name: &str) -> Check {
    ALWAYS.into_iter().find(|check| check.name == name).unwrap()
}

/// What a check says about these files, which it must refuse.
async fn refusal(check: Check, files: &[(&str, &str)]) -> String {
    let tools = Tools::install(check.name == HARDENING.name).await.unwrap();
    let folder = folder(files);
    check.run(&tools, folder.path()).await.unwrap_err().to_string()
}

#[track_caller]
fn assert_says(said: &str, words: &[&str]) {
    for word in words {
        assert!(said.contains(word), "{word:?} is not in:\n{said}");
    }
}

#[tokio::test]
async fn yaml_with_a_key_that_stands_twice_is_refused() {
    let files = [(".yamllint", &*own(".yamllint")), ("infra/a.yaml", "a: 1\na: 2\n")];

    let said = refusal(check("YAML"), &files).await;

    assert_says(&said, &["infra/a.yaml", "duplication of key \"a\""]);
}

#[tokio::test]
async fn a_manifest_with_a_wrong_field_is_refused() {
    let service =
        |field| format!("apiVersion: v1\nkind: Service\nmetadata: {{name: a}}\nspec: {field}\n");
    let (unknown, mistyped) = (service("{selectors: {a: b}}"), service("{ports: [{port: http}]}"));

    let files = [("target/checks/overlays/dev.yaml", &*unknown)];
    assert_says(&refusal(check("fields of manifests"), &files).await, &["dev.yaml", "selectors"]);
    let files = [("target/checks/overlays/gke.yaml", &*mistyped)];
    assert_says(
        &refusal(check("fields of manifests"), &files).await,
        &["gke.yaml", "port", "http"],
    );
}

#[tokio::test]
async fn an_overlay_that_cannot_be_rendered_is_refused() {
    let folder = folder(&[("infra/k8s/overlays/dev/kustomization.yaml", "resources: [gone.yaml]")]);

    let said = prepared::overlays(folder.path()).await.unwrap_err().to_string();

    assert_says(&said, &["dev cannot be rendered", "gone.yaml"]);
}

#[tokio::test]
async fn a_workflow_with_a_key_that_does_not_exist_is_refused() {
    let workflow = own(".github/workflows/cart.yaml").replace("concurrency:", "concurrent:");

    let files = [(".github/workflows/cart.yaml", &*workflow)];
    let said = refusal(check("keys of workflows"), &files).await;

    assert_says(&said, &["cart.yaml", "concurrent"]);
}

#[tokio::test]
async fn a_workflow_that_speaks_of_what_is_not_there_is_refused() {
    let workflow = own(".github/workflows/service.yaml").replace("inputs.service", "inputs.name");

    let files = [(".github/workflows/service.yaml", &*workflow)];
    let said = refusal(check("expressions of workflows"), &files).await;

    assert_says(&said, &["service.yaml", "\"name\" is not defined"]);
}

#[tokio::test]
async fn a_workflow_that_uses_whatever_an_action_will_be_is_refused() {
    let workflow = own(".github/workflows/service.yaml");
    let (pinned, _) = workflow.split_once(" # v").unwrap();
    let commit = pinned.rsplit('@').next().unwrap();
    let workflow = workflow.replacen(commit, "v7", 1);

    let files = [(".github/workflows/service.yaml", &*workflow)];
    let said = refusal(check("rights of workflows"), &files).await;

    assert_says(&said, &["service.yaml", "unpinned-uses"]);
}

#[tokio::test]
async fn a_pipeline_with_a_step_that_cannot_be_is_refused() {
    let pipeline = own("cloudbuild.yaml").replacen("script:", "scripts:", 1);

    let said = refusal(check("keys of the pipeline"), &[("cloudbuild.yaml", &*pipeline)]).await;

    assert_says(&said, &["cloudbuild.yaml", "scripts"]);
}

#[tokio::test]
async fn a_module_with_a_wrong_key_is_refused() {
    let schema = own("infra/schemas/skaffold-v4beta14.json");
    let skaffold = own("skaffold.yaml").replacen("artifacts:", "artefacts:", 1);
    let tools = Tools::install(false).await.unwrap();
    let files = [("infra/schemas/skaffold-v4beta14.json", &*schema), ("skaffold.yaml", &*skaffold)];
    let folder = folder(&files);
    prepared::modules(folder.path()).unwrap();

    let said = check("keys of skaffold.yaml").run(&tools, folder.path()).await.unwrap_err();

    assert_says(&said.to_string(), &["skaffold/platform.yaml", "artefacts"]);
}

#[tokio::test]
async fn an_image_from_whatever_is_newest_is_refused() {
    let recipe = own("Dockerfile").replace(":1.95.0-slim-bookworm", "");

    let files = [(".hadolint.yaml", &*own(".hadolint.yaml")), ("Dockerfile", &*recipe)];
    let said = refusal(check("image"), &files).await;

    assert_says(&said, &["Dockerfile", "DL3006"]);
}

#[tokio::test]
async fn a_banned_crate_and_an_unknown_licence_are_refused() {
    let package = |name, more| {
        format!(
            "[package]\nname = \"{name}\"\nversion = \"1.0.0\"\nlicense = \"GPL-3.0-only\"\n{more}"
        )
    };
    let user = package("user", "[dependencies]\nring = { path = \"ring\" }\n[workspace]\n");
    let lock = "version = 4\n[[package]]\nname = \"ring\"\nversion = \"1.0.0\"\n\
                [[package]]\nname = \"user\"\nversion = \"1.0.0\"\ndependencies = [\"ring\"]\n";

    let files = [
        ("deny.toml", &*own("deny.toml")),
        ("Cargo.toml", &*user),
        ("Cargo.lock", lock),
        ("src/lib.rs", ""),
        ("ring/Cargo.toml", &*package("ring", "")),
        ("ring/src/lib.rs", ""),
    ];
    let said = refusal(check("licences, sources and banned crates"), &files).await;

    assert_says(&said, &["ring", "there is one cryptography", "GPL-3.0"]);
}

#[tokio::test]
async fn a_dependency_that_nobody_uses_is_refused() {
    let package = "[package]\nname = \"user\"\nversion = \"1.0.0\"\nedition = \"2024\"\n\
                   [dependencies]\nidle = { path = \"idle\" }\n[workspace]\n";
    let idle = "[package]\nname = \"idle\"\nversion = \"1.0.0\"\nedition = \"2024\"\n";

    let files = [
        ("Cargo.toml", package),
        ("src/lib.rs", ""),
        ("idle/Cargo.toml", idle),
        ("idle/src/lib.rs", ""),
    ];
    let said = refusal(check("unused dependencies"), &files).await;

    assert_says(&said, &["Cargo.toml", "idle"]);
}

#[tokio::test]
async fn a_container_that_may_do_anything_is_refused() {
    if !testkit::full() {
        return;
    }
    let pod = "apiVersion: v1\nkind: Pod\nmetadata: {name: a, namespace: souk}\nspec:\n  containers:\n\
               \u{20}   - {name: a, image: a, securityContext: {privileged: true}}\n";

    let skipped = own("infra/checkov.yaml");
    let files = [("infra/checkov.yaml", &*skipped), ("target/checks/overlays/dev.yaml", pod)];
    let said = refusal(HARDENING, &files).await;

    assert_says(&said, &["dev.yaml", "privileged"]);
}

#[test]
fn a_tool_that_would_look_at_nothing_says_so() {
    let folder = folder(&[("nothing/here/either", "")]);

    let nothing = super::check::within(folder.path(), "nothing").unwrap_err();

    assert_eq!(nothing.to_string(), "nothing is empty");
    assert!(super::check::within(Path::new("/"), "not/there").is_err());
}
