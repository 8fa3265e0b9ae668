//! The payment service with everything around it.

use std::time::Duration;

use aws_lc_rs::hmac::{HMAC_SHA256, Key, sign};
use common::Clock;
use common::config::ServiceConfig;
use common::service::Running;
use contracts::auth::Role;
use contracts::order::PaymentDue;
use contracts::{Currency, Money, OrderId, PaymentId, Timestamp, UserId};
use mongodb::Collection;
use mongodb::bson::{Document, doc};
use mongodb::options::{CollectionOptions, ReadConcern};
use payment::Config;
use payment::config::{Capture, ProviderName};
use payment::provider::{SandboxConfig, StripeConfig};
use serde_json::{Value, json};
use testkit::{Answer, Client, Peer, World, eventually, ports};

pub(crate) const SOON: Duration = Duration::from_secs(20);
pub(crate) const AMOUNT: i64 = 2500;
const SECRET: &str = "only-for-tests";

/// One or more replicas of the payment service, and what they stand on.
pub(crate) struct Shop {
    pub(crate) peer: Peer,
    pub(crate) clock: Clock,
    pub(crate) replicas: Vec<Running>,
    pub(crate) config: Config,
    pub(crate) alice: UserId,
    to_pay: Duration,
    token: String,
    mongo: mongodb::Client,
    /// Ends with the shop.
    _world: World,
}

/// How the service is set up.
pub(crate) struct Setup {
    pub(crate) replicas: usize,
    pub(crate) clock: Clock,
    pub(crate) provider_timeout: Duration,
    pub(crate) webhook_url: Option<String>,
    /// How long orders wait for their money.
    pub(crate) to_pay: Duration,
    pub(crate) capture: Capture,
    pub(crate) provider: ProviderName,
    pub(crate) stripe: StripeConfig,
}

impl Default for Setup {
    fn default() -> Self {
        Self {
            replicas: 1,
            clock: Clock::system(),
            provider_timeout: Duration::from_millis(500),
            webhook_url: None,
            to_pay: Duration::from_mins(15),
            capture: Capture::AtOnce,
            provider: ProviderName::Sandbox,
            stripe: StripeConfig::default(),
        }
    }
}

impl Shop {
    pub(crate) async fn open() -> Self {
        Self::with(Setup::default()).await
    }

    pub(crate) async fn with(setup: Setup) -> Self {
        let world = World::start().await;
        let config = config(&setup, &world);
        let alice = UserId::from_uuid(Clock::system().uuid());
        let peer = Peer::join(&world).await;
        let mut shop = Self {
            token: peer.token(alice, Role::Shopper),
            peer,
            clock: setup.clock,
            replicas: Vec::new(),
            config,
            alice,
            to_pay: setup.to_pay,
            mongo: mongodb::Client::with_uri_str(world.mongo_uri()).await.unwrap(),
            _world: world,
        };
        for _ in 0..setup.replicas {
            shop.start_replica().await;
        }
        shop.peer.tell_keys().await;
        shop
    }

    pub(crate) async fn start_replica(&mut self) {
        let mut config = self.config.clone();
        // The sandbox sends its webhooks to the port of the configuration.
        config.service.http.set_port(ports::free());
        let service = Box::pin(payment::start(config)).await.unwrap();
        self.replicas.push(service.run_in_background().await.unwrap());
    }

    /// The one replica, or one of several.
    pub(crate) fn nobody(&self) -> Client {
        self.at(0)
    }

    pub(crate) fn at(&self, replica: usize) -> Client {
        Client::at(format!("http://{}", self.replicas[replica].http))
    }

    /// Asks as Alice, who buys.
    pub(crate) fn alice(&self) -> Client {
        self.nobody().with_token(&self.token)
    }

    pub(crate) fn alice_at(&self, replica: usize) -> Client {
        self.at(replica).with_token(&self.token)
    }

    pub(crate) fn anyone(&self, person: UserId, role: Role) -> Client {
        self.nobody().with_token(self.peer.token(person, role))
    }

    pub(crate) fn staff(&self) -> Client {
        self.anyone(UserId::from_uuid(Clock::system().uuid()), Role::Staff)
    }

    pub(crate) fn now(&self) -> Timestamp {
        self.clock.now()
    }

    /// Alice's order waits for its money, and the payment service knows.
    pub(crate) async fn order(&self) -> OrderId {
        let order = fresh_order();
        self.peer.tell(&self.due(order)).await;
        self.knows(order).await;
        order
    }

    pub(crate) fn due(&self, order_id: OrderId) -> PaymentDue {
        let (amount, pay_by) = (eur(AMOUNT), self.now().plus(self.to_pay));
        PaymentDue { order_id, customer: self.alice, amount, pay_by }
    }

    pub(crate) async fn knows(&self, order: OrderId) {
        let due =
            doc! { "_id": PaymentId::of(order).to_string(), "due.amount": { "$exists": true } };
        self.holds("payments", due).await;
    }

    /// Waits until a collection holds this.
    pub(crate) async fn holds(&self, collection: &str, filter: Document) -> Document {
        eventually(&format!("{collection} holds {filter}"), SOON, async || {
            self.collection(collection).find_one(filter.clone()).await.unwrap()
        })
        .await
    }

