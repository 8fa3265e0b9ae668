//! A real Traefik, as the manifests start it, with the API server that they let it see.

use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;

use axum::body::Body;
use axum::extract::{Request, State};
use axum::http::{StatusCode, header};
use axum::response::{IntoResponse as _, Response};
use axum::{Json, Router};
use futures_util::StreamExt as _;
use serde_json::{Value, json};
use testkit::fleet::Service;
use testkit::process::{Process, Spec};
use testkit::{Scratch, eventually, ports, tools};
use tokio::net::TcpListener;
use tokio::task::JoinSet;

use super::cluster::Object;
use super::*;

const SOON: Duration = Duration::from_mins(1);

/// An API server that answers what the roles of the manifests allow.
struct Api {
    lists: HashMap<String, Value>,
}

impl Api {
    /// The objects of the rendered shop and controller; each Service leads to one of `backends`.
    fn new(shop: &Cluster, controller: &Cluster, backends: &HashMap<String, u16>) -> Self {
        let of = |cluster: &Cluster, kind: &str| -> Vec<Value> {
            cluster.of(kind).map(|object| stored(object.0.clone())).collect()
        };
        let slices = backends.iter().map(|(service, port)| slice(service, *port));
        let known = [
            ("/networking.k8s.io/v1/ingresses", "IngressList", of(shop, "Ingress")),
            ("/v1/services", "ServiceList", of(shop, "Service")),
            ("/v1/secrets", "SecretList", vec![]),
            ("/discovery.k8s.io/v1/endpointslices", "EndpointSliceList", slices.collect()),
            (
                "/networking.k8s.io/v1/ingressclasses",
                "IngressClassList",
                of(controller, "IngressClass"),
            ),
            ("/v1/nodes", "NodeList", vec![]),
        ];
        let mut lists = HashMap::new();
        for (place, kind, items) in known {
            let (group, resource) = place.rsplit_once('/').unwrap();
            let group = group.trim_start_matches('/');
            let version = if group == "v1" { "/api/v1" } else { &format!("/apis/{group}") };
            for path in granted(controller, group, resource) {
                let version_of_list = group.to_owned();
                let list = json!({
                    "kind": kind, "apiVersion": version_of_list,
                    "metadata": { "resourceVersion": "1" }, "items": items,
                });
                lists.insert(format!("{version}{path}"), list);
            }
        }
        Self { lists }
    }
}

/// The paths below its version at which the roles let the controller list and watch a resource.
fn granted(controller: &Cluster, group: &str, resource: &str) -> Vec<String> {
    let group = group.split_once('/').map_or("", |(group, _)| group);
    let has = |role: &&Object| {
        list(role.at("/rules")).any(|rule| {
            let names = |key: &str, name: &str| list(&rule[key]).any(|it| it == name);
            names("apiGroups", group)
                && names("resources", resource)
                && names("verbs", "list")
                && names("verbs", "watch")
        })
    };
    let narrow = controller
        .of("Role")
        .filter(has)
        .map(|role| format!("/namespaces/{}/{resource}", text(&role.0, "/metadata/namespace")));
    let wide = controller.of("ClusterRole").filter(has).map(|_| format!("/{resource}"));
    narrow.chain(wide).collect()
}

/// An object as a server stores it.
fn stored(mut object: Value) -> Value {
    object["metadata"]["uid"] = object["metadata"]["name"].clone();
    object["metadata"]["resourceVersion"] = "1".into();
    if object["kind"] == "Service" {
        object["spec"]["clusterIP"] = "10.96.0.1".into();
    }
    object
}

fn slice(service: &str, port: u16) -> Value {
    json!({
        "metadata": {
            "name": format!("{service}-1"), "namespace": "souk", "resourceVersion": "1",
            "labels": { "kubernetes.io/service-name": service },
        },
        "addressType": "IPv4",
        "endpoints": [{ "addresses": ["127.0.0.1"], "conditions": { "ready": true } }],
        "ports": [{ "name": "http", "port": port, "protocol": "TCP" }],
    })
}

async fn api(State(api): State<Arc<Api>>, request: Request) -> Response {
    let (path, query) = (request.uri().path(), request.uri().query().unwrap_or_default());
    if path == "/version" {
        return Json(json!({ "major": "1", "minor": "36", "gitVersion": "v1.36.0" }))
            .into_response();
    }
    let Some(list) = api.lists.get(path) else {
        let refusal = json!({ "kind": "Status", "status": "Failure", "code": 403 });
        return (StatusCode::FORBIDDEN, Json(refusal)).into_response();
    };
    if query.contains("sendInitialEvents") {
        let refusal =
            json!({ "kind": "Status", "status": "Failure", "reason": "Invalid", "code": 422 });
        return (StatusCode::UNPROCESSABLE_ENTITY, Json(refusal)).into_response();
    }
    if query.contains("watch=true") {
        // Nothing ever changes.
        let never = futures_util::stream::pending::<Result<String, std::io::Error>>();
        let json = [(header::CONTENT_TYPE, "application/json")];
        return (json, Body::from_stream(never)).into_response();
    }
    Json(list.clone()).into_response()
}

