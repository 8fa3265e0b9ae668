//! Who comes to the pods of the shop from outside of it, and to which of their ports.

use std::collections::BTreeSet;
use std::fmt;
use std::net::{IpAddr, Ipv4Addr};

use serde_json::{Value, json};

use super::cluster::{Cluster, Pods};
use super::policy::{Peer, Way, allows, namespaces, ports};

const COMPONENT: &str = "app.kubernetes.io/component";

/// Somebody who is none of the pods that the manifests make.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Visitor<'a> {
    /// A pod beside those of the shop, which is this component.
    Component(&'a str),
    /// A pod of another namespace.
    Namespace(&'a str),
    /// An address.
    Address(Ipv4Addr),
}

use Visitor::{Address, Component, Namespace};

/// Who is let in, to which component, at which ports.
type Welcome = (Visitor<'static>, &'static str, &'static [u64]);

/// Those who measure, and the console, which looks at everything.
const WATCHING: [Welcome; 4] = [
    (Component("console"), "service", &[9000]),
    (Component("console"), "nats", &[8222]),
    (Namespace("monitoring"), "service", &[9000]),
    (Namespace("gmp-system"), "service", &[9000]),
];

/// Requests by the ingress controller of a small cluster.
const CONTROLLER: [Welcome; 1] = [(Namespace("traefik"), "service", &[3000])];

/// Google's load balancers and health checks: the ends of 35.191.0.0/16 and 130.211.0.0/22. Without
/// the second port every service is taken for sick, and nobody is served.
const GOOGLE: [Welcome; 4] = [
    (Address(Ipv4Addr::new(35, 191, 0, 0)), "service", &[3000, 9000]),
    (Address(Ipv4Addr::new(35, 191, 255, 255)), "service", &[3000, 9000]),
    (Address(Ipv4Addr::new(130, 211, 0, 0)), "service", &[3000, 9000]),
    (Address(Ipv4Addr::new(130, 211, 3, 255)), "service", &[3000, 9000]),
];

/// Those whom nobody lets in, Google's neighbours among them.
const STRANGERS: [Visitor<'static>; 9] = [
    Component("none"),
    Namespace("default"),
    Namespace("kube-system"),
    Address(Ipv4Addr::new(203, 0, 113, 1)),
    Address(Ipv4Addr::new(10, 1, 2, 3)),
    Address(Ipv4Addr::new(35, 190, 255, 255)),
    Address(Ipv4Addr::new(35, 192, 0, 0)),
    Address(Ipv4Addr::new(130, 210, 255, 255)),
    Address(Ipv4Addr::new(130, 211, 4, 0)),
];

/// Who gets in and need not, or has to and does not.
pub(super) fn coming(cluster: &Cluster, pods: Pods<'_>) -> Vec<String> {
    let welcome = welcome(cluster);
    let known = [CONTROLLER.as_slice(), &GOOGLE, &WATCHING].concat();
    let known = known.into_iter().map(|(visitor, ..)| visitor).chain(STRANGERS);
    let spoken_of = namespaces(cluster, pods).into_iter().map(Namespace);
    let visitors: BTreeSet<Visitor<'_>> = known.chain(spoken_of).collect();
    let wrong = visitors.into_iter().filter_map(|visitor| {
        let (open, wanted) = (open(cluster, pods, visitor), wanted(&welcome, pods, visitor));
        (open != wanted).then(|| format!("by {visitor} at {open:?}, not at {wanted:?}"))
    });
    let wrong = wrong.collect::<Vec<_>>().join("; ");
    let said = format!("{} can be reached from elsewhere {wrong}", pods.owner.title());
    Some(said).filter(|_| !wrong.is_empty()).into_iter().collect()
}

/// Who is let in, by what stands before the shop.
fn welcome(cluster: &Cluster) -> Vec<Welcome> {
    let front: &[Welcome] = if is_google(cluster) { &GOOGLE } else { &CONTROLLER };
    [front, &WATCHING].concat()
}

/// Whether Google's load balancer stands before the shop.
pub(super) fn is_google(cluster: &Cluster) -> bool {
    let mut doors = cluster.of("Ingress").map(|it| it.at("/metadata/annotations"));
    doors.any(|annotations| annotations["kubernetes.io/ingress.class"] == "gce")
}

fn wanted(welcome: &[Welcome], pods: Pods<'_>, visitor: Visitor<'_>) -> BTreeSet<u64> {
    let own = welcome.iter().filter(|(who, to, _)| *who == visitor && *to == pods.label(COMPONENT));
    own.flat_map(|(.., ports)| ports.iter().copied()).collect()
}

/// The ports that a visitor gets in by, of those that are there or that a policy names.
fn open(cluster: &Cluster, pods: Pods<'_>, visitor: Visitor<'_>) -> BTreeSet<u64> {
    let labels: Value = match visitor {
        Component(name) => json!({ COMPONENT: name }),
        Namespace(_) | Address(_) => json!({}),
    };
    let peer = match visitor {
        Component(_) => Peer::Beside(&labels),
        Namespace(name) => Peer::Elsewhere(name, &labels),
        Address(address) => Peer::Address(IpAddr::V4(address)),
    };
    let ports = pods.ports().chain(ports(cluster, pods, Way::In));
    ports.filter(|port| allows(cluster, pods, Way::In, peer, (*port, "TCP"))).collect()
}

impl fmt::Display for Visitor<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Component(name) => write!(f, "the component {name}"),
            Namespace(name) => write!(f, "the namespace {name}"),
            Address(address) => write!(f, "{address}"),
        }
    }
}
