//! Numbers that nothing else in the manifests depends on, and that the shop depends on.

use super::cluster::{Container, Object, Pods};
use super::*;

/// How long Google's load balancer may go on sending to a pod that is to end: it asks every 5 s, takes
/// two answers for a no, and tells its front ends all over the world.
const BALANCER_LETS_GO: u64 = 30;
/// How long an ingress controller in the cluster may.
const CONTROLLER_LETS_GO: u64 = 5;
/// How long Google's load balancer keeps idle connections, which is for it to end.
const BALANCER_KEEPS: u64 = 600;
/// An access token's life, with which a stream of events ends, and more.
const STREAMS_LIVE: u64 = 3600;

/// The pods of the services.
fn services(cluster: &Cluster) -> Vec<(Pods<'_>, Container<'_>)> {
    let ours = cluster.pods().filter_map(|pods| {
        Some((pods, pods.running().find(|container| container.service().is_some())?))
    });
    let ours: Vec<_> = ours.collect();
    assert_eq!(ours.len(), 5);
    ours
}

/// What all services are told by a variable, which is the same for all.
fn told(cluster: &Cluster, name: &str) -> String {
    let told = services(cluster).into_iter().map(|(pods, container)| {
        let variables = environment(cluster, pods, container);
        variables.into_iter().find(|it| it.name == name).map(|it| it.value).unwrap_or_default()
    });
    let mut told: Vec<_> = told.collect();
    told.dedup();
    assert_eq!(told.len(), 1, "{name}: {told:?}");
    told.remove(0)
}

fn number(object: &Object, pointer: &str) -> u64 {
    object.at(pointer).as_u64().unwrap_or_else(|| panic!("{} has no {pointer}", object.title()))
}

#[tokio::test]
async fn nobody_is_sent_to_a_service_that_hears_no_more() {
    for (cluster, lets_go) in [(gke().await, BALANCER_LETS_GO), (dev().await, CONTROLLER_LETS_GO)] {
        for (pods, service) in services(&cluster) {
            let pause = service.0.pointer("/lifecycle/preStop/sleep/seconds").unwrap();

            assert!(pause.as_u64().unwrap() >= lets_go, "{}", pods.name());
        }
    }
}

#[tokio::test]
async fn an_address_is_read_where_the_outermost_proxy_of_ours_wrote_it() {
    assert_eq!(told(&gke().await, "SOUK_TRUSTED_PROXIES"), "2");
    assert_eq!(told(&dev().await, "SOUK_TRUSTED_PROXIES"), "1");
}

#[tokio::test]
async fn as_many_servers_keep_a_stream_as_there_are() {
    for (cluster, servers) in [(gke().await, 3), (dev().await, 1)] {
        let nats = cluster.pods().find(|it| it.label("app.kubernetes.io/component") == "nats");

        assert_eq!(nats.unwrap().replicas(), servers);
        assert_eq!(told(&cluster, "SOUK_STREAM_REPLICAS"), servers.to_string());
    }
}

#[tokio::test]
async fn connections_end_where_the_balancer_ends_them() {
    let kept = told(&gke().await, "SOUK_KEEP_ALIVE");

    assert!(kept.trim_end_matches('s').parse::<u64>().unwrap() > BALANCER_KEEPS, "{kept}");
}

#[tokio::test]
async fn the_balancer_asks_the_right_port_and_is_patient() {
    let gke = gke().await;
    let configs: Vec<_> = gke.of("BackendConfig").collect();
    assert_eq!(configs.len(), 5);
    for config in configs {
        let pods = services(&gke).into_iter().find(|(_, it)| it.service() == Some(config.name()));
        let (pods, service) = pods.unwrap();
        let probe = service.0.pointer("/readinessProbe/httpGet").unwrap();
        assert_eq!(number(config, "/spec/healthCheck/port"), pods.port(&probe["port"]).unwrap());
        assert_eq!(config.at("/spec/healthCheck/requestPath"), &probe["path"]);

        let pause = service.0.pointer("/lifecycle/preStop/sleep/seconds").unwrap();
        let asked = number(config, "/spec/healthCheck/checkIntervalSec");
        let noes = number(config, "/spec/healthCheck/unhealthyThreshold");
        assert!(asked * noes < pause.as_u64().unwrap(), "{}", config.name());
        let grace: u64 = told(&gke, "SOUK_GRACE").trim_end_matches('s').parse().unwrap();
        assert!(number(config, "/spec/connectionDraining/drainingTimeoutSec") > grace);
        let patience = if config.name() == "order" { STREAMS_LIVE } else { 30 };
        assert_eq!(number(config, "/spec/timeoutSec"), patience, "{}", config.name());
    }
}

