//! The connection of a service to the bus.

use std::fmt;
use std::hash::{BuildHasher as _, RandomState};
use std::io;
use std::path::PathBuf;
use std::str::FromStr as _;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use async_nats::connection::State;
use async_nats::jetstream::Context;
use async_nats::jetstream::context::ContextBuilder;
use async_nats::{Client, ConnectOptions, Event, ServerAddr};
use secrecy::{ExposeSecret as _, SecretString};
use tokio::sync::{Notify, watch};
use tracing::{info, warn};

use super::publish::LastTold;
use super::{Backoff, Patience};
use crate::Clock;

const ANSWER: Duration = Duration::from_secs(5);
const CONNECTING: Duration = Duration::from_secs(3);
/// Two pings may stay unanswered: a peer that froze is noticed within ten seconds.
const PING: Duration = Duration::from_secs(3);
const LONGEST_PAUSE: Duration = Duration::from_secs(1);

/// How a service reaches the bus.
#[derive(Clone, Debug)]
pub struct BusConfig {
    /// The name of the service, such as `order`.
    pub service: String,
    /// Where the servers are, such as `nats://nats:4222`; several are parted by commas.
    pub url: String,
    /// Who it is there.
    pub user: Option<String>,
    /// How it proves that.
    pub password: Option<SecretString>,
    /// A PEM file with further authorities that sign the servers' certificates.
    pub ca_file: Option<PathBuf>,
    /// Tells this replica from the others that run. One that begins anew may bear an old one's.
    pub instance: String,
    /// Whether it may declare streams and durables itself; else it waits until they are there.
    pub declare: bool,
    /// How many servers keep each stream.
    pub replicas: usize,
    /// How many bytes all streams may take together, to be shared out; without it only dead letters
    /// and acts are bounded, so that they never stop the rest.
    pub stream_store: Option<u64>,
    /// How it deals with events that it cannot handle yet.
    pub patience: Patience,
}

impl BusConfig {
    /// A service that may declare what it needs, at a single server.
    pub fn new(service: impl Into<String>, url: impl Into<String>) -> Self {
        Self {
            service: service.into(),
            url: url.into(),
            user: None,
            password: None,
            ca_file: None,
            instance: format!("{:08x}", RandomState::new().hash_one(()) >> 32),
            declare: true,
            replicas: 1,
            stream_store: None,
            patience: Patience::default(),
        }
    }
}

/// Why there is no client of the bus: something is wrong with its configuration.
#[derive(Debug, thiserror::Error)]
pub enum ConnectError {
    /// Not the address of a server.
    #[error("{url} is not the address of a NATS server: {source}")]
    Address {
        /// What was given.
        url: String,
        /// What is wrong with it.
        source: io::Error,
    },
    /// The client refuses the configuration.
    #[error("the NATS client cannot begin: {0}")]
    Client(#[from] async_nats::ConnectError),
}

/// Whether the server can be reached, and how often it was found.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Link {
    pub(super) up: bool,
    /// Grows with every connection: what was asked over an earlier one is not answered any more.
    pub(super) epoch: u64,
}

/// A service's connection to the bus, which never gives up.
#[derive(Clone)]
pub struct Bus {
    pub(super) config: Arc<BusConfig>,
    pub(super) client: Client,
    pub(super) jetstream: Context,
    pub(super) clock: Clock,
    pub(super) link: watch::Receiver<Link>,
    pub(super) last_told: Arc<Mutex<LastTold>>,
    /// A stream was found missing.
    pub(super) missing: Arc<Notify>,
}

impl fmt::Debug for Bus {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Bus").field("service", &self.config.service).finish_non_exhaustive()
    }
}

impl Bus {
    /// Begins to connect, and goes on in the background until it is, and whenever it was lost.
    pub async fn connect(config: BusConfig, clock: Clock) -> Result<Self, ConnectError> {
        let (told, link) = watch::channel(Link::default());
        let client = options(&config, told).connect(addresses(&config.url)?).await?;
        let jetstream = ContextBuilder::new().timeout(ANSWER).build(client.clone());
        Ok(Self {
            config: Arc::new(config),
            client,
            jetstream,
            clock,
            link,
            last_told: Arc::default(),
            missing: Arc::default(),
        })
    }

    /// Whether the server can be reached right now.
    pub fn is_connected(&self) -> bool {
        self.client.connection_state() == State::Connected
    }

    /// Grows with every connection to the server.
    pub(crate) fn epoch(&self) -> u64 {
        self.link.borrow().epoch
    }

    /// How long parked events rest between automatic redrives.
    pub(crate) fn redrive_pauses(&self) -> Backoff {
        self.config.patience.redrive
    }

    /// The client itself, for what is asked and answered over the bus without being kept.
    pub fn client(&self) -> &Client {
        &self.client
    }

    /// Waits until the server can be reached.
    pub async fn connected(&self) {
        let mut link = self.link.clone();
        if link.wait_for(|link| link.up).await.is_err() {
            // The client is gone for good, which only the end of the process brings about.
            std::future::pending::<()>().await;
        }
    }
}

fn addresses(url: &str) -> Result<Vec<ServerAddr>, ConnectError> {
    let parse = |url: &str| {
        ServerAddr::from_str(url).map_err(|source| {
            // What precedes an @ may be a password.
            let url = url.rsplit('@').next().unwrap_or_default().to_owned();
            ConnectError::Address { url, source }
        })
    };
    url.split(',').map(str::trim).map(parse).collect()
}

fn options(config: &BusConfig, link: watch::Sender<Link>) -> ConnectOptions {
    let link = Arc::new(link);
    let options = ConnectOptions::new()
        .name(&config.service)
        .custom_inbox_prefix(format!("_INBOX_{}", config.service))
        .retry_on_initial_connect()
        .max_reconnects(None)
        .reconnect_delay_callback(pause)
        .connection_timeout(CONNECTING)
        .request_timeout(Some(ANSWER))
        .ping_interval(PING)
        .event_callback(move |event| {
            let link = Arc::clone(&link);
            async move { note(&link, &event) }
        });
    let options = match &config.ca_file {
        Some(file) => options.add_root_certificates(file.clone()),
        None => options,
    };
    match (&config.user, &config.password) {
        (Some(user), Some(password)) => {
            options.user_and_password(user.clone(), password.expose_secret().to_owned())
        }
        _ => options,
    }
}

/// At once at first, then ever slower.
fn pause(attempts: usize) -> Duration {
    let doublings = u32::try_from(attempts.saturating_sub(2)).unwrap_or(u32::MAX).min(10);
    if attempts < 2 {
        Duration::ZERO
    } else {
        (Duration::from_millis(50) * 2_u32.pow(doublings)).min(LONGEST_PAUSE)
    }
}

fn note(link: &watch::Sender<Link>, event: &Event) {
    match event {
        Event::Connected => {
            info!("bus connected");
            link.send_modify(|link| *link = Link { up: true, epoch: link.epoch + 1 });
        }
        Event::Disconnected | Event::Closed => {
            warn!("bus lost");
            link.send_modify(|link| link.up = false);
        }
        Event::ServerError(error) => warn!(%error, "bus refused"),
        Event::ClientError(error) => warn!(%error, "bus not reached"),
        Event::LameDuckMode | Event::Draining | Event::SlowConsumer(_) => {
            warn!(%event, "bus in trouble");
        }
    }
}
