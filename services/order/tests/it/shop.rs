//! A shop of nothing but its order service, and those who deal with it.

use std::time::Duration;

use async_nats::jetstream;
use async_nats::jetstream::consumer::PullConsumer;
use common::Clock;
use common::config::ServiceConfig;
use common::identity::Claims;
use common::service::Running;
use contracts::auth::{Keys, PublicKey, Role};
use contracts::cart::CheckedOut;
use contracts::payment::{Captured, RefundCause, Refunded};
use contracts::product::Reserved;
use contracts::{
    AttemptId, Currency, Event, Money, OrderId, PaymentId, RefundId, SessionId, UserId, order,
};
use jsonwebtoken::EncodingKey;
use serde_json::json;
use testkit::{Answer, Client, Peer, World, eventually};

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

/// The replicas of the service, and the other services as it hears them.
pub(crate) struct Shop {
    pub(crate) peer: Peer,
    pub(crate) clock: Clock,
    replicas: Vec<Running>,
    jetstream: jetstream::Context,
    mongo: mongodb::Database,
    _world: World,
}

/// Who buys, and what.
pub(crate) struct Purchase {
    pub(crate) customer: UserId,
    pub(crate) order: OrderId,
}

impl Shop {
    /// Opens with one replica.
    pub(crate) async fn open() -> Self {
        Self::with_replicas(1).await
    }

    /// Opens with several replicas of one database.
    pub(crate) async fn with_replicas(replicas: usize) -> Self {
        let world = World::start().await;
        let clock = Clock::manual(MORNING.parse().unwrap());
        let (uri, database, nats) =
            (world.mongo_uri(), world.database("order"), world.nats().url());
        let config = ::order::Config {
            service: ServiceConfig {
                clock: clock.clone(),
                ..ServiceConfig::for_tests(uri, &database, &nats)
            },
            pay_by: Duration::from_mins(15),
            pay_extension: Duration::from_mins(5),
            return_window: Duration::from_hours(24 * 14),
            ask_again: Duration::from_mins(5),
            sweep: Duration::from_millis(100),
        };
        let peer = Peer::join(&world).await;
        let mut running = Vec::new();
        for _ in 0..replicas {
            let service = ::order::start(config.clone()).await.unwrap();
            service.identity().install(&keys(&clock), 1);
            running.push(service.run_in_background().await.unwrap());
        }
        let client = async_nats::connect(&nats).await.unwrap();
        let jetstream = jetstream::new(client);
        let mongo = mongodb::Client::with_uri_str(world.mongo_uri()).await.unwrap();
        let mongo = mongo.database(&database);
        Self { peer, clock, replicas: running, jetstream, mongo, _world: world }
    }

    /// What the service stores in this collection.
    pub(crate) fn stored(&self, collection: &str) -> mongodb::Collection<mongodb::bson::Document> {
        self.mongo.collection(collection)
    }

    /// One who shows no token.
    pub(crate) fn anyone(&self) -> Client {
        self.at(0)
    }

    /// One who minds the shop.
    pub(crate) fn staff(&self) -> Client {
        self.staff_at(0)
    }

    /// One who minds the shop, and asks this replica.
    pub(crate) fn staff_at(&self, replica: usize) -> Client {
        self.at(replica).with_token(self.token(self.person(), Role::Staff))
    }

    /// This person, as a shopper.
    pub(crate) fn shopper(&self, person: UserId) -> Client {
        self.shopper_at(0, person)
    }

    /// This person, as a shopper who asks this replica.
    pub(crate) fn shopper_at(&self, replica: usize, person: UserId) -> Client {
        self.at(replica).with_token(self.token(person, Role::Shopper))
    }

    fn at(&self, replica: usize) -> Client {
        Client::at(format!("http://{}", self.replicas[replica].http))
    }

    fn token(&self, person: UserId, role: Role) -> String {
        signed(&self.claims(person, role))
    }

    /// What a token of this person says.
    pub(crate) fn claims(&self, person: UserId, role: Role) -> Claims {
        Claims::new(person, SessionId::from_uuid(self.clock.uuid()), role, self.clock.now())
    }

    /// Somebody new.
    pub(crate) fn person(&self) -> UserId {
        UserId::from_uuid(self.clock.uuid())
    }

