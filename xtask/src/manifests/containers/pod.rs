//! One pod: its network, its containers, and whether it is ready.

use std::net::{IpAddr, SocketAddr};
use std::path::Path;
use std::time::Duration;

use anyhow::{Context as _, bail, ensure};
use serde_json::Value;
use tokio::time::{Instant, sleep};

use super::super::cluster::{Cluster, Container, Pods, list, text};
use super::super::environment::environment;
use super::super::selection::served;
use super::podman::{Podman, name};
use super::stage::ADMINISTRATOR;
use super::volume::mounts;

/// How long a pod may take until it is ready.
const PATIENCE: Duration = Duration::from_mins(5);
/// Between two looks, and before what failed is started again.
const PAUSE: Duration = Duration::from_secs(1);

/// A pod on a stage.
#[derive(Clone, Copy, Debug)]
pub(super) struct Pod<'a> {
    pub(super) podman: &'a Podman,
    pub(super) cluster: &'a Cluster,
    pub(super) pods: Pods<'a>,
    /// The name of the stage, with which the names of its parts begin.
    pub(super) stage: &'a str,
    /// Where its files are written.
    pub(super) folder: &'a Path,
}

impl Pod<'_> {
    /// Starts it, and waits until it is ready.
    pub(super) async fn start(self) -> anyhow::Result<()> {
        let (pod, network) = (self.name(), self.stage);
        let mut create = vec!["pod", "create", "--name", &pod, "--network", network];
        let aliases = self.aliases();
        create.extend(aliases.iter().flat_map(|alias| ["--network-alias", alias]));
        self.podman.run(&create).await?;
        for container in list(&self.pods.spec()["initContainers"]).map(Container) {
            self.prepare(container).await?;
        }
        for container in self.pods.running() {
            self.run(container, &["--detach"]).await?;
        }
        for container in self.pods.running() {
            self.ready(container).await.with_context(|| format!("{pod} is not ready"))?;
        }
        Ok(())
    }

    /// The pod as podman knows it.
    pub(super) fn name(self) -> String {
        format!("{}-{}", self.stage, self.pods.name())
    }

    /// Where its public port is.
    pub(super) async fn address(self, port: &Value) -> anyhow::Result<SocketAddr> {
        let port = self.pods.port(port).context("a port that nobody opens")?;
        let infra = ["pod", "inspect", "--format", "{{.InfraContainerID}}", &self.name()];
        let infra = self.podman.run(&infra).await?;
        let format = "{{range .NetworkSettings.Networks}}{{.IPAddress}}{{end}}";
        let ip = self.podman.run(&["inspect", "--format", format, &infra]).await?;
        Ok(SocketAddr::new(ip.parse::<IpAddr>()?, port.try_into()?))
    }

    /// The names of the Services that lead to it, and its own below one that leads to all alike.
    fn aliases(self) -> Vec<String> {
        let services = self.cluster.of("Service");
        let mine = services.filter(|service| {
            served(self.cluster, service).iter().any(|pods| pods.name() == self.pods.name())
        });
        let own = text(&self.pods.owner.0, "/spec/serviceName");
        let own = Some(format!("{}-0.{own}", self.pods.name())).filter(|_| !own.is_empty());
        mine.map(|service| service.name().to_owned()).chain(own).collect()
    }

    /// Runs what goes before the others, until it succeeds.
    async fn prepare(self, container: Container<'_>) -> anyhow::Result<()> {
        let began = Instant::now();
        while let Err(error) = self.run(container, &["--rm"]).await {
            ensure!(began.elapsed() < PATIENCE, "{}: {error}", container.name());
            sleep(PAUSE).await;
        }
        Ok(())
    }

    async fn run(self, container: Container<'_>, how: &[&str]) -> anyhow::Result<String> {
        let mut args = vec!["run".to_owned(), "--pull=never".to_owned()];
        args.extend(how.iter().map(|&it| it.to_owned()));
        args.extend(["--pod".to_owned(), self.name()]);
        args.extend(["--name".to_owned(), self.container(container)]);
        args.extend(self.rights(container));
        let told = environment(self.cluster, self.pods, container);
        let mut told: Vec<_> = told.into_iter().map(|it| (it.name, it.value)).collect();
        if container.service() == Some("auth") {
            let (email, password) = ADMINISTRATOR;
            told.push(("SOUK_ADMIN_EMAIL".to_owned(), email.to_owned()));
            told.push(("SOUK_ADMIN_PASSWORD".to_owned(), password.to_owned()));
        }
        args.extend(
            told.iter().flat_map(|(name, value)| ["--env".into(), format!("{name}={value}")]),
        );
        for mount in mounts(self.cluster, self.pods, container, self.folder)? {
            args.extend(["--volume".to_owned(), mount]);
        }
        let words = |key: &str| {
            let words = list(&container.0[key]).filter_map(Value::as_str);
            words.map(|word| expanded(word, &told)).collect::<Vec<_>>()
        };
        if container.0["command"].is_array() {
            args.extend(["--entrypoint".to_owned(), serde_json::to_string(&words("command"))?]);
        }
        args.push(name(container.image()));
        args.extend(words("args"));
        self.podman.run(&args.iter().map(String::as_str).collect::<Vec<_>>()).await
    }

    /// What it may do, and how much memory it has.
    fn rights(self, container: Container<'_>) -> Vec<String> {
        let context = &self.pods.spec()["securityContext"];
        let memory = text(container.0, "/resources/limits/memory").trim_end_matches('i');
        let mut rights = vec![
            format!("--user={}:{}", context["runAsUser"], context["runAsGroup"]),
            format!("--memory={}", memory.to_lowercase()),
            "--security-opt=no-new-privileges".to_owned(),
        ];
        if container.0["securityContext"]["readOnlyRootFilesystem"] == true {
            rights.extend(["--read-only".to_owned(), "--read-only-tmpfs=false".to_owned()]);
        }
        let dropped = list(&container.0["securityContext"]["capabilities"]["drop"]);
        rights.extend(dropped.filter_map(Value::as_str).map(|it| format!("--cap-drop={it}")));
        rights
    }

    /// Waits until its readiness probe succeeds.
    async fn ready(self, container: Container<'_>) -> anyhow::Result<()> {
        let began = Instant::now();
        loop {
            let name = self.container(container);
            let running = ["inspect", "--format", "{{.State.Running}}", &name];
            if self.podman.run(&running).await? != "true" {
                bail!("{} ended", container.name());
            }
            if self.probe(container).await {
                return Ok(());
            }
            ensure!(began.elapsed() < PATIENCE, "{} takes too long", container.name());
            sleep(PAUSE).await;
        }
    }

    async fn probe(self, container: Container<'_>) -> bool {
        let probe = &container.0["readinessProbe"];
        let (http, exec) = (&probe["httpGet"], &probe["exec"]["command"]);
        if http.is_object() {
            let Ok(address) = self.address(&http["port"]).await else { return false };
            let client = testkit::Client::at(format!("http://{address}"));
            client.get(text(http, "/path")).send().await.is_ok_and(|answer| answer.is_ok())
        } else if exec.is_array() {
            let name = self.container(container);
            let command = list(exec).filter_map(Value::as_str);
            self.podman
                .run(&["exec", &name].into_iter().chain(command).collect::<Vec<_>>())
                .await
                .is_ok()
        } else {
            true
        }
    }

    fn container(self, container: Container<'_>) -> String {
        format!("{}-{}", self.name(), container.name())
    }
}

/// The word with `$(NAME)` replaced, as the kubelet does in commands.
fn expanded(word: &str, told: &[(String, String)]) -> String {
    told.iter()
        .fold(word.to_owned(), |word, (name, value)| word.replace(&format!("$({name})"), value))
}
