//! Configuration: one struct, read from flags and from the environment.

mod parse;

use std::net::{Ipv4Addr, SocketAddr};
use std::path::PathBuf;
use std::str::FromStr;
use std::time::Duration;

use async_nats::ServerAddr;
use axum::http::{HeaderValue, Uri};
use clap::{ArgAction, Args, Subcommand};
use contracts::EventId;
use mongodb::options::ConnectionString;
use secrecy::SecretString;
use tracing_subscriber::EnvFilter;

use crate::Clock;
#[cfg(debug_assertions)]
use crate::crash::CrashAt;

pub use parse::{Exit, Misconfigured, parse};

/// The smallest store of streams: less has no room for the largest events.
const LEAST_STORE: u64 = 64 << 20;

/// What every service needs to know to run; a service flattens it into its own configuration.
#[derive(Clone, Debug, Args)]
pub struct ServiceConfig {
    /// Where the public API listens.
    #[arg(long, env = "SOUK_HTTP", default_value = "0.0.0.0:3000")]
    pub http: SocketAddr,

    /// Where the operations port listens: /live, /ready, /health and /metrics.
    #[arg(long, env = "SOUK_OPS", default_value = "0.0.0.0:9000")]
    pub ops: SocketAddr,

    /// Where the database is; a replica set, and the password may be in it.
    #[arg(long, env = "MONGODB_URI", hide_env_values = true, value_parser = mongodb_uri)]
    pub mongodb_uri: SecretString,

    /// The database this service owns; by default it bears the service's name.
    #[arg(long, env = "SOUK_DATABASE")]
    pub database: Option<String>,

    /// Where NATS is; several servers of one cluster are separated by commas.
    #[arg(long, env = "NATS_URL", hide_env_values = true, value_parser = nats_url)]
    pub nats_url: String,

    /// The user at NATS, where it asks for one.
    #[arg(long, env = "NATS_USER")]
    pub nats_user: Option<String>,

    /// The password of that user.
    #[arg(long, env = "NATS_PASSWORD", hide_env_values = true)]
    pub nats_password: Option<SecretString>,

    /// A file with the certificates, in PEM, of the authorities that sign those of NATS, beside the
    /// public ones; for addresses such as `tls://nats:4222`.
    #[arg(long, env = "NATS_CA_FILE")]
    pub nats_ca_file: Option<PathBuf>,

    /// How long a stop may take before what is left is cut off.
    #[arg(long, env = "SOUK_GRACE", default_value = "20s", value_parser = humantime::parse_duration)]
    pub grace: Duration,

    /// What is logged: a level, or levels by module such as `info,common::bus=debug`.
    #[arg(long, env = "SOUK_LOG", default_value = "info", value_parser = log_filter)]
    pub log: String,

