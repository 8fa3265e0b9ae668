//! The scripts of the pipeline, on a cluster that is played.

use std::os::unix::fs::PermissionsExt as _;
use std::process::{Command, Output, Stdio};
use std::time::Duration;

use testkit::Scratch;

use crate::workspace::root;

/// Plays a cluster in the folder CLUSTER: what was applied last, what was released last, and which
/// image does not come up.
///
/// The file `fails` has a line for each command that fails once: a part of its arguments. The file
/// `steals` makes another rollout take over the lock as soon as it was read.
const KUBECTL: &str = r#"#!/usr/bin/env bash
set -eu
cd "$CLUSTER"
exec 9> locked
flock 9
if [[ -s fails ]]; then
    while read -r part; do
        case "$*" in *"$part"*)
            awk -v part="$part" '!gone && $0 == part { gone = 1; next } 1' fails > rest
            mv rest fails
            echo "failed: $*" >> history
            echo 'error: the server is unavailable' >&2
            exit 1 ;;
        esac
    done < fails
fi
take() { printf '%s|%s|%s|1\n' "$1" "$2" "uid-$RANDOM$RANDOM" > rollout; }
case "$*" in
    kustomize*) printf 'image: souk.invalid/cart\nimage: souk.invalid/order\n' ;;
    *jsonpath={.data.revision}*)
        if [[ -e revision ]]; then
            cat revision; base64 --wrap 0 manifests; echo; cat images
        fi ;;
    'apply --server-side --force-conflicts --filename '*remembered.yaml)
        for name in revision images manifests; do cp "new-$name" "$name"; done ;;
    'apply --server-side --force-conflicts --filename '*) cp "$5" applied; cat "$5" >> history ;;
    *'create configmap rollout'*)
        if [[ -e rollout ]]; then echo 'error: AlreadyExists' >&2; exit 1; fi
        for part; do case $part in
            until=*) until=${part#*=} ;;
            holder=*) holder=${part#*=} ;;
        esac; done
        take "$until" "$holder"
        cut --delimiter '|' --fields 3 rollout | tr --delete '\n'
        if [[ -e lost ]]; then rm lost; echo 'error: timed out' >&2; exit 1; fi ;;
    *'get configmap rollout'*)
        cat rollout 2>/dev/null || true
        # Its holder leaves once it was seen.
        if [[ -e leaves ]]; then rm rollout; fi
        if [[ -e steals ]]; then rm steals; take 99999999999 another; fi ;;
    'delete --raw /api/v1/namespaces/souk/configmaps/rollout --filename -')
        wanted=$(sed -nE 's/.*"uid": "([^"]+)".*/\1/p')
        if [[ $wanted != "$(cut --delimiter '|' --fields 3 rollout)" ]]; then
            echo 'error: Conflict' >&2
            exit 1
        fi
        rm rollout
        echo left >> history ;;
    get*) echo deployment.apps/cart-depl; echo service/cart-srv ;;
    *'rollout status deployment.apps/cart-depl'*) ! grep --quiet broken applied ;;
    *'create configmap release'*)
        for part; do case $part in
            --from-literal) ;;
            revision=*) echo "${part#*=}" > new-revision ;;
            images=* | manifests=*) cp "${part#*=}" "new-${part%%=*}" ;;
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

/// The lock of another rollout: until when, its holder, uid and resourceVersion.
const OTHERS: &str = "99999999999|another|uid-of-another|1\n";
/// The lock of one that had to end long ago.
const STALE: &str = "1|gone|uid-of-the-one-gone|1\n";

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
    assert!(String::from_utf8_lossy(&failed.stdout).contains("souk.invalid/order"), "{failed:?}");
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
    cluster.is_given("rollout", OTHERS);
    cluster.is_given("leaves", "");

    let waited = cluster.roll_out(FIRST, "one", "true");

    assert!(waited.status.success(), "{waited:?}");
    assert_eq!(cluster.has("history").matches("left").count(), 1, "it left itself alone");
}

#[test]
fn a_release_that_broke_off_long_ago_is_waited_for_no_longer() {
    let cluster = Cluster::new();
    cluster.is_given("rollout", STALE);

    let went_on = cluster.roll_out(FIRST, "one", "true");

    assert!(went_on.status.success(), "{went_on:?}");
    assert!(String::from_utf8_lossy(&went_on.stderr).contains("is gone"), "{went_on:?}");
    assert_eq!(cluster.has("revision"), "one\n");
}

