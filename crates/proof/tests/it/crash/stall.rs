//! A shop that outlives many deaths.

use std::collections::BTreeMap;
use std::time::{Duration, Instant};

use async_nats::jetstream;
use auditor::{Bounds, Sources, Violation, audit};
use common::crash::Point;
use mongodb::Database;
use serde_json::Value;
use testkit::fleet::{Options, Service};
use testkit::{Answer, Client, Fleet, Request, Shopper, Staff, World, eventually};
use tokio::sync::Mutex;

/// Longer than any saga takes, even on a busy machine.
pub(super) const SOON: Duration = Duration::from_mins(2);

/// Shorter than a token is good, by more than a saga takes.
const SIGNED_IN: Duration = Duration::from_mins(2);

/// By then everybody has heard everything.
const AUDITED: Duration = Duration::from_secs(45);

/// How often each service came by each point.
pub(super) type Passes = BTreeMap<(Service, Point), u64>;

/// On which terms a shop sells.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Terms {
    /// Money is taken at once.
    AtOnce,
    /// Money is taken when the goods leave.
    AtShipping,
    /// Nobody has time to pay.
    Hasty,
}

impl Terms {
    /// What the services are told.
    fn options(self) -> Options {
        let everywhere = [("SOUK_CRASH_AT", "nowhere"), ("SOUK_EVENT_WORD", "2s")];
        let mut options = Options::default();
        for service in Service::ALL {
            for (name, value) in everywhere {
                options = options.env(service, name, value);
            }
        }
        let own: &[(Service, &str, &str)] = match self {
            Self::AtOnce => &[],
            Self::AtShipping => &[(Service::Payment, "SOUK_CAPTURE", "at_shipping")],
            Self::Hasty => &[
                (Service::Order, "SOUK_PAY_BY", "2s"),
                (Service::Order, "SOUK_PAY_EXTENSION", "1s"),
            ],
        };
        let secret = (Service::Payment, "SOUK_SANDBOX_WEBHOOK_SECRET", WEBHOOK_SECRET);
        let own = own.iter().chain([&secret]);
        own.fold(options, |options, &(service, name, value)| options.env(service, name, value))
    }
}

/// A shop on some terms, and those who mind it.
pub(super) struct Stall {
    pub(super) fleet: Fleet,
    pub(super) client: Client,
    /// Who minds it, since they signed in last.
    staff: Mutex<(Instant, Client)>,
    pub(super) jetstream: jetstream::Context,
    databases: mongodb::Client,
    sources: Sources,
    /// What the auditor found before: each saga answers for what is new.
    found: Mutex<Vec<Violation>>,
    _world: World,
}

/// What the sandbox signs its webhooks with.
pub(super) const WEBHOOK_SECRET: &str = "what only the sandbox knows";

impl Stall {
    pub(super) async fn open(terms: Terms) -> Self {
        let world = World::start().await;
        let fleet = Fleet::start(&world, terms.options()).await;
        let client = fleet.client();
        let staff = Mutex::new((Instant::now(), Staff::sign_in(&client).await.client));
        let bus = async_nats::connect(world.nats().url()).await.unwrap();
        let databases = mongodb::Client::with_uri_str(world.mongo_uri()).await.unwrap();
        let jetstream = jetstream::new(bus);
        let sources = Sources::on(world.mongo_uri(), &world.nats().url(), |name| {
            let service = Service::ALL.into_iter().find(|service| service.name() == name);
            fleet.database(service.unwrap())
        });
        let found = Mutex::default();
        Self { fleet, client, staff, jetstream, databases, sources, found, _world: world }
    }

    /// Who minds it; they sign in again while all services run.
    pub(super) async fn staff(&self) -> Client {
        let mut staff = self.staff.lock().await;
        if staff.0.elapsed() > SIGNED_IN {
            *staff = (Instant::now(), Staff::sign_in(&self.client).await.client);
        }
        staff.1.clone()
    }

    /// What a service keeps.
    pub(super) fn database(&self, service: Service) -> Database {
        self.databases.database(&self.fleet.database(service))
    }

    /// Waits until an auditor finds nothing wrong, now that nobody does anything.
    pub(super) async fn is_in_order(&self) {
        let (mut found, began) = (self.found.lock().await, Instant::now());
        eventually("an audit", 2 * AUDITED, async || {
            let report = audit(&self.sources, Bounds::quiet()).await.unwrap();
            let new = report.violations().iter().filter(|violation| !found.contains(violation));
            let new: Vec<_> = new.cloned().collect();
            if began.elapsed() > AUDITED && !new.is_empty() {
                found.extend(new.clone());
                panic!("{new:?}");
            }
            new.is_empty().then_some(())
        })
        .await;
    }

    /// How often everybody came by each point since they were started.
    pub(super) async fn passes(&self) -> Passes {
        let mut passes = Passes::new();
        for service in Service::ALL {
            let metrics = self.fleet.ops(service, 0).get("/metrics").await.ok().text;
            for (point, times) in metrics.lines().filter_map(passed) {
                passes.insert((service, point), times);
            }
        }
        passes
    }

    /// Waits until an order stands so; several may do.
    pub(super) async fn until(&self, shopper: &Shopper, order: &str, any_of: &[&str]) -> Value {
        let what = format!("order {order} is one of {any_of:?}");
        let statuses = any_of.join(",");
        eventually(&what, SOON, async || {
            let asked = shopper.client.get(format!("/api/orders/{order}?wait=1s&until={statuses}"));
            let asked = asked.send();
            let answer = asked.await.ok()?;
            any_of.iter().any(|status| answer["status"] == *status).then_some(answer.body)
        })
        .await
    }

    /// How many dead letters there are.
    pub(super) async fn dead_letters(&self) -> u64 {
        let mut dead = self.jetstream.get_stream("DEAD").await.unwrap();
        dead.info().await.unwrap().state.messages
    }
}

/// A point, and how often it was passed, in a line of metrics.
fn passed(line: &str) -> Option<(Point, u64)> {
    let (point, times) =
        line.strip_prefix("souk_crash_points_total{point=\"")?.split_once("\"} ")?;
    Some((point.parse().ok()?, times.parse().ok()?))
}

/// What came of asking until it was done: whoever is away is asked again, with the same words.
pub(super) async fn done(request: &Request) -> Answer {
    answered(request, Answer::is_ok).await
}

/// The same, where it may also be too late for it (409).
pub(super) async fn decided(request: &Request) -> Answer {
    answered(request, |answer| answer.is_ok() || answer.status == 409).await
}

async fn answered(request: &Request, is_final: impl Fn(&Answer) -> bool) -> Answer {
    let began = Instant::now();
    eventually(&format!("{request:?}"), 2 * SOON, async || match request.clone().send().await {
        Ok(answer) if is_final(&answer) => Some(answer),
        other => {
            assert!(began.elapsed() < SOON, "{other:?}");
            None
        }
    })
    .await
}
