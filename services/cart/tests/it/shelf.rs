//! A cart service in a world of its own.

use std::time::Duration;

use cart::Config;
use common::Clock;
use common::config::ServiceConfig;
use common::service::Running;
use contracts::auth::Role;
use contracts::product::{State, Stock, Variant};
use contracts::{Currency, Money, ProductId, Sku, UserId};
use testkit::{Answer, Client, Peer, World, eventually};
use uuid::Uuid;

pub(crate) const SOON: Duration = Duration::from_secs(20);
pub(crate) const ALICE: UserId = UserId::from_uuid(Uuid::from_u128(0xa11ce));
pub(crate) const BOB: UserId = UserId::from_uuid(Uuid::from_u128(0xb0b));

/// A running cart service and its peers.
pub(crate) struct Shelf {
    pub(crate) client: Client,
    pub(crate) alice: Client,
    pub(crate) peer: Peer,
    pub(crate) database: String,
    running: Running,
    pub(crate) world: World,
}

impl Shelf {
    pub(crate) async fn open() -> Self {
        let world = World::start().await;
        let database = world.database("cart");
        Self::open_on(world, database).await
    }

    pub(crate) async fn open_on(world: World, database: String) -> Self {
        let running = start(&world, &database).await;
        let peer = Peer::join(&world).await;
        peer.tell_keys().await;
        let client = Client::at(format!("http://{}", running.http));
        let alice = client.with_token(peer.token(ALICE, Role::Guest));
        let shelf = Self { client, alice, peer, database, running, world };
        eventually("keys are known", SOON, async || {
            (shelf.alice.get("/api/cart").await.status == 200).then_some(())
        })
        .await;
        shelf
    }

    pub(crate) async fn stop(self) -> (World, String) {
        self.running.stop().await.unwrap();
        (self.world, self.database)
    }

    /// Product tells what it sells.
    pub(crate) async fn sells(&self, name: &str, cents: i64, available: u32) {
        self.peer.tell(&state(name, cents, false)).await;
        self.peer.tell(&stock(name, available)).await;
        self.until_known(name).await;
    }

    pub(crate) async fn until_known(&self, name: &str) {
        let bob = self.client.with_token(self.peer.token(BOB, Role::Shopper));
        eventually(&format!("{name} is known"), SOON, async || {
            let answer = put(&bob, name, 1).await;
            let known = answer.is_ok() && answer["lines"][0]["problems"] == serde_json::json!([]);
            let _ = bob.delete("/api/cart").await;
            known.then_some(())
        })
        .await;
    }
}

pub(crate) async fn start(world: &World, database: &str) -> Running {
    start_at(world, database, Clock::system()).await
}

pub(crate) async fn start_at(world: &World, database: &str, clock: Clock) -> Running {
    let service = ServiceConfig {
        clock,
        ..ServiceConfig::for_tests(world.mongo_uri(), database, &world.nats().url())
    };
    let config = Config { currency: Currency::EUR, service };
    cart::start(config).await.unwrap().run_in_background().await.unwrap()
}

pub(crate) async fn put(client: &Client, sku: &str, quantity: u32) -> Answer {
    let wanted = serde_json::json!({ "quantity": quantity });
    client.put(format!("/api/cart/items/{sku}")).json(&wanted).await
}

/// A product with one variant, named after it.
pub(crate) fn state(name: &str, cents: i64, archived: bool) -> State {
    let price = Money::new(cents, Currency::EUR);
    State {
        product_id: product(name),
        slug: name.to_lowercase(),
        title: format!("A {name}"),
        variants: vec![variant(name, price)],
        archived,
    }
}

pub(crate) fn variant(name: &str, price: Money) -> Variant {
    Variant { sku: sku(name), options: [].into(), price, off_sale: false, former_skus: vec![] }
}

pub(crate) fn stock(name: &str, available: u32) -> Stock {
    Stock { sku: sku(name), product_id: product(name), available }
}

pub(crate) fn sku(name: &str) -> Sku {
    name.parse().unwrap()
}

fn product(name: &str) -> ProductId {
    ProductId::from_uuid(Uuid::new_v5(&Uuid::NAMESPACE_OID, name.as_bytes()))
}
