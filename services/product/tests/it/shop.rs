//! A shop of nothing but its product service, and those who deal with it.

use std::time::Duration;

use async_nats::jetstream;
use common::Clock;
use common::config::{Act, Replay, ServiceConfig};
use common::identity::Claims;
use common::service::Running;
use contracts::auth::{Keys, PublicKey, Role};
use contracts::product::Pieces;
use contracts::{
    Envelope, Event, EventId, OrderId, Quantity, SessionId, Timestamp, UserId, order, sequence_text,
};
use jsonwebtoken::EncodingKey;
use mongodb::Collection;
use mongodb::bson::{Document, doc};
use serde_json::{Value, json};
use testkit::{Answer, Client, World, eventually};

/// Longer than anything takes that happens at all.
pub(crate) const SOON: Duration = Duration::from_secs(30);
/// When every test begins.
const MORNING: &str = "2026-01-31T08:00:00Z";
/// An Ed25519 key as RFC 8037 shows it, in PKCS #8, and its public half.
const SECRET: [u8; 48] = [
    0x30, 0x2e, 0x02, 0x01, 0x00, 0x30, 0x05, 0x06, 0x03, 0x2b, 0x65, 0x70, 0x04, 0x22, 0x04, 0x20,
    0x9d, 0x61, 0xb1, 0x9d, 0xef, 0xfd, 0x5a, 0x60, 0xba, 0x84, 0x4a, 0xf4, 0x92, 0xec, 0x2c, 0xc4,
    0x44, 0x49, 0xc5, 0x69, 0x7b, 0x32, 0x69, 0x19, 0x70, 0x3b, 0xac, 0x03, 0x1c, 0xae, 0x7f, 0x60,
];
const PUBLIC: &str = "11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo";

/// The replicas of the service and what they stand on.
pub(crate) struct Shop {
    replicas: Vec<Running>,
    config: product::Config,
    jetstream: jetstream::Context,
    pub(crate) clock: Clock,
    world: World,
}

impl Shop {
    /// Opens with one replica.
    pub(crate) async fn open() -> Self {
        Self::with_replicas(1).await
    }

    /// Opens with several replicas of one database.
    pub(crate) async fn with_replicas(replicas: usize) -> Self {
        Self::grouping(replicas, 64).await
    }

    /// The same; one commit takes so many changes at most.
    pub(crate) async fn grouping(replicas: usize, group_commit: usize) -> Self {
        let world = World::start().await;
        let clock = Clock::manual(MORNING.parse().unwrap());
        let service = ServiceConfig {
            clock: clock.clone(),
            group_commit,
            ..ServiceConfig::for_tests(
                world.mongo_uri(),
                &world.database("product"),
                &world.nats().url(),
            )
        };
        let reservation_alarm = Duration::from_secs(1);
        let config = product::Config { service, reservation_alarm };
        let mut running = Vec::new();
        for _ in 0..replicas {
            let service = product::start(config.clone()).await.unwrap();
            service.identity().install(&keys(clock.now()), 1);
            running.push(service.run_in_background().await.unwrap());
        }
        let client = async_nats::connect(world.nats().url()).await.unwrap();
        let jetstream = jetstream::new(client);
        Self { replicas: running, config, jetstream, clock, world }
    }

    /// One who shows no token.
    pub(crate) fn anyone(&self) -> Client {
        self.at(0)
    }

    /// One who minds the shop.
    pub(crate) fn staff(&self) -> Client {
        self.staff_at(0)
    }

    /// One who minds the shop and asks this replica.
    pub(crate) fn staff_at(&self, replica: usize) -> Client {
        self.at(replica).with_token(self.token(Role::Staff))
    }

    /// One who buys.
    pub(crate) fn shopper(&self) -> Client {
        self.at(0).with_token(self.token(Role::Shopper))
    }

    fn at(&self, replica: usize) -> Client {
        Client::at(format!("http://{}", self.replicas[replica].http))
    }

    fn token(&self, role: Role) -> String {
        let (person, session) =
            (UserId::from_uuid(self.clock.uuid()), SessionId::from_uuid(self.clock.uuid()));
        let claims = Claims::new(person, session, role, self.clock.now());
        claims.signed("test", &EncodingKey::from_ed_der(&SECRET)).unwrap()
    }

    /// Puts a product on sale.
    pub(crate) async fn sells(&self, product: &Value) -> Answer {
        self.staff().post("/api/products").json(product).await.status(201)
    }