    /// The OpenTelemetry collector that traces are told to, by OTLP over HTTP, such as
    /// `http://collector:4318`; without it they are not.
    #[arg(long, env = "OTEL_EXPORTER_OTLP_ENDPOINT", hide_env_values = true,
        value_parser = collector)]
    pub otlp_endpoint: Option<String>,

    /// Which share of the traces that begin here is told, from 0 to 1; those that began elsewhere
    /// are as their `traceparent` says.
    #[arg(long, env = "OTEL_TRACES_SAMPLER_ARG", default_value_t = 1.0, value_parser = share)]
    pub trace_share: f64,

    /// How many changes one commit takes at most; 1 writes each by itself.
    #[arg(long, env = "SOUK_GROUP_COMMIT", default_value_t = 64, value_parser = group)]
    pub group_commit: usize,

    /// How long the bus waits for a word about an event that a replica holds, before it gives it to
    /// another one.
    #[arg(long, env = "SOUK_EVENT_WORD", default_value = "30s", value_parser = event_word)]
    pub event_word: Duration,

    /// How long a parked event (one that failed again and again, or waited too long for another)
    /// rests before it is handled anew automatically; the pauses double up to an hour.
    #[arg(long, env = "SOUK_REDRIVE_PAUSE", default_value = "15s", value_parser = event_word)]
    pub redrive_pause: Duration,

    /// How many servers of the NATS cluster keep each stream.
    #[arg(long, env = "SOUK_STREAM_REPLICAS", default_value_t = 1,
        value_parser = clap::value_parser!(u8).range(1..=5))]
    pub stream_replicas: u8,

    /// How many bytes the streams may take together on each NATS server, such as `8GB`: no more than
    /// its `max_file_store`. Each stream gets a share, so that none stops the others.
    #[arg(long, env = "SOUK_STREAM_STORE", value_parser = bytes)]
    pub stream_store: Option<u64>,

    /// Whether streams and consumers are declared at every start; in a cluster an init container
    /// does it, with rights that the service lacks.
    #[arg(long, env = "SOUK_DECLARE_AT_START", default_value_t = true, action = ArgAction::Set)]
    pub declare_at_start: bool,

    /// The origins whose pages may call the API from a browser, separated by commas; none by
    /// default.
    #[arg(long, env = "SOUK_CORS_ORIGINS", default_value = "", hide_default_value = true)]
    pub cors_origins: Origins,

    /// How many bytes the body of a request may have; a few routes allow more by themselves.
    #[arg(long, env = "SOUK_MAX_BODY", default_value_t = 16 * 1024)]
    pub max_body: usize,

    /// How many bytes the bodies and answers of all requests may have at once; those beyond are
    /// refused with 503.
    #[arg(long, env = "SOUK_MAX_IN_FLIGHT", default_value_t = 16 * 1024 * 1024)]
    pub max_in_flight: usize,

    /// The body of a request has to arrive with at least 1 KiB a second, counted over so long a time,
    /// else the request is ended with 408.
    #[arg(long, env = "SOUK_BODY_GRACE", default_value = "3s",
        value_parser = humantime::parse_duration)]
    pub body_grace: Duration,

    /// How long a client may take nothing of what it is sent, event streams included, before its
    /// connection is closed.
    #[arg(long, env = "SOUK_STALL_TIMEOUT", default_value = "15s",
        value_parser = humantime::parse_duration)]
    pub stall_timeout: Duration,

    /// How many connections the public port holds; for one more, the one that is idle longest is
    /// closed.
    #[arg(long, env = "SOUK_MAX_CONNECTIONS", default_value_t = 3072)]
    pub max_connections: usize,

    /// How long a client waits for an answer before it gets 503; what was begun is still finished.
    /// Long polls and event streams have bounds of their own.
    #[arg(long, env = "SOUK_REQUEST_TIMEOUT", default_value = "10s",
        value_parser = humantime::parse_duration)]
    pub request_timeout: Duration,

    /// How long a connection may be idle, or take to send its headers. Longer than the proxy in
    /// front keeps idle connections, else it sends into closing ones.
    #[arg(long, env = "SOUK_KEEP_ALIVE", default_value = "75s",
        value_parser = humantime::parse_duration)]
    pub keep_alive: Duration,

    /// How many requests are worked on at once; those beyond are told to come back.
    #[arg(long, env = "SOUK_MAX_REQUESTS", default_value_t = 512)]
    pub max_requests: usize,

    /// How many proxies of our own stand in front, each of which adds to X-Forwarded-For whom it
    /// heard. What clients write there themselves is never believed.
    #[arg(long, env = "SOUK_TRUSTED_PROXIES", default_value_t = 0,
        value_parser = clap::value_parser!(u8).range(0..=10))]
    pub trusted_proxies: u8,

    /// Where a process that is tested is to die.
    #[cfg(debug_assertions)]
    #[arg(long, env = "SOUK_CRASH_AT", hide = true)]
    pub crash_at: Option<CrashAt>,

    /// Declares streams and consumers, then exits.
    #[arg(long)]
    pub declare: bool,

    /// What to do instead of serving.
    #[command(subcommand)]
    pub act: Option<Act>,

    /// Where the time comes from; a process that is tested may be told of a file that says by how
    /// much its clock is wrong.
    #[cfg_attr(not(debug_assertions), arg(skip))]
    #[cfg_attr(debug_assertions, arg(long = "wrong-clock", env = "SOUK_WRONG_CLOCK", hide = true,
        default_value = "", value_parser = clock))]
    pub clock: Clock,

    /// Whether this is a test, whose output is caught.
    #[arg(skip)]
    pub in_test: bool,
}