/// How many seconds come after a word of a file of the project.
fn seconds_after(file: &str, word: &str) -> u64 {
    let text = std::fs::read_to_string(root().join(file)).unwrap();
    let (_, rest) = text.split_once(word).unwrap_or_else(|| panic!("no {word} in {file}"));
    let digits = rest.find(|it: char| !it.is_ascii_digit()).unwrap();
    let number: u64 = rest[..digits].parse().unwrap();
    number * if rest[digits..].starts_with('m') { 60 } else { 1 }
}

#[tokio::test]
async fn deployments_get_as_long_as_releases() {
    let release = seconds_after("infra/gke/rollout.sh", "rollout status \"$part\" --timeout ");
    let skaffold = seconds_after("skaffold.yaml", "statusCheckDeadlineSeconds: ");
    let rendered = render::all(&root()).await.unwrap();
    let deployments: Vec<_> = rendered.iter().flat_map(|(_, it)| it.of("Deployment")).collect();
    assert!(deployments.len() > 20, "{}", deployments.len());

    for deployment in deployments {
        let given = number(deployment, "/spec/progressDeadlineSeconds");

        assert!(given >= release && given > skaffold, "{} has {given} s", deployment.title());
    }
}

/// A size such as `800MB` or `10Gi` in bytes.
fn bytes(size: &str) -> u64 {
    let units = [("MB", 1_000_000), ("GB", 1_000_000_000), ("Mi", 1 << 20), ("Gi", 1 << 30)];
    let found = units.iter().find_map(|(unit, many)| Some((size.strip_suffix(unit)?, many)));
    let (number, many) = found.unwrap_or_else(|| panic!("no size: {size}"));
    number.parse::<u64>().unwrap() * many
}

#[tokio::test]
async fn volumes_hold_all_streams() {
    let page = std::fs::read_to_string(root().join("docs/operating.md")).unwrap();
    for (overlay, cluster) in [("dev", dev().await), ("gke", gke().await)] {
        let of_nats = |it: &Pods<'_>| it.label("app.kubernetes.io/component") == "nats";
        let nats = cluster.pods().find(of_nats).unwrap();
        let variables = environment(&cluster, nats, nats.running().next().unwrap());
        let store = variables.into_iter().find(|it| it.name == "MAX_FILE_STORE").unwrap().value;
        let claims = list(nats.owner.at("/spec/volumeClaimTemplates"));
        let volume = claims.map(|it| text(it, "/spec/resources/requests/storage")).next();
        let claim = cluster.find("PersistentVolumeClaim", "nats-data");
        let volume = volume.or(claim.map(|it| text(&it.0, "/spec/resources/requests/storage")));

        // Snapshots of streams, and what a file system takes for itself.
        let room = bytes(volume.unwrap()) / 10 * 9;
        assert!(bytes(&store) <= room, "{overlay}: {store} in {volume:?}");
        let streams = told(&cluster, "SOUK_STREAM_STORE");
        assert!(streams.is_empty() || streams == store, "{overlay}: {streams} of {store}");
        let row = format!(
            "| {} {} (`overlays/{overlay}`) |",
            &store[..store.len() - 2],
            &store[store.len() - 2..]
        );
        assert!(page.contains(&row), "the sizing table lacks {row}");
    }
}

#[tokio::test]
async fn full_streams_raise_an_alert() {
    let cluster = render::one(&root(), "gke", &["monitoring"]).await.unwrap();
    let rules = cluster.of("Rules").next().unwrap();
    let rules = list(&rules.at("/spec/groups")[0]["rules"]);
    let alerts: Vec<_> =
        rules.filter(|it| text(it, "/expr").contains("souk_stream_bytes")).collect();

    assert_eq!(alerts.len(), 1, "{alerts:?}");
    assert!(text(alerts[0], "/expr").ends_with("> 0.7"), "{alerts:?}");
}

#[tokio::test]
async fn controllers_buffer_little() {
    let dev = dev().await;
    let annotations = dev.of("Ingress").next().unwrap().at("/metadata/annotations").clone();

    let most = text(&annotations, "/nginx.ingress.kubernetes.io~1proxy-body-size");

    assert_eq!(most, "1m", "0 would be no bound");
}
