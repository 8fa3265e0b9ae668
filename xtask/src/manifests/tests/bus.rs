//! The bus with the rights of a cluster, on a real server.

use std::time::Duration;

use async_nats::jetstream::consumer::{Info, PullConsumer, pull};
use async_nats::jetstream::stream::{Config, Republish};
use async_nats::jetstream::{self, Context};
use async_nats::{Client, ConnectOptions};
use futures_util::TryStreamExt as _;
use testkit::fleet::{Options, Service};
use testkit::process::{Process, Spec};
use testkit::{Fleet, Shopper, Staff, World, eventually};
use tokio::sync::mpsc::{UnboundedReceiver, unbounded_channel};
use tokio::time::timeout;

use super::rights::{Heard, Kind, written};
use super::*;

const RIGHTS: &str = "infra/k8s/base/nats/rights.conf";
const SOON: Duration = Duration::from_secs(10);

/// A world whose bus asks who one is, as in a cluster; the password is the name.
struct Guarded {
    world: World,
    databases: [(Service, String); 5],
}

impl Guarded {
    /// Starts it; what the services hear is declared with the rights to do so.
    async fn start() -> Self {
        let rights = std::fs::read_to_string(root().join(RIGHTS)).unwrap();
        let users = Service::ALL.map(Service::name).into_iter().chain(["declare", "auditor"]);
        let rights = users.fold(rights, |rights, user| {
            let variable = format!("password: ${}\n", user.to_uppercase());
            rights.replace(&variable, &format!("password: {user}\n"))
        });
        let world = World::start_with_nats(&rights).await;
        let databases = Service::ALL.map(|service| (service, world.database(service.name())));
        let guarded = Self { world, databases };
        for (service, database) in &guarded.databases {
            guarded.declare(*service, database).await;
        }
        guarded
    }

    async fn declare(&self, service: Service, database: &str) {
        let (code, said) = self.act("declare", service, database, &["--declare"]).await;
        assert_eq!(code, 0, "{said}");
    }

    /// Starts a service for one act with the rights of a user; gives its exit code and what it said.
    async fn act(
        &self,
        user: &str,
        service: Service,
        database: &str,
        act: &[&str],
    ) -> (i32, String) {
        let log = self.world.dir().join(format!("{service}{}.log", act.concat()));
        let spec = Spec::new(programs().join(service.name()))
            .args(act)
            .env("MONGODB_URI", self.world.mongo_uri())
            .env("SOUK_DATABASE", database)
            .env("NATS_URL", self.world.nats().url())
            .env("NATS_USER", user)
            .env("NATS_PASSWORD", user)
            .log(&log);
        let code = Process::start(&spec).unwrap().wait().await;
        (code, std::fs::read_to_string(log).unwrap())
    }

    /// Goes through what order gave up, with the rights of order.
    async fn redrive(&self, flags: &[&str]) -> (i32, String) {
        let of_order = |(service, _): &&(Service, String)| service.name() == "order";
        let (service, database) = self.databases.iter().find(of_order).unwrap();
        self.act("order", *service, database, &[&["redrive"], flags].concat()).await
    }

    /// The fleet, each service with no more than its own rights.
    async fn fleet(&self) -> Fleet {
        let databases = self.databases.iter();
        let options = databases.fold(Options::default(), |options, (service, database)| {
            options
                .env(*service, "NATS_USER", service.name())
                .env(*service, "NATS_PASSWORD", service.name())
                .env(*service, "SOUK_DECLARE_AT_START", "false")
                .env(*service, "SOUK_DATABASE", database)
        });
        Fleet::start(&self.world, options).await
    }

    /// Looks at everything with the rights of the auditor; gives its exit code.
    async fn audit(&self) -> i32 {
        let databases = self.databases.iter();
        let databases = databases.flat_map(|(service, database)| {
            ["--database".to_owned(), format!("{service}={database}")]
        });
        let log = self.world.dir().join("audit.log");
        let spec = Spec::new(programs().join("auditor"))
            .arg("--quiet")
            .args(databases)
            .env("MONGODB_URI", self.world.mongo_uri())
            .env("NATS_URL", self.world.nats().url())
            .env("NATS_USER", "auditor")
            .env("NATS_PASSWORD", "auditor")
            .log(log.clone());
        let code = Process::start(&spec).unwrap().wait().await;
        if code != 0 {
            println!("{}", std::fs::read_to_string(log).unwrap());
        }
        code
    }

    /// Somebody who has the password of a user and speaks as this service, and what the server
    /// tells them.
    async fn user(&self, user: &str, service: &str) -> (Client, UnboundedReceiver<String>) {
        let (told, refusals) = unbounded_channel();
        let client = ConnectOptions::new()
            .user_and_password(user.to_owned(), user.to_owned())
            .custom_inbox_prefix(format!("_INBOX_{service}"))
            .event_callback(move |event| {
                let told = told.clone();
                async move {
                    // Nobody may listen any more.
                    let _ = told.send(event.to_string());
                }
            })
            .connect(self.world.nats().url());
        (client.await.unwrap(), refusals)
    }
}