/// What a service can be started for instead of serving.
#[derive(Clone, Debug, Subcommand)]
pub enum Act {
    /// Tells again what the broker lost, then exits.
    Replay(Replay),

    /// Lists the events that were given up (dead letters), or handles them anew, then exits.
    Redrive(Redrive),
}

/// What is to be told again.
#[derive(Clone, Copy, Debug, Args)]
#[group(required = true, multiple = false)]
pub struct Replay {
    /// The facts of so long a time, such as `1h`, under the ids they had.
    #[arg(long, value_parser = humantime::parse_duration)]
    pub since: Option<Duration>,

    /// How everything that others copy is now.
    #[arg(long)]
    pub state: bool,
}

/// Which dead letters, and what to do with them.
#[derive(Clone, Debug, Default, Args)]
pub struct Redrive {
    /// Lists them: when each died, who gave it up, the event's type, id and subject, and why. This
    /// is what happens without arguments.
    #[arg(long, conflicts_with_all = ["id", "all"])]
    pub list: bool,

    /// Handles this event anew, such as `evt_…`.
    #[arg(long, value_name = "EVENT_ID", conflicts_with = "all")]
    pub id: Option<EventId>,

    /// Handles all of them anew.
    #[arg(long)]
    pub all: bool,

    /// Only those that this consumer gave up, such as `order-saga`.
    #[arg(long, value_name = "NAME")]
    pub consumer: Option<String>,
}

/// The origins whose pages may call the API from a browser.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Origins(pub Vec<HeaderValue>);

/// A value that cannot be used. It is not repeated, as it may be secret.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Unusable {
    /// Not where a database is.
    #[error("not like mongodb://user:password@host:27017/?replicaSet=rs0")]
    MongodbUri,
    /// Not where NATS is.
    #[error("not like nats://host:4222, or several such parted by commas")]
    NatsUrl,
    /// Not what is to be logged.
    #[error("neither a level such as `info` nor levels by module such as `info,common=debug`")]
    LogFilter,
    /// Not where a collector is.
    #[error("not like http://collector:4318, or it holds a password")]
    Collector,
    /// Not a share.
    #[error("not a number between 0 and 1")]
    Share,
    /// Not how much one commit may take.
    #[error("not a number of changes between 1 and 1000")]
    Group,
    /// Not how much may be stored.
    #[error("not a number of bytes such as `8GB` or `512MB`, of 64 MB or more")]
    Bytes,
    /// Not how long the bus can wait.
    #[error("not a time of a second or more such as `30s`")]
    EventWord,
    /// Not where a process can die.
    #[error("neither `nowhere` nor a point such as `after_commit` or `after_commit:2`")]
    CrashAt,
    /// Not where pages come from.
    #[error("not an origin such as https://shop.example.com")]
    Origin,
}

impl ServiceConfig {
    /// The configuration of a service inside a test: both ports on 127.0.0.1, chosen by the system.
    pub fn for_tests(mongodb_uri: &str, database: &str, nats_url: &str) -> Self {
        let anywhere = SocketAddr::from((Ipv4Addr::LOCALHOST, 0));
        Self {
            http: anywhere,
            ops: anywhere,
            mongodb_uri: mongodb_uri.into(),
            database: Some(database.into()),
            nats_url: nats_url.into(),
            nats_user: None,
            nats_password: None,
            nats_ca_file: None,
            grace: Duration::from_secs(20),
            log: "warn".into(),
            otlp_endpoint: None,
            trace_share: 1.0,
            group_commit: 64,
            event_word: Duration::from_secs(30),
            redrive_pause: Duration::from_secs(15),
            stream_replicas: 1,
            stream_store: None,
            declare_at_start: true,
            cors_origins: Origins::default(),
            max_body: 16 * 1024,
            max_in_flight: 16 * 1024 * 1024,
            body_grace: Duration::from_secs(3),
            stall_timeout: Duration::from_secs(15),
            max_connections: 3072,
            request_timeout: Duration::from_secs(10),
            keep_alive: Duration::from_secs(75),
            max_requests: 512,
            trusted_proxies: 0,
            #[cfg(debug_assertions)]
            crash_at: None,
            declare: false,
            act: None,
            clock: Clock::system(),
            in_test: true,
        }
    }

