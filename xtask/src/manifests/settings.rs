//! Whether the services understand what they are told: they are asked themselves.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::time::Duration;

use anyhow::Context as _;
use futures_util::future::try_join_all;
use testkit::fleet::Service;
use tokio::io::{AsyncBufReadExt as _, AsyncReadExt as _, BufReader};
use tokio::process::Command;
use tokio::time::timeout;

use super::cluster::{Cluster, Container, Pods, list};
use super::environment::{Variable, environment};

/// A service that finds its configuration wrong says so at once.
const PATIENCE: Duration = Duration::from_secs(20);

/// Ports that are free, whatever runs on this machine.
const ANYWHERE: [(&str, &str); 2] = [("SOUK_HTTP", "127.0.0.1:0"), ("SOUK_OPS", "127.0.0.1:0")];

/// What each service can be told.
#[derive(Clone, Debug)]
pub(super) struct Settings {
    folder: PathBuf,
    known: BTreeMap<&'static str, Known>,
}

/// What one service can be told by its environment.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Known {
    variables: BTreeSet<String>,
    required: BTreeSet<String>,
}

impl Settings {
    /// Asks the programs in this folder.
    pub(super) async fn ask(folder: &Path) -> anyhow::Result<Self> {
        let mut known = BTreeMap::new();
        for service in Service::ALL.map(Service::name) {
            let help = Command::new(folder.join(service)).arg("--help").output().await;
            let help = help.with_context(|| format!("{service} --help"))?;
            known.insert(service, Known::parse(&String::from_utf8_lossy(&help.stdout)));
        }
        Ok(Self { folder: folder.to_owned(), known })
    }

    /// What services are told that they do not know, are not told, or cannot use.
    pub(super) async fn problems(&self, cluster: &Cluster) -> anyhow::Result<Vec<String>> {
        let ours = cluster.pods().flat_map(|pods| pods.containers().map(move |it| (pods, it)));
        let ours = ours.filter_map(|(pods, it)| Some((pods, it, it.service()?)));
        let all = ours.map(|(pods, container, service)| self.of(cluster, pods, container, service));
        Ok(try_join_all(all).await?.concat())
    }

    async fn of(
        &self,
        cluster: &Cluster,
        pods: Pods<'_>,
        container: Container<'_>,
        service: &str,
    ) -> anyhow::Result<Vec<String>> {
        let place = format!("{}, container {}", pods.owner.title(), container.name());
        let Some(known) = self.known.get(service) else {
            return Ok(vec![format!("{place}: there is no service {service}")]);
        };
        let told = environment(cluster, pods, container);
        let mut wrong = known.problems(&told);
        if wrong.is_empty() {
            wrong.extend(self.refusal(service, container, &told).await?);
        }
        Ok(wrong.into_iter().map(|wrong| format!("{place}: {wrong}")).collect())
    }

    /// Starts the service with this environment, far from its servers: why it will not, if so.
    async fn refusal(
        &self,
        service: &str,
        container: Container<'_>,
        told: &[Variable],
    ) -> anyhow::Result<Option<String>> {
        let args = list(&container.0["args"]).filter_map(|arg| arg.as_str());
        let mut started = Command::new(self.folder.join(service))
            .args(args)
            .env_clear()
            .envs(told.iter().map(|variable| (&variable.name, &variable.value)))
            .envs(ANYWHERE)
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .kill_on_drop(true)
            .spawn()?;
        let (stdout, stderr) = (started.stdout.take(), started.stderr.take());
        // Its logs begin when its configuration was found good.
        let mut logs = BufReader::new(stdout.context("stdout is piped")?).lines();
        let first = timeout(PATIENCE, logs.next_line()).await.context("it says nothing")??;
        if first.is_some_and(|line| !line.contains(r#""message":"ended""#)) {
            return Ok(None);
        }
        let mut said = String::new();
        stderr.context("stderr is piped")?.read_to_string(&mut said).await?;
        Ok(Some(said.trim().to_owned()))
    }
}

impl Known {
    /// Reads what `--help` says: each option names its variable, and the usage what is required.
    fn parse(help: &str) -> Self {
        let help = help.split_whitespace().collect::<Vec<_>>().join(" ");
        let (usage, options) = help.split_once(" Options:").unwrap_or_default();
        let required: BTreeSet<_> = usage.split(' ').filter(|it| it.starts_with("--")).collect();
        let mut known = Self::default();
        for (option, rest) in options.split(" --").filter_map(|option| option.split_once(' ')) {
            let variable =
                rest.split_once("[env: ").and_then(|(_, it)| it.split(['=', ']']).next());
            let Some(variable) = variable else { continue };
            known.variables.insert(variable.to_owned());
            if required.contains(format!("--{option}").as_str()) {
                known.required.insert(variable.to_owned());
            }
        }
        known
    }

    fn problems(&self, told: &[Variable]) -> Vec<String> {
        let is_told = |name: &str| told.iter().any(|variable| variable.name == name);
        let strange = told.iter().filter(|it| !it.is_part && !self.variables.contains(&it.name));
        let strange = strange.map(|it| format!("{} is no setting of this service", it.name));
        let missing = self.required.iter().filter(|name| !is_told(name));
        strange.chain(missing.map(|name| format!("{name} is not given"))).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_help_of_a_service_says_what_it_can_be_told() {
        let help = "Takes money

Usage: payment [OPTIONS] --mongodb-uri <MONGODB_URI>

Options:
      --mongodb-uri <MONGODB_URI>
          Where the database is [env: MONGODB_URI]
      --database <DATABASE>
          The database of this service [env:
          SOUK_DATABASE=]
      --declare
          Declares, then exits
  -h, --help
          Print help";

        let known = Known::parse(help);

        let set = |names: &[&str]| names.iter().map(|name| (*name).to_owned()).collect();
        assert_eq!(known.variables, set(&["MONGODB_URI", "SOUK_DATABASE"]));
        assert_eq!(known.required, set(&["MONGODB_URI"]));
    }
}