/// All consumers by which a running fleet hears; dead letters are taken by hand.
async fn heard(jetstream: &Context) -> Vec<Heard> {
    let mut heard = vec![];
    let names: Vec<String> = jetstream.stream_names().try_collect().await.unwrap();
    for name in names.into_iter().filter(|name| name != "DEAD") {
        let stream = jetstream.get_stream(&name).await.unwrap();
        let consumers: Vec<Info> = stream.consumers().try_collect().await.unwrap();
        heard.extend(consumers.into_iter().map(|consumer| Heard::from(&name, consumer)));
    }
    heard.sort_by(|a, b| (&a.stream, &a.filters).cmp(&(&b.stream, &b.filters)));
    heard
}

impl Heard {
    fn from(stream: &str, consumer: Info) -> Self {
        let (name, config) = (consumer.name, consumer.config);
        let owner = Service::ALL.into_iter().find(|it| name.starts_with(&format!("{it}-")));
        let owner = owner.unwrap_or_else(|| panic!("{name} is nobody's")).name();
        let kind = if config.durable_name.is_none() {
            Kind::Broadcast
        } else if is_drawn(&name) {
            Kind::Drawn
        } else {
            Kind::Work(name)
        };
        let mut filters = config.filter_subjects;
        filters.extend(Some(config.filter_subject).filter(|filter| !filter.is_empty()));
        Self { service: owner, stream: stream.to_owned(), kind, filters }
    }
}

/// Whether a name ends with the generation of a database.
fn is_drawn(name: &str) -> bool {
    let (_, end) = name.rsplit_once('-').unwrap_or_default();
    end.len() == 12 && end.chars().all(|it| it.is_ascii_hexdigit())
}

#[tokio::test]
async fn the_rights_on_the_bus_are_those_that_the_services_need() {
    let world = World::start().await;
    let _fleet = Fleet::start(&world, Options::default()).await;
    let jetstream = jetstream::new(async_nats::connect(world.nats().url()).await.unwrap());

    let needed = written(&heard(&jetstream).await);

    let file = root().join(RIGHTS);
    if std::env::var_os("SOUK_BLESS").is_some() {
        std::fs::write(&file, &needed).unwrap();
    }
    let given = std::fs::read_to_string(file).unwrap();
    let advice = "SOUK_BLESS=1 cargo test -p xtask rights";
    assert!(given == needed, "{RIGHTS} is stale; `{advice}` writes it anew");
}

#[tokio::test]
async fn the_fleet_lives_with_its_rights_on_the_bus() {
    let guarded = Guarded::start().await;
    let fleet = guarded.fleet().await;
    let staff = Staff::sign_in(&fleet.client()).await;
    staff.sells("Mug", &[("MUG", 1250, 3)]).await;
    let shopper = Shopper::guest(&fleet.client()).await;

    let order = shopper.buys("MUG", 2, "pm_card_visa").await;

    assert_eq!(order["status"], "paid");
    eventually("an audit that finds nothing", 6 * SOON, async || {
        (guarded.audit().await == 0).then_some(())
    })
    .await;
}

/// What somebody could try who took a service over.
#[tokio::test]
async fn a_service_cannot_speak_for_another() {
    let guarded = Guarded::start().await;
    let declared = jetstream::new(guarded.user("declare", "cart").await.0);
    let cart = jetstream::new(guarded.user("cart", "cart").await.0);
    let before = declared.get_stream("CART").await.unwrap().cached_info().config.clone();
    let republish = Republish {
        source: ">".to_owned(),
        destination: "payment.captured.v1.ord_1".to_owned(),
        headers_only: false,
    };

    let forged = Config { republish: Some(republish), ..before.clone() };
    assert!(cart.update_stream(forged).await.is_err());
    let told = cart.publish("payment.captured.v1.ord_1", "{}".into()).await.unwrap();
    assert!(told.await.is_err());

    let after = declared.get_stream("CART").await.unwrap().cached_info().config.clone();
    assert_eq!(after, before);
    let payments = declared.get_stream("PAYMENT").await.unwrap();
    assert_eq!(payments.cached_info().state.messages, 0);
}

