//! A network with all pods of a cluster on it.

use std::collections::HashMap;
use std::net::SocketAddr;

use futures_util::future::try_join_all;
use testkit::Scratch;

use super::super::cluster::{Cluster, Pods, list};
use super::super::selection::served;
use super::pod::Pod;
use super::podman::Podman;

/// The first administrator, whose Secret is made by hand in a cluster.
pub(super) const ADMINISTRATOR: (&str, &str) =
    ("admin@souk.example", "correct-horse-battery-staple");

/// How many lines of each container are told when something fails.
const LINES: &str = "3";

/// Where a cluster is played.
#[derive(Debug)]
pub(super) struct Stage {
    podman: Podman,
    cluster: Cluster,
    name: String,
    folder: Scratch,
}

impl Stage {
    /// Makes the network.
    pub(super) async fn open(podman: Podman, cluster: Cluster) -> anyhow::Result<Self> {
        let folder = Scratch::new()?;
        let name = folder.path().file_name().unwrap_or_default().to_string_lossy().into_owned();
        podman.run(&["network", "create", &name]).await?;
        Ok(Self { podman, cluster, name, folder })
    }

    /// Starts all pods at once, as a cluster does, and waits until they are ready.
    pub(super) async fn start(&self) -> anyhow::Result<()> {
        let folders = self.pods().map(|pods| self.folder.path().join(pods.name()));
        let folders: Vec<_> = folders.collect();
        let pods = self.pods().zip(&folders);
        try_join_all(pods.map(|(pods, folder)| Pod { folder, ..self.pod(pods) }.start())).await?;
        Ok(())
    }

    /// Where each service has its public port.
    pub(super) async fn addresses(&self) -> anyhow::Result<HashMap<String, SocketAddr>> {
        let mut addresses = HashMap::new();
        for service in self.cluster.of("Service") {
            let ports = list(service.at("/spec/ports"));
            let http = ports.into_iter().find(|port| port["name"] == "http");
            let pods = served(&self.cluster, service).into_iter().next();
            if let (Some(port), Some(pods)) = (http, pods) {
                let address = self.pod(pods).address(&port["targetPort"]).await?;
                addresses.insert(pods.label("app.kubernetes.io/name").to_owned(), address);
            }
        }
        Ok(addresses)
    }

    /// The last words of every container.
    pub(super) async fn logs(&self) -> String {
        let mut logs = String::new();
        for pods in self.pods() {
            let pod = self.pod(pods).name();
            let said = self.podman.run(&["pod", "logs", "--names", "--tail", LINES, &pod]).await;
            logs += &said.unwrap_or_else(|error| error.to_string());
            logs += "\n";
        }
        logs
    }

    /// Takes everything away again.
    pub(super) async fn close(self) {
        let pods: Vec<_> = self.pods().map(|pods| self.pod(pods).name()).collect();
        let pods = pods.iter().map(String::as_str);
        let remove = ["pod", "rm", "--force", "--ignore", "--time", "20"];
        // What cannot be taken away stays, and is told by podman itself.
        let _ = self.podman.run(&remove.into_iter().chain(pods).collect::<Vec<_>>()).await;
        let filter = format!("name={}", self.name);
        let volumes = ["volume", "ls", "--quiet", "--filter", &filter];
        let volumes = self.podman.run(&volumes).await.unwrap_or_default();
        let remove = ["volume", "rm", "--force"].into_iter().chain(volumes.lines());
        let _ = self.podman.run(&remove.collect::<Vec<_>>()).await;
        let _ = self.podman.run(&["network", "rm", &self.name]).await;
    }

    /// What runs all the time.
    fn pods(&self) -> impl Iterator<Item = Pods<'_>> {
        let runs = |pods: &Pods<'_>| matches!(pods.owner.kind(), "Deployment" | "StatefulSet");
        self.cluster.pods().filter(runs)
    }

    fn pod<'a>(&'a self, pods: Pods<'a>) -> Pod<'a> {
        let (podman, cluster) = (&self.podman, &self.cluster);
        Pod { podman, cluster, pods, stage: &self.name, folder: self.folder.path() }
    }
}