    /// Whether it declares streams and consumers itself.
    pub(crate) fn declares(&self) -> bool {
        self.declare_at_start || self.is_one_act()
    }

    /// Whether the process does one thing and exits, instead of serving.
    pub(crate) fn is_one_act(&self) -> bool {
        self.declare || self.act.is_some()
    }
}

fn mongodb_uri(text: &str) -> Result<SecretString, Unusable> {
    ConnectionString::parse(text).map(|_| text.into()).map_err(|_| Unusable::MongodbUri)
}

fn nats_url(text: &str) -> Result<String, Unusable> {
    let all_are = text.split(',').all(|url| url.trim().parse::<ServerAddr>().is_ok());
    if all_are { Ok(text.to_owned()) } else { Err(Unusable::NatsUrl) }
}

fn log_filter(text: &str) -> Result<String, Unusable> {
    EnvFilter::try_new(text).map(|_| text.to_owned()).map_err(|_| Unusable::LogFilter)
}

fn collector(text: &str) -> Result<String, Unusable> {
    let given: Uri = text.parse().map_err(|_| Unusable::Collector)?;
    let scheme = matches!(given.scheme_str(), Some("http" | "https"));
    let plain = given.authority().is_some_and(|it| !it.as_str().contains('@'));
    let usable = scheme && plain && given.query().is_none();
    usable.then(|| text.to_owned()).ok_or(Unusable::Collector)
}

fn share(text: &str) -> Result<f64, Unusable> {
    text.parse().ok().filter(|share| (0.0..=1.0).contains(share)).ok_or(Unusable::Share)
}

#[cfg(debug_assertions)]
#[expect(clippy::unnecessary_wraps, reason = "it reads a setting")]
fn clock(file: &str) -> Result<Clock, Unusable> {
    Ok(if file.is_empty() { Clock::system() } else { Clock::wrong_by(file) })
}

/// Bytes as NATS writes them: K, M and G are powers of 1,024.
fn bytes(text: &str) -> Result<u64, Unusable> {
    let number = text.trim_end_matches('B');
    let (number, unit) = match number.chars().last() {
        Some('K') => (&number[..number.len() - 1], 1 << 10),
        Some('M') => (&number[..number.len() - 1], 1 << 20),
        Some('G') => (&number[..number.len() - 1], 1 << 30),
        _ => (number, 1),
    };
    let bytes = number.parse::<u64>().ok().and_then(|number| number.checked_mul(unit));
    bytes.filter(|bytes| *bytes >= LEAST_STORE).ok_or(Unusable::Bytes)
}

fn group(text: &str) -> Result<usize, Unusable> {
    text.parse().ok().filter(|group| (1..=1000).contains(group)).ok_or(Unusable::Group)
}

fn event_word(text: &str) -> Result<Duration, Unusable> {
    let word = humantime::parse_duration(text).ok();
    word.filter(|word| *word >= Duration::from_secs(1)).ok_or(Unusable::EventWord)
}

impl FromStr for Origins {
    type Err = Unusable;

    fn from_str(text: &str) -> Result<Self, Unusable> {
        let origins = text.split(',').map(str::trim).filter(|origin| !origin.is_empty());
        origins.map(origin).collect::<Result<_, _>>().map(Self)
    }
}

fn origin(text: &str) -> Result<HeaderValue, Unusable> {
    let host = text.strip_prefix("https://").or_else(|| text.strip_prefix("http://"));
    host.filter(|host| !host.is_empty() && !host.contains('/'))
        .and_then(|_| HeaderValue::from_str(text).ok())
        .ok_or(Unusable::Origin)
}
