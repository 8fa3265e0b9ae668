//! Skaffold's modules together are the fleet.

use serde::Deserialize as _;
use yaml_serde::Value;

use super::own;
use crate::affected::services;

fn modules() -> Vec<Value> {
    let text = own("skaffold.yaml");
    let documents = yaml_serde::Deserializer::from_str(&text);
    documents.map(|document| Value::deserialize(document).unwrap()).collect()
}

#[test]
fn every_service_is_built_and_deployed_by_one_module() {
    let (services, modules) = (services().unwrap(), modules());

    let names: Vec<_> = modules.iter().filter_map(|it| it["metadata"]["name"].as_str()).collect();
    assert_eq!(names.len(), services.len() + 1, "a module for each service, and one for the rest");
    for service in services {
        let module = &modules[names.iter().position(|&name| name == service).expect(&service)];
        let artifact = &module["build"]["artifacts"][0];
        assert_eq!(artifact["image"].as_str(), Some(&*format!("souk.invalid/{service}")));
        assert_eq!(artifact["docker"]["buildArgs"]["SERVICE"].as_str(), Some(&*service));
        assert_eq!(selector(module), format!("--selector=app.kubernetes.io/name={service}"));
    }
}

#[test]
fn what_belongs_to_no_service_is_deployed_by_the_module_of_the_rest() {
    let rest = modules().remove(0);

    let selector = selector(&rest);
    let named = selector.strip_prefix("--selector=app.kubernetes.io/name notin (");
    let named = named.and_then(|it| it.strip_suffix(')')).unwrap_or_else(|| panic!("{selector}"));
    let mut named: Vec<_> = named.split(',').collect();
    named.sort_unstable();

    assert_eq!(named, services().unwrap());
}

#[test]
fn a_module_alone_brings_what_its_service_waits_for() {
    for module in modules().into_iter().skip(1) {
        let name = module["metadata"]["name"].as_str().unwrap();
        // Nobody is ready without the keys that auth tells.
        let wanted = if name == "auth" { vec!["platform"] } else { vec!["platform", "auth"] };

        let required = module["requires"][0]["configs"].as_sequence().unwrap();
        let required: Vec<_> = required.iter().filter_map(Value::as_str).collect();

        assert_eq!(required, wanted, "{name}");
    }
}

#[test]
fn what_a_module_applied_it_deletes_and_leaves_what_is_to_be_kept() {
    for module in modules() {
        let deleted = module["deploy"]["kubectl"]["flags"]["delete"][0].as_str().unwrap();

        assert_eq!(deleted, format!("{},!souk/keep", selector(&module)));
    }
}

#[test]
fn second_deploy_replaces_no_pods() {
    for module in modules() {
        let (name, selector) = (&module["metadata"]["name"], &module["resourceSelector"]);
        assert!(selector["deny"].is_null(), "{name:?}: that would stop replacing images, too");
        let allowed = selector["allow"].as_sequence().expect("a list");
        for kind in ["StatefulSet.apps", "Deployment.apps"] {
            let filter = allowed.iter().find(|it| it["groupKind"] == kind).expect(kind);
            let paths = |key: &str| yaml_serde::to_string(&filter[key]).unwrap();
            assert_eq!(
                paths("labels"),
                "- .metadata.labels\n",
                "{name:?}: not in the pod template"
            );
            assert_eq!((paths("image"), paths("podSpec")), ("- .*\n".into(), "- .*\n".into()));
        }
    }
}

#[test]
fn modules_apply_on_the_server() {
    for module in modules() {
        let flags = module["deploy"]["kubectl"]["flags"]["apply"].as_sequence().unwrap();
        let flags: Vec<_> = flags.iter().filter_map(Value::as_str).skip(1).collect();

        assert_eq!(flags, ["--server-side", "--force-conflicts"]);
    }
}

/// Which objects a module applies.
fn selector(module: &Value) -> String {
    module["deploy"]["kubectl"]["flags"]["apply"][0].as_str().expect("a flag").to_owned()
}
