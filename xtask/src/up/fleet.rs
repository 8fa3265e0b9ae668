//! Everything that runs while the shop is open: started, watched, told of, stopped.

#[cfg(test)]
mod tests;

use std::collections::HashMap;
use std::convert::Infallible;
use std::net::SocketAddr;
use std::time::{Duration, Instant};

use futures_util::StreamExt as _;
use futures_util::future::join_all;
use futures_util::stream::FuturesUnordered;
use tokio::sync::{AcquireError, Semaphore};
use tokio::time::sleep;

use super::data::Data;
use super::instance::Instance;
use super::part::{Entry, Part};
use super::patience::{first_pauses, patiently, pauses};
use super::progress::say;

/// What other tools read to find the parts; gone when none runs.
pub(crate) const FILE: &str = "fleet.json";

/// What ran longer than this was well: when it ends, the pauses begin anew.
const CALM: Duration = Duration::from_secs(10);

/// How often is looked whether a part still runs.
const LOOK: Duration = Duration::from_millis(50);

/// The parts of the shop, servers first.
#[derive(Debug)]
pub(crate) struct Fleet {
    data: Data,
    ingress: Entry,
    parts: Vec<Part>,
    /// One permit for each part that has been ready.
    ready: Semaphore,
}

impl Fleet {
    /// These parts, behind an ingress at this port.
    pub(crate) fn new(data: Data, port: u16, parts: Vec<Part>) -> Self {
        let ingress = Entry {
            name: "ingress",
            pid: Some(std::process::id()),
            http: Some(format!("http://localhost:{port}")),
            ops: None,
            log: None,
            uri: None,
        };
        Self { data, ingress, parts, ready: Semaphore::new(0) }
    }

    /// The services of the fleet.
    pub(crate) fn services(&self) -> impl Iterator<Item = &Instance> {
        self.parts.iter().filter_map(Part::service)
    }

    /// Where clients find a server, by its name.
    pub(crate) fn uri(&self, server: &str) -> Option<String> {
        self.parts.iter().find(|part| part.name() == server)?.entry().uri
    }

    /// Where each service answers requests.
    pub(crate) fn addresses(&self) -> HashMap<String, SocketAddr> {
        self.services().map(|it| (it.name().to_owned(), it.http())).collect()
    }

    /// What runs now, and under which id.
    pub(crate) fn processes(&self) -> Vec<(&'static str, u32)> {
        let running = |part: &Part| {
            let process = part.process().filter(|it| it.is_running())?;
            Some((part.name(), process.pid()))
        };
        self.parts.iter().filter_map(running).collect()
    }

    /// Waits until every part has been ready.
    pub(crate) async fn ready(&self) -> Result<(), AcquireError> {
        let parts = u32::try_from(self.parts.len()).expect("the parts are few");
        self.ready.acquire_many(parts).await.map(drop)
    }

    /// Starts what does not run, and starts again what ends.
    ///
    /// Returns only when it makes no sense to go on, with the reason.
    pub(crate) async fn keep(&self) -> anyhow::Error {
        let mut kept: FuturesUnordered<_> =
            self.parts.iter().map(|it| self.keep_part(it)).collect();
        match kept.next().await {
            Some(Err(reason)) => reason,
            None => std::future::pending().await,
        }
    }

    async fn keep_part(&self, part: &Part) -> anyhow::Result<Infallible> {
        self.start(part, &mut first_pauses()).await?;
        self.ready.add_permits(1);
        let mut rests = pauses();
        loop {
            let since = Instant::now();
            let code = end(part).await;
            if since.elapsed() > CALM {
                rests = pauses();
            }
            let pause = rests.next().unwrap_or_default();
            let name = part.name();
            say(format_args!("{name} ended ({}); starting it again in {pause:?}", how(code)));
            sleep(pause).await;
            self.start(part, &mut rests).await?;
            say(format_args!("{name} is back"));
        }
    }

    /// Starts a part unless it runs, and tells the others where it is.
    async fn start(
        &self,
        part: &Part,
        pauses: &mut impl Iterator<Item = Duration>,
    ) -> anyhow::Result<()> {
        if !part.process().is_some_and(|process| process.is_running()) {
            patiently(pauses, async || part.restart().await).await?;
        }
        self.tell()
    }

    /// Writes what runs where.
    fn tell(&self) -> anyhow::Result<()> {
        let mut entries: Vec<_> = self.parts.iter().map(Part::entry).collect();
        let servers = entries.len() - self.services().count();
        entries.insert(servers, self.ingress.clone());
        self.data.write(FILE, &serde_json::to_vec_pretty(&entries)?)?;
        Ok(())
    }

    /// Ends everything: the services side by side, then the servers they stand on.
    pub(crate) async fn stop(&self) -> anyhow::Result<()> {
        join_all(self.parts.iter().filter(|part| part.service().is_some()).map(stop)).await;
        for part in self.parts.iter().rev() {
            stop(part).await;
        }
        self.data.remove(FILE)?;
        Ok(())
    }
}

async fn stop(part: &Part) {
    let Some(process) = part.process().filter(|process| process.is_running()) else { return };
    let code = process.stop().await;
    say(format_args!("{} stopped ({})", part.name(), how(code)));
}

/// Waits until a part ends, and says with which code; looks less often than its own `wait`.
async fn end(part: &Part) -> i32 {
    let Some(process) = part.process() else { return 0 };
    while process.is_running() {
        sleep(LOOK).await;
    }
    process.wait().await
}

/// An exit status in words.
fn how(code: i32) -> String {
    if code > 128 { format!("by signal {}", code - 128) } else { format!("exit status {code}") }
}
