//! Real processes that are killed while they move money.

use std::time::{Duration, Instant};

use common::Clock;
use contracts::auth::Role;
use contracts::order::{PaymentDue, RefundDue, RefundReason};
use contracts::payment::{Captured, Refunded};
use contracts::{OrderId, PaymentId, UserId};
use testkit::fleet::{Options, Service};
use testkit::{Answer, Client, Fleet, Peer, World, eventually};
use tokio::task::JoinSet;
use tokio::time::timeout;

use crate::shop::{AMOUNT, eur, fresh_order, pay};

const ORDERS: usize = 60;
/// An event that a killed replica held comes again after half a minute.
const LONGEST: Duration = Duration::from_mins(2);
/// A replica lives at least about so long.
const TURN: Duration = Duration::from_secs(2);
const METHODS: [&str; 4] = [
    "pm_card_visa",
    "pm_sandbox_timeout_then_success",
    "pm_sandbox_timeout_once",
    "pm_sandbox_slow_success",
];

/// Repeats a request with the same key until it is answered for good, as a patient client does; with
/// another one when nothing came of it.
async fn patiently(client: &Client, order: OrderId, method: &str) -> Answer {
    let (until, mut keys) = (Instant::now() + LONGEST, 1);
    loop {
        let answer = pay(client, order, method, &format!("{order}:{keys}")).send().await;
        let said = match answer {
            Ok(answer) if answer["status"] == "captured" => return answer,
            Ok(answer) if answer["failure"] == "never_arrived" => {
                keys += 1;
                continue;
            }
            Ok(answer) => answer.text,
            Err(error) => error.to_string(),
        };
        assert!(Instant::now() < until, "{order} is not paid by {method}: {said}");
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
}

/// The fleet under test: payment alone, and everybody else as a peer.
struct Shop {
    /// Ends with the shop.
    _world: World,
    fleet: Fleet,
    peer: Peer,
    client: Client,
    orders: Vec<OrderId>,
}

impl Shop {
    async fn open() -> Self {
        let world = World::start().await;
        let mut options = Options::default().replicas(2);
        options.services = vec![Service::Payment];
        let options = options.env(Service::Payment, "SOUK_PROVIDER_TIMEOUT", "500ms");
        let peer = Peer::join(&world).await;
        let (fleet, ()) = tokio::join!(Fleet::start(&world, options), peer.tell_keys());
        let customer = UserId::from_uuid(Clock::system().uuid());
        let client = fleet.client().with_token(peer.token(customer, Role::Shopper));
        let pay_by = Clock::system().now().plus(Duration::from_mins(15));
        let orders: Vec<OrderId> = (0..ORDERS).map(|_| fresh_order()).collect();
        for &order_id in &orders {
            peer.tell(&PaymentDue { order_id, customer, amount: eur(AMOUNT), pay_by }).await;
        }
        Self { _world: world, fleet, peer, client, orders }
    }

    async fn kill(&self, replica: usize) {
        self.fleet.kill(Service::Payment, replica).await;
        self.fleet.restart(Service::Payment, replica).await.unwrap();
    }

    /// All pay while one replica after the other is killed.
    async fn pay(&self) {
        let mut paying = JoinSet::new();
        for (order, method) in self.orders.iter().copied().zip(METHODS.into_iter().cycle()) {
            let client = self.client.clone();
            paying.spawn(async move { patiently(&client, order, method).await });
        }
        for replica in [0, 1].into_iter().cycle() {
            self.kill(replica).await;
            // Whoever is left gets something done, or has had the time for it.
            match timeout(TURN, paying.join_next()).await {
                Ok(None) => break,
                Ok(Some(paid)) => assert_eq!(paid.unwrap()["status"], "captured"),
                Err(_) => {}
            }
            while let Some(paid) = paying.try_join_next() {
                assert_eq!(paid.unwrap()["status"], "captured");
            }
        }
    }

    async fn is_refunded(&self, order: OrderId) {
        let id = PaymentId::of(order);
        let told = eventually("the refund is told", LONGEST, async || {
            Some(self.peer.told::<Refunded>(id).await).filter(|told| !told.is_empty())
        });
        assert_eq!(told.await.iter().map(|told| told.remaining).collect::<Vec<_>>(), [eur(0)]);
        assert_eq!(self.peer.told::<Captured>(id).await.len(), 1);
        let read = self.client.get(format!("/api/payments/{id}")).await.status(200);
        assert_eq!(read["status"], "refunded");
        assert_eq!(read["refunds"].as_array().map(Vec::len), Some(1));
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn every_payment_comes_to_one_end_whoever_is_killed() {
    if !testkit::full() {
        return;
    }
    let shop = Shop::open().await;

    shop.pay().await;
    for &order_id in &shop.orders {
        let payment_id = PaymentId::of(order_id);
        shop.peer
            .tell(&RefundDue {
                order_id,
                payment_id,
                amount: eur(AMOUNT),
                refund_id: None,
                reason: RefundReason::Cancelled,
            })
            .await;
    }
    shop.kill(0).await;

    for &order in &shop.orders {
        shop.is_refunded(order).await;
    }
    assert_eq!(shop.peer.dead_letters().await, 0);
}