    /// A cart of two mugs as somebody new would check it out, for 25 euros.
    pub(crate) fn cart(&self) -> CheckedOut {
        let order_id = OrderId::from_uuid(self.clock.uuid());
        CheckedOut { order_id, customer: self.person(), ..CheckedOut::sample() }
    }

    /// Somebody new checks out; the order is placed.
    pub(crate) async fn buys(&self) -> Purchase {
        let CheckedOut { customer, order_id, .. } = self.checks_out(self.cart()).await;
        Purchase { customer, order: order_id }
    }

    /// This cart is checked out; the order is placed.
    pub(crate) async fn checks_out(&self, cart: CheckedOut) -> CheckedOut {
        self.peer.tell(&cart).await;
        self.peer.hears::<order::Placed>(cart.order_id).await;
        cart
    }

    /// Somebody new checks out; the order waits to be paid.
    pub(crate) async fn buys_what_is_there(&self) -> Purchase {
        let purchase = self.buys().await;
        self.reserved(purchase.order, 1).await;
        self.peer.hears::<order::PaymentDue>(purchase.order).await;
        purchase
    }

    /// Somebody new checks out and pays.
    pub(crate) async fn sells(&self) -> Purchase {
        let purchase = self.buys_what_is_there().await;
        self.peer.tell(&self.capture(purchase.order)).await;
        self.peer.hears::<order::Paid>(purchase.order).await;
        purchase
    }

    /// The goods of an order are set aside.
    pub(crate) async fn reserved(&self, order_id: OrderId, round: u32) {
        self.peer.tell(&Reserved { order_id, round }).await;
    }

    /// The money of an order, as it is captured.
    pub(crate) fn capture(&self, order_id: OrderId) -> Captured {
        Captured {
            payment_id: PaymentId::of(order_id),
            order_id,
            attempt_id: AttemptId::from_uuid(self.clock.uuid()),
            amount: eur(2500),
            captured_at: self.clock.now(),
        }
    }

    /// Money of an order, as it goes back.
    pub(crate) fn refund(&self, order_id: OrderId, amount: i64) -> Refunded {
        Refunded {
            payment_id: PaymentId::of(order_id),
            order_id,
            refund_id: RefundId::from_uuid(self.clock.uuid()),
            amount: eur(amount),
            remaining: eur(2500 - amount),
            cause: RefundCause::Staff,
        }
    }

    /// Staff send an order.
    pub(crate) async fn ships(&self, order: OrderId, key: &str) -> Answer {
        let parcel = json!({ "carrier": "Hermes", "tracking": "H-123456" });
        self.staff().post(format!("/api/orders/{order}/ship")).json(&parcel).key(key).await
    }

    /// The order as staff see it, as soon as it stands there.
    pub(crate) async fn until(&self, order: OrderId, status: &str) -> Answer {
        let what = format!("{order} is {status}");
        eventually(&what, SOON, async || {
            let shown = self.staff().get(format!("/api/orders/{order}")).await;
            (shown["status"] == status).then_some(shown)
        })
        .await
    }

    /// Waits until everything that the others told so far is handled.
    pub(crate) async fn has_heard_all(&self) {
        for stream in ["CART", "PRODUCT", "PAYMENT"] {
            eventually(&format!("{stream} is heard"), SOON, async || {
                let stream = self.jetstream.get_stream(stream).await.ok()?;
                let durable: PullConsumer = stream.get_consumer("order-saga").await.ok()?;
                let info = durable.cached_info();
                (info.num_pending == 0 && info.num_ack_pending == 0).then_some(())
            })
            .await;
        }
    }
}

/// A token that says this.
pub(crate) fn signed(claims: &Claims) -> String {
    claims.signed("test", &EncodingKey::from_ed_der(&SECRET)).unwrap()
}

/// So many euro cents.
pub(crate) fn eur(cents: i64) -> Money {
    Money::new(cents, Currency::EUR)
}

fn keys(clock: &Clock) -> Keys {
    let not_before = clock.now();
    let key = PublicKey { kid: "test".into(), x: PUBLIC.into(), not_before, not_after: None };
    Keys { set: "current".into(), keys: vec![key] }
}