/// The server checks the subject that a user publishes to, and not the one that it names for the
/// acknowledgement: that takes the place of another service's last state.
#[tokio::test]
async fn evicted_states_are_back_within_a_minute() {
    const MINUTE: Duration = Duration::from_mins(1);
    let guarded = Guarded::start().await;
    let fleet = guarded.fleet().await;
    let staff = Staff::sign_in(&fleet.client()).await;
    staff.sells("Mug", &[("MUG", 1250, 3)]).await;
    let auditor = jetstream::new(guarded.user("auditor", "auditor").await.0);
    let cart = guarded.user("cart", "cart").await.0;

    for (stream, subject) in
        [("AUTH_STATE", "auth.keys.v1.current"), ("PRODUCT_STATE", "product.stock.v1.MUG")]
    {
        let stream = auditor.get_stream(stream).await.unwrap();
        let is_event = async || {
            let last = stream.get_last_raw_message_by_subject(subject).await.ok()?;
            Some(contracts::Envelope::parse(&last.payload).is_ok())
        };
        eventually("the state is published", SOON, async || is_event().await.filter(|it| *it))
            .await;

        cart.publish_with_reply("cart.checked_out.v1.x", subject, "{}".into()).await.unwrap();
        eventually("the state is evicted", SOON, async || is_event().await.filter(|it| !it)).await;

        eventually("the state is back", MINUTE, async || is_event().await.filter(|it| *it)).await;
    }
}

#[tokio::test]
async fn a_service_cannot_meddle_with_what_others_hear() {
    let guarded = Guarded::start().await;
    let (client, mut refusals) = guarded.user("cart", "cart").await;
    let cart = jetstream::new(client.clone());
    let anothers = pull::Config {
        durable_name: Some("order-revocations".to_owned()),
        filter_subject: "auth.session_revoked.v1.*".to_owned(),
        ..pull::Config::default()
    };

    assert!(cart.create_consumer_on_stream(anothers, "AUTH").await.is_err());
    for consumer in ["order-revocations", "cart-revocations"] {
        assert!(cart.delete_consumer_from_stream(consumer, "AUTH").await.is_err());
    }
    let _listening = client.subscribe("_INBOX_order.>").await.unwrap();
    client.flush().await.unwrap();

    let refused = async {
        while let Some(refusal) = refusals.recv().await {
            if refusal.contains("Subscription to \"_INBOX_order.>\"") {
                return;
            }
        }
    };
    timeout(SOON, refused).await.expect("nobody may listen to answers to order");
}

/// Dead letters hold whole events, and what is handled anew changes a shop.
#[tokio::test]
async fn a_service_cannot_meddle_with_the_dead_letters_of_others() {
    let guarded = Guarded::start().await;
    let cart = jetstream::new(guarded.user("cart", "cart").await.0);
    let order = jetstream::new(guarded.user("order", "order").await.0);
    let told = order.publish("dead.order.order-saga.test", "{}".into()).await.unwrap();
    told.await.unwrap();
    let forwarding = pull::Config {
        durable_name: Some("cart-redrive-2".to_owned()),
        filter_subject: "dead.cart.>".to_owned(),
        ..pull::Config::default()
    };

    let dead = cart.get_stream("DEAD").await.unwrap();
    let (anothers, forwarded, deleted, read, removed, purged) = tokio::join!(
        cart.get_consumer_from_stream::<pull::Config, _, _>("order-redrive", "DEAD"),
        cart.create_consumer_on_stream(forwarding, "DEAD"),
        cart.delete_consumer_from_stream("cart-redrive", "DEAD"),
        dead.get_raw_message(1),
        dead.delete_message(1),
        async { dead.purge().await },
    );

    assert!(anothers.is_err() && forwarded.is_err() && deleted.is_err());
    assert!(read.is_err() && removed.is_err() && purged.is_err());
    assert_eq!(taken(&cart, "cart-redrive").await, 0);
    assert_eq!(taken(&order, "order-redrive").await, 1);
}

#[tokio::test]
async fn a_service_goes_through_its_own_dead_letters() {
    let guarded = Guarded::start().await;
    let order = jetstream::new(guarded.user("order", "order").await.0);
    let told = order.publish("dead.order.order-saga.test", "no event".into()).await.unwrap();
    told.await.unwrap();

    let (listed, list) = guarded.redrive(&["--list"]).await;
    let id = "evt_0190b0e1c7f67c3e9d1a2b3c4d5e6f70";
    let (unknown, refusal) = guarded.redrive(&["--id", id]).await;
    let (failed, why) = guarded.redrive(&["--all"]).await;

    assert!(listed == 0 && list.contains("1 dead"), "{list}");
    assert!(unknown == 1 && refusal.contains(&format!("no dead letter of {id} here")), "{refusal}");
    assert!(failed == 1 && why.contains("1 could not be handled"), "{why}");
    assert!(!list.contains("no event"), "{list}");
}

/// How many letters come by the redrive of a service.
async fn taken(jetstream: &Context, durable: &str) -> usize {
    let durable: PullConsumer = jetstream.get_consumer_from_stream(durable, "DEAD").await.unwrap();
    durable.fetch().messages().await.unwrap().try_collect::<Vec<_>>().await.unwrap().len()
}
