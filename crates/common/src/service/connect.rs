//! Finding what a service cannot be without, however long that takes.

use std::time::{Duration, Instant};

use mongodb::bson::doc;
use mongodb::error::Error;
use mongodb::options::{
    Acknowledgment, ClientOptions, ReadConcern, ReadPreference, SelectionCriteria, WriteConcern,
};
use mongodb::{Client, Database};
use secrecy::ExposeSecret as _;
use tokio::time::sleep;
use tokio_util::task::TaskTracker;
use tracing::{info, warn};

use super::error::StartError;
use super::tasks::Tasks;
use crate::bus::{Backoff, Bus, BusConfig, Patience};
use crate::config::ServiceConfig;
use crate::store::{Clients, Store};

/// A request is answered with 503 rather than kept waiting longer for a primary.
const SELECTION: Duration = Duration::from_secs(2);
const CONNECTING: Duration = Duration::from_secs(2);
/// Connections of each client: changes are committed in groups, so few of them carry much.
const POOL: u32 = 16;
const IDLE: Duration = Duration::from_mins(1);
/// Between two tries.
const PAUSE: Duration = Duration::from_millis(100);
/// Between two complaints about the same.
const QUIET: Duration = Duration::from_secs(5);

/// Waits until the database is there. The bus is connected in the background.
pub(super) async fn find(
    service: &str,
    config: &ServiceConfig,
    support: &Tasks,
) -> Result<(Store, Bus), StartError> {
    let bus = Bus::connect(bus(service, config), config.clock.clone()).await?;
    let clients = database(service, config).await;
    let named = config.database.as_deref().filter(|name| !name.is_empty()).unwrap_or(service);
    let committer = TaskTracker::new();
    let (clock, group) = (config.clock.clone(), config.group_commit);
    let store = Store::open(clients, named, clock, group, &committer).await?;
    support.mind("committer", committer, support.cutter());
    Ok((store, bus))
}

/// Waits until the database can be written to.
async fn database(service: &str, config: &ServiceConfig) -> Clients {
    let clients = patiently("mongodb", || clients(service, config)).await;
    patiently("mongodb", || ping(clients.work.database("admin"))).await;
    info!("mongodb connected");
    clients
}

/// How the bus is reached.
fn bus(service: &str, config: &ServiceConfig) -> BusConfig {
    let named = |user: &String| !user.is_empty();
    BusConfig {
        user: config.nats_user.clone().filter(named),
        password: config.nats_password.clone(),
        ca_file: config.nats_ca_file.clone().filter(|file| !file.as_os_str().is_empty()),
        declare: config.declares(),
        replicas: config.stream_replicas.into(),
        stream_store: config.stream_store,
        patience: patience(config),
        ..BusConfig::new(service, &config.nats_url)
    }
}

/// How events are dealt with that cannot be handled yet.
fn patience(config: &ServiceConfig) -> Patience {
    let usual = Patience::default();
    let redrive = Backoff::new(config.redrive_pause, usual.redrive.longest);
    Patience { word: config.event_word, redrive, ..usual }
}

/// Tries until it works.
pub(super) async fn patiently<T, E, F>(what: &str, mut work: impl FnMut() -> F) -> T
where
    F: Future<Output = Result<T, E>>,
    E: std::fmt::Display,
{
    let mut said: Option<Instant> = None;
    loop {
        match work().await {
            Ok(done) => return done,
            Err(error) if said.is_none_or(|said| said.elapsed() > QUIET) => {
                warn!(%error, what, "waiting");
                said = Some(Instant::now());
            }
            Err(_) => {}
        }
        sleep(PAUSE).await;
    }
}

/// One client for the service's own work and one for the reads of requests, so that many reads
/// never delay commits. Connections are made when they are needed.
async fn clients(service: &str, config: &ServiceConfig) -> Result<Clients, Error> {
    let options = options(service, config).await?;
    let pool = options.max_pool_size.and_then(|size| size.try_into().ok());
    let work = Client::with_options(options.clone())?;
    let reads = Client::with_options(options)?;
    Ok(Clients { work, reads, pool: pool.unwrap_or(usize::MAX) })
}

async fn options(service: &str, config: &ServiceConfig) -> Result<ClientOptions, Error> {
    let mut options = ClientOptions::parse(config.mongodb_uri.expose_secret()).await?;
    options.app_name = Some(service.to_owned());
    options.write_concern =
        Some(WriteConcern::builder().w(Acknowledgment::Majority).journal(true).build());
    options.read_concern = Some(ReadConcern::majority());
    options.selection_criteria = Some(SelectionCriteria::ReadPreference(ReadPreference::Primary));
    options.server_selection_timeout = Some(SELECTION);
    options.connect_timeout = Some(CONNECTING);
    options.max_pool_size = options.max_pool_size.or(Some(POOL));
    options.max_idle_time = options.max_idle_time.or(Some(IDLE));
    Ok(options)
}

async fn ping(admin: Database) -> Result<(), Error> {
    admin.run_command(doc! { "ping": 1 }).await.map(drop)
}
