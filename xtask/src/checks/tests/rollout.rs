//! The scripts of the pipeline, on a cluster that is played.

use std::os::unix::fs::PermissionsExt as _;
use std::process::{Command, Output};

use testkit::Scratch;

use crate::workspace::root;

/// Plays a cluster in the folder CLUSTER: what was applied last, what was released last, and which
/// image does not come up.
const KUBECTL: &str = r#"#!/usr/bin/env bash
set -eu
cd "$CLUSTER"
case "$*" in
    kustomize*) printf 'image: souk/cart\nimage: souk/order\n' ;;
    *jsonpath={.data.revision}*) cat revision 2>/dev/null || true ;;
    *jsonpath={.data.images}*) cat images 2>/dev/null || true ;;
    *jsonpath={.binaryData.manifests}*) base64 manifests ;;
    'apply --filename -') cat ;;
    apply*) cp "$3" applied; cat "$3" >> history ;;
    get*) echo deployment.apps/cart-depl; echo service/cart-srv ;;
    *'rollout status deployment.apps/cart-depl'*) ! grep --quiet broken applied ;;
    *'create configmap release'*)
        for part; do case $part in
            --from-literal) ;;
            revision=*) echo "${part#*=}" > revision ;;
            images=* | manifests=*) cp "${part#*=}" "${part%%=*}" ;;
        esac; done ;;
    *) echo "unexpected: $*" >&2; exit 2 ;;
esac
"#;

struct Cluster(Scratch);

impl Cluster {
    fn new() -> Self {
        let folder = Scratch::new().unwrap();
        let kubectl = folder.path().join("kubectl");
        std::fs::write(&kubectl, KUBECTL).unwrap();
        std::fs::set_permissions(kubectl, std::fs::Permissions::from_mode(0o755)).unwrap();
        Self(folder)
    }

    /// Rolls out, with a trial that ends like this command.
    fn roll_out(&self, images: &str, revision: &str, trial: &str) -> Output {
        let path = std::env::var_os("PATH").unwrap();
        let folders = [self.0.path().to_owned()].into_iter().chain(std::env::split_paths(&path));
        let new = self.0.path().join("new");
        std::fs::write(&new, images).unwrap();
        Command::new("bash")
            .arg(root().join("infra/gke/rollout.sh"))
            .arg(new)
            .args([revision, trial])
            .env("PATH", std::env::join_paths(folders).unwrap())
            .env("CLUSTER", self.0.path())
            .output()
            .unwrap()
    }

    fn has(&self, file: &str) -> String {
        std::fs::read_to_string(self.0.path().join(file)).unwrap_or_default()
    }
}

const FIRST: &str = "cart here/cart@1\norder here/order@1\n";

#[test]
fn a_release_takes_new_images_and_keeps_the_others() {
    let cluster = Cluster::new();

    let first = cluster.roll_out(FIRST, "one", "true");
    let second = cluster.roll_out("order here/order@2\n", "two", "true");

    assert!(first.status.success(), "{first:?}");
    assert!(second.status.success(), "{second:?}");
    assert_eq!(cluster.has("applied"), "image: here/cart@1\nimage: here/order@2\n");
    assert_eq!(cluster.has("revision"), "two\n");
}

#[test]
fn a_release_that_fails_its_trial_is_taken_back() {
    let cluster = Cluster::new();
    cluster.roll_out(FIRST, "one", "true");

    let failed = cluster.roll_out("order here/order@2\n", "two", "false");

    assert!(!failed.status.success());
    assert!(cluster.has("history").contains("here/order@2"), "it was tried");
    assert_eq!(cluster.has("applied"), "image: here/cart@1\nimage: here/order@1\n");
    assert_eq!(cluster.has("revision"), "one\n", "the next release takes the change in again");
}

#[test]
fn a_release_that_does_not_come_up_is_taken_back_untried() {
    let cluster = Cluster::new();
    cluster.roll_out(FIRST, "one", "true");

    let failed = cluster.roll_out("cart here/cart@broken\n", "two", "true");

    assert!(!failed.status.success());
    assert_eq!(cluster.has("applied"), "image: here/cart@1\nimage: here/order@1\n");
    assert!(String::from_utf8_lossy(&failed.stderr).contains("one runs again"), "{failed:?}");
}

#[test]
fn the_first_release_needs_every_image() {
    let cluster = Cluster::new();

    let failed = cluster.roll_out("cart here/cart@1\n", "one", "true");

    assert!(!failed.status.success());
    assert!(String::from_utf8_lossy(&failed.stdout).contains("souk/order"), "{failed:?}");
    assert_eq!(cluster.has("applied"), "");
}
