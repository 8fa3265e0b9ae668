//! What auth tells, as every service hears and keeps it.

use std::time::Duration;

use common::Clock;
use common::bus::{Bus, BusConfig};
use common::identity::{Denied, Identity, load, subscriptions};
use common::store::Store;
use contracts::auth::{Role, SessionRevoked};
use contracts::{SessionId, Timestamp, UserId};
use mongodb::bson::doc;
use testkit::{Peer, World, eventually};
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;
use uuid::Uuid;

const SOON: Duration = Duration::from_secs(20);
const ALICE: UserId = UserId::from_uuid(Uuid::from_u128(1));
const BOB: UserId = UserId::from_uuid(Uuid::from_u128(2));
const ENDED: SessionId = SessionId::from_uuid(Uuid::from_u128(3));

/// One start of a replica: it knows what its database remembers, and hears nothing yet.
struct Replica {
    identity: Identity,
    store: Store,
}

impl Replica {
    async fn start(world: &World, database: &str) -> Self {
        Self::start_by(Clock::system(), world, database).await
    }

    async fn start_by(clock: Clock, world: &World, database: &str) -> Self {
        let client = mongodb::Client::with_uri_str(world.mongo_uri()).await.unwrap();
        let store = Store::open(&client, database, clock.clone(), 1, &TaskTracker::new()).await;
        let (identity, store) = (Identity::new(clock), store.unwrap());
        load(&identity, &store).await.unwrap();
        Self { identity, store }
    }

    async fn hear(&self, world: &World, stop: &CancellationToken) {
        let config = BusConfig::new("cart", world.nats().url());
        let bus = Bus::connect(config, Clock::system()).await.unwrap();
        let hears = subscriptions(&self.identity, &self.store);
        bus.declare(&hears, "1").await.unwrap();
        bus.consume(hears, "1", &TaskTracker::new(), stop).caught_up().await;
    }

    async fn remembers(&self, collection: &str, id: impl ToString) -> bool {
        let collection = self.store.collection(collection);
        collection.find_one(doc! { "_id": id.to_string() }).await.unwrap().is_some()
    }

    /// Waits until the token is good or not, as said.
    async fn comes_to_know(&self, token: &str, expected: Result<(), Denied>) {
        eventually("it is known", SOON, async || {
            let known = self.identity.verify(token).await.map(drop);
            (known == expected).then_some(())
        })
        .await;
    }
}

fn ended(session_id: SessionId, revoked_at: Timestamp) -> SessionRevoked {
    SessionRevoked { session_id, user_id: BOB, revoked_at }
}

#[tokio::test]
async fn what_auth_told_is_known_at_once_and_after_a_restart_without_the_bus() {
    let world = World::start().await;
    let (database, stop) = (world.database("cart"), CancellationToken::new());
    let peer = Peer::join(&world).await;
    let (alice, bob) = (peer.token(ALICE, Role::Guest), peer.token_of(BOB, Role::Guest, ENDED));
    let first = Replica::start(&world, &database).await;
    assert_eq!(first.identity.verify(&alice).await, Err(Denied::NoKeys));

    first.hear(&world, &stop).await;
    peer.tell_keys().await;
    first.comes_to_know(&bob, Ok(())).await;
    peer.tell(&ended(ENDED, Clock::system().now())).await;
    first.comes_to_know(&bob, Err(Denied::Revoked)).await;
    eventually("both are remembered", SOON, async || {
        let keys = first.remembers("identity_keys", "current").await;
        (keys && first.remembers("revoked_sessions", ENDED).await).then_some(())
    })
    .await;
    stop.cancel();
    world.nats().stop().await;

    let second = Replica::start(&world, &database).await;
    assert_eq!(second.identity.verify(&alice).await.unwrap().sub, ALICE);
    assert_eq!(second.identity.verify(&bob).await, Err(Denied::Revoked));
    world.nats().restart().await.unwrap();
}

#[tokio::test]
async fn what_ended_is_kept_by_a_replica_whose_clock_is_ahead() {
    let (world, stop) = (World::start().await, CancellationToken::new());
    let (database, peer) = (world.database("cart"), Peer::join(&world).await);
    let bob = peer.token_of(BOB, Role::Guest, ENDED);
    let now = Clock::system().now();
    let ahead = Clock::manual(now.plus(Duration::from_mins(10)));
    let first = Replica::start_by(ahead, &world, &database).await;
    first.hear(&world, &stop).await;
    peer.tell_keys().await;

    peer.tell(&ended(ENDED, now)).await;

    eventually("it is remembered", SOON, async || {
        let keys = first.remembers("identity_keys", "current").await;
        (keys && first.remembers("revoked_sessions", ENDED).await).then_some(())
    })
    .await;
    stop.cancel();
    let second = Replica::start(&world, &database).await;
    assert_eq!(second.identity.verify(&bob).await.map(drop), Err(Denied::Revoked));
}
