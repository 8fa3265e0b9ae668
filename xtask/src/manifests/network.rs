//! Who may reach whom, and that it is just who has to.
//!
//! Inside the shop that follows from what the pods are told: an address in the environment of one,
//! or in a file it is given, is a connection that it needs, and it may have no other.

use std::collections::BTreeSet;
use std::net::{IpAddr, Ipv4Addr};

use serde_json::json;

use super::cluster::{Cluster, Container, Pods, entries, list, text};
use super::confinement::asks_cluster;
use super::environment::environment;
use super::policy::{Peer, Way, allows, ports};
use super::selection::served;
use super::visitors::{coming, is_google};

/// From whom, to whom, and the port there.
type Edge = (String, String, u64);

/// Somewhere on the internet; somewhere in the cluster; what tells a pod about its node.
const PUBLIC: IpAddr = IpAddr::V4(Ipv4Addr::new(203, 0, 113, 1));
const PRIVATE: IpAddr = IpAddr::V4(Ipv4Addr::new(10, 1, 2, 3));
const METADATA: IpAddr = IpAddr::V4(Ipv4Addr::new(169, 254, 169, 254));
/// Where API servers listen: the Service's port, and those of kind and minikube behind it.
const API_SERVERS: [u64; 3] = [443, 6443, 8443];
/// A node's cache of names, and an address of the DNS service in a range that clusters use.
const CACHED_NAMES: [IpAddr; 2] =
    [IpAddr::V4(Ipv4Addr::new(169, 254, 20, 10)), IpAddr::V4(Ipv4Addr::new(10, 96, 0, 10))];
/// The same of a cluster at Google with the default range of services, and the metadata server.
const GOOGLE_NAMES: [IpAddr; 2] = [IpAddr::V4(Ipv4Addr::new(34, 118, 224, 10)), METADATA];
/// Where names are asked for, of the metadata server too.
const NAMES: u64 = 53;

/// Connections that are missing, and those that nobody needs.
pub(super) fn problems(cluster: &Cluster) -> Vec<String> {
    let (needed, allowed) = (needed(cluster), allowed(cluster));
    let say = |(from, to, port): &Edge, what| format!("{from} {what} {to} at port {port}");
    let missing = needed.difference(&allowed).map(|edge| say(edge, "may not reach"));
    let idle = allowed.difference(&needed).map(|edge| say(edge, "may reach, but need not,"));
    let borders = cluster.pods().flat_map(|pods| {
        [leaving(cluster, pods), coming(cluster, pods), asking_names(cluster, pods)].concat()
    });
    missing.chain(idle).chain(borders).collect()
}

/// What follows from what the pods are told.
fn needed(cluster: &Cluster) -> BTreeSet<Edge> {
    let edges = cluster.pods().flat_map(|pods| {
        let told = texts(cluster, pods);
        let services = cluster.of("Service").flat_map(|service| {
            let ports = list(service.at("/spec/ports")).map(move |port| (service, port));
            ports.filter(|(service, port)| {
                let address = format!("{}:{}", service.name(), port["port"]);
                told.iter().any(|text| names(text, &address))
            })
        });
        let ends = services.flat_map(|(service, port)| {
            let to = served(cluster, service).into_iter();
            to.filter_map(|to| Some((to, to.port(&port["targetPort"])?)))
        });
        ends.filter(|(to, _)| is_other(pods, *to))
            .map(|(to, port)| (pods.name().to_owned(), to.name().to_owned(), port))
            .collect::<Vec<_>>()
    });
    edges.collect()
}

/// Whether a service of the shop runs there.
fn is_ours(pods: Pods<'_>) -> bool {
    pods.running().any(|container| container.service().is_some())
}

/// A single pod reaches itself without any network.
fn is_other(from: Pods<'_>, to: Pods<'_>) -> bool {
    from.name() != to.name() || to.replicas() > 1
}

/// Whether a text names this address, and not one that merely ends alike.
fn names(text: &str, address: &str) -> bool {
    text.match_indices(address).any(|(at, _)| {
        let before = text[..at].chars().next_back();
        before.is_none_or(|it| !it.is_ascii_alphanumeric() && it != '-')
    })
}

/// All that pods are told: their environment and the files they are given.
fn texts(cluster: &Cluster, pods: Pods<'_>) -> Vec<String> {
    let told = pods.containers().flat_map(|it| environment(cluster, pods, it));
    let volumes = list(&pods.spec()["volumes"]).map(|volume| text(volume, "/configMap/name"));
    let files = volumes.filter_map(|name| cluster.find("ConfigMap", name));
    let files = files.flat_map(|file| entries(file.at("/data")));
    let files = files.filter_map(|(_, text)| text.as_str().map(str::to_owned));
    told.map(|variable| variable.value).chain(files).collect()
}

