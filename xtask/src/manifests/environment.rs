//! The environment of a container, as the kubelet makes it.

use serde_json::Value;

use super::cluster::{Cluster, Container, Pods, entries, list, text};

/// What stands for any secret; long enough for a key to sign with.
pub(super) const SECRET: &str = "secret0123456789secret0123456789secret";

/// A variable of a container.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Variable {
    pub(super) name: String,
    /// What it is, as far as manifests know; a secret is told by [`secret`].
    pub(super) value: String,
    /// Whether a later variable is made with it: then nobody else needs to know it.
    pub(super) is_part: bool,
}

/// All variables of a container; the later ones win.
pub(super) fn environment(
    cluster: &Cluster,
    pods: Pods<'_>,
    container: Container<'_>,
) -> Vec<Variable> {
    let mut known = vec![];
    for from in list(&container.0["envFrom"]) {
        let settings = cluster.find("ConfigMap", text(from, "/configMapRef/name"));
        for (name, value) in settings.into_iter().flat_map(|settings| entries(settings.at("/data")))
        {
            set(&mut known, name, value.as_str().unwrap_or_default().to_owned());
        }
    }
    for variable in list(&container.0["env"]) {
        let value = match (variable["value"].as_str(), &variable["valueFrom"]) {
            (Some(value), _) => expanded(value, &mut known),
            (None, Value::Null) => String::new(),
            (None, from) => elsewhere(cluster, pods, from),
        };
        set(&mut known, text(variable, "/name"), value);
    }
    known
}

fn set(known: &mut Vec<Variable>, name: &str, value: String) {
    known.retain(|variable| variable.name != name);
    known.push(Variable { name: name.to_owned(), value, is_part: false });
}

/// The text with `$(NAME)` replaced by what was set before; what was not set stays.
fn expanded(text: &str, known: &mut [Variable]) -> String {
    known.iter_mut().fold(text.to_owned(), |text, variable| {
        let reference = format!("$({})", variable.name);
        variable.is_part |= text.contains(&reference);
        text.replace(&reference, &variable.value)
    })
}

/// A value that is taken from somewhere.
fn elsewhere(cluster: &Cluster, pods: Pods<'_>, from: &Value) -> String {
    let field = text(from, "/fieldRef/fieldPath");
    if let Some(label) = field.strip_prefix("metadata.labels['") {
        return pods.label(label.trim_end_matches("']")).to_owned();
    }
    if field == "metadata.name" {
        return format!("{}-0", pods.name());
    }
    let settings = cluster.find("ConfigMap", text(from, "/configMapKeyRef/name"));
    let value = settings.map(|it| it.at("/data")[text(from, "/configMapKeyRef/key")].as_str());
    if let Some(Some(value)) = value {
        return value.to_owned();
    }
    let is_optional = from["secretKeyRef"]["optional"] == true;
    if is_optional { String::new() } else { secret(text(from, "/secretKeyRef/key")) }
}

/// A secret that is good for its purpose.
fn secret(key: &str) -> String {
    match key {
        "MONGODB_URI" => "mongodb://souk:secret@managed.example:27017/souk".to_owned(),
        "SOUK_ADMIN_EMAIL" => "admin@souk.example".to_owned(),
        "SOUK_STRIPE_SECRET_KEY" => format!("sk_test_{SECRET}"),
        _ => SECRET.to_owned(),
    }
}
