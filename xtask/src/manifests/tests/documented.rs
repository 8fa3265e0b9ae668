//! The commands of the pages for operators, as they would be typed.

use std::os::unix::fs::PermissionsExt as _;
use std::process::{Command, Output};

use testkit::Scratch;

use super::*;

/// Pages with commands for a cluster.
const PAGES: [&str; 5] = [
    "README.md",
    "docs/developers.md",
    "docs/operating.md",
    "docs/operators.md",
    "infra/gke/README.md",
];
/// What kubectl is asked for that is in no namespace.
const WIDE: [&str; 6] = [
    "apply --server-side --filename infra/k8s/base/namespace.yaml",
    "delete namespace souk traefik",
    "delete priorityclass souk-data souk-service",
    "delete ingressclass traefik",
    "delete clusterrole,clusterrolebinding souk-traefik",
    "drain NODE ",
];

/// Plays a cluster in the folder CLUSTER: its Deployment has as many replicas as the file `replicas`
/// says, and its Job ends as the file `ends` says.
const KUBECTL: &str = r#"#!/usr/bin/env bash
set -eu
cd "$CLUSTER"
[[ "$1 $2" == '--namespace souk' ]] || { echo "no namespace: $*" >&2; exit 2; }
shift 2
echo "$*" >> typed
case "$*" in
    'get deployment/order-depl --output jsonpath={.spec.replicas}') cat replicas ;;
    'scale deployment/order-depl --replicas='*) echo "${3#*=}" > replicas ;;
    'wait --for=condition='*' job/restore-order') [[ $2 == "--for=condition=$(cat ends)" ]] ;;
    'wait --for=delete '* | 'delete job restore-order --ignore-not-found') ;;
    'create job restore-order --from=cronjob/order-restore' | 'logs job/restore-order') ;;
    *) echo "unexpected: $*" >&2; exit 2 ;;
esac
"#;

fn page(name: &str) -> String {
    std::fs::read_to_string(root().join(name)).unwrap()
}

#[test]
fn commands_name_the_namespace() {
    let mut named = 0;
    for page in PAGES.map(page) {
        let page = page.replace("\\\n", " ");
        for line in super::commands(&page) {
            for (_, command) in
                line.match_indices("kubectl ").map(|(at, it)| (at, &line[at + it.len()..]))
            {
                let is_local = command.contains("--local ");
                let is_wide = WIDE.iter().any(|wide| command.starts_with(wide));
                let is_named = ["souk ", "traefik "]
                    .iter()
                    .any(|it| command.starts_with(&format!("--namespace {it}")));
                assert!(is_named || is_wide || is_local, "{line}");
                named += 1;
            }
        }
        assert!(!page.contains("set-context"), "a command that only works after another one");
    }
    assert!(named > 30, "{named}");
}

#[test]
fn documented_applies_are_on_the_server() {
    for page in PAGES.map(page) {
        for line in super::commands(&page.replace("\\\n", " ")) {
            assert!(!line.contains(" apply ") || line.contains(" --server-side "), "{line}");
        }
    }
}

/// Types the documented restore into a shell, on a cluster whose Job ends like this.
fn restore(ends: &str, replicas: &str) -> (Output, String, String) {
    let scratch = Scratch::new().unwrap();
    let file = |name: &str| scratch.path().join(name);
    std::fs::write(file("kubectl"), KUBECTL).unwrap();
    std::fs::set_permissions(file("kubectl"), std::fs::Permissions::from_mode(0o755)).unwrap();
    std::fs::write(file("ends"), ends).unwrap();
    std::fs::write(file("replicas"), replicas).unwrap();
    let page = page("docs/operating.md");
    let mut blocks = page.split("```sh\n").skip(1).filter_map(|it| it.split("```").next());
    let block = blocks.find(|block| block.contains("scale deployment/order-depl")).unwrap();
    let path = std::env::var_os("PATH").unwrap();
    let folders = [scratch.path().to_owned()].into_iter().chain(std::env::split_paths(&path));
    let typed = Command::new("timeout")
        .args(["60", "bash", "-c", block])
        .env("PATH", std::env::join_paths(folders).unwrap())
        .env("CLUSTER", scratch.path())
        .output()
        .unwrap();
    let read = |name: &str| std::fs::read_to_string(file(name)).unwrap();
    (typed, read("typed"), read("replicas"))
}

#[test]
fn documented_restore_ends_with_its_job() {
    for ends in ["complete", "failed"] {
        for replicas in ["1", "3"] {
            let (output, typed, now) = restore(ends, replicas);

            assert!(output.status.success(), "{output:?}");
            assert_eq!(now.trim(), replicas, "as many as there were");
            let lines: Vec<_> = typed.lines().collect();
            let at = |part: &str| lines.iter().position(|it| it.contains(part)).expect(part);
            assert!(at("--replicas=0") < at("wait --for=delete"), "{typed}");
            assert!(at("wait --for=delete") < at("create job restore-order"), "{typed}");
            assert!(
                lines.iter().filter(|it| it.contains("condition=complete")).count() < 3,
                "{typed}"
            );
            assert_eq!(lines[lines.len() - 2], "logs job/restore-order");
        }
    }
}

#[test]
fn requirements_name_what_manifests_use() {
    let page = page("docs/operating.md");
    let service = std::fs::read_to_string(root().join("infra/k8s/base/service/deployment.yaml"));

    assert!(service.unwrap().contains("preStop:"), "it takes Kubernetes 1.30");
    for said in [
        "1.30 or newer",
        "10 CPUs, 36 GiB",
        "900 GiB of SSD",
        "Dataplane V2",
        "delete priorityclass",
    ] {
        assert!(page.contains(said), "{said}");
    }
}

/// The sum of what all pods of an overlay ask for, in thousandths of a CPU and in MiB.
async fn requests(overlay: &str) -> (u64, u64) {
    let cluster = render::one(&root(), overlay, &[]).await.unwrap();
    let scaled = |name: &str| {
        let scaler = cluster.of("HorizontalPodAutoscaler").find(|it| it.name() == name);
        scaler.and_then(|it| it.at("/spec/minReplicas").as_u64())
    };
    let mut sum = (0, 0);
    for pods in cluster.pods().filter(|it| !["CronJob", "Job"].contains(&it.owner.kind())) {
        let many = scaled(pods.name()).unwrap_or_else(|| pods.replicas());
        for container in pods.running() {
            let requests = &container.0["resources"]["requests"];
            let cpu =
                requests["cpu"].as_str().unwrap().trim_end_matches('m').parse::<u64>().unwrap();
            let memory = requests["memory"].as_str().unwrap();
            let mib = match memory.strip_suffix("Gi") {
                Some(gib) => gib.parse::<u64>().unwrap() * 1024,
                None => memory.trim_end_matches("Mi").parse().unwrap(),
            };
            sum = (sum.0 + many * cpu, sum.1 + many * mib);
        }
    }
    sum
}

#[tokio::test]
async fn requirements_hold_the_requests() {
    let (dev, gke) = (requests("dev").await, requests("gke").await);

    assert!(dev.0 <= 500 && dev.1 <= 1_741, "{dev:?}");
    assert!((9_500..=10_500).contains(&gke.0) && gke.1.div_ceil(1024) <= 36, "{gke:?}");
}
