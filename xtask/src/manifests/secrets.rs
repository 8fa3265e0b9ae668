//! Whether every secret is rendered, or the page for operators says how to make it.

use std::collections::BTreeSet;
use std::path::Path;

use anyhow::Context as _;
use testkit::fleet::Service;

use super::cluster::{Cluster, Pods, list, text};

/// The page that says how secrets are made by hand.
const PAGE: &str = "docs/operating.md";
/// The script that makes those with certificates.
const CERTIFICATES: &str = "infra/k8s/components/tls/certificates.sh";

/// The secrets that people make, and the keys in them.
#[derive(Clone, Debug, Default)]
pub(super) struct Documented(BTreeSet<(String, String)>);

/// A key of a secret that something needs.
type Need<'a> = (&'a str, &'a str);

impl Documented {
    /// Reads the page for operators.
    pub(super) fn read(root: &Path) -> anyhow::Result<Self> {
        let read = |file| std::fs::read_to_string(root.join(file)).context(file);
        let mut documented = Self::parse(&read(PAGE)?);
        let script = read(CERTIFICATES)?;
        let lines = script.lines().filter_map(|line| line.trim().strip_prefix("secret "));
        documented.0.extend(lines.flat_map(certified_by));
        Ok(documented)
    }

    /// Finds `kubectl create secret generic NAME --from-literal=KEY=…`, where `$service` in the
    /// name stands for each service.
    pub(super) fn parse(page: &str) -> Self {
        let page = page.replace("\\\n", " ");
        let kubectl = page.lines().filter(|line| line.contains("kubectl "));
        let commands = kubectl.filter_map(|line| line.split_once(" create secret "));
        Self(commands.flat_map(|(_, command)| made_by(command)).collect())
    }

    fn has(&self, (name, key): Need<'_>) -> bool {
        self.0.contains(&(name.to_owned(), key.to_owned()))
    }
}

/// The secrets that one command makes, in a loop over the services perhaps.
fn made_by(command: &str) -> Vec<(String, String)> {
    let mut words = command.split_whitespace();
    let (kind, name) = (words.next().unwrap_or_default(), words.next().unwrap_or_default());
    let name = name.trim_matches('"');
    let keys: Vec<&str> = if kind == "tls" {
        vec!["tls.crt"]
    } else {
        let from = words.filter_map(|word| word.strip_prefix("--from-"));
        from.filter_map(|word| word.split('=').nth(1)).collect()
    };
    named(name, &keys)
}

/// The secrets that a line `secret NAME KEY=FILE…` of the script makes.
fn certified_by(line: &str) -> Vec<(String, String)> {
    let mut words = line.split_whitespace().map(|word| word.trim_matches('"'));
    let name = words.next().unwrap_or_default();
    let keys: Vec<_> = words.filter_map(|word| word.split('=').next()).collect();
    named(name, &keys)
}

/// Each key of a secret, or of one for each service where `$service` is in the name.
fn named(name: &str, keys: &[&str]) -> Vec<(String, String)> {
    let names: Vec<String> = if name.contains("$service") {
        Service::ALL.iter().map(|service| name.replace("$service", service.name())).collect()
    } else {
        vec![name.to_owned()]
    };
    let all =
        names.iter().flat_map(|name| keys.iter().map(|key| (name.clone(), (*key).to_owned())));
    all.collect()
}

/// The secrets that nobody would make.
pub(super) fn problems(cluster: &Cluster, documented: &Documented) -> Vec<String> {
    let of_pods =
        cluster.pods().flat_map(|pods| needs(pods).into_iter().map(move |it| (pods.owner, it)));
    let of_doors = cluster.of("Ingress").flat_map(|ingress| {
        let names = list(ingress.at("/spec/tls")).map(|tls| text(tls, "/secretName"));
        names.map(move |name| (ingress, (name, "tls.crt")))
    });
    let unmade = of_pods
        .chain(of_doors)
        .filter(|(_, need)| !is_rendered(cluster, *need) && !documented.has(*need));
    let wrong = unmade.map(|(owner, (name, key))| {
        let title = owner.title();
        format!("{title}: nobody makes the Secret {name} with {key}; {PAGE} does not say how")
    });
    wrong.collect()
}

/// The secrets that pods cannot start without.
fn needs(pods: Pods<'_>) -> Vec<Need<'_>> {
    let variables = pods.containers().flat_map(|container| list(&container.0["env"]));
    let references = variables.map(|variable| &variable["valueFrom"]["secretKeyRef"]);
    let needed = references.filter(|it| !it.is_null() && it["optional"] != true);
    let variables = needed.map(|it| (text(it, "/name"), text(it, "/key")));
    let volumes = list(&pods.spec()["volumes"]).map(|volume| &volume["secret"]);
    let files = volumes.flat_map(|secret| {
        list(&secret["items"]).map(|item| (text(secret, "/secretName"), text(item, "/key")))
    });
    variables.chain(files).collect()
}

fn is_rendered(cluster: &Cluster, (name, key): Need<'_>) -> bool {
    let has = |secret: &super::cluster::Object| {
        ["/data", "/stringData"].iter().any(|data| secret.at(data).get(key).is_some())
    };
    cluster.find("Secret", name).is_some_and(has)
}