    /// Puts a product on sale in variants of `(sku, pieces on hand)`.
    pub(crate) async fn stocks(&self, variants: &[(&str, u32)]) -> Answer {
        let variants: Vec<_> =
            variants.iter().map(|(sku, on_hand)| variant(sku, 1000, *on_hand)).collect();
        self.sells(&json!({"title": "Goods", "variants": variants})).await
    }

    /// How many pieces of a product's variant can be bought.
    pub(crate) async fn available(&self, product: &str, sku: &str) -> u64 {
        let product = self.anyone().get(format!("/api/products/{product}")).await.ok();
        let variants = product["variants"].as_array().unwrap();
        let variant = variants.iter().find(|variant| variant["sku"] == sku).unwrap();
        variant["available"].as_u64().unwrap()
    }

    /// The whole stock ledger of a product, the first movement first.
    pub(crate) async fn ledger(&self, product: &str) -> Vec<Value> {
        let mut movements =
            self.pages(&format!("/api/products/{product}/stock/ledger?limit=7")).await;
        movements.reverse();
        movements
    }

    /// All items of a list that staff may read, page by page.
    pub(crate) async fn pages(&self, path: &str) -> Vec<Value> {
        let (mut items, mut next) = (Vec::new(), path.to_owned());
        loop {
            let page = self.staff().get(next).await.ok();
            items.extend(page["items"].as_array().unwrap().iter().cloned());
            let Some(cursor) = page["next_cursor"].as_str() else { return items };
            next = format!("{path}&cursor={cursor}");
        }
    }

    /// An order id of its own.
    pub(crate) fn order(&self) -> OrderId {
        OrderId::from_uuid(self.clock.uuid())
    }

    /// An order wants goods set aside.
    pub(crate) async fn placed(&self, order_id: OrderId, round: u32, lines: &[Pieces]) {
        self.tell(&order::Placed { order_id, round, lines: lines.to_vec(), customer: None }).await;
    }

    /// An order is paid.
    pub(crate) async fn paid(&self, order_id: OrderId, lines: &[Pieces]) {
        let payment_id = contracts::PaymentId::of(order_id);
        self.tell(&order::Paid { order_id, payment_id, lines: lines.to_vec() }).await;
    }

    /// An order was not paid in time.
    pub(crate) async fn expired(&self, order_id: OrderId, round: u32, lines: &[Pieces]) {
        self.tell(&order::Expired { order_id, round, lines: lines.to_vec() }).await;
    }

    /// An order is given up.
    pub(crate) async fn cancelled(&self, order_id: OrderId, lines: &[Pieces]) {
        self.cancelled_without(order_id, lines, &[]).await;
    }

    /// The same, and of its pieces these are lost.
    pub(crate) async fn cancelled_without(
        &self,
        order_id: OrderId,
        lines: &[Pieces],
        lost: &[Pieces],
    ) {
        let (reason, lines, lost) = (order::CancelReason::Customer, lines.to_vec(), lost.to_vec());
        self.tell(&order::Cancelled { order_id, reason, lines, lost, customer: None }).await;
    }

    /// Tells an event as another service would.
    pub(crate) async fn tell<E: Event>(&self, event: &E) {
        self.tell_as(EventId::from_uuid(self.clock.uuid()), event).await;
    }

    /// Tells an event under an id, as when it is told again.
    pub(crate) async fn tell_as<E: Event>(&self, id: EventId, event: &E) {
        let envelope = Envelope {
            specversion: "1.0".into(),
            id,
            source: format!("/souk/{}", E::TYPE.publisher),
            event_type: E::TYPE.type_name(),
            subject: event.subject(),
            time: self.clock.now(),
            datacontenttype: "application/json".into(),
            sequence: sequence_text(1),
            correlationid: "test".into(),
            causationid: "test".into(),
            traceparent: None,
            data: serde_json::value::to_raw_value(event).unwrap(),
        };
        let payload = serde_json::to_vec(&envelope).unwrap();
        let subject = E::TYPE.subject(&event.subject());
        self.jetstream.publish(subject, payload.into()).await.unwrap().await.unwrap();
    }

