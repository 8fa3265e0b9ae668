//! Whether manifests write out the defaults that an API server would add inside lists and
//! references that it compares as a whole.
//!
//! Server-side apply takes such a value for another one: it reports conflicts, or a change where
//! nothing differs ("Merge strategy", Kubernetes documentation of server-side apply).

use serde_json::{Value, json};

use super::cluster::{Cluster, Object, entries, list};

/// A quantity's units, and how many make the next larger one.
const UNITS: [(&str, u64); 4] = [("Ki", 1024), ("Mi", 1024), ("Gi", 1024), ("m", 1000)];

/// Values that the server would write differently, with their place.
pub(super) fn problems(cluster: &Cluster) -> Vec<String> {
    cluster.0.iter().flat_map(of_object).collect()
}

fn of_object(object: &Object) -> Vec<String> {
    let mut found = vec![];
    visit(&object.0, "", &mut found);
    if object.kind() == "Deployment" && object.at("/spec/strategy/type").is_null() {
        found.push("/spec/strategy has no type".to_owned());
    }
    for claim in list(object.at("/spec/volumeClaimTemplates")) {
        let mode = &claim["spec"]["volumeMode"];
        if [&claim["apiVersion"], &claim["kind"], mode].iter().any(|it| it.is_null()) {
            found.push("/spec/volumeClaimTemplates leaves out a default".to_owned());
        }
    }
    let title = object.title();
    found.into_iter().map(|problem| format!("{title}: {problem}")).collect()
}

/// Collects the problems of a value and of all values in it.
fn visit(value: &Value, place: &str, found: &mut Vec<String>) {
    for (key, inner) in entries(value) {
        let place = format!("{place}/{key}");
        match key.as_str() {
            "ports" if list(inner).any(|port| port["protocol"].is_null()) => {
                found.push(format!("{place} leaves out a protocol"));
            }
            "fieldRef" if inner["apiVersion"] != "v1" => {
                found.push(format!("{place} leaves out apiVersion"));
            }
            "resourceFieldRef" if inner["divisor"].is_null() => {
                found.push(format!("{place} leaves out divisor"));
            }
            "value" if *inner == json!("") => {
                found.push(format!("{place} is empty, which the server drops"));
            }
            "requests" | "limits" => {
                let long = entries(inner).filter(|(_, quantity)| !is_canonical(quantity));
                found.extend(
                    long.map(|(name, it)| format!("{place}/{name}: {it} has a shorter form")),
                );
            }
            _ => {}
        }
        visit(inner, &place, found);
    }
    for (at, inner) in list(value).enumerate() {
        visit(inner, &format!("{place}/{at}"), found);
    }
}

/// Whether a quantity has the largest unit that leaves a whole number, as the server writes it.
fn is_canonical(quantity: &Value) -> bool {
    let Some(text) = quantity.as_str() else { return false };
    UNITS.iter().all(|(unit, many)| {
        let number = text.strip_suffix(unit).and_then(|number| number.parse::<u64>().ok());
        number.is_none_or(|number| number % many != 0)
    })
}

#[cfg(test)]
mod tests {
    use super::super::render::parse;
    use super::*;

    #[test]
    fn left_out_defaults_are_found() {
        let yaml = "
kind: Deployment
metadata: {name: a}
spec:
  strategy: {rollingUpdate: {maxSurge: 1}}
  template:
    spec:
      containers:
        - ports: [{containerPort: 1, protocol: TCP}, {containerPort: 2}]
          env:
            - {name: A, value: ''}
            - {name: B, valueFrom: {fieldRef: {fieldPath: metadata.name}}}
          resources: {limits: {memory: 1024Mi, cpu: 1000m}, requests: {memory: 1Gi, cpu: '1'}}
---
kind: StatefulSet
metadata: {name: b}
spec: {volumeClaimTemplates: [{metadata: {name: data}, spec: {}}]}
---
kind: NetworkPolicy
metadata: {name: c}
spec: {ingress: [{ports: [{port: 3000}]}]}
";
        let container = "Deployment a: /spec/template/spec/containers/0";

        let mut problems = problems(&parse(yaml).unwrap());

        problems.sort();
        let wanted = [
            "Deployment a: /spec/strategy has no type".to_owned(),
            format!("{container}/env/0/value is empty, which the server drops"),
            format!("{container}/env/1/valueFrom/fieldRef leaves out apiVersion"),
            format!("{container}/ports leaves out a protocol"),
            format!("{container}/resources/limits/cpu: \"1000m\" has a shorter form"),
            format!("{container}/resources/limits/memory: \"1024Mi\" has a shorter form"),
            "NetworkPolicy c: /spec/ingress/0/ports leaves out a protocol".to_owned(),
            "StatefulSet b: /spec/volumeClaimTemplates leaves out a default".to_owned(),
        ];
        assert_eq!(problems, wanted);
    }
}
