//! Runs the whole shop on this machine.

mod account;
mod build;
mod data;
mod fleet;
mod ingress;
mod instance;
mod leftovers;
mod part;
mod patience;
mod progress;
mod servers;
mod shop;

pub(crate) use self::build::build;
pub(crate) use self::ingress::{Ingress, Routes};
pub(crate) use self::progress::{phase, say};
pub(crate) use self::shop::{Open, with};

use std::io;
use std::path::{Path, PathBuf};

use anyhow::bail;
use clap::builder::NonEmptyStringValueParser;
use tokio::signal::unix::{SignalKind, signal};
use tokio_util::sync::CancellationToken;

/// Routes as a cluster's ingress does.
const MANIFEST: &str = "infra/k8s/base/ingress.yaml";

const HELP: &str = "\
Builds the five services, starts them on a mongod and a nats-server of their own (installed once, \
where the PATH has none), puts an ingress in front that routes by infra/k8s/base/ingress.yaml, and \
fills the shelves with a demo catalogue. The last line of the start says `ready`, and where.

What ends is started again. Ctrl-C ends everything in good order, a second one at once.

DIR/fleet.json tells which process is where, DIR/logs has what the services say, DIR/mail the mails \
that would be sent, DIR/secrets what was made up: the key that signs tokens and the password of the \
staff account.";

/// How the shop is run.
#[derive(Debug, clap::Args)]
#[command(after_help = HELP)]
pub(crate) struct Args {
    /// Where the shop answers on this machine.
    #[arg(long, default_value_t = 8080)]
    port: u16,

    /// Where databases, logs and secrets are kept between runs [default: .souk in the workspace].
    #[arg(long, value_name = "DIR")]
    data: Option<PathBuf>,

    /// Throw away what earlier runs kept, and begin anew.
    #[arg(long)]
    fresh: bool,

    /// Build with optimisation.
    #[arg(long)]
    release: bool,

    /// Leave the shelves as they are.
    #[arg(long)]
    without_demo: bool,

    /// A MongoDB replica set that runs already, instead of one for the shop.
    #[arg(long, env = "MONGODB_URI", hide_env_values = true, value_name = "URI",
        value_parser = NonEmptyStringValueParser::new())]
    mongodb_uri: Option<String>,

    /// A NATS server with JetStream that runs already, instead of one for the shop.
    #[arg(long, env = "NATS_URL", hide_env_values = true, value_name = "URL",
        value_parser = NonEmptyStringValueParser::new())]
    nats_url: Option<String>,

    /// Who minds the shop.
    #[arg(long, env = "SOUK_ADMIN_EMAIL", hide_env_values = true, value_name = "EMAIL",
        default_value = "admin@souk.example", value_parser = NonEmptyStringValueParser::new())]
    admin_email: String,

    /// Their password; by default one is made up and kept.
    #[arg(long, env = "SOUK_ADMIN_PASSWORD", hide_env_values = true, value_name = "PASSWORD",
        value_parser = NonEmptyStringValueParser::new())]
    admin_password: Option<String>,

    /// How many proxies stand before the services: the ingress.
    #[arg(skip = 1_u8)]
    proxies: u8,
}

impl Args {
    /// A shop with empty shelves on a free port, apart from every other; whoever asks says in
    /// `X-Forwarded-For` where they are, as if one more proxy stood before the ingress.
    pub(crate) fn apart(data: PathBuf, release: bool) -> Self {
        Self {
            port: 0,
            data: Some(data),
            fresh: false,
            release,
            without_demo: true,
            mongodb_uri: None,
            nats_url: None,
            admin_email: "bench@souk.example".to_owned(),
            admin_password: None,
            proxies: 2,
        }
    }
}

/// Runs the shop until somebody ends it.
pub(crate) async fn run(args: Args) -> anyhow::Result<()> {
    let stop = CancellationToken::new();
    tokio::select! {
        biased;
        second = signals(&stop) => bail!("aborted by {}", second?),
        closed = shop::run(&args, &stop) => closed,
    }
}

/// A place in the workspace.
pub(crate) fn place(path: &str) -> PathBuf {
    let workspace = Path::new(env!("CARGO_MANIFEST_DIR")).parent().expect("xtask is a member");
    workspace.join(path)
}

/// Asks for a good end at the first signal, and returns at a second one.
pub(crate) async fn signals(stop: &CancellationToken) -> io::Result<&'static str> {
    let mut interrupt = signal(SignalKind::interrupt())?;
    let mut terminate = signal(SignalKind::terminate())?;
    let mut hangup = signal(SignalKind::hangup())?;
    tokio::select! {
        _ = interrupt.recv() => {}
        _ = terminate.recv() => {}
        _ = hangup.recv() => {}
    }
    say("stopping (once more to abort)");
    stop.cancel();
    // A terminal that closes may say so twice.
    tokio::select! {
        _ = interrupt.recv() => Ok("SIGINT"),
        _ = terminate.recv() => Ok("SIGTERM"),
    }
}