/// Plays a service: says its name, where the request comes from and how many bytes it has. A path
/// that ends in `events` is a stream whose second event never comes.
async fn backend(State(name): State<String>, request: Request) -> Response {
    let from = request.headers()["x-forwarded-for"].to_str().unwrap().to_owned();
    if request.uri().path().ends_with("events") {
        let first = futures_util::stream::iter([Ok::<_, std::io::Error>("data: first\n\n")]);
        let stream = Body::from_stream(first.chain(futures_util::stream::pending()));
        return ([(header::CONTENT_TYPE, "text/event-stream")], stream).into_response();
    }
    let body = axum::body::to_bytes(request.into_body(), usize::MAX).await.unwrap();
    Json(json!({ "service": name, "from": from, "bytes": body.len() })).into_response()
}

/// Serves a router on a free port until the set is dropped.
async fn serve(servers: &mut JoinSet<std::io::Result<()>>, router: Router) -> u16 {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let port = listener.local_addr().unwrap().port();
    servers.spawn(axum::serve(listener, router).into_future());
    port
}

/// Traefik before played services.
struct Front {
    _traefik: Process,
    _servers: JoinSet<std::io::Result<()>>,
    _scratch: Scratch,
    url: String,
}

impl Front {
    async fn start() -> Self {
        let (dev, controller) = (dev().await, render::controller(&root()).await.unwrap());
        let (mut servers, mut backends) = (JoinSet::new(), HashMap::new());
        for service in Service::ALL.map(Service::name) {
            let router = Router::new().fallback(backend).with_state(service.to_owned());
            let port = serve(&mut servers, router).await;
            backends.insert(format!("{service}-srv"), port);
        }
        let state = Arc::new(Api::new(&dev, &controller, &backends));
        let api = serve(&mut servers, Router::new().fallback(api).with_state(state)).await;
        let pods = controller.pods().next().unwrap();
        let container = pods.running().next().unwrap();
        let (web, ping, scratch) = (ports::free(), ports::free(), Scratch::new().unwrap());
        let args = list(&container.0["args"]).filter_map(|arg| arg.as_str()).map(|arg| {
            arg.replace("=:8000", &format!("=127.0.0.1:{web}"))
                .replace("=:8080", &format!("=127.0.0.1:{ping}"))
        });
        let spec = Spec::new(tools::traefik(&|line| eprintln!("{line}")).await.unwrap())
            .args(args)
            .arg(format!("--providers.kubernetesingress.endpoint=http://127.0.0.1:{api}"))
            .arg("--providers.kubernetesingress.token=any");
        let spec = environment(&controller, pods, container)
            .into_iter()
            .fold(spec, |spec, it| spec.env(it.name, it.value));
        let traefik = Process::start(&spec.log(scratch.path().join("log"))).unwrap();
        let url = format!("http://127.0.0.1:{web}");
        let client = testkit::Client::at(&url);
        eventually("it has routes", SOON, async || {
            client.get("/api/cart").send().await.ok().filter(testkit::Answer::is_ok)
        })
        .await;
        Self { _traefik: traefik, _servers: servers, _scratch: scratch, url }
    }
}

#[tokio::test]
async fn controller_routes_by_the_ingress() {
    let front = Front::start().await;
    let client = testkit::Client::at(&front.url);

    for service in Service::ALL {
        for path in service.paths() {
            for path in [(*path).to_owned(), format!("{path}/x")] {
                assert_eq!(client.get(&path).await.ok()["service"], service.name(), "{path}");
            }
            let _ = client.get(format!("{path}x")).await.status(404);
        }
    }
    for path in ["/", "/metrics", "/api", "/ready"] {
        let _ = client.get(path).await.status(404);
    }
}

#[tokio::test]
async fn controller_believes_no_forwarded_address() {
    let front = Front::start().await;
    let client = testkit::Client::at(&front.url);

    let answer = client.get("/api/cart").header("x-forwarded-for", "203.0.113.7").await.ok();

    assert_eq!(answer["from"], "127.0.0.1");
}

#[tokio::test]
async fn controller_passes_events_on_at_once() {
    let front = Front::start().await;

    let client = reqwest::Client::builder().no_proxy().build().unwrap();
    let answer = client.get(format!("{}/api/orders/x/events", front.url)).send().await;
    let mut answer = answer.unwrap();
    let first = tokio::time::timeout(SOON, answer.chunk()).await.expect("it comes at once");

    assert_eq!(first.unwrap().unwrap(), "data: first\n\n");
}