    /// Waits until everything told by orders is handled, and its outcome told.
    pub(crate) async fn settled(&self) {
        eventually("orders are heard", SOON, async || {
            let stream = self.jetstream.get_stream("ORDER").await.ok()?;
            let durable: jetstream::consumer::PullConsumer =
                stream.get_consumer("product-saga").await.ok()?;
            let info = durable.cached_info();
            (info.num_pending == 0 && info.num_ack_pending == 0).then_some(())
        })
        .await;
        eventually("everything is told", SOON, async || {
            let ops = Client::at(format!("http://{}", self.replicas[0].ops));
            let health = ops.get("/health").await;
            let outbox = &health["outbox"];
            (outbox["ok"] == true && outbox["oldest"].is_null()).then_some(())
        })
        .await;
    }

    /// Everything told of a type, in order.
    pub(crate) async fn told<E: Event>(&self) -> Vec<E> {
        let stream = self.jetstream.get_stream(E::TYPE.stream()).await.unwrap();
        let state = stream.cached_info().state.clone();
        let mut told = Vec::new();
        for sequence in state.first_sequence..=state.last_sequence {
            let Ok(message) = stream.get_raw_message(sequence).await else { continue };
            let envelope = Envelope::parse(&message.payload).unwrap();
            told.extend(envelope.open::<E>().ok());
        }
        told
    }

    /// Waits until so many events of a type are told, and gives all of them.
    pub(crate) async fn hears<E: Event>(&self, count: usize) -> Vec<E> {
        let what = format!("{count} of {}", E::TYPE.type_name());
        eventually(&what, SOON, async || {
            Some(self.told::<E>().await).filter(|told| told.len() >= count)
        })
        .await
    }

    /// The broker loses all that it was told, and an operator has state told again.
    pub(crate) async fn loses_its_memory(&self) {
        self.world.nats().wipe().await.unwrap();
        let act = Some(Act::Replay(Replay { since: None, state: true }));
        let service = ServiceConfig { act, ..self.config.service.clone() };
        let config = product::Config { service, ..self.config.clone() };
        product::start(config).await.unwrap().run().await.unwrap();
    }

    /// Rewrites a field of a stored product, as an earlier version may have stored it.
    pub(crate) async fn rewrite(&self, id: &str, field: &str, value: &str) {
        let products = self.collection("products").await;
        let change = doc! { "$set": { field: value } };
        let rewritten = products.update_one(doc! { "_id": id }, change).await.unwrap();
        assert_eq!(rewritten.modified_count, 1);
    }

    /// What the service keeps under this name.
    pub(crate) async fn collection(&self, name: &str) -> Collection<Document> {
        let client = mongodb::Client::with_uri_str(self.world.mongo_uri()).await.unwrap();
        let database = client.database(self.config.service.database.as_deref().unwrap());
        database.collection(name)
    }

    /// A further replica starts, as after an upgrade.
    pub(crate) async fn joined(&mut self) {
        let service = product::start(self.config.clone()).await.unwrap();
        service.identity().install(&keys(self.clock.now()), 1);
        self.replicas.push(service.run_in_background().await.unwrap());
    }

    /// What rests among the dead letters.
    pub(crate) async fn dead_letters(&self) -> u64 {
        let dead = self.jetstream.get_stream("DEAD").await.unwrap();
        dead.cached_info().state.messages
    }

    /// Why dead letters rest there, the oldest first.
    pub(crate) async fn reasons(&self) -> Vec<String> {
        let dead = self.jetstream.get_stream("DEAD").await.unwrap();
        let mut reasons = Vec::new();
        for sequence in 1..=dead.cached_info().state.last_sequence {
            let letter = dead.get_raw_message(sequence).await.unwrap();
            reasons.push(letter.headers.get("Souk-Reason").unwrap().to_string());
        }
        reasons
    }
}

/// A variant as staff send it; its kind differs from that of all others.
pub(crate) fn variant(sku: &str, cents: i64, on_hand: u32) -> Value {
    let price = json!({"amount": cents, "currency": "EUR"});
    json!({"sku": sku, "options": {"kind": sku}, "price": price, "on_hand": on_hand})
}

/// So many pieces of a SKU.
pub(crate) fn pieces(sku: &str, quantity: u32) -> Pieces {
    Pieces { sku: sku.parse().unwrap(), quantity: Quantity::new(quantity).unwrap() }
}

fn keys(now: Timestamp) -> Keys {
    let key = PublicKey { kid: "test".into(), x: PUBLIC.into(), not_before: now, not_after: None };
    Keys { set: "current".into(), keys: vec![key] }
}
