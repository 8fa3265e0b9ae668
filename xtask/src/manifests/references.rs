//! Whether all is there that an object names.

use std::collections::BTreeSet;

use serde_json::Value;

use super::cluster::{Cluster, Container, Object, Pods, at, list, text};

/// What is named and is not there. Secrets have a page of their own.
pub(super) fn problems(cluster: &Cluster) -> Vec<String> {
    let pods = cluster.pods().flat_map(|pods| of_pods(cluster, pods));
    let others = cluster.0.iter().flat_map(|object| of_object(cluster, object));
    pods.chain(others).collect()
}

fn of_pods(cluster: &Cluster, pods: Pods<'_>) -> Vec<String> {
    let mut named = vec![
        ("ServiceAccount", text(pods.spec(), "/serviceAccountName")),
        ("PriorityClass", text(pods.spec(), "/priorityClassName")),
    ];
    for volume in list(&pods.spec()["volumes"]) {
        named.push(("ConfigMap", text(volume, "/configMap/name")));
        named.push(("PersistentVolumeClaim", text(volume, "/persistentVolumeClaim/claimName")));
    }
    for container in pods.containers() {
        let from = list(&container.0["envFrom"]).map(|from| text(from, "/configMapRef/name"));
        let one = list(&container.0["env"]).map(|it| text(it, "/valueFrom/configMapKeyRef/name"));
        named.extend(from.chain(one).map(|name| ("ConfigMap", name)));
    }
    let title = pods.owner.title();
    let missing = missing(cluster, &title, named);
    missing.into_iter().chain(pods.containers().flat_map(|it| of_container(pods, it))).collect()
}

/// What a container names within its own pod.
fn of_container(pods: Pods<'_>, container: Container<'_>) -> Vec<String> {
    let place = format!("{}, container {}", pods.owner.title(), container.name());
    let mounts = list(&container.0["volumeMounts"]).map(|mount| text(mount, "/name"));
    let unknown = mounts.filter(|mount| !has_volume(pods, mount));
    let mut wrong: Vec<_> =
        unknown.map(|mount| format!("{place}: there is no volume {mount}")).collect();
    for probe in ["startupProbe", "readinessProbe", "livenessProbe"] {
        for way in ["httpGet", "tcpSocket", "grpc"] {
            let port = &container.0[probe][way]["port"];
            if !port.is_null() && container.port(port).is_none() {
                wrong.push(format!("{place}: {probe} asks at port {port}, which it has not"));
            }
        }
    }
    wrong
}

fn has_volume(pods: Pods<'_>, name: &str) -> bool {
    let volumes = list(&pods.spec()["volumes"]).map(|volume| text(volume, "/name"));
    let claims = list(pods.owner.at("/spec/volumeClaimTemplates"));
    volumes.chain(claims.map(|claim| text(claim, "/metadata/name"))).any(|known| known == name)
}

fn of_object(cluster: &Cluster, object: &Object) -> Vec<String> {
    let mut named = vec![];
    match object.kind() {
        "StatefulSet" => named.push(("Service", text(&object.0, "/spec/serviceName"))),
        "HorizontalPodAutoscaler" => {
            let target = object.at("/spec/scaleTargetRef");
            named.push((text(target, "/kind"), text(target, "/name")));
        }
        "Ingress" => {
            let annotations = object.at("/metadata/annotations");
            let of = |name: &str| annotations[name].as_str().unwrap_or_default();
            named.push(("ManagedCertificate", of("networking.gke.io/managed-certificates")));
            named.push(("FrontendConfig", of("networking.gke.io/v1beta1.FrontendConfig")));
        }
        _ => {}
    }
    let missing = missing(cluster, &object.title(), named);
    let led = [backends(cluster, object), balanced(cluster, object), unprobed(cluster, object)];
    missing.into_iter().chain(led.concat()).collect()
}

/// The Services that an Ingress leads to, and their ports.
fn backends(cluster: &Cluster, ingress: &Object) -> Vec<String> {
    let paths = list(ingress.at("/spec/rules")).flat_map(|rule| list(at(rule, "/http/paths")));
    let unserved = paths.filter(|path| {
        let backend = at(path, "/backend/service");
        let service = cluster.find("Service", text(backend, "/name"));
        let ports = service.into_iter().flat_map(|service| list(service.at("/spec/ports")));
        !ports.into_iter().any(|port| port["name"] == backend["port"]["name"])
    });
    let title = ingress.title();
    unserved.map(|path| format!("{title}: {} leads nowhere", path["path"])).collect()
}

/// What a Service says about its load balancer.
fn balanced(cluster: &Cluster, service: &Object) -> Vec<String> {
    let named = backend_configs(service);
    let named = named.iter().map(|name| ("BackendConfig", name.as_str())).collect();
    missing(cluster, &service.title(), named)
}

/// What Google's load balancer leads to without knowing where to ask whether it is well.
fn unprobed(cluster: &Cluster, ingress: &Object) -> Vec<String> {
    if ingress.at("/metadata/annotations")["kubernetes.io/ingress.class"] != "gce" {
        return vec![];
    }
    let paths = list(ingress.at("/spec/rules")).flat_map(|rule| list(at(rule, "/http/paths")));
    let services: BTreeSet<_> = paths.map(|path| text(path, "/backend/service/name")).collect();
    let services = services.into_iter().filter_map(|name| cluster.find("Service", name));
    let unprobed = services.filter(|service| backend_configs(service).is_empty());
    unprobed.map(|service| format!("{} names no BackendConfig", service.title())).collect()
}

/// Each `BackendConfig` that a Service names, for all of its ports or for one.
fn backend_configs(service: &Object) -> Vec<String> {
    let annotation =
        service.at("/metadata/annotations")["cloud.google.com/backend-config"].as_str();
    let config: Value =
        annotation.map(serde_json::from_str).and_then(Result::ok).unwrap_or_default();
    let ports = super::cluster::entries(&config["ports"]).map(|(_, name)| name);
    let named = ports.chain([&config["default"]]).filter(|name| !name.is_null());
    named.map(|name| name.as_str().unwrap_or("?").to_owned()).collect()
}

fn missing(cluster: &Cluster, title: &str, named: Vec<(&str, &str)>) -> Vec<String> {
    let missing = named
        .into_iter()
        .filter(|(kind, name)| !name.is_empty() && cluster.find(kind, name).is_none());
    missing.map(|(kind, name)| format!("{title}: there is no {kind} {name}")).collect()
}