#[test]
fn a_release_is_not_waited_for_without_end() {
    let cluster = Cluster::new();
    cluster.is_given("rollout", OTHERS);

    let mut waiting = cluster.rollout(FIRST, "one", &["true"]);
    let gave_up = waiting.env("SOUK_ROLLOUT_WAIT", "0").output().unwrap();

    assert!(!gave_up.status.success());
    assert!(String::from_utf8_lossy(&gave_up.stderr).contains("run this build again"));
    assert_eq!(cluster.has("rollout"), OTHERS, "its holder stays");
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
    let (first, back) = (after(&script, "FIRST="), after(&script, "SOUK_ROLLOUT_BACK:-"));
    let try_and_back = after(&script, "SOUK_ROLLOUT_TRY:-") + back;

    let longest = (wait + try_and_back).max(first);

    let images = after(&build, "    timeout: ");
    assert!(after(&build, "\ntimeout: ") > images + longest);
    assert!(wait > try_and_back, "the one that is waited for ends before");
}

#[test]
fn way_back_survives_failing_kubectl() {
    let commands = [
        "jsonpath={.data.revision}",
        "create configmap rollout",
        "get --filename",
        "rollout status",
        "apply --server-side",
        "create configmap release",
        "remembered.yaml",
        "delete --raw",
    ];
    for failing in commands {
        let cluster = Cluster::new();
        cluster.roll_out(FIRST, "one", "true");
        let trial = "echo \"$0\" > \"$CLUSTER/fails\"; exit 1";

        let trial = ["bash", "-c", trial, failing];
        let failed = cluster.rollout("order here/order@2\n", "two", &trial).output().unwrap();

        assert!(!failed.status.success());
        assert!(cluster.has("history").contains("here/order@2"), "it was tried");
        let (applied, revision) = (cluster.has("applied"), cluster.has("revision"));
        assert_eq!(applied, "image: here/cart@1\nimage: here/order@1\n", "{failing}: {failed:?}");
        assert_eq!((revision, cluster.has("rollout")), ("one\n".into(), String::new()));
    }
}

#[test]
fn failing_kubectl_before_the_try_changes_nothing() {
    for failing in
        ["jsonpath={.data.revision}", "create configmap rollout", "get configmap rollout"]
    {
        let cluster = Cluster::new();
        cluster.roll_out(FIRST, "one", "true");
        cluster.is_given("fails", &format!("{failing}\n"));

        let released = cluster.roll_out("order here/order@2\n", "two", "true");

        assert!(released.status.success(), "{failing}: {released:?}");
        assert_eq!(cluster.has("applied"), "image: here/cart@1\nimage: here/order@2\n");
        assert_eq!(
            (cluster.has("revision"), cluster.has("rollout")),
            ("two\n".into(), String::new())
        );
    }
}

#[test]
fn release_that_cannot_be_remembered_is_taken_back() {
    let cluster = Cluster::new();
    cluster.roll_out(FIRST, "one", "true");
    // As often as it is tried, and no more.
    cluster.is_given("fails", &"remembered.yaml\n".repeat(5));

    let failed = cluster.roll_out("order here/order@2\n", "two", "true");

    assert!(!failed.status.success(), "{failed:?}");
    assert_eq!(cluster.has("applied"), "image: here/cart@1\nimage: here/order@1\n");
    assert_eq!(cluster.has("revision"), "one\n");
}

#[test]
fn lock_created_with_lost_answer_is_kept() {
    let cluster = Cluster::new();
    cluster.is_given("lost", "");

    let released = cluster.roll_out(FIRST, "one", "true");

    assert!(released.status.success(), "{released:?}");
    assert_eq!((cluster.has("revision"), cluster.has("rollout")), ("one\n".into(), String::new()));
}

#[test]
fn stale_lock_goes_to_one_waiter() {
    let cluster = Cluster::new();
    cluster.is_given("rollout", STALE);
    // Another waiter takes it over between the look and the deletion.
    cluster.is_given("steals", "");

    let mut waiting = cluster.rollout(FIRST, "one", &["true"]);
    let gave_up = waiting.env("SOUK_ROLLOUT_WAIT", "0").output().unwrap();

    assert!(!gave_up.status.success(), "{gave_up:?}");
    assert!(cluster.has("rollout").starts_with("99999999999|another|"), "the other one stays");
    assert_eq!(cluster.has("applied"), "");
}

#[test]
fn lock_of_another_survives_the_end() {
    let cluster = Cluster::new();
    let usurp = "echo '99999999999|another|uid-of-another|1' > \"$CLUSTER/rollout\"";

    let released = cluster.rollout(FIRST, "one", &["bash", "-c", usurp]).output().unwrap();

    assert!(released.status.success(), "{released:?}");
    assert_eq!(cluster.has("rollout"), OTHERS);
}
