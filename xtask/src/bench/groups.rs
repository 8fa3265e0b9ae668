//! How many calls services write in one commit, as their own metrics say.

use std::collections::BTreeMap;
use std::net::SocketAddr;

use anyhow::{Context as _, ensure};
use testkit::Client;

use super::figure::number;
use super::stage::Stage;

/// A histogram of the frame: its sum counts calls, its count commits.
const SIZES: &str = "souk_commit_group_size";

/// Who has written how many calls in how many commits since a moment.
#[derive(Debug)]
pub(crate) struct Groups {
    services: Vec<(&'static str, SocketAddr)>,
    since: BTreeMap<&'static str, Written>,
}

/// What was written since a service started.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
struct Written {
    calls: f64,
    commits: f64,
}

impl Groups {
    /// From now on.
    pub(crate) async fn from_now(stage: &Stage<'_>) -> anyhow::Result<Self> {
        let services = stage.open.fleet.services().map(|it| (it.name(), it.ops()));
        let mut groups = Self { services: services.collect(), since: BTreeMap::new() };
        groups.since = groups.now().await?;
        Ok(groups)
    }

    /// How many calls each service has written in one commit since, on average.
    pub(crate) async fn sizes(&self) -> anyhow::Result<Vec<String>> {
        let now = self.now().await?;
        let size = |name: &&'static str| {
            let before = self.since.get(name).copied().unwrap_or_default();
            now.get(name).map_or_else(String::new, |it| it.since(before))
        };
        Ok(self.names().iter().map(size).collect())
    }

    /// The services, in the order of [`Self::sizes`].
    pub(crate) fn names(&self) -> Vec<&'static str> {
        self.services.iter().map(|(name, _)| *name).collect()
    }

    async fn now(&self) -> anyhow::Result<BTreeMap<&'static str, Written>> {
        let mut all = BTreeMap::new();
        for (name, ops) in &self.services {
            let answer = Client::at(format!("http://{ops}")).get("/metrics").send().await?;
            ensure!(answer.is_ok(), "{name} tells no metrics: {}", answer.status);
            let written = Written::read(&answer.text);
            all.insert(*name, written.with_context(|| format!("{name} tells of no commits"))?);
        }
        Ok(all)
    }
}

impl Written {
    /// From metrics in the text format of Prometheus.
    fn read(metrics: &str) -> Option<Self> {
        let value = |kind: &str| {
            let name = format!("{SIZES}_{kind}");
            let line = metrics.lines().find_map(|line| line.strip_prefix(&name))?;
            line.split_whitespace().last()?.parse().ok()
        };
        Some(Self { calls: value("sum")?, commits: value("count")? })
    }

    fn since(self, before: Self) -> String {
        let commits = self.commits - before.commits;
        if commits > 0.0 { number((self.calls - before.calls) / commits) } else { String::new() }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn calls_and_commits_are_read_from_metrics() {
        let metrics = "# TYPE souk_commit_group_size summary\n\
                       souk_commit_group_size{quantile=\"0.5\"} 2\n\
                       souk_commit_group_size_sum 120\n\
                       souk_commit_group_size_count 48\n";

        let written = Written::read(metrics).unwrap();

        assert_eq!(written, Written { calls: 120.0, commits: 48.0 });
        assert_eq!(written.since(Written { calls: 100.0, commits: 40.0 }), number(2.5));
        assert_eq!(Written::read("up 1\n"), None);
    }
}
