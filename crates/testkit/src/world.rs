//! Where a test takes place.

use std::path::Path;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use mongodb::Client;
use tokio::sync::OnceCell;

use crate::mongo::Mongod;
use crate::nats::NatsServer;
use crate::scratch::Scratch;
use crate::unique::unique;
use crate::{StartError, tools};

const CLEANING: Duration = Duration::from_secs(10);

/// The servers and the folder of one test.
///
/// The nats-server is the test's own. The mongod is shared by all tests of a run: the one that
/// `MONGODB_URI` names, else one per test process. Each test has databases of its own, which are
/// dropped with the world.
#[derive(Debug)]
pub struct World {
    mongo_uri: String,
    mongod: Option<Mongod>,
    nats: NatsServer,
    databases: Mutex<Vec<String>>,
    scratch: Scratch,
}

impl World {
    /// Starts what a test stands on.
    ///
    /// # Panics
    /// When a server cannot be found, installed or started.
    pub async fn start() -> Self {
        let mongo_uri = shared_mongod().await;
        Self::with(mongo_uri, None, scratch(), "").await
    }

    /// The same with a mongod of its own, which the test may stop and kill.
    ///
    /// # Panics
    /// When a server cannot be found, installed or started.
    pub async fn start_alone() -> Self {
        let scratch = scratch();
        let mongod = or_panic(start_mongod(&scratch.path().join("mongo")).await);
        Self::with(mongod.uri(), Some(mongod), scratch, "").await
    }

    /// The same as [`World::start`] with more configuration of its nats-server, such as its users.
    ///
    /// # Panics
    /// When a server cannot be found, installed or started.
    pub async fn start_with_nats(config: &str) -> Self {
        let mongo_uri = shared_mongod().await;
        Self::with(mongo_uri, None, scratch(), config).await
    }

    async fn with(mongo_uri: String, mongod: Option<Mongod>, scratch: Scratch, nats: &str) -> Self {
        let binary = or_panic(tools::nats_server(&report).await);
        let store = scratch.path().join("nats");
        let nats = or_panic(NatsServer::start_with(&binary, &store, None, nats).await);
        Self { mongo_uri, mongod, nats, databases: Mutex::default(), scratch }
    }

    /// Where the mongod is.
    pub fn mongo_uri(&self) -> &str {
        &self.mongo_uri
    }

    /// The mongod, when this world has one of its own.
    pub fn mongod(&self) -> Option<&Mongod> {
        self.mongod.as_ref()
    }

    /// The name of a database that nobody else uses.
    pub fn database(&self, prefix: &str) -> String {
        let name = format!("{prefix}_{}", unique());
        self.databases.lock().unwrap_or_else(PoisonError::into_inner).push(name.clone());
        name
    }

    /// The nats-server.
    pub fn nats(&self) -> &NatsServer {
        &self.nats
    }

    /// A folder that is deleted with the world.
    pub fn dir(&self) -> &Path {
        self.scratch.path()
    }

    /// Drops the databases of the test, unless they go with its own mongod.
    fn drop_databases(&mut self) {
        let names = self.databases.get_mut().unwrap_or_else(PoisonError::into_inner);
        if self.mongod.is_some() || names.is_empty() {
            return;
        }
        let names = std::mem::take(names);
        let uri = self.mongo_uri.clone();
        // The test's own runtime cannot be waited for from a drop.
        let cleaner = std::thread::spawn(move || {
            let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
            runtime.block_on(async {
                // Best effort: the mongod may be gone, and takes its data along.
                let _ = tokio::time::timeout(CLEANING, drop_all(&uri, &names)).await;
            });
            std::io::Result::Ok(())
        });
        let _ = cleaner.join();
    }
}

impl Drop for World {
    fn drop(&mut self) {
        self.drop_databases();
    }
}

async fn drop_all(uri: &str, names: &[String]) -> mongodb::error::Result<()> {
    let client = Client::with_uri_str(uri).await?;
    for name in names {
        client.database(name).drop().await?;
    }
    Ok(())
}

/// The mongod that all tests share; what this process starts ends with it.
async fn shared_mongod() -> String {
    static STARTED: OnceCell<(Mongod, Scratch)> = OnceCell::const_new();

    if let Some(uri) = std::env::var_os("MONGODB_URI").filter(|uri| !uri.is_empty()) {
        return uri.into_string().expect("MONGODB_URI is text");
    }
    let started = STARTED.get_or_init(async || {
        let scratch = scratch();
        (or_panic(start_mongod(scratch.path()).await), scratch)
    });
    started.await.0.uri()
}

async fn start_mongod(data: &Path) -> Result<Mongod, StartError> {
    let binary = tools::mongod(&report).await?;
    Mongod::start_for_tests(&binary, data).await
}

fn scratch() -> Scratch {
    Scratch::new().expect("the temporary folder can be written")
}

fn report(line: &str) {
    eprintln!("{line}");
}

/// A test without its servers cannot go on; the reason reads better than its debug form.
fn or_panic<T, E: std::fmt::Display>(outcome: Result<T, E>) -> T {
    outcome.unwrap_or_else(|error| panic!("{error}"))
}