    pub(crate) fn collection(&self, name: &str) -> Collection<Document> {
        let database = self.config.service.database.as_deref().unwrap();
        // What the service reads is on a majority; what a test sees has to be there already.
        let majority = CollectionOptions::builder().read_concern(ReadConcern::majority()).build();
        self.mongo.database(database).collection_with_options(name, majority)
    }

    pub(crate) async fn count(&self, collection: &str, filter: Document) -> u64 {
        self.collection(collection).count_documents(filter).await.unwrap()
    }

    /// How often the sandbox took money for an order.
    pub(crate) async fn charges(&self, order: OrderId) -> u64 {
        let taken = doc! { "payment": PaymentId::of(order).to_string(), "standing": "captured" };
        self.count("sandbox_charges", taken).await
    }

    /// The attempts at an order's payment, as they are stored.
    pub(crate) async fn attempts(&self, order: OrderId) -> Vec<Document> {
        let id = doc! { "_id": PaymentId::of(order).to_string() };
        let payment = self.collection("payments").find_one(id).await.unwrap().unwrap();
        let attempts = payment.get_array("attempts").unwrap().iter();
        attempts.map(|attempt| attempt.as_document().unwrap().clone()).collect()
    }

    /// The id of the attempt that was begun last, as soon as there is one.
    pub(crate) async fn attempt(&self, order: OrderId) -> String {
        eventually("an attempt is begun", SOON, async || {
            let attempts = self.attempts(order).await;
            attempts.last().map(|attempt| attempt.get_str("id").unwrap().to_owned())
        })
        .await
    }

    /// Waits until Alice sees this status.
    pub(crate) async fn until(&self, order: OrderId, status: &str) -> Answer {
        eventually(&format!("the payment is {status}"), SOON, async || {
            Some(self.read(order).await).filter(|payment| payment["status"] == status)
        })
        .await
    }

    pub(crate) async fn read(&self, order: OrderId) -> Answer {
        self.alice().get(format!("/api/payments/{}", PaymentId::of(order))).await
    }

    /// What the ledger says the provider holds for an order; both accounts sum to nothing.
    pub(crate) async fn entered(&self, order: OrderId) -> i64 {
        let of_it = doc! { "payment_id": PaymentId::of(order).to_string() };
        let mut entries = self.collection("ledger").find(of_it).await.unwrap();
        let (mut all, mut clearing) = (0, 0);
        while entries.advance().await.unwrap() {
            let entry = entries.deserialize_current().unwrap();
            let amount = entry.get_document("amount").unwrap().get_i64("amount").unwrap();
            all += amount;
            if entry.get_str("account").unwrap() == "provider_clearing" {
                clearing += amount;
            }
        }
        assert_eq!(all, 0);
        clearing
    }

    /// Sends a webhook as the sandbox would.
    pub(crate) async fn webhook(&self, body: &Value) -> Answer {
        let body = body.to_string();
        let signature = signature(&body, self.now());
        self.send_webhook(&body, &signature).await
    }

    pub(crate) async fn send_webhook(&self, body: &str, signature: &str) -> Answer {
        self.nobody()
            .post("/api/payments/webhooks/sandbox")
            .body(body)
            .header("souk-sandbox-signature", signature)
            .await
    }
}

fn config(setup: &Setup, world: &World) -> Config {
    let (uri, nats) = (world.mongo_uri(), world.nats().url());
    let service = ServiceConfig::for_tests(uri, &world.database("payment"), &nats);
    let webhook_url = setup.webhook_url.clone();
    Config {
        service: ServiceConfig { clock: setup.clock.clone(), ..service },
        provider: setup.provider,
        capture: setup.capture,
        provider_timeout: setup.provider_timeout,
        sandbox: SandboxConfig { allow: true, webhook_url, webhook_secret: Some(SECRET.into()) },
        stripe: setup.stripe.clone(),
    }
}

/// Asks to pay.
pub(crate) fn pay(client: &Client, order: OrderId, method: &str, key: &str) -> testkit::Request {
    client.post("/api/payments").json(&json!({ "order_id": order, "method": method })).key(key)
}

/// A webhook that tells of a capture.
pub(crate) fn captured(id: &str, order: OrderId, attempt: &str) -> Value {
    let reference = attempt.replace("att_", "ch_");
    json!({
        "id": id, "type": "charge.captured", "attempt_id": attempt,
        "payment_id": PaymentId::of(order), "reference": reference, "amount": eur(AMOUNT),
    })
}

pub(crate) fn signature(body: &str, at: Timestamp) -> String {
    let seconds = at.as_millis() / 1000;
    let key = Key::new(HMAC_SHA256, SECRET.as_bytes());
    let tag = sign(&key, format!("{seconds}.{body}").as_bytes());
    let hex: Vec<String> = tag.as_ref().iter().map(|byte| format!("{byte:02x}")).collect();
    format!("t={seconds},v1={}", hex.concat())
}

pub(crate) fn fresh_order() -> OrderId {
    OrderId::from_uuid(Clock::system().uuid())
}

pub(crate) fn eur(amount: i64) -> Money {
    Money::new(amount, Currency::EUR)
}
