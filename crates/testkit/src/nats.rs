//! A real nats-server with `JetStream`.

use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use crate::part::Part;
use crate::process::{Process, Spec};
use crate::{StartError, ports};

const WHAT: &str = "nats-server";
const BOUND: Duration = Duration::from_secs(30);

/// A running nats-server on 127.0.0.1 that has on disk what it acknowledged.
#[derive(Debug)]
pub struct NatsServer {
    server: Part,
    store: PathBuf,
    port: u16,
    monitor: u16,
}

impl NatsServer {
    /// Starts nats-server on this store, which may be new or of an earlier run.
    pub async fn start(binary: &Path, store: &Path, port: Option<u16>) -> Result<Self, StartError> {
        Self::start_with(binary, store, port, "").await
    }

    /// Starts nats-server with more configuration, such as its users.
    pub async fn start_with(
        binary: &Path,
        store: &Path,
        port: Option<u16>,
        more: &str,
    ) -> Result<Self, StartError> {
        let port = port.unwrap_or_else(ports::free);
        let monitor = ports::free();
        let config = store.join("nats-server.conf");
        let log = store.join("nats-server.log");
        let jetstream = store.join("store");
        write_config(&config, &jetstream, port, monitor, more).map_err(StartError::io(WHAT))?;

        let server = Part::start(WHAT, Spec::new(binary).arg("--config").arg(&config), log)?;
        let nats = Self { server, store: jetstream, port, monitor };
        nats.until_healthy().await?;
        Ok(nats)
    }

    /// Where clients find it.
    pub fn url(&self) -> String {
        format!("nats://127.0.0.1:{}", self.port)
    }

    /// The port of that.
    pub fn port(&self) -> u16 {
        self.port
    }

    /// Where it tells how it is: `/varz`, `/jsz`, `/connz`.
    pub fn monitor_url(&self) -> String {
        format!("http://127.0.0.1:{}", self.monitor)
    }

    /// The process, to pause it or to see whether it runs.
    pub fn process(&self) -> Arc<Process> {
        self.server.process()
    }

    /// Lets it end in good order.
    pub async fn stop(&self) {
        self.process().stop().await;
    }

    /// Kills it: it has no moment to write anything more.
    pub async fn kill(&self) {
        self.process().kill().await;
    }

    /// Starts it again on the same store and ports; ends it first when it runs.
    pub async fn restart(&self) -> Result<(), StartError> {
        self.server.start_again().await?;
        self.until_healthy().await
    }

    /// Takes everything from it that it ever stored: it comes back empty on the same ports.
    pub async fn wipe(&self) -> Result<(), StartError> {
        self.stop().await;
        std::fs::remove_dir_all(&self.store).map_err(StartError::io(WHAT))?;
        self.restart().await
    }

    async fn until_healthy(&self) -> Result<(), StartError> {
        self.server.until_answers(&format!("{}/healthz", self.monitor_url()), BOUND).await
    }
}

fn write_config(
    config: &Path,
    store: &Path,
    port: u16,
    monitor: u16,
    more: &str,
) -> io::Result<()> {
    let quoted = format!("{:?}", store.display().to_string());
    let text = format!(
        "listen: \"127.0.0.1:{port}\"\n\
         http: \"127.0.0.1:{monitor}\"\n\
         jetstream {{ store_dir: {quoted}, sync_interval: always }}\n\
         {more}\n"
    );
    std::fs::create_dir_all(store)?;
    std::fs::write(config, text)
}
