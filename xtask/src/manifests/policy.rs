//! What network policies let through, as Kubernetes reads them.

use std::net::IpAddr;

use serde_json::{Value, json};

use super::cluster::{Cluster, Object, Pods, entries, list};
use super::selection::selects;

/// Who may be at the other end.
#[derive(Clone, Copy, Debug)]
pub(super) enum Peer<'a> {
    /// Pods of the shop.
    Pods(Pods<'a>),
    /// Pods with these labels in the shop's namespace, whoever made them.
    Beside(&'a Value),
    /// Pods with these labels in a namespace of this name.
    Elsewhere(&'a str, &'a Value),
    /// An address outside the cluster.
    Address(IpAddr),
}

/// The way a connection goes, as seen from the pods of a policy.
#[derive(Clone, Copy, Debug)]
pub(super) enum Way {
    /// From them.
    Out,
    /// To them.
    In,
}

/// Whether pods may be connected with a peer: one policy that allows it is enough.
///
/// The port is that of whoever is asked; `asked` knows its names.
pub(super) fn allows(
    cluster: &Cluster,
    pods: Pods<'_>,
    way: Way,
    peer: Peer<'_>,
    (port, protocol): (u64, &str),
) -> bool {
    let mut own = cluster.of("NetworkPolicy").filter(|it| applies(it, pods, way)).peekable();
    let asked = match (way, peer) {
        (Way::In, _) => Some(pods),
        (Way::Out, Peer::Pods(other)) => Some(other),
        (Way::Out, _) => None,
    };
    if own.peek().is_none() {
        return true;
    }
    let (rules, ends) = match way {
        Way::Out => ("/spec/egress", "to"),
        Way::In => ("/spec/ingress", "from"),
    };
    own.flat_map(|policy| list(policy.at(rules))).any(|rule| {
        let leads_there = list(&rule[ends]).next().is_none()
            || list(&rule[ends]).any(|it| is_meant(cluster, it, peer));
        let has_port = list(&rule["ports"]).next().is_none()
            || list(&rule["ports"]).any(|it| fits(it, port, protocol, asked));
        leads_there && has_port
    })
}

fn applies(policy: &Object, pods: Pods<'_>, way: Way) -> bool {
    let name = match way {
        Way::Out => "Egress",
        Way::In => "Ingress",
    };
    list(policy.at("/spec/policyTypes")).any(|it| it == name)
        && selects(policy.at("/spec/podSelector"), pods.labels())
}

/// Whether an entry of `to` or `from` means this peer.
fn is_meant(cluster: &Cluster, entry: &Value, peer: Peer<'_>) -> bool {
    let block = &entry["ipBlock"];
    let (namespace, labels) = match peer {
        Peer::Address(address) => return !block.is_null() && holds(block, address),
        Peer::Pods(pods) => (own_namespace(cluster), pods.labels()),
        Peer::Beside(labels) => (own_namespace(cluster), labels),
        Peer::Elsewhere(name, labels) => (json!({ "kubernetes.io/metadata.name": name }), labels),
    };
    let is_home = matches!(peer, Peer::Pods(_) | Peer::Beside(_));
    let of_namespace = match &entry["namespaceSelector"] {
        Value::Null => is_home,
        selector => selects(selector, &namespace),
    };
    block.is_null() && of_namespace && selects(&entry["podSelector"], labels)
}

fn own_namespace(cluster: &Cluster) -> Value {
    let namespace = cluster.of("Namespace").next();
    let mut labels = namespace.map(|it| it.at("/metadata/labels").clone()).unwrap_or_default();
    labels["kubernetes.io/metadata.name"] = namespace.map_or("", |it| it.name()).into();
    labels
}

fn fits(entry: &Value, port: u64, protocol: &str, asked: Option<Pods<'_>>) -> bool {
    let spoken = entry["protocol"].as_str().unwrap_or("TCP");
    let first = match &entry["port"] {
        Value::String(_) => asked.and_then(|pods| pods.port(&entry["port"])),
        number => number.as_u64(),
    };
    let last = entry["endPort"].as_u64().or(first);
    let within = first.is_none_or(|first| (first..=last.unwrap_or(first)).contains(&port));
    spoken == protocol && within
}

/// Whether an address is in a block and not in what the block leaves out.
fn holds(block: &Value, address: IpAddr) -> bool {
    let is_in = |cidr: &Value| cidr.as_str().is_some_and(|cidr| contains(cidr, address));
    is_in(&block["cidr"]) && !list(&block["except"]).any(is_in)
}

fn contains(cidr: &str, address: IpAddr) -> bool {
    let Some((network, length)) = cidr.split_once('/') else { return false };
    let (Ok(network), Ok(length)) = (network.parse::<IpAddr>(), length.parse::<u32>()) else {
        return false;
    };
    let bits = |address| match address {
        IpAddr::V4(v4) => (u128::from(u32::from(v4)), 32),
        IpAddr::V6(v6) => (u128::from(v6), 128),
    };
    let ((network, width), (address, other)) = (bits(network), bits(address));
    let cut = width - length.min(width);
    width == other && network.checked_shr(cut) == address.checked_shr(cut)
}

/// The ports that a policy's rules speak of, of pods that it applies to.
pub(super) fn ports(cluster: &Cluster, pods: Pods<'_>, way: Way) -> Vec<u64> {
    let rules = match way {
        Way::Out => "/spec/egress",
        Way::In => "/spec/ingress",
    };
    let own = cluster.of("NetworkPolicy").filter(|it| applies(it, pods, way));
    let rules = own.flat_map(|policy| list(policy.at(rules)));
    let ports = rules.flat_map(|rule| list(&rule["ports"])).filter_map(|it| it["port"].as_u64());
    let mut ports: Vec<_> = ports.collect();
    ports.sort_unstable();
    ports.dedup();
    ports
}

/// The names of the namespaces that a policy's rules speak of, of pods that it applies to.
pub(super) fn namespaces<'a>(cluster: &'a Cluster, pods: Pods<'_>) -> Vec<&'a str> {
    const NAME: &str = "kubernetes.io/metadata.name";
    let own = cluster.of("NetworkPolicy").filter(|it| applies(it, pods, Way::In));
    let rules = own.flat_map(|policy| list(policy.at("/spec/ingress")));
    let selectors = rules.flat_map(|rule| list(&rule["from"])).map(|it| &it["namespaceSelector"]);
    let names = selectors.flat_map(|selector| {
        let equal = entries(&selector["matchLabels"]).filter(|(key, _)| *key == NAME);
        let among = list(&selector["matchExpressions"]).filter(|it| it["key"] == NAME);
        equal.map(|(_, name)| name).chain(among.flat_map(|it| list(&it["values"])))
    });
    names.filter_map(Value::as_str).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_block_holds_its_addresses_and_leaves_some_out() {
        let block = json!({ "cidr": "0.0.0.0/0", "except": ["10.0.0.0/8"] });

        assert!(holds(&block, [203, 0, 113, 1].into()));
        assert!(!holds(&block, [10, 1, 2, 3].into()));
        assert!(contains("35.191.0.0/16", [35, 191, 7, 7].into()));
        assert!(!contains("35.191.0.0/16", [35, 192, 7, 7].into()));
        assert!(!contains("::/0", [10, 1, 2, 3].into()));
    }
}