/// What the policies let through between the pods of the shop.
fn allowed(cluster: &Cluster) -> BTreeSet<Edge> {
    let pairs = cluster.pods().flat_map(|from| cluster.pods().map(move |to| (from, to)));
    let ends = pairs.filter(|(from, to)| is_other(*from, *to)).flat_map(|(from, to)| {
        to.ports().collect::<BTreeSet<_>>().into_iter().map(move |port| (from, to, port))
    });
    let open = ends.filter(|(from, to, port)| {
        allows(cluster, *from, Way::Out, Peer::Pods(*to), (*port, "TCP"))
            && allows(cluster, *to, Way::In, Peer::Pods(*from), (*port, "TCP"))
    });
    open.map(|(from, to, port)| (from.name().to_owned(), to.name().to_owned(), port)).collect()
}

/// The ports outside the cluster that pods have to do with.
fn outside(pods: Pods<'_>) -> BTreeSet<u64> {
    let keeps_in_bucket = list(&pods.spec()["volumes"]).any(|volume| !volume["csi"].is_null());
    match pods.running().find_map(Container::service) {
        // The payment provider.
        Some("payment") => [443].into(),
        // Mail, by TLS from the start or from the first words on.
        Some("auth") => [465, 587].into(),
        _ if keeps_in_bucket => [443].into(),
        _ if asks_cluster(pods) => API_SERVERS.into(),
        _ => BTreeSet::new(),
    }
}

/// What leaves the cluster.
fn leaving(cluster: &Cluster, pods: Pods<'_>) -> Vec<String> {
    let reach = |address| {
        let ports = ports(cluster, pods, Way::Out).into_iter().chain([443]);
        let open = ports.filter(move |port| {
            allows(cluster, pods, Way::Out, Peer::Address(address), (*port, "TCP"))
        });
        open.collect::<BTreeSet<_>>()
    };
    let (title, wanted) = (pods.owner.title(), with_databases(cluster, pods));
    let mut wrong = vec![];
    if reach(PUBLIC) != wanted {
        let open = reach(PUBLIC);
        wrong.push(format!("{title} may reach the ports {open:?} of the internet, not {wanted:?}"));
    }
    let keeps_in_bucket = wanted.contains(&443) && pods.owner.kind() == "CronJob";
    let asks_node = reach(METADATA).into_iter().any(|port| port != NAMES);
    if asks_node && !keeps_in_bucket && !asks_cluster(pods) {
        wrong.push(format!("{title} may ask who its node is"));
    }
    let is_apart = cluster.find("NetworkPolicy", "managed-database").is_none();
    let asks_others = reach(PRIVATE).into_iter().any(|port| port != NAMES);
    if is_apart && !asks_cluster(pods) && asks_others {
        wrong.push(format!("{title} may reach any address of the cluster"));
    }
    wrong
}

/// Where no database is in the cluster, all services find theirs outside.
fn with_databases(cluster: &Cluster, pods: Pods<'_>) -> BTreeSet<u64> {
    let mut ports = outside(pods);
    if is_ours(pods) && cluster.find("NetworkPolicy", "managed-database").is_some() {
        ports.insert(27017);
    }
    ports
}

/// Every pod resolves names: at the pods of the DNS service, and where the node has a cache of names,
/// at the address of that service or at the cache's own.
fn asking_names(cluster: &Cluster, pods: Pods<'_>) -> Vec<String> {
    let labels = ["kube-dns", "node-local-dns"].map(|name| json!({ "k8s-app": name }));
    let servers = labels.iter().map(|labels| Peer::Elsewhere("kube-system", labels));
    let own: &[IpAddr] = if is_google(cluster) { &GOOGLE_NAMES } else { &[] };
    let addresses = CACHED_NAMES.iter().chain(own).map(|address| Peer::Address(*address));
    let servers: Vec<_> = servers.chain(addresses).collect();
    let mute = ["UDP", "TCP"].into_iter().filter(|protocol| {
        let asked = servers.iter();
        !asked.into_iter().all(|it| allows(cluster, pods, Way::Out, *it, (NAMES, protocol)))
    });
    mute.map(|protocol| format!("{} may not ask for names by {protocol}", pods.owner.title()))
        .collect()
}
