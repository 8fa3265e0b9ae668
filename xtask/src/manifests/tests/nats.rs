//! The configuration of NATS, read by a real server.

use std::path::{Path, PathBuf};
use std::time::Duration;

use async_nats::ConnectOptions;
use async_nats::jetstream::{self, stream};
use testkit::process::{Process, Spec};
use testkit::{Scratch, eventually, ports, tools};

use super::cluster::{Pods, entries};
use super::*;

const SOON: Duration = Duration::from_secs(30);
/// Looks like a number to whoever does not quote it.
pub(super) const PASSWORD: &str = "0123e45";

fn pods<'a>(cluster: &'a Cluster, name: &str) -> Pods<'a> {
    cluster.pods().find(|pods| pods.name() == name).unwrap()
}

/// Writes the files that the server is given, with something replaced in them.
pub(super) fn write(
    cluster: &Cluster,
    pods: Pods<'_>,
    folder: &Path,
    changed: &[(String, String)],
) -> PathBuf {
    let volume = list(&pods.spec()["volumes"]).find(|it| it["name"] == "config").unwrap();
    let files = cluster.find("ConfigMap", text(volume, "/configMap/name")).unwrap();
    for (file, written) in entries(files.at("/data")) {
        let written = written.as_str().unwrap().to_owned();
        let written = changed.iter().fold(written, |text, (from, to)| text.replace(from, to));
        std::fs::write(folder.join(file), written).unwrap();
    }
    folder.join("nats.conf")
}

/// The server with the environment that the kubelet gives it.
pub(super) async fn server(cluster: &Cluster, pods: Pods<'_>, config: &Path) -> Spec {
    let container = pods.running().next().unwrap();
    let spec = Spec::new(tools::nats_server(&|line| eprintln!("{line}")).await.unwrap());
    let told = environment(cluster, pods, container).into_iter();
    let told =
        told.map(|it| (it.name, it.value.replace(super::super::environment::SECRET, PASSWORD)));
    told.fold(spec.arg("--config").arg(config), |spec, (name, value)| spec.env(name, value))
}

#[tokio::test]
async fn a_server_understands_its_configuration() {
    for (cluster, name) in [(dev().await, "nats-depl"), (gke().await, "nats")] {
        let (scratch, pods) = (Scratch::new().unwrap(), pods(&cluster, name));
        let config = write(&cluster, pods, scratch.path(), &[]);
        let log = scratch.path().join("log");

        let checked = server(&cluster, pods, &config).await.arg("-t").log(&log);
        let code = Process::start(&checked).unwrap().wait().await;

        assert_eq!(code, 0, "{name}: {}", std::fs::read_to_string(log).unwrap());
    }
}

/// What is otherwise on this machine: ports, folders and names of the servers of a cluster.
pub(super) fn here(folder: &Path, client: u16, own: u16, routes: &[u16]) -> Vec<(String, String)> {
    let listen = |port| format!("listen: \"127.0.0.1:{port}\"");
    let monitor = format!("http: \"127.0.0.1:{}\"", ports::free());
    let mut changes = vec![
        ("http_port: 8222".to_owned(), monitor),
        ("port: 4222".to_owned(), listen(client)),
        ("port: 6222".to_owned(), listen(own)),
        ("store_dir: /data".to_owned(), format!("store_dir: \"{}\"", folder.display())),
    ];
    changes.extend(routes.iter().enumerate().map(|(number, port)| {
        (format!("nats-{number}.nats-pods:6222"), format!("127.0.0.1:{port}"))
    }));
    changes
}

#[tokio::test]
async fn three_servers_keep_a_stream_together() {
    let (gke, scratch) = (gke().await, Scratch::new().unwrap());
    let pods = pods(&gke, "nats");
    let (clients, routes) = ([0; 3].map(|_| ports::free()), [0; 3].map(|_| ports::free()));
    let mut servers = vec![];
    for (number, (client, route)) in clients.into_iter().zip(routes).enumerate() {
        let folder = scratch.path().join(number.to_string());
        std::fs::create_dir(&folder).unwrap();
        let config = write(&gke, pods, &folder, &here(&folder, client, route, &routes));
        let spec = server(&gke, pods, &config).await.env("POD", format!("nats-{number}"));
        servers.push(Process::start(&spec.log(folder.join("log"))).unwrap());
    }
    let client = ConnectOptions::new()
        .user_and_password("declare".to_owned(), PASSWORD.to_owned())
        .custom_inbox_prefix("_INBOX_order")
        .retry_on_initial_connect()
        .connect(format!("nats://127.0.0.1:{}", clients[0]));
    let jetstream = jetstream::new(client.await.unwrap());

    let stream = eventually("a stream of three", SOON, async || {
        let config = stream::Config {
            name: "ORDER".to_owned(),
            num_replicas: 3,
            ..stream::Config::default()
        };
        jetstream.create_stream(config).await.ok()
    });

    let cluster = stream.await.cached_info().cluster.clone().unwrap();
    assert_eq!((cluster.name.as_deref(), cluster.replicas.len()), (Some("souk"), 2));
}
