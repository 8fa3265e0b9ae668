//! The path filters of the workflows say what cargo says.

use std::collections::BTreeSet;

use yaml_serde::Value;

use super::graph::{Graph, Purpose};
use crate::workspace::root;

#[test]
fn each_service_has_a_workflow_that_starts_for_just_what_touches_it() {
    let graph = Graph::read(&root()).unwrap();
    for service in graph.services() {
        let expected = graph.inputs(service, Purpose::Test);
        for event in ["push", "pull_request"] {
            let file = format!(".github/workflows/{service}.yaml");
            let filters = filters(&file, event);
            let missing: Vec<_> = expected.difference(&filters).collect();
            let needless: Vec<_> = filters.difference(&expected).collect();
            assert!(
                missing.is_empty() && needless.is_empty(),
                "{file}, {event}: missing {missing:?}, needless {needless:?}"
            );
        }
    }
}

fn filters(file: &str, event: &str) -> BTreeSet<String> {
    let text = std::fs::read_to_string(root().join(file)).expect(file);
    let workflow: Value = yaml_serde::from_str(&text).expect(file);
    let paths = workflow["on"][event]["paths"].as_sequence().expect("paths");
    paths.iter().map(|path| path.as_str().expect("a pattern").to_owned()).collect()
}
