//! How much memory an overlay may take.

use serde_json::Value;

use super::cluster::{Cluster, Container, Pods};

const MIB: u64 = 1 << 20;
/// What a laptop has room for, in MiB.
const LAPTOP: u64 = 3 * 1024;

/// What all pods may take at most, in MiB; jobs, which come and go, excepted.
fn total(cluster: &Cluster) -> u64 {
    let lasting = cluster.pods().filter(|pods| !["CronJob", "Job"].contains(&pods.owner.kind()));
    lasting.map(|pods| pods.replicas() * of_pod(pods)).sum()
}

/// Containers that run before the others give back what they took.
fn of_pod(pods: Pods<'_>) -> u64 {
    let limit = |container: Container<'_>| mib(limit(container)).unwrap_or_default();
    let first = pods.containers().map(limit).max().unwrap_or_default();
    pods.running().map(limit).sum::<u64>().max(first)
}

fn limit(container: Container<'_>) -> &Value {
    &container.0["resources"]["limits"]["memory"]
}

/// What has no bound on its memory, or less than it asks for; and whether `dev` fits a laptop.
pub(super) fn problems(overlay: &str, cluster: &Cluster) -> Vec<String> {
    let total = total(cluster);
    let large = (overlay == "dev" && total > LAPTOP)
        .then(|| format!("all pods may take {total} MiB, of which a laptop has {LAPTOP}"));
    let containers = cluster.pods().flat_map(|pods| pods.containers().map(move |it| (pods, it)));
    let unbounded = containers.filter(|(_, container)| {
        let request = mib(&container.0["resources"]["requests"]["memory"]);
        mib(limit(*container)).is_none_or(|limit| request.is_none_or(|request| request > limit))
    });
    let say = |pods: Pods<'_>, container: Container<'_>| {
        let (title, name) = (pods.owner.title(), container.name());
        format!("{title}, container {name}: its memory has no sound request and limit")
    };
    unbounded.map(|(pods, container)| say(pods, container)).chain(large).collect()
}

/// A quantity such as `64Mi` or `1Gi`, in MiB.
fn mib(quantity: &Value) -> Option<u64> {
    let text = quantity.as_str()?;
    let units = [("Gi", 1024 * MIB), ("Mi", MIB), ("Ki", 1024)];
    let found = units.iter().find_map(|(unit, bytes)| Some((text.strip_suffix(unit)?, bytes)));
    let (number, bytes) = found?;
    Some(number.parse::<u64>().ok()? * bytes / MIB)
}
