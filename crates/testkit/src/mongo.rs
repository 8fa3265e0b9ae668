//! A real mongod: a replica set of one, or of three.

mod replica_set;

use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use mongodb::bson::{Document, doc};
use mongodb::options::ClientOptions;
use mongodb::{Client, Database};

pub use self::replica_set::ReplicaSet;

use crate::part::Part;
use crate::process::{Process, Spec};
use crate::{StartError, ports};

const WHAT: &str = "mongod";
const BOUND: Duration = Duration::from_mins(1);
const PAUSE: Duration = Duration::from_millis(20);
const REPLICA_SET: &str = "rs0";
const ALREADY_INITIALIZED: i32 = 23;
/// Megabytes: enough for change streams and rollbacks of a laptop.
const OPLOG: u32 = 256;
/// Gigabytes of a small cache.
const SMALL: f64 = 0.25;

/// A running mongod on 127.0.0.1 that is the primary of a replica set of one.
#[derive(Debug)]
pub struct Mongod {
    server: Part,
    port: u16,
}

impl Mongod {
    /// Starts mongod on this data, which may be new or of an earlier run, with a small cache.
    pub async fn start(binary: &Path, data: &Path, port: Option<u16>) -> Result<Self, StartError> {
        Self::start_with_cache(binary, data, port, SMALL).await
    }

    /// Starts mongod for tests, whose clocks are not its own: what expires stays, else it would now
    /// and then delete what a test has just written.
    pub async fn start_for_tests(binary: &Path, data: &Path) -> Result<Self, StartError> {
        let port = ports::free();
        let spec = spec(binary, data, port, SMALL);
        Self::start_as(spec.args(["--setParameter", "ttlMonitorEnabled=false"]), data, port).await
    }

    /// Starts mongod with a cache of so many gigabytes.
    pub async fn start_with_cache(
        binary: &Path,
        data: &Path,
        port: Option<u16>,
        cache: f64,
    ) -> Result<Self, StartError> {
        let port = port.unwrap_or_else(ports::free);
        Self::start_as(spec(binary, data, port, cache), data, port).await
    }

    async fn start_as(spec: Spec, data: &Path, port: u16) -> Result<Self, StartError> {
        std::fs::create_dir_all(data).map_err(StartError::io(WHAT))?;
        let server = Part::start(WHAT, spec, data.join("mongod.log"))?;
        let mongod = Self { server, port };
        mongod.until_primary().await?;
        Ok(mongod)
    }

    /// Where clients find it; transactions work there.
    pub fn uri(&self) -> String {
        format!("mongodb://127.0.0.1:{}/?replicaSet={REPLICA_SET}", self.port)
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

    /// Starts it again on the same data and port, and waits until it is primary; ends it first when
    /// it runs.
    pub async fn restart(&self) -> Result<(), StartError> {
        self.server.start_again().await?;
        self.until_primary().await
    }

    async fn until_primary(&self) -> Result<(), StartError> {
        let admin = self.admin().await?;
        self.server.until(BOUND, self.become_primary(&admin)).await
    }

    /// Tries until it succeeds: it may not listen yet, and drops its connections in an election.
    async fn become_primary(&self, admin: &Database) {
        while self.initiate(admin).await.is_err() || !is_primary(admin).await {
            tokio::time::sleep(PAUSE).await;
        }
    }

    /// Makes it a replica set of one at this port, whatever it was before.
    async fn initiate(&self, admin: &Database) -> mongodb::error::Result<()> {
        let host = format!("127.0.0.1:{}", self.port);
        let members = vec![doc! { "_id": 0, "host": &host }];
        let fresh = doc! { "_id": REPLICA_SET, "members": &members };
        match admin.run_command(doc! { "replSetInitiate": fresh }).await {
            Err(error) if code(&error) == Some(ALREADY_INITIALIZED) => {}
            initiated => return initiated.map(drop),
        }
        let answer = admin.run_command(doc! { "replSetGetConfig": 1 }).await?;
        let mut config = answer.get_document("config").cloned().unwrap_or_default();
        if hosts(&config).any(|known| known == host) {
            return Ok(());
        }
        let version = config.get_i32("version").unwrap_or_default();
        config.extend(doc! { "members": members, "version": version + 1 });
        admin.run_command(doc! { "replSetReconfig": config, "force": true }).await?;
        Ok(())
    }

    /// Waits until it answers, whether it is primary or not.
    async fn answers(&self) {
        let ping = async || self.admin().await?.run_command(doc! { "ping": 1 }).await;
        while ping().await.is_err() {
            tokio::time::sleep(PAUSE).await;
        }
    }

    async fn admin(&self) -> mongodb::error::Result<Database> {
        admin_at(self.port).await
    }
}

/// The mongod at this port alone, whatever its part in a set.
async fn admin_at(port: u16) -> mongodb::error::Result<Database> {
    let uri = format!("mongodb://127.0.0.1:{port}/?directConnection=true");
    let mut options = ClientOptions::parse(uri).await?;
    options.server_selection_timeout = Some(Duration::from_millis(500));
    Ok(Client::with_options(options)?.database("admin"))
}

fn spec(binary: &Path, data: &Path, port: u16, cache: f64) -> Spec {
    Spec::new(binary)
        .args(["--replSet", REPLICA_SET, "--bind_ip", "127.0.0.1", "--nounixsocket", "--quiet"])
        .args(["--port".to_owned(), port.to_string()])
        .args(["--wiredTigerCacheSizeGB".to_owned(), cache.to_string()])
        .args(["--oplogSize".to_owned(), OPLOG.to_string()])
        .args(["--setParameter", "diagnosticDataCollectionEnabled=false"])
        .args(["--setParameter", "shutdownTimeoutMillisForSignaledShutdown=100"])
        // A client that is killed in a transaction holds what it wrote there until this ends it:
        // by default for a minute, in which nobody else can change it.
        .args(["--setParameter", "transactionLifetimeLimitSeconds=5"])
        .arg("--dbpath")
        .arg(data)
}

fn hosts(config: &Document) -> impl Iterator<Item = &str> {
    let members = config.get_array("members").into_iter().flatten();
    members.filter_map(|member| member.as_document()?.get_str("host").ok())
}

async fn is_primary(admin: &Database) -> bool {
    let hello = admin.run_command(doc! { "hello": 1 }).await;
    hello.is_ok_and(|hello| matches!(hello.get_bool("isWritablePrimary"), Ok(true)))
}

fn code(error: &mongodb::error::Error) -> Option<i32> {
    match error.kind.as_ref() {
        mongodb::error::ErrorKind::Command(refusal) => Some(refusal.code),
        _ => None,
    }
}
