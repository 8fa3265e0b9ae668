//! The manifests hold together, and a fault in them is seen.

mod backups;
mod bus;
mod choices;
mod controller;
mod databases;
mod documented;
mod faults;
mod mongosh;
mod nats;
mod numbers;
mod rights;
mod signals;
mod tls;

use std::path::PathBuf;

use super::cluster::{list, text};
use super::environment::environment;
use super::*;
use crate::workspace::root;

/// The programs of the services, built beside this test.
fn programs() -> PathBuf {
    let own = std::env::current_exe().unwrap();
    own.ancestors().nth(2).unwrap().to_owned()
}

async fn settings() -> Settings {
    Settings::ask(&programs()).await.unwrap()
}

async fn dev() -> Cluster {
    render::one(&root(), "dev", &[]).await.unwrap()
}

async fn gke() -> Cluster {
    render::one(&root(), "gke", &[]).await.unwrap()
}

#[tokio::test]
async fn every_overlay_holds_together() {
    let settings = settings().await;

    for (name, cluster) in render::all(&root()).await.unwrap() {
        let problems = problems(&root(), &name, &cluster, &settings).await.unwrap();

        assert!(problems.is_empty(), "{name}:\n{}", problems.join("\n"));
    }
}

#[tokio::test]
async fn what_is_typed_on_a_laptop_works() {
    let dev = dev().await;

    let auth = dev.pods().find(|pods| pods.name() == "auth-depl").unwrap();
    let key = auth.containers().flat_map(|it| list(&it.0["env"]));
    let key = key.map(|variable| &variable["valueFrom"]["secretKeyRef"]);
    assert!(key.into_iter().any(|it| it["name"] == "jwt-secret" && it["key"] == "JWT_KEY"));
    let database = dev.find("Service", "product-mongo-service").unwrap();
    assert!(list(database.at("/spec/ports")).any(|port| port["port"] == 27017));
    let nats = dev.pods().find(|pods| pods.owner.title() == "Deployment nats-depl").unwrap();
    assert!(nats.ports().any(|port| port == 8222));
    assert_eq!(nats.owner.at("/spec/strategy/type"), "Recreate");
}

#[tokio::test]
async fn a_keeper_knows_as_many_members_as_there_are() {
    let gke = gke().await;

    let databases = gke.pods().filter(|pods| pods.label("app.kubernetes.io/component") == "mongo");
    let databases: Vec<_> = databases.collect();
    assert_eq!(databases.len(), 5);
    for pods in databases {
        let keeper = pods.running().find(|it| it.name() == "keeper").unwrap();
        let told = environment(&gke, pods, keeper);
        let members = told.iter().find(|variable| variable.name == "MEMBERS").unwrap();
        let service = text(&pods.owner.0, "/spec/serviceName");
        let wanted = (0..3).map(|it| format!("{}-{it}.{service}:27017", pods.name()));
        assert_eq!(members.value, wanted.collect::<Vec<_>>().join(","));
        assert_eq!(pods.replicas(), 3);
    }
}

#[tokio::test]
async fn what_the_page_for_operators_names_is_there() {
    let (dev, gke) = (dev().await, gke().await);
    let controller = render::controller(&root()).await.unwrap();
    let page = std::fs::read_to_string(root().join("docs/operating.md")).unwrap();
    let kinds = [
        ("deployment/", "Deployment"),
        ("service/", "Service"),
        ("cronjob/", "CronJob"),
        ("pod/", "StatefulSet"),
    ];
    let mut named = 0;

    for (prefix, kind) in kinds {
        for (at, _) in page.match_indices(&format!(" {prefix}")) {
            let name: String = page[at + 1 + prefix.len()..]
                .chars()
                .take_while(|it| it.is_ascii_alphanumeric() || *it == '-')
                .collect();
            let owner = if kind == "StatefulSet" { name.trim_end_matches("-0") } else { &name };
            let clusters = [&dev, &gke, &controller];
            let is_there = clusters.iter().any(|it| it.find(kind, owner).is_some());
            assert!(is_there, "there is no {prefix}{name}");
            named += 1;
        }
    }
    assert!(named > 8, "{named}");
}

#[tokio::test]
async fn a_loop_on_a_laptop_keeps_what_cannot_be_made_again() {
    let dev = dev().await;

    let is_kept = |it: &&cluster::Object| it.at("/metadata/labels")["souk/keep"] == "yes";
    let kept: Vec<_> = dev.0.iter().filter(is_kept).map(cluster::Object::title).collect();
    let lasting =
        |it: &&cluster::Object| matches!(it.kind(), "Namespace" | "PersistentVolumeClaim");
    let lasting: Vec<_> = dev.0.iter().filter(lasting).map(cluster::Object::title).collect();

    assert_eq!(kept, lasting);
    assert_eq!(kept.len(), 1 + 5 + 1, "the namespace, a volume of backups each, and the bus");
}

/// The lines of the commands on a page.
pub(super) fn commands(page: &str) -> Vec<&str> {
    let blocks = page.split("```sh\n").skip(1).filter_map(|it| it.split("```").next());
    blocks.flat_map(str::lines).collect()
}

#[test]
fn a_job_of_the_page_for_operators_can_be_typed_twice() {
    let page = std::fs::read_to_string(root().join("docs/operating.md")).unwrap();
    let commands = commands(&page);
    let mut named = 0;

    for (at, command) in commands.iter().enumerate() {
        let Some((kubectl, job)) = command.split_once(" create job ") else { continue };
        let name = job.split(' ').next().unwrap();
        let delete = format!("{kubectl} delete job {name} --ignore-not-found");

        assert_eq!(commands[at - 1], delete, "an old one stands in the way of {command}");
        named += 1;
    }
    assert_eq!(named, 4);
}

#[tokio::test]
async fn a_service_has_the_time_to_end_that_it_was_promised() {
    for cluster in [dev().await, gke().await] {
        let ours = cluster.pods().filter(|pods| pods.running().any(|it| it.service().is_some()));
        let ours: Vec<_> = ours.collect();
        assert_eq!(ours.len(), 5);
        for pods in ours {
            let service = pods.running().next().unwrap();
            let told = environment(&cluster, pods, service);
            let grace = told.iter().find(|variable| variable.name == "SOUK_GRACE").unwrap();
            let grace: u64 = grace.value.trim_end_matches('s').parse().unwrap();
            let pause = service.0.pointer("/lifecycle/preStop/sleep/seconds").unwrap();
            let given = pods.spec()["terminationGracePeriodSeconds"].as_u64().unwrap();

            assert!(given > grace + pause.as_u64().unwrap(), "{}", pods.name());
        }
    }
}
