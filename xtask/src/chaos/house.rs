//! Everything that runs: servers, lines to them, and two replicas of every service.

use std::collections::HashMap;
use std::path::Path;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use anyhow::{Context as _, bail};
use futures_util::future::{join_all, try_join_all};
use testkit::fleet::Service;
use testkit::mongo::ReplicaSet;
use testkit::nats::NatsServer;
use testkit::process::Spec;
use testkit::{Client, Proxy, tools};
use tokio::time::{sleep, timeout};

use super::fault::REPLICAS;
use super::replica::Replica;
use crate::up::say;

/// Who minds the shop.
pub(crate) const STAFF: (&str, &str) = ("staff@souk.example", "correct-horse-battery-staple");

/// How long it takes at most until everything is ready.
const BOUND: Duration = Duration::from_mins(2);

/// What is set otherwise than in a shop: all waits are short, so that what they are for happens.
const SETTINGS: &[(Service, &str, &str)] = &[
    (Service::Auth, "JWT_KEY", "only-for-chaos-0123456789-abcdefghij"),
    (Service::Auth, "SOUK_ADMIN_EMAIL", STAFF.0),
    (Service::Auth, "SOUK_ADMIN_PASSWORD", STAFF.1),
    (Service::Auth, "SOUK_GUESTS_PER_ADDRESS", "1000000"),
    (Service::Auth, "SOUK_REGISTRATIONS_PER_ADDRESS", "1000000"),
    (Service::Payment, "SOUK_ALLOW_SANDBOX", "true"),
    (Service::Product, "SOUK_RESERVATION_ALARM", "1m"),
    (Service::Order, "SOUK_ASK_AGAIN", "10s"),
    (Service::Order, "SOUK_PAY_BY", "20s"),
    (Service::Order, "SOUK_PAY_EXTENSION", "10s"),
    (Service::Order, "SOUK_RETURN_WINDOW", "20s"),
];

/// What runs, and what was seen to be wrong with it.
#[derive(Debug)]
pub(crate) struct House {
    pub(crate) mongod: ReplicaSet,
    pub(crate) nats: NatsServer,
    lines: HashMap<Service, Proxy>,
    replicas: Vec<Replica>,
    turns: AtomicUsize,
    violations: Mutex<Vec<String>>,
}

impl House {
    /// Starts the servers; the services start when they are kept.
    pub(crate) async fn open(folder: &Path, binaries: &Path) -> anyhow::Result<Self> {
        let told = |line: &str| say(line);
        let mongod = tools::mongod(&told).await?;
        let mongod = ReplicaSet::start(&mongod, &folder.join("mongod")).await?;
        let nats = tools::nats_server(&told).await?;
        let nats = NatsServer::start(&nats, &folder.join("nats-server"), None).await?;
        let (mut lines, mut replicas) = (HashMap::new(), vec![]);
        for service in Service::ALL {
            let line = Proxy::to(nats.port()).await.context("listening for NATS")?;
            let program = Spec::new(binaries.join(service.name()))
                .env("MONGODB_URI", mongod.uri())
                .env("NATS_URL", format!("nats://127.0.0.1:{}", line.port()))
                .env("SOUK_DATABASE", service.name())
                .env("SOUK_EVENT_WORD", "10s");
            let own = SETTINGS.iter().filter(|(it, ..)| *it == service);
            let program = own.fold(program, |program, (_, name, value)| program.env(name, *value));
            // The last one runs only while the service is doubled.
            let numbers = 0..=REPLICAS;
            replicas.extend(numbers.map(|it| Replica::new(service, it, &program, folder)));
            lines.insert(service, line);
        }
        replicas.iter().filter(|it| it.number < REPLICAS).for_each(Replica::want);
        let (turns, violations) = (AtomicUsize::default(), Mutex::default());
        Ok(Self { mongod, nats, lines, replicas, turns, violations })
    }

    /// Minds the services for ever.
    pub(crate) async fn keep(&self) -> anyhow::Result<()> {
        let keep = async |replica: &Replica| {
            let Replica { service, number, .. } = replica;
            let ended = |code| {
                self.violated(format!("{service} {number} ended by itself, with code {code}"));
            };
            replica.keep(ended).await.with_context(|| format!("starting {service}"))
        };
        let kept = self.replicas.iter().map(keep);
        try_join_all(kept).await.map(drop)
    }

    /// Waits until all that is to run is ready.
    pub(crate) async fn until_ready(&self) -> anyhow::Result<()> {
        let ready = async {
            while self.wanted().any(|replica| !replica.is_ready()) {
                sleep(Duration::from_millis(100)).await;
            }
        };
        if timeout(BOUND, ready).await.is_err() {
            let late = self.wanted().filter(|it| !it.is_ready());
            let late: Vec<_> = late.map(|it| format!("{} {}", it.service, it.number)).collect();
            bail!("not ready within {BOUND:?}: {}", late.join(", "));
        }
        Ok(())
    }

    /// The replicas that are to run.
    pub(crate) fn wanted(&self) -> impl Iterator<Item = &Replica> {
        self.replicas.iter().filter(|replica| replica.is_wanted())
    }

    /// One replica of a service; the one beyond the usual ones is the double.
    pub(crate) fn replica(&self, service: Service, number: usize) -> &Replica {
        let found = self.replicas.iter().find(|it| it.service == service && it.number == number);
        found.expect("every service has all of its replicas")
    }

    /// The line on which a service reaches the broker.
    pub(crate) fn line(&self, service: Service) -> &Proxy {
        &self.lines[&service]
    }

    /// All lines to the broker.
    pub(crate) fn lines(&self) -> impl Iterator<Item = &Proxy> {
        self.lines.values()
    }

    /// A ready replica of a service, by turns.
    pub(crate) fn asked(&self, service: Service) -> Option<&Client> {
        let of_service = |it: &&Replica| it.service == service && it.is_ready();
        let ready: Vec<_> = self.replicas.iter().filter(of_service).collect();
        let turn = self.turns.fetch_add(1, Ordering::Relaxed).checked_rem(ready.len())?;
        Some(ready[turn].http())
    }

    /// Lets all services end in good order.
    pub(crate) async fn close(&self) {
        let retired = join_all(self.wanted().map(async |replica| {
            let code = replica.retire().await;
            (replica.service, replica.number, code)
        }));
        for (service, number, code) in retired.await {
            if code != Some(0) {
                self.violated(format!("{service} {number} did not end well: code {code:?}"));
            }
        }
    }

    /// Something was otherwise than promised.
    pub(crate) fn violated(&self, what: impl Into<String>) {
        let what = what.into();
        say(format_args!("VIOLATION {what}"));
        self.violations.lock().unwrap_or_else(PoisonError::into_inner).push(what);
    }

    /// Everything that was otherwise than promised.
    pub(crate) fn violations(&self) -> Vec<String> {
        self.violations.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }
}
