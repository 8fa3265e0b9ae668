//! Whether what selects pods selects the right ones.

use serde_json::Value;

use super::cluster::{Cluster, Object, Pods, entries, list, text};

/// Whether labels are what a selector wants.
pub(super) fn selects(selector: &Value, labels: &Value) -> bool {
    let has = |key: &str, wanted: &Value| labels.get(key) == Some(wanted);
    let equal = entries(&selector["matchLabels"]).all(|(key, wanted)| has(key, wanted));
    let fit = list(&selector["matchExpressions"]).all(|expression| {
        let key = text(expression, "/key");
        let among = list(&expression["values"]).any(|value| has(key, value));
        match text(expression, "/operator") {
            "In" => among,
            "NotIn" => !among,
            "Exists" => labels.get(key).is_some(),
            "DoesNotExist" => labels.get(key).is_none(),
            _ => false,
        }
    });
    equal && fit
}

/// The pods that a Service leads to.
pub(super) fn served<'a>(cluster: &'a Cluster, service: &'a Object) -> Vec<Pods<'a>> {
    let wanted = service.at("/spec/selector");
    let fits = |pods: &Pods<'_>| {
        entries(wanted).all(|(key, wanted)| pods.labels().get(key) == Some(wanted))
    };
    cluster.pods().filter(fits).collect()
}

/// What selects nothing, or too much.
pub(super) fn problems(cluster: &Cluster) -> Vec<String> {
    let services = cluster.of("Service").flat_map(|service| of_service(cluster, service));
    let budgets = cluster.of("PodDisruptionBudget").filter_map(|budget| of_budget(cluster, budget));
    let policies = cluster.of("NetworkPolicy").filter_map(|policy| of_policy(cluster, policy));
    let workloads = cluster.pods().flat_map(of_workload);
    services.chain(budgets).chain(policies).chain(workloads).collect()
}

/// A Service leads to the pods of one owner, and to ports that they have.
fn of_service(cluster: &Cluster, service: &Object) -> Vec<String> {
    let (title, served) = (service.title(), served(cluster, service));
    let [pods] = served[..] else {
        return vec![format!("{title} selects the pods of {} owners, not of one", served.len())];
    };
    let ports = list(service.at("/spec/ports"));
    let missing = ports.filter(|port| pods.port(&port["targetPort"]).is_none());
    let say = |port: &Value| {
        format!("{title} leads to port {}, which {} has not", port["targetPort"], pods.name())
    };
    missing.map(say).collect()
}

/// A budget is that of one owner: else draining a node waits for others' pods.
fn of_budget(cluster: &Cluster, budget: &Object) -> Option<String> {
    let kept =
        cluster.pods().filter(|it| selects(budget.at("/spec/selector"), it.labels())).count();
    (kept != 1).then(|| format!("{} selects the pods of {kept} owners, not of one", budget.title()))
}

fn of_policy(cluster: &Cluster, policy: &Object) -> Option<String> {
    let selector = policy.at("/spec/podSelector");
    let is_idle = !cluster.pods().any(|pods| selects(selector, pods.labels()));
    is_idle.then(|| format!("{} selects no pods", policy.title()))
}

/// What an owner says about its own pods.
fn of_workload(pods: Pods<'_>) -> Vec<String> {
    let spread = list(&pods.spec()["topologySpreadConstraints"]);
    let spread = spread.map(|constraint| ("spreads", &constraint["labelSelector"]));
    let own = Some(("selects", pods.owner.at("/spec/selector"))).filter(|(_, it)| !it.is_null());
    let strange = spread.chain(own).filter(|(_, selector)| {
        selector["matchLabels"].is_null() || !selects(selector, pods.labels())
    });
    strange
        .map(|(verb, _)| format!("{} {verb} other pods than its own", pods.owner.title()))
        .collect()
}
