//! Whether every container may do only what it must: Pod Security `restricted`, and a little more.

use serde_json::{Value, json};

use super::cluster::{Cluster, Container, Pods};

/// What may do more than it must.
pub(super) fn problems(cluster: &Cluster) -> Vec<String> {
    let pods = cluster.pods().filter(|pods| !is_confined_pod(*pods));
    let pods = pods.map(|pods| format!("{} may be root or ask the cluster", pods.owner.title()));
    pods.chain(problems_of_containers(cluster)).collect()
}

/// The containers that may do more than they must.
pub(super) fn problems_of_containers(cluster: &Cluster) -> Vec<String> {
    let containers = cluster.pods().flat_map(|pods| pods.containers().map(move |it| (pods, it)));
    let loose = containers.filter(|(_, container)| !is_confined(*container));
    let say = |pods: Pods<'_>, container: Container<'_>| {
        format!("{}, container {} may do too much", pods.owner.title(), container.name())
    };
    loose.map(|(pods, container)| say(pods, container)).collect()
}

fn is_confined_pod(pods: Pods<'_>) -> bool {
    let (spec, context) = (pods.spec(), &pods.spec()["securityContext"]);
    let shares = ["hostNetwork", "hostPID", "hostIPC"].iter().any(|host| spec[host] == true);
    let is_nobody = context["runAsUser"].as_u64().is_some_and(|user| user > 0);
    let has_node = spec["volumes"].as_array().into_iter().flatten();
    let has_node = has_node.into_iter().any(|volume| !volume["hostPath"].is_null());
    is_nobody
        && !shares
        && (!asks_cluster(pods) || pods.label("app.kubernetes.io/component") == "demo")
        && !has_node
        && context["runAsNonRoot"] == true
        && context["seccompProfile"]["type"] == "RuntimeDefault"
        && spec["automountServiceAccountToken"] == false
        && spec["enableServiceLinks"] == false
}

/// Whether it is given a token that the API server takes.
pub(super) fn asks_cluster(pods: Pods<'_>) -> bool {
    let volumes = pods.spec()["volumes"].as_array().into_iter().flatten();
    let sources =
        volumes.flat_map(|it| it["projected"]["sources"].as_array().into_iter().flatten());
    sources.into_iter().any(|source| !source["serviceAccountToken"].is_null())
}

fn is_confined(container: Container<'_>) -> bool {
    let context = &container.0["securityContext"];
    let keeps: &Value = &context["capabilities"];
    context["allowPrivilegeEscalation"] == false
        && context["readOnlyRootFilesystem"] == true
        && context["privileged"] != true
        && *keeps == json!({ "drop": ["ALL"] })
}
