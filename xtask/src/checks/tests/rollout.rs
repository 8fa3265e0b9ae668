//! The scripts of the pipeline, on a cluster that is played.

use std::os::unix::fs::PermissionsExt as _;
use std::process::{Command, Output, Stdio};
use std::time::Duration;

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
    *'create configmap rollout'*)
        if [[ -e rollout ]]; then echo 'error: AlreadyExists' >&2; exit 1; fi
        for part; do case $part in until=*) echo "${part#*=}" > rollout ;; esac; done ;;
    *'get configmap rollout'*)
        cat rollout 2>/dev/null || true
        # Who is at it leaves once it was seen.
        if [[ -e leaves ]]; then rm rollout; fi ;;
    *'delete configmap rollout'*) rm -f rollout; echo left >> history ;;
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

/// Plays a history in which revisions are as old as their names are short.
const GIT: &str = r#"#!/usr/bin/env bash
set -eu
[[ "$1 $2" == 'merge-base --is-ancestor' ]] || { echo "unexpected: $*" >&2; exit 2; }
((${#3} <= ${#4}))
"#;

const SOON: Duration = Duration::from_secs(30);

struct Cluster(Scratch);

impl Cluster {
    fn new() -> Self {
        let folder = Scratch::new().unwrap();
        for (name, script) in [("kubectl", KUBECTL), ("git", GIT)] {
            let program = folder.path().join(name);
            std::fs::write(&program, script).unwrap();
            std::fs::set_permissions(program, std::fs::Permissions::from_mode(0o755)).unwrap();
        }
        Self(folder)
    }

    fn is_given(&self, file: &str, content: &str) {
        std::fs::write(self.0.path().join(file), content).unwrap();
    }

    /// Rolls out, with a trial that ends like this command.
    fn roll_out(&self, images: &str, revision: &str, trial: &str) -> Output {
        self.rollout(images, revision, &[trial]).output().unwrap()
    }

    fn rollout(&self, images: &str, revision: &str, trial: &[&str]) -> Command {
        let path = std::env::var_os("PATH").unwrap();
        let folders = [self.0.path().to_owned()].into_iter().chain(std::env::split_paths(&path));
        let new = self.0.path().join("new");
        std::fs::write(&new, images).unwrap();
        let mut rollout = Command::new("bash");
        rollout
            .arg(root().join("infra/gke/rollout.sh"))
            .arg(new)
            .arg(revision)
            .args(trial)
            .env("PATH", std::env::join_paths(folders).unwrap())
            .env("CLUSTER", self.0.path())
            .env("SOUK_ROLLOUT_LOOK", "0.01");
        rollout
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

#[test]
fn an_older_release_that_comes_late_changes_nothing() {
    let cluster = Cluster::new();
    cluster.roll_out(FIRST, "later", "true");

    let late = cluster.roll_out("order here/order@0\n", "old", "true");

    assert!(!late.status.success());
    assert!(String::from_utf8_lossy(&late.stderr).contains("old does not come after later"));
    assert!(!cluster.has("history").contains("here/order@0"));
    assert_eq!(
        (cluster.has("revision"), cluster.has("rollout")),
        ("later\n".into(), String::new())
    );
}

#[test]
fn there_is_one_release_at_a_time() {
    let cluster = Cluster::new();
    cluster.is_given("rollout", "99999999999\n");
    cluster.is_given("leaves", "");

    let waited = cluster.roll_out(FIRST, "one", "true");

    assert!(waited.status.success(), "{waited:?}");
    assert_eq!(cluster.has("history").matches("left").count(), 1, "it left itself alone");
}

#[test]
fn a_release_that_broke_off_long_ago_is_waited_for_no_longer() {
    let cluster = Cluster::new();
    cluster.is_given("rollout", "1\n");

    let went_on = cluster.roll_out(FIRST, "one", "true");

    assert!(went_on.status.success(), "{went_on:?}");
    assert!(String::from_utf8_lossy(&went_on.stderr).contains("is gone"), "{went_on:?}");
    assert_eq!(cluster.has("revision"), "one\n");
}

#[test]
fn a_release_is_not_waited_for_without_end() {
    let cluster = Cluster::new();
    cluster.is_given("rollout", "99999999999\n");

    let mut waiting = cluster.rollout(FIRST, "one", &["true"]);
    let gave_up = waiting.env("SOUK_ROLLOUT_WAIT", "0").output().unwrap();

    assert!(!gave_up.status.success());
    assert!(String::from_utf8_lossy(&gave_up.stderr).contains("run this build again"));
    assert_eq!(cluster.has("rollout"), "99999999999\n", "whoever is at it stays");
    assert_eq!(cluster.has("applied"), "");
}

#[test]
fn a_release_that_takes_too_long_is_taken_back() {
    let cluster = Cluster::new();
    cluster.roll_out(FIRST, "one", "true");

    let mut endless = cluster.rollout("order here/order@2\n", "two", &["sleep", "1000"]);
    let failed = endless.env("SOUK_ROLLOUT_TRY", "1").output().unwrap();

    assert!(!failed.status.success());
    assert!(cluster.has("history").contains("here/order@2"), "it was tried");
    assert!(String::from_utf8_lossy(&failed.stderr).contains("one runs again"), "{failed:?}");
    assert_eq!((cluster.has("revision"), cluster.has("rollout")), ("one\n".into(), String::new()));
}

#[tokio::test]
async fn a_release_that_is_told_to_end_is_taken_back() {
    let cluster = Cluster::new();
    cluster.roll_out(FIRST, "one", "true");

    let trial = ["bash", "-c", "touch \"$CLUSTER/trying\"; exec sleep 1000"];
    let mut rollout = cluster.rollout("order here/order@2\n", "two", &trial);
    let rollout = rollout.stdout(Stdio::null()).stderr(Stdio::piped()).spawn().unwrap();
    let trying = cluster.0.path().join("trying");
    testkit::eventually("it is tried", SOON, async || trying.exists().then_some(())).await;
    Command::new("kill").arg(rollout.id().to_string()).status().unwrap();
    let ended = rollout.wait_with_output().unwrap();

    assert!(!ended.status.success());
    assert!(String::from_utf8_lossy(&ended.stderr).contains("one runs again"), "{ended:?}");
    assert_eq!(cluster.has("applied"), "image: here/cart@1\nimage: here/order@1\n");
}

#[test]
fn the_first_release_has_the_time_to_get_a_certificate() {
    let cluster = Cluster::new();
    let tries = ["bash", "-c", "echo ${TRIES:-few} >> \"$CLUSTER/tries\""];

    cluster.rollout(FIRST, "one", &tries).output().unwrap();
    cluster.rollout("order here/order@2\n", "two", &tries).output().unwrap();

    assert_eq!(cluster.has("tries"), "1800\nfew\n");
}

#[test]
fn a_build_leaves_a_release_the_time_to_wait_to_try_and_to_go_back() {
    let (script, build) = (super::own("infra/gke/rollout.sh"), super::own("cloudbuild.yaml"));
    let after = |text: &str, word: &str| -> u64 {
        let (_, rest) = text.split_once(word).unwrap_or_else(|| panic!("no {word}"));
        let digits = rest.find(|it: char| !it.is_ascii_digit()).unwrap();
        rest[..digits].parse().unwrap()
    };
    let wait = after(&script, "SOUK_ROLLOUT_WAIT:-");
    let (first, back) = (after(&script, "FIRST="), after(&script, "BACK="));
    let try_and_back = after(&script, "SOUK_ROLLOUT_TRY:-") + back;

    let longest = (wait + try_and_back).max(first);

    let images = after(&build, "    timeout: ");
    assert!(after(&build, "\ntimeout: ") > images + longest);
    assert!(wait > try_and_back, "the one that is waited for ends before");
}
