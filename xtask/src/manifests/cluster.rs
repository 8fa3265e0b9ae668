//! What a cluster is told to be.

use serde_json::{Map, Value};

/// What the names of the images that are built here begin with. No registry can have this name
/// (RFC 6761, section 6.4), so that a node without the image never asks a stranger for it.
pub(super) const REGISTRY: &str = "souk.invalid/";

/// All objects of an overlay.
#[derive(Clone, Debug, Default)]
pub(crate) struct Cluster(pub(super) Vec<Object>);

/// One object, such as a Deployment.
#[derive(Clone, Debug)]
pub(super) struct Object(pub(super) Value);

/// The pods that an object makes: one template.
#[derive(Clone, Copy, Debug)]
pub(super) struct Pods<'a> {
    pub(super) owner: &'a Object,
    pub(super) template: &'a Value,
}

/// A container of such pods.
#[derive(Clone, Copy, Debug)]
pub(super) struct Container<'a>(pub(super) &'a Value);

impl Cluster {
    /// All of it as one file, in order.
    pub(crate) fn file(&self) -> String {
        let objects: Vec<_> = self.0.iter().map(|object| object.0.to_string()).collect();
        objects.join("\n---\n")
    }

    /// The object of this kind and name.
    pub(super) fn find(&self, kind: &str, name: &str) -> Option<&Object> {
        self.of(kind).find(|object| object.name() == name)
    }

    /// The objects of a kind.
    pub(super) fn of(&self, kind: &str) -> impl Iterator<Item = &Object> {
        self.0.iter().filter(move |object| object.kind() == kind)
    }

    /// All that makes pods.
    pub(super) fn pods(&self) -> impl Iterator<Item = Pods<'_>> {
        self.0.iter().filter_map(Object::pods)
    }
}

impl Object {
    pub(super) fn kind(&self) -> &str {
        text(&self.0, "/kind")
    }

    pub(super) fn name(&self) -> &str {
        text(&self.0, "/metadata/name")
    }

    /// The object in words, such as `Service nats-service`.
    pub(super) fn title(&self) -> String {
        format!("{} {}", self.kind(), self.name())
    }

    /// What is at this JSON pointer.
    pub(super) fn at(&self, pointer: &str) -> &Value {
        at(&self.0, pointer)
    }

    fn pods(&self) -> Option<Pods<'_>> {
        let template = match self.kind() {
            "Deployment" | "StatefulSet" | "DaemonSet" | "Job" => "/spec/template",
            "CronJob" => "/spec/jobTemplate/spec/template",
            _ => return None,
        };
        Some(Pods { owner: self, template: self.at(template) })
    }
}

impl<'a> Pods<'a> {
    /// What owns them, such as `order-depl`.
    pub(super) fn name(self) -> &'a str {
        self.owner.name()
    }

    pub(super) fn labels(self) -> &'a Value {
        at(self.template, "/metadata/labels")
    }

    pub(super) fn label(self, name: &str) -> &'a str {
        self.labels()[name].as_str().unwrap_or_default()
    }

    pub(super) fn spec(self) -> &'a Value {
        &self.template["spec"]
    }

    /// Its containers; those first that run before the others.
    pub(super) fn containers(self) -> impl Iterator<Item = Container<'a>> {
        let before = list(&self.spec()["initContainers"]);
        before.chain(self.running().map(|it| it.0)).map(Container)
    }

    /// The containers that run side by side.
    pub(super) fn running(self) -> impl Iterator<Item = Container<'a>> {
        list(&self.spec()["containers"]).map(Container)
    }

    /// The port of this number or name, as a number.
    pub(super) fn port(self, port: &Value) -> Option<u64> {
        self.running().find_map(|container| container.port(port))
    }

    /// All ports that its containers name.
    pub(super) fn ports(self) -> impl Iterator<Item = u64> {
        let ports = self.running().flat_map(|container| list(&container.0["ports"]));
        ports.filter_map(|port| port["containerPort"].as_u64())
    }

    /// How many there are to be at first.
    pub(super) fn replicas(self) -> u64 {
        self.owner.at("/spec/replicas").as_u64().unwrap_or(1)
    }
}

impl<'a> Container<'a> {
    pub(super) fn name(self) -> &'a str {
        text(self.0, "/name")
    }

    pub(super) fn image(self) -> &'a str {
        text(self.0, "/image")
    }

    /// The service whose program it runs, if it is one of ours.
    pub(super) fn service(self) -> Option<&'a str> {
        let image = self.image().strip_prefix(REGISTRY)?;
        let program = image.split([':', '@']).next()?;
        // The auditor and the loader of the demo catalogue are no services.
        (!["auditor", "demo"].contains(&program)).then_some(program)
    }

    /// Its own port of this number or name, as a number.
    pub(super) fn port(self, port: &Value) -> Option<u64> {
        let found = list(&self.0["ports"])
            .find(|known| known["containerPort"] == *port || known["name"] == *port);
        found?["containerPort"].as_u64()
    }
}

/// What is at a JSON pointer; null where nothing is.
pub(super) fn at<'a>(value: &'a Value, pointer: &str) -> &'a Value {
    value.pointer(pointer).unwrap_or(&Value::Null)
}

/// The text at a JSON pointer; empty where none is.
pub(super) fn text<'a>(value: &'a Value, pointer: &str) -> &'a str {
    at(value, pointer).as_str().unwrap_or_default()
}

/// What is in a list; nothing where there is none.
pub(super) fn list(value: &Value) -> impl Iterator<Item = &Value> {
    value.as_array().into_iter().flatten()
}

/// What is in an object; nothing where there is none.
pub(super) fn entries(value: &Value) -> impl Iterator<Item = (&String, &Value)> {
    value.as_object().into_iter().flat_map(Map::iter)
}
