//! Opens the shop, keeps it open, and closes it.

use std::future::pending;
use std::io::ErrorKind;
use std::net::Ipv4Addr;
use std::path::Path;
use std::time::Duration;

use anyhow::{Context as _, anyhow, bail};
use demo::Shop;
use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};
use testkit::fleet::Service;
use testkit::process::Spec;
use tokio::net::TcpListener;
use tokio_util::sync::CancellationToken;

use super::account::Account;
use super::build::build;
use super::data::Data;
use super::fleet::Fleet;
use super::ingress::{Ingress, Routes};
use super::instance::Instance;
use super::part::Part;
use super::progress::{phase, say};
use super::{Args, MANIFEST, leftovers, place, servers};

/// How many files this process and each part may open.
const FILES: u64 = 65_536;

/// How long a service that is unavailable is waited for while the catalogue is loaded.
const UNAVAILABLE: Duration = Duration::from_secs(20);

/// The folder of the data folder where auth puts its mails, each a file.
const MAILS: &str = "mail";

/// The shop while it is open.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Open<'a> {
    pub(crate) fleet: &'a Fleet,
    pub(crate) account: &'a Account,
    mails: &'a Path,
    port: u16,
}

/// Runs the shop until it is told to stop, or cannot go on.
pub(crate) async fn run(args: &Args, stop: &CancellationToken) -> anyhow::Result<()> {
    let stopped = with(args, stop, async |open| {
        open.announce();
        pending::<anyhow::Result<()>>().await
    });
    stopped.await.map(Option::unwrap_or_default)
}

/// Opens the shop, does something there, and closes it; `None` when it was told to stop before
/// that was done.
pub(crate) async fn with<T>(
    args: &Args,
    stop: &CancellationToken,
    work: impl AsyncFnOnce(Open<'_>) -> anyhow::Result<T>,
) -> anyhow::Result<Option<T>> {
    allow_many_files();
    let data = unless(stop, take(args)).await?;
    let account = Account::new(args, &data)?;
    let routes = Routes::read(&place(MANIFEST))?;
    let listener = listen(args.port).await?;
    let port = listener.local_addr()?.port();

    let mails = data.folder(MAILS)?;
    let fleet = unless(stop, Box::pin(prepare(args, data, &account, port))).await?;
    let ingress = Ingress::new(routes, &fleet.addresses())?.serve(listener);
    let open = Open { fleet: &fleet, account: &account, mails: &mails, port };
    let done = async {
        open.fill(args).await?;
        work(open).await
    };
    let outcome = tokio::select! {
        reason = fleet.keep() => Err(reason),
        done = done => done.map(Some),
        () = stop.cancelled() => Ok(None),
    };

    ingress.close();
    fleet.stop().await?;
    ingress.finish().await;
    say("stopped");
    outcome
}

/// Each connection through the ingress takes two files, and systems allow few unless asked.
fn allow_many_files() {
    let limit = getrlimit(Resource::Nofile);
    let many = limit.maximum.map_or(FILES, |most| most.min(FILES));
    if limit.current.is_some_and(|now| now < many) {
        // Where it cannot be had, fewer people shop at the same time.
        let _ = setrlimit(Resource::Nofile, Rlimit { current: Some(many), ..limit });
    }
}

/// Does something, unless it is told to stop meanwhile.
async fn unless<T>(
    stop: &CancellationToken,
    work: impl Future<Output = anyhow::Result<T>>,
) -> anyhow::Result<T> {
    let done = stop.run_until_cancelled(work).await;
    done.unwrap_or_else(|| Err(anyhow!("stopped before it was open")))
}

/// Takes the data folder, once nothing of an earlier run is in there any longer.
async fn take(args: &Args) -> anyhow::Result<Data> {
    let data = Data::open(&args.data.clone().unwrap_or_else(|| place(".souk")))?;
    leftovers::end(&data).await?;
    if args.fresh {
        data.empty()?;
    }
    Ok(data)
}

/// Takes the port before anything else is done, so that nobody builds in vain.
async fn listen(port: u16) -> anyhow::Result<TcpListener> {
    match TcpListener::bind((Ipv4Addr::LOCALHOST, port)).await {
        Err(error) if error.kind() == ErrorKind::AddrInUse => {
            bail!("port {port} is in use; free it, or choose another with --port")
        }
        bound => bound.with_context(|| format!("listening on port {port}")),
    }
}

/// Builds everything and starts the servers; the services are ready to be started.
async fn prepare(args: &Args, data: Data, account: &Account, port: u16) -> anyhow::Result<Fleet> {
    let binaries = phase("building the services", build(args.release)).await?;
    let [mongod, nats_server] = servers::start(args, &data).await?;
    let key = data.secret("jwt-key")?;
    let mut parts: Vec<_> = mongod.part.into_iter().chain(nats_server.part).collect();
    for service in Service::ALL {
        let mut program = Spec::new(binaries.join(service.name()))
            .env("MONGODB_URI", &mongod.uri)
            .env("NATS_URL", &nats_server.uri)
            .env("SOUK_TRUSTED_PROXIES", args.proxies.to_string());
        if service == Service::Auth {
            program = program
                .env("JWT_KEY", &key)
                .env("SOUK_SMTP_URL", "")
                .env("SOUK_MAIL_DIR", data.folder(MAILS)?)
                .env("SOUK_SHOP_URL", format!("http://localhost:{port}"))
                .env("SOUK_ADMIN_EMAIL", &account.email)
                .env("SOUK_ADMIN_PASSWORD", &account.password);
        }
        if service == Service::Payment {
            program = program.env("SOUK_ALLOW_SANDBOX", "true");
        }
        let log = data.fresh_log(service.name())?;
        parts.push(Part::Service(Instance::new(service, program, log)));
    }
    Ok(Fleet::new(data, port, parts))
}

impl Open<'_> {
    /// Where it answers.
    pub(crate) fn address(&self) -> String {
        format!("http://localhost:{}", self.port)
    }

    /// Waits until everything runs, and fills the shelves.
    async fn fill(&self, args: &Args) -> anyhow::Result<()> {
        phase("starting the services", self.fleet.ready()).await?;
        if !args.without_demo {
            let (auth, product) = (self.address(), self.address());
            let shop = Shop { auth, product, wait: UNAVAILABLE };
            let staff = self.account.credentials();
            let loading = demo::load(&shop, &staff, &|line| say(line));
            if let Err(reason) = phase("filling the shelves", loading).await {
                say(format_args!("the demo catalogue could not be loaded: {reason:#}"));
            }
        }
        Ok(())
    }

    /// Says that it is open, and where.
    fn announce(&self) {
        say(format_args!("staff    {}", self.account));
        say(format_args!("mails    {}", self.mails.display()));
        for service in self.fleet.services() {
            let (name, http, ops) = (service.name(), service.http(), service.ops());
            say(format_args!("{name:8} http://{http}  operations http://{ops}"));
        }
        say(format_args!("ready {}", self.address()));
    }
}
