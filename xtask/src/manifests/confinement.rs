//! Whether every container may do only what it must: Pod Security `restricted`, and a little more.

use serde_json::{Value, json};

use super::cluster::{Cluster, Container, Pods};

/// What may do more than it must.
pub(super) fn problems(cluster: &Cluster) -> Vec<String> {
    let pods = cluster.pods().filter(|pods| !is_confined_pod(*pods));
    let pods = pods.map(|pods| format!("{} may be root or ask the cluster", pods.owner.title()));
    let containers = cluster.pods().flat_map(|pods| pods.containers().map(move |it| (pods, it)));
    let loose = containers.filter(|(_, container)| !is_confined(*container));
    let say = |pods: Pods<'_>, container: Container<'_>| {
        format!("{}, container {} may do too much", pods.owner.title(), container.name())
    };
    pods.chain(loose.map(|(pods, container)| say(pods, container))).collect()
}

fn is_confined_pod(pods: Pods<'_>) -> bool {
    let (spec, context) = (pods.spec(), &pods.spec()["securityContext"]);
    let shares = ["hostNetwork", "hostPID", "hostIPC"].iter().any(|host| spec[host] == true);
    let is_nobody = context["runAsUser"].as_u64().is_some_and(|user| user > 0);
    let has_node = spec["volumes"].as_array().into_iter().flatten();
    let has_node = has_node.into_iter().any(|volume| !volume["hostPath"].is_null());
    is_nobody
        && !shares
        && !has_node
        && context["runAsNonRoot"] == true
        && context["seccompProfile"]["type"] == "RuntimeDefault"
        && spec["automountServiceAccountToken"] == false
        && spec["enableServiceLinks"] == false
}

fn is_confined(container: Container<'_>) -> bool {
    let context = &container.0["securityContext"];
    let keeps: &Value = &context["capabilities"];
    context["allowPrivilegeEscalation"] == false
        && context["readOnlyRootFilesystem"] == true
        && context["privileged"] != true
        && *keeps == json!({ "drop": ["ALL"] })
}
